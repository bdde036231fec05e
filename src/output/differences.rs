//! `differences`: what scenarios differ by from a baseline that saw the same random numbers, as a table.

use super::schema::{N_MEANING, STATISTIC_MEANINGS, unit_name};
use super::table::{Name, Table, TableBuilder};
use crate::experiment::baseline::Difference;
use crate::experiment::statistics::{Interval, Summary};
use crate::metrics::{METRICS, Metric, Outcome};

/// One metric of one scenario.
struct Row {
    scenario: Name,
    metric: &'static Metric,
    difference: Difference,
}

/// One row for each scenario but the first, which is the baseline, and each metric; in that order.
///
/// Numbers are those of `difference_to_baseline` in the document of `run --format json`.
pub fn differences(scenarios: &[(&str, &[Outcome])]) -> Table {
    let rows = rows(scenarios);
    let baseline: Option<Name> = scenarios.first().map(|(name, _)| (*name).into());
    let mut table = TableBuilder::new("differences", &rows);
    table.text("scenario", "the scenario's name", |row| Some(row.scenario.clone()));
    table.text("baseline", "the name of the scenario that it is compared with", |_| baseline.clone());
    table.text("metric", "what differs: a column of `runs`", |row| Some(row.metric.name.into()));
    table.text("unit", "what the metric is in", |row| Some(unit_name(row.metric.unit).into()));
    table.uint("n", "count", format!("{N_MEANING} for both"), |row| row.difference.summary.n);
    for (nth, (statistic, meaning)) in Summary::STATISTICS.iter().zip(STATISTIC_MEANINGS).enumerate() {
        let meaning = format!("of the scenario's value less the baseline's in the same run: {meaning}");
        table.float(*statistic, UNIT, meaning, |row| row.difference.summary.values()[nth]);
    }
    let intervals: [(&str, &str, IntervalOf); 3] = [
        ("p50_ci95", "95% confidence interval of the median difference; null below six runs", |d| d.p50),
        ("p95_ci95", "95% confidence interval of the 95th percentile; null below 72 runs", |d| d.p95),
        (
            "corrected_ci95",
            "95% confidence interval of the mean that holds for all compared scenarios at once, by Bonferroni; null below two runs",
            |d| d.interval,
        ),
    ];
    for (name, meaning, interval) in intervals {
        table.float(format!("{name}_low"), UNIT, meaning, |row| Some(interval(&row.difference)?.low));
        table.float(format!("{name}_high"), UNIT, "its upper end", |row| {
            Some(interval(&row.difference)?.high)
        });
    }
    table.float(
        "corrected_p_value",
        "0 to 1",
        "the paired t-test's, with Holm's correction over the compared scenarios; null below two runs",
        |row| row.difference.p_value,
    );
    table.bool("differs", "whether the mean differs by more than noise, at 5%; null below two runs", |row| {
        row.difference.is_significant()
    });
    table.finish()
}

const UNIT: &str = "the metric's";

/// One of a difference's intervals.
type IntervalOf = fn(&Difference) -> Option<Interval>;

fn rows(scenarios: &[(&str, &[Outcome])]) -> Vec<Row> {
    let Some(((_, baseline), compared)) = scenarios.split_first() else { return vec![] };
    let outcomes: Vec<&[Outcome]> = compared.iter().map(|(_, outcomes)| *outcomes).collect();
    let by_metric: Vec<Vec<Difference>> =
        METRICS.iter().map(|metric| Difference::of_all(metric, &outcomes, baseline)).collect();
    let of_scenario = |(nth, (name, _)): (usize, &(&str, &[Outcome]))| {
        let scenario: Name = (*name).into();
        let differences = by_metric.iter().map(move |differences| differences[nth]);
        let metrics = METRICS.iter().zip(differences);
        metrics.map(move |(metric, difference)| Row { scenario: scenario.clone(), metric, difference })
    };
    compared.iter().enumerate().flat_map(of_scenario).collect()
}
