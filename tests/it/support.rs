//! Models built in code, so that tests of one stage do not lean on the one before it.

use failover_sim::model::{
    Arrivals, Clock, Effect, Fault, Gateway, HealthCheck, InFlight, Latency, Model, OperatorAction,
    Probability, Provider, ProviderId, Rate, Route, Traffic,
};
use failover_sim::time::{SimDuration, SimTime};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use std::process::Child;

/// A time this long after the start.
pub fn at_secs(seconds: u64) -> SimTime {
    SimTime::START.after(SimDuration::from_secs(seconds))
}

fn provider(name: &str, median_ms: u64) -> Provider {
    let (p50, p99) = (SimDuration::from_millis(median_ms), SimDuration::from_millis(4 * median_ms));
    let latency = Latency::lognormal(p50, p99).expect("p50 is below p99");
    let error_rate = Probability::new(0.001).expect("a probability");
    Provider { error_rate, ..Provider::new(name, latency) }
}

/// The incident: of two providers the preferred one dies at 02:47:00 for 4 minutes, and a health check every 60 s with a
/// 30 s timeout and a random phase looks for it. Poisson arrivals, quiet errors, and a switch by hand at 03:04:00.
pub fn story_model() -> Model {
    let claude = ProviderId::new(0);
    let gpt = ProviderId::new(1);
    let fault = Fault {
        probes: Effect::Hang,
        in_flight: InFlight::Fail,
        ..Fault::new("night", vec![claude], at_secs(7 * 60), at_secs(11 * 60), Effect::Status(502))
    };
    let health_check = HealthCheck {
        latency: Latency::Constant(SimDuration::from_millis(100)),
        ..HealthCheck::new(SimDuration::from_secs(60), SimDuration::from_secs(30))
    };
    Model {
        name: "story".to_owned(),
        about: Some("the incident at 3 AM".to_owned()),
        clock: Clock::new(2, 40, 0, "UTC"),
        duration: SimDuration::from_secs(30 * 60),
        traffic: Traffic {
            client_timeout: Some(SimDuration::from_secs(30)),
            ..Traffic::new(Arrivals::Poisson(Rate::new(155.56).expect("a rate")))
        },
        providers: vec![provider("claude_east", 800), provider("gpt4o_west", 900)],
        faults: vec![fault],
        incidents: vec![],
        gateway: Gateway {
            health_check: Some(health_check),
            ..Gateway::new(Route::prefer(&[claude, gpt], |id| format!("{id:?}")))
        },
        operator: vec![OperatorAction::at("on_call", at_secs(24 * 60), vec![claude])],
        slo: None,
        quotas: vec![],
        failed_request_cost: None,
        network: None,
        weakest_evidence: None,
    }
}

/// What Ctrl-C does to a command.
pub fn interrupt(command: &Child) {
    send(command, Signal::SIGINT);
}

/// Sends a signal to a command.
pub fn send(command: &Child, signal: Signal) {
    let pid = i32::try_from(command.id()).map(Pid::from_raw).expect("the system's own number");
    signal::kill(pid, signal).expect("it is there");
}
