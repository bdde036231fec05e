//! Trying again: clients' and gateways' retries, fallback and hedging.

use super::Base;

pub const BASES: &[Base] = &[
    // What clients' and gateways' retries have in common: errors that name a time to come back, and answers too late.
    Base {
        at: &["traffic.client_retry", "gateway.retry"],
        toml: r#"
    duration = "60s"
    traffic.arrivals.poisson = "20/s"
    traffic.client_timeout = "12s"
    provider.a.latency.lognormal = { p50 = "600ms", p99 = "2s" }
    gateway.timeouts.attempt = "1500ms"
    [fault.errors]
    on = { name = "a" }
    at = "10s"
    lasts = "20s"
    requests = { status = 503 }
    fraction = 0.8
    retry_after = "2s"
    [@]
    attempts = 3
    on = ["5xx", "timeout"]
    delay = "400ms"
    growth = { exponential = 2.0 }
    max_delay = "3s"
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("@.attempts", "1"),
                    ("@.on", "[\"timeout\"]"),
                    ("@.delay", "\"600ms\""),
                    ("@.growth.exponential", "1.5"),
                    ("@.growth", "\"constant\""),
                    ("@.growth", "\"linear\""),
                    ("@.max_delay", "\"1s\""),
                    ("@.jitter", "\"full\""),
                    ("@.jitter", "\"equal\""),
                    ("@.jitter", "\"decorrelated\""),
                    ("@.jitter", "{ plus = \"300ms\" }"),
                    ("@.jitter", "{ times = 0.5 }"),
                    ("@.at_once_on", "[\"timeout\"]"),
                    ("@.retry_after", "\"5s\""),
                    ("@.retry_after", "\"1s\""),
                    ("@.budget", "{ concurrent = 2 }"),
                ],
            ),
            (&["@.retry_after=\"5s\""], &[("fault.errors.retry_after", "\"3s\"")]),
            (
                &["@={ attempts = 3, on = [\"any\"], delays = [\"200ms\", \"1s\"] }"],
                &[("@.delays", "[\"200ms\", \"2s\"]")],
            ),
            (
                &["@.budget={ concurrent_share = { share = 0.1, min = 1 } }"],
                &[("@.budget.concurrent_share.share", "0.5"), ("@.budget.concurrent_share.min", "9")],
            ),
            (
                &[
                    "@.budget={ tokens = { max = 20.0, per_retry = 2.0, per_timeout_retry = 4.0, per_failure = 0.5, \
                    per_success = 0.3, keeps = 1.0 } }",
                ],
                &[
                    ("@.budget.tokens.max", "40.0"),
                    ("@.budget.tokens.per_retry", "1.0"),
                    ("@.budget.tokens.per_timeout_retry", "1.0"),
                    ("@.budget.tokens.per_failure", "0.0"),
                    ("@.budget.tokens.per_success", "2.0"),
                    ("@.budget.tokens.refunds", "true"),
                    ("@.budget.tokens.keeps", "10.0"),
                ],
            ),
            (
                &["@.budget={ share = { share = 0.1, per_second = 0.5, ttl = \"5s\" } }"],
                &[
                    ("@.budget.share.share", "0.5"),
                    ("@.budget.share.per_second", "5.0"),
                    ("@.budget.share.ttl", "\"15s\""),
                ],
            ),
        ],
    },
    // A group with a member that fails, and two to fall back to.
    Base {
        at: &[""],
        toml: r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "20/s" }, client_timeout = "12s" }
    [provider.a]
    latency = { lognormal = { p50 = "600ms", p99 = "2s" } }
    [provider.b]
    latency = { lognormal = { p50 = "900ms", p99 = "4s" } }
    [provider.c]
    latency = { exponential = { mean = "800ms" } }
    [provider.d]
    latency = { constant = "500ms" }
    [fault.outage]
    on = { name = "a" }
    at = "20s"
    lasts = "20s"
    [fault.unnoticed]
    on = { name = "c" }
    at = "0s"
    lasts = "60s"
    requests = { status = 500 }
    probes = "unaffected"
    fraction = 0.9
    [gateway]
    route = { prefer = ["g", "c", "d"] }
    group = { g = { round_robin = ["a", "b"] } }
    health_check = { interval = "5s", timeout = "1s" }
    retry = { attempts = 2, on = ["any"], delay = "500ms" }
    fallback = { on = ["any"] }
    hedge = { after = "1500ms" }
    "#,
        knobs: &[(
            &[],
            &[
                ("gateway.retry.to", "\"any\""),
                ("gateway.retry.to", "\"other\""),
                ("gateway.retry.to", "\"same_then_any\""),
                ("gateway.retry.to", "\"start\""),
                ("gateway.retry.at_once_with_others", "true"),
                ("gateway.retry.wait_after_last", "true"),
                ("gateway.fallback.on", "[\"5xx\"]"),
                ("gateway.fallback.max", "1"),
                ("gateway.hedge.after", "\"700ms\""),
                ("gateway.hedge.max", "2"),
            ],
        )],
    },
];
