//! What goes wrong now and then, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::file::Evidence;
use super::file_fault::{Effect, InFlight, Recovery};
use super::file_latency::Latency;
use super::setting::{Duration, NonNegative, Positive, PositiveDuration, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A source of incidents: drawn at random by `gaps`, `lasts` and `severity`, or replayed from a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Incidents {
    /// A part to start from: a TOML file with the body of this table. Keys written here override it.
    pub from: Option<String>,
    /// Where the numbers come from, in words.
    pub source: Option<String>,
    /// How well the numbers are known.
    pub evidence: Option<Evidence>,
    /// The labels of the providers it hits, all of which must match; `name` is a provider's own name.
    #[schemars(extend("x-example" = "{ vendor = \"anthropic\" }"))]
    pub on: BTreeMap<String, String>,
    /// From the start of one incident to the start of the next.
    pub gaps: Option<Gaps>,
    /// How long an incident has its full force.
    pub lasts: Option<Latency>,
    /// The share of attempts, and of probes, that an incident hits.
    pub severity: Option<Severity>,
    /// How likely incidents are in each hour of the scenario's `clock`, relative to each other: 24 numbers, from midnight.
    /// The mean gap stays as it is. Without it, all hours are alike.
    pub hours: Option<Vec<NonNegative>>,
    /// How likely incidents are on Saturdays and Sundays, relative to other days; the run starts on a Monday. Without it,
    /// all days are alike.
    pub weekend: Option<NonNegative>,
    /// The share of incidents that hit only one of the providers, each with the same chance; the others hit all. 0 to 1.
    /// Without it, 0.
    pub one_of: Option<Share>,
    /// Incidents as they were, from a list, instead of random ones.
    pub replay: Option<Replay>,
    /// What an incident does to attempts that are sent while it lasts.
    #[serde(default = "default::error_503")]
    pub requests: Effect,
    /// What it does to probes that are sent while it lasts. Without it, the same as to requests.
    #[schemars(extend("x-same-as" = "requests"))]
    pub probes: Option<Effect>,
    /// What it does to attempts and probes that are in flight when it starts.
    #[serde(default = "default::finish")]
    pub in_flight: InFlight,
    /// The Retry-After that comes with an error status. Without it, none comes.
    pub retry_after: Option<Duration>,
    /// How an incident goes away after its full force. Without it, at once.
    pub recovery: Option<Recovery>,
}

/// The time from the start of one incident to the start of the next.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Gaps {
    /// Exponential, by its mean: starts are independent of each other.
    Exponential(ExponentialGaps),
    /// Weibull: with a shape below 1 incidents cluster, as real ones do.
    Weibull(WeibullGaps),
}

/// An exponential distribution.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExponentialGaps {
    /// The mean; above zero.
    #[schemars(example = "125h")]
    pub mean: PositiveDuration,
}

/// A Weibull distribution.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WeibullGaps {
    /// The exponent; 0.3 to 10.
    #[schemars(example = 0.67)]
    pub shape: Positive,
    /// The gap that 63% stay below; above zero.
    #[schemars(example = "92.6h")]
    pub scale: PositiveDuration,
}

/// The share of attempts, and of probes, that an incident hits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Severity {
    /// The same for all incidents; 0 to 1.
    Constant(#[schemars(example = 0.3)] Share),
    /// Any share between two as likely as any other.
    Uniform(UniformSeverity),
    /// Classes of incidents, by name.
    #[schemars(extend("x-example" = "{ minor = { weight = 30, fraction = 0.05 } }"))]
    Classes(BTreeMap<String, SeverityClass>),
}

/// A share that is drawn for each incident.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UniformSeverity {
    /// The smallest share; 0 to 1.
    #[schemars(example = 0.05)]
    pub min: Share,
    /// The largest share; not below the smallest, at most 1.
    #[schemars(example = 1.0)]
    pub max: Share,
}

/// Incidents that are alike in severity.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeverityClass {
    /// How many there are, relative to the other classes; from zero.
    #[schemars(example = 30.0)]
    pub weight: NonNegative,
    /// The share that they hit; 0 to 1.
    #[schemars(example = 0.05)]
    pub fraction: Share,
}

/// Incidents from a list: a CSV file with the columns `posted_start` and `posted_resolved`, or an `incidents.json` as
/// Statuspage gives it. Where the list states when the impact was, in `stated_impact_start` and `stated_impact_end`, that
/// is taken.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// The CSV or JSON file, beside this one or in `models/`.
    #[schemars(example = "models/incidents/llm_incidents_2026.csv")]
    pub file: String,
    /// Only lines with this in the column `provider`. Without it, all.
    pub provider: Option<String>,
    /// Only lines with one of these in the column `scope`, or incidents of one of these components. Without it, all.
    pub scopes: Option<Vec<String>>,
    /// The share of attempts, and of probes, that an incident of each impact hits; 0 to 1. Others are left out.
    #[schemars(extend("x-example" = "{ minor = 0.05, major = 0.3, critical = 1.0 }"))]
    pub severities: BTreeMap<String, Share>,
    /// The date and time at which the run starts, as in "2026-07-21T00:00:00Z". Without it, the start of the first incident.
    pub begins: Option<String>,
}
