//! The summary that `run` prints: what each scenario lost, side by side, and how it came about. 80 columns at most.

use super::ScenarioResult;
use super::event_words::{clock, group_clock, group_words, groups};
use super::money;
use super::objectives::finding_words;
use crate::experiment::baseline::Difference;
use crate::experiment::statistics::{Interval, Summary, summarise};
use crate::metrics::{METRICS, Metric, Outcome, PeriodCounts, TimelineEntry, Verdict, metric};
use crate::model::{Arrivals, Model, Slo};
use crate::time::SimTime;
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub(super) const WIDTH: usize = 80;
const STRIP_COLUMNS: usize = 64;
/// A column with less than this share of the highest is background, and drawn as a dot.
const FAINT: f64 = 0.01;
/// A scenario that flaps all day has more to tell than anybody reads.
const TIMELINE_ENTRIES: usize = 12;

/// A scenario's result with the statistics that the summary quotes.
struct Shown<'a> {
    result: &'a ScenarioResult<'a>,
    /// In the order of [`METRICS`].
    summaries: Vec<Summary>,
}

impl<'a> Shown<'a> {
    fn new(result: &'a ScenarioResult<'a>) -> Self {
        Shown { result, summaries: summarise(result.outcomes) }
    }

    fn summary(&self, name: &str) -> &Summary {
        let index = METRICS.iter().position(|metric| metric.name == name);
        &self.summaries[index.expect("the metric exists")]
    }

    fn mean(&self, name: &str) -> f64 {
        self.summary(name).mean.unwrap_or(0.0)
    }

    fn run_count(&self) -> u64 {
        self.result.outcomes.len() as u64
    }
}

/// The whole summary, below paragraphs on what it is of. The first result is the baseline.
pub fn summary(preface: &[String], seed: u64, results: &[ScenarioResult]) -> String {
    let shown: Vec<Shown> = results.iter().map(Shown::new).collect();
    let mut out = String::new();
    let text = &mut out;
    for paragraph in preface {
        line(text, &wrap(&plain(paragraph), 0));
        line(text, "");
    }
    objectives(text, results);
    let runs = shown.first().map_or(0, Shown::run_count);
    let head =
        format!("seed {seed}, {} run{} each", thousands(runs as f64), if runs == 1 { "" } else { "s" });
    line(text, &format!("{head:<34}{:>32}{:>14}", "failed in 95% of incidents", "mean"));
    for (i, shown) in shown.iter().enumerate() {
        let marked = if i == 0 && results.len() > 1 { " (baseline)" } else { "" };
        let name = format!("{}{marked}", plain(&shown.result.model.name));
        let figures = format!("{:>32}{:>14}", range_of_runs(shown), thousands(shown.mean("failed_count")));
        // A long name has a line of its own, unless its figures leave it the room.
        let free = figures.len() - figures.trim_start().len();
        if name.width() < WIDTH - figures.len() + free {
            let room = WIDTH - name.width();
            line(text, &format!("{name}{:>room$}", figures.trim_start()));
        } else {
            line(text, &wrap(&name, 2));
            line(text, &format!("{figures:>WIDTH$}"));
        }
        let open = shown.mean("open_count");
        if open > 0.0 {
            line(text, &format!("{:>WIDTH$}", format!("and {} that never end", thousands(open))));
        }
    }
    if let Some(first) = results.first() {
        line(text, &wrap(&format!("assumes: {}", first.assumptions.join("; ")), 2));
    }
    let highest = shown.iter().flat_map(strip_values).fold(0.0, f64::max);
    let differences = ["failed_count", "cost_usd"].map(|name| differences(name, results));
    for (i, shown) in shown.iter().enumerate() {
        line(text, "");
        describe(text, shown, highest);
        let Some(nth) = i.checked_sub(1) else { continue };
        let (compared, baseline) = (results.len() - 1, results[0].model);
        let [failed, cost] = &differences;
        let words = difference_words(&failed[nth], compared, baseline);
        let words = words.into_iter().chain(money::difference_words(&cost[nth], compared, baseline));
        for (words, label) in words.zip(["baseline", ""]) {
            row(text, label, &words);
        }
    }
    out
}

/// In a metric, of all but the first.
fn differences(name: &str, results: &[ScenarioResult]) -> Vec<Difference> {
    let metric = metric(name).expect("the metric exists");
    let outcomes: Vec<&[Outcome]> = results.iter().map(|result| result.outcomes).collect();
    let Some((baseline, compared)) = outcomes.split_first() else { return vec![] };
    Difference::of_all(metric, compared, baseline)
}

/// What was asked for comes first: it is what the command exits by.
fn objectives(text: &mut String, results: &[ScenarioResult]) {
    for result in results {
        for finding in result.findings {
            let mark = if finding.judgement.met { '✓' } else { '✗' };
            let scenario = plain(&result.model.name);
            let found = finding_words(finding);
            line(text, &wrap(&format!("{mark} {} in {scenario}: {found}", finding.objective.criterion), 4));
            if let Some(about) = &finding.objective.about {
                line(text, &wrap(&format!("    {}", plain(about)), 4));
            }
        }
    }
    if results.iter().any(|result| !result.findings.is_empty()) {
        line(text, "");
    }
}

fn range_of_runs(shown: &Shown) -> String {
    let failed = shown.summary("failed_count");
    let (Some(low), Some(high)) = (failed.pi95_low, failed.pi95_high) else { return "-".to_owned() };
    if !shown.result.model.is_random() {
        return format!("{} (nothing random)", thousands(low));
    }
    if shown.run_count() == 1 {
        return format!("{} (one run)", thousands(low));
    }
    format!("{} to {}", thousands(low), thousands(high))
}

fn describe(text: &mut String, shown: &Shown, highest: f64) {
    let model = shown.result.model;
    let title = format!("── {} ", plain(&model.name));
    if title.width() <= WIDTH {
        line(text, &format!("{title}{}", "─".repeat(WIDTH - title.width())));
    } else {
        line(text, &"─".repeat(WIDTH));
        line(text, &wrap(&plain(&model.name), 2));
    }
    if let Some(about) = &model.about {
        line(text, &wrap(&plain(about), 2));
    }
    if !shown.result.timeline.is_empty() {
        let run = if model.is_random() { format!("run {}: ", shown.result.first_run) } else { String::new() };
        line(text, &wrap(&format!("  {run}{}", timeline_words(shown.result)), 2));
    }
    strip(text, shown, highest);
    let prefixed = |prefix: &str| {
        let occurs = |metric: &&Metric| metric.name.starts_with(prefix) && shown.mean(metric.name) > 0.0;
        let words = METRICS.iter().filter(occurs).map(|metric| {
            let name = metric.name.trim_start_matches(prefix).trim_end_matches("_count").replace('_', " ");
            format!("{name} {}", thousands(shown.mean(metric.name)))
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() { "nothing failed".to_owned() } else { words.join(", ") }
    };
    row(text, "by cause", &prefixed("failed_cause_"));
    row(text, "by stage", &prefixed("failed_stage_"));
    let open = shown.mean("open_count");
    if open > 0.0 {
        let words =
            format!("{} never end, which are not among the failed: clients wait for ever", thousands(open));
        row(text, "open", &words);
    }
    if !model.faults.is_empty() {
        let [detected, recovered] =
            ["time_to_detect_ms", "time_to_recover_ms"].map(|name| spread(shown, name));
        row(text, "detected", &format!("{detected}; recovered {recovered}"));
    }
    if !model.alerts().is_empty() {
        let [alerted, paged, switched] =
            ["time_to_alert_ms", "time_to_page_ms", "time_to_switch_ms"].map(|name| spread(shown, name));
        row(text, "alerted", &format!("{alerted}; paged {paged}; switched {switched}"));
    }
    if let Some(slo) = &model.slo {
        row(text, "budget", &budget_words(slo, shown.mean("budget_spent_ratio")));
    }
    if let Some(words) = verdict_words(shown.result.outcomes) {
        row(text, "verdict", &words);
    }
    if let Some(words) = served_words(shown) {
        row(text, "served", &words);
    }
    let latency = ["p50", "p95", "p99"].map(|p| {
        let summary = shown.summary(&format!("request_latency_ms_{p}"));
        summary.mean.map_or_else(|| "-".to_owned(), |ms| format!("{p} {} ms", thousands(ms)))
    });
    let some_succeeded = shown.summary("request_latency_ms_p50").n > 0;
    row(text, "latency", &if some_succeeded { latency.join(", ") } else { "none succeeded".to_owned() });
    if let Some(words) = money::cost_words(&|name| shown.summary(name).mean) {
        row(text, "cost", &words);
    }
    let false_ejections = shown.mean("false_ejection_per_day");
    let probes = thousands(shown.mean("probe_count"));
    row(text, "probes", &format!("{probes} sent, {} false ejections a day", short(false_ejections)));
}

/// How many requests succeed, and who answers; `None` where the scenario itself says how many there are, and no cache is.
fn served_words(shown: &Shown) -> Option<String> {
    let model = shown.result.model;
    if !matches!(model.traffic.arrivals, Arrivals::Users(_)) && model.gateway.cache.is_none() {
        return None;
    }
    let count = |name: &str| thousands(shown.mean(name));
    let (succeeded, requests) = (count("succeeded_count"), count("request_count"));
    let a_second = short(shown.mean("throughput_per_second"));
    let cached = match model.gateway.cache {
        Some(_) => format!(", {} of them from the cache", count("cache_hit_count")),
        None => String::new(),
    };
    Some(format!("{succeeded} of {requests} requests{cached}; {a_second} a second"))
}

/// What a run spends of the error budget, on average.
fn budget_words(slo: &Slo, spent: f64) -> String {
    let (percent, objective) = (short(100.0 * spent), 100.0 * slo.objective.get());
    // As many digits as were written, and not those that the conversion adds.
    let objective = format!("{objective:.6}");
    let objective = objective.trim_end_matches('0').trim_end_matches('.');
    let days = slo.window.as_secs_f64() / 86_400.0;
    let window = if days.fract() == 0.0 { format!("{days} d") } else { slo.window.to_string() };
    format!("{percent}% of the {} failures that {objective}% allows in {window}", thousands(slo.budget()))
}

/// How runs stand at their end; `None` if all have recovered, or there is no telling.
fn verdict_words(outcomes: &[Outcome]) -> Option<String> {
    let counts = Verdict::count(outcomes.iter().map(Outcome::verdict));
    let mut found: Vec<(Verdict, u64)> =
        Verdict::ALL.into_iter().zip(counts).filter(|(_, n)| *n > 0).collect();
    // The commonest comes first, and of several the worst.
    found.sort_by_key(|(verdict, count)| std::cmp::Reverse((*count, *verdict)));
    let judged: u64 = counts.iter().sum();
    let named = match found.as_slice() {
        [] | [(Verdict::Recovered, _)] => return None,
        [(verdict, _)] => verdict.name().to_owned(),
        several => {
            let part =
                |(verdict, n): &(Verdict, u64)| format!("{} in {}", verdict.name(), thousands(*n as f64));
            let parts: Vec<String> = several.iter().map(part).collect();
            format!("{} of {} runs", parts.join(", "), thousands(judged as f64))
        }
    };
    let mean = |of: &dyn Fn(&Outcome) -> Option<f64>| {
        Summary::of(outcomes.iter().map(of)).mean.map_or_else(|| "-".to_owned(), short)
    };
    let told = |of: fn(&Outcome) -> &PeriodCounts| {
        let succeed = mean(&|o| Some(100.0 * of(o).success_ratio()?));
        (succeed, mean(&|o| of(o).amplification()))
    };
    let ((before, tries_before), (after, tries_after)) =
        (told(|o| &o.before_faults), told(|o| &o.after_faults));
    Some(format!(
        "{named}: after the faults {after}% of requests succeed, with {tries_after} attempts each; before \
         them {before}%, with {tries_before}"
    ))
}

/// What a scenario loses more, or less, than the baseline, and whether that may be chance.
fn difference_words(difference: &Difference, compared: usize, baseline: &Model) -> Option<String> {
    let (mean, name) = (difference.summary.mean?, plain(&baseline.name));
    if difference.summary.min == Some(0.0) && difference.summary.max == Some(0.0) {
        return Some(format!("as many failed as in {name}, in every run"));
    }
    let direction = if mean < 0.0 { "fewer" } else { "more" };
    let mut words = format!("{} {direction} failed than in {name}", thousands(mean.abs()));
    words.push_str(&certainty_words(difference, compared, signed));
    Some(words)
}

/// Whether a difference may be chance, and its interval as `shown` shows its ends.
pub(super) fn certainty_words(difference: &Difference, compared: usize, shown: fn(f64) -> String) -> String {
    let mut words = String::new();
    if difference.is_significant() == Some(false) {
        words.push_str(", which may be chance");
    }
    if let Some(Interval { low, high }) = difference.interval.filter(|interval| interval.low < interval.high)
    {
        let corrected =
            if compared > 1 { format!(", corrected for {compared} comparisons") } else { String::new() };
        let (low, high) = (shown(low), shown(high));
        write!(words, " (95% CI of the mean{corrected}: {low} to {high})").expect("a string grows");
    }
    words
}

fn row(text: &mut String, label: &str, words: &str) {
    line(text, &wrap(&format!("  {label:<10}{words}"), 12));
}

/// A duration metric's mean, and the range of runs where they differ.
fn spread(shown: &Shown, name: &str) -> String {
    let summary = shown.summary(name);
    let (Some(mean), Some(low), Some(high)) = (summary.mean, summary.pi95_low, summary.pi95_high) else {
        return "never".to_owned();
    };
    let seconds = |ms: f64| short(ms / 1000.0);
    let mut words = format!("after {} s", seconds(mean));
    if low < high {
        write!(words, " ({} to {} s)", seconds(low), seconds(high)).expect("a string grows");
    }
    if summary.n < shown.run_count() {
        let (n, runs) = (thousands(summary.n as f64), thousands(shown.run_count() as f64));
        write!(words, " in {n} of {runs} runs").expect("a string grows");
    }
    words
}

fn timeline_words(result: &ScenarioResult) -> String {
    let groups: Vec<&[TimelineEntry]> = groups(result.timeline).collect();
    let saved = result.outcomes.first().map_or(0, |run| run.saved_by_hand_count);
    let mut words: Vec<String> = (groups.iter().take(TIMELINE_ENTRIES))
        .map(|group| {
            format!("{} {}", group_clock(result.model, group), group_words(result.model, group, saved))
        })
        .collect();
    let left: usize = groups.iter().skip(TIMELINE_ENTRIES).map(|group| group.len()).sum();
    if left > 0 {
        words.push(format!("and {} more", thousands(left as f64)));
    }
    words.join(" · ")
}

/// Failed requests a second, averaged over runs, for each column of the strip.
fn strip_values(shown: &Shown) -> Vec<f64> {
    let seconds = shown.result.seconds.len();
    let columns = seconds.clamp(1, STRIP_COLUMNS);
    let column = |i: usize| {
        let part = &shown.result.seconds[i * seconds / columns..(i + 1) * seconds / columns];
        let failed: u64 = part.iter().map(|second| second.failed_count).sum();
        failed as f64 / (part.len().max(1) as f64 * shown.run_count() as f64)
    };
    if seconds == 0 { Vec::new() } else { (0..columns).map(column).collect() }
}

fn strip(text: &mut String, shown: &Shown, highest: f64) {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values = strip_values(shown);
    if values.is_empty() || highest == 0.0 {
        return;
    }
    let block = |value: &f64| match value / highest {
        0.0 => ' ',
        share if share < FAINT => '·',
        share => LEVELS[((share * 8.0).ceil() as usize).clamp(1, 8) - 1],
    };
    let blocks: String = values.iter().map(block).collect();
    row(text, "failed/s", &format!("▕{blocks}▏"));
    let model = shown.result.model;
    let ends = [SimTime::START, SimTime::START.after(model.duration)].map(|at| clock(model, at));
    let worst = shown.result.seconds.iter().map(|second| second.failed_count).max().unwrap_or(0);
    let peak = format!("worst second {}", short(worst as f64 / shown.run_count() as f64));
    let inner = (values.len() + 2).saturating_sub(ends[0].len() + ends[1].len());
    line(text, &format!("{:12}{}{peak:^inner$}{}", "", ends[0], ends[1]));
}

/// Text from a file on one line, without what a terminal would obey.
pub(super) fn plain(words: &str) -> String {
    let visible: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn line(text: &mut String, words: &str) {
    text.push_str(words.trim_end());
    text.push('\n');
}

/// Breaks text at spaces so that it fits the width; further lines are indented.
pub(super) fn wrap(words: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    let lead = words.len() - words.trim_start().len();
    lines[0].push_str(&words[..lead]);
    let mut is_start = true;
    // Splitting at single spaces keeps runs of them, which align labels.
    for word in words[lead..].split(' ') {
        let last = lines.last_mut().expect("there is a line");
        if is_start || last.width() + 1 + word.width() <= WIDTH {
            if !is_start {
                last.push(' ');
            }
            last.push_str(word);
        } else {
            lines.push(" ".repeat(indent) + word);
        }
        is_start = false;
        // A word that no line has room for is broken.
        while let Some((at, _)) = lines.last().and_then(|last| first_beyond(last)) {
            let last = lines.last_mut().expect("there is a line");
            let rest = " ".repeat(indent) + &last.split_off(at);
            lines.push(rest);
        }
    }
    lines.join("\n")
}

/// The first character that ends beyond the width.
fn first_beyond(line: &str) -> Option<(usize, char)> {
    let mut width = 0;
    line.char_indices().find(|(_, c)| {
        width += c.width().unwrap_or(0);
        width > WIDTH
    })
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
pub(super) fn short(value: f64) -> String {
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
        assert_eq!(
            (short(0.0), short(4.999), short(59.96), short(155.56)),
            ("0".into(), "5.00".into(), "60.0".into(), "156".into())
        );
        assert_eq!((signed(3.0), signed(-3.0), signed(0.1)), ("+3".into(), "-3".into(), "0".into()));
    }

    #[test]
    fn long_lines_wrap_at_spaces_and_keep_their_indent() {
        let wrapped = wrap(&format!("  label     {}", "word ".repeat(30)), 12);
        assert!(wrapped.lines().all(|l| l.chars().count() <= WIDTH));
        assert!(
            wrapped.lines().count() == 3
                && wrapped.lines().skip(1).all(|l| l.starts_with("            word"))
        );
        assert!(wrapped.starts_with("  label     word word"));
    }

    #[test]
    fn words_that_no_line_has_room_for_are_broken_by_what_a_terminal_shows() {
        for word in ["x".repeat(200), "夜".repeat(100)] {
            let wrapped = wrap(&format!("so {word} end"), 2);
            assert!(wrapped.lines().all(|l| l.width() <= WIDTH), "{wrapped}");
            assert_eq!(wrapped.replace([' ', '\n'], ""), format!("so{word}end"));
        }
    }

    #[test]
    fn what_a_file_says_does_not_steer_the_terminal() {
        assert_eq!(plain("two\nlines\tand \u{1b}[31mred\u{7}"), "two lines and [31mred");
    }
}
