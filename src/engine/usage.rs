//! What a provider's bill has on it: calls and their tokens, by what became of the calls.

use crate::model::ProviderId;
use std::ops::AddAssign;

/// What became of a call that a provider charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// An attempt whose complete good answer the client got.
    Answered,
    /// An attempt that failed at the provider, or whose answer broke off.
    Failed,
    /// An attempt that nobody waited for any more: its caller gave up on it, its connection was closed, or another
    /// attempt of the same request was faster.
    Abandoned,
    /// A probe, whatever came of it.
    Probe,
}

impl CallKind {
    /// Every kind, in the order of [`crate::metrics::Bill::usage`].
    pub const ALL: [CallKind; 4] =
        [CallKind::Answered, CallKind::Failed, CallKind::Abandoned, CallKind::Probe];

    /// The name in exported metrics.
    pub const fn name(self) -> &'static str {
        match self {
            CallKind::Answered => "answered",
            CallKind::Failed => "failed",
            CallKind::Abandoned => "abandoned",
            CallKind::Probe => "probe",
        }
    }
}

/// What was charged for. Sums of these do not depend on their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls.
    pub calls: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// Those of `input_tokens` that were found in a prompt cache.
    pub cached_tokens: u64,
    /// Those of `input_tokens` that would have been, had the conversation's last answer come from the same provider.
    pub lost_cache_tokens: u64,
}

impl Usage {
    /// So many calls like this one.
    pub fn times(self, count: u64) -> Self {
        Usage {
            calls: self.calls * count,
            input_tokens: self.input_tokens * count,
            output_tokens: self.output_tokens * count,
            cached_tokens: self.cached_tokens * count,
            lost_cache_tokens: self.lost_cache_tokens * count,
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, more: Usage) {
        self.calls += more.calls;
        self.input_tokens += more.input_tokens;
        self.output_tokens += more.output_tokens;
        self.cached_tokens += more.cached_tokens;
        self.lost_cache_tokens += more.lost_cache_tokens;
    }
}

/// Calls that a provider charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Billed {
    /// Who charges.
    pub provider: ProviderId,
    /// What became of the calls.
    pub kind: CallKind,
    /// How much it is.
    pub usage: Usage,
}
