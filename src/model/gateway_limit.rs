//! What a gateway takes in, and what it answers by itself.

use super::{Allowance, Probability};
use crate::time::SimDuration;
use std::num::NonZeroU32;

/// How much each replica takes in. What is above it is turned away, or waits: those of higher priority first, and among equals
/// those who came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayLimit {
    /// So many requests at a time; `None` is without limit.
    pub in_flight: Option<NonZeroU32>,
    /// So many more may wait until one of these has ended. One that finds the queue full takes the place of the last one of
    /// lower priority, if there is one.
    pub queue: u32,
    /// What has waited for so long is turned away; `None` if nothing is.
    pub queue_timeout: Option<SimDuration>,
    /// A bucket from which each request takes one; `None` is without limit.
    pub rate: Option<Allowance>,
    /// The bucket holds what comes in this long; `None` is a period.
    pub burst: Option<SimDuration>,
    /// What it answers to what it turns away: an HTTP status from 400 to 599.
    pub answer: u16,
}

impl GatewayLimit {
    /// Without limits, and with a 503 for what is above them.
    pub const NONE: GatewayLimit =
        GatewayLimit { in_flight: None, queue: 0, queue_timeout: None, rate: None, burst: None, answer: 503 };
}

/// A cache of answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cache {
    /// The share of requests whose answer is in it. Whether one's is belongs to the request, however often it is asked.
    pub hit_ratio: Probability,
    /// How long such an answer takes, once the gateway has taken the request in.
    pub latency: SimDuration,
}
