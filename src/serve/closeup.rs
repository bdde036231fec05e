//! One run as the page draws it: what was wrong, what the gateway believed, and what became of requests.
//!
//! Times are seconds from the start of the run; arrays of series have one number for each bin.

use crate::metrics::{Closeup, Ejection};
use crate::model::Model;
use crate::output::report::closeup::clock_report;
use crate::output::report::fault_words::{fault_band, gateway_band};
use crate::output::report::{ClockReport, FaultBand};
use crate::time::{SimDuration, SimTime};
use serde::Serialize;

/// More than a page shows pixels of.
const BINS_MAX: u64 = 600;
/// More than anybody tells apart in a picture.
const BANDS_MAX: usize = 400;

/// One run looked at closely.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CloseupDocument {
    /// The run's number.
    pub run: u64,
    /// The length of a bin.
    pub bin_s: f64,
    /// How long requests arrive.
    pub duration_s: f64,
    /// What times are told on; null for the time since the start.
    pub clock: Option<ClockReport>,
    /// The names of providers.
    pub providers: Vec<String>,
    /// How many replicas the gateway has.
    pub replicas: u32,
    /// What was wrong with providers, and with the gateway: the first 400.
    pub faults: Vec<FaultBand>,
    /// How many more there were.
    pub faults_left_out: usize,
    /// Who was ejected: the first 400 ejections.
    pub ejections: Vec<EjectionBand>,
    /// How many more there were.
    pub ejections_left_out: usize,
    /// Requests that failed, by when they arrived.
    pub failed: Vec<u64>,
    /// Those that succeeded.
    pub succeeded: Vec<u64>,
    /// The median latency of those; null in a bin without any.
    pub latency_ms_p50: Vec<Option<f64>>,
    /// The 99th percentile.
    pub latency_ms_p99: Vec<Option<f64>>,
    /// All that failed in this run.
    pub failed_count: u64,
}

/// A stretch of time in which the same detectors had a provider ejected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EjectionBand {
    /// In the view of this replica.
    pub replica: u32,
    /// The place of the provider in [`CloseupDocument::providers`].
    pub provider: usize,
    /// The detectors by name; `health check` for that one.
    pub by: Vec<String>,
    /// Since when.
    pub start_s: f64,
    /// Until when; null if it still was when the run ended.
    pub end_s: Option<f64>,
}

impl CloseupDocument {
    /// Plays one run.
    pub(super) fn of(model: &Model, seed: u64, run: u64) -> CloseupDocument {
        let closeup = Closeup::of(model, seed, run, BINS_MAX);
        let millis = |latency: Option<SimDuration>| latency.map(|latency| latency.as_millis_f64());
        let faults = closeup.faults.iter().map(|fault| fault_band(model, fault));
        let faults: Vec<FaultBand> = faults.chain(model.gateway.faults.iter().map(gateway_band)).collect();
        let ejections = &closeup.ejections;
        CloseupDocument {
            run,
            bin_s: closeup.bin.as_secs_f64(),
            duration_s: model.duration.as_secs_f64(),
            clock: clock_report(model),
            providers: model.providers.iter().map(|provider| provider.name.clone()).collect(),
            replicas: model.gateway.replicas.get(),
            faults_left_out: faults.len().saturating_sub(BANDS_MAX),
            faults: faults.into_iter().take(BANDS_MAX).collect(),
            ejections: ejections.iter().take(BANDS_MAX).map(|e| EjectionBand::of(model, e)).collect(),
            ejections_left_out: ejections.len().saturating_sub(BANDS_MAX),
            failed: closeup.bins.iter().map(|bin| bin.failed_count()).collect(),
            succeeded: closeup.bins.iter().map(|bin| bin.succeeded_count).collect(),
            latency_ms_p50: closeup.bins.iter().map(|bin| millis(bin.latency.map(|l| l.p50))).collect(),
            latency_ms_p99: closeup.bins.iter().map(|bin| millis(bin.latency.map(|l| l.p99))).collect(),
            failed_count: closeup.outcome.failures.total(),
        }
    }
}

impl EjectionBand {
    fn of(model: &Model, ejection: &Ejection) -> Self {
        let Ejection { replica, provider, by, start, end } = *ejection;
        let mut names = vec![];
        if by.has_health_check() {
            names.push("health check".to_owned());
        }
        let detectors = model.gateway.detectors.iter().enumerate();
        names.extend(
            detectors.filter(|(i, _)| by.has_detector(*i)).map(|(_, detector)| detector.name.clone()),
        );
        EjectionBand {
            replica,
            provider: provider.index(),
            by: names,
            start_s: seconds(start),
            end_s: (end < SimTime::NEVER).then(|| seconds(end)),
        }
    }
}

fn seconds(time: SimTime) -> f64 {
    time.as_millis_f64() / 1e3
}
