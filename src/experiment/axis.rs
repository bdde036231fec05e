//! Axes of a sweep: a setting, or a list of cases that set several at once, and the values that it takes.
//!
//! Which values go together is left to [`super::design`].

use super::range::Range;
use crate::model::Rate;
use crate::scenario::Document;
use crate::scenario::check::is_within;
use crate::scenario::quantity::{self, Kind};
use crate::scenario::shape::inline;
use crate::scenario::source::Place;

/// The path and the column of the axis that an experiment's cases are.
pub const CASE: &str = "case";

/// One swept setting.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Such as `gateway.health_check.interval`; [`CASE`] for the cases, which say themselves what they set.
    pub path: String,
    /// The column in result tables: the path, with the unit last.
    pub column: String,
    /// What it takes.
    pub domain: Domain,
    /// The names of the scenarios that it applies to; `None` is all.
    pub scenarios: Option<Vec<String>>,
    pub(crate) kind: AxisKind,
    /// Where its values are written.
    pub(crate) place: Place,
}

/// What an axis takes: one of several values, or any in a range.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// These, as the scenario would have them. A range with a step or a count is its values, too.
    Values(Vec<toml::Value>),
    /// Anything between two ends.
    Range(Range),
    /// Named lists of settings; the axis's value is the name.
    Cases(Vec<Case>),
}

/// Several settings that are made together, under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What result tables call it.
    pub name: String,
    /// The paths and values.
    pub set: Vec<(String, toml::Value)>,
}

/// What result tables hold for an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AxisKind {
    Duration,
    Rate,
    Number,
    Text,
}

/// A swept value as result tables have it.
#[derive(Debug, Clone, PartialEq)]
pub enum AxisValue {
    /// A number in the column's unit.
    Number(f64),
    /// A text, or a table as TOML text.
    Text(String),
}

impl Domain {
    /// How many values there are; `None` where there is no end of them.
    pub fn count(&self) -> Option<usize> {
        match self {
            Domain::Values(values) => Some(values.len()),
            Domain::Cases(cases) => Some(cases.len()),
            Domain::Range(_) => None,
        }
    }

    /// The `nth` value, from 0; `None` beyond the last one, and for a range.
    pub fn nth(&self, nth: usize) -> Option<toml::Value> {
        match self {
            Domain::Values(values) => values.get(nth).cloned(),
            Domain::Cases(cases) => cases.get(nth).map(|case| case.name.as_str().into()),
            Domain::Range(_) => None,
        }
    }

    /// The value at a share of the domain, from 0 to 1. Listed values have equal shares, in their order; for a range
    /// see [`Range::value_at`].
    pub fn value_at(&self, unit: f64) -> toml::Value {
        match self {
            Domain::Values(values) => values[share_of(values.len(), unit)].clone(),
            Domain::Cases(cases) => cases[share_of(cases.len(), unit)].name.as_str().into(),
            Domain::Range(range) => range.value_at(unit),
        }
    }

    /// The share at which a value lies: `value_at` gives it back. The middle of its share for a listed one; `None` for
    /// a value that the axis does not take.
    pub fn unit_of(&self, value: &toml::Value) -> Option<f64> {
        let position = match self {
            Domain::Values(values) => values.iter().position(|own| own == value)?,
            Domain::Cases(cases) => cases.iter().position(|case| value.as_str() == Some(&case.name))?,
            Domain::Range(range) => return range.unit_of(value),
        };
        Some((position as f64 + 0.5) / self.count()? as f64)
    }
}

/// Which of `count` values, from 0, each of an equal share, lies at a share from 0 to 1.
fn share_of(count: usize, unit: f64) -> usize {
    ((unit * count as f64) as usize).min(count - 1)
}

impl AxisKind {
    pub(crate) fn of(kind: Option<Kind>, values: &[&toml::Value]) -> AxisKind {
        match kind {
            Some(kind) if kind.is_duration() => AxisKind::Duration,
            // An instant is a time since the start, unless it is told on the clock.
            Some(Kind::Moment) if values.iter().all(|value| quantity::duration(value).is_ok()) => {
                AxisKind::Duration
            }
            Some(Kind::Rate | Kind::Allowance) => AxisKind::Rate,
            Some(
                Kind::Share
                | Kind::Weight
                | Kind::Factor
                | Kind::Positive
                | Kind::NonNegative
                | Kind::Multiple
                | Kind::Count
                | Kind::Whole
                | Kind::Status,
            ) => AxisKind::Number,
            _ => AxisKind::Text,
        }
    }

    /// A value as result tables have it.
    pub(crate) fn value(self, value: &toml::Value) -> AxisValue {
        match (self.number(value), value) {
            (Some(number), _) => AxisValue::Number(number),
            (None, toml::Value::String(text)) => AxisValue::Text(text.clone()),
            (None, other) => AxisValue::Text(inline(other)),
        }
    }

    /// A value in the unit of result tables; `None` for a text.
    pub(crate) fn number(self, value: &toml::Value) -> Option<f64> {
        match self {
            AxisKind::Duration => quantity::duration(value).ok().map(|duration| duration.as_millis_f64()),
            AxisKind::Rate => quantity::rate(value).ok().map(Rate::per_second),
            AxisKind::Number => value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64)),
            AxisKind::Text => None,
        }
    }

    pub(crate) fn column(self, path: &str) -> String {
        match self {
            AxisKind::Duration => format!("{path}_ms"),
            AxisKind::Rate => format!("{path}_per_s"),
            AxisKind::Number | AxisKind::Text => path.to_owned(),
        }
    }
}

/// A value of an axis as result tables have it: durations in milliseconds, rates per second.
pub fn axis_value(axis: &Axis, value: &toml::Value) -> AxisValue {
    axis.kind.value(value)
}

impl Axis {
    /// Whether points of this scenario have a value on it.
    pub fn applies_to(&self, scenario: &Document) -> bool {
        self.scenarios.as_ref().is_none_or(|names| names.iter().any(|name| name == scenario.name()))
    }

    /// All values that it takes, as result tables have them; of a range the two ends.
    pub fn takes(&self) -> Vec<AxisValue> {
        let all = |count: usize| (0..count).filter_map(|nth| self.domain.nth(nth)).collect();
        let ends = || [0.0, 1.0].map(|unit| self.domain.value_at(unit)).to_vec();
        let values: Vec<toml::Value> = self.domain.count().map_or_else(ends, all);
        values.iter().map(|value| axis_value(self, value)).collect()
    }

    /// The settings that one of its values stands for.
    pub(crate) fn settings<'a>(
        &'a self,
        value: &'a toml::Value,
    ) -> impl Iterator<Item = (&'a str, &'a toml::Value)> {
        let (case, own) = match &self.domain {
            Domain::Cases(cases) => (cases.iter().find(|case| value.as_str() == Some(&case.name)), None),
            _ => (None, Some((self.path.as_str(), value))),
        };
        case.into_iter()
            .flat_map(|case| case.set.iter().map(|(path, value)| (path.as_str(), value)))
            .chain(own)
    }

    /// The paths that it sets, at one of its values at least.
    pub fn paths(&self) -> Vec<&str> {
        match &self.domain {
            Domain::Cases(cases) => {
                cases.iter().flat_map(|case| &case.set).map(|(path, _)| path.as_str()).collect()
            }
            _ => vec![&self.path],
        }
    }

    /// Whether it undoes, at each of its values, a setting that was made before.
    pub fn overrides(&self, path: &str) -> bool {
        match &self.domain {
            Domain::Cases(cases) => {
                cases.iter().all(|case| case.set.iter().any(|(set, _)| is_within(set, path)))
            }
            _ => is_within(&self.path, path),
        }
    }
}
