//! Passive detectors as they are written, and as they are.

use super::{EVERYTHING, gateway_with, lowered, secs, share, some, statuses};
use failover_sim::model::{
    Answer, AnswerSet, BucketStart, Decide, Detector, EjectedFrom, Ejection, Evaluated, Growth, HalfOpen,
    Judges, MaxEjected, MaxEjectedRule, Nginx, OnError, Probability, Ratio, SlowRatio, Stale, SuccessRate,
    TripAction, Trips, Window, WindowStart,
};
use failover_sim::time::SimDuration;

fn detector(name: &str, trips: Trips, base: SimDuration) -> Detector {
    Detector {
        name: name.to_owned(),
        judges: Judges::Attempts,
        failures: AnswerSet::any(),
        ignored: AnswerSet::NONE,
        trips,
        window: Window::SinceAdmission,
        evaluated: Evaluated::OnCall,
        stale: Stale::Counts,
        enforced: Probability::ONE,
        action: TripAction::Eject,
        ejection: Ejection {
            base,
            growth: Growth::Constant,
            max: SimDuration::MAX,
            jitter: SimDuration::ZERO,
            from: EjectedFrom::Trip,
            retry_after: None,
        },
        half_open: None,
        clears_on_admission: true,
        readmit_on_probe: false,
        max_ejected: None,
        spares_lone: false,
    }
}

#[test]
fn detectors() {
    let gateway = lowered(EVERYTHING).gateway;
    let half = |inclusive, min_calls| Ratio { of: share(0.5), inclusive, min_calls };
    let on_ratio = || Trips { ratio: Some(half(true, 1)), ..Trips::default() };
    let first_trip = HalfOpen { permits: some(1), decide: Decide::First };

    let five = Detector {
        window: Window::Buckets { length: secs(10), count: some(10), from: BucketStart::Clock },
        ..detector("five", on_ratio(), secs(10))
    };
    let on_ten = Trips { consecutive: Some(some(10)), ..Trips::default() };
    let four = Detector {
        action: TripAction::HealthCheck(OnError::Brink),
        ..detector("four", on_ten, SimDuration::ZERO)
    };
    let all_trips = Trips {
        consecutive: Some(some(5)),
        count: Some(some(3)),
        ratio: Some(half(false, 5)),
        slow: Some(SlowRatio {
            after: secs(60),
            ratio: Ratio { of: Probability::ONE, inclusive: true, min_calls: 100 },
        }),
        at_once_on: AnswerSet::of([Answer::Status(429)]),
        success_rate: None,
        nginx: None,
    };
    let one = Detector {
        name: "one".to_owned(),
        judges: Judges::AfterRetries,
        failures: AnswerSet::of([Answer::Timeout]).or(statuses(500, 599)),
        ignored: statuses(501, 501),
        trips: all_trips,
        window: Window::Calls(some(100)),
        evaluated: Evaluated::OnFailure,
        stale: Stale::Dropped,
        enforced: share(0.5),
        action: TripAction::Eject,
        ejection: Ejection {
            base: secs(30),
            growth: Growth::Linear,
            max: secs(300),
            jitter: secs(5),
            from: EjectedFrom::FirstFailure,
            retry_after: Some(secs(1)),
        },
        half_open: Some(HalfOpen { permits: some(10), decide: Decide::Ratio }),
        clears_on_admission: false,
        readmit_on_probe: true,
        max_ejected: Some(MaxEjected { share: share(0.1), rule: MaxEjectedRule::WithThis }),
        spares_lone: true,
    };
    let on_two = Trips { count: Some(some(2)), ..Trips::default() };
    let seven = Detector {
        window: Window::Sliding(secs(10)),
        evaluated: Evaluated::OnTicks { every: secs(1), first: None },
        ..detector("seven", on_two, secs(10))
    };
    let six = Detector {
        window: Window::Ewma(secs(30)),
        half_open: Some(first_trip),
        ..detector("six", on_ratio(), secs(10))
    };
    let nginx = Nginx { max_fails: some(3), fail_timeout: secs(10) };
    let three = detector("three", Trips { nginx: Some(nginx), ..Trips::default() }, secs(10));
    let rate = SuccessRate { stdev_factor: 1.9, min_providers: 5, min_calls: 100 };
    let mut two = Detector {
        window: Window::Tumbling { length: secs(10), from: WindowStart::FirstOfEach },
        evaluated: Evaluated::OnTicks { every: secs(10), first: Some(SimDuration::ZERO) },
        half_open: Some(HalfOpen { decide: Decide::All, ..first_trip }),
        max_ejected: Some(MaxEjected { share: share(0.2), rule: MaxEjectedRule::BeforeThis }),
        ..detector("two", Trips { success_rate: Some(rate), ..Trips::default() }, secs(30))
    };
    two.ejection.growth = Growth::Exponential(2.0);
    assert_eq!(gateway.detectors, [five, four, one, seven, six, three, two], "in order of name");
}

#[test]
fn what_detectors_choose_from() {
    let detector = |more: &str| {
        let text = format!("detector.x = {{ count = 1, {more} }}");
        gateway_with(&text).detectors.remove(0)
    };
    for (word, from) in [
        ("clock", WindowStart::Clock),
        ("first_call", WindowStart::FirstCall),
        ("first_failure", WindowStart::FirstFailure),
        ("first_of_each", WindowStart::FirstOfEach),
    ] {
        let text = format!("eject_for = \"1s\", window.tumbling = {{ length = \"1s\", from = \"{word}\" }}");
        assert_eq!(detector(&text).window, Window::Tumbling { length: secs(1), from });
    }
    let tumbling = detector("eject_for = \"1s\", window.tumbling.length = \"1s\"");
    assert_eq!(tumbling.window, Window::Tumbling { length: secs(1), from: WindowStart::FirstCall });
    let buckets = "window.buckets = { length = \"1s\", count = 2, from = \"first_call\" }";
    let expected = Window::Buckets { length: secs(1), count: some(2), from: BucketStart::FirstCall };
    assert_eq!(detector(&format!("eject_for = \"1s\", {buckets}")).window, expected);
    for (word, on_error) in [
        ("hurry", OnError::Hurry),
        ("fail", OnError::Fail),
        ("brink", OnError::Brink),
        ("down", OnError::Down),
    ] {
        let text = format!("on_trip.health_check = \"{word}\"");
        assert_eq!(detector(&text).action, TripAction::HealthCheck(on_error));
    }
}
