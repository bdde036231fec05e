//! Metrics and traces as `run` writes them: what it refuses, and that it is the first run of what it was asked to play.

use super::{SMALL, folder, run_in, snapshot};
use std::fs;

/// The first run, whatever else is played and printed.
#[test]
fn the_first_run_is_exported() {
    let folder = folder(&[("small.toml", SMALL)]);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let plain = run_in(&folder, &["run", "small.toml", "--runs", "5"]).ok();
    let both = ["--openmetrics", "a.om", "--otlp", "a.jsonl"];
    let exporting = run_in(&folder, &[&["run", "small.toml", "--runs", "5"], &both[..]].concat()).ok();
    assert_eq!(plain, exporting, "what is printed stays the same");
    let first = ["run", "small.toml", "--run-index", "0", "--path", "plain", "--threads", "1"];
    run_in(&folder, &[&first[..], &["--openmetrics", "b.om", "--otlp", "b.jsonl"]].concat()).ok();
    assert_eq!([read("a.om"), read("a.jsonl")], [read("b.om"), read("b.jsonl")]);
    let third = ["run", "small.toml", "--run-index", "2"];
    let again = [&third[..], &["--openmetrics", "b.om", "--otlp", "b.jsonl"]].concat();
    let exists = run_in(&folder, &again).refused();
    assert!(exists.contains("b.om exists already"), "{exists}");
    run_in(&folder, &[&again[..], &["--force"]].concat()).ok();
    assert!(read("b.om").contains("run=\"2\"") && read("a.om") != read("b.om"));
    assert!(read("a.om").ends_with("# EOF\n") && read("a.jsonl").lines().count() > 1);
}

#[test]
fn runs_begin_when_they_are_told_to() {
    let clock = format!("clock = \"02:40:00 UTC\"\n{SMALL}");
    let folder = folder(&[("small.toml", SMALL), ("clock.toml", &clock)]);
    let first_time = |args: &[&str]| {
        let both = ["--openmetrics", "m.om", "--otlp", "t.jsonl", "--otlp-sample", "100000", "--force"];
        run_in(&folder, &[&["run"], args, &["--runs", "1"], &both[..]].concat()).ok();
        let text = fs::read_to_string(folder.path().join("m.om")).unwrap();
        let times = text.lines().filter(|line| !line.starts_with('#'));
        let first = times.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).min().unwrap();
        let traces = fs::read_to_string(folder.path().join("t.jsonl")).unwrap();
        let (_, after) = traces.split_once("\"startTimeUnixNano\":\"").unwrap();
        let second: u64 = after[..10].parse().unwrap();
        assert!((first..first + 5).contains(&second), "{second}");
        first
    };
    // 2024-01-01 00:00:00 UTC, and 2 h 40 min later.
    assert_eq!(first_time(&["small.toml"]), 1_704_067_200);
    assert_eq!(first_time(&["clock.toml"]), 1_704_067_200 + 9_600);
    assert_eq!(first_time(&["clock.toml", "--start", "2026-11-02T02:40:00Z"]), 1_793_587_200);
}

#[test]
fn what_cannot_be_exported_is_refused_before_the_work() {
    let long = SMALL.replace("duration = \"60s\"", "duration = \"90d\"").replace("20/s", "0.01/s");
    let folder = folder(&[("small.toml", SMALL), ("long.toml", &long), ("taken.om", "mine")]);
    let complaints: Vec<String> = [
        &["small.toml", "--openmetrics", "taken.om"][..],
        &["small.toml", "--openmetrics", "no/such/folder/a.om"],
        &["small.toml", "--otlp", "."],
        &["small.toml", "--openmetrics", "same", "--otlp", "same"],
        &["small.toml", "--events", "same", "--openmetrics", "same"],
        &["small.toml", "--openmetrics", "a.om", "--step", "500ms"],
        &["small.toml", "--openmetrics", "a.om", "--step", "5"],
        &["small.toml", "--step", "5s"],
        &["small.toml", "--otlp", "a.jsonl", "--otlp-sample", "0"],
        &["small.toml", "--otlp-sample", "10"],
        &["small.toml", "--otlp", "a.jsonl", "--start", "yesterday"],
        &["small.toml", "--otlp", "a.jsonl", "--start", "1969-12-31T23:59:59Z"],
        &["small.toml", "--start", "2026-11-02T02:40:00Z"],
        &["long.toml", "--openmetrics", "a.om"],
        &["long.toml", "small.toml", "--runs", "1", "--openmetrics", "a.om", "--step", "30s", "--out", "r"],
        &["small.toml", "--explain", "3", "--otlp", "a.jsonl"],
    ]
    .iter()
    .map(|args| {
        let args = [&["run"], *args].concat();
        format!("$ failover-sim {}\n{}", args.join(" "), run_in(&folder, &args).refused())
    })
    .collect();
    snapshot("wrong_exports", &complaints.join("\n"));
    let mut names = super::names(folder.path());
    names.sort();
    assert_eq!(names, ["long.toml", "small.toml", "taken.om"], "nothing was begun");
    assert_eq!(fs::read_to_string(folder.path().join("taken.om")).unwrap(), "mine");
}

/// What is proposed fits.
#[test]
fn a_long_run_takes_longer_steps() {
    let long = SMALL.replace("duration = \"60s\"", "duration = \"90d\"").replace("20/s", "0.01/s");
    let long = long.replace("interval = \"5s\"", "interval = \"1h\"");
    let folder = folder(&[("long.toml", &long)]);
    let refused = run_in(&folder, &["run", "long.toml", "--runs", "1", "--openmetrics", "a.om"]).refused();
    let (_, proposed) = refused.split_once("--step ").expect("a step is proposed");
    let step = proposed.split('`').next().unwrap();
    run_in(&folder, &["run", "long.toml", "--runs", "1", "--openmetrics", "a.om", "--step", step]).ok();
}
