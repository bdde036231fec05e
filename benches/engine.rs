//! What a request costs, beside the loop that anybody would write first, in one run.
//!
//! Variants take turns, so that a noisy machine disturbs all of them; times are CPU time, the median over rounds.

mod yardstick;

use failover_sim::engine::{Memo, Path};
use failover_sim::metrics::{Outcome, Wanted, measure_with};
use failover_sim::model::*;
use failover_sim::time::{SimDuration, SimTime};
use std::hint::black_box;
use std::num::NonZeroU32;
use yardstick::{Counts, FAULT_S, HORIZON_S, MEAN_LATENCY_S, RATE, SIGMA, cpu_seconds, yardstick};

const RUNS: u64 = 20;
const ROUNDS: usize = 9;
const SWEEP_RUNS: u64 = 3;
const POINTS: u64 = 2000;

fn main() {
    let model = story();
    let breaking = breaking();
    let reacting = reacting();
    let mut memo = Memo::default();
    type Variant<'a> = (&'a str, Box<dyn FnMut(u64) -> Counts + 'a>);
    let mut variants: Vec<Variant> = vec![
        ("yardstick: BinaryHeap + rand_distr", Box::new(yardstick)),
        ("plain: everything an event", Box::new(|run| ours(&model, Path::Plain, run, &mut Memo::default()))),
        ("direct: settled on arrival", Box::new(|run| ours(&model, Path::Direct, run, &mut Memo::default()))),
        ("counting, with latency quantiles", Box::new(|run| ours(&model, Path::Counting, run, &mut memo))),
        ("plain, with a detector", Box::new(|run| ours(&breaking, Path::Plain, run, &mut Memo::default()))),
        (
            "plain, with a detector and a fallback",
            Box::new(|run| ours(&reacting, Path::Plain, run, &mut Memo::default())),
        ),
    ];
    let mut seconds = vec![Vec::new(); variants.len()];
    let mut totals = vec![Counts::default(); variants.len()];
    for _ in 0..ROUNDS {
        for (i, (_, play)) in variants.iter_mut().enumerate() {
            let before = cpu_seconds();
            totals[i] = (0..RUNS).map(play).fold(Counts::default(), Counts::plus);
            seconds[i].push(cpu_seconds() - before);
        }
    }
    println!("{:<38} {:>10} {:>9} {:>7} {:>11}", "", "ns/request", "ns/event", "ratio", "failed/run");
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let medians: Vec<f64> = seconds.iter_mut().map(median).collect();
    for ((name, _), (total, median)) in variants.iter().zip(totals.iter().zip(&medians)) {
        println!(
            "{name:<38} {:>10.1} {:>9.1} {:>7.2} {:>11.1}",
            median * 1e9 / total.requests as f64,
            median * 1e9 / total.events as f64,
            median / medians[0],
            total.failed as f64 / RUNS as f64,
        );
    }
    let mut sweeps = [1.0, 100.0].map(|factor| (factor, (0..ROUNDS).map(|_| counting_us(factor)).collect()));
    for (factor, times) in &mut sweeps {
        println!("counting, {factor:>3} x the rate: {:>10.1} us a run of a sweep", median(times));
    }
}

/// What a run of a sweep over the outage's length takes, in microseconds, where only counts are asked for: points of
/// the same run come one after the other and share what is known of its arrivals.
fn counting_us(rate_factor: f64) -> f64 {
    let mut model = story();
    model.traffic.arrivals = Arrivals::Poisson(Rate::new(RATE * rate_factor).expect("positive"));
    let end = model.faults[0].end;
    let before = cpu_seconds();
    for run in 0..SWEEP_RUNS {
        let mut memo = Memo::default();
        for point in 0..POINTS {
            model.faults[0].end = end.after(SimDuration::from_millis(point));
            black_box(measure_with(&mut memo, &model, 1, run, Wanted::COUNTS, None));
        }
    }
    (cpu_seconds() - before) * 1e6 / (SWEEP_RUNS * POINTS) as f64
}

fn ours(model: &Model, path: Path, run: u64, memo: &mut Memo) -> Counts {
    let Outcome { request_count, failures, event_count, .. } =
        measure_with(memo, model, 1, run, Wanted::METRICS, Some(path));
    Counts { requests: request_count, failed: failures.total(), events: event_count }
}

fn story() -> Model {
    let seconds = SimDuration::from_secs_f64;
    let at = |secs| SimTime::START.after(seconds(secs));
    let p50 = MEAN_LATENCY_S * libm::exp(-SIGMA * SIGMA / 2.0);
    let provider = |name| Provider::new(name, Latency::LogNormal { p50: seconds(p50), sigma: SIGMA });
    let (preferred, backup) = (ProviderId::new(0), ProviderId::new(1));
    Model {
        name: "story".to_owned(),
        about: None,
        clock: None,
        duration: SimDuration::from_secs(HORIZON_S),
        traffic: Traffic::new(Arrivals::Poisson(Rate::new(RATE).expect("positive"))),
        providers: vec![provider("a"), provider("b")],
        faults: vec![Fault {
            probes: Effect::Hang,
            ..Fault::new("outage", vec![preferred], at(FAULT_S.0), at(FAULT_S.1), Effect::Status(502))
        }],
        gateway: Gateway {
            health_check: Some(HealthCheck {
                first_probe: FirstProbe::At(SimDuration::ZERO),
                ..HealthCheck::new(SimDuration::from_secs(60), SimDuration::from_secs(30))
            }),
            ..Gateway::new(Route::prefer(&[preferred, backup], |id| format!("{id:?}")))
        },
        operator: Vec::new(),
        slo: None,
        network: None,
        weakest_evidence: None,
    }
}

/// The same outage behind a gateway that ejects on five failures in a row.
fn breaking() -> Model {
    let mut model = story();
    let outlier = Detector {
        name: "outlier".to_owned(),
        trips: Trips { consecutive: NonZeroU32::new(5), ..Trips::default() },
        ..Detector::new(SimDuration::from_secs(30))
    };
    model.gateway.detectors = vec![outlier];
    model
}

/// The same, and what fails is taken elsewhere.
fn reacting() -> Model {
    let mut model = breaking();
    model.gateway.fallback = Some(Fallback { on: AnswerSet::any(), max: 1 });
    model
}
