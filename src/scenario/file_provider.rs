//! Who serves requests, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::file::Evidence;
use super::file_capacity::{Capacity, Cold};
use super::file_latency::AnswerLatency;
use super::file_price::{Billing, Price};
use super::setting::{PositiveDuration, Share};
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
    /// How it has to start when nobody has asked it for a while. Without it, it never does.
    pub cold: Option<Cold>,
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
