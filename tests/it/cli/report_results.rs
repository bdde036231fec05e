//! `report`, and `--report` of sweeps and tune: the same report from a folder as from the command, and what is refused.

use super::results::{Csv, EXPERIMENT};
use super::{SMALL, folder, names, run_in, snapshot};
use failover_sim::output::Results;
use failover_sim::output::report::{FolderInput, report_of_results};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a page shows.
#[track_caller]
fn document(page: &Path) -> Value {
    let page = fs::read_to_string(page).expect("a page");
    let (_, rest) = page.split_once("id=\"report\">").expect("data");
    let (json, _) = rest.split_once("</script>").expect("an end of it");
    serde_json::from_str(json).expect("JSON")
}

/// The same without the command that makes it again.
#[track_caller]
fn without_command(page: &Path) -> Value {
    let mut document = document(page);
    document["provenance"]["command"] = Value::Null;
    document
}

/// A folder with two scenarios, and the results of both in `out`, and their report.
fn run_results() -> TempDir {
    let faster = SMALL.replace("interval = \"5s\"", "interval = \"2s\"");
    let folder = folder(&[("small.toml", SMALL), ("faster.toml", &faster)]);
    let args = ["run", "small.toml", "faster.toml", "--runs", "12", "--seed", "3", "--out", "out"];
    let gates = ["--set", "provider.a.error_rate=0.02", "--gate", "failed_count <= 1.0x"];
    run_in(&folder, &[&args[..], &gates, &["--report", "a.html"]].concat()).ok();
    folder
}

fn sweep_results() -> TempDir {
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", EXPERIMENT)]);
    run_in(&folder, &["sweep", ".", "--runs", "20", "--out", "out", "--report", "a.html"]).ok();
    folder
}

fn parquet_files(results: &Path) -> Vec<PathBuf> {
    let names = names(results).into_iter().filter(|name| name.ends_with(".parquet"));
    names.map(|name| results.join(name)).collect()
}

#[test]
fn a_folder_of_runs_gives_the_report_that_the_command_gave() {
    let folder = run_results();
    let told = run_in(&folder, &["report", "out", "--output", "b.html"]).ok();
    assert!(told.starts_with("b.html: "), "{told}");
    let [a, b] = ["a.html", "b.html"].map(|name| without_command(&folder.path().join(name)));
    assert_eq!(a, b);
    assert_eq!(a["scenarios"][1]["objectives"][0]["criterion"], "failed_count <= 1.0x");

    // From CSV alone, and wherever it lies, whatever became of the scenarios.
    parquet_files(&folder.path().join("out")).iter().for_each(|path| fs::remove_file(path).unwrap());
    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::rename(folder.path().join("out"), elsewhere.path().join("moved")).expect("it can be moved");
    run_in(&elsewhere, &["report", "moved", "--output", "c.html"]).ok();
    assert_eq!(without_command(&elsewhere.path().join("c.html")), a);
}

#[test]
fn a_sweep_shows_what_its_table_of_points_has() {
    let folder = sweep_results();
    run_in(&folder, &["report", "out", "--output", "b.html"]).ok();
    let [a, b] = ["a.html", "b.html"].map(|name| without_command(&folder.path().join(name)));
    assert_eq!(a, b);

    let sweep = &a["sweep"];
    let points = Csv::read(&folder.path().join("out/points.csv"));
    let columns = sweep["points"]["estimates"].as_object().expect("metrics");
    assert!(columns.len() > 3, "{columns:?}");
    for (metric, columns) in columns {
        for statistic in ["mean", "pi95_low", "pi95_high", "ci95_low", "ci95_high"] {
            let shown = columns[statistic].as_array().expect("a column");
            for (shown, exact) in shown.iter().zip(points.texts(&format!("{metric}_{statistic}"))) {
                let exact: Option<f64> = exact.parse().ok();
                let is_close = |shown: f64, exact: f64| (shown - exact).abs() <= 0.0006 * exact.abs();
                assert_eq!(shown.is_null(), exact.is_none(), "{metric} {statistic}");
                assert!(
                    exact.is_none_or(|exact| is_close(shown.as_f64().unwrap(), exact)),
                    "{metric} {shown}"
                );
            }
        }
    }
    let interval: Vec<&str> = (sweep["points"]["axes"][0].as_array().unwrap().iter())
        .map(|place| sweep["axes"][0]["values"][place.as_u64().unwrap() as usize].as_str().unwrap())
        .collect();
    assert_eq!(interval, ["5s", "5s", "20s", "20s"]);
    // What happens to people is no choice of theirs: both kinds of outage count.
    assert_eq!((&sweep["situations"], &sweep["axes"][1]["decided"]), (&2.into(), &false.into()));
    assert_eq!(sweep["best"], serde_json::json!([0, 1]));
    assert_eq!(sweep["baseline"], sweep["best"]);
    assert!(a["decision"]["sentence"].as_str().unwrap().contains("health check interval 5s"), "{a:?}");
}

/// How long an outage lasts, or a load, would be chosen too.
#[test]
fn a_sweep_without_its_experiment_chooses_nothing() {
    let folder = sweep_results();
    change_manifest(&folder.path().join("out"), "[[sweep.axis]]", "[[sweep.axes]]");
    run_in(&folder, &["report", "out", "--output", "b.html"]).ok();
    let b = document(&folder.path().join("b.html"));
    let said = b["decision"]["sentence"].as_str().unwrap();
    let words =
        "Nothing is chosen here, as its experiment is not there to say which settings somebody decides on: ";
    assert!(said.starts_with(words), "{said}");
    assert_eq!(
        (&b["decision"]["verdict"], &b["sweep"]["best"]),
        (&"cannot_tell".into(), &serde_json::json!([]))
    );
}

#[test]
fn a_search_gives_the_same_report_from_its_folder() {
    let tune = "[tune]\nminimize = \"failed_count\"\nsubject_to = [\"probe_per_day <= 30000\"]\n";
    let experiment = EXPERIMENT.split("[[sweep.axis]]\npath = \"fault").next().unwrap().to_owned() + tune;
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", &experiment)]);
    run_in(&folder, &["tune", ".", "--runs", "10", "--out", "out", "--report", "a.html"]).ok();
    run_in(&folder, &["report", "out", "--output", "b.html"]).ok();
    let [a, b] = ["a.html", "b.html"].map(|name| without_command(&folder.path().join(name)));
    assert_eq!(a, b);
    let tune = &a["tune"];
    assert_eq!(tune["best_settings"][0]["value"], tune["answer"]["recommended"]["settings"][0]["value"]);
    assert_eq!(tune["candidates"]["group"].as_array().unwrap().len(), 2);
}

#[test]
fn tables_of_another_build_are_believed_and_nothing_is_played_beside_them() {
    let folder = run_results();
    let manifest = folder.path().join("out/manifest.json");
    // As if this build drew other latencies.
    let text = fs::read_to_string(&manifest).unwrap().replace("mean = \\\"900ms\\\"", "mean = \\\"950ms\\\"");
    fs::write(&manifest, text.replace("\"mean\": \"900ms\"", "\"mean\": \"950ms\"")).unwrap();
    run_in(&folder, &["report", "out", "--output", "b.html"]).ok();
    let [a, b] = ["a.html", "b.html"].map(|name| document(&folder.path().join(name)));
    assert_eq!(a["scenarios"][1]["metrics"], b["scenarios"][1]["metrics"]);
    assert!(b["scenarios"][1]["closeup"].is_null() && !a["scenarios"][1]["closeup"].is_null());
    let said = b["left_out"][0].as_str().unwrap();
    assert!(said.contains("this build of the program plays other numbers"), "{said}");
}

/// Whatever is played with another seed is of other numbers.
#[test]
fn nothing_that_was_played_again_stands_beside_the_tables_of_another_build() {
    let prices = "\n[cost]\nfailed_request = 0.05\n";
    let small = SMALL.replace("[gateway]", &format!("{}\n[gateway]", prices.trim()));
    let folder = folder(&[("small.toml", &small), ("faster.toml", &small.replace("\"5s\"", "\"2s\""))]);
    let args = ["run", "small.toml", "faster.toml", "--runs", "12", "--seed", "3", "--out", "out"];
    run_in(&folder, &[&args[..], &["--report", "a.html"]].concat()).ok();
    change_manifest(&folder.path().join("out"), "\"seed\": 3", "\"seed\": 4");
    run_in(&folder, &["report", "out", "--output", "b.html"]).ok();
    let [a, b] = ["a.html", "b.html"].map(|name| document(&folder.path().join(name)));

    let replayed = |report: &Value| {
        let strongest = report["certainty"]["strongest_assumptions"].as_array().unwrap();
        let turned_round = strongest.iter().filter(|assumption| !assumption["instead"].is_null()).count();
        let closeups = report["scenarios"].as_array().unwrap().iter().filter(|s| !s["closeup"].is_null());
        let steps = report["waterfall"]["changes"].as_array().unwrap().len();
        let cost = report["numbers"].as_array().unwrap().iter().find(|n| n["key"] == "cost_in_year").unwrap();
        (turned_round, closeups.count(), steps, cost["baseline"].is_null())
    };
    assert_eq!(replayed(&a), (3, 2, 2, false));
    assert_eq!(replayed(&b), (0, 0, 0, true));
    // What the tables have is still there.
    assert_eq!(a["waterfall"]["stages"], b["waterfall"]["stages"]);
    assert_eq!(a["decision"]["difference"], b["decision"]["difference"]);
    let left_out = b["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 1, "{left_out:?}");
    assert!(!b["decision"]["sentence"].as_str().unwrap().contains("In a year"), "{b}");
}

#[test]
fn everything_that_makes_a_report_takes_the_rate_of_incidents() {
    let tune = "[tune]\nminimize = \"failed_count\"\n";
    let experiment = EXPERIMENT.split("[[sweep.axis]]\npath = \"fault").next().unwrap().to_owned() + tune;
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", &experiment)]);
    let rate = ["--runs", "5", "--incidents-per-year", "12"];
    for (verb, of) in [("run", "small.toml"), ("sweep", "."), ("tune", ".")] {
        let page = format!("{verb}.html");
        run_in(&folder, &[&[verb, of, "--out", verb, "--report", &page], &rate[..]].concat()).ok();
        let again = format!("{verb}-again.html");
        run_in(&folder, &[&["report", verb, "--output", &again], &rate[2..]].concat()).ok();
        let page = document(&folder.path().join(page));
        let note = page["numbers"][1]["note"].as_str().unwrap();
        assert!(note.contains("12 incidents a year, as `--incidents-per-year` says"), "{verb}: {note}");
        let command = page["provenance"]["command"].as_str().unwrap();
        assert!(command.ends_with("--incidents-per-year 12 --report report.html"), "{command}");
        assert_eq!(page["numbers"], document(&folder.path().join(again))["numbers"]);
    }
}

/// What is refused, with the folder's own name in the place of it.
#[track_caller]
fn refused(folder: &TempDir, args: &[&str]) -> String {
    let before = files(folder.path());
    let message = run_in(folder, args).refused();
    assert_eq!(files(folder.path()), before, "nothing is lost, and nothing half-written");
    message
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (vec![], vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for name in names(&folder) {
            let path = folder.join(name);
            if path.is_dir() {
                folders.push(path)
            } else {
                found.push((path.clone(), fs::read(path).unwrap()))
            }
        }
    }
    found
}

/// A text in the manifest is another one.
fn change_manifest(results: &Path, from: &str, to: &str) {
    let path = results.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn folders_that_are_no_results_are_refused() {
    let folder = folder(&[("small.toml", SMALL), ("experiment.toml", EXPERIMENT)]);
    let mut told = String::new();
    let mut refuse = |what: &str, results: &str| {
        let message = refused(&folder, &["report", results, "--output", "report.html"]);
        told.push_str(&format!("--- {what}\n{message}\n"));
    };
    refuse("nothing is there", "none");
    refuse("a file", "small.toml");
    refuse("an experiment", ".");
    fs::create_dir(folder.path().join("empty")).unwrap();
    refuse("an empty folder", "empty");
    fs::create_dir_all(folder.path().join("sweep/ledger")).unwrap();
    refuse("a sweep that is not finished", "sweep");
    fs::create_dir(folder.path().join("stopped")).unwrap();
    fs::write(folder.path().join("stopped/.manifest.json.partial"), "").unwrap();
    refuse("a command that was stopped", "stopped");
    fs::create_dir(folder.path().join("tables")).unwrap();
    fs::write(folder.path().join("tables/runs.csv"), "run\n1\n").unwrap();
    refuse("tables alone", "tables");
    snapshot("report_no_results", &told);
}

#[test]
fn results_that_are_not_as_they_were_written_are_refused() {
    let mut told = String::new();
    let mut refuse = |what: &str, damage: &dyn Fn(&Path)| {
        let folder = folder(&[("small.toml", SMALL)]);
        run_in(&folder, &["run", "small.toml", "--runs", "2", "--out", "out"]).ok();
        let results = folder.path().join("out");
        // What remains is CSV: the same messages with and without Parquet.
        parquet_files(&results).iter().for_each(|path| fs::remove_file(path).unwrap());
        damage(&results);
        let message = refused(&folder, &["report", "out", "--output", "report.html"]);
        told.push_str(&format!("--- {what}\n{message}\n"));
    };
    let runs = |change: fn(String) -> String| {
        move |results: &Path| {
            let path = results.join("runs.csv");
            fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
        }
    };
    // As results of an earlier version were: no checksums, and lengths as they are.
    let believed = |change: fn(String) -> String| {
        move |results: &Path| {
            runs(change)(results);
            let path = results.join("manifest.json");
            let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            for file in manifest["files"].as_array_mut().unwrap() {
                file["crc32"] = Value::Null;
                if file["name"] == "runs.csv" {
                    file["bytes"] = fs::metadata(results.join("runs.csv")).unwrap().len().into();
                }
            }
            fs::write(path, manifest.to_string()).unwrap();
        }
    };
    refuse("a table is cut short", &runs(|text| text[..text.len() / 2].to_owned()));
    refuse("a table has other bytes", &runs(|text| text.replacen('1', "2", 1)));
    refuse("a table is missing", &|results| fs::remove_file(results.join("runs.csv")).unwrap());
    refuse("a foreign table", &believed(|_| "a,b\n1,2\n".to_owned()));
    refuse("a value of another type", &believed(|text| text.replacen(",0,1,", ",0,one,", 1)));
    refuse(
        "a row is missing",
        &believed(|text| text.lines().take(2).map(|line| format!("{line}\n")).collect()),
    );
    refuse("no rows", &believed(|text| text.lines().take(1).map(|line| format!("{line}\n")).collect()));
    refuse("no runs at all", &|results| change_manifest(results, "\"runs\": 2", "\"runs\": 0"));
    refuse("more runs than rows", &|results| change_manifest(results, "\"runs\": 2", "\"runs\": 3"));
    refuse("another schema", &|results| {
        change_manifest(results, "\"schema_version\": 1", "\"schema_version\": 2");
    });
    refuse("another program", &|results| {
        change_manifest(results, "\"program\": \"failover-sim\"", "\"program\": \"other\"");
    });
    refuse("a damaged manifest", &|results| {
        let path = results.join("manifest.json");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, &text[..100]).unwrap();
    });
    snapshot("report_bad_results", &told);
}

#[test]
fn outputs_that_cannot_be_written_are_refused() {
    let folder = run_results();
    fs::write(folder.path().join("mine.html"), "mine").unwrap();
    fs::create_dir(folder.path().join("folder.html")).unwrap();
    let mut told = String::new();
    for output in ["mine.html", "no/such/folder/report.html", "folder.html", "out/runs.csv"] {
        let args = ["report", "out", "--output", output];
        let force: &[&str] = if output == "out/runs.csv" { &["--force"] } else { &[] };
        told.push_str(&refused(&folder, &[&args[..], force].concat()));
        told.push('\n');
    }
    snapshot("report_bad_output", &told);
    run_in(&folder, &["report", "out", "--output", "mine.html", "--force"]).ok();
    assert_ne!(fs::read_to_string(folder.path().join("mine.html")).unwrap(), "mine");
}

#[cfg(feature = "files")]
#[test]
fn damaged_and_foreign_parquet_is_refused_and_csv_can_take_its_place() {
    let folder = run_results();
    let results = folder.path().join("out");
    let whole = fs::read(results.join("runs.parquet")).unwrap();
    let foreign = fs::read(results.join("series.parquet")).unwrap();
    let manifest = fs::read_to_string(results.join("manifest.json")).unwrap();
    let mut told = String::new();
    let cut = whole[..whole.len() / 2].to_vec();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (what, bytes, is_believed) in [
        ("cut", &cut, false),
        ("flipped", &flipped, false),
        ("cut, without a checksum", &cut, true),
        ("another table, without a checksum", &foreign, true),
    ] {
        fs::write(results.join("runs.parquet"), bytes).unwrap();
        let mut changed: Value = serde_json::from_str(&manifest).unwrap();
        for file in changed["files"].as_array_mut().unwrap() {
            if is_believed && file["name"] == "runs.parquet" {
                (file["crc32"], file["bytes"]) = (Value::Null, bytes.len().into());
            }
        }
        fs::write(results.join("manifest.json"), changed.to_string()).unwrap();
        let message = refused(&folder, &["report", "out", "--output", "b.html"]);
        told.push_str(&format!("--- {what}\n{message}\n"));
    }
    // What the reader of Parquet complains of is its own; what to do is not.
    assert_eq!(told.matches("runs.csv is read in its place").count(), 4, "{told}");
    for complaint in [
        "it was cut short",
        "its checksum is another",
        "it is no Parquet file, or damaged",
        "it lacks the column",
    ] {
        assert!(told.contains(complaint), "{complaint}: {told}");
    }
    fs::remove_file(results.join("runs.parquet")).unwrap();
    run_in(&folder, &["report", "out", "--output", "b.html"]).ok();
}

/// A copy of a folder without folders in it.
fn copied(results: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for name in names(results).into_iter().filter(|name| results.join(name).is_file()) {
        fs::copy(results.join(&name), copy.path().join(name)).expect("a copy");
    }
    copy
}

/// Whatever happens to one byte, or to the end of a file: there is a report or an error, and no panic.
#[test]
fn no_damage_of_one_place_makes_it_panic() {
    let tiny = SMALL
        .replace("60s", "12s")
        .replace("at = \"20s\"", "at = \"4s\"")
        .replace("lasts = \"20s\"", "lasts = \"4s\"");
    let tiny = tiny.replace("20/s", "3/s");
    let folder = folder(&[("small.toml", &tiny), ("experiment.toml", EXPERIMENT)]);
    run_in(&folder, &["run", "small.toml", "--runs", "2", "--out", "run"]).ok();
    run_in(&folder, &["sweep", ".", "--runs", "2", "--out", "sweep"]).ok();
    let damages: Vec<(&str, u64)> =
        ["run", "sweep"].into_iter().flat_map(|results| (0..100).map(move |nth| (results, nth))).collect();
    let told: Vec<bool> = damages
        .iter()
        .map(|(results, nth)| {
            let copy = copied(&folder.path().join(results));
            let names = names(copy.path());
            // Half of all damages are the manifest's: it is what is believed.
            let name = if nth % 2 == 0 { "manifest.json" } else { &names[(*nth as usize / 2) % names.len()] };
            let path = copy.path().join(name);
            let mut bytes = fs::read(&path).unwrap();
            let place = (nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize % bytes.len();
            match nth % 5 {
                0 => bytes.truncate(place),
                bit => bytes[place] ^= 1 << (bit + nth / 5 % 4),
            }
            fs::write(&path, bytes).unwrap();
            let report = Results::open(copy.path()).map(|results| {
                let command = String::new();
                report_of_results(&FolderInput { results: &results, command, incidents_per_year: None }, &())
            });
            matches!(report, Ok(Ok(_)))
        })
        .collect();
    let whole = told.iter().filter(|is_whole| **is_whole).count();
    assert!((1..damages.len()).contains(&whole), "{whole} reports: some damage does no harm, and some does");
}
