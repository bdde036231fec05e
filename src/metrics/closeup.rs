//! One run looked at closely, for pictures of it: what became of requests over time, what was wrong with providers, and
//! what each detector of each replica believed.

use super::beliefs::{BeliefRecorder, Ejection};
use super::histogram::SmallHistogram;
use super::{LatencyQuantiles, MetricsRecorder, Outcome, Series, Wanted};
use crate::engine::{Cause, Ending, Recorder, RequestEnd, fastest_path, faults_of, simulate_on};
use crate::model::{Fault, Model};
use crate::time::SimDuration;

/// What there is to see of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Closeup {
    /// The length of a bin of time.
    pub bin: SimDuration,
    /// Requests by when they arrived, from the start of the run until the model's duration; the last bin may be cut short.
    pub bins: Vec<Bin>,
    /// What was wrong with providers: the model's own faults, and then the incidents that were drawn for this run.
    pub faults: Vec<Fault>,
    /// When replicas' routing saw a provider as ejected, in order of start; those of one replica and provider do not overlap.
    pub ejections: Vec<Ejection>,
    /// The same run measured, with its timeline.
    pub outcome: Outcome,
}

/// Requests that arrived in one bin of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    /// Those that succeeded.
    pub succeeded_count: u64,
    /// Those that failed, in the order of [`Cause::ALL`].
    pub failed_by_cause: [u64; Cause::ALL.len()],
    /// Those that never end.
    pub open_count: u64,
    /// Attempts that were made for all of them.
    pub attempt_count: u64,
    /// Those that succeeded, by the provider that answered; what a cache answered is in none.
    pub served_by: Vec<u64>,
    /// Of those that succeeded; `None` if none did.
    pub latency: Option<LatencyQuantiles>,
}

impl Bin {
    /// All that failed.
    pub fn failed_count(&self) -> u64 {
        self.failed_by_cause.iter().sum()
    }
}

/// Lengths of bins that read well, in seconds.
const BIN_SECONDS: [u64; 19] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    2 * 60,
    5 * 60,
    10 * 60,
    15 * 60,
    30 * 60,
    3_600,
    2 * 3_600,
    3 * 3_600,
    6 * 3_600,
    12 * 3_600,
    24 * 3_600,
    7 * 24 * 3_600,
];

impl Closeup {
    /// Plays the run of this number and seed, in at most so many bins; at least one.
    ///
    /// Bins are whole seconds, and longer than that only if there would be too many.
    pub fn of(model: &Model, seed: u64, run: u64, most_bins: u64) -> Closeup {
        let bin = bin_length(model.duration, most_bins);
        let wanted = Wanted { latency: true, series: Series::None, timeline: true };
        type Recorders<'m> = (MetricsRecorder<'m>, (BeliefRecorder, CloseupRecorder));
        let looks = (BeliefRecorder::default(), CloseupRecorder::new(model, bin));
        let mut recorder: Recorders = (MetricsRecorder::new(model, wanted), looks);
        let path = fastest_path::<Recorders>(model);
        let stats = simulate_on(path, model, seed, run, &mut recorder);
        let (metrics, (beliefs, CloseupRecorder { bins, latencies, .. })) = recorder;
        let latencies = latencies.into_iter().map(|mut histogram| {
            let [p50, p95, p99] = histogram.quantiles([0.5, 0.95, 0.99])?;
            Some(LatencyQuantiles { p50, p95, p99 })
        });
        let bins = bins.into_iter().zip(latencies).map(|(bin, latency)| Bin { latency, ..bin }).collect();
        let faults = faults_of(model, seed, run);
        Closeup { bin, bins, faults, ejections: beliefs.finish(), outcome: metrics.finish(stats) }
    }
}

fn bin_length(duration: SimDuration, most_bins: u64) -> SimDuration {
    let lengths = BIN_SECONDS.map(SimDuration::from_secs);
    let fits = |bin: &SimDuration| duration.as_nanos().div_ceil(bin.as_nanos()) <= most_bins;
    let longest = SimDuration::from_nanos(duration.as_nanos().div_ceil(most_bins.max(1)).max(1));
    lengths.into_iter().find(fits).unwrap_or(longest)
}

/// Listens for what [`Closeup`] has of its own.
#[derive(Debug)]
struct CloseupRecorder {
    bin: SimDuration,
    /// Without latencies, which are beside them.
    bins: Vec<Bin>,
    latencies: Vec<SmallHistogram>,
}

impl CloseupRecorder {
    fn new(model: &Model, bin: SimDuration) -> Self {
        let count = model.duration.as_nanos().div_ceil(bin.as_nanos()) as usize;
        let empty = Bin {
            succeeded_count: 0,
            failed_by_cause: Default::default(),
            open_count: 0,
            attempt_count: 0,
            served_by: vec![0; model.providers.len()],
            latency: None,
        };
        CloseupRecorder { bin, bins: vec![empty; count], latencies: vec![SmallHistogram::default(); count] }
    }
}

impl Recorder for CloseupRecorder {
    fn request_ended(&mut self, request: &RequestEnd) {
        let at = (request.arrived.as_nanos() / self.bin.as_nanos()) as usize;
        let bin = &mut self.bins[at];
        bin.attempt_count += u64::from(request.attempts);
        match request.ending {
            Ending::Succeeded => {
                bin.succeeded_count += 1;
                if let Some(provider) = request.provider {
                    bin.served_by[provider.index()] += 1;
                }
                let latency = request.ended.since(request.arrived);
                self.latencies[at].add(latency);
            }
            Ending::Failed(cause, _) => bin.failed_by_cause[cause as usize] += 1,
            Ending::Open => bin.open_count += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_seconds_unless_there_would_be_too_many() {
        let length = |seconds, most| bin_length(SimDuration::from_secs(seconds), most);
        assert_eq!(length(480, 600), SimDuration::from_secs(1));
        assert_eq!(length(600, 600), SimDuration::from_secs(1));
        assert_eq!(length(601, 600), SimDuration::from_secs(2));
        assert_eq!(length(90 * 86_400, 600), SimDuration::from_secs(6 * 3_600));
        assert_eq!(length(100, 1), SimDuration::from_secs(120));
        let (decade, most) = (SimDuration::from_secs(3_660 * 86_400), 100);
        assert!(decade.as_nanos().div_ceil(bin_length(decade, most).as_nanos()) <= most);
    }
}
