//! How much a provider can do at once, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::setting::{Count, Duration, PositiveDuration, Status, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a provider can do at once. Its latency is then the time in service, and what waits waits before it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Capacity {
    /// So many answers are worked on at the same time; at least 1.
    #[schemars(example = 10)]
    pub slots: Count,
    /// So many attempts may wait; a further one is turned away at once. Without it, there is no limit.
    pub queue: Option<Whole>,
    /// Whose turn comes first.
    #[serde(default)]
    pub discipline: Discipline,
    /// An attempt that has waited for so long is turned away; above zero. Without it, none is.
    pub queue_timeout: Option<PositiveDuration>,
    /// What becomes of an attempt that waits for its turn, when its caller has given up on it.
    #[serde(default)]
    pub abandoned: Abandoned,
    /// The HTTP status that what is turned away gets; 400 to 599.
    #[serde(default = "default::unavailable")]
    pub full: Status,
    /// The Retry-After that comes with it. Without it, none comes.
    pub retry_after: Option<Duration>,
}

/// Whose turn comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Discipline {
    /// First come, first served.
    #[default]
    Fifo,
    /// Last come, first served.
    Lifo,
}

/// A provider that has to start when nobody has asked it for a while. At the start of the run it is warm.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cold {
    /// So long after its last attempt it is cold; above zero. Probes neither keep it warm nor find it cold.
    #[schemars(example = "10m")]
    pub after: PositiveDuration,
    /// So long it takes to start for the next attempt; above zero. That one, and what comes meanwhile, waits.
    #[schemars(example = "20s")]
    pub start: PositiveDuration,
}

/// What becomes of an attempt that waits for its turn, when its caller has given up on it.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Abandoned {
    /// It is worked on all the same.
    #[default]
    Runs,
    /// It is dropped when its turn comes.
    Dropped,
}
