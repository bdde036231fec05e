//! Scenarios are compared in pairs that see the same random numbers.

use failover_sim::experiment::baseline::Difference;
use failover_sim::experiment::runner::RunPlan;
use failover_sim::metrics::{Outcome, Wanted, metric};
use failover_sim::scenario::Loader;
use std::path::PathBuf;

fn outcomes(name: &str, seed: u64) -> Vec<Outcome> {
    let path = PathBuf::from(format!("experiments/01_incident_3am/{name}.toml"));
    let model = Loader::new().open(&path).and_then(|document| document.model()).expect("a valid scenario");
    let plan = RunPlan { seed, runs: 0..30, wanted: Wanted::COUNTS, path: None };
    plan.play(&[model], &()).expect("nobody stops it").swap_remove(0)
}

/// How wide the interval of the difference in failed requests is.
fn width(scenario: &[Outcome], baseline: &[Outcome]) -> f64 {
    let difference = Difference::of_all(metric("failed_count").expect("a metric"), &[scenario], baseline);
    let interval = difference[0].interval.expect("enough runs");
    interval.high - interval.low
}

/// As wide as with runs of another seed, and how many times narrower in pairs. The phase of the probes is the same, which is
/// most of what differs between runs of one scenario; it counts for nothing between scenarios of different intervals.
#[test]
fn common_random_numbers_narrow_the_interval() {
    for (baseline, scenario, times) in [
        ("any_phase_60s", "poisson_60s", 15.0),
        ("poisson_60s", "in_flight_60s", 15.0),
        ("any_phase_5s", "in_flight_5s", 3.0),
        ("any_phase_60s", "any_phase_5s", 1.0),
    ] {
        let before = outcomes(baseline, 1);
        let paired = width(&outcomes(scenario, 1), &before);
        let independent = width(&outcomes(scenario, 2), &before);
        assert!(paired * times < independent, "{scenario}: {paired} paired, {independent} independent");
    }
}
