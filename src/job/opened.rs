//! What `run` is given: scenario files, an experiment's scenarios, or one point of its sweep.

use super::{Failure, all_or_failures, axis_columns};
use crate::experiment::design::Sweep;
use crate::experiment::file::Experiment;
use crate::output::{AxisColumn, PointDocument};
use crate::scenario::shape::inline;
use crate::scenario::{Document, Loader};
use std::path::{Component, Path, PathBuf};

/// Runs of each scenario where neither the command nor an experiment says how many.
pub const DEFAULT_RUNS: u64 = 100;

/// The scenarios to run, and what they belong to.
#[derive(Debug)]
pub struct Opened {
    /// The first is the baseline.
    pub documents: Vec<Document>,
    /// How many runs each gets, unless the command says.
    pub runs: u64,
    /// The point of a sweep that the only scenario is.
    pub point: Option<SweptPoint>,
    /// What an experiment asks.
    question: Option<String>,
    sweep: Option<Sweep>,
}

/// A point of a sweep.
#[derive(Debug)]
pub struct SweptPoint {
    /// As the column `point` of the sweep's tables has it.
    pub number: usize,
    /// All columns of the sweep, so that the point's rows are those of its tables.
    pub axes: Vec<AxisColumn>,
    /// The paths and values of the axes that apply to it.
    settings: Vec<(String, toml::Value)>,
}

impl Opened {
    /// Reads what these paths name: scenario files, or one experiment.
    ///
    /// # Errors
    /// All that is wrong with them, or if an experiment is not alone, or two scenarios cannot be told apart.
    pub fn read(paths: &[PathBuf]) -> Result<Opened, Failure> {
        let mut loader = Loader::new();
        if let [path] = paths
            && is_experiment(path)
        {
            let Experiment { question, scenarios, runs, sweep, .. } = Experiment::open(path, &mut loader)?;
            let question = Some(question);
            return Ok(Opened { documents: scenarios, runs, point: None, question, sweep });
        }
        if let Some(folder) = paths.iter().find(|path| is_experiment(path)) {
            return Err(Failure::refused(
                format!("{} is an experiment", folder.display()),
                "run it alone, or name scenario files only",
            ));
        }
        let opened = paths.iter().map(|path| loader.open(path).map_err(Failure::from));
        let mut documents = all_or_failures(opened)?;
        tell_apart(&mut documents)?;
        Ok(Opened::of(documents, DEFAULT_RUNS))
    }

    /// Reads one scenario.
    ///
    /// # Errors
    /// All that is wrong with it, or if it is an experiment.
    #[cfg(feature = "serve")]
    pub fn read_one(path: &Path) -> Result<Document, Failure> {
        if is_experiment(path) {
            let message = format!("{} is an experiment, and the page is of one scenario", path.display());
            return Err(Failure::refused(message, "name one of its scenario files"));
        }
        Ok(Loader::new().open(path)?)
    }

    /// These scenarios, of names that differ, each to be run so many times.
    pub fn of(documents: Vec<Document>, runs: u64) -> Opened {
        Opened { documents, runs, point: None, question: None, sweep: None }
    }

    /// The point of this number alone, of the sweep that the scenarios have.
    ///
    /// # Errors
    /// If they have no sweep, or that no such point.
    pub fn at_point(self, number: u64) -> Result<Opened, Failure> {
        let Some(sweep) = &self.sweep else {
            return Err(Failure::refused(
                format!("there is no sweep to take point {number} of"),
                "name the experiment folder that was swept",
            ));
        };
        let layout = sweep.layout(&self.documents)?;
        let points = 0..layout.len();
        let number =
            usize::try_from(number).ok().filter(|number| points.contains(number)).ok_or_else(|| {
                Failure::refused(
                    format!("there is no point {number}"),
                    format!("the sweep has the points 0 to {}", layout.len() - 1),
                )
            })?;
        let point = &sweep.point(&self.documents, &layout, number);
        let values = sweep.axes.iter().zip(&point.values);
        let settings = values.filter_map(|(axis, value)| Some((axis.path.clone(), value.clone()?))).collect();
        let axes = axis_columns(sweep, &self.documents, &layout, points);
        let documents = vec![sweep.document(&self.documents, point)?];
        Ok(Opened { documents, point: Some(SweptPoint { number: point.index, axes, settings }), ..self })
    }

    /// What a summary begins with: the question, and which point it is.
    pub fn preface(&self) -> Vec<String> {
        let point = self.point.as_ref().map(|SweptPoint { number, settings, .. }| {
            let settings: Vec<String> =
                settings.iter().map(|(path, value)| format!("{path} = {}", inline(value))).collect();
            format!("point {number}: {}", settings.join(", "))
        });
        self.question.iter().cloned().chain(point).collect()
    }
}

impl SweptPoint {
    /// The same for programs.
    pub fn document(&self) -> PointDocument {
        let json = |value| serde_json::to_value(value).expect("a setting is plain data");
        let settings = self.settings.iter().map(|(path, value)| (path.clone(), json(value))).collect();
        PointDocument { number: self.number, settings }
    }
}

/// Names files that are called the same by their folders, as the two versions of one that a pull request changes are:
/// `base/gateway.toml` and `head/gateway.toml`.
fn tell_apart(documents: &mut [Document]) -> Result<(), Failure> {
    let stems: Vec<String> = documents.iter().map(|document| document.name().to_owned()).collect();
    let paths: Vec<Vec<String>> = documents.iter().map(|document| steps(document.path())).collect();
    for (i, document) in documents.iter_mut().enumerate() {
        let others = (0..paths.len()).filter(|&other| other != i && stems[other] == stems[i]);
        let shared = others.map(|other| {
            let pairs = paths[i].iter().rev().zip(paths[other].iter().rev());
            pairs.take_while(|(step, other)| step == other).count()
        });
        let Some(shared) = shared.max() else { continue };
        if paths.iter().filter(|other| **other == paths[i]).count() > 1 {
            return Err(Failure::refused(
                format!("two scenarios are called `{}`", stems[i]),
                "copy one of them to a file of another name: results are told apart by their names",
            ));
        }
        document.rename(paths[i][paths[i].len().saturating_sub(shared + 1)..].join("/"));
    }
    Ok(())
}

/// The folders of a file and its name without extension.
fn steps(path: &str) -> Vec<String> {
    let path = Path::new(path).with_extension("");
    let steps = path.components().filter(|step| *step != Component::CurDir);
    steps.map(|step| step.as_os_str().to_string_lossy().into_owned()).collect()
}

/// Whether a path names an experiment rather than a scenario.
pub fn is_experiment(path: &Path) -> bool {
    path.is_dir() || path.file_name().is_some_and(|name| name == "experiment.toml")
}
