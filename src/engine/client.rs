//! What a client does when its request has failed: SDKs ask again, each time the whole gateway.

use super::Simulation;
use super::budget::Grant;
use super::recorder::{Ending, Recorder};
use super::request::{Failed, Next, Request};
use super::slab::Slot;
use crate::model::Answer;
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

const CLIENT_BACKOFF: Key = Key::purpose("client backoff");

impl<R: Recorder> Simulation<'_, '_, R> {
    /// The gateway's part is over without a good answer: the client asks again, or the request has failed.
    pub(super) fn fail(&mut self, now: SimTime, slot: Slot) {
        self.return_grant(slot);
        self.leave(now, slot);
        let Request { asked, running, .. } = *self.request(slot);
        if self.bills && running > 0 {
            self.bill_left(now, asked.ordinal);
        }
        let request = self.request(slot);
        let failure = request.failure.expect("a request that fails has a failure");
        let grant = request.client_grant.take();
        self.settle_client_budget(grant, for_client(failure.answer));
        if self.ask_again(now, slot, failure) {
            return;
        }
        let request = self.requests_in_flight.take(slot).expect("a request stays until it ends");
        let ending = Ending::Failed(failure.cause, failure.stage);
        let Failed { provider, answer, .. } = failure;
        self.report(&request.asked, request.attempts, provider, now, ending, answer, false);
    }

    /// Whether the client's own retries go on.
    fn ask_again(&mut self, now: SimTime, slot: Slot, failure: Failed) -> bool {
        let Some(retry) = &self.model.traffic.client_retry else { return false };
        let mut request = *self.request(slot);
        let answer = for_client(failure.answer);
        if !retry.on.contains(answer) || request.client_retries >= retry.attempts {
            return false;
        }
        let nth = request.client_retries + 1;
        let key = request.asked.key.joined(CLIENT_BACKOFF).numbered(u64::from(nth));
        let Some(wait) = retry.wait(answer, failure.retry_after, nth, request.client_waited, key) else {
            return false;
        };
        if let Some(budget) = &retry.budget {
            let in_flight = self.in_flight() as u32;
            let granted = self.client_budget.as_mut().and_then(|b| b.take(budget, now, in_flight, answer));
            let Some(grant) = granted else { return false };
            request.client_grant = Some(grant);
        }
        (request.client_retries, request.client_waited) = (nth, wait);
        request.running = 0;
        (request.asked.deadline, request.asked.cut_off) = (SimTime::NEVER, SimTime::NEVER);
        *self.request(slot) = request;
        let told = if self.has_detour { self.way_back(&request.asked) } else { SimDuration::ZERO };
        self.plan(now, slot, Next::AskAgain, wait.plus(told));
        true
    }

    /// A client's call has ended like this, as the client sees it.
    pub(super) fn settle_client_budget(&mut self, grant: Option<Grant>, answer: Answer) {
        let Some(retry) = &self.model.traffic.client_retry else { return };
        let Some(budget) = &retry.budget else { return };
        let Some(state) = &mut self.client_budget else { return };
        if let Some(grant) = grant {
            state.on_retry_end(budget, grant);
        }
        match answer {
            Answer::Good => state.on_success(budget, grant),
            _ if retry.on.contains(answer) => state.on_failure(budget),
            _ => {}
        }
    }
}

/// For its client, a call that it gave up on has timed out.
fn for_client(answer: Answer) -> Answer {
    if answer == Answer::Abandoned { Answer::Timeout } else { answer }
}
