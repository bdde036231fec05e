//! What is written is what is simulated: every setting of a gateway, compared with the model that it makes.

mod detectors;
mod incidents;
mod retries;
mod routes;
mod slo;
mod traffic;

use failover_sim::model::{
    Abandoned, AllEjected, Answer, AnswerSet, Arrivals, Billing, Capacity, Class, Cold, Counting, Discipline,
    Drift, Effect, Fee, FirstProbe, Gateway, GatewayEffect, Generation, HealthCheck, HealthScope, Intervals,
    Latency, Model, Network, NextProbe, OnEjection, Price, Probability, ProbeTokens, Propagation, Recovery,
    RoundTrips, Share, Timeouts, TokenCount, Users, speed_sigma,
};
use failover_sim::scenario::{Loader, json_schema};
use failover_sim::time::{SimDuration, SimTime};
use std::num::NonZeroU32;

/// A scenario with every setting of a gateway.
pub const EVERYTHING: &str = include_str!("../fixtures/valid/everything.toml");

fn lowered(text: &str) -> Model {
    Loader::new()
        .parse("mine.toml", text)
        .and_then(|document| document.model())
        .unwrap_or_else(|problems| panic!("{problems}"))
}

/// A scenario with two providers that are routed to in turn, and more of a gateway.
fn gateway_with(more: &str) -> Gateway {
    let text = format!(
        r#"
        duration = "1m"
        traffic = {{ arrivals = {{ constant = "1/s" }} }}
        provider = {{ a = {{ latency = {{ constant = "1s" }} }}, b = {{ latency = {{ constant = "1s" }} }} }}
        [gateway]
        route = {{ prefer = ["a", "b"] }}
        health_check = {{ interval = "5s", timeout = "1s" }}
        {more}
        "#
    );
    lowered(&text).gateway
}

fn secs(seconds: u64) -> SimDuration {
    SimDuration::from_secs(seconds)
}

fn millis(millis: u64) -> SimDuration {
    SimDuration::from_millis(millis)
}

fn minute(minute: u64) -> SimTime {
    SimTime::START.after(secs(60 * minute))
}

fn share(share: f64) -> Probability {
    Probability::new(share).expect("a probability")
}

fn some(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("above zero")
}

fn statuses(first: u16, last: u16) -> AnswerSet {
    AnswerSet::of((first..=last).map(Answer::Status))
}

#[test]
fn providers_and_faults() {
    let model = lowered(EVERYTHING);
    let [a, b, c, d] = model.providers.as_slice() else { panic!("four providers") };
    let price = Price { input: 2.5, output: 10.0, cached_input: 1.25, request: 0.001 };
    assert_eq!((a.first_token, a.price), (share(0.3), Some(price)));
    let only_input = Price { input: 3.0, output: 0.0, cached_input: 3.0, request: 0.0 };
    assert_eq!(b.price, Some(only_input));
    let billing = Billing { errors: Share::Input, cut: Share::Nothing, abandoned: Share::Delivered };
    assert_eq!((a.billing, b.billing), (Billing::default(), billing));
    assert_eq!(model.failed_request_cost, Some(0.05));
    let free = Price { input: 0.0, output: 0.0, cached_input: 0.0, request: 0.0 };
    assert_eq!((d.first_token, d.price, d.capacity), (Probability::ONE, Some(free), None));
    assert_eq!((a.prompt_cache, b.prompt_cache), (Some(secs(300)), None));
    assert_eq!(d.latency, Latency::lognormal(SimDuration::from_millis(300), secs(1)).unwrap());
    assert_eq!(d.generation, Some(Generation { prompt_per_second: Some(5000.0), ..Generation::new(80.0) }));
    let of_a = Capacity {
        queue: Some(1000),
        discipline: Discipline::Lifo,
        queue_timeout: Some(secs(10)),
        abandoned: Abandoned::Dropped,
        full: 529,
        retry_after: Some(secs(5)),
        ..Capacity::new(some(10))
    };
    assert_eq!((a.capacity, a.cold), (Some(of_a), None));
    assert_eq!(b.capacity, Some(Capacity::new(some(1))));
    assert_eq!(c.capacity, Some(Capacity { queue: Some(0), ..Capacity::new(some(2)) }));
    assert_eq!(c.cold, Some(Cold { after: secs(600), start: secs(20) }));

    let scripted = || model.faults.iter().filter(|fault| !fault.name.contains('#'));
    let effects: Vec<_> = scripted().map(|fault| (fault.requests, fault.probes)).collect();
    assert_eq!(
        effects,
        [
            (Effect::Drop, Effect::Pause),
            (Effect::Stall(share(0.5)), Effect::Cut(share(0.25))),
            (Effect::Truncate(share(0.75)), Effect::Status(429)),
        ]
    );
    let waits: Vec<_> = scripted().map(|fault| fault.retry_after).collect();
    assert_eq!(waits, [None, None, Some(secs(20))]);
    // They last for a minute, and then recover.
    let flaps = |times, up, down| Recovery::Flaps { times: some(times), up: secs(up), down: secs(down) };
    let ends: Vec<_> = scripted().map(|fault| (fault.recovery, fault.end)).collect();
    assert_eq!(
        ends,
        [
            (Recovery::AtOnce, minute(2)),
            (flaps(3, 60, 30), minute(3).after(secs(270))),
            (Recovery::Ramp(secs(120)), minute(6)),
        ]
    );
}

#[test]
fn latency_by_percentiles() {
    let latency = |more: &str| {
        let of = format!("{{ percentiles = {{ p50 = \"1s\", p95 = \"2s\", p99 = \"9s\"{more} }} }}");
        let text = format!(
            "duration = \"1m\"\ntraffic = {{ arrivals = {{ constant = \"1/s\" }} }}\nprovider = {{ a = {{ latency = {of} }} }}"
        );
        Some(lowered(&text).providers[0].latency)
    };
    assert_eq!(latency(""), Latency::percentiles(secs(1), secs(2), secs(9), None));
    assert_eq!(latency(", max = \"20s\""), Latency::percentiles(secs(1), secs(2), secs(9), Some(secs(20))));
}

#[test]
fn users() {
    let of = |users: &str| {
        let text = format!(
            "duration = \"1m\"\ntraffic.arrivals.users = {{ {users} }}\nprovider.a.latency.constant = \"1s\""
        );
        lowered(&text).traffic.arrivals
    };
    let users = |count, think, ramp_up| Arrivals::Users(Users::new(some(count), think, ramp_up).unwrap());
    assert_eq!(
        of("count = 200, think = { exponential = { mean = \"3s\" } }, ramp_up = \"30s\""),
        users(200, Latency::Exponential { mean: secs(3) }, secs(30))
    );
    assert_eq!(
        of("count = 1, think = { constant = \"2s\" }"),
        users(1, Latency::Constant(secs(2)), SimDuration::ZERO)
    );
}

#[test]
fn what_requests_ask_for() {
    let traffic = lowered(EVERYTHING).traffic;
    assert_eq!(traffic.conversations, NonZeroU32::new(500));
    let of = |name: &str, share, priority, input_tokens, output_tokens| Class {
        name: name.to_owned(),
        share,
        priority,
        input_tokens,
        output_tokens,
        cached_share: Probability::ZERO,
        max_latency: None,
    };
    let lognormal = |p50, p99| TokenCount::lognormal(p50, p99).unwrap();
    assert_eq!(
        traffic.classes,
        [
            Class {
                cached_share: share(0.37),
                max_latency: Some(secs(2)),
                ..of("chat", 3.0, 5, lognormal(1000, 4000), TokenCount::Constant(129))
            },
            of("code", 1.0, 0, TokenCount::Constant(0), lognormal(13, 252)),
        ]
    );
}

#[test]
fn speeds_that_vary() {
    let generation = |more: &str| {
        let text = format!(
            r#"
            duration = "1m"
            traffic = {{ arrivals = {{ constant = "1/s" }}, class.chat.output_tokens.constant = 100 }}
            provider.a.latency.tokens = {{ first_token.constant = "1s", per_second = 80.0{more} }}
            "#
        );
        lowered(&text).providers[0].generation.expect("an answer by tokens")
    };
    let plain = Generation::new(80.0);
    assert_eq!(generation(""), plain);
    let sigma = speed_sigma(80.0, 20.0).expect("below the median");
    assert_eq!(generation(", per_second_p1 = 20.0"), Generation { sigma, ..plain });
    let drift = Drift { every: secs(30), sigma: speed_sigma(1.0, 0.5).expect("below the median") };
    assert_eq!(
        generation(", drift = { every = \"30s\", p1 = 0.5 }"),
        Generation { drift: Some(drift), ..plain }
    );
}

#[test]
fn what_the_network_and_the_gateway_add() {
    let model = lowered(
        r#"
        duration = "1m"
        [traffic]
        arrivals = { constant = "1/s" }
        region = "ap"
        [traffic.class.chat]
        region = "eu"
        [traffic.class.code]
        [provider.a]
        labels = { region = "us" }
        latency = { constant = "1s" }
        [provider.b]
        labels = { region = "eu" }
        latency = { constant = "1s" }
        [network]
        rtt.us = { us = "2ms", eu = "80ms", ap = "200ms" }
        rtt.eu = { ap = "150ms" }
        [gateway]
        region = "us"
        overhead = { constant = "15ms" }
        route = { prefer = ["a", "b"] }
        health_check = { interval = "5s", timeout = "1s" }
        "#,
    );
    let from = |ms| RoundTrips { to_gateway: millis(ms), to_providers: vec![millis(2), millis(80)] };
    let probes = vec![millis(2), millis(80)];
    assert_eq!(model.network, Some(Network { requests: vec![from(80), from(200)], probes }));
    assert_eq!(model.gateway.overhead, Some(Latency::Constant(millis(15))));
}

#[test]
fn the_gateway_itself() {
    let gateway = lowered(EVERYTHING).gateway;
    assert_eq!(gateway.health, HealthScope::Shared(secs(1)));
    let propagation = Propagation { delay: secs(2), ttl: secs(30), merge_window: secs(1) };
    assert_eq!(gateway.propagation, propagation);
    assert_eq!((gateway.on_ejection, gateway.all_ejected), (OnEjection::Close, AllEjected::Wait));
    assert_eq!((gateway.panic_below, gateway.overprovisioning), (share(0.5), Some(1.4)));
    assert_eq!(gateway.slow_start, secs(30));
    assert_eq!(gateway.fee, Fee { markup: 0.1, request: 0.001, month: 49.0 });
    assert_eq!(
        gateway.timeouts,
        Timeouts {
            connect: Some(secs(1)),
            first_token: Some(secs(3)),
            idle: Some(secs(60)),
            attempt: Some(secs(10)),
            request: Some(secs(15)),
            spares_last: true,
            buffers: true,
        }
    );
    assert_eq!(
        gateway.health_check,
        Some(HealthCheck {
            intervals: Intervals {
                falling: Some(secs(1)),
                down: Some(secs(2)),
                rising: Some(secs(3)),
                no_traffic: Some(secs(60)),
            },
            jitter: millis(100),
            jitter_share: 0.1,
            spread: share(0.05),
            eject_after: some(3),
            readmit_after: some(2),
            counting: Counting::Cumulative,
            eject_at_once_on: AnswerSet::of([Answer::Refused, Answer::Status(503)]),
            first_probe: FirstProbe::At(secs(1)),
            next_probe: NextProbe::OnTicks,
            observers: some(16),
            quorum: share(0.18),
            latency: Latency::Constant(millis(50)),
            tokens: Some(ProbeTokens { input: 10, output: 1 }),
            ..HealthCheck::new(secs(5), secs(1))
        })
    );
    let faults: Vec<_> = gateway
        .faults
        .iter()
        .map(|fault| (fault.name.as_str(), fault.start, fault.end, fault.effect, fault.replicas))
        .collect();
    assert_eq!(
        faults,
        [
            ("crash", minute(7), minute(8), GatewayEffect::Crash, 1),
            ("deploy", minute(7), minute(7).after(secs(30)), GatewayEffect::Drain, 2),
            ("redis", minute(20), minute(21), GatewayEffect::LoseStore, 3),
        ],
        "in order of time and then name"
    );
}

#[test]
fn a_gateway_of_which_nothing_is_said_is_the_plain_one() {
    let gateway = gateway_with("");
    let check = HealthCheck { latency: Latency::Constant(millis(50)), ..HealthCheck::new(secs(5), secs(1)) };
    assert_eq!(gateway, Gateway { health_check: Some(check), ..Gateway::new(gateway.route.clone()) });
}

/// What settings and choices are looked for among.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// Every setting of a gateway that the schema offers, and every choice but a default, is written somewhere here.
#[test]
fn no_setting_is_left_out() {
    const OF_PARTS: [&str; 3] = ["from", "source", "evidence"];
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).expect("a JSON Schema");
    let mut definitions = vec!["Gateway"];
    let written = [
        EVERYTHING,
        include_str!("lowering.rs"),
        include_str!("lowering/detectors.rs"),
        include_str!("lowering/retries.rs"),
        include_str!("lowering/routes.rs"),
    ];
    let mut tried: Vec<&str> = written.into_iter().flat_map(words).collect();
    tried.extend(OF_PARTS);
    let mut offered = vec![];
    let mut next = 0;
    while let Some(name) = definitions.get(next).copied() {
        next += 1;
        let mut pending = vec![&schema["$defs"][name]];
        while let Some(part) = pending.pop() {
            if let Some(inner) = part["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"))
                && !definitions.contains(&inner)
            {
                definitions.push(inner);
            }
            if let Some(table) = part["properties"].as_object() {
                offered.extend(table.keys().map(|key| (name, key.as_str())));
                pending.extend(table.values());
            }
            offered.extend(part["const"].as_str().map(|choice| (name, choice)));
            tried.extend(part["default"].as_str());
            pending.extend(part["oneOf"].as_array().into_iter().flatten());
            pending.extend(part.get("additionalProperties"));
        }
    }
    assert!(offered.len() > 100, "{offered:?}");
    // What was there before is tried in `scenarios.rs`.
    const EARLIER: [&str; 7] = [
        "Latency",
        "LognormalLatency",
        "ExponentialLatency",
        "Evidence",
        "AllEjected",
        "NextProbe",
        "OnEjection",
    ];
    offered.retain(|(definition, word)| !tried.contains(word) && !EARLIER.contains(definition));
    assert!(offered.is_empty(), "{offered:#?}");
}

/// One run answers for all only where nothing rolls dice.
#[test]
fn whatever_rolls_dice_makes_a_scenario_random() {
    let is_random = |more: &str| {
        let route = if more.contains("gateway.route") { "" } else { "gateway.route.prefer = [\"a\", \"b\"]" };
        let text = format!(
            r#"
            duration = "1m"
            traffic.arrivals.constant = "1/s"
            provider.a = {{ latency = {{ constant = "1s" }}, price = {{ request = 1.0 }} }}
            provider.b = {{ latency = {{ constant = "1s" }}, price = {{ request = 1.0 }} }}
            {route}
            {more}
            "#
        );
        lowered(&text).is_random()
    };
    assert!(!is_random(""));
    for still in [
        "gateway.health.shared = \"0s\"",
        "gateway.propagation = { delay = \"1s\", merge_window = \"1s\" }",
        "gateway.retry = { attempts = 1, on = [\"any\"], delay = \"1s\" }",
        "gateway.retry = { attempts = 1, on = [\"any\"], delay = \"1s\", jitter = { plus = \"0s\" } }",
        "gateway.hedge.after = \"1s\"",
        "gateway.overhead.constant = \"1s\"",
        "gateway.overhead.percentiles = { p50 = \"1s\", p95 = \"1s\", p99 = \"1s\", max = \"2s\" }",
        "gateway.detector.x = { consecutive = 1, eject_for = \"1s\" }",
        "slo = { objective = 0.9, window = \"1h\" }\nalert.x = { burn = 2.0, long = \"1m\", short = \"1m\", first_tick.at = \"0s\" }",
        "fault.x = { on.name = \"a\", at = \"1s\", lasts = \"1s\" }\noperator.x = { avoid = [\"a\"], after.status_page = { fault = \"x\", posted_after.constant = \"1s\" }, stages.switch.constant = \"1s\" }",
    ] {
        assert!(!is_random(still), "{still}");
    }
    for random in [
        "gateway.health.shared = \"1s\"",
        "gateway.propagation.ttl = \"1s\"",
        "gateway.slow_start = \"1s\"",
        "gateway.overhead.exponential.mean = \"1s\"",
        "gateway.overhead.percentiles = { p50 = \"1s\", p95 = \"1s\", p99 = \"2s\" }",
        "gateway.overprovisioning = 1.4",
        "gateway.replicas = 2",
        "gateway.route.weighted = { a = 1.0, b = 1.0 }",
        "gateway.route.inverse_square_price = [\"a\", \"b\"]",
        "gateway.route.peak_ewma = {}",
        "gateway.route.split = { share = 0.5, first = \"a\", rest = \"b\" }",
        "gateway.route.sticky = { users = 9, among = [\"a\", \"b\"] }",
        "gateway.route.lowest_latency = { explore = 0.1 }",
        "gateway.health_check = { interval = \"1s\", timeout = \"1s\" }",
        "gateway.health_check = { interval = \"1s\", timeout = \"1s\", first_probe.at = \"0s\", spread = 0.1 }",
        "gateway.health_check = { interval = \"1s\", timeout = \"1s\", first_probe.at = \"0s\", jitter_share = 0.1 }",
        "gateway.detector.x = { nginx = { max_fails = 1, fail_timeout = \"1s\" } }",
        "gateway.detector.x = { count = 2, window.tumbling = { length = \"1s\", from = \"clock\" }, eject_for = \"1s\" }",
        "gateway.detector.x = { count = 2, window.buckets = { length = \"1s\", count = 2 }, eject_for = \"1s\" }",
        "gateway.detector.x = { count = 2, evaluated.on_ticks.every = \"1s\", eject_for = \"1s\" }",
        "gateway.detector.x = { consecutive = 1, eject_for = \"1s\", enforced = 0.5 }",
        "gateway.route.lowest_latency = { buffer = 0.1, explore = 0.0 }",
        "gateway.retry = { attempts = 1, on = [\"any\"], delay = \"1s\", jitter = \"full\" }",
        "traffic.client_retry = { attempts = 1, on = [\"any\"], delay = \"1s\", jitter = { times = 0.1 } }",
        "gateway.detector.x = { consecutive = 1, eject_for = \"1s\", eject_jitter = \"1s\" }",
        "slo = { objective = 0.9, window = \"1h\" }\nalert.x = { burn = 2.0, long = \"1m\", short = \"1m\" }",
        "fault.x = { on.name = \"a\", at = \"1s\", lasts = \"1s\" }\noperator.x = { avoid = [\"a\"], after.status_page = { fault = \"x\", posted_after.constant = \"1s\", polled_every = \"1s\" } }",
        "fault.x = { on.name = \"a\", at = \"1s\", lasts = \"1s\" }\noperator.x = { avoid = [\"a\"], after.status_page = { fault = \"x\", posted_after.constant = \"1s\" }, stages.switch.exponential.mean = \"1s\" }",
    ] {
        assert!(is_random(random), "{random}");
    }
}
