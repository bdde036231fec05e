//! In which stage of an incident a request is lost. It knows the truth, and only recorders hear of it.

use super::Simulation;
use super::recorder::{Recorder, Stage};
use super::routing::Choice;
use super::world::Hit;
use crate::model::ProviderId;
use crate::time::SimTime;

impl<R: Recorder> Simulation<'_, '_, R> {
    /// The stage of a request that fails at the provider where `choice` sent it, given what part a fault had in it.
    pub(super) fn stage(
        &self,
        now: SimTime,
        replica: u32,
        provider: ProviderId,
        choice: Choice,
        hit: Hit,
    ) -> Stage {
        match (hit, choice.first_choice) {
            (Hit::None, _) => Stage::Background,
            (Hit::InFlight, _) => Stage::InFlightAtOnset,
            (Hit::NoRoom, first) if first == Some(provider) => Stage::OverQuota,
            (Hit::NoRoom, _) => Stage::BackupOverQuota,
            // It met a fault, but had it not been kept from a healthy provider it would not have.
            (Hit::WhenSent, Some(first)) if first != provider => {
                self.needless_ejection(now, replica, first).unwrap_or(Stage::Undetected)
            }
            (Hit::WhenSent, _) => Stage::Undetected,
        }
    }

    /// The stage of a request that the gateway had no provider for.
    pub(super) fn stage_without_provider(&self, now: SimTime, replica: u32) -> Stage {
        let routed = self.model.gateway.route.providers().iter();
        let needless = routed.filter_map(|&provider| self.needless_ejection(now, replica, provider));
        needless.max_by_key(|stage| *stage == Stage::FalseEjection).unwrap_or(Stage::AllEjected)
    }

    /// Why this provider is ejected now although nothing is wrong with it; `None` if something is, or it is admitted.
    fn needless_ejection(&self, now: SimTime, replica: u32, provider: ProviderId) -> Option<Stage> {
        let view = &self.views[replica as usize];
        let is_needless = !view.is_admitted(provider) && !self.world.is_faulty_between(provider, now, now);
        let was_false = view.marks(provider).falsely;
        is_needless.then_some(if was_false { Stage::FalseEjection } else { Stage::AfterRecovery })
    }
}
