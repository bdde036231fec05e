//! How many runs a point gets: a fixed number, or until an interval is narrow enough.

use super::criterion::Precision;
use super::statistics::{Interval, Summary};
use crate::metrics::Outcome;

/// When a point has had enough runs.
///
/// With a precision it is judged after [`Self::min`] runs, and then each time that they have grown by half, up to
/// [`Self::max`]. Which runs a point gets is so a function of its outcomes alone. A metric that is the same in all runs
/// stops at the minimum; one without a value, or with one in a single run, has no interval and stops at the maximum.
///
/// To look several times costs a little, as a point stops sooner where its runs happen to spread less: for a metric whose
/// runs spread like a normal or exponential distribution, 93% to 95% of intervals at 95% hold the mean, and the mean of
/// all points' means is off by a tenth of the half-width at most. The rule cannot know of what it has not seen: if all
/// runs are alike at the minimum n, a value that comes in a share p of runs has been missed with the chance (1 - p)^n,
/// which is 35% for one in ten at 10 runs. What is rare needs a larger minimum.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopping {
    /// No fewer; at least 1.
    pub min: u64,
    /// No more.
    pub max: u64,
    /// Enough where this is reached; without it, every point gets [`Self::max`].
    pub until: Option<Precision>,
}

impl Stopping {
    /// The same number of runs for every point.
    pub fn fixed(runs: u64) -> Self {
        Stopping { min: runs, max: runs, until: None }
    }

    /// The numbers of runs after which a point is judged, ascending; the last is [`Self::max`].
    pub fn checkpoints(&self) -> impl Iterator<Item = u64> + use<> {
        let max = self.max;
        let first = if self.until.is_some() { self.min.min(max) } else { max };
        let grown = move |runs: &u64| (*runs < max).then(|| runs.saturating_add(runs.div_ceil(2)).min(max));
        std::iter::successors(Some(first), grown)
    }

    /// Whether the precision is reached by all runs so far.
    pub fn is_reached(&self, outcomes: &[Outcome]) -> bool {
        let Some(precision) = &self.until else { return false };
        let target = &precision.target;
        let values = || outcomes.iter().map(|outcome| target.metric.of(outcome));
        let value = Summary::of(values()).value(target.statistic);
        precision.is_reached(value, Interval::of(target.statistic, values()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, UnitExponential, UnitNormal};
    use rand_distr::Distribution;

    fn until(text: &str, min: u64, max: u64) -> Stopping {
        Stopping { min, max, until: Some(Precision::read(text).expect("a precision")) }
    }

    fn failed(counts: &[u64]) -> Vec<Outcome> {
        let outcome = |&open_count: &u64| Outcome { open_count, ..Outcome::default() };
        counts.iter().map(outcome).collect()
    }

    #[test]
    fn checkpoints_grow_by_half() {
        let of = |stopping: Stopping| stopping.checkpoints().collect::<Vec<_>>();
        assert_eq!(of(until("failed_count 2%", 10, 100)), [10, 15, 23, 35, 53, 80, 100]);
        assert_eq!(of(until("failed_count 2%", 1, 5)), [1, 2, 3, 5]);
        assert_eq!(of(until("failed_count 2%", 4, 5)), [4, 5]);
        assert_eq!(of(until("failed_count 2%", 10, 10)), [10]);
        assert_eq!(of(Stopping::fixed(30)), [30]);
    }

    #[test]
    fn a_point_stops_where_its_interval_is_narrow() {
        let stopping = until("open_count 10%", 2, 9);
        // Mean 100, standard deviation 10, so the half-width is 10 t / sqrt(n): 89.8 for 2 runs, 15.9 for 4, 9.3 for 7.
        let values = [90, 110, 110, 90, 100, 110, 90, 100];
        assert!(!stopping.is_reached(&failed(&values[..2])));
        assert!(!stopping.is_reached(&failed(&values[..4])));
        assert!(stopping.is_reached(&failed(&values[..7])));
    }

    #[test]
    fn without_spread_it_is_reached_and_without_a_value_never() {
        assert!(until("open_count 2%", 2, 9).is_reached(&failed(&[0, 0])));
        assert!(!until("open_count 2%", 2, 9).is_reached(&failed(&[5])));
        assert!(!until("time_to_detect_ms 2%", 2, 9).is_reached(&failed(&[5, 5, 5])));
        assert!(!Stopping::fixed(3).is_reached(&failed(&[5, 5, 5])));
    }

    /// Where it stops: how many runs, their mean, and the interval of that.
    fn stop(stopping: &Stopping, mut draw: impl FnMut() -> u64) -> (u64, f64, Interval) {
        let mut outcomes = Vec::new();
        for runs in stopping.checkpoints() {
            while (outcomes.len() as u64) < runs {
                outcomes.extend(failed(&[draw()]));
            }
            if runs == stopping.max || stopping.is_reached(&outcomes) {
                break;
            }
        }
        let target = &stopping.until.as_ref().expect("a precision").target;
        let (mean, interval) = (target.of(&outcomes), target.interval(&outcomes));
        (outcomes.len() as u64, mean.expect("a mean"), interval.expect("two runs or more"))
    }

    const TRIES: u64 = 600;

    /// The share of intervals that hold the true mean, and by how much of it the mean of all means is off.
    fn coverage_and_bias(stopping: &Stopping, truth: f64, draw: impl Fn(Key) -> u64) -> (f64, f64) {
        let (mut covered, mut sum) = (0.0, 0.0);
        for seed in 0..TRIES {
            let mut keys = (0..).map(|run| Key::for_run(seed, run));
            let (_, mean, interval) = stop(stopping, || draw(keys.next().expect("there is no end of runs")));
            covered += f64::from(u8::from((interval.low..=interval.high).contains(&truth)));
            sum += mean;
        }
        (covered / TRIES as f64, (sum / TRIES as f64 / truth - 1.0).abs())
    }

    #[test]
    fn to_look_several_times_costs_little() {
        let normal =
            |key: Key| 1e6 + 3e5 * <UnitNormal as Distribution<f64>>::sample(&UnitNormal, &mut key.rng());
        let exponential = |key: Key| 1e6 * UnitExponential.sample(&mut key.rng());
        let draws: [(&str, &dyn Fn(Key) -> f64); 2] = [("30%", &exponential), ("10%", &normal)];
        for (width, draw) in draws {
            let stopping = until(&format!("open_count {width}"), 10, 1000);
            let (coverage, bias) = coverage_and_bias(&stopping, 1e6, |key| draw(key).max(0.0) as u64);
            assert!((0.91..0.96).contains(&coverage) && bias < 0.02, "{width}: {coverage} {bias}");
        }
    }

    #[test]
    fn what_is_rare_is_missed_as_often_as_it_says() {
        let rare = |key: Key| u64::from(key.coin(0.1));
        for (min, missed) in [(10, 0.349), (60, 0.0018)] {
            let stopping = until("open_count 20%", min, 1000);
            let stops_at_once = |seed: &u64| {
                let mut keys = (0..).map(|run| Key::for_run(*seed, run));
                stop(&stopping, || rare(keys.next().expect("there is no end of runs"))).0 == min
            };
            let share = (0..TRIES).filter(stops_at_once).count() as f64 / TRIES as f64;
            let error = libm::sqrt(missed * (1.0 - missed) / TRIES as f64);
            assert!((share - missed).abs() < 4.0 * error, "{min}: {share}");
        }
    }
}
