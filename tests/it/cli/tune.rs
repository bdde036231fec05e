//! `tune` as people run it.

use super::{TempDir, Value, command, folder, json, names, run_in, snapshot};
use std::fs;
use std::time::Duration;

const OUTAGE: &str = r#"
about = "the preferred provider is refused for a minute"
duration = "4m"
[traffic]
arrivals = { trace = { file = "arrivals.csv" } }
client_timeout = "10s"
[provider.a]
from = "provider.toml"
[provider.b]
from = "provider.toml"
[fault.outage]
on = { name = "a" }
at = "1m"
lasts = "1m"
requests = "refuse"
[gateway]
route = { prefer = ["a", "b"] }
health_check = { interval = "20s", timeout = "1s", latency = { constant = "10ms" } }
"#;

const EXPERIMENT: &str = r#"
question = "How often should it poll?"
scenarios = ["calm.toml", "outage.toml"]
runs = 20
[[sweep.axis]]
path = "gateway.health_check.interval"
values = ["2s", "5s", "10s", "20s"]
[tune]
minimize = "failed_count"
subject_to = ["probe_per_day <= 40000", { expect = "false_ejection_per_day <= 1", scenarios = ["calm"] }]
weights = { calm = 0 }
"#;

/// An experiment with a part and a trace of its own.
fn tuned(experiment: &str) -> TempDir {
    let (start, fault) = OUTAGE.split_once("[fault.outage]").expect("a fault");
    let calm = start.to_owned() + fault.split_once("requests = \"refuse\"\n").expect("its effect").1;
    let provider = "latency = { lognormal = { p50 = \"800ms\", p99 = \"3s\" } }\n";
    let arrivals: String = (0..2_400).map(|nth| format!("{}\n", nth * 100)).collect();
    folder(&[
        ("experiment.toml", experiment),
        ("outage.toml", OUTAGE),
        ("calm.toml", &calm),
        ("provider.toml", provider),
        ("arrivals.csv", &format!("t_ms\n{arrivals}")),
    ])
}

fn measured(report: &Value, scenario: &str, target: &str) -> f64 {
    let scenarios = report["recommended"]["scenarios"].as_array().expect("scenarios");
    let own = scenarios.iter().find(|own| own["scenario"] == scenario).expect("it was played");
    let measured = own["measured"].as_array().expect("what it was measured by");
    let found = measured.iter().find(|measured| measured["target"] == target).expect("the metric");
    found["value"].as_f64().expect("a number")
}

#[test]
fn the_recommendation_is_a_file_that_run_accepts_wherever_it_lies() {
    let folder = tuned(EXPERIMENT);
    let report = json(&folder, &["tune", ".", "--out", "deep/down"]);
    let settings = &report["recommended"]["settings"][0];
    assert_eq!(
        (&settings["path"], &settings["value"]),
        (&"gateway.health_check.interval".into(), &"\"5s\"".into())
    );
    let written = names(&folder.path().join("deep/down"));
    let expected = ["best.toml", "best_calm.toml", "candidates.csv"];
    assert!(expected.iter().all(|name| written.iter().any(|w| w == name)), "{written:?}");

    // The part and the trace lie elsewhere.
    let elsewhere = tempfile::tempdir().expect("a folder");
    for (file, scenario) in [("best.toml", "outage"), ("best_calm.toml", "calm")] {
        fs::copy(folder.path().join("deep/down").join(file), elsewhere.path().join(file)).expect("a copy");
        let played = json(&elsewhere, &["run", file, "--runs", "20"]);
        let metrics = &played["scenarios"][0]["metrics"];
        for target in ["failed_count", "probe_per_day", "false_ejection_per_day"] {
            assert_eq!(
                metrics[target]["mean"].as_f64(),
                Some(measured(&report, scenario, target)),
                "{target}"
            );
        }
    }
    let table = fs::read_to_string(folder.path().join("deep/down/candidates.csv")).expect("a table");
    assert_eq!(table.lines().count(), 5);
    assert!(table.contains(",recommended,20,") && table.contains(",infeasible,"), "{table}");

    // What exists is not replaced unasked.
    let refused = run_in(&folder, &["tune", ".", "--out", "deep/down"]).refused();
    assert!(refused.contains("exists already"), "{refused}");
    run_in(&folder, &["tune", ".", "--out", "deep/down", "--force"]).ok();
}

#[test]
fn the_answer_is_told_in_80_columns_and_is_the_same_on_any_number_of_threads() {
    let folder = tuned(EXPERIMENT);
    let told = run_in(&folder, &["tune", ".", "--threads", "1"]).ok();
    super::assert_fits_a_terminal(&told);
    snapshot("tune_summary", &told);
    assert_eq!(told, run_in(&folder, &["tune", ".", "--threads", "2"]).ok());
    assert_ne!(told, run_in(&folder, &["tune", ".", "--seed", "2"]).ok());
}

#[test]
fn the_command_line_can_ask_another_question() {
    let folder = tuned(EXPERIMENT);
    let asked = [
        "tune",
        ".",
        "--maximize",
        "gateway.health_check.interval",
        "--subject-to",
        "failed_count.p95 <= 60",
    ];
    let report = json(&folder, &asked);
    // 10 requests a second until the next probe, within an interval in all cases.
    assert_eq!(report["recommended"]["settings"][0]["value"], "\"5s\"");
    assert_eq!(report["constraints"].as_array().map(Vec::len), Some(1));

    let traded =
        run_in(&folder, &["tune", ".", "--minimize", "failed_count", "--minimize", "probe_per_day"]).ok();
    super::assert_fits_a_terminal(&traded);
    assert!(traded.contains("no other beats these") && !traded.contains("recommended"), "{traded}");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let folder = tuned(EXPERIMENT);
    for (name, args) in [
        ("tune_unknown_metric_by_hand", &["--minimize", "failed_coun"][..]),
        ("tune_relative_bound_by_hand", &["--subject-to", "failed_count <= 1.0x"]),
        ("tune_budget_too_small", &["--budget", "30"]),
        ("tune_sets_an_axis", &["--set", "gateway.health_check.interval=5s"]),
    ] {
        snapshot(name, &run_in(&folder, &[&["tune", "."], args].concat()).refused());
    }
    let both =
        run_in(&folder, &["tune", ".", "--minimize", "failed_count", "--maximize", "open_count"]).refused();
    assert!(both.contains("cannot be used with"), "{both}");

    let untuned = tuned(EXPERIMENT.split("[tune]").next().unwrap_or_default());
    snapshot("tune_without_question", &run_in(&untuned, &["tune", "."]).refused());
    let head = EXPERIMENT.split("[[sweep").next().unwrap_or_default().to_owned();
    let no_axes = tuned(&(head + "[tune]\nminimize = \"failed_count\"\n"));
    snapshot("tune_without_axes", &run_in(&no_axes, &["tune", "."]).refused());
}

#[test]
fn what_nothing_meets_is_an_answer_too() {
    let folder = tuned(EXPERIMENT);
    let done = run_in(&folder, &["tune", ".", "--subject-to", "failed_count <= 1", "--out", "out"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    let told: Vec<&str> = done.stderr.lines().filter(|line| !line.starts_with("note: ")).collect();
    snapshot("tune_infeasible", &told.join("\n"));
    assert!(names(&folder.path().join("out")).is_empty());
}

#[cfg(unix)]
#[test]
fn an_interrupted_search_leaves_nothing() {
    let folder = tuned(EXPERIMENT);
    let mut search = command(&["tune", ".", "--runs", "1000000", "--out", "out"]);
    let mut child = search.current_dir(folder.path()).spawn().expect("the command starts");
    // The file is opened before the handler is there, and both before the first run.
    for _ in 0..6000 {
        if folder.path().join("out/.best.toml.partial").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().expect("a child").is_none(), "it should be at work still");
    crate::support::interrupt(&child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(names(&folder.path().join("out")).is_empty());
}
