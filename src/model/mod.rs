//! What is simulated, as validated values: a [`Model`] that exists can be run.
//!
//! This module knows nothing of files or TOML (that is [`crate::scenario`]) and holds no state of a run
//! (that is [`crate::engine`]).

mod answer;
mod class;
mod clock;
mod detector;
mod fault;
mod gateway;
mod generation;
mod health_check;
mod latency;
mod network;
mod operator;
mod price;
mod profile;
mod provider;
mod retry;
mod route;
mod slo;
mod traffic;
mod users;

pub use answer::{Answer, AnswerSet};
pub use class::{Class, Demand, TokenCount};
pub use clock::Clock;
pub use detector::{
    BucketStart, Decide, Detector, EjectedFrom, Ejection, Evaluated, Growth, HalfOpen, Judges, MaxEjected,
    MaxEjectedRule, Nginx, OnError, Ratio, SlowRatio, Stale, SuccessRate, TripAction, Trips, Window,
    WindowStart,
};
pub use fault::{Effect, Fault, InFlight};
pub use gateway::{AllEjected, Gateway, GatewayEffect, GatewayFault, HealthScope, OnEjection, Propagation};
pub use generation::{Drift, Generation, speed_sigma};
pub use health_check::{Counting, FirstProbe, HealthCheck, Intervals, NextProbe};
pub use latency::{Latency, Percentiles};
pub use network::{Network, RoundTrips};
pub use operator::{OperatorAction, Stages, StatusPage, Trigger};
pub use price::Price;
pub use profile::Profile;
pub use provider::{Abandoned, Capacity, Provider, ProviderId};
pub use retry::{Backoff, BackoffGrowth, Budget, Fallback, Hedge, Jitter, Retry, RetryTo, Timeouts, Tokens};
pub use route::{Average, LowestLatency, Node, NodeId, PeakEwma, Pick, Route};
pub use slo::{Alert, BeforeRun, FirstTick, Slo};
pub use traffic::{Arrivals, OnOff, Rate, Renewal, Trace, Traffic};
pub use users::Users;

use crate::time::SimDuration;

/// A probability in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// Impossible.
    pub const ZERO: Probability = Probability(0.0);
    /// Certain.
    pub const ONE: Probability = Probability(1.0);

    /// `None` unless `p` lies in [0, 1].
    pub fn new(p: f64) -> Option<Self> {
        (0.0..=1.0).contains(&p).then_some(Probability(p))
    }

    /// The number in [0, 1].
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// How well a number is known; ordered from weakest to strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// A guess, or a claim that nobody documents.
    Assumed,
    /// The vendor's documentation says so.
    Documented,
    /// Read in the source code.
    Source,
    /// Measured on the real thing.
    Measured,
}

/// Everything one run needs: a scenario, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The scenario's short name, from its file name.
    pub name: String,
    /// What the scenario says it is about.
    pub about: Option<String>,
    /// The wall clock at the start of the run, for display.
    pub clock: Option<Clock>,
    /// Arrivals stop here; what is in flight then still ends.
    pub duration: SimDuration,
    /// Who asks.
    pub traffic: Traffic,
    /// Who answers, in order of name.
    pub providers: Vec<Provider>,
    /// What goes wrong, in order of start and then name: the first one is the one that scalars speak of.
    pub faults: Vec<Fault>,
    /// What routes.
    pub gateway: Gateway,
    /// How long the network takes; `None` if no time.
    pub network: Option<Network>,
    /// What people do by hand, in order of time, where it is known, and then name.
    pub operator: Vec<OperatorAction>,
    /// Which share of requests has to succeed, and who watches it; `None` if nobody asks.
    pub slo: Option<Slo>,
    /// The weakest evidence that a part of the scenario declares; `None` if none does.
    pub weakest_evidence: Option<Evidence>,
}

impl Model {
    /// Whether runs of this model differ from each other at all.
    ///
    /// Where they do not, one run answers for all of them.
    pub fn is_random(&self) -> bool {
        let check = self.gateway.health_check.as_ref();
        let mut retries = [&self.traffic.client_retry, &self.gateway.retry].into_iter().flatten();
        self.traffic.is_random()
            || self.providers.iter().any(Provider::is_random)
            || self.faults.iter().any(Fault::is_random)
            || self.gateway.replicas.get() > 1
            || self.gateway.overhead.is_some_and(|overhead| overhead.is_random())
            || self.gateway.route.is_random()
            || check.is_some_and(HealthCheck::is_random)
            || self.gateway.detectors.iter().any(Detector::is_random)
            || self.gateway.health.is_random()
            || self.gateway.propagation.ttl > SimDuration::ZERO
            || self.gateway.slow_start > SimDuration::ZERO
            // Which requests spill over to the next group is drawn.
            || self.gateway.overprovisioning.is_some()
            || retries.any(Retry::is_random)
            || self.operator.iter().any(OperatorAction::is_random)
            || self.alerts().iter().any(Alert::is_random)
    }

    /// What watches the error budget, in order of name.
    pub fn alerts(&self) -> &[Alert] {
        self.slo.as_ref().map_or(&[], |slo| &slo.alerts)
    }

    /// About how many requests arrive in one run.
    pub fn expected_requests(&self) -> f64 {
        let of_rate = |rate: Rate| rate.per_second() * self.duration.as_secs_f64();
        let at_mean_rate = self.traffic.mean_per_second(self.duration) * self.duration.as_secs_f64();
        match &self.traffic.arrivals {
            Arrivals::Users(users) => {
                let (input, output) = self.traffic.mean_tokens();
                let answer = |provider: &Provider| {
                    let generation = provider.generation;
                    let by_tokens = generation.map(|g| g.usually_takes(input, output));
                    provider.latency.mean().plus(by_tokens.unwrap_or(SimDuration::ZERO))
                };
                // As if the fastest one served them all.
                of_rate(users.rate(self.providers.iter().map(answer).min().unwrap_or(SimDuration::ZERO)))
            }
            // As recorded it is replayed once, however long the run.
            Arrivals::Trace(trace) if !trace.is_resampled() => at_mean_rate.min(trace.times().len() as f64),
            _ => at_mean_rate,
        }
    }

    /// About how many probes are sent in one run.
    pub fn expected_probes(&self) -> f64 {
        let probers = self.providers.len() as f64 * f64::from(self.gateway.replicas.get());
        let check = self.gateway.health_check.as_ref();
        check.map_or(0.0, |check| probers * self.duration.as_secs_f64() / check.interval.as_secs_f64())
    }

    /// About how many events the plain path handles in one run: two for each request, two for each probe.
    pub fn expected_events(&self) -> f64 {
        2.0 * (self.expected_requests() + self.expected_probes())
    }

    /// The provider of an id.
    pub fn provider(&self, id: ProviderId) -> &Provider {
        &self.providers[id.index()]
    }
}
