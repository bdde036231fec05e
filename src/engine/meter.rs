//! What counts against a limit: a bucket that fills evenly, or periods one after the other. In whole numbers, so that the
//! instant at which there is room again is exact.

use crate::model::{Allowance, QuotaWindow};
use crate::time::{SimDuration, SimTime};

/// How long until there is room again, if nobody else comes; `None` if there never is.
pub(super) type Wait = Option<SimDuration>;

/// Counts one thing against its allowance.
#[derive(Debug, Clone)]
pub(super) enum Meter {
    Bucket(Bucket),
    Periods(Periods),
}

impl Meter {
    pub fn new(allowance: Allowance, window: QuotaWindow) -> Self {
        match window {
            QuotaWindow::TokenBucket { burst } => Meter::Bucket(Bucket::new(allowance, burst)),
            QuotaWindow::Fixed => Meter::Periods(Periods::new(allowance, None)),
            QuotaWindow::Calendar { start } => Meter::Periods(Periods::new(allowance, Some(start))),
        }
    }

    /// Brings it to this instant, before it is asked.
    pub fn fill(&mut self, now: SimTime) {
        match self {
            Meter::Bucket(bucket) => bucket.fill(now),
            Meter::Periods(periods) => periods.turn(now),
        }
    }

    /// Whether there is room for so much; if not, how long until there is.
    pub fn check(&self, now: SimTime, need: u64) -> Result<(), Wait> {
        match self {
            Meter::Bucket(bucket) => bucket.check(need),
            Meter::Periods(periods) => periods.check(now, need),
        }
    }

    /// Takes so much, or what is left.
    pub fn take(&mut self, now: SimTime, need: u64) {
        match self {
            Meter::Bucket(bucket) => bucket.take(need),
            Meter::Periods(periods) => periods.take(now, need),
        }
    }

    /// From now on so much may come in a period.
    pub fn limit(&mut self, amount: u64) {
        match self {
            Meter::Bucket(bucket) => bucket.limit(amount),
            Meter::Periods(periods) => periods.allowance.amount = amount,
        }
    }
}

/// A bucket that fills evenly. What is in it is counted in parts, of which each nanosecond brings as many as the
/// allowance has units, so that a unit is as many parts as its period has nanoseconds.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    allowance: Allowance,
    /// It holds what comes in so many nanoseconds.
    burst: u64,
    parts: u128,
    filled: SimTime,
}

impl Bucket {
    /// A full one, which holds what comes in `burst`, or in a period.
    pub fn new(allowance: Allowance, burst: Option<SimDuration>) -> Self {
        let burst = burst.unwrap_or(allowance.period).as_nanos();
        let parts = u128::from(allowance.amount) * u128::from(burst);
        Bucket { allowance, burst, parts, filled: SimTime::START }
    }

    /// Brings it to this instant.
    pub fn fill(&mut self, now: SimTime) {
        let passed = now.since(self.filled).as_nanos();
        self.filled = now;
        self.parts = (self.parts + self.coming(passed)).min(self.coming(self.burst));
    }

    /// Whether so much is in it; if not, when. To be asked of a filled one.
    pub fn check(&self, need: u64) -> Result<(), Wait> {
        let need = self.parts_of(need);
        match need <= self.parts {
            true => Ok(()),
            false if need > self.coming(self.burst) => Err(None),
            false => {
                let nanos = (need - self.parts).div_ceil(u128::from(self.allowance.amount));
                Err(Some(SimDuration::from_nanos(nanos as u64)))
            }
        }
    }

    /// Takes so much, or all that is in it.
    pub fn take(&mut self, need: u64) {
        self.parts = self.parts.saturating_sub(self.parts_of(need));
    }

    fn limit(&mut self, amount: u64) {
        self.allowance.amount = amount;
        self.parts = self.parts.min(self.coming(self.burst));
    }

    fn parts_of(&self, units: u64) -> u128 {
        u128::from(units) * u128::from(self.allowance.period.as_nanos())
    }

    fn coming(&self, nanos: u64) -> u128 {
        u128::from(self.allowance.amount) * u128::from(nanos)
    }
}

/// Counts over periods, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Periods {
    allowance: Allowance,
    /// How far into a period the run begins; `None` if a period begins with a call.
    started: Option<SimDuration>,
    /// When the present period is over: the start of the run where none has begun.
    over: SimTime,
    used: u64,
}

impl Periods {
    fn new(allowance: Allowance, started: Option<SimDuration>) -> Self {
        Periods { allowance, started, over: SimTime::START, used: 0 }
    }

    /// Brings it to this instant, at which a period that is over then does not count any more.
    fn turn(&mut self, now: SimTime) {
        if now < self.over {
            return;
        }
        self.used = 0;
        if let Some(started) = self.started {
            let period = self.allowance.period.as_nanos();
            let since_midnight = now.after(started).as_nanos();
            self.over = now.after(SimDuration::from_nanos(period - since_midnight % period));
        }
    }

    fn check(&self, now: SimTime, need: u64) -> Result<(), Wait> {
        match need {
            _ if self.used.saturating_add(need) <= self.allowance.amount => Ok(()),
            _ if need > self.allowance.amount => Err(None),
            _ => Err(Some(self.over.since(now))),
        }
    }

    fn take(&mut self, now: SimTime, need: u64) {
        if now >= self.over {
            self.over = now.after(self.allowance.period);
        }
        self.used = self.used.saturating_add(need).min(self.allowance.amount).max(self.used);
    }
}
