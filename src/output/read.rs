//! A results folder, read back: its manifest, and its tables by the one schema.
//!
//! Nothing is taken for results that is not what was written: a file's length, checksum, columns and rows are held
//! against the manifest. What tables do not hold is left to [`super::replay`].

use super::ledger::LEDGER;
use super::manifest::{MANIFEST, Manifest, PROGRAM, SCHEMA_VERSION};
use super::partial::{crc32, partial_name};
use super::read_table::read_table;
use super::schema::{self, AxisColumn, Design};
use super::table::{Table, Values};
use super::table_file::{PARQUET_AVAILABLE, WrittenFile};
use super::tune_files::{StoredTune, TUNE};
use crate::experiment::axis::AxisValue;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Why results cannot be read, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}: {help}", path.display())]
pub struct ReadError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl ReadError {
    pub(super) fn new(path: &Path, what: impl Into<String>, help: impl Into<String>) -> Self {
        ReadError { path: path.to_owned(), what: what.into(), help: help.into() }
    }
}

/// A folder with complete results.
#[derive(Debug, Clone)]
pub struct Results {
    path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
}

/// What runs lose: requests that failed, or never end.
#[derive(Debug, Clone, Default)]
pub(super) struct Lost {
    /// By point, and then in order of runs.
    pub by_point: BTreeMap<u64, Vec<f64>>,
    /// Whether any never ends.
    pub has_open: bool,
}

impl Results {
    /// Opens a folder that `run --out`, `sweep`, `merge` or `tune --out` wrote.
    ///
    /// # Errors
    /// If it is none, if it is not complete, or if its manifest is damaged or of another schema version.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let manifest_path = path.join(MANIFEST);
        let bytes = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ReadError::new(path, "there is no such folder", NAME_ONE));
            }
            Err(error) => return Err(ReadError::new(path, format!("it cannot be read ({error})"), NAME_ONE)),
            Ok(found) if !found.is_dir() => return Err(no_folder(path)),
            Ok(_) => match fs::read(&manifest_path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_manifest(path)),
                Err(error) => {
                    let what = format!("it cannot be read ({error})");
                    return Err(ReadError::new(&manifest_path, what, "see who may read it"));
                }
            },
        };
        let manifest = read_manifest(&manifest_path, &bytes)?;
        Ok(Results { path: path.to_owned(), manifest })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The columns of swept settings, with each value once: as much of a design as a manifest has.
    fn design(&self) -> Design {
        let value = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => Some(AxisValue::Text(text.clone())),
            number => number.as_f64().map(AxisValue::Number),
        };
        let axes = self.manifest.axes.iter();
        let column = |axis: &super::manifest::ManifestAxis| {
            AxisColumn::new(axis.name.clone(), axis.values.iter().map(value).collect())
        };
        Design {
            seed: self.manifest.seed,
            first_run: self.manifest.first_run,
            axes: axes.map(column).collect(),
        }
    }

    /// The table `runs`.
    ///
    /// # Errors
    /// If its file is missing, or is not what was written.
    pub fn runs(&self) -> Result<Table, ReadError> {
        self.table(schema::runs(&self.design(), &[]))
    }

    /// The wanted columns of the table `points`, and those of swept settings.
    ///
    /// # Errors
    /// If its file is missing, or is not what was written.
    pub fn points(&self, is_wanted: &dyn Fn(&str) -> bool) -> Result<Table, ReadError> {
        let is_axis = |name: &str| self.manifest.axes.iter().any(|axis| axis.name == name);
        let mut like = schema::points(&self.design(), &[]);
        like.columns.retain(|column| is_axis(&column.name) || is_wanted(&column.name));
        self.table(like)
    }

    /// What each run of each point loses.
    ///
    /// # Errors
    /// If the file of the table `runs` is missing, or is not what was written.
    pub(super) fn lost_by_point(&self) -> Result<Lost, ReadError> {
        let mut like = schema::runs(&self.design(), &[]);
        like.columns.retain(|column| ["point", "failed_count", "open_count"].contains(&&*column.name));
        let table = self.table(like)?;
        let mut lost = Lost::default();
        for row in 0..table.row_count() {
            let [failed, open] =
                ["failed_count", "open_count"].map(|name| table.whole(name, row).unwrap_or(0));
            lost.has_open |= open > 0;
            let point = table.whole("point", row).unwrap_or(0);
            lost.by_point.entry(point).or_default().push(failed as f64 + open as f64);
        }
        Ok(lost)
    }

    /// Whether the table `runs` of a `run` has all of them, and no other.
    pub(super) fn check_runs(&self, runs: &Table) -> Result<(), ReadError> {
        let Manifest { first_run, runs: count, ref scenarios, .. } = self.manifest;
        if count == 0 || scenarios.is_empty() || runs.row_count() == 0 {
            return Err(self.without_runs("it was given none"));
        }
        let expected = scenarios.iter().flat_map(|scenario| {
            (0..count).map(move |nth| (scenario.name.as_str(), first_run.checked_add(nth)))
        });
        let found = (0..runs.row_count())
            .map(|row| (runs.texts("scenario")[row].as_deref().unwrap_or_default(), runs.whole("run", row)));
        if count.checked_mul(scenarios.len() as u64) == Some(runs.row_count() as u64) && expected.eq(found) {
            return Ok(());
        }
        let what = format!(
            "its table `runs` has other rows than the manifest says: {count} runs of each of {} scenarios",
            scenarios.len()
        );
        Err(ReadError::new(&self.path, what, format!("restore both, or {}", self.again())))
    }

    /// Whether the table `points` of a sweep has all of these numbers that it should have.
    pub(super) fn check_points(&self, numbers: &[u64]) -> Result<(), ReadError> {
        let Some(sweep) = &self.manifest.sweep else { return Ok(()) };
        let is_own = |point: &usize| sweep.shard.is_none_or(|shard| shard.count > 0 && shard.has(*point));
        let expected = (0..sweep.points).filter(is_own).map(|point| point as u64);
        if expected.eq(numbers.iter().copied()) {
            return Ok(());
        }
        let what =
            format!("its table `points` has other rows than the {} that the manifest says", sweep.points);
        Err(ReadError::new(&self.path, what, format!("restore both, or {}", self.again())))
    }

    /// What was played cannot be made again, and there is no report without it.
    pub(super) fn not_again(&self, why: &str) -> ReadError {
        let what = format!("its scenarios cannot be made again: {why}");
        ReadError::new(
            &self.path.join(MANIFEST),
            what,
            format!("put back what is missing, or {}", self.again()),
        )
    }

    /// There is nothing to report on.
    pub(super) fn without_runs(&self, why: &str) -> ReadError {
        let what = format!("it has no run to report on: {why}");
        ReadError::new(&self.path, what, format!("mend that, and {}", self.again()))
    }

    /// The table `series`; `None` where there is none, as in a sweep, or where this program cannot read it.
    ///
    /// # Errors
    /// If its file is not what was written.
    pub fn series(&self) -> Result<Option<Table>, ReadError> {
        let is_there = PARQUET_AVAILABLE && self.has("series.parquet");
        is_there.then(|| self.table(schema::series(&self.design(), &[]))).transpose()
    }

    /// The answer of `tune`; `None` if these are no results of it.
    pub(super) fn tune(&self) -> Result<Option<StoredTune>, ReadError> {
        if self.listed(TUNE).is_none() {
            return Ok(None);
        }
        let (path, _) = self.checked(TUNE, TUNE)?;
        let bytes = fs::read(&path).map_err(|error| self.unreadable(&path, &error.to_string()))?;
        let stored = serde_json::from_slice(&bytes);
        stored.map(Some).map_err(|error| self.unreadable(&path, &format!("it is damaged ({error})")))
    }

    fn has(&self, name: &str) -> bool {
        self.listed(name).is_some() && self.path.join(name).exists()
    }

    fn listed(&self, name: &str) -> Option<&WrittenFile> {
        self.manifest.files.iter().find(|file| file.name == name)
    }

    /// A table with the columns of `like`, from Parquet where that is there and can be read, else from CSV.
    pub(super) fn table(&self, like: Table) -> Result<Table, ReadError> {
        let [parquet, csv] = ["parquet", "csv"].map(|extension| format!("{}.{extension}", like.name));
        let name = if PARQUET_AVAILABLE && self.has(&parquet) { &parquet } else { &csv };
        let (path, file) = self.checked(name, if name == &csv { &parquet } else { &csv })?;
        let table = read_table(&path, like).map_err(|what| self.unreadable(&path, &what))?;
        if table.row_count() as u64 != file.rows {
            let what = format!("it has {} rows, and its manifest says {}", table.row_count(), file.rows);
            return Err(self.unreadable(&path, &what));
        }
        Ok(table)
    }

    /// The path of a file of which the length and the checksum are those that were written.
    fn checked(&self, name: &str, other: &str) -> Result<(PathBuf, &WrittenFile), ReadError> {
        let path = self.path.join(name);
        let Some(file) = self.listed(name) else {
            let what = match self.listed(other) {
                Some(_) => format!("the results have no {name}, and this program cannot read {other}"),
                None => format!("the manifest lists no {name}"),
            };
            return Err(ReadError::new(&self.path.join(MANIFEST), what, self.again()));
        };
        let opened = match File::open(&path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let help = format!("copy all of the folder, or {}", self.again());
                return Err(ReadError::new(&path, "it is missing, and the manifest lists it", help));
            }
            Err(error) => return Err(self.unreadable(&path, &format!("it cannot be read ({error})"))),
        };
        let length = opened.metadata().map(|found| found.len()).unwrap_or_default();
        if length != file.bytes {
            let cut = if length < file.bytes { "it was cut short" } else { "something was added to it" };
            let what = format!("{cut}: it has {length} bytes, and was written with {}", file.bytes);
            return Err(self.unreadable(&path, &what));
        }
        match file.crc32.map(|written| crc32(opened).map(|found| found == written)) {
            Some(Err(error)) => Err(self.unreadable(&path, &format!("it cannot be read ({error})"))),
            Some(Ok(false)) => {
                Err(self.unreadable(&path, "it is not as it was written, its checksum is another"))
            }
            Some(Ok(true)) | None => Ok((path, file)),
        }
    }

    fn unreadable(&self, path: &Path, what: &str) -> ReadError {
        let csv = path.with_extension("csv");
        let has_csv = path.extension().is_some_and(|extension| extension == "parquet")
            && csv.file_name().and_then(|name| name.to_str()).is_some_and(|name| self.has(name));
        let help = match has_csv {
            true => format!("remove it, and {} is read in its place; or {}", csv.display(), self.again()),
            false => format!("restore it, or {}", self.again()),
        };
        ReadError::new(path, what, help)
    }

    /// What makes the results again.
    pub(super) fn again(&self) -> String {
        format!("play again with `{}`, and `--force` to replace what is there", self.manifest.command_line())
    }
}

const NAME_ONE: &str = "name a folder that `run --out`, `sweep`, `merge` or `tune --out` wrote";

fn no_folder(path: &Path) -> ReadError {
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    let help = match is_toml {
        true => format!("simulate it first: `failover-sim run {} --report FILE`", path.display()),
        false => NAME_ONE.to_owned(),
    };
    ReadError::new(path, "it is a file, and not a folder of results", help)
}

/// Says what a folder without a manifest is.
fn no_manifest(path: &Path) -> ReadError {
    let shown = path.display();
    if path.join(LEDGER).is_dir() {
        let help = format!("finish it with the same `sweep` and `--out {shown} --resume`");
        return ReadError::new(path, "it has a sweep that is not finished: there is no manifest.json", help);
    }
    if path.join("experiment.toml").exists() {
        let help = format!("play it first: `failover-sim run {shown} --report FILE`, or `sweep` or `tune`");
        return ReadError::new(path, "it is an experiment, and not a folder of results", help);
    }
    if path.join(partial_name(MANIFEST)).exists() {
        let what = "it is not complete: the command that writes it is still at it, or was stopped";
        return ReadError::new(path, what, "wait for it, or give the command again");
    }
    if path.join("candidates.csv").exists() {
        let what = "it has candidates of `tune`, and no manifest.json: an earlier version wrote it";
        return ReadError::new(path, what, "give the `tune` again, with `--force`");
    }
    if path.join("runs.csv").exists() || path.join("runs.parquet").exists() {
        let what = "it has tables, and no manifest.json to say what they are of";
        return ReadError::new(path, what, "copy all of the folder, or play again");
    }
    ReadError::new(path, "it is no folder of results: there is no manifest.json", NAME_ONE)
}

fn read_manifest(path: &Path, bytes: &[u8]) -> Result<Manifest, ReadError> {
    /// Its version first: another one may have other fields.
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
        #[serde(default)]
        program: String,
        #[serde(default)]
        version: String,
    }
    let damaged = |error: serde_json::Error| {
        let what = format!("it is damaged, or no manifest of this program ({error})");
        ReadError::new(path, what, "restore it, or play again with `--force`")
    };
    let Version { schema_version, program, version } = serde_json::from_slice(bytes).map_err(damaged)?;
    if program != PROGRAM {
        let what = format!("it is not of {PROGRAM}, but of `{program}`");
        return Err(ReadError::new(path, what, NAME_ONE));
    }
    if schema_version != SCHEMA_VERSION {
        let what = format!(
            "it has schema version {schema_version}, and this program reads version {SCHEMA_VERSION}"
        );
        let help =
            format!("use version {version} of {PROGRAM}, which wrote it, or play again with `--force`");
        return Err(ReadError::new(path, what, help));
    }
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(damaged)?;
    if !manifest.finished {
        return Err(ReadError::new(
            path,
            "it says that the results are not complete",
            "play again with `--force`",
        ));
    }
    Ok(manifest)
}

impl Table {
    /// The texts of a column; none if there is no such column of texts.
    pub fn texts(&self, name: &str) -> &[Option<super::Name>] {
        match self.column(name).map(|column| &column.values) {
            Some(Values::Text(values)) => values,
            _ => &[],
        }
    }

    /// A number of a row; `None` where it is null, or where there is no such column of numbers.
    pub fn number(&self, name: &str, row: usize) -> Option<f64> {
        match &self.column(name)?.values {
            Values::UInt(values) => values.get(row)?.map(|whole| whole as f64),
            Values::Float(values) => *values.get(row)?,
            Values::Text(_) | Values::Bool(_) => None,
        }
    }

    /// A whole number of a row.
    pub fn whole(&self, name: &str, row: usize) -> Option<u64> {
        match &self.column(name)?.values {
            Values::UInt(values) => *values.get(row)?,
            _ => None,
        }
    }
}
