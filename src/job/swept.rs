//! A sweep that is played, and has its tables.

use super::Failure;
use crate::experiment::stopping::Stopping;
use crate::output::terminal::{counted, thousands};
use crate::output::{
    FileError, LedgerFolder, Plan, Point, Provenance, ResultFolder, SweepProvenance, Tally, WrittenFile,
    write_ledger,
};
use std::path::{Path, PathBuf};

/// A results folder with all that a sweep came to.
#[derive(Debug)]
pub struct Swept {
    out: PathBuf,
    plan: Plan,
    ledger: LedgerFolder,
    stopping: Stopping,
    files: Vec<WrittenFile>,
    tally: Tally,
}

impl Swept {
    /// Makes the tables of a ledger that has everything; `command` is what the manifest says of how it was asked for.
    pub(super) fn finish(
        folder: ResultFolder,
        ledger: LedgerFolder,
        plan: Plan,
        stopping: Stopping,
        command: Vec<String>,
    ) -> Result<Self, FileError> {
        let out = folder.path().to_owned();
        let mut sink = folder.begin(plan.design(), false)?;
        let tally = write_ledger(&ledger, &stopping, &plan.points(), |points| sink.points(points))?;
        let provenance = Provenance {
            command,
            runs: stopping.max,
            request: plan.request.clone(),
            scenarios: plan.scenarios.clone(),
            sweep: Some(SweepProvenance {
                points: plan.point_count,
                failed_points: tally.failed,
                metrics: plan.metrics,
                until: stopping.until.as_ref().map(ToString::to_string),
                min_runs: stopping.min,
                max_runs: stopping.max,
                shard: plan.shard,
                fingerprint: plan.fingerprint,
                ledger_bytes: ledger.bytes(),
            }),
        };
        let files = sink.finish(provenance)?;
        Ok(Swept { out, plan, ledger, stopping, files, tally })
    }

    /// A ledger that has everything, and no files beside it.
    pub(super) fn settle(
        out: &Path,
        ledger: LedgerFolder,
        plan: Plan,
        stopping: Stopping,
    ) -> Result<Self, FileError> {
        let tally = write_ledger(&ledger, &stopping, &plan.points(), |_| Ok::<(), FileError>(()))?;
        Ok(Swept { out: out.to_owned(), plan, ledger, stopping, files: Vec::new(), tally })
    }

    /// The folder.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// What was played.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The files with rows.
    pub fn files(&self) -> &[WrittenFile] {
        &self.files
    }

    /// What it came to.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Hands these of its points, ascending, over to be shown, some at a time.
    ///
    /// # Errors
    /// If the ledger cannot be read, or what `write` says.
    pub fn write<E: From<FileError>>(
        &self,
        points: &[usize],
        write: impl FnMut(&[Point]) -> Result<(), E>,
    ) -> Result<(), E> {
        write_ledger(&self.ledger, &self.stopping, points, write).map(drop)
    }

    /// What is in the folder, in a line without its end.
    pub fn summary(&self) -> String {
        let Swept { out, plan, files, tally, .. } = self;
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let points = tally.played + tally.failed;
        let points = match plan.shard {
            Some(shard) => format!("{points} of {} points (shard {shard})", plan.point_count),
            None => counted(points as f64, "point"),
        };
        let runs = match tally.fewest == tally.most {
            true => counted(tally.most as f64, "run"),
            false => format!("{} to {}", tally.fewest, counted(tally.most as f64, "run")),
        };
        format!("{points} of {runs} in {}: {}, manifest.json", out.display(), names.join(", "))
    }

    /// Says that tables have fewer runs than were played, as when their number is forgotten when a sweep goes on.
    pub fn note(&self) -> Option<String> {
        let (most, kept) = (self.tally.most, self.ledger.most_runs());
        (self.stopping.until.is_none() && kept > most).then(|| {
            let [most, kept] = [most, kept].map(|runs| thousands(runs as f64));
            format!(
                "the tables have {most} runs of each point, and the ledger has up to {kept}: name as many with `--runs`"
            )
        })
    }

    /// Which points failed.
    pub fn failed(&self) -> Option<Failure> {
        let Tally { played, failed, first_failure, .. } = &self.tally;
        let (point, failure) = first_failure.as_ref()?;
        Some(Failure::partly(format!(
            "error: {failed} of {} points failed, see the column `error` of `points`; the first is point {point}: {}",
            played + failed,
            failure.message
        )))
    }
}
