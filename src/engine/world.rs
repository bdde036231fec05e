//! The truth about providers: what becomes of an attempt or a probe that is sent to one.
//!
//! Faults are windows that are fixed when a run starts and a provider's queue is worked off in order, so the fate of a call is known when it is
//! sent. Only the parts of the engine that stand outside the gateway ask for it; routing and detectors learn a fate when
//! the call ends, as a real gateway would.

use super::recorder::Cause;
use crate::model::{Effect, Fault, InFlight, Model, Phase, Probability, ProviderId};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};
use std::ops::Range;

/// How a provider's end of a call turns out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// A complete good answer.
    Good,
    /// An end that looks like one, before the answer is complete.
    Truncated,
    Status(u16),
    Refused,
    /// The connection is closed.
    Lost,
    /// The connection is never established.
    Unreachable,
    /// Nothing more ever comes.
    Silence,
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
    /// When work on an answer begins: when the call is sent, or when a pause is over.
    pub begins: SimTime,
    /// When the first token comes; [`SimTime::NEVER`] if none does.
    pub first_token: SimTime,
    /// When the last token before a silence comes, and otherwise when the call ends; [`SimTime::NEVER`] if nothing comes.
    pub ends: SimTime,
    pub reply: Reply,
    pub hit: Hit,
    /// The Retry-After that comes with an error status.
    pub retry_after: Option<SimDuration>,
}

impl Fate {
    /// A call that ends with an error before its first token.
    fn error(ends: SimTime, reply: Reply, hit: Hit) -> Fate {
        Fate { begins: SimTime::START, first_token: SimTime::NEVER, ends, reply, hit, retry_after: None }
    }

    /// A call that the provider has no room for.
    pub fn turned_away(now: SimTime, hit: Hit) -> Fate {
        Fate::error(now, Reply::Status(NO_ROOM), hit)
    }

    /// A call whose turn never comes.
    pub fn never_served(hit: Hit) -> Fate {
        Fate::never(Reply::Silence, hit)
    }

    /// The same answer, after a wait.
    pub fn later(self, wait: SimDuration) -> Fate {
        Fate { first_token: self.first_token.after(wait), ends: self.ends.after(wait), ..self }
    }

    /// A call that is never answered.
    fn never(reply: Reply, hit: Hit) -> Fate {
        Fate::error(SimTime::NEVER, reply, hit)
    }
}

/// What becomes of all attempts that are sent to a provider while none of its faults starts or ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outlook {
    /// Each has a fate of its own.
    Mixed,
    /// All fail in the same way.
    Broken,
    /// All but quiet errors are answered well.
    Fine {
        /// Latency is this many times as long.
        slow: Option<f64>,
        /// The share that the fault in this place among the provider's hits fails at once.
        struck: Option<usize>,
        /// The next fault starts.
        fails_at: SimTime,
        /// The next fault starts that may break what is in flight.
        breaks_at: SimTime,
    },
}

/// A call's kind decides which of a fault's effects it meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Attempt,
    Probe,
}

/// A status for errors that providers give with no fault active.
const QUIET_ERROR: u16 = 500;

/// What a provider answers that has no room for another call.
const NO_ROOM: u16 = 503;

const QUIET: Key = Key::purpose("quiet error");

/// A stretch of time in which a fault hits the same share of a provider's calls.
#[derive(Debug)]
struct Window {
    start: SimTime,
    end: SimTime,
    /// The fault's; which calls are hit is drawn by it.
    key: Key,
    requests: Effect,
    probes: Effect,
    /// The share of attempts that are hit, and of probes.
    fraction: f64,
    probe_fraction: f64,
    /// [`InFlight::Finish`] where the fault was there before.
    in_flight: InFlight,
    retry_after: Option<SimDuration>,
}

impl Window {
    fn effect(&self, call: Call) -> Effect {
        match call {
            Call::Attempt => self.requests,
            Call::Probe => self.probes,
        }
    }

    fn is_active(&self, time: SimTime) -> bool {
        self.start <= time && time < self.end
    }

    /// Whether a call is among the share that is hit.
    fn hits(&self, call: Call, key: Key) -> bool {
        let share = match call {
            Call::Attempt => self.fraction,
            Call::Probe => self.probe_fraction,
        };
        key.joined(self.key).coin(share)
    }

    /// Whether it does anything to attempts.
    fn acts(&self) -> bool {
        self.requests != Effect::Unaffected && self.fraction > 0.0
    }
}

/// All that goes wrong with one provider, so that a call looks only at what can touch it, however much there is.
#[derive(Debug)]
struct Troubles {
    /// In order of start, and then as the model has its faults.
    windows: Vec<Window>,
    /// For each window, when it and all before it are over.
    over: Vec<SimTime>,
    /// The places of windows that may break what is in flight when they start.
    breaking: Vec<usize>,
    /// When the first window starts, and when all are over.
    first_and_last: (SimTime, SimTime),
}

impl Troubles {
    fn new(mut windows: Vec<Window>) -> Self {
        windows.sort_by_key(|window| window.start);
        let over = windows.iter().scan(SimTime::START, |over, window| {
            *over = window.end.max(*over);
            Some(*over)
        });
        let over: Vec<SimTime> = over.collect();
        let breaks = |(_, window): &(usize, &Window)| window.in_flight != InFlight::Finish;
        Troubles {
            breaking: windows.iter().enumerate().filter(breaks).map(|(i, _)| i).collect(),
            first_and_last: (
                windows.first().map_or(SimTime::NEVER, |window| window.start),
                over.last().copied().unwrap_or(SimTime::START),
            ),
            windows,
            over,
        }
    }

    /// The places of the windows that may be there at some moment from `from` to `to`: the first one is, if any.
    fn between(&self, from: SimTime, to: SimTime) -> Range<usize> {
        let first = self.over.partition_point(|over| *over <= from);
        first..first + self.windows[first..].partition_point(|window| window.start <= to)
    }

    /// Whether no window is there at any moment from `from` to `to`.
    #[inline(always)]
    fn spare(&self, from: SimTime, to: SimTime) -> bool {
        // Nothing but speed: most runs have few faults, and are before or after all of them.
        let (first, last) = self.first_and_last;
        to < first || from >= last || self.between(from, to).is_empty()
    }

    /// The windows that are there, with their places.
    fn active(&self, now: SimTime) -> impl Iterator<Item = (usize, &Window)> {
        let places = self.between(now, now).map(|i| (i, &self.windows[i]));
        places.filter(move |(_, window)| window.is_active(now))
    }

    /// When the fault of the window in this place lets go of a call that it hits.
    fn lets_go(&self, place: usize, call: Call, key: Key) -> SimTime {
        let Window { key: fault, mut end, .. } = self.windows[place];
        for next in &self.windows[place + 1..] {
            if next.start > end {
                break;
            }
            if next.key == fault && next.start == end && next.hits(call, key) {
                end = next.end;
            }
        }
        end
    }
}

/// All providers and what is going to happen to them.
#[derive(Debug)]
pub(super) struct World<'m> {
    model: &'m Model,
    provider_keys: Vec<Key>,
    /// By provider.
    troubles: Vec<Troubles>,
}

impl<'m> World<'m> {
    pub fn new<'f>(model: &'m Model, faults: impl Iterator<Item = &'f Fault>) -> Self {
        let mut windows: Vec<Vec<Window>> = model.providers.iter().map(|_| Vec::new()).collect();
        for fault in faults {
            let key = Key::purpose(&fault.name);
            for Phase { start, end, force, is_onset } in fault.phases() {
                for provider in &fault.providers {
                    windows[provider.index()].push(Window {
                        start,
                        end,
                        key,
                        requests: fault.requests,
                        probes: fault.probes,
                        fraction: fault.fraction.get() * force,
                        probe_fraction: fault.probe_fraction.get() * force,
                        in_flight: if is_onset { fault.in_flight } else { InFlight::Finish },
                        retry_after: fault.retry_after,
                    });
                }
            }
        }
        World {
            model,
            provider_keys: model.providers.iter().map(|p| Key::purpose(&p.name)).collect(),
            troubles: windows.into_iter().map(Troubles::new).collect(),
        }
    }

    /// The key of a provider's own draws, made from its name so that other providers do not shift it.
    pub fn provider_key(&self, provider: ProviderId) -> Key {
        self.provider_keys[provider.index()]
    }

    /// The fate of the attempt with this key, sent now, which a healthy provider would answer after `latency`.
    #[inline(always)]
    pub fn attempt(&self, provider: ProviderId, key: Key, sent: SimTime, latency: SimDuration) -> Fate {
        let model = self.model.provider(provider);
        let ends = sent.after(latency);
        // Nothing but speed: what follows is what `call` does where there is no fault.
        let is_streamed = model.first_token < Probability::ONE;
        if !is_streamed
            && self.troubles[provider.index()].spare(sent, ends)
            && !self.is_quiet_error(provider, key)
        {
            let (reply, hit) = (Reply::Good, Hit::None);
            return Fate { begins: sent, first_token: ends, ends, reply, hit, retry_after: None };
        }
        self.call(Call::Attempt, provider, key, sent, latency)
    }

    /// The fate of the probe with this key, sent now, which a healthy provider would answer after `latency`.
    pub fn probe(&self, provider: ProviderId, key: Key, sent: SimTime, latency: SimDuration) -> Fate {
        self.call(Call::Probe, provider, key, sent, latency)
    }

    /// What becomes of attempts that are sent to a provider from `now` on, until one of its faults starts or ends.
    pub fn outlook(&self, provider: ProviderId, now: SimTime) -> Outlook {
        let troubles = &self.troubles[provider.index()];
        let coming = troubles.windows.partition_point(|window| window.start <= now);
        let fails_at = troubles.windows[coming..].iter().find(|window| window.acts());
        let fails_at = fails_at.map_or(SimTime::NEVER, |window| window.start);
        let breaking = &troubles.breaking[troubles.breaking.partition_point(|&i| i < coming)..];
        let breaks_at = breaking.iter().map(|&i| &troubles.windows[i]).find(|window| window.acts());
        let breaks_at = breaks_at.map_or(SimTime::NEVER, |window| window.start);
        let (mut slow, mut struck) = (None, None);
        for (place, window) in troubles.active(now).filter(|(_, window)| window.acts()) {
            let is_partial = window.fraction < 1.0;
            match window.requests {
                // What one fault spares, another one may hit.
                _ if struck.is_some() => return Outlook::Mixed,
                Effect::Refuse | Effect::Status(_) if is_partial => struck = Some(place),
                _ if is_partial => return Outlook::Mixed,
                Effect::Refuse | Effect::Status(_) => return Outlook::Broken,
                // What hangs may still break.
                Effect::Hang | Effect::Drop if breaks_at == SimTime::NEVER => return Outlook::Broken,
                Effect::Slow(factor) if slow.is_none() => slow = Some(factor),
                _ => return Outlook::Mixed,
            }
        }
        Outlook::Fine { slow, struck, fails_at, breaks_at }
    }

    fn call(&self, call: Call, provider: ProviderId, key: Key, sent: SimTime, latency: SimDuration) -> Fate {
        let provider_model = self.model.provider(provider);
        let troubles = &self.troubles[provider.index()];
        let quiet = self.is_quiet_error(provider, key);
        // What a probe gets is short: its first token is its answer.
        let first_share = if call == Call::Probe { 1.0 } else { provider_model.first_token.get() };
        let answered = |reply, start: SimTime, latency: SimDuration, hit| {
            let ends = start.after(latency);
            let first_token = if first_share < 1.0 { start.after(latency.scaled(first_share)) } else { ends };
            Fate { begins: start, first_token, ends, reply, hit, retry_after: None }
        };
        let mut fate = if quiet {
            Fate { begins: sent, ..Fate::error(sent.after(latency), Reply::Status(QUIET_ERROR), Hit::None) }
        } else {
            answered(Reply::Good, sent, latency, Hit::None)
        };
        for (place, window) in troubles.active(sent) {
            if !window.hits(call, key) {
                continue;
            }
            let hit = Hit::WhenSent;
            match window.effect(call) {
                Effect::Unaffected => {}
                Effect::Slow(_) | Effect::Pause => {
                    let (mut begins, mut takes) = (fate.begins, fate.ends.since(fate.begins));
                    match window.effect(call) {
                        Effect::Slow(factor) => takes = takes.scaled(factor),
                        _ => begins = begins.max(troubles.lets_go(place, call, key)),
                    }
                    fate = match fate.reply {
                        Reply::Status(_) => Fate { begins, ends: begins.after(takes), hit, ..fate },
                        reply => answered(reply, begins, takes, hit),
                    };
                }
                Effect::Refuse => return Fate::error(sent, Reply::Refused, hit),
                Effect::Status(code) => {
                    return Fate {
                        retry_after: window.retry_after,
                        ..Fate::error(sent, Reply::Status(code), hit)
                    };
                }
                Effect::Drop => {
                    fate = Fate::never(Reply::Unreachable, hit);
                    break;
                }
                Effect::Hang => {
                    fate = Fate::never(Reply::Silence, hit);
                    break;
                }
                Effect::Stall(share) => {
                    fate = broken_off(fate, share, Reply::Silence);
                    break;
                }
                Effect::Cut(share) => {
                    fate = broken_off(fate, share, Reply::Lost);
                    break;
                }
                Effect::Truncate(share) => {
                    fate = broken_off(fate, share, Reply::Truncated);
                    break;
                }
            }
        }
        // They are in order of start: the first one that breaks the call decides when it ends.
        let breaking = troubles.breaking.iter().map(|&i| &troubles.windows[i]);
        let later = troubles.breaking.partition_point(|&i| troubles.windows[i].start <= sent);
        for window in breaking.skip(later) {
            let start = window.start;
            if start > fate.ends && fate.reply != Reply::Silence {
                break;
            }
            if window.effect(call) != Effect::Unaffected && window.hits(call, key) {
                let first_token = if fate.first_token < start { fate.first_token } else { SimTime::NEVER };
                let (ends, reply) = match window.in_flight {
                    InFlight::Fail => (start, Reply::Lost),
                    _ if first_token < SimTime::NEVER => (start, Reply::Silence),
                    _ => (SimTime::NEVER, Reply::Silence),
                };
                fate = Fate { first_token, ends, reply, hit: Hit::InFlight, retry_after: None, ..fate };
                if window.in_flight == InFlight::Fail {
                    break;
                }
            }
        }
        fate
    }

    /// Whether a call fails with no fault active.
    #[inline(always)]
    pub fn is_quiet_error(&self, provider: ProviderId, key: Key) -> bool {
        key.joined(QUIET).coin(self.model.provider(provider).error_rate.get())
    }

    /// Whether an attempt is among the share that a fault hits, in the place that the outlook has told.
    #[inline]
    pub fn strikes(&self, provider: ProviderId, place: usize, key: Key) -> bool {
        self.troubles[provider.index()].windows[place].hits(Call::Attempt, key)
    }

    /// Why an attempt fails that a fault strikes.
    pub fn cause_of_strike(&self, provider: ProviderId, place: usize) -> Cause {
        match self.troubles[provider.index()].windows[place].requests {
            Effect::Refuse => Cause::Refused,
            _ => Cause::Status,
        }
    }

    /// Whether any fault of the provider is there at some moment from `from` to `to`.
    pub fn is_faulty_between(&self, provider: ProviderId, from: SimTime, to: SimTime) -> bool {
        !self.troubles[provider.index()].spare(from, to)
    }
}

/// An answer of which only a part comes. An error is too short to be broken off.
fn broken_off(fate: Fate, share: Probability, reply: Reply) -> Fate {
    if matches!(fate.reply, Reply::Status(_)) {
        return fate;
    }
    let ends = fate.begins.after(fate.ends.since(fate.begins).scaled(share.get()));
    let first_token = if fate.first_token <= ends { fate.first_token } else { SimTime::NEVER };
    let ends = if first_token == SimTime::NEVER && reply == Reply::Silence { SimTime::NEVER } else { ends };
    Fate { first_token, ends, reply, hit: Hit::WhenSent, ..fate }
}
