//! CSV: a line for the names, a line for each row, an empty cell for null.
//!
//! Numbers are written in the shortest form that reads back as the same number, and a float always looks like one, so
//! that a reader who guesses types from the text gets the types of the Parquet file.

use super::FileError;
use super::partial::PartialFile;
use super::table::{Table, Values};
use std::fmt::Write as _;

/// Writes tables of one kind to a CSV file.
pub(super) struct CsvEncoder {
    writer: csv::Writer<PartialFile>,
    cell: String,
}

impl CsvEncoder {
    /// Writes the names of the table's columns; its rows are left to [`Self::write`].
    pub fn new(file: PartialFile, table: &Table) -> Result<Self, FileError> {
        let mut encoder = CsvEncoder { writer: csv::Writer::from_writer(file), cell: String::new() };
        let names = table.columns.iter().map(|column| column.name.as_ref());
        encoder.writer.write_record(names).map_err(|error| encoder.error(error))?;
        Ok(encoder)
    }

    /// Appends the table's rows.
    pub fn write(&mut self, table: &Table) -> Result<(), FileError> {
        for row in 0..table.row_count() {
            self.write_row(table, row).map_err(|error| self.error(error))?;
        }
        Ok(())
    }

    fn write_row(&mut self, table: &Table, row: usize) -> csv::Result<()> {
        for column in &table.columns {
            self.cell.clear();
            let written = match &column.values {
                Values::Text(values) => values[row].iter().try_for_each(|text| self.cell.write_str(text)),
                Values::UInt(values) => values[row].iter().try_for_each(|n| write!(self.cell, "{n}")),
                Values::Float(values) => values[row].iter().try_for_each(|x| write!(self.cell, "{x:?}")),
                Values::Bool(values) => values[row].iter().try_for_each(|b| write!(self.cell, "{b}")),
            };
            written.expect("a string takes what it is given");
            self.writer.write_field(&self.cell)?;
        }
        self.writer.write_record(None::<&[u8]>)
    }

    /// Brings the rest to the file and hands it back, not yet under its final name.
    pub fn finish(self) -> Result<PartialFile, FileError> {
        let path = self.writer.get_ref().path().to_owned();
        self.writer.into_inner().map_err(|error| FileError::Write { path, error: error.into_error() })
    }

    fn error(&self, error: csv::Error) -> FileError {
        FileError::write(self.writer.get_ref().path())(error.into())
    }
}
