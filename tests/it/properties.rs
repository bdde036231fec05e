//! What must hold for every scenario, tried on scenarios drawn at random.

use crate::play::{model, on_path};
use failover_sim::engine::{Ending, Path, Recorder, RequestEnd, Stage, simulate};
use failover_sim::experiment::runner::RunPlan;
use failover_sim::metrics::{METRICS, Outcome, Wanted};
use failover_sim::model::Model;
use proptest::prelude::*;

/// A scenario with as much variety as the file format has.
fn scenarios() -> impl Strategy<Value = String> {
    let duration = |range: std::ops::Range<u64>| range.prop_map(|ms| format!("\"{ms}ms\""));
    let latency = prop_oneof![
        duration(0..3000).prop_map(|d| format!("{{ constant = {d} }}")),
        duration(1..3000).prop_map(|d| format!("{{ exponential = {{ mean = {d} }} }}")),
        (1..800u64, 1..5000u64).prop_map(|(p50, more)| format!(
            "{{ lognormal = {{ p50 = \"{p50}ms\", p99 = \"{}ms\" }} }}",
            p50 + more
        )),
    ];
    let arrivals = (prop_oneof![Just("constant"), Just("poisson")], 1..40u32)
        .prop_map(|(kind, rate)| format!("{{ {kind} = \"{rate}/s\" }}"));
    let effect = prop_oneof![
        Just("\"unaffected\"".to_owned()),
        Just("\"refuse\"".to_owned()),
        Just("\"hang\"".to_owned()),
        Just("{ status = 503 }".to_owned()),
        (1..30u32).prop_map(|factor| format!("{{ slow = {factor}.0 }}")),
    ];
    let fault = (0..50u64, 1..40u64, effect.clone(), effect, 0..=4u32, in_flight(), prop_oneof![Just("a"), Just("b")])
        .prop_map(|(at, lasts, requests, probes, quarters, in_flight, provider)| {
            format!(
                "on = {{ name = \"{provider}\" }}\nat = \"{at}s\"\nlasts = \"{lasts}s\"\nrequests = {requests}\n\
                 probes = {probes}\nfraction = {}\nin_flight = \"{in_flight}\"\n",
                f64::from(quarters) / 4.0
            )
        });
    let check = (
        duration(200..9000),
        duration(1..9000),
        duration(0..2000),
        1..4u32,
        1..4u32,
        prop_oneof![Just("from_start"), Just("from_end"), Just("from_start_no_overlap")],
        latency.clone(),
    )
        .prop_map(|(interval, timeout, jitter, eject, readmit, next, latency)| {
            format!(
                "[gateway.health_check]\ninterval = {interval}\ntimeout = {timeout}\njitter = {jitter}\n\
                 eject_after = {eject}\nreadmit_after = {readmit}\nnext_probe = \"{next}\"\nlatency = {latency}\n"
            )
        });
    let route = prop_oneof![
        3 => Just("{ prefer = [\"a\", \"b\"] }"),
        1 => Just("{ prefer = [\"a\"] }"),
        1 => Just("{ lowest_latency = { explore = 0.1 } }"),
    ];
    let timeout =
        prop_oneof![Just(String::new()), duration(100..8000).prop_map(|d| format!("client_timeout = {d}"))];
    let all_ejected = prop_oneof![Just("fail"), Just("ignore_health")];
    let operator = prop_oneof![
        Just(String::new()),
        (0..60u64).prop_map(|at| format!("[operator.hand]\nat = \"{at}s\"\navoid = [\"a\"]\n")),
    ];
    let gateway = (route, 1..4u32, all_ejected, proptest::option::of(check));
    (arrivals, timeout, latency.clone(), latency, prop::collection::vec(fault, 0..3), gateway, operator).prop_map(
        |(arrivals, timeout, latency_a, latency_b, faults, (route, replicas, all_ejected, check), operator)| {
            let faults: String =
                faults.iter().enumerate().map(|(i, fault)| format!("[fault.f{i}]\n{fault}")).collect();
            format!(
                "duration = \"60s\"\n[traffic]\narrivals = {arrivals}\n{timeout}\n\
                 [provider.a]\nlatency = {latency_a}\nerror_rate = 0.05\n[provider.b]\nlatency = {latency_b}\n\
                 {faults}[gateway]\nroute = {route}\nreplicas = {replicas}\nall_ejected = \"{all_ejected}\"\n{}{operator}",
                check.unwrap_or_default(),
            )
        },
    )
}

fn in_flight() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("finish"), Just("fail"), Just("hang")]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Requests = succeeded + failed + open, failed adds up by cause and by stage, and each second adds up to all.
    #[test]
    fn requests_are_conserved(toml in scenarios(), run in 0..1000u64) {
        let outcome = on_path(&model(&toml), Path::Plain, 1, run);
        let value = |name: &str| METRICS.iter().find(|m| m.name == name).unwrap().of(&outcome).unwrap() as u64;
        let sum = |prefix: &str| -> u64 {
            METRICS.iter().filter(|m| m.name.starts_with(prefix)).map(|m| value(m.name)).sum()
        };
        prop_assert_eq!(value("request_count"), value("succeeded_count") + value("failed_count") + value("open_count"));
        prop_assert_eq!(sum("failed_cause_"), value("failed_count"));
        prop_assert_eq!(sum("failed_stage_"), value("failed_count"));
        let seconds = outcome.series.as_ref().unwrap();
        let total = |count: fn(&failover_sim::metrics::SecondCounts) -> u32| -> u64 {
            seconds.iter().map(|s| u64::from(count(s))).sum()
        };
        prop_assert_eq!(total(|s| s.request_count), value("request_count"));
        prop_assert_eq!(total(|s| s.failed_count), value("failed_count"));
        prop_assert_eq!(total(|s| s.open_count), value("open_count"));
        prop_assert!(value("attempt_count") <= value("request_count"), "one attempt a request, and no probe among them");
    }

    /// A path that is faster gives the same outcome, to the bit.
    #[test]
    fn every_path_gives_the_same_outcome(toml in scenarios(), run in 0..1000u64) {
        let model = model(&toml);
        let fastest = failover_sim::engine::fastest_path::<failover_sim::metrics::MetricsRecorder>(&model);
        let without_work = |outcome: Outcome| Outcome { event_count: 0, ..outcome };
        let plain = without_work(on_path(&model, Path::Plain, 1, run));
        prop_assert_eq!(plain, without_work(on_path(&model, fastest, 1, run)));
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
        let plan = RunPlan { seed: 1, runs, wanted: Wanted { series: true, timeline: true }, path: None };
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

fn requests(toml: &str) -> Vec<RequestEnd> {
    let mut requests = Requests::default();
    let model: Model = model(toml);
    simulate(&model, 1, 0, &mut requests);
    requests.0.sort_by_key(|request| request.ordinal);
    requests.0
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

/// Routing has no oracle: with probes that lie, a dead provider keeps its traffic for ever.
#[test]
fn what_no_detector_sees_is_not_routed_around() {
    let grey = BUSY.replace("probes = \"hang\"", "probes = \"unaffected\"").replace("fraction = 0.7", "");
    let requests = requests(&grey);
    let a = requests[0].provider;
    let during = |r: &&RequestEnd| (20_000.0..40_000.0).contains(&r.arrived.as_millis_f64());
    let (lost, all) = requests.iter().filter(during).fold((0, 0), |(lost, all), request| {
        let undetected = matches!(request.ending, Ending::Failed(_, Stage::Undetected));
        assert!(request.provider != a || undetected);
        (lost + u32::from(undetected), all + 1)
    });
    assert!(f64::from(lost) > 0.95 * f64::from(all), "{lost} of {all}");
}
