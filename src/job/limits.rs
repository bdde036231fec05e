//! What is more than anybody waits for, and is not begun unasked.

use super::Failure;
use crate::experiment::survey::Surveyed;
use crate::metrics::{Series, Wanted};
use crate::model::Model;
use crate::output::terminal::large;

/// Above the work of so many events somebody has to say yes: some ten minutes on two cores.
const WORK_UNASKED: f64 = 3e10;
/// Above this many expected requests in one run, arrivals alone may not fit in memory.
const REQUESTS_IN_A_RUN_UNASKED: f64 = 1e9;
/// Above this many rows of per-second counts for one scenario, a table of them may not fit in memory.
const SECONDS_UNASKED: f64 = 1e7;

/// Refuses to play so many runs of each model where that would not end in reasonable time, or memory.
///
/// # Errors
/// With what there is most of.
pub fn check_size(models: &[Model], runs: u64, wanted: Wanted) -> Result<(), Failure> {
    let mut amount = Amount::default();
    models.iter().for_each(|model| amount.add(&Surveyed::of(model, wanted), runs));
    amount.check(true)?;
    let seconds = models.iter().map(|m| m.duration.as_secs_f64() * runs as f64).fold(0.0, f64::max);
    if wanted.series == Series::All && seconds > SECONDS_UNASKED {
        return Err(Failure::refused(
            format!("about {} seconds of one scenario to write counts of", large(seconds)),
            "shorten `duration`, lower `--runs`, or go on with `--yes`",
        ));
    }
    Ok(())
}

/// What there is to simulate in all, about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Amount {
    events: f64,
    work: f64,
    requests: f64,
    probes: f64,
    /// Requests in the largest run.
    largest: f64,
}

impl Amount {
    /// Adds so many runs of a point.
    pub fn add(&mut self, point: &Surveyed, runs: u64) {
        // Where nothing is random, one run answers for all.
        let played = if point.is_random { runs as f64 } else { 1.0 };
        self.events += point.events * played;
        self.work += point.work * played;
        self.requests += point.requests * played;
        self.probes += point.probes * played;
        self.largest = self.largest.max(point.requests);
    }

    /// Refuses what would not end in reasonable time; `is_all` is whether nothing is added any more.
    ///
    /// # Errors
    /// With what there is most of.
    pub fn check(&self, is_all: bool) -> Result<(), Failure> {
        let Amount { events, work, requests, probes, largest } = *self;
        if work <= WORK_UNASKED && largest <= REQUESTS_IN_A_RUN_UNASKED {
            return Ok(());
        }
        let most = if probes > requests { "gateway.health_check.interval" } else { "traffic.arrivals" };
        let change = if probes > requests { "raise" } else { "lower" };
        let about = if is_all { "about" } else { "more than" };
        let [events, requests, largest, probes] = [events, requests, largest, probes].map(large);
        Err(Failure::refused(
            format!(
                "{about} {events} events to simulate: {requests} requests, up to {largest} in one run, and {probes} probes"
            ),
            format!("{change} `{most}`, shorten `duration`, lower `--runs`, or go on with `--yes`"),
        ))
    }
}
