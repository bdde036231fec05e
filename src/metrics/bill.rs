//! What a run costs: what providers charge, with what the gateway adds to it.

use crate::engine::{CallKind, Usage};
use crate::model::{Fee, Model, Price, Provider};
use crate::time::SimDuration;
use std::ops::AddAssign;

/// An amount in US dollars; a finite number.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Usd(pub f64);

impl Eq for Usd {}

impl AddAssign for Usd {
    fn add_assign(&mut self, more: Usd) {
        self.0 += more.0;
    }
}

/// What providers charge in a run, and what the gateway adds to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bill {
    /// What is charged for, by [`CallKind`], over all providers.
    pub usage: [Usage; CallKind::ALL.len()],
    /// What providers charge for it, by the same.
    pub charges: [Usd; CallKind::ALL.len()],
    /// What the gateway costs.
    pub fee: Usd,
    /// The part of `charges` that is for prompts which would have been found in a cache, had their conversation's last
    /// answer come from the same provider.
    pub cache_loss: Usd,
}

impl Bill {
    /// The bill for what was used, by provider and then by kind. The sum runs over providers in their order, so that the
    /// same usage gives the same bill to the bit.
    pub(super) fn of(model: &Model, used: &[[Usage; CallKind::ALL.len()]], requests: u64) -> Bill {
        let mut bill = Bill::default();
        for (provider, by_kind) in model.providers.iter().zip(used) {
            for kind in CallKind::ALL {
                let usage = by_kind[kind as usize];
                bill.usage[kind as usize] += usage;
                bill.charges[kind as usize] += charge(provider, &usage);
                bill.cache_loss += cache_loss(provider, &usage);
            }
        }
        bill.fee = bill.fee_of(model, requests);
        bill
    }

    fn fee_of(&self, model: &Model, requests: u64) -> Usd {
        let resold: f64 = CallKind::ALL
            .into_iter()
            .filter(|kind| *kind != CallKind::Probe)
            .map(|kind| self.charges[kind as usize].0)
            .sum();
        gateway_fee(&model.gateway.fee, Usd(resold), requests, model.duration)
    }

    /// What providers charge for one kind of calls.
    pub fn charge(&self, kind: CallKind) -> Usd {
        self.charges[kind as usize]
    }

    /// Everything.
    pub fn total(&self) -> Usd {
        let mut total = self.fee;
        self.charges.iter().for_each(|charge| total += *charge);
        total
    }

    /// The same sum over kinds of any part of what was used.
    pub fn used(&self, part: impl Fn(&Usage) -> u64) -> u64 {
        self.usage.iter().map(part).sum()
    }
}

/// What a gateway costs for so many requests in so much time, if attempts cost this much at providers.
pub fn gateway_fee(fee: &Fee, resold: Usd, requests: u64, time: SimDuration) -> Usd {
    const MONTH: SimDuration = SimDuration::from_secs(30 * 86_400);
    let months = time.as_secs_f64() / MONTH.as_secs_f64();
    Usd(fee.markup * resold.0 + fee.request * requests as f64 + fee.month * months)
}

fn price(provider: &Provider) -> &Price {
    provider.price.as_ref().expect("a bill is made where all providers have a price")
}

/// What a provider charges for this.
///
/// # Panics
/// If the provider has no price.
pub fn charge(provider: &Provider, usage: &Usage) -> Usd {
    let price = price(provider);
    let Usage { calls, input_tokens, output_tokens, cached_tokens, .. } = *usage;
    let fresh = input_tokens - cached_tokens;
    let tokens = price.input * fresh as f64
        + price.cached_input * cached_tokens as f64
        + price.output * output_tokens as f64;
    Usd(tokens / Price::TOKENS + price.request * calls as f64)
}

fn cache_loss(provider: &Provider, usage: &Usage) -> Usd {
    let price = price(provider);
    Usd((price.input - price.cached_input) * usage.lost_cache_tokens as f64 / Price::TOKENS)
}
