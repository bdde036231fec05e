//! Lowers who overrules the gateway from outside.
//!
//! A part of [`super::lower`].

use super::check::join;
use super::file_latency::Latency;
use super::file_operator::{After, Operator, Stages, StatusPage};
use super::lower::Lowering;
use super::problem::{nearest, one_of};
use crate::model::{self, Trigger};
use crate::time::{SimDuration, SimTime};

impl Lowering<'_> {
    /// In order of time, where it is known, and then name.
    pub(super) fn operators(
        &mut self,
        faults: Option<&[model::Fault]>,
    ) -> Option<Vec<model::OperatorAction>> {
        let file = self.file;
        let mut operators: Vec<Option<model::OperatorAction>> = vec![];
        for (name, action) in &file.operator {
            operators.push(self.operator(name, action, faults));
        }
        let mut operators: Vec<model::OperatorAction> = operators.into_iter().collect::<Option<_>>()?;
        // The sort is stable, and the table was in order of name.
        operators.sort_by_key(|action| match action.trigger {
            Trigger::At(at) => at,
            Trigger::Alert(_) | Trigger::StatusPage(_) => SimTime::NEVER,
        });
        Some(operators)
    }

    fn operator(
        &mut self,
        name: &str,
        action: &Operator,
        faults: Option<&[model::Fault]>,
    ) -> Option<model::OperatorAction> {
        let path = format!("operator.{name}");
        let avoid = self.operator_avoids(name, &path);
        let stages = action.stages.as_ref().map(|stages| self.stages(stages, &join(&path, "stages")));
        let trigger = match (&action.at, &action.after) {
            (Some(at), None) => {
                let why = "`at` says when it is done";
                self.without_effect(&path, &["stages", "escalate_after"], why);
                self.instant(at, &join(&path, "at")).map(Trigger::At)
            }
            (None, Some(after)) => {
                self.escalation(action, &path);
                if matches!(after, After::StatusPage(page) if page.resolved_after.is_some()) {
                    self.without_effect(&path, &["lasts"], "`resolved_after` says when the switch ends");
                }
                self.trigger(after, &join(&path, "after"), faults)
            }
            (Some(_), Some(_)) => {
                let message = format!("`{path}` has both `at` and `after`");
                self.problem(&join(&path, "after"), message, "keep the one that says when it is done");
                None
            }
            (None, None) => {
                if ["at", "after"].iter().all(|setting| self.findings.sound(&join(&path, setting))) {
                    let message = format!("`{path}` has neither `at` nor `after`");
                    let help = "add, for example: at = \"24m\", or after = { alert = \"page\" }";
                    self.problem(&path, message, help);
                }
                None
            }
        };
        Some(model::OperatorAction {
            name: name.to_owned(),
            trigger: trigger?,
            stages: match stages {
                Some(stages) => stages?,
                None => model::Stages::default(),
            },
            escalate_after: action.escalate_after.as_ref().map(|after| after.value),
            avoid: avoid?,
            lasts: action.lasts.as_ref().map(|lasts| lasts.value),
        })
    }

    fn operator_avoids(&mut self, name: &str, path: &str) -> Option<Vec<model::ProviderId>> {
        let file = self.file;
        self.provider_ids(&file.operator.get(name)?.avoid, &join(path, "avoid"))
    }

    /// The next one is called only if somebody may be late.
    fn escalation(&mut self, action: &Operator, path: &str) {
        let is_random = |stage: Option<&Latency>| !matches!(stage, None | Some(Latency::Constant(_)));
        let stages = action.stages.as_ref();
        let until_acknowledged =
            [stages.and_then(|s| s.notify.as_ref()), stages.and_then(|s| s.acknowledge.as_ref())];
        if action.escalate_after.is_some() && !until_acknowledged.into_iter().any(is_random) {
            let why = "everybody would take as long to acknowledge";
            self.without_effect(path, &["escalate_after"], why);
        }
    }

    fn trigger(&mut self, after: &After, path: &str, faults: Option<&[model::Fault]>) -> Option<Trigger> {
        match after {
            After::Alert(name) => {
                let file = self.file;
                let names: Vec<&str> = file.alert.keys().map(String::as_str).collect();
                let found = self.named(name, &names, "alert", &join(path, "alert"))?;
                Some(Trigger::Alert(found))
            }
            After::StatusPage(page) => {
                let page = self.status_page(page, &join(path, "status_page"), faults);
                page.map(Trigger::StatusPage)
            }
        }
    }

    fn status_page(
        &mut self,
        page: &StatusPage,
        path: &str,
        faults: Option<&[model::Fault]>,
    ) -> Option<model::StatusPage> {
        let file = self.file;
        let names: Vec<&str> = file.fault.keys().map(String::as_str).collect();
        let found = self.named(&page.fault, &names, "fault", &join(path, "fault"));
        let posted_after = self.latency(&page.posted_after, &join(path, "posted_after"));
        let resolved = page.resolved_after.as_ref();
        let resolved = resolved.map(|latency| self.latency(latency, &join(path, "resolved_after")));
        found?;
        Some(model::StatusPage {
            // The model has them in order of time.
            fault: faults?.iter().position(|fault| fault.name == page.fault)?,
            posted_after: posted_after?,
            resolved_after: match resolved {
                Some(latency) => Some(latency?),
                None => None,
            },
            polled_every: page.polled_every.as_ref().map(|every| every.value),
        })
    }

    /// The place of a name among those that there are.
    fn named(&mut self, name: &str, names: &[&str], what: &str, path: &str) -> Option<usize> {
        let found = names.iter().position(|known| *known == name);
        // Where one of them was wrong, the name may have been its.
        if found.is_none() && self.findings.sound(path) && self.findings.sound(what) {
            let help = match (nearest(name, names.iter().copied()), names) {
                (Some(near), _) => format!("did you mean \"{near}\"?"),
                (None, []) => format!("add one: [{what}.{name}]"),
                (None, names) => format!("choose {}", one_of(names.iter().copied())),
            };
            self.problem(path, format!("there is no {what} `{name}`"), help);
        }
        found
    }

    fn stages(&mut self, stages: &Stages, path: &str) -> Option<model::Stages> {
        let mut stage = |latency: &Option<Latency>, name: &str| match latency {
            Some(latency) => self.latency(latency, &join(path, name)),
            None => Some(model::Latency::Constant(SimDuration::ZERO)),
        };
        // All of them are read before one is missed, so that all problems come out.
        let [notify, acknowledge, diagnose, switch] = [
            stage(&stages.notify, "notify"),
            stage(&stages.acknowledge, "acknowledge"),
            stage(&stages.diagnose, "diagnose"),
            stage(&stages.switch, "switch"),
        ];
        Some(model::Stages {
            notify: notify?,
            acknowledge: acknowledge?,
            diagnose: diagnose?,
            switch: switch?,
        })
    }
}
