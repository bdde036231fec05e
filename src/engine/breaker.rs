//! A passive detector at work: whether one provider is admitted, ejected or on trial, as one replica sees it.
//!
//! It decides nothing about groups: when its failures say so it trips, and the caller asks the group's policy and then
//! ejects or spares the provider. After every call, `timer` and `is_blocked` may have changed.

use super::ejection::EjectionLength;
use super::nginx::{Change, Peer};
use super::window::{Counter, Counts, Onset, Outcome, Shares};
use crate::model::{Answer, Decide, Detector, Evaluated, HalfOpen, Ratio, Stale, Window};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// The end of an attempt, or of the tries at a provider, as a detector hears of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// When the attempt, or the first of the tries, was sent.
    pub sent: SimTime,
    pub ended: SimTime,
    pub answer: Answer,
    /// What the answer says about when to come back.
    pub retry_after: Option<SimDuration>,
}

/// What comes of something that a detector was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Nothing for the caller to do. The provider may be on trial now, or ejected again after one.
    None,
    /// Its failures say eject; the first of them was sent at `evidence_began`.
    Trips { evidence_began: SimTime },
    /// The provider is admitted again in full.
    Admits,
}

#[derive(Debug, Clone)]
enum State {
    Admitted,
    Ejected { until: SimTime, on_tick: bool },
    OnTrial(Trial),
}

/// A provider that is tried with a few attempts.
#[derive(Debug, Clone)]
struct Trial {
    permits: u32,
    /// Permits taken, less those given back.
    taken: u32,
    seen: Counts,
}

/// What `eject` and `spare` need to know of the trip before.
#[derive(Debug, Clone, Copy)]
struct Trip {
    onset: Onset,
    retry_after: Option<SimDuration>,
    by_window: bool,
}

/// One detector's state for one provider.
#[derive(Debug, Clone)]
pub(super) struct Breaker {
    state: State,
    /// When the state last changed.
    since: SimTime,
    /// Failures in a row.
    in_a_row: u32,
    in_a_row_began: Option<Onset>,
    window: Counter,
    length: EjectionLength,
    trip: Option<Trip>,
    /// Instead of all of the above.
    nginx: Option<Peer>,
}

impl Breaker {
    /// An admitted provider. `key` is of this replica, provider and detector; `clock_phase` is, modulo its length, when
    /// a window on the wall clock, or one of nginx's seconds, begins.
    pub fn new(settings: &Detector, key: Key, clock_phase: SimDuration) -> Self {
        Breaker {
            state: State::Admitted,
            since: SimTime::START,
            in_a_row: 0,
            in_a_row_began: None,
            window: Counter::new(settings, clock_phase),
            length: EjectionLength::new(key),
            trip: None,
            nginx: settings.trips.nginx.map(|nginx| Peer::new(&nginx, clock_phase)),
        }
    }

    /// An attempt, or the first of the tries at a provider, is sent: it takes a permit of a trial.
    pub fn on_sent(&mut self, now: SimTime) {
        if let Some(peer) = &mut self.nginx {
            return peer.on_sent(now);
        }
        match &mut self.state {
            State::Admitted => self.window.touch(now),
            State::Ejected { .. } => {}
            // More than the permits are sent where a group sends to ejected providers.
            State::OnTrial(trial) => trial.taken = trial.permits.min(trial.taken + 1),
        }
    }

    /// What `on_sent` was called for has ended.
    pub fn on_ended(&mut self, settings: &Detector, end: &Ended) -> Reaction {
        self.length.tick_is_over();
        let outcome = outcome(settings, end);
        if let Some(peer) = &mut self.nginx {
            let change = match outcome {
                Some(Outcome::Failure) => peer.on_failure(end.sent, end.ended),
                Some(Outcome::Success | Outcome::Slow) => peer.on_success(end.ended),
                None => Change::Unchanged,
            };
            return match change {
                Change::Unchanged => Reaction::None,
                Change::Trips(onset) => Reaction::Trips { evidence_began: onset.sent },
                Change::Admitted => Reaction::Admits,
            };
        }
        let dropped = settings.stale == Stale::Dropped;
        match self.state {
            State::Ejected { .. } => Reaction::None,
            _ if dropped && end.sent < self.since => Reaction::None,
            State::OnTrial(_) => self.on_trial_ended(settings, end, outcome),
            State::Admitted if dropped && end.sent < self.window.generation(end.ended) => Reaction::None,
            State::Admitted => self.on_admitted_ended(settings, end, outcome),
        }
    }

    fn on_admitted_ended(&mut self, settings: &Detector, end: &Ended, outcome: Option<Outcome>) -> Reaction {
        let here = Onset { sent: end.sent, ended: end.ended };
        if let Some(outcome) = outcome {
            self.window.record(end.sent, end.ended, outcome);
            self.in_a_row = if outcome == Outcome::Failure { self.in_a_row + 1 } else { 0 };
            self.in_a_row_began = (self.in_a_row > 0)
                .then(|| Onset::join(self.in_a_row_began.filter(|_| self.in_a_row > 1), here));
        }
        let judged = match settings.evaluated {
            Evaluated::OnCall => outcome.is_some(),
            Evaluated::OnFailure => outcome == Some(Outcome::Failure),
            Evaluated::OnTicks { .. } => false,
        };
        let row_is_long = settings.trips.consecutive.is_some_and(|n| self.in_a_row >= n.get());
        let (onset, by_window) = if settings.trips.at_once_on.contains(end.answer) {
            (here, false)
        } else if let (true, Some(onset)) = (row_is_long, self.in_a_row_began) {
            (onset, false)
        } else if judged && self.window_trips(settings, end.ended) {
            (self.window.onset_judged(end.ended).unwrap_or(here), true)
        } else {
            return Reaction::None;
        };
        self.trips(Trip { onset, retry_after: end.retry_after, by_window })
    }

    fn trips(&mut self, trip: Trip) -> Reaction {
        self.trip = Some(trip);
        Reaction::Trips { evidence_began: trip.onset.sent }
    }

    /// Whether the window's counts and ratios say eject.
    fn window_trips(&self, settings: &Detector, now: SimTime) -> bool {
        if settings.trips.ask_no_window() {
            return false;
        }
        let counts = self.window.counts(now);
        let full = match settings.window {
            Window::Calls(calls) => calls.get(),
            _ => u32::MAX,
        };
        let is_average = matches!(settings.window, Window::Ewma(_));
        let many = !is_average && settings.trips.count.is_some_and(|count| counts.failures >= count.get());
        many || shares_trip(settings, self.window.shares(now), |ratio| {
            counts.calls >= ratio.min_calls.min(full).max(1)
        })
    }

    fn on_trial_ended(&mut self, settings: &Detector, end: &Ended, outcome: Option<Outcome>) -> Reaction {
        let (State::OnTrial(trial), Some(HalfOpen { decide, permits })) =
            (&mut self.state, settings.half_open)
        else {
            return Reaction::None;
        };
        let at_once = settings.trips.at_once_on.contains(end.answer);
        if let Some(outcome) = outcome {
            trial.seen.add(outcome);
            self.window.record(end.sent, end.ended, outcome);
        } else if !at_once {
            if end.sent >= self.since {
                trial.taken = trial.taken.saturating_sub(1);
            }
            return Reaction::None;
        }
        let failed = at_once || outcome == Some(Outcome::Failure);
        let all_ended = trial.seen.calls >= permits.get();
        let ratios = settings.trips.ratio.is_some() || settings.trips.slow.is_some();
        let passes = match decide {
            Decide::First => Some(!failed),
            _ if at_once => Some(false),
            Decide::Ratio if ratios => {
                all_ended.then(|| !shares_trip(settings, trial.seen.shares(), |_| true))
            }
            // Without a ratio there is nothing else to judge by.
            Decide::All | Decide::Ratio if failed => Some(false),
            Decide::All | Decide::Ratio => all_ended.then_some(true),
        };
        match passes {
            None => Reaction::None,
            Some(true) => self.admit(settings, end.ended, true),
            Some(false) => {
                self.begin_ejection(settings, end.ended, Some(end.ended), end.retry_after);
                Reaction::None
            }
        }
    }

    /// A tick of `Evaluated::OnTicks`: readmits, then judges the window, then lets lengths fall.
    ///
    /// Success rates are compared with `tally` after this was called for every provider.
    pub fn on_tick(&mut self, settings: &Detector, now: SimTime) -> Reaction {
        let Some(every) = settings.ticks() else { return Reaction::None };
        let mut reaction = Reaction::None;
        if matches!(self.state, State::Ejected { until, .. } if until <= now) {
            reaction = self.release(settings, now);
        }
        self.window.tick(now);
        let was_admitted = matches!(self.state, State::Admitted) && reaction == Reaction::None;
        if was_admitted && self.nginx.is_none() && self.window_trips(settings, now) {
            let onset = self.window.onset_judged(now).unwrap_or(Onset { sent: now, ended: now });
            reaction = self.trips(Trip { onset, retry_after: None, by_window: true });
        }
        self.length.tick(settings, every, now);
        reaction
    }

    /// The moment that `timer` named has come; earlier or later does no harm.
    pub fn on_timer(&mut self, settings: &Detector, now: SimTime) -> Reaction {
        if let Some(peer) = &mut self.nginx {
            peer.update(now);
            return Reaction::None;
        }
        match self.state {
            State::Ejected { until, on_tick: false } if until <= now => self.release(settings, now),
            _ => Reaction::None,
        }
    }

    /// The ejection is over.
    fn release(&mut self, settings: &Detector, now: SimTime) -> Reaction {
        let Some(half_open) = settings.half_open else { return self.admit(settings, now, false) };
        self.since = now;
        let permits = half_open.permits.get();
        self.state = State::OnTrial(Trial { permits, taken: 0, seen: Counts::default() });
        Reaction::None
    }

    fn admit(&mut self, settings: &Detector, now: SimTime, after_trial: bool) -> Reaction {
        self.state = State::Admitted;
        self.since = now;
        self.length.admit(settings, now, after_trial);
        if settings.clears_on_admission || settings.window == Window::SinceAdmission {
            self.window.clear(now);
        }
        Reaction::Admits
    }

    /// Ejects the provider, usually after a trip; nothing if it is ejected already.
    pub fn eject(&mut self, settings: &Detector, now: SimTime) {
        if let Some(peer) = &mut self.nginx {
            return peer.eject(now);
        }
        let trip = self.trip.take();
        if matches!(self.state, State::Ejected { .. }) {
            return;
        }
        let onset = trip.map(|trip| trip.onset).or_else(|| self.window.onset_judged(now));
        let retry_after = trip.and_then(|trip| trip.retry_after);
        self.begin_ejection(settings, now, onset.map(|onset| onset.ended), retry_after);
    }

    fn begin_ejection(
        &mut self,
        settings: &Detector,
        now: SimTime,
        first_failure: Option<SimTime>,
        retry_after: Option<SimDuration>,
    ) {
        let until = self.length.eject(settings, now, first_failure, retry_after);
        self.state = State::Ejected { until, on_tick: settings.ticks().is_some() };
        self.since = now;
        self.in_a_row = 0;
    }

    /// Leaves the provider admitted after a trip: what tripped counts from zero again.
    pub fn spare(&mut self, now: SimTime) {
        if let Some(peer) = &mut self.nginx {
            peer.forgive(now);
        }
        if self.trip.take().is_some_and(|trip| trip.by_window) {
            self.window.clear(now);
        } else {
            self.in_a_row = 0;
        }
    }

    /// Admits the provider for another reason, such as a passed probe; true if it was ejected or on trial.
    pub fn readmit(&mut self, settings: &Detector, now: SimTime) -> bool {
        if let Some(peer) = &mut self.nginx {
            return peer.forgive(now);
        }
        self.is_ejected() && self.admit(settings, now, false) == Reaction::Admits
    }

    /// Whether routing must not choose the provider: it is ejected, or on trial with no permit left.
    pub fn is_blocked(&self) -> bool {
        match (&self.nginx, &self.state) {
            (Some(peer), _) => peer.is_blocked(),
            (None, State::Admitted) => false,
            (None, State::Ejected { .. }) => true,
            (None, State::OnTrial(trial)) => trial.taken >= trial.permits,
        }
    }

    /// Whether it says nothing about the provider and asks for nothing, as nearly always: its own bits are clear.
    #[inline]
    pub fn is_calm(&self) -> bool {
        self.nginx.is_none() && matches!(self.state, State::Admitted)
    }

    /// Whether it is not admitted in full: ejected or on trial.
    pub fn is_ejected(&self) -> bool {
        match &self.nginx {
            Some(peer) => peer.is_ejected(),
            None => !matches!(self.state, State::Admitted),
        }
    }

    /// Whether good ends change nothing, if the settings are such that they can at most end a row of failures.
    pub fn has_no_row(&self) -> bool {
        matches!(self.state, State::Admitted) && self.in_a_row == 0
    }

    /// Whether a tick is going to end its ejection.
    pub fn waits_for_a_tick(&self) -> bool {
        matches!(self.state, State::Ejected { until, on_tick: true } if until < SimTime::NEVER)
    }

    /// When `on_timer` has to be called next; `None` where ticks do its work.
    pub fn timer(&self) -> Option<SimTime> {
        match (&self.nginx, &self.state) {
            (Some(peer), _) => peer.selectable_at(),
            (None, State::Ejected { until, on_tick: false }) => Some(*until),
            _ => None,
        }
    }

    /// Calls and failures in the window, where ticks close it in the last one; none of an ejected provider.
    pub fn tally(&self, now: SimTime) -> (u32, u32) {
        if self.is_ejected() {
            return (0, 0);
        }
        let counts = self.window.counts(now);
        (counts.calls, counts.failures)
    }
}

/// How the end counts; `None` is not at all.
fn outcome(settings: &Detector, end: &Ended) -> Option<Outcome> {
    let is_slow = |after| end.ended.since(end.sent) > after;
    match end.answer {
        Answer::Abandoned => None,
        answer if settings.ignored.contains(answer) => None,
        answer if settings.failures.contains(answer) => Some(Outcome::Failure),
        Answer::Good if settings.trips.slow.is_some_and(|slow| is_slow(slow.after)) => Some(Outcome::Slow),
        _ => Some(Outcome::Success),
    }
}

/// Whether shares are as bad as the settings' ratios, of those that there are enough calls for.
fn shares_trip(settings: &Detector, shares: Shares, enough: impl Fn(&Ratio) -> bool) -> bool {
    let trips = |ratio: &Ratio, share: f64| {
        let of = ratio.of.get();
        enough(ratio) && (share > of || (ratio.inclusive && share == of))
    };
    settings.trips.ratio.is_some_and(|ratio| trips(&ratio, shares.failures))
        || settings.trips.slow.is_some_and(|slow| trips(&slow.ratio, shares.slow))
}

#[cfg(test)]
mod product_tests;
#[cfg(test)]
mod tests;
