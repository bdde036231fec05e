//! What one replica has learned from its own attempts, for routes that go by it.

use super::routing::Place;
use crate::model::{Average, LowestLatency, Model, NodeId, PeakEwma, Pick, ProviderId};
use crate::random;
use crate::time::{SimDuration, SimTime};
use std::collections::VecDeque;

/// What was observed of one provider.
#[derive(Debug, Clone, Default)]
struct Observed {
    in_flight: u32,
    /// The average latency of attempts, in nanoseconds.
    average_nanos: Option<f64>,
    /// The latencies of the last attempts, where the average is over so many.
    last_nanos: VecDeque<f64>,
    /// The peak moving average in nanoseconds, and when it was brought up to date.
    peak: Option<(f64, SimTime)>,
}

/// One replica's own observations.
#[derive(Debug, Clone)]
pub(super) struct Learned {
    providers: Vec<Observed>,
    /// By node of the route: whose turn it is.
    turns: Vec<usize>,
}

impl Learned {
    pub fn new(model: &Model) -> Self {
        Learned {
            providers: vec![Observed::default(); model.providers.len()],
            turns: vec![0; model.gateway.route.nodes().len()],
        }
    }

    pub fn turn(&self, node: NodeId) -> usize {
        self.turns[usize::from(node.0)]
    }

    pub fn in_flight(&self, provider: ProviderId) -> u32 {
        self.providers[provider.index()].in_flight
    }

    /// In nanoseconds; `None` if nothing was observed yet.
    pub fn average(&self, provider: ProviderId) -> Option<f64> {
        self.providers[provider.index()].average_nanos
    }

    /// Latency times attempts in flight; a provider that nothing is known of has the cost of its attempts in flight.
    ///
    /// Source: Twitter Finagle `PeakEwma.scala`: `cost * (pending + 1)`, and a penalty while nothing is known.
    pub fn peak_cost(&self, peak: &PeakEwma, now: SimTime, provider: ProviderId) -> f64 {
        const PENALTY: f64 = 1e15;
        let observed = &self.providers[provider.index()];
        let pending = f64::from(observed.in_flight);
        match observed.peak {
            Some((cost, at)) => cost * weight_after(now.since(at), peak.decay) * (pending + 1.0),
            None if observed.in_flight == 0 => 0.0,
            None => PENALTY + pending,
        }
    }

    /// An attempt is sent to a place.
    pub fn on_sent(&mut self, model: &Model, place: Place) {
        self.providers[place.provider.index()].in_flight += 1;
        let route = &model.gateway.route;
        let mut node = place.node;
        while let Some(parent) = route.node(node).parent {
            if let Pick::RoundRobin(children) = &route.node(parent).pick {
                let nth = children.iter().position(|child| *child == node).unwrap_or(0);
                self.turns[usize::from(parent.0)] = (nth + 1) % children.len();
            }
            node = parent;
        }
    }

    /// An attempt has ended after `latency`.
    pub fn on_ended(&mut self, model: &Model, now: SimTime, place: Place, latency: SimDuration, good: bool) {
        let route = &model.gateway.route;
        let observed = &mut self.providers[place.provider.index()];
        observed.in_flight -= 1;
        let mut node = place.node;
        while let Some(parent) = route.node(node).parent {
            match &route.node(parent).pick {
                Pick::LowestLatency(_, lowest) => observed.observe(lowest, latency, good),
                Pick::PeakEwma(_, peak) => observed.observe_peak(peak, now, latency, good),
                _ => {}
            }
            node = parent;
        }
    }
}

impl Observed {
    fn observe(&mut self, lowest: &LowestLatency, latency: SimDuration, good: bool) {
        let counted = match lowest.failure_counts_as {
            _ if good => latency,
            Some(at_least) => latency.max(at_least),
            None => return,
        };
        let new = counted.as_nanos() as f64;
        self.average_nanos = Some(match (lowest.average, self.average_nanos) {
            (Average::Ewma(_), None) => new,
            (Average::Ewma(weight), Some(average)) => average + weight * (new - average),
            (Average::Last(count), _) => {
                self.last_nanos.push_back(new);
                if self.last_nanos.len() > count as usize {
                    self.last_nanos.pop_front();
                }
                self.last_nanos.iter().sum::<f64>() / self.last_nanos.len() as f64
            }
        });
    }

    fn observe_peak(&mut self, peak: &PeakEwma, now: SimTime, latency: SimDuration, good: bool) {
        let counted = if good { latency } else { latency.max(peak.failure_counts_as) };
        let new = counted.as_nanos() as f64;
        let cost = match self.peak {
            Some((cost, at)) if cost > new => {
                let weight = weight_after(now.since(at), peak.decay);
                cost * weight + new * (1.0 - weight)
            }
            _ => new,
        };
        self.peak = Some((cost, now));
    }
}

/// What an exponential decay leaves after a time.
fn weight_after(time: SimDuration, decay: SimDuration) -> f64 {
    random::exp((-time.as_secs_f64() / decay.as_secs_f64()).max(-700.0))
}
