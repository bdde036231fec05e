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
    let points: Vec<Surveyed> = models.iter().map(|model| Surveyed::of(model, wanted)).collect();
    check_events(&points, runs)?;
    let seconds = models.iter().map(|m| m.duration.as_secs_f64() * runs as f64).fold(0.0, f64::max);
    if wanted.series == Series::All && seconds > SECONDS_UNASKED {
        return Err(Failure::refused(
            format!("about {} seconds of one scenario to write counts of", large(seconds)),
            "shorten `duration`, lower `--runs`, or go on with `--yes`",
        ));
    }
    Ok(())
}

/// Refuses to play so many runs of each point where that would not end in reasonable time.
///
/// # Errors
/// With what there is most of.
pub fn check_events(points: &[Surveyed], runs: u64) -> Result<(), Failure> {
    let played = |point: &Surveyed| if point.is_random { runs as f64 } else { 1.0 };
    let sum = |expected: fn(&Surveyed) -> f64| points.iter().map(|p| expected(p) * played(p)).sum::<f64>();
    let (events, requests, probes) = (sum(|p| p.events), sum(|p| p.requests), sum(|p| p.probes));
    let work = sum(|p| p.work);
    let largest = points.iter().map(|point| point.requests).fold(0.0, f64::max);
    if work > WORK_UNASKED || largest > REQUESTS_IN_A_RUN_UNASKED {
        let most = if probes > requests { "gateway.health_check.interval" } else { "traffic.arrivals" };
        let change = if probes > requests { "raise" } else { "lower" };
        let [events, requests, largest, probes] = [events, requests, largest, probes].map(large);
        return Err(Failure::refused(
            format!(
                "about {events} events to simulate: {requests} requests, up to {largest} in one run, and {probes} probes"
            ),
            format!("{change} `{most}`, shorten `duration`, lower `--runs`, or go on with `--yes`"),
        ));
    }
    Ok(())
}
