//! One scenario's numbers: metrics, objectives, and how runs are spread.

use super::document::{Distribution, Estimate, MetricRow, NamedNumber, ObjectiveReport};
use super::number::Number;
use super::words::{cause_label, stage_label, unit_name};
use crate::engine::{Cause, Stage};
use crate::experiment::objective::Finding;
use crate::experiment::statistics::{Summary, quantiles};
use crate::metrics::{METRICS, Metric, Outcome};
use crate::output::objectives::finding_words;

/// What runs say of a number; `None` if it has a value in none.
pub(super) fn estimate(summary: &Summary) -> Option<Estimate> {
    let ends = |low: Option<f64>, high: Option<f64>| Some([Number(low?), Number(high?)]);
    Some(Estimate {
        n: summary.n,
        mean: Number(summary.mean?),
        pi95: ends(summary.pi95_low, summary.pi95_high)?,
        ci95: ends(summary.ci95_low, summary.ci95_high),
    })
}

/// The metrics that have something to tell of any of these scenarios: what is nothing everywhere, and what other parts
/// of the report show, is left out.
pub(super) fn telling_metrics(scenarios: &[&[Outcome]]) -> Vec<&'static Metric> {
    let tells = |metric: &&Metric| {
        let is_part = metric.name.starts_with("failed_cause_") || metric.name.starts_with("failed_stage_");
        let has_value =
            |outcomes: &&[Outcome]| outcomes.iter().any(|o| metric.of(o).is_some_and(|v| v != 0.0));
        metric.name == "failed_count" || !is_part && scenarios.iter().any(has_value)
    };
    METRICS.iter().filter(tells).collect()
}

pub(super) fn metric_rows(metrics: &[&'static Metric], outcomes: &[Outcome]) -> Vec<MetricRow> {
    let row = |metric: &&'static Metric| MetricRow {
        name: metric.name,
        meaning: metric.meaning,
        unit: unit_name(metric.unit),
        estimate: estimate(&Summary::of_metric(metric, outcomes)),
    };
    metrics.iter().map(row).collect()
}

/// The mean of a count over runs; 0 without any.
pub(super) fn mean(outcomes: &[Outcome], count: impl Fn(&Outcome) -> u64) -> f64 {
    Summary::of(outcomes.iter().map(|outcome| Some(count(outcome) as f64))).mean.unwrap_or(0.0)
}

pub(super) fn by_cause(outcomes: &[Outcome]) -> Vec<NamedNumber> {
    let named = Cause::ALL.map(|cause| NamedNumber {
        name: cause.name(),
        label: cause_label(cause),
        value: Number(mean(outcomes, |o| o.failures.of_cause(cause))),
    });
    named.into_iter().filter(|named| named.value.0 > 0.0).collect()
}

pub(super) fn by_stage(outcomes: &[Outcome]) -> Vec<NamedNumber> {
    let named = Stage::ALL.map(|stage| NamedNumber {
        name: stage.name(),
        label: stage_label(stage),
        value: Number(mean(outcomes, |o| o.failures.of_stage(stage))),
    });
    named.into_iter().filter(|named| named.value.0 > 0.0).collect()
}

/// Failed requests of runs, at these shares of them.
pub(super) fn distribution(outcomes: &[Outcome]) -> Distribution {
    let mut shares = vec![0.0, 0.025];
    shares.extend((1..20).map(|twentieth| f64::from(twentieth) / 20.0));
    shares.extend([0.975, 1.0]);
    let failed = outcomes.iter().map(|outcome| outcome.failures.total() as f64);
    let quantiles = quantiles(failed, &shares).into_iter().map(Number).collect();
    Distribution { metric: "failed_count", shares, quantiles }
}

pub(super) fn objective(finding: &Finding) -> ObjectiveReport {
    ObjectiveReport {
        criterion: finding.objective.criterion.to_string(),
        about: finding.objective.about.clone(),
        origin: finding.objective.origin.clone(),
        met: finding.judgement.met,
        within_noise: finding.is_within_noise,
        words: finding_words(finding),
    }
}
