//! The truth about providers: what becomes of an attempt or a probe that is sent to one.
//!
//! Faults are fixed windows and providers answer independently of load, so the fate of a call is known when it is
//! sent. Only the parts of the engine that stand outside the gateway ask for it; routing and detectors learn a fate when
//! the call ends, as a real gateway would.

use crate::model::{Effect, InFlight, Model, ProviderId};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// How a provider's end of a call turns out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Good,
    Status(u16),
    Refused,
    ConnectionLost,
    Never,
}

/// The part that a fault has in a call's fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hit {
    None,
    /// The call was sent while the fault was active.
    WhenSent,
    /// The call was in flight when the fault started.
    InFlight,
}

/// What becomes of a call if nobody gives up on it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    /// When the call ends; [`SimTime::NEVER`] if it hangs.
    pub ends: SimTime,
    pub answer: Answer,
    pub hit: Hit,
}

impl Fate {
    /// The fate as it is for a caller who gives up at `deadline`; an answer at that very moment still counts.
    pub fn until(self, deadline: SimTime) -> Fate {
        if self.ends <= deadline {
            return self;
        }
        Fate { ends: deadline, answer: Answer::Never, ..self }
    }
}

/// A call's kind decides which of a fault's effects it meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Attempt,
    Probe,
}

/// A status for errors that providers give with no fault active.
const QUIET_ERROR: u16 = 500;

const QUIET: Key = Key::purpose("quiet error");

/// All providers and what is going to happen to them.
#[derive(Debug)]
pub(super) struct World<'m> {
    model: &'m Model,
    provider_keys: Vec<Key>,
    fault_keys: Vec<Key>,
    /// For each provider, the indices of the faults that hit it, in the model's order.
    faults_of: Vec<Vec<usize>>,
}

impl<'m> World<'m> {
    pub fn new(model: &'m Model) -> Self {
        let hits = |provider| {
            let faults = model.faults.iter().enumerate();
            faults.filter(|(_, f)| f.providers.contains(&provider)).map(|(i, _)| i).collect()
        };
        World {
            model,
            provider_keys: model.providers.iter().map(|p| Key::purpose(&p.name)).collect(),
            fault_keys: model.faults.iter().map(|f| Key::purpose(&f.name)).collect(),
            faults_of: (0..model.providers.len()).map(|i| hits(ProviderId::new(i))).collect(),
        }
    }

    /// The key of a provider's own draws, made from its name so that other providers do not shift it.
    pub fn provider_key(&self, provider: ProviderId) -> Key {
        self.provider_keys[provider.index()]
    }

    /// The fate of the attempt with this key, sent now: the provider's point of admission, where nothing is turned away
    /// yet, as its capacity is infinite. The key's own draw is the latency.
    #[inline]
    pub fn attempt(&self, provider: ProviderId, key: Key, sent: SimTime) -> Fate {
        let latency = self.model.provider(provider).latency.draw(key);
        self.call(Call::Attempt, provider, key, sent, latency)
    }

    /// The fate of the probe with this key, sent now, which a healthy provider would answer after `latency`.
    pub fn probe(&self, provider: ProviderId, key: Key, sent: SimTime, latency: SimDuration) -> Fate {
        self.call(Call::Probe, provider, key, sent, latency)
    }

    #[inline]
    fn call(&self, call: Call, provider: ProviderId, key: Key, sent: SimTime, latency: SimDuration) -> Fate {
        let quiet = key.joined(QUIET).coin(self.model.provider(provider).error_rate.get());
        let answer = if quiet { Answer::Status(QUIET_ERROR) } else { Answer::Good };
        let mut fate = Fate { ends: sent.after(latency), answer, hit: Hit::None };
        let faults = &self.faults_of[provider.index()];
        for &fault in faults {
            if self.model.faults[fault].is_active(sent) && self.hits(fault, call, key) {
                match self.effect(fault, call) {
                    Effect::Unaffected => {}
                    Effect::Slow(factor) => {
                        let slowed = fate.ends.since(sent).scaled(factor);
                        fate = Fate { ends: sent.after(slowed), hit: Hit::WhenSent, ..fate };
                    }
                    Effect::Refuse => {
                        return Fate { ends: sent, answer: Answer::Refused, hit: Hit::WhenSent };
                    }
                    Effect::Status(code) => {
                        return Fate { ends: sent, answer: Answer::Status(code), hit: Hit::WhenSent };
                    }
                    Effect::Hang => {
                        fate = Fate { ends: SimTime::NEVER, answer: Answer::Never, hit: Hit::WhenSent };
                        break;
                    }
                }
            }
        }
        // Faults are in order of start: the first one that breaks the call decides when it ends.
        for &fault in faults {
            let start = self.model.faults[fault].start;
            let catches =
                sent < start && start <= fate.ends && self.effect(fault, call) != Effect::Unaffected;
            if catches
                && self.model.faults[fault].in_flight != InFlight::Finish
                && self.hits(fault, call, key)
            {
                if self.model.faults[fault].in_flight == InFlight::Fail {
                    return Fate { ends: start, answer: Answer::ConnectionLost, hit: Hit::InFlight };
                }
                fate = Fate { ends: SimTime::NEVER, answer: Answer::Never, hit: Hit::InFlight };
            }
        }
        fate
    }

    fn effect(&self, fault: usize, call: Call) -> Effect {
        let fault = &self.model.faults[fault];
        match call {
            Call::Attempt => fault.requests,
            Call::Probe => fault.probes,
        }
    }

    /// Whether a call is among the share that a fault hits.
    fn hits(&self, fault: usize, call: Call, key: Key) -> bool {
        let share = match call {
            Call::Attempt => self.model.faults[fault].fraction,
            Call::Probe => self.model.faults[fault].probe_fraction,
        };
        key.joined(self.fault_keys[fault]).coin(share.get())
    }

    /// Whether any fault of the provider is there at some moment from `from` to `to`.
    pub fn is_faulty_between(&self, provider: ProviderId, from: SimTime, to: SimTime) -> bool {
        self.faults_of[provider.index()].iter().any(|&fault| self.model.faults[fault].overlaps(from, to))
    }
}
