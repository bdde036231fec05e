//! `sweep`: every point of an experiment's sweep, into a results folder.
//!
//! Each step is a type, as what it needs is there only after the one before: a [`SweepJob`] is sound, a
//! [`SurveyedSweep`] knows its points, an [`OpenSweep`] has a folder, and what is [`Swept`] has its tables.

use super::limits::Amount;
use super::settings::{check_settings, make_settings};
use super::swept::Swept;
use super::{Failure, all_or_failures, axis_columns};
use crate::experiment::criterion::Precision;
use crate::experiment::design::{Layout, Sweep};
use crate::experiment::file::Experiment;
use crate::experiment::ledger::Ledger;
use crate::experiment::objective::Objective;
use crate::experiment::player::{Player, Stopped};
use crate::experiment::runner::{Progress, RunPlan};
use crate::experiment::segment::PointFailure;
use crate::experiment::stopping::Stopping;
use crate::experiment::survey::{Survey, Surveyed, first_line, point_model, sweep_fingerprint};
use crate::metrics::Wanted;
use crate::output::{
    BUILD, ExperimentProvenance, LedgerFolder, Plan, PlanAxis, Recorded, Request, ResultFolder,
    ScenarioProvenance, SetAside, Shard,
};
use crate::scenario::{Document, Problems};
use std::path::{Path, PathBuf};

/// With fewer runs an interval may be narrow by luck.
const MIN_RUNS: u64 = 10;

/// How a sweep is played.
#[derive(Debug, Clone)]
pub struct SweepOptions {
    /// The seed of all random numbers.
    pub seed: u64,
    /// Runs of each point, at least 1; `None` is what the experiment says.
    pub runs: Option<u64>,
    /// How narrow half a point's interval should be, as `failed_count 2%`; `None` gives each point the same runs.
    pub until: Option<String>,
    /// With `until`: runs of a point at least, 2 or more; `None` is 10.
    pub min_runs: Option<u64>,
    /// With `until`: runs of a point at most; `None` is `runs`.
    pub max_runs: Option<u64>,
    /// What is recorded of a run.
    pub metrics: Recorded,
    /// The part to play; `None` is all of it.
    pub shard: Option<Shard>,
    /// Settings of every scenario, each `path=value`.
    pub set: Vec<String>,
    /// Whether more is played than fits into minutes.
    pub yes: bool,
}

/// A sweep of an experiment that is sound, as far as one sees without a look at its points.
#[derive(Debug)]
pub struct SweepJob {
    experiment: Experiment,
    sweep: Sweep,
    stopping: Stopping,
    options: SweepOptions,
}

impl SweepJob {
    /// Makes the settings, and reads the options; `named` is what the user calls the experiment.
    ///
    /// # Errors
    /// If the experiment has no sweep, an objective of a scenario cannot be read, or the options do not fit.
    pub fn new(mut experiment: Experiment, named: &Path, options: SweepOptions) -> Result<Self, Failure> {
        make_settings(&options.set, &mut experiment.scenarios)?;
        let Some(sweep) = experiment.sweep.take() else {
            return Err(Failure::refused(
                format!("{} has no `[sweep]`", named.display()),
                "add one to its experiment.toml, or use `run`",
            ));
        };
        // Nothing here is judged by them; a slip in one had better be told before `run` does.
        let objectives = experiment.scenarios.iter().map(|scenario| Ok(Objective::all_of(scenario)?));
        all_or_failures(objectives)?;
        check_settings(&options.set, &sweep)?;
        let stopping = stopping(&options, experiment.runs)?;
        Ok(SweepJob { experiment, sweep, stopping, options })
    }

    /// The axes, and which of their values go together.
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// The scenarios that are swept.
    pub fn scenarios(&self) -> &[Document] {
        &self.experiment.scenarios
    }

    /// How many runs each point gets.
    pub fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    /// What is recorded of a run.
    pub fn wanted(&self) -> Wanted {
        match self.options.metrics {
            Recorded::All => Wanted::METRICS,
            Recorded::Counts => Wanted::COUNTS,
        }
    }

    /// Where results go if nobody says where.
    pub fn usual_folder(&self) -> PathBuf {
        PathBuf::from("results").join(&self.experiment.name)
    }

    /// Looks at every point that is to be played, on all threads of the pool that it is called in.
    ///
    /// # Errors
    /// If no point is kept or valid, there are more shards than points, there is more to play than fits into minutes, which is
    /// said as soon as it is known, or `progress` said to stop.
    pub fn survey(self, progress: &dyn Progress) -> Result<SurveyedSweep, Failure> {
        let (sweep, scenarios) = (&self.sweep, self.scenarios());
        let layout = sweep.layout(scenarios)?;
        let own = match self.options.shard {
            Some(shard) if shard.count > layout.len() => {
                return Err(Failure::refused(
                    format!("the sweep has only {} points for {} shards", layout.len(), shard.count),
                    "make fewer shards",
                ));
            }
            Some(shard) => shard.points(layout.len()).collect(),
            None => (0..layout.len()).collect(),
        };
        let (mut amount, runs) = (Amount::default(), self.stopping.max);
        let go_on = |points: &[Surveyed], is_all: bool| {
            points.iter().for_each(|point| amount.add(point, runs));
            if self.options.yes { Ok(()) } else { amount.check(is_all) }
        };
        let survey = Survey::of(sweep, scenarios, &layout, own, self.wanted(), progress, go_on)?;
        // What other shards have may be valid.
        if self.options.shard.is_none() && survey.invalid.len() == layout.len() {
            let first = sweep.point(scenarios, &layout, 0);
            point_model(sweep, scenarios, &first)?;
        }
        let plan = self.plan(&layout, &survey);
        plan.design().check()?;
        Ok(SurveyedSweep { job: self, layout, survey, plan })
    }

    /// The same of some points, ascending, of a sweep that was begun elsewhere with this plan. Whether this is the same
    /// sweep, [`SurveyedSweep::fingerprint_of`] tells.
    ///
    /// # Errors
    /// If no point is kept, there are not as many as in the plan, or `progress` said to stop.
    pub fn survey_some(
        self,
        plan: Plan,
        own: Vec<usize>,
        progress: &dyn Progress,
    ) -> Result<SurveyedSweep, Failure> {
        let (sweep, scenarios) = (&self.sweep, self.scenarios());
        let layout = sweep.layout(scenarios)?;
        if layout.len() != plan.point_count {
            return Err(Failure::refused(
                format!("the sweep has {} points, and not {}", layout.len(), plan.point_count),
                "play it from the same experiment as before",
            ));
        }
        let go_on = |_: &[Surveyed], _| Ok::<(), Failure>(());
        let survey = Survey::of(sweep, scenarios, &layout, own, self.wanted(), progress, go_on)?;
        Ok(SurveyedSweep { job: self, layout, survey, plan })
    }

    fn plan(&self, layout: &Layout, survey: &Survey) -> Plan {
        let SweepJob { experiment, sweep, options, .. } = self;
        let scenarios = self.scenarios();
        let columns = axis_columns(sweep, scenarios, layout, survey.own.iter().copied());
        let axes = sweep.axes.iter().zip(&columns).map(|(axis, column)| PlanAxis::new(&axis.takes(), column));
        let request = Request {
            set: options.set.clone(),
            preface: vec![experiment.question.clone()],
            experiment: Some(ExperimentProvenance::of(experiment)),
            ..Request::default()
        };
        let (schema_version, version, build) = Plan::of_this_program();
        let played = (options.seed, options.metrics, BUILD);
        Plan {
            schema_version,
            version,
            build,
            seed: options.seed,
            metrics: options.metrics,
            fingerprint: sweep_fingerprint(sweep, scenarios, layout, &played),
            points_fingerprint: survey.fingerprint(),
            files: scenarios.iter().flat_map(|scenario| scenario.files_read(&scenarios[0])).collect(),
            shard: options.shard,
            point_count: layout.len(),
            request,
            design: sweep.chosen(),
            scenarios: scenarios.iter().map(ScenarioProvenance::of).collect(),
            axes: axes.collect(),
        }
    }
}

fn stopping(options: &SweepOptions, of_experiment: u64) -> Result<Stopping, Failure> {
    let runs = options.runs.unwrap_or(of_experiment);
    let Some(until) = &options.until else { return Ok(Stopping::fixed(runs)) };
    let until = Precision::read(until).map_err(Problems::from)?;
    let wants_latency = until.target.metric.needs_latency();
    if wants_latency && options.metrics == Recorded::Counts {
        return Err(Failure::refused(
            format!("`--metrics counts` does not record `{}`", until.target.metric.name),
            "leave it out, or name another metric to `--until`",
        ));
    }
    let max = options.max_runs.unwrap_or(runs);
    let min = options.min_runs.unwrap_or(MIN_RUNS.min(max));
    if min > max {
        return Err(Failure::refused(
            format!("`--min-runs` is {min}, more than the {max} runs that a point gets at most"),
            format!("lower it, or raise `--max-runs` to {min}"),
        ));
    }
    Ok(Stopping { min, max, until: Some(until) })
}

/// A sweep whose points are known.
#[derive(Debug)]
pub struct SurveyedSweep {
    job: SweepJob,
    layout: Layout,
    survey: Survey,
    plan: Plan,
}

impl SurveyedSweep {
    /// What a ledger of it is of.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many runs each point gets.
    pub fn stopping(&self) -> &Stopping {
        &self.job.stopping
    }

    /// The numbers of the points to play, ascending.
    pub fn own(&self) -> &[usize] {
        &self.survey.own
    }

    /// A number for everything that the results of these points depend on, which are some of [`Self::own`].
    pub fn fingerprint_of(&self, points: &[usize]) -> u64 {
        self.survey.fingerprint_of(points)
    }

    /// How many of the points to play are no valid scenario.
    pub fn invalid_count(&self) -> usize {
        self.survey.invalid.len()
    }

    /// Which points will have no result, in a sentence; `None` if all will.
    pub fn warning(&self) -> Option<String> {
        let (first, message) = self.survey.invalid.first()?;
        let count = self.survey.invalid.len();
        let are = if count == 1 { "is" } else { "are" };
        Some(format!(
            "{count} of {} points {are} no valid scenario, the others are played; the first is point {first}: {message}",
            self.own().len()
        ))
    }

    /// Opens the ledger of a folder: a new one, or the one that the sweep goes on with.
    ///
    /// # Errors
    /// If it cannot be read or written, or is of another sweep.
    pub fn open(self, folder: ResultFolder) -> Result<OpenSweep, Failure> {
        let (ledger, set_aside) = folder.ledger(&self.plan)?;
        Ok(OpenSweep { surveyed: self, folder, ledger, set_aside, stays: true })
    }

    /// Plays what a ledger lacks of these points, on all threads of the pool that it is called in.
    ///
    /// # Errors
    /// If `progress` said to stop, or the ledger fails. What was kept until then is kept.
    pub fn play<L: Ledger>(
        &self,
        points: &[usize],
        ledger: &mut L,
        progress: &dyn Progress,
    ) -> Result<(), Stopped<L::Error>> {
        let SweepJob { sweep, stopping, options, .. } = &self.job;
        let scenarios = self.job.scenarios();
        let plan =
            RunPlan { seed: options.seed, runs: 0..stopping.max, wanted: self.job.wanted(), path: None };
        let model_of = |point: usize| {
            let point = sweep.point(scenarios, &self.layout, point);
            let failure = |problems: Problems| PointFailure {
                scenario: scenarios[point.scenario].name().to_owned(),
                run: 0,
                message: first_line(&problems),
            };
            point_model(sweep, scenarios, &point).map_err(failure)
        };
        let work_of = |point: usize| self.survey.cost_of(point).work;
        Player { plan: &plan, stopping, model_of: &model_of, work_of: &work_of }
            .play(points, ledger, progress)
    }
}

/// A sweep with a folder of its own, locked for this process.
pub struct OpenSweep {
    pub(super) surveyed: SurveyedSweep,
    pub(super) folder: ResultFolder,
    pub(super) ledger: LedgerFolder,
    set_aside: Vec<SetAside>,
    /// Whether the folder stays if the sweep is not played to its end.
    stays: bool,
}

impl OpenSweep {
    /// What of the ledger was damaged, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let note = |SetAside { path, damage }: &SetAside| {
            format!("{}: {damage}; it is removed, and its runs are played again", path.display())
        };
        self.set_aside.iter().map(note).collect()
    }

    /// Has nobody told to go on with the folder, as it is removed whatever comes.
    #[must_use]
    pub fn in_passing(self) -> Self {
        OpenSweep { stays: false, ..self }
    }

    /// How many points are played.
    pub fn point_count(&self) -> usize {
        self.surveyed.own().len()
    }

    /// How many runs there can be, and how many of them the ledger has.
    pub fn counts(&self) -> (u64, u64) {
        let (own, runs) = (self.surveyed.own(), self.surveyed.stopping().max);
        let missing = |&point: &usize| {
            self.ledger.missing(point, runs).iter().map(|missing| missing.end - missing.start).sum::<u64>()
        };
        let all = runs * own.len() as u64;
        (all, all - own.iter().map(missing).sum::<u64>())
    }

    /// Plays what the ledger lacks.
    ///
    /// # Errors
    /// If `progress` said to stop, or the disk fails. What was kept until then is kept.
    pub fn play(&mut self, progress: &dyn Progress) -> Result<(), Failure> {
        let OpenSweep { surveyed, ledger, .. } = self;
        surveyed.play(surveyed.own(), ledger, progress).map_err(|stopped| {
            let failure = match stopped {
                Stopped::Cancelled => Failure::interrupted(),
                Stopped::Ledger(error) => error.into(),
            };
            if self.stays { failure.advised(&go_on(self.folder.path())) } else { failure }
        })
    }

    /// What it came to, where nobody wants files: a ledger that has everything is all that is in the folder.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn settle(self) -> Result<Swept, Failure> {
        let OpenSweep { surveyed: SurveyedSweep { job, plan, .. }, folder, ledger, .. } = self;
        Ok(Swept::settle(folder.path(), ledger, plan, job.stopping)?)
    }

    /// Makes the tables of a ledger that has everything; `command` is what the manifest says of how it was asked for.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn finish(self, command: Vec<String>) -> Result<Swept, Failure> {
        let go_on = go_on(self.folder.path());
        let OpenSweep { surveyed: SurveyedSweep { job, plan, .. }, folder, ledger, .. } = self;
        let swept = Swept::finish(folder, ledger, plan, job.stopping, command);
        swept.map_err(|error| Failure::from(error).advised(&go_on))
    }
}

/// Where the work is that was done.
fn go_on(out: &Path) -> String {
    format!("what was played is in {}, go on with the same command and `--resume`", out.display())
}
