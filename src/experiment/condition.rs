//! Conditions on the points of a sweep: `gateway.health_check.timeout <= gateway.health_check.interval`.

use super::axis::AxisKind;
use super::comparison::{Comparison, Split};
use crate::scenario::quantity::Kind;
use crate::scenario::shape::inline;
use crate::scenario::source::Place;
use crate::scenario::{Document, Problem, Problems, value_of};
use std::cmp::Ordering;
use std::fmt;

/// A comparison of a setting with another, or with a value.
#[derive(Debug, Clone)]
pub struct Condition {
    left: String,
    comparison: Comparison,
    right: Right,
    kind: AxisKind,
    pub(super) place: Place,
}

#[derive(Debug, Clone)]
enum Right {
    Path(String),
    Value(toml::Value),
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {} ", self.left, self.comparison)?;
        match &self.right {
            Right::Path(path) => f.write_str(path),
            Right::Value(value) => f.write_str(&inline(value)),
        }
    }
}

impl Condition {
    /// Reads `path <= path` or `path <= value`; the paths have to exist in some scenario.
    pub(crate) fn read(text: &str, place: &Place, scenarios: &[Document]) -> Result<Condition, Problem> {
        let split = Split::of(text).and_then(|split| Some((split.comparison()?, split)));
        let Some((comparison, Split { left, right, .. })) = split else {
            return Err(Problem::new(format!("the condition \"{text}\" compares nothing")).at(place).help(format!(
                "write it like \"gateway.health_check.timeout <= gateway.health_check.interval\", with {}",
                Comparison::signs()
            )));
        };
        let left = left.to_owned();
        let kind = kind_in_any(&left, place, scenarios)?;
        // A path begins with a setting's name: "5s" and 0.5 do not, and a text value has its quotes.
        let looks_like_path = right.starts_with(|c: char| c.is_ascii_alphabetic()) && right.contains('.');
        let (right, right_kind) = match looks_like_path {
            true => (Right::Path(right.to_owned()), kind_in_any(right, place, scenarios)?),
            false => {
                let value = value_of(right);
                if let Some(complaint) = kind.and_then(|kind| kind.check(&value).err()) {
                    return Err(Problem::new(format!(
                        "`{left}` is compared with a value that {}",
                        complaint.what
                    ))
                    .at(place)
                    .help(complaint.help));
                }
                (Right::Value(value), kind)
            }
        };
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let kind = AxisKind::of(kind, &[]);
        if kind != AxisKind::of(right_kind, &[]) {
            return Err(Problem::new(format!("the condition \"{text}\" compares different kinds of values"))
                .at(place)
                .help("compare durations with durations, rates with rates and numbers with numbers"));
        }
        if ordered && kind == AxisKind::Text {
            return Err(Problem::new(format!("`{left}` has no order"))
                .at(place)
                .help("compare it with == or !="));
        }
        Ok(Condition { left, comparison, right, kind, place: place.clone() })
    }

    /// Whether it holds where settings have the values that `get` says; a condition on a setting that is not there
    /// says nothing, and holds.
    pub(crate) fn holds(
        &self,
        get: &mut dyn FnMut(&str) -> Result<Option<toml::Value>, Problems>,
    ) -> Result<bool, Problems> {
        let right = match &self.right {
            Right::Path(path) => get(path)?,
            Right::Value(value) => Some(value.clone()),
        };
        let Some((left, right)) = get(&self.left)?.zip(right) else { return Ok(true) };
        let order = match self.kind.number(&left).zip(self.kind.number(&right)) {
            Some((left, right)) => left.total_cmp(&right),
            None if left == right => Ordering::Equal,
            None => return Ok(self.comparison == Comparison::NotEqual),
        };
        Ok(self.comparison.holds(order))
    }
}

/// The kind of a path that at least one scenario has.
fn kind_in_any(path: &str, place: &Place, scenarios: &[Document]) -> Result<Option<Kind>, Problem> {
    let mut first = None;
    for document in scenarios {
        match document.kind(path, place) {
            Ok(kind) => return Ok(kind),
            Err(problem) => first = first.or(Some(problem)),
        }
    }
    first.map_or(Ok(None), Err)
}
