//! When a fault counts as detected, and which stage of the incident a lost request belongs to.

use crate::play::{model, on_path};
use failover_sim::engine::{Path, Stage};
use failover_sim::metrics::Outcome;

/// Ten requests a second for 20 s; every probe comes at 3 s and 13 s and takes no time unless it hangs.
fn play(providers: &str, route: &str, faults: &str) -> Outcome {
    let toml = format!(
        r#"
        duration = "20s"
        traffic = {{ arrivals = {{ constant = "10/s" }} }}
        {providers}
        [gateway]
        route = {{ prefer = {route} }}
        health_check = {{ interval = "10s", timeout = "2s", first_probe = {{ at = "3s" }}, latency = {{ constant = "0s" }} }}
        {faults}
        "#
    );
    on_path(&model(&toml), Path::Plain, 1, 0)
}

const A_AND_B: &str = r#"
    provider.a = { latency = { constant = "10ms" } }
    provider.b = { latency = { constant = "10ms" } }
"#;

fn fault(provider: &str, at: &str, lasts: &str, probes: &str) -> String {
    format!(
        "[fault.{provider}]\non = {{ name = \"{provider}\" }}\nat = \"{at}\"\nlasts = \"{lasts}\"\nprobes = \"{probes}\"\n"
    )
}

#[track_caller]
fn assert_stages(outcome: &Outcome, expected: &[(Stage, u64)]) {
    for stage in Stage::ALL {
        let count = expected.iter().find(|(s, _)| *s == stage).map_or(0, |(_, n)| *n);
        assert_eq!(outcome.failures.of_stage(stage), count, "{stage:?} of {:?}", outcome.failures);
    }
}

fn seconds(duration: Option<failover_sim::time::SimDuration>) -> Option<f64> {
    duration.map(|d| d.as_secs_f64())
}

/// Ejected at 3 s, back at 13 s: one second undetected, then nothing is lost.
#[test]
fn a_fault_is_detected_and_recovered_from() {
    let outcome = play(A_AND_B, r#"["a", "b"]"#, &fault("a", "2s", "4s", "refuse"));
    assert_stages(&outcome, &[(Stage::Undetected, 10)]);
    assert_eq!(seconds(outcome.time_to_detect()), Some(1.0));
    assert_eq!(seconds(outcome.time_to_recover()), Some(7.0));
    assert_eq!(outcome.false_ejection_count, 0);
}

/// The probe of 3 s hangs until 5 s, when the fault is over: an ejection too late to count, but no false one either.
#[test]
fn an_ejection_after_the_fault_is_no_detection() {
    let outcome = play(A_AND_B, r#"["a", "b"]"#, &fault("a", "2s", "2s", "hang"));
    assert_eq!((outcome.time_to_detect(), outcome.time_to_recover()), (None, None));
    assert_eq!(outcome.false_ejection_count, 0);
    assert_stages(&outcome, &[(Stage::Undetected, 20)]);
}

/// With nowhere else to go, requests are lost while the provider is rightly ejected, and while it need not be any more.
#[test]
fn an_ejected_provider_without_a_backup() {
    let outcome = play(A_AND_B, r#"["a"]"#, &fault("a", "2s", "4s", "refuse"));
    assert_stages(&outcome, &[(Stage::Undetected, 10), (Stage::AllEjected, 30), (Stage::AfterRecovery, 70)]);
}

/// `b` errs on every probe and is ejected with no fault active; from 3 s to 13 s there is nowhere to go, and the false
/// ejection is to blame even when `a`'s fault is over: `b` might have served.
#[test]
fn a_false_ejection_takes_the_blame() {
    let providers = r#"
        provider.a = { latency = { constant = "10ms" } }
        provider.b = { latency = { constant = "10ms" }, error_rate = 1.0 }
    "#;
    let outcome = play(providers, r#"["a", "b"]"#, &fault("a", "2s", "4s", "refuse"));
    assert_eq!(outcome.false_ejection_count, 1);
    assert_stages(&outcome, &[(Stage::Undetected, 10), (Stage::FalseEjection, 100)]);
}

/// `a` is kept out until 13 s after its own fault; what its dead backup loses meanwhile is lost after recovery.
#[test]
fn a_dead_backup_of_a_provider_that_could_serve_again() {
    let faults = fault("a", "2s", "2s", "refuse") + &fault("b", "5s", "3s", "unaffected");
    let outcome = play(A_AND_B, r#"["a", "b"]"#, &faults);
    assert_stages(&outcome, &[(Stage::Undetected, 10), (Stage::AfterRecovery, 30)]);
}

/// A fault is detected, and recovered from, when the last replica has.
#[test]
fn the_last_replica_counts() {
    let toml = r#"
        duration = "60s"
        traffic = { arrivals = { constant = "1/s" } }
        provider.a = { latency = { constant = "10ms" } }
        provider.b = { latency = { constant = "10ms" } }
        [gateway]
        replicas = 3
        route = { prefer = ["a", "b"] }
        health_check = { interval = "10s", timeout = "1s" }
        [fault.outage]
        on = { name = "a" }
        at = "20s"
        lasts = "15s"
    "#;
    let outcome = on_path(&model(toml), Path::Plain, 1, 0);
    let of_a = outcome.faults.iter();
    let detected: Vec<_> = of_a.clone().map(|row| row.detected_after.expect("detected")).collect();
    let recovered: Vec<_> = of_a.map(|row| row.recovered_after.expect("recovered")).collect();
    assert!(
        detected.len() == 3 && detected.iter().min() < detected.iter().max(),
        "phases differ: {detected:?}"
    );
    assert_eq!(outcome.time_to_detect(), detected.into_iter().max());
    assert_eq!(outcome.time_to_recover(), recovered.into_iter().max());
}
