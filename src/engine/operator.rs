//! Who overrules the gateway from outside: from the news to the switch, and back.

use super::recorder::{Milestone, Recorder};
use super::{Event, Simulation};
use crate::model::{OperatorAction, Trigger};
use crate::random::Key;
use crate::time::SimTime;

const OPERATOR: Key = Key::purpose("operator");
/// By stage, in the order of [`crate::model::Stages::all`].
const STAGES: [Key; 4] =
    [Key::purpose("notify"), Key::purpose("acknowledge"), Key::purpose("diagnose"), Key::purpose("switch")];

/// What one operator is doing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OperatorState {
    /// How often it has been called.
    calls: u64,
    /// Whether its switch is on its way or made.
    is_busy: bool,
}

/// When the first pager rings, and when the switch is done, on news of this moment.
fn course(action: &OperatorAction, key: Key, news: SimTime) -> (SimTime, SimTime) {
    let takes = |responder: u64, stage: usize| {
        action.stages.all()[stage].draw(key.numbered(responder).joined(STAGES[stage]))
    };
    let called = |responder: u64, at: SimTime| {
        let rings = at.after(takes(responder, 0));
        (rings, rings.after(takes(responder, 1)))
    };
    let (mut rings, mut acknowledged) = called(0, news);
    let mut first = 0;
    if let Some(wait) = action.escalate_after {
        let mut at = news;
        for responder in 1..OperatorAction::RESPONDERS_MAX {
            at = at.after(wait);
            if acknowledged <= at {
                break;
            }
            let (also_rings, also_acknowledged) = called(responder, at);
            rings = rings.min(also_rings);
            if also_acknowledged < acknowledged {
                (acknowledged, first) = (also_acknowledged, responder);
            }
        }
    }
    (rings, acknowledged.after(takes(first, 2)).after(takes(first, 3)))
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// What is known at the start of what operators will do; the rest waits for alerts.
    pub(super) fn schedule_operators(&mut self) {
        for (i, action) in (0..).zip(&self.model.operator) {
            match &action.trigger {
                Trigger::At(at) => self.queue.push(*at, Event::OperatorActs(i)),
                Trigger::Alert(_) => {}
                Trigger::StatusPage(page) => {
                    let (posted, resolved) = self.posts(page, self.operator_key(action));
                    self.call_operator(posted, i, resolved);
                }
            }
        }
    }

    fn operator_key(&self, action: &OperatorAction) -> Key {
        self.run.joined(OPERATOR).named(&action.name)
    }

    /// An alert fires.
    pub(super) fn call_operators(&mut self, now: SimTime, alert: usize) {
        for (i, action) in (0..).zip(&self.model.operator) {
            if action.trigger == Trigger::Alert(alert) && !self.operators[i as usize].is_busy {
                self.call_operator(now, i, SimTime::NEVER);
            }
        }
    }

    /// There is news for an operator; at `called_off` nothing is wrong any more. What would come after the end of
    /// arrivals is left out.
    fn call_operator(&mut self, news: SimTime, index: u32, called_off: SimTime) {
        let action = &self.model.operator[index as usize];
        let operator_key = self.operator_key(action);
        let state = &mut self.operators[index as usize];
        let key = operator_key.numbered(state.calls);
        (state.calls, state.is_busy) = (state.calls + 1, true);
        let (learns, acts) = course(action, key, news);
        let mut plan = vec![(learns, Event::OperatorLearns(index))];
        if acts < called_off {
            plan.extend([(acts, Event::OperatorActs(index)), (called_off, Event::OperatorReturns(index))]);
        }
        for (at, event) in plan {
            if at < self.end() {
                self.queue.push(at, event);
            }
        }
    }

    pub(super) fn on_operator_acts(&mut self, now: SimTime, index: u32) {
        self.catch_up(now);
        let action = &self.model.operator[index as usize];
        self.switches.act(action);
        self.recorder.milestone(now, Milestone::OperatorActs(index as usize));
        let returns = action.lasts.map_or(SimTime::NEVER, |lasts| now.after(lasts));
        if returns < self.end() {
            self.queue.push(returns, Event::OperatorReturns(index));
        }
    }

    /// A switch is taken back.
    pub(super) fn on_operator_returns(&mut self, now: SimTime, index: u32) {
        self.catch_up(now);
        self.switches.undo(&self.model.operator[index as usize]);
        self.operators[index as usize].is_busy = false;
        self.recorder.milestone(now, Milestone::OperatorReturns(index as usize));
        for replica in 0..self.model.gateway.replicas.get() {
            self.release_waiting(now, replica);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Latency, Stages};
    use crate::time::SimDuration;

    fn minutes(minutes: u64) -> SimDuration {
        SimDuration::from_secs(60 * minutes)
    }

    fn action(acknowledge: Latency, escalate_after: Option<SimDuration>) -> OperatorAction {
        let of = |m| Latency::Constant(minutes(m));
        let stages = Stages { notify: of(1), acknowledge, diagnose: of(10), switch: of(2) };
        OperatorAction { stages, escalate_after, ..OperatorAction::at("on_call", SimTime::START, vec![]) }
    }

    #[test]
    fn stages_follow_each_other() {
        let news = SimTime::START.after(minutes(100));
        let times = course(&action(Latency::Constant(minutes(3)), None), Key::purpose("test"), news);
        assert_eq!(times, (SimTime::START.after(minutes(101)), SimTime::START.after(minutes(116))));
    }

    /// The first to acknowledge does the rest, whoever was called first: with one more every minute that is at least as
    /// early, and the same where one is in time.
    #[test]
    fn who_is_late_is_joined_by_the_next_one() {
        let acknowledge = Latency::lognormal(minutes(4), minutes(60)).expect("p50 is below p99");
        let (mut joined, mut alone) = (0, 0);
        for i in 0..1000 {
            let key = Key::purpose("test").numbered(i);
            let (_, one) = course(&action(acknowledge, None), key, SimTime::START);
            let (rings, many) = course(&action(acknowledge, Some(minutes(5))), key, SimTime::START);
            assert_eq!(rings, SimTime::START.after(minutes(1)));
            let acknowledged = one.before(minutes(12));
            if acknowledged <= SimTime::START.after(minutes(5)) {
                assert_eq!(many, one);
                alone += 1;
            } else {
                assert!(many <= one);
                joined += u32::from(many < one);
            }
        }
        assert!(alone > 300 && joined > 200, "{alone}, {joined}");
    }
}
