//! What happens in a run as lines of JSON: the `--events` log and the timeline of the JSON document.

use super::FileError;
use super::partial::PartialFile;
use crate::engine::{Ending, HealthChange, Milestone, ProbeEnd, Recorder, RequestEnd};
use crate::metrics::{TimelineEntry, TimelineEvent};
use crate::model::{Model, ProviderId};
use crate::time::SimTime;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// One thing that happened. A field that has no value is null; `clock` is absent where the scenario has none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventLine {
    /// When, in milliseconds from the start of the run.
    pub at_ms: f64,
    /// The same on the incident's own clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened; `event` is its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are columns of the result tables, where they are explained")]
pub enum Event {
    /// A run begins; the lines up to the next one of these belong to it.
    RunStarts { scenario: String, run: u64, seed: u64 },
    /// A fault is there from now on.
    FaultStarts { fault: String },
    /// A fault is over.
    FaultEnds { fault: String },
    /// An alert begins to fire.
    AlertFires { alert: String },
    /// An alert is over.
    AlertResolves { alert: String },
    /// The news reaches somebody: a pager rings, or a status page is read.
    OperatorLearns { action: String },
    /// Somebody acts: these providers are to be avoided from now on.
    OperatorActs { action: String, avoid: Vec<String> },
    /// A switch is taken back.
    OperatorReturns { action: String },
    /// A replica ejects a provider.
    Ejected { provider: String, replica: u32, false_ejection: bool },
    /// A replica admits a provider again.
    Admitted { provider: String, replica: u32 },
    /// A probe's result is known.
    ProbeEnded { provider: String, replica: u32, probe: u64, sent_ms: f64, passed: bool },
    /// A request has its final answer.
    RequestEnded {
        request: u64,
        replica: u32,
        arrival_ms: f64,
        latency_ms: f64,
        outcome: &'static str,
        cause: Option<&'static str>,
        stage: Option<&'static str>,
        provider: Option<String>,
        status: Option<u16>,
    },
    /// A request arrives that will never end.
    RequestStaysOpen { request: u64, replica: u32, arrival_ms: f64, provider: Option<String> },
}

impl EventLine {
    fn new(model: &Model, at: SimTime, event: Event) -> Self {
        let clock = model.clock.as_ref().map(|clock| clock.show(at));
        EventLine { at_ms: at.as_millis_f64(), clock, event }
    }

    /// The line for an entry of a run's timeline.
    pub fn of_timeline(model: &Model, entry: &TimelineEntry) -> Self {
        let event = match entry.event {
            TimelineEvent::Milestone(milestone) => of_milestone(model, milestone),
            TimelineEvent::Health { replica, provider, admitted, is_false } => {
                of_health(model, replica, provider, admitted, is_false)
            }
        };
        EventLine::new(model, entry.at, event)
    }
}

fn provider_name(model: &Model, provider: ProviderId) -> String {
    model.provider(provider).name.clone()
}

fn of_milestone(model: &Model, milestone: Milestone) -> Event {
    match milestone {
        Milestone::FaultStarts(fault) => Event::FaultStarts { fault: model.faults[fault].name.clone() },
        Milestone::FaultEnds(fault) => Event::FaultEnds { fault: model.faults[fault].name.clone() },
        Milestone::GatewayFaultStarts(fault) => {
            Event::FaultStarts { fault: model.gateway.faults[fault].name.clone() }
        }
        Milestone::GatewayFaultEnds(fault) => {
            Event::FaultEnds { fault: model.gateway.faults[fault].name.clone() }
        }
        Milestone::AlertFires(alert) => Event::AlertFires { alert: model.alerts()[alert].name.clone() },
        Milestone::AlertResolves(alert) => Event::AlertResolves { alert: model.alerts()[alert].name.clone() },
        Milestone::OperatorLearns(action) => {
            Event::OperatorLearns { action: model.operator[action].name.clone() }
        }
        Milestone::OperatorReturns(action) => {
            Event::OperatorReturns { action: model.operator[action].name.clone() }
        }
        Milestone::OperatorActs(action) => {
            let action = &model.operator[action];
            let avoid = action.avoid.iter().map(|provider| provider_name(model, *provider)).collect();
            Event::OperatorActs { action: action.name.clone(), avoid }
        }
    }
}

fn of_health(model: &Model, replica: u32, provider: ProviderId, admitted: bool, is_false: bool) -> Event {
    let provider = provider_name(model, provider);
    match admitted {
        true => Event::Admitted { provider, replica },
        false => Event::Ejected { provider, replica, false_ejection: is_false },
    }
}

/// A log of everything that happens, one JSON object a line, in order of time.
pub struct EventLog {
    file: PartialFile,
    /// The first thing that went wrong. A recorder cannot return it, so [`Self::finish`] does.
    error: Option<FileError>,
}

impl EventLog {
    /// Opens the log.
    ///
    /// # Errors
    /// If it exists and `force` is not given, or if it cannot be created.
    pub fn create(path: &Path, force: bool) -> Result<Self, FileError> {
        Ok(EventLog { file: PartialFile::create(path, force)?, error: None })
    }

    /// A recorder for one run of `model`; the log says that it begins.
    pub fn recorder<'a>(&'a mut self, model: &'a Model, seed: u64, run: u64) -> EventRecorder<'a> {
        let mut recorder = EventRecorder { log: self, model };
        recorder.write(SimTime::START, Event::RunStarts { scenario: model.name.clone(), run, seed });
        recorder
    }

    /// Completes the log, gives it its name, and returns its size in bytes.
    ///
    /// # Errors
    /// The first one met while writing; the log is then gone.
    pub fn finish(self) -> Result<u64, FileError> {
        self.error.map_or(Ok(()), Err)?;
        self.file.commit()
    }
}

/// Writes one run into an [`EventLog`].
pub struct EventRecorder<'a> {
    log: &'a mut EventLog,
    model: &'a Model,
}

impl EventRecorder<'_> {
    fn write(&mut self, at: SimTime, event: Event) {
        if self.log.error.is_some() {
            return;
        }
        let line = EventLine::new(self.model, at, event);
        let file = &mut self.log.file;
        let written = serde_json::to_writer(&mut *file, &line).map_err(Into::into);
        if let Err(error) = written.and_then(|()| file.write_all(b"\n")) {
            self.log.error = Some(FileError::write(file.path())(error));
        }
    }
}

impl Recorder for EventRecorder<'_> {
    const NEEDS_ORDER: bool = true;

    fn request_ended(&mut self, end: &RequestEnd) {
        let RequestEnd { ordinal: request, replica, arrived, ended, status, .. } = *end;
        let provider = end.provider.map(|provider| provider_name(self.model, provider));
        let arrival_ms = arrived.as_millis_f64();
        let (cause, stage) = match end.ending {
            // It has no end to be reported at; the engine tells of it when it arrives.
            Ending::Open => {
                let event = Event::RequestStaysOpen { request, replica, arrival_ms, provider };
                return self.write(arrived, event);
            }
            Ending::Succeeded => (None, None),
            Ending::Failed(cause, stage) => (Some(cause.name()), Some(stage.name())),
        };
        let latency_ms = ended.since(arrived).as_millis_f64();
        let outcome = end.ending.name();
        let event = Event::RequestEnded {
            request,
            replica,
            arrival_ms,
            latency_ms,
            outcome,
            cause,
            stage,
            provider,
            status,
        };
        self.write(ended, event);
    }

    fn probe_ended(&mut self, probe: &ProbeEnd) {
        let ProbeEnd { replica, provider, ordinal, sent, ended, passed } = *probe;
        let event = Event::ProbeEnded {
            provider: provider_name(self.model, provider),
            replica,
            probe: ordinal,
            sent_ms: sent.as_millis_f64(),
            passed,
        };
        self.write(ended, event);
    }

    fn health_changed(&mut self, change: &HealthChange) {
        let HealthChange { at, replica, provider, admitted, is_false } = *change;
        self.write(at, of_health(self.model, replica, provider, admitted, is_false));
    }

    fn milestone(&mut self, at: SimTime, milestone: Milestone) {
        self.write(at, of_milestone(self.model, milestone));
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::engine;
    use crate::model::{Arrivals, Gateway, Latency, Provider, Rate, Route, Traffic};
    use crate::time::SimDuration;

    fn busy_minute() -> Model {
        let latency = Latency::Constant(SimDuration::from_millis(100));
        let provider = Provider::new("only", latency);
        Model {
            name: "busy".to_owned(),
            about: None,
            clock: None,
            duration: SimDuration::from_secs(60),
            traffic: Traffic::new(Arrivals::Constant(Rate::new(100.0).unwrap())),
            providers: vec![provider],
            faults: Vec::new(),
            gateway: Gateway::new(Route::prefer(&[ProviderId::new(0)], |_| "only".to_owned())),
            operator: Vec::new(),
            slo: None,
            network: None,
            weakest_evidence: None,
        }
    }

    /// A recorder cannot fail; what went wrong comes out at the end, and no log of half a run is left.
    #[test]
    fn a_full_disk_is_reported_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = PartialFile::on_full_disk(&folder.path().join("events.jsonl"));
        let mut log = EventLog { file, error: None };
        let model = busy_minute();
        engine::simulate(&model, 1, 0, &mut log.recorder(&model, 1, 0));
        assert!(log.error.is_some(), "it was met while the run went on");
        let error = log.finish().unwrap_err();
        assert!(!error.is_bad_input() && error.to_string().contains("No space left on device"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
