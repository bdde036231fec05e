//! `sweep`: every point of an experiment's sweep, into a results folder.
//!
//! Each step is a type, as what it needs is there only after the one before: a [`SweepJob`] is sound, a
//! [`SurveyedSweep`] knows its points, an [`OpenSweep`] has a folder, and what is [`Swept`] has its tables.

use super::settings::{check_settings, make_settings};
use super::swept::Swept;
use super::{Failure, all_or_failures, axis_columns, limits};
use crate::experiment::criterion::Precision;
use crate::experiment::design::{Point, Sweep};
use crate::experiment::file::Experiment;
use crate::experiment::ledger::Ledger;
use crate::experiment::objective::Objective;
use crate::experiment::player::{Player, Stopped};
use crate::experiment::runner::{Progress, RunPlan};
use crate::experiment::segment::PointFailure;
use crate::experiment::stopping::Stopping;
use crate::experiment::survey::{Survey, first_line, point_model};
use crate::metrics::Wanted;
use crate::output::{
    Design, ExperimentProvenance, LedgerFolder, Plan, Recorded, Request, ResultFolder, ScenarioProvenance,
    SetAside, Shard,
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

    /// Looks at every point, on all threads of the pool that it is called in.
    ///
    /// # Errors
    /// If no point is kept or valid, there are more shards than points, or more to play than fits into minutes.
    pub fn survey(self) -> Result<SurveyedSweep, Failure> {
        let (sweep, scenarios) = (&self.sweep, self.scenarios());
        let points = sweep.points(scenarios)?;
        let survey = Survey::of(sweep, scenarios, &points, self.wanted());
        if survey.invalid.len() == points.len()
            && let Err(problems) = point_model(sweep, scenarios, &points[0])
        {
            return Err(problems.into());
        }
        let plan = self.plan(&points, &survey)?;
        let own = plan.points();
        if !self.options.yes {
            let costs: Vec<_> = own.iter().map(|&point| survey.points[point]).collect();
            limits::check_events(&costs, self.stopping.max)?;
        }
        plan.design().check()?;
        Ok(SurveyedSweep { job: self, points, survey, plan, own })
    }

    fn plan(&self, points: &[Point], survey: &Survey) -> Result<Plan, Failure> {
        let SweepJob { experiment, sweep, options, .. } = self;
        if let Some(shard) = options.shard.filter(|shard| shard.count > points.len()) {
            return Err(Failure::refused(
                format!("the sweep has only {} points for {} shards", points.len(), shard.count),
                "make fewer shards",
            ));
        }
        let design = Design { seed: options.seed, first_run: 0, axes: axis_columns(sweep, points) };
        let request = Request {
            set: options.set.clone(),
            preface: vec![experiment.question.clone()],
            experiment: Some(ExperimentProvenance::of(experiment)),
            ..Request::default()
        };
        let scenarios = experiment.scenarios.iter().map(ScenarioProvenance::of).collect();
        Ok(Plan::new(
            &design,
            options.metrics,
            survey.fingerprint,
            options.shard,
            points.len(),
            request,
            scenarios,
        ))
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
    points: Vec<Point>,
    survey: Survey,
    plan: Plan,
    own: Vec<usize>,
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
        &self.own
    }

    fn invalid(&self) -> impl Iterator<Item = &(usize, String)> {
        self.survey.invalid.iter().filter(|(point, _)| self.own.binary_search(point).is_ok())
    }

    /// How many of the points to play are no valid scenario.
    pub fn invalid_count(&self) -> usize {
        self.invalid().count()
    }

    /// Which points will have no result, in a sentence; `None` if all will.
    pub fn warning(&self) -> Option<String> {
        let (first, message) = self.invalid().next()?;
        let count = self.invalid_count();
        let are = if count == 1 { "is" } else { "are" };
        Some(format!(
            "{count} of {} points {are} no valid scenario, the others are played; the first is point {first}: {message}",
            self.own.len()
        ))
    }

    /// Opens the ledger of a folder: a new one, or the one that the sweep goes on with.
    ///
    /// # Errors
    /// If it cannot be read or written, or is of another sweep.
    pub fn open(self, folder: ResultFolder) -> Result<OpenSweep, Failure> {
        let (ledger, set_aside) = folder.ledger(&self.plan)?;
        Ok(OpenSweep { surveyed: self, folder, ledger, set_aside })
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
            let point = &self.points[point];
            let failure = |problems: Problems| PointFailure {
                scenario: scenarios[point.scenario].name().to_owned(),
                run: 0,
                message: first_line(&problems),
            };
            point_model(sweep, scenarios, point).map_err(failure)
        };
        let work_of = |point: usize| self.survey.points[point].work;
        Player { plan: &plan, stopping, model_of: &model_of, work_of: &work_of }
            .play(points, ledger, progress)
    }
}

/// A sweep with a folder of its own, locked for this process.
pub struct OpenSweep {
    surveyed: SurveyedSweep,
    folder: ResultFolder,
    ledger: LedgerFolder,
    set_aside: Vec<SetAside>,
}

impl OpenSweep {
    /// What of the ledger was damaged, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let note = |SetAside { path, damage }: &SetAside| {
            format!("{}: {damage}; it is removed, and its runs are played again", path.display())
        };
        self.set_aside.iter().map(note).collect()
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
            failure.advised(&go_on(self.folder.path()))
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
