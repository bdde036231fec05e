//! The table of a search's candidates: one row for each.

use super::table::{Name, Table, TableBuilder};
use crate::experiment::axis::AxisValue;
use crate::experiment::tune::report::{Choice, Ends, Measured, Report};

/// `candidates`: one row for each candidate that was played, in the order in which the search thought of them.
pub fn candidates(report: &Report) -> Table {
    let rows = &report.candidates;
    let mut table = TableBuilder::new("candidates", rows);
    table.uint("candidate", "number", "which combination of settings, from 0", |c| c.candidate as u64);
    let axes = rows.first().map_or(&[][..], |choice| &choice.settings);
    for (nth, axis) in axes.iter().enumerate() {
        let is_number = |choice: &Choice| matches!(choice.settings[nth].number, AxisValue::Number(_));
        if rows.iter().all(is_number) {
            let number = |choice: &Choice| match choice.settings[nth].number {
                AxisValue::Number(number) => Some(number),
                AxisValue::Text(_) => None,
            };
            table.float(axis.column.clone(), "the setting's", "a setting on an axis", number);
        } else {
            let text = |choice: &Choice| Some(Name::from(choice.settings[nth].value.as_str()));
            table.text(axis.column.clone(), "a setting on an axis", text);
        }
    }
    table.text("standing", STANDING, |choice| Some(standing(report, choice).into()));
    table.uint("run_count", "count", "runs in each scenario that it was compared by", |c| c.runs);
    for (nth, objective) in report.objectives.iter().enumerate() {
        measured(&mut table, objective, "over the mix", move |choice| choice.objectives.get(nth));
    }
    for (nth, constraint) in report.constraints.iter().enumerate() {
        let what = format!("what has to hold: {constraint}");
        let name = |end: &str| format!("constraint_{nth}{end}");
        table.float(name(""), "the metric's", what.clone(), |choice| choice.constraints[nth].value);
        table.float(name("_ci95_low"), "the metric's", CI_LOW, |c| low(c.constraints[nth].ci95));
        table.float(name("_ci95_high"), "the metric's", CI_HIGH, |c| high(c.constraints[nth].ci95));
        let met = |choice: &Choice| Some(if choice.constraints[nth].met { "met" } else { "missed" }.into());
        table.text(name("_standing"), "`met` or `missed`, by the estimate", met);
    }
    for weighted in &report.mix {
        for (nth, objective) in report.objectives.iter().enumerate() {
            let of = |choice: &Choice| {
                let own = choice.scenarios.iter().find(|s| s.scenario == weighted.scenario)?;
                own.measured.iter().find(|m| m.target == *objective).and_then(|m| m.value)
            };
            let has_any = rows.iter().any(|choice| of(choice).is_some());
            if has_any && nth < report.objectives.len() {
                let name = format!("{objective}_in_{}", weighted.scenario);
                table.float(name, "the metric's", "the objective in one scenario", of);
            }
        }
    }
    table.float("max_regret", "the objective's", MAX_REGRET, |choice| {
        choice.max_regret.as_ref().map(|regret| regret.value)
    });
    table.finish()
}

const STANDING: &str = "\
    `recommended`; `front`: beaten by none in all objectives; `tied`: cannot be told from those; `infeasible`: misses \
    a constraint, by the estimate; or `worse`";
const CI_LOW: &str = "the 95% confidence interval";
const CI_HIGH: &str = "its upper end";
const MAX_REGRET: &str = "\
    the most that the objective is worse than the best candidate's for one scenario alone; null with one scenario";

fn standing(report: &Report, choice: &Choice) -> &'static str {
    let is = |other: &Choice| other.candidate == choice.candidate;
    if report.recommended.iter().any(is) {
        "recommended"
    } else if report.front.iter().any(is) {
        "front"
    } else if report.tied.iter().any(|tied| is(&tied.choice)) {
        "tied"
    } else if choice.constraints.iter().any(|constraint| !constraint.met) {
        "infeasible"
    } else {
        "worse"
    }
}

fn measured<'a>(
    table: &mut TableBuilder<'a, Choice>,
    name: &str,
    what: &str,
    of: impl Fn(&Choice) -> Option<&Measured> + Copy,
) {
    let unit = "the metric's";
    table.float(name.to_owned(), unit, format!("the objective, {what}"), move |c| of(c)?.value);
    table.float(format!("{name}_ci95_low"), unit, CI_LOW, move |c| of(c).and_then(|m| low(m.ci95)));
    table.float(format!("{name}_ci95_high"), unit, CI_HIGH, move |c| of(c).and_then(|m| high(m.ci95)));
    let range = "the range in which 95% of runs fall: 2.5th percentile";
    table.float(format!("{name}_pi95_low"), unit, range, move |c| of(c).and_then(|m| low(m.pi95)));
    table.float(format!("{name}_pi95_high"), unit, "97.5th percentile", move |c| {
        of(c).and_then(|m| high(m.pi95))
    });
}

fn low(ends: Ends) -> Option<f64> {
    ends.0.map(|interval| interval.low)
}

fn high(ends: Ends) -> Option<f64> {
    ends.0.map(|interval| interval.high)
}
