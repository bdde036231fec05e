//! `experiment.toml` as it is written, read into an [`Experiment`].
//!
//! What a sweep means, point by point, is left to [`super::design`].

use super::design::{Axis, AxisKind, Condition, Sweep};
use crate::scenario::check::check;
use crate::scenario::setting::Count;
use crate::scenario::shape::{Shape, inline};
use crate::scenario::source::Place;
use crate::scenario::tree::Node;
use crate::scenario::{Document, Loader, Problem, Problems, file_source, read_text, suggestion};
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
}

/// A grid: all combinations of the axes' values.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SweepFile {
    /// Only combinations for which all of these hold are run: "path <= path" or "path <= value", with
    /// <, <=, >, >=, == or !=. Durations compare as durations. Where a scenario lacks the setting it does not apply.
    #[serde(default)]
    keep: Vec<String>,
    /// The axes; the last one varies fastest.
    #[schemars(extend("x-example" = "\n[[sweep.axis]]\npath = \"gateway.health_check.interval\"\nvalues = [\"1s\", \"5s\"]"))]
    axis: Vec<AxisFile>,
}

/// One setting and the values it takes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AxisFile {
    /// The setting, such as gateway.health_check.interval.
    #[schemars(example = "gateway.health_check.interval")]
    path: String,
    /// Its values, as the scenario would have them.
    #[schemars(with = "Vec<serde_json::Value>", extend("x-example" = "[\"1s\", \"5s\"]"))]
    values: Vec<toml::Value>,
    /// The scenarios that the axis applies to, by name. Without it, all.
    scenarios: Option<Vec<String>>,
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
    /// What it is to find out.
    pub question: String,
    /// The scenarios in order; the first is the baseline.
    pub scenarios: Vec<Document>,
    /// Runs of each scenario or point; at least 1.
    pub runs: u64,
    /// The values that settings are swept over.
    pub sweep: Option<Sweep>,
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
        let name = Path::new(".")
            .join(folder)
            .canonicalize()
            .ok()
            .and_then(|folder| Some(folder.file_name()?.to_str()?.to_owned()));
        let source = file_source(&file, &text);
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
            scenarios = open_scenarios(&written, &checked, folder, loader, &mut problems);
        }
        // Axes are judged by the scenarios: not if one of those is missing.
        let complete = !scenarios.is_empty() && scenarios.len() == written.scenarios.len();
        let sweep = written.sweep.as_ref().filter(|_| complete).map(|sweep| {
            let mut reading = Reading { root: &checked, scenarios: &scenarios, problems: &mut problems };
            let sound = |path: &str| findings.sound(path);
            reading.sweep(sweep, &sound)
        });
        Problems::check(problems)?;
        Ok(Experiment {
            name: name.unwrap_or_else(|| "experiment".to_owned()),
            question: written.question,
            scenarios,
            runs: u64::from(written.runs.value),
            sweep,
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

struct Reading<'a> {
    root: &'a Node,
    scenarios: &'a [Document],
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn sweep(&mut self, written: &SweepFile, sound: &dyn Fn(&str) -> bool) -> Sweep {
        if written.axis.is_empty() && sound("sweep.axis") {
            self.problems.push(
                Problem::new("`sweep` has no axis")
                    .at(self.root.place_of(&["sweep", "axis"]))
                    .help("add, for example:\n[[sweep.axis]]\npath = \"gateway.health_check.interval\"\nvalues = [\"1s\", \"5s\"]"),
            );
        }
        let mut axes: Vec<Axis> = vec![];
        for (index, axis) in written.axis.iter().enumerate() {
            if sound(&format!("sweep.axis.{index}"))
                && let Some(axis) = self.axis(axis, index, &axes)
            {
                axes.push(axis);
            }
        }
        let mut keep = vec![];
        for (index, condition) in written.keep.iter().enumerate() {
            let place = self.root.place_of(&["sweep", "keep", &index.to_string()]).clone();
            match Condition::read(condition, &place, self.scenarios) {
                Ok(condition) => keep.push(condition),
                Err(problem) => self.problems.push(problem),
            }
        }
        Sweep { axes, keep }
    }

    fn axis(&mut self, axis: &AxisFile, index: usize, before: &[Axis]) -> Option<Axis> {
        let index = index.to_string();
        let root = self.root;
        let place = |inner: &[&str]| root.place_of(&[&["sweep", "axis", &index], inner].concat());
        let already = self.problems.len();
        let applies = self.applies_to(axis, &index);
        let path_place = place(&["path"]);
        let mut kind = None;
        let mut first_good: Option<&Document> = None;
        for document in &applies {
            match document.kind(&axis.path, path_place) {
                Ok(found) => {
                    kind = found;
                    first_good.get_or_insert(document);
                }

                Err(problem) => {
                    let fix = problem.fix().unwrap_or_default().to_owned();
                    let good: Vec<String> = applies
                        .iter()
                        .filter(|document| document.kind(&axis.path, path_place).is_ok())
                        .map(|document| format!("\"{}\"", document.name()))
                        .collect();
                    let help = match good.as_slice() {
                        [] => fix,
                        good => format!("{fix}\nor limit the axis: scenarios = [{}]", good.join(", ")),
                    };
                    let message = match good.is_empty() {
                        true => problem.message().to_owned(),
                        false => format!("in scenario `{}`: {}", document.name(), problem.message()),
                    };
                    self.problems.push(Problem::new(message).at(path_place).help(help));
                    break;
                }
            }
        }
        let same = |other: &&Axis| {
            let both = |name: &String| other.scenarios.as_ref().is_none_or(|names| names.contains(name));
            other.path == axis.path && axis.scenarios.as_ref().is_none_or(|names| names.iter().any(both))
        };
        if before.iter().any(|other| same(&other)) {
            self.problems.push(
                Problem::new(format!("two axes sweep `{}`", axis.path))
                    .at(path_place)
                    .help("put all its values into one axis"),
            );
        }
        if axis.values.is_empty() {
            self.problems.push(
                Problem::new(format!("the axis `{}` has no values", axis.path))
                    .at(place(&["values"]))
                    .help("name at least one, or remove the axis"),
            );
        }
        let column_kind = AxisKind::of(kind, &axis.values);
        for (number, value) in axis.values.iter().enumerate() {
            let at = place(&["values", &number.to_string()]);
            // "60s" and "1m" are one value.
            if axis.values[..number].iter().any(|other| column_kind.value(other) == column_kind.value(value))
            {
                self.problems.push(
                    Problem::new(format!("the axis `{}` has the value {} twice", axis.path, inline(value)))
                        .at(at)
                        .help("remove one of the two"),
                );
            }
            if let (Some(document), Some(node)) =
                (first_good, root.at(&["sweep", "axis", &index, "values", &number.to_string()]))
            {
                self.problems.extend(document.check_value(&axis.path, node));
            }
        }
        (self.problems.len() == already).then(|| Axis {
            path: axis.path.clone(),
            column: column_kind.column(&axis.path),
            values: axis.values.clone(),
            scenarios: axis.scenarios.clone(),
            kind: column_kind,
        })
    }

    /// The scenarios that an axis names, or all.
    fn applies_to(&mut self, axis: &AxisFile, index: &str) -> Vec<Document> {
        let Some(names) = &axis.scenarios else { return self.scenarios.to_vec() };
        let known: Vec<&str> = self.scenarios.iter().map(Document::name).collect();
        for (number, name) in names.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let number = number.to_string();
                let place = self.root.place_of(&["sweep", "axis", index, "scenarios", &number]);
                self.problems.push(
                    Problem::new(format!("there is no scenario `{name}`"))
                        .at(place)
                        .help(suggestion(name, known.iter().copied())),
                );
            }
        }
        if names.is_empty() {
            self.problems.push(
                Problem::new(format!("the axis `{}` applies to no scenario", axis.path))
                    .at(self.root.place_of(&["sweep", "axis", index, "scenarios"]))
                    .help("name scenarios, or leave `scenarios` out for all of them"),
            );
        }
        self.scenarios
            .iter()
            .filter(|document| names.iter().any(|name| name == document.name()))
            .cloned()
            .collect()
    }
}
