//! Who overrules the gateway from outside, as a file says it.
//!
//! A part of [`super::file`].

use super::file_latency::Latency;
use super::setting::{Moment, PositiveDuration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What somebody does by hand. It has either `at` or `after`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operator {
    /// When it is done: since the start of the run ("24m"), or on the scenario's clock ("03:04:00").
    #[schemars(example = "24m")]
    pub at: Option<Moment>,
    /// The news on which it is done, `stages` later.
    #[schemars(extend("x-example" = "{ alert = \"page\" }"))]
    pub after: Option<After>,
    /// How long people take from the news to the switch, one stage after the other. Without it, no time.
    #[schemars(extend("x-example" = "{ acknowledge = { lognormal = { p50 = \"3m\", p99 = \"15m\" } } }"))]
    pub stages: Option<Stages>,
    /// Who has not acknowledged after so long is joined by the next one; the first of them to acknowledge does the rest.
    /// Takes a random `notify` or `acknowledge`. Without it, there is one.
    #[schemars(example = "5m")]
    pub escalate_after: Option<PositiveDuration>,
    /// From then on these providers get no attempts while another routed provider exists.
    #[schemars(extend("x-example" = "[\"primary\"]"))]
    pub avoid: Vec<String>,
    /// How long the switch lasts. Without it, for ever, or until a status page says so.
    #[schemars(example = "1h")]
    pub lasts: Option<PositiveDuration>,
}

/// The news on which somebody acts.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum After {
    /// This alert fires. While a switch lasts, or is on its way, further firings change nothing.
    Alert(#[schemars(example = &"page")] String),
    /// The vendor posts this fault.
    StatusPage(Box<StatusPage>),
}

/// What a vendor posts of a fault.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusPage {
    /// The fault's name.
    #[schemars(example = &"night")]
    pub fault: String,
    /// From the start of the fault to the post.
    #[schemars(extend("x-example" = "{ lognormal = { p50 = \"17m\", p99 = \"4h\" } }"))]
    pub posted_after: Latency,
    /// From the end of the fault to the post that it is resolved, on which its providers are used again. Without it,
    /// nobody heeds that.
    #[schemars(extend("x-example" = "{ constant = \"21m\" }"))]
    pub resolved_after: Option<Latency>,
    /// The page is read so often, from a random moment on. Without it, what is posted is known at once.
    #[schemars(example = "1m")]
    pub polled_every: Option<PositiveDuration>,
}

/// How long people take; each stage without it no time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stages {
    /// From the news to the pager that rings.
    pub notify: Option<Latency>,
    /// Until somebody acknowledges.
    pub acknowledge: Option<Latency>,
    /// Until they know what to do.
    pub diagnose: Option<Latency>,
    /// Until it is done.
    pub switch: Option<Latency>,
}
