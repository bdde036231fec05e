//! What follows a failed attempt: a retry, a fallback, a client that asks again, or failure.

use super::Simulation;
use super::attempt::Attempt;
use super::breaker::Ended;
use super::recorder::{Ending, Recorder};
use super::request::{Failed, Next, Request};
use super::routing::ROOT;
use super::slab::Slot;
use crate::model::{AllEjected, Answer, NodeId, Pick, RetryTo};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

const BACKOFF: Key = Key::purpose("backoff");
const CLIENT_BACKOFF: Key = Key::purpose("client backoff");

impl<R: Recorder> Simulation<'_, '_, R> {
    /// Tries a request again, sends it elsewhere, or fails it.
    pub(super) fn after_failure(&mut self, now: SimTime, slot: Slot, attempt: &Attempt, ended: &Ended) {
        let Attempt { replica, place, .. } = *attempt;
        let answer = attempt.seen.answer;
        let is_final = attempt.seen.is_committed || attempt.is_cut_off || answer == Answer::Abandoned;
        if !is_final && self.try_again(now, slot, attempt) {
            return;
        }
        self.judge_provider(replica, place.provider, ended);
        if is_final {
            self.fail(now, slot);
        } else {
            self.go_on(now, slot);
        }
    }

    /// Plans a retry in this step of the route; false if there is none.
    pub(super) fn try_again(&mut self, now: SimTime, slot: Slot, attempt: &Attempt) -> bool {
        let Some(retry) = &self.model.gateway.retry else { return false };
        let (answer, replica) = (attempt.seen.answer, attempt.replica as usize);
        if !retry.on.contains(answer) {
            return false;
        }
        let mut request = *self.request(slot);
        let is_exhausted = request.retries >= retry.attempts;
        if is_exhausted && !retry.wait_after_last {
            return false;
        }
        let stays = match retry.to {
            RetryTo::Same => true,
            RetryTo::SameThenAny => request.retries + 1 < retry.attempts,
            RetryTo::Any => false,
            RetryTo::Other => {
                request.spent.add(attempt.place.node);
                false
            }
        };
        let is_hopeless = !stays
            && self.model.gateway.all_ejected != AllEjected::IgnoreHealth
            && !self.can_serve(now, &request, request.spent, request.step);
        if is_hopeless {
            *self.request(slot) = request;
            return false;
        }
        let others = {
            let mut spent = request.spent;
            spent.add(attempt.place.node);
            retry.at_once_with_others && self.can_serve(now, &request, spent, request.step)
        };
        let key = request.asked.key.joined(BACKOFF).numbered(u64::from(request.attempts));
        let asked_for = attempt.seen.retry_after.filter(|_| retry.retry_after.is_some());
        let wait = match asked_for {
            _ if others => SimDuration::ZERO,
            Some(asked_for) if Some(asked_for) > retry.retry_after => return false,
            Some(asked_for) => asked_for,
            None if retry.at_once_on.contains(answer) => SimDuration::ZERO,
            None => retry.backoff.wait(request.retries + 1, request.waited, key),
        };
        if !is_exhausted && let Some(budget) = &retry.budget {
            let in_flight = self.requests_in_flight.len() as u32;
            let Some(grant) = self.budgets[replica].take(budget, now, in_flight, answer) else {
                return false;
            };
            request.grant = Some(grant);
        }
        let next = match is_exhausted {
            true => Next::GoOn,
            false if stays => Next::Same(attempt.place),
            false => Next::Anywhere,
        };
        request.retries += 1;
        request.waited = wait;
        *self.request(slot) = request;
        self.plan(now, slot, next, wait);
        true
    }

    /// Does something after a wait, unless somebody gives up first.
    pub(super) fn plan(&mut self, now: SimTime, slot: Slot, next: Next, wait: SimDuration) {
        let request = self.request(slot);
        let (at, patience) = (now.after(wait), request.asked.deadline.min(request.asked.cut_off));
        if at > patience {
            self.wait(slot, Next::GiveUp, patience);
        } else if wait == SimDuration::ZERO {
            (request.next, request.next_at) = (next, now);
            let ordinal = request.asked.ordinal;
            self.on_wait_ends(now, ordinal, slot);
        } else {
            self.wait(slot, next, at);
        }
    }

    /// Goes on after a step of the route in which nothing more is tried: to the next step, or to failure.
    pub(super) fn go_on(&mut self, now: SimTime, slot: Slot) {
        let mut request = *self.request(slot);
        self.return_grant(&mut request);
        let answer = request.failure.map_or(Answer::Status(503), |failure| failure.answer);
        let fallback = self.model.gateway.fallback.filter(|fallback| {
            fallback.on.contains(answer) && request.fallbacks < fallback.max && request.step != ROOT
        });
        if fallback.is_some() {
            // The next child of the list that the step is in; if none is left, of the list around that one.
            while request.step != ROOT {
                request.spent.add(request.step);
                let list = self.list_around(request.step);
                let choice = self.choose(now, &request.asked, request.spent, request.attempts, list);
                if let Some(place) = choice.place {
                    (request.retries, request.waited) = (0, SimDuration::ZERO);
                    request.fallbacks += 1;
                    *self.request(slot) = request;
                    return self.send(now, slot, place, choice);
                }
                request.step = self.step_of(list);
            }
        }
        *self.request(slot) = request;
        self.fail(now, slot);
    }

    /// Gives back what a retry got that is not made.
    pub(super) fn return_grant(&mut self, request: &mut Request) {
        let Some(budget) = self.model.gateway.retry.as_ref().and_then(|retry| retry.budget.as_ref()) else {
            return;
        };
        if let Some(grant) = request.grant.take() {
            self.budgets[request.asked.replica as usize].on_retry_end(budget, grant);
        }
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

    pub(super) fn list_around(&self, step: NodeId) -> NodeId {
        self.model.gateway.route.node(step).parent.unwrap_or(ROOT)
    }

    /// The gateway's part is over without a good answer: the client asks again, or the request has failed.
    pub(super) fn fail(&mut self, now: SimTime, slot: Slot) {
        let mut request = *self.request(slot);
        self.return_grant(&mut request);
        let failure = request.failure.expect("a request that fails has a failure");
        self.settle_client_budget(&request, for_client(failure.answer));
        request.client_grant = None;
        *self.request(slot) = request;
        if self.ask_again(now, slot, failure) {
            return;
        }
        let request = self.requests_in_flight.take(slot).expect("a request stays until it ends");
        let ending = Ending::Failed(failure.cause, failure.stage);
        let Failed { provider, answer, .. } = failure;
        self.report(&request.asked, request.attempts, provider, now, ending, answer, false);
    }

    /// Whether the client's own retries go on.
    pub(super) fn ask_again(&mut self, now: SimTime, slot: Slot, failure: Failed) -> bool {
        let Some(retry) = &self.model.traffic.client_retry else { return false };
        let mut request = *self.request(slot);
        let answer = for_client(failure.answer);
        if !retry.on.contains(answer) || request.client_retries >= retry.attempts {
            return false;
        }
        let nth = request.client_retries + 1;
        let key = request.asked.key.joined(CLIENT_BACKOFF).numbered(u64::from(nth));
        let asked_for = failure.retry_after.filter(|_| retry.retry_after.is_some());
        let wait = match asked_for {
            Some(asked_for) if Some(asked_for) > retry.retry_after => return false,
            Some(asked_for) => asked_for,
            None if retry.at_once_on.contains(answer) => SimDuration::ZERO,
            None => retry.backoff.wait(nth, request.client_waited, key),
        };
        if let Some(budget) = &retry.budget {
            let in_flight = self.requests_in_flight.len() as u32;
            let granted = self.client_budget.as_mut().and_then(|b| b.take(budget, now, in_flight, answer));
            let Some(grant) = granted else { return false };
            request.client_grant = Some(grant);
        }
        (request.client_retries, request.client_waited) = (nth, wait);
        request.running = 0;
        (request.asked.deadline, request.asked.cut_off) = (SimTime::NEVER, SimTime::NEVER);
        *self.request(slot) = request;
        self.plan(now, slot, Next::AskAgain, wait);
        true
    }

    pub(super) fn settle_budget(&mut self, replica: u32, attempt: &Attempt, answer: Answer) {
        let Some(retry) = &self.model.gateway.retry else { return };
        let Some(budget) = &retry.budget else { return };
        let state = &mut self.budgets[replica as usize];
        if let Some(grant) = attempt.grant {
            state.on_retry_end(budget, grant);
        }
        match answer {
            Answer::Good => state.on_success(budget, attempt.grant),
            // What is not tried again costs nothing.
            _ if retry.on.contains(answer) => state.on_failure(budget),
            _ => {}
        }
    }

    /// A client's call has ended like this, as the client sees it.
    pub(super) fn settle_client_budget(&mut self, request: &Request, answer: Answer) {
        let Some(retry) = &self.model.traffic.client_retry else { return };
        let Some(budget) = &retry.budget else { return };
        let Some(state) = &mut self.client_budget else { return };
        if let Some(grant) = request.client_grant {
            state.on_retry_end(budget, grant);
        }
        match answer {
            Answer::Good => state.on_success(budget, request.client_grant),
            _ if retry.on.contains(answer) => state.on_failure(budget),
            _ => {}
        }
    }
}

/// For its client, a call that it gave up on has timed out.
fn for_client(answer: Answer) -> Answer {
    if answer == Answer::Abandoned { Answer::Timeout } else { answer }
}
