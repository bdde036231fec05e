//! Lowers a checked file into a model: names become ids, clock times instants; says all that does not fit together.
//!
//! Faults and instants are lowered by [`super::lower_fault`]. Single values were checked by [`super::check`]; what it
//! had to repair is not judged here.

use super::check::Findings;
use super::file::{self, Scenario};
use super::files::Files;
use super::problem::{Problem, one_of};
use super::source::Place;
use super::trace;
use super::tree::Node;
use crate::model::{self, ProviderId};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// More than any gateway has; ids are 16 bits.
const PROVIDERS_MAX: usize = 1_000;

/// More than any gateway has: each has its own view of health, and probes every provider.
const REPLICAS_MAX: u32 = 1_000;

/// Takes a file apart; the model means nothing if there are problems.
pub(crate) fn lower(
    name: &str,
    file: &Scenario,
    root: &Node,
    findings: &Findings,
    files: &Files,
) -> (Option<model::Model>, Vec<Problem>) {
    let ids = file.provider.keys().take(PROVIDERS_MAX).enumerate();
    let ids = ids.map(|(index, name)| (name.as_str(), ProviderId::new(index))).collect();
    let mut lowering = Lowering { file, root, findings, files, ids, problems: vec![] };
    let model = lowering.model(name);
    (model, lowering.problems)
}

pub(super) struct Lowering<'a> {
    pub(super) file: &'a Scenario,
    pub(super) root: &'a Node,
    pub(super) findings: &'a Findings,
    files: &'a Files,
    pub(super) ids: BTreeMap<&'a str, ProviderId>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Lowering<'a> {
    /// Every part is lowered even if another one failed, so that all problems come out.
    fn model(&mut self, name: &str) -> Option<model::Model> {
        let file = self.file;
        let providers = self.providers();
        let arrivals = self.arrivals();
        let mut faults: Vec<Option<model::Fault>> = vec![];
        for (name, fault) in &file.fault {
            faults.push(self.fault(name, fault));
        }
        let gateway = self.gateway();
        let mut operator: Vec<Option<model::OperatorAction>> = vec![];
        for (name, action) in &file.operator {
            let path = format!("operator.{name}");
            let at = self.instant(&action.at, &format!("{path}.at"));
            let avoid = self.provider_ids(&action.avoid, &format!("{path}.avoid"));
            operator.push(at.zip(avoid).map(|(at, avoid)| model::OperatorAction {
                name: name.clone(),
                at,
                avoid,
            }));
        }
        let mut faults: Vec<model::Fault> = faults.into_iter().collect::<Option<_>>()?;
        let mut operator: Vec<model::OperatorAction> = operator.into_iter().collect::<Option<_>>()?;
        // The sorts are stable, and the tables were in order of name.
        faults.sort_by_key(|fault| fault.start);
        operator.sort_by_key(|action| action.at);
        Some(model::Model {
            name: name.to_owned(),
            about: file.about.clone(),
            clock: file.clock.as_ref().map(|clock| clock.value.clone()),
            duration: file.duration.value,
            traffic: model::Traffic {
                client_timeout: file.traffic.client_timeout.as_ref().map(|timeout| timeout.value),
                ..model::Traffic::new(arrivals?)
            },
            providers: providers?,
            faults,
            gateway: gateway?,
            operator,
            weakest_evidence: None,
        })
    }

    pub(super) fn place(&self, path: &str) -> Place {
        self.root.place_of(&path.split('.').collect::<Vec<_>>()).clone()
    }

    /// Notes a problem at a path.
    pub(super) fn problem(&mut self, path: &str, message: String, help: impl Into<String>) {
        let place = self.place(path);
        self.problems.push(Problem::new(message).at(&place).help(help));
    }

    fn providers(&mut self) -> Option<Vec<model::Provider>> {
        let file = self.file;
        if file.provider.is_empty() && self.findings.providers_known() {
            let help = "add, for example:\n[provider.primary]\nlatency = { lognormal = { p50 = \"800ms\", p99 = \"3s\" } }";
            self.problem("provider", "there is no provider".to_owned(), help);
        }
        if file.provider.len() > PROVIDERS_MAX {
            let message = format!("there are {} providers", file.provider.len());
            self.problem("provider", message, format!("use at most {PROVIDERS_MAX}"));
        }
        let mut providers = vec![];
        for (name, provider) in &file.provider {
            if provider.labels.contains_key("name") {
                let message =
                    format!("`provider.{name}` has a label `name`, which faults take for the provider's own");
                self.problem(
                    &format!("provider.{name}.labels.name"),
                    message,
                    "call the label something else",
                );
            }
            let latency = self.latency(&provider.latency, &format!("provider.{name}.latency"));
            providers.push(latency.map(|latency| model::Provider {
                labels: provider.labels.clone(),
                error_rate: provider.error_rate.value,
                ..model::Provider::new(name, latency)
            }));
        }
        providers.into_iter().collect()
    }

    fn latency(&mut self, latency: &file::Latency, path: &str) -> Option<model::Latency> {
        match latency {
            file::Latency::Constant(constant) => Some(model::Latency::Constant(constant.value)),
            file::Latency::Exponential(exponential) => {
                Some(model::Latency::Exponential { mean: exponential.mean.value })
            }
            file::Latency::Lognormal(lognormal) => {
                let (p50, p99) = (lognormal.p50.value, lognormal.p99.value);
                let lowered = model::Latency::lognormal(p50, p99);
                if lowered.is_none() && self.findings.sound(path) {
                    let (at, other) = (
                        self.place(&format!("{path}.lognormal.p99")),
                        self.place(&format!("{path}.lognormal.p50")),
                    );
                    let message = format!("`{path}` has a p99 of {p99}, below its p50 of {p50}");
                    self.problems.push(
                        Problem::new(message)
                            .at(&at)
                            .also(&other, "the median")
                            .help("swap them, or raise p99"),
                    );
                }
                lowered
            }
        }
    }

    fn arrivals(&mut self) -> Option<model::Arrivals> {
        let trace = match &self.file.traffic.arrivals {
            file::Arrivals::Constant(rate) => return Some(model::Arrivals::Constant(rate.value)),
            file::Arrivals::Poisson(rate) => return Some(model::Arrivals::Poisson(rate.value)),
            file::Arrivals::Trace(trace) => trace,
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

    /// Providers by name; says which do not exist and which come twice.
    fn provider_ids(&mut self, names: &[String], path: &str) -> Option<Vec<ProviderId>> {
        if !self.findings.sound(path) {
            return None;
        }
        let known = || self.ids.keys().copied();
        if names.is_empty() {
            let help = format!("name at least one of {}", one_of(known()));
            self.problem(path, format!("`{path}` names no provider"), help);
            return None;
        }
        let mut ids = vec![];
        let mut found = vec![];
        for (index, name) in names.iter().enumerate() {
            let item = format!("{path}.{index}");
            let Some(id) = self.ids.get(name.as_str()).copied() else {
                if self.findings.sound(&format!("provider.{name}")) {
                    let help = super::problem::suggestion(name, self.ids.keys().copied().collect::<Vec<_>>());
                    found.push((item, format!("there is no provider `{name}`"), help));
                }
                ids.push(None);
                continue;
            };
            if ids.contains(&Some(id)) {
                found.push((
                    item,
                    format!("`{path}` names `{name}` twice"),
                    "remove one of the two".to_owned(),
                ));
            }
            ids.push(Some(id));
        }
        let good = found.is_empty();
        for (item, message, help) in found {
            self.problem(&item, message, help);
        }
        if good { ids.into_iter().collect() } else { None }
    }

    fn gateway(&mut self) -> Option<model::Gateway> {
        let gateway = &self.file.gateway;
        let route = self.route();
        if gateway.replicas.value > REPLICAS_MAX && self.findings.sound("gateway.replicas") {
            let message = format!("`gateway.replicas` is {}", gateway.replicas.value);
            self.problem("gateway.replicas", message, format!("use at most {REPLICAS_MAX}"));
        }
        let check = gateway.health_check.as_ref().map(|check| {
            let latency = self.latency(&check.latency, "gateway.health_check.latency")?;
            Some(model::HealthCheck {
                jitter: check.jitter.value,
                eject_after: at_least_one(check.eject_after.value),
                readmit_after: at_least_one(check.readmit_after.value),
                first_probe: match &check.first_probe {
                    file::FirstProbe::Random => model::FirstProbe::Random,
                    file::FirstProbe::At(delay) => model::FirstProbe::At(delay.value),
                },
                next_probe: match check.next_probe {
                    file::NextProbe::FromStart => model::NextProbe::FromStart,
                    file::NextProbe::FromStartNoOverlap => model::NextProbe::FromStartNoOverlap,
                    file::NextProbe::FromEnd => model::NextProbe::FromEnd,
                },
                latency,
                ..model::HealthCheck::new(check.interval.value, check.timeout.value)
            })
        });
        let health_check = match check {
            Some(check) => Some(check?),
            None => None,
        };
        Some(model::Gateway {
            replicas: at_least_one(gateway.replicas.value),
            health_check,
            all_ejected: match gateway.all_ejected {
                file::AllEjected::Fail => model::AllEjected::Fail,
                file::AllEjected::IgnoreHealth => model::AllEjected::IgnoreHealth,
            },
            ..model::Gateway::new(route?)
        })
    }

    fn prefer(&self, ids: &[ProviderId]) -> model::Route {
        let name =
            |id| self.ids.iter().find(|(_, known)| **known == id).map_or("", |(name, _)| name).to_owned();
        model::Route::prefer(ids, name)
    }

    fn route(&mut self) -> Option<model::Route> {
        let all: Vec<ProviderId> = self.ids.values().copied().collect();
        match &self.file.gateway.route {
            Some(file::Route::Prefer(names)) => {
                let ids = self.provider_ids(names, "gateway.route.prefer")?;
                Some(self.prefer(&ids))
            }
            Some(file::Route::LowestLatency(lowest)) => {
                let among = match &lowest.among {
                    Some(names) => self.provider_ids(names, "gateway.route.lowest_latency.among")?,
                    None => all,
                };
                let lowest = model::LowestLatency {
                    average: model::Average::Ewma(lowest.weight.value),
                    failure_counts_as: Some(lowest.failure_counts_as.value),
                    buffer: 0.0,
                    explore: lowest.explore.value,
                };
                let mut nodes = self.prefer(&among).nodes().to_vec();
                nodes[0].pick = model::Pick::LowestLatency(nodes[0].pick.children(), lowest);
                Some(model::Route::new(nodes))
            }
            None if all.len() == 1 => Some(self.prefer(&all)),
            None => {
                let sound = self.findings.sound("gateway.route") && self.findings.providers_known();
                if !all.is_empty() && sound {
                    let names: Vec<String> = self.ids.keys().map(|name| format!("\"{name}\"")).collect();
                    let message =
                        format!("there are {} providers, but `gateway` has no `route` among them", all.len());
                    let help = format!("add to [gateway]: route = {{ prefer = [{}] }}", names.join(", "));
                    self.problem("gateway", message, help);
                }
                None
            }
        }
    }
}

fn at_least_one(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)
}

/// The weakest of what tables and parts declare.
pub(crate) fn weakest(declared: &[String]) -> Option<model::Evidence> {
    let read = |text: &String| match text.as_str() {
        "assumed" => Some(model::Evidence::Assumed),
        "documented" => Some(model::Evidence::Documented),
        "source" => Some(model::Evidence::Source),
        "measured" => Some(model::Evidence::Measured),
        _ => None,
    };
    declared.iter().filter_map(read).min()
}
