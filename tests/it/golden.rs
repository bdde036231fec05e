//! Outcomes to the last bit: a drift of random numbers, of a path of the engine, of the order of events, or between
//! builds with other features changes these snapshots.
//!
//! A change here means that results of earlier versions can no longer be reproduced: it belongs in the changelog.

use failover_sim::engine::Path;
use failover_sim::metrics::{METRICS, Outcome, Wanted, measure};
use failover_sim::scenario::Loader;
use std::fmt::Write;

/// Poisson arrivals, lognormal and exponential latencies, quiet errors, a fault that hits a fraction, jitter, replicas.
const BROWNOUT: &str = r#"
duration = "3m"
[traffic]
arrivals = { poisson = "40/s" }
client_timeout = "6s"
[provider.a]
labels = { vendor = "x" }
latency = { lognormal = { p50 = "800ms", p99 = "5s" } }
error_rate = 0.02
[provider.b]
latency = { exponential = { mean = "1200ms" } }
error_rate = 0.01
[fault.brownout]
on = { vendor = "x" }
at = "40s"
lasts = "1m"
requests = { status = 503 }
probes = { slow = 20.0 }
in_flight = "fail"
fraction = 0.6
probe_fraction = 0.8
[gateway]
replicas = 3
route = { prefer = ["a", "b"] }
[gateway.health_check]
interval = "5s"
timeout = "1s"
jitter = "700ms"
eject_after = 2
readmit_after = 2
latency = { lognormal = { p50 = "80ms", p99 = "900ms" } }
[operator.hand]
at = "95s"
avoid = ["a"]
"#;

/// A trace, scaled by copies and a little time; latency-led routing that explores; requests that hang.
const TRACE: &str = r#"
duration = "3m"
[traffic]
arrivals = { trace = { file = "numbers.csv", column = "t_ms", rate = "17.3/s" } }
client_timeout = "4s"
[provider.a]
latency = { lognormal = { p50 = "500ms", p99 = "2s" } }
error_rate = 0.005
[provider.b]
latency = { exponential = { mean = "700ms" } }
[provider.c]
latency = { constant = "900ms" }
[fault.hang]
on = { name = "a" }
at = "50s"
lasts = "45s"
requests = "hang"
probes = "hang"
in_flight = "hang"
[gateway]
replicas = 2
all_ejected = "ignore_health"
route = { lowest_latency = { weight = 0.2, explore = 0.1, failure_counts_as = "8s" } }
health_check = { interval = "10s", timeout = "2s", next_probe = "from_end", latency = { exponential = { mean = "90ms" } } }
"#;

/// Evenly spaced arrivals and two overlapping faults, of which one slows down and one refuses; nobody probes one by one.
const OVERLAP: &str = r#"
duration = "2m"
[traffic]
arrivals = { constant = "33.3/s" }
[provider.a]
labels = { region = "east" }
latency = { exponential = { mean = "400ms" } }
[provider.b]
labels = { region = "east" }
latency = { lognormal = { p50 = "300ms", p99 = "1s" } }
error_rate = 0.03
[fault.slow]
on = { region = "east" }
at = "20s"
lasts = "50s"
requests = { slow = 7.0 }
probes = { slow = 7.0 }
fraction = 0.5
[fault.refused]
on = { name = "a" }
at = "45s"
lasts = "40s"
requests = "refuse"
probes = "refuse"
[gateway]
route = { prefer = ["a", "b"] }
health_check = { interval = "3s", timeout = "500ms", next_probe = "from_start_no_overlap", latency = { exponential = { mean = "60ms" } } }
"#;

/// Every metric, as text that reads back as the same number.
fn told(outcome: &Outcome) -> String {
    METRICS.iter().fold(String::new(), |mut text, metric| {
        let value = metric.of(outcome).map_or("null".to_owned(), |value| format!("{value:?}"));
        writeln!(text, "  {} = {value}", metric.name).expect("a string grows");
        text
    })
}

#[test]
fn outcomes_are_the_same_to_the_last_bit_as_ever() {
    for (name, scenario) in [("brownout", BROWNOUT), ("trace", TRACE), ("overlap", OVERLAP)] {
        // Traces are looked up beside the file.
        let document = Loader::new().parse("tests/fixtures/golden.toml", scenario);
        let model = document.and_then(|document| document.model()).unwrap_or_else(|p| panic!("{name}: {p}"));
        let mut text = String::new();
        for run in 0..2 {
            let on = |path| measure(&model, 1, run, Wanted::METRICS, path);
            let outcome = on(None);
            assert_eq!(told(&outcome), told(&on(Some(Path::Plain))), "{name}, run {run}");
            writeln!(text, "run {run}\n{}", told(&outcome)).expect("a string grows");
        }
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("golden_{name}"), text);
        });
    }
}
