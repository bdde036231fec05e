//! The field of candidates: plays them, and keeps what they were measured by.
//!
//! Whom to play is left to [`super::search`].

use super::mix::{Estimate, Part};
use super::space::{Position, Space};
use super::{Objective, Tune};
use crate::experiment::criterion::Target;
use crate::experiment::runner::{Cancelled, Progress, RunFailure, RunPlan, Task};
use crate::metrics::{Metric, metric};
use crate::model::Model;
use crate::scenario::Problems;
use std::collections::BTreeMap;

/// Outcomes that are held at once; what is kept of each is a few numbers.
const RUNS_AT_ONCE: u64 = 20_000;

/// What is told of every candidate that is named, whatever it was chosen by: what it costs.
pub const COSTS: [&str; 2] = ["probe_per_day", "false_ejection_per_day"];

/// Candidates, the scenarios that they are played in, and what came of it.
pub struct Field<'a> {
    /// Where candidates can be.
    pub space: Space<'a>,
    /// What is to be found.
    pub tune: &'a Tune,
    plan: &'a RunPlan,
    progress: &'a dyn Progress,
    metrics: Vec<&'static Metric>,
    candidates: Vec<Candidate>,
    by_values: BTreeMap<String, usize>,
    spent: u64,
}

/// One combination of settings.
#[derive(Debug)]
pub struct Candidate {
    /// Where it is on each axis.
    pub position: Position,
    /// Its settings, one for each axis.
    pub values: Vec<toml::Value>,
    models: Vec<Model>,
    /// By scenario, then metric, then run; not a number where a run has no value.
    samples: Vec<Vec<Vec<f64>>>,
}

/// Why no answer was found.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// Something that was asked for cannot be.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// Somebody asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The engine failed.
    #[error("candidate {settings}: {failure}")]
    Failed {
        /// Of the candidate that was played.
        settings: String,
        /// What happened.
        failure: RunFailure,
    },
    /// Nothing meets the constraints; what would come nearest.
    #[error("{0}")]
    Infeasible(String),
}

impl<'a> Field<'a> {
    /// No candidate yet.
    pub fn new(space: Space<'a>, tune: &'a Tune, plan: &'a RunPlan, progress: &'a dyn Progress) -> Self {
        let costs = COSTS.map(|name| metric(name).expect("the metric exists"));
        let mut metrics: Vec<&'static Metric> = Vec::new();
        for metric in tune.targets().map(|target| target.metric).chain(costs) {
            if metrics.iter().all(|known| known.name != metric.name) {
                metrics.push(metric);
            }
        }
        let (candidates, by_values) = (Vec::new(), BTreeMap::new());
        Field { space, tune, plan, progress, metrics, candidates, by_values, spent: 0 }
    }

    /// A field of other scenarios, or another question, that is played in the same way.
    pub fn with<'b>(&self, space: Space<'b>, tune: &'b Tune) -> Field<'b>
    where
        'a: 'b,
    {
        Field::new(space, tune, self.plan, self.progress)
    }

    /// The candidate at a place, which is there already if it has the settings of another one. `None` where a
    /// condition of the sweep does not hold.
    ///
    /// # Errors
    /// If its settings make no valid scenario, or somebody asked to stop.
    pub fn add(&mut self, position: Position) -> Result<Option<usize>, TuneError> {
        if self.progress.is_cancelled() {
            return Err(Cancelled.into());
        }
        let values = self.space.values(&position);
        let key = settings_text(&values);
        if let Some(known) = self.by_values.get(&key) {
            return Ok(Some(*known));
        }
        if !self.space.keeps(&values)? {
            return Ok(None);
        }
        let models = self.space.models(&values)?;
        let samples = vec![vec![Vec::new(); self.metrics.len()]; models.len()];
        self.candidates.push(Candidate { position, values, models, samples });
        self.by_values.insert(key, self.candidates.len() - 1);
        Ok(Some(self.candidates.len() - 1))
    }

    /// How many candidates there are.
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// One of them.
    pub fn candidate(&self, candidate: usize) -> &Candidate {
        &self.candidates[candidate]
    }

    /// Its model in a scenario.
    pub fn model(&self, candidate: usize, scenario: usize) -> &Model {
        &self.candidates[candidate].models[scenario]
    }

    /// Runs that were simulated so far. A scenario with nothing random in it takes one.
    pub fn spent(&self) -> u64 {
        self.spent
    }

    /// Simulated runs that are left; without a budget there is no end of them.
    pub fn left(&self) -> u64 {
        self.tune.budget.map_or(u64::MAX, |budget| budget.saturating_sub(self.spent))
    }

    /// Runs that a candidate has had in every scenario that it is compared by.
    pub fn runs(&self, candidate: usize) -> u64 {
        let needed = (0..self.space.scenarios.len()).filter(|scenario| self.tune.needs(*scenario));
        needed.map(|scenario| self.runs_in(candidate, scenario)).min().unwrap_or(0)
    }

    /// Runs that it has had in one scenario.
    pub fn runs_in(&self, candidate: usize, scenario: usize) -> u64 {
        self.candidates[candidate].samples[scenario][0].len() as u64
    }

    /// How many runs are simulated to give a candidate so many more.
    pub fn cost(&self, candidate: usize, more: u64) -> u64 {
        let models = self.candidates[candidate].models.iter().enumerate();
        let needed = models.filter(|(scenario, _)| self.tune.needs(*scenario));
        needed.map(|(_, model)| if model.is_random() { more } else { u64::from(more > 0) }).sum()
    }

    /// Plays candidates until each has so many runs, in the scenarios that it is compared by.
    ///
    /// # Errors
    /// If somebody asked to stop, or the engine fails.
    pub fn play(&mut self, wanted: &[(usize, u64)]) -> Result<(), TuneError> {
        self.play_in(wanted, |tune, scenario| tune.needs(scenario))
    }

    /// The same in every scenario.
    ///
    /// # Errors
    /// As [`Self::play`].
    pub fn play_everywhere(&mut self, wanted: &[(usize, u64)]) -> Result<(), TuneError> {
        self.play_in(wanted, |_, _| true)
    }

    fn play_in(
        &mut self,
        wanted: &[(usize, u64)],
        is_in: impl Fn(&Tune, usize) -> bool,
    ) -> Result<(), TuneError> {
        let mut batch: Vec<(usize, usize, std::ops::Range<u64>)> = Vec::new();
        let mut runs = 0;
        for &(candidate, until) in wanted {
            for scenario in 0..self.space.scenarios.len() {
                let from = self.runs_in(candidate, scenario);
                if from < until && is_in(self.tune, scenario) {
                    batch.push((candidate, scenario, from..until));
                    runs += until - from;
                }
            }
            if runs >= RUNS_AT_ONCE {
                self.play_batch(&batch)?;
                batch.clear();
                runs = 0;
            }
        }
        self.play_batch(&batch)
    }

    fn play_batch(&mut self, batch: &[(usize, usize, std::ops::Range<u64>)]) -> Result<(), TuneError> {
        let task = |(candidate, scenario, runs): &(usize, usize, std::ops::Range<u64>)| Task {
            model: &self.candidates[*candidate].models[*scenario],
            runs: runs.clone(),
        };
        let tasks: Vec<Task> = batch.iter().map(task).collect();
        let played = self.plan.play_tasks(&tasks, self.progress)?;
        let simulated =
            |task: &Task| if task.model.is_random() { task.runs.end - task.runs.start } else { 1 };
        self.spent += tasks.iter().map(simulated).sum::<u64>();
        for ((candidate, scenario, _), outcomes) in batch.iter().zip(played) {
            let candidate = &mut self.candidates[*candidate];
            let outcomes = outcomes.map_err(|failure| TuneError::Failed {
                settings: settings_text(&candidate.values),
                failure,
            })?;
            for (metric, samples) in self.metrics.iter().zip(&mut candidate.samples[*scenario]) {
                samples.extend(outcomes.iter().map(|outcome| metric.of(outcome).unwrap_or(f64::NAN)));
            }
        }
        Ok(())
    }

    /// What a candidate has of a target: over the mix, or in one scenario. A run without a value counts as `missing`,
    /// and so does a candidate without runs.
    pub fn estimate(
        &self,
        candidate: usize,
        target: Target,
        scenario: Option<usize>,
        missing: f64,
    ) -> Estimate {
        let nth = self.metrics.iter().position(|metric| metric.name == target.metric.name);
        let nth = nth.expect("a metric that was asked for");
        if scenario.map_or_else(|| self.runs(candidate), |scenario| self.runs_in(candidate, scenario)) == 0 {
            return Estimate::exact(missing, 0);
        }
        let weights = match scenario {
            Some(scenario) => vec![(scenario, 1.0)],
            None => self.weighted(),
        };
        let values: Vec<(f64, Vec<f64>)> = weights
            .into_iter()
            .map(|(scenario, weight)| {
                let samples = &self.candidates[candidate].samples[scenario][nth];
                let value = |sample: &f64| if sample.is_nan() { missing } else { *sample };
                (weight, samples.iter().map(value).collect())
            })
            .collect();
        let parts: Vec<Part> =
            values.iter().map(|(weight, values)| Part { weight: *weight, values }).collect();
        Estimate::of(target.statistic, &parts)
    }

    /// The scenarios that count, with their weights.
    pub fn weighted(&self) -> Vec<(usize, f64)> {
        let weights = self.tune.weights.iter().copied().enumerate();
        weights.filter(|(_, weight)| *weight > 0.0).collect()
    }

    /// What a candidate has of an objective, as it is; in one scenario if one is named.
    pub fn objective(&self, candidate: usize, objective: &Objective, scenario: Option<usize>) -> Estimate {
        let sign = self.sign();
        match objective {
            Objective::Target(target) => self.estimate(candidate, *target, scenario, sign * f64::INFINITY),
            Objective::Axis(..) if self.runs(candidate) == 0 => Estimate::exact(sign * f64::INFINITY, 0),
            Objective::Axis(axis, _) => {
                let value = &self.candidates[candidate].values[*axis];
                let number = self.space.sweep.axes[*axis].kind.number(value);
                Estimate::exact(number.unwrap_or(f64::NAN), self.runs(candidate) as usize)
            }
        }
    }

    /// 1 where less is better, -1 where more is.
    pub fn sign(&self) -> f64 {
        match self.tune.goal.as_ref().map(|goal| goal.direction) {
            Some(super::Direction::Maximize) => -1.0,
            _ => 1.0,
        }
    }
}

/// Settings as one text, the same for the same settings.
fn settings_text(values: &[toml::Value]) -> String {
    let texts: Vec<String> = values.iter().map(crate::scenario::shape::inline).collect();
    texts.join(", ")
}
