//! The command line: clap types, and one file for each subcommand.
//!
//! Only this module and `main` print. Results go to standard output; progress and errors go to standard error.

mod check;
mod new;
mod progress;
mod run;
mod schema;
mod sweep;

use crate::output::FileError;
use crate::scenario::Problems;
use clap::{Args, Parser, Subcommand};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

/// How many requests will this gateway config lose? Simulate the outage before you have it.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::NewArgs),
    Check(check::CheckArgs),
    Run(run::RunArgs),
    Sweep(sweep::SweepArgs),
    Schema(schema::SchemaArgs),
}

impl Cli {
    /// Does what the arguments say.
    ///
    /// # Errors
    /// With what to print and which code to exit with.
    pub fn execute(&self) -> Result<(), Failure> {
        match &self.command {
            Command::New(args) => args.execute(),
            Command::Check(args) => args.execute(),
            Command::Run(args) => args.execute(),
            Command::Sweep(args) => args.execute(),
            Command::Schema(args) => args.execute(),
        }
    }
}

/// Options of every command that plays runs.
#[derive(Debug, Args)]
struct PlayArgs {
    /// Runs of each scenario or point; default: what the experiment says, or 100
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// The seed of all random numbers
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Change a setting, as often as you like: `--set gateway.health_check.interval=5s`
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Threads to use; default: one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Overwrite results that exist
    #[arg(long)]
    force: bool,
    /// Go on although it will take long
    #[arg(long)]
    yes: bool,
}

/// Above this many events a command says so and stops, unless told `--yes`: some ten minutes on two cores.
const EVENTS_UNASKED: f64 = 3e10;
/// Above this many expected requests in one run, arrivals alone may not fit in memory.
const REQUESTS_IN_A_RUN_UNASKED: f64 = 1e9;

impl PlayArgs {
    /// Has rayon use as many threads as asked for.
    fn start_threads(&self) {
        let threads = self.threads.map_or(0, usize::from);
        // It fails only if a pool exists, and then the number of threads is already chosen.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }

    /// Stops a command that would not end in reasonable time, or memory, unless told to go on.
    fn check_size(&self, models: &[crate::model::Model], runs: u64) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let events =
            |m: &crate::model::Model| m.expected_events() * if m.is_random() { runs as f64 } else { 1.0 };
        let total: f64 = models.iter().map(events).sum();
        let largest = models.iter().map(|m| m.expected_requests()).fold(0.0, f64::max);
        if total <= EVENTS_UNASKED && largest <= REQUESTS_IN_A_RUN_UNASKED {
            return Ok(());
        }
        Err(Failure::bad_input(format!(
            "error: about {total:.1e} events, and up to {largest:.1e} requests in one run\n  \
             = help: lower `traffic.arrivals`, `duration` or `--runs`, or go on with `--yes`"
        )))
    }
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

    fn interrupted() -> Self {
        Failure { message: "interrupted".to_owned(), code: 130 }
    }

    /// Prints the message to standard error.
    pub fn print(&self) {
        eprintln!("{}", self.message.trim_end());
    }

    /// 2 for bad input, 1 when a disk failed midway, 130 when interrupted.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Failure::bad_input(problems.render(colour))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let code = if error.is_bad_input() { 2 } else { 1 };
        Failure { message: format!("error: {error}"), code }
    }
}

impl From<crate::experiment::runner::Cancelled> for Failure {
    fn from(_: crate::experiment::runner::Cancelled) -> Self {
        Failure::interrupted()
    }
}

/// Prints to standard output. A reader that has gone away, as `head` does, ends the program quietly.
fn print_out(text: &str) -> Result<(), Failure> {
    use io::Write;
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::bad_input(format!("error: cannot write to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Whether a path names an experiment rather than a scenario.
fn is_experiment(path: &Path) -> bool {
    path.is_dir() || path.file_name().is_some_and(|name| name == "experiment.toml")
}
