//! An error budget, and the alerts that watch how fast it burns.

use super::{Probability, Rate};
use crate::time::SimDuration;

/// A service level objective: which share of requests has to succeed over a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// The share of requests that has to succeed; below 1.
    pub objective: Probability,
    /// The time over which it has to hold; above zero.
    pub window: SimDuration,
    /// The traffic of the whole window.
    pub requests: Rate,
    /// What watches the budget, in order of name.
    pub alerts: Vec<Alert>,
}

impl Slo {
    /// The share of requests that may fail.
    pub fn error_share(&self) -> f64 {
        1.0 - self.objective.get()
    }

    /// How many requests may fail in the window.
    ///
    /// Source: Beyer et al., "The Site Reliability Workbook" (2018), chapter 2.
    pub fn budget(&self) -> f64 {
        self.error_share() * self.requests.per_second() * self.window.as_secs_f64()
    }
}

/// A multi-window burn-rate alert: it fires while requests fail too fast both over a long window, so that it matters, and
/// over a short one, so that it is still so.
///
/// Source: Beyer et al., "The Site Reliability Workbook" (2018), chapter 5. With errors of share e from a moment on, and
/// none before, the long window takes burn x (1 - objective) x long / e to exceed the rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// The name in the scenario; draws are keyed by it.
    pub name: String,
    /// So many times as fast as what would just empty the budget in its window; above 0.
    pub burn: f64,
    /// The long window; a multiple of `every`.
    pub long: SimDuration,
    /// The short window, not longer than the long one; a multiple of `every`.
    pub short: SimDuration,
    /// The time between two evaluations.
    pub every: SimDuration,
    /// When the first evaluation is.
    pub first_tick: FirstTick,
    /// Both windows have to be too high at all evaluations for so long.
    pub pending: SimDuration,
    /// An evaluation sees what had ended so long before it: scraping, ingestion.
    pub lag: SimDuration,
    /// With fewer requests than this in the short window it does not fire.
    pub min_count: u64,
    /// What windows hold of the time before the run.
    pub before: BeforeRun,
}

impl Alert {
    /// Whether two runs can differ because of it.
    pub fn is_random(&self) -> bool {
        self.first_tick == FirstTick::Random
    }
}

/// When an alert is first evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstTick {
    /// At a random moment of the first interval.
    Random,
    /// This long after the start of the run.
    At(SimDuration),
}

/// What an alert's windows hold of the time before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeforeRun {
    /// Traffic at the budget's rate, all of it good: the windows are full from the start.
    Steady,
    /// Nothing: the service is new.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1e6 requests a day over 30 days: at 99.9% 30,000 may fail.
    #[test]
    fn a_budget_is_the_share_that_may_fail_of_all_requests() {
        let slo = Slo {
            objective: Probability::new(0.999).expect("a probability"),
            window: SimDuration::from_secs(30 * 86_400),
            requests: Rate::new(1e6 / 86_400.0).expect("a rate"),
            alerts: vec![],
        };
        assert!((slo.budget() / 30_000.0 - 1.0).abs() < 1e-12, "{}", slo.budget());
    }
}
