//! What is written of traffic is what is simulated.

use failover_sim::model::{Arrivals, Clock, OnOff, Profile, Rate, Renewal, TokenCount, Traffic};
use failover_sim::random::Key;
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

/// The times of a trace in milliseconds, and its tokens.
fn recorded(trace: &str) -> (Vec<f64>, Option<[Vec<u32>; 2]>) {
    let text = format!("arrivals = {{ trace = {{ file = \"tests/fixtures/traces/{trace} }} }}");
    let Arrivals::Trace(trace) = traffic(&text).arrivals else { panic!("a trace") };
    let millis = trace.times().iter().map(|time| time.as_millis_f64()).collect();
    (millis, trace.tokens().map(|both| [both[0].to_vec(), both[1].to_vec()]))
}

#[test]
fn traces_in_the_formats_that_there_are() {
    let tokens = |input: &[u32], output: &[u32]| Some([input.to_vec(), output.to_vec()]);
    assert_eq!(
        recorded("azure_2023.csv\""),
        (vec![0.0, 52.0, 2000.0], tokens(&[4808, 3180, 110], &[10, 8, 27]))
    );
    assert_eq!(
        recorded("azure_2024.csv\""),
        (vec![0.0, 990.07, 1990.07], tokens(&[2162, 2399, 100], &[5, 6, 0]))
    );
    assert_eq!(
        recorded("burstgpt_6.csv\""),
        (vec![0.0, 40_000.0, 40_000.0], tokens(&[472, 1087, 417], &[18, 230, 0]))
    );
    assert_eq!(recorded("burstgpt_8.csv\""), (vec![0.0, 1500.0], tokens(&[33, 34], &[7, 9])));
    let of_mooncake = || tokens(&[6758, 7322, 7237], &[500, 490, 794]);
    assert_eq!(recorded("mooncake.jsonl\""), (vec![0.0, 0.0, 3000.0], of_mooncake()));
    // A group of two, and a group of one in the middle of its three seconds.
    assert_eq!(recorded("mooncake.jsonl\", spread = \"3s\""), (vec![0.0, 1500.0, 3750.0], of_mooncake()));
    assert_eq!(recorded("bailian.jsonl\""), (vec![0.0, 500.0], tokens(&[521, 53], &[132, 13])));
    // Four in one second, two in two, and one after its statistics were reset.
    assert_eq!(
        recorded("locust_stats_history.csv\""),
        (vec![0.0, 250.0, 500.0, 750.0, 1375.0, 2375.0, 3375.0], None)
    );
    // A column and a unit that are named go before what is known of a format.
    assert_eq!(recorded("burstgpt_6.csv\", unit = \"ms\"").0, [0.0, 40.0, 40.0]);
    assert_eq!(recorded("burstgpt_6.csv\", column = \"Timestamp\"").0, [0.0, 40_000.0, 40_000.0]);
}

#[test]
fn tokens_from_files() {
    let text = "
        arrivals = { trace = { file = \"tests/fixtures/traces/azure_2023.csv\" } }
        [traffic.class.own]
        input_tokens = \"recorded\"
        output_tokens = \"recorded\"
        [traffic.class.rows]
        input_tokens = { rows = { file = \"tests/fixtures/traces/azure_2023.csv\" } }
        output_tokens = { rows = { file = \"tests/fixtures/traces/azure_2023.csv\", column = \"ContextTokens\" } }
    ";
    let classes = traffic(text).classes;
    let rows = TokenCount::Rows(vec![4808, 3180, 110].into());
    assert_eq!(
        (&classes[0].input_tokens, &classes[0].output_tokens),
        (&TokenCount::Recorded, &TokenCount::Recorded)
    );
    assert_eq!((&classes[1].input_tokens, &classes[1].output_tokens), (&rows, &rows));
    // Input and output are of the same row.
    let traffic = traffic(&text.replace(", column = \"ContextTokens\"", ""));
    for number in 0..300 {
        let request = Key::for_run(1, number);
        let demand = traffic.demand(request, request, (number % 3) as u32).expect("there are classes");
        let row = match demand.class {
            0 => number as usize % 3,
            _ => [4808, 3180, 110].iter().position(|tokens| *tokens == demand.input_tokens).expect("a row"),
        };
        let expected = ([4808, 3180, 110][row], [10, 8, 27][row]);
        assert_eq!((demand.input_tokens, demand.output_tokens), expected);
    }
}
