//! Retries: further attempts in the same step of the route.
//!
//! Where nothing more is tried there, a request goes on in [`super::fallback`].

use super::Simulation;
use super::attempt::Attempt;
use super::breaker::Ended;
use super::budget::Grant;
use super::recorder::Recorder;
use super::request::{Next, Request};
use super::routing::{ROOT, Spent};
use super::slab::Slot;
use crate::model::{AllEjected, Answer, Retry, RetryTo};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

const BACKOFF: Key = Key::purpose("backoff");

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
    fn try_again(&mut self, now: SimTime, slot: Slot, attempt: &Attempt) -> bool {
        let Some(retry) = &self.model.gateway.retry else { return false };
        let answer = attempt.seen.answer;
        let mut request = *self.request(slot);
        let is_exhausted = request.retries >= retry.attempts;
        if !retry.on.contains(answer) || (is_exhausted && !retry.wait_after_last) {
            return false;
        }
        let stays = match retry.to {
            RetryTo::Same => true,
            RetryTo::SameThenAny => request.retries + 1 < retry.attempts,
            RetryTo::Any | RetryTo::Other => false,
            RetryTo::Start => return false,
        };
        if retry.to == RetryTo::Other {
            request.spent.add(attempt.place.node);
            self.request(slot).spent = request.spent;
        }
        // With nobody left in this step there is nothing to wait for.
        let ignores_health = self.model.gateway.all_ejected == AllEjected::IgnoreHealth;
        if !stays && !ignores_health && !self.can_serve(now, &request, request.spent, request.step) {
            return false;
        }
        let Some(wait) = self.wait_before_retry(now, &request, attempt, retry) else { return false };
        if !is_exhausted && !self.is_granted(now, &mut request, retry, answer) {
            return false;
        }
        request.retries += 1;
        request.waited = wait;
        *self.request(slot) = request;
        let next = match is_exhausted {
            true => Next::GoOn,
            false if stays => Next::Same(attempt.place),
            false => Next::Anywhere,
        };
        self.plan(now, slot, next, wait);
        true
    }

    /// Plans another round through the route, for a request that nothing more is tried for in it; false if there is none.
    pub(super) fn start_again(&mut self, now: SimTime, slot: Slot) -> bool {
        let retry = self.model.gateway.retry.as_ref().filter(|retry| retry.to == RetryTo::Start);
        let Some(retry) = retry else { return false };
        let mut request = *self.request(slot);
        let Some(failure) = request.failure else { return false };
        let key = request.asked.key.joined(BACKOFF).numbered(u64::from(request.attempts));
        if request.retries >= retry.attempts || !retry.on.contains(failure.answer) {
            return false;
        }
        let nth = request.retries + 1;
        let Some(wait) = retry.wait(failure.answer, failure.retry_after, nth, request.waited, key) else {
            return false;
        };
        if !self.is_granted(now, &mut request, retry, failure.answer) {
            return false;
        }
        (request.retries, request.waited) = (nth, wait);
        (request.spent, request.step, request.fallbacks) = (Spent::default(), ROOT, 0);
        *self.request(slot) = request;
        self.plan(now, slot, Next::Anywhere, wait);
        true
    }

    /// Whether the budget has a retry left, which the request then holds.
    fn is_granted(&mut self, now: SimTime, request: &mut Request, retry: &Retry, answer: Answer) -> bool {
        let Some(budget) = &retry.budget else { return true };
        let replica = request.asked.replica as usize;
        request.grant = self.budgets[replica].take(budget, now, self.inside[replica], answer);
        request.grant.is_some()
    }

    /// How long a request waits before it is tried again; `None` if the provider asks for more than the gateway waits.
    fn wait_before_retry(
        &self,
        now: SimTime,
        request: &Request,
        attempt: &Attempt,
        retry: &Retry,
    ) -> Option<SimDuration> {
        if retry.at_once_with_others {
            let mut others = request.spent;
            others.add(attempt.place.node);
            if self.can_serve(now, request, others, request.step) {
                return Some(SimDuration::ZERO);
            }
        }
        let key = request.asked.key.joined(BACKOFF).numbered(u64::from(request.attempts));
        retry.wait(attempt.seen.answer, attempt.seen.retry_after, request.retries + 1, request.waited, key)
    }

    /// Does something after a wait, unless somebody gives up first.
    pub(super) fn plan(&mut self, now: SimTime, slot: Slot, next: Next, wait: SimDuration) {
        let asked = self.request(slot).asked;
        let (at, patience) = (now.after(wait), asked.deadline.min(asked.cut_off));
        // No wait at all is an event, too: a thousand retries at once must not nest.
        match at > patience {
            true => self.wait(slot, Next::GiveUp, patience),
            false => self.wait(slot, next, at),
        }
    }

    /// Gives back what a retry got that is not made.
    pub(super) fn return_grant(&mut self, slot: Slot) {
        let Some(budget) = self.model.gateway.retry.as_ref().and_then(|retry| retry.budget.as_ref()) else {
            return;
        };
        let request = self.request(slot);
        let replica = request.asked.replica as usize;
        if let Some(grant) = request.grant.take() {
            self.budgets[replica].on_retry_end(budget, grant);
        }
    }

    pub(super) fn settle_budget(&mut self, replica: u32, grant: Option<Grant>, answer: Answer) {
        let Some(retry) = &self.model.gateway.retry else { return };
        let Some(budget) = &retry.budget else { return };
        let state = &mut self.budgets[replica as usize];
        if let Some(grant) = grant {
            state.on_retry_end(budget, grant);
        }
        match answer {
            Answer::Good => state.on_success(budget, grant),
            // What is not tried again costs nothing.
            _ if retry.on.contains(answer) => state.on_failure(budget),
            _ => {}
        }
    }
}
