//! `run`: one scenario, several side by side, or an experiment's.

use super::again::CommandLine;
use super::export::ExportArgs;
use super::opened::{Opened, SweptPoint};
use super::page::PageArgs;
use super::print::{Format, PrintArgs, screen};
use super::progress::Bar;
use super::{Failure, PlayArgs, all_or_failures, models_and_objectives, print_out};
use crate::engine::{Path as EnginePath, simulate};
use crate::experiment::objective::{Finding, Objective};
use crate::experiment::runner::RunPlan;
use crate::experiment::segment::PointFacts;
use crate::metrics::{Beliefs, Outcome, Series, Wanted};
use crate::model::Model;
use crate::output::report::{ReportDocument, RunsInput, report_of_runs};
use crate::output::terminal;
use crate::output::{
    Design, EventLog, Existing, Point, Provenance, Request, RequestFile, ResultFolder, ResultSink,
    ScenarioProvenance, ScenarioResult, SecondTotal, add_seconds, assumptions, csv_text, document, explain,
    junit, schema,
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
        let documents = &opened.documents;
        let (models, mut objectives) = models_and_objectives(documents)?;
        if self.resolved {
            return print_out(&match self.print.format("run --resolved", &[Format::Json])? {
                Format::Json => resolved_json(documents),
                _ => resolved(documents),
            });
        }
        let format = self.print.format("run", &[Format::Json, Format::Csv, Format::Junit])?;
        self.add_gates(&mut objectives, format)?;
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
        self.check_files()?;
        self.export.check(&models)?;
        // Files are opened first: what cannot be written should fail before the work, not after it.
        let mut sink = self.out.as_deref().map(|out| self.open_results(out, &plan, &opened)).transpose()?;
        let requests =
            self.requests.as_deref().map(|path| RequestFile::create(path, self.play.force)).transpose()?;
        let events =
            self.events.as_deref().map(|path| EventLog::create(path, self.play.force)).transpose()?;
        let exports = self.export.open(self.play.force)?;
        let page = self.page.open(self.out.as_deref(), self.play.force)?;

        self.play.start_threads();
        let bar = self.print.bar(plan.count() * models.len() as u64, 0)?;
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
        self.export.write(exports, &models, &plan, &bar)?;
        bar.check()?;
        if let Some(sink) = sink {
            sink.finish(self.provenance(&opened, plan.count()))?;
        }
        let findings = judge(&objectives, &played);
        let shown =
            Shown { opened: &opened, models: &models, plan: &plan, played: &played, findings: &findings };
        shown.show(|results, beliefs| {
            // A report takes some more runs: what they come to is not lost with it.
            let printed = self.print(format, &shown, results, beliefs);
            if let Some(page) = page {
                page.write(&self.report(&shown, results, &bar)?)?;
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

    /// Adds the gates to what the scenarios ask for themselves: they come first.
    fn add_gates(&self, objectives: &mut [Vec<Objective>], format: Format) -> Result<(), Failure> {
        let compares = objectives.len() > 1;
        let gates = self.gate.iter().map(|text| Objective::gate(text, compares).map_err(Failure::from));
        let gates = all_or_failures(gates)?;
        for objectives in objectives.iter_mut().skip(usize::from(compares)) {
            objectives.splice(0..0, gates.iter().cloned());
        }
        if format == Format::Junit && objectives.iter().all(Vec::is_empty) {
            return Err(Failure::refused(
                "`--format junit` reports on gates and objectives, and there are none",
                "add a gate, such as --gate \"failed_count.p95 <= 1000\", or an `[[objective]]` to the scenario",
            ));
        }
        Ok(())
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
        let design = design(plan, opened);
        let existing = if self.play.force { Existing::Replace } else { Existing::Refuse };
        let sink = ResultFolder::create(out, existing)?.begin(design, plan.wanted.series == Series::All)?;
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

    fn report(
        &self,
        shown: &Shown,
        results: &[ScenarioResult],
        bar: &Bar,
    ) -> Result<ReportDocument, Failure> {
        let input = RunsInput {
            documents: &shown.opened.documents,
            results,
            plan: shown.plan,
            preface: &shown.opened.preface(),
            command: self.again().text(),
            incidents_per_year: self.page.incidents_per_year,
            plays_alike: true,
        };
        Ok(report_of_runs(&input, bar)?)
    }

    fn print(
        &self,
        format: Format,
        shown: &Shown,
        results: &[ScenarioResult],
        beliefs: &[Beliefs],
    ) -> Result<(), Failure> {
        let Shown { opened, models, plan, played, .. } = *shown;
        match format {
            Format::Table => self.print.summary(&terminal::summary(
                &opened.preface(),
                plan.seed,
                results,
                beliefs,
                screen(),
            )),
            Format::Csv => print_out(&points_csv(opened, models, plan, played)),
            Format::Json => {
                let point = opened.point.as_ref().map(SweptPoint::document);
                let document = document(plan.seed, plan.count(), point, results);
                print_out(&(serde_json::to_string_pretty(&document).expect("results are plain data") + "\n"))
            }
            Format::Junit => print_out(&junit(results)),
        }
    }
}

/// What was played.
#[derive(Clone, Copy)]
struct Shown<'a> {
    opened: &'a Opened,
    models: &'a [Model],
    plan: &'a RunPlan,
    played: &'a [Played],
    findings: &'a [Vec<Finding>],
}

impl Shown<'_> {
    /// Shows it, with what is seen in each scenario's first run.
    fn show(
        &self,
        show: impl FnOnce(&[ScenarioResult], &[Beliefs]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Shown { models, plan, played, findings, .. } = *self;
        let beliefs_of = |model| Beliefs::of(model, plan.seed, plan.runs.start, plan.path);
        let beliefs: Vec<_> = models.iter().map(beliefs_of).collect();
        let assumptions: Vec<_> = models.iter().map(assumptions).collect();
        let results: Vec<ScenarioResult> = (models.iter().zip(played))
            .zip(beliefs.iter().zip(&assumptions).zip(findings))
            .map(|((model, (seconds, outcomes)), ((beliefs, assumptions), findings))| ScenarioResult {
                model,
                path: plan.path_of(model),
                first_run: plan.runs.start,
                outcomes,
                seconds,
                timeline: &beliefs.timeline,
                assumptions,
                findings,
            })
            .collect();
        show(&results, &beliefs)
    }
}

/// What all rows of the tables have in common.
fn design(plan: &RunPlan, opened: &Opened) -> Design {
    let axes = opened.point.as_ref().map(|point| point.axes.clone()).unwrap_or_default();
    Design { seed: plan.seed, first_run: plan.runs.start, axes }
}

/// The table of points as `--out` writes it, a row for each scenario.
fn points_csv(opened: &Opened, models: &[Model], plan: &RunPlan, played: &[Played]) -> String {
    let facts: Vec<_> = models.iter().map(|model| PointFacts::of(model, plan.path_of(model))).collect();
    let first = opened.point.as_ref().map_or(0, |point| point.number);
    let rows = (first..).zip(facts.iter().zip(played));
    let points: Vec<Point> =
        rows.map(|(number, (facts, (_, outcomes)))| Point { number, facts, outcomes, error: None }).collect();
    csv_text(&schema::points(&design(plan, opened), &points))
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
