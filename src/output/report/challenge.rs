//! What a result rests on most: assumptions are turned round one at a time, and the same runs played again.

use super::candidates::interval;
use super::document::{AssumptionReport, DecisionVerdict};
use super::number::Number;
use super::numbers::Pair;
use super::words::{digits, span};
use crate::experiment::runner::{Cancelled, Progress, RunPlan};
use crate::experiment::statistics::Summary;
use crate::experiment::survey::Surveyed;
use crate::metrics::{Outcome, Series, Wanted};
use crate::model::{
    Allowance, Arrivals, Effect, Fault, Gaps, HealthScope, InFlight, Model, Probability, ProviderId, Quota,
    QuotaWindow, Rate, Recovery, Severity,
};
use crate::output::ScenarioResult;
use crate::time::SimDuration;
use std::num::NonZeroU32;

/// So many runs tell which assumption matters most.
const RUNS: u64 = 30;
/// A decision holds while this much of the difference is left.
const STILL_BETTER: f64 = 0.05;
/// For so many events of the plain path at most, about half a second's work, or for this share of the command's own.
const WORK: f64 = 6e6;
const SHARE_OF_WORK: f64 = 1.0 / 3.0;

/// Turned round one at a time.
struct Challenge {
    /// How [`crate::output::assumptions`] begins to say the same, if it does.
    told_as: &'static str,
    /// The assumption, and what is tried instead; `None` where it is not made.
    assumes: fn(&Model) -> Option<(String, String)>,
    /// Makes it so.
    turn_round: fn(&mut Model),
}

const CHALLENGES: [Challenge; 9] = [
    Challenge {
        told_as: "-",
        assumes: probes_see_faults,
        turn_round: |model| model.faults.iter_mut().for_each(|fault| fault.probes = Effect::Unaffected),
    },
    Challenge { told_as: "a backup has no limit", assumes: backup_has_no_limit, turn_round: limit_backups },
    Challenge {
        told_as: "-",
        assumes: faults_last_as_long,
        turn_round: |model| model.faults.iter_mut().for_each(lengthen),
    },
    Challenge {
        told_as: "requests in flight finish",
        assumes: in_flight_finishes,
        turn_round: |model| model.faults.iter_mut().for_each(|fault| fault.in_flight = InFlight::Fail),
    },
    Challenge { told_as: "arrivals are evenly spaced", assumes: arrivals_are_even, turn_round: make_poisson },
    Challenge {
        told_as: "-",
        assumes: faults_stop_at_once,
        turn_round: |model| model.faults.iter_mut().for_each(slow_recovery),
    },
    Challenge {
        told_as: "-",
        assumes: incidents_hit_a_share,
        turn_round: |model| {
            model.incidents.iter_mut().for_each(|i| i.severity = Severity::Constant(Probability::ONE));
        },
    },
    Challenge {
        told_as: "-",
        assumes: |model| {
            let has_incidents = !model.incidents.is_empty();
            has_incidents.then(|| told("incidents come as often as they did", "they come twice as often"))
        },
        turn_round: |model| model.incidents.iter_mut().for_each(|source| source.gaps = halved(source.gaps)),
    },
    Challenge {
        told_as: "one gateway replica",
        assumes: |model| {
            let looks = model.gateway.health_check.is_some() || !model.gateway.detectors.is_empty();
            let is_alone =
                model.gateway.replicas == NonZeroU32::MIN && model.gateway.faults.is_empty() && looks;
            is_alone.then(|| {
                told("there is one gateway replica", "there are three that do not talk to each other")
            })
        },
        turn_round: |model| {
            model.gateway.replicas = NonZeroU32::MIN.saturating_add(2);
            model.gateway.health = HealthScope::Own;
        },
    },
];

/// An assumption that was turned round.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Challenged {
    /// How [`crate::output::assumptions`] begins to say the same.
    pub told_as: &'static str,
    /// What came of it.
    pub report: AssumptionReport,
}

/// Every assumption that was turned round, strongest first, and whether a decision for this verdict holds then.
///
/// # Errors
/// If `progress` said to stop.
pub(super) fn challenges(
    pair: &Pair,
    verdict: DecisionVerdict,
    plan: &RunPlan,
    progress: &dyn Progress,
) -> Result<Vec<Challenged>, Cancelled> {
    let results: Vec<&ScenarioResult> = std::iter::once(pair.baseline).chain(pair.compared).collect();
    let works = results.iter().map(|result| Surveyed::of(result.model, Wanted::COUNTS).work);
    let a_run = works.sum::<f64>();
    let work = WORK.max(SHARE_OF_WORK * a_run * plan.count() as f64);
    let affordable = (work / a_run / CHALLENGES.len() as f64) as u64;
    let runs = plan.count().min(RUNS).min(affordable);
    if runs == 0 || !pair.plays_alike {
        return Ok(vec![]);
    }
    let mut found: Vec<(f64, Challenged)> = vec![];
    for Challenge { told_as, assumes, turn_round } in CHALLENGES {
        // What only one of them takes for granted may speak for the other.
        let Some((words, instead)) = results.iter().rev().find_map(|result| assumes(result.model)) else {
            continue;
        };
        let played = |result: &ScenarioResult| -> Result<Played, Cancelled> {
            let mut model = result.model.clone();
            turn_round(&mut model);
            let wanted = Wanted { series: Series::None, ..Wanted::COUNTS };
            let runs = plan.runs.start..plan.runs.start + runs;
            let plan = RunPlan { runs, wanted, ..plan.clone() };
            let outcomes = plan.play(std::slice::from_ref(&model), progress)?.swap_remove(0);
            let before = lost(&result.outcomes[..outcomes.len()]);
            Ok(Played { before, after: lost(&outcomes), is_random: model.is_random() })
        };
        let baseline = played(pair.baseline)?;
        let compared = pair.compared.map(played).transpose()?;
        let strength = compared.as_ref().map_or(0.0, Played::moved).max(baseline.moved());
        let holds = compared.as_ref().and_then(|compared| holds(verdict, &baseline, compared));
        let report = AssumptionReport {
            words,
            instead: Some(instead),
            baseline_failed: Some(Number(average(&baseline.after))),
            compared_failed: compared.map(|compared| Number(average(&compared.after))),
            runs,
            decision_holds: holds,
        };
        if strength > 0.0 {
            found.push((strength, Challenged { told_as, report }));
        }
    }
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    Ok(found.into_iter().map(|(_, challenged)| challenged).collect())
}

/// What runs of a scenario lose.
struct Played {
    before: Vec<f64>,
    /// With an assumption turned round.
    after: Vec<f64>,
    /// Whether runs may differ then.
    is_random: bool,
}

impl Played {
    fn moved(&self) -> f64 {
        (average(&self.after) - average(&self.before)).abs()
    }
}

/// Whether the one that was chosen still loses less; `None` where there is no decision, where it was not made for what is
/// lost, and where the runs cannot tell.
fn holds(verdict: DecisionVerdict, baseline: &Played, compared: &Played) -> Option<bool> {
    // What is saved by the decision, run by run.
    let saved = |baseline: &[f64], compared: &[f64]| {
        let pairs = baseline.iter().zip(compared);
        Summary::of(pairs.map(|(baseline, compared)| match verdict {
            DecisionVerdict::Change => Some(baseline - compared),
            DecisionVerdict::Keep => Some(compared - baseline),
            _ => None,
        }))
    };
    let before = saved(&baseline.before, &compared.before).mean.filter(|saved| *saved >= 0.0)?;
    let after = saved(&baseline.after, &compared.after);
    let (low, high) = match interval(&after, 1) {
        Some(interval) => (interval.low, interval.high),
        None if baseline.is_random || compared.is_random => return None,
        None => (after.mean?, after.mean?),
    };
    let enough = STILL_BETTER * before;
    match () {
        () if low >= enough => Some(true),
        () if high <= enough => Some(false),
        () => None,
    }
}

fn lost(outcomes: &[Outcome]) -> Vec<f64> {
    outcomes.iter().map(|outcome| (outcome.failures.total() + outcome.open_count) as f64).collect()
}

fn average(lost: &[f64]) -> f64 {
    Summary::of(lost.iter().copied().map(Some)).mean.unwrap_or(0.0)
}

fn told(words: impl Into<String>, instead: impl Into<String>) -> (String, String) {
    (words.into(), instead.into())
}

fn probes_see_faults(model: &Model) -> Option<(String, String)> {
    let sees = |fault: &Fault| fault.requests != Effect::Unaffected && fault.probes != Effect::Unaffected;
    if model.gateway.health_check.is_none() || !model.faults.iter().any(sees) {
        return None;
    }
    Some(told("health checks fail when requests do", "the provider goes on answering health checks"))
}

fn in_flight_finishes(model: &Model) -> Option<(String, String)> {
    if !model.faults.iter().any(|fault| fault.in_flight == InFlight::Finish) {
        return None;
    }
    Some(told("requests in flight finish when a fault starts", "their connections break"))
}

fn faults_last_as_long(model: &Model) -> Option<(String, String)> {
    match model.faults.as_slice() {
        [] => None,
        [fault] => {
            let lasts = span(fault.end.since(fault.start));
            Some(told(format!("the fault lasts {lasts}"), "it lasts twice as long"))
        }
        _ => Some(told("faults last as long as they are given", "each lasts twice as long")),
    }
}

fn lengthen(fault: &mut Fault) {
    fault.end = fault.end.after(fault.end.before(fault.recovery.lasts()).since(fault.start));
}

fn faults_stop_at_once(model: &Model) -> Option<(String, String)> {
    if !model.faults.iter().any(|fault| fault.recovery == Recovery::AtOnce) {
        return None;
    }
    Some(told("a fault is over at once", "it fades out over as long again as it lasted"))
}

fn slow_recovery(fault: &mut Fault) {
    if fault.recovery == Recovery::AtOnce {
        let lasts = fault.end.since(fault.start);
        fault.recovery = Recovery::Ramp(lasts);
        fault.end = fault.end.after(lasts);
    }
}

fn arrivals_are_even(model: &Model) -> Option<(String, String)> {
    let Arrivals::Constant(_) = model.traffic.arrivals else { return None };
    Some(told("requests are evenly spaced", "they are independent of each other (Poisson)"))
}

fn make_poisson(model: &mut Model) {
    if let Arrivals::Constant(rate) = model.traffic.arrivals {
        model.traffic.arrivals = Arrivals::Poisson(rate);
    }
}

/// Routed providers that no fault hits, if some routed one is hit: what they get depends on the fault.
fn backups(model: &Model) -> Vec<ProviderId> {
    let is_hit = |id: &ProviderId| model.faults.iter().any(|fault| fault.providers.contains(id));
    let routed = model.gateway.route.providers();
    if !routed.iter().any(is_hit) {
        return vec![];
    }
    routed.iter().copied().filter(|id| !is_hit(id)).collect()
}

/// Half of all requests, in a second.
fn half_of_load(model: &Model) -> Option<Rate> {
    Rate::new(model.expected_requests() / model.duration.as_secs_f64() / 2.0)
}

fn backup_has_no_limit(model: &Model) -> Option<(String, String)> {
    let backups = backups(model);
    let is_limited = |id: &ProviderId| {
        model.provider(*id).capacity.is_some()
            || model.quotas.iter().any(|quota| quota.providers.contains(id))
    };
    if backups.is_empty() || backups.iter().any(is_limited) {
        return None;
    }
    let half = digits(half_of_load(model)?.per_second());
    Some(told(
        "the backup has no limit",
        format!("its account allows half of the load, {half} requests a second"),
    ))
}

fn limit_backups(model: &mut Model) {
    let (backups, Some(half)) = (backups(model), half_of_load(model)) else { return };
    if backups.is_empty() {
        return;
    }
    let amount = ((60.0 * half.per_second()) as u64).max(1);
    let requests = Some(Allowance { amount, period: SimDuration::from_secs(60) });
    let quota = Quota { requests, probes: false, ..Quota::new("half of the load", backups) };
    // A bucket that holds a second's worth: else a short fault would never meet the limit.
    let window = QuotaWindow::TokenBucket { burst: Some(SimDuration::from_secs(1)) };
    model.quotas.push(Quota { window, ..quota });
}

fn incidents_hit_a_share(model: &Model) -> Option<(String, String)> {
    let hits_all = |severity: &Severity| *severity == Severity::Constant(Probability::ONE);
    if model.incidents.iter().all(|source| hits_all(&source.severity)) {
        return None;
    }
    Some(told("an incident hits the share of requests that is given", "each hits all of them"))
}

fn halved(gaps: Gaps) -> Gaps {
    match gaps {
        Gaps::Exponential { mean } => Gaps::Exponential { mean: mean.scaled(0.5) },
        Gaps::Weibull { shape, scale } => Gaps::Weibull { shape, scale: scale.scaled(0.5) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(verdict: DecisionVerdict, saved: [&[f64]; 2], expected: Option<bool>) {
        let played = |sign: f64| {
            let [before, after] = saved.map(|saved| saved.iter().map(|s| 100.0 + sign * s / 2.0).collect());
            Played { before, after, is_random: true }
        };
        // The baseline loses more by what a change saves.
        assert_eq!(holds(verdict, &played(1.0), &played(-1.0)), expected, "{saved:?}");
    }

    #[test]
    fn a_decision_holds_while_runs_tell_that_something_is_left_of_what_it_saves() {
        use DecisionVerdict::{CannotTell, Change, Keep};
        let many = [40.0, 50.0, 60.0];
        check(Change, [&many, &[20.0, 21.0, 22.0]], Some(true));
        check(Change, [&many, &[-20.0, -21.0, -22.0]], Some(false));
        check(Change, [&many, &[0.0; 3]], Some(false));
        check(Change, [&many, &[-50.0, 60.0, -30.0]], None);
        check(Change, [&many, &[-20.0]], None);
        check(CannotTell, [&many, &[-20.0, -21.0, -22.0]], None);
        // Kept where there was nothing to save: until there is.
        check(Keep, [&[0.0; 3], &[0.0; 3]], Some(true));
        check(Keep, [&[0.0; 3], &[20.0, 21.0, 22.0]], Some(false));
        check(Keep, [&[0.0; 3], &[-20.0, -21.0, -22.0]], Some(true));
        // Kept although it loses more: what is lost was not the reason.
        check(Keep, [&many, &many], None);
    }
}
