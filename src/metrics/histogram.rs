//! A histogram of latencies whose bins are at most 1% wide.

use crate::time::SimDuration;

const BITS: u32 = SimDuration::BIN_BITS;
const BINS_PER_OCTAVE: usize = 1 << BITS;
/// The highest power of two that has bins of its own: 2^52 ns are 52 days. Longer latencies go into the last bin.
const TOP_EXPONENT: u32 = 52;
const BINS: usize = BINS_PER_OCTAVE * (TOP_EXPONENT - BITS + 2) as usize;

/// Counts in log-linear bins. Adding is order-free, so every path of the engine makes the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatencyHistogram {
    bins: Vec<u64>,
    count: u64,
    min: u64,
    max: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        LatencyHistogram { bins: vec![0; BINS], count: 0, min: u64::MAX, max: 0 }
    }
}

#[inline(always)]
fn bin(latency: SimDuration) -> usize {
    latency.bin().min(BINS - 1)
}

/// The smallest and the largest value that falls into a bin.
fn bounds(bin: usize) -> (u64, u64) {
    let (octave, within) = (bin / BINS_PER_OCTAVE, (bin % BINS_PER_OCTAVE) as u64);
    if octave == 0 {
        return (within, within);
    }
    let width = 1u64 << (octave - 1);
    let low = (BINS_PER_OCTAVE as u64 + within) * width;
    (low, low + width - 1)
}

impl LatencyHistogram {
    /// Counts a latency so many times; at least once.
    #[inline]
    pub fn add(&mut self, latency: SimDuration, count: u64) {
        let nanos = latency.as_nanos();
        self.bins[bin(latency)] += count;
        self.count += count;
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    /// The latency that a share `q` in (0, 1] of those counted do not exceed, to within a bin; `None` if none was.
    pub fn quantile(&self, q: f64) -> Option<SimDuration> {
        let rank = ((q * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (i, count) in self.bins.iter().enumerate() {
            seen += *count;
            if seen >= rank {
                return Some(middle(i, self.min, self.max));
            }
        }
        None
    }
}

/// The same for latencies that are mostly few: no room for bins that nothing falls into.
#[derive(Debug, Clone)]
pub(super) enum SmallHistogram {
    /// The bin of each, in any order, and the smallest and the largest.
    Few(Vec<u16>, u64, u64),
    /// Where each has its bin, it takes less room to count.
    Many(LatencyHistogram),
}

impl Default for SmallHistogram {
    fn default() -> Self {
        SmallHistogram::Few(vec![], u64::MAX, 0)
    }
}

impl SmallHistogram {
    /// Counts a latency.
    pub fn add(&mut self, latency: SimDuration) {
        match self {
            SmallHistogram::Few(bins, min, max) if bins.len() < BINS => {
                bins.push(bin(latency) as u16);
                (*min, *max) = ((*min).min(latency.as_nanos()), (*max).max(latency.as_nanos()));
            }
            SmallHistogram::Few(bins, min, max) => {
                let mut many =
                    LatencyHistogram { count: bins.len() as u64, min: *min, max: *max, ..Default::default() };
                bins.iter().for_each(|bin| many.bins[usize::from(*bin)] += 1);
                many.add(latency, 1);
                *self = SmallHistogram::Many(many);
            }
            SmallHistogram::Many(many) => many.add(latency, 1),
        }
    }

    /// As [`LatencyHistogram::quantile`], of several at once.
    pub fn quantiles<const N: usize>(&mut self, shares: [f64; N]) -> Option<[SimDuration; N]> {
        match self {
            SmallHistogram::Few(bins, ..) if bins.is_empty() => None,
            SmallHistogram::Few(bins, min, max) => {
                bins.sort_unstable();
                Some(shares.map(|share| {
                    let rank = ((share * bins.len() as f64).ceil() as usize).max(1);
                    middle(usize::from(bins[rank - 1]), *min, *max)
                }))
            }
            SmallHistogram::Many(many) => {
                let found = shares.map(|share| many.quantile(share));
                found.iter().all(Option::is_some).then(|| found.map(Option::unwrap_or_default))
            }
        }
    }
}

/// What stands for a bin's latencies, all of which lie in a range.
fn middle(bin: usize, min: u64, max: u64) -> SimDuration {
    let (low, high) = bounds(bin);
    SimDuration::from_nanos((low + (high - low) / 2).clamp(min, max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_latencies_have_the_quantiles_of_many() {
        let shares = [0.001, 0.5, 0.95, 0.99, 1.0];
        assert_eq!(SmallHistogram::default().quantiles(shares), None);
        for count in [1, 2, 3, 99, BINS, BINS + 1, 3 * BINS] {
            let (mut small, mut whole) = (SmallHistogram::default(), LatencyHistogram::default());
            for i in 0..count as u64 {
                // Scattered over nine octaves.
                let latency =
                    SimDuration::from_nanos(1_000 + i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 500_000);
                small.add(latency);
                whole.add(latency, 1);
            }
            let expected = shares.map(|share| whole.quantile(share).expect("there are some"));
            assert_eq!(small.quantiles(shares), Some(expected), "{count}");
        }
    }

    #[test]
    fn bins_tile_the_line_and_are_at_most_one_percent_wide() {
        for i in 1..BINS {
            let (low, high) = bounds(i);
            assert_eq!(low, bounds(i - 1).1 + 1);
            assert_eq!([low, high].map(|nanos| bin(SimDuration::from_nanos(nanos))), [i; 2]);
            assert!((high - low) as f64 <= 0.01 * low as f64);
        }
        assert_eq!(bin(SimDuration::MAX), BINS - 1);
    }

    #[test]
    fn quantiles_are_within_a_bin_of_the_exact_ones() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        (1..=1000).for_each(|ms| histogram.add(SimDuration::from_millis(ms), 1));
        for (q, exact) in [(0.001, 1.0), (0.5, 500.0), (0.95, 950.0), (0.99, 990.0), (1.0, 1000.0)] {
            let estimate = histogram.quantile(q).unwrap().as_millis_f64();
            assert!((estimate / exact - 1.0).abs() < 0.01, "{q}: {estimate}");
        }
    }

    #[test]
    fn a_constant_latency_is_reported_exactly() {
        let mut histogram = LatencyHistogram::default();
        (0..5).for_each(|_| histogram.add(SimDuration::from_millis(800), 1));
        assert_eq!(histogram.quantile(0.99), Some(SimDuration::from_millis(800)));
    }
}
