//! Listens to a run, and keeps what a scrape of the gateway would have found at each of its times.

use super::families::BUCKET_SECONDS;
use crate::engine::{
    AttemptEnd, BeliefChange, Billed, CallKind, Candidate, Cause, Ending, HealthChange, Milestone, ProbeEnd,
    Recorder, RequestEnd, Stage, Usage,
};
use crate::model::{Answer, Model, ProviderId};
use crate::time::{SimDuration, SimTime};
use std::collections::BTreeMap;

/// By the number of a scrape: what has changed since the one before it.
pub(super) type ByScrape<T> = BTreeMap<u64, T>;

/// What is counted, and how it stands, of one run, scrape by scrape.
#[derive(Debug)]
pub(super) struct ScrapeRecorder<'m> {
    model: &'m Model,
    step: SimDuration,
    /// The first scrape that sees all that has happened up to now.
    pub last: u64,
    /// By replica.
    pub arrived: BTreeMap<u32, ByScrape<u64>>,
    pub ended: BTreeMap<Ended, ByScrape<u64>>,
    /// By whether they succeeded, and the provider of the last attempt.
    pub durations: BTreeMap<(bool, Option<ProviderId>), ByScrape<Durations>>,
    pub attempts: BTreeMap<ProviderId, ByScrape<u64>>,
    pub attempt_failures: BTreeMap<(ProviderId, Answer), ByScrape<u64>>,
    /// By replica, provider and whether they passed.
    pub probes: BTreeMap<(u32, ProviderId, bool), ByScrape<u64>>,
    pub ejections: BTreeMap<(u32, ProviderId), ByScrape<u64>>,
    pub false_ejections: BTreeMap<(u32, ProviderId), ByScrape<u64>>,
    /// The state as of each scrape at which it was another one.
    pub admitted: BTreeMap<(u32, ProviderId), ByScrape<u64>>,
    /// The same of what has ejected it: a passive detector by its index, or the health check.
    pub ejected: BTreeMap<(u32, ProviderId, Option<usize>), ByScrape<u64>>,
    /// By index in the model, whether it fires.
    pub alerts: BTreeMap<usize, ByScrape<u64>>,
    /// By index in the model, whether the switch is in place.
    pub switches: BTreeMap<usize, ByScrape<u64>>,
    /// By index in the model, whether it is there.
    pub gateway_faults: BTreeMap<usize, ByScrape<u64>>,
    pub usage: BTreeMap<(ProviderId, CallKind), ByScrape<Usage>>,
    /// A bill comes without its time, just before the end that it is for.
    to_book: Vec<Billed>,
}

/// How and where requests ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ended {
    pub replica: u32,
    pub provider: Option<ProviderId>,
    /// `None` if they succeeded.
    pub failure: Option<(Cause, Stage)>,
}

/// Requests by how long they took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Durations {
    /// By the first bucket that holds them; the last one is without bound.
    pub counts: [u64; BUCKET_SECONDS.len() + 1],
    pub total_nanos: u128,
}

impl Durations {
    fn add(&mut self, duration: SimDuration) {
        let seconds = duration.as_secs_f64();
        self.counts[BUCKET_SECONDS.partition_point(|bound| *bound < seconds)] += 1;
        self.total_nanos += u128::from(duration.as_nanos());
    }
}

impl<'m> ScrapeRecorder<'m> {
    /// What there is to know of counts and states is there from the first scrape on, as zero.
    pub fn new(model: &'m Model, step: SimDuration) -> Self {
        let gateway = &model.gateway;
        let replicas = 0..gateway.replicas.get();
        let providers = || (0..model.providers.len()).map(ProviderId::new);
        let pairs: Vec<(u32, ProviderId)> = replicas
            .clone()
            .flat_map(|replica| providers().map(move |provider| (replica, provider)))
            .collect();
        let checks = gateway.health_check.is_some();
        let detectors = || checks.then_some(None).into_iter().chain((0..gateway.detectors.len()).map(Some));
        let each = |value| pairs.iter().map(move |pair| (*pair, ByScrape::from([(0, value)]))).collect();
        let off = |count: usize| (0..count).map(|index| (index, ByScrape::from([(0, 0)]))).collect();
        let probed = pairs.iter().filter(|_| checks);
        ScrapeRecorder {
            model,
            step,
            last: scrape_of(SimTime::START.after(model.duration), step),
            arrived: replicas.map(|replica| (replica, ByScrape::new())).collect(),
            ended: BTreeMap::new(),
            durations: BTreeMap::new(),
            attempts: providers().map(|provider| (provider, ByScrape::new())).collect(),
            attempt_failures: BTreeMap::new(),
            probes: probed
                .flat_map(|(replica, provider)| [false, true].map(|passed| (*replica, *provider, passed)))
                .map(|key| (key, ByScrape::new()))
                .collect(),
            ejections: each(0),
            false_ejections: each(0),
            admitted: each(1),
            ejected: (pairs.iter())
                .flat_map(|(replica, provider)| detectors().map(|by| (*replica, *provider, by)))
                .map(|key| (key, ByScrape::from([(0, 0)])))
                .collect(),
            alerts: off(model.alerts().len()),
            switches: off(model.operator.len()),
            gateway_faults: off(gateway.faults.len()),
            usage: BTreeMap::new(),
            to_book: Vec::new(),
        }
    }

    /// What is simulated.
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// What was billed after the last event belongs to it.
    pub fn finish(&mut self) {
        let end = SimTime::from_nanos(self.last.saturating_mul(self.step.as_nanos()));
        self.see(end);
    }

    /// The first scrape that sees what happens at `at`.
    fn see(&mut self, at: SimTime) -> u64 {
        let scrape = scrape_of(at, self.step);
        self.last = self.last.max(scrape);
        for Billed { provider, kind, usage } in self.to_book.drain(..) {
            *self.usage.entry((provider, kind)).or_default().entry(scrape).or_default() += usage;
        }
        scrape
    }
}

/// The first scrape at or after this time.
pub(super) fn scrape_of(at: SimTime, step: SimDuration) -> u64 {
    at.as_nanos().div_ceil(step.as_nanos())
}

fn count<K: Ord>(counts: &mut BTreeMap<K, ByScrape<u64>>, key: K, scrape: u64) {
    *counts.entry(key).or_default().entry(scrape).or_default() += 1;
}

/// What is told in order leaves the last state before each scrape.
fn set<K: Ord>(states: &mut BTreeMap<K, ByScrape<u64>>, key: K, scrape: u64, is_on: bool) {
    states.entry(key).or_default().insert(scrape, is_on.into());
}

impl Recorder for ScrapeRecorder<'_> {
    const NEEDS_ORDER: bool = true;
    const NEEDS_ATTEMPTS: bool = true;
    const TAKES_BILLS: bool = true;

    fn request_ended(&mut self, request: &RequestEnd) {
        let RequestEnd { replica, arrived, ended, provider, ending, .. } = *request;
        // No scrape before that of its end has been made, but for those that saw it arrive.
        count(&mut self.arrived, replica, scrape_of(arrived, self.step));
        let failure = match ending {
            Ending::Succeeded => None,
            Ending::Failed(cause, stage) => Some((cause, stage)),
            Ending::Open => return,
        };
        let scrape = self.see(ended);
        count(&mut self.ended, Ended { replica, provider, failure }, scrape);
        let durations = self.durations.entry((failure.is_none(), provider)).or_default();
        durations.entry(scrape).or_default().add(ended.since(arrived));
    }

    fn probe_ended(&mut self, probe: &ProbeEnd) {
        let scrape = self.see(probe.ended);
        count(&mut self.probes, (probe.replica, probe.provider, probe.passed), scrape);
    }

    fn health_changed(&mut self, change: &HealthChange) {
        let HealthChange { at, replica, provider, admitted, is_false } = *change;
        let scrape = self.see(at);
        set(&mut self.admitted, (replica, provider), scrape, admitted);
        if !admitted {
            count(&mut self.ejections, (replica, provider), scrape);
        }
        if is_false {
            count(&mut self.false_ejections, (replica, provider), scrape);
        }
    }

    fn belief_changed(&mut self, change: &BeliefChange) {
        let BeliefChange { at, replica, provider, ejected_by } = *change;
        let scrape = self.see(at);
        if self.model.gateway.health_check.is_some() {
            set(&mut self.ejected, (replica, provider, None), scrape, ejected_by.has_health_check());
        }
        for index in 0..self.model.gateway.detectors.len() {
            set(&mut self.ejected, (replica, provider, Some(index)), scrape, ejected_by.has_detector(index));
        }
    }

    fn milestone(&mut self, at: SimTime, milestone: Milestone) {
        let scrape = self.see(at);
        let (states, index, is_on) = match milestone {
            Milestone::AlertFires(index) => (&mut self.alerts, index, true),
            Milestone::AlertResolves(index) => (&mut self.alerts, index, false),
            Milestone::OperatorActs(index) => (&mut self.switches, index, true),
            Milestone::OperatorReturns(index) => (&mut self.switches, index, false),
            Milestone::GatewayFaultStarts(index) => (&mut self.gateway_faults, index, true),
            Milestone::GatewayFaultEnds(index) => (&mut self.gateway_faults, index, false),
            // Those of providers are known beforehand.
            Milestone::FaultStarts(_)
            | Milestone::FaultEnds(_)
            | Milestone::IncidentStarts { .. }
            | Milestone::IncidentEnds { .. }
            | Milestone::OperatorLearns(_) => return,
        };
        set(states, index, scrape, is_on);
    }

    fn attempt_sent(
        &mut self,
        _request: u64,
        _number: u32,
        to: ProviderId,
        _seen: &[Candidate],
        at: SimTime,
    ) {
        let scrape = self.see(at);
        count(&mut self.attempts, to, scrape);
    }

    fn attempt_ended(&mut self, attempt: &AttemptEnd) {
        let scrape = self.see(attempt.ended);
        if attempt.answer != Answer::Good {
            count(&mut self.attempt_failures, (attempt.provider, attempt.answer), scrape);
        }
    }

    fn billed(&mut self, calls: &Billed) {
        self.to_book.push(*calls);
    }
}
