//! Passive detectors, as a file says them.
//!
//! A part of [`super::file`].

use super::default;
use super::file_retry::Growth;
use super::setting::{AnswerItem, Count, Duration, NonNegative, PositiveDuration, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A passive detector: ejects a provider because of how attempts at it ended. Takes at least one of consecutive, count,
/// ratio, slow, at_once_on, success_rate and nginx.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detector {
    /// What is judged.
    #[serde(default)]
    pub judges: Judges,
    /// What counts as a failure: refused, connect_timeout, timeout, connection_lost, stalled, cut, 4xx, 5xx, any, or a
    /// status from 400 to 599; models/README.md says what each is. What is in neither list counts as a success, and an
    /// attempt whose client gave up as nothing.
    #[serde(default = "default::any_failure")]
    pub failures: Vec<AnswerItem>,
    /// What counts as nothing, even where it is a failure, too.
    #[serde(default)]
    pub ignored: Vec<AnswerItem>,
    /// Eject on so many failures in a row, over no window; at least 1.
    pub consecutive: Option<Count>,
    /// Eject on so many failures in the window; at least 1.
    pub count: Option<Count>,
    /// Eject on this share of failures in the window.
    #[schemars(extend("x-example" = "{ above = 0.5, min_calls = 5 }"))]
    pub ratio: Option<Ratio>,
    /// Eject on this share of good but slow answers in the window.
    #[schemars(extend("x-example" = "{ after = \"60s\", at_least = 1.0, min_calls = 100 }"))]
    pub slow: Option<SlowRatio>,
    /// Eject on the first answer like this.
    #[serde(default)]
    pub at_once_on: Vec<AnswerItem>,
    /// Eject where the share of successes is far below the other providers'; takes `evaluated` on ticks.
    pub success_rate: Option<SuccessRate>,
    /// Count as nginx does; nothing else says then when a provider is ejected, or for how long.
    pub nginx: Option<Nginx>,
    /// What counts and ratios are counted over.
    #[serde(default)]
    pub window: Window,
    /// When counts and ratios are looked at.
    #[serde(default)]
    pub evaluated: Evaluated,
    /// What becomes of the end of an attempt that was sent before the last change of state.
    #[serde(default)]
    pub stale: Stale,
    /// The share of trips that eject; 0 to 1.
    #[serde(default = "default::always")]
    pub enforced: Share,
    /// What a trip does.
    #[serde(default)]
    pub on_trip: TripAction,
    /// How long an ejection lasts. Needed unless `nginx` or `on_trip` says it.
    #[schemars(example = "30s")]
    pub eject_for: Option<Duration>,
    /// How ejections that follow each other grow.
    #[serde(default)]
    pub growth: Growth,
    /// The longest ejection. Without it, there is no limit.
    pub max_eject_for: Option<Duration>,
    /// Up to this much is added to each ejection, at random.
    #[serde(default = "default::no_time")]
    pub eject_jitter: Duration,
    /// What an ejection's length is counted from.
    #[serde(default)]
    pub eject_from: EjectedFrom,
    /// The answer's Retry-After, with this much added, replaces the length. Without it, it is not heeded.
    pub retry_after: Option<Duration>,
    /// How a provider is tried again after the ejection. Without it, at once and in full.
    #[schemars(extend("x-example" = "{ permits = 1 }"))]
    pub half_open: Option<HalfOpen>,
    /// Whether the window is empty when a provider is admitted again.
    #[serde(default = "default::yes")]
    pub clears_on_admission: bool,
    /// Whether a passed probe ends an ejection.
    #[serde(default)]
    pub readmit_on_probe: bool,
    /// The most of a route's providers that may be ejected by it at once. Without it, all.
    pub max_ejected: Option<MaxEjected>,
    /// Whether a provider that is alone in its group is never ejected.
    #[serde(default)]
    pub spares_lone: bool,
}

/// What a detector judges.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Judges {
    /// The end of each attempt.
    #[default]
    Attempts,
    /// The last end at a provider, when nothing more is tried there.
    AfterRetries,
}

/// A share of failures in a window: one of `above` and `at_least`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ratio {
    /// Only a larger share ejects; 0 to 1.
    pub above: Option<Share>,
    /// This share ejects already; 0 to 1.
    pub at_least: Option<Share>,
    /// With fewer calls in the window nothing is judged; at least 1. A window of `calls` that is full is judged anyway.
    #[serde(default = "default::one")]
    pub min_calls: Count,
}

/// A share of good but slow answers in a window: one of `above` and `at_least`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SlowRatio {
    /// A good answer that takes longer is slow.
    #[schemars(example = "60s")]
    pub after: Duration,
    /// Only a larger share ejects; 0 to 1.
    pub above: Option<Share>,
    /// This share ejects already; 0 to 1.
    pub at_least: Option<Share>,
    /// With fewer calls in the window nothing is judged; at least 1.
    #[serde(default = "default::one")]
    pub min_calls: Count,
}

/// Success rates compared over providers: one is ejected whose rate is below the mean by so many standard deviations.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuccessRate {
    /// Standard deviations below the mean; 0 or more.
    #[schemars(example = 1.9)]
    pub stdev_factor: NonNegative,
    /// With fewer providers that have enough calls nothing is judged; at least 1.
    #[schemars(example = 5)]
    pub min_providers: Count,
    /// Calls that a provider must have had in the window; at least 1.
    #[schemars(example = 100)]
    pub min_calls: Count,
}

/// Failures that add up until a gap of more than `fail_timeout`; after an ejection one request decides.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nginx {
    /// So many failures eject; at least 1.
    #[schemars(example = 1)]
    pub max_fails: Count,
    /// How long an ejection lasts, and how long failures are remembered; whole seconds, above zero.
    #[schemars(example = "10s")]
    pub fail_timeout: PositiveDuration,
}

/// What counts and ratios are counted over.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Window {
    /// Everything since the provider was last admitted.
    #[default]
    SinceAdmission,
    /// The last so many calls.
    Calls(#[schemars(example = 100)] Count),
    /// The last so long, exactly.
    Sliding(#[schemars(example = "10s")] PositiveDuration),
    /// The last so long, in buckets; the oldest is dropped as a whole.
    Buckets(Buckets),
    /// One window after the other.
    Tumbling(Tumbling),
    /// An exponentially decaying average with this time constant; ratios only.
    Ewma(#[schemars(example = "30s")] PositiveDuration),
}

/// A window in buckets of equal length.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Buckets {
    /// The length of all buckets together; above zero.
    #[schemars(example = "10s")]
    pub length: PositiveDuration,
    /// How many there are; at least 1.
    #[schemars(example = 10)]
    pub count: Count,
    /// When one begins.
    #[serde(default)]
    pub from: BucketStart,
}

/// When a bucket begins.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BucketStart {
    /// At multiples of its length on the wall clock, whose phase is random.
    #[default]
    Clock,
    /// At the first call after the last one has ended.
    FirstCall,
}

/// Windows that follow each other.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tumbling {
    /// How long one is; above zero.
    #[schemars(example = "60s")]
    pub length: PositiveDuration,
    /// When one begins.
    #[serde(default)]
    pub from: WindowStart,
}

/// When a tumbling window begins.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WindowStart {
    /// At multiples of its length on the wall clock, whose phase is random.
    Clock,
    /// At the first call after the last one has ended.
    #[default]
    FirstCall,
    /// At the first failure after the last one has ended; successes before it are forgotten.
    FirstFailure,
    /// At the first success for successes and at the first failure for failures, independently.
    FirstOfEach,
}

/// When counts and ratios are looked at.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::enum_variant_names, reason = "the names are what people write")]
pub(crate) enum Evaluated {
    /// When a call ends.
    #[default]
    OnCall,
    /// When a call fails.
    OnFailure,
    /// On the ticks of a clock, which also readmit.
    OnTicks(Ticks),
}

/// The ticks of a clock.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ticks {
    /// The time between two ticks; above zero.
    #[schemars(example = "10s")]
    pub every: PositiveDuration,
    /// The first tick, since the start of the run. Without it, at random.
    pub first: Option<Duration>,
}

/// What becomes of the end of an attempt that was sent before the last change of state.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stale {
    /// It counts in the current state.
    #[default]
    Counts,
    /// It is dropped.
    Dropped,
}

/// What a trip does.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum TripAction {
    /// Ejects the provider.
    #[default]
    Eject,
    /// Has the health check act; the detector ejects nothing itself. Takes a `gateway.health_check`.
    HealthCheck(OnError),
}

/// What a trip does to the health check: the next probe comes after at most its falling interval, and ...
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnError {
    /// Nothing else.
    Hurry,
    /// It counts as one failed probe.
    Fail,
    /// One more failure ejects.
    Brink,
    /// It ejects at once.
    Down,
}

/// What an ejection's length is counted from.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EjectedFrom {
    /// The trip.
    #[default]
    Trip,
    /// The first failure in the window: what is left of a window that began with it, or the time until the oldest of
    /// sliding ones is forgotten.
    FirstFailure,
}

/// How a provider is tried again.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HalfOpen {
    /// So many attempts are let through; at least 1.
    #[serde(default = "default::one")]
    pub permits: Count,
    /// What their ends have to be.
    #[serde(default)]
    pub decide: Decide,
}

/// What ends the trial of a provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decide {
    /// The first end decides.
    #[default]
    First,
    /// All have to succeed; one failure ejects again.
    All,
    /// When all have ended, the detector's ratio is judged over them.
    Ratio,
}

/// The most providers that may be ejected at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaxEjected {
    /// The share of the route's providers; 0 to 1.
    #[schemars(example = 0.1)]
    pub share: Share,
    /// How the share is compared.
    #[serde(default)]
    pub rule: MaxEjectedRule,
}

/// How the share of ejected providers is compared.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MaxEjectedRule {
    /// The share with this one must not be above.
    #[default]
    WithThis,
    /// The share without this one must be below: the first one is always ejected.
    BeforeThis,
}
