//! When requests arrive: one stream in order of time, for each kind of [`Arrivals`].

use crate::model::{Arrivals, Rate, Trace};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// The arrival times of one run, in order, all before the end.
#[derive(Debug)]
pub(super) struct ArrivalStream<'m> {
    source: Source<'m>,
    end: SimTime,
}

#[derive(Debug)]
enum Source<'m> {
    Constant { nanos_between: f64, ordinal: u64 },
    Poisson(Box<PoissonCells>),
    Recorded { times: &'m [SimTime], next: usize },
    Generated(std::vec::IntoIter<SimTime>),
}

impl<'m> ArrivalStream<'m> {
    /// The arrivals that belong to `key`, from the start of the run until `duration` has passed.
    pub fn new(arrivals: &'m Arrivals, key: Key, duration: SimDuration) -> Self {
        let source = match arrivals {
            Arrivals::Constant(rate) => Source::Constant { nanos_between: nanos_between(*rate), ordinal: 0 },
            Arrivals::Poisson(rate) => Source::Poisson(Box::new(PoissonCells::new(*rate, key))),
            Arrivals::Trace(trace) if trace.rate().is_some() => {
                Source::Generated(superpose(trace, key, duration).into_iter())
            }
            Arrivals::Trace(trace) => Source::Recorded { times: trace.times(), next: 0 },
        };
        ArrivalStream { source, end: SimTime::START.after(duration) }
    }

    /// The next arrival; [`SimTime::NEVER`] when there are no more.
    #[inline]
    pub fn next(&mut self) -> SimTime {
        let at = match &mut self.source {
            Source::Constant { nanos_between, ordinal } => {
                let nanos = (*ordinal as f64 + 0.5) * *nanos_between;
                *ordinal += 1;
                SimTime::from_nanos(nanos as u64)
            }
            Source::Poisson(cells) => cells.next(),
            Source::Recorded { times, next } => {
                let at = times.get(*next).copied().unwrap_or(SimTime::NEVER);
                *next += 1;
                at
            }
            Source::Generated(times) => times.next().unwrap_or(SimTime::NEVER),
        };
        if at < self.end { at } else { SimTime::NEVER }
    }
}

fn nanos_between(rate: Rate) -> f64 {
    1e9 / rate.per_second()
}

/// How many arrivals a cell holds on average; its count's table and the size of its sort follow from it.
const CELL: f64 = 32.0;

/// A Poisson process, built from cells of 32 expected arrivals.
///
/// A cell's count comes from the Poisson distribution by inversion and its arrivals lie uniformly in it; both belong to
/// the cell's number alone. The rate only maps positions to times, so that a sweep over the rate keeps the same
/// arrivals, stretched.
#[derive(Debug)]
struct PoissonCells {
    nanos_between: f64,
    key: Key,
    cell: u64,
    /// When the arrivals of the current cell come, in nanoseconds, descending, so that the next one is popped off the end.
    times: Vec<u64>,
    /// P(count <= n), scaled to 2^64.
    cumulative: Vec<u64>,
}

impl PoissonCells {
    fn new(rate: Rate, key: Key) -> Self {
        let mut cumulative = Vec::with_capacity(96);
        let mut probability = libm::exp(-CELL);
        let mut sum = 0.0;
        // Past 90 the tail weighs less than 2^-53, the grain of the sum.
        for n in 1..=90u32 {
            sum += probability;
            cumulative.push((sum * 18_446_744_073_709_551_616.0) as u64);
            probability *= CELL / f64::from(n);
        }
        PoissonCells {
            nanos_between: nanos_between(rate),
            key,
            cell: 0,
            times: Vec::with_capacity(96),
            cumulative,
        }
    }

    #[inline]
    fn next(&mut self) -> SimTime {
        loop {
            match self.times.pop() {
                Some(nanos) => return SimTime::from_nanos(nanos),
                None => self.fill(),
            }
        }
    }

    fn fill(&mut self) {
        let mut rng = self.key.numbered(self.cell).rng();
        let draw = rng.next();
        let count = self.cumulative.partition_point(|&p| p <= draw);
        // First where they lie in the cell, then, for all of them at once, when that is.
        self.times.extend((0..count).map(|_| rng.next()));
        self.times.sort_unstable_by(|a, b| b.cmp(a));
        for time in &mut self.times {
            let in_cell = *time as f64 * (1.0 / 18_446_744_073_709_551_616.0);
            *time = ((self.cell as f64 + in_cell) * CELL * self.nanos_between) as u64;
        }
        self.cell += 1;
    }
}

/// Lays rotated copies of a trace over each other; see [`Trace`].
fn superpose(trace: &Trace, key: Key, duration: SimDuration) -> Vec<SimTime> {
    let (copies, compression) = trace.scaling();
    let period = trace.period().as_nanos();
    let recorded_duration = duration.as_nanos() as f64 * compression;
    let mut arrivals = Vec::new();
    for copy in 0..copies {
        let offset = (key.numbered(u64::from(copy)).unit() * period as f64) as u64;
        let first = trace.times().partition_point(|t| t.as_nanos() < offset);
        let mut turn = 0u64;
        let mut next = first;
        loop {
            if next == trace.times().len() {
                next = 0;
                turn += period;
            }
            let recorded = (turn + trace.times()[next].as_nanos() - offset) as f64;
            if recorded >= recorded_duration {
                break;
            }
            arrivals.push(SimTime::from_nanos((recorded / compression) as u64));
            next += 1;
        }
    }
    // Each copy is ascending, and a stable sort merges ascending stretches.
    arrivals.sort();
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(arrivals: &Arrivals, run: u64, secs: u64) -> Vec<SimTime> {
        let mut stream = ArrivalStream::new(arrivals, Key::for_run(1, run), SimDuration::from_secs(secs));
        let times: Vec<SimTime> =
            std::iter::from_fn(|| Some(stream.next()).filter(|t| *t < SimTime::NEVER)).collect();
        assert!(times.is_sorted());
        assert!(times.iter().all(|t| *t < SimTime::START.after(SimDuration::from_secs(secs))));
        times
    }

    #[test]
    fn a_constant_rate_is_even() {
        let times = all(&Arrivals::Constant(Rate::new(4.0).unwrap()), 0, 1);
        let millis: Vec<f64> = times.iter().map(|t| t.as_millis_f64()).collect();
        assert_eq!(millis, [125.0, 375.0, 625.0, 875.0]);
    }

    /// Counts in windows have mean and variance rate x time, gaps are exponential: across cells, too.
    #[test]
    fn poisson_counts_and_gaps_have_their_distribution() {
        let arrivals = Arrivals::Poisson(Rate::new(10.0).unwrap());
        let runs = 2000;
        let counts: Vec<f64> = (0..runs).map(|run| all(&arrivals, run, 7).len() as f64).collect();
        let mean = counts.iter().sum::<f64>() / runs as f64;
        let variance = counts.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / (runs - 1) as f64;
        // Mean 70, variance 70: four standard errors.
        assert!((mean - 70.0).abs() < 4.0 * (70.0 / runs as f64).sqrt(), "{mean}");
        assert!((variance - 70.0).abs() < 4.0 * 70.0 * (2.0 / runs as f64).sqrt(), "{variance}");

        let times = all(&arrivals, 0, 20_000);
        let gaps: Vec<f64> = times.windows(2).map(|w| w[1].since(w[0]).as_secs_f64() * 10.0).collect();
        let n = gaps.len() as f64;
        let long = gaps.iter().filter(|g| **g > 2.0).count() as f64 / n;
        let expected = libm::exp(-2.0);
        assert!((long - expected).abs() < 4.0 * (expected * (1.0 - expected) / n).sqrt(), "{long}");
    }

    #[test]
    fn a_higher_rate_keeps_the_same_arrivals_closer_together() {
        let slow = all(&Arrivals::Poisson(Rate::new(10.0).unwrap()), 3, 100);
        let fast = all(&Arrivals::Poisson(Rate::new(20.0).unwrap()), 3, 50);
        assert_eq!(slow.len(), fast.len());
        for (slow, fast) in slow.iter().zip(&fast) {
            assert!((slow.as_nanos() / 2).abs_diff(fast.as_nanos()) <= 1);
        }
    }

    #[test]
    fn a_scaled_trace_has_its_rate_and_every_run_its_own_offsets() {
        // Bursts: 50 requests in the first second of every ten.
        let times: Vec<SimTime> = (0..500u64)
            .map(|i| SimTime::from_nanos((i / 50) * 10_000_000_000 + (i % 50) * 20_000_000))
            .collect();
        let trace = Trace::new(times, Rate::new(52.0)).unwrap();
        let arrivals = Arrivals::Trace(trace);
        let one = all(&arrivals, 0, 1000);
        assert!((one.len() as f64 / 52_000.0 - 1.0).abs() < 0.01, "{}", one.len());
        assert_ne!(one, all(&arrivals, 1, 1000));
        assert_eq!(one, all(&arrivals, 0, 1000));
    }
}
