//! How long passive detectors eject, against closed forms: sweeps, growth, nginx's whole seconds.
//!
//! Provider `a` is preferred; tau is how long a failing attempt takes.

use crate::play::{Log, assert_moments};
use crate::rig::{HANG, Rig, STATUS, fault};

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

/// One tick after another that finds the host admitted takes a length back: ejected for 30 and 60 s, it is out for 60 s
/// again after one such tick, and for 30 s after two.
#[test]
fn b7_lengths_shrink_while_a_host_is_admitted() {
    let third_lasts = |third: &str| {
        let faults = fault("first", "0s", "1s", STATUS)
            + &fault("second", "41s", "1s", STATUS)
            + &fault("third", third, "1s", STATUS);
        let detector = r#"
            consecutive = 5
            eject_for = "30s"
            growth = "linear"
            evaluated = { on_ticks = { every = "10s", first = "10s" } }"#;
        let rig = Rig {
            seconds: 300,
            traffic: "{ constant = \"10/s\" }",
            fault: &faults,
            detector,
            ..Rig::default()
        };
        let (ejected, admitted) = rig.log(0).ejections_ms();
        assert_eq!(admitted[..2], [40_000.0, 110_000.0], "out until ticks at 30 and 60 s");
        ((admitted[2] - ejected[2]) / 10_000.0).floor() * 10.0
    };
    assert_eq!(third_lasts("111s"), 90.0);
    assert_eq!(third_lasts("121s"), 60.0);
    assert_eq!(third_lasts("131s"), 30.0);
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

/// Each trial that fails doubles the wait, up to the most (Linkerd): 1, 2, 4, 8, 10, 10 s, and none of it is more than
/// the next request late, 50 ms apart.
#[test]
fn trials_that_fail_double_the_wait() {
    let outage = fault("outage", "0s", "1h", STATUS);
    let rig = Rig {
        traffic: "{ constant = \"20/s\" }",
        fault: &outage,
        detector: "consecutive = 2\neject_for = \"1s\"\ngrowth = { exponential = 2.0 }\nmax_eject_for = \"10s\"\nhalf_open = {}",
        ..Rig::default()
    };
    let log = rig.log(0);
    let sent: Vec<f64> =
        (log.sent.iter()).filter(|(_, to, _)| to.index() == 0).map(|(.., at)| at.as_millis_f64()).collect();
    let waits: Vec<f64> = sent[1..].windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(waits[..6], [1_000.0, 2_000.0, 4_000.0, 8_000.0, 10_000.0, 10_000.0]);
    assert_eq!(log.ejections_ms().0.len(), 1, "a trial admits nothing");
}

/// What an ejection lasts longer than its base is uniform.
#[test]
fn ejections_have_jitter() {
    let outage = fault("outage", "5s", "1s", STATUS);
    let rig = Rig {
        fault: &outage,
        detector: "consecutive = 1\neject_for = \"10s\"\neject_jitter = \"6s\"",
        ..Rig::default()
    };
    let lasted: Vec<f64> = (rig.logs(600).iter())
        .map(|log| log.ejections_ms())
        .map(|(ejected, admitted)| (admitted[0] - ejected[0]) / 1000.0)
        .collect();
    assert_moments("jitter", &lasted, 13.0, Some(36.0 / 12.0));
}

/// nginx's fails survive successes until a request is let through more than `fail_timeout` after the last failure:
/// failures at 10, 19 and 28 s add up to three, those at 10, 22 and 34 s do not.
#[test]
fn nginx_adds_up_failures_over_gaps() {
    let ejections = |second: &str, third: &str| -> usize {
        let faults = fault("first", "10s", "1s", STATUS)
            + &fault("second", second, "1s", STATUS)
            + &fault("third", third, "1s", STATUS);
        let detector = "nginx = { max_fails = 3, fail_timeout = \"10s\" }";
        let rig = Rig { fault: &faults, detector, ..Rig::default() };
        rig.logs(20).iter().map(|log| log.ejections_ms().0.len()).sum()
    };
    assert_eq!(ejections("19s", "28s"), 20);
    assert_eq!(ejections("22s", "34s"), 0);
}

/// Each straggler restarts nginx's clock: of requests that hang for 3 s the last one, sent just before the first timeout
/// at 8.05 s, fails at 11 s, and 10 whole seconds later at the earliest comes the next one.
#[test]
fn stragglers_restart_nginxs_clock() {
    let outage = fault("outage", "5s", "4h", HANG);
    let rig = Rig {
        seconds: 40,
        traffic: "{ constant = \"10/s\" }",
        fault: &outage,
        detector: "nginx = { max_fails = 1, fail_timeout = \"10s\" }",
        gateway: "gateway.timeouts.attempt = \"3s\"",
        ..Rig::default()
    };
    let first_trial = |log: &Log| {
        let at_a = log.sent.iter().filter(|(_, to, _)| to.index() == 0);
        let mut times = at_a.map(|(.., at)| at.as_millis_f64() / 1000.0);
        times.find(|at| *at > 9.0).expect("there is a trial")
    };
    let trials: Vec<f64> = rig.logs(400).iter().map(first_trial).collect();
    // The last straggler is sent at 7.95 s. The next second begins U(0, 1) after its end, and the request up to 0.1 s later.
    assert!(trials.iter().all(|at| (20.95..22.1).contains(at)), "{trials:?}");
    assert_moments("nginx", &trials, 10.95 + 10.0 + 0.5 + 0.05, None);
}
