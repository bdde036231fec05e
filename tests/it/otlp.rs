//! Requests of a run as traces: which ones, and that they say what happened.

use crate::play::model;
use failover_sim::engine::{AttemptEnd, Ending, Recorder, RequestEnd, simulate};
use failover_sim::model::Model;
use failover_sim::output::{TraceFile, Traced};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const START: u64 = 1_700_000_000;

const INCIDENT: &str = r#"
    duration = "60s"
    [traffic]
    arrivals = { poisson = "20/s" }
    client_timeout = "4s"
    class.chat = { share = 1, input_tokens = { constant = 300 }, output_tokens = { lognormal = { p50 = 100, p99 = 400 } } }
    [provider.a]
    labels = { vendor = "aws", model = "claude-3-5-sonnet" }
    latency = { lognormal = { p50 = "400ms", p99 = "2s" } }
    [provider.b]
    latency = { exponential = { mean = "800ms" } }
    error_rate = 0.05
    [fault.outage]
    on = { name = "a" }
    at = "20s"
    lasts = "20s"
    requests = { status = 502 }
    [gateway]
    replicas = 2
    route = { prefer = ["a", "b"] }
    health_check = { interval = "7s", timeout = "1s" }
    fallback = { on = [502] }
"#;

/// The lines of a file of traces.
fn exported(model: &Model, most: usize) -> Vec<Value> {
    exported_run(model, 2, most)
}

fn exported_run(model: &Model, run: u64, most: usize) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let mut file = TraceFile::create(&path, false).unwrap();
    file.write(&Traced::play(model, 1, run, START, most)).unwrap();
    file.finish().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.lines().all(|line| line.len() < 1 << 20), "the Collector takes no longer ones");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A span with its attributes by key, as text.
#[derive(Debug, Clone)]
struct Span {
    ids: [String; 3],
    kind: u64,
    start: u64,
    end: u64,
    failed: bool,
    attributes: BTreeMap<String, String>,
}

fn spans(lines: &[Value]) -> Vec<Span> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let attribute = |one: &Value| {
        let value = one["value"].as_object().unwrap().values().next().unwrap();
        (text(&one["key"]), value.as_str().map_or(value.to_string(), str::to_owned))
    };
    let of_line =
        |line: &Value| line["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
    let span = |span: Value| Span {
        ids: ["traceId", "spanId", "parentSpanId"].map(|id| text(&span[id])),
        kind: span["kind"].as_u64().unwrap(),
        start: text(&span["startTimeUnixNano"]).parse().unwrap(),
        end: text(&span["endTimeUnixNano"]).parse().unwrap(),
        failed: span["status"]["code"] == 2,
        attributes: span["attributes"].as_array().unwrap().iter().map(attribute).collect(),
    };
    lines.iter().flat_map(of_line).map(span).collect()
}

/// All that a run tells of its requests and attempts.
#[derive(Default)]
struct Story(BTreeMap<u64, (Vec<AttemptEnd>, Option<RequestEnd>)>);

impl Recorder for Story {
    const NEEDS_ORDER: bool = true;
    const NEEDS_ATTEMPTS: bool = true;
    fn attempt_ended(&mut self, end: &AttemptEnd) {
        self.0.entry(end.request).or_default().0.push(*end);
    }
    fn request_ended(&mut self, end: &RequestEnd) {
        self.0.entry(end.ordinal).or_default().1 = Some(*end);
    }
}

#[test]
fn spans_tell_what_happened() {
    let model = model(INCIDENT);
    let mut story = Story::default();
    simulate(&model, 1, 2, &mut story);
    // More than there are: all of them.
    let spans = spans(&exported(&model, 5_000));
    let (roots, attempts): (Vec<_>, Vec<_>) = spans.iter().partition(|span| span.kind == 2);
    assert_eq!(roots.len(), story.0.len());
    let ids: BTreeSet<&String> = spans.iter().map(|span| &span.ids[1]).collect();
    assert_eq!(ids.len(), spans.len(), "no two spans share an id");
    let nanos = |at: failover_sim::time::SimTime| START * 1_000_000_000 + at.as_nanos();
    let (mut with_tokens, mut given_up) = (0, 0);
    for root in roots {
        let (ended, end) = &story.0[&root.attributes["failover_sim.request"].parse().unwrap()];
        let end = end.unwrap();
        assert_eq!((root.start, root.end), (nanos(end.arrived), nanos(end.ended)));
        assert_eq!(root.failed, root.attributes["failover_sim.outcome"] == "failed");
        assert_eq!(root.failed, root.attributes.contains_key("error.type"));
        assert_eq!(root.attributes["failover_sim.outcome"], end.ending.name());
        let its: Vec<&&Span> = attempts.iter().filter(|span| span.ids[0] == root.ids[0]).collect();
        assert_eq!(its.len(), end.attempts as usize);
        for (number, span) in its.iter().enumerate() {
            assert_eq!((span.kind, &span.ids[2]), (3, &root.ids[1]));
            assert_eq!(span.attributes["failover_sim.attempt"], number.to_string());
            let told =
                ended.iter().find(|told| told.number as usize == number).expect("nothing runs in parallel");
            assert_eq!((span.start, span.end), (nanos(told.sent), nanos(told.ended)));
            let name = &model.provider(told.provider).name;
            assert_eq!(&span.attributes["server.address"], name);
            let provider = if name == "a" { "aws.bedrock" } else { "b" };
            assert_eq!(span.attributes["gen_ai.provider.name"], provider);
            assert_eq!(span.attributes.contains_key("gen_ai.request.model"), name == "a");
            let error = told.answer.failure_name();
            match error.as_deref() {
                None => {
                    assert_eq!(span.attributes["gen_ai.usage.input_tokens"], "300");
                    let output: u32 = span.attributes["gen_ai.usage.output_tokens"].parse().unwrap();
                    with_tokens += u64::from((20..600).contains(&output));
                }
                Some("abandoned") => {
                    given_up += 1;
                    assert_eq!(span.attributes["failover_sim.abandoned"], "true");
                    assert!(!span.failed);
                }
                Some(name) => {
                    assert!(span.failed);
                    assert_eq!(span.attributes["error.type"], name);
                }
            }
        }
    }
    assert!(with_tokens > 900 && given_up > 0, "{with_tokens} and {given_up}");
}

/// Every request that ends is a trace, with its attempts within it.
pub fn assert_whole(model: &Model, run: u64) {
    let mut story = Story::default();
    simulate(model, 1, run, &mut story);
    let ends: Vec<RequestEnd> = story.0.values().filter_map(|(_, end)| *end).collect();
    let spans = spans(&exported_run(model, run, 100_000));
    let (roots, attempts): (Vec<_>, Vec<_>) = spans.iter().partition(|span| span.kind == 2);
    let ended = ends.iter().filter(|end| end.ending != Ending::Open);
    let made = ended.clone().map(|end| end.attempts as usize).sum::<usize>();
    assert_eq!((roots.len(), attempts.len()), (ended.count(), made));
    let roots: BTreeMap<&String, &&Span> = roots.iter().map(|root| (&root.ids[1], root)).collect();
    for attempt in attempts {
        let root = roots[&attempt.ids[2]];
        let within = root.start <= attempt.start && attempt.start <= attempt.end && attempt.end <= root.end;
        assert!(within && root.ids[0] == attempt.ids[0], "{attempt:?} in {root:?}");
    }
}

/// Failed ones are few, and are what people look for.
#[test]
fn half_of_a_sample_are_failures_if_there_are_so_many() {
    let model = model(INCIDENT);
    let roots = |most| {
        let spans = spans(&exported(&model, most));
        let roots: Vec<Span> = spans.into_iter().filter(|span| span.kind == 2).collect();
        let ordinals: BTreeSet<String> =
            roots.iter().map(|root| root.attributes["failover_sim.request"].clone()).collect();
        (roots.len(), roots.iter().filter(|root| root.failed).count(), ordinals)
    };
    let (all, failed, _) = roots(5_000);
    assert!(failed > 20, "{failed}");
    let (count, failures, few) = roots(20);
    assert_eq!((count, failures), (20, 10));
    let (count, failures, many) = roots(failed * 4);
    assert_eq!((count, failures), (failed * 4, failed));
    assert!(few.is_subset(&many), "a larger sample has the smaller one in it");
    assert_eq!(roots(1).1, 1);
    assert_eq!(roots(all - 1).1, failed);
    assert_eq!(exported(&model, 50), exported(&model, 50), "the same each time");
}
