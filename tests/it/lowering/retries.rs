//! Retries of clients and of the gateway as they are written, and as they are.

use super::{EVERYTHING, gateway_with, lowered, millis, secs, some, statuses};
use failover_sim::model::{
    Answer, AnswerSet, Backoff, BackoffGrowth, Budget, Fallback, Hedge, Jitter, Retry, RetryTo, Tokens,
};
use failover_sim::time::SimDuration;

#[test]
fn retries_of_clients_and_gateways() {
    let model = lowered(EVERYTHING);
    assert_eq!(
        model.traffic.client_retry,
        Some(Retry {
            attempts: 2,
            on: AnswerSet::of([Answer::Timeout, Answer::ConnectionLost, Answer::Status(429)])
                .or(statuses(500, 599)),
            to: RetryTo::Any,
            backoff: Backoff {
                delays: vec![],
                base: millis(500),
                growth: BackoffGrowth::Exponential(2.0),
                max: secs(8),
                jitter: Jitter::Times(0.25),
            },
            at_once_on: AnswerSet::NONE,
            at_once_with_others: false,
            wait_after_last: false,
            retry_after: Some(secs(60)),
            budget: None,
        })
    );
    let tokens = Tokens {
        max: 500.0,
        per_retry: 5.0,
        per_timeout_retry: 10.0,
        per_failure: 1.0,
        per_success: 0.5,
        refunds: true,
        keeps: 250.0,
    };
    assert_eq!(
        model.gateway.retry,
        Some(Retry {
            attempts: 3,
            on: AnswerSet::of([Answer::Refused, Answer::ConnectTimeout, Answer::Stalled, Answer::Cut])
                .or(statuses(400, 499)),
            to: RetryTo::SameThenAny,
            backoff: Backoff {
                delays: vec![millis(500), secs(1)],
                base: SimDuration::ZERO,
                growth: BackoffGrowth::Constant,
                max: SimDuration::MAX,
                jitter: Jitter::Plus(millis(750)),
            },
            at_once_on: AnswerSet::of([Answer::Refused]),
            at_once_with_others: true,
            wait_after_last: true,
            retry_after: Some(secs(60)),
            budget: Some(Budget::Tokens(tokens)),
        })
    );
    assert_eq!(model.gateway.fallback, Some(Fallback { on: AnswerSet::any(), max: 5 }));
    assert_eq!(model.gateway.hedge, Some(Hedge { after: millis(500), max: some(2) }));
}

#[test]
fn what_retries_default_to_and_choose_from() {
    let retry = |more: &str| {
        let text = format!("retry = {{ attempts = 1, on = [\"any\"]{more} }}\nfallback = {{}}");
        let gateway = gateway_with(&text);
        assert_eq!(gateway.fallback, Some(Fallback { on: AnswerSet::any(), max: 1000 }));
        gateway.retry.expect("retries")
    };
    let plain = retry("");
    assert_eq!((plain.to, plain.retry_after, plain.budget), (RetryTo::Same, None, None));
    assert_eq!((plain.backoff.base, plain.backoff.jitter), (SimDuration::ZERO, Jitter::None));
    for (word, to) in
        [("any", RetryTo::Any), ("other", RetryTo::Other), ("same", RetryTo::Same), ("start", RetryTo::Start)]
    {
        assert_eq!(retry(&format!(", to = \"{word}\"")).to, to);
    }
    for (word, jitter) in [
        ("none", Jitter::None),
        ("full", Jitter::Full),
        ("equal", Jitter::Equal),
        ("decorrelated", Jitter::Decorrelated),
    ] {
        assert_eq!(retry(&format!(", delay = \"0s\", jitter = \"{word}\"")).backoff.jitter, jitter);
    }
    for (word, growth) in [("constant", BackoffGrowth::Constant), ("linear", BackoffGrowth::Linear)] {
        assert_eq!(retry(&format!(", delay = \"0s\", growth = \"{word}\"")).backoff.growth, growth);
    }
    let tokens = Tokens {
        max: 10.0,
        per_retry: 2.0,
        per_timeout_retry: 2.0,
        per_failure: 0.0,
        per_success: 0.0,
        refunds: false,
        keeps: 0.0,
    };
    for (text, budget) in [
        ("{ concurrent = 3 }", Budget::Concurrent(3)),
        ("{ concurrent_share = { share = 0.2, min = 5 } }", Budget::ConcurrentShare { share: 0.2, min: 5 }),
        (
            "{ share = { share = 0.2, per_second = 10.0, ttl = \"10s\" } }",
            Budget::Share { share: 0.2, per_second: 10.0, ttl: secs(10) },
        ),
        ("{ tokens = { max = 10.0, per_retry = 2.0 } }", Budget::Tokens(tokens)),
    ] {
        assert_eq!(retry(&format!(", budget = {text}")).budget, Some(budget));
    }
}
