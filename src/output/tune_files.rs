//! What `tune` writes: a document of the answer, a table of all candidates, and scenarios with the recommended settings.

use super::csv::csv_text;
use super::manifest::SCHEMA_VERSION;
use super::table_file::{PARQUET_AVAILABLE, TableFile};
use super::tune_table::candidates;
use super::{FileError, TextFile};
use crate::experiment::tune::report::Report;
use std::fs;
use std::path::{Path, PathBuf};

/// The answer, for programs.
pub fn tune_json(report: &Report) -> String {
    let mut document = serde_json::json!({ "schema_version": SCHEMA_VERSION });
    let report = serde_json::to_value(report).expect("a report is plain data");
    if let (Some(document), serde_json::Value::Object(report)) = (document.as_object_mut(), report) {
        document.extend(report);
    }
    serde_json::to_string_pretty(&document).expect("a report is plain data") + "\n"
}

/// The table of all candidates, as `--out` writes it.
pub fn tune_csv(report: &Report) -> String {
    csv_text(&candidates(report))
}

/// The names of the files of a scenario with the recommended settings: the one that counts most is `best.toml`.
fn file_name(nth: usize, scenario: &str) -> String {
    if nth == 0 { "best.toml".to_owned() } else { format!("best_{scenario}.toml") }
}

/// A folder that was made, or taken, before the work.
pub struct TuneFolder {
    path: PathBuf,
    force: bool,
    /// One for each scenario, in the order in which they will be handed over.
    scenarios: Vec<TextFile>,
}

impl TuneFolder {
    /// Makes the folder and opens the files of scenarios, of which those that count most come first.
    ///
    /// # Errors
    /// If a file exists and `force` is not given, or cannot be created.
    pub fn create(path: &Path, force: bool, scenarios: &[&str]) -> Result<Self, FileError> {
        fs::create_dir_all(path).map_err(FileError::create(path))?;
        for table in ["candidates.csv", "candidates.parquet"] {
            let path = path.join(table);
            if path.exists() && !force {
                return Err(FileError::Exists { path });
            }
        }
        let open = |(nth, name): (usize, &&str)| TextFile::create(&path.join(file_name(nth, name)), force);
        let scenarios = scenarios.iter().enumerate().map(open).collect::<Result<_, _>>()?;
        Ok(TuneFolder { path: path.to_owned(), force, scenarios })
    }

    /// Writes the table, and the scenarios if there is something to recommend; returns the names of what was written.
    ///
    /// # Errors
    /// If the disk is full, or fails otherwise.
    pub fn finish(self, report: &Report, scenarios: &[(String, String)]) -> Result<Vec<String>, FileError> {
        let table = candidates(report);
        let mut written = Vec::new();
        for extension in ["csv", "parquet"] {
            if extension == "csv" || PARQUET_AVAILABLE {
                let path = self.path.join(format!("candidates.{extension}"));
                written.push(TableFile::create(&path, self.force, &table)?.finish()?.name);
            }
        }
        for (nth, (file, (name, text))) in self.scenarios.into_iter().zip(scenarios).enumerate() {
            file.write(&format!("{}{text}", heading(report, name)))?;
            written.push(file_name(nth, name));
        }
        Ok(written)
    }
}

/// What a scenario's file says of itself.
fn heading(report: &Report, scenario: &str) -> String {
    let mut lines = vec![format!(
        "`{scenario}` with the settings that `tune` recommends; `run` it with `--seed {}`.",
        report.seed
    )];
    lines.push(format!("{} {}", report.direction, report.objectives.join(", ")));
    lines.extend(report.constraints.iter().map(|constraint| format!("subject to {constraint}")));
    for setting in report.recommended.iter().flat_map(|choice| &choice.settings) {
        lines.push(format!("{} = {}", setting.path, setting.value));
    }
    lines.iter().map(|line| format!("# {line}\n")).collect()
}
