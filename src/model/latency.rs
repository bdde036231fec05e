//! How long an answer takes.

use crate::random::{self, Key, UnitExponential, UnitNormal};
use crate::time::SimDuration;
use rand_distr::Distribution;

/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_840_8;

/// The standard deviation of the logarithm of what has these percentiles; `None` unless 0 < `p50` <= `p99`.
pub(super) fn lognormal_sigma(p50: f64, p99: f64) -> Option<f64> {
    (p50 > 0.0 && p99 >= p50).then(|| libm::log(p99 / p50) / NORMAL_P99)
}

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
        let sigma = lognormal_sigma(p50.as_nanos() as f64, p99.as_nanos() as f64)?;
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

    /// Where the draw of `key` stands among all draws, on 64 bits: one of a higher rank is no shorter, but for what
    /// rounding makes of it, which is less than 1e-9 of the latency.
    #[inline(always)]
    pub fn rank(&self, key: Key) -> u64 {
        let bits = key.rng().next();
        match self {
            Latency::LogNormal { .. } => UnitNormal::rank(bits),
            Latency::Constant(_) | Latency::Exponential { .. } => bits,
        }
    }

    /// The draw of this rank.
    pub fn of_rank(&self, rank: u64) -> SimDuration {
        let bits = match self {
            Latency::LogNormal { .. } => UnitNormal::rank(rank),
            Latency::Constant(_) | Latency::Exponential { .. } => rank,
        };
        self.draw(Key::of_bits(bits))
    }

    /// No draw is longer than this; the longest that there is comes close, and where nothing is random it is this.
    pub fn longest(&self) -> SimDuration {
        // The rarest draws: the exponential's has 53 bits, the normal's 64 and one half.
        const EXPONENTIAL: f64 = 36.736_800_569_677_1;
        const NORMAL: f64 = 9.155_293_772_686_074;
        match *self {
            Latency::Constant(latency) => latency,
            Latency::Exponential { mean } => mean.scaled(EXPONENTIAL),
            Latency::LogNormal { p50, sigma: 0.0 } => p50,
            // The little more makes up for what `random::exp` rounds.
            Latency::LogNormal { p50, sigma } => p50.scaled(libm::exp(sigma * NORMAL) * (1.0 + 1e-8)),
        }
    }

    /// The latency that about one draw in a thousand exceeds.
    pub fn long(&self) -> SimDuration {
        const NORMAL_P999: f64 = 3.090_232_306_167_813_5;
        match *self {
            Latency::Constant(latency) => latency,
            Latency::Exponential { mean } => mean.scaled(std::f64::consts::LN_10 * 3.0),
            Latency::LogNormal { p50, sigma } => p50.scaled(libm::exp(sigma * NORMAL_P999)),
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

    #[test]
    fn no_draw_is_longer_than_the_longest() {
        let p50 = SimDuration::from_millis(800);
        for latency in [
            Latency::Constant(p50),
            Latency::Exponential { mean: p50 },
            Latency::LogNormal { p50, sigma: 0.0 },
            Latency::LogNormal { p50, sigma: 0.5 },
            Latency::LogNormal { p50, sigma: 3.0 },
        ] {
            let draws = (0..10_000).map(|i| latency.draw(Key::for_run(1, 0).numbered(i)));
            let longer = draws.filter(|draw| *draw > latency.long()).count();
            assert!(!latency.is_random() || (1..40).contains(&longer), "{latency:?}: {longer}");
            assert!(latency.is_random() || latency.longest() == p50, "{latency:?}");
            for i in 0..1000 {
                let key = Key::for_run(1, 1).numbered(i);
                assert_eq!(latency.of_rank(latency.rank(key)), latency.draw(key));
            }
            assert!((0..=4096).map(|i: u64| latency.of_rank(i.saturating_mul(1 << 52))).is_sorted());
            // The draws of the bits that lie furthest out.
            for bits in [u64::MAX, 1 << 63, (1 << 63) + 1, u64::MAX << 11] {
                let rarest = latency.draw(Key::of_bits(bits));
                assert!(rarest <= latency.longest(), "{latency:?}: {rarest} {}", latency.longest());
            }
            let rarest = [u64::MAX, 1 << 63].map(|bits| latency.draw(Key::of_bits(bits))).into_iter().max();
            assert!(rarest.unwrap().scaled(1.000_001) >= latency.longest(), "{latency:?}");
        }
    }
}
