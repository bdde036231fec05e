//! Lowers faults: when they start, and whom their labels hit.
//!
//! A part of [`super::lower`].

use super::file_fault::{Effect, Fault, GatewayEffect, GatewayFault, InFlight, Recovery};
use super::file_gateway::HealthScope;
use super::file_provider::Provider;
use super::lower::{Lowering, at_least_one};
use super::problem::{Problem, nearest, one_of};
use super::quantity::When;
use super::setting::Moment;
use super::shape::inline;
use crate::model::{self, ProviderId};
use crate::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};

/// More than anybody watches; each one takes a moment of a run.
const FLAPS_MAX: u32 = 1_000;

impl Lowering<'_> {
    /// When something happens; it has to be before arrivals stop.
    pub(super) fn instant(&mut self, moment: &Moment, path: &str) -> Option<SimTime> {
        let (written, time) = match moment.value {
            When::After(delay) => (delay.to_string(), SimTime::START.after(delay)),
            When::Clock { hour, minute, second } => {
                let written = format!("{hour:02}:{minute:02}:{second:02}");
                let Some(clock) = &self.file.clock else {
                    if self.findings.sound("clock") && self.findings.sound(path) {
                        let message =
                            format!("`{path}` is the clock time {written}, but the scenario has no clock");
                        let help = "add what the clock shows at the start, clock = \"02:40:00 UTC\", or write a time since the start, \"7m\"";
                        self.problem(path, message, help);
                    }
                    return None;
                };
                (written, clock.value.next(hour, minute, second))
            }
        };
        let duration = self.file.duration.value;
        if time.as_nanos() < duration.as_nanos() {
            return Some(time);
        }
        let sound = ["duration", path].iter().all(|path| self.findings.sound(path))
            && (matches!(moment.value, When::After(_)) || self.findings.sound("clock"));
        if sound {
            let end = SimTime::START.after(duration);
            let clock = self.file.clock.as_ref().map(|clock| &clock.value);
            let (message, help) = match clock.filter(|_| matches!(moment.value, When::Clock { .. })) {
                Some(clock) => {
                    let (start, end) = (clock.show(SimTime::START), clock.show(end));
                    let after = time.since(SimTime::START);
                    (
                        format!(
                            "`{path}` is {written}, which comes {after} after the start at {start}; the run ends at {end}"
                        ),
                        format!("choose a time from {start} to before {end}, or a longer `duration`"),
                    )
                }
                None => (
                    format!("`{path}` is {written}, but the run ends after {duration}"),
                    format!("choose a time before {duration}, or a longer `duration`"),
                ),
            };
            let (at, other) = (self.place(path), self.place("duration"));
            self.problems
                .push(Problem::new(message).at(&at).also(&other, "the run ends after this").help(help));
        }
        None
    }

    pub(super) fn fault(&mut self, name: &str, fault: &Fault) -> Option<model::Fault> {
        let path = format!("fault.{name}");
        let providers = self.labelled(&fault.on, &format!("{path}.on"), "fault");
        let start = self.instant(&fault.at, &format!("{path}.at"));
        let requests = effect(&fault.requests);
        let recovery = self.recovery(fault.recovery.as_ref(), &format!("{path}.recovery"));
        let (providers, start) = providers.zip(start)?;
        Some(model::Fault {
            probes: fault.probes.as_ref().map_or(requests, effect),
            recovery,
            in_flight: in_flight(fault.in_flight),
            fraction: fault.fraction.value,
            probe_fraction: fault.probe_fraction.as_ref().unwrap_or(&fault.fraction).value,
            retry_after: fault.retry_after.as_ref().map(|after| after.value),
            ..model::Fault::new(
                name,
                providers,
                start,
                start.after(fault.lasts.value).after(recovery.lasts()),
                requests,
            )
        })
    }

    pub(super) fn recovery(&mut self, recovery: Option<&Recovery>, path: &str) -> model::Recovery {
        match recovery {
            None => model::Recovery::AtOnce,
            Some(Recovery::Ramp(takes)) => model::Recovery::Ramp(takes.value),
            Some(Recovery::Flaps(flaps)) => {
                self.at_most(FLAPS_MAX, flaps.times.value, &format!("{path}.flaps.times"));
                model::Recovery::Flaps {
                    times: at_least_one(flaps.times.value),
                    up: flaps.up.value,
                    down: flaps.down.value,
                }
            }
        }
    }

    /// What goes wrong with the gateway itself, in order of time and then name.
    pub(super) fn gateway_faults(&mut self) -> Option<Vec<model::GatewayFault>> {
        let file = self.file;
        let mut faults: Vec<Option<model::GatewayFault>> = vec![];
        for (name, fault) in &file.gateway.fault {
            faults.push(self.gateway_fault(name, fault));
        }
        let mut faults: Vec<model::GatewayFault> = faults.into_iter().collect::<Option<_>>()?;
        // The sort is stable, and the table was in order of name.
        faults.sort_by_key(|fault| fault.start);
        Some(faults)
    }

    fn gateway_fault(&mut self, name: &str, fault: &GatewayFault) -> Option<model::GatewayFault> {
        let path = format!("gateway.fault.{name}");
        let gateway = &self.file.gateway;
        let all = gateway.replicas.value;
        let replicas = fault.replicas.as_ref().map_or(all, |replicas| replicas.value);
        let of_replicas = format!("{path}.replicas");
        if replicas > all && self.findings.sound(&of_replicas) && self.findings.sound("gateway.replicas") {
            let message = format!("`{of_replicas}` is {replicas}, but the gateway has {all}");
            self.problem(&of_replicas, message, format!("use at most {all}, or raise `gateway.replicas`"));
        }
        let of_effect = format!("{path}.effect");
        let loses_store = matches!(fault.effect, GatewayEffect::LoseStore);
        let own = matches!(gateway.health, HealthScope::Own);
        if loses_store && own && self.findings.sound(&of_effect) && self.findings.sound("gateway.health") {
            let message = format!("`{of_effect}` is \"lose_store\", but the replicas share no state");
            self.problem(&of_effect, message, "add to [gateway]: health = { shared = \"1s\" }");
        }
        let start = self.instant(&fault.at, &format!("{path}.at"))?;
        Some(model::GatewayFault {
            name: name.to_owned(),
            start,
            end: start.after(fault.lasts.value),
            effect: match fault.effect {
                GatewayEffect::Crash => model::GatewayEffect::Crash,
                GatewayEffect::Drain => model::GatewayEffect::Drain,
                GatewayEffect::LoseStore => model::GatewayEffect::LoseStore,
            },
            replicas,
        })
    }

    /// The providers that have all of these labels; there has to be one for the `what` that they are of.
    pub(super) fn labelled(
        &mut self,
        on: &BTreeMap<String, String>,
        path: &str,
        what: &str,
    ) -> Option<Vec<ProviderId>> {
        let has = |name: &str, provider: &Provider, label: &str, value: &str| match label {
            "name" => name == value,
            _ => provider.labels.get(label).is_some_and(|found| found == value),
        };
        let file = self.file;
        let hit: Vec<ProviderId> = file
            .provider
            .iter()
            .filter(|(name, provider)| on.iter().all(|(label, value)| has(name, provider, label, value)))
            .filter_map(|(name, _)| self.ids.get(name.as_str()).copied())
            .collect();
        if !hit.is_empty() && !on.is_empty() {
            return Some(hit);
        }
        if !self.findings.labels_known() || !self.findings.sound(path) {
            return None;
        }
        let all: Vec<String> = file
            .provider
            .iter()
            .map(|(name, provider)| {
                let mut labels: toml::Table = provider
                    .labels
                    .iter()
                    .map(|(label, value)| (label.clone(), value.as_str().into()))
                    .collect();
                labels.insert("name".to_owned(), name.as_str().into());
                inline(&toml::Value::Table(labels))
            })
            .collect();
        let listed = format!("providers have\n{}", all.join("\n"));
        if on.is_empty() {
            let message = format!("`{path}` is empty, so it is not said whom the {what} hits");
            self.problem(path, message, format!("write labels that all must match; {listed}"));
            return None;
        }
        for (label, value) in on {
            let known: BTreeSet<&str> = match label.as_str() {
                "name" => file.provider.keys().map(String::as_str).collect(),
                _ => file.provider.values().filter_map(|p| p.labels.get(label)).map(String::as_str).collect(),
            };
            let inner = format!("{path}.{label}");
            if known.is_empty() {
                let labels: BTreeSet<&str> = file
                    .provider
                    .values()
                    .flat_map(|provider| provider.labels.keys())
                    .map(String::as_str)
                    .chain(["name"])
                    .collect();
                let help = match nearest(label, labels.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are the labels {}", one_of(labels).replace(" or ", " and ")),
                };
                let place = self.root.at(&inner.split('.').collect::<Vec<_>>()).map(|node| node.key.clone());
                let place = place.unwrap_or_else(|| self.place(path));
                self.problems.push(
                    Problem::new(format!("no provider has a label `{label}`, so the {what} hits nothing"))
                        .at(&place)
                        .help(help),
                );
                return None;
            }
            if !known.contains(value.as_str()) {
                let help = match nearest(value, known.iter().copied()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("providers have {label} {}", one_of(known)),
                };
                let message = format!("no provider has {label} \"{value}\", so the {what} hits nothing");
                self.problem(&inner, message, help);
                return None;
            }
        }
        let message = format!("no provider has all of these labels, so the {what} hits nothing");
        self.problem(path, message, listed);
        None
    }
}

pub(super) fn in_flight(in_flight: InFlight) -> model::InFlight {
    match in_flight {
        InFlight::Finish => model::InFlight::Finish,
        InFlight::Fail => model::InFlight::Fail,
        InFlight::Hang => model::InFlight::Hang,
    }
}

pub(super) fn effect(effect: &Effect) -> model::Effect {
    match effect {
        Effect::Refuse => model::Effect::Refuse,
        Effect::Hang => model::Effect::Hang,
        Effect::Drop => model::Effect::Drop,
        Effect::Pause => model::Effect::Pause,
        Effect::Unaffected => model::Effect::Unaffected,
        Effect::Status(status) => model::Effect::Status(status.value),
        Effect::Slow(factor) => model::Effect::Slow(factor.value),
        Effect::Stall(share) => model::Effect::Stall(share.value),
        Effect::Cut(share) => model::Effect::Cut(share.value),
        Effect::Truncate(share) => model::Effect::Truncate(share.value),
    }
}
