//! Sweeps: which points a design has, and the scenario that each of them stands for.

use failover_sim::experiment::axis::Domain;
use failover_sim::experiment::design::{Point, Sweep};
use failover_sim::experiment::file::Experiment;
use failover_sim::model::{Arrivals, Model};
use failover_sim::scenario::{Document, Loader};
use failover_sim::time::SimDuration;
use tempfile::TempDir;

const SCENARIO: &str = r#"
duration = "30m"
traffic.arrivals = { poisson = "10/s" }
provider.a.latency = { constant = "800ms" }
fault.outage = { on = { name = "a" }, at = "7m", lasts = "4m" }
gateway.health_check = { interval = "60s", timeout = "30s" }
"#;

const SLOW: &str =
    "health_check = { interval = \"90s\", timeout = \"20s\", eject_after = 4 }\nreplicas = 2\n";

/// The sweep of an experiment with a scenario `a`, one `b` that polls every 50 s, and a part `slow.toml`; its folder.
fn sweep(sweep: &str) -> (Sweep, Vec<Document>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.toml", SCENARIO);
    write("b.toml", &SCENARIO.replace("60s", "50s"));
    write("slow.toml", SLOW);
    write("experiment.toml", &format!("question = \"?\"\nscenarios = [\"a.toml\", \"b.toml\"]\n{sweep}"));
    let experiment = Experiment::open(folder.path(), &mut Loader::new());
    let experiment = experiment.unwrap_or_else(|problems| panic!("{problems}"));
    (experiment.sweep.expect("a sweep"), experiment.scenarios, folder)
}

fn points(text: &str) -> Vec<Point> {
    let (sweep, scenarios, _folder) = sweep(text);
    sweep.points(&scenarios).unwrap_or_else(|problems| panic!("{problems}"))
}

fn models(text: &str) -> Vec<Model> {
    let (sweep, scenarios, _folder) = sweep(text);
    let points = sweep.points(&scenarios).unwrap();
    sweep.models(&scenarios, &points).unwrap_or_else(|problems| panic!("{problems}"))
}

fn shown(points: &[Point]) -> Vec<String> {
    let value = |value: &Option<toml::Value>| match value {
        Some(toml::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "-".to_owned(),
    };
    let values = |point: &Point| point.values.iter().map(value).collect::<Vec<_>>().join(" ");
    points.iter().map(|point| format!("{} {}", point.scenario, values(point))).collect()
}

const INTERVAL: &str = "path = \"gateway.health_check.interval\"";
const TIMEOUT: &str = "path = \"gateway.health_check.timeout\"";
const EJECT_AFTER: &str = "path = \"gateway.health_check.eject_after\"";

#[test]
fn ranges_are_axes() {
    let grid = points(&format!(
        "[[sweep.axis]]\n{INTERVAL}\nrange = {{ from = \"30s\", to = \"1m\", step = \"15s\" }}\n
         [[sweep.axis]]\n{EJECT_AFTER}\nrange = {{ from = 1, to = 4, count = 3, scale = \"log\" }}\nscenarios = [\"b\"]"
    ));
    let expected = [
        "0 30s -", "0 45s -", "0 60s -", "1 30s 1", "1 30s 2", "1 30s 4", "1 45s 1", "1 45s 2", "1 45s 4",
        "1 60s 1", "1 60s 2", "1 60s 4",
    ];
    assert_eq!(shown(&grid), expected);
}

#[test]
fn cases_are_settings_under_a_name_and_meet_every_axis() {
    let text = format!(
        "[[sweep.axis]]\n{EJECT_AFTER}\nvalues = [1, 2]\nscenarios = [\"b\"]\n
         [[sweep.case]]\nname = \"as it is\"\nset = {{ \"gateway.replicas\" = 1 }}
         [[sweep.case]]\nname = \"slow\"\nset = {{ gateway.health_check.timeout = \"5s\", \"gateway.from\" = \"slow.toml\" }}"
    );
    let expected = ["0 as it is -", "0 slow -", "1 as it is 1", "1 as it is 2", "1 slow 1", "1 slow 2"];
    assert_eq!(shown(&points(&text)), expected);
    let of = |model: &Model| {
        let check = model.gateway.health_check.as_ref().unwrap();
        (model.gateway.replicas.get(), check.timeout.as_secs_f64(), check.eject_after.get())
    };
    let models = models(&text);
    assert_eq!(
        models.iter().map(of).collect::<Vec<_>>(),
        [
            (1, 30.0, 1),
            // The part's replicas and thresholds; what the file says, and the case, lies over it.
            (2, 5.0, 4),
            (1, 30.0, 1),
            (1, 30.0, 2),
            (2, 5.0, 1),
            (2, 5.0, 2),
        ]
    );
    let (sweep, ..) = sweep(&text);
    let [cases, eject_after] = sweep.axes.as_slice() else { panic!("the cases, and an axis") };
    assert_eq!((cases.path.as_str(), cases.column.as_str()), ("case", "case"));
    assert!(!cases.overrides("gateway.replicas"), "one of them leaves it alone");
    assert!(eject_after.overrides("gateway.health_check.eject_after"));
}

/// Whatever the order of the axes: a whole table first, then its part, then what is in it.
#[test]
fn no_axis_undoes_another() {
    let axes = [
        format!("[[sweep.axis]]\n{TIMEOUT}\nvalues = [\"3s\"]\n"),
        "[[sweep.axis]]\npath = \"gateway.from\"\nvalues = [\"slow.toml\"]\n".to_owned(),
        "[[sweep.axis]]\npath = \"gateway.health_check\"\nvalues = [{ interval = \"40s\", timeout = \"2s\" }]\n".to_owned(),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let models = models(&order.map(|nth| axes[nth].as_str()).concat());
        let gateway = &models[0].gateway;
        let check = gateway.health_check.as_ref().unwrap();
        assert_eq!(check.interval, SimDuration::from_secs(40), "{order:?}: the table's");
        assert_eq!(check.timeout, SimDuration::from_secs(3), "{order:?}: the setting's");
        assert_eq!((check.eject_after.get(), gateway.replicas.get()), (4, 2), "{order:?}: the part's");
    }
}

#[test]
fn sampled_points_are_the_same_for_every_scenario_and_readable() {
    for design in ["{ random = 16 }", "{ latin_hypercube = 16 }", "{ sobol = 16 }"] {
        let text = |more: &str| {
            format!(
                "[sweep]\ndesign = {design}\n{more}
                 [[sweep.axis]]\n{INTERVAL}\nrange = {{ from = \"30s\", to = \"2m\", scale = \"log\" }}
                 [[sweep.axis]]\n{EJECT_AFTER}\nvalues = [1, 2, 5, 7]
                 [[sweep.axis]]\npath = \"traffic.arrivals.poisson\"\nrange = {{ from = \"60/m\", to = \"90/m\" }}\nscenarios = [\"a\"]"
            )
        };
        let points = points(&text(""));
        let (a, b) = points.split_at(16);
        assert_eq!(b.len(), 16, "{design}");
        for (a, b) in a.iter().zip(b) {
            assert_eq!((&a.values[..2], &b.values[2]), (&b.values[..2], &None));
            let interval = a.values[0].as_ref().unwrap().as_str().unwrap();
            let digits = interval.chars().filter(char::is_ascii_digit).count();
            assert!(interval.ends_with('s') && (2..=4).contains(&digits), "{interval}");
            assert!(a.values[2].as_ref().unwrap().as_str().unwrap().ends_with("/m"));
        }
        if !design.contains("random") {
            for value in [1, 2, 5, 7] {
                let of = |point: &&Point| point.values[1] == Some(value.into());
                assert_eq!(a.iter().filter(of).count(), 4, "{design}: categories are balanced");
            }
        }
        assert_ne!(self::points(&text("seed = 2")), points, "{design}");
        assert_eq!(self::points(&text("seed = 1")), points, "{design}: the default");
        let rate = |model: &Model| matches!(model.traffic.arrivals, Arrivals::Poisson(rate) if rate.per_second() < 1.5);
        assert!(models(&text("")).iter().take(16).all(rate));
    }
}

#[test]
fn a_sampled_design_keeps_what_its_conditions_leave_and_each_point_once() {
    let (sweep, scenarios, _folder) = sweep(&format!(
        "[sweep]\ndesign = {{ latin_hypercube = 200 }}\nkeep = [\"{0}.timeout <= {0}.interval\"]
         [[sweep.axis]]\n{INTERVAL}\nrange = {{ from = \"10s\", to = \"60s\" }}
         [[sweep.axis]]\n{TIMEOUT}\nvalues = [\"5s\", \"35s\"]\nscenarios = [\"a\"]
         [[sweep.axis]]\n{EJECT_AFTER}\nvalues = [1, 2]\nscenarios = [\"a\"]",
        "gateway.health_check"
    ));
    let layout = sweep.layout(&scenarios).unwrap();
    let [a, b] = layout.tallies[..] else { panic!("two scenarios") };
    assert_eq!((a.designed, b.designed), (200, 200));
    // Half of the points wait 35 s, and half of those poll more often. In `b` all wait 30 s: 80 of 200.
    assert!(a.dropped.abs_diff(50) <= 10, "{a:?}");
    assert_eq!(b.dropped, 80);
    assert_eq!(a.kept() + b.kept(), layout.len());
    assert_eq!(sweep.points_of(&scenarios, 1).unwrap().len(), b.kept());
    for point in &sweep.points(&scenarios).unwrap() {
        let check = sweep.document(&scenarios, point).unwrap().model().unwrap().gateway.health_check.unwrap();
        assert!(check.timeout <= check.interval);
    }

    let few = self::sweep(&format!(
        "[sweep]\ndesign = {{ random = 100 }}\n[[sweep.axis]]\n{EJECT_AFTER}\nrange = {{ from = 1, to = 3 }}\nscenarios = [\"a\"]"
    ));
    let layout = few.0.layout(&few.1).unwrap();
    assert_eq!(
        layout.tallies.iter().map(|tally| (tally.kept(), tally.equal)).collect::<Vec<_>>(),
        [(3, 97), (1, 99)]
    );
}

/// What conditions read without the whole scenario is what the scenario says.
#[test]
fn conditions_see_what_points_set_and_what_follows_from_it() {
    let kept = |condition: &str, axes: &str| -> Vec<String> {
        shown(&points(&format!("[sweep]\nkeep = ['''{condition}''']\n{axes}")))
    };
    let parts = "[[sweep.axis]]\npath = \"gateway.from\"\nvalues = [\"slow.toml\", \"models/gateways/direct.toml\"]\nscenarios = [\"a\"]";
    assert_eq!(kept("gateway.replicas == 2", parts), ["0 slow.toml"]);
    let table = "[[sweep.axis]]\npath = \"gateway.health_check\"\nvalues = [{ interval = \"9s\", timeout = \"2s\" }, { interval = \"8s\", timeout = \"1s\" }]";
    assert_eq!(kept("gateway.health_check.timeout < \"2s\"", table).len(), 2);
    let choice = "[[sweep.axis]]\npath = \"traffic.arrivals.constant\"\nvalues = [\"5/s\", \"20/s\"]\nscenarios = [\"a\"]";
    // A condition on what is not there says nothing: the constant arrivals of `a` replaced its Poisson arrivals.
    assert_eq!(kept("traffic.arrivals.poisson > \"15/s\"", choice), ["0 5/s", "0 20/s"]);
    assert_eq!(kept("traffic.arrivals.constant > \"15/s\"", choice), ["0 20/s", "1 -"]);
    // What a fault does to probes follows what it does to requests.
    let fault = "[[sweep.axis]]\npath = \"fault.outage.requests\"\nvalues = [\"refuse\", \"hang\"]\nscenarios = [\"a\"]";
    assert_eq!(kept("fault.outage.probes == \"hang\"", fault), ["0 hang"]);
    let cases = "[[sweep.case]]\nname = \"x\"\nset = { \"gateway.replicas\" = 3 }\n[[sweep.case]]\nname = \"y\"\nset = { \"gateway.health_check.eject_after\" = 2 }";
    assert_eq!(kept("gateway.replicas > 1", cases), ["0 x", "1 x"]);
}

#[test]
fn any_values_of_the_axes_make_a_scenario() {
    let (sweep, scenarios, _folder) = sweep(&format!(
        "[sweep]\nkeep = [\"{0}.timeout <= {0}.interval\"]
         [[sweep.axis]]\n{INTERVAL}\nrange = {{ from = \"10s\", to = \"60s\" }}
         [[sweep.axis]]\n{TIMEOUT}\nvalues = [\"5s\", \"20s\"]",
        "gateway.health_check"
    ));
    let Domain::Range(range) = &sweep.axes[0].domain else { panic!("a continuous axis") };
    assert_eq!((range.ends(), range.is_whole()), (("10s".into(), "60s".into()), false));
    let at = |interval: f64, timeout: f64| {
        let values =
            sweep.axes.iter().zip([interval, timeout]).map(|(axis, unit)| Some(axis.domain.value_at(unit)));
        Point { index: 0, scenario: 1, values: values.collect() }
    };
    let point = at(0.1, 0.9);
    assert_eq!(shown(std::slice::from_ref(&point)), ["1 15s 20s"]);
    assert!(!sweep.keeps(&scenarios, &point).unwrap());
    assert!(sweep.keeps(&scenarios, &at(0.1, 0.1)).unwrap());
    let model = sweep.document(&scenarios, &point).unwrap().model().unwrap();
    assert_eq!(model.gateway.health_check.unwrap().interval, SimDuration::from_secs(15));
    let units: Vec<Option<f64>> = sweep
        .axes
        .iter()
        .zip(&point.values)
        .map(|(axis, value)| axis.domain.unit_of(value.as_ref().unwrap()))
        .collect();
    assert_eq!(units, [Some(0.1), Some(0.75)]);
    assert_eq!(sweep.axes[1].domain.unit_of(&"6s".into()), None);
    // A grid of it would have no end.
    let problems = sweep.points(&scenarios).unwrap_err();
    assert!(problems.to_string().contains("a grid needs `step` or `count`"), "{problems}");
}

#[test]
fn a_sobol_sequence_has_only_so_many_dimensions() {
    let many = |axes: usize| {
        let providers: String =
            (0..axes).map(|n| format!("provider.p{n}.latency = {{ constant = \"1s\" }}\n")).collect();
        let axis = |n: usize| {
            format!(
                "[[sweep.axis]]\npath = \"provider.p{n}.error_rate\"\nrange = {{ from = 0.0, to = 0.1 }}\n"
            )
        };
        let axes: String = (0..axes).map(axis).collect();
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "a.toml",
            &format!("duration = \"1m\"\ntraffic.arrivals = {{ poisson = \"10/s\" }}\n{providers}"),
        );
        write(
            "experiment.toml",
            &format!("question = \"?\"\nscenarios = [\"a.toml\"]\n[sweep]\ndesign = {{ sobol = 8 }}\n{axes}"),
        );
        Experiment::open(folder.path(), &mut Loader::new())
    };
    assert_eq!(many(256).unwrap().sweep.unwrap().axes.len(), 256);
    let problems = many(257).unwrap_err().to_string();
    assert!(problems.contains("a Sobol design has at most 256 axes, and the sweep has 257"), "{problems}");
    assert!(problems.contains("experiment.toml:4:10") && problems.contains("latin_hypercube"), "{problems}");
}
