//! A sweep's tables, made of its ledger in order of point and run.

use super::FileError;
use super::ledger::LedgerFolder;
use super::schema::Point;
use crate::experiment::ledger::{Ledger, Standing, standing};
use crate::experiment::segment::{PointFacts, PointFailure};
use crate::experiment::stopping::Stopping;
use crate::metrics::Outcome;

/// Points whose rows are made together.
const POINTS_AT_ONCE: usize = 256;
/// Where points have many runs, fewer of them.
const RUNS_AT_ONCE: usize = 20_000;

/// What a sweep came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Points with a result.
    pub played: usize,
    /// The fewest runs of those.
    pub fewest: u64,
    /// The most.
    pub most: u64,
    /// Points without one.
    pub failed: usize,
    /// The first of these and why it failed.
    pub first_failure: Option<(usize, PointFailure)>,
}

/// Hands these points, ascending, all of which have been played, over to be written, some at a time.
///
/// # Errors
/// If the ledger cannot be read or lacks a run, or what `write` says.
pub fn write_ledger<E: From<FileError>>(
    ledger: &LedgerFolder,
    stopping: &Stopping,
    points: &[usize],
    mut write: impl FnMut(&[Point]) -> Result<(), E>,
) -> Result<Tally, E> {
    let mut tally = Tally { fewest: u64::MAX, ..Tally::default() };
    let mut batch: Vec<(usize, PointFacts, Vec<Outcome>)> = Vec::new();
    let mut runs = 0;
    for &point in points {
        match standing(ledger, stopping, point, 0)? {
            Standing::Settled(count) => {
                tally.played += 1;
                (tally.fewest, tally.most) = (tally.fewest.min(count), tally.most.max(count));
                let (facts, outcomes) = ledger.outcomes(point, count)?;
                runs += outcomes.len();
                batch.push((point, facts, outcomes));
            }
            Standing::Failed => {
                tally.failed += 1;
                let Some(failure) = ledger.failure(point) else { continue };
                tally.first_failure.get_or_insert_with(|| (point, failure.clone()));
                let facts = PointFacts { scenario: failure.scenario.clone(), ..PointFacts::default() };
                batch.push((point, facts, Vec::new()));
            }
            Standing::Lacks(missing) => {
                let what = format!("it lacks run {} of point {point}", missing[0].start);
                return Err(FileError::Damaged { path: ledger.path().to_owned(), what }.into());
            }
        }
        if batch.len() >= POINTS_AT_ONCE || runs >= RUNS_AT_ONCE {
            hand_over(ledger, &batch, &mut write)?;
            batch.clear();
            runs = 0;
        }
    }
    hand_over(ledger, &batch, &mut write)?;
    Ok(tally)
}

fn hand_over<E>(
    ledger: &LedgerFolder,
    batch: &[(usize, PointFacts, Vec<Outcome>)],
    write: &mut impl FnMut(&[Point]) -> Result<(), E>,
) -> Result<(), E> {
    let points: Vec<Point> = batch
        .iter()
        .map(|(number, facts, outcomes)| Point {
            number: *number,
            facts,
            outcomes,
            error: ledger.failure(*number).filter(|_| outcomes.is_empty()).map(|f| f.message.as_str()),
        })
        .collect();
    write(&points)
}
