//! `tune` finds what can be computed by hand, with far fewer runs than a grid, and the same at any number of threads.

use failover_sim::experiment::file::Experiment;
use failover_sim::experiment::runner::RunPlan;
use failover_sim::experiment::tune::analysis;
use failover_sim::experiment::tune::field::{Field, TuneError};
use failover_sim::experiment::tune::report::{Choice, Report};
use failover_sim::experiment::tune::space::Space;
use failover_sim::metrics::Wanted;
use failover_sim::scenario::Loader;
use std::fs;
use tempfile::TempDir;

/// Requests come at 10 a second, and the preferred provider takes them and never answers for two minutes: from the
/// outage's start until the next probe has timed out, half an interval and the timeout on average, all are lost.
const HANG: &str = r#"
duration = "6m"
[traffic]
arrivals = { constant = "10/s" }
client_timeout = "10s"
[provider.a]
latency = { constant = "1s" }
[provider.b]
latency = { constant = "1s" }
[fault.outage]
on = { name = "a" }
at = "2m"
lasts = "2m"
requests = "refuse"
probes = "hang"
[gateway]
route = { prefer = ["a", "b"] }
health_check = { interval = "20s", timeout = "1s", latency = { constant = "0s" } }
"#;

/// The mean of the requests lost.
fn lost(interval: f64, timeout: f64) -> f64 {
    10.0 * (interval / 2.0 + timeout)
}

/// Both providers are probed.
fn probes_per_day(interval: f64) -> f64 {
    2.0 * 86_400.0 / interval
}

fn experiment(tune: &str, scenarios: &[(&str, &str)]) -> (TempDir, Experiment) {
    let folder = tempfile::tempdir().expect("a folder");
    let names: Vec<String> = scenarios.iter().map(|(name, _)| format!("\"{name}.toml\"")).collect();
    let text = format!("question = \"Which?\"\nscenarios = [{}]\nruns = 100\n{tune}", names.join(", "));
    fs::write(folder.path().join("experiment.toml"), text).expect("a file");
    for (name, scenario) in scenarios {
        fs::write(folder.path().join(format!("{name}.toml")), scenario).expect("a file");
    }
    let experiment = Experiment::open(folder.path(), &mut Loader::new());
    let experiment = experiment.unwrap_or_else(|problems| panic!("{problems}"));
    (folder, experiment)
}

const PLAN: RunPlan = RunPlan { seed: 1, runs: 0..0, wanted: Wanted::COUNTS, path: None };

/// The interval of the health check, from 1 s to 60 s.
const INTERVAL: &str = r#"
[sweep]
axis = [{ path = "gateway.health_check.interval", range = { from = "1s", to = "60s" } }]
"#;

fn report(experiment: &Experiment) -> Report {
    let sweep = experiment.sweep.as_ref().expect("a sweep");
    let question = experiment.tune.as_ref().expect("a question");
    let space = Space { sweep, scenarios: &experiment.scenarios };
    let field = Field::new(space, question, &PLAN, &());
    analysis::tune(field, question.runs.unwrap_or(experiment.runs), "Which?", PLAN.seed)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn in_seconds(text: &str) -> f64 {
    humantime::parse_duration(text.trim_matches('"')).expect("a duration").as_secs_f64()
}

/// Asserts that the best lies where it was computed to lie, as the report says it does, and was found cheaply.
#[track_caller]
fn assert_found(report: &Report, expected: f64, tolerance: f64) {
    let recommended = report.recommended.as_ref().expect("one objective has one answer");
    let found = in_seconds(&recommended.settings[0].value);
    let (low, high) = (in_seconds(&report.between[0].low), in_seconds(&report.between[0].high));
    assert!((low..=high).contains(&expected), "{expected} is not between {low} and {high}");
    assert!((found - expected).abs() <= tolerance, "{found}, not {expected}");
    assert!(report.effort.grid_runs > 10.0 * report.effort.runs as f64, "{:?}", report.effort);
}

#[test]
fn the_best_interval_is_the_shortest_that_the_probes_allow() {
    let tune = r#"
        [tune]
        minimize = "failed_count"
        subject_to = ["probe_per_day <= 20000"]
    "#;
    let (_folder, experiment) = experiment(&[INTERVAL, tune].concat(), &[("hang", HANG)]);
    let report = report(&experiment);
    // 172,800 probes a day at an interval of a second.
    assert_found(&report, probes_per_day(1.0) / 20_000.0, 1.5);
    let recommended = report.recommended.expect("an answer");
    let interval = in_seconds(&recommended.settings[0].value);
    let failed = recommended.objectives[0].ci95.0.expect("an interval");
    let slack = 0.25 * (failed.high - failed.low);
    assert!(
        (failed.low - slack..=failed.high + slack).contains(&lost(interval, 1.0)),
        "{failed:?} at {interval}"
    );
    // Without the constraint one would poll as often as one may.
    let cost = &report.constraint_costs[0];
    let without = cost.without.as_ref().expect("another candidate");
    assert!(in_seconds(&without.settings[0].value) < 4.0);
    let cost = cost.cost.expect("a difference").ci95.0.expect("an interval");
    let expected = lost(interval, 1.0) - lost(in_seconds(&without.settings[0].value), 1.0);
    assert!((cost.low..=cost.high).contains(&expected), "{cost:?}, not {expected}");
}

#[test]
fn the_longest_interval_that_loses_few_enough_is_found_by_the_mean_and_by_95_percent_of_incidents() {
    // The time to the next probe is uniform: the mean is a half of the interval, and 95% are below 0.95 of it.
    for (criterion, expected) in [("failed_count <= 60", 10.0), ("failed_count.p95 <= 100", 9.0 / 0.95)] {
        let tune = format!(
            "[tune]\nmaximize = \"gateway.health_check.interval\"\nsubject_to = [\"{criterion}\"]\nruns = 200\n"
        );
        let (_folder, experiment) = experiment(&[INTERVAL, &tune].concat(), &[("hang", HANG)]);
        assert_found(&report(&experiment), expected, 2.0);
    }
}

#[test]
fn a_front_has_the_cheapest_setting_whatever_a_lost_request_costs() {
    let intervals: Vec<f64> = (1..=30).map(|nth| 2.0 * f64::from(nth)).collect();
    let values: Vec<String> = intervals.iter().map(|interval| format!("\"{interval}s\"")).collect();
    let tune = format!(
        "[[sweep.axis]]\npath = \"gateway.health_check.interval\"\nvalues = [{}]\n\
         [tune]\nminimize = [\"failed_count\", \"probe_per_day\"]\nruns = 60\n",
        values.join(", ")
    );
    let (_folder, experiment) = experiment(&tune, &[("hang", HANG)]);
    let report = report(&experiment);
    assert!(report.recommended.is_none() && report.front.len() > 5, "{}", report.front.len());
    let settings = report.front.iter().map(|choice| in_seconds(&choice.settings[0].value));
    assert!(settings.clone().is_sorted(), "in the order of the axis");
    for price in [5.0, 20.0, 100.0] {
        // price x 10 x interval / 2 + 172,800 / interval is least where its slope is zero.
        let expected = (probes_per_day(1.0) / (10.0 * price / 2.0)).sqrt();
        let cost = |choice: &&Choice| {
            let [failed, probes] = [0, 1].map(|nth| choice.objectives[nth].value.expect("a value"));
            price * failed + probes
        };
        let cheapest = report.front.iter().min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("a front");
        let found = in_seconds(&cheapest.settings[0].value);
        // Near the optimum the cost is flat, and what was lost is known to a tenth.
        let exact = |interval: f64| price * lost(interval, 1.0) + probes_per_day(interval);
        assert!(exact(found) <= 1.15 * exact(expected), "{found}, not {expected}, at {price}");
    }
}

#[test]
fn listed_values_are_told_apart_with_few_runs() {
    let tune = r#"
        [[sweep.axis]]
        path = "gateway.health_check.interval"
        values = ["5s", "10s", "20s", "30s", "40s", "50s", "60s"]
        [[sweep.axis]]
        path = "gateway.health_check.eject_after"
        values = [1, 2, 3, 4]
        [tune]
        minimize = "failed_count"
    "#;
    let (_folder, experiment) = experiment(tune, &[("hang", HANG)]);
    let report = report(&experiment);
    let recommended = report.recommended.expect("an answer");
    let settings: Vec<&str> = recommended.settings.iter().map(|setting| setting.value.as_str()).collect();
    assert_eq!((settings, recommended.runs), (vec!["\"5s\"", "1"], 100));
    assert_eq!(report.effort.grid_runs, 28.0 * 100.0);
    assert!(2.0 * (report.effort.runs as f64) < report.effort.grid_runs, "{:?}", report.effort);
    // A second failed probe takes another interval.
    let step = report.steps.iter().find(|step| step.path.ends_with("eject_after")).expect("a step");
    let more = step.difference.ci95.0.expect("an interval");
    assert!((more.low - 1.0..=more.high + 1.0).contains(&50.0), "{more:?}");
}

#[test]
fn a_mix_weighs_its_scenarios_and_says_what_the_worst_would_choose() {
    let refused = HANG.replace("probes = \"hang\"", "probes = \"refuse\"");
    let tune = r#"
        [[sweep.axis]]
        path = "gateway.health_check.timeout"
        values = ["1s", "4s", "8s"]
        [tune]
        minimize = "failed_count"
        weights = { refused = 3, hang = 1 }
    "#;
    let (_folder, experiment) = experiment(tune, &[("hang", HANG), ("refused", &refused)]);
    let report = report(&experiment);
    let recommended = report.recommended.as_ref().expect("an answer");
    assert_eq!(recommended.settings[0].value, "\"1s\"");
    // Where connections are refused the timeout does not matter; over the mix it counts by a quarter.
    let of = |name: &str| {
        let scenario = recommended.scenarios.iter().find(|s| s.scenario == name).expect("it was played");
        scenario.measured[0].value.expect("a value")
    };
    assert!(
        (recommended.objectives[0].value.unwrap() - (0.75 * of("refused") + 0.25 * of("hang"))).abs() < 1e-9
    );
    let step = report.steps[0].difference;
    assert!((step.value - 0.25 * 10.0 * 3.0).abs() < 1.0, "{step:?}");
    let worst = report.by_worst_case.expect("two scenarios").worst_case.expect("one is worse");
    assert_eq!(worst.scenario, "hang");
    assert_eq!(report.by_regret.expect("two scenarios").max_regret.expect("a regret").value, 0.0);
}

#[test]
fn guesses_say_how_far_they_move_the_answer() {
    let tune = r#"
        [[sweep.axis]]
        path = "gateway.health_check.interval"
        values = ["5s", "10s", "20s"]
        [tune]
        minimize = "failed_count"
        runs = 50
    "#;
    let (_folder, experiment) = experiment(tune, &[("hang", HANG)]);
    let report = report(&experiment);
    let guessed = |name: &str| {
        let effect = report.guesses.iter().find(|effect| effect.guess == name);
        effect.unwrap_or_else(|| panic!("{name} is not among {:?}", report.guesses)).clone()
    };
    let own = report.recommended.as_ref().and_then(|choice| choice.objectives[0].value).expect("a value");
    let doubled = guessed("request rate x 2").value.expect("a value");
    assert!((doubled / own - 2.0).abs() < 0.1, "{doubled} of {own}");
    // What is lost is lost before the outage is detected, however long it goes on.
    assert_eq!(guessed("outage length x 0.5").value, Some(own));
    assert!(report.guesses.iter().all(|effect| effect.instead.is_none()), "{:?}", report.guesses);
}

#[test]
fn what_cannot_be_met_says_what_comes_nearest() {
    let tune = r#"
        [[sweep.axis]]
        path = "gateway.health_check.interval"
        values = ["5s", "10s", "20s"]
        [tune]
        minimize = "failed_count"
        subject_to = ["failed_count <= 10"]
    "#;
    let (_folder, experiment) = experiment(tune, &[("hang", HANG)]);
    let sweep = experiment.sweep.as_ref().expect("a sweep");
    let space = Space { sweep, scenarios: &experiment.scenarios };
    let field = Field::new(space, experiment.tune.as_ref().expect("a question"), &PLAN, &());
    let error = tune_error(analysis::tune(field, 20, "Which?", 1));
    for words in ["none of 3 candidates", "interval = \"5s\"", "failed_count <= 10", "the best misses it by"]
    {
        assert!(error.contains(words), "{error}");
    }
}

fn tune_error(result: Result<Report, TuneError>) -> String {
    result.map(|report| format!("{report:?}")).expect_err("nothing is good enough").to_string()
}
