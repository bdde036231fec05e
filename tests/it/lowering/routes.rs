//! Routes and groups as they are written, and the tree that they are.

use super::{EVERYTHING, lowered, secs, share};
use failover_sim::model::{Average, LowestLatency, NodeId, PeakEwma, Pick, Probability, Route};

/// A route as one line for each node: its depth, name and way to choose.
fn outline(route: &Route) -> Vec<String> {
    let mut lines = vec![];
    let mut pending = vec![(NodeId(0), 0)];
    while let Some((id, depth)) = pending.pop() {
        let node = route.node(id);
        let how = match &node.pick {
            Pick::Provider(_) => String::new(),
            pick => format!(" {pick:?}").split('(').next().unwrap_or_default().to_owned(),
        };
        let how = how.split(" {").next().unwrap_or_default();
        lines.push(format!("{}{}{how}", "  ".repeat(depth), node.name));
        for child in node.pick.children().into_iter().rev() {
            assert_eq!(route.node(child).parent, Some(id));
            pending.push((child, depth + 1));
        }
    }
    lines
}

#[test]
fn groups_are_a_tree() {
    let route = lowered(EVERYTHING).gateway.route;
    assert_eq!(
        outline(&route).join("\n"),
        "\
route Prefer
  cheap Split
    fast LowestLatency
      a
      b
    spread Weighted
      a
      peak PeakEwma
        c
        d
      turns RoundRobin
        b
        idle LeastInFlight
          c
          d
        d
  a
  users Sticky
    price Cheapest
      a
      b
    cost CostMinimization
      b
      a
    prices InverseSquarePrice
      a
      b
    faster LowestLatency
      a
      b
      c
      d
    idle LeastInFlight
      c
      d"
    );
    let pick = |name: &str| &route.nodes().iter().find(|node| node.name == name).expect("a node").pick;
    assert!(matches!(pick("cheap"), Pick::Split { share: s, .. } if *s == share(0.1)));
    assert!(matches!(pick("users"), Pick::Sticky { users: 100, .. }));
    let Pick::Weighted(weighted) = pick("spread") else { panic!("weighted") };
    let weights: Vec<_> = weighted.iter().map(|(id, w)| (route.node(*id).name.as_str(), *w)).collect();
    assert_eq!(weights, [("a", 3.0), ("peak", 0.5), ("turns", 1.0)]);
    let fast = LowestLatency {
        average: Average::Last(10),
        failure_counts_as: None,
        buffer: 0.1,
        explore: Probability::ZERO,
    };
    assert!(matches!(pick("fast"), Pick::LowestLatency(_, lowest) if *lowest == fast));
    let faster = LowestLatency {
        average: Average::Ewma(0.2),
        failure_counts_as: Some(secs(5)),
        buffer: 0.0,
        explore: share(0.01),
    };
    assert!(matches!(pick("faster"), Pick::LowestLatency(_, lowest) if *lowest == faster));
    let peak = PeakEwma { decay: secs(20), failure_counts_as: secs(30) };
    assert!(matches!(pick("peak"), Pick::PeakEwma(_, found) if *found == peak));
}
