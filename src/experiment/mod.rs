//! Experiments: a question, the scenarios that answer it, and the values they are swept over.

pub mod design;
pub mod file;

/// The JSON Schema of experiment files, for editors.
pub fn json_schema() -> String {
    crate::scenario::shape::published_schema::<file::ExperimentFile>("failover-sim experiment")
}
