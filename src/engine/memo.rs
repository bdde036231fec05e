//! What is the same in many runs, kept from one to the next. It saves time and changes no result.

use super::latency_cells::LatencyCells;
use super::poisson::ArrivalPrefixes;
use crate::model::Latency;
use crate::time::SimDuration;

/// What a run has found out that the next one may need, of the same model or of another one. It stays below 2 MiB, but
/// for eight bytes for every 2,048 arrivals.
#[derive(Debug, Clone, Default)]
pub struct Memo {
    pub(super) prefixes: ArrivalPrefixes,
    pub(super) latencies: LatencyMemo,
}

/// The latencies whose draws are counted.
#[derive(Debug, Clone, Default)]
pub(super) struct LatencyMemo(Vec<LatencyCells>);

impl LatencyMemo {
    /// So many are kept from run to run.
    const MOST: usize = 32;
    /// For fewer draws than this, to make cells costs more than they save.
    const WORTH_IT: u64 = 10_000;

    /// The cells of a latency that is slowed down by a factor; `None` if there are none and so few draws are not worth
    /// them.
    pub fn cells(&mut self, latency: Latency, slow: Option<f64>, draws: u64) -> Option<&mut LatencyCells> {
        let known = self.0.iter().position(|cells| cells.are_of(latency, slow));
        if known.is_none() && draws < Self::WORTH_IT {
            return None;
        }
        let index = known.unwrap_or_else(|| {
            self.0.push(LatencyCells::new(latency, slow));
            self.0.len() - 1
        });
        Some(&mut self.0[index])
    }

    /// A run is over: tells what was counted in it, and starts anew.
    pub fn tell(&mut self, mut latencies: impl FnMut(SimDuration, u64)) {
        self.0.iter_mut().for_each(|cells| cells.tell(&mut latencies));
        if self.0.len() > Self::MOST {
            self.0.clear();
        }
    }
}
