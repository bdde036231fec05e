//! Options that write a report for people, and its file: one HTML page.

use super::Failure;
use super::again::CommandLine;
use crate::output::report::{ReportDocument, html};
use crate::output::{ResultFolder, TextFile};
use std::path::{Path, PathBuf};

/// More than anybody counts one by one.
const INCIDENTS_MAX: f64 = 100_000.0;

/// Options that write a report beside what else a command does.
#[derive(Debug, clap::Args)]
pub(super) struct PageArgs {
    /// Write a report for people into this file: one HTML page with everything in it
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// How many incidents like this one come in a year, for the report; without it, as many as Anthropic's API had
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "report", value_parser = incident_rate)]
    pub incidents_per_year: Option<f64>,
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

    /// Opens the file, if one is wanted; the results that it is made of may be in a folder.
    pub fn open(&self, results: Option<&Path>, force: bool) -> Result<Option<Page>, Failure> {
        self.report.as_deref().map(|path| Page::create(path, results, force)).transpose()
    }

    /// Adds what changes the report to the command that makes it again, whatever the file is called.
    pub fn again(&self, line: CommandLine) -> CommandLine {
        let line = line.option("--incidents-per-year", self.incidents_per_year);
        line.option("--report", self.report.as_ref().map(|_| "report.html"))
    }
}

/// A report's file, opened before the work: what cannot be written should fail before it, and not after it.
pub(super) struct Page(TextFile);

impl Page {
    /// Opens it; it must not be one of the results that it is made of.
    pub fn create(path: &Path, results: Option<&Path>, force: bool) -> Result<Self, Failure> {
        if results.is_some_and(|results| ResultFolder::owns(results, path)) {
            return Err(Failure::refused(
                format!("{} is one of the results", path.display()),
                "choose another name: a report does not replace what it is made of",
            ));
        }
        Ok(Page(TextFile::create(path, force)?))
    }

    /// Writes it.
    pub fn write(self, report: &ReportDocument) -> Result<(), Failure> {
        Ok(self.0.write(&html(report))?)
    }
}
