//! What is written of traffic is what is simulated.

use failover_sim::model::{Arrivals, Clock, OnOff, Profile, Rate, Renewal, Traffic};
use failover_sim::time::{SimDuration, SimTime};

fn secs(seconds: u64) -> SimDuration {
    SimDuration::from_secs(seconds)
}

fn minute(minute: u64) -> SimTime {
    SimTime::START.after(secs(60 * minute))
}

/// A scenario with other traffic, on a clock that shows half past six in the evening.
fn traffic(traffic: &str) -> Traffic {
    let text = format!(
        "clock = \"18:30:00 UTC\"\nduration = \"1h\"\nprovider.a.latency = {{ constant = \"1s\" }}\n[traffic]\n{traffic}"
    );
    crate::play::model(&text).traffic
}

#[test]
fn arrivals_that_come_in_bursts() {
    let arrivals = |text: &str| traffic(&format!("arrivals = {text}")).arrivals;
    let rate = Rate::new(100.0).expect("a rate");
    assert_eq!(
        arrivals("{ renewal = { rate = \"100/s\", cv = 3.0 } }"),
        Arrivals::Renewal(Renewal::new(rate, 3.0).expect("a renewal process"))
    );
    assert_eq!(
        arrivals("{ on_off = { rate = \"100/s\", on = \"10s\", off = \"50s\" } }"),
        Arrivals::OnOff(OnOff::new(rate, secs(10), secs(50)).expect("two periods"))
    );
    let trace = |more: &str| {
        arrivals(&format!(
            "{{ trace = {{ file = \"tests/fixtures/seconds.csv\", bootstrap = \"60s\"{more} }} }}"
        ))
    };
    let Arrivals::Trace(blocks) = trace("") else { panic!("a trace") };
    assert_eq!((blocks.bootstrap(), blocks.rate(), blocks.is_resampled()), (Some(secs(60)), None, true));
    let Arrivals::Trace(copies) = trace(", rate = \"100/s\"") else { panic!("a trace") };
    assert_eq!((copies.bootstrap(), copies.rate()), (Some(secs(60)), Some(rate)));
}

#[test]
fn rates_that_change_over_time() {
    let profile = |text: &str| {
        traffic(&format!("arrivals = {{ poisson = \"1/s\" }}\nprofile = {text}")).profile.expect("a profile")
    };
    let clock = Clock::new(18, 30, 0, "UTC").expect("a time of day");
    let hours = std::array::from_fn(|hour| if hour < 12 { 0.5 } else { 2.0 });
    let written = format!("[{}{}]", "0.5, ".repeat(12), "2, ".repeat(12));
    assert_eq!(
        Some(profile("{ steps = [{ at = \"1m\", factor = 2 }, { at = \"18:35:00\", factor = 0.0 }] }")),
        Profile::steps(&[(minute(1), 2.0), (minute(5), 0.0)])
    );
    assert_eq!(
        Some(profile("{ ramp = { at = \"1m\", over = \"30s\", factor = 2.0 } }")),
        Profile::ramp(minute(1), secs(30), 1.0, 2.0)
    );
    assert_eq!(
        Some(profile("{ ramp = { at = \"1m\", over = \"30s\", before = 3.0, factor = 0.0 } }")),
        Profile::ramp(minute(1), secs(30), 3.0, 0.0)
    );
    assert_eq!(
        Some(profile("{ spike = { at = \"1m\", factor = 5.0, lasts = \"2m\" } }")),
        Profile::spike(minute(1), 5.0, secs(0), secs(120), secs(0))
    );
    assert_eq!(
        Some(profile(
            "{ spike = { at = \"1m\", factor = 5.0, rise = \"1s\", lasts = \"2m\", fall = \"9s\" } }"
        )),
        Profile::spike(minute(1), 5.0, secs(1), secs(120), secs(9))
    );
    assert_eq!(
        Some(profile(&format!("{{ daily = {{ hours = {written} }} }}"))),
        Profile::daily(&hours, &clock)
    );
    let days = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    let weekly =
        |more: &str| profile(&format!("{{ weekly = {{ hours = {written}, days = {days:?}{more} }} }}"));
    assert_eq!(Some(weekly("")), Profile::weekly(&hours, &days, &clock, 0));
    assert_eq!(Some(weekly(", starts = \"sunday\"")), Profile::weekly(&hours, &days, &clock, 6));
}
