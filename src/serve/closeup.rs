//! One run as the page draws it: what was wrong, what the gateway believed, and what became of requests.
//!
//! Times are seconds from the start of the run; arrays of series have one number for each bin.

use crate::metrics::{Closeup, Ejection};
use crate::model::{Clock, Effect, Fault, Model};
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
    pub clock: Option<ClockDocument>,
    /// The names of providers.
    pub providers: Vec<String>,
    /// How many replicas the gateway has.
    pub replicas: u32,
    /// What was wrong with providers: the first 400.
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

/// A clock on the wall.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClockDocument {
    /// What it shows at the start, in seconds since midnight.
    pub start_s: f64,
    /// A label such as `UTC`, possibly empty.
    pub zone: String,
}

/// Something that was wrong with some providers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultBand {
    /// Its name in the scenario.
    pub name: String,
    /// The places of the providers in [`CloseupDocument::providers`].
    pub providers: Vec<usize>,
    /// When it starts.
    pub start_s: f64,
    /// When it is over.
    pub end_s: f64,
    /// What requests and probes get.
    pub words: String,
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
        let (faults, ejections) = (&closeup.faults, &closeup.ejections);
        CloseupDocument {
            run,
            bin_s: closeup.bin.as_secs_f64(),
            duration_s: model.duration.as_secs_f64(),
            clock: model.clock.as_ref().map(ClockDocument::of),
            providers: model.providers.iter().map(|provider| provider.name.clone()).collect(),
            replicas: model.gateway.replicas.get(),
            faults: faults.iter().take(BANDS_MAX).map(FaultBand::of).collect(),
            faults_left_out: faults.len().saturating_sub(BANDS_MAX),
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

impl ClockDocument {
    fn of(clock: &Clock) -> Self {
        let start_s = clock.since_midnight().as_secs_f64();
        ClockDocument { start_s, zone: clock.zone().to_owned() }
    }
}

impl FaultBand {
    fn of(fault: &Fault) -> Self {
        let words = match fault.requests == fault.probes {
            true => format!("requests and probes {}", effect(fault.requests)),
            false => format!("requests {}, probes {}", effect(fault.requests), effect(fault.probes)),
        };
        FaultBand {
            name: fault.name.clone(),
            providers: fault.providers.iter().map(|provider| provider.index()).collect(),
            start_s: seconds(fault.start),
            end_s: seconds(fault.end),
            words,
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

/// What becomes of calls.
fn effect(effect: Effect) -> String {
    match effect {
        Effect::Unaffected => "are not affected".to_owned(),
        Effect::Refuse => "are refused".to_owned(),
        Effect::Hang => "hang".to_owned(),
        Effect::Drop => "get no connection".to_owned(),
        Effect::Pause => "wait until it is over".to_owned(),
        Effect::Status(status) => format!("get {status}"),
        Effect::Stall(share) => format!("stall after {:.0}%", 100.0 * share.get()),
        Effect::Cut(share) => format!("break after {:.0}%", 100.0 * share.get()),
        Effect::Truncate(share) => format!("end after {:.0}% as if complete", 100.0 * share.get()),
        Effect::Slow(factor) => format!("take {factor} times as long"),
    }
}
