//! `run`: one scenario, several side by side, or an experiment's.

use super::again::CommandLine;
use super::opened::{Opened, SweptPoint};
use super::progress::Bar;
use super::{Failure, PlayArgs, all_or_failures, models_and_objectives, note_missing_parquet, print_out};
use crate::engine::{Path as EnginePath, simulate};
use crate::experiment::objective::{Finding, Objective};
use crate::experiment::runner::RunPlan;
use crate::experiment::segment::PointFacts;
use crate::metrics::{Outcome, Series, Wanted, measure};
use crate::model::Model;
use crate::output::report::{self, RunsInput};
use crate::output::terminal;
use crate::output::{
    Design, EventLog, Existing, Point, Provenance, Request, RequestFile, ResultFolder, ResultSink,
    ScenarioProvenance, ScenarioResult, SecondTotal, TextFile, add_seconds, assumptions, document, explain, junit,
};
use crate::scenario::{Document, ResolvedSetting};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Seconds of counts that are held at once, some 240 MB: a long scenario of many runs has more than fits in memory.
const SECONDS_AT_ONCE: u64 = 20_000_000;

/// Simulate one scenario, several side by side, or an experiment's
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  failover-sim run experiments/01_incident_3am
  failover-sim run mine.toml --set gateway.health_check.interval=5s
  failover-sim run before.toml after.toml --runs 1000 --out results/compared
  failover-sim run before.toml after.toml --gate \"failed_count <= 1.0x\" --format junit
  failover-sim run experiments/02_health_check_interval --point 7 --run-index 3

A gate is `metric[.statistic] op value`:
  metric     a column of docs/columns.md, such as failed_count or request_latency_ms_p99
  statistic  of all runs: mean (if none is named), ci95_low, ci95_high, pi95_low, pi95_high,
             p50, p95, min or max
  op         <=, >=, <, >, == or !=
  value      1000, 30s, 99.9%, or 1.0x: so many times what the baseline has
It judges every scenario but the first, the baseline, or the only one there is. What has no value,
such as the latency of a dead system, meets nothing. An `[[objective]]` in a scenario file asks the
same of that scenario, wherever it stands: expect = \"failed_count.p95 <= 1000\"; it takes no 1.0x.

Exit codes: 0 done and all met, 1 a gate or an objective missed, 2 bad input or unwritable output,
130 interrupted")]
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
    /// What to print: a summary, everything, or gates and objectives for CI
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print every setting and where it came from, and simulate nothing
    #[arg(long)]
    resolved: bool,
    /// Tell the life of request number N of each scenario's first run, counted from 0, and simulate nothing else
    #[arg(
        long, value_name = "N", allow_negative_numbers = true, value_parser = super::whole::<0, { u64::MAX }>,
        conflicts_with_all = ["resolved", "events", "requests", "out", "format"],
    )]
    explain: Option<u64>,
    /// Write what happened in each scenario's first run, in order, as JSON lines
    #[arg(long, value_name = "FILE.jsonl")]
    events: Option<PathBuf>,
    /// Write the requests of each scenario's first run, a row each; the name ends in .parquet or .csv
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// Write a report for people into this file: one HTML page with everything in it
    #[arg(long, value_name = "FILE.html", conflicts_with_all = ["resolved", "explain"])]
    report: Option<PathBuf>,
    /// How many incidents like this one come in a year, for the report's numbers of a year; without it, 67, as many as
    /// Anthropic's API had
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "report", value_parser = incident_rate)]
    incidents_per_year: Option<f64>,
    /// Write tables of runs, points, faults and seconds into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Simulate event by event, instead of in the fastest exact way: slower, the same numbers
    #[arg(long, value_enum)]
    path: Option<PathChoice>,
}

/// More than anybody counts one by one.
const INCIDENTS_MAX: f64 = 100_000.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PathChoice {
    Plain,
}

impl RunArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let opened = self.open()?;
        let documents = &opened.documents;
        let (models, mut objectives) = models_and_objectives(documents)?;
        if self.resolved {
            return match self.format {
                Format::Table => print_out(&resolved(documents)),
                Format::Json => print_out(&resolved_json(documents)),
                Format::Junit => Err(Failure::refused(
                    "`--format junit` shows no settings",
                    "leave out `--resolved`, or choose `--format json`",
                )),
            };
        }
        self.add_gates(&mut objectives)?;
        let runs = self.play.runs.unwrap_or(opened.runs);
        let runs = self.run_index.map_or(0..runs, |k| k..k.saturating_add(1));
        // The terminal draws failures by second; tables have all requests.
        let series = if self.out.is_some() { Series::All } else { Series::Failures };
        let plan = RunPlan {
            seed: self.play.seed,
            runs,
            wanted: Wanted { series, ..Wanted::METRICS },
            path: self.path.map(|PathChoice::Plain| EnginePath::Plain),
        };
        if let Some(request) = self.explain {
            return self.explain(&models, &plan, request);
        }
        self.play.check_size(&models, plan.count(), plan.wanted)?;
        if self.events.is_some() && self.events == self.requests {
            return Err(Failure::refused(
                "`--events` and `--requests` name the same file",
                "give each a file of its own",
            ));
        }
        // Files are opened first: what cannot be written should fail before the work, not after it.
        let mut sink = self.out.as_deref().map(|out| self.open_results(out, &plan, &opened)).transpose()?;
        let requests =
            self.requests.as_deref().map(|path| RequestFile::create(path, self.play.force)).transpose()?;
        let events =
            self.events.as_deref().map(|path| EventLog::create(path, self.play.force)).transpose()?;

        let report =
            self.report.as_deref().map(|path| TextFile::create(path, self.play.force)).transpose()?;

        self.play.start_threads();
        let bar = Bar::start(plan.count() * models.len() as u64)?;
        let mut played = Vec::new();
        for (i, model) in models.iter().enumerate() {
            let (mut seconds, mut outcomes) = (Vec::new(), Vec::new());
            for batch in batches(&plan, model, sink.is_some()) {
                let mut played = batch.play(std::slice::from_ref(model), &bar)?.swap_remove(0);
                if let Some(sink) = &mut sink {
                    let facts = PointFacts::of(model, plan.path_of(model));
                    let number = opened.point.as_ref().map_or(i, |point| point.number);
                    sink.points(&[Point { number, facts: &facts, outcomes: &played, error: None }])?;
                }
                add_seconds(&mut seconds, &mut played);
                outcomes.append(&mut played);
            }
            played.push((seconds, outcomes));
        }
        bar.finish();

        write_requests(requests, &models, &plan, &bar)?;
        write_events(events, &models, &plan, &bar)?;
        bar.check()?;
        if let Some(sink) = sink {
            sink.finish(self.provenance(&opened, plan.count()))?;
        }
        let findings = judge(&objectives, &played);
        self.show(&opened, &models, &plan, &played, &findings, report, &bar)?;
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

    /// Adds the gates to what the scenarios ask for themselves: they come first.
    fn add_gates(&self, objectives: &mut [Vec<Objective>]) -> Result<(), Failure> {
        let compares = objectives.len() > 1;
        let gates = self.gate.iter().map(|text| Objective::gate(text, compares).map_err(Failure::from));
        let gates = all_or_failures(gates)?;
        for objectives in objectives.iter_mut().skip(usize::from(compares)) {
            objectives.splice(0..0, gates.iter().cloned());
        }
        if self.format == Format::Junit && objectives.iter().all(Vec::is_empty) {
            return Err(Failure::refused(
                "`--format junit` reports on gates and objectives, and there are none",
                "add a gate, such as --gate \"failed_count.p95 <= 1000\", or an `[[objective]]` to the scenario",
            ));
        }
        Ok(())
    }

    /// What there is to run, with `--set` applied.
    fn open(&self) -> Result<Opened, Failure> {
        let mut opened = Opened::read(&self.paths)?;
        self.play.make_settings(&mut opened.documents)?;
        match self.point {
            Some(number) => opened.at_point(number),
            None => Ok(opened),
        }
    }

    /// One request of each scenario's first run, as those listed by `--requests` are numbered.
    fn explain(&self, models: &[Model], plan: &RunPlan, request: u64) -> Result<(), Failure> {
        self.play.check_size(models, 1, Wanted::METRICS)?;
        let mut text = String::new();
        for model in models {
            if models.len() > 1 {
                writeln!(text, "# {}", model.name).expect("a string grows");
            }
            let life = explain(model, plan.seed, plan.runs.start, request).map_err(|count| {
                Failure::refused(
                    format!("there is no request number {request} in `{}`", model.name),
                    match count {
                        0 => "none arrives in this run".to_owned(),
                        count => format!("this run has the requests 0 to {}", count - 1),
                    },
                )
            })?;
            text.push_str(&life);
        }
        print_out(&text)
    }

    fn open_results(&self, out: &Path, plan: &RunPlan, opened: &Opened) -> Result<ResultSink, Failure> {
        let axes = opened.point.as_ref().map(|point| point.axes.clone()).unwrap_or_default();
        let design = Design { seed: plan.seed, first_run: plan.runs.start, axes };
        let existing = if self.play.force { Existing::Replace } else { Existing::Refuse };
        let sink = ResultFolder::create(out, existing)?.begin(design, plan.wanted.series == Series::All)?;
        note_missing_parquet();
        Ok(sink)
    }

    /// Writes the report, if one is wanted, and prints.
    #[expect(clippy::too_many_arguments, reason = "all that a command knows at its end")]
    fn show(
        &self,
        opened: &Opened,
        models: &[Model],
        plan: &RunPlan,
        played: &[Played],
        findings: &[Vec<Finding>],
        report: Option<TextFile>,
        bar: &Bar,
    ) -> Result<(), Failure> {
        let timeline_of = |model| {
            let wanted = Wanted { timeline: true, ..Wanted::COUNTS };
            measure(model, plan.seed, plan.runs.start, wanted, plan.path).timeline.unwrap_or_default()
        };
        let timelines: Vec<_> = models.iter().map(timeline_of).collect();
        let assumptions: Vec<_> = models.iter().map(assumptions).collect();
        let results: Vec<ScenarioResult> = (models.iter().zip(played))
            .zip(timelines.iter().zip(&assumptions).zip(findings))
            .map(|((model, (seconds, outcomes)), ((timeline, assumptions), findings))| ScenarioResult {
                model,
                path: plan.path_of(model),
                first_run: plan.runs.start,
                outcomes,
                seconds,
                timeline,
                assumptions,
                findings,
            })
            .collect();
        if let Some(file) = report {
            let input = RunsInput {
                documents: &opened.documents,
                results: &results,
                plan,
                preface: &opened.preface(),
                command: self.command(),
                incidents_per_year: self.incidents_per_year,
            };
            file.write(&report::html(&report::report_of_runs(&input, bar)?))?;
        }
        match self.format {
            Format::Table => print_out(&terminal::summary(&opened.preface(), plan.seed, &results)),
            Format::Json => {
                let point = opened.point.as_ref().map(SweptPoint::document);
                let document = document(plan.seed, plan.count(), point, &results);
                print_out(&(serde_json::to_string_pretty(&document).expect("results are plain data") + "\n"))
            }
            Format::Junit => print_out(&junit(&results)),
        }
    }
}

impl RunArgs {
    /// The command that makes the report again, whatever the file is called and whoever else looks on.
    fn command(&self) -> String {
        let paths =
            self.paths.iter().fold(CommandLine::new("run"), |line, path| line.word(&path.to_string_lossy()));
        let line = paths.play(&self.play).option("--run-index", self.run_index).option("--point", self.point);
        let line = self.gate.iter().fold(line, |line, gate| line.option("--gate", Some(gate)));
        let path = self.path.map(|PathChoice::Plain| "plain");
        let line = line.option("--path", path).option("--incidents-per-year", self.incidents_per_year);
        line.option("--report", Some("report.html")).text()
    }
}

/// Reads how many incidents a year has.
pub(super) fn incident_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| *rate > 0.0 && *rate <= INCIDENTS_MAX);
    rate.ok_or_else(|| format!("write a number above 0, and at most {INCIDENTS_MAX}"))
}

/// A scenario's seconds over all runs, and its runs.
type Played = (Vec<SecondTotal>, Vec<Outcome>);

/// What the runs say of every scenario's objectives; the first scenario is the baseline.
fn judge(objectives: &[Vec<Objective>], played: &[Played]) -> Vec<Vec<Finding>> {
    let baseline = played.first().map(|(_, outcomes)| outcomes.as_slice());
    let judged = |(objectives, (_, outcomes)): (&Vec<Objective>, &Played)| {
        objectives.iter().map(|objective| objective.judge(outcomes, baseline)).collect()
    };
    objectives.iter().zip(played).map(judged).collect()
}

/// The runs of one scenario, so many at a time that their counts of seconds fit in memory.
///
/// Tables take the outcomes of a scenario in one go.
fn batches(plan: &RunPlan, model: &Model, for_tables: bool) -> Vec<RunPlan> {
    let seconds = (model.duration.as_secs_f64() as u64).max(1);
    let at_once = if for_tables { plan.count() } else { (SECONDS_AT_ONCE / seconds).max(1) };
    let starts = plan.runs.clone().step_by(at_once as usize);
    let batch = |start: u64| start..plan.runs.end.min(start.saturating_add(at_once));
    starts.map(|start| RunPlan { runs: batch(start), ..plan.clone() }).collect()
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
