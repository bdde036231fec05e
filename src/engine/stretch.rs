//! The paths that settle a request when it arrives, and many of them at once where they fare alike.
//!
//! Where nobody listens to the good end of an attempt, requests do not act on each other: what becomes of one depends on
//! its own draws, on what its replica's routing sees, and on faults. So arrivals are left lying while events pass that
//! change none of these. When something is about to change, what has arrived in the stretch of time before it is
//! settled. Only a request that is tried again has events of its own.
//!
//! Passive detectors do listen. Those that count failures in a row learn nothing from a success while they have seen no
//! failure, so what arrives and ends well in such a time is counted, too; the rest of the requests have their events.

use super::breaker::Breaker;
use super::latency_cells::LatencyCells;
use super::recorder::{Alike, Ending, Recorder};
use super::request::{Asked, Tries};
use super::routing::{Place, ROOT, Spent};
use super::world::{Hit, Outlook};
use super::{Path, Simulation};
use crate::model::{AllEjected, Detector, Model, Probability, Provider, ProviderId};
use crate::time::{SimDuration, SimTime};

/// How the requests of a stretch fare.
#[derive(Debug, Clone, Copy)]
enum Prospect {
    /// Each has to be looked at, with the time of its arrival.
    Each,
    /// All of them end like this, after one attempt at this provider or none.
    Alike { ending: Ending, sent_to: Option<ProviderId> },
    /// All but a few go well.
    Good(Good),
}

/// All requests go to this provider and succeed, but for quiet errors, for those that are struck and for those that take
/// longer than `patience`.
#[derive(Debug, Clone, Copy)]
struct Good {
    provider: ProviderId,
    slow: Option<f64>,
    /// The fault that strikes a share of them, and how these end.
    struck: Option<(usize, Ending)>,
    patience: SimDuration,
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
    let differs_by_class = gateway.route.compares_prices() && model.traffic.classes.len() > 1;
    !gateway.route.is_random()
        && !differs_by_class
        && !gateway.route.learns()
        && gateway.slow_start == SimDuration::ZERO
        && gateway.overprovisioning.is_none()
}

/// Whether passive detectors can do without most good ends: nothing that goes well now can turn out badly, and a good
/// end tells them nothing while they have seen no failure.
pub(super) fn spares_detectors(model: &Model) -> bool {
    let patience = patience(model);
    let is_reliable = |provider: &Provider| {
        provider.error_rate == Probability::ZERO
            && provider.capacity.is_none()
            && provider.generation.is_none()
            && provider.latency.longest() <= patience
    };
    !tries_again(model)
        && model.network.is_none()
        && model.gateway.detectors.iter().all(Detector::counts_rows_only)
        && model.providers.iter().all(is_reliable)
}

/// A good answer that takes no longer comes before any timer of its client or of the gateway.
fn patience(model: &Model) -> SimDuration {
    let timeouts = &model.gateway.timeouts;
    let timers = [model.traffic.client_timeout, timeouts.request, timeouts.attempt, timeouts.first_token];
    timers.into_iter().flatten().fold(UNLIMITED, SimDuration::min)
}

impl<R: Recorder> Simulation<'_, '_, R> {
    /// Plays the run, leaving arrivals lying until something changes.
    pub(super) fn play_in_stretches(&mut self) {
        // What is tried again has events that come before others, and detectors hear of all.
        let before_others = self.tries_again || self.probes_heed_traffic() || !self.settles;
        let before_all = !self.settles;
        loop {
            let due = self.queue.next_at();
            let keeps_up = if self.queue.next_is_a_requests() { before_all } else { before_others };
            if keeps_up || due == SimTime::NEVER {
                // What comes of it may be due sooner, and it is what comes next.
                self.catch_up(due);
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
                Prospect::Each if self.settles => self.settle_each(until),
                Prospect::Each => return self.begin_each(until),
                Prospect::Alike { ending, sent_to } => {
                    let count = self.arrivals.index_before(until) - self.arrived;
                    if let Some(provider) = sent_to.filter(|_| self.bills) {
                        // Each comes to what the one has come to that was looked at for all.
                        let asked = self.asked(from, self.arrived, self.requests.numbered(self.arrived));
                        self.bill_looked_at(&asked, provider, SimTime::NEVER, false, count);
                    }
                    let attempts = u32::from(sent_to.is_some());
                    self.arrived += count;
                    self.report_many(Alike { count, arrived_from: from, attempts, ending });
                }
                Prospect::Good(good) => self.settle_good(from, until, good),
            }
            self.settled_until = until;
        }
    }

    /// How the requests fare that arrive from `from` on, and up to when: `until`, or sooner. Nothing that routing sees
    /// changes before `until`, and no fault starts or ends.
    fn prospect(&mut self, from: SimTime, until: SimTime) -> (Prospect, SimTime) {
        let (prospect, until) = self.common_prospect(from, until).unwrap_or((Prospect::Each, until));
        let together = |ending| self.recorder.together_until(from, ending);
        let until = match prospect {
            Prospect::Each => until,
            Prospect::Alike { ending, .. } => until.min(together(ending)),
            Prospect::Good(Good { struck: Some((_, ending)), .. }) => {
                until.min(together(Ending::Succeeded)).min(together(ending))
            }
            Prospect::Good(_) => until.min(together(Ending::Succeeded)),
        };
        (prospect, until)
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
            return Some((Prospect::Alike { ending: ending?, sent_to: None }, until))
                .filter(|_| !self.tries_again);
        };
        let Provider { capacity, generation, .. } = self.model.provider(provider);
        if capacity.is_some() || generation.is_some() || self.model.network.is_some() {
            return None;
        }
        match self.world.outlook(provider, from) {
            Outlook::Fine { slow, struck: None, fails_at, .. } if !self.settles => {
                self.unheard_prospect(from, until, provider, slow, fails_at)
            }
            Outlook::Fine { slow, struck, breaks_at, .. } if self.settles => {
                let stage = |this: &mut Self, asked: &Asked| {
                    this.stage(from, asked.replica, provider, choice, Hit::WhenSent)
                };
                let struck = match struck {
                    Some(fault) => {
                        let stage = self.in_common(from, stage)?;
                        Some((fault, Ending::Failed(self.world.cause_of_strike(provider, fault), stage)))
                    }
                    None => None,
                };
                let good = Good { provider, slow, struck, patience: patience(self.model) };
                self.good_prospect(from, until, good, breaks_at)
            }
            Outlook::Broken if self.settles && !self.tries_again => {
                let ending =
                    self.in_common(from, |this, asked| this.first_try(from, asked, provider, choice).1);
                Some((Prospect::Alike { ending: ending?, sent_to: Some(provider) }, until))
            }
            _ => None,
        }
    }

    /// What arrives so long before anything fails that it has ended by then, at a provider of which no detector has seen
    /// a failure.
    fn unheard_prospect(
        &self,
        from: SimTime,
        until: SimTime,
        provider: ProviderId,
        slow: Option<f64>,
        fails_at: SimTime,
    ) -> Option<(Prospect, SimTime)> {
        let longest = slowed(self.model.provider(provider).latency.longest(), slow);
        let (until, patience) = (until.min(fails_at.before(longest)), patience(self.model));
        let nothing_fails = from < until && longest <= patience && self.attempts.len() == 0;
        (nothing_fails && self.sees_no_failures_of(provider))
            .then_some((Prospect::Good(Good { provider, slow, struck: None, patience }), until))
    }

    /// Whether no detector has a failure of the provider in mind.
    fn sees_no_failures_of(&self, provider: ProviderId) -> bool {
        let of_owner = self.model.gateway.detectors.len();
        let first = provider.index() * of_owner;
        let of_provider = |all: &[Breaker]| all[first..first + of_owner].iter().all(Breaker::has_no_row);
        self.breakers.chunks(self.model.providers.len() * of_owner).all(of_provider)
    }

    /// What is the same for a request at any replica, if it is.
    fn in_common<T: PartialEq>(&mut self, now: SimTime, of: impl Fn(&mut Self, &Asked) -> T) -> Option<T> {
        let mut asked = self.asked(now, self.arrived, self.requests.numbered(self.arrived));
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
        good: Good,
        breaks_at: SimTime,
    ) -> Option<(Prospect, SimTime)> {
        let latency = self.model.provider(good.provider).latency;
        let [longest, long] = [latency.longest(), latency.long()].map(|takes| slowed(takes, good.slow));
        let (patience, until) = if breaks_at == SimTime::NEVER {
            (good.patience, until)
        } else if from < breaks_at.before(longest) {
            (good.patience, until.min(breaks_at.before(longest)))
        } else if from < breaks_at.before(long) {
            (good.patience.min(long), until.min(breaks_at.before(long)))
        } else {
            return None;
        };
        Some((Prospect::Good(Good { patience, ..good }), until))
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

    /// The same where each has events, and until the first of these.
    fn begin_each(&mut self, until: SimTime) {
        self.arrivals.seek(self.arrived);
        while self.arrivals.next_at() < until.min(self.queue.next_at()) {
            // What is sent may change what routing sees.
            self.settled_until = self.arrivals.next_at();
            self.arrivals.advance();
            self.on_arrival(self.settled_until);
            self.events += 1;
        }
        self.settled_until = until.min(self.queue.next_at());
    }

    /// Settles what arrives before `until` and succeeds, looking only at draws that matter.
    fn settle_good(&mut self, from: SimTime, until: SimTime, good: Good) {
        let Good { provider, slow, struck, patience } = good;
        let model = self.model.provider(provider);
        let (first, last) = (self.arrived, self.arrivals.index_before(until));
        let may_be_late = slowed(model.latency.longest(), slow) > patience;
        let wants_each = self.recorder.wants_latencies() && model.latency.is_random();
        let mut others = Vec::new();
        let mut struck_count = 0;
        if may_be_late || wants_each || model.error_rate > Probability::ZERO || struck.is_some() {
            let at_provider = self.world.provider_key(provider).numbered(Tries::default().next(provider, 0));
            let mut cells = match wants_each {
                true => self.latency_memo.cells(model.latency, slow, last - first),
                false => None,
            };
            // Below this rank no draw is late, so none need be computed to know it.
            let in_time = match &cells {
                Some(cells) => cells.rank_within(patience),
                None if wants_each || !may_be_late => 0,
                None => LatencyCells::rank_within_alone(model.latency, slow, patience),
            };
            for ordinal in first..last {
                let key = self.requests.numbered(ordinal).joined(at_provider);
                if struck.is_some_and(|(fault, _)| self.world.strikes(provider, fault, key)) {
                    match self.tries_again {
                        true => others.push(ordinal),
                        false => struck_count += 1,
                    }
                    continue;
                }
                if self.world.is_quiet_error(provider, key) {
                    others.push(ordinal);
                    continue;
                }
                let rank = model.latency.rank(key);
                let is_counted =
                    rank < in_time && cells.as_mut().map_or(!wants_each, |cells| cells.count(rank));
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
        if let Some((fault, ending)) = struck {
            if self.bills {
                self.bill_struck(provider, fault, struck_count);
            }
            self.report_many(Alike { count: struck_count, arrived_from: from, attempts: 1, ending });
        }
        let count = last - first - others.len() as u64 - struck_count;
        if count > 0 && self.recorder.wants_latencies() && !wants_each {
            self.recorder.latencies(slowed(model.latency.longest(), slow), count);
        }
        let ending = Ending::Succeeded;
        if self.bills {
            self.bill_good(provider, count);
        }
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
