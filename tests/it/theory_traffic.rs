//! When requests arrive, against closed forms and independent generators.

use crate::play::{Log, assert_moments, model, on_path};
use failover_sim::engine::Path;
use failover_sim::model::{Arrivals, Model};

/// A scenario with this traffic, in which nothing else matters.
fn scenario(seconds: u64, traffic: &str) -> Model {
    model(&format!(
        "clock = \"06:30:00 UTC\"\nduration = \"{seconds}s\"\nprovider.a.latency = {{ constant = \"0s\" }}\n[traffic]\n{traffic}"
    ))
}

/// When requests arrive in a run, in seconds.
fn arrivals(model: &Model, run: u64) -> Vec<f64> {
    let mut times: Vec<f64> =
        Log::of_model(model, run).requests.iter().map(|r| r.arrived.as_millis_f64() / 1e3).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// How many arrivals fall into each window of a run that begins at one of these instants and ends at the next.
fn counts(times: &[f64], edges: &[f64]) -> Vec<f64> {
    edges.windows(2).map(|w| times.iter().filter(|t| (w[0]..w[1]).contains(t)).count() as f64).collect()
}

/// For each window, the counts of all runs.
fn by_window(runs: impl Iterator<Item = Vec<f64>>, edges: &[f64]) -> Vec<Vec<f64>> {
    let runs: Vec<Vec<f64>> = runs.map(|times| counts(&times, edges)).collect();
    (0..edges.len() - 1).map(|window| runs.iter().map(|counts| counts[window]).collect()).collect()
}

/// A generator of uniforms that has nothing in common with ours. Source: Vigna, "An experimental exploration of
/// Marsaglia's xorshift generators, scrambled", ACM Transactions on Mathematical Software 42 (2016), xorshift64*.
struct Xorshift(u64);

impl Xorshift {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(2_685_821_657_736_338_717) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }
}

/// A Poisson process of a rate that changes, by thinning. Source: Lewis, Shedler, "Simulation of nonhomogeneous Poisson
/// processes by thinning", Naval Research Logistics 26 (1979).
fn thinned(rate: impl Fn(f64) -> f64, most: f64, until: f64, random: &mut Xorshift) -> Vec<f64> {
    let (mut times, mut at) = (vec![], 0.0);
    loop {
        at += -libm::log(random.unit()) / most;
        if at >= until {
            return times;
        }
        if random.unit() * most < rate(at) {
            times.push(at);
        }
    }
}

/// The integral of a function by Simpson's rule, on pieces so small that its corners do not matter.
fn integral(of: &dyn Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let n = 6000;
    let width = (to - from) / f64::from(n);
    let piece = |i| {
        let at = from + width * f64::from(i);
        of(at + 1e-9) + 4.0 * of(at + width / 2.0) + of(at + width - 1e-9)
    };
    (0..n).map(piece).sum::<f64>() * width / 6.0
}

/// Between `a` at 0 and `b` at 1.
fn between(a: f64, b: f64, x: f64) -> f64 {
    a + (b - a) * x.clamp(0.0, 1.0)
}

const HOURS: &str = "[0, 1, 2, 3, 4, 5, 1, 9, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 7]";

type Rate = Box<dyn Fn(f64) -> f64>;

/// Profiles, how long to run, and the factor at each second by their definition.
fn profiles() -> Vec<(String, u64, Rate)> {
    let spike = |t: f64| match t {
        ..20.0 | 85.0.. => 1.0,
        20.0..30.0 => between(1.0, 6.0, (t - 20.0) / 10.0),
        30.0..65.0 => 6.0,
        _ => between(6.0, 1.0, (t - 65.0) / 20.0),
    };
    let hour = |h: usize| [0., 1., 2., 3., 4., 5., 1., 9., 3.].get(h % 24).copied().unwrap_or(1.0);
    let daily = move |t: f64| {
        let hours = 6.5 + t / 3600.0;
        between(hour(hours as usize), hour(hours as usize + 1), hours.fract())
    };
    vec![
        (
            "{ steps = [{ at = \"30s\", factor = 0.2 }, { at = \"50s\", factor = 3 }, { at = \"80s\", factor = 0 }] }"
                .to_owned(),
            90,
            Box::new(|t| match t {
                ..30.0 => 1.0,
                ..50.0 => 0.2,
                ..80.0 => 3.0,
                _ => 0.0,
            }),
        ),
        (
            "{ ramp = { at = \"10s\", over = \"60s\", before = 0, factor = 4 } }".to_owned(),
            90,
            Box::new(|t| between(0.0, 4.0, (t - 10.0) / 60.0)),
        ),
        (
            "{ spike = { at = \"20s\", factor = 6, rise = \"10s\", lasts = \"35s\", fall = \"20s\" } }".to_owned(),
            90,
            Box::new(spike),
        ),
        (format!("{{ daily = {{ hours = {HOURS} }} }}"), 7200, Box::new(daily)),
        (
            format!("{{ weekly = {{ hours = {HOURS}, days = [1, 1, 1, 2, 1, 1, 1], starts = \"thursday\" }} }}"),
            7200,
            Box::new(move |t| 2.0 * daily(t)),
        ),
    ]
}

/// Counts in windows are Poisson with the area of the rate as mean, and those of windows side by side are unrelated.
#[test]
fn a_profile_makes_a_poisson_process_of_its_rate() {
    const RUNS: u64 = 200;
    for (profile, seconds, factor) in profiles() {
        let rate = 900.0 / seconds as f64;
        let model =
            scenario(seconds, &format!("arrivals = {{ poisson = \"{rate}/s\" }}\nprofile = {profile}"));
        let edges: Vec<f64> = (0..=9).map(|i| i as f64 * seconds as f64 / 9.0).collect();
        let ours = by_window((0..RUNS).map(|run| arrivals(&model, run)), &edges);
        let mut random = Xorshift(42);
        let most = 18.0 * rate;
        let thinned = (0..RUNS).map(|_| thinned(|t| rate * factor(t), most, seconds as f64, &mut random));
        let oracle = by_window(thinned, &edges);
        let mut expected = 0.0;
        for (window, (ours, oracle)) in ours.iter().zip(&oracle).enumerate() {
            let area = rate * integral(&*factor, edges[window], edges[window + 1]);
            expected += area;
            let what = format!("{profile}, window {window}");
            assert_moments(&what, ours, area, Some(area));
            assert_moments(&what, oracle, area, Some(area));
            let differences: Vec<f64> = ours.iter().zip(oracle).map(|(a, b)| a - b).collect();
            assert_moments(&what, &differences, 0.0, Some(2.0 * area));
        }
        for pair in ours.windows(2) {
            let mean = |xs: &[f64]| xs.iter().sum::<f64>() / xs.len() as f64;
            let (a, b) = (mean(&pair[0]), mean(&pair[1]));
            let products: Vec<f64> = pair[0].iter().zip(&pair[1]).map(|(x, y)| (x - a) * (y - b)).collect();
            assert_moments(&format!("{profile}, covariance"), &products, 0.0, None);
        }
        assert!((model.expected_requests() / expected - 1.0).abs() < 1e-4, "{profile}");
        let mean = model.traffic.mean_per_second(model.duration) * seconds as f64;
        assert!((mean / expected - 1.0).abs() < 1e-4, "{profile}");
    }
}

/// A higher rate and another profile keep the same arrivals, in the same order.
#[test]
fn a_profile_keeps_the_arrivals() {
    let times = |traffic: &str| arrivals(&scenario(60, traffic), 3);
    let even = times("arrivals = { poisson = \"10/s\" }");
    let twice =
        times("arrivals = { poisson = \"10/s\" }\nprofile = { steps = [{ at = \"0s\", factor = 2 }] }");
    assert_eq!(twice, times("arrivals = { poisson = \"20/s\" }"));
    let ramp = times(
        "arrivals = { poisson = \"10/s\" }\nprofile = { ramp = { at = \"0s\", over = \"60s\", before = 0, factor = 2 } }",
    );
    assert_eq!(ramp.len(), even.len());
    for (even, ramp) in even.iter().zip(&ramp) {
        // As much of t^2 / 60 has passed as of t.
        assert!((ramp * ramp / 60.0 - even).abs() < 1e-6, "{even} {ramp}");
    }
}

/// Standard deviation over mean of the gaps between arrivals.
fn gap_cv(times: &[f64]) -> f64 {
    let gaps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    let n = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / n;
    (gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / n).sqrt() / mean
}

/// The counts of a stationary renewal process have mean L t from the start on, and a variance that comes near
/// c^2 L t + (1 - c^4) / 6 for gamma gaps. Source: Cox, "Renewal Theory" (1962), section 5.4, with the third moment of the
/// gamma distribution.
#[test]
fn a_renewal_process_has_its_gaps_and_counts() {
    for (cv, seconds) in [(3.0_f64, 400), (1.0, 40), (0.4, 40)] {
        let model =
            scenario(seconds, &format!("arrivals = {{ renewal = {{ rate = \"10/s\", cv = {cv:?} }} }}"));
        let runs: Vec<Vec<f64>> = (0..600).map(|run| arrivals(&model, run)).collect();
        let expected = 10.0 * seconds as f64;
        let counts: Vec<f64> = runs.iter().map(|times| times.len() as f64).collect();
        let variance = cv * cv * expected + (1.0 - cv.powi(4)) / 6.0;
        assert_moments(&format!("counts at {cv}"), &counts, expected, Some(variance));
        // No more and no fewer at the start.
        let first: Vec<f64> =
            runs.iter().map(|times| times.iter().filter(|t| **t < 1.0).count() as f64).collect();
        assert_moments(&format!("first second at {cv}"), &first, 10.0, None);
        let gaps: Vec<f64> = runs.iter().take(20).flat_map(|t| t.windows(2).map(|w| w[1] - w[0])).collect();
        // Gaps of a window that ends are a little shorter than all, which does not show here.
        assert_moments(&format!("gaps at {cv}"), &gaps, 0.1, Some(0.01 * cv * cv));
    }
}

/// At a coefficient of variation of 1 it is a Poisson process, and the rate only stretches it.
#[test]
fn a_renewal_process_is_stretched_by_its_rate() {
    let times = |rate: f64, seconds, cv: f64| {
        let arrivals_of = format!("arrivals = {{ renewal = {{ rate = \"{rate}/s\", cv = {cv:?} }} }}");
        arrivals(&scenario(seconds, &arrivals_of), 0)
    };
    let (slow, fast) = (times(10.0, 100, 2.0), times(20.0, 50, 2.0));
    assert_eq!(slow.len(), fast.len());
    assert!(slow.iter().zip(&fast).all(|(slow, fast)| (slow - 2.0 * fast).abs() < 1e-6));
    let long = times(50.0, 2000, 3.45);
    assert!((gap_cv(&long) - 3.45).abs() < 0.15, "{}", gap_cv(&long));
}

/// While it is on with probability p, its rate is L / p; how long it is on within t has the variance
/// 2 p (1 - p) (t / s - (1 - exp(-s t)) / s^2) with s = 1 / on + 1 / off, as its state is forgotten at that rate.
#[test]
fn on_off_traffic_has_the_dispersion_of_its_periods() {
    for (on, off, seconds) in [(2.0, 10.0, 60), (5.0, 1.0, 30), (30.0, 30.0, 10)] {
        let model = scenario(
            seconds,
            &format!("arrivals = {{ on_off = {{ rate = \"8/s\", on = \"{on}s\", off = \"{off}s\" }} }}"),
        );
        let t = seconds as f64;
        let (p, s) = (on / (on + off), 1.0 / on + 1.0 / off);
        let time_on = 2.0 * p * (1.0 - p) * (t / s - (1.0 - libm::exp(-s * t)) / (s * s));
        let variance = 8.0 * t + (8.0 / p) * (8.0 / p) * time_on;
        let counts: Vec<f64> = (0..800).map(|run| arrivals(&model, run).len() as f64).collect();
        assert_moments(&format!("on {on} s, off {off} s"), &counts, 8.0 * t, Some(variance));
    }
}

/// Every part of a trace is as likely as any other, so the mean is the trace's; blocks are as long as they should be.
#[test]
fn a_bootstrapped_trace_keeps_its_rate_and_its_bursts() {
    // 40 requests in the first second of every ten.
    let model = |more: &str| {
        scenario(
            60,
            &format!("arrivals = {{ trace = {{ file = \"tests/fixtures/traces/bursts.csv\"{more} }} }}"),
        )
    };
    let one = model(", bootstrap = \"20s\"");
    let counts: Vec<f64> = (0..400).map(|run| arrivals(&one, run).len() as f64).collect();
    let Arrivals::Trace(trace) = &one.traffic.arrivals else { panic!("a trace") };
    let rate = trace.recorded_rate().per_second();
    assert_moments("a block bootstrap", &counts, 60.0 * rate, None);
    assert!((one.expected_requests() - 60.0 * rate).abs() < 1e-6);
    assert_ne!(arrivals(&one, 0), arrivals(&one, 1));
    let many = model(", bootstrap = \"20s\", rate = \"30/s\"");
    let counts: Vec<f64> = (0..200).map(|run| arrivals(&many, run).len() as f64).collect();
    assert_moments("a block bootstrap at a rate", &counts, 1800.0, None);
    // Within a block the gaps are those of the trace: a burst has 40 in a second, or an end of a block cuts it.
    let times = arrivals(&one, 3);
    let gaps = times.windows(2).map(|w| w[1] - w[0]);
    let recorded = gaps.filter(|gap| (gap - 0.025).abs() < 1e-5 || (gap - 9.025).abs() < 1e-5).count();
    assert!(recorded + 9 > times.len(), "{recorded} of {}", times.len());
}

/// What recorded requests ask for is the same on every path.
#[test]
fn every_path_knows_the_tokens_of_recorded_requests() {
    for more in ["", ", rate = \"20/s\"", ", bootstrap = \"5s\""] {
        let model = crate::play::model(&format!(
            r#"
            duration = "40s"
            [traffic]
            arrivals = {{ trace = {{ file = "models/traffic/azure_llm_2023_conv.csv"{more} }} }}
            client_timeout = "4s"
            [traffic.class.chat]
            input_tokens = "recorded"
            output_tokens = "recorded"
            [provider.a]
            latency = {{ tokens = {{ first_token = {{ constant = "300ms" }}, prompt_per_second = 5000.0, per_second = 80.0 }} }}
            error_rate = 0.1
            [fault.f]
            on = {{ name = "a" }}
            at = "10s"
            lasts = "10s"
            [gateway]
            retry = {{ attempts = 1, on = ["5xx"] }}
            "#
        ));
        let on = |path| failover_sim::metrics::Outcome { event_count: 0, ..on_path(&model, path, 1, 0) };
        for path in [Path::Direct, Path::Counting] {
            assert_eq!(on(Path::Plain), on(path), "{more}");
        }
        let log = Log::of_model(&model, 0);
        let lengths: std::collections::BTreeSet<u64> =
            log.durations().iter().map(|seconds| (seconds * 1e6) as u64).collect();
        assert!(lengths.len() > 30, "{more}: answers differ in length");
    }
}
