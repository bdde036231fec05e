//! An error budget and its alerts, as a file says them.
//!
//! A part of [`super::file`].

use super::default;
use super::setting::{Duration, Positive, PositiveDuration, Rate, Share, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which share of requests has to succeed, and over what time: the error budget.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slo {
    /// The share of requests that has to succeed; from 0 to below 1.
    #[schemars(example = 0.999)]
    pub objective: Share,
    /// The time over which it has to hold; above zero.
    #[schemars(example = "30d")]
    pub window: PositiveDuration,
    /// The traffic of the whole window, and of the time before the run. Without it, the mean rate of `traffic`.
    pub requests: Option<Rate>,
}

/// An alert that fires while requests fail too fast over a long window and over a short one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alert {
    /// It fires above so many times the rate that would just empty the error budget in its window; above 0.
    #[schemars(example = 14.4)]
    pub burn: Positive,
    /// The long window, which sees to it that it matters; a multiple of `every`.
    #[schemars(example = "1h")]
    pub long: PositiveDuration,
    /// The short window, which ends it soon after the errors; a multiple of `every`, at most `long`.
    #[schemars(example = "5m")]
    pub short: PositiveDuration,
    /// The time between two evaluations; above zero.
    #[serde(default = "default::half_a_minute")]
    pub every: PositiveDuration,
    /// When it is first evaluated. A monitor that has been running for long has a random phase.
    #[serde(default)]
    pub first_tick: FirstTick,
    /// Both windows have to be too high at all evaluations for so long.
    #[serde(default = "default::no_time")]
    pub r#for: Duration,
    /// An evaluation sees what had ended so long before it: scraping, ingestion.
    #[serde(default = "default::no_time")]
    pub lag: Duration,
    /// With fewer requests than this in the short window it does not fire.
    #[serde(default = "default::none")]
    pub min_count: Whole,
    /// What the windows hold of the time before the run.
    #[serde(default)]
    pub before: BeforeRun,
}

/// When an alert is first evaluated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FirstTick {
    /// At a random moment of the first interval.
    #[default]
    Random,
    /// This long after the start of the run.
    At(#[schemars(example = "0s")] Duration),
}

/// What an alert's windows hold of the time before the run.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BeforeRun {
    /// The error budget's traffic, all of it good: the windows are full from the start.
    #[default]
    Steady,
    /// Nothing: the service is new.
    Nothing,
}
