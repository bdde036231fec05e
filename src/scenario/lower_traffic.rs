//! Lowers who asks, and when.
//!
//! A part of [`super::lower`].

use super::file_traffic::Arrivals;
use super::file_users::Users;
use super::lower::{Lowering, at_least_one};
use super::trace;
use crate::model;

impl Lowering<'_> {
    pub(super) fn traffic(&mut self) -> Option<model::Traffic> {
        let traffic = &self.file.traffic;
        let arrivals = self.arrivals();
        let client_retry = traffic.client_retry.clone();
        let client_retry = client_retry.map(|retry| self.retry(&retry.into(), "traffic.client_retry"));
        Some(model::Traffic {
            client_timeout: traffic.client_timeout.as_ref().map(|timeout| timeout.value),
            client_retry,
            ..model::Traffic::new(arrivals?)
        })
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
