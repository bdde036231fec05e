//! Every kind of bad input says where it is, what it is, and what to write instead.
//!
//! Each file of `tests/fixtures/invalid` is wrong in the way its name says; the whole message is a snapshot, to be read
//! with the eyes of somebody who is tired and in a hurry.

use crate::lowering::EVERYTHING;
use failover_sim::experiment::file::Experiment;
use failover_sim::scenario::{Document, Loader, Problems, TEMPLATE};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::path::{Path, PathBuf};

/// The files and folders in a folder of fixtures, in order of name.
fn entries(folder: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

fn snapshot(name: &str, problems: &Problems) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, problems.render(false));
    });
}

#[test]
fn every_invalid_scenario_says_what_to_write_instead() {
    let mut loader = Loader::new();
    for path in entries("tests/fixtures/invalid") {
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let problems = loader
            .open(&path)
            .and_then(|document| document.model())
            .expect_err(&format!("{} should be invalid", path.display()));
        snapshot(name(&path), &problems);
    }
}

#[test]
fn every_invalid_experiment_says_what_to_write_instead() {
    for path in entries("tests/fixtures/invalid_experiments") {
        if !path.is_dir() {
            continue;
        }
        let problems = Experiment::open(&path, &mut Loader::new())
            .and_then(|experiment| {
                let sweep = experiment.sweep.clone().expect("a valid experiment with a sweep");
                let points = sweep.points(&experiment.scenarios)?;
                sweep.models(&experiment.scenarios, &points)
            })
            .expect_err(&format!("{} should be invalid", path.display()));
        snapshot(&format!("experiment_{}", name(&path)), &problems);
    }
}

#[test]
fn a_scenario_file_that_is_not_there() {
    let open = |path: &str| Loader::new().open(Path::new(path)).unwrap_err();
    snapshot("open_missing", &open("nowhere/mine.toml"));
    snapshot("open_misspelt", &open("tests/fixtures/invalid/unknwon_field.toml"));
    snapshot("open_folder", &open("tests/fixtures/invalid"));
}

/// The template with one setting given by hand.
fn template_with(assignment: &str) -> Result<Document, Problems> {
    let mut document = Loader::new().parse("mine.toml", TEMPLATE)?;
    document.set_text(assignment)?;
    document.model()?;
    Ok(document)
}

#[test]
fn settings_given_by_hand() {
    for (name, assignment) in [
        ("set_without_value", "gateway.replicas"),
        ("set_unknown_setting", "gateway.health_chek.interval=5s"),
        ("set_unknown_name", "provider.claude_est.error_rate=0.1"),
        ("set_inside_a_value", "duration.seconds=5"),
        ("set_inside_another_choice", "gateway.route.lowest_latency.weight=0.2"),
        ("set_unknown_choice", "gateway.route.prefers=[\"claude_east\"]"),
        ("set_bare_choice_with_value", "fault.night.probes.hang=4m"),
        ("set_missing_unit", "gateway.health_check.interval=5"),
        ("set_wrong_type", "gateway.replicas=many"),
        ("set_past_the_end", "fault.night.at=40m"),
        ("set_missing_part", "gateway.from=models/gateways/nowhere.toml"),
    ] {
        snapshot(name, &template_with(assignment).expect_err(assignment));
    }
}

/// What slips of the pen, and of the mind, put into a file.
const SLIPS: [&str; 20] = [
    "",
    "\"",
    "=",
    "[",
    "]",
    "{}",
    "[]",
    "\n",
    ".",
    "-1",
    "0",
    "nan",
    "inf",
    "\"\"",
    "\"µé\"",
    "true",
    "1e400",
    "02:47:00",
    "[provider.claude_east]\n",
    "99999999999999999999",
];

/// Writes over a part of a good scenario: it is lowered, or complained about at a place of the file.
fn slip_of_the_pen(good: &str, at: usize, length: usize, slip: &str) -> Result<(), TestCaseError> {
    let end = (at + length).min(good.len());
    let text = format!("{}{}{}", &good[..at], slip, &good[end..]);
    let lowered = Loader::new().parse("mine.toml", &text).and_then(|document| {
        let _ = (document.resolved(), document.to_json());
        document.model()
    });
    if let Err(problems) = lowered {
        prop_assert!(!problems.render(true).is_empty());
        for problem in problems.iter() {
            prop_assert!(
                problem.origin().is_some_and(|origin| origin.starts_with("mine.toml:")),
                "{problems}"
            );
            prop_assert!(problem.fix().is_some(), "{problems}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_slip_of_the_pen_goes_unexplained(
        at in 0..TEMPLATE.len(), length in 0_usize..40, slip in 0..SLIPS.len(),
    ) {
        slip_of_the_pen(TEMPLATE, at, length, SLIPS[slip])?;
    }

    #[test]
    fn no_slip_of_the_pen_in_a_gateway_goes_unexplained(
        at in 0..EVERYTHING.len(), length in 0_usize..40, slip in 0..SLIPS.len(),
    ) {
        slip_of_the_pen(EVERYTHING, at, length, SLIPS[slip])?;
    }
}
