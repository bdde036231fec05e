//! The summary that `run` prints: what each scenario lost, side by side, and how it came about.

use super::super::ScenarioResult;
use super::super::event_words::{group_clock, group_words, groups};
use super::super::money;
use super::super::objectives::finding_words;
use super::lanes;
use super::strip::{Frame, axis, failures, strip};
use super::text::{Ink, Screen, Text, plain, short, thousands};
use super::words::{budget_words, detector_words, difference_words, served_words, spread, verdict_words};
use crate::experiment::baseline::Difference;
use crate::experiment::statistics::{Summary, summarise};
use crate::metrics::{Beliefs, METRICS, Metric, Outcome, TimelineEntry, metric};
use unicode_width::UnicodeWidthStr;

/// A scenario that flaps all day has more to tell than anybody reads.
const TIMELINE_ENTRIES: usize = 12;

/// A scenario's result with the statistics that the summary quotes.
pub(super) struct Shown<'a> {
    pub result: &'a ScenarioResult<'a>,
    /// In the order of [`METRICS`].
    summaries: Vec<Summary>,
}

impl<'a> Shown<'a> {
    fn new(result: &'a ScenarioResult<'a>) -> Self {
        Shown { result, summaries: summarise(result.outcomes) }
    }

    pub fn summary(&self, name: &str) -> &Summary {
        let index = METRICS.iter().position(|metric| metric.name == name);
        &self.summaries[index.expect("the metric exists")]
    }

    pub fn mean(&self, name: &str) -> f64 {
        self.summary(name).mean.unwrap_or(0.0)
    }

    pub fn run_count(&self) -> u64 {
        self.result.outcomes.len() as u64
    }
}

/// The whole summary, below paragraphs on what it is of. The first result is the baseline.
///
/// `beliefs` are those of the run that each result shows; without them there are no lanes.
pub fn summary(
    preface: &[String],
    seed: u64,
    results: &[ScenarioResult],
    beliefs: &[Beliefs],
    screen: Screen,
) -> String {
    let shown: Vec<Shown> = results.iter().map(Shown::new).collect();
    let mut text = Text::new(screen);
    for paragraph in preface {
        text.wrapped(&plain(paragraph), 0);
        text.line("");
    }
    objectives(&mut text, results);
    losses(&mut text, seed, &shown);
    if let Some(first) = results.first() {
        text.wrapped(&format!("assumes: {}", first.assumptions.join("; ")), 2);
    }
    let labels =
        results.iter().zip(beliefs).map(|(result, beliefs)| lanes::label_width(result.model, beliefs));
    let label = labels.max().unwrap_or(0);
    let frame = Frame::new(label, screen.width);
    let strips: Vec<Vec<f64>> =
        results.iter().map(|result| failures(result, &frame.columns(result.model))).collect();
    let highest = strips.iter().flatten().copied().fold(0.0, f64::max);
    let differences = ["failed_count", "cost_usd"].map(|name| differences(name, results));
    let mut has_legend = false;
    for (i, (shown, strip)) in shown.iter().zip(&strips).enumerate() {
        text.line("");
        let mut rows = Rows { text: &mut text, frame };
        rows.beginning(shown, beliefs.get(i));
        has_legend |= rows.pictures(shown.result, beliefs.get(i), (strip, highest), !has_legend);
        rows.figures(shown);
        let Some(nth) = i.checked_sub(1) else { continue };
        let (compared, baseline) = (results.len() - 1, results[0].model);
        let [failed, cost] = &differences;
        let words = difference_words(&failed[nth], compared, baseline);
        let words = words.into_iter().chain(money::difference_words(&cost[nth], compared, baseline));
        for (words, label) in words.zip(["baseline", ""]) {
            rows.row(label, &words);
        }
    }
    text.finish()
}

/// A line for each scenario: how many requests fail.
fn losses(text: &mut Text, seed: u64, shown: &[Shown]) {
    let runs = shown.first().map_or(0, Shown::run_count);
    let head =
        format!("seed {seed}, {} run{} each", thousands(runs as f64), if runs == 1 { "" } else { "s" });
    let width = text.width();
    let is_wide = width >= 70;
    let (range_width, mean_width) = if is_wide { (32, 14) } else { (26, 12) };
    let titles = format!("{:>range_width$}{:>mean_width$}", "failed in 95% of incidents", "mean");
    if is_wide {
        let room = width - titles.len();
        text.line(&text.inked(Ink::Heading, &format!("{head:<room$}{titles}")));
    } else {
        text.line(&text.inked(Ink::Heading, &head));
        text.line(&text.inked(Ink::Heading, &format!("{titles:>width$}")));
    }
    let count = shown.len();
    for (i, shown) in shown.iter().enumerate() {
        let marked = if i == 0 && count > 1 { " (baseline)" } else { "" };
        let name = format!("{}{marked}", plain(&shown.result.model.name));
        let mean = shown.mean("failed_count");
        let figures = format!("{:>range_width$}{:>mean_width$}", range_of_runs(shown), thousands(mean));
        let ink = if mean > 0.0 { Ink::Bad } else { Ink::Good };
        let figures = figures.trim_start();
        // A long name has a line of its own, unless its figures leave it the room.
        let room = width.saturating_sub(figures.len());
        if name.width() < room {
            let gap = " ".repeat(room - name.width());
            text.line(&format!("{name}{gap}{}", text.inked(ink, figures)));
        } else {
            text.wrapped(&name, 2);
            text.line(&format!("{}{}", " ".repeat(room), text.inked(ink, figures)));
        }
        let open = shown.mean("open_count");
        if open > 0.0 {
            let words = format!("and {} that never end", thousands(open));
            text.line(&format!("{words:>width$}"));
        }
    }
}

/// In a metric, of all but the first.
fn differences(name: &str, results: &[ScenarioResult]) -> Vec<Difference> {
    let metric = metric(name).expect("the metric exists");
    let outcomes: Vec<&[Outcome]> = results.iter().map(|result| result.outcomes).collect();
    let Some((baseline, compared)) = outcomes.split_first() else { return vec![] };
    Difference::of_all(metric, compared, baseline)
}

/// What was asked for comes first: it is what the command exits by.
fn objectives(text: &mut Text, results: &[ScenarioResult]) {
    for result in results {
        for finding in result.findings {
            let (mark, ink) = if finding.judgement.met { ("✓", Ink::Good) } else { ("✗", Ink::Bad) };
            let scenario = plain(&result.model.name);
            let (mark, found) = (text.inked(ink, mark), finding_words(finding));
            text.wrapped(&format!("{mark} {} in {scenario}: {found}", finding.objective.criterion), 4);
            if let Some(about) = &finding.objective.about {
                text.wrapped(&format!("    {}", plain(about)), 4);
            }
        }
    }
    if results.iter().any(|result| !result.findings.is_empty()) {
        text.line("");
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

/// Rows with labels, one scenario's after the other's.
struct Rows<'t> {
    text: &'t mut Text,
    frame: Frame,
}

impl Rows<'_> {
    fn row(&mut self, label: &str, words: &str) {
        let margin = self.frame.margin;
        let label = format!("  {label}");
        self.text.wrapped(&format!("{label:<margin$}{words}"), margin);
    }

    /// What the scenario is, and what happened.
    fn beginning(&mut self, shown: &Shown, beliefs: Option<&Beliefs>) {
        let (result, model) = (shown.result, shown.result.model);
        self.text.title(&plain(&model.name));
        if let Some(about) = &model.about {
            self.text.wrapped(&plain(about), 2);
        }
        if !result.timeline.is_empty() {
            let run = if model.is_random() { format!("run {}: ", result.first_run) } else { String::new() };
            self.text.wrapped(&format!("  {run}{}", timeline_words(result, beliefs)), 2);
        }
    }

    /// Failures over time, and under them who believed what of whom; returns whether there is something of the latter.
    fn pictures(
        &mut self,
        result: &ScenarioResult,
        beliefs: Option<&Beliefs>,
        (values, highest): (&[f64], f64),
        with_legend: bool,
    ) -> bool {
        let columns = self.frame.columns(result.model);
        let has_failures = highest > 0.0;
        if has_failures {
            strip(self.text, self.frame, values, highest);
        }
        let has_lanes = beliefs
            .is_some_and(|beliefs| lanes::draw(self.text, self.frame, result.model, beliefs, &columns));
        if has_failures || has_lanes {
            axis(self.text, self.frame, result, &columns);
        }
        if has_lanes && with_legend {
            lanes::legend(self.text, self.frame, result);
        }
        has_lanes
    }

    /// All that is told in numbers.
    fn figures(&mut self, shown: &Shown) {
        let model = shown.result.model;
        let prefixed = |prefix: &str| {
            let occurs = |metric: &&Metric| metric.name.starts_with(prefix) && shown.mean(metric.name) > 0.0;
            let words = METRICS.iter().filter(occurs).map(|metric| {
                let name =
                    metric.name.trim_start_matches(prefix).trim_end_matches("_count").replace('_', " ");
                format!("{name} {}", thousands(shown.mean(metric.name)))
            });
            let words: Vec<String> = words.collect();
            if words.is_empty() { "nothing failed".to_owned() } else { words.join(", ") }
        };
        self.row("by cause", &prefixed("failed_cause_"));
        self.row("by stage", &prefixed("failed_stage_"));
        let open = shown.mean("open_count");
        if open > 0.0 {
            let words = format!(
                "{} never end, which are not among the failed: clients wait for ever",
                thousands(open)
            );
            self.row("open", &words);
        }
        if !model.faults.is_empty() {
            let [detected, recovered] =
                ["time_to_detect_ms", "time_to_recover_ms"].map(|name| spread(shown, name));
            self.row("detected", &format!("{detected}; recovered {recovered}"));
        }
        if !model.alerts().is_empty() {
            let [alerted, paged, switched] =
                ["time_to_alert_ms", "time_to_page_ms", "time_to_switch_ms"].map(|name| spread(shown, name));
            self.row("alerted", &format!("{alerted}; paged {paged}; switched {switched}"));
        }
        if let Some(slo) = &model.slo {
            self.row("budget", &budget_words(slo, shown.mean("budget_spent_ratio")));
        }
        if let Some(words) = verdict_words(shown.result.outcomes) {
            self.row("verdict", &words);
        }
        if let Some(words) = served_words(shown) {
            self.row("served", &words);
        }
        let latency = ["p50", "p95", "p99"].map(|p| {
            let summary = shown.summary(&format!("request_latency_ms_{p}"));
            summary.mean.map_or_else(|| "-".to_owned(), |ms| format!("{p} {} ms", thousands(ms)))
        });
        let some_succeeded = shown.summary("request_latency_ms_p50").n > 0;
        self.row("latency", &if some_succeeded { latency.join(", ") } else { "none succeeded".to_owned() });
        if let Some(words) = money::cost_words(&|name| shown.summary(name).mean) {
            self.row("cost", &words);
        }
        let false_ejections = shown.mean("false_ejection_per_day");
        let probes = thousands(shown.mean("probe_count"));
        self.row("probes", &format!("{probes} sent, {} false ejections a day", short(false_ejections)));
    }
}

fn timeline_words(result: &ScenarioResult, beliefs: Option<&Beliefs>) -> String {
    let groups: Vec<&[TimelineEntry]> = groups(result.timeline).collect();
    let saved = result.outcomes.first().map_or(0, |run| run.saved_by_hand_count);
    let told = |group: &&[TimelineEntry]| {
        let (when, what) = (group_clock(result.model, group), group_words(result.model, group, saved));
        let by = beliefs.and_then(|beliefs| detector_words(result.model, beliefs, group[0]));
        format!("{when} {what}{}", by.unwrap_or_default())
    };
    let mut words: Vec<String> = groups.iter().take(TIMELINE_ENTRIES).map(told).collect();
    let left: usize = groups.iter().skip(TIMELINE_ENTRIES).map(|group| group.len()).sum();
    if left > 0 {
        words.push(format!("and {} more", thousands(left as f64)));
    }
    words.join(" · ")
}
