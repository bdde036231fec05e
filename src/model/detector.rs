//! Passive detectors: what eject a provider because of how attempts at it ended.
//!
//! Circuit breakers, outlier detection and cooldowns are made of the same pieces: what counts as a failure, over which
//! window it is counted, when that ejects, for how long, and how a provider comes back.

use super::{AnswerSet, Probability};
use crate::time::SimDuration;
use std::num::NonZeroU32;

/// A passive detector, which each replica has for each provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    /// The name in the scenario.
    pub name: String,
    /// What is judged: each attempt, or a provider's answer after its retries.
    pub judges: Judges,
    /// Ends that count as failures.
    pub failures: AnswerSet,
    /// Ends that count as nothing. What is in neither set counts as a success; what is in both as nothing.
    pub ignored: AnswerSet,
    /// When failures eject: whatever of these comes first. At least one is set.
    pub trips: Trips,
    /// What counts and ratios are counted over.
    pub window: Window,
    /// When counts and ratios are looked at.
    pub evaluated: Evaluated,
    /// Whether the end of an attempt that was sent before the last change of state counts.
    pub stale: Stale,
    /// The share of trips that eject.
    pub enforced: Probability,
    /// What a trip does.
    pub action: TripAction,
    /// How long an ejection lasts.
    pub ejection: Ejection,
    /// How a provider is tried again after the ejection; `None` is at once and in full.
    pub half_open: Option<HalfOpen>,
    /// Whether the window is empty when a provider is admitted again.
    pub clears_on_admission: bool,
    /// Whether a passed probe ends an ejection.
    pub readmit_on_probe: bool,
    /// The most of a route's providers that may be ejected by it at once; see [`MaxEjected`].
    pub max_ejected: Option<MaxEjected>,
    /// A provider that is alone in its group is not ejected.
    pub spares_lone: bool,
}

/// What a detector judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judges {
    /// The end of each attempt.
    Attempts,
    /// The last end at a provider, when nothing more is tried there.
    AfterRetries,
}

/// When failures eject a provider. Each one is independent of the others.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Trips {
    /// On so many failures in a row, over no window.
    pub consecutive: Option<NonZeroU32>,
    /// On so many failures in the window.
    pub count: Option<NonZeroU32>,
    /// On this share of failures in the window.
    pub ratio: Option<Ratio>,
    /// On this share of answers that were good and slow.
    pub slow: Option<SlowRatio>,
    /// On the first answer like this.
    pub at_once_on: AnswerSet,
    /// Where the share of successes is far below the other providers'.
    pub success_rate: Option<SuccessRate>,
    /// nginx's own way to count.
    pub nginx: Option<Nginx>,
}

/// A share of failures in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The share.
    pub of: Probability,
    /// Whether the share itself ejects already, or only what is above it.
    pub inclusive: bool,
    /// With fewer calls in the window nothing is judged.
    pub min_calls: u32,
}

/// A share of slow answers in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowRatio {
    /// A good answer that takes longer is slow.
    pub after: SimDuration,
    /// The share of slow answers.
    pub ratio: Ratio,
}

/// Success rates compared over providers: one is ejected whose rate is below the mean by so many standard deviations.
///
/// Source: Envoy `outlier_detection_impl.cc`: the population standard deviation over all that have enough calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SuccessRate {
    /// Standard deviations below the mean.
    pub stdev_factor: f64,
    /// With fewer providers that have enough calls nothing is judged.
    pub min_providers: u32,
    /// Calls that a provider must have had in the window.
    pub min_calls: u32,
}

/// Failures that add up until a gap of more than `fail_timeout` on a clock of whole seconds; after an ejection one
/// request is let through, and its end decides.
///
/// Source: nginx `ngx_http_upstream_round_robin.c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nginx {
    /// So many failures eject.
    pub max_fails: NonZeroU32,
    /// How long an ejection lasts, and how long failures are remembered; whole seconds.
    pub fail_timeout: SimDuration,
}

/// What counts and ratios are counted over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Window {
    /// Everything since the provider was last admitted.
    SinceAdmission,
    /// The last so many calls. A ratio is not judged before the window is full or has its `min_calls`.
    Calls(NonZeroU32),
    /// The last so long, exactly.
    Sliding(SimDuration),
    /// The last so long, in so many buckets of equal length; the oldest is dropped as a whole.
    Buckets {
        /// The length of all buckets together.
        length: SimDuration,
        /// How many there are.
        count: NonZeroU32,
        /// When one begins.
        from: BucketStart,
    },
    /// One window after the other.
    Tumbling {
        /// How long one is.
        length: SimDuration,
        /// When one begins.
        from: WindowStart,
    },
    /// An exponentially decaying average with this time constant; ratios only.
    Ewma(SimDuration),
}

/// When a bucket begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketStart {
    /// At multiples of its length on the wall clock, whose phase is random.
    Clock,
    /// At the first call after the last one has ended.
    FirstCall,
}

/// When a tumbling window begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowStart {
    /// At multiples of its length on the wall clock, whose phase is random.
    Clock,
    /// At the first call after the last one has ended.
    FirstCall,
    /// At the first failure after the last one has ended; successes before it are forgotten.
    FirstFailure,
    /// At the first success for successes and at the first failure for failures, independently.
    FirstOfEach,
}

/// When counts and ratios are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluated {
    /// When a call ends.
    OnCall,
    /// When a call fails.
    OnFailure,
    /// On the ticks of a clock, which also readmit; its phase is random unless given.
    OnTicks {
        /// The time between two ticks; above zero.
        every: SimDuration,
        /// The first tick; `None` is at random.
        first: Option<SimDuration>,
    },
}

/// What becomes of the end of an attempt that was sent before the last change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// It counts in the current state.
    Counts,
    /// It is dropped.
    Dropped,
}

/// What a trip does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TripAction {
    /// Ejects the provider.
    Eject,
    /// Has the health check act (HAProxy's `observe` and `on-error`); the detector ejects nothing itself.
    HealthCheck(OnError),
}

/// What a trip does to the health check: in each case the next probe comes after at most its `falling` interval.
///
/// Source: HAProxy 2.6 `check.c`, `__health_adjust`; the names of HAProxy's `on-error` are in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// Nothing else (`fastinter`).
    Hurry,
    /// Counts as one failed probe (`fail-check`).
    Fail,
    /// One more failure ejects (`sudden-death`).
    Brink,
    /// Ejects at once (`mark-down`).
    Down,
}

/// How long an ejection lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ejection {
    /// The length of the first one.
    pub base: SimDuration,
    /// What the length is multiplied with when ejections follow each other.
    pub growth: Growth,
    /// The longest one.
    pub max: SimDuration,
    /// Up to this much is added, uniformly.
    pub jitter: SimDuration,
    /// What it is counted from.
    pub from: EjectedFrom,
    /// Whether the answer's Retry-After, with this much added, replaces the length.
    pub retry_after: Option<SimDuration>,
}

/// How ejections that follow each other grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Growth {
    /// They do not.
    Constant,
    /// With how often the provider was ejected; falls by one for each tick, or base length, without an ejection.
    Linear,
    /// By this factor each time, until one trial succeeds; at least 1.
    Exponential(f64),
}

/// What an ejection's length is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EjectedFrom {
    /// The trip.
    Trip,
    /// The first failure in the window.
    FirstFailure,
}

/// How a provider is tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfOpen {
    /// So many attempts are let through.
    pub permits: NonZeroU32,
    /// What their ends have to be.
    pub decide: Decide,
}

/// What ends the trial of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decide {
    /// The first end decides.
    First,
    /// All permits have to succeed; one failure ejects again.
    All,
    /// When all permits have ended, the detector's ratio is judged over them.
    Ratio,
}

/// The most providers that may be ejected at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxEjected {
    /// The share of the route's providers.
    pub share: Probability,
    /// Whether the share is compared with those ejected already (so that one more may go over it), or with one more.
    pub rule: MaxEjectedRule,
}

/// How the share of ejected providers is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxEjectedRule {
    /// The share with this one must not be above (Envoy).
    WithThis,
    /// The share without this one must be below (gRPC): the first is always ejected.
    BeforeThis,
}

impl Trips {
    /// Whether none of them counts over a window.
    pub fn ask_no_window(&self) -> bool {
        self.count.is_none() && self.ratio.is_none() && self.slow.is_none()
    }
}

impl Detector {
    /// Whether a good end does nothing but end a row of failures, or count in a trial.
    pub fn counts_rows_only(&self) -> bool {
        let trips = &self.trips;
        trips.ask_no_window()
            && trips.success_rate.is_none()
            && trips.nginx.is_none()
            && self.ticks().is_none()
            && self.stale == Stale::Counts
    }

    /// Whether what it counts over its window is ever looked at.
    pub fn asks_window(&self) -> bool {
        !self.trips.ask_no_window() || self.trips.success_rate.is_some() || self.stale == Stale::Dropped
    }

    /// One that judges every attempt, trips on nothing yet, and ejects for so long.
    pub fn new(eject_for: SimDuration) -> Self {
        Detector {
            name: String::new(),
            judges: Judges::Attempts,
            failures: AnswerSet::any(),
            ignored: AnswerSet::NONE,
            trips: Trips::default(),
            window: Window::SinceAdmission,
            evaluated: Evaluated::OnCall,
            stale: Stale::Counts,
            enforced: Probability::ONE,
            action: TripAction::Eject,
            ejection: Ejection {
                base: eject_for,
                growth: Growth::Constant,
                max: SimDuration::MAX,
                jitter: SimDuration::ZERO,
                from: EjectedFrom::Trip,
                retry_after: None,
            },
            half_open: None,
            clears_on_admission: true,
            readmit_on_probe: false,
            max_ejected: None,
            spares_lone: false,
        }
    }

    /// Whether two runs can differ because of it.
    pub fn is_random(&self) -> bool {
        let clock = matches!(self.window, Window::Buckets { from: BucketStart::Clock, .. })
            || matches!(self.window, Window::Tumbling { from: WindowStart::Clock, .. });
        clock
            || self.trips.nginx.is_some()
            || matches!(self.evaluated, Evaluated::OnTicks { first: None, .. })
            || self.ejection.jitter > SimDuration::ZERO
            || (self.enforced > Probability::ZERO && self.enforced < Probability::ONE)
    }

    /// Whether it works on the ticks of a clock, and which.
    pub fn ticks(&self) -> Option<SimDuration> {
        match self.evaluated {
            Evaluated::OnTicks { every, .. } => Some(every),
            Evaluated::OnCall | Evaluated::OnFailure => None,
        }
    }
}
