//! The error budget, its alerts, and who acts on them.

use super::Base;

pub const BASES: &[Base] = &[
    Base {
        at: &[""],
        toml: WATCHED,
        knobs: &[
            (
                &[],
                &[
                    ("slo.objective", "0.98"),
                    ("slo.window", "\"90d\""),
                    ("slo.requests", "\"1/s\""),
                    ("alert.page.burn", "20.0"),
                    ("alert.page.long", "\"10m\""),
                    ("alert.page.short", "\"2m\""),
                    ("alert.page.every", "\"5s\""),
                    ("alert.page.first_tick", "{ at = \"0s\" }"),
                    ("alert.page.for", "\"30s\""),
                    ("alert.page.lag", "\"15s\""),
                    ("alert.page.min_count", "121"),
                    ("alert.page.before", "\"nothing\""),
                    ("operator.hand.after", "{ alert = \"other\" }"),
                    ("operator.hand.avoid", "[\"b\"]"),
                    ("operator.hand.lasts", "\"1m\""),
                    ("operator.hand.escalate_after", "\"10s\""),
                    ("operator.page.after.status_page.fault", "\"backup\""),
                    ("operator.page.after.status_page.polled_every", "\"30s\""),
                ],
            ),
            (&["alert.page.first_tick={ at = \"3s\" }"], &[("alert.page.first_tick.at", "\"5s\"")]),
        ],
    },
    Base {
        at: &[
            "operator.hand.stages.notify",
            "operator.hand.stages.acknowledge",
            "operator.hand.stages.diagnose",
            "operator.hand.stages.switch",
            "operator.page.after.status_page.posted_after",
            "operator.page.after.status_page.resolved_after",
        ],
        toml: WATCHED,
        knobs: &[
            (&["@={ constant = \"20s\" }"], &[("@.constant", "\"30s\"")]),
            (&["@={ exponential = { mean = \"20s\" } }"], &[("@.exponential.mean", "\"9s\"")]),
            (
                &["@={ lognormal = { p50 = \"20s\", p99 = \"60s\" } }"],
                &[("@.lognormal.p50", "\"9s\""), ("@.lognormal.p99", "\"90s\"")],
            ),
            (
                &["@={ percentiles = { p50 = \"20s\", p95 = \"21s\", p99 = \"40s\", max = \"50s\" } }"],
                &[
                    ("@.percentiles.p50", "\"9s\""),
                    ("@.percentiles.p95", "\"39s\""),
                    ("@.percentiles.p99", "\"49s\""),
                ],
            ),
            (
                &["@={ percentiles = { p50 = \"20s\", p95 = \"40s\", p99 = \"50s\", max = \"60s\" } }"],
                &[("@.percentiles.max", "\"50s\"")],
            ),
        ],
    },
];

const WATCHED: &str = r#"
    duration = "10m"
    traffic = { arrivals = { constant = "2/s" } }
    [provider.a]
    latency = { constant = "100ms" }
    [provider.b]
    latency = { constant = "100ms" }
    [fault.outage]
    on = { name = "a" }
    at = "2m"
    lasts = "5m"
    [fault.backup]
    on = { name = "b" }
    at = "8m"
    lasts = "1m"
    [gateway]
    route = { prefer = ["a", "b"] }
    [slo]
    objective = 0.99
    window = "30d"
    [alert.page]
    burn = 14.4
    long = "5m"
    short = "1m"
    every = "10s"
    [alert.other]
    burn = 45.0
    long = "5m"
    short = "1m"
    [operator.hand]
    after = { alert = "page" }
    avoid = ["a"]
    lasts = "2m"
    [operator.hand.stages]
    notify = { lognormal = { p50 = "5s", p99 = "20s" } }
    acknowledge = { lognormal = { p50 = "20s", p99 = "60s" } }
    diagnose = { constant = "20s" }
    switch = { constant = "5s" }
    [operator.page]
    avoid = ["a"]
    [operator.page.after.status_page]
    fault = "outage"
    posted_after = { constant = "1m" }
    resolved_after = { constant = "1m" }
    "#;
