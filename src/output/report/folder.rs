//! The report of a results folder: what its tables and its manifest say, and what is played again for the rest.
//!
//! Where this program does not play what the tables have, as when another build wrote them, the tables are believed, and
//! nothing that was played again is shown beside them.

use super::document::{Certainty, Decision, DecisionVerdict, ReportDocument, ReportKind, ReportProvenance};
use super::fit::fit_closeups;
use super::sweep::{Swept, swept};
use super::tune::{expected, tuned};
use super::{REPORT_VERSION, RunsInput, report_of_runs};
use crate::experiment::axis::Axis;
use crate::experiment::design::{Point, Sweep};
use crate::experiment::file::Experiment;
use crate::experiment::objective::{Finding, Objective};
use crate::experiment::runner::{Cancelled, Progress, RunPlan};
use crate::experiment::tune::report::Report;
use crate::metrics::{Outcome, Series, Wanted, measure};
use crate::model::Model;
use crate::output::manifest::Manifest;
use crate::output::read::{ReadError, Results};
use crate::output::replay::{Replay, path_of, words};
use crate::output::terminal::plain;
use crate::output::tune_files::StoredTune;
use crate::output::{ScenarioResult, SecondTotal, Table, add_seconds, assumptions};
use crate::scenario::Document;
use crate::scenario::value_of;

/// Above the work of so many events nothing is played again to see when requests failed, about a minute on two cores.
const WORK_AGAIN: f64 = 3e9;
/// What a scenario with the recommended settings is called.
const RECOMMENDED: &str = "recommended";

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct FolderInput<'a> {
    /// The results.
    pub results: &'a Results,
    /// The command that makes the report again.
    pub command: String,
    /// How many incidents like the simulated one come in a year; `None` is [`super::INCIDENTS_PER_YEAR`].
    pub incidents_per_year: Option<f64>,
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// The results cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Somebody asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl From<Cancelled> for FolderError {
    fn from(_: Cancelled) -> Self {
        FolderError::Cancelled
    }
}

/// The report of a folder that `run --out`, `sweep` or `merge` wrote.
///
/// # Errors
/// If its files are not what was written, if it has no run, or if `progress` said to stop.
pub fn report_of_results(
    input: &FolderInput,
    progress: &dyn Progress,
) -> Result<ReportDocument, FolderError> {
    let replay = Replay::of(&input.results.manifest);
    if let Some(stored) = input.results.tune()? {
        let experiment = replay.and_then(|replay| replay.experiment(&input.results.manifest));
        let place = Origin::of(input);
        return Ok(report_of_tune(&place, &stored, experiment.as_ref().map_err(Clone::clone), progress)?);
    }
    match input.results.manifest.sweep {
        Some(_) => of_sweep(input, replay, progress),
        None => of_runs(input, replay, progress),
    }
}

/// Where a report comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The command that makes it again.
    pub command: String,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Runs of each thing that is named.
    pub runs: u64,
    /// How many incidents like the simulated one come in a year; `None` is [`super::INCIDENTS_PER_YEAR`].
    pub incidents_per_year: Option<f64>,
}

impl Origin {
    fn of(input: &FolderInput) -> Self {
        Origin {
            command: input.command.clone(),
            seed: input.results.manifest.seed,
            runs: input.results.manifest.runs,
            incidents_per_year: input.incidents_per_year,
        }
    }
}

/// The report of a search.
///
/// # Errors
/// If `progress` said to stop.
pub fn report_of_tune(
    origin: &Origin,
    stored: &StoredTune,
    experiment: Result<&Experiment, String>,
    progress: &dyn Progress,
) -> Result<ReportDocument, Cancelled> {
    let tuned = tuned(stored, experiment.as_ref().ok().copied());
    let sides = experiment.and_then(|experiment| Sides::of_tune(origin.seed, stored, experiment));
    let mut report = match sides {
        Ok(sides) => sides.report(origin, &tuned.question, progress)?,
        Err(why) => {
            let mut report = bare(origin, &tuned.question);
            report.left_out.push(not_replayed(&why));
            report
        }
    };
    if tuned.best.is_none() {
        report.decision.verdict = DecisionVerdict::CannotTell;
    }
    report.kind = ReportKind::Tune;
    report.title = plain(&tuned.question);
    report.decision.sentence.clone_from(&tuned.decision);
    report.provenance.simulated = tuned.simulated.clone();
    report.certainty.would_change.splice(0..0, tuned.certainty.iter().cloned());
    report.left_out.splice(0..0, tuned.left_out.iter().cloned());
    report.tune = Some(tuned);
    fit_closeups(&mut report);
    Ok(report)
}

/// Why nothing was played again, for whoever misses it.
fn not_replayed(why: &str) -> String {
    format!("Nothing was played again for this report, as {why}: it has what the tables have.")
}

const OTHER_NUMBERS: &str = "this build of the program plays other numbers than the tables have";

fn of_runs(
    input: &FolderInput,
    replay: Result<Replay, String>,
    progress: &dyn Progress,
) -> Result<ReportDocument, FolderError> {
    let FolderInput { results, .. } = *input;
    let Manifest { seed, first_run, runs: run_count, ref request, .. } = results.manifest;
    let runs = results.runs()?;
    results.check_runs(&runs)?;
    let replay = match replay {
        Ok(replay) => replay,
        Err(why) => return Err(results.not_again(&why).into()),
    };
    let played: Vec<(Vec<Outcome>, bool)> =
        (0..replay.models.len()).map(|nth| replay.outcomes(nth, &runs, &results.manifest)).collect();
    let plays_alike = played.iter().all(|(_, plays_alike)| *plays_alike);
    let outcomes: Vec<Vec<Outcome>> = played.into_iter().map(|(outcomes, _)| outcomes).collect();
    let wanted = Wanted { series: Series::Failures, ..Wanted::METRICS };
    let plan = RunPlan { seed, runs: first_run..first_run.saturating_add(run_count), wanted, path: None };
    let series = results.series()?;
    let mut seconds = Vec::new();
    for model in &replay.models {
        seconds.push(match &series {
            Some(table) => seconds_of(table, model),
            None if plays_alike => seconds_again(model, &plan, progress)?,
            None => Vec::new(),
        });
    }
    let findings = judge(&replay.objectives, &outcomes);
    let side = Side {
        documents: &replay.documents,
        models: &replay.models,
        outcomes: &outcomes,
        seconds: &seconds,
        findings: &findings,
        plays_alike,
    };
    let mut report = side.report(&Origin::of(input), &plan, &request.preface, progress)?;
    if !plays_alike {
        report.left_out.push(format!(
            "Nothing was played again for this report, as {OTHER_NUMBERS}: it has no close-ups of one run, does not say \
             which change saves what, and turns no assumption round."
        ));
    }
    Ok(report)
}

/// Scenarios with their runs, side by side.
struct Side<'a> {
    documents: &'a [Document],
    models: &'a [Model],
    outcomes: &'a [Vec<Outcome>],
    seconds: &'a [Vec<SecondTotal>],
    findings: &'a [Vec<Finding>],
    plays_alike: bool,
}

impl Side<'_> {
    fn report(
        &self,
        origin: &Origin,
        plan: &RunPlan,
        preface: &[String],
        progress: &dyn Progress,
    ) -> Result<ReportDocument, Cancelled> {
        let assumptions: Vec<_> = self.models.iter().map(assumptions).collect();
        let result = |nth: usize| ScenarioResult {
            model: &self.models[nth],
            path: path_of(&self.models[nth]),
            first_run: plan.runs.start,
            outcomes: &self.outcomes[nth],
            seconds: &self.seconds[nth],
            timeline: &[],
            assumptions: &assumptions[nth],
            findings: &self.findings[nth],
        };
        let results: Vec<ScenarioResult> = (0..self.models.len()).map(result).collect();
        let input = RunsInput {
            documents: self.documents,
            results: &results,
            plan,
            preface,
            command: origin.command.clone(),
            incidents_per_year: origin.incidents_per_year,
            plays_alike: self.plays_alike,
        };
        report_of_runs(&input, progress)
    }
}

/// What runs say of every scenario's objectives; the first scenario is the baseline.
fn judge(objectives: &[Vec<Objective>], outcomes: &[Vec<Outcome>]) -> Vec<Vec<Finding>> {
    let baseline = outcomes.first().map(Vec::as_slice);
    let judged = |(objectives, outcomes): (&Vec<Objective>, &Vec<Outcome>)| {
        objectives.iter().map(|objective| objective.judge(outcomes, baseline)).collect()
    };
    objectives.iter().zip(outcomes).map(judged).collect()
}

/// Failed requests by second, over all runs of a scenario.
fn seconds_of(series: &Table, model: &Model) -> Vec<SecondTotal> {
    let mut totals: Vec<SecondTotal> = Vec::new();
    for (row, scenario) in series.texts("scenario").iter().enumerate() {
        if scenario.as_deref() != Some(model.name.as_str()) {
            continue;
        }
        let (Some(second), Some(failed)) = (series.whole("second", row), series.whole("failed_count", row))
        else {
            continue;
        };
        // A run has no more seconds than the table has rows.
        let Some(second) = usize::try_from(second).ok().filter(|second| *second < series.row_count()) else {
            continue;
        };
        totals.resize(totals.len().max(second + 1), SecondTotal::default());
        totals[second].failed_count += failed;
    }
    totals
}

/// The same, played; none where that takes too long.
fn seconds_again(
    model: &Model,
    plan: &RunPlan,
    progress: &dyn Progress,
) -> Result<Vec<SecondTotal>, Cancelled> {
    let mut totals = Vec::new();
    if model.expected_events() * plan.count() as f64 <= WORK_AGAIN {
        let wanted = Wanted { series: Series::Failures, ..Wanted::COUNTS };
        let plan = RunPlan { wanted, ..plan.clone() };
        let mut outcomes = plan.play(std::slice::from_ref(model), progress)?.swap_remove(0);
        add_seconds(&mut totals, &mut outcomes);
    }
    Ok(totals)
}

fn of_sweep(
    input: &FolderInput,
    replay: Result<Replay, String>,
    progress: &dyn Progress,
) -> Result<ReportDocument, FolderError> {
    let FolderInput { results, .. } = *input;
    let experiment = replay.as_ref().map_err(String::clone).and_then(|replay| {
        let experiment = replay.experiment(&results.manifest)?;
        Ok((replay, experiment))
    });
    let swept = match &experiment {
        Ok((replay, experiment)) => {
            let is_random = replay.models.iter().any(Model::is_random);
            swept(results, Some(experiment), &replay.objectives, is_random)?
        }
        Err(_) => swept(results, None, &[], true)?,
    };
    results.check_points(&swept.report.points.point)?;
    let origin = Origin::of(input);
    let sides = experiment.and_then(|(replay, experiment)| sides(results, replay, &experiment, &swept));
    let mut report = match sides {
        Ok(sides) => sides.report(&origin, &swept.report.question, progress)?,
        Err(why) => {
            let mut report = bare(&origin, &swept.report.question);
            report.left_out.push(not_replayed(&why));
            report
        }
    };
    if swept.best_point.is_none() {
        report.decision.verdict = DecisionVerdict::CannotTell;
    }
    report.kind = ReportKind::Sweep;
    report.title = match swept.report.question.as_str() {
        "" => "Points of a sweep".to_owned(),
        question => plain(question),
    };
    report.decision.sentence.clone_from(&swept.report.decision);
    report.provenance.simulated = swept.report.simulated.clone();
    report.left_out.splice(0..0, swept.report.left_out.iter().cloned());
    report.sweep = Some(swept.report);
    fit_closeups(&mut report);
    Ok(report)
}

/// A scenario as it is written, and with the settings to take where they are others; both are played for the first page.
struct Sides {
    documents: Vec<Document>,
    models: Vec<Model>,
    objectives: Vec<Vec<Objective>>,
    runs: u64,
    seed: u64,
}

/// What the first page of a sweep is about, if this program plays what the tables have.
fn sides(
    results: &Results,
    replay: &Replay,
    experiment: &Experiment,
    swept: &Swept,
) -> Result<Sides, String> {
    let sweep = experiment.sweep.as_ref().ok_or("its experiment has no sweep")?;
    let layout = sweep.layout(&experiment.scenarios).map_err(words)?;
    let seed = results.manifest.seed;
    let shown = swept.shown_point;
    if shown >= layout.len() {
        return Err("its experiment has fewer points".to_owned());
    }
    let point = &sweep.point(&experiment.scenarios, &layout, shown);
    let model =
        sweep.document(&experiment.scenarios, point).and_then(|document| document.model()).map_err(words)?;
    let alike = |(run, lost): (u64, &f64)| {
        let outcome = measure(&model, seed, run, Wanted::COUNTS, None);
        (outcome.failures.total() + outcome.open_count) as f64 == *lost
    };
    const LOOKED_AT: usize = 3;
    if !(0..).zip(swept.shown_lost.iter().take(LOOKED_AT)).all(alike) {
        return Err(OTHER_NUMBERS.to_owned());
    }
    let mut sides = Sides {
        documents: vec![replay.documents[point.scenario].clone()],
        models: vec![replay.models[point.scenario].clone()],
        objectives: vec![replay.objectives[point.scenario].clone()],
        runs: swept.shown_lost.len() as u64,
        seed,
    };
    if swept.best_point.is_some() {
        sides.add(sweep, &experiment.scenarios, &decided(sweep, point, &swept.decided))?;
    }
    Ok(sides)
}

/// A point with the values on some axes only; on the others the scenario is as it is written.
fn decided(sweep: &Sweep, point: &Point, columns: &[String]) -> Point {
    let value = |(axis, value): (&Axis, &Option<toml::Value>)| {
        value.clone().filter(|_| columns.contains(&axis.column))
    };
    Point { values: sweep.axes.iter().zip(&point.values).map(value).collect(), ..point.clone() }
}

impl Sides {
    /// Adds the scenario with these settings, if they are not those that it has.
    fn add(&mut self, sweep: &Sweep, scenarios: &[Document], point: &Point) -> Result<(), String> {
        let mut document = sweep.document(scenarios, point).map_err(words)?;
        document.rename(RECOMMENDED.to_owned());
        let model = document.model().map_err(words)?;
        let same = Model { name: self.models[0].name.clone(), ..model.clone() };
        if same != self.models[0] {
            self.documents.push(document);
            self.models.push(model);
            self.objectives.push(self.objectives[0].clone());
        }
        Ok(())
    }

    /// A search's: the scenario that counts most.
    fn of_tune(seed: u64, stored: &StoredTune, experiment: &Experiment) -> Result<Self, String> {
        let report = &stored.report;
        let sweep = experiment.sweep.as_ref().ok_or("its experiment has no sweep")?;
        let weight = |document: &Document| {
            let own = report.mix.iter().find(|weighted| weighted.scenario == document.name());
            own.map_or(0.0, |weighted| weighted.weight)
        };
        let scenarios = &experiment.scenarios;
        let most = (0..scenarios.len())
            .rev()
            .max_by(|a, b| weight(&scenarios[*a]).total_cmp(&weight(&scenarios[*b])));
        let scenario = most.ok_or("its experiment has no scenario")?;
        let document = scenarios[scenario].clone();
        let model = document.model().map_err(words)?;
        let objectives = Objective::all_of(&document).map_err(words)?;
        let mut sides = Sides {
            documents: vec![document],
            models: vec![model],
            objectives: vec![objectives],
            runs: report.runs.max(1),
            seed,
        };
        if let Some(best) = &report.recommended {
            let value = |axis: &Axis| {
                let setting = best.settings.iter().find(|setting| setting.path == axis.path)?;
                Some(value_of(&setting.value)).filter(|_| axis.applies_to(&sides.documents[0]))
            };
            let values = sweep.axes.iter().map(value).collect();
            sides.add(sweep, scenarios, &Point { index: 0, scenario, values })?;
            sides.check(report)?;
        }
        Ok(sides)
    }

    /// Whether this program plays what a search found.
    fn check(&self, report: &Report) -> Result<(), String> {
        let (name, Some(model)) = (self.documents[0].name(), self.models.last()) else { return Ok(()) };
        let Some((target, value, runs)) = expected(report, name) else { return Ok(()) };
        let wanted = if target.metric.needs_latency() { Wanted::METRICS } else { Wanted::COUNTS };
        let plan = RunPlan { seed: self.seed, runs: 0..runs, wanted, path: None };
        let Ok(outcomes) = plan.play(std::slice::from_ref(model), &()) else { return Ok(()) };
        let found = target.of(&outcomes[0]).unwrap_or(f64::NAN);
        // Sums over a mix round another way.
        let is_alike = (found - value).abs() <= 1e-9 * value.abs().max(1.0);
        if is_alike { Ok(()) } else { Err(OTHER_NUMBERS.to_owned()) }
    }

    fn report(
        &self,
        origin: &Origin,
        question: &str,
        progress: &dyn Progress,
    ) -> Result<ReportDocument, Cancelled> {
        let wanted = Wanted { series: Series::Failures, ..Wanted::METRICS };
        let plan = RunPlan { seed: self.seed, runs: 0..self.runs, wanted, path: None };
        let mut outcomes = plan.play(&self.models, progress)?;
        let totals_of = |outcomes: &mut Vec<Outcome>| {
            let mut totals = Vec::new();
            add_seconds(&mut totals, outcomes);
            totals
        };
        let seconds: Vec<Vec<SecondTotal>> = outcomes.iter_mut().map(totals_of).collect();
        let findings = judge(&self.objectives, &outcomes);
        let side = Side {
            documents: &self.documents,
            models: &self.models,
            outcomes: &outcomes,
            seconds: &seconds,
            findings: &findings,
            plays_alike: true,
        };
        side.report(origin, &plan, &preface(question), progress)
    }
}

fn preface(question: &str) -> Vec<String> {
    if question.is_empty() { vec![] } else { vec![question.to_owned()] }
}

/// A report of which nothing is known but where it comes from.
fn bare(origin: &Origin, question: &str) -> ReportDocument {
    ReportDocument {
        report_version: REPORT_VERSION,
        kind: ReportKind::Sweep,
        title: String::new(),
        preface: preface(question),
        provenance: ReportProvenance {
            program: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            command: origin.command.clone(),
            seed: origin.seed,
            runs: origin.runs,
            first_run: 0,
            simulated: String::new(),
            ranges: super::RANGES.to_owned(),
        },
        prediction: super::prediction(false),
        decision: Decision {
            verdict: DecisionVerdict::CannotTell,
            sentence: String::new(),
            choice: None,
            baseline: String::new(),
            compared: None,
            changes: vec![],
            difference: None,
            not_compared: vec![],
        },
        numbers: vec![],
        budget: None,
        strips: None,
        waterfall: None,
        certainty: Certainty::default(),
        scenarios: vec![],
        settings: vec![],
        game_day: vec![],
        left_out: vec![],
        sweep: None,
        tune: None,
    }
}
