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
mod page;
mod print;
mod progress;
mod report;
mod run;
mod schema;
mod serve;
mod stop;
mod sweep;
mod swept;
mod tune;
mod validate;

use crate::job::Failure;
use crate::output::Existing;
use clap::{Args, Parser, Subcommand};
use print::print_out;
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
    /// Does what the arguments say, prints why not if it does not, and says what to exit with.
    pub fn execute(&self) -> ExitCode {
        self.color.choose();
        match self.command.execute() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                print::print_failure(&failure);
                ExitCode::from(failure.code())
            }
        }
    }
}

impl Command {
    fn execute(&self) -> Result<(), Failure> {
        match self {
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

impl PlayArgs {
    /// Has rayon use as many threads as asked for.
    fn start_threads(&self) {
        start_threads(self.threads);
    }

    /// What becomes of results that exist.
    fn existing(&self) -> Existing {
        if self.force { Existing::Replace } else { Existing::Refuse }
    }
}

/// Has rayon use so many threads, or one for each core.
fn start_threads(threads: Option<u64>) {
    let threads = threads.map_or(0, |threads| threads as usize);
    // It fails only if a pool exists, and then the number of threads is already chosen.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
}
