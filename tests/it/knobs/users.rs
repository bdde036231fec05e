//! Users who wait for an answer before they ask again.

use super::Base;

pub const BASES: &[Base] = &[Base {
    at: &[""],
    toml: r#"
    duration = "60s"
    traffic.arrivals.users = { count = 20, think = { lognormal = { p50 = "2s", p99 = "6s" } }, ramp_up = "10s" }
    provider.a.latency.exponential.mean = "800ms"
    "#,
    knobs: &[
        (
            &[],
            &[
                ("traffic.arrivals.users.count", "21"),
                ("traffic.arrivals.users.ramp_up", "\"0s\""),
                ("traffic.arrivals.users.think", "{ constant = \"2s\" }"),
                ("traffic.arrivals.users.think.lognormal.p50", "\"3s\""),
                ("traffic.arrivals.users.think.lognormal.p99", "\"7s\""),
            ],
        ),
        (
            &["traffic.arrivals.users.think={ constant = \"2s\" }"],
            &[
                ("traffic.arrivals.users.think.constant", "\"1s\""),
                ("traffic.arrivals.users.think", "{ exponential = { mean = \"2s\" } }"),
            ],
        ),
        (
            &["traffic.arrivals.users.think={ exponential = { mean = \"2s\" } }"],
            &[("traffic.arrivals.users.think.exponential.mean", "\"1s\"")],
        ),
        (
            &[
                "traffic.arrivals.users.think={ percentiles = { p50 = \"1s\", p95 = \"3s\", p99 = \"5s\", max = \"9s\" } }",
            ],
            &[
                ("traffic.arrivals.users.think.percentiles.p50", "\"2s\""),
                ("traffic.arrivals.users.think.percentiles.p95", "\"4s\""),
                ("traffic.arrivals.users.think.percentiles.p99", "\"8s\""),
                ("traffic.arrivals.users.think.percentiles.max", "\"6s\""),
            ],
        ),
    ],
}];
