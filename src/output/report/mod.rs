//! The HTML report: one file that people forward.
//!
//! [`ReportDocument`] is all that it shows, as plain data; [`html`] puts it into a page that draws it.

mod candidates;
mod certainty;
mod challenge;
pub(crate) mod closeup;
mod decision;
mod document;
pub(crate) mod fault_words;
mod fit;
mod folder;
mod game_day;
mod html;
mod number;
mod numbers;
mod points;
mod scenario;
mod settings;
mod strips;
mod sweep;
mod tune;
mod waterfall;
mod words;
mod years;

pub use document::*;
pub use folder::{FolderError, FolderInput, Origin, report_of_results, report_of_tune};
pub use html::html;
pub use number::{Moment, Number};
pub use numbers::INCIDENTS_PER_YEAR;
pub use points::{AxisPoints, AxisReport, Column, Counts, EstimateColumns, Estimates, MetricReport};
pub use sweep::{Knee, PointsReport, SettingValue, SweepReport, SweptObjective};
pub use tune::{CandidatesReport, ConstraintColumns, GoalReport, TuneReport};

use super::ScenarioResult;
use super::terminal::{plain, thousands};
use crate::experiment::runner::{Cancelled, Progress, RunPlan};
use crate::metrics::Outcome;
use crate::scenario::Document;
use numbers::Pair;

/// A page that is sent around has no room for more close-ups.
const CLOSEUPS: usize = 16;

/// What the ranges of a report are.
const RANGES: &str = "Ranges are those in which 95% of runs fall; intervals (95% CI) are of means, by Student's t, and for \
    differences paired run by run; several at once are corrected (Bonferroni).";

/// Scenarios that were played side by side, with the same runs.
#[derive(Debug, Clone)]
pub struct RunsInput<'a> {
    /// The scenarios; the first is the baseline.
    pub documents: &'a [Document],
    /// What came of each of them.
    pub results: &'a [ScenarioResult<'a>],
    /// How they were played.
    pub plan: &'a RunPlan,
    /// What an experiment asks, and which point of a sweep it is; a paragraph each.
    pub preface: &'a [String],
    /// The command that makes the report again.
    pub command: String,
    /// How many incidents like the simulated one come in a year; `None` is [`INCIDENTS_PER_YEAR`].
    pub incidents_per_year: Option<f64>,
    /// Whether this program plays the numbers that the results have: nothing is played beside those of another build.
    pub plays_alike: bool,
}

/// The report of scenarios that were played side by side.
///
/// Some more runs are played for it: one of each scenario to look at closely, and some of the steps between two.
///
/// # Errors
/// If `progress` said to stop.
pub fn report_of_runs(input: &RunsInput, progress: &dyn Progress) -> Result<ReportDocument, Cancelled> {
    let RunsInput { documents, results, plan, .. } = *input;
    let rows = settings::differing(documents);
    let changes: Vec<settings::Changes> =
        documents.iter().map(|document| settings::Changes::between(&documents[0], document)).collect();
    let (mut decision, sides) = decision::decide(results, &changes);
    let pair = Pair {
        baseline: &results[0],
        compared: sides.compared.map(|nth| &results[nth]),
        plays_alike: input.plays_alike,
        family: results.len() - 1,
    };
    let shown: Vec<&ScenarioResult> = std::iter::once(pair.baseline).chain(pair.compared).collect();
    let numbers = numbers::headlines(&pair, decision.difference.clone(), plan, input.incidents_per_year);
    let cost = numbers.iter().find(|number| number.key == "cost_in_year");
    let gap = cost.and_then(|cost| cost.difference.as_ref()).filter(|gap| gap.may_be_chance == Some(false));
    if let (Some(compared), Some(gap)) = (pair.compared, gap) {
        let name = plain(&compared.model.name);
        decision.sentence.push_str(&format!(" In a year {name} costs {}.", gap.words));
    }
    let (from, to) = (&documents[0], sides.compared.map(|nth| &documents[nth]));
    let of_compared = sides.compared.map(|nth| &changes[nth]);
    let waterfall = Some(waterfall::waterfall(&pair, (from, to), of_compared, plan, progress)?);
    let both: Vec<&Document> = std::iter::once(from).chain(to).collect();
    let certainty = certainty::certainty(&pair, &both, &decision, plan, progress)?;
    let game_day: Vec<Drill> = shown.iter().filter_map(|result| game_day::drill(result)).collect();
    let all: Vec<&[Outcome]> = results.iter().map(|result| result.outcomes).collect();
    let metrics = scenario::telling_metrics(&all);
    let (mut scenarios, mut left_out) = (vec![], vec![]);
    for (nth, (result, document)) in results.iter().zip(documents).enumerate() {
        if progress.is_cancelled() {
            return Err(Cancelled);
        }
        let model = result.model;
        let has_closeup = input.plays_alike && (nth < CLOSEUPS || Some(nth) == sides.compared);
        let closeup = has_closeup.then(|| {
            let (closeup, cut) = closeup::closeup(model, plan.seed, plan.runs.start);
            left_out.extend(cut);
            closeup
        });
        scenarios.push(ScenarioReport {
            name: model.name.clone(),
            path: document.path().to_owned(),
            about: model.about.clone(),
            role: match nth {
                0 => "baseline",
                nth if Some(nth) == sides.compared => "compared",
                _ => "other",
            },
            is_choice: Some(nth) == sides.choice,
            nothing_random: !model.is_random(),
            verdict: crate::metrics::Verdict::commonest(result.outcomes.iter().map(Outcome::verdict))
                .map(crate::metrics::Verdict::name),
            objectives: result.findings.iter().map(scenario::objective).collect(),
            metrics: scenario::metric_rows(&metrics, result.outcomes),
            difference: decision::gap(results, "failed_count", nth),
            failed_by_cause: scenario::by_cause(result.outcomes),
            failed_by_stage: scenario::by_stage(result.outcomes),
            distribution: scenario::distribution(result.outcomes),
            assumptions: result.assumptions.to_vec(),
            closeup,
        });
    }
    let without = scenarios.iter().filter(|scenario| scenario.closeup.is_none()).count();
    if without > 0 && input.plays_alike {
        left_out
            .push(format!("close-ups of {without} scenarios: run fewer of them side by side to see them"));
    }
    let mut report = ReportDocument {
        report_version: REPORT_VERSION,
        kind: ReportKind::Run,
        title: title(results),
        preface: input.preface.to_vec(),
        provenance: provenance(input),
        prediction: prediction(!game_day.is_empty()),
        decision,
        numbers,
        budget: numbers::budget(&pair),
        strips: strips::strips(&shown),
        waterfall,
        certainty,
        scenarios,
        settings: rows,
        game_day,
        left_out,
        sweep: None,
        tune: None,
    };
    fit::fit_closeups(&mut report);
    Ok(report)
}

fn prediction(has_drill: bool) -> String {
    let test = if has_drill { " The game day below says how to put it to the test." } else { "" };
    format!(
        "This is the prediction of a simulation, and not a measurement: it holds as far as its assumptions do.{test}"
    )
}

fn title(results: &[ScenarioResult]) -> String {
    match results {
        [only] => plain(&only.model.name),
        [baseline, other] => format!("{} against {}", plain(&other.model.name), plain(&baseline.model.name)),
        several => format!("{} scenarios against {}", several.len() - 1, plain(&several[0].model.name)),
    }
}

fn provenance(input: &RunsInput) -> ReportProvenance {
    let RunsInput { results, plan, .. } = *input;
    let runs = thousands(plan.count() as f64);
    let model = results[0].model;
    let requests = thousands(scenario::mean(results[0].outcomes, |o| o.request_count));
    let scenarios = match results.len() {
        1 => "one scenario".to_owned(),
        n => format!("{} scenarios with the same random numbers", thousands(n as f64)),
    };
    ReportProvenance {
        program: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        command: input.command.clone(),
        seed: plan.seed,
        runs: plan.count(),
        first_run: plan.runs.start,
        simulated: format!(
            "Simulated: {scenarios}, {runs} runs of each; the first lasts {} and has {requests} requests.",
            words::span(model.duration)
        ),
        ranges: RANGES.to_owned(),
    }
}
