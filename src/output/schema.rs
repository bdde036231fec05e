//! The one schema: what tables there are, and for each column its name, unit, meaning and value.
//!
//! Files, the data dictionary and the tests are made from these definitions; metrics come from
//! [`crate::metrics::METRICS`].

use super::FileError;
use super::table::{Name, Table, TableBuilder};
use crate::engine::{Ending, RequestEnd};
use crate::experiment::axis::AxisValue;
use crate::experiment::segment::PointFacts;
use crate::experiment::statistics::{Summary, summarise};
use crate::metrics::{FaultOutcome, METRICS, Outcome, SecondCounts, Unit, Verdict};
use crate::model::Provider;
use crate::time::{SimDuration, SimTime};

fn axis_text(value: &AxisValue) -> Name {
    match value {
        AxisValue::Number(number) => number.to_string().into(),
        AxisValue::Text(text) => text.as_str().into(),
    }
}

/// One swept setting: a column of numbers if every value is one, of texts otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisColumn {
    /// The column's name.
    pub name: String,
    /// By point, or by point of a shard; `None` where the axis does not apply.
    pub values: Vec<Option<AxisValue>>,
    is_numeric: bool,
    /// There is a value for one of so many points.
    step: usize,
}

impl AxisColumn {
    /// A column with a value for each point.
    pub fn new(name: impl Into<String>, values: Vec<Option<AxisValue>>) -> Self {
        let is_numeric = are_numeric(values.iter().flatten());
        AxisColumn { name: name.into(), values, is_numeric, step: 1 }
    }

    /// The column of a shard, one of `count`, of a setting that takes numbers only or not.
    pub(super) fn of_shard(self, count: usize, is_numeric: bool) -> Self {
        AxisColumn { is_numeric, step: count, ..self }
    }

    fn value(&self, point: usize) -> Option<&AxisValue> {
        self.values.get(point / self.step)?.as_ref()
    }
}

pub(super) fn are_numeric<'a>(mut values: impl Iterator<Item = &'a AxisValue>) -> bool {
    values.all(|value| matches!(value, AxisValue::Number(_)))
}

/// What all rows of a command share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Design {
    /// The seed of all random numbers.
    pub seed: u64,
    /// The number of the first run of each point.
    pub first_run: u64,
    /// The swept settings.
    pub axes: Vec<AxisColumn>,
}

impl Design {
    /// Refuses a swept setting that is called what a column is called.
    ///
    /// # Errors
    /// With the first such name.
    pub fn check(&self) -> Result<(), FileError> {
        let plain = Design { axes: Vec::new(), ..*self };
        let (runs, points) = (runs(&plain, &[]), points(&plain, &[]));
        for (i, AxisColumn { name, .. }) in self.axes.iter().enumerate() {
            let is_twice = self.axes[..i].iter().any(|other| other.name == *name);
            if is_twice || runs.column(name).is_some() || points.column(name).is_some() {
                return Err(FileError::AxisName { name: name.clone() });
            }
        }
        Ok(())
    }
}

/// One combination of swept values, of one scenario, and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    /// Its place in the values of [`Design::axes`].
    pub number: usize,
    /// What there is to say of its model.
    pub facts: &'a PointFacts,
    /// One for each run, in order; none if it failed.
    pub outcomes: &'a [Outcome],
    /// Why it failed.
    pub error: Option<&'a str>,
}

/// What a number of this unit is in, in words.
pub(super) const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Ratio => "0 to 1",
        Unit::Quotient => "from 0",
        Unit::Milliseconds => "ms",
        Unit::PerSecond => "per second",
        Unit::PerDay => "per day",
        Unit::Usd => "USD",
        Unit::UsdPerDay => "USD per day",
    }
}

/// What each number of a [`Summary`] says of a metric, in the order of [`Summary::STATISTICS`].
pub(super) const STATISTIC_MEANINGS: [&str; Summary::STATISTICS.len()] = [
    "mean over runs",
    "95% confidence interval of the mean, by Student's t; null below two runs",
    "its upper end",
    "the range in which 95% of runs fall: 2.5th percentile",
    "97.5th percentile",
    "median run",
    "95th percentile",
    "smallest",
    "largest",
];

/// What the first of a metric's columns in `points` says.
pub(super) const N_MEANING: &str = "runs in which the metric has a value";

const SCENARIO: &str = "the scenario's name";
const POINT: &str = "which combination of swept values, from 0";
const VERDICT: &str = "\
    how the run stands at its end, by the share of requests that succeed after the faults (`success_after_ratio`): \
    `recovered` from 0.95 of the share before the first fault on, `degraded` from 0.5 on; below that `metastable` if a \
    request takes at least 1.1 times as many attempts as before, else `down`; null if there is no fault, if one lasts to \
    the end of arrivals, or if there is nothing to compare";
const RUN: &str = "which run; runs of this number see the same random numbers at every point";

/// Which run a row belongs to.
#[derive(Debug, Clone)]
struct RunId {
    scenario: Name,
    point: usize,
    run: u64,
}

fn runs_of<'a>(
    design: &Design,
    points: &'a [Point<'a>],
) -> impl Iterator<Item = (RunId, &'a Point<'a>, &'a Outcome)> {
    let first_run = design.first_run;
    points.iter().flat_map(move |point| {
        let scenario: Name = point.facts.scenario.as_str().into();
        (first_run..).zip(point.outcomes).map(move |(run, outcome)| {
            let id = RunId { scenario: Name::clone(&scenario), point: point.number, run };
            (id, point, outcome)
        })
    })
}

fn millis(duration: SimDuration) -> f64 {
    duration.as_millis_f64()
}

/// `runs`: one row for each run of each point.
pub fn runs(design: &Design, points: &[Point]) -> Table {
    let rows: Vec<(RunId, &Outcome)> =
        runs_of(design, points).map(|(id, _, outcome)| (id, outcome)).collect();
    let mut table = TableBuilder::new("runs", &rows);
    table.text("scenario", SCENARIO, |(id, _)| Some(id.scenario.clone()));
    table.uint("point", "number", POINT, |(id, _)| id.point as u64);
    add_axes(&mut table, design, |(id, _)| id.point);
    table.uint("run", "number", RUN, |(id, _)| id.run);
    table.uint("seed", "number", "the seed of all random numbers", |_| design.seed);
    table.text("verdict", VERDICT, |(_, outcome)| verdict_name(outcome.verdict()));
    for metric in METRICS {
        let unit = unit_name(metric.unit);
        if metric.unit == Unit::Count {
            // A count is far below 2^53, so nothing is lost on its way through a float.
            let value = |(_, outcome): &(RunId, &Outcome)| metric.of(outcome).map(|n| n as u64);
            table.uint(metric.name, unit, metric.meaning, value);
        } else {
            table.float(metric.name, unit, metric.meaning, |(_, outcome)| metric.of(outcome));
        }
    }
    table.finish()
}

fn verdict_name(verdict: Option<Verdict>) -> Option<Name> {
    verdict.map(|verdict| verdict.name().into())
}

fn add_axes<R>(table: &mut TableBuilder<R>, design: &Design, point_of: impl Fn(&R) -> usize) {
    for axis in &design.axes {
        let meaning = "a swept setting; null where it does not apply";
        let value = |row: &R| axis.value(point_of(row));
        if axis.is_numeric {
            table.float(axis.name.clone(), "the setting's", meaning, |row| match value(row) {
                Some(AxisValue::Number(number)) => Some(*number),
                _ => None,
            });
        } else {
            table.text(axis.name.clone(), meaning, |row| value(row).map(axis_text));
        }
    }
}

/// `points`: one row for each point, with every metric summarised over its runs.
pub fn points(design: &Design, points: &[Point]) -> Table {
    let rows: Vec<(&Point, Vec<Summary>)> = points.iter().map(|p| (p, summarise(p.outcomes))).collect();
    let mut table = TableBuilder::new("points", &rows);
    table.text("scenario", SCENARIO, |(point, _)| Some(point.facts.scenario.as_str().into()));
    table.uint("point", "number", POINT, |(point, _)| point.number as u64);
    add_axes(&mut table, design, |(point, _)| point.number);
    table.uint("run_count", "count", "runs played", |(point, _)| point.outcomes.len() as u64);
    table.text(
        "path",
        "how the engine played them: every path gives the same numbers; null if the point failed",
        |(point, _)| Some(point.facts.path.as_str()).filter(|path| !path.is_empty()).map(Name::from),
    );
    table.text("error", "why the point has no runs: its settings make no valid scenario, or the engine failed; null if it has", |(point, _)| {
        point.error.map(Name::from)
    });
    let commonest = |outcomes: &[Outcome]| Verdict::commonest(outcomes.iter().map(Outcome::verdict));
    table.text(
        "verdict",
        "the commonest of its runs, of several the worst; null if no run has one",
        |(point, _)| verdict_name(commonest(point.outcomes)),
    );
    for (m, metric) in METRICS.iter().enumerate() {
        let column = |statistic: &str| format!("{}_{statistic}", metric.name);
        table.uint(column("n"), "count", N_MEANING, |(_, summaries)| summaries[m].n);
        for (nth, (statistic, meaning)) in Summary::STATISTICS.iter().zip(STATISTIC_MEANINGS).enumerate() {
            let value = |(_, summaries): &(&Point, Vec<Summary>)| summaries[m].values()[nth];
            table.float(column(statistic), unit_name(metric.unit), meaning, value);
        }
    }
    table.finish()
}

/// `faults`: one row for each run, fault, provider that it hits, and replica.
pub fn faults(design: &Design, points: &[Point]) -> Table {
    struct Row<'a> {
        id: RunId,
        facts: &'a PointFacts,
        row: &'a FaultOutcome,
    }
    let rows: Vec<Row> = runs_of(design, points)
        .flat_map(|(id, point, outcome)| {
            outcome.faults.iter().map(move |row| Row { id: id.clone(), facts: point.facts, row })
        })
        .collect();
    let mut table = TableBuilder::new("faults", &rows);
    table.text("scenario", SCENARIO, |r| Some(r.id.scenario.clone()));
    table.uint("point", "number", POINT, |r| r.id.point as u64);
    table.uint("run", "number", RUN, |r| r.id.run);
    table.text("fault", "the fault's name", |r| Some(r.facts.faults[r.row.fault].name.as_str().into()));
    table.text("provider", "a provider that it hits", |r| {
        Some(r.facts.providers[r.row.provider.index()].as_str().into())
    });
    table.uint("replica", "number", "which replica of the gateway, from 0", |r| u64::from(r.row.replica));
    table.float("fault_start_ms", "ms", "when the fault starts, from the start of the run", |r| {
        r.facts.faults[r.row.fault].start.as_millis_f64()
    });
    table.float("fault_end_ms", "ms", "when it is over, from the start of the run", |r| {
        r.facts.faults[r.row.fault].end.as_millis_f64()
    });
    table.float(
        "time_to_detect_ms",
        "ms",
        "from its start to the first ejection of the provider by the replica before its end; null if never",
        |r| r.row.detected_after.map(millis),
    );
    table.float(
        "time_to_recover_ms",
        "ms",
        "from its end to the first admission after it; null if the provider was not ejected then, or never came back",
        |r| r.row.recovered_after.map(millis),
    );
    table.finish()
}

/// `series`: one row for each run and second, of the runs that recorded all requests of each.
pub fn series(design: &Design, points: &[Point]) -> Table {
    let rows: Vec<(RunId, u64, u32, SecondCounts)> = runs_of(design, points)
        .flat_map(|(id, _, outcome)| {
            let seconds = (0..).zip(outcome.series.as_deref().unwrap_or_default());
            seconds.filter_map(move |(second, counts)| {
                Some((id.clone(), second, counts.request_count?, *counts))
            })
        })
        .collect();
    let mut table = TableBuilder::new("series", &rows);
    table.text("scenario", SCENARIO, |(id, ..)| Some(id.scenario.clone()));
    table.uint("point", "number", POINT, |(id, ..)| id.point as u64);
    table.uint("run", "number", RUN, |(id, ..)| id.run);
    table.uint("second", "s", "second of arrival, from the start of the run", |(_, second, ..)| *second);
    table.uint(
        "request_count",
        "count",
        "requests that arrived in it: succeeded + failed + open",
        |(.., requests, _)| u64::from(*requests),
    );
    table.uint(
        "succeeded_count",
        "count",
        "those with a complete good answer by the client's deadline",
        |(.., requests, c)| u64::from(requests - c.failed_count - c.open_count),
    );
    table.uint("failed_count", "count", "those without one", |(.., c)| u64::from(c.failed_count));
    table.uint("open_count", "count", "those that never end", |(.., c)| u64::from(c.open_count));
    table.finish()
}

/// `requests`: one row for each request of one run; `providers` are the model's.
pub fn requests(scenario: &str, providers: &[Provider], run: u64, requests: &[RequestEnd]) -> Table {
    let scenario: Name = scenario.into();
    let providers: Vec<Name> = providers.iter().map(|p| p.name.as_str().into()).collect();
    let ended = |r: &RequestEnd| (r.ended < SimTime::NEVER).then_some(r.ended);
    let mut table = TableBuilder::new("requests", requests);
    table.text("scenario", SCENARIO, |_| Some(scenario.clone()));
    table.uint("run", "number", RUN, |_| run);
    table.uint("request", "number", "its place in the order of arrival, from 0", |r| r.ordinal);
    table.uint("replica", "number", "the replica of the gateway that handled it, from 0", |r| {
        u64::from(r.replica)
    });
    table.float("arrival_ms", "ms", "when it arrived, from the start of the run", |r| {
        r.arrived.as_millis_f64()
    });
    table.float("end_ms", "ms", "when it ended, from the start of the run; null if it is open", |r| {
        ended(r).map(SimTime::as_millis_f64)
    });
    table.float("latency_ms", "ms", "from arrival to end, however it ended; null if it is open", |r| {
        ended(r).map(|end| millis(end.since(r.arrived)))
    });
    table
        .text("outcome", "`succeeded`, `failed`, or `open`: it never ends", |r| Some(r.ending.name().into()));
    table.text("cause", "why it failed, as its client saw it; null if it did not", |r| match r.ending {
        Ending::Failed(cause, _) => Some(cause.name().into()),
        _ => None,
    });
    table.text("stage", "in which stage of the incident it was lost; null if it did not fail", |r| {
        match r.ending {
            Ending::Failed(_, stage) => Some(stage.name().into()),
            _ => None,
        }
    });
    table.uint(
        "status",
        "HTTP status",
        "the error status that the client got from a provider; null if none",
        |r| r.status.map(u64::from),
    );
    table.text("provider", "the provider of its last attempt; null if none was made", |r| {
        r.provider.map(|p| providers[p.index()].clone())
    });
    table.uint("attempt_count", "count", "attempts made for it", |r| u64::from(r.attempts));
    table.bool("saved_by_hand", "whether it succeeded only because somebody had switched providers", |r| {
        r.saved_by_hand
    });
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swept_setting_may_not_be_called_what_a_column_is_called() {
        let design = |names: &[&str]| {
            let axis = |name: &&str| AxisColumn::new(*name, Vec::new());
            Design { axes: names.iter().map(axis).collect(), ..Design::default() }
        };
        assert!(design(&["interval", "timeout"]).check().is_ok());
        for taken in [&["run"][..], &["run_count"], &["error"], &[METRICS[0].name], &["interval", "interval"]]
        {
            assert!(matches!(design(taken).check(), Err(FileError::AxisName { .. })), "{taken:?}");
        }
    }
}
