//! Lowers who serves requests.
//!
//! A part of [`super::lower`].

use super::lower::{Lowering, PROVIDERS_MAX};
use super::lower_capacity::{capacity, cold};
use super::lower_price::{billing, price};
use crate::model;

impl Lowering<'_> {
    pub(super) fn providers(&mut self) -> Option<Vec<model::Provider>> {
        let file = self.file;
        if file.provider.is_empty() && self.findings.providers_known() {
            let help = "add, for example:\n[provider.primary]\nlatency = { lognormal = { p50 = \"800ms\", p99 = \"3s\" } }";
            self.problem("provider", "there is no provider".to_owned(), help);
        }
        if file.provider.len() > PROVIDERS_MAX {
            let message = format!("there are {} providers", file.provider.len());
            self.problem("provider", message, format!("use at most {PROVIDERS_MAX}"));
        }
        let mut providers = vec![];
        for (name, provider) in &file.provider {
            if provider.labels.contains_key("name") {
                let message =
                    format!("`provider.{name}` has a label `name`, which faults take for the provider's own");
                self.problem(
                    &format!("provider.{name}.labels.name"),
                    message,
                    "call the label something else",
                );
            }
            if let Some(capacity) = &provider.capacity {
                self.turns_somebody_away(capacity, &format!("provider.{name}.capacity"));
            }
            let latency = self.answer_latency(name, &provider.latency);
            providers.push(latency.map(|(latency, generation)| model::Provider {
                generation,
                labels: provider.labels.clone(),
                error_rate: provider.error_rate.value,
                first_token: provider.first_token.value,
                capacity: provider.capacity.as_ref().map(capacity),
                cold: provider.cold.as_ref().map(cold),
                price: provider.price.as_ref().map(price),
                prompt_cache: provider.prompt_cache.as_ref().map(|time| time.value),
                billing: provider.billing.as_ref().map(billing).unwrap_or_default(),
                ..model::Provider::new(name, latency)
            }));
        }
        providers.into_iter().collect()
    }
}
