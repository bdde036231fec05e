//! A table of ours, read from a file: the columns that the schema says, each of its type.

use super::table::{Column, Name, Table, Values};
use std::path::Path;

/// Reads the columns of `like`, which has no rows; others that a later version may have added are passed over.
///
/// # Errors
/// With what is wrong with the file, in words.
pub(super) fn read_table(path: &Path, like: Table) -> Result<Table, String> {
    match path.extension().and_then(|extension| extension.to_str()) {
        #[cfg(feature = "files")]
        Some("parquet") => parquet::read(path, like),
        _ => read_csv(path, like),
    }
}

fn lacks(name: &str, table: &str) -> String {
    format!("it lacks the column `{name}`: it is no table of `{table}`, or another version wrote it")
}

fn read_csv(path: &Path, mut table: Table) -> Result<Table, String> {
    let damaged = |error: csv::Error| format!("it is damaged ({error})");
    let mut reader = csv::Reader::from_path(path).map_err(damaged)?;
    let header = reader.headers().map_err(damaged)?.clone();
    let find = |column: &Column| {
        let found = header.iter().position(|name| name == column.name);
        found.ok_or_else(|| lacks(&column.name, table.name))
    };
    let places = table.columns.iter().map(find).collect::<Result<Vec<usize>, String>>()?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(damaged)? {
        for (column, place) in table.columns.iter_mut().zip(&places) {
            let cell = record.get(*place).unwrap_or_default();
            if !push(&mut column.values, cell) {
                let line = record.position().map_or(0, csv::Position::line);
                return Err(format!("line {line}: `{cell}` is no value of the column `{}`", column.name));
            }
        }
    }
    Ok(table)
}

/// Appends what a cell says; false if that is no value of this type.
fn push(values: &mut Values, cell: &str) -> bool {
    fn parsed<T: std::str::FromStr>(values: &mut Vec<Option<T>>, cell: &str) -> bool {
        let value = cell.parse().ok();
        let is_sound = value.is_some() || cell.is_empty();
        values.push(value);
        is_sound
    }
    match values {
        Values::Text(values) => {
            push_name(values, (!cell.is_empty()).then_some(cell));
            true
        }
        Values::UInt(values) => parsed(values, cell),
        Values::Float(values) => parsed(values, cell),
        Values::Bool(values) => parsed(values, cell),
    }
}

/// Appends a text, which is most often the one before.
fn push_name(values: &mut Vec<Option<Name>>, text: Option<&str>) {
    let name = text.map(|text| match values.last() {
        Some(Some(last)) if &**last == text => Name::clone(last),
        _ => text.into(),
    });
    values.push(name);
}

#[cfg(feature = "files")]
mod parquet {
    use super::{lacks, push_name};
    use crate::output::table::{Column, Table, Values};
    use polars::prelude as pl;
    use polars::prelude::SerReader;
    use std::fs::File;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::Path;

    pub(super) fn read(path: &Path, mut table: Table) -> Result<Table, String> {
        let file = File::open(path).map_err(|error| format!("it cannot be read ({error})"))?;
        // Polars panics on some files that are none of its own.
        let read = catch_unwind(AssertUnwindSafe(|| pl::ParquetReader::new(file).finish()));
        let frame = match read {
            Ok(Ok(frame)) => frame,
            Ok(Err(error)) => {
                return Err(format!("it is no Parquet file, or damaged ({})", first_line(&error)));
            }
            Err(_) => return Err("it is no Parquet file, or damaged".to_owned()),
        };
        let name = table.name;
        for column in &mut table.columns {
            let found = frame.column(&column.name).map_err(|_| lacks(&column.name, name))?;
            fill(column, found).map_err(|_| {
                let (name, is, kind) = (&column.name, found.dtype(), column.unit);
                format!("its column `{name}` holds {is} values, which are not what the column is in: {kind}")
            })?;
        }
        Ok(table)
    }

    fn first_line(error: &pl::PolarsError) -> String {
        error.to_string().lines().next().unwrap_or_default().to_owned()
    }

    fn fill(column: &mut Column, found: &pl::Column) -> pl::PolarsResult<()> {
        match &mut column.values {
            Values::Text(values) => found.str()?.iter().for_each(|text| push_name(values, text)),
            Values::UInt(values) => values.extend(found.u64()?.iter()),
            Values::Float(values) => values.extend(found.f64()?.iter()),
            Values::Bool(values) => values.extend(found.bool()?.iter()),
        }
        Ok(())
    }
}
