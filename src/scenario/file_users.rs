//! Users who wait for an answer before they ask again, as a file says it.
//!
//! A part of [`super::file_traffic`].

use super::default;
use super::file_latency::Latency;
use super::setting::{Count, Duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Users who ask, wait until their request has succeeded or failed, think, and ask again.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Users {
    /// How many there are; 1 to 1,000,000.
    #[schemars(example = 200)]
    pub count: Count,
    /// How long a user thinks before each request, the first one too; above zero.
    #[schemars(extend("x-example" = "{ exponential = { mean = \"3s\" } }"))]
    pub think: Latency,
    /// Over how long the users begin, evenly. By default all begin at once.
    #[serde(default = "default::no_time")]
    pub ramp_up: Duration,
}
