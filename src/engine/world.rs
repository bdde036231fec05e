//! The truth about providers: what becomes of an attempt or a probe that is sent to one.
//!
//! Faults are windows that are fixed when a run starts, and a provider's queue is worked off in order, so the fate of a call
//! is known when it is sent; where what came last comes first, once its turn has come ([`super::stack`]). Only the parts
//! of the engine that stand outside the gateway ask for it; routing and detectors learn a fate when
//! the call ends, as a real gateway would.

use super::recorder::Cause;
use super::trouble::{Call, Troubles, Window};
use crate::model::{Effect, Fault, Generation, InFlight, Model, Probability, Provider, ProviderId};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

/// How a healthy provider answers a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Service {
    /// From when the call is sent to its last byte.
    pub latency: SimDuration,
    /// The share of it until the first token.
    pub first_share: f64,
}

impl Service {
    /// The service of an attempt, given the provider's draw and, where answers are by tokens, how long those of the
    /// prompt and of the answer take.
    #[inline(always)]
    pub fn of(
        provider: &Provider,
        drawn: SimDuration,
        tokens: impl FnOnce(&Generation) -> (SimDuration, SimDuration),
    ) -> Service {
        match &provider.generation {
            None => Service { latency: drawn, first_share: provider.first_token.get() },
            Some(generation) => Service::by_tokens(drawn, tokens(generation)),
        }
    }

    /// The first token comes when the prompt is read, and the last one when the answer is written.
    fn by_tokens(drawn: SimDuration, (reads, writes): (SimDuration, SimDuration)) -> Service {
        let first_token = drawn.plus(reads);
        let latency = first_token.plus(writes);
        // An answer may take no time at all.
        let first_share = first_token.as_nanos() as f64 / latency.as_nanos().max(1) as f64;
        Service { latency, first_share }
    }
}

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

/// The part that a fault, or the lack of room, has in a call's fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hit {
    None,
    /// The call was sent while the fault was active.
    WhenSent,
    /// The call was in flight when the fault started.
    InFlight,
    /// No fault had a part in it: there was no room for the call.
    NoRoom,
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
    /// When the answer is complete, or would have been, had nothing broken it off; [`SimTime::NEVER`] for none.
    pub complete: SimTime,
    pub reply: Reply,
    pub hit: Hit,
    /// The Retry-After that comes with an error status.
    pub retry_after: Option<SimDuration>,
}

impl Fate {
    /// A call that ends with an error before its first token.
    pub fn error(ends: SimTime, reply: Reply, hit: Hit) -> Fate {
        let never = SimTime::NEVER;
        Fate {
            begins: SimTime::START,
            first_token: never,
            ends,
            complete: never,
            reply,
            hit,
            retry_after: None,
        }
    }

    /// The same call, for which there turns out to be no room at that moment.
    pub fn turned_away(self, at: SimTime, status: u16, retry_after: Option<SimDuration>) -> Fate {
        let hit = if self.hit == Hit::None { Hit::NoRoom } else { self.hit };
        Fate { retry_after, ..Fate::error(at, Reply::Status(status), hit) }
    }

    /// Whether the call comes to where it is counted, before anything becomes of it.
    pub fn is_counted(&self) -> bool {
        !matches!(self.reply, Reply::Refused | Reply::Unreachable)
    }

    /// A call whose turn never comes.
    pub fn never_served(hit: Hit) -> Fate {
        Fate::never(Reply::Silence, hit)
    }

    /// The same answer, after a wait.
    pub fn later(self, wait: SimDuration) -> Fate {
        Fate {
            first_token: self.first_token.after(wait),
            ends: self.ends.after(wait),
            complete: self.complete.after(wait),
            ..self
        }
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

/// A status for errors that providers give with no fault active.
const QUIET_ERROR: u16 = 500;

const QUIET: Key = Key::purpose("quiet error");

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
        World {
            model,
            provider_keys: model.providers.iter().map(|p| Key::purpose(&p.name)).collect(),
            troubles: Troubles::of_all(model, faults),
        }
    }

    /// The key of a provider's own draws, made from its name so that other providers do not shift it.
    pub fn provider_key(&self, provider: ProviderId) -> Key {
        self.provider_keys[provider.index()]
    }

    /// The fault at this index.
    pub fn fault(&self, index: usize) -> &'m Fault {
        &self.model.faults[index]
    }

    /// The fate of the attempt with this key, sent now, which a healthy provider would answer like this.
    #[inline(always)]
    pub fn attempt(&self, provider: ProviderId, key: Key, sent: SimTime, service: Service) -> Fate {
        let ends = sent.after(service.latency);
        // Nothing but speed: what follows is what `call` does where there is no fault.
        let is_streamed = service.first_share < 1.0;
        if !is_streamed
            && self.troubles[provider.index()].spare(sent, ends)
            && !self.is_quiet_error(provider, key)
        {
            let (reply, hit) = (Reply::Good, Hit::None);
            return Fate {
                begins: sent,
                first_token: ends,
                ends,
                complete: ends,
                reply,
                hit,
                retry_after: None,
            };
        }
        self.call(Call::Attempt, provider, key, sent, service)
    }

    /// The fate of the probe with this key, sent now, which a healthy provider would answer after `latency`.
    pub fn probe(&self, provider: ProviderId, key: Key, sent: SimTime, latency: SimDuration) -> Fate {
        // What a probe gets is short: its first token is its answer.
        self.call(Call::Probe, provider, key, sent, Service { latency, first_share: 1.0 })
    }

    /// What becomes of attempts that are sent to a provider from `now` on, until one of its faults starts or ends.
    pub fn outlook(&self, provider: ProviderId, now: SimTime) -> Outlook {
        let troubles = &self.troubles[provider.index()];
        let starts = |window: Option<&Window>| window.map_or(SimTime::NEVER, |window| window.start);
        let fails_at = starts(troubles.coming(now).iter().find(|window| window.acts()));
        let breaks_at = starts(troubles.breaking(now).find(|window| window.acts()));
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

    fn call(&self, call: Call, provider: ProviderId, key: Key, sent: SimTime, service: Service) -> Fate {
        let Service { latency, first_share } = service;
        let troubles = &self.troubles[provider.index()];
        let quiet = self.is_quiet_error(provider, key);
        let answered = |reply, start: SimTime, latency: SimDuration, hit| {
            let ends = start.after(latency);
            let first_token = if first_share < 1.0 { start.after(latency.scaled(first_share)) } else { ends };
            Fate { begins: start, first_token, ends, complete: ends, reply, hit, retry_after: None }
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
        for window in troubles.breaking(sent) {
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

    /// What becomes of an attempt that a fault strikes, but for when.
    pub fn fate_of_struck(&self, provider: ProviderId, place: usize) -> Fate {
        let reply = match self.troubles[provider.index()].windows[place].requests {
            Effect::Status(code) => Reply::Status(code),
            _ => Reply::Refused,
        };
        Fate::error(SimTime::START, reply, Hit::WhenSent)
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
