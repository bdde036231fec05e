//! One run looked at closely adds up to the run as it is measured, and shows who believed what and when.

use crate::play::model;
use failover_sim::engine::Cause;
use failover_sim::metrics::{Bin, Closeup, Wanted, measure};
use failover_sim::time::{SimDuration, SimTime};

const INCIDENT: &str = r#"
    duration = "60s"
    traffic = { arrivals = { poisson = "50/s" }, client_timeout = "5s" }
    [provider.a]
    latency = { constant = "400ms" }
    [provider.b]
    latency = { exponential = { mean = "500ms" } }
    error_rate = 0.02
    [fault.outage]
    on = { name = "a" }
    at = "20s"
    lasts = "20s"
    requests = { status = 502 }
    probes = "refuse"
    [gateway]
    replicas = 2
    route = { prefer = ["a", "b"] }
    health_check = { interval = "3s", timeout = "1s", first_probe = { at = "1s" }, latency = { constant = "0s" } }
    detector.breaker = { consecutive = 5, eject_for = "8s" }
"#;

#[test]
fn it_adds_up_to_the_run() {
    let model = model(INCIDENT);
    let closeup = Closeup::of(&model, 1, 3, 30);
    assert_eq!(closeup.bin, SimDuration::from_secs(2));
    assert_eq!(closeup.bins.len(), 30);
    let wanted = Wanted { timeline: true, ..Wanted::METRICS };
    let outcome = measure(&model, 1, 3, wanted, None);
    // The way that the run is played may differ, and with it the number of events alone.
    let played = failover_sim::metrics::Outcome { event_count: outcome.event_count, ..closeup.outcome };
    assert_eq!(played, outcome);

    let total = |of: fn(&Bin) -> u64| closeup.bins.iter().map(of).sum::<u64>();
    assert_eq!(total(|bin| bin.succeeded_count), outcome.succeeded_count);
    assert_eq!(total(|bin| bin.served_by.iter().sum()), outcome.succeeded_count);
    assert_eq!(total(|bin| bin.attempt_count), outcome.attempt_count);
    assert_eq!(total(|bin| bin.open_count), outcome.open_count);
    assert_eq!(total(Bin::failed_count), outcome.failures.total());
    for cause in Cause::ALL {
        let of_cause: u64 = closeup.bins.iter().map(|bin| bin.failed_by_cause[cause as usize]).sum();
        assert_eq!(of_cause, outcome.failures.of_cause(cause), "{}", cause.name());
    }
    let before = &closeup.bins[4];
    let latency = before.latency.expect("requests succeed before the fault");
    assert_eq!(latency.p50, SimDuration::from_millis(400));
    assert_eq!(before.served_by[1], 0);
    assert!(closeup.bins[14].served_by[1] > 0, "the backup answers during the fault");
}

/// The health check and the breaker find out apart, and each replica for itself.
#[test]
fn it_shows_who_believed_what_and_when() {
    let model = model(INCIDENT);
    let closeup = Closeup::of(&model, 1, 3, 60);
    assert_eq!((closeup.faults.len(), closeup.faults[0].name.as_str()), (1, "outage"));
    for replica in 0..2 {
        let ejections: Vec<_> = closeup.ejections.iter().filter(|e| e.replica == replica).collect();
        assert!(ejections.iter().all(|ejection| ejection.provider.index() == 0));
        assert!(ejections.windows(2).all(|pair| pair[0].end <= pair[1].start), "they do not overlap");
        let first = ejections.first().expect("the fault is detected");
        assert!(first.by.has_detector(0) && !first.by.has_health_check(), "the breaker is first: {first:?}");
        // Probes are sent at 1 s, 4 s, .. and that of 22 s is refused.
        let checked = ejections.iter().find(|e| e.by.has_health_check()).expect("the health check, too");
        assert_eq!(checked.start, SimTime::START.after(SimDuration::from_secs(22)));
        assert!(checked.by.has_detector(0), "the breaker is still open");
        let last = ejections.last().expect("there are some");
        assert_eq!(
            last.end,
            SimTime::START.after(SimDuration::from_secs(40)),
            "the first good probe admits it"
        );
    }
    let health: usize = 2 * 2;
    let timeline = closeup.outcome.timeline.expect("it has a timeline");
    assert_eq!(timeline.len(), 2 + health, "{timeline:?}");
}
