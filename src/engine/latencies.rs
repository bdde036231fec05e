//! How long providers take for requests' first tries, drawn ahead.
//!
//! Nothing but speed: a draw is a function of its key, whenever it is made. One draw is a chain of operations that wait
//! for each other, and the queue waits for its result; drawn in a block, those of many requests overlap.

use crate::model::{Arrivals, Model, ProviderId};
use crate::random::Key;
use crate::time::SimDuration;

/// Requests of a block.
const BLOCK: usize = 32;

/// Latencies by provider, for the block of requests that arrive at present.
#[derive(Debug)]
pub(super) struct Latencies<'m> {
    model: &'m Model,
    requests: Key,
    /// Empty where most draws of a block would be for nothing, as what is not a list of preference spreads requests, and
    /// where keys do not follow the order of arrival, as those of users do not.
    blocks: Vec<Block>,
}

#[derive(Debug, Clone)]
struct Block {
    /// The block's place in the order of arrival; `u64::MAX` before the first one.
    number: u64,
    latencies: [SimDuration; BLOCK],
}

impl<'m> Latencies<'m> {
    /// `requests` is the key of which a request's own is a numbered child.
    pub fn new(model: &'m Model, requests: Key) -> Self {
        let none = Block { number: u64::MAX, latencies: [SimDuration::ZERO; BLOCK] };
        let is_in_order = !matches!(model.traffic.arrivals, Arrivals::Users(_));
        let is_worth_it = is_in_order && model.gateway.route.plain_list().is_some();
        let count = if is_worth_it { model.providers.len() } else { 0 };
        Latencies { model, requests, blocks: vec![none; count] }
    }

    /// The latency of an attempt with this key: of the request of this ordinal, try number `draw` at its provider.
    #[inline(always)]
    pub fn of(
        &mut self,
        ordinal: u64,
        provider: ProviderId,
        provider_key: Key,
        draw: u64,
        key: Key,
    ) -> SimDuration {
        let (number, place) = (ordinal / BLOCK as u64, ordinal as usize % BLOCK);
        match self.blocks.get_mut(provider.index()) {
            Some(block) if draw == 0 => {
                if block.number != number {
                    let requests = self.requests;
                    *block = Block::draw(self.model, requests, number, provider, provider_key);
                }
                block.latencies[place]
            }
            _ => self.model.provider(provider).latency.draw(key),
        }
    }
}

impl Block {
    #[inline(never)]
    fn draw(model: &Model, requests: Key, number: u64, provider: ProviderId, provider_key: Key) -> Block {
        let (first, try_key) = (number * BLOCK as u64, provider_key.numbered(0));
        let mut keys = [requests; BLOCK];
        for (ordinal, key) in (first..).zip(&mut keys) {
            *key = requests.numbered(ordinal).joined(try_key);
        }
        Block { number, latencies: model.provider(provider).latency.draw_all(&keys) }
    }
}
