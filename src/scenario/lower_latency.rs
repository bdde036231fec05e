//! Lowers how long things take.
//!
//! A part of [`super::lower`].

use super::file_latency::{AnswerLatency, Latency, PercentilesLatency, TokenLatency};
use super::lower::Lowering;
use super::problem::Problem;
use crate::model;
use crate::time::SimDuration;
use std::fmt::Display;

impl Lowering<'_> {
    /// How long the provider of this name takes for an answer: for all of it, or to its first token and then for the rest.
    pub(super) fn answer_latency(
        &mut self,
        name: &str,
        latency: &AnswerLatency,
    ) -> Option<(model::Latency, Option<model::Generation>)> {
        let path = format!("provider.{name}.latency");
        let (latency, tokens) = latency.parts();
        let Some(tokens) = tokens else { return Some((self.latency(&latency, &path)?, None)) };
        self.tokens_to_write(name);
        let first_token = self.latency(&latency, &format!("{path}.tokens.first_token"));
        let generation = self.generation(tokens, &format!("{path}.tokens"));
        Some((first_token?, Some(generation?)))
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

    /// How fast answers are written; `path` is that of its latency.
    fn generation(&mut self, latency: &TokenLatency, path: &str) -> Option<model::Generation> {
        let (p50, p1) = (latency.per_second.value, latency.per_second_p1.as_ref().map(|speed| speed.value));
        let sigma = model::speed_sigma(p50, p1.unwrap_or(p50));
        let (of_p1, of_median) = (format!("{path}.per_second_p1"), format!("{path}.per_second"));
        if sigma.is_none() && self.findings.sound(&of_p1) && self.findings.sound(&of_median) {
            let (at, other) = (self.place(&of_p1), self.place(&of_median));
            let message = format!(
                "`{path}` has a per_second_p1 of {}, above its per_second of {p50}",
                p1.unwrap_or(p50)
            );
            let problem = Problem::new(message).at(&at).also(&other, "the median");
            self.problems.push(problem.help("swap them, or lower per_second_p1"));
        }
        let drift = latency.drift.as_ref();
        let drift = drift.zip(drift.and_then(|drift| model::speed_sigma(1.0, drift.p1.value)));
        Some(model::Generation {
            prompt_per_second: latency.prompt_per_second.as_ref().map(|speed| speed.value),
            sigma: sigma?,
            drift: drift.map(|(drift, sigma)| model::Drift { every: drift.every.value, sigma }),
            ..model::Generation::new(p50)
        })
    }
}
