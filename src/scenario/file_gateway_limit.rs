//! What a gateway takes in, and what it answers by itself, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::setting::{Allowance, Count, Duration, PositiveDuration, Share, Status, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much each replica takes in. What is above it is turned away, or waits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GatewayLimit {
    /// So many requests at a time; at least 1. Without it, there is no limit.
    #[schemars(example = 100)]
    pub in_flight: Option<Count>,
    /// So many more may wait until one of these has ended: those of higher priority first, and among equals those who came
    /// first. One that finds the queue full takes the place of the last one of lower priority, if there is one.
    #[serde(default = "default::none")]
    pub queue: Whole,
    /// What has waited for so long is turned away; above zero. Without it, nothing is.
    pub queue_timeout: Option<PositiveDuration>,
    /// A bucket, full at the start, fills at this rate, and each request takes one from it; whole ones in a second, a
    /// minute, an hour or a day. Without it, there is no limit.
    #[schemars(example = "200/s")]
    pub rate: Option<Allowance>,
    /// The bucket holds what comes in this long; above zero. Without it, what comes in the period of the rate.
    pub burst: Option<PositiveDuration>,
    /// The HTTP status that what is turned away gets; 400 to 599.
    #[serde(default = "default::unavailable")]
    pub answer: Status,
}

/// A cache of answers, which are given without a provider.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cache {
    /// The share of requests whose answer is in it; 0 to 1.
    #[schemars(example = 0.2)]
    pub hit_ratio: Share,
    /// How long such an answer takes, once the gateway has taken the request in.
    #[serde(default = "default::no_time")]
    pub latency: Duration,
}
