//! How tests make models and play runs.

use failover_sim::engine::Path;
use failover_sim::metrics::{Outcome, Wanted, measure};
use failover_sim::model::Model;
use failover_sim::scenario::Loader;

/// The model of a scenario that is written in the test.
pub fn model(toml: &str) -> Model {
    let document = Loader::new().parse("test", toml).unwrap_or_else(|p| panic!("{}", p.render(false)));
    document.model().unwrap_or_else(|p| panic!("{}\n{toml}", p.render(false)))
}

/// Runs 0 to `runs`, on the fastest exact path.
pub fn outcomes(model: &Model, runs: u64) -> Vec<Outcome> {
    (0..runs).map(|run| measure(model, 1, run, Wanted::default(), None)).collect()
}

/// One run with everything recorded, on the given path.
pub fn on_path(model: &Model, path: Path, seed: u64, run: u64) -> Outcome {
    measure(model, seed, run, Wanted { series: true, timeline: true }, Some(path))
}

/// Asserts that values have this mean, and this variance if given, to within four standard errors.
///
/// Seeds are fixed, so a test that passes always does; four standard errors leave no room for a wrong formula.
#[track_caller]
pub fn assert_moments(what: &str, values: &[f64], mean: f64, variance: Option<f64>) {
    let n = values.len() as f64;
    let sample_mean = values.iter().sum::<f64>() / n;
    let deviations = values.iter().map(|v| v - sample_mean);
    let sample_variance = deviations.clone().map(|d| d * d).sum::<f64>() / (n - 1.0);
    let standard_error = (sample_variance / n).sqrt();
    assert!(
        (sample_mean - mean).abs() <= 4.0 * standard_error + 1e-6,
        "{what}: mean {sample_mean}, expected {mean}, standard error {standard_error}"
    );
    if let Some(variance) = variance {
        let fourth = deviations.map(|d| d.powi(4)).sum::<f64>() / n;
        let standard_error = ((fourth - sample_variance * sample_variance) / n).sqrt();
        assert!(
            (sample_variance - variance).abs() <= 4.0 * standard_error + 1e-6,
            "{what}: variance {sample_variance}, expected {variance}, standard error {standard_error}"
        );
    }
}
