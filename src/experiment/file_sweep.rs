//! The `[sweep]` of an experiment file, read into a [`Sweep`].
//!
//! A part of [`super::file`]; what a sweep means, point by point, is left to [`super::design`].

use super::axis::{Axis, AxisKind, AxisValue, CASE, Case, Domain};
use super::condition::Condition;
use super::design::{Sweep, rank};
use super::file_axis::AxisFile;
use super::sampling::Design;
use crate::scenario::check::join;
use crate::scenario::setting::{Count, Whole};
use crate::scenario::source::Place;
use crate::scenario::tree::Node;
use crate::scenario::{Document, Problem};
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

impl Reading<'_> {
    pub fn place(&self, steps: &[&str]) -> Place {
        self.root.place_of(&[&["sweep"], steps].concat()).clone()
    }

    pub fn complain(&mut self, message: impl Into<String>, place: &Place, help: impl Into<String>) {
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
            if case.name.trim().is_empty() {
                let help = "give it a name: results are told apart by it";
                self.complain("a case has an empty name", &name_place, help);
            }
            if cases.iter().any(|other| other.name == case.name) {
                let message = format!("two cases are called `{}`", case.name);
                self.complain(
                    message,
                    &name_place,
                    "rename one of the two: results are told apart by their names",
                );
            }
            let set = self.case_settings(case, &index);
            let values = self.values_of(&set);
            if let Some(other) =
                cases.iter().find(|other| !set.is_empty() && self.values_of(&other.set) == values)
            {
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

    /// What settings come to, however they are spelt: "60s" and "1m" are one value.
    fn values_of(&self, set: &[(String, toml::Value)]) -> Vec<(String, AxisValue)> {
        let value = |(path, value): &(String, toml::Value)| {
            let kind = self.scenarios[0].kind(path, self.root.place_of(&["sweep", "case"])).ok().flatten();
            (path.clone(), AxisKind::of(kind, &[value]).value(value))
        };
        set.iter().map(value).collect()
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
