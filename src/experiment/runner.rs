//! Plays many runs of many models, in parallel and in order.

use crate::engine::{Path, fastest_path};
use crate::metrics::{MetricsRecorder, Outcome, Wanted, measure};
use crate::model::Model;
use rayon::prelude::*;
use std::ops::Range;

/// How runs are played; the same for every model of one command.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The seed of all random numbers.
    pub seed: u64,
    /// Which runs; run 7 is the same whether or not 0 to 6 are played.
    pub runs: Range<u64>,
    /// What to record beside the scalars.
    pub wanted: Wanted,
    /// The engine's path; `None` picks the fastest exact one.
    pub path: Option<Path>,
}

/// Hears how far a command is and may stop it. Called from many threads.
pub trait Progress: Sync {
    /// So many more runs are done.
    fn advance(&self, runs: u64);
    /// Whether to stop before the next run.
    fn is_cancelled(&self) -> bool;
}

/// For callers who neither watch nor stop.
impl Progress for () {
    fn advance(&self, _runs: u64) {}
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The command was stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Cancelled;

impl RunPlan {
    /// How many runs of each model.
    pub fn count(&self) -> u64 {
        self.runs.end - self.runs.start
    }

    /// The path that runs of this model take.
    pub fn path_of(&self, model: &Model) -> Path {
        self.path.unwrap_or_else(|| fastest_path::<MetricsRecorder>(model))
    }

    /// Plays every run of every model on all threads; returns outcomes by model, each in order of run.
    ///
    /// A model with nothing random in it is played once, as all its runs are equal.
    ///
    /// # Errors
    /// If `progress` said to stop.
    pub fn play(&self, models: &[Model], progress: &dyn Progress) -> Result<Vec<Vec<Outcome>>, Cancelled> {
        let played = |model: &Model| if model.is_random() { self.count() } else { self.count().min(1) };
        let tasks: Vec<(usize, u64)> = (models.iter().enumerate())
            .flat_map(|(i, model)| (0..played(model)).map(move |nth| (i, self.runs.start + nth)))
            .collect();
        // Rayon keeps the order of tasks, so the number of threads never shows in the result.
        let outcomes: Vec<Outcome> = tasks
            .par_iter()
            .map(|&(i, run)| {
                if progress.is_cancelled() {
                    return Err(Cancelled);
                }
                let outcome = measure(&models[i], self.seed, run, self.wanted, self.path);
                progress.advance(self.count() / played(&models[i]));
                Ok(outcome)
            })
            .collect::<Result<_, _>>()?;

        let mut outcomes = outcomes.into_iter();
        Ok(models
            .iter()
            .map(|model| {
                let mut own: Vec<Outcome> = outcomes.by_ref().take(played(model) as usize).collect();
                if let Some(last) = own.last().cloned() {
                    own.resize(self.count() as usize, last);
                }
                own
            })
            .collect())
    }
}
