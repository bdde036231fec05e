//! Many points in little room: swept settings and what runs say of metrics, a column each.

use super::number::Number;
use crate::experiment::axis::{Axis, AxisKind, AxisValue};
use crate::metrics::Metric;
use crate::output::{AxisColumn, Table};
use crate::time::SimDuration;
use serde::{Serialize, Serializer};

/// With more values than these an axis of numbers has no list of them: points have the numbers themselves.
const VALUES_MAX: usize = 120;

/// One swept setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AxisReport {
    /// Such as `gateway.health_check.interval`; `case` for cases. The column, where the setting is not known.
    pub path: String,
    /// The column of tables.
    pub column: String,
    /// In words: `health check interval`.
    pub label: String,
    /// What `numbers` are in: `ms`, `per_second`, or null.
    pub unit: Option<&'static str>,
    /// Whether people decide on it; else it is what happens to them, such as how long an outage lasts. Null if that is not
    /// known.
    pub decided: Option<bool>,
    /// As TOML text, ascending where they are numbers; null where there are too many.
    pub values: Option<Vec<String>>,
    /// The same as numbers; null for texts, and where there are too many.
    pub numbers: Option<Vec<Number>>,
}

/// A column of places in lists, or of the numbers themselves.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum AxisPoints {
    /// Places in [`AxisReport::values`]; null where the axis does not apply.
    Places(Vec<Option<usize>>),
    /// Numbers, in [`AxisReport::unit`].
    Numbers(Vec<Option<Number>>),
}

/// One number for all points, or one for each.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Counts {
    /// The same everywhere.
    Same(u64),
    /// By point.
    Each(Vec<u64>),
}

impl Counts {
    pub(super) fn of(counts: Vec<u64>) -> Self {
        match counts.first() {
            Some(first) if counts.iter().all(|count| count == first) => Counts::Same(*first),
            _ => Counts::Each(counts),
        }
    }
}

/// What runs say of one metric, by point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EstimateColumns {
    /// Runs in which it has a value.
    pub n: Counts,
    /// Means.
    pub mean: Column,
    /// The range in which 95% of runs fall; absent where there was no room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pi95_low: Option<Column>,
    /// Its upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pi95_high: Option<Column>,
    /// The 95% confidence interval of the mean; absent where there was no room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci95_low: Option<Column>,
    /// Its upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci95_high: Option<Column>,
}

/// Numbers by point; null where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// As tables have them.
    pub values: Vec<Option<f64>>,
    /// Significant digits that are written.
    pub digits: usize,
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = |value: &Option<f64>| value.map(|value| Number(rounded(value, self.digits)));
        serializer.collect_seq(self.values.iter().map(written))
    }
}

fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

/// What a metric is, beside its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetricReport {
    /// The column of tables.
    pub name: &'static str,
    /// In words: `failed requests`.
    pub label: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// As [`super::MetricRow::unit`].
    pub unit: &'static str,
    /// `lower` or `higher`.
    pub better: &'static str,
}

/// By name, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimates(pub Vec<(String, EstimateColumns)>);

impl Serialize for Estimates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, columns)| (name, columns)))
    }
}

/// Metrics that points are compared by, those that matter most first.
pub(super) const TELLING: [(&str, &str, &str); 12] = [
    ("failed_count", "failed requests", "lower"),
    ("request_latency_ms_p95", "latency, 95th percentile", "lower"),
    ("cost_usd", "cost", "lower"),
    ("false_ejection_per_day", "false ejections a day", "lower"),
    ("time_to_detect_ms", "time to detect", "lower"),
    ("budget_spent_ratio", "error budget spent", "lower"),
    ("probe_per_day", "probes a day", "lower"),
    ("time_to_recover_ms", "time to recover", "lower"),
    ("availability_ratio", "availability", "higher"),
    ("open_count", "requests that never end", "lower"),
    ("request_latency_ms_p99", "latency, 99th percentile", "lower"),
    ("cost_probe_usd_per_day", "cost of probes a day", "lower"),
];

impl MetricReport {
    pub(super) fn of(metric: &'static Metric, label: &'static str, better: &'static str) -> Self {
        // What the table of metrics says of one after the other has to stand alone here.
        let meaning = match metric.name {
            "request_latency_ms_p95" => "95th percentile of the latency of succeeded requests, to within 1%",
            "request_latency_ms_p99" => "99th percentile of the latency of succeeded requests, to within 1%",
            "failed_count" => "requests without a complete good answer by the client's deadline",
            "probe_per_day" => "health check calls for 24 hours of simulated time",
            "false_ejection_per_day" => {
                "ejections with no fault active since their evidence began, for 24 hours of simulated time"
            }
            "cost_probe_usd_per_day" => "what providers charge for probes, for 24 hours of simulated time",
            _ => metric.meaning,
        };
        MetricReport { name: metric.name, label, meaning, unit: super::words::unit_name(metric.unit), better }
    }
}

/// What a table of points says of a metric; `None` if that is nothing, or nothing but zeros.
pub(super) fn estimates(table: &Table, metric: &str) -> Option<EstimateColumns> {
    let rows = 0..table.row_count();
    let column = |statistic: &str| {
        let name = format!("{metric}_{statistic}");
        let values = rows.clone().map(|row| table.number(&name, row)).collect();
        Column { values, digits: 4 }
    };
    let [mean, max] = ["mean", "max"].map(column);
    let is_telling = |column: &Column| column.values.iter().flatten().any(|value| *value != 0.0);
    if !is_telling(&mean) && !is_telling(&max) && metric != "failed_count" {
        return None;
    }
    let n = rows.clone().map(|row| table.whole(&format!("{metric}_n"), row).unwrap_or(0)).collect();
    Some(EstimateColumns {
        n: Counts::of(n),
        mean,
        pi95_low: Some(column("pi95_low")),
        pi95_high: Some(column("pi95_high")),
        ci95_low: Some(column("ci95_low")),
        ci95_high: Some(column("ci95_high")),
    })
}

/// An axis, and where points are on it; `known` is what the experiment says of it.
pub(super) fn axis(column: &AxisColumn, known: Option<&Axis>) -> (AxisReport, AxisPoints) {
    let path = known.map_or(column.name.as_str(), |axis| &axis.path);
    let kind = known.map(|axis| axis.kind);
    let mut report = AxisReport {
        path: path.to_owned(),
        column: column.name.clone(),
        label: readable(path),
        unit: match kind {
            Some(AxisKind::Duration) => Some("ms"),
            Some(AxisKind::Rate) => Some("per_second"),
            Some(_) => None,
            None => ["_ms", "_per_s"]
                .iter()
                .zip(["ms", "per_second"])
                .find(|(end, _)| path.ends_with(**end))
                .map(|(_, unit)| unit),
        },
        decided: known.map(is_decided),
        values: None,
        numbers: None,
    };
    let mut distinct: Vec<&AxisValue> = Vec::new();
    for value in column.values.iter().flatten() {
        if distinct.len() <= VALUES_MAX && !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    let number = |value: &AxisValue| match value {
        AxisValue::Number(number) => Some(*number),
        AxisValue::Text(_) => None,
    };
    let is_numeric = column.values.iter().flatten().all(|value| number(value).is_some());
    if is_numeric && distinct.len() > VALUES_MAX {
        let numbers = column.values.iter().map(|value| value.as_ref().and_then(number).map(Number)).collect();
        return (report, AxisPoints::Numbers(numbers));
    }
    let mut values: Vec<AxisValue> = Vec::new();
    if is_numeric {
        distinct.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)));
        values.extend(distinct.into_iter().cloned());
        report.numbers = Some(values.iter().filter_map(number).map(Number).collect());
    } else {
        for value in column.values.iter().flatten() {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
    }
    report.values = Some(values.iter().map(|value| shown(value, report.unit)).collect());
    let place = |value: &Option<AxisValue>| values.iter().position(|known| Some(known) == value.as_ref());
    (report, AxisPoints::Places(column.values.iter().map(place).collect()))
}

/// A value as people write it.
pub(super) fn shown(value: &AxisValue, unit: Option<&str>) -> String {
    match (value, unit) {
        (AxisValue::Text(text), _) => text.clone(),
        (AxisValue::Number(ms), Some("ms")) => SimDuration::from_nanos((ms * 1e6).round() as u64).to_string(),
        (AxisValue::Number(number), Some("per_second")) => format!("{number}/s"),
        (AxisValue::Number(number), _) => number.to_string(),
    }
}

/// `gateway.health_check.interval` as `health check interval`.
pub(super) fn readable(path: &str) -> String {
    let path = ["gateway.", "traffic."].iter().find_map(|top| path.strip_prefix(top)).unwrap_or(path);
    crate::output::terminal::plain(&path.replace(['.', '_'], " "))
}

/// Whether people decide on all that an axis sets.
pub(super) fn is_decided(axis: &Axis) -> bool {
    axis.paths().iter().all(|path| super::settings::is_decision(path))
}
