//! What the story says of latency, as scenarios: under a 100 ms budget go direct, occasional spikes of the 99th percentile,
//! more than 300 tokens a second.

use crate::play::{Log, model};
use failover_sim::metrics::{METRICS, Wanted, measure};

/// Classifications in one word, for which clients have 100 ms; what follows says where they are, and what routes them.
fn within_budget(gateway: &str) -> f64 {
    let toml = format!(
        r#"
        duration = "200s"
        [traffic]
        arrivals = {{ constant = "100/s" }}
        client_timeout = "100ms"
        region = "us-east-1"
        [provider.model]
        labels = {{ region = "us-east-1" }}
        latency = {{ lognormal = {{ p50 = "45ms", p99 = "90ms" }} }}
        [network.rtt.us-east-1]
        us-east-1 = "2ms"
        us-west-2 = "64ms"
        {gateway}
        "#
    );
    let log = Log::of(&toml, 0);
    1.0 - log.failed() as f64 / log.requests.len() as f64
}

/// The standard normal distribution function.
fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// The share of draws below `x` of what is lognormal with this median and 99th percentile.
fn lognormal(x: f64, p50: f64, p99: f64) -> f64 {
    let sigma = libm::log(p99 / p50) / 2.326_347_874_040_840_8;
    normal(libm::log(x / p50) / sigma)
}

#[track_caller]
fn assert_share(share: f64, expected: f64, of: f64) {
    let four_errors = 4.0 * libm::sqrt(expected * (1.0 - expected) / of);
    assert!((share - expected).abs() <= four_errors, "{share}, expected {expected}");
}

/// What is left of 100 ms after the network and the gateway is what the model may take.
#[test]
fn under_a_budget_of_100_ms_go_direct() {
    let left = |ms: f64| lognormal(ms, 45.0, 90.0);
    let direct = within_budget("");
    assert_share(direct, left(98.0), 20_000.0);
    assert!(direct > 0.99);
    let beside = within_budget("[gateway]\noverhead = { constant = \"20ms\" }");
    assert_share(beside, left(78.0), 20_000.0);
    // A gateway in one other region: there and back to it, and from there to the provider and back again.
    let detour = within_budget("[gateway]\nregion = \"us-west-2\"\noverhead = { constant = \"20ms\" }");
    assert_eq!(detour, 0.0, "two round trips of 64 ms are more than there is");
    // Most gateways add little most of the time, and that is not what breaks a budget.
    let spiky = "[gateway]\noverhead = { percentiles = { p50 = \"3ms\", p95 = \"8ms\", p99 = \"250ms\" } }";
    let spiky = within_budget(spiky);
    assert!((0.96..0.985).contains(&spiky), "{spiky}: one in 100 is late before it is routed");
}

/// GPT-4o as modelstats.ai measured it: a 99th percentile of seven medians, beside a 95th of less than two.
#[test]
fn occasional_spikes_of_the_99th_percentile() {
    let toml = r#"
        duration = "1000s"
        traffic.arrivals = { poisson = "100/s" }
        [provider.gpt4o]
        latency = { percentiles = { p50 = "639ms", p95 = "1144ms", p99 = "4517ms", max = "7010ms" } }
    "#;
    let outcome = measure(&model(toml), 1, 0, Wanted::METRICS, None);
    let value =
        |name: &str| METRICS.iter().find(|m| m.name == name).and_then(|m| m.of(&outcome)).expect(name);
    for (name, expected, error) in [
        // A bin of the histogram, and four standard errors: sqrt(q (1 - q) / n) / density.
        ("request_latency_ms_p50", 639.0, 0.015),
        ("request_latency_ms_p95", 1144.0, 0.025),
        ("request_latency_ms_p99", 4517.0, 0.11),
    ] {
        assert!((value(name) / expected - 1.0).abs() < error, "{name}: {}", value(name));
    }
}

/// Of answers with 600 tokens, those are written at 300 a second and more that take up to two seconds after their first
/// token, here 100 ms: a client who waits for 2.1 seconds has all of them and no others.
#[test]
fn more_than_300_tokens_a_second() {
    let share = |speed: &str| {
        let toml = format!(
            r#"
            duration = "200s"
            [traffic]
            arrivals = {{ constant = "100/s" }}
            client_timeout = "2100ms"
            [traffic.class.chat]
            output_tokens = {{ constant = 600 }}
            [provider.groq]
            latency = {{ tokens = {{ first_token = {{ constant = "100ms" }}, {speed} }} }}
            "#
        );
        let log = Log::of(&toml, 0);
        1.0 - log.failed() as f64 / log.requests.len() as f64
    };
    assert_eq!([share("per_second = 300.0"), share("per_second = 299.0")], [1.0, 0.0]);
    // Slowness is lognormal as speed is: the median is 1/340, and one in 100 is above 1/230.
    assert_share(
        share("per_second = 340.0, per_second_p1 = 230.0"),
        lognormal(1.0 / 300.0, 1.0 / 340.0, 1.0 / 230.0),
        20_000.0,
    );
}
