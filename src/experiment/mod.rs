//! Experiments: a question, the scenarios that answer it, the values they are swept over, and many runs of each.

pub mod axis;
pub mod baseline;
pub mod comparison;
pub mod condition;
pub mod criterion;
pub mod design;
pub mod distribution;
pub mod file;
mod file_axis;
mod file_range;
mod file_sweep;
pub mod ledger;
pub mod objective;
pub mod player;
pub mod range;
pub mod runner;
pub mod sampling;
pub mod segment;
pub mod selection;
pub mod statistics;
pub mod stopping;
pub mod survey;
pub mod tune;

/// The JSON Schema of experiment files, for editors.
pub fn json_schema() -> String {
    crate::scenario::shape::published_schema::<file::ExperimentFile>("failover-sim experiment")
}
