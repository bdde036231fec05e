//! The design of a sweep: its axes, the points it keeps, and the scenario that each point stands for.
//!
//! Running the points is left to the runner.

use super::axis::Axis;
use super::condition::Condition;
use super::sampling::Design;
use crate::model::Model;
use crate::scenario::check::is_within;
use crate::scenario::shape::inline;
use crate::scenario::{Document, Problem, Problems};
use std::collections::BTreeSet;
use std::sync::Arc;
use toml::Value;

/// More points than anybody waits for; a slip of the pen reaches it easily.
pub(crate) const POINTS_MAX: usize = 1_000_000;

/// Settings, and which of their values go together.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// What is swept. Cases come first, as one axis; in a grid the last axis varies fastest.
    pub axes: Vec<Axis>,
    /// How points are chosen.
    pub design: Design,
    /// The seed of a sampled design. The seed of runs is another matter.
    pub seed: u64,
    /// Only points for which all of these hold are run.
    pub keep: Vec<Condition>,
}

/// One combination of swept values, for one scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The place among the points that are kept, from 0.
    pub index: usize,
    /// The place of the scenario in the experiment.
    pub scenario: usize,
    /// The value on each axis; `None` where the axis does not apply to the scenario.
    pub values: Vec<Option<Value>>,
}

/// Which points a sweep has, and what became of the others. The points are made when they are asked for, as a million of
/// them would fill the memory of a small machine.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Scenario by scenario.
    parts: Vec<Part>,
    /// One for each scenario.
    pub tallies: Vec<Tally>,
}

/// The points of one scenario.
#[derive(Debug, Clone)]
struct Part {
    scenario: usize,
    /// The number of its first point in the sweep.
    first: usize,
    choice: Choice,
    kept: Kept,
}

/// Which points of a design are kept.
#[derive(Debug, Clone)]
enum Kept {
    /// All, and so many there are.
    All(usize),
    /// These, ascending.
    Some(Vec<u32>),
}

impl Kept {
    fn count(&self) -> usize {
        match self {
            Kept::All(count) => *count,
            Kept::Some(numbers) => numbers.len(),
        }
    }

    /// The number by design of the `nth` point that is kept.
    fn number(&self, nth: usize) -> usize {
        match self {
            Kept::All(_) => nth,
            Kept::Some(numbers) => numbers[nth] as usize,
        }
    }
}

impl Layout {
    /// How many points are kept.
    pub fn len(&self) -> usize {
        self.parts.last().map_or(0, |part| part.first + part.kept.count())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers that two layouts of the same axes share only if they have the same points.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().flat_map(|part| {
            let some = match &part.kept {
                Kept::All(_) => &[][..],
                Kept::Some(numbers) => numbers,
            };
            [part.kept.count()].into_iter().chain(some.iter().map(|number| *number as usize))
        })
    }
}

/// How many points of a scenario the design has, and why some are not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All of them.
    pub designed: usize,
    /// Those that rounding, or a lack of values, made equal to an earlier one.
    pub equal: usize,
    /// Those for which a condition does not hold.
    pub dropped: usize,
}

impl Tally {
    /// Points that are run.
    pub fn kept(self) -> usize {
        self.designed - self.equal - self.dropped
    }

    /// Those of two scenarios together.
    #[must_use]
    pub fn plus(self, other: Tally) -> Tally {
        Tally {
            designed: self.designed + other.designed,
            equal: self.equal + other.equal,
            dropped: self.dropped + other.dropped,
        }
    }
}

/// Where the values of a scenario's points come from.
#[derive(Debug, Clone)]
enum Choice {
    /// The number of values on each axis.
    Grid(Vec<usize>),
    /// The share of its domain on each axis, by point; the same for all scenarios.
    Sampled(Arc<Vec<Vec<f64>>>),
}

/// Where on its axis a value lies.
#[derive(Debug, Clone, Copy)]
enum Position {
    /// The place among the values of a grid.
    Nth(usize),
    /// The share of the domain.
    Share(f64),
}

impl Sweep {
    /// All points that are kept: scenario by scenario. Sampled designs have the same values for each of them.
    ///
    /// That a point is a valid scenario only [`Self::document`] and [`Document::model`] say.
    ///
    /// # Errors
    /// If no point is kept, if there are more than a million, or if a grid has an axis without an end of values.
    pub fn points(&self, scenarios: &[Document]) -> Result<Vec<Point>, Problems> {
        let layout = self.layout(scenarios)?;
        Ok((0..layout.len()).map(|index| self.point(scenarios, &layout, index)).collect())
    }

    /// Which points are kept, and how many were left out.
    ///
    /// # Errors
    /// As [`Self::points`].
    pub fn layout(&self, scenarios: &[Document]) -> Result<Layout, Problems> {
        let mut designed = 0;
        for document in scenarios {
            designed += self.count(document, designed)?;
        }
        let sampled = self.sampled();
        let mut layout = Layout::default();
        for scenario in 0..scenarios.len() {
            self.lay_out(scenarios, scenario, sampled.as_ref(), &mut layout)?;
        }
        if layout.is_empty() { Err(self.nothing_kept().into()) } else { Ok(layout) }
    }

    /// The point of this number, from 0.
    ///
    /// # Panics
    /// If the layout has fewer.
    pub fn point(&self, scenarios: &[Document], layout: &Layout, index: usize) -> Point {
        let after = layout.parts.partition_point(|part| part.first <= index);
        let Part { scenario, first, choice, kept } = &layout.parts[after - 1];
        let number = kept.number(index - first);
        Point { index, scenario: *scenario, values: self.values(number, choice, &scenarios[*scenario]) }
    }

    /// The points of one scenario that are kept, as if there were no other.
    ///
    /// # Errors
    /// As [`Self::points`].
    pub fn points_of(&self, scenarios: &[Document], scenario: usize) -> Result<Vec<Point>, Problems> {
        self.count(&scenarios[scenario], 0)?;
        let mut layout = Layout::default();
        self.lay_out(scenarios, scenario, self.sampled().as_ref(), &mut layout)?;
        if layout.is_empty() {
            return Err(self.nothing_kept().into());
        }
        Ok((0..layout.len()).map(|index| self.point(scenarios, &layout, index)).collect())
    }

    /// How points are chosen, in words: the design, and each condition.
    pub fn chosen(&self) -> Vec<String> {
        let design = match self.design {
            Design::Grid => "a grid".to_owned(),
            sampled => format!("{sampled:?} with seed {}", self.seed),
        };
        [design].into_iter().chain(self.keep.iter().map(ToString::to_string)).collect()
    }

    pub(crate) fn nothing_kept(&self) -> Problem {
        let mut problem = Problem::new("`keep` leaves no point of the sweep");
        if let Some(condition) = self.keep.first() {
            problem = problem.at(&condition.place);
        }
        problem.help("loosen a condition, or add values for which it holds")
    }

    /// How many points a scenario has by design, where others have so many already.
    fn count(&self, document: &Document, others: usize) -> Result<usize, Problems> {
        let fits = |count: &usize| others + count <= POINTS_MAX;
        if let Some(count) = self.design.count() {
            return Some(count).filter(fits).ok_or_else(|| {
                let message =
                    format!("the sweep has more than {POINTS_MAX} points: {count} for each scenario");
                Problem::new(message).help("let the design have fewer points").into()
            });
        }
        let sizes = self.sizes(document)?;
        let count = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        count.filter(fits).ok_or_else(|| {
            let largest = sizes.iter().zip(&self.axes).max_by_key(|(size, _)| **size);
            let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
            let message = format!(
                "the sweep has more than {POINTS_MAX} points: {} for one scenario",
                sizes.join(" x ")
            );
            let help = "take fewer values on some axis, or sample them: design = { latin_hypercube = 200 }";
            let problem = Problem::new(message).help(help);
            match largest {
                Some((_, axis)) => problem.at(&axis.place).into(),
                None => problem.into(),
            }
        })
    }

    /// How many values a grid has on each axis.
    fn sizes(&self, document: &Document) -> Result<Vec<usize>, Problem> {
        let size = |axis: &Axis| {
            match axis.domain.count() {
            _ if !axis.applies_to(document) => Ok(1),
            Some(count) => Ok(count),
            None => Err(Problem::new(format!("the range of the axis `{}` has no end of values", axis.path))
                .at(&axis.place)
                .help("a grid needs `step` or `count` in the range; or sample it: design = { latin_hypercube = 200 }")),
        }
        };
        self.axes.iter().map(size).collect()
    }

    /// The shares of a sampled design.
    fn sampled(&self) -> Option<Arc<Vec<Vec<f64>>>> {
        let names: Vec<&str> = self.axes.iter().map(|axis| axis.path.as_str()).collect();
        (self.design != Design::Grid).then(|| Arc::new(self.design.units(self.seed, &names)))
    }

    /// Appends the points of a scenario that are kept.
    fn lay_out(
        &self,
        scenarios: &[Document],
        scenario: usize,
        sampled: Option<&Arc<Vec<Vec<f64>>>>,
        layout: &mut Layout,
    ) -> Result<(), Problems> {
        let document = &scenarios[scenario];
        let mut tally = Tally { designed: self.count(document, 0)?, ..Tally::default() };
        let choice = match sampled {
            Some(units) => Choice::Sampled(Arc::clone(units)),
            None => Choice::Grid(self.sizes(document)?),
        };
        let first = layout.len();
        let kept = if sampled.is_none() && self.keep.is_empty() {
            Kept::All(tally.designed)
        } else {
            let mut kept: Vec<u32> = Vec::new();
            let mut seen = BTreeSet::new();
            for number in 0..tally.designed {
                let index = first + kept.len();
                let point = Point { index, scenario, values: self.values(number, &choice, document) };
                // What is written is known to differ.
                if sampled.is_some() && !seen.insert(text_of(&point.values)) {
                    tally.equal += 1;
                } else if self.keeps(scenarios, &point)? {
                    kept.push(number as u32);
                } else {
                    tally.dropped += 1;
                }
            }
            Kept::Some(kept)
        };
        layout.parts.push(Part { scenario, first, choice, kept });
        layout.tallies.push(tally);
        Ok(())
    }

    /// Where on each axis the `number`th point lies that a scenario has by design.
    fn positions(&self, number: usize, choice: &Choice) -> Vec<Position> {
        match choice {
            Choice::Grid(sizes) => {
                let mut rest = number;
                let mut positions: Vec<Position> = (sizes.iter().rev())
                    .map(|size| {
                        let nth = rest % size;
                        rest /= size;
                        Position::Nth(nth)
                    })
                    .collect();
                positions.reverse();
                positions
            }
            Choice::Sampled(units) => units.iter().map(|of_axis| Position::Share(of_axis[number])).collect(),
        }
    }

    /// The values of the `number`th point that a scenario has by design.
    fn values(&self, number: usize, choice: &Choice, document: &Document) -> Vec<Option<Value>> {
        let value = |(axis, position): (&Axis, Position)| {
            axis.applies_to(document).then_some(())?;
            match position {
                Position::Nth(nth) => axis.domain.nth(nth),
                Position::Share(share) => Some(axis.domain.value_at(share)),
            }
        };
        self.axes.iter().zip(self.positions(number, choice)).map(value).collect()
    }

    /// The settings of a point, in the order in which they are made: a table before what is in it, and a table's part
    /// before what goes over it. So no setting undoes another, in whatever order axes are written.
    fn settings<'a>(&'a self, point: &'a Point) -> Vec<(&'a str, &'a Value)> {
        let axes = self.axes.iter().zip(&point.values);
        let mut settings: Vec<(&str, &Value)> =
            axes.filter_map(|(axis, value)| Some(axis.settings(value.as_ref()?))).flatten().collect();
        settings.sort_by_key(|(path, _)| rank(path));
        settings
    }

    /// The scenario that a point stands for; the point's values need not be any that the design chose.
    ///
    /// # Errors
    /// If a value cannot be set, such as one inside a choice that the scenario has made otherwise.
    pub fn document(&self, scenarios: &[Document], point: &Point) -> Result<Document, Problems> {
        let mut document = scenarios[point.scenario].clone();
        for (path, value) in self.settings(point) {
            document.set(path, value.clone(), "sweep")?;
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

    /// Whether all conditions hold for a point; its values need not be any that the design chose.
    ///
    /// # Errors
    /// If a value cannot be set, and a condition depends on what it changes.
    pub fn keeps(&self, scenarios: &[Document], point: &Point) -> Result<bool, Problems> {
        if self.keep.is_empty() {
            return Ok(true);
        }
        let settings = self.settings(point);
        let mut document = None;
        let mut get = |path: &str| {
            let own = settings.iter().find(|(set, value)| *set == path && !value.is_table());
            if let Some((_, value)) = own {
                return Ok(Some((*value).clone()));
            }
            if !settings.iter().any(|(set, _)| may_change(set, path)) {
                return Ok(scenarios[point.scenario].get(path));
            }
            // The whole scenario is only made where a value follows from others.
            if document.is_none() {
                document = Some(self.document(scenarios, point)?);
            }
            Ok(document.as_ref().and_then(|document| document.get(path)))
        };
        for condition in &self.keep {
            if !condition.holds(&mut get)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What comes first among settings: tables before what is in them, and between the two a table's part.
pub(super) fn rank(path: &str) -> (usize, bool) {
    let table = path.strip_suffix(".from");
    (table.unwrap_or(path).split('.').count(), table.is_some())
}

/// Whether a setting may change the value at a path.
fn may_change(set: &str, path: &str) -> bool {
    let table = set.strip_suffix(".from").unwrap_or(set);
    // A neighbour may be the default of the value, or the other choice.
    let neighbours =
        set.rsplit_once('.').map(|(table, _)| table) == path.rsplit_once('.').map(|(table, _)| table);
    is_within(table, path) || is_within(path, set) || neighbours
}

fn text_of(values: &[Option<Value>]) -> String {
    values.iter().map(|value| value.as_ref().map(inline).unwrap_or_default() + "\n").collect()
}
