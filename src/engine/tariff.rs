//! What routing by price compares: known before the first request, for each class of requests and each provider.

use crate::model::{CostLimit, Model, ProviderId};
use crate::time::SimDuration;

/// One provider, for requests of one class.
#[derive(Debug, Clone, Copy)]
struct Offer {
    /// What a call costs, in US dollars.
    price: f64,
    /// The 95th percentile of its latency.
    latency: SimDuration,
}

/// What each provider asks of each class of requests.
#[derive(Debug)]
pub(super) struct Tariffs {
    /// By class, then provider; there is one class where nothing is said of any. Empty where nothing is compared.
    offers: Vec<Offer>,
    providers: usize,
}

impl Tariffs {
    pub fn new(model: &Model) -> Self {
        let providers = model.providers.len();
        let mut offers = vec![];
        if model.gateway.route.compares_prices() {
            for class in 0..model.traffic.classes.len().max(1) {
                let (input, output) = model.traffic.mean_tokens_of(class);
                offers.extend(model.providers.iter().map(|provider| Offer {
                    price: provider.price.map_or(f64::INFINITY, |price| price.of_call(input, output)),
                    latency: provider.nominal_latency(input, output),
                }));
            }
        }
        Tariffs { offers, providers }
    }

    fn offer(&self, class: usize, provider: ProviderId) -> &Offer {
        &self.offers[class * self.providers + provider.index()]
    }

    /// What a call with the mean tokens of this class costs at a provider.
    pub fn price(&self, class: usize, provider: ProviderId) -> f64 {
        self.offer(class, provider).price
    }

    /// Whether a provider's tokens cost no more than the limit, and it is within this class's patience.
    pub fn qualifies(&self, model: &Model, limit: &CostLimit, class: usize, provider: ProviderId) -> bool {
        let (input, output) = model.traffic.mean_tokens_of(class);
        let price = model.provider(provider).price;
        let is_cheap_enough = limit.max_per_thousand.is_none_or(|most| {
            price.is_some_and(|price| price.per_thousand(limit.of, input, output) <= most)
        });
        let patience = model.traffic.classes.get(class).and_then(|class| class.max_latency);
        is_cheap_enough && patience.is_none_or(|patience| self.offer(class, provider).latency <= patience)
    }
}
