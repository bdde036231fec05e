//! `tune`: which settings on the axes of an experiment are best.

use super::again::CommandLine;
use super::page::PageArgs;
use super::print::{Format, PrintArgs, print_out, screen};
use super::{Failure, PlayArgs};
use crate::experiment::file::Experiment;
use crate::experiment::tune::report::Report;
use crate::job::tune::{TuneJob, TuneOptions};
use crate::output::report::{Origin, report_of_tune};
use crate::output::{StoredTune, tune_csv, tune_json, tune_summary};
use crate::scenario::Loader;
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
        let experiment = Experiment::open(&self.experiment, &mut Loader::new())?;
        let job = TuneJob::new(experiment, &self.experiment, self.options())?;
        // Files are opened first: what cannot be written should fail before the work, not after it.
        let folder = self.out.as_deref().map(|out| job.open(out, self.play.force)).transpose()?;
        let page = self.page.open(self.out.as_deref(), self.play.force)?;
        if folder.is_some() {
            self.print.note_missing_parquet();
        }

        self.play.start_threads();
        let bar = self.print.bar(job.budget().unwrap_or(0), 0)?;
        let report = job.play(&bar)?;
        bar.finish();
        if let Some(folder) = folder {
            job.write(folder, &report, std::env::args().collect())?;
        }
        let printed = match format {
            Format::Json => print_out(&tune_json(&report)),
            Format::Csv => print_out(&tune_csv(&report)),
            _ => self.print.summary(&tune_summary(&report, self.out.as_deref(), screen())),
        };
        // A report takes some more runs: what the search found is not lost with it.
        if let Some(page) = page {
            let stored = StoredTune::of(&report);
            page.write(&report_of_tune(&self.origin(&report), &stored, Ok(job.experiment()), &bar)?)?;
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

    fn options(&self) -> TuneOptions {
        TuneOptions {
            seed: self.play.seed,
            runs: self.play.runs,
            minimize: self.minimize.clone(),
            maximize: self.maximize.clone(),
            subject_to: self.subject_to.clone(),
            budget: self.budget,
            set: self.play.set.clone(),
        }
    }
}
