//! `manifest.json`: where the results of a folder come from, and that they are complete.

use super::FileError;
use super::plan::{Recorded, Shard};
use super::schema::{AxisColumn, Design};
use super::table_file::WrittenFile;
use crate::experiment::axis::AxisValue;
use crate::experiment::criterion::Precision;
use crate::experiment::stopping::Stopping;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// The version of the tables' columns, the manifest, the ledger and the JSON document; it grows when a reader could
/// break.
pub const SCHEMA_VERSION: u32 = 1;

pub(super) const MANIFEST: &str = "manifest.json";

/// Where results come from, as far as the rows do not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Runs of each point, at most.
    pub runs: u64,
    /// What was run.
    pub scenarios: Vec<ScenarioProvenance>,
    /// What there is to say of a sweep.
    pub sweep: Option<SweepProvenance>,
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
    /// Of every point's model, in order.
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

#[derive(Serialize)]
struct Manifest<'a> {
    schema_version: u32,
    program: &'static str,
    version: &'static str,
    command: Vec<String>,
    seed: u64,
    first_run: u64,
    runs: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep: Option<SweepProvenance>,
    scenarios: Vec<ScenarioProvenance>,
    axes: Vec<ManifestAxis>,
    files: &'a [WrittenFile],
    created: String,
    finished: bool,
}

#[derive(Serialize)]
struct ManifestAxis {
    name: String,
    /// Each value once, in order of appearance.
    values: Vec<serde_json::Value>,
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
    let Provenance { command, runs, scenarios, sweep } = provenance;
    let manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        program: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        command,
        seed: design.seed,
        first_run: design.first_run,
        runs,
        sweep,
        scenarios,
        axes: design.axes.into_iter().map(ManifestAxis::from).collect(),
        files,
        created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        finished: true,
    };
    serde_json::to_string_pretty(&manifest).expect("a manifest is plain data") + "\n"
}
