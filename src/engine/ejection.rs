//! How long a passive detector's ejections last.

use crate::model::{Detector, EjectedFrom, Growth};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

const JITTER: Key = Key::purpose("ejection jitter");

/// The lengths of a provider's ejections, which grow when they follow each other.
#[derive(Debug, Clone)]
pub(super) struct EjectionLength {
    key: Key,
    /// Ejections so far; the number of the next one's jitter.
    ejections: u64,
    /// How often the length has grown; 1 is the base length.
    grown: u32,
    /// The last length that was given.
    last: SimDuration,
    /// When the provider was last admitted again; `None` while it is ejected or was never.
    admitted: Option<SimTime>,
    /// What `grown` was before the tick that is being handled.
    before_tick: Option<u32>,
}

impl EjectionLength {
    pub fn new(key: Key) -> Self {
        let last = SimDuration::ZERO;
        EjectionLength { key, ejections: 0, grown: 0, last, admitted: None, before_tick: None }
    }

    /// The provider is ejected; returns until when.
    pub fn eject(
        &mut self,
        settings: &Detector,
        now: SimTime,
        first_failure: Option<SimTime>,
        retry_after: Option<SimDuration>,
    ) -> SimTime {
        let ejection = &settings.ejection;
        let admitted_for = self.admitted.take().map(|at| now.since(at));
        let grown = self.grow(settings, admitted_for);
        let jitter = match ejection.jitter {
            SimDuration::ZERO => SimDuration::ZERO,
            jitter => jitter.scaled(self.key.numbered(self.ejections).joined(JITTER).unit()),
        };
        self.ejections += 1;
        if let (Some(wait), Some(extra)) = (retry_after, ejection.retry_after) {
            self.last = wait.plus(extra).plus(jitter);
            return now.after(self.last);
        }
        self.last = grown.min(ejection.max).plus(jitter);
        let from = match ejection.from {
            EjectedFrom::Trip => now,
            EjectedFrom::FirstFailure => first_failure.unwrap_or(now),
        };
        from.after(self.last).max(now)
    }

    /// The length before it is limited.
    fn grow(&mut self, settings: &Detector, admitted_for: Option<SimDuration>) -> SimDuration {
        let (base, max) = (settings.ejection.base, settings.ejection.max);
        // An ejection on a tick comes before the tick's decay.
        self.grown = self.before_tick.take().unwrap_or(self.grown);
        match settings.ejection.growth {
            Growth::Constant => base,
            Growth::Linear => {
                if let (None, Some(admitted_for)) = (settings.ticks(), admitted_for) {
                    let fallen = admitted_for.as_nanos() / base.as_nanos().max(1);
                    self.grown = self.grown.saturating_sub(u32::try_from(fallen).unwrap_or(u32::MAX));
                }
                if base.scaled(f64::from(self.grown)) < max.plus(base) {
                    self.grown += 1;
                }
                base.scaled(f64::from(self.grown))
            }
            Growth::Exponential(factor) => {
                if admitted_for.is_some_and(|it| it >= self.last) {
                    self.grown = 0;
                }
                self.grown = self.grown.saturating_add(1);
                base.scaled(libm::pow(factor, f64::from(self.grown - 1)))
            }
        }
    }

    /// The provider is admitted again, maybe because a trial succeeded.
    pub fn admit(&mut self, settings: &Detector, now: SimTime, after_trial: bool) {
        self.admitted = Some(now);
        if after_trial && matches!(settings.ejection.growth, Growth::Exponential(_)) {
            self.grown = 0;
        }
    }

    /// A tick, after whatever was readmitted on it.
    ///
    /// Source: Envoy `outlier_detection_impl.cc`, `onIntervalTimer`.
    pub fn tick(&mut self, settings: &Detector, every: SimDuration, now: SimTime) {
        self.before_tick = None;
        let falls = settings.ejection.growth == Growth::Linear;
        if falls && self.admitted.is_some_and(|at| now.since(at) >= every) {
            self.before_tick = Some(self.grown);
            self.grown = self.grown.saturating_sub(1);
        }
    }

    /// The tick is over: from now on ejections come after its decay.
    pub fn tick_is_over(&mut self) {
        self.before_tick = None;
    }
}
