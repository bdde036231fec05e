//! What can go wrong with result files, in words for the person who asked for them.

use std::io;
use std::path::{Path, PathBuf};

/// Why results were not written. Nothing half-written has a final name when one of these is returned.
///
/// The reason that the operating system gives is part of the message, so there is no `source` to print beside it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The folder for results has something in it already.
    #[error("{} is not empty: choose another folder, or replace the results in it with `--force`", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The folder for results has a sweep's.
    #[error(
        "{} has a sweep's results: go on with it with `sweep --resume`, start over with `--force`, or choose another folder",
        path.display()
    )]
    HasSweep {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has no sweep to go on with.
    #[error(
        "{} has no sweep that `--resume` could go on with: choose another folder, or replace the results in it with `--force`",
        path.display()
    )]
    NoLedger {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has another sweep.
    #[error(
        "{} has another sweep's results: {difference}: choose another folder, or start over with `--force`",
        path.display()
    )]
    OtherSweep {
        /// The folder.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
    /// A file of results was changed, or is of another version of this program.
    #[error("cannot go on from {}: {what}: choose another folder, or start over with `--force`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Somebody has removed a folder's results while they were in use, or has others in their place.
    #[error("the results in {} were replaced or removed since: run the sweep again", path.display())]
    Replaced {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is there cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file exists already.
    #[error("{} exists already: choose another name, or replace it with `--force`", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A folder was expected.
    #[error("{} is not a folder: results go into a folder of their own, choose another name", path.display())]
    NotAFolder {
        /// What is not one.
        path: PathBuf,
    },
    /// An ordinary file was expected.
    #[error("{} is not an ordinary file, so it is not replaced: choose another name", path.display())]
    NotAFile {
        /// What is not one.
        path: PathBuf,
    },
    /// Another process is writing the same file.
    #[error("{} is being written by another process: wait for it to end, or choose another name", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Another command has taken the folder over.
    #[error(
        "{} was taken over by another command: {driver}: let one command at a time write to a folder; what was played is kept, and `resume` goes on with it",
        path.display()
    )]
    TakenOver {
        /// The folder.
        path: PathBuf,
        /// What that one is called.
        driver: String,
    },
    /// The folder is not, or not any more, that of the command that plays into it.
    #[error(
        "{} does not belong to {name} any more: another command has taken it over, or it is not the same folder on all nodes; name one on a file system that all of them share",
        path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// What the command is called.
        name: String,
    },
    /// The file's name does not say how to write it.
    #[error("{} ends in neither `.parquet` nor `.csv`: name it by the format you want", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// This build cannot write Parquet.
    #[error(
        "{} cannot be written, as this build has no Parquet: name it `.csv`, or build with `--features files`",
        path.display()
    )]
    NoParquet {
        /// The file.
        path: PathBuf,
    },
    /// A swept setting is called what a column is called.
    #[error("a swept setting is called `{name}`, as a column of the results is: give it another name")]
    AxisName {
        /// The name.
        name: String,
    },
    /// A file or folder cannot be made.
    #[error("cannot create {}: {error}: choose a place that you may write to", path.display())]
    Create {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Writing failed half-way; what had been written is removed.
    #[error("cannot write {}: {error}: make room and run again, what had been written of it is removed", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl FileError {
    /// Whether asking for something else mends it (exit code 2); if not, the machine failed us on the way (1).
    pub fn is_bad_input(&self) -> bool {
        !matches!(self, FileError::Write { .. } | FileError::Read { .. } | FileError::Replaced { .. })
    }

    pub(super) fn create(path: &Path) -> impl Fn(io::Error) -> FileError + use<> {
        let path = path.to_owned();
        move |error| FileError::Create { path: path.clone(), error }
    }

    pub(super) fn read(path: &Path) -> impl Fn(io::Error) -> FileError + use<> {
        let path = path.to_owned();
        move |error| FileError::Read { path: path.clone(), error }
    }

    pub(super) fn write(path: &Path) -> impl Fn(io::Error) -> FileError + use<> {
        let path = path.to_owned();
        move |error| FileError::Write { path: path.clone(), error }
    }
}
