//! What the Python package `failover_sim` is made of. The words that people read in Python are in `failover_sim/`; this
//! crate hands them the simulator, and keeps Python's rules: the global lock is released while runs are played, and
//! Ctrl-C is heard.

mod experiment;
mod failure;
mod played;
mod scenario;
mod setting;
mod shard;
mod sweep;
mod table;
mod tune;
mod watch;

use pyo3::prelude::*;

/// The simulator, as the package sees it; what people use is in `failover_sim`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::experiment::Experiment;
    #[pymodule_export]
    use super::played::{Job, Played};
    #[pymodule_export]
    use super::scenario::Scenario;
    #[pymodule_export]
    use super::shard::{Order, orders, play_order, take_order};
    #[pymodule_export]
    use super::sweep::{OpenSweep, Swept, open_sweep};
    #[pymodule_export]
    use super::table::Table;
    #[pymodule_export]
    use super::tune::{Tuned, tune};

    /// The version of the package and of the command line.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
