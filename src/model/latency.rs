//! How long an answer takes.

use crate::random::{self, Key, UnitExponential, UnitNormal};
use crate::time::SimDuration;
use rand_distr::Distribution;

/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_840_8;

/// A distribution of latency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Latency {
    /// Always the same.
    Constant(SimDuration),
    /// Exponential with this mean.
    Exponential {
        /// The mean.
        mean: SimDuration,
    },
    /// Lognormal, given by two percentiles that people read off their dashboards.
    LogNormal {
        /// The median.
        p50: SimDuration,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
}

impl Latency {
    /// The lognormal distribution with these percentiles; `None` unless 0 < `p50` <= `p99`.
    ///
    /// Its logarithm has standard deviation ln(p99 / p50) / 2.326.
    pub fn lognormal(p50: SimDuration, p99: SimDuration) -> Option<Self> {
        if p50 == SimDuration::ZERO || p99 < p50 {
            return None;
        }
        let sigma = libm::log(p99.as_nanos() as f64 / p50.as_nanos() as f64) / NORMAL_P99;
        Some(Latency::LogNormal { p50, sigma })
    }

    /// The latency that belongs to `key`.
    #[inline]
    pub fn draw(&self, key: Key) -> SimDuration {
        match *self {
            Latency::Constant(latency) => latency,
            Latency::Exponential { mean } => mean.scaled(UnitExponential.sample(&mut key.rng())),
            Latency::LogNormal { p50, sigma } => {
                p50.scaled(random::exp(sigma * UnitNormal.sample(&mut key.rng())))
            }
        }
    }

    /// The latencies that belong to these keys, for less than one by one: no draw waits for another one's end.
    #[inline]
    pub fn draw_all<const N: usize>(&self, keys: &[Key; N]) -> [SimDuration; N] {
        let mut latencies = [SimDuration::ZERO; N];
        if let Latency::LogNormal { p50, sigma } = *self {
            let mut factors = [0.0; N];
            for (factor, key) in factors.iter_mut().zip(keys) {
                *factor = UnitNormal.sample(&mut key.rng());
            }
            factors.iter_mut().for_each(|factor| *factor = random::exp(sigma * *factor));
            for (latency, factor) in latencies.iter_mut().zip(factors) {
                *latency = p50.scaled(factor);
            }
        } else {
            for (latency, key) in latencies.iter_mut().zip(keys) {
                *latency = self.draw(*key);
            }
        }
        latencies
    }

    /// Whether two draws can differ.
    pub fn is_random(&self) -> bool {
        match self {
            Latency::Constant(_) => false,
            Latency::Exponential { mean } => *mean > SimDuration::ZERO,
            Latency::LogNormal { sigma, .. } => *sigma > 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lognormal_has_the_percentiles_it_was_given() {
        let latency =
            Latency::lognormal(SimDuration::from_millis(800), SimDuration::from_millis(3000)).unwrap();
        let mut draws: Vec<u64> =
            (0..100_000).map(|i| latency.draw(Key::for_run(1, 0).numbered(i)).as_nanos()).collect();
        draws.sort_unstable();
        let quantile = |q: f64| draws[(q * draws.len() as f64) as usize] as f64 / 1e6;
        assert!((quantile(0.5) / 800.0 - 1.0).abs() < 0.02, "{}", quantile(0.5));
        assert!((quantile(0.99) / 3000.0 - 1.0).abs() < 0.04, "{}", quantile(0.99));
        assert_eq!(Latency::lognormal(SimDuration::from_millis(2), SimDuration::from_millis(1)), None);
    }
}
