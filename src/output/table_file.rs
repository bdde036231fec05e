//! A table on its way into a file, batch by batch, in the format that the file's name asks for.

use super::FileError;
use super::csv::CsvEncoder;
#[cfg(feature = "files")]
use super::parquet::ParquetEncoder;
use super::partial::PartialFile;
use super::table::Table;
use std::path::Path;

/// Whether this build can write Parquet files; CSV it always can.
pub const PARQUET_AVAILABLE: bool = cfg!(feature = "files");

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WrittenFile {
    /// Its name, without the folder.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// How long it is, in bytes.
    pub bytes: u64,
}

enum Encoder {
    Csv(CsvEncoder),
    #[cfg(feature = "files")]
    Parquet(Box<ParquetEncoder>),
}

/// A file of one table. Only [`Self::finish`] gives it its name; dropped before, it leaves nothing behind.
pub(super) struct TableFile {
    name: String,
    encoder: Encoder,
    rows: u64,
}

impl TableFile {
    /// Opens a file for tables with the columns of `table`, and writes its rows.
    ///
    /// # Errors
    /// Those of [`PartialFile::create`], and if the name does not end in `.parquet` or `.csv`.
    pub fn create(path: &Path, overwrite: bool, table: &Table) -> Result<Self, FileError> {
        let open = || PartialFile::create(path, overwrite);
        let encoder = match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Encoder::Csv(CsvEncoder::new(open()?, table)?),
            #[cfg(feature = "files")]
            Some("parquet") => Encoder::Parquet(Box::new(ParquetEncoder::new(open()?, table)?)),
            #[cfg(not(feature = "files"))]
            Some("parquet") => return Err(FileError::NoParquet { path: path.to_owned() }),
            _ => return Err(FileError::UnknownFormat { path: path.to_owned() }),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut file = TableFile { name, encoder, rows: 0 };
        file.write(table)?;
        Ok(file)
    }

    /// Appends a table's rows.
    pub fn write(&mut self, table: &Table) -> Result<(), FileError> {
        self.rows += table.row_count() as u64;
        match &mut self.encoder {
            Encoder::Csv(encoder) => encoder.write(table),
            #[cfg(feature = "files")]
            Encoder::Parquet(encoder) => encoder.write(table),
        }
    }

    /// Brings all of it to the disk, still under its partial name.
    pub fn store(self) -> Result<(PartialFile, WrittenFile), FileError> {
        let mut file = match self.encoder {
            Encoder::Csv(encoder) => encoder.finish()?,
            #[cfg(feature = "files")]
            Encoder::Parquet(encoder) => encoder.finish()?,
        };
        let bytes = file.store()?;
        Ok((file, WrittenFile { name: self.name, rows: self.rows, bytes }))
    }

    /// Completes the file and gives it its name.
    pub fn finish(self) -> Result<WrittenFile, FileError> {
        let (file, written) = self.store()?;
        file.publish()?;
        Ok(written)
    }
}
