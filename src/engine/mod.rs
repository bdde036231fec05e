//! The simulator: takes a [`Model`], plays one run of it and reports to a [`Recorder`].
//!
//! It does no input or output, reads no clock and cannot fail. A run ends when arrivals have stopped at the model's
//! duration and everything in flight has ended.
//!
//! Events at equal times come in a written order that does not depend on who scheduled them: fault edges, results of
//! probes, ends of attempts, probes due, the operator, arrivals; within a kind by entity and then by ordinal.

mod arrivals;
mod attempts;
mod health_check;
mod queue;
mod recorder;
mod routing;
mod world;

pub use recorder::{Cause, Ending, HealthChange, Milestone, ProbeEnd, Recorder, RequestEnd, Stage};

use crate::model::{Model, ProviderId, Route};
use crate::random::Key;
use crate::time::SimTime;
use arrivals::ArrivalStream;
use attempts::InFlight;
use health_check::{ConsecutiveCounter, Prober, Verdict, prober_key};
use queue::{Event, Queue};
use routing::{Choice, Switches, View, choose};
use world::{Answer, Hit, World};

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
    let somebody_listens = R::NEEDS_ORDER || matches!(model.gateway.route, Route::LowestLatency(_));
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

const REPLICA: Key = Key::purpose("replica");

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

/// One replica's health check of one provider.
#[derive(Debug, Clone)]
struct Detector {
    counter: ConsecutiveCounter,
    /// Probes whose result is not known yet: more than one where they overlap.
    probes: Vec<ProbeEnd>,
    /// Whether the last ejection came with no fault active. The truth, kept for the recorder.
    ejected_falsely: bool,
}

impl<'m, 'r, R: Recorder> Simulation<'m, 'r, R> {
    fn new(model: &'m Model, path: Path, run: Key, recorder: &'r mut R) -> Self {
        let replicas = model.gateway.replicas.get() as usize;
        let detector =
            Detector { counter: ConsecutiveCounter::new(), probes: Vec::new(), ejected_falsely: false };
        Simulation {
            model,
            path,
            run,
            requests: run.named("requests"),
            world: World::new(model),
            queue: Queue::default(),
            in_flight: InFlight::default(),
            views: vec![View::new(model); replicas],
            detectors: vec![detector; replicas * model.providers.len()],
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

    fn schedule_first_probes(&mut self) {
        let Some(check) = &self.model.gateway.health_check else { return };
        for replica in 0..self.model.gateway.replicas.get() {
            for provider in (0..self.model.providers.len()).map(ProviderId::new) {
                let prober = Prober { replica, provider };
                let key = prober_key(self.run, prober, self.world.provider_key(provider));
                self.schedule_probe(check.first_probe_at(key), prober, 0);
            }
        }
    }

    fn schedule_probe(&mut self, at: SimTime, prober: Prober, ordinal: u32) {
        if at < self.end() {
            self.queue.push(at, Event::ProbeDue { prober, ordinal });
        }
    }

    fn on_event(&mut self, now: SimTime, event: Event) {
        match event {
            Event::FaultStarts(i) => self.recorder.milestone(now, Milestone::FaultStarts(i as usize)),
            Event::FaultEnds(i) => self.recorder.milestone(now, Milestone::FaultEnds(i as usize)),
            Event::ProbeEnds { prober, ordinal } => self.on_probe_end(now, prober, ordinal),
            Event::AttemptEnds { slot, .. } => {
                let request = self.in_flight.take(slot);
                self.on_attempt_end(&request);
            }
            Event::ProbeDue { prober, ordinal } => self.on_probe_due(now, prober, ordinal),
            Event::OperatorActs(i) => {
                self.switches.act(&self.model.operator[i as usize]);
                self.recorder.milestone(now, Milestone::OperatorActs(i as usize));
            }
        }
    }

    #[inline]
    fn on_arrival(&mut self, now: SimTime) {
        let ordinal = self.arrived;
        self.arrived += 1;
        let key = self.requests.numbered(ordinal);
        let replicas = self.model.gateway.replicas.get();
        let replica =
            if replicas == 1 { 0 } else { (key.joined(REPLICA).unit() * f64::from(replicas)) as u32 };
        let choice = choose(&self.model.gateway, &self.views[replica as usize], &self.switches, key);
        let (ending, ended, status) = self.ending(now, key, replica, choice);
        let request = RequestEnd {
            ordinal,
            replica,
            arrived: now,
            ended,
            provider: choice.provider,
            attempts: u32::from(choice.provider.is_some()),
            ending,
            status,
            saved_by_hand: !self.switches.is_empty()
                && ending == Ending::Succeeded
                && self.would_fail_unswitched(now, key, replica, choice),
        };
        if self.path == Path::Plain && ended < SimTime::NEVER {
            let slot = self.in_flight.insert(request);
            self.queue.push(ended, Event::AttemptEnds { request: ordinal, slot });
        } else {
            self.on_attempt_end(&request);
        }
    }

    #[inline(always)]
    fn on_attempt_end(&mut self, request: &RequestEnd) {
        if let (Route::LowestLatency(lowest), Some(provider)) = (&self.model.gateway.route, request.provider)
            && request.ended < SimTime::NEVER
        {
            let latency = request.ended.since(request.arrived);
            let good = request.ending == Ending::Succeeded;
            self.views[request.replica as usize].observe(lowest, provider, latency, good);
        }
        self.ended += 1;
        self.recorder.request_ended(request);
    }

    /// How a request ends that is sent where `choice` says, when, and with which error status.
    #[inline(always)]
    fn ending(&self, now: SimTime, key: Key, replica: u32, choice: Choice) -> (Ending, SimTime, Option<u16>) {
        let Some(provider) = choice.provider else {
            let stage = self.stage_without_provider(now, replica);
            return (Ending::Failed(Cause::NoProvider, stage), now, None);
        };
        let deadline = self.model.traffic.client_timeout.map_or(SimTime::NEVER, |t| now.after(t));
        let fate = self.world.attempt(provider, self.attempt_key(key, provider), now).until(deadline);
        let failed = |cause| Ending::Failed(cause, self.stage(now, replica, choice, fate.hit));
        match fate.answer {
            Answer::Good => (Ending::Succeeded, fate.ends, None),
            Answer::Status(code) => (failed(Cause::Status), fate.ends, Some(code)),
            Answer::Refused => (failed(Cause::Refused), fate.ends, None),
            Answer::ConnectionLost => (failed(Cause::InFlightAtOnset), fate.ends, None),
            Answer::Never if fate.ends == SimTime::NEVER => (Ending::Open, fate.ends, None),
            Answer::Never => (failed(Cause::Timeout), fate.ends, None),
        }
    }

    /// An attempt's draws belong to the request, the provider and which try at that provider it is: the first.
    fn attempt_key(&self, request: Key, provider: ProviderId) -> Key {
        request.joined(self.world.provider_key(provider).numbered(0))
    }

    fn would_fail_unswitched(&self, now: SimTime, key: Key, replica: u32, choice: Choice) -> bool {
        let gateway = &self.model.gateway;
        let unswitched = choose(gateway, &self.views[replica as usize], &Switches::default(), key);
        unswitched.provider != choice.provider
            && match self.ending(now, key, replica, unswitched).0 {
                Ending::Succeeded => false,
                // A quiet error elsewhere is luck, not something that a hand saves from.
                Ending::Failed(_, stage) => stage != Stage::Background,
                Ending::Open => true,
            }
    }

    fn stage(&self, now: SimTime, replica: u32, choice: Choice, hit: Hit) -> Stage {
        match hit {
            Hit::None => Stage::Background,
            Hit::InFlight => Stage::InFlightAtOnset,
            // It met a fault, but had it not been kept from a healthy provider it would not have.
            Hit::WhenSent if choice.provider != Some(choice.first_choice) => self
                .stage_of_needless_ejection(now, replica, choice.first_choice)
                .unwrap_or(Stage::Undetected),
            Hit::WhenSent => Stage::Undetected,
        }
    }

    fn stage_without_provider(&self, now: SimTime, replica: u32) -> Stage {
        let routed = self.model.gateway.route.providers().iter();
        let needless = routed.filter_map(|&p| self.stage_of_needless_ejection(now, replica, p));
        needless.max_by_key(|stage| *stage == Stage::FalseEjection).unwrap_or(Stage::AllEjected)
    }

    /// Why this provider is ejected now although nothing is wrong with it; `None` if something is, or it is admitted.
    fn stage_of_needless_ejection(&self, now: SimTime, replica: u32, provider: ProviderId) -> Option<Stage> {
        let is_needless = !self.views[replica as usize].is_admitted(provider)
            && !self.world.is_faulty_between(provider, now, now);
        let detector = &self.detectors[self.detector_index(Prober { replica, provider })];
        let stage = if detector.ejected_falsely { Stage::FalseEjection } else { Stage::AfterRecovery };
        is_needless.then_some(stage)
    }

    fn detector_index(&self, prober: Prober) -> usize {
        prober.replica as usize * self.model.providers.len() + prober.provider.index()
    }

    fn on_probe_due(&mut self, now: SimTime, prober: Prober, ordinal: u32) {
        let Some(check) = &self.model.gateway.health_check else { return };
        let provider_key = self.world.provider_key(prober.provider);
        let key = prober_key(self.run, prober, provider_key).numbered(u64::from(ordinal));
        let latency = check.latency.draw(key);
        let fate = self.world.probe(prober.provider, key, now, latency).until(now.after(check.timeout));
        let Prober { replica, provider } = prober;
        let passed = fate.answer == Answer::Good;
        let probe =
            ProbeEnd { replica, provider, ordinal: ordinal.into(), sent: now, ended: fate.ends, passed };
        let detector = self.detector_index(prober);
        self.detectors[detector].probes.push(probe);
        self.recorder.probe_sent();
        self.queue.push(fate.ends, Event::ProbeEnds { prober, ordinal });
        self.schedule_probe(check.next_probe_at(key, now, fate.ends), prober, ordinal + 1);
    }

    fn on_probe_end(&mut self, now: SimTime, prober: Prober, ordinal: u32) {
        let Some(check) = &self.model.gateway.health_check else { return };
        let Prober { replica, provider } = prober;
        let index = self.detector_index(prober);
        let detector = &mut self.detectors[index];
        let nth = detector.probes.iter().position(|p| p.ordinal == u64::from(ordinal));
        let probe = detector.probes.remove(nth.expect("a probe ends once"));
        self.recorder.probe_ended(&probe);
        let is_false = match detector.counter.observe(check, probe.sent, probe.passed) {
            Verdict::Unchanged => return,
            Verdict::Admitted => false,
            Verdict::Ejected { evidence_began } => {
                detector.ejected_falsely = !self.world.is_faulty_between(provider, evidence_began, now);
                detector.ejected_falsely
            }
        };
        self.views[replica as usize].set_admitted(provider, probe.passed);
        let change = HealthChange { at: now, replica, provider, admitted: probe.passed, is_false };
        self.recorder.health_changed(&change);
    }
}
