//! The document that `run --format json` prints.

use super::ScenarioResult;
use super::events::EventLine;
use super::manifest::SCHEMA_VERSION;
use crate::engine::{Cause, Stage};
use crate::experiment::baseline::Difference;
use crate::experiment::criterion::Target;
use crate::experiment::statistics::{Interval, Statistic, Summary};
use crate::metrics::{METRICS, Metric, Outcome, Verdict};
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
    /// The point of a sweep that the only scenario is; null if it is none.
    pub point: Option<PointDocument>,
    /// In the order given.
    pub scenarios: Vec<ScenarioDocument>,
    /// What was asked of the scenarios, in their order.
    pub objectives: Vec<ObjectiveDocument>,
}

/// A point of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointDocument {
    /// As the column `point` of the sweep's tables has it.
    pub number: usize,
    /// What it sets, by path, as the experiment has it: `case` for a named case.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// What was asked of one scenario, and whether it holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObjectiveDocument {
    /// As it was written.
    pub criterion: String,
    /// Why, in words.
    pub about: Option<String>,
    /// Where it was written: `--gate`, or a file and line.
    pub origin: String,
    /// The scenario's name.
    pub scenario: String,
    /// What was found; null if there is nothing to be found, which meets no criterion.
    pub value: Option<f64>,
    /// The 95% confidence interval of the value; null with too few runs.
    pub ci95: Option<Interval>,
    /// What it is compared with; null if it is relative to a baseline that has no value.
    pub bound: Option<f64>,
    /// Whether the criterion holds.
    pub met: bool,
    /// Whether other runs may have it the other way.
    pub within_noise: bool,
    /// Runs in which the metric has a value.
    pub n: u64,
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
    pub metrics: ByName<MetricDocument>,
    /// What each metric differs by from the first scenario, run by run; null for the first.
    pub difference_to_baseline: Option<ByName<DifferenceDocument>>,
    /// Failed requests of a run by cause, on average.
    pub failed_by_cause: ByName<Option<f64>>,
    /// The same by stage.
    pub failed_by_stage: ByName<Option<f64>>,
    /// What happened in the run that is shown.
    pub timeline: Vec<EventLine>,
    /// What the result rests on.
    pub assumptions: Vec<String>,
}

/// One metric over the runs of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricDocument {
    /// What the runs say.
    #[serde(flatten)]
    pub summary: Summary,
    /// The 95% confidence interval of the median; null below six runs.
    pub p50_ci95: Option<Interval>,
    /// The same of the 95th percentile; null below 72 runs.
    pub p95_ci95: Option<Interval>,
}

/// What one metric differs by from the baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DifferenceDocument {
    /// The differences of runs.
    #[serde(flatten)]
    pub metric: MetricDocument,
    /// The interval of the mean that holds for all compared scenarios at once; null below two runs.
    pub corrected_ci95: Option<Interval>,
    /// The paired t-test's, with Holm's correction over the compared scenarios; null below two runs.
    pub corrected_p_value: Option<f64>,
    /// Whether the mean differs by more than noise, at 5%; null below two runs.
    pub differs: Option<bool>,
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
pub fn document(
    seed: u64,
    runs: u64,
    point: Option<PointDocument>,
    scenarios: &[ScenarioResult],
) -> Document {
    let outcomes: Vec<&[Outcome]> = scenarios.iter().map(|scenario| scenario.outcomes).collect();
    let differences = differences(&outcomes);
    Document {
        schema_version: SCHEMA_VERSION,
        seed,
        first_run: scenarios.first().map_or(0, |scenario| scenario.first_run),
        runs,
        point,
        objectives: scenarios.iter().flat_map(objectives).collect(),
        scenarios: scenarios
            .iter()
            .zip(differences)
            .map(|(s, difference)| of_scenario(s, difference))
            .collect(),
    }
}

fn objectives(scenario: &ScenarioResult) -> impl Iterator<Item = ObjectiveDocument> {
    scenario.findings.iter().map(|finding| ObjectiveDocument {
        criterion: finding.objective.criterion.to_string(),
        about: finding.objective.about.clone(),
        origin: finding.objective.origin.clone(),
        scenario: scenario.model.name.clone(),
        value: finding.judgement.value,
        ci95: finding.interval,
        bound: finding.judgement.bound,
        met: finding.judgement.met,
        within_noise: finding.is_within_noise,
        n: finding.valued_run_count,
    })
}

/// What every scenario differs by from the first, which has no differences itself.
fn differences(outcomes: &[&[Outcome]]) -> Vec<Option<ByName<DifferenceDocument>>> {
    let Some((baseline, compared)) = outcomes.split_first() else { return vec![] };
    let mut documents = vec![ByName(vec![]); compared.len()];
    for metric in METRICS {
        let found = Difference::of_all(metric, compared, baseline);
        for (document, difference) in documents.iter_mut().zip(found) {
            document.0.push((metric.name, DifferenceDocument::of(&difference)));
        }
    }
    std::iter::once(None).chain(documents.into_iter().map(Some)).collect()
}

impl DifferenceDocument {
    fn of(difference: &Difference) -> Self {
        let Difference { summary, p50, p95, .. } = *difference;
        DifferenceDocument {
            metric: MetricDocument { summary, p50_ci95: p50, p95_ci95: p95 },
            corrected_ci95: difference.interval,
            corrected_p_value: difference.p_value,
            differs: difference.is_significant(),
        }
    }
}

impl MetricDocument {
    pub(super) fn of(metric: &'static Metric, outcomes: &[Outcome]) -> Self {
        let interval = |statistic| Target { metric, statistic }.interval(outcomes);
        MetricDocument {
            summary: Summary::of_metric(metric, outcomes),
            p50_ci95: interval(Statistic::P50),
            p95_ci95: interval(Statistic::P95),
        }
    }
}

fn of_scenario(
    scenario: &ScenarioResult,
    difference_to_baseline: Option<ByName<DifferenceDocument>>,
) -> ScenarioDocument {
    let ScenarioResult { model, path, outcomes, timeline, assumptions, .. } = *scenario;
    let metrics = METRICS.iter().map(|metric| (metric.name, MetricDocument::of(metric, outcomes)));
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
        difference_to_baseline,
        failed_by_cause: ByName(by_cause.into()),
        failed_by_stage: ByName(by_stage.into()),
        timeline: timeline.iter().map(|entry| EventLine::of_timeline(model, entry)).collect(),
        assumptions: assumptions.to_vec(),
    }
}
