//! Attempts: how one is sent, what the gateway sees of it, and what its end means for its request.

use super::breaker::Ended;
use super::budget::Grant;
use super::call::Seen;
use super::recorder::{AttemptEnd, Candidate, Cause, EjectedBy, Ending, Recorder, Stage};
use super::request::{Asked, Failed, Next, Request};
use super::routing::{Choice, Place, ROOT, Spent, Switches};
use super::slab::Slot;
use super::stack::Record;
use super::world::{Fate, Reply, Service};
use super::{Event, Simulation};
use crate::model::{Answer, Demand, Judges, ProviderId, RetryTo, Timeouts};
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

/// What becomes of an attempt, and what recorders want to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    pub seen: Seen,
    pub stage: Stage,
    pub saved_by_hand: bool,
}

impl Tried {
    /// Whether the client gets a complete good answer.
    #[inline(always)]
    pub fn is_good(&self) -> bool {
        self.seen.answer == Answer::Good && !self.seen.is_truncated
    }
}

impl Attempt {
    fn failure(&self) -> Failed {
        let (provider, seen) = (Some(self.place.provider), self.seen);
        let Seen { answer, retry_after, .. } = seen;
        Failed { provider, answer, retry_after, cause: seen.cause(), stage: self.stage }
    }
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// Sends a request to a place.
    pub(super) fn send(&mut self, now: SimTime, slot: Slot, place: Place, choice: Choice) {
        let step = self.step_of(place.node);
        let request = self.request(slot);
        let asked = request.asked;
        let (number, call, grant) = (request.attempts, request.client_retries, request.grant.take());
        let (retries, fallbacks) = (request.retries, request.fallbacks);
        let draw = request.tries.next(place.provider, number);
        let is_elsewhere = fallbacks > 0 || request.running > 0 || !request.spent.is_empty();
        request.is_diverted = is_elsewhere || choice.first_choice != Some(place.provider);
        let is_diverted = request.is_diverted;
        request.attempts += 1;
        request.running += 1;
        request.step = step;
        let (running, hedges) = (request.running, request.hedges);
        let is_last = self.is_last(retries, fallbacks);
        let tried = self.try_at(now, &asked, place.provider, draw, is_last, choice);
        let Tried { seen, mut stage, saved_by_hand } = tried;
        if stage == Stage::OverQuota && is_diverted {
            stage = Stage::BackupOverQuota;
        }
        let waits_with = if self.has_limits { self.waits_at(place.provider) } else { None };
        let can_hedge = self.model.gateway.hedge.is_some_and(|hedge| hedges < hedge.max.get());
        if R::NEEDS_ATTEMPTS {
            if number == 0
                && let Some(demand) = self.demand(&asked)
            {
                self.recorder.asked_for(asked.ordinal, &demand);
            }
            let candidates = self.candidates(asked.replica);
            self.recorder.attempt_sent(asked.ordinal, number, place.provider, &candidates, now);
        }
        self.note_sent(now, asked.replica, place, retries == 0);
        // Nobody waits for a good end.
        if self.settles && seen.answer == Answer::Good && seen.ends < SimTime::NEVER {
            self.request(slot).running -= 1;
            if self.bills {
                self.bill_looked_at(&asked, place.provider, seen.ends, true, 1);
            }
            return self.answer(slot, place.provider, &tried);
        }
        // What hangs for ever has no end to wait for.
        let never_ends = seen.ends == SimTime::NEVER && waits_with.is_none();
        if never_ends && !can_hedge && running == 1 && self.hangs_for_good {
            self.requests_in_flight.take(slot);
            if self.bills {
                self.bill_looked_at(&asked, place.provider, SimTime::NEVER, false, 1);
            }
            let (provider, good) = (Some(place.provider), Answer::Good);
            return self.report(&asked, number + 1, provider, seen.ends, Ending::Open, good, false);
        }
        let attempt = self.attempts.insert(Attempt {
            request: slot,
            ordinal: asked.ordinal,
            replica: asked.replica,
            place,
            number,
            sent: now,
            seen,
            is_cut_off: seen.ends == asked.cut_off && seen.answer != Answer::Good,
            stage,
            saved_by_hand,
            grant,
            call,
        });
        if let Some(fate) = waits_with {
            let stage = self.stage(now, asked.replica, place.provider, choice, fate.hit);
            let saved_by_hand =
                !self.switches.is_empty() && self.is_saved_by_hand(now, &asked, place.provider);
            let record = Record { attempt, number, stage, saved_by_hand };
            self.remember_waiting(place.provider, record);
        }
        self.queue.push(seen.ends, Event::AttemptEnds { request: asked.ordinal, slot: attempt });
        if self.bills {
            self.bill_later(now, &asked, attempt, place.provider, waits_with.is_some());
        }
        if let Some(hedge) = self.model.gateway.hedge.filter(|_| can_hedge) {
            let due = now.after(hedge.after);
            self.request(slot).hedge_at = due;
            self.queue.push(due, Event::HedgeDue { request: asked.ordinal, slot });
        }
    }

    /// What the gateway remembers of an attempt when it is sent; `is_first` of its request in this step.
    pub(super) fn note_sent(&mut self, now: SimTime, replica: u32, place: Place, is_first: bool) {
        let owner = self.owner_of(replica);
        self.has_traffic[owner as usize] = true;
        if self.learns {
            self.learned[replica as usize].on_sent(self.model, place);
        }
        if !self.model.gateway.detectors.is_empty() {
            let is_first = is_first || !self.retries_stay();
            self.detectors_on_sent(now, owner, place.provider, is_first);
        }
    }

    /// What a replica's routing sees at present.
    fn candidates(&self, replica: u32) -> Vec<Candidate> {
        let view = &self.views[replica as usize];
        let candidate = |&provider: &ProviderId| {
            let marks = view.marks(provider);
            Candidate {
                provider,
                admitted: view.is_admitted(provider),
                ejected_by: EjectedBy::new(marks.ejected),
            }
        };
        self.model.gateway.route.providers().iter().map(candidate).collect()
    }

    /// Sends an attempt; what becomes of it is decided here, by the world alone. Its draws belong to the request, the
    /// provider and `draw`, which try at that provider it is.
    #[inline(always)]
    pub(super) fn try_at(
        &mut self,
        now: SimTime,
        asked: &Asked,
        provider: ProviderId,
        draw: u64,
        is_last: bool,
        choice: Choice,
    ) -> Tried {
        let provider_key = self.world.provider_key(provider);
        let key = asked.key.joined(provider_key.numbered(draw));
        let latency = self.latencies.of(asked.ordinal, provider, provider_key, draw, key);
        let mut fate =
            self.world.attempt(provider, key, now, self.service(now, asked, provider, key, latency));
        if self.has_limits {
            fate = self.limited(now, asked, provider, fate, is_last);
        }
        if self.model.network.is_some() {
            fate = fate.later(self.trip_to(provider, asked));
        }
        if self.bills {
            self.ledger.looked_at = Some(fate);
        }
        let seen = self.seen(now, asked, fate, is_last);
        let is_good = seen.answer == Answer::Good && !seen.is_truncated;
        let stage = match is_good {
            true => Stage::Background,
            false => self.stage(now, asked.replica, provider, choice, seen.hit),
        };
        // What takes longer than any run saves nobody.
        let saved_by_hand = is_good
            && seen.ends < SimTime::NEVER
            && !self.switches.is_empty()
            && self.is_saved_by_hand(now, asked, provider);
        Tried { seen, stage, saved_by_hand }
    }

    /// How a healthy provider answers an attempt with this key, sent now, given its draw.
    #[inline(always)]
    fn service(
        &self,
        now: SimTime,
        asked: &Asked,
        provider: ProviderId,
        key: Key,
        drawn: SimDuration,
    ) -> Service {
        Service::of(self.model.provider(provider), drawn, |generation| {
            let demand = self.demand(asked);
            let (input, output) = demand.map_or((0, 0), |demand| (demand.input_tokens, demand.output_tokens));
            let of_run = self.run.joined(self.world.provider_key(provider));
            (generation.reads(input), generation.writes(output, key, of_run, now))
        })
    }

    /// What a request asks for; `None` where there are no classes.
    pub(super) fn demand(&self, asked: &Asked) -> Option<Demand> {
        self.model.traffic.demand(self.asker(asked), asked.key, asked.source)
    }

    /// The key that decides the class of a request: its user's, and its own where there are no users.
    pub(super) fn asker(&self, asked: &Asked) -> Key {
        match self.users {
            None => asked.key,
            Some(_) => self.requests.numbered(u64::from(asked.source)),
        }
    }

    /// What the gateway sees of an attempt sent now.
    #[inline(always)]
    pub(super) fn seen(&self, now: SimTime, asked: &Asked, fate: Fate, is_last: bool) -> Seen {
        let gives_up = asked.deadline.min(asked.cut_off);
        if self.is_patient && fate.reply == Reply::Good && fate.ends <= gives_up {
            return Seen::good(&fate, !self.model.gateway.timeouts.buffers);
        }
        let mut seen = Seen::of(fate, now, self.timeouts(is_last), gives_up);
        if seen.answer == Answer::Abandoned && asked.cut_off < asked.deadline {
            seen.answer = Answer::Timeout;
        }
        seen
    }

    /// The timers of an attempt.
    pub(super) fn timeouts(&self, is_last: bool) -> &Timeouts {
        if is_last { &self.last_timeouts } else { &self.model.gateway.timeouts }
    }

    /// Whether a request with so many retries and fallbacks behind it is not tried again if it fails now; asked only where
    /// it matters.
    #[inline]
    pub(super) fn is_last(&self, retries: u32, fallbacks: u32) -> bool {
        let gateway = &self.model.gateway;
        if !gateway.timeouts.spares_last {
            return false;
        }
        let most = gateway.retry.as_ref().map_or(0, |retry| retry.attempts);
        let steps = gateway.fallback.map_or(0, |fallback| {
            let others = gateway.route.node(ROOT).pick.children().len().saturating_sub(1);
            fallback.max.min(others as u32)
        });
        retries >= most && fallbacks >= steps
    }

    /// Whether a request that succeeds would have been lost to a fault where it would have gone without the switches.
    #[cold]
    fn is_saved_by_hand(&self, now: SimTime, asked: &Asked, provider: ProviderId) -> bool {
        let nothing = Switches::default();
        let unswitched = self.router(now, asked, Spent::default(), 0, &nothing).choose_in(ROOT);
        match unswitched.place {
            Some(place) if place.provider == provider => false,
            Some(place) => {
                let key = asked.key.joined(self.world.provider_key(place.provider).numbered(0));
                let latency = self.model.provider(place.provider).latency.draw(key);
                let service = self.service(now, asked, place.provider, key, latency);
                let fate = self.world.attempt(place.provider, key, now, service);
                let fate = fate.later(self.trip_to(place.provider, asked));
                let seen = self.seen(now, asked, fate, true);
                let stage = self.stage(now, asked.replica, place.provider, unswitched, seen.hit);
                // A quiet error elsewhere is luck, not something that a hand saves from.
                (seen.answer != Answer::Good || seen.is_truncated) && stage != Stage::Background
            }
            None => true,
        }
    }

    pub(super) fn on_hedge_due(&mut self, now: SimTime, ordinal: u64, slot: Slot) {
        let Some(request) = self.requests_in_flight.get_mut(slot) else { return };
        let is_slow = request.asked.ordinal == ordinal
            && request.hedge_at == now
            && request.running > 0
            && request.next == Next::Nothing;
        if !is_slow || self.model.gateway.hedge.is_none_or(|hedge| request.hedges >= hedge.max.get()) {
            return;
        }
        request.hedges += 1;
        let (asked, turn, mut spent) = (request.asked, request.attempts, request.spent);
        for attempt in self.attempts.slots() {
            if let Some(attempt) = self.attempts.get(attempt).filter(|attempt| attempt.ordinal == ordinal) {
                spent.add(attempt.place.node);
            }
        }
        let choice = self.choose(now, &asked, spent, turn, ROOT);
        if let Some(place) = choice.place {
            self.send(now, slot, place, choice);
        }
    }

    /// A provider is ejected, and the connections of what is in flight there are closed.
    pub(super) fn close_attempts(&mut self, now: SimTime, replica: u32, provider: ProviderId) {
        for slot in self.attempts.slots() {
            let Some(attempt) = self.attempts.get_mut(slot) else { continue };
            if attempt.replica == replica && attempt.place.provider == provider && attempt.seen.ends > now {
                attempt.seen = attempt.seen.closed(now);
                let request = attempt.ordinal;
                self.queue.push(now, Event::AttemptEnds { request, slot });
            }
        }
    }

    pub(super) fn on_attempt_end(&mut self, now: SimTime, ordinal: u64, slot: Slot) {
        // An attempt that was closed before its time has left its date behind.
        if self.attempts.get(slot).is_none_or(|a| a.ordinal != ordinal || a.seen.ends != now) {
            return;
        }
        let Some(attempt) = self.attempts.take(slot) else { return };
        let its_slot = slot;
        let Attempt { replica, place, seen, .. } = attempt;
        let request = self.requests_in_flight.get(attempt.request);
        let is_its = |r: &Request| r.asked.ordinal == attempt.ordinal && r.client_retries == attempt.call;
        let is_wanted = request.is_some_and(is_its);
        if self.bills {
            self.bill_attempt(its_slot, place.provider, now, is_wanted);
        }
        // An attempt whose request has ended without it was cancelled, and says nothing.
        let answer = if is_wanted { seen.answer } else { Answer::Abandoned };
        let ended = Ended { sent: attempt.sent, ended: now, answer, retry_after: seen.retry_after };
        self.note_ended(replica, place, seen.answer, attempt.grant, &ended, is_wanted);
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
            let Attempt { stage, saved_by_hand, .. } = attempt;
            return self.answer(slot, place.provider, &Tried { seen, stage, saved_by_hand });
        }
        self.request(slot).failure = Some(attempt.failure());
        // While a parallel attempt runs, it may still turn out well.
        if self.request(slot).running > 0 && answer != Answer::Abandoned {
            return;
        }
        self.after_failure(now, slot, &attempt, &ended);
    }

    /// A good answer, or what the gateway takes for one, goes to the client.
    fn answer(&mut self, slot: Slot, provider: ProviderId, tried: &Tried) {
        self.leave(tried.seen.ends, slot);
        let request = self.requests_in_flight.take(slot).expect("a request stays until it ends");
        if self.bills {
            if request.running > 0 {
                self.bill_left(tried.seen.ends, request.asked.ordinal);
            }
            if tried.is_good() {
                self.note_answer(tried.seen.ends, request.asked.key, provider);
            }
        }
        self.settle_client_budget(request.client_grant, Answer::Good);
        let Tried { seen, stage, saved_by_hand } = *tried;
        let ending = match seen.is_truncated {
            false => Ending::Succeeded,
            true => Ending::Failed(Cause::Truncated, stage),
        };
        let (asked, provider) = (&request.asked, Some(provider));
        self.report(asked, request.attempts, provider, seen.ends, ending, Answer::Good, saved_by_hand);
    }

    /// What the gateway learns when an attempt ends, whatever becomes of its request.
    pub(super) fn note_ended(
        &mut self,
        replica: u32,
        place: Place,
        answer: Answer,
        grant: Option<Grant>,
        ended: &Ended,
        is_wanted: bool,
    ) {
        if self.learns {
            let (latency, good) = (ended.ended.since(ended.sent), answer == Answer::Good);
            self.learned[replica as usize].on_ended(self.model, ended.ended, place, latency, good);
        }
        self.settle_budget(replica, grant, ended.answer);
        if !self.model.gateway.detectors.is_empty() {
            let owner = self.owner_of(replica);
            self.detectors_on_ended(owner, place.provider, Judges::Attempts, ended);
            if !self.retries_stay() || !is_wanted {
                self.detectors_on_ended(owner, place.provider, Judges::AfterRetries, ended);
            }
        }
    }

    /// Whether retries stay at their provider, so that its part in a request is over only after them.
    fn retries_stay(&self) -> bool {
        self.model.gateway.retry.as_ref().is_some_and(|retry| retry.to == RetryTo::Same)
    }

    /// A provider's part in a request is over.
    pub(super) fn judge_provider(&mut self, replica: u32, provider: ProviderId, ended: &Ended) {
        if self.retries_stay() && !self.model.gateway.detectors.is_empty() {
            let owner = self.owner_of(replica);
            self.detectors_on_ended(owner, provider, Judges::AfterRetries, ended);
        }
    }
}
