//! What things cost.

use super::Base;

pub const BASES: &[Base] = &[
    // Answers are given up on, broken off, or errors; probes are calls.
    Base {
        at: &["a", "b"],
        toml: r#"
    duration = "60s"
    traffic.arrivals.poisson = "10/s"
    traffic.client_timeout = "2s"
    traffic.class.chat = { input_tokens = { constant = 1000 }, output_tokens = { constant = 100 } }
    cost = { failed_request = 0.05 }
    [provider.a]
    latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
    first_token = 0.3
    error_rate = 0.05
    price = { input = 2.5, output = 10.0, request = 0.001 }
    [provider.b]
    latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
    first_token = 0.3
    error_rate = 0.05
    price = { input = 3.0, output = 15.0, request = 0.002 }
    [fault.cut]
    on = { name = "@" }
    at = "20s"
    lasts = "15s"
    requests = { cut = 0.5 }
    [gateway]
    route = { round_robin = ["a", "b"] }
    fee = { markup = 0.1, request = 0.001, month = 49.0 }
    health_check = { interval = "3s", timeout = "1s", tokens = { input = 10, output = 1 } }
    "#,
        knobs: &[(
            &["provider.@.billing={}"],
            &[
                ("provider.@.price.input", "2.0"),
                ("provider.@.price.output", "11.0"),
                ("provider.@.price.request", "0.003"),
                ("provider.@.billing.errors", "\"input\""),
                ("provider.@.billing.errors", "\"all\""),
                ("provider.@.billing.cut", "\"nothing\""),
                ("provider.@.billing.cut", "\"input\""),
                ("provider.@.billing.cut", "\"all\""),
                ("provider.@.billing.abandoned", "\"nothing\""),
                ("provider.@.billing.abandoned", "\"input\""),
                ("provider.@.billing.abandoned", "\"delivered\""),
                ("gateway.fee.markup", "0.2"),
                ("gateway.fee.request", "0.002"),
                ("gateway.fee.month", "0"),
                ("gateway.health_check.tokens.input", "20"),
                ("gateway.health_check.tokens.output", "2"),
                ("cost.failed_request", "0.01"),
            ],
        )],
    },
    // Conversations, whose prompts lie in the cache of the provider that answered last.
    Base {
        at: &["a", "b"],
        toml: r#"
    duration = "60s"
    [traffic]
    arrivals.poisson = "10/s"
    conversations = 20
    [traffic.class.chat]
    input_tokens.constant = 1000
    cached_share = 0.5
    [provider.a]
    latency = { lognormal = { p50 = "300ms", p99 = "3s" } }
    price = { input = 2.5, output = 10.0, cached_input = 1.25 }
    prompt_cache = "10s"
    [provider.b]
    latency.constant = "1s"
    price = { input = 3.0, output = 15.0, cached_input = 0.3 }
    prompt_cache = "10s"
    [gateway]
    route.weighted = { a = 1.0, b = 1.0 }
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("traffic.conversations", "30"),
                    ("traffic.class.chat.cached_share", "0.6"),
                    ("provider.@.prompt_cache", "\"3s\""),
                    ("provider.@.price.cached_input", "0.1"),
                ],
            ),
            (
                &[
                    "gateway.route={ cost_minimization = { fallback_order = [\"a\", \"b\"] } }",
                    "traffic.class.chat.max_latency=\"2s\"",
                ],
                &[("traffic.class.chat.max_latency", "\"1100ms\"")],
            ),
        ],
    },
];
