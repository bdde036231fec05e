//! Users who wait for an answer before they ask again, against the laws of closed systems.
//!
//! N is the number of users, Z their mean think time, R the mean time of a request, X how many end in a second.

use crate::play::{Log, assert_moments, model, outcomes};
use failover_sim::engine::{Cause, Ending, RequestEnd};
use failover_sim::time::SimTime;

/// A scenario with these users and one provider, `a`.
fn closed(duration: &str, users: &str, a: &str, more: &str) -> String {
    format!(
        "duration = \"{duration}\"\ntraffic.arrivals.users = {{ {users} }}\nprovider.a = {{ {a} }}\n{more}"
    )
}

/// One run's requests in order of arrival.
fn requests(toml: &str, run: u64) -> Vec<RequestEnd> {
    let mut requests = Log::of(toml, run).requests;
    requests.sort_by_key(|request| request.ordinal);
    assert!(requests.is_sorted_by_key(|request| request.arrived));
    assert!((0..).zip(&requests).all(|(i, request)| request.ordinal == i));
    requests
}

fn seconds(time: SimTime) -> f64 {
    time.as_millis_f64() / 1e3
}

/// For one user: how long each request took, and how long the user thought before it, in seconds.
fn cycles(requests: &[RequestEnd]) -> (Vec<f64>, Vec<f64>) {
    let mut free_since = SimTime::START;
    let cycle = |request: &RequestEnd| {
        let thought = request.arrived.since(std::mem::replace(&mut free_since, request.ended));
        (request.ended.since(request.arrived).as_secs_f64(), thought.as_secs_f64())
    };
    requests.iter().map(cycle).unzip()
}

/// The interactive response time law, N = X (R + Z), whatever the distributions, where nobody queues.
#[test]
fn throughput_is_users_over_the_mean_cycle() {
    let lognormal_mean = |p50: f64, p99: f64| {
        let sigma = libm::log(p99 / p50) / 2.326_347_874;
        p50 * libm::exp(sigma * sigma / 2.0)
    };
    for (think, z, latency, r) in [
        ("exponential = { mean = \"3s\" }", 3.0, "exponential = { mean = \"2s\" }", 2.0),
        (
            "lognormal = { p50 = \"1s\", p99 = \"5s\" }",
            lognormal_mean(1.0, 5.0),
            "lognormal = { p50 = \"800ms\", p99 = \"3s\" }",
            lognormal_mean(0.8, 3.0),
        ),
        ("constant = \"1s\"", 1.0, "exponential = { mean = \"4s\" }", 4.0),
    ] {
        let users = format!("count = 50, think = {{ {think} }}");
        let toml = closed("900s", &users, &format!("latency = {{ {latency} }}"), "");
        let model = model(&toml);
        let in_window = |run| {
            // After so many cycles it does not matter any more how the users began.
            let after_warm_up = |request: &&RequestEnd| seconds(request.arrived) >= 300.0;
            Log::of_model(&model, run).requests.iter().filter(after_warm_up).count() as f64 / 600.0
        };
        let throughput: Vec<f64> = (0..40).map(in_window).collect();
        assert_moments(think, &throughput, 50.0 / (r + z), None);
        let expected = model.expected_requests() / 900.0;
        assert!((expected / (50.0 / (r + z)) - 1.0).abs() < 0.01, "{expected}");
    }
}

/// The machine-repair model M/M/c//N: with n of N at the provider, users come at rate (N - n) / Z and go at rate
/// min(n, c) / S. Throughput is that of going, on average, and R = N / X - Z.
#[test]
fn users_at_a_provider_with_slots_are_machines_under_repair() {
    let (service, think) = (0.5, 2.0);
    for (users, slots) in [(10_u32, 1_u32), (20, 4), (12, 12)] {
        let mut weights = vec![1.0_f64];
        for n in 1..=users {
            let comes = f64::from(users - n + 1) / think;
            let goes = f64::from(n.min(slots)) / service;
            weights.push(weights[weights.len() - 1] * comes / goes);
        }
        let total: f64 = weights.iter().sum();
        let busy: f64 = (0..).zip(&weights).map(|(n, w)| f64::from(slots.min(n)) * w / total).sum();
        let throughput = busy / service;
        let response = f64::from(users) / throughput - think;

        let model = model(&closed(
            "2200s",
            &format!("count = {users}, think = {{ exponential = {{ mean = \"{think}s\" }} }}"),
            &format!(
                "latency = {{ exponential = {{ mean = \"{service}s\" }} }}, capacity = {{ slots = {slots} }}"
            ),
            "",
        ));
        let (mut throughputs, mut responses) = (vec![], vec![]);
        for run in 0..25 {
            let log = Log::of_model(&model, run);
            let window: Vec<_> = log.requests.iter().filter(|r| seconds(r.arrived) >= 200.0).collect();
            let took: f64 = window.iter().map(|r| r.ended.since(r.arrived).as_secs_f64()).sum();
            throughputs.push(window.len() as f64 / 2000.0);
            responses.push(took / window.len() as f64);
        }
        assert_moments("throughput", &throughputs, throughput, None);
        assert_moments("response", &responses, response, None);
    }
}

/// Little's law of what is measured: over a run as a whole, the users' time is spent in requests and in thinking.
#[test]
fn users_wait_or_think() {
    let toml = closed(
        "300s",
        "count = 7, think = { exponential = { mean = \"2s\" } }",
        "latency = { exponential = { mean = \"1s\" } }, error_rate = 0.2, capacity = { slots = 3, queue = 1 }",
        "traffic.client_retry = { attempts = 1, on = [\"any\"], delay = \"100ms\" }\n",
    );
    for run in 0..10 {
        let requests = requests(&toml, run);
        assert!(requests.iter().any(|request| request.attempts > 1));
        // At no time are there more requests than users.
        for request in &requests {
            let at_once =
                requests.iter().filter(|r| r.arrived <= request.arrived && request.arrived < r.ended);
            assert!(at_once.count() <= 7);
        }
    }
}

/// A user thinks as long before its nth request, and draws the same for it, in every configuration.
#[test]
fn think_times_and_draws_are_common() {
    const USER: &str = "count = 1, think = { exponential = { mean = \"2s\" } }";
    let fast = closed("300s", USER, "latency = { exponential = { mean = \"100ms\" } }", "");
    let slow = closed("300s", USER, "latency = { exponential = { mean = \"1s\" } }", "");
    let patient = closed(
        "300s",
        "count = 1, think = { exponential = { mean = \"6s\" } }",
        "latency = { exponential = { mean = \"100ms\" } }",
        "",
    );
    let [fast, slow, patient] = [fast, slow, patient].map(|toml| cycles(&requests(&toml, 3)));
    let alike = |a: &[f64], b: &[f64], factor: f64| {
        assert!(a.len().min(b.len()) > 20);
        a.iter().zip(b).for_each(|(a, b)| assert!((a * factor - b).abs() < 1e-7, "{a} {b}"));
    };
    alike(&fast.1, &slow.1, 1.0);
    alike(&fast.0, &slow.0, 10.0);
    alike(&fast.0, &patient.0, 1.0);
    alike(&fast.1, &patient.1, 3.0);
    assert!(slow.1.windows(2).all(|pair| pair[0] != pair[1]));
}

/// More users leave those who were there as they were.
#[test]
fn a_further_user_shifts_nothing_of_the_others() {
    let arrivals = |count: u32| -> Vec<SimTime> {
        let users = format!("count = {count}, think = {{ exponential = {{ mean = \"5s\" }} }}");
        let toml = closed("100s", &users, "latency = { lognormal = { p50 = \"1s\", p99 = \"3s\" } }", "");
        requests(&toml, 0).iter().map(|request| request.arrived).collect()
    };
    let (few, more) = (arrivals(3), arrivals(4));
    assert!(few.len() > 30 && more.len() > few.len());
    assert!(few.iter().all(|at| more.contains(at)));
}

/// A user stays of one class, which is drawn by its share; how many tokens its requests have differs.
#[test]
fn a_user_is_of_one_class() {
    const CLASSES: &str = r#"
        [traffic.class.long]
        share = 3.0
        output_tokens = { constant = 400 }
        [traffic.class.short]
        output_tokens = { lognormal = { p50 = 10, p99 = 50 } }
    "#;
    let toml = |users: u32, long: u32| {
        let users = format!("count = {users}, think = {{ constant = \"1s\" }}");
        let answer = "latency = { tokens = { first_token = { constant = \"0s\" }, per_second = 100.0 } }";
        let classes = CLASSES.replace("400", &long.to_string());
        closed("60s", &users, answer, &classes)
    };
    let is_long = |request: &RequestEnd| request.ended.since(request.arrived).as_secs_f64() == 4.0;
    let mut users_of_long = 0.0;
    for run in 0..400 {
        let of_one = requests(&toml(1, 400), run);
        let long = of_one.iter().filter(|request| is_long(request)).count();
        assert!(long == 0 || long == of_one.len(), "{long} of {}", of_one.len());
        users_of_long += f64::from(u8::from(long > 0));
        let (took, _) = cycles(&of_one);
        assert!(long > 0 || took.windows(2).any(|pair| pair[0] != pair[1]));
    }
    // Four standard errors.
    assert!((users_of_long / 400.0 - 0.75).abs() < 4.0 * (0.75_f64 * 0.25 / 400.0).sqrt(), "{users_of_long}");
    // The long ones ask every 5 s, the others every 1.1 s: half of all requests, not three quarters.
    let many = requests(&toml(2000, 400), 0);
    let long = many.iter().filter(|request| is_long(request)).count() as f64 / many.len() as f64;
    let (long_rate, short_rate) = (0.75 / 5.0, 0.25 / 1.126);
    assert!((long - long_rate / (long_rate + short_rate)).abs() < 0.03, "{long}");
    let expected = model(&toml(2000, 400)).expected_requests() / 60.0;
    assert!((expected / (2000.0 / 4.04) - 1.0).abs() < 0.05, "{expected}");
}

/// So is where it is, and it thinks once the answer has come all the way.
#[test]
fn a_user_stays_in_its_region() {
    const REGIONS: &str = r#"
        [traffic.class.near]
        region = "eu"
        [traffic.class.far]
        region = "us"
        [network.rtt]
        eu.us = "80ms"
        [gateway]
        region = "eu"
    "#;
    let answer = "latency = { constant = \"500ms\" }, labels = { region = \"eu\" }";
    let toml = closed("60s", "count = 1, think = { constant = \"1s\" }", answer, REGIONS);
    let mut runs = [0, 0];
    for run in 0..40 {
        let (took, thought) = cycles(&requests(&toml, run));
        let place = usize::from(took[0] > 0.5);
        assert!(took.iter().all(|took| *took == [0.5, 0.58][place]), "{took:?}");
        assert!(thought.iter().all(|thought| *thought == 1.0), "{thought:?}");
        runs[place] += 1;
    }
    assert!(runs[0] > 5 && runs[1] > 5, "{runs:?}");
}

/// Users begin evenly over the ramp, and think before they ask for the first time.
#[test]
fn users_begin_over_the_ramp() {
    let arrivals = |ramp: &str| -> Vec<f64> {
        let users = format!("count = 5, think = {{ constant = \"2s\" }}{ramp}");
        let toml = closed("12s", &users, "latency = { constant = \"1h\" }", "");
        requests(&toml, 0).iter().map(|request| seconds(request.arrived)).collect()
    };
    assert_eq!(arrivals(", ramp_up = \"10s\""), [2.0, 4.0, 6.0, 8.0, 10.0]);
    assert_eq!(arrivals(""), [2.0; 5]);
    // Nobody asks once arrivals have stopped.
    assert_eq!(arrivals(", ramp_up = \"25s\""), [2.0, 7.0]);
}

/// What hangs for ever keeps whoever waits for it, unless clients give up.
#[test]
fn a_request_that_never_ends_keeps_its_user() {
    const USERS: &str = "count = 5, think = { constant = \"1s\" }, ramp_up = \"2s\"";
    let hang = "[fault.f]\non = { name = \"a\" }\nat = \"10s\"\nlasts = \"5s\"\nrequests = \"hang\"\nprobes = \"unaffected\"\n";
    // With a listener to attempts and without: a request that cannot end is known at once, or only at the end.
    for gateway in ["", "gateway.on_ejection = \"close\"\n"] {
        let toml = closed("60s", USERS, "latency = { constant = \"500ms\" }", &format!("{gateway}{hang}"));
        let stuck = &outcomes(&model(&toml), 1)[0];
        assert_eq!(stuck.open_count, 5);
        assert_eq!(stuck.request_count, stuck.succeeded_count + 5);
        assert!(
            requests(&toml, 0).iter().all(|r| (r.ending == Ending::Open) == (seconds(r.arrived) >= 10.0))
        );

        let patience = toml.replace("provider.a", "traffic.client_timeout = \"2s\"\nprovider.a");
        let free = requests(&patience, 0);
        // Each user is caught twice at most: 2 s of waiting and 1 s of thought fit into the fault's 5 s.
        let failed = free.iter().filter(|r| matches!(r.ending, Ending::Failed(Cause::Timeout, _))).count();
        assert!((5..=10).contains(&failed), "{failed}");
        assert!(free.iter().all(|r| r.ending != Ending::Open));
        assert!(free.iter().any(|r| seconds(r.arrived) > 55.0));
    }
}

/// A request is over when its client does not ask again; then its user thinks.
#[test]
fn users_think_after_their_clients_last_retry() {
    let retry = "traffic.client_retry = { attempts = 2, on = [\"any\"], delay = \"1s\" }\n";
    let toml = closed(
        "30s",
        "count = 1, think = { constant = \"3s\" }",
        "latency = { constant = \"500ms\" }, error_rate = 1.0",
        retry,
    );
    let requests = requests(&toml, 0);
    let (took, thought) = cycles(&requests);
    assert!(requests.len() > 3 && requests.iter().all(|request| request.attempts == 3));
    // Three tries of half a second, and two waits between them.
    assert!(took.iter().all(|took| *took == 3.5), "{took:?}");
    assert!(thought.iter().all(|thought| *thought == 3.0), "{thought:?}");
}

/// Who asks does so after all else that happens at the same time: the slot is free again.
#[test]
fn users_ask_after_what_ends_at_the_same_time() {
    let toml = closed(
        "20s",
        "count = 2, think = { constant = \"1s\" }, ramp_up = \"2s\"",
        "latency = { constant = \"1s\" }, capacity = { slots = 1, queue = 0 }",
        "",
    );
    let requests = requests(&toml, 0);
    assert_eq!(requests.len(), 10 + 9);
    assert!(requests.iter().all(|request| request.ending == Ending::Succeeded));
}
