//! Scenario and experiment files: parts, settings by hand, where values came from, and the schemas.

use failover_sim::experiment::axis::{AxisValue, axis_value};
use failover_sim::experiment::file::Experiment;
use failover_sim::model::{
    AllEjected, Arrivals, Effect, Evidence, FirstProbe, InFlight, Latency, Probability,
};
use failover_sim::scenario::{Document, Loader, TEMPLATE};
use failover_sim::time::{SimDuration, SimTime};
use std::path::Path;

fn template() -> Document {
    Loader::new().parse("mine.toml", TEMPLATE).unwrap()
}

fn with_parts() -> Document {
    Loader::new().open(Path::new("tests/fixtures/valid/with_parts.toml")).unwrap()
}

/// Fails with the command that writes the file anew; never writes it itself.
fn in_step(file: &str, generated: &str) {
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(file, generated).unwrap();
    }
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    assert!(committed == generated, "{file} is out of step: run UPDATE_SCHEMAS=1 cargo test schema");
}

#[test]
fn committed_schemas_are_in_step() {
    in_step("scenario.schema.json", &failover_sim::scenario::json_schema());
    in_step("experiment.schema.json", &failover_sim::experiment::json_schema());
}

#[test]
fn the_template_is_valid_and_marks_what_to_change() {
    let model = template().model().unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(model.name, "mine");
    assert_eq!(model.faults[0].start, SimTime::from_nanos(420_000_000_000));
    assert_eq!(model.gateway.health_check.unwrap().first_probe, FirstProbe::Random);
    assert!(TEMPLATE.matches("# <- change").count() >= 5);
    assert_eq!(model.weakest_evidence, None);
}

#[test]
fn parts_merge_deeply_and_what_is_nearer_wins() {
    let model = with_parts().model().unwrap_or_else(|problems| panic!("{problems}"));
    let [east, west] = model.providers.as_slice() else { panic!("two providers") };
    assert_eq!(east.labels["region"], "us-east-1", "the file overrides the part");
    assert_eq!(east.labels["vendor"], "anthropic", "and keeps what it does not name");
    assert!(matches!(east.latency, Latency::LogNormal { .. }));
    assert_eq!(west.latency, Latency::Constant(SimDuration::from_secs(1)), "another choice replaces");
    assert_eq!(west.error_rate, Probability::new(0.01).unwrap());

    let check = model.gateway.health_check.as_ref().unwrap();
    assert_eq!(check.interval, SimDuration::from_secs(5), "from the file");
    assert_eq!(check.timeout, SimDuration::from_secs(2), "from the part");
    assert_eq!(check.eject_after.get(), 3, "from the part's part");
    assert_eq!(model.gateway.all_ejected, AllEjected::IgnoreHealth);
    assert_eq!(model.gateway.route.plain_list().map(|list| list[0].index()), Some(1));

    let fault = &model.faults[0];
    assert_eq!((fault.requests, fault.probes), (Effect::Hang, Effect::Hang), "probes follow requests");
    assert_eq!(fault.in_flight, InFlight::Finish);
    assert_eq!(fault.providers.len(), 2);

    let Arrivals::Trace(trace) = &model.traffic.arrivals else { panic!("a trace") };
    let millis: Vec<f64> = trace.times().iter().map(|time| time.as_millis_f64()).collect();
    assert_eq!(millis, [0.0, 250.0, 1000.0]);
    assert_eq!(trace.rate().unwrap().per_second(), 150.0);
    assert_eq!(model.weakest_evidence, Some(Evidence::Documented), "the weakest of all parts");
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("marked.toml");
    std::fs::write(&path, format!("\u{feff}{TEMPLATE}")).unwrap();
    let document = Loader::new().open(&path).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((document.name(), document.path()), ("marked", path.to_str().unwrap()));
}

/// Points of a sweep are lowered on many threads.
#[test]
fn documents_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&template());
}

#[test]
fn settings_can_be_given_by_hand() {
    let mut document = template();
    for assignment in [
        "gateway.health_check.interval=5s",
        "gateway.health_check.jitter = 250ms",
        "gateway.replicas=3",
        "fault.night.at=02:50:00",
        "fault.night.requests={ slow = 20.0 }",
        "fault.night.probe_fraction=0.5",
        "provider.gpt4o_west.latency.constant=1s",
        "provider.gpt4o_west.labels.account=second",
        "traffic.arrivals={ constant = \"10/s\" }",
        "gateway.route.lowest_latency.among=[\"gpt4o_west\"]",
    ] {
        let set = document.set_text(assignment);
        if assignment.starts_with("gateway.route.") {
            // Inside another choice than the scenario's: the whole has to be set.
            assert!(set.unwrap_err().to_string().contains("is `prefer` here"));
        } else {
            set.unwrap_or_else(|problems| panic!("{problems}"));
        }
    }
    let model = document.model().unwrap_or_else(|problems| panic!("{problems}"));
    let check = model.gateway.health_check.as_ref().unwrap();
    assert_eq!(check.interval, SimDuration::from_secs(5));
    assert_eq!(check.jitter, SimDuration::from_millis(250));
    assert_eq!(model.gateway.replicas.get(), 3);
    assert_eq!(model.faults[0].start, SimTime::from_nanos(600_000_000_000));
    assert_eq!(model.faults[0].requests, Effect::Slow(20.0));
    assert_eq!(model.faults[0].probes, Effect::Hang);
    assert_eq!(model.faults[0].probe_fraction.get(), 0.5);
    assert_eq!(model.providers[1].latency, Latency::Constant(SimDuration::from_secs(1)));
    assert_eq!(model.providers[1].labels["account"], "second");
    assert_eq!(model.traffic.arrivals.mean_rate().per_second(), 10.0);
}

#[test]
fn another_part_can_be_set_and_lies_below_what_the_file_says() {
    let mut document = with_parts();
    document.set_text("gateway.from=parts/gateway_family.toml").unwrap();
    document.set_text("gateway.health_check.eject_after=2").unwrap();
    let check = document.model().unwrap().gateway.health_check.unwrap();
    assert_eq!(check.interval, SimDuration::from_secs(5));
    assert_eq!(check.timeout, SimDuration::from_secs(30));
    assert_eq!(check.eject_after.get(), 2);
}

#[test]
fn settings_read_back_with_their_defaults() {
    let mut document = template();
    let text = |document: &Document, path: &str| document.get(path).map(|value| value.to_string());
    assert_eq!(text(&document, "gateway.health_check.interval").as_deref(), Some("\"60s\""));
    assert_eq!(text(&document, "gateway.health_check.jitter").as_deref(), Some("\"0s\""));
    assert_eq!(text(&document, "gateway.health_check.latency.constant").as_deref(), Some("\"50ms\""));
    assert_eq!(text(&document, "gateway.replicas").as_deref(), Some("1"));
    assert_eq!(text(&document, "fault.night.probe_fraction").as_deref(), Some("1.0"));
    assert_eq!(text(&document, "provider.claude_east.from"), None);
    document.set("fault.night.fraction", 0.25.into(), "sweep").unwrap();
    assert_eq!(
        text(&document, "fault.night.probe_fraction").as_deref(),
        Some("0.25"),
        "the same as fraction"
    );
}

#[test]
fn every_setting_says_where_it_came_from() {
    let mut document = with_parts();
    document.set_text("gateway.replicas=3").unwrap();
    let lines: Vec<String> = document
        .resolved()
        .iter()
        .map(|setting| format!("{} = {}  # {}", setting.path, setting.value, setting.origin))
        .collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("resolved", lines.join("\n"));
    });
}

#[test]
fn the_whole_scenario_is_json_for_the_manifest() {
    let json = with_parts().to_json();
    assert_eq!(json["gateway"]["health_check"]["readmit_after"], 1);
    assert_eq!(json["fault"]["outage"]["probes"], "hang");
    assert_eq!(json["provider"]["east"]["latency"]["lognormal"]["p50"], "800ms");
}

/// An experiment in a folder of its own, with the template as `a` and a variant as `b`.
fn experiment(text: &str) -> Experiment {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.toml", TEMPLATE);
    write("b.toml", &TEMPLATE.replace("60s", "50s").replace("[fault.night]", "[fault.day]"));
    write("experiment.toml", text);
    Experiment::open(folder.path(), &mut Loader::new()).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_sweep_is_a_grid_with_the_last_axis_fastest() {
    let experiment = experiment(
        r#"
        question = "How fast is fast enough?"
        scenarios = ["a.toml", "b.toml"]
        [sweep]
        keep = ["gateway.health_check.timeout <= gateway.health_check.interval", "gateway.replicas < 3"]
        [[sweep.axis]]
        path = "gateway.health_check.interval"
        values = ["10s", "1m"]
        [[sweep.axis]]
        path = "gateway.health_check.timeout"
        values = ["1s", "30s"]
        [[sweep.axis]]
        path = "fault.night.requests"
        values = ["refuse", { status = 503 }]
        scenarios = ["a"]
        "#,
    );
    assert_eq!(experiment.runs, 100);
    let sweep = experiment.sweep.unwrap();
    let points = sweep.points(&experiment.scenarios).unwrap();
    let shown: Vec<String> = points
        .iter()
        .map(|point| {
            let values: Vec<String> = sweep
                .axes
                .iter()
                .zip(&point.values)
                .map(|(axis, value)| match value.as_ref().map(|value| axis_value(axis, value)) {
                    Some(AxisValue::Number(number)) => number.to_string(),
                    Some(AxisValue::Text(text)) => text,
                    None => "-".to_owned(),
                })
                .collect();
            format!("{} {} {}", point.index, experiment.scenarios[point.scenario].name(), values.join(" | "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "0 a 10000 | 1000 | refuse",
            "1 a 10000 | 1000 | { status = 503 }",
            "2 a 60000 | 1000 | refuse",
            "3 a 60000 | 1000 | { status = 503 }",
            "4 a 60000 | 30000 | refuse",
            "5 a 60000 | 30000 | { status = 503 }",
            "6 b 10000 | 1000 | -",
            "7 b 60000 | 1000 | -",
            "8 b 60000 | 30000 | -",
        ]
    );
    assert_eq!(sweep.axes[0].column, "gateway.health_check.interval_ms");
    assert_eq!(sweep.axes[2].column, "fault.night.requests");
    let model = sweep.document(&experiment.scenarios, &points[3]).unwrap().model().unwrap();
    assert_eq!(model.faults[0].requests, Effect::Status(503));
    assert_eq!(model.gateway.health_check.unwrap().timeout, SimDuration::from_secs(1));
}

/// What a reader is shown works: every experiment, every part that a scenario takes. What the docs show is in `docs.rs`.
#[test]
fn what_is_committed_is_valid() {
    let book = std::fs::read_to_string("docs/README.md").expect("the book's first page");
    for entry in std::fs::read_dir("experiments").expect("experiments") {
        let folder = entry.expect("a readable entry").path();
        let mut loader = Loader::new();
        let experiment = Experiment::open(&folder, &mut loader).unwrap_or_else(|p| panic!("{p}"));
        for scenario in &experiment.scenarios {
            scenario.model().unwrap_or_else(|problems| panic!("{problems}"));
        }
        if let Some(sweep) = &experiment.sweep {
            let points = sweep.points(&experiment.scenarios).unwrap_or_else(|p| panic!("{p}"));
            sweep.models(&experiment.scenarios, &points).unwrap_or_else(|p| panic!("{p}"));
        }
        assert!(folder.join("README.md").exists(), "{} says what it finds", folder.display());
        assert!(
            book.contains(&format!("experiments/{}", experiment.name)),
            "docs/README.md names {}",
            experiment.name
        );
    }
}

/// A gateway's preset needs nothing but a route, says where it is from, and is in the list and in the comparison.
#[test]
fn every_preset_of_a_gateway_is_valid_and_listed() {
    let list = std::fs::read_to_string("models/README.md").expect("a list of parts");
    let compared =
        std::fs::read_to_string("experiments/03_gateway_shootout/experiment.toml").expect("a sweep");
    let mut names: Vec<String> = std::fs::read_dir("models/gateways")
        .expect("presets")
        .map(|entry| entry.expect("a readable entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for name in names {
        let scenario = format!(
            "duration = \"1m\"\n[traffic]\narrivals = {{ constant = \"1/s\" }}\n\
             [provider.a]\nlatency = {{ constant = \"1s\" }}\n[provider.b]\nlatency = {{ constant = \"1s\" }}\n\
             [gateway]\nfrom = \"models/gateways/{name}\"\nroute = {{ prefer = [\"a\", \"b\"] }}\n"
        );
        let document = Loader::new().parse(&name, &scenario).unwrap_or_else(|problems| panic!("{problems}"));
        let model = document.model().unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert!(model.weakest_evidence.is_some(), "{name} says how well its numbers are known");
        assert!(document.get("gateway.source").is_some(), "{name} says where they are from");
        let stem = name.trim_end_matches(".toml");
        assert!(list.contains(&format!("| `{stem}` |")), "models/README.md lists {stem}");
        assert!(compared.contains(&format!("\"models/gateways/{name}\"")), "the comparison has {name}");
    }
}
