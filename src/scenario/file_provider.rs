//! Who serves requests, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::file::Evidence;
use super::file_price::{Billing, Price};
use super::setting::{Count, Duration, Positive, PositiveDuration, Share, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    pub latency: AnswerLatency,
    /// The share of attempts, and of probes, that get an error status with no fault active; 0 to 1.
    #[serde(default = "default::never")]
    pub error_rate: Share,
    /// The share of an answer's latency until its first token; 0 to 1, where 1 is an answer that is not streamed.
    #[serde(default = "default::always")]
    pub first_token: Share,
    /// How much it can do at once. Without it, there is no limit.
    pub capacity: Option<Capacity>,
    /// What it charges, in US dollars. Without it, nobody knows what anything costs.
    #[schemars(extend("x-example" = "{ input = 2.5, output = 10.0 }"))]
    pub price: Option<Price>,
    /// What it charges for calls that do not go well. Without it, nothing for errors, what has come for answers that break
    /// off, and everything for answers that nobody waits for.
    #[schemars(extend("x-example" = "{ abandoned = \"delivered\" }"))]
    pub billing: Option<Billing>,
    /// How long a conversation's prompt stays in its cache after an answer; above zero. Without it, it has no cache.
    #[schemars(example = "5m")]
    pub prompt_cache: Option<PositiveDuration>,
}

/// How much a provider can do at once. Its latency is then the time in service, and what waits waits before it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Capacity {
    /// So many answers are worked on at the same time; at least 1.
    #[schemars(example = 10)]
    pub slots: Count,
    /// So many attempts may wait; a further one gets a 503 at once. Without it, there is no limit.
    pub queue: Option<Whole>,
    /// What becomes of an attempt that waits for its turn, when its caller has given up on it.
    #[serde(default)]
    pub abandoned: Abandoned,
}

/// What becomes of an attempt that waits for its turn, when its caller has given up on it.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Abandoned {
    /// It is worked on all the same.
    #[default]
    Runs,
    /// It is dropped when its turn comes.
    Dropped,
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
    /// By three percentiles, exactly: a lognormal body up to the 95th, and a tail above it that may be far longer.
    Percentiles(PercentilesLatency),
}

/// How long a provider takes for an answer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum AnswerLatency {
    /// Always the same.
    Constant(#[schemars(example = "800ms")] Duration),
    /// Exponential, by its mean.
    Exponential(ExponentialLatency),
    /// Lognormal, by two percentiles that can be read off a dashboard.
    Lognormal(LognormalLatency),
    /// By three percentiles, exactly: a lognormal body up to the 95th, and a tail above it that may be far longer.
    Percentiles(PercentilesLatency),
    /// A time to the first token, and then as long as the answer's tokens take.
    Tokens(TokenLatency),
}

impl AnswerLatency {
    /// The distribution of the whole latency, or of the time to the first token; then with the speed of the rest.
    pub fn parts(&self) -> (Latency, Option<&TokenLatency>) {
        match self {
            AnswerLatency::Constant(constant) => (Latency::Constant(constant.clone()), None),
            AnswerLatency::Exponential(exponential) => (Latency::Exponential(exponential.clone()), None),
            AnswerLatency::Lognormal(lognormal) => (Latency::Lognormal(lognormal.clone()), None),
            AnswerLatency::Percentiles(percentiles) => (Latency::Percentiles(percentiles.clone()), None),
            AnswerLatency::Tokens(tokens) => (tokens.first_token.clone(), Some(tokens)),
        }
    }
}

/// Latency of answers that are written token by token.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenLatency {
    /// How long until the first token.
    #[schemars(extend("x-example" = "{ lognormal = { p50 = \"400ms\", p99 = \"2s\" } }"))]
    pub first_token: Latency,
    /// Tokens of the prompt that are read in a second, which comes on top of it; above zero. Without it, a prompt's length
    /// does not matter.
    pub prompt_per_second: Option<Positive>,
    /// Tokens of the answer in a second after the first one; above zero. A request's class says how many there are.
    #[schemars(example = 80.0)]
    pub per_second: Positive,
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

/// A distribution with these percentiles. Its logarithm is linear in the normal score, more steeply (or less) above the
/// 95th percentile than below.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PercentilesLatency {
    /// The median; above zero.
    #[schemars(example = "639ms")]
    pub p50: PositiveDuration,
    /// The 95th percentile; not below the median.
    #[schemars(example = "1144ms")]
    pub p95: PositiveDuration,
    /// The 99th percentile; not below the 95th.
    #[schemars(example = "4517ms")]
    pub p99: PositiveDuration,
    /// What would take longer takes this; not below the 99th percentile. Without it, nothing bounds the tail.
    pub max: Option<PositiveDuration>,
}
