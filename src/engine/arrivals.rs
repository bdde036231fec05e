//! When requests arrive: one stream in order of time, for each kind of [`Arrivals`], that can be entered anywhere.
//!
//! What changes the rate over time, a profile or traffic that switches itself on and off, is a map from the time in which
//! arrivals are made to another. It comes with a function back that agrees with it to the nanosecond, so "how many
//! before an instant" is asked of the unchanged arrivals.

use super::poisson::{ArrivalPrefixes, PoissonCells};
use super::renewal::Renewals;
use super::replay::Replay;
use super::switching::Switching;
use crate::model::{Arrivals, Profile, Rate, Traffic};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// The arrival times of one run, in order, all before the end, and a place among them.
#[derive(Debug)]
pub(super) struct ArrivalStream<'m> {
    source: Source<'m>,
    /// Maps what the source says to the time of the run.
    profile: Option<&'m Profile>,
    end: SimTime,
    /// The arrival that the stream stands at: its place in the order, and when it comes.
    ordinal: u64,
    next_at: SimTime,
    /// Whether anybody asks for rows of a trace; which one this arrival is then, and which one was the last.
    tells_rows: bool,
    row: u32,
    last_row: u32,
}

#[derive(Debug)]
enum Source<'m> {
    Constant { nanos_between: f64 },
    Poisson(PoissonCells<'m>),
    Renewal(Renewals),
    OnOff { cells: PoissonCells<'m>, switching: Switching, end: SimTime },
    Recorded(&'m [SimTime]),
    Replayed(Replay<'m>),
}

impl<'m> ArrivalStream<'m> {
    /// The arrivals that belong to `key`, from the start of the run until `duration` has passed.
    pub fn new(
        traffic: &'m Traffic,
        key: Key,
        duration: SimDuration,
        prefixes: &'m mut ArrivalPrefixes,
    ) -> Self {
        let profile = traffic.profile.as_ref();
        // A profile's own time passes as fast as that of the run where its factor is highest.
        let peak = profile.map_or(1.0, Profile::peak);
        let between = |rate: Rate| 1e9 / rate.per_second() / peak;
        let end = SimTime::START.after(duration);
        let source = match &traffic.arrivals {
            Arrivals::Constant(rate) => Source::Constant { nanos_between: between(*rate) },
            Arrivals::Poisson(rate) => Source::Poisson(PoissonCells::new(between(*rate), key, prefixes)),
            Arrivals::Renewal(renewal) => {
                Source::Renewal(Renewals::new(renewal, between(renewal.rate()), key))
            }
            Arrivals::OnOff(on_off) => Source::OnOff {
                cells: PoissonCells::new(between(on_off.rate()) * on_off.share_on(), key, prefixes),
                switching: Switching::new(on_off, key),
                end: profile.map_or(end, |profile| profile.operational(end)),
            },
            Arrivals::Trace(trace) if trace.is_resampled() => Source::Replayed(Replay::new(trace, key)),
            Arrivals::Trace(trace) => Source::Recorded(trace.times()),
            // When they ask depends on the run: [`super::users`].
            Arrivals::Users(_) => Source::Recorded(&[]),
        };
        let mut stream = ArrivalStream {
            source,
            profile,
            end,
            ordinal: 0,
            next_at: SimTime::NEVER,
            tells_rows: traffic.asks_by_row(),
            row: 0,
            last_row: 0,
        };
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
            match &mut self.source {
                Source::Poisson(cells) | Source::OnOff { cells, .. } => cells.seek(ordinal),
                Source::Renewal(renewals) => renewals.seek(ordinal),
                Source::Replayed(replay) => replay.seek(ordinal),
                Source::Constant { .. } | Source::Recorded(_) => {}
            }
            self.next_at = self.read();
        }
    }

    #[inline]
    fn read(&mut self) -> SimTime {
        let at = match &mut self.source {
            Source::Constant { nanos_between } => evenly(self.ordinal, *nanos_between),
            Source::Poisson(cells) => cells.next(),
            Source::Renewal(renewals) => renewals.next(),
            Source::OnOff { cells, switching, end } => switching.instant(cells.next(), *end),
            Source::Recorded(times) => times.get(self.ordinal as usize).copied().unwrap_or(SimTime::NEVER),
            Source::Replayed(replay) => replay.next(),
        };
        if self.tells_rows {
            self.note_row();
        }
        let at = match self.profile {
            Some(profile) => profile.instant(at),
            None => at,
        };
        if at < self.end { at } else { SimTime::NEVER }
    }

    fn note_row(&mut self) {
        self.last_row = self.row;
        self.row = match &self.source {
            Source::Replayed(replay) => replay.row(),
            // Past the last row there is none.
            Source::Recorded(times) => self.ordinal.min(times.len() as u64 - 1) as u32,
            _ => 0,
        };
    }

    /// Which row of a trace an arrival is, if anybody asks: the one that the stream stands at, or the one before it.
    #[inline]
    pub fn row(&self, ordinal: u64) -> u32 {
        if ordinal == self.ordinal { self.row } else { self.last_row }
    }

    /// How many arrivals come before `time`: the ordinal of the first one that does not.
    pub fn index_before(&mut self, time: SimTime) -> u64 {
        let time = time.min(self.end);
        let time = self.profile.map_or(time, |profile| profile.operational(time));
        match &mut self.source {
            Source::Constant { nanos_between } => evenly_before(time, *nanos_between),
            Source::Poisson(cells) => cells.index_before(time),
            Source::Renewal(renewals) => renewals.index_before(time),
            Source::OnOff { cells, switching, .. } => cells.index_before(switching.passed(time)),
            Source::Recorded(times) => times.partition_point(|at| *at < time) as u64,
            Source::Replayed(replay) => replay.index_before(time),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Class, Clock, OnOff, Renewal, TokenCount, Trace};

    fn next(stream: &mut ArrivalStream) -> Option<SimTime> {
        let at = stream.next_at();
        stream.advance();
        (at < SimTime::NEVER).then_some(at)
    }

    fn all(arrivals: &Arrivals, run: u64, secs: u64) -> Vec<SimTime> {
        let mut prefixes = ArrivalPrefixes::default();
        let (traffic, duration) = (Traffic::new(arrivals.clone()), SimDuration::from_secs(secs));
        let mut stream = ArrivalStream::new(&traffic, Key::for_run(1, run), duration, &mut prefixes);
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

    /// However copies are laid over each other, an arrival knows which row it is: it lies as far behind it as its copy was
    /// rotated by.
    #[test]
    fn an_arrival_is_a_row_of_its_trace() {
        let count = bursts().len() as u32;
        let tokens: Vec<u32> = (0..count).collect();
        for rate in [None, Rate::new(15.0), Rate::new(3.0)] {
            let trace =
                Trace::new(bursts(), rate).unwrap().with_tokens(tokens.clone(), tokens.clone()).unwrap();
            let (copies, compression) = trace.scaling();
            let period = trace.period().as_nanos() as i128;
            let own = || TokenCount::Recorded;
            let class = Class { name: "own".into(), share: 1.0, input_tokens: own(), output_tokens: own() };
            let traffic = Traffic { classes: vec![class], ..Traffic::new(Arrivals::Trace(trace.clone())) };
            let mut prefixes = ArrivalPrefixes::default();
            let duration = SimDuration::from_secs(90);
            let key = Key::for_run(1, 5);
            let mut stream = ArrivalStream::new(&traffic, key, duration, &mut prefixes);
            let mut rotations: Vec<i128> = vec![];
            let mut ordinal = 0;
            while stream.next_at() < SimTime::NEVER {
                let at = (stream.next_at().as_nanos() as f64 * compression) as i128;
                let row = stream.row(ordinal);
                assert!(row < count);
                rotations.push((at - i128::from(trace.times()[row as usize].as_nanos())).rem_euclid(period));
                stream.advance();
                assert_eq!(stream.row(ordinal), row, "the last one's is still known");
                ordinal += 1;
            }
            assert!(ordinal > 200);
            rotations.sort_unstable();
            // Compressed times are rounded.
            rotations.dedup_by(|one, other| *one - *other < 9);
            assert_eq!(rotations.len() as u32, copies, "{rotations:?}");
        }
    }

    /// Every kind of arrivals, dense and sparse, some of them many in a nanosecond.
    fn kinds() -> Vec<Arrivals> {
        let rate = |rate| Rate::new(rate).unwrap();
        let millis = SimDuration::from_millis;
        let bursts = |rate| Trace::new(bursts(), rate).unwrap();
        let mut kinds = vec![
            Arrivals::Constant(rate(7.3)),
            Arrivals::Constant(rate(3e9)),
            Arrivals::Poisson(rate(155.56)),
            Arrivals::Poisson(rate(0.02)),
            Arrivals::Poisson(rate(3e9)),
            Arrivals::Trace(bursts(None)),
            Arrivals::Trace(bursts(Rate::new(12.3))),
            Arrivals::Trace(bursts(Rate::new(0.7))),
            Arrivals::Trace(bursts(None).with_bootstrap(millis(7000)).unwrap()),
            Arrivals::Trace(bursts(Rate::new(30.0)).with_bootstrap(millis(400)).unwrap()),
            Arrivals::Trace(bursts(Rate::new(1.0)).with_bootstrap(SimDuration::from_secs(1000)).unwrap()),
        ];
        for (per_second, cv) in [(155.56, 3.0), (20.0, 0.2), (0.05, 1.0), (40.0, 30.0), (3e9, 2.0)] {
            kinds.push(Arrivals::Renewal(Renewal::new(rate(per_second), cv).unwrap()));
        }
        for (per_second, on, off) in [(50.0, 10_000, 50_000), (5.0, 2, 30), (100.0, 1000, 1), (3e9, 1, 1)] {
            kinds.push(Arrivals::OnOff(OnOff::new(rate(per_second), millis(on), millis(off)).unwrap()));
        }
        kinds
    }

    fn profiles() -> Vec<Option<Profile>> {
        let at = |seconds| SimTime::START.after(SimDuration::from_secs(seconds));
        let secs = SimDuration::from_secs;
        let clock = Clock::new(6, 59, 30, "").unwrap();
        vec![
            None,
            Profile::steps(&[(at(20), 0.0), (at(30), 4.0), (at(60), 0.3)]),
            Profile::ramp(at(10), secs(50), 0.0, 3.0),
            Profile::spike(at(30), 5.0, secs(1), secs(10), secs(20)),
            Profile::daily(&std::array::from_fn(|hour| (hour % 7) as f64), &clock),
        ]
    }

    /// Whatever has been asked before, a stream knows how many arrivals come before an instant, and can go anywhere.
    #[test]
    fn a_stream_can_be_entered_anywhere() {
        for (arrivals, profile) in
            kinds().into_iter().flat_map(|kind| profiles().into_iter().map(move |p| (kind.clone(), p)))
        {
            let is_trace = matches!(arrivals, Arrivals::Trace(_));
            if is_trace && profile.is_some() {
                continue;
            }
            let is_dense = arrivals.mean_rate().per_second() > 1e9;
            let duration = if is_dense { SimDuration::from_nanos(4000) } else { SimDuration::from_secs(90) };
            let traffic = Traffic { profile, ..Traffic::new(arrivals) };
            let mut prefixes = ArrivalPrefixes::default();
            // The prefixes of other runs are of no use, those of the same are.
            for run in [3, 4, 4] {
                let key = Key::for_run(1, run);
                let times: Vec<SimTime> = {
                    let mut fresh = ArrivalPrefixes::default();
                    let mut stream = ArrivalStream::new(&traffic, key, duration, &mut fresh);
                    std::iter::from_fn(|| next(&mut stream)).collect()
                };
                assert!(times.is_sorted());
                let mut stream = ArrivalStream::new(&traffic, key, duration, &mut prefixes);
                let end = SimTime::START.after(duration);
                // At most so many are tried.
                let some = times.iter().step_by(1 + times.len() / 300);
                let instants = (some
                    .flat_map(|t| [t.as_nanos().saturating_sub(1), t.as_nanos(), t.as_nanos() + 1]))
                .chain([0, end.as_nanos() - 1, end.as_nanos(), end.as_nanos() + 9])
                .chain((0..200).map(|i| duration.scaled(key.numbered(i).unit()).as_nanos()));
                // In leaps to and fro.
                let mut instants: Vec<SimTime> = instants.map(SimTime::from_nanos).collect();
                instants.sort_by_key(|t| Key::for_run(t.as_nanos(), 0).unit().to_bits());
                for time in instants {
                    let index = times.partition_point(|at| *at < time);
                    assert_eq!(stream.index_before(time), index as u64, "{traffic:?} {time:?}");
                    stream.seek(index as u64);
                    for nth in index..index + 3 {
                        assert_eq!(next(&mut stream), times.get(nth).copied(), "{traffic:?} {nth}");
                    }
                }
            }
        }
    }
}
