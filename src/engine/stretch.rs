//! The paths that settle a request when it arrives, and many of them at once where they fare alike.
//!
//! Where nobody listens to the good end of an attempt, requests do not act on each other: what becomes of one depends on
//! its own draws, on what its replica's routing sees, and on faults. So arrivals are left lying while events pass that
//! change none of these. When something is about to change, what has arrived in the stretch of time before it is
//! settled. Only a request that is tried again has events of its own.

use super::recorder::{Alike, Ending, Recorder};
use super::request::{Asked, Tries};
use super::routing::{Place, ROOT, Spent};
use super::world::Outlook;
use super::{Path, Simulation};
use crate::model::{AllEjected, Model, Probability, ProviderId};
use crate::time::{SimDuration, SimTime};

/// How the requests of a stretch fare.
#[derive(Debug, Clone, Copy)]
enum Prospect {
    /// Each has to be looked at, with the time of its arrival.
    Each,
    /// All of them end like this, after so many attempts.
    Alike { ending: Ending, attempts: u32 },
    /// All of them succeed at this provider, but for quiet errors and what takes longer than `patience`.
    Good { provider: ProviderId, slow: Option<f64>, patience: SimDuration },
}

/// Longer than any latency that a run can wait for, and yet no sum with it overflows.
const UNLIMITED: SimDuration = SimDuration::from_nanos(1 << 62);

/// Whether a request that finds no provider, or whose attempt fails, is not at its end.
pub(super) fn tries_again(model: &Model) -> bool {
    let gateway = &model.gateway;
    gateway.retry.is_some()
        || gateway.fallback.is_some()
        || model.traffic.client_retry.is_some()
        || gateway.all_ejected == AllEjected::Wait
}

/// Whether a request's first choice depends on what replicas see alone, and on nothing of its own.
pub(super) fn chooses_alike(model: &Model) -> bool {
    let gateway = &model.gateway;
    !gateway.route.is_random()
        && !gateway.route.learns()
        && gateway.slow_start == SimDuration::ZERO
        && gateway.overprovisioning.is_none()
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// Plays the run, leaving arrivals lying until something changes.
    pub(super) fn play_in_stretches(&mut self) {
        // What is tried again has events, which have to come in their order.
        let keeps_up = self.tries_again || self.probes_heed_traffic();
        loop {
            let due = self.queue.next_at();
            if due == SimTime::NEVER || (keeps_up && !self.queue.next_is_a_requests()) {
                self.catch_up(due);
                if self.queue.next_at() < due {
                    continue;
                }
            }
            let Some((now, event)) = self.queue.pop() else { break };
            self.on_event(now, event);
            self.events += 1;
        }
    }

    fn probes_heed_traffic(&self) -> bool {
        let check = self.model.gateway.health_check.as_ref();
        check.is_some_and(|check| check.intervals.no_traffic.is_some())
    }

    /// Settles what has arrived before `now`, as something is about to change. Arrivals come after events at the same
    /// instant, so those at `now` see the change.
    pub(super) fn catch_up(&mut self, now: SimTime) {
        let now = now.min(self.end());
        while self.path != Path::Plain && self.settled_until < now {
            let from = self.settled_until;
            let (prospect, until) = match self.path {
                Path::Counting => self.prospect(from, now),
                _ => (Prospect::Each, now),
            };
            match prospect {
                Prospect::Each => self.settle_each(until),
                Prospect::Alike { ending, attempts } => {
                    let count = self.arrivals.index_before(until) - self.arrived;
                    self.arrived += count;
                    self.report_many(Alike { count, arrived_from: from, attempts, ending });
                }
                Prospect::Good { provider, slow, patience } => {
                    self.settle_good(from, until, provider, slow, patience);
                }
            }
            self.settled_until = until;
        }
    }

    /// How the requests fare that arrive from `from` on, and up to when: `until`, or sooner. Nothing that routing sees
    /// changes before `until`, and no fault starts or ends.
    fn prospect(&mut self, from: SimTime, until: SimTime) -> (Prospect, SimTime) {
        let (prospect, until) = self.common_prospect(from, until).unwrap_or((Prospect::Each, until));
        let ending = match prospect {
            Prospect::Each => return (prospect, until),
            Prospect::Alike { ending, .. } => ending,
            Prospect::Good { .. } => Ending::Succeeded,
        };
        (prospect, until.min(self.recorder.together_until(from, ending)))
    }

    /// What all of them have in common, if it can be said without a look at any of them.
    fn common_prospect(&mut self, from: SimTime, until: SimTime) -> Option<(Prospect, SimTime)> {
        let is_first_heeded = self.probes_heed_traffic() && self.has_traffic.contains(&false);
        if !self.chooses_alike || !self.switches.is_empty() || is_first_heeded {
            return None;
        }
        let choice =
            self.in_common(from, |this, asked| this.choose(from, asked, Spent::default(), 0, ROOT))?;
        let Some(Place { provider, .. }) = choice.place else {
            let ending =
                self.in_common(from, |this, asked| this.ending_without_provider(from, asked.replica));
            return Some((Prospect::Alike { ending: ending?, attempts: 0 }, until))
                .filter(|_| !self.tries_again);
        };
        if self.model.provider(provider).capacity.is_some() {
            return None;
        }
        match self.world.outlook(provider, from) {
            Outlook::Fine { slow, breaks_at } => self.good_prospect(from, until, provider, slow, breaks_at),
            Outlook::Broken if !self.tries_again => {
                let ending =
                    self.in_common(from, |this, asked| this.first_try(from, asked, provider, choice).1);
                Some((Prospect::Alike { ending: ending?, attempts: 1 }, until))
            }
            Outlook::Broken | Outlook::Mixed => None,
        }
    }

    /// What is the same for a request at any replica, if it is.
    fn in_common<T: PartialEq>(&mut self, now: SimTime, of: impl Fn(&mut Self, &Asked) -> T) -> Option<T> {
        let mut asked = self.asked(now, self.arrived);
        asked.replica = 0;
        let first = of(self, &asked);
        let is_same = (1..self.model.gateway.replicas.get()).all(|replica| {
            asked.replica = replica;
            of(self, &asked) == first
        });
        is_same.then_some(first)
    }

    /// What arrives so long before something breaks what is in flight that it has ended by then; for the rest the time
    /// of arrival matters.
    fn good_prospect(
        &self,
        from: SimTime,
        until: SimTime,
        provider: ProviderId,
        slow: Option<f64>,
        breaks_at: SimTime,
    ) -> Option<(Prospect, SimTime)> {
        let latency = self.model.provider(provider).latency;
        let before_break = |takes: SimDuration| breaks_at.before(slowed(takes, slow));
        let patience = self.patience();
        let (patience, until) = if breaks_at == SimTime::NEVER {
            (patience, until)
        } else if from < before_break(latency.longest()) {
            (patience, until.min(before_break(latency.longest())))
        } else if from < before_break(latency.long()) {
            (patience.min(slowed(latency.long(), slow)), until.min(before_break(latency.long())))
        } else {
            return None;
        };
        Some((Prospect::Good { provider, slow, patience }, until))
    }

    /// A good answer that takes no longer comes before any timer of its client or of the gateway.
    fn patience(&self) -> SimDuration {
        let timeouts = &self.model.gateway.timeouts;
        let timers =
            [self.model.traffic.client_timeout, timeouts.request, timeouts.attempt, timeouts.first_token];
        timers.into_iter().flatten().fold(UNLIMITED, SimDuration::min)
    }

    /// Settles one by one what arrives before `until`.
    fn settle_each(&mut self, until: SimTime) {
        self.arrivals.seek(self.arrived);
        while self.arrivals.next_at() < until {
            self.on_arrival(self.arrivals.next_at());
            self.arrivals.advance();
            self.events += 1;
        }
    }

    /// Settles what arrives before `until` and succeeds, looking only at draws that matter.
    fn settle_good(
        &mut self,
        from: SimTime,
        until: SimTime,
        provider: ProviderId,
        slow: Option<f64>,
        patience: SimDuration,
    ) {
        let model = self.model.provider(provider);
        let (first, last) = (self.arrived, self.arrivals.index_before(until));
        let may_be_late = slowed(model.latency.longest(), slow) > patience;
        let wants_each = self.recorder.wants_latencies() && model.latency.is_random();
        let mut others = Vec::new();
        if may_be_late || wants_each || model.error_rate > Probability::ZERO {
            let at_provider = self.world.provider_key(provider).numbered(Tries::default().next(provider, 0));
            let mut cells = self.latency_memo.cells(model.latency, slow, last - first).filter(|_| wants_each);
            let countable = cells.as_ref().map_or(0, |cells| cells.rank_within(patience));
            for ordinal in first..last {
                let key = self.requests.numbered(ordinal).joined(at_provider);
                if self.world.is_quiet_error(provider, key) {
                    others.push(ordinal);
                    continue;
                }
                let rank = model.latency.rank(key);
                let is_counted = rank < countable && cells.as_mut().is_some_and(|cells| cells.count(rank));
                if is_counted || !(may_be_late || wants_each) {
                    continue;
                }
                let takes = slowed(model.latency.of_rank(rank), slow);
                if takes > patience {
                    others.push(ordinal);
                } else if wants_each {
                    self.recorder.latencies(takes, 1);
                    if let Some(cells) = &mut cells {
                        cells.note_computed(rank);
                    }
                }
            }
        }
        let count = last - first - others.len() as u64;
        if count > 0 && self.recorder.wants_latencies() && !wants_each {
            self.recorder.latencies(slowed(model.latency.longest(), slow), count);
        }
        let ending = Ending::Succeeded;
        self.report_many(Alike { count, arrived_from: from, attempts: 1, ending });
        for ordinal in others {
            self.arrivals.seek(ordinal);
            self.arrived = ordinal;
            self.on_arrival(self.arrivals.next_at());
            self.events += 1;
        }
        self.arrived = last;
    }

    fn report_many(&mut self, requests: Alike) {
        if requests.count > 0 {
            self.ended += requests.count;
            self.events += requests.count;
            self.recorder.requests_ended(&requests);
        }
    }
}

pub(super) fn slowed(latency: SimDuration, slow: Option<f64>) -> SimDuration {
    slow.map_or(latency, |factor| latency.scaled(factor))
}
