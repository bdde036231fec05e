//! Burn-rate alerts, error budgets and people against closed forms.
//!
//! With errors of share e from a moment on and none before, a window of length W exceeds the burn rate b after
//! b (1 - SLO) W / e; after their end the short one, S, falls below it within S (1 - b (1 - SLO) / e).

use crate::play::{assert_moments, on_path, outcomes};
use failover_sim::engine::{Milestone, Path};
use failover_sim::metrics::{Outcome, TimelineEvent, metric};
use failover_sim::model::Model;
use failover_sim::scenario::Loader;

/// The scenario with settings made in it, one a line.
fn with(toml: &str, settings: &str) -> Model {
    let mut document = Loader::new().parse("test", toml).unwrap_or_else(|p| panic!("{}", p.render(false)));
    for setting in settings.lines().map(str::trim).filter(|line| !line.is_empty()) {
        document.set_text(setting).unwrap_or_else(|p| panic!("{}", p.render(false)));
    }
    document.model().unwrap_or_else(|p| panic!("{}", p.render(false)))
}

/// One metric of many runs, in seconds; every run has it.
fn seconds(model: &Model, name: &str, runs: u64) -> Vec<f64> {
    let metric = metric(name).expect("a metric");
    outcomes(model, runs).iter().map(|outcome| metric.of(outcome).expect("it comes to pass") / 1e3).collect()
}

/// Requests in a second.
const RATE: f64 = 10.0;

/// A service at 99.9% with the workbook's page. Of `all` providers, which take turns, one is dead from 1000 s to 7000 s, so
/// that every one in `all` requests fails, evenly.
fn one_of(all: usize, settings: &str) -> Model {
    let providers: String =
        (0..all).map(|i| format!("provider.p{i} = {{ latency = {{ constant = \"0s\" }} }}\n")).collect();
    let names: Vec<String> = (0..all).map(|i| format!("\"p{i}\"")).collect();
    let route = format!("gateway.route = {{ round_robin = [{}] }}", names.join(", "));
    let toml = format!(
        r#"
        duration = "150m"
        traffic = {{ arrivals = {{ constant = "{RATE}/s" }} }}
        {providers}
        {}
        fault.outage = {{ on = {{ name = "p0" }}, at = "1000s", lasts = "6000s" }}
        slo = {{ objective = 0.999, window = "30d" }}
        alert.page = {{ burn = 14.4, long = "1h", short = "5m", every = "1s", first_tick = {{ at = "0s" }} }}
        "#,
        if all > 1 { &route } else { "" },
    );
    with(&toml, settings)
}

/// Seconds from the start of the fault to each time that the alert fires, and from its end to each that it is over.
fn turns(model: &Model) -> (Vec<f64>, Vec<f64>) {
    let outcome = on_path(model, Path::Plain, 1, 0);
    let times = |milestone, since: f64| {
        let timeline = outcome.timeline.iter().flatten();
        let found = timeline.filter(|entry| entry.event == TimelineEvent::Milestone(milestone));
        found.map(|entry| entry.at.as_millis_f64() / 1e3 - since).collect()
    };
    (times(Milestone::AlertFires(0), 1000.0), times(Milestone::AlertResolves(0), 7000.0))
}

/// 51.8 s where all fail, 518 s at 10%, 43.2 min at 2%, never below 1.44%; each at the next tick. After the end the short
/// window takes 291 s at 50%.
#[test]
fn an_alert_fires_and_ends_when_the_closed_form_says() {
    for all in [1, 2, 10, 50, 65] {
        let e = 1.0 / all as f64;
        let (detected, reset) = (14.4 * 0.001 * 3600.0 / e, 300.0 * (1.0 - 14.4 * 0.001 / e));
        let (fires, ends) = turns(&one_of(all, ""));
        // Up to the next tick, and errors come so far apart.
        let gap = all as f64 / RATE;
        let is_near = |found: &[f64], from: f64, to: f64| found.len() == 1 && (from..=to).contains(&found[0]);
        assert!(is_near(&fires, detected - gap, detected + gap + 1.0), "1 of {all}: {fires:?}, {detected}");
        assert!(is_near(&ends, reset - gap, reset + 1.0), "1 of {all}: {ends:?}, {reset}");
    }
    assert!(turns(&one_of(70, "")).0.is_empty());
}

/// A lag and a pending time come on top, and ticks are waited for.
#[test]
fn ticks_lag_and_pending_time_delay_an_alert() {
    for (settings, seconds) in [
        ("alert.page.every=30s", 80.0),
        ("alert.page.lag=700ms", 53.0),
        ("alert.page.lag=10s", 62.0),
        ("alert.page.for=2m", 172.0),
        ("alert.page.for=90500ms", 143.0),
        ("alert.page.first_tick.at=600ms", 52.6),
        ("alert.page.burn=6.0\nalert.page.long=6h\nalert.page.short=30m", 130.0),
        ("alert.page.min_count=3000", 52.0),
        // With half the traffic before the run, 10 t of 23,000 + 5 t in the long window.
        ("slo.requests=5/s", 34.0),
    ] {
        let (fires, _) = turns(&one_of(1, settings));
        assert!(fires.len() == 1 && (fires[0] - seconds).abs() < 1e-6, "{settings}: {fires:?}");
    }
    assert!(turns(&one_of(1, "alert.page.min_count=3001")).0.is_empty());
    // Without traffic before the run there are 1000 s of it: 14.4 s are 1.44% of what is then there.
    let (fires, _) = turns(&one_of(1, "alert.page.before=nothing"));
    assert_eq!(fires, [15.0]);
}

/// A clock of random phase adds half an interval on average.
#[test]
fn a_random_tick_waits_for_half_an_interval() {
    let model = one_of(
        1,
        "traffic.arrivals.constant=1/s\nalert.page.every=60s\nalert.page.first_tick=random\nduration=20m",
    );
    // The 52nd error is one too many.
    assert_moments("time to alert", &seconds(&model, "time_to_alert_ms", 400), 51.5 + 30.0, Some(300.0));
}

/// 100 requests fail. At 99.9% of 2,592,000 in 30 days 2,592 may.
#[test]
fn the_budget_is_spent_by_what_fails() {
    let spent = |settings| {
        let toml = r#"
            duration = "10m"
            traffic = { arrivals = { constant = "1/s" } }
            provider.a = { latency = { constant = "1s" } }
            fault.outage = { on = { name = "a" }, at = "60s", lasts = "100s" }
            slo = { objective = 0.999, window = "30d" }
        "#;
        let outcome: Outcome = outcomes(&with(toml, settings), 1).remove(0);
        assert_eq!(outcome.failures.total(), 100);
        metric("budget_spent_ratio").expect("a metric").of(&outcome).expect("there is a budget")
    };
    for (settings, expected) in [
        ("", 100.0 / 2592.0),
        ("slo.objective=0.99", 100.0 / 25_920.0),
        ("slo.objective=0.99999", 100.0 / 25.92),
        ("slo.window=90d", 100.0 / 7776.0),
        ("slo.requests=10/s", 100.0 / 25_920.0),
    ] {
        assert!((spent(settings) / expected - 1.0).abs() < 1e-9, "{settings}: {}", spent(settings));
    }
}

/// One request a minute, of which all fail from 30 min on; an alert that fires at once, and people.
fn paged(operator: &str) -> Model {
    let toml = format!(
        r#"
        duration = "8h"
        traffic = {{ arrivals = {{ constant = "1/min" }} }}
        provider.a = {{ latency = {{ constant = "0s" }} }}
        provider.b = {{ latency = {{ constant = "0s" }} }}
        fault.outage = {{ on = {{ name = "a" }}, at = "30m", lasts = "7h" }}
        gateway.route = {{ prefer = ["a", "b"] }}
        slo = {{ objective = 0.9, window = "30d" }}
        alert.page = {{ burn = 1.0, long = "20m", short = "10m", every = "10m", first_tick = {{ at = "0s" }} }}
        [operator.on_call]
        avoid = ["a"]
        {operator}
        "#
    );
    with(&toml, "")
}

const RUNS: u64 = 1500;

/// From the alert to the switch, run by run, in minutes.
fn reaction(operator: &str) -> Vec<f64> {
    let model = paged(operator);
    let [alerted, switched] =
        ["time_to_alert_ms", "time_to_switch_ms"].map(|name| seconds(&model, name, RUNS));
    alerted.iter().zip(switched).map(|(alerted, switched)| (switched - alerted) / 60.0).collect()
}

fn sigma(p50: f64, p99: f64) -> f64 {
    libm::log(p99 / p50) / 2.326_347_874_040_840_8
}

/// Half of all draws are below the median; a sum of lognormals has the sum of their means and of their variances.
#[test]
fn people_take_the_sum_of_their_stages() {
    let minutes = reaction(
        "after = { alert = \"page\" }\nstages = { acknowledge = { lognormal = { p50 = \"4m\", p99 = \"20m\" } } }",
    );
    let below = minutes.iter().filter(|minutes| **minutes < 4.0).count() as f64;
    // Four standard errors of a coin's.
    assert!((below - RUNS as f64 / 2.0).abs() < 2.0 * (RUNS as f64).sqrt(), "{below}");

    let stages =
        [("notify", 0.5, 2.0), ("acknowledge", 4.0, 20.0), ("diagnose", 10.0, 60.0), ("switch", 2.0, 5.0)];
    let written: Vec<String> = stages
        .iter()
        .map(|(stage, p50, p99)| {
            format!("{stage} = {{ lognormal = {{ p50 = \"{}s\", p99 = \"{}s\" }} }}", p50 * 60.0, p99 * 60.0)
        })
        .collect();
    let minutes = reaction(&format!("after = {{ alert = \"page\" }}\nstages = {{ {} }}", written.join(", ")));
    let (mut mean, mut variance) = (0.0, 0.0);
    for (_, p50, p99) in stages {
        let square = sigma(p50, p99).powi(2);
        mean += p50 * libm::exp(square / 2.0);
        variance += p50 * p50 * (libm::exp(square) - 1.0) * libm::exp(square);
    }
    assert_moments("reaction", &minutes, mean, Some(variance));
}

/// With exponential times of mean m, and one more responder every E, k + 1 of them race from k E on:
/// E[T] = sum over k of m / (k + 1) exp(-k (k + 1) / 2 E / m) (1 - exp(-(k + 1) E / m)).
#[test]
fn escalation_adds_responders_who_race() {
    let stages = "stages = { acknowledge = { exponential = { mean = \"12m\" } } }";
    let (m, e) = (12.0, 5.0);
    let part = |k: f64| {
        m / (k + 1.0) * libm::exp(-k * (k + 1.0) / 2.0 * e / m) * (1.0 - libm::exp(-(k + 1.0) * e / m))
    };
    let mean = (0..50).map(|k| part(f64::from(k))).sum();
    let minutes = reaction(&format!("after = {{ alert = \"page\" }}\n{stages}\nescalate_after = \"5m\""));
    assert_moments("escalation", &minutes, mean, None);
    let minutes = reaction(&format!("after = {{ alert = \"page\" }}\n{stages}"));
    assert_moments("no escalation", &minutes, m, Some(m * m));
}

/// A vendor posts 17 minutes late in the median, and who polls the page knows half an interval later on average.
#[test]
fn a_status_page_is_late_and_polled() {
    let posted = |latency: &str, polled: &str| {
        let page = format!("fault = \"outage\", posted_after = {latency}{polled}");
        let model = paged(&format!("after = {{ status_page = {{ {page} }} }}"));
        let seconds = seconds(&model, "time_to_switch_ms", RUNS);
        seconds.into_iter().map(|seconds| seconds / 60.0).collect::<Vec<_>>()
    };
    let minutes = posted("{ lognormal = { p50 = \"17m\", p99 = \"1h\" } }", "");
    let below = minutes.iter().filter(|minutes| **minutes < 17.0).count() as f64;
    assert!((below - RUNS as f64 / 2.0).abs() < 2.0 * (RUNS as f64).sqrt(), "{below}");
    let minutes = posted("{ constant = \"17m\" }", ", polled_every = \"6m\"");
    assert_moments("polled", &minutes, 20.0, Some(3.0));
}

/// What is posted as resolved is used again; what is resolved before anybody acts is left alone.
#[test]
fn a_status_page_ends_the_switch() {
    let acts = |posted: &str, resolved: &str, stages: &str| {
        let toml = format!(
            r#"
            duration = "3h"
            traffic = {{ arrivals = {{ constant = "1/s" }} }}
            provider.a = {{ latency = {{ constant = "0s" }} }}
            provider.b = {{ latency = {{ constant = "0s" }} }}
            fault.outage = {{ on = {{ name = "a" }}, at = "30m", lasts = "1h" }}
            fault.backup = {{ on = {{ name = "b" }}, at = "110m", lasts = "20m" }}
            gateway.route = {{ prefer = ["a", "b"] }}
            [operator.page]
            after.status_page = {{ fault = "outage", posted_after = {{ constant = "{posted}" }}, resolved_after = {{ constant = "{resolved}" }} }}
            {stages}
            avoid = ["a"]
            "#
        );
        let outcome = outcomes(&with(&toml, ""), 1).remove(0);
        (outcome.failures.total(), outcome.saved_by_hand_count)
    };
    assert_eq!(acts("17m", "15m", ""), (17 * 60, 43 * 60), "it is used again at 105 min");
    assert_eq!(acts("17m", "30m", ""), (17 * 60 + 10 * 60, 43 * 60), "the backup has to do until 120 min");
    assert_eq!(acts("80m", "15m", ""), (3600, 0), "both are posted after the fact");
    let slow = "stages = { diagnose = { constant = \"1h\" } }";
    assert_eq!(acts("17m", "15m", slow), (3600, 0), "it is resolved before anybody acts");
}

/// People and a health check race: the earlier of the two decides what is lost, run by run.
#[test]
fn the_earlier_of_machine_and_people_decides() {
    let failed = |more: &str| -> Vec<u64> {
        let toml = format!(
            r#"
            duration = "40m"
            traffic = {{ arrivals = {{ constant = "5/s" }} }}
            provider.a = {{ latency = {{ constant = "0s" }} }}
            provider.b = {{ latency = {{ constant = "0s" }} }}
            fault.outage = {{ on = {{ name = "a" }}, at = "10m", lasts = "20m", probes = "hang" }}
            slo = {{ objective = 0.999, window = "30d" }}
            alert.page = {{ burn = 14.4, long = "1h", short = "5m", every = "30s" }}
            gateway.route = {{ prefer = ["a", "b"] }}
            {more}
            "#
        );
        outcomes(&with(&toml, ""), 60).iter().map(|outcome| outcome.failures.total()).collect()
    };
    let machine = "gateway.health_check = { interval = \"5m\", timeout = \"1m\" }";
    let people = "operator.on_call = { after = { alert = \"page\" }, avoid = [\"a\"], stages = { acknowledge = { lognormal = { p50 = \"2m\", p99 = \"9m\" } } } }";
    let (machine_alone, people_alone) = (failed(machine), failed(people));
    let both = failed(&format!("{machine}\n{people}"));
    let mut wins = [0; 2];
    for ((machine, people), both) in machine_alone.iter().zip(&people_alone).zip(both) {
        assert_eq!(both, *machine.min(people));
        wins[usize::from(machine < people)] += 1;
    }
    assert!(wins.iter().all(|wins| *wins > 5), "each wins sometimes: {wins:?}");
}

/// Nobody is called where no alert fires, and a switch that is over can be made again.
#[test]
fn people_act_when_called_and_as_often_as_called() {
    let count = |min_count: u32, operator: &str| {
        let toml = format!(
            r#"
            duration = "3h"
            traffic = {{ arrivals = {{ constant = "5/s" }} }}
            provider.a = {{ latency = {{ constant = "0s" }} }}
            provider.b = {{ latency = {{ constant = "0s" }} }}
            fault.outage = {{ on = {{ name = "a" }}, at = "10m", lasts = "100m" }}
            slo = {{ objective = 0.999, window = "30d" }}
            alert.page = {{ burn = 14.4, long = "1h", short = "5m", min_count = {min_count}, first_tick = {{ at = "0s" }} }}
            gateway.route = {{ prefer = ["a", "b"] }}
            operator.on_call = {{ after = {{ alert = "page" }}, avoid = ["a"], {operator} }}
            "#
        );
        let outcome = on_path(&with(&toml, ""), Path::Plain, 1, 0);
        let of = |milestone| {
            let timeline = outcome.timeline.iter().flatten();
            timeline.filter(|entry| entry.event == TimelineEvent::Milestone(milestone)).count()
        };
        (of(Milestone::AlertFires(0)), of(Milestone::OperatorActs(0)), of(Milestone::OperatorReturns(0)))
    };
    assert_eq!(count(1501, ""), (0, 0, 0));
    assert_eq!(count(1500, ""), (1, 1, 0));
    let (fires, acts, returns) = count(0, "lasts = \"30m\"");
    assert!(fires > 2 && acts == fires, "{fires}, {acts}");
    assert!(returns + 1 >= acts && returns <= acts, "{returns}");
}
