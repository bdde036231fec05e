//! What a report shows, as plain data: the page draws it and computes nothing of its own.
//!
//! Times are seconds from the start of a run unless a field says `clock`. What does not exist is null. Arrays of series
//! have one number for each bin. All names and sentences may hold anything that a scenario's author wrote: they are text,
//! never markup.

use super::number::{Moment, Number};
use super::sweep::SweepReport;
use super::tune::TuneReport;
use serde::Serialize;

/// Grows when a page could break.
pub const REPORT_VERSION: u32 = 1;

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportDocument {
    /// [`REPORT_VERSION`].
    pub report_version: u32,
    /// What was done.
    pub kind: ReportKind,
    /// The heading.
    pub title: String,
    /// What an experiment asks, and which point of a sweep it is; a paragraph each.
    pub preface: Vec<String>,
    /// Where the numbers come from.
    pub provenance: ReportProvenance,
    /// That it is a prediction, and of what.
    pub prediction: String,
    /// What to do.
    pub decision: Decision,
    /// Failed requests in an incident, in a year, and cost in a year, in this order.
    pub numbers: Vec<Headline>,
    /// What an incident takes of the error budget.
    pub budget: Option<BudgetReport>,
    /// When requests failed.
    pub strips: Option<Strips>,
    /// What is lost where, and which change saves what.
    pub waterfall: Option<Waterfall>,
    /// How sure all this is.
    pub certainty: Certainty,
    /// In the order given; the first is the baseline.
    pub scenarios: Vec<ScenarioReport>,
    /// The settings in which scenarios differ.
    pub settings: Vec<SettingRow>,
    /// How to try the prediction out.
    pub game_day: Vec<Drill>,
    /// What there was no room for, in sentences.
    pub left_out: Vec<String>,
    /// Its points, of a sweep; scenarios are then as they were written, and with the settings to take.
    pub sweep: Option<SweepReport>,
    /// Its candidates, of a search.
    pub tune: Option<TuneReport>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// Scenarios side by side.
    Run,
    /// Many points.
    Sweep,
    /// A search for the best point.
    Tune,
}

/// Where numbers come from. No wall clock: the same input gives the same report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportProvenance {
    /// The program's name.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The command that makes the report again.
    pub command: String,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Runs of each scenario.
    pub runs: u64,
    /// The number of the first run, which close-ups are of.
    pub first_run: u64,
    /// What was simulated, in a sentence.
    pub simulated: String,
    /// What the ranges of the report are, in a sentence.
    pub ranges: String,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// What kind of answer it is.
    pub verdict: DecisionVerdict,
    /// The decision in one sentence.
    pub sentence: String,
    /// The scenario that was chosen; null where nobody can tell.
    pub choice: Option<String>,
    /// The first scenario.
    pub baseline: String,
    /// The scenario that is held against the baseline all over the first page: the choice, or where that is the baseline
    /// the best of the others; null where there is one scenario.
    pub compared: Option<String>,
    /// The settings that differ between these two.
    pub changes: Vec<SettingChange>,
    /// Failed requests of a run in the compared one less those of the baseline: below zero is fewer.
    pub difference: Option<Gap>,
    /// Scenarios that are no choice, as they differ from the baseline in what happens to them: traffic, faults, providers.
    pub not_compared: Vec<NotCompared>,
}

/// A scenario that is no choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCompared {
    /// Its name.
    pub scenario: String,
    /// The settings by which it is another world.
    pub differs_in: Vec<String>,
}

/// What kind of answer a decision is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionVerdict {
    /// Take the choice.
    Change,
    /// The baseline is the best.
    Keep,
    /// The differences may be chance, or there are too few runs.
    CannotTell,
    /// There is one scenario, and nothing to choose from.
    Single,
}

/// A setting of the baseline and what the other scenario has there; null where it has no such setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// Such as `gateway.health_check.interval`.
    pub path: String,
    /// As TOML text.
    pub old: Option<String>,
    /// As TOML text.
    pub new: Option<String>,
}

/// Something that differs from run to run, or from year to year.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// How many runs have it.
    pub n: u64,
    /// The mean.
    pub mean: Number,
    /// The range in which 95% of them fall.
    pub pi95: [Number; 2],
    /// The 95% confidence interval of the mean; null below two runs, and of years.
    pub ci95: Option<[Number; 2]>,
}

/// A difference, the compared one less the baseline, run by run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gap {
    /// The mean.
    pub mean: Number,
    /// The 95% confidence interval of the mean, corrected for the number of scenarios; null below two runs.
    pub ci95: Option<[Number; 2]>,
    /// Whether it may be chance, at 5%; null below two runs.
    pub may_be_chance: Option<bool>,
    /// The same in words: `12,340 fewer (95% CI ...)`.
    pub words: String,
}

/// One of the numbers of the first page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headline {
    /// `failed_in_incident`, `failed_in_year` or `cost_in_year`.
    pub key: &'static str,
    /// What it is, in a few words.
    pub label: String,
    /// `requests` or `usd`.
    pub unit: &'static str,
    /// Of the baseline; null where it is not known.
    pub baseline: Option<Estimate>,
    /// Of the compared scenario; null where there is none or it is not known.
    pub compared: Option<Estimate>,
    /// The second less the first.
    pub difference: Option<Gap>,
    /// What it rests on, in a sentence or two.
    pub note: String,
    /// How to get the number where it is missing.
    pub missing: Option<String>,
}

/// What one run takes of the error budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BudgetReport {
    /// The share of requests that has to succeed.
    pub objective: f64,
    /// Over this many days.
    pub window_days: Number,
    /// How many may fail in it.
    pub allowed: Number,
    /// Whether no scenario says so, and it is taken for granted.
    pub is_assumed: bool,
    /// The share of the budget that a run spends, 1 being all of it.
    pub baseline: Option<Estimate>,
    /// The same of the compared scenario.
    pub compared: Option<Estimate>,
    /// All of it in a sentence.
    pub words: String,
}

/// Failed requests a second over time, mean over runs: rows on one scale and one clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strips {
    /// The length of a bin.
    pub bin_s: Number,
    /// The clock at the start.
    pub clock: Option<ClockReport>,
    /// The highest bin of all rows, in requests a second.
    pub highest: Number,
    /// The baseline, and the compared scenario where there is one.
    pub rows: Vec<Strip>,
}

/// One scenario's row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strip {
    /// The scenario.
    pub scenario: String,
    /// Failed requests a second by bin.
    pub failed_per_s: Vec<Number>,
    /// What was wrong, in the model's own faults; incidents drawn at random are not in it.
    pub faults: Vec<FaultBand>,
}

/// A clock on the wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClockReport {
    /// Seconds after midnight at the start of a run.
    pub start_s: u64,
    /// The label of its zone; may be empty.
    pub zone: String,
}

/// A stretch of time in which something was wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultBand {
    /// The fault's name.
    pub name: String,
    /// Whom it hits; empty for a fault of the gateway.
    pub providers: Vec<String>,
    /// Since when.
    pub start_s: Moment,
    /// Until when, recovery included.
    pub end_s: Moment,
    /// What it does, in words.
    pub words: String,
}

/// Where the baseline loses requests and what the compared scenario saves there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waterfall {
    /// Failed requests of a run of the baseline, on average.
    pub baseline_failed: Number,
    /// The same of the compared scenario; null where there is none.
    pub compared_failed: Option<Number>,
    /// The stages in which any is lost; their sums are the totals.
    pub stages: Vec<StageStep>,
    /// The changes, applied one after the other; from the baseline's total to the compared one's.
    pub changes: Vec<ChangeStep>,
    /// What the order means, or why there are no steps.
    pub changes_note: Option<String>,
}

/// One stage of an incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageStep {
    /// As in the columns of tables.
    pub stage: &'static str,
    /// In words.
    pub label: &'static str,
    /// Failed requests of a run there, on average.
    pub baseline: Number,
    /// The same of the compared scenario; null where there is none.
    pub compared: Option<Number>,
    /// The second less the first.
    pub change: Option<Number>,
}

/// A change of settings on top of those before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeStep {
    /// In a few words.
    pub label: String,
    /// What is set.
    pub settings: Vec<SettingChange>,
    /// Failed requests of a run after it, on average.
    pub failed: Number,
    /// What it changes.
    pub change: Gap,
}

/// How sure the report is, and what would change it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Certainty {
    /// `assumed`, `documented`, `source` or `measured`: the weakest that a part declares; null if none does.
    pub weakest_evidence: Option<&'static str>,
    /// Where evidence is declared, weakest first.
    pub evidence: Vec<EvidenceNote>,
    /// The three assumptions on which the answer rests most, strongest first: those that change most when they are turned
    /// round.
    pub strongest_assumptions: Vec<AssumptionReport>,
    /// The other ones.
    pub further_assumptions: Vec<String>,
    /// What was not tried.
    pub untested: Vec<String>,
    /// What would turn the decision round.
    pub would_change: Vec<String>,
    /// How often the compared scenario fares better and worse, run by run.
    pub paired: Option<Paired>,
}

/// Something that is taken for granted, and what comes of it if it is not so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AssumptionReport {
    /// What is taken for granted.
    pub words: String,
    /// What was tried instead; null if nothing was.
    pub instead: Option<String>,
    /// Failed requests of a run of the baseline then, on average.
    pub baseline_failed: Option<Number>,
    /// The same of the compared scenario; null where there is none.
    pub compared_failed: Option<Number>,
    /// How many runs that rests on.
    pub runs: u64,
    /// Whether the decision is the same then; null where there is none.
    pub decision_holds: Option<bool>,
}

/// Evidence as a part declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceNote {
    /// As [`Certainty::weakest_evidence`].
    pub evidence: &'static str,
    /// What it is of: `fault.outage`.
    pub path: String,
    /// The part's words on where its numbers are from.
    pub source: Option<String>,
    /// The file and line that declares it.
    pub origin: String,
}

/// Runs of two scenarios that saw the same random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Paired {
    /// All of them.
    pub runs: u64,
    /// Those in which the compared scenario loses fewer requests.
    pub fewer: u64,
    /// Those in which both lose as many.
    pub equal: u64,
    /// Those in which it loses more.
    pub more: u64,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// The file that it was read from.
    pub path: String,
    /// What it says it is about.
    pub about: Option<String>,
    /// `baseline`, `compared` or `other`.
    pub role: &'static str,
    /// Whether it is the one that was chosen.
    pub is_choice: bool,
    /// Whether all runs are equal.
    pub nothing_random: bool,
    /// The commonest verdict on how runs stand at their end; null if no run has one.
    pub verdict: Option<&'static str>,
    /// What was asked of it.
    pub objectives: Vec<ObjectiveReport>,
    /// Its important numbers, by name, as the columns of tables; the same for all scenarios, in the same order.
    pub metrics: Vec<MetricRow>,
    /// Less the baseline, in failed requests; null for the baseline.
    pub difference: Option<Gap>,
    /// Failed requests of a run by cause, on average; those above zero.
    pub failed_by_cause: Vec<NamedNumber>,
    /// The same by stage.
    pub failed_by_stage: Vec<NamedNumber>,
    /// Failed requests of runs.
    pub distribution: Distribution,
    /// What the result rests on.
    pub assumptions: Vec<String>,
    /// One run, looked at closely; null where there was no room.
    pub closeup: Option<CloseupReport>,
}

/// An objective or a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectiveReport {
    /// As it was written.
    pub criterion: String,
    /// Why, in words.
    pub about: Option<String>,
    /// Where it was written.
    pub origin: String,
    /// Whether it holds.
    pub met: bool,
    /// Whether other runs may have it the other way.
    pub within_noise: bool,
    /// What was found, in words.
    pub words: String,
}

/// One metric of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricRow {
    /// The column of tables.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// `count`, `ratio`, `quotient`, `ms`, `per_second`, `per_day`, `usd` or `usd_per_day`.
    pub unit: &'static str,
    /// Null if it has a value in no run.
    pub estimate: Option<Estimate>,
}

/// A number with a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedNumber {
    /// As in the columns of tables.
    pub name: &'static str,
    /// In words.
    pub label: &'static str,
    /// The number.
    pub value: Number,
}

/// How something is spread over runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// What it is of.
    pub metric: &'static str,
    /// Shares of runs, from 0 to 1, ascending.
    pub shares: Vec<f64>,
    /// What so many runs stay at or below.
    pub quantiles: Vec<Number>,
}

/// One run looked at closely.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CloseupReport {
    /// Its number.
    pub run: u64,
    /// The length of a bin; the last one may be cut short.
    pub bin_s: Number,
    /// The time for which requests arrive.
    pub duration_s: Number,
    /// The clock at the start.
    pub clock: Option<ClockReport>,
    /// By the numbers that other fields give.
    pub providers: Vec<String>,
    /// What ejects, by the numbers that other fields give: the health check and detectors.
    pub detectors: Vec<String>,
    /// How many replicas the gateway has.
    pub replicas: u32,
    /// The truth: what was wrong.
    pub faults: Vec<FaultBand>,
    /// What replicas believed; of these replicas, and no more than so many stretches.
    pub ejections: Vec<EjectionBand>,
    /// Requests that succeeded, by when they arrived: as counts in a bin.
    pub succeeded: Vec<u64>,
    /// Failed ones by cause; those causes that occur.
    pub failed: Vec<Series>,
    /// Those that never end; empty if there is none.
    pub open: Vec<u64>,
    /// Attempts made for them.
    pub attempts: Vec<u64>,
    /// Succeeded ones by the provider that answered; those that answered any.
    pub served_by: Vec<Series>,
    /// Latency of succeeded ones in milliseconds; null in bins without any.
    pub latency_ms: LatencySeries,
    /// What happened, in order.
    pub log: Vec<LogLine>,
    /// What the run lost.
    pub failed_count: u64,
    /// Of how many requests.
    pub request_count: u64,
}

/// A stretch of time in which the same detectors had a provider ejected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EjectionBand {
    /// In the view of this replica.
    pub replica: u32,
    /// Its place in [`CloseupReport::providers`].
    pub provider: usize,
    /// By whom: places in [`CloseupReport::detectors`].
    pub by: Vec<usize>,
    /// Since when.
    pub start_s: Moment,
    /// Until when; null if it still was when the run ended.
    pub end_s: Option<Moment>,
    /// Whether it began with no fault there.
    pub is_false: bool,
}

/// Counts by bin of something that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Series {
    /// As in the columns of tables, or a provider's name.
    pub name: String,
    /// In words.
    pub label: String,
    /// By bin.
    pub counts: Vec<u64>,
}

/// Percentiles by bin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatencySeries {
    /// The median.
    pub p50: Vec<Option<Number>>,
    /// The 95th percentile.
    pub p95: Vec<Option<Number>>,
    /// The 99th percentile.
    pub p99: Vec<Option<Number>>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogLine {
    /// When.
    pub at_s: Moment,
    /// The same as people read it: on the scenario's clock, or since the start.
    pub clock: String,
    /// What kind of thing: `fault`, `health`, `alert`, `operator`.
    pub kind: &'static str,
    /// What.
    pub words: String,
}

/// A setting in which scenarios differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingRow {
    /// Such as `gateway.health_check.interval`.
    pub path: String,
    /// By scenario, as TOML text; null where there is no such setting.
    pub values: Vec<Option<String>>,
    /// By scenario: a file and line, `--set`, `default`.
    pub origins: Vec<Option<String>>,
}

/// Faults to inject in staging, and what to see there if the prediction is right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drill {
    /// The scenario whose settings staging should have.
    pub scenario: String,
    /// What to inject, in order.
    pub steps: Vec<DrillStep>,
    /// At what load, and for how long.
    pub load: String,
    /// What one should see.
    pub expect: Vec<Expectation>,
    /// What would show that the prediction is wrong.
    pub refuted_by: Vec<String>,
}

/// A fault to inject.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrillStep {
    /// Its name in the scenario.
    pub fault: String,
    /// After the beginning of the load.
    pub start_s: Moment,
    /// For so long.
    pub lasts_s: Number,
    /// What to inject, and whom, in a sentence.
    pub inject: String,
    /// How it could be done.
    pub how: Vec<String>,
}

/// A number that a drill should give.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expectation {
    /// What it is, in a few words.
    pub what: String,
    /// As [`MetricRow::unit`].
    pub unit: &'static str,
    /// Null if it should not happen at all.
    pub estimate: Option<Estimate>,
    /// The same in words.
    pub words: String,
}
