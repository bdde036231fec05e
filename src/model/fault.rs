//! What goes wrong with providers, and when.

use super::{Probability, ProviderId};
use crate::time::{SimDuration, SimTime};

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

/// Something that is injected: the cause, not what is observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The name in the scenario; draws are keyed by it.
    pub name: String,
    /// The providers that it hits, in order.
    pub providers: Vec<ProviderId>,
    /// When it starts; an attempt sent at this instant is hit.
    pub start: SimTime,
    /// When it is over; an attempt sent at this instant is not hit.
    pub end: SimTime,
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
            requests: effect,
            probes: effect,
            in_flight: InFlight::Finish,
            fraction: Probability::ONE,
            probe_fraction: Probability::ONE,
            retry_after: None,
        }
    }

    /// Whether the fault is there at `time`.
    pub fn is_active(&self, time: SimTime) -> bool {
        self.start <= time && time < self.end
    }

    /// Whether the fault is there at some moment from `from` up to and including `to`.
    pub fn overlaps(&self, from: SimTime, to: SimTime) -> bool {
        self.start <= to && from < self.end
    }

    /// How long it lasts.
    pub fn lasts(&self) -> SimDuration {
        self.end.since(self.start)
    }

    /// Whether two runs can differ because of it.
    pub fn is_random(&self) -> bool {
        let partial = |p: Probability| p > Probability::ZERO && p < Probability::ONE;
        partial(self.fraction) || partial(self.probe_fraction)
    }
}
