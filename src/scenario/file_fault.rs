//! What goes wrong, as a file says it: with providers, and with the gateway itself.
//!
//! A part of [`super::file`].

use super::default;
use super::file::Evidence;
use super::setting::{Count, Duration, Factor, Moment, PositiveDuration, Share, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that goes wrong with all providers whose labels match.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// A part to start from: a TOML file with the body of this table. Keys written here override it.
    pub from: Option<String>,
    /// Where the numbers come from, in words.
    pub source: Option<String>,
    /// How well the numbers are known.
    pub evidence: Option<Evidence>,
    /// The labels of the providers it hits, all of which must match; `name` is a provider's own name.
    #[schemars(extend("x-example" = "{ vendor = \"anthropic\", region = \"us-east-1\" }"))]
    pub on: BTreeMap<String, String>,
    /// When it starts: since the start of the run ("7m"), or on the scenario's clock ("02:47:00").
    #[schemars(example = "7m")]
    pub at: Moment,
    /// How long it lasts; above zero.
    #[schemars(example = "4m")]
    pub lasts: PositiveDuration,
    /// What it does to attempts that are sent while it lasts.
    #[serde(default = "default::refuse")]
    pub requests: Effect,
    /// What it does to probes that are sent while it lasts. Without it, the same as to requests.
    #[schemars(extend("x-same-as" = "requests"))]
    pub probes: Option<Effect>,
    /// What it does to attempts and probes that are in flight when it starts.
    #[serde(default = "default::finish")]
    pub in_flight: InFlight,
    /// The share of attempts that it hits; 0 to 1.
    #[serde(default = "default::always")]
    pub fraction: Share,
    /// The share of probes that it hits; 0 to 1. Without it, the same as `fraction`.
    #[schemars(extend("x-same-as" = "fraction"))]
    pub probe_fraction: Option<Share>,
    /// The Retry-After that comes with an error status. Without it, none comes.
    pub retry_after: Option<Duration>,
    /// How it goes away after `lasts`. Without it, at once.
    pub recovery: Option<Recovery>,
}

/// How a fault goes away once its full force is over. It is over when it hits nothing any more.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Recovery {
    /// The share that it hits falls to zero over this time, in twenty steps; above zero. Nothing is hit later on that would
    /// not have been before.
    Ramp(#[schemars(example = "10m")] PositiveDuration),
    /// It comes back as it was.
    Flaps(Flaps),
}

/// A fault that comes back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flaps {
    /// How often it comes back; 1 to 1000.
    #[schemars(example = 3)]
    pub times: Count,
    /// How long all is well before each time; above zero.
    #[schemars(example = "1m")]
    pub up: PositiveDuration,
    /// How long it is back each time; above zero.
    #[schemars(example = "30s")]
    pub down: PositiveDuration,
}

/// What a fault does.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Effect {
    /// Fails at once: connection refused.
    Refuse,
    /// Is accepted and never answered, not even after the fault has ended.
    Hang,
    /// The connection is never established.
    Drop,
    /// Waits until the fault is over, and is answered then.
    Pause,
    /// Nothing.
    Unaffected,
    /// Fails at once with this HTTP status; 400 to 599.
    Status(#[schemars(example = 503)] Status),
    /// Is answered, but takes this many times as long; above zero.
    Slow(#[schemars(example = 10.0)] Factor),
    /// Stops for ever after this share of the answer; 0 to 1.
    Stall(#[schemars(example = 0.5)] Share),
    /// The connection breaks after this share of the answer; 0 to 1.
    Cut(#[schemars(example = 0.5)] Share),
    /// Ends after this share of the answer as if it were complete, under a good status; 0 to 1.
    Truncate(#[schemars(example = 0.5)] Share),
}

/// What a fault does to what is in flight when it starts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InFlight {
    /// It ends as it would have.
    Finish,
    /// Its connection breaks at that moment.
    Fail,
    /// It is never answered.
    Hang,
}

/// Something that goes wrong with the gateway itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GatewayFault {
    /// When it starts: since the start of the run ("7m"), or on the scenario's clock ("02:47:00").
    #[schemars(example = "7m")]
    pub at: Moment,
    /// How long it lasts; above zero.
    #[schemars(example = "1m")]
    pub lasts: PositiveDuration,
    /// What happens.
    pub effect: GatewayEffect,
    /// How many replicas it hits; at least 1. Without it, all.
    pub replicas: Option<Count>,
}

/// What happens to replicas of the gateway.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GatewayEffect {
    /// They are gone with what is in flight, requests that come to them fail, and they come back without any view of
    /// health.
    Crash,
    /// They are gone with what is in flight, other replicas get their requests, and they come back without any view of
    /// health.
    Drain,
    /// They do not read the shared state: their view of health stays as it is. Needs a shared `health`.
    LoseStore,
}
