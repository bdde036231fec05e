//! How much accounts may send, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::file::Evidence;
use super::setting::{Allowance, Positive, PositiveDuration, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A rate limit that all providers share whose labels match. What is above it is turned away at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quota {
    /// A part to start from: a TOML file with the body of this table. Keys written here override it.
    pub from: Option<String>,
    /// Where the numbers come from, in words.
    pub source: Option<String>,
    /// How well the numbers are known.
    pub evidence: Option<Evidence>,
    /// The labels of the providers that share it, all of which must match; `name` is a provider's own name.
    #[schemars(extend("x-example" = "{ account = \"acme\" }"))]
    pub on: BTreeMap<String, String>,
    /// So many calls in a second, a minute, an hour or a day; whole ones, at least 1.
    #[schemars(example = "500/min")]
    pub requests: Option<Allowance>,
    /// So many tokens in a second, a minute, an hour or a day; whole ones, at least 1. Those of a request's prompt and of its
    /// complete answer count when it is sent. Where calls are limited, too, what is reached first turns away.
    #[schemars(example = "30000/min")]
    pub tokens: Option<Allowance>,
    /// Over which time they are counted.
    #[serde(default)]
    pub window: QuotaWindow,
    /// A token bucket holds what comes in this long; above zero. Without it, what comes in the period of the limit.
    pub burst: Option<PositiveDuration>,
    /// How the limit grows with traffic that is served well. Without it, it does not.
    #[schemars(extend("x-example" = "{ over = \"1h\" }"))]
    pub growth: Option<QuotaGrowth>,
    /// The HTTP status that what is above it gets; 400 to 599.
    #[serde(default = "default::too_many_requests")]
    pub answer: Status,
    /// The Retry-After that comes with it.
    #[serde(default)]
    pub retry_after: RetryAfter,
    /// Whether what is turned away takes what is left, too.
    #[serde(default)]
    pub counts_refused: bool,
    /// Whether probes count, those of each replica, and are turned away like anything else.
    #[serde(default = "default::yes")]
    pub probes: bool,
}

/// Over which time calls are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuotaWindow {
    /// A bucket, full at the start, fills evenly, and each call takes from it.
    #[default]
    TokenBucket,
    /// A period begins with the first call after the last period is over.
    Fixed,
    /// Periods follow each other from midnight of the scenario's clock; without one, from the start of the run.
    Calendar,
}

/// A limit that grows: some times the rate of what was served well of late, and never below what is written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuotaGrowth {
    /// How many times that rate; above zero.
    #[serde(default = "default::twice")]
    pub factor: Positive,
    /// How far back it looks; a whole multiple of `every`.
    #[schemars(example = "1h")]
    pub over: PositiveDuration,
    /// How often the limit is found anew, counted from the start; above zero.
    #[serde(default = "default::a_minute")]
    pub every: PositiveDuration,
}

/// The Retry-After that comes with an error status.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum RetryAfter {
    /// None comes.
    Never,
    /// When there would be room again if nobody else came, rounded up to whole seconds.
    #[default]
    UntilReset,
    /// Always the same.
    After(#[schemars(example = "20s")] PositiveDuration),
}
