//! A scenario file as it is written: the types behind the JSON Schema.
//!
//! The comments here are what editors show. Ranges and units live in [`super::quantity`]; that names refer to things
//! that exist, and all else that needs more than one setting to judge, is left to [`super::lower`].

use super::setting::{
    Count, Duration, Factor, Moment, PositiveDuration, Rate, Share, Status, TimeOfDay, Weight,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is simulated: who asks, who answers, what goes wrong, and what routes. Names are table keys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// One sentence on what the scenario is about.
    pub about: Option<String>,
    /// What the clock shows at the start, with a zone's label: "02:40:00 UTC". Times may then be clock times.
    pub clock: Option<TimeOfDay>,
    /// How long requests arrive; what is in flight then still ends. Above zero, at most 366 days.
    #[schemars(example = "30m")]
    pub duration: PositiveDuration,
    /// Who asks, and when.
    #[schemars(extend("x-example" = "\n[traffic]\narrivals = { poisson = \"100/s\" }"))]
    pub traffic: Traffic,
    /// Who serves requests, by name; at least one.
    #[schemars(extend("x-example" = "\n[provider.primary]\nlatency = { lognormal = { p50 = \"800ms\", p99 = \"3s\" } }"))]
    pub provider: BTreeMap<String, Provider>,
    /// What goes wrong, by name.
    #[serde(default)]
    pub fault: BTreeMap<String, Fault>,
    /// What routes requests, and how it learns who is alive.
    #[serde(default)]
    pub gateway: Gateway,
    /// What people do by hand, by name.
    #[serde(default)]
    pub operator: BTreeMap<String, Operator>,
}

/// Who asks, and when.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traffic {
    /// A part to start from: a TOML file with the body of this table. Keys written here override it.
    pub from: Option<String>,
    /// Where the numbers come from, in words.
    pub source: Option<String>,
    /// How well the numbers are known.
    pub evidence: Option<Evidence>,
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// How long a client waits for a complete answer; above zero. Without it, for ever.
    pub client_timeout: Option<PositiveDuration>,
}

/// When requests arrive.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Arrivals {
    /// Evenly spaced, at this rate.
    Constant(#[schemars(example = "100/s")] Rate),
    /// Independent of each other (a Poisson process), at this rate.
    Poisson(#[schemars(example = "100/s")] Rate),
    /// As recorded in a CSV file.
    Trace(Trace),
}

/// Recorded arrivals: a CSV file with a header row and a column of timestamps, ascending.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trace {
    /// The CSV file, beside this one or in `models/`.
    #[schemars(example = "requests.csv")]
    pub file: String,
    /// The column with the timestamps. Without it, one with a usual name: t_ms, timestamp, time, ...
    pub column: Option<String>,
    /// The unit of numeric timestamps. Without it, the end of the column's name: `_ms`, `_s`, `_us`, `_ns`.
    pub unit: Option<TraceUnit>,
    /// Scale the trace to this rate by laying shifted copies over each other. Without it, the trace is replayed once.
    pub rate: Option<Rate>,
}

/// The unit of numeric timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub(crate) enum TraceUnit {
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "us")]
    Microseconds,
    #[serde(rename = "ns")]
    Nanoseconds,
}

/// How well numbers are known.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Evidence {
    /// Measured on the real thing.
    Measured,
    /// Read in the source code.
    Source,
    /// The vendor's documentation says so.
    Documented,
    /// A guess, or a claim that nobody documents.
    Assumed,
}

/// An AI API in one region or account.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// A part to start from: a TOML file with the body of this table. Keys written here override it.
    pub from: Option<String>,
    /// Where the numbers come from, in words.
    pub source: Option<String>,
    /// How well the numbers are known.
    pub evidence: Option<Evidence>,
    /// What it shares with others: { vendor = "anthropic", region = "us-east-1" }. Faults select by labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// How long a good answer takes, from sending the attempt to its last byte.
    #[schemars(extend("x-example" = "{ lognormal = { p50 = \"800ms\", p99 = \"3s\" } }"))]
    pub latency: Latency,
    /// The share of attempts, and of probes, that get an error status with no fault active; 0 to 1.
    #[serde(default = "never")]
    pub error_rate: Share,
}

/// How long an answer takes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Latency {
    /// Always the same.
    Constant(#[schemars(example = "800ms")] Duration),
    /// Exponential, by its mean.
    Exponential(ExponentialLatency),
    /// Lognormal, by two percentiles that can be read off a dashboard.
    Lognormal(LognormalLatency),
}

/// An exponential distribution.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExponentialLatency {
    /// The mean; above zero.
    #[schemars(example = "800ms")]
    pub mean: PositiveDuration,
}

/// A lognormal distribution.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LognormalLatency {
    /// The median; above zero.
    #[schemars(example = "800ms")]
    pub p50: PositiveDuration,
    /// The 99th percentile; not below the median.
    #[schemars(example = "3s")]
    pub p99: PositiveDuration,
}

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
    #[serde(default = "refuse")]
    pub requests: Effect,
    /// What it does to probes that are sent while it lasts. Without it, the same as to requests.
    #[schemars(extend("x-same-as" = "requests"))]
    pub probes: Option<Effect>,
    /// What it does to attempts and probes that are in flight when it starts.
    #[serde(default = "finish")]
    pub in_flight: InFlight,
    /// The share of attempts that it hits; 0 to 1.
    #[serde(default = "always")]
    pub fraction: Share,
    /// The share of probes that it hits; 0 to 1. Without it, the same as `fraction`.
    #[schemars(extend("x-same-as" = "fraction"))]
    pub probe_fraction: Option<Share>,
}

/// What a fault does.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Effect {
    /// Fails at once: connection refused.
    Refuse,
    /// Is accepted and never answered, not even after the fault has ended.
    Hang,
    /// Nothing.
    Unaffected,
    /// Fails at once with this HTTP status; 400 to 599.
    Status(#[schemars(example = 503)] Status),
    /// Is answered, but takes this many times as long; above zero.
    Slow(#[schemars(example = 10.0)] Factor),
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
    #[serde(default = "one")]
    pub replicas: Count,
    /// Which admitted provider gets an attempt. May be left out where there is only one provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// The active health check. Without it nothing probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// What to do when no routed provider is admitted.
    #[serde(default = "fail")]
    pub all_ejected: AllEjected,
}

impl Default for Gateway {
    fn default() -> Self {
        Gateway {
            from: None,
            source: None,
            evidence: None,
            replicas: one(),
            route: None,
            health_check: None,
            all_ejected: fail(),
        }
    }
}

/// Which admitted provider gets an attempt.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Route {
    /// The first admitted provider of this list.
    Prefer(#[schemars(extend("x-example" = "[\"primary\", \"backup\"]"))] Vec<String>),
    /// The provider that has been answering fastest.
    LowestLatency(LowestLatency),
}

/// Routing by a moving average of observed latencies, one for each replica.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LowestLatency {
    /// The providers to choose from; ties go to the first. Without it, all in order of name.
    pub among: Option<Vec<String>>,
    /// The weight of a new observation in the average; above 0, at most 1.
    #[serde(default = "tenth")]
    pub weight: Weight,
    /// What a failed attempt counts as: an error comes in no time, and must not make a dead provider the fastest.
    #[serde(default = "ten_seconds")]
    pub failure_counts_as: Duration,
    /// The share of requests that go to a provider drawn at random, so that a slow one is measured again; 0 to 1.
    #[serde(default = "hundredth")]
    pub explore: Share,
}

/// What to do when no routed provider is admitted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AllEjected {
    /// Answer the client with an error at once.
    Fail,
    /// Route as if all were admitted.
    IgnoreHealth,
}

/// An active health check: each replica probes each provider.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthCheck {
    /// The time between two probes; above zero.
    #[schemars(example = "5s")]
    pub interval: PositiveDuration,
    /// A probe without an answer after this long has failed; above zero.
    #[schemars(example = "1s")]
    pub timeout: PositiveDuration,
    /// Up to this much is added to each interval, at random.
    #[serde(default = "no_time")]
    pub jitter: Duration,
    /// So many failed probes in a row eject a provider; at least 1.
    #[serde(default = "one")]
    pub eject_after: Count,
    /// So many good probes in a row admit it again; at least 1.
    #[serde(default = "one")]
    pub readmit_after: Count,
    /// When the first probe is sent.
    #[serde(default = "random")]
    pub first_probe: FirstProbe,
    /// What the interval is counted from.
    #[serde(default = "from_start")]
    pub next_probe: NextProbe,
    /// How long a healthy provider takes to answer a probe, which is a small call and not a completion.
    #[serde(default = "probe_latency")]
    pub latency: Latency,
}

/// When a health check sends its first probe.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FirstProbe {
    /// At a random moment of the first interval, for each replica and provider.
    Random,
    /// This long after the start of the run.
    At(#[schemars(example = "4.999s")] Duration),
}

/// What a health check counts its interval from.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "the names are what people write")]
pub(crate) enum NextProbe {
    /// From the start of the last probe; probes overlap where the timeout is longer than the interval.
    FromStart,
    /// From the start of the last probe, but never before it has ended.
    FromStartNoOverlap,
    /// From the end of the last probe.
    FromEnd,
}

/// What somebody does by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operator {
    /// When it is done: since the start of the run ("24m"), or on the scenario's clock ("03:04:00").
    #[schemars(example = "24m")]
    pub at: Moment,
    /// From then on these providers get no attempts while another routed provider exists.
    #[schemars(extend("x-example" = "[\"primary\"]"))]
    pub avoid: Vec<String>,
}

/// A default, read as if it stood in the file.
fn literal<T: for<'de> Deserialize<'de>>(value: impl Into<toml::Value>) -> T {
    match T::deserialize(value.into()) {
        Ok(value) => value,
        Err(error) => panic!("a default {error}"),
    }
}
fn never() -> Share {
    literal(0.0)
}
fn always() -> Share {
    literal(1.0)
}
fn hundredth() -> Share {
    literal(0.01)
}
fn tenth() -> Weight {
    literal(0.1)
}
fn one() -> Count {
    literal(1)
}
fn no_time() -> Duration {
    literal("0s")
}
fn ten_seconds() -> Duration {
    literal("10s")
}
fn refuse() -> Effect {
    Effect::Refuse
}
fn finish() -> InFlight {
    InFlight::Finish
}
fn fail() -> AllEjected {
    AllEjected::Fail
}
fn random() -> FirstProbe {
    FirstProbe::Random
}
fn from_start() -> NextProbe {
    NextProbe::FromStart
}
fn probe_latency() -> Latency {
    Latency::Constant(literal("50ms"))
}
