//! Who asks, and when, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::file::Evidence;
use super::file_retry::ClientRetry;
use super::file_users::Users;
use super::setting::{Count, Positive, PositiveDuration, Rate, Share, Whole};
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
    /// What requests ask for, by kind. Without it, that does not matter.
    #[serde(default)]
    pub class: BTreeMap<String, Class>,
    /// How many conversations requests belong to, drawn at random; at least 1. Without it, each stands alone.
    pub conversations: Option<Count>,
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
    /// As recorded in a CSV file.
    Trace(Trace),
    /// When users ask who wait for the answer before they ask again: a closed loop.
    Users(Users),
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
    /// The share of a prompt that was in the turn before of its conversation, and may lie in a provider's prompt cache; 0
    /// to 1.
    #[serde(default = "default::never")]
    pub cached_share: Share,
    /// A route that minimises cost avoids providers whose latency is longer in one answer of 20; above zero. Without it,
    /// latency does not matter.
    pub max_latency: Option<PositiveDuration>,
}

/// How many tokens there are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum TokenCount {
    /// Always as many.
    Constant(#[schemars(example = 1000)] Whole),
    /// Lognormal, by two percentiles; at least one.
    Lognormal(LognormalTokens),
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
