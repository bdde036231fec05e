//! CSV: a line for the names, a line for each row, an empty cell for null.
//!
//! Numbers are written in the shortest form that reads back as the same number, and a float always looks like one, so
//! that a reader who guesses types from the text gets the types of the Parquet file.

use super::FileError;
use super::partial::PartialFile;
use super::table::{Table, Values};
use std::fmt::Write as _;
use std::io;

/// Writes tables of one kind to a CSV file.
pub(super) struct CsvEncoder {
    rows: RowWriter<PartialFile>,
}

impl CsvEncoder {
    /// Writes the names of the table's columns; its rows are left to [`Self::write`].
    pub fn new(file: PartialFile, table: &Table) -> Result<Self, FileError> {
        let mut encoder = CsvEncoder { rows: RowWriter::new(file) };
        encoder.rows.header(table).map_err(|error| encoder.error(error))?;
        Ok(encoder)
    }

    /// Appends the table's rows.
    pub fn write(&mut self, table: &Table) -> Result<(), FileError> {
        self.rows.rows(table).map_err(|error| self.error(error))
    }

    /// Brings the rest to the file and hands it back, not yet under its final name.
    pub fn finish(self) -> Result<PartialFile, FileError> {
        let path = self.rows.writer.get_ref().path().to_owned();
        self.rows.writer.into_inner().map_err(|error| FileError::Write { path, error: error.into_error() })
    }

    fn error(&self, error: csv::Error) -> FileError {
        FileError::write(self.rows.writer.get_ref().path())(error.into())
    }
}

/// A table as the text of its file.
pub fn csv_text(table: &Table) -> String {
    let mut rows = RowWriter::new(Vec::new());
    rows.header(table).and_then(|()| rows.rows(table)).expect("a vector grows");
    let bytes = rows.writer.into_inner().expect("a vector takes what it is given");
    String::from_utf8(bytes).expect("it was written from text")
}

/// Writes cells to anything.
struct RowWriter<W: io::Write> {
    writer: csv::Writer<W>,
    cell: String,
}

impl<W: io::Write> RowWriter<W> {
    fn new(writer: W) -> Self {
        RowWriter { writer: csv::Writer::from_writer(writer), cell: String::new() }
    }

    fn header(&mut self, table: &Table) -> csv::Result<()> {
        self.writer.write_record(table.columns.iter().map(|column| column.name.as_ref()))
    }

    fn rows(&mut self, table: &Table) -> csv::Result<()> {
        (0..table.row_count()).try_for_each(|row| self.row(table, row))
    }

    fn row(&mut self, table: &Table, row: usize) -> csv::Result<()> {
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
}
