//! What faults of providers and of the gateway do to requests, and queues at providers against closed forms.

use crate::play::{Log, assert_moments, model};
use failover_sim::engine::{Cause, Ending, Stage};
use failover_sim::model::Answer;

/// Provider `a` alone, of which an answer takes 2 s and the first token a quarter of that; requests at 0.5, 1.5 ... s.
fn hit(requests: &str, gateway: &str) -> Log {
    hit_in_flight(requests, "finish", gateway)
}

fn hit_in_flight(requests: &str, in_flight: &str, gateway: &str) -> Log {
    let toml = format!(
        r#"
        duration = "20s"
        traffic.arrivals = {{ constant = "1/s" }}
        provider.a = {{ latency = {{ constant = "2s" }}, first_token = 0.25 }}
        [fault.f]
        on = {{ name = "a" }}
        at = "10s"
        lasts = "5s"
        requests = {requests}
        in_flight = "{in_flight}"
        [gateway]
        {gateway}
        "#
    );
    Log::of(&toml, 0)
}

fn failed(log: &Log, cause: Cause) -> usize {
    log.requests.iter().filter(|r| matches!(r.ending, Ending::Failed(c, _) if c == cause)).count()
}

/// Requests sent from 10.5 to 14.5 s wait until 15 s and are answered then: 6.5 s, 5.5 s ... instead of 2 s.
#[test]
fn a_pause_delays_and_loses_nothing() {
    let log = hit("\"pause\"", "");
    assert_eq!(log.failed(), 0);
    assert_eq!(log.durations()[8..17], [2.0, 2.0, 6.5, 5.5, 4.5, 3.5, 2.5, 2.0, 2.0]);
}

/// A part of an answer comes after the pause that it waited for, also where a slot had to be free for it.
#[test]
fn a_pause_comes_before_what_cuts_an_answer_short() {
    for capacity in ["", "capacity = { slots = 100 }"] {
        let toml = format!(
            r#"
            duration = "20s"
            traffic = {{ arrivals = {{ constant = "1/s" }} }}
            [provider.a]
            latency = {{ constant = "2s" }}
            {capacity}
            [fault.paused]
            on = {{ name = "a" }}
            at = "5s"
            lasts = "5s"
            requests = "pause"
            [fault.short]
            on = {{ name = "a" }}
            at = "5s"
            lasts = "5s"
            requests = {{ truncate = 0.25 }}
            "#
        );
        let log = Log::of(&toml, 0);
        // They arrive at the half of each second, and end at 10.5 s.
        assert_eq!(log.durations()[4..11], [2.0, 5.0, 4.0, 3.0, 2.0, 1.0, 2.0], "{capacity}");
        assert_eq!(failed(&log, Cause::Truncated), 5);
    }
}

/// Connections that are never established end with the connect timeout, and with nothing else.
#[test]
fn a_drop_ends_with_the_connect_timeout() {
    let log = hit("\"drop\"", "timeouts = { connect = \"1s\", attempt = \"9s\" }");
    assert_eq!(log.durations()[9..16], [2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]);
    assert_eq!(log.attempts.iter().filter(|a| a.answer == Answer::ConnectTimeout).count(), 5);
    assert_eq!(failed(&log, Cause::Timeout), 5);
    let waits = hit("\"drop\"", "timeouts = { first_token = \"4s\" }");
    assert_eq!(waits.durations()[10], 4.0);
    let open = hit("\"drop\"", "");
    assert_eq!(open.requests.iter().filter(|r| r.ending == Ending::Open).count(), 5);
}

/// A stall before the first token is a timeout, one after it shows in the gap between two tokens.
#[test]
fn a_stall_ends_with_the_idle_timeout() {
    let timeouts = "timeouts = { first_token = \"4s\", idle = \"3s\" }";
    let log = hit("{ stall = 0.75 }", timeouts);
    assert_eq!(log.durations()[9..12], [2.0, 1.5 + 3.0, 4.5]);
    assert_eq!(log.attempts.iter().filter(|a| a.answer == Answer::Stalled).count(), 5);
    let log = hit("{ stall = 0.2 }", timeouts);
    assert_eq!(log.durations()[9..12], [2.0, 4.0, 4.0]);
    assert_eq!(log.attempts.iter().filter(|a| a.answer == Answer::Timeout).count(), 5);
}

/// A cut breaks the answer off there and then; a truncated one ends as early, and only the client can tell.
#[test]
fn a_cut_and_a_truncation_end_early() {
    let detector = "[gateway.detector.d]\nconsecutive = 2\neject_for = \"1h\"\n";
    let log = hit("{ cut = 0.75 }", "");
    assert_eq!(log.durations()[9..12], [2.0, 1.5, 1.5]);
    assert_eq!((failed(&log, Cause::Truncated), log.failed()), (5, 5));
    assert_eq!(hit("{ cut = 0.75 }", detector).ejections_ms().0, [13_000.0]);
    let log = hit("{ truncate = 0.75 }", detector);
    assert_eq!(log.durations()[9..12], [2.0, 1.5, 1.5]);
    assert_eq!((failed(&log, Cause::Truncated), log.failed()), (5, 5));
    assert!(log.changes.is_empty(), "the gateway does not notice");
}

/// What is in flight at the start, sent at 8.5 and 9.5 s, breaks, hangs or ends as it would have.
#[test]
fn in_flight_at_the_onset() {
    let ends = |in_flight: &str| {
        hit_in_flight("\"refuse\"", in_flight, "timeouts = { attempt = \"6s\" }").durations()[7..11].to_vec()
    };
    assert_eq!(ends("finish"), [2.0, 2.0, 2.0, 0.0]);
    assert_eq!(ends("fail"), [2.0, 1.5, 0.5, 0.0]);
    assert_eq!(ends("hang"), [2.0, 6.0, 6.0, 0.0]);
}

/// Replicas of a gateway before `a`, which is dead from 5 s on, and `b`, which takes 1 s; three failures eject.
fn gateway_fault(replicas: u32, health: &str, fault: &str) -> Log {
    let toml = format!(
        r#"
        duration = "60s"
        traffic.arrivals = {{ constant = "10/s" }}
        provider.a.latency = {{ constant = "0s" }}
        provider.b.latency = {{ constant = "1s" }}
        [fault.outage]
        on = {{ name = "a" }}
        at = "5s"
        lasts = "1h"
        requests = {{ status = 503 }}
        [gateway]
        replicas = {replicas}
        route = {{ prefer = ["a", "b"] }}
        {health}
        [gateway.detector.d]
        consecutive = 3
        eject_for = "1h"
        {fault}
        "#
    );
    Log::of(&toml, 0)
}

/// A crash loses what is in flight and all that comes while it lasts; then the gateway finds out about `a` once more.
#[test]
fn a_crash_loses_what_is_in_flight_and_what_was_known() {
    let crash = "[gateway.fault.crash]\nat = \"30s\"\nlasts = \"10s\"\neffect = \"crash\"";
    let log = gateway_fault(1, "", crash);
    let mut lost: Vec<u64> = (log.requests.iter())
        .filter(|r| matches!(r.ending, Ending::Failed(Cause::GatewayDown, Stage::GatewayDown)))
        .map(|r| r.ordinal)
        .collect();
    lost.sort_unstable();
    assert_eq!(lost.len(), 10 + 100, "a second in flight and ten seconds down");
    assert_eq!((lost[0], lost[109]), (290, 399));
    assert_eq!(log.failed() - lost.len(), 3 + 3, "found out twice");
    let (ejected, admitted) = log.ejections_ms();
    assert_eq!((ejected, admitted[0]), (vec![5_250.0, 40_250.0], 40_000.0));
}

/// A replica that is drained is gone with what is in flight, but the other one takes its requests.
#[test]
fn a_drain_sends_requests_to_the_others() {
    let of = |effect: &str| {
        let fault =
            format!("[gateway.fault.f]\nat = \"30s\"\nlasts = \"10s\"\neffect = \"{effect}\"\nreplicas = 1");
        gateway_fault(2, "", &fault)
    };
    let drained = of("drain");
    let down = |log: &Log, from: f64, to: f64| {
        let down = log.requests.iter().filter(|r| matches!(r.ending, Ending::Failed(Cause::GatewayDown, _)));
        down.filter(|r| (from..to).contains(&r.arrived.as_millis_f64())).count()
    };
    let in_flight = down(&drained, 29_000.0, 30_000.0);
    assert!((1..10).contains(&in_flight), "{in_flight} of 10 were at the first replica");
    assert_eq!(down(&drained, 0.0, 60_000.0), in_flight);
    let served = drained.requests.iter().filter(|r| (30e3..40e3).contains(&r.arrived.as_millis_f64()));
    assert!(served.clone().all(|r| r.replica == 1) && served.count() == 100);
    // Without anybody to take them, those that would have come are lost.
    let crashed = of("crash");
    assert_eq!(down(&crashed, 29_000.0, 30_000.0), in_flight);
    let lost = down(&crashed, 30_000.0, 40_000.0);
    assert!((35..65).contains(&lost), "{lost} of 100");
}

/// A replica that cannot read the shared state keeps sending to `a`, which the other one has found dead, until it can.
#[test]
fn a_lost_store_freezes_the_view() {
    let fault = "[gateway.fault.f]\nat = \"1s\"\nlasts = \"29s\"\neffect = \"lose_store\"\nreplicas = 1";
    let log = gateway_fault(2, "health = { shared = \"0s\" }", fault);
    let change = |replica: u32| {
        let of_it = log.changes.iter().filter(|c| c.replica == replica && !c.admitted);
        of_it.map(|c| c.at.as_millis_f64()).collect::<Vec<f64>>()
    };
    assert_eq!((change(0), change(1)), (vec![30_000.0], vec![5_250.0]));
    let failed = log.requests.iter().filter(|r| r.status.is_some());
    let late = failed.clone().filter(|r| r.arrived.as_millis_f64() > 5_250.0);
    assert!(late.clone().all(|r| r.replica == 0) && late.count() > 80);
    let whole = gateway_fault(2, "health = { shared = \"0s\" }", "");
    assert_eq!(whole.failed(), 3, "together they need three failures, not three each");
}

/// The share that c servers of load a turn away.
fn erlang_b(c: u32, a: f64) -> f64 {
    (1..=c).fold(1.0, |b, k| a * b / (f64::from(k) + a * b))
}

fn capacity(seconds: u32, rate: f64, latency: &str, slots: u32, more: &str) -> String {
    format!(
        r#"
        duration = "{seconds}s"
        traffic.arrivals = {{ poisson = "{rate}/s" }}
        provider.a = {{ latency = {latency}, capacity = {{ slots = {slots}{more} }} }}
        "#
    )
}

/// M/M/c: C = c B / (c - a (1 - B)) have to wait, and Wq = C / (c mu - lam).
#[test]
fn c4_waits_for_a_slot_are_erlang_cs() {
    let (c, rate) = (10.0, 8.0);
    let model = model(&capacity(600, rate, "{ exponential = { mean = \"1s\" } }", 10, ""));
    let took: Vec<f64> = (0..30)
        .map(|run| {
            let log = Log::of_model(&model, run);
            let steady: Vec<f64> = log.durations().into_iter().skip(400).collect();
            steady.iter().sum::<f64>() / steady.len() as f64
        })
        .collect();
    let b = erlang_b(10, rate);
    let waiting = c * b / (c - rate * (1.0 - b));
    assert_moments("M/M/10", &took, 1.0 + waiting / (c - rate), None);
}

/// M/D/1: a share rho has to wait, for rho / 2 (1 - rho) services in the mean over all.
#[test]
fn c4_one_slot_of_constant_service() {
    let rho = 0.6;
    let model = model(&capacity(1500, rho, "{ constant = \"1s\" }", 1, ""));
    let runs = (0..30).map(|run| Log::of_model(&model, run).durations().split_off(50));
    let (mut waited, mut took) = (vec![], vec![]);
    for durations in runs {
        let n = durations.len() as f64;
        waited.push(durations.iter().filter(|d| **d > 1.0).count() as f64 / n);
        took.push(durations.iter().sum::<f64>() / n);
    }
    assert_moments("M/D/1 who waits", &waited, rho, None);
    assert_moments("M/D/1 how long", &took, 1.0 + rho / (2.0 * (1.0 - rho)), None);
}

/// Without a queue Erlang's B is turned away, whatever the service's distribution: 0.3019 of 12 on 10.
#[test]
fn c4_a_provider_without_a_queue_turns_away_erlang_bs() {
    let expected = erlang_b(10, 12.0);
    assert!((expected - 0.3019).abs() < 1e-4);
    for latency in ["{ constant = \"1s\" }", "{ exponential = { mean = \"1s\" } }"] {
        let model = model(&capacity(300, 12.0, latency, 10, ", queue = 0"));
        let turned_away: Vec<f64> = (0..20)
            .map(|run| {
                let log = Log::of_model(&model, run);
                let late: Vec<_> = log.requests.iter().filter(|r| r.ordinal >= 100).collect();
                let away = late.iter().filter(|r| r.status == Some(503)).count();
                away as f64 / late.len() as f64
            })
            .collect();
        assert_moments(latency, &turned_away, expected, None);
    }
}

/// The others get all requests of a replica that is drained, those of clients who ask again, too; with an overhead of the
/// gateway as without.
#[test]
fn who_asks_again_is_taken_by_another_replica() {
    for overhead in ["", "gateway.overhead = { constant = \"1us\" }"] {
        let log = Log::of(
            &format!(
                "duration = \"60s\"
                traffic.arrivals = {{ poisson = \"50/s\" }}
                traffic.client_retry = {{ attempts = 1, on = [\"any\"], delay = \"100ms\" }}
                provider.a.latency = {{ constant = \"1s\" }}
                gateway.replicas = 2
                gateway.fault.f = {{ at = \"20s\", lasts = \"30s\", effect = \"drain\", replicas = 1 }}
                {overhead}"
            ),
            0,
        );
        assert_eq!(log.failed(), 0, "{overhead}");
    }
}
