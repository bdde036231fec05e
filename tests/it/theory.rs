//! Detection, recovery and failed requests against closed forms, over random phases.
//!
//! I is the interval, T the timeout, k and h the thresholds, d what a failing probe takes (T if it hangs, 0 if it is
//! refused), U the time from the fault to the next probe: uniform over a cycle.

use crate::play::{assert_moments, model, outcomes};

const RUNS: u64 = 4000;

struct Case<'a> {
    check: &'a str,
    probes: &'a str,
    lasts: &'a str,
    traffic: &'a str,
    latency: &'a str,
    in_flight: &'a str,
}

impl Default for Case<'_> {
    fn default() -> Self {
        Case {
            check: "",
            probes: "\"hang\"",
            lasts: "1000s",
            traffic: "{ constant = \"1/min\" }",
            latency: "{ constant = \"0s\" }",
            in_flight: "finish",
        }
    }
}

impl Case<'_> {
    fn toml(&self) -> String {
        let Case { check, probes, lasts, traffic, latency, in_flight } = self;
        format!(
            r#"
            duration = "40m"
            traffic = {{ arrivals = {traffic} }}
            provider.a = {{ latency = {latency} }}
            provider.b = {{ latency = {{ constant = "0s" }} }}
            [fault.outage]
            on = {{ name = "a" }}
            at = "1000s"
            lasts = "{lasts}"
            probes = {probes}
            in_flight = "{in_flight}"
            [gateway]
            route = {{ prefer = ["a", "b"] }}
            health_check = {{ {check}, latency = {{ constant = "0s" }} }}
            "#
        )
    }

    fn detection_seconds(&self) -> Vec<f64> {
        let outcomes = outcomes(&model(&self.toml()), RUNS);
        outcomes.iter().map(|o| o.time_to_detect().expect("detected").as_secs_f64()).collect()
    }
}

/// D = U + (k - 1) I + T, so E = (k - 1/2) I + T and Var = I^2 / 12.
#[test]
fn a1_fixed_rate_hang() {
    for (interval, timeout, k) in [(10.0, 3.0, 1.0), (10.0, 3.0, 3.0), (60.0, 30.0, 1.0)] {
        let check = format!(r#"interval = "{interval}s", timeout = "{timeout}s", eject_after = {k}"#);
        let detected = Case { check: &check, ..Case::default() }.detection_seconds();
        assert_moments("A1", &detected, (k - 0.5) * interval + timeout, Some(interval * interval / 12.0));
    }
}

/// Probes that overlap (T > I) keep their rate; those that may not are as far apart as the timeout.
#[test]
fn a1_timeout_longer_than_interval() {
    let check = |next| format!(r#"interval = "5s", timeout = "12s", eject_after = 3, next_probe = "{next}""#);
    let detected = Case { check: &check("from_start"), ..Case::default() }.detection_seconds();
    assert_moments("A1 overlapping", &detected, 2.5 + 2.0 * 5.0 + 12.0, Some(25.0 / 12.0));
    let detected = Case { check: &check("from_start_no_overlap"), ..Case::default() }.detection_seconds();
    assert_moments("A1 not overlapping", &detected, 2.5 + 2.0 * 12.0 + 12.0, Some(25.0 / 12.0));
}

/// D = U + k d + (k - 1) I, so E = I / 2 + k d + (k - 1) I and Var = I^2 / 12.
#[test]
fn a2_fixed_delay_hang_and_refusal() {
    for (probes, d) in [("\"hang\"", 3.0), ("\"refuse\"", 0.0)] {
        for k in [1.0, 3.0] {
            let check =
                format!(r#"interval = "10s", timeout = "3s", eject_after = {k}, next_probe = "from_end""#);
            let detected = Case { check: &check, probes, ..Case::default() }.detection_seconds();
            assert_moments("A2", &detected, 5.0 + k * d + (k - 1.0) * 10.0, Some(100.0 / 12.0));
        }
    }
}

/// With gaps X = I + U(0, J) the fault falls into long gaps more often: E[U] = E[X^2] / 2 E[X],
/// E[U^2] = E[X^3] / 3 E[X].
#[test]
fn a4_jittered_gaps_are_length_biased() {
    let (interval, jitter, timeout) = (10.0, 8.0, 2.0);
    let moment = |n: i32| {
        let power = |x: f64| x.powi(n + 1);
        (power(interval + jitter) - power(interval)) / (f64::from(n + 1) * jitter)
    };
    let mean_residual = moment(2) / (2.0 * moment(1));
    let variance = moment(3) / (3.0 * moment(1)) - mean_residual * mean_residual;
    for (k, next_probe, d_between) in [(1.0, "from_start", 0.0), (3.0, "from_end", timeout)] {
        let check = format!(
            r#"interval = "10s", timeout = "2s", jitter = "8s", eject_after = {k}, next_probe = "{next_probe}""#
        );
        let detected = Case { check: &check, ..Case::default() }.detection_seconds();
        let between = (k - 1.0) * (moment(1) + d_between);
        let variance = variance + (k - 1.0) * jitter * jitter / 12.0;
        assert_moments("A4", &detected, mean_residual + timeout + between, Some(variance));
    }
}

/// N given D is Poisson, so E = lam E[D] and Var = lam E[D] + lam^2 Var[D].
#[test]
fn a5_failed_requests_of_poisson_traffic() {
    let (rate, interval, timeout) = (3.0, 20.0, 5.0);
    let check = r#"interval = "20s", timeout = "5s""#;
    let traffic = "{ poisson = \"3/s\" }";
    let model = model(&Case { check, traffic, ..Case::default() }.toml());
    let failed: Vec<f64> = outcomes(&model, RUNS).iter().map(|o| o.failures.total() as f64).collect();
    let mean = rate * (interval / 2.0 + timeout);
    assert_moments("A5", &failed, mean, Some(mean + rate * rate * interval * interval / 12.0));
}

/// What is in flight at the onset is Poisson with mean lam E[S], by Little's law, whatever the distribution of S.
#[test]
fn a5_requests_in_flight_at_onset() {
    use failover_sim::engine::Stage;
    let check = r#"interval = "20s", timeout = "5s""#;
    for latency in ["{ exponential = { mean = \"4s\" } }", "{ constant = \"4s\" }"] {
        let case =
            Case { check, traffic: "{ poisson = \"3/s\" }", latency, in_flight: "fail", ..Case::default() };
        let outcomes = outcomes(&model(&case.toml()), RUNS);
        let in_flight: Vec<f64> =
            outcomes.iter().map(|o| o.failures.of_stage(Stage::InFlightAtOnset) as f64).collect();
        assert_moments("A5 in flight", &in_flight, 12.0, Some(12.0));
    }
}

/// Probes hang until the repair, so a cycle is P = I + T and
/// E = (T / P) (T / 2 + I) + (I / P) (I / 2) + (h - 1) I.
#[test]
fn a8_recovery_lag() {
    let (interval, timeout) = (20.0, 10.0);
    let period = interval + timeout;
    for h in [1.0, 3.0] {
        let check =
            format!(r#"interval = "20s", timeout = "10s", readmit_after = {h}, next_probe = "from_end""#);
        // The phase at the repair is uniform over a cycle if the outage's length is.
        let strata = 60;
        let mut lags = Vec::new();
        for stratum in 0..strata {
            let lasts = format!("{}ms", 600_000 + stratum * (period * 1000.0) as u64 / strata);
            let model = model(&Case { check: &check, lasts: &lasts, ..Case::default() }.toml());
            let recovered = outcomes(&model, RUNS / strata);
            lags.extend(recovered.iter().map(|o| o.time_to_recover().expect("recovered").as_secs_f64()));
        }
        let mean = timeout / period * (timeout / 2.0 + interval)
            + interval / period * (interval / 2.0)
            + (h - 1.0) * interval;
        assert_moments("A8", &lags, mean, None);
    }
}

/// Per-probe quiet errors eject falsely at the rate (1 - q) q^k per probe, for small q.
#[test]
fn b2_false_ejections() {
    let (q, k) = (0.1_f64, 2);
    let model = model(
        r#"
        duration = "100000s"
        traffic = { arrivals = { constant = "1/h" } }
        provider.a = { latency = { constant = "0s" }, error_rate = 0.1 }
        gateway.health_check = { interval = "1s", timeout = "1s", eject_after = 2, latency = { constant = "0s" } }
        "#,
    );
    let false_ejections: Vec<f64> =
        outcomes(&model, 30).iter().map(|o| o.false_ejection_count as f64).collect();
    // Up for (1 - q^k) / (q^k (1 - q)) probes, then down for 1 / (1 - q).
    let cycle = (1.0 - q.powi(k)) / (q.powi(k) * (1.0 - q)) + 1.0 / (1.0 - q);
    assert_moments("B2", &false_ejections, 100_000.0 / cycle, None);
}
