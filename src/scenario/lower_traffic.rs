//! Lowers who asks, and when.
//!
//! A part of [`super::lower`].

use super::file_traffic::{Arrivals, LognormalTokens, TokenCount};
use super::file_users::Users;
use super::lower::{Lowering, at_least_one};
use super::trace;
use crate::model;

impl Lowering<'_> {
    pub(super) fn traffic(&mut self) -> Option<model::Traffic> {
        let traffic = &self.file.traffic;
        let arrivals = self.arrivals();
        let classes = self.classes();
        let client_retry = traffic.client_retry.clone();
        let client_retry = client_retry.map(|retry| self.retry(&retry.into(), "traffic.client_retry"));
        Some(model::Traffic {
            client_timeout: traffic.client_timeout.as_ref().map(|timeout| timeout.value),
            client_retry,
            classes: classes?,
            conversations: traffic.conversations.as_ref().map(|count| at_least_one(count.value)),
            ..model::Traffic::new(arrivals?)
        })
    }

    fn classes(&mut self) -> Option<Vec<model::Class>> {
        let mut classes = vec![];
        for (name, class) in &self.file.traffic.class {
            let path = format!("traffic.class.{name}");
            let input_tokens = self.token_count(&class.input_tokens, &format!("{path}.input_tokens"));
            let output_tokens = self.token_count(&class.output_tokens, &format!("{path}.output_tokens"));
            classes.push(input_tokens.zip(output_tokens).map(|(input_tokens, output_tokens)| model::Class {
                name: name.clone(),
                share: class.share.value,
                input_tokens,
                output_tokens,
                cached_share: class.cached_share.value,
                max_latency: class.max_latency.as_ref().map(|most| most.value),
            }));
        }
        classes.into_iter().collect()
    }

    fn token_count(&mut self, count: &TokenCount, path: &str) -> Option<model::TokenCount> {
        match count {
            TokenCount::Constant(count) => Some(model::TokenCount::Constant(count.value)),
            TokenCount::Lognormal(LognormalTokens { p50, p99 }) => {
                let lowered = model::TokenCount::lognormal(p50.value, p99.value);
                if lowered.is_none() {
                    self.p99_below_p50(path, &p50.value, &p99.value);
                }
                lowered
            }
        }
    }

    fn arrivals(&mut self) -> Option<model::Arrivals> {
        let trace = match &self.file.traffic.arrivals {
            Arrivals::Constant(rate) => return Some(model::Arrivals::Constant(rate.value)),
            Arrivals::Poisson(rate) => return Some(model::Arrivals::Poisson(rate.value)),
            Arrivals::Trace(trace) => trace,
            Arrivals::Users(users) => return self.users(users).map(model::Arrivals::Users),
        };
        if !self.findings.sound("traffic.arrivals") {
            return None;
        }
        let request = trace::Request {
            file: &trace.file,
            file_at: &self.place("traffic.arrivals.trace.file"),
            column: trace.column.as_deref(),
            column_at: &self.place("traffic.arrivals.trace.column"),
            unit: trace.unit,
        };
        match self.files.trace(&request) {
            Ok(times) => {
                let rate = trace.rate.as_ref().map(|rate| rate.value);
                model::Trace::new(times, rate).map(model::Arrivals::Trace)
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn users(&mut self, users: &Users) -> Option<model::Users> {
        let path = "traffic.arrivals.users.think";
        let think = self.latency(&users.think, path)?;
        let lowered = model::Users::new(at_least_one(users.count.value), think, users.ramp_up.value);
        if lowered.is_none() {
            let message = format!(
                "`{path}` is no time at all: where an answer takes none, users would ask without end"
            );
            self.problem(path, message, "write a short one: { constant = \"1ms\" }");
        }
        lowered
    }
}
