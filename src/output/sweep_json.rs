//! The document that `sweep --format json` and `merge --format json` print: what the folder has, and every point of it.

use super::json::{ByName, MetricDocument};
use super::manifest::SCHEMA_VERSION;
use super::plan::{Plan, Recorded};
use super::schema::Point;
use super::table_file::WrittenFile;
use crate::metrics::{METRICS, Verdict};
use serde::Serialize;
use serde_json::{Map, Value};

/// What a sweep came to, without its points.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepDocument<'a> {
    /// Grows when a reader could break.
    pub schema_version: u32,
    /// The folder with the tables.
    pub folder: String,
    /// The seed of all random numbers.
    pub seed: u64,
    /// What was recorded of a run: with `counts`, metrics of latency have no value.
    pub recorded: Recorded,
    /// The part that was played, as `1/4`; null if it is all of the sweep.
    pub shard: Option<String>,
    /// Points of all shards.
    pub point_count: usize,
    /// Points that failed here.
    pub failed_point_count: usize,
    /// The fewest runs of a point that did not.
    pub run_count_min: u64,
    /// The most.
    pub run_count_max: u64,
    /// The tables.
    pub files: &'a [WrittenFile],
}

/// One point.
#[derive(Debug, Serialize)]
struct PointDocument<'a> {
    scenario: &'a str,
    point: usize,
    /// The swept settings that apply to it, by their columns.
    settings: Map<String, Value>,
    run_count: usize,
    /// Why it has no runs.
    error: Option<&'a str>,
    verdict: Option<&'static str>,
    /// Null if it failed.
    metrics: Option<ByName<MetricDocument>>,
}

impl<'a> SweepDocument<'a> {
    /// A sweep of this plan in this folder.
    pub fn new(
        folder: String,
        plan: &Plan,
        failed_point_count: usize,
        (run_count_min, run_count_max): (u64, u64),
        files: &'a [WrittenFile],
    ) -> Self {
        SweepDocument {
            schema_version: SCHEMA_VERSION,
            folder,
            seed: plan.seed,
            recorded: plan.metrics,
            shard: plan.shard.map(|shard| shard.to_string()),
            point_count: plan.point_count,
            failed_point_count,
            run_count_min,
            run_count_max,
            files,
        }
    }

    /// The beginning of the text, up to the list of points; [`Self::END`] is its end.
    ///
    /// All points of a sweep may be more than fit in memory, so what is between the two is written as it comes.
    pub fn begin(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a summary is plain data");
        let open = text.strip_suffix("\n}").expect("it is an object");
        format!("{open},\n  \"points\": [")
    }

    /// The end of the text.
    pub const END: &'static str = "\n  ]\n}\n";
}

/// Some points of the text, a line for each; the first of all points comes after no comma.
pub fn point_lines(plan: &Plan, points: &[Point], are_first: bool) -> String {
    let line = |(nth, point): (usize, &Point)| {
        let comma = if are_first && nth == 0 { "" } else { "," };
        let text = serde_json::to_string(&PointDocument::of(plan, point)).expect("a point is plain data");
        format!("{comma}\n    {text}")
    };
    points.iter().enumerate().map(line).collect()
}

impl<'a> PointDocument<'a> {
    fn of(plan: &Plan, point: &'a Point) -> Self {
        let value = |axis: &super::PlanAxis| {
            Some((axis.name.clone(), axis.values.get(plan.place_of(point.number))?.clone()))
        };
        let settings = plan.axes.iter().filter_map(value).filter(|(_, value)| !value.is_null());
        let metrics = METRICS.iter().map(|metric| (metric.name, MetricDocument::of(metric, point.outcomes)));
        let verdicts = point.outcomes.iter().map(crate::metrics::Outcome::verdict);
        PointDocument {
            scenario: &point.facts.scenario,
            point: point.number,
            settings: settings.collect(),
            run_count: point.outcomes.len(),
            error: point.error,
            verdict: Verdict::commonest(verdicts).map(Verdict::name),
            metrics: point.error.is_none().then(|| ByName(metrics.collect())),
        }
    }
}
