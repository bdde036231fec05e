//! How long a retry waits.

use crate::model::{Answer, Backoff, BackoffGrowth, Jitter, Retry};
use crate::random::Key;
use crate::time::SimDuration;

impl Retry {
    /// How long to wait before the `nth` retry, after an answer with this Retry-After; `None` if that asks for more than
    /// is heeded.
    pub(super) fn wait(
        &self,
        answer: Answer,
        retry_after: Option<SimDuration>,
        nth: u32,
        previous: SimDuration,
        key: Key,
    ) -> Option<SimDuration> {
        match retry_after.filter(|_| self.retry_after.is_some()) {
            Some(asked_for) => (Some(asked_for) <= self.retry_after).then_some(asked_for),
            None if self.at_once_on.contains(answer) => Some(SimDuration::ZERO),
            None => Some(self.backoff.wait(nth, previous, key)),
        }
    }
}

impl Backoff {
    /// The wait before the `nth` retry, from 1, where the one before waited `previous`; that is zero for the first.
    /// Jitter is the one uniform draw of `key`.
    ///
    /// Delays that are given one by one are not held to `max`, but jitter applies to them. Decorrelated jitter knows
    /// the base, the longest wait and `previous` only. What would be longer than [`SimDuration::MAX`] is that.
    pub(super) fn wait(&self, nth: u32, previous: SimDuration, key: Key) -> SimDuration {
        match self.jitter {
            Jitter::None => self.before_jitter(nth),
            Jitter::Full => self.before_jitter(nth).scaled(key.unit()),
            Jitter::Equal => {
                let wait = self.before_jitter(nth);
                let half = SimDuration::from_nanos(wait.as_nanos() / 2);
                between(half, wait, key)
            }
            Jitter::Decorrelated => {
                // A retry that was made at once leaves no wait to grow from: the series starts afresh.
                let previous = previous.max(self.base);
                let upper = SimDuration::from_nanos(previous.as_nanos().saturating_mul(3));
                between(self.base, upper, key).min(self.max)
            }
            Jitter::Plus(most) => self.before_jitter(nth).plus(most.scaled(key.unit())),
            Jitter::Times(width) => self.before_jitter(nth).scaled(1.0 - width + 2.0 * width * key.unit()),
        }
    }

    fn before_jitter(&self, nth: u32) -> SimDuration {
        let before = nth.saturating_sub(1);
        if let Some(last) = self.delays.last() {
            return *self.delays.get(before as usize).unwrap_or(last);
        }
        let grown = match self.growth {
            BackoffGrowth::Constant => self.base,
            BackoffGrowth::Linear => {
                SimDuration::from_nanos(self.base.as_nanos().saturating_mul(u64::from(before) + 1))
            }
            BackoffGrowth::Exponential(factor) => self.base.scaled(power(factor, before)),
        };
        grown.min(self.max)
    }
}

/// Uniform from `lower` to `upper`.
fn between(lower: SimDuration, upper: SimDuration, key: Key) -> SimDuration {
    let width = SimDuration::from_nanos(upper.as_nanos().saturating_sub(lower.as_nanos()));
    lower.plus(width.scaled(key.unit()))
}

/// `factor` to the power of `exponent` by squaring, infinite where too large. `f64::powi` differs between machines.
fn power(factor: f64, exponent: u32) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, factor, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: SimDuration = SimDuration::from_secs(1);

    fn backoff(growth: BackoffGrowth, jitter: Jitter) -> Backoff {
        Backoff { delays: Vec::new(), base: SECOND, growth, max: SimDuration::MAX, jitter }
    }

    fn key(number: u64) -> Key {
        Key::for_run(7, number)
    }

    fn without_jitter(backoff: &Backoff, nth: u32) -> f64 {
        backoff.wait(nth, SimDuration::ZERO, key(0)).as_secs_f64()
    }

    /// Holds the mean and the variance of many draws against what they should be, within four standard errors.
    fn assert_moments(mean: f64, variance: f64, draw: impl Fn(u64) -> SimDuration) {
        let n = 200_000;
        let xs: Vec<f64> = (0..n).map(|i| draw(i).as_secs_f64()).collect();
        let n = n as f64;
        let moment = |power: i32| xs.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
        let off = xs.iter().sum::<f64>() / n - mean;
        assert!(off.abs() < 4.0 * (variance / n).sqrt(), "the mean is off by {off} of {mean}");
        let off = moment(2) - variance;
        let error = ((moment(4) - variance * variance) / n).sqrt();
        assert!(off.abs() < 4.0 * error, "the variance is off by {off} of {variance}");
    }

    #[test]
    fn waits_grow_as_told_up_to_the_longest() {
        let waits = |growth, max| {
            let backoff = Backoff { max, ..backoff(growth, Jitter::None) };
            [1, 2, 3, 4].map(|nth| without_jitter(&backoff, nth))
        };
        assert_eq!(waits(BackoffGrowth::Constant, SimDuration::MAX), [1.0, 1.0, 1.0, 1.0]);
        assert_eq!(waits(BackoffGrowth::Linear, SimDuration::MAX), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(waits(BackoffGrowth::Exponential(1.5), SimDuration::MAX), [1.0, 1.5, 2.25, 3.375]);
        assert_eq!(waits(BackoffGrowth::Linear, SimDuration::from_secs(2)), [1.0, 2.0, 2.0, 2.0]);
        assert_eq!(waits(BackoffGrowth::Exponential(2.0), SimDuration::from_secs(5)), [1.0, 2.0, 4.0, 5.0]);
    }

    #[test]
    fn no_number_of_retries_is_too_large() {
        for growth in
            [BackoffGrowth::Linear, BackoffGrowth::Exponential(2.0), BackoffGrowth::Exponential(1e300)]
        {
            let mut far = Backoff { base: SimDuration::from_secs(10_000), ..backoff(growth, Jitter::None) };
            assert_eq!(far.wait(u32::MAX, SimDuration::ZERO, key(0)), SimDuration::MAX, "{growth:?}");
            far.jitter = Jitter::Plus(SECOND);
            assert_eq!(far.wait(u32::MAX, SimDuration::ZERO, key(0)), SimDuration::MAX, "{growth:?}");
            let none = Backoff { base: SimDuration::ZERO, ..backoff(growth, Jitter::None) };
            assert_eq!(none.wait(u32::MAX, SimDuration::ZERO, key(0)), SimDuration::ZERO, "{growth:?}");
        }
        assert_eq!(power(1.0, u32::MAX), 1.0);
        let decorrelated = backoff(BackoffGrowth::Constant, Jitter::Decorrelated);
        assert!(decorrelated.wait(9, SimDuration::MAX, key(0)) >= SECOND);
    }

    #[test]
    fn the_last_of_the_given_delays_repeats_and_none_is_capped() {
        let delays = [3, 1, 2].map(SimDuration::from_secs).to_vec();
        let mut given = Backoff { delays, max: SECOND, ..backoff(BackoffGrowth::Linear, Jitter::None) };
        assert_eq!([1, 2, 3, 4, 1000].map(|nth| without_jitter(&given, nth)), [3.0, 1.0, 2.0, 2.0, 2.0]);
        given.jitter = Jitter::Full;
        assert_moments(1.5, 9.0 / 12.0, |i| given.wait(1, SimDuration::ZERO, key(i)));
    }

    #[test]
    fn jitter_has_the_moments_of_its_law() {
        // The third wait of an exponential backoff, x = 4.
        let draws = |jitter| {
            let backoff = backoff(BackoffGrowth::Exponential(2.0), jitter);
            move |i| backoff.wait(3, SimDuration::from_secs(2), key(i))
        };
        assert_moments(2.0, 16.0 / 12.0, draws(Jitter::Full));
        assert_moments(3.0, 4.0 / 12.0, draws(Jitter::Equal));
        assert_moments(5.5, 9.0 / 12.0, draws(Jitter::Plus(SimDuration::from_secs(3))));
        // gRPC: from 0.8 to 1.2 times.
        assert_moments(4.0, 1.6 * 1.6 / 12.0, draws(Jitter::Times(0.2)));
    }

    #[test]
    fn decorrelated_waits_have_the_moments_of_their_recursion() {
        let backoff = backoff(BackoffGrowth::Constant, Jitter::Decorrelated);
        let nth_wait = |i, n: u32| {
            (1..=n).fold(SimDuration::ZERO, |previous, nth| {
                backoff.wait(nth, previous, key(i).numbered(u64::from(nth)))
            })
        };
        let (mut mean, mut square) = (1.0, 1.0);
        for n in 1..=4 {
            // Of U(1, 3s): the mean square is (1 + 3s + 9s²) / 3.
            square = 1.0 / 3.0 + mean + 3.0 * square;
            mean = 2.0 * 1.5f64.powi(n as i32) - 1.0;
            assert_moments(mean, square - mean * mean, |i| nth_wait(i, n));
        }
    }

    #[test]
    fn decorrelated_waits_keep_to_the_longest() {
        let max = SimDuration::from_secs(2);
        let backoff = Backoff { max, ..backoff(BackoffGrowth::Constant, Jitter::Decorrelated) };
        let waits: Vec<_> = (0..1000).map(|i| backoff.wait(2, max, key(i))).collect();
        assert!(waits.iter().all(|wait| (SECOND..=max).contains(wait)));
        // From U(1, 6), four in five are beyond it; the standard error is 0.0126.
        let capped = waits.iter().filter(|wait| **wait == max).count() as f64 / 1000.0;
        assert!((capped - 0.8).abs() < 4.0 * 0.0126, "{capped}");
    }

    /// Envoy: the n-th retry waits U{0..min(2^(n-1) B, 10 B)}, with B = 25 ms.
    #[test]
    fn full_jitter_over_powers_of_two_is_envoys() {
        let envoy = Backoff {
            base: SimDuration::from_millis(25),
            max: SimDuration::from_millis(250),
            ..backoff(BackoffGrowth::Exponential(2.0), Jitter::Full)
        };
        for (nth, upper) in [(1, 0.025), (2, 0.05), (3, 0.1), (4, 0.2), (5, 0.25), (6, 0.25)] {
            assert_moments(upper / 2.0, upper * upper / 12.0, |i| {
                let wait = envoy.wait(nth, SimDuration::ZERO, key(i));
                assert!(wait.as_secs_f64() <= upper);
                wait
            });
        }
    }
}
