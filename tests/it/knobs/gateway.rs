//! The gateway: how its replicas learn of health, what it does without it, its timers, and its own faults.

use super::Base;

pub const BASES: &[Base] = &[
    // One provider of two fails, and later both.
    Base {
        at: &[""],
        toml: r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "20/s" }, client_timeout = "5s" }
    [provider.a1]
    labels = { vendor = "x" }
    latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
    [provider.a2]
    labels = { vendor = "x" }
    latency = { exponential = { mean = "900ms" } }
    [provider.b]
    latency = { constant = "900ms" }
    [fault.one]
    on = { name = "a1" }
    at = "10s"
    lasts = "10s"
    [fault.all]
    on = { vendor = "x" }
    at = "35s"
    lasts = "15s"
    [gateway]
    replicas = 2
    route = { round_robin = ["a1", "a2"] }
    health_check = { interval = "2s", timeout = "1s" }
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("gateway.health", "{ shared = \"0s\" }"),
                    ("gateway.propagation", "{ delay = \"2s\" }"),
                    ("gateway.propagation", "{ ttl = \"2s\" }"),
                    ("gateway.all_ejected", "\"ignore_health\""),
                    ("gateway.all_ejected", "\"wait\""),
                    ("gateway.panic_below", "0.6"),
                    ("gateway.slow_start", "\"8s\""),
                    ("gateway.on_ejection", "\"close\""),
                ],
            ),
            (&["gateway.health={ shared = \"1s\" }"], &[("gateway.health.shared", "\"3s\"")]),
            // Groups: what a preferred one cannot take spills over, and its members' changes come together.
            (
                &[
                    "gateway.group={ g = { round_robin = [\"a1\", \"a2\"] } }",
                    "gateway.route={ prefer = [\"g\", \"b\"] }",
                ],
                &[
                    ("gateway.group.g.round_robin", "[\"a1\"]"),
                    ("gateway.overprovisioning", "1.4"),
                    ("gateway.propagation", "{ merge_window = \"5s\" }"),
                ],
            ),
        ],
    },
    // Answers that stall, and connections that are never made.
    Base {
        at: &[""],
        toml: r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "20/s" }, client_timeout = "20s" }
    [provider.a]
    latency = { lognormal = { p50 = "800ms", p99 = "5s" } }
    first_token = 0.3
    [provider.b]
    latency = { exponential = { mean = "900ms" } }
    [fault.stall]
    on = { name = "a" }
    at = "10s"
    lasts = "10s"
    requests = { stall = 0.5 }
    [fault.drop]
    on = { name = "a" }
    at = "30s"
    lasts = "20s"
    requests = "drop"
    [gateway]
    route = { prefer = ["a", "b"] }
    timeouts = { connect = "1s", first_token = "2s", idle = "2s", attempt = "5s", request = "8s" }
    retry = { attempts = 1, on = ["any"] }
    fallback = {}
    "#,
        knobs: &[(
            &[],
            &[
                ("provider.a.first_token", "0.8"),
                ("gateway.timeouts.connect", "\"1500ms\""),
                ("gateway.timeouts.first_token", "\"1s\""),
                ("gateway.timeouts.idle", "\"3s\""),
                ("gateway.timeouts.attempt", "\"2500ms\""),
                ("gateway.timeouts.request", "\"3s\""),
                ("gateway.timeouts.spares_last", "true"),
                ("gateway.timeouts.buffers", "true"),
            ],
        )],
    },
    // Replicas fail, and some cannot read what the others know of a provider's outage.
    Base {
        at: &[""],
        toml: r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "20/s" }, client_timeout = "5s" }
    [provider.a]
    latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
    [provider.b]
    latency = { exponential = { mean = "900ms" } }
    [fault.outage]
    on = { name = "a" }
    at = "30s"
    lasts = "15s"
    [gateway]
    replicas = 3
    health = { shared = "1s" }
    route = { prefer = ["a", "b"] }
    health_check = { interval = "2s", timeout = "1s" }
    [gateway.fault.down]
    at = "10s"
    lasts = "5s"
    effect = "crash"
    replicas = 1
    [gateway.fault.store]
    at = "28s"
    lasts = "10s"
    effect = "lose_store"
    "#,
        knobs: &[(
            &[],
            &[
                ("gateway.fault.down.at", "\"12s\""),
                ("gateway.fault.down.lasts", "\"7s\""),
                ("gateway.fault.down.effect", "\"drain\""),
                ("gateway.fault.down.replicas", "2"),
                ("gateway.fault.store.at", "\"35s\""),
                ("gateway.fault.store.lasts", "\"15s\""),
                ("gateway.fault.store.effect", "\"crash\""),
                ("gateway.fault.store.replicas", "2"),
            ],
        )],
    },
    // Probes that are refused, and later hang for longer than an interval.
    Base {
        at: &[""],
        toml: r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "20/s" }, client_timeout = "5s" }
    [provider.a]
    latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
    [provider.b]
    latency = { exponential = { mean = "900ms" } }
    [fault.refuse]
    on = { name = "a" }
    at = "10s"
    lasts = "15s"
    probe_fraction = 0.7
    [fault.hang]
    on = { name = "a" }
    at = "35s"
    lasts = "15s"
    requests = "refuse"
    probes = "hang"
    [gateway]
    route = { prefer = ["a", "b"] }
    [gateway.health_check]
    interval = "2s"
    timeout = "3s"
    eject_after = 3
    readmit_after = 2
    first_probe = { at = "0s" }
    "#,
        knobs: &[
            (
                &[],
                &[
                    ("gateway.health_check.interval_falling", "\"1s\""),
                    ("gateway.health_check.interval_down", "\"500ms\""),
                    ("gateway.health_check.interval_rising", "\"500ms\""),
                    ("gateway.health_check.interval_no_traffic", "\"1s\""),
                    ("gateway.health_check.jitter_share", "0.5"),
                    ("gateway.health_check.spread", "0.5"),
                    ("gateway.health_check.counting", "\"cumulative\""),
                    ("gateway.health_check.eject_at_once_on", "[\"refused\"]"),
                    ("gateway.health_check.next_probe", "\"from_start_no_overlap\""),
                    ("gateway.health_check.next_probe", "\"from_end\""),
                    ("gateway.health_check.next_probe", "\"on_ticks\""),
                    ("gateway.health_check.observers", "3"),
                ],
            ),
            (&["gateway.health_check.observers=3"], &[("gateway.health_check.quorum", "0.5")]),
        ],
    },
];
