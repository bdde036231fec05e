//! Lowers who serves requests.
//!
//! A part of [`super::lower`].

use super::file_provider::{Abandoned, Capacity, Latency, PercentilesLatency, TokenLatency};
use super::lower::{Lowering, PROVIDERS_MAX, at_least_one};
use super::lower_price::{billing, price};
use super::problem::Problem;
use crate::model;
use crate::time::SimDuration;
use std::fmt::Display;

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
            let path = format!("provider.{name}.latency");
            let (latency, tokens) = provider.latency.parts();
            if tokens.is_some() {
                self.tokens_to_write(name);
            }
            let latency =
                self.latency(&latency, &if tokens.is_some() { path + ".tokens.first_token" } else { path });
            providers.push(latency.map(|latency| model::Provider {
                generation: tokens.map(generation),
                labels: provider.labels.clone(),
                error_rate: provider.error_rate.value,
                first_token: provider.first_token.value,
                capacity: provider.capacity.as_ref().map(capacity),
                price: provider.price.as_ref().map(price),
                prompt_cache: provider.prompt_cache.as_ref().map(|time| time.value),
                billing: provider.billing.as_ref().map(billing).unwrap_or_default(),
                ..model::Provider::new(name, latency)
            }));
        }
        providers.into_iter().collect()
    }

    pub(super) fn latency(&mut self, latency: &Latency, path: &str) -> Option<model::Latency> {
        match latency {
            Latency::Constant(constant) => Some(model::Latency::Constant(constant.value)),
            Latency::Exponential(exponential) => {
                Some(model::Latency::Exponential { mean: exponential.mean.value })
            }
            Latency::Lognormal(lognormal) => {
                let (p50, p99) = (lognormal.p50.value, lognormal.p99.value);
                let lowered = model::Latency::lognormal(p50, p99);
                if lowered.is_none() {
                    self.p99_below_p50(path, &p50, &p99);
                }
                lowered
            }
            Latency::Percentiles(percentiles) => {
                self.percentiles(percentiles, &format!("{path}.percentiles"))
            }
        }
    }

    /// Says that a lognormal distribution's percentiles are the wrong way round.
    pub(super) fn p99_below_p50(&mut self, path: &str, p50: &dyn Display, p99: &dyn Display) {
        if self.findings.sound(path) {
            let at = self.place(&format!("{path}.lognormal.p99"));
            let other = self.place(&format!("{path}.lognormal.p50"));
            let message = format!("`{path}` has a p99 of {p99}, below its p50 of {p50}");
            let problem = Problem::new(message).at(&at).also(&other, "the median");
            self.problems.push(problem.help("swap them, or raise p99"));
        }
    }

    /// A provider that writes token by token needs requests that say how many, and says itself when the first one comes.
    fn tokens_to_write(&mut self, name: &str) {
        let latency = format!("provider.{name}.latency");
        let classes = &self.file.traffic.class;
        let has_none = |class: &&String| !self.is_written(&format!("traffic.class.{class}.output_tokens"));
        if classes.is_empty() && self.findings.sound("traffic.class") {
            let message = format!("`{latency}` depends on tokens, but no request has any");
            let help = "add what requests ask for, for example:\n[traffic.class.chat]\noutput_tokens = { lognormal = { p50 = 129, p99 = 601 } }";
            self.problem(&latency, message, help);
        } else if let Some(class) = classes.keys().find(has_none).cloned()
            && self.findings.sound(&format!("traffic.class.{class}"))
        {
            let message =
                format!("`traffic.class.{class}` has no output_tokens, on which `{latency}` depends");
            let help = "add, for example: output_tokens = { lognormal = { p50 = 129, p99 = 601 } }";
            self.problem(&format!("traffic.class.{class}"), message, help);
        }
        let why = "when the first token comes is `latency.tokens.first_token`";
        self.without_effect(&format!("provider.{name}"), &["first_token"], why);
    }

    /// A distribution by percentiles, each of which is at least the one before.
    fn percentiles(&mut self, latency: &PercentilesLatency, path: &str) -> Option<model::Latency> {
        let (p50, p95, p99) = (latency.p50.value, latency.p95.value, latency.p99.value);
        let max = latency.max.as_ref().map(|max| max.value);
        let lowered = model::Latency::percentiles(p50, p95, p99, max);
        if lowered.is_none() && self.findings.sound(path) {
            let rows = [("p50", p50), ("p95", p95), ("p99", p99), ("max", max.unwrap_or(SimDuration::MAX))];
            for [(low, least), (high, value)] in rows.array_windows() {
                if value < least {
                    let at = self.place(&format!("{path}.{high}"));
                    let other = self.place(&format!("{path}.{low}"));
                    let message = format!("`{path}` has a {high} of {value}, below its {low} of {least}");
                    let help = format!("swap them, or raise {high}");
                    let problem = Problem::new(message).at(&at).also(&other, "not less than this").help(help);
                    self.problems.push(problem);
                }
            }
        }
        lowered
    }
}

fn generation(latency: &TokenLatency) -> model::Generation {
    model::Generation {
        prompt_per_second: latency.prompt_per_second.as_ref().map(|speed| speed.value),
        per_second: latency.per_second.value,
    }
}

fn capacity(capacity: &Capacity) -> model::Capacity {
    model::Capacity {
        slots: at_least_one(capacity.slots.value),
        queue: capacity.queue.as_ref().map(|queue| queue.value),
        abandoned: match capacity.abandoned {
            Abandoned::Runs => model::Abandoned::Runs,
            Abandoned::Dropped => model::Abandoned::Dropped,
        },
    }
}
