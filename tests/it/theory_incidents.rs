//! Random incidents against renewal theory, recovery against what it says, and replay against its list.

use crate::play::{Log, assert_moments, model, on_path};
use failover_sim::engine::{Ending, Path};
use failover_sim::metrics::{Outcome, Wanted, measure};
use failover_sim::model::{Fault, Model, Probability};
use failover_sim::random::Key;
use failover_sim::time::SimDuration;

const HOUR: f64 = 3600.0;
const DAY: u64 = 24 * 3600;

/// Providers `a` and `b` of one vendor, and incidents of a source.
fn with(duration: &str, incidents: &str) -> Model {
    model(&format!(
        r#"
        clock = "06:00:00 UTC"
        duration = "{duration}"
        traffic.arrivals = {{ poisson = "1/h" }}
        [provider.a]
        labels = {{ vendor = "x" }}
        latency = {{ constant = "1s" }}
        [provider.b]
        labels = {{ vendor = "x" }}
        latency = {{ constant = "1s" }}
        [incidents.source]
        on = {{ vendor = "x" }}
        {incidents}
        [gateway]
        route = {{ prefer = ["a", "b"] }}
        "#
    ))
}

const WEIBULL: &str = "gaps = { weibull = { shape = 0.67, scale = \"92.6h\" } }\n";
const MINUTE: &str = "lasts = { constant = \"1m\" }\n";
const WHOLE: &str = "severity = { constant = 1.0 }\n";

/// The incidents of one run of a source that is the model's first.
fn of_run(model: &Model, run: u64) -> Vec<Fault> {
    model.incidents[0].of_run(Key::for_run(1, run), model.duration, &model.providers)
}

fn seconds(at: failover_sim::time::SimTime) -> f64 {
    at.as_millis_f64() / 1e3
}

/// Runs of this model over so many days.
fn all(model: &mut Model, days: u64, runs: u64) -> Vec<Vec<Fault>> {
    model.duration = SimDuration::from_secs(days * DAY);
    (0..runs).map(|run| of_run(model, run)).collect()
}

/// Of a Weibull distribution with shape 0.67, the mean Γ(1 + 1/k) and the variance Γ(1 + 2/k) - Γ(1 + 1/k)² for scale 1: its
/// coefficient of variation is 1.54.
const MEAN: f64 = 1.322_401_1;
const VARIANCE: f64 = 5.888_746_2 - MEAN * MEAN;

#[test]
fn weibull_gaps_have_their_mean_and_variance() {
    let mut model = with("1d", &[WEIBULL, MINUTE, WHOLE].concat());
    let mut gaps = vec![];
    for incidents in all(&mut model, 3660, 100) {
        let starts: Vec<f64> = incidents.iter().map(|incident| seconds(incident.start) / HOUR).collect();
        gaps.extend(starts.windows(2).map(|pair| (pair[1] - pair[0]) / 92.6));
    }
    assert!(gaps.len() > 60_000);
    assert_moments("gap", &gaps, MEAN, Some(VARIANCE));
    assert_eq!(model.incidents[0].expected_count(SimDuration::from_secs(3660 * DAY)).round(), 717.0);
}

/// However long a run is, so many incidents start in it as its length over the mean gap: it begins at no special moment.
/// Over a long time the number varies as renewal theory has it (Cox, "Renewal theory", 1962, section 4.5).
#[test]
fn a_run_begins_at_no_special_moment() {
    let mut model = with("1d", &[WEIBULL, MINUTE, WHOLE].concat());
    let counts = |model: &mut Model, days, runs| -> Vec<f64> {
        all(model, days, runs).iter().map(|incidents| incidents.len() as f64).collect()
    };
    let mean = |days: f64| days * 24.0 / (92.6 * MEAN);
    assert_moments("in a day", &counts(&mut model, 1, 20_000), mean(1.0), None);
    assert_moments("in a week", &counts(&mut model, 7, 5000), mean(7.0), None);
    let variance = mean(3660.0) * VARIANCE / (MEAN * MEAN);
    assert_moments("in ten years", &counts(&mut model, 3660, 400), mean(3660.0), Some(variance));
}

#[test]
fn exponential_gaps_give_a_poisson_number() {
    let mut model = with("1d", &["gaps = { exponential = { mean = \"10h\" } }\n", MINUTE, WHOLE].concat());
    let counts: Vec<f64> = all(&mut model, 10, 4000).iter().map(|incidents| incidents.len() as f64).collect();
    assert_moments("count", &counts, 24.0, Some(24.0));
}

#[test]
fn lengths_are_lognormal() {
    let lasts = "lasts = { lognormal = { p50 = \"50m\", p99 = \"21h\" } }\n";
    let mut model = with("1d", &[WEIBULL, lasts, WHOLE].concat());
    let incidents = all(&mut model, 3660, 40).concat();
    let logs: Vec<f64> = incidents
        .iter()
        .filter(|incident| seconds(incident.start) > 0.0)
        .map(|incident| libm::log(incident.end.since(incident.start).as_secs_f64() / 3000.0))
        .collect();
    let sigma = libm::log(21.0 * 60.0 / 50.0) / 2.326_347_874;
    assert_moments("logarithm of the length", &logs, 0.0, Some(sigma * sigma));
}

/// With exponential gaps the number of incidents at a time is that of customers in M/G/∞: none with probability
/// exp(-length / gap), also when the run begins.
#[test]
fn the_share_of_time_in_incidents() {
    let lasts = "lasts = { lognormal = { p50 = \"1h\", p99 = \"9h\" } }\n";
    let model = with("60d", &["gaps = { exponential = { mean = \"8h\" } }\n", lasts, WHOLE].concat());
    let sigma = libm::log(9.0) / 2.326_347_874;
    let length = libm::exp(sigma * sigma / 2.0);
    let share = 1.0 - libm::exp(-length / 8.0);
    let troubles: Vec<_> =
        (0..400).map(|run| measure(&model, 1, run, Wanted::COUNTS, None).trouble.unwrap()).collect();
    let shares: Vec<f64> =
        troubles.iter().map(|trouble| trouble.lasted.as_secs_f64() / (60 * DAY) as f64).collect();
    assert_moments("share of time", &shares, share, None);
    let at_start = |run| of_run(&model, run).iter().any(|incident| seconds(incident.start) == 0.0);
    let begun: Vec<f64> = (0..4000).map(|run| f64::from(u8::from(at_start(run)))).collect();
    assert_moments("at the start", &begun, share, None);
    for (run, trouble) in (0..).zip(&troubles[..20]) {
        assert_eq!(trouble.count, of_run(&model, run).len() as u64);
    }
}

/// Without failover and with gaps that are never shorter than an incident, availability is
/// MTTF / (MTTF + MTTR), of which the sum is the mean gap.
#[test]
fn availability_without_failover() {
    let incidents = "gaps = { weibull = { shape = 9.0, scale = \"10h\" } }\nlasts = { constant = \"1h\" }\n";
    let model = model(&format!(
        r#"
        duration = "90d"
        traffic.arrivals = {{ poisson = "1/s" }}
        provider.a.latency = {{ lognormal = {{ p50 = "1s", p99 = "3s" }} }}
        [incidents.source]
        on = {{ name = "a" }}
        {incidents}
        severity = {{ constant = 1.0 }}
        "#
    ));
    // Γ(1 + 1/9)
    let (mttr, gap) = (1.0, 10.0 * 0.946_965_321);
    let available = |outcome: &Outcome| outcome.succeeded_count as f64 / outcome.request_count as f64;
    let runs: Vec<f64> =
        (0..60).map(|run| available(&measure(&model, 1, run, Wanted::COUNTS, None))).collect();
    assert_moments("availability", &runs, (gap - mttr) / gap, None);
}

/// A gateway that starts at 06:00 on a Monday: each hour has its share of incidents, and so has the weekend, and there are as
/// many as without.
#[test]
fn incidents_come_by_hour_and_day() {
    let hours =
        "hours = [1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 0, 9, 9, 9, 9, 9, 9, 9, 2, 1]\nweekend = 0.25\n";
    let mut model =
        with("1d", &["gaps = { exponential = { mean = \"9h\" } }\n", MINUTE, WHOLE, hours].concat());
    // Whole weeks, in which the chances of every hour are spent.
    let runs = all(&mut model, 364, 100);
    let counts: Vec<f64> = runs.iter().map(|incidents| incidents.len() as f64).collect();
    assert_moments("count", &counts, 364.0 * 24.0 / 9.0, Some(364.0 * 24.0 / 9.0));
    let weights = [1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 0, 9, 9, 9, 9, 9, 9, 9, 2, 1].map(f64::from);
    let starts: Vec<u64> =
        runs.iter().flatten().map(|incident| seconds(incident.start) as u64 + 6 * 3600).collect();
    let share = |is: &dyn Fn(u64) -> bool| -> Vec<f64> {
        starts.iter().map(|start| f64::from(u8::from(is(*start)))).collect()
    };
    for hour in [0, 7, 14, 15, 22, 23] {
        let values = share(&|start| start / 3600 % 24 == hour);
        let expected = weights[hour as usize] / weights.iter().sum::<f64>();
        assert_moments(&format!("hour {hour}"), &values, expected, None);
    }
    let weekend = share(&|start| start / DAY % 7 >= 5);
    assert_moments("weekend", &weekend, 0.5 / 5.5, None);
}

#[test]
fn severity_is_constant_uniform_or_by_class() {
    let drawn = |severity: &str| -> Vec<f64> {
        let mut model = with("1d", &[WEIBULL, MINUTE, severity].concat());
        let incidents = all(&mut model, 3660, 20).concat();
        assert!(incidents.iter().all(|incident| incident.fraction == incident.probe_fraction));
        incidents.iter().map(|incident| incident.fraction.get()).collect()
    };
    assert!(drawn("severity = { constant = 0.3 }").iter().all(|share| *share == 0.3));
    let uniform = drawn("severity = { uniform = { min = 0.2, max = 0.6 } }");
    assert_moments("uniform", &uniform, 0.4, Some(0.16 / 12.0));
    let classes = drawn(
        "severity = { classes = { major = { weight = 1, fraction = 1.0 }, minor = { weight = 3, fraction = 0.2 } } }",
    );
    let is_minor: Vec<f64> = classes.iter().map(|share| f64::from(u8::from(*share == 0.2))).collect();
    assert_moments("minor", &is_minor, 0.75, None);
    assert!(classes.iter().all(|share| [0.2, 1.0].contains(share)));
}

/// Of the requests in an incident as many fail as its severity says; the same requests wherever they can.
#[test]
fn a_severity_is_the_share_of_requests_that_fail() {
    let model = model(
        r#"
        duration = "30d"
        traffic.arrivals = { constant = "1/s" }
        provider.a.latency = { constant = "0s" }
        [incidents.source]
        on = { name = "a" }
        gaps = { exponential = { mean = "9h" } }
        lasts = { constant = "1h" }
        severity = { uniform = { min = 0.1, max = 0.9 } }
        "#,
    );
    for run in 0..3 {
        let incidents = of_run(&model, run);
        // Where incidents overlap, the second one hits what the first one has spared.
        let spared = |second: u64| -> f64 {
            let at = failover_sim::time::SimTime::from_nanos(second * 1_000_000_000 + 500_000_000);
            let active = incidents.iter().filter(|incident| incident.is_active(at));
            active.map(|incident| 1.0 - incident.fraction.get()).product()
        };
        let chances: Vec<f64> = (0..30 * DAY).map(|second| 1.0 - spared(second)).collect();
        let (mean, variance) = chances.iter().fold((0.0, 0.0), |(m, v), p| (m + p, v + p * (1.0 - p)));
        let failed = measure(&model, 1, run, Wanted::COUNTS, None).failures.total() as f64;
        assert!((failed - mean).abs() < 4.0 * variance.sqrt(), "{failed} of {mean}, {}", variance.sqrt());
    }
}

/// Provider `a` alone at a hundred requests a second, and a fault from 10 s to 20 s that refuses 80% of them.
fn recovering(recovery: &str) -> Model {
    model(&format!(
        r#"
        duration = "100s"
        traffic.arrivals = {{ constant = "100/s" }}
        provider.a.latency = {{ constant = "1ms" }}
        [fault.f]
        on = {{ name = "a" }}
        at = "10s"
        lasts = "10s"
        requests = "refuse"
        fraction = 0.8
        {recovery}
        "#
    ))
}

fn failed(model: &Model, run: u64) -> Vec<u64> {
    let log = Log::of_model(model, run);
    let failed = log.requests.iter().filter(|request| matches!(request.ending, Ending::Failed(..)));
    failed.map(|request| request.ordinal).collect()
}

/// On its way out a fault hits a smaller and smaller part of what it would have hit, half of it in the mean.
#[test]
fn a_ramp_lets_go_of_one_request_after_the_other() {
    let [none, short, long] =
        ["", "recovery = { ramp = \"20s\" }", "recovery = { ramp = \"40s\" }"].map(recovering);
    assert_eq!(seconds(long.faults[0].end), 60.0);
    let (mut all, mut by_step) = (vec![], vec![vec![]; 20]);
    for run in 0..40 {
        let (none, short, long) = (failed(&none, run), failed(&short, run), failed(&long, run));
        assert!(none.iter().all(|request| short.contains(request)), "the full force is the same");
        // The short ramp is over in half the time: at each moment it hits no more than the long one.
        assert!(short.iter().all(|request| long.contains(request)));
        assert!(long.iter().all(|request| *request < 6000));
        all.push(long.len() as f64);
        for (step, counts) in by_step.iter_mut().enumerate() {
            let from = 2000 + 200 * step as u64;
            let count = long.iter().filter(|request| (from..from + 200).contains(request)).count();
            counts.push(count as f64);
        }
    }
    assert_moments("failed", &all, 0.8 * (1000.0 + 4000.0 / 2.0), None);
    for (step, counts) in by_step.iter().enumerate() {
        let force = 1.0 - (step as f64 + 0.5) / 20.0;
        assert_moments("in a step", counts, 200.0 * 0.8 * force, None);
    }
}

/// What a fault has paused goes on as soon as it would not be hit any more.
#[test]
fn a_ramp_lets_go_of_what_is_paused() {
    let mut paused = recovering("recovery = { ramp = \"20s\" }");
    paused.faults[0].requests = failover_sim::model::Effect::Pause;
    paused.faults[0].fraction = Probability::ONE;
    let log = Log::of_model(&paused, 0);
    let mut by_step = [0.0_f64; 21];
    for request in &log.requests {
        let arrived = seconds(request.arrived);
        if (10.0..20.0).contains(&arrived) {
            let goes_on = seconds(request.ended) - 1e-3;
            assert!((goes_on - goes_on.round()).abs() < 1e-9, "{goes_on}");
            by_step[goes_on.round() as usize - 20] += 1.0;
        }
    }
    // At the first step 1 of 40 is let go, at each other 1 of 20, and the last 1 of 40 when all is over.
    let expected = |step: usize| if step == 0 || step == 20 { 25.0 } else { 50.0 };
    let distance: f64 =
        by_step.iter().enumerate().map(|(i, n)| (n - expected(i)) * (n - expected(i)) / expected(i)).sum();
    // The 99.9th percentile of chi-square with 20 degrees of freedom.
    assert!(distance < 45.3, "{distance}: {by_step:?}");
}

/// Down from 10 s to 15 s, from 18 s to 20 s and from 23 s to 25 s; what is in flight at each onset breaks.
#[test]
fn a_fault_flaps_when_it_says() {
    let model = |in_flight: &str| {
        model(&format!(
            r#"
            duration = "40s"
            traffic.arrivals = {{ constant = "1/s" }}
            provider.a.latency = {{ constant = "700ms" }}
            [fault.f]
            on = {{ name = "a" }}
            at = "10s"
            lasts = "5s"
            in_flight = "{in_flight}"
            recovery = {{ flaps = {{ times = 2, up = "3s", down = "2s" }} }}
            [fault.later]
            on = {{ name = "a" }}
            at = "35s"
            lasts = "10s"
            requests = "unaffected"
            "#
        ))
    };
    // Requests arrive at the half of each second and take until 0.2 s after it.
    let down = [10, 11, 12, 13, 14, 18, 19, 23, 24];
    assert_eq!(failed(&model("finish"), 0), down);
    let mut with_onsets: Vec<u64> = down.into_iter().chain([9, 17, 22]).collect();
    with_onsets.sort_unstable();
    let mut broken = failed(&model("fail"), 0);
    broken.sort_unstable();
    assert_eq!(broken, with_onsets);
    let outcome = on_path(&model("finish"), Path::Plain, 1, 0);
    let trouble = outcome.trouble.unwrap();
    // From 10 s to 25 s, and from 35 s to the end of arrivals at 40 s.
    assert_eq!((trouble.count, trouble.lasted), (2, SimDuration::from_secs(20)));
}

/// When a fault is over, and when what it ejected comes back, are told from the end of its recovery.
#[test]
fn a_fault_and_its_recovery_are_one_fault() {
    let model = model(
        r#"
        duration = "100s"
        traffic.arrivals = { constant = "10/s" }
        provider.a.latency = { constant = "1ms" }
        provider.b.latency = { constant = "1ms" }
        [fault.f]
        on = { name = "a" }
        at = "10s"
        lasts = "5s"
        recovery = { flaps = { times = 1, up = "20s", down = "5s" } }
        [gateway]
        route = { prefer = ["a", "b"] }
        health_check = { interval = "2s", timeout = "1s", first_probe = { at = "1s" }, eject_after = 1, readmit_after = 1 }
        "#,
    );
    let outcome = on_path(&model, Path::Plain, 1, 0);
    assert_eq!(outcome.time_to_detect(), Some(SimDuration::from_millis(1000)));
    // Probes at 35 s, 37 s and 39 s fail, the one at 41 s passes: 1.05 s after the end at 40 s, with its latency.
    assert_eq!(outcome.time_to_recover(), Some(SimDuration::from_millis(1050)));
    assert_eq!(outcome.false_ejection_count, 0);
    assert_eq!(outcome.trouble.unwrap().lasted, SimDuration::from_secs(30));
}

/// Adding a provider or a source changes no incident of another source, and an incident of one provider changes sides to no
/// other one than the new one.
#[test]
fn another_provider_or_source_shifts_nothing() {
    let text = |providers: &[&str], more: &str| {
        let providers: String = providers
            .iter()
            .map(|name| {
                format!(
                    "[provider.{name}]\nlabels = {{ vendor = \"x\" }}\nlatency = {{ constant = \"1s\" }}\n"
                )
            })
            .collect();
        model(&format!(
            r#"
            duration = "300d"
            traffic.arrivals = {{ poisson = "1/h" }}
            {providers}
            [incidents.source]
            on = {{ vendor = "x" }}
            gaps = {{ exponential = {{ mean = "9h" }} }}
            lasts = {{ exponential = {{ mean = "1h" }} }}
            severity = {{ uniform = {{ min = 0.0, max = 1.0 }} }}
            one_of = 0.4
            {more}
            [gateway]
            route = {{ prefer = ["a", "b"] }}
            "#
        ))
    };
    let more = "[incidents.other]\non = { name = \"a\" }\ngaps = { exponential = { mean = \"1h\" } }\n\
        lasts = { constant = \"1h\" }\nseverity = { constant = 0.5 }\n";
    let (two, three, with_source) =
        (text(&["a", "b"], ""), text(&["a", "b", "c"], ""), text(&["a", "b"], more));
    let incidents = of_run(&two, 0);
    assert_eq!(with_source.incidents[1].name, "source");
    assert_eq!(with_source.incidents[1].of_run(Key::for_run(1, 0), two.duration, &two.providers), incidents);
    let names = |model: &Model, fault: &Fault| -> Vec<String> {
        fault.providers.iter().map(|provider| model.provider(*provider).name.clone()).collect()
    };
    let mut alone = [0.0; 3];
    for (of_two, of_three) in incidents.iter().zip(of_run(&three, 0)) {
        let (before, after) = (names(&two, of_two), names(&three, &of_three));
        let same = Fault { providers: of_two.providers.clone(), ..of_three.clone() };
        assert_eq!(&same, of_two);
        match before.as_slice() {
            [_] => assert!(after == before || after == ["c"], "{before:?} {after:?}"),
            _ => assert_eq!(after, ["a", "b", "c"]),
        }
        if let [only] = of_three.providers.as_slice() {
            alone[only.index()] += 1.0;
        }
    }
    // 0.4 of 800, a third each.
    let expected = incidents.len() as f64 * 0.4 / 3.0;
    assert!(
        alone.iter().all(|count| (count - expected).abs() < 4.0 * expected.sqrt()),
        "{alone:?} {expected}"
    );
    assert_ne!(of_run(&two, 1), incidents);
}

/// Weeks with many incidents and much else: all paths give the same outcome.
#[test]
fn every_path_gives_the_same_outcome_of_weeks_of_incidents() {
    for (gateway, requests) in [
        ("", "{ status = 503 }"),
        ("health_check = { interval = \"60s\", timeout = \"5s\" }", "{ status = 503 }"),
        ("fallback = {}\nhealth_check = { interval = \"60s\", timeout = \"5s\" }", "\"refuse\""),
        ("health_check = { interval = \"60s\", timeout = \"5s\" }", "{ slow = 9.0 }"),
        ("[gateway.detector.d]\nconsecutive = 3\neject_for = \"1m\"", "{ status = 503 }"),
    ] {
        let model = model(&format!(
            r#"
            clock = "06:00:00 UTC"
            duration = "21d"
            traffic.arrivals = {{ poisson = "0.05/s" }}
            provider.a = {{ labels = {{ vendor = "x" }}, latency = {{ lognormal = {{ p50 = "800ms", p99 = "3s" }} }} }}
            provider.b = {{ labels = {{ vendor = "y" }}, latency = {{ lognormal = {{ p50 = "900ms", p99 = "3s" }} }} }}
            [incidents.x]
            on = {{ vendor = "x" }}
            gaps = {{ weibull = {{ shape = 0.67, scale = "9h" }} }}
            lasts = {{ lognormal = {{ p50 = "50m", p99 = "21h" }} }}
            severity = {{ uniform = {{ min = 0.0, max = 1.0 }} }}
            requests = {requests}
            in_flight = "fail"
            recovery = {{ ramp = "20m" }}
            weekend = 0.1
            [incidents.y]
            on = {{ vendor = "y" }}
            gaps = {{ exponential = {{ mean = "9h" }} }}
            lasts = {{ exponential = {{ mean = "1h" }} }}
            severity = {{ constant = 1.0 }}
            requests = {requests}
            recovery = {{ flaps = {{ times = 3, up = "1m", down = "30s" }} }}
            [gateway]
            route = {{ prefer = ["a", "b"] }}
            {gateway}
            "#
        ));
        for run in 0..2 {
            let on = |path| Outcome { event_count: 0, ..measure(&model, 1, run, Wanted::METRICS, path) };
            let fastest = on(None);
            assert_eq!(on(Some(Path::Plain)), fastest, "{gateway}, {requests}");
            let fails = requests == "{ slow = 9.0 }" || fastest.failures.total() > 0;
            assert!(fastest.trouble.unwrap().count > 60 && fails, "{fastest:?}");
        }
    }
}

/// Each incident is on the timeline, from its start to its end.
#[test]
fn incidents_are_on_the_timeline() {
    let model = with("30d", &[WEIBULL, "lasts = { constant = \"1h\" }\n", WHOLE].concat());
    let outcome = on_path(&model, Path::Plain, 1, 0);
    let incidents = of_run(&model, 0);
    let times: Vec<f64> = outcome.timeline.unwrap().iter().map(|entry| seconds(entry.at)).collect();
    let mut edges: Vec<f64> =
        incidents.iter().flat_map(|incident| [seconds(incident.start), seconds(incident.end)]).collect();
    edges.retain(|edge| *edge < (30 * DAY) as f64);
    edges.sort_by(f64::total_cmp);
    assert!(edges.len() > 4);
    assert_eq!(times, edges);
}
