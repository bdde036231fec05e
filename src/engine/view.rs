//! What routing sees of each provider, and how what detectors find out gets there.
//!
//! A detector belongs to an owner: a replica, or all of them where they share their state. What an owner believes is
//! known at once; a replica's routing may see it later.

use super::recorder::{BeliefChange, EjectedBy, HealthChange, Recorder};
use super::{Event, Simulation};
use crate::model::{HealthScope, Model, NodeId, OnEjection, ProviderId};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};
use std::collections::VecDeque;

/// What detectors have decided about a provider: one bit for each of them. The health check's is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    /// Those that keep it from getting attempts.
    pub blocked: u8,
    /// Those that have ejected it and not admitted it again in full.
    pub ejected: u8,
    /// Whether the last ejection came with no fault active. The truth, kept for the recorder.
    pub falsely: bool,
}

/// The health check's bit in [`Marks`]; the passive detector at index `i` has `1 << (i + 1)`.
pub(super) const HEALTH_CHECK_BIT: u8 = 1;

/// What one replica's routing sees.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// By provider.
    marks: Vec<Marks>,
    /// By provider: since when it gets attempts again.
    admitted_at: Vec<Option<SimTime>>,
}

impl View {
    pub fn new(providers: usize) -> Self {
        View { marks: vec![Marks::default(); providers], admitted_at: vec![None; providers] }
    }

    /// Whether routing may choose the provider.
    #[inline]
    pub fn is_admitted(&self, provider: ProviderId) -> bool {
        self.marks[provider.index()].blocked == 0
    }

    pub fn marks(&self, provider: ProviderId) -> Marks {
        self.marks[provider.index()]
    }

    /// When the provider was admitted after an ejection; `None` if it never was ejected.
    pub fn admitted_at(&self, provider: ProviderId) -> Option<SimTime> {
        self.admitted_at[provider.index()]
    }

    pub fn set(&mut self, now: SimTime, provider: ProviderId, marks: Marks) {
        let old = std::mem::replace(&mut self.marks[provider.index()], marks);
        if old.ejected != 0 && marks.ejected == 0 {
            self.admitted_at[provider.index()] = Some(now);
        }
    }
}

/// Changes on their way to one replica.
#[derive(Debug, Clone)]
struct Inbox {
    /// By provider: what comes, and when, in order.
    coming: Vec<VecDeque<(SimTime, Marks)>>,
    /// By tier: when routing last learned something, and when it will learn what was held back.
    tiers: Vec<(Option<SimTime>, Option<SimTime>)>,
    /// How many changes were sent, for their draws.
    sent: u64,
    /// Whether the shared state cannot be read at present.
    is_cut_off: bool,
}

/// What owners believe, and what is on its way to replicas.
#[derive(Debug)]
pub(super) struct Beliefs {
    /// By owner, then provider.
    marks: Vec<Vec<Marks>>,
    inboxes: Vec<Inbox>,
    /// By provider: the child of the route's root that it is in.
    tier_of: Vec<usize>,
    /// Whether each owner is a replica that sees everything at once.
    is_immediate: bool,
}

const DELAY: Key = Key::purpose("propagation");

impl Beliefs {
    pub fn new(model: &Model, owners: usize) -> Self {
        let providers = model.providers.len();
        let route = &model.gateway.route;
        let tiers = route.node(NodeId(0)).pick.children().len();
        let tier_of = (0..providers).map(ProviderId::new).map(|provider| tier_of(model, provider));
        let inbox = Inbox {
            coming: vec![VecDeque::new(); providers],
            tiers: vec![(None, None); tiers.max(1)],
            sent: 0,
            is_cut_off: false,
        };
        let propagation = model.gateway.propagation;
        Beliefs {
            marks: vec![vec![Marks::default(); providers]; owners],
            inboxes: vec![inbox; model.gateway.replicas.get() as usize],
            tier_of: tier_of.collect(),
            is_immediate: propagation == Default::default()
                && model.gateway.health == HealthScope::Own
                && model.gateway.faults.is_empty(),
        }
    }

    pub fn marks(&self, owner: u32, provider: ProviderId) -> Marks {
        self.marks[owner as usize][provider.index()]
    }

    /// How many of these providers an owner's detector with this bit has ejected.
    pub fn ejected_count(&self, owner: u32, providers: &[ProviderId], bit: u8) -> usize {
        providers.iter().filter(|p| self.marks(owner, **p).ejected & bit != 0).count()
    }
}

fn millis(duration: SimDuration) -> u64 {
    duration.as_nanos() / 1_000_000
}

fn tier_of(model: &Model, provider: ProviderId) -> usize {
    let route = &model.gateway.route;
    let is_it = |node: NodeId| route.node(node).pick == crate::model::Pick::Provider(provider);
    let Some(mut node) = (0..route.nodes().len()).map(|i| NodeId(i as u16)).find(|node| is_it(*node)) else {
        return 0;
    };
    while let Some(parent) = route.node(node).parent {
        if parent == NodeId(0) {
            break;
        }
        node = parent;
    }
    route.node(NodeId(0)).pick.children().iter().position(|child| *child == node).unwrap_or(0)
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// The owner of the detectors that a replica goes by.
    pub(super) fn owner_of(&self, replica: u32) -> u32 {
        if self.model.gateway.health == HealthScope::Own { replica } else { 0 }
    }

    /// One of an owner's detectors has made up its mind: its bit is set or cleared, and replicas learn of it.
    pub(super) fn believe(&mut self, now: SimTime, owner: u32, provider: ProviderId, marks: Marks) {
        let believed = &mut self.beliefs.marks[owner as usize][provider.index()];
        if *believed == marks {
            return;
        }
        *believed = marks;
        let replicas = match self.model.gateway.health {
            HealthScope::Own => owner..owner + 1,
            HealthScope::Shared(_) => 0..self.model.gateway.replicas.get(),
        };
        for replica in replicas {
            match self.beliefs.is_immediate {
                true => self.see(now, replica, provider, marks),
                false => self.publish(now, replica, provider),
            }
        }
    }

    /// Sends what is believed to a replica's routing, unless it is held back.
    ///
    /// Source: Envoy `cluster_manager_impl.cc`, `scheduleUpdate`: outside the window of the last update it is applied at
    /// once, inside it a timer of the window's length is started, and what is then the case is applied.
    fn publish(&mut self, now: SimTime, replica: u32, provider: ProviderId) {
        let window = self.model.gateway.propagation.merge_window;
        if window == SimDuration::ZERO {
            return self.send_belief(now, replica, provider);
        }
        let tier = self.beliefs.tier_of[provider.index()];
        let (last, held) = &mut self.beliefs.inboxes[replica as usize].tiers[tier];
        // Envoy compares whole milliseconds.
        let is_within = |last| millis(now.since(last)) <= millis(window);
        if last.is_some_and(is_within) {
            if held.is_none() {
                let at = now.after(window);
                *held = Some(at);
                self.queue.push(at, Event::TierChanges { replica, tier: tier as u32 });
            }
            return;
        }
        (*last, *held) = (Some(now), None);
        self.send_tier(now, replica, tier);
    }

    pub(super) fn on_tier_changes(&mut self, now: SimTime, replica: u32, tier: u32) {
        let (last, held) = &mut self.beliefs.inboxes[replica as usize].tiers[tier as usize];
        if *held == Some(now) {
            (*last, *held) = (Some(now), None);
            self.send_tier(now, replica, tier as usize);
        }
    }

    fn send_tier(&mut self, now: SimTime, replica: u32, tier: usize) {
        for provider in (0..self.model.providers.len()).map(ProviderId::new) {
            if self.beliefs.tier_of[provider.index()] == tier {
                self.send_belief(now, replica, provider);
            }
        }
    }

    fn send_belief(&mut self, now: SimTime, replica: u32, provider: ProviderId) {
        let marks = self.beliefs.marks(self.owner_of(replica), provider);
        let propagation = self.model.gateway.propagation;
        let staleness = match self.model.gateway.health {
            HealthScope::Own => SimDuration::ZERO,
            HealthScope::Shared(staleness) => staleness,
        };
        let inbox = &mut self.beliefs.inboxes[replica as usize];
        let key = self.run.joined(DELAY).numbered(replica.into()).numbered(inbox.sent);
        inbox.sent += 1;
        let up_to = |most: SimDuration, draw| match most {
            SimDuration::ZERO => SimDuration::ZERO,
            most => most.scaled(key.numbered(draw).unit()),
        };
        let delay = propagation.delay.plus(up_to(propagation.ttl, 0)).plus(up_to(staleness, 1));
        let coming = &mut inbox.coming[provider.index()];
        if delay == SimDuration::ZERO && coming.is_empty() {
            return self.receive(now, replica, provider, marks);
        }
        // What was found out later does not arrive earlier.
        let earliest = coming.back().map_or(SimTime::START, |(at, _)| *at);
        let at = now.after(delay).max(earliest);
        coming.push_back((at, marks));
        self.queue.push(at, Event::ViewChanges { replica, provider });
    }

    pub(super) fn on_view_changes(&mut self, now: SimTime, replica: u32, provider: ProviderId) {
        let coming = &mut self.beliefs.inboxes[replica as usize].coming[provider.index()];
        if let Some((_, marks)) = coming.pop_front() {
            self.receive(now, replica, provider, marks);
        }
    }

    fn receive(&mut self, now: SimTime, replica: u32, provider: ProviderId, marks: Marks) {
        if !self.beliefs.inboxes[replica as usize].is_cut_off {
            self.see(now, replica, provider, marks);
        }
    }

    /// A replica's routing sees a provider differently from now on.
    fn see(&mut self, now: SimTime, replica: u32, provider: ProviderId, marks: Marks) {
        let view = &mut self.views[replica as usize];
        let old = view.marks(provider);
        if old == marks {
            return;
        }
        self.catch_up(now);
        self.views[replica as usize].set(now, provider, marks);
        if old.ejected != marks.ejected {
            let ejected_by = EjectedBy::new(marks.ejected);
            self.recorder.belief_changed(&BeliefChange { at: now, replica, provider, ejected_by });
        }
        let (was_ejected, is_ejected) = (old.ejected != 0, marks.ejected != 0);
        if was_ejected != is_ejected {
            let is_false = is_ejected && marks.falsely;
            let change = HealthChange { at: now, replica, provider, admitted: !is_ejected, is_false };
            self.recorder.health_changed(&change);
            if is_ejected && self.model.gateway.on_ejection == OnEjection::Close {
                self.close_attempts(now, replica, provider);
            }
        }
        if old.blocked != 0 && marks.blocked == 0 {
            self.release_waiting(now, replica);
        }
    }

    /// A replica cannot read the shared state, or can again and catches up.
    pub(super) fn cut_off(&mut self, now: SimTime, replica: u32, is_cut_off: bool) {
        self.beliefs.inboxes[replica as usize].is_cut_off = is_cut_off;
        if !is_cut_off {
            self.see_all(now, replica);
        }
    }

    /// A replica learns at once all that its owner believes.
    pub(super) fn see_all(&mut self, now: SimTime, replica: u32) {
        let owner = self.owner_of(replica);
        for provider in (0..self.model.providers.len()).map(ProviderId::new) {
            self.see(now, replica, provider, self.beliefs.marks(owner, provider));
        }
    }
}
