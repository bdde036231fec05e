//! Active health checks against closed forms: every way to plan probes, to jitter them and to count their results.
//!
//! I is the interval, T the timeout, k and h the thresholds, U the time from the fault to the next probe, D the time
//! from the fault to the ejection.

use crate::play::{Log, assert_moments, model, outcomes};

/// Provider `a` is preferred and fails from `at` on; probes that pass are answered after `rtt`.
struct Rig<'a> {
    check: &'a str,
    fault: &'a str,
    at: f64,
    lasts: f64,
    rtt: &'a str,
    gateway: &'a str,
}

impl Default for Rig<'_> {
    fn default() -> Self {
        let fault = r#"probes = "hang""#;
        Rig { check: "", fault, at: 200.0, lasts: 500.0, rtt: "0s", gateway: "" }
    }
}

impl Rig<'_> {
    fn toml(&self) -> String {
        let Rig { check, fault, at, lasts, rtt, gateway } = self;
        let duration = at + lasts + 100.0;
        format!(
            r#"
            duration = "{duration}s"
            traffic.arrivals = {{ constant = "1/h" }}
            provider.a.latency = {{ constant = "0s" }}
            provider.b.latency = {{ constant = "0s" }}
            [fault.outage]
            on = {{ name = "a" }}
            at = "{at}s"
            lasts = "{lasts}s"
            {fault}
            [gateway]
            route = {{ prefer = ["a", "b"] }}
            health_check = {{ {check}, latency = {{ constant = "{rtt}" }} }}
            {gateway}
            "#
        )
    }

    fn detected(&self, runs: u64) -> Vec<f64> {
        let outcomes = outcomes(&model(&self.toml()), runs);
        outcomes.iter().map(|o| o.time_to_detect().expect("detected").as_secs_f64()).collect()
    }

    fn recovered(&self, runs: u64) -> Vec<f64> {
        let outcomes = outcomes(&model(&self.toml()), runs);
        outcomes.iter().map(|o| o.time_to_recover().expect("recovered").as_secs_f64()).collect()
    }

    /// The ejections and admissions of a run in which nothing is random, in milliseconds.
    fn exactly(&self) -> (Vec<f64>, Vec<f64>) {
        Log::of(&self.toml(), 0).ejections_ms()
    }
}

const REFUSE: &str = r#"probes = "refuse""#;
const STATUS: &str = r#"probes = { status = 503 }"#;

/// E[X^n] of X uniform from `low` to `high`.
fn moment(n: i32, low: f64, high: f64) -> f64 {
    (high.powi(n + 1) - low.powi(n + 1)) / (f64::from(n + 1) * (high - low))
}

/// Kubernetes: one tick waits while a probe hangs, so D = U(0, I) + k T where T > I, and U + (k - 1) I + T where not.
#[test]
fn a1_probes_on_ticks() {
    for (timeout, between) in [(12.0, 12.0), (3.0, 5.0)] {
        let check =
            format!(r#"interval = "5s", timeout = "{timeout}s", eject_after = 3, next_probe = "on_ticks""#);
        let detected = Rig { check: &check, ..Rig::default() }.detected(2000);
        assert_moments("A1 on ticks", &detected, 2.5 + 2.0 * between + timeout, Some(25.0 / 12.0));
    }
}

/// The tick of 15 s waits for a probe that is answered at 16.5 s, and the next one comes at 20 s all the same.
#[test]
fn a1_ticks_keep_their_phase() {
    let check = r#"interval = "5s", timeout = "20s", next_probe = "on_ticks", first_probe = { at = "0s" }"#;
    let slow = "probes = { slow = 6.5 }";
    let rig = Rig { check, fault: slow, at: 9.0, lasts: 2.0, rtt: "1s", ..Rig::default() };
    let log = Log::of(&rig.toml(), 0);
    let of_a = log.probes.iter().filter(|probe| probe.provider.index() == 0);
    let sent: Vec<f64> = of_a.map(|probe| probe.sent.as_millis_f64()).take(6).collect();
    assert_eq!(sent, [0.0, 5_000.0, 10_000.0, 16_500.0, 20_000.0, 25_000.0]);
}

/// With a round trip r the cycle is P = I + r, and a probe in flight may be lost or reset with the fault.
#[test]
fn a3_probes_in_flight_at_the_onset() {
    let (interval, rtt, timeout, k) = (10.0, 2.0, 3.0, 2.0);
    let period = interval + rtt;
    let lost = interval / period * (interval / 2.0 + k * timeout + (k - 1.0) * interval)
        + rtt / period * (timeout - rtt / 2.0 + (k - 1.0) * (timeout + interval));
    let reset =
        interval / period * (interval / 2.0 + (k - 1.0) * interval) + rtt / period * ((k - 1.0) * interval);
    let check = r#"interval = "10s", timeout = "3s", eject_after = 2, next_probe = "from_end""#;
    for (fault, mean) in [
        ("probes = \"hang\"\nin_flight = \"hang\"", lost),
        ("probes = \"refuse\"\nin_flight = \"fail\"", reset),
    ] {
        let strata = 48;
        let detected: Vec<f64> = (0..strata)
            .flat_map(|i| {
                let at = 60.0 + period * f64::from(i) / f64::from(strata);
                Rig { check, fault, at, lasts: 60.0, rtt: "2s", ..Rig::default() }.detected(40)
            })
            .collect();
        assert_moments("A3", &detected, mean, None);
    }
}

/// The fault falls into long gaps more often: E[U] = E[X^2] / 2 E[X] and E[U^2] = E[X^3] / 3 E[X], of gaps X that are
/// longer by a share (Envoy's percent) or longer and shorter (HAProxy's `spread-checks`).
#[test]
fn a4_gaps_of_every_jitter_are_length_biased() {
    for (jitter, low, high) in [
        ("jitter_share = 0.5", 10.0, 15.0),
        ("spread = 0.5", 5.0, 15.0),
        ("spread = 1.0", 0.0, 20.0),
        (r#"jitter = "5s""#, 10.0, 15.0),
    ] {
        let m = |n| moment(n, low, high);
        let residual = m(2) / (2.0 * m(1));
        let variance = m(3) / (3.0 * m(1)) - residual * residual;
        let check = format!(
            r#"interval = "10s", timeout = "2s", eject_after = 3, next_probe = "from_end", {jitter}"#
        );
        let detected = Rig { check: &check, at: 300.0, lasts: 200.0, ..Rig::default() }.detected(2500);
        let mean = residual + 3.0 * 2.0 + 2.0 * m(1);
        let variance = variance + 2.0 * (m(2) - m(1) * m(1));
        assert_moments(jitter, &detected, mean, Some(variance));
    }
}

/// Both of Envoy's jitters add up: X = I + U(0, J) + U(0, s I).
#[test]
fn a4_jitters_add_up() {
    let (interval, jitter, share) = (10.0, 4.0, 6.0);
    let mean = interval + (jitter + share) / 2.0;
    let variance = (jitter * jitter + share * share) / 12.0;
    let residual = (variance + mean * mean) / (2.0 * mean);
    let check = r#"interval = "10s", timeout = "1s", jitter = "4s", jitter_share = 0.6, eject_after = 2"#;
    let detected = Rig { check, fault: REFUSE, at: 300.0, ..Rig::default() }.detected(2000);
    assert_moments("A4", &detected, residual + mean, None);
}

/// With n replicas that share the traffic the mean of failed requests stays and their variance falls:
/// lam E[D] + lam^2 I^2 / 12 n. The last one stops after I n / (n + 1) + T.
#[test]
fn a6_replicas_detect_on_their_own() {
    let (n, rate, interval, timeout) = (4.0, 3.0, 20.0, 5.0);
    let rig = Rig { check: r#"interval = "20s", timeout = "5s""#, at: 20.0, lasts: 30.0, ..Rig::default() };
    let toml = rig.toml().replace("{ constant = \"1/h\" }", "{ poisson = \"3/s\" }");
    let toml = toml
        .replace("[gateway]", "[gateway]\nreplicas = 4")
        .replace("duration = \"150s\"", "duration = \"50s\"");
    let outcomes = outcomes(&model(&toml), 1500);
    let failed: Vec<f64> = outcomes.iter().map(|o| o.failures.total() as f64).collect();
    let mean = rate * (interval / 2.0 + timeout);
    let variance = mean + rate * rate * interval * interval / (12.0 * n);
    assert_moments("A6 failed", &failed, mean, Some(variance));
    let last: Vec<f64> = outcomes.iter().map(|o| o.time_to_detect().unwrap().as_secs_f64()).collect();
    assert_moments("A6 last", &last, interval * n / (n + 1.0) + timeout, None);
}

/// Route 53: healthy while more than 18% of n observers say so, so the m-th of them decides, m = n - floor(0.18 n):
/// E = I m / (n + 1) + c and Var = I^2 m (n + 1 - m) / (n + 1)^2 (n + 2).
#[test]
fn a7_a_quorum_of_observers() {
    for (quorum, m) in [(0.18, 14.0), (0.5, 8.0)] {
        let (n, interval) = (16.0, 30.0);
        let check = format!(
            r#"interval = "30s", timeout = "4s", eject_after = 2, observers = 16, quorum = {quorum}"#
        );
        let detected = Rig { check: &check, at: 30.0, lasts: 90.0, ..Rig::default() }.detected(600);
        let mean = interval * m / (n + 1.0) + interval + 4.0;
        let variance = interval * interval * m * (n + 1.0 - m) / ((n + 1.0) * (n + 1.0) * (n + 2.0));
        assert_moments("A7", &detected, mean, Some(variance));
    }
}

/// Recovery with HAProxy's `downinter` and `fastinter`: a cycle of failing probes is P = G_d + T, and the h - 1 further
/// good ones are G_r apart.
#[test]
fn a8_recovery_with_intervals_of_their_own() {
    let (timeout, down, rising, h) = (6.0, 18.0, 3.0, 3.0);
    let period = timeout + down;
    let check = r#"interval = "5s", timeout = "6s", readmit_after = 3, next_probe = "from_end",
        interval_down = "18s", interval_rising = "3s""#;
    let strata = 48;
    let check = check.replace('\n', " ");
    let lags: Vec<f64> = (0..strata)
        .flat_map(|i| {
            let lasts = 120.0 + period * f64::from(i) / f64::from(strata);
            Rig { check: &check, at: 10.0, lasts, ..Rig::default() }.recovered(30)
        })
        .collect();
    let first = timeout / period * (timeout / 2.0 + down) + down / period * (down / 2.0);
    assert_moments("A8", &lags, first + (h - 1.0) * rising, None);
}

/// Quiet errors with probability q per probe: a count of k failures ever takes k / q probes (Caddy), k of them in a row
/// (1 - q^k) / (q^k (1 - q)).
#[test]
fn b2_cumulative_and_consecutive_counters() {
    let (q, k) = (0.2_f64, 3);
    let nth_power = q.powi(k);
    let in_a_row = (1.0 - nth_power) / (nth_power * (1.0 - q));
    let cumulative = (f64::from(k) / q, f64::from(k) * (1.0 - q) / (q * q));
    for (counting, seconds, mean, variance) in
        [("cumulative", 200, cumulative.0, Some(cumulative.1)), ("consecutive", 2500, in_a_row, None)]
    {
        let toml = format!(
            r#"
            duration = "{seconds}s"
            traffic.arrivals = {{ constant = "1/h" }}
            provider.a = {{ latency = {{ constant = "0s" }}, error_rate = 0.2 }}
            [gateway.health_check]
            interval = "1s"
            timeout = "1s"
            eject_after = 3
            readmit_after = 10000
            first_probe = {{ at = "0s" }}
            latency = {{ constant = "0s" }}
            counting = "{counting}"
            "#
        );
        let model = model(&toml);
        let runs = if counting == "cumulative" { 1500 } else { 200 };
        let probes: Vec<f64> =
            (0..runs).map(|run| Log::of_model(&model, run).ejections_ms().0[0] / 1000.0 + 1.0).collect();
        assert_moments(counting, &probes, mean, variance);
    }
}

/// Envoy: `unhealthy_interval: 60s` alone makes the edge interval 60 s too, and that is between the probes that confirm a
/// failure: 2.5 + 3 x 1 + 2 x 60 = 125.5 s, not 15.5 s.
#[test]
fn envoys_edge_interval_is_a_trap() {
    let check = |more: &str| {
        format!(
            r#"interval = "5s", timeout = "1s", eject_after = 3, next_probe = "from_end", interval_down = "60s"{more}"#
        )
    };
    let trap = Rig { check: &check(r#", interval_falling = "60s""#), ..Rig::default() }.detected(1000);
    assert_moments("trap", &trap, 125.5, Some(25.0 / 12.0));
    let meant = Rig { check: &check(""), ..Rig::default() }.detected(1000);
    assert_moments("meant", &meant, 15.5, Some(25.0 / 12.0));
}

/// HAProxy's defaults, inter 2 s and fall 3, with a timeout that is `inter`: 11 s for a hang, not 3 x 2; 5 s for a refusal.
#[test]
fn haproxys_defaults() {
    let check = r#"interval = "2s", timeout = "2s", eject_after = 3, next_probe = "from_end""#;
    for (fault, mean) in [(r#"probes = "hang""#, 11.0), (REFUSE, 5.0)] {
        let detected = Rig { check, fault, at: 60.0, lasts: 60.0, ..Rig::default() }.detected(1500);
        assert_moments("HAProxy", &detected, mean, Some(4.0 / 12.0));
    }
}

/// Envoy's `no_traffic_interval` (60 s): the probe that was planned before the first request keeps its date.
#[test]
fn a_cluster_without_traffic_is_probed_rarely() {
    let check =
        r#"interval = "5s", interval_no_traffic = "60s", timeout = "1s", first_probe = { at = "0s" }"#;
    let rig = Rig { check, fault: "", at: 500.0, ..Rig::default() };
    let sent_at = |rate: &str, duration: &str| -> Vec<f64> {
        let toml = rig.toml().replace("1/h", rate).replace("duration = \"1100s\"", duration);
        let log = Log::of(&toml, 0);
        let of_a = log.probes.iter().filter(|probe| probe.provider.index() == 0);
        of_a.map(|probe| probe.sent.as_millis_f64() / 1000.0).take(5).collect()
    };
    // Its only request comes at 1800 s, or the first of many at 70 s.
    assert_eq!(sent_at("1/h", "duration = \"1100s\""), [0.0, 60.0, 120.0, 180.0, 240.0]);
    assert_eq!(sent_at("0.428571/min", "duration = \"1100s\""), [0.0, 60.0, 120.0, 125.0, 130.0]);
}

/// Envoy: a 503 ejects on the first probe however high the threshold is; a hang takes k of them. Probes come at 0, 5,
/// 10, 15 ... s and the fault at 12 s.
#[test]
fn the_kind_of_failure_selects_the_threshold() {
    let check = |more: &str| {
        format!(
            r#"interval = "5s", timeout = "1s", eject_after = 3, next_probe = "from_end", first_probe = {{ at = "0s" }}{more}"#
        )
    };
    let ejected_at = |fault, more: &str| {
        Rig { check: &check(more), fault, at: 12.0, lasts: 100.0, ..Rig::default() }.exactly().0
    };
    assert_eq!(ejected_at(STATUS, r#", eject_at_once_on = ["5xx"]"#), [15_000.0]);
    assert_eq!(ejected_at(STATUS, ""), [25_000.0]);
    assert_eq!(ejected_at(r#"probes = "hang""#, r#", eject_at_once_on = ["5xx"]"#), [28_000.0]);
}

/// A verdict that takes d, and up to a TTL more, to reach routing: E = I/2 + T + d + ttl/2.
#[test]
fn a_verdict_takes_its_time_to_routing() {
    let check = r#"interval = "10s", timeout = "2s""#;
    let gateway = r#"propagation = { delay = "3s", ttl = "30s" }"#;
    let detected = Rig { check, gateway, at: 60.0, lasts: 90.0, ..Rig::default() }.detected(1500);
    assert_moments("propagation", &detected, 5.0 + 2.0 + 3.0 + 15.0, Some((100.0 + 900.0) / 12.0));
}
