//! Lowers who asks, and when.
//!
//! A part of [`super::lower`].

use super::file_traffic::Arrivals;
use super::lower::Lowering;
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
}
