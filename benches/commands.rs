//! What whole commands cost: sweeps of thousands of points, two scenarios side by side, the incident's folder.
//!
//! The sweeps play the story's workload, as `engine.rs` does, from files, as people would. After each command the
//! yardstick is played in this process: the last column is what the command would take on a machine whose plain
//! `BinaryHeap` loop takes 84 ns a request, as it did where the bars were set.

mod yardstick;

use nix::sys::resource::{UsageWho, getrusage};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use yardstick::{Counts, RATE, cpu_seconds, yardstick};

/// The yardstick's time for a request where the bars were set.
const NANOS_AT_BARS: f64 = 84.0;
const YARDSTICK_RUNS: u64 = 20;
/// Points for each interval: 20 timeouts, and 1 to 4 failures to believe.
const POINTS_PER_INTERVAL: usize = 80;

fn main() {
    let folder = tempfile::tempdir().expect("a folder for experiments");
    let sweep = |points: usize, rate: f64, options: &str| {
        let experiment = experiment(folder.path(), points / POINTS_PER_INTERVAL, rate);
        let out = folder.path().join("results");
        format!("sweep {} --out {} --force --runs 30 {options}", experiment.display(), out.display())
    };
    let incident = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/01_incident_3am");

    println!("{:<66} {:>9} {:>9} {:>9} {:>9}", "", "measured", "bar", "goal", "at 84 ns");
    let once = Cost::of(&sweep(2_000, RATE, "--metrics counts --threads 1"));
    once.row("sweep, 2,000 points x 30 runs, counts, one thread: CPU s", once.cpu_s, 30.0, 3.0);
    let hundredfold = Cost::of(&sweep(2_000, 100.0 * RATE, "--metrics counts --threads 1"));
    row("  100 x the request rate against 1 x", hundredfold.cpu_s / once.cpu_s, 1.5, 1.1, None);
    let one_thread = Cost::of(&sweep(80, RATE, "--threads 1"));
    one_thread.row(
        "sweep, all metrics, one thread, 25 x 80 points: CPU s",
        25.0 * one_thread.cpu_s,
        400.0,
        100.0,
    );
    let two_threads = Cost::of(&sweep(80, RATE, "--threads 2"));
    let scaling = one_thread.clock_s / two_threads.clock_s / yardstick_scaling();
    row("  two threads against one, as a share of the yardstick's scaling", scaling, 0.95, 0.99, None);
    let many = Cost::of(&sweep(10_000, RATE, "--metrics counts"));
    row("sweep, 10,000 points x 30 runs, counts: peak MiB", many.peak_mib, 300.0, 100.0, None);
    let told = format!("run {incident}/as_told_60s.toml {incident}/as_told_5s.toml --runs 1");
    let told: Vec<Cost> = (0..10).map(|_| Cost::of(&told)).collect();
    let fastest = told.iter().min_by(|a, b| a.clock_s.total_cmp(&b.clock_s)).expect("ten of them");
    fastest.row("run as_told_60s.toml as_told_5s.toml --runs 1: ms", 1e3 * fastest.clock_s, 100.0, 30.0);
    let night = Cost::of(&format!("run {incident} --runs 1000"));
    night.row("run experiments/01_incident_3am --runs 1000: s", night.clock_s, 3.0, 1.0);
}

/// What a command took, and how fast the machine was.
struct Cost {
    cpu_s: f64,
    clock_s: f64,
    /// The most memory that this command, or one before it, had.
    peak_mib: f64,
    yardstick_nanos: f64,
}

impl Cost {
    fn of(arguments: &str) -> Cost {
        let (before, started) = (children(), Instant::now());
        let mut command = Command::new(env!("CARGO_BIN_EXE_failover-sim"));
        let status = command.args(arguments.split(' ')).stdout(Stdio::null()).status();
        assert!(status.expect("the command starts").success(), "{arguments}");
        let (clock_s, after) = (started.elapsed().as_secs_f64(), children());
        let started = cpu_seconds();
        let Counts { requests, .. } = play(YARDSTICK_RUNS);
        let yardstick_nanos = (cpu_seconds() - started) * 1e9 / requests as f64;
        Cost { cpu_s: after.0 - before.0, clock_s, peak_mib: after.1, yardstick_nanos }
    }

    /// A row of a time, which a slower machine would need more of.
    fn row(&self, name: &str, measured: f64, bar: f64, goal: f64) {
        row(name, measured, bar, goal, Some(measured * NANOS_AT_BARS / self.yardstick_nanos));
    }
}

fn row(name: &str, measured: f64, bar: f64, goal: f64, at_bars: Option<f64>) {
    let at_bars = at_bars.map_or_else(String::new, |time| format!("{time:.2}"));
    println!("{name:<66} {measured:>9.2} {bar:>9} {goal:>9} {at_bars:>9}");
}

/// So many runs of the yardstick.
fn play(runs: u64) -> Counts {
    (0..runs).map(yardstick).fold(Counts::default(), Counts::plus)
}

/// CPU seconds of all commands so far, and the most memory that one of them had.
fn children() -> (f64, f64) {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system counts");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 * 1e-6;
    (seconds(usage.user_time()) + seconds(usage.system_time()), usage.max_rss() as f64 / 1024.0)
}

/// How much faster two threads play the yardstick than one.
fn yardstick_scaling() -> f64 {
    let clock = |threads: u64| {
        let started = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(move || play(2 * YARDSTICK_RUNS / threads));
            }
        });
        started.elapsed().as_secs_f64()
    };
    clock(1) / clock(2)
}

/// The story's outage, swept over how often to probe, how long to wait and how many failures to believe.
fn experiment(folder: &Path, intervals: usize, rate: f64) -> PathBuf {
    let path = folder.join(format!("{intervals}_intervals_at_{rate}"));
    fs::create_dir_all(&path).expect("a folder");
    let scenario = format!(
        r#"
duration = "20m"
[traffic]
arrivals = {{ poisson = "{rate}/s" }}
[provider.a]
latency = {{ lognormal = {{ p50 = "706ms", p99 = "2259ms" }} }}
[provider.b]
latency = {{ lognormal = {{ p50 = "706ms", p99 = "2259ms" }} }}
[fault.outage]
on = {{ name = "a" }}
at = "120.001s"
lasts = "240s"
requests = {{ status = 502 }}
probes = "hang"
[gateway]
route = {{ prefer = ["a", "b"] }}
health_check = {{ interval = "60s", timeout = "30s" }}
"#
    );
    let list = |values: Vec<String>| values.join(", ");
    let seconds =
        |i: usize, most: f64, of: usize| format!("\"{:.0}ms\"", 1e3 * most * (i + 1) as f64 / of as f64);
    let sweep = format!(
        r#"
question = "What does a sweep cost?"
scenarios = ["w1.toml"]
[[sweep.axis]]
path = "gateway.health_check.interval"
values = [{}]
[[sweep.axis]]
path = "gateway.health_check.timeout"
values = [{}]
[[sweep.axis]]
path = "gateway.health_check.eject_after"
values = [1, 2, 3, 4]
"#,
        list((0..intervals).map(|i| seconds(i, 60.0, intervals)).collect()),
        list((0..20).map(|i| seconds(i, 30.0, 20)).collect()),
    );
    fs::write(path.join("w1.toml"), scenario).expect("a scenario");
    fs::write(path.join("experiment.toml"), sweep).expect("an experiment");
    path
}
