//! `--otlp`: some requests of a run as traces, in the JSON of the OpenTelemetry protocol.
//!
//! Each line is an `ExportTraceServiceRequest`, as the Collector's `otlpjsonfile` receiver reads it and as can be posted to
//! `/v1/traces`. A request is a `SERVER` span of the gateway, each of its attempts a `CLIENT` span with the GenAI attributes of
//! the semantic conventions, 1.37 and later. What is the simulator's own is named `failover_sim.*`.
//!
//! Sources: OpenTelemetry protocol 1.10, "JSON Protobuf Encoding"; "OpenTelemetry Protocol File Exporter".

use super::FileError;
use super::partial::PartialFile;
use crate::engine::{AttemptEnd, Candidate, Ending, Recorder, RequestEnd, simulate};
use crate::model::{Answer, Demand, Model, Provider, ProviderId};
use crate::random::Key;
use crate::time::SimTime;
use serde::Serialize;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::Write;
use std::path::Path;

/// Requests in a line: the Collector takes lines of up to a megabyte.
const REQUESTS_IN_A_LINE: usize = 50;

/// Some requests of a run, and all that happened to them.
#[derive(Debug)]
pub struct Traced<'m> {
    model: &'m Model,
    seed: u64,
    run: u64,
    start: u64,
    request_count: u64,
    failed_count: u64,
    /// By ordinal.
    lives: BTreeMap<u64, Life>,
}

impl<'m> Traced<'m> {
    /// Plays the run of this number and seed, as if it began so many seconds after 1970, and keeps `most` of its requests:
    /// random ones, the same each time, and half of them failed ones if there are so many. One that never ends is never kept.
    ///
    /// The run is played twice: which ones fail is known only at its end.
    pub fn play(model: &'m Model, seed: u64, run: u64, start: u64, most: usize) -> Self {
        let mut lot = Lot { key: Key::for_run(seed, run).named("traced requests"), most, ..Lot::default() };
        simulate(model, seed, run, &mut lot);
        let (request_count, failed_count) = (lot.request_count, lot.failed_count);
        let lives = lot.chosen().map(|ordinal| (ordinal, Life::default())).collect();
        let mut traced = Traced { model, seed, run, start, request_count, failed_count, lives };
        simulate(model, seed, run, &mut traced);
        traced
    }
}

/// Which requests are kept: of those that fail and of those that do not, the ones of the lowest random numbers.
#[derive(Debug)]
struct Lot {
    key: Key,
    most: usize,
    request_count: u64,
    failed_count: u64,
    failed: BinaryHeap<(u64, u64)>,
    succeeded: BinaryHeap<(u64, u64)>,
}

impl Default for Lot {
    fn default() -> Self {
        let (failed, succeeded) = (BinaryHeap::new(), BinaryHeap::new());
        Lot { key: Key::purpose("lot"), most: 0, request_count: 0, failed_count: 0, failed, succeeded }
    }
}

impl Lot {
    fn chosen(self) -> impl Iterator<Item = u64> {
        let (failed, succeeded) = (self.failed.into_sorted_vec(), self.succeeded.into_sorted_vec());
        let most_failed = self.most.div_ceil(2).max(self.most.saturating_sub(succeeded.len()));
        let failed_count = failed.len().min(most_failed);
        let succeeded = succeeded.into_iter().take(self.most - failed_count);
        failed.into_iter().take(failed_count).chain(succeeded).map(|(_, ordinal)| ordinal)
    }
}

impl Recorder for Lot {
    fn request_ended(&mut self, request: &RequestEnd) {
        self.request_count += 1;
        let lowest = match request.ending {
            Ending::Succeeded => &mut self.succeeded,
            Ending::Failed(..) => &mut self.failed,
            Ending::Open => return,
        };
        self.failed_count += u64::from(request.ending != Ending::Succeeded);
        lowest.push((self.key.numbered(request.ordinal).rng().next(), request.ordinal));
        if lowest.len() > self.most {
            lowest.pop();
        }
    }
}

/// What happened to a request.
#[derive(Debug, Default)]
struct Life {
    demand: Option<Demand>,
    attempts: Vec<Attempt>,
    end: Option<RequestEnd>,
}

/// An attempt as it was sent, and its end if it has one of its own.
#[derive(Debug)]
struct Attempt {
    number: u32,
    provider: ProviderId,
    sent: SimTime,
    /// What routing saw as ejected.
    ejected: Vec<ProviderId>,
    end: Option<(SimTime, Answer)>,
}

impl Recorder for Traced<'_> {
    const NEEDS_ORDER: bool = true;
    const NEEDS_ATTEMPTS: bool = true;

    fn request_ended(&mut self, request: &RequestEnd) {
        if let Some(life) = self.lives.get_mut(&request.ordinal) {
            life.end = Some(*request);
        }
    }

    fn asked_for(&mut self, request: u64, demand: &Demand) {
        if let Some(life) = self.lives.get_mut(&request) {
            life.demand = Some(*demand);
        }
    }

    fn attempt_sent(&mut self, request: u64, number: u32, to: ProviderId, seen: &[Candidate], at: SimTime) {
        if let Some(life) = self.lives.get_mut(&request) {
            let ejected = seen.iter().filter(|seen| !seen.admitted).map(|seen| seen.provider).collect();
            life.attempts.push(Attempt { number, provider: to, sent: at, ejected, end: None });
        }
    }

    fn attempt_ended(&mut self, end: &AttemptEnd) {
        if let Some(life) = self.lives.get_mut(&end.request)
            && let Some(attempt) = life.attempts.iter_mut().find(|attempt| attempt.number == end.number)
        {
            attempt.end = Some((end.ended, end.answer));
        }
    }
}

/// A file of traces in the making.
#[derive(Debug)]
pub struct TraceFile(PartialFile);

impl TraceFile {
    /// Opens the file.
    ///
    /// # Errors
    /// If it exists and `force` is not given, or if it cannot be created.
    pub fn create(path: &Path, force: bool) -> Result<Self, FileError> {
        PartialFile::create(path, force).map(TraceFile)
    }

    /// Adds the traces of a run.
    ///
    /// # Errors
    /// If that fails.
    pub fn write(&mut self, traced: &Traced) -> Result<(), FileError> {
        for replica in 0..traced.model.gateway.replicas.get() {
            let its = traced.lives.values().filter(|life| life.end.is_some_and(|end| end.replica == replica));
            let its: Vec<&Life> = its.collect();
            for lives in its.chunks(REQUESTS_IN_A_LINE) {
                let spans = lives.iter().flat_map(|life| traced.spans(life)).collect();
                let written = serde_json::to_writer(&mut self.0, &traced.request(replica, spans));
                let written = written.map_err(Into::into).and_then(|()| self.0.write_all(b"\n"));
                written.map_err(FileError::write(self.0.path()))?;
            }
        }
        Ok(())
    }

    /// Completes the file, gives it its name and returns its size in bytes.
    ///
    /// # Errors
    /// If that fails; the file is then gone.
    pub fn finish(self) -> Result<u64, FileError> {
        self.0.commit()
    }
}

impl Traced<'_> {
    fn request(&self, replica: u32, spans: Vec<Span>) -> ExportTraceServiceRequest {
        let attributes = vec![
            text("service.name", &self.model.name),
            text("service.namespace", "failover-sim"),
            text("service.instance.id", format!("replica-{replica}")),
            whole("failover_sim.seed", self.seed),
            whole("failover_sim.run", self.run),
            whole("failover_sim.request_count", self.request_count),
            whole("failover_sim.failed_count", self.failed_count),
        ];
        let scope = Scope { name: "failover-sim", version: env!("CARGO_PKG_VERSION") };
        let scope_spans = [ScopeSpans { scope, spans }];
        ExportTraceServiceRequest {
            resource_spans: [ResourceSpans { resource: Resource { attributes }, scope_spans }],
        }
    }

    /// The request's own span, and its attempts'.
    fn spans(&self, life: &Life) -> Vec<Span> {
        let end = life.end.as_ref().expect("only those that have ended are written");
        let key =
            Key::for_run(self.seed, self.run).named("trace").named(&self.model.name).numbered(end.ordinal);
        let mut bits = key.rng();
        let trace_id = format!("{:016x}{:016x}", bits.next(), bits.next());
        let span_id = |number: u64| format!("{:016x}", key.named("span").numbered(number).rng().next());
        let root = Span {
            trace_id: trace_id.clone(),
            span_id: span_id(0),
            parent_span_id: None,
            name: "gateway request".to_owned(),
            kind: SERVER,
            start_time_unix_nano: self.nanos(end.arrived),
            end_time_unix_nano: self.nanos(end.ended),
            attributes: of_request(life, end),
            status: status(match end.ending {
                Ending::Failed(cause, _) => Some(cause.name().to_owned()),
                Ending::Succeeded | Ending::Open => None,
            }),
        };
        let attempts = life.attempts.iter().map(|attempt| {
            let provider = self.model.provider(attempt.provider);
            let (ended, answer) = attempt.end.unwrap_or((end.ended, Answer::Abandoned));
            let failure = answer.failure_name().filter(|_| answer != Answer::Abandoned);
            Span {
                trace_id: trace_id.clone(),
                span_id: span_id(u64::from(attempt.number) + 1),
                parent_span_id: Some(span_id(0)),
                name: provider.labels.get("model").map_or("chat".to_owned(), |model| format!("chat {model}")),
                kind: CLIENT,
                start_time_unix_nano: self.nanos(attempt.sent),
                end_time_unix_nano: self.nanos(ended),
                attributes: self.of_attempt(attempt, provider, answer, life.demand.as_ref()),
                status: status(failure.map(|name| name.into_owned())),
            }
        });
        std::iter::once(root).chain(attempts).collect()
    }

    fn of_attempt(
        &self,
        attempt: &Attempt,
        provider: &Provider,
        answer: Answer,
        demand: Option<&Demand>,
    ) -> Vec<Attribute> {
        let mut attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", well_known(provider)),
            text("server.address", &provider.name),
        ];
        attributes.extend(provider.labels.get("model").map(|model| text("gen_ai.request.model", model)));
        match answer {
            Answer::Good => {
                attributes.push(whole("http.response.status_code", 200_u16));
                // Only a complete answer says what was used.
                if let Some(demand) = demand {
                    attributes.push(whole("gen_ai.usage.input_tokens", demand.input_tokens));
                    attributes.push(whole("gen_ai.usage.output_tokens", demand.output_tokens));
                }
            }
            Answer::Status(code) => attributes.push(whole("http.response.status_code", code)),
            Answer::Abandoned => attributes.push(yes("failover_sim.abandoned")),
            _ => {}
        }
        let failure = answer.failure_name().filter(|_| answer != Answer::Abandoned);
        attributes.extend(failure.map(|name| text("error.type", name)));
        attributes.push(whole("failover_sim.attempt", attempt.number));
        if !attempt.ejected.is_empty() {
            let names = attempt.ejected.iter().map(|id| Value::Text(self.model.provider(*id).name.clone()));
            let value = Value::List { values: names.collect() };
            attributes.push(Attribute { key: "failover_sim.ejected_providers", value });
        }
        attributes
    }

    fn nanos(&self, at: SimTime) -> String {
        (self.start * 1_000_000_000 + at.as_nanos()).to_string()
    }
}

fn of_request(life: &Life, end: &RequestEnd) -> Vec<Attribute> {
    let mut attributes =
        vec![whole("failover_sim.request", end.ordinal), text("failover_sim.outcome", end.ending.name())];
    let status = end.status.or((end.ending == Ending::Succeeded).then_some(200));
    attributes.extend(status.map(|status| whole("http.response.status_code", status)));
    if let Ending::Failed(cause, stage) = end.ending {
        let error = end.status.map_or(cause.name().to_owned(), |status| status.to_string());
        attributes.push(text("error.type", error));
        attributes.push(text("failover_sim.cause", cause.name()));
        attributes.push(text("failover_sim.stage", stage.name()));
    }
    if life.attempts.is_empty() && end.ending == Ending::Succeeded {
        attributes.push(yes("failover_sim.cache_hit"));
    }
    if end.saved_by_hand {
        attributes.push(yes("failover_sim.saved_by_hand"));
    }
    attributes
}

/// The convention's name of who serves, where the provider's label `vendor` says who does; the label itself if there is none for
/// it, and the provider's own name without a label.
fn well_known(provider: &Provider) -> &str {
    match provider.labels.get("vendor").map(String::as_str) {
        Some("aws") => "aws.bedrock",
        Some("azure") => "azure.ai.openai",
        Some("google") => "gcp.gen_ai",
        Some("mistral") => "mistral_ai",
        Some("xai") => "x_ai",
        Some(vendor) => vendor,
        None => &provider.name,
    }
}

/// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT`: enums are numbers in this JSON.
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportTraceServiceRequest {
    resource_spans: [ResourceSpans; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    resource: Resource,
    scope_spans: [ScopeSpans; 1],
}

#[derive(Debug, Serialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Debug, Serialize)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<Span>,
}

#[derive(Debug, Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

/// Ids are in hexadecimal, and times in nanoseconds since 1970 as text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    status: Status,
}

/// Empty if nothing went wrong.
#[derive(Debug, Default, Serialize)]
struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Debug, Serialize)]
struct Attribute {
    key: &'static str,
    value: Value,
}

/// 64-bit integers are text in this JSON.
#[derive(Debug, Serialize)]
enum Value {
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "intValue")]
    Whole(String),
    #[serde(rename = "boolValue")]
    Bool(bool),
    #[serde(rename = "arrayValue")]
    List { values: Vec<Value> },
}

fn text(key: &'static str, value: impl Into<String>) -> Attribute {
    Attribute { key, value: Value::Text(value.into()) }
}

fn whole(key: &'static str, value: impl Into<u64>) -> Attribute {
    Attribute { key, value: Value::Whole(value.into().to_string()) }
}

fn yes(key: &'static str) -> Attribute {
    Attribute { key, value: Value::Bool(true) }
}

fn status(failure: Option<String>) -> Status {
    failure.map_or(Status::default(), |message| Status { code: Some(ERROR), message: Some(message) })
}
