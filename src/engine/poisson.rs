//! A Poisson process with random access: any arrival can be had without those before it.
//!
//! It is built from cells of 32 expected arrivals. A cell's count comes from the Poisson distribution by inversion and
//! its arrivals lie uniformly in it; both belong to the cell's number alone. The rate only maps positions to times, so
//! that a sweep over the rate keeps the same arrivals, stretched.

use crate::random::Key;
use crate::time::SimTime;
use std::sync::LazyLock;

/// How many arrivals a cell holds on average; its count's table and the size of its sort follow from it.
const CELL: f64 = 32.0;
/// Past 90 the tail weighs less than 2^-53, the grain of the sum.
const COUNT_MAX: usize = 90;

/// The inverse of the distribution of a cell's count.
struct CountTable {
    /// P(count <= n), scaled to 2^64.
    cumulative: [u64; COUNT_MAX],
    /// The count of the smallest draw that starts with these eight bits: where a search begins.
    guide: [u8; 256],
}

static COUNT_TABLE: LazyLock<CountTable> = LazyLock::new(|| {
    let mut cumulative = [0; COUNT_MAX];
    let mut probability = libm::exp(-CELL);
    let mut sum = 0.0;
    for (n, entry) in (1u32..).zip(&mut cumulative) {
        sum += probability;
        *entry = (sum * 18_446_744_073_709_551_616.0) as u64;
        probability *= CELL / f64::from(n);
    }
    let count_of = |draw: u64| cumulative.partition_point(|&p| p <= draw) as u8;
    CountTable { guide: std::array::from_fn(|bits| count_of((bits as u64) << 56)), cumulative }
});

impl CountTable {
    #[inline]
    fn count(&self, draw: u64) -> usize {
        let from = usize::from(self.guide[(draw >> 56) as usize]);
        from + self.cumulative[from..].iter().take_while(|&&p| p <= draw).count()
    }
}

/// How many arrivals come before each block of cells of a Poisson process.
///
/// That depends on the seed and the run alone, neither on the rate nor on anything else of a model, so whoever plays
/// the same run of many models may keep it between them. It costs eight bytes for 2,048 arrivals.
#[derive(Debug, Clone, Default)]
pub struct ArrivalPrefixes {
    /// The process that it is about.
    key: Option<Key>,
    /// Arrivals before each block.
    before: Vec<u64>,
}

const CELLS_IN_BLOCK: u64 = 64;

impl ArrivalPrefixes {
    fn is_for(&mut self, key: Key) {
        if self.key != Some(key) {
            self.key = Some(key);
            self.before.clear();
            self.before.push(0);
        }
    }

    /// Adds the block after the last one.
    fn extend(&mut self, count_of: impl Fn(u64) -> u64) {
        let block = self.before.len() as u64 - 1;
        let cells = block * CELLS_IN_BLOCK..(block + 1) * CELLS_IN_BLOCK;
        self.before.push(self.before[block as usize] + cells.map(count_of).sum::<u64>());
    }

    /// How many arrivals come before a cell.
    fn before_cell(&mut self, cell: u64, count_of: impl Fn(u64) -> u64) -> u64 {
        let block = cell / CELLS_IN_BLOCK;
        while self.before.len() as u64 <= block {
            self.extend(&count_of);
        }
        self.before[block as usize] + (block * CELLS_IN_BLOCK..cell).map(count_of).sum::<u64>()
    }

    /// The first cell of the block that holds the arrival of this ordinal, and how many come before it.
    fn block_of(&mut self, ordinal: u64, count_of: impl Fn(u64) -> u64) -> (u64, u64) {
        while self.before[self.before.len() - 1] <= ordinal {
            self.extend(&count_of);
        }
        let block = self.before.partition_point(|before| *before <= ordinal) - 1;
        (block as u64 * CELLS_IN_BLOCK, self.before[block])
    }
}

/// The arrivals of one process at one rate, and a place among them.
#[derive(Debug)]
pub(super) struct PoissonCells<'p> {
    key: Key,
    nanos_between: f64,
    table: &'static CountTable,
    prefixes: &'p mut ArrivalPrefixes,
    /// The cell that is laid out, and how many arrivals come before it.
    cell: u64,
    before: u64,
    /// When its arrivals come, in nanoseconds, ascending.
    times: Vec<u64>,
    /// The next of them.
    next: usize,
}

impl std::fmt::Debug for CountTable {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("CountTable")
    }
}

impl<'p> PoissonCells<'p> {
    pub fn new(nanos_between: f64, key: Key, prefixes: &'p mut ArrivalPrefixes) -> Self {
        prefixes.is_for(key);
        let (table, times) = (&*COUNT_TABLE, Vec::with_capacity(COUNT_MAX));
        let mut cells =
            PoissonCells { key, nanos_between, table, prefixes, cell: 0, before: 0, times, next: 0 };
        cells.lay_out();
        cells
    }

    /// When something at this place in a cell arrives. It never decreases from place to place.
    #[inline]
    fn time_of(&self, cell: u64, in_cell: f64) -> SimTime {
        SimTime::from_nanos(((cell as f64 + in_cell) * CELL * self.nanos_between) as u64)
    }

    #[inline]
    fn time_at(&self, cell: u64, position: u64) -> SimTime {
        self.time_of(cell, position as f64 * (1.0 / 18_446_744_073_709_551_616.0))
    }

    #[inline]
    fn count_of(&self, cell: u64) -> u64 {
        self.table.count(self.key.numbered(cell).rng().next()) as u64
    }

    /// Where the arrivals of a cell lie, in no order.
    #[inline]
    fn positions_in(&self, cell: u64) -> impl Iterator<Item = u64> + use<> {
        let mut rng = self.key.numbered(cell).rng();
        let count = self.table.count(rng.next());
        (0..count).map(move |_| rng.next())
    }

    /// How many come before `time`.
    pub fn index_before(&mut self, time: SimTime) -> u64 {
        // The last cell that starts before: all of those before it are over by then, and those after it are not there.
        let estimate = time.as_nanos() as f64 / (CELL * self.nanos_between);
        let mut cell = estimate as u64;
        while cell > 0 && self.time_of(cell, 0.0) >= time {
            cell -= 1;
        }
        while self.time_of(cell + 1, 0.0) < time {
            cell += 1;
        }
        let in_cell = self.positions_in(cell).filter(|position| self.time_at(cell, *position) < time).count();
        let (key, table) = (self.key, self.table);
        let count_of = |cell| table.count(key.numbered(cell).rng().next()) as u64;
        self.prefixes.before_cell(cell, count_of) + in_cell as u64
    }

    /// Goes to the arrival of this ordinal.
    pub fn seek(&mut self, ordinal: u64) {
        let here = self.before..=self.before + self.times.len() as u64;
        if !here.contains(&ordinal) {
            self.lay_out_cell_of(ordinal);
        }
        self.next = (ordinal - self.before) as usize;
    }

    fn lay_out_cell_of(&mut self, ordinal: u64) {
        let (key, table) = (self.key, self.table);
        let count_of = |cell| table.count(key.numbered(cell).rng().next()) as u64;
        let (first, before) = self.prefixes.block_of(ordinal, count_of);
        // What comes next is mostly near.
        if !(first..first + CELLS_IN_BLOCK).contains(&self.cell) || self.before > ordinal {
            (self.cell, self.before) = (first, before);
        }
        loop {
            let count = self.count_of(self.cell);
            if ordinal < self.before + count {
                break;
            }
            (self.cell, self.before) = (self.cell + 1, self.before + count);
        }
        self.lay_out();
    }

    fn lay_out(&mut self) {
        let (cell, positions) = (self.cell, self.positions_in(self.cell));
        let mut times = std::mem::take(&mut self.times);
        // First where they lie in the cell, then, for all of them at once, when that is.
        times.clear();
        times.extend(positions);
        times.sort_unstable();
        times.iter_mut().for_each(|time| *time = self.time_at(cell, *time).as_nanos());
        (self.times, self.next) = (times, 0);
    }

    /// The next arrival.
    #[inline]
    pub fn next(&mut self) -> SimTime {
        while self.next == self.times.len() {
            self.before += self.times.len() as u64;
            self.cell += 1;
            self.lay_out();
        }
        self.next += 1;
        SimTime::from_nanos(self.times[self.next - 1])
    }
}
