//! The simulator: takes a [`Model`], plays one run of it and reports to a [`Recorder`].
//!
//! It does no input or output, reads no clock and cannot fail. A run ends when arrivals have stopped at the model's
//! duration and everything in flight has ended.
//!
//! Events at equal times come in a written order that does not depend on who scheduled them: fault edges, results of
//! probes, ends of attempts, timers of detectors and requests, probes due, alerts, the operator, arrivals; within a kind
//! by entity and then by ordinal.

mod alerts;
mod arrivals;
mod attempt;
mod backoff;
mod billing;
mod breaker;
mod budget;
mod call;
mod capacity;
mod client;
mod conversations;
mod detection;
mod detour;
mod ejection;
mod fallback;
mod faults;
mod gateway_limit;
mod health_check;
mod latencies;
mod latency_cells;
mod learned;
mod limits;
mod memo;
mod meter;
mod nginx;
mod operator;
mod outlier;
mod poisson;
mod probe;
mod queue;
mod quota;
mod recorder;
mod renewal;
mod replay;
mod replicas;
mod request;
mod retry;
mod routing;
mod slab;
mod smooth;
mod stack;
mod stage;
mod status_page;
mod stretch;
mod switching;
mod tariff;
mod trouble;
mod usage;
mod users;
mod view;
mod window;
mod world;

pub use faults::faults_of;
pub use memo::Memo;
pub use recorder::{
    Alike, AttemptEnd, BeliefChange, Candidate, Cause, EjectedBy, Ending, HealthChange, Milestone, ProbeEnd,
    Recorder, RequestEnd, Stage,
};
pub use usage::{Billed, CallKind, Usage};

use crate::model::{
    Answer, Arrivals, Capacity, Detector, Discipline, HealthScope, Model, OnEjection, Provider, ProviderId,
    Retry, Timeouts,
};
use crate::random::Key;
use crate::time::SimTime;
use alerts::Alerts;
use arrivals::ArrivalStream;
use attempt::Attempt;

use billing::Ledger;
use breaker::Breaker;
use budget::BudgetState;
use capacity::Slots;
use faults::RunFaults;
use gateway_limit::Door;
use latencies::Latencies;
use learned::Learned;
use limits::Warmth;
use memo::LatencyMemo;
use operator::OperatorState;
use probe::Checker;
use queue::{Event, Queue};
use quota::Quotas;
use replicas::Down;
use request::Request;
use routing::Switches;
use slab::{Slab, Slot};
use smooth::Smooth;
use stack::Stack;
use std::collections::VecDeque;
use tariff::Tariffs;
use users::Users;
use view::{Beliefs, View};
use world::World;

/// How the engine arrives at an outcome. Every path gives the same outcome, to the bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// Everything is an event: the oracle for the others.
    Plain,
    /// A request is settled when it arrives, where nothing in the gateway listens to its good end.
    Direct,
    /// The same, and requests that fare alike are counted instead of played. Detectors of failures in a row may listen.
    Counting,
}

impl Path {
    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Path::Plain => "plain",
            Path::Direct => "direct",
            Path::Counting => "counting",
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
    let budget = |retry: &Option<Retry>| retry.as_ref().is_some_and(|retry| retry.budget.is_some());
    // Retries have to come to a queue in their order.
    let queues = stretch::tries_again(model) && model.providers.iter().any(|p| p.capacity.is_some());
    // Users hear how their requests end, and ask again after that.
    let somebody_listens = matches!(model.traffic.arrivals, Arrivals::Users(_))
        || R::NEEDS_ORDER
        || R::NEEDS_ATTEMPTS
        || model.gateway.listens_to_successes()
        || budget(&model.traffic.client_retry)
        || !model.alerts().is_empty()
        // A good answer leaves its prompt in a cache.
        || (R::TAKES_BILLS && model.has_prompt_caches());
    let detects = !model.gateway.detectors.is_empty();
    // Requests that are not looked at have no tokens to bill, unless all have the same.
    let asks_alike = !model.traffic.demand_differs() && !model.traffic.asks_by_row();
    let bills_each = R::TAKES_BILLS && model.has_bills() && !asks_alike;
    // What is routed later may meet another view of health than it would have when it arrived.
    if somebody_listens
        || queues
        || limits_depend_on_others(model)
        || model.gateway.limit.is_some()
        || model.gateway.cache.is_some()
        || detour::exists(model)
        || (detects && !stretch::spares_detectors(model))
    {
        Path::Plain
    } else if R::TAKES_NUMBERS && !bills_each {
        Path::Counting
    } else if detects {
        Path::Plain
    } else {
        Path::Direct
    }
}

/// Whether what becomes of an attempt depends on what others have taken, other than by the order in which they were sent.
fn limits_depend_on_others(model: &Model) -> bool {
    let depends =
        |p: &Provider| p.cold.is_some() || p.capacity.is_some_and(|c| c.discipline == Discipline::Lifo);
    !model.quotas.is_empty() || model.providers.iter().any(depends)
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
    simulate_with(&mut Memo::default(), path, model, seed, run, recorder)
}

/// The same, with what another run has found out. Most of it comes from one of the same number and seed.
///
/// # Panics
/// As [`simulate_on`].
pub fn simulate_with<R: Recorder>(
    memo: &mut Memo,
    path: Path,
    model: &Model,
    seed: u64,
    run: u64,
    recorder: &mut R,
) -> RunStats {
    assert!(path <= fastest_path::<R>(model), "the {path:?} path is not exact for this model");
    let mut simulation = Simulation::new(model, path, Key::for_run(seed, run), recorder, memo);
    simulation.play();
    let Simulation { arrived, ended, events, .. } = simulation;
    assert_eq!(arrived, ended, "every request ends once");
    RunStats { arrived, events }
}

struct Simulation<'m: 'r, 'r, R> {
    model: &'m Model,
    path: Path,
    run: Key,
    /// By ordinal, the keys of requests are its numbered children; those of users, theirs.
    requests: Key,
    latencies: Latencies<'m>,
    faults: RunFaults,
    world: World<'m>,
    queue: Queue,
    arrivals: ArrivalStream<'r>,
    /// `None` if what arrives heeds no answer.
    users: Option<Users<'m>>,
    latency_memo: &'r mut LatencyMemo,
    /// What arrived before has been settled, on the paths that do so.
    settled_until: SimTime,
    /// Whether a good end is known when its attempt is sent, as nobody waits for it.
    settles: bool,
    /// Whether calls are routed later than their clients send them.
    has_detour: bool,
    /// Whether a request that is not served can be tried again.
    tries_again: bool,
    /// Whether the first choice of all requests at a replica is the same.
    chooses_alike: bool,
    requests_in_flight: Slab<Request>,
    attempts: Slab<Attempt>,
    /// Requests that go well, which have no other record.
    smooth: Slab<Smooth>,
    /// Whether there may be any.
    has_smooth: bool,
    /// By replica: requests that wait until a provider is admitted.
    waiting: Vec<VecDeque<Slot>>,
    /// By provider; `None` where there is no limit, or not of this kind.
    slots: Vec<Option<Slots>>,
    stacks: Vec<Option<Stack>>,
    /// By provider.
    warmth: Vec<Warmth>,
    quotas: Quotas<'m>,
    /// By replica; empty where replicas take everything in.
    doors: Vec<Door>,
    /// Whether any provider, or any account, has a limit.
    has_limits: bool,
    /// How many owners of detectors there are: the replicas, or one for all of them.
    owners: u32,
    /// By owner, provider and observer.
    checkers: Vec<Checker>,
    /// By owner, provider and detector.
    breakers: Vec<Breaker>,
    /// How many of the pending events are ticks of passive detectors.
    ticks: usize,
    /// For each of `breakers`, when it was last asked to be woken.
    wakes: Vec<Option<SimTime>>,
    beliefs: Beliefs,
    /// By owner: whether any attempt was sent.
    has_traffic: Vec<bool>,
    /// By replica.
    views: Vec<View>,
    /// By replica.
    learned: Vec<Learned>,
    /// The timers of a request's last possible attempt.
    last_timeouts: Timeouts,
    /// Whether the gateway has no timers for attempts.
    is_patient: bool,
    /// Whether nothing ends an attempt that hangs while nobody gives up on it.
    hangs_for_good: bool,
    /// Whether routing goes by what was learned.
    learns: bool,
    /// By replica: calls that it has at present.
    inside: Vec<u32>,
    /// By replica; empty where retries have no budget.
    budgets: Vec<BudgetState>,
    client_budget: Option<BudgetState>,
    down: Down,
    switches: Switches,
    /// Whether somebody wants to know what providers charge for, and that can be said.
    bills: bool,
    ledger: Ledger,
    tariffs: Tariffs,
    /// By operator.
    operators: Vec<OperatorState>,
    alerts: Alerts,
    /// Whether there are any.
    has_alerts: bool,
    recorder: &'r mut R,
    arrived: u64,
    ended: u64,
    events: u64,
}

/// The provider's capacity, if its queue is of this kind.
fn queue_of(provider: &Provider, discipline: Discipline) -> Option<&Capacity> {
    provider.capacity.as_ref().filter(|capacity| capacity.discipline == discipline)
}

/// A passive detector's state for one owner and provider, as it is at the start.
fn new_breaker(settings: &Detector, run: Key, owner: u32, provider: Key) -> Breaker {
    let key = detection::detector_key(run, owner, settings).joined(provider);
    Breaker::new(settings, key, detection::clock_phase(run))
}

impl<'m, 'r, R: Recorder> Simulation<'m, 'r, R> {
    fn new(model: &'m Model, path: Path, run: Key, recorder: &'r mut R, memo: &'r mut Memo) -> Self {
        let gateway = &model.gateway;
        let requests = run.named("requests");
        let settles = path != Path::Plain && gateway.detectors.is_empty();
        let replicas = gateway.replicas.get() as usize;
        let owners = if gateway.health == HealthScope::Own { replicas } else { 1 };
        let observers = gateway.health_check.as_ref().map_or(0, |check| check.observers.get() as usize);
        let faults = RunFaults::new(model, run);
        let world = World::new(model, faults.all(model));
        let mut breakers = Vec::new();
        for owner in 0..owners as u32 {
            for provider in (0..model.providers.len()).map(ProviderId::new) {
                let of = |settings| new_breaker(settings, run, owner, world.provider_key(provider));
                breakers.extend(gateway.detectors.iter().map(of));
            }
        }
        let budget = gateway.retry.as_ref().and_then(|retry| retry.budget.as_ref());
        let client_budget = model.traffic.client_retry.as_ref().and_then(|retry| retry.budget.as_ref());
        Simulation {
            model,
            path,
            run,
            requests,
            latencies: Latencies::new(model, requests),
            faults,
            world,
            queue: Queue::default(),
            arrivals: ArrivalStream::new(
                &model.traffic,
                run.named("arrivals"),
                model.duration,
                &mut memo.prefixes,
            ),
            users: Users::of(model, requests),
            latency_memo: &mut memo.latencies,
            settled_until: SimTime::START,
            settles,
            has_detour: detour::exists(model),
            tries_again: stretch::tries_again(model),
            chooses_alike: stretch::chooses_alike(model),
            requests_in_flight: Slab::default(),
            attempts: Slab::default(),
            smooth: Slab::default(),
            has_smooth: !settles && smooth::is_possible::<R>(model),
            waiting: vec![VecDeque::new(); replicas],
            slots: model.providers.iter().map(|p| queue_of(p, Discipline::Fifo).map(Slots::new)).collect(),
            stacks: model
                .providers
                .iter()
                .map(|p| queue_of(p, Discipline::Lifo).map(|_| Stack::default()))
                .collect(),
            warmth: vec![Warmth::default(); model.providers.len()],
            quotas: Quotas::new(model),
            doors: gateway.limit.iter().flat_map(|limit| vec![Door::new(limit); replicas]).collect(),
            has_limits: limits_depend_on_others(model)
                || model.providers.iter().any(|p| p.capacity.is_some()),
            owners: owners as u32,
            checkers: vec![Checker::new(); owners * model.providers.len() * observers],
            wakes: vec![None; breakers.len()],
            breakers,
            ticks: 0,
            beliefs: Beliefs::new(model, owners),
            has_traffic: vec![false; owners],
            views: vec![View::new(model.providers.len()); replicas],
            learned: vec![Learned::new(model); replicas],
            last_timeouts: gateway.timeouts.of_last_attempt(),
            is_patient: gateway.timeouts.are_none_for_attempts(),
            hangs_for_good: gateway.faults.is_empty() && gateway.on_ejection == OnEjection::Drain,
            learns: gateway.route.learns(),
            inside: vec![0; replicas],
            budgets: budget.map_or(Vec::new(), |b| (0..replicas).map(|_| BudgetState::new(b)).collect()),
            client_budget: client_budget.map(BudgetState::new),
            down: Down::new(gateway.replicas.get()),
            switches: Switches::default(),
            bills: R::TAKES_BILLS && model.has_bills(),
            ledger: Ledger::new(model),
            tariffs: Tariffs::new(model),
            operators: vec![OperatorState::default(); model.operator.len()],
            alerts: Alerts::new(model),
            has_alerts: !model.alerts().is_empty(),
            recorder,
            arrived: 0,
            ended: 0,
            events: 0,
        }
    }

    fn play(&mut self) {
        self.schedule_incident();
        self.schedule_first_probes();
        self.schedule_first_ticks();
        self.schedule_alerts();
        self.schedule_operators();
        match self.path {
            Path::Plain if self.users.is_some() => self.play_with_users(),
            Path::Plain => self.play_each_event(),
            Path::Direct | Path::Counting => self.play_in_stretches(),
        }
        self.latency_memo.tell(|latency, count| self.recorder.latencies(latency, count));
        self.report_open();
    }

    /// What is left can never end: nothing answers it, and nobody gives up on it.
    fn report_open(&mut self) {
        if self.bills {
            self.bill_open();
        }
        let slots = self.requests_in_flight.slots();
        let mut left: Vec<Request> =
            slots.into_iter().filter_map(|slot| self.requests_in_flight.take(slot)).collect();
        left.sort_by_key(|request| request.asked.ordinal);
        for Request { asked, attempts, failure, .. } in left {
            let provider = failure.and_then(|failure| failure.provider);
            self.report(&asked, attempts, provider, SimTime::NEVER, Ending::Open, Answer::Good, false);
        }
    }

    fn play_each_event(&mut self) {
        loop {
            let next_arrival = self.arrivals.next_at();
            if next_arrival < self.queue.next_at() {
                self.arrivals.advance();
                self.on_arrival(next_arrival);
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
        self.schedule_edge(0);
        for (i, fault) in (0..).zip(&self.model.gateway.faults) {
            self.queue.push(fault.start, Event::GatewayFaultStarts(i));
            self.queue.push(fault.end, Event::GatewayFaultEnds(i));
        }
    }

    fn on_event(&mut self, now: SimTime, event: Event) {
        match event {
            Event::FaultEdge(edge) => self.on_fault_edge(now, edge),
            Event::GatewayFaultStarts(i) => self.on_gateway_fault_starts(now, i as usize),
            Event::GatewayFaultEnds(i) => self.on_gateway_fault_ends(now, i as usize),
            Event::ProbeEnds { prober, ordinal } => self.on_probe_end(now, prober, ordinal),
            Event::AttemptEnds { request, slot } => self.on_attempt_end(now, request, slot),
            Event::SmoothEnds { request, slot } => self.on_smooth_ends(now, request, slot),
            Event::DetectorWakes { prober, detector } => self.on_detector_wakes(now, prober, detector),
            Event::DetectorTicks { owner, detector } => self.on_detector_ticks(now, owner, detector),
            Event::ViewChanges { replica, provider } => self.on_view_changes(now, replica, provider),
            Event::TierChanges { replica, tier } => self.on_tier_changes(now, replica, tier),
            Event::WaitEnds { request, slot } => self.on_wait_ends(now, request, slot),
            Event::HedgeDue { request, slot } => self.on_hedge_due(now, request, slot),
            Event::ProbeDue { prober, ordinal } => self.on_probe_due(now, prober, ordinal),
            Event::TurnComes { provider } => self.on_turn_comes(now, provider),
            Event::AlertTicks(i) => self.on_alert_ticks(now, i),
            Event::AlertFires(i) => self.on_alert_fires(now, i),
            Event::AlertResolves(i) => self.recorder.milestone(now, Milestone::AlertResolves(i as usize)),
            Event::OperatorLearns(i) => self.recorder.milestone(now, Milestone::OperatorLearns(i as usize)),
            Event::OperatorReturns(i) => self.on_operator_returns(now, i),
            Event::OperatorActs(i) => self.on_operator_acts(now, i),
        }
    }
}
