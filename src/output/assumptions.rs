//! What a model takes for granted, in words. A reader who knows better changes the scenario.

use super::terminal::thousands;
use crate::model::{AllEjected, Arrivals, Effect, Evidence, InFlight, Model, NextProbe};

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
    if model.gateway.route.providers().len() > 1 {
        words.push(match model.gateway.route.plain_list() {
            Some(_) => format!("a backup has no limit (it gets {a_minute} requests a minute)"),
            None => format!("no provider has a limit ({a_minute} requests a minute)"),
        });
    }
    words.push(match &model.traffic.arrivals {
        Arrivals::Constant(_) => "arrivals are evenly spaced".to_owned(),
        Arrivals::Poisson(_) => "arrivals are independent (Poisson)".to_owned(),
        Arrivals::Trace(trace) if trace.rate().is_some() => {
            format!("arrivals are {} shifted copies of a trace", trace.scaling().0)
        }
        Arrivals::Trace(_) => "arrivals are as recorded".to_owned(),
    });
    words.push("a failed request is not tried elsewhere".to_owned());
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
    words.push(match model.gateway.replicas.get() {
        1 => "one gateway replica".to_owned(),
        n => format!("{} gateway replicas that do not talk to each other", thousands(f64::from(n))),
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
