//! How candidates stand to each other and to what has to hold, given what is known of them.

use super::field::Field;
use super::mix::{Estimate, Scatter};
use super::{Goal, Tune};
use crate::experiment::comparison::Comparison;

/// The chance that anything that is called worse, or not feasible, is not: of all that a search says together.
pub const CHANCE: f64 = 0.05;

/// What is known of one candidate.
#[derive(Debug, Clone)]
pub struct Standing {
    /// By objective: less is better, whatever was asked for.
    pub objectives: Vec<Estimate>,
    /// By constraint.
    pub constraints: Vec<Held>,
}

/// What is known of a constraint at one candidate.
#[derive(Debug, Clone)]
pub struct Held {
    /// By how much it is missed; below zero it is met.
    pub excess: Estimate,
    /// Whether it holds for the estimate.
    pub is_met: bool,
    /// What an excess is to be compared with: the bound, where that is not zero.
    pub scale: f64,
}

/// Whether a candidate meets what has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does, by its whole interval.
    Met,
    /// Its interval has the bound in it.
    Unclear,
    /// It does not, by its whole interval.
    Missed,
}

impl Held {
    /// Whether the constraint holds, but for a chance of `tail`.
    pub fn verdict(&self, tail: f64) -> Verdict {
        let scatter = self.excess.scatter();
        // At the bound itself, in every run, it is what the estimate says.
        let is_exact = scatter.standard_error() == 0.0;
        match self.is_met {
            _ if !self.excess.value.is_finite() => Verdict::Missed,
            true if is_exact || scatter.is_below_zero(tail) => Verdict::Met,
            false if is_exact || scatter.is_above_zero(tail) => Verdict::Missed,
            _ => Verdict::Unclear,
        }
    }
}

impl Standing {
    /// What is known of a candidate; the constraint `without` is not looked at.
    pub fn of(field: &Field, candidate: usize, without: Option<usize>) -> Self {
        let Tune { goal, constraints, .. } = field.tune;
        let Goal { objectives, .. } = goal.as_ref().expect("somebody has said what is to be found");
        let objective = |objective| field.objective(candidate, objective, None).scaled(field.sign(), 0.0);
        let constraints = constraints.iter().enumerate().filter(|(nth, _)| Some(*nth) != without);
        Standing {
            objectives: objectives.iter().map(objective).collect(),
            constraints: constraints.map(|(nth, _)| held(field, candidate, nth)).collect(),
        }
    }

    /// Whether everything holds for the estimates, and every objective has a value.
    pub fn is_feasible(&self) -> bool {
        self.has_values() && self.constraints.iter().all(|held| held.is_met)
    }

    fn has_values(&self) -> bool {
        self.objectives.iter().all(|objective| objective.value.is_finite())
    }

    /// The worst verdict on what has to hold, but for a chance of `tail`.
    pub fn verdict(&self, tail: f64) -> Verdict {
        if !self.has_values() {
            return Verdict::Missed;
        }
        let verdicts: Vec<Verdict> = self.constraints.iter().map(|held| held.verdict(tail)).collect();
        let worst_first = [Verdict::Missed, Verdict::Unclear];
        worst_first.into_iter().find(|verdict| verdicts.contains(verdict)).unwrap_or(Verdict::Met)
    }

    /// How far it is from feasible, as a share of the bounds; zero if it is.
    pub fn violation(&self) -> f64 {
        let missed = self.constraints.iter().filter(|held| !held.is_met);
        let sum: f64 = missed.map(|held| (held.excess.value / held.scale).max(f64::MIN_POSITIVE)).sum();
        if self.has_values() { sum } else { f64::INFINITY }
    }

    /// Whether it is as good as another one in everything, and better in something, by the estimates.
    fn dominates(&self, other: &Standing) -> bool {
        let mut pairs = self.objectives.iter().zip(&other.objectives).map(|(a, b)| a.value - b.value);
        pairs.clone().all(|difference| difference <= 0.0) && pairs.any(|difference| difference < 0.0)
    }

    /// Whether another one is better, but for a chance of `tail`: in something, and worse in nothing.
    pub fn is_told_from(&self, better: &Standing, tail: f64) -> bool {
        let mut is_worse_in_any = false;
        for (own, other) in self.objectives.iter().zip(&better.objectives) {
            let more = Scatter::of_difference(own, other);
            let is_worse = more.is_above_zero(tail);
            let is_equal = more.standard_error() == 0.0 && more.mean == 0.0;
            if !is_worse && !is_equal {
                return false;
            }
            is_worse_in_any |= is_worse;
        }
        is_worse_in_any
    }
}

/// What is known of the `nth` constraint at a candidate.
pub fn held(field: &Field, candidate: usize, nth: usize) -> Held {
    let constraint = &field.tune.constraints[nth];
    let criterion = &constraint.criterion;
    let is_upper = matches!(criterion.comparison, Comparison::Less | Comparison::LessOrEqual);
    let sign = if is_upper { 1.0 } else { -1.0 };
    let estimate = field.estimate(candidate, criterion.target, constraint.scenario, sign * f64::INFINITY);
    let judged = criterion.judge(Some(estimate.value), None);
    let bound = judged.bound.expect("the bound is a number");
    Held {
        is_met: judged.met,
        excess: estimate.scaled(sign, -sign * bound),
        scale: if bound == 0.0 { 1.0 } else { bound.abs() },
    }
}

/// The best by the estimates of those that are `among`; of several objectives, all that no other dominates.
pub fn front(standings: &[Standing], among: &[usize]) -> Vec<usize> {
    if standings.first().is_some_and(|standing| standing.objectives.len() == 1) {
        let value = |i: &usize| standings[*i].objectives[0].value;
        let least = among.iter().map(value).fold(f64::INFINITY, f64::min);
        return among.iter().copied().filter(|i| value(i) <= least).collect();
    }
    let is_dominated = |i: usize| among.iter().any(|j| standings[*j].dominates(&standings[i]));
    among.iter().copied().filter(|i| !is_dominated(*i)).collect()
}

/// All that may be best, or on the front, as far as is known: at each of them something could still show that it is.
pub fn contenders(standings: &[Standing], tail: f64) -> Vec<usize> {
    let verdicts: Vec<Verdict> = standings.iter().map(|standing| standing.verdict(tail)).collect();
    let certain: Vec<usize> = (0..standings.len()).filter(|i| verdicts[*i] == Verdict::Met).collect();
    let best = front(standings, &certain);
    let is_told = |i: usize| best.iter().any(|j| *j != i && standings[i].is_told_from(&standings[*j], tail));
    (0..standings.len()).filter(|i| verdicts[*i] != Verdict::Missed && !is_told(*i)).collect()
}

/// The first of the best by the estimates; where none is feasible, the one that is nearest to it.
pub fn best(standings: &[Standing], among: &[usize]) -> Option<usize> {
    let key = |i: usize| (standings[i].violation(), standings[i].objectives[0].value);
    let order = |a: &usize, b: &usize| {
        let ((a, x), (b, y)) = (key(*a), key(*b));
        a.total_cmp(&b).then(x.total_cmp(&y))
    };
    among.iter().copied().min_by(order)
}
