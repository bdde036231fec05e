//! Probes: when one is sent, what comes of it, and what that does to a provider's health.

use super::call::Seen;
use super::health_check::{Counter, Mood, Prober, Verdict, prober_key};
use super::quota::Need;
use super::recorder::{ProbeEnd, Recorder};
use super::view::{HEALTH_CHECK_BIT, Marks};
use super::{Event, Simulation};
use crate::model::{Answer, HealthCheck, NextProbe, OnError, ProviderId, Timeouts};
use crate::time::SimTime;

/// One observer's health check of one provider.
#[derive(Debug, Clone)]
pub(super) struct Checker {
    counter: Counter,
    /// Probes whose result is not known yet: more than one where they overlap.
    probes: Vec<(ProbeEnd, Answer)>,
    /// Whether the last probe passed.
    passed: Option<bool>,
    first_at: SimTime,
    /// When the next probe is planned, and which it is.
    next: Option<(SimTime, u32)>,
}

impl Checker {
    pub fn new() -> Self {
        Checker {
            counter: Counter::new(),
            probes: Vec::new(),
            passed: None,
            first_at: SimTime::START,
            next: None,
        }
    }
}

impl<R: Recorder> Simulation<'_, '_, R> {
    pub(super) fn schedule_first_probes(&mut self) {
        for owner in 0..self.owners {
            self.start_probing(owner, SimTime::START);
        }
    }

    /// Plans the first probes of an owner that starts, or starts again, at `now`.
    pub(super) fn start_probing(&mut self, owner: u32, now: SimTime) {
        let Some(check) = &self.model.gateway.health_check else { return };
        for provider in (0..self.model.providers.len()).map(ProviderId::new) {
            for observer in 0..check.observers.get() {
                let prober = Prober { replica: owner, provider, observer };
                let key = prober_key(self.run, prober, self.world.provider_key(provider));
                let first = now.after(check.first_probe_at(key).since(SimTime::START));
                let ordinal = self.checker(prober).next.map_or(0, |(_, ordinal)| ordinal + 1);
                self.checker_mut(prober).first_at = first;
                self.plan_probe(first, prober, ordinal);
            }
        }
    }

    fn plan_probe(&mut self, at: SimTime, prober: Prober, ordinal: u32) {
        self.checker_mut(prober).next = Some((at, ordinal));
        if at < self.end() {
            self.queue.push(at, Event::ProbeDue { prober, ordinal });
        }
    }

    fn index_of(&self, prober: Prober) -> usize {
        let observers = self.model.gateway.health_check.as_ref().map_or(1, |c| c.observers.get());
        let pair = prober.replica as usize * self.model.providers.len() + prober.provider.index();
        pair * observers as usize + prober.observer as usize
    }

    fn checker(&self, prober: Prober) -> &Checker {
        &self.checkers[self.index_of(prober)]
    }

    fn checker_mut(&mut self, prober: Prober) -> &mut Checker {
        let index = self.index_of(prober);
        &mut self.checkers[index]
    }

    fn mood(&self, prober: Prober) -> Mood {
        let checker = self.checker(prober);
        Mood {
            passed: checker.passed,
            admitted: checker.counter.is_admitted(),
            has_traffic: self.has_traffic[prober.replica as usize],
        }
    }

    pub(super) fn on_probe_due(&mut self, now: SimTime, prober: Prober, ordinal: u32) {
        let Some(check) = &self.model.gateway.health_check else { return };
        // A probe that was pulled forward, or whose prober has started again, leaves its first date behind.
        if self.checker(prober).next != Some((now, ordinal)) {
            return;
        }
        let key = self.probe_key(prober, ordinal);
        let latency = check.latency.draw(key);
        let timeouts = Timeouts { attempt: Some(check.timeout), ..Timeouts::default() };
        let mut fate = self.world.probe(prober.provider, key, now, latency);
        if !self.model.quotas.is_empty() {
            fate = self.over_quota(now, prober.provider, fate, Need::of_probe(check), true).unwrap_or(fate);
        }
        let fate = fate.later(self.probe_trip_to(prober.provider));
        let seen = Seen::of(fate, now, &timeouts, SimTime::NEVER);
        let Prober { replica, provider, .. } = prober;
        if self.bills {
            self.bill_probe(provider, fate, seen.ends);
        }
        let passed = seen.answer == Answer::Good;
        let probe =
            ProbeEnd { replica, provider, ordinal: ordinal.into(), sent: now, ended: seen.ends, passed };
        self.checker_mut(prober).probes.push((probe, seen.answer));
        self.recorder.probe_sent();
        self.queue.push(seen.ends, Event::ProbeEnds { prober, ordinal });
        if check.next_probe != NextProbe::FromEnd {
            let first = self.checker(prober).first_at;
            let next = check.next_probe_at(key, self.mood(prober), first, now, seen.ends);
            self.plan_probe(next, prober, ordinal + 1);
        }
    }

    fn probe_key(&self, prober: Prober, ordinal: u32) -> crate::random::Key {
        let provider_key = self.world.provider_key(prober.provider);
        prober_key(self.run, prober, provider_key).numbered(u64::from(ordinal))
    }

    pub(super) fn on_probe_end(&mut self, now: SimTime, prober: Prober, ordinal: u32) {
        let Some(check) = &self.model.gateway.health_check else { return };
        let checker = self.checker_mut(prober);
        let nth = checker.probes.iter().position(|(probe, _)| probe.ordinal == u64::from(ordinal));
        // A prober that has started again has forgotten the probes from before.
        let Some(nth) = nth else { return };
        let (probe, answer) = checker.probes.remove(nth);
        checker.passed = Some(probe.passed);
        let verdict = checker.counter.observe(check, probe.sent, answer);
        self.recorder.probe_ended(&probe);
        self.take_verdict(now, prober, check, verdict);
        if probe.passed {
            self.on_probe_passed(now, prober);
        }
        if check.next_probe == NextProbe::FromEnd {
            let (key, first) = (self.probe_key(prober, ordinal), self.checker(prober).first_at);
            let next = check.next_probe_at(key, self.mood(prober), first, probe.sent, now);
            self.plan_probe(next, prober, ordinal + 1);
        }
    }

    /// An observer has changed its mind; with several of them a quorum decides.
    fn take_verdict(&mut self, now: SimTime, prober: Prober, check: &HealthCheck, verdict: Verdict) {
        let Prober { replica: owner, provider, .. } = prober;
        let evidence_began = match verdict {
            Verdict::Unchanged => return,
            Verdict::Admitted => now,
            Verdict::Ejected { evidence_began } => evidence_began,
        };
        let observers = check.observers.get();
        let finds_healthy = |observer| self.checker(Prober { observer, ..prober }).counter.is_admitted();
        let admitted = match observers {
            1 => verdict == Verdict::Admitted,
            n => {
                let healthy = (0..n).filter(|observer| finds_healthy(*observer)).count();
                healthy as f64 > check.quorum.get() * f64::from(n)
            }
        };
        let marks = self.beliefs.marks(owner, provider);
        if admitted == (marks.ejected & HEALTH_CHECK_BIT == 0) {
            return;
        }
        let marks = if admitted {
            Marks {
                blocked: marks.blocked & !HEALTH_CHECK_BIT,
                ejected: marks.ejected & !HEALTH_CHECK_BIT,
                ..marks
            }
        } else {
            Marks {
                blocked: marks.blocked | HEALTH_CHECK_BIT,
                ejected: marks.ejected | HEALTH_CHECK_BIT,
                falsely: !self.world.is_faulty_between(provider, evidence_began, now),
            }
        };
        self.believe(now, owner, provider, marks);
    }

    /// A passive detector has the health check act: it counts, and the next probe comes soon.
    pub(super) fn on_error(
        &mut self,
        now: SimTime,
        owner: u32,
        provider: ProviderId,
        evidence_began: SimTime,
        action: OnError,
    ) {
        let Some(check) = &self.model.gateway.health_check else { return };
        for observer in 0..check.observers.get() {
            let prober = Prober { replica: owner, provider, observer };
            let verdict = self.checker_mut(prober).counter.on_error(check, evidence_began, action);
            self.take_verdict(now, prober, check, verdict);
            let soon = now.after(check.intervals.falling.unwrap_or(check.interval));
            if let Some((planned, ordinal)) = self.checker(prober).next
                && planned > soon
            {
                self.plan_probe(soon, prober, ordinal);
            }
        }
    }

    /// Forgets all that an owner's health check knows.
    pub(super) fn forget_probes(&mut self, owner: u32) {
        let Some(check) = &self.model.gateway.health_check else { return };
        for provider in (0..self.model.providers.len()).map(ProviderId::new) {
            for observer in 0..check.observers.get() {
                let prober = Prober { replica: owner, provider, observer };
                // The ordinal goes on, so that dates of before are known to be stale.
                let next = self.checker(prober).next.map(|(_, ordinal)| (SimTime::NEVER, ordinal));
                *self.checker_mut(prober) = Checker { next, ..Checker::new() };
            }
        }
    }
}
