//! What the summary says of a scenario, in words.

use super::summary::Shown;
use super::text::{plain, short, signed, thousands};
use crate::experiment::baseline::Difference;
use crate::experiment::statistics::{Interval, Summary};
use crate::metrics::{Beliefs, Ejection, Outcome, PeriodCounts, TimelineEntry, TimelineEvent, Verdict};
use crate::model::{Arrivals, Model, Slo};
use std::fmt::Write;

/// How many requests succeed, and who answers; `None` where the scenario itself says how many there are, and no cache is.
pub(super) fn served_words(shown: &Shown) -> Option<String> {
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

/// An objective in percent: as many digits as were written, and not those that the conversion adds.
pub(in crate::output) fn objective_percent(objective: f64) -> String {
    let percent = format!("{:.6}", 100.0 * objective);
    percent.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a run spends of the error budget, on average.
pub(super) fn budget_words(slo: &Slo, spent: f64) -> String {
    let (percent, objective) = (short(100.0 * spent), objective_percent(slo.objective.get()));
    let days = slo.window.as_secs_f64() / 86_400.0;
    let window = if days.fract() == 0.0 { format!("{days} d") } else { slo.window.to_string() };
    format!("{percent}% of the {} failures that {objective}% allows in {window}", thousands(slo.budget()))
}

/// How runs stand at their end; `None` if all have recovered, or there is no telling.
pub(super) fn verdict_words(outcomes: &[Outcome]) -> Option<String> {
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
pub(super) fn difference_words(difference: &Difference, compared: usize, baseline: &Model) -> Option<String> {
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
pub(in crate::output) fn certainty_words(
    difference: &Difference,
    compared: usize,
    shown: fn(f64) -> String,
) -> String {
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

/// A duration metric's mean, and the range of runs where they differ.
pub(super) fn spread(shown: &Shown, name: &str) -> String {
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

/// Who ejects a provider, where there is more than one that may.
pub(super) fn detector_words(model: &Model, beliefs: &Beliefs, entry: TimelineEntry) -> Option<String> {
    let TimelineEvent::Health { replica, provider, admitted: false, .. } = entry.event else { return None };
    let (health_check, detectors) = (&model.gateway.health_check, &model.gateway.detectors);
    if usize::from(health_check.is_some()) + detectors.len() < 2 {
        return None;
    }
    let is_it = |e: &&Ejection| (e.replica, e.provider, e.start) == (replica, provider, entry.at);
    let by = beliefs.ejections.iter().find(is_it)?.by;
    let check = by.has_health_check().then_some("health check");
    let passive =
        (0..detectors.len()).filter(|nth| by.has_detector(*nth)).map(|nth| detectors[nth].name.as_str());
    let names: Vec<&str> = check.into_iter().chain(passive).collect();
    Some(format!(" ({})", names.join(" and ")))
}
