//! Users who ask, wait, think and ask again, in the place of arrivals that come whatever becomes of those before.
//!
//! A user's requests have numbers of their own, and keys by them: in every configuration a user thinks as long before its
//! nth request, and draws the same for it, though the request may come at another time and in another order.

use super::Simulation;
use super::recorder::{Recorder, RequestEnd};
use super::request::Asked;
use crate::model::{self, Arrivals, Model};
use crate::random::Key;
use crate::time::SimTime;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

const THINK: Key = Key::purpose("think");

/// What users do in a run.
#[derive(Debug)]
pub(super) struct Users<'m> {
    settings: &'m model::Users,
    /// The key of which each user's is a numbered child.
    requests: Key,
    /// Nobody asks from here on.
    end: SimTime,
    /// Who thinks, and until when; at equal times the first user asks first.
    thinking: BinaryHeap<Reverse<(SimTime, u32)>>,
    /// Who waits, by the ordinal of the request.
    waiting: BTreeMap<u64, u32>,
    /// By user: how many requests it has made.
    made: Vec<u64>,
}

impl<'m> Users<'m> {
    /// The users of a model; `None` if what arrives there heeds no answer.
    pub fn of(model: &'m Model, requests: Key) -> Option<Self> {
        let Arrivals::Users(settings) = &model.traffic.arrivals else { return None };
        let count = settings.count.get();
        let mut users = Users {
            settings,
            requests,
            end: SimTime::START.after(model.duration),
            thinking: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            made: vec![0; count as usize],
        };
        (0..count).for_each(|user| users.think(user, settings.begins(user)));
        Some(users)
    }

    /// The key of what the user asks next.
    fn key(&self, user: u32) -> Key {
        self.requests.numbered(u64::from(user)).numbered(self.made[user as usize])
    }

    /// A user begins to think about its next request.
    fn think(&mut self, user: u32, from: SimTime) {
        let asks = from.after(self.settings.think().draw(self.key(user).joined(THINK)));
        if asks < self.end {
            self.thinking.push(Reverse((asks, user)));
        }
    }

    /// When somebody asks next; [`SimTime::NEVER`] if nobody who thinks at present will.
    fn next_at(&self) -> SimTime {
        self.thinking.peek().map_or(SimTime::NEVER, |Reverse((at, _))| *at)
    }

    /// Whoever asks next does so, and its request gets this place in the order of arrival: the user and the request's key.
    fn ask(&mut self, ordinal: u64) -> (u32, Key) {
        let Reverse((_, user)) = self.thinking.pop().expect("somebody thinks who asks");
        let key = self.key(user);
        self.made[user as usize] += 1;
        self.waiting.insert(ordinal, user);
        (user, key)
    }

    /// A request has ended; whoever asked for one that never ends waits for ever.
    pub fn on_end(&mut self, end: &RequestEnd) {
        let user = self.waiting.remove(&end.ordinal).expect("somebody waits for each request");
        if end.ended < SimTime::NEVER {
            self.think(user, end.ended);
        }
    }
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// Plays the run event by event. As arrivals do, a user asks after all else that happens at the same time.
    pub(super) fn play_with_users(&mut self) {
        loop {
            let asks_at = self.users.as_ref().map_or(SimTime::NEVER, Users::next_at);
            if asks_at < self.queue.next_at() {
                self.on_user_asks(asks_at);
            } else if let Some((now, event)) = self.queue.pop() {
                self.on_event(now, event);
            } else {
                break;
            }
            self.events += 1;
        }
    }

    fn on_user_asks(&mut self, now: SimTime) {
        let (user, key) = self.users.as_mut().expect("there are users").ask(self.arrived);
        let asked = Asked { source: user, ..self.asked(now, self.arrived, key) };
        self.arrived += 1;
        self.begin(now, asked);
    }
}
