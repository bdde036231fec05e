//! The `[sweep]` of an experiment file, read into a [`Sweep`].
//!
//! A part of [`super::file`]; what a sweep means, point by point, is left to [`super::design`].

use super::axis::{Axis, AxisKind, AxisValue, CASE, Case, Domain};
use super::condition::Condition;
use super::design::{POINTS_MAX, Sweep, rank};
use super::range::{Quantity, Range, Scale};
use super::sampling::Design;
use crate::scenario::check::join;
use crate::scenario::quantity::Kind;
use crate::scenario::setting::{Count, Whole};
use crate::scenario::shape::inline;
use crate::scenario::source::Place;
use crate::scenario::tree::Node;
use crate::scenario::{Document, Problem, suggestion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The settings that are swept: axes, cases, or both, in all combinations or as a sampled design chooses.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SweepFile {
    /// Which values of the axes go together.
    #[serde(default)]
    design: DesignFile,
    /// The seed of a sampled design, 0 to 1000000: another one chooses other points. `--seed` does not change them.
    #[serde(default = "one")]
    seed: Whole,
    /// Only points for which all of these hold are run: "path <= path" or "path <= value", with
    /// <, <=, >, >=, == or !=. Durations compare as durations. Where a scenario lacks the setting it does not apply.
    #[serde(default)]
    keep: Vec<String>,
    /// The axes; in a grid the last one varies fastest.
    #[serde(default)]
    #[schemars(extend("x-example" = "\n[[sweep.axis]]\npath = \"gateway.health_check.interval\"\nvalues = [\"1s\", \"5s\"]"))]
    axis: Vec<AxisFile>,
    /// Settings that are made together, under a name: the column `case`. If there are axes too, each case meets them all.
    #[serde(default)]
    #[schemars(extend("x-example" = "\n[[sweep.case]]\nname = \"fast\"\nset = { \"gateway.health_check.interval\" = \"1s\" }"))]
    case: Vec<CaseFile>,
}

/// Which values of the axes go together.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum DesignFile {
    /// All combinations. The default.
    #[default]
    Grid,
    /// So many points for each scenario, each axis drawn independently.
    Random(#[schemars(example = 200)] Count),
    /// So many points for each scenario: each axis is cut into as many equal shares, and has a point in each.
    LatinHypercube(#[schemars(example = 200)] Count),
    /// So many points of a scrambled Sobol sequence for each scenario, at most 65536; a power of two is most even.
    Sobol(#[schemars(example = 256)] Count),
}

/// One setting and the values it takes: `values` or a `range`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AxisFile {
    /// The setting, such as gateway.health_check.interval; also a part's, gateway.from.
    #[schemars(example = "gateway.health_check.interval")]
    path: String,
    /// Its values, as the scenario would have them. Sampled designs take each as often.
    #[schemars(with = "Option<Vec<serde_json::Value>>", extend("x-example" = "[\"1s\", \"5s\"]"))]
    values: Option<Vec<toml::Value>>,
    /// All values between two: of a duration, a rate or a number.
    #[schemars(extend("x-example" = "{ from = \"1s\", to = \"60s\", step = \"1s\" }"))]
    range: Option<RangeFile>,
    /// The scenarios that the axis applies to, by name. Without it, all.
    scenarios: Option<Vec<String>>,
}

/// All values from one to another. With `step` or `count` it is a list of values; with neither it is continuous, which
/// a grid cannot be. Values that are not written are rounded to 4 significant digits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RangeFile {
    /// The least value.
    #[schemars(with = "serde_json::Value", extend("x-example" = "\"1s\""))]
    from: toml::Value,
    /// The greatest value.
    #[schemars(with = "serde_json::Value", extend("x-example" = "\"60s\""))]
    to: toml::Value,
    /// The distance between two values, from `from` on; `to` is one of them if a step leads there.
    #[schemars(with = "Option<serde_json::Value>", extend("x-example" = "\"1s\""))]
    step: Option<toml::Value>,
    /// How many values, evenly spread from `from` to `to`; at least 2.
    #[schemars(example = 13)]
    count: Option<Count>,
    /// What evenly means: in equal differences, or in equal ratios.
    #[serde(default)]
    scale: ScaleFile,
}

/// How values are spread over a range.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ScaleFile {
    /// In equal differences. The default.
    #[default]
    Linear,
    /// In equal ratios: as many values from 1 to 10 as from 10 to 100.
    Log,
}

/// Settings that are made together, under a name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    /// What result tables call it.
    #[schemars(example = &"fast")]
    name: String,
    /// The settings: paths and their values. A part's path comes first, `gateway.from`, and the others go over it.
    #[schemars(with = "BTreeMap<String, serde_json::Value>", extend("x-example" = "{ \"gateway.health_check.interval\" = \"1s\" }"))]
    set: BTreeMap<String, toml::Value>,
}

fn one() -> Whole {
    match Whole::deserialize(toml::Value::Integer(1)) {
        Ok(one) => one,
        Err(error) => panic!("a default {error}"),
    }
}

impl DesignFile {
    fn design(&self) -> Design {
        let count = |count: &Count| count.value as usize;
        match self {
            DesignFile::Grid => Design::Grid,
            DesignFile::Random(points) => Design::Random(count(points)),
            DesignFile::LatinHypercube(points) => Design::LatinHypercube(count(points)),
            DesignFile::Sobol(points) => Design::Sobol(count(points)),
        }
    }
}

/// Reads a sweep, judging its values by the scenarios.
pub(super) struct Reading<'a> {
    /// The experiment file.
    pub root: &'a Node,
    pub scenarios: &'a [Document],
    /// Whether a path of the file could be read as it stands.
    pub sound: &'a dyn Fn(&str) -> bool,
    /// Everything that is wrong, found so far.
    pub problems: &'a mut Vec<Problem>,
}

impl<'a> Reading<'a> {
    fn place(&self, steps: &[&str]) -> Place {
        self.root.place_of(&[&["sweep"], steps].concat()).clone()
    }

    fn complain(&mut self, message: impl Into<String>, place: &Place, help: impl Into<String>) {
        self.problems.push(Problem::new(message).at(place).help(help));
    }

    pub fn sweep(&mut self, written: &SweepFile) -> Sweep {
        if written.axis.is_empty()
            && written.case.is_empty()
            && (self.sound)("sweep.axis")
            && (self.sound)("sweep.case")
        {
            self.complain(
                "`sweep` has no axis",
                &self.place(&["axis"]),
                "add, for example:\n[[sweep.axis]]\npath = \"gateway.health_check.interval\"\nvalues = [\"1s\", \"5s\"]",
            );
        }
        let mut axes: Vec<Axis> = vec![];
        if let Some(cases) = self.cases(&written.case) {
            axes.push(cases);
        }
        for (index, axis) in written.axis.iter().enumerate() {
            if (self.sound)(&format!("sweep.axis.{index}"))
                && let Some(axis) = self.axis(axis, &index.to_string(), &axes)
            {
                axes.push(axis);
            }
        }
        let mut keep = vec![];
        for (index, condition) in written.keep.iter().enumerate() {
            let place = self.place(&["keep", &index.to_string()]);
            match Condition::read(condition, &place, self.scenarios) {
                Ok(condition) => keep.push(condition),
                Err(problem) => self.problems.push(problem),
            }
        }
        let design = written.design.design();
        self.check_sobol(design, axes.len());
        Sweep { axes, design, seed: u64::from(written.seed.value), keep }
    }

    fn check_sobol(&mut self, design: Design, axes: usize) {
        let Design::Sobol(points) = design else { return };
        let place = self.place(&["design"]);
        let instead = "use { latin_hypercube = ... }, which has no such limit";
        let (points_max, axes_max) = (Design::SOBOL_POINTS_MAX, Design::SOBOL_AXES_MAX);
        if points > points_max {
            let message = format!("a Sobol design has at most {points_max} points, and not {points}");
            self.complain(message, &place, format!("ask for at most {points_max}, or {instead}"));
        }
        if axes > axes_max {
            let message = format!("a Sobol design has at most {axes_max} axes, and the sweep has {axes}");
            self.complain(message, &place, instead);
        }
    }

    fn axis(&mut self, axis: &AxisFile, index: &str, before: &[Axis]) -> Option<Axis> {
        let already = self.problems.len();
        let applies = self.applies_to(axis, index);
        let path_place = self.place(&["axis", index, "path"]);
        let (kind, judge) = self.judge(&axis.path, &path_place, &applies);
        self.check_unique(axis, &path_place, before);
        let (domain, place) = match (&axis.values, &axis.range) {
            (Some(values), None) => {
                let place = self.place(&["axis", index, "values"]);
                (self.values(&axis.path, values, index, kind, judge), place)
            }
            (None, Some(range)) => {
                let place = self.place(&["axis", index, "range"]);
                // Where the path is unknown, nothing is known of its values.
                let domain = judge.and_then(|judge| self.range(&axis.path, range, index, kind, judge));
                (domain?, place)
            }
            (Some(_), Some(_)) => {
                let place = self.place(&["axis", index, "range"]);
                let message = format!("the axis `{}` has both `values` and a `range`", axis.path);
                self.complain(message, &place, "remove one of the two");
                return None;
            }
            (None, None) => {
                let message = format!("the axis `{}` has neither `values` nor a `range`", axis.path);
                let help = "add one: values = [\"1s\", \"5s\"] or range = { from = \"1s\", to = \"60s\", step = \"1s\" }";
                self.complain(message, &self.place(&["axis", index]), help);
                return None;
            }
        };
        let column_kind = match (&domain, &axis.values) {
            (_, Some(values)) => AxisKind::of(kind, &values.iter().collect::<Vec<_>>()),
            _ => AxisKind::of(kind, &[]),
        };
        (self.problems.len() == already).then(|| Axis {
            path: axis.path.clone(),
            column: column_kind.column(&axis.path),
            domain,
            scenarios: axis.scenarios.clone(),
            kind: column_kind,
            place,
        })
    }

    /// The kind of a path that all these scenarios should have, and one that has it.
    fn judge<'d>(
        &mut self,
        path: &str,
        place: &Place,
        applies: &[&'d Document],
    ) -> (Option<Kind>, Option<&'d Document>) {
        let good: Vec<&Document> =
            applies.iter().copied().filter(|document| document.kind(path, place).is_ok()).collect();
        let wrong = applies.iter().find_map(|document| Some((document, document.kind(path, place).err()?)));
        if let Some((document, problem)) = wrong {
            let names: Vec<String> = good.iter().map(|document| format!("\"{}\"", document.name())).collect();
            let fix = problem.fix().unwrap_or_default();
            match names.is_empty() {
                true => self.complain(problem.message(), place, fix),
                false => self.complain(
                    format!("in scenario `{}`: {}", document.name(), problem.message()),
                    place,
                    format!("{fix}\nor limit the axis: scenarios = [{}]", names.join(", ")),
                ),
            }
        }
        let judge = good.first().copied();
        (judge.and_then(|judge| judge.kind(path, place).ok().flatten()), judge)
    }

    fn check_unique(&mut self, axis: &AxisFile, place: &Place, before: &[Axis]) {
        let meets = |other: &Axis| {
            let both = |name: &String| other.scenarios.as_ref().is_none_or(|names| names.contains(name));
            axis.scenarios.as_ref().is_none_or(|names| names.iter().any(both))
        };
        let same = before.iter().find(|other| other.paths().contains(&axis.path.as_str()) && meets(other));
        match same.map(|other| &other.domain) {
            Some(Domain::Cases(cases)) => {
                let sets = |case: &&Case| case.set.iter().any(|(path, _)| *path == axis.path);
                let name = cases.iter().find(sets).map_or("", |case| case.name.as_str());
                let message = format!("the axis `{}` sets what the case `{name}` sets", axis.path);
                self.complain(message, place, "remove it from the cases, or remove the axis");
            }
            Some(_) => self.complain(
                format!("two axes sweep `{}`", axis.path),
                place,
                "put all its values into one axis",
            ),
            None => {}
        }
    }

    fn values(
        &mut self,
        path: &str,
        values: &[toml::Value],
        index: &str,
        kind: Option<Kind>,
        judge: Option<&Document>,
    ) -> Domain {
        if values.is_empty() {
            let place = self.place(&["axis", index, "values"]);
            self.complain(
                format!("the axis `{path}` has no values"),
                &place,
                "name at least one, or remove the axis",
            );
        }
        let kind = AxisKind::of(kind, &values.iter().collect::<Vec<_>>());
        // "60s" and "1m" are one value.
        let read: Vec<AxisValue> = values.iter().map(|value| kind.value(value)).collect();
        for (number, value) in values.iter().enumerate() {
            let steps = ["sweep", "axis", index, "values", &number.to_string()];
            if read[..number].contains(&read[number]) {
                let place = self.root.place_of(&steps);
                let message = format!("the axis `{path}` has the value {} twice", inline(value));
                self.complain(message, place, "remove one of the two");
            }
            if let Some((judge, node)) = judge.zip(self.root.at(&steps)) {
                self.problems.extend(judge.check_value(path, node));
            }
        }
        Domain::Values(values.to_vec())
    }

    fn range(
        &mut self,
        path: &str,
        written: &RangeFile,
        index: &str,
        kind: Option<Kind>,
        judge: &Document,
    ) -> Option<Domain> {
        let place = |reading: &Self, key: &str| reading.place(&["axis", index, "range", key]);
        let whole = self.place(&["axis", index, "range"]);
        let already = self.problems.len();
        for end in ["from", "to"] {
            let node = self.root.at(&["sweep", "axis", index, "range", end])?;
            self.problems.extend(judge.check_value(path, node));
        }
        if self.problems.len() > already {
            return None;
        }
        let Some(quantity) = kind.and_then(|kind| Quantity::of(kind, &written.from, &written.to)) else {
            let message = match kind {
                Some(Kind::Moment) => format!("the range of the axis `{path}` is on the clock"),
                _ => format!("the axis `{path}` cannot have a range: its values are no quantities"),
            };
            let help = match kind {
                Some(Kind::Moment) => "write it in times since the start: { from = \"7m\", to = \"10m\" }",
                _ => "list them: values = [...]",
            };
            self.complain(message, &whole, help);
            return None;
        };
        let scale = match written.scale {
            ScaleFile::Linear => Scale::Linear,
            ScaleFile::Log => Scale::Log,
        };
        let (from, to) = quantity.number(&written.from).zip(quantity.number(&written.to))?;
        let Some(range) = Range::new(quantity, from, to, scale) else {
            let shown = (inline(&written.from), inline(&written.to));
            match from < to {
                true => self.complain(
                    format!(
                        "the range of the axis `{path}` begins at {}, where a log scale has no end",
                        shown.0
                    ),
                    &place(self, "from"),
                    "begin above zero, or use scale = \"linear\"",
                ),
                false => self.complain(
                    format!("the range of the axis `{path}` goes from {} to {}", shown.0, shown.1),
                    &whole,
                    "`from` has to be below `to`; for one value write values = [...]",
                ),
            }
            return None;
        };
        let (count, values) = match (&written.step, &written.count) {
            (None, None) => return Some(Domain::Range(range)),
            (Some(_), Some(_)) => {
                let message = format!("the range of the axis `{path}` has both `step` and `count`");
                self.complain(message, &place(self, "count"), "remove one of the two");
                return None;
            }
            (Some(step), None) => {
                let step_place = place(self, "step");
                if let Err(complaint) = quantity.check_step(step) {
                    self.complain(format!("`step` {}", complaint.what), &step_place, complaint.help);
                    return None;
                }
                if scale == Scale::Log {
                    let message = "`step` is a difference, which changes along a log scale";
                    self.complain(message, &step_place, "use `count` instead, or scale = \"linear\"");
                    return None;
                }
                let step_size = quantity.number(step)?;
                if step_size > to - from {
                    let message = format!("the step {} is larger than the range", inline(step));
                    self.complain(
                        message,
                        &step_place,
                        "make it smaller; for one value write values = [...]",
                    );
                    return None;
                }
                let count = range.steps(step_size);
                (count, (count <= POINTS_MAX).then(|| range.stepped(step_size)))
            }
            (None, Some(count)) => {
                let count = count.value as usize;
                if count < 2 {
                    let message = "`count` is 1, and a range has two ends";
                    let help = "write at least 2; for one value write values = [...]";
                    self.complain(message, &place(self, "count"), help);
                    return None;
                }
                (count, Some(range.spread(count)))
            }
        };
        if values.is_none() {
            let message =
                format!("the axis `{path}` has {count} values, and a sweep at most {POINTS_MAX} points");
            self.complain(message, &whole, "make the step larger");
        }
        values.map(Domain::Values)
    }

    /// The scenarios that an axis names, or all.
    fn applies_to(&mut self, axis: &AxisFile, index: &str) -> Vec<&'a Document> {
        let scenarios = self.scenarios;
        let Some(names) = &axis.scenarios else { return scenarios.iter().collect() };
        let known: Vec<&str> = scenarios.iter().map(Document::name).collect();
        for (number, name) in names.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let place = self.place(&["axis", index, "scenarios", &number.to_string()]);
                let help = suggestion(name, known.iter().copied());
                self.complain(format!("there is no scenario `{name}`"), &place, help);
            }
        }
        if names.is_empty() {
            let place = self.place(&["axis", index, "scenarios"]);
            let message = format!("the axis `{}` applies to no scenario", axis.path);
            self.complain(message, &place, "name scenarios, or leave `scenarios` out for all of them");
        }
        scenarios.iter().filter(|document| names.iter().any(|name| name == document.name())).collect()
    }

    /// The cases, as one axis.
    fn cases(&mut self, written: &[CaseFile]) -> Option<Axis> {
        let already = self.problems.len();
        let mut cases: Vec<Case> = vec![];
        for (index, case) in written.iter().enumerate() {
            let index = index.to_string();
            if !(self.sound)(&format!("sweep.case.{index}")) {
                continue;
            }
            let name_place = self.place(&["case", &index, "name"]);
            if cases.iter().any(|other| other.name == case.name) {
                let message = format!("two cases are called `{}`", case.name);
                self.complain(
                    message,
                    &name_place,
                    "rename one of the two: results are told apart by their names",
                );
            }
            let set = self.case_settings(case, &index);
            if let Some(other) = cases.iter().find(|other| other.set == set && !set.is_empty()) {
                let message = format!("the cases `{}` and `{}` set the same", other.name, case.name);
                self.complain(message, &name_place, "remove one of the two");
            }
            cases.push(Case { name: case.name.clone(), set });
        }
        (!cases.is_empty() && self.problems.len() == already).then(|| Axis {
            path: CASE.to_owned(),
            column: CASE.to_owned(),
            domain: Domain::Cases(cases),
            scenarios: None,
            kind: AxisKind::Text,
            place: self.place(&["case"]),
        })
    }

    /// What a case sets, in the order in which it is set.
    fn case_settings(&mut self, case: &CaseFile, index: &str) -> Vec<(String, toml::Value)> {
        let mut settings: Vec<(String, &Node)> = vec![];
        let set = self.root.at(&["sweep", "case", index, "set"]);
        for (path, node) in set.and_then(Node::table).into_iter().flatten() {
            list(&self.scenarios[0], path, node, &mut settings);
        }
        if settings.is_empty() {
            let place = self.place(&["case", index, "set"]);
            let help = "name a setting, such as \"gateway.health_check.interval\" = \"1s\"";
            self.complain(format!("the case `{}` sets nothing", case.name), &place, help);
        }
        settings.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then(a.cmp(b)));
        if let Some([_, (path, node)]) =
            settings.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|w| [&w[0], &w[1]])
        {
            let message = format!("the case `{}` sets `{path}` twice", case.name);
            self.complain(message, &node.key, "remove one of the two");
        }
        // As points will make them, one on top of the other: a part may bring what a later path names.
        for scenario in self.scenarios {
            let mut document = scenario.clone();
            let already = self.problems.len();
            for (path, node) in &settings {
                match document.kind(path, &node.key) {
                    Ok(_) => self.problems.extend(document.check_value(path, node)),
                    Err(problem) => self.problems.push(problem),
                }
                if self.problems.len() == already
                    && let Err(problems) = document.set(path, node.to_toml(), "sweep")
                {
                    let here = |problem: Problem| problem.at(&node.place);
                    self.problems.extend(problems.into_vec().into_iter().map(here));
                }
            }
            if self.problems.len() > already {
                break;
            }
        }
        settings.into_iter().map(|(path, node)| (path, node.to_toml())).collect()
    }
}

/// The settings in a table, by path: `{ gateway.replicas = 2 }` without quotes is meant as with them.
fn list<'n>(scenario: &Document, path: &str, node: &'n Node, settings: &mut Vec<(String, &'n Node)>) {
    match node.table().filter(|_| scenario.is_table(path)) {
        Some(table) => {
            table.iter().for_each(|(name, inner)| list(scenario, &join(path, name), inner, settings));
        }
        None => settings.push((path.to_owned(), node)),
    }
}
