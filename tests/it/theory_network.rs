//! Round trips, and what the gateway adds, by arithmetic on single requests.

use crate::play::{Log, model};
use failover_sim::engine::{Cause, Ending, Path, fastest_path};
use failover_sim::metrics::MetricsRecorder;

/// One request a second to `a`, which lies beside the gateway, and then to `b`, which lies far from it.
fn scenario(traffic: &str, gateway: &str, more: &str) -> String {
    format!(
        r#"
        duration = "3s"
        [traffic]
        arrivals = {{ constant = "1/s" }}
        {traffic}
        [provider.a]
        labels = {{ region = "us" }}
        latency = {{ constant = "1s" }}
        first_token = 0.3
        [provider.b]
        labels = {{ region = "ap" }}
        latency = {{ constant = "1s" }}
        first_token = 0.3
        [network.rtt.us]
        us = "2ms"
        eu = "80ms"
        ap = "200ms"
        [network.rtt.eu]
        ap = "150ms"
        [gateway]
        route = {{ prefer = ["a", "b"] }}
        {gateway}
        {more}
        "#
    )
}

const FAR: &str = "region = \"eu\"";
const GATEWAY: &str = "region = \"us\"\noverhead = { constant = \"15ms\" }";

/// `a` does this to all requests.
fn broken(requests: &str) -> String {
    format!(
        "[fault.f]\non = {{ name = \"a\" }}\nat = \"0s\"\nlasts = \"9s\"\nrequests = {requests}\nprobes = \"unaffected\"\n"
    )
}

/// How long each request took, in milliseconds, which is the same for all of them; and how they ended.
#[track_caller]
fn took(toml: &str) -> (f64, Ending) {
    let log = Log::of(toml, 0);
    assert_eq!(log.requests.len(), 3);
    let of = |i: usize| {
        let request = &log.requests[i];
        (request.ended.since(request.arrived).as_millis_f64(), request.ending)
    };
    assert_eq!([of(1), of(2)], [of(0); 2]);
    of(0)
}

#[test]
fn a_request_takes_its_round_trips_and_what_the_gateway_adds() {
    let far = scenario(FAR, GATEWAY, "");
    assert_eq!(took(&far), (40.0 + 15.0 + 2.0 + 1000.0 + 40.0, Ending::Succeeded));
    let log = Log::of(&far, 0);
    let attempt = &log.attempts[0];
    assert_eq!(attempt.sent.since(log.requests[0].arrived).as_millis_f64(), 55.0);
    assert_eq!(attempt.ended.since(attempt.sent).as_millis_f64(), 1002.0);
    // Clients of whom nothing is said are beside the gateway, and a gateway of which nothing is said beside its clients.
    assert_eq!(took(&scenario("", "region = \"eu\"", "")).0, 1080.0);
    assert_eq!(took(&scenario(FAR, "", "")).0, 1080.0);
    assert_eq!(took(&scenario("region = \"ap\"", "region = \"ap\"", "")).0, 1200.0, "none within a region");
}

#[test]
fn an_error_comes_back_over_the_network_and_what_never_connects_does_not() {
    let then = |requests: &str| {
        let gateway = format!("{GATEWAY}\nfallback = {{}}\ntimeouts = {{ connect = \"500ms\" }}");
        took(&scenario(FAR, &gateway, &broken(requests)))
    };
    assert_eq!(then("\"refuse\""), (40.0 + 15.0 + 2.0 + 1200.0 + 40.0, Ending::Succeeded));
    assert_eq!(then("{ status = 503 }").0, 1297.0);
    assert_eq!(then("\"drop\"").0, 40.0 + 15.0 + 500.0 + 1200.0 + 40.0);
    assert_eq!(then("{ cut = 0.2 }").0, 40.0 + 15.0 + 202.0 + 1200.0 + 40.0);
}

/// The client counts from when it asks; an answer at the very moment of its timer still counts.
#[test]
fn a_client_waits_for_the_ways_too() {
    let with_timeout = |ms: u32| took(&scenario(&format!("{FAR}\nclient_timeout = \"{ms}ms\""), GATEWAY, ""));
    assert_eq!(with_timeout(1097), (1097.0, Ending::Succeeded));
    for ms in [1096, 100, 54, 41, 39, 1] {
        let (took, ending) = with_timeout(ms);
        assert_eq!(took, f64::from(ms));
        assert!(matches!(ending, Ending::Failed(Cause::Timeout, _)), "{ending:?}");
    }
    // The gateway's own timer counts from when it has the request, and the client is told half a round trip later.
    let gateway = format!("{GATEWAY}\ntimeouts = {{ request = \"500ms\" }}");
    assert_eq!(took(&scenario(FAR, &gateway, "")).0, 40.0 + 500.0 + 40.0);
}

#[test]
fn a_client_asks_again_when_it_is_told() {
    let traffic = format!("{FAR}\nclient_retry = {{ attempts = 1, on = [\"5xx\"], delay = \"500ms\" }}");
    let (took, ending) = took(&scenario(&traffic, GATEWAY, &broken("{ status = 503 }")));
    assert!(matches!(ending, Ending::Failed(Cause::Status, _)), "{ending:?}");
    assert_eq!(took, 97.0 + 500.0 + 97.0);
}

#[test]
fn a_first_token_comes_over_the_network() {
    let with_timer = |ms: u32| {
        let gateway = format!("{FAR}\ntimeouts = {{ first_token = \"{ms}ms\" }}");
        took(&scenario(FAR, &gateway, "")).1
    };
    assert_eq!(with_timer(380), Ending::Succeeded);
    assert!(matches!(with_timer(379), Ending::Failed(Cause::Timeout, _)));
}

#[test]
fn a_probe_goes_where_its_gateway_is() {
    for (traffic, gateway, ms) in
        [(FAR, GATEWAY, [52.0, 250.0]), (FAR, "", [130.0, 200.0]), ("", "region = \"ap\"", [250.0, 50.0])]
    {
        let check = format!(
            "{gateway}\nhealth_check = {{ interval = \"1s\", timeout = \"2s\", first_probe = {{ at = \"0s\" }} }}"
        );
        let log = Log::of(&scenario(traffic, &check, ""), 0);
        let took = |provider: usize| {
            let probe = log.probes.iter().find(|probe| probe.provider.index() == provider).expect("a probe");
            probe.ended.since(probe.sent).as_millis_f64()
        };
        assert_eq!([took(0), took(1)], ms);
    }
}

/// Classes of clients in two places, of a gateway that is beside each of them, or in one place.
#[test]
fn each_class_has_its_own_way() {
    let classes = "[traffic.class.chat]\nregion = \"us\"\n[traffic.class.code]\nregion = \"eu\"\n";
    let of = |gateway: &str| {
        let toml = scenario("", gateway, classes).replace("duration = \"3s\"", "duration = \"30s\"");
        let mut took: Vec<f64> = Log::of(&toml, 0).durations();
        took.sort_by(f64::total_cmp);
        took.dedup();
        took
    };
    assert_eq!(of(""), [1.002, 1.08]);
    assert_eq!(of("region = \"us\""), [1.004, 1.082]);
}

/// A replica that crashes takes with it what it has; what is on its way then finds it gone.
#[test]
fn what_is_on_its_way_is_not_at_the_gateway() {
    let crash =
        "[gateway.fault.crash]\nat = \"2510ms\"\nlasts = \"30ms\"\neffect = \"crash\"\nreplicas = 1\n";
    let log = |lasts: &str| {
        let toml = scenario(FAR, GATEWAY, &crash.replace("30ms", lasts));
        let mut requests = Log::of(&toml, 0).requests;
        requests.sort_by_key(|request| request.ordinal);
        requests
    };
    let took = |lasts: &str| -> Vec<(f64, bool)> {
        let of = |r: &failover_sim::engine::RequestEnd| {
            (r.ended.since(r.arrived).as_millis_f64(), r.ending == Ending::Succeeded)
        };
        log(lasts).iter().map(of).collect()
    };
    // That of 1.5 s is told 40 ms after the crash at 2.51 s; that of 2.5 s comes at 2.555 s.
    assert_eq!(took("30ms"), [(1097.0, true), (1050.0, false), (1097.0, true)]);
    assert_eq!(took("60ms"), [(1097.0, true), (1050.0, false), (95.0, false)]);
}

/// What a gateway adds belongs to the request: not to the replica that it comes to.
#[test]
fn a_gateways_overhead_is_the_same_for_any_replica() {
    let overhead = "overhead = { percentiles = { p50 = \"15ms\", p95 = \"40ms\", p99 = \"900ms\" } }";
    let durations = |replicas: u32| {
        let toml = scenario(FAR, &format!("region = \"us\"\nreplicas = {replicas}\n{overhead}"), "");
        Log::of(&toml.replace("\"3s\"", "\"300s\""), 0).durations()
    };
    let one = durations(1);
    assert_eq!(one, durations(3));
    let mut added: Vec<f64> = one.iter().map(|took| took - 1.082).collect();
    added.sort_by(f64::total_cmp);
    assert!((added[150] - 0.015).abs() < 0.003 && added[299] > 0.1, "{added:?}");
}

/// The round trip to a provider is in what its attempts take, so requests need not be events for it.
#[test]
fn only_what_is_routed_later_needs_events() {
    let path = |toml: &str| fastest_path::<MetricsRecorder>(&model(toml));
    assert_eq!(path(&scenario(FAR, "", "")), Path::Counting);
    assert_eq!(path(&scenario(FAR, FAR, "")), Path::Counting);
    assert_eq!(path(&scenario(FAR, "region = \"us\"", "")), Path::Plain);
    assert_eq!(path(&scenario(FAR, "overhead = { constant = \"1ms\" }", "")), Path::Plain);
}
