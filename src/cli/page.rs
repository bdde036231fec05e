//! `run --report`: the runs as one HTML page for people.

use super::Failure;
use super::again::CommandLine;
use super::opened::Opened;
use super::progress::Bar;
use crate::experiment::runner::RunPlan;
use crate::output::report::{RunsInput, html, report_of_runs};
use crate::output::{ScenarioResult, TextFile};
use std::path::{Path, PathBuf};

/// More than anybody counts one by one.
const INCIDENTS_MAX: f64 = 100_000.0;

/// Options that write a report.
#[derive(Debug, clap::Args)]
pub(super) struct PageArgs {
    /// Write a report for people into this file: one HTML page with everything in it
    #[arg(long, value_name = "FILE.html", conflicts_with_all = ["resolved", "explain"])]
    report: Option<PathBuf>,
    /// How many incidents like this one come in a year, for the report; without it, 67, as many as Anthropic's API had
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "report", value_parser = incident_rate)]
    incidents_per_year: Option<f64>,
}

/// Reads how many incidents a year has.
pub(super) fn incident_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| *rate > 0.0 && *rate <= INCIDENTS_MAX);
    rate.ok_or_else(|| format!("write a number above 0, and at most {INCIDENTS_MAX}"))
}

impl PageArgs {
    /// Where the report goes, by the option that says so.
    pub fn file(&self) -> (&'static str, Option<&Path>) {
        ("--report", self.report.as_deref())
    }

    /// Opens the file, if one is wanted.
    pub fn open(&self, force: bool) -> Result<Option<TextFile>, Failure> {
        Ok(self.report.as_deref().map(|path| TextFile::create(path, force)).transpose()?)
    }

    /// Adds what changes the report to the command that makes it again, whatever the file is called.
    pub fn again(&self, line: CommandLine) -> CommandLine {
        let line = line.option("--incidents-per-year", self.incidents_per_year);
        line.option("--report", self.report.as_ref().map(|_| "report.html"))
    }

    /// Writes the report into its file, if there is one; `again` is the command that makes it again.
    pub fn write(
        &self,
        file: Option<TextFile>,
        opened: &Opened,
        plan: &RunPlan,
        results: &[ScenarioResult],
        again: CommandLine,
        bar: &Bar,
    ) -> Result<(), Failure> {
        let Some(file) = file else { return Ok(()) };
        let input = RunsInput {
            documents: &opened.documents,
            results,
            plan,
            preface: &opened.preface(),
            command: again.text(),
            incidents_per_year: self.incidents_per_year,
        };
        Ok(file.write(&html(&report_of_runs(&input, bar)?))?)
    }
}
