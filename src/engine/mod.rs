//! The simulator: takes a [`Model`], plays one run of it and reports to a [`Recorder`].
//!
//! It does no input or output, reads no clock and cannot fail. A run ends when arrivals have stopped at the model's
//! duration and everything in flight has ended.
//!
//! Events at equal times come in a written order that does not depend on who scheduled them: fault edges, results of
//! probes, ends of attempts, probes due, the operator, arrivals; within a kind by entity and then by ordinal.

mod arrivals;
mod attempts;
#[allow(dead_code)]
mod breaker;
mod call;
#[allow(dead_code)]
mod ejection;
mod health_check;
#[allow(dead_code)]
mod nginx;
#[allow(dead_code)]
mod outlier;
mod probe;
mod queue;
mod recorder;
mod request;
mod routing;
mod stage;
#[allow(dead_code)]
mod window;
mod world;

pub use recorder::{Cause, Ending, HealthChange, Milestone, ProbeEnd, Recorder, RequestEnd, Stage};

use crate::model::Model;
use crate::random::Key;
use crate::time::SimTime;
use arrivals::ArrivalStream;
use attempts::InFlight;
use probe::Detector;
use queue::{Event, Queue};
use routing::{Switches, View};
use world::World;

/// How the engine arrives at an outcome. Every path gives the same outcome, to the bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// Everything is an event: the oracle for the others.
    Plain,
    /// A request's end is decided when it arrives, where nothing in the gateway listens to it.
    Direct,
}

impl Path {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Path::Plain => "plain",
            Path::Direct => "direct",
        }
    }
}

/// What the engine itself can say of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunStats {
    /// Requests that arrived; each was reported to the recorder once.
    pub arrived: u64,
    /// Events handled, arrivals included.
    pub events: u64,
}

/// The fastest path that is exact for this model, when listening with `R`.
pub fn fastest_path<R: Recorder>(model: &Model) -> Path {
    let somebody_listens = R::NEEDS_ORDER || model.gateway.listens_to_attempts();
    if somebody_listens { Path::Plain } else { Path::Direct }
}

/// Plays the run of this number and seed on the fastest exact path.
pub fn simulate<R: Recorder>(model: &Model, seed: u64, run: u64, recorder: &mut R) -> RunStats {
    simulate_on(fastest_path::<R>(model), model, seed, run, recorder)
}

/// Plays a run on the given path.
///
/// # Panics
/// If the path is not exact for this model and recorder, or if a request was lost or counted twice: a bug.
pub fn simulate_on<R: Recorder>(
    path: Path,
    model: &Model,
    seed: u64,
    run: u64,
    recorder: &mut R,
) -> RunStats {
    assert!(path <= fastest_path::<R>(model), "the {path:?} path is not exact for this model");
    let mut simulation = Simulation::new(model, path, Key::for_run(seed, run), recorder);
    simulation.play();
    let Simulation { arrived, ended, events, .. } = simulation;
    assert_eq!(arrived, ended, "every request ends once");
    RunStats { arrived, events }
}

struct Simulation<'m, 'r, R> {
    model: &'m Model,
    path: Path,
    run: Key,
    requests: Key,
    world: World<'m>,
    queue: Queue,
    in_flight: InFlight,
    /// By replica.
    views: Vec<View>,
    /// By replica, then provider.
    detectors: Vec<Detector>,
    switches: Switches,
    recorder: &'r mut R,
    arrived: u64,
    ended: u64,
    events: u64,
}

impl<'m, 'r, R: Recorder> Simulation<'m, 'r, R> {
    fn new(model: &'m Model, path: Path, run: Key, recorder: &'r mut R) -> Self {
        let replicas = model.gateway.replicas.get() as usize;
        Simulation {
            model,
            path,
            run,
            requests: run.named("requests"),
            world: World::new(model),
            queue: Queue::default(),
            in_flight: InFlight::default(),
            views: vec![View::new(model); replicas],
            detectors: vec![Detector::new(); replicas * model.providers.len()],
            switches: Switches::default(),
            recorder,
            arrived: 0,
            ended: 0,
            events: 0,
        }
    }

    fn play(&mut self) {
        self.schedule_incident();
        self.schedule_first_probes();
        let traffic = &self.model.traffic;
        let mut arrivals =
            ArrivalStream::new(&traffic.arrivals, self.run.named("arrivals"), self.model.duration);
        let mut next_arrival = arrivals.next();
        loop {
            if next_arrival < self.queue.next_at() {
                self.on_arrival(next_arrival);
                next_arrival = arrivals.next();
            } else if let Some((now, event)) = self.queue.pop() {
                self.on_event(now, event);
            } else {
                break;
            }
            self.events += 1;
        }
    }

    /// When arrivals and probes stop.
    fn end(&self) -> SimTime {
        SimTime::START.after(self.model.duration)
    }

    fn schedule_incident(&mut self) {
        for (i, fault) in (0..).zip(&self.model.faults) {
            self.queue.push(fault.start, Event::FaultStarts(i));
            if fault.end < self.end() {
                self.queue.push(fault.end, Event::FaultEnds(i));
            }
        }
        for (i, action) in (0..).zip(&self.model.operator) {
            self.queue.push(action.at, Event::OperatorActs(i));
        }
    }

    fn on_event(&mut self, now: SimTime, event: Event) {
        match event {
            Event::FaultStarts(i) => self.recorder.milestone(now, Milestone::FaultStarts(i as usize)),
            Event::FaultEnds(i) => self.recorder.milestone(now, Milestone::FaultEnds(i as usize)),
            Event::ProbeEnds { prober, ordinal } => self.on_probe_end(now, prober, ordinal),
            Event::AttemptEnds { slot, .. } => {
                let attempt = self.in_flight.take(slot);
                self.on_attempt_end(&attempt);
            }
            Event::ProbeDue { prober, ordinal } => self.on_probe_due(now, prober, ordinal),
            Event::OperatorActs(i) => {
                self.switches.act(&self.model.operator[i as usize]);
                self.recorder.milestone(now, Milestone::OperatorActs(i as usize));
            }
        }
    }
}
