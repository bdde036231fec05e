//! What serves requests.

use super::{Billing, Generation, Latency, Price, Probability};
use crate::time::SimDuration;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// A provider's place in [`super::Model::providers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProviderId(u16);

impl ProviderId {
    /// The id of the provider at `index`.
    ///
    /// # Panics
    /// If `index` does not fit in 16 bits; scenarios are limited to far fewer providers.
    pub fn new(index: usize) -> Self {
        ProviderId(u16::try_from(index).expect("a model has fewer than 65,536 providers"))
    }

    /// The place in the model's list.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An AI API in one region or account.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// The name in the scenario; draws are keyed by it.
    pub name: String,
    /// What it shares with others: vendor, region, account. Faults select by them.
    pub labels: BTreeMap<String, String>,
    /// How long a good answer takes, from sending the attempt to its last byte; to its first token, if there is a
    /// `generation`.
    pub latency: Latency,
    /// How fast it writes an answer, which takes the longer the more tokens the answer has; `None` if that does not
    /// matter.
    pub generation: Option<Generation>,
    /// The share of attempts, and of probes, that get an error status with no fault active.
    pub error_rate: Probability,
    /// The share of an answer's latency until its first token; 1 where it is not streamed, or where there is a
    /// `generation` to tell it.
    pub first_token: Probability,
    /// How much it can do at once; `None` is without limit.
    pub capacity: Option<Capacity>,
    /// When it has to start; `None` if it never does.
    pub cold: Option<Cold>,
    /// What it charges; `None` if nobody knows.
    pub price: Option<Price>,
    /// What it charges for calls that do not go well.
    pub billing: Billing,
    /// How long a conversation's prompt stays in its cache after an answer; `None` if it has none.
    pub prompt_cache: Option<SimDuration>,
}

impl Provider {
    /// A provider without labels or limits that makes no errors.
    pub fn new(name: impl Into<String>, latency: Latency) -> Self {
        Provider {
            name: name.into(),
            labels: BTreeMap::new(),
            latency,
            generation: None,
            error_rate: Probability::ZERO,
            first_token: Probability::ONE,
            capacity: None,
            cold: None,
            price: None,
            billing: Billing::default(),
            prompt_cache: None,
        }
    }

    /// The 95th percentile of the latency of a healthy provider, for a call of so many tokens at its median speed.
    pub fn nominal_latency(&self, input_tokens: f64, output_tokens: f64) -> SimDuration {
        const P95: u64 = (0.95 * u64::MAX as f64) as u64;
        let drawn = self.latency.of_rank(P95);
        self.generation.as_ref().map_or(drawn, |generation| {
            let writes = SimDuration::from_secs_f64(output_tokens / generation.per_second);
            drawn.plus(generation.reads(input_tokens.round() as u32)).plus(writes)
        })
    }

    /// Whether two answers to the same request can differ.
    pub fn is_random(&self) -> bool {
        self.latency.is_random()
            || self.error_rate > Probability::ZERO
            || self.generation.is_some_and(|generation| generation.is_random())
    }
}

/// How much a provider can do at once. Latency is then the time in service, and what waits waits before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// So many answers are worked on at the same time.
    pub slots: NonZeroU32,
    /// So many attempts may wait; a further one is turned away at once. `None` is without limit.
    pub queue: Option<u32>,
    /// Whose turn comes first.
    pub discipline: Discipline,
    /// What has waited for so long is turned away; `None` if nothing is.
    pub queue_timeout: Option<SimDuration>,
    /// What becomes of work that nobody waits for any more.
    pub abandoned: Abandoned,
    /// What it answers to what it turns away: an HTTP status from 400 to 599.
    pub full: u16,
    /// The Retry-After that comes with it; `None` if none comes.
    pub retry_after: Option<SimDuration>,
}

impl Capacity {
    /// So many slots, and a queue without limit: first come, first served. It works on everything, and knows the 503 that
    /// it never gives.
    pub fn new(slots: NonZeroU32) -> Self {
        Capacity {
            slots,
            queue: None,
            discipline: Discipline::Fifo,
            queue_timeout: None,
            abandoned: Abandoned::Runs,
            full: 503,
            retry_after: None,
        }
    }
}

/// Whose turn comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discipline {
    /// First come, first served.
    Fifo,
    /// Last come, first served.
    Lifo,
}

/// A provider that has to start when nobody has asked it for a while, such as one that is scaled to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cold {
    /// So long after its last attempt it is cold. At the start of the run it is warm.
    pub after: SimDuration,
    /// So long it takes to start for the first attempt; that one, and what comes meanwhile, waits.
    pub start: SimDuration,
}

/// What becomes of an attempt that waits for its turn, when its caller has given up on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abandoned {
    /// It is worked on all the same.
    Runs,
    /// It is dropped when its turn comes.
    Dropped,
}
