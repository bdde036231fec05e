//! Who asks, and when.

use super::class::{self, Class, Demand, TokenCount};
use super::{Price, Profile, Retry, Users};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Requests in a second; finite and above zero.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// `None` unless `per_second` is finite and above zero.
    pub fn new(per_second: f64) -> Option<Self> {
        (per_second.is_finite() && per_second > 0.0).then_some(Rate(per_second))
    }

    /// Requests in a second.
    pub const fn per_second(self) -> f64 {
        self.0
    }
}

/// The clients.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// How their rate changes over time; `None` where it does not, and for a trace.
    pub profile: Option<Profile>,
    /// What they ask for, in order of name; empty if that does not matter.
    pub classes: Vec<Class>,
    /// How many conversations requests belong to, drawn at random; `None` if each stands alone.
    pub conversations: Option<NonZeroU32>,
    /// How long a client waits for a complete answer, each time that it asks; `None` is for ever.
    pub client_timeout: Option<SimDuration>,
    /// How often a client asks again, on its own, when it got no good answer: what SDKs do; `None` is never. Where each
    /// goes is the gateway's choice, so `to` is [`super::RetryTo::Any`].
    pub client_retry: Option<Retry>,
}

impl Traffic {
    /// Clients that ask once and wait for ever.
    pub fn new(arrivals: Arrivals) -> Self {
        Traffic {
            arrivals,
            profile: None,
            classes: vec![],
            conversations: None,
            client_timeout: None,
            client_retry: None,
        }
    }

    /// The mean number of requests in a second, over a run of this length.
    pub fn mean_per_second(&self, over: SimDuration) -> f64 {
        self.arrivals.mean_rate().per_second()
            * self.profile.as_ref().map_or(1.0, |profile| profile.mean(over))
    }

    /// What the request of this key asks for, which is this row if it was recorded; `None` where there are no classes. All
    /// requests of one `asker` are of one class: of a user there, and elsewhere the request is its own.
    pub fn demand(&self, asker: Key, request: Key, row: u32) -> Option<Demand> {
        let recorded = || match &self.arrivals {
            Arrivals::Trace(Trace { tokens: Some([input, output]), .. }) => {
                (input[row as usize], output[row as usize])
            }
            _ => (0, 0),
        };
        class::demand(&self.classes, asker, request, recorded)
    }

    /// Whether what a request asks for depends on which row of a trace it is.
    pub fn asks_by_row(&self) -> bool {
        let is_recorded = |count: &TokenCount| matches!(count, TokenCount::Recorded);
        self.classes.iter().any(|class| is_recorded(&class.input_tokens) || is_recorded(&class.output_tokens))
    }

    /// Tokens of a prompt and of a complete answer, on average over all requests.
    pub fn mean_tokens(&self) -> (f64, f64) {
        let shares: f64 = self.classes.iter().map(|class| class.share).sum();
        let mean = |of: fn((f64, f64)) -> f64| {
            let weighted = |(place, class): (usize, &Class)| class.share * of(self.mean_tokens_of(place));
            self.classes.iter().enumerate().map(weighted).sum::<f64>() / shares
        };
        (mean(|both| both.0), mean(|both| both.1))
    }

    /// The class of the requests of who has this key, as its place in `classes`; 0 where there are none.
    pub fn class_of(&self, asker: Key) -> usize {
        class::pick(&self.classes, asker).unwrap_or(0)
    }

    /// The mean tokens in and out of the class at a place; [`Price::SOME_TOKENS`] each where there are no classes.
    pub fn mean_tokens_of(&self, class: usize) -> (f64, f64) {
        let Some(class) = self.classes.get(class) else { return (Price::SOME_TOKENS, Price::SOME_TOKENS) };
        let recorded = |side: usize| match &self.arrivals {
            Arrivals::Trace(Trace { tokens: Some(both), .. }) => &both[side][..],
            _ => &[],
        };
        let mean = |count: &TokenCount, side: usize| count.mean(recorded(side));
        (mean(&class.input_tokens, 0), mean(&class.output_tokens, 1))
    }

    /// Whether two runs see different requests.
    pub fn is_random(&self) -> bool {
        self.arrivals.is_random() || self.demand_differs()
    }

    /// Whether requests may ask for different things, other than by their row of a trace.
    pub fn demand_differs(&self) -> bool {
        let differs = |class: &Class| class.input_tokens.is_random() || class.output_tokens.is_random();
        self.classes.len() > 1 || self.classes.iter().any(differs)
    }
}

/// When requests arrive.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrivals {
    /// Evenly spaced, the first one half a gap after the start.
    Constant(Rate),
    /// A Poisson process.
    Poisson(Rate),
    /// Independent gaps that are burstier or more even than a Poisson process.
    Renewal(Renewal),
    /// A Poisson process that switches itself on and off.
    OnOff(OnOff),
    /// As recorded.
    Trace(Trace),
    /// When users ask, who wait for an answer first.
    Users(Users),
}

impl Arrivals {
    /// Whether two runs see different arrivals.
    pub fn is_random(&self) -> bool {
        match self {
            Arrivals::Constant(_) => false,
            Arrivals::Poisson(_) | Arrivals::Renewal(_) | Arrivals::OnOff(_) => true,
            Arrivals::Trace(trace) => trace.is_resampled(),
            Arrivals::Users(users) => users.think().is_random(),
        }
    }

    /// The long-run rate, before any profile; of users, if answers took no time.
    pub fn mean_rate(&self) -> Rate {
        match self {
            Arrivals::Constant(rate) | Arrivals::Poisson(rate) => *rate,
            Arrivals::Renewal(renewal) => renewal.rate,
            Arrivals::OnOff(on_off) => on_off.rate,
            Arrivals::Trace(trace) => trace.rate.unwrap_or(trace.recorded_rate()),
            Arrivals::Users(users) => users.rate(SimDuration::ZERO),
        }
    }
}

/// Arrivals whose gaps are independent and have a gamma distribution. It begins in the middle of things, so the mean rate
/// is the same from the start on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Renewal {
    rate: Rate,
    cv: f64,
}

impl Renewal {
    /// The coefficients of variation that there may be.
    pub const CV: std::ops::RangeInclusive<f64> = 0.01..=100.0;

    /// `None` unless `cv`, the standard deviation of a gap over its mean, lies in [`Self::CV`]. At 1 it is a Poisson
    /// process.
    pub fn new(rate: Rate, cv: f64) -> Option<Self> {
        Self::CV.contains(&cv).then_some(Renewal { rate, cv })
    }

    /// The long-run rate.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// The standard deviation of a gap over its mean.
    pub const fn cv(&self) -> f64 {
        self.cv
    }
}

/// A Poisson process while it is on, and nothing while it is off. Both take exponential times, and it begins in the middle
/// of things.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnOff {
    rate: Rate,
    on: SimDuration,
    off: SimDuration,
}

impl OnOff {
    /// `None` unless both mean times are above zero. `rate` is that of the whole: while it is on, it is higher.
    pub fn new(rate: Rate, on: SimDuration, off: SimDuration) -> Option<Self> {
        (on > SimDuration::ZERO && off > SimDuration::ZERO).then_some(OnOff { rate, on, off })
    }

    /// The long-run rate.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// How long it is on, on average.
    pub const fn on(&self) -> SimDuration {
        self.on
    }

    /// How long it is off, on average.
    pub const fn off(&self) -> SimDuration {
        self.off
    }

    /// How much of the time it is on.
    pub fn share_on(&self) -> f64 {
        let [on, off] = [self.on, self.off].map(|time| time.as_nanos() as f64);
        on / (on + off)
    }
}

/// Recorded arrival times, replayed as they are, scaled to a rate, or put together anew of blocks.
///
/// To reach a rate above its own, copies of the trace are laid over each other, each rotated by a random offset that
/// belongs to the run, and time is compressed for what a whole number of copies leaves. That keeps the shape of its
/// bursts, where compression alone would sharpen them.
///
/// With a block length, a copy is made of blocks of that length, each from a random place in the trace: what happens
/// within a block stays together, and runs differ by more than where they begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Arrival times since the first one, ascending.
    times: Arc<[SimTime]>,
    /// Of each of them, the tokens of its prompt and of its answer, if they were recorded.
    tokens: Option<[Arc<[u32]>; 2]>,
    /// The rate to scale to; `None` replays the trace once, as recorded.
    rate: Option<Rate>,
    /// How long the blocks are that each copy is made of; `None` makes it of the whole trace.
    bootstrap: Option<SimDuration>,
}

impl Trace {
    /// The longest time from the first arrival to the last: a hundred years.
    pub const LONGEST: SimDuration = SimDuration::from_secs(100 * 366 * 24 * 3600);

    /// A trace of at least two ascending times of which the first and the last differ, by [`Self::LONGEST`] at most;
    /// `None` otherwise.
    pub fn new(times: impl Into<Arc<[SimTime]>>, rate: Option<Rate>) -> Option<Self> {
        let times = times.into();
        let (first, last) = (times.first()?, times.last()?);
        let is_sound = first < last && last.since(*first) <= Self::LONGEST && times.is_sorted();
        is_sound.then_some(Trace { times, tokens: None, rate, bootstrap: None })
    }

    /// The same, resampled in blocks of this length; `None` if it is zero.
    pub fn with_bootstrap(self, block: SimDuration) -> Option<Self> {
        (block > SimDuration::ZERO).then_some(Trace { bootstrap: Some(block), ..self })
    }

    /// The same, with the tokens of each request's prompt and answer; `None` unless there are as many as times.
    pub fn with_tokens(self, input: impl Into<Arc<[u32]>>, output: impl Into<Arc<[u32]>>) -> Option<Self> {
        let tokens = [input.into(), output.into()];
        let is_sound = tokens.iter().all(|tokens| tokens.len() == self.times.len());
        is_sound.then_some(Trace { tokens: Some(tokens), ..self })
    }

    /// The tokens of prompts and of answers, in order of arrival, if they were recorded.
    pub fn tokens(&self) -> Option<&[Arc<[u32]>; 2]> {
        self.tokens.as_ref()
    }

    /// How long the blocks are that it is resampled in.
    pub fn bootstrap(&self) -> Option<SimDuration> {
        self.bootstrap
    }

    /// Whether runs differ, and the trace is repeated for as long as a run takes.
    pub fn is_resampled(&self) -> bool {
        self.rate.is_some() || self.bootstrap.is_some()
    }

    /// Arrival times, ascending.
    pub fn times(&self) -> &[SimTime] {
        &self.times
    }

    /// The rate that it is scaled to.
    pub fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// After this long a rotated copy starts over: the span of the trace and one mean gap.
    pub fn period(&self) -> SimDuration {
        let span = self.times[self.times.len() - 1].since(self.times[0]);
        SimDuration::from_nanos(span.as_nanos() + span.as_nanos() / (self.times.len() as u64 - 1))
    }

    /// Arrivals over the period, as recorded.
    pub fn recorded_rate(&self) -> Rate {
        Rate(self.times.len() as f64 / self.period().as_secs_f64())
    }

    /// How many copies are laid over each other, and how many recorded seconds pass in a simulated one.
    pub fn scaling(&self) -> (u32, f64) {
        let Some(rate) = self.rate else { return (1, 1.0) };
        let ratio = rate.per_second() / self.recorded_rate().per_second();
        let copies = ratio.floor().clamp(1.0, f64::from(u32::MAX));
        (copies as u32, ratio / copies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_scaled_by_copies_first_and_time_second() {
        let seconds: Vec<SimTime> = (0..10).map(|s| SimTime::from_nanos(s * 1_000_000_000)).collect();
        let scaled = |rate| Trace::new(seconds.clone(), Rate::new(rate)).unwrap().scaling();
        assert_eq!(scaled(3.0), (3, 1.0));
        assert_eq!(scaled(2.5), (2, 1.25));
        assert_eq!(scaled(0.5), (1, 0.5));
        assert_eq!(Trace::new(vec![SimTime::START; 3], None), None);
    }
}
