//! Plays many runs of many models, in parallel and in order.

use crate::engine::{Memo, Path, fastest_path};
use crate::metrics::{MetricsRecorder, Outcome, Wanted, measure_with};
use crate::model::Model;
use rayon::prelude::*;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A thread plays so many runs in a row where there are plenty: models that play the same run share its arrivals.
const PLAYS_TOGETHER: usize = 16;

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
    /// So many runs need not be played after all.
    fn skip(&self, _runs: u64) {}
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
    ///
    /// # Panics
    /// If the engine does: a bug.
    pub fn play(&self, models: &[Model], progress: &dyn Progress) -> Result<Vec<Vec<Outcome>>, Cancelled> {
        let tasks: Vec<Task> = models.iter().map(|model| Task { model, runs: self.runs.clone() }).collect();
        let played = self.play_tasks(&tasks, progress)?.into_iter();
        Ok(played.map(|outcomes| outcomes.unwrap_or_else(|failure| panic!("{failure}"))).collect())
    }

    /// Plays the runs of every task on all threads; returns outcomes by task, each in order of run.
    ///
    /// The tasks say which runs: [`Self::runs`] is not looked at. A model with nothing random in it is played once, as
    /// all its runs are equal. A run in which the engine panics fails its task, and the others go on.
    ///
    /// # Errors
    /// If `progress` said to stop.
    pub fn play_tasks(
        &self,
        tasks: &[Task],
        progress: &dyn Progress,
    ) -> Result<Vec<Result<Vec<Outcome>, RunFailure>>, Cancelled> {
        // All tasks of a run stand together: they see the same random numbers, and what one has computed of them helps
        // the next.
        let mut plays: Vec<(u64, usize)> = (tasks.iter().enumerate())
            .flat_map(|(nth, task)| task.played().map(move |run| (run, nth)))
            .collect();
        plays.sort_unstable();
        // Rayon keeps the order, so the number of threads never shows in the result.
        let played: Vec<Result<Outcome, RunFailure>> = plays
            .par_iter()
            // Else threads that steal from each other would tear runs of one number apart, down to single ones.
            .with_min_len((plays.len() / (8 * rayon::current_num_threads())).clamp(1, PLAYS_TOGETHER))
            .map_init(Memo::default, |memo, &(run, nth)| {
                if progress.is_cancelled() {
                    return Err(Cancelled);
                }
                let task = &tasks[nth];
                let outcome =
                    caught(run, || measure_with(memo, task.model, self.seed, run, self.wanted, self.path));
                if outcome.is_err() {
                    // Whatever the run was doing to it is half-done.
                    *memo = Memo::default();
                }
                progress.advance(task.share_of_one());
                Ok(outcome)
            })
            .collect::<Result<_, _>>()?;

        let empty = |task: &Task| Ok(Vec::with_capacity(task.count() as usize));
        let mut results: Vec<Result<Vec<Outcome>, RunFailure>> = tasks.iter().map(empty).collect();
        // Runs come in ascending order, so the first failure of a task is the same on any number of threads.
        for (outcome, (_, nth)) in played.into_iter().zip(plays) {
            let result = &mut results[nth];
            match (result.as_mut(), outcome) {
                (Ok(outcomes), Ok(outcome)) => outcomes.push(outcome),
                (Ok(_), Err(failure)) => *result = Err(failure),
                (Err(_), _) => {}
            }
        }
        for (task, result) in tasks.iter().zip(&mut results) {
            if let Ok(outcomes) = result
                && let Some(only) = outcomes.first().filter(|_| !task.model.is_random()).cloned()
            {
                outcomes.resize(task.count() as usize, only);
            }
        }
        Ok(results)
    }
}

/// Plays a run, and catches a panic of the engine.
fn caught(run: u64, play: impl FnOnce() -> Outcome) -> Result<Outcome, RunFailure> {
    catch_unwind(AssertUnwindSafe(play)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        RunFailure { run, message: text.unwrap_or_else(|| "the engine panicked".to_owned()) }
    })
}

/// Some runs of one model.
#[derive(Debug, Clone)]
pub struct Task<'a> {
    /// The model.
    pub model: &'a Model,
    /// Which runs.
    pub runs: Range<u64>,
}

impl Task<'_> {
    fn count(&self) -> u64 {
        self.runs.end.saturating_sub(self.runs.start)
    }

    /// The runs that are simulated: one where all are equal.
    fn played(&self) -> Range<u64> {
        let count = if self.model.is_random() { self.count() } else { self.count().min(1) };
        self.runs.start..self.runs.start + count
    }

    /// How many runs are done when one has been simulated.
    fn share_of_one(&self) -> u64 {
        if self.model.is_random() { 1 } else { self.count() }
    }
}

/// A run that the engine could not play to its end: a bug of the engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("run {run}: {message}")]
pub struct RunFailure {
    /// The number of the run; of several the lowest.
    pub run: u64,
    /// What the engine said.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::measure;
    use crate::scenario::Loader;
    use std::sync::atomic::{AtomicU64, Ordering};

    const PLAN: RunPlan = RunPlan { seed: 1, runs: 0..0, wanted: Wanted::METRICS, path: None };

    fn model(arrivals: &str) -> Model {
        let text = format!(
            "duration = \"5s\"\ntraffic.arrivals = {{ {arrivals} }}\nprovider.a.latency = {{ constant = \"1s\" }}\n"
        );
        Loader::new().parse("small", &text).and_then(|document| document.model()).expect("a valid scenario")
    }

    #[derive(Default)]
    struct Count(AtomicU64);

    impl Progress for Count {
        fn advance(&self, runs: u64) {
            self.0.fetch_add(runs, Ordering::Relaxed);
        }
        fn is_cancelled(&self) -> bool {
            false
        }
    }

    #[test]
    fn every_task_gets_its_own_runs_in_order() {
        let (random, fixed) = (model("poisson = \"20/s\""), model("constant = \"20/s\""));
        let alone = |run| measure(&random, 1, run, Wanted::METRICS, None);
        let tasks = [
            Task { model: &random, runs: 3..6 },
            Task { model: &fixed, runs: 0..4 },
            Task { model: &random, runs: 0..4 },
            Task { model: &random, runs: 2..2 },
        ];
        let count = Count::default();
        let played = PLAN.play_tasks(&tasks, &count).expect("nobody cancels");
        let expected = [
            (3..6).map(alone).collect(),
            vec![measure(&fixed, 1, 0, Wanted::METRICS, None); 4],
            (0..4).map(alone).collect(),
            vec![],
        ];
        assert_eq!(played, expected.map(Ok));
        assert_eq!(count.0.into_inner(), 11);
    }

    #[test]
    fn an_engine_that_panics_fails_its_task_alone() {
        let good = model("poisson = \"20/s\"");
        let mut bad = good.clone();
        bad.providers.clear();
        let tasks = [Task { model: &good, runs: 0..2 }, Task { model: &bad, runs: 4..6 }];
        let played = PLAN.play_tasks(&tasks, &()).expect("nobody cancels");
        assert!(played[0].is_ok());
        let failure = played[1].as_ref().expect_err("no provider");
        assert_eq!(failure.run, 4, "{failure}");
    }
}
