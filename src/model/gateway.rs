//! What routes requests, and how it learns who is alive.

use super::{Detector, Fallback, HealthCheck, Hedge, Latency, Probability, Retry, Route, Timeouts};
use crate::time::{SimDuration, SimTime};
use std::num::NonZeroU32;

/// The gateway in front of the providers.
#[derive(Debug, Clone, PartialEq)]
pub struct Gateway {
    /// How many copies share the traffic.
    pub replicas: NonZeroU32,
    /// What it adds to each request, before it routes it; `None` is no time.
    pub overhead: Option<Latency>,
    /// Whether each replica has detectors of its own.
    pub health: HealthScope,
    /// How long a verdict takes to reach routing.
    pub propagation: Propagation,
    /// Which admitted provider gets an attempt.
    pub route: Route,
    /// The active health check; `None` if nothing probes.
    pub health_check: Option<HealthCheck>,
    /// Passive detectors, in order of name; at most [`Gateway::DETECTORS_MAX`].
    pub detectors: Vec<Detector>,
    /// How long it waits for what.
    pub timeouts: Timeouts,
    /// Further attempts; `None` if there are none.
    pub retry: Option<Retry>,
    /// Further attempts elsewhere; `None` if there are none.
    pub fallback: Option<Fallback>,
    /// Parallel attempts; `None` if there are none.
    pub hedge: Option<Hedge>,
    /// What becomes of attempts in flight at a provider that is ejected.
    pub on_ejection: OnEjection,
    /// What to do when no routed provider is admitted.
    pub all_ejected: AllEjected,
    /// While less than this share of a group's providers is admitted, and no other group can take its load, health is
    /// ignored in it.
    pub panic_below: Probability,
    /// How many times more than its share a preferred group can take: while the admitted share of its providers times
    /// this is below 1, what is missing goes to the next one (Envoy: 1.4); at least 1. `None`: a group takes everything
    /// while one of its providers is admitted.
    pub overprovisioning: Option<f64>,
    /// A provider that was admitted again gets its full share of a group's attempts only after this long.
    pub slow_start: SimDuration,
    /// What goes wrong with the gateway itself, in order of time and then name.
    pub faults: Vec<GatewayFault>,
}

impl Gateway {
    /// One replica that routes, detects nothing, tries nothing again and waits for ever.
    pub fn new(route: Route) -> Self {
        Gateway {
            replicas: NonZeroU32::MIN,
            overhead: None,
            health: HealthScope::Own,
            propagation: Propagation::default(),
            route,
            health_check: None,
            detectors: vec![],
            timeouts: Timeouts::default(),
            retry: None,
            fallback: None,
            hedge: None,
            on_ejection: OnEjection::Drain,
            all_ejected: AllEjected::Fail,
            panic_below: Probability::ZERO,
            overprovisioning: None,
            slow_start: SimDuration::ZERO,
            faults: vec![],
        }
    }

    /// More detectors than any gateway has.
    pub const DETECTORS_MAX: usize = 7;

    /// Whether anything in the gateway but detectors depends on when an attempt ends well, so that other requests can be
    /// served otherwise for it.
    pub fn listens_to_successes(&self) -> bool {
        self.route.learns()
            || self.retry.as_ref().is_some_and(|retry| retry.budget.is_some())
            || self.hedge.is_some()
            || self.on_ejection == OnEjection::Close
            || !self.faults.is_empty()
    }
}

/// Whose detectors there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthScope {
    /// Each replica has its own.
    Own,
    /// All replicas share one state; each reads it anew after at most this long.
    Shared(SimDuration),
}

impl HealthScope {
    /// Whether two runs can differ because of it: when a replica reads the shared state is random.
    pub fn is_random(self) -> bool {
        match self {
            HealthScope::Own => false,
            HealthScope::Shared(staleness) => staleness > SimDuration::ZERO,
        }
    }
}

/// How a verdict reaches routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Propagation {
    /// Later by this much.
    pub delay: SimDuration,
    /// Later by up to this much more, uniformly: what a DNS record with this time to live adds.
    pub ttl: SimDuration,
    /// A change within this time of the last one, among the providers of the same tier, is held back for this long
    /// (Envoy's `update_merge_window`).
    pub merge_window: SimDuration,
}

/// What becomes of attempts in flight at a provider that is ejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnEjection {
    /// They go on to their end.
    Drain,
    /// Their connections are closed (HAProxy's `on-marked-down shutdown-sessions`, AWS NLB).
    Close,
}

/// What to do when no routed provider is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllEjected {
    /// Answer the client with an error at once.
    Fail,
    /// Route as if all were admitted.
    IgnoreHealth,
    /// Have the request wait until one is admitted, or until its client gives up.
    Wait,
}

/// What goes wrong with the gateway itself.
#[derive(Debug, Clone, PartialEq)]
pub struct GatewayFault {
    /// The name in the scenario.
    pub name: String,
    /// When it starts.
    pub start: SimTime,
    /// When it is over.
    pub end: SimTime,
    /// What happens.
    pub effect: GatewayEffect,
    /// How many replicas it hits: the first ones.
    pub replicas: u32,
}

/// What happens to replicas of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayEffect {
    /// They are gone with what is in flight, requests that come to them fail, and they come back knowing nothing of
    /// health.
    Crash,
    /// They are gone with what is in flight, other replicas get their requests, and they come back knowing
    /// nothing of health.
    Drain,
    /// They do not read the shared state: their view of health stays as it is.
    LoseStore,
}
