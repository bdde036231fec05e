//! What a sweep has played so far, as its player sees it. How it is kept is left to others.

use super::segment::{PointFacts, PointFailure, Record};
use super::stopping::Stopping;
use crate::metrics::Outcome;
use std::ops::Range;

/// Remembers outcomes, also of commands that were stopped.
pub trait Ledger {
    /// Why something could not be kept or read.
    type Error;

    /// The runs below `runs` that it does not have of a point, ascending.
    fn missing(&self, point: usize, runs: u64) -> Vec<Range<u64>>;

    /// Why the point cannot be played, if it has failed.
    fn failure(&self, point: usize) -> Option<&PointFailure>;

    /// The facts of a point and the outcomes of its first `runs` runs, of which none is [`Self::missing`].
    ///
    /// # Errors
    /// If they cannot be read.
    fn outcomes(&self, point: usize, runs: u64) -> Result<(PointFacts, Vec<Outcome>), Self::Error>;

    /// Keeps all of these or none of them, whatever happens to the machine.
    ///
    /// # Errors
    /// If they cannot be written.
    fn keep(&mut self, records: &[Record]) -> Result<(), Self::Error>;
}

/// How a point of a sweep stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// So many runs are its result.
    Settled(u64),
    /// It has no result, as [`Ledger::failure`] tells.
    Failed,
    /// These are to be played before it can be judged.
    Lacks(Vec<Range<u64>>),
}

/// How a point stands, of which the first `judged` runs are known not to be enough.
///
/// # Errors
/// If the ledger cannot be read.
pub fn standing<L: Ledger>(
    ledger: &L,
    stopping: &Stopping,
    point: usize,
    judged: u64,
) -> Result<Standing, L::Error> {
    for runs in stopping.checkpoints().filter(|runs| *runs > judged) {
        if ledger.failure(point).is_some_and(|failure| failure.run < runs) {
            return Ok(Standing::Failed);
        }
        let missing = ledger.missing(point, runs);
        if !missing.is_empty() {
            return Ok(Standing::Lacks(missing));
        }
        if runs == stopping.max || stopping.is_reached(&ledger.outcomes(point, runs)?.1) {
            return Ok(Standing::Settled(runs));
        }
    }
    Ok(Standing::Settled(stopping.max))
}
