//! The way of a call from its client through the gateway and back: half a round trip in each direction, and what the
//! gateway itself takes before it routes.
//!
//! The rest of the engine lives on the gateway's side. There, a call comes later than its client sent it, its client gives
//! up sooner, as an answer has to travel too, and only what is reported is what the client sees.

use super::Simulation;
use super::recorder::Recorder;
use super::request::{Asked, Next};
use super::slab::Slot;
use crate::model::{Model, ProviderId, RoundTrips};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

const OVERHEAD: Key = Key::purpose("gateway overhead");

/// Whether calls are routed later than their clients send them.
pub(super) fn exists(model: &Model) -> bool {
    let is_far = |trips: &RoundTrips| trips.to_gateway > SimDuration::ZERO;
    model.gateway.overhead.is_some() || model.network.as_ref().is_some_and(|n| n.requests.iter().any(is_far))
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// The round trips of a request; `None` where the network takes no time.
    #[inline]
    fn round_trips(&self, asked: &Asked) -> Option<&RoundTrips> {
        let of_classes = &self.model.network.as_ref()?.requests;
        Some(match of_classes.as_slice() {
            [all] => all,
            _ => &of_classes[self.model.traffic.class_of(self.asker(asked))],
        })
    }

    /// What the network adds to an attempt: a round trip.
    ///
    /// A provider does with an attempt what it does with one at the moment when it is sent, so attempts come to it in the
    /// order in which they are sent; what comes of it, comes a round trip later.
    pub(super) fn trip_to(&self, provider: ProviderId, asked: &Asked) -> SimDuration {
        self.round_trips(asked).map_or(SimDuration::ZERO, |trips| trips.to_providers[provider.index()])
    }

    /// The same for a probe.
    pub(super) fn probe_trip_to(&self, provider: ProviderId) -> SimDuration {
        let network = self.model.network.as_ref();
        network.map_or(SimDuration::ZERO, |network| network.probes[provider.index()])
    }

    /// A client asks: its call comes to the gateway, and is routed, later. One whose client gives up before is lost.
    pub(super) fn approach(&mut self, now: SimTime, slot: Slot) {
        let request = self.request(slot);
        let (asked, call) = (request.asked, request.client_retries);
        let (forth, back) = self.ways(&asked);
        let overhead = self.model.gateway.overhead.map_or(SimDuration::ZERO, |overhead| {
            overhead.draw(asked.key.joined(OVERHEAD).numbered(u64::from(call)))
        });
        let request = self.request(slot);
        if asked.deadline < SimTime::NEVER {
            request.asked.deadline = asked.deadline.before(back);
        }
        request.asked.cut_off = asked.cut_off.after(forth);
        self.plan(now, slot, Next::Enter, forth.plus(overhead));
    }

    /// A call has come to its replica, or to another one that takes its place.
    pub(super) fn reach(&mut self, now: SimTime, slot: Slot) {
        let replica = self.request(slot).asked.replica;
        let stand_in = if self.down.is_down(replica) { self.down.stand_in(replica) } else { None };
        self.request(slot).asked.replica = stand_in.unwrap_or(replica);
        if self.down.is_down(stand_in.unwrap_or(replica)) {
            self.lose_with_replica(now, slot);
        } else {
            self.enter(now, slot);
        }
    }

    /// When the client has what the gateway gives it at `given`.
    pub(super) fn arrives_back(&self, asked: &Asked, given: SimTime) -> SimTime {
        given.after(self.way_back(asked))
    }

    /// How long the gateway's answer takes to the client.
    pub(super) fn way_back(&self, asked: &Asked) -> SimDuration {
        self.ways(asked).1
    }

    /// How long a request takes to the gateway, and its answer from there.
    fn ways(&self, asked: &Asked) -> (SimDuration, SimDuration) {
        let trip = self.round_trips(asked).map_or(0, |trips| trips.to_gateway.as_nanos());
        let [forth, back] = [trip / 2, trip - trip / 2].map(SimDuration::from_nanos);
        // Nobody waits for longer than the client, who is told by then, wherever the call is.
        (forth, back.min(self.model.traffic.client_timeout.unwrap_or(SimDuration::MAX)))
    }
}
