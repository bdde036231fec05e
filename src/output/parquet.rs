//! Parquet, written by polars: a row group at a time, so that memory stays flat.
//!
//! Row groups have a fixed number of rows, however the rows came in, and nothing in the file speaks of the time or the
//! machine: equal rows give equal bytes.

use super::FileError;
use super::partial::PartialFile;
use super::table::{Column, Table, Values};
use polars::io::parquet::write::BatchedWriter;
use polars::prelude as pl;
use std::fs::File;
use std::io::{self, BufWriter};

/// Rows in each group but the last.
pub(super) const ROWS_PER_GROUP: usize = 65_536;

/// Writes tables of one kind to a Parquet file.
pub(super) struct ParquetEncoder {
    file: PartialFile,
    writer: BatchedWriter<BufWriter<File>>,
    /// Rows that do not fill a group yet.
    pending: Table,
}

impl ParquetEncoder {
    /// Takes the columns of the table; its rows are left to [`Self::write`].
    pub fn new(file: PartialFile, table: &Table) -> Result<Self, FileError> {
        let mut pending = table.clone();
        pending.split_off(0);
        let frame = to_frame(&pending).map_err(|error| write_error(&file, error))?;
        let writer = pl::ParquetWriter::new(file.second_handle()?)
            .with_compression(pl::ParquetCompression::Zstd(None))
            // Rows are never made in parallel here, and threads of polars' own would only get in rayon's way.
            .set_parallel(false)
            .batched(frame.schema())
            .map_err(|error| write_error(&file, error))?;
        Ok(ParquetEncoder { file, writer, pending })
    }

    /// Appends the table's rows.
    pub fn write(&mut self, table: &Table) -> Result<(), FileError> {
        self.pending.append(table);
        while self.pending.row_count() >= ROWS_PER_GROUP {
            let rest = self.pending.split_off(ROWS_PER_GROUP);
            self.write_pending()?;
            self.pending = rest;
        }
        Ok(())
    }

    fn write_pending(&mut self) -> Result<(), FileError> {
        to_frame(&self.pending)
            .and_then(|frame| self.writer.write_batch(&frame))
            .map_err(|error| write_error(&self.file, error))
    }

    /// Brings the rest and the footer to the file and hands it back, not yet under its final name.
    pub fn finish(mut self) -> Result<PartialFile, FileError> {
        if self.pending.row_count() > 0 {
            self.write_pending()?;
        }
        self.writer.finish().map_err(|error| write_error(&self.file, error))?;
        Ok(self.file)
    }
}

fn write_error(file: &PartialFile, error: pl::PolarsError) -> FileError {
    FileError::write(file.path())(io::Error::other(error))
}

fn to_frame(table: &Table) -> pl::PolarsResult<pl::DataFrame> {
    pl::DataFrame::new(table.row_count(), table.columns.iter().map(to_column).collect())
}

fn to_column(column: &Column) -> pl::Column {
    use pl::{IntoColumn, NewChunkedArray};
    let name = column.name.as_ref().into();
    match &column.values {
        Values::Text(values) => {
            let values = values.iter().map(|text| text.as_deref());
            pl::StringChunked::from_iter_options(name, values).into_column()
        }
        Values::UInt(values) => pl::UInt64Chunked::from_slice_options(name, values).into_column(),
        Values::Float(values) => pl::Float64Chunked::from_slice_options(name, values).into_column(),
        Values::Bool(values) => pl::BooleanChunked::from_slice_options(name, values).into_column(),
    }
}
