//! Requests that go well: the first attempt gives a good answer, and nothing comes between.
//!
//! Nothing but speed. Such a request needs no record of what it has behind it, nor its attempt one of what it may come
//! to. [`super::request`] and [`super::attempt`] would come to the same, with the same events in the same order.

use super::breaker::Ended;
use super::recorder::{Ending, Recorder, RequestEnd};
use super::request::{Asked, Tries};
use super::routing::{Place, ROOT, Spent};
use super::slab::Slot;
use super::{Event, Simulation, detour};
use crate::model::{Answer, Model, OnEjection};
use crate::time::SimTime;

/// A request that goes well, while its attempt runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Smooth {
    arrived: SimTime,
    replica: u32,
    place: Place,
    saved_by_hand: bool,
}

/// Whether requests may be kept like this: nothing in the gateway looks for what is in flight, to end it early or to send
/// it to others as well, and to ask what becomes of an attempt leaves no trace, so that it may be asked again.
pub(super) fn is_possible<R: Recorder>(model: &Model) -> bool {
    let gateway = &model.gateway;
    let is_left_alone =
        gateway.hedge.is_none() && gateway.on_ejection == OnEjection::Drain && gateway.faults.is_empty();
    let is_at_once = !detour::exists(model) && gateway.limit.is_none() && gateway.cache.is_none();
    let leaves_no_trace =
        model.quotas.is_empty() && model.providers.iter().all(|p| p.capacity.is_none() && p.cold.is_none());
    let is_on_its_own = !(R::TAKES_BILLS && model.has_prompt_caches());
    is_left_alone && is_at_once && leaves_no_trace && is_on_its_own && !R::NEEDS_ATTEMPTS
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// Sends a request that has just arrived, if it goes well; if not, nothing has happened.
    #[inline]
    pub(super) fn goes_well(&mut self, now: SimTime, asked: &Asked) -> bool {
        let choice = self.choose(now, asked, Spent::default(), 0, ROOT);
        let Some(place) = choice.place else { return false };
        let draw = Tries::default().next(place.provider, 0);
        let tried = self.try_at(now, asked, place.provider, draw, self.is_last(0, 0), choice);
        // What takes longer than any run has no end.
        if !tried.is_good() || tried.seen.ends == SimTime::NEVER {
            return false;
        }
        if self.bills {
            self.bill_looked_at(asked, place.provider, tried.seen.ends, true, 1);
        }
        let replica = asked.replica;
        self.begin_call(now, replica);
        self.note_sent(now, replica, place, true);
        let smooth = Smooth { arrived: now, replica, place, saved_by_hand: tried.saved_by_hand };
        let slot = self.smooth.insert(smooth);
        self.queue.push(tried.seen.ends, Event::SmoothEnds { request: asked.ordinal, slot });
        true
    }

    pub(super) fn on_smooth_ends(&mut self, now: SimTime, ordinal: u64, slot: Slot) {
        let smooth = self.smooth.take(slot).expect("nothing ends it before its time");
        let Smooth { arrived, replica, place, saved_by_hand } = smooth;
        let answer = Answer::Good;
        let ended = Ended { sent: arrived, ended: now, answer, retry_after: None };
        self.note_ended(replica, place, answer, None, &ended, true);
        self.judge_provider(replica, place.provider, &ended);
        self.inside[replica as usize] -= 1;
        self.settle_client_budget(None, answer);
        self.report_end(&RequestEnd {
            ordinal,
            replica,
            arrived,
            ended: now,
            provider: Some(place.provider),
            attempts: 1,
            ending: Ending::Succeeded,
            status: None,
            saved_by_hand,
        });
    }

    /// How many requests have not ended.
    pub(super) fn in_flight(&self) -> usize {
        self.requests_in_flight.len() + self.smooth.len()
    }
}
