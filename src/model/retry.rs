//! Trying again: retries with their waits and budgets, fallback, hedging, and the timers of an attempt.

use super::AnswerSet;
use crate::time::SimDuration;
use std::num::NonZeroU32;

/// Further attempts for a request that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// How many at most, beside the first attempt; with a fallback, for each step of it.
    pub attempts: u32,
    /// Ends that are tried again.
    pub on: AnswerSet,
    /// Where the next attempt goes.
    pub to: RetryTo,
    /// How long to wait before each.
    pub backoff: Backoff,
    /// Ends that are tried again without a wait.
    pub at_once_on: AnswerSet,
    /// Whether there is no wait while another provider of the same group is admitted (LiteLLM).
    pub at_once_with_others: bool,
    /// Whether the wait also comes after the last attempt, before the request fails or falls back (LiteLLM).
    pub wait_after_last: bool,
    /// Whether a Retry-After is heeded: the longest wait it may ask for, above which nothing is tried again.
    pub retry_after: Option<SimDuration>,
    /// What limits retries over all requests.
    pub budget: Option<Budget>,
}

impl Retry {
    /// Whether two runs can differ because of it.
    pub fn is_random(&self) -> bool {
        match self.backoff.jitter {
            Jitter::None => false,
            Jitter::Plus(most) => most > SimDuration::ZERO,
            Jitter::Full | Jitter::Equal | Jitter::Decorrelated | Jitter::Times(_) => true,
        }
    }
}

/// Where a retry goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryTo {
    /// To the same provider, even if it was ejected meanwhile.
    Same,
    /// Wherever the route says at that moment, which may be the same one.
    Any,
    /// Wherever the route says among those not tried yet.
    Other,
    /// To the same provider, but for the last one, which goes wherever the route says.
    SameThenAny,
    /// To the start of the route again, once nothing more is tried anywhere in it (TensorZero).
    Start,
}

/// How long to wait before a retry.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// The wait before each retry where it is given one by one; the last one repeats. Empty: computed from the rest.
    pub delays: Vec<SimDuration>,
    /// The wait before the first retry.
    pub base: SimDuration,
    /// How waits grow.
    pub growth: BackoffGrowth,
    /// The longest wait, before jitter.
    pub max: SimDuration,
    /// How much of it is random.
    pub jitter: Jitter,
}

/// How waits grow from one retry to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BackoffGrowth {
    /// They do not.
    Constant,
    /// The n-th is n times the base.
    Linear,
    /// Each is this many times the one before; at least 1.
    Exponential(f64),
}

/// How a wait of `x` is made random.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Jitter {
    /// It is `x`.
    None,
    /// Uniform from 0 to `x`.
    Full,
    /// Half of `x`, and uniform from 0 to the other half.
    Equal,
    /// Uniform from the base to three times the wait before, at most the longest wait.
    Decorrelated,
    /// `x`, and uniform from 0 to this.
    Plus(SimDuration),
    /// `x` times uniform from 1 less this to 1 and this; in (0, 1].
    Times(f64),
}

/// What limits retries over all requests of a replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// So many at a time; one counts from when it is scheduled until it ends (Envoy's `max_retries`).
    Concurrent(u32),
    /// So many at a time as are this share of requests in flight, but at least `min` (Envoy's `retry_budget`).
    ConcurrentShare {
        /// The share of requests in flight, in (0, 1].
        share: f64,
        /// The least.
        min: u32,
    },
    /// A bucket of tokens, full at the start.
    Tokens(Tokens),
    /// So many a second, and this share of the requests of the last `ttl` (Finagle, Linkerd).
    Share {
        /// The share of requests.
        share: f64,
        /// Retries in a second that are always allowed.
        per_second: f64,
        /// How long a request is remembered.
        ttl: SimDuration,
    },
}

/// A bucket of tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    /// How many it holds.
    pub max: f64,
    /// How many a retry takes; it is not made if there are fewer.
    pub per_retry: f64,
    /// How many a retry after a timeout takes.
    pub per_timeout_retry: f64,
    /// How many a failed attempt takes (gRPC takes one, and nothing for the retry).
    pub per_failure: f64,
    /// How many a success puts back; a success after a retry puts back what the retry took, if that is more.
    pub per_success: f64,
    /// Whether a success after a retry puts back what that retry took (AWS SDKs).
    pub refunds: bool,
    /// A retry is made only while more than this many are left (gRPC: half of `max`).
    pub keeps: f64,
}

/// Further attempts elsewhere, when nothing more is tried where the request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// Ends after which the next child of the route's list is tried.
    pub on: AnswerSet,
    /// How often at most.
    pub max: u32,
}

/// Parallel attempts for a request that takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hedge {
    /// A parallel attempt is made when the last one has not ended after this long.
    pub after: SimDuration,
    /// How many parallel attempts at most.
    pub max: NonZeroU32,
}

/// How long the gateway waits for what; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Option<SimDuration>,
    /// From sending an attempt to the first token; where the answer is not streamed, to the answer.
    pub first_token: Option<SimDuration>,
    /// Between two tokens.
    pub idle: Option<SimDuration>,
    /// For an attempt.
    pub attempt: Option<SimDuration>,
    /// For a request, with all its attempts; what then fails is not tried again.
    pub request: Option<SimDuration>,
    /// Whether a request's last possible attempt is exempt from `first_token` and `attempt` (Cloudflare).
    pub spares_last: bool,
    /// Whether a whole answer is held back until it is complete, so that one that breaks can still be tried again.
    pub buffers: bool,
}

impl Timeouts {
    /// The timers of a request's last possible attempt.
    pub fn of_last_attempt(self) -> Timeouts {
        match self.spares_last {
            true => Timeouts { first_token: None, attempt: None, ..self },
            false => self,
        }
    }

    /// Whether no timer can end an attempt before its request's does.
    pub fn are_none_for_attempts(&self) -> bool {
        [self.connect, self.first_token, self.idle, self.attempt].iter().all(Option::is_none)
    }
}
