//! The report of a search for the best settings: every candidate in little room, what is recommended, and what follows.

use super::decision::amount;
use super::points::{
    AxisPoints, AxisReport, Column, Counts, EstimateColumns, Estimates, TELLING, axis, readable,
};
use super::sweep::SettingValue;
use crate::experiment::axis::{Axis, AxisValue};
use crate::experiment::criterion::Target;
use crate::experiment::file::Experiment;
use crate::experiment::statistics::Statistic;
use crate::experiment::tune::Direction;
use crate::experiment::tune::judge::Verdict;
use crate::experiment::tune::report::{Choice, Ends, Judged, Measured, Report, Weighted};
use crate::metrics::Unit;
use crate::output::AxisColumn;
use crate::output::terminal::{plain, short, thousands};
use crate::output::tune_files::StoredTune;
use serde::Serialize;

/// Rows of lists that nobody reads to the end; the table of candidates has them all.
const ROWS: usize = 60;

/// A search.
#[derive(Debug, Clone, Serialize)]
pub struct TuneReport {
    /// What the experiment asks.
    pub question: String,
    /// The settings that could be changed.
    pub axes: Vec<AxisReport>,
    /// What should be small, or large.
    pub goals: Vec<GoalReport>,
    /// What has to hold, as it was written.
    pub constraints: Vec<String>,
    /// The scenarios, and how much each counts.
    pub mix: Vec<Weighted>,
    /// Every candidate that was played.
    pub candidates: CandidatesReport,
    /// The place of the recommended one among them; null of several goals, where nothing is.
    pub best: Option<usize>,
    /// Its settings.
    pub best_settings: Vec<SettingValue>,
    /// What to do, in sentences.
    pub decision: String,
    /// How sure that is, and what would change it, in sentences.
    pub certainty: Vec<String>,
    /// All that is known: `tied`, `front`, `steps`, `guesses` and more, as `tune --format json` has it.
    pub answer: Report,
    /// What was played, in a sentence.
    pub simulated: String,
    /// What there was no room for, in sentences.
    pub left_out: Vec<String>,
}

/// A number that candidates are compared by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoalReport {
    /// Such as `failed_count.p95`, or the column of an axis.
    pub name: String,
    /// What it says.
    pub meaning: String,
    /// As [`super::MetricRow::unit`]; of an axis, its own.
    pub unit: Option<&'static str>,
    /// `lower` or `higher`.
    pub better: &'static str,
}

/// Columns with a value for each candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidatesReport {
    /// Its number in tables.
    pub candidate: Vec<u64>,
    /// By axis: where it is on it.
    pub axes: Vec<AxisPoints>,
    /// Runs of each scenario.
    pub runs: Counts,
    /// `best`, `front`, `cannot_tell`, `missed` or `worse`.
    pub group: Vec<&'static str>,
    /// Whether no other one beats it in all goals.
    pub on_front: Vec<bool>,
    /// By goal, over the mix; in `mean` is what the goal says, which may be a quantile.
    pub estimates: Estimates,
    /// By constraint.
    pub constraints: Vec<ConstraintColumns>,
}

/// A constraint, by candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConstraintColumns {
    /// As it was written.
    pub expect: String,
    /// What is held against the bound.
    pub value: Column,
    /// The 95% confidence interval.
    pub ci95_low: Column,
    /// Its upper end.
    pub ci95_high: Column,
    /// Whether it holds, by the estimate.
    pub met: Vec<bool>,
}

/// The report of a search; `experiment` is what is known beside the answer.
pub(super) fn tuned(stored: &StoredTune, experiment: Option<&Experiment>) -> TuneReport {
    let report = &stored.report;
    let candidates = &stored.candidates;
    let known = |column: &str| -> Option<&Axis> {
        experiment?.sweep.as_ref()?.axes.iter().find(|axis| axis.column == column)
    };
    let column = |(nth, name): (usize, &String)| {
        let values = candidates.iter().map(|candidate| candidate.values.get(nth).and_then(axis_value));
        AxisColumn::new(name.clone(), values.collect())
    };
    let columns: Vec<AxisColumn> = stored.columns.iter().enumerate().map(column).collect();
    let (axes, places): (Vec<AxisReport>, Vec<AxisPoints>) =
        columns.iter().map(|column| axis(column, known(&column.name))).unzip();
    let choices = || candidates.iter().map(|candidate| &candidate.choice);
    let is = |choice: &Choice, other: &Choice| choice.candidate == other.candidate;
    let on_front = |choice: &Choice| report.front.iter().any(|other| is(choice, other));
    let group = |choice: &Choice| {
        if report.recommended.iter().any(|other| is(choice, other)) {
            "best"
        } else if on_front(choice) {
            "front"
        } else if report.tied.iter().any(|tied| is(choice, &tied.choice)) {
            "cannot_tell"
        } else if choice.constraints.iter().any(|constraint| !constraint.met) {
            "missed"
        } else {
            "worse"
        }
    };
    let goals: Vec<GoalReport> =
        report.objectives.iter().map(|name| goal(name, report.direction, &axes)).collect();
    let runs: Vec<u64> = choices().map(|choice| choice.runs).collect();
    let estimates = (report.objectives.iter().enumerate())
        .map(|(nth, name)| {
            (name.clone(), estimates(&runs, choices().map(|choice| choice.objectives.get(nth))))
        })
        .collect();
    let constraints = (report.constraints.iter().enumerate())
        .map(|(nth, expect)| constraint(expect, choices().map(|choice| choice.constraints.get(nth))))
        .collect();
    let best = report.recommended.as_ref();
    TuneReport {
        question: report.question.clone(),
        goals,
        constraints: report.constraints.clone(),
        mix: report.mix.clone(),
        best: best.and_then(|best| choices().position(|choice| is(choice, best))),
        best_settings: best.map_or(vec![], settings),
        decision: decision(report),
        certainty: certainty(report),
        simulated: simulated(report),
        left_out: vec![],
        candidates: CandidatesReport {
            candidate: choices().map(|choice| choice.candidate as u64).collect(),
            axes: places,
            group: choices().map(group).collect(),
            on_front: choices().map(on_front).collect(),
            estimates: Estimates(estimates),
            constraints,
            runs: Counts::of(runs),
        },
        answer: report.clone(),
        axes,
    }
    .cut()
}

impl TuneReport {
    /// Without what makes lists long.
    fn cut(mut self) -> Self {
        let answer = &mut self.answer;
        for (what, count) in [
            ("settings that cannot be told from the recommended", answer.tied.len()),
            ("settings of the front", answer.front.len()),
            ("combinations of the other axes", answer.combinations.len()),
        ] {
            if count > ROWS {
                let count = thousands(count as f64);
                self.left_out.push(format!(
                    "Of {count} {what} the first {ROWS} are listed: the table of candidates has them all."
                ));
            }
        }
        answer.tied.truncate(ROWS);
        answer.front.truncate(ROWS);
        answer.combinations.truncate(ROWS);
        self
    }
}

fn axis_value(value: &serde_json::Value) -> Option<AxisValue> {
    match value {
        serde_json::Value::String(text) => Some(AxisValue::Text(text.clone())),
        number => number.as_f64().map(AxisValue::Number),
    }
}

fn goal(name: &str, direction: Direction, axes: &[AxisReport]) -> GoalReport {
    let better = match direction {
        Direction::Minimize => "lower",
        Direction::Maximize => "higher",
    };
    let (meaning, unit) = match Target::read(name) {
        Ok(target) => (target.metric.meaning.to_owned(), Some(super::words::unit_name(target.metric.unit))),
        Err(_) => {
            let axis = axes.iter().find(|axis| axis.column == name);
            (
                axis.map_or("a setting".to_owned(), |axis| format!("the setting {}", axis.path)),
                axis.and_then(|axis| axis.unit),
            )
        }
    };
    GoalReport { name: name.to_owned(), meaning, unit, better }
}

fn estimates<'a>(runs: &[u64], measured: impl Iterator<Item = Option<&'a Measured>>) -> EstimateColumns {
    let measured: Vec<Option<&Measured>> = measured.collect();
    let column = |value: &dyn Fn(&Measured) -> Option<f64>| Column {
        values: measured.iter().map(|measured| measured.and_then(value)).collect(),
        digits: 4,
    };
    EstimateColumns {
        n: Counts::of(runs.to_vec()),
        mean: column(&|m| m.value),
        pi95_low: Some(column(&|m| low(m.pi95))),
        pi95_high: Some(column(&|m| high(m.pi95))),
        ci95_low: Some(column(&|m| low(m.ci95))),
        ci95_high: Some(column(&|m| high(m.ci95))),
    }
}

fn constraint<'a>(expect: &str, judged: impl Iterator<Item = Option<&'a Judged>>) -> ConstraintColumns {
    let judged: Vec<_> = judged.collect();
    let column = |value: &dyn Fn(&Judged) -> Option<f64>| Column {
        values: judged.iter().map(|judged| judged.and_then(value)).collect(),
        digits: 4,
    };
    ConstraintColumns {
        expect: expect.to_owned(),
        value: column(&|judged| judged.value),
        ci95_low: column(&|judged| low(judged.ci95)),
        ci95_high: column(&|judged| high(judged.ci95)),
        met: judged.iter().map(|judged| judged.is_some_and(|judged| judged.met)).collect(),
    }
}

fn low(ends: Ends) -> Option<f64> {
    ends.0.map(|ends| ends.low)
}

fn high(ends: Ends) -> Option<f64> {
    ends.0.map(|ends| ends.high)
}

fn settings(choice: &Choice) -> Vec<SettingValue> {
    let setting = |setting: &crate::experiment::tune::report::Setting| SettingValue {
        path: setting.path.clone(),
        value: setting.value.clone(),
    };
    choice.settings.iter().map(setting).collect()
}

fn settings_words(choice: &Choice) -> String {
    let word = |setting: &crate::experiment::tune::report::Setting| {
        format!("{} {}", readable(&setting.path), plain(setting.value.trim_matches('"')))
    };
    super::sweep::list(&choice.settings.iter().map(word).collect::<Vec<_>>())
}

/// A number of a goal, in the words of its unit.
fn in_unit(target: &str, value: f64) -> String {
    match Target::read(target).map(|target| target.metric.unit) {
        Ok(Unit::Count) => amount(value),
        Ok(Unit::Ratio | Unit::Quotient) => format!("{:.2}%", 100.0 * value),
        Ok(Unit::Milliseconds) => format!("{} ms", short(value)),
        Ok(Unit::PerSecond) => format!("{} a second", short(value)),
        Ok(Unit::PerDay) => format!("{} a day", short(value)),
        Ok(Unit::Usd) => format!("${}", short(value)),
        Ok(Unit::UsdPerDay) => format!("${} a day", short(value)),
        Err(_) => short(value),
    }
}

/// What a goal is called in a sentence: `failed requests`, or `95th percentile of runs of failed requests`.
fn goal_words(target: &str) -> String {
    let Ok(known) = Target::read(target) else { return readable(target) };
    let label = TELLING.iter().find(|(name, ..)| *name == known.metric.name).map(|(_, label, _)| *label);
    let label = label.map_or_else(|| known.metric.name.to_owned(), str::to_owned);
    match known.statistic {
        Statistic::Mean => label,
        Statistic::P50 => format!("{label} of the median run"),
        Statistic::P95 => format!("{label}, of which 95% of runs have no more,"),
        other => format!("{label} ({})", other.name()),
    }
}

fn measured_words(measured: &Measured) -> String {
    let name = goal_words(&measured.target);
    let Some(value) = measured.value else { return format!("no value of {name}") };
    let value = in_unit(&measured.target, value);
    match measured.pi95.0.filter(|ends| ends.low < ends.high) {
        Some(ends) => format!(
            "{name} {value} ({} to {} in 95% of runs)",
            in_unit(&measured.target, ends.low),
            in_unit(&measured.target, ends.high)
        ),
        None => format!("{name} {value}"),
    }
}

fn decision(report: &Report) -> String {
    let counted: Vec<String> = (report.mix.iter().filter(|weighted| weighted.weight > 0.0))
        .map(|weighted| match weighted.weight {
            1.0 => plain(&weighted.scenario),
            weight => format!("{} ({weight} times)", plain(&weighted.scenario)),
        })
        .collect();
    let over =
        if counted.len() > 1 { format!(" over {}", super::sweep::list(&counted)) } else { String::new() };
    let Some(best) = &report.recommended else {
        let goals: Vec<String> = report.objectives.iter().map(|name| goal_words(name)).collect();
        let goals = super::sweep::list(&goals);
        let ends: Vec<String> = [report.front.first(), report.front.last()]
            .into_iter()
            .flatten()
            .map(|choice| {
                let numbers: Vec<String> = choice.objectives.iter().map(measured_words).collect();
                format!("{} ({})", settings_words(choice), numbers.join("; "))
            })
            .collect();
        return format!(
            "{} settings trade {goals}{over}, and none of them is best in all: from {}.",
            thousands(report.front.len() as f64),
            ends.join(" to ")
        );
    };
    let numbers: Vec<String> = best.objectives.iter().map(measured_words).collect();
    let mut words = format!("Set {}: {}{over}.", settings_words(best), numbers.join("; "));
    if !best.constraints.is_empty() {
        let missed: Vec<&str> =
            best.constraints.iter().filter(|held| !held.met).map(|held| held.expect.as_str()).collect();
        let is_unclear = |held: &&Judged| held.verdict == Verdict::Unclear;
        let unclear: Vec<&str> =
            best.constraints.iter().filter(is_unclear).map(|held| held.expect.as_str()).collect();
        words.push_str(&match (missed.as_slice(), unclear.as_slice()) {
            ([], []) => " It meets what has to hold.".to_owned(),
            ([], unclear) => format!(
                " It meets what has to hold by the estimate, but {} is not sure.",
                unclear.join(" and ")
            ),
            (missed, _) => format!(" It misses {}.", missed.join(" and ")),
        });
    }
    words.push_str(&match report.tied.len() {
        0 => " Nothing else that was played is as good.".to_owned(),
        1 => " One other choice cannot be told from it.".to_owned(),
        n => format!(" {} other choices cannot be told from it.", thousands(n as f64)),
    });
    words
}

/// What speaks for the answer, and against it.
fn certainty(report: &Report) -> Vec<String> {
    let mut words = vec![];
    let Some(best) = &report.recommended else { return words };
    for held in best.constraints.iter().filter(|held| held.verdict == Verdict::Unclear) {
        words.push(format!("Whether {} holds is not sure: its interval has the bound in it.", held.expect));
    }
    if let Some(certain) = &report.certain {
        words.push(format!(
            "The best that meets every constraint by its whole interval is {}.",
            settings_words(certain)
        ));
    }
    for between in report.between.iter().filter(|between| between.low != between.high) {
        let [low, high] = [&between.low, &between.high].map(|value| plain(value.trim_matches('"')));
        words.push(format!("The best {} lies between {low} and {high}.", readable(&between.path)));
    }
    for guess in &report.guesses {
        let instead = guess.instead.as_ref().map(|settings| {
            let words = settings
                .iter()
                .map(|s| format!("{} {}", readable(&s.path), plain(s.value.trim_matches('"'))));
            super::sweep::list(&words.collect::<Vec<_>>())
        });
        if let Some(instead) = instead {
            words.push(format!("With {} another choice would be better: {instead}.", plain(&guess.guess)));
        } else if !guess.misses.is_empty() {
            words.push(format!("With {} it misses {}.", plain(&guess.guess), guess.misses.join(" and ")));
        }
    }
    if report.effort.budget_spent {
        words.push(
            "The budget of runs was spent before all was known: more runs may change the answer.".to_owned(),
        );
    }
    words
}

fn simulated(report: &Report) -> String {
    let [candidates, runs, each] =
        [report.effort.candidates, report.effort.runs, report.runs].map(|count| thousands(count as f64));
    let grid = match report.effort.grid_runs.is_finite() {
        true => format!("; a grid as fine would have taken {}", thousands(report.effort.grid_runs)),
        false => String::new(),
    };
    format!(
        "Simulated: {candidates} candidates with {runs} runs in all, and at least {each} of each that is named{grid}."
    )
}

/// Only so that a report can be compared in tests.
impl PartialEq for TuneReport {
    fn eq(&self, other: &Self) -> bool {
        let text = |report: &TuneReport| serde_json::to_string(report).ok();
        text(self) == text(other)
    }
}

/// A number of a candidate's goal in one scenario, as runs that are played again should give it.
pub(super) fn expected(report: &Report, scenario: &str) -> Option<(Target, f64, u64)> {
    let own = report.recommended.as_ref()?.scenarios.iter().find(|own| own.scenario == scenario)?;
    own.measured.iter().find_map(|measured| {
        let target = Target::read(&measured.target).ok()?;
        Some((target, measured.value?, own.runs))
    })
}
