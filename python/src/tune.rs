//! The best settings on the axes of an experiment.

use crate::experiment::Experiment;
use crate::failure::not_done;
use crate::scenario::Scenario;
use crate::table::Table;
use crate::watch::watched;
use failover_sim::experiment::tune::report::{Choice, Report};
use failover_sim::job::tune::{TuneJob, TuneOptions};
use failover_sim::output::terminal::Screen;
use failover_sim::output::{candidates, tune_json, tune_summary};
use failover_sim::scenario::Document;
use pyo3::prelude::*;
use std::path::PathBuf;

/// What is to be found, by name.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    runs: Option<u64>,
    seed: u64,
    minimize: Vec<String>,
    maximize: Vec<String>,
    subject_to: Vec<String>,
    budget: Option<u64>,
}

/// The answer.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct Tuned {
    report: Report,
    best: Vec<Document>,
    out: Option<PathBuf>,
}

/// Finds the best settings, and writes them into a folder, if one is named.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn tune(
    py: Python<'_>,
    experiment: &Experiment,
    options: Options,
    out: Option<PathBuf>,
    force: bool,
    command: Vec<String>,
    threads: Option<usize>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Tuned> {
    let Options { runs, seed, minimize, maximize, subject_to, budget } = options;
    let options = TuneOptions { seed, runs, minimize, maximize, subject_to, budget, set: vec![] };
    let Experiment { experiment, named } = experiment;
    let job = TuneJob::new(experiment.clone(), named, options).map_err(not_done)?;
    // Files are opened first: what cannot be written should fail before the work, not after it.
    let folder = out.as_deref().map(|out| job.open(out, force)).transpose().map_err(not_done)?;
    let (report, best) = watched(py, threads, progress.as_ref(), |watch| {
        watch.expect(job.budget().unwrap_or(0));
        let report = job.play(watch)?;
        if let Some(folder) = folder {
            job.write(folder, &report, command)?;
        }
        let best = job.best(&report)?;
        Ok((report, best))
    })?
    .map_err(not_done)?;
    Ok(Tuned { report, best, out })
}

/// Path and value, as TOML, on each axis.
type Settings = Vec<(String, String)>;

fn settings(choice: &Choice) -> Settings {
    choice.settings.iter().map(|setting| (setting.path.clone(), setting.value.clone())).collect()
}

#[pymethods]
impl Tuned {
    /// One row for each candidate that was played.
    fn candidates(&self) -> Table {
        Table::of(&candidates(&self.report))
    }

    /// Path and value, as TOML, on each axis; null if several objectives are traded.
    #[getter]
    fn recommended(&self) -> Option<Settings> {
        self.report.recommended.as_ref().map(settings)
    }

    /// The same of the best that meets every constraint by its whole interval; null if the recommended one does.
    #[getter]
    fn certain(&self) -> Option<Settings> {
        self.report.certain.as_ref().map(settings)
    }

    /// The same of each candidate that none beats in all objectives.
    #[getter]
    fn front(&self) -> Vec<Settings> {
        self.report.front.iter().map(settings).collect()
    }

    /// The columns of the axes.
    #[getter]
    fn axes(&self) -> Vec<String> {
        let settings = self.report.candidates.first().map(|choice| choice.settings.as_slice());
        settings.unwrap_or_default().iter().map(|setting| setting.column.clone()).collect()
    }

    /// The columns of what is to be small, or large.
    #[getter]
    fn objectives(&self) -> Vec<String> {
        self.report.objectives.clone()
    }

    /// What has to hold.
    #[getter]
    fn constraints(&self) -> Vec<String> {
        self.report.constraints.clone()
    }

    /// The scenarios with these, those that count most first; none if there is nothing to recommend.
    #[getter]
    fn best(&self) -> Vec<Scenario> {
        self.best.iter().map(|document| Scenario { document: document.clone() }).collect()
    }

    /// Runs that the answer rests on, in each scenario.
    #[getter]
    fn runs(&self) -> u64 {
        self.report.runs
    }

    /// `minimize` or `maximize`.
    #[getter]
    fn direction(&self) -> &'static str {
        self.report.direction.name()
    }

    /// What the command line prints of it.
    fn summary(&self) -> String {
        tune_summary(&self.report, self.out.as_deref(), Screen::PAPER)
    }

    /// The answer, for programs.
    fn to_json(&self) -> String {
        tune_json(&self.report)
    }
}
