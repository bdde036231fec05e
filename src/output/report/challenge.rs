//! What a result rests on most: assumptions are turned round one at a time, and the same runs played again.

use super::document::AssumptionReport;
use super::number::Number;
use super::numbers::Pair;
use super::scenario::mean;
use super::words::{digits, span};
use crate::experiment::runner::{Cancelled, Progress, RunPlan};
use crate::metrics::{Outcome, Series, Wanted};
use crate::model::{Allowance, Arrivals, Effect, Fault, InFlight, Model, ProviderId, Quota, Rate, Recovery};
use crate::output::ScenarioResult;
use crate::time::SimDuration;

/// So many runs tell which assumption matters most.
const RUNS: u64 = 30;
/// So many requests are played for it at most, about a second's work.
const REQUESTS: f64 = 20e6;

/// An assumption, and how to turn it round; `None` where it is not made.
type Challenge = (fn(&Model) -> Option<(String, String)>, fn(&mut Model));

const CHALLENGES: [Challenge; 6] = [
    (probes_see_faults, |model| model.faults.iter_mut().for_each(|fault| fault.probes = Effect::Unaffected)),
    (backup_has_no_limit, limit_backups),
    (faults_last_as_long, |model| model.faults.iter_mut().for_each(lengthen)),
    (in_flight_finishes, |model| model.faults.iter_mut().for_each(|fault| fault.in_flight = InFlight::Fail)),
    (arrivals_are_even, make_poisson),
    (faults_stop_at_once, |model| model.faults.iter_mut().for_each(slow_recovery)),
];

/// Every assumption that was turned round, strongest first.
///
/// # Errors
/// If `progress` said to stop.
pub(super) fn challenges(
    pair: &Pair,
    plan: &RunPlan,
    progress: &dyn Progress,
) -> Result<Vec<AssumptionReport>, Cancelled> {
    let requests = pair.baseline.model.expected_requests().max(1.0);
    let scenarios = if pair.compared.is_some() { 2.0 } else { 1.0 };
    let affordable = (REQUESTS / requests / scenarios / CHALLENGES.len() as f64) as u64;
    let runs = plan.count().min(RUNS).min(affordable);
    if runs == 0 {
        return Ok(vec![]);
    }
    let mut found: Vec<(f64, AssumptionReport)> = vec![];
    for (assumes, turn_round) in CHALLENGES {
        let Some((words, instead)) = assumes(pair.baseline.model) else { continue };
        let failed_of = |result: &ScenarioResult| -> Result<(f64, f64), Cancelled> {
            let mut model = result.model.clone();
            turn_round(&mut model);
            let wanted = Wanted { series: Series::None, ..Wanted::COUNTS };
            let runs = plan.runs.start..plan.runs.start + runs;
            let plan = RunPlan { runs, wanted, ..plan.clone() };
            let outcomes = plan.play(std::slice::from_ref(&model), progress)?.swap_remove(0);
            let before = &result.outcomes[..outcomes.len()];
            Ok((lost(before), lost(&outcomes)))
        };
        let baseline = failed_of(pair.baseline)?;
        let compared = pair.compared.map(failed_of).transpose()?;
        let moved = |(before, after): (f64, f64)| (after - before).abs();
        let strength = compared.map_or(moved(baseline), |compared| moved(baseline).max(moved(compared)));
        // What is better by more than a little stays better.
        let holds = compared.map(|compared| {
            let (before, after) = (compared.0 - baseline.0, compared.1 - baseline.1);
            before == 0.0 || after / before > 0.05
        });
        let report = AssumptionReport {
            words,
            instead: Some(instead),
            baseline_failed: Some(Number(baseline.1)),
            compared_failed: compared.map(|compared| Number(compared.1)),
            runs,
            decision_holds: holds,
        };
        if strength > 0.0 {
            found.push((strength, report));
        }
    }
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    Ok(found.into_iter().map(|(_, report)| report).collect())
}

fn lost(outcomes: &[Outcome]) -> f64 {
    mean(outcomes, |outcome| outcome.failures.total() + outcome.open_count)
}

fn told(words: impl Into<String>, instead: impl Into<String>) -> Option<(String, String)> {
    Some((words.into(), instead.into()))
}

fn probes_see_faults(model: &Model) -> Option<(String, String)> {
    let sees = |fault: &Fault| fault.requests != Effect::Unaffected && fault.probes != Effect::Unaffected;
    if model.gateway.health_check.is_none() || !model.faults.iter().any(sees) {
        return None;
    }
    told("health checks fail when requests do", "the provider goes on answering health checks")
}

fn in_flight_finishes(model: &Model) -> Option<(String, String)> {
    if !model.faults.iter().any(|fault| fault.in_flight == InFlight::Finish) {
        return None;
    }
    told("requests in flight finish when a fault starts", "their connections break")
}

fn faults_last_as_long(model: &Model) -> Option<(String, String)> {
    match model.faults.as_slice() {
        [] => None,
        [fault] => {
            told(format!("the fault lasts {}", span(fault.end.since(fault.start))), "it lasts twice as long")
        }
        _ => told("faults last as long as they are given", "each lasts twice as long"),
    }
}

fn lengthen(fault: &mut Fault) {
    fault.end = fault.end.after(fault.end.before(fault.recovery.lasts()).since(fault.start));
}

fn faults_stop_at_once(model: &Model) -> Option<(String, String)> {
    if !model.faults.iter().any(|fault| fault.recovery == Recovery::AtOnce) {
        return None;
    }
    told("a fault is over at once", "it fades out over as long again as it lasted")
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
    told("requests are evenly spaced", "they are independent of each other (Poisson)")
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
    told("the backup has no limit", format!("its account allows half of the load, {half} requests a second"))
}

fn limit_backups(model: &mut Model) {
    let Some(half) = half_of_load(model) else { return };
    let amount = ((60.0 * half.per_second()) as u64).max(1);
    let requests = Some(Allowance { amount, period: SimDuration::from_secs(60) });
    let quota = Quota { requests, probes: false, ..Quota::new("half of the load", backups(model)) };
    // A bucket that holds a second's worth: else a short fault would never meet the limit.
    let window = crate::model::QuotaWindow::TokenBucket { burst: Some(SimDuration::from_secs(1)) };
    model.quotas.push(Quota { window, ..quota });
}
