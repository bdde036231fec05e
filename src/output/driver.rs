//! Which command has a sweep's ledger, for machines that cannot see the lock of its folder.
//!
//! Where tasks elsewhere play for a command, it writes its name into the ledger (a fencing token). Neither a task nor the
//! command itself goes on once another name is there.

use super::FileError;
use super::ledger::{LEDGER, clear_leftovers, remove_file};
use super::partial::PartialFile;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub(super) const DRIVER: &str = "driver";

/// The name of this command in the ledger of a results folder; dropped it is taken away, if it is still there.
#[derive(Debug)]
pub struct Driver {
    results: PathBuf,
    name: String,
}

impl Driver {
    /// Writes the name down.
    pub(super) fn new(results: &Path, name: &str) -> Result<Self, FileError> {
        let path = path_in(results);
        let mut file = PartialFile::create(&path, true)?;
        file.write_all(name.as_bytes()).map_err(FileError::write(&path))?;
        file.commit()?;
        Ok(Driver { results: results.to_owned(), name: name.to_owned() })
    }

    /// Whether it still has the ledger.
    pub(super) fn check(&self) -> Result<(), FileError> {
        Driver::check_name(&self.results, &self.name)
    }

    /// Whether the command of this name still has the ledger of a results folder.
    ///
    /// # Errors
    /// If it has not, or that cannot be read.
    pub fn check_name(results: &Path, name: &str) -> Result<(), FileError> {
        let path = path_in(results);
        match fs::read_to_string(&path) {
            Ok(driver) if driver == name => Ok(()),
            Ok(driver) => Err(FileError::TakenOver { path: results.to_owned(), driver }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(FileError::NotOurs { path: results.to_owned(), name: name.to_owned() })
            }
            Err(error) => Err(FileError::read(&path)(error)),
        }
    }

    /// Takes any name away: what tasks have not written by now is not written any more.
    pub(super) fn clear(results: &Path) -> Result<(), FileError> {
        remove_file(&path_in(results))?;
        clear_leftovers(&results.join(LEDGER))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.check().is_ok() {
            // Nobody is left to tell; whoever goes on clears it away.
            let _ = Driver::clear(&self.results);
        }
    }
}

fn path_in(results: &Path) -> PathBuf {
    results.join(LEDGER).join(DRIVER)
}
