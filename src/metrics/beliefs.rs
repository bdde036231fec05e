//! What was wrong with providers in one run, and what each replica's detectors believed of them.

use super::{MetricsRecorder, TimelineEntry, Wanted};
use crate::engine::{BeliefChange, EjectedBy, Path, Recorder, fastest_path, faults_of, simulate_on};
use crate::model::{Fault, Model, ProviderId};
use crate::time::SimTime;
use std::collections::BTreeMap;

/// Truth and belief of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Beliefs {
    /// What was wrong with providers: the model's own faults, and then the incidents that were drawn for this run.
    pub faults: Vec<Fault>,
    /// When replicas' routing saw a provider as ejected, in order of start; those of one replica and provider do not overlap.
    pub ejections: Vec<Ejection>,
    /// What happened, in order.
    pub timeline: Vec<TimelineEntry>,
}

/// A stretch of time in which the same detectors had a provider ejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ejection {
    /// In the view of this replica.
    pub replica: u32,
    /// The provider.
    pub provider: ProviderId,
    /// By whom; not by nobody.
    pub by: EjectedBy,
    /// Since when.
    pub start: SimTime,
    /// Until when; [`SimTime::NEVER`] if it still was when the run ended.
    pub end: SimTime,
}

impl Beliefs {
    /// Plays the run of this number and seed on the fastest exact path, or on the one given.
    ///
    /// Requests are not looked at one by one where that need not be, so this costs no more than to measure the run.
    pub fn of(model: &Model, seed: u64, run: u64, path: Option<Path>) -> Beliefs {
        let wanted = Wanted { timeline: true, ..Wanted::COUNTS };
        let mut recorder = (MetricsRecorder::new(model, wanted), BeliefRecorder::default());
        let path = path.unwrap_or_else(|| fastest_path::<(MetricsRecorder, BeliefRecorder)>(model));
        let stats = simulate_on(path, model, seed, run, &mut recorder);
        let (metrics, beliefs) = recorder;
        let timeline = metrics.finish(stats).timeline.unwrap_or_default();
        Beliefs { faults: faults_of(model, seed, run), ejections: beliefs.finish(), timeline }
    }
}

/// Listens for what replicas believe.
#[derive(Debug, Default)]
pub(super) struct BeliefRecorder {
    ejections: Vec<Ejection>,
    /// Where those that last stand in it, by replica and provider.
    lasting: BTreeMap<(u32, usize), usize>,
}

impl BeliefRecorder {
    /// In order of start.
    pub fn finish(mut self) -> Vec<Ejection> {
        self.ejections.sort_by_key(|ejection| ejection.start);
        self.ejections
    }
}

impl Recorder for BeliefRecorder {
    const TAKES_NUMBERS: bool = true;

    fn wants_latencies(&self) -> bool {
        false
    }

    fn belief_changed(&mut self, change: &BeliefChange) {
        let BeliefChange { at, replica, provider, ejected_by } = *change;
        let whose = (replica, provider.index());
        if let Some(lasting) = self.lasting.remove(&whose) {
            self.ejections[lasting].end = at;
        }
        if !ejected_by.is_nobody() {
            let (start, end) = (at, SimTime::NEVER);
            self.lasting.insert(whose, self.ejections.len());
            self.ejections.push(Ejection { replica, provider, by: ejected_by, start, end });
        }
    }
}
