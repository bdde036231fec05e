//! `run`: one scenario, several side by side, or an experiment's.

use super::again::CommandLine;
use super::export::ExportArgs;
use super::page::PageArgs;
use super::print::{Format, PrintArgs, screen};
use super::progress::Bar;
use super::{Failure, PlayArgs, print_out};
use crate::engine::{Path as EnginePath, simulate};
use crate::experiment::objective::Objective;
use crate::experiment::runner::RunPlan;
use crate::job::run::{Played, RunJob, RunOptions};
use crate::job::settings::make_settings;
use crate::job::{Opened, SweptPoint, limits};
use crate::metrics::{Beliefs, Series, Wanted};
use crate::model::Model;
use crate::output::report::{ReportDocument, RunsInput, report_of_runs};
use crate::output::terminal;
use crate::output::{
    EventLog, Provenance, Request, RequestFile, ResultFolder, ResultSink, ScenarioProvenance, ScenarioResult,
    document, junit,
};
use crate::scenario::{Document, ResolvedSetting};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Simulate one scenario, several side by side, or an experiment's
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  failover-sim run experiments/01_incident_3am
  failover-sim run mine.toml --set gateway.health_check.interval=5s
  failover-sim run before.toml after.toml --runs 1000 --out results/compared
  failover-sim run before.toml after.toml --gate \"failed_count <= 1.0x\"
  failover-sim run mine.toml --format csv > mine.csv
  failover-sim run experiments/02_health_check_interval --point 7 --run-index 3

A gate is `metric[.statistic] op value`:
  metric     a column of docs/columns.md, such as failed_count
  statistic  of all runs: mean (if none is named), ci95_low, ci95_high,
             pi95_low, pi95_high, p50, p95, min or max
  op         <=, >=, <, >, == or !=
  value      1000, 30s, 99.9%, or 1.0x: so many times what the baseline has
It judges every scenario but the first, the baseline, or the only one there is.
What has no value, such as the latency of a dead system, meets nothing. An
`[[objective]]` in a scenario file asks the same of that scenario, wherever it
stands: expect = \"failed_count.p95 <= 1000\"; it takes no 1.0x.

Exit codes: 0 done and all met, 1 a gate or an objective missed, 2 bad input or
unwritable output, 130 interrupted")]
pub struct RunArgs {
    /// Scenario files, of which the first is the baseline, or one experiment folder
    #[arg(required = true, value_name = "SCENARIO")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    play: PlayArgs,
    /// Play only run number K of those that `--runs` would play, counted from 0
    #[arg(
        long, value_name = "K", conflicts_with = "runs", allow_negative_numbers = true,
        value_parser = super::whole::<0, { u64::MAX - 1 }>,
    )]
    run_index: Option<u64>,
    /// Play only point number N of the experiment's sweep, as the column `point` of its tables has it
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::whole::<0, { u64::MAX }>)]
    point: Option<u64>,
    /// What the result should be, or exit with 1: `failed_count.p95 <= 1000`, `failed_count <= 1.0x`; may be given again
    #[arg(long, value_name = "CRITERION", conflicts_with_all = ["resolved", "explain"])]
    gate: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
    /// Print every setting and where it came from, and simulate nothing
    #[arg(long, conflicts_with = "report")]
    resolved: bool,
    /// Tell the life of request number N of each scenario's first run, counted from 0, and simulate nothing else
    #[arg(
        long, value_name = "N", allow_negative_numbers = true, value_parser = super::whole::<0, { u64::MAX }>,
        conflicts_with_all = ["resolved", "events", "requests", "out", "format", "report"],
    )]
    explain: Option<u64>,
    /// Write what happened in each scenario's first run, in order, as JSON lines
    #[arg(long, value_name = "FILE.jsonl")]
    events: Option<PathBuf>,
    /// Write the requests of each scenario's first run, a row each; the name ends in .parquet or .csv
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// Write tables of runs, points, faults and seconds into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    export: ExportArgs,
    #[command(flatten)]
    page: PageArgs,
    /// Simulate event by event, instead of in the fastest exact way: slower, the same numbers
    #[arg(long, value_enum)]
    path: Option<PathChoice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PathChoice {
    Plain,
}

impl RunArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let opened = self.open()?;
        let runs = self.play.runs.unwrap_or(opened.runs);
        // The terminal draws failures by second; tables have all requests.
        let series = if self.out.is_some() { Series::All } else { Series::Failures };
        let options = RunOptions {
            seed: self.play.seed,
            runs: self.run_index.map_or(0..runs, |k| k..k.saturating_add(1)),
            wanted: Wanted { series, ..Wanted::METRICS },
            path: self.path.map(|PathChoice::Plain| EnginePath::Plain),
            gates: self.gate.clone(),
        };
        let job = RunJob::new(opened, options)?;
        let RunJob { opened, models, plan, .. } = &job;
        if self.resolved {
            return print_out(&match self.print.format("run --resolved", &[Format::Json])? {
                Format::Json => resolved_json(&opened.documents),
                _ => resolved(&opened.documents),
            });
        }
        let format = self.print.format("run", &[Format::Json, Format::Csv, Format::Junit])?;
        check_judged(&job.objectives, format)?;
        if let Some(request) = self.explain {
            return self.explain(&job, request);
        }
        if !self.play.yes {
            job.check_size()?;
        }
        self.check_files()?;
        self.export.check(models)?;
        // Files are opened first: what cannot be written should fail before the work, not after it.
        let mut sink = self.out.as_deref().map(|out| self.open_results(out, &job)).transpose()?;
        let requests =
            self.requests.as_deref().map(|path| RequestFile::create(path, self.play.force)).transpose()?;
        let events =
            self.events.as_deref().map(|path| EventLog::create(path, self.play.force)).transpose()?;
        let exports = self.export.open(self.play.force)?;
        let page = self.page.open(self.out.as_deref(), self.play.force)?;

        self.play.start_threads();
        let bar = self.print.bar(plan.count() * models.len() as u64, 0)?;
        let played = match &mut sink {
            Some(sink) => job.play(&bar, Some(&mut |point| Ok(sink.points(std::slice::from_ref(point))?)))?,
            None => job.play(&bar, None)?,
        };
        bar.finish();

        write_requests(requests, models, plan, &bar)?;
        write_events(events, models, plan, &bar)?;
        self.export.write(exports, models, plan, &bar)?;
        bar.check()?;
        if let Some(sink) = sink {
            sink.finish(self.provenance(opened, plan.count()))?;
        }
        let findings = job.judge(&played);
        job.show(&played, &findings, |results, beliefs| {
            // A report takes some more runs: what they come to is not lost with it.
            let printed = self.print(format, &job, &played, results, beliefs);
            if let Some(page) = page {
                page.write(&self.report(&job, results, &bar)?)?;
            }
            printed
        })?;
        let (missed, all) =
            (findings.iter().flatten().filter(|f| !f.judgement.met), findings.iter().flatten());
        match (missed.count(), all.count()) {
            (0, _) => Ok(()),
            (missed, all) => Err(Failure::missed(format!("{missed} of {all} objectives missed"))),
        }
    }

    /// What a results folder's manifest says of the command.
    fn provenance(&self, opened: &Opened, runs: u64) -> Provenance {
        Provenance {
            command: std::env::args().collect(),
            runs,
            request: Request {
                set: self.play.set.clone(),
                gates: self.gate.clone(),
                preface: opened.preface(),
                experiment: None,
            },
            scenarios: opened.documents.iter().map(ScenarioProvenance::of).collect(),
            sweep: None,
        }
    }

    /// Refuses to write two things to the same file.
    fn check_files(&self) -> Result<(), Failure> {
        let logs = [("--events", self.events.as_deref()), ("--requests", self.requests.as_deref())];
        let files = logs.into_iter().chain(self.export.files()).chain([self.page.file()]);
        let named: Vec<(&str, &Path)> =
            files.filter_map(|(option, path)| path.map(|path| (option, path))).collect();
        for (i, (option, path)) in named.iter().enumerate() {
            if let Some((other, _)) = named[..i].iter().find(|(_, other)| other == path) {
                return Err(Failure::refused(
                    format!("`{other}` and `{option}` name the same file"),
                    "give each a file of its own",
                ));
            }
        }
        Ok(())
    }

    /// What there is to run, with `--set` applied.
    fn open(&self) -> Result<Opened, Failure> {
        let mut opened = Opened::read(&self.paths)?;
        make_settings(&self.play.set, &mut opened.documents)?;
        match self.point {
            Some(number) => opened.at_point(number),
            None => Ok(opened),
        }
    }

    /// One request of each scenario's first run, as those listed by `--requests` are numbered.
    fn explain(&self, job: &RunJob, request: u64) -> Result<(), Failure> {
        if !self.play.yes {
            limits::check_size(&job.models, 1, Wanted::METRICS)?;
        }
        print_out(&job.explain(request)?)
    }

    fn open_results(&self, out: &Path, job: &RunJob) -> Result<ResultSink, Failure> {
        let folder = ResultFolder::create(out, self.play.existing())?;
        let sink = folder.begin(job.design(), job.plan.wanted.series == Series::All)?;
        self.print.note_missing_parquet();
        Ok(sink)
    }

    /// The command that gives the same results again.
    fn again(&self) -> CommandLine {
        let line = CommandLine::new("run");
        let line = self.paths.iter().fold(line, |line, path| line.word(&path.to_string_lossy()));
        let line = line.play(&self.play).option("--run-index", self.run_index).option("--point", self.point);
        let line = self.gate.iter().fold(line, |line, gate| line.option("--gate", Some(gate)));
        self.page.again(line.option("--path", self.path.map(|PathChoice::Plain| "plain")))
    }

    fn report(&self, job: &RunJob, results: &[ScenarioResult], bar: &Bar) -> Result<ReportDocument, Failure> {
        let input = RunsInput {
            documents: &job.opened.documents,
            results,
            plan: &job.plan,
            preface: &job.opened.preface(),
            command: self.again().text(),
            incidents_per_year: self.page.incidents_per_year,
            plays_alike: true,
        };
        Ok(report_of_runs(&input, bar)?)
    }

    fn print(
        &self,
        format: Format,
        job: &RunJob,
        played: &[Played],
        results: &[ScenarioResult],
        beliefs: &[Beliefs],
    ) -> Result<(), Failure> {
        let RunJob { opened, plan, .. } = job;
        match format {
            Format::Table => self.print.summary(&terminal::summary(
                &opened.preface(),
                plan.seed,
                results,
                beliefs,
                screen(),
            )),
            Format::Csv => print_out(&job.points_csv(played)),
            Format::Json => {
                let point = opened.point.as_ref().map(SweptPoint::document);
                let document = document(plan.seed, plan.count(), point, results);
                print_out(&(serde_json::to_string_pretty(&document).expect("results are plain data") + "\n"))
            }
            Format::Junit => print_out(&junit(results)),
        }
    }
}

/// Refuses to report on what is judged where nothing is.
fn check_judged(objectives: &[Vec<Objective>], format: Format) -> Result<(), Failure> {
    if format != Format::Junit || !objectives.iter().all(Vec::is_empty) {
        return Ok(());
    }
    Err(Failure::refused(
        "`--format junit` reports on gates and objectives, and there are none",
        "add a gate, such as --gate \"failed_count.p95 <= 1000\", or an `[[objective]]` to the scenario",
    ))
}

/// The first run of each scenario, a row for each request.
fn write_requests(
    file: Option<RequestFile>,
    models: &[Model],
    plan: &RunPlan,
    bar: &Bar,
) -> Result<(), Failure> {
    let Some(mut file) = file else { return Ok(()) };
    for model in models {
        bar.check()?;
        let mut recorder = file.recorder(model, plan.runs.start);
        simulate(model, plan.seed, plan.runs.start, &mut recorder);
        recorder.finish();
    }
    file.finish()?;
    Ok(())
}

/// The first run of each scenario, a line for each event.
fn write_events(log: Option<EventLog>, models: &[Model], plan: &RunPlan, bar: &Bar) -> Result<(), Failure> {
    let Some(mut log) = log else { return Ok(()) };
    for model in models {
        bar.check()?;
        simulate(model, plan.seed, plan.runs.start, &mut log.recorder(model, plan.seed, plan.runs.start));
    }
    log.finish()?;
    Ok(())
}

/// Every setting of every scenario, for programs.
fn resolved_json(documents: &[Document]) -> String {
    let setting =
        |s: &ResolvedSetting| serde_json::json!({ "path": s.path, "value": s.value, "origin": s.origin });
    let scenario = |document: &Document| {
        let settings: Vec<serde_json::Value> = document.resolved().iter().map(setting).collect();
        serde_json::json!({ "name": document.name(), "path": document.path(), "settings": settings })
    };
    let scenarios: Vec<serde_json::Value> = documents.iter().map(scenario).collect();
    let document = serde_json::json!({ "scenarios": scenarios });
    serde_json::to_string_pretty(&document).expect("settings are plain data") + "\n"
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
