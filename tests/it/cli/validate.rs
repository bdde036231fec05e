//! `validate`: measured outages in, what was predicted of them out.

use super::command;
use std::fs;
use tempfile::TempDir;

/// The header and the rows of the committed measurements for which `wanted` holds.
pub(super) fn rows(wanted: impl Fn(&str) -> bool) -> String {
    let all = fs::read_to_string("tests/real_gateways/runs.csv").unwrap();
    let mut lines = all.lines();
    let header = lines.next().unwrap();
    let chosen = lines.filter(|line| wanted(line));
    std::iter::once(header).chain(chosen).map(|line| format!("{line}\n")).collect()
}

/// Its exit code, what it printed, and what it complained of.
fn validate(folder: &TempDir, rows: &str, args: &[&str]) -> (i32, String, String) {
    let file = folder.path().join("runs.csv");
    fs::write(&file, rows).unwrap();
    let all = [&["validate", "runs.csv"], args].concat();
    let output = command(&all).current_dir(folder.path()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_determined_outage_is_predicted_and_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let rows =
        rows(|line| line.starts_with("haproxy/h_i2f3/error/") || line.starts_with("portkey/p_fb/error"));
    let args = ["--runs", "40", "--out", "f.md", "--csv", "cells.csv", "--rows", "rows.csv"];
    let (code, stdout, stderr) = validate(&folder, &rows, &args);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.lines().all(|line| line.chars().count() <= 80), "{stdout}");
    let document = fs::read_to_string(folder.path().join("f.md")).unwrap();
    assert!(document.contains("`failover-sim validate runs.csv --runs 40 --out f.md --force`"), "{document}");
    // Seven rows, one of which was measured while the machine was held up.
    assert!(document.contains("| h_i2f3 | error | 6 |"), "{document}");
    assert!(document.contains("Left out: 1 for a stall"), "{document}");
    let cells = fs::read_to_string(folder.path().join("cells.csv")).unwrap();
    assert_eq!(cells.lines().count(), 3, "{cells}");
    let played = fs::read_to_string(folder.path().join("rows.csv")).unwrap();
    assert_eq!(played.lines().count(), 9, "{played}");
    assert!(played.contains("haproxy/h_i2f3/error/3,haproxy,h_i2f3,error,host_stall,269,,,,,"), "{played}");

    // What exists is not overwritten, and the same seed gives the same bytes on one thread.
    let (code, stdout, stderr) = validate(&folder, &rows, &args);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("f.md exists already"), "{stderr}");
    let again = [args.as_slice(), &["--threads", "1", "--force"]].concat();
    assert_eq!(validate(&folder, &rows, &again).0, 0);
    assert_eq!(fs::read_to_string(folder.path().join("rows.csv")).unwrap(), played);
}

#[test]
fn a_wrong_prediction_misses_a_bar() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(|line| line.starts_with("haproxy/h_i2f3/error/")).replace("fall 3", "fall 5");
    let (code, stdout, stderr) = validate(&folder, &rows, &["--runs", "20"]);
    assert_eq!(code, 1, "{stdout}");
    assert!(
        stdout.lines().any(|line| line.starts_with("h_i2f3 ") && line.ends_with(" !"))
            && stderr.contains("a bar is missed"),
        "{stdout}{stderr}"
    );
}

#[test]
fn every_unknown_setting_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(|line| line.starts_with("haproxy/h_i2f3/error/")).replace("rise 2", "raise 2");
    let (code, stdout, stderr) = validate(&folder, &rows, &[]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    for line in 2..=8 {
        let told = format!("runs.csv:{line}: the config's `server` has `raise`, which is not known");
        assert!(stderr.contains(&told), "{stderr}");
    }
    assert!(stderr.contains("known are `check`, `inter`"), "{stderr}");
}

#[test]
fn a_rows_scenario_is_one_that_run_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(|line| line.starts_with("envoy/e_hc_od/error/2"));
    let (code, scenario, stderr) = validate(&folder, &rows, &["--scenario", "envoy/e_hc_od/error/2"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    fs::write(folder.path().join("row.toml"), scenario).unwrap();
    let check = command(&["check", "row.toml"]).current_dir(folder.path()).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let (code, _, stderr) = validate(&folder, &rows, &["--scenario", "envoy/e_hc_od/error/9"]);
    assert!(code == 2 && stderr.contains("no row with the run_id"), "{stderr}");
}
