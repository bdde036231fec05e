//! How long the network takes between regions, as a file says it.
//!
//! A part of [`super::file`].

use super::file::Evidence;
use super::setting::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long the network takes between regions. A provider's region is its label `region`; clients have theirs in
/// `traffic`, and the gateway in `gateway`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    /// A part to start from: a TOML file with the body of this table. Keys written here override it.
    pub from: Option<String>,
    /// Where the numbers come from, in words.
    pub source: Option<String>,
    /// How well the numbers are known.
    pub evidence: Option<Evidence>,
    /// Round trips between two regions, each pair written once: `rtt.us-east-1.eu-west-1 = "76ms"`. Within a region
    /// there is none unless it is written.
    #[schemars(extend("x-example" = "\n[network.rtt.us-east-1]\neu-west-1 = \"76ms\""))]
    pub rtt: BTreeMap<String, BTreeMap<String, Duration>>,
}
