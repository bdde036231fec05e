//! What goes wrong with providers, and when.

use super::{Probability, ProviderId};
use crate::time::{SimDuration, SimTime};
use std::num::NonZeroU32;

/// What a fault does to an attempt or a probe that is sent while it lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// Nothing.
    Unaffected,
    /// Fails at once: connection refused.
    Refuse,
    /// Is accepted and never answered, not even after the fault has ended.
    Hang,
    /// The connection is never established.
    Drop,
    /// Waits until the fault is over, and is answered then.
    Pause,
    /// Fails at once with this HTTP status, 400 to 599.
    Status(u16),
    /// Stops for ever after this share of the answer.
    Stall(Probability),
    /// The connection breaks after this share of the answer.
    Cut(Probability),
    /// Ends after this share of the answer as if it were complete, under a good status.
    Truncate(Probability),
    /// Is answered, but takes this many times as long; above 0.
    Slow(f64),
}

/// What a fault does to attempts and probes that are in flight when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFlight {
    /// They go on and end as they would have.
    Finish,
    /// Their connections break at that moment.
    Fail,
    /// They are never answered.
    Hang,
}

/// How a fault goes away once its full force is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// It is over then.
    AtOnce,
    /// The share of calls that it hits falls to zero over this time, in [`Recovery::RAMP_STEPS`] equal steps that keep
    /// its mean. What a later step hits, an earlier one would have.
    Ramp(SimDuration),
    /// It comes back as it was, so many times.
    Flaps {
        /// How often it comes back.
        times: NonZeroU32,
        /// How long all is well before each time.
        up: SimDuration,
        /// How long it is back each time.
        down: SimDuration,
    },
}

impl Recovery {
    /// Each step is 5% of what the fault hits.
    pub const RAMP_STEPS: u32 = 20;

    /// How long it takes.
    pub fn lasts(&self) -> SimDuration {
        match *self {
            Recovery::AtOnce => SimDuration::ZERO,
            Recovery::Ramp(takes) => takes,
            Recovery::Flaps { times, up, down } => up.plus(down).times(u64::from(times.get())),
        }
    }
}

/// A part of a fault's time in which it hits the same share of calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    /// When it begins.
    pub start: SimTime,
    /// When it is over.
    pub end: SimTime,
    /// The share of what the fault hits at full force that is hit now; above 0, at most 1.
    pub force: f64,
    /// Whether all was well until it began, so that it breaks what is in flight.
    pub is_onset: bool,
}

/// Something that is injected: the cause, not what is observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The name in the scenario; draws are keyed by it.
    pub name: String,
    /// The providers that it hits, in order.
    pub providers: Vec<ProviderId>,
    /// When it starts; an attempt sent at this instant is hit.
    pub start: SimTime,
    /// When it is over and recovered from; an attempt sent at this instant is not hit.
    pub end: SimTime,
    /// How it goes away, up to `end`.
    pub recovery: Recovery,
    /// What happens to requests' attempts.
    pub requests: Effect,
    /// What happens to probes.
    pub probes: Effect,
    /// What happens to attempts and probes in flight at the start, if it affects their kind at all.
    pub in_flight: InFlight,
    /// The share of attempts that are hit.
    pub fraction: Probability,
    /// The share of probes that are hit.
    pub probe_fraction: Probability,
    /// The Retry-After that comes with an error status.
    pub retry_after: Option<SimDuration>,
}

impl Fault {
    /// A fault that does the same to all attempts and probes, and spares what is in flight.
    pub fn new(
        name: impl Into<String>,
        providers: Vec<ProviderId>,
        start: SimTime,
        end: SimTime,
        effect: Effect,
    ) -> Self {
        Fault {
            name: name.into(),
            providers,
            start,
            end,
            recovery: Recovery::AtOnce,
            requests: effect,
            probes: effect,
            in_flight: InFlight::Finish,
            fraction: Probability::ONE,
            probe_fraction: Probability::ONE,
            retry_after: None,
        }
    }

    /// Whether the fault is there at `time`, if only on its way out.
    pub fn is_active(&self, time: SimTime) -> bool {
        self.start <= time && time < self.end
    }

    /// Its parts, in order of time. Between flaps there is none.
    pub fn phases(&self) -> impl Iterator<Item = Phase> + use<> {
        let (start, force_ends) = (self.start, self.end.before(self.recovery.lasts()).max(self.start));
        let first = Phase { start, end: force_ends, force: 1.0, is_onset: true };
        let recovery = self.recovery;
        let rest = match recovery {
            Recovery::AtOnce => 0,
            Recovery::Ramp(_) => Recovery::RAMP_STEPS,
            Recovery::Flaps { times, .. } => times.get(),
        };
        std::iter::once(first).chain((0..rest).map(move |i| match recovery {
            Recovery::Flaps { up, down, .. } => {
                let start = force_ends.after(up.plus(down).times(u64::from(i))).after(up);
                Phase { start, end: start.after(down), ..first }
            }
            Recovery::AtOnce | Recovery::Ramp(_) => {
                let steps = Recovery::RAMP_STEPS;
                let takes = u128::from(recovery.lasts().as_nanos());
                let edge = |i: u32| {
                    let passed = takes * u128::from(i) / u128::from(steps);
                    force_ends.after(SimDuration::from_nanos(passed as u64))
                };
                let force = 1.0 - (f64::from(i) + 0.5) / f64::from(steps);
                Phase { start: edge(i), end: edge(i + 1), force, is_onset: false }
            }
        }))
    }

    /// Whether two runs can differ because of it.
    pub fn is_random(&self) -> bool {
        let partial = |p: Probability| p > Probability::ZERO && p < Probability::ONE;
        let is_hit = [self.fraction, self.probe_fraction].iter().any(|share| *share > Probability::ZERO);
        let ramps = matches!(self.recovery, Recovery::Ramp(takes) if takes > SimDuration::ZERO) && is_hit;
        partial(self.fraction) || partial(self.probe_fraction) || ramps
    }
}
