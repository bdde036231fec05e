//! Experiments: a question, the scenarios that answer it, the values they are swept over, and many runs of each.

pub mod axis;
pub mod condition;
pub mod comparison;
pub mod criterion;
pub mod design;
pub mod distribution;
pub mod file;
mod file_sweep;
pub mod range;
pub mod runner;
pub mod sampling;
pub mod statistics;

/// The JSON Schema of experiment files, for editors.
pub fn json_schema() -> String {
    crate::scenario::shape::published_schema::<file::ExperimentFile>("failover-sim experiment")
}
