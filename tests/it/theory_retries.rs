//! Retries, hedging, budgets and timers against closed forms.
//!
//! R is the number of retries, p the probability that an attempt fails, S what an attempt takes.

use crate::play::{Log, assert_moments, model};
use failover_sim::engine::{Cause, Ending};
use failover_sim::model::{Answer, ProviderId};
use failover_sim::time::SimTime;

/// Provider `a`, preferred, and `b`; what is told of them follows.
fn scenario(seconds: u32, traffic: &str, a: &str, b: &str, more: &str) -> String {
    format!(
        r#"
        duration = "{seconds}s"
        traffic.arrivals = {traffic}
        provider.a = {{ {a} }}
        provider.b = {{ {b} }}
        {more}
        "#
    )
}

const AT_ONCE: &str = r#"latency = { constant = "0s" }"#;

/// `a` answers like this all the time.
fn outage(requests: &str) -> String {
    format!(
        "[fault.outage]\non = {{ name = \"a\" }}\nat = \"0s\"\nlasts = \"100h\"\nrequests = {requests}\nprobes = \"unaffected\"\n"
    )
}

const DOWN: &str = "{ status = 503 }";

fn has_failed(ending: Ending) -> f64 {
    f64::from(u8::from(matches!(ending, Ending::Failed(..))))
}

/// The waits before each retry of every request, the first retry first.
fn waits(log: &Log) -> Vec<Vec<f64>> {
    let mut of_request: Vec<Vec<f64>> = vec![];
    for (request, _, at) in &log.sent {
        let request = *request as usize;
        if of_request.len() <= request {
            of_request.resize(request + 1, vec![]);
        }
        of_request[request].push(at.as_millis_f64() / 1000.0);
    }
    of_request.iter().map(|sent| sent.windows(2).map(|two| two[1] - two[0]).collect()).collect()
}

/// (1 - p^(R+1)) / (1 - p) attempts for a request, of which p^(R+1) fail in the end.
#[test]
fn c1_retries_of_independent_failures() {
    let p = 0.4_f64;
    for retries in [1, 3] {
        let more = format!("[gateway.retry]\nattempts = {retries}\non = [\"5xx\"]");
        let a = r#"latency = { constant = "10ms" }, error_rate = 0.4"#;
        let log = Log::of(
            &scenario(
                1000,
                "{ poisson = \"10/s\" }",
                a,
                AT_ONCE,
                &format!("gateway.route = {{ prefer = [\"a\"] }}\n{more}"),
            ),
            0,
        );
        let attempts: Vec<f64> = log.requests.iter().map(|r| f64::from(r.attempts)).collect();
        let failed: Vec<f64> = log.requests.iter().map(|r| has_failed(r.ending)).collect();
        let lost = p.powi(retries + 1);
        assert_moments("C1 attempts", &attempts, (1.0 - lost) / (1.0 - p), None);
        assert_moments("C1 failed", &failed, lost, Some(lost * (1.0 - lost)));
    }
}

/// The waits that requests are seen to make have the moments of their law.
#[test]
fn c2_waits_of_every_jitter() {
    let x = |nth: i32| 2.0_f64.powi(nth - 1);
    type Law = fn(f64) -> (f64, f64);
    let laws: [(&str, Law); 5] = [
        ("\"full\"", |x| (x / 2.0, x * x / 12.0)),
        ("\"equal\"", |x| (0.75 * x, x * x / 48.0)),
        ("{ plus = \"750ms\" }", |x| (x + 0.375, 0.75 * 0.75 / 12.0)),
        ("{ times = 0.2 }", |x| (x, 0.16 * x * x / 12.0)),
        ("\"none\"", |x| (x, 0.0)),
    ];
    for (jitter, law) in laws {
        let retry = format!(
            "[gateway.retry]\nattempts = 3\non = [\"5xx\"]\ndelay = \"1s\"\ngrowth = {{ exponential = 2.0 }}\njitter = {jitter}\n"
        );
        let more = retry + &outage(DOWN);
        let seen = waits(&Log::of(
            &scenario(
                100,
                "{ constant = \"10/s\" }",
                AT_ONCE,
                AT_ONCE,
                &format!("gateway.route = {{ prefer = [\"a\"] }}\n{more}"),
            ),
            0,
        ));
        for nth in 1..=3 {
            let waits: Vec<f64> = seen.iter().map(|waits| waits[nth as usize - 1]).collect();
            let (mean, variance) = law(x(nth));
            assert_moments(jitter, &waits, mean, Some(variance));
        }
    }
}

/// Decorrelated: s_n = U(b, 3 s_{n-1}), so E[s_n] = 2 b 1.5^n - b.
#[test]
fn c2_decorrelated_waits_grow() {
    let retry = "[gateway.retry]\nattempts = 4\non = [\"5xx\"]\ndelay = \"1s\"\njitter = \"decorrelated\"\n";
    let more = retry.to_owned() + &outage(DOWN);
    let seen = waits(&Log::of(
        &scenario(
            150,
            "{ constant = \"10/s\" }",
            AT_ONCE,
            AT_ONCE,
            &format!("gateway.route = {{ prefer = [\"a\"] }}\n{more}"),
        ),
        0,
    ));
    for nth in 1..=4 {
        let waits: Vec<f64> = seen.iter().map(|waits| waits[nth as usize - 1]).collect();
        assert_moments("decorrelated", &waits, 2.0 * 1.5_f64.powi(nth) - 1.0, None);
    }
}

/// A parallel attempt after h: P(X > t) = P(S > t) P(S > t - h), and P(S > h) more attempts.
#[test]
fn c3_hedging() {
    let (h, exponential) = (0.5, r#"latency = { exponential = { mean = "1s" } }"#);
    let toml = scenario(
        1000,
        "{ poisson = \"10/s\" }",
        exponential,
        exponential,
        "gateway.hedge.after = \"500ms\"\ngateway.route = { prefer = [\"a\", \"b\"] }",
    );
    let log = Log::of(&toml, 0);
    let took: Vec<f64> = log.durations();
    for t in [0.75, 1.0, 2.0] {
        let longer: Vec<f64> = took.iter().map(|x| f64::from(u8::from(*x > t))).collect();
        assert_moments("C3", &longer, libm::exp(-t) * libm::exp(h - t), None);
    }
    let attempts: Vec<f64> = log.requests.iter().map(|r| f64::from(r.attempts) - 1.0).collect();
    assert_moments("C3 load", &attempts, libm::exp(-h), None);
}

/// In a total outage a full bucket grants ceil(max / 2) - 1 retries in gRPC, and 500 / 5 or, after timeouts, 500 / 10 in
/// the AWS SDKs: each client, each replica, has its own.
#[test]
fn b8_buckets_in_a_total_outage() {
    let grpc = |max: u32| {
        format!(
            "{{ tokens = {{ max = {max}.0, per_retry = 0.0, per_failure = 1.0, per_success = 0.1, keeps = {}.0 }} }}",
            max / 2
        )
    };
    let aws = "{ tokens = { max = 500.0, per_retry = 5.0, per_timeout_retry = 10.0, per_success = 1.0, refunds = true } }".to_owned();
    for (budget, requests, replicas, granted) in [
        (grpc(10), DOWN, 1, 4),
        (grpc(100), DOWN, 1, 49),
        (grpc(10), DOWN, 3, 12),
        (aws.clone(), DOWN, 1, 100),
        (aws.clone(), "\"hang\"", 1, 50),
        (aws, DOWN, 2, 200),
    ] {
        let more = format!(
            "[gateway]\nreplicas = {replicas}\nroute = {{ prefer = [\"a\"] }}\ntimeouts.attempt = \"1s\"\n[gateway.retry]\nattempts = 1000\non = [\"any\"]\nbudget = {budget}\n{}",
            outage(requests)
        );
        let log = Log::of(&scenario(100, "{ constant = \"10/s\" }", AT_ONCE, AT_ONCE, &more), 0);
        assert_eq!(log.sent.len() - log.requests.len(), granted, "{budget}");
    }
}

/// gRPC: a failure that is not tried again costs no token, neither in a gateway nor in a client.
#[test]
fn b8_other_failures_leave_the_bucket_full() {
    let budget =
        "{ tokens = { max = 10.0, per_retry = 0.0, per_failure = 1.0, per_success = 0.1, keeps = 5.0 } }";
    let retry = format!("{{ attempts = 1000, on = [\"5xx\"], budget = {budget} }}");
    for layer in ["gateway.retry", "traffic.client_retry"] {
        let more = format!(
            r#"
            gateway.route = {{ prefer = ["a"] }}
            {layer} = {retry}
            [fault.early]
            on = {{ name = "a" }}
            at = "0s"
            lasts = "20s"
            requests = {{ status = 400 }}
            [fault.late]
            on = {{ name = "a" }}
            at = "20s"
            lasts = "1h"
            requests = {{ status = 503 }}
            "#
        );
        let log = Log::of(&scenario(60, "{ constant = \"1/s\" }", AT_ONCE, AT_ONCE, &more), 0);
        assert_eq!(log.sent.len() - log.requests.len(), 4, "{layer}");
    }
}

/// Finagle: in the long run retries are the share of requests and so many a second, 0.2 + 10 / 50 here.
#[test]
fn finagles_budget_in_a_total_outage() {
    let more = format!(
        "gateway.route = {{ prefer = [\"a\"] }}\n[gateway.retry]\nattempts = 5\non = [\"any\"]\nbudget = {{ share = {{ share = 0.2, per_second = 10.0, ttl = \"10s\" }} }}\n{}",
        outage(DOWN)
    );
    let log = Log::of(&scenario(400, "{ constant = \"50/s\" }", AT_ONCE, AT_ONCE, &more), 0);
    let share = log.sent.len() as f64 / log.requests.len() as f64 - 1.0;
    assert!((share - 0.4).abs() < 0.015, "{share}");
}

/// The share that c servers of load a lose.
fn erlang_b(c: u32, a: f64) -> f64 {
    (1..=c).fold(1.0, |b, k| a * b / (f64::from(k) + a * b))
}

/// Envoy: of 60 retries a second three may be under way at a time, their wait included, so that 21% overflow with the
/// default back-off of U(0, 25 ms), and 10% without.
#[test]
fn envoys_retry_overflow_is_erlangs() {
    for (delay, wait, known) in [("25ms", 0.0125, 0.21), ("0s", 0.0, 0.10)] {
        let more = format!(
            "gateway.route = {{ prefer = [\"a\", \"b\"] }}\n[gateway.retry]\nattempts = 1\non = [\"5xx\"]\nto = \"other\"\ndelay = \"{delay}\"\njitter = \"full\"\nbudget = {{ concurrent = 3 }}\n{}",
            outage(DOWN)
        );
        // Lognormal with sigma 0.3.
        let b = r#"latency = { lognormal = { p50 = "20ms", p99 = "40.19ms" } }"#;
        let model = model(&scenario(100, "{ poisson = \"60/s\" }", AT_ONCE, b, &more));
        let overflow: Vec<f64> = (0..12)
            .map(|run| Log::of_model(&model, run))
            .map(|log| log.failed() as f64 / log.requests.len() as f64)
            .collect();
        let service = 0.02 * libm::exp(0.3 * 0.3 / 2.0);
        let expected = erlang_b(3, 60.0 * (wait + service));
        assert!((expected - known).abs() < 0.005, "{expected}");
        assert_moments(delay, &overflow, expected, None);
    }
}

/// HAProxy retries a refused connection three times after a second each on the same server. With `redispatch` the last
/// one goes elsewhere if the server is down by then: detection as clients see it is three seconds shorter.
#[test]
fn haproxys_redispatch_saves_the_last_seconds() {
    let lost = |to: &str| {
        let more = format!(
            r#"
            [fault.crash]
            on = {{ name = "a" }}
            at = "20s"
            lasts = "1h"
            [gateway]
            route = {{ prefer = ["a", "b"] }}
            health_check = {{ interval = "2s", timeout = "2s", eject_after = 3, next_probe = "from_end", first_probe = {{ at = "1s" }}, latency = {{ constant = "0s" }} }}
            [gateway.retry]
            attempts = 3
            on = ["refused"]
            delay = "1s"
            to = "{to}"
            "#
        );
        let log = Log::of(&scenario(60, "{ constant = \"10/s\" }", AT_ONCE, AT_ONCE, &more), 0);
        assert_eq!(log.ejections_ms().0, [25_000.0]);
        log.failed()
    };
    assert_eq!(lost("same"), 50);
    assert_eq!(lost("same_then_any"), 50 - 3 * 10);
}

/// TensorZero goes through the whole list again: with two rounds more and three providers that fail, a request takes nine
/// attempts, one at each provider in turn.
#[test]
fn a_retry_from_the_start_goes_around_the_fallback() {
    let toml = r#"
        duration = "10s"
        traffic = { arrivals = { constant = "1/s" } }
        provider.a = { latency = { constant = "0s" }, labels = { all = "yes" } }
        provider.b = { latency = { constant = "0s" }, labels = { all = "yes" } }
        provider.c = { latency = { constant = "0s" }, labels = { all = "yes" } }
        [fault.all]
        on = { all = "yes" }
        at = "0s"
        lasts = "1h"
        requests = { status = 500 }
        [gateway]
        route = { prefer = ["a", "b", "c"] }
        fallback = { on = ["any"] }
        retry = { attempts = 2, on = ["any"], to = "start", delay = "100ms" }
        "#;
    let log = Log::of(toml, 0);
    assert_eq!(log.failed(), 10);
    for request in 0..10 {
        let of = |(of, provider, at): &(u64, ProviderId, SimTime)| {
            (*of == request).then(|| (provider.index(), at.as_millis_f64()))
        };
        let sent: Vec<(usize, f64)> = log.sent.iter().filter_map(of).collect();
        let providers: Vec<usize> = sent.iter().map(|(provider, _)| *provider).collect();
        assert_eq!(providers, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
        let since_first = |i: usize| sent[i].1 - sent[0].1;
        assert_eq!((since_first(2), since_first(3), since_first(8)), (0.0, 100.0, 200.0));
    }
}

/// Of five providers that all fail a request gets to the first and to as many more as fallbacks are allowed.
#[test]
fn fallbacks_are_counted() {
    for most in 1..=6 {
        let providers: String = ["a", "b", "c", "d", "e"]
            .map(|name| {
                format!("provider.{name} = {{ latency = {{ constant = \"0s\" }}, error_rate = 1.0 }}\n")
            })
            .concat();
        let toml = format!(
            r#"
            duration = "10s"
            traffic = {{ arrivals = {{ constant = "1/s" }} }}
            {providers}
            [gateway]
            route = {{ prefer = ["a", "b", "c", "d", "e"] }}
            fallback = {{ max = {most} }}
            "#
        );
        let log = Log::of(&toml, 0);
        assert!(log.requests.iter().all(|request| request.attempts == 1 + most.min(4)), "{most}");
    }
}

/// The attempts of a client's SDK, its gateway's retries and its gateway's fallbacks multiply.
#[test]
fn retries_of_every_layer_multiply() {
    for (client, retry, providers) in [(2, 2, 3), (1, 3, 2), (4, 1, 1)] {
        let names = ["a", "b", "c"].map(|name| format!("\"{name}\""));
        let fallback = if providers > 1 { "[gateway.fallback]" } else { "" };
        let toml = format!(
            r#"
            duration = "10s"
            provider.a.latency = {{ constant = "0s" }}
            provider.b.latency = {{ constant = "0s" }}
            provider.c.latency = {{ constant = "0s" }}
            gateway.route = {{ prefer = [{}] }}
            [traffic]
            arrivals = {{ constant = "1/s" }}
            client_retry = {{ attempts = {client}, on = ["5xx"], delay = "500ms" }}
            [gateway.retry]
            attempts = {retry}
            on = ["5xx"]
            {fallback}
            [fault.a]
            on = {{ name = "a" }}
            at = "0s"
            lasts = "1h"
            requests = {{ status = 500 }}
            [fault.b]
            on = {{ name = "b" }}
            at = "0s"
            lasts = "1h"
            requests = {{ status = 500 }}
            [fault.c]
            on = {{ name = "c" }}
            at = "0s"
            lasts = "1h"
            requests = {{ status = 500 }}
            "#,
            names[..providers].join(", ")
        );
        let log = Log::of(&toml, 0);
        let expected = (1 + client) * (1 + retry) * providers as u32;
        assert!(log.requests.iter().all(|request| request.attempts == expected), "{expected}");
        let once: String =
            ["a", "b", "c"][..providers].iter().map(|name| name.repeat(1 + retry as usize)).collect();
        assert_eq!(log.path(0), once.repeat(1 + client as usize));
    }
}

/// A Retry-After that is heeded is the wait; one above the longest that may be asked for ends the retries; where nobody
/// heeds it the back-off is as ever.
#[test]
fn retry_after_rules() {
    let waited = |asked: &str, heeds: &str| {
        let more = format!(
            "gateway.route = {{ prefer = [\"a\"] }}\n[gateway.retry]\nattempts = 2\non = [429]\ndelay = \"1s\"\n{heeds}\n{}retry_after = \"{asked}\"",
            outage("{ status = 429 }")
        );
        waits(&Log::of(&scenario(3, "{ constant = \"1/s\" }", AT_ONCE, AT_ONCE, &more), 0))[0].clone()
    };
    assert_eq!(waited("20s", "retry_after = \"60s\""), [20.0, 20.0]);
    assert_eq!(waited("60s", "retry_after = \"60s\""), [60.0, 60.0]);
    assert!(waited("61s", "retry_after = \"60s\"").is_empty());
    assert_eq!(waited("20s", ""), [1.0, 1.0]);
}

/// LiteLLM heeds no Retry-After while another deployment of the group can take the request at once.
#[test]
fn retry_after_is_not_waited_for_while_others_can_serve() {
    let more = format!(
        r#"
        gateway.route = {{ weighted = {{ a = 1e6, b = 1.0 }} }}
        [gateway.retry]
        attempts = 1
        on = [429]
        to = "other"
        retry_after = "60s"
        at_once_with_others = true
        {}retry_after = "20s""#,
        outage("{ status = 429 }")
    );
    let log = Log::of(&scenario(1, "{ constant = \"1/s\" }", AT_ONCE, AT_ONCE, &more), 0);
    assert_eq!((log.path(0).as_str(), log.durations()[0]), ("ab", 0.0));
}

/// An answer that breaks after the client has its first token is not tried again; before it, or where the gateway holds
/// answers back until they are complete, it is. The first token comes after 1 s of 5 s, the break after `at` of them.
#[test]
fn what_a_client_has_begun_to_read_is_not_tried_again() {
    let played = |effect: &str, at: f64, timeouts: &str| {
        let more = format!(
            "gateway.route = {{ prefer = [\"a\", \"b\"] }}\ngateway.timeouts = {{ {timeouts} }}\n[gateway.retry]\nattempts = 1\non = [\"any\"]\nto = \"other\"\n{}",
            outage(&format!("{{ {effect} = {at} }}"))
        );
        let a = r#"latency = { constant = "5s" }, first_token = 0.2"#;
        let log = Log::of(&scenario(1, "{ constant = \"1/s\" }", a, AT_ONCE, &more), 0);
        (log.path(0), log.attempts[0].answer, log.durations()[0], log.requests[0].ending)
    };
    let is_truncated = |ending| matches!(ending, Ending::Failed(Cause::Truncated, _));
    let (path, answer, took, ending) = played("cut", 0.5, "first_token = \"3s\"");
    assert_eq!((path.as_str(), answer, took), ("a", Answer::Cut, 2.5));
    assert!(is_truncated(ending));
    let (path, answer, took, ending) = played("cut", 0.1, "first_token = \"3s\"");
    assert_eq!((path.as_str(), answer, took, ending), ("ab", Answer::ConnectionLost, 0.5, Ending::Succeeded));
    let (path, answer, took, ending) = played("cut", 0.5, "buffers = true");
    assert_eq!((path.as_str(), answer, took, ending), ("ab", Answer::Cut, 2.5, Ending::Succeeded));

    let (path, answer, took, ending) = played("stall", 0.5, "first_token = \"3s\", idle = \"10s\"");
    assert_eq!((path.as_str(), answer, took), ("a", Answer::Stalled, 2.5 + 10.0));
    assert!(matches!(ending, Ending::Failed(Cause::Timeout, _)));
    let (path, answer, took, ending) = played("stall", 0.1, "first_token = \"3s\", idle = \"10s\"");
    assert_eq!((path.as_str(), answer, took, ending), ("ab", Answer::Timeout, 3.0, Ending::Succeeded));
    let (path, answer, took, ending) = played("stall", 0.5, "idle = \"10s\", buffers = true");
    assert_eq!((path.as_str(), answer, took, ending), ("ab", Answer::Stalled, 12.5, Ending::Succeeded));

    // An answer that ends too soon, under a good status, is one that nobody in the gateway can tell from a good one.
    for timeouts in ["first_token = \"3s\"", "buffers = true"] {
        let (path, answer, took, ending) = played("truncate", 0.5, timeouts);
        assert_eq!((path.as_str(), answer, took), ("a", Answer::Good, 2.5));
        assert!(is_truncated(ending));
    }
}

/// Cloudflare waits for the last attempt however long it takes.
#[test]
fn the_last_attempt_may_be_spared_the_timeout() {
    let played = |timeouts: &str| {
        let more = format!(
            "gateway.route = {{ prefer = [\"a\"] }}\ngateway.timeouts = {{ {timeouts} }}\n[gateway.retry]\nattempts = 2\non = [\"timeout\"]"
        );
        let slow = r#"latency = { constant = "5s" }"#;
        let log = Log::of(&scenario(1, "{ constant = \"1/s\" }", slow, AT_ONCE, &more), 0);
        (log.path(0), log.durations()[0], log.failed())
    };
    assert_eq!(played("first_token = \"1s\", spares_last = true"), ("aaa".to_owned(), 7.0, 0));
    assert_eq!(played("first_token = \"1s\""), ("aaa".to_owned(), 3.0, 1));
}

/// Envoy: the timeout of the whole request covers all tries, and what it ends is not tried again; so without one for each
/// try, retries do nothing against a hang.
#[test]
fn a_request_timeout_ends_all_tries() {
    let played = |timeouts: &str| {
        let more = format!(
            "gateway.route = {{ prefer = [\"a\", \"b\"] }}\ngateway.timeouts = {{ {timeouts} }}\n[gateway.retry]\nattempts = 3\non = [\"timeout\"]\nto = \"other\"\n{}",
            outage("\"hang\"")
        );
        let log = Log::of(&scenario(1, "{ constant = \"1/s\" }", AT_ONCE, AT_ONCE, &more), 0);
        (log.path(0), log.durations()[0], log.failed())
    };
    assert_eq!(played("request = \"15s\""), ("a".to_owned(), 15.0, 1));
    assert_eq!(played("request = \"15s\", attempt = \"4s\""), ("ab".to_owned(), 4.0, 0));
    assert_eq!(played("request = \"3s\", attempt = \"4s\""), ("a".to_owned(), 3.0, 1));
}
