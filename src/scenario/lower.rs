//! Lowers a checked file into a model: names become ids, clock times instants; says all that does not fit together.
//!
//! Faults and instants are lowered by [`super::lower_fault`], what a gateway has by [`super::lower_gateway`]. Single values were checked by [`super::check`]; what it
//! had to repair is not judged here.

use super::check::{Findings, join};
use super::file::{self, Scenario};
use super::file_provider::{Abandoned, Capacity, Latency};
use super::files::Files;
use super::lower_route::{Nameable, Target};
use super::problem::Problem;
use super::setting::AnswerItem;
use super::source::Place;
use super::trace;
use super::tree::Node;
use crate::model::{self, ProviderId};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// More than any gateway has; ids are 16 bits.
const PROVIDERS_MAX: usize = 1_000;

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
        let client_retry = file.traffic.client_retry.clone();
        let client_retry = client_retry.map(|retry| self.retry(&retry.into(), "traffic.client_retry"));
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
                client_retry,
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

    /// Whether a setting is written anywhere, rather than left at its default.
    pub(super) fn is_written(&self, path: &str) -> bool {
        self.root.at(&path.split('.').collect::<Vec<_>>()).is_some()
    }

    /// Of these settings of the table at `path`, the ones that are written; none of them takes effect because of
    /// another one, so each is a problem: `why` it is.
    pub(super) fn without_effect(&mut self, path: &str, settings: &[&str], why: &str) {
        for setting in settings {
            let inner = join(path, setting);
            if self.is_written(&inner) {
                let message = format!("`{inner}` has no effect: {why}");
                let key = self.root.at(&inner.split('.').collect::<Vec<_>>()).map(|node| node.key.clone());
                let place = key.unwrap_or_else(|| self.place(&inner));
                self.problems.push(Problem::new(message).at(&place).help(format!("remove `{setting}`")));
            }
        }
    }

    /// A setting has to be within what a run can bear.
    pub(super) fn at_most(&mut self, max: u32, value: u32, path: &str) {
        if value > max && self.findings.sound(path) {
            self.problem(path, format!("`{path}` is {value}"), format!("use at most {max}"));
        }
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
                first_token: provider.first_token.value,
                capacity: provider.capacity.as_ref().map(capacity),
                price: provider.price.value,
                ..model::Provider::new(name, latency)
            }));
        }
        providers.into_iter().collect()
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
    fn provider_ids(&mut self, names: &'a [String], path: &str) -> Option<Vec<ProviderId>> {
        let targets = self.targets(&self.items(names, path), path, Nameable::Providers)?;
        let id = |target| match target {
            Target::Provider(id, _) => Some(id),
            Target::Group(_) => None,
        };
        targets.into_iter().map(id).collect()
    }
}

pub(super) fn at_least_one(count: u32) -> NonZeroU32 {
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

/// Everything that a list of failures names.
pub(super) fn answers(items: &[AnswerItem]) -> model::AnswerSet {
    items.iter().fold(model::AnswerSet::NONE, |set, item| set.or(item.value))
}

fn capacity(capacity: &Capacity) -> model::Capacity {
    model::Capacity {
        slots: at_least_one(capacity.slots.value),
        queue: capacity.queue.as_ref().map(|queue| queue.value),
        abandoned: match capacity.abandoned {
            Abandoned::Runs => model::Abandoned::Runs,
            Abandoned::Dropped => model::Abandoned::Dropped,
        },
    }
}
