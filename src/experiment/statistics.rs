//! What many runs say together.

use super::distribution::quantile_ranks;
use crate::metrics::{METRICS, Metric, Outcome};

/// One metric over the runs of one model. Runs in which it has no value are left out, and counted by `n`.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Summary {
    /// Runs in which the metric has a value.
    pub n: u64,
    /// The mean.
    pub mean: Option<f64>,
    /// The 95% confidence interval of the mean, by Student's t; null below two runs.
    pub ci95_low: Option<f64>,
    /// Its upper end.
    pub ci95_high: Option<f64>,
    /// The range in which 95% of runs fall: the 2.5th percentile.
    pub pi95_low: Option<f64>,
    /// The 97.5th percentile.
    pub pi95_high: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// The 95th percentile.
    pub p95: Option<f64>,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}

/// Which number of a [`Summary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// [`Summary::mean`].
    Mean,
    /// [`Summary::ci95_low`].
    Ci95Low,
    /// [`Summary::ci95_high`].
    Ci95High,
    /// [`Summary::pi95_low`].
    Pi95Low,
    /// [`Summary::pi95_high`].
    Pi95High,
    /// [`Summary::p50`].
    P50,
    /// [`Summary::p95`].
    P95,
    /// [`Summary::min`].
    Min,
    /// [`Summary::max`].
    Max,
}

impl Statistic {
    /// All of them, in the order of columns.
    pub const ALL: [Statistic; 9] = [
        Statistic::Mean,
        Statistic::Ci95Low,
        Statistic::Ci95High,
        Statistic::Pi95Low,
        Statistic::Pi95High,
        Statistic::P50,
        Statistic::P95,
        Statistic::Min,
        Statistic::Max,
    ];

    /// As columns and criteria have it.
    pub const fn name(self) -> &'static str {
        match self {
            Statistic::Mean => "mean",
            Statistic::Ci95Low => "ci95_low",
            Statistic::Ci95High => "ci95_high",
            Statistic::Pi95Low => "pi95_low",
            Statistic::Pi95High => "pi95_high",
            Statistic::P50 => "p50",
            Statistic::P95 => "p95",
            Statistic::Min => "min",
            Statistic::Max => "max",
        }
    }

    /// Which quantile it is, if it is one.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Statistic::Pi95Low => Some(0.025),
            Statistic::Pi95High => Some(0.975),
            Statistic::P50 => Some(0.5),
            Statistic::P95 => Some(0.95),
            _ => None,
        }
    }

    /// Whether there is a confidence interval of it.
    pub fn has_interval(self) -> bool {
        self == Statistic::Mean || self.quantile().is_some()
    }

    /// The statistic of this name.
    pub fn named(name: &str) -> Option<Self> {
        Statistic::ALL.into_iter().find(|statistic| statistic.name() == name)
    }
}

impl Summary {
    /// The names of a summary's numbers, in the order of [`Self::values`].
    pub const STATISTICS: [&'static str; Statistic::ALL.len()] = {
        let mut names = [""; Statistic::ALL.len()];
        let mut nth = 0;
        while nth < names.len() {
            names[nth] = Statistic::ALL[nth].name();
            nth += 1;
        }
        names
    };

    /// The numbers, in the order of [`Self::STATISTICS`].
    pub fn values(&self) -> [Option<f64>; Statistic::ALL.len()] {
        Statistic::ALL.map(|statistic| self.value(statistic))
    }

    /// One of the numbers.
    pub fn value(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::Mean => self.mean,
            Statistic::Ci95Low => self.ci95_low,
            Statistic::Ci95High => self.ci95_high,
            Statistic::Pi95Low => self.pi95_low,
            Statistic::Pi95High => self.pi95_high,
            Statistic::P50 => self.p50,
            Statistic::P95 => self.p95,
            Statistic::Min => self.min,
            Statistic::Max => self.max,
        }
    }

    /// Summarises the values of runs, in any order.
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let mut values: Vec<f64> = values.into_iter().flatten().collect();
        // Sorting first makes the sums below independent of the order of runs.
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len();
        let Some((&min, &max)) = values.first().zip(values.last()) else { return Summary::default() };
        let mean = values.iter().sum::<f64>() / n as f64;
        let half_width = (n >= 2).then(|| {
            let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1) as f64;
            student_t_975(n as u64 - 1) * libm::sqrt(variance / n as f64)
        });
        Summary {
            n: n as u64,
            mean: Some(mean),
            ci95_low: half_width.map(|h| mean - h),
            ci95_high: half_width.map(|h| mean + h),
            pi95_low: Some(quantile(&values, 0.025)),
            pi95_high: Some(quantile(&values, 0.975)),
            p50: Some(quantile(&values, 0.5)),
            p95: Some(quantile(&values, 0.95)),
            min: Some(min),
            max: Some(max),
        }
    }

    /// Summarises one metric over runs.
    pub fn of_metric(metric: &Metric, outcomes: &[Outcome]) -> Self {
        Summary::of(outcomes.iter().map(|outcome| metric.of(outcome)))
    }
}

/// A range around an estimate, both ends within it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// The 95% confidence interval of a statistic: Student's t for the mean, order statistics for a quantile.
    ///
    /// `None` with too few values, and for a statistic without an interval.
    pub fn of(statistic: Statistic, values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        match statistic.quantile() {
            Some(q) => {
                let mut values: Vec<f64> = values.into_iter().flatten().collect();
                values.sort_unstable_by(f64::total_cmp);
                Interval::of_quantile(&values, q, 0.95)
            }
            None if statistic == Statistic::Mean => {
                let summary = Summary::of(values);
                let (low, high) = summary.ci95_low.zip(summary.ci95_high)?;
                Some(Interval { low, high })
            }
            None => None,
        }
    }

    /// The interval of a quantile between two of ascending values; it holds for any distribution.
    ///
    /// The number of values below the quantile is binomial, so the chance that it lies outside two of them is too
    /// (David and Nagaraja, Order Statistics, 7.1). Each end leaves out at most half of what the level leaves.
    /// `None` if even the smallest and largest value are not enough, as for p95 below 72 values.
    pub fn of_quantile(ascending: &[f64], q: f64, level: f64) -> Option<Self> {
        let (low, high) = quantile_ranks(ascending.len() as u64, q, level)?;
        Some(Interval { low: ascending[low as usize - 1], high: ascending[high as usize - 1] })
    }
}

/// Every metric's summary, in the order of [`METRICS`].
pub fn summarise(outcomes: &[Outcome]) -> Vec<Summary> {
    METRICS.iter().map(|metric| Summary::of_metric(metric, outcomes)).collect()
}

/// The quantiles of values at these shares, from 0 to 1; none without values.
pub fn quantiles(values: impl IntoIterator<Item = f64>, shares: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    if values.is_empty() { vec![] } else { shares.iter().map(|share| quantile(&values, *share)).collect() }
}

/// The quantile of ascending values, linear between order statistics (Hyndman and Fan's type 7, as numpy and polars).
fn quantile(ascending: &[f64], q: f64) -> f64 {
    let position = q * (ascending.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(ascending.len() - 1);
    ascending[below] + (position - below as f64) * (ascending[above] - ascending[below])
}

/// Student's t at 97.5% for `df` degrees of freedom, at least 1, to 1e-5: many summaries need nothing slower.
///
/// From the table below 10; else the expansion in 1 / df of Abramowitz and Stegun, 26.7.5.
pub(super) fn student_t_975(df: u64) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    const FEW: [f64; 9] =
        [12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157];
    if let Some(exact) = FEW.get(df as usize - 1) {
        return *exact;
    }
    let n = df as f64;
    let z2 = Z * Z;
    let g1 = Z * (z2 + 1.0) / 4.0;
    let g2 = Z * ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
    let g3 = Z * (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
    let g4 = Z * ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92_160.0;
    Z + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n
}

#[cfg(test)]
mod tests {
    use super::super::distribution::{binomial_at_most, student_t};
    use super::*;
    use crate::random::{Key, UnitExponential};
    use rand_distr::Distribution;

    #[test]
    fn the_fast_student_t_is_the_exact_one() {
        for df in (1..100).chain([200, 999, 100_000]) {
            let (fast, exact) = (student_t_975(df), student_t(0.05, df as f64));
            assert!((fast - exact).abs() < 1e-5, "{df}: {fast}, not {exact}");
        }
    }

    /// Exponential draws, as no symmetry helps: the true quantile is -ln(1 - q).
    #[test]
    fn the_interval_of_a_quantile_covers_it_as_often_as_it_says() {
        const TRIES: u64 = 4_000;
        for (q, n) in [(0.5, 30), (0.95, 100), (0.975, 150)] {
            let truth = -libm::log(1.0 - q);
            let covers = |seed: &u64| {
                let mut rng = Key::for_run(*seed, n).rng();
                let mut values: Vec<f64> = (0..n).map(|_| UnitExponential.sample(&mut rng)).collect();
                values.sort_unstable_by(f64::total_cmp);
                let interval = Interval::of_quantile(&values, q, 0.95).expect("enough values");
                (interval.low..=interval.high).contains(&truth)
            };
            let covered = (0..TRIES).filter(covers).count() as f64 / TRIES as f64;
            // What the two ranks promise, which is at least 95%, within four standard errors.
            let (low, high) = quantile_ranks(n, q, 0.95).expect("enough values");
            let promised = binomial_at_most(high - 1, n, q) - binomial_at_most(low - 1, n, q);
            let error = libm::sqrt(promised * (1.0 - promised) / TRIES as f64);
            assert!(promised >= 0.95 && (covered - promised).abs() < 4.0 * error, "{q} of {n}: {covered}");
        }
    }

    #[test]
    fn only_the_mean_and_quantiles_have_an_interval() {
        let values = || (1..=100).map(|v| Some(f64::from(v)));
        let ends =
            |statistic| Interval::of(statistic, values()).map(|interval| (interval.low, interval.high));
        assert_eq!(ends(Statistic::P50), Some((40.0, 61.0)));
        for statistic in Statistic::ALL {
            // 2.5% of 100 values are too few for an interval of that quantile.
            let is_far_out = [Statistic::Pi95Low, Statistic::Pi95High].contains(&statistic);
            assert_eq!(ends(statistic).is_some(), statistic.has_interval() && !is_far_out, "{statistic:?}");
            assert_eq!(Statistic::named(statistic.name()), Some(statistic));
        }
    }

    #[test]
    fn a_summary_of_ten_known_values() {
        let summary = Summary::of((1..=10).map(|v| Some(f64::from(v))).chain([None]));
        assert_eq!((summary.n, summary.mean), (10, Some(5.5)));
        // Standard error sqrt(55/6 / 10) = 0.957427, times 2.262157.
        let ci = (summary.ci95_low.unwrap(), summary.ci95_high.unwrap());
        assert!((ci.0 - 3.334149).abs() < 1e-4 && (ci.1 - 7.665851).abs() < 1e-4, "{ci:?}");
        assert_eq!(summary.p50, Some(5.5));
        assert!((summary.p95.unwrap() - 9.55).abs() < 1e-12);
        assert_eq!((summary.min, summary.max), (Some(1.0), Some(10.0)));
        assert_eq!(summary.pi95_low, Some(1.225));
    }

    #[test]
    fn one_value_has_no_confidence_interval_and_none_has_nothing() {
        assert_eq!(Summary::of([Some(3.0)]).ci95_low, None);
        assert_eq!(Summary::of([Some(3.0)]).mean, Some(3.0));
        assert_eq!(Summary::of([None, None]), Summary::default());
    }
}
