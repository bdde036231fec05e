//! A folder of results: tables while a command runs, and a manifest at its end.
//!
//! A folder with a `manifest.json` is complete. Until then its files have partial names, and results that were there
//! before stay as they were: with `--force` they are replaced at the very end. A sweep keeps a ledger in its folder, from
//! which its tables are made when all of it is played.

use super::FileError;
use super::driver::Driver;
use super::ledger::{LEDGER, LedgerFolder, SetAside};
use super::manifest::{MANIFEST, Provenance, manifest};
use super::partial::{PartialFile, clear_leftover, partial_name};
use super::plan::Plan;
use super::schema::{self, Design, Point};
use super::table::Table;
use super::table_file::{PARQUET_AVAILABLE, TableFile, WrittenFile};
use super::tune_files::TUNE;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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

/// Those of a folder that `tune` wrote.
const TUNE_FILES: [&str; 4] = [TUNE, "candidates.parquet", "candidates.csv", "best.toml"];

/// What becomes of results that a folder has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// They are in the way.
    Refuse,
    /// They are replaced when the new ones are complete; a ledger at once.
    Replace,
    /// They are a sweep's, and the new ones go on with it. Where there are none it begins.
    GoOn,
}

/// A folder that was checked, made if need be, and is locked for this process.
pub struct ResultFolder {
    path: PathBuf,
    existing: Existing,
    /// What this process is called where its lock is not seen; goes before the lock.
    driver: Option<Driver>,
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
    /// With [`Existing::Replace`] it may hold anything; files that are not results stay.
    ///
    /// # Errors
    /// If it holds what must not be there, is no folder, cannot be written to, or another process is writing into it.
    pub fn create(path: &Path, existing: Existing) -> Result<Self, FileError> {
        let mut made = MadeFolder(None);
        match fs::read_dir(path) {
            Ok(entries) => {
                let is_leftover = |name: &str| {
                    FILES.iter().any(|file| partial_name(file) == name)
                        || name == LEDGER && !LedgerFolder::exists(path)
                };
                let mut has_others = false;
                for entry in entries {
                    let name = entry.map_err(FileError::create(path))?.file_name();
                    has_others |= !name.to_str().is_some_and(is_leftover);
                }
                match existing {
                    Existing::Refuse if LedgerFolder::exists(path) => {
                        return Err(FileError::HasSweep { path: path.to_owned() });
                    }
                    Existing::GoOn if has_others && !LedgerFolder::exists(path) => {
                        return Err(FileError::NoLedger { path: path.to_owned() });
                    }
                    Existing::Refuse if has_others => {
                        return Err(FileError::NotEmpty { path: path.to_owned() });
                    }
                    _ => {}
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
        let overwrite = existing != Existing::Refuse;
        // The manifest's partial file is the folder's lock, so it comes first.
        let manifest = PartialFile::create(&path.join(MANIFEST), overwrite)?;
        for file in FILES.iter().filter(|file| **file != MANIFEST) {
            clear_leftover(&path.join(file))?;
        }
        Ok(ResultFolder { path: path.to_owned(), existing, driver: None, manifest, _made: made })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file is one that the results in a folder may have.
    pub fn owns(results: &Path, file: &Path) -> bool {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let [folder, results] = [folder, results].map(|path| fs::canonicalize(path).ok());
        let is_one = |name: &str| FILES.contains(&name) || TUNE_FILES.contains(&name);
        folder.is_some()
            && folder == results
            && file.file_name().and_then(|name| name.to_str()).is_some_and(is_one)
    }

    /// The ledger of a sweep: a new one, or the one to go on with and the segments of it that are damaged, and removed.
    ///
    /// # Errors
    /// If there is one of another sweep, or it cannot be read or written.
    pub fn ledger(&self, plan: &Plan) -> Result<(LedgerFolder, Vec<SetAside>), FileError> {
        match self.existing {
            Existing::GoOn if LedgerFolder::exists(&self.path) => {
                if let Some(difference) = LedgerFolder::plan(&self.path)?.difference(plan) {
                    return Err(FileError::OtherSweep { path: self.path.clone(), difference });
                }
                let (ledger, set_aside) = LedgerFolder::open(&self.path, plan, true)?;
                // Tasks of a command that had it before are not heard any more.
                Driver::clear(&self.path)?;
                return Ok((ledger, set_aside));
            }
            Existing::Replace => LedgerFolder::remove(&self.path)?,
            Existing::Refuse | Existing::GoOn => {}
        }
        Ok((LedgerFolder::create(&self.path, plan)?, Vec::new()))
    }

    /// Gives this process a name in the folder's ledger, under which tasks on other machines write for it, until the
    /// results have their names or this is dropped.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub fn set_driver(&mut self, name: &str) -> Result<(), FileError> {
        self.driver = Some(Driver::new(&self.path, name)?);
        Ok(())
    }

    /// Opens every file, so that what cannot be written fails before the long work.
    ///
    /// Per-second counts go into the folder if `with_series`.
    ///
    /// # Errors
    /// If a file cannot be created, or a swept setting has the name of a column.
    pub fn begin(self, design: Design, with_series: bool) -> Result<ResultSink, FileError> {
        design.check()?;
        let overwrite = self.existing != Existing::Refuse;
        let open = |table: Table, extensions: &[&str]| -> Result<Vec<TableFile>, FileError> {
            let wanted = extensions.iter().filter(|extension| PARQUET_AVAILABLE || **extension != "parquet");
            let path = |extension| self.path.join(format!("{}.{extension}", table.name));
            wanted.map(|extension| TableFile::create(&path(extension), overwrite, &table)).collect()
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

impl ResultSink {
    /// Writes the rows of some points.
    ///
    /// # Errors
    /// If the disk is full, or fails otherwise.
    pub fn points(&mut self, points: &[Point]) -> Result<(), FileError> {
        let design = &self.design;
        write(&mut self.runs, || schema::runs(design, points))?;
        write(&mut self.points, || schema::points(design, points))?;
        write(&mut self.faults, || schema::faults(design, points))?;
        write(&mut self.series, || schema::series(design, points))
    }

    /// Completes every file, gives them their names, and writes the manifest; returns the files with rows.
    ///
    /// # Errors
    /// If another command has taken the folder over, the disk is full, or fails otherwise; what was there before is then
    /// still there, unless the disk failed while files were renamed.
    pub fn finish(self, provenance: Provenance) -> Result<Vec<WrittenFile>, FileError> {
        let ResultSink { runs, points, faults, series, design, folder } = self;
        let tables = [runs, points, faults, series].into_iter().flatten();
        let stored: Vec<(PartialFile, WrittenFile)> =
            tables.map(TableFile::store).collect::<Result<_, FileError>>()?;
        let (files, written): (Vec<PartialFile>, Vec<WrittenFile>) = stored.into_iter().unzip();

        let ResultFolder { path, existing, driver, manifest: mut manifest_file, _made } = folder;
        let has_ledger = provenance.sweep.is_some();
        let text = manifest(design, provenance, &written);
        manifest_file.write_all(text.as_bytes()).map_err(FileError::write(manifest_file.path()))?;
        manifest_file.store()?;

        if let Some(driver) = &driver {
            driver.check()?;
        }
        // From here on only names change. The old manifest goes first: without one a folder is not complete.
        if existing != Existing::Refuse {
            remove_old(&path.join(MANIFEST))?;
            let is_stale = |name: &&&str| written.iter().all(|file| file.name != **name);
            FILES.iter().filter(is_stale).try_for_each(|name| remove_old(&path.join(name)))?;
            if !has_ledger {
                LedgerFolder::remove(&path)?;
            }
        }
        files.into_iter().try_for_each(PartialFile::publish)?;
        // Before the lock goes with the manifest's partial name.
        drop(driver);
        manifest_file.publish()?;
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
