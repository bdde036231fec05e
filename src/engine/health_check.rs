//! The active health check: one prober for each replica and provider.
//!
//! A prober sees the results of its own probes and nothing else.

use crate::model::{FirstProbe, HealthCheck, NextProbe, ProviderId};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// Which replica probes which provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prober {
    pub replica: u32,
    pub provider: ProviderId,
}

/// What a probe's result does to the provider's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Unchanged,
    /// Ejected; the first probe of the evidence was sent at `evidence_began`.
    Ejected {
        evidence_began: SimTime,
    },
    Admitted,
}

/// Counts results in a row, and changes its mind when enough of them contradict it.
#[derive(Debug, Clone)]
pub(super) struct ConsecutiveCounter {
    admitted: bool,
    /// Results in a row that contradict `admitted`.
    contradicting: u32,
    /// When the earliest of them was sent.
    evidence_began: SimTime,
}

impl ConsecutiveCounter {
    /// Providers start admitted.
    pub fn new() -> Self {
        ConsecutiveCounter { admitted: true, contradicting: 0, evidence_began: SimTime::NEVER }
    }

    pub fn observe(&mut self, check: &HealthCheck, sent: SimTime, passed: bool) -> Verdict {
        if passed == self.admitted {
            self.contradicting = 0;
            self.evidence_began = SimTime::NEVER;
            return Verdict::Unchanged;
        }
        self.contradicting += 1;
        self.evidence_began = self.evidence_began.min(sent);
        let enough = if self.admitted { check.eject_after } else { check.readmit_after };
        if self.contradicting < enough.get() {
            return Verdict::Unchanged;
        }
        let evidence_began = self.evidence_began;
        *self = ConsecutiveCounter { admitted: passed, ..ConsecutiveCounter::new() };
        if passed { Verdict::Admitted } else { Verdict::Ejected { evidence_began } }
    }
}

/// Draws of one prober that have to do with when and how it probes.
pub(super) fn prober_key(run: Key, prober: Prober, provider_key: Key) -> Key {
    run.named("health_check").numbered(u64::from(prober.replica)).joined(provider_key)
}

const PHASE: Key = Key::purpose("phase");
const JITTER: Key = Key::purpose("jitter");

impl HealthCheck {
    /// When the first probe is sent.
    pub(super) fn first_probe_at(&self, prober: Key) -> SimTime {
        SimTime::START.after(match self.first_probe {
            FirstProbe::At(delay) => delay,
            FirstProbe::Random => self.interval.scaled(prober.joined(PHASE).unit()),
        })
    }

    /// When the probe after this one is sent.
    pub(super) fn next_probe_at(&self, probe: Key, sent: SimTime, ends: SimTime) -> SimTime {
        let jitter = match self.jitter {
            SimDuration::ZERO => SimDuration::ZERO,
            jitter => jitter.scaled(probe.joined(JITTER).unit()),
        };
        let gap = self.interval.plus(jitter);
        match self.next_probe {
            NextProbe::FromStart => sent.after(gap),
            NextProbe::FromStartNoOverlap => sent.after(gap).max(ends),
            NextProbe::FromEnd => ends.after(gap),
            NextProbe::OnTicks => sent.after(gap).max(ends),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    /// Feeds results, one a second, and tells when health changed.
    fn check(eject_after: u32, readmit_after: u32, results: &str, expected: &[(usize, Verdict)]) {
        let settings = HealthCheck {
            eject_after: NonZeroU32::new(eject_after).unwrap(),
            readmit_after: NonZeroU32::new(readmit_after).unwrap(),
            ..HealthCheck::new(SimDuration::from_secs(1), SimDuration::from_secs(1))
        };
        let mut counter = ConsecutiveCounter::new();
        let verdicts: Vec<(usize, Verdict)> = results
            .split_whitespace()
            .enumerate()
            .map(|(i, result)| (i, counter.observe(&settings, second(i), result == "ok")))
            .filter(|(_, verdict)| *verdict != Verdict::Unchanged)
            .collect();
        assert_eq!(verdicts, expected, "{results}");
    }

    fn second(i: usize) -> SimTime {
        SimTime::START.after(SimDuration::from_secs(i as u64))
    }

    #[test]
    fn failures_in_a_row_eject_and_passes_in_a_row_readmit() {
        let ejected = |i| Verdict::Ejected { evidence_began: second(i) };
        check(1, 1, "ok fail ok fail", &[(1, ejected(1)), (2, Verdict::Admitted), (3, ejected(3))]);
        check(3, 1, "fail fail ok fail fail", &[]);
        check(3, 1, "fail fail ok fail fail fail", &[(5, ejected(3))]);
        check(2, 2, "fail fail ok fail ok ok fail", &[(1, ejected(0)), (5, Verdict::Admitted)]);
    }
}
