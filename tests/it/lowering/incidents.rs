//! Incidents, random and replayed, compared with the model that they make.

use super::{EVERYTHING, lowered, minute, secs, share, some};
use failover_sim::model::{
    Effect, Gaps, InFlight, Incidents, Latency, Probability, ProviderId, Recovery, Severity, Week,
};

#[test]
fn random_incidents() {
    let model = lowered(EVERYTHING);
    let [classes, weekly] = model.incidents.as_slice() else { panic!("two sources") };
    let (a, b) = (ProviderId::new(0), ProviderId::new(1));
    assert_eq!(
        classes,
        &Incidents {
            name: "classes".to_owned(),
            providers: vec![a],
            gaps: Gaps::Exponential { mean: secs(1200) },
            week: None,
            lasts: Latency::Exponential { mean: secs(120) },
            // In order of name.
            severity: Severity::Classes(vec![(0.25, Probability::ONE), (0.75, share(0.1))]),
            one_of: Probability::ZERO,
            requests: Effect::Status(503),
            probes: Effect::Status(503),
            in_flight: InFlight::Fail,
            retry_after: Some(secs(9)),
            recovery: Recovery::Flaps { times: some(1), up: secs(60), down: secs(30) },
        }
    );
    let mut office = [0.0; 24];
    office[8..18].fill(1.0);
    assert_eq!(
        weekly,
        &Incidents {
            name: "weekly".to_owned(),
            providers: vec![a, b],
            gaps: Gaps::Weibull { shape: 0.67, scale: secs(1800) },
            week: Week::new(&office, 0.5, 8 * 3600),
            lasts: Latency::lognormal(secs(60), secs(540)).unwrap(),
            severity: Severity::Uniform(share(0.25), share(0.75)),
            one_of: share(0.25),
            requests: Effect::Refuse,
            probes: Effect::Unaffected,
            in_flight: InFlight::Finish,
            retry_after: None,
            recovery: Recovery::Ramp(secs(60)),
        }
    );
    assert!(weekly.week.is_some());
}

/// Of the list's incidents those of the right provider, scope and impact that are in the run; where the list states when the
/// impact was, then.
#[test]
fn replayed_incidents() {
    let model = lowered(EVERYTHING);
    let replayed = model.faults.iter().filter(|fault| fault.name.contains('#'));
    let told: Vec<_> = replayed
        .map(|fault| {
            assert_eq!(
                (fault.providers.len(), fault.requests, fault.fraction),
                (2, Effect::Status(503), fault.probe_fraction)
            );
            (fault.name.as_str(), fault.start, fault.end, fault.fraction.get())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("replayed#1", minute(0), minute(4), 0.05),
            ("replayed#2", minute(9), minute(14).after(secs(30)), 0.5),
            // It is not resolved.
            ("replayed#3", minute(25), minute(30), 0.05),
        ]
    );
}

#[test]
fn incidents_of_a_status_page() {
    let model = lowered(
        r#"
        duration = "1d"
        traffic.arrivals = { constant = "1/s" }
        provider.a.latency = { constant = "1s" }
        [incidents.page]
        on = { name = "a" }
        recovery = { ramp = "10m" }
        [incidents.page.replay]
        file = "tests/fixtures/incidents.json"
        scopes = ["api.anthropic.com"]
        severities = { minor = 0.1, critical = 1.0 }
        "#,
    );
    let told: Vec<_> =
        model.faults.iter().map(|fault| (fault.start, fault.end, fault.fraction.get())).collect();
    // The first one is the run's start; `created_at` is where `started_at` is missing.
    assert_eq!(told, [(minute(0), minute(40), 0.1), (minute(120), minute(160), 1.0)]);
}
