//! A `[[sweep.axis]]` of an experiment file, read into an [`Axis`].
//!
//! A part of [`super::file_sweep`].

use super::axis::{Axis, AxisKind, AxisValue, Case, Domain};
use super::file_range::RangeFile;
use super::file_sweep::Reading;
use crate::scenario::quantity::Kind;
use crate::scenario::shape::inline;
use crate::scenario::source::Place;
use crate::scenario::{Document, Problem, suggestion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One setting and the values it takes: `values` or a `range`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AxisFile {
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

impl<'a> Reading<'a> {
    pub fn axis(&mut self, axis: &AxisFile, index: &str, before: &[Axis]) -> Option<Axis> {
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
        let written: Vec<&toml::Value> = axis.values.iter().flatten().collect();
        let column_kind = AxisKind::of(kind, &written);
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
        range: &RangeFile,
        index: &str,
        kind: Option<Kind>,
        judge: &Document,
    ) -> Option<Domain> {
        let node = self.root.at(&["sweep", "axis", index, "range"])?;
        let ends = [node.at(&["from"])?, node.at(&["to"])?];
        let problems: Vec<Problem> = ends.iter().flat_map(|end| judge.check_value(path, end)).collect();
        if !problems.is_empty() {
            self.problems.extend(problems);
            return None;
        }
        range.domain(path, kind, node).map_err(|problem| self.problems.push(problem)).ok()
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
}
