//! What faults do, in words, and how staging could be made to do the same.

use super::document::FaultBand;
use super::number::{Moment, Number};
use crate::model::{Effect, Fault, GatewayEffect, GatewayFault, InFlight, Model, Probability, Recovery};
use crate::output::terminal::thousands;
use crate::time::SimDuration;

/// The band of a fault of providers.
pub(crate) fn fault_band(model: &Model, fault: &Fault) -> FaultBand {
    FaultBand {
        name: fault.name.clone(),
        providers: fault.providers.iter().map(|id| model.provider(*id).name.clone()).collect(),
        start_s: Moment(fault.start),
        end_s: Moment(fault.end),
        words: fault_words(fault),
    }
}

/// The band of a fault of the gateway.
pub(crate) fn gateway_band(fault: &GatewayFault) -> FaultBand {
    let replicas = match fault.replicas {
        1 => "one gateway replica".to_owned(),
        n => format!("{} gateway replicas", thousands(f64::from(n))),
    };
    let words = match fault.effect {
        GatewayEffect::Crash => format!("{replicas} crash: what comes to them fails"),
        GatewayEffect::Drain => format!("{replicas} are gone, and others get their requests"),
        GatewayEffect::LoseStore => format!("{replicas} cannot read the shared state"),
    };
    FaultBand {
        name: fault.name.clone(),
        providers: vec![],
        start_s: Moment(fault.start),
        end_s: Moment(fault.end),
        words,
    }
}

/// What a fault does to requests, to probes, and to what is in flight.
pub(super) fn fault_words(fault: &Fault) -> String {
    let requests = share_words(fault.fraction, "requests", &effect_words(fault.requests));
    let probes = share_words(fault.probe_fraction, "probes", &effect_words(fault.probes));
    let mut words = format!("{requests}; {probes}");
    match fault.in_flight {
        InFlight::Finish => {}
        InFlight::Fail => words.push_str("; connections in flight break at its start"),
        InFlight::Hang => words.push_str("; what is in flight at its start is never answered"),
    }
    match fault.recovery {
        Recovery::AtOnce => {}
        Recovery::Ramp(takes) => words.push_str(&format!("; it goes away gradually over {takes}")),
        Recovery::Flaps { times, up, down } => {
            let times = thousands(f64::from(times.get()));
            words.push_str(&format!("; it comes back {times} times, for {down} each, after {up} of calm"));
        }
    }
    words
}

fn share_words(share: Probability, what: &str, effect: &str) -> String {
    match share {
        Probability::ONE => format!("{what} {effect}"),
        share => format!("{}% of {what} {effect}", percent(share)),
    }
}

/// To one digit, where it has one.
fn percent(share: Probability) -> String {
    let text = format!("{:.1}", 100.0 * share.get());
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn effect_words(effect: Effect) -> String {
    match effect {
        Effect::Unaffected => "go on as ever".to_owned(),
        Effect::Refuse => "are refused at once".to_owned(),
        Effect::Hang => "hang: they are accepted and never answered".to_owned(),
        Effect::Drop => "find no connection: packets are dropped".to_owned(),
        Effect::Pause => "wait until it is over".to_owned(),
        Effect::Status(status) => format!("fail at once with {status}"),
        Effect::Stall(share) => format!("stop for ever after {}% of the answer", percent(share)),
        Effect::Cut(share) => format!("break off after {}% of the answer", percent(share)),
        Effect::Truncate(share) => {
            format!("end after {}% of the answer as if it were complete", percent(share))
        }
        Effect::Slow(times) => format!("take {} times as long", Number(times).rounded()),
    }
}

/// How staging could have this happen to what is sent to a provider, which usually takes so long.
pub(super) fn how_to(effect: Effect, kind: &str, share: Probability, usual: SimDuration) -> Option<String> {
    let how = match effect {
        Effect::Unaffected => return None,
        Effect::Refuse => "reject connections to the provider (`iptables ... -j REJECT --reject-with tcp-reset`)".to_owned(),
        Effect::Hang => {
            "accept and never answer (Toxiproxy's `timeout` toxic with `timeout=0`, or a stub that reads and sleeps)"
                .to_owned()
        }
        Effect::Drop => "drop packets to the provider (`iptables ... -j DROP`)".to_owned(),
        Effect::Pause => "freeze a stub of the provider (`kill -STOP`) and let it go on at the end (`kill -CONT`)".to_owned(),
        Effect::Status(status) => {
            format!("answer {status} at once (Envoy's fault filter with `abort: {{ http_status: {status} }}`, or a stub)")
        }
        Effect::Stall(share) => format!("have a stub send {}% of the answer and then nothing", percent(share)),
        Effect::Cut(share) => {
            format!("close the connection after {}% of the answer (Toxiproxy's `limit_data` toxic)", percent(share))
        }
        Effect::Truncate(share) => {
            format!("have a stub end the answer properly after {}% of it", percent(share))
        }
        Effect::Slow(times) => {
            let more = thousands(usual.as_millis_f64() * (times - 1.0).max(0.0));
            format!("add about {more} ms to answers (Toxiproxy's `latency` toxic)")
        }
    };
    let share = match share {
        Probability::ONE => String::new(),
        share => format!(", for {}% of them", percent(share)),
    };
    Some(format!("for {kind}{share}: {how}"))
}
