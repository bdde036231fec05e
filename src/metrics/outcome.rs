//! The result of one run: plain data.

use super::verdict::{PeriodCounts, Verdict, judge};
use crate::engine::{Cause, Ending, Milestone, Stage};
use crate::model::ProviderId;
use crate::time::{SimDuration, SimTime};

/// Failed requests by cause and by stage; each adds up to all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    by_cause: [u64; Cause::ALL.len()],
    by_stage: [u64; Stage::ALL.len()],
}

impl Failures {
    /// Failures of which so many are of each cause, and so many of each stage, in the order of their `ALL`.
    pub fn from_counts(by_cause: [u64; Cause::ALL.len()], by_stage: [u64; Stage::ALL.len()]) -> Self {
        Failures { by_cause, by_stage }
    }

    /// Counts so many of a kind.
    pub fn add(&mut self, cause: Cause, stage: Stage, count: u64) {
        self.by_cause[cause as usize] += count;
        self.by_stage[stage as usize] += count;
    }

    /// How many failed from this cause.
    pub fn of_cause(&self, cause: Cause) -> u64 {
        self.by_cause[cause as usize]
    }

    /// How many failed in this stage.
    pub fn of_stage(&self, stage: Stage) -> u64 {
        self.by_stage[stage as usize]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_cause.iter().sum()
    }
}

/// Percentiles of the latency of succeeded requests, each to within 1%.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencyQuantiles {
    /// The median.
    pub p50: SimDuration,
    /// The 95th percentile.
    pub p95: SimDuration,
    /// The 99th percentile.
    pub p99: SimDuration,
}

/// How one replica got to know of one fault of one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultOutcome {
    /// The fault's place in the model's list.
    pub fault: usize,
    /// A provider that it hits.
    pub provider: ProviderId,
    /// The replica.
    pub replica: u32,
    /// From the start of the fault to the first ejection before its end; `None` if there was none.
    pub detected_after: Option<SimDuration>,
    /// Whether the provider was ejected when the fault ended.
    pub was_ejected_at_end: bool,
    /// From the end of the fault to the first admission after it; `None` if it was not ejected then, or never came back.
    pub recovered_after: Option<SimDuration>,
}

/// Requests that arrived in one second of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecondCounts {
    /// All of them; `None` if they were not wanted.
    pub request_count: Option<u32>,
    /// Those that failed.
    pub failed_count: u32,
    /// Those that never ended.
    pub open_count: u32,
}

impl SecondCounts {
    /// Counts so many that ended like this.
    pub(super) fn add(&mut self, ending: Ending, count: u64) {
        // What is not counted here may be told of more than a second.
        let of_a_second = || u32::try_from(count).expect("fewer than 2^32 requests in a second");
        if let Some(requests) = &mut self.request_count {
            *requests += of_a_second();
        }
        match ending {
            Ending::Succeeded => {}
            Ending::Failed(..) => self.failed_count += of_a_second(),
            Ending::Open => self.open_count += of_a_second(),
        }
    }
}

/// Something that changed the course of the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When.
    pub at: SimTime,
    /// What.
    pub event: TimelineEvent,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimelineEvent {
    /// A fault, an alert or an operator action.
    Milestone(Milestone),
    /// A replica's view of a provider.
    Health {
        /// Which replica.
        replica: u32,
        /// Which provider.
        provider: ProviderId,
        /// Its new health.
        admitted: bool,
        /// Whether no fault was there to eject it for.
        is_false: bool,
    },
}

/// The result of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Requests that arrived.
    pub request_count: u64,
    /// Those with a complete good answer in time.
    pub succeeded_count: u64,
    /// Those without.
    pub failures: Failures,
    /// Those that never end.
    pub open_count: u64,
    /// Attempts sent to providers.
    pub attempt_count: u64,
    /// Probes sent to providers; never among the attempts.
    pub probe_count: u64,
    /// Ejections with no fault active since their evidence began, over all replicas.
    pub false_ejection_count: u64,
    /// Requests that would have failed had nobody switched by hand.
    pub saved_by_hand_count: u64,
    /// How many failed requests the error budget allows in its window; `None` if there is no budget.
    pub error_budget: Option<f64>,
    /// How often alerts began to fire; `None` if there is none.
    pub alert_count: Option<u64>,
    /// From the start of the first fault to the first time that an alert begins to fire after it.
    pub alerted_after: Option<SimDuration>,
    /// From the start of the first fault to the first time after it that an alert has a pager ring.
    pub paged_after: Option<SimDuration>,
    /// From the start of the first fault to the first switch by hand after it.
    pub switched_after: Option<SimDuration>,
    /// Requests that arrived before the first fault; all of them if there is none.
    pub before_faults: PeriodCounts,
    /// Requests that arrived in the last quarter of the time from the end of the last fault to the end of arrivals;
    /// none where there is no such time.
    pub after_faults: PeriodCounts,
    /// Percentiles of the latency of succeeded requests; `None` if none succeeded, or if they were not wanted.
    pub latency: Option<LatencyQuantiles>,
    /// By fault, then provider, then replica.
    pub faults: Vec<FaultOutcome>,
    /// The time for which requests arrived.
    pub duration: SimDuration,
    /// Events that the engine handled.
    pub event_count: u64,
    /// Counts for each second of arrival, if they were wanted.
    pub series: Option<Vec<SecondCounts>>,
    /// What happened, in order, if it was wanted.
    pub timeline: Option<Vec<TimelineEntry>>,
}

impl Outcome {
    /// Whether the run got over its faults; `None` where that cannot be said, as [`Verdict`] tells.
    pub fn verdict(&self) -> Option<Verdict> {
        judge(&self.before_faults, &self.after_faults)
    }

    /// From the start of the first fault until the last replica has ejected a provider that it hits; `None` if there
    /// is no fault or a replica never did.
    pub fn time_to_detect(&self) -> Option<SimDuration> {
        let first = self.faults.iter().filter(|row| row.fault == 0);
        let replicas = first.clone().map(|row| row.replica).max()?;
        (0..=replicas)
            .map(|replica| {
                first.clone().filter(|r| r.replica == replica).filter_map(|r| r.detected_after).min()
            })
            .try_fold(SimDuration::ZERO, |latest, detected| detected.map(|d| d.max(latest)))
    }

    /// From the end of the first fault until the last of those that were ejected then is admitted everywhere; `None` if
    /// none was ejected, or one never came back.
    pub fn time_to_recover(&self) -> Option<SimDuration> {
        self.faults
            .iter()
            .filter(|row| row.fault == 0 && row.was_ejected_at_end)
            .map(|row| row.recovered_after)
            .reduce(|latest, recovered| Some(latest?.max(recovered?)))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Successes of a whole run are told at once where only failures are wanted by second, and there may be many.
    #[test]
    fn what_a_second_does_not_count_may_be_more_than_it_can() {
        let mut second = SecondCounts::default();
        second.add(Ending::Succeeded, 1 << 40);
        second.add(Ending::Open, 3);
        assert_eq!(second, SecondCounts { open_count: 3, ..SecondCounts::default() });
    }
}
