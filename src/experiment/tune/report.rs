//! The answer: plain data, for whoever shows it.

use super::field::{COSTS, Field};
use super::judge::{Verdict, held};
use super::mix::Estimate;
use super::search::Search;
use super::{Direction, Goal};
use crate::experiment::axis::{Axis, AxisValue, axis_value};
use crate::experiment::criterion::Target;
use crate::experiment::statistics::{Interval, Statistic};
use crate::metrics::metric;
use crate::scenario::shape::inline;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What was found, and what follows from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// What the experiment is to find out.
    pub question: String,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Runs that everything named here has at least, unless the budget was spent.
    pub runs: u64,
    /// Whether less is better.
    pub direction: Direction,
    /// What is to be so.
    pub objectives: Vec<String>,
    /// What has to hold.
    pub constraints: Vec<String>,
    /// The scenarios, in the experiment's order, with how much each counts.
    pub mix: Vec<Weighted>,
    /// What is recommended: one candidate, or, of several objectives, none.
    pub recommended: Option<Choice>,
    /// The best of those that meet every constraint by their whole intervals; null if the recommended one does.
    pub certain: Option<Choice>,
    /// What cannot be told from it, in the order of the axes.
    pub tied: Vec<Tied>,
    /// The axes that are ranges: between which values the best lies.
    pub between: Vec<Between>,
    /// Of several objectives: what no other candidate beats in all of them, in the order of the axes.
    pub front: Vec<Choice>,
    /// What is recommended if the worst scenario is what counts; null if there is one scenario.
    pub by_worst_case: Option<Choice>,
    /// What is recommended if the distance to the best in hindsight is what counts; null if there is one scenario.
    pub by_regret: Option<Choice>,
    /// Where an axis is the objective: the best of each combination of the other axes.
    pub combinations: Vec<Choice>,
    /// What each constraint costs.
    pub constraint_costs: Vec<ConstraintCost>,
    /// What a step away from the recommendation does, axis by axis.
    pub steps: Vec<Step>,
    /// What inputs that nobody has measured do to it.
    pub guesses: Vec<GuessEffect>,
    /// What it took.
    pub effort: Effort,
    /// Every candidate that was played, in the order in which they were thought of.
    #[serde(skip)]
    pub candidates: Vec<Choice>,
}

/// A scenario and how often it comes, relative to the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weighted {
    /// Its name.
    pub scenario: String,
    /// 0 if it does not count.
    pub weight: f64,
}

/// One candidate and all that is asked of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Choice {
    /// Its number.
    pub candidate: usize,
    /// One for each axis.
    pub settings: Vec<Setting>,
    /// The same, as the scenario has them.
    #[serde(skip)]
    pub values: Vec<toml::Value>,
    /// Runs in each scenario that it was compared by.
    pub runs: u64,
    /// By objective, over the mix.
    pub objectives: Vec<Measured>,
    /// By constraint.
    pub constraints: Vec<Judged>,
    /// In each scenario that it was played in.
    pub scenarios: Vec<InScenario>,
    /// The scenario in which the first objective is worst, of those that count; null with one scenario, or none.
    pub worst_case: Option<AtWorst>,
    /// Where it is furthest from the best in hindsight: from what is best for that scenario alone.
    pub max_regret: Option<AtWorst>,
}

/// A setting of a candidate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setting {
    /// Such as `gateway.health_check.interval`.
    pub path: String,
    /// As TOML.
    pub value: String,
    /// The column of result tables.
    #[serde(skip)]
    pub column: String,
    /// As in result tables.
    #[serde(skip, default = "nothing")]
    pub number: AxisValue,
}

/// Stands for a value that is not written.
fn nothing() -> AxisValue {
    AxisValue::Text(String::new())
}

/// A number that runs were measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Such as `failed_count.p95`.
    pub target: String,
    /// Null where runs have no value.
    pub value: Option<f64>,
    /// The 95% confidence interval.
    pub ci95: Ends,
    /// The range in which 95% of runs fall; null for a setting.
    pub pi95: Ends,
}

/// A range; null below two runs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ends(pub Option<Interval>);

impl Serialize for Ends {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.map(|interval| [interval.low, interval.high]).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ends {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ends = Option::<[f64; 2]>::deserialize(deserializer)?;
        Ok(Ends(ends.map(|[low, high]| Interval { low, high })))
    }
}

/// A number that is null where it is not finite.
fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl From<Interval> for Ends {
    fn from(interval: Interval) -> Self {
        Ends(Some(interval).filter(|interval| interval.low.is_finite() && interval.high.is_finite()))
    }
}

/// A constraint at one candidate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Judged {
    /// Such as `probe_per_day <= 20000`.
    pub expect: String,
    /// What is held against the bound; null where runs have no value.
    pub value: Option<f64>,
    /// The 95% confidence interval.
    pub ci95: Ends,
    /// Whether it holds for the estimate.
    pub met: bool,
    /// Whether the interval is on one side of the bound.
    pub verdict: Verdict,
}

/// A candidate in one scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InScenario {
    /// Its name.
    pub scenario: String,
    /// Runs in it.
    pub runs: u64,
    /// The objectives, and what it costs: probes and false ejections a day.
    pub measured: Vec<Measured>,
}

/// A scenario, and what the first objective has there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtWorst {
    /// Its name.
    pub scenario: String,
    /// In the objective's unit.
    #[serde(deserialize_with = "finite")]
    pub value: f64,
}

/// A candidate that cannot be told from the recommended one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tied {
    /// What it is.
    #[serde(flatten)]
    pub choice: Choice,
    /// By how much it is more than the recommended, run by run; null of several objectives.
    pub difference: Option<Difference>,
}

/// What one candidate has more than another, run by run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Of the first objective.
    #[serde(deserialize_with = "finite")]
    pub value: f64,
    /// Its confidence interval: of all differences in one list together, 95%.
    pub ci95: Ends,
}

/// An axis that is a range, and where on it the best lies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Between {
    /// The axis.
    pub path: String,
    /// The nearest value below that was told from the best, or the end of the range.
    pub low: String,
    /// The nearest above.
    pub high: String,
}

/// What one constraint costs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConstraintCost {
    /// The constraint.
    pub expect: String,
    /// The best candidate were it not there; null if that is the recommended one.
    pub without: Option<Choice>,
    /// What the recommended has more than that one, run by run.
    pub cost: Option<Difference>,
}

/// A step on one axis, away from the recommendation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Step {
    /// The axis.
    pub path: String,
    /// From this value.
    pub from: String,
    /// To this one.
    pub to: String,
    /// What that does to the first objective, run by run.
    pub difference: Difference,
    /// Constraints that are then missed.
    pub misses: Vec<String>,
}

/// What an input that nobody has measured does to the recommendation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GuessEffect {
    /// Such as `probe latency x 2`, or `provider.a.error_rate = 0.01`.
    pub guess: String,
    /// What the recommended candidate then has of the first objective; null where that is no valid scenario.
    pub value: Option<f64>,
    /// What it has more than with the input as it is, run by run.
    pub difference: Option<Difference>,
    /// Constraints that the recommended candidate then misses.
    pub misses: Vec<String>,
    /// What would then be recommended instead, if it can be told from the recommended.
    pub instead: Option<Vec<Setting>>,
}

/// What the answer took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Candidates that were played.
    pub candidates: u64,
    /// Runs that were simulated for the answer.
    pub runs: u64,
    /// Runs that were simulated to see what guessed inputs do.
    pub guess_runs: u64,
    /// Runs that a grid as fine, with as many runs of each point, would have taken.
    #[serde(deserialize_with = "finite")]
    pub grid_runs: f64,
    /// Whether the budget was spent before all was known.
    pub budget_spent: bool,
}

impl Measured {
    /// An estimate, and the estimates of both ends of the range of runs.
    fn new(target: String, estimate: &Estimate, runs: Option<(Estimate, Estimate)>) -> Self {
        let pi95 = runs.map(|(low, high)| Interval { low: low.value, high: high.value });
        Measured {
            target,
            value: Some(estimate.value).filter(|value| value.is_finite()),
            ci95: Ends::from(around(estimate, 0.05)),
            pi95: pi95.map(Ends::from).unwrap_or_default(),
        }
    }
}

/// The interval around the estimate itself: the mean of pseudo-values may differ from it in the last bit.
pub(super) fn around(estimate: &Estimate, tail: f64) -> Interval {
    let interval = estimate.interval(tail);
    let half = (interval.high - interval.low) / 2.0;
    Interval { low: estimate.value - half, high: estimate.value + half }
}

impl Search<'_> {
    /// All that is known of a candidate.
    pub(super) fn choice(&self, candidate: usize) -> Choice {
        let field = &self.field;
        let goal = field.tune.goal.as_ref().expect("somebody has said what is to be found");
        let setting = |(axis, value): (&Axis, &toml::Value)| Setting {
            path: axis.path.clone(),
            value: inline(value),
            column: axis.column.clone(),
            number: axis_value(axis, value),
        };
        let settings =
            field.space.sweep.axes.iter().zip(&field.candidate(candidate).values).map(setting).collect();
        let played = |scenario: &usize| field.runs_in(candidate, *scenario) > 0;
        let scenarios = (0..field.space.scenarios.len()).filter(played);
        Choice {
            candidate,
            settings,
            values: field.candidate(candidate).values.clone(),
            runs: field.runs(candidate),
            objectives: self.measured(candidate, goal, None),
            constraints: (0..field.tune.constraints.len()).map(|nth| judged(field, candidate, nth)).collect(),
            scenarios: scenarios
                .map(|scenario| InScenario {
                    scenario: field.space.scenarios[scenario].name().to_owned(),
                    runs: field.runs_in(candidate, scenario),
                    measured: self.measured(candidate, goal, Some(scenario)),
                })
                .collect(),
            worst_case: None,
            max_regret: None,
        }
    }

    /// The objectives over the mix, or in one scenario with what it costs there.
    fn measured(&self, candidate: usize, goal: &Goal, scenario: Option<usize>) -> Vec<Measured> {
        let field = &self.field;
        let ends = |target: &Target| {
            let end = |statistic| {
                field.estimate(candidate, Target { statistic, ..*target }, scenario, f64::INFINITY)
            };
            Some((end(Statistic::Pi95Low), end(Statistic::Pi95High)))
        };
        let of = |objective: &super::Objective| {
            let ends = match objective {
                super::Objective::Target(target) => ends(target),
                super::Objective::Axis(..) => None,
            };
            Measured::new(objective.to_string(), &field.objective(candidate, objective, scenario), ends)
        };
        let is_axis = |objective: &&super::Objective| matches!(objective, super::Objective::Axis(..));
        let objectives = goal.objectives.iter().filter(|o| scenario.is_none() || !is_axis(o)).map(of);
        let costs = COSTS.iter().map(|name| {
            let metric = metric(name).expect("the metric exists");
            let target = Target { metric, statistic: Statistic::Mean };
            let estimate = field.estimate(candidate, target, scenario, f64::NAN);
            Measured::new(target.to_string(), &estimate, ends(&target))
        });
        let mut measured: Vec<Measured> = objectives.collect();
        if scenario.is_some() {
            for cost in costs {
                if measured.iter().all(|known| known.target != cost.target) {
                    measured.push(cost);
                }
            }
        }
        measured
    }
}

fn judged(field: &Field, candidate: usize, nth: usize) -> Judged {
    let constraint = &field.tune.constraints[nth];
    let held = held(field, candidate, nth);
    let verdict = held.verdict(0.05);
    let estimate = field.estimate(candidate, constraint.criterion.target, constraint.scenario, f64::INFINITY);
    Judged {
        expect: constraint.text.clone(),
        value: Some(estimate.value).filter(|value| value.is_finite()),
        ci95: Ends::from(around(&estimate, 0.05)),
        met: held.is_met,
        verdict,
    }
}

impl Direction {
    /// What is worse than another value, in words.
    pub fn worse(self) -> &'static str {
        match self {
            Direction::Minimize => "more",
            Direction::Maximize => "less",
        }
    }
}
