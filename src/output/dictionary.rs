//! The data dictionary: every column of every table, generated from the schema.

use super::differences::differences;
use super::schema::{self, AxisColumn, Design, N_MEANING, STATISTIC_MEANINGS};
use super::table::{Column, Table};
use crate::experiment::statistics::Summary;
use crate::metrics::METRICS;
use std::fmt::Write;

const INTRODUCTION: &str = "\
# Columns of the result files

Generated from `src/output/schema.rs` and `src/metrics/definitions.rs`; do not edit.

`runs` and `points` are written as `.parquet` and `.csv`, `faults` and `series` as `.parquet`; `requests` is the file
that `--requests` names. A missing value is null, in CSV an empty cell, and never 0. Rows stand in order of point, then
run. Times count from the start of the run.

A row of a sweep's `runs` is played alone, to the same bytes, with what it carries:
`failover-sim run EXPERIMENT --point POINT --run-index RUN --seed SEED`, and the `--set` that the sweep had, if any; a row of
`points`, with its `run_count`: `failover-sim run EXPERIMENT --point POINT --runs RUN_COUNT --seed SEED`. Only of a sweep with
`--metrics counts` the latencies are null, and `run` has them.
";

/// Every column of every table with its unit and its meaning, in Markdown.
pub fn data_dictionary() -> String {
    let swept = AxisColumn::new("<swept setting>", Vec::new());
    let design = Design { axes: vec![swept], ..Design::default() };
    let points = schema::points(&design, &[]);
    // A metric has ten columns there: they are explained once.
    let is_statistic = |column: &Column| METRICS.iter().any(|m| column.name.starts_with(m.name));
    let of_point = points.columns.iter().filter(|column| !is_statistic(column));

    let mut text = INTRODUCTION.to_owned();
    section(&mut text, "runs", "One row for each run of each point.");
    rows(&mut text, &schema::runs(&design, &[]).columns);
    section(&mut text, "points", "One row for each point: its runs together.");
    rows(&mut text, of_point);
    let mut row = |statistic: &str, unit: &str, meaning: &str| {
        row(&mut text, &format!("<metric>_{statistic}"), unit, meaning);
    };
    row("n", "count", &format!("{N_MEANING}; `<metric>` is each from `request_count` on in `runs`"));
    for (statistic, meaning) in Summary::STATISTICS.iter().zip(STATISTIC_MEANINGS) {
        row(statistic, "the metric's", meaning);
    }
    let others: [(Table, &str); 4] = [
        (schema::faults(&design, &[]), "One row for each run, fault, provider that it hits, and replica."),
        (schema::series(&design, &[]), "One row for each run and second, if a command records them."),
        (schema::requests("", &[], 0, &[]), "One row for each request, in order of arrival."),
        (
            differences(&[]),
            "One row for each scenario but the first, the baseline, and metric; in Python, of `compare`.",
        ),
    ];
    for (table, about) in others {
        section(&mut text, table.name, about);
        rows(&mut text, &table.columns);
    }
    text
}

fn section(text: &mut String, name: &str, about: &str) {
    write!(text, "\n## {name}\n\n{about}\n\n| column | unit | meaning |\n|---|---|---|\n").expect(INFALLIBLE);
}

fn rows<'a>(text: &mut String, columns: impl IntoIterator<Item = &'a Column>) {
    columns.into_iter().for_each(|column| row(text, &column.name, column.unit, &column.meaning));
}

fn row(text: &mut String, name: &str, unit: &str, meaning: &str) {
    writeln!(text, "| `{name}` | {unit} | {meaning} |").expect(INFALLIBLE);
}

const INFALLIBLE: &str = "a string takes what it is given";
