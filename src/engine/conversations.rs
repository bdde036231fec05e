//! Conversations: where the turn before went decides whether a provider still has the prompt in its cache.

use crate::model::{Class, Provider, ProviderId};
use crate::random::Key;
use crate::time::SimTime;

const CONVERSATION: Key = Key::purpose("conversation");

/// Who gave each conversation its last good answer, and when. Memory grows with their number alone.
#[derive(Debug)]
pub(super) struct Conversations {
    last: Vec<Option<(ProviderId, SimTime)>>,
}

/// How much of a prompt a provider has in its cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cached {
    /// Tokens that it has.
    pub found: u32,
    /// Tokens that it would have, had the last answer come from it.
    pub lost: u32,
}

impl Conversations {
    pub fn new(count: u32) -> Self {
        Conversations { last: vec![None; count as usize] }
    }

    fn index(&self, request: Key) -> usize {
        (request.joined(CONVERSATION).unit() * self.last.len() as f64) as usize
    }

    /// What of a prompt of a request with this key a provider has, when it gets it.
    pub fn cached(
        &self,
        request: Key,
        class: &Class,
        input_tokens: u32,
        (id, provider): (ProviderId, &Provider),
        now: SimTime,
    ) -> Cached {
        let Some(time_to_live) = provider.prompt_cache else { return Cached::default() };
        let reusable = (f64::from(input_tokens) * class.cached_share.get()) as u32;
        match self.last[self.index(request)] {
            Some((_, at)) if now.since(at) > time_to_live => Cached::default(),
            Some((last, _)) if last == id => Cached { found: reusable, lost: 0 },
            Some(_) => Cached { found: 0, lost: reusable },
            None => Cached::default(),
        }
    }

    /// A conversation has got a good answer.
    pub fn answered(&mut self, request: Key, provider: ProviderId, now: SimTime) {
        let index = self.index(request);
        self.last[index] = Some((provider, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Latency, Probability, TokenCount};
    use crate::time::SimDuration;

    #[test]
    fn a_prompt_is_found_where_the_last_answer_came_from_until_its_time_is_over() {
        let latency = Latency::Constant(SimDuration::ZERO);
        let minutes = |n: u64| SimTime::START.after(SimDuration::from_secs(60 * n));
        let prompt_cache = Some(SimDuration::from_secs(300));
        let provider = Provider { prompt_cache, ..Provider::new("a", latency) };
        let without = Provider::new("b", latency);
        let class = Class {
            name: "chat".into(),
            share: 1.0,
            priority: 0,
            input_tokens: TokenCount::Constant(1001),
            output_tokens: TokenCount::Constant(1),
            cached_share: Probability::new(0.5).expect("a share"),
            max_latency: None,
        };
        let (a, b) = (ProviderId::new(0), ProviderId::new(1));
        let request = Key::for_run(1, 0);
        let mut talk = Conversations::new(1);
        let cached = |talk: &Conversations, id, provider, at| {
            let Cached { found, lost } = talk.cached(request, &class, 1001, (id, provider), minutes(at));
            (found, lost)
        };
        assert_eq!(cached(&talk, a, &provider, 1), (0, 0), "a first turn");
        talk.answered(request, a, minutes(1));
        assert_eq!(cached(&talk, a, &provider, 6), (500, 0));
        assert_eq!(cached(&talk, b, &provider, 6), (0, 500));
        assert_eq!(cached(&talk, a, &provider, 7), (0, 0), "too late");
        assert_eq!(cached(&talk, b, &without, 2), (0, 0));
        talk.answered(request, b, minutes(6));
        assert_eq!(cached(&talk, a, &provider, 7), (0, 500));
    }
}
