//! Lowers retries and fallback.
//!
//! A part of [`super::lower`].

use super::file_retry::{Budget, Fallback, Growth, Jitter, Retry, RetryTo, Tokens};
use super::lower::{Lowering, answers};
use super::setting::AnswerItem;
use crate::model;
use crate::time::SimDuration;

/// More than anybody waits for.
const ATTEMPTS_MAX: u32 = 1_000;

impl Lowering<'_> {
    /// Retries of the gateway or of clients.
    pub(super) fn retry(&mut self, retry: &Retry, path: &str) -> model::Retry {
        self.at_most(ATTEMPTS_MAX, retry.attempts.value, &format!("{path}.attempts"));
        self.names_a_failure(&retry.on, &format!("{path}.on"));
        let of_delays = format!("{path}.delays");
        if let Some(delays) = retry.delays.as_ref().filter(|_| self.findings.sound(&of_delays)) {
            if delays.is_empty() {
                let help = "name at least one wait, [\"1s\"], or remove it";
                self.problem(&of_delays, format!("`{of_delays}` is empty"), help);
            }
            self.without_effect(path, &["delay", "growth", "max_delay"], "`delays` says it all");
        }
        if matches!(retry.to, RetryTo::Start) {
            let why = "with `to = \"start\"` a retry is another round through the whole route";
            self.without_effect(path, &["wait_after_last", "at_once_with_others"], why);
        }
        self.waits(retry, path);
        let (on, at_once_on) = (answers(&retry.on), answers(&retry.at_once_on));
        let of_at_once = format!("{path}.at_once_on");
        let sound = self.findings.sound(&of_at_once) && self.findings.sound(&format!("{path}.on"));
        if sound && !on.is_empty() && !at_once_on.is_empty() && at_once_on.without(on) == at_once_on {
            let message = format!("`{of_at_once}` has no effect: none of it is tried again");
            self.problem(&of_at_once, message, "add what it names to `on`, or remove it");
        }
        if let Some(Budget::Tokens(tokens)) = &retry.budget {
            self.tokens(tokens, &format!("{path}.budget.tokens"));
        }
        model::Retry {
            attempts: retry.attempts.value,
            on,
            to: match retry.to {
                RetryTo::Same => model::RetryTo::Same,
                RetryTo::Any => model::RetryTo::Any,
                RetryTo::Other => model::RetryTo::Other,
                RetryTo::SameThenAny => model::RetryTo::SameThenAny,
                RetryTo::Start => model::RetryTo::Start,
            },
            backoff: model::Backoff {
                delays: retry.delays.iter().flatten().map(|delay| delay.value).collect(),
                base: retry.delay.value,
                growth: match &retry.growth {
                    Growth::Constant => model::BackoffGrowth::Constant,
                    Growth::Linear => model::BackoffGrowth::Linear,
                    Growth::Exponential(times) => model::BackoffGrowth::Exponential(times.value),
                },
                max: retry.max_delay.as_ref().map_or(SimDuration::MAX, |max| max.value),
                jitter: match &retry.jitter {
                    Jitter::None => model::Jitter::None,
                    Jitter::Full => model::Jitter::Full,
                    Jitter::Equal => model::Jitter::Equal,
                    Jitter::Decorrelated => model::Jitter::Decorrelated,
                    Jitter::Plus(most) => model::Jitter::Plus(most.value),
                    Jitter::Times(share) => model::Jitter::Times(share.value),
                },
            },
            at_once_on,
            at_once_with_others: retry.at_once_with_others,
            wait_after_last: retry.wait_after_last,
            retry_after: retry.retry_after.as_ref().map(|most| most.value),
            budget: retry.budget.as_ref().map(budget),
        }
    }

    /// Where no first wait is said, nothing grows, and nothing but an addition is random.
    fn waits(&mut self, retry: &Retry, path: &str) {
        let of_max = format!("{path}.max_delay");
        let longest = retry.max_delay.as_ref().map_or(SimDuration::MAX, |max| max.value);
        if retry.delay.value > longest && self.findings.sound(&of_max) {
            let message = format!("`{of_max}` is {longest}, below the first wait of {}", retry.delay.value);
            self.problem(&of_max, message, "raise it, or lower `delay`");
        }
        let says = |setting: &str| self.is_written(&format!("{path}.{setting}"));
        if says("delay") || says("delays") {
            return;
        }
        let pointless = [
            ("growth", !matches!(retry.growth, Growth::Constant)),
            ("max_delay", retry.max_delay.is_some()),
            ("jitter", !matches!(retry.jitter, Jitter::None | Jitter::Plus(_))),
        ];
        for (setting, is_set) in pointless {
            let inner = format!("{path}.{setting}");
            if is_set && self.findings.sound(&inner) {
                let message = format!("`{inner}` has no effect: there is no first wait");
                self.problem(&inner, message, "add one: delay = \"1s\"");
            }
        }
    }

    /// A full bucket has to be enough for a retry.
    fn tokens(&mut self, tokens: &Tokens, path: &str) {
        if !self.findings.sound(path) {
            return;
        }
        let max = tokens.max.value;
        for (setting, needed, enough) in [
            ("keeps", tokens.keeps.value, tokens.keeps.value < max),
            ("per_retry", tokens.per_retry.value, tokens.per_retry.value <= max),
        ] {
            if !enough {
                let inner = format!("{path}.{setting}");
                let message =
                    format!("`{inner}` is {needed}, and the bucket holds {max}: nothing is ever tried again");
                self.problem(&inner, message, "lower it, or raise `max`");
            }
        }
    }

    /// Falling back takes a list to fall back in.
    pub(super) fn fallback(&mut self, fallback: &Fallback, route: Option<&model::Route>) -> model::Fallback {
        let path = "gateway.fallback";
        self.names_a_failure(&fallback.on, &format!("{path}.on"));
        let is_list = |node: &model::Node| matches!(&node.pick, model::Pick::Prefer(c) if c.len() > 1);
        if route.is_some_and(|route| !route.nodes().iter().any(is_list)) {
            let message = format!("`{path}` has nothing to fall back to");
            let help = "route by a list, or name a group that does: prefer = [\"primary\", \"backup\"]";
            self.problem(path, message, help);
        }
        model::Fallback { on: answers(&fallback.on), max: fallback.max.value }
    }

    /// A rule about failures takes at least one.
    pub(super) fn names_a_failure(&mut self, items: &[AnswerItem], path: &str) {
        if items.is_empty() && self.findings.sound(path) {
            let help = "write the failures that it is about: [\"refused\", \"5xx\"], or [\"any\"]";
            self.problem(path, format!("`{path}` names no failure"), help);
        }
    }
}

fn budget(budget: &Budget) -> model::Budget {
    match budget {
        Budget::Concurrent(most) => model::Budget::Concurrent(most.value),
        Budget::ConcurrentShare(share) => {
            model::Budget::ConcurrentShare { share: share.share.value, min: share.min.value }
        }
        Budget::Tokens(tokens) => model::Budget::Tokens(model::Tokens {
            max: tokens.max.value,
            per_retry: tokens.per_retry.value,
            per_timeout_retry: tokens.per_timeout_retry.as_ref().unwrap_or(&tokens.per_retry).value,
            per_failure: tokens.per_failure.value,
            per_success: tokens.per_success.value,
            refunds: tokens.refunds,
            keeps: tokens.keeps.value,
        }),
        Budget::Share(share) => model::Budget::Share {
            share: share.share.value,
            per_second: share.per_second.value,
            ttl: share.ttl.value,
        },
    }
}
