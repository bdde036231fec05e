//! Which provider gets an attempt, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::setting::{Count, Duration, NonNegative, Positive, PositiveDuration, Share, Weight};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which admitted provider gets an attempt. Names are those of providers, or of groups.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Route {
    /// The first of this list that can serve.
    Prefer(#[schemars(extend("x-example" = "[\"primary\", \"backup\"]"))] Vec<String>),
    /// The provider that has been answering fastest.
    LowestLatency(LowestLatency),
    /// One drawn at random, by weight; weights are above zero.
    Weighted(#[schemars(extend("x-example" = "{ primary = 3.0, backup = 1.0 }"))] BTreeMap<String, Positive>),
    /// Each in turn.
    RoundRobin(#[schemars(extend("x-example" = "[\"primary\", \"backup\"]"))] Vec<String>),
    /// The provider with the fewest attempts in flight.
    LeastInFlight(#[schemars(extend("x-example" = "[\"primary\", \"backup\"]"))] Vec<String>),
    /// Of two providers drawn at random, the one with the lower moving average of latency times attempts in flight.
    PeakEwma(PeakEwma),
    /// The provider whose prices make a call with the tokens of the request's class cheapest, 1000 in and 1000 out where
    /// there is no class; ties go to the first.
    Cheapest(#[schemars(extend("x-example" = "[\"primary\", \"backup\"]"))] Vec<String>),
    /// A provider drawn at random, with a weight of one over the square of what `cheapest` compares.
    InverseSquarePrice(#[schemars(extend("x-example" = "[\"primary\", \"backup\"]"))] Vec<String>),
    /// The provider with the lowest price, as `cheapest`, of those whose tokens cost no more than a limit and that are fast
    /// enough for the request's class.
    CostMinimization(CostMinimization),
    /// By a property of the request: one for a share of requests, another one for the rest.
    Split(Split),
    /// The same for all requests of a user, as long as it can serve; users are drawn at random.
    Sticky(Sticky),
}

/// Routing by an average of observed latencies, one for each replica.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LowestLatency {
    /// The providers to choose from; ties go to the first. Without it, all in order of name.
    pub among: Option<Vec<String>>,
    /// The weight of a new observation in the moving average; above 0, at most 1.
    #[serde(default = "default::tenth")]
    pub weight: Weight,
    /// Average the last so many observations instead; at least 1. Without it, the average is a moving one.
    pub last: Option<Count>,
    /// What a failed attempt counts as at least: an error comes in no time, and must not make a dead provider the
    /// fastest.
    #[serde(default = "default::ten_seconds")]
    pub failure_counts_as: Duration,
    /// Whether failed attempts are observed at all.
    #[serde(default)]
    pub failures: Failures,
    /// Those within this share above the lowest count as equal, and one of them is drawn at random; 0 or more.
    #[serde(default = "default::nothing")]
    pub buffer: NonNegative,
    /// The share of requests that go to a provider drawn at random, so that a slow one is measured again; 0 to 1.
    #[serde(default = "default::hundredth")]
    pub explore: Share,
}

/// What becomes of failed attempts in an average of latencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failures {
    /// They count as `failure_counts_as` at least.
    #[default]
    Counted,
    /// They are not observed.
    Ignored,
}

/// A moving average of latency that rises at once to a higher observation and decays with time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeakEwma {
    /// The providers to choose from. Without it, all in order of name.
    pub among: Option<Vec<String>>,
    /// The time constant of the decay; above zero.
    #[serde(default = "default::ten_seconds_of_decay")]
    pub decay: PositiveDuration,
    /// What a failed attempt counts as at least.
    #[serde(default = "default::ten_seconds")]
    pub failure_counts_as: Duration,
}

/// Routing to the cheapest provider that will do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CostMinimization {
    /// The providers to choose from; where none that can serve is within the limits, the first that can serve is taken.
    #[schemars(extend("x-example" = "[\"primary\", \"backup\"]"))]
    pub fallback_order: Vec<String>,
    /// The most that a thousand tokens may cost, in US dollars; a price that is equal will do. Above zero. Without it, there
    /// is no limit.
    pub max_cost_per_1k: Option<Positive>,
    /// Of which tokens that is.
    #[serde(default)]
    pub price: PriceOf,
}

/// Which tokens a price of a thousand is of.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PriceOf {
    /// Tokens of answers.
    #[default]
    Output,
    /// Tokens of prompts.
    Input,
    /// The mean tokens of the request's class, in and out, with the price of the call; as many in as out where there is no
    /// class.
    Blended,
}

/// Two ways, by a property of the request.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Split {
    /// The share of requests that go to `first`; 0 to 1.
    #[schemars(example = 0.1)]
    pub share: Share,
    /// Where that share goes.
    #[schemars(example = &"primary")]
    pub first: String,
    /// Where the others go.
    #[schemars(example = &"backup")]
    pub rest: String,
}

/// Users stick to what serves them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sticky {
    /// How many users there are; at least 1.
    #[schemars(example = 100)]
    pub users: Count,
    /// What a user's requests stick to.
    #[schemars(extend("x-example" = "[\"primary\", \"backup\"]"))]
    pub among: Vec<String>,
}
