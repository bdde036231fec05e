//! A renewal process: arrivals whose gaps are independent and have one distribution, here the gamma distribution with a
//! given coefficient of variation. Above 1 arrivals come in bursts, below 1 they are more even than independent ones.
//!
//! A gap belongs to its ordinal. So that the process can be entered anywhere, it is remembered where every 256th arrival
//! lies. Positions are counted in mean gaps; the rate only maps them to times, so that a sweep over it keeps the same
//! arrivals, stretched.

use crate::model::Renewal;
use crate::random::{Gamma, Key};
use crate::time::SimTime;
use rand_distr::Distribution;

/// So many arrivals are laid out at a time.
const BLOCK: u64 = 256;

/// The arrivals of one process at one rate, and a place among them. It costs eight bytes for 256 arrivals.
#[derive(Debug)]
pub(super) struct Renewals {
    gaps: Key,
    gap: Gamma,
    /// What a gap of the distribution is in mean gaps.
    scale: f64,
    nanos_between: f64,
    /// Where the last arrival before each block lies, as far as is known.
    starts: Vec<f64>,
    /// The block that is laid out, and when its arrivals come, in nanoseconds.
    block: u64,
    times: Vec<u64>,
    /// The next of them.
    next: usize,
}

impl Renewals {
    pub fn new(renewal: &Renewal, nanos_between: f64, key: Key) -> Self {
        let variance = renewal.cv() * renewal.cv();
        let mut renewals = Renewals {
            gaps: key.named("gaps"),
            gap: Gamma::new(1.0 / variance),
            scale: variance,
            nanos_between,
            starts: vec![0.0],
            block: 0,
            times: Vec::with_capacity(BLOCK as usize),
            next: 0,
        };
        renewals.lay_out(0);
        renewals
    }

    /// The run begins in the middle of things: at an instant that nobody chose, the gap that it falls into is drawn in
    /// proportion to its length, and any place in it is as likely as another. A gamma distribution in proportion to its
    /// value is one whose shape is higher by one. Source: Cox, "Renewal Theory" (1962), section 5.4.
    fn gap(&self, ordinal: u64) -> f64 {
        let key = self.gaps.numbered(ordinal);
        match ordinal {
            0 => key.named("phase").unit() * self.gap.longer().sample(&mut key.rng()),
            _ => self.gap.sample(&mut key.rng()),
        }
    }

    /// When an arrival at this position comes. It never decreases from position to position.
    fn time_of(&self, position: f64) -> SimTime {
        SimTime::from_nanos((position * self.nanos_between) as u64)
    }

    /// Where the arrivals of a block lie.
    fn positions(&self, block: u64) -> impl Iterator<Item = f64> {
        let mut position = self.starts[block as usize];
        (block * BLOCK..(block + 1) * BLOCK).map(move |ordinal| {
            position += self.gap(ordinal) * self.scale;
            position
        })
    }

    /// How many blocks it is known of where they start.
    fn known(&self) -> u64 {
        self.starts.len() as u64
    }

    /// Finds out where the next block starts.
    fn extend(&mut self) {
        let end = self.positions(self.known() - 1).fold(0.0, |_, position| position);
        self.starts.push(end);
    }

    /// Lays out a block of which it is known where it starts.
    fn lay_out(&mut self, block: u64) {
        let (mut times, mut end) = (std::mem::take(&mut self.times), 0.0);
        times.clear();
        for position in self.positions(block) {
            times.push(self.time_of(position).as_nanos());
            end = position;
        }
        if self.known() == block + 1 {
            self.starts.push(end);
        }
        (self.times, self.block, self.next) = (times, block, 0);
    }

    /// How many come before `time`.
    pub fn index_before(&mut self, time: SimTime) -> u64 {
        while self.time_of(self.starts[self.starts.len() - 1]) < time {
            self.extend();
        }
        // The first block whose last arrival does not.
        let block = self.starts[1..].partition_point(|last| self.time_of(*last) < time) as u64;
        let in_block = match block == self.block {
            true => self.times.partition_point(|at| *at < time.as_nanos()),
            false => self.positions(block).take_while(|position| self.time_of(*position) < time).count(),
        };
        block * BLOCK + in_block as u64
    }

    /// Goes to the arrival of this ordinal.
    pub fn seek(&mut self, ordinal: u64) {
        let block = ordinal / BLOCK;
        while self.known() <= block {
            self.extend();
        }
        if self.block != block {
            self.lay_out(block);
        }
        self.next = (ordinal % BLOCK) as usize;
    }

    /// The next arrival.
    #[inline]
    pub fn next(&mut self) -> SimTime {
        if self.next == self.times.len() {
            self.lay_out(self.block + 1);
        }
        self.next += 1;
        SimTime::from_nanos(self.times[self.next - 1])
    }
}
