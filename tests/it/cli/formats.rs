//! What commands print for programs, what they leave out when told to be quiet, and which formats they have.

use super::validate::rows;
use super::{Done, SMALL, command, folder, json, run_in};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

const SWEEP: &str = r#"
question = "how often?"
scenarios = ["small.toml"]
runs = 3

[[sweep.axis]]
path = "gateway.health_check.interval"
values = ["2s", "5s"]
[tune]
minimize = "failed_count"
"#;

/// An experiment with a sweep of two points.
fn experiment() -> TempDir {
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", SWEEP)]);
    fs::create_dir(folder.path().join("out")).unwrap();
    folder
}

/// Outages of two gateways.
fn measured() -> String {
    rows(|line| line.starts_with("haproxy/h_i2f3/error/") || line.starts_with("portkey/p_fb/error"))
}

#[test]
fn csv_is_the_table_that_is_written() {
    let folder = experiment();
    let args = ["run", "small.toml", "--runs", "3", "--format", "csv", "--out", "out/run"];
    let printed = run_in(&folder, &args).ok();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(printed, read("out/run/points.csv"));
    let printed = run_in(&folder, &["sweep", ".", "--out", "out/sweep", "--format", "csv"]).ok();
    assert_eq!((printed.lines().count(), &printed), (3, &read("out/sweep/points.csv")));
    let point = run_in(&folder, &["run", ".", "--point", "1", "--runs", "3", "--format", "csv"]).ok();
    assert_eq!(point.lines().last(), printed.lines().last(), "one point alone has its row");
    let printed = run_in(&folder, &["tune", ".", "--out", "out/tune", "--format", "csv"]).ok();
    assert_eq!(printed, read("out/tune/candidates.csv"));
    fs::write(folder.path().join("measured.csv"), measured()).unwrap();
    let args = ["validate", "measured.csv", "--runs", "2", "--format", "csv", "--csv", "cells.csv"];
    let Done { stdout, .. } = run_in(&folder, &args);
    assert_eq!((stdout.lines().count(), &stdout), (3, &read("cells.csv")));
}

#[test]
fn a_sweep_s_document_has_what_run_says_of_its_points() {
    let folder = experiment();
    let document = json(&folder, &["sweep", ".", "--out", "out/sweep"]);
    assert_eq!((&document["schema_version"], &document["point_count"]), (&1.into(), &2.into()));
    assert_eq!(
        document["files"][0]["name"],
        if cfg!(feature = "files") { "runs.parquet" } else { "runs.csv" }
    );
    let points = document["points"].as_array().unwrap();
    assert_eq!(points.len(), 2);
    for (number, point) in points.iter().enumerate() {
        let alone = json(&folder, &["run", ".", "--runs", "3", "--point", &number.to_string()]);
        assert_eq!(point["metrics"], alone["scenarios"][0]["metrics"]);
        assert_eq!(point["point"], number);
        assert_eq!(point["settings"]["gateway.health_check.interval_ms"], [2000.0, 5000.0][number]);
    }
    let shard =
        |i: &str| run_in(&folder, &["sweep", ".", "--shard", i, "--out", &format!("out/{}", &i[..1])]);
    for part in ["1/2", "2/2"] {
        shard(part).ok();
    }
    let merged = json(&folder, &["merge", "out/1", "out/2", "--out", "out/merged"]);
    assert_eq!(merged["points"], document["points"]);
    assert_eq!(merged["folder"], "out/merged");
}

#[test]
fn a_failed_point_is_in_the_document_with_its_reason() {
    let broken =
        SWEEP.replace("gateway.health_check.interval", "fault.outage.at").replace("\"2s\"", "\"70s\"");
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", &broken)]);
    let done = run_in(&folder, &["sweep", ".", "--out", "out", "--format", "json", "--quiet"]);
    assert_eq!(done.code, Some(3));
    assert!(done.stderr.starts_with("error: 1 of 2 points failed"), "{}", done.stderr);
    let document: Value = serde_json::from_str(&done.stdout).unwrap();
    let point = &document["points"][0];
    assert!(point["error"].is_string() && point["metrics"].is_null(), "{point}");
    assert_eq!(point["run_count"], 0);
}

#[test]
fn check_and_validate_have_documents() {
    let folder = folder(&[("good.toml", SMALL), ("bad.toml", "duration = 5")]);
    let done = run_in(&folder, &["check", "good.toml", "bad.toml", "--format", "json", "--color", "always"]);
    assert_eq!(done.code, Some(2));
    let document: Value = serde_json::from_str(&done.stdout).unwrap();
    let [good, bad] = [&document["files"][0], &document["files"][1]];
    assert_eq!((&good["valid"], &good["problems"]), (&true.into(), &Value::Null));
    assert!(bad["valid"] == false && bad["problems"].as_str().unwrap().contains("bad.toml:1"), "{bad}");
    assert!(!done.stdout.contains("\\u001b") && done.stderr.contains('\u{1b}'), "colours are for people");

    fs::write(folder.path().join("measured.csv"), measured()).unwrap();
    let validate = |format| run_in(&folder, &["validate", "measured.csv", "--runs", "2", "--format", format]);
    let document: Value = serde_json::from_str(&validate("json").stdout).unwrap();
    let cells = document["cells"].as_array().unwrap();
    let gateways = document["gateways"].as_array().unwrap();
    assert!(cells.len() == 2 && gateways.len() == 2, "{document}");
    assert_eq!(document["holds"], gateways.iter().all(|gateway| gateway["holds"] == true));
    let report = validate("junit").stdout;
    assert_eq!(report.matches("<testcase ").count(), 3 * gateways.len(), "{report}");
}

#[test]
fn quiet_leaves_errors_the_exit_code_and_what_was_asked_for() {
    let folder = experiment();
    let verbs: [&[&str]; 5] = [
        &["check", "small.toml"],
        &["run", "small.toml", "--runs", "2"],
        &["sweep", ".", "--out", "out/quiet"],
        &["tune", ".", "--out", "out/tuned"],
        &["run", "small.toml", "--runs", "2", "--out", "out/run"],
    ];
    for args in verbs {
        let done = run_in(&folder, &[args, &["--quiet"]].concat());
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (Some(0), "", ""), "{args:?}");
    }
    let gated = ["run", "small.toml", "--runs", "2", "-q", "--gate", "failed_count < 0"];
    let done = run_in(&folder, &gated);
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    assert_eq!(done.stderr, "1 of 1 objectives missed\n");
    let done = run_in(&folder, &[&gated[..], &["--format", "junit"]].concat());
    assert!(done.stdout.starts_with("<?xml"), "{}", done.stdout);
    assert!(run_in(&folder, &["run", "small.toml", "--explain", "0", "-q"]).ok().contains("✓"));
    assert!(run_in(&folder, &["check", "nope.toml", "-q"]).refused().contains("does not exist"));
}

#[test]
fn a_format_that_a_command_does_not_have_is_refused_before_the_work() {
    let folder = experiment();
    let cases: [(&[&str], &str, &str); 6] = [
        (&["sweep", "."], "junit", "reports what is judged, and `sweep` judges nothing"),
        (&["tune", "."], "junit", "and `tune` judges nothing"),
        (&["check", "small.toml"], "csv", "prints a table's rows, and `check` has no table"),
        (&["sweep", ".", "--dry-run"], "json", "prints a document, and `sweep --dry-run` has none"),
        (&["run", "small.toml", "--resolved"], "csv", "and `run --resolved` has no table"),
        (&["merge", "a", "b", "--out", "c"], "junit", "and `merge` judges nothing"),
    ];
    for (args, format, expected) in cases {
        let complaint = run_in(&folder, &[args, &["--format", format]].concat()).refused();
        assert!(complaint.contains(expected) && complaint.contains("help: leave it out"), "{complaint}");
    }
    assert!(!folder.path().join("results").exists());
}

#[test]
fn a_pipe_has_no_colours_unless_it_is_told_to() {
    let folder = folder(&[("bad.toml", "duration = 5")]);
    let complaint = |set: &[(&str, &str)], args: &[&str]| {
        let mut command = command(&[&["run", "bad.toml"], args].concat());
        command.envs(set.iter().copied()).current_dir(folder.path());
        super::done(command).refused().contains('\u{1b}')
    };
    assert!(!complaint(&[], &[]));
    assert!(complaint(&[], &["--color", "always"]) && complaint(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!complaint(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]));
    assert!(complaint(&[("NO_COLOR", "1")], &["--color", "always"]), "what was asked for wins");
}
