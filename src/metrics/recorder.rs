//! The recorder that makes an [`Outcome`] of a run.

use super::LatencyHistogram;
use super::answer::Answer;
use super::outcome::{
    Failures, FaultOutcome, LatencyQuantiles, Outcome, SecondCounts, TimelineEntry, TimelineEvent,
};
use super::verdict::{PeriodCounts, Periods};
use crate::engine::{
    self, Alike, Ending, HealthChange, Memo, Milestone, Path, Recorder, RequestEnd, RunStats,
};
use crate::model::{Model, ProviderId, Slo};
use crate::time::{SimDuration, SimTime};

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What to record beside counts and times of detection; what is not recorded is null in the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Percentiles of the latency of succeeded requests.
    pub latency: bool,
    /// Counts for each second.
    pub series: Series,
    /// Fault edges, ejections, admissions and what was done by hand.
    pub timeline: bool,
}

/// What to count for each second of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Series {
    /// Nothing.
    None,
    /// Requests that failed and those that never ended. The others need not be looked at one by one for it.
    Failures,
    /// These, and all that arrived.
    All,
}

impl Wanted {
    /// Every metric but those of latency.
    pub const COUNTS: Wanted = Wanted { latency: false, series: Series::None, timeline: false };
    /// Every metric.
    pub const METRICS: Wanted = Wanted { latency: true, ..Wanted::COUNTS };
}

/// Listens to one run and adds it up, in integers, so that the order in which requests are reported does not matter.
#[derive(Debug)]
pub struct MetricsRecorder<'m> {
    model: &'m Model,
    failures: Failures,
    open_count: u64,
    probe_count: u64,
    false_ejection_count: u64,
    saved_by_hand_count: u64,
    answer: Answer,
    periods: Periods,
    /// By [`Periods::index`]: together all requests.
    counts: [PeriodCounts; 3],
    latency: Option<LatencyHistogram>,
    faults: Vec<FaultOutcome>,
    /// By replica, then provider.
    admitted: Vec<bool>,
    wants_series: Series,
    series: Option<Vec<SecondCounts>>,
    timeline: Option<Vec<TimelineEntry>>,
}

impl<'m> MetricsRecorder<'m> {
    /// A recorder for one run of `model`.
    pub fn new(model: &'m Model, wanted: Wanted) -> Self {
        let replicas = model.gateway.replicas.get();
        let mut faults = Vec::new();
        for (fault, definition) in model.faults.iter().enumerate() {
            for &provider in &definition.providers {
                faults.extend((0..replicas).map(|replica| FaultOutcome {
                    fault,
                    provider,
                    replica,
                    detected_after: None,
                    was_ejected_at_end: false,
                    recovered_after: None,
                }));
            }
        }
        let seconds = model.duration.as_nanos().div_ceil(NANOS_PER_SECOND) as usize;
        MetricsRecorder {
            model,
            failures: Failures::default(),
            open_count: 0,
            probe_count: 0,
            false_ejection_count: 0,
            saved_by_hand_count: 0,
            answer: Answer::default(),
            periods: Periods::of(model),
            counts: Default::default(),
            latency: wanted.latency.then(LatencyHistogram::default),
            faults,
            admitted: vec![true; replicas as usize * model.providers.len()],
            wants_series: wanted.series,
            series: match wanted.series {
                Series::None => None,
                Series::Failures => Some(vec![SecondCounts::default(); seconds]),
                Series::All => {
                    Some(vec![SecondCounts { request_count: Some(0), ..Default::default() }; seconds])
                }
            },
            timeline: wanted.timeline.then(Vec::new),
        }
    }

    /// The outcome of the run that has just ended.
    ///
    /// # Panics
    /// If requests do not add up: a bug.
    pub fn finish(self, stats: RunStats) -> Outcome {
        let total = |count: fn(&PeriodCounts) -> u64| self.counts.iter().map(count).sum::<u64>();
        let (succeeded_count, attempt_count) = (total(|c| c.succeeded_count), total(|c| c.attempt_count));
        let failed_count = self.failures.total();
        assert_eq!(
            stats.arrived,
            succeeded_count + failed_count + self.open_count,
            "requests = succeeded + failed + open"
        );
        let quantile = |q| self.latency.as_ref()?.quantile(q);
        let quantiles =
            || Some(LatencyQuantiles { p50: quantile(0.5)?, p95: quantile(0.95)?, p99: quantile(0.99)? });
        Outcome {
            request_count: stats.arrived,
            succeeded_count,
            latency: quantiles(),
            failures: self.failures,
            open_count: self.open_count,
            attempt_count,
            probe_count: self.probe_count,
            false_ejection_count: self.false_ejection_count,
            saved_by_hand_count: self.saved_by_hand_count,
            error_budget: self.model.slo.as_ref().map(Slo::budget),
            alert_count: (!self.model.alerts().is_empty()).then_some(self.answer.alert_count),
            alerted_after: self.answer.alerted_after,
            paged_after: self.answer.paged_after,
            switched_after: self.answer.switched_after,
            before_faults: self.counts[0],
            after_faults: self.counts[2],
            faults: self.faults,
            duration: self.model.duration,
            event_count: stats.events,
            series: self.series,
            timeline: self.timeline,
        }
    }

    fn note(&mut self, at: SimTime, event: TimelineEvent) {
        if let Some(timeline) = &mut self.timeline {
            timeline.push(TimelineEntry { at, event });
        }
    }
}

/// The place in [`MetricsRecorder::admitted`].
fn admitted_index(model: &Model, replica: u32, provider: ProviderId) -> usize {
    replica as usize * model.providers.len() + provider.index()
}

impl Recorder for MetricsRecorder<'_> {
    const TAKES_NUMBERS: bool = true;

    #[inline]
    fn request_ended(&mut self, request: &RequestEnd) {
        self.saved_by_hand_count += u64::from(request.saved_by_hand);
        let RequestEnd { arrived: arrived_from, attempts, ending, .. } = *request;
        self.requests_ended(&Alike { count: 1, arrived_from, attempts, ending });
        if ending == Ending::Succeeded {
            self.latencies(request.ended.since(request.arrived), 1);
        }
    }

    #[inline]
    fn requests_ended(&mut self, requests: &Alike) {
        let Alike { count, arrived_from, attempts, ending } = *requests;
        let period = &mut self.counts[self.periods.index(arrived_from)];
        period.request_count += count;
        period.attempt_count += u64::from(attempts) * count;
        match ending {
            Ending::Succeeded => period.succeeded_count += count,
            Ending::Failed(cause, stage) => self.failures.add(cause, stage, count),
            Ending::Open => self.open_count += count,
        }
        if let Some(series) = &mut self.series {
            let second = &mut series[(arrived_from.as_nanos() / NANOS_PER_SECOND) as usize];
            second.add(ending, count);
        }
    }

    fn together_until(&self, from: SimTime, ending: Ending) -> SimTime {
        let next_second = SimTime::from_nanos((from.as_nanos() / NANOS_PER_SECOND + 1) * NANOS_PER_SECOND);
        let is_told_by_second = match self.wants_series {
            Series::None => false,
            Series::Failures => ending != Ending::Succeeded,
            Series::All => true,
        };
        let period_ends = self.periods.end_of(from);
        if is_told_by_second { period_ends.min(next_second) } else { period_ends }
    }

    fn wants_latencies(&self) -> bool {
        self.latency.is_some()
    }

    #[inline]
    fn latencies(&mut self, latency: SimDuration, count: u64) {
        if let Some(histogram) = &mut self.latency {
            histogram.add(latency, count);
        }
    }

    fn probe_sent(&mut self) {
        self.probe_count += 1;
    }

    fn health_changed(&mut self, change: &HealthChange) {
        let HealthChange { at, replica, provider, admitted, is_false } = *change;
        self.false_ejection_count += u64::from(is_false);
        self.admitted[admitted_index(self.model, replica, provider)] = admitted;
        for row in self.faults.iter_mut().filter(|r| r.replica == replica && r.provider == provider) {
            let fault = &self.model.faults[row.fault];
            if !admitted && fault.is_active(at) {
                row.detected_after.get_or_insert(at.since(fault.start));
            }
            if admitted && row.was_ejected_at_end {
                row.recovered_after.get_or_insert(at.since(fault.end));
            }
        }
        self.note(at, TimelineEvent::Health { replica, provider, admitted, is_false });
    }

    fn milestone(&mut self, at: SimTime, milestone: Milestone) {
        self.answer.note(self.model, at, milestone);
        if let Milestone::FaultEnds(fault) = milestone {
            for row in self.faults.iter_mut().filter(|row| row.fault == fault) {
                row.was_ejected_at_end =
                    !self.admitted[admitted_index(self.model, row.replica, row.provider)];
            }
        }
        self.note(at, TimelineEvent::Milestone(milestone));
    }
}

/// Plays one run and measures it; on the fastest exact path, or on the one given.
pub fn measure(model: &Model, seed: u64, run: u64, wanted: Wanted, path: Option<Path>) -> Outcome {
    measure_with(&mut Memo::default(), model, seed, run, wanted, path)
}

/// The same, with what another run has found out. That saves most where many models play the same run one after the other,
/// and it changes no result.
pub fn measure_with(
    memo: &mut Memo,
    model: &Model,
    seed: u64,
    run: u64,
    wanted: Wanted,
    path: Option<Path>,
) -> Outcome {
    let mut recorder = MetricsRecorder::new(model, wanted);
    let path = path.unwrap_or_else(|| engine::fastest_path::<MetricsRecorder>(model));
    let stats = engine::simulate_with(memo, path, model, seed, run, &mut recorder);
    recorder.finish(stats)
}
