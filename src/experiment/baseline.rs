//! How scenarios compare with a baseline that saw the same random numbers.

use super::distribution::{student_t, student_t_two_sided};
use super::statistics::{Interval, Statistic, Summary, student_t_975};
use crate::metrics::{Metric, Outcome};

/// The level of intervals, and what is left over for a difference that is none.
const LEVEL: f64 = 0.95;

/// What a metric differs by from the baseline, run by run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The differences of runs in which both have a value.
    pub summary: Summary,
    /// The interval of the mean that holds for all scenarios at once, 95 times in 100: Student's t with Bonferroni's
    /// correction. With one scenario compared it is that of the summary. `None` below two runs.
    pub interval: Option<Interval>,
    /// The 95% confidence interval of the median difference, uncorrected; `None` below six runs.
    pub p50: Option<Interval>,
    /// The same of the 95th percentile of differences; `None` below 72 runs.
    pub p95: Option<Interval>,
    /// How likely so large a mean difference is where there is none, by the paired t-test, with Holm's correction over
    /// all scenarios compared; `None` below two runs.
    pub p_value: Option<f64>,
}

impl Difference {
    /// Compares scenarios with a baseline, one metric at a time: scenarios are the family that is corrected for.
    pub fn of_all(metric: &Metric, scenarios: &[&[Outcome]], baseline: &[Outcome]) -> Vec<Difference> {
        let mut differences: Vec<Difference> = scenarios
            .iter()
            .map(|outcomes| Difference::of(metric, outcomes, baseline, scenarios.len()))
            .collect();
        let p_values: Vec<Option<f64>> = differences.iter().map(|difference| difference.p_value).collect();
        for (difference, p_value) in differences.iter_mut().zip(holm(&p_values)) {
            difference.p_value = p_value;
        }
        differences
    }

    /// Whether the mean differs from the baseline's by more than noise; `None` below two runs.
    pub fn is_significant(&self) -> Option<bool> {
        self.p_value.map(|p_value| p_value <= 1.0 - LEVEL)
    }

    /// With the p-value as it is for one scenario alone.
    fn of(metric: &Metric, outcomes: &[Outcome], baseline: &[Outcome], family: usize) -> Self {
        let differences = || {
            let pairs = outcomes.iter().zip(baseline);
            pairs.map(|(outcome, base)| Some(metric.of(outcome)? - metric.of(base)?))
        };
        let summary = Summary::of(differences());
        let df = summary.n.saturating_sub(1);
        let ci95 = summary.ci95_low.zip(summary.ci95_high).map(|(low, high)| Interval { low, high });
        // Of the mean, with its standard error.
        let estimate = (summary.mean.zip(ci95))
            .map(|(mean, ci95)| (mean, (ci95.high - ci95.low) / 2.0 / student_t_975(df)));
        let corrected = |(mean, error): (f64, f64)| {
            let half_width = error * student_t((1.0 - LEVEL) / family as f64, df as f64);
            Interval { low: mean - half_width, high: mean + half_width }
        };
        let interval = if family > 1 { estimate.map(corrected) } else { ci95 };
        let p_value = estimate.map(|(mean, error)| match mean == 0.0 {
            true => 1.0,
            // Where all runs differ by the same, no noise explains it, and t is infinite.
            false => student_t_two_sided(mean / error, df as f64),
        });
        Difference {
            summary,
            interval,
            p50: Interval::of(Statistic::P50, differences()),
            p95: Interval::of(Statistic::P95, differences()),
            p_value,
        }
    }
}

/// Corrects p-values of a family: the chance that any of those at most `p` is so by chance is at most `p`.
///
/// The smallest of m counts m times, the next m - 1 times, and none less than the one before (Holm 1979).
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(i, p)| Some((i, (*p)?))).collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let (mut corrected, mut least) = (vec![None; p_values.len()], 0.0_f64);
    for (rank, (i, p)) in order.iter().enumerate() {
        least = least.max(p * (order.len() - rank) as f64).min(1.0);
        corrected[*i] = Some(least);
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::metric;
    use crate::random::{Key, UnitNormal};
    use rand_distr::Distribution;

    fn outcomes(probes: impl IntoIterator<Item = f64>) -> Vec<Outcome> {
        let outcome = |probes: f64| Outcome { probe_count: probes as u64, ..Outcome::default() };
        probes.into_iter().map(outcome).collect()
    }

    fn compare(scenarios: &[Vec<Outcome>], baseline: &[Outcome]) -> Vec<Difference> {
        let scenarios: Vec<&[Outcome]> = scenarios.iter().map(Vec::as_slice).collect();
        Difference::of_all(metric("probe_count").expect("the metric exists"), &scenarios, baseline)
    }

    /// Holm's own example has none; these are worked out by hand, and R's `p.adjust(p, "holm")` says the same.
    #[test]
    fn holm_corrects_step_by_step() {
        let p = |values: &[f64]| values.iter().map(|p| Some(*p)).collect::<Vec<_>>();
        let close = |found: Vec<Option<f64>>, expected: &[f64]| {
            found
                .iter()
                .zip(expected)
                .all(|(found, expected)| (found.expect("a value") - expected).abs() < 1e-12)
        };
        assert!(close(holm(&p(&[0.01, 0.04, 0.03, 0.005])), &[0.03, 0.06, 0.06, 0.02]));
        assert!(close(holm(&p(&[0.5, 0.9])), &[1.0, 1.0]));
        assert!(close(holm(&p(&[0.03])), &[0.03]));
        // What has no p-value is no member of the family.
        assert_eq!(holm(&[None, Some(0.25), None]), [None, Some(0.25), None]);
    }

    #[test]
    fn a_difference_is_paired_and_its_interval_is_student_s() {
        let baseline = outcomes([10.0, 20.0, 30.0, 40.0]);
        let other = outcomes([11.0, 22.0, 33.0, 44.0]);
        let [alone] = compare(std::slice::from_ref(&other), &baseline)[..] else { panic!("one scenario") };
        // Differences 1, 2, 3, 4: mean 2.5, standard error sqrt(5 / 3 / 4) = 0.645497, t = 3.8730 with 3 degrees.
        assert_eq!(alone.summary.mean, Some(2.5));
        assert!((alone.p_value.unwrap() - 0.030466).abs() < 1e-5, "{alone:?}");
        assert_eq!(alone.is_significant(), Some(true));
        let interval = alone.interval.unwrap();
        assert_eq!(
            (Some(interval.low), Some(interval.high)),
            (alone.summary.ci95_low, alone.summary.ci95_high)
        );
        assert_eq!((alone.p50, alone.p95), (None, None), "too few runs");

        // Of two, 0.025 is left for each: t is 4.1765 (NIST's tables have 3.182 at 0.05 and 4.541 at 0.02).
        let [one, _] = compare(&[other.clone(), other], &baseline)[..] else { panic!("two scenarios") };
        assert!((one.interval.unwrap().high - (2.5 + 4.1765 * 0.645_497)).abs() < 1e-3, "{one:?}");
        assert!((one.p_value.unwrap() - 2.0 * 0.030466).abs() < 1e-5);
        assert_eq!(one.is_significant(), Some(false));
    }

    #[test]
    fn what_differs_in_every_run_by_the_same_is_no_noise() {
        let baseline = outcomes([5.0; 3]);
        let found = compare(&[outcomes([7.0; 3]), outcomes([5.0; 3]), outcomes([7.0])], &baseline);
        let told: Vec<_> = found.iter().map(|d| (d.p_value, d.is_significant())).collect();
        assert_eq!(told, [(Some(0.0), Some(true)), (Some(1.0), Some(false)), (None, None)]);
        assert_eq!(found[0].interval, Some(Interval { low: 2.0, high: 2.0 }));
    }

    /// Of five scenarios that do not differ, some is said to in 5% of experiments, and not in 23%.
    #[test]
    fn many_comparisons_find_no_more_than_one_does() {
        const EXPERIMENTS: u64 = 2_000;
        let (mut some_differs, mut some_is_outside) = (0, 0);
        for experiment in 0..EXPERIMENTS {
            let runs = |scenario: u64| {
                let mut rng = Key::for_run(experiment, scenario).rng();
                outcomes((0..20).map(|_| 1e9 + 1e6 * UnitNormal.sample(&mut rng)).collect::<Vec<f64>>())
            };
            let found = compare(&[0, 1, 2, 3, 4].map(runs), &outcomes([1e9; 20]));
            some_differs += u64::from(found.iter().any(|d| d.is_significant() == Some(true)));
            let is_outside = |d: &Difference| d.interval.is_some_and(|i| i.low > 0.0 || i.high < 0.0);
            some_is_outside += u64::from(found.iter().any(is_outside));
        }
        // Independent scenarios: 1 - 0.99^5, within four standard errors.
        let expected = 1.0 - libm::pow(0.99, 5.0);
        let error = libm::sqrt(expected * (1.0 - expected) / EXPERIMENTS as f64);
        for count in [some_differs, some_is_outside] {
            assert!((count as f64 / EXPERIMENTS as f64 - expected).abs() < 4.0 * error, "{count}");
        }
    }
}
