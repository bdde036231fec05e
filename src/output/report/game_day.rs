//! The game-day sheet: what to inject in staging, and what to see there if the prediction is right.

use super::certainty::FEW_RUNS;
use super::decision::amount;
use super::document::{Drill, DrillStep, Estimate, Expectation};
use super::fault_words::{fault_words, how_to};
use super::number::{Moment, Number};
use super::scenario::{estimate, mean};
use super::words::{digits, span, unit_name};
use crate::experiment::statistics::Summary;
use crate::metrics::{Unit, metric};
use crate::model::{Fault, Model};
use crate::output::ScenarioResult;
use crate::output::terminal::{plain, thousands};

/// What a drill shows, by metric, and how it is called.
const EXPECTED: [(&str, &str); 6] = [
    (
        "time_to_detect_ms",
        "time from the first fault's start until every replica has ejected a provider that it hits",
    ),
    ("time_to_recover_ms", "time from its end until what was ejected is back everywhere"),
    ("failed_count", "failed requests"),
    ("request_latency_ms_p95", "95th percentile of latency of what succeeds"),
    ("false_ejection_count", "ejections with no fault there"),
    ("time_to_page_ms", "time from the first fault's start until a pager rings"),
];

/// The drill that puts a scenario's prediction to the test; `None` if no fault of it is fixed.
pub(super) fn drill(result: &ScenarioResult) -> Option<Drill> {
    let model = result.model;
    if model.faults.is_empty() || result.outcomes.is_empty() {
        return None;
    }
    let a_second = model.expected_requests() / model.duration.as_secs_f64();
    let requests = thousands(mean(result.outcomes, |o| o.request_count));
    let scale = match is_proportional(model) {
        true => " With a tenth of it a tenth of the requests should fail, at the same times.",
        false => {
            " Quotas, capacities and what detectors count do not scale: with another load, simulate that."
        }
    };
    let expect: Vec<Expectation> =
        EXPECTED.iter().filter_map(|(name, what)| expectation(result, name, what)).collect();
    Some(Drill {
        scenario: model.name.clone(),
        steps: model.faults.iter().map(|fault| step(model, fault)).collect(),
        load: format!(
            "{} requests a second for {}, {requests} in all.{scale}",
            digits(a_second),
            span(model.duration)
        ),
        refuted_by: refuted_by(&expect, model.is_random() && result.outcomes.len() as u64 >= FEW_RUNS),
        expect,
    })
}

fn step(model: &Model, fault: &Fault) -> DrillStep {
    let whom: Vec<String> = fault.providers.iter().map(|id| plain(&model.provider(*id).name)).collect();
    let usual = fault.providers.first().map(|id| model.provider(*id).latency.mean()).unwrap_or_default();
    let how = [
        how_to(fault.requests, "requests", fault.fraction, usual),
        how_to(fault.probes, "probes", fault.probe_fraction, usual)
            .filter(|_| model.gateway.health_check.is_some()),
    ];
    DrillStep {
        fault: fault.name.clone(),
        start_s: Moment(fault.start),
        lasts_s: Number(fault.end.since(fault.start).as_secs_f64()),
        inject: format!(
            "At {}, for {}: {}.",
            whom.join(", "),
            span(fault.end.since(fault.start)),
            fault_words(fault)
        ),
        how: how.into_iter().flatten().collect(),
    }
}

/// Whether half of the load is half of everything: nothing is counted, or full.
fn is_proportional(model: &Model) -> bool {
    let gateway = &model.gateway;
    gateway.detectors.is_empty()
        && gateway.limit.is_none()
        && gateway.cache.is_none()
        && model.quotas.is_empty()
        && model.alerts().is_empty()
        && model.providers.iter().all(|provider| provider.capacity.is_none())
        && !matches!(model.traffic.arrivals, crate::model::Arrivals::Users(_))
}

fn expectation(result: &ScenarioResult, name: &str, what: &str) -> Option<Expectation> {
    let model = result.model;
    let metric = metric(name).expect("the metric exists");
    let has_detectors = model.gateway.health_check.is_some() || !model.gateway.detectors.is_empty();
    let applies = match name {
        "time_to_detect_ms" | "time_to_recover_ms" | "false_ejection_count" => has_detectors,
        "time_to_page_ms" => !model.alerts().is_empty(),
        _ => true,
    };
    if !applies {
        return None;
    }
    let estimate = estimate(&Summary::of_metric(metric, result.outcomes));
    let words = match &estimate {
        None => "never".to_owned(),
        Some(estimate) => in_words(metric.unit, estimate, result.outcomes.len() as u64),
    };
    Some(Expectation { what: what.to_owned(), unit: unit_name(metric.unit), estimate, words })
}

fn in_words(unit: Unit, estimate: &Estimate, runs: u64) -> String {
    let shown = |value: Number| match unit {
        Unit::Milliseconds if value.0 >= 1000.0 => format!("{} s", digits(value.0 / 1000.0)),
        Unit::Milliseconds => format!("{} ms", digits(value.0)),
        _ => amount(value.0),
    };
    let [low, high] = estimate.pi95.map(shown);
    let mut words = if low == high { low } else { format!("{low} to {high}") };
    if estimate.n < runs {
        words.push_str(&format!(", in {} of {} runs", thousands(estimate.n as f64), thousands(runs as f64)));
    }
    words
}

/// What would show a prediction wrong; ranges of many runs say how often chance does, too.
fn refuted_by(expect: &[Expectation], has_many_runs: bool) -> Vec<String> {
    let mut words: Vec<String> = vec![];
    for expectation in expect {
        words.push(match &expectation.estimate {
            None => format!("it happens at all: {}", expectation.what),
            Some(_) if expectation.words == "0" => format!("any of these: {}", expectation.what),
            Some(estimate) if estimate.pi95[0] == estimate.pi95[1] => {
                format!("{} clearly off {}", expectation.what, expectation.words)
            }
            Some(_) => format!("{} outside of {}", expectation.what, expectation.words),
        });
    }
    if has_many_runs {
        words.push(
            "any one number is outside of its range by chance once in twenty drills: twice in a row is no chance"
                .to_owned(),
        );
    }
    words
}
