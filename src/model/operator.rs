//! Who overrules the gateway from outside: people with a pager, and those who read a vendor's status page.

use super::{Latency, ProviderId};
use crate::time::{SimDuration, SimTime};

/// Providers that somebody has the gateway avoid.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorAction {
    /// The name in the scenario; draws are keyed by it.
    pub name: String,
    /// What it begins with.
    pub trigger: Trigger,
    /// How long people take from the news to the switch; nothing after [`Trigger::At`].
    pub stages: Stages,
    /// Who has not acknowledged after so long is joined by the next one, at most [`Self::RESPONDERS_MAX`] in all; the
    /// first of them to acknowledge does the rest. `None`: there is one.
    pub escalate_after: Option<SimDuration>,
    /// While the switch lasts these get no attempts while another routed provider exists.
    pub avoid: Vec<ProviderId>,
    /// How long the switch lasts; `None` is for ever, or until a status page says so.
    pub lasts: Option<SimDuration>,
}

impl OperatorAction {
    /// More people than any rota pages at once.
    pub const RESPONDERS_MAX: u64 = 100;

    /// A switch at a time that is known, for ever.
    pub fn at(name: impl Into<String>, at: SimTime, avoid: Vec<ProviderId>) -> Self {
        OperatorAction {
            name: name.into(),
            trigger: Trigger::At(at),
            stages: Stages::default(),
            escalate_after: None,
            avoid,
            lasts: None,
        }
    }

    /// Whether two runs can differ because of it alone.
    pub fn is_random(&self) -> bool {
        let page = match &self.trigger {
            Trigger::StatusPage(page) => page.is_random(),
            Trigger::At(_) | Trigger::Alert(_) => false,
        };
        page || self.stages.all().iter().any(|stage| stage.is_random())
    }
}

/// What has somebody act.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// The plan: the switch is done at this time.
    At(SimTime),
    /// The alert at this index fires. While a switch lasts, or is on its way, further firings change nothing.
    Alert(usize),
    /// A vendor says so.
    StatusPage(StatusPage),
}

/// How long people take, one stage after the other; drawn independently.
#[derive(Debug, Clone, PartialEq)]
pub struct Stages {
    /// From the news to the pager that rings.
    pub notify: Latency,
    /// Until somebody acknowledges.
    pub acknowledge: Latency,
    /// Until they know what to do.
    pub diagnose: Latency,
    /// Until it is done.
    pub switch: Latency,
}

impl Stages {
    /// The stages in order.
    pub fn all(&self) -> [&Latency; 4] {
        [&self.notify, &self.acknowledge, &self.diagnose, &self.switch]
    }
}

/// No time at all.
impl Default for Stages {
    fn default() -> Self {
        let none = || Latency::Constant(SimDuration::ZERO);
        Stages { notify: none(), acknowledge: none(), diagnose: none(), switch: none() }
    }
}

/// What a vendor says about one of its faults: late, and on its own account.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusPage {
    /// The fault's place in the model's list.
    pub fault: usize,
    /// From the start of the fault to the post.
    pub posted_after: Latency,
    /// From the end of the fault to its being posted as resolved, which ends the switch; `None` if nobody heeds that.
    pub resolved_after: Option<Latency>,
    /// The page is read so often, from a random moment on; `None`: what is posted is known at once.
    pub polled_every: Option<SimDuration>,
}

impl StatusPage {
    fn is_random(&self) -> bool {
        let resolved = self.resolved_after.as_ref().is_some_and(|latency| latency.is_random());
        self.polled_every.is_some() || self.posted_after.is_random() || resolved
    }
}
