//! One run looked at closely, as arrays.

use super::document::{ClockReport, CloseupReport, EjectionBand, LatencySeries, LogLine, Series};
use super::fault_words::{fault_band, gateway_band};
use super::number::{Moment, Number};
use super::words::cause_label;
use crate::engine::{Cause, Milestone};
use crate::metrics::{Bin, Closeup, Ejection, LatencyQuantiles, TimelineEntry, TimelineEvent};
use crate::model::Model;
use crate::output::event_words::{group_clock, group_words, groups};
use crate::time::{SimDuration, SimTime};

/// A screen has no more columns to show them in.
const MOST_BINS: u64 = 360;
/// More than anybody reads, or tells apart in a picture.
const LOG_LINES: usize = 200;
const BANDS: usize = 400;

/// A close-up of one run, and what there was no room for.
pub(super) fn closeup(model: &Model, seed: u64, run: u64) -> (CloseupReport, Vec<String>) {
    let closeup = Closeup::of(model, seed, run, MOST_BINS);
    let timeline = closeup.outcome.timeline.as_deref().unwrap_or_default();
    let mut left_out = vec![];
    let mut cut = |what: &str, count: usize, most: usize| {
        if count > most {
            left_out.push(format!("{}: {what} after the first {most} of {count}", model.name));
        }
    };
    let lines: Vec<LogLine> =
        groups(timeline).map(|group| log_line(model, group, closeup.outcome.saved_by_hand_count)).collect();
    cut("events", lines.len(), LOG_LINES);
    cut("faults", closeup.faults.len(), BANDS);
    cut("ejections", closeup.ejections.len(), BANDS);
    let faults = closeup.faults.iter().take(BANDS).map(|fault| fault_band(model, fault));
    let counts = |of: &dyn Fn(&Bin) -> u64| closeup.bins.iter().map(of).collect::<Vec<u64>>();
    let occurs = |counts: &Vec<u64>| counts.iter().any(|count| *count > 0);
    let failed = Cause::ALL.into_iter().filter_map(|cause| {
        let counts = Some(counts(&|bin| bin.failed_by_cause[cause as usize])).filter(occurs)?;
        Some(Series { name: cause.name().to_owned(), label: cause_label(cause).to_owned(), counts })
    });
    let served_by = model.providers.iter().enumerate().filter_map(|(nth, provider)| {
        let counts = Some(counts(&|bin| bin.served_by[nth])).filter(occurs)?;
        Some(Series { name: provider.name.clone(), label: provider.name.clone(), counts })
    });
    let latency = |of: fn(&LatencyQuantiles) -> SimDuration| {
        let of_bin = |bin: &Bin| bin.latency.as_ref().map(|latency| Number(of(latency).as_millis_f64()));
        closeup.bins.iter().map(of_bin).collect()
    };
    let report = CloseupReport {
        run,
        bin_s: Number(closeup.bin.as_secs_f64()),
        duration_s: Number(model.duration.as_secs_f64()),
        clock: clock_report(model),
        providers: model.providers.iter().map(|provider| provider.name.clone()).collect(),
        detectors: detector_names(model),
        replicas: model.gateway.replicas.get(),
        faults: faults.chain(model.gateway.faults.iter().map(gateway_band)).collect(),
        ejections: closeup.ejections.iter().take(BANDS).map(|e| ejection(model, e, timeline)).collect(),
        succeeded: counts(&|bin| bin.succeeded_count),
        failed: failed.collect(),
        open: Some(counts(&|bin| bin.open_count)).filter(occurs).unwrap_or_default(),
        attempts: counts(&|bin| bin.attempt_count),
        served_by: served_by.collect(),
        latency_ms: LatencySeries {
            p50: latency(|l| l.p50),
            p95: latency(|l| l.p95),
            p99: latency(|l| l.p99),
        },
        log: lines.into_iter().take(LOG_LINES).collect(),
        failed_count: closeup.outcome.failures.total(),
        request_count: closeup.outcome.request_count,
    };
    (report, left_out)
}

/// The clock of a scenario, if it has one.
pub(crate) fn clock_report(model: &Model) -> Option<ClockReport> {
    let clock = model.clock.as_ref()?;
    let start_s = clock.since_midnight().as_secs_f64() as u64;
    Some(ClockReport { start_s, zone: clock.zone().to_owned() })
}

/// The health check comes first, as in [`crate::engine::EjectedBy`].
fn detector_names(model: &Model) -> Vec<String> {
    let detectors = model.gateway.detectors.iter().map(|detector| detector.name.clone());
    std::iter::once("health check".to_owned()).chain(detectors).collect()
}

fn ejection(model: &Model, ejection: &Ejection, timeline: &[TimelineEntry]) -> EjectionBand {
    let Ejection { replica, provider, by, start, end } = *ejection;
    let has = |nth: &usize| nth.checked_sub(1).map_or(by.has_health_check(), |index| by.has_detector(index));
    // What was believed may change while a provider stays ejected: what counts is how that began.
    let began = timeline.iter().take_while(|entry| entry.at <= start).filter_map(|entry| match entry.event {
        TimelineEvent::Health { replica: of, provider: whom, is_false, .. }
            if (of, whom) == (replica, provider) =>
        {
            Some(is_false)
        }
        _ => None,
    });
    EjectionBand {
        replica,
        provider: provider.index(),
        by: (0..=model.gateway.detectors.len()).filter(has).collect(),
        start_s: Moment(start),
        end_s: (end != SimTime::NEVER).then_some(Moment(end)),
        is_false: began.last().unwrap_or(false),
    }
}

fn log_line(model: &Model, group: &[TimelineEntry], saved: u64) -> LogLine {
    let kind = match group[0].event {
        TimelineEvent::Health { .. } => "health",
        TimelineEvent::Milestone(milestone) => match milestone {
            Milestone::AlertFires(_) | Milestone::AlertResolves(_) => "alert",
            Milestone::OperatorLearns(_) | Milestone::OperatorActs(_) | Milestone::OperatorReturns(_) => {
                "operator"
            }
            _ => "fault",
        },
    };
    LogLine {
        at_s: Moment(group[0].at),
        clock: group_clock(model, group),
        kind,
        words: group_words(model, group, saved),
    }
}
