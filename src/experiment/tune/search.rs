//! The search: whom to play next, until what is best is known, or cannot be told apart with the runs there are.
//!
//! Every candidate gets a few runs. Those that something could still show to be best get more, by optimal computing
//! budget allocation, until they are told apart or have as many as the answer should rest on. On ranges the search
//! steps to either side of the best, ever shorter: first on a few runs, on which the common random numbers make the
//! objective a plain function of the settings, then on as many as the answer rests on.

use super::Objective;
use super::field::{Field, TuneError};
use super::judge::{self, CHANCE, Standing, Verdict, front};
use super::mix::Scatter;
use super::space::Position;
use crate::experiment::selection::ocba;
use crate::scenario::Problem;
use std::collections::BTreeMap;

/// Runs that every candidate gets; a variance of fewer says little.
const FIRST_RUNS: u64 = 10;
/// The share of a range at which the search is as fine as it gets.
pub const RESOLUTION: f64 = 1.0 / 512.0;
/// The step with which the first search ends, as finer ones are noise on few runs, and the second one begins.
const MIDDLE_STEP: f64 = 1.0 / 64.0;
/// Combinations of listed values from which ranges are searched; of a front, and of an objective that is an axis, more.
const STARTS: usize = 3;
const STARTS_MAX: usize = 64;
/// More steps than any search takes that gets somewhere.
const STEPS_MAX: usize = 200;

/// What a search knows.
pub struct Search<'a> {
    /// The candidates.
    pub field: Field<'a>,
    /// Runs that whatever is named gets at least.
    pub runs: u64,
    /// How often candidates were looked at to decide who goes on.
    looks: u32,
}

impl<'a> Search<'a> {
    /// Plays until the answer is known: at its end [`Self::best`] and [`Self::contenders`] say it.
    ///
    /// # Errors
    /// If candidates are too many, or none is a valid scenario; if the budget does not give each of them a few runs; if
    /// somebody asked to stop.
    pub fn run(mut field: Field<'a>, runs: u64) -> Result<Self, TuneError> {
        let mut first = Vec::new();
        for position in field.space.first_positions()? {
            first.extend(field.add(position)?);
        }
        if first.is_empty() {
            return Err(TuneError::Problems(field.space.sweep.nothing_kept().into()));
        }
        let few = FIRST_RUNS.min(runs);
        let needed: u64 = first.iter().map(|candidate| field.cost(*candidate, few)).sum();
        if needed > field.left() {
            let message = format!("a budget of {} runs is too small", field.left());
            let help = format!(
                "{} candidates take {needed} runs before any of them is chosen: raise `budget`, or take fewer values",
                field.len()
            );
            return Err(TuneError::Problems(Problem::new(message).help(help).into()));
        }
        let mut search = Search { field, runs, looks: 0 };
        search.play_to(&first, few)?;
        let ranges = search.field.space.ranges();
        if !ranges.is_empty() {
            // Half of what lies between two of the first places.
            let step = if ranges.len() == 1 { 1.0 / 32.0 } else { 1.0 / 8.0 };
            search.refine(step, false)?;
        }
        search.race()?;
        if !ranges.is_empty() {
            search.refine(MIDDLE_STEP, true)?;
        }
        Ok(search)
    }

    /// What is known of every candidate; the constraint `without` is not looked at.
    pub fn standings(&self, without: Option<usize>) -> Vec<Standing> {
        (0..self.field.len()).map(|candidate| Standing::of(&self.field, candidate, without)).collect()
    }

    /// The chance that each single statement of a look may be wrong, so that all of them together keep to half of
    /// [`CHANCE`]: over the candidates, and over all looks that were taken and may be taken yet, as 1/2 + 1/6 + 1/12
    /// + ... is 1.
    fn tail_of_look(&self) -> f64 {
        let looks = f64::from(self.looks.max(1));
        self.tail(self.field.len()) / (looks * (looks + 1.0))
    }

    /// The chance of each single statement about so many candidates, in half of [`CHANCE`].
    fn tail(&self, candidates: usize) -> f64 {
        let statements = candidates.max(1) * (self.objective_count() + self.field.tune.constraints.len());
        CHANCE / 2.0 / statements as f64
    }

    /// All candidates that may be best, or on the front, and the chance that each single statement of that kind may be
    /// wrong. With all runs there, what the race has left over is judged once more, by the other half of [`CHANCE`].
    pub fn contenders(&self) -> (Vec<usize>, f64) {
        let standings = self.standings(None);
        let mut contenders = judge::contenders(&standings, self.tail_of_look());
        let tail = self.tail(contenders.len());
        let at_last = judge::contenders(&standings, tail);
        contenders.retain(|candidate| at_last.contains(candidate));
        (contenders, tail)
    }

    /// The best candidates by the estimates that are feasible by them: one, or the front of several objectives.
    pub fn best(&self) -> Vec<usize> {
        self.best_without(None)
    }

    /// As [`Self::best`], were one of the constraints not there.
    pub fn best_without(&self, without: Option<usize>) -> Vec<usize> {
        let standings = self.standings(without);
        let feasible: Vec<usize> = (0..standings.len()).filter(|i| standings[*i].is_feasible()).collect();
        let front = front(&standings, &feasible);
        if self.objective_count() == 1 { front.into_iter().take(1).collect() } else { front }
    }

    pub(super) fn objective_count(&self) -> usize {
        self.field.tune.goal.as_ref().map_or(1, |goal| goal.objectives.len())
    }

    /// Plays candidates until each has so many runs, as far as the budget goes.
    pub fn play_to(&mut self, candidates: &[usize], runs: u64) -> Result<(), TuneError> {
        let wanted: Vec<(usize, u64)> = candidates.iter().map(|candidate| (*candidate, runs)).collect();
        self.play(&wanted)
    }

    fn play(&mut self, wanted: &[(usize, u64)]) -> Result<(), TuneError> {
        let mut left = self.field.left();
        let mut affordable = BTreeMap::new();
        for &(candidate, runs) in wanted {
            let cost = self.field.cost(candidate, runs.saturating_sub(self.field.runs(candidate)));
            if cost <= left && !affordable.contains_key(&candidate) {
                left -= cost;
                affordable.insert(candidate, runs);
            }
        }
        self.field.play(&affordable.into_iter().collect::<Vec<_>>())
    }

    /// Plays whatever `named` names until all of it has as many runs as the answer should rest on: what is chosen on
    /// few runs was partly lucky. Returns what is named at the end.
    pub fn settle(&mut self, named: impl Fn(&Self) -> Vec<usize>) -> Result<Vec<usize>, TuneError> {
        loop {
            let chosen = named(self);
            let before = self.field.spent();
            self.play_to(&chosen, self.runs)?;
            if self.field.spent() == before {
                return Ok(chosen);
            }
        }
    }

    /// Gives runs to all that may be best until they have enough, or are told apart, or the budget is spent; returns
    /// those that still may be.
    fn race(&mut self) -> Result<Vec<usize>, TuneError> {
        loop {
            self.looks += 1;
            let standings = self.standings(None);
            let tail = self.tail_of_look();
            let contenders = judge::contenders(&standings, tail);
            let has_few = |i: &usize| self.field.runs(*i) < self.runs;
            let lacking: Vec<usize> = contenders.iter().copied().filter(has_few).collect();
            if lacking.is_empty() {
                return Ok(contenders);
            }
            let spent = self.field.spent();
            self.play(&self.allocate(&standings, &lacking, tail))?;
            if self.field.spent() == spent {
                return Ok(contenders);
            }
        }
    }

    /// How many runs each of these should have after the next round.
    fn allocate(&self, standings: &[Standing], lacking: &[usize], tail: f64) -> Vec<(usize, u64)> {
        let capped =
            |(candidate, more): (usize, u64)| (candidate, (self.field.runs(candidate) + more).min(self.runs));
        let equal = || lacking.iter().map(|candidate| capped((*candidate, FIRST_RUNS))).collect();
        let feasible: Vec<usize> = (0..standings.len()).filter(|i| standings[*i].is_feasible()).collect();
        let Some(best) = judge::best(standings, &feasible).filter(|_| self.objective_count() == 1) else {
            return equal();
        };
        // What matters of a candidate is what is nearest to being told: whether it is feasible, or whether it is worse.
        // Both are distances with a variance; the best has distance zero.
        let of = |candidate: usize| {
            let unclear = |held: &&judge::Held| held.verdict(tail) == Verdict::Unclear;
            let held = standings[candidate].constraints.iter().find(unclear);
            let scatter = match held {
                Some(held) => held.excess.scatter(),
                None if candidate == best => standings[best].objectives[0].scatter(),
                None => Scatter::of_difference(
                    &standings[candidate].objectives[0],
                    &standings[best].objectives[0],
                ),
            };
            // A distance below its own error may be any.
            let distance =
                if candidate == best { 0.0 } else { scatter.mean.abs().max(scatter.standard_error()) };
            (distance, scatter.variance)
        };
        let mut compared = lacking.to_vec();
        if !compared.contains(&best) {
            compared.push(best);
        }
        let (means, variances): (Vec<f64>, Vec<f64>) = compared.iter().map(|i| of(*i)).unzip();
        let spent: Vec<u64> = compared.iter().map(|i| self.field.runs(*i)).collect();
        let more = ocba(&means, &variances, &spent, FIRST_RUNS * compared.len() as u64);
        let mut wanted: Vec<(usize, u64)> = compared.iter().copied().zip(more).map(capped).collect();
        // Differences need the best's runs, too.
        let most = wanted.iter().map(|(_, runs)| *runs).max().unwrap_or(0);
        wanted.iter_mut().filter(|(candidate, _)| *candidate == best).for_each(|(_, runs)| *runs = most);
        let gets_any = |(candidate, runs): &(usize, u64)| *runs > self.field.runs(*candidate);
        if wanted.iter().any(gets_any) { wanted } else { equal() }
    }

    /// Steps to either side of what is best, ever shorter.
    fn refine(&mut self, first_step: f64, raced: bool) -> Result<(), TuneError> {
        if self.objective_count() > 1 {
            return self.fill(first_step, raced);
        }
        let starts = if raced { self.best() } else { self.starts() };
        for start in starts {
            let mut here = start;
            let mut step = first_step;
            let last_step = if raced { RESOLUTION } else { MIDDLE_STEP };
            for _ in 0..STEPS_MAX {
                if step < last_step || self.field.left() == 0 {
                    break;
                }
                let beside = self.beside(&[here], step)?;
                let next = if raced {
                    let contenders = self.race()?;
                    let next = self.best().first().copied().unwrap_or(here);
                    if next == here && beside.iter().all(|candidate| contenders.contains(candidate)) {
                        // Nothing that near can be told from it, so nothing nearer can.
                        break;
                    }
                    next
                } else {
                    let around: Vec<usize> = beside.into_iter().chain([here]).collect();
                    self.nearest_to_best(&around).unwrap_or(here)
                };
                if next == here {
                    step /= 2.0;
                }
                here = next;
            }
        }
        Ok(())
    }

    /// Fills the front of several objectives: steps to either side of everything that is on it.
    fn fill(&mut self, first_step: f64, raced: bool) -> Result<(), TuneError> {
        // Between two points of a front there is always another: finer than this nobody reads it.
        let finest = if raced { MIDDLE_STEP } else { first_step / 4.0 };
        let mut step = first_step;
        while step >= finest && self.field.left() > 0 {
            let front: Vec<usize> = self.best().into_iter().take(STARTS_MAX).collect();
            self.beside(&front, step)?;
            step /= 2.0;
        }
        if raced { self.race().map(drop) } else { Ok(()) }
    }

    /// Candidates a step to either side of these, with their first runs.
    fn beside(&mut self, of: &[usize], step: f64) -> Result<Vec<usize>, TuneError> {
        let mut added = Vec::new();
        // A grid has every combination of listed values already.
        let axes: Vec<usize> = match self.field.space.is_sampled() {
            true => (0..self.field.space.sweep.axes.len()).collect(),
            false => self.field.space.ranges(),
        };
        for &candidate in of {
            let position = self.field.candidate(candidate).position.clone();
            for &axis in &axes {
                for beside in self.field.space.neighbours(&position, axis, step) {
                    added.extend(self.field.add(beside)?);
                }
            }
        }
        self.play_to(&added, FIRST_RUNS.min(self.runs))?;
        added.retain(|candidate| self.field.runs(*candidate) > 0);
        Ok(added)
    }

    /// The best of these by the estimates, feasible or, if none is, the nearest to it.
    fn nearest_to_best(&self, among: &[usize]) -> Option<usize> {
        let standings: Vec<Standing> = among.iter().map(|i| Standing::of(&self.field, *i, None)).collect();
        let indices: Vec<usize> = (0..among.len()).collect();
        judge::best(&standings, &indices).map(|nth| among[nth])
    }

    /// The best of each combination of listed values: of them, those from which ranges are searched.
    fn starts(&self) -> Vec<usize> {
        let asks_for_axis = self.field.tune.goal.iter().flat_map(|goal| &goal.objectives);
        let is_axis = |objective: &Objective| matches!(objective, Objective::Axis(..));
        let of_each = asks_for_axis.clone().any(is_axis) && !self.field.space.is_sampled();
        let groups = self.combinations(&self.field.space.ranges());
        let bests: Vec<usize> = groups.iter().filter_map(|group| self.nearest_to_best(group)).collect();
        let standings = self.standings(None);
        let mut ordered = bests;
        ordered.sort_by(|a, b| {
            let key = |i: usize| (standings[i].violation(), standings[i].objectives[0].value);
            let ((a, x), (b, y)) = (key(*a), key(*b));
            a.total_cmp(&b).then(x.total_cmp(&y))
        });
        ordered.truncate(if of_each { STARTS_MAX } else { STARTS });
        ordered
    }

    /// All candidates, by their settings on all axes but these.
    pub fn combinations(&self, without: &[usize]) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<Vec<u64>, Vec<usize>> = BTreeMap::new();
        for candidate in 0..self.field.len() {
            let position: &Position = &self.field.candidate(candidate).position;
            let others = position.iter().enumerate().filter(|(axis, _)| !without.contains(axis));
            // Places are not negative, so their bits have their order.
            groups.entry(others.map(|(_, unit)| unit.to_bits()).collect()).or_default().push(candidate);
        }
        groups.into_values().collect()
    }
}
