//! The design of a sweep: a grid of settings, the points it keeps, and the scenario that each point stands for.
//!
//! Running the points is left to the runner.

use crate::model::Model;
use crate::scenario::quantity::{self, Kind};
use crate::scenario::shape::inline;
use crate::scenario::source::Place;
use crate::scenario::{Document, Problem, Problems, one_of, value_of};
use std::cmp::Ordering;

/// More points than anybody waits for; a slip of the pen reaches it easily.
const POINTS_MAX: usize = 1_000_000;

/// A grid of settings.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The settings that are swept; the last one varies fastest.
    pub axes: Vec<Axis>,
    /// Only points for which all of these hold are run.
    pub keep: Vec<Condition>,
}

/// One swept setting.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Such as `gateway.health_check.interval`.
    pub path: String,
    /// The column in result tables: the path, with the unit last.
    pub column: String,
    /// As the scenario would have them.
    pub values: Vec<toml::Value>,
    /// The names of the scenarios that it applies to; `None` is all.
    pub scenarios: Option<Vec<String>>,
    pub(crate) kind: AxisKind,
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

/// One combination of swept values, for one scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The place among the points that are kept, from 0.
    pub index: usize,
    /// The place of the scenario in the experiment.
    pub scenario: usize,
    /// The value on each axis; `None` where the axis does not apply to the scenario.
    pub values: Vec<Option<toml::Value>>,
}

impl AxisKind {
    pub(crate) fn of(kind: Option<Kind>, values: &[toml::Value]) -> AxisKind {
        match kind {
            Some(kind) if kind.is_duration() => AxisKind::Duration,
            // An instant is a time since the start, unless it is told on the clock.
            Some(Kind::Moment) if values.iter().all(|value| quantity::duration(value).is_ok()) => {
                AxisKind::Duration
            }
            Some(Kind::Rate) => AxisKind::Rate,
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
        let number = match self {
            AxisKind::Duration => quantity::duration(value).ok().map(|duration| duration.as_millis_f64()),
            AxisKind::Rate => quantity::rate(value).ok().map(|rate| rate.per_second()),
            AxisKind::Number => as_number(value),
            AxisKind::Text => None,
        };
        match (number, value) {
            (Some(number), _) => AxisValue::Number(number),
            (None, toml::Value::String(text)) => AxisValue::Text(text.clone()),
            (None, other) => AxisValue::Text(inline(other)),
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

fn as_number(value: &toml::Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|integer| integer as f64))
}

impl Axis {
    fn applies_to(&self, scenario: &Document) -> bool {
        self.scenarios.as_ref().is_none_or(|names| names.iter().any(|name| name == scenario.name()))
    }
}

impl Sweep {
    /// All points that are kept: scenario by scenario, the last axis varying fastest.
    ///
    /// # Errors
    /// If no point is kept, if there are more than a million, or if a value cannot be set.
    pub fn points(&self, scenarios: &[Document]) -> Result<Vec<Point>, Problems> {
        let mut points = vec![];
        for (scenario, document) in scenarios.iter().enumerate() {
            let sizes: Vec<usize> = self
                .axes
                .iter()
                .map(|axis| if axis.applies_to(document) { axis.values.len() } else { 1 })
                .collect();
            let count = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
            let Some(count) = count.filter(|count| points.len() + count <= POINTS_MAX) else {
                let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
                let message = format!(
                    "the sweep has more than {POINTS_MAX} points: {} for one scenario",
                    sizes.join(" x ")
                );
                return Err(Problem::new(message).help("take fewer values on some axis").into());
            };
            for number in 0..count {
                let values = self.values_of(number, &sizes, document);
                let point = Point { index: points.len(), scenario, values };
                // Also where everything is kept: a value that cannot be set is better found before the first run.
                if self.keeps(&self.document(scenarios, &point)?) {
                    points.push(point);
                }
            }
        }
        if points.is_empty() {
            let mut problem = Problem::new("`keep` leaves no point of the sweep");
            if let Some(condition) = self.keep.first() {
                problem = problem.at(&condition.place);
            }
            return Err(problem.help("loosen a condition, or add values for which it holds").into());
        }
        Ok(points)
    }

    /// The scenario that a point stands for.
    ///
    /// # Errors
    /// If a value cannot be set, such as one inside a choice that the scenario has made otherwise.
    pub fn document(&self, scenarios: &[Document], point: &Point) -> Result<Document, Problems> {
        let mut document = scenarios[point.scenario].clone();
        for (axis, value) in self.axes.iter().zip(&point.values) {
            if let Some(value) = value {
                document.set(&axis.path, value.clone(), "sweep")?;
            }
        }
        Ok(document)
    }

    /// The models of points, in their order.
    ///
    /// # Errors
    /// All that is wrong with the first point that is no valid scenario.
    pub fn models(&self, scenarios: &[Document], points: &[Point]) -> Result<Vec<Model>, Problems> {
        points.iter().map(|point| self.document(scenarios, point)?.model()).collect()
    }

    /// The `number`th combination, in which the last axis varies fastest.
    fn values_of(&self, number: usize, sizes: &[usize], document: &Document) -> Vec<Option<toml::Value>> {
        let mut rest = number;
        let mut values = vec![];
        for (axis, size) in self.axes.iter().zip(sizes).rev() {
            values.push(axis.applies_to(document).then(|| axis.values[rest % size].clone()));
            rest /= size;
        }
        values.reverse();
        values
    }

    fn keeps(&self, document: &Document) -> bool {
        self.keep.iter().all(|condition| condition.holds(document))
    }
}

/// A comparison of a setting with another, or with a value.
#[derive(Debug, Clone)]
pub struct Condition {
    left: String,
    comparison: Comparison,
    right: Right,
    kind: Option<Kind>,
    place: Place,
}

#[derive(Debug, Clone)]
enum Right {
    Path(String),
    Value(toml::Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// Longer signs first, so that `<=` is not read as `<`.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Condition {
    /// Reads `path <= path` or `path <= value`; the paths have to exist in some scenario.
    pub(crate) fn read(text: &str, place: &Place, scenarios: &[Document]) -> Result<Condition, Problem> {
        let found =
            COMPARISONS.iter().find_map(|(sign, comparison)| Some((text.split_once(sign)?, *comparison)));
        let Some(((left, right), comparison)) = found else {
            return Err(Problem::new(format!("the condition \"{text}\" compares nothing")).at(place).help(format!(
                "write it like \"gateway.health_check.timeout <= gateway.health_check.interval\", with {}",
                one_of(COMPARISONS.iter().map(|(sign, _)| *sign))
            )));
        };
        let (left, right) = (left.trim().to_owned(), right.trim());
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
        let comparable = |kind| AxisKind::of(kind, &[]);
        if comparable(kind) != comparable(right_kind) {
            return Err(Problem::new(format!("the condition \"{text}\" compares different kinds of values"))
                .at(place)
                .help("compare durations with durations, rates with rates and numbers with numbers"));
        }
        if ordered && comparable(kind) == AxisKind::Text {
            return Err(Problem::new(format!("`{left}` has no order"))
                .at(place)
                .help("compare it with == or !="));
        }
        Ok(Condition { left, comparison, right, kind, place: place.clone() })
    }

    /// Whether it holds; a condition on a setting that the scenario does not have says nothing about it.
    fn holds(&self, document: &Document) -> bool {
        let right = match &self.right {
            Right::Path(path) => document.get(path),
            Right::Value(value) => Some(value.clone()),
        };
        let Some((left, right)) = document.get(&self.left).zip(right) else { return true };
        let order = match comparable_numbers(self.kind, &left).zip(comparable_numbers(self.kind, &right)) {
            Some((left, right)) => left.total_cmp(&right),
            None if left == right => Ordering::Equal,
            None => return self.comparison == Comparison::NotEqual,
        };
        match self.comparison {
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
        }
    }
}

fn comparable_numbers(kind: Option<Kind>, value: &toml::Value) -> Option<f64> {
    match AxisKind::of(kind, &[]) {
        AxisKind::Duration => quantity::duration(value).ok().map(|duration| duration.as_nanos() as f64),
        AxisKind::Rate => quantity::rate(value).ok().map(|rate| rate.per_second()),
        AxisKind::Number => as_number(value),
        AxisKind::Text => None,
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
