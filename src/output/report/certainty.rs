//! How sure a report is: evidence, assumptions, what was not tried, and what would change it.

use super::challenge::{Challenged, challenges};
use super::decision::amount;
use super::document::{AssumptionReport, Certainty, Decision, DecisionVerdict, EvidenceNote, Paired};
use super::fault_words::fault_words;
use super::numbers::Pair;
use super::words::digits;
use crate::experiment::runner::{Cancelled, Progress, RunPlan};
use crate::metrics::Outcome;
use crate::model::{Evidence, Model};
use crate::output::ScenarioResult;
use crate::output::terminal::{plain, thousands};
use crate::scenario::{Document, ResolvedSetting};

const STRONGEST: usize = 3;
/// More than anybody checks.
const EVIDENCE: usize = 12;
/// Below this the ends of ranges are the extremes that happened to come.
pub(super) const FEW_RUNS: u64 = 40;

/// How sure the decision is; documents are of the baseline, and of what is held against it.
///
/// # Errors
/// If `progress` said to stop.
pub(super) fn certainty(
    pair: &Pair,
    documents: &[&Document],
    decision: &Decision,
    plan: &RunPlan,
    progress: &dyn Progress,
) -> Result<Certainty, Cancelled> {
    let results: Vec<&ScenarioResult> = std::iter::once(pair.baseline).chain(pair.compared).collect();
    let turned_round = challenges(pair, decision.verdict, plan, progress)?;
    let paired = pair.compared.map(|compared| paired(pair.baseline.outcomes, compared.outcomes));
    let would_change = would_change(pair, decision, &turned_round, paired.as_ref(), plan);
    let turned_round: Vec<Challenged> = turned_round.into_iter().take(STRONGEST).collect();
    let mut further: Vec<String> = vec![];
    for words in results.iter().flat_map(|result| result.assumptions) {
        // What was turned round is told with what came of it, and evidence has a place of its own.
        let is_told = turned_round.iter().any(|challenged| words.starts_with(challenged.told_as));
        if !is_told && !words.starts_with("weakest evidence") && !further.contains(words) {
            further.push(words.clone());
        }
    }
    let mut strongest: Vec<AssumptionReport> =
        turned_round.into_iter().map(|challenged| challenged.report).collect();
    let missing = STRONGEST - strongest.len();
    strongest.extend(further.drain(..missing.min(further.len())).map(|words| AssumptionReport {
        words,
        instead: None,
        baseline_failed: None,
        compared_failed: None,
        runs: 0,
        decision_holds: None,
    }));
    Ok(Certainty {
        weakest_evidence: results.iter().filter_map(|r| r.model.weakest_evidence).min().map(evidence_name),
        evidence: evidence(documents),
        strongest_assumptions: strongest,
        further_assumptions: further,
        untested: untested(pair.baseline.model),
        would_change,
        paired,
    })
}

fn evidence_name(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Assumed => "assumed",
        Evidence::Documented => "documented",
        Evidence::Source => "source",
        Evidence::Measured => "measured",
    }
}

/// What is declared, weakest first; the same thing of two scenarios once.
fn evidence(documents: &[&Document]) -> Vec<EvidenceNote> {
    let mut notes: Vec<(Evidence, EvidenceNote)> = vec![];
    for document in documents {
        let settings = document.resolved();
        for ResolvedSetting { path, value, origin } in &settings {
            let Some(of) = path.strip_suffix(".evidence") else { continue };
            let all = [Evidence::Assumed, Evidence::Documented, Evidence::Source, Evidence::Measured];
            let name = value.trim_matches('"');
            let Some(evidence) = all.into_iter().find(|evidence| evidence_name(*evidence) == name) else {
                continue;
            };
            let source = settings.iter().find(|setting| setting.path.strip_suffix(".source") == Some(of));
            let note = EvidenceNote {
                evidence: evidence_name(evidence),
                path: of.to_owned(),
                source: source.map(|source| plain(source.value.trim_matches('"'))),
                origin: origin.clone(),
            };
            if !notes.iter().any(|(_, other)| *other == note) {
                notes.push((evidence, note));
            }
        }
    }
    notes.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.path.cmp(&y.path)));
    notes.into_iter().take(EVIDENCE).map(|(_, note)| note).collect()
}

fn paired(baseline: &[Outcome], compared: &[Outcome]) -> Paired {
    let mut paired = Paired { runs: 0, fewer: 0, equal: 0, more: 0 };
    for (compared, baseline) in compared.iter().zip(baseline) {
        paired.runs += 1;
        match compared.failures.total().cmp(&baseline.failures.total()) {
            std::cmp::Ordering::Less => paired.fewer += 1,
            std::cmp::Ordering::Equal => paired.equal += 1,
            std::cmp::Ordering::Greater => paired.more += 1,
        }
    }
    paired
}

/// What the scenario has none of, so that nothing is known of it.
fn untested(model: &Model) -> Vec<String> {
    let mut words = vec![];
    match model.faults.as_slice() {
        [] if model.incidents.is_empty() => {
            words.push("any fault at all: nothing goes wrong here".to_owned())
        }
        [] => words
            .push("incidents that hit vendors together: sources are independent of each other".to_owned()),
        [fault] => words.push(format!("other faults than this one ({})", fault_words(fault))),
        _ => words.push("other faults than these, and the same ones at other moments".to_owned()),
    }
    let hit = |id| {
        let by_fault = model.faults.iter().any(|fault| fault.providers.contains(id));
        by_fault || model.incidents.iter().any(|source| source.providers.contains(id))
    };
    let spared: Vec<String> = (model.gateway.route.providers().iter().filter(|id| !hit(id)))
        .map(|id| plain(&model.provider(*id).name))
        .collect();
    if !spared.is_empty() && !model.faults.is_empty() {
        words.push(format!("{} failing, too: no fault is simulated there", spared.join(", ")));
    }
    let a_second = digits(model.expected_requests() / model.duration.as_secs_f64());
    words.push(format!("another load than {a_second} requests a second"));
    if model.gateway.faults.is_empty() {
        words.push("the gateway itself failing".to_owned());
    }
    if model.operator.is_empty() {
        words.push("people who notice and switch by hand".to_owned());
    }
    if model.duration.as_secs_f64() < 86_400.0 && model.incidents.is_empty() {
        words.push("weeks of ordinary errors, and what detectors make of them".to_owned());
    }
    words
}

fn would_change(
    pair: &Pair,
    decision: &Decision,
    turned_round: &[Challenged],
    paired: Option<&Paired>,
    plan: &RunPlan,
) -> Vec<String> {
    let mut words = vec![];
    let names = pair.compared.map(|compared| (plain(&pair.baseline.model.name), plain(&compared.model.name)));
    let reports = turned_round.iter().map(|challenged| &challenged.report);
    for assumption in reports.filter(|report| report.decision_holds == Some(false)) {
        let (Some((baseline, compared)), Some(instead), Some(before), Some(after)) =
            (&names, &assumption.instead, assumption.baseline_failed, assumption.compared_failed)
        else {
            continue;
        };
        words.push(format!(
            "If {instead}, {compared} loses {} requests and {baseline} {}: the difference is gone, or turned round.",
            amount(after.0),
            amount(before.0)
        ));
    }
    if let (Some(paired), Some((baseline, compared))) = (paired, &names) {
        let runs = thousands(paired.runs as f64);
        words.push(match paired.more {
            0 => format!("In none of {runs} paired runs does {compared} lose more than {baseline}."),
            more => format!(
                "In {} of {runs} paired runs {compared} loses more than {baseline}: that incident would speak for the other.",
                thousands(more as f64)
            ),
        });
    }
    let results = std::iter::once(pair.baseline).chain(pair.compared);
    for (result, finding) in results.flat_map(|result| result.findings.iter().map(move |f| (result, f))) {
        if words.iter().any(|told| told.contains(&format!("`{}`", finding.objective.criterion))) {
            continue;
        }
        let name = plain(&result.model.name);
        if finding.is_within_noise {
            words.push(format!(
                "More runs may have `{}` in {name} the other way.",
                finding.objective.criterion
            ));
        } else if finding.lacks_runs {
            words.push(format!(
                "There are too few runs to say how sure `{}` in {name} is.",
                finding.objective.criterion
            ));
        }
    }
    if pair.is_random() && plan.count() < FEW_RUNS {
        words.push(format!(
            "With {} runs the range of 95% is that of the runs that happened to be: {FEW_RUNS} or more would tell.",
            thousands(plan.count() as f64)
        ));
    }
    if decision.verdict == DecisionVerdict::CannotTell && pair.compared.is_some() {
        words.push("More runs, if the difference matters: `--runs` takes them.".to_owned());
    }
    words
}
