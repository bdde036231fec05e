//! Sweeps that are stopped, killed, continued, shared out and joined again: the tables are the same, to the byte.

use super::results::{Csv, EXPERIMENT, contents};
use super::{Done, SMALL, command, done, folder, json, names, run_in, snapshot};
use failover_sim::output::BUILD;
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Sixty points, and a timeout that is too long for the shortest interval.
pub(super) fn experiment(runs: u64) -> String {
    let values: Vec<String> = (0..30).map(|i| format!("\"{}ms\"", 4000 + 500 * i)).collect();
    format!(
        "question = \"?\"\nscenarios = [\"small.toml\"]\nruns = {runs}\n\
         [[sweep.axis]]\npath = \"gateway.health_check.interval\"\nvalues = [{}]\n\
         [[sweep.axis]]\npath = \"fault.outage.requests\"\nvalues = [\"refuse\", \"hang\"]\n",
        values.join(", ")
    )
}

pub(super) fn swept(experiment: &str) -> TempDir {
    folder(&[("small.toml", SMALL), ("experiment.toml", experiment)])
}

pub(super) fn sweep(folder: &TempDir, out: &str, args: &[&str]) -> Done {
    run_in(folder, &[&["sweep", ".", "--out", out], args].concat())
}

/// The tables of a folder, and what its manifest says of them, but not of the ledger.
pub(super) fn tables(folder: &TempDir, out: &str) -> BTreeMap<String, Vec<u8>> {
    contents(&folder.path().join(out))
}

pub(super) fn segments(folder: &TempDir, out: &str) -> Vec<PathBuf> {
    let ledger = folder.path().join(out).join("ledger");
    let Ok(entries) = fs::read_dir(ledger) else { return vec![] };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    paths.sort();
    paths
}

/// What a command complained of besides its build.
fn complaints(done: &Done) -> String {
    let is_note = |line: &&str| !line.starts_with("note: this build writes CSV only");
    done.stderr.lines().filter(is_note).collect::<Vec<_>>().join("\n")
}

/// It went well, and said that its tables have fewer runs than were played before.
#[track_caller]
fn ok_of_fewer(done: Done) {
    let told = complaints(&done);
    assert_eq!(done.code, Some(0), "{told}");
    assert!(
        told.starts_with("note: the tables have ") && told.ends_with("name as many with `--runs`"),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_killed_again_and_again_ends_with_the_same_bytes() {
    // A limit on what a provider takes makes everything an event, so that there is time to kill.
    let busy = SMALL.replace("[provider.b]", "[provider.b]\ncapacity = { slots = 1000 }");
    let folder = folder(&[("small.toml", &busy), ("experiment.toml", &experiment(12))]);
    let started = Instant::now();
    sweep(&folder, "whole", &["--threads", "1"]).ok();
    let whole = started.elapsed();
    let mut kills = 0;
    for round in 0_u64..40 {
        let kept: Vec<(PathBuf, Vec<u8>)> = segments(&folder, "out")
            .into_iter()
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        let threads = (1 + round % 2).to_string();
        let mut sweep = command(&["sweep", ".", "--out", "out", "--resume", "--threads", &threads]);
        let mut child = sweep.current_dir(folder.path()).spawn().expect("the command starts");
        // At no particular moment, and later each time, so that it ends some day.
        std::thread::sleep(whole * (15 + 5 * round as u32 + (round as u32 * 7919) % 7) / 100);
        let has_ended = child.try_wait().expect("a child").is_some();
        if !has_ended {
            child.kill().expect("it is there");
            kills += 1;
        }
        child.wait().expect("it ends");
        for (path, bytes) in kept {
            assert!(fs::read(&path).unwrap() == bytes, "{} is not what it was", path.display());
        }
        if has_ended {
            break;
        }
    }
    assert!(kills > 2, "it was killed {kills} times");
    sweep(&folder, "out", &["--resume"]).ok();
    assert!(tables(&folder, "out") == tables(&folder, "whole"));
    assert!(names(&folder.path().join("out")).iter().all(|name| !name.ends_with(".partial")));
}

/// What is there when a sweep of many runs is at work.
#[cfg(unix)]
fn at_work(folder: &TempDir, mut sweep: Command) -> Child {
    sweep.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = sweep.spawn().expect("the command starts");
    for _ in 0..6000 {
        if segments(folder, "out").len() > 1 || child.try_wait().expect("a child").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(child.try_wait().expect("a child").is_none(), "it should be at work still");
    child
}

/// It was asked to end, did, and kept what it had.
#[cfg(unix)]
fn ended_when_asked(folder: &TempDir, child: Child) {
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(
        told.contains("interrupted") && told.contains("in out, go on with the same command and `--resume`"),
        "{told}"
    );
    assert_eq!(names(&folder.path().join("out")), ["ledger"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_says_how_to_go_on() {
    let folder = swept(&experiment(2000));
    let child = at_work(&folder, command(&["sweep", ".", "--out", "out"]));
    // Nobody else may write there meanwhile, however it is asked.
    for how in ["--resume", "--force"] {
        let complaint = sweep(&folder, "out", &[how]).refused();
        assert!(complaint.contains("is being written by another process"), "{complaint}");
    }
    crate::support::interrupt(&child);
    ended_when_asked(&folder, child);

    // Fewer runs than were played of some points are no hindrance.
    ok_of_fewer(sweep(&folder, "out", &["--resume", "--runs", "2"]));
    sweep(&folder, "whole", &["--runs", "2"]).ok();
    let runs = |mut tables: BTreeMap<String, Vec<u8>>| tables.remove("runs.csv");
    assert!(runs(tables(&folder, "out")) == runs(tables(&folder, "whole")));
}

#[cfg(unix)]
#[test]
fn a_sweep_ends_well_when_its_machine_is_taken_away_and_outlives_a_logout() {
    let folder = swept(&experiment(2000));
    // As `nohup` starts it.
    let mut sweep = Command::new("sh");
    sweep.args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_failover-sim")]);
    sweep.args(["sweep", ".", "--out", "out"]);
    let mut child = at_work(&folder, sweep);
    crate::support::send(&child, Signal::SIGHUP);
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().expect("a child").is_none(), "it outlives the terminal");
    crate::support::send(&child, Signal::SIGTERM);
    ended_when_asked(&folder, child);
}

#[test]
fn topping_up_plays_only_what_is_new() {
    let folder = swept(EXPERIMENT);
    sweep(&folder, "whole", &["--runs", "9"]).ok();
    sweep(&folder, "out", &[]).ok();
    let first = segments(&folder, "out");
    let bytes = |paths: &[PathBuf]| paths.iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>();
    let before = bytes(&first);
    let printed = sweep(&folder, "out", &["--runs", "9", "--resume", "--threads", "1"]).ok();
    assert!(printed.starts_with("4 points of 9 runs in out: "), "{printed}");
    assert!(tables(&folder, "out") == tables(&folder, "whole"));
    let all = segments(&folder, "out");
    assert!(all.len() > first.len() && bytes(&first) == before, "the first runs are kept");

    // Nothing is left to play; what is asked for anew is made of what is there.
    sweep(&folder, "out", &["--runs", "9", "--resume"]).ok();
    assert_eq!(segments(&folder, "out"), all);
    ok_of_fewer(sweep(&folder, "out", &["--resume"]));
    sweep(&folder, "three", &[]).ok();
    assert_eq!(segments(&folder, "out"), all);
    assert!(tables(&folder, "out") == tables(&folder, "three"));
}

#[test]
fn a_damaged_segment_is_played_again() {
    let folder = swept(&experiment(4));
    sweep(&folder, "whole", &[]).ok();
    sweep(&folder, "out", &["--threads", "1"]).ok();
    sweep(&folder, "out", &["--threads", "1", "--runs", "6", "--resume"]).ok();
    let found = segments(&folder, "out");
    assert!(found.len() >= 2, "{found:?}");
    let (torn, changed) = (&found[0], &found[found.len() - 1]);
    let bytes = fs::read(torn).unwrap();
    fs::write(torn, &bytes[..bytes.len() / 2]).unwrap();
    let mut bytes = fs::read(changed).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(changed, &bytes).unwrap();

    let again = sweep(&folder, "out", &["--resume"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let notes = complaints(&again);
    assert_eq!(
        notes.matches("it is damaged; it is removed, and its runs are played again").count(),
        2,
        "{notes}"
    );
    assert!(tables(&folder, "out") == tables(&folder, "whole"));
    let told = complaints(&sweep(&folder, "out", &["--resume"]));
    assert!(!told.contains("damaged"), "{told}");
}

#[test]
fn a_precision_decides_how_many_runs_a_point_gets() {
    let folder = swept(&experiment(40));
    let until = ["--until", "failed_count 15%", "--min-runs", "4"];
    let printed = sweep(&folder, "out", &until).ok();
    assert!(printed.starts_with("60 points of ") && printed.contains(" to "), "{printed}");
    let points = Csv::read(&folder.path().join("out/points.csv"));
    let runs = points.counts("run_count");
    assert!(runs.iter().all(|runs| [4, 6, 9, 14, 21, 32, 40].contains(runs)), "{runs:?}");
    let value = |column: &str| -> Vec<f64> {
        points.texts(column).iter().map(|text| text.parse().expect("a number")).collect()
    };
    let (means, highs) = (value("failed_count_mean"), value("failed_count_ci95_high"));
    for ((runs, mean), high) in runs.iter().zip(means).zip(highs) {
        assert!(*runs == 40 || high - mean <= 0.15 * mean, "{runs} runs: {mean} up to {high}");
    }

    // What is in the ledger, and in which order it came there, decides nothing.
    sweep(&folder, "other", &["--runs", "5"]).ok();
    sweep(&folder, "other", &[&["--resume", "--threads", "1"], &until[..]].concat()).ok();
    assert!(tables(&folder, "out") == tables(&folder, "other"));
}

/// The timeout is longer than the interval at two of four points.
const HALF_INVALID: &str = r#"
question = "?"
scenarios = ["small.toml"]
runs = 2
[[sweep.axis]]
path = "gateway.health_check.interval"
values = ["500ms", "5s"]
[[sweep.axis]]
path = "fault.outage.at"
values = ["10s", "70s", "20s"]
"#;

#[test]
fn points_that_fail_keep_their_error_and_the_others_go_on() {
    let folder = swept(HALF_INVALID);
    let first = sweep(&folder, "out", &[]);
    assert_eq!(first.code, Some(3), "{}", first.stderr);
    snapshot(
        "failed_points",
        &format!(
            "{}{}",
            first
                .stdout
                .replace("runs.parquet, ", "")
                .replace("points.parquet, ", "")
                .replace("faults.parquet, ", ""),
            complaints(&first)
        ),
    );
    let points = Csv::read(&folder.path().join("out/points.csv"));
    let failed: Vec<bool> = points.texts("error").iter().map(|error| !error.is_empty()).collect();
    assert!(failed.contains(&true) && failed.contains(&false), "{failed:?}");
    for (nth, failed) in failed.iter().enumerate() {
        assert_eq!(points.counts("run_count")[nth], if *failed { 0 } else { 2 });
        assert_eq!(points.texts("path")[nth].is_empty(), *failed);
        assert_eq!(points.texts("failed_count_mean")[nth].is_empty(), *failed);
    }
    let runs = Csv::read(&folder.path().join("out/runs.csv"));
    assert_eq!(runs.rows.len(), 2 * failed.iter().filter(|failed| !**failed).count());

    let again = sweep(&folder, "out", &["--resume", "--runs", "3"]);
    assert_eq!(again.code, Some(3), "{}", again.stderr);
    let whole = sweep(&folder, "whole", &["--runs", "3"]);
    assert_eq!(whole.code, Some(3), "{}", whole.stderr);
    assert!(tables(&folder, "out") == tables(&folder, "whole"));
    for shard in ["1/2", "2/2"] {
        sweep(&folder, &shard[..1], &["--runs", "3", "--shard", shard]);
    }
    let merged = run_in(&folder, &["merge", "1", "2", "--out", "merged"]);
    assert_eq!(merged.code, Some(3), "{}", merged.stderr);
    assert!(tables(&folder, "merged") == tables(&folder, "whole"));

    let none = HALF_INVALID.replace("\"10s\", \"70s\", \"20s\"", "\"70s\"");
    let complaint = sweep(&swept(&none), "out", &[]).refused();
    assert!(complaint.contains("the run ends after"), "{complaint}");
}

#[test]
fn what_a_scenario_asks_of_its_results_is_no_other_sweep() {
    let folder = swept(EXPERIMENT);
    sweep(&folder, "out", &[]).ok();
    let asks = |metric: &str| {
        let asked = format!("{SMALL}\n[[objective]]\nexpect = \"{metric} <= 10\"\n");
        fs::write(folder.path().join("small.toml"), asked).expect("a file");
    };
    asks("failed_count");
    let before = segments(&folder, "out");
    sweep(&folder, "out", &["--resume"]).ok();
    assert_eq!(segments(&folder, "out"), before);
    asks("faild_count");
    let complaint = sweep(&folder, "out", &["--resume"]).refused();
    assert!(complaint.contains("did you mean `failed_count`?"), "{complaint}");
}

#[test]
fn any_row_can_be_played_alone() {
    let folder = swept(EXPERIMENT);
    sweep(&folder, "out", &["--seed", "5"]).ok();
    let swept = Csv::read(&folder.path().join("out/runs.csv"));
    let settings = 2 + 2;
    for row in &swept.rows {
        let (point, run, seed) = (&row[1], &row[settings], &row[settings + 1]);
        let args =
            ["run", ".", "--point", point, "--run-index", run, "--seed", seed, "--out", "one", "--force"];
        run_in(&folder, &args).ok();
        let alone = Csv::read(&folder.path().join("one/runs.csv"));
        assert_eq!((&alone.header, &alone.rows[0]), (&swept.header, row), "point {point}, run {run}");
    }
    run_in(&folder, &["run", ".", "--point", "2", "--seed", "5", "--out", "all"]).ok();
    let all = Csv::read(&folder.path().join("all/runs.csv"));
    assert_eq!(all.texts("failed_count"), swept.texts("failed_count")[6..9]);
    let of_points = |out: &str| Csv::read(&folder.path().join(out).join("points.csv")).rows;
    assert_eq!(of_points("all"), of_points("out")[2..3]);
}

#[test]
fn a_point_played_alone_says_what_it_sets() {
    let folder = swept(EXPERIMENT);
    let point = ["run", ".", "--point", "2", "--runs", "2"];
    let printed = run_in(&folder, &point).ok();
    let told = "point 2: gateway.health_check.interval = \"20s\", fault.outage.requests = \"refuse\"\n";
    assert!(printed.replace("\n", " ").contains(&told.replace('\n', " ")), "{printed}");
    let document = json(&folder, &point);
    assert_eq!(document["point"]["number"], 2);
    assert_eq!(document["point"]["settings"]["gateway.health_check.interval"], "20s");
    assert!(json(&folder, &["run", "small.toml", "--runs", "2"])["point"].is_null());
}

#[test]
fn counts_are_recorded_without_latency() {
    let folder = swept(EXPERIMENT);
    sweep(&folder, "all", &[]).ok();
    sweep(&folder, "counts", &["--metrics", "counts"]).ok();
    let runs = |out: &str| Csv::read(&folder.path().join(out).join("runs.csv"));
    let (all, counts) = (runs("all"), runs("counts"));
    assert_eq!(all.texts("failed_count"), counts.texts("failed_count"));
    assert!(all.texts("request_latency_ms_p95").iter().all(|text| !text.is_empty()));
    assert!(counts.texts("request_latency_ms_p95").iter().all(|text| text.is_empty()));
}

pub(super) fn write(folder: &TempDir, name: &str, text: &str) {
    fs::write(folder.path().join(name), text).expect("a file");
}

#[test]
fn a_ledger_of_something_else_is_refused_and_left_alone() {
    let folder = swept(EXPERIMENT);
    sweep(&folder, "out", &[]).ok();
    let before = tables(&folder, "out");
    let mut complaints = vec![];
    let mut refuse = |told: &str, args: &[&str]| {
        let complaint = sweep(&folder, "out", args).refused();
        assert!(tables(&folder, "out") == before, "{complaint}");
        complaints.push(format!("$ failover-sim sweep . --out out {}{told}\n{complaint}", args.join(" ")));
    };
    refuse("", &[]);
    refuse("", &["--resume", "--force"]);
    refuse("", &["--resume", "--seed", "2"]);
    refuse("", &["--resume", "--metrics", "counts"]);
    refuse("", &["--resume", "--shard", "1/2"]);
    refuse("", &["--resume", "--set", "gateway.health_check.timeout=2s"]);
    write(&folder, "experiment.toml", &EXPERIMENT.replace("\"20s\"", "\"30s\""));
    refuse(" # with another value", &["--resume"]);
    write(&folder, "experiment.toml", &EXPERIMENT.replace("values = [\"refuse\", ", "values = ["));
    refuse(" # with a value less", &["--resume"]);
    write(&folder, "experiment.toml", &EXPERIMENT.replace(".requests", ".probes"));
    refuse(" # with another axis", &["--resume"]);
    write(&folder, "experiment.toml", EXPERIMENT);
    write(&folder, "small.toml", &SMALL.replace("20/s", "21/s"));
    refuse(" # with another scenario", &["--resume"]);
    write(&folder, "small.toml", SMALL);
    let plan = folder.path().join("out/ledger/plan.json");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("\"schema_version\":3,", "\"schema_version\":1,")).unwrap();
    refuse(" # with another schema version", &["--resume"]);
    fs::write(&plan, &text[..30]).unwrap();
    refuse(" # with a damaged plan", &["--resume"]);
    fs::write(&plan, text).unwrap();
    snapshot("other_sweep", &complaints.join("\n"));

    // What people say of a scenario may change.
    write(&folder, "small.toml", &SMALL.replace("a small outage", "another word for it"));
    sweep(&folder, "out", &["--resume"]).ok();
    sweep(&folder, "out", &["--seed", "2", "--force"]).ok();
    assert_eq!(Csv::read(&folder.path().join("out/runs.csv")).counts("seed"), [2; 12]);

    // Results of `run` are no sweep, and `run` does not leave a ledger that is not of its results.
    let args = ["run", "small.toml", "--runs", "1", "--out", "out"];
    let complaint = run_in(&folder, &args).refused();
    assert!(complaint.contains("--force"), "{complaint}");
    run_in(&folder, &[&args[..], &["--force"]].concat()).ok();
    assert!(!folder.path().join("out/ledger").exists());
    let complaint = sweep(&folder, "out", &["--resume"]).refused();
    assert!(complaint.contains("has no sweep that `--resume` could go on with"), "{complaint}");
}

#[test]
fn what_another_seed_or_another_build_has_played_is_not_taken() {
    let folder = swept(EXPERIMENT);
    sweep(&folder, "out", &[]).ok();
    sweep(&folder, "seed", &["--seed", "2"]).ok();
    let before = tables(&folder, "out");
    fs::copy(&segments(&folder, "seed")[0], &segments(&folder, "out")[0]).unwrap();
    let resumed = sweep(&folder, "out", &["--resume"]);
    assert!(resumed.stderr.contains("it belongs to another experiment; it is removed"), "{}", resumed.stderr);
    assert!(tables(&folder, "out") == before);
    let plan = folder.path().join("out/ledger/plan.json");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace(BUILD, "0123")).unwrap();
    let complaint = sweep(&folder, "out", &["--resume"]).refused();
    let told = format!("it was begun with build 0123 of failover-sim, and this is build {BUILD}");
    assert!(complaint.contains(&told), "{complaint}");
}

/// Runs the sweep where no file may grow beyond so many blocks of 512 bytes, as on a disk that is full then.
#[cfg(unix)]
fn sweep_with_room(folder: &TempDir, blocks: u32, args: &[&str]) -> Done {
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_failover-sim"), "sweep", ".", "--out", "out"]);
    shell.args(args).current_dir(folder.path());
    done(shell)
}

#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing_that_was_there() {
    let folder = swept(&experiment(20));
    let out = folder.path().join("out");
    sweep(&folder, "whole", &[]).ok();
    // No room for the tables, then none for a segment.
    for blocks in [64, 16] {
        let full = sweep_with_room(&folder, blocks, &["--force"]);
        assert_eq!((full.code, full.stdout.as_str()), (Some(1), ""), "{}", full.stderr);
        let told = complaints(&full);
        assert!(
            told.contains("cannot write out/") && told.contains("go on with the same command and `--resume`"),
            "{told}"
        );
        assert_eq!(names(&out), ["ledger"], "{told}");
        assert!(names(&out.join("ledger")).iter().all(|name| !name.ends_with(".partial")));
        let kept = segments(&folder, "out");
        sweep(&folder, "out", &["--resume"]).ok();
        assert!(segments(&folder, "out").starts_with(&kept));
        assert!(tables(&folder, "out") == tables(&folder, "whole"));
        if blocks == 64 {
            // Results that are complete outlive a failure to write better ones.
            let before = tables(&folder, "out");
            assert_eq!(sweep_with_room(&folder, blocks, &["--resume", "--runs", "22"]).code, Some(1));
            assert!(tables(&folder, "out") == before);
        }
        fs::remove_dir_all(Path::new(&out)).unwrap();
    }
}
