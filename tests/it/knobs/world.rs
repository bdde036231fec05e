//! Traffic, providers, faults, operators, and the health check's first settings.

use super::Base;

pub const BASES: &[Base] = &[
    Base {
        at: &[""],
        toml: r#"
    about = "preferred provider, lognormal latency"
    clock = "02:40:00 UTC"
    duration = "60s"
    traffic = { arrivals = { poisson = "20/s" }, client_timeout = "5s", source = "a test", evidence = "assumed" }
    [provider.a]
    labels = { vendor = "x" }
    latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
    error_rate = 0.01
    [provider.b]
    labels = { vendor = "y" }
    latency = { exponential = { mean = "900ms" } }
    [fault.outage]
    on = { vendor = "x" }
    at = "20s"
    lasts = "20s"
    requests = { status = 502 }
    probes = { slow = 30.0 }
    [gateway]
    route = { prefer = ["a", "b"] }
    health_check = { interval = "5s", timeout = "1s", latency = { lognormal = { p50 = "50ms", p99 = "300ms" } } }
    [operator.hand]
    at = "36s"
    avoid = ["a"]
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("duration", "\"50s\""),
                    ("traffic.arrivals.poisson", "\"25/s\""),
                    ("traffic.client_timeout", "\"1s\""),
                    ("provider.a.labels.vendor", "\"z\""),
                    ("provider.b.labels.vendor", "\"x\""),
                    ("provider.a.latency.lognormal.p50", "\"900ms\""),
                    ("provider.a.latency.lognormal.p99", "\"4s\""),
                    ("provider.a.error_rate", "0.05"),
                    ("provider.b.latency.exponential.mean", "\"2s\""),
                    ("provider.b.error_rate", "0.05"),
                    ("fault.outage.on.vendor", "\"y\""),
                    ("fault.outage.at", "\"21s\""),
                    ("fault.outage.lasts", "\"19s\""),
                    ("fault.outage.requests", "\"refuse\""),
                    ("fault.outage.requests", "\"hang\""),
                    ("fault.outage.requests", "\"pause\""),
                    ("fault.outage.requests", "\"unaffected\""),
                    ("fault.outage.requests", "{ slow = 9.0 }"),
                    ("fault.outage.requests.status", "503"),
                    ("fault.outage.probes", "\"refuse\""),
                    ("fault.outage.probes", "\"hang\""),
                    ("fault.outage.probes", "\"drop\""),
                    ("fault.outage.probes", "\"pause\""),
                    ("fault.outage.probes", "\"unaffected\""),
                    ("fault.outage.probes", "{ status = 503 }"),
                    ("fault.outage.probes", "{ stall = 0.5 }"),
                    ("fault.outage.probes", "{ cut = 0.5 }"),
                    ("fault.outage.probes", "{ truncate = 0.5 }"),
                    ("fault.outage.probes.slow", "3.0"),
                    ("fault.outage.in_flight", "\"fail\""),
                    ("fault.outage.in_flight", "\"hang\""),
                    ("fault.outage.fraction", "0.5"),
                    ("fault.outage.probe_fraction", "0.1"),
                    ("gateway.replicas", "2"),
                    ("gateway.route.prefer", "[\"b\", \"a\"]"),
                    ("gateway.health_check.interval", "\"7s\""),
                    ("gateway.health_check.timeout", "\"3s\""),
                    ("gateway.health_check.jitter", "\"3s\""),
                    ("gateway.health_check.eject_after", "2"),
                    ("gateway.health_check.readmit_after", "2"),
                    ("gateway.health_check.first_probe", "{ at = \"2s\" }"),
                    ("gateway.health_check.next_probe", "\"from_end\""),
                    ("gateway.health_check.latency.lognormal.p50", "\"70ms\""),
                    ("gateway.health_check.latency.lognormal.p99", "\"900ms\""),
                    ("operator.hand.at", "\"25s\""),
                    ("operator.hand.avoid", "[\"b\"]"),
                ],
            ),
            // Of an answer that is streamed, the client has a part already when it breaks off.
            (
                &["provider.a.first_token=0.2", "fault.outage.requests={ stall = 0.5 }"],
                &[
                    ("fault.outage.requests", "{ cut = 0.5 }"),
                    ("fault.outage.requests", "{ truncate = 0.5 }"),
                    ("fault.outage.requests", "\"drop\""),
                ],
            ),
            (
                &[
                    "provider.a.first_token=0.05",
                    "gateway.timeouts={ idle = \"1s\" }",
                    "fault.outage.requests={ stall = 0.5 }",
                ],
                &[("fault.outage.requests.stall", "0.1"), ("provider.a.first_token", "0.8")],
            ),
            // What never connects is given up sooner than what connects and is silent.
            (
                &["gateway.timeouts={ connect = \"1s\" }", "fault.outage.requests=\"hang\""],
                &[("fault.outage.requests", "\"drop\"")],
            ),
        ],
    },
    Base {
        at: &[""],
        toml: r#"
    duration = "60s"
    traffic = { arrivals = { constant = "20/s" } }
    [provider.a]
    latency = { constant = "800ms" }
    error_rate = 0.05
    [provider.b]
    latency = { constant = "900ms" }
    [fault.outage]
    on = { name = "a" }
    at = "20s"
    lasts = "20s"
    requests = { slow = 5.0 }
    [gateway]
    route = { lowest_latency = { explore = 0.05 } }
    health_check = { interval = "5s", timeout = "1s", first_probe = { at = "1s" }, latency = { exponential = { mean = "200ms" } } }
    "#,
        knobs: &[(
            &[],
            &[
                ("traffic.arrivals.constant", "\"25/s\""),
                ("provider.a.latency.constant", "\"1s\""),
                ("provider.b.latency.constant", "\"700ms\""),
                ("fault.outage.on.name", "\"b\""),
                ("fault.outage.requests.slow", "9.0"),
                ("gateway.health_check.first_probe.at", "\"3s\""),
                ("gateway.health_check.first_probe", "\"random\""),
                ("gateway.health_check.latency.exponential.mean", "\"2s\""),
            ],
        )],
    },
    Base {
        at: &[""],
        toml: r#"
    duration = "60s"
    traffic = { arrivals = { trace = { file = "models/traffic/azure_llm_2023_conv.csv", column = "t_ms", rate = "9/s" } } }
    [provider.a]
    latency = { constant = "800ms" }
    [fault.outage]
    on = { name = "a" }
    at = "20s"
    lasts = "20s"
    fraction = 0.5
    [gateway]
    health_check = { interval = "3s", timeout = "1s" }
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("traffic.arrivals.trace.file", "\"tests/fixtures/seconds.csv\""),
                    ("traffic.arrivals.trace.column", "\"other_ms\""),
                    ("traffic.arrivals.trace.unit", "\"s\""),
                    ("traffic.arrivals.trace.unit", "\"us\""),
                    ("traffic.arrivals.trace.unit", "\"ns\""),
                    ("traffic.arrivals.trace.rate", "\"30/s\""),
                    ("gateway.health_check.latency.constant", "\"400ms\""),
                ],
            ),
            (&["traffic.arrivals.trace.unit=\"s\""], &[("traffic.arrivals.trace.unit", "\"ms\"")]),
        ],
    },
    // Two thirds of what comes can be served in time.
    Base {
        at: &[""],
        toml: r#"
    duration = "30s"
    traffic = { arrivals = { poisson = "20/s" }, client_timeout = "2s" }
    [provider.a]
    latency = { exponential = { mean = "800ms" } }
    capacity = { slots = 10, queue = 40, abandoned = "runs" }
    "#,
        knobs: &[(
            &[],
            &[
                ("provider.a.capacity.slots", "12"),
                ("provider.a.capacity.queue", "0"),
                ("provider.a.capacity.abandoned", "\"dropped\""),
            ],
        )],
    },
    // Some answers break off before their first token.
    Base {
        at: &[""],
        toml: r#"
    duration = "30s"
    [traffic]
    arrivals = { poisson = "20/s" }
    [traffic.class.chat]
    input_tokens = { lognormal = { p50 = 900, p99 = 4000 } }
    output_tokens = { lognormal = { p50 = 129, p99 = 601 } }
    [traffic.class.code]
    share = 0.5
    output_tokens = { constant = 13 }
    [provider.a.latency.tokens]
    first_token = { lognormal = { p50 = "300ms", p99 = "1s" } }
    prompt_per_second = 5000.0
    per_second = 80.0
    [fault.cut]
    on = { name = "a" }
    at = "10s"
    lasts = "10s"
    requests = { cut = 0.2 }
    [gateway]
    retry = { attempts = 1, on = ["connection_lost"] }
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("traffic.class.chat.share", "3.0"),
                    ("traffic.class.chat.input_tokens.lognormal.p50", "1000"),
                    ("traffic.class.chat.input_tokens.lognormal.p99", "5000"),
                    ("traffic.class.chat.output_tokens.lognormal.p50", "200"),
                    ("traffic.class.chat.output_tokens.lognormal.p99", "900"),
                    ("traffic.class.chat.input_tokens", "{ constant = 900 }"),
                    ("traffic.class.chat.output_tokens", "{ constant = 129 }"),
                    ("traffic.class.code.share", "2.0"),
                    ("traffic.class.code.output_tokens.constant", "20"),
                    ("provider.a.latency.tokens.first_token", "{ constant = \"300ms\" }"),
                    ("provider.a.latency.tokens.first_token", "{ exponential = { mean = \"300ms\" } }"),
                    ("provider.a.latency.tokens.first_token.lognormal.p50", "\"400ms\""),
                    ("provider.a.latency.tokens.first_token.lognormal.p99", "\"2s\""),
                    ("provider.a.latency.tokens.prompt_per_second", "9000.0"),
                    ("provider.a.latency.tokens.per_second", "100.0"),
                ],
            ),
            (
                &[
                    "provider.a.latency.tokens.first_token={ constant = \"300ms\" }",
                    "traffic.class.chat.input_tokens={ constant = 900 }",
                ],
                &[
                    ("provider.a.latency.tokens.first_token.constant", "\"400ms\""),
                    ("traffic.class.chat.input_tokens.constant", "1000"),
                ],
            ),
            (
                &[
                    "provider.a.latency.tokens.first_token={ percentiles = { p50 = \"300ms\", p95 = \"500ms\", p99 = \"2s\", max = \"3s\" } }",
                ],
                &[
                    ("provider.a.latency.tokens.first_token.percentiles.p50", "\"350ms\""),
                    ("provider.a.latency.tokens.first_token.percentiles.p95", "\"600ms\""),
                    ("provider.a.latency.tokens.first_token.percentiles.p99", "\"1s\""),
                    ("provider.a.latency.tokens.first_token.percentiles.max", "\"2s\""),
                ],
            ),
            (
                &["provider.a.latency.tokens.first_token={ exponential = { mean = \"300ms\" } }"],
                &[("provider.a.latency.tokens.first_token.exponential.mean", "\"400ms\"")],
            ),
        ],
    },
];
