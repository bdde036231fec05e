//! Faults of the gateway itself: replicas that crash, are drained, or lose their shared state.

use super::Simulation;
use super::recorder::{Cause, Milestone, Recorder, Stage};
use super::request::Failed;
use super::slab::Slot;
use super::view::Marks;
use crate::model::{Answer, GatewayEffect, HealthScope, ProviderId};
use crate::time::SimTime;

/// Which replicas are down.
#[derive(Debug, Default)]
pub(super) struct Down {
    /// By replica: how many faults keep it down, and how many of them have others take its requests.
    faults: Vec<(u32, u32)>,
}

impl Down {
    pub fn new(replicas: u32) -> Self {
        Down { faults: vec![(0, 0); replicas as usize] }
    }

    #[inline]
    pub fn is_down(&self, replica: u32) -> bool {
        self.faults[replica as usize].0 > 0
    }

    /// The replica that takes the requests of one that is down: the next one that is not.
    pub fn stand_in(&self, replica: u32) -> Option<u32> {
        let count = self.faults.len() as u32;
        let is_drained = self.faults[replica as usize].1 > 0;
        (1..count).map(|i| (replica + i) % count).find(|other| is_drained && !self.is_down(*other))
    }
}

impl<R: Recorder> Simulation<'_, '_, R> {
    pub(super) fn on_gateway_fault_starts(&mut self, now: SimTime, fault: usize) {
        self.recorder.milestone(now, Milestone::GatewayFaultStarts(fault));
        let settings = &self.model.gateway.faults[fault];
        for replica in 0..settings.replicas {
            match settings.effect {
                GatewayEffect::LoseStore => self.cut_off(now, replica, true),
                GatewayEffect::Crash | GatewayEffect::Drain => {
                    let (down, drained) = &mut self.down.faults[replica as usize];
                    *down += 1;
                    *drained += u32::from(settings.effect == GatewayEffect::Drain);
                    self.lose_all(now, replica);
                }
            }
        }
    }

    pub(super) fn on_gateway_fault_ends(&mut self, now: SimTime, fault: usize) {
        self.recorder.milestone(now, Milestone::GatewayFaultEnds(fault));
        let settings = &self.model.gateway.faults[fault];
        for replica in 0..settings.replicas {
            match settings.effect {
                GatewayEffect::LoseStore => self.cut_off(now, replica, false),
                GatewayEffect::Crash | GatewayEffect::Drain => {
                    let (down, drained) = &mut self.down.faults[replica as usize];
                    *down -= 1;
                    *drained -= u32::from(settings.effect == GatewayEffect::Drain);
                    if *down == 0 && self.model.gateway.health == HealthScope::Own {
                        self.start_anew(now, replica);
                    } else if *down == 0 {
                        self.see_all(now, replica);
                    }
                }
            }
        }
    }

    /// Everything in flight at a replica is lost with it.
    fn lose_all(&mut self, now: SimTime, replica: u32) {
        self.waiting[replica as usize].clear();
        for slot in self.requests_in_flight.slots() {
            let request = self.requests_in_flight.get(slot);
            // What is on its way, or about to be asked again, is not at the gateway.
            if request.is_some_and(|r| r.asked.replica == replica && r.is_inside) {
                self.lose_with_replica(now, slot);
            }
        }
        if self.model.gateway.health == HealthScope::Own {
            self.forget_probes(replica);
        }
    }

    /// A request is at a replica that fails, or comes to one that has.
    pub(super) fn lose_with_replica(&mut self, now: SimTime, slot: Slot) {
        let Some(request) = self.requests_in_flight.get_mut(slot) else { return };
        let answer = if request.is_inside { Answer::ConnectionLost } else { Answer::Refused };
        let (cause, stage) = (Cause::GatewayDown, Stage::GatewayDown);
        request.failure = Some(Failed { provider: None, answer, retry_after: None, cause, stage });
        self.fail(now, slot);
    }

    /// A replica comes back and knows nothing.
    fn start_anew(&mut self, now: SimTime, replica: u32) {
        self.forget_attempts(replica);
        for provider in (0..self.model.providers.len()).map(ProviderId::new) {
            self.believe(now, replica, provider, Marks::default());
        }
        self.start_probing(replica, now);
    }
}
