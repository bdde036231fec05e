//! `check`: reads a scenario or an experiment and says all that is wrong with it.

use super::{Failure, is_experiment, print_out};
use crate::experiment::file::Experiment;
use crate::scenario::Loader;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Read scenarios or experiments and say all that is wrong with them
///
/// Example: failover-sim check mine.toml
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Scenario files or experiment folders
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl CheckArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let mut loader = Loader::new();
        let mut report = String::new();
        let mut problems = Vec::new();
        for path in &self.paths {
            match check(path, &mut loader) {
                Ok(summary) => writeln!(report, "{}: {summary}", path.display()).expect("a string grows"),
                Err(failure) => problems.push(failure.message),
            }
        }
        print_out(&report)?;
        if problems.is_empty() { Ok(()) } else { Err(Failure::bad_input(problems.join("\n"))) }
    }
}

fn check(path: &Path, loader: &mut Loader) -> Result<String, Failure> {
    if !is_experiment(path) {
        let model = loader.open(path)?.model()?;
        let (providers, faults) = (model.providers.len(), model.faults.len());
        return Ok(format!(
            "ok, {providers} provider{}, {faults} fault{}, about {:.0} requests",
            if providers == 1 { "" } else { "s" },
            if faults == 1 { "" } else { "s" },
            model.expected_requests(),
        ));
    }
    let experiment = Experiment::open(path, loader)?;
    for scenario in &experiment.scenarios {
        scenario.model()?;
    }
    let mut summary = format!("ok, {} scenarios, {} runs each", experiment.scenarios.len(), experiment.runs);
    if let Some(sweep) = &experiment.sweep {
        let points = sweep.points(&experiment.scenarios)?;
        for point in &points {
            sweep.document(&experiment.scenarios, point)?.model()?;
        }
        write!(summary, ", {} points to sweep", points.len()).expect("a string grows");
    }
    Ok(summary)
}
