//! Lowers the error budget and its alerts.
//!
//! A part of [`super::lower`].

use super::file_slo::{Alert, BeforeRun, FirstTick};
use super::lower::Lowering;
use super::problem::Problem;
use crate::model::{self, Probability};
use crate::time::SimDuration;

/// An alert remembers so many evaluations.
const TICKS_MAX: u64 = 100_000;

impl Lowering<'_> {
    /// The error budget, with the alerts that watch it; the inner `None` if there is none.
    pub(super) fn slo(&mut self, traffic: Option<&model::Traffic>) -> Option<Option<model::Slo>> {
        let file = self.file;
        let Some(slo) = &file.slo else {
            if let Some(name) = file.alert.keys().next()
                && self.findings.sound("slo")
            {
                let path = format!("alert.{name}");
                let message = format!("`{path}` has no error budget to watch");
                self.problem(&path, message, "add, for example:\n[slo]\nobjective = 0.999\nwindow = \"30d\"");
                return None;
            }
            return Some(None);
        };
        if slo.objective.value == Probability::ONE && self.findings.sound("slo.objective") {
            let message = "`slo.objective` is 1, which leaves no budget to spend".to_owned();
            self.problem("slo.objective", message, "write a share below 1, such as 0.999");
        }
        let requests = slo.requests.as_ref().map(|rate| rate.value);
        let mut lowered = model::Slo {
            objective: slo.objective.value,
            window: slo.window.value,
            requests: requests.or_else(|| traffic.map(|traffic| traffic.arrivals.mean_rate()))?,
            alerts: vec![],
        };
        for (name, alert) in &file.alert {
            self.alert(name, alert, &lowered);
            lowered.alerts.push(model::Alert {
                name: name.clone(),
                burn: alert.burn.value,
                long: alert.long.value,
                short: alert.short.value,
                every: alert.every.value,
                first_tick: match &alert.first_tick {
                    FirstTick::Random => model::FirstTick::Random,
                    FirstTick::At(delay) => model::FirstTick::At(delay.value),
                },
                pending: alert.r#for.value,
                lag: alert.lag.value,
                min_count: alert.min_count.value.into(),
                before: match alert.before {
                    BeforeRun::Steady => model::BeforeRun::Steady,
                    BeforeRun::Nothing => model::BeforeRun::Nothing,
                },
            });
        }
        Some(Some(lowered))
    }

    /// Whether it can fire, and be evaluated.
    fn alert(&mut self, name: &str, alert: &Alert, slo: &model::Slo) {
        let path = format!("alert.{name}");
        let at = |setting: &str| format!("{path}.{setting}");
        let (of_burn, of_every) = (at("burn"), at("every"));
        let (burn, every) = (alert.burn.value, alert.every.value);
        let threshold = burn * slo.error_share();
        if threshold >= 1.0 && self.findings.sound(&of_burn) && self.findings.sound("slo.objective") {
            let objective = slo.objective.get();
            let message =
                format!("`{path}` never fires: {burn} x (1 - {objective}) of all requests cannot fail");
            let most = 1.0 / slo.error_share();
            let (at, other) = (self.place(&of_burn), self.place("slo.objective"));
            self.problems.push(
                Problem::new(message)
                    .at(&at)
                    .also(&other, "the objective")
                    .help(format!("use a burn below {most:.1}, or a higher objective")),
            );
        }
        if !self.findings.sound(&of_every) {
            return;
        }
        let (of_long, of_short) = (at("long"), at("short"));
        for (setting, window) in [(&of_long, alert.long.value), (&of_short, alert.short.value)] {
            if self.findings.sound(setting) {
                self.window(setting, window, every, &of_every);
            }
        }
        let sound = self.findings.sound(&of_long) && self.findings.sound(&of_short);
        if alert.short.value > alert.long.value && sound {
            let (long, short) = (alert.long.value, alert.short.value);
            let message = format!("`{of_short}` is {short}, longer than the long window of {long}");
            self.problem(&of_short, message, "swap them, or use a twelfth of the long one");
        }
    }

    /// A window is made of the counts between evaluations.
    fn window(&mut self, path: &str, window: SimDuration, every: SimDuration, of_every: &str) {
        let (ticks, rest) = (window.as_nanos() / every.as_nanos(), window.as_nanos() % every.as_nanos());
        let (message, help) = if rest > 0 {
            let near = SimDuration::from_nanos((ticks.max(1)) * every.as_nanos());
            (
                format!("`{path}` is {window}, which is no multiple of `{of_every}`, {every}"),
                format!("write \"{near}\", or another `every`"),
            )
        } else if ticks > TICKS_MAX {
            (
                format!("`{path}` is {window}, which makes {ticks} evaluations of {every} to remember"),
                format!("use at most {TICKS_MAX}: a shorter window, or a longer `every`"),
            )
        } else {
            return;
        };
        self.problem(path, message, help);
    }
}
