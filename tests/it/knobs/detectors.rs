//! Passive detectors.

use super::Base;

pub const BASES: &[Base] = &[Base {
    at: &[""],
    toml: r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "30/s" }, client_timeout = "9s" }
    [provider.a]
    latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
    error_rate = 0.02
    [provider.b]
    latency = { exponential = { mean = "900ms" } }
    error_rate = 0.02
    [provider.c]
    latency = { constant = "900ms" }
    error_rate = 0.02
    [fault.errors]
    on = { name = "a" }
    at = "10s"
    lasts = "25s"
    requests = { status = 503 }
    probes = "unaffected"
    fraction = 0.7
    retry_after = "3s"
    [fault.slow]
    on = { name = "c" }
    at = "40s"
    lasts = "15s"
    requests = { slow = 3.0 }
    [gateway]
    route = { round_robin = ["lone", "b", "c"] }
    group = { lone = { prefer = ["a"] } }
    health_check = { interval = "3s", timeout = "1s", eject_after = 3, readmit_after = 2, interval_falling = "1s" }
    retry = { attempts = 1, on = ["5xx"], delay = "300ms" }
    timeouts = { attempt = "4s" }
    [gateway.detector.d]
    consecutive = 5
    eject_for = "4s"
    "#,
    knobs: &[
        (
            &[],
            &[
                ("gateway.detector.d.consecutive", "3"),
                ("gateway.detector.d.at_once_on", "[503]"),
                ("gateway.detector.d.judges", "\"after_retries\""),
                ("gateway.detector.d.failures", "[\"timeout\"]"),
                ("gateway.detector.d.ignored", "[503]"),
                ("gateway.detector.d.enforced", "0.5"),
                ("gateway.detector.d.eject_for", "\"6s\""),
                ("gateway.detector.d.growth", "\"linear\""),
                ("gateway.detector.d.growth", "{ exponential = 2.0 }"),
                ("gateway.detector.d.eject_jitter", "\"2s\""),
                ("gateway.detector.d.eject_from", "\"first_failure\""),
                ("gateway.detector.d.retry_after", "\"0s\""),
                ("gateway.detector.d.half_open", "{ permits = 2 }"),
                ("gateway.detector.d.readmit_on_probe", "true"),
                ("gateway.detector.d.max_ejected", "{ share = 0.3 }"),
                ("gateway.detector.d.spares_lone", "true"),
            ],
        ),
        (
            &["gateway.detector.d.growth={ exponential = 2.0 }"],
            &[("gateway.detector.d.max_eject_for", "\"5s\"")],
        ),
        // Answers of before come after an ejection that is shorter than they take.
        (&["gateway.detector.d.eject_for=\"500ms\""], &[("gateway.detector.d.stale", "\"dropped\"")]),
        (
            &["gateway.detector.d.max_ejected={ share = 0.3 }"],
            &[("gateway.detector.d.max_ejected.rule", "\"before_this\"")],
        ),
        (
            &["gateway.detector.d.half_open={ permits = 3, decide = \"first\" }"],
            &[
                ("gateway.detector.d.half_open.permits", "1"),
                ("gateway.detector.d.half_open.decide", "\"all\""),
            ],
        ),
        (
            &[
                "gateway.detector.d={ ratio = { at_least = 0.5, min_calls = 6 }, window = { calls = 10 }, eject_for = \"4s\" }",
            ],
            &[
                ("gateway.detector.d.ratio.at_least", "0.7"),
                ("gateway.detector.d.ratio.min_calls", "9"),
                ("gateway.detector.d.window", "\"since_admission\""),
                ("gateway.detector.d.window.calls", "20"),
                ("gateway.detector.d.window", "{ sliding = \"5s\" }"),
                ("gateway.detector.d.window", "{ ewma = \"5s\" }"),
                ("gateway.detector.d.evaluated", "\"on_failure\""),
                ("gateway.detector.d.evaluated", "{ on_ticks = { every = \"4s\" } }"),
                ("gateway.detector.d.clears_on_admission", "false"),
            ],
        ),
        (
            &[
                "gateway.detector.d={ ratio = { above = 0.5 }, half_open = { permits = 4, decide = \"all\" }, eject_for = \"4s\" }",
            ],
            &[
                ("gateway.detector.d.ratio.above", "0.4"),
                ("gateway.detector.d.half_open.decide", "\"ratio\""),
            ],
        ),
        (
            &[
                "gateway.detector.d={ count = 22, window = { buckets = { length = \"4s\", count = 2 } }, eject_for = \"4s\" }",
            ],
            &[
                ("gateway.detector.d.count", "15"),
                ("gateway.detector.d.window.buckets.length", "\"2s\""),
                ("gateway.detector.d.window.buckets.count", "4"),
                ("gateway.detector.d.window.buckets.from", "\"first_call\""),
            ],
        ),
        (
            &[
                "gateway.detector.d={ ratio = { at_least = 0.4, min_calls = 8 }, window = { tumbling = { length = \"3s\" } }, eject_for = \"4s\" }",
            ],
            &[
                ("gateway.detector.d.window.tumbling.length", "\"4s\""),
                ("gateway.detector.d.window.tumbling.from", "\"clock\""),
                ("gateway.detector.d.window.tumbling.from", "\"first_failure\""),
                ("gateway.detector.d.window.tumbling.from", "\"first_of_each\""),
            ],
        ),
        (
            &[
                "gateway.detector.d={ slow = { after = \"2s\", at_least = 0.6, min_calls = 4 }, window = { calls = 10 }, eject_for = \"4s\" }",
            ],
            &[
                ("gateway.detector.d.slow.after", "\"2800ms\""),
                ("gateway.detector.d.slow.at_least", "0.3"),
                ("gateway.detector.d.slow.min_calls", "8"),
            ],
        ),
        (
            &[
                "gateway.detector.d={ slow = { after = \"2s\", above = 0.6 }, window = { calls = 10 }, eject_for = \"4s\" }",
            ],
            &[("gateway.detector.d.slow.above", "0.3")],
        ),
        (
            &[
                "gateway.detector.d={ success_rate = { stdev_factor = 0.9, min_providers = 3, min_calls = 5 }, \
               evaluated = { on_ticks = { every = \"3s\", first = \"0s\" } }, window = { tumbling = { length = \"3s\" } }, eject_for = \"4s\" }",
            ],
            &[
                ("gateway.detector.d.success_rate.stdev_factor", "1.38"),
                ("gateway.detector.d.success_rate.min_providers", "2"),
                ("gateway.detector.d.success_rate.min_calls", "25"),
                ("gateway.detector.d.evaluated.on_ticks.every", "\"4s\""),
                ("gateway.detector.d.evaluated.on_ticks.first", "\"1s\""),
            ],
        ),
        (
            &["gateway.detector.d={ nginx = { max_fails = 3, fail_timeout = \"4s\" } }"],
            &[
                ("gateway.detector.d.nginx.max_fails", "1"),
                ("gateway.detector.d.nginx.fail_timeout", "\"6s\""),
            ],
        ),
        // The health check acts instead: its probes find nothing wrong.
        (
            &["gateway.detector.d={ consecutive = 5, on_trip = { health_check = \"hurry\" } }"],
            &[
                ("gateway.detector.d.on_trip.health_check", "\"fail\""),
                ("gateway.detector.d.on_trip.health_check", "\"brink\""),
                ("gateway.detector.d.on_trip.health_check", "\"down\""),
            ],
        ),
    ],
}];
