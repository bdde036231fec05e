//! A provider that works on a limited number of answers at once, and takes what came last first.
//!
//! What comes later can come before, so what becomes of an attempt that waits is not known when it is sent, and its turn is
//! an event. [`super::capacity`] is the same for those who are served in the order in which they came.

use super::Simulation;
use super::attempt::Attempt;
use super::capacity::Admission;
use super::queue::Event;
use super::quota::Need;
use super::recorder::{Recorder, Stage};
use super::request::Asked;
use super::slab::Slot;
use super::world::{Fate, Reply};
use crate::model::{Abandoned, Answer, Capacity, ProviderId};
use crate::time::{SimDuration, SimTime};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// An attempt that waits for its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// When it came, and when its caller gives up.
    pub came: SimTime,
    pub gives_up: SimTime,
    /// From when its fate counts, and what that is where it has to wait for nobody.
    pub ready: SimTime,
    pub fate: Fate,
    pub asked: Asked,
    pub need: Need,
    /// Whether its request is not tried again if it fails.
    pub is_last: bool,
    /// Its record; `None` until it has one.
    pub record: Option<Record>,
}

/// Where an attempt that waits is remembered, and what its request comes to if it is served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub attempt: Slot,
    /// Its place among its request's attempts.
    pub number: u32,
    pub stage: Stage,
    pub saved_by_hand: bool,
}

impl Waiting {
    fn service(&self) -> SimDuration {
        self.fate.ends.since(self.ready)
    }
}

/// Who works, and who waits.
#[derive(Debug, Default)]
pub(super) struct Stack {
    /// When each slot that is used becomes free.
    free_at: BinaryHeap<Reverse<SimTime>>,
    /// In the order in which they came.
    waiting: VecDeque<Waiting>,
    /// No slot is free before.
    paused_until: SimTime,
    /// When the next turn is due, as far as there is an event for it.
    wakes_at: SimTime,
}

impl Stack {
    /// Admits an attempt now: it starts, waits with its fate to come ([`Admission::NeverServed`], for the time being), or is
    /// turned away. Costs O(log c) with c slots.
    fn admit(&mut self, capacity: &Capacity, now: SimTime, attempt: Waiting) -> Admission {
        if self.has_slot(capacity, now) {
            self.free_at.push(Reverse(now.after(attempt.service())));
            return Admission::Starts(now);
        }
        self.forget(capacity, now);
        if capacity.queue.is_some_and(|most| self.waiting.len() >= most as usize) {
            return Admission::TurnedAway;
        }
        self.waiting.push_back(attempt);
        Admission::NeverServed
    }

    /// Takes whose turn comes now.
    fn next(&mut self, capacity: &Capacity, now: SimTime) -> Option<Waiting> {
        if !self.has_slot(capacity, now) {
            return None;
        }
        self.forget(capacity, now);
        let is_dropped = |w: &Waiting| capacity.abandoned == Abandoned::Dropped && w.gives_up < now;
        while let Some(waiting) = self.waiting.pop_back() {
            if !is_dropped(&waiting) {
                self.free_at.push(Reverse(now.after(waiting.service())));
                return Some(waiting);
            }
        }
        None
    }

    /// When somebody's turn may come; [`SimTime::NEVER`] if nobody waits.
    fn turns_at(&self) -> SimTime {
        match self.free_at.peek() {
            _ if self.waiting.is_empty() => SimTime::NEVER,
            Some(Reverse(free_at)) => self.paused_until.max(*free_at),
            None => self.paused_until,
        }
    }

    fn has_slot(&mut self, capacity: &Capacity, now: SimTime) -> bool {
        while self.free_at.peek().is_some_and(|Reverse(free_at)| *free_at <= now) {
            self.free_at.pop();
        }
        now >= self.paused_until && self.free_at.len() < capacity.slots.get() as usize
    }

    /// Those who have waited for too long leave: the ones who came first.
    fn forget(&mut self, capacity: &Capacity, now: SimTime) {
        let Some(timeout) = capacity.queue_timeout else { return };
        while self.waiting.front().is_some_and(|waiting| waiting.came.after(timeout) < now) {
            self.waiting.pop_front();
        }
    }
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// Has an attempt wait at a provider that serves last what came first. `pause` is how long no slot is free.
    pub(super) fn stack_up(
        &mut self,
        now: SimTime,
        provider: ProviderId,
        capacity: &Capacity,
        pause: SimTime,
        attempt: Waiting,
    ) -> Admission {
        let Some(stack) = &mut self.stacks[provider.index()] else { return Admission::TurnedAway };
        stack.paused_until = stack.paused_until.max(pause);
        let admission = stack.admit(capacity, now, attempt);
        self.plan_turn(provider);
        admission
    }

    /// The attempt that waits there since just now, if there is one, has this record.
    pub(super) fn remember_waiting(&mut self, provider: ProviderId, record: Record) -> bool {
        let stack = self.stacks[provider.index()].as_mut();
        let newest = stack.and_then(|stack| stack.waiting.back_mut()).filter(|w| w.record.is_none());
        newest.map(|waiting| waiting.record = Some(record)).is_some()
    }

    /// The fate of the attempt that waits there since just now; `None` if none does.
    pub(super) fn waits_at(&self, provider: ProviderId) -> Option<Fate> {
        let newest = self.stacks[provider.index()].as_ref()?.waiting.back()?;
        newest.record.is_none().then_some(newest.fate)
    }

    fn plan_turn(&mut self, provider: ProviderId) {
        let Some(stack) = &mut self.stacks[provider.index()] else { return };
        let at = stack.turns_at();
        if at < SimTime::NEVER && at != stack.wakes_at {
            stack.wakes_at = at;
            self.queue.push(at, Event::TurnComes { provider });
        }
    }

    /// A slot may be free, and goes to whoever came last.
    pub(super) fn on_turn_comes(&mut self, now: SimTime, provider: ProviderId) {
        let Some(capacity) = &self.model.provider(provider).capacity else { return };
        while let Some(waiting) = self.stacks[provider.index()].as_mut().and_then(|s| s.next(capacity, now)) {
            self.serve(now, provider, &waiting);
        }
        self.plan_turn(provider);
    }

    /// The turn of an attempt has come: its fate is known.
    fn serve(&mut self, now: SimTime, provider: ProviderId, waiting: &Waiting) {
        let Waiting { came, asked, is_last, need, .. } = *waiting;
        let fate = waiting.fate.later(now.since(waiting.ready));
        if fate.reply == Reply::Good {
            self.quotas.ends_well(provider, fate.ends, need);
        }
        let Some(Record { attempt: slot, number, stage, saved_by_hand }) = waiting.record else { return };
        let fate = fate.later(self.trip_to(provider, &asked));
        let seen = self.seen(came, &asked, fate, is_last);
        let is_it = |attempt: &&mut Attempt| attempt.ordinal == asked.ordinal && attempt.number == number;
        // Somebody may have given up on it.
        let is_there = self.attempts.get_mut(slot).filter(is_it).is_some();
        if self.bills {
            let left = if is_there { None } else { Some(now.min(waiting.gives_up)) };
            self.bill_served(now, &asked, slot, (provider, fate), left);
        }
        let Some(attempt) = self.attempts.get_mut(slot).filter(is_it) else { return };
        attempt.seen = seen;
        attempt.stage = stage;
        attempt.saved_by_hand = saved_by_hand && seen.answer == Answer::Good && !seen.is_truncated;
        attempt.is_cut_off = seen.ends == asked.cut_off && seen.answer != Answer::Good;
        self.queue.push(seen.ends, Event::AttemptEnds { request: asked.ordinal, slot });
    }
}
