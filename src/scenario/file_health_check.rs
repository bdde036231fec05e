//! The active health check, as a file says it.
//!
//! A part of [`super::file`].

use super::default;
use super::file_latency::Latency;
use super::file_price::ProbeTokens;
use super::setting::{AnswerItem, Count, Duration, NonNegative, PositiveDuration, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An active health check: each replica probes each provider.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthCheck {
    /// The time between two probes; above zero.
    #[schemars(example = "5s")]
    pub interval: PositiveDuration,
    /// The interval after a failed probe of a provider that is still admitted. Without it, the ordinary one.
    pub interval_falling: Option<PositiveDuration>,
    /// The interval after a failed probe of a provider that is ejected. Without it, the ordinary one.
    pub interval_down: Option<PositiveDuration>,
    /// The interval after a good probe of a provider that is still ejected. Without it, the ordinary one.
    pub interval_rising: Option<PositiveDuration>,
    /// The interval while the replica has not sent any attempt yet. Without it, the ordinary one.
    pub interval_no_traffic: Option<PositiveDuration>,
    /// A probe without an answer after this long has failed; above zero.
    #[schemars(example = "1s")]
    pub timeout: PositiveDuration,
    /// Up to this much is added to each interval, at random.
    #[serde(default = "default::no_time")]
    pub jitter: Duration,
    /// Up to this share of the interval is added to it, at random; 0 or more.
    #[serde(default = "default::nothing")]
    pub jitter_share: NonNegative,
    /// Each interval is longer or shorter by up to this share of it, at random; 0 to 1.
    #[serde(default = "default::never")]
    pub spread: Share,
    /// So many failed probes, counted as `counting` says, eject a provider; at least 1.
    #[serde(default = "default::one")]
    pub eject_after: Count,
    /// So many good probes, counted as `counting` says, admit it again; at least 1.
    #[serde(default = "default::one")]
    pub readmit_after: Count,
    /// Whether results that contradict the verdict have to come in a row.
    #[serde(default)]
    pub counting: Counting,
    /// Probes that fail like this eject at once, however many `eject_after` asks for.
    #[serde(default)]
    pub eject_at_once_on: Vec<AnswerItem>,
    /// When the first probe is sent. A gateway that has been running for long has a random phase: fix it only where it
    /// was measured.
    #[serde(default = "default::random")]
    pub first_probe: FirstProbe,
    /// What the interval is counted from.
    #[serde(default = "default::from_start")]
    pub next_probe: NextProbe,
    /// How many independent observers probe each provider for each replica, with phases of their own; 1 to 64.
    #[serde(default = "default::one")]
    pub observers: Count,
    /// A provider is admitted while more than this share of its observers finds it healthy; 0 to 1. Takes several
    /// observers.
    #[serde(default = "default::never")]
    pub quorum: Share,
    /// How long a healthy provider takes to answer a probe, which is a small call and not a completion.
    #[serde(default = "default::probe_latency")]
    pub latency: Latency,
    /// The tokens of a probe, where a probe is a call to the model. Without it, probes cost nothing.
    #[schemars(extend("x-example" = "{ input = 10, output = 1 }"))]
    pub tokens: Option<ProbeTokens>,
}

/// When a health check sends its first probe.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FirstProbe {
    /// At a random moment of the first interval, for each replica and provider.
    Random,
    /// This long after the start of the run.
    At(#[schemars(example = "4.999s")] Duration),
}

/// What a health check counts its interval from.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NextProbe {
    /// From the start of the last probe; probes overlap where the timeout is longer than the interval.
    FromStart,
    /// From the start of the last probe, but never before it has ended.
    FromStartNoOverlap,
    /// From the end of the last probe.
    FromEnd,
    /// On the ticks of a clock; while a probe is under way one tick waits for its end and the others are lost.
    OnTicks,
}

/// How a health check counts results that contradict its verdict.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Counting {
    /// In a row: one that agrees starts the count again.
    #[default]
    Consecutive,
    /// All since the verdict last changed.
    Cumulative,
}
