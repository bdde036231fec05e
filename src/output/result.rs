//! One scenario's results, as the terminal and JSON show them.

use crate::engine::Path;
use crate::experiment::objective::Finding;
use crate::metrics::{Outcome, TimelineEntry};
use crate::model::Model;

/// What there is to say about one scenario.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioResult<'a> {
    /// The scenario's model.
    pub model: &'a Model,
    /// How the engine played it.
    pub path: Path,
    /// The number of the first run, which is the one that is shown.
    pub first_run: u64,
    /// One for each run, in order.
    pub outcomes: &'a [Outcome],
    /// Over all runs, by second of arrival.
    pub seconds: &'a [SecondTotal],
    /// What happened in the run that is shown.
    pub timeline: &'a [TimelineEntry],
    /// What the result rests on, in phrases.
    pub assumptions: &'a [String],
    /// What was asked of it, and whether it holds.
    pub findings: &'a [Finding],
}

/// Requests that arrived in one second, over all runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecondTotal {
    /// Those that failed.
    pub failed_count: u64,
}

/// Adds the seconds of runs to totals, and takes them out of the outcomes to free their memory.
pub fn add_seconds(totals: &mut Vec<SecondTotal>, outcomes: &mut [Outcome]) {
    for series in outcomes.iter_mut().filter_map(|outcome| outcome.series.take()) {
        totals.resize(totals.len().max(series.len()), SecondTotal::default());
        for (total, second) in totals.iter_mut().zip(series) {
            total.failed_count += u64::from(second.failed_count);
        }
    }
}
