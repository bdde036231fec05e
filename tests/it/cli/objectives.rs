//! Gates and objectives: what is asked of a result, how it is told, and how the command exits.

use super::{Done, SMALL, folder, json, run_in, snapshot};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// One that loses hundreds, one that loses fewer, and one that nobody gets an answer from.
fn scenarios() -> TempDir {
    let quick = SMALL.replace("interval = \"5s\"", "interval = \"1s\"");
    let dead = SMALL.replace("error_rate = 0.01", "error_rate = 1.0").replace(
        "latency = { exponential = { mean = \"900ms\" } }",
        "latency = { constant = \"1s\" }\nerror_rate = 1.0",
    );
    folder(&[("before.toml", SMALL), ("after.toml", &quick), ("dead.toml", &dead)])
}

fn gated(folder: &TempDir, args: &[&str], gates: &[&str]) -> Done {
    let gates = gates.iter().flat_map(|gate| ["--gate", gate]);
    let args: Vec<&str> = ["run"].into_iter().chain(args.iter().copied()).chain(gates).collect();
    run_in(folder, &args)
}

/// What is met and missed comes first.
#[track_caller]
fn findings(done: &Done) -> String {
    let lines = done.stdout.lines().take_while(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_gate_decides_how_the_command_exits() {
    let folder = scenarios();
    let code = |args: &[&str], gate: &str| gated(&folder, args, &[gate]).code;
    let both = ["before.toml", "after.toml", "--runs", "8"];
    assert_eq!(code(&both, "failed_count <= 1.0x"), Some(0));
    assert_eq!(code(&both, "failed_count > 1.0x"), Some(1));
    // The baseline is not judged: it loses more than the other.
    assert_eq!(code(&both, "failed_count <= 75"), Some(0));
    assert_eq!(code(&both, "failed_count <= 10"), Some(1));
    let alone = ["before.toml", "--runs", "8"];
    assert_eq!(code(&alone, "failed_count <= 75"), Some(1));
    assert_eq!(code(&alone, "failed_count <= 1000"), Some(0));
    assert_eq!(code(&alone, "failed_count <= 1.0x"), Some(2));
    assert_eq!(code(&alone, "failed_cout <= 1"), Some(2));
}

/// A pull request changes a file: both versions have its name.
#[test]
fn two_versions_of_a_file_are_told_apart_by_their_folders() {
    let folder = scenarios();
    for (name, from) in [("base", "before.toml"), ("head", "after.toml")] {
        fs::create_dir_all(folder.path().join(name).join("deploy")).expect("a folder");
        fs::copy(folder.path().join(from), folder.path().join(name).join("deploy/gateway.toml"))
            .expect("a file");
    }
    fs::copy(folder.path().join("after.toml"), folder.path().join("gateway.toml")).expect("a file");
    let both = ["base/deploy/gateway.toml", "head/deploy/gateway.toml", "--runs", "8"];
    let done = gated(&folder, &both, &["failed_count <= 1.0x"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        findings(&done).starts_with("✓ failed_count <= 1.0x in head/deploy/gateway: "),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("\nbase/deploy/gateway (baseline) "), "{}", done.stdout);
    let three = ["gateway.toml", "base/deploy/gateway.toml", "before.toml", "--runs", "2"];
    let names = |document: Value| -> Vec<Value> {
        document["scenarios"].as_array().expect("a list").iter().map(|s| s["name"].clone()).collect()
    };
    let document = json(&folder, &[&["run"], &three[..]].concat());
    assert_eq!(names(document), ["gateway", "deploy/gateway", "before"]);
    gated(&folder, &["gateway.toml", "./gateway.toml"], &[]).refused();
}

#[test]
fn what_was_asked_for_is_told_first() {
    let folder = scenarios();
    let gates = [
        "failed_count <= 1.0x",
        "failed_count.p50 <= 60",
        "failed_count.p95 <= 10",
        "availability_ratio >= 99.9%",
        "time_to_detect_ms.max <= 3s",
        "false_ejection_per_day == 0",
        "request_latency_ms_p99 <= 0.5x",
    ];
    let done = gated(&folder, &["before.toml", "after.toml", "dead.toml", "--runs", "8"], &gates);
    assert_eq!(done.code, Some(1));
    assert_eq!(done.stderr, "11 of 14 objectives missed\n");
    assert!(done.stdout.lines().all(|line| line.chars().count() <= 80), "{}", done.stdout);
    snapshot("gates", &findings(&done));
}

#[test]
fn a_dead_system_meets_nothing() {
    let folder = scenarios();
    let done = gated(&folder, &["dead.toml", "--runs", "4"], &["request_latency_ms_p99 <= 5000"]);
    assert_eq!(done.code, Some(1));
    assert_eq!(findings(&done), "✗ request_latency_ms_p99 <= 5000 in dead: no value in 4 of 4 runs\n");
}

#[test]
fn a_metric_without_a_value_in_some_runs_is_judged_in_the_others() {
    // With such a quiet outage some runs eject nothing.
    let quiet = SMALL.replace("probes = \"hang\"", "probes = \"hang\"\nfraction = 0.2");
    let folder = folder(&[("quiet.toml", &quiet)]);
    let done = gated(&folder, &["quiet.toml", "--runs", "20"], &["time_to_detect_ms <= 1m"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(findings(&done).contains("of 20 runs that have a value"), "{}", findings(&done));
}

/// A scenario with these objectives.
fn with(objectives: &[&str]) -> String {
    let entries = objectives.iter().map(|expect| format!("\n[[objective]]\nexpect = \"{expect}\"\n"));
    SMALL.to_owned() + &entries.collect::<String>()
}

#[test]
fn an_objective_decides_how_the_command_exits_and_changes_nothing_else() {
    let folder = folder(&[
        ("small.toml", SMALL),
        ("met.toml", &with(&["failed_count <= 1000", "open_count == 0"])),
        ("missed.toml", &with(&["failed_count <= 1000", "failed_count.min > 1000"])),
        ("experiment.toml", "question = \"?\"\nscenarios = [\"met.toml\", \"missed.toml\"]\nruns = 2\n"),
    ]);
    let code = |args: &[&str]| run_in(&folder, &[&["run", "--runs", "2"], args].concat()).code;
    assert_eq!(code(&["met.toml"]), Some(0));
    assert_eq!(code(&["missed.toml"]), Some(1));
    assert_eq!(code(&["small.toml", "missed.toml"]), Some(1));
    assert_eq!(code(&["missed.toml", "small.toml"]), Some(1), "the baseline has objectives of its own, too");
    assert_eq!(code(&["experiment.toml"]), Some(1));
    assert_eq!(code(&["missed.toml", "--resolved"]), Some(0));

    let document = |name: &str| {
        let done = run_in(&folder, &["run", name, "--runs", "2", "--format", "json"]);
        serde_json::from_str::<Value>(&done.stdout).expect("valid JSON")
    };
    let (plain, missed) = (document("small.toml"), document("missed.toml"));
    assert_eq!(plain["scenarios"][0]["metrics"], missed["scenarios"][0]["metrics"]);
    assert_eq!(plain["objectives"], Value::Array(vec![]));
    let objective = &missed["objectives"][1];
    assert_eq!(objective["criterion"], "failed_count.min > 1000");
    assert_eq!(objective["scenario"], "missed");
    assert_eq!(objective["value"], missed["scenarios"][0]["metrics"]["failed_count"]["min"]);
    assert_eq!((&objective["bound"], &objective["met"]), (&1000.0.into(), &false.into()));
    assert!(objective["origin"].as_str().expect("a text").starts_with("missed.toml:"));

    let resolved = run_in(&folder, &["run", "met.toml", "--resolved"]).ok();
    assert!(
        resolved.contains("{ expect = \"failed_count <= 1000\" }, { expect = \"open_count == 0\" }]"),
        "{resolved}"
    );
}

#[test]
fn a_gate_and_an_objective_are_one_grammar() {
    let folder = folder(&[("small.toml", SMALL), ("asks.toml", &with(&["failed_count.p95 <= 1m"]))]);
    let gates = ["failed_count.p95 <= 1000", "failed_count <= 0.5x"];
    let found = |args: &[&str]| {
        json(&folder, &[&["run", "small.toml", "--runs", "2"], args].concat())["objectives"].clone()
    };
    assert_eq!(found(&["--gate", gates[0]])[0]["origin"], "--gate");
    let by_hand = found(&["--set", "objective=[{ expect = \"failed_count.p95 <= 1000\", about = \"why\" }]"]);
    assert_eq!((&by_hand[0]["about"], &by_hand[0]["met"]), (&"why".into(), &true.into()));

    let complaints: Vec<String> = [
        &["run", "asks.toml"][..],
        &["check", "asks.toml"],
        &["run", "small.toml", "--gate", gates[1], "--gate", "failed_cuont < 1", "--gate", ""],
        &["run", "small.toml", "--set", "objective=[{ expect = \"failed_count <= 0.5x\" }]"],
        &["run", "small.toml", "--format", "junit"],
        &["run", "small.toml", "--format", "junit", "--resolved", "--set", "objective=[]"],
    ]
    .iter()
    .map(|args| format!("$ failover-sim {}\n{}", args.join(" "), run_in(&folder, args).refused()))
    .collect();
    snapshot("wrong_objectives", &complaints.join("\n"));
}

/// The tags of an XML text in order, given that they nest, with attributes as they are.
#[track_caller]
fn tags(xml: &str) -> Vec<&str> {
    let (mut tags, mut open) = (vec![], vec![]);
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert!(!text.contains(['>', '"']), "unescaped: {text}");
        let name = tag.split(' ').next().expect("a name");
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{xml}"),
            None if tag.starts_with('?') => {}
            None => {
                open.push(name);
                tags.push(tag);
            }
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "{xml}");
    tags
}

#[test]
fn junit_has_a_case_for_each_objective() {
    let asks = SMALL.to_owned()
        + "[[objective]]\nexpect = \"failed_count < 10\"\nabout = \"a \\\"bug\\\" <costs> & hurts\\u0007\"\n";
    let folder = folder(&[("before.toml", SMALL), ("a<&b.toml", &asks)]);
    let args = ["before.toml", "a<&b.toml", "--runs", "4", "--format", "junit"];
    let done = gated(&folder, &args, &["failed_count <= 1.0x"]);
    assert_eq!(done.code, Some(1));
    let found = tags(&done.stdout);
    assert_eq!(found[0], "testsuites name=\"failover-sim\" tests=\"2\" failures=\"1\" errors=\"0\"");
    assert_eq!(found[1], "testsuite name=\"a&lt;&amp;b\" tests=\"2\" failures=\"1\" errors=\"0\"");
    assert_eq!(found.iter().filter(|tag| tag.starts_with("testcase ")).count(), 2);
    assert_eq!(found.iter().filter(|tag| tag.starts_with("failure ")).count(), 1);
    snapshot("junit", &done.stdout);
    assert_eq!(gated(&folder, &args[..5], &[]).code, Some(2), "a value for --format is missing");
    let met = gated(&folder, &["before.toml", "--format", "junit", "--runs", "2"], &["open_count == 0"]);
    assert_eq!((met.code, met.stderr.as_str()), (Some(0), ""));
}
