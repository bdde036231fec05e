//! `tune`: which settings on the axes of an experiment are best.

use super::Failure;
use super::settings::{check_settings, make_settings};
use crate::experiment::design::Sweep;
use crate::experiment::file::Experiment;
use crate::experiment::runner::{Progress, RunPlan};
use crate::experiment::tune::analysis::tune;
use crate::experiment::tune::field::Field;
use crate::experiment::tune::report::Report;
use crate::experiment::tune::space::Space;
use crate::experiment::tune::{Direction, Tune};
use crate::metrics::Wanted;
use crate::output::{ExperimentProvenance, Provenance, Request, ScenarioProvenance, TuneFolder};
use crate::scenario::Document;
use std::path::Path;

/// What is to be found, beside what the experiment says, and how.
#[derive(Debug, Clone)]
pub struct TuneOptions {
    /// The seed of all random numbers.
    pub seed: u64,
    /// Runs that whatever is named gets at least; `None` is what the experiment says.
    pub runs: Option<u64>,
    /// What should be small, instead of what the experiment says.
    pub minimize: Vec<String>,
    /// What should be large; looked at if nothing should be small.
    pub maximize: Vec<String>,
    /// What has to hold, instead of what the experiment says.
    pub subject_to: Vec<String>,
    /// Simulated runs in all, at least 1; `None` is what the experiment says, or as many as it takes.
    pub budget: Option<u64>,
    /// Settings of every scenario, each `path=value`.
    pub set: Vec<String>,
}

/// An experiment with a question that can be answered.
#[derive(Debug)]
pub struct TuneJob {
    experiment: Experiment,
    sweep: Sweep,
    question: Tune,
    runs: u64,
    options: TuneOptions,
    /// The numbers of the scenarios, those that count most first.
    order: Vec<usize>,
}

impl TuneJob {
    /// Makes the settings, and reads the options; `named` is what the user calls the experiment.
    ///
    /// # Errors
    /// If the experiment has no sweep, nobody has said what is to be found, or the options do not fit.
    pub fn new(mut experiment: Experiment, named: &Path, options: TuneOptions) -> Result<Self, Failure> {
        make_settings(&options.set, &mut experiment.scenarios)?;
        let Some(sweep) = experiment.sweep.clone() else {
            return Err(Failure::refused(
                format!("{} has no `[sweep]`", named.display()),
                "add one to its experiment.toml: its axes are what `tune` may change",
            ));
        };
        check_settings(&options.set, &sweep)?;
        let question = question(&experiment, &sweep, named, &options)?;
        let runs = options.runs.or(question.runs).unwrap_or(experiment.runs);
        let order = by_weight(&question.weights);
        Ok(TuneJob { experiment, sweep, question, runs, options, order })
    }

    /// What is tuned.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// Simulated runs in all, if there is a limit.
    pub fn budget(&self) -> Option<u64> {
        self.question.budget
    }

    fn space(&self) -> Space<'_> {
        Space { sweep: &self.sweep, scenarios: &self.experiment.scenarios }
    }

    /// Takes a folder for the answer.
    ///
    /// # Errors
    /// If a file exists and `force` is not given, or cannot be created.
    pub fn open(&self, out: &Path, force: bool) -> Result<TuneFolder, Failure> {
        let names: Vec<&str> = self.order.iter().map(|nth| self.experiment.scenarios[*nth].name()).collect();
        Ok(TuneFolder::create(out, force, &names)?)
    }

    /// Finds the answer, on all threads of the pool that it is called in.
    ///
    /// # Errors
    /// If no candidate is a valid scenario, meets what has to hold, or can be played, or `progress` said to stop.
    pub fn play(&self, progress: &dyn Progress) -> Result<Report, Failure> {
        let latency = self.question.targets().any(|target| target.metric.needs_latency());
        let wanted = if latency { Wanted::METRICS } else { Wanted::COUNTS };
        let plan = RunPlan { seed: self.options.seed, runs: 0..0, wanted, path: None };
        let field = Field::new(self.space(), &self.question, &plan, progress);
        let report = tune(field, self.runs, &self.experiment.question, plan.seed)?;
        if progress.is_cancelled() {
            return Err(Failure::interrupted());
        }
        Ok(report)
    }

    /// The scenarios with the recommended settings, those that count most first; none if nothing is recommended.
    ///
    /// # Errors
    /// If a value cannot be set.
    pub fn best(&self, report: &Report) -> Result<Vec<Document>, Failure> {
        let Some(choice) = &report.recommended else { return Ok(Vec::new()) };
        let space = self.space();
        let document = |scenario: &usize| Ok(space.document(*scenario, &choice.values)?);
        self.order.iter().map(document).collect()
    }

    /// Writes the answer; `command` is what the manifest says of how it was asked for.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn write(&self, folder: TuneFolder, report: &Report, command: Vec<String>) -> Result<(), Failure> {
        let text = |document: &Document| (document.name().to_owned(), document.standalone());
        let best: Vec<_> = self.best(report)?.iter().map(text).collect();
        let provenance = Provenance {
            command,
            runs: report.runs,
            request: Request {
                set: self.options.set.clone(),
                preface: vec![self.experiment.question.clone()],
                experiment: Some(ExperimentProvenance::of(&self.experiment)),
                ..Request::default()
            },
            scenarios: self.experiment.scenarios.iter().map(ScenarioProvenance::of).collect(),
            sweep: None,
        };
        folder.finish(report, &best, provenance)?;
        Ok(())
    }
}

/// What is to be found: what the experiment says, and over it what the options say.
fn question(
    experiment: &Experiment,
    sweep: &Sweep,
    named: &Path,
    options: &TuneOptions,
) -> Result<Tune, Failure> {
    let scenarios = &experiment.scenarios;
    let mut tune = experiment.tune.clone().unwrap_or_else(|| Tune::of_scenarios(scenarios.len()));
    let goal = match (options.minimize.as_slice(), options.maximize.as_slice()) {
        ([], []) => None,
        ([], texts) => Some((Direction::Maximize, texts)),
        (texts, _) => Some((Direction::Minimize, texts)),
    };
    tune.override_by(goal, &options.subject_to, scenarios, sweep)?;
    tune.budget = options.budget.or(tune.budget);
    if tune.goal.is_none() {
        let has_file = experiment.tune.is_some();
        let lacks = if has_file { "neither `minimize` nor `maximize`" } else { "no `[tune]`" };
        return Err(Failure::refused(
            format!("{} has {lacks}", named.display()),
            "say what is to be found: minimize = \"failed_count\" in it, or `--minimize failed_count`",
        ));
    }
    Ok(tune)
}

/// The numbers of the scenarios, those that count most first.
fn by_weight(weights: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    order
}
