//! A scenario: what is simulated.

use crate::failure::{not_done, refused};
use crate::setting::setting;
use crate::watch::watched;
use failover_sim::job::Opened;
use failover_sim::job::run::{RunJob, RunOptions, models_and_objectives};
use failover_sim::metrics::Wanted;
use failover_sim::scenario::{Document, Loader};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// A scenario as it was read, with settings made since.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct Scenario {
    pub document: Document,
}

#[pymethods]
impl Scenario {
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        let document = Loader::new().open(&path).map_err(refused)?;
        Ok(Scenario { document })
    }

    #[staticmethod]
    fn parse(text: &str, name: &str) -> PyResult<Self> {
        let mut document = Loader::new().parse(name, text).map_err(refused)?;
        document.rename(name.to_owned());
        Ok(Scenario { document })
    }

    #[getter]
    fn name(&self) -> &str {
        self.document.name()
    }

    #[getter]
    fn path(&self) -> &str {
        self.document.path()
    }

    fn named(&self, name: String) -> Self {
        let mut document = self.document.clone();
        document.rename(name);
        Scenario { document }
    }

    fn with_values(&self, values: &Bound<'_, PyDict>, origin: &str) -> PyResult<Self> {
        let mut document = self.document.clone();
        for (path, value) in values {
            let path: String = path.extract()?;
            let value = setting(&path, &value)?;
            document.set(&path, value, origin).map_err(refused)?;
        }
        Ok(Scenario { document })
    }

    /// Path, value as TOML, and origin of each setting.
    fn resolved(&self) -> Vec<(String, String, String)> {
        self.document.resolved().into_iter().map(|s| (s.path, s.value, s.origin)).collect()
    }

    fn to_toml(&self) -> String {
        self.document.standalone()
    }

    /// What it says it is about; null where it says nothing, or not a text.
    #[getter]
    fn about(&self) -> Option<String> {
        Some(self.document.get("about")?.as_str()?.to_owned())
    }

    fn check(&self) -> PyResult<()> {
        models_and_objectives(std::slice::from_ref(&self.document)).map_err(not_done).map(drop)
    }

    fn explain(&self, py: Python<'_>, request: u64, run: u64, seed: u64) -> PyResult<String> {
        let opened = Opened::of(vec![self.document.clone()], 1);
        let runs = run..run.saturating_add(1);
        let options = RunOptions { seed, runs, wanted: Wanted::METRICS, path: None, gates: vec![] };
        let job = RunJob::new(opened, options).map_err(not_done)?;
        watched(py, Some(1), None, |_| job.explain(request))?.map_err(not_done)
    }
}
