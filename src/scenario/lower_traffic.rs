//! Lowers who asks, and when.
//!
//! A part of [`super::lower`].

use super::file_traffic::{Arrivals, LognormalTokens, OnOff, Renewal, TokenCount};
use super::file_users::Users;
use super::lower::{Lowering, at_least_one};
use super::trace::{self, Side};
use crate::model;
use crate::time::SimDuration;

/// Shorter ones are noise, and a long run has too many of them.
const SHORTEST_PERIOD: SimDuration = SimDuration::from_millis(1);

impl Lowering<'_> {
    pub(super) fn traffic(&mut self) -> Option<model::Traffic> {
        let traffic = &self.file.traffic;
        let arrivals = self.arrivals();
        let profile = self.profile();
        let classes = self.classes(arrivals.as_ref());
        let client_retry = traffic.client_retry.clone();
        let client_retry = client_retry.map(|retry| self.retry(&retry.into(), "traffic.client_retry"));
        Some(model::Traffic {
            client_timeout: traffic.client_timeout.as_ref().map(|timeout| timeout.value),
            client_retry,
            profile: profile?,
            classes: classes?,
            ..model::Traffic::new(arrivals?)
        })
    }

    fn classes(&mut self, arrivals: Option<&model::Arrivals>) -> Option<Vec<model::Class>> {
        let mut classes = vec![];
        for (name, class) in &self.file.traffic.class {
            let path = format!("traffic.class.{name}");
            let (input, output) = (format!("{path}.input_tokens"), format!("{path}.output_tokens"));
            let input_tokens = self.token_count(&class.input_tokens, Side::Input, arrivals, &input);
            let output_tokens = self.token_count(&class.output_tokens, Side::Output, arrivals, &output);
            classes.push(input_tokens.zip(output_tokens).map(|(input_tokens, output_tokens)| model::Class {
                name: name.clone(),
                share: class.share.value,
                input_tokens,
                output_tokens,
            }));
        }
        classes.into_iter().collect()
    }

    fn token_count(
        &mut self,
        count: &TokenCount,
        side: Side,
        arrivals: Option<&model::Arrivals>,
        path: &str,
    ) -> Option<model::TokenCount> {
        match count {
            TokenCount::Constant(count) => Some(model::TokenCount::Constant(count.value)),
            TokenCount::Lognormal(LognormalTokens { p50, p99 }) => {
                let lowered = model::TokenCount::lognormal(p50.value, p99.value);
                if lowered.is_none() {
                    self.p99_below_p50(path, &p50.value, &p99.value);
                }
                lowered
            }
            TokenCount::Recorded => {
                let has_tokens = match arrivals? {
                    model::Arrivals::Trace(trace) => trace.tokens().is_some(),
                    _ => false,
                };
                if !has_tokens && self.findings.sound(path) {
                    let message =
                        format!("`{path}` is \"recorded\", but the arrivals have no recorded tokens");
                    let help = "use arrivals = { trace = { file = \"...\" } } with columns such as input_tokens and output_tokens, or write { rows = { file = \"...\" } }";
                    self.problem(path, message, help);
                }
                has_tokens.then_some(model::TokenCount::Recorded)
            }
            TokenCount::Rows(rows) => {
                let at = self.place(&format!("{path}.rows.file"));
                match self.files.tokens(&rows.file, rows.column.as_deref(), side, &at) {
                    Ok(tokens) => Some(model::TokenCount::Rows(tokens)),
                    Err(problem) => {
                        self.problems.push(problem);
                        None
                    }
                }
            }
        }
    }

    fn arrivals(&mut self) -> Option<model::Arrivals> {
        let trace = match &self.file.traffic.arrivals {
            Arrivals::Constant(rate) => return Some(model::Arrivals::Constant(rate.value)),
            Arrivals::Poisson(rate) => return Some(model::Arrivals::Poisson(rate.value)),
            Arrivals::Renewal(renewal) => return self.renewal(renewal),
            Arrivals::OnOff(on_off) => return self.on_off(on_off),
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
            spread: trace.spread.as_ref().map(|spread| spread.value),
        };
        match self.files.trace(&request) {
            Ok((times, tokens)) => {
                let rate = trace.rate.as_ref().map(|rate| rate.value);
                let mut lowered = model::Trace::new(times, rate)?;
                if let Some([input, output]) = tokens {
                    lowered = lowered.with_tokens(input, output)?;
                }
                match &trace.bootstrap {
                    Some(block) => lowered.with_bootstrap(block.value),
                    None => Some(lowered),
                }
                .map(model::Arrivals::Trace)
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

    fn renewal(&mut self, renewal: &Renewal) -> Option<model::Arrivals> {
        const PATH: &str = "traffic.arrivals.renewal.cv";
        let lowered = model::Renewal::new(renewal.rate.value, renewal.cv.value);
        if lowered.is_none() && self.findings.sound(PATH) {
            let (least, most) = (model::Renewal::CV.start(), model::Renewal::CV.end());
            let message = format!("`{PATH}` is {}, outside {least} to {most}", renewal.cv.value);
            self.problem(
                PATH,
                message,
                "real traffic has 1 to 15; evenly spaced arrivals are { constant = \"100/s\" }",
            );
        }
        lowered.map(model::Arrivals::Renewal)
    }

    fn on_off(&mut self, on_off: &OnOff) -> Option<model::Arrivals> {
        let mut is_sound = true;
        for (name, period) in [("on", &on_off.on), ("off", &on_off.off)] {
            let path = format!("traffic.arrivals.on_off.{name}");
            if period.value < SHORTEST_PERIOD && self.findings.sound(&path) {
                let message = format!("`{path}` is {}, below {SHORTEST_PERIOD}", period.value);
                self.problem(&path, message, format!("use at least \"{SHORTEST_PERIOD}\""));
                is_sound = false;
            }
        }
        let lowered = model::OnOff::new(on_off.rate.value, on_off.on.value, on_off.off.value);
        lowered.filter(|_| is_sound).map(model::Arrivals::OnOff)
    }
}
