//! Which provider gets an attempt: the route's tree, walked for one request.
//!
//! A router knows what its replica's view and its own attempts tell it. It does not know [`super::world`].

use super::learned::Learned;
use super::view::View;
use crate::model::{
    AllEjected, LowestLatency, Model, NodeId, OperatorAction, PeakEwma, Pick, Price, ProviderId, Route,
};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// What somebody has switched by hand.
#[derive(Debug, Clone, Default)]
pub(super) struct Switches {
    /// One that several have switched away from is there as often.
    avoid: Vec<ProviderId>,
}

impl Switches {
    pub fn act(&mut self, action: &OperatorAction) {
        self.avoid.extend(&action.avoid);
    }

    pub fn undo(&mut self, action: &OperatorAction) {
        for provider in &action.avoid {
            if let Some(nth) = self.avoid.iter().position(|avoided| avoided == provider) {
                self.avoid.swap_remove(nth);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.avoid.is_empty()
    }

    fn spare(&self, provider: ProviderId) -> bool {
        !self.avoid.contains(&provider)
    }
}

/// The nodes of the route that a request has behind it; scenarios that try elsewhere have at most 128 nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Spent(u128);

impl Spent {
    pub fn add(&mut self, node: NodeId) {
        self.0 |= 1u128.checked_shl(node.0.into()).unwrap_or(0);
    }

    pub fn contains(self, node: NodeId) -> bool {
        self.0.checked_shr(node.0.into()).unwrap_or(0) & 1 == 1
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A leaf of the route and the provider it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub node: NodeId,
    pub provider: ProviderId,
}

/// Where a request goes, and where it would have gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    /// Who gets the attempt; `None` if nobody can.
    pub place: Option<Place>,
    /// The provider that would have got it if all were admitted.
    pub first_choice: Option<ProviderId>,
}

/// The route's root.
pub(super) const ROOT: NodeId = NodeId(0);

const EXPLORE: Key = Key::purpose("explore");
const EXPLORE_WHERE: Key = Key::purpose("explore where");
const AGAIN: Key = Key::purpose("choose among the admitted");
const PICK: Key = Key::purpose("pick");
const USER: Key = Key::purpose("user");
const RAMP: Key = Key::purpose("slow start");
const TIER: Key = Key::purpose("tier");

/// All that one choice depends on.
#[derive(Clone, Copy)]
pub(super) struct Router<'a> {
    pub model: &'a Model,
    pub view: &'a View,
    pub learned: &'a Learned,
    pub switches: &'a Switches,
    pub spent: Spent,
    pub now: SimTime,
    /// The request's key.
    pub key: Key,
    /// How many choices the request has behind it.
    pub turn: u64,
}

impl<'a> Router<'a> {
    fn route(&self) -> &'a Route {
        &self.model.gateway.route
    }

    /// Chooses in the whole route.
    #[inline]
    pub fn choose(&self) -> Choice {
        // Nothing but speed: the walk would come to the same.
        if let Some(list) = self.route().plain_list()
            && self.switches.is_empty()
            && self.spent.is_empty()
            && let Some(i) = list.iter().position(|provider| self.view.is_admitted(*provider))
        {
            let place = Place { node: NodeId(i as u16 + 1), provider: list[i] };
            return Choice { place: Some(place), first_choice: Some(list[0]) };
        }
        self.choose_in(ROOT)
    }

    /// Chooses in a part of the route.
    pub fn choose_in(&self, node: NodeId) -> Choice {
        let choosing = Choosing {
            router: self,
            key: self.key.numbered(self.turn).joined(PICK),
            heeds_health: false,
            heeds_switches: self.heeds_switches(),
        };
        let first = choosing.pick(node);
        // Where a group takes no more than it can, somebody admitted in it may be too much for it.
        let spills = self.model.gateway.overprovisioning.is_some();
        let admitted = match first {
            Some(place) if !spills && choosing.heeding_health().can_take(place) => first,
            _ => choosing.heeding_health().pick(node),
        };
        let ignores_health = self.model.gateway.all_ejected == AllEjected::IgnoreHealth;
        Choice {
            place: admitted.or(first.filter(|_| ignores_health)),
            first_choice: first.map(|place| place.provider),
        }
    }

    /// Whether somebody admitted is there.
    pub fn can_serve(&self, node: NodeId) -> bool {
        let heeds_switches = self.heeds_switches();
        Choosing { router: self, key: self.key, heeds_health: true, heeds_switches }.can_serve(node)
    }

    /// A switch away from every provider leaves none to go to, so it is ignored.
    fn heeds_switches(&self) -> bool {
        !self.switches.is_empty() && self.route().providers().iter().any(|p| self.switches.spare(*p))
    }
}

/// One walk through the tree.
#[derive(Clone, Copy)]
struct Choosing<'a> {
    router: &'a Router<'a>,
    key: Key,
    heeds_health: bool,
    heeds_switches: bool,
}

impl<'a> Choosing<'a> {
    fn heeding_health(self) -> Self {
        Choosing { heeds_health: true, key: self.key.joined(AGAIN), ..self }
    }

    fn route(&self) -> &'a Route {
        self.router.route()
    }

    /// Whether a leaf may be chosen.
    fn can_take(&self, place: Place) -> bool {
        let Router { view, switches, spent, .. } = self.router;
        !spent.contains(place.node)
            && (!self.heeds_switches || switches.spare(place.provider))
            && (!self.heeds_health || view.is_admitted(place.provider) || self.panics(place.node))
            && !self.is_held_back(place)
    }

    fn can_serve(&self, node: NodeId) -> bool {
        if self.router.spent.contains(node) {
            return false;
        }
        match &self.route().node(node).pick {
            Pick::Provider(provider) => self.can_take(Place { node, provider: *provider }),
            pick => pick.children().into_iter().any(|child| self.can_serve(child)),
        }
    }

    /// The leaf that a node leads to.
    fn pick(&self, node: NodeId) -> Option<Place> {
        if self.router.spent.contains(node) {
            return None;
        }
        let able = |children: &'a [NodeId]| children.iter().copied().filter(|child| self.can_serve(*child));
        let leaf = |node: NodeId| match self.route().node(node).pick {
            Pick::Provider(provider) => Some(Place { node, provider }),
            _ => None,
        };
        // Every draw of the walk has the node it belongs to in its key.
        let key = self.key.numbered(node.0.into());
        let child = match &self.route().node(node).pick {
            Pick::Provider(provider) => {
                let place = Place { node, provider: *provider };
                return self.can_take(place).then_some(place);
            }
            Pick::Prefer(children) => match self.spilled(node, children) {
                Some(child) => Some(child),
                None => return children.iter().find_map(|child| self.pick(*child)),
            },
            Pick::Weighted(weighted) => {
                draw(key, weighted.iter().copied().filter(|(child, _)| self.can_serve(*child)))
            }
            Pick::RoundRobin(children) => {
                let from = self.router.learned.turn(node);
                let in_turn = (0..children.len()).map(|i| children[(from + i) % children.len()]);
                in_turn.into_iter().find(|child| self.can_serve(*child))
            }
            Pick::LeastInFlight(children) => {
                let in_flight =
                    |node: &NodeId| leaf(*node).map(|p| self.router.learned.in_flight(p.provider));
                able(children).min_by_key(in_flight)
            }
            Pick::LowestLatency(children, lowest) => self.fastest(lowest, able(children)),
            Pick::PeakEwma(children, peak) => self.better_of_two(peak, key, able(children)),
            Pick::Cheapest(children) => {
                able(children).min_by(|a, b| self.price(*a).total_cmp(&self.price(*b)))
            }
            Pick::InverseSquarePrice(children) => {
                let weight = |child: NodeId| 1.0 / (self.price(child) * self.price(child));
                draw(key, able(children).map(|child| (child, weight(child))))
            }
            Pick::Split { share, children } => {
                // Which part a request belongs to does not change when it is tried again.
                let is_first = self.router.key.joined(PICK).numbered(node.0.into()).coin(share.get());
                Some(children[usize::from(!is_first)])
            }
            Pick::Sticky { users, children } => {
                let user = (self.router.key.joined(USER).unit() * f64::from(*users)) as u64;
                let from = (Key::purpose("sticky").numbered(user).unit() * children.len() as f64) as usize;
                let in_turn = (0..children.len()).map(|i| children[(from + i) % children.len()]);
                in_turn.into_iter().find(|child| self.can_serve(*child))
            }
        };
        self.pick(child?)
    }

    fn price(&self, node: NodeId) -> f64 {
        match self.route().node(node).pick {
            Pick::Provider(provider) => {
                let price = self.router.model.provider(provider).price;
                price.map_or(f64::INFINITY, |price| price.of_call(Price::SOME_TOKENS, Price::SOME_TOKENS))
            }
            _ => f64::INFINITY,
        }
    }

    fn observed(&self, node: NodeId) -> Option<f64> {
        match self.route().node(node).pick {
            Pick::Provider(provider) => self.router.learned.average(provider),
            _ => None,
        }
    }

    fn fastest(&self, lowest: &LowestLatency, able: impl Iterator<Item = NodeId> + Clone) -> Option<NodeId> {
        let request = self.router.key;
        if request.joined(EXPLORE).coin(lowest.explore.get()) {
            let nth = (request.joined(EXPLORE_WHERE).unit() * able.clone().count() as f64) as usize;
            return able.into_iter().nth(nth);
        }
        // One that was never measured comes first, or it never would be; `min_by` keeps the first of equals.
        let speed = |node: &NodeId| self.observed(*node).unwrap_or(0.0);
        let best = able.clone().min_by(|a, b| speed(a).total_cmp(&speed(b)))?;
        if lowest.buffer == 0.0 {
            return Some(best);
        }
        let limit = speed(&best) * (1.0 + lowest.buffer);
        let close = able.filter(|node| speed(node) <= limit);
        let nth = (self.key.joined(EXPLORE_WHERE).unit() * close.clone().count() as f64) as usize;
        close.into_iter().nth(nth)
    }

    fn better_of_two(
        &self,
        peak: &PeakEwma,
        key: Key,
        able: impl Iterator<Item = NodeId> + Clone,
    ) -> Option<NodeId> {
        let count = able.clone().count();
        if count < 2 {
            return able.into_iter().next();
        }
        let first = (key.numbered(0).unit() * count as f64) as usize;
        let second = (first + 1 + (key.numbered(1).unit() * (count - 1) as f64) as usize) % count;
        let cost = |node: &NodeId| match self.route().node(*node).pick {
            Pick::Provider(provider) => self.router.learned.peak_cost(peak, self.router.now, provider),
            _ => f64::INFINITY,
        };
        let two = [first, second].map(|nth| able.clone().nth(nth));
        two.into_iter().flatten().min_by(|a, b| cost(a).total_cmp(&cost(b)))
    }

    /// The share of a node's own providers that is admitted, where all of its children are providers.
    fn admitted_share(&self, node: NodeId) -> Option<f64> {
        let children = match &self.route().node(node).pick {
            Pick::Provider(provider) => {
                return Some(f64::from(u8::from(self.router.view.is_admitted(*provider))));
            }
            pick => pick.children(),
        };
        let mut admitted = 0.0;
        for child in &children {
            let Pick::Provider(provider) = self.route().node(*child).pick else { return None };
            admitted += f64::from(u8::from(self.router.view.is_admitted(provider)));
        }
        Some(admitted / children.len() as f64)
    }

    /// The part of its load that a group can take.
    fn available(&self, node: NodeId) -> f64 {
        let factor = self.router.model.gateway.overprovisioning.unwrap_or(1.0);
        (self.admitted_share(node).unwrap_or(1.0) * factor).min(1.0)
    }

    /// The groups that share the load by preference: the root's children, or the root itself.
    fn tiers(&self) -> Vec<NodeId> {
        match &self.route().node(ROOT).pick {
            Pick::Prefer(children) => children.clone(),
            _ => vec![ROOT],
        }
    }

    /// Whether health is ignored in the group of a leaf, as too few of it are admitted and no other group helps out.
    ///
    /// Source: Envoy `load_balancer_impl.cc`: no panic while the tiers together can take all the load; else in each tier
    /// with less than the threshold, strictly.
    fn panics(&self, leaf: NodeId) -> bool {
        let threshold = self.router.model.gateway.panic_below.get();
        let Some(parent) = self.route().node(leaf).parent.filter(|_| threshold > 0.0) else { return false };
        // A provider in a list of preference is a tier of its own.
        let group = if matches!(self.route().node(parent).pick, Pick::Prefer(_)) { leaf } else { parent };
        let share = self.admitted_share(group).unwrap_or(1.0);
        share < threshold && self.tiers().iter().map(|tier| self.available(*tier)).sum::<f64>() < 1.0
    }

    /// Which child of a list of groups gets the request, where a group takes no more than it can.
    fn spilled(&self, node: NodeId, children: &[NodeId]) -> Option<NodeId> {
        self.router.model.gateway.overprovisioning?;
        if node != ROOT || !self.heeds_health {
            return None;
        }
        let mut rest = self.key.joined(TIER).unit();
        for child in children {
            let available = self.available(*child);
            if rest < available && self.can_serve(*child) {
                return Some(*child);
            }
            rest -= available;
        }
        None
    }

    /// Whether a provider that was admitted a short time ago leaves this request to others of its group.
    ///
    /// Only groups whose members share the load are meant; in a list of preference the first one takes it all.
    fn is_held_back(&self, place: Place) -> bool {
        let slow_start = self.router.model.gateway.slow_start;
        if slow_start == SimDuration::ZERO || !self.heeds_health {
            return false;
        }
        let shares_load = self.route().node(place.node).parent.is_some_and(|parent| {
            !matches!(self.route().node(parent).pick, Pick::Prefer(_))
                && self.admitted_share(parent) != Some(0.0)
        });
        let Some(since) = self.router.view.admitted_at(place.provider).filter(|_| shares_load) else {
            return false;
        };
        let age = self.router.now.since(since).as_secs_f64() / slow_start.as_secs_f64();
        age < 1.0 && !self.key.joined(RAMP).numbered(place.node.0.into()).coin(age)
    }
}

/// One of them, by weight.
fn draw(key: Key, weighted: impl Iterator<Item = (NodeId, f64)> + Clone) -> Option<NodeId> {
    let total: f64 = weighted.clone().map(|(_, weight)| weight).sum();
    let mut rest = key.unit() * total;
    let mut last = None;
    for (node, weight) in weighted {
        last = Some(node);
        if rest < weight {
            break;
        }
        rest -= weight;
    }
    last
}
