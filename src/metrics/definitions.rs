//! The one table of metrics. Result columns, JSON keys, the data dictionary and the docs are generated from it.

use super::Outcome;
use crate::engine::{Cause, Stage};
use crate::time::SimDuration;

const NANOS_PER_DAY: f64 = 86_400e9;

/// What a metric's number is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A whole number of things.
    Count,
    /// A share in [0, 1].
    Ratio,
    /// One amount over another, from 0; 1 where they are the same.
    Quotient,
    /// Milliseconds.
    Milliseconds,
    /// Things in a second.
    PerSecond,
    /// Things in a day.
    PerDay,
}

/// One scalar that a run is measured by.
#[derive(Debug)]
pub struct Metric {
    /// The column's name; its unit comes last in it.
    pub name: &'static str,
    /// What the number is in.
    pub unit: Unit,
    /// What it says, in a sentence without a full stop.
    pub meaning: &'static str,
    value: fn(&Outcome) -> Option<f64>,
}

impl Metric {
    /// The metric's value in a run; `None` where it has none.
    pub fn of(&self, outcome: &Outcome) -> Option<f64> {
        (self.value)(outcome)
    }

    /// Whether it has a value only where latency is recorded: not with [`super::Wanted::COUNTS`].
    pub fn needs_latency(&self) -> bool {
        self.name.starts_with("request_latency_")
    }
}

/// The metric of this name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

macro_rules! metrics {
    ($($name:literal $unit:ident $meaning:literal $value:expr;)*) => {
        /// Every metric, in the order of the columns.
        pub static METRICS: &[Metric] = &[
            $(Metric { name: $name, unit: Unit::$unit, meaning: $meaning, value: $value },)*
        ];
    };
}

metrics! {
    "request_count" Count "requests that arrived: succeeded + failed + open"
        |o| count(o.request_count);
    "succeeded_count" Count "requests with a complete good answer by the client's deadline"
        |o| count(o.succeeded_count);
    "failed_count" Count "requests without one"
        |o| count(o.failures.total());
    "open_count" Count "requests that never end: nothing answers and the client waits for ever"
        |o| count(o.open_count);
    "availability_ratio" Ratio "succeeded / (succeeded + failed); null without either"
        |o| ratio(o.succeeded_count, o.succeeded_count + o.failures.total());
    "throughput_per_second" PerSecond "succeeded requests for each second of the time in which requests arrive"
        |o| per_second(o.succeeded_count, o);
    "request_latency_ms_p50" Milliseconds "median latency of succeeded requests, to within 1%; null if none succeeded"
        |o| millis(o.latency.map(|l| l.p50));
    "request_latency_ms_p95" Milliseconds "95th percentile of the same"
        |o| millis(o.latency.map(|l| l.p95));
    "request_latency_ms_p99" Milliseconds "99th percentile of the same"
        |o| millis(o.latency.map(|l| l.p99));
    "time_to_detect_ms" Milliseconds
        "start of the first fault to the first ejection of a provider it hits before it ends, at the last replica; null if never, as when it was ejected already"
        |o| millis(o.time_to_detect());
    "time_to_recover_ms" Milliseconds
        "end of the first fault to the first admission after it, at the last replica; null if nothing was ejected then"
        |o| millis(o.time_to_recover());
    "success_after_ratio" Ratio
        "share that succeed of the requests that arrive in the last quarter of the time from the end of the last fault to the end of arrivals; null without such requests"
        |o| o.after_faults.success_ratio();
    "attempt_count" Count "tries of a request at a provider; probes are never among them"
        |o| count(o.attempt_count);
    "probe_count" Count "health check calls, over all replicas and providers"
        |o| count(o.probe_count);
    "probe_per_day" PerDay "the same for 24 hours of simulated time"
        |o| per_day(o.probe_count, o);
    "false_ejection_count" Count "ejections with no fault active since their evidence began"
        |o| count(o.false_ejection_count);
    "false_ejection_per_day" PerDay "the same for 24 hours of simulated time"
        |o| per_day(o.false_ejection_count, o);
    "saved_by_hand_count" Count "requests that would have failed had nobody switched providers by hand"
        |o| count(o.saved_by_hand_count);
    "budget_spent_ratio" Quotient
        "failed requests over those that `slo` allows in its whole window; above 1 there is nothing left; null without `slo`"
        |o| o.error_budget.map(|budget| o.failures.total() as f64 / budget);
    "alert_count" Count "how often alerts began to fire; null without alerts"
        |o| o.alert_count.and_then(count);
    "time_to_alert_ms" Milliseconds
        "start of the first fault to the first time after it that an alert begins to fire; null if none does before arrivals stop"
        |o| millis(o.alerted_after);
    "time_to_page_ms" Milliseconds
        "start of the first fault to the first pager that rings after it because of an alert; null if none does before arrivals stop"
        |o| millis(o.paged_after);
    "time_to_switch_ms" Milliseconds
        "start of the first fault to the first switch by hand after it; null if there is none before arrivals stop"
        |o| millis(o.switched_after);
    "failed_cause_status_count" Count "failed: the provider answered with an error status"
        |o| count(o.failures.of_cause(Cause::Status));
    "failed_cause_refused_count" Count "failed: the connection was refused"
        |o| count(o.failures.of_cause(Cause::Refused));
    "failed_cause_in_flight_at_onset_count" Count "failed: the connection broke when the fault started"
        |o| count(o.failures.of_cause(Cause::InFlightAtOnset));
    "failed_cause_timeout_count" Count "failed: no complete answer by the client's deadline"
        |o| count(o.failures.of_cause(Cause::Timeout));
    "failed_cause_no_provider_count" Count "failed: the gateway had no provider to send it to"
        |o| count(o.failures.of_cause(Cause::NoProvider));
    "failed_cause_truncated_count" Count "failed: a part of the answer came, but not all of it"
        |o| count(o.failures.of_cause(Cause::Truncated));
    "failed_cause_gateway_down_count" Count "failed: the gateway replica was down"
        |o| count(o.failures.of_cause(Cause::GatewayDown));
    "failed_stage_in_flight_at_onset_count" Count "lost because it was in flight when the fault started"
        |o| count(o.failures.of_stage(Stage::InFlightAtOnset));
    "failed_stage_undetected_count" Count "lost because it was sent to a failing provider that was still admitted"
        |o| count(o.failures.of_stage(Stage::Undetected));
    "failed_stage_all_ejected_count" Count "lost because every provider it could go to was failing and ejected"
        |o| count(o.failures.of_stage(Stage::AllEjected));
    "failed_stage_false_ejection_count" Count "lost because a good provider had been ejected with no fault active"
        |o| count(o.failures.of_stage(Stage::FalseEjection));
    "failed_stage_after_recovery_count" Count "lost because a provider was still ejected after its fault had ended"
        |o| count(o.failures.of_stage(Stage::AfterRecovery));
    "failed_stage_background_count" Count "lost with no fault and no ejection in play: quiet errors, impatient clients"
        |o| count(o.failures.of_stage(Stage::Background));
    "failed_stage_gateway_down_count" Count "lost with a gateway replica that failed"
        |o| count(o.failures.of_stage(Stage::GatewayDown));
}

fn count(n: u64) -> Option<f64> {
    Some(n as f64)
}

fn per_second(n: u64, outcome: &Outcome) -> Option<f64> {
    Some(n as f64 / outcome.duration.as_secs_f64())
}

fn per_day(n: u64, outcome: &Outcome) -> Option<f64> {
    Some(n as f64 * NANOS_PER_DAY / outcome.duration.as_nanos() as f64)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn millis(duration: Option<SimDuration>) -> Option<f64> {
    duration.map(SimDuration::as_millis_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::LatencyQuantiles;

    /// A cause or a stage has one name, in the request table as in these columns, and a column that counts it.
    #[test]
    fn every_cause_and_every_stage_has_its_column() {
        let columns = |prefix: &str| -> Vec<&str> {
            let named = METRICS.iter().filter_map(|m| m.name.strip_prefix(prefix)?.strip_suffix("_count"));
            named.collect()
        };
        assert_eq!(columns("failed_cause_"), Cause::ALL.map(Cause::name));
        assert_eq!(columns("failed_stage_"), Stage::ALL.map(Stage::name));

        for cause in Cause::ALL {
            for stage in Stage::ALL {
                let mut outcome = Outcome::default();
                outcome.failures.add(cause, stage, 1);
                let counted: Vec<&str> = (METRICS.iter())
                    .filter(|m| m.name.starts_with("failed_") && m.of(&outcome) == Some(1.0))
                    .map(|m| m.name)
                    .collect();
                let of_cause = format!("failed_cause_{}_count", cause.name());
                let of_stage = format!("failed_stage_{}_count", stage.name());
                assert_eq!(counted, ["failed_count", of_cause.as_str(), of_stage.as_str()]);
            }
        }
    }

    #[test]
    fn what_needs_latency_has_no_value_in_counts_and_the_rest_does() {
        let latency =
            LatencyQuantiles { p50: SimDuration::ZERO, p95: SimDuration::ZERO, p99: SimDuration::ZERO };
        let counts = Outcome { duration: SimDuration::from_secs(1), ..Outcome::default() };
        let all = Outcome { latency: Some(latency), ..counts.clone() };
        for metric in METRICS {
            let (with, without) = (metric.of(&all), metric.of(&counts));
            assert_eq!(metric.needs_latency(), with != without, "{}", metric.name);
        }
    }

    #[test]
    fn names_are_unique_and_end_in_their_unit() {
        for (i, metric) in METRICS.iter().enumerate() {
            assert!(
                METRICS[..i].iter().all(|other| other.name != metric.name),
                "{} is there twice",
                metric.name
            );
            let says_its_unit = match metric.unit {
                Unit::Count => metric.name.ends_with("_count"),
                Unit::Ratio | Unit::Quotient => metric.name.ends_with("_ratio"),
                Unit::Milliseconds => metric.name.contains("_ms"),
                Unit::PerSecond => metric.name.ends_with("_per_second"),
                Unit::PerDay => metric.name.ends_with("_per_day"),
            };
            assert!(says_its_unit, "{}", metric.name);
        }
    }
}
