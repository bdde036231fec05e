//! `run`: one scenario, several side by side, or an experiment's.

use super::progress::Bar;
use super::{Failure, PlayArgs, is_experiment, print_out};
use crate::engine::{Path as EnginePath, simulate};
use crate::experiment::file::Experiment;
use crate::experiment::runner::RunPlan;
use crate::metrics::{Outcome, Wanted, measure};
use crate::model::Model;
use crate::output::terminal;
use crate::output::{
    Design, EventLog, Provenance, RequestFile, ResultFolder, ResultSink, ScenarioProvenance, ScenarioResult,
    SecondTotal, add_seconds, assumptions, document,
};
use crate::scenario::{Document, Loader, Problems};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Runs of each scenario where neither the command nor an experiment says how many.
const DEFAULT_RUNS: u64 = 100;

/// Simulate one scenario, several side by side, or an experiment's
///
/// Example: failover-sim run experiments/01_incident_3am
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Scenario files, of which the first is the baseline, or one experiment folder
    #[arg(required = true, value_name = "SCENARIO")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    play: PlayArgs,
    /// Play this run alone, of many that could be
    #[arg(long, value_name = "K", conflicts_with = "runs")]
    run_index: Option<u64>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print every setting with where it came from, and play nothing
    #[arg(long)]
    resolved: bool,
    /// Write what happened in the first run, in order, as JSON lines
    #[arg(long, value_name = "FILE.jsonl")]
    events: Option<PathBuf>,
    /// Write the first run's requests, a row each
    #[arg(long, value_name = "FILE.parquet")]
    requests: Option<PathBuf>,
    /// Write tables of runs, points, faults and seconds into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How the engine plays; the default is the fastest exact way
    #[arg(long, value_enum)]
    path: Option<PathChoice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PathChoice {
    /// Everything is an event: slower, the same numbers
    Plain,
}

impl RunArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let (question, documents, runs) = self.open()?;
        if self.resolved {
            return print_out(&resolved(&documents));
        }
        let models = documents.iter().map(Document::model).collect::<Result<Vec<Model>, Problems>>()?;
        let runs = self.play.runs.unwrap_or(runs);
        let runs = self.run_index.map_or(0..runs, |k| k..k.saturating_add(1));
        let plan = RunPlan {
            seed: self.play.seed,
            runs,
            wanted: Wanted { series: true, timeline: false },
            path: self.path.map(|PathChoice::Plain| EnginePath::Plain),
        };
        self.play.check_size(&models, plan.count())?;
        // Files are opened first: what cannot be written should fail before the work, not after it.
        let mut sink = self.out.as_deref().map(|out| self.open_results(out, &plan)).transpose()?;
        let requests =
            self.requests.as_deref().map(|path| RequestFile::create(path, self.play.force)).transpose()?;
        let events =
            self.events.as_deref().map(|path| EventLog::create(path, self.play.force)).transpose()?;

        self.play.start_threads();
        let bar = Bar::start(plan.count() * models.len() as u64)?;
        let mut played = Vec::new();
        for (i, model) in models.iter().enumerate() {
            let seconds = Mutex::new(Vec::new());
            let total = |_, runs, outcome: &mut Outcome| {
                let mut seconds = seconds.lock().unwrap_or_else(PoisonError::into_inner);
                add_seconds(&mut seconds, outcome.series.as_deref().unwrap_or_default(), runs);
                // Only a file has use for every run's own.
                if self.out.is_none() {
                    outcome.series = None;
                }
            };
            let mut outcomes = plan.play_each(std::slice::from_ref(model), &bar, &total)?.swap_remove(0);
            if let Some(sink) = &mut sink {
                sink.point(i, model, &outcomes)?;
                outcomes.iter_mut().for_each(|outcome| outcome.series = None);
            }
            played.push((seconds.into_inner().unwrap_or_else(PoisonError::into_inner), outcomes));
        }
        bar.finish();

        write_requests(requests, &models, &plan)?;
        write_events(events, &models, &plan)?;
        if let Some(sink) = sink {
            sink.finish(provenance(&documents, plan.count()))?;
        }
        self.print(question.as_deref(), &models, &plan, &played)
    }

    /// The scenarios with `--set` applied, the question that they answer if they are an experiment's, and its runs.
    fn open(&self) -> Result<(Option<String>, Vec<Document>, u64), Failure> {
        let mut loader = Loader::new();
        let (question, mut documents, runs) = match self.paths.as_slice() {
            [path] if is_experiment(path) => {
                let experiment = Experiment::open(path, &mut loader)?;
                (Some(experiment.question), experiment.scenarios, experiment.runs)
            }
            paths => {
                if let Some(folder) = paths.iter().find(|path| is_experiment(path)) {
                    return Err(Failure::bad_input(format!(
                        "error: {} is an experiment\n  = help: run it alone, or name scenario files only",
                        folder.display()
                    )));
                }
                let documents = paths.iter().map(|path| loader.open(path)).collect::<Result<_, _>>()?;
                (None, documents, DEFAULT_RUNS)
            }
        };
        for document in &mut documents {
            for assignment in &self.play.set {
                document.set_text(assignment)?;
            }
        }
        Ok((question, documents, runs))
    }

    fn open_results(&self, out: &std::path::Path, plan: &RunPlan) -> Result<ResultSink, Failure> {
        let design = Design { seed: plan.seed, first_run: plan.runs.start, axes: Vec::new() };
        Ok(ResultFolder::create(out, self.play.force)?.begin(design, plan.wanted.series)?)
    }

    fn print(
        &self,
        question: Option<&str>,
        models: &[Model],
        plan: &RunPlan,
        played: &[(Vec<SecondTotal>, Vec<Outcome>)],
    ) -> Result<(), Failure> {
        let timeline_of = |model| {
            let wanted = Wanted { series: false, timeline: true };
            measure(model, plan.seed, plan.runs.start, wanted, plan.path).timeline.unwrap_or_default()
        };
        let timelines: Vec<_> = models.iter().map(timeline_of).collect();
        let assumptions: Vec<_> = models.iter().map(assumptions).collect();
        let results: Vec<ScenarioResult> = (models.iter().zip(played))
            .zip(timelines.iter().zip(&assumptions))
            .map(|((model, (seconds, outcomes)), (timeline, assumptions))| ScenarioResult {
                model,
                path: plan.path_of(model),
                first_run: plan.runs.start,
                outcomes,
                seconds,
                timeline,
                assumptions,
            })
            .collect();
        match self.format {
            Format::Table => print_out(&terminal::summary(question, plan.seed, &results)),
            Format::Json => {
                let document = document(plan.seed, plan.count(), &results);
                print_out(&(serde_json::to_string_pretty(&document).expect("results are plain data") + "\n"))
            }
        }
    }
}

/// The first run of each scenario, a row for each request.
fn write_requests(file: Option<RequestFile>, models: &[Model], plan: &RunPlan) -> Result<(), Failure> {
    let Some(mut file) = file else { return Ok(()) };
    for model in models {
        let mut recorder = file.recorder(model, plan.runs.start);
        simulate(model, plan.seed, plan.runs.start, &mut recorder);
        recorder.finish();
    }
    file.finish()?;
    Ok(())
}

/// The first run of each scenario, a line for each event.
fn write_events(log: Option<EventLog>, models: &[Model], plan: &RunPlan) -> Result<(), Failure> {
    let Some(mut log) = log else { return Ok(()) };
    for model in models {
        simulate(model, plan.seed, plan.runs.start, &mut log.recorder(model, plan.seed, plan.runs.start));
    }
    log.finish()?;
    Ok(())
}

/// What a results folder's manifest says of the command.
pub(super) fn provenance(documents: &[Document], runs: u64) -> Provenance {
    let scenario = |document: &Document| ScenarioProvenance {
        name: document.name().to_owned(),
        path: document.path().to_owned(),
        resolved: document.to_json(),
    };
    Provenance {
        command: std::env::args().collect(),
        runs,
        scenarios: documents.iter().map(scenario).collect(),
    }
}

/// Every setting of every scenario, aligned.
fn resolved(documents: &[Document]) -> String {
    let mut text = String::new();
    for document in documents {
        let settings = document.resolved();
        let width = settings.iter().map(|s| s.path.len() + s.value.len() + 3).max().unwrap_or(0).min(70);
        writeln!(text, "# {}", document.path()).expect("a string grows");
        for setting in settings {
            let assignment = format!("{} = {}", setting.path, setting.value);
            writeln!(text, "{assignment:<width$}  # {}", setting.origin).expect("a string grows");
        }
    }
    text
}
