//! Every kind of route.

use super::Base;

pub const BASES: &[Base] = &[Base {
    at: &[""],
    toml: r#"
    duration = "60s"
    [traffic]
    arrivals = { poisson = "20/s" }
    client_timeout = "5s"
    class.chat = { input_tokens = { constant = 1000 }, output_tokens = { constant = 1000 } }
    [provider.a]
    latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
    price = { input = 2.0, output = 10.0, request = 0.001 }
    error_rate = 0.05
    [provider.b]
    latency = { exponential = { mean = "900ms" } }
    price = { input = 3.0, output = 10.0, request = 0.001 }
    [provider.c]
    latency = { constant = "900ms" }
    price = { input = 4.0, output = 10.0, request = 0.001 }
    [fault.outage]
    on = { name = "a" }
    at = "20s"
    lasts = "15s"
    [gateway]
    route = { prefer = ["a", "b"] }
    health_check = { interval = "3s", timeout = "1s" }
    "#,
    knobs: &[
        (&[], &[("gateway.route.prefer", "[\"a\", \"c\"]")]),
        (
            &["gateway.route={ weighted = { a = 3.0, b = 1.0 } }"],
            &[("gateway.route.weighted.a", "2.0"), ("gateway.route.weighted.b", "2.0")],
        ),
        (
            &["gateway.route={ round_robin = [\"a\", \"b\"] }"],
            &[("gateway.route.round_robin", "[\"b\", \"a\"]")],
        ),
        (
            &["gateway.route={ least_in_flight = [\"a\", \"b\"] }"],
            &[("gateway.route.least_in_flight", "[\"b\", \"a\"]")],
        ),
        (
            &["gateway.route={ lowest_latency = { explore = 0.05 } }"],
            &[
                ("gateway.route.lowest_latency.among", "[\"b\", \"c\"]"),
                ("gateway.route.lowest_latency.weight", "0.9"),
                ("gateway.route.lowest_latency.last", "5"),
                ("gateway.route.lowest_latency.failure_counts_as", "\"100ms\""),
                ("gateway.route.lowest_latency.failures", "\"ignored\""),
                ("gateway.route.lowest_latency.buffer", "0.5"),
                ("gateway.route.lowest_latency.explore", "0.2"),
            ],
        ),
        (
            &["gateway.route={ peak_ewma = { among = [\"a\", \"b\", \"c\"] } }"],
            &[
                ("gateway.route.peak_ewma.among", "[\"b\", \"c\"]"),
                ("gateway.route.peak_ewma.decay", "\"2s\""),
                ("gateway.route.peak_ewma.failure_counts_as", "\"0s\""),
            ],
        ),
        (
            &["gateway.route={ cheapest = [\"a\", \"b\"] }"],
            &[
                ("gateway.route.cheapest", "[\"b\", \"c\"]"),
                ("provider.a.price.input", "9.0"),
                ("provider.a.price.output", "12.0"),
                ("provider.a.price.request", "0.003"),
            ],
        ),
        (
            &["gateway.route={ inverse_square_price = [\"a\", \"b\"] }"],
            &[
                ("gateway.route.inverse_square_price", "[\"a\", \"c\"]"),
                ("provider.a.price", "{ input = 9.0 }"),
            ],
        ),
        (
            &["gateway.route={ cost_minimization = { fallback_order = [\"c\", \"b\", \"a\"] } }"],
            &[
                ("gateway.route.cost_minimization.fallback_order", "[\"b\", \"c\"]"),
                ("gateway.route.cost_minimization.max_cost_per_1k", "0.001"),
            ],
        ),
        // On answers no price is within the limit, on prompts that of `b` is, and with calls that of nobody.
        (
            &[
                "gateway.route={ cost_minimization = { fallback_order = [\"c\", \"b\"], max_cost_per_1k = 0.0035 } }",
            ],
            &[("gateway.route.cost_minimization.price", "\"input\"")],
        ),
        (
            &[
                "gateway.route={ cost_minimization = { fallback_order = [\"c\", \"b\"], max_cost_per_1k = 0.0075 } }",
            ],
            &[("gateway.route.cost_minimization.price", "\"blended\"")],
        ),
        (
            &["gateway.route={ split = { share = 0.3, first = \"a\", rest = \"b\" } }"],
            &[
                ("gateway.route.split.share", "0.4"),
                ("gateway.route.split.first", "\"c\""),
                ("gateway.route.split.rest", "\"c\""),
            ],
        ),
        (
            &["gateway.route={ sticky = { users = 10, among = [\"a\", \"b\"] } }"],
            &[("gateway.route.sticky.users", "11"), ("gateway.route.sticky.among", "[\"b\", \"a\"]")],
        ),
    ],
}];
