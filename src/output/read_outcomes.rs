//! The outcomes of runs, made again of their rows: what no column tells is as in a run that recorded nothing of it.
//!
//! Every metric and the verdict of such an outcome are what the row says. Of the bill it has no more than that: by kind of
//! call, all that was of no use is a failed call. Nothing is there by second, by fault or in order of time.

use super::table::Table;
use crate::engine::{CallKind, Cause, Stage};
use crate::metrics::{
    Bill, Failures, FaultOutcome, LatencyQuantiles, METRICS, Outcome, PeriodCounts, Trouble, Usd, Verdict,
};
use crate::model::ProviderId;
use crate::time::SimDuration;

/// The run that a row of `runs` is of; requests arrived for `duration`.
pub(super) fn outcome(runs: &Table, row: usize, duration: SimDuration) -> Outcome {
    let number = |name: &str| runs.number(name, row);
    let whole = |name: &str| runs.whole(name, row);
    let count = |name: &str| whole(name).unwrap_or(0);
    let time = |name: &str| number(name).map(from_millis);
    let by_cause = Cause::ALL.map(|cause| count(&format!("failed_cause_{}_count", cause.name())));
    let by_stage = Stage::ALL.map(|stage| count(&format!("failed_stage_{}_count", stage.name())));
    let failures = Failures::from_counts(by_cause, by_stage);
    let verdict = runs.texts("verdict").get(row).and_then(Option::as_deref);
    let verdict = Verdict::ALL.into_iter().find(|known| verdict == Some(known.name()));
    let (before_faults, after_faults) = PeriodCounts::telling(verdict, number("success_after_ratio"));
    let [p50, p95, p99] = ["p50", "p95", "p99"].map(|q| time(&format!("request_latency_ms_{q}")));
    let latency = p50.zip(p95).zip(p99).map(|((p50, p95), p99)| LatencyQuantiles { p50, p95, p99 });
    let failed = failures.total() as f64;
    let budget = |spent: f64| match spent > 0.0 {
        true => nearby(failed / spent, |budget| failed / budget == spent),
        false => 1.0,
    };
    let lost_business = number("cost_lost_business_usd").map(Usd);
    let lasted = |share: f64| SimDuration::from_nanos((share * duration.as_nanos() as f64).round() as u64);
    Outcome {
        request_count: count("request_count"),
        succeeded_count: count("succeeded_count"),
        failures,
        open_count: count("open_count"),
        attempt_count: count("attempt_count"),
        cache_hit_count: whole("cache_hit_count"),
        probe_count: count("probe_count"),
        false_ejection_count: count("false_ejection_count"),
        saved_by_hand_count: count("saved_by_hand_count"),
        error_budget: number("budget_spent_ratio").map(budget),
        alert_count: whole("alert_count"),
        alerted_after: time("time_to_alert_ms"),
        paged_after: time("time_to_page_ms"),
        switched_after: time("time_to_switch_ms"),
        before_faults,
        after_faults,
        latency,
        bill: bill(runs, row, lost_business),
        lost_business,
        trouble: whole("fault_count")
            .zip(number("fault_time_ratio"))
            .map(|(count, share)| Trouble { count, lasted: lasted(share) }),
        faults: first_fault(time("time_to_detect_ms"), time("time_to_recover_ms")),
        duration,
        event_count: 0,
        series: None,
        timeline: None,
    }
}

/// Whether every metric of an outcome is what a row says, and the verdict.
pub(super) fn agrees(runs: &Table, row: usize, outcome: &Outcome) -> bool {
    let verdict = runs.texts("verdict").get(row).and_then(Option::as_deref);
    verdict == outcome.verdict().map(Verdict::name)
        && METRICS.iter().all(|metric| runs.number(metric.name, row) == metric.of(outcome))
}

fn from_millis(millis: f64) -> SimDuration {
    SimDuration::from_nanos((millis * 1e6).round() as u64)
}

/// As if one replica had found out of one provider.
fn first_fault(detected: Option<SimDuration>, recovered: Option<SimDuration>) -> Vec<FaultOutcome> {
    let row = FaultOutcome {
        fault: 0,
        provider: ProviderId::new(0),
        replica: 0,
        detected_after: detected,
        was_ejected_at_end: recovered.is_some(),
        recovered_after: recovered,
    };
    if detected.is_some() || recovered.is_some() { vec![row] } else { Vec::new() }
}

/// What providers charge is a sum of parts that are known but for one.
fn bill(runs: &Table, row: usize, lost_business: Option<Usd>) -> Option<Bill> {
    let cost = runs.number("cost_usd", row)?;
    let part = |name: &str| runs.number(&format!("cost_{name}_usd"), row).unwrap_or(0.0);
    let mut bill = Bill { fee: Usd(part("fee")), cache_loss: Usd(part("cache_loss")), ..Bill::default() };
    bill.charges[CallKind::Failed as usize] = Usd(part("wasted"));
    bill.charges[CallKind::Probe as usize] = Usd(part("probe"));
    let usage = &mut bill.usage[CallKind::Answered as usize];
    usage.input_tokens = runs.whole("input_token_count", row).unwrap_or(0);
    usage.output_tokens = runs.whole("output_token_count", row).unwrap_or(0);
    let with = |answered: f64| {
        let mut bill = bill;
        bill.charges[CallKind::Answered as usize] = Usd(answered);
        bill
    };
    let adds_up = |answered: f64| {
        let mut total = with(answered).total();
        total += lost_business.unwrap_or_default();
        total.0 == cost
    };
    let mut others = bill.total();
    others += lost_business.unwrap_or_default();
    Some(with(nearby(cost - others.0, adds_up)))
}

/// The number next to this one for which something is exactly so: a few roundings lie between them.
fn nearby(number: f64, is_it: impl Fn(f64) -> bool) -> f64 {
    const STEPS: usize = 16;
    let up = std::iter::successors(Some(number), |x| Some(x.next_up())).take(STEPS);
    let down = std::iter::successors(Some(number), |x| Some(x.next_down())).take(STEPS);
    up.zip(down).flat_map(|(up, down)| [up, down]).find(|x| is_it(*x)).unwrap_or(number)
}
