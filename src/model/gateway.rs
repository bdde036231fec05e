//! What routes requests, how it learns who is alive, and who may overrule it.

use super::{Latency, Probability, ProviderId};
use crate::time::{SimDuration, SimTime};
use std::num::NonZeroU32;

/// The gateway in front of the providers.
#[derive(Debug, Clone, PartialEq)]
pub struct Gateway {
    /// How many copies share the traffic, each with its own probes and its own view of health.
    pub replicas: NonZeroU32,
    /// Which admitted provider gets an attempt.
    pub route: Route,
    /// The active health check; `None` if nothing probes.
    pub health_check: Option<HealthCheck>,
    /// What to do when no routed provider is admitted.
    pub all_ejected: AllEjected,
}

/// Which admitted provider gets an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    /// The first admitted one of this list.
    Prefer(Vec<ProviderId>),
    /// The one that has been answering fastest.
    LowestLatency(LowestLatency),
}

impl Route {
    /// The providers that can be chosen, most preferred first.
    pub fn providers(&self) -> &[ProviderId] {
        match self {
            Route::Prefer(providers) => providers,
            Route::LowestLatency(lowest) => &lowest.among,
        }
    }

    /// Whether the choice rolls dice.
    pub fn is_random(&self) -> bool {
        matches!(self, Route::LowestLatency(lowest) if lowest.explore > Probability::ZERO)
    }
}

/// Routing by an exponentially weighted moving average of observed attempt latencies, one for each replica.
#[derive(Debug, Clone, PartialEq)]
pub struct LowestLatency {
    /// The providers that can be chosen; ties, and those not observed yet, go to the first.
    pub among: Vec<ProviderId>,
    /// The weight of a new observation in the average, in (0, 1].
    pub weight: f64,
    /// What a failed attempt counts as. A dead provider answers with an error in no time: were that taken as its
    /// latency, it would be the fastest of all.
    pub failure_counts_as: SimDuration,
    /// The share of requests that go to a provider drawn at random, so that a slow one is measured again.
    pub explore: Probability,
}

/// What to do when no routed provider is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllEjected {
    /// Answer the client with an error at once.
    Fail,
    /// Route as if all were admitted.
    IgnoreHealth,
}

/// An active health check: each replica probes each provider.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheck {
    /// The time between two probes, counted as `next_probe` says; above zero.
    pub interval: SimDuration,
    /// A probe without an answer after this long has failed; above zero.
    pub timeout: SimDuration,
    /// Up to this much is added to each interval, uniformly.
    pub jitter: SimDuration,
    /// So many failed probes in a row eject a provider.
    pub eject_after: NonZeroU32,
    /// So many good probes in a row admit it again.
    pub readmit_after: NonZeroU32,
    /// When the first probe is sent.
    pub first_probe: FirstProbe,
    /// What the interval is counted from.
    pub next_probe: NextProbe,
    /// How long a healthy provider takes to answer a probe; a probe is a small call of its own, not a completion.
    pub latency: Latency,
}

impl HealthCheck {
    /// Whether two runs can differ because of it.
    pub fn is_random(&self) -> bool {
        self.first_probe == FirstProbe::Random || self.jitter > SimDuration::ZERO || self.latency.is_random()
    }
}

/// When a health check sends its first probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstProbe {
    /// At a uniformly random moment of the first interval, for each replica and provider.
    Random,
    /// This long after the start of the run.
    At(SimDuration),
}

/// What a health check counts its interval from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextProbe {
    /// From the start of the last probe; probes overlap where the timeout is longer than the interval.
    FromStart,
    /// From the start of the last probe, but never before it has ended.
    FromStartNoOverlap,
    /// From the end of the last probe.
    FromEnd,
}

/// What somebody does by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorAction {
    /// The name in the scenario.
    pub name: String,
    /// When it is done.
    pub at: SimTime,
    /// From then on these get no attempts while another routed provider exists.
    pub avoid: Vec<ProviderId>,
}
