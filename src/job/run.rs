//! `run`: one scenario, several side by side, or an experiment's.

use super::{Failure, Opened, all_or_failures, limits};
use crate::engine::Path;
use crate::experiment::objective::{Finding, Objective};
use crate::experiment::runner::{Progress, RunPlan};
use crate::experiment::segment::PointFacts;
use crate::metrics::{Beliefs, Outcome, Wanted};
use crate::model::Model;
use crate::output::{
    Design, Point, ScenarioResult, SecondTotal, add_seconds, assumptions, csv_text, explain, schema,
};
use crate::scenario::Document;
use std::fmt::Write;
use std::ops::Range;

/// Seconds of counts that are held at once, some 240 MB: a long scenario of many runs has more than fits in memory.
const SECONDS_AT_ONCE: u64 = 20_000_000;

/// How scenarios are run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The seed of all random numbers.
    pub seed: u64,
    /// Which runs, at least one; run 7 is the same whether or not 0 to 6 are played.
    pub runs: Range<u64>,
    /// What to record of them.
    pub wanted: Wanted,
    /// The engine's path; `None` picks the fastest exact one.
    pub path: Option<Path>,
    /// What every scenario but the baseline should come to, or the only one: `failed_count <= 1.0x`.
    pub gates: Vec<String>,
}

/// Scenarios that are valid, to be run side by side; the first is the baseline.
#[derive(Debug)]
pub struct RunJob {
    /// Where they are from.
    pub opened: Opened,
    /// By scenario.
    pub models: Vec<Model>,
    /// What each scenario should come to; gates come first.
    pub objectives: Vec<Vec<Objective>>,
    /// How they are played.
    pub plan: RunPlan,
}

/// What a scenario came to.
#[derive(Debug, Clone, Default)]
pub struct Played {
    /// Counts of each second, summed over the runs.
    pub seconds: Vec<SecondTotal>,
    /// By run. Their own counts of seconds are gone, into the sums.
    pub outcomes: Vec<Outcome>,
}

/// Takes all runs of a scenario.
pub type Keep<'a> = dyn FnMut(&Point) -> Result<(), Failure> + 'a;

impl RunJob {
    /// Makes the models.
    ///
    /// # Errors
    /// Everything that is wrong with the scenarios; what is wrong with gates only if nothing else is.
    pub fn new(opened: Opened, options: RunOptions) -> Result<Self, Failure> {
        let (models, mut objectives) = models_and_objectives(&opened.documents)?;
        add_gates(&options.gates, &mut objectives)?;
        let RunOptions { seed, runs, wanted, path, .. } = options;
        Ok(RunJob { opened, models, objectives, plan: RunPlan { seed, runs, wanted, path } })
    }

    /// Refuses more than fits into minutes, or into memory.
    ///
    /// # Errors
    /// With what there is most of.
    pub fn check_size(&self) -> Result<(), Failure> {
        limits::check_size(&self.models, self.plan.count(), self.plan.wanted)
    }

    /// What all rows of the tables have in common.
    pub fn design(&self) -> Design {
        let axes = self.opened.point.as_ref().map(|point| point.axes.clone()).unwrap_or_default();
        Design { seed: self.plan.seed, first_run: self.plan.runs.start, axes }
    }

    /// What tables say of each scenario beside its outcomes.
    pub fn facts(&self) -> Vec<PointFacts> {
        self.models.iter().map(|model| PointFacts::of(model, self.plan.path_of(model))).collect()
    }

    /// What tables call a scenario: its place, or the point of the sweep that it is.
    pub fn number(&self, scenario: usize) -> usize {
        self.opened.point.as_ref().map_or(scenario, |point| point.number)
    }

    /// The table of points, a row for each scenario.
    pub fn points_csv(&self, played: &[Played]) -> String {
        let facts = self.facts();
        let points = facts.iter().zip(played).enumerate().map(|(nth, (facts, Played { outcomes, .. }))| {
            Point { number: self.number(nth), facts, outcomes, error: None }
        });
        csv_text(&schema::points(&self.design(), &points.collect::<Vec<Point>>()))
    }

    /// The life of one request of each scenario's first run, as those listed by `--requests` are numbered.
    ///
    /// # Errors
    /// If there is no such request.
    pub fn explain(&self, request: u64) -> Result<String, Failure> {
        let RunJob { models, plan, .. } = self;
        let mut text = String::new();
        for model in models {
            if models.len() > 1 {
                writeln!(text, "# {}", model.name).expect("a string grows");
            }
            let life = explain(model, plan.seed, plan.runs.start, request).map_err(|count| {
                Failure::refused(
                    format!("there is no request number {request} in `{}`", model.name),
                    match count {
                        0 => "none arrives in this run".to_owned(),
                        count => format!("this run has the requests 0 to {}", count - 1),
                    },
                )
            })?;
            text.push_str(&life);
        }
        Ok(text)
    }

    /// Plays all runs, on all threads of the pool that it is called in.
    ///
    /// `keep`, if there is one, gets all runs of each scenario as rows of tables are made of them; else few enough are held
    /// at a time that their counts of seconds fit in memory.
    ///
    /// # Errors
    /// If `progress` said to stop, or what `keep` says.
    pub fn play(&self, progress: &dyn Progress, mut keep: Option<&mut Keep>) -> Result<Vec<Played>, Failure> {
        let mut all = Vec::new();
        for (nth, (model, facts)) in self.models.iter().zip(self.facts()).enumerate() {
            let mut sum = Played::default();
            for batch in batches(&self.plan, model, keep.is_some()) {
                let mut outcomes = batch.play(std::slice::from_ref(model), progress)?.swap_remove(0);
                if let Some(keep) = &mut keep {
                    keep(&Point {
                        number: self.number(nth),
                        facts: &facts,
                        outcomes: &outcomes,
                        error: None,
                    })?;
                }
                add_seconds(&mut sum.seconds, &mut outcomes);
                sum.outcomes.append(&mut outcomes);
            }
            all.push(sum);
        }
        Ok(all)
    }

    /// What the runs say of every scenario's objectives; the first scenario is the baseline.
    pub fn judge(&self, played: &[Played]) -> Vec<Vec<Finding>> {
        let baseline = played.first().map(|played| played.outcomes.as_slice());
        let judged = |(objectives, played): (&Vec<Objective>, &Played)| {
            objectives.iter().map(|objective| objective.judge(&played.outcomes, baseline)).collect()
        };
        self.objectives.iter().zip(played).map(judged).collect()
    }

    /// Hands everything over that is shown of what was played, with what is seen in each scenario's first run.
    pub fn show<T>(
        &self,
        played: &[Played],
        findings: &[Vec<Finding>],
        show: impl FnOnce(&[ScenarioResult], &[Beliefs]) -> T,
    ) -> T {
        let RunJob { models, plan, .. } = self;
        let beliefs_of = |model| Beliefs::of(model, plan.seed, plan.runs.start, plan.path);
        let beliefs: Vec<_> = models.iter().map(beliefs_of).collect();
        let assumptions: Vec<_> = models.iter().map(assumptions).collect();
        let results: Vec<ScenarioResult> = (models.iter().zip(played))
            .zip(beliefs.iter().zip(&assumptions).zip(findings))
            .map(|((model, played), ((beliefs, assumptions), findings))| ScenarioResult {
                model,
                path: plan.path_of(model),
                first_run: plan.runs.start,
                outcomes: &played.outcomes,
                seconds: &played.seconds,
                timeline: &beliefs.timeline,
                assumptions,
                findings,
            })
            .collect();
        show(&results, &beliefs)
    }
}

/// The models of scenarios and what they ask of their results.
///
/// # Errors
/// All that is wrong with any of them.
pub fn models_and_objectives(documents: &[Document]) -> Result<(Vec<Model>, Vec<Vec<Objective>>), Failure> {
    let both = documents.iter().map(|document| match (document.model(), Objective::all_of(document)) {
        (Ok(model), Ok(objectives)) => Ok((model, objectives)),
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems.into()),
        (Err(problems), Err(more)) => Err(Failure::all(vec![problems.into(), more.into()])),
    });
    Ok(all_or_failures(both)?.into_iter().unzip())
}

/// Adds the gates to what the scenarios ask for themselves: they come first.
fn add_gates(gates: &[String], objectives: &mut [Vec<Objective>]) -> Result<(), Failure> {
    let compares = objectives.len() > 1;
    let gates = all_or_failures(gates.iter().map(|text| Ok(Objective::gate(text, compares)?)))?;
    for objectives in objectives.iter_mut().skip(usize::from(compares)) {
        objectives.splice(0..0, gates.iter().cloned());
    }
    Ok(())
}

/// The runs of one scenario, so many at a time that their counts of seconds fit in memory.
///
/// Tables take the outcomes of a scenario in one go.
fn batches(plan: &RunPlan, model: &Model, for_tables: bool) -> Vec<RunPlan> {
    let seconds = (model.duration.as_secs_f64() as u64).max(1);
    let at_once = if for_tables { plan.count() } else { (SECONDS_AT_ONCE / seconds).max(1) };
    let starts = plan.runs.clone().step_by(at_once as usize);
    let batch = |start: u64| start..plan.runs.end.min(start.saturating_add(at_once));
    starts.map(|start| RunPlan { runs: batch(start), ..plan.clone() }).collect()
}
