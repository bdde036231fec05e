//! A scenario file as it is written: the types behind the JSON Schema.
//!
//! The comments here are what editors show. Ranges and units live in [`super::quantity`]; that names refer to things
//! that exist, and all else that needs more than one setting to judge, is left to [`super::lower`]. The tables of
//! providers, faults and the gateway have files of their own.

use super::file_fault::Fault;
use super::file_gateway::Gateway;
use super::file_provider::Provider;
use super::file_retry::ClientRetry;
use super::setting::{Moment, PositiveDuration, Rate, TimeOfDay};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is simulated: who asks, who answers, what goes wrong, and what routes. Names are table keys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// One sentence on what the scenario is about.
    pub about: Option<String>,
    /// What the clock shows at the start, with a zone's label: "02:40:00 UTC". Times may then be clock times.
    pub clock: Option<TimeOfDay>,
    /// How long requests arrive; what is in flight then still ends. Above zero, at most 366 days.
    #[schemars(example = "30m")]
    pub duration: PositiveDuration,
    /// Who asks, and when.
    #[schemars(extend("x-example" = "\n[traffic]\narrivals = { poisson = \"100/s\" }"))]
    pub traffic: Traffic,
    /// Who serves requests, by name; at least one.
    #[schemars(extend("x-example" = "\n[provider.primary]\nlatency = { lognormal = { p50 = \"800ms\", p99 = \"3s\" } }"))]
    pub provider: BTreeMap<String, Provider>,
    /// What goes wrong, by name.
    #[serde(default)]
    pub fault: BTreeMap<String, Fault>,
    /// What routes requests, and how it learns who is alive.
    #[serde(default)]
    pub gateway: Gateway,
    /// What people do by hand, by name.
    #[serde(default)]
    pub operator: BTreeMap<String, Operator>,
    /// What the result should be; `run` exits with 1 if it is not. Nothing that is simulated depends on it.
    pub objective: Option<Vec<Objective>>,
}

/// Who asks, and when.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traffic {
    /// A part to start from: a TOML file with the body of this table. Keys written here override it.
    pub from: Option<String>,
    /// Where the numbers come from, in words.
    pub source: Option<String>,
    /// How well the numbers are known.
    pub evidence: Option<Evidence>,
    /// When requests arrive.
    pub arrivals: Arrivals,
    /// How long a client waits for a complete answer; above zero. Without it, for ever.
    pub client_timeout: Option<PositiveDuration>,
    /// How a client asks again, on its own, when it got no good answer: what SDKs do. Without it, never.
    pub client_retry: Option<ClientRetry>,
}

/// When requests arrive.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Arrivals {
    /// Evenly spaced, at this rate.
    Constant(#[schemars(example = "100/s")] Rate),
    /// Independent of each other (a Poisson process), at this rate.
    Poisson(#[schemars(example = "100/s")] Rate),
    /// As recorded in a CSV file.
    Trace(Trace),
}

/// Recorded arrivals: a CSV file with a header row and a column of timestamps, ascending.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trace {
    /// The CSV file, beside this one or in `models/`.
    #[schemars(example = "requests.csv")]
    pub file: String,
    /// The column with the timestamps. Without it, one with a usual name: t_ms, timestamp, time, ...
    pub column: Option<String>,
    /// The unit of numeric timestamps. Without it, the end of the column's name: `_ms`, `_s`, `_us`, `_ns`.
    pub unit: Option<TraceUnit>,
    /// Scale the trace to this rate by laying shifted copies over each other. Without it, the trace is replayed once.
    pub rate: Option<Rate>,
}

/// The unit of numeric timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub(crate) enum TraceUnit {
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "us")]
    Microseconds,
    #[serde(rename = "ns")]
    Nanoseconds,
}

/// How well numbers are known.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Evidence {
    /// Measured on the real thing.
    Measured,
    /// Read in the source code.
    Source,
    /// The vendor's documentation says so.
    Documented,
    /// A guess, or a claim that nobody documents.
    Assumed,
}

/// What somebody does by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operator {
    /// When it is done: since the start of the run ("24m"), or on the scenario's clock ("03:04:00").
    #[schemars(example = "24m")]
    pub at: Moment,
    /// From then on these providers get no attempts while another routed provider exists.
    #[schemars(extend("x-example" = "[\"primary\"]"))]
    pub avoid: Vec<String>,
}

/// What the result should be.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Objective {
    /// A metric, or a statistic of it over all runs, and its bound: "failed_count.p95 <= 1000".
    #[schemars(example = "failed_count.p95 <= 1000")]
    pub expect: String,
    /// Why, in words.
    pub about: Option<String>,
}
