//! What serves requests.

use super::{Latency, Probability};
use std::collections::BTreeMap;

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
    /// How long a good answer takes, from sending the attempt to its last byte.
    pub latency: Latency,
    /// The share of attempts, and of probes, that get an error status with no fault active.
    pub error_rate: Probability,
}
