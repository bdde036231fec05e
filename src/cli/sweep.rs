//! `sweep`: every point of an experiment's sweep, into a results folder.

use super::again::CommandLine;
use super::dry_run::DryRun;
use super::page::PageArgs;
use super::print::{Format, PrintArgs, print_out};
use super::report::of_results;
use super::swept::print_swept;
use super::{Failure, PlayArgs, RUNS_MAX, whole};
use crate::experiment::file::Experiment;
use crate::job::sweep::{SweepJob, SweepOptions};
use crate::output::{Existing, Recorded, ResultFolder, Results, Shard};
use crate::scenario::Loader;
use std::path::PathBuf;

/// Play every point of an experiment's sweep and write tables
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  failover-sim sweep experiments/02_health_check_interval
  failover-sim sweep experiments/02_health_check_interval --dry-run
  failover-sim sweep experiments/02_health_check_interval --runs 10 --out quick
  failover-sim sweep experiments/02_health_check_interval --runs 100 --resume
  failover-sim sweep experiments/02_health_check_interval --shard 1/4 --out 1

What is played is kept in the folder's ledger/ about every second, so a sweep can be
stopped or killed at any moment and goes on with `--resume`. The results are the same.

Exit codes: 0 done, 1 writing failed midway, 2 bad input or unwritable output,
3 some points failed, 130 interrupted")]
pub struct SweepArgs {
    /// An experiment folder with a `[sweep]` in its experiment.toml
    experiment: PathBuf,
    #[command(flatten)]
    play: PlayArgs,
    /// The folder to write to; without it, results/ and the experiment's name
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the sweep in the folder, or give its points more runs: what is there is not played again
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Play only part I of N; `merge` joins the parts' folders
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Give a point more runs until half its interval is this narrow: "failed_count 2%", "failed_count.p95 50"
    #[arg(long, value_name = "PRECISION")]
    until: Option<String>,
    /// With `--until`: how many runs a point gets at least; without it 10. It is judged then, and each time that its
    /// runs have grown by half
    #[arg(
        long, value_name = "N", requires = "until", allow_negative_numbers = true, value_parser = whole::<2, RUNS_MAX>,
    )]
    min_runs: Option<u64>,
    /// With `--until`: how many runs a point gets at most; without it, what the experiment says
    #[arg(
        long, value_name = "N", requires = "until", conflicts_with = "runs", allow_negative_numbers = true,
        value_parser = whole::<2, RUNS_MAX>,
    )]
    max_runs: Option<u64>,
    /// What to record of a run: with `counts`, no latency, which is faster
    #[arg(long, value_enum, default_value_t = Metrics::All)]
    metrics: Metrics,
    #[command(flatten)]
    page: PageArgs,
    /// Say how many points and runs there are, and about how long they take here; write nothing
    #[arg(long, conflicts_with_all = ["resume", "shard", "report"])]
    dry_run: bool,
    #[command(flatten)]
    print: PrintArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Metrics {
    All,
    Counts,
}

impl SweepArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let format = match self.dry_run {
            true => self.print.format("sweep --dry-run", &[])?,
            false => self.print.format("sweep", &[Format::Json, Format::Csv])?,
        };
        let experiment = Experiment::open(&self.experiment, &mut Loader::new())?;
        let job = SweepJob::new(experiment, &self.experiment, self.options())?;
        self.play.start_threads();
        if self.dry_run {
            return print_out(&DryRun { job: &job, seed: self.play.seed }.report()?);
        }
        let out = self.out.clone().unwrap_or_else(|| job.usual_folder());
        // Nobody listens to Ctrl-C yet, so it ends the process at once.
        let surveyed = job.survey(&())?;
        let warning = surveyed.warning();
        let folder = ResultFolder::create(&out, self.existing())?;
        let page = self.page.open(Some(&out), self.play.force)?;
        let mut open = surveyed.open(folder)?;
        open.notes().iter().for_each(|note| self.print.note(&format!("note: {note}")));
        self.print.note_missing_parquet();
        if let Some(warning) = warning {
            self.print.note(&format!("warning: {warning}"));
        }
        let (all, done) = open.counts();
        let bar = self.print.bar(all, done)?;
        open.play(&bar)?;
        bar.finish();
        let swept = open.finish(std::env::args().collect())?;
        if let Some(note) = swept.note() {
            self.print.note(&format!("note: {note}"));
        }
        let printed = print_swept(&swept, &self.print, format);
        if let Some(page) = page {
            let results = Results::open(&out)?;
            page.write(&of_results(&results, self.command(), self.page.incidents_per_year, &bar)?)?;
        }
        printed
    }

    fn options(&self) -> SweepOptions {
        SweepOptions {
            seed: self.play.seed,
            runs: self.play.runs,
            until: self.until.clone(),
            min_runs: self.min_runs,
            max_runs: self.max_runs,
            metrics: match self.metrics {
                Metrics::All => Recorded::All,
                Metrics::Counts => Recorded::Counts,
            },
            shard: self.shard,
            set: self.play.set.clone(),
            yes: self.play.yes,
        }
    }

    fn existing(&self) -> Existing {
        if self.resume { Existing::GoOn } else { self.play.existing() }
    }

    /// The command that makes the report again, wherever its results go.
    fn command(&self) -> String {
        let line = CommandLine::new("sweep").word(&self.experiment.to_string_lossy()).play(&self.play);
        let line = line.option("--shard", self.shard).option("--until", self.until.as_ref());
        let line = line.option("--min-runs", self.min_runs).option("--max-runs", self.max_runs);
        let counts = (self.metrics == Metrics::Counts).then_some("counts");
        self.page.again(line.option("--metrics", counts)).text()
    }
}
