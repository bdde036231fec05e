//! What a year brings: runs that are drawn from those that were simulated.

use crate::random::{Key, UnitExponential};
use rand_distr::Distribution;

/// Enough that the ends of ranges are steady to a percent or two of their width.
const YEARS: u64 = 2_000;
/// Beyond this many runs a year not all of them are drawn.
const MOST_DRAWS: u64 = 1_000;

pub(super) const SECONDS_PER_YEAR: f64 = 365.0 * 86_400.0;

const DRAWN_YEARS: Key = Key::purpose("years of a report");

/// How a year is made of runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Basis {
    /// A run is an incident, and so many come in a year, on average and independently of each other.
    Incidents(f64),
    /// A run is a stretch of time of so many seconds, incidents and all.
    Time(f64),
}

impl Basis {
    /// How many runs a year has, on average.
    pub fn runs_a_year(self) -> f64 {
        match self {
            Basis::Incidents(rate) => rate,
            Basis::Time(seconds) => SECONDS_PER_YEAR / seconds,
        }
    }
}

/// Years, the same for every scenario, so that differences are paired.
#[derive(Debug, Clone)]
pub(super) struct Years(Vec<Year>);

#[derive(Debug, Clone)]
struct Year {
    /// Runs that it is made of, and their weights.
    drawn: Vec<(usize, f64)>,
    /// How often it has the mean run beside them.
    of_mean: f64,
}

impl Years {
    /// Draws years out of so many runs, at least one.
    pub fn draw(basis: Basis, seed: u64, runs: usize) -> Years {
        let year = |year: u64| {
            let key = Key::for_run(seed, year).joined(DRAWN_YEARS);
            let count = match basis {
                Basis::Incidents(rate) => poisson(rate, key.named("count")),
                Basis::Time(_) => basis.runs_a_year(),
            };
            let draws = (count.ceil() as u64).min(MOST_DRAWS);
            // Independent runs deviate from their mean by the root of how many they are, so one that stands for several
            // has that weight, and the rest is mean.
            let stands_for = libm::sqrt((count / MOST_DRAWS as f64).max(1.0));
            let draw = |nth: u64| {
                // The last one is only as much of a run as is left of the year.
                let weight = (count - nth as f64).min(stands_for);
                (((key.numbered(nth).unit() * runs as f64) as usize).min(runs - 1), weight)
            };
            let drawn: Vec<(usize, f64)> = (0..draws).map(draw).collect();
            let of_mean = count - drawn.iter().map(|(_, weight)| weight).sum::<f64>();
            Year { drawn, of_mean }
        };
        Years((0..YEARS).map(year).collect())
    }

    /// What each year comes to, given what each run adds.
    pub fn totals(&self, of_run: &[f64]) -> Vec<f64> {
        let mean = of_run.iter().sum::<f64>() / of_run.len().max(1) as f64;
        let total = |year: &Year| {
            let drawn: f64 = year.drawn.iter().map(|(run, weight)| of_run[*run] * weight).sum();
            year.of_mean * mean + drawn
        };
        self.0.iter().map(total).collect()
    }
}

/// How many come in a unit of time at this rate.
fn poisson(rate: f64, key: Key) -> f64 {
    let mut rng = key.rng();
    let (mut count, mut passed) = (0.0, UnitExponential.sample(&mut rng));
    while passed < rate {
        count += 1.0;
        passed += UnitExponential.sample(&mut rng);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A compound Poisson sum: its mean is the rate times a run's, and its variance the rate times the mean square.
    #[test]
    fn years_of_incidents_have_the_mean_and_the_variance_of_a_compound_poisson_sum() {
        let of_run = [0.0, 10.0, 50.0, 100.0];
        let totals = Years::draw(Basis::Incidents(12.0), 1, 4).totals(&of_run);
        let mean = totals.iter().sum::<f64>() / totals.len() as f64;
        let variance = totals.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / totals.len() as f64;
        let (expected, expected_variance) = (12.0 * 40.0, 12.0 * 12_600.0 / 4.0);
        let error = libm::sqrt(expected_variance / totals.len() as f64);
        assert!((mean - expected).abs() < 4.0 * error, "{mean}, not {expected}");
        assert!((variance / expected_variance - 1.0).abs() < 0.15, "{variance}, not {expected_variance}");
    }

    /// A sum of independent runs deviates by the root of how many they are, whether or not all of them are drawn.
    #[test]
    fn years_of_many_runs_deviate_as_their_sum_does() {
        let of_run = [0.0, 10.0, 50.0, 100.0];
        let (mean, variance) = (40.0, 1_550.0);
        for count in [365.0, 1_460.0, 525_600.0] {
            let totals = Years::draw(Basis::Time(SECONDS_PER_YEAR / count), 1, 4).totals(&of_run);
            let n = totals.len() as f64;
            let found = totals.iter().sum::<f64>() / n;
            let sd = libm::sqrt(totals.iter().map(|t| (t - found) * (t - found)).sum::<f64>() / n);
            let expected = libm::sqrt(count * variance);
            assert!((found - count * mean).abs() < 4.0 * expected / libm::sqrt(n), "{count}: {found}");
            // The standard error of a standard deviation is a 63rd of it here.
            assert!((sd / expected - 1.0).abs() < 0.07, "{count}: {sd}, not {expected}");
        }
    }

    #[test]
    fn years_of_time_are_whole() {
        for days in [0.01, 0.5, 90.0, 365.0, 1_000.0] {
            let totals = Years::draw(Basis::Time(days * 86_400.0), 1, 3).totals(&[2.0; 3]);
            let expected = 2.0 * 365.0 / days;
            assert!(
                totals.iter().all(|total| (total / expected - 1.0).abs() < 1e-9),
                "{days}: {}",
                totals[0]
            );
        }
    }
}
