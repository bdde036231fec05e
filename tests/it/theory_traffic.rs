//! When requests arrive, against closed forms and independent generators.

use crate::play::{Log, assert_moments, model};
use failover_sim::model::Model;

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
