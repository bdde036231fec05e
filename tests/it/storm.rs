//! Retry storms: ten slots of mean 100 ms, clients that wait 500 ms, and a stop of 10 s. The shares are those
//! that another simulator found.

use crate::play::{model, on_path, outcomes};
use failover_sim::engine::Path;
use failover_sim::experiment::segment::PointFacts;
use failover_sim::metrics::{METRICS, Outcome, Verdict, metric};
use failover_sim::model::Model;
use failover_sim::output::{
    Design, Point, ScenarioResult, Table, Values, assumptions, document, schema, terminal,
};
use failover_sim::scenario::Loader;

fn scenario(name: &str, settings: &[&str]) -> Model {
    let path = format!("experiments/04_retry_storm/{name}.toml");
    let mut document = Loader::new().open(path.as_ref()).unwrap_or_else(|p| panic!("{}", p.render(false)));
    for setting in settings {
        document.set_text(setting).unwrap_or_else(|p| panic!("{}", p.render(false)));
    }
    document.model().unwrap_or_else(|p| panic!("{}", p.render(false)))
}

/// Asserts that over a few runs this share succeeds in the end, to within 0.02, and what each of them is called.
#[track_caller]
fn assert_ends(model: &Model, share: f64, verdict: Verdict) {
    let outcomes = outcomes(model, 4);
    let after = |outcome: &Outcome| outcome.after_faults.success_ratio().expect("requests arrive after it");
    let mean = outcomes.iter().map(after).sum::<f64>() / outcomes.len() as f64;
    assert!((mean - share).abs() <= 0.02, "{}: {mean} is not {share}", model.name);
    assert!(outcomes.iter().all(|outcome| outcome.verdict() == Some(verdict)), "{}", model.name);
}

#[test]
fn the_same_load_is_served_for_ever_or_never_again() {
    let calm = scenario("no_trigger", &[]);
    for outcome in outcomes(&calm, 4) {
        assert!(outcome.before_faults.success_ratio() > Some(0.999));
    }
    assert_ends(&scenario("storm", &[]), 0.0, Verdict::Metastable);
}

/// L = rate x (retries + 1) / 100: below 1 the backlog drains, above 1 it grows, however little of it is first tries.
#[test]
fn a_storm_stays_where_the_load_with_all_retries_exceeds_capacity() {
    for (retries, rate, share, verdict) in [
        (1, 30, 1.0, Verdict::Recovered),
        (1, 60, 0.0, Verdict::Metastable),
        (2, 20, 1.0, Verdict::Recovered),
        (2, 45, 0.0, Verdict::Metastable),
        (3, 20, 1.0, Verdict::Recovered),
        (3, 30, 0.0, Verdict::Metastable),
    ] {
        let attempts = format!("traffic.client_retry.attempts={retries}");
        let rate = format!("traffic.arrivals.poisson=\"{rate}/s\"");
        assert_ends(&scenario("storm", &[&attempts, &rate]), share, verdict);
        // Waits move the work; they do not make it less.
        assert_ends(&scenario("backoff", &[&attempts, &rate]), share, verdict);
        assert_ends(&scenario("budget", &[&attempts, &rate]), 1.0, Verdict::Recovered);
    }
    for rate in [20, 30, 45, 60] {
        let rate = format!("traffic.arrivals.poisson=\"{rate}/s\"");
        // P(S > 0.5 s) = exp(-5) fail with nothing to try again.
        assert_ends(&scenario("no_retries", &[&rate]), 1.0 - libm::exp(-5.0), Verdict::Recovered);
    }
}

#[test]
fn what_bounds_work_that_nobody_waits_for_ends_the_storm() {
    assert_ends(&scenario("budget", &[]), 1.0, Verdict::Recovered);
    assert_ends(&scenario("queue_25", &[]), 1.0, Verdict::Recovered);
    assert_ends(&scenario("breaker", &[]), 1.0, Verdict::Recovered);
    // Nothing less is done, but what is done first is still waited for.
    let lifo = scenario("lifo", &[]);
    assert_ends(&lifo, 1.0, Verdict::Recovered);
    let after = outcomes(&lifo, 1)[0].after_faults;
    assert!((1.003..1.015).contains(&(after.attempt_count as f64 / after.request_count as f64)), "{after:?}");
    // A queue as long as clients wait does not bound it, and what is dropped late leaves answers that come too late.
    assert_ends(&scenario("queue_100", &[]), 0.0, Verdict::Metastable);
    assert_ends(&scenario("dropped", &[]), 0.15, Verdict::Metastable);
}

/// A provider that refuses everything for a while and is ejected for good, with or without another one.
fn ejected_for_good(backup_error_rate: Option<f64>) -> Model {
    let backup = |rate| format!("[provider.b]\nlatency = {{ constant = \"100ms\" }}\nerror_rate = {rate}\n");
    let route = if backup_error_rate.is_some() { "[\"a\", \"b\"]" } else { "[\"a\"]" };
    model(&format!(
        r#"
        duration = "200s"
        traffic = {{ arrivals = {{ constant = "50/s" }} }}
        [provider.a]
        latency = {{ constant = "100ms" }}
        {}
        [fault.stop]
        on = {{ name = "a" }}
        at = "20s"
        lasts = "60s"
        requests = "refuse"
        [gateway]
        route = {{ prefer = {route} }}
        all_ejected = "fail"
        [gateway.detector.for_good]
        consecutive = 50 # quiet errors do not come so often in a row
        eject_for = "1h"
        "#,
        backup_error_rate.map_or(String::new(), backup)
    ))
}

#[test]
fn without_more_work_than_before_a_run_is_down_or_degraded() {
    let ends = |backup| {
        let outcome = outcomes(&ejected_for_good(backup), 1).swap_remove(0);
        (outcome.verdict().map(Verdict::name), outcome.after_faults.amplification())
    };
    assert_eq!(ends(None), (Some("down"), Some(0.0)), "nothing is sent");
    assert_eq!(ends(Some(0.6)), (Some("down"), Some(1.0)), "what is sent is sent once");
    assert_eq!(ends(Some(0.3)), (Some("degraded"), Some(1.0)));
    assert_eq!(ends(Some(0.01)), (Some("recovered"), Some(1.0)));
}

#[test]
fn the_periods_are_what_comes_before_the_faults_and_the_last_quarter_after_them() {
    let with_faults = |faults: &str| {
        let model = model(&format!(
            "duration = \"100s\"\ntraffic = {{ arrivals = {{ constant = \"100/s\" }} }}\n\
             [provider.a]\nlatency = {{ constant = \"1s\" }}\n{faults}"
        ));
        outcomes(&model, 1).swap_remove(0)
    };
    let fault = |name: &str, at, lasts| {
        format!(
            "[fault.{name}]\non = {{ name = \"a\" }}\nat = \"{at}s\"\nlasts = \"{lasts}s\"\nrequests = \"refuse\"\n"
        )
    };
    let counts = |o: &Outcome| (o.before_faults.request_count, o.after_faults.request_count);

    // The one that ends last is not the one that starts last.
    let two = with_faults(&(fault("long", 20, 40) + &fault("short", 30, 10)));
    assert_eq!((counts(&two), two.verdict()), ((2_000, 1_000), Some(Verdict::Recovered)));
    let own = "[gateway.fault.restart]\nat = \"50s\"\nlasts = \"30s\"\neffect = \"crash\"\n";
    assert_eq!(counts(&with_faults(&(fault("first", 20, 10) + own))), (2_000, 500));

    let none = with_faults("");
    assert_eq!((counts(&none), none.verdict()), ((10_000, 0), None));
    for lasting in [fault("to_the_end", 60, 40), fault("beyond", 60, 400)] {
        let outcome = with_faults(&lasting);
        assert_eq!((counts(&outcome), outcome.verdict()), ((6_000, 0), None));
        assert_eq!(metric("success_after_ratio").expect("a metric").of(&outcome), None);
    }
    let from_the_start = with_faults(&fault("first", 0, 20));
    assert_eq!((counts(&from_the_start), from_the_start.verdict()), ((0, 2_000), None));
}

#[test]
fn the_direct_path_counts_the_same() {
    let model = scenario("no_retries", &[]);
    let told = |path| Outcome { event_count: 0, ..on_path(&model, path, 1, 3) };
    assert_eq!(told(Path::Direct), told(Path::Plain));
}

/// Everything that results say of these runs: the summary, the document, and the tables' column `verdict`.
fn told(model: &Model, outcomes: &[Outcome]) -> (String, serde_json::Value, Values, Values) {
    let result = ScenarioResult {
        model,
        path: Path::Plain,
        first_run: 0,
        outcomes,
        seconds: &[],
        timeline: &[],
        assumptions: &[],
        findings: &[],
    };
    let facts = PointFacts::of(model, Path::Plain);
    let points = [Point { number: 0, facts: &facts, outcomes, error: None }];
    let column = |table: Table| table.column("verdict").expect("a column").values.clone();
    let json = serde_json::to_value(document(1, outcomes.len() as u64, None, &[result])).expect("plain data");
    (
        terminal::summary(&[], 1, &[result], &[], terminal::Screen::PAPER),
        json["scenarios"][0].clone(),
        column(schema::runs(&Design::default(), &points)),
        column(schema::points(&Design::default(), &points)),
    )
}

#[test]
fn results_name_the_verdict() {
    let storm = scenario("storm", &[]);
    let mut runs = outcomes(&storm, 2);
    let text = |words: &[&str]| Values::Text(words.iter().map(|word| Some((*word).into())).collect());

    let (summary, json, of_runs, of_points) = told(&storm, &runs);
    assert!(summary.contains("  verdict   metastable: after the faults 0% of requests succeed"), "{summary}");
    assert_eq!(json["verdict"], "metastable");
    assert_eq!(of_runs, text(&["metastable", "metastable"]));
    assert_eq!(of_points, text(&["metastable"]));
    let assumed = assumptions(&storm);
    assert!(assumed.contains(&"clients ask again, up to 3 times".to_owned()), "{assumed:?}");
    assert!(
        assumed.contains(&"what waits for a provider is served in the order in which it came".to_owned())
    );

    runs.extend(outcomes(&scenario("budget", &[]), 3));
    let (summary, json, of_runs, of_points) = told(&storm, &runs);
    assert!(summary.contains("  verdict   recovered in 3, metastable in 2 of 5 runs: "), "{summary}");
    assert_eq!(json["verdict"], "recovered");
    let counts = serde_json::json!({ "recovered": 3, "degraded": 0, "metastable": 2, "down": 0 });
    assert_eq!(json["runs_by_verdict"], counts);
    assert_eq!(of_runs, text(&["metastable", "metastable", "recovered", "recovered", "recovered"]));
    assert_eq!(of_points, text(&["recovered"]));
}

#[test]
fn a_summary_says_nothing_of_runs_that_recovered_or_had_no_fault() {
    let budget = scenario("budget", &[]);
    let (summary, json, ..) = told(&budget, &outcomes(&budget, 2));
    assert!(!summary.contains("verdict"), "{summary}");
    assert_eq!(json["verdict"], "recovered");

    let calm = scenario("no_trigger", &[]);
    let outcomes = outcomes(&calm, 2);
    let (summary, json, of_runs, of_points) = told(&calm, &outcomes);
    assert!(!summary.contains("verdict"), "{summary}");
    assert_eq!((&json["verdict"], &json["metrics"]["success_after_ratio"]["n"]), (&().into(), &0.into()));
    assert_eq!((of_runs, of_points), (Values::Text(vec![None, None]), Values::Text(vec![None])));
    // Every other metric that can have a value has one, and all requests are of the time before any fault.
    for outcome in &outcomes {
        assert_eq!(outcome.before_faults.request_count, outcome.request_count);
        assert_eq!(outcome.before_faults.succeeded_count, outcome.succeeded_count);
        assert_eq!(outcome.before_faults.attempt_count, outcome.attempt_count);
        // Nothing has a price here.
        let is_of_money = |name: &str| name.contains("_usd") || name.contains("_token_");
        let without = METRICS.iter().filter(|m| m.of(outcome).is_none()).map(|m| m.name);
        let without: Vec<&str> = without.filter(|name| !is_of_money(name)).collect();
        let of_faults = ["time_to_detect_ms", "time_to_recover_ms", "success_after_ratio"];
        let of_people = ["alert_count", "time_to_alert_ms", "time_to_page_ms", "time_to_switch_ms"];
        assert_eq!(
            without,
            [
                &of_faults[..],
                &["fault_count", "fault_time_ratio"],
                &["cache_hit_count", "budget_spent_ratio"],
                &of_people
            ]
            .concat()
        );
    }
}
