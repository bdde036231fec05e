//! Failures over time on one line, and the clock under it.

use super::super::ScenarioResult;
use super::super::event_words::clock;
use super::text::{Ink, Text, short};
use crate::model::Model;
use crate::time::SimTime;
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// A strip has no more columns than this.
const COLUMNS_MAX: usize = 64;
/// The longest label of a row of words.
const LABEL_MIN: usize = 9;
/// A column with less than this share of the highest is background, and drawn as a dot.
const FAINT: f64 = 0.01;
const SECONDS_PER_DAY: usize = 24 * 60 * 60;

/// Where pictures stand, and what their columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Columns before the words and the picture of a row.
    pub margin: usize,
    /// The most columns that a picture may have.
    room: usize,
}

impl Frame {
    /// A frame beside labels that are so long.
    pub fn new(label: usize, screen_width: usize) -> Self {
        // Two spaces before the label and one after it; a bar on either side of the picture.
        let margin = label.min(screen_width / 4).max(LABEL_MIN) + 3;
        Frame { margin, room: COLUMNS_MAX.min(screen_width.saturating_sub(margin + 2)).max(1) }
    }

    /// The seconds of each column of a picture of a whole run: equal parts, and of several days whole hours or days.
    pub fn columns(&self, model: &Model) -> Vec<Range<usize>> {
        let seconds = (model.duration.as_nanos().div_ceil(1_000_000_000) as usize).max(1);
        if seconds < 2 * SECONDS_PER_DAY {
            let columns = seconds.min(self.room);
            return (0..columns).map(|i| i * seconds / columns..(i + 1) * seconds / columns).collect();
        }
        let column = nice_column(seconds, self.room);
        (0..seconds).step_by(column).map(|start| start..(start + column).min(seconds)).collect()
    }
}

/// The shortest part of a day that divides it into whole hours, or number of days, of which so many columns are enough.
fn nice_column(seconds: usize, room: usize) -> usize {
    const HOURS: [usize; 7] = [1, 2, 3, 4, 6, 8, 12];
    let fits = |column: &usize| seconds.div_ceil(*column) <= room;
    let part = HOURS.map(|hours| hours * 60 * 60).into_iter().find(fits);
    part.unwrap_or_else(|| seconds.div_ceil(SECONDS_PER_DAY).div_ceil(room) * SECONDS_PER_DAY)
}

/// Failed requests a second, averaged over runs, for each column.
pub(super) fn failures(result: &ScenarioResult, columns: &[Range<usize>]) -> Vec<f64> {
    let runs = result.outcomes.len() as f64;
    let mean = |seconds: &Range<usize>| {
        let end = seconds.end.min(result.seconds.len());
        let part = result.seconds.get(seconds.start..end).unwrap_or_default();
        let failed: u64 = part.iter().map(|second| second.failed_count).sum();
        failed as f64 / (seconds.len() as f64 * runs)
    };
    columns.iter().map(mean).collect()
}

/// A picture with a label before it.
pub(super) fn framed(text: &mut Text, frame: Frame, label: &str, picture: &str) {
    let width = frame.margin - 2;
    let gap = " ".repeat(width.saturating_sub(label.width()));
    text.line(&format!("  {label}{gap}▕{picture}▏"));
}

/// The strip of failures, in shares of the highest column of all scenarios.
pub(super) fn strip(text: &mut Text, frame: Frame, values: &[f64], highest: f64) {
    const LEVELS: [[char; 8]; 2] =
        [['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'], ['.', ':', '-', '=', '+', '*', '#', '@']];
    let levels = LEVELS[usize::from(text.screen().is_ascii)];
    let block = |value: &f64| match value / highest {
        share if share.is_nan() || share <= 0.0 => (' ', None),
        share if share < FAINT => ('·', Some(Ink::Faint)),
        share => (levels[((share * 8.0).ceil() as usize).clamp(1, 8) - 1], Some(Ink::Bad)),
    };
    let blocks: Vec<_> = values.iter().map(block).collect();
    framed(text, frame, "failed/s", &inked(text, &blocks));
}

/// Characters in inks, with as few changes of ink as there can be.
pub(super) fn inked(text: &Text, blocks: &[(char, Option<Ink>)]) -> String {
    let inked = |run: &[(char, Option<Ink>)]| {
        let words: String = run.iter().map(|(block, _)| block).collect();
        run[0].1.map_or(words.clone(), |ink| text.inked(ink, &words))
    };
    blocks.chunk_by(|a, b| a.1 == b.1).map(inked).collect()
}

/// When a picture begins and ends, and between the two what there is to say of it.
pub(super) fn axis(text: &mut Text, frame: Frame, result: &ScenarioResult, columns: &[Range<usize>]) {
    let worst = result.seconds.iter().map(|second| second.failed_count).max().unwrap_or(0);
    let worst = short(worst as f64 / result.outcomes.len() as f64);
    let mut middle = if worst == "0" { vec![] } else { vec![format!("worst second {worst}")] };
    let seconds = columns.last().map_or(0, |last| last.end);
    let [start, end] = if seconds >= 2 * SECONDS_PER_DAY {
        middle.push(format!("a column is {}", column_words(columns[0].len())));
        ["day 1".to_owned(), format!("day {}", seconds.div_ceil(SECONDS_PER_DAY))]
    } else {
        [SimTime::START, SimTime::START.after(result.model.duration)].map(|at| clock(result.model, at))
    };
    let (middle, width) = (middle.join(", "), columns.len() + 2);
    let margin = " ".repeat(frame.margin);
    let between = width.saturating_sub(start.len() + end.len());
    if middle.is_empty() || between > middle.len() + 1 {
        text.line(&format!("{margin}{start}{middle:^between$}{end}"));
    } else {
        text.line(&format!("{margin}{start}{:>1$}{end}", "", between.max(1)));
        text.wrapped(&format!("{margin}{middle}"), frame.margin);
    }
}

/// How long a column of many days is.
fn column_words(seconds: usize) -> String {
    let (count, unit) = match seconds.is_multiple_of(SECONDS_PER_DAY) {
        true => (seconds / SECONDS_PER_DAY, "day"),
        false => (seconds / 3600, "hour"),
    };
    match (count, unit) {
        (1, "hour") => "an hour".to_owned(),
        (1, _) => "a day".to_owned(),
        _ => format!("{count} {unit}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_many_days_are_whole_hours_or_days() {
        let words = |days: usize, room| column_words(nice_column(days * SECONDS_PER_DAY, room));
        assert_eq!((words(2, 64), words(20, 64)), ("an hour".into(), "8 hours".into()));
        assert_eq!(
            (words(64, 64), words(90, 64), words(366, 64)),
            ("a day".into(), "2 days".into(), "6 days".into())
        );
    }
}
