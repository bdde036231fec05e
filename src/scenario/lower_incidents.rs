//! Lowers incidents: random ones become a source of the model, replayed ones faults of it.
//!
//! A part of [`super::lower`].

use super::file_incidents::{Gaps, Incidents, Replay, Severity, SeverityClass};
use super::incident_list::{Listed, instant};
use super::lower::Lowering;
use super::lower_fault::{effect, in_flight};
use super::problem::one_of;
use crate::model::{self, Probability, ProviderId, Week};
use crate::time::SimTime;
use std::collections::BTreeSet;

/// More than any source has in a year; each one takes a moment of a run.
const INCIDENTS_MAX: f64 = 10_000.0;

/// Settings of random incidents, which a replay has no use for.
const RANDOM: [&str; 6] = ["gaps", "lasts", "severity", "hours", "weekend", "one_of"];

impl Lowering<'_> {
    /// The sources of random incidents, in order of name. What is replayed is added to the faults.
    pub(super) fn incidents(
        &mut self,
        faults: &mut Vec<Option<model::Fault>>,
    ) -> Option<Vec<model::Incidents>> {
        let file = self.file;
        let mut sources = vec![];
        for (name, incidents) in &file.incidents {
            let path = format!("incidents.{name}");
            let providers = self.labelled(&incidents.on, &format!("{path}.on"), "source of incidents");
            let recovery = self.recovery(incidents.recovery.as_ref(), &format!("{path}.recovery"));
            match &incidents.replay {
                Some(replay) => {
                    self.without_effect(&path, &RANDOM, "its incidents are replayed");
                    let replayed = self.replay(replay, &format!("{path}.replay"));
                    let Some((providers, replayed)) = providers.zip(replayed) else {
                        faults.push(None);
                        continue;
                    };
                    faults.extend((1..).zip(replayed).map(|(number, spell)| {
                        let name = format!("{name}#{number}");
                        Some(replayed_fault(incidents, name, providers.clone(), spell, recovery))
                    }));
                }
                None => sources.push(self.random_incidents(name, incidents, &path, providers, recovery)),
            }
        }
        sources.into_iter().collect()
    }

    fn random_incidents(
        &mut self,
        name: &str,
        incidents: &Incidents,
        path: &str,
        providers: Option<Vec<ProviderId>>,
        recovery: model::Recovery,
    ) -> Option<model::Incidents> {
        let written = [incidents.gaps.is_some(), incidents.lasts.is_some(), incidents.severity.is_some()];
        let missing = ["gaps", "lasts", "severity"].into_iter().zip(written).filter(|(_, written)| !written);
        let missing: Vec<&str> = missing.map(|(name, _)| name).collect();
        if !missing.is_empty() && self.findings.sound(path) {
            let message = format!("`{path}` has no {}, and no list to replay", one_of(missing));
            let help = "add when incidents come, how long they last and whom they hit, for example:\n\
                gaps = { weibull = { shape = 0.67, scale = \"92.6h\" } }\n\
                lasts = { lognormal = { p50 = \"50m\", p99 = \"21h\" } }\n\
                severity = { uniform = { min = 0.05, max = 1.0 } }\n\
                or a list: replay = { file = \"incidents.json\", severities = { minor = 0.05, major = 0.3, critical = 1.0 } }";
            self.problem(path, message, help);
        }
        let week = self.week(incidents, path);
        let lasts = incidents.lasts.as_ref().and_then(|lasts| self.latency(lasts, &format!("{path}.lasts")));
        let severity = incidents.severity.as_ref();
        let severity = severity.and_then(|severity| self.severity(severity, &format!("{path}.severity")));
        let gaps = incidents.gaps.as_ref().and_then(|gaps| self.gaps(gaps, &format!("{path}.gaps")));
        let one_of = incidents.one_of.as_ref().map_or(Probability::ZERO, |share| share.value);
        let requests = effect(&incidents.requests);
        let providers = providers?;
        if one_of > Probability::ZERO && providers.len() == 1 && self.findings.labels_known() {
            let message =
                format!("`{path}.one_of` has no effect: the incidents hit only one provider anyway");
            self.problem(
                &format!("{path}.one_of"),
                message,
                "remove `one_of`, or let `on` match more providers",
            );
        }
        Some(model::Incidents {
            name: name.to_owned(),
            providers,
            gaps: gaps?,
            week: week?,
            lasts: lasts?,
            severity: severity?,
            one_of,
            requests,
            probes: incidents.probes.as_ref().map_or(requests, effect),
            in_flight: in_flight(incidents.in_flight),
            retry_after: incidents.retry_after.as_ref().map(|after| after.value),
            recovery,
        })
    }

    fn gaps(&mut self, gaps: &Gaps, path: &str) -> Option<model::Gaps> {
        let lowered = match gaps {
            Gaps::Exponential(gaps) => model::Gaps::Exponential { mean: gaps.mean.value },
            Gaps::Weibull(gaps) => {
                let shape = gaps.shape.value;
                let of_shape = format!("{path}.weibull.shape");
                if !(0.3..=10.0).contains(&shape) {
                    if self.findings.sound(&of_shape) {
                        let help = "use a shape from 0.3 to 10; incidents of real providers have about 0.7";
                        self.problem(&of_shape, format!("`{of_shape}` is {shape}"), help);
                    }
                    return None;
                }
                model::Gaps::Weibull { shape, scale: gaps.scale.value }
            }
        };
        let count = self.file.duration.value.as_secs_f64() / lowered.mean_seconds();
        if count > INCIDENTS_MAX && self.findings.sound(path) && self.findings.sound("duration") {
            let message = format!("`{path}` makes about {count:.0} incidents in a run");
            self.problem(path, message, format!("use longer gaps: at most {INCIDENTS_MAX} incidents"));
            return None;
        }
        Some(lowered)
    }

    fn severity(&mut self, severity: &Severity, path: &str) -> Option<model::Severity> {
        match severity {
            Severity::Constant(share) => Some(model::Severity::Constant(share.value)),
            Severity::Uniform(uniform) => {
                let (min, max) = (uniform.min.value, uniform.max.value);
                if min > max {
                    if self.findings.sound(path) {
                        let message =
                            format!("`{path}` has a max of {}, below its min of {}", max.get(), min.get());
                        self.problem(&format!("{path}.uniform.max"), message, "swap them, or raise max");
                    }
                    return None;
                }
                Some(model::Severity::Uniform(min, max))
            }
            Severity::Classes(classes) => {
                let total: f64 = classes.values().map(|class| class.weight.value).sum();
                if total <= 0.0 {
                    if self.findings.sound(path) {
                        let message = format!("`{path}.classes` has no class with a weight above zero");
                        let help = "add, for example: minor = { weight = 30, fraction = 0.05 }";
                        self.problem(&format!("{path}.classes"), message, help);
                    }
                    return None;
                }
                let share = |class: &SeverityClass| (class.weight.value / total, class.fraction.value);
                Some(model::Severity::Classes(classes.values().map(share).collect()))
            }
        }
    }

    /// `None` inside where all hours are alike.
    fn week(&mut self, incidents: &Incidents, path: &str) -> Option<Option<Week>> {
        let setting = match (&incidents.hours, &incidents.weekend) {
            (None, None) => return Some(None),
            (Some(_), _) => "hours",
            (None, Some(_)) => "weekend",
        };
        let of_setting = format!("{path}.{setting}");
        if !self.findings.sound(&of_setting) || !self.findings.sound("clock") {
            return None;
        }
        let Some(clock) = &self.file.clock else {
            let message = format!("`{of_setting}` goes by the clock, but the scenario has none");
            let help = "add what the clock shows at the start: clock = \"00:00:00 UTC\"";
            self.problem(&of_setting, message, help);
            return None;
        };
        let mut hours = [1.0; 24];
        if let Some(written) = &incidents.hours {
            if written.len() != hours.len() {
                let message = format!("`{of_setting}` has {} numbers", written.len());
                self.problem(&of_setting, message, "write 24, one for each hour from midnight");
                return None;
            }
            hours.iter_mut().zip(written).for_each(|(hour, weight)| *hour = weight.value);
        }
        let weekend = incidents.weekend.as_ref().map_or(1.0, |weekend| weekend.value);
        let week = Week::new(&hours, weekend, clock.value.since_midnight().as_nanos() / 1_000_000_000);
        if week.is_none() {
            let message = format!("`{of_setting}` is zero in all hours");
            self.problem(&of_setting, message, "write a number above zero for some hour");
        }
        week.map(Some)
    }

    /// When replayed incidents are, and whom they hit, in order of start.
    fn replay(&mut self, replay: &Replay, path: &str) -> Option<Vec<Spell>> {
        let of_file = format!("{path}.file");
        if !self.findings.sound(path) {
            return None;
        }
        let listed = match self.files.incidents(&replay.file, &self.place(&of_file)) {
            Ok(listed) => listed,
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        let origin = match &replay.begins {
            Some(text) => Some(self.begins(text, &format!("{path}.begins"))?),
            None => None,
        };
        let of_provider =
            |incident: &&Listed| replay.provider.is_none() || incident.provider == replay.provider;
        let of_scope = |incident: &&Listed| match &replay.scopes {
            Some(scopes) => incident.scopes.iter().any(|scope| scopes.contains(scope)),
            None => true,
        };
        let severity = |incident: &Listed| replay.severities.get(&incident.impact).map(|share| share.value);
        let there = |choose: &dyn Fn(&Listed) -> Vec<String>| -> Vec<String> {
            listed.iter().flat_map(choose).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let mut chosen = listed.iter().filter(of_provider).peekable();
        if let (None, Some(provider)) = (chosen.peek(), &replay.provider) {
            let known = there(&|incident| incident.provider.iter().cloned().collect());
            let message = format!("`{}` lists no incident of provider \"{provider}\"", replay.file);
            let help = match known.is_empty() {
                true => "it does not say whose incidents they are: remove `provider`".to_owned(),
                false => format!("it has incidents of {}", one_of(known.iter().map(String::as_str))),
            };
            self.problem(&format!("{path}.provider"), message, help);
            return None;
        }
        let mut chosen = chosen.filter(of_scope).peekable();
        if let (None, Some(_)) = (chosen.peek(), &replay.scopes) {
            let known = there(&|incident| incident.scopes.clone());
            let message = format!("`{}` lists no incident of these scopes", replay.file);
            let help = format!(
                "its scopes are {}",
                one_of(known.iter().map(String::as_str)).replace(" or ", " and ")
            );
            self.problem(&format!("{path}.scopes"), message, help);
            return None;
        }
        let chosen: Vec<(&Listed, Probability)> =
            chosen.filter_map(|incident| Some((incident, severity(incident)?))).collect();
        let Some((first, _)) = chosen.first() else {
            let known = there(&|incident| vec![incident.impact.clone()]);
            let message = format!("`{}` lists no incident of these impacts", replay.file);
            let help = format!(
                "its impacts are {}",
                one_of(known.iter().map(String::as_str)).replace(" or ", " and ")
            );
            self.problem(&format!("{path}.severities"), message, help);
            return None;
        };
        let origin = origin.unwrap_or(first.start);
        let duration = self.file.duration.value;
        let run = i128::from(duration.as_nanos());
        let since = |at: i128| SimTime::from_nanos(u64::try_from((at - origin).max(0)).unwrap_or(u64::MAX));
        let spell = |(incident, share): (&Listed, Probability)| {
            // What is not resolved lasts to the end of the run.
            let (start, end) = (since(incident.start), since(incident.end.unwrap_or(origin + run)));
            let is_there = incident.start - origin < run && start < end;
            is_there.then_some(Spell { start, end, share })
        };
        let spells: Vec<Spell> = chosen.into_iter().filter_map(spell).collect();
        if spells.is_empty() && self.findings.sound("duration") {
            let message = format!("no incident of `{}` is in the {duration} of the run", replay.file);
            self.problem(
                path,
                message,
                "let the run start sooner with `begins`, or last longer with `duration`",
            );
            return None;
        }
        Some(spells)
    }

    fn begins(&mut self, text: &str, path: &str) -> Option<i128> {
        let read = instant(text);
        if read.is_none() {
            let message = format!("`{path}` is \"{text}\", not a date and time");
            self.problem(path, message, "write it like \"2026-07-21T00:00:00Z\"");
        }
        read
    }
}

/// When a replayed incident has its full force, and the share that it hits.
struct Spell {
    start: SimTime,
    end: SimTime,
    share: Probability,
}

fn replayed_fault(
    incidents: &Incidents,
    name: String,
    providers: Vec<ProviderId>,
    spell: Spell,
    recovery: model::Recovery,
) -> model::Fault {
    let requests = effect(&incidents.requests);
    model::Fault {
        recovery,
        probes: incidents.probes.as_ref().map_or(requests, effect),
        in_flight: in_flight(incidents.in_flight),
        fraction: spell.share,
        probe_fraction: spell.share,
        retry_after: incidents.retry_after.as_ref().map(|after| after.value),
        ..model::Fault::new(name, providers, spell.start, spell.end.after(recovery.lasts()), requests)
    }
}
