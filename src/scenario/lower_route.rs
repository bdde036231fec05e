//! Lowers routes: names become providers and groups, and what leads from one to the other a tree.
//!
//! A part of [`super::lower`].

use super::check::join;
use super::file_price::Price;
use super::file_route::{Failures, LowestLatency, PriceOf, Route};
use super::lower::Lowering;
use super::problem::{Problem, one_of, suggestion};
use super::source::Place;
use super::tree::Node as Written;
use crate::model::{self, Node, NodeId, Pick, ProviderId};
use std::collections::{BTreeMap, BTreeSet};

/// More choices than any route has; a group that is named twice is there twice, so that groups may grow beyond measure.
const NODES_MAX: usize = 10_000;

/// As many as a request keeps apart that is tried again.
const NODES_MAX_TRIED_AGAIN: usize = 128;

/// What a name in a route stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'a> {
    Provider(ProviderId, &'a str),
    Group(&'a str),
}

/// Which things may be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nameable {
    Providers,
    /// Providers, but it is to be said of a group that it is none.
    ProvidersNotGroups,
    ProvidersAndGroups,
}

/// A route or a group, its names resolved.
struct Choice<'a> {
    route: &'a Route,
    path: String,
    targets: Vec<Target<'a>>,
}

type Groups<'a> = BTreeMap<&'a str, Choice<'a>>;

impl<'a> Lowering<'a> {
    /// The tree below `gateway.route`; with one provider it need not be written.
    pub(super) fn route(&mut self) -> Option<model::Route> {
        let file = self.file;
        let mut groups = Groups::new();
        let mut all_known = true;
        for (name, route) in &file.gateway.group {
            let path = format!("gateway.group.{name}");
            if self.ids.contains_key(name.as_str()) {
                let message = format!("`{path}` has the name of a provider");
                self.problem(&path, message, "give one of the two another name");
                all_known = false;
            }
            match self.choice(route, &path) {
                Some(choice) => drop(groups.insert(name, choice)),
                None => all_known = false,
            }
        }
        let root = match &file.gateway.route {
            Some(route) => self.choice(route, "gateway.route"),
            None => None,
        };
        all_known &= self.no_circles(&groups);
        let all: Vec<ProviderId> = self.ids.values().copied().collect();
        match (&file.gateway.route, root) {
            (Some(_), root) => {
                let root = root.filter(|_| all_known)?;
                self.no_group_unused(&groups, &root.targets);
                self.tree(&root, &groups)
            }
            (None, _) if all.len() == 1 => {
                if all_known {
                    self.no_group_unused(&groups, &[]);
                }
                Some(self.only(all[0]))
            }
            (None, _) => {
                let sound = self.findings.sound("gateway.route") && self.findings.providers_known();
                if !all.is_empty() && sound {
                    let names: Vec<String> = self.ids.keys().map(|name| format!("\"{name}\"")).collect();
                    let message =
                        format!("there are {} providers, but `gateway` has no `route` among them", all.len());
                    let help = format!("add to [gateway]: route = {{ prefer = [{}] }}", names.join(", "));
                    self.problem("gateway", message, help);
                }
                None
            }
        }
    }

    fn only(&self, provider: ProviderId) -> model::Route {
        model::Route::prefer(&[provider], |_| self.ids.keys().next().map_or("", |name| name).to_owned())
    }

    /// A route or a group with what its names stand for.
    fn choice(&mut self, route: &'a Route, path: &str) -> Option<Choice<'a>> {
        let among = |among: &'a Option<Vec<String>>| among.as_ref();
        let (list, names): (&str, Option<&'a Vec<String>>) = match route {
            Route::Weighted(weights) => {
                let path = join(path, "weighted");
                let keys: Vec<(Place, &'a str)> =
                    weights.keys().map(|name| (self.key(&path, name), name.as_str())).collect();
                let targets = self.targets(&keys, &path, Nameable::ProvidersAndGroups)?;
                return Some(Choice { route, path: path.clone(), targets });
            }
            Route::Split(split) => {
                let path = join(path, "split");
                let both = [("first", &split.first), ("rest", &split.rest)];
                let both = both.map(|(key, name)| (self.place(&join(&path, key)), name.as_str()));
                let targets = self.targets(&both, &path, Nameable::ProvidersAndGroups)?;
                return Some(Choice { route, path, targets });
            }
            Route::Prefer(names) => ("prefer", Some(names)),
            Route::RoundRobin(names) => ("round_robin", Some(names)),
            Route::LeastInFlight(names) => ("least_in_flight", Some(names)),
            Route::Cheapest(names) => ("cheapest", Some(names)),
            Route::InverseSquarePrice(names) => ("inverse_square_price", Some(names)),
            Route::LowestLatency(lowest) => {
                self.lowest_latency(lowest, &join(path, "lowest_latency"));
                ("lowest_latency.among", among(&lowest.among))
            }
            Route::PeakEwma(peak) => ("peak_ewma.among", among(&peak.among)),
            Route::CostMinimization(cost) => {
                if cost.max_cost_per_1k.is_none() {
                    let path = join(path, "cost_minimization");
                    self.without_effect(&path, &["price"], "there is no `max_cost_per_1k`");
                }
                ("cost_minimization.fallback_order", Some(&cost.fallback_order))
            }
            Route::Sticky(sticky) => ("sticky.among", Some(&sticky.among)),
        };
        let nameable = match route {
            Route::LeastInFlight(_)
            | Route::LowestLatency(_)
            | Route::PeakEwma(_)
            | Route::Cheapest(_)
            | Route::InverseSquarePrice(_)
            | Route::CostMinimization(_) => Nameable::ProvidersNotGroups,
            Route::Prefer(_)
            | Route::Weighted(_)
            | Route::RoundRobin(_)
            | Route::Split(_)
            | Route::Sticky(_) => Nameable::ProvidersAndGroups,
        };
        let path = join(path, list);
        let targets = match names {
            Some(names) => self.targets(&self.items(names, &path), &path, nameable)?,
            None => self.ids.iter().map(|(name, id)| Target::Provider(*id, name)).collect(),
        };
        if let Route::Cheapest(_) | Route::InverseSquarePrice(_) | Route::CostMinimization(_) = route {
            self.compares_prices(&path, &targets, matches!(route, Route::InverseSquarePrice(_)))?;
        }
        Some(Choice { route, path, targets })
    }

    /// Who is compared by price has to have one, and where weights are made of it, one above zero.
    fn compares_prices(&mut self, path: &str, targets: &[Target], divides: bool) -> Option<()> {
        let before = self.problems.len();
        for target in targets {
            let Target::Provider(_, name) = target else { continue };
            let price_path = format!("provider.{name}.price");
            if !self.findings.sound(&price_path) || !self.findings.providers_known() {
                continue;
            }
            match self.file.provider.get(*name).map(|provider| &provider.price) {
                Some(None) => {
                    let message = format!("`{path}` compares prices, but `provider.{name}` has none");
                    let help = "add to it what it charges, in USD for a million tokens: price = { input = 2.5, output = 10.0 }";
                    self.problem(&format!("provider.{name}"), message, help);
                }
                Some(Some(price)) if divides && is_free(price) => {
                    let message = format!("`{path}` divides by prices, but `{price_path}` is zero");
                    self.problem(&price_path, message, "write what it charges, or route by `cheapest`");
                }
                _ => {}
            }
        }
        (self.problems.len() == before).then_some(())
    }

    /// Settings that make each other pointless.
    fn lowest_latency(&mut self, lowest: &LowestLatency, path: &str) {
        if lowest.last.is_some() {
            self.without_effect(path, &["weight"], "`last` takes the place of the moving average");
        }
        if lowest.failures == Failures::Ignored {
            self.without_effect(path, &["failure_counts_as"], "`failures` are ignored");
        }
    }

    /// A list of names, each with its place.
    pub(super) fn items(&self, names: &'a [String], path: &str) -> Vec<(Place, &'a str)> {
        let place = |index: usize| self.place(&join(path, &index.to_string()));
        names.iter().enumerate().map(|(index, name)| (place(index), name.as_str())).collect()
    }

    /// Where a key of the table at `path` is written.
    fn key(&self, path: &str, name: &str) -> Place {
        let table = self.root.at(&path.split('.').collect::<Vec<_>>()).and_then(Written::table);
        table.and_then(|table| table.get(name)).map_or_else(|| self.place(path), |node| node.key.clone())
    }

    /// What names stand for; says which stand for nothing and which come twice.
    pub(super) fn targets(
        &mut self,
        names: &[(Place, &'a str)],
        path: &str,
        nameable: Nameable,
    ) -> Option<Vec<Target<'a>>> {
        if !self.findings.sound(path) {
            return None;
        }
        let file = self.file;
        let known = self.ids.keys().copied();
        let groups = file.gateway.group.keys().map(String::as_str);
        let has_groups = nameable == Nameable::ProvidersAndGroups && !file.gateway.group.is_empty();
        let known: Vec<&str> = known.chain(groups.filter(|_| has_groups)).collect();
        if names.is_empty() {
            let help = format!("name at least one of {}", one_of(known));
            self.problem(path, format!("`{path}` names no provider"), help);
            return None;
        }
        let mut targets = vec![];
        let mut problems = vec![];
        for (place, name) in names {
            let is_group = file.gateway.group.contains_key(*name);
            let target = match self.ids.get(name) {
                Some(id) => Some(Target::Provider(*id, name)),
                None if is_group && has_groups => Some(Target::Group(name)),
                None => None,
            };
            let Some(target) = target else {
                targets.push(None);
                let may_be = |table: &str| !self.findings.sound(&format!("{table}.{name}"));
                if may_be("provider") || may_be("gateway.group") && nameable != Nameable::Providers {
                    continue;
                }
                let (message, help) = match nameable {
                    Nameable::ProvidersNotGroups if is_group => (
                        format!("`{path}` compares providers, but `{name}` is a group"),
                        "name the group's providers here".to_owned(),
                    ),
                    _ => {
                        let what = if has_groups { "provider or group" } else { "provider" };
                        (format!("there is no {what} `{name}`"), suggestion(name, known.iter().copied()))
                    }
                };
                problems.push(Problem::new(message).at(place).help(help));
                continue;
            };
            if targets.contains(&Some(target)) {
                let message = format!("`{path}` names `{name}` twice");
                let help = match path.ends_with(".split") {
                    true => "name another one, or route to this one alone",
                    false => "remove one of the two",
                };
                problems.push(Problem::new(message).at(place).help(help));
            }
            targets.push(Some(target));
        }
        let good = problems.is_empty();
        self.problems.append(&mut problems);
        if good { targets.into_iter().collect() } else { None }
    }

    /// Whether no group contains itself; says which does.
    fn no_circles(&mut self, groups: &Groups<'a>) -> bool {
        let mut done = BTreeSet::new();
        let before = self.problems.len();
        for name in groups.keys() {
            self.walk(name, groups, &mut vec![], &mut done);
        }
        self.problems.len() == before
    }

    fn walk(
        &mut self,
        name: &'a str,
        groups: &Groups<'a>,
        chain: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) {
        if let Some(start) = chain.iter().position(|link| *link == name) {
            let circle: Vec<&str> = chain[start..].iter().copied().chain([name]).collect();
            let message = match circle.as_slice() {
                [_, _] => format!("the group `{name}` contains itself"),
                _ => format!("groups contain each other in a circle: {}", circle.join(" -> ")),
            };
            // The name that closes the circle.
            let path = &groups[chain[chain.len() - 1]].path;
            self.problem(path, message, "name providers, or a group that does not lead back here");
            return;
        }
        if done.contains(name) {
            return;
        }
        chain.push(name);
        for target in groups.get(name).into_iter().flat_map(|choice| &choice.targets) {
            if let Target::Group(inner) = target {
                self.walk(inner, groups, chain, done);
            }
        }
        chain.pop();
        done.insert(name);
    }

    /// Says which groups no route leads to.
    fn no_group_unused(&mut self, groups: &Groups<'a>, root: &[Target<'a>]) {
        if !self.findings.sound("gateway.group") {
            return;
        }
        let mut used = BTreeSet::new();
        let mut pending = root.to_vec();
        while let Some(target) = pending.pop() {
            if let Target::Group(name) = target
                && used.insert(name)
            {
                pending.extend(&groups[name].targets);
            }
        }
        for name in groups.keys().filter(|name| !used.contains(*name)) {
            let message = format!("the route does not lead to the group `{name}`");
            let help = "name it in `gateway.route`, or in a group that the route leads to, or remove it";
            self.problem(&format!("gateway.group.{name}"), message, help);
        }
    }

    /// The tree that begins with `root`.
    fn tree(&mut self, root: &Choice<'a>, groups: &Groups<'a>) -> Option<model::Route> {
        let mut nodes = vec![];
        if grow("route", None, root, groups, &mut nodes).is_none() {
            let message = format!("the route makes a tree of more than {NODES_MAX} choices");
            let help = "name a group in fewer places: it is there as often as it is named";
            self.problem("gateway.route", message, help);
            return None;
        }
        let again = ["gateway.retry", "gateway.fallback"].into_iter().find(|path| self.is_written(path));
        if let (Some(again), true) = (again, nodes.len() > NODES_MAX_TRIED_AGAIN) {
            let message = format!("the route makes a tree of {} choices, too many to try again", nodes.len());
            let help = format!(
                "with `{again}` use at most {NODES_MAX_TRIED_AGAIN}; a group counts as often as it is named"
            );
            self.problem("gateway.route", message, help);
            return None;
        }
        Some(model::Route::new(nodes))
    }
}

fn is_free(price: &Price) -> bool {
    [&price.input, &price.output, &price.request].iter().all(|price| price.value == 0.0)
}

/// Adds a choice and all below it to the tree; `None` if it becomes too large.
fn grow(
    name: &str,
    parent: Option<NodeId>,
    choice: &Choice,
    groups: &Groups,
    nodes: &mut Vec<Node>,
) -> Option<NodeId> {
    // Its place among the nodes comes before those of its children, who then say how it chooses.
    let id = push(Node { name: name.to_owned(), parent, pick: Pick::Prefer(vec![]) }, nodes)?;
    let mut children = vec![];
    for target in &choice.targets {
        children.push(match target {
            Target::Provider(provider, name) => {
                let name = (*name).to_owned();
                push(Node { name, parent: Some(id), pick: Pick::Provider(*provider) }, nodes)?
            }
            Target::Group(name) => grow(name, Some(id), &groups[name], groups, nodes)?,
        });
    }
    nodes[usize::from(id.0)].pick = pick(choice.route, children);
    Some(id)
}

fn push(node: Node, nodes: &mut Vec<Node>) -> Option<NodeId> {
    let id = u16::try_from(nodes.len()).ok().filter(|id| usize::from(*id) < NODES_MAX)?;
    nodes.push(node);
    Some(NodeId(id))
}

/// How a route chooses among its children, which come in the order of its names.
fn pick(route: &Route, children: Vec<NodeId>) -> Pick {
    match route {
        Route::Prefer(_) => Pick::Prefer(children),
        Route::Weighted(weights) => {
            Pick::Weighted(children.into_iter().zip(weights.values().map(|weight| weight.value)).collect())
        }
        Route::RoundRobin(_) => Pick::RoundRobin(children),
        Route::LeastInFlight(_) => Pick::LeastInFlight(children),
        Route::LowestLatency(lowest) => Pick::LowestLatency(
            children,
            model::LowestLatency {
                average: match &lowest.last {
                    Some(last) => model::Average::Last(last.value),
                    None => model::Average::Ewma(lowest.weight.value),
                },
                failure_counts_as: match lowest.failures {
                    Failures::Counted => Some(lowest.failure_counts_as.value),
                    Failures::Ignored => None,
                },
                buffer: lowest.buffer.value,
                explore: lowest.explore.value,
            },
        ),
        Route::PeakEwma(peak) => Pick::PeakEwma(
            children,
            model::PeakEwma { decay: peak.decay.value, failure_counts_as: peak.failure_counts_as.value },
        ),
        Route::Cheapest(_) => Pick::Cheapest(children),
        Route::InverseSquarePrice(_) => Pick::InverseSquarePrice(children),
        Route::CostMinimization(cost) => {
            let max_per_thousand = cost.max_cost_per_1k.as_ref().map(|most| most.value);
            let of = match cost.price {
                PriceOf::Output => model::PerThousand::Output,
                PriceOf::Input => model::PerThousand::Input,
                PriceOf::Blended => model::PerThousand::Blended,
            };
            Pick::CostMinimization(children, model::CostLimit { max_per_thousand, of })
        }
        Route::Split(split) => Pick::Split { share: split.share.value, children: [children[0], children[1]] },
        Route::Sticky(sticky) => Pick::Sticky { users: sticky.users.value, children },
    }
}
