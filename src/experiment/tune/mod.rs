//! Tuning: which settings are best over a mix of situations, under constraints, found with few runs.
//!
//! A candidate is a point of the sweep's axes, the same in every scenario. [`mix`] says what a statistic is over
//! scenarios of which nobody knows the next; [`space`] which candidates there can be; [`field`](mod@field) plays them
//! and keeps what they did; [`judge`] says how they stand; [`search`] decides whom to play next; [`analysis`] asks what
//! follows, and [`report`] holds the answers. Formats are left to others.

pub mod analysis;
pub mod field;
pub(crate) mod file;
pub mod judge;
pub mod mix;
pub mod report;
pub mod search;
mod sensitivity;
pub mod space;

use super::criterion::{Criterion, Target};
use std::fmt;

/// What is to be found.
#[derive(Debug, Clone)]
pub struct Tune {
    /// What is best; `None` if nobody has said.
    pub goal: Option<Goal>,
    /// What has to hold.
    pub constraints: Vec<Constraint>,
    /// By scenario: how often it comes, relative to the others. Not all are zero.
    pub weights: Vec<f64>,
    /// Runs that whatever is named gets at least; `None` is what the experiment says.
    pub runs: Option<u64>,
    /// Simulated runs in all.
    pub budget: Option<u64>,
    /// Inputs that nobody has measured; empty for those that every scenario guesses.
    pub guesses: Vec<Guess>,
}

/// What is to be as small, or as large, as possible.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Which of the two.
    pub direction: Direction,
    /// One, or several to be traded.
    pub objectives: Vec<Objective>,
}

/// Whether less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It is.
    Minimize,
    /// More is.
    Maximize,
}

/// A number that candidates are compared by.
#[derive(Debug, Clone, PartialEq)]
pub enum Objective {
    /// What runs are measured by.
    Target(Target),
    /// The setting itself: this axis of the sweep, which has this column; its unit comes last.
    Axis(usize, String),
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Objective::Target(target) => target.fmt(f),
            Objective::Axis(_, column) => f.write_str(column),
        }
    }
}

impl Direction {
    /// As files and options have it.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Minimize => "minimize",
            Direction::Maximize => "maximize",
        }
    }
}

/// What has to hold for a candidate to be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// Its bound is a number.
    pub criterion: Criterion,
    /// The scenario in which it has to hold; `None` is the mix.
    pub scenario: Option<usize>,
    /// As people are told it: `false_ejection_per_day <= 1 in calm_day`.
    pub text: String,
}

/// An input that nobody has measured, and what else it could be.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// A setting.
    pub path: String,
    /// As the scenario would have them.
    pub values: Vec<toml::Value>,
}

impl Tune {
    /// Without a word on what is to be found: every scenario counts alike.
    pub fn of_scenarios(count: usize) -> Self {
        Tune {
            goal: None,
            constraints: Vec::new(),
            weights: vec![1.0; count],
            runs: None,
            budget: None,
            guesses: Vec::new(),
        }
    }

    /// Whether candidates have to be played in a scenario to be compared.
    pub fn needs(&self, scenario: usize) -> bool {
        self.weights[scenario] > 0.0 || self.constraints.iter().any(|c| c.scenario == Some(scenario))
    }

    /// Every target that is asked for, in objectives and constraints.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        let objectives = self.goal.iter().flat_map(|goal| &goal.objectives);
        let targets = objectives.filter_map(|objective| match objective {
            Objective::Target(target) => Some(*target),
            Objective::Axis(..) => None,
        });
        targets.chain(self.constraints.iter().map(|constraint| constraint.criterion.target))
    }
}
