//! Where candidates can be: the axes of the sweep, each from 0 to 1.
//!
//! A listed value has an equal share of its axis and stands in its middle; on a range every place is a value.

use crate::experiment::design::{Point, Sweep};
use crate::experiment::sampling::Design;
use crate::model::Model;
use crate::scenario::{Document, Problem, Problems};

/// More candidates than anybody waits for: each is played in every scenario.
const CANDIDATES_MAX: usize = 20_000;
/// On every range, and for all of them together: places at which the search looks first.
const PLACES_FOR_EACH_RANGE: usize = 16;
const PLACES_MAX: usize = 128;

/// The axes, and the scenarios that they are of.
#[derive(Debug, Clone, Copy)]
pub struct Space<'a> {
    /// What can be changed.
    pub sweep: &'a Sweep,
    /// What it is changed in.
    pub scenarios: &'a [Document],
}

/// A place for each axis, from 0 to 1.
pub type Position = Vec<f64>;

impl Space<'_> {
    /// The numbers of the axes that are ranges.
    pub fn ranges(&self) -> Vec<usize> {
        let axes = self.sweep.axes.iter().enumerate();
        axes.filter(|(_, axis)| axis.domain.count().is_none()).map(|(nth, _)| nth).collect()
    }

    /// Whether places were chosen by a sampled design, which has not every combination of listed values.
    pub fn is_sampled(&self) -> bool {
        self.sweep.design.count().is_some()
    }

    /// The settings at a place, one for each axis.
    pub fn values(&self, position: &[f64]) -> Vec<toml::Value> {
        self.sweep.axes.iter().zip(position).map(|(axis, unit)| axis.domain.value_at(*unit)).collect()
    }

    fn point(&self, scenario: usize, values: &[toml::Value]) -> Point {
        let document = &self.scenarios[scenario];
        let value = |(axis, value): (&crate::experiment::axis::Axis, &toml::Value)| {
            axis.applies_to(document).then(|| value.clone())
        };
        Point { index: 0, scenario, values: self.sweep.axes.iter().zip(values).map(value).collect() }
    }

    /// Whether the sweep's conditions hold in every scenario.
    ///
    /// # Errors
    /// If a value cannot be set.
    pub fn keeps(&self, values: &[toml::Value]) -> Result<bool, Problems> {
        for scenario in 0..self.scenarios.len() {
            if !self.sweep.keeps(self.scenarios, &self.point(scenario, values))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A scenario with these settings.
    ///
    /// # Errors
    /// If a value cannot be set.
    pub fn document(&self, scenario: usize, values: &[toml::Value]) -> Result<Document, Problems> {
        self.sweep.document(self.scenarios, &self.point(scenario, values))
    }

    /// Every scenario with these settings, as models.
    ///
    /// # Errors
    /// All that is wrong with one of them.
    pub fn models(&self, values: &[toml::Value]) -> Result<Vec<Model>, Problems> {
        (0..self.scenarios.len()).map(|scenario| self.document(scenario, values)?.model()).collect()
    }

    /// Where to look first: every combination of the listed values, each with places spread over the ranges; or what
    /// a sampled sweep has chosen.
    ///
    /// # Errors
    /// If there are more than anybody waits for.
    pub fn first_positions(&self) -> Result<Vec<Position>, Problems> {
        let names: Vec<&str> = self.sweep.axes.iter().map(|axis| axis.path.as_str()).collect();
        if self.is_sampled() {
            let units = self.sweep.design.units(self.sweep.seed, &names);
            let count = units.first().map_or(0, Vec::len);
            self.few_enough(count)?;
            let position = |nth: usize| self.settled(units.iter().map(|axis| axis[nth]).collect());
            return Ok((0..count).map(position).collect());
        }
        let ranges = self.ranges();
        let places = self.places(&ranges);
        let counts = self.sweep.axes.iter().filter_map(|axis| axis.domain.count());
        let count = counts.fold(places.len().max(1), usize::saturating_mul);
        self.few_enough(count)?;
        let mut positions = vec![vec![]];
        for axis in &self.sweep.axes {
            let units: Vec<f64> = match axis.domain.count() {
                Some(count) => (0..count).map(|nth| (nth as f64 + 0.5) / count as f64).collect(),
                // Filled in below.
                None => vec![0.5],
            };
            let with = |position: &Position| {
                let longer = |unit: &f64| [position.as_slice(), &[*unit]].concat();
                units.iter().map(longer).collect::<Vec<_>>()
            };
            positions = positions.iter().flat_map(with).collect();
        }
        if ranges.is_empty() {
            return Ok(positions);
        }
        let at = |position: &Position, place: &Vec<f64>| {
            let mut position = position.clone();
            ranges.iter().zip(place).for_each(|(axis, unit)| position[*axis] = *unit);
            position
        };
        Ok(positions.iter().flat_map(|position| places.iter().map(|place| at(position, place))).collect())
    }

    fn few_enough(&self, count: usize) -> Result<(), Problem> {
        if count <= CANDIDATES_MAX {
            return Ok(());
        }
        Err(Problem::new(format!("{count} candidates are more than {CANDIDATES_MAX}")).help(
            "take fewer values on some axis, or a range instead: range = { from = \"1s\", to = \"60s\" }",
        ))
    }

    /// Places on the ranges: even on a single one, a Sobol sequence and the corners on several.
    fn places(&self, ranges: &[usize]) -> Vec<Vec<f64>> {
        match ranges {
            [] => vec![],
            [_] => (0..=PLACES_FOR_EACH_RANGE)
                .map(|nth| vec![nth as f64 / PLACES_FOR_EACH_RANGE as f64])
                .collect(),
            several => {
                let count = (PLACES_FOR_EACH_RANGE * several.len()).min(PLACES_MAX);
                let names: Vec<&str> =
                    several.iter().map(|nth| self.sweep.axes[*nth].path.as_str()).collect();
                let units = Design::Sobol(count).units(self.sweep.seed, &names);
                let mut places: Vec<Vec<f64>> =
                    (0..count).map(|nth| units.iter().map(|axis| axis[nth]).collect()).collect();
                // Where more is always better, or less, the best is at an end of a range.
                let corners = 1_usize << several.len().min(4);
                let corner = |bits: usize| {
                    (0..several.len())
                        .map(|axis| if bits >> axis.min(3) & 1 == 1 { 1.0 } else { 0.0 })
                        .collect()
                };
                places.extend((0..corners).map(corner));
                places
            }
        }
    }

    /// The same place as it is written: in the middle of a listed value's share.
    fn settled(&self, position: Position) -> Position {
        let unit = |(axis, unit): (&crate::experiment::axis::Axis, f64)| {
            axis.domain.unit_of(&axis.domain.value_at(unit)).unwrap_or(unit)
        };
        self.sweep.axes.iter().zip(position).map(unit).collect()
    }

    /// The places next to one on an axis: the neighbouring values of a list, or `step` to either side of a range.
    pub fn neighbours(&self, position: &[f64], axis: usize, step: f64) -> Vec<Position> {
        let step = self.sweep.axes[axis].domain.count().map_or(step, |count| 1.0 / count as f64);
        let here = position[axis];
        let beside = |unit: f64| {
            let mut moved = position.to_vec();
            moved[axis] = unit;
            moved
        };
        let is_range = self.sweep.axes[axis].domain.count().is_none();
        let clamped = |unit: f64| if is_range { unit.clamp(0.0, 1.0) } else { unit };
        [clamped(here - step), clamped(here + step)]
            .into_iter()
            .filter(|unit| *unit != here && (0.0..=1.0).contains(unit))
            .map(beside)
            .collect()
    }

    /// How many candidates a grid would have that is as fine as the search.
    pub fn grid_size(&self, resolution: f64) -> f64 {
        let counts = self.sweep.axes.iter().map(|axis| axis.domain.count().map(|count| count as f64));
        counts.map(|count| count.unwrap_or(1.0 / resolution + 1.0)).product()
    }
}
