//! The command line: clap types, and one file for each subcommand.
//!
//! Only this module and `main` print. Results go to standard output; progress and errors go to standard error.

mod again;
mod check;
mod completions;
mod dry_run;
mod export;
mod merge;
mod new;
mod opened;
mod page;
mod print;
mod progress;
mod report;
mod run;
mod schema;
mod serve;
mod stop;
mod sweep;
mod tune;
mod validate;

use crate::experiment::design::Sweep;
use crate::experiment::objective::Objective;
use crate::experiment::survey::Surveyed;
use crate::metrics::{Series, Wanted};
use crate::model::Model;
use crate::output::report::FolderError;
use crate::output::terminal::thousands;
use crate::output::{FileError, ReadError};
use crate::scenario::{Document, Problem, Problems};
use clap::{Args, Parser, Subcommand};
use print::print_out;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// How many requests will this gateway config lose? Simulate the outage before you have it.
#[derive(Debug, Parser)]
#[command(version, bin_name = "failover-sim", max_term_width = 80, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to print in colour; by itself on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, display_order = 900, value_enum, value_name = "WHEN", default_value_t = print::Colour::Auto)]
    color: print::Colour,
}

const EXAMPLES: &str = "\
Examples:
  failover-sim run experiments/01_incident_3am   what an incident lost, and why
  failover-sim new mine.toml                     a scenario to start from

Exit codes: 0 done, 1 an objective missed, 2 bad input or unwritable output,
3 some points failed, 130 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    New(new::NewArgs),
    Check(check::CheckArgs),
    Run(run::RunArgs),
    Sweep(sweep::SweepArgs),
    Merge(merge::MergeArgs),
    Tune(tune::TuneArgs),
    Serve(serve::ServeArgs),
    Report(report::ReportArgs),
    Validate(validate::ValidateArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
}

impl Cli {
    /// Does what the arguments say.
    ///
    /// # Errors
    /// With what to print and which code to exit with.
    pub fn execute(&self) -> Result<(), Failure> {
        self.color.choose();
        match &self.command {
            Command::New(args) => args.execute(),
            Command::Check(args) => args.execute(),
            Command::Run(args) => args.execute(),
            Command::Sweep(args) => args.execute(),
            Command::Merge(args) => args.execute(),
            Command::Tune(args) => args.execute(),
            Command::Serve(args) => args.execute(),
            Command::Report(args) => args.execute(),
            Command::Validate(args) => args.execute(),
            Command::Schema(args) => args.execute(),
            Command::Completions(args) => args.execute(),
        }
    }
}

/// Options of every command that plays runs.
#[derive(Debug, Args)]
struct PlayArgs {
    /// How many runs of each scenario or point; without it, what the experiment says, or 100
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<1, RUNS_MAX>)]
    runs: Option<u64>,
    /// The seed of all random numbers: the same seed gives the same bytes
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = DEFAULT_SEED, value_parser = whole::<0, { u64::MAX }>)]
    seed: u64,
    /// Change a setting of every scenario: `gateway.health_check.interval=5s`; may be given again
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// How many threads to use; without it, one for each core. The results are the same
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<1, THREADS_MAX>)]
    threads: Option<u64>,
    /// Replace results that exist; files that are not results stay
    #[arg(long)]
    force: bool,
    /// Go on although there is more to simulate than fits into minutes, or into memory
    #[arg(long)]
    yes: bool,
}

/// Where the command says nothing.
const DEFAULT_SEED: u64 = 1;
/// As in an experiment file.
const RUNS_MAX: u64 = 1_000_000;
/// More than the cores of any machine this runs on.
const THREADS_MAX: u64 = 1_024;

/// Reads a whole number in a range.
fn whole<const LOW: u64, const HIGH: u64>(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (LOW..=HIGH).contains(number));
    number.ok_or_else(|| format!("write a whole number from {LOW} to {HIGH}"))
}

/// Above the work of so many events a command says so and stops, unless told `--yes`: some ten minutes on two cores.
const WORK_UNASKED: f64 = 3e10;
/// Above this many expected requests in one run, arrivals alone may not fit in memory.
const REQUESTS_IN_A_RUN_UNASKED: f64 = 1e9;
/// Above this many rows of per-second counts for one scenario, a table of them may not fit in memory.
const SECONDS_UNASKED: f64 = 1e7;

impl PlayArgs {
    /// Makes the settings given by `--set` in every scenario.
    fn make_settings(&self, documents: &mut [Document]) -> Result<(), Failure> {
        for document in documents {
            for assignment in &self.set {
                document.set_text(assignment)?;
            }
        }
        Ok(())
    }

    /// Refuses to set what the sweep sets again at every point: it would change nothing.
    fn check_settings(&self, sweep: &Sweep) -> Result<(), Failure> {
        for assignment in &self.set {
            let path = assignment.split('=').next().unwrap_or_default().trim();
            // An axis of some scenarios leaves the others to be set.
            let mut axes = sweep.axes.iter().filter(|axis| axis.scenarios.is_none());
            if let Some(axis) = axes.find(|axis| axis.overrides(path)) {
                return Err(Failure::refused(
                    format!(
                        "`--set {assignment}` would change nothing: the sweep has an axis `{}`",
                        axis.path
                    ),
                    "leave it out, or change the values of the axis in experiment.toml",
                ));
            }
        }
        Ok(())
    }

    /// Has rayon use as many threads as asked for.
    fn start_threads(&self) {
        start_threads(self.threads);
    }

    /// Stops a command that would not end in reasonable time, or memory, unless told to go on.
    fn check_size(&self, models: &[Model], runs: u64, wanted: Wanted) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let points: Vec<Surveyed> = models.iter().map(|model| Surveyed::of(model, wanted)).collect();
        self.check_events(&points, runs)?;
        let seconds = models.iter().map(|m| m.duration.as_secs_f64() * runs as f64).fold(0.0, f64::max);
        if wanted.series == Series::All && seconds > SECONDS_UNASKED {
            return Err(Failure::refused(
                format!("about {} seconds of one scenario to write counts of", large(seconds)),
                "shorten `duration`, lower `--runs`, or go on with `--yes`",
            ));
        }
        Ok(())
    }

    /// Stops a command that would not end in reasonable time, unless told to go on.
    fn check_events(&self, points: &[Surveyed], runs: u64) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let played = |point: &Surveyed| if point.is_random { runs as f64 } else { 1.0 };
        let sum =
            |expected: fn(&Surveyed) -> f64| points.iter().map(|p| expected(p) * played(p)).sum::<f64>();
        let (events, requests, probes) = (sum(|p| p.events), sum(|p| p.requests), sum(|p| p.probes));
        let work = sum(|p| p.work);
        let largest = points.iter().map(|point| point.requests).fold(0.0, f64::max);
        if work > WORK_UNASKED || largest > REQUESTS_IN_A_RUN_UNASKED {
            let most = if probes > requests { "gateway.health_check.interval" } else { "traffic.arrivals" };
            let change = if probes > requests { "raise" } else { "lower" };
            let [events, requests, largest, probes] = [events, requests, largest, probes].map(large);
            return Err(Failure::refused(
                format!(
                    "about {events} events to simulate: {requests} requests, up to {largest} in one run, and {probes} probes"
                ),
                format!("{change} `{most}`, shorten `duration`, lower `--runs`, or go on with `--yes`"),
            ));
        }
        Ok(())
    }
}

/// Has rayon use so many threads, or one for each core.
fn start_threads(threads: Option<u64>) {
    let threads = threads.map_or(0, |threads| threads as usize);
    // It fails only if a pool exists, and then the number of threads is already chosen.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
}

/// A number that may be beyond all counting.
fn large(number: f64) -> String {
    match number {
        ..1e15 => thousands(number),
        ..f64::INFINITY => format!("{number:.1e}"),
        _ => "over 1e308".to_owned(),
    }
}

/// So many of something: `1 run`, `1,000 runs`.
fn counted(number: f64, what: &str) -> String {
    format!("{} {what}{}", large(number), if number == 1.0 { "" } else { "s" })
}

/// The models of scenarios and what they ask of their results, or all that is wrong with any of them.
fn models_and_objectives(documents: &[Document]) -> Result<(Vec<Model>, Vec<Vec<Objective>>), Failure> {
    let both = documents.iter().map(|document| match (document.model(), Objective::all_of(document)) {
        (Ok(model), Ok(objectives)) => Ok((model, objectives)),
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems.into()),
        (Err(problems), Err(more)) => Err(Failure::all(vec![problems.into(), more.into()])),
    });
    Ok(all_or_failures(both)?.into_iter().unzip())
}

/// All values, or every failure and not only the first.
fn all_or_failures<T>(results: impl Iterator<Item = Result<T, Failure>>) -> Result<Vec<T>, Failure> {
    let (mut values, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() { Ok(values) } else { Err(Failure::all(failures)) }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    fn bad_input(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: 2 }
    }

    /// What was asked for cannot be done, and what to do instead; it reads as the problems of a file do.
    fn refused(message: impl Into<String>, help: impl Into<String>) -> Self {
        Problems::from(Problem::new(message).help(help)).into()
    }

    /// Several failures of the same kind, one after the other.
    fn all(failures: Vec<Failure>) -> Self {
        let messages: Vec<String> = failures.into_iter().map(|failure| failure.message).collect();
        Failure::bad_input(messages.join("\n\n"))
    }

    /// What was asked was done, and its result is not what it should be.
    fn missed(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: 1 }
    }

    /// Something was done, but not all of it.
    fn partly(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: 3 }
    }

    /// Adds what to do about it.
    fn advised(self, advice: &str) -> Self {
        Failure { message: format!("{}: {advice}", self.message.trim_end()), ..self }
    }

    /// Says above it what it is of.
    fn headed(self, heading: &str) -> Self {
        Failure { message: format!("{heading}\n{}", self.message), ..self }
    }

    fn interrupted() -> Self {
        Failure { message: "interrupted".to_owned(), code: 130 }
    }

    /// Prints the message to standard error.
    pub fn print(&self) {
        // Where nobody listens any more, there is nobody to tell.
        let _ = writeln!(io::stderr(), "{}", self.message.trim_end());
    }

    /// 2 for bad input, 1 when a bar was missed or a disk failed midway, 3 when some points of a sweep failed, 130 when
    /// interrupted.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Failure::bad_input(problems.render(print::colours_errors()))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let code = if error.is_bad_input() { 2 } else { 1 };
        Failure { message: format!("error: {error}"), code }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let ReadError { path, what, help } = error;
        Failure::refused(format!("{}: {what}", path.display()), help)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Read(error) => error.into(),
            FolderError::Cancelled => Failure::interrupted(),
        }
    }
}

impl From<crate::experiment::runner::Cancelled> for Failure {
    fn from(_: crate::experiment::runner::Cancelled) -> Self {
        Failure::interrupted()
    }
}

/// Whether a path names an experiment rather than a scenario.
fn is_experiment(path: &Path) -> bool {
    path.is_dir() || path.file_name().is_some_and(|name| name == "experiment.toml")
}
