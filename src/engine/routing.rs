//! Which provider gets an attempt.
//!
//! A router knows what its replica's detectors and its own attempts told it. It does not know [`super::world`].

use crate::model::{AllEjected, Average, Gateway, LowestLatency, Model, OperatorAction, Pick, ProviderId};
use crate::random::Key;
use crate::time::SimDuration;

/// What can eject a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DetectorKind {
    HealthCheck = 1 << 0,
}

/// What one replica believes about each provider.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// By provider: one bit for each kind of detector that has ejected it. It is admitted if none has.
    ejected_by: Vec<u8>,
    /// By provider: the average latency of attempts, in nanoseconds; NaN before the first.
    observed_nanos: Vec<f64>,
}

impl View {
    pub fn new(model: &Model) -> Self {
        let count = model.providers.len();
        View { ejected_by: vec![0; count], observed_nanos: vec![f64::NAN; count] }
    }

    /// Takes in one detector's verdict.
    pub fn set(&mut self, provider: ProviderId, by: DetectorKind, admitted: bool) {
        let bits = &mut self.ejected_by[provider.index()];
        *bits = if admitted { *bits & !(by as u8) } else { *bits | by as u8 };
    }

    #[inline]
    pub fn is_admitted(&self, provider: ProviderId) -> bool {
        self.ejected_by[provider.index()] == 0
    }

    /// Takes in the end of an attempt that took `latency`.
    pub fn observe(&mut self, route: &LowestLatency, provider: ProviderId, latency: SimDuration, good: bool) {
        let counted = if good { latency } else { latency.max(route.failure_counts_as.unwrap_or(latency)) };
        let new = counted.as_nanos() as f64;
        let average = &mut self.observed_nanos[provider.index()];
        let Average::Ewma(weight) = route.average else { return };
        *average = if average.is_nan() { new } else { *average + weight * (new - *average) };
    }
}

/// What somebody has switched by hand.
#[derive(Debug, Clone, Default)]
pub(super) struct Switches {
    avoid: Vec<ProviderId>,
}

impl Switches {
    pub fn act(&mut self, action: &OperatorAction) {
        self.avoid.extend(&action.avoid);
    }

    pub fn is_empty(&self) -> bool {
        self.avoid.is_empty()
    }
}

/// Where a request goes, and where it would have gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    /// The provider that gets the attempt; `None` if the gateway answers with an error itself.
    pub provider: Option<ProviderId>,
    /// The provider that would have got it if all were admitted.
    pub first_choice: ProviderId,
}

const EXPLORE: Key = Key::purpose("explore");
const EXPLORE_WHERE: Key = Key::purpose("explore where");

/// Chooses a provider for the request with this key.
#[inline]
pub(super) fn choose(gateway: &Gateway, view: &View, switches: &Switches, request: Key) -> Choice {
    let all = gateway.route.providers();
    let spared = |p: &ProviderId| !switches.avoid.contains(p);
    // A switch away from every provider leaves none to go to, so it is ignored.
    let heeds_switches = !switches.is_empty() && all.iter().any(spared);
    let candidates = all.iter().filter(|p| !heeds_switches || spared(p)).copied();

    let pick = |admitted_only: bool| {
        let mut eligible = candidates.clone().filter(move |p| !admitted_only || view.is_admitted(*p));
        match &gateway.route.nodes()[0].pick {
            Pick::LowestLatency(_, lowest) => fastest(lowest, view, request, eligible),
            _ => eligible.next(),
        }
    };
    let first_choice = pick(false).expect("a route names at least one provider");
    let provider = if view.is_admitted(first_choice) {
        Some(first_choice)
    } else {
        pick(true).or((gateway.all_ejected == AllEjected::IgnoreHealth).then_some(first_choice))
    };
    Choice { provider, first_choice }
}

fn fastest(
    lowest: &LowestLatency,
    view: &View,
    request: Key,
    eligible: impl Iterator<Item = ProviderId> + Clone,
) -> Option<ProviderId> {
    if request.joined(EXPLORE).coin(lowest.explore.get()) {
        let count = eligible.clone().count();
        let nth = (request.joined(EXPLORE_WHERE).unit() * count as f64) as usize;
        return eligible.into_iter().nth(nth);
    }
    // One that was never measured comes first, or it never would be; `min_by` keeps the first of equals.
    let speed = |p: &ProviderId| {
        let observed = view.observed_nanos[p.index()];
        if observed.is_nan() { 0.0 } else { observed }
    };
    eligible.min_by(|a, b| speed(a).total_cmp(&speed(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Node, NodeId, Probability, Route};

    const A: usize = 0;
    const B: usize = 1;

    fn gateway(route: Route, all_ejected: AllEjected) -> Gateway {
        Gateway { all_ejected, ..Gateway::new(route) }
    }

    fn prefer(indices: &[usize]) -> Route {
        Route::prefer(&ids(indices), |id| format!("{id:?}"))
    }

    fn of(pick: Pick) -> Route {
        let mut nodes: Vec<Node> = prefer(&[A, B]).nodes().to_vec();
        nodes[0].pick = pick;
        Route::new(nodes)
    }

    fn ids(indices: &[usize]) -> Vec<ProviderId> {
        indices.iter().map(|i| ProviderId::new(*i)).collect()
    }

    fn check(gateway: &Gateway, ejected: &[usize], avoid: &[usize], expected: Option<usize>) {
        let mut view = View { ejected_by: vec![0; 2], observed_nanos: vec![f64::NAN; 2] };
        ids(ejected).into_iter().for_each(|p| view.set(p, DetectorKind::HealthCheck, false));
        let switches = Switches { avoid: ids(avoid) };
        let choice = choose(gateway, &view, &switches, Key::for_run(1, 0));
        assert_eq!(choice.provider.map(ProviderId::index), expected, "ejected {ejected:?}, avoid {avoid:?}");
    }

    #[test]
    fn the_first_admitted_of_the_preferred_is_chosen() {
        let strict = gateway(prefer(&[B, A]), AllEjected::Fail);
        check(&strict, &[], &[], Some(B));
        check(&strict, &[B], &[], Some(A));
        check(&strict, &[A, B], &[], None);
        check(&strict, &[], &[B], Some(A));
        check(&strict, &[], &[A, B], Some(B));
        let lenient = gateway(prefer(&[B, A]), AllEjected::IgnoreHealth);
        check(&lenient, &[A, B], &[], Some(B));
    }

    /// A dead provider that fails in no time must not look like the fastest.
    #[test]
    fn a_fast_failure_counts_as_slow() {
        let lowest = LowestLatency {
            average: Average::Ewma(0.5),
            failure_counts_as: Some(SimDuration::from_secs(10)),
            buffer: 0.0,
            explore: Probability::ZERO,
        };
        let gateway =
            gateway(of(Pick::LowestLatency(vec![NodeId(1), NodeId(2)], lowest.clone())), AllEjected::Fail);
        let mut view = View { ejected_by: vec![0; 2], observed_nanos: vec![f64::NAN; 2] };
        let chosen = |view: &View| choose(&gateway, view, &Switches::default(), Key::for_run(1, 0)).provider;
        view.observe(&lowest, ProviderId::new(A), SimDuration::from_millis(100), true);
        assert_eq!(chosen(&view), Some(ProviderId::new(B)), "what was never measured is tried");
        view.observe(&lowest, ProviderId::new(B), SimDuration::from_millis(300), true);
        assert_eq!(chosen(&view), Some(ProviderId::new(A)));
        view.observe(&lowest, ProviderId::new(A), SimDuration::ZERO, false);
        assert_eq!(chosen(&view), Some(ProviderId::new(B)));
    }
}
