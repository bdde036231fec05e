//! What the page asks, and what it is told.

use super::CloseupDocument;
use crate::output;
use serde::{Deserialize, Serialize};

/// A question.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Values by path, in the order in which they are set; null leaves a setting out, after all others are set.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// How many runs. Without it, as many as can be played while somebody drags a control.
    pub runs: Option<u64>,
}

/// The answer. The same question with a number of runs has the same answer, to the byte; without one, it depends on how
/// fast the machine is how many runs there are, and on nothing else.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// How many runs were played.
    pub runs: u64,
    /// How many there could be: what was asked for, unless it would be too much work.
    pub runs_possible: u64,
    /// What `run --format json` prints of the scenario as written and the scenario with these settings, in this order, but
    /// for the timelines, which are empty.
    pub document: output::Document,
    /// The first run looked at closely; null where that would be too much work for now.
    pub closeup: Option<CloseupDocument>,
}
