//! What the engine reports while it runs, and to whom.
//!
//! The engine knows the truth about faults and tells it to recorders only; no decision inside the engine reads it.

use super::usage::Billed;
use super::view::HEALTH_CHECK_BIT;
use crate::model::{Answer, Demand, ProviderId};
use crate::time::{SimDuration, SimTime};

/// Why a request failed, as its client saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An HTTP error status.
    Status,
    /// The connection was refused.
    Refused,
    /// The connection broke when the provider failed.
    InFlightAtOnset,
    /// No complete answer by the client's deadline.
    Timeout,
    /// The gateway had no provider to send it to.
    NoProvider,
    /// A part of the answer came, but not all of it.
    Truncated,
    /// The gateway replica that it came to was down.
    GatewayDown,
    /// The gateway turned it away, being above its own limits.
    GatewayLimit,
}

impl Cause {
    /// Every cause, in the order of the columns.
    pub const ALL: [Cause; 8] = [
        Cause::Status,
        Cause::Refused,
        Cause::InFlightAtOnset,
        Cause::Timeout,
        Cause::NoProvider,
        Cause::Truncated,
        Cause::GatewayDown,
        Cause::GatewayLimit,
    ];

    /// The name in result files; a metric's column is `failed_cause_<name>_count`.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Status => "status",
            Cause::Refused => "refused",
            Cause::InFlightAtOnset => "in_flight_at_onset",
            Cause::Timeout => "timeout",
            Cause::NoProvider => "no_provider",
            Cause::Truncated => "truncated",
            Cause::GatewayDown => "gateway_down",
            Cause::GatewayLimit => "gateway_limit",
        }
    }
}

/// In which stage of an incident a failed request was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It was in flight when the fault started.
    InFlightAtOnset,
    /// It was sent to a failing provider that was still admitted.
    Undetected,
    /// Every provider it could go to was ejected, at least one of them for a fault that was there.
    AllEjected,
    /// A provider that would have served it had been ejected with no fault active.
    FalseEjection,
    /// A provider that would have served it was still ejected after its fault had ended.
    AfterRecovery,
    /// No fault and no ejection had a part in it: a quiet error, or an answer slower than the client's patience.
    Background,
    /// It was at a gateway replica that failed, or came to one that had.
    GatewayDown,
    /// Its first choice turned it away: the provider was full, or its account above a quota, and no fault had a part in it.
    OverQuota,
    /// The same, at a provider that got it in place of another one: a fallback, or a stand-in for one that was ejected.
    BackupOverQuota,
    /// The gateway did not take it in, or not before its client gave up.
    GatewayLimit,
}

impl Stage {
    /// Every stage, in the order of the columns.
    pub const ALL: [Stage; 10] = [
        Stage::InFlightAtOnset,
        Stage::Undetected,
        Stage::AllEjected,
        Stage::FalseEjection,
        Stage::AfterRecovery,
        Stage::Background,
        Stage::GatewayDown,
        Stage::OverQuota,
        Stage::BackupOverQuota,
        Stage::GatewayLimit,
    ];

    /// The name in result files; a metric's column is `failed_stage_<name>_count`.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::InFlightAtOnset => "in_flight_at_onset",
            Stage::Undetected => "undetected",
            Stage::AllEjected => "all_ejected",
            Stage::FalseEjection => "false_ejection",
            Stage::AfterRecovery => "after_recovery",
            Stage::Background => "background",
            Stage::GatewayDown => "gateway_down",
            Stage::OverQuota => "over_quota",
            Stage::BackupOverQuota => "backup_over_quota",
            Stage::GatewayLimit => "gateway_limit",
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A complete good answer in time.
    Succeeded,
    /// Anything else.
    Failed(Cause, Stage),
    /// It never ends: nothing answers it and its client waits for ever.
    Open,
}

impl Ending {
    /// The name in result files.
    pub const fn name(self) -> &'static str {
        match self {
            Ending::Succeeded => "succeeded",
            Ending::Failed(..) => "failed",
            Ending::Open => "open",
        }
    }
}

/// A request in its terminal state. Every request is reported exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestEnd {
    /// Its place in the order of arrival, from 0.
    pub ordinal: u64,
    /// The gateway replica that handled it.
    pub replica: u32,
    /// When it arrived at the gateway.
    pub arrived: SimTime,
    /// When it ended; [`SimTime::NEVER`] if it is open.
    pub ended: SimTime,
    /// The provider of its last attempt; `None` if none was made, as when the gateway had the answer itself.
    pub provider: Option<ProviderId>,
    /// How many attempts were made for it.
    pub attempts: u32,
    /// How it ended.
    pub ending: Ending,
    /// The HTTP status that the client got, where a provider sent an error.
    pub status: Option<u16>,
    /// Whether it succeeded only because somebody had switched providers by hand.
    pub saved_by_hand: bool,
}

/// Requests that ended alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alike {
    /// How many there are.
    pub count: u64,
    /// All arrived at this moment or later, and before what [`Recorder::together_until`] said of it.
    pub arrived_from: SimTime,
    /// How many attempts were made for each.
    pub attempts: u32,
    /// How each of them ended.
    pub ending: Ending,
}

/// A probe and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeEnd {
    /// The replica that sent it.
    pub replica: u32,
    /// The provider that it was sent to.
    pub provider: ProviderId,
    /// Its place among this replica's probes of this provider, from 0.
    pub ordinal: u64,
    /// When it was sent.
    pub sent: SimTime,
    /// When its result was known.
    pub ended: SimTime,
    /// Whether the answer was good and in time.
    pub passed: bool,
}

/// A provider is ejected or admitted by one replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthChange {
    /// When.
    pub at: SimTime,
    /// By which replica.
    pub replica: u32,
    /// Which provider.
    pub provider: ProviderId,
    /// Its new health.
    pub admitted: bool,
    /// Whether it was ejected with no fault active since the evidence began.
    pub is_false: bool,
}

/// Other detectors than before have ejected a provider, as one replica's routing sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeliefChange {
    /// When.
    pub at: SimTime,
    /// The replica.
    pub replica: u32,
    /// Which provider.
    pub provider: ProviderId,
    /// Who has ejected it now.
    pub ejected_by: EjectedBy,
}

/// Which of a gateway's detectors have ejected a provider and not admitted it again in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EjectedBy(u8);

impl EjectedBy {
    /// From the bits of [`super::view::Marks`].
    pub(super) const fn new(bits: u8) -> Self {
        EjectedBy(bits)
    }

    /// Whether none has.
    pub fn is_nobody(self) -> bool {
        self.0 == 0
    }

    /// Whether the health check has.
    pub fn has_health_check(self) -> bool {
        self.0 & HEALTH_CHECK_BIT != 0
    }

    /// Whether the passive detector at this index in the model has.
    pub fn has_detector(self, index: usize) -> bool {
        self.0 >> (index + 1) & 1 == 1
    }
}

/// A change of the incident itself, by index into the model's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// The fault at this index starts.
    FaultStarts(usize),
    /// The fault at this index is over.
    FaultEnds(usize),
    /// The alert at this index fires.
    AlertFires(usize),
    /// The alert at this index is over.
    AlertResolves(usize),
    /// The operator at this index learns of it: a pager rings, or a status page is read.
    OperatorLearns(usize),
    /// An incident starts.
    IncidentStarts {
        /// Of the source at this index.
        source: usize,
        /// Its place among the source's in this run, from 1.
        number: u32,
    },
    /// An incident is over.
    IncidentEnds {
        /// Of the source at this index.
        source: usize,
        /// Its place among the source's in this run, from 1.
        number: u32,
    },
    /// The operator action at this index is done.
    OperatorActs(usize),
    /// The operator action at this index is taken back.
    OperatorReturns(usize),
    /// The gateway's own fault at this index starts.
    GatewayFaultStarts(usize),
    /// The gateway's own fault at this index is over.
    GatewayFaultEnds(usize),
}

/// An attempt and what the gateway saw of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptEnd {
    /// The request's place in the order of arrival.
    pub request: u64,
    /// The attempt's place among the request's, from 0.
    pub number: u32,
    /// Where it was sent.
    pub provider: ProviderId,
    /// When it was sent.
    pub sent: SimTime,
    /// When its end was known.
    pub ended: SimTime,
    /// How it ended.
    pub answer: Answer,
}

/// What a replica's routing saw of one provider when it chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The provider.
    pub provider: ProviderId,
    /// Whether it might get attempts.
    pub admitted: bool,
    /// Who had ejected it.
    pub ejected_by: EjectedBy,
}

/// Listens to a run. Every method has an empty default, and what is not listened to costs nothing.
pub trait Recorder {
    /// Whether `request_ended` must come in order of time. If not, the engine may decide a request when it arrives.
    const NEEDS_ORDER: bool = false;
    /// Whether attempts are listened to.
    const NEEDS_ATTEMPTS: bool = false;
    /// Whether it is told what providers charge for, in models that have prices.
    const TAKES_BILLS: bool = false;

    /// Whether requests that ended alike may be reported by their number, where the engine need not look at each.
    const TAKES_NUMBERS: bool = false;

    /// A request reached its terminal state.
    fn request_ended(&mut self, _request: &RequestEnd) {}
    /// Requests that ended alike, none of which `request_ended` hears of.
    fn requests_ended(&mut self, _requests: &Alike) {}
    /// Up to when requests may arrive that are reported together with one that arrives at `from` and ends like this.
    fn together_until(&self, _from: SimTime, _ending: Ending) -> SimTime {
        SimTime::NEVER
    }
    /// Whether it must be told the latencies of those that succeed.
    fn wants_latencies(&self) -> bool {
        true
    }
    /// So many of the succeeded among `requests_ended` took so long; said of each once.
    fn latencies(&mut self, _latency: SimDuration, _count: u64) {}
    /// A probe's result is known.
    fn probe_ended(&mut self, _probe: &ProbeEnd) {}
    /// A probe was sent.
    fn probe_sent(&mut self) {}
    /// A replica ejected or admitted a provider.
    fn health_changed(&mut self, _change: &HealthChange) {}
    /// What a replica's detectors think of a provider, as its routing sees it.
    fn belief_changed(&mut self, _change: &BeliefChange) {}
    /// A fault started or ended, or somebody acted.
    fn milestone(&mut self, _at: SimTime, _milestone: Milestone) {}
    /// What a request asks for, just before its first attempt is sent; not said where requests have no tokens.
    fn asked_for(&mut self, _request: u64, _demand: &Demand) {}
    /// An attempt, of this number among those of the request, was sent.
    fn attempt_sent(
        &mut self,
        _request: u64,
        _number: u32,
        _to: ProviderId,
        _seen: &[Candidate],
        _at: SimTime,
    ) {
    }
    /// An attempt has ended while somebody waited for it.
    fn attempt_ended(&mut self, _attempt: &AttemptEnd) {}
    /// A provider charges for calls, each of which is told of once, in no order.
    fn billed(&mut self, _calls: &Billed) {}
}

/// Two recorders that listen to the same run.
impl<A: Recorder, B: Recorder> Recorder for (A, B) {
    const NEEDS_ORDER: bool = A::NEEDS_ORDER || B::NEEDS_ORDER;
    const NEEDS_ATTEMPTS: bool = A::NEEDS_ATTEMPTS || B::NEEDS_ATTEMPTS;
    const TAKES_BILLS: bool = A::TAKES_BILLS || B::TAKES_BILLS;
    const TAKES_NUMBERS: bool = A::TAKES_NUMBERS && B::TAKES_NUMBERS;

    fn request_ended(&mut self, request: &RequestEnd) {
        self.0.request_ended(request);
        self.1.request_ended(request);
    }
    fn requests_ended(&mut self, requests: &Alike) {
        self.0.requests_ended(requests);
        self.1.requests_ended(requests);
    }
    fn together_until(&self, from: SimTime, ending: Ending) -> SimTime {
        self.0.together_until(from, ending).min(self.1.together_until(from, ending))
    }
    fn wants_latencies(&self) -> bool {
        self.0.wants_latencies() || self.1.wants_latencies()
    }
    fn latencies(&mut self, latency: SimDuration, count: u64) {
        self.0.latencies(latency, count);
        self.1.latencies(latency, count);
    }
    fn probe_ended(&mut self, probe: &ProbeEnd) {
        self.0.probe_ended(probe);
        self.1.probe_ended(probe);
    }
    fn probe_sent(&mut self) {
        self.0.probe_sent();
        self.1.probe_sent();
    }
    fn health_changed(&mut self, change: &HealthChange) {
        self.0.health_changed(change);
        self.1.health_changed(change);
    }
    fn belief_changed(&mut self, change: &BeliefChange) {
        self.0.belief_changed(change);
        self.1.belief_changed(change);
    }
    fn milestone(&mut self, at: SimTime, milestone: Milestone) {
        self.0.milestone(at, milestone);
        self.1.milestone(at, milestone);
    }
    fn asked_for(&mut self, request: u64, demand: &Demand) {
        self.0.asked_for(request, demand);
        self.1.asked_for(request, demand);
    }
    fn attempt_sent(&mut self, request: u64, number: u32, to: ProviderId, seen: &[Candidate], at: SimTime) {
        self.0.attempt_sent(request, number, to, seen, at);
        self.1.attempt_sent(request, number, to, seen, at);
    }
    fn attempt_ended(&mut self, attempt: &AttemptEnd) {
        self.0.attempt_ended(attempt);
        self.1.attempt_ended(attempt);
    }
    fn billed(&mut self, calls: &Billed) {
        self.0.billed(calls);
        self.1.billed(calls);
    }
}
