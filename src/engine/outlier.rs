//! Outliers: providers that do far worse than the others.

use crate::model::SuccessRate;

/// Which providers' success rate is far below the others', given calls and failures of each.
///
/// Source: Envoy `outlier_detection_impl.cc`, `successRateEjectionThreshold`: the population standard deviation over
/// all with enough calls, the bad ones included.
pub(super) fn outliers(settings: &SuccessRate, tallies: &[(u32, u32)]) -> Vec<bool> {
    let rate = |&(calls, failures): &(u32, u32)| {
        (calls > 0 && calls >= settings.min_calls).then(|| f64::from(calls - failures) / f64::from(calls))
    };
    let rates: Vec<Option<f64>> = tallies.iter().map(rate).collect();
    let known: Vec<f64> = rates.iter().copied().flatten().collect();
    let Some(&first) = known.first() else { return vec![false; tallies.len()] };
    if known.len() < settings.min_providers as usize {
        return vec![false; tallies.len()];
    }
    // Differences from one of them, so that equal rates have a deviation of exactly zero.
    let n = known.len() as f64;
    let mean = known.iter().map(|rate| rate - first).sum::<f64>() / n;
    let square = |rate: &f64| (rate - first - mean) * (rate - first - mean);
    let deviation = libm::sqrt(known.iter().map(square).sum::<f64>() / n);
    let threshold = mean - settings.stdev_factor * deviation;
    rates.iter().map(|rate| rate.is_some_and(|rate| rate - first < threshold)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead_of(dead: usize, all: usize, stdev_factor: f64, failures: u32) -> Vec<bool> {
        let settings = SuccessRate { stdev_factor, min_providers: 5, min_calls: 100 };
        let tallies: Vec<(u32, u32)> =
            (0..all).map(|i| if i < dead { (100, failures) } else { (100, 1) }).collect();
        outliers(&settings, &tallies)
    }

    /// m of N are seen if and only if m/N < 1/(1 + f^2), however bad they are.
    #[test]
    fn too_many_bad_providers_hide_each_other() {
        for (all, most) in [(5, 1), (10, 2), (20, 4), (100, 21)] {
            for failures in [5, 50, 100] {
                let seen = dead_of(most, all, 1.9, failures);
                assert!(seen[..most].iter().all(|out| *out), "{most} of {all}");
                assert!(!seen[most..].iter().any(|out| *out), "{most} of {all}");
                assert!(!dead_of(most + 1, all, 1.9, failures).contains(&true), "{} of {all}", most + 1);
            }
        }
    }

    /// With a sample's standard deviation, sqrt(N/(N-1)) larger, 1 of 5 would be hidden: 4/5 < 1.9 x 0.447.
    #[test]
    fn the_deviation_is_the_populations() {
        assert_eq!(dead_of(1, 5, 1.9, 100), [true, false, false, false, false]);
    }

    #[test]
    fn equal_rates_and_too_few_providers_or_calls_have_no_outlier() {
        assert!(!dead_of(0, 7, 0.0, 0).contains(&true), "strictly below");
        assert!(!dead_of(1, 4, 1.0, 100).contains(&true), "4 of at least 5 providers");
        let settings = SuccessRate { stdev_factor: 1.0, min_providers: 2, min_calls: 10 };
        assert_eq!(outliers(&settings, &[(10, 0), (9, 9), (10, 0)]), [false; 3]);
        assert_eq!(outliers(&settings, &[(10, 0), (10, 9), (10, 0)]), [false, true, false]);
        let anything = SuccessRate { stdev_factor: 1.0, min_providers: 0, min_calls: 0 };
        assert_eq!(outliers(&anything, &[(10, 0), (0, 0), (10, 9), (10, 0)]), [false, false, true, false]);
        assert!(outliers(&anything, &[]).is_empty());
    }
}
