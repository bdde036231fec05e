//! Shards of a sweep that other machines play into its folder.
//!
//! The command that has the folder gives out an [`Order`] for each shard that lacks something; whoever gets it makes the
//! scenarios again from the folder's plan, plays what is lacking, and writes one segment of the ledger; the command takes
//! that in. An order may be carried out again, or twice at the same time: the segment has the same name and the same
//! bytes.

use super::Failure;
use super::sweep::{OpenSweep, SweepJob, SweepOptions};
use crate::experiment::ledger::{Ledger, Standing, standing};
use crate::experiment::player::Stopped;
use crate::experiment::runner::Progress;
use crate::output::{BUILD, Driver, LedgerFolder, Plan, Shard, experiment_of, shard_segment};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is to be played of a shard, for whoever plays it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Which points.
    pub shard: Shard,
    /// Runs that are lacking, at most.
    pub runs: u64,
    /// The results folder, absolute.
    results: PathBuf,
    /// Where relative paths of scenarios begin.
    folder: PathBuf,
    /// What the command calls itself in the ledger.
    driver: String,
    /// The name of the segment to write.
    segment: String,
    /// [`BUILD`] of the command.
    build: String,
    /// The fingerprint of the sweep.
    sweep: u64,
    /// The fingerprint of the shard's points.
    points: u64,
    /// The precision that is asked for.
    until: Option<String>,
    /// Runs of a point, at least and at most.
    between: (u64, u64),
    /// The segments that have something of the shard already.
    segments: Vec<String>,
}

impl OpenSweep {
    /// Takes the folder for a command of this name, and cuts the points into so many shards; those that lack nothing are
    /// left out. The `token`, letters and digits, tells the segments from those of earlier commands.
    ///
    /// # Errors
    /// If there are more shards than points, the sweep is a shard itself, or the ledger fails.
    pub fn orders(&mut self, count: usize, driver: &str, token: &str) -> Result<Vec<Order>, Failure> {
        let plan = self.surveyed.plan();
        if plan.shard.is_some() {
            return Err(Failure::refused("a shard of a sweep is not cut again", "play the whole sweep"));
        }
        if !(1..=plan.point_count).contains(&count) {
            return Err(Failure::refused(
                format!("the sweep has {} points, and cannot be cut into {count} shards", plan.point_count),
                format!("make 1 to {} shards", plan.point_count),
            ));
        }
        let absolute = |path: &Path| {
            std::path::absolute(path)
                .map_err(|error| Failure::bad_input(format!("{}: {error}", path.display())))
        };
        let (results, folder) = (absolute(self.folder.path())?, absolute(Path::new("."))?);
        self.folder.set_driver(driver)?;
        let stopping = self.surveyed.stopping();
        let mut orders = Vec::new();
        for shard in (1..=count).map(|index| Shard { count, index }) {
            let points: Vec<usize> = shard.points(plan.point_count).collect();
            let mut runs = 0;
            for &point in &points {
                if let Standing::Lacks(_) = standing(&self.ledger, stopping, point, 0)? {
                    let missing = self.ledger.missing(point, stopping.max);
                    runs += missing.iter().map(|runs| runs.end - runs.start).sum::<u64>();
                }
            }
            if runs == 0 {
                continue;
            }
            orders.push(Order {
                shard,
                runs,
                results: results.clone(),
                folder: folder.clone(),
                driver: driver.to_owned(),
                segment: shard_segment(shard, token),
                build: BUILD.to_owned(),
                sweep: plan.fingerprint,
                points: self.surveyed.fingerprint_of(&points),
                until: stopping.until.as_ref().map(ToString::to_string),
                between: (stopping.min, stopping.max),
                segments: self.ledger.segments_of(&points),
            });
        }
        Ok(orders)
    }

    /// Takes in what came of an order.
    ///
    /// # Errors
    /// If the segment is not there or is damaged, or another command has taken the folder.
    pub fn take(&mut self, order: &Order) -> Result<(), Failure> {
        check_driver(self.folder.path(), &order.driver)?;
        let path = self.ledger.path().join(&order.segment);
        if !path.exists() {
            return Err(not_shared(&path, "it was written by a task, and cannot be seen here"));
        }
        match self.ledger.take(order.segment.clone())? {
            Ok(()) => Ok(()),
            Err(damage) => Err(not_shared(&path, &damage.to_string())),
        }
    }
}

impl Order {
    /// Plays what is lacking on all threads of the pool that it is called in, and writes the segment.
    ///
    /// # Errors
    /// If this is another build, its scenarios are others here, the folder is not the command's or has been taken by
    /// another one, `progress` said to stop, or the disk fails. Nothing is written then.
    pub fn play(&self, progress: &dyn Progress) -> Result<(), Failure> {
        if self.build != BUILD {
            return Err(Failure::refused(
                format!(
                    "this is build {BUILD} of failover-sim, and the sweep was begun with build {}",
                    self.build
                ),
                "install the same build on every node, and go on with the sweep",
            ));
        }
        check_driver(&self.results, &self.driver)?;
        let plan = LedgerFolder::plan(&self.results)?;
        let job = self.job(&plan)?;
        let own = self.shard.points(plan.point_count).collect();
        let surveyed = job.survey_some(plan, own, progress)?;
        let plan = surveyed.plan();
        if plan.fingerprint != self.sweep || surveyed.fingerprint_of(surveyed.own()) != self.points {
            // A file that is not there makes points that are no scenario.
            let why = surveyed.warning().map_or(String::new(), |warning| format!(": {warning}"));
            return Err(Failure::refused(
                format!(
                    "the points of shard {} are others here than where the sweep was begun{why}",
                    self.shard
                ),
                "a file that the scenarios read differs from node to node or has changed since, such as a trace: put it on the shared file system",
            ));
        }
        let mut ledger = LedgerFolder::hold(&self.results, plan, &self.segments)?;
        surveyed.play(surveyed.own(), &mut ledger, progress).map_err(|stopped| match stopped {
            Stopped::Cancelled => Failure::interrupted(),
            Stopped::Ledger(error) => error.into(),
        })?;
        // Somebody else may have taken the folder meanwhile.
        check_driver(&self.results, &self.driver)?;
        Ok(ledger.write_held(&self.segment)?)
    }

    /// The sweep again, as it was begun.
    fn job(&self, plan: &Plan) -> Result<SweepJob, Failure> {
        let experiment = experiment_of(plan, &self.folder)?;
        let (min, max) = self.between;
        let options = SweepOptions {
            seed: plan.seed,
            runs: Some(max),
            until: self.until.clone(),
            min_runs: Some(min),
            max_runs: Some(max),
            metrics: plan.metrics,
            shard: None,
            // They are in the scenarios already.
            set: vec![],
            yes: true,
        };
        SweepJob::new(experiment, &self.results, options)
    }
}

/// Whether the command of this name still has the folder.
fn check_driver(results: &Path, name: &str) -> Result<(), Failure> {
    if !LedgerFolder::exists(results) {
        return Err(not_shared(results, "the sweep's folder is not there"));
    }
    Ok(Driver::check_name(results, name)?)
}

fn not_shared(path: &Path, what: &str) -> Failure {
    Failure::refused(
        format!("{}: {what}", path.display()),
        "name a folder on a file system that all nodes share, under the same path",
    )
}
