//! Latency with a tail, and what the network and the gateway add to it.

use super::Base;

pub const BASES: &[Base] = &[
    Base {
        at: &["provider.a.latency", "provider.a.latency.tokens.first_token", "gateway.health_check.latency"],
        toml: r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "20/s" }, class = { chat = { output_tokens = { constant = 40 } } } }
    [provider.a]
    latency = { tokens = { first_token = { constant = "400ms" }, per_second = 80.0 } }
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
    },
    Base {
        at: &["provider.a.latency.tokens"],
        toml: r#"
    duration = "60s"
    traffic = { arrivals = { constant = "20/s" }, class = { chat = { output_tokens = { constant = 40 } } } }
    [provider.a]
    latency = { tokens = { first_token = { constant = "400ms" }, per_second = 80.0 } }
    "#,
        knobs: &[
            (&[], &[("@.per_second_p1", "20.0"), ("@.drift", "{ every = \"7s\", p1 = 0.5 }")]),
            (&["@.per_second_p1=20.0"], &[("@.per_second_p1", "21.0")]),
            (
                &["@.drift={ every = \"7s\", p1 = 0.5 }"],
                &[("@.drift.every", "\"6s\""), ("@.drift.p1", "0.6")],
            ),
        ],
    },
    Base {
        at: &[""],
        toml: r#"
    duration = "60s"
    [traffic]
    arrivals = { poisson = "20/s" }
    client_timeout = "1s"
    [traffic.class.chat]
    region = "us"
    [traffic.class.code]
    [provider.a]
    labels = { region = "us" }
    latency = { constant = "800ms" }
    [provider.b]
    labels = { region = "eu" }
    latency = { constant = "600ms" }
    [network.rtt.us]
    us = "2ms"
    eu = "80ms"
    [gateway]
    region = "us"
    overhead = { percentiles = { p50 = "15ms", p95 = "100ms", p99 = "900ms", max = "2s" } }
    "#,
        knobs: &[
            (
                &["traffic.region=\"eu\"", "gateway.route={ lowest_latency = {} }"],
                &[
                    ("traffic.region", "\"us\""),
                    ("traffic.class.chat.region", "\"eu\""),
                    ("gateway.region", "\"eu\""),
                    ("network.rtt.us.us", "\"3ms\""),
                    ("network.rtt.us.eu", "\"90ms\""),
                    ("gateway.overhead.percentiles.p50", "\"16ms\""),
                    ("gateway.overhead.percentiles.p95", "\"101ms\""),
                    ("gateway.overhead.percentiles.p99", "\"901ms\""),
                    ("gateway.overhead.percentiles.max", "\"901ms\""),
                    ("gateway.overhead", "{ constant = \"15ms\" }"),
                    ("gateway.overhead", "{ exponential = { mean = \"15ms\" } }"),
                ],
            ),
            (
                &[
                    "traffic.region=\"eu\"",
                    "gateway.route={ lowest_latency = {} }",
                    "gateway.overhead={ lognormal = { p50 = \"15ms\", p99 = \"60ms\" } }",
                ],
                &[
                    ("gateway.overhead.lognormal.p50", "\"16ms\""),
                    ("gateway.overhead.lognormal.p99", "\"61ms\""),
                ],
            ),
        ],
    },
];
