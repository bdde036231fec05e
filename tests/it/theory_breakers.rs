//! Passive detectors against closed forms: how many failures they take, how long they eject, how they come back.
//!
//! Provider `a` is preferred; tau is how long a failing attempt takes.

use crate::play::{Log, assert_moments, model};

/// Provider `a` with a detector, a fault on it, and `b` beside it.
struct Rig<'a> {
    seconds: u32,
    traffic: &'a str,
    a: &'a str,
    fault: &'a str,
    detector: &'a str,
    gateway: &'a str,
}

impl Default for Rig<'_> {
    fn default() -> Self {
        let (a, fault) = (r#"latency = { constant = "0s" }"#, "");
        Rig { seconds: 60, traffic: "{ constant = \"1/s\" }", a, fault, detector: "", gateway: "" }
    }
}

impl Rig<'_> {
    fn toml(&self) -> String {
        let Rig { seconds, traffic, a, fault, detector, gateway } = self;
        format!(
            r#"
            duration = "{seconds}s"
            traffic.arrivals = {traffic}
            provider.a = {{ {a} }}
            provider.b.latency = {{ constant = "0s" }}
            gateway.route = {{ prefer = ["a", "b"] }}
            {gateway}
            [gateway.detector.d]
            {detector}
            {fault}
            "#
        )
    }

    fn log(&self, run: u64) -> Log {
        Log::of(&self.toml(), run)
    }

    fn logs(&self, runs: u64) -> Vec<Log> {
        let model = model(&self.toml());
        (0..runs).map(|run| Log::of_model(&model, run)).collect()
    }
}

fn fault(name: &str, at: &str, lasts: &str, requests: &str) -> String {
    format!(
        "[fault.{name}]\non = {{ name = \"a\" }}\nat = \"{at}\"\nlasts = \"{lasts}\"\nrequests = {requests}\nprobes = \"unaffected\"\n"
    )
}

const STATUS: &str = "{ status = 503 }";
const HANG: &str = "\"hang\"";

/// n failures in a row of probability p take (1 - p^n) / p^n (1 - p) calls.
#[test]
fn b1_failures_in_a_row() {
    let (p, q, n) = (0.5_f64, 0.5_f64, 3);
    let pn = p.powi(n);
    let rig = Rig {
        seconds: 30,
        traffic: "{ constant = \"10/s\" }",
        a: "latency = { constant = \"0s\" }, error_rate = 0.5",
        detector: "consecutive = 3\neject_for = \"1h\"",
        ..Rig::default()
    };
    let calls: Vec<f64> = rig.logs(1000).iter().map(|log| log.attempts_at_first() as f64).collect();
    let spread = 1.0 / (q * pn);
    let variance = spread * spread - f64::from(2 * n + 1) * spread - p / (q * q);
    assert_moments("B1", &calls, (1.0 - pn) / (pn * q), Some(variance));
}

/// In steady Poisson traffic ends are as independent as starts, even if failures take 200 times as long as successes.
#[test]
fn b1_slow_failures_are_as_many_in_a_row() {
    let (p, n, rate) = (0.5_f64, 3, 4.0);
    let outage = fault("outage", "0s", "1000s", HANG) + "fraction = 0.5";
    let rig = Rig {
        seconds: 1000,
        traffic: "{ poisson = \"4/s\" }",
        a: "latency = { constant = \"50ms\" }",
        fault: &outage,
        detector: "consecutive = 3\neject_for = \"1us\"",
        gateway: "gateway.timeouts.attempt = \"10s\"",
    };
    let steady = |log: &Log| log.ejections_ms().0.iter().filter(|at| (50e3..950e3).contains(*at)).count();
    let gaps: Vec<f64> = rig.logs(15).iter().map(|log| 900.0 / steady(log) as f64).collect();
    let pn = p.powi(n);
    assert_moments("B1 in time", &gaps, (1.0 - pn) / (pn * (1.0 - p)) / rate, None);
}

/// A total hang: n + lam tau attempts are sent before n of them have timed out, after Gamma(n, lam) + tau.
#[test]
fn b3_attempts_sent_into_a_hang() {
    let (n, rate, tau) = (5.0, 20.0, 1.5);
    let outage = fault("outage", "0s", "9s", HANG);
    let rig = Rig {
        seconds: 6,
        traffic: "{ poisson = \"20/s\" }",
        fault: &outage,
        detector: "consecutive = 5\neject_for = \"1h\"",
        gateway: "gateway.timeouts.attempt = \"1500ms\"",
        ..Rig::default()
    };
    let logs = rig.logs(1500);
    let sent: Vec<f64> = logs.iter().map(|log| log.attempts_at_first() as f64).collect();
    assert_moments("B3 attempts", &sent, n + rate * tau, Some(n + rate * tau - n));
    let opened: Vec<f64> = logs.iter().map(|log| log.ejections_ms().0[0] / 1000.0).collect();
    assert_moments("B3 opens", &opened, n / rate + tau, Some(n / (rate * rate)));
    assert!(logs.iter().all(|log| log.failed() == log.attempts_at_first()));
}

/// A full ring of W good calls opens at exactly ceil(th W) failures, or one more where the share has to be exceeded.
#[test]
fn b4_a_count_window_opens_at_its_share() {
    let outage = fault("outage", "30s", "1h", STATUS);
    for (calls, ratio, failures) in [
        (10, "at_least = 0.5", 5),
        (9, "at_least = 0.5", 5),
        (10, "above = 0.5", 6),
        (20, "at_least = 0.1", 2),
        (7, "at_least = 1.0", 7),
    ] {
        let detector = format!(
            "window = {{ calls = {calls} }}\nratio = {{ {ratio}, min_calls = {calls} }}\neject_for = \"1h\""
        );
        let log = Rig { fault: &outage, detector: &detector, ..Rig::default() }.log(0);
        assert_eq!(log.failed(), failures, "{calls} {ratio}");
        assert_eq!(log.ejections_ms().0, [29_500.0 + 1000.0 * failures as f64]);
    }
}

/// The first time that a ring of W is full it opens with P(Bin(W, p) >= ceil(th W)).
#[test]
fn b4_the_first_evaluation_is_binomial() {
    let (calls, p, th) = (20_i32, 0.4_f64, 0.5);
    let rig = Rig {
        seconds: 20,
        a: "latency = { constant = \"0s\" }, error_rate = 0.4",
        detector: "window = { calls = 20 }\nratio = { at_least = 0.5, min_calls = 20 }\neject_for = \"1h\"",
        ..Rig::default()
    };
    let opens: Vec<f64> = rig.logs(3000).iter().map(|log| log.ejections_ms().0.len() as f64).collect();
    let mut binomial = (1.0 - p).powi(calls);
    let mut tail = 0.0;
    for k in 0..=calls {
        if f64::from(k) >= (th * f64::from(calls)).ceil() {
            tail += binomial;
        }
        binomial *= f64::from(calls - k) / f64::from(k + 1) * p / (1.0 - p);
    }
    assert_moments("B4", &opens, tail, None);
}

/// Over a window w in time, dense traffic that hangs for tau opens after tau + th (w - tau), and failures at once after
/// th w; an average with time constant w after w ln(1 / (1 - th)) (Finagle).
#[test]
fn b5_time_windows() {
    let opens = |window: &str, th: f64, requests: &str| {
        let outage = fault("outage", "40s", "1h", requests);
        let detector =
            format!("window = {window}\nratio = {{ at_least = {th}, min_calls = 20 }}\neject_for = \"1h\"");
        let rig = Rig {
            seconds: 60,
            traffic: "{ constant = \"100/s\" }",
            fault: &outage,
            detector: &detector,
            gateway: "gateway.timeouts.attempt = \"1s\"",
            ..Rig::default()
        };
        rig.log(0).ejections_ms().0[0] / 1000.0 - 40.0
    };
    let close = |what: &str, time: f64, expected: f64| {
        assert!((time - expected).abs() < 0.03, "{what}: {time}, expected {expected}");
    };
    let sliding = r#"{ sliding = "10s" }"#;
    close("hang", opens(sliding, 0.5, HANG), 1.0 + 0.5 * (10.0 - 1.0));
    close("hang", opens(sliding, 0.2, HANG), 1.0 + 0.2 * (10.0 - 1.0));
    close("at once", opens(sliding, 0.5, STATUS), 5.0);
    close("average", opens(r#"{ ewma = "30s" }"#, 0.2, STATUS), 30.0 * libm::log(1.0 / 0.8));
}

/// Hystrix looks at its window every 500 ms only: U(0, 0.5 s) more.
#[test]
fn b5_a_window_that_is_looked_at_on_ticks() {
    let outage = fault("outage", "12s", "1h", STATUS);
    let detector = r#"
        window = { sliding = "10s" }
        evaluated = { on_ticks = { every = "500ms" } }
        ratio = { at_least = 0.5, min_calls = 20 }
        eject_for = "1h""#;
    let rig =
        Rig { seconds: 20, traffic: "{ constant = \"100/s\" }", fault: &outage, detector, ..Rig::default() };
    let opened: Vec<f64> = rig.logs(150).iter().map(|log| log.ejections_ms().0[0] / 1000.0 - 12.0).collect();
    assert_moments("Hystrix", &opened, 5.0 + 0.25, Some(0.25 / 12.0));
}

/// A trial every W that hangs for tau, and a repair at any time of that cycle: (W/(W+tau)) W/2 + (tau/(W+tau)) (tau/2 + W).
#[test]
fn b6_recovery_of_a_breaker() {
    let (wait, tau) = (6.0, 3.0);
    let strata = 45;
    let lags: Vec<f64> = (0..strata)
        .map(|i| {
            let lasts = format!("{}ms", 40_000 + 9_000 * i / strata);
            let outage = fault("outage", "5s", &lasts, HANG);
            let rig = Rig {
                seconds: 80,
                traffic: "{ constant = \"50/s\" }",
                fault: &outage,
                detector: "consecutive = 1\neject_for = \"6s\"\nhalf_open = {}",
                gateway: "gateway.timeouts.attempt = \"3s\"",
                ..Rig::default()
            };
            let repaired = 5.0 + 40.0 + 9.0 * f64::from(i) / f64::from(strata);
            let (ejected, admitted) = rig.log(0).ejections_ms();
            assert_eq!((ejected.len(), admitted.len()), (1, 1), "a trial that fails admits nothing");
            admitted[0] / 1000.0 - repaired
        })
        .collect();
    let expected = wait / (wait + tau) * (wait / 2.0) + tau / (wait + tau) * (tau / 2.0 + wait);
    let mean = lags.iter().sum::<f64>() / lags.len() as f64;
    // A trial waits up to 20 ms for a request.
    assert!((mean - expected).abs() < 0.15, "{mean}, expected {expected}");
    let longest = lags.iter().copied().fold(0.0, f64::max);
    assert!((longest - (wait + tau)).abs() < 0.3, "{longest}");
}

/// Envoy un-ejects on a sweep's tick only: the first ejection lasts base + U(0, interval).
#[test]
fn b7_the_first_ejection_ends_on_a_tick() {
    let outage = fault("outage", "5s", "1s", STATUS);
    let rig = Rig {
        fault: &outage,
        traffic: "{ constant = \"2/s\" }",
        detector: "consecutive = 1\neject_for = \"30s\"\nevaluated = { on_ticks = { every = \"10s\" } }",
        ..Rig::default()
    };
    let lasted: Vec<f64> = (rig.logs(600).iter())
        .map(|log| log.ejections_ms())
        .map(|(ejected, admitted)| (admitted[0] - ejected[0]) / 1000.0)
        .collect();
    assert_moments("B7 first", &lasted, 35.0, Some(100.0 / 12.0));
}

/// P(Gamma(5, rate) > x).
fn erlang_5_exceeds(rate: f64, x: f64) -> f64 {
    let terms = (1..5).scan(1.0, |term, i| {
        *term *= rate * x / f64::from(i);
        Some(*term)
    });
    libm::exp(-rate * x) * (1.0 + terms.sum::<f64>())
}

/// A dead host is readmitted on a tick each time, so cycles lock to ticks: interval E ceil((Gamma(n, lam) + tau + base) /
/// interval), where n / lam + tau + base + interval / 2 would be 37.5 s instead of 40 s.
#[test]
fn b7_ejections_of_a_dead_host_lock_to_ticks() {
    for (traffic, rate, tau, known) in [
        ("{ poisson = \"2/s\" }", 2.0, 0.0, 40.000),
        ("{ poisson = \"0.5/s\" }", 0.5, 0.0, 44.712),
        ("{ poisson = \"0.5/s\" }", 0.5, 3.0, 48.033),
    ] {
        let outage = fault("outage", "0s", "4h", if tau > 0.0 { HANG } else { STATUS });
        let rig = Rig {
            seconds: 4000,
            traffic,
            fault: &outage,
            detector: "consecutive = 5\neject_for = \"30s\"\nevaluated = { on_ticks = { every = \"10s\" } }",
            gateway: "gateway.timeouts.attempt = \"3s\"",
            ..Rig::default()
        };
        let cycles: Vec<f64> = (rig.logs(8).iter())
            .flat_map(|log| {
                let admitted = log.ejections_ms().1;
                admitted.windows(2).map(|two| (two[1] - two[0]) / 1000.0).collect::<Vec<f64>>()
            })
            .collect();
        let exceeds = |ticks: i32| {
            let x = 10.0 * f64::from(ticks) - 30.0 - tau;
            if x < 0.0 { 1.0 } else { erlang_5_exceeds(rate, x) }
        };
        let mean = 10.0 * (0..100).map(exceeds).sum::<f64>();
        assert!((mean - known).abs() < 0.02, "{mean}");
        assert!(
            cycles.iter().all(|cycle| (cycle / 10.0 - (cycle / 10.0).round()).abs() < 1e-6),
            "whole ticks"
        );
        if mean - 40.0 < 0.001 {
            // One cycle in 60,000 is longer.
            assert!(cycles.iter().all(|cycle| (cycle - 40.0).abs() < 1e-6));
        } else {
            assert_moments("B7", &cycles, mean, None);
        }
    }
}

/// Ejections grow by one base length each, and shrink by one on each tick that finds the host admitted: a host that is
/// ejected again before that is out for 30, 60, 90 s ... up to the most.
#[test]
fn b7_ejections_grow_while_they_follow_each_other() {
    let outage = fault("outage", "0s", "1h", STATUS);
    let detector = r#"
        consecutive = 5
        eject_for = "30s"
        growth = "linear"
        max_eject_for = "100s"
        evaluated = { on_ticks = { every = "10s", first = "10s" } }"#;
    let rig =
        Rig { seconds: 600, traffic: "{ constant = \"10/s\" }", fault: &outage, detector, ..Rig::default() };
    let (ejected, admitted) = rig.log(0).ejections_ms();
    // The first trip is at 0.45 s, and the ticks that readmit are the first ones 30, 60, 90 and 100 s later.
    assert_eq!(admitted[..4], [40_000.0, 110_000.0, 210_000.0, 320_000.0]);
    assert_eq!(ejected[..4], [450.0, 40_450.0, 110_450.0, 210_450.0]);
}

/// nginx tries a dead peer once every F + 1 + floor(e + tau) seconds, with e ~ Exp(lam): seconds are whole, and each
/// failure starts them anew. E floor(e + tau) is the sum of P(e + tau >= j).
#[test]
fn b9_nginx_trials_lock_to_seconds() {
    for (timeout, tau) in [("", 0.0), ("gateway.timeouts.attempt = \"1500ms\"", 1.5)] {
        let outage = fault("outage", "0s", "4h", if tau > 0.0 { HANG } else { STATUS });
        let rig = Rig {
            seconds: 3000,
            traffic: "{ poisson = \"2/s\" }",
            fault: &outage,
            detector: "nginx = { max_fails = 1, fail_timeout = \"10s\" }",
            gateway: timeout,
            ..Rig::default()
        };
        let cycles: Vec<f64> = (rig.logs(12).iter())
            .map(|log| {
                let at_a = log.sent.iter().filter(|(_, to, _)| to.index() == 0);
                let trials: Vec<f64> =
                    at_a.map(|(.., at)| at.as_millis_f64() / 1000.0).filter(|at| *at > 60.0).collect();
                (trials[trials.len() - 1] - trials[0]) / (trials.len() - 1) as f64
            })
            .collect();
        let reaches = |j: i32| libm::exp(-2.0 * (f64::from(j) - tau).max(0.0));
        let mean = 10.0 + 1.0 + (1..60).map(reaches).sum::<f64>();
        assert_moments("B9", &cycles, mean, None);
    }
}

/// gobreaker: the end of an attempt that was sent in an earlier window is dropped, so a hang that takes longer than the
/// window never opens it.
#[test]
fn gobreaker_never_opens_when_the_timeout_is_longer_than_its_interval() {
    let outage = fault("outage", "0s", "1h", HANG);
    let ejected = |timeout: &str| {
        let rig = Rig {
            seconds: 120,
            traffic: "{ constant = \"25/s\" }",
            fault: &outage,
            detector: "count = 6\nwindow = { tumbling = { length = \"10s\" } }\nstale = \"dropped\"\neject_for = \"1h\"",
            gateway: timeout,
            ..Rig::default()
        };
        rig.log(0).ejections_ms().0
    };
    assert!(ejected("gateway.timeouts.attempt = \"15s\"").is_empty());
    // The sixth request comes at 220 ms.
    assert_eq!(ejected("gateway.timeouts.attempt = \"3s\""), [3_220.0]);
}

/// resilience4j tries with ten permits and judges the share of failures when all ten have ended.
#[test]
fn ten_permits_are_judged_together() {
    let played = |repaired: &str| {
        let outage = fault("outage", "20s", repaired, STATUS);
        let detector = r#"
            window = { calls = 10 }
            ratio = { at_least = 0.5, min_calls = 10 }
            eject_for = "10s"
            half_open = { permits = 10, decide = "ratio" }"#;
        let log = Rig { seconds: 80, fault: &outage, detector, ..Rig::default() }.log(0);
        (log.failed(), log.ejections_ms())
    };
    // Five failures open it at 24.5 s. Of the ten trials from 34.5 s on four fail: it closes with the tenth.
    assert_eq!(played("18s"), (9, (vec![24_500.0], vec![43_500.0])));
    // Five fail: another wait, and ten good trials from 53.5 s on.
    assert_eq!(played("19s"), (10, (vec![24_500.0], vec![62_500.0])));
}

/// Half-open with one permit: the others go elsewhere while the trial hangs, and its failure ejects again.
#[test]
fn one_permit_lets_one_request_through() {
    let outage = fault("outage", "5s", "16s", HANG);
    let rig = Rig {
        seconds: 40,
        traffic: "{ constant = \"10/s\" }",
        fault: &outage,
        detector: "consecutive = 1\neject_for = \"5s\"\nhalf_open = { permits = 1 }",
        gateway: "gateway.timeouts.attempt = \"2s\"",
        ..Rig::default()
    };
    let log = rig.log(0);
    // Sent at 5.05 s and for two seconds more, then one trial at 12.05 s and one at 19.05 s; the next, at 26.05 s, is good.
    assert_eq!(log.failed(), 20 + 2);
    assert_eq!(log.ejections_ms(), (vec![7_050.0], vec![26_050.0]));
}

/// Good answers can be too slow: five in a row that take 2 s instead of 0.2 s are all of the window.
#[test]
fn slow_calls_eject() {
    let outage = fault("outage", "20s", "1h", "{ slow = 10.0 }");
    let rig = Rig {
        a: "latency = { constant = \"200ms\" }",
        fault: &outage,
        detector: "slow = { after = \"1s\", at_least = 1.0, min_calls = 5 }\nwindow = { calls = 5 }\neject_for = \"1h\"",
        ..Rig::default()
    };
    let log = rig.log(0);
    assert_eq!(log.ejections_ms().0, [26_500.0], "the fifth was sent at 24.5 s");
    assert_eq!(log.failed(), 0);
}

/// A good call of exactly the limit is not slow.
#[test]
fn slow_is_strictly_longer() {
    let rig = Rig {
        a: "latency = { constant = \"1s\" }",
        detector: "slow = { after = \"1s\", at_least = 0.1 }\neject_for = \"1h\"",
        ..Rig::default()
    };
    assert!(rig.log(0).changes.is_empty());
}

/// An answer's Retry-After, and a second more, replaces the ejection's length.
#[test]
fn an_ejection_heeds_retry_after() {
    let limited = fault("limit", "10s", "1s", "{ status = 429 }") + "retry_after = \"7s\"";
    let ejection = |more: &str| {
        let detector = format!("at_once_on = [429]\nfailures = [\"5xx\"]\neject_for = \"30s\"\n{more}");
        Rig { fault: &limited, detector: &detector, ..Rig::default() }.log(0).ejections_ms()
    };
    assert_eq!(ejection("retry_after = \"1s\""), (vec![10_500.0], vec![18_500.0]));
    assert_eq!(ejection(""), (vec![10_500.0], vec![40_500.0]));
}
