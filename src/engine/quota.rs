//! Quotas of accounts: how much of each is left, and what a call gets that is above one.

use super::meter::{Meter, Wait};
use crate::model::{Allowance, Demand, HealthCheck, Model, ProviderId, Quota, QuotaGrowth, RetryAfter};
use crate::time::{SimDuration, SimTime};
use std::collections::BTreeMap;

/// What a call takes from a quota, beside being one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Need {
    pub tokens: u64,
}

impl Need {
    /// What a request takes that asks for this: the tokens of its prompt, and of its complete answer, as if these were known
    /// when it is sent. Providers count what it may get at most, its `max_tokens`, or count the answer later.
    pub fn of(demand: Demand) -> Need {
        Need { tokens: u64::from(demand.input_tokens) + u64::from(demand.output_tokens) }
    }

    /// What a probe takes.
    pub fn of_probe(check: &HealthCheck) -> Need {
        let tokens = check.tokens.map_or(0, |tokens| u64::from(tokens.input) + u64::from(tokens.output));
        Need { tokens }
    }
}

/// What a call gets that is above a quota: an HTTP status, and the Retry-After that comes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub retry_after: Option<SimDuration>,
}

/// All quotas, and whom they count.
#[derive(Debug)]
pub(super) struct Quotas<'m> {
    model: &'m Model,
    /// In the model's order.
    states: Vec<QuotaState>,
    /// By provider: the indices of its quotas, in the model's order.
    of: Vec<Vec<usize>>,
    /// Whether any of them counts tokens.
    count_tokens: bool,
}

impl<'m> Quotas<'m> {
    /// Quotas of which nothing is used.
    pub fn new(model: &'m Model) -> Self {
        let of = |provider| {
            let quotas = model.quotas.iter().enumerate();
            quotas.filter(|(_, quota)| quota.providers.contains(&provider)).map(|(i, _)| i).collect()
        };
        Quotas {
            model,
            states: model.quotas.iter().map(QuotaState::new).collect(),
            of: (0..model.providers.len()).map(|i| of(ProviderId::new(i))).collect(),
            count_tokens: model.quotas.iter().any(|quota| quota.tokens.is_some()),
        }
    }

    /// Whether any of them counts tokens.
    pub fn count_tokens(&self) -> bool {
        self.count_tokens
    }

    /// Has a call pass all quotas of its provider, or none: the first one that has no room turns it away.
    pub fn pass(
        &mut self,
        now: SimTime,
        provider: ProviderId,
        need: Need,
        is_probe: bool,
    ) -> Result<(), Refusal> {
        let model = self.model;
        let counted = self.of[provider.index()].iter().map(|&i| (i, &model.quotas[i]));
        let counted = counted.filter(|(_, quota)| quota.probes || !is_probe);
        for (i, quota) in counted.clone() {
            let state = &mut self.states[i];
            if let Err(wait) = state.check(quota, now, need) {
                if quota.counts_refused {
                    state.take(quota, now, need);
                }
                // What was turned away may have made the wait longer.
                let wait = state.check(quota, now, need).err().unwrap_or(wait);
                let retry_after = retry_after(quota.retry_after, wait);
                return Err(Refusal { status: quota.answer, retry_after });
            }
        }
        counted.for_each(|(i, quota)| self.states[i].take(quota, now, need));
        Ok(())
    }

    /// A call that passed ends well then, which may be later.
    pub fn ends_well(&mut self, provider: ProviderId, ends: SimTime, need: Need) {
        for &i in &self.of[provider.index()] {
            self.states[i].ends_well(&self.model.quotas[i], ends, need);
        }
    }
}

/// The state of a [`Quota`]; every call is given the quota that it was made for, and an instant not before the last one.
#[derive(Debug, Clone)]
struct QuotaState {
    requests: Option<Meter>,
    tokens: Option<Meter>,
    growth: Option<Growth>,
}

impl QuotaState {
    /// A quota of which nothing is used.
    fn new(quota: &Quota) -> Self {
        QuotaState {
            requests: quota.requests.map(|allowance| Meter::new(allowance, quota.window)),
            tokens: quota.tokens.map(|allowance| Meter::new(allowance, quota.window)),
            growth: quota.growth.map(|_| Growth::default()),
        }
    }

    /// Whether there is room for a call now; if not, how long until there is. Nothing is taken.
    fn check(&mut self, quota: &Quota, now: SimTime, need: Need) -> Result<(), Wait> {
        self.advance(quota, now);
        let has_room = |meter: &Option<Meter>, need| match meter {
            Some(meter) => meter.check(now, need),
            None => Ok(()),
        };
        match (has_room(&self.requests, 1), has_room(&self.tokens, need.tokens)) {
            (Ok(()), Ok(())) => Ok(()),
            (Err(wait), Ok(())) | (Ok(()), Err(wait)) => Err(wait),
            (Err(one), Err(other)) => Err(one.zip(other).map(|(one, other)| one.max(other))),
        }
    }

    /// A call takes what it needs, or what is left.
    fn take(&mut self, quota: &Quota, now: SimTime, need: Need) {
        self.advance(quota, now);
        for (meter, need) in [(&mut self.requests, 1), (&mut self.tokens, need.tokens)] {
            if let Some(meter) = meter {
                meter.take(now, need);
            }
        }
    }

    /// A call that took so much ends well then, which may be later.
    fn ends_well(&mut self, quota: &Quota, ends: SimTime, need: Need) {
        if let (Some(growth), Some(settings)) = (&mut self.growth, &quota.growth)
            && ends < SimTime::NEVER
        {
            growth.ends_well(settings, ends, need);
        }
    }

    /// Brings limits that grow, and buckets that fill, to this instant.
    fn advance(&mut self, quota: &Quota, now: SimTime) {
        let QuotaState { requests, tokens, growth } = self;
        let mut meters = [(requests, quota.requests), (tokens, quota.tokens)];
        if let (Some(growth), Some(settings)) = (growth, &quota.growth) {
            let last = now.as_nanos() / settings.every.as_nanos();
            while let Some(tick) = growth.next_tick(settings, last) {
                let at = SimTime::from_nanos(tick * settings.every.as_nanos());
                let well = [growth.well.requests, growth.well.tokens];
                for ((meter, base), well) in meters.iter_mut().zip(well) {
                    if let (Some(meter), Some(base)) = (meter, base) {
                        meter.fill(at);
                        meter.limit(grown(settings, *base, well));
                    }
                }
            }
        }
        meters.iter_mut().filter_map(|(meter, _)| meter.as_mut()).for_each(|meter| meter.fill(now));
    }
}

/// The Retry-After of a quota, or of a provider, that has room again after a wait.
pub(super) fn retry_after(settings: RetryAfter, wait: Wait) -> Option<SimDuration> {
    const SECOND: u64 = 1_000_000_000;
    match settings {
        RetryAfter::Never => None,
        RetryAfter::After(after) => Some(after),
        RetryAfter::UntilReset => wait.map(|wait| SimDuration::from_secs(wait.as_nanos().div_ceil(SECOND))),
    }
}

/// What calls took that ended well.
#[derive(Debug, Clone, Copy, Default)]
struct Well {
    requests: u64,
    tokens: u64,
}

/// What was served well of late. Time is cut into cells of `every`; those that lie in the last `over` count.
#[derive(Debug, Clone, Default)]
struct Growth {
    /// The tick up to which limits are known, at the start of the cell of this number.
    tick: u64,
    /// By the number of the cell in which calls end; some have ends that are still to come.
    cells: BTreeMap<u64, Well>,
    /// All that counts at this tick.
    well: Well,
}

impl Growth {
    fn ends_well(&mut self, settings: &QuotaGrowth, ends: SimTime, need: Need) {
        let cell = self.cells.entry(ends.as_nanos() / settings.every.as_nanos()).or_default();
        cell.requests += 1;
        cell.tokens += need.tokens;
    }

    /// Goes on to the next tick at which a limit may change, up to and including `last`.
    fn next_tick(&mut self, settings: &QuotaGrowth, last: u64) -> Option<u64> {
        if self.tick >= last {
            return None;
        }
        // With nothing in any cell, nothing changes.
        self.tick = if self.cells.is_empty() { last } else { self.tick + 1 };
        let cells = settings.over.as_nanos() / settings.every.as_nanos();
        if let Some(Well { requests, tokens }) = self.cells.get(&(self.tick - 1)) {
            self.well.requests += requests;
            self.well.tokens += tokens;
        }
        if let Some(forgotten) = (self.tick - 1).checked_sub(cells)
            && let Some(Well { requests, tokens }) = self.cells.remove(&forgotten)
        {
            self.well.requests -= requests;
            self.well.tokens -= tokens;
        }
        Some(self.tick)
    }
}

/// What may come in a period, given so many units that ended well in the last `over`.
fn grown(settings: &QuotaGrowth, base: Allowance, units: u64) -> u64 {
    let periods = base.period.as_secs_f64() / settings.over.as_secs_f64();
    let grown = settings.factor * units as f64 * periods;
    base.amount.max((grown as u64).min(Allowance::MOST))
}
