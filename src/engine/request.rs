//! A request's life: its client asks, it is routed and sent to a provider as an attempt, and when the attempt fails it may
//! be tried again, fall back, or fail; a client whose request failed may ask again.
//!
//! A request is what a client wants; an attempt is one try of it at one provider.

use super::attempt::Tried;
use super::budget::Grant;
use super::queue::REQUEST_BITS;
use super::recorder::{Cause, Ending, Recorder, RequestEnd, Stage};
use super::routing::{Choice, Place, ROOT, Router, Spent, Switches};
use super::slab::Slot;
use super::{Event, Simulation};
use crate::model::{AllEjected, Answer, NodeId, ProviderId};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

pub(super) const REPLICA: Key = Key::purpose("replica");

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// Its place in the order of arrival.
    pub ordinal: u64,
    pub key: Key,
    pub replica: u32,
    /// Which user asks, or which row of a trace it is, where that matters.
    pub source: u32,
    pub arrived: SimTime,
    /// When the client gives up on its present call.
    pub deadline: SimTime,
    /// When the gateway gives up on it.
    pub cut_off: SimTime,
}

/// A request that has not ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub asked: Asked,
    /// Whether the gateway has it at present: not while its client waits to ask again.
    pub is_inside: bool,
    /// Whether it counts among those that its replica has let in.
    pub is_let_in: bool,
    /// Attempts made for it, and those that run.
    pub attempts: u32,
    pub running: u32,
    /// What it has behind it in the present call: nodes of the route, retries in this step of it, fallbacks and parallel
    /// attempts in all.
    pub spent: Spent,
    pub step: NodeId,
    pub retries: u32,
    pub fallbacks: u32,
    pub hedges: u32,
    /// Whether its last attempt went elsewhere than its first choice.
    pub is_diverted: bool,
    /// When its last attempt has taken so long that a parallel one is due.
    pub hedge_at: SimTime,
    /// How often its client has asked again.
    pub client_retries: u32,
    /// The wait before the last retry, and before its client last asked again.
    pub waited: SimDuration,
    pub client_waited: SimDuration,
    /// What the last retry, and the client's last, got from its budget.
    pub grant: Option<Grant>,
    pub client_grant: Option<Grant>,
    /// How the last attempt failed; `None` before that.
    pub failure: Option<Failed>,
    pub next: Next,
    /// When `next` is due.
    pub next_at: SimTime,
    pub tries: Tries,
}

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The end of an attempt.
    Nothing,
    /// To come to the gateway.
    Enter,
    /// To be tried again where it was.
    Same(Place),
    /// To be tried again wherever the route says, in this step of it.
    Anywhere,
    /// To go on without another try in this step.
    GoOn,
    /// To be let in, or to be turned away.
    LetIn,
    /// To come in, having been called.
    ComeIn,
    /// To be answered from the cache.
    Cached,
    /// For a provider to be admitted, or to be given up.
    Admission,
    /// To be given up.
    GiveUp,
    /// To be asked again by its client.
    AskAgain,
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed {
    pub provider: Option<ProviderId>,
    pub answer: Answer,
    /// The Retry-After that came with it.
    pub retry_after: Option<SimDuration>,
    pub cause: Cause,
    pub stage: Stage,
}

/// How often each of the first 16 providers was tried, four bits for each: an attempt's draws belong to which try at its
/// provider it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tries(u64);

impl Tries {
    /// The number of this try, which differs from that of all tries before.
    pub fn next(&mut self, provider: ProviderId, attempts: u32) -> u64 {
        let shift = 4 * provider.index() as u64;
        if shift >= 64 || self.0 >> shift & 15 == 15 {
            return 16 + u64::from(attempts);
        }
        let number = self.0 >> shift & 15;
        self.0 += 1 << shift;
        number
    }
}

impl Request {
    fn new(asked: Asked) -> Self {
        Request {
            asked,
            is_inside: false,
            is_let_in: false,
            attempts: 0,
            running: 0,
            spent: Spent::default(),
            step: ROOT,
            retries: 0,
            fallbacks: 0,
            hedges: 0,
            is_diverted: false,
            hedge_at: SimTime::NEVER,
            client_retries: 0,
            waited: SimDuration::ZERO,
            client_waited: SimDuration::ZERO,
            grant: None,
            client_grant: None,
            failure: None,
            next: Next::Nothing,
            next_at: SimTime::NEVER,
            tries: Tries::default(),
        }
    }

    /// Whether a replica has it, be it at the door.
    pub fn is_at_gateway(&self) -> bool {
        self.is_inside || matches!(self.next, Next::LetIn | Next::ComeIn)
    }
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// The next request arrives.
    #[inline]
    pub(super) fn on_arrival(&mut self, now: SimTime) {
        let asked = self.asked(now, self.arrived, self.requests.numbered(self.arrived));
        self.arrived += 1;
        match self.settles {
            true => self.settle(now, asked),
            false => self.begin(now, asked),
        }
    }

    /// What the client of this request, which arrives now, asks for.
    #[inline(always)]
    pub(super) fn asked(&self, now: SimTime, ordinal: u64, key: Key) -> Asked {
        let replicas = self.model.gateway.replicas.get();
        let mut replica =
            if replicas == 1 { 0 } else { (key.joined(REPLICA).unit() * f64::from(replicas)) as u32 };
        let is_down = self.down.is_down(replica);
        if is_down {
            replica = self.down.stand_in(replica).unwrap_or(replica);
        }
        let (deadline, cut_off) = self.timers(now);
        let source = self.arrivals.row(ordinal);
        Asked { ordinal, key, replica, source, arrived: now, deadline, cut_off }
    }

    /// A request comes to the gateway, and what becomes of it will be told by events.
    pub(super) fn begin(&mut self, now: SimTime, asked: Asked) {
        assert!(asked.ordinal < 1 << REQUEST_BITS, "fewer than 2^{REQUEST_BITS} requests in a run");
        if let Some(client) = &self.model.traffic.client_retry
            && let (Some(budget), Some(state)) = (&client.budget, &mut self.client_budget)
        {
            state.on_request(budget, now);
        }
        if self.has_smooth && self.goes_well(now, &asked) {
            return;
        }
        let slot = self.requests_in_flight.insert(Request::new(asked));
        self.call_gateway(now, slot);
    }

    /// A client calls the gateway, for the first time or again.
    fn call_gateway(&mut self, now: SimTime, slot: Slot) {
        if self.has_detour {
            self.approach(now, slot);
        } else {
            self.reach(now, slot);
        }
    }

    /// When the client, and when the gateway, gives up on a call that begins.
    #[inline(always)]
    fn timers(&self, now: SimTime) -> (SimTime, SimTime) {
        let after = |timeout: Option<SimDuration>| timeout.map_or(SimTime::NEVER, |t| now.after(t));
        (after(self.model.traffic.client_timeout), after(self.model.gateway.timeouts.request))
    }

    /// Decides a request when it arrives, unless it is to be tried again.
    #[inline(always)]
    fn settle(&mut self, now: SimTime, asked: Asked) {
        let choice = self.choose(now, &asked, Spent::default(), 0, ROOT);
        let Some(Place { provider, .. }) = choice.place else {
            if self.tries_again {
                return self.begin(now, asked);
            }
            let ending = self.ending_without_provider(now, asked.replica);
            return self.report(&asked, 0, None, now, ending, Answer::Good, false);
        };
        let (sent, ending) = self.first_try(now, &asked, provider, choice);
        if self.tries_again && matches!(ending, Ending::Failed(..)) && sent.seen.answer != Answer::Good {
            return self.begin(now, asked);
        }
        if self.bills {
            self.bill_looked_at(&asked, provider, sent.seen.ends, ending == Ending::Succeeded, 1);
        }
        let owner = self.owner_of(asked.replica);
        self.has_traffic[owner as usize] = true;
        let (answer, hand) = (sent.seen.answer, sent.saved_by_hand);
        self.report(&asked, 1, Some(provider), sent.seen.ends, ending, answer, hand);
    }

    /// What becomes of a request's first attempt, and of the request if it stays the only one.
    #[inline(always)]
    pub(super) fn first_try(
        &mut self,
        now: SimTime,
        asked: &Asked,
        provider: ProviderId,
        choice: Choice,
    ) -> (Tried, Ending) {
        let draw = Tries::default().next(provider, 0);
        let is_last = self.is_last(0, 0);
        let sent = self.try_at(now, asked, provider, draw, is_last, choice);
        let ending = match sent.seen.answer {
            _ if sent.seen.ends == SimTime::NEVER => Ending::Open,
            Answer::Good if !sent.seen.is_truncated => Ending::Succeeded,
            _ => Ending::Failed(sent.seen.cause(), sent.stage),
        };
        (sent, ending)
    }

    /// How a request ends that the gateway has no provider for.
    pub(super) fn ending_without_provider(&self, now: SimTime, replica: u32) -> Ending {
        Ending::Failed(Cause::NoProvider, self.stage_without_provider(now, replica))
    }

    /// A call reaches the gateway.
    pub(super) fn enter(&mut self, now: SimTime, slot: Slot) {
        match &self.model.gateway.limit {
            None => self.come_in(now, slot),
            Some(limit) => self.knock(now, slot, limit),
        }
    }

    /// A call is inside, and is routed.
    pub(super) fn come_in(&mut self, now: SimTime, slot: Slot) {
        let request = self.request(slot);
        request.is_inside = true;
        let replica = request.asked.replica;
        self.begin_call(now, replica);
        if !self.is_cached(now, slot) {
            self.route(now, slot, ROOT);
        }
    }

    /// What a replica notes of a call that reaches it.
    pub(super) fn begin_call(&mut self, now: SimTime, replica: u32) {
        self.inside[replica as usize] += 1;
        if let Some(retry) = &self.model.gateway.retry
            && let (Some(budget), Some(state)) = (&retry.budget, self.budgets.get_mut(replica as usize))
        {
            state.on_request(budget, now);
        }
    }

    /// A call leaves the gateway.
    pub(super) fn leave(&mut self, now: SimTime, slot: Slot) {
        let request = self.request(slot);
        let replica = request.asked.replica;
        let was_let_in = std::mem::take(&mut request.is_let_in);
        if std::mem::take(&mut request.is_inside) {
            self.inside[replica as usize] -= 1;
        }
        if was_let_in {
            self.call_in_next(now, replica);
        }
    }

    pub(super) fn request(&mut self, slot: Slot) -> &mut Request {
        self.requests_in_flight.get_mut(slot).expect("a request stays until it ends")
    }

    #[inline(always)]
    pub(super) fn router<'a>(
        &'a self,
        now: SimTime,
        asked: &Asked,
        spent: Spent,
        turn: u32,
        switches: &'a Switches,
    ) -> Router<'a> {
        let replica = asked.replica as usize;
        Router {
            model: self.model,
            view: &self.views[replica],
            learned: &self.learned[replica],
            switches,
            tariffs: &self.tariffs,
            spent,
            now,
            key: asked.key,
            asker: self.asker(asked),
            turn: u64::from(turn),
        }
    }

    #[inline(always)]
    pub(super) fn choose(
        &self,
        now: SimTime,
        asked: &Asked,
        spent: Spent,
        turn: u32,
        node: NodeId,
    ) -> Choice {
        let router = self.router(now, asked, spent, turn, &self.switches);
        if node == ROOT { router.choose() } else { router.choose_in(node) }
    }

    /// Whether a request could be sent somewhere in a part of the route.
    pub(super) fn can_serve(&self, now: SimTime, request: &Request, spent: Spent, node: NodeId) -> bool {
        self.router(now, &request.asked, spent, request.attempts, &self.switches).can_serve(node)
    }

    /// Sends the request to whoever a part of the route says, or goes on if nobody can take it.
    pub(super) fn route(&mut self, now: SimTime, slot: Slot, node: NodeId) {
        let request = self.requests_in_flight.get(slot).expect("a request stays until it ends");
        let choice = self.choose(now, &request.asked, request.spent, request.attempts, node);
        match choice.place {
            Some(place) => self.send(now, slot, place, choice),
            None if request.failure.is_some() => self.go_on(now, slot),
            None if self.model.gateway.all_ejected == AllEjected::Wait => {
                let asked = request.asked;
                self.waiting[asked.replica as usize].push_back(slot);
                self.wait(slot, Next::Admission, asked.deadline.min(asked.cut_off));
            }
            None => self.fail_without_provider(now, slot),
        }
    }

    fn fail_without_provider(&mut self, now: SimTime, slot: Slot) {
        let replica = self.request(slot).asked.replica;
        let stage = self.stage_without_provider(now, replica);
        let (answer, cause) = (Answer::Status(503), Cause::NoProvider);
        let failure = Failed { provider: None, answer, retry_after: None, cause, stage };
        self.request(slot).failure = Some(failure);
        self.fail(now, slot);
    }

    /// A provider was admitted: those who waited for one are routed, in the order in which they came.
    pub(super) fn release_waiting(&mut self, now: SimTime, replica: u32) {
        for slot in std::mem::take(&mut self.waiting[replica as usize]) {
            self.wait(slot, Next::Nothing, SimTime::NEVER);
            self.route(now, slot, ROOT);
        }
    }

    /// A request no longer waits for a provider. Those who have waited longest give up first, so it is found soon.
    fn leave_waiting(&mut self, slot: Slot) {
        let replica = self.request(slot).asked.replica as usize;
        let waiting = &mut self.waiting[replica];
        let place =
            waiting.iter().position(|waits| *waits == slot).expect("what waits for a provider is listed");
        waiting.remove(place);
    }

    pub(super) fn wait(&mut self, slot: Slot, next: Next, until: SimTime) {
        let request = self.request(slot);
        (request.next, request.next_at) = (next, until);
        let ordinal = request.asked.ordinal;
        self.queue.push(until, Event::WaitEnds { request: ordinal, slot });
    }

    pub(super) fn on_wait_ends(&mut self, now: SimTime, ordinal: u64, slot: Slot) {
        let Some(request) = self.requests_in_flight.get_mut(slot) else { return };
        if request.asked.ordinal != ordinal || request.next_at != now {
            return;
        }
        let next = std::mem::replace(&mut request.next, Next::Nothing);
        request.next_at = SimTime::NEVER;
        let step = request.step;
        match next {
            Next::Nothing => {}
            Next::Enter => self.reach(now, slot),
            Next::LetIn => self.on_not_let_in(now, slot),
            Next::ComeIn => self.come_in(now, slot),
            Next::Cached => self.answer_from_cache(now, slot),
            Next::Same(place) => {
                let first_choice = Some(place.provider).filter(|_| !self.request(slot).is_diverted);
                let choice = Choice { place: Some(place), first_choice };
                self.send(now, slot, place, choice);
            }
            Next::Anywhere => self.route(now, slot, step),
            Next::GoOn => self.go_on(now, slot),
            Next::GiveUp => self.give_up(now, slot),
            Next::Admission => {
                self.leave_waiting(slot);
                self.give_up(now, slot);
            }
            Next::AskAgain => {
                let mut request = *self.request(slot);
                (request.asked.deadline, request.asked.cut_off) = self.timers(now);
                request.spent = Spent::default();
                (request.step, request.retries, request.fallbacks, request.hedges) = (ROOT, 0, 0, 0);
                (request.waited, request.failure) = (SimDuration::ZERO, None);
                *self.request(slot) = request;
                self.call_gateway(now, slot);
            }
        }
    }

    /// The client, or the gateway itself, gives up on a request that waits.
    fn give_up(&mut self, now: SimTime, slot: Slot) {
        let replica = self.request(slot).asked.replica;
        let stage = match self.request(slot).is_inside {
            true => self.stage_without_provider(now, replica),
            // It never came to the gateway.
            false => Stage::Background,
        };
        let request = self.request(slot);
        let is_client = request.asked.deadline <= now;
        let answer = if is_client { Answer::Abandoned } else { Answer::Timeout };
        let (provider, stage) = request.failure.map_or((None, stage), |f| (f.provider, f.stage));
        let cause = Cause::Timeout;
        request.failure = Some(Failed { provider, answer, retry_after: None, cause, stage });
        self.fail(now, slot);
    }

    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "all that there is to say of a request's end")]
    pub(super) fn report(
        &mut self,
        asked: &Asked,
        attempts: u32,
        provider: Option<ProviderId>,
        ended: SimTime,
        ending: Ending,
        answer: Answer,
        saved_by_hand: bool,
    ) {
        self.report_end(&RequestEnd {
            ordinal: asked.ordinal,
            replica: asked.replica,
            arrived: asked.arrived,
            ended: if self.has_detour { self.arrives_back(asked, ended) } else { ended },
            provider,
            attempts,
            ending,
            status: match answer {
                Answer::Status(code) if provider.is_some() => Some(code),
                _ => None,
            },
            saved_by_hand,
        });
    }

    #[inline(always)]
    pub(super) fn report_end(&mut self, end: &RequestEnd) {
        self.ended += 1;
        if self.has_alerts {
            self.alerts.note(end.ending);
        }
        self.recorder.request_ended(end);
        if let Some(users) = &mut self.users {
            users.on_end(end);
        }
    }
}
