//! Reads arrival times from a CSV file: any with a header row and a column of timestamps.
//!
//! Finding and caching the file is left to [`super::files`].

use super::file_traffic::TraceUnit;
use super::problem::{Problem, nearest, one_of};
use super::source::{Folder, Place, Source};
use crate::time::SimTime;
use std::path::PathBuf;
use std::sync::Arc;

/// A trace as the scenario names it.
pub(crate) struct Request<'a> {
    pub file: &'a str,
    pub file_at: &'a Place,
    pub column: Option<&'a str>,
    pub column_at: &'a Place,
    pub unit: Option<TraceUnit>,
}

/// Names that timestamp columns have, without a unit at their end.
const USUAL_NAMES: [&str; 16] = [
    "t",
    "ts",
    "time",
    "timestamp",
    "@timestamp",
    "datetime",
    "date_time",
    "start",
    "start_time",
    "started_at",
    "arrival",
    "arrival_time",
    "arrived_at",
    "created_at",
    "request_time",
    "event_time",
];

const UNITS: [(&str, TraceUnit); 4] = [
    ("_ms", TraceUnit::Milliseconds),
    ("_us", TraceUnit::Microseconds),
    ("_ns", TraceUnit::Nanoseconds),
    ("_s", TraceUnit::Seconds),
];

impl TraceUnit {
    fn nanos(self) -> i128 {
        match self {
            TraceUnit::Seconds => 1_000_000_000,
            TraceUnit::Milliseconds => 1_000_000,
            TraceUnit::Microseconds => 1_000,
            TraceUnit::Nanoseconds => 1,
        }
    }
}

/// Arrival times relative to the first, ascending; at least two, and not all the same.
pub(crate) fn read(name: &str, text: &str, request: &Request<'_>) -> Result<Vec<SimTime>, Problem> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        let line = csv_line(text, error.position());
        Problem::new(format!("the trace `{name}` is not a CSV file")).at(&line_place(name, text, line, None)).help(
            "every line needs the same number of cells, separated by commas, and text with commas in quotes",
        )
    };
    let headers = reader.headers().map_err(broken)?.clone();
    let column = pick_column(name, &headers, request)?;
    let header = headers[column].trim().to_lowercase();
    let suffix = UNITS.iter().find(|(suffix, _)| header.ends_with(suffix)).map(|(_, unit)| *unit);
    let clock = Clock { unit: request.unit.or(suffix) };

    let mut times: Vec<SimTime> = Vec::new();
    let mut first = 0;
    let mut last: Option<(i128, String)> = None;
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = csv_line(text, record.position());
        let cell = record.get(column).unwrap_or_default().trim();
        let at = || line_place(name, text, line, Some(cell));
        let nanos = clock.read(cell).map_err(|unreadable| match unreadable {
            Unreadable::NeedsUnit => {
                let title = &headers[column];
                Problem::new(format!("the trace's column `{title}` holds numbers without a unit"))
                    .at(&at())
                    .help("add to the trace in the scenario: unit = \"ms\" (or \"s\", \"us\", \"ns\")")
            }
            Unreadable::NoTime => Problem::new(format!("`{cell}` is not a time"))
                .at(&at())
                .help("a time is a number, or a date and time such as 2026-11-22T02:47:00Z or 2026-11-22 02:47:00.5"),
        })?;
        match &last {
            None => first = nanos,
            Some((before, written)) if nanos < *before => {
                return Err(Problem::new(format!(
                    "the trace is not sorted: `{cell}` comes after `{written}`"
                ))
                .at(&at())
                .help("sort the file by time"));
            }
            Some(_) => {}
        }
        let since_first = u64::try_from(nanos - first).unwrap_or(u64::MAX);
        times.push(SimTime::from_nanos(since_first));
        last = Some((nanos, cell.to_owned()));
    }
    let help = "name a file with one line for each request, below a header line";
    if times.is_empty() {
        return Err(Problem::new(format!("the trace `{name}` is empty")).at(request.file_at).help(help));
    }
    if times.last() == times.first() {
        let message = match times.len() {
            1 => format!("the trace `{name}` has only one request"),
            count => format!("all {count} requests of the trace `{name}` come at the same time"),
        };
        return Err(Problem::new(message).at(request.file_at).help(help));
    }
    Ok(times)
}

fn pick_column(name: &str, headers: &csv::StringRecord, request: &Request<'_>) -> Result<usize, Problem> {
    if headers.iter().all(|header| header.trim().is_empty()) {
        return Err(Problem::new(format!("the trace `{name}` is empty"))
            .at(request.file_at)
            .help("name a file with one line for each request, below a header line"));
    }
    let titles = || headers.iter().map(str::trim);
    if let Some(column) = request.column {
        return titles().position(|header| header == column).ok_or_else(|| {
            let help = match nearest(column, titles()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its columns are {}", one_of(titles()).replace(" or ", " and ")),
            };
            Problem::new(format!("the trace `{name}` has no column `{column}`"))
                .at(request.column_at)
                .help(help)
        });
    }
    let usual = |header: &str| {
        let header = header.to_lowercase();
        let bare = UNITS.iter().find_map(|(suffix, _)| header.strip_suffix(suffix)).unwrap_or(&header);
        USUAL_NAMES.contains(&bare)
    };
    titles().position(usual).ok_or_else(|| {
        let columns = one_of(titles()).replace(" or ", " and ");
        Problem::new(format!("which column of the trace `{name}` has the times?"))
            .at(request.file_at)
            .help(format!("add column = \"...\" beside `file`; its columns are {columns}"))
    })
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

/// One line of the file as a source of its own: the whole may be large.
pub(crate) fn line_place(name: &str, text: &str, line: u64, cell: Option<&str>) -> Place {
    let number = usize::try_from(line).unwrap_or(1).max(1);
    let content = text.lines().nth(number - 1).unwrap_or_default().to_owned();
    let span = match cell.filter(|cell| !cell.is_empty()).and_then(|cell| Some((content.find(cell)?, cell))) {
        Some((start, cell)) => start..start + cell.len(),
        None => 0..content.len().max(1),
    };
    let source = Source {
        name: name.to_owned(),
        text: content,
        first_line: number,
        is_file: true,
        folder: Folder::Disk(PathBuf::new()),
    };
    Place::new(&Arc::new(source), span)
}

enum Unreadable {
    NeedsUnit,
    NoTime,
}

struct Clock {
    unit: Option<TraceUnit>,
}

impl Clock {
    /// Nanoseconds since some origin that is the same for the whole file.
    fn read(&self, cell: &str) -> Result<i128, Unreadable> {
        if decimal(cell, 1).is_some() {
            let unit = self.unit.ok_or(Unreadable::NeedsUnit)?;
            return decimal(cell, unit.nanos()).ok_or(Unreadable::NoTime);
        }
        if let Ok(timestamp) = cell.parse::<jiff::Timestamp>() {
            return Ok(timestamp.as_nanosecond());
        }
        // Without an offset: all cells are taken to be of one zone, and only differences count.
        let local = cell.parse::<jiff::civil::DateTime>().map_err(|_| Unreadable::NoTime)?;
        let utc = local.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| Unreadable::NoTime)?;
        Ok(utc.timestamp().as_nanosecond())
    }
}

/// A decimal number times `unit`, exactly: milliseconds since 1970 need more digits than a float has.
fn decimal(text: &str, unit: i128) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.len() <= 20 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || digits.trim_matches('.').is_empty() {
        // Scientific notation; spreadsheets write it.
        let number: f64 = text.parse().ok()?;
        return (number.is_finite() && number.abs() < 1e18).then_some((number * unit as f64) as i128);
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // More than nine digits are below a nanosecond in every unit.
    let fraction = &fraction[..fraction.len().min(9)];
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let nanos = whole * unit + part * unit / 10_i128.pow(fraction.len() as u32);
    Some(if negative { -nanos } else { nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(cell: &str, unit: TraceUnit) -> Option<i128> {
        Clock { unit: Some(unit) }.read(cell).ok()
    }

    #[test]
    fn numbers_keep_every_digit() {
        assert_eq!(nanos("1700000000123.456789", TraceUnit::Milliseconds), Some(1_700_000_000_123_456_789));
        assert_eq!(nanos("-1.5", TraceUnit::Seconds), Some(-1_500_000_000));
        assert_eq!(nanos("1e3", TraceUnit::Milliseconds), Some(1_000_000_000));
        assert_eq!(nanos("nan", TraceUnit::Seconds), None);
        assert_eq!(nanos("", TraceUnit::Seconds), None);
    }

    #[test]
    fn dates_read_with_and_without_an_offset() {
        let of = |cell| nanos(cell, TraceUnit::Seconds).unwrap();
        assert_eq!(of("2023-11-16T18:17:03.9799600Z"), of("2023-11-16 18:17:03.97996"));
        assert_eq!(of("2023-11-16T18:17:04+01:00") - of("2023-11-16 17:17:03"), 1_000_000_000);
    }
}
