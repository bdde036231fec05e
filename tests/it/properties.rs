//! What must hold for every scenario, tried on scenarios drawn at random.

mod corners;
mod strategy;

use crate::play::{Log, model, on_path};
use corners::corners;
use failover_sim::engine::{
    Cause, Ending, HealthChange, Memo, Path, ProbeEnd, Recorder, RequestEnd, Stage, fastest_path, simulate,
};
use failover_sim::experiment::runner::RunPlan;
use failover_sim::metrics::{METRICS, MetricsRecorder, Outcome, Series, Wanted, measure, measure_with};
use failover_sim::model::{Model, Retry};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use strategy::scenarios;

/// More attempts than a request can get: clients ask so often, and each time so many are made one after the other or
/// in parallel.
fn attempts_most(model: &Model) -> u64 {
    let gateway = &model.gateway;
    let of = |retry: &Option<Retry>| retry.as_ref().map_or(0, |retry| u64::from(retry.attempts));
    let steps = gateway.route.nodes().len() as u64;
    let fallbacks = gateway.fallback.map_or(0, |fallback| u64::from(fallback.max).min(steps));
    let hedges = gateway.hedge.map_or(0, |hedge| u64::from(hedge.max.get()));
    (1 + of(&model.traffic.client_retry)) * ((1 + of(&gateway.retry)) * (1 + fallbacks) + hedges)
}

/// A test that passes always does; `PROPTEST_RNG_SEED` draws other scenarios, `PROPTEST_CASES` more of them.
fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 600 },
        rng_seed: match default.rng_seed {
            RngSeed::Random => RngSeed::Fixed(1),
            fixed => fixed,
        },
        ..default
    }
}

fn paths_agree(model: &Model, run: u64) -> Result<(), TestCaseError> {
    let fastest = fastest_path::<MetricsRecorder>(model);
    let all = Wanted { series: Series::All, timeline: true, ..Wanted::METRICS };
    let failures = Wanted { series: Series::Failures, ..Wanted::METRICS };
    for wanted in [all, failures, Wanted::METRICS, Wanted::COUNTS] {
        let on = |path| Outcome { event_count: 0, ..measure(model, 1, run, wanted, Some(path)) };
        let plain = on(Path::Plain);
        for path in [Path::Direct, Path::Counting].into_iter().filter(|path| *path <= fastest) {
            prop_assert_eq!(&plain, &on(path), "{:?}, {:?}", path, wanted);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    /// Requests = succeeded + failed + open, failed adds up by cause and by stage, and each second adds up to all.
    #[test]
    fn requests_are_conserved(toml in scenarios(), run in 0..1000u64) {
        let model = model(&toml);
        let outcome = on_path(&model, Path::Plain, 1, run);
        let value = |name: &str| METRICS.iter().find(|m| m.name == name).unwrap().of(&outcome).unwrap() as u64;
        let sum = |prefix: &str| -> u64 {
            METRICS.iter().filter(|m| m.name.starts_with(prefix)).map(|m| value(m.name)).sum()
        };
        prop_assert_eq!(value("request_count"), value("succeeded_count") + value("failed_count") + value("open_count"));
        prop_assert_eq!(sum("failed_cause_"), value("failed_count"));
        prop_assert_eq!(sum("failed_stage_"), value("failed_count"));
        let seconds = outcome.series.as_ref().unwrap();
        prop_assert_eq!(seconds.len(), 30);
        let total = |count: fn(&failover_sim::metrics::SecondCounts) -> u32| -> u64 {
            seconds.iter().map(|s| u64::from(count(s))).sum()
        };
        prop_assert_eq!(total(|s| s.request_count.unwrap()), value("request_count"));
        prop_assert_eq!(total(|s| s.failed_count), value("failed_count"));
        prop_assert_eq!(total(|s| s.open_count), value("open_count"));
        if let Some(bill) = &outcome.bill {
            // Whoever was answered was answered by one attempt or from a cache, and no attempt is billed twice.
            let [answered, failed, abandoned, probes] = bill.usage.map(|usage| usage.calls);
            prop_assert_eq!(answered + outcome.cache_hit_count.unwrap_or(0), outcome.succeeded_count);
            prop_assert!(answered + failed + abandoned <= outcome.attempt_count);
            prop_assert!(probes <= outcome.probe_count);
        }
        // Each request on its own, too: the sum would hide one that gets too many behind one that gets none.
        let most = attempts_most(&model);
        let requests = ends(&model, run);
        prop_assert_eq!(requests.len() as u64, value("request_count"));
        prop_assert_eq!(requests.iter().map(|r| u64::from(r.attempts)).sum::<u64>(), value("attempt_count"));
        for request in &requests {
            prop_assert!(u64::from(request.attempts) <= most, "{request:?} has more than {most} attempts");
            prop_assert!(request.arrived <= request.ended);
        }
    }

    /// A path that is faster gives the same outcome, to the bit, whatever is asked for.
    #[test]
    fn every_path_gives_the_same_outcome(toml in scenarios(), run in 0..1000u64) {
        paths_agree(&model(&toml), run)?;
    }

    /// Nor where things coincide, or are as large or small as they may be.
    #[test]
    fn every_path_gives_the_same_outcome_in_corners(corner in corners()) {
        paths_agree(&corner.model(), corner.run)?;
    }

    /// What a memo has kept of other models and other runs changes nothing.
    #[test]
    fn a_memo_shows_in_no_outcome(plays in vec((corners(), 0..3u64, 0..2u64), 2..6)) {
        let mut memo = Memo::default();
        for (corner, seed, run) in &plays {
            let model = &corner.model();
            for wanted in [Wanted::METRICS, Wanted::COUNTS] {
                let alone = measure(model, *seed, *run, wanted, None);
                prop_assert_eq!(alone, measure_with(&mut memo, model, *seed, *run, wanted, None));
            }
        }
    }

    /// Requests that go well leave no records on the way, unless somebody listens to attempts: both ways give the same ends
    /// of requests, probes and verdicts in the same order.
    #[test]
    fn who_listens_to_attempts_changes_nothing(toml in scenarios(), run in 0..1000u64) {
        let model = model(&toml);
        let (mut ends, mut log) = (Ends::default(), Log::default());
        let stats = simulate(&model, 1, run, &mut ends);
        prop_assert_eq!(stats, simulate(&model, 1, run, &mut log));
        prop_assert_eq!(ends, Ends { requests: log.requests, probes: log.probes, changes: log.changes });
    }

    /// The same scenario, seed and run give the same outcome; a model that claims to have nothing random has nothing.
    #[test]
    fn outcomes_are_a_function_of_seed_and_run(toml in scenarios(), run in 0..1000u64) {
        let model = model(&toml);
        let outcome = on_path(&model, Path::Plain, 1, run);
        prop_assert_eq!(&outcome, &on_path(&model, Path::Plain, 1, run));
        if !model.is_random() {
            prop_assert_eq!(outcome, on_path(&model, Path::Plain, 2, run + 1));
        }
    }
}

/// Where there are so many requests that latencies are sorted into cells, too, and with what other runs and other models
/// have left in the memo.
#[test]
fn every_path_gives_the_same_outcome_of_many_requests() {
    let mut memo = Memo::default();
    for latency in [
        "exponential = { mean = \"300ms\" }",
        "lognormal = { p50 = \"800ms\", p99 = \"3s\" }",
        "lognormal = { p50 = \"1s\", p99 = \"1.000001s\" }",
        // At the other end of its bin.
        "lognormal = { p50 = \"1002ms\", p99 = \"1.002001s\" }",
        "lognormal = { p50 = \"50ms\", p99 = \"50s\" }",
        "percentiles = { p50 = \"639ms\", p95 = \"1144ms\", p99 = \"4517ms\" }",
        "percentiles = { p50 = \"639ms\", p95 = \"1144ms\", p99 = \"1900ms\", max = \"2s\" }",
    ] {
        for (fault, client, gateway) in [
            ("requests = \"unaffected\"", "", ""),
            ("requests = { slow = 3.7 }", "", ""),
            ("requests = \"refuse\"\nin_flight = \"fail\"", "", "replicas = 2"),
            ("fraction = 0.5\nin_flight = \"hang\"", "client_timeout = \"2s\"", ""),
            ("requests = \"unaffected\"", "client_timeout = \"1s\"", ""),
            ("requests = \"refuse\"\nfraction = 0.3", "", ""),
            (
                "fraction = 0.3\n[fault.h]\non = { name = \"a\" }\nat = \"32s\"\nlasts = \"9s\"\nrequests = \"refuse\"",
                "",
                "",
            ),
            ("requests = { status = 500 }", "", "fallback = {}\ntimeouts = { attempt = \"1s\" }"),
        ] {
            let model = model(&format!(
                "duration = \"60s\"\n[traffic]\narrivals = {{ poisson = \"600/s\" }}\n{client}
                [provider.a]\nlatency = {{ {latency} }}\n[provider.b]\nlatency = {{ {latency} }}\nerror_rate = 0.001
                [fault.f]\non = {{ name = \"a\" }}\nat = \"30s\"\nlasts = \"20s\"\n{fault}
                [gateway]\nroute = {{ prefer = [\"a\", \"b\"] }}\n{gateway}
                health_check = {{ interval = \"5s\", timeout = \"1s\" }}"
            ));
            for (run, wanted) in [(0, Wanted::METRICS), (1, Wanted::COUNTS), (1, Wanted::METRICS)] {
                let mut on = |path| {
                    let outcome = measure_with(&mut memo, &model, 1, run, wanted, Some(path));
                    Outcome { event_count: 0, ..outcome }
                };
                assert_eq!(on(Path::Plain), on(Path::Counting), "{latency}, {fault}, {gateway}, {wanted:?}");
            }
        }
    }
}

/// Detectors that count failures in a row are told of a success only where it may end a row.
#[test]
fn every_path_gives_the_same_outcome_where_failures_in_a_row_eject() {
    for latency in ["constant = \"2200ms\"", "constant = \"0s\"", "exponential = { mean = \"50ms\" }"] {
        for (fault, detector) in [
            ("requests = { status = 503 }", "half_open = { permits = 3, decide = \"all\" }"),
            ("requests = \"refuse\"\nin_flight = \"fail\"", ""),
            ("requests = { status = 503 }\nfraction = 0.5", "half_open = {}"),
            ("requests = \"hang\"", ""),
            ("requests = \"hang\"\nfraction = 0.2", ""),
            ("requests = { slow = 1e4 }", ""),
        ] {
            let model = model(&format!(
                "duration = \"90s\"\n[traffic]\narrivals = {{ poisson = \"10/s\" }}\nclient_timeout = \"5s\"
                [provider.a]\nlatency = {{ {latency} }}\n[provider.b]\nlatency = {{ {latency} }}
                [fault.f]\non = {{ name = \"a\" }}\nat = \"20s\"\nlasts = \"15s\"\n{fault}
                [fault.g]\non = {{ name = \"b\" }}\nat = \"30s\"\nlasts = \"20s\"\n{fault}
                [gateway]\nreplicas = 2\nroute = {{ prefer = [\"a\", \"b\"] }}
                health_check = {{ interval = \"5s\", timeout = \"1s\" }}
                [gateway.detector.d]\nconsecutive = 3\neject_for = \"2s\"\n{detector}"
            ));
            assert_eq!(fastest_path::<MetricsRecorder>(&model), Path::Counting);
            for run in 0..3 {
                let on = |path| {
                    let wanted = Wanted { timeline: true, ..Wanted::METRICS };
                    Outcome { event_count: 0, ..measure(&model, 1, run, wanted, Some(path)) }
                };
                assert_eq!(on(Path::Plain), on(Path::Counting), "{latency}, {fault}");
            }
        }
    }
}

/// An answer that takes longer than a run can be is no success, and nobody has saved it.
#[test]
fn every_path_gives_the_same_outcome_where_an_answer_takes_for_ever() {
    let model = model(
        "duration = \"300s\"\ntraffic.arrivals = { poisson = \"20/s\" }
        provider.a.latency = { constant = \"1ms\" }
        provider.b.latency = { percentiles = { p50 = \"1ns\", p95 = \"2ns\", p99 = \"1h\" } }
        fault.f = { on = { name = \"a\" }, at = \"0s\", lasts = \"299s\", requests = \"refuse\" }
        operator.o = { at = \"0s\", avoid = [\"a\"] }
        gateway.route.prefer = [\"a\", \"b\"]",
    );
    let outcome = on_path(&model, Path::Plain, 1, 0);
    assert!(outcome.open_count > 0, "{outcome:?}");
    paths_agree(&model, 0).expect("paths agree");
}

/// What a run reports but for attempts, each in order.
#[derive(Debug, Default, PartialEq)]
struct Ends {
    requests: Vec<RequestEnd>,
    probes: Vec<ProbeEnd>,
    changes: Vec<HealthChange>,
}

impl Recorder for Ends {
    const NEEDS_ORDER: bool = true;

    fn request_ended(&mut self, request: &RequestEnd) {
        self.requests.push(*request);
    }
    fn probe_ended(&mut self, probe: &ProbeEnd) {
        self.probes.push(*probe);
    }
    fn health_changed(&mut self, change: &HealthChange) {
        self.changes.push(*change);
    }
}

const BUSY: &str = r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "50/s" }, client_timeout = "5s" }
    [provider.a]
    latency = { lognormal = { p50 = "400ms", p99 = "2s" } }
    error_rate = 0.01
    [provider.b]
    latency = { exponential = { mean = "500ms" } }
    error_rate = 0.02
    [fault.outage]
    on = { name = "a" }
    at = "20s"
    lasts = "20s"
    requests = { status = 502 }
    probes = "hang"
    fraction = 0.7
    [gateway]
    replicas = 2
    route = { prefer = ["a", "b"] }
    health_check = { interval = "3s", timeout = "1s", jitter = "500ms", eject_after = 2 }
"#;

/// One thread or several, runs from 0 or from 5: the outcome of a run is the same.
#[test]
fn threads_and_order_do_not_show() {
    let models = [model(BUSY), model(&BUSY.replace("0.7", "1.0"))];
    let play = |threads, runs| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let plan = RunPlan {
            seed: 1,
            runs,
            wanted: Wanted { latency: true, series: Series::All, timeline: true },
            path: None,
        };
        pool.install(|| plan.play(&models, &())).expect("nobody cancels")
    };
    let outcomes = play(1, 0..12);
    assert_eq!(outcomes, play(2, 0..12));
    assert_eq!(outcomes[1][5..], play(3, 5..12)[1]);
    assert_ne!(outcomes[0][0], outcomes[0][1], "runs differ");
}

#[derive(Default)]
struct Requests(Vec<RequestEnd>);

impl Recorder for Requests {
    fn request_ended(&mut self, request: &RequestEnd) {
        self.0.push(*request);
    }
}

/// Every request of a run, in order of arrival.
fn ends(model: &Model, run: u64) -> Vec<RequestEnd> {
    let mut requests = Requests::default();
    simulate(model, 1, run, &mut requests);
    requests.0.sort_by_key(|request| request.ordinal);
    requests.0
}

fn requests(toml: &str) -> Vec<RequestEnd> {
    ends(&model(toml), 0)
}

/// Common random numbers: what two configurations do alike, they do to the same requests with the same draws.
#[test]
fn changes_shift_no_other_draw() {
    let base = requests(BUSY);
    let another_provider =
        BUSY.replace("[provider.b]", "[provider.aa]\nlatency = { constant = \"1s\" }\n[provider.b]");
    assert_eq!(
        base.iter().map(|r| (r.arrived, r.ended, r.ending)).collect::<Vec<_>>(),
        requests(&another_provider).iter().map(|r| (r.arrived, r.ended, r.ending)).collect::<Vec<_>>(),
        "a provider that is not routed to changes nothing"
    );
    for (what, changed) in [
        ("interval", BUSY.replace("interval = \"3s\"", "interval = \"4s\"")),
        ("timeout", BUSY.replace("timeout = \"1s\"", "timeout = \"2s\"")),
        ("threshold", BUSY.replace("eject_after = 2", "eject_after = 1")),
    ] {
        let changed = requests(&changed);
        assert_eq!(base.len(), changed.len());
        let mut moved = 0;
        for (base, changed) in base.iter().zip(&changed) {
            assert_eq!(base.arrived, changed.arrived, "{what}");
            if base.provider == changed.provider {
                assert_eq!(base, changed, "{what}");
            } else {
                moved += 1;
            }
        }
        assert!(moved > 0, "the {what} moves some requests to another provider");
    }
}

/// Common random numbers with retries and passive detectors: whatever they do, a request that ends in its first attempt
/// does so in the same way wherever it goes to the same provider.
#[test]
fn retries_and_detectors_shift_no_first_attempt() {
    let toml = format!(
        "{BUSY}retry = {{ attempts = 2, on = [\"any\"], to = \"any\", delay = \"300ms\", jitter = \"full\" }}
        detector = {{ d = {{ consecutive = 4, eject_for = \"5s\", eject_jitter = \"1s\" }} }}"
    );
    let base = requests(&toml);
    for (old, new) in [
        ("attempts = 2", "attempts = 1"),
        ("\"300ms\"", "\"500ms\""),
        ("\"full\"", "\"equal\""),
        ("\"any\", delay", "\"same\", delay"),
        ("consecutive = 4", "consecutive = 2"),
        ("eject_for = \"5s\"", "eject_for = \"8s\""),
        ("consecutive = 4", "ratio = { at_least = 0.5, min_calls = 5 }, window = { sliding = \"5s\" }"),
    ] {
        assert!(toml.contains(old), "{old}");
        let changed = requests(&toml.replace(old, new));
        assert_eq!(base.len(), changed.len());
        let first_attempts = base.iter().zip(&changed).filter(|(b, c)| b.attempts == 1 && c.attempts == 1);
        let mut same = 0;
        for (base, changed) in first_attempts.filter(|(b, c)| b.provider == c.provider) {
            assert_eq!((base.arrived, base.ended), (changed.arrived, changed.ended), "{new}");
            assert_eq!(base.ending == Ending::Succeeded, changed.ending == Ending::Succeeded, "{new}");
            same += 1;
        }
        assert!(2 * same > base.len(), "{new} leaves most requests alone: {same} of {}", base.len());
        assert_ne!(base, changed, "{new}");
        assert!(base.iter().zip(&changed).all(|(b, c)| b.arrived == c.arrived), "{new}");
    }
}

/// A provider that is dead for requests for 20 s while its probes find nothing wrong, and more of the gateway.
fn grey(more: &str) -> String {
    let busy = BUSY.replace("probes = \"hang\"", "probes = \"unaffected\"").replace("fraction = 0.7", "");
    format!("{busy}{more}\n")
}

/// Routing has no oracle: with probes that lie, a dead provider keeps its traffic for ever.
#[test]
fn what_no_detector_sees_is_not_routed_around() {
    let requests = requests(&grey(""));
    let a = requests[0].provider;
    let during = |r: &&RequestEnd| (20_000.0..40_000.0).contains(&r.arrived.as_millis_f64());
    let (lost, all) = requests.iter().filter(during).fold((0, 0), |(lost, all), request| {
        let undetected = matches!(request.ending, Ending::Failed(_, Stage::Undetected));
        assert!(request.provider != a || undetected);
        (lost + u32::from(undetected), all + 1)
    });
    assert!(f64::from(lost) > 0.95 * f64::from(all), "{lost} of {all}");
}

/// What probes miss, attempts show: a passive detector loses what it needs to see, and a fallback next to nothing.
#[test]
fn what_no_probe_sees_is_found_by_attempts_alone() {
    let lost = |more: &str| {
        let requests = requests(&grey(more));
        let during = |r: &&RequestEnd| (20_000.0..40_000.0).contains(&r.arrived.as_millis_f64());
        let lost = |r: &RequestEnd| matches!(r.ending, Ending::Failed(Cause::Status, Stage::Undetected));
        let all = requests.iter().filter(during).count();
        requests.iter().filter(during).filter(|request| lost(request)).count() as f64 / all as f64
    };
    assert!(lost("") > 0.95);
    // A half-open trial every two seconds, in each of two replicas.
    let detector = "detector = { d = { consecutive = 5, eject_for = \"2s\", half_open = {} } }";
    let detected = lost(detector);
    assert!(0.0 < detected && detected < 0.1, "{detected}");
    assert!(lost("fallback = {}") < 0.01);
    assert!(lost("retry = { attempts = 2, on = [\"any\"] }") > 0.95, "the same provider is as dead again");
}

/// Those who wait for a provider are served in the order in which they came, whoever waited before them and gave up.
#[test]
fn those_who_came_first_are_released_first() {
    let log = Log::of(
        r#"
        duration = "60s"
        traffic = { arrivals = { constant = "6/s" } }
        provider.a = { latency = { constant = "900ms" } }
        provider.b = { latency = { constant = "40ms" }, error_rate = 0.2 }
        [gateway]
        all_ejected = "wait"
        timeouts = { request = "700ms" }
        route = { sticky = { users = 5, among = ["a", "b"] } }
        detector.d.nginx = { max_fails = 2, fail_timeout = "3s" }
        "#,
        0,
    );
    let arrived =
        |request: u64| log.requests.iter().find(|end| end.ordinal == request).expect("it ends").arrived;
    let waited = log.sent.iter().filter(|(request, _, at)| arrived(*request) < *at);
    let waited: Vec<u64> = waited.map(|(request, ..)| *request).collect();
    assert!(waited.len() > 5 && waited.is_sorted(), "{waited:?}");
}

/// A good answer that takes longer than a run can last never comes, on any path.
#[test]
fn what_takes_for_ever_stays_open() {
    let model = model(
        r#"
        duration = "10s"
        traffic = { arrivals = { constant = "1/s" } }
        provider.a = { latency = { constant = "10h" } }
        fault.f = { on = { name = "a" }, at = "5s", lasts = "2s", requests = { slow = 1e6 } }
        "#,
    );
    paths_agree(&model, 0).expect("all paths say the same");
    assert_eq!(on_path(&model, Path::Plain, 1, 0).open_count, 2);
}

/// What hangs for ever is told by the second in which it arrived.
#[test]
fn what_stays_open_is_counted_in_its_second() {
    let model = model(
        r#"
        duration = "20s"
        traffic = { arrivals = { constant = "3/s" } }
        provider.a = { latency = { constant = "1s" } }
        fault.f = { on = { name = "a" }, at = "5s", lasts = "9s", requests = "hang" }
        "#,
    );
    paths_agree(&model, 0).expect("all paths say the same");
    assert_eq!(on_path(&model, Path::Plain, 1, 0).open_count, 27);
}

/// Faults of one provider that overlap, in any order, with and without detectors that count rows.
#[test]
fn every_path_gives_the_same_outcome_where_faults_overlap() {
    let effects = [
        "requests = \"refuse\"",
        "requests = { status = 503 }\nfraction = 0.3",
        "requests = \"refuse\"\nfraction = 0.5",
        "requests = { slow = 2.0 }",
        "requests = { slow = 30.0 }\nin_flight = \"fail\"",
        "requests = \"hang\"\nfraction = 0.2",
        "requests = \"hang\"\nin_flight = \"hang\"",
    ];
    for (first, second) in effects.iter().flat_map(|first| effects.map(|second| (first, second))) {
        for (latency, detector) in [
            ("constant = \"250ms\"", ""),
            ("exponential = { mean = \"20ms\" }", ""),
            ("constant = \"900ms\"", "detector.d = { consecutive = 3, eject_for = \"2s\" }"),
            ("exponential = { mean = \"20ms\" }", "detector.d = { consecutive = 2, eject_for = \"1s\" }"),
        ] {
            let model = model(&format!(
                "duration = \"30s\"\n[traffic]\narrivals = {{ poisson = \"20/s\" }}\nclient_timeout = \"1s\"
                [provider.a]\nlatency = {{ {latency} }}\n[provider.b]\nlatency = {{ {latency} }}
                [fault.f]\non = {{ name = \"a\" }}\nat = \"5s\"\nlasts = \"10s\"\n{first}
                [fault.g]\non = {{ name = \"a\" }}\nat = \"10s\"\nlasts = \"10s\"\n{second}
                [gateway]\nroute = {{ prefer = [\"a\", \"b\"] }}\n{detector}"
            ));
            assert_eq!(fastest_path::<MetricsRecorder>(&model), Path::Counting);
            paths_agree(&model, 0).expect("all paths say the same");
        }
    }
}

/// Two failures, and two more after successes: no three in a row.
#[test]
fn a_row_that_has_ended_is_forgotten_on_every_path() {
    let model = model(
        r#"
        duration = "30s"
        traffic = { arrivals = { constant = "1/s" } }
        provider.a = { latency = { constant = "100ms" } }
        provider.b = { latency = { constant = "100ms" } }
        fault.f = { on = { name = "a" }, at = "5s", lasts = "2s", requests = "refuse" }
        fault.g = { on = { name = "a" }, at = "15s", lasts = "2s", requests = "refuse" }
        gateway.route = { prefer = ["a", "b"] }
        gateway.detector.d = { consecutive = 3, eject_for = "5s" }
        "#,
    );
    assert_eq!(fastest_path::<MetricsRecorder>(&model), Path::Counting);
    paths_agree(&model, 0).expect("all paths say the same");
    assert_eq!(on_path(&model, Path::Plain, 1, 0).failures.total(), 4);
}

proptest! {
    // Text that is written and read takes longer than the runs.
    #![proptest_config(ProptestConfig { cases: config().cases / 6, ..config() })]

    /// What goes to other tools is well formed, and says the same.
    #[test]
    fn exports_add_up(toml in scenarios(), run in 0..1000u64) {
        let model = model(&toml);
        crate::openmetrics::assert_adds_up(&model, run);
        crate::otlp::assert_whole(&model, run);
    }
}
