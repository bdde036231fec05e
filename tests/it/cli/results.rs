//! The files that commands write: their bytes, what they refuse, and what an interrupted command leaves.

use super::{SMALL, folder, names, run_in};
use failover_sim::output::PARQUET_AVAILABLE;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A table as a file has it.
pub(super) struct Csv {
    pub header: csv::StringRecord,
    pub rows: Vec<csv::StringRecord>,
}

impl Csv {
    pub fn read(path: &Path) -> Csv {
        let mut reader = csv::Reader::from_path(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let header = reader.headers().unwrap().clone();
        Csv { header, rows: reader.records().collect::<Result<_, _>>().unwrap() }
    }

    pub fn texts(&self, column: &str) -> Vec<&str> {
        let index = self.header.iter().position(|name| name == column);
        let index = index.unwrap_or_else(|| panic!("no column {column}"));
        self.rows.iter().map(|row| &row[index]).collect()
    }

    pub fn counts(&self, column: &str) -> Vec<u64> {
        self.texts(column).iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Row by row, the sum of all columns of which the name begins and ends like this.
    fn sums(&self, start: &str, end: &str) -> Vec<u64> {
        let columns = self.header.iter().filter(|name| name.starts_with(start) && name.ends_with(end));
        columns.fold(vec![0; self.rows.len()], |sums, column| {
            sums.iter().zip(self.counts(column)).map(|(sum, count)| sum + count).collect()
        })
    }
}

#[track_caller]
fn assert_conserved(runs: &Csv) {
    let ended = runs.counts("succeeded_count").into_iter().zip(runs.counts("failed_count"));
    let parts: Vec<u64> = ended.zip(runs.counts("open_count")).map(|((s, f), o)| s + f + o).collect();
    assert_eq!(runs.counts("request_count"), parts);
    assert_eq!(runs.counts("failed_count"), runs.sums("failed_cause_", "_count"));
    assert_eq!(runs.counts("failed_count"), runs.sums("failed_stage_", "_count"));
}

/// Every file's bytes; of the manifest all but when it was made, and by which words.
pub(super) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let content = |name: String| {
        let mut bytes = fs::read(folder.join(&name)).unwrap();
        if name == "manifest.json" {
            let mut manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let fields = manifest.as_object_mut().unwrap();
            assert!(fields.remove("created").is_some() && fields.remove("command").is_some());
            // How the ledger is cut into segments depends on the machine.
            fields.get_mut("sweep").and_then(|sweep| sweep.as_object_mut()?.remove("ledger_bytes"));
            bytes = manifest.to_string().into_bytes();
        }
        (name, bytes)
    };
    names(folder).into_iter().filter(|name| name != "ledger").map(content).collect()
}

/// Two scenarios and a sweep of four points.
pub(super) const EXPERIMENT: &str = r#"
question = "What does a faster health check save?"
scenarios = ["small.toml"]
runs = 3
[sweep]
[[sweep.axis]]
path = "gateway.health_check.interval"
values = ["5s", "20s"]
[[sweep.axis]]
path = "fault.outage.requests"
values = ["refuse", { status = 503 }]
"#;

#[test]
fn the_same_command_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", EXPERIMENT)]);
    let other = SMALL.replace("\"5s\", timeout", "\"30s\", timeout");
    fs::write(folder.path().join("slow.toml"), other).unwrap();
    let play = |verb: &[&str], out: &str, threads: &str| {
        let printed = run_in(&folder, &[verb, &["--out", out, "--threads", threads]].concat()).ok();
        (printed.replace(out, "OUT"), contents(&folder.path().join(out)))
    };
    let of_run = |out, threads| play(&["run", "small.toml", "slow.toml", "--runs", "7"], out, threads);
    let first = of_run("run_1", "1");
    assert!(first.1.len() >= 3, "{:?}", first.1.keys());
    assert!(first == of_run("run_1_again", "1"));
    assert!(first == of_run("run_2", "2"));
    let of_sweep = |out, threads| play(&["sweep", "."], out, threads);
    let first = of_sweep("sweep_1", "1");
    assert!(first == of_sweep("sweep_1_again", "1"));
    assert!(first == of_sweep("sweep_2", "2"));

    for name in ["1", "2"] {
        let (events, requests) = (format!("events_{name}.jsonl"), format!("requests_{name}.csv"));
        let files = ["--threads", name, "--events", &events, "--requests", &requests];
        run_in(&folder, &[&["run", "small.toml", "--runs", "2"], &files[..]].concat()).ok();
    }
    let bytes = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(bytes("events_1.jsonl") == bytes("events_2.jsonl"));
    assert!(bytes("requests_1.csv") == bytes("requests_2.csv"));
}

#[test]
fn one_run_alone_is_the_same_as_among_many() {
    let folder = folder(&[("small.toml", SMALL)]);
    run_in(&folder, &["run", "small.toml", "--runs", "5", "--out", "many"]).ok();
    run_in(&folder, &["run", "small.toml", "--run-index", "3", "--out", "one"]).ok();
    let many = Csv::read(&folder.path().join("many/runs.csv"));
    let one = Csv::read(&folder.path().join("one/runs.csv"));
    assert_eq!((many.texts("run"), one.texts("run")), (vec!["0", "1", "2", "3", "4"], vec!["3"]));
    assert_eq!(many.rows[3], one.rows[0]);
    assert_ne!(many.counts("failed_count")[2..4], [one.counts("failed_count")[0]; 2], "runs differ");
    assert_conserved(&many);
}

#[test]
fn results_that_exist_are_safe() {
    let folder = folder(&[("small.toml", SMALL), ("a_file", "")]);
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    let play = |args: &[&str]| run_in(&folder, &[&["run", "small.toml", "--runs", "1"], args].concat());
    let complaint = play(&["--out", "out"]).refused();
    assert!(complaint.contains("out is not empty") && complaint.contains("--force"), "{complaint}");
    assert_eq!(names(&out), ["notes.txt"]);

    play(&["--out", "out", "--force"]).ok();
    play(&["--out", "out", "--force", "--seed", "2"]).ok();
    assert_eq!(Csv::read(&out.join("runs.csv")).texts("seed"), ["2"]);
    assert_eq!(fs::read_to_string(out.join("notes.txt")).unwrap(), "mine");
    assert_eq!(names(&out).iter().filter(|name| name.ends_with(".parquet")).count() > 0, PARQUET_AVAILABLE);

    let complaint = play(&["--out", "a_file"]).refused();
    assert!(complaint.contains("a_file is not a folder"), "{complaint}");
    let complaint = play(&["--out", "a_file/inside"]).refused();
    assert!(complaint.contains("a_file/inside"), "{complaint}");
    let complaint = play(&["--events", "no/such/folder/events.jsonl"]).refused();
    assert!(complaint.contains("choose a place that you may write to"), "{complaint}");
    let complaint = play(&["--requests", "requests.xlsx"]).refused();
    assert!(complaint.contains("`.parquet` nor `.csv`"), "{complaint}");
    assert_eq!(names(folder.path()), ["a_file", "out", "small.toml"]);
}

#[test]
fn logs_of_one_run_agree_with_its_counts() {
    let folder = folder(&[("small.toml", SMALL)]);
    let files = ["--events", "events.jsonl", "--requests", "requests.csv", "--out", "out"];
    let args = [&["run", "small.toml", "--run-index", "2"], &files[..]].concat();
    run_in(&folder, &args).ok();
    let counted = Csv::read(&folder.path().join("out/runs.csv"));
    let count = |column: &str| counted.counts(column)[0];

    let text = fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times: Vec<f64> = lines.iter().map(|line| line["at_ms"].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "in order of time");
    assert_eq!((&lines[0]["event"], &lines[0]["run"]), (&"run_starts".into(), &2.into()));
    let number =
        |wanted: &dyn Fn(&serde_json::Value) -> bool| lines.iter().filter(|line| wanted(line)).count() as u64;
    assert_eq!(
        number(&|line| line["event"] == "request_ended"),
        count("request_count") - count("open_count")
    );
    assert_eq!(number(&|line| line["event"] == "probe_ended"), count("probe_count"));
    for outcome in ["succeeded", "failed"] {
        assert_eq!(number(&|line| line["outcome"] == outcome), count(&format!("{outcome}_count")));
    }
    assert_eq!(number(&|line| line["stage"] == "undetected"), count("failed_stage_undetected_count"));

    let requests = Csv::read(&folder.path().join("requests.csv"));
    let outcomes = requests.texts("outcome");
    assert_eq!(outcomes.len() as u64, count("request_count"));
    assert_eq!(outcomes.iter().filter(|o| **o == "failed").count() as u64, count("failed_count"));

    // What exists is not replaced, unless told to.
    for (option, file) in [("--events", "events.jsonl"), ("--requests", "requests.csv")] {
        let before = fs::read(folder.path().join(file)).unwrap();
        let complaint = run_in(&folder, &["run", "small.toml", "--runs", "1", option, file]).refused();
        assert!(complaint.contains(file) && complaint.contains("--force"), "{complaint}");
        assert!(before == fs::read(folder.path().join(file)).unwrap());
        run_in(&folder, &["run", "small.toml", "--runs", "1", option, file, "--force"]).ok();
        assert!(before != fs::read(folder.path().join(file)).unwrap(), "run 0 is another one");
    }

    let parquet = run_in(&folder, &["run", "small.toml", "--runs", "1", "--requests", "requests.parquet"]);
    if PARQUET_AVAILABLE {
        parquet.ok();
        assert!(fs::read(folder.path().join("requests.parquet")).unwrap().starts_with(b"PAR1"));
    } else {
        let complaint = parquet.refused();
        assert!(complaint.contains("has no Parquet: name it `.csv`"), "{complaint}");
    }
}

#[test]
fn a_sweep_has_a_row_for_each_point_and_run() {
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", EXPERIMENT)]);
    let printed = run_in(&folder, &["sweep", ".", "--out", "out"]).ok();
    assert!(printed.starts_with("4 points of 3 runs in out: "), "{printed}");
    let runs = Csv::read(&folder.path().join("out/runs.csv"));
    assert_eq!(runs.rows.len(), 12);
    assert_conserved(&runs);
    let points = Csv::read(&folder.path().join("out/points.csv"));
    assert_eq!(points.rows.len(), 4);
    assert_eq!(points.counts("request_count_n"), [3; 4]);
    let interval = "gateway.health_check.interval_ms";
    assert_eq!(points.texts(interval), ["5000.0", "5000.0", "20000.0", "20000.0"]);
    let mean = |point: usize| -> f64 {
        let failed = runs.counts("failed_count");
        failed[3 * point..3 * point + 3].iter().sum::<u64>() as f64 / 3.0
    };
    let means: Vec<f64> =
        points.texts("failed_count_mean").iter().map(|text| text.parse().unwrap()).collect();
    for (point, of_table) in means.iter().enumerate() {
        assert!((of_table - mean(point)).abs() < 1e-9, "{point}");
    }
    // The points differ in their settings and not in their luck.
    let arrived = runs.counts("request_count");
    assert!(arrived.chunks(3).all(|point| point == &arrived[..3]), "{arrived:?}");
    assert_ne!(means[0], means[2]);
}

#[test]
fn what_a_sweep_sets_itself_cannot_be_set_by_hand() {
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", EXPERIMENT)]);
    let sweep = |setting: &str| run_in(&folder, &["sweep", ".", "--out", "out", "--set", setting]);
    let complaint = sweep("gateway.health_check.interval=7s").refused();
    assert!(complaint.contains("would change nothing"), "{complaint}");
    sweep("gateway.health_check.timeout=2s").ok();
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_cleans_up() {
    let folder = folder(&[("small.toml", SMALL)]);
    let mut command = super::command(&["run", "small.toml", "--runs", "100000", "--out", "out"]);
    let mut child = command.current_dir(folder.path()).spawn().expect("the command starts");
    let partial = folder.path().join("out/.runs.csv.partial");
    for _ in 0..6000 {
        if partial.exists() || child.try_wait().expect("a child").is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Ctrl-C is listened for from the first run on.
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(child.try_wait().expect("a child").is_none(), "it should be at work still");
    crate::support::interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(names(folder.path()), ["small.toml"], "the folder went with its files");
}
