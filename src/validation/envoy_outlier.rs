//! Envoy 1.40's outlier detection: its trips, and which of them share a detector.

use super::config::{Complaint, Settings};
use super::rows::{MeasuredRun, OutageKind};
use super::scenario::{Answers, Script};
use crate::time::SimDuration;

const SECOND: SimDuration = SimDuration::from_secs(1);

/// Every key of `outlier_detection`.
pub(super) const OD: [&str; 24] = [
    "consecutive_5xx",
    "enforcing_consecutive_5xx",
    "consecutive_gateway_failure",
    "enforcing_consecutive_gateway_failure",
    "split_external_local_origin_errors",
    "consecutive_local_origin_failure",
    "enforcing_consecutive_local_origin_failure",
    "enforcing_local_origin_success_rate",
    "interval",
    "base_ejection_time",
    "max_ejection_time",
    "max_ejection_time_jitter",
    "max_ejection_percent",
    "always_eject_one_host",
    "success_rate_minimum_hosts",
    "success_rate_request_volume",
    "success_rate_stdev_factor",
    "enforcing_success_rate",
    "failure_percentage_threshold",
    "failure_percentage_minimum_hosts",
    "failure_percentage_request_volume",
    "enforcing_failure_percentage",
    "enforcing_failure_percentage_local_origin",
    "successful_active_health_check_uneject_host",
];

/// Outlier detection.
pub(super) struct Outlier<'a> {
    pub od: &'a Settings<'a>,
    pub run: &'a MeasuredRun,
    pub first_tick: Option<SimDuration>,
    pub is_checked: bool,
}

/// A way to eject: so many failures in a row, or what ticks find.
#[derive(Debug, Clone)]
struct Trip {
    name: &'static str,
    /// `None` where only ticks judge.
    consecutive: Option<u32>,
    enforced: f64,
    failures: Answers,
    /// Further lines of the detector.
    lines: Vec<String>,
}

impl Outlier<'_> {
    fn whole(&self, key: &str, default: u32) -> Result<u32, Complaint> {
        Ok(self.od.whole(key)?.unwrap_or(default))
    }

    fn enforced(&self, key: &str, default: f64) -> Result<f64, Complaint> {
        Ok(self.od.percent(key)?.unwrap_or(default))
    }

    pub fn write(&self, script: &mut Script) -> Result<(), Complaint> {
        let trips = self.trips()?;
        for trip in merged(trips, self.run.outage.kind) {
            self.write_detector(&trip, script)?;
        }
        Ok(())
    }

    fn trips(&self) -> Result<Vec<Trip>, Complaint> {
        const LOCAL: [&str; 4] = ["refused", "connect_timeout", "timeout", "connection_lost"];
        let splits = self.od.flag("split_external_local_origin_errors")?.unwrap_or(false);
        let local = || Answers::of(if splits { &[] } else { &LOCAL });
        let any_5xx = Answers::of(&["5xx"]).and(&local());
        let mut gateway = local();
        gateway.add_statuses([502, 503, 504]);
        let mut trips = Vec::new();
        let mut add = |name, consecutive: &str, enforcing: &str, default, failures| {
            trips.push(Trip {
                name,
                consecutive: Some(self.whole(consecutive, 5)?),
                enforced: self.enforced(enforcing, default)?,
                failures,
                lines: vec![],
            });
            Ok(())
        };
        add("outlier", "consecutive_5xx", "enforcing_consecutive_5xx", 1.0, any_5xx.clone())?;
        let enforcing = "enforcing_consecutive_gateway_failure";
        add("outlier_gateway_failure", "consecutive_gateway_failure", enforcing, 0.0, gateway)?;
        let (consecutive, enforcing) =
            ("consecutive_local_origin_failure", "enforcing_consecutive_local_origin_failure");
        let default = if splits { 1.0 } else { 0.0 };
        add("outlier_local_origin", consecutive, enforcing, default, Answers::of(&LOCAL))?;
        if !splits {
            trips.pop();
        }
        self.enforced("enforcing_local_origin_success_rate", 1.0)?;
        self.enforced("enforcing_failure_percentage_local_origin", 0.0)?;
        trips.push(self.failure_percentage(&any_5xx)?);
        trips.push(self.success_rate(&any_5xx)?);
        Ok(trips)
    }

    /// B gets no requests while A is there, so that the rule finds one host with enough of them at most.
    fn failure_percentage(&self, failures: &Answers) -> Result<Trip, Complaint> {
        let hosts = self.whole("failure_percentage_minimum_hosts", 5)?;
        let enforced = self.enforced("enforcing_failure_percentage", 0.0)?;
        let share = self.od.percent("failure_percentage_threshold")?.unwrap_or(0.85);
        let calls = self.whole("failure_percentage_request_volume", 50)?;
        Ok(Trip {
            name: "outlier_failure_percentage",
            consecutive: None,
            enforced: if hosts <= 1 { enforced } else { 0.0 },
            failures: failures.clone(),
            lines: vec![format!("ratio = {{ at_least = {share:?}, min_calls = {} }}", calls.max(1))],
        })
    }

    fn success_rate(&self, failures: &Answers) -> Result<Trip, Complaint> {
        let hosts = self.whole("success_rate_minimum_hosts", 5)?;
        let enforced = self.enforced("enforcing_success_rate", 1.0)?;
        let factor = f64::from(self.whole("success_rate_stdev_factor", 1900)?) / 1000.0;
        let calls = self.whole("success_rate_request_volume", 100)?.max(1);
        let rule = format!("{{ stdev_factor = {factor:?}, min_providers = {hosts}, min_calls = {calls} }}");
        Ok(Trip {
            name: "outlier_success_rate",
            consecutive: None,
            // There are two hosts, and of one there is nothing to compare.
            enforced: if hosts <= 2 { enforced } else { 0.0 },
            failures: failures.clone(),
            lines: vec![format!("success_rate = {rule}")],
        })
    }

    fn write_detector(&self, trip: &Trip, script: &mut Script) -> Result<(), Complaint> {
        let time = |key| self.od.time(key, SECOND);
        let interval = time("interval")?.unwrap_or(SimDuration::from_secs(10));
        let base = time("base_ejection_time")?.unwrap_or(SimDuration::from_secs(30));
        let longest = time("max_ejection_time")?.unwrap_or(SimDuration::from_secs(300)).max(base);
        let share = self.enforced("max_ejection_percent", 1.0)?;
        let rule = match self.od.flag("always_eject_one_host")? {
            Some(true) => "before_this",
            _ => "with_this",
        };
        script.table(&format!("gateway.detector.{}", trip.name));
        script.set("failures", &trip.failures);
        if let Some(consecutive) = trip.consecutive {
            script.set("consecutive", consecutive);
        }
        for line in &trip.lines {
            let (key, value) = line.split_once(" = ").expect("a line sets a key");
            script.set(key, value);
        }
        if !trip.lines.is_empty() {
            // What a tick looks at is what came since the last one.
            script.set("window", format_args!("{{ sliding = \"{interval}\" }}"));
        }
        let first = self.first_tick.map(|first| format!(", first = \"{first}\"")).unwrap_or_default();
        script.set("evaluated", format_args!("{{ on_ticks = {{ every = \"{interval}\"{first} }} }}"));
        script.set("enforced", format_args!("{:?}", trip.enforced));
        script.time("eject_for", base);
        script.text("growth", "linear");
        script.time("max_eject_for", longest);
        script.time("eject_jitter", time("max_ejection_time_jitter")?.unwrap_or(SimDuration::ZERO));
        script.set("max_ejected", format_args!("{{ share = {share:?}, rule = \"{rule}\" }}"));
        let unejects = self.od.flag("successful_active_health_check_uneject_host")?.unwrap_or(true);
        script.set("readmit_on_probe", unejects && self.is_checked);
        Ok(())
    }
}

/// Whether what the outage does counts as a failure of the trip.
fn counts(failures: &Answers, kind: OutageKind) -> bool {
    match kind {
        OutageKind::Refused => failures.has("refused"),
        OutageKind::Blackhole => failures.has("timeout"),
        OutageKind::Error(status) => failures.has_status(status),
        OutageKind::Brownout(_) => failures.has_status(503),
    }
}

/// The detectors that have an effect. Envoy's trips share an ejection and its growth, and so they share a detector
/// where they are enforced alike; of two that count the same failures in a row, the lower number comes first.
fn merged(trips: Vec<Trip>, kind: OutageKind) -> Vec<Trip> {
    let mut merged: Vec<Trip> = Vec::new();
    for trip in trips.into_iter().filter(|trip| trip.enforced > 0.0 && counts(&trip.failures, kind)) {
        match merged.iter_mut().find(|other| other.enforced == trip.enforced) {
            Some(other) => {
                let lowest = other.consecutive.into_iter().chain(trip.consecutive).min();
                other.consecutive = lowest;
                other.lines.extend(trip.lines);
            }
            None => merged.push(trip),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::scenario::tests::{assert_lines, text_of};

    #[test]
    fn trips_that_are_enforced_alike_share_a_detector() {
        let config = r#"{"od": {"enforcing_failure_percentage": 100, "failure_percentage_minimum_hosts": 1,
            "failure_percentage_threshold": 50, "failure_percentage_request_volume": 20, "interval": "2s",
            "enforcing_consecutive_gateway_failure": 100, "consecutive_gateway_failure": 3}}"#;
        let text = text_of("envoy", "error,503,,1", config, ",");
        assert_lines(
            &text,
            &[
                "consecutive = 3",
                "ratio = { at_least = 0.5, min_calls = 20 }",
                "window = { sliding = \"2s\" }",
                "evaluated = { on_ticks = { every = \"2s\" } }",
                "eject_for = \"30s\"",
            ],
        );
        // A 500 is no gateway failure.
        assert_lines(&text_of("envoy", "error,500,,1", config, ","), &["consecutive = 5"]);
        let config = r#"{"od": {"enforcing_consecutive_5xx": 0}}"#;
        assert!(!text_of("envoy", "error,503,,1", config, ",").contains("detector"));
    }
}
