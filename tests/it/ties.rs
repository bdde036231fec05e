//! What happens at the same nanosecond happens in the written order: fault edges, results of probes, ends of attempts,
//! probes due, the operator, arrivals.

use crate::play::{model, on_path};
use failover_sim::engine::{Path, Stage};
use failover_sim::metrics::{Outcome, TimelineEvent};

/// Requests arrive at 0.5 s, 1.5 s, 2.5 s ...; the outage is from 2.5 s to 5.5 s unless said otherwise.
fn play(latency: &str, fault: &str, top: &str, more: &str) -> Outcome {
    let toml = format!(
        r#"
        duration = "10s"
        traffic = {{ arrivals = {{ constant = "1/s" }} }}
        provider.a = {{ latency = {{ constant = "{latency}" }} }}
        provider.b = {{ latency = {{ constant = "{latency}" }} }}
        gateway.route = {{ prefer = ["a", "b"] }}
        {top}
        [fault.outage]
        on = {{ name = "a" }}
        {fault}
        {more}
        "#
    );
    let model = model(&toml);
    let outcome = on_path(&model, Path::Plain, 1, 0);
    for path in [Path::Direct, Path::Counting] {
        assert_eq!(outcome.failures, on_path(&model, path, 1, 0).failures, "all paths break ties alike");
    }
    outcome
}

const AT_ARRIVALS: &str = "at = \"2500ms\"\nlasts = \"3s\"";

/// 2.5, 3.5 and 4.5 s are hit; 5.5 s, when the fault ends, is not.
#[test]
fn a_request_at_a_fault_edge_meets_what_comes_after_it() {
    assert_eq!(play("10ms", AT_ARRIVALS, "", "").failures.of_stage(Stage::Undetected), 3);
}

/// The answer that was due at the very start of the fault is lost with it; one nanosecond earlier it is not.
#[test]
fn an_answer_due_at_the_start_of_a_fault_is_lost() {
    let in_flight = |at| {
        let fault = format!("at = \"{at}\"\nlasts = \"1ms\"\nin_flight = \"fail\"");
        play("500ms", &fault, "", "").failures.of_stage(Stage::InFlightAtOnset)
    };
    assert_eq!(in_flight("2s"), 1);
    assert_eq!(in_flight("2s 1ns"), 0);
}

/// A probe that fails at 3.5 s ejects the provider before the request of 3.5 s is routed.
#[test]
fn a_probe_result_comes_before_an_arrival() {
    // Refused at once.
    let lost = |first| {
        let check = format!(
            r#"gateway.health_check = {{ interval = "1h", timeout = "1s", first_probe = {{ at = "{first}" }} }}"#
        );
        play("10ms", AT_ARRIVALS, &check, "").failures.total()
    };
    assert_eq!(lost("3500ms"), 1);
    assert_eq!(lost("3500ms 1ns"), 2);
}

/// A switch at 3.5 s applies to the request of 3.5 s.
#[test]
fn the_operator_comes_before_an_arrival() {
    let lost = |at| {
        let operator = format!("[operator.hand]\nat = \"{at}\"\navoid = [\"a\"]");
        play("10ms", AT_ARRIVALS, "", &operator).failures.total()
    };
    assert_eq!(lost("3500ms"), 1);
    assert_eq!(lost("3500ms 1ns"), 2);
}

/// A fault that is found out only after its end was not detected, and what is admitted then has not recovered from it.
#[test]
fn what_is_ejected_after_a_fault_has_not_recovered_from_it() {
    let check = r#"gateway.health_check = { interval = "2s", timeout = "1s", first_probe = { at = "5s" } }"#;
    let outcome = play("10ms", &format!("{AT_ARRIVALS}\nprobes = \"hang\""), check, "");
    let row = outcome.faults[0];
    assert_eq!((row.detected_after, row.was_ejected_at_end, row.recovered_after), (None, false, None));
    let changes = outcome.timeline.expect("it was wanted");
    assert_eq!(changes.iter().filter(|c| matches!(c.event, TimelineEvent::Health { .. })).count(), 2);
}
