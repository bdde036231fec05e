//! What accounts may send.

use super::Base;

pub const BASES: &[Base] = &[
    // A third of what comes is above the limit, and another provider has none.
    Base {
        at: &[""],
        toml: r#"
    clock = "02:40:13 UTC"
    duration = "60s"
    [traffic]
    arrivals = { poisson = "12/s" }
    client_timeout = "5s"
    class.chat = { input_tokens = { constant = 100 }, output_tokens = { lognormal = { p50 = 100, p99 = 400 } } }
    [provider.a]
    labels = { account = "acme" }
    latency = { constant = "800ms" }
    [provider.b]
    labels = { account = "other" }
    latency = { constant = "900ms" }
    [quota.q]
    on = { account = "acme" }
    requests = "8/s"
    [gateway]
    route = { prefer = ["a", "b"] }
    health_check = { interval = "2s", timeout = "1s" }
    retry = { attempts = 2, on = [429, 503], delay = "100ms", retry_after = "10s" }
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("quota.q.on.account", "\"other\""),
                    ("quota.q.requests", "\"7/s\""),
                    ("quota.q.requests", "\"480/min\""),
                    ("quota.q.tokens", "\"1500/s\""),
                    ("quota.q.window", "\"fixed\""),
                    ("quota.q.window", "\"calendar\""),
                    ("quota.q.burst", "\"3s\""),
                    ("quota.q.growth", "{ over = \"10s\", every = \"1s\" }"),
                    ("quota.q.answer", "503"),
                    ("quota.q.retry_after", "\"never\""),
                    ("quota.q.retry_after", "{ after = \"3s\" }"),
                    ("quota.q.counts_refused", "true"),
                    ("quota.q.probes", "false"),
                ],
            ),
            (&["quota.q.tokens=\"1500/s\""], &[("quota.q.tokens", "\"1200/s\"")]),
            (&["quota.q.retry_after={ after = \"3s\" }"], &[("quota.q.retry_after.after", "\"2s\"")]),
            (
                &["quota.q.growth={ factor = 1.5, over = \"10s\", every = \"1s\" }"],
                &[
                    ("quota.q.growth.factor", "1.7"),
                    ("quota.q.growth.over", "\"20s\""),
                    ("quota.q.growth.every", "\"2s\""),
                ],
            ),
        ],
    },
];
