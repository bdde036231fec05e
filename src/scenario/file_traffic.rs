//! Who asks, and when, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::file::Evidence;
use super::file_retry::ClientRetry;
use super::file_users::Users;
use super::setting::{Count, Duration, Moment, NonNegative, Positive, PositiveDuration, Rate, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Where clients are: the network then adds a round trip between them and the gateway. Without it, beside the gateway.
    #[schemars(example = "us-east-1")]
    pub region: Option<String>,
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// How the rate of arrivals changes over time, for all but a trace. Without it, not at all.
    pub profile: Option<Profile>,
    /// What requests ask for, by kind. Without it, that does not matter.
    #[serde(default)]
    pub class: BTreeMap<String, Class>,
    /// How long a client waits for a complete answer; above zero. Without it, for ever.
    pub client_timeout: Option<PositiveDuration>,
    /// How a client asks again, on its own, when it got no good answer: what SDKs do. Without it, never.
    pub client_retry: Option<ClientRetry>,
}

/// When requests arrive.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Arrivals {
    /// Evenly spaced, at this rate.
    Constant(#[schemars(example = "100/s")] Rate),
    /// Independent of each other (a Poisson process), at this rate.
    Poisson(#[schemars(example = "100/s")] Rate),
    /// With independent gaps that are burstier, or more even, than those of a Poisson process.
    Renewal(Renewal),
    /// A Poisson process that switches itself on and off, for exponential times.
    OnOff(OnOff),
    /// As recorded in a file.
    Trace(Trace),
    /// When users ask who wait for the answer before they ask again: a closed loop.
    Users(Users),
}

/// Arrivals with independent gaps from a gamma distribution; it begins in the middle of things.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renewal {
    /// The mean rate.
    #[schemars(example = "100/s")]
    pub rate: Rate,
    /// The coefficient of variation of the gaps, their standard deviation over their mean: 1.0 is a Poisson process,
    /// above it arrivals come in bursts. From 0.01 to 100.
    #[schemars(example = 3.0)]
    pub cv: Positive,
}

/// A Poisson process that switches itself on and off; it begins in the middle of things.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnOff {
    /// The mean rate in the long run; while it is on, the rate is higher.
    #[schemars(example = "100/s")]
    pub rate: Rate,
    /// How long it is on, on average; at least 1ms.
    #[schemars(example = "10s")]
    pub on: PositiveDuration,
    /// How long it is off, on average; at least 1ms.
    #[schemars(example = "50s")]
    pub off: PositiveDuration,
}

/// How a rate changes over time: a factor on it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Profile {
    /// The factor that each step sets from its instant on, in order of time; 1.0 before the first.
    #[schemars(extend("x-example" = "[{ at = \"10m\", factor = 2.0 }]"))]
    Steps(Vec<Step>),
    /// From one factor to another, evenly.
    Ramp(Ramp),
    /// A factor of 1.0, but for once.
    Spike(Spike),
    /// By the time of day on the scenario's clock.
    Daily(Daily),
    /// By the time of day on the scenario's clock, and the day of the week.
    Weekly(Weekly),
}

/// A factor on a rate from an instant on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// From when on: since the start of the run ("10m"), or on the scenario's clock ("03:04:00").
    #[schemars(example = "10m")]
    pub at: Moment,
    /// How many times the rate; from 0.
    #[schemars(example = 2.0)]
    pub factor: NonNegative,
}

/// A rate that changes evenly, once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ramp {
    /// When it begins to change: since the start of the run ("10m"), or on the scenario's clock ("03:04:00").
    #[schemars(example = "10m")]
    pub at: Moment,
    /// How long it takes.
    #[schemars(example = "5m")]
    pub over: PositiveDuration,
    /// How many times the rate after it; from 0.
    #[schemars(example = 2.0)]
    pub factor: NonNegative,
    /// How many times the rate before it; from 0.
    #[serde(default = "default::unchanged")]
    pub before: NonNegative,
}

/// A rate that is another one for a while.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spike {
    /// When it begins: since the start of the run ("10m"), or on the scenario's clock ("03:04:00").
    #[schemars(example = "10m")]
    pub at: Moment,
    /// How many times the rate; from 0.
    #[schemars(example = 5.0)]
    pub factor: NonNegative,
    /// How long the rate changes evenly before it is there.
    #[serde(default = "default::no_time")]
    pub rise: Duration,
    /// How long it stays there.
    #[schemars(example = "2m")]
    pub lasts: PositiveDuration,
    /// How long it changes back evenly after that.
    #[serde(default = "default::no_time")]
    pub fall: Duration,
}

/// A rate by the hour. It needs the scenario's `clock`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Daily {
    /// How many times the rate at each full hour from midnight on, 24 of them; it changes evenly between them.
    #[schemars(extend("x-example" = HOURS))]
    pub hours: Vec<NonNegative>,
}

/// A rate by the hour and the day. It needs the scenario's `clock`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weekly {
    /// How many times the rate at each full hour from midnight on, 24 of them; it changes evenly between them.
    #[schemars(extend("x-example" = HOURS))]
    pub hours: Vec<NonNegative>,
    /// How many times that on each day, 7 of them, Monday first.
    #[schemars(extend("x-example" = "[1.1, 1.1, 1.1, 1.1, 1.1, 0.75, 0.75]"))]
    pub days: Vec<NonNegative>,
    /// The day on which the run begins.
    #[serde(default = "default::monday")]
    pub starts: Weekday,
}

/// A day of which half is quiet.
const HOURS: &str = "[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 0.5, 0.5, 0.5, 0.5]";

/// A day of the week.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Recorded arrivals, ascending: a CSV file with a header row and a column of timestamps, or a known format, which is told
/// by its columns: Azure LLM inference traces, BurstGPT, Mooncake (JSON lines), Locust's `_stats_history.csv`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trace {
    /// The file, beside this one or in `models/`.
    #[schemars(example = "requests.csv")]
    pub file: String,
    /// The column with the timestamps. Without it, one with a usual name: t_ms, timestamp, time, ...
    pub column: Option<String>,
    /// The unit of numeric timestamps. Without it, the end of the column's name: `_ms`, `_s`, `_us`, `_ns`.
    pub unit: Option<TraceUnit>,
    /// Spread requests with equal times evenly over this long from then on, but not beyond the next ones: what a trace
    /// whose times were rounded needs. Mooncake's are rounded to 3s. Without it, they come at once.
    #[schemars(example = "3s")]
    pub spread: Option<PositiveDuration>,
    /// Scale the trace to this rate by laying shifted copies over each other. Without it, the trace is replayed once.
    pub rate: Option<Rate>,
    /// Put the trace together anew in each run, of blocks of this length from random places in it, for as long as the run
    /// takes (a circular block bootstrap). Without it, each copy is the whole trace.
    #[schemars(example = "60s")]
    pub bootstrap: Option<PositiveDuration>,
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

/// A kind of request.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Class {
    /// How many requests, or users where there are some, are of this kind, in proportion to the other kinds; above zero.
    #[serde(default = "default::one_times")]
    pub share: Positive,
    /// Where its clients are. Without it, where those of the whole traffic are.
    #[schemars(example = "eu-west-1")]
    pub region: Option<String>,
    /// How many tokens its prompts have.
    #[schemars(extend("x-example" = "{ lognormal = { p50 = 1020, p99 = 4142 } }"))]
    #[serde(default = "default::no_tokens")]
    pub input_tokens: TokenCount,
    /// How many tokens a complete answer has.
    #[schemars(extend("x-example" = "{ lognormal = { p50 = 129, p99 = 601 } }"))]
    #[serde(default = "default::no_tokens")]
    pub output_tokens: TokenCount,
}

/// How many tokens there are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum TokenCount {
    /// Always as many.
    Constant(#[schemars(example = 1000)] Whole),
    /// Lognormal, by two percentiles; at least one.
    Lognormal(LognormalTokens),
    /// Those of the recorded request that arrives; the arrivals have to be a trace with tokens.
    Recorded,
    /// Those of a random row of a file. Input and output of a request are of the same row if their files have as many rows.
    Rows(TokenRows),
}

/// Rows of a file, a CSV file with a header row or JSON lines.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRows {
    /// The file, beside this one or in `models/`.
    #[schemars(example = "requests.csv")]
    pub file: String,
    /// The column with the tokens. Without it, one with a usual name: input_tokens, output_tokens, ContextTokens, ...
    pub column: Option<String>,
}

/// A lognormal distribution of numbers of tokens.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LognormalTokens {
    /// The median; at least 1.
    #[schemars(example = 1020)]
    pub p50: Count,
    /// The 99th percentile; not below the median.
    #[schemars(example = 4142)]
    pub p99: Count,
}
