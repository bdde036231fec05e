//! The mix: what a statistic is over situations of which nobody knows the next, each with its weight.
//!
//! An estimate keeps a pseudo-value for each run, so that means and quantiles are compared in the same way: two
//! candidates saw the same random numbers in the same run, and what they differ by, run by run, has a narrow interval.

use crate::experiment::distribution::{student_t, student_t_two_sided};
use crate::experiment::statistics::{Interval, Statistic, Summary};

/// A statistic over a mix, with what each run has to do with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The statistic; infinite where a run has no value, which is worse than any.
    pub value: f64,
    /// By run: their mean is the statistic, and their scatter that of its error.
    pub pseudo: Vec<f64>,
}

/// What one scenario has in a mix.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Above zero.
    pub weight: f64,
    /// By run.
    pub values: &'a [f64],
}

impl Estimate {
    /// A number that is known exactly.
    pub fn exact(value: f64, runs: usize) -> Self {
        Estimate { value, pseudo: vec![value; runs] }
    }

    /// A statistic over a mix of scenarios: the weighted mean, or the quantile of all runs together, weighted.
    ///
    /// With one scenario the value is that of [`Summary`].
    ///
    /// # Panics
    /// If there is no part, or no run, or the statistic is neither the mean nor a quantile.
    pub fn of(statistic: Statistic, parts: &[Part]) -> Self {
        let runs = parts.iter().map(|part| part.values.len()).min().expect("a mix has a scenario");
        let sum: f64 = parts.iter().map(|part| part.weight).sum();
        let alone = |part: &Part| {
            let summary = Summary::of(part.values[..runs].iter().copied().map(Some));
            summary.value(statistic).expect("there is a run")
        };
        let Some(q) = statistic.quantile() else {
            assert!(statistic == Statistic::Mean, "a mix has means and quantiles");
            let run = |run| parts.iter().map(|part| part.weight / sum * part.values[run]).sum();
            let value = parts.iter().map(|part| part.weight / sum * alone(part)).sum();
            return Estimate { value, pseudo: (0..runs).map(run).collect() };
        };
        let mut estimate = of_quantile(q, parts, runs, sum);
        if let [only] = parts
            && estimate.value.is_finite()
        {
            // To the last bit, whichever way the same quantile is computed.
            estimate.value = alone(only);
        }
        estimate
    }

    /// How far it scatters over runs.
    pub fn scatter(&self) -> Scatter {
        Scatter::of(self.pseudo.iter().copied())
    }

    /// The interval that leaves out a chance of `tail` on both sides together.
    pub fn interval(&self, tail: f64) -> Interval {
        self.scatter().interval(tail)
    }

    /// The same, times a factor, plus an offset.
    #[must_use]
    pub fn scaled(mut self, factor: f64, offset: f64) -> Self {
        for value in self.pseudo.iter_mut().chain([&mut self.value]) {
            *value = factor * *value + offset;
        }
        self
    }
}

/// Numbers, one for each run, and how far they scatter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scatter {
    /// How many.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their variance, by n - 1.
    pub variance: f64,
}

impl Scatter {
    /// The scatter of these.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let n = values.clone().count();
        let mean = values.clone().sum::<f64>() / n as f64;
        let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
        // The same number in every run is exact; its mean may be rounded.
        let is_noise = squares <= n as f64 * (1e-12 * mean) * (1e-12 * mean);
        let variance = if is_noise { 0.0 } else { squares / (n as f64 - 1.0) };
        Scatter { n, mean, variance }
    }

    /// What one estimate differs by from another, run by run, as far as both have been played.
    pub fn of_difference(estimate: &Estimate, from: &Estimate) -> Self {
        Scatter::of(estimate.pseudo.iter().zip(&from.pseudo).map(|(one, other)| one - other))
    }

    /// Of the mean.
    pub fn standard_error(&self) -> f64 {
        if self.n < 2 || !self.variance.is_finite() {
            return f64::INFINITY;
        }
        libm::sqrt(self.variance / self.n as f64)
    }

    /// Whether the mean is above zero, but for a chance of `tail`: whether [`Self::interval`] is. What the interval
    /// costs to compute, it costs by finding how far it goes.
    pub fn is_above_zero(&self, tail: f64) -> bool {
        match self.standard_error() {
            error if !error.is_finite() || self.mean <= 0.0 => false,
            0.0 => true,
            error => student_t_two_sided(self.mean / error, (self.n - 1) as f64) < tail,
        }
    }

    /// The same of the negative.
    pub fn is_below_zero(&self, tail: f64) -> bool {
        Scatter { mean: -self.mean, ..*self }.is_above_zero(tail)
    }

    /// The interval of the mean, by Student's t, that leaves out a chance of `tail` on both sides together.
    pub fn interval(&self, tail: f64) -> Interval {
        let error = self.standard_error();
        if !error.is_finite() {
            return Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };
        }
        let half = if error == 0.0 { 0.0 } else { student_t(tail, (self.n - 1) as f64) * error };
        Interval { low: self.mean - half, high: self.mean + half }
    }
}

fn of_quantile(q: f64, parts: &[Part], runs: usize, sum: f64) -> Estimate {
    let mut pooled: Vec<(f64, f64)> = Vec::with_capacity(runs * parts.len());
    for part in parts {
        pooled.extend(part.values[..runs].iter().map(|value| (*value, part.weight / sum)));
    }
    pooled.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    let value = weighted_quantile(&pooled, q);
    if !value.is_finite() {
        return Estimate::exact(value, runs);
    }
    // Bahadur: the error of a quantile is that of the share below it, divided by the density there. The density is
    // measured over one standard error of the share on either side, as Woodruff's interval does.
    let spread = libm::sqrt(q * (1.0 - q) / runs as f64);
    let (low, high) = ((q - spread).max(0.0), (q + spread).min(1.0));
    let (below, above) = (weighted_quantile(&pooled, low), weighted_quantile(&pooled, high));
    let per_share = (above.min(f64::MAX) - below) / (high - low);
    let share_below = |run: usize| -> f64 {
        let is_below = |part: &Part| if part.values[run] <= value { part.weight / sum } else { 0.0 };
        parts.iter().map(is_below).sum()
    };
    let shares: Vec<f64> = (0..runs).map(share_below).collect();
    let mean = shares.iter().sum::<f64>() / runs as f64;
    Estimate { value, pseudo: shares.iter().map(|share| value + per_share * (mean - share)).collect() }
}

/// The quantile of ascending values with weights, linear between them; with equal weights it is that of Hyndman and
/// Fan's type 7, which all other quantiles here are.
fn weighted_quantile(ascending: &[(f64, f64)], q: f64) -> f64 {
    let count = ascending.len();
    // The k-th value, from 0, stands at k w_k + (n - 1) (w_0 + ... + w_(k-1)).
    let mut before = 0.0;
    let mut places = Vec::with_capacity(count);
    for (k, (_, weight)) in ascending.iter().enumerate() {
        places.push(k as f64 * weight + (count - 1) as f64 * before);
        before += weight;
    }
    let sought = q * places[count - 1];
    let above = places.partition_point(|place| *place < sought).min(count - 1);
    let below = above.saturating_sub(1);
    let (low, high) = (ascending[below].0, ascending[above].0);
    if places[above] <= places[below] || low == high || sought >= places[above] {
        return high;
    }
    low + (high - low) * (sought - places[below]) / (places[above] - places[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    fn parts<'a>(parts: &[(f64, &'a [f64])]) -> Vec<Part<'a>> {
        parts.iter().map(|(weight, values)| Part { weight: *weight, values }).collect()
    }

    /// Skewed numbers, as counts of lost requests are.
    fn skewed(seed: u64, runs: u64) -> Vec<f64> {
        let draw = |run| Key::for_run(seed, run).unit();
        (0..runs).map(|run| 100.0 * draw(run) * draw(run)).collect()
    }

    #[test]
    fn one_scenario_has_the_statistics_of_a_summary() {
        let values = skewed(1, 37);
        let summary = Summary::of(values.iter().copied().map(Some));
        for statistic in Statistic::ALL.into_iter().filter(|statistic| statistic.has_interval()) {
            let estimate = Estimate::of(statistic, &parts(&[(0.3, &values)]));
            assert_eq!(Some(estimate.value), summary.value(statistic), "{}", statistic.name());
        }
        let interval = Estimate::of(Statistic::Mean, &parts(&[(1.0, &values)])).interval(0.05);
        assert!((interval.low - summary.ci95_low.unwrap()).abs() < 1e-4);
        assert!((interval.high - summary.ci95_high.unwrap()).abs() < 1e-4);
    }

    #[test]
    fn a_mix_weighs_means_and_pools_runs() {
        let (low, high) = ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]);
        let mix = parts(&[(3.0, &low), (1.0, &high)]);
        let mean = Estimate::of(Statistic::Mean, &mix);
        assert_eq!((mean.value, mean.pseudo[1]), (0.75 * 2.5 + 0.25 * 25.0, 0.75 * 2.0 + 0.25 * 20.0));
        // Three quarters of the weight lie on 1 to 4, so the median is among them and the 95th percentile is not.
        let p50 = Estimate::of(Statistic::P50, &mix).value;
        let p95 = Estimate::of(Statistic::P95, &mix).value;
        assert!((2.5..3.5).contains(&p50) && (20.0..40.0).contains(&p95), "{p50}, {p95}");
        // Equal weights are no weights.
        let all = [low, high].concat();
        let equal = Estimate::of(Statistic::P95, &parts(&[(2.0, &low), (2.0, &high)])).value;
        let plain = Summary::of(all.into_iter().map(Some)).p95.unwrap();
        assert!((equal - plain).abs() < 1e-12, "{equal}, {plain}");
    }

    #[test]
    fn a_run_without_a_value_is_worse_than_any() {
        let mut values = skewed(1, 40);
        values[7] = f64::INFINITY;
        let mean = Estimate::of(Statistic::Mean, &parts(&[(1.0, &values)]));
        assert_eq!(mean.value, f64::INFINITY);
        assert_eq!(mean.interval(0.05).high, f64::INFINITY);
        // One of forty is beyond the 95th percentile.
        assert!(Estimate::of(Statistic::P95, &parts(&[(1.0, &values)])).value.is_finite());
        values[8..12].fill(f64::INFINITY);
        assert_eq!(Estimate::of(Statistic::P95, &parts(&[(1.0, &values)])).value, f64::INFINITY);
    }

    /// The interval of a quantile holds it in about as many experiments as it says, also over a mix.
    #[test]
    fn quantile_intervals_cover_what_they_say() {
        let truth = {
            let (one, two) = (skewed(0, 200_000), skewed(u64::MAX, 200_000));
            Estimate::of(Statistic::P95, &parts(&[(3.0, &one), (1.0, &two)])).value
        };
        let covers = |seed: &u64| {
            let (one, two) = (skewed(2 * seed + 1, 100), skewed(2 * seed + 2, 100));
            let interval = Estimate::of(Statistic::P95, &parts(&[(3.0, &one), (1.0, &two)])).interval(0.05);
            (interval.low..=interval.high).contains(&truth)
        };
        let covered = (0..1000).filter(covers).count();
        assert!((880..=990).contains(&covered), "{covered} of 1000");
    }

    #[test]
    fn a_mean_is_told_from_zero_where_its_interval_says_so() {
        let values = skewed(3, 20);
        for shift in [-60.0, -45.0, -35.0, -30.0, -25.0, -15.0, 0.0] {
            let scatter = Scatter::of(values.iter().map(|value| value + shift));
            for tail in [0.2, 0.01, 1e-6] {
                let interval = scatter.interval(tail);
                assert_eq!(scatter.is_above_zero(tail), interval.low > 0.0, "{shift}, {tail}");
                assert_eq!(scatter.is_below_zero(tail), interval.high < 0.0, "{shift}, {tail}");
            }
        }
    }

    #[test]
    fn what_is_the_same_in_every_run_is_exact() {
        let (one, other) = (Estimate::exact(0.1, 10), Estimate::exact(0.3, 10));
        let scatter = Scatter::of_difference(&one, &other);
        assert_eq!(scatter.variance, 0.0);
        assert!(scatter.is_below_zero(1e-9) && !scatter.is_above_zero(0.9));
        let interval = scatter.interval(1e-9);
        assert!(interval.high < 0.0 && interval.low == interval.high);
    }
}
