//! What a sweep would do: its points, what there is to simulate, how long that takes here, how much it writes.
//!
//! A part of [`super::sweep`]. A few runs are played to time them, and forgotten.

use crate::experiment::design::{Layout, Point, Tally};
use crate::experiment::survey::{Survey, Surveyed, point_model};
use crate::job::Failure;
use crate::job::sweep::SweepJob;
use crate::metrics::{METRICS, Outcome, measure};
use crate::model::Model;
use crate::output::PARQUET_AVAILABLE;
use crate::output::terminal::{counted, large};
use crate::scenario::shape::inline;
use crate::time::SimDuration;
use std::fmt::Write;
use std::time::{Duration, Instant};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How long runs are played to see how fast they are.
const TIMED: Duration = Duration::from_millis(300);
/// Longer runs are cut short for it.
const TIMED_EVENTS_MAX: f64 = 3e6;
/// Columns of a terminal that everybody has.
const WIDTH: usize = 80;
/// A value that is longer is cut, in the table of points.
const CELL_MAX: usize = 24;
const POINTS_SHOWN: usize = 5;

/// Sizes as measured on `experiments/02_health_check_interval`: a point's row holds a dozen statistics of each metric,
/// Parquet takes less than a sixth of what CSV takes, and the ledger keeps an outcome in about a hundred bytes.
const RUN_ROWS_IN_A_POINT_ROW: f64 = 12.0;
const PARQUET_SHARE: f64 = 0.15;
const LEDGER_BYTES: f64 = 100.0;

/// A sweep and the runs it is asked for.
pub(super) struct DryRun<'a> {
    pub job: &'a SweepJob,
    pub seed: u64,
}

impl DryRun<'_> {
    /// What to print, on all threads that the sweep would have.
    pub fn report(&self) -> Result<String, Failure> {
        let (sweep, scenarios, stopping) = (self.job.sweep(), self.job.scenarios(), self.job.stopping());
        let layout = sweep.layout(scenarios)?;
        let all = (0..layout.len()).collect();
        let go_on = |_: &[Surveyed], _| Ok::<(), Failure>(());
        let survey = Survey::of(sweep, scenarios, &layout, all, self.job.wanted(), &(), go_on)?;
        let mut text = self.tallies(&layout);
        let mut say = |words: String| writeln!(text, "{words}").expect("a string grows");

        let points = layout.len() as f64;
        let of_each = stopping.max as f64;
        let runs = points * of_each;
        // A point that is known well enough gets fewer.
        let up_to = if stopping.until.is_some() { "up to " } else { "" };
        say(format!(
            "\n{} x {up_to}{} = {up_to}{}",
            counted(points, "point"),
            counted(of_each, "run"),
            counted(runs, "run")
        ));
        // Where nothing is random, one run answers for all.
        let played = |point: &Surveyed| if point.is_random { of_each } else { 1.0 };
        let sum = |cost: fn(&Surveyed) -> f64| survey.points.iter().map(|p| cost(p) * played(p)).sum::<f64>();
        let (requests, events) = (sum(|point| point.requests), sum(|point| point.events));
        say(format!("{up_to}about {} requests, {} events", rough(requests), rough(events)));
        if let Some(timing) = self.time(&layout, &survey) {
            let threads = rayon::current_num_threads();
            let seconds = timing.seconds_per_event * events / threads as f64;
            let plural = if threads == 1 { "" } else { "s" };
            say(format!("{up_to}{} on {threads} thread{plural}", time_words(seconds)));
            let rows = runs + RUN_ROWS_IN_A_POINT_ROW * points;
            let copies = if PARQUET_AVAILABLE { 1.0 + PARQUET_SHARE } else { 1.0 };
            let bytes = rows * timing.bytes_per_row * copies + runs * LEDGER_BYTES;
            say(format!("{up_to}{} on disk", size_words(bytes)));
        }
        if let Some((point, message)) = survey.invalid.first() {
            let count = survey.invalid.len();
            let points = if count == 1 { "1 point is" } else { &format!("{count} points are") };
            say(format!("\n{points} no valid scenario, first point {point}:\n  {message}"));
        }
        text += &self.first_points(&layout);
        Ok(text)
    }

    /// How many points each scenario has, and why not more.
    fn tallies(&self, layout: &Layout) -> String {
        let number = |number: usize| large(number as f64);
        let mut rows =
            vec![["scenario", "points", "by design", "equal", "dropped by keep"].map(str::to_owned).to_vec()];
        let total = layout.tallies.iter().fold(Tally::default(), |sum, tally| sum.plus(*tally));
        let names = self.job.scenarios().iter().map(|scenario| scenario.name().to_owned());
        let mut tallies: Vec<(String, Tally)> = names.zip(layout.tallies.iter().copied()).collect();
        if tallies.len() > 1 {
            tallies.push(("all".to_owned(), total));
        }
        for (name, tally) in tallies {
            let numbers = [tally.kept(), tally.designed, tally.equal, tally.dropped].map(number);
            rows.push([name].into_iter().chain(numbers).collect());
        }
        // Columns that say nothing are left out.
        let nothing = [(4, total.dropped == 0), (3, total.equal == 0), (2, total.kept() == total.designed)];
        for (column, _) in nothing.into_iter().filter(|(_, says_nothing)| *says_nothing) {
            rows.iter_mut().for_each(|row| drop(row.remove(column)));
        }
        table(&rows, 1)
    }

    /// The values of a few points.
    fn first_points(&self, layout: &Layout) -> String {
        let paths: Vec<&str> = self.job.sweep().axes.iter().map(|axis| axis.path.as_str()).collect();
        let header =
            ["point", "scenario"].into_iter().chain((0..paths.len()).map(|nth| short_name(&paths, nth)));
        let mut rows = vec![header.map(cut).collect::<Vec<String>>()];
        for index in 0..layout.len().min(POINTS_SHOWN) {
            let point = self.job.sweep().point(self.job.scenarios(), layout, index);
            let scenario = self.job.scenarios()[point.scenario].name().to_owned();
            let value = |value: &Option<toml::Value>| match value {
                Some(toml::Value::String(text)) => cut(text),
                Some(value) => cut(&inline(value)),
                None => "-".to_owned(),
            };
            let values = point.values.iter().map(value);
            rows.push([point.index.to_string(), cut(&scenario)].into_iter().chain(values).collect());
        }
        let shown = widths(&rows).into_iter().scan(0, |sum, width| {
            *sum += width + GAP.len();
            Some(*sum - GAP.len())
        });
        let fitting = shown.take_while(|width| *width <= WIDTH).count();
        let mut text = "\n".to_owned();
        let left_out = rows[0].len() - fitting;
        rows.iter_mut().for_each(|row| row.truncate(fitting));
        text += &table(&rows, 0);
        if layout.len() > POINTS_SHOWN {
            text += "...\n";
        }
        if left_out > 0 {
            let plural = if left_out == 1 { "axis is" } else { "axes are" };
            writeln!(text, "{left_out} more {plural} not shown").expect("a string grows");
        }
        text
    }

    /// Plays runs of points here and there. `None` if there is no point to play.
    fn time(&self, layout: &Layout, survey: &Survey) -> Option<Timing> {
        let playable: Vec<usize> = (0..layout.len()).filter(|i| survey.points[*i].events > 0.0).collect();
        let (mut seconds, mut events, mut bytes) = (0.0, 0.0, 0.0);
        let begin = Instant::now();
        let mut rows = 0_u32;
        while !playable.is_empty() && (rows == 0 || begin.elapsed() < TIMED) {
            // Multiples of the golden ratio spread evenly, however many there are.
            let place = (f64::from(rows) * 0.618_033_988_75).fract() * playable.len() as f64;
            let point = &self.job.sweep().point(self.job.scenarios(), layout, playable[place as usize]);
            let model = shortened(point_model(self.job.sweep(), self.job.scenarios(), point).ok()?);
            let start = Instant::now();
            let outcome = measure(&model, self.seed, u64::from(rows), self.job.wanted(), None);
            seconds += start.elapsed().as_secs_f64();
            events += model.expected_events();
            bytes += row_bytes(&model, point, &outcome);
            rows += 1;
        }
        (rows > 0)
            .then(|| Timing { seconds_per_event: seconds / events, bytes_per_row: bytes / f64::from(rows) })
    }
}

/// What a few runs took.
struct Timing {
    seconds_per_event: f64,
    /// In CSV.
    bytes_per_row: f64,
}

/// A model whose run takes no longer than anybody waits for an estimate.
fn shortened(model: Model) -> Model {
    let share = TIMED_EVENTS_MAX / model.expected_events();
    let duration = if share < 1.0 { model.duration.scaled(share) } else { model.duration };
    Model { duration: duration.max(SimDuration::from_nanos(1)), ..model }
}

/// About the length of a run's line in CSV.
fn row_bytes(model: &Model, point: &Point, outcome: &Outcome) -> f64 {
    let metrics =
        METRICS.iter().map(|metric| metric.of(outcome).map_or(1, |value| value.to_string().len() + 1));
    let values = point.values.iter().flatten().map(|value| inline(value).len() + 1);
    // Point, run, seed and verdict are a dozen more.
    (metrics.sum::<usize>() + values.sum::<usize>() + model.name.len() + 12) as f64
}

/// The end of a path that no other path has.
fn short_name<'a>(paths: &[&'a str], nth: usize) -> &'a str {
    let path = paths[nth];
    let ends = |other: &str, name: &str| other == name || other.ends_with(&format!(".{name}"));
    let unique = |name: &&str| !paths.iter().enumerate().any(|(i, other)| i != nth && ends(other, name));
    let starts = path.rmatch_indices('.').map(|(dot, _)| dot + 1).chain([0]);
    // `from` says what it is only together with what it is of.
    let mut names = starts.map(|start| &path[start..]).filter(|name| *name != "from");
    names.find(unique).unwrap_or(path)
}

const GAP: &str = "  ";

/// Rows of cells, aligned: those from column `right` on to the right, or none of them if it is 0.
fn table(rows: &[Vec<String>], right: usize) -> String {
    let widths = widths(rows);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let space = " ".repeat(width - cell.width());
            if right > 0 && column >= right { space + cell } else { cell.clone() + &space }
        });
        let line = cells.collect::<Vec<String>>().join(GAP);
        writeln!(text, "{}", line.trim_end()).expect("a string grows");
    }
    text
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    (0..rows[0].len()).map(width).collect()
}

/// A value that is short enough for a cell: of a file the end, of anything else the beginning.
fn cut(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.width() <= CELL_MAX {
        return text;
    }
    let fit = |chars: &mut dyn Iterator<Item = char>| -> Vec<char> {
        let mut width = 1;
        chars
            .take_while(|c| {
                width += c.width().unwrap_or(0);
                width <= CELL_MAX
            })
            .collect()
    };
    if text.contains('/') {
        let end = fit(&mut text.chars().rev());
        return format!("…{}", end.iter().rev().collect::<String>());
    }
    format!("{}…", fit(&mut text.chars()).iter().collect::<String>())
}

/// A large number to three digits: `2.32 billion`.
fn rough(number: f64) -> String {
    match number {
        ..1e6 => large(number),
        ..1e9 => format!("{} million", three_digits(number / 1e6)),
        ..1e12 => format!("{} billion", three_digits(number / 1e9)),
        _ => format!("{number:.1e}"),
    }
}

/// A number from 1 to 1000.
fn three_digits(number: f64) -> String {
    match number {
        ..9.995 => format!("{number:.2}"),
        ..99.95 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// How long to wait: the next smaller unit would say more than is known.
fn time_words(seconds: f64) -> String {
    let (number, unit) = match seconds {
        ..1.0 => return "under a second".to_owned(),
        ..90.0 => (seconds, "second"),
        ..5_400.0 => (seconds / 60.0, "minute"),
        ..129_600.0 => (seconds / 3_600.0, "hour"),
        _ => (seconds / 86_400.0, "day"),
    };
    let number = number.round();
    format!("about {} {unit}{}", large(number), if number == 1.0 { "" } else { "s" })
}

fn size_words(bytes: f64) -> String {
    match bytes {
        ..1e6 => "under 1 MB".to_owned(),
        ..1e9 => format!("about {:.0} MB", bytes / 1e6),
        _ => format!("about {:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_in_words_that_promise_no_more_than_is_known() {
        let times = [0.2, 1.2, 89.0, 100.0, 7_000.0, 200_000.0].map(time_words);
        let expected = [
            "under a second",
            "about 1 second",
            "about 89 seconds",
            "about 2 minutes",
            "about 2 hours",
            "about 2 days",
        ];
        assert_eq!(times, expected);
        let sizes = [5e5, 1.4e7, 2.34e9].map(size_words);
        assert_eq!(sizes, ["under 1 MB", "about 14 MB", "about 2.3 GB"]);
        let numbers = [12_345.0, 2.317e9, 12.34e6, 1e15].map(rough);
        assert_eq!(numbers, ["12,345", "2.32 billion", "12.3 million", "1.0e15"]);
    }

    #[test]
    fn axes_are_told_apart_by_the_ends_of_their_paths() {
        let paths = [
            "case",
            "gateway.from",
            "a.check.interval",
            "b.check.interval",
            "a.check.timeout",
            "check.timeout",
        ];
        let names: Vec<&str> = (0..paths.len()).map(|nth| short_name(&paths, nth)).collect();
        assert_eq!(
            names,
            [
                "case",
                "gateway.from",
                "a.check.interval",
                "b.check.interval",
                "a.check.timeout",
                "check.timeout"
            ]
        );
        assert_eq!(short_name(&["gateway.health_check.interval", "gateway.replicas"], 0), "interval");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(cut("models/gateways/story-openrouter.toml"), "…s/story-openrouter.toml");
        assert_eq!(cut("{ weighted = { a = 0.5, b = 0.5 } }"), "{ weighted = { a = 0.5,…");
        assert_eq!(cut("a\u{1b}[31m"), "a [31m");
    }
}
