//! What a call is charged for, once it is known what became of it at the provider and when its caller left.
//!
//! A provider bills by what it has done, not by what the gateway has seen: so bills are made of fates, which belong to
//! the world, and nobody but recorders hears of them. A hedged attempt that lost is told from one that won when its
//! request ends; every attempt is billed once.

use super::Simulation;
use super::conversations::{Cached, Conversations};
use super::recorder::Recorder;
use super::request::Asked;
use super::slab::Slot;
use super::usage::{Billed, CallKind, Usage};
use super::world::{Fate, Reply};
use crate::model::{Billing, Demand, Model, ProviderId, Share};
use crate::random::Key;
use crate::time::SimTime;

/// The tokens of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Of its prompt.
    pub input: u32,
    /// Of its complete answer.
    pub output: u32,
    /// How much of its prompt the provider has in its cache.
    pub cached: Cached,
}

impl Tokens {
    fn new(input: u32, output: u32) -> Self {
        Tokens { input, output, cached: Cached::default() }
    }

    /// What is charged for a call with its prompt and so much of its answer.
    fn usage(&self, output: u32) -> Usage {
        Usage {
            calls: 1,
            input_tokens: self.input.into(),
            output_tokens: output.into(),
            cached_tokens: self.cached.found.into(),
            lost_cache_tokens: self.cached.lost.into(),
        }
    }
}

/// A call that is to be billed when it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owed {
    pub fate: Fate,
    pub tokens: Tokens,
    /// Since when it waits at a provider that serves last what came first: what becomes of it is not known yet. `None` if it
    /// is.
    pub waits_since: Option<SimTime>,
}

/// What has to be kept until it is billed.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// What becomes of the attempt that was looked at last.
    pub looked_at: Option<Fate>,
    /// By slot of an attempt that runs; `None` once it was billed.
    running: Vec<Option<Owed>>,
    /// `None` where it does not matter what a request is a part of.
    conversations: Option<Conversations>,
}

impl Ledger {
    pub fn new(model: &Model) -> Self {
        let conversations = model.traffic.conversations.filter(|_| model.has_prompt_caches());
        let conversations = conversations.map(|count| Conversations::new(count.get()));
        Ledger { conversations, ..Ledger::default() }
    }

    fn keep(&mut self, slot: Slot, owed: Owed) {
        let place = slot.0 as usize;
        if self.running.len() <= place {
            self.running.resize(place + 1, None);
        }
        self.running[place] = Some(owed);
    }

    /// What becomes of an attempt that runs is known only now.
    pub fn decided(&mut self, slot: Slot, fate: Fate) {
        if let Some(owed) = self.running.get_mut(slot.0 as usize).and_then(Option::as_mut) {
            (owed.fate, owed.waits_since) = (fate, None);
        }
    }

    fn take(&mut self, slot: Slot) -> Option<Owed> {
        self.running.get_mut(slot.0 as usize).and_then(Option::take)
    }
}

impl Owed {
    /// What is charged for the call, if its caller had it until `until`; `is_used` if a complete answer helped somebody.
    pub fn charged(&self, rules: &Billing, until: SimTime, is_used: bool) -> Option<(CallKind, Usage)> {
        let Owed { fate, tokens, .. } = self;
        let came_until = until.min(fate.ends);
        let has_begun = fate.first_token < SimTime::NEVER && fate.first_token <= came_until;
        let (kind, share) = match fate.reply {
            Reply::Good if fate.ends <= until && is_used => (CallKind::Answered, Share::All),
            Reply::Good if fate.ends <= until => (CallKind::Abandoned, Share::All),
            Reply::Good => (CallKind::Abandoned, rules.abandoned),
            // Nobody was there to do anything.
            Reply::Refused | Reply::Unreachable => return None,
            Reply::Truncated | Reply::Lost | Reply::Silence if has_begun => (CallKind::Failed, rules.cut),
            Reply::Truncated | Reply::Lost | Reply::Silence | Reply::Status(_) => {
                (CallKind::Failed, rules.errors)
            }
        };
        let output = match share {
            Share::Nothing => return None,
            Share::Input => 0,
            Share::Delivered if !has_begun => return None,
            Share::Delivered => self.delivered(came_until),
            Share::All => tokens.output,
        };
        Some((kind, tokens.usage(output)))
    }

    /// How many tokens have come at a moment after the first one: they come at one speed until the answer is complete.
    fn delivered(&self, at: SimTime) -> u32 {
        let Owed { fate, tokens, .. } = self;
        let (passed, takes) = (at.since(fate.first_token), fate.complete.since(fate.first_token));
        let Some(more) = tokens.output.checked_sub(1) else { return 0 };
        if passed >= takes {
            return tokens.output;
        }
        let share = u128::from(more) * u128::from(passed.as_nanos()) / u128::from(takes.as_nanos());
        1 + u32::try_from(share).expect("a part is no more than the whole")
    }
}

fn tokens_of(demand: Option<Demand>) -> Tokens {
    demand.map_or(Tokens::new(0, 0), |demand| Tokens::new(demand.input_tokens, demand.output_tokens))
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// The attempt that was looked at last, of a request like this.
    fn owed(&self, asked: &Asked) -> Option<Owed> {
        Some(Owed { fate: self.ledger.looked_at?, tokens: tokens_of(self.demand(asked)), waits_since: None })
    }

    /// The tokens of a request where all ask for the same.
    fn tokens_of_all(&self) -> Tokens {
        tokens_of(self.model.traffic.demand(self.requests, self.requests, 0))
    }

    /// The attempt that was looked at last is sent, and will be billed when it ends; `waits` if its fate is not known yet.
    pub(super) fn bill_later(
        &mut self,
        now: SimTime,
        asked: &Asked,
        slot: Slot,
        provider: ProviderId,
        waits: bool,
    ) {
        let Some(mut owed) = self.owed(asked) else { return };
        owed.waits_since = waits.then_some(now);
        if let Some(conversations) = &self.ledger.conversations
            && let Some(class) =
                self.model.traffic.classes.get(self.model.traffic.class_of(self.asker(asked)))
        {
            let who = (provider, self.model.provider(provider));
            owed.tokens.cached = conversations.cached(asked.key, class, owed.tokens.input, who, now);
        }
        self.ledger.keep(slot, owed);
    }

    /// The client has got a good answer.
    pub(super) fn note_answer(&mut self, now: SimTime, request: Key, provider: ProviderId) {
        if let Some(conversations) = &mut self.ledger.conversations {
            conversations.answered(request, provider, now);
        }
    }

    /// Bills the attempt that was looked at last, as if it had been made so many times.
    pub(super) fn bill_looked_at(
        &mut self,
        asked: &Asked,
        provider: ProviderId,
        until: SimTime,
        is_used: bool,
        count: u64,
    ) {
        if let Some(owed) = self.owed(asked) {
            self.bill(provider, &owed, until, is_used, count);
        }
    }

    /// Bills so many attempts of requests that are all the same, each of which went well.
    pub(super) fn bill_good(&mut self, provider: ProviderId, count: u64) {
        let tokens = self.tokens_of_all();
        let usage = tokens.usage(tokens.output).times(count);
        self.recorder.billed(&Billed { provider, kind: CallKind::Answered, usage });
    }

    /// Bills so many attempts of requests that are all the same, each of which was struck by this fault when it was sent.
    pub(super) fn bill_struck(&mut self, provider: ProviderId, place: usize, count: u64) {
        let fate = self.world.fate_of_struck(provider, place);
        let owed = Owed { fate, tokens: self.tokens_of_all(), waits_since: None };
        self.bill(provider, &owed, SimTime::NEVER, false, count);
    }

    /// Bills an attempt whose caller has it no longer; one that still waits for its turn is billed when that has come, or
    /// cannot come any more.
    pub(super) fn bill_attempt(&mut self, slot: Slot, provider: ProviderId, now: SimTime, is_used: bool) {
        let Some(owed) = self.ledger.take(slot) else { return };
        if !self.leave_to_turn(provider, slot, now, owed) {
            self.bill(provider, &owed, now, is_used, 1);
        }
    }

    /// A request has ended, and what still runs for it is of no use.
    pub(super) fn bill_left(&mut self, now: SimTime, ordinal: u64) {
        for slot in self.attempts.slots() {
            let attempt = self.attempts.get(slot).filter(|attempt| attempt.ordinal == ordinal);
            if let Some(provider) = attempt.map(|attempt| attempt.place.provider) {
                self.bill_attempt(slot, provider, now, false);
            }
        }
    }

    /// Bills what never ends.
    pub(super) fn bill_open(&mut self) {
        for slot in self.attempts.slots() {
            if let Some(provider) = self.attempts.get(slot).map(|attempt| attempt.place.provider) {
                self.bill_attempt(slot, provider, SimTime::NEVER, false);
            }
        }
        self.bill_unserved();
    }

    /// Bills a probe.
    pub(super) fn bill_probe(&mut self, provider: ProviderId, fate: Fate, until: SimTime) {
        let check = self.model.gateway.health_check.as_ref();
        let Some(tokens) = check.and_then(|check| check.tokens) else { return };
        let owed = Owed { fate, tokens: Tokens::new(tokens.input, tokens.output), waits_since: None };
        if let Some((_, usage)) = owed.charged(&self.model.provider(provider).billing, until, true) {
            self.recorder.billed(&Billed { provider, kind: CallKind::Probe, usage });
        }
    }

    pub(super) fn bill(
        &mut self,
        provider: ProviderId,
        owed: &Owed,
        until: SimTime,
        is_used: bool,
        count: u64,
    ) {
        let rules = &self.model.provider(provider).billing;
        if let Some((kind, usage)) = owed.charged(rules, until, is_used) {
            self.recorder.billed(&Billed { provider, kind, usage: usage.times(count) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::world::Hit;
    use crate::time::SimDuration;

    fn at(secs: u64) -> SimTime {
        SimTime::START.after(SimDuration::from_secs(secs))
    }

    /// An answer of 101 tokens that would come from second 10 to second 20, and ends like this.
    fn owed(reply: Reply, first_token: SimTime, ends: SimTime) -> Owed {
        let fate = Fate {
            begins: at(0),
            first_token,
            ends,
            complete: at(20),
            reply,
            hit: Hit::None,
            retry_after: None,
        };
        Owed { fate, tokens: Tokens::new(7, 101), waits_since: None }
    }

    fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
        Usage { calls: 1, input_tokens, output_tokens, ..Usage::default() }
    }

    #[test]
    fn a_complete_answer_is_charged_in_full_whether_it_is_of_use_or_not() {
        let nothing = Billing { errors: Share::Nothing, cut: Share::Nothing, abandoned: Share::Nothing };
        let good = owed(Reply::Good, at(10), at(20));
        for (is_used, kind) in [(true, CallKind::Answered), (false, CallKind::Abandoned)] {
            assert_eq!(good.charged(&nothing, at(20), is_used), Some((kind, usage(7, 101))));
        }
    }

    #[test]
    fn what_is_given_up_on_costs_what_its_rule_says() {
        let good = owed(Reply::Good, at(10), at(20));
        let charged = |abandoned, secs| {
            let rules = Billing { abandoned, ..Billing::default() };
            good.charged(&rules, at(secs), false)
        };
        let some = |input, output| Some((CallKind::Abandoned, usage(input, output)));
        assert_eq!(charged(Share::All, 1), some(7, 101));
        assert_eq!(charged(Share::Input, 15), some(7, 0));
        assert_eq!(charged(Share::Nothing, 15), None);
        // The first token comes at second 10, and ten more in each second after it.
        let delivered = [9, 10, 15, 19].map(|secs| charged(Share::Delivered, secs));
        assert_eq!(delivered, [None, some(7, 1), some(7, 51), some(7, 91)]);
    }

    #[test]
    fn what_fails_costs_what_its_rule_says() {
        let rules = Billing { errors: Share::Input, cut: Share::Delivered, abandoned: Share::All };
        let failed = |input, output| Some((CallKind::Failed, usage(input, output)));
        for (reply, first_token, ends, until, expected) in [
            (Reply::Status(500), SimTime::NEVER, at(1), at(1), failed(7, 0)),
            (Reply::Status(500), SimTime::NEVER, at(9), at(1), failed(7, 0)),
            (Reply::Refused, SimTime::NEVER, at(1), at(1), None),
            (Reply::Unreachable, SimTime::NEVER, SimTime::NEVER, at(1), None),
            (Reply::Silence, SimTime::NEVER, SimTime::NEVER, at(30), failed(7, 0)),
            (Reply::Silence, SimTime::NEVER, SimTime::NEVER, SimTime::NEVER, failed(7, 0)),
            (Reply::Silence, at(10), at(12), at(30), failed(7, 21)),
            (Reply::Lost, at(10), at(12), at(12), failed(7, 21)),
            (Reply::Truncated, at(10), at(15), at(15), failed(7, 51)),
            (Reply::Truncated, at(10), at(15), at(12), failed(7, 21)),
            // Given up on before anything came.
            (Reply::Truncated, at(10), at(15), at(9), failed(7, 0)),
        ] {
            assert_eq!(owed(reply, first_token, ends).charged(&rules, until, true), expected, "{reply:?}");
        }
    }

    #[test]
    fn an_answer_without_tokens_or_in_one_piece_has_no_parts() {
        let mut owed = owed(Reply::Truncated, at(20), at(20));
        assert_eq!(owed.delivered(at(20)), 101);
        owed.tokens.output = 0;
        assert_eq!(owed.delivered(at(20)), 0);
    }
}
