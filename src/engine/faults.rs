//! The faults of a run: the model's own, and those that its sources of incidents give this run.

use super::recorder::{Milestone, Recorder};
use super::{Event, Simulation};
use crate::model::{Fault, Incidents, Model};
use crate::random::Key;
use crate::time::SimTime;

/// What goes wrong with providers in a run, and when that changes.
#[derive(Debug)]
pub(super) struct RunFaults {
    /// By source, in the order of [`Model::incidents`].
    incidents: Vec<Vec<Fault>>,
    /// In order.
    edges: Vec<(SimTime, Edge)>,
}

/// A change of what faults do. At equal times faults start, change and end in this order, each by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    /// The model's fault at this index.
    FaultStarts(usize),
    /// An incident of this source, and its number among the source's in this run, from 1.
    IncidentStarts(usize, u32),
    /// A fault that is on its way out hits another share of calls.
    Changes,
    FaultEnds(usize),
    IncidentEnds(usize, u32),
}

impl RunFaults {
    pub fn new(model: &Model, run: Key) -> Self {
        let of = |source: &Incidents| source.of_run(run, model.duration, &model.providers);
        let incidents: Vec<Vec<Fault>> = model.incidents.iter().map(of).collect();
        let end = SimTime::START.after(model.duration);
        let mut edges = Vec::new();
        let mut add = |fault: &Fault, starts, ends| {
            edges.push((fault.start, starts));
            let inner = fault.phases().flat_map(|phase| [phase.start, phase.end]);
            let inner = inner.filter(|at| *at != fault.start && *at != fault.end);
            edges.extend(
                inner.map(|at| (at, Edge::Changes)).chain([(fault.end, ends)]).filter(|(at, _)| *at < end),
            );
        };
        for (i, fault) in model.faults.iter().enumerate() {
            add(fault, Edge::FaultStarts(i), Edge::FaultEnds(i));
        }
        for (source, incidents) in incidents.iter().enumerate() {
            for (number, fault) in (1..).zip(incidents) {
                add(fault, Edge::IncidentStarts(source, number), Edge::IncidentEnds(source, number));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        RunFaults { incidents, edges }
    }

    /// All of them: the model's own, and then incidents.
    pub fn all<'a>(&'a self, model: &'a Model) -> impl Iterator<Item = &'a Fault> {
        model.faults.iter().chain(self.incidents.iter().flatten())
    }
}

/// All that goes wrong with providers in a run: the model's own faults, and then what its sources of incidents draw for it.
pub fn faults_of(model: &Model, seed: u64, run: u64) -> Vec<Fault> {
    RunFaults::new(model, Key::for_run(seed, run)).all(model).cloned().collect()
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// Schedules what faults do next: only one of their edges is pending, as there may be thousands.
    pub(super) fn schedule_edge(&mut self, edge: u32) {
        if let Some((at, _)) = self.faults.edges.get(edge as usize) {
            self.queue.push(*at, Event::FaultEdge(edge));
        }
    }

    pub(super) fn on_fault_edge(&mut self, now: SimTime, edge: u32) {
        self.catch_up(now);
        self.schedule_edge(edge + 1);
        let milestone = match self.faults.edges[edge as usize].1 {
            Edge::FaultStarts(i) => Milestone::FaultStarts(i),
            Edge::FaultEnds(i) => Milestone::FaultEnds(i),
            Edge::IncidentStarts(source, number) => Milestone::IncidentStarts { source, number },
            Edge::IncidentEnds(source, number) => Milestone::IncidentEnds { source, number },
            Edge::Changes => return,
        };
        self.recorder.milestone(now, milestone);
    }
}
