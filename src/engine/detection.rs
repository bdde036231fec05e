//! Drives the passive detectors: feeds them the ends of attempts, asks the group's policy when one trips, and tells
//! routing what they decide.

use super::breaker::{Breaker, Ended, Reaction};
use super::health_check::Prober;
use super::outlier::outliers;
use super::recorder::Recorder;
use super::view::Marks;
use super::{Event, Simulation};
use crate::model::{Detector, Evaluated, Judges, MaxEjectedRule, NodeId, Pick, ProviderId, TripAction};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

const TICK_PHASE: Key = Key::purpose("tick");
const CLOCK_PHASE: Key = Key::purpose("wall clock");
const ENFORCED: Key = Key::purpose("enforced");

/// One owner's draws that have to do with the detector at this index.
pub(super) fn detector_key(run: Key, owner: u32, detector: &Detector) -> Key {
    run.named("detector").numbered(owner.into()).named(&detector.name)
}

/// How far the wall clock was into anything when the run began: the same for all detectors.
pub(super) fn clock_phase(run: Key) -> SimDuration {
    SimDuration::from_secs(24 * 60 * 60).scaled(run.joined(CLOCK_PHASE).unit())
}

impl<'m, R: Recorder> Simulation<'m, '_, R> {
    fn index_of_breaker(&self, owner: u32, provider: ProviderId, detector: usize) -> usize {
        let pair = owner as usize * self.model.providers.len() + provider.index();
        pair * self.model.gateway.detectors.len() + detector
    }

    fn detectors(&self) -> impl Iterator<Item = (usize, &'m Detector)> + use<'m, R> {
        self.model.gateway.detectors.iter().enumerate()
    }

    pub(super) fn schedule_first_ticks(&mut self) {
        for owner in 0..self.owners {
            for (i, settings) in self.detectors() {
                let Evaluated::OnTicks { every, first } = settings.evaluated else { continue };
                let key = detector_key(self.run, owner, settings).joined(TICK_PHASE);
                let first = first.unwrap_or_else(|| every.scaled(key.unit()));
                self.plan_tick(SimTime::START.after(first), owner, i as u32);
            }
        }
    }

    fn plan_tick(&mut self, at: SimTime, owner: u32, detector: u32) {
        if at < SimTime::NEVER {
            self.ticks += 1;
            self.queue.push(at, Event::DetectorTicks { owner, detector });
        }
    }

    /// An attempt is sent to a provider; `is_first` unless it is a retry there.
    pub(super) fn detectors_on_sent(
        &mut self,
        now: SimTime,
        owner: u32,
        provider: ProviderId,
        is_first: bool,
    ) {
        for (i, settings) in self.detectors() {
            if settings.judges == Judges::AfterRetries && !is_first {
                continue;
            }
            let index = self.index_of_breaker(owner, provider, i);
            self.breakers[index].on_sent(now);
            if !self.breakers[index].is_calm() {
                self.sync(now, owner, provider, i, None);
            }
        }
    }

    /// An attempt, or a provider's part in a request, has ended.
    pub(super) fn detectors_on_ended(
        &mut self,
        owner: u32,
        provider: ProviderId,
        judges: Judges,
        ended: &Ended,
    ) {
        for (i, settings) in self.detectors() {
            if settings.judges != judges {
                continue;
            }
            let index = self.index_of_breaker(owner, provider, i);
            let was_calm = self.breakers[index].is_calm();
            let reaction = self.breakers[index].on_ended(settings, ended);
            if !was_calm || reaction != Reaction::None {
                self.react(ended.ended, owner, provider, i, reaction);
            }
        }
    }

    pub(super) fn on_detector_wakes(&mut self, now: SimTime, prober: Prober, detector: u32) {
        let Prober { replica: owner, provider, .. } = prober;
        let index = self.index_of_breaker(owner, provider, detector as usize);
        // It may have been told something else meanwhile.
        if self.breakers[index].timer() == Some(now) {
            let settings = &self.model.gateway.detectors[detector as usize];
            let reaction = self.breakers[index].on_timer(settings, now);
            self.react(now, owner, provider, detector as usize, reaction);
        }
    }

    pub(super) fn on_detector_ticks(&mut self, now: SimTime, owner: u32, detector: u32) {
        let i = detector as usize;
        let settings = &self.model.gateway.detectors[i];
        let Some(every) = settings.ticks() else { return };
        self.ticks -= 1;
        for provider in (0..self.model.providers.len()).map(ProviderId::new) {
            let index = self.index_of_breaker(owner, provider, i);
            let reaction = self.breakers[index].on_tick(settings, now);
            self.react(now, owner, provider, i, reaction);
        }
        if let Some(success_rate) = &settings.trips.success_rate {
            let routed = self.model.gateway.route.providers();
            let tally = |p: &ProviderId| self.breakers[self.index_of_breaker(owner, *p, i)].tally(now);
            let outlying = outliers(success_rate, &routed.iter().map(tally).collect::<Vec<_>>());
            for (&provider, _) in routed.iter().zip(outlying).filter(|(_, is_outlying)| *is_outlying) {
                let evidence_began = before(now, every);
                self.react(now, owner, provider, i, Reaction::Trips { evidence_began });
            }
        }
        if now < self.end() || self.ticks_matter() {
            self.plan_tick(now.after(every), owner, detector);
        }
    }

    /// Whether a request can still depend on a tick after the last arrival: something else is going to happen, or an
    /// ejection is going to end that a request waits for. What never ends must not keep the clock going.
    fn ticks_matter(&self) -> bool {
        let somebody_waits = || self.waiting.iter().any(|slots| !slots.is_empty());
        let will_be_released = || somebody_waits() && self.breakers.iter().any(Breaker::waits_for_a_tick);
        self.in_flight() > 0 && (self.queue.len() > self.ticks || will_be_released())
    }

    /// A probe of the provider has passed.
    pub(super) fn on_probe_passed(&mut self, now: SimTime, prober: Prober) {
        let Prober { replica: owner, provider, .. } = prober;
        let marks = self.beliefs.marks(owner, provider);
        for (i, settings) in self.detectors() {
            let index = self.index_of_breaker(owner, provider, i);
            if settings.action != TripAction::Eject {
                // HAProxy: a passed check clears the counter of errors.
                self.breakers[index].spare(now);
            }
            let is_healthy = marks.ejected & super::view::HEALTH_CHECK_BIT == 0;
            if settings.readmit_on_probe && is_healthy && self.breakers[index].readmit(settings, now) {
                self.sync(now, owner, provider, i, None);
            }
        }
    }

    fn react(&mut self, now: SimTime, owner: u32, provider: ProviderId, i: usize, reaction: Reaction) {
        let settings = &self.model.gateway.detectors[i];
        let index = self.index_of_breaker(owner, provider, i);
        let mut evidence = None;
        if let Reaction::Trips { evidence_began } = reaction {
            match settings.action {
                TripAction::HealthCheck(action) => {
                    self.breakers[index].spare(now);
                    self.on_error(now, owner, provider, evidence_began, action);
                }
                TripAction::Eject if self.may_eject(now, owner, provider, i) => {
                    self.breakers[index].eject(settings, now);
                    evidence = Some(evidence_began);
                }
                TripAction::Eject => self.breakers[index].spare(now),
            }
        }
        self.sync(now, owner, provider, i, evidence);
    }

    /// Whether the group's policy lets a detector eject a provider.
    fn may_eject(&mut self, now: SimTime, owner: u32, provider: ProviderId, i: usize) -> bool {
        let settings = &self.model.gateway.detectors[i];
        let route = &self.model.gateway.route;
        if settings.spares_lone && is_alone(route, provider) {
            return false;
        }
        if let Some(most) = settings.max_ejected {
            let routed = route.providers();
            let ejected = self.beliefs.ejected_count(owner, routed, bit(i)) as f64;
            let allowed = most.share.get() * routed.len() as f64;
            let fits = match most.rule {
                MaxEjectedRule::WithThis => ejected + 1.0 <= allowed,
                MaxEjectedRule::BeforeThis => ejected < allowed,
            };
            if !fits {
                return false;
            }
        }
        let key = detector_key(self.run, owner, settings).joined(self.world.provider_key(provider));
        key.joined(ENFORCED).numbered(now.as_nanos()).coin(settings.enforced.get())
    }

    /// Tells routing what a detector has decided, and has it woken when it asks for that.
    fn sync(
        &mut self,
        now: SimTime,
        owner: u32,
        provider: ProviderId,
        i: usize,
        evidence_began: Option<SimTime>,
    ) {
        let index = self.index_of_breaker(owner, provider, i);
        let breaker = &self.breakers[index];
        let with = |bits: u8, is_set: bool| if is_set { bits | bit(i) } else { bits & !bit(i) };
        let old = self.beliefs.marks(owner, provider);
        let ejected = with(old.ejected, breaker.is_ejected());
        let falsely = match evidence_began {
            Some(began) => !self.world.is_faulty_between(provider, began, now),
            None => old.falsely,
        };
        let marks = Marks { blocked: with(old.blocked, breaker.is_blocked()), ejected, falsely };
        if let Some(at) = breaker.timer()
            && self.wakes[index] != Some(at)
        {
            self.wakes[index] = Some(at);
            let prober = Prober { replica: owner, provider, observer: 0 };
            self.queue.push(at, Event::DetectorWakes { prober, detector: i as u32 });
        }
        self.believe(now, owner, provider, marks);
    }

    /// Forgets all that an owner's passive detectors know.
    pub(super) fn forget_attempts(&mut self, owner: u32) {
        for provider in (0..self.model.providers.len()).map(ProviderId::new) {
            for (i, settings) in self.detectors() {
                let index = self.index_of_breaker(owner, provider, i);
                self.breakers[index] =
                    super::new_breaker(settings, self.run, owner, self.world.provider_key(provider));
            }
        }
    }
}

/// The bit in [`Marks`] of the passive detector at an index.
fn bit(i: usize) -> u8 {
    1 << (i + 1)
}

fn before(time: SimTime, duration: SimDuration) -> SimTime {
    SimTime::from_nanos(time.as_nanos().saturating_sub(duration.as_nanos()))
}

/// Whether a provider has no sibling in its group.
fn is_alone(route: &crate::model::Route, provider: ProviderId) -> bool {
    let leaves = route.nodes().iter().filter(|node| node.pick == Pick::Provider(provider));
    let siblings = |parent: Option<NodeId>| parent.map_or(1, |p| route.node(p).pick.children().len());
    leaves.map(|leaf| siblings(leaf.parent)).max().unwrap_or(1) <= 1
}
