//! Copies of a trace laid over each other, without an array of them all: any arrival can be had without those before it.
//!
//! A copy goes round the trace, whose end is followed by its start. It begins at a random place, or is put together of
//! blocks that each begin at one (the circular block bootstrap; source: Politis, Romano, "A circular block-resampling
//! procedure for stationary data", in "Exploring the limits of bootstrap", 1992): each part of the trace is as likely as
//! any other, so the mean rate is the trace's, and what happens within a block stays together.
//!
//! A position is a recorded nanosecond since the start of the run; time is compressed for what a whole number of copies
//! leaves of the rate.

use crate::model::Trace;
use crate::random::Key;
use crate::time::SimTime;

/// About so many arrivals are laid out at a time.
const WINDOW: u64 = 256;

/// The arrivals of all copies, and a place among them. Where there are blocks, it costs eight bytes for each length of
/// one.
#[derive(Debug)]
pub(super) struct Replay<'m> {
    trace: &'m Trace,
    key: Key,
    copies: u64,
    compression: f64,
    /// How long a block is; [`u64::MAX`] where a copy is one.
    block_length: u64,
    /// At most so much of a block is laid out at a time.
    window_length: u64,
    /// How many arrivals come before each block, as far as is known.
    before_block: Vec<u64>,
    /// What is laid out: a part of a block, where it ends in it, and how many arrivals come before the part.
    block: u64,
    to: u64,
    before: u64,
    /// When its arrivals come, in nanoseconds, and which rows of the trace they are; ascending.
    arrivals: Vec<(u64, u32)>,
    /// The next of them.
    next: usize,
}

impl<'m> Replay<'m> {
    pub fn new(trace: &'m Trace, key: Key) -> Self {
        let (copies, compression) = trace.scaling();
        let copies = u64::from(copies);
        // Each copy is looked at for each window, even if none of its arrivals is there.
        let most = WINDOW.max(4 * copies) as f64;
        let window_length = (most / copies as f64 / trace.recorded_rate().per_second() * 1e9) as u64;
        let mut replay = Replay {
            trace,
            key,
            copies,
            compression,
            block_length: trace.bootstrap().map_or(u64::MAX, |block| block.as_nanos()),
            // No run is as long, and no sum of a few overflows.
            window_length: window_length.clamp(1, 1 << 60),
            before_block: vec![0],
            block: 0,
            to: 0,
            before: 0,
            arrivals: Vec::new(),
            next: 0,
        };
        replay.lay_out(0, 0, 0);
        replay
    }

    /// Where a copy's block begins in the trace.
    fn offset(&self, copy: u64, block: u64) -> u64 {
        let copy = self.key.numbered(copy);
        let key = if self.block_length == u64::MAX { copy } else { copy.numbered(block) };
        (key.unit() * self.trace.period().as_nanos() as f64) as u64
    }

    /// How many arrivals come before a place in a trace that is repeated for ever.
    fn recorded_before(&self, place: u64) -> u64 {
        let (times, period) = (self.trace.times(), self.trace.period().as_nanos());
        let inside = times.partition_point(|at| at.as_nanos() < place % period) as u64;
        place / period * times.len() as u64 + inside
    }

    /// How many arrivals of a block come before a position in it.
    fn in_block_before(&self, block: u64, position: u64) -> u64 {
        let of_copy = |copy| {
            let offset = self.offset(copy, block);
            self.recorded_before(offset.saturating_add(position)) - self.recorded_before(offset)
        };
        (0..self.copies).map(of_copy).sum()
    }

    fn before_block(&mut self, block: u64) -> u64 {
        while self.before_block.len() as u64 <= block {
            let last = self.before_block.len() as u64 - 1;
            let count = self.in_block_before(last, self.block_length);
            self.before_block.push(self.before_block[last as usize] + count);
        }
        self.before_block[block as usize]
    }

    /// When an arrival at this position comes. It never decreases from position to position.
    fn time_of(&self, position: u64) -> u64 {
        (position as f64 / self.compression) as u64
    }

    /// How many come before `time`.
    pub fn index_before(&mut self, time: SimTime) -> u64 {
        // The first position that does not: times are compared as they come out of `time_of`.
        let time = time.as_nanos();
        let mut position = (time as f64 * self.compression) as u64;
        while position > 0 && self.time_of(position - 1) >= time {
            position -= 1;
        }
        while self.time_of(position) < time {
            position += 1;
        }
        let block = position / self.block_length;
        self.before_block(block) + self.in_block_before(block, position % self.block_length)
    }

    /// Goes to the arrival of this ordinal.
    pub fn seek(&mut self, ordinal: u64) {
        let here =
            |replay: &Self| (replay.before..replay.before + replay.arrivals.len() as u64).contains(&ordinal);
        // What comes next is mostly near.
        if ordinal == self.before + self.arrivals.len() as u64 {
            self.lay_out_next();
        }
        if !here(self) {
            self.lay_out_window_of(ordinal);
        }
        self.next = (ordinal - self.before) as usize;
    }

    fn lay_out_window_of(&mut self, ordinal: u64) {
        let mut block = 0;
        if self.block_length < u64::MAX {
            while self.before_block[self.before_block.len() - 1] <= ordinal {
                self.before_block(self.before_block.len() as u64);
            }
            block = self.before_block.partition_point(|before| *before <= ordinal) as u64 - 1;
        }
        let before_block = self.before_block(block);
        let before = |replay: &Self, window: u64| {
            before_block + replay.in_block_before(block, window.saturating_mul(replay.window_length))
        };
        // The last window that has no more before it, between bounds that are first found by doubling.
        let (mut low, mut high) = (0, 1);
        while high < self.block_length / self.window_length && before(self, high) <= ordinal {
            (low, high) = (high, 2 * high);
        }
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            match before(self, middle) <= ordinal {
                true => low = middle,
                false => high = middle,
            }
        }
        let before = before(self, low);
        self.lay_out(block, low * self.window_length, before);
        while self.before + self.arrivals.len() as u64 <= ordinal {
            self.lay_out_next();
        }
    }

    fn lay_out_next(&mut self) {
        let before = self.before + self.arrivals.len() as u64;
        match self.to < self.block_length {
            true => self.lay_out(self.block, self.to, before),
            false => self.lay_out(self.block + 1, 0, before),
        }
    }

    fn lay_out(&mut self, block: u64, from: u64, before: u64) {
        let to = from.saturating_add(self.window_length).min(self.block_length);
        let mut arrivals = std::mem::take(&mut self.arrivals);
        arrivals.clear();
        let (times, period) = (self.trace.times(), self.trace.period().as_nanos());
        let start = if block == 0 { 0 } else { block * self.block_length };
        for copy in 0..self.copies {
            let offset = self.offset(copy, block);
            let first = self.recorded_before(offset.saturating_add(from));
            let (mut turn, mut row) = (first / times.len() as u64 * period, first % times.len() as u64);
            loop {
                let position = turn.saturating_add(times[row as usize].as_nanos()) - offset;
                if position >= to {
                    break;
                }
                arrivals.push((self.time_of(start + position), row as u32));
                row += 1;
                if row == times.len() as u64 {
                    (row, turn) = (0, turn.saturating_add(period));
                }
            }
        }
        arrivals.sort_unstable();
        (self.arrivals, self.next) = (arrivals, 0);
        (self.block, self.to, self.before) = (block, to, before);
    }

    /// The next arrival.
    #[inline]
    pub fn next(&mut self) -> SimTime {
        while self.next == self.arrivals.len() {
            self.lay_out_next();
        }
        self.next += 1;
        SimTime::from_nanos(self.arrivals[self.next - 1].0)
    }

    /// Which row of the trace the arrival is that was the next one.
    pub fn row(&self) -> u32 {
        self.arrivals[self.next - 1].1
    }
}
