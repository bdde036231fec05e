//! Lowers how the rate of arrivals changes over time.
//!
//! A part of [`super::lower`].

use super::file_traffic::{Arrivals, Profile, Step};
use super::lower::Lowering;
use super::setting::NonNegative;
use crate::model;
use crate::time::SimTime;

impl<'a> Lowering<'a> {
    /// The profile, if there is one; the outer `None` means that it is wrong.
    pub(super) fn profile(&mut self) -> Option<Option<model::Profile>> {
        let Some(profile) = &self.file.traffic.profile else { return Some(None) };
        if !self.findings.sound("traffic.profile") {
            return None;
        }
        let why = match self.file.traffic.arrivals {
            Arrivals::Trace(_) => Some("the arrivals are a trace, which has its own ups and downs"),
            Arrivals::Users(_) => Some("users ask when they have an answer, at no rate of their own"),
            _ => None,
        };
        if let Some(why) = why.filter(|_| self.findings.sound("traffic.arrivals")) {
            self.without_effect("traffic", &["profile"], why);
            return None;
        }
        let lowered = match profile {
            Profile::Steps(steps) => self.steps(steps)?,
            Profile::Ramp(ramp) => {
                let at = self.instant(&ramp.at, "traffic.profile.ramp.at")?;
                model::Profile::ramp(at, ramp.over.value, ramp.before.value, ramp.factor.value)
            }
            Profile::Spike(spike) => {
                let at = self.instant(&spike.at, "traffic.profile.spike.at")?;
                let (rise, lasts, fall) = (spike.rise.value, spike.lasts.value, spike.fall.value);
                model::Profile::spike(at, spike.factor.value, rise, lasts, fall)
            }
            Profile::Daily(daily) => {
                let hours = self.factors(&daily.hours, "traffic.profile.daily.hours", "each hour of a day");
                let clock = self.clock("traffic.profile.daily");
                model::Profile::daily(&hours?, clock?)
            }
            Profile::Weekly(weekly) => {
                let hours = self.factors(&weekly.hours, "traffic.profile.weekly.hours", "each hour of a day");
                let days =
                    self.factors(&weekly.days, "traffic.profile.weekly.days", "each day, Monday first");
                let clock = self.clock("traffic.profile.weekly");
                model::Profile::weekly(&hours?, &days?, clock?, weekly.starts as u64)
            }
        };
        let is_there_any =
            lowered.as_ref().is_some_and(|profile| profile.mean(self.file.duration.value) > 0.0);
        if !is_there_any && self.findings.sound("duration") {
            let message = "`traffic.profile` is 0 for the whole run, so no request arrives";
            self.problem("traffic.profile", message.to_owned(), "raise a factor above 0");
            return None;
        }
        Some(lowered)
    }

    /// The outer `None` means that instants are wrong.
    fn steps(&mut self, steps: &[Step]) -> Option<Option<model::Profile>> {
        const PATH: &str = "traffic.profile.steps";
        if steps.is_empty() {
            let help = "name at least one step, [{ at = \"10m\", factor = 2.0 }], or remove it";
            self.problem(PATH, format!("`{PATH}` is empty"), help);
            return None;
        }
        let mut lowered: Vec<(SimTime, f64)> = vec![];
        for (index, step) in steps.iter().enumerate() {
            let path = format!("{PATH}.{index}.at");
            let at = self.instant(&step.at, &path)?;
            if lowered.last().is_some_and(|(before, _)| at <= *before) {
                let message = format!("`{path}` comes no later than the step before it");
                self.problem(&path, message, "give the steps in order of time, each at another one");
                return None;
            }
            lowered.push((at, step.factor.value));
        }
        Some(model::Profile::steps(&lowered))
    }

    /// As many factors as there have to be.
    fn factors<const N: usize>(&mut self, factors: &[NonNegative], path: &str, of: &str) -> Option<[f64; N]> {
        let values: Vec<f64> = factors.iter().map(|factor| factor.value).collect();
        let found = values.len();
        let lowered = values.try_into().ok();
        if lowered.is_none() {
            self.problem(path, format!("`{path}` has {found} factors"), format!("give {N}, one for {of}"));
        }
        lowered
    }

    /// The clock, for what reads the time of day at this path.
    fn clock(&mut self, path: &str) -> Option<&'a model::Clock> {
        if self.file.clock.is_none() && self.findings.sound("clock") {
            let message = format!("`{path}` goes by the time of day, but the scenario has no clock");
            let help =
                "add at the top of the file what the clock shows at the start: clock = \"00:00:00 UTC\"";
            self.problem(path, message, help);
        }
        self.file.clock.as_ref().map(|clock| &clock.value)
    }
}
