//! What a run is measured by: a recorder that listens to the engine, and the outcome it makes of it.

mod answer;
mod bill;
mod closeup;
mod definitions;
mod histogram;
mod outcome;
mod recorder;
mod verdict;

pub use bill::{Bill, Usd, charge, gateway_fee};
pub use closeup::{Bin, Closeup, Ejection};
pub use definitions::{METRICS, Metric, Unit, metric};
pub use histogram::LatencyHistogram;
pub use outcome::{
    Failures, FaultOutcome, LatencyQuantiles, Outcome, SecondCounts, TimelineEntry, TimelineEvent, Trouble,
};
pub use recorder::{MetricsRecorder, Series, Wanted, measure, measure_with};
pub use verdict::{PeriodCounts, Verdict};
