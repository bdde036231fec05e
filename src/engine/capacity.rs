//! A provider that works on a limited number of answers at once, with a queue before it: first come, first served.

use crate::model::{Abandoned, Capacity};
use crate::time::{SimDuration, SimTime};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// What becomes of an attempt at such a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// The queue is full.
    TurnedAway,
    /// Work on it starts then: at once, or when its turn comes. That may be after its caller gave up.
    Starts(SimTime),
    /// It has waited for as long as it may by then, and is turned away.
    TimesOut(SimTime),
    /// Its caller gives up first and it is dropped, or its turn never comes. It stays in the queue until its turn.
    NeverServed,
}

/// When slots become free. What comes later cannot change when an attempt's turn comes, so its fate is known when it
/// is admitted.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// When each slot that has worked becomes free, with all that it was given; the others are free.
    free_at: BinaryHeap<Reverse<SimTime>>,
    /// When each attempt that waits leaves the queue, in order, as its turn comes or it times out; those that have left since
    /// the last admission are still in here.
    leaves: VecDeque<SimTime>,
    /// No slot is free before.
    paused_until: SimTime,
}

impl Slots {
    /// All slots free. Memory grows with the most that work at once, not with the capacity.
    pub(super) fn new(_capacity: &Capacity) -> Self {
        Slots::default()
    }

    /// Admits an attempt that takes a slot for `service` and whose caller waits until `gives_up`; one whose turn comes
    /// at that very instant is worked on. Costs O(log c) with c slots.
    ///
    /// `now` never decreases from call to call.
    pub(super) fn admit(
        &mut self,
        capacity: &Capacity,
        now: SimTime,
        service: SimDuration,
        gives_up: SimTime,
    ) -> Admission {
        while self.leaves.front().is_some_and(|leaves| *leaves <= now) {
            self.leaves.pop_front();
        }
        let ready = now.max(self.paused_until);
        let all_used = self.free_at.len() == capacity.slots.get() as usize;
        // One that has worked is taken before one that has not, to keep the heap small.
        let worked = self.free_at.peek().map(|slot| slot.0).filter(|free_at| all_used || *free_at <= ready);
        let turn = worked.map_or(ready, |free_at| free_at.max(ready));
        let times_out = capacity.queue_timeout.map_or(SimTime::NEVER, |timeout| now.after(timeout));
        if turn > now {
            if capacity.queue.is_some_and(|most| self.leaves.len() >= most as usize) {
                return Admission::TurnedAway;
            }
            self.leaves.push_back(turn.min(times_out));
        }
        if turn > times_out {
            return Admission::TimesOut(times_out);
        }
        let dropped = capacity.abandoned == Abandoned::Dropped && turn > gives_up;
        if dropped || turn == SimTime::NEVER {
            return Admission::NeverServed;
        }
        if worked.is_some() {
            self.free_at.pop();
        }
        self.free_at.push(Reverse(turn.after(service)));
        Admission::Starts(turn)
    }

    /// Stops work until `until`: slots that would be free before are free then, and those that are busy for longer
    /// keep their time. What was admitted already keeps its fate, so this is exact where it is called before anything
    /// is admitted that the pause concerns. A later call never shortens an earlier pause.
    pub(super) fn pause_until(&mut self, until: SimTime) {
        self.paused_until = self.paused_until.max(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, UnitExponential};
    use rand_distr::Distribution;
    use std::num::NonZeroU32;

    const BATCHES: u64 = 100;
    const BATCH: u64 = 5_000;

    fn capacity(slots: u32, queue: Option<u32>, abandoned: Abandoned) -> Capacity {
        Capacity { queue, abandoned, ..Capacity::new(NonZeroU32::new(slots).expect("there is a slot")) }
    }

    fn at(secs: u64) -> SimTime {
        SimTime::START.after(SimDuration::from_secs(secs))
    }

    /// Admits work of `secs` whose caller never gives up.
    fn admit(slots: &mut Slots, capacity: &Capacity, now: u64, secs: u64) -> Admission {
        slots.admit(capacity, at(now), SimDuration::from_secs(secs), SimTime::NEVER)
    }

    /// The mean of `seen` over Poisson arrivals of `rate` with exponential services of mean 1 and callers of this
    /// patience, and its standard error from batches. `seen` is told what became of each and how long it waited.
    fn mean_of(
        capacity: Capacity,
        rate: f64,
        patience: f64,
        seen: impl Fn(Admission, f64) -> f64,
    ) -> (f64, f64) {
        let mut slots = Slots::new(&capacity);
        let mut now = SimTime::START;
        let mut batch = |number: u64| {
            let key = Key::for_run(11, number);
            let (mut gaps, mut services) = (key.named("gaps").rng(), key.named("services").rng());
            let sum: f64 = (0..BATCH)
                .map(|_| {
                    now = now.after(SimDuration::from_secs_f64(UnitExponential.sample(&mut gaps) / rate));
                    let service = SimDuration::from_secs_f64(UnitExponential.sample(&mut services));
                    let gives_up = now.after(SimDuration::from_secs_f64(patience));
                    let admission = slots.admit(&capacity, now, service, gives_up);
                    let wait = match admission {
                        Admission::Starts(turn) => turn.since(now).as_secs_f64(),
                        _ => 0.0,
                    };
                    seen(admission, wait)
                })
                .sum();
            sum / BATCH as f64
        };
        // The first one warms up.
        batch(BATCHES);
        let means: Vec<f64> = (0..BATCHES).map(&mut batch).collect();
        let n = BATCHES as f64;
        let mean = means.iter().sum::<f64>() / n;
        let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    }

    fn assert_within_error((mean, error): (f64, f64), expected: f64) {
        assert!((mean - expected).abs() < 4.0 * error, "{mean} is not {expected} give or take {error}");
        assert!(error < 0.05 * expected, "{error} is too wide to tell {expected}");
    }

    fn waits(_: Admission, wait: f64) -> f64 {
        f64::from(wait > 0.0)
    }

    fn is(what: Admission) -> impl Fn(Admission, f64) -> f64 {
        move |admission, _| f64::from(admission == what)
    }

    /// The share that a system of `slots` without a queue turns away: B = aB / (k + aB).
    fn erlang_b(slots: u32, load: f64) -> f64 {
        (1..=slots).fold(1.0, |b, k| load * b / (f64::from(k) + load * b))
    }

    #[test]
    fn waits_are_erlang_cs() {
        let (c, lambda) = (10.0, 8.0);
        let b = erlang_b(10, lambda);
        let waiting = c * b / (c - lambda * (1.0 - b));
        assert!((waiting - 0.4092).abs() < 5e-5, "{waiting}");
        let ten = capacity(10, None, Abandoned::Runs);
        assert_within_error(mean_of(ten, lambda, 1e9, waits), waiting);
        assert_within_error(mean_of(ten, lambda, 1e9, |_, wait| wait), waiting / (c - lambda));
        // P(Wq > t) = C exp(-(c - lambda) t)
        let long = |_, wait: f64| f64::from(wait > 0.5);
        assert_within_error(mean_of(ten, lambda, 1e9, long), waiting * libm::exp(-(c - lambda) * 0.5));
    }

    #[test]
    fn one_slot_is_the_m_m_1_queue() {
        let one = capacity(1, None, Abandoned::Runs);
        assert_within_error(mean_of(one, 0.7, 1e9, waits), 0.7);
        assert_within_error(mean_of(one, 0.7, 1e9, |_, wait| wait), 0.7 / (1.0 - 0.7));
        // With a queue of 4, five find room: P(full) = (1 - r) r^5 / (1 - r^6).
        let bounded = capacity(1, Some(4), Abandoned::Runs);
        let full = 0.3 * 0.7f64.powi(5) / (1.0 - 0.7f64.powi(6));
        assert_within_error(mean_of(bounded, 0.7, 1e9, is(Admission::TurnedAway)), full);
    }

    #[test]
    fn without_a_queue_blocking_is_erlang_bs() {
        let blocking = erlang_b(10, 12.0);
        assert!((blocking - 0.3019).abs() < 5e-5, "{blocking}");
        let ten = capacity(10, Some(0), Abandoned::Runs);
        assert_within_error(mean_of(ten, 12.0, 1e9, is(Admission::TurnedAway)), blocking);
    }

    /// M/M/1 whose callers leave the queue after t: P(lost) = (1 - r) r E / (1 - r² E), E = exp(-(1 - lambda) t).
    #[test]
    fn dropped_work_takes_no_time() {
        let (r, t) = (0.8, 2.0);
        let e = libm::exp(-(1.0 - r) * t);
        let lost = (1.0 - r) * r * e / (1.0 - r * r * e);
        let one = capacity(1, None, Abandoned::Dropped);
        assert_within_error(mean_of(one, r, t, is(Admission::NeverServed)), lost);
    }

    #[test]
    fn work_is_done_in_the_order_it_came() {
        let two = capacity(2, None, Abandoned::Runs);
        let mut slots = Slots::new(&two);
        let turns: Vec<_> = [(0, 5), (0, 3), (1, 1), (1, 1), (1, 9), (4, 1), (20, 1)]
            .map(|(now, secs)| admit(&mut slots, &two, now, secs))
            .into();
        assert_eq!(turns, [0, 0, 3, 4, 5, 5, 20].map(|secs| Admission::Starts(at(secs))));
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let bounded = capacity(1, Some(2), Abandoned::Runs);
        let mut slots = Slots::new(&bounded);
        let mut next = |now| admit(&mut slots, &bounded, now, 10);
        assert_eq!([next(0), next(0), next(0)], [0, 10, 20].map(|secs| Admission::Starts(at(secs))));
        assert_eq!([next(0), next(9)], [Admission::TurnedAway; 2]);
        // The slot becomes free and is taken at once, which leaves a place in the queue.
        assert_eq!([next(10), next(10)], [Admission::Starts(at(30)), Admission::TurnedAway]);
    }

    #[test]
    fn work_that_nobody_waits_for_runs_or_is_dropped_when_its_turn_comes() {
        for (abandoned, second, last) in [
            (Abandoned::Runs, Admission::Starts(at(10)), Admission::Starts(at(20))),
            (Abandoned::Dropped, Admission::NeverServed, Admission::Starts(at(10))),
        ] {
            let bounded = capacity(1, Some(2), abandoned);
            let mut slots = Slots::new(&bounded);
            let mut next =
                |now, gives_up| slots.admit(&bounded, at(now), SimDuration::from_secs(10), at(gives_up));
            assert_eq!(next(0, 5), Admission::Starts(at(0)));
            assert_eq!(next(0, 9), second);
            assert_eq!(next(0, 20), last, "it waits to the last instant");
            assert_eq!(next(9, 100), Admission::TurnedAway, "given up or not, two wait");
        }
    }

    /// The second one would have waited for 10 s, and leaves its place after 3; the third one's turn comes at that instant.
    #[test]
    fn what_waits_too_long_leaves_its_place() {
        let bounded = Capacity {
            queue_timeout: Some(SimDuration::from_secs(3)),
            ..capacity(1, Some(1), Abandoned::Runs)
        };
        let mut slots = Slots::new(&bounded);
        let mut next = |now| admit(&mut slots, &bounded, now, 10);
        assert_eq!([next(0), next(1)], [Admission::Starts(at(0)), Admission::TimesOut(at(4))]);
        assert_eq!([next(3), next(4)], [Admission::TurnedAway, Admission::TimesOut(at(7))]);
        assert_eq!([next(7), next(9)], [Admission::Starts(at(10)), Admission::TurnedAway]);
    }

    #[test]
    fn a_slot_that_hangs_for_ever_never_takes_another() {
        let one = capacity(1, Some(1), Abandoned::Runs);
        let mut slots = Slots::new(&one);
        let hang = slots.admit(&one, at(1), SimDuration::MAX, at(2));
        assert_eq!(hang, Admission::Starts(at(1)));
        assert_eq!(admit(&mut slots, &one, 2, 1), Admission::NeverServed);
        assert_eq!(admit(&mut slots, &one, 3, 1), Admission::TurnedAway);
    }

    #[test]
    fn no_slot_is_free_during_a_pause() {
        let three = capacity(3, None, Abandoned::Runs);
        let mut slots = Slots::new(&three);
        admit(&mut slots, &three, 0, 5);
        admit(&mut slots, &three, 0, 50);
        slots.pause_until(at(20));
        slots.pause_until(at(10));
        let turns: Vec<_> = (1..=3).map(|now| admit(&mut slots, &three, now, 10)).collect();
        assert_eq!(turns, [20, 20, 30].map(|secs| Admission::Starts(at(secs))));
        assert_eq!(admit(&mut slots, &three, 45, 1), Admission::Starts(at(45)));
    }
}
