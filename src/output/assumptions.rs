//! What a model takes for granted, in words. A reader who knows better changes the scenario.

use super::terminal::thousands;
use crate::model::{
    AllEjected, Arrivals, Effect, Evidence, HealthScope, InFlight, Model, NextProbe, ProviderId,
};

/// The assumptions of a model that move its answer most, in short phrases.
pub fn assumptions(model: &Model) -> Vec<String> {
    let mut words = Vec::new();
    let a_minute = thousands(model.traffic.arrivals.mean_rate().per_second() * 60.0);
    if let Some(fault) = model.faults.first() {
        words.push(match fault.in_flight {
            InFlight::Finish => "requests in flight finish when the fault starts".to_owned(),
            InFlight::Fail => "requests in flight fail when the fault starts".to_owned(),
            InFlight::Hang => "requests in flight hang when the fault starts".to_owned(),
        });
        if fault.requests == Effect::Hang && model.traffic.client_timeout.is_none() {
            words.push("clients wait for ever".to_owned());
        }
    }
    let routed = model.gateway.route.providers();
    let has_limit = |id: &ProviderId| model.provider(*id).capacity.is_some();
    if routed.len() > 1 {
        match model.gateway.route.plain_list() {
            Some(list) if list.iter().skip(1).all(|id| !has_limit(id)) => {
                words.push(format!("a backup has no limit (it gets {a_minute} requests a minute)"));
            }
            None if !routed.iter().any(has_limit) => {
                words.push(format!("no provider has a limit ({a_minute} requests a minute)"));
            }
            _ => {}
        }
    }
    if routed.iter().any(has_limit) {
        words.push("what waits for a provider is served in the order in which it came".to_owned());
    }
    words.push(match &model.traffic.arrivals {
        Arrivals::Constant(_) => "arrivals are evenly spaced".to_owned(),
        Arrivals::Poisson(_) => "arrivals are independent (Poisson)".to_owned(),
        Arrivals::Trace(trace) if trace.rate().is_some() => {
            format!("arrivals are {} shifted copies of a trace", trace.scaling().0)
        }
        Arrivals::Trace(_) => "arrivals are as recorded".to_owned(),
    });
    match (&model.gateway.retry, &model.gateway.fallback) {
        (None, None) => words.push("a failed request is not tried elsewhere".to_owned()),
        (Some(_), None) => words.push("the gateway tries again".to_owned()),
        (None, Some(_)) => words.push("the gateway falls back".to_owned()),
        (Some(_), Some(_)) => words.push("the gateway tries again and falls back".to_owned()),
    }
    if let Some(retry) = &model.traffic.client_retry {
        let times = thousands(f64::from(retry.attempts));
        words.push(format!("clients ask again, up to {times} time{}", if times == "1" { "" } else { "s" }));
    }
    match &model.gateway.health_check {
        None => words.push("nothing probes".to_owned()),
        Some(check) => words.push(match check.next_probe {
            NextProbe::FromStart => "the interval runs from a probe's start".to_owned(),
            NextProbe::FromStartNoOverlap => {
                "the interval runs from a probe's start, without overlap".to_owned()
            }
            NextProbe::OnTicks => "probes start on the ticks of a clock".to_owned(),
            NextProbe::FromEnd => "the interval runs from a probe's end".to_owned(),
        }),
    }
    if model.gateway.all_ejected == AllEjected::IgnoreHealth {
        words.push("with all ejected, health is ignored".to_owned());
    }
    words.push(match (model.gateway.replicas.get(), model.gateway.health) {
        (1, _) => "one gateway replica".to_owned(),
        (n, HealthScope::Shared(_)) => {
            format!("{} gateway replicas that share what they know", thousands(f64::from(n)))
        }
        (n, HealthScope::Own) => {
            format!("{} gateway replicas that do not talk to each other", thousands(f64::from(n)))
        }
    });
    if let Some(evidence) = model.weakest_evidence {
        words.push(format!("weakest evidence of a part: {}", evidence_word(evidence)));
    }
    words
}

fn evidence_word(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Assumed => "assumed",
        Evidence::Documented => "documented",
        Evidence::Source => "source",
        Evidence::Measured => "measured",
    }
}
