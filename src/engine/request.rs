//! A request's life: it arrives, is sent to a provider as an attempt, and ends.
//!
//! A request is what a client wants; an attempt is one try of it at one provider. One attempt is made today, and when it
//! ends, so does its request: whatever tries again belongs in [`Simulation::on_attempt_end`].

use super::call::Seen;
use super::recorder::{Cause, Ending, Recorder, RequestEnd, Stage};
use super::routing::{Choice, Switches, choose};
use super::{Event, Path, Simulation};
use crate::model::{Answer, Pick, ProviderId};
use crate::random::Key;
use crate::time::SimTime;

const REPLICA: Key = Key::purpose("replica");

/// A request that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    ordinal: u64,
    key: Key,
    replica: u32,
    arrived: SimTime,
    /// When its client gives up.
    deadline: SimTime,
}

/// One try of a request at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt {
    request: Request,
    provider: ProviderId,
    sent: SimTime,
    /// What becomes of it, if it is cut off at the request's deadline. Known to the world; the gateway learns it when the
    /// attempt ends.
    fate: Seen,
    /// In which stage of the incident the request is lost, should the attempt fail. For the recorder.
    stage: Stage,
    /// Whether it succeeds only because somebody has switched by hand. For the recorder.
    saved_by_hand: bool,
}

impl<R: Recorder> Simulation<'_, '_, R> {
    #[inline]
    pub(super) fn on_arrival(&mut self, now: SimTime) {
        let ordinal = self.arrived;
        self.arrived += 1;
        let key = self.requests.numbered(ordinal);
        let replicas = self.model.gateway.replicas.get();
        let replica =
            if replicas == 1 { 0 } else { (key.joined(REPLICA).unit() * f64::from(replicas)) as u32 };
        let deadline = self.model.traffic.client_timeout.map_or(SimTime::NEVER, |t| now.after(t));
        let request = Request { ordinal, key, replica, arrived: now, deadline };
        let choice = choose(&self.model.gateway, &self.views[replica as usize], &self.switches, key);
        match choice.provider {
            Some(provider) => self.send(now, request, provider, choice),
            None => {
                let stage = self.stage_without_provider(now, replica);
                self.finish(&request, None, now, Ending::Failed(Cause::NoProvider, stage), None, false);
            }
        }
    }

    #[inline(always)]
    fn send(&mut self, now: SimTime, request: Request, provider: ProviderId, choice: Choice) {
        let fate = self.fate(now, &request, provider);
        let is_good = fate.answer == Answer::Good;
        let attempt = Attempt {
            request,
            provider,
            sent: now,
            fate,
            stage: if is_good {
                Stage::Background
            } else {
                self.stage(now, request.replica, choice, fate.hit)
            },
            saved_by_hand: is_good
                && !self.switches.is_empty()
                && self.is_saved_by_hand(now, &request, provider),
        };
        // What hangs for ever has no end to wait for.
        if self.path == Path::Plain && fate.ends < SimTime::NEVER {
            let slot = self.in_flight.insert(attempt);
            self.queue.push(fate.ends, Event::AttemptEnds { request: request.ordinal, slot });
        } else {
            self.on_attempt_end(&attempt);
        }
    }

    /// What becomes of a request's first attempt at a provider. Its draws belong to the request, the provider and which
    /// try at that provider it is.
    #[inline(always)]
    fn fate(&self, now: SimTime, request: &Request, provider: ProviderId) -> Seen {
        let key = request.key.joined(self.world.provider_key(provider).numbered(0));
        Seen::of(self.world.attempt(provider, key, now), now, &self.model.gateway.timeouts, request.deadline)
    }

    /// Whether a request that succeeds would have been lost to a fault where it would have gone without the switches.
    fn is_saved_by_hand(&self, now: SimTime, request: &Request, provider: ProviderId) -> bool {
        let view = &self.views[request.replica as usize];
        let unswitched = choose(&self.model.gateway, view, &Switches::default(), request.key);
        match unswitched.provider {
            Some(other) if other == provider => false,
            Some(other) => {
                let fate = self.fate(now, request, other);
                let stage = self.stage(now, request.replica, unswitched, fate.hit);
                // A quiet error elsewhere is luck, not something that a hand saves from.
                fate.answer != Answer::Good && stage != Stage::Background
            }
            None => true,
        }
    }

    #[inline(always)]
    pub(super) fn on_attempt_end(&mut self, attempt: &Attempt) {
        let Attempt { request, provider, sent, fate, stage, saved_by_hand } = attempt;
        if let Pick::LowestLatency(_, lowest) = &self.model.gateway.route.nodes()[0].pick
            && fate.ends < SimTime::NEVER
        {
            let view = &mut self.views[request.replica as usize];
            view.observe(lowest, *provider, fate.ends.since(*sent), fate.answer == Answer::Good);
        }
        let failed = |cause| Ending::Failed(cause, *stage);
        let (ending, status) = match fate.answer {
            Answer::Good => (Ending::Succeeded, None),
            Answer::Status(code) => (failed(Cause::Status), Some(code)),
            Answer::Refused => (failed(Cause::Refused), None),
            Answer::ConnectionLost => (failed(Cause::InFlightAtOnset), None),
            _ if fate.ends == SimTime::NEVER => (Ending::Open, None),
            _ => (failed(Cause::Timeout), None),
        };
        self.finish(request, Some(*provider), fate.ends, ending, status, *saved_by_hand);
    }

    #[inline(always)]
    fn finish(
        &mut self,
        request: &Request,
        provider: Option<ProviderId>,
        ended: SimTime,
        ending: Ending,
        status: Option<u16>,
        saved_by_hand: bool,
    ) {
        self.ended += 1;
        self.recorder.request_ended(&RequestEnd {
            ordinal: request.ordinal,
            replica: request.replica,
            arrived: request.arrived,
            ended,
            provider,
            attempts: u32::from(provider.is_some()),
            ending,
            status,
            saved_by_hand,
        });
    }
}
