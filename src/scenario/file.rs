//! A scenario file as it is written: the types behind the JSON Schema.
//!
//! The comments here are what editors show. Ranges and units live in [`super::quantity`]; that names refer to things
//! that exist, and all else that needs more than one setting to judge, is left to [`super::lower`]. The tables of
//! traffic, providers, faults, the gateway, operators and the error budget have files of their own.

use super::file_fault::Fault;
use super::file_gateway::Gateway;
use super::file_network::Network;
use super::file_operator::Operator;
use super::file_provider::Provider;
use super::file_slo::{Alert, Slo};
use super::file_traffic::Traffic;
use super::setting::{PositiveDuration, TimeOfDay};
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
    /// How long the network takes between regions. Without it, no time.
    #[schemars(extend("x-example" = "\n[network.rtt.us-east-1]\neu-west-1 = \"76ms\""))]
    pub network: Option<Network>,
    /// What people do by hand, by name.
    #[serde(default)]
    pub operator: BTreeMap<String, Operator>,
    /// Which share of requests has to succeed, and over what time. Without it, there is no error budget.
    #[schemars(extend("x-example" = "\n[slo]\nobjective = 0.999\nwindow = \"30d\""))]
    pub slo: Option<Slo>,
    /// What watches the error budget, by name.
    #[serde(default)]
    pub alert: BTreeMap<String, Alert>,
    /// What the result should be; `run` exits with 1 if it is not. Nothing that is simulated depends on it.
    pub objective: Option<Vec<Objective>>,
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
