//! Which provider gets an attempt: a tree whose leaves are providers.

use super::{PerThousand, Probability, ProviderId};
use crate::time::SimDuration;

/// A node's place in [`Route::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub u16);

/// A tree of choices: its inner nodes are groups, its leaves providers.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    nodes: Vec<Node>,
    /// Every provider in the tree, most preferred first, without repetition.
    providers: Vec<ProviderId>,
    /// The same as `providers` where the route is a plain list of them, the first admitted of which is taken.
    plain_list: bool,
}

/// One choice of a route.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The group's or provider's name; the root is `route`.
    pub name: String,
    /// The group that it is in; `None` for the root.
    pub parent: Option<NodeId>,
    /// How it chooses.
    pub pick: Pick,
}

/// How a node chooses.
#[derive(Debug, Clone, PartialEq)]
pub enum Pick {
    /// It is a provider.
    Provider(ProviderId),
    /// The first child that can serve.
    Prefer(Vec<NodeId>),
    /// One drawn at random, by weight; weights are above zero.
    Weighted(Vec<(NodeId, f64)>),
    /// Each in turn.
    RoundRobin(Vec<NodeId>),
    /// The provider with the fewest attempts in flight; ties go to the first.
    LeastInFlight(Vec<NodeId>),
    /// The provider that has been answering fastest.
    LowestLatency(Vec<NodeId>, LowestLatency),
    /// Of two drawn at random, the one with the lower moving average of latency times attempts in flight.
    PeakEwma(Vec<NodeId>, PeakEwma),
    /// The one with the lowest price of a call like this, [`super::Price::of_call`]; ties go to the first.
    Cheapest(Vec<NodeId>),
    /// One drawn at random, with a weight of one over the square of the same price.
    InverseSquarePrice(Vec<NodeId>),
    /// The one with the lowest price, as [`Pick::Cheapest`], of those whose tokens cost no more than a limit and that are
    /// fast enough for the request's class; where there is none, the first child that can serve.
    CostMinimization(Vec<NodeId>, CostLimit),
    /// By a property of the request: the first child for this share of requests, the second for the others.
    Split {
        /// The share of requests that go to the first child.
        share: Probability,
        /// Two of them.
        children: [NodeId; 2],
    },
    /// The same child for all requests of a user, as long as it can serve; users are drawn at random.
    Sticky {
        /// How many users there are.
        users: u32,
        /// What a user's requests stick to.
        children: Vec<NodeId>,
    },
}

impl Pick {
    /// The nodes to choose from.
    pub fn children(&self) -> Vec<NodeId> {
        match self {
            Pick::Provider(_) => vec![],
            Pick::Weighted(weighted) => weighted.iter().map(|(node, _)| *node).collect(),
            Pick::Split { children, .. } => children.to_vec(),
            Pick::Prefer(children)
            | Pick::RoundRobin(children)
            | Pick::LeastInFlight(children)
            | Pick::LowestLatency(children, _)
            | Pick::PeakEwma(children, _)
            | Pick::Cheapest(children)
            | Pick::InverseSquarePrice(children)
            | Pick::CostMinimization(children, _)
            | Pick::Sticky { children, .. } => children.clone(),
        }
    }

    /// Whether the choice rolls dice.
    fn is_random(&self) -> bool {
        match self {
            Pick::Weighted(_)
            | Pick::InverseSquarePrice(_)
            | Pick::PeakEwma(..)
            | Pick::Split { .. }
            | Pick::Sticky { .. } => true,
            Pick::LowestLatency(_, lowest) => lowest.explore > Probability::ZERO || lowest.buffer > 0.0,
            Pick::Provider(_)
            | Pick::Prefer(_)
            | Pick::RoundRobin(_)
            | Pick::LeastInFlight(_)
            | Pick::Cheapest(_)
            | Pick::CostMinimization(..) => false,
        }
    }
}

impl Route {
    /// The tree of these nodes, of which the first is the root and every other one has its parent before it.
    ///
    /// # Panics
    /// If the nodes are no such tree.
    pub fn new(nodes: Vec<Node>) -> Self {
        assert!(nodes.first().is_some_and(|root| root.parent.is_none()), "the first node is the root");
        for (i, node) in nodes.iter().enumerate().skip(1) {
            assert!(
                node.parent.is_some_and(|p| usize::from(p.0) < i),
                "`{}` comes after its parent",
                node.name
            );
        }
        let mut providers = Vec::new();
        let mut pending = vec![NodeId(0)];
        while let Some(node) = pending.pop() {
            match &nodes[usize::from(node.0)].pick {
                Pick::Provider(provider) if !providers.contains(provider) => providers.push(*provider),
                pick => pending.extend(pick.children().into_iter().rev()),
            }
        }
        let is_leaf = |node: &NodeId| matches!(nodes[usize::from(node.0)].pick, Pick::Provider(_));
        let plain_list = match &nodes[0].pick {
            Pick::Prefer(children) => children.iter().all(is_leaf) && children.len() == providers.len(),
            _ => false,
        };
        Route { nodes, providers, plain_list }
    }

    /// The first admitted provider of this list.
    pub fn prefer(list: &[ProviderId], name: impl Fn(ProviderId) -> String) -> Self {
        let children = (1..=list.len()).map(|i| NodeId(i as u16)).collect();
        let mut nodes = vec![Node { name: "route".to_owned(), parent: None, pick: Pick::Prefer(children) }];
        nodes.extend(list.iter().map(|&provider| Node {
            name: name(provider),
            parent: Some(NodeId(0)),
            pick: Pick::Provider(provider),
        }));
        Route::new(nodes)
    }

    /// Every node; the first is the root.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of an id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[usize::from(id.0)]
    }

    /// The providers that can be chosen, most preferred first.
    pub fn providers(&self) -> &[ProviderId] {
        &self.providers
    }

    /// The list of providers, if the route is nothing but the first admitted one of a list.
    pub fn plain_list(&self) -> Option<&[ProviderId]> {
        self.plain_list.then_some(&self.providers)
    }

    /// Whether the choice rolls dice.
    pub fn is_random(&self) -> bool {
        self.nodes.iter().any(|node| node.pick.is_random())
    }

    /// Whether a choice depends on prices, and so on the class of a request.
    pub fn compares_prices(&self) -> bool {
        let compares = |node: &Node| {
            matches!(node.pick, Pick::Cheapest(_) | Pick::InverseSquarePrice(_) | Pick::CostMinimization(..))
        };
        self.nodes.iter().any(compares)
    }

    /// Whether a choice depends on attempts made before: whose turn it was, what is in flight, how they ended.
    pub fn learns(&self) -> bool {
        let learns = |node: &Node| match node.pick {
            Pick::RoundRobin(_) | Pick::LeastInFlight(_) | Pick::LowestLatency(..) | Pick::PeakEwma(..) => {
                true
            }
            Pick::Provider(_)
            | Pick::Prefer(_)
            | Pick::Weighted(_)
            | Pick::Cheapest(_)
            | Pick::InverseSquarePrice(_)
            | Pick::CostMinimization(..)
            | Pick::Split { .. }
            | Pick::Sticky { .. } => false,
        };
        self.nodes.iter().any(learns)
    }
}

/// The most that tokens may cost at a provider that is chosen for being cheap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostLimit {
    /// US dollars for a thousand tokens; a price that is equal is within the limit. `None` is without limit.
    pub max_per_thousand: Option<f64>,
    /// Of which tokens.
    pub of: PerThousand,
}

/// Routing by an average of observed attempt latencies, one for each replica.
#[derive(Debug, Clone, PartialEq)]
pub struct LowestLatency {
    /// What is averaged.
    pub average: Average,
    /// What a failed attempt counts as at least; `None` if it is not observed at all. A dead provider answers with an
    /// error in no time: were that taken as its latency, it would be the fastest of all.
    pub failure_counts_as: Option<SimDuration>,
    /// Those within this share above the lowest count as equal, and one of them is drawn at random; zero or more.
    pub buffer: f64,
    /// The share of requests that go to a provider drawn at random, so that a slow one is measured again.
    pub explore: Probability,
}

/// How latencies are averaged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Average {
    /// An exponentially weighted moving average; the weight of a new observation lies in (0, 1].
    Ewma(f64),
    /// The mean of the last so many.
    Last(u32),
}

/// Peak EWMA: a moving average of latency that rises at once to a higher observation and decays with time.
///
/// Source: Twitter Finagle's `PeakEwma` load metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeakEwma {
    /// The time constant of the decay; above zero.
    pub decay: SimDuration,
    /// What a failed attempt counts as at least.
    pub failure_counts_as: SimDuration,
}
