//! Runs of scenarios that were played side by side.

use crate::failure::{interrupted, not_done};
use crate::scenario::Scenario;
use crate::table::Table;
use crate::watch::watched;
use failover_sim::experiment::objective::Finding;
use failover_sim::experiment::runner::RunPlan;
use failover_sim::experiment::segment::PointFacts;
use failover_sim::job::run::{self, RunJob, RunOptions};
use failover_sim::job::{DEFAULT_RUNS, Opened};
use failover_sim::metrics::{Outcome, Series, Wanted};
use failover_sim::output::terminal::{Screen, summary};
use failover_sim::output::{self, Point, document, schema};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Scenarios that are to be played side by side; the first is the baseline.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct Job {
    job: RunJob,
}

#[pymethods]
impl Job {
    /// These scenarios, whose names differ.
    #[staticmethod]
    fn of(scenarios: Vec<PyRef<'_, Scenario>>, runs: Option<u64>, seed: u64) -> PyResult<Self> {
        let documents = scenarios.iter().map(|scenario| scenario.document.clone()).collect();
        Job::new(Opened::of(documents, DEFAULT_RUNS), runs, seed)
    }

    /// Those of an experiment; without `runs`, as many of each as it says.
    #[staticmethod]
    fn open(path: PathBuf, runs: Option<u64>, seed: u64) -> PyResult<Self> {
        Job::new(Opened::read(&[path]).map_err(not_done)?, runs, seed)
    }

    /// The names of the scenarios.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.job.opened.documents.iter().map(|document| document.name()).collect()
    }

    fn check_size(&self) -> PyResult<()> {
        self.job.check_size().map_err(not_done)
    }

    fn play(
        slf: Bound<'_, Self>,
        threads: Option<usize>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Played> {
        let job = &slf.get().job;
        let played = watched(slf.py(), threads, progress.as_ref(), |watch| {
            watch.expect(job.plan.count() * job.models.len() as u64);
            job.play(watch, None)
        })?;
        let played = played.map_err(not_done)?;
        Ok(Played { findings: job.judge(&played), facts: job.facts(), played, job: slf.unbind() })
    }
}

impl Job {
    fn new(opened: Opened, runs: Option<u64>, seed: u64) -> PyResult<Self> {
        let runs = 0..runs.unwrap_or(opened.runs);
        // The terminal's picture is of failures by second; a table of all requests is made when somebody asks for it.
        let wanted = Wanted { series: Series::Failures, ..Wanted::METRICS };
        let options = RunOptions { seed, runs, wanted, path: None, gates: vec![] };
        Ok(Job { job: RunJob::new(opened, options).map_err(not_done)? })
    }
}

/// What came of them.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct Played {
    job: Py<Job>,
    facts: Vec<PointFacts>,
    played: Vec<run::Played>,
    findings: Vec<Vec<Finding>>,
}

#[pymethods]
impl Played {
    #[getter]
    fn run_count(&self) -> u64 {
        self.job().plan.count()
    }

    #[getter]
    fn seed(&self) -> u64 {
        self.job().plan.seed
    }

    /// A table of what was played.
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<Table> {
        let make = match name {
            "runs" => schema::runs,
            "points" => schema::points,
            "faults" => schema::faults,
            _ => return Err(PyKeyError::new_err(name.to_owned())),
        };
        Ok(py.detach(|| Table::of(&make(&self.job().design(), &self.points(&self.outcomes())))))
    }

    /// What each scenario but the first differs by from it.
    fn differences(&self, py: Python<'_>) -> Table {
        let names = self.facts.iter().map(|facts| facts.scenario.as_str());
        let scenarios: Vec<(&str, &[Outcome])> = names.zip(self.outcomes()).collect();
        py.detach(|| Table::of(&output::differences(&scenarios)))
    }

    /// Plays the runs again for the table of their seconds.
    fn series(
        &self,
        py: Python<'_>,
        threads: Option<usize>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Table> {
        let RunJob { models, plan, .. } = self.job();
        let wanted = Wanted { series: Series::All, ..Wanted::COUNTS };
        let plan = RunPlan { wanted, ..plan.clone() };
        let made = watched(py, threads, progress.as_ref(), |watch| {
            watch.expect(plan.count() * models.len() as u64);
            let outcomes = plan.play(models, watch)?;
            let outcomes: Vec<&[Outcome]> = outcomes.iter().map(Vec::as_slice).collect();
            Ok(Table::of(&schema::series(&self.job().design(), &self.points(&outcomes))))
        })?;
        made.map_err(interrupted)
    }

    /// What the command line prints of it.
    fn summary(&self, py: Python<'_>) -> String {
        let job = self.job();
        let preface = job.opened.preface();
        py.detach(|| {
            job.show(&self.played, &self.findings, |results, beliefs| {
                summary(&preface, job.plan.seed, results, beliefs, Screen::PAPER)
            })
        })
    }

    /// The document of `run --format json`.
    fn to_json(&self, py: Python<'_>) -> String {
        let job = self.job();
        py.detach(|| {
            job.show(&self.played, &self.findings, |results, _| {
                let document = document(job.plan.seed, job.plan.count(), None, results);
                serde_json::to_string_pretty(&document).expect("results are plain data") + "\n"
            })
        })
    }
}

impl Played {
    fn job(&self) -> &RunJob {
        &self.job.get().job
    }

    /// By scenario and run.
    fn outcomes(&self) -> Vec<&[Outcome]> {
        self.played.iter().map(|played| played.outcomes.as_slice()).collect()
    }

    fn points<'a>(&'a self, outcomes: &[&'a [Outcome]]) -> Vec<Point<'a>> {
        let both = self.facts.iter().zip(outcomes).enumerate();
        both.map(|(number, (facts, outcomes))| Point { number, facts, outcomes, error: None }).collect()
    }
}
