//! Latency against what was measured, and against arithmetic by hand.

use crate::play::Log;
use failover_sim::model::Latency;
use failover_sim::time::SimDuration;

/// How long answers took, ascending, by service. From the LLMPerf leaderboard (github.com/ray-project/llmperf-leaderboard,
/// commit 27aa9b6a, Apache-2.0): Llama 2 chat models, 550 tokens in and 150 out, winter 2023.
fn measured(service: &str) -> Vec<SimDuration> {
    let rows = include_str!("../fixtures/llmperf_2023.csv").lines();
    let of_service = rows.filter_map(|row| row.strip_prefix(service)?.strip_prefix(','));
    let mut took: Vec<SimDuration> =
        of_service.map(|secs| SimDuration::from_secs_f64(secs.parse().expect("seconds"))).collect();
    took.sort_unstable();
    took
}

/// The share of a distribution's draws that are no longer than this.
fn share_within(latency: &Latency, longest: SimDuration) -> f64 {
    let (mut low, mut high) = (0, u64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        match latency.of_rank(middle) <= longest {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low as f64 / 2f64.powi(64)
}

/// The Kolmogorov-Smirnov distance between a distribution and what was measured.
fn distance(latency: &Latency, measured: &[SimDuration]) -> f64 {
    let n = measured.len() as f64;
    let off = measured.iter().enumerate().map(|(i, took)| {
        let (share, below) = (share_within(latency, *took), i as f64 / n);
        (share - below).abs().max((share - below - 1.0 / n).abs())
    });
    off.fold(0.0, f64::max)
}

/// Services whose slowest answers are another matter than their ordinary ones: a lognormal through the median and the
/// 99th percentile is off by up to 31% of all answers, a body and a tail by no more than chance has 150 answers differ
/// (13%, at the level of 1%).
#[test]
fn body_and_tail_follow_what_a_lognormal_cannot() {
    for (service, with_tail, without) in
        [("fireworks-7b", 0.12, 0.27), ("together-13b", 0.13, 0.30), ("replicate-13b", 0.07, 0.09)]
    {
        let measured = measured(service);
        let n = measured.len();
        assert!(n >= 149, "{service}: {n}");
        let quantile = |q: f64| measured[(q * (n - 1) as f64) as usize];
        let (p50, p95, p99, max) = (quantile(0.5), quantile(0.95), quantile(0.99), quantile(1.0));
        let tailed = Latency::percentiles(p50, p95, p99, Some(max)).expect("in order");
        let straight = Latency::lognormal(p50, p99).expect("in order");
        let distances = [&tailed, &straight].map(|latency| distance(latency, &measured));
        assert!(distances[0] < with_tail && distances[1] > without, "{service}: {distances:?}");
    }
}

/// An answer of `tokens` tokens to each of many requests, from a provider that writes 80 a second; what follows is how that
/// varies, and a gateway that gives up on an attempt after 5 seconds, and holds answers back until they are complete.
fn slow_writer(tokens: u32, varies: &str, gateway: &str) -> String {
    format!(
        r#"
        duration = "2000s"
        [traffic]
        arrivals = {{ constant = "10/s" }}
        [traffic.class.chat]
        input_tokens = {{ constant = 1000 }}
        output_tokens = {{ constant = {tokens} }}
        [provider.together]
        latency = {{ tokens = {{ first_token = {{ constant = "400ms" }}, prompt_per_second = 10000.0, per_second = 80.0{varies} }} }}
        [gateway]
        timeouts = {{ attempt = "5s", buffers = true }}
        {gateway}
        "#
    )
}

const RETRY: &str = r#"retry = { attempts = 1, on = ["stalled"] }"#;

#[test]
fn an_answer_takes_its_first_token_and_then_its_tokens() {
    let took = Log::of(&slow_writer(200, "", ""), 0).durations();
    assert!(took.iter().all(|took| *took == 0.4 + 0.1 + 2.5));
    // The speed of an answer is the only thing that varies, and the first token does not depend on it.
    let took = Log::of(&slow_writer(200, ", per_second_p1 = 40.0", ""), 0).durations();
    let mut speeds: Vec<f64> = took.iter().map(|took| 200.0 / (took - 0.5)).collect();
    speeds.sort_by(f64::total_cmp);
    let quantile = |q: f64| speeds[(q * speeds.len() as f64) as usize];
    assert!((quantile(0.5) / 80.0 - 1.0).abs() < 0.02, "{}", quantile(0.5));
    // Four standard errors of so rare a quantile of 20,000.
    assert!((quantile(0.99) / 160.0 - 1.0).abs() < 0.05, "{}", quantile(0.99));
}

/// Throughput that varies, with and without retries. An answer of n tokens takes longer than the 4.5 s that are left after
/// the first token with probability p, where ln(n / 4.5 / 80) = -2.326 sigma for p = 1%. If each answer has a speed of its
/// own, p^2 are lost with a retry; if all are slow together, another try is as slow as the first.
#[test]
fn a_retry_helps_where_answers_vary_and_not_where_all_are_slow() {
    // 4.5 s at 40 tokens a second, which 1% are below.
    let lost = |varies: &str, gateway: &str| {
        let log = Log::of(&slow_writer(180, varies, gateway), 0);
        log.failed() as f64 / log.requests.len() as f64
    };
    let own = ", per_second_p1 = 40.0";
    let four_errors = 4.0 * (0.01_f64 * 0.99 / 20_000.0).sqrt();
    assert!((lost(own, "") - 0.01).abs() < four_errors, "{}", lost(own, ""));
    assert!(lost(own, RETRY) < 0.0005, "{}", lost(own, RETRY));
    let shared = ", drift = { every = \"60s\", p1 = 0.5 }";
    // Which of the 34 minutes are slow is one draw each, so ask for a slowness that is not rare.
    let lost = |gateway: &str| {
        let log = Log::of(&slow_writer(360, shared, gateway), 0);
        log.failed() as f64 / log.requests.len() as f64
    };
    let (once, twice) = (lost(""), lost(RETRY));
    assert!((once - 0.5).abs() < 4.0 * (0.25 / 34.0_f64).sqrt(), "{once}");
    // Only where the speed changes before the second try, five seconds later, is that another draw.
    assert!(twice > 0.9 * once, "{once} {twice}");
}
