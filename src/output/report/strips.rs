//! When requests failed, mean over runs, on one scale and one clock.

use super::closeup::clock_report;
use super::document::{Strip, Strips};
use super::fault_words::{fault_band, gateway_band};
use super::number::Number;
use crate::output::ScenarioResult;

/// A page has no more columns to show them in.
const MOST_BINS: usize = 480;

/// The strips of these scenarios; `None` if they have no seconds.
pub(super) fn strips(shown: &[&ScenarioResult]) -> Option<Strips> {
    let seconds = shown.iter().map(|result| result.seconds.len()).max()?;
    if seconds == 0 {
        return None;
    }
    let bin = seconds.div_ceil(MOST_BINS);
    let rows: Vec<Strip> = shown.iter().map(|result| strip(result, bin)).collect();
    let highest =
        rows.iter().flat_map(|row| &row.failed_per_s).fold(0.0, |high: f64, value| high.max(value.0));
    Some(Strips {
        bin_s: Number(bin as f64),
        clock: clock_report(shown[0].model),
        highest: Number(highest),
        rows,
    })
}

fn strip(result: &ScenarioResult, bin: usize) -> Strip {
    let runs = result.outcomes.len().max(1) as f64;
    let of_bin = |seconds: &[crate::output::SecondTotal]| {
        let failed: u64 = seconds.iter().map(|second| second.failed_count).sum();
        Number(failed as f64 / (seconds.len() as f64 * runs))
    };
    let model = result.model;
    let faults = model.faults.iter().map(|fault| fault_band(model, fault));
    Strip {
        scenario: model.name.clone(),
        failed_per_s: result.seconds.chunks(bin).map(of_bin).collect(),
        faults: faults.chain(model.gateway.faults.iter().map(gateway_band)).collect(),
    }
}
