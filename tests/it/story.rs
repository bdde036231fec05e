//! The numbers of the 3 AM incident come out of the event queue.

use crate::play::{assert_moments, on_path, outcomes};
use failover_sim::engine::{Path, Stage};
use failover_sim::metrics::{Outcome, metric};
use failover_sim::model::Model;
use failover_sim::scenario::Loader;

fn scenario(name: &str) -> Model {
    let path = format!("experiments/01_incident_3am/{name}.toml");
    let document = Loader::new().open(path.as_ref()).unwrap_or_else(|p| panic!("{}", p.render(false)));
    document.model().unwrap_or_else(|p| panic!("{}", p.render(false)))
}

fn failed(outcomes: &[Outcome]) -> Vec<f64> {
    outcomes.iter().map(|o| o.failures.total() as f64).collect()
}

#[test]
fn as_told_the_slow_check_loses_14_000_and_the_fast_one_780() {
    for (name, expected) in [("as_told_60s", 13_990..=14_010), ("as_told_5s", 775..=785)] {
        let model = scenario(name);
        assert!(!model.is_random(), "{name} has nothing random in it");
        let outcome = on_path(&model, Path::Plain, 1, 0);
        assert!(expected.contains(&outcome.failures.total()), "{name}: {}", outcome.failures.total());
        assert_eq!(outcome.failures.of_stage(Stage::Undetected), outcome.failures.total());
        assert_eq!(outcome.saved_by_hand_count, 0, "the hand switch came 13 minutes after the recovery");
    }
}

/// D = U(0, 60) + 30 s at 155.56 a second: 9,333 on average, from 4,667 to 14,000.
#[test]
fn over_random_phases_the_slow_check_loses_9_333() {
    let failed = failed(&outcomes(&scenario("any_phase_60s"), 1000));
    assert_moments("any phase", &failed, 155.56 * 60.0, Some((155.56_f64 * 60.0).powi(2) / 12.0));
    assert!(failed.iter().all(|n| (4_666.0..=14_001.0).contains(n)));
}

/// D = U(0, 5) + 1 s.
#[test]
fn an_honest_timeout_costs_the_fast_check_another_second() {
    let failed = failed(&outcomes(&scenario("any_phase_5s"), 1000));
    assert_moments("any phase", &failed, 155.56 * 3.5, Some((155.56_f64 * 5.0).powi(2) / 12.0));
}

/// Bursts change the spread, not the mean: the trace is scaled to the same rate.
#[test]
fn real_traffic_has_the_story_rate() {
    let model = scenario("real_traffic_5s");
    let counts: Vec<f64> = outcomes(&model, 40).iter().map(|o| o.request_count as f64).collect();
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    assert!((mean / (155.56 * model.duration.as_secs_f64()) - 1.0).abs() < 0.01, "{mean}");
}

/// An early hand saves what the health check would still have lost; the one in the story saves nothing.
#[test]
fn a_hand_switch_saves_what_it_comes_in_time_for() {
    let path = "experiments/01_incident_3am/as_told_60s.toml";
    let mut document = Loader::new().open(path.as_ref()).expect("it opens");
    document.set_text("operator.on_call.at=\"02:48:00\"").expect("it is a setting");
    let outcome = on_path(&document.model().expect("it is valid"), Path::Plain, 1, 0);
    let (failed, saved) = (outcome.failures.total(), outcome.saved_by_hand_count);
    assert!((9_330..=9_336).contains(&failed), "60 s are lost: {failed}");
    assert!((4_664..=4_669).contains(&saved), "30 s are saved: {saved}");
}

/// The story's incident is no quarter's error budget at 99.9%, where it is 1.2% of it, but at 99.9988%.
#[test]
fn the_incident_burns_a_quarters_budget_at_five_nines() {
    let spent = |objective: &str| {
        let path = "experiments/01_incident_3am/as_told_60s.toml";
        let mut document = Loader::new().open(path.as_ref()).expect("it opens");
        let slo = format!("slo={{objective={objective},window=\"90d\"}}");
        document.set_text(&slo).expect("it is a setting");
        let outcome = outcomes(&document.model().expect("it is valid"), 1).remove(0);
        metric("budget_spent_ratio").expect("a metric").of(&outcome).expect("there is a budget")
    };
    for (objective, expected) in [("0.999", 0.012), ("0.9999884", 1.0), ("0.99999", 1.16)] {
        assert!((spent(objective) / expected - 1.0).abs() < 0.05, "{objective}: {}", spent(objective));
    }
}
