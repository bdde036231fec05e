//! How many requests and tokens an account may send.

use super::ProviderId;
use crate::time::SimDuration;

/// A rate limit that providers share: what is above it is turned away at once, before the provider sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota {
    /// The name in the scenario.
    pub name: String,
    /// The providers whose calls it counts, in order.
    pub providers: Vec<ProviderId>,
    /// Calls, if they are limited.
    pub requests: Option<Allowance>,
    /// Tokens, if they are limited: those of a request's prompt and of its complete answer count when it is sent.
    pub tokens: Option<Allowance>,
    /// Over which time they are counted.
    pub window: QuotaWindow,
    /// How the limit grows; `None` if it does not.
    pub growth: Option<QuotaGrowth>,
    /// What it answers: an HTTP status from 400 to 599.
    pub answer: u16,
    /// The Retry-After that comes with it.
    pub retry_after: RetryAfter,
    /// Whether what is turned away counts, too.
    pub counts_refused: bool,
    /// Whether probes count, and are turned away.
    pub probes: bool,
}

impl Quota {
    /// A bucket that counts nothing yet: calls and probes alike, and answers with 429 and when to come again.
    pub fn new(name: impl Into<String>, providers: Vec<ProviderId>) -> Self {
        Quota {
            name: name.into(),
            providers,
            requests: None,
            tokens: None,
            window: QuotaWindow::TokenBucket { burst: None },
            growth: None,
            answer: 429,
            retry_after: RetryAfter::UntilReset,
            counts_refused: false,
            probes: true,
        }
    }
}

/// So many in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many; at least 1, at most [`Allowance::MOST`].
    pub amount: u64,
    /// In how long; above zero.
    pub period: SimDuration,
}

impl Allowance {
    /// More than any account may send.
    pub const MOST: u64 = 1_000_000_000_000;
}

/// Over which time a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaWindow {
    /// A bucket fills evenly, an allowance in a period, and everything takes from it. It is full at the start.
    TokenBucket {
        /// It holds what comes in this long; `None` is a period.
        burst: Option<SimDuration>,
    },
    /// A period begins with the first call after the last one is over.
    Fixed,
    /// Periods follow each other from midnight of the scenario's clock, or from the start of the run without one.
    Calendar {
        /// What the clock shows at the start, since midnight.
        start: SimDuration,
    },
}

/// A limit that grows with the traffic that it has served well: `factor` times the rate of the calls that ended well
/// in the last `over`, and never below the allowance. It is found anew every `every` from the start of the run, in
/// whole requests or tokens of a period.
///
/// Source: Together's dynamic rate, which "adjusts based on your recent successful usage"; its formula is not published
/// (docs.together.ai/docs/serverless/rate-limits).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuotaGrowth {
    /// How many times the rate that was served well; above zero.
    pub factor: f64,
    /// How far back it looks; a whole multiple of `every`.
    pub over: SimDuration,
    /// How often it is found anew; above zero.
    pub every: SimDuration,
}

/// The Retry-After that comes with an error status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// None comes.
    Never,
    /// When there would be room again if nobody else came, in whole seconds, rounded up, as RFC 9110 (10.2.3) has it. None
    /// comes with what can never be served.
    UntilReset,
    /// Always the same.
    After(SimDuration),
}
