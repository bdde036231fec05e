//! The `range` of a swept setting, read into its values or a [`Range`].
//!
//! A part of [`super::file_axis`].

use super::axis::Domain;
use super::design::POINTS_MAX;
use super::range::{Quantity, Range, Scale};
use crate::scenario::Problem;
use crate::scenario::quantity::Kind;
use crate::scenario::setting::Count;
use crate::scenario::shape::inline;
use crate::scenario::source::Place;
use crate::scenario::tree::Node;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Value;

/// All values from one to another. With `step` or `count` it is a list of values; with neither it is continuous, which
/// a grid cannot be. Values that are not written are rounded to 4 significant digits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RangeFile {
    /// The least value.
    #[schemars(with = "serde_json::Value", extend("x-example" = "\"1s\""))]
    from: Value,
    /// The greatest value.
    #[schemars(with = "serde_json::Value", extend("x-example" = "\"60s\""))]
    to: Value,
    /// The distance between two values, from `from` on; `to` is one of them if a step leads there.
    #[schemars(with = "Option<serde_json::Value>", extend("x-example" = "\"1s\""))]
    step: Option<Value>,
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
pub(super) enum ScaleFile {
    /// In equal differences. The default.
    #[default]
    Linear,
    /// In equal ratios: as many values from 1 to 10 as from 10 to 100.
    Log,
}

/// What is wrong with a range, where, and what to write instead.
fn wrong<T>(message: impl Into<String>, place: &Place, help: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::new(message).at(place).help(help))
}

const ONE_VALUE: &str = "for one value write values = [...]";

impl RangeFile {
    /// What an axis takes whose setting is at `path` and of a kind; `node` is the range, whose ends are values of it.
    pub fn domain(&self, path: &str, kind: Option<Kind>, node: &Node) -> Result<Domain, Problem> {
        let quantity = self.quantity(path, kind, node)?;
        let range = self.range(path, quantity, node)?;
        let values = match (&self.step, &self.count) {
            (None, None) => return Ok(Domain::Range(range)),
            (Some(step), None) => self.steps(path, quantity, &range, step, node)?,
            (None, Some(count)) if count.value < 2 => {
                let help = format!("write at least 2; {ONE_VALUE}");
                return wrong("`count` is 1, and a range has two ends", node.place_of(&["count"]), help);
            }
            (None, Some(count)) => range.spread(count.value as usize),
            (Some(_), Some(_)) => {
                let message = format!("the range of the axis `{path}` has both `step` and `count`");
                return wrong(message, node.place_of(&["count"]), "remove one of the two");
            }
        };
        Ok(Domain::Values(values))
    }

    fn quantity(&self, path: &str, kind: Option<Kind>, node: &Node) -> Result<Quantity, Problem> {
        match (kind, kind.and_then(|kind| Quantity::of(kind, &self.from, &self.to))) {
            (_, Some(quantity)) => Ok(quantity),
            (Some(Kind::Moment), None) => wrong(
                format!("the range of the axis `{path}` is on the clock"),
                node.shown(),
                "write it in times since the start: { from = \"7m\", to = \"10m\" }",
            ),
            (_, None) => wrong(
                format!("the axis `{path}` cannot have a range: its values are no quantities"),
                node.shown(),
                "list them: values = [...]",
            ),
        }
    }

    fn range(&self, path: &str, quantity: Quantity, node: &Node) -> Result<Range, Problem> {
        let number = |end| quantity.number(end).unwrap_or(f64::NAN);
        let (from, to) = (number(&self.from), number(&self.to));
        if let Some(range) = Range::new(quantity, from, to, self.scale()) {
            return Ok(range);
        }
        let shown = (inline(&self.from), inline(&self.to));
        if from < to {
            let message =
                format!("the range of the axis `{path}` begins at {}, where a log scale has no end", shown.0);
            return wrong(message, node.place_of(&["from"]), "begin above zero, or use scale = \"linear\"");
        }
        let message = format!("the range of the axis `{path}` goes from {} to {}", shown.0, shown.1);
        wrong(message, node.shown(), format!("`from` has to be below `to`; {ONE_VALUE}"))
    }

    fn steps(
        &self,
        path: &str,
        quantity: Quantity,
        range: &Range,
        step: &Value,
        node: &Node,
    ) -> Result<Vec<Value>, Problem> {
        let place = node.place_of(&["step"]);
        if let Err(complaint) = quantity.check_step(step) {
            return wrong(format!("`step` {}", complaint.what), place, complaint.help);
        }
        if self.scale() == Scale::Log {
            let message = "`step` is a difference, which changes along a log scale";
            return wrong(message, place, "use `count` instead, or scale = \"linear\"");
        }
        let size = quantity.number(step).unwrap_or(f64::NAN);
        match range.steps(size) {
            1 => wrong(
                format!("the step {} is larger than the range", inline(step)),
                place,
                format!("make it smaller; {ONE_VALUE}"),
            ),
            2..=POINTS_MAX => Ok(range.stepped(size)),
            count => wrong(
                format!("the axis `{path}` has {count} values, and a sweep at most {POINTS_MAX} points"),
                node.shown(),
                "make the step larger",
            ),
        }
    }

    fn scale(&self) -> Scale {
        match self.scale {
            ScaleFile::Linear => Scale::Linear,
            ScaleFile::Log => Scale::Log,
        }
    }
}
