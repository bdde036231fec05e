//! How long an answer takes.

use crate::random::{self, Key, UnitExponential, UnitNormal};
use crate::time::SimDuration;
use rand_distr::Distribution;

/// The 95th and the 99th percentile of the standard normal distribution.
const NORMAL_P95: f64 = 1.644_853_626_951_472_2;
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
    /// A lognormal body and a lognormal tail that begins at the 95th percentile; made by [`Latency::percentiles`].
    Percentiles(Percentiles),
}

/// Latency whose logarithm is piecewise linear in a standard normal score, with one bend: at the 95th percentile.
///
/// What people measure of AI APIs has a tail that no lognormal has which fits its body: a p99 of seven times the median
/// beside a p95 of less than twice. The score is the one of [`Latency::LogNormal`], so a draw's rank stays what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    p50: SimDuration,
    /// The standard deviation of the logarithm, below the bend.
    body: f64,
    /// How much more it is above.
    bend: f64,
    /// What would take longer takes this.
    max: SimDuration,
}

impl Percentiles {
    /// The logarithm of the latency that belongs to a standard normal score, relative to the median.
    #[inline(always)]
    fn exponent(&self, score: f64) -> f64 {
        // Comparing selects, where `f64::max` would ask about NaN.
        let beyond = score - NORMAL_P95;
        self.body * score + self.bend * if beyond > 0.0 { beyond } else { 0.0 }
    }

    #[inline(always)]
    fn times(&self, factor: f64) -> SimDuration {
        self.p50.scaled(factor).min(self.max)
    }
}

impl Latency {
    /// The lognormal distribution with these percentiles; `None` unless 0 < `p50` <= `p99`.
    ///
    /// Its logarithm has standard deviation ln(p99 / p50) / 2.326.
    pub fn lognormal(p50: SimDuration, p99: SimDuration) -> Option<Self> {
        let sigma = lognormal_sigma(p50.as_nanos() as f64, p99.as_nanos() as f64)?;
        Some(Latency::LogNormal { p50, sigma })
    }

    /// The distribution with exactly these percentiles, where what would be above `max` is `max`; `None` unless
    /// 0 < `p50` <= `p95` <= `p99` <= `max`.
    ///
    /// Without `max` nothing bounds the tail, and a run of a million requests goes far beyond what anybody has measured.
    pub fn percentiles(
        p50: SimDuration,
        p95: SimDuration,
        p99: SimDuration,
        max: Option<SimDuration>,
    ) -> Option<Self> {
        let max = max.unwrap_or(SimDuration::MAX);
        if p50 == SimDuration::ZERO || p95 < p50 || p99 < p95 || max < p99 {
            return None;
        }
        let log_ratio =
            |high: SimDuration, low: SimDuration| libm::log(high.as_nanos() as f64 / low.as_nanos() as f64);
        let body = log_ratio(p95, p50) / NORMAL_P95;
        let tail = log_ratio(p99, p95) / (NORMAL_P99 - NORMAL_P95);
        Some(Latency::Percentiles(Percentiles { p50, body, bend: tail - body, max }))
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
            Latency::Percentiles(percentiles) => {
                let score = UnitNormal.sample(&mut key.rng());
                percentiles.times(random::exp(percentiles.exponent(score)))
            }
        }
    }

    /// Where the draw of `key` stands among all draws, on 64 bits: one of a higher rank is no shorter, but for what
    /// rounding makes of it, which is less than 1e-9 of the latency.
    #[inline(always)]
    pub fn rank(&self, key: Key) -> u64 {
        let bits = key.rng().next();
        match self {
            Latency::LogNormal { .. } | Latency::Percentiles(_) => UnitNormal::rank(bits),
            Latency::Constant(_) | Latency::Exponential { .. } => bits,
        }
    }

    /// The draw of this rank.
    pub fn of_rank(&self, rank: u64) -> SimDuration {
        let bits = match self {
            Latency::LogNormal { .. } | Latency::Percentiles(_) => UnitNormal::rank(rank),
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
            Latency::Percentiles(of) if !self.is_random() => of.p50,
            Latency::Percentiles(of) => of.times(libm::exp(of.exponent(NORMAL)) * (1.0 + 1e-8)),
        }
    }

    /// The latency that about one draw in a thousand exceeds.
    pub fn long(&self) -> SimDuration {
        const NORMAL_P999: f64 = 3.090_232_306_167_813_5;
        match *self {
            Latency::Constant(latency) => latency,
            Latency::Exponential { mean } => mean.scaled(std::f64::consts::LN_10 * 3.0),
            Latency::LogNormal { p50, sigma } => p50.scaled(libm::exp(sigma * NORMAL_P999)),
            Latency::Percentiles(of) => of.times(libm::exp(of.exponent(NORMAL_P999))),
        }
    }

    /// The mean, to about 1%: that of the draws in the middles of 256 classes of equal probability.
    pub fn mean(&self) -> SimDuration {
        const CLASSES: u64 = 256;
        let width = u64::MAX / CLASSES + 1;
        let middles = (0..CLASSES).map(|class| self.of_rank(class * width + width / 2).as_secs_f64());
        SimDuration::from_secs_f64(middles.sum::<f64>() / CLASSES as f64)
    }

    /// The latencies that belong to these keys, for less than one by one: no draw waits for another one's end.
    #[inline]
    pub fn draw_all<const N: usize>(&self, keys: &[Key; N]) -> [SimDuration; N] {
        match *self {
            Latency::LogNormal { p50, sigma } => {
                draw_normals(keys, |score| sigma * score, |factor| p50.scaled(factor))
            }
            Latency::Percentiles(of) => {
                draw_normals(keys, |score| of.exponent(score), |factor| of.times(factor))
            }
            Latency::Constant(_) | Latency::Exponential { .. } => keys.map(|key| self.draw(key)),
        }
    }

    /// Whether two draws can differ.
    pub fn is_random(&self) -> bool {
        match self {
            Latency::Constant(_) => false,
            Latency::Exponential { mean } => *mean > SimDuration::ZERO,
            Latency::LogNormal { sigma, .. } => *sigma > 0.0,
            Latency::Percentiles(Percentiles { body, bend, .. }) => *body > 0.0 || *bend > 0.0,
        }
    }
}

/// What these keys' standard normal scores make, step by step for all of them.
#[inline(always)]
fn draw_normals<const N: usize>(
    keys: &[Key; N],
    exponent: impl Fn(f64) -> f64,
    times: impl Fn(f64) -> SimDuration,
) -> [SimDuration; N] {
    let mut factors = [0.0; N];
    for (factor, key) in factors.iter_mut().zip(keys) {
        *factor = UnitNormal.sample(&mut key.rng());
    }
    factors.iter_mut().for_each(|factor| *factor = random::exp(exponent(*factor)));
    let mut latencies = [SimDuration::ZERO; N];
    for (latency, factor) in latencies.iter_mut().zip(factors) {
        *latency = times(factor);
    }
    latencies
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

    /// GPT-4o's time to first token as modelstats.ai published it: p50 639, p95 1144, p99 4517, max 7010 ms.
    fn measured(max: Option<u64>) -> Latency {
        let [p50, p95, p99] = [639, 1144, 4517].map(SimDuration::from_millis);
        Latency::percentiles(p50, p95, p99, max.map(SimDuration::from_millis)).unwrap()
    }

    #[test]
    fn body_and_tail_have_the_percentiles_they_were_given() {
        for max in [None, Some(7010)] {
            let latency = measured(max);
            // The draw of a rank is the quantile of its probability.
            let quantile = |q: f64| latency.of_rank((q * 2f64.powi(64)) as u64).as_millis_f64();
            for (q, expected) in [(0.5, 639.0), (0.95, 1144.0), (0.99, 4517.0)] {
                assert!((quantile(q) / expected - 1.0).abs() < 1e-6, "{q}: {}", quantile(q));
            }
            // Below the median it is the mirror image of the body.
            assert!((quantile(0.05) / (639.0 * 639.0 / 1144.0) - 1.0).abs() < 1e-6);
        }
        assert_eq!(measured(Some(7010)).longest(), SimDuration::from_millis(7010));
        assert!(measured(None).longest() > SimDuration::from_secs(3600));
        let millis = SimDuration::from_millis;
        let of = |p50, p95, p99, max: Option<u64>| {
            Latency::percentiles(millis(p50), millis(p95), millis(p99), max.map(millis))
        };
        for (p50, p95, p99, max) in [(0, 1, 2, None), (2, 1, 3, None), (1, 3, 2, None), (1, 2, 3, Some(2))] {
            assert_eq!(of(p50, p95, p99, max), None);
        }
        assert!(!of(5, 5, 5, None).unwrap().is_random());
        assert!(of(5, 5, 6, None).unwrap().is_random());
        assert!(of(5, 6, 6, None).unwrap().is_random());
    }

    /// On one line in the score, body and tail are one lognormal.
    #[test]
    fn without_a_bend_it_is_lognormal() {
        let millis = SimDuration::from_millis;
        let lognormal = Latency::lognormal(millis(800), millis(3000)).unwrap();
        let p95 = lognormal.of_rank((0.95 * 2f64.powi(64)) as u64);
        let percentiles = Latency::percentiles(millis(800), p95, millis(3000), None).unwrap();
        for i in 0..1000 {
            let key = Key::for_run(1, 0).numbered(i);
            let [a, b] = [lognormal, percentiles].map(|latency| latency.draw(key).as_nanos() as f64);
            assert!((a / b - 1.0).abs() < 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn the_mean_is_known_to_a_percent() {
        let second = SimDuration::from_secs(1);
        for (latency, mean) in [
            (Latency::Constant(second), 1.0),
            (Latency::Exponential { mean: second }, 1.0),
            (Latency::LogNormal { p50: second, sigma: 0.0 }, 1.0),
            // exp(sigma^2 / 2).
            (Latency::LogNormal { p50: second, sigma: 0.6 }, libm::exp(0.18)),
        ] {
            assert!(
                (latency.mean().as_secs_f64() / mean - 1.0).abs() < 0.01,
                "{latency:?}: {}",
                latency.mean()
            );
        }
    }

    #[test]
    fn no_draw_is_longer_than_the_longest() {
        let p50 = SimDuration::from_millis(800);
        let flat = SimDuration::from_millis(1600);
        for latency in [
            measured(None),
            measured(Some(60_000)),
            measured(Some(4517)),
            // A tail that is flatter than the body, and none at all.
            Latency::percentiles(p50, flat, SimDuration::from_millis(1700), None).unwrap(),
            Latency::percentiles(p50, p50, flat, None).unwrap(),
            Latency::percentiles(p50, p50, p50, None).unwrap(),
            Latency::Constant(p50),
            Latency::Exponential { mean: p50 },
            Latency::LogNormal { p50, sigma: 0.0 },
            Latency::LogNormal { p50, sigma: 0.5 },
            Latency::LogNormal { p50, sigma: 3.0 },
        ] {
            let draws = (0..10_000).map(|i| latency.draw(Key::for_run(1, 0).numbered(i)));
            let longer = draws.filter(|draw| *draw > latency.long()).count();
            let is_cut = latency.long() == latency.longest();
            assert!(!latency.is_random() || is_cut || (1..40).contains(&longer), "{latency:?}: {longer}");
            assert!(latency.is_random() || latency.longest() == p50, "{latency:?}");
            for i in 0..1000 {
                let keys = [i, i + 1].map(|i| Key::for_run(1, 1).numbered(i));
                assert_eq!(latency.of_rank(latency.rank(keys[0])), latency.draw(keys[0]));
                assert_eq!(latency.draw_all(&keys), keys.map(|key| latency.draw(key)));
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
