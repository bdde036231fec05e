//! Random incidents, replayed ones, and how faults recover.

use super::Base;

pub const BASES: &[Base] = &[
    Base {
        at: &[""],
        toml: r#"
    clock = "05:00:00 UTC"
    duration = "4h"
    traffic = { arrivals = { poisson = "0.2/s" }, client_timeout = "5s" }
    [provider.a]
    labels = { vendor = "x" }
    latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
    [provider.b]
    labels = { vendor = "x" }
    latency = { exponential = { mean = "900ms" } }
    first_token = 0.2
    [incidents.source]
    source = "a test"
    evidence = "assumed"
    on = { vendor = "x" }
    gaps = { weibull = { shape = 0.67, scale = "20m" } }
    lasts = { lognormal = { p50 = "3m", p99 = "20m" } }
    severity = { uniform = { min = 0.25, max = 1.0 } }
    probes = { slow = 30.0 }
    [gateway]
    route = { round_robin = ["a", "b"] }
    health_check = { interval = "5s", timeout = "1s", latency = { lognormal = { p50 = "50ms", p99 = "300ms" } } }
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("incidents.source.on.vendor", "\"y\""),
                    ("incidents.source.gaps.weibull.shape", "0.8"),
                    ("incidents.source.gaps.weibull.scale", "\"30m\""),
                    ("incidents.source.gaps", "{ exponential = { mean = \"20m\" } }"),
                    ("incidents.source.lasts.lognormal.p50", "\"4m\""),
                    ("incidents.source.lasts.lognormal.p99", "\"30m\""),
                    ("incidents.source.lasts", "{ exponential = { mean = \"3m\" } }"),
                    ("incidents.source.lasts", "{ constant = \"3m\" }"),
                    ("incidents.source.severity.uniform.min", "0.5"),
                    ("incidents.source.severity.uniform.max", "0.5"),
                    ("incidents.source.severity", "{ constant = 0.5 }"),
                    ("incidents.source.severity", "{ classes = { all = { weight = 1.0, fraction = 0.5 } } }"),
                    (
                        "incidents.source.hours",
                        "[1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
                    ),
                    ("incidents.source.weekend", "0.1"),
                    ("incidents.source.one_of", "0.5"),
                    ("incidents.source.requests", "\"refuse\""),
                    ("incidents.source.requests", "\"hang\""),
                    ("incidents.source.requests", "\"pause\""),
                    ("incidents.source.requests", "\"unaffected\""),
                    ("incidents.source.requests", "{ slow = 9.0 }"),
                    ("incidents.source.requests", "{ stall = 0.5 }"),
                    ("incidents.source.requests", "{ status = 529 }"),
                    ("incidents.source.probes", "\"refuse\""),
                    ("incidents.source.probes", "\"hang\""),
                    ("incidents.source.probes", "\"drop\""),
                    ("incidents.source.probes", "\"pause\""),
                    ("incidents.source.probes", "\"unaffected\""),
                    ("incidents.source.probes", "{ status = 503 }"),
                    ("incidents.source.probes", "{ stall = 0.5 }"),
                    ("incidents.source.probes", "{ cut = 0.5 }"),
                    ("incidents.source.probes", "{ truncate = 0.5 }"),
                    ("incidents.source.probes.slow", "3.0"),
                    ("incidents.source.in_flight", "\"fail\""),
                    ("incidents.source.in_flight", "\"hang\""),
                    ("incidents.source.recovery", "{ ramp = \"5m\" }"),
                    ("incidents.source.recovery", "{ flaps = { times = 2, up = \"1m\", down = \"30s\" } }"),
                ],
            ),
            (
                &[
                    "incidents.source.requests={ stall = 0.5 }",
                    "gateway.timeouts={ idle = \"1s\" }",
                    "provider.b.first_token=0.05",
                ],
                &[
                    ("incidents.source.requests.stall", "0.1"),
                    ("incidents.source.requests", "{ cut = 0.5 }"),
                    ("incidents.source.requests", "{ truncate = 0.5 }"),
                ],
            ),
            (
                &["incidents.source.requests=\"hang\"", "gateway.timeouts={ connect = \"1s\" }"],
                &[("incidents.source.requests", "\"drop\"")],
            ),
            (
                &["incidents.source.gaps={ exponential = { mean = \"20m\" } }"],
                &[("incidents.source.gaps.exponential.mean", "\"30m\"")],
            ),
            (
                &["incidents.source.lasts={ exponential = { mean = \"3m\" } }"],
                &[("incidents.source.lasts.exponential.mean", "\"4m\"")],
            ),
            (
                &["incidents.source.lasts={ constant = \"3m\" }"],
                &[("incidents.source.lasts.constant", "\"4m\"")],
            ),
            (
                &[
                    "incidents.source.gaps={ exponential = { mean = \"1m\" } }",
                    "incidents.source.lasts={ percentiles = { p50 = \"1m\", p95 = \"3m\", p99 = \"9m\", max = \"10m\" } }",
                ],
                &[
                    ("incidents.source.lasts.percentiles.p50", "\"2m\""),
                    ("incidents.source.lasts.percentiles.p95", "\"4m\""),
                    ("incidents.source.lasts.percentiles.p99", "\"8m\""),
                    ("incidents.source.lasts.percentiles.max", "\"20m\""),
                ],
            ),
            (
                &["incidents.source.severity={ constant = 0.5 }"],
                &[("incidents.source.severity.constant", "0.6")],
            ),
            (
                &[
                    "incidents.source.severity={ classes = { a = { weight = 1, fraction = 0.5 }, b = { weight = 1, fraction = 1.0 } } }",
                ],
                &[
                    ("incidents.source.severity.classes.a.weight", "3.0"),
                    ("incidents.source.severity.classes.a.fraction", "0.25"),
                ],
            ),
            (
                &["incidents.source.recovery={ ramp = \"5m\" }"],
                &[("incidents.source.recovery.ramp", "\"10m\"")],
            ),
            (
                &["incidents.source.recovery={ flaps = { times = 2, up = \"1m\", down = \"30s\" } }"],
                &[
                    ("incidents.source.recovery.flaps.times", "1"),
                    ("incidents.source.recovery.flaps.up", "\"2m\""),
                    ("incidents.source.recovery.flaps.down", "\"1m\""),
                ],
            ),
            // A client that waits as long as it is told to.
            (
                &[
                    "traffic.client_retry={ attempts = 3, on = [\"5xx\"], delay = \"1s\", retry_after = \"1m\" }",
                ],
                &[("incidents.source.retry_after", "\"30s\"")],
            ),
        ],
    },
    Base {
        at: &[""],
        toml: r#"
    duration = "4h"
    traffic = { arrivals = { constant = "0.2/s" } }
    [provider.a]
    labels = { vendor = "x" }
    latency = { constant = "800ms" }
    [provider.b]
    labels = { vendor = "y" }
    latency = { constant = "900ms" }
    [incidents.summer]
    on = { vendor = "x" }
    [incidents.summer.replay]
    file = "tests/fixtures/incidents.csv"
    severities = { minor = 0.5, major = 1.0 }
    [fault.outage]
    on = { vendor = "x" }
    at = "3h"
    lasts = "10m"
    requests = { status = 502 }
    recovery = { ramp = "10m" }
    [gateway]
    route = { round_robin = ["a", "b"] }
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("incidents.summer.on.vendor", "\"y\""),
                    ("incidents.summer.replay.file", "\"tests/fixtures/incidents_2.csv\""),
                    ("incidents.summer.replay.provider", "\"openai\""),
                    ("incidents.summer.replay.scopes", "[\"one_model\"]"),
                    ("incidents.summer.replay.severities.minor", "0.25"),
                    ("incidents.summer.replay.begins", "\"2026-07-21T23:30:00Z\""),
                    ("fault.outage.recovery.ramp", "\"20m\""),
                    ("fault.outage.recovery", "{ flaps = { times = 2, up = \"1m\", down = \"30s\" } }"),
                ],
            ),
            (
                &["fault.outage.recovery={ flaps = { times = 2, up = \"1m\", down = \"1m\" } }"],
                &[
                    ("fault.outage.recovery.flaps.times", "1"),
                    ("fault.outage.recovery.flaps.up", "\"2m\""),
                    ("fault.outage.recovery.flaps.down", "\"2m\""),
                ],
            ),
        ],
    },
];
