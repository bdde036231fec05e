//! What to do: which scenario is best, by how much, and whether that may be chance.

use super::candidates::may_be_chance;
use super::document::{Decision, DecisionVerdict, Gap, NotCompared, SettingChange};
use super::number::Number;
use super::scenario::{estimate, mean};
use super::settings::{Changes, is_decided_here};
use crate::experiment::baseline::Difference;
use crate::experiment::objective::Finding;
use crate::experiment::statistics::Summary;
use crate::metrics::{Outcome, metric};
use crate::output::ScenarioResult;
use crate::output::terminal::{plain, thousands};

/// The scenarios that are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sides {
    /// Its place among the scenarios, if there is one beside the baseline, which is the first.
    pub compared: Option<usize>,
    /// The one to take, if that can be told.
    pub choice: Option<usize>,
}

/// What a scenario differs by from the baseline in a metric, corrected over all that are held against it.
pub(super) fn gap(results: &[ScenarioResult], name: &str, of: usize) -> Option<Gap> {
    let metric = metric(name).expect("the metric exists");
    let (baseline, others) = results.split_first()?;
    let outcomes: Vec<&[Outcome]> = others.iter().map(|result| result.outcomes).collect();
    let differences = Difference::of_all(metric, &outcomes, baseline.outcomes);
    let difference = differences.get(of.checked_sub(1)?)?;
    let mean = difference.summary.mean?;
    // Where nothing is random, one run says all there is to say.
    let is_certain = !results[0].model.is_random() && !results[of].model.is_random();
    let may_be_chance = match is_certain {
        true => Some(mean == 0.0),
        false => difference.is_significant().map(|is_significant| !is_significant),
    };
    let ci95 = difference.interval.map(|interval| [interval.low, interval.high]);
    Some(gap_of(mean, ci95, may_be_chance))
}

/// A difference, with its words.
pub(super) fn gap_of(mean: f64, ci95: Option<[f64; 2]>, may_be_chance: Option<bool>) -> Gap {
    let mut gap = Gap {
        mean: Number(mean),
        ci95: ci95.map(|ends| ends.map(Number)),
        may_be_chance,
        words: String::new(),
    };
    gap.words = words_with(&gap, None);
    gap
}

/// `8,591 fewer failed requests than x (95% CI 8,314 to 8,868)`, given of what and than what.
fn words_with(gap: &Gap, of_and_than: Option<(&str, &str)>) -> String {
    let mean = gap.mean.0;
    let direction = if mean < 0.0 { "fewer" } else { "more" };
    let (direction, than) = match mean == 0.0 {
        true => ("as many".to_owned(), "as"),
        false => (format!("{} {direction}", amount(mean.abs())), "than"),
    };
    let mut words = match of_and_than {
        Some((of, other)) => format!("{direction} {of} {than} {other}"),
        None => direction,
    };
    if let Some([low, high]) = gap.ci95.map(|ends| ends.map(|end| end.0)).filter(|[low, high]| low < high) {
        let (low, high) = if mean < 0.0 { (-high, -low) } else { (low, high) };
        let (low, high) = (amount(low), amount(high));
        // What nothing shows is no range.
        if low != high {
            words.push_str(&format!(" (95% CI {low} to {high})"));
        }
    }
    if mean != 0.0 && gap.may_be_chance == Some(true) {
        words.push_str(", which may be chance");
    }
    words
}

/// A number of requests, with digits where there are less than ten.
pub(super) fn amount(value: f64) -> String {
    match value.abs() {
        v if v >= 9.95 || v.fract() == 0.0 => thousands(value),
        _ => format!("{value:.1}"),
    }
}

/// What is decided of these scenarios, whose settings differ by so much from the first.
pub(super) fn decide(results: &[ScenarioResult], changes: &[Changes]) -> (Decision, Sides) {
    let name = |nth: usize| plain(&results[nth].model.name);
    let mut decision = Decision {
        verdict: DecisionVerdict::Single,
        sentence: String::new(),
        choice: None,
        baseline: results[0].model.name.clone(),
        compared: None,
        changes: vec![],
        difference: None,
        not_compared: vec![],
    };
    if results.len() == 1 {
        decision.sentence = loses(&results[0]);
        decision.choice = Some(results[0].model.name.clone());
        return (decision, Sides { compared: None, choice: Some(0) });
    }
    let is_candidate =
        |nth: &usize| changes[*nth].list.iter().all(|change| is_decided_here(change, &changes[*nth]));
    let (candidates, others): (Vec<usize>, Vec<usize>) = (1..results.len()).partition(is_candidate);
    let not_compared = |nth: &usize| {
        let is_other = |change: &&SettingChange| !is_decided_here(change, &changes[*nth]);
        let differs_in =
            changes[*nth].list.iter().filter(is_other).map(|change| change.path.clone()).collect();
        NotCompared { scenario: results[*nth].model.name.clone(), differs_in }
    };
    decision.not_compared = others.iter().map(not_compared).collect();
    let findings: Vec<Vec<Finding>> = (0..results.len()).map(|nth| all_findings(results, nth)).collect();
    let rank = |nth: &usize| (!meets_all(&findings[*nth]), mean(results[*nth].outcomes, lost));
    let better = |a: &usize, b: &usize| rank(a).partial_cmp(&rank(b)).expect("means are numbers");
    let Some(best_other) = candidates.iter().copied().min_by(better) else {
        decision.verdict = DecisionVerdict::CannotTell;
        decision.sentence = format!(
            "There is nothing to choose: every other scenario differs from {} in what happens to it, and not only in \
             what can be decided.",
            name(0)
        );
        return (decision, Sides { compared: None, choice: None });
    };
    let failed = gap(results, "failed_count", best_other);
    let open = gap(results, "open_count", best_other);
    let is_sure = surely_loses_less(results, best_other);
    let incident = if results[0].model.faults.is_empty() { "a run" } else { "an incident" };
    let failed_words = |than: &str| match &failed {
        Some(gap) => words_with(gap, Some((&format!("failed requests in {incident}"), than))),
        None => format!("an unknown number of failed requests against {than}"),
    };
    let (meets, meets_before) = (meets_all(&findings[best_other]), meets_all(&findings[0]));
    let baseline_is_best = better(&0, &best_other).is_le();
    let open_words = open.filter(|gap| gap.mean.0 != 0.0).map_or(String::new(), |gap| {
        let direction = if gap.mean.0 < 0.0 { "fewer" } else { "more" };
        format!(", and {} {direction} that never end", amount(gap.mean.0.abs()))
    });
    let choice = if baseline_is_best {
        decision.verdict = DecisionVerdict::Keep;
        let why = match meets_before && !meets {
            true => "it meets what is asked of it, and no other does",
            false => "no other loses fewer requests",
        };
        decision.sentence = format!(
            "Keep {}, as {why}: {} has {}{open_words}.",
            name(0),
            name(best_other),
            failed_words("it")
        );
        Some(0)
    } else if is_sure || meets && !meets_before && !is_noisy(&findings[best_other]) && !is_noisy(&findings[0])
    {
        decision.verdict = DecisionVerdict::Change;
        let objectives = match (meets, meets_before) {
            (true, false) => " It meets what is asked of it, which the baseline does not.",
            (false, _) => " It does not meet all that is asked of it.",
            _ => "",
        };
        decision.sentence = format!(
            "Take {}, with {}: {}{open_words}.{objectives}",
            name(best_other),
            changes[best_other].words(),
            failed_words(&name(0))
        );
        Some(best_other)
    } else {
        decision.verdict = DecisionVerdict::CannotTell;
        let why = match results[0].outcomes.len() {
            1 => "one run cannot tell".to_owned(),
            n => format!("{} runs cannot tell", thousands(n as f64)),
        };
        decision.sentence = format!(
            "No choice yet, as {why}: {} has {}{open_words}.",
            name(best_other),
            failed_words(&name(0))
        );
        None
    };
    decision.choice = choice.map(|nth| results[nth].model.name.clone());
    decision.compared = Some(results[best_other].model.name.clone());
    decision.changes = changes[best_other].list.clone();
    decision.difference = failed;
    (decision, Sides { compared: Some(best_other), choice })
}

/// What a run loses, and scenarios are ranked by.
fn lost(outcome: &Outcome) -> u64 {
    outcome.failures.total() + outcome.open_count
}

/// Whether a scenario loses less than the baseline, by more than chance, given that all were tried.
fn surely_loses_less(results: &[ScenarioResult], of: usize) -> bool {
    let pairs = results[of].outcomes.iter().zip(results[0].outcomes);
    let less = Summary::of(pairs.map(|(outcome, base)| Some(lost(outcome) as f64 - lost(base) as f64)));
    let is_random = results[0].model.is_random() || results[of].model.is_random();
    less.mean.is_some_and(|mean| mean < 0.0) && !may_be_chance(&less, results.len() - 1, is_random)
}

/// What is asked of a scenario. Gates are for the others to pass, so of the baseline nobody asked them, but to choose it is
/// to say that it passes: a relative one compares it with itself.
fn all_findings(results: &[ScenarioResult], nth: usize) -> Vec<Finding> {
    let mut findings = results[nth].findings.to_vec();
    if nth == 0 {
        let baseline = results[0].outcomes;
        for gate in results[1..].iter().flat_map(|result| result.findings).map(|found| &found.objective) {
            if gate.is_gate() && findings.iter().all(|finding| finding.objective != *gate) {
                findings.push(gate.judge(baseline, Some(baseline)));
            }
        }
    }
    findings
}

/// Whether all objectives hold; with none they do.
fn meets_all(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.judgement.met)
}

/// Whether other runs may have an objective the other way.
fn is_noisy(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.is_within_noise || finding.lacks_runs)
}

/// What one scenario loses, and when it notices.
fn loses(result: &ScenarioResult) -> String {
    let model = result.model;
    let failed = Summary::of(result.outcomes.iter().map(|o| Some(o.failures.total() as f64)));
    let Some(failed) = estimate(&failed) else {
        return format!("{} was not run.", plain(&model.name));
    };
    let [low, high] = failed.pi95.map(|end| amount(end.0));
    let range = if low == high { String::new() } else { format!(" ({low} to {high} in 95% of runs)") };
    let requests = thousands(mean(result.outcomes, |o| o.request_count));
    let lost =
        format!("{} loses {} of {requests} requests{range}", plain(&model.name), amount(failed.mean.0));
    let open = mean(result.outcomes, |o| o.open_count);
    let open = if open > 0.0 { format!(", and {} never end", amount(open)) } else { String::new() };
    if model.faults.is_empty() {
        return format!("{lost}{open}.");
    }
    let metric = metric("time_to_detect_ms").expect("the metric exists");
    let detected = match estimate(&Summary::of_metric(metric, result.outcomes)) {
        None => "and never notices".to_owned(),
        Some(detected) => {
            let [low, mean, high] =
                [detected.pi95[0], detected.mean, detected.pi95[1]].map(|ms| amount(ms.0 / 1000.0));
            let range = if low == high { String::new() } else { format!(" ({low} to {high} s)") };
            let share = match detected.n < result.outcomes.len() as u64 {
                true => format!(
                    ", in {} of {} runs",
                    thousands(detected.n as f64),
                    thousands(result.outcomes.len() as f64)
                ),
                false => String::new(),
            };
            format!("and notices after {mean} s{range}{share}")
        }
    };
    format!("{lost}{open}, {detected}.")
}
