//! What the gateway takes in, and what it answers itself.

use super::Base;

pub const BASES: &[Base] = &[Base {
    at: &[""],
    toml: r#"
    duration = "30s"
    [traffic]
    arrivals = { poisson = "20/s" }
    client_timeout = "4s"
    client_retry = { attempts = 1, on = [503], delay = "1s" }
    class.chat = { share = 1.0 }
    class.code = { share = 1.0 }
    [provider.a]
    latency = { exponential = { mean = "800ms" } }
    [gateway]
    replicas = 2
    limit = { in_flight = 6, queue = 8 }
    "#,
    knobs: &[
        (
            &[],
            &[
                ("traffic.class.chat.priority", "1"),
                ("gateway.limit.in_flight", "5"),
                ("gateway.limit.queue", "4"),
                ("gateway.limit.queue_timeout", "\"500ms\""),
                ("gateway.limit.rate", "\"8/s\""),
                ("gateway.limit.answer", "429"),
                ("gateway.cache", "{ hit_ratio = 0.2 }"),
            ],
        ),
        (&["gateway.limit.rate=\"8/s\""], &[("gateway.limit.burst", "\"300ms\"")]),
        (
            &["gateway.cache={ hit_ratio = 0.2, latency = \"5ms\" }"],
            &[("gateway.cache.hit_ratio", "0.3"), ("gateway.cache.latency", "\"50ms\"")],
        ),
    ],
}];
