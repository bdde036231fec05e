//! The summary that `run` prints: what each scenario lost, side by side, and how it came about. 80 columns at most.

use super::assumptions::assumptions;
use crate::engine::Milestone;
use crate::experiment::statistics::Summary;
use crate::metrics::{METRICS, Outcome, SecondCounts, TimelineEntry, TimelineEvent};
use crate::model::Model;
use crate::time::{SimDuration, SimTime};
use std::fmt::Write;

const WIDTH: usize = 80;
const STRIP_COLUMNS: usize = 60;
/// A scenario that flaps all day has more to tell than anybody reads.
const TIMELINE_ENTRIES: usize = 12;

/// One scenario's results, as the summary needs them.
#[derive(Debug)]
pub struct ScenarioResult<'a> {
    /// What was simulated.
    pub model: &'a Model,
    /// Every metric over the runs, in the order of [`METRICS`].
    pub summaries: Vec<Summary>,
    /// What failed requests differ by from the baseline, run by run; `None` for the baseline itself.
    pub failed_difference: Option<Summary>,
    /// Over all runs, by second of arrival.
    pub seconds: Vec<SecondTotal>,
    /// How many runs.
    pub run_count: u64,
    /// Which run the timeline is of.
    pub shown_run: u64,
    /// That run, with its timeline.
    pub shown: Outcome,
}

/// Requests that arrived in one second, over all runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecondTotal {
    /// Those that failed.
    pub failed_count: u64,
}

impl ScenarioResult<'_> {
    fn summary(&self, name: &str) -> &Summary {
        let index = METRICS.iter().position(|metric| metric.name == name);
        &self.summaries[index.expect("the metric exists")]
    }

    fn mean(&self, name: &str) -> f64 {
        self.summary(name).mean.unwrap_or(0.0)
    }
}

/// Adds the seconds of some runs to a total.
pub fn add_seconds(total: &mut Vec<SecondTotal>, series: &[SecondCounts]) {
    total.resize(total.len().max(series.len()), SecondTotal::default());
    for (total, second) in total.iter_mut().zip(series) {
        total.failed_count += u64::from(second.failed_count);
    }
}

/// The whole summary. The first result is the baseline.
pub fn summary(question: Option<&str>, seed: u64, results: &[ScenarioResult]) -> String {
    let mut out = String::new();
    let text = &mut out;
    if let Some(question) = question {
        line(text, &wrap(question, 0));
        line(text, "");
    }
    let runs = results.first().map_or(0, |result| result.run_count);
    let head = format!("seed {seed}, {} run{} each", thousands(runs as f64), if runs == 1 { "" } else { "s" });
    line(text, &format!("{head:<34}{:>32}{:>14}", "failed in 95% of incidents", "mean"));
    for (i, result) in results.iter().enumerate() {
        let marked = if i == 0 && results.len() > 1 { " (baseline)" } else { "" };
        let name = format!("{}{marked}", result.model.name);
        let failed = result.summary("failed_count");
        let mean = thousands(result.mean("failed_count"));
        line(text, &format!("{name:<34}{:>32}{mean:>14}", range_of_runs(failed, result)));
    }
    if let Some(first) = results.first() {
        line(text, &wrap(&format!("assumes: {}", assumptions(first.model).join("; ")), 2));
    }
    let highest = results.iter().map(|r| strip_values(r).into_iter().fold(0.0, f64::max)).fold(0.0, f64::max);
    for result in results {
        line(text, "");
        describe(text, result, highest);
    }
    out
}

fn range_of_runs(failed: &Summary, result: &ScenarioResult) -> String {
    let (Some(low), Some(high)) = (failed.pi95_low, failed.pi95_high) else { return "-".to_owned() };
    if !result.model.is_random() {
        return format!("{} (nothing random)", thousands(low));
    }
    if result.run_count == 1 {
        return format!("{} (one run)", thousands(low));
    }
    format!("{} to {}", thousands(low), thousands(high))
}

fn describe(text: &mut String, result: &ScenarioResult, highest: f64) {
    let model = result.model;
    line(text, &format!("{:─<WIDTH$}", format!("── {} ", model.name)));
    if let Some(about) = &model.about {
        line(text, &wrap(about, 2));
    }
    let timeline = result.shown.timeline.as_deref().unwrap_or_default();
    if !timeline.is_empty() {
        let run = if model.is_random() { format!("run {}: ", result.shown_run) } else { String::new() };
        line(text, &wrap(&format!("  {run}{}", timeline_words(model, result, timeline)), 2));
    }
    strip(text, result, highest);
    let prefixed = |prefix: &str| {
        let shown = |metric: &&crate::metrics::Metric| metric.name.starts_with(prefix) && result.mean(metric.name) > 0.0;
        let words = METRICS.iter().filter(shown).map(|metric| {
            let name = metric.name.trim_start_matches(prefix).trim_end_matches("_count").replace('_', " ");
            format!("{name} {}", thousands(result.mean(metric.name)))
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() { "nothing failed".to_owned() } else { words.join(", ") }
    };
    row(text, "by cause", &prefixed("failed_cause_"));
    row(text, "by stage", &prefixed("failed_stage_"));
    if !model.faults.is_empty() {
        let [detected, recovered] = ["time_to_detect_ms", "time_to_recover_ms"].map(|name| spread(result, name));
        row(text, "detected", &format!("{detected}; recovered {recovered}"));
    }
    let latency = ["p50", "p95", "p99"].map(|p| {
        let summary = result.summary(&format!("request_latency_ms_{p}"));
        summary.mean.map_or_else(|| "-".to_owned(), |ms| format!("{p} {} ms", thousands(ms)))
    });
    row(text, "latency", &latency.join(", "));
    let false_ejections = result.mean("false_ejection_per_day");
    let probes = thousands(result.mean("probe_count"));
    row(text, "probes", &format!("{probes} sent, {} false ejections a day", short(false_ejections)));
    if let Some(difference) = &result.failed_difference {
        let words = match (difference.mean, difference.ci95_low, difference.ci95_high) {
            (Some(mean), Some(low), Some(high)) if low < high => {
                format!("{} failed ({} to {}, 95% CI of the mean)", signed(mean), signed(low), signed(high))
            }
            (Some(mean), ..) => format!("{} failed", signed(mean)),
            _ => "-".to_owned(),
        };
        row(text, "baseline", &words);
    }
}

fn row(text: &mut String, label: &str, words: &str) {
    line(text, &wrap(&format!("  {label:<10}{words}"), 12));
}

/// A duration metric's mean, and the range of runs where they differ.
fn spread(result: &ScenarioResult, name: &str) -> String {
    let summary = result.summary(name);
    let (Some(mean), Some(low), Some(high)) = (summary.mean, summary.pi95_low, summary.pi95_high) else {
        return "never".to_owned();
    };
    let seconds = |ms: f64| short(ms / 1000.0);
    let mut words = format!("after {} s", seconds(mean));
    if low < high {
        write!(words, " ({} to {} s)", seconds(low), seconds(high)).expect("a string grows");
    }
    if summary.n < result.run_count {
        write!(words, " in {:.0}% of runs", 100.0 * summary.n as f64 / result.run_count as f64)
            .expect("a string grows");
    }
    words
}

fn timeline_words(model: &Model, result: &ScenarioResult, timeline: &[TimelineEntry]) -> String {
    let mut words: Vec<String> = timeline
        .iter()
        .take(TIMELINE_ENTRIES)
        .map(|entry| format!("{} {}", clock(model, entry.at), event_words(model, result, entry.event)))
        .collect();
    if timeline.len() > TIMELINE_ENTRIES {
        words.push(format!("and {} more", timeline.len() - TIMELINE_ENTRIES));
    }
    words.join(" · ")
}

fn event_words(model: &Model, result: &ScenarioResult, event: TimelineEvent) -> String {
    match event {
        TimelineEvent::Milestone(Milestone::FaultStarts(i)) => format!("{} starts", model.faults[i].name),
        TimelineEvent::Milestone(Milestone::FaultEnds(i)) => format!("{} ends", model.faults[i].name),
        TimelineEvent::Milestone(Milestone::OperatorActs(i)) => {
            let saved = thousands(result.shown.saved_by_hand_count as f64);
            format!("{} switches by hand, saved {saved}", model.operator[i].name)
        }
        TimelineEvent::Health { replica, provider, admitted, is_false } => {
            let name = &model.provider(provider).name;
            let change = match (admitted, is_false) {
                (true, _) => "admitted",
                (false, false) => "ejected",
                (false, true) => "falsely ejected",
            };
            let by = if model.gateway.replicas.get() > 1 { format!(" by replica {replica}") } else { String::new() };
            format!("{name} {change}{by}")
        }
    }
}

/// An instant on the scenario's clock, or since the start if it has none.
pub fn clock(model: &Model, at: SimTime) -> String {
    model.clock.as_ref().map_or_else(
        || SimDuration::from_secs((at.as_nanos() + 500_000_000) / 1_000_000_000).to_string(),
        |clock| clock.show(at),
    )
}

/// Failed requests a second, averaged over runs, for each column of the strip.
fn strip_values(result: &ScenarioResult) -> Vec<f64> {
    let seconds = result.seconds.len();
    let columns = seconds.clamp(1, STRIP_COLUMNS);
    let column = |i: usize| {
        let part = &result.seconds[i * seconds / columns..(i + 1) * seconds / columns];
        let failed: u64 = part.iter().map(|second| second.failed_count).sum();
        failed as f64 / (part.len().max(1) as f64 * result.run_count as f64)
    };
    if seconds == 0 { Vec::new() } else { (0..columns).map(column).collect() }
}

fn strip(text: &mut String, result: &ScenarioResult, highest: f64) {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values = strip_values(result);
    if values.is_empty() || highest == 0.0 {
        return;
    }
    let block = |value: &f64| match value {
        0.0 => ' ',
        value => LEVELS[((value / highest * 8.0).ceil() as usize).clamp(1, 8) - 1],
    };
    let blocks: String = values.iter().map(block).collect();
    let own_highest = values.iter().copied().fold(0.0, f64::max);
    row(text, "failed/s", &format!("▕{blocks}▏{} max", short(own_highest)));
    let (start, end) =
        (clock(result.model, SimTime::START), clock(result.model, SimTime::START.after(result.model.duration)));
    let gap = (values.len() + 2).saturating_sub(start.len());
    line(text, &format!("{:12}{start}{end:>gap$}", ""));
}

fn line(text: &mut String, words: &str) {
    text.push_str(words.trim_end());
    text.push('\n');
}

/// Breaks text at spaces so that it fits the width; further lines are indented.
fn wrap(words: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    let lead = words.len() - words.trim_start().len();
    lines[0].push_str(&words[..lead]);
    let mut is_start = true;
    // Splitting at single spaces keeps runs of them, which align labels.
    for word in words[lead..].split(' ') {
        let last = lines.last_mut().expect("there is a line");
        if !is_start && last.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(" ".repeat(indent) + word);
        } else {
            if !is_start {
                last.push(' ');
            }
            last.push_str(word);
        }
        is_start = false;
    }
    lines.join("\n")
}

/// A whole number with its thousands set apart: `14,000`.
pub fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value < 0.0 && digits != "0" { format!("-{grouped}") } else { grouped }
}

fn signed(value: f64) -> String {
    let number = thousands(value);
    if value > 0.0 && number != "0" { format!("+{number}") } else { number }
}

/// A number to about three digits.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        v if v >= 99.95 => thousands(value),
        v if v >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_short() {
        assert_eq!(thousands(14_000.4), "14,000");
        assert_eq!(thousands(-1_234_567.0), "-1,234,567");
        assert_eq!(thousands(999.0), "999");
        assert_eq!(thousands(-0.2), "0");
        assert_eq!((short(0.0), short(4.999), short(59.96), short(155.56)), ("0".into(), "5.00".into(), "60.0".into(), "156".into()));
        assert_eq!((signed(3.0), signed(-3.0), signed(0.1)), ("+3".into(), "-3".into(), "0".into()));
    }

    #[test]
    fn long_lines_wrap_at_spaces_and_keep_their_indent() {
        let wrapped = wrap(&format!("  label     {}", "word ".repeat(30)), 12);
        assert!(wrapped.lines().all(|l| l.chars().count() <= WIDTH));
        assert!(wrapped.lines().count() == 3 && wrapped.lines().skip(1).all(|l| l.starts_with("            word")));
        assert!(wrapped.starts_with("  label     word word"));
    }
}
