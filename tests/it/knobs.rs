//! Every setting that a scenario accepts changes some output: none is read and ignored.

use crate::play::on_path;
use failover_sim::engine::{Path, Recorder, RequestEnd, simulate};
use failover_sim::metrics::Outcome;
use failover_sim::scenario::{Document, Loader};
use std::collections::BTreeSet;

/// Scenarios that between them have every setting.
const BASES: [&str; 3] = [
    r#"
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
    r#"
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
    r#"
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
];

/// For each base, a setting and another value for it. A path may appear with several.
const KNOBS: [&[(&str, &str)]; 3] = [
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
        ("fault.outage.requests.status", "503"),
        ("fault.outage.probes", "\"unaffected\""),
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
    &[
        ("traffic.arrivals.constant", "\"25/s\""),
        ("provider.a.latency.constant", "\"1s\""),
        ("provider.b.latency.constant", "\"700ms\""),
        ("fault.outage.on.name", "\"b\""),
        ("fault.outage.requests.slow", "9.0"),
        ("gateway.route.lowest_latency.among", "[\"b\"]"),
        ("gateway.route.lowest_latency.weight", "0.9"),
        ("gateway.route.lowest_latency.failure_counts_as", "\"100ms\""),
        ("gateway.route.lowest_latency.explore", "0.2"),
        ("gateway.health_check.first_probe.at", "\"3s\""),
        ("gateway.health_check.latency.exponential.mean", "\"2s\""),
    ],
    &[
        ("traffic.arrivals.trace.file", "\"tests/fixtures/seconds.csv\""),
        ("traffic.arrivals.trace.column", "\"other_ms\""),
        ("traffic.arrivals.trace.unit", "\"s\""),
        ("traffic.arrivals.trace.rate", "\"30/s\""),
        ("gateway.health_check.latency.constant", "\"400ms\""),
        ("gateway.all_ejected", "\"ignore_health\""),
    ],
];

/// Settings that are words about a scenario; `run` shows them, and no number depends on them.
const WORDS: [&str; 4] = ["about", "clock", "source", "evidence"];

#[derive(Default)]
struct Requests(Vec<RequestEnd>);

impl Recorder for Requests {
    fn request_ended(&mut self, request: &RequestEnd) {
        self.0.push(*request);
    }
}

/// Everything that a run can show, for a few runs.
fn outputs(document: &Document) -> Result<Vec<(Outcome, Vec<RequestEnd>)>, String> {
    let model = document.model().map_err(|problems| problems.render(false))?;
    let output = |run| {
        let mut requests = Requests::default();
        simulate(&model, 1, run, &mut requests);
        (on_path(&model, Path::Plain, 1, run), requests.0)
    };
    Ok((0..5).map(output).collect())
}

fn document(toml: &str) -> Document {
    Loader::new().parse("base.toml", toml).unwrap_or_else(|p| panic!("{}", p.render(false)))
}

#[test]
fn every_setting_changes_some_output() {
    for (toml, knobs) in BASES.iter().zip(KNOBS) {
        let mut base = document(toml);
        if base.get("traffic.arrivals.trace").is_some() {
            // The trace's cells are whole numbers, so that any column and unit can be read.
            base.set_text("traffic.arrivals.trace.file=\"tests/fixtures/numbers.csv\"").expect("a setting");
        }
        let expected = outputs(&base).unwrap_or_else(|p| panic!("{p}"));
        for (path, value) in knobs {
            let mut changed = base.clone();
            changed
                .set_text(&format!("{path}={value}"))
                .unwrap_or_else(|problems| panic!("{path}: {}", problems.render(false)));
            match outputs(&changed) {
                Ok(outputs) => assert!(outputs != expected, "{path} = {value} changes nothing"),
                // A label that no fault matches any more, say: that it is refused shows that it is read.
                Err(problems) => assert!(problems.contains("hits nothing"), "{path} = {value}: {problems}"),
            }
        }
    }
}

#[test]
fn no_setting_is_left_out_of_this_test() {
    let mut left_out = BTreeSet::new();
    for (toml, knobs) in BASES.iter().zip(KNOBS) {
        for setting in document(toml).resolved() {
            let is_words = WORDS.iter().any(|word| setting.path.rsplit('.').next() == Some(word));
            let is_turned = |knobs: &[(&str, &str)]| {
                knobs
                    .iter()
                    .any(|(path, _)| *path == setting.path || setting.path.starts_with(&format!("{path}.")))
            };
            if !is_words && !is_turned(knobs) && !KNOBS.iter().any(|knobs| is_turned(knobs)) {
                left_out.insert(setting.path);
            }
        }
    }
    assert!(left_out.is_empty(), "turn these knobs, too: {left_out:#?}");
}
