//! Why something was not done, kept unrendered until somebody shows it.

use crate::experiment::runner::Cancelled;
use crate::experiment::tune::field::TuneError;
use crate::output::report::FolderError;
use crate::output::{FileError, ReadError};
use crate::scenario::{Problem, Problems};
use std::fmt;

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    message: Vec<Piece>,
    code: u8,
}

/// Whether there are colours in it is decided where it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Problems(Problems),
}

impl Failure {
    fn new(message: impl Into<String>, code: u8) -> Self {
        Failure { message: vec![Piece::Text(message.into())], code }
    }

    /// What was asked for cannot be done; the message is all that is said.
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Failure::new(message, 2)
    }

    /// What was asked for cannot be done, and what to do instead; it reads as the problems of a file do.
    pub fn refused(message: impl Into<String>, help: impl Into<String>) -> Self {
        Problems::from(Problem::new(message).help(help)).into()
    }

    /// Several failures of the same kind, one after the other.
    pub(crate) fn all(failures: Vec<Failure>) -> Self {
        let mut message = Vec::new();
        for failure in failures {
            if !message.is_empty() {
                message.push(Piece::Text("\n\n".to_owned()));
            }
            message.extend(failure.message);
        }
        Failure { message, code: 2 }
    }

    /// What was asked was done, and its result is not what it should be.
    pub(crate) fn missed(message: impl Into<String>) -> Self {
        Failure::new(message, 1)
    }

    /// Something was done, but not all of it.
    pub(crate) fn partly(message: impl Into<String>) -> Self {
        Failure::new(message, 3)
    }

    /// Somebody asked to stop.
    pub(crate) fn interrupted() -> Self {
        Failure::new("interrupted", 130)
    }

    /// Adds what to do about it.
    pub(crate) fn advised(mut self, advice: &str) -> Self {
        self.message.push(Piece::Text(format!(": {advice}")));
        self
    }

    /// Says above it what it is of.
    pub(crate) fn headed(mut self, heading: &str) -> Self {
        self.message.insert(0, Piece::Text(format!("{heading}\n")));
        self
    }

    /// What to show: lines without an end of line after the last; `colour` adds ANSI colours.
    pub fn text(&self, colour: bool) -> String {
        let pieces = self.message.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Problems(problems) => problems.render(colour),
        });
        pieces.collect::<String>().trim_end().to_owned()
    }

    /// 2 for bad input, 1 when a bar was missed or a disk failed midway, 3 when some points of a sweep failed, 130 when
    /// interrupted.
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text(false))
    }
}

impl std::error::Error for Failure {}

/// All values, or every failure and not only the first.
pub(crate) fn all_or_failures<T>(
    results: impl Iterator<Item = Result<T, Failure>>,
) -> Result<Vec<T>, Failure> {
    let (mut values, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() { Ok(values) } else { Err(Failure::all(failures)) }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Failure { message: vec![Piece::Problems(problems)], code: 2 }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let code = if error.is_bad_input() { 2 } else { 1 };
        Failure::new(format!("error: {error}"), code)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let ReadError { path, what, help } = error;
        Failure::refused(format!("{}: {what}", path.display()), help)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Read(error) => error.into(),
            FolderError::Cancelled => Failure::interrupted(),
        }
    }
}

impl From<Cancelled> for Failure {
    fn from(_: Cancelled) -> Self {
        Failure::interrupted()
    }
}

impl From<TuneError> for Failure {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Problems(problems) => problems.into(),
            TuneError::Cancelled(_) => Failure::interrupted(),
            TuneError::Failed { .. } => Failure::missed(format!("error: {error}")),
            TuneError::Infeasible(text) => Failure::missed(text),
        }
    }
}
