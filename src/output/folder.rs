//! A folder of results: tables while a command runs, and a manifest at its end.
//!
//! A folder with a `manifest.json` is complete. Until then its files have partial names, and results that were there
//! before stay as they were: with `--force` they are replaced at the very end.

use super::FileError;
use super::partial::{PartialFile, clear_leftover, partial_name};
use super::schema::{self, AxisColumn, Design, Point};
use super::table::Table;
use super::table_file::{PARQUET_AVAILABLE, TableFile, WrittenFile};
use crate::experiment::axis::AxisValue;
use crate::metrics::Outcome;
use crate::model::Model;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The version of the tables' columns, the manifest and the JSON document; it grows when a reader could break.
pub const SCHEMA_VERSION: u32 = 1;

const MANIFEST: &str = "manifest.json";

/// Every file that a folder of results can have. Nothing else in it is ever touched.
const FILES: [&str; 7] = [
    "runs.parquet",
    "runs.csv",
    "points.parquet",
    "points.csv",
    "faults.parquet",
    "series.parquet",
    MANIFEST,
];

/// A folder that was checked, made if need be, and is locked for this process.
pub struct ResultFolder {
    path: PathBuf,
    overwrite: bool,
    manifest: PartialFile,
    /// Dropped last, when the files are gone.
    _made: MadeFolder,
}

/// A folder that we made goes again if nothing is left in it.
struct MadeFolder(Option<PathBuf>);

impl Drop for MadeFolder {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Fails if it is not empty, which is what we want.
            let _ = fs::remove_dir(path);
        }
    }
}

impl ResultFolder {
    /// Makes the folder, or takes one that is empty or has only what a killed process left.
    ///
    /// With `force` it may hold anything: old results are replaced when the new ones are complete, the rest stays.
    ///
    /// # Errors
    /// If it is not empty, is no folder, cannot be written to, or another process is writing into it.
    pub fn create(path: &Path, force: bool) -> Result<Self, FileError> {
        let mut made = MadeFolder(None);
        match fs::read_dir(path) {
            Ok(entries) => {
                let is_ours = |name: &str| FILES.iter().any(|file| partial_name(file) == name);
                let mut has_others = false;
                for entry in entries {
                    let name = entry.map_err(FileError::create(path))?.file_name();
                    has_others |= !name.to_str().is_some_and(is_ours);
                }
                if has_others && !force {
                    return Err(FileError::NotEmpty { path: path.to_owned() });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(FileError::create(path))?;
                made = MadeFolder(Some(path.to_owned()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(FileError::NotAFolder { path: path.to_owned() });
            }
            Err(error) => return Err(FileError::create(path)(error)),
        }
        // The manifest's partial file is the folder's lock, so it comes first.
        let manifest = PartialFile::create(&path.join(MANIFEST), force)?;
        for file in FILES.iter().filter(|file| **file != MANIFEST) {
            clear_leftover(&path.join(file))?;
        }
        Ok(ResultFolder { path: path.to_owned(), overwrite: force, manifest, _made: made })
    }

    /// Opens every file, so that what cannot be written fails before the long work.
    ///
    /// Per-second counts go into the folder if `with_series`.
    ///
    /// # Errors
    /// If a file cannot be created, or a swept setting has the name of a column.
    pub fn begin(self, design: Design, with_series: bool) -> Result<ResultSink, FileError> {
        check_axis_names(&design)?;
        let open = |table: Table, extensions: &[&str]| -> Result<Vec<TableFile>, FileError> {
            let wanted = extensions.iter().filter(|extension| PARQUET_AVAILABLE || **extension != "parquet");
            let path = |extension| self.path.join(format!("{}.{extension}", table.name));
            wanted.map(|extension| TableFile::create(&path(extension), self.overwrite, &table)).collect()
        };
        Ok(ResultSink {
            runs: open(schema::runs(&design, &[]), &["parquet", "csv"])?,
            points: open(schema::points(&design, &[]), &["parquet", "csv"])?,
            faults: open(schema::faults(&design, &[]), &["parquet"])?,
            series: open(schema::series(&design, &[]), if with_series { &["parquet"] } else { &[] })?,
            design,
            folder: self,
        })
    }
}

fn check_axis_names(design: &Design) -> Result<(), FileError> {
    let plain = Design { axes: Vec::new(), ..design.clone() };
    let (runs, points) = (schema::runs(&plain, &[]), schema::points(&plain, &[]));
    for (i, AxisColumn { name, .. }) in design.axes.iter().enumerate() {
        let is_twice = design.axes[..i].iter().any(|other| other.name == *name);
        if is_twice || runs.column(name).is_some() || points.column(name).is_some() {
            return Err(FileError::AxisName { name: name.clone() });
        }
    }
    Ok(())
}

/// Takes the outcomes of points, in the order in which their rows are to stand, and writes them as they come.
///
/// Dropped before [`Self::finish`] it leaves nothing behind.
pub struct ResultSink {
    runs: Vec<TableFile>,
    points: Vec<TableFile>,
    faults: Vec<TableFile>,
    series: Vec<TableFile>,
    design: Design,
    folder: ResultFolder,
}

/// Where results come from, as far as the rows do not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Runs of each point.
    pub runs: u64,
    /// What was run.
    pub scenarios: Vec<ScenarioProvenance>,
}

/// One scenario of a command.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ScenarioProvenance {
    /// Its name, as in the tables.
    pub name: String,
    /// The file that it was read from.
    pub path: String,
    /// Every setting, with defaults and overrides in place.
    pub resolved: serde_json::Value,
}

#[derive(serde::Serialize)]
struct Manifest {
    schema_version: u32,
    program: &'static str,
    version: &'static str,
    command: Vec<String>,
    seed: u64,
    first_run: u64,
    runs: u64,
    scenarios: Vec<ScenarioProvenance>,
    axes: Vec<ManifestAxis>,
    files: Vec<WrittenFile>,
    created: String,
    finished: bool,
}

#[derive(serde::Serialize)]
struct ManifestAxis {
    name: String,
    /// Each value once, in order of appearance.
    values: Vec<serde_json::Value>,
}

impl From<AxisColumn> for ManifestAxis {
    fn from(axis: AxisColumn) -> Self {
        let mut values: Vec<serde_json::Value> = Vec::new();
        for value in axis.values.into_iter().flatten() {
            let value = match value {
                AxisValue::Number(number) => number.into(),
                AxisValue::Text(text) => text.into(),
            };
            if !values.contains(&value) {
                values.push(value);
            }
        }
        ManifestAxis { name: axis.name, values }
    }
}

impl ResultSink {
    /// Writes the rows of one point; `point` is its place in the values of the axes.
    ///
    /// # Errors
    /// If the disk is full, or fails otherwise.
    pub fn point(&mut self, point: usize, model: &Model, outcomes: &[Outcome]) -> Result<(), FileError> {
        let point = [Point { number: point, model, outcomes }];
        let design = &self.design;
        write(&mut self.runs, || schema::runs(design, &point))?;
        write(&mut self.points, || schema::points(design, &point))?;
        write(&mut self.faults, || schema::faults(design, &point))?;
        write(&mut self.series, || schema::series(design, &point))
    }

    /// Completes every file, gives them their names, and writes the manifest; returns the files with rows.
    ///
    /// # Errors
    /// If the disk is full, or fails otherwise; what was there before is then still there, unless the disk failed while
    /// files were renamed.
    pub fn finish(self, provenance: Provenance) -> Result<Vec<WrittenFile>, FileError> {
        let ResultSink { runs, points, faults, series, design, folder } = self;
        let tables = [runs, points, faults, series].into_iter().flatten();
        let stored: Vec<(PartialFile, WrittenFile)> =
            tables.map(TableFile::store).collect::<Result<_, FileError>>()?;
        let (files, written): (Vec<PartialFile>, Vec<WrittenFile>) = stored.into_iter().unzip();

        let ResultFolder { path, overwrite, mut manifest, _made } = folder;
        let Provenance { command, runs, scenarios } = provenance;
        let content = Manifest {
            schema_version: SCHEMA_VERSION,
            program: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            command,
            seed: design.seed,
            first_run: design.first_run,
            runs,
            scenarios,
            axes: design.axes.into_iter().map(ManifestAxis::from).collect(),
            files: written.clone(),
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            finished: true,
        };
        let json = serde_json::to_string_pretty(&content).expect("a manifest is plain data") + "\n";
        manifest.write_all(json.as_bytes()).map_err(FileError::write(manifest.path()))?;
        manifest.store()?;

        // From here on only names change. The old manifest goes first: without one a folder is not complete.
        if overwrite {
            remove_old(&path.join(MANIFEST))?;
            let is_stale = |name: &&&str| written.iter().all(|file| file.name != **name);
            FILES.iter().filter(is_stale).try_for_each(|name| remove_old(&path.join(name)))?;
        }
        files.into_iter().try_for_each(PartialFile::publish)?;
        manifest.publish()?;
        Ok(written)
    }
}

/// Makes the table only if there is a file for it.
fn write(files: &mut [TableFile], table: impl Fn() -> Table) -> Result<(), FileError> {
    if files.is_empty() {
        return Ok(());
    }
    let table = table();
    files.iter_mut().try_for_each(|file| file.write(&table))
}

fn remove_old(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::write(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::METRICS;

    #[test]
    fn a_swept_setting_may_not_be_called_what_a_column_is_called() {
        let design = |names: &[&str]| {
            let axis = |name: &&str| AxisColumn { name: name.to_string(), values: Vec::new() };
            Design { axes: names.iter().map(axis).collect(), ..Design::default() }
        };
        assert!(check_axis_names(&design(&["interval", "timeout"])).is_ok());
        for taken in [&["run"][..], &["run_count"], &[METRICS[0].name], &["interval", "interval"]] {
            assert!(matches!(check_axis_names(&design(taken)), Err(FileError::AxisName { .. })), "{taken:?}");
        }
    }
}
