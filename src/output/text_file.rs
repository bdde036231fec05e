//! A document that is written in one go.

use super::FileError;
use super::partial::PartialFile;
use std::io::Write;
use std::path::Path;

/// A text file that has its name only once it is complete.
#[derive(Debug)]
pub struct TextFile(PartialFile);

impl TextFile {
    /// Opens the file.
    ///
    /// # Errors
    /// If it exists and `force` is not given, or if it cannot be created.
    pub fn create(path: &Path, force: bool) -> Result<Self, FileError> {
        PartialFile::create(path, force).map(TextFile)
    }

    /// Writes all of it and gives the file its name.
    ///
    /// # Errors
    /// If that fails; the file is then gone.
    pub fn write(mut self, text: &str) -> Result<(), FileError> {
        self.0.write_all(text.as_bytes()).map_err(FileError::write(self.0.path()))?;
        self.0.commit().map(|_| ())
    }
}
