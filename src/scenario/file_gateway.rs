//! The gateway, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::file::Evidence;
use super::file_detector::Detector;
use super::file_fault::GatewayFault;
use super::file_gateway_limit::{Cache, GatewayLimit};
use super::file_health_check::HealthCheck;
use super::file_latency::Latency;
use super::file_price::Fee;
use super::file_retry::{Fallback, Hedge, Retry};
use super::file_route::Route;
use super::setting::{Count, Duration, Multiple, PositiveDuration, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What routes requests, and how it learns who is alive.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gateway {
    /// A part to start from: a TOML file with the body of this table. Keys written here override it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where the numbers come from, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How well the numbers are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// How many copies share the traffic, each with its own probes and its own view of health; 1 to 1000.
    #[serde(default = "default::one")]
    pub replicas: Count,
    /// Where it is. Without it, beside each client.
    #[schemars(example = "us-east-1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What it adds to each request, before it routes it. Without it, no time.
    #[schemars(extend("x-example" = "{ lognormal = { p50 = \"15ms\", p99 = \"60ms\" } }"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overhead: Option<Latency>,
    /// Whether each replica has detectors of its own.
    #[serde(default)]
    pub health: HealthScope,
    /// How long a verdict takes to reach routing. Without it, no time.
    #[schemars(extend("x-example" = "{ delay = \"1s\" }"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propagation: Option<Propagation>,
    /// How much each replica takes in. Without it, everything.
    #[schemars(extend("x-example" = "{ in_flight = 100, queue = 50 }"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<GatewayLimit>,
    /// Answers that it has itself, also while no provider gives any. Without it, none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// Which admitted provider gets an attempt. May be left out where there is only one provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// Groups of providers, by name: a route or a group may name them in place of a provider.
    #[serde(default)]
    pub group: BTreeMap<String, Route>,
    /// The active health check. Without it nothing probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Passive detectors, by name, which eject providers because of how attempts end; at most 7.
    #[serde(default)]
    pub detector: BTreeMap<String, Detector>,
    /// How long it waits for what. Without it, for ever.
    #[schemars(extend("x-example" = "{ connect = \"5s\", first_token = \"30s\" }"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    /// Further attempts for a request that failed. Without it, none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Further attempts elsewhere, when nothing more is tried where the request failed. Without it, none.
    #[schemars(extend("x-example" = "{ on = [\"any\"] }"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// Parallel attempts for a request that takes long. Without it, none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge: Option<Hedge>,
    /// What becomes of attempts in flight at a provider that is ejected.
    #[serde(default = "default::drain")]
    pub on_ejection: OnEjection,
    /// What to do when no routed provider is admitted.
    #[serde(default = "default::fail")]
    pub all_ejected: AllEjected,
    /// While less than this share of a group's providers is admitted, and no other group can take its load, health is
    /// ignored in it; 0 to 1.
    #[serde(default = "default::never")]
    pub panic_below: Share,
    /// How many times more than its share a preferred group can take, what is missing going to the next one; at least
    /// 1. Without it, a group takes everything while one of its providers is admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overprovisioning: Option<Multiple>,
    /// A provider that was admitted again gets its full share of a group's attempts only after this long.
    #[serde(default = "default::no_time")]
    pub slow_start: Duration,
    /// What goes wrong with the gateway itself, by name.
    #[serde(default)]
    pub fault: BTreeMap<String, GatewayFault>,
    /// What it costs. Without it, nothing.
    #[schemars(extend("x-example" = "{ markup = 0.055 }"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<Fee>,
}

impl Default for Gateway {
    fn default() -> Self {
        Gateway {
            from: None,
            source: None,
            evidence: None,
            replicas: default::one(),
            region: None,
            overhead: None,
            health: HealthScope::Own,
            propagation: None,
            limit: None,
            cache: None,
            route: None,
            group: BTreeMap::new(),
            health_check: None,
            detector: BTreeMap::new(),
            timeouts: None,
            retry: None,
            fallback: None,
            hedge: None,
            on_ejection: default::drain(),
            all_ejected: default::fail(),
            panic_below: default::never(),
            overprovisioning: None,
            slow_start: default::no_time(),
            fault: BTreeMap::new(),
            fee: None,
        }
    }
}

/// Whose detectors there are.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum HealthScope {
    /// Each replica has its own.
    #[default]
    Own,
    /// All replicas share one state; each reads it anew after at most this long.
    Shared(#[schemars(example = "1s")] Duration),
}

/// How a verdict reaches routing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Propagation {
    /// Later by this much.
    #[serde(default = "default::no_time")]
    pub delay: Duration,
    /// Later by up to this much more, at random: what a DNS record with this time to live adds.
    #[serde(default = "default::no_time")]
    pub ttl: Duration,
    /// A change within this time of the last one, among the providers of the same tier, is held back for this long.
    #[serde(default = "default::no_time")]
    pub merge_window: Duration,
}

/// What becomes of attempts in flight at a provider that is ejected.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnEjection {
    /// They go on to their end.
    Drain,
    /// Their connections are closed.
    Close,
}

/// What to do when no routed provider is admitted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AllEjected {
    /// Answer the client with an error at once.
    Fail,
    /// Route as if all were admitted.
    IgnoreHealth,
    /// Have the request wait until one is admitted, or until its client gives up.
    Wait,
}

/// How long the gateway waits for what; each without it for ever.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Timeouts {
    /// For a connection; above zero. What takes longer is a `connect_timeout`.
    pub connect: Option<PositiveDuration>,
    /// From sending an attempt to the first token; where the answer is not streamed, to the answer; above zero. What
    /// takes longer is a `timeout`.
    pub first_token: Option<PositiveDuration>,
    /// Between two tokens; above zero. What takes longer is `stalled`.
    pub idle: Option<PositiveDuration>,
    /// For an attempt; above zero. What takes longer is a `timeout`, after the first token `stalled`.
    pub attempt: Option<PositiveDuration>,
    /// For a request, with all its attempts; what then fails is not tried again; above zero.
    pub request: Option<PositiveDuration>,
    /// Whether a request's last possible attempt is exempt from `first_token` and `attempt`.
    #[serde(default)]
    pub spares_last: bool,
    /// Whether a whole answer is held back until it is complete, so that one that breaks can still be tried again.
    #[serde(default)]
    pub buffers: bool,
}
