//! A scenario and its runs.

use crate::failure::refused;
use crate::table::Table;
use crate::watch::watched;
use failover_sim::experiment::runner::RunPlan;
use failover_sim::experiment::segment::PointFacts;
use failover_sim::metrics::{Series, Wanted};
use failover_sim::output::{Design, Point, schema};
use failover_sim::scenario::{Document, Loader};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use std::path::PathBuf;

/// A scenario: what is simulated.
#[pyclass(frozen)]
pub struct Scenario {
    document: Document,
}

#[pymethods]
impl Scenario {
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        let document = Loader::new().open(&path).map_err(refused)?;
        Ok(Scenario { document })
    }

    #[getter]
    fn name(&self) -> &str {
        self.document.name()
    }

    #[pyo3(signature = (runs, seed, threads=None, progress=None))]
    fn run(
        &self,
        py: Python<'_>,
        runs: u64,
        seed: u64,
        threads: Option<usize>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Table> {
        let model = self.document.model().map_err(refused)?;
        let wanted = Wanted { series: Series::All, ..Wanted::METRICS };
        let plan = RunPlan { seed, runs: 0..runs, wanted, path: None };
        let played =
            watched(py, threads, progress.as_ref(), |watch| plan.play(std::slice::from_ref(&model), watch))?;
        let outcomes = played.map_err(|_| PyKeyboardInterrupt::new_err(()))?.swap_remove(0);
        let facts = PointFacts::of(&model, plan.path_of(&model));
        let points = [Point { number: 0, facts: &facts, outcomes: &outcomes, error: None }];
        Ok(Table::of(&schema::runs(&Design { seed, ..Design::default() }, &points)))
    }
}
