//! How tests make models and play runs.

use failover_sim::engine::{
    AttemptEnd, Candidate, Ending, HealthChange, Path, ProbeEnd, Recorder, RequestEnd, simulate,
};
use failover_sim::metrics::{Outcome, Series, Wanted, measure};
use failover_sim::model::{Model, ProviderId};
use failover_sim::scenario::Loader;
use failover_sim::time::SimTime;

/// The model of a scenario that is written in the test.
pub fn model(toml: &str) -> Model {
    let document = Loader::new().parse("test", toml).unwrap_or_else(|p| panic!("{}", p.render(false)));
    document.model().unwrap_or_else(|p| panic!("{}\n{toml}", p.render(false)))
}

/// Runs 0 to `runs`, on the fastest exact path.
pub fn outcomes(model: &Model, runs: u64) -> Vec<Outcome> {
    (0..runs).map(|run| measure(model, 1, run, Wanted::METRICS, None)).collect()
}

/// One run with everything recorded, on the given path.
pub fn on_path(model: &Model, path: Path, seed: u64, run: u64) -> Outcome {
    measure(model, seed, run, Wanted { latency: true, series: Series::All, timeline: true }, Some(path))
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

/// Everything that one run reports, each in order.
#[derive(Debug, Default)]
pub struct Log {
    pub requests: Vec<RequestEnd>,
    /// Attempts by the request, the provider and when they were sent; what follows is known of those that ended.
    pub sent: Vec<(u64, ProviderId, SimTime)>,
    pub attempts: Vec<AttemptEnd>,
    pub probes: Vec<ProbeEnd>,
    pub changes: Vec<HealthChange>,
}

impl Recorder for Log {
    const NEEDS_ORDER: bool = true;
    const NEEDS_ATTEMPTS: bool = true;

    fn request_ended(&mut self, request: &RequestEnd) {
        self.requests.push(*request);
    }
    fn probe_ended(&mut self, probe: &ProbeEnd) {
        self.probes.push(*probe);
    }
    fn health_changed(&mut self, change: &HealthChange) {
        self.changes.push(*change);
    }
    fn attempt_sent(&mut self, request: u64, _: u32, to: ProviderId, _: &[Candidate], at: SimTime) {
        self.sent.push((request, to, at));
    }
    fn attempt_ended(&mut self, attempt: &AttemptEnd) {
        self.attempts.push(*attempt);
    }
}

impl Log {
    /// One run of the scenario.
    pub fn of(toml: &str, run: u64) -> Log {
        Log::of_model(&model(toml), run)
    }

    /// One run of the model.
    pub fn of_model(model: &Model, run: u64) -> Log {
        let mut log = Log::default();
        simulate(model, 1, run, &mut log);
        log
    }

    /// When the first provider, by name, was ejected and when it was admitted again, in milliseconds.
    pub fn ejections_ms(&self) -> (Vec<f64>, Vec<f64>) {
        let of_first = self.changes.iter().filter(|change| change.provider.index() == 0);
        let (admitted, ejected): (Vec<_>, Vec<_>) = of_first.partition(|change| change.admitted);
        let times = |changes: Vec<&HealthChange>| changes.iter().map(|c| c.at.as_millis_f64()).collect();
        (times(ejected), times(admitted))
    }

    /// How many attempts were sent to the first provider.
    pub fn attempts_at_first(&self) -> usize {
        self.sent.iter().filter(|(_, provider, _)| provider.index() == 0).count()
    }

    /// How many requests failed.
    pub fn failed(&self) -> usize {
        self.requests.iter().filter(|r| matches!(r.ending, Ending::Failed(..))).count()
    }

    /// What a request's attempts went to, first to last, by the order of the providers' names: `"aab"`.
    pub fn path(&self, request: u64) -> String {
        let of_it = self.sent.iter().filter(|(ordinal, ..)| *ordinal == request);
        of_it.map(|(_, provider, _)| char::from(b'a' + provider.index() as u8)).collect()
    }

    /// How long each request took, in seconds, in order of arrival.
    pub fn durations(&self) -> Vec<f64> {
        let mut requests = self.requests.clone();
        requests.sort_by_key(|request| request.ordinal);
        requests.iter().map(|request| request.ended.since(request.arrived).as_secs_f64()).collect()
    }
}
