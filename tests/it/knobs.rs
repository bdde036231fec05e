//! Every setting that a scenario accepts, and every choice of one, changes some output: none is read and ignored.

mod arrivals;
mod detectors;
mod gateway;
mod latency;
mod retries;
mod routes;
mod slo;
mod users;
mod world;

use crate::play::on_path;
use failover_sim::engine::{Path, Recorder, RequestEnd, simulate};
use failover_sim::metrics::Outcome;
use failover_sim::model::Model;
use failover_sim::scenario::{Document, Loader, json_schema};
use serde_json::Value;
use std::collections::BTreeSet;

/// A scenario and settings to change in it, one at a time.
struct Base {
    /// What `@` stands for in the scenario and in paths: it is tried with each of them.
    at: &'static [&'static str],
    toml: &'static str,
    knobs: &'static [Knobs],
}

/// What is changed first, as `path=value`; then settings, and another value for each.
type Knobs = (&'static [&'static str], &'static [(&'static str, &'static str)]);

/// Scenarios that between them have every setting.
fn bases() -> impl Iterator<Item = &'static Base> {
    [
        arrivals::BASES,
        world::BASES,
        users::BASES,
        gateway::BASES,
        retries::BASES,
        routes::BASES,
        detectors::BASES,
        latency::BASES,
        slo::BASES,
    ]
    .into_iter()
    .flatten()
}

/// Settings that are words about a scenario, or name a file to read; no number depends on them.
const WORDS: [&str; 5] = ["about", "clock", "source", "evidence", "from"];

#[derive(Default)]
struct Requests(Vec<RequestEnd>);

impl Recorder for Requests {
    fn request_ended(&mut self, request: &RequestEnd) {
        self.0.push(*request);
    }
}

/// Everything that a run can show.
fn output(model: &Model, run: u64) -> (Outcome, Vec<RequestEnd>) {
    let mut requests = Requests::default();
    simulate(model, 1, run, &mut requests);
    (on_path(model, Path::Plain, 1, run), requests.0)
}

fn document(toml: &str) -> Document {
    let mut document =
        Loader::new().parse("base.toml", toml).unwrap_or_else(|p| panic!("{}", p.render(false)));
    if document.get("traffic.arrivals.trace").is_some() {
        // The trace's cells are whole numbers, so that any column and unit can be read.
        set(&mut document, "traffic.arrivals.trace.file=\"tests/fixtures/numbers.csv\"");
    }
    document
}

fn set(document: &mut Document, assignment: &str) {
    document
        .set_text(assignment)
        .unwrap_or_else(|problems| panic!("{assignment}: {}", problems.render(false)));
}

/// Calls `turn` with each base, as it is before a knob is turned, the knob's path and its new value.
fn each_knob(mut turn: impl FnMut(&Document, &[(String, &str)])) {
    for base in bases() {
        for at in base.at {
            for (given, knobs) in base.knobs {
                let mut before = document(&base.toml.replace('@', at));
                given.iter().for_each(|assignment| set(&mut before, &assignment.replace('@', at)));
                let knobs: Vec<_> =
                    knobs.iter().map(|(path, value)| (path.replace('@', at), *value)).collect();
                turn(&before, &knobs);
            }
        }
    }
}

#[test]
fn every_setting_changes_some_output() {
    const RUNS: u64 = 400;
    let mut idle = vec![];
    each_knob(|before, knobs| {
        let base = before.model().unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        // Most knobs show in the first run; the tail of something that is drawn once a run takes many.
        let mut expected = vec![];
        for (path, value) in knobs {
            let mut changed = before.clone();
            set(&mut changed, &format!("{path}={value}"));
            let model = match changed.model() {
                Ok(model) => model,
                Err(problems) => {
                    // A label that no fault matches any more, say: that it is refused shows that it is read.
                    let problems = problems.render(false);
                    assert!(problems.contains("hits nothing"), "{path} = {value}: {problems}");
                    continue;
                }
            };
            let shows = (0..RUNS).any(|run| {
                if expected.len() as u64 <= run {
                    expected.push(output(&base, run));
                }
                output(&model, run) != expected[run as usize]
            });
            if !shows {
                idle.push(format!("{path} = {value}"));
            }
        }
    });
    assert!(idle.is_empty(), "these change nothing: {idle:#?}");
}

/// Follows references to what a part of the schema means.
fn meaning<'s>(schema: &'s Value, mut part: &'s Value) -> &'s Value {
    while let Some(name) = part["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        part = &schema["$defs"][name];
    }
    part
}

/// The tables that a part of the schema may be: itself, or what its choices hold.
fn tables(part: &Value) -> impl Iterator<Item = &serde_json::Map<String, Value>> {
    let choices = part["oneOf"].as_array().into_iter().flatten();
    std::iter::once(part).chain(choices).filter_map(|part| part["properties"].as_object())
}

/// The words that a part of the schema may be.
fn choices(part: &Value) -> impl Iterator<Item = &str> {
    let alternatives = part["oneOf"].as_array().into_iter().flatten();
    let constants = alternatives.filter_map(|part| part["const"].as_str());
    constants.chain(part["enum"].as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// Adds every setting below `path`, and every choice of one as `path = choice`, but for the default, which the others
/// are turned from.
fn offered(schema: &Value, part: &Value, path: &str, settings: &mut BTreeSet<String>) {
    let of = meaning(schema, part);
    let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let mut is_single = true;
    for (name, part) in tables(of).flatten() {
        is_single = false;
        if !WORDS.contains(&name.as_str()) {
            offered(schema, part, &inner(name), settings);
        }
    }
    for choice in choices(of) {
        is_single = false;
        if part["default"] != choice {
            settings.insert(format!("{path} = {choice}"));
        }
    }
    if of["additionalProperties"].is_object() {
        is_single = false;
        offered(schema, &of["additionalProperties"], &inner("*"), settings);
    }
    if is_single {
        settings.insert(path.to_owned());
    }
}

/// The setting that a path leads to, with names replaced by `*`; a group is a route.
fn generic(schema: &Value, path: &str) -> String {
    let mut steps = vec![];
    let mut part = schema;
    for step in path.split('.') {
        let of = meaning(schema, part);
        let found = tables(of).find_map(|table| table.get(step));
        steps.push(if found.is_some() { step } else { "*" });
        part = found.unwrap_or(&of["additionalProperties"]);
    }
    steps.join(".").replace("gateway.group.*", "gateway.route")
}

/// What one value at a path says, if it is one thing: `{ slow = 3.0 }` at `requests` is `requests.slow`.
fn said(path: &str, value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::Table(table) if table.len() == 1 => {
            table.iter().flat_map(|(name, inner)| said(&format!("{path}.{name}"), inner)).collect()
        }
        toml::Value::Table(_) => vec![],
        toml::Value::String(word) => vec![path.to_owned(), format!("{path} = {word}")],
        _ => vec![path.to_owned()],
    }
}

/// The schema is what people may write; a setting that it gains is missing here until a knob turns it.
#[test]
fn no_setting_is_left_out_of_this_test() {
    let schema: Value = serde_json::from_str(&json_schema()).expect("a JSON Schema");
    let mut left_out = BTreeSet::new();
    offered(&schema, &schema, "", &mut left_out);
    // What a result should be changes no result, but how `run` exits: `cli::objectives` tests that.
    assert!(left_out.remove("objective"));
    left_out.retain(|setting| !setting.starts_with("gateway.group."));
    assert!(left_out.len() > 200, "{left_out:#?}");
    each_knob(|before, knobs| {
        for (path, value) in knobs {
            let value: toml::Table = toml::from_str(&format!("value = {value}")).expect("TOML");
            let generic_path = generic(&schema, path);
            // A choice is tried by turning to it, and by turning away from it.
            let old = before.get(path).map(|old| said(&generic_path, &old)).unwrap_or_default();
            for setting in said(&generic_path, &value["value"]).into_iter().chain(old) {
                left_out.remove(&setting);
            }
        }
    });
    assert!(left_out.is_empty(), "turn these knobs, too: {left_out:#?}");
}
