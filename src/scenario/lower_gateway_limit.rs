//! Lowers what a gateway takes in, and what it answers by itself.
//!
//! A part of [`super::lower`].

use super::file_gateway_limit::{Cache, GatewayLimit};
use super::lower::{Lowering, at_least_one};
use crate::model;

impl Lowering<'_> {
    pub(super) fn gateway_limit(&mut self, limit: &GatewayLimit) -> model::GatewayLimit {
        let path = "gateway.limit";
        if limit.in_flight.is_none() && limit.rate.is_none() && self.findings.sound(path) {
            let message = format!("`{path}` limits nothing");
            self.problem(path, message, "add, for example: in_flight = 100");
        } else if limit.in_flight.is_none() && self.findings.sound(path) {
            self.without_effect(path, &["queue", "queue_timeout"], "nothing waits without `in_flight`");
        } else if limit.queue.value == 0 && self.findings.sound(path) {
            self.without_effect(path, &["queue_timeout"], "there is no `queue` to wait in");
        }
        if limit.rate.is_none() && self.findings.sound(path) {
            self.without_effect(path, &["burst"], "there is no `rate`");
        }
        if let Some(burst) = &limit.burst {
            self.holds_one(&limit.rate, burst.value, path, "rate");
        }
        model::GatewayLimit {
            in_flight: limit.in_flight.as_ref().map(|most| at_least_one(most.value)),
            queue: limit.queue.value,
            queue_timeout: limit.queue_timeout.as_ref().map(|timeout| timeout.value),
            rate: limit.rate.as_ref().map(|rate| rate.value),
            burst: limit.burst.as_ref().map(|burst| burst.value),
            answer: limit.answer.value,
        }
    }

    /// Priorities tell who waits, so somebody has to.
    pub(super) fn priority_has_effect(&mut self, class: &str) {
        let waits = self.file.gateway.limit.as_ref().is_some_and(|limit| limit.queue.value > 0);
        if !waits && self.findings.sound("gateway") && self.findings.sound(class) {
            self.without_effect(
                class,
                &["priority"],
                "the gateway has no queue, such as limit = { in_flight = 100, queue = 50 }",
            );
        }
    }
}

pub(super) fn cache(cache: &Cache) -> model::Cache {
    model::Cache { hit_ratio: cache.hit_ratio.value, latency: cache.latency.value }
}
