//! When requests arrive: profiles, bursts, resampled traces.

use super::Base;

pub const BASES: &[Base] = &[
    Base {
        at: &[""],
        toml: r#"
    clock = "06:59:00 UTC"
    duration = "3m"
    [traffic]
    arrivals = { poisson = "5/s" }
    profile = { steps = [{ at = "1m", factor = 2.0 }] }
    [provider.a]
    latency = { constant = "800ms" }
    "#,
        knobs: &[
            (&[], &[("traffic.profile.steps", "[{ at = \"1m\", factor = 3.0 }]")]),
            (
                &["traffic.profile={ ramp = { at = \"30s\", over = \"1m\", factor = 3.0 } }"],
                &[
                    ("traffic.profile.ramp.at", "\"20s\""),
                    ("traffic.profile.ramp.over", "\"70s\""),
                    ("traffic.profile.ramp.before", "0.5"),
                    ("traffic.profile.ramp.factor", "2.5"),
                ],
            ),
            (
                &["traffic.profile={ spike = { at = \"30s\", factor = 4.0, lasts = \"30s\" } }"],
                &[
                    ("traffic.profile.spike.at", "\"20s\""),
                    ("traffic.profile.spike.factor", "0.0"),
                    ("traffic.profile.spike.rise", "\"10s\""),
                    ("traffic.profile.spike.lasts", "\"40s\""),
                    ("traffic.profile.spike.fall", "\"10s\""),
                ],
            ),
            (
                &[
                    "traffic.profile={ daily = { hours = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0] } }",
                ],
                &[(
                    "traffic.profile.daily.hours",
                    "[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]",
                )],
            ),
            (
                &[
                    "traffic.profile={ weekly = { hours = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], days = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0] } }",
                ],
                &[
                    (
                        "traffic.profile.weekly.hours",
                        "[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]",
                    ),
                    ("traffic.profile.weekly.days", "[2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]"),
                    ("traffic.profile.weekly.starts", "\"tuesday\""),
                    ("traffic.profile.weekly.starts", "\"wednesday\""),
                    ("traffic.profile.weekly.starts", "\"thursday\""),
                    ("traffic.profile.weekly.starts", "\"friday\""),
                    ("traffic.profile.weekly.starts", "\"saturday\""),
                    ("traffic.profile.weekly.starts", "\"sunday\""),
                ],
            ),
            (
                &["traffic.arrivals={ renewal = { rate = \"5/s\", cv = 3.0 } }"],
                &[("traffic.arrivals.renewal.rate", "\"7/s\""), ("traffic.arrivals.renewal.cv", "0.5")],
            ),
            (
                &["traffic.arrivals={ on_off = { rate = \"5/s\", on = \"5s\", off = \"20s\" } }"],
                &[
                    ("traffic.arrivals.on_off.rate", "\"7/s\""),
                    ("traffic.arrivals.on_off.on", "\"9s\""),
                    ("traffic.arrivals.on_off.off", "\"9s\""),
                ],
            ),
        ],
    },
    Base {
        at: &[""],
        toml: r#"
    duration = "1m"
    traffic = { arrivals = { trace = { file = "models/traffic/azure_llm_2023_conv.csv", column = "t_ms", bootstrap = "10s" } } }
    [provider.a]
    latency = { constant = "800ms" }
    "#,
        knobs: &[(&[], &[("traffic.arrivals.trace.bootstrap", "\"5s\"")])],
    },
    Base {
        at: &[""],
        toml: r#"
    duration = "1m"
    [traffic]
    arrivals = { trace = { file = "models/traffic/azure_llm_2023_conv.csv", column = "t_ms", unit = "s", rate = "9/s" } }
    [traffic.class.chat]
    input_tokens = "recorded"
    output_tokens = "recorded"
    [provider.a]
    latency = { tokens = { first_token = { constant = "300ms" }, prompt_per_second = 5000.0, per_second = 80.0 } }
    "#,
        knobs: &[
            (
                &[
                    "traffic.arrivals.trace.file=\"tests/fixtures/traces/mooncake.jsonl\"",
                    "traffic.arrivals.trace.column=\"timestamp\"",
                    "traffic.arrivals.trace.unit=\"ms\"",
                ],
                &[("traffic.arrivals.trace.spread", "\"1s\"")],
            ),
            (
                &[],
                &[
                    ("traffic.class.chat.input_tokens", "{ constant = 900 }"),
                    ("traffic.class.chat.output_tokens", "{ constant = 900 }"),
                ],
            ),
            (
                &[
                    "traffic.class.chat.input_tokens={ rows = { file = \"tests/fixtures/traces/azure_2023.csv\" } }",
                    "traffic.class.chat.output_tokens={ rows = { file = \"tests/fixtures/traces/azure_2023.csv\" } }",
                ],
                &[
                    ("traffic.class.chat.input_tokens.rows.file", "\"tests/fixtures/traces/burstgpt_6.csv\""),
                    ("traffic.class.chat.input_tokens.rows.column", "\"GeneratedTokens\""),
                    (
                        "traffic.class.chat.output_tokens.rows.file",
                        "\"tests/fixtures/traces/burstgpt_6.csv\"",
                    ),
                    ("traffic.class.chat.output_tokens.rows.column", "\"ContextTokens\""),
                ],
            ),
        ],
    },
];
