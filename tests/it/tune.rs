//! `tune` finds what can be computed by hand, with far fewer runs than a grid, and the same at any number of threads.

use failover_sim::experiment::file::Experiment;
use failover_sim::experiment::runner::RunPlan;
use failover_sim::experiment::tune::field::Field;
use failover_sim::experiment::tune::search::Search;
use failover_sim::experiment::tune::space::Space;
use failover_sim::metrics::Wanted;
use failover_sim::scenario::Loader;
use std::fs;
use tempfile::TempDir;

/// Requests come at 100 a second, and the preferred provider takes them and never answers for two minutes: from the
/// outage's start until the next probe has timed out, half an interval and the timeout on average, all are lost.
const HANG: &str = r#"
duration = "6m"
[traffic]
arrivals = { constant = "100/s" }
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
    100.0 * (interval / 2.0 + timeout)
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

/// Searches, and hands what was found to `check`.
fn search<T>(experiment: &Experiment, check: impl FnOnce(&Search) -> T) -> T {
    let sweep = experiment.sweep.as_ref().expect("a sweep");
    let tune = experiment.tune.as_ref().expect("a question");
    let space = Space { sweep, scenarios: &experiment.scenarios };
    let field = Field::new(space, tune, &PLAN, &());
    let search = Search::run(field, tune.runs.unwrap_or(experiment.runs));
    check(&search.unwrap_or_else(|error| panic!("{error}")))
}

/// A setting of a candidate in seconds.
fn seconds(search: &Search, candidate: usize, axis: usize) -> f64 {
    let value = search.field.candidate(candidate).values[axis].as_str().expect("a duration").to_owned();
    humantime::parse_duration(&value).expect("a duration").as_secs_f64()
}

#[test]
fn the_best_interval_is_the_shortest_that_the_probes_allow() {
    let (_folder, experiment) = experiment(
        r#"
        [sweep]
        axis = [{ path = "gateway.health_check.interval", range = { from = "1s", to = "60s" } }]
        [tune]
        minimize = "failed_count"
        subject_to = ["probe_per_day <= 20000"]
        "#,
        &[("hang", HANG)],
    );
    search(&experiment, |search| {
        let best = search.best()[0];
        let interval = seconds(search, best, 0);
        eprintln!(
            "{interval} {} {} {:?}",
            search.field.spent(),
            search.field.len(),
            search.contenders().iter().map(|c| seconds(search, *c, 0)).collect::<Vec<_>>()
        );
        assert!((interval - 8.64).abs() < 0.3, "{interval}");
    });
}
