//! What things cost, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::setting::{NonNegative, Whole};
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
    /// Of a million tokens of prompts that are found in its prompt cache; 0 or more. Without it, as of other tokens.
    pub cached_input: Option<NonNegative>,
    /// Of a call, whatever it has; 0 or more.
    #[serde(default = "default::nothing")]
    pub request: NonNegative,
}

/// What a provider charges for calls that do not go well. One that is refused, or that it cannot be reached for, is never
/// charged.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Billing {
    /// For those that fail before any token has come: an error status, a connection that breaks, silence.
    #[serde(default)]
    pub errors: OfErrors,
    /// For answers that break off, stall or are truncated after their first token.
    #[serde(default = "default::delivered")]
    pub cut: OfAnswers,
    /// For answers that the provider completes, or would have, though their caller has left.
    #[serde(default = "default::whole_answer")]
    pub abandoned: OfAnswers,
}

/// How much of a call is charged that gave no token.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OfErrors {
    /// Nothing, not even the call.
    #[default]
    Nothing,
    /// The call and its prompt.
    Input,
    /// The call, its prompt and a whole answer.
    All,
}

/// How much of a call is charged that would have given an answer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OfAnswers {
    /// Nothing, not even the call.
    Nothing,
    /// The call and its prompt.
    Input,
    /// The call, its prompt and the tokens that have come; nothing before the first one.
    Delivered,
    /// The call, its prompt and a whole answer.
    All,
}

/// What the gateway costs, in US dollars.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fee {
    /// The share of what providers charge for attempts that comes on top of it; 0 or more. Probes have no markup.
    #[serde(default = "default::nothing")]
    pub markup: NonNegative,
    /// For each request, whatever becomes of it; 0 or more.
    #[serde(default = "default::nothing")]
    pub request: NonNegative,
    /// For 30 days; a run costs in proportion to its duration. 0 or more.
    #[serde(default = "default::nothing")]
    pub month: NonNegative,
}

/// The tokens of a probe that is a call to a model.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbeTokens {
    /// Of its prompt.
    #[schemars(example = 10)]
    pub input: Whole,
    /// Of its answer.
    #[schemars(example = 1)]
    pub output: Whole,
}

/// What things cost beside what is paid for them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cost {
    /// What a failed request costs, in US dollars: lost business. 0 or more.
    #[schemars(example = 0.05)]
    pub failed_request: NonNegative,
}
