//! `[tune]` of an experiment, and what the command line says instead of it, read into a [`Tune`].

use super::{Constraint, Direction, Goal, Guess, Objective, Tune};
use crate::experiment::comparison::Comparison;
use crate::experiment::criterion::{Criterion, Target};
use crate::experiment::design::Sweep;
use crate::scenario::setting::{Count, NonNegative};
use crate::scenario::source::given_by_hand;
use crate::scenario::tree::{Node, Value};
use crate::scenario::{Document, Problem, Problems, nearest, suggestion};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is best, under which conditions, over which mix of the scenarios.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TuneFile {
    /// What should be small: a metric such as "failed_count", its mean over the mix unless a statistic is named
    /// ("failed_count.p95"), or the path of an axis. Several are traded against each other.
    #[serde(default)]
    #[schemars(schema_with = "one_or_several")]
    minimize: Option<toml::Value>,
    /// What should be large; as `minimize`, and instead of it.
    #[serde(default)]
    #[schemars(schema_with = "one_or_several")]
    maximize: Option<toml::Value>,
    /// What has to hold: "probe_per_day <= 20000" over the mix, or in each of some scenarios
    /// { expect = "false_ejection_per_day <= 1", scenarios = ["calm_day"] }.
    #[serde(default)]
    #[schemars(schema_with = "criteria")]
    subject_to: Vec<toml::Value>,
    /// How often each scenario comes, relative to the others: 1 unless said. With 0 a scenario counts only for
    /// conditions that name it.
    #[serde(default)]
    weights: BTreeMap<String, NonNegative>,
    /// How many runs whatever is named in the answer gets at least; without it, what the experiment says.
    runs: Option<Count>,
    /// How many runs may be simulated in all. Without it, as many as it takes.
    budget: Option<Count>,
    /// Inputs that were guessed: how much does each move the answer? Without them: probe latency, quiet error rates,
    /// how long faults last, and how often requests come, each halved and doubled.
    #[serde(default)]
    #[schemars(extend("x-example" = "\n[[tune.guess]]\npath = \"provider.NAME.error_rate\"\nvalues = [0.0001, 0.01]"))]
    guess: Vec<GuessFile>,
}

/// One input that nobody has measured.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GuessFile {
    /// The setting, such as provider.claude_east.error_rate.
    #[schemars(example = "provider.claude_east.error_rate")]
    path: String,
    /// What else it could be, as the scenario would have it.
    #[schemars(with = "Vec<serde_json::Value>", extend("x-example" = "[0.0001, 0.01]"))]
    values: Vec<toml::Value>,
}

fn one_or_several(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
}

fn criteria(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "anyOf": [
        { "type": "string" },
        { "type": "object", "additionalProperties": false, "required": ["expect"], "properties": {
            "expect": { "type": "string" },
            "scenarios": { "type": "array", "items": { "type": "string" } },
        } },
    ] } })
}

/// What conditions and weights name, and where complaints go.
pub(crate) struct Reader<'a> {
    pub scenarios: &'a [Document],
    /// The axes; `None` if they could not be read.
    pub sweep: Option<&'a Sweep>,
    pub problems: Vec<Problem>,
}

impl Reader<'_> {
    /// Reads `[tune]`, which lies at `root`.
    pub fn tune(&mut self, written: &TuneFile, root: &Node) -> Tune {
        let mut tune = Tune::of_scenarios(self.scenarios.len());
        let at = |name: &str| root.at(&[name]);
        tune.goal = match (at("minimize"), at("maximize")) {
            (Some(minimize), Some(maximize)) => {
                self.problems.push(
                    Problem::new("`tune` has both `minimize` and `maximize`")
                        .at(maximize.shown())
                        .also(minimize.shown(), "the other one")
                        .help("keep one, and put what the other asks for into `subject_to`"),
                );
                None
            }
            (Some(minimize), None) => self.goal(Direction::Minimize, minimize),
            (None, Some(maximize)) => self.goal(Direction::Maximize, maximize),
            (None, None) => None,
        };
        for nth in 0..written.subject_to.len() {
            if let Some(node) = root.at(&["subject_to", &nth.to_string()]) {
                tune.constraints.extend(self.constraint(node));
            }
        }
        self.weights(written, root, &mut tune.weights);
        tune.runs = written.runs.as_ref().map(|runs| u64::from(runs.value));
        tune.budget = written.budget.as_ref().map(|budget| u64::from(budget.value));
        for (nth, guess) in written.guess.iter().enumerate() {
            if let Some(node) = root.at(&["guess", &nth.to_string()]) {
                tune.guesses.extend(self.guess(guess, node));
            }
        }
        tune
    }

    fn weights(&mut self, written: &TuneFile, root: &Node, weights: &mut [f64]) {
        let names: Vec<&str> = self.scenarios.iter().map(Document::name).collect();
        for (name, weight) in &written.weights {
            match names.iter().position(|known| known == name) {
                Some(scenario) => weights[scenario] = weight.value,
                None => {
                    let place = root.at(&["weights", name]).map_or(&root.place, |node| &node.key);
                    self.problems.push(no_scenario(name, &names).at(place));
                }
            }
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            self.problems.push(
                Problem::new("all weights are 0, so no scenario counts")
                    .at(root.place_of(&["weights"]))
                    .help("give the scenarios that may come a weight above 0"),
            );
        }
    }

    /// One objective, or a list of them.
    pub fn goal(&mut self, direction: Direction, node: &Node) -> Option<Goal> {
        let nodes: Vec<&Node> = match &node.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        let mut objectives: Vec<Objective> = Vec::new();
        let already = self.problems.len();
        for node in &nodes {
            let read = match node.text() {
                Some(text) => self.objective(text.trim()),
                None => Err(Problem::new(format!("`{}` takes the name of a metric", direction.name()))
                    .help("write it like \"failed_count\" or \"failed_count.p95\"")),
            };
            match read {
                Ok(objective) if objectives.contains(&objective) => self.problems.push(
                    Problem::new(format!("`{objective}` is there twice"))
                        .at(&node.place)
                        .help("remove one of the two"),
                ),
                Ok(objective) => objectives.push(objective),
                Err(problem) => self.problems.push(problem.at(&node.place)),
            }
        }
        if nodes.is_empty() {
            self.problems.push(
                Problem::new(format!("`{}` names no metric", direction.name()))
                    .at(node.shown())
                    .help("write it like \"failed_count\""),
            );
        }
        (self.problems.len() == already).then_some(Goal { direction, objectives })
    }

    /// A metric, or an axis of which the values have an order.
    fn objective(&self, text: &str) -> Result<Objective, Problem> {
        let axes = self.sweep.map_or(&[][..], |sweep| &sweep.axes);
        if let Some(nth) = axes.iter().position(|axis| axis.path == text) {
            if axes[nth].kind.number(&axes[nth].domain.value_at(0.0)).is_none() {
                return Err(Problem::new(format!("the values of the axis `{text}` have no order"))
                    .help("name a metric, or an axis of numbers, durations or rates"));
            }
            return Ok(Objective::Axis(nth, axes[nth].column.clone()));
        }
        // A metric has at most one dot in its name with a statistic; a path has more, or begins like one.
        let target = Target::read(text).map_err(|problem| {
            match nearest(text, axes.iter().map(|axis| axis.path.as_str())) {
                Some(path) if text.contains('.') => {
                    Problem::new(format!("there is no axis `{text}`")).help(format!("did you mean `{path}`?"))
                }
                _ => problem,
            }
        })?;
        has_interval(&target)?;
        Ok(Objective::Target(target))
    }

    /// A criterion, or a table with one and the scenarios that it is for.
    pub fn constraint(&mut self, node: &Node) -> Vec<Constraint> {
        let settings = ["expect", "scenarios"];
        let unknown = node.table().into_iter().flatten().find(|(name, _)| !settings.contains(&name.as_str()));
        if let Some((name, inner)) = unknown {
            self.problems.push(
                Problem::new(format!("`subject_to` has no setting `{name}`"))
                    .at(&inner.key)
                    .help(suggestion(name, settings)),
            );
            return Vec::new();
        }
        let expect = if node.table().is_some() { node.at(&["expect"]) } else { Some(node) };
        let read = match expect.and_then(|expect| Some((expect, expect.text()?))) {
            Some((expect, text)) => read_criterion(text).map_err(|problem| problem.at(&expect.place)),
            None => {
                let with = "{ expect = \"failed_count.p95 <= 1000\", scenarios = [\"name\"] }";
                Err(Problem::new("`subject_to` takes criteria")
                    .at(node.shown())
                    .help(format!("write \"failed_count.p95 <= 1000\", or {with}")))
            }
        };
        let criterion = match read {
            Ok(criterion) => criterion,
            Err(problem) => {
                self.problems.push(problem);
                return Vec::new();
            }
        };
        let Some(named) = node.at(&["scenarios"]) else {
            let text = criterion.to_string();
            return vec![Constraint { criterion, scenario: None, text }];
        };
        let names: Vec<&str> = self.scenarios.iter().map(Document::name).collect();
        let mut constraints = Vec::new();
        let Value::List(items) = &named.value else {
            let problem = Problem::new("`scenarios` takes a list of names").at(&named.place);
            self.problems.push(problem.help("write it like [\"calm_day\"]"));
            return constraints;
        };
        for item in items {
            let name = item.text().unwrap_or_default();
            match names.iter().position(|known| *known == name) {
                Some(scenario) => constraints.push(Constraint {
                    text: format!("{criterion} in {name}"),
                    criterion: criterion.clone(),
                    scenario: Some(scenario),
                }),
                None => self.problems.push(no_scenario(name, &names).at(&item.place)),
            }
        }
        if items.is_empty() {
            let problem = Problem::new("a criterion is for no scenario").at(&named.place);
            self.problems.push(problem.help("name scenarios, or leave `scenarios` out for the whole mix"));
        }
        constraints
    }

    fn guess(&mut self, guess: &GuessFile, node: &Node) -> Option<Guess> {
        let path_place = node.place_of(&["path"]);
        let already = self.problems.len();
        let axes = self.sweep.map_or(&[][..], |sweep| &sweep.axes);
        if axes.iter().any(|axis| axis.paths().contains(&guess.path.as_str())) {
            self.problems.push(
                Problem::new(format!("`{}` is an axis of the sweep, not a guess", guess.path))
                    .at(path_place)
                    .help("remove it from one of the two"),
            );
        }
        let kinds: Vec<_> = self.scenarios.iter().map(|s| s.kind(&guess.path, path_place)).collect();
        match kinds.iter().position(Result::is_ok) {
            Some(scenario) => {
                for nth in 0..guess.values.len() {
                    if let Some(value) = node.at(&["values", &nth.to_string()]) {
                        self.problems.extend(self.scenarios[scenario].check_value(&guess.path, value));
                    }
                }
            }
            None => self.problems.extend(kinds.into_iter().find_map(Result::err)),
        }
        if guess.values.is_empty() {
            self.problems.push(
                Problem::new(format!("the guess `{}` has no values", guess.path))
                    .at(node.place_of(&["values"]))
                    .help("name what else it could be"),
            );
        }
        (self.problems.len() == already)
            .then(|| Guess { path: guess.path.clone(), values: guess.values.clone() })
    }
}

impl Tune {
    /// Replaces the goal, and the constraints if there are any, by what the command line says.
    ///
    /// # Errors
    /// If a metric, a statistic or an axis is unknown, or a criterion cannot be read.
    pub fn override_by(
        &mut self,
        goal: Option<(Direction, &[String])>,
        subject_to: &[String],
        scenarios: &[Document],
        sweep: &Sweep,
    ) -> Result<(), Problems> {
        let mut reader = Reader { scenarios, sweep: Some(sweep), problems: Vec::new() };
        if let Some((direction, texts)) = goal {
            let option = format!("--{}", direction.name());
            let nodes: Vec<Node> = texts.iter().map(|text| argument(&option, text)).collect();
            let first = nodes.first().map(|node| node.place.clone());
            if let Some(place) = first {
                let list = Node { value: Value::List(nodes), place: place.clone(), key: place };
                self.goal = reader.goal(direction, &list);
            }
        }
        if !subject_to.is_empty() {
            let nodes = subject_to.iter().map(|text| argument("--subject-to", text));
            self.constraints = nodes.flat_map(|node| reader.constraint(&node)).collect();
        }
        Problems::check(reader.problems)
    }
}

/// A text given on the command line.
fn argument(option: &str, text: &str) -> Node {
    Node::from_toml(&text.into(), &given_by_hand(option, text))
}

fn no_scenario(name: &str, names: &[&str]) -> Problem {
    Problem::new(format!("there is no scenario `{name}`")).help(suggestion(name, names.iter().copied()))
}

fn read_criterion(text: &str) -> Result<Criterion, Problem> {
    let criterion = Criterion::read(text)?;
    has_interval(&criterion.target)?;
    if criterion.is_relative() {
        return Err(Problem::new(format!("\"{criterion}\" has no baseline to be relative to"))
            .help("candidates are held against a number: write one"));
    }
    if matches!(criterion.comparison, Comparison::Equal | Comparison::NotEqual) {
        return Err(Problem::new(format!("\"{criterion}\" holds for next to nothing, or for next to all"))
            .help("write <=, <, >= or >"));
    }
    Ok(criterion)
}

/// Candidates are told apart by intervals.
fn has_interval(target: &Target) -> Result<(), Problem> {
    if target.statistic.has_interval() {
        return Ok(());
    }
    Err(Problem::new(format!("candidates cannot be told apart by `{target}`"))
        .help("it has no confidence interval: choose the mean, p50, p95, pi95_low or pi95_high"))
}
