//! `experiment.toml` as it is written, read into an [`Experiment`].
//!
//! Its `[sweep]` is read by `file_sweep.rs`.

use super::design::Sweep;
use super::file_sweep::{Reading, SweepFile};
use super::tune::Tune;
use super::tune::file::{Reader, TuneFile};
use crate::scenario::check::check;
use crate::scenario::setting::Count;
use crate::scenario::shape::Shape;
use crate::scenario::source::Place;
use crate::scenario::tree::Node;
use crate::scenario::{Document, Loader, Problem, Problems, file_source, read_text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

/// What an experiment may hold.
static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<ExperimentFile>);

/// A question, the scenarios that answer it, and the values they are swept over.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExperimentFile {
    /// What the experiment is to find out, as a question.
    #[schemars(example = "How many requests does a faster health check save?")]
    question: String,
    /// The scenario files, beside this one; the first is the baseline that the others are compared with.
    #[schemars(extend("x-example" = "[\"baseline.toml\", \"candidate.toml\"]"))]
    scenarios: Vec<String>,
    /// How many runs each scenario, and each point of the sweep, gets; 1 to 1000000.
    #[serde(default = "hundred")]
    runs: Count,
    /// The values that settings are swept over. Without it the scenarios are run as they are.
    sweep: Option<SweepFile>,
    /// What `tune` is to find on the axes of the sweep.
    tune: Option<TuneFile>,
}

fn hundred() -> Count {
    match Count::deserialize(toml::Value::Integer(100)) {
        Ok(count) => count,
        Err(error) => panic!("a default {error}"),
    }
}

/// A question and what is run to answer it.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The folder's name.
    pub name: String,
    /// The file's path, as it was given.
    pub path: String,
    /// What the file says.
    pub text: String,
    /// What it is to find out.
    pub question: String,
    /// The scenarios in order; the first is the baseline.
    pub scenarios: Vec<Document>,
    /// Runs of each scenario or point; at least 1.
    pub runs: u64,
    /// The values that settings are swept over.
    pub sweep: Option<Sweep>,
    /// What is to be found among them.
    pub tune: Option<Tune>,
}

impl Experiment {
    /// Opens an experiment: its folder, or its `experiment.toml`.
    ///
    /// # Errors
    /// Everything that is wrong with the file and its axes, and scenarios that cannot be opened. What is wrong inside
    /// a scenario [`Document::model`] says, and a sweep that keeps no point [`Sweep::points`].
    pub fn open(path: &Path, loader: &mut Loader) -> Result<Self, Problems> {
        let file = if path.is_dir() { path.join("experiment.toml") } else { path.to_owned() };
        if path.is_dir() && !file.exists() {
            return Err(no_experiment_in(path).into());
        }
        let text = read_text(&file, "experiment")?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Experiment::read(&file, &text, |written, root, problems| {
            open_scenarios(written, root, folder, loader, problems)
        })
    }

    /// The experiment again that was opened before: its file's path and text, and its scenarios in order.
    ///
    /// # Errors
    /// Everything that is wrong with it, as when scenarios are not those that it names.
    pub fn reopen(path: &str, text: &str, scenarios: Vec<Document>) -> Result<Self, Problems> {
        Experiment::read(Path::new(path), text, |_, _, _| scenarios)
    }

    fn read(
        file: &Path,
        text: &str,
        open: impl FnOnce(&ExperimentFile, &Node, &mut Vec<Problem>) -> Vec<Document>,
    ) -> Result<Self, Problems> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let name = Path::new(".")
            .join(folder)
            .canonicalize()
            .ok()
            .and_then(|folder| Some(folder.file_name()?.to_str()?.to_owned()));
        let source = file_source(file, text);
        let root = Node::parse(&source)?;
        if root.at(&["question"]).is_none() && root.at(&["traffic"]).or(root.at(&["provider"])).is_some() {
            return Err(Problem::new(format!("`{}` is a scenario, not an experiment", file.display()))
                .help("use `run` for it; an experiment is a folder with an experiment.toml that names scenarios")
                .into());
        }
        let (checked, mut findings) = check(&SHAPE, &root, &BTreeSet::new());
        let mut problems = std::mem::take(&mut findings.problems);
        let written = ExperimentFile::deserialize(checked.to_toml()).map_err(|error| {
            Problem::new(format!("the experiment cannot be read: {}", error.message().trim()))
                .at(&Place::whole(&source))
        })?;
        let mut scenarios = vec![];
        if findings.sound("scenarios") {
            scenarios = open(&written, &checked, &mut problems);
        }
        // Axes are judged by the scenarios: not if one of those is missing.
        let complete = !scenarios.is_empty() && scenarios.len() == written.scenarios.len();
        let sweep = written.sweep.as_ref().filter(|_| complete).map(|sweep| {
            let sound = |path: &str| findings.sound(path);
            let problems = &mut problems;
            Reading { root: &checked, scenarios: &scenarios, sound: &sound, problems }.sweep(sweep)
        });
        let tune = written.tune.as_ref().filter(|_| complete && findings.sound("tune")).map(|tune| {
            let mut reader = Reader { scenarios: &scenarios, sweep: sweep.as_ref(), problems: vec![] };
            let tune = reader.tune(tune, checked.at(&["tune"]).unwrap_or(&checked));
            problems.append(&mut reader.problems);
            tune
        });
        Problems::check(problems)?;
        Ok(Experiment {
            name: name.unwrap_or_else(|| "experiment".to_owned()),
            path: file.display().to_string(),
            text: text.to_owned(),
            question: written.question,
            scenarios,
            runs: u64::from(written.runs.value),
            sweep,
            tune,
        })
    }
}

/// Says what else the folder has that can be run.
fn no_experiment_in(folder: &Path) -> Problem {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_scenario =
        |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let help = match entries.filter(is_scenario).min() {
        Some(scenario) => format!("name the scenarios in it, such as {}", scenario.display()),
        None => "name a scenario file, or a folder with an experiment.toml".to_owned(),
    };
    Problem::new(format!("the folder `{}` has no experiment.toml", folder.display())).help(help)
}

/// The scenarios that can be opened, in order.
fn open_scenarios(
    written: &ExperimentFile,
    root: &Node,
    folder: &Path,
    loader: &mut Loader,
    problems: &mut Vec<Problem>,
) -> Vec<Document> {
    let mut scenarios: Vec<Document> = vec![];
    if written.scenarios.is_empty() {
        problems.push(
            Problem::new("`scenarios` names no scenario")
                .at(root.place_of(&["scenarios"]))
                .help("name the baseline first: scenarios = [\"baseline.toml\", \"candidate.toml\"]"),
        );
    }
    for (index, name) in written.scenarios.iter().enumerate() {
        let place = root.place_of(&["scenarios", &index.to_string()]);
        let path = folder.join(name);
        if !path.is_file() {
            // The help of the error says which file beside may be meant.
            let problem = match read_text(&path, "scenario") {
                Err(problem) => problem.at(place),
                Ok(_) => Problem::new(format!("`{name}` is not a file")).at(place),
            };
            problems.push(problem);
            continue;
        }
        match loader.open(&path) {
            Ok(document) if scenarios.iter().any(|other| other.name() == document.name()) => {
                problems.push(
                    Problem::new(format!("two scenarios are called `{}`", document.name()))
                        .at(place)
                        .help("rename one of the files: results are told apart by their names"),
                );
            }
            Ok(document) => scenarios.push(document),
            Err(inside) => problems.extend(inside.into_vec()),
        }
    }
    scenarios
}
