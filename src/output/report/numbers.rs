//! The three numbers of the first page, and what they are of the error budget.

use super::candidates::interval;
use super::decision::{amount, gap_of};
use super::document::{BudgetReport, Estimate, Gap, Headline};
use super::number::Number;
use super::scenario::{estimate, mean};
use super::words::{digits, span};
use super::years::{Basis, SECONDS_PER_YEAR, Years};
use crate::experiment::runner::RunPlan;
use crate::experiment::statistics::Summary;
use crate::metrics::{METRICS, Metric, Outcome, Wanted, measure, metric};
use crate::model::{Effect, InFlight, Model};
use crate::output::ScenarioResult;
use crate::output::terminal::{objective_percent, thousands};

/// Incidents a year where nobody says how many: those of a published one (`models/incidents/anthropic-api.toml`).
pub const INCIDENTS_PER_YEAR: f64 = 67.0;
const INCIDENTS_SOURCE: &str =
    "Anthropic's API from July 2023 to August 2024 (76 in 417 days; Chu et al., ICPE 2025)";

const COST: (&str, &str, &str) = ("cost_in_year", "Cost in a year", "usd");

/// Calm costs much the same in every run.
const CALM_RUNS: u64 = 10;

/// Taken for granted where no scenario has an `[slo]`.
const OBJECTIVE: f64 = 0.999;
const WINDOW_DAYS: f64 = 30.0;

/// The baseline, and what is held against it.
pub(super) struct Pair<'a> {
    pub baseline: &'a ScenarioResult<'a>,
    pub compared: Option<&'a ScenarioResult<'a>>,
    /// As [`super::RunsInput::plays_alike`].
    pub plays_alike: bool,
    /// How many were held against the baseline, to be corrected for.
    pub family: usize,
}

impl<'a> Pair<'a> {
    fn each<T>(&self, of: impl Fn(&'a ScenarioResult<'a>) -> Option<T>) -> (Option<T>, Option<T>) {
        (of(self.baseline), self.compared.and_then(of))
    }

    pub fn is_random(&self) -> bool {
        self.baseline.model.is_random() || self.compared.is_some_and(|compared| compared.model.is_random())
    }
}

/// What a year of a scenario comes to.
struct OfYear {
    /// The years that were drawn.
    totals: Vec<f64>,
    /// What its mean is the sum of.
    parts: Vec<Part>,
}

/// What some runs tell of a year.
struct Part {
    /// How many of them a year has.
    count: f64,
    values: Vec<f64>,
    is_random: bool,
}

/// The numbers, given the difference in failed requests of a run.
pub(super) fn headlines(
    pair: &Pair,
    difference: Option<Gap>,
    plan: &RunPlan,
    incidents_per_year: Option<f64>,
) -> Vec<Headline> {
    let basis = basis(pair, incidents_per_year);
    let years = Years::draw(basis, plan.seed, pair.baseline.outcomes.len().max(1));
    vec![
        in_incident(pair, basis, difference),
        failed_in_year(pair, &years, basis, incidents_per_year),
        cost_in_year(pair, &years, basis, plan),
    ]
}

/// Whether a run is an incident or a stretch of ordinary time.
fn basis(pair: &Pair, incidents_per_year: Option<f64>) -> Basis {
    let (model, other) = (pair.baseline.model, pair.compared.map(|compared| compared.model));
    let models = || std::iter::once(model).chain(other);
    let has_fault = |model: &Model| !model.faults.is_empty() || !model.gateway.faults.is_empty();
    match models().any(|model| !model.incidents.is_empty()) || !models().any(has_fault) {
        true => Basis::Time(model.duration.as_secs_f64()),
        false => Basis::Incidents(incidents_per_year.unwrap_or(INCIDENTS_PER_YEAR)),
    }
}

fn in_incident(pair: &Pair, basis: Basis, difference: Option<Gap>) -> Headline {
    let failed =
        |result: &ScenarioResult| estimate(&Summary::of_metric(named("failed_count"), result.outcomes));
    let (baseline, compared) = pair.each(failed);
    let requests = thousands(mean(pair.baseline.outcomes, |o| o.request_count));
    let duration = span(pair.baseline.model.duration);
    let (label, of) = match basis {
        Basis::Incidents(_) => ("Failed requests in an incident", "an incident"),
        Basis::Time(_) => ("Failed requests in a run", "a run"),
    };
    Headline {
        key: "failed_in_incident",
        label: label.to_owned(),
        unit: "requests",
        baseline,
        compared,
        difference,
        note: format!("Of {requests} requests in {of} of {duration}. The range has 95% of simulated runs."),
        missing: None,
    }
}

fn failed_in_year(pair: &Pair, years: &Years, basis: Basis, given: Option<f64>) -> Headline {
    let of_year = |result: &ScenarioResult| {
        let runs: Vec<f64> = result.outcomes.iter().map(|o| o.failures.total() as f64).collect();
        let totals = years.totals(&runs);
        let part = Part { count: basis.runs_a_year(), values: runs, is_random: result.model.is_random() };
        (!part.values.is_empty()).then_some(OfYear { totals, parts: vec![part] })
    };
    let told = match pair.baseline.outcomes.len() {
        _ if !pair.is_random() => String::new(),
        1 => ", as far as one run tells".to_owned(),
        runs => format!(", as far as these {} runs tell", thousands(runs as f64)),
    };
    let note = match basis {
        Basis::Time(_) => format!(
            "A year is {} runs of {}, drawn from those that were simulated; the range has 95% of years{told}.{}",
            digits(SECONDS_PER_YEAR / pair.baseline.model.duration.as_secs_f64()),
            span(pair.baseline.model.duration),
            match given {
                Some(_) =>
                    " `--incidents-per-year` changes nothing here, as a run is no incident but a stretch of time.",
                None => "",
            }
        ),
        Basis::Incidents(rate) => {
            let source = match given {
                Some(_) => format!(
                    "As if {} incidents a year, as `--incidents-per-year` says, were all like this one",
                    digits(rate)
                ),
                None => format!(
                    "As if {rate} incidents a year were all like this one: so many had {INCIDENTS_SOURCE}, most of \
                     them not as bad. Give your own rate with `--incidents-per-year`"
                ),
            };
            format!("{source}. They come independently of each other; the range has 95% of years{told}.")
        }
    };
    of_years(
        pair,
        ("failed_in_year", "Failed requests in a year", "requests"),
        pair.each(of_year),
        note,
        None,
    )
}

fn cost_in_year(pair: &Pair, years: &Years, basis: Basis, plan: &RunPlan) -> Headline {
    let known = |name: &'static str| {
        let metric = named(name);
        let knows = |result: &ScenarioResult| result.outcomes.iter().all(|o| metric.of(o).is_some());
        (knows(pair.baseline) && pair.compared.is_none_or(knows)).then_some(metric)
    };
    let Some(metric) = known("cost_usd").or_else(|| known("cost_lost_business_usd")) else {
        let missing = missing_prices(pair.baseline.model);
        return of_years(pair, COST, (None, None), String::new(), Some(missing));
    };
    if matches!(basis, Basis::Incidents(_)) && !pair.plays_alike {
        let missing = "Calm would have to be played again to say what the rest of a year costs.".to_owned();
        return of_years(pair, COST, (None, None), String::new(), Some(missing));
    }
    let of_year = |result: &ScenarioResult| {
        let of_run: Vec<f64> = result.outcomes.iter().filter_map(|o| metric.of(o)).collect();
        let count = basis.runs_a_year();
        let part = |values| Part { count, values, is_random: result.model.is_random() };
        Some(match basis {
            Basis::Time(_) => OfYear { totals: years.totals(&of_run), parts: vec![part(of_run)] },
            Basis::Incidents(_) => {
                // The rest of the year costs what calm does, and every incident what it costs beyond that.
                let mut calm = calm_cost(result.model, metric, plan);
                let mean = Summary::of(calm.values.iter().copied().map(Some)).mean.unwrap_or(0.0);
                let stretches = SECONDS_PER_YEAR / result.model.duration.as_secs_f64();
                let beyond: Vec<f64> = of_run.iter().map(|cost| cost - mean).collect();
                let totals = years.totals(&beyond).into_iter().map(|total| total + mean * stretches);
                calm.count = stretches - count;
                OfYear { totals: totals.collect(), parts: vec![part(of_run), calm] }
            }
        })
    };
    let what = match metric.name {
        "cost_usd" if pair.baseline.model.failed_request_cost.is_none() => {
            "What providers and the gateway charge. What a failed request costs in lost business is not said: \
             `--set cost.failed_request=0.05`"
        }
        "cost_usd" => "What providers and the gateway charge, and the business that failed requests lose",
        _ => "The business that failed requests lose; what providers charge is not known",
    };
    let year = match basis {
        Basis::Time(_) => "in a year made of runs like these",
        Basis::Incidents(_) => "in a year at this load, calm but for the incidents",
    };
    let note = format!("{what}, {year}.");
    of_years(pair, COST, pair.each(of_year), note, None)
}

/// What runs cost if nothing goes wrong in them.
fn calm_cost(model: &Model, metric: &Metric, plan: &RunPlan) -> Part {
    let calm = calm(model);
    let is_random = calm.is_random();
    let runs = if is_random { plan.count().min(CALM_RUNS) } else { 1 };
    let costs = (plan.runs.start..).take(runs as usize).map(|run| {
        let outcome = measure(&calm, plan.seed, run, Wanted::COUNTS, plan.path);
        metric.of(&outcome)
    });
    Part { count: 0.0, values: costs.flatten().collect(), is_random }
}

/// The same with faults that do nothing, and nobody who switches for them.
fn calm(model: &Model) -> Model {
    let mut calm = model.clone();
    for fault in &mut calm.faults {
        (fault.requests, fault.probes) = (Effect::Unaffected, Effect::Unaffected);
        fault.in_flight = InFlight::Finish;
    }
    calm.gateway.faults.clear();
    calm.operator.clear();
    calm
}

fn missing_prices(model: &Model) -> String {
    let priceless = model.providers.iter().find(|provider| provider.price.is_none());
    let price = match priceless {
        Some(provider) => {
            format!("give every provider a `price`, as in `[provider.{}.price]`", provider.name)
        }
        None => "give requests tokens in `[traffic]`, as providers charge for them".to_owned(),
    };
    format!(
        "Nobody says what it costs: {price}, or say what a failed request costs: `--set cost.failed_request=0.05`."
    )
}

/// Whether years may differ by chance: runs are few, whatever is drawn from them. `None` if that cannot be told.
fn may_be_chance(baseline: &OfYear, compared: &OfYear, family: usize) -> Option<bool> {
    let (mut mean, mut half_width) = (0.0, 0.0);
    for (base, part) in baseline.parts.iter().zip(&compared.parts) {
        let pairs = part.values.iter().zip(&base.values);
        let difference = Summary::of(pairs.map(|(value, base)| Some(value - base)));
        mean += part.count * difference.mean?;
        // Widths of parts add up at most, whether or not they are independent.
        half_width += part.count.abs()
            * match interval(&difference, family) {
                Some(interval) => (interval.high - interval.low) / 2.0,
                None if part.is_random || base.is_random => return None,
                None => 0.0,
            };
    }
    Some(mean.abs() <= half_width)
}

fn of_years(
    pair: &Pair,
    (key, label, unit): (&'static str, &str, &'static str),
    (baseline, compared): (Option<OfYear>, Option<OfYear>),
    note: String,
    missing: Option<String>,
) -> Headline {
    // A year is drawn, not simulated: its mean has no interval of its own.
    let of = |year: &OfYear| {
        let summary = Summary::of(year.totals.iter().map(|total| Some(*total)));
        estimate(&summary).map(|estimate| Estimate { ci95: None, ..estimate })
    };
    let difference = baseline.as_ref().zip(compared.as_ref()).and_then(|(baseline, compared)| {
        let years = compared.totals.iter().zip(&baseline.totals);
        let found = Summary::of(years.map(|(compared, base)| Some(compared - base)));
        let mut gap = gap_of(found.mean?, None, may_be_chance(baseline, compared, pair.family));
        if unit == "usd" {
            let direction = if gap.mean.0 < 0.0 { "less" } else { "more" };
            let may_be = if gap.may_be_chance == Some(true) { ", which may be chance" } else { "" };
            gap.words = match gap.mean.0 == 0.0 {
                true => "as much".to_owned(),
                false => format!("${} {direction}{may_be}", amount(gap.mean.0.abs())),
            };
        }
        Some(gap)
    });
    Headline {
        key,
        label: label.to_owned(),
        unit,
        baseline: baseline.as_ref().and_then(of),
        compared: compared.as_ref().and_then(of),
        difference,
        note,
        missing,
    }
}

/// What a run takes of the error budget.
pub(super) fn budget(pair: &Pair) -> Option<BudgetReport> {
    let slo = pair.baseline.model.slo.as_ref().or_else(|| pair.compared?.model.slo.as_ref());
    let model = pair.baseline.model;
    let (objective, window_days, allowed) = match slo {
        Some(slo) => (slo.objective.get(), slo.window.as_secs_f64() / 86_400.0, slo.budget()),
        None => {
            let a_second = model.expected_requests() / model.duration.as_secs_f64();
            (OBJECTIVE, WINDOW_DAYS, (1.0 - OBJECTIVE) * a_second * WINDOW_DAYS * 86_400.0)
        }
    };
    if allowed <= 0.0 {
        return None;
    }
    let spent = |outcome: &Outcome| Some(outcome.failures.total() as f64 / allowed);
    let of = |result: &ScenarioResult| estimate(&Summary::of(result.outcomes.iter().map(spent)));
    let (baseline, compared) = pair.each(of);
    let percent = |estimate: &Estimate| format!("{}%", digits(100.0 * estimate.mean.0));
    let spends = match (&baseline, &compared) {
        (Some(baseline), Some(compared)) => {
            format!("{} before, {} after", percent(baseline), percent(compared))
        }
        (Some(only), None) | (None, Some(only)) => percent(only),
        (None, None) => return None,
    };
    let share = objective_percent(objective);
    let assumed = if slo.is_none() { ", which is assumed, as no scenario has an `[slo]`" } else { "" };
    Some(BudgetReport {
        objective: (1e9 * objective).round() / 1e9,
        window_days: Number(window_days),
        allowed: Number(allowed),
        is_assumed: slo.is_none(),
        baseline,
        compared,
        words: format!(
            "One run spends this share of the {} failures that {share}% over {} days allows{assumed}: {spends}.",
            thousands(allowed),
            digits(window_days)
        ),
    })
}

fn named(name: &str) -> &'static Metric {
    debug_assert!(METRICS.iter().any(|metric| metric.name == name));
    metric(name).expect("the metric exists")
}
