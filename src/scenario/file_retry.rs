//! Trying again, as a file says it: retries of clients and gateways, fallback and hedging.
//!
//! A part of [`super::file`].

use super::default;
use super::setting::{
    AnswerItem, Count, Duration, Multiple, NonNegative, Positive, PositiveDuration, Weight, Whole,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Retries of clients and gateways: the same settings, but for what only who chooses the provider can do.
macro_rules! retries {
    ($($(#[$of_field:meta])* $field:ident: $kind:ty,)*) => {
        /// Further attempts of the gateway for a request that failed.
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct Retry {
            $($(#[$of_field])* pub $field: $kind,)*
            /// Where the next attempt goes.
            #[serde(default)]
            pub to: RetryTo,
            /// Whether there is no wait while another provider of the same group is admitted.
            #[serde(default)]
            pub at_once_with_others: bool,
            /// Whether the wait also comes after the last attempt, before the request fails or falls back.
            #[serde(default)]
            pub wait_after_last: bool,
        }

        /// Further requests of a client that got no good answer.
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct ClientRetry {
            $($(#[$of_field])* pub $field: $kind,)*
        }

        impl From<ClientRetry> for Retry {
            fn from(client: ClientRetry) -> Retry {
                Retry {
                    $($field: client.$field,)*
                    to: RetryTo::Any,
                    at_once_with_others: false,
                    wait_after_last: false,
                }
            }
        }
    };
}

retries! {
    /// How many at most, beside the first one; 1 to 1000.
    #[schemars(example = 3)]
    attempts: Count,
    /// Failures that are tried again: refused, connect_timeout, timeout, connection_lost, stalled, cut, 4xx, 5xx, any,
    /// or a status from 400 to 599.
    #[schemars(extend("x-example" = "[\"refused\", \"5xx\"]"))]
    on: Vec<AnswerItem>,
    /// How long to wait before the first one.
    #[serde(default = "default::no_time")]
    delay: Duration,
    /// The wait before each, one by one; the last one repeats. Takes the place of `delay`, `growth` and `max_delay`.
    delays: Option<Vec<Duration>>,
    /// How waits grow.
    #[serde(default)]
    growth: Growth,
    /// The longest wait, before jitter. Without it, there is no limit.
    max_delay: Option<Duration>,
    /// How much of a wait is random.
    #[serde(default)]
    jitter: Jitter,
    /// Failures that are tried again without a wait.
    #[serde(default)]
    at_once_on: Vec<AnswerItem>,
    /// Heed a Retry-After up to this; if it asks for more, nothing is tried again. Without it, it is not heeded.
    retry_after: Option<Duration>,
    /// What limits retries over all requests. Without it, nothing does.
    budget: Option<Budget>,
}

/// Where the next attempt goes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RetryTo {
    /// To the same provider, even if it was ejected meanwhile.
    #[default]
    Same,
    /// Wherever the route says at that moment, which may be the same one.
    Any,
    /// Wherever the route says among those not tried yet.
    Other,
    /// To the same provider, but for the last one, which goes wherever the route says.
    SameThenAny,
    /// To the start of the route again, once nothing more is tried anywhere in it.
    Start,
}

/// How waits, or ejections, that follow each other grow.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Growth {
    /// They do not.
    #[default]
    Constant,
    /// The n-th is n times the first one.
    Linear,
    /// Each is this many times the one before; at least 1.
    Exponential(#[schemars(example = 2.0)] Multiple),
}

/// How a wait is made random.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Jitter {
    /// It is not.
    #[default]
    None,
    /// From nothing to all of it.
    Full,
    /// Half of it, and from nothing to all of the other half.
    Equal,
    /// From the first wait to three times the wait before, at most the longest wait.
    Decorrelated,
    /// It, and up to this much more.
    Plus(#[schemars(example = "750ms")] Duration),
    /// It, longer or shorter by up to this share; above 0, at most 1.
    Times(#[schemars(example = 0.2)] Weight),
}

/// What limits retries over all requests of a replica, or of all clients.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Budget {
    /// So many at a time.
    Concurrent(#[schemars(example = 3)] Whole),
    /// So many at a time as are a share of requests in flight.
    ConcurrentShare(ConcurrentShare),
    /// A bucket of tokens, full at the start.
    Tokens(Tokens),
    /// So many as are a share of recent requests.
    Share(ShareBudget),
}

/// So many retries at a time as are a share of requests in flight.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConcurrentShare {
    /// The share of requests in flight; above 0, at most 1.
    #[schemars(example = 0.2)]
    pub share: Weight,
    /// So many are always allowed.
    #[serde(default = "default::three")]
    pub min: Whole,
}

/// A bucket of tokens.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tokens {
    /// How many it holds; above zero.
    #[schemars(example = 10.0)]
    pub max: Positive,
    /// How many a retry takes; it is not made if there are fewer.
    #[serde(default = "default::one_token")]
    pub per_retry: NonNegative,
    /// How many a retry after a timeout takes. Without it, the same as `per_retry`.
    #[schemars(extend("x-same-as" = "per_retry"))]
    pub per_timeout_retry: Option<NonNegative>,
    /// How many a failed attempt takes.
    #[serde(default = "default::nothing")]
    pub per_failure: NonNegative,
    /// How many a success puts back.
    #[serde(default = "default::nothing")]
    pub per_success: NonNegative,
    /// Whether a success after a retry puts back what that retry took.
    #[serde(default)]
    pub refunds: bool,
    /// A retry is made only while more than this many are left.
    #[serde(default = "default::nothing")]
    pub keeps: NonNegative,
}

/// So many retries as are a share of recent requests.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShareBudget {
    /// The share of requests; 0 or more.
    #[schemars(example = 0.2)]
    pub share: NonNegative,
    /// Retries in a second that are always allowed; 0 or more.
    #[serde(default = "default::nothing")]
    pub per_second: NonNegative,
    /// How long a request is remembered; above zero.
    #[schemars(example = "10s")]
    pub ttl: PositiveDuration,
}

/// Further attempts elsewhere, when nothing more is tried where the request failed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fallback {
    /// Failures after which the next of a `prefer` list is tried.
    #[serde(default = "default::any_failure")]
    pub on: Vec<AnswerItem>,
    /// How often at most; at least 1.
    #[serde(default = "default::thousand")]
    pub max: Count,
}

/// Parallel attempts for a request that takes long.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hedge {
    /// A parallel attempt is made when the last one has not ended after this long.
    #[schemars(example = "500ms")]
    pub after: Duration,
    /// How many parallel attempts at most; at least 1.
    #[serde(default = "default::one")]
    pub max: Count,
}
