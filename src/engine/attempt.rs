//! Attempts: how one is sent, what the gateway sees of it, and what its end means for its request.

use super::breaker::Ended;
use super::budget::Grant;
use super::call::Seen;
use super::capacity::Admission;
use super::recorder::{AttemptEnd, Candidate, Cause, Ending, Recorder, Stage};
use super::request::{Failed, Next, Request};
use super::routing::{Choice, Place, ROOT, Switches};
use super::slab::Slot;
use super::view::HEALTH_CHECK_BIT;
use super::world::{Fate, Hit, Reply};
use super::{Event, Simulation};
use crate::model::{Answer, Judges, ProviderId, Timeouts};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// One try of a request at a provider.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    pub request: Slot,
    pub ordinal: u64,
    pub replica: u32,
    pub place: Place,
    /// Its place among the request's attempts, from 0.
    pub number: u32,
    pub sent: SimTime,
    /// What becomes of it. Known to the world; the gateway learns it when the attempt ends.
    pub seen: Seen,
    /// Whether it ended because the gateway's time for the whole request was over.
    pub is_cut_off: bool,
    /// In which stage of the incident the request is lost, should the attempt fail. For the recorder.
    pub stage: Stage,
    /// Whether it succeeds only because somebody has switched by hand. For the recorder.
    pub saved_by_hand: bool,
    pub grant: Option<Grant>,
    /// Which of its client's calls it belongs to.
    pub call: u32,
}

impl Attempt {
    pub(super) fn failure(&self) -> Failed {
        let cause = match self.seen.answer {
            Answer::Good | Answer::Cut => Cause::Truncated,
            Answer::Status(_) => Cause::Status,
            Answer::Refused => Cause::Refused,
            Answer::ConnectionLost if self.seen.hit == Hit::InFlight => Cause::InFlightAtOnset,
            Answer::ConnectionLost => Cause::Truncated,
            Answer::ConnectTimeout | Answer::Timeout | Answer::Stalled | Answer::Abandoned => Cause::Timeout,
        };
        let provider = Some(self.place.provider);
        Failed { provider, answer: self.seen.answer, cause, stage: self.stage }
    }
}

impl<R: Recorder> Simulation<'_, '_, R> {
    pub(super) fn send(&mut self, now: SimTime, slot: Slot, place: Place, choice: Choice) {
        let mut request = *self.request(slot);
        let attempt = self.attempt(now, slot, &mut request, place, choice);
        request.running += 1;
        request.step = self.step_of(place.node);
        let can_hedge = self.model.gateway.hedge.is_some_and(|hedge| request.hedges < hedge.max.get());
        *self.request(slot) = request;
        let replica = request.replica;
        let owner = self.owner_of(replica);
        self.has_traffic[owner as usize] = true;
        if self.learns {
            self.learned[replica as usize].on_sent(self.model, place);
        }
        if !self.model.gateway.detectors.is_empty() {
            self.detectors_on_sent(now, owner, place.provider);
        }
        if R::NEEDS_ATTEMPTS {
            let candidates = self.candidates(replica);
            self.recorder.attempt_sent(request.ordinal, attempt.number, place.provider, &candidates, now);
        }
        // What hangs for ever has no end to wait for.
        if attempt.seen.ends == SimTime::NEVER && !can_hedge && request.running == 1 {
            self.requests_in_flight.take(slot);
            return self.report(
                &request,
                Some(place.provider),
                SimTime::NEVER,
                Ending::Open,
                Answer::Good,
                false,
            );
        }
        let ends = attempt.seen.ends;
        let attempt = self.attempts.insert(attempt);
        self.queue.push(ends, Event::AttemptEnds { request: request.ordinal, slot: attempt });
        if let Some(hedge) = self.model.gateway.hedge.filter(|_| can_hedge) {
            self.queue.push(now.after(hedge.after), Event::HedgeDue { request: request.ordinal, slot });
        }
    }

    /// What a replica's routing sees at present.
    pub(super) fn candidates(&self, replica: u32) -> Vec<Candidate> {
        let view = &self.views[replica as usize];
        let candidate = |&provider: &ProviderId| {
            let marks = view.marks(provider);
            Candidate {
                provider,
                admitted: view.is_admitted(provider),
                ejected_by_health_check: marks.ejected & HEALTH_CHECK_BIT != 0,
                ejected_by_detectors: marks.ejected >> 1,
            }
        };
        self.model.gateway.route.providers().iter().map(candidate).collect()
    }

    /// Sends an attempt; what becomes of it is decided here, by the world alone.
    #[inline(always)]
    pub(super) fn attempt(
        &mut self,
        now: SimTime,
        slot: Slot,
        request: &mut Request,
        place: Place,
        choice: Choice,
    ) -> Attempt {
        let number = request.attempts;
        let key = self.attempt_key(request, place.provider);
        request.attempts += 1;
        let seen = self.seen(now, request, place.provider, key, true);
        let is_good = seen.answer == Answer::Good && !seen.is_truncated;
        let stage = match is_good {
            true => Stage::Background,
            false => self.stage(now, request.replica, place.provider, choice, seen.hit),
        };
        let saved_by_hand =
            is_good && !self.switches.is_empty() && self.is_saved_by_hand(now, request, place.provider);
        Attempt {
            request: slot,
            ordinal: request.ordinal,
            replica: request.replica,
            place,
            number,
            sent: now,
            seen,
            is_cut_off: seen.ends == request.cut_off && seen.answer != Answer::Good,
            stage,
            saved_by_hand,
            grant: std::mem::take(&mut request.grant),
            call: request.client_retries,
        }
    }

    /// An attempt's draws belong to the request, the provider and which try at that provider it is.
    #[inline(always)]
    pub(super) fn attempt_key(&self, request: &mut Request, provider: ProviderId) -> Key {
        let number = request.tries.next(provider, request.attempts);
        request.key.joined(self.world.provider_key(provider).numbered(number))
    }

    /// What the gateway sees of an attempt sent now; `is_real` unless it is only asked what would have become of it.
    #[inline(always)]
    pub(super) fn seen(
        &mut self,
        now: SimTime,
        request: &Request,
        provider: ProviderId,
        key: Key,
        is_real: bool,
    ) -> Seen {
        let timeouts = &self.model.gateway.timeouts;
        let spared;
        let timeouts = if timeouts.spares_last && self.is_last(request) {
            spared = Timeouts { first_token: None, attempt: None, ..*timeouts };
            &spared
        } else {
            timeouts
        };
        let mut fate = self.world.attempt(provider, key, now);
        if is_real && self.model.provider(provider).capacity.is_some() {
            fate = self.queued(now, request, provider, fate, timeouts);
        }
        let mut seen = Seen::of(fate, now, timeouts, request.deadline);
        if request.cut_off < seen.ends {
            seen = Seen::of(fate, now, timeouts, request.cut_off);
            seen.answer = Answer::Timeout;
        }
        seen
    }

    /// The fate of an attempt that has to wait for a provider's slot, if it is one that keeps a slot busy.
    pub(super) fn queued(
        &mut self,
        now: SimTime,
        request: &Request,
        provider: ProviderId,
        fate: Fate,
        timeouts: &Timeouts,
    ) -> Fate {
        let Some(capacity) = &self.model.provider(provider).capacity else { return fate };
        let works = matches!(fate.reply, Reply::Good | Reply::Truncated)
            || (fate.first_token < SimTime::NEVER && fate.ends < SimTime::NEVER);
        if !works {
            return fate;
        }
        let after = |timeout: Option<SimDuration>| timeout.map_or(SimTime::NEVER, |t| now.after(t));
        let gives_up = (request.deadline.min(request.cut_off))
            .min(after(timeouts.attempt))
            .min(after(timeouts.first_token));
        let slots = self.slots[provider.index()].as_mut().expect("a provider with a capacity has slots");
        slots.pause_until(fate.begins);
        let ready = now.max(fate.begins);
        match slots.admit(capacity, now, fate.ends.since(ready), gives_up) {
            Admission::TurnedAway => Fate::turned_away(now, fate.hit),
            Admission::NeverServed => Fate::never_served(fate.hit),
            Admission::Starts(starts) => fate.later(starts.since(ready)),
        }
    }

    /// Whether a request that fails now is not tried again.
    pub(super) fn is_last(&self, request: &Request) -> bool {
        let gateway = &self.model.gateway;
        let retries = gateway.retry.as_ref().map_or(0, |retry| retry.attempts);
        let steps = gateway.fallback.map_or(0, |fallback| {
            fallback.max.min(gateway.route.node(ROOT).pick.children().len().saturating_sub(1) as u32)
        });
        request.retries >= retries && request.fallbacks >= steps
    }

    /// Whether a request that succeeds would have been lost to a fault where it would have gone without the switches.
    pub(super) fn is_saved_by_hand(&mut self, now: SimTime, request: &Request, provider: ProviderId) -> bool {
        let nothing = Switches::default();
        let unswitched = self.router(now, request, &nothing).choose_in(ROOT);
        match unswitched.place {
            Some(place) if place.provider == provider => false,
            Some(place) => {
                let mut other = Request { attempts: request.attempts.saturating_sub(1), ..*request };
                let key = self.attempt_key(&mut other, place.provider);
                let seen = self.seen(now, &other, place.provider, key, false);
                let stage = self.stage(now, request.replica, place.provider, unswitched, seen.hit);
                // A quiet error elsewhere is luck, not something that a hand saves from.
                (seen.answer != Answer::Good || seen.is_truncated) && stage != Stage::Background
            }
            None => true,
        }
    }

    pub(super) fn on_hedge_due(&mut self, now: SimTime, ordinal: u64, slot: Slot) {
        let Some(request) = self.requests_in_flight.get_mut(slot) else { return };
        let is_slow = request.ordinal == ordinal && request.running > 0 && request.next == Next::Nothing;
        if !is_slow || self.model.gateway.hedge.is_none_or(|hedge| request.hedges >= hedge.max.get()) {
            return;
        }
        request.hedges += 1;
        let mut elsewhere = *request;
        for attempt in self.attempts.slots() {
            if let Some(attempt) = self.attempts.get(attempt).filter(|attempt| attempt.ordinal == ordinal) {
                elsewhere.spent.add(attempt.place.node);
            }
        }
        let choice = self.choose(now, &elsewhere, ROOT);
        if let Some(place) = choice.place {
            self.send(now, slot, place, choice);
        }
    }

    pub(super) fn on_attempt_end(&mut self, now: SimTime, slot: Slot) {
        let Some(attempt) = self.attempts.take(slot) else { return };
        let Attempt { replica, place, seen, .. } = attempt;
        let request = self.requests_in_flight.get(attempt.request);
        let is_its = |r: &Request| r.ordinal == attempt.ordinal && r.client_retries == attempt.call;
        let is_wanted = request.is_some_and(is_its);
        if self.learns {
            let (latency, good) = (now.since(attempt.sent), seen.answer == Answer::Good);
            self.learned[replica as usize].on_ended(self.model, now, place, latency, good);
        }
        // An attempt whose request has ended without it was cancelled, and says nothing.
        let answer = if is_wanted { seen.answer } else { Answer::Abandoned };
        let ended = Ended { sent: attempt.sent, ended: now, answer, retry_after: seen.retry_after };
        self.settle_budget(replica, &attempt, answer);
        if !self.model.gateway.detectors.is_empty() {
            let owner = self.owner_of(replica);
            self.detectors_on_ended(owner, place.provider, Judges::Attempts, &ended);
        }
        if !is_wanted {
            return;
        }
        if R::NEEDS_ATTEMPTS {
            self.recorder.attempt_ended(&AttemptEnd {
                request: attempt.ordinal,
                number: attempt.number,
                provider: place.provider,
                sent: attempt.sent,
                ended: now,
                answer,
            });
        }
        let slot = attempt.request;
        self.request(slot).running -= 1;
        if seen.answer == Answer::Good {
            self.judge_provider(replica, place.provider, &ended);
            let request = self.requests_in_flight.take(slot).expect("it is wanted");
            self.settle_client_budget(&request, true);
            let ending = match seen.is_truncated {
                false => Ending::Succeeded,
                true => Ending::Failed(Cause::Truncated, attempt.stage),
            };
            let (provider, hand) = (Some(place.provider), attempt.saved_by_hand);
            return self.report(&request, provider, now, ending, seen.answer, hand);
        }
        self.request(slot).failure = Some(attempt.failure());
        // While a parallel attempt runs, it may still turn out well.
        if self.request(slot).running > 0 && answer != Answer::Abandoned {
            return;
        }
        self.after_failure(now, slot, &attempt, &ended);
    }

    /// A provider's part in a request is over.
    pub(super) fn judge_provider(&mut self, replica: u32, provider: ProviderId, ended: &Ended) {
        if !self.model.gateway.detectors.is_empty() {
            let owner = self.owner_of(replica);
            self.detectors_on_ended(owner, provider, Judges::AfterRetries, ended);
        }
    }
}
