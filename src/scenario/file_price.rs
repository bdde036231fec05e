//! What things cost, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::setting::NonNegative;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a provider charges, in US dollars.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Price {
    /// Of a million tokens of prompts; 0 or more.
    #[serde(default = "default::nothing")]
    pub input: NonNegative,
    /// Of a million tokens of answers; 0 or more.
    #[serde(default = "default::nothing")]
    pub output: NonNegative,
    /// Of a call, whatever it has; 0 or more.
    #[serde(default = "default::nothing")]
    pub request: NonNegative,
}
