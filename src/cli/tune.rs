//! `tune`: which settings on the axes of an experiment are best.

use super::again::CommandLine;
use super::page::PageArgs;
use super::print::{Format, PrintArgs, print_out, screen};
use super::{Failure, PlayArgs};
use crate::experiment::design::Sweep;
use crate::experiment::file::Experiment;
use crate::experiment::runner::RunPlan;
use crate::experiment::tune::analysis::tune;
use crate::experiment::tune::field::{Field, TuneError};
use crate::experiment::tune::report::Report;
use crate::experiment::tune::space::Space;
use crate::experiment::tune::{Direction, Tune};
use crate::metrics::Wanted;
use crate::output::report::{Origin, report_of_tune};
use crate::output::{
    ExperimentProvenance, Provenance, Request, ScenarioProvenance, StoredTune, TuneFolder, tune_csv,
    tune_json, tune_summary,
};
use crate::scenario::{Document, Loader};
use std::path::PathBuf;

/// Find the best settings on the axes of an experiment
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  failover-sim tune experiments/09_tune_health_check
  failover-sim tune experiments/09_tune_health_check --out results/tuned
  failover-sim tune experiments/09_tune_health_check \\
    --maximize gateway.health_check.interval --subject-to \"failed_count.p95 <= 1000\"")]
pub struct TuneArgs {
    /// An experiment folder with a `[sweep]` in its experiment.toml, and a `[tune]`
    experiment: PathBuf,
    #[command(flatten)]
    play: PlayArgs,
    /// What should be small, instead of what the experiment says: a metric, or the path of an axis; may be given again
    #[arg(long, value_name = "METRIC", conflicts_with = "maximize")]
    minimize: Vec<String>,
    /// What should be large
    #[arg(long, value_name = "METRIC|PATH")]
    maximize: Vec<String>,
    /// What has to hold, instead of what the experiment says: `failed_count.p95 <= 1000`; may be given again
    #[arg(long, value_name = "CRITERION")]
    subject_to: Vec<String>,
    /// How many runs may be simulated in all; without it, what the experiment says, or as many as it takes
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::whole::<1, { u64::MAX }>)]
    budget: Option<u64>,
    #[command(flatten)]
    page: PageArgs,
    /// Write a table of all candidates, and best.toml, into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    print: PrintArgs,
}

impl TuneArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let format = self.print.format("tune", &[Format::Json, Format::Csv])?;
        let mut experiment = Experiment::open(&self.experiment, &mut Loader::new())?;
        self.play.make_settings(&mut experiment.scenarios)?;
        let Some(sweep) = &experiment.sweep else {
            return Err(Failure::refused(
                format!("{} has no `[sweep]`", self.experiment.display()),
                "add one to its experiment.toml: its axes are what `tune` may change",
            ));
        };
        self.play.check_settings(sweep)?;
        let question = self.question(experiment.tune.clone(), &experiment.scenarios, sweep)?;
        let runs = self.play.runs.or(question.runs).unwrap_or(experiment.runs);
        let latency = question.targets().any(|target| target.metric.needs_latency());
        let wanted = if latency { Wanted::METRICS } else { Wanted::COUNTS };
        let plan = RunPlan { seed: self.play.seed, runs: 0..0, wanted, path: None };
        let space = Space { sweep, scenarios: &experiment.scenarios };
        // Files are opened first: what cannot be written should fail before the work, not after it.
        let order = by_weight(&question.weights);
        let names: Vec<&str> = order.iter().map(|nth| experiment.scenarios[*nth].name()).collect();
        let folder = self.out.as_deref().map(|out| TuneFolder::create(out, self.play.force, &names));
        let folder = folder.transpose()?;
        let page = self.page.open(self.out.as_deref(), self.play.force)?;
        if folder.is_some() {
            self.print.note_missing_parquet();
        }

        self.play.start_threads();
        let bar = self.print.bar(question.budget.unwrap_or(0), 0)?;
        let field = Field::new(space, &question, &plan, &bar);
        let report = tune(field, runs, &experiment.question, plan.seed)?;
        bar.check()?;
        bar.finish();
        if let Some(folder) = folder {
            let settings = report.recommended.as_ref().map(|choice| choice.values.as_slice());
            let best = settings.map(|values| scenarios(space, values, &order));
            let provenance = self.provenance(&experiment, report.runs);
            folder.finish(&report, &best.transpose()?.unwrap_or_default(), provenance)?;
        }
        let printed = match format {
            Format::Json => print_out(&tune_json(&report)),
            Format::Csv => print_out(&tune_csv(&report)),
            _ => self.print.summary(&tune_summary(&report, self.out.as_deref(), screen())),
        };
        // A report takes some more runs: what the search found is not lost with it.
        if let Some(page) = page {
            let stored = StoredTune::of(&report);
            page.write(&report_of_tune(&self.origin(&report), &stored, Ok(&experiment), &bar)?)?;
        }
        printed
    }

    /// The command that makes the report again, wherever its results go.
    fn origin(&self, report: &Report) -> Origin {
        let line = CommandLine::new("tune").word(&self.experiment.to_string_lossy()).play(&self.play);
        let all = |line: CommandLine, name: &str, values: &[String]| {
            values.iter().fold(line, |line, value| line.option(name, Some(value)))
        };
        let line = all(line, "--minimize", &self.minimize);
        let line = all(line, "--maximize", &self.maximize);
        let line = all(line, "--subject-to", &self.subject_to).option("--budget", self.budget);
        Origin {
            command: self.page.again(line).text(),
            seed: report.seed,
            runs: report.runs,
            incidents_per_year: self.page.incidents_per_year,
        }
    }

    /// What a results folder's manifest says of the command.
    fn provenance(&self, experiment: &Experiment, runs: u64) -> Provenance {
        Provenance {
            command: std::env::args().collect(),
            runs,
            request: Request {
                set: self.play.set.clone(),
                preface: vec![experiment.question.clone()],
                experiment: Some(ExperimentProvenance::of(experiment)),
                ..Request::default()
            },
            scenarios: experiment.scenarios.iter().map(ScenarioProvenance::of).collect(),
            sweep: None,
        }
    }

    /// What is to be found: what the experiment says, and over it what the command line says.
    fn question(
        &self,
        written: Option<Tune>,
        scenarios: &[Document],
        sweep: &Sweep,
    ) -> Result<Tune, Failure> {
        let has_file = written.is_some();
        let mut tune = written.unwrap_or_else(|| Tune::of_scenarios(scenarios.len()));
        let goal = match (self.minimize.as_slice(), self.maximize.as_slice()) {
            ([], []) => None,
            ([], texts) => Some((Direction::Maximize, texts)),
            (texts, _) => Some((Direction::Minimize, texts)),
        };
        tune.override_by(goal, &self.subject_to, scenarios, sweep)?;
        tune.budget = self.budget.or(tune.budget);
        if tune.goal.is_none() {
            let lacks = if has_file { "neither `minimize` nor `maximize`" } else { "no `[tune]`" };
            return Err(Failure::refused(
                format!("{} has {lacks}", self.experiment.display()),
                "say what is to be found: minimize = \"failed_count\" in it, or `--minimize failed_count`",
            ));
        }
        Ok(tune)
    }
}

/// The numbers of the scenarios, those that count most first.
fn by_weight(weights: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    order
}

/// The names and texts of scenarios with these settings.
fn scenarios(
    space: Space,
    values: &[toml::Value],
    order: &[usize],
) -> Result<Vec<(String, String)>, Failure> {
    let text = |scenario: &usize| -> Result<(String, String), Failure> {
        let document = space.document(*scenario, values)?;
        Ok((document.name().to_owned(), document.standalone()))
    };
    order.iter().map(text).collect()
}

impl From<TuneError> for Failure {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Problems(problems) => problems.into(),
            TuneError::Cancelled(_) => Failure::interrupted(),
            TuneError::Failed { .. } => Failure::missed(format!("error: {error}")),
            TuneError::Infeasible(text) => Failure::missed(text),
        }
    }
}
