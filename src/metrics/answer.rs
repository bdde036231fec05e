//! How people and their alerts answer the first fault.

use crate::engine::Milestone;
use crate::model::{Model, Trigger};
use crate::time::{SimDuration, SimTime};

/// When the first fault was answered, and how often alerts fired.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answer {
    pub alert_count: u64,
    pub alerted_after: Option<SimDuration>,
    pub paged_after: Option<SimDuration>,
    pub switched_after: Option<SimDuration>,
}

impl Answer {
    /// Only the first of a kind since the fault began counts.
    pub fn note(&mut self, model: &Model, at: SimTime, milestone: Milestone) {
        let first = match milestone {
            Milestone::AlertFires(_) => {
                self.alert_count += 1;
                &mut self.alerted_after
            }
            // Who reads a status page has no pager.
            Milestone::OperatorLearns(i) if matches!(model.operator[i].trigger, Trigger::Alert(_)) => {
                &mut self.paged_after
            }
            Milestone::OperatorActs(_) => &mut self.switched_after,
            _ => return,
        };
        if let Some(fault) = model.faults.first().filter(|fault| fault.start <= at) {
            first.get_or_insert(at.since(fault.start));
        }
    }
}
