//! Latency with a tail.

use super::Base;

pub const BASES: &[Base] = &[Base {
    at: &["provider.a.latency", "gateway.health_check.latency"],
    toml: r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "20/s" } }
    [provider.a]
    latency = { constant = "800ms" }
    [provider.b]
    latency = { constant = "900ms" }
    [gateway]
    route = { prefer = ["a", "b"] }
    health_check = { interval = "1s", timeout = "3100ms" }
    "#,
    knobs: &[(
        &["@={ percentiles = { p50 = \"300ms\", p95 = \"1500ms\", p99 = \"3s\", max = \"20s\" } }"],
        &[
            ("@.percentiles.p50", "\"400ms\""),
            ("@.percentiles.p95", "\"1900ms\""),
            ("@.percentiles.p99", "\"9s\""),
            ("@.percentiles.max", "\"3s\""),
        ],
    )],
}];
