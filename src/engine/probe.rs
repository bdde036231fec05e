//! Probes: when one is sent, what comes of it, and what that does to a provider's health.

use super::call::Seen;
use super::health_check::{ConsecutiveCounter, Prober, Verdict, prober_key};
use super::recorder::{HealthChange, ProbeEnd, Recorder};
use super::routing::DetectorKind;
use super::{Event, Simulation};
use crate::model::{Answer, ProviderId, Timeouts};
use crate::time::SimTime;

/// One replica's health check of one provider.
#[derive(Debug, Clone)]
pub(super) struct Detector {
    counter: ConsecutiveCounter,
    /// Probes whose result is not known yet: more than one where they overlap.
    probes: Vec<ProbeEnd>,
    /// Whether the last ejection came with no fault active. The truth, kept for the recorder.
    pub(super) ejected_falsely: bool,
}

impl Detector {
    pub fn new() -> Self {
        Detector { counter: ConsecutiveCounter::new(), probes: Vec::new(), ejected_falsely: false }
    }
}

impl<R: Recorder> Simulation<'_, '_, R> {
    pub(super) fn schedule_first_probes(&mut self) {
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

    fn index_of(&self, prober: Prober) -> usize {
        prober.replica as usize * self.model.providers.len() + prober.provider.index()
    }

    pub(super) fn detector(&self, prober: Prober) -> &Detector {
        &self.detectors[self.index_of(prober)]
    }

    pub(super) fn on_probe_due(&mut self, now: SimTime, prober: Prober, ordinal: u32) {
        let Some(check) = &self.model.gateway.health_check else { return };
        let provider_key = self.world.provider_key(prober.provider);
        let key = prober_key(self.run, prober, provider_key).numbered(u64::from(ordinal));
        let latency = check.latency.draw(key);
        let fate = self.world.probe(prober.provider, key, now, latency);
        let fate = Seen::of(
            fate,
            now,
            &Timeouts { attempt: Some(check.timeout), ..Timeouts::default() },
            SimTime::NEVER,
        );
        let Prober { replica, provider } = prober;
        let passed = fate.answer == Answer::Good;
        let probe =
            ProbeEnd { replica, provider, ordinal: ordinal.into(), sent: now, ended: fate.ends, passed };
        let detector = self.index_of(prober);
        self.detectors[detector].probes.push(probe);
        self.recorder.probe_sent();
        self.queue.push(fate.ends, Event::ProbeEnds { prober, ordinal });
        self.schedule_probe(check.next_probe_at(key, now, fate.ends), prober, ordinal + 1);
    }

    pub(super) fn on_probe_end(&mut self, now: SimTime, prober: Prober, ordinal: u32) {
        let Some(check) = &self.model.gateway.health_check else { return };
        let Prober { replica, provider } = prober;
        let index = self.index_of(prober);
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
        self.views[replica as usize].set(provider, DetectorKind::HealthCheck, probe.passed);
        let change = HealthChange { at: now, replica, provider, admitted: probe.passed, is_false };
        self.recorder.health_changed(&change);
    }
}
