//! An experiment: one that lies in a folder, or one that is made of scenarios and axes, as a file would have it.

use crate::failure::refused;
use crate::scenario::Scenario;
use crate::setting::setting;
use failover_sim::experiment::file;
use failover_sim::scenario::Loader;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use toml::{Table, Value};

/// A question, the scenarios that answer it, and what is swept over them.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct Experiment {
    pub experiment: file::Experiment,
    /// What the user calls it.
    pub named: PathBuf,
}

#[pymethods]
impl Experiment {
    /// Its folder, or its file.
    #[staticmethod]
    fn open(path: PathBuf) -> PyResult<Self> {
        let experiment = file::Experiment::open(&path, &mut Loader::new()).map_err(refused)?;
        Ok(Experiment { experiment, named: path })
    }

    /// What a file would say, where messages point to; and its scenarios, in order.
    #[staticmethod]
    fn reopen(place: &str, text: &str, scenarios: Vec<PyRef<'_, Scenario>>) -> PyResult<Self> {
        let documents = scenarios.iter().map(|scenario| scenario.document.clone()).collect();
        let experiment = file::Experiment::reopen(place, text, documents).map_err(refused)?;
        Ok(Experiment { experiment, named: place.into() })
    }

    /// The text of an experiment: axes by path, the rest of its `[sweep]`, and its `[tune]`, if it has one.
    #[staticmethod]
    fn written(
        question: &str,
        scenarios: Vec<String>,
        runs: u64,
        axes: &Bound<'_, PyDict>,
        sweep: &Bound<'_, PyDict>,
        tune: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let mut swept: Table = settings(sweep)?;
        // In their order: in a grid the last one varies fastest.
        let axes: Vec<(String, Value)> = settings(axes)?;
        let axes = axes.into_iter().map(axis).collect::<PyResult<Vec<Value>>>()?;
        if !axes.is_empty() {
            swept.insert("axis".to_owned(), Value::Array(axes));
        }
        let mut experiment = Table::new();
        experiment.insert("question".to_owned(), question.into());
        experiment.insert("scenarios".to_owned(), scenarios.into());
        // What is beyond 63 bits is beyond its range, too.
        experiment.insert("runs".to_owned(), i64::try_from(runs).unwrap_or(i64::MAX).into());
        experiment.insert("sweep".to_owned(), swept.into());
        if let Some(tune) = tune {
            experiment.insert("tune".to_owned(), settings::<Table>(tune)?.into());
        }
        Ok(toml::to_string(&experiment).expect("settings can be written"))
    }

    #[getter]
    fn name(&self) -> &str {
        &self.experiment.name
    }

    #[getter]
    fn path(&self) -> &str {
        &self.experiment.path
    }

    #[getter]
    fn text(&self) -> &str {
        &self.experiment.text
    }

    #[getter]
    fn scenarios(&self) -> Vec<Scenario> {
        self.experiment.scenarios.iter().map(|document| Scenario { document: document.clone() }).collect()
    }
}

fn settings<T: FromIterator<(String, Value)>>(values: &Bound<'_, PyDict>) -> PyResult<T> {
    let entry = |(path, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let path: String = path.extract()?;
        let value = setting(&path, &value)?;
        Ok((path, value))
    };
    values.iter().map(entry).collect()
}

/// A list is of values, and a table is a range, unless it says which it is.
fn axis((path, values): (String, Value)) -> PyResult<Value> {
    let (name, values) = match values {
        Value::Array(values) => ("values", Value::Array(values)),
        Value::Table(mut axis)
            if ["values", "range", "scenarios"].iter().any(|key| axis.contains_key(*key)) =>
        {
            axis.insert("path".to_owned(), path.into());
            return Ok(axis.into());
        }
        Value::Table(range) => ("range", Value::Table(range)),
        other => {
            let kind = other.type_str();
            return Err(PyTypeError::new_err(format!(
                "the axis `{path}` takes a list of values, or a dict such as {{\"from\": \"1s\", \"to\": \"60s\", \"count\": 5}}, not a {kind}"
            )));
        }
    };
    Ok(Table::from_iter([("path".to_owned(), path.into()), (name.to_owned(), values)]).into())
}
