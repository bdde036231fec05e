//! The error budget, its alerts, and who acts on them.

use super::Base;

pub const BASES: &[Base] = &[
    Base {
        at: &[""],
        toml: r#"
    duration = "10m"
    traffic = { arrivals = { constant = "10/s" } }
    [provider.a]
    latency = { constant = "100ms" }
    [provider.b]
    latency = { constant = "100ms" }
    [fault.outage]
    on = { name = "a" }
    at = "2m"
    lasts = "5m"
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
    "#,
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
                    ("alert.page.min_count", "601"),
                    ("alert.page.before", "\"nothing\""),
                    ("operator.hand.after", "{ alert = \"other\" }"),
                    ("operator.hand.avoid", "[\"b\"]"),
                    ("operator.hand.lasts", "\"1m\""),
                    ("operator.hand.escalate_after", "\"10s\""),
                    ("operator.hand.stages.notify", "{ exponential = { mean = \"10s\" } }"),
                    ("operator.hand.stages.notify.lognormal.p50", "\"10s\""),
                    ("operator.hand.stages.notify.lognormal.p99", "\"30s\""),
                    ("operator.hand.stages.acknowledge", "{ constant = \"40s\" }"),
                    ("operator.hand.stages.acknowledge.lognormal.p50", "\"10s\""),
                    ("operator.hand.stages.acknowledge.lognormal.p99", "\"30s\""),
                    ("operator.hand.stages.diagnose.constant", "\"30s\""),
                    ("operator.hand.stages.diagnose", "{ exponential = { mean = \"40s\" } }"),
                    ("operator.hand.stages.diagnose", "{ lognormal = { p50 = \"40s\", p99 = \"60s\" } }"),
                    ("operator.hand.stages.switch.constant", "\"30s\""),
                    ("operator.hand.stages.switch", "{ exponential = { mean = \"40s\" } }"),
                    ("operator.hand.stages.switch", "{ lognormal = { p50 = \"40s\", p99 = \"60s\" } }"),
                ],
            ),
            (
                &[
                    "operator.hand.stages={ notify = { constant = \"3s\" }, acknowledge = { exponential = { mean = \"20s\" } } }",
                ],
                &[
                    ("operator.hand.stages.notify.constant", "\"9s\""),
                    ("operator.hand.stages.acknowledge.exponential.mean", "\"9s\""),
                ],
            ),
            (
                &["operator.hand.stages={ notify = { exponential = { mean = \"20s\" } } }"],
                &[("operator.hand.stages.notify.exponential.mean", "\"9s\"")],
            ),
            (
                &["operator.hand.stages={ acknowledge = { constant = \"3s\" } }"],
                &[("operator.hand.stages.acknowledge.constant", "\"9s\"")],
            ),
            (
                &[
                    "operator.hand.stages={ diagnose = { exponential = { mean = \"20s\" } }, switch = { exponential = { mean = \"20s\" } } }",
                ],
                &[
                    ("operator.hand.stages.diagnose.exponential.mean", "\"9s\""),
                    ("operator.hand.stages.switch.exponential.mean", "\"9s\""),
                ],
            ),
            (
                &[
                    "operator.hand.stages={ diagnose = { lognormal = { p50 = \"20s\", p99 = \"60s\" } }, switch = { lognormal = { p50 = \"20s\", p99 = \"60s\" } } }",
                ],
                &[
                    ("operator.hand.stages.diagnose.lognormal.p50", "\"9s\""),
                    ("operator.hand.stages.diagnose.lognormal.p99", "\"70s\""),
                    ("operator.hand.stages.switch.lognormal.p50", "\"9s\""),
                    ("operator.hand.stages.switch.lognormal.p99", "\"70s\""),
                ],
            ),
            (&["alert.page.first_tick={ at = \"3s\" }"], &[("alert.page.first_tick.at", "\"5s\"")]),
        ],
    },
    Base {
        at: &[""],
        toml: r#"
    duration = "10m"
    traffic = { arrivals = { constant = "10/s" } }
    [provider.a]
    latency = { constant = "100ms" }
    [provider.b]
    latency = { constant = "100ms" }
    [fault.outage]
    on = { name = "a" }
    at = "2m"
    lasts = "2m"
    [fault.other]
    on = { name = "b" }
    at = "5m"
    lasts = "2m"
    [gateway]
    route = { prefer = ["a", "b"] }
    [operator.page]
    avoid = ["a"]
    [operator.page.after.status_page]
    fault = "outage"
    posted_after = { constant = "1m" }
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("operator.page.after.status_page.fault", "\"other\""),
                    ("operator.page.after.status_page.posted_after.constant", "\"30s\""),
                    ("operator.page.after.status_page.posted_after", "{ exponential = { mean = \"1m\" } }"),
                    (
                        "operator.page.after.status_page.posted_after",
                        "{ lognormal = { p50 = \"30s\", p99 = \"2m\" } }",
                    ),
                    ("operator.page.after.status_page.resolved_after", "{ constant = \"1m\" }"),
                    ("operator.page.after.status_page.resolved_after", "{ exponential = { mean = \"1m\" } }"),
                    (
                        "operator.page.after.status_page.resolved_after",
                        "{ lognormal = { p50 = \"30s\", p99 = \"2m\" } }",
                    ),
                    ("operator.page.after.status_page.polled_every", "\"30s\""),
                ],
            ),
            (
                &[
                    "operator.page.after.status_page.posted_after={ exponential = { mean = \"1m\" } }",
                    "operator.page.after.status_page.resolved_after={ exponential = { mean = \"1m\" } }",
                ],
                &[
                    ("operator.page.after.status_page.posted_after.exponential.mean", "\"30s\""),
                    ("operator.page.after.status_page.resolved_after.exponential.mean", "\"30s\""),
                ],
            ),
            (
                &[
                    "operator.page.after.status_page.posted_after={ lognormal = { p50 = \"1m\", p99 = \"2m\" } }",
                    "operator.page.after.status_page.resolved_after={ lognormal = { p50 = \"1m\", p99 = \"2m\" } }",
                ],
                &[
                    ("operator.page.after.status_page.posted_after.lognormal.p50", "\"30s\""),
                    ("operator.page.after.status_page.posted_after.lognormal.p99", "\"90s\""),
                    ("operator.page.after.status_page.resolved_after.lognormal.p50", "\"30s\""),
                    ("operator.page.after.status_page.resolved_after.lognormal.p99", "\"90s\""),
                ],
            ),
            (
                &["operator.page.after.status_page.resolved_after={ constant = \"1m\" }"],
                &[("operator.page.after.status_page.resolved_after.constant", "\"30s\"")],
            ),
        ],
    },
];
