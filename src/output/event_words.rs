//! What happened in a run, in words: for the terminal and for reports.

use super::events::incident_name;
use super::terminal::thousands;
use crate::engine::Milestone;
use crate::metrics::{TimelineEntry, TimelineEvent};
use crate::model::{Model, Trigger};
use crate::time::{SimDuration, SimTime};

/// A timeline, in which what one replica after the other does is told once.
pub(super) fn groups(timeline: &[TimelineEntry]) -> impl Iterator<Item = &[TimelineEntry]> {
    timeline.chunk_by(|a, b| same_but_for_replica(a.event, b.event))
}

fn same_but_for_replica(one: TimelineEvent, other: TimelineEvent) -> bool {
    match (one, other) {
        (
            TimelineEvent::Health { provider: a, admitted: b, is_false: c, .. },
            TimelineEvent::Health { provider: x, admitted: y, is_false: z, .. },
        ) => (a, b, c) == (x, y, z),
        _ => false,
    }
}

/// When a group of entries was.
pub(super) fn group_clock(model: &Model, group: &[TimelineEntry]) -> String {
    let [from, to] = [&group[0], &group[group.len() - 1]].map(|entry| clock(model, entry.at));
    if from == to { from } else { format!("{from} to {to}") }
}

/// What a group of entries tells; a switch by hand saved so many requests.
pub(super) fn group_words(model: &Model, group: &[TimelineEntry], saved: u64) -> String {
    let by = match (group, group[0].event) {
        ([_], TimelineEvent::Health { replica, .. }) if model.gateway.replicas.get() > 1 => {
            format!(" by replica {replica}")
        }
        ([_], _) => String::new(),
        _ => format!(" by {} replicas", thousands(group.len() as f64)),
    };
    format!("{}{by}", event_words(model, group[0].event, saved))
}

/// What happened, but for which replica it happened to.
fn event_words(model: &Model, event: TimelineEvent, saved: u64) -> String {
    match event {
        TimelineEvent::Milestone(Milestone::FaultStarts(i)) => format!("{} starts", model.faults[i].name),
        TimelineEvent::Milestone(Milestone::FaultEnds(i)) => format!("{} ends", model.faults[i].name),
        TimelineEvent::Milestone(Milestone::IncidentStarts { source, number }) => {
            format!("{} starts", incident_name(model, source, number))
        }
        TimelineEvent::Milestone(Milestone::IncidentEnds { source, number }) => {
            format!("{} ends", incident_name(model, source, number))
        }
        TimelineEvent::Milestone(Milestone::GatewayFaultStarts(i)) => {
            format!("{} starts", model.gateway.faults[i].name)
        }
        TimelineEvent::Milestone(Milestone::GatewayFaultEnds(i)) => {
            format!("{} ends", model.gateway.faults[i].name)
        }
        TimelineEvent::Milestone(Milestone::AlertFires(i)) => format!("{} fires", model.alerts()[i].name),
        TimelineEvent::Milestone(Milestone::AlertResolves(i)) => {
            format!("{} is over", model.alerts()[i].name)
        }
        TimelineEvent::Milestone(Milestone::OperatorLearns(i)) => {
            let action = &model.operator[i];
            let how = match action.trigger {
                Trigger::StatusPage(_) => "reads the status page",
                Trigger::At(_) | Trigger::Alert(_) => "is paged",
            };
            format!("{} {how}", action.name)
        }
        TimelineEvent::Milestone(Milestone::OperatorReturns(i)) => {
            format!("{} switches back", model.operator[i].name)
        }
        TimelineEvent::Milestone(Milestone::OperatorActs(i)) => {
            let saved = thousands(saved as f64);
            let action = &model.operator[i];
            let how = match action.trigger {
                Trigger::StatusPage(_) => "switches",
                Trigger::At(_) | Trigger::Alert(_) => "switches by hand",
            };
            format!("{} {how}, saved {saved}", action.name)
        }
        TimelineEvent::Health { provider, admitted, is_false, .. } => {
            let name = &model.provider(provider).name;
            let change = match (admitted, is_false) {
                (true, _) => "admitted",
                (false, false) => "ejected",
                (false, true) => "falsely ejected",
            };
            format!("{name} {change}")
        }
    }
}

/// An instant on the scenario's clock, or since the start if it has none.
pub fn clock(model: &Model, at: SimTime) -> String {
    model.clock.as_ref().map_or_else(
        || SimDuration::from_secs((at.as_nanos() + 500_000_000) / 1_000_000_000).to_string(),
        |clock| clock.show(at),
    )
}
