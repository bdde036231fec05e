//! `report`: the HTML report of results that are in a folder.

use super::Failure;
use super::again::CommandLine;
use super::page::Page;
use super::print::PrintArgs;
use super::progress::Bar;
use crate::output::Results;
use crate::output::report::{FolderInput, ReportDocument, report_of_results};
use std::path::PathBuf;

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
    /// How many incidents like this one come in a year, for the numbers of a year; without it, as many as Anthropic's API had
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::page::incident_rate)]
    incidents_per_year: Option<f64>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    print: PrintArgs,
}

impl ReportArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        self.print.format("report", &[])?;
        // What is wrong with the results is told first.
        let results = Results::open(&self.results)?;
        let page = Page::create(&self.output, Some(&self.results), self.force)?;
        let bar = self.print.bar(0, 0)?;
        let line = CommandLine::new("report").word(&self.results.to_string_lossy());
        let line = line.option("--incidents-per-year", self.incidents_per_year);
        let command = line.option("--output", Some("report.html")).text();
        let report = of_results(&results, command, self.incidents_per_year, &bar)?;
        page.write(&report)?;
        bar.finish();
        self.print.summary(&format!("{}: {}\n", self.output.display(), report.decision.sentence))
    }
}

/// The report of what is in a folder.
pub(super) fn of_results(
    results: &Results,
    command: String,
    incidents_per_year: Option<f64>,
    bar: &Bar,
) -> Result<ReportDocument, Failure> {
    Ok(report_of_results(&FolderInput { results, command, incidents_per_year }, bar)?)
}
