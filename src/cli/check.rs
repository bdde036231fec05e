//! `check`: reads a scenario or an experiment and says all that is wrong with it.

use super::Failure;
use super::print::{Format, PrintArgs, print_out};
use crate::experiment::file::Experiment;
use crate::experiment::survey::point_model;
use crate::job::is_experiment;
use crate::job::run::models_and_objectives;
use crate::output::SCHEMA_VERSION;
use crate::output::terminal::{counted, large};
use crate::scenario::Loader;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Read scenarios or experiments and say all that is wrong with them
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: failover-sim check mine.toml experiments/01_incident_3am")]
pub struct CheckArgs {
    /// Scenario files or experiment folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    print: PrintArgs,
}

impl CheckArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let mut loader = Loader::new();
        let format = self.print.format("check", &[Format::Json])?;
        let (mut report, mut files, mut problems) = (String::new(), Vec::new(), Vec::new());
        for path in &self.paths {
            let checked = check(path, &mut loader);
            files.push(serde_json::json!({
                "path": path.display().to_string(),
                "valid": checked.is_ok(),
                "summary": checked.as_ref().ok(),
                "problems": checked.as_ref().err().map(|failure| failure.text(false)),
            }));
            match checked {
                Ok(summary) => writeln!(report, "{}: {summary}", path.display()).expect("a string grows"),
                Err(failure) => problems.push(failure),
            }
        }
        if format == Format::Json {
            let document = serde_json::json!({ "schema_version": SCHEMA_VERSION, "files": files });
            print_out(&(serde_json::to_string_pretty(&document).expect("it is plain data") + "\n"))?;
        } else {
            self.print.summary(&report)?;
        }
        if problems.is_empty() { Ok(()) } else { Err(Failure::all(problems)) }
    }
}

fn check(path: &Path, loader: &mut Loader) -> Result<String, Failure> {
    if !is_experiment(path) {
        let (models, _) = models_and_objectives(&[loader.open(path)?])?;
        let model = &models[0];
        let (providers, faults) = (model.providers.len(), model.faults.len());
        return Ok(format!(
            "ok, {}, {}, about {} requests a run",
            counted(providers as f64, "provider"),
            counted(faults as f64, "fault"),
            large(model.expected_requests()),
        ));
    }
    let experiment = Experiment::open(path, loader)?;
    models_and_objectives(&experiment.scenarios)?;
    let mut summary = format!(
        "ok, {}, {} each",
        counted(experiment.scenarios.len() as f64, "scenario"),
        counted(experiment.runs as f64, "run")
    );
    if let Some(sweep) = &experiment.sweep {
        let layout = sweep.layout(&experiment.scenarios)?;
        // One by one, as nobody needs them all.
        let mut invalid = (0..layout.len()).filter_map(|index| {
            let point = sweep.point(&experiment.scenarios, &layout, index);
            Some((index, point_model(sweep, &experiment.scenarios, &point).err()?))
        });
        if let Some((first, problems)) = invalid.next() {
            let which = match 1 + invalid.count() {
                1 => format!("point {first} of the sweep is no valid scenario"),
                count => format!(
                    "{} of the {} points of the sweep are no valid scenario, first point {first}",
                    large(count as f64),
                    large(layout.len() as f64)
                ),
            };
            return Err(Failure::from(problems).headed(&format!("{}: {which}:", path.display())));
        }
        write!(summary, ", {} to sweep", counted(layout.len() as f64, "point")).expect("a string grows");
    }
    Ok(summary)
}
