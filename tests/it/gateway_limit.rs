//! What a gateway takes in, and what it answers itself: by hand, request by request.

use crate::lowering::EVERYTHING;
use crate::play::{Log, assert_moments, model, on_path, outcomes};
use failover_sim::engine::{Cause, Ending, Path, RequestEnd, Stage};
use failover_sim::metrics::metric;
use failover_sim::model::{Allowance, Cache, GatewayLimit, Probability};
use failover_sim::time::SimDuration;
use std::num::NonZeroU32;

#[test]
fn what_is_written_is_what_is_taken_in() {
    let gateway = model(EVERYTHING).gateway;
    assert_eq!(
        gateway.limit,
        Some(GatewayLimit {
            in_flight: NonZeroU32::new(100),
            queue: 50,
            queue_timeout: Some(SimDuration::from_secs(5)),
            rate: Some(Allowance { amount: 200, period: SimDuration::from_secs(1) }),
            burst: Some(SimDuration::from_millis(500)),
            answer: 429,
        })
    );
    let hit_ratio = Probability::new(0.25).expect("a share");
    assert_eq!(gateway.cache, Some(Cache { hit_ratio, latency: SimDuration::from_millis(5) }));
}

/// Requests a second apart at a provider that takes 2.5 s, with these settings of the gateway and of traffic: when each
/// ended, in seconds since the first one came, and whether the gateway turned it away.
fn by_hand(seconds: u32, gateway: &str, traffic: &str) -> Vec<(f64, bool)> {
    let toml = format!(
        r#"
        duration = "{seconds}s"
        [traffic]
        arrivals = {{ constant = "1/s" }}
        {traffic}
        [provider.a]
        latency = {{ constant = "2500ms" }}
        [gateway]
        {gateway}
        "#
    );
    let mut requests = Log::of(&toml, 0).requests;
    requests.sort_by_key(|request| request.ordinal);
    let first = requests[0].arrived;
    let is_turned_away = |request: &RequestEnd| match request.ending {
        Ending::Succeeded => false,
        Ending::Failed(Cause::GatewayLimit, Stage::GatewayLimit) => {
            assert_eq!((request.attempts, request.provider), (0, None));
            true
        }
        other => panic!("{other:?}"),
    };
    requests.iter().map(|r| (r.ended.since(first).as_secs_f64(), is_turned_away(r))).collect()
}

#[test]
fn so_many_at_a_time_and_so_many_wait() {
    let one = "limit = { in_flight = 1 }";
    assert_eq!(by_hand(5, one, ""), [(2.5, false), (1.0, true), (2.0, true), (5.5, false), (4.0, true)]);
    let queue = "limit = { in_flight = 1, queue = 1 }";
    assert_eq!(by_hand(5, queue, ""), [(2.5, false), (5.0, false), (2.0, true), (7.5, false), (4.0, true)]);
    // Nobody waits for more than a second: those of 1 s and 3 s are turned away, those of 2 s and 4 s come in.
    let impatient = "limit = { in_flight = 1, queue = 5, queue_timeout = \"1s\" }";
    assert_eq!(
        by_hand(5, impatient, ""),
        [(2.5, false), (2.0, true), (5.0, false), (4.0, true), (7.5, false)]
    );
}

/// Five a second, of which the bucket holds one: of ten a second every other one.
#[test]
fn so_many_a_second() {
    let toml = r#"
        duration = "10s"
        traffic = { arrivals = { constant = "10/s" } }
        provider.a = { latency = { constant = "0s" } }
        gateway.limit = { rate = "5/s", burst = "200ms", answer = 429 }
    "#;
    let outcome = on_path(&model(toml), Path::Plain, 1, 0);
    assert_eq!((outcome.succeeded_count, outcome.failures.of_cause(Cause::GatewayLimit)), (50, 50));
    // A client that asks again knocks again: when no others come any more, each finds the one that has come meanwhile.
    let again = toml.replace(
        "traffic = { arrivals = { constant = \"10/s\" } }",
        "traffic = { arrivals = { constant = \"10/s\" }, client_retry = { attempts = 1, on = [429], delay = \"10100ms\" } }",
    );
    let outcome = on_path(&model(&again), Path::Plain, 1, 0);
    assert_eq!((outcome.succeeded_count, outcome.failures.total()), (100, 0));
}

/// One at a time for 2.5 s, with room for one: who comes later and is worth more takes the place of who is worth less.
#[test]
fn who_is_worth_more_comes_first() {
    let toml = |priority: u32| {
        format!(
            r#"
            duration = "200s"
            [traffic]
            arrivals = {{ constant = "1/s" }}
            class.low = {{ share = 3.0 }}
            class.high = {{ share = 1.0, priority = {priority} }}
            [provider.a]
            latency = {{ constant = "1500ms" }}
            [gateway.limit]
            in_flight = 1
            queue = 1
            "#
        )
    };
    let fares = |priority| {
        let model = model(&toml(priority));
        let mut requests = Log::of_model(&model, 0).requests;
        requests.sort_by_key(|request| request.ordinal);
        let key = failover_sim::random::Key::for_run(1, 0).named("requests");
        let class = |r: &RequestEnd| {
            model.traffic.classes[model.traffic.class_of(key.numbered(r.ordinal))].name.clone()
        };
        let lost = |name: &str| {
            let of_class = requests.iter().filter(|request| class(request) == name);
            let lost = of_class.clone().filter(|request| request.ending != Ending::Succeeded).count();
            lost as f64 / of_class.count() as f64
        };
        (lost("high"), lost("low"))
    };
    let (high, low) = fares(0);
    assert!((0.2..0.5).contains(&high) && (0.2..0.5).contains(&low), "{high} {low}");
    let (high, low) = fares(1);
    assert!(high < 0.1 && low > 0.35, "{high} {low}");
}

/// A replica that crashes forgets who waits at its door, and has room again when it is back.
#[test]
fn a_crash_empties_the_queue() {
    let toml = r#"
        duration = "60s"
        traffic = { arrivals = { constant = "10/s" } }
        provider.a = { latency = { constant = "900ms" } }
        gateway.limit = { in_flight = 10, queue = 20 }
        gateway.fault.crash = { at = "20s", lasts = "10s", effect = "crash" }
    "#;
    let outcome = on_path(&model(toml), Path::Plain, 1, 0);
    assert_eq!(outcome.failures.of_cause(Cause::GatewayLimit), 0);
    assert_eq!(outcome.succeeded_count, 600 - outcome.failures.of_cause(Cause::GatewayDown));
    let slow = toml.replace("900ms", "2s");
    let outcome = on_path(&model(&slow), Path::Plain, 1, 0);
    // Two seconds each: half of them come in, but for what the crash takes with it.
    assert!(
        outcome.succeeded_count > 240 && outcome.failures.of_cause(Cause::GatewayLimit) > 200,
        "{outcome:?}"
    );
}

/// A fifth of all requests are answered without a provider, while there is one and while there is none.
#[test]
fn a_cache_answers_in_an_outage_too() {
    let toml = r#"
        duration = "100s"
        traffic = { arrivals = { constant = "50/s" } }
        provider.a = { latency = { constant = "1s" } }
        gateway.cache = { hit_ratio = 0.2, latency = "5ms" }
        fault.f = { on = { name = "a" }, at = "50s", lasts = "1h" }
    "#;
    let runs = outcomes(&model(toml), 20);
    let hits: Vec<f64> = runs.iter().map(|o| o.cache_hit_count.expect("a cache") as f64).collect();
    assert_moments("hits", &hits, 1_000.0, Some(800.0));
    for outcome in &runs {
        let hits = outcome.cache_hit_count.expect("a cache");
        assert_eq!(outcome.attempt_count + hits, outcome.request_count);
        assert_eq!(outcome.latency.expect("some succeed").p50, outcome.latency.expect("some succeed").p95);
    }
    let lost: Vec<f64> = runs.iter().map(|o| o.failures.total() as f64).collect();
    assert_moments("lost", &lost, 2_000.0, Some(400.0));
    // Every answer, at once.
    let all = toml.replace("0.2", "1.0");
    let outcome = on_path(&model(&all), Path::Plain, 1, 0);
    assert_eq!((outcome.succeeded_count, outcome.attempt_count), (5_000, 0));
    assert_eq!(outcome.latency.expect("they succeed").p99.as_millis_f64().round(), 5.0);
    // Null where there is none.
    let none = toml.replace("gateway.cache = { hit_ratio = 0.2, latency = \"5ms\" }", "");
    let hits = metric("cache_hit_count").expect("a metric");
    assert_eq!(hits.of(&on_path(&model(&none), Path::Plain, 1, 0)), None);
}
