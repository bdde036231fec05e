//! How many runs a point gets: a fixed number, or until an interval is narrow enough.

use super::criterion::Precision;
use super::statistics::{Interval, Summary};
use crate::metrics::Outcome;

/// When a point has had enough runs.
///
/// With a precision it is judged after [`Self::min`] runs, and then each time that they have grown by half, up to
/// [`Self::max`]. Which runs a point gets is so a function of its outcomes alone. A metric that is the same in all runs
/// stops at the minimum; one without a value, or with one in a single run, has no interval and stops at the maximum.
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
}
