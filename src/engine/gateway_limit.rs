//! What a replica takes in: a bucket of requests, a number of them at a time, and a queue before it. And what it answers
//! itself.

use super::Simulation;
use super::meter::Bucket;
use super::recorder::{Cause, Ending, Recorder, Stage};
use super::request::{Failed, Next};
use super::slab::Slot;
use crate::model::{Answer, GatewayLimit};
use crate::random::Key;
use crate::time::SimTime;
use std::cmp::Reverse;
use std::collections::BTreeMap;

const CACHED: Key = Key::purpose("answer in the cache");

/// Where a request stands in the queue: by priority, and then in the order in which it came.
type Rank = (Reverse<u32>, u64);

/// A replica's door.
#[derive(Debug, Clone)]
pub(super) struct Door {
    bucket: Option<Bucket>,
    /// How many calls are inside, with those that were called in and have not come yet.
    inside: u32,
    /// Those who wait, the next one first.
    waiting: BTreeMap<Rank, Slot>,
    /// How many have waited so far.
    numbers: u64,
}

impl Door {
    pub fn new(limit: &GatewayLimit) -> Self {
        let bucket = limit.rate.map(|rate| Bucket::new(rate, limit.burst));
        Door { bucket, inside: 0, waiting: BTreeMap::new(), numbers: 0 }
    }

    /// Whether a call may come now, as far as the rate goes; if so, it counts.
    fn is_in_rate(&mut self, now: SimTime) -> bool {
        let Some(bucket) = &mut self.bucket else { return true };
        bucket.fill(now);
        let has_one = bucket.check(1).is_ok();
        if has_one {
            bucket.take(1);
        }
        has_one
    }
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// A call comes to the door of its replica: it is let in, waits, or is turned away.
    pub(super) fn knock(&mut self, now: SimTime, slot: Slot, limit: &GatewayLimit) {
        let asked = self.request(slot).asked;
        let class = self.model.traffic.class_of(self.asker(&asked));
        let door = &mut self.doors[asked.replica as usize];
        if !door.is_in_rate(now) {
            return self.turn_away(now, slot, limit);
        }
        if limit.in_flight.is_none_or(|most| door.inside < most.get()) {
            door.inside += 1;
            self.request(slot).is_let_in = true;
            return self.come_in(now, slot);
        }
        let classes = &self.model.traffic.classes;
        let priority = classes.get(class).map_or(0, |class| class.priority);
        let mut last = None;
        if door.waiting.len() >= limit.queue as usize {
            // Only somebody of lower priority makes room.
            last = door
                .waiting
                .last_entry()
                .filter(|entry| entry.key().0 > Reverse(priority))
                .map(|e| e.remove());
            if last.is_none() {
                return self.turn_away(now, slot, limit);
            }
        }
        door.waiting.insert((Reverse(priority), door.numbers), slot);
        door.numbers += 1;
        if let Some(last) = last {
            self.wait(last, Next::Nothing, SimTime::NEVER);
            self.turn_away(now, last, limit);
        }
        let timeout = limit.queue_timeout.map_or(SimTime::NEVER, |timeout| now.after(timeout));
        self.wait(slot, Next::LetIn, timeout.min(asked.deadline).min(asked.cut_off));
    }

    /// A call that was let in has left: the next one is called in, and comes as an event of its own at the same instant.
    pub(super) fn call_in_next(&mut self, now: SimTime, replica: u32) {
        let Some(door) = self.doors.get_mut(replica as usize) else { return };
        door.inside -= 1;
        if let Some((_, next)) = door.waiting.pop_first() {
            door.inside += 1;
            self.request(next).is_let_in = true;
            self.wait(next, Next::ComeIn, now);
        }
    }

    /// A call has waited at the door for as long as it may, or as somebody waits for it.
    pub(super) fn on_not_let_in(&mut self, now: SimTime, slot: Slot) {
        let Some(limit) = &self.model.gateway.limit else { return };
        let asked = self.request(slot).asked;
        // Those who have waited longest give up first, so it is found soon.
        let waiting = &mut self.doors[asked.replica as usize].waiting;
        let rank = waiting.iter().find_map(|(rank, waits)| (*waits == slot).then_some(*rank));
        waiting.remove(&rank.expect("what waits at the door is listed"));
        let answer = match now {
            _ if asked.deadline <= now => Answer::Abandoned,
            _ if asked.cut_off <= now => Answer::Timeout,
            _ => return self.turn_away(now, slot, limit),
        };
        let (cause, stage) = (Cause::Timeout, Stage::GatewayLimit);
        self.request(slot).failure = Some(Failed { provider: None, answer, retry_after: None, cause, stage });
        self.fail(now, slot);
    }

    fn turn_away(&mut self, now: SimTime, slot: Slot, limit: &GatewayLimit) {
        let (answer, cause, stage) = (Answer::Status(limit.answer), Cause::GatewayLimit, Stage::GatewayLimit);
        self.request(slot).failure = Some(Failed { provider: None, answer, retry_after: None, cause, stage });
        self.fail(now, slot);
    }

    /// A replica fails, and nobody waits at its door any more.
    pub(super) fn clear_door(&mut self, replica: u32) {
        if let Some(door) = self.doors.get_mut(replica as usize) {
            door.waiting.clear();
        }
    }

    /// Whether the gateway has the answer itself; it is then given after the time that this takes.
    pub(super) fn is_cached(&mut self, now: SimTime, slot: Slot) -> bool {
        let Some(cache) = self.model.gateway.cache else { return false };
        let is_hit = self.request(slot).asked.key.joined(CACHED).coin(cache.hit_ratio.get());
        if is_hit {
            // Should somebody give up on it before.
            let (answer, cause, stage) = (Answer::Timeout, Cause::Timeout, Stage::Background);
            let failure = Failed { provider: None, answer, retry_after: None, cause, stage };
            self.request(slot).failure = Some(failure);
            self.plan(now, slot, Next::Cached, cache.latency);
        }
        is_hit
    }

    /// An answer from the cache goes to the client.
    pub(super) fn answer_from_cache(&mut self, now: SimTime, slot: Slot) {
        self.leave(now, slot);
        let request = self.requests_in_flight.take(slot).expect("a request stays until it ends");
        self.settle_client_budget(request.client_grant, Answer::Good);
        let (asked, good) = (&request.asked, Answer::Good);
        self.report(asked, request.attempts, None, now, Ending::Succeeded, good, false);
    }
}
