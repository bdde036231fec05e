//! What stands between an attempt and its provider's answer: the quotas of its account, and the provider's slots.

use super::Simulation;
use super::capacity::Admission;
use super::quota::{Need, Refusal};
use super::recorder::Recorder;
use super::request::Asked;
use super::world::{Fate, Reply};
use crate::model::ProviderId;
use crate::time::{SimDuration, SimTime};

/// What a provider answers that has no room for another call.
const NO_ROOM: u16 = 503;

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
        let patience = asked.deadline.min(asked.cut_off);
        if self.model.quotas.is_empty() {
            return self.queued(now, patience, provider, fate, is_last);
        }
        let need = self.quotas.need(asked.key);
        if let Some(refused) = self.over_quota(now, provider, fate, need, false) {
            return refused;
        }
        let fate = self.queued(now, patience, provider, fate, is_last);
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
        patience: SimTime,
        provider: ProviderId,
        fate: Fate,
        is_last: bool,
    ) -> Fate {
        let Some(capacity) = &self.model.provider(provider).capacity else { return fate };
        let works = matches!(fate.reply, Reply::Good | Reply::Truncated)
            || (fate.first_token < SimTime::NEVER && fate.ends < SimTime::NEVER);
        if !works {
            return fate;
        }
        let after = |timeout: Option<SimDuration>| timeout.map_or(SimTime::NEVER, |t| now.after(t));
        let timeouts = *self.timeouts(is_last);
        let gives_up = patience.min(after(timeouts.attempt)).min(after(timeouts.first_token));
        let slots = self.slots[provider.index()].as_mut().expect("a provider with a capacity has slots");
        slots.pause_until(fate.begins);
        let ready = now.max(fate.begins);
        match slots.admit(capacity, now, fate.ends.since(ready), gives_up) {
            Admission::TurnedAway => fate.turned_away(now, NO_ROOM, None),
            Admission::NeverServed => Fate::never_served(fate.hit),
            Admission::Starts(starts) => fate.later(starts.since(ready)),
        }
    }
}
