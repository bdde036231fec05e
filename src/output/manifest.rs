//! `manifest.json`: where the results of a folder come from, and that they are complete.

use super::FileError;
use super::plan::{Recorded, Shard};
use super::schema::{AxisColumn, Design};
use super::table_file::WrittenFile;
use crate::experiment::axis::AxisValue;
use crate::experiment::criterion::Precision;
use crate::experiment::file::Experiment;
use crate::experiment::stopping::Stopping;
use crate::scenario::Document;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// The version of the tables' columns, the manifest, the ledger and the JSON document; it grows when a reader could
/// break.
pub const SCHEMA_VERSION: u32 = 1;

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// Where results come from, as far as the rows do not say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Provenance {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Runs of each point, at most.
    pub runs: u64,
    /// What was asked for.
    pub request: Request,
    /// What was run.
    pub scenarios: Vec<ScenarioProvenance>,
    /// What there is to say of a sweep.
    pub sweep: Option<SweepProvenance>,
}

/// What was asked for, as far as it is not in the scenarios' files: with these, the same can be played again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Settings that the command line makes in every scenario, as `path=value`.
    pub set: Vec<String>,
    /// What the command line asks of the results.
    pub gates: Vec<String>,
    /// What a summary begins with: the question, and which point of a sweep it is.
    pub preface: Vec<String>,
    /// The experiment of which points were played.
    pub experiment: Option<ExperimentProvenance>,
}

/// An experiment's file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentProvenance {
    /// Its path, as it was given.
    pub path: String,
    /// All that it says.
    pub text: String,
}

impl ExperimentProvenance {
    /// What there is to say of an experiment.
    pub fn of(experiment: &Experiment) -> Self {
        ExperimentProvenance { path: experiment.path.clone(), text: experiment.text.clone() }
    }
}

/// One scenario of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioProvenance {
    /// Its name, as in the tables.
    pub name: String,
    /// The file that it was read from.
    pub path: String,
    /// Every setting, with defaults and overrides in place.
    pub resolved: serde_json::Value,
    /// All that the file says.
    #[serde(default)]
    pub text: String,
    /// The same with its parts and overrides in it: one text that stands by itself, wherever it is read.
    #[serde(default)]
    pub standalone: String,
}

impl ScenarioProvenance {
    /// What there is to say of a scenario.
    pub fn of(document: &Document) -> Self {
        ScenarioProvenance {
            name: document.name().to_owned(),
            path: document.path().to_owned(),
            resolved: document.to_json(),
            text: document.text().to_owned(),
            standalone: document.standalone(),
        }
    }
}

/// How the points of a sweep were played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepProvenance {
    /// Points of all shards.
    pub points: usize,
    /// Those of them that failed here.
    pub failed_points: usize,
    /// What was recorded of a run.
    pub metrics: Recorded,
    /// The precision that was asked for; null if every point has the same number of runs.
    pub until: Option<String>,
    /// Runs of a point, at least.
    pub min_runs: u64,
    /// Runs of a point, at most.
    pub max_runs: u64,
    /// The part that these results are; null if they are all of it.
    pub shard: Option<Shard>,
    /// Of what defines the sweep: the same in all of its shards.
    pub fingerprint: u64,
    /// What `ledger/` takes, in bytes.
    pub ledger_bytes: u64,
}

impl SweepProvenance {
    /// How many runs a point gets.
    pub fn stopping(&self) -> Option<Stopping> {
        let until = self.until.as_deref().map(Precision::read).transpose().ok()?;
        Some(Stopping { min: self.min_runs, max: self.max_runs, until })
    }

    /// Reads it from the manifest of a results folder; `None` if that has none, or none of a sweep.
    ///
    /// # Errors
    /// If the manifest is there and cannot be read.
    pub fn read(results: &Path) -> Result<Option<Self>, FileError> {
        #[derive(Deserialize)]
        struct Written {
            sweep: Option<SweepProvenance>,
        }
        let path = results.join(MANIFEST);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::read(&path)(error)),
        };
        let written: Written = serde_json::from_slice(&bytes).map_err(|error| FileError::Damaged {
            path: path.clone(),
            what: format!("it is no manifest of this version ({error})"),
        })?;
        Ok(written.sweep)
    }
}

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// The program's name.
    pub program: String,
    /// The version of that program.
    pub version: String,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The number of the first run.
    pub first_run: u64,
    /// Runs of each point, at most.
    pub runs: u64,
    /// What was asked for.
    #[serde(default)]
    pub request: Request,
    /// What there is to say of a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepProvenance>,
    /// What was run.
    pub scenarios: Vec<ScenarioProvenance>,
    /// The swept settings.
    pub axes: Vec<ManifestAxis>,
    /// What is in the folder beside it.
    pub files: Vec<WrittenFile>,
    /// When it was written.
    pub created: String,
    /// Whether the results are complete.
    pub finished: bool,
}

impl Manifest {
    /// The command as one would type it.
    pub fn command_line(&self) -> String {
        let arguments = self.command.iter().skip(1).map(|argument| quoted(argument));
        std::iter::once(PROGRAM.to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
    }
}

/// An argument as a shell takes it.
pub(crate) fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    match !argument.is_empty() && argument.chars().all(is_plain) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

/// A swept setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestAxis {
    /// The column's name.
    pub name: String,
    /// Each value once, in order of appearance.
    pub values: Vec<serde_json::Value>,
}

impl From<AxisColumn> for ManifestAxis {
    fn from(axis: AxisColumn) -> Self {
        let mut seen = BTreeSet::new();
        let mut values: Vec<serde_json::Value> = Vec::new();
        for value in axis.values.into_iter().flatten() {
            let value: serde_json::Value = match value {
                AxisValue::Number(number) => number.into(),
                AxisValue::Text(text) => text.into(),
            };
            if seen.insert(value.to_string()) {
                values.push(value);
            }
        }
        ManifestAxis { name: axis.name, values }
    }
}

/// The manifest of complete results.
pub(super) fn manifest(design: Design, provenance: Provenance, files: &[WrittenFile]) -> String {
    let Provenance { command, runs, request, scenarios, sweep } = provenance;
    let manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        program: PROGRAM.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command,
        seed: design.seed,
        first_run: design.first_run,
        runs,
        request,
        sweep,
        scenarios,
        axes: design.axes.into_iter().map(ManifestAxis::from).collect(),
        files: files.to_vec(),
        created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        finished: true,
    };
    serde_json::to_string_pretty(&manifest).expect("a manifest is plain data") + "\n"
}
