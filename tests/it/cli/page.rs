//! `run --report`: one file, made before the work begins, the same whenever it is made again.

use super::*;

fn page(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("a report")
}

#[test]
fn a_report_is_the_same_whenever_and_however_it_is_made() {
    let folder =
        folder(&[("small.toml", SMALL), ("other.toml", &SMALL.replace("5s\", timeout", "2s\", timeout"))]);
    let args = ["run", "small.toml", "other.toml", "--runs", "20", "--set", "duration=50s"];
    let plain = run_in(&folder, &args).ok();
    let with = |more: &[&str]| run_in(&folder, &[&args[..], more].concat()).ok();
    // What is printed is the same with and without it.
    assert_eq!(with(&["--report", "a.html", "--threads", "1"]), plain);
    assert_eq!(with(&["--report", "b.html", "--threads", "2", "--out", "results"]), plain);
    assert_eq!(page(&folder, "a.html"), page(&folder, "b.html"));
    assert!(folder.path().join("results/manifest.json").exists());
    let again = "failover-sim run small.toml other.toml --runs 20 --set duration=50s --report report.html";
    assert!(page(&folder, "a.html").contains(again));

    with(&["--report", "c.html", "--incidents-per-year", "12"]);
    let other = page(&folder, "c.html");
    assert!(
        other != page(&folder, "a.html") && other.contains("--incidents-per-year 12 --report report.html")
    );
}

#[test]
fn a_report_takes_the_place_of_nothing_unasked() {
    let folder = folder(&[("small.toml", SMALL), ("report.html", "mine")]);
    let refused = run_in(&folder, &["run", "small.toml", "--report", "report.html"]).refused();
    assert!(refused.contains("report.html") && refused.contains("--force"), "{refused}");
    assert_eq!(page(&folder, "report.html"), "mine");
    run_in(&folder, &["run", "small.toml", "--runs", "2", "--report", "report.html", "--force"]).ok();
    assert!(page(&folder, "report.html").starts_with("<!doctype html>"));

    let missing = run_in(&folder, &["run", "small.toml", "--report", "no/such/folder/report.html"]).refused();
    assert!(missing.contains("no/such/folder/report.html"), "{missing}");
    let both = ["run", "small.toml", "--report", "x", "--events", "x"];
    assert!(run_in(&folder, &both).refused().contains("name the same file"));
    for bad in ["0", "-1", "nan", "1e9", "many"] {
        let refused =
            run_in(&folder, &["run", "small.toml", "--report", "x", "--incidents-per-year", bad]).refused();
        assert!(refused.contains("write a number above 0, and at most 100000"), "{refused}");
    }
    let alone = run_in(&folder, &["run", "small.toml", "--incidents-per-year", "3"]).refused();
    assert!(alone.contains("--report"), "{alone}");
    assert_eq!(names(folder.path()), ["report.html", "small.toml"]);
}

/// Who forwards it wants it most when something was missed.
#[test]
fn a_missed_gate_still_has_its_report() {
    let folder = folder(&[("small.toml", SMALL)]);
    let args = ["run", "small.toml", "--runs", "5", "--gate", "failed_count <= 0", "--report", "report.html"];
    let missed = run_in(&folder, &args);
    assert_eq!(missed.code, Some(1), "{}", missed.stderr);
    let page = page(&folder, "report.html");
    assert!(page.contains("failed_count \\u003c= 0") && page.contains("--gate 'failed_count \\u003c= 0'"));
}

/// Thirteen scenarios with a close-up each, and the page that draws them.
#[test]
fn the_report_of_the_story_can_be_sent_around() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.html");
    let file = file.to_str().expect("a path");
    run(&["run", "experiments/01_incident_3am", "--runs", "3", "--report", file]).ok();
    let bytes = fs::metadata(file).expect("a report").len();
    assert!(bytes < 1_500_000, "{bytes} bytes");
}
