//! Fallback: further attempts in the next step of the route, when nothing more is tried in this one.
//!
//! A step is a child of a list of preference. Each has retries of its own.

use super::Simulation;
use super::recorder::Recorder;
use super::routing::ROOT;
use super::slab::Slot;
use crate::model::{Answer, NodeId, Pick, RetryTo};
use crate::time::{SimDuration, SimTime};

impl<R: Recorder> Simulation<'_, '_, R> {
    /// Goes on after a step of the route in which nothing more is tried: to the next step, or to failure.
    pub(super) fn go_on(&mut self, now: SimTime, slot: Slot) {
        self.return_grant(slot);
        if !self.fall_back(now, slot) && !self.start_again(now, slot) {
            self.fail(now, slot);
        }
    }

    /// Sends a request to the next step of the route; false if there is none.
    fn fall_back(&mut self, now: SimTime, slot: Slot) -> bool {
        let Some(fallback) = self.model.gateway.fallback else { return false };
        let mut request = *self.request(slot);
        let answer = request.failure.map_or(Answer::Status(503), |failure| failure.answer);
        if !fallback.on.contains(answer) || request.fallbacks >= fallback.max {
            return false;
        }
        // The next child of the list that the step is in; if none is left, of the list around that one.
        while request.step != ROOT {
            request.spent.add(request.step);
            let list = self.list_around(request.step);
            let choice = self.choose(now, &request.asked, request.spent, request.attempts, list);
            if let Some(place) = choice.place {
                // Each step has retries of its own, unless they go around all of them.
                if !self.retries_start_over() {
                    (request.retries, request.waited) = (0, SimDuration::ZERO);
                }
                request.fallbacks += 1;
                *self.request(slot) = request;
                self.send(now, slot, place, choice);
                return true;
            }
            request.step = self.step_of(list);
        }
        *self.request(slot) = request;
        false
    }

    fn retries_start_over(&self) -> bool {
        self.model.gateway.retry.as_ref().is_some_and(|retry| retry.to == RetryTo::Start)
    }

    /// The part of the route in which a request that was sent to this node is tried again: the child of the list of
    /// preference around it, where the gateway falls back along such lists, and everything otherwise.
    pub(super) fn step_of(&self, node: NodeId) -> NodeId {
        let route = &self.model.gateway.route;
        if self.model.gateway.fallback.is_none() {
            return ROOT;
        }
        let mut step = node;
        while let Some(parent) = route.node(step).parent {
            if matches!(route.node(parent).pick, Pick::Prefer(_)) {
                return step;
            }
            step = parent;
        }
        ROOT
    }

    fn list_around(&self, step: NodeId) -> NodeId {
        self.model.gateway.route.node(step).parent.unwrap_or(ROOT)
    }
}
