//! `report`: the HTML report of results that are in a folder.

use super::Failure;
use super::again::CommandLine;
use super::print::PrintArgs;
use super::progress::Bar;
use crate::experiment::file::Experiment;
use crate::output::report::{FolderInput, Origin, html, report_of_results, report_of_tune};
use crate::output::{ResultFolder, Results, StoredTune, TextFile};
use std::path::{Path, PathBuf};

/// Make a report of results that `run --out`, `sweep`, `merge` or `tune --out` wrote
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  failover-sim run before.toml after.toml --out results/compared
  failover-sim report results/compared --output report.html
  failover-sim report results/02_health_check_interval --output sweep.html --force

The report is one HTML file that needs no network. Numbers are those of the tables; what tables do
not hold, such as one run looked at closely, is played again from the scenarios in manifest.json.

Exit codes: 0 done, 1 writing failed midway, 2 bad input or unwritable output, 130 interrupted")]
pub struct ReportArgs {
    /// The results folder
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE.html")]
    output: PathBuf,
    /// How many incidents like this one come in a year, for the numbers of a year
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::page::incident_rate)]
    incidents_per_year: Option<f64>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    print: PrintArgs,
}

/// A report's file, opened before the work: what cannot be written should fail before it, and not after it.
pub(super) struct ReportFile(TextFile);

impl ReportFile {
    /// Opens it; it must not be one of the results that it is made of.
    pub fn create(path: &Path, results: &Path, force: bool) -> Result<Self, Failure> {
        if ResultFolder::owns(results, path) {
            return Err(Failure::refused(
                format!("{} is one of the results", path.display()),
                "choose another name: a report does not replace what it is made of",
            ));
        }
        Ok(ReportFile(TextFile::create(path, force)?))
    }

    /// Writes the report of what is in a folder; returns what it says to do.
    pub fn write(
        self,
        results: &Path,
        command: String,
        incidents_per_year: Option<f64>,
        bar: &Bar,
    ) -> Result<String, Failure> {
        let results = Results::open(results)?;
        let input = FolderInput { results: &results, command, incidents_per_year };
        let report = report_of_results(&input, bar)?;
        self.0.write(&html(&report))?;
        Ok(report.decision.sentence)
    }

    /// Writes the report of a search.
    pub fn write_tune(
        self,
        origin: &Origin,
        stored: &StoredTune,
        experiment: &Experiment,
        bar: &Bar,
    ) -> Result<(), Failure> {
        let report = report_of_tune(origin, stored, Ok(experiment), bar)?;
        Ok(self.0.write(&html(&report))?)
    }
}

impl ReportArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        self.print.format("report", &[])?;
        // What is wrong with the results is told first.
        Results::open(&self.results)?;
        let file = ReportFile::create(&self.output, &self.results, self.force)?;
        let bar = self.print.bar(0, 0)?;
        let line = CommandLine::new("report").word(&self.results.to_string_lossy());
        let line = line.option("--incidents-per-year", self.incidents_per_year);
        let command = line.option("--output", Some("report.html")).text();
        let decision = file.write(&self.results, command, self.incidents_per_year, &bar)?;
        bar.finish();
        self.print.summary(&format!("{}: {decision}\n", self.output.display()))
    }
}
