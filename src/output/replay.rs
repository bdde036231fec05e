//! What a results folder's scenarios were, made again from its manifest, so that what tables do not hold can be played
//! again.
//!
//! The folder may have been moved, and its scenarios changed or removed since: the manifest has their texts. This
//! program may be of another build, which is seen by its numbers.

use super::manifest::{Manifest, ScenarioProvenance};
use super::plan::Plan;
use super::read_outcomes::{agrees, outcome};
use super::table::Table;
use crate::engine::{Path as EnginePath, fastest_path};
use crate::experiment::file::Experiment;
use crate::experiment::objective::Objective;
use crate::metrics::{MetricsRecorder, Outcome, Wanted, measure};
use crate::model::Model;
use crate::scenario::{Document, Loader, Problem, Problems};
use std::path::Path;

/// Scenarios that can be played again.
#[derive(Debug, Clone)]
pub struct Replay {
    /// In the order of the manifest.
    pub documents: Vec<Document>,
    /// Of each, valid.
    pub models: Vec<Model>,
    /// What was asked of each: gates first.
    pub objectives: Vec<Vec<Objective>>,
}

/// Why runs cannot be played again: a sentence's rest.
pub type ReplayError = String;

impl Replay {
    /// Makes the scenarios again.
    ///
    /// # Errors
    /// With what is wrong with them, as when a trace that one reads is gone.
    pub fn of(manifest: &Manifest) -> Result<Self, ReplayError> {
        let mut loader = Loader::new();
        let open = |scenario: &ScenarioProvenance| reopen(&mut loader, scenario, &manifest.request.set);
        let documents = manifest.scenarios.iter().map(open).collect::<Result<Vec<_>, _>>().map_err(words)?;
        let models = documents.iter().map(Document::model).collect::<Result<Vec<_>, _>>().map_err(words)?;
        let objectives = documents.iter().map(Objective::all_of).collect::<Result<Vec<_>, _>>();
        let mut objectives = objectives.map_err(words)?;
        let compares = documents.len() > 1;
        let gates = manifest.request.gates.iter().map(|text| Objective::gate(text, compares));
        let gates = gates.collect::<Result<Vec<_>, _>>().map_err(words)?;
        for objectives in objectives.iter_mut().skip(usize::from(compares)) {
            objectives.splice(0..0, gates.iter().cloned());
        }
        Ok(Replay { documents, models, objectives })
    }

    /// The experiment that they are of.
    ///
    /// # Errors
    /// If the manifest has none, or it does not fit the scenarios.
    pub fn experiment(&self, manifest: &Manifest) -> Result<Experiment, ReplayError> {
        let written = manifest.request.experiment.as_ref().ok_or("the manifest has no experiment")?;
        Experiment::reopen(&written.path, &written.text, self.documents.clone()).map_err(words)
    }

    /// The runs of a scenario, made of their rows, and whether this program plays the first of them to the same numbers.
    pub fn outcomes(&self, scenario: usize, runs: &Table, manifest: &Manifest) -> (Vec<Outcome>, bool) {
        let model = &self.models[scenario];
        let is_own = |row: &usize| runs.texts("scenario")[*row].as_deref() == Some(model.name.as_str());
        let rows: Vec<usize> = (0..runs.row_count()).filter(is_own).collect();
        let outcomes = rows.iter().map(|row| outcome(runs, *row, model.duration)).collect();
        let plays_alike = rows.first().is_some_and(|row| {
            let first = measure(model, manifest.seed, manifest.first_run, Wanted::METRICS, None);
            agrees(runs, *row, &first)
        });
        (outcomes, plays_alike)
    }
}

/// How the engine plays a model when every metric is wanted.
pub(super) fn path_of(model: &Model) -> EnginePath {
    fastest_path::<MetricsRecorder>(model)
}

/// The experiment of a sweep's plan, made again; relative paths of its scenarios begin in `folder`.
///
/// # Errors
/// Everything that is wrong with it, as when a trace that a scenario reads is not there.
pub fn experiment_of(plan: &Plan, folder: &Path) -> Result<Experiment, Problems> {
    let mut loader = Loader::new();
    let open = |scenario: &ScenarioProvenance| {
        let path = folder.join(&scenario.path).to_string_lossy().into_owned();
        reopen(&mut loader, &ScenarioProvenance { path, ..scenario.clone() }, &plan.request.set)
    };
    let documents = plan.scenarios.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let written = plan.request.experiment.as_ref();
    let written = written.ok_or_else(|| Problem::new("the sweep's plan has no experiment"))?;
    Experiment::reopen(&written.path, &written.text, documents)
}

/// As the file had it, where its parts are still what they were; else as it was with them.
fn reopen(loader: &mut Loader, scenario: &ScenarioProvenance, set: &[String]) -> Result<Document, Problems> {
    let mut as_written = || -> Result<Document, Problems> {
        let mut document = loader.parse(&scenario.path, &scenario.text)?;
        document.rename(scenario.name.clone());
        set.iter().try_for_each(|assignment| document.set_text(assignment))?;
        document.model()?;
        Ok(document)
    };
    if let Ok(document) = as_written()
        && document.to_json() == scenario.resolved
    {
        return Ok(document);
    }
    if scenario.standalone.is_empty() {
        return Err(Problem::new("the manifest has no text of the scenario").into());
    }
    let mut document = loader.parse(&scenario.path, &scenario.standalone)?;
    document.rename(scenario.name.clone());
    Ok(document)
}

/// The first thing that is wrong, without a full stop.
pub(super) fn words(problems: Problems) -> String {
    let first = problems.iter().next().map_or("it is no valid scenario", Problem::message);
    first.trim_end_matches('.').to_owned()
}
