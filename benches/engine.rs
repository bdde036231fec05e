//! What a request costs, beside the loop that anybody would write first, in one run.
//!
//! The workload is the story's: 155.56 requests a second by Poisson arrivals for 1200 s, one provider that fails for
//! 240 s and one to fall back on, probed every 60 s with a 30 s timeout; lognormal latency with mean 0.8 s and
//! sigma 0.5. The yardstick is a `BinaryHeap` with `rand_distr`'s samplers, where everything is an event. Variants take
//! turns, so that a noisy machine disturbs all of them; times are CPU time, the median over rounds.

use failover_sim::engine::{Memo, Path};
use failover_sim::metrics::{Outcome, Wanted, measure_with};
use failover_sim::model::*;
use failover_sim::time::{SimDuration, SimTime};
use rand::SeedableRng;
use rand_distr::{Distribution, Exp, LogNormal};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::num::NonZeroU32;

const RATE: f64 = 155.56;
const HORIZON_S: u64 = 1200;
const FAULT_S: (f64, f64) = (120.001, 360.001);
const MEAN_LATENCY_S: f64 = 0.8;
const SIGMA: f64 = 0.5;
const RUNS: u64 = 20;
const ROUNDS: usize = 9;
const SWEEP_RUNS: u64 = 3;
const POINTS: u64 = 2000;

fn main() {
    let model = story();
    let reacting = reacting();
    let mut memo = Memo::default();
    type Variant<'a> = (&'a str, Box<dyn FnMut(u64) -> Counts + 'a>);
    let mut variants: Vec<Variant> = vec![
        ("yardstick: BinaryHeap + rand_distr", Box::new(yardstick)),
        ("plain: everything an event", Box::new(|run| ours(&model, Path::Plain, run, &mut Memo::default()))),
        ("direct: settled on arrival", Box::new(|run| ours(&model, Path::Direct, run, &mut Memo::default()))),
        ("counting, with latency quantiles", Box::new(|run| ours(&model, Path::Counting, run, &mut memo))),
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

#[derive(Clone, Copy, Default)]
struct Counts {
    requests: u64,
    failed: u64,
    events: u64,
}

impl Counts {
    fn plus(self, other: Counts) -> Counts {
        Counts {
            requests: self.requests + other.requests,
            failed: self.failed + other.failed,
            events: self.events + other.events,
        }
    }
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
        weakest_evidence: None,
    }
}

/// The same outage behind a gateway that ejects on five failures in a row and takes what fails elsewhere.
fn reacting() -> Model {
    let mut model = story();
    let outlier = Detector {
        name: "outlier".to_owned(),
        trips: Trips { consecutive: NonZeroU32::new(5), ..Trips::default() },
        ..Detector::new(SimDuration::from_secs(30))
    };
    model.gateway.detectors = vec![outlier];
    model.gateway.fallback = Some(Fallback { on: AnswerSet::any(), max: 1 });
    model
}

/// The same workload as one would write it in an afternoon: one heap, float time, a shared generator.
fn yardstick(run: u64) -> Counts {
    #[derive(PartialEq)]
    struct Entry(f64, u64, Event);
    #[derive(PartialEq)]
    enum Event {
        Arrive,
        Done(f64),
        Probe,
        Verdict,
        Down,
        Up,
    }
    impl Eq for Entry {}
    impl Ord for Entry {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
        }
    }
    impl PartialOrd for Entry {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }

    let mut rng = rand::rngs::SmallRng::seed_from_u64(run);
    let gap = Exp::new(RATE).expect("positive");
    let latency = LogNormal::new(libm::log(MEAN_LATENCY_S) - SIGMA * SIGMA / 2.0, SIGMA).expect("finite");
    let horizon = HORIZON_S as f64;
    let mut heap = BinaryHeap::with_capacity(1024);
    let mut sequence = 0;
    let mut push = |heap: &mut BinaryHeap<Reverse<Entry>>, at, event| {
        sequence += 1;
        heap.push(Reverse(Entry(at, sequence, event)));
    };
    push(&mut heap, 0.0, Event::Probe);
    push(&mut heap, FAULT_S.0, Event::Down);
    push(&mut heap, FAULT_S.1, Event::Up);
    push(&mut heap, gap.sample(&mut rng), Event::Arrive);
    let (mut up, mut healthy) = (true, true);
    let (mut counts, mut latency_sum) = (Counts::default(), 0.0);
    while let Some(Reverse(Entry(now, _, event))) = heap.pop() {
        counts.events += 1;
        match event {
            Event::Arrive => {
                counts.requests += 1;
                if healthy && !up {
                    counts.failed += 1;
                } else {
                    let latency = latency.sample(&mut rng);
                    push(&mut heap, now + latency, Event::Done(latency));
                }
                let next = now + gap.sample(&mut rng);
                if next < horizon {
                    push(&mut heap, next, Event::Arrive);
                }
            }
            Event::Done(latency) => latency_sum += latency,
            Event::Probe => {
                if up {
                    healthy = true;
                } else {
                    push(&mut heap, now + 30.0, Event::Verdict);
                }
                if now + 60.0 < horizon {
                    push(&mut heap, now + 60.0, Event::Probe);
                }
            }
            Event::Verdict => healthy = false,
            Event::Down => up = false,
            Event::Up => up = true,
        }
    }
    black_box(latency_sum);
    counts
}

/// CPU time of this process; it hardly counts what others do on the machine.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
