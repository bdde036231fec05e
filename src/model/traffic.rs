//! Who asks, and when.

use super::class::{self, Class, Demand, TokenCount};
use super::{Price, Retry, Users};
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
        Traffic { arrivals, classes: vec![], conversations: None, client_timeout: None, client_retry: None }
    }

    /// What the request of this key asks for; `None` where there are no classes. All requests of one `asker` are of one
    /// class: of a user there, and elsewhere the request is its own.
    pub fn demand(&self, asker: Key, request: Key) -> Option<Demand> {
        class::demand(&self.classes, asker, request)
    }

    /// Tokens of a prompt and of a complete answer, on average over all requests.
    pub fn mean_tokens(&self) -> (f64, f64) {
        let shares: f64 = self.classes.iter().map(|class| class.share).sum();
        let mean = |of: fn(&Class) -> &TokenCount| {
            self.classes.iter().map(|class| class.share / shares * of(class).mean()).sum()
        };
        (mean(|class| &class.input_tokens), mean(|class| &class.output_tokens))
    }

    /// The class of the requests of who has this key, as its place in `classes`; 0 where there are none.
    pub fn class_of(&self, asker: Key) -> usize {
        class::pick(&self.classes, asker).unwrap_or(0)
    }

    /// The mean tokens in and out of the class at a place; [`Price::SOME_TOKENS`] each where there are no classes.
    pub fn mean_tokens_of(&self, class: usize) -> (f64, f64) {
        self.classes.get(class).map_or((Price::SOME_TOKENS, Price::SOME_TOKENS), |class| {
            (class.input_tokens.mean(), class.output_tokens.mean())
        })
    }

    /// Whether two runs see different requests.
    pub fn is_random(&self) -> bool {
        self.arrivals.is_random() || self.demand_differs()
    }

    /// Whether requests may ask for different things.
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
            Arrivals::Poisson(_) => true,
            Arrivals::Trace(trace) => trace.rate.is_some(),
            Arrivals::Users(users) => users.think().is_random(),
        }
    }

    /// The long-run rate; of users, if answers took no time.
    pub fn mean_rate(&self) -> Rate {
        match self {
            Arrivals::Constant(rate) | Arrivals::Poisson(rate) => *rate,
            Arrivals::Trace(trace) => trace.rate.unwrap_or(trace.recorded_rate()),
            Arrivals::Users(users) => users.rate(SimDuration::ZERO),
        }
    }
}

/// Recorded arrival times, replayed as they are or scaled to a rate.
///
/// To reach a rate above its own, copies of the trace are laid over each other, each rotated by a random offset that
/// belongs to the run, and time is compressed for what a whole number of copies leaves. That keeps the shape of its
/// bursts, where compression alone would sharpen them.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Arrival times since the first one, ascending.
    times: Arc<[SimTime]>,
    /// The rate to scale to; `None` replays the trace once, as recorded.
    rate: Option<Rate>,
}

impl Trace {
    /// A trace of at least two ascending times of which the first and the last differ; `None` otherwise.
    pub fn new(times: impl Into<Arc<[SimTime]>>, rate: Option<Rate>) -> Option<Self> {
        let times = times.into();
        let (first, last) = (times.first()?, times.last()?);
        (first < last && times.is_sorted()).then_some(Trace { times, rate })
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
