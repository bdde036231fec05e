//! Lowers a checked file into a model: names become ids, clock times instants; says all that does not fit together.
//!
//! Each table of a file has a part of its own: [`super::lower_traffic`], [`super::lower_provider`],
//! [`super::lower_fault`], [`super::lower_quota`], [`super::lower_gateway`], [`super::lower_network`], [`super::lower_operator`],
//! [`super::lower_slo`]. Single values were checked by [`super::check`]; what it had to repair
//! is not judged here.

use super::check::{Findings, join};
use super::file::Scenario;
use super::files::Files;
use super::lower_route::{Nameable, Target};
use super::problem::Problem;
use super::setting::AnswerItem;
use super::source::Place;
use super::tree::Node;
use crate::model::{self, ProviderId};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// More than any gateway has; ids are 16 bits.
pub(super) const PROVIDERS_MAX: usize = 1_000;

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
    pub(super) files: &'a Files,
    pub(super) ids: BTreeMap<&'a str, ProviderId>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Lowering<'a> {
    /// Every part is lowered even if another one failed, so that all problems come out.
    fn model(&mut self, name: &str) -> Option<model::Model> {
        let file = self.file;
        let providers = self.providers();
        let traffic = self.traffic();
        let mut faults: Vec<Option<model::Fault>> = vec![];
        for (name, fault) in &file.fault {
            faults.push(self.fault(name, fault));
        }
        let quotas = self.quotas();
        let incidents = self.incidents(&mut faults);
        let gateway = self.gateway();
        self.money();
        let network = self.network();
        let mut faults: Option<Vec<model::Fault>> = faults.into_iter().collect();
        // The sort is stable, and the table was in order of name.
        faults.iter_mut().for_each(|faults| faults.sort_by_key(|fault| fault.start));
        let operator = self.operators(faults.as_deref());
        let slo = self.slo(traffic.as_ref());
        Some(model::Model {
            name: name.to_owned(),
            about: file.about.clone(),
            clock: file.clock.as_ref().map(|clock| clock.value.clone()),
            duration: file.duration.value,
            traffic: traffic?,
            providers: providers?,
            faults: faults?,
            quotas: quotas?,
            incidents: incidents?,
            gateway: gateway?,
            network,
            operator: operator?,
            slo: slo?,
            failed_request_cost: file.cost.as_ref().map(|cost| cost.failed_request.value),
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
            self.has_no_effect(&inner, why, format!("remove `{setting}`"));
        }
    }

    /// The same of one setting by its whole path, with what to do about it.
    pub(super) fn has_no_effect(&mut self, path: &str, why: &str, help: String) {
        if let Some(node) = self.root.at(&path.split('.').collect::<Vec<_>>()) {
            let message = format!("`{path}` has no effect: {why}");
            self.problems.push(Problem::new(message).at(&node.key).help(help));
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

    /// Providers by name; says which do not exist and which come twice.
    pub(super) fn provider_ids(&mut self, names: &'a [String], path: &str) -> Option<Vec<ProviderId>> {
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
