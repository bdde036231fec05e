//! Burn-rate alerts: whether requests fail too fast over two windows, asked at the ticks of a clock.
//!
//! What is counted is what clients got, when they got it: the gateway's own metrics. A window is the difference of two
//! counts, so an alert remembers as many counts as a long window has ticks, however many requests there are.

use super::recorder::{Ending, Milestone, Recorder};
use super::{Event, Simulation};
use crate::model::{Alert, BeforeRun, FirstTick, Model};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};
use std::collections::VecDeque;

const TICK: Key = Key::purpose("alert tick");

/// Requests that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    ended: u64,
    failed: u64,
}

/// What one alert knows.
#[derive(Debug, Clone, Default)]
struct Watch {
    /// The tallies at the last ticks, the latest one last; as many as the long window has.
    tallies: VecDeque<Tally>,
    /// Since when both windows have been too high.
    pending_since: Option<SimTime>,
    is_firing: bool,
}

/// All alerts of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Alerts {
    now: Tally,
    watches: Vec<Watch>,
}

impl Alerts {
    pub fn new(model: &Model) -> Self {
        Alerts { now: Tally::default(), watches: vec![Watch::default(); model.alerts().len()] }
    }

    /// A request has ended. One that never ends is never seen.
    pub fn note(&mut self, ending: Ending) {
        self.now.ended += u64::from(ending != Ending::Open);
        self.now.failed += u64::from(matches!(ending, Ending::Failed(..)));
    }
}

impl Watch {
    /// What has ended in the window of this length that ends now; `rate` is of good requests before the run.
    fn window(&self, alert: &Alert, rate: f64, now: SimTime, total: Tally, length: SimDuration) -> Tally {
        let ticks = (length.as_nanos() / alert.every.as_nanos()) as usize;
        let before_it = self.tallies.len().checked_sub(ticks).map(|index| self.tallies[index]);
        let Tally { ended, failed } = before_it.unwrap_or_default();
        let before_run = length.as_nanos().saturating_sub(now.as_nanos());
        let good = (rate * SimDuration::from_nanos(before_run).as_secs_f64()) as u64;
        Tally { ended: total.ended - ended + good, failed: total.failed - failed }
    }

    /// Whether both windows are too high at a tick, for whose time the tally is `total`.
    fn burns(&mut self, alert: &Alert, error_share: f64, rate: f64, now: SimTime, total: Tally) -> bool {
        let rate = if alert.before == BeforeRun::Steady { rate } else { 0.0 };
        let [long, short] =
            [alert.long, alert.short].map(|length| self.window(alert, rate, now, total, length));
        self.tallies.push_back(total);
        if self.tallies.len() as u64 > alert.long.as_nanos() / alert.every.as_nanos() {
            self.tallies.pop_front();
        }
        let is_high = |window: Tally| window.failed as f64 > alert.burn * error_share * window.ended as f64;
        short.ended >= alert.min_count && is_high(long) && is_high(short)
    }

    /// What becomes of the alert at a tick: whether it begins to fire, or ends; `None` if neither.
    fn turn(&mut self, pending: SimDuration, now: SimTime, burns: bool) -> Option<bool> {
        let since = if burns { Some(*self.pending_since.get_or_insert(now)) } else { None };
        self.pending_since = since;
        let fires = since.is_some_and(|since| self.is_firing || now.since(since) >= pending);
        let was_firing = std::mem::replace(&mut self.is_firing, fires);
        (fires != was_firing).then_some(fires)
    }
}

/// When an alert first takes stock: an evaluation sees what had ended `lag` before it.
fn first_stock(alert: &Alert, key: Key) -> SimTime {
    let first_tick = match alert.first_tick {
        FirstTick::At(delay) => delay,
        FirstTick::Random => alert.every.scaled(key.unit()),
    };
    let (tick, lag, every) = (first_tick.as_nanos(), alert.lag.as_nanos(), alert.every.as_nanos());
    // Of evaluations that look at a time before the run there is nothing to see.
    let skipped = lag.saturating_sub(tick).div_ceil(every);
    SimTime::from_nanos(tick + skipped * every - lag)
}

impl<R: Recorder> Simulation<'_, '_, R> {
    pub(super) fn schedule_alerts(&mut self) {
        for (i, alert) in (0..).zip(self.model.alerts()) {
            let at = first_stock(alert, self.run.joined(TICK).named(&alert.name));
            self.schedule_tick(at, i);
        }
    }

    fn schedule_tick(&mut self, at: SimTime, alert: u32) {
        if at < self.end() {
            self.queue.push(at, Event::AlertTicks(alert));
        }
    }

    /// An alert takes stock; what comes of it is known after its lag.
    pub(super) fn on_alert_ticks(&mut self, now: SimTime, index: u32) {
        let Some(slo) = &self.model.slo else { return };
        let (alert, total) = (&slo.alerts[index as usize], self.alerts.now);
        let watch = &mut self.alerts.watches[index as usize];
        let burns = watch.burns(alert, slo.error_share(), slo.requests.per_second(), now, total);
        let turn = watch.turn(alert.pending, now, burns);
        let known = now.after(alert.lag);
        if let Some(fires) = turn.filter(|_| known < self.end()) {
            let event = if fires { Event::AlertFires(index) } else { Event::AlertResolves(index) };
            self.queue.push(known, event);
        }
        self.schedule_tick(now.after(alert.every), index);
    }

    pub(super) fn on_alert_fires(&mut self, now: SimTime, alert: u32) {
        self.recorder.milestone(now, Milestone::AlertFires(alert as usize));
        self.call_operators(now, alert as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Alert {
        let secs = SimDuration::from_secs;
        Alert {
            name: "page".to_owned(),
            burn: 2.0,
            long: secs(60),
            short: secs(20),
            every: secs(10),
            first_tick: FirstTick::At(secs(0)),
            pending: secs(0),
            lag: secs(0),
            min_count: 0,
            before: BeforeRun::Steady,
        }
    }

    fn at(secs: u64) -> SimTime {
        SimTime::START.after(SimDuration::from_secs(secs))
    }

    /// At one request a second and 10% errors allowed, 12 of 60 are the most.
    #[test]
    fn both_windows_have_to_be_above_the_rate() {
        let mut watch = Watch::default();
        let mut burns =
            |secs: u64, failed| watch.burns(&alert(), 0.1, 1.0, at(secs), Tally { ended: secs, failed });
        assert!(!burns(10, 0));
        assert!(!burns(20, 4), "4 of 20 are too few for the short one, strictly");
        assert!(!burns(30, 12), "12 of 60 for the long one");
        assert!(burns(40, 13), "9 of 20, and 13 of 60");
        assert!(!burns(50, 15), "3 of 20");
        assert!(burns(60, 20), "7 of 20");
        assert!(burns(70, 21), "6 of 20, and 21 of 60");
        assert_eq!(watch.tallies.len(), 6);
        assert_eq!(watch.tallies[0], Tally { ended: 20, failed: 4 });
    }

    #[test]
    fn a_new_service_has_windows_that_fill() {
        let mut watch = Watch::default();
        let new = Alert { before: BeforeRun::Nothing, min_count: 10, ..alert() };
        assert!(!watch.burns(&new, 0.1, 1.0, at(0), Tally::default()));
        assert!(!watch.burns(&new, 0.1, 1.0, at(10), Tally { ended: 9, failed: 9 }), "too few");
        assert!(watch.burns(&new, 0.1, 1.0, at(20), Tally { ended: 10, failed: 9 }));
    }

    #[test]
    fn it_fires_when_it_has_been_pending_for_long_enough_and_ends_at_once() {
        let mut watch = Watch::default();
        let pending = SimDuration::from_secs(15);
        let mut turn = |secs, burns| watch.turn(pending, at(secs), burns);
        assert_eq!(
            [turn(0, true), turn(10, true), turn(20, true), turn(30, true)],
            [None, None, Some(true), None]
        );
        assert_eq!([turn(40, false), turn(50, false)], [Some(false), None]);
        assert_eq!([turn(60, true), turn(70, false), turn(80, true)], [None; 3]);
    }

    #[test]
    fn the_first_evaluation_is_the_first_that_has_something_to_see() {
        let first = |tick, lag| {
            let secs = SimDuration::from_secs;
            let alert = Alert { first_tick: FirstTick::At(secs(tick)), lag: secs(lag), ..alert() };
            first_stock(&alert, Key::purpose("test"))
        };
        assert_eq!(
            [first(0, 0), first(25, 0), first(0, 3), first(4, 3), first(4, 24)].map(|t| t.as_millis_f64()),
            [0.0, 25e3, 7e3, 1e3, 0.0]
        );
    }
}
