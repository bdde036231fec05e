//! The document that `run --format json` prints.

use super::ScenarioResult;
use super::events::EventLine;
use super::manifest::SCHEMA_VERSION;
use crate::engine::{Cause, Stage};
use crate::experiment::statistics::Summary;
use crate::metrics::{METRICS, Outcome, Verdict};
use serde::{Serialize, Serializer};

/// The document of a command; the first scenario is the baseline of the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// Grows when a reader could break.
    pub schema_version: u32,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The number of the first run, whose timeline is shown.
    pub first_run: u64,
    /// Runs of each scenario.
    pub runs: u64,
    /// In the order given.
    pub scenarios: Vec<ScenarioDocument>,
}

/// One scenario's part of the document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScenarioDocument {
    /// The scenario's name.
    pub name: String,
    /// What it says it is about.
    pub about: Option<String>,
    /// Its runs.
    pub runs: u64,
    /// The engine's path.
    pub path: &'static str,
    /// Whether all runs are equal.
    pub nothing_random: bool,
    /// The commonest verdict of its runs, of several the worst; null if no run has one.
    pub verdict: Option<&'static str>,
    /// How many runs have each verdict.
    pub runs_by_verdict: ByName<u64>,
    /// Every metric over the runs.
    pub metrics: ByName<Summary>,
    /// What each metric differs by from the first scenario, run by run; null for the first.
    pub difference_to_baseline: Option<ByName<Summary>>,
    /// Failed requests of a run by cause, on average.
    pub failed_by_cause: ByName<Option<f64>>,
    /// The same by stage.
    pub failed_by_stage: ByName<Option<f64>>,
    /// What happened in the run that is shown.
    pub timeline: Vec<EventLine>,
    /// What the result rests on.
    pub assumptions: Vec<String>,
}

/// An object with keys in a fixed order.
#[derive(Debug, Clone, PartialEq)]
pub struct ByName<T>(pub Vec<(&'static str, T)>);

impl<T: Serialize> Serialize for ByName<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The document for scenarios that were played side by side, with the same runs.
pub fn document(seed: u64, runs: u64, scenarios: &[ScenarioResult]) -> Document {
    let baseline = scenarios.first();
    let part = |(nth, scenario): (usize, &ScenarioResult)| {
        let baseline = baseline.filter(|_| nth > 0);
        of_scenario(scenario, baseline.map(|b| b.outcomes))
    };
    Document {
        schema_version: SCHEMA_VERSION,
        seed,
        first_run: baseline.map_or(0, |scenario| scenario.first_run),
        runs,
        scenarios: scenarios.iter().enumerate().map(part).collect(),
    }
}

fn of_scenario(scenario: &ScenarioResult, baseline: Option<&[Outcome]>) -> ScenarioDocument {
    let ScenarioResult { model, path, outcomes, timeline, assumptions, .. } = *scenario;
    let metrics = METRICS.iter().map(|metric| (metric.name, Summary::of_metric(metric, outcomes)));
    let differences = |baseline| {
        let difference = METRICS.iter().map(|m| (m.name, Summary::of_difference(m, outcomes, baseline)));
        ByName(difference.collect())
    };
    let mean =
        |count: &dyn Fn(&Outcome) -> u64| Summary::of(outcomes.iter().map(|o| Some(count(o) as f64))).mean;
    let verdicts = outcomes.iter().map(Outcome::verdict);
    let by_cause = Cause::ALL.map(|cause| (cause.name(), mean(&|o| o.failures.of_cause(cause))));
    let by_stage = Stage::ALL.map(|stage| (stage.name(), mean(&|o| o.failures.of_stage(stage))));
    ScenarioDocument {
        name: model.name.clone(),
        about: model.about.clone(),
        runs: outcomes.len() as u64,
        path: path.name(),
        nothing_random: !model.is_random(),
        verdict: Verdict::commonest(verdicts.clone()).map(Verdict::name),
        runs_by_verdict: ByName(
            Verdict::ALL.map(Verdict::name).into_iter().zip(Verdict::count(verdicts)).collect(),
        ),
        metrics: ByName(metrics.collect()),
        difference_to_baseline: baseline.map(differences),
        failed_by_cause: ByName(by_cause.into()),
        failed_by_stage: ByName(by_stage.into()),
        timeline: timeline.iter().map(|entry| EventLine::of_timeline(model, entry)).collect(),
        assumptions: assumptions.to_vec(),
    }
}
