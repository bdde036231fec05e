//! Active health checks: when probes are sent, and what their results do.

use super::{AnswerSet, Latency, Probability};
use crate::time::SimDuration;
use std::num::NonZeroU32;

/// An active health check: each replica probes each provider.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheck {
    /// The time between two probes, counted as `next_probe` says; above zero.
    pub interval: SimDuration,
    /// The interval in certain states, where it differs.
    pub intervals: Intervals,
    /// A probe without an answer after this long has failed; above zero.
    pub timeout: SimDuration,
    /// Up to this much is added to each interval, uniformly.
    pub jitter: SimDuration,
    /// Up to this share of the interval is added to it, uniformly; zero or more.
    pub jitter_share: f64,
    /// Each interval is longer or shorter by up to this share of it, uniformly; in [0, 1].
    pub spread: Probability,
    /// So many failed probes eject a provider.
    pub eject_after: NonZeroU32,
    /// So many good probes admit it again.
    pub readmit_after: NonZeroU32,
    /// Whether results that contradict the verdict have to come in a row.
    pub counting: Counting,
    /// Probes that fail like this eject at once, however many `eject_after` asks for.
    pub eject_at_once_on: AnswerSet,
    /// When the first probe is sent.
    pub first_probe: FirstProbe,
    /// What the interval is counted from.
    pub next_probe: NextProbe,
    /// How many independent observers probe each provider for each replica, with phases of their own.
    pub observers: NonZeroU32,
    /// With several observers, a provider is admitted while more than this share of them finds it healthy.
    pub quorum: Probability,
    /// How long a healthy provider takes to answer a probe; a probe is a small call of its own, not a completion.
    pub latency: Latency,
    /// The tokens of a probe that is a call to a model; `None` if probes cost nothing.
    pub tokens: Option<ProbeTokens>,
}

/// The tokens of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeTokens {
    /// Of its prompt.
    pub input: u32,
    /// Of its answer.
    pub output: u32,
}

/// Intervals of a health check in certain states; `None` is the ordinary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Intervals {
    /// After a failed probe of a provider that is still admitted.
    pub falling: Option<SimDuration>,
    /// After a failed probe of one that is ejected, by this probe or before.
    pub down: Option<SimDuration>,
    /// After a good probe of one that is still ejected.
    pub rising: Option<SimDuration>,
    /// While the replica has not yet sent any attempt.
    pub no_traffic: Option<SimDuration>,
}

/// How a health check counts results that contradict its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// In a row: one that agrees starts the count again.
    Consecutive,
    /// All since the verdict last changed.
    Cumulative,
}

impl HealthCheck {
    /// One probe decides, sent at a random phase and answered at once by a healthy provider.
    pub fn new(interval: SimDuration, timeout: SimDuration) -> Self {
        HealthCheck {
            interval,
            intervals: Intervals::default(),
            timeout,
            jitter: SimDuration::ZERO,
            jitter_share: 0.0,
            spread: Probability::ZERO,
            eject_after: NonZeroU32::MIN,
            readmit_after: NonZeroU32::MIN,
            counting: Counting::Consecutive,
            eject_at_once_on: AnswerSet::NONE,
            first_probe: FirstProbe::Random,
            next_probe: NextProbe::FromStart,
            observers: NonZeroU32::MIN,
            quorum: Probability::ZERO,
            latency: Latency::Constant(SimDuration::ZERO),
            tokens: None,
        }
    }

    /// Whether two runs can differ because of it.
    pub fn is_random(&self) -> bool {
        self.first_probe == FirstProbe::Random
            || self.jitter > SimDuration::ZERO
            || self.jitter_share > 0.0
            || self.spread > Probability::ZERO
            || self.observers.get() > 1
            || self.latency.is_random()
    }
}

/// When a health check sends its first probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstProbe {
    /// At a uniformly random moment of the first interval, for each replica and provider.
    Random,
    /// This long after the start of the run.
    At(SimDuration),
}

/// What a health check counts its interval from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextProbe {
    /// From the start of the last probe; probes overlap where the timeout is longer than the interval.
    FromStart,
    /// From the start of the last probe, but never before it has ended.
    FromStartNoOverlap,
    /// From the end of the last probe.
    FromEnd,
    /// On the ticks of a clock; while a probe is under way one tick waits for its end and the others are lost.
    OnTicks,
}
