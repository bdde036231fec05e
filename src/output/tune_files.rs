//! What `tune` writes: a document of the answer, a table of all candidates, and scenarios with the recommended settings.

use super::csv::csv_text;
use super::manifest::{MANIFEST, Provenance, SCHEMA_VERSION, manifest};
use super::schema::Design;
use super::table_file::{PARQUET_AVAILABLE, TableFile, WrittenFile};
use super::tune_table::candidates;
use super::{FileError, TextFile};
use crate::experiment::axis::AxisValue;
use crate::experiment::tune::report::{Choice, Report, Setting};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The file of a [`StoredTune`].
pub(super) const TUNE: &str = "tune.json";

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

/// A search as its folder keeps it, so that a report can be made of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredTune {
    /// The answer.
    pub report: Report,
    /// The columns of the axes.
    pub columns: Vec<String>,
    /// Every candidate that was played, in the order in which they were thought of.
    pub candidates: Vec<StoredCandidate>,
}

/// A candidate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredCandidate {
    /// All that is known of it.
    pub choice: Choice,
    /// Its value on each axis, as in result tables.
    pub values: Vec<serde_json::Value>,
}

impl StoredTune {
    /// What there is to keep of an answer.
    pub fn of(report: &Report) -> Self {
        let value = |setting: &Setting| match &setting.number {
            AxisValue::Number(number) => (*number).into(),
            AxisValue::Text(text) => text.as_str().into(),
        };
        let candidate = |choice: &Choice| StoredCandidate {
            values: choice.settings.iter().map(value).collect(),
            choice: choice.clone(),
        };
        let columns = report.candidates.first().map(|choice| &choice.settings[..]).unwrap_or_default();
        StoredTune {
            columns: columns.iter().map(|setting| setting.column.clone()).collect(),
            candidates: report.candidates.iter().map(candidate).collect(),
            report: report.clone(),
        }
    }
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
    answer: TextFile,
    manifest: TextFile,
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
        let [manifest, answer] = [MANIFEST, TUNE].map(|name| TextFile::create(&path.join(name), force));
        let (manifest, answer) = (manifest?, answer?);
        let open = |(nth, name): (usize, &&str)| TextFile::create(&path.join(file_name(nth, name)), force);
        let scenarios = scenarios.iter().enumerate().map(open).collect::<Result<_, _>>()?;
        Ok(TuneFolder { path: path.to_owned(), force, scenarios, answer, manifest })
    }

    /// Writes the table, and the scenarios if there is something to recommend; returns the names of what was written.
    ///
    /// # Errors
    /// If the disk is full, or fails otherwise.
    pub fn finish(
        self,
        report: &Report,
        scenarios: &[(String, String)],
        provenance: Provenance,
    ) -> Result<Vec<String>, FileError> {
        let table = candidates(report);
        let mut files = Vec::new();
        for extension in ["csv", "parquet"] {
            if extension == "csv" || PARQUET_AVAILABLE {
                let path = self.path.join(format!("candidates.{extension}"));
                files.push(TableFile::create(&path, self.force, &table)?.finish()?);
            }
        }
        let answer = serde_json::to_string(&StoredTune::of(report)).expect("an answer is plain data") + "\n";
        self.answer.write(&answer)?;
        let crc32 = Some(crc32fast::hash(answer.as_bytes()));
        files.push(WrittenFile { name: TUNE.to_owned(), rows: 1, bytes: answer.len() as u64, crc32 });
        let mut written: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
        for (nth, (file, (name, text))) in self.scenarios.into_iter().zip(scenarios).enumerate() {
            file.write(&format!("{}{text}", heading(report, name)))?;
            written.push(file_name(nth, name));
        }
        // It comes last: a folder with a manifest is complete.
        let design = Design { seed: report.seed, ..Design::default() };
        self.manifest.write(&manifest(design, provenance, &files))?;
        Ok(written)
    }
}

/// What a scenario's file says of itself.
fn heading(report: &Report, scenario: &str) -> String {
    let mut lines = vec![format!(
        "`{scenario}` with the settings that `tune` recommends; `run` it with `--seed {}`.",
        report.seed
    )];
    lines.push(format!("{} {}", report.direction.name(), report.objectives.join(", ")));
    lines.extend(report.constraints.iter().map(|constraint| format!("subject to {constraint}")));
    for setting in report.recommended.iter().flat_map(|choice| &choice.settings) {
        lines.push(format!("{} = {}", setting.path, setting.value));
    }
    lines.iter().map(|line| format!("# {line}\n")).collect()
}
