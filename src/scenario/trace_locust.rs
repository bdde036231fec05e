//! Reads arrivals from the history that Locust writes with `--csv`, `_stats_history.csv`.
//!
//! It has a row a second with running totals. Its rates are averages that lag, so arrivals are the differences of the
//! total of requests, spread evenly over the time between two rows. Locust counts a request when it completes, so they
//! come later than they were sent by a response time. Source: Locust 2.47.0, `locust/stats.py`.

use super::file_traffic::TraceUnit;
use super::problem::Problem;
use super::trace::{Clock, Recording};
use super::trace_table::Table;
use crate::time::{SimDuration, SimTime};

const TIME: &str = "Timestamp";
const NAME: &str = "Name";
const TOTAL: &str = "Total Request Count";

pub(super) fn is_history(columns: &[String]) -> bool {
    [TIME, NAME, TOTAL, "User Count"].iter().all(|name| columns.iter().any(|column| column == name))
}

pub(super) fn read(mut table: Table<'_>) -> Result<Recording, Problem> {
    let of = |name| table.columns.iter().position(|column| column == name).unwrap_or_default();
    let (time_column, name_column, total_column) = (of(TIME), of(NAME), of(TOTAL));
    let clock = Clock { unit: Some(TraceUnit::Seconds) };
    let mut times: Vec<i128> = vec![];
    let mut last: Option<(i128, u32)> = None;
    while let Some(row) = table.next_row() {
        let row = row?;
        // With the full history there is a row for each name as well.
        if row.cell(name_column) != "Aggregated" {
            continue;
        }
        let cell = row.cell(time_column);
        let at = clock.read(cell).ok().filter(|at| last.is_none_or(|(before, _)| before <= *at));
        let Some(at) = at else {
            let message = format!("`{cell}` is no time after that of the row before");
            let help = "Locust writes seconds since 1970, in order; give its file as it wrote it";
            return Err(Problem::new(message).at(&table.place(&row, cell)).help(help));
        };
        let cell = row.cell(total_column);
        let Ok(total) = cell.parse::<u32>() else {
            let message = format!("`{cell}` is not a number of requests");
            let help = "Locust writes whole numbers; give its file as it wrote it";
            return Err(Problem::new(message).at(&table.place(&row, cell)).help(help));
        };
        if let Some((before, total_before)) = last {
            // Statistics that are reset start from 0 again.
            let count = total.checked_sub(total_before).unwrap_or(total);
            let place = |i| (at - before) * (2 * i + 1) / (2 * i128::from(count));
            times.extend((0..i128::from(count)).map(|i| before + place(i)));
        }
        last = Some((at, total));
    }
    let first = times.first().copied().unwrap_or_default();
    let since_first = |time: i128| SimDuration::from_nanos(u64::try_from(time - first).unwrap_or(u64::MAX));
    let times = times.into_iter().map(|time| SimTime::START.after(since_first(time))).collect();
    Ok(Recording { times, tokens: None })
}
