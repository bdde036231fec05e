//! Passive detectors against closed forms: how many failures they take, and how providers are tried again.
//!
//! Provider `a` is preferred; tau is how long a failing attempt takes.

use crate::play::{Log, assert_moments};
use crate::rig::{HANG, Rig, STATUS, fault};

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

/// Only this share of trips ejects, and what tripped counts from zero again: 1 / e trips of n failures each.
#[test]
fn a_share_of_trips_is_enforced() {
    let outage = fault("outage", "0s", "1h", STATUS);
    let rig = Rig {
        seconds: 40,
        traffic: "{ constant = \"5/s\" }",
        fault: &outage,
        detector: "consecutive = 3\nenforced = 0.4\neject_for = \"1h\"",
        ..Rig::default()
    };
    let failed: Vec<f64> = rig.logs(600).iter().map(|log| log.failed() as f64).collect();
    assert_moments("enforced", &failed, 3.0 / 0.4, Some(9.0 * 0.6 / 0.16));
}

/// opossum does not empty its window when a trial succeeds: the next failure opens it again.
#[test]
fn a_window_may_outlive_an_ejection() {
    let faults = fault("first", "10s", "3s", STATUS) + &fault("second", "20s", "1s", STATUS);
    let ejected = |clears: bool| {
        let detector = format!(
            r#"
            count = 3
            window = {{ sliding = "30s" }}
            evaluated = "on_failure"
            eject_for = "5s"
            half_open = {{}}
            clears_on_admission = {clears}"#
        );
        Rig { fault: &faults, detector: &detector, ..Rig::default() }.log(0).ejections_ms().0
    };
    assert_eq!(ejected(true), [12_500.0]);
    assert_eq!(ejected(false), [12_500.0, 20_500.0]);
}
