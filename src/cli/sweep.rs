//! `sweep`: every point of an experiment's sweep, into a results folder.

use super::dry_run::DryRun;
use super::progress::Bar;
use super::run::provenance;
use super::{Failure, PlayArgs, note_missing_parquet, print_out};
use crate::experiment::axis::{Axis, axis_value};
use crate::experiment::design::{Point, Sweep};
use crate::experiment::file::Experiment;
use crate::experiment::runner::RunPlan;
use crate::metrics::Wanted;
use crate::output::{AxisColumn, Design, ResultFolder};
use crate::scenario::Loader;
use std::path::PathBuf;

/// Points whose runs are played together; the memory that their outcomes take is all a sweep holds.
const POINTS_AT_ONCE: usize = 64;
/// Where points have very many runs, fewer of them are played together.
const RUNS_AT_ONCE: u64 = 100_000;

/// Play every point of an experiment's sweep and write tables
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  failover-sim sweep experiments/02_health_check_interval
  failover-sim sweep experiments/02_health_check_interval --dry-run
  failover-sim sweep experiments/02_health_check_interval --runs 10 --out results/quick")]
pub struct SweepArgs {
    /// An experiment folder with a `[sweep]` in its experiment.toml
    experiment: PathBuf,
    #[command(flatten)]
    play: PlayArgs,
    /// The folder to write to; without it, results/ and the experiment's name
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Say how many points and runs there are, and about how long they take here; write nothing
    #[arg(long)]
    dry_run: bool,
}

impl SweepArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let mut loader = Loader::new();
        let mut experiment = Experiment::open(&self.experiment, &mut loader)?;
        self.play.make_settings(&mut experiment.scenarios)?;
        let Some(sweep) = &experiment.sweep else {
            return Err(Failure::refused(
                format!("{} has no `[sweep]`", self.experiment.display()),
                "add one to its experiment.toml, or use `run`",
            ));
        };
        self.check_settings(sweep)?;
        if self.dry_run {
            self.play.start_threads();
            let runs = self.play.runs.unwrap_or(experiment.runs);
            let scenarios = &experiment.scenarios;
            return print_out(&DryRun { sweep, scenarios, seed: self.play.seed, runs }.report()?);
        }
        let points = sweep.points(&experiment.scenarios)?;
        // All of them now: a value that is wrong at the last point should not wait for the others.
        let models = sweep.models(&experiment.scenarios, &points)?;
        let plan = RunPlan {
            seed: self.play.seed,
            runs: 0..self.play.runs.unwrap_or(experiment.runs),
            wanted: Wanted::METRICS,
            path: None,
        };
        self.play.check_size(&models, plan.count(), plan.wanted.series)?;
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from("results").join(&experiment.name));
        let design =
            Design { seed: plan.seed, first_run: plan.runs.start, axes: axis_columns(sweep, &points) };
        let mut sink = ResultFolder::create(&out, self.play.force)?.begin(design, plan.wanted.series)?;
        note_missing_parquet();

        self.play.start_threads();
        let bar = Bar::start(plan.count() * models.len() as u64)?;
        let at_once = ((RUNS_AT_ONCE / plan.count()) as usize).clamp(1, POINTS_AT_ONCE);
        for (nth, models) in models.chunks(at_once).enumerate() {
            for (i, outcomes) in plan.play(models, &bar)?.iter().enumerate() {
                sink.point(nth * at_once + i, &models[i], outcomes)?;
            }
        }
        bar.check()?;
        bar.finish();
        let files = sink.finish(provenance(&experiment.scenarios, plan.count()))?;
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        print_out(&format!(
            "{} points of {} runs in {}: {}, manifest.json\n",
            points.len(),
            plan.count(),
            out.display(),
            names.join(", ")
        ))
    }

    /// Refuses to set what the sweep sets again at every point: it would change nothing.
    fn check_settings(&self, sweep: &Sweep) -> Result<(), Failure> {
        for assignment in &self.play.set {
            let path = assignment.split('=').next().unwrap_or_default().trim();
            // An axis of some scenarios leaves the others to be set.
            let mut axes = sweep.axes.iter().filter(|axis| axis.scenarios.is_none());
            if let Some(axis) = axes.find(|axis| axis.overrides(path)) {
                return Err(Failure::refused(
                    format!(
                        "`--set {assignment}` would change nothing: the sweep has an axis `{}`",
                        axis.path
                    ),
                    "leave it out, or change the values of the axis in experiment.toml",
                ));
            }
        }
        Ok(())
    }
}

fn axis_columns(sweep: &Sweep, points: &[Point]) -> Vec<AxisColumn> {
    let column = |(i, axis): (usize, &Axis)| AxisColumn {
        name: axis.column.clone(),
        values: points.iter().map(|point| point.values[i].as_ref().map(|v| axis_value(axis, v))).collect(),
    };
    sweep.axes.iter().enumerate().map(column).collect()
}
