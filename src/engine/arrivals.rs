//! When requests arrive: one stream in order of time, for each kind of [`Arrivals`], that can be entered anywhere.

use super::poisson::{ArrivalPrefixes, PoissonCells};
use crate::model::{Arrivals, Rate, Trace};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// The arrival times of one run, in order, all before the end, and a place among them.
#[derive(Debug)]
pub(super) struct ArrivalStream<'m> {
    source: Source<'m>,
    end: SimTime,
    /// The arrival that the stream stands at: its place in the order, and when it comes.
    ordinal: u64,
    next_at: SimTime,
}

#[derive(Debug)]
enum Source<'m> {
    Constant { nanos_between: f64 },
    Poisson(PoissonCells<'m>),
    Recorded(&'m [SimTime]),
    Generated(Vec<SimTime>),
}

impl<'m> ArrivalStream<'m> {
    /// The arrivals that belong to `key`, from the start of the run until `duration` has passed.
    pub fn new(
        arrivals: &'m Arrivals,
        key: Key,
        duration: SimDuration,
        prefixes: &'m mut ArrivalPrefixes,
    ) -> Self {
        let source = match arrivals {
            Arrivals::Constant(rate) => Source::Constant { nanos_between: nanos_between(*rate) },
            Arrivals::Poisson(rate) => {
                Source::Poisson(PoissonCells::new(nanos_between(*rate), key, prefixes))
            }
            Arrivals::Trace(trace) if trace.rate().is_some() => {
                Source::Generated(superpose(trace, key, duration))
            }
            Arrivals::Trace(trace) => Source::Recorded(trace.times()),
            // When they ask depends on the run: [`super::users`].
            Arrivals::Users(_) => Source::Recorded(&[]),
        };
        let end = SimTime::START.after(duration);
        let mut stream = ArrivalStream { source, end, ordinal: 0, next_at: SimTime::NEVER };
        stream.next_at = stream.read();
        stream
    }

    /// When the arrival comes that the stream stands at; [`SimTime::NEVER`] if there are no more.
    #[inline(always)]
    pub fn next_at(&self) -> SimTime {
        self.next_at
    }

    /// Goes on to the next arrival.
    #[inline]
    pub fn advance(&mut self) {
        self.ordinal += 1;
        self.next_at = self.read();
    }

    /// Goes to the arrival of this ordinal, counted from 0.
    pub fn seek(&mut self, ordinal: u64) {
        if ordinal != self.ordinal {
            self.ordinal = ordinal;
            if let Source::Poisson(cells) = &mut self.source {
                cells.seek(ordinal);
            }
            self.next_at = self.read();
        }
    }

    #[inline]
    fn read(&mut self) -> SimTime {
        let nth = |times: &[SimTime]| times.get(self.ordinal as usize).copied().unwrap_or(SimTime::NEVER);
        let at = match &mut self.source {
            Source::Constant { nanos_between } => evenly(self.ordinal, *nanos_between),
            Source::Poisson(cells) => cells.next(),
            Source::Recorded(times) => nth(times),
            Source::Generated(times) => nth(times),
        };
        if at < self.end { at } else { SimTime::NEVER }
    }

    /// How many arrivals come before `time`: the ordinal of the first one that does not.
    pub fn index_before(&mut self, time: SimTime) -> u64 {
        let time = time.min(self.end);
        let of = |times: &[SimTime]| times.partition_point(|at| *at < time) as u64;
        match &mut self.source {
            Source::Constant { nanos_between } => evenly_before(time, *nanos_between),
            Source::Poisson(cells) => cells.index_before(time),
            Source::Recorded(times) => of(times),
            Source::Generated(times) => of(times),
        }
    }
}

fn nanos_between(rate: Rate) -> f64 {
    1e9 / rate.per_second()
}

/// The evenly spaced arrival of this ordinal.
#[inline]
fn evenly(ordinal: u64, nanos_between: f64) -> SimTime {
    SimTime::from_nanos(((ordinal as f64 + 0.5) * nanos_between) as u64)
}

/// How many evenly spaced arrivals come before `time`.
fn evenly_before(time: SimTime, nanos_between: f64) -> u64 {
    // Times are compared as they come out of `evenly`: what is solved for the ordinal may be rounded otherwise.
    let mut count = (time.as_nanos() as f64 / nanos_between) as u64;
    while count > 0 && evenly(count - 1, nanos_between) >= time {
        count -= 1;
    }
    while evenly(count, nanos_between) < time {
        count += 1;
    }
    count
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
    in_order(&arrivals)
}

/// The times in ascending order. They are dealt into about as many buckets of equal length first, where each copy of a
/// trace goes through the buckets in order: that costs half of a sort, as few are left to be sorted together.
fn in_order(times: &[SimTime]) -> Vec<SimTime> {
    let last = times.iter().copied().max().unwrap_or(SimTime::START).as_nanos();
    let shift = (u64::BITS - last.leading_zeros()).saturating_sub(times.len().max(1).ilog2());
    let bucket = |time: &SimTime| (time.as_nanos() >> shift) as usize;
    let mut starts = vec![0_usize; bucket(&SimTime::from_nanos(last)) + 2];
    times.iter().for_each(|time| starts[bucket(time) + 1] += 1);
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    let mut dealt = vec![SimTime::START; times.len()];
    for time in times {
        let place = &mut starts[bucket(time)];
        dealt[*place] = *time;
        *place += 1;
    }
    // Each bucket now starts where the one before it ends.
    let mut start = 0;
    for end in starts {
        if end > start + 1 {
            dealt[start..end].sort_unstable();
        }
        start = end;
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_out_in_order_however_they_are_spread() {
        let spreads: [fn(u64) -> u64; 5] = [
            |i| i,
            |_| 7,
            |i| i * i * i,
            |i| (i * 7919) % 997,
            |i| if i % 50 == 0 { 1 << 50 } else { i % 3 },
        ];
        for spread in spreads {
            for count in [0, 1, 2, 3, 5, 64, 1000] {
                let times: Vec<SimTime> = (0..count).map(|i| SimTime::from_nanos(spread(i))).collect();
                let mut sorted = times.clone();
                sorted.sort();
                assert_eq!(in_order(&times), sorted);
            }
        }
    }

    fn next(stream: &mut ArrivalStream) -> Option<SimTime> {
        let at = stream.next_at();
        stream.advance();
        (at < SimTime::NEVER).then_some(at)
    }

    fn all(arrivals: &Arrivals, run: u64, secs: u64) -> Vec<SimTime> {
        let mut prefixes = ArrivalPrefixes::default();
        let duration = SimDuration::from_secs(secs);
        let mut stream = ArrivalStream::new(arrivals, Key::for_run(1, run), duration, &mut prefixes);
        let times: Vec<SimTime> = std::iter::from_fn(|| next(&mut stream)).collect();
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

    /// Bursts of 50 requests in the first second of every ten, and some at the same instant.
    fn bursts() -> Vec<SimTime> {
        let at = |i: u64| (i / 50) * 10_000_000_000 + (i % 50) / 2 * 40_000_000;
        (0..500).map(|i| SimTime::from_nanos(at(i))).collect()
    }

    /// Whatever has been asked before, a stream knows how many arrivals come before an instant, and can go anywhere.
    #[test]
    fn a_stream_can_be_entered_anywhere() {
        for arrivals in [
            Arrivals::Constant(Rate::new(7.3).unwrap()),
            Arrivals::Constant(Rate::new(3e9).unwrap()),
            Arrivals::Poisson(Rate::new(155.56).unwrap()),
            Arrivals::Poisson(Rate::new(0.02).unwrap()),
            // Many arrivals in one nanosecond.
            Arrivals::Poisson(Rate::new(3e9).unwrap()),
            Arrivals::Trace(Trace::new(bursts(), None).unwrap()),
            Arrivals::Trace(Trace::new(bursts(), Rate::new(12.3)).unwrap()),
        ] {
            let is_dense = arrivals.mean_rate().per_second() > 1e9;
            let duration = if is_dense { SimDuration::from_nanos(4000) } else { SimDuration::from_secs(90) };
            let mut prefixes = ArrivalPrefixes::default();
            // The prefixes of other runs are of no use, those of the same are.
            for run in [3, 4, 4] {
                let key = Key::for_run(1, run);
                let times: Vec<SimTime> = {
                    let mut fresh = ArrivalPrefixes::default();
                    let mut stream = ArrivalStream::new(&arrivals, key, duration, &mut fresh);
                    std::iter::from_fn(|| next(&mut stream)).collect()
                };
                let mut stream = ArrivalStream::new(&arrivals, key, duration, &mut prefixes);
                let end = SimTime::START.after(duration);
                let instants = (times
                    .iter()
                    .flat_map(|t| [t.as_nanos().saturating_sub(1), t.as_nanos(), t.as_nanos() + 1]))
                .chain([0, end.as_nanos() - 1, end.as_nanos(), end.as_nanos() + 9])
                .chain((0..2000).map(|i| duration.scaled(key.numbered(i).unit()).as_nanos()));
                // In leaps to and fro.
                let mut instants: Vec<SimTime> = instants.map(SimTime::from_nanos).collect();
                instants.sort_by_key(|t| Key::for_run(t.as_nanos(), 0).unit().to_bits());
                for time in instants {
                    let index = times.partition_point(|at| *at < time);
                    assert_eq!(stream.index_before(time), index as u64, "{arrivals:?} {time:?}");
                    stream.seek(index as u64);
                    for nth in index..index + 3 {
                        assert_eq!(next(&mut stream), times.get(nth).copied(), "{arrivals:?} {nth}");
                    }
                }
            }
        }
    }
}
