//! What follows from a search: what cannot be told from the best, what constraints cost, what a step away does.

use super::field::{Field, TuneError};
use super::judge::{CHANCE, Standing, Verdict, best};
use super::mix::{Estimate, Scatter};
use super::report::{
    AtWorst, Between, Choice, ConstraintCost, Difference, Effort, Ends, Report, Step, Tied, Weighted, around,
};
use super::search::{RESOLUTION, Search};
use super::{Objective, sensitivity};
use crate::experiment::statistics::Interval;
use crate::scenario::shape::inline;

/// What a step on a range is, to see what the axis does: an eighth of it.
const STEP: f64 = 1.0 / 8.0;

/// Searches the field, and asks what follows. Every candidate that is named has `runs` runs, as far as the budget goes.
///
/// # Errors
/// Those of [`Search::run`], and if no candidate meets what has to hold.
pub fn tune(field: Field, runs: u64, question: &str, seed: u64) -> Result<Report, TuneError> {
    let mut search = Search::run(field, runs)?;
    let chosen = search.settle(Search::best)?;
    if chosen.is_empty() {
        return Err(infeasible(&search));
    }
    search.finish(chosen, question, seed)
}

impl Search<'_> {
    fn finish(mut self, chosen: Vec<usize>, question: &str, seed: u64) -> Result<Report, TuneError> {
        let recommended = (self.objective_count() == 1).then(|| chosen[0]);
        let (contenders, tail) = self.contenders();
        let standings = self.standings(None);
        let is_tied = |i: &usize| {
            let is_told = |best: usize| standings[*i].is_told_from(&standings[best], tail);
            !chosen.contains(i) && !recommended.is_some_and(is_told)
        };
        let tied: Vec<usize> = contenders.into_iter().filter(is_tied).collect();
        let certain: Vec<usize> = recommended
            .filter(|best| standings[*best].verdict(tail) == Verdict::Unclear)
            .into_iter()
            .flat_map(|_| (0..standings.len()).filter(|i| standings[*i].verdict(tail) == Verdict::Met))
            .collect();
        let certain = best(&standings, &certain);
        let between = self.between(&chosen, &tied);
        let by_worst = self.settle(|search| search.by_worst_case().into_iter().collect())?;
        let by_regret = self.settle(Search::by_regret)?;
        let (costs, steps) = match recommended {
            Some(recommended) => (self.constraint_costs(recommended)?, self.steps(recommended)?),
            None => Default::default(),
        };
        let combinations = self.combinations_of_axis()?;
        // What the answer costs, it costs on days on which nothing breaks, too.
        let everywhere: Vec<(usize, u64)> = chosen.iter().map(|i| (*i, self.runs)).collect();
        if self.field.left() > 0 {
            self.field.play_everywhere(&everywhere)?;
        }
        let (guesses, guess_runs) = match recommended {
            Some(recommended) => sensitivity::guesses(&self, recommended, &tied)?,
            None => Default::default(),
        };

        let field = &self.field;
        let goal = field.tune.goal.as_ref().expect("somebody has said what is to be found");
        let hindsight = self.hindsight();
        let full = |candidate: usize| self.with_worst(self.choice(candidate), &hindsight);
        let distance = |i: usize| recommended.map(|best| self.difference(i, best, tail));
        let scenarios = field.space.scenarios.iter().zip(&field.tune.weights);
        let counted = field.weighted().len() as f64;
        Ok(Report {
            question: question.to_owned(),
            seed,
            runs: self.runs,
            direction: goal.direction,
            objectives: goal.objectives.iter().map(Objective::to_string).collect(),
            constraints: field.tune.constraints.iter().map(|constraint| constraint.text.clone()).collect(),
            mix: scenarios
                .map(|(document, weight)| Weighted { scenario: document.name().to_owned(), weight: *weight })
                .collect(),
            recommended: recommended.map(full),
            certain: certain.map(full),
            tied: self
                .in_axis_order(&tied)
                .into_iter()
                .map(|i| Tied { choice: full(i), difference: distance(i) })
                .collect(),
            between,
            front: match recommended {
                Some(_) => Vec::new(),
                None => self.in_axis_order(&chosen).into_iter().map(full).collect(),
            },
            by_worst_case: by_worst.first().map(|i| full(*i)),
            by_regret: by_regret.first().map(|i| full(*i)),
            combinations: combinations.into_iter().map(full).collect(),
            constraint_costs: costs
                .into_iter()
                .map(|(expect, without)| ConstraintCost {
                    expect,
                    without: without.map(full),
                    cost: without.zip(recommended).map(|(other, best)| self.difference(best, other, CHANCE)),
                })
                .collect(),
            steps,
            guesses,
            effort: Effort {
                candidates: field.len() as u64,
                runs: field.spent(),
                guess_runs,
                grid_runs: field.space.grid_size(RESOLUTION) * self.runs as f64 * counted,
                budget_spent: field.tune.budget.is_some() && field.left() == 0,
            },
            candidates: (0..field.len()).filter(|i| field.runs(*i) > 0).map(full).collect(),
        })
    }

    /// In the order of the axes' values, which prefers none.
    fn in_axis_order(&self, candidates: &[usize]) -> Vec<usize> {
        let mut ordered = candidates.to_vec();
        let position = |i: usize| &self.field.candidate(i).position;
        ordered.sort_by(|a, b| {
            let pairs = position(*a).iter().zip(position(*b));
            pairs
                .map(|(a, b)| a.total_cmp(b))
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        ordered
    }

    /// What a candidate has more than another of the first objective, run by run, but for a chance of `tail`.
    fn difference(&self, candidate: usize, than: usize, tail: f64) -> Difference {
        let goal = self.field.tune.goal.as_ref().expect("somebody has said what is to be found");
        let of = |candidate| self.field.objective(candidate, &goal.objectives[0], None);
        difference(&of(candidate), &of(than), tail)
    }

    /// For each axis that is a range: the nearest values that were told from the best.
    fn between(&self, chosen: &[usize], tied: &[usize]) -> Vec<Between> {
        if self.objective_count() > 1 {
            return Vec::new();
        }
        let space = &self.field.space;
        let at = |candidate: usize, axis: usize| self.field.candidate(candidate).position[axis];
        let ends = |axis: usize| {
            let good = || chosen.iter().chain(tied).map(|i| at(*i, axis));
            let (least, most) =
                good().fold((1.0_f64, 0.0_f64), |(low, high), unit| (low.min(unit), high.max(unit)));
            let all = || (0..self.field.len()).map(|i| at(i, axis));
            let below = all().filter(|unit| *unit < least).fold(0.0, f64::max);
            let above = all().filter(|unit| *unit > most).fold(1.0, f64::min);
            let text = |unit: f64| inline(&space.sweep.axes[axis].domain.value_at(unit));
            Between { path: space.sweep.axes[axis].path.clone(), low: text(below), high: text(above) }
        };
        space.ranges().into_iter().map(ends).collect()
    }

    /// Candidates that are feasible by the estimates.
    fn feasible(&self) -> Vec<usize> {
        (0..self.field.len()).filter(|i| Standing::of(&self.field, *i, None).is_feasible()).collect()
    }

    /// The first objective in each scenario that counts, less being better; nothing if there is only one of them, or
    /// if it is not about scenarios.
    fn by_scenario(&self, candidate: usize) -> Vec<(usize, f64)> {
        let weighted = self.field.weighted();
        let goal = self.field.tune.goal.as_ref().expect("somebody has said what is to be found");
        let objective = &goal.objectives[0];
        if weighted.len() < 2 || self.objective_count() > 1 || matches!(objective, Objective::Axis(..)) {
            return Vec::new();
        }
        let value = |scenario| self.field.objective(candidate, objective, Some(scenario)).value;
        weighted.into_iter().map(|(scenario, _)| (scenario, self.field.sign() * value(scenario))).collect()
    }

    /// The candidate whose worst scenario is the least bad.
    fn by_worst_case(&self) -> Option<usize> {
        let worst = |i: usize| self.by_scenario(i).into_iter().map(|(_, value)| value).reduce(f64::max);
        let feasible = self.feasible().into_iter().filter_map(|i| Some((worst(i)?, i)));
        feasible.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, i)| i)
    }

    /// For each scenario that counts, the candidate that is best for it alone, and its value there.
    fn hindsight(&self) -> Vec<(usize, f64, usize)> {
        let mut best: Vec<(usize, f64, usize)> = Vec::new();
        for i in self.feasible() {
            for (nth, (scenario, value)) in self.by_scenario(i).into_iter().enumerate() {
                match best.get_mut(nth) {
                    Some(known) if value < known.1 => *known = (scenario, value, i),
                    Some(_) => {}
                    None => best.push((scenario, value, i)),
                }
            }
        }
        best
    }

    /// First the candidate that is nowhere far from the best in hindsight, and then those that are the best there.
    fn by_regret(&self) -> Vec<usize> {
        let hindsight = self.hindsight();
        let regret = |i: usize| {
            let values = self.by_scenario(i).into_iter();
            values.zip(&hindsight).map(|((_, value), (_, best, _))| value - best).reduce(f64::max)
        };
        let feasible = self.feasible().into_iter().filter_map(|i| Some((regret(i)?, i)));
        let least = feasible.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, i)| i);
        least.into_iter().chain(hindsight.into_iter().map(|(_, _, i)| i)).collect()
    }

    /// Adds where a candidate is worst, and where it is furthest from the best in hindsight.
    fn with_worst(&self, mut choice: Choice, hindsight: &[(usize, f64, usize)]) -> Choice {
        let values = self.by_scenario(choice.candidate);
        let name = |scenario: usize| self.field.space.scenarios[scenario].name().to_owned();
        let largest = |values: Vec<(usize, f64)>, sign: f64| {
            let largest = values.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
            largest.1.is_finite().then(|| AtWorst { scenario: name(largest.0), value: sign * largest.1 })
        };
        let regrets = values.iter().zip(hindsight).map(|((s, value), (_, best, _))| (*s, value - best));
        choice.max_regret = largest(regrets.collect(), 1.0);
        choice.worst_case = largest(values, self.field.sign());
        choice
    }

    /// For each constraint the best candidate were it not there; `None` where that changes nothing.
    fn constraint_costs(&mut self, recommended: usize) -> Result<Vec<(String, Option<usize>)>, TuneError> {
        let mut costs = Vec::new();
        for nth in 0..self.field.tune.constraints.len() {
            let best = self.settle(|search| search.best_without(Some(nth)))?;
            let without = best.first().copied().filter(|best| *best != recommended);
            costs.push((self.field.tune.constraints[nth].text.clone(), without));
        }
        Ok(costs)
    }

    /// What a step from the recommended does, to either side on each axis.
    fn steps(&mut self, recommended: usize) -> Result<Vec<Step>, TuneError> {
        let position = self.field.candidate(recommended).position.clone();
        let mut moved = Vec::new();
        for axis in 0..position.len() {
            for beside in self.field.space.neighbours(&position, axis, STEP) {
                if let Some(candidate) = self.field.add(beside)?
                    && candidate != recommended
                {
                    moved.push((axis, candidate));
                }
            }
        }
        let candidates: Vec<usize> = moved.iter().map(|(_, candidate)| *candidate).collect();
        self.play_to(&candidates, self.runs)?;
        moved.retain(|(_, candidate)| self.field.runs(*candidate) > 1);
        let step = |&(axis, candidate): &(usize, usize)| {
            let value = |candidate: usize| inline(&self.field.candidate(candidate).values[axis]);
            Step {
                path: self.field.space.sweep.axes[axis].path.clone(),
                from: value(recommended),
                to: value(candidate),
                difference: self.difference(candidate, recommended, CHANCE / moved.len() as f64),
                misses: misses(&self.field, candidate),
            }
        };
        Ok(moved.iter().map(step).collect())
    }

    /// Where an axis is the objective: the best of each combination of the others.
    fn combinations_of_axis(&mut self) -> Result<Vec<usize>, TuneError> {
        let goal = self.field.tune.goal.as_ref().expect("somebody has said what is to be found");
        let [Objective::Axis(axis, _)] = goal.objectives.as_slice() else { return Ok(Vec::new()) };
        let mut without = self.field.space.ranges();
        without.push(*axis);
        // A sampled design has not every combination.
        if without.len() >= self.field.space.sweep.axes.len() || self.field.space.is_sampled() {
            return Ok(Vec::new());
        }
        let best_of_each = |search: &Search| {
            let standings = search.standings(None);
            let feasible = |i: &usize| standings[*i].is_feasible();
            let value = |i: usize| standings[i].objectives[0].value;
            let best = |group: Vec<usize>| {
                group.into_iter().filter(feasible).min_by(|a, b| value(*a).total_cmp(&value(*b)))
            };
            search.combinations(&without).into_iter().filter_map(best).collect()
        };
        self.settle(best_of_each)
    }
}

/// Constraints that a candidate misses by the estimates.
pub(super) fn misses(field: &Field, candidate: usize) -> Vec<String> {
    let standing = Standing::of(field, candidate, None);
    let missed = standing.constraints.iter().zip(&field.tune.constraints).filter(|(held, _)| !held.is_met);
    missed.map(|(_, constraint)| constraint.text.clone()).collect()
}

/// What one estimate is more than another, run by run, but for a chance of `tail`.
pub(super) fn difference(estimate: &Estimate, than: &Estimate, tail: f64) -> Difference {
    let interval = Scatter::of_difference(estimate, than).interval(tail);
    let value = estimate.value - than.value;
    let half = (interval.high - interval.low) / 2.0;
    Difference { value, ci95: Ends::from(Interval { low: value - half, high: value + half }) }
}

/// Says what comes nearest, and which constraint is the hardest there.
fn infeasible(search: &Search) -> TuneError {
    let field = &search.field;
    let standings = search.standings(None);
    let all: Vec<usize> = (0..standings.len()).collect();
    let goal = field.tune.goal.as_ref().expect("somebody has said what is to be found");
    let Some(nearest) = best(&standings, &all).filter(|i| standings[*i].violation().is_finite()) else {
        let names: Vec<String> = goal.objectives.iter().map(|o| format!("`{o}`")).collect();
        return TuneError::Infeasible(format!(
            "error: no candidate has a value of {} in every run that counts\n  = help: give scenarios in which it \
             has none a weight of 0, or name another metric",
            names.join(" and ")
        ));
    };
    let axes = field.space.sweep.axes.iter().zip(&field.candidate(nearest).values);
    let settings: Vec<String> =
        axes.map(|(axis, value)| format!("{} = {}", axis.path, inline(value))).collect();
    let missed = standings[nearest].constraints.iter().enumerate().filter(|(_, held)| !held.is_met);
    let hardest =
        missed.max_by(|(_, a), (_, b)| (a.excess.value / a.scale).total_cmp(&(b.excess.value / b.scale)));
    let (nth, held) = hardest.expect("what is not feasible misses something");
    let constraint = &field.tune.constraints[nth];
    let least = standings.iter().map(|standing| &standing.constraints[nth]);
    let alone = least.clone().any(|held| held.is_met);
    let best_value = least.map(|held| held.excess.value).fold(f64::INFINITY, f64::min);
    let value = field.estimate(nearest, constraint.criterion.target, constraint.scenario, f64::INFINITY);
    let interval = around(&value, 0.05);
    let also = match alone {
        true => "some candidates meet it, but miss another constraint".to_owned(),
        false => format!("no candidate meets it: the best misses it by {}", number(best_value)),
    };
    TuneError::Infeasible(format!(
        "error: none of {} candidates meets every constraint\n  nearest: {}\n  hardest: {}: it has {} there (95% CI \
         {} to {}), {} too {}; {also}\n  = help: loosen that constraint, or let the axes go further",
        field.len(),
        settings.join(", "),
        constraint.text,
        number(value.value),
        number(interval.low),
        number(interval.high),
        number(held.excess.value.abs()),
        match constraint.criterion.comparison.sign().starts_with('<') {
            true => "many",
            false => "few",
        },
    ))
}

/// A number to about four digits.
fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
