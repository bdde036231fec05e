//! How fast providers read prompts and write answers.

use super::latency::lognormal_sigma;
use crate::random::{self, Key, UnitNormal};
use crate::time::{SimDuration, SimTime};
use rand_distr::Distribution;

/// How fast a provider reads prompts and writes answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generation {
    /// Tokens of a prompt that it reads in a second, before the first token comes; above zero. `None` if a prompt's length
    /// does not matter.
    pub prompt_per_second: Option<f64>,
    /// Tokens of an answer that it writes in a second, after the first one came; the median; above zero.
    pub per_second: f64,
    /// The speed of an answer is lognormal: the standard deviation of its logarithm; zero or more.
    pub sigma: f64,
    /// How the speed of all answers goes up and down together; `None` if it does not.
    pub drift: Option<Drift>,
}

/// The speed of all answers of a provider is multiplied by a factor that stays for a while, and then is another one: what
/// the load of others does to a shared service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// How long it stays; above zero.
    pub every: SimDuration,
    /// It is lognormal with a median of 1: the standard deviation of its logarithm; zero or more.
    pub sigma: f64,
}

const SPEED: Key = Key::purpose("tokens per second");
const DRIFT: Key = Key::purpose("drift of tokens per second");

/// A lognormal factor with a median of 1.
fn factor(sigma: f64, key: Key) -> f64 {
    random::exp(sigma * UnitNormal.sample(&mut key.rng()))
}

/// The standard deviation of the logarithm of a lognormal speed, of which one draw in 100 is below `p1`; `None` unless
/// 0 < `p1` <= `p50`.
pub fn speed_sigma(p50: f64, p1: f64) -> Option<f64> {
    // Slowness has its 99th percentile where speed has its first.
    lognormal_sigma(p1, p50)
}

impl Generation {
    /// Always the same speed, whatever the prompt.
    pub fn new(per_second: f64) -> Self {
        Generation { prompt_per_second: None, per_second, sigma: 0.0, drift: None }
    }

    /// How much later the first token comes for so long a prompt.
    pub fn reads(&self, input_tokens: u32) -> SimDuration {
        let takes = |per_second| SimDuration::from_secs_f64(f64::from(input_tokens) / per_second);
        self.prompt_per_second.map_or(SimDuration::ZERO, takes)
    }

    /// How long it writes an answer of so many tokens to the attempt with this key, sent at `sent`; `provider` is the
    /// provider's key in this run.
    pub fn writes(&self, output_tokens: u32, attempt: Key, provider: Key, sent: SimTime) -> SimDuration {
        let mut per_second = self.per_second;
        if self.sigma > 0.0 {
            per_second *= factor(self.sigma, attempt.joined(SPEED));
        }
        if let Some(Drift { every, sigma }) = self.drift {
            let number = sent.as_nanos() / every.as_nanos().max(1);
            per_second *= factor(sigma, provider.joined(DRIFT).numbered(number));
        }
        SimDuration::from_secs_f64(f64::from(output_tokens) / per_second)
    }

    /// What this many tokens, on average, take at the median speed.
    pub fn usually_takes(&self, input_tokens: f64, output_tokens: f64) -> SimDuration {
        let reads = self.prompt_per_second.map_or(0.0, |per_second| input_tokens / per_second);
        SimDuration::from_secs_f64(reads + output_tokens / self.per_second)
    }

    /// Whether two answers of as many tokens can take different times.
    pub fn is_random(&self) -> bool {
        self.sigma > 0.0 || self.drift.is_some_and(|drift| drift.sigma > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Key = Key::for_run(1, 0);
    const PROVIDER: Key = RUN.named("a");

    fn speeds(generation: &Generation, gap_ms: u64) -> Vec<f64> {
        let at = |i| SimTime::START.after(SimDuration::from_millis(i * gap_ms));
        let takes = |i: u64| generation.writes(600, RUN.numbered(i), PROVIDER, at(i)).as_secs_f64();
        (0..20_000).map(|i| 600.0 / takes(i)).collect()
    }

    fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
        values.sort_by(f64::total_cmp);
        values[(q * values.len() as f64) as usize]
    }

    #[test]
    fn answers_are_written_at_a_speed_of_their_own() {
        assert_eq!(speed_sigma(80.0, 81.0), None);
        let sigma = speed_sigma(80.0, 20.0).unwrap();
        let speeds = speeds(&Generation { sigma, ..Generation::new(80.0) }, 0);
        assert!((quantile(speeds.clone(), 0.5) / 80.0 - 1.0).abs() < 0.02);
        assert!((quantile(speeds, 0.01) / 20.0 - 1.0).abs() < 0.06);
    }

    #[test]
    fn what_drifts_is_the_same_for_all_for_a_while() {
        let sigma = speed_sigma(1.0, 0.5).unwrap();
        let drift = Some(Drift { every: SimDuration::from_secs(30), sigma });
        let speeds = speeds(&Generation { drift, ..Generation::new(80.0) }, 100);
        // 300 answers in each stretch of 30 s.
        let stretches: Vec<&[f64]> = speeds.chunks(300).collect();
        assert!(stretches.iter().all(|stretch| stretch.iter().all(|speed| speed == &stretch[0])));
        assert!(stretches.windows(2).all(|two| two[0][0] != two[1][0]));
        let logs: Vec<f64> = stretches.iter().map(|stretch| libm::log(stretch[0] / 80.0)).collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        // Four standard errors.
        assert!(mean.abs() < 4.0 * sigma / (logs.len() as f64).sqrt(), "{mean}");
    }
}
