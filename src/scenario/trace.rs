//! Reads arrival times, and tokens, from a file of recorded requests.
//!
//! Finding and caching the file is left to [`super::files`], rows and cells to [`super::trace_table`].

use super::file_traffic::TraceUnit;
use super::problem::{Problem, nearest, one_of};
use super::source::Place;
use super::trace_locust;
use super::trace_table::Table;
use crate::model::Trace;
use crate::time::{SimDuration, SimTime};

/// A trace as the scenario names it.
pub(crate) struct Request<'a> {
    pub file: &'a str,
    pub file_at: &'a Place,
    pub column: Option<&'a str>,
    pub column_at: &'a Place,
    pub unit: Option<TraceUnit>,
    pub spread: Option<SimDuration>,
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

/// What a file has recorded.
#[derive(Debug)]
pub(crate) struct Recording {
    /// Arrival times relative to the first, ascending; at least two, and not all the same.
    pub times: Vec<SimTime>,
    /// The tokens of each arrival's prompt and answer, if the file has columns of both.
    pub tokens: Option<[Vec<u32>; 2]>,
}

/// Reads a recording in one of the formats that are told by their columns:
///
/// - any CSV file with a column of timestamps;
/// - Azure's LLM inference traces (TIMESTAMP, ContextTokens, GeneratedTokens);
/// - BurstGPT (Timestamp in seconds, Model, Request tokens, Response tokens, ...);
/// - Mooncake's, a JSON object a line (timestamp in milliseconds, input_length, output_length), and Qwen-Bailian's, which
///   also has a chat_id, in seconds;
/// - Locust's `_stats_history.csv` ([`super::trace_locust`]).
pub(crate) fn read(name: &str, text: &str, request: &Request<'_>) -> Result<Recording, Problem> {
    let table = Table::open(name, text)?;
    let recording = match trace_locust::is_history(&table.columns) && request.column.is_none() {
        true => trace_locust::read(table)?,
        false => read_rows(table, request)?,
    };
    let help = "name a file with one line for each request, below a header line";
    let times = &recording.times;
    if times.is_empty() {
        return Err(Problem::new(format!("the trace `{name}` is empty")).at(request.file_at).help(help));
    }
    if times.last() == times.first() && (times.len() == 1 || request.spread.is_none()) {
        let message = match times.len() {
            1 => format!("the trace `{name}` has only one request"),
            count => format!("all {count} requests of the trace `{name}` come at the same time"),
        };
        return Err(Problem::new(message).at(request.file_at).help(help));
    }
    Ok(match request.spread {
        Some(over) => Recording { times: spread(times, over), ..recording },
        None => recording,
    })
}

fn read_rows(mut table: Table<'_>, request: &Request<'_>) -> Result<Recording, Problem> {
    let column = pick_column(table.name, &table.columns, request)?;
    let clock = Clock { unit: request.unit.or_else(|| unit_of(&table.columns, column)) };
    let of_tokens = token_columns(&table.columns);
    let mut recording = Recording { times: vec![], tokens: of_tokens.map(|_| [vec![], vec![]]) };
    let mut first = 0;
    let mut last: Option<(i128, String)> = None;
    while let Some(row) = table.next_row() {
        let row = row?;
        let cell = row.cell(column);
        let at = || table.place(&row, cell);
        let nanos = clock.read(cell).map_err(|unreadable| match unreadable {
            Unreadable::NeedsUnit => {
                let title = &table.columns[column];
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
        if since_first > Trace::LONGEST.as_nanos() {
            return Err(Problem::new(format!(
                "`{cell}` comes more than a hundred years after the first request"
            ))
            .at(&at())
            .help("look for a time that is missing or in another unit"));
        }
        recording.times.push(SimTime::from_nanos(since_first));
        for (tokens, column) in recording.tokens.iter_mut().flatten().zip(of_tokens.into_iter().flatten()) {
            tokens.push(table.tokens(&row, column)?);
        }
        last = Some((nanos, cell.to_owned()));
    }
    Ok(recording)
}

/// How many tokens each row of a file has, in the column of this name, or in one with a usual name for it.
pub(crate) fn read_tokens(
    name: &str,
    text: &str,
    column: Option<&str>,
    side: Side,
    at: &Place,
) -> Result<Vec<u32>, Problem> {
    let mut table = Table::open(name, text)?;
    let found = match column {
        Some(column) => table.columns.iter().position(|title| title == column),
        None => token_column(&table.columns, side),
    };
    let Some(found) = found else {
        let columns = one_of(table.columns.iter().map(String::as_str)).replace(" or ", " and ");
        let message = match column {
            Some(column) => format!("`{name}` has no column `{column}`"),
            None => format!("which column of `{name}` has the tokens?"),
        };
        let help = format!("add column = \"...\" beside `file`; its columns are {columns}");
        return Err(Problem::new(message).at(at).help(help));
    };
    let mut tokens = vec![];
    while let Some(row) = table.next_row() {
        tokens.push(table.tokens(&row?, found)?);
    }
    match tokens.is_empty() {
        true => {
            Err(Problem::new(format!("`{name}` is empty")).at(at).help("name a file with rows of tokens"))
        }
        false => Ok(tokens),
    }
}

/// The unit of a column of numbers: its name says so, or it belongs to a format that has one.
fn unit_of(columns: &[String], time: usize) -> Option<TraceUnit> {
    let header = columns[time].to_lowercase();
    let has = |names: &[&str]| {
        names.iter().all(|name| columns.iter().any(|column| column.eq_ignore_ascii_case(name)))
    };
    let suffix = UNITS.iter().find(|(suffix, _)| header.ends_with(suffix)).map(|(_, unit)| *unit);
    suffix.or_else(|| match header.as_str() {
        "timestamp" if has(&["model", "request tokens", "response tokens"]) => Some(TraceUnit::Seconds),
        "timestamp" if has(&["chat_id", "input_length", "output_length"]) => Some(TraceUnit::Seconds),
        "timestamp" if has(&["input_length", "output_length"]) => Some(TraceUnit::Milliseconds),
        _ => None,
    })
}

/// Which of a request's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Input,
    Output,
}

/// Names that columns of tokens have.
const INPUT_NAMES: [&str; 5] =
    ["input_tokens", "prompt_tokens", "input_length", "contexttokens", "request tokens"];
const OUTPUT_NAMES: [&str; 5] =
    ["output_tokens", "completion_tokens", "output_length", "generatedtokens", "response tokens"];

fn token_column(columns: &[String], side: Side) -> Option<usize> {
    let names = match side {
        Side::Input => INPUT_NAMES,
        Side::Output => OUTPUT_NAMES,
    };
    columns.iter().position(|column| names.contains(&column.to_lowercase().as_str()))
}

fn token_columns(columns: &[String]) -> Option<[usize; 2]> {
    Some([token_column(columns, Side::Input)?, token_column(columns, Side::Output)?])
}

/// Spreads what comes at one instant evenly over this long from then on, but not beyond what comes next.
fn spread(times: &[SimTime], over: SimDuration) -> Vec<SimTime> {
    let mut spread = Vec::with_capacity(times.len());
    for group in times.chunk_by(|one, other| one == other) {
        let next = times.get(spread.len() + group.len());
        let room = next.map_or(over, |next| over.min(next.since(group[0])));
        let place = |i: usize| room.scaled((i as f64 + 0.5) / group.len() as f64);
        spread.extend((0..group.len()).map(|i| group[0].after(place(i))));
    }
    let before = spread.first().map_or(SimDuration::ZERO, |first| first.since(SimTime::START));
    spread.iter().map(|time| time.before(before)).collect()
}

fn pick_column(name: &str, columns: &[String], request: &Request<'_>) -> Result<usize, Problem> {
    if columns.iter().all(String::is_empty) {
        return Err(Problem::new(format!("the trace `{name}` is empty"))
            .at(request.file_at)
            .help("name a file with one line for each request, below a header line"));
    }
    let titles = || columns.iter().map(String::as_str);
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

pub(super) enum Unreadable {
    NeedsUnit,
    NoTime,
}

pub(super) struct Clock {
    pub unit: Option<TraceUnit>,
}

impl Clock {
    /// Nanoseconds since some origin that is the same for the whole file.
    pub fn read(&self, cell: &str) -> Result<i128, Unreadable> {
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

    #[test]
    fn what_comes_at_once_is_spread_up_to_what_comes_next() {
        let times = [0, 0, 3000, 3000, 3000, 4000].map(|ms| SimTime::from_nanos(ms * 1_000_000));
        let spread = spread(&times, SimDuration::from_secs(3));
        let millis: Vec<f64> = spread.iter().map(|time| time.as_millis_f64().round()).collect();
        assert_eq!(millis, [0.0, 1500.0, 2417.0, 2750.0, 3083.0, 4750.0]);
    }

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
