//! How long things take, as a file says it.
//!
//! A part of [`super::file`].

use super::setting::{Duration, Positive, PositiveDuration, Weight};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// The speed that one answer in 100 is below: then it differs from answer to answer, lognormal with `per_second` as the
    /// median; above zero, at most `per_second`. Without it, it does not.
    #[schemars(example = 40.0)]
    pub per_second_p1: Option<Positive>,
    /// How the speed of all answers goes up and down together. Without it, it does not.
    #[schemars(extend("x-example" = "{ every = \"30s\", p1 = 0.5 }"))]
    pub drift: Option<Drift>,
}

/// A multiple of the speed that stays for a while, and then is another one: lognormal, with a median of 1.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drift {
    /// How long it stays; above zero.
    #[schemars(example = "30s")]
    pub every: PositiveDuration,
    /// What it is below for one stretch of time in 100; above 0, at most 1.
    #[schemars(example = 0.5)]
    pub p1: Weight,
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
