//! Traffic that switches itself on and off: a time change whose factor is 1 or 0 for random periods.
//!
//! Periods are exponential, so the process is a Poisson one whose rate is that of a Markov chain with two states; it
//! begins in the middle of things. Source: Fischer, Meier-Hellstern, "The Markov-modulated Poisson process (MMPP)
//! cookbook", Performance Evaluation 18 (1993).

use crate::model::OnOff;
use crate::random::{Key, UnitExponential};
use crate::time::{SimDuration, SimTime};
use rand_distr::Distribution;

/// So many periods are laid out at a time.
const BLOCK: u64 = 64;

/// Where a period with traffic starts: in the run's time, and in the time that runs while there is traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    at: u64,
    passed: u64,
}

/// When there is traffic. It costs 16 bytes for 64 periods.
#[derive(Debug)]
pub(super) struct Switching {
    periods: Key,
    on: SimDuration,
    off: SimDuration,
    /// The first period of each block, as far as is known.
    blocks: Vec<Start>,
    /// The block that is laid out: its periods, and the first of the next block.
    block: usize,
    starts: Vec<Start>,
}

impl Switching {
    pub fn new(on_off: &OnOff, key: Key) -> Self {
        let (on, off, begins) = (on_off.on(), on_off.off(), key.named("begins"));
        let first = match begins.coin(on_off.share_on()) {
            true => SimDuration::ZERO,
            // What is left of an exponential period has the distribution of a whole one.
            false => off.scaled(UnitExponential.sample(&mut begins.numbered(0).rng())),
        };
        let blocks = vec![Start { at: first.as_nanos(), passed: 0 }];
        let periods = key.named("periods");
        let mut switching = Switching { periods, on, off, blocks, block: 0, starts: Vec::new() };
        switching.lay_out(0);
        switching
    }

    fn lay_out(&mut self, block: usize) {
        self.starts.clear();
        let mut start = self.blocks[block];
        self.starts.push(start);
        for number in block as u64 * BLOCK..(block as u64 + 1) * BLOCK {
            let mut rng = self.periods.numbered(number).rng();
            let [on, off] =
                [self.on, self.off].map(|mean| mean.scaled(UnitExponential.sample(&mut rng)).as_nanos());
            start = Start {
                at: start.at.saturating_add(on).saturating_add(off),
                passed: start.passed.saturating_add(on),
            };
            self.starts.push(start);
        }
        if self.blocks.len() == block + 1 {
            self.blocks.push(start);
        }
        self.block = block;
    }

    /// Lays out the block of the last period of which this does not hold; it has to hold for none before, and for all
    /// after the end of the run.
    fn find(&mut self, is_later: impl Fn(&Start) -> bool) -> usize {
        while !is_later(&self.blocks[self.blocks.len() - 1]) {
            self.lay_out(self.blocks.len() - 1);
        }
        let block = self.blocks.partition_point(|start| !is_later(start)).saturating_sub(1);
        if block != self.block {
            self.lay_out(block);
        }
        self.starts.partition_point(|start| !is_later(start)).saturating_sub(1)
    }

    /// For how long there was traffic before an instant. It never decreases.
    pub fn passed(&mut self, time: SimTime) -> SimTime {
        let time = time.as_nanos();
        let period = self.find(|start| start.at > time || start.at == u64::MAX);
        let (start, next) = (self.starts[period], self.starts[period + 1]);
        SimTime::from_nanos(time.saturating_sub(start.at).min(next.passed - start.passed) + start.passed)
    }

    /// When something happens that has this place in the time with traffic: the last instant at which no more of that has
    /// passed, so it happens before `t` if and only if its place is before `passed(t)`. Anything from `end` on stands
    /// for what comes after it.
    pub fn instant(&mut self, place: SimTime, end: SimTime) -> SimTime {
        let (place, end) = (place.as_nanos(), end.as_nanos());
        let period = self.find(|start| start.passed > place || start.at >= end);
        let (start, next) = (self.starts[period], self.starts[period + 1]);
        match place < next.passed {
            true => SimTime::from_nanos(start.at.saturating_add(place.saturating_sub(start.passed))),
            false => SimTime::from_nanos(next.at),
        }
    }
}
