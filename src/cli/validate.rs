//! `validate`: holds the simulator against measured outages of real gateways.

use super::print::{Format, PrintArgs, print_out};
use super::{Failure, RUNS_MAX, THREADS_MAX, start_threads, whole};
use crate::output::{JunitCase, JunitSuite, SCHEMA_VERSION, TextFile, junit_text};
use crate::validation::document::FidelityDocument;
use crate::validation::fidelity::{self, Verdict};
use crate::validation::{compare, prepare, report::Report, rows};
use std::path::{Path, PathBuf};

/// Hold predictions against measured outages of real gateways
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  failover-sim validate tests/real_gateways/runs.csv
  failover-sim validate tests/real_gateways/runs.csv --runs 50 --rows rows.csv
  failover-sim validate tests/real_gateways/runs.csv --format junit
  failover-sim validate tests/real_gateways/runs.csv \\
    --scenario haproxy/h_i2f1/refused/1

Exit codes: 0 every bar holds, 1 one is missed, 2 bad input or unwritable output")]
pub struct ValidateArgs {
    /// Measured outages, a row each, with the columns of tests/real_gateways/runs.csv
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// How many runs of each row
    #[arg(long, value_name = "N", default_value_t = 200, allow_negative_numbers = true, value_parser = whole::<2, RUNS_MAX>)]
    runs: u64,
    /// The seed of all random numbers: the same seed gives the same bytes
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 1, value_parser = whole::<0, { u64::MAX }>)]
    seed: u64,
    /// How many threads to use; without it, one for each core. The results are the same
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<1, THREADS_MAX>)]
    threads: Option<u64>,
    /// Write the table, the bars and what disagrees as a Markdown document
    #[arg(long, value_name = "FILE.md")]
    out: Option<PathBuf>,
    /// Write the table, a row for each config and kind of outage
    #[arg(long, value_name = "FILE.csv")]
    csv: Option<PathBuf>,
    /// Write a row for each measured outage, with what was predicted
    #[arg(long, value_name = "FILE.csv")]
    rows: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// Print the scenario that the row of this run_id becomes, and simulate nothing
    #[arg(long, value_name = "RUN_ID")]
    scenario: Option<String>,
    #[command(flatten)]
    print: PrintArgs,
}

impl ValidateArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let format = self.print.format("validate", &[Format::Json, Format::Csv, Format::Junit])?;
        let name = self.file.display().to_string();
        let text = std::fs::read_to_string(&self.file).map_err(|error| {
            Failure::refused(
                format!("`{name}` cannot be read: {error}"),
                "name a CSV file of measured outages",
            )
        })?;
        let prepared = prepare(rows::read(&name, &text)?)?;
        if let Some(id) = &self.scenario {
            let found = prepared.iter().find(|row| row.run.id == *id);
            return match found {
                Some(row) => print_out(&row.text),
                None => Err(Failure::refused(
                    format!("`{name}` has no row with the run_id `{id}`"),
                    "the first column of the file has them",
                )),
            };
        }
        let create =
            |path: &Option<PathBuf>| path.as_deref().map(|p| TextFile::create(p, self.force)).transpose();
        // Files are opened first: what cannot be written should fail before the work, not after it.
        let (out, csv, rows) = (create(&self.out)?, create(&self.csv)?, create(&self.rows)?);

        start_threads(self.threads);
        let bar = self.print.bar(prepared.len() as u64 * self.runs, 0)?;
        let compared = compare(prepared, self.seed, self.runs, &bar)?;
        bar.finish();

        let cells = fidelity::cells(&compared);
        let verdicts = fidelity::verdicts(&cells);
        let command = self.command();
        let report = Report {
            command: &command,
            runs: self.runs,
            compared: &compared,
            cells: &cells,
            verdicts: &verdicts,
        };
        for (file, text) in [(out, report.markdown()), (csv, report.cells_csv()), (rows, report.rows_csv())] {
            file.map(|file| file.write(&text)).transpose()?;
        }
        match format {
            Format::Table => self.print.summary(&report.terminal())?,
            Format::Json => print_out(&self.json(&report))?,
            Format::Csv => print_out(&report.cells_csv())?,
            Format::Junit => print_out(&junit(&verdicts))?,
        }
        if report.holds() { Ok(()) } else { Err(Failure::missed("a bar is missed: see the last table")) }
    }

    /// The fidelity table as a document.
    fn json(&self, report: &Report) -> String {
        let mut document = serde_json::json!({ "schema_version": SCHEMA_VERSION, "seed": self.seed });
        let fidelity = serde_json::to_value(FidelityDocument::of(report)).expect("it is plain data");
        if let (Some(document), serde_json::Value::Object(fidelity)) = (document.as_object_mut(), fidelity) {
            document.extend(fidelity);
        }
        serde_json::to_string_pretty(&document).expect("it is plain data") + "\n"
    }

    /// The command that makes the document again.
    fn command(&self) -> String {
        let mut command = format!("failover-sim validate {} --runs {}", self.file.display(), self.runs);
        if self.seed != 1 {
            command += &format!(" --seed {}", self.seed);
        }
        let out = self.out.as_deref().map(Path::display);
        command + &out.map(|out| format!(" --out {out} --force")).unwrap_or_default()
    }
}

/// A suite for each gateway, and in it a case for each bar.
fn junit(verdicts: &[Verdict]) -> String {
    let suite = |verdict: &Verdict| {
        let ((rows, inside), (cells, close, off)) = (verdict.coverage, verdict.means);
        let ((timed, detected), (_, recovered)) = (verdict.detection, verdict.recovery);
        let coverage = format!("{inside} of {rows} rows inside, p = {:.4}", verdict.coverage_p);
        let means = format!("{close} of {cells} means close, {off} off");
        let times = format!("of {timed} rows, {detected} detected and {recovered} recovered in time");
        let cases = [
            ("coverage", verdict.coverage_holds(), coverage),
            ("means", verdict.means_hold(), means),
            ("times", verdict.times_hold(), times),
        ];
        let case = |(name, met, found): (&str, bool, String)| JunitCase {
            name: name.to_owned(),
            met,
            found,
            details: String::new(),
        };
        JunitSuite { name: verdict.gateway.to_owned(), cases: cases.map(case).into() }
    };
    junit_text(&verdicts.iter().map(suite).collect::<Vec<_>>())
}
