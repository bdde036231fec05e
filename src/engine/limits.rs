//! What stands between an attempt and its provider's answer: the quotas of its account, a cold start, and the provider's
//! slots.

use super::Simulation;
use super::capacity::Admission;
use super::quota::{Need, Refusal};
use super::recorder::Recorder;
use super::request::Asked;
use super::stack::Waiting;
use super::world::{Fate, Reply};
use crate::model::{Discipline, ProviderId};
use crate::time::{SimDuration, SimTime};

impl<R: Recorder> Simulation<'_, '_, R> {
    /// The fate of an attempt that would have this one were there no limits.
    pub(super) fn limited(
        &mut self,
        now: SimTime,
        asked: &Asked,
        provider: ProviderId,
        fate: Fate,
        is_last: bool,
    ) -> Fate {
        let demand = if self.quotas.count_tokens() { self.demand(asked) } else { None };
        let need = demand.map_or(Need::default(), Need::of);
        if let Some(refused) = self.over_quota(now, provider, fate, need, false) {
            return refused;
        }
        let fate = self.warmed(now, provider, fate);
        let fate = self.queued(now, asked, provider, fate, is_last, need);
        if fate.reply == Reply::Good {
            self.quotas.ends_well(provider, fate.ends, need);
        }
        fate
    }

    /// What becomes of a call that is above a quota; `None` if it is not, and has taken its part.
    pub(super) fn over_quota(
        &mut self,
        now: SimTime,
        provider: ProviderId,
        fate: Fate,
        need: Need,
        is_probe: bool,
    ) -> Option<Fate> {
        if !fate.is_counted() {
            return None;
        }
        let Refusal { status, retry_after } = self.quotas.pass(now, provider, need, is_probe).err()?;
        Some(fate.turned_away(now, status, retry_after))
    }

    /// The fate of an attempt that has to wait for a provider's slot, if it is one that keeps a slot busy.
    fn queued(
        &mut self,
        now: SimTime,
        asked: &Asked,
        provider: ProviderId,
        fate: Fate,
        is_last: bool,
        need: Need,
    ) -> Fate {
        let Some(capacity) = &self.model.provider(provider).capacity else { return fate };
        let works = matches!(fate.reply, Reply::Good | Reply::Truncated)
            || (fate.first_token < SimTime::NEVER && fate.ends < SimTime::NEVER);
        if !works {
            return fate;
        }
        let after = |timeout: Option<SimDuration>| timeout.map_or(SimTime::NEVER, |t| now.after(t));
        let timeouts = *self.timeouts(is_last);
        let patience = asked.deadline.min(asked.cut_off);
        let gives_up = patience.min(after(timeouts.attempt)).min(after(timeouts.first_token));
        let ready = now.max(fate.begins);
        let turned_away = |at| fate.turned_away(at, capacity.full, capacity.retry_after);
        let admission = match capacity.discipline {
            Discipline::Fifo => {
                let slots = self.slots[provider.index()].as_mut();
                let slots = slots.expect("a provider with a capacity has slots");
                slots.pause_until(fate.begins);
                slots.admit(capacity, now, fate.ends.since(ready), gives_up)
            }
            Discipline::Lifo => {
                let asked = *asked;
                let waiting = Waiting {
                    came: now,
                    gives_up,
                    ready,
                    fate,
                    asked,
                    need,
                    is_last,
                    record: None,
                    left: None,
                };
                match self.stack_up(now, provider, capacity, fate.begins, waiting) {
                    // That is what becomes of it unless its turn comes.
                    Admission::NeverServed => capacity
                        .queue_timeout
                        .map_or(Admission::NeverServed, |timeout| Admission::TimesOut(now.after(timeout))),
                    admission => admission,
                }
            }
        };
        match admission {
            Admission::TurnedAway => turned_away(now),
            Admission::TimesOut(at) => turned_away(at),
            Admission::NeverServed => Fate::never_served(fate.hit),
            Admission::Starts(starts) => fate.later(starts.since(ready)),
        }
    }

    /// The fate of an attempt at a provider that may have to start first.
    fn warmed(&mut self, now: SimTime, provider: ProviderId, fate: Fate) -> Fate {
        let Some(cold) = &self.model.provider(provider).cold else { return fate };
        if !fate.is_counted() {
            return fate;
        }
        let warmth = &mut self.warmth[provider.index()];
        if now >= warmth.last.after(cold.after) {
            warmth.since = now.after(cold.start);
        }
        warmth.last = now.max(warmth.since);
        // What has not begun by then begins then.
        let is_early = fate.begins >= now && fate.begins < warmth.since;
        match is_early {
            true => Fate { begins: warmth.since, ..fate.later(warmth.since.since(fate.begins)) },
            false => fate,
        }
    }
}

/// Whether a provider is warm.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Warmth {
    /// When it was last asked, or has started.
    last: SimTime,
    /// From when on it works.
    since: SimTime,
}
