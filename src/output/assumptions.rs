//! What a model takes for granted, in words. A reader who knows better changes the scenario.

use super::terminal::thousands;
use crate::model::{
    AllEjected, Arrivals, BeforeRun, Billing, Discipline, Effect, Evidence, HealthScope, InFlight, Model,
    NextProbe, ProviderId, RetryTo, Traffic,
};

fn arrivals(traffic: &Traffic) -> String {
    let words = match &traffic.arrivals {
        Arrivals::Constant(_) => "arrivals are evenly spaced".to_owned(),
        Arrivals::Poisson(_) => "arrivals are independent (Poisson)".to_owned(),
        Arrivals::Renewal(renewal) => {
            format!(
                "gaps between arrivals are independent (gamma, coefficient of variation {})",
                renewal.cv()
            )
        }
        Arrivals::Users(users) => {
            let count = thousands(f64::from(users.count.get()));
            let users = if count == "1" { "user who waits" } else { "users who wait" };
            format!("{count} {users} for an answer, good or not, before asking again")
        }
        Arrivals::OnOff(on_off) => {
            format!("arrivals are on for {} and off for {}, on average", on_off.on(), on_off.off())
        }
        Arrivals::Trace(trace) => {
            let copies = trace.scaling().0;
            match (trace.bootstrap(), trace.rate()) {
                (None, None) => "arrivals are as recorded".to_owned(),
                (None, Some(_)) => format!("arrivals are {copies} shifted copies of a trace"),
                (Some(block), _) if copies == 1 => {
                    format!("arrivals are random blocks of {block} of a trace")
                }
                (Some(block), _) => {
                    format!("arrivals are {copies} copies made of random blocks of {block} of a trace")
                }
            }
        }
    };
    match traffic.profile {
        Some(_) => format!("{words}, at a rate that changes over time"),
        None => words,
    }
}

/// The assumptions of a model that move its answer most, in short phrases.
pub fn assumptions(model: &Model) -> Vec<String> {
    let mut words = Vec::new();
    let a_minute = thousands(60.0 * model.expected_requests() / model.duration.as_secs_f64());
    if let Some(fault) = model.faults.first() {
        let alike = model.faults.iter().all(|other| other.in_flight == fault.in_flight);
        let what = match fault.in_flight {
            _ if !alike => "finish, fail or hang, as each fault says,",
            InFlight::Finish => "finish",
            InFlight::Fail => "fail",
            InFlight::Hang => "hang",
        };
        words.push(format!("requests in flight {what} when the fault starts"));
    }
    if model.faults.iter().any(|fault| matches!(fault.requests, Effect::Hang | Effect::Pause)) {
        let timeouts = &model.gateway.timeouts;
        if [timeouts.first_token, timeouts.attempt, timeouts.request].iter().all(Option::is_none) {
            words.push("the gateway has no timeout".to_owned());
        }
        if model.traffic.client_timeout.is_none() {
            words.push("clients wait for ever".to_owned());
        }
    }
    let routed = model.gateway.route.providers();
    let has_queue = |id: &ProviderId| model.provider(*id).capacity.is_some();
    let has_limit = |id: &ProviderId| has_queue(id) || model.quotas.iter().any(|q| q.providers.contains(id));
    let again = match model.gateway.retry.is_some() || model.traffic.client_retry.is_some() {
        true => ", and what is tried again",
        false => "",
    };
    if routed.len() > 1 {
        match model.gateway.route.plain_list() {
            Some(list) if list.iter().skip(1).all(|id| !has_limit(id)) => {
                words.push(format!("a backup has no limit (it gets {a_minute} requests a minute{again})"));
            }
            None if !routed.iter().any(has_limit) => {
                words.push(format!("no provider has a limit ({a_minute} requests a minute{again})"));
            }
            _ => {}
        }
    }
    for (discipline, order) in
        [(Discipline::Fifo, "in the order in which it came"), (Discipline::Lifo, "last come, first served")]
    {
        let is_such =
            |id: &ProviderId| model.provider(*id).capacity.is_some_and(|c| c.discipline == discipline);
        if routed.iter().any(is_such) {
            words.push(format!("what waits for a provider is served {order}"));
        }
    }
    if !model.quotas.is_empty() {
        let probes_count =
            model.gateway.health_check.is_some() && model.quotas.iter().any(|quota| quota.probes);
        let probes = if probes_count { ", and probes count" } else { "" };
        words.push(format!("quotas are unused at the start{probes}"));
    }
    match model.incidents.len() {
        0 => {}
        1 => words.push("incidents come at random".to_owned()),
        n => words.push(format!(
            "incidents come at random, {} sources independent of each other",
            thousands(n as f64)
        )),
    }
    words.push(arrivals(&model.traffic));
    let mut then = Vec::new();
    then.extend(model.gateway.retry.as_ref().map(|retry| match retry.to {
        RetryTo::Same => "tries again at the same provider",
        RetryTo::Other => "tries again at another provider",
        RetryTo::Any | RetryTo::SameThenAny | RetryTo::Start => "tries again",
    }));
    then.extend(model.gateway.fallback.as_ref().map(|_| "falls back"));
    then.extend(model.gateway.hedge.as_ref().map(|_| "hedges"));
    words.push(match then.as_slice() {
        [] => "a failed request is not tried elsewhere".to_owned(),
        then => format!("the gateway {}", then.join(" and ")),
    });
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
    match model.gateway.all_ejected {
        AllEjected::IgnoreHealth => words.push("with all ejected, health is ignored".to_owned()),
        AllEjected::Wait => words.push("with all ejected, requests wait".to_owned()),
        AllEjected::Fail => {}
    }
    words.push(match (model.gateway.replicas.get(), model.gateway.health) {
        (1, _) => "one gateway replica".to_owned(),
        (n, HealthScope::Shared(_)) if !model.gateway.detectors.is_empty() => {
            format!("{} gateway replicas that share what their detectors know", thousands(f64::from(n)))
        }
        (n, _) => {
            format!("{} gateway replicas that do not talk to each other", thousands(f64::from(n)))
        }
    });
    if model.network.is_some() {
        words.push("round trips between two regions do not vary".to_owned());
    }
    if let Some(slo) = &model.slo {
        words.push("the error budget is whole at the start".to_owned());
        if slo.alerts.iter().any(|alert| matches!(alert.before, BeforeRun::Steady)) {
            words.push("no request failed before the run".to_owned());
        }
    }
    if model.has_bills() {
        words.push(match model.providers.iter().all(|provider| provider.billing == Billing::default()) {
            true => "providers charge for answers that nobody waits for, and not for errors".to_owned(),
            false => "providers charge as their `billing` says".to_owned(),
        });
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Loader;

    /// The assumptions of two providers of which one hangs, with these settings of the gateway.
    fn of(gateway: &str) -> String {
        let text = format!(
            "duration = \"10m\"\ntraffic.arrivals = {{ constant = \"20/s\" }}\n\
             provider.a.latency = {{ constant = \"1s\" }}\nprovider.b.latency = {{ constant = \"1s\" }}\n\
             [fault.night]\non = {{ name = \"a\" }}\nat = \"2m\"\nlasts = \"4m\"\nrequests = \"hang\"\n\
             [gateway]\nroute = {{ prefer = [\"a\", \"b\"] }}\n{gateway}\n"
        );
        let document = Loader::new().parse("mine.toml", &text).expect("a scenario");
        assumptions(&document.model().expect("a valid scenario")).join("; ")
    }

    #[test]
    fn what_is_tried_again_is_told_with_where() {
        assert!(of("").contains("a failed request is not tried elsewhere"));
        let words = of("retry = { attempts = 1, on = [\"5xx\"] }");
        assert!(words.contains("the gateway tries again at the same provider"), "{words}");
        assert!(words.contains("(it gets 1,200 requests a minute, and what is tried again)"), "{words}");
        let words = of("fallback = {}\nhedge = { after = \"1s\" }");
        assert!(words.contains("the gateway falls back and hedges"), "{words}");
    }

    #[test]
    fn a_quota_is_a_limit() {
        assert!(of("").contains("a backup has no limit (it gets 1,200 requests a minute)"));
        let of_backup = of("[quota.q]\non = { name = \"b\" }\nrequests = \"500/min\"");
        assert!(!of_backup.contains("has no limit"), "{of_backup}");
        let of_first = of("[quota.q]\non = { name = \"a\" }\nrequests = \"500/min\"");
        assert!(of_first.contains("a backup has no limit"), "{of_first}");
    }

    #[test]
    fn what_costs_quotas_and_budgets_take_for_granted_is_told() {
        let probes = "health_check = { interval = \"5s\", timeout = \"1s\" }\n";
        let quota = "[quota.q]\non = { name = \"b\" }\nrequests = \"500/min\"";
        assert!(of(quota).contains("quotas are unused at the start;"), "{}", of(quota));
        assert!(of(&format!("{probes}{quota}")).contains("at the start, and probes count"));
        assert!(of("[slo]\nobjective = 0.99\nwindow = \"30d\"").contains("budget is whole at the start"));
        let priced = "[provider.a.price]\nrequest = 0.01\n[provider.b.price]\nrequest = 0.01\n";
        assert!(of(priced).contains("charge for answers that nobody waits for, and not for errors"));
        let billed = of(&format!("{priced}[provider.b.billing]\nerrors = \"all\""));
        assert!(billed.contains("providers charge as their `billing` says"), "{billed}");
        assert!(!of("").contains("charge") && !of("").contains("quota") && !of("").contains("budget"));
    }

    #[test]
    fn replicas_share_what_detectors_know_and_nothing_else() {
        let shared = "replicas = 3\nhealth = { shared = \"1s\" }\n";
        let probes = "health_check = { interval = \"5s\", timeout = \"1s\" }";
        assert!(
            of(&format!("{shared}{probes}")).contains("3 gateway replicas that do not talk to each other")
        );
        let breaker = "detector.breaker = { consecutive = 5, eject_for = \"30s\" }";
        let words = of(&format!("{shared}{breaker}"));
        assert!(words.contains("3 gateway replicas that share what their detectors know"), "{words}");
    }

    #[test]
    fn a_hang_is_taken_with_the_timeouts_that_end_it() {
        assert!(of("").contains("the gateway has no timeout"));
        assert!(!of("timeouts = { attempt = \"30s\" }").contains("no timeout"));
        assert!(of("all_ejected = \"wait\"").contains("with all ejected, requests wait"));
    }
}
