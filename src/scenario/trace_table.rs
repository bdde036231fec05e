//! The rows of a file of recorded requests: CSV with a header line, or a JSON object a line.
//!
//! A part of [`super::trace`].

use super::problem::Problem;
use super::source::{Folder, Place, Source};
use csv::StringRecord;
use std::iter::Enumerate;
use std::path::PathBuf;
use std::str::Lines;
use std::sync::Arc;

/// A file that is read row by row.
pub(super) struct Table<'t> {
    pub name: &'t str,
    /// The names of its columns, without spaces around them.
    pub columns: Vec<String>,
    text: &'t str,
    rows: Rows<'t>,
}

enum Rows<'t> {
    Csv(csv::StringRecordsIntoIter<&'t [u8]>),
    Json(Enumerate<Lines<'t>>),
}

/// The cells of a row, and its line in the file.
pub(super) struct Row {
    cells: StringRecord,
    line: u64,
}

impl Row {
    /// The cell in a column; empty if the row has none.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or_default().trim()
    }
}

impl<'t> Table<'t> {
    pub fn open(name: &'t str, text: &'t str) -> Result<Self, Problem> {
        if text.trim_start().starts_with('{') {
            let first = text.lines().enumerate().find(|(_, line)| !line.trim().is_empty());
            let (number, line) = first.unwrap_or_default();
            let columns = object(name, number, line)?.into_iter().map(|(key, _)| key).collect();
            return Ok(Table { name, columns, text, rows: Rows::Json(text.lines().enumerate()) });
        }
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().map_err(|error| broken(name, text, &error))?;
        let columns = headers.iter().map(|header| header.trim().to_owned()).collect();
        Ok(Table { name, columns, text, rows: Rows::Csv(reader.into_records()) })
    }

    pub fn next_row(&mut self) -> Option<Result<Row, Problem>> {
        match &mut self.rows {
            Rows::Csv(records) => Some(match records.next()? {
                Ok(cells) => Ok(Row { line: csv_line(self.text, cells.position()), cells }),
                Err(error) => Err(broken(self.name, self.text, &error)),
            }),
            Rows::Json(lines) => {
                let (number, line) = lines.find(|(_, line)| !line.trim().is_empty())?;
                let row = object(self.name, number, line).map(|object| {
                    let cell = |column: &String| match object.get(column) {
                        Some(serde_json::Value::String(text)) => text.clone(),
                        Some(value) => value.to_string(),
                        None => String::new(),
                    };
                    Row { cells: self.columns.iter().map(cell).collect(), line: number as u64 + 1 }
                });
                Some(row)
            }
        }
    }

    /// Where a row stands, with this cell underlined.
    pub fn place(&self, row: &Row, cell: &str) -> Place {
        let number = usize::try_from(row.line).unwrap_or(1);
        let content = self.text.lines().nth(number.saturating_sub(1)).unwrap_or_default();
        line_place(self.name, content, number, cell)
    }

    /// A cell that is a number of tokens; one that is empty is none, as of requests that failed.
    pub fn tokens(&self, row: &Row, column: usize) -> Result<u32, Problem> {
        let cell = row.cell(column);
        if cell.is_empty() {
            return Ok(0);
        }
        // Some programs write whole numbers as 12.0.
        let whole = cell.strip_suffix(".0").unwrap_or(cell);
        whole.parse().map_err(|_| {
            Problem::new(format!(
                "`{cell}` in the column `{}` is not a number of tokens",
                self.columns[column]
            ))
            .at(&self.place(row, cell))
            .help("write a whole number from 0 to 4294967295")
        })
    }
}

fn object(
    name: &str,
    number: usize,
    line: &str,
) -> Result<serde_json::Map<String, serde_json::Value>, Problem> {
    serde_json::from_str(line).map_err(|_| {
        Problem::new(format!("the trace `{name}` has a line that is not a JSON object"))
            .at(&line_place(name, line, number + 1, ""))
            .help("every line is one, such as {\"timestamp\": 27482, \"input_length\": 6955, \"output_length\": 52}")
    })
}

fn broken(name: &str, text: &str, error: &csv::Error) -> Problem {
    Problem::new(format!("the trace `{name}` is not a CSV file"))
        .at(&place_in(name, text, csv_line(text, error.position()), None))
        .help(
            "every line needs the same number of cells, separated by commas, and text with commas in quotes",
        )
}

/// The number of the line on which a record of a CSV file begins.
///
/// The reader's own count is one short where lines end in CR LF: it has yet to read the LF.
pub(crate) fn csv_line(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let from = usize::try_from(position.byte()).ok().and_then(|byte| text.as_bytes().get(byte..));
    let ends = from.unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.filter(|byte| **byte == b'\n').count() as u64
}

/// A line of a file's text, and a cell of it.
pub(super) fn place_in(name: &str, text: &str, line: u64, cell: Option<&str>) -> Place {
    let number = usize::try_from(line).unwrap_or(1).max(1);
    let content = text.lines().nth(number - 1).unwrap_or_default();
    line_place(name, content, number, cell.unwrap_or_default())
}

/// One line of the file as a source of its own: the whole may be large.
fn line_place(name: &str, content: &str, number: usize, cell: &str) -> Place {
    let start = if cell.is_empty() { None } else { content.find(cell) };
    let span = match start {
        Some(start) => start..start + cell.len(),
        None => 0..content.len().max(1),
    };
    let source = Source {
        name: name.to_owned(),
        text: content.to_owned(),
        first_line: number.max(1),
        is_file: true,
        folder: Folder::Disk(PathBuf::new()),
    };
    Place::new(&Arc::new(source), span)
}
