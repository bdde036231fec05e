//! What the Python package `failover_sim` is made of. The words that people read in Python are in `failover_sim/`; this
//! crate hands them the simulator, and keeps Python's rules: the global lock is released while runs are played, and
//! Ctrl-C is heard.

mod failure;
mod scenario;
mod table;
mod watch;

use pyo3::prelude::*;

/// The simulator, as Python sees it.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::failure::{FailoverSimError, InputError};
    #[pymodule_export]
    use super::scenario::Scenario;
    #[pymodule_export]
    use super::table::Table;
}
