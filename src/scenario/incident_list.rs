//! Reads lists of incidents: CSV files, and the `incidents.json` of a status page.
//!
//! Finding and caching the file is left to [`super::files`]; which incidents count, to [`super::lower_incidents`].

use super::problem::{Problem, one_of};
use super::source::Place;
use super::trace_table::{csv_line, place_in};

/// An incident that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Nanoseconds since 1970.
    pub start: i128,
    /// The same; `None` while it is not resolved.
    pub end: Option<i128>,
    /// How bad it was: minor, major ...
    pub impact: String,
    /// Whose it was; `None` where the list does not say.
    pub provider: Option<String>,
    /// What it hit.
    pub scopes: Vec<String>,
}

/// The incidents of a list, in order of start.
pub(crate) fn read(name: &str, text: &str, at: &Place) -> Result<Vec<Listed>, Problem> {
    let mut listed = match name.ends_with(".json") {
        true => of_status_page(name, text, at),
        false => of_csv(name, text, at),
    }?;
    listed.sort_by_key(|incident| incident.start);
    Ok(listed)
}

fn of_csv(name: &str, text: &str, at: &Place) -> Result<Vec<Listed>, Problem> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        let line = csv_line(text, error.position());
        Problem::new(format!("the list of incidents `{name}` is not a CSV file"))
            .at(&place_in(name, text, line, None))
            .help("every line needs the same number of cells, separated by commas, and text with commas in quotes")
    };
    let headers = reader.headers().map_err(broken)?.clone();
    let column = |title: &str| headers.iter().position(|header| header.trim() == title);
    let needed = |title: &str| {
        column(title).ok_or_else(|| {
            let titles: Vec<&str> = headers.iter().map(str::trim).collect();
            Problem::new(format!("the list of incidents `{name}` has no column `{title}`")).at(at).help(
                format!(
                    "its columns are {}; needed are posted_start, posted_resolved and impact",
                    one_of(titles).replace(" or ", " and ")
                ),
            )
        })
    };
    let (posted_start, posted_end) = (needed("posted_start")?, needed("posted_resolved")?);
    let impact = needed("impact")?;
    let (stated_start, stated_end) = (column("stated_impact_start"), column("stated_impact_end"));
    let (provider, scope) = (column("provider"), column("scope"));
    let mut listed = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = csv_line(text, record.position());
        let cell = |column: usize| record.get(column).unwrap_or_default().trim();
        let time = |stated: Option<usize>, posted: usize| {
            let stated = stated.map(cell).filter(|cell| !cell.is_empty());
            let written = stated.unwrap_or(cell(posted));
            let read = || {
                instant(written).ok_or_else(|| {
                    Problem::new(format!("`{written}` is not a date and time"))
                        .at(&place_in(name, text, line, Some(written)))
                        .help("write it like 2026-07-21T15:35:04Z")
                })
            };
            (!written.is_empty()).then(read).transpose()
        };
        let start = time(stated_start, posted_start)?.ok_or_else(|| {
            Problem::new("an incident has no start")
                .at(&place_in(name, text, line, None))
                .help("write a date and time like 2026-07-21T15:35:04Z in `posted_start`")
        })?;
        let end = time(stated_end, posted_end)?;
        if end.is_some_and(|end| end < start) {
            return Err(Problem::new("an incident ends before it starts")
                .at(&place_in(name, text, line, None))
                .help("swap its times, or remove the line"));
        }
        let word = |column: usize| Some(cell(column).to_owned()).filter(|word| !word.is_empty());
        listed.push(Listed {
            start,
            end,
            impact: cell(impact).to_owned(),
            provider: provider.and_then(word),
            scopes: scope.and_then(word).into_iter().collect(),
        });
    }
    Ok(listed)
}

fn of_status_page(name: &str, text: &str, at: &Place) -> Result<Vec<Listed>, Problem> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        let line = error.line() as u64;
        Problem::new(format!("the list of incidents `{name}` is not JSON: {error}"))
            .at(&place_in(name, text, line, None))
            .help("save a status page's /api/v2/incidents.json as it is")
    })?;
    let incidents = json["incidents"].as_array().ok_or_else(|| {
        Problem::new(format!("the list of incidents `{name}` has no `incidents`"))
            .at(at)
            .help("save a status page's /api/v2/incidents.json as it is")
    })?;
    let read = |(number, incident): (usize, &serde_json::Value)| {
        let wrong = |what: &str, value: &str| {
            // The value itself is the best there is to find the line by.
            let line = text.lines().position(|line| !value.is_empty() && line.contains(value));
            let place = line.map_or(at.clone(), |line| place_in(name, text, line as u64 + 1, Some(value)));
            Problem::new(format!("incident {} of `{name}` {what}", number + 1)).at(&place)
        };
        let time = |keys: &[&str]| -> Result<Option<i128>, Problem> {
            let Some(written) = keys.iter().find_map(|key| incident[key].as_str()) else { return Ok(None) };
            let not_a_time = || {
                wrong(&format!("has `{written}` for a time"), written)
                    .help("write it like 2026-07-21T15:35:04Z")
            };
            instant(written).map(Some).ok_or_else(not_a_time)
        };
        let start = time(&["started_at", "created_at"])?.ok_or_else(|| {
            wrong("has no start", "")
                .help("it needs `started_at` or `created_at`, a text like 2026-07-21T15:35:04Z")
        })?;
        let end = time(&["resolved_at"])?;
        if end.is_some_and(|end| end < start) {
            let resolved = incident["resolved_at"].as_str().unwrap_or_default();
            return Err(wrong("ends before it starts", resolved).help("swap its times, or remove it"));
        }
        let components = incident["components"].as_array().into_iter().flatten();
        Ok(Listed {
            start,
            end,
            impact: incident["impact"].as_str().unwrap_or("none").to_owned(),
            provider: None,
            scopes: components.filter_map(|c| c["name"].as_str()).map(str::to_owned).collect(),
        })
    };
    incidents.iter().enumerate().map(read).collect()
}

/// A date and time, in nanoseconds since 1970; without an offset it is UTC.
pub(crate) fn instant(text: &str) -> Option<i128> {
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp.as_nanosecond());
    }
    let local = text.parse::<jiff::civil::DateTime>().ok()?;
    Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_nanosecond())
}
