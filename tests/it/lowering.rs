//! What is written is what is simulated: every setting of a gateway, compared with the model that it makes.

use failover_sim::model::{
    Abandoned, AllEjected, Answer, AnswerSet, Arrivals, Average, Backoff, BackoffGrowth, BucketStart, Budget,
    Capacity, Class, Counting, Decide, Detector, Drift, Effect, EjectedFrom, Ejection, Evaluated, Fallback,
    FirstProbe, Gateway, GatewayEffect, Generation, Growth, HalfOpen, HealthCheck, HealthScope, Hedge,
    Intervals, Jitter, Judges, Latency, LowestLatency, MaxEjected, MaxEjectedRule, Model, Network, NextProbe,
    Nginx, NodeId, OnEjection, OnError, PeakEwma, Pick, Price, Probability, Propagation, Ratio, Retry,
    RetryTo, RoundTrips, Route, SlowRatio, Stale, SuccessRate, Timeouts, TokenCount, Tokens, TripAction,
    Trips, Users, Window, WindowStart, speed_sigma,
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
    let price = Price { input: 2.5, output: 10.0, cached_input: 2.5, request: 0.001 };
    assert_eq!((a.first_token, a.price), (share(0.3), Some(price)));
    let only_input = Price { input: 3.0, output: 0.0, cached_input: 3.0, request: 0.0 };
    assert_eq!(b.price, Some(only_input));
    assert_eq!((d.first_token, d.price, d.capacity), (Probability::ONE, None, None));
    assert_eq!(d.latency, Latency::lognormal(SimDuration::from_millis(300), secs(1)).unwrap());
    assert_eq!(d.generation, Some(Generation { prompt_per_second: Some(5000.0), ..Generation::new(80.0) }));
    let capacity = |slots, queue, abandoned| Some(Capacity { slots: some(slots), queue, abandoned });
    assert_eq!(a.capacity, capacity(10, Some(1000), Abandoned::Dropped));
    assert_eq!(b.capacity, capacity(1, None, Abandoned::Runs));
    assert_eq!(c.capacity, capacity(2, Some(0), Abandoned::Runs));

    let effects: Vec<_> = model.faults.iter().map(|fault| (fault.requests, fault.probes)).collect();
    assert_eq!(
        effects,
        [
            (Effect::Drop, Effect::Pause),
            (Effect::Stall(share(0.5)), Effect::Cut(share(0.25))),
            (Effect::Truncate(share(0.75)), Effect::Status(429)),
        ]
    );
    assert_eq!(model.faults[1].retry_after, None);
    assert_eq!(model.faults[2].retry_after, Some(secs(20)));
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
    let classes = lowered(EVERYTHING).traffic.classes;
    let of = |name: &str, share, input_tokens, output_tokens| Class {
        name: name.to_owned(),
        share,
        input_tokens,
        output_tokens,
    };
    let lognormal = |p50, p99| TokenCount::lognormal(p50, p99).unwrap();
    assert_eq!(
        classes,
        [
            of("chat", 3.0, lognormal(1000, 4000), TokenCount::Constant(129)),
            of("code", 1.0, TokenCount::Constant(0), lognormal(13, 252)),
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
fn retries_of_clients_and_gateways() {
    let model = lowered(EVERYTHING);
    assert_eq!(
        model.traffic.client_retry,
        Some(Retry {
            attempts: 2,
            on: AnswerSet::of([Answer::Timeout, Answer::ConnectionLost, Answer::Status(429)])
                .or(statuses(500, 599)),
            to: RetryTo::Any,
            backoff: Backoff {
                delays: vec![],
                base: millis(500),
                growth: BackoffGrowth::Exponential(2.0),
                max: secs(8),
                jitter: Jitter::Times(0.25),
            },
            at_once_on: AnswerSet::NONE,
            at_once_with_others: false,
            wait_after_last: false,
            retry_after: Some(secs(60)),
            budget: None,
        })
    );
    let tokens = Tokens {
        max: 500.0,
        per_retry: 5.0,
        per_timeout_retry: 10.0,
        per_failure: 1.0,
        per_success: 0.5,
        refunds: true,
        keeps: 250.0,
    };
    assert_eq!(
        model.gateway.retry,
        Some(Retry {
            attempts: 3,
            on: AnswerSet::of([Answer::Refused, Answer::ConnectTimeout, Answer::Stalled, Answer::Cut])
                .or(statuses(400, 499)),
            to: RetryTo::SameThenAny,
            backoff: Backoff {
                delays: vec![millis(500), secs(1)],
                base: SimDuration::ZERO,
                growth: BackoffGrowth::Constant,
                max: SimDuration::MAX,
                jitter: Jitter::Plus(millis(750)),
            },
            at_once_on: AnswerSet::of([Answer::Refused]),
            at_once_with_others: true,
            wait_after_last: true,
            retry_after: Some(secs(60)),
            budget: Some(Budget::Tokens(tokens)),
        })
    );
    assert_eq!(model.gateway.fallback, Some(Fallback { on: AnswerSet::any(), max: 5 }));
    assert_eq!(model.gateway.hedge, Some(Hedge { after: millis(500), max: some(2) }));
}

#[test]
fn what_retries_default_to_and_choose_from() {
    let retry = |more: &str| {
        let text = format!("retry = {{ attempts = 1, on = [\"any\"]{more} }}\nfallback = {{}}");
        let gateway = gateway_with(&text);
        assert_eq!(gateway.fallback, Some(Fallback { on: AnswerSet::any(), max: 1000 }));
        gateway.retry.expect("retries")
    };
    let plain = retry("");
    assert_eq!((plain.to, plain.retry_after, plain.budget), (RetryTo::Same, None, None));
    assert_eq!((plain.backoff.base, plain.backoff.jitter), (SimDuration::ZERO, Jitter::None));
    for (word, to) in
        [("any", RetryTo::Any), ("other", RetryTo::Other), ("same", RetryTo::Same), ("start", RetryTo::Start)]
    {
        assert_eq!(retry(&format!(", to = \"{word}\"")).to, to);
    }
    for (word, jitter) in [
        ("none", Jitter::None),
        ("full", Jitter::Full),
        ("equal", Jitter::Equal),
        ("decorrelated", Jitter::Decorrelated),
    ] {
        assert_eq!(retry(&format!(", delay = \"0s\", jitter = \"{word}\"")).backoff.jitter, jitter);
    }
    for (word, growth) in [("constant", BackoffGrowth::Constant), ("linear", BackoffGrowth::Linear)] {
        assert_eq!(retry(&format!(", delay = \"0s\", growth = \"{word}\"")).backoff.growth, growth);
    }
    let tokens = Tokens {
        max: 10.0,
        per_retry: 2.0,
        per_timeout_retry: 2.0,
        per_failure: 0.0,
        per_success: 0.0,
        refunds: false,
        keeps: 0.0,
    };
    for (text, budget) in [
        ("{ concurrent = 3 }", Budget::Concurrent(3)),
        ("{ concurrent_share = { share = 0.2, min = 5 } }", Budget::ConcurrentShare { share: 0.2, min: 5 }),
        (
            "{ share = { share = 0.2, per_second = 10.0, ttl = \"10s\" } }",
            Budget::Share { share: 0.2, per_second: 10.0, ttl: secs(10) },
        ),
        ("{ tokens = { max = 10.0, per_retry = 2.0 } }", Budget::Tokens(tokens)),
    ] {
        assert_eq!(retry(&format!(", budget = {text}")).budget, Some(budget));
    }
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

fn detector(name: &str, trips: Trips, base: SimDuration) -> Detector {
    Detector {
        name: name.to_owned(),
        judges: Judges::Attempts,
        failures: AnswerSet::any(),
        ignored: AnswerSet::NONE,
        trips,
        window: Window::SinceAdmission,
        evaluated: Evaluated::OnCall,
        stale: Stale::Counts,
        enforced: Probability::ONE,
        action: TripAction::Eject,
        ejection: Ejection {
            base,
            growth: Growth::Constant,
            max: SimDuration::MAX,
            jitter: SimDuration::ZERO,
            from: EjectedFrom::Trip,
            retry_after: None,
        },
        half_open: None,
        clears_on_admission: true,
        readmit_on_probe: false,
        max_ejected: None,
        spares_lone: false,
    }
}

#[test]
fn detectors() {
    let gateway = lowered(EVERYTHING).gateway;
    let half = |inclusive, min_calls| Ratio { of: share(0.5), inclusive, min_calls };
    let on_ratio = || Trips { ratio: Some(half(true, 1)), ..Trips::default() };
    let first_trip = HalfOpen { permits: some(1), decide: Decide::First };

    let five = Detector {
        window: Window::Buckets { length: secs(10), count: some(10), from: BucketStart::Clock },
        ..detector("five", on_ratio(), secs(10))
    };
    let on_ten = Trips { consecutive: Some(some(10)), ..Trips::default() };
    let four = Detector {
        action: TripAction::HealthCheck(OnError::Brink),
        ..detector("four", on_ten, SimDuration::ZERO)
    };
    let all_trips = Trips {
        consecutive: Some(some(5)),
        count: Some(some(3)),
        ratio: Some(half(false, 5)),
        slow: Some(SlowRatio {
            after: secs(60),
            ratio: Ratio { of: Probability::ONE, inclusive: true, min_calls: 100 },
        }),
        at_once_on: AnswerSet::of([Answer::Status(429)]),
        success_rate: None,
        nginx: None,
    };
    let one = Detector {
        name: "one".to_owned(),
        judges: Judges::AfterRetries,
        failures: AnswerSet::of([Answer::Timeout]).or(statuses(500, 599)),
        ignored: statuses(501, 501),
        trips: all_trips,
        window: Window::Calls(some(100)),
        evaluated: Evaluated::OnFailure,
        stale: Stale::Dropped,
        enforced: share(0.5),
        action: TripAction::Eject,
        ejection: Ejection {
            base: secs(30),
            growth: Growth::Linear,
            max: secs(300),
            jitter: secs(5),
            from: EjectedFrom::FirstFailure,
            retry_after: Some(secs(1)),
        },
        half_open: Some(HalfOpen { permits: some(10), decide: Decide::Ratio }),
        clears_on_admission: false,
        readmit_on_probe: true,
        max_ejected: Some(MaxEjected { share: share(0.1), rule: MaxEjectedRule::WithThis }),
        spares_lone: true,
    };
    let on_two = Trips { count: Some(some(2)), ..Trips::default() };
    let seven = Detector {
        window: Window::Sliding(secs(10)),
        evaluated: Evaluated::OnTicks { every: secs(1), first: None },
        ..detector("seven", on_two, secs(10))
    };
    let six = Detector {
        window: Window::Ewma(secs(30)),
        half_open: Some(first_trip),
        ..detector("six", on_ratio(), secs(10))
    };
    let nginx = Nginx { max_fails: some(3), fail_timeout: secs(10) };
    let three = detector("three", Trips { nginx: Some(nginx), ..Trips::default() }, secs(10));
    let rate = SuccessRate { stdev_factor: 1.9, min_providers: 5, min_calls: 100 };
    let mut two = Detector {
        window: Window::Tumbling { length: secs(10), from: WindowStart::FirstOfEach },
        evaluated: Evaluated::OnTicks { every: secs(10), first: Some(SimDuration::ZERO) },
        half_open: Some(HalfOpen { decide: Decide::All, ..first_trip }),
        max_ejected: Some(MaxEjected { share: share(0.2), rule: MaxEjectedRule::BeforeThis }),
        ..detector("two", Trips { success_rate: Some(rate), ..Trips::default() }, secs(30))
    };
    two.ejection.growth = Growth::Exponential(2.0);
    assert_eq!(gateway.detectors, [five, four, one, seven, six, three, two], "in order of name");
}

#[test]
fn what_detectors_choose_from() {
    let detector = |more: &str| {
        let text = format!("detector.x = {{ count = 1, {more} }}");
        gateway_with(&text).detectors.remove(0)
    };
    for (word, from) in [
        ("clock", WindowStart::Clock),
        ("first_call", WindowStart::FirstCall),
        ("first_failure", WindowStart::FirstFailure),
        ("first_of_each", WindowStart::FirstOfEach),
    ] {
        let text = format!("eject_for = \"1s\", window.tumbling = {{ length = \"1s\", from = \"{word}\" }}");
        assert_eq!(detector(&text).window, Window::Tumbling { length: secs(1), from });
    }
    let tumbling = detector("eject_for = \"1s\", window.tumbling.length = \"1s\"");
    assert_eq!(tumbling.window, Window::Tumbling { length: secs(1), from: WindowStart::FirstCall });
    let buckets = "window.buckets = { length = \"1s\", count = 2, from = \"first_call\" }";
    let expected = Window::Buckets { length: secs(1), count: some(2), from: BucketStart::FirstCall };
    assert_eq!(detector(&format!("eject_for = \"1s\", {buckets}")).window, expected);
    for (word, on_error) in [
        ("hurry", OnError::Hurry),
        ("fail", OnError::Fail),
        ("brink", OnError::Brink),
        ("down", OnError::Down),
    ] {
        let text = format!("on_trip.health_check = \"{word}\"");
        assert_eq!(detector(&text).action, TripAction::HealthCheck(on_error));
    }
}

/// A route as one line for each node: its depth, name and way to choose.
fn outline(route: &Route) -> Vec<String> {
    let mut lines = vec![];
    let mut pending = vec![(NodeId(0), 0)];
    while let Some((id, depth)) = pending.pop() {
        let node = route.node(id);
        let how = match &node.pick {
            Pick::Provider(_) => String::new(),
            pick => format!(" {pick:?}").split('(').next().unwrap_or_default().to_owned(),
        };
        let how = how.split(" {").next().unwrap_or_default();
        lines.push(format!("{}{}{how}", "  ".repeat(depth), node.name));
        for child in node.pick.children().into_iter().rev() {
            assert_eq!(route.node(child).parent, Some(id));
            pending.push((child, depth + 1));
        }
    }
    lines
}

#[test]
fn groups_are_a_tree() {
    let route = lowered(EVERYTHING).gateway.route;
    assert_eq!(
        outline(&route).join("\n"),
        "\
route Prefer
  cheap Split
    fast LowestLatency
      a
      b
    spread Weighted
      a
      peak PeakEwma
        c
        d
      turns RoundRobin
        b
        idle LeastInFlight
          c
          d
        d
  a
  users Sticky
    price Cheapest
      a
      b
    prices InverseSquarePrice
      a
      b
    faster LowestLatency
      a
      b
      c
      d
    idle LeastInFlight
      c
      d"
    );
    let pick = |name: &str| &route.nodes().iter().find(|node| node.name == name).expect("a node").pick;
    assert!(matches!(pick("cheap"), Pick::Split { share: s, .. } if *s == share(0.1)));
    assert!(matches!(pick("users"), Pick::Sticky { users: 100, .. }));
    let Pick::Weighted(weighted) = pick("spread") else { panic!("weighted") };
    let weights: Vec<_> = weighted.iter().map(|(id, w)| (route.node(*id).name.as_str(), *w)).collect();
    assert_eq!(weights, [("a", 3.0), ("peak", 0.5), ("turns", 1.0)]);
    let fast = LowestLatency {
        average: Average::Last(10),
        failure_counts_as: None,
        buffer: 0.1,
        explore: Probability::ZERO,
    };
    assert!(matches!(pick("fast"), Pick::LowestLatency(_, lowest) if *lowest == fast));
    let faster = LowestLatency {
        average: Average::Ewma(0.2),
        failure_counts_as: Some(secs(5)),
        buffer: 0.0,
        explore: share(0.01),
    };
    assert!(matches!(pick("faster"), Pick::LowestLatency(_, lowest) if *lowest == faster));
    let peak = PeakEwma { decay: secs(20), failure_counts_as: secs(30) };
    assert!(matches!(pick("peak"), Pick::PeakEwma(_, found) if *found == peak));
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
    let mut tried: Vec<&str> = words(EVERYTHING).chain(words(include_str!("lowering.rs"))).collect();
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
