//! The workload of the benchmarks, and the loop that anybody would write first for it.
//!
//! The workload is the story's: 155.56 requests a second by Poisson arrivals for 1200 s, one provider that fails for
//! 240 s and one to fall back on, probed every 60 s with a 30 s timeout; lognormal latency with mean 0.8 s and
//! sigma 0.5. The yardstick is a `BinaryHeap` with `rand_distr`'s samplers, where everything is an event.

use nix::time::{ClockId, clock_gettime};
use rand::SeedableRng;
use rand_distr::{Distribution, Exp, LogNormal};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

pub const RATE: f64 = 155.56;
pub const HORIZON_S: u64 = 1200;
pub const FAULT_S: (f64, f64) = (120.001, 360.001);
pub const MEAN_LATENCY_S: f64 = 0.8;
pub const SIGMA: f64 = 0.5;

/// What a run, or several, had.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub requests: u64,
    pub failed: u64,
    pub events: u64,
}

impl Counts {
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            requests: self.requests + other.requests,
            failed: self.failed + other.failed,
            events: self.events + other.events,
        }
    }
}

/// The same workload as one would write it in an afternoon: one heap, float time, a shared generator.
pub fn yardstick(run: u64) -> Counts {
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
pub fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("every system has this clock");
    time.tv_sec() as f64 + time.tv_nsec() as f64 * 1e-9
}
