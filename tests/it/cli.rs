//! The command as people run it: what it prints, what it refuses, and how it exits.
//!
//! What goes into files is left to [`results`], gates to [`objectives`], stopped and shared sweeps to [`ledger`], help and
//! wrong arguments to [`usage`], reports to [`page`].

mod completions;
mod dry_run;
mod export;
mod formats;
mod ledger;
mod objectives;
mod page;
mod report_results;
mod results;
mod shards;
mod terminal;
mod tune;
mod usage;
mod validate;

use failover_sim::output::PARQUET_AVAILABLE;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The story, as told.
const AS_TOLD: [&str; 2] =
    ["experiments/01_incident_3am/as_told_60s.toml", "experiments/01_incident_3am/as_told_5s.toml"];

/// A small scenario with something of everything; a minute of it is played in no time.
const SMALL: &str = r#"
about = "a small outage"
duration = "60s"
[traffic]
arrivals = { poisson = "20/s" }
client_timeout = "5s"
[provider.a]
labels = { vendor = "x" }
latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
error_rate = 0.01
[provider.b]
latency = { exponential = { mean = "900ms" } }
[fault.outage]
on = { vendor = "x" }
at = "20s"
lasts = "20s"
requests = { status = 502 }
probes = "hang"
in_flight = "fail"
[gateway]
route = { prefer = ["a", "b"] }
health_check = { interval = "5s", timeout = "1s" }
"#;

/// What a command did.
struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Done {
    /// What it printed, given that it went well and complained of nothing.
    ///
    /// A build without Parquet may say so, once, where it writes tables.
    #[track_caller]
    fn ok(self) -> String {
        let is_note =
            |line: &&str| !PARQUET_AVAILABLE && line.starts_with("note: this build writes CSV only");
        let complaints: Vec<&str> = self.stderr.lines().filter(|line| !is_note(line)).collect();
        assert_eq!((self.code, complaints.join("\n").as_str()), (Some(0), ""), "{}", self.stdout);
        self.stdout
    }

    /// What it complained of, given that it printed nothing else and exited with 2.
    #[track_caller]
    fn refused(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{}", self.stderr);
        self.stderr
    }
}

/// The command, which sees no terminal and nothing of how this machine is set up.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_failover-sim"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["CI", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "NO_COLOR", "RAYON_NUM_THREADS"] {
        command.env_remove(name);
    }
    command
}

fn done(mut command: Command) -> Done {
    let output = command.output().expect("the command starts");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Done { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs it in this folder of the project.
fn run(args: &[&str]) -> Done {
    done(command(args))
}

/// Runs it in another folder.
fn run_in(folder: &TempDir, args: &[&str]) -> Done {
    let mut command = command(args);
    command.current_dir(folder.path());
    done(command)
}

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("cli_{name}"), text);
    });
}

#[track_caller]
fn assert_fits_a_terminal(text: &str) {
    assert!(!text.contains('\u{1b}'), "escape codes in a pipe:\n{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn the_table_tells_the_story() {
    let table = run(&["run", AS_TOLD[0], AS_TOLD[1], "--runs", "2"]).ok();
    assert_fits_a_terminal(&table);
    snapshot("as_told", &table);
}

#[test]
fn every_scenario_of_the_incident_fits_in_80_columns() {
    let table = run(&["run", "experiments/01_incident_3am", "--runs", "3"]).ok();
    assert_fits_a_terminal(&table);
    assert!(table.lines().count() > 100, "all of them are there");
}

#[test]
fn the_table_holds_whatever_a_file_says() {
    let odd = format!(
        "about = \"\"\"two\nlines, \\u001b[31mred\\u001b[0m, and {}\"\"\"\n{}",
        "x".repeat(200),
        SMALL.replace("about = \"a small outage\"", "").replace("[gateway]", "[gateway]\nreplicas = 40")
    );
    let name = format!("{}.toml", "a_name_that_says_it_all_".repeat(4));
    let folder = folder(&[(&name, &odd), ("small.toml", SMALL)]);
    let table = run_in(&folder, &["run", &name, "small.toml", "--runs", "2"]).ok();
    assert_fits_a_terminal(&table);
    snapshot("odd_names", &table);
}

#[test]
fn what_never_ends_is_told_although_it_did_not_fail() {
    let patient = SMALL
        .replace("client_timeout = \"5s\"", "")
        .replace("error_rate = 0.01", "")
        .replace("requests = { status = 502 }", "requests = \"hang\"")
        .replace("in_flight = \"fail\"", "in_flight = \"hang\"");
    let folder = folder(&[("patient.toml", &patient)]);
    snapshot("open", &run_in(&folder, &["run", "patient.toml", "--runs", "2"]).ok());
}

/// The JSON document of a command.
#[track_caller]
fn json(folder: &TempDir, args: &[&str]) -> Value {
    let printed = run_in(folder, &[args, &["--format", "json"]].concat()).ok();
    serde_json::from_str(&printed).expect("valid JSON")
}

#[test]
fn the_json_document_has_what_a_program_needs() {
    let folder = folder(&[
        ("small.toml", SMALL),
        ("slow.toml", &SMALL.replace("\"5s\", timeout", "\"30s\", timeout")),
    ]);
    for runs in [1_u64, 4] {
        let document = json(&folder, &["run", "small.toml", "slow.toml", "--runs", &runs.to_string()]);
        let scenarios = document["scenarios"].as_array().unwrap();
        let names: Vec<&Value> = scenarios.iter().map(|scenario| &scenario["name"]).collect();
        assert_eq!(names, ["small", "slow"]);
        for scenario in scenarios {
            assert_eq!(scenario["runs"], runs);
            assert!(["plain", "direct", "counting"].contains(&scenario["path"].as_str().unwrap()));
            for (name, metric) in scenario["metrics"].as_object().unwrap() {
                let keys: Vec<&str> = metric.as_object().unwrap().keys().map(String::as_str).collect();
                let expected = [
                    "n",
                    "mean",
                    "ci95_low",
                    "ci95_high",
                    "pi95_low",
                    "pi95_high",
                    "p50",
                    "p95",
                    "min",
                    "max",
                    "p50_ci95",
                    "p95_ci95",
                ];
                assert_eq!(keys, expected, "{name}");
                assert!(metric["n"].as_u64().unwrap() <= runs, "{name}");
                if runs == 1 {
                    assert!(
                        metric["ci95_low"].is_null() && metric["ci95_high"].is_null(),
                        "{name} of one run"
                    );
                }
            }
            let failed = &scenario["metrics"]["failed_count"];
            let mean = failed["mean"].as_f64().unwrap();
            assert!(mean > 10.0, "the outage was there");
            for parts in ["failed_by_cause", "failed_by_stage"] {
                let of_part = scenario[parts].as_object().unwrap().values();
                let sum: f64 = of_part.map(|mean| mean.as_f64().unwrap()).sum();
                assert!((sum - mean).abs() < 1e-9, "{parts}: {sum} and not {mean}");
            }
            assert!((runs == 1) == failed["ci95_low"].is_null());
            assert_eq!(scenario["timeline"][0]["event"], "fault_starts");
            assert_eq!(scenario["timeline"][0]["at_ms"], 20_000.0);
        }
    }
}

#[test]
fn the_seed_and_the_engine_s_path_do_what_they_should() {
    let folder = folder(&[("small.toml", SMALL)]);
    let failed = |args: &[&str]| {
        let document = json(&folder, &[&["run", "small.toml", "--runs", "5"], args].concat());
        document["scenarios"][0]["metrics"]["failed_count"].clone()
    };
    assert_eq!(failed(&[]), failed(&["--seed", "1"]), "seed 1 is the default");
    assert_ne!(failed(&[]), failed(&["--seed", "2"]));
    assert_eq!(failed(&[]), failed(&["--path", "plain"]), "every path gives the same");
}

#[test]
fn settings_can_be_changed_by_hand() {
    let folder = folder(&[("small.toml", SMALL)]);
    let run_with = |args: &[&str]| run_in(&folder, &[&["run", "small.toml", "--runs", "2"], args].concat());
    let probes = |args: &[&str]| {
        let document: Value =
            serde_json::from_str(&run_with(&[args, &["--format", "json"]].concat()).ok()).unwrap();
        document["scenarios"][0]["metrics"]["probe_count"]["mean"].as_f64().unwrap()
    };
    assert_eq!(probes(&[]), 24.0, "two providers, 60 s, one every 5 s");
    assert_eq!(probes(&["--set", "gateway.health_check.interval=10s"]), 12.0);
    let twice = ["--set", "gateway.health_check.interval=10s", "--set", "gateway.replicas=3"];
    assert_eq!(probes(&twice), 36.0);

    let complaint = run_with(&["--set", "gateway.health_check.intervall=10s"]).refused();
    assert!(complaint.contains("did you mean `interval`?"), "{complaint}");
    let complaint = run_with(&["--set", "gateway.health_check.interval=10"]).refused();
    assert!(complaint.contains("\"10s\" for seconds"), "{complaint}");
}

#[test]
fn every_setting_says_where_it_came_from() {
    let gateway = "source = \"a test\"\nevidence = \"assumed\"\n[health_check]\ninterval = \"60s\"\ntimeout = \"30s\"\n";
    let scenario = SMALL.replace(
        "health_check = { interval = \"5s\", timeout = \"1s\" }",
        "from = \"gateway.toml\"\nhealth_check = { timeout = \"2s\" }",
    );
    let folder = folder(&[("small.toml", &scenario), ("gateway.toml", gateway)]);
    let args = ["run", "small.toml", "--resolved", "--set", "gateway.health_check.eject_after=3"];
    snapshot("resolved", &run_in(&folder, &args).ok());
    let settings = json(&folder, &args)["scenarios"][0]["settings"].clone();
    let settings = settings.as_array().unwrap();
    let timeout = settings.iter().find(|s| s["path"] == "gateway.health_check.timeout").unwrap();
    assert_eq!((&timeout["value"], &timeout["origin"]), (&"\"2s\"".into(), &"small.toml:23".into()));

    let broken = self::folder(&[("broken.toml", &SMALL.replace("lasts", "last"))]);
    let complaint = run_in(&broken, &["run", "broken.toml", "--resolved"]).refused();
    assert!(complaint.contains("did you mean `lasts`?"), "{complaint}");
}

#[test]
fn what_new_writes_can_be_checked_and_run() {
    let folder = folder(&[]);
    snapshot("new", &run_in(&folder, &["new", "mine.toml"]).ok());
    let checked = run_in(&folder, &["check", "mine.toml"]).ok();
    assert_eq!(checked, "mine.toml: ok, 2 providers, 1 fault, about 280,008 requests a run\n");
    assert_fits_a_terminal(&run_in(&folder, &["run", "mine.toml", "--runs", "1"]).ok());

    fs::write(folder.path().join("mine.toml"), "precious").unwrap();
    let complaint = run_in(&folder, &["new", "mine.toml"]).refused();
    assert!(complaint.contains("mine.toml exists already"), "{complaint}");
    assert_eq!(fs::read_to_string(folder.path().join("mine.toml")).unwrap(), "precious");
    let complaint = run_in(&folder, &["new", "no/such/folder/mine.toml"]).refused();
    assert!(complaint.contains("make the folder first"), "{complaint}");
}

/// What the template offers in comments is valid, too.
#[test]
fn what_new_writes_can_be_uncommented() {
    let folder = folder(&[]);
    run_in(&folder, &["new", "mine.toml"]).ok();
    let path = folder.path().join("mine.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (plain, offers) = text.split_once("\n#\n").expect("offers after a line with nothing but #");
    let offers: Vec<&str> = offers.lines().map(|line| line.trim_start_matches(['#', ' '])).collect();
    assert!(offers.len() > 10, "{offers:?}");
    fs::write(&path, format!("{plain}\n{}\n", offers.join("\n"))).unwrap();
    run_in(&folder, &["check", "mine.toml"]).ok();
}

#[test]
fn check_says_all_that_is_wrong_with_all_files() {
    let bad = SMALL.replace("client_timeout = \"5s\"", "client_timeout = 5").replace("lasts", "last");
    let worse = SMALL.replace("[traffic]", "[trafic]");
    let folder = folder(&[("good.toml", SMALL), ("bad.toml", &bad), ("worse.toml", &worse)]);
    let args = ["check", "bad.toml", "good.toml", "worse.toml", "god.toml"];
    let Done { code, stdout, stderr } = run_in(&folder, &args);
    assert_eq!(code, Some(2));
    assert_eq!(stdout, "good.toml: ok, 2 providers, 1 fault, about 1,200 requests a run\n");
    snapshot("check", &stderr);
    let complaint = run_in(&folder, &["run", "bad.toml", "worse.toml"]).refused();
    assert!(complaint.contains("`lasts`") && complaint.contains("`traffic`"), "{complaint}");
    for experiment in ["experiments/01_incident_3am", "experiments/02_health_check_interval/experiment.toml"]
    {
        assert!(run(&["check", experiment]).ok().contains(": ok, "), "{experiment}");
    }
}

#[test]
fn files_from_other_systems_are_read() {
    let windows = format!("\u{feff}{}", SMALL.replace('\n', "\r\n"));
    let folder = folder(&[("small.toml", &windows)]);
    let marked = run_in(&folder, &["run", "small.toml", "--runs", "2"]).ok();
    let plain = self::folder(&[("small.toml", SMALL)]);
    assert_eq!(marked, run_in(&plain, &["run", "small.toml", "--runs", "2"]).ok());
}

#[test]
fn what_is_no_scenario_is_told_from_one() {
    let folder = folder(&[("small.toml", SMALL), ("requests.csv", "t_ms\n1\n2\n"), ("empty.toml", "")]);
    fs::write(folder.path().join("binary.toml"), [0xff, 0xfe, 0, 1]).unwrap();
    let complaints: Vec<String> = [
        &["run", "empty.toml"][..],
        &["run", "requests.csv"],
        &["run", "binary.toml"],
        &["run", "."],
        &["run", "small.toml", "small.toml"],
        &["sweep", "small.toml"],
        &["sweep", "nowhere"],
    ]
    .iter()
    .map(|args| format!("$ failover-sim {}\n{}", args.join(" "), run_in(&folder, args).refused()))
    .collect();
    snapshot("no_scenario", &complaints.join("\n"));
    let complaint = run(&["sweep", "experiments/01_incident_3am"]).refused();
    assert!(complaint.contains("has no `[sweep]`"), "{complaint}");
    let complaint = run(&["run", "experiments/01_incident_3am", AS_TOLD[0]]).refused();
    assert!(complaint.contains("run it alone"), "{complaint}");
}

#[test]
fn the_schemas_are_the_committed_ones() {
    for (args, file) in
        [(&["schema"][..], "scenario.schema.json"), (&["schema", "--experiment"], "experiment.schema.json")]
    {
        let printed = run(args).ok();
        assert!(serde_json::from_str::<Value>(&printed).unwrap()["properties"].is_object());
        assert!(printed == fs::read_to_string(file).unwrap(), "{file} is stale: write it anew with `schema`");
    }
}

#[test]
fn what_would_take_for_ever_is_refused_before_it_starts() {
    let folder = folder(&[("small.toml", SMALL)]);
    let complaints: Vec<String> = [
        &["traffic.arrivals.poisson=1e9/s"][..],
        &["traffic.arrivals.poisson=1e300/s", "duration=366d"],
        &["gateway.health_check.interval=1ns", "duration=24h"],
    ]
    .iter()
    .map(|settings| {
        let set: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        let complaint = run_in(&folder, &[&["run", "small.toml"], &set[..]].concat()).refused();
        format!("$ failover-sim run small.toml {}\n{complaint}", set.join(" "))
    })
    .collect();
    snapshot("too_large", &complaints.join("\n"));

    // The rows would not fit in memory, though the simulation is small.
    let set = [
        "--set",
        "duration=366d",
        "--set",
        "traffic.arrivals.poisson=1/d",
        "--set",
        "gateway.health_check.interval=1d",
    ];
    let complaint = run_in(&folder, &[&["run", "small.toml", "--out", "out"], &set[..]].concat()).refused();
    assert!(complaint.contains("3,162,240,000 seconds") && complaint.contains("--yes"), "{complaint}");
    assert_eq!(names(folder.path()), ["small.toml"]);
}

#[test]
fn the_smallest_scenarios_are_no_special_case() {
    let tiny = SMALL
        .replace("\"60s\"", "\"1ms\"")
        .replace("\"20s\"", "\"0s\"")
        .replace("lasts = \"0s\"", "lasts = \"1ms\"");
    let instant = SMALL
        .replace("{ lognormal = { p50 = \"800ms\", p99 = \"3s\" } }", "{ constant = \"0s\" }")
        .replace("{ exponential = { mean = \"900ms\" } }", "{ constant = \"0s\" }")
        .replace("timeout = \"1s\" }", "timeout = \"1s\", latency = { constant = \"0s\" } }");
    let folder = folder(&[("tiny.toml", &tiny), ("instant.toml", &instant)]);
    let table = run_in(&folder, &["run", "tiny.toml", "instant.toml", "--runs", "3"]).ok();
    assert_fits_a_terminal(&table);
    assert!(table.contains("none succeeded") && table.contains("p50 0 ms"), "{table}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for args in
        [&["run", AS_TOLD[0], "--runs", "1"][..], &["schema"], &["run", AS_TOLD[0], "--format", "json"]]
    {
        let mut child = command(args).spawn().expect("the command starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{args:?}");
    }
    // Nor is there anything to panic about when nobody reads the complaints.
    let mut child = command(&["run", "nowhere.toml"]).spawn().expect("the command starts");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(2));
}
