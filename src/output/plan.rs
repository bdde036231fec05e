//! What a sweep's ledger is of: enough to tell whether another command goes on with it, and to write its tables.

use super::FileError;
use super::manifest::{Request, ScenarioProvenance};
use super::partial::PartialFile;
use super::schema::{AxisColumn, Design, are_numeric};
use crate::experiment::axis::AxisValue;
use crate::scenario::SAID;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

/// Grows when a ledger of an earlier program cannot be gone on with.
const PLAN_VERSION: u32 = 3;

/// Of all sources of this program: two builds with the same one give the same numbers.
pub const BUILD: &str = env!("FAILOVER_SIM_SOURCES");

/// A sweep, whatever the number of its runs. What it says of points, it says of those that are played here: a sweep of a
/// million points in a thousand shards has a thousand plans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of plans of the program that made it.
    pub schema_version: u32,
    /// The version of that program.
    pub version: String,
    /// [`BUILD`] of that program.
    pub build: String,
    /// The seed of all random numbers.
    pub seed: u64,
    /// What is recorded of a run.
    pub metrics: Recorded,
    /// Of what defines the sweep and the program: the same in all shards, and in no other sweep, by
    /// [`sweep_fingerprint`](crate::experiment::survey::sweep_fingerprint).
    pub fingerprint: u64,
    /// Of the models of the points that are played here, by [`Survey`](crate::experiment::survey::Survey). Those of shards
    /// add up to that of the sweep.
    pub points_fingerprint: u64,
    /// The CRC-32 of every file that the points played here read beside the scenarios, as of
    /// [`files_read`](crate::scenario::Document::files_read).
    pub files: BTreeMap<String, u32>,
    /// The part that is played here; `None` is all of it.
    pub shard: Option<Shard>,
    /// Points of all shards.
    pub point_count: usize,
    /// What was asked for.
    #[serde(default)]
    pub request: Request,
    /// How the points are chosen: the design, and the conditions that they are kept for.
    pub design: Vec<String>,
    /// What is run.
    pub scenarios: Vec<ScenarioProvenance>,
    /// The swept settings.
    pub axes: Vec<PlanAxis>,
}

/// One swept setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanAxis {
    /// The column's name.
    pub name: String,
    /// Each value that it takes, of a range the two ends.
    pub takes: Vec<Value>,
    /// By point that is played here: a number, a text, or null where the axis does not apply.
    pub values: Vec<Value>,
}

/// What is recorded of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recorded {
    /// Every metric.
    All,
    /// Every metric but those of latency.
    Counts,
}

/// Part `index` of `count`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Of how many parts; at least 1.
    pub count: usize,
    /// Which; 1 to `count`.
    pub index: usize,
}

impl Shard {
    /// Whether the point of this number belongs to it.
    ///
    /// Every `count` neighbours go to different shards. Which one goes where moves on by one each time, so that no
    /// shard gets all points with the dearest value of an axis.
    pub fn has(self, point: usize) -> bool {
        Shard::of(point, self.count) == self
    }

    /// The one of `count` shards that has the point of this number.
    fn of(point: usize, count: usize) -> Shard {
        Shard { count, index: (point + point / count) % count + 1 }
    }

    /// Its points, of so many of the sweep, ascending: of each `count` neighbours one.
    pub fn points(self, point_count: usize) -> impl Iterator<Item = usize> {
        let Shard { count, index } = self;
        let of_round = move |round: usize| round * count + (index - 1 + count - round % count) % count;
        (0..point_count.div_ceil(count)).map(of_round).filter(move |point| *point < point_count)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let shard = numbers.map(|(index, count)| Shard { count, index });
        let shard = shard.filter(|shard| (1..=shard.count).contains(&shard.index));
        shard.ok_or("write the part and how many there are, such as 2/4")
    }
}

fn json_of(value: &AxisValue) -> Value {
    match value {
        AxisValue::Number(number) => (*number).into(),
        AxisValue::Text(text) => text.as_str().into(),
    }
}

fn value_of(value: &Value) -> Option<AxisValue> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(AxisValue::Text(text.clone())),
        number => number.as_f64().map(AxisValue::Number),
    }
}

impl PlanAxis {
    /// An axis that takes these values, and its values at the points that are played here.
    pub fn new(takes: &[AxisValue], column: &AxisColumn) -> Self {
        let values = column.values.iter().map(|value| value.as_ref().map_or(Value::Null, json_of));
        PlanAxis {
            name: column.name.clone(),
            takes: takes.iter().map(json_of).collect(),
            values: values.collect(),
        }
    }
}

impl Plan {
    /// [`Self::schema_version`], [`Self::version`] and [`Self::build`] of this program.
    pub fn of_this_program() -> (u32, String, String) {
        (PLAN_VERSION, env!("CARGO_PKG_VERSION").to_owned(), BUILD.to_owned())
    }

    /// What all rows share.
    pub fn design(&self) -> Design {
        let column = |axis: &PlanAxis| {
            let column = AxisColumn::new(axis.name.clone(), axis.values.iter().map(value_of).collect());
            let takes: Vec<AxisValue> = axis.takes.iter().filter_map(value_of).collect();
            column.of_shard(self.shard.map_or(1, |shard| shard.count), are_numeric(takes.iter()))
        };
        Design { seed: self.seed, first_run: 0, axes: self.axes.iter().map(column).collect() }
    }

    /// The numbers of the points that are played here, ascending.
    pub fn points(&self) -> Vec<usize> {
        match self.shard {
            None => (0..self.point_count).collect(),
            Some(shard) => shard.points(self.point_count).collect(),
        }
    }

    /// The place of a point that is played here among all that are.
    pub(super) fn place_of(&self, point: usize) -> usize {
        point / self.shard.map_or(1, |shard| shard.count)
    }

    /// The plan of the whole sweep, of those of all its shards, in any order; `None` if they are not that.
    pub fn joined(shards: &[&Plan]) -> Option<Plan> {
        let count = shards.first()?.shard?.count;
        let mut parts: Vec<Option<&Plan>> = vec![None; count];
        for plan in shards {
            let shard = plan.shard.filter(|shard| shard.count == count)?;
            parts[shard.index - 1] = Some(plan);
        }
        let parts: Vec<&Plan> = parts.into_iter().collect::<Option<_>>()?;
        let first = parts[0];
        let value = |axis: usize, point: usize| {
            let values = &parts[Shard::of(point, count).index - 1].axes.get(axis)?.values;
            values.get(point / count).cloned()
        };
        let axis = |(nth, axis): (usize, &PlanAxis)| {
            let values = (0..first.point_count).map(|point| value(nth, point)).collect::<Option<_>>()?;
            Some(PlanAxis { name: axis.name.clone(), takes: axis.takes.clone(), values })
        };
        Some(Plan {
            shard: None,
            points_fingerprint: parts.iter().map(|p| p.points_fingerprint).fold(0, u64::wrapping_add),
            files: parts.iter().flat_map(|p| p.files.clone()).collect(),
            axes: first.axes.iter().enumerate().map(axis).collect::<Option<_>>()?,
            version: first.version.clone(),
            build: first.build.clone(),
            request: first.request.clone(),
            design: first.design.clone(),
            scenarios: first.scenarios.clone(),
            ..*first
        })
    }

    /// Writes it to a file that must not exist.
    pub(super) fn write(&self, path: &Path) -> Result<(), FileError> {
        let mut file = PartialFile::create(path, false)?;
        let text = serde_json::to_string(self).expect("a plan is plain data") + "\n";
        file.write_all(text.as_bytes()).map_err(FileError::write(path))?;
        file.commit().map(|_| ())
    }

    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        let text = std::fs::read(path).map_err(FileError::read(path))?;
        // Its version first: another one may have other fields.
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let damaged = |error: serde_json::Error| FileError::Damaged {
            path: path.to_owned(),
            what: format!("it is no plan of a sweep ({error})"),
        };
        let Version { schema_version } = serde_json::from_slice(&text).map_err(damaged)?;
        if schema_version != PLAN_VERSION {
            return Err(FileError::Damaged {
                path: path.to_owned(),
                what: format!(
                    "it has schema version {schema_version}, and this program writes version {PLAN_VERSION}"
                ),
            });
        }
        serde_json::from_slice(&text).map_err(damaged)
    }

    /// What keeps `now` from going on with this, in words, the first thing only; `None` if nothing does.
    pub fn difference(&self, now: &Plan) -> Option<String> {
        let part = |plan: &Plan| match plan.shard {
            None => "all points".to_owned(),
            Some(shard) => format!("the points of shard {shard}"),
        };
        if let Some(difference) = self.difference_of_sweep(now) {
            return Some(difference);
        }
        if self.shard != now.shard {
            return Some(format!("it has {}, and not {}", part(self), part(now)));
        }
        let are_others = self.points_fingerprint != now.points_fingerprint;
        are_others.then(|| match self.files.iter().find(|(name, _)| self.file_differs(now, name)) {
            Some((name, _)) => format!("`{name}` has changed, which its points read"),
            None => CHANGED.to_owned(),
        })
    }

    /// Whether both have read a file of this name, and not with the same content.
    fn file_differs(&self, now: &Plan, name: &str) -> bool {
        self.files.get(name).zip(now.files.get(name)).is_some_and(|(old, new)| old != new)
    }

    /// What keeps the two from being of one sweep, whichever of its points they have.
    pub fn difference_of_sweep(&self, now: &Plan) -> Option<String> {
        if self.version != now.version {
            return Some(format!("it is of version {}, and this is version {}", self.version, now.version));
        }
        if self.build != now.build {
            return Some(format!(
                "it was begun with build {} of failover-sim, and this is build {}",
                self.build, now.build
            ));
        }
        if self.seed != now.seed {
            return Some(format!("it has seed {}, and not {}", self.seed, now.seed));
        }
        if self.metrics != now.metrics {
            let name = |metrics| if metrics == Recorded::All { "all" } else { "counts" };
            return Some(format!(
                "it has `--metrics {}`, and not `{}`",
                name(self.metrics),
                name(now.metrics)
            ));
        }
        self.difference_of_points(now)
    }

    fn difference_of_points(&self, now: &Plan) -> Option<String> {
        let names = |plan: &Plan| list(plan.scenarios.iter().map(|scenario| scenario.name.as_str()));
        let axes = |plan: &Plan| list(plan.axes.iter().map(|axis| axis.name.as_str()));
        let design = |plan: &Plan| list(plan.design.iter().map(String::as_str));
        if names(self) != names(now) {
            return Some(format!("it has the scenarios {}, and not {}", names(self), names(now)));
        }
        for (old, new) in self.scenarios.iter().zip(&now.scenarios) {
            if let Some((path, old_value, new_value)) = first_difference("", &old.resolved, &new.resolved) {
                return Some(format!("`{path}` of `{}` is {old_value} there, and {new_value} now", old.name));
            }
        }
        if axes(self) != axes(now) {
            return Some(format!("it sweeps {}, and not {}", axes(self), axes(now)));
        }
        for (old, new) in self.axes.iter().zip(&now.axes) {
            let distinct =
                |axis: &PlanAxis| axis.takes.iter().map(Value::to_string).collect::<BTreeSet<String>>();
            let (old_values, new_values) = (distinct(old), distinct(new));
            if let Some(value) = new_values.difference(&old_values).next() {
                return Some(format!("the axis `{}` has no value {value} there", old.name));
            }
            if let Some(value) = old_values.difference(&new_values).next() {
                return Some(format!(
                    "the axis `{}` has a value {value} there, which it has not now",
                    old.name
                ));
            }
            if old.takes != new.takes {
                return Some(format!("the values of the axis `{}` stand in another order", old.name));
            }
        }
        if self.point_count == now.point_count && self.fingerprint == now.fingerprint {
            return None;
        }
        // Another design may be another way to choose the same points.
        if self.design != now.design {
            return Some(format!("its points are chosen by {}, and not by {}", design(self), design(now)));
        }
        if self.point_count != now.point_count {
            return Some(format!("it has {} points, and not {}", self.point_count, now.point_count));
        }
        Some(CHANGED.to_owned())
    }
}

const CHANGED: &str = "a file that its scenarios read has changed, such as a trace";

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// The path of the first setting that differs, and its values.
fn first_difference(path: &str, old: &Value, new: &Value) -> Option<(String, String, String)> {
    if let (Value::Object(old), Value::Object(new)) = (old, new) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        return keys.into_iter().find_map(|key| {
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let value = |table: &serde_json::Map<String, Value>| table.get(key).cloned().unwrap_or_default();
            if SAID.contains(&inner.as_str()) {
                None
            } else {
                first_difference(&inner, &value(old), &value(new))
            }
        });
    }
    let shown = |value: &Value| if value.is_null() { "not set".to_owned() } else { value.to_string() };
    (old != new).then(|| (path.to_owned(), shown(old), shown(new)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan() -> Plan {
        let interval = vec![Some(AxisValue::Number(0.1)), Some(AxisValue::Number(1.0 / 3.0)), None];
        let probes = vec![Some(AxisValue::Text("hang".to_owned())), Some(AxisValue::Number(503.0)), None];
        let axis = |name: &str, values: Vec<Option<AxisValue>>| {
            let takes: Vec<AxisValue> = values.iter().flatten().cloned().collect();
            PlanAxis::new(&takes, &AxisColumn::new(name, values))
        };
        let axes = vec![axis("interval_ms", interval), axis("probes", probes)];
        let scenario = ScenarioProvenance {
            name: "story".to_owned(),
            path: "story.toml".to_owned(),
            resolved: json!({ "about": "a", "gateway": { "replicas": 1, "retry": { "attempts": 2 } } }),
            text: "about = \"a\"".to_owned(),
            standalone: "about = \"a\"".to_owned(),
        };
        let (schema_version, version, build) = Plan::of_this_program();
        Plan {
            schema_version,
            version,
            build,
            seed: 7,
            metrics: Recorded::All,
            fingerprint: 99,
            points_fingerprint: 999,
            files: BTreeMap::from([("a.csv".to_owned(), 9)]),
            shard: None,
            point_count: 3,
            request: Request::default(),
            design: vec!["a grid".to_owned()],
            scenarios: vec![scenario],
            axes,
        }
    }

    #[test]
    fn a_plan_can_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        plan().write(&path).unwrap();
        let read = Plan::read(&path).unwrap();
        assert_eq!((&read, read.design()), (&plan(), plan().design()));
        assert_eq!(read.difference(&plan()), None);
        let text = std::fs::read_to_string(&path).unwrap();
        for (bad, complaint) in [
            (text[..40].to_owned(), "no plan of a sweep"),
            (text.replace("\"schema_version\":3", "\"schema_version\":9"), "schema version 9"),
        ] {
            std::fs::write(&path, bad).unwrap();
            let error = Plan::read(&path).unwrap_err();
            assert!(error.is_bad_input() && error.to_string().contains(complaint), "{error}");
        }
    }

    #[test]
    fn what_differs_is_told() {
        let told = |change: &dyn Fn(&mut Plan)| {
            let mut now = plan();
            change(&mut now);
            plan().difference(&now).unwrap_or_default()
        };
        assert_eq!(told(&|plan| plan.scenarios[0].resolved["about"] = json!("b")), "");
        let expect = json!([{ "expect": "failed_count <= 5" }]);
        assert_eq!(told(&|plan| plan.scenarios[0].resolved["objective"] = expect.clone()), "");
        let of_setting = told(&|plan| plan.scenarios[0].resolved["gateway"]["retry"]["attempts"] = json!(3));
        assert_eq!(of_setting, "`gateway.retry.attempts` of `story` is 2 there, and 3 now");
        let of_new = told(&|plan| plan.scenarios[0].resolved["gateway"]["hedge"] = json!({ "after": "1s" }));
        assert!(of_new.starts_with("`gateway.hedge` of `story` is not set there"), "{of_new}");
        assert_eq!(
            told(&|plan| (plan.build, plan.fingerprint) = ("b".to_owned(), 1)),
            format!("it was begun with build {BUILD} of failover-sim, and this is build b")
        );
        assert_eq!(told(&|plan| plan.seed = 8), "it has seed 7, and not 8");
        assert_eq!(told(&|plan| plan.metrics = Recorded::Counts), "it has `--metrics all`, and not `counts`");
        assert_eq!(
            told(&|plan| plan.axes[1].name = "x".to_owned()),
            "it sweeps `interval_ms`, `probes`, and not `interval_ms`, `x`"
        );
        assert_eq!(
            told(&|plan| plan.axes[0].takes[0] = json!(0.2)),
            "the axis `interval_ms` has no value 0.2 there"
        );
        assert_eq!(
            told(&|plan| plan.axes[0].takes.swap(0, 1)),
            "the values of the axis `interval_ms` stand in another order"
        );
        assert_eq!(told(&|plan| plan.design.push("a <= b".to_owned())), "");
        let other = |plan: &mut Plan| {
            (plan.point_count, plan.design) = (2, ["a grid", "a <= b"].map(str::to_owned).to_vec())
        };
        assert_eq!(told(&other), "its points are chosen by `a grid`, and not by `a grid`, `a <= b`");
        assert_eq!(told(&|plan| plan.point_count = 4), "it has 3 points, and not 4");
        assert!(told(&|plan| plan.fingerprint = 1).contains("such as a trace"));
        assert!(told(&|plan| plan.points_fingerprint = 1).contains("such as a trace"));
        // What a file says may have changed beside what is read of it.
        assert_eq!(told(&|plan| plan.files = [("a.csv".to_owned(), 8)].into()), "");
        assert_eq!(
            told(&|plan| (plan.points_fingerprint, plan.files) = (1, [("a.csv".to_owned(), 8)].into())),
            "`a.csv` has changed, which its points read"
        );
        assert_eq!(
            told(&|plan| plan.shard = "2/4".parse().ok()),
            "it has all points, and not the points of shard 2/4"
        );
    }

    #[test]
    fn shards_share_the_points_evenly() {
        for text in ["0/4", "5/4", "1", "a/b", "1/0", "-1/4"] {
            assert!(Shard::from_str(text).is_err(), "{text}");
        }
        let shards: Vec<Shard> = (1..=4).map(|i| format!("{i}/4").parse().unwrap()).collect();
        for start in [0, 4, 40] {
            for point in start..start + 4 {
                assert_eq!(shards.iter().filter(|shard| shard.has(point)).count(), 1);
            }
            assert!(
                shards.iter().all(|shard| (start..start + 4).filter(|point| shard.has(*point)).count() == 1)
            );
            // Points with the same value on a last axis of four values.
            let same = (0..16).step_by(4);
            assert!(shards.iter().all(|shard| same.clone().filter(|point| shard.has(*point)).count() == 1));
        }
    }
}
