//! The active health check: a prober for each owner, provider and observer.
//!
//! A prober sees the results of its own probes, and what a passive detector tells it to do; nothing else.

use crate::model::{Answer, Counting, FirstProbe, HealthCheck, NextProbe, OnError, ProviderId};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// Who probes which provider: a replica, or for a shared state the first one, and which of its observers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prober {
    pub replica: u32,
    pub provider: ProviderId,
    pub observer: u32,
}

/// What a probe's result does to the provider's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Unchanged,
    /// Ejected; the first probe of the evidence was sent at `evidence_began`.
    Ejected {
        evidence_began: SimTime,
    },
    Admitted,
}

/// Counts results, and changes its mind when enough of them contradict it.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    admitted: bool,
    /// Results that contradict `admitted`.
    contradicting: u32,
    /// When the earliest of them was sent.
    evidence_began: SimTime,
}

impl Counter {
    /// Providers start admitted.
    pub fn new() -> Self {
        Counter { admitted: true, contradicting: 0, evidence_began: SimTime::NEVER }
    }

    pub fn is_admitted(&self) -> bool {
        self.admitted
    }

    pub fn observe(&mut self, check: &HealthCheck, sent: SimTime, answer: Answer) -> Verdict {
        let passed = answer == Answer::Good;
        if passed == self.admitted {
            if check.counting == Counting::Consecutive {
                self.contradicting = 0;
                self.evidence_began = SimTime::NEVER;
            }
            return Verdict::Unchanged;
        }
        self.contradicting += 1;
        self.evidence_began = self.evidence_began.min(sent);
        let enough = if self.admitted { check.eject_after } else { check.readmit_after };
        if self.contradicting < enough.get() && !check.eject_at_once_on.contains(answer) {
            return Verdict::Unchanged;
        }
        let evidence_began = self.evidence_began;
        *self = Counter { admitted: passed, ..Counter::new() };
        if passed { Verdict::Admitted } else { Verdict::Ejected { evidence_began } }
    }

    /// Does what a passive detector asks for, whose evidence began then.
    pub fn on_error(&mut self, check: &HealthCheck, evidence_began: SimTime, action: OnError) -> Verdict {
        let failures = match action {
            OnError::Hurry => return Verdict::Unchanged,
            OnError::Fail => 1,
            OnError::Brink => {
                check.eject_after.get().saturating_sub(1).saturating_sub(self.contradicting).max(1)
            }
            OnError::Down => check.eject_after.get(),
        };
        if !self.admitted {
            // A provider that is coming back starts again.
            self.contradicting = 0;
            return Verdict::Unchanged;
        }
        let observe = |_| self.observe(check, evidence_began, Answer::Timeout);
        (0..failures)
            .map(observe)
            .find(|verdict| *verdict != Verdict::Unchanged)
            .unwrap_or(Verdict::Unchanged)
    }
}

/// Draws of one prober that have to do with when and how it probes.
pub(super) fn prober_key(run: Key, prober: Prober, provider_key: Key) -> Key {
    let key = run.named("health_check").numbered(u64::from(prober.replica)).joined(provider_key);
    match prober.observer {
        0 => key,
        observer => key.joined(OBSERVER).numbered(u64::from(observer)),
    }
}

const OBSERVER: Key = Key::purpose("observer");
const PHASE: Key = Key::purpose("phase");
const JITTER: Key = Key::purpose("jitter");
const JITTER_SHARE: Key = Key::purpose("jitter share");
const SPREAD: Key = Key::purpose("spread");

/// The state that a prober is in when it plans its next probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mood {
    /// Whether the last probe passed; `None` before the first result.
    pub passed: Option<bool>,
    /// Whether the provider is admitted.
    pub admitted: bool,
    /// Whether the replica has sent any attempt yet.
    pub has_traffic: bool,
}

impl HealthCheck {
    /// When the first probe is sent.
    pub(super) fn first_probe_at(&self, prober: Key) -> SimTime {
        SimTime::START.after(match self.first_probe {
            FirstProbe::At(delay) => delay,
            FirstProbe::Random => self.interval.scaled(prober.joined(PHASE).unit()),
        })
    }

    /// The interval in a state, without what is random.
    fn interval_in(&self, mood: Mood) -> SimDuration {
        let special = match (mood.passed, mood.admitted) {
            (Some(false), true) => self.intervals.falling,
            (Some(false), false) => self.intervals.down,
            (Some(true), false) => self.intervals.rising,
            _ => None,
        };
        let quiet = self.intervals.no_traffic.filter(|_| !mood.has_traffic);
        quiet.or(special).unwrap_or(self.interval)
    }

    /// When the probe after this one is sent, whose clock first ticked at `first`.
    pub(super) fn next_probe_at(
        &self,
        probe: Key,
        mood: Mood,
        first: SimTime,
        sent: SimTime,
        ends: SimTime,
    ) -> SimTime {
        let interval = self.interval_in(mood);
        let mut gap = interval;
        if self.jitter > SimDuration::ZERO {
            gap = gap.plus(self.jitter.scaled(probe.joined(JITTER).unit()));
        }
        if self.jitter_share > 0.0 {
            gap = gap.plus(interval.scaled(self.jitter_share * probe.joined(JITTER_SHARE).unit()));
        }
        if self.spread.get() > 0.0 {
            let factor = 1.0 + self.spread.get() * (2.0 * probe.joined(SPREAD).unit() - 1.0);
            gap = gap.scaled(factor);
        }
        match self.next_probe {
            NextProbe::FromStart => sent.after(gap),
            NextProbe::FromStartNoOverlap => sent.after(gap).max(ends),
            NextProbe::FromEnd => ends.after(gap),
            // A probe that was pulled forward may come before the first tick.
            NextProbe::OnTicks if sent < first => first.max(ends),
            NextProbe::OnTicks => {
                let ticks = sent.since(first).as_nanos() / self.interval.as_nanos() + 1;
                let next = SimDuration::from_nanos(self.interval.as_nanos().saturating_mul(ticks));
                first.after(next).max(ends)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn settings(eject_after: u32, readmit_after: u32) -> HealthCheck {
        HealthCheck {
            eject_after: NonZeroU32::new(eject_after).unwrap(),
            readmit_after: NonZeroU32::new(readmit_after).unwrap(),
            ..HealthCheck::new(SimDuration::from_secs(1), SimDuration::from_secs(1))
        }
    }

    /// Feeds results, one a second, and tells when health changed.
    fn changes(settings: &HealthCheck, results: &str) -> Vec<(usize, Verdict)> {
        let mut counter = Counter::new();
        let answer = |result: &str| match result {
            "ok" => Answer::Good,
            "503" => Answer::Status(503),
            _ => Answer::Timeout,
        };
        let results = results.split_whitespace().enumerate();
        let verdicts = results.map(|(i, result)| (i, counter.observe(settings, second(i), answer(result))));
        verdicts.filter(|(_, verdict)| *verdict != Verdict::Unchanged).collect()
    }

    fn second(i: usize) -> SimTime {
        SimTime::START.after(SimDuration::from_secs(i as u64))
    }

    fn ejected(i: usize) -> Verdict {
        Verdict::Ejected { evidence_began: second(i) }
    }

    #[test]
    fn failures_in_a_row_eject_and_passes_in_a_row_readmit() {
        let check = |eject, readmit, results, expected: &[(usize, Verdict)]| {
            assert_eq!(changes(&settings(eject, readmit), results), expected, "{results}");
        };
        check(1, 1, "ok fail ok fail", &[(1, ejected(1)), (2, Verdict::Admitted), (3, ejected(3))]);
        check(3, 1, "fail fail ok fail fail", &[]);
        check(3, 1, "fail fail ok fail fail fail", &[(5, ejected(3))]);
        check(2, 2, "fail fail ok fail ok ok fail", &[(1, ejected(0)), (5, Verdict::Admitted)]);
    }

    /// Caddy counts all failures since the last change, not those in a row.
    #[test]
    fn a_cumulative_count_survives_a_pass() {
        let cumulative = HealthCheck { counting: Counting::Cumulative, ..settings(3, 1) };
        assert_eq!(changes(&cumulative, "fail ok fail ok ok fail"), [(5, ejected(0))]);
    }

    /// Envoy: a 503 ejects at once where a timeout needs three.
    #[test]
    fn the_kind_of_failure_can_eject_at_once() {
        let envoy = HealthCheck {
            eject_at_once_on: crate::model::AnswerSet::named("5xx").unwrap(),
            ..settings(3, 2)
        };
        assert_eq!(changes(&envoy, "fail 503 ok ok"), [(1, ejected(0)), (3, Verdict::Admitted)]);
    }

    /// HAProxy's `on-error`: sudden-death leaves one failure to go, mark-down none, fail-check is a failed check.
    #[test]
    fn a_passive_detector_can_push_the_count() {
        let (haproxy, now) = (settings(3, 2), second(9));
        let after = |actions: &[OnError]| {
            let mut counter = Counter::new();
            let verdicts: Vec<Verdict> =
                actions.iter().map(|action| counter.on_error(&haproxy, now, *action)).collect();
            verdicts.iter().position(|verdict| *verdict == ejected(9))
        };
        assert_eq!(after(&[OnError::Down]), Some(0));
        assert_eq!(after(&[OnError::Brink, OnError::Fail]), Some(1));
        assert_eq!(after(&[OnError::Fail; 4]), Some(2));
        assert_eq!(after(&[OnError::Hurry; 4]), None);
    }

    /// Ticks that pass while a probe hangs are lost but for one, which waits for its end.
    #[test]
    fn a_clock_that_ticks_buffers_one_tick() {
        let kubernetes = HealthCheck { next_probe: NextProbe::OnTicks, ..settings(3, 1) };
        let mood = Mood { passed: None, admitted: true, has_traffic: true };
        let at = |sent: f64, ends: f64| {
            let time = |secs| SimTime::START.after(SimDuration::from_secs_f64(secs));
            let next = kubernetes.next_probe_at(Key::for_run(1, 1), mood, time(0.5), time(sent), time(ends));
            next.as_millis_f64() / 1000.0
        };
        assert_eq!(at(0.5, 0.6), 1.5);
        assert_eq!(at(0.5, 3.1), 3.1);
        assert_eq!(at(3.1, 3.2), 3.5);
        assert_eq!(at(0.2, 0.3), 0.5);
    }
}
