//! `sweep --dry-run`: what it says, and that it leaves nothing behind.

use super::{SMALL, assert_fits_a_terminal, folder, names, run_in, snapshot};
use std::fs;

/// Cases and axes, samples and conditions, long names and long values.
const EXPERIMENT: &str = r#"
question = "What is there to do?"
scenarios = ["small.toml", "calm.toml"]
runs = 1000
[sweep]
design = { latin_hypercube = 600 }
keep = ["gateway.health_check.timeout <= gateway.health_check.interval"]
[[sweep.case]]
name = "everything as it was"
set = { "gateway.replicas" = 1 }
[[sweep.case]]
name = "two"
set = { "gateway.replicas" = 2 }
[[sweep.axis]]
path = "gateway.health_check.interval"
range = { from = "1s", to = "20s", scale = "log" }
[[sweep.axis]]
path = "gateway.health_check.timeout"
range = { from = "0.5s", to = "5s" }
[[sweep.axis]]
path = "fault.outage.requests"
values = ["refuse", { status = 503 }, { slow = 10.5 }]
scenarios = ["small"]
[[sweep.axis]]
path = "gateway.route"
values = [{ prefer = ["a", "b"] }, { prefer = ["b", "a"] }]
"#;

/// What a dry run says, without what it has measured on this machine.
fn dry_run(experiment: &str, more: &[&str]) -> String {
    let calm = SMALL.split("[fault.outage]").next().expect("a beginning").to_owned()
        + "[gateway]\nhealth_check = { interval = \"5s\", timeout = \"1s\" }\n";
    let folder = folder(&[("small.toml", SMALL), ("calm.toml", &calm), ("experiment.toml", experiment)]);
    let told = run_in(&folder, &[&["sweep", ".", "--dry-run", "--threads", "2"], more].concat()).ok();
    assert_fits_a_terminal(&told);
    assert_eq!(names(folder.path()), ["calm.toml", "experiment.toml", "small.toml"], "it writes nothing");
    let lines =
        told.lines().map(|line| match line.strip_suffix(" on 2 threads").or(line.strip_suffix(" on disk")) {
            Some(measured) => line.replace(measured, "[measured]"),
            None => line.to_owned(),
        });
    lines.collect::<Vec<String>>().join("\n")
}

#[test]
fn a_dry_run_says_what_there_is_to_do() {
    snapshot("dry_run", &dry_run(EXPERIMENT, &["--runs", "10"]));
}

/// Half of the points have faults that begin after the end.
const LATER: &str = r#"
question = "What if it comes later?"
scenarios = ["small.toml"]
[[sweep.axis]]
path = "fault.outage.at"
values = ["10s", "30s", "2m", "3m"]
"#;

#[test]
fn a_dry_run_says_which_points_are_no_scenario() {
    snapshot("dry_run_invalid", &dry_run(LATER, &[]));
}

#[test]
fn a_check_says_which_points_are_no_scenario() {
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", LATER)]);
    snapshot("check_points", &run_in(&folder, &["check", "."]).refused());
    let one = LATER.replace(", \"3m\"", "");
    fs::write(folder.path().join("experiment.toml"), one).expect("a file");
    let told = run_in(&folder, &["check", "."]).refused();
    assert!(told.starts_with(".: point 2 of the sweep is no valid scenario:\nerror: "), "{told}");
}

/// A run of hours is not played to its end to see how long it takes.
#[test]
fn a_dry_run_of_very_long_runs_is_short() {
    let experiment = r#"
question = "Can it wait?"
scenarios = ["small.toml"]
runs = 1000000
[[sweep.axis]]
path = "duration"
values = ["100d", "300d"]
"#;
    let told = dry_run(experiment, &["--set", "traffic.arrivals={ poisson = \"10000/s\" }"]);
    assert!(told.contains("2 points x 1,000,000 runs = 2,000,000 runs"), "{told}");
    assert!(told.contains("about 3.5e17 requests"), "{told}");
}
