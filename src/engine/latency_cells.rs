//! Counts draws of a latency, and leaves to be computed only those that matter one by one.

use super::stretch::slowed;
use crate::model::Latency;
use crate::time::SimDuration;

/// How finely the ranks of draws are cut: into 2^14 cells of equal probability.
const CELL_BITS: u32 = 14;
const SHIFT: u32 = 64 - CELL_BITS;
/// More than a latency is ever off by rounding, relative.
const ROUNDING: f64 = 1e-8;
/// Draws whose ranks are further apart than this differ by more than rounding, or are told apart by no bin.
const MARGIN: u64 = 1 << 40;
/// Of a cell with draws that [`SimDuration::bin`] tells apart.
const MIXED: u32 = u32::MAX;

/// The draws of one latency in one run, in cells of equal probability.
///
/// A draw from a cell whose draws all fall into the same bin need only be counted, unless it may be the shortest or the
/// longest of the run. That spares most of the normal quantiles and exponentials.
#[derive(Debug, Clone)]
pub(super) struct LatencyCells {
    latency: Latency,
    slow: Option<f64>,
    /// By cell: how many draws were counted, or [`MIXED`].
    counts: Vec<u32>,
    /// By cell: its shortest draw.
    shortest: Vec<SimDuration>,
    /// The lowest and the highest rank of a draw that was computed; the reverse before the first one.
    extremes: (u64, u64),
    /// Draws of ranks from the first to below the second are not the shortest or the longest.
    inner: (u64, u64),
}

impl LatencyCells {
    pub fn new(latency: Latency, slow: Option<f64>) -> Self {
        let first_of = |cell: u64| slowed(latency.of_rank(cell.saturating_mul(1 << SHIFT)), slow);
        let shortest: Vec<SimDuration> = (0..=1 << CELL_BITS).map(first_of).collect();
        let is_mixed = |edges: &[SimDuration]| {
            let one = SimDuration::from_nanos(1);
            let low = SimDuration::from_nanos(edges[0].scaled(1.0 - ROUNDING).as_nanos().saturating_sub(1));
            low.bin() != edges[1].scaled(1.0 + ROUNDING).plus(one).bin()
        };
        let counts = shortest.windows(2).map(|edges| if is_mixed(edges) { MIXED } else { 0 }).collect();
        LatencyCells { latency, slow, counts, shortest, extremes: (u64::MAX, 0), inner: (0, 0) }
    }

    pub fn are_of(&self, latency: Latency, slow: Option<f64>) -> bool {
        (self.latency, self.slow) == (latency, slow)
    }

    /// The rank below which no draw is longer than `patience`.
    pub fn rank_within(&self, patience: SimDuration) -> u64 {
        let is_within = |edge: &SimDuration| edge.scaled(1.0 + ROUNDING) < patience;
        let edges = self.shortest.partition_point(is_within) as u64;
        edges.saturating_sub(1).saturating_mul(1 << SHIFT)
    }

    /// As [`Self::rank_within`] of these cells, for a few draws of the latency instead of all cells' edges.
    pub fn rank_within_alone(latency: Latency, slow: Option<f64>, patience: SimDuration) -> u64 {
        let edge = |cell: u64| cell.saturating_mul(1 << SHIFT);
        let is_within =
            |cell: u64| slowed(latency.of_rank(edge(cell)), slow).scaled(1.0 + ROUNDING) < patience;
        let (mut within, mut beyond) = (0_u64, (1 << CELL_BITS) + 1);
        while within < beyond {
            let middle = within.midpoint(beyond);
            if is_within(middle) { within = middle + 1 } else { beyond = middle }
        }
        edge(within.saturating_sub(1))
    }

    /// Counts the draw of this rank; false if it has to be computed.
    #[inline(always)]
    pub fn count(&mut self, rank: u64) -> bool {
        let count = &mut self.counts[(rank >> SHIFT) as usize];
        let is_inner = rank.wrapping_sub(self.inner.0) < self.inner.1 - self.inner.0;
        let counts = is_inner && *count != MIXED;
        *count += u32::from(counts);
        counts
    }

    /// The draw of this rank was computed.
    pub fn note_computed(&mut self, rank: u64) {
        let (low, high) = (self.extremes.0.min(rank), self.extremes.1.max(rank));
        self.extremes = (low, high);
        let (from, to) = (low.saturating_add(MARGIN), high.saturating_sub(MARGIN));
        self.inner = if from < to { (from, to) } else { (0, 0) };
    }

    /// Tells what was counted, as the same number of draws from the same bins, and forgets it.
    pub fn tell(&mut self, mut latencies: impl FnMut(SimDuration, u64)) {
        let (low, high) = self.extremes;
        if low > high {
            return;
        }
        // The shortest of a cell may be shorter than all that were drawn.
        let [low, high] = [low, high].map(|rank| slowed(self.latency.of_rank(rank), self.slow));
        for (count, shortest) in self.counts.iter_mut().zip(&self.shortest) {
            if *count != MIXED && *count > 0 {
                latencies((*shortest).clamp(low.min(high), high), u64::from(std::mem::take(count)));
            }
        }
        (self.extremes, self.inner) = ((u64::MAX, 0), (0, 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_draw_below_the_rank_within_takes_longer() {
        let p50 = SimDuration::from_millis(800);
        for latency in [Latency::Exponential { mean: p50 }, Latency::LogNormal { p50, sigma: 0.6 }] {
            for slow in [None, Some(0.3), Some(3.7)] {
                let cells = LatencyCells::new(latency, slow);
                let takes = |rank| slowed(latency.of_rank(rank), slow);
                for patience in (1..4000).step_by(7).map(SimDuration::from_millis) {
                    let rank = cells.rank_within(patience);
                    assert_eq!(rank, LatencyCells::rank_within_alone(latency, slow, patience));
                    assert!(rank == 0 || takes(rank - 1) <= patience, "{latency:?} {slow:?} {patience}");
                    // And few of those that are quick enough are left out.
                    let beyond = rank.saturating_add(3 << SHIFT);
                    assert!(takes(beyond) > patience, "{latency:?} {slow:?} {patience}");
                }
            }
        }
    }
}
