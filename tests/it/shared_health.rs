//! Replicas that share what their detectors know.

use failover_sim::engine::{HealthChange, Recorder, simulate};
use failover_sim::scenario::Loader;

#[derive(Default)]
struct Ejections(Vec<(u32, u64)>);

impl Recorder for Ejections {
    fn health_changed(&mut self, change: &HealthChange) {
        if !change.admitted {
            self.0.push((change.replica, change.at.as_nanos()));
        }
    }
}

#[test]
fn a_verdict_of_the_shared_state_is_every_replicas_at_once() {
    let scenario = r#"
        duration = "10s"
        traffic = { arrivals = { constant = "50/s" } }
        provider.a = { latency = { constant = "10ms" } }
        provider.b = { latency = { constant = "10ms" } }
        fault.outage = { on = { name = "a" }, at = "2s", lasts = "4s" }
        [gateway]
        replicas = 3
        health = { shared = "0s" }
        route = { prefer = ["a", "b"] }
        detector.row = { consecutive = 5, eject_for = "60s" }
    "#;
    let model = Loader::new().parse("shared", scenario).unwrap().model().unwrap();
    let mut ejections = Ejections::default();
    simulate(&model, 1, 0, &mut ejections);
    // The fifth of the requests that come every 20 ms, the first of them at 2.01 s.
    let at = 2_090_000_000;
    assert_eq!(ejections.0, [(0, at), (1, at), (2, at)]);
}
