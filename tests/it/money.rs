//! What runs cost, beside sums done by hand.

use crate::play::model;
use failover_sim::engine::{CallKind, Usage};
use failover_sim::metrics::{Outcome, Wanted, measure, metric};

/// Three requests, half a second after each second, of 1000 tokens in and 200 out; a healthy provider answers at once, or
/// so.
fn three(more: &str) -> Outcome {
    let toml = format!(
        r#"
        duration = "3s"
        traffic.arrivals.constant = "1/s"
        traffic.class.chat = {{ input_tokens = {{ constant = 1000 }}, output_tokens = {{ constant = 200 }} }}
        provider.a.price = {{ input = 2.5, output = 10.0 }}
        provider.b.price = {{ input = 3.0, output = 15.0 }}
        provider.b.latency.constant = "100ms"
        gateway.route.prefer = ["a", "b"]
        {more}
        "#
    );
    measure(&model(&toml), 1, 0, Wanted::METRICS, None)
}

#[track_caller]
fn assert_costs(outcome: &Outcome, expected: &[(&str, f64)]) {
    for (name, expected) in expected {
        let found = metric(name).expect(name).of(outcome).expect(name);
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{name} is {found}, not {expected}");
    }
}

fn value(outcome: &Outcome, name: &str) -> Option<f64> {
    metric(name).expect(name).of(outcome)
}

fn usage(outcome: &Outcome, kind: CallKind) -> [u64; 3] {
    let Usage { calls, input_tokens, output_tokens, .. } = outcome.bill.expect("prices").usage[kind as usize];
    [calls, input_tokens, output_tokens]
}

const QUICK: &str = "provider.a.latency.constant = \"100ms\"\n";

#[test]
fn three_answers_cost_their_tokens() {
    let outcome = three(QUICK);
    // 1000 x 2.50 + 200 x 10 in a million, three times.
    assert_costs(
        &outcome,
        &[
            ("cost_usd", 0.0135),
            ("cost_per_1k_usd", 4.5),
            ("cost_wasted_usd", 0.0),
            ("cost_probe_usd", 0.0),
            ("cost_fee_usd", 0.0),
            ("input_token_count", 3000.0),
            ("output_token_count", 600.0),
        ],
    );
    assert_eq!(value(&outcome, "cost_lost_business_usd"), None);
}

#[test]
fn a_gateway_adds_a_markup_a_fee_for_each_request_and_its_share_of_the_month() {
    let fee = "gateway.fee = { markup = 0.1, request = 0.001, month = 49.0 }\n";
    let month = 49.0 * 3.0 / (30.0 * 86_400.0);
    let outcome = three(&format!("{QUICK}{fee}"));
    assert_costs(
        &outcome,
        &[("cost_fee_usd", 0.00135 + 0.003 + month), ("cost_usd", 0.0135 + 0.00435 + month)],
    );
    // Requests that fail have been handled, too.
    let failed = three(&format!("{QUICK}{fee}{BROKEN}"));
    assert_costs(&failed, &[("cost_fee_usd", 0.003 + month), ("cost_usd", 0.003 + month)]);
    assert_eq!(value(&failed, "cost_per_1k_usd"), None, "none succeeded");
}

const BROKEN: &str =
    "fault.f = { on = { name = \"a\" }, at = \"0s\", lasts = \"10s\", requests = { status = 500 } }\n";

#[test]
fn failed_requests_cost_business() {
    let outcome = three(&format!("{QUICK}{BROKEN}cost.failed_request = 0.05\n"));
    assert_costs(&outcome, &[("cost_lost_business_usd", 0.15), ("cost_usd", 0.15)]);
}

/// OpenRouter's zero completion insurance is the default: what fails without a token costs nothing.
#[test]
fn a_failed_attempt_costs_what_its_provider_says_and_the_fallback_comes_on_top() {
    let fallback = format!("{QUICK}{BROKEN}gateway.fallback = {{}}\n");
    let of_b = 3.0 * (1000.0 * 3.0 + 200.0 * 15.0) / 1e6;
    let outcome = three(&fallback);
    assert_costs(&outcome, &[("cost_usd", of_b), ("cost_wasted_usd", 0.0)]);
    assert_eq!(usage(&outcome, CallKind::Failed), [0; 3]);

    let outcome = three(&format!("{fallback}provider.a.billing.errors = \"input\"\n"));
    assert_costs(&outcome, &[("cost_usd", of_b + 0.0075), ("cost_wasted_usd", 0.0075)]);
    assert_eq!(usage(&outcome, CallKind::Failed), [3, 3000, 0]);

    // Two retries at the same provider are billed one by one.
    let retry = "gateway.retry = { attempts = 2, on = [500], delay = \"1ms\", to = \"same\" }\n";
    let outcome = three(&format!("{fallback}{retry}provider.a.billing.errors = \"all\"\n"));
    assert_eq!(usage(&outcome, CallKind::Failed), [9, 9000, 1800]);
    assert_costs(&outcome, &[("cost_wasted_usd", 3.0 * 0.0135)]);
}

#[test]
fn what_refuses_a_connection_charges_nothing() {
    let refused = BROKEN.replace("{ status = 500 }", "\"refuse\"");
    let outcome = three(&format!("{QUICK}{refused}provider.a.billing.errors = \"all\"\n"));
    assert_costs(&outcome, &[("cost_usd", 0.0), ("input_token_count", 0.0)]);
}

/// The first token after 100 ms, the last after 1 s.
const SLOW: &str = "provider.a.latency.constant = \"1s\"\nprovider.a.first_token = 0.1\n";

#[test]
fn a_parallel_attempt_that_loses_runs_on_or_is_stopped() {
    // The second attempt is sent after 50 ms and has its answer after 150.
    let hedged = format!("{SLOW}gateway.hedge.after = \"50ms\"\n");
    let of_b = 3.0 * (1000.0 * 3.0 + 200.0 * 15.0) / 1e6;
    let outcome = three(&hedged);
    assert_eq!(usage(&outcome, CallKind::Answered), [3, 3000, 600]);
    assert_eq!(usage(&outcome, CallKind::Abandoned), [3, 3000, 600]);
    assert_costs(&outcome, &[("cost_usd", of_b + 0.0135), ("cost_wasted_usd", 0.0135)]);
    // In 50 of the 900 ms after the first token come 11 of the other 199.
    let outcome = three(&format!("{hedged}provider.a.billing.abandoned = \"delivered\"\n"));
    assert_eq!(usage(&outcome, CallKind::Abandoned), [3, 3000, 36]);
}

#[test]
fn an_answer_that_comes_too_late_is_paid_for() {
    for (patience, delivered) in [("50ms", [0, 0, 0]), ("100ms", [3, 3000, 3]), ("550ms", [3, 3000, 300])] {
        let late = format!("{SLOW}traffic.client_timeout = \"{patience}\"\n");
        let outcome = three(&late);
        assert_eq!(usage(&outcome, CallKind::Abandoned), [3, 3000, 600], "{patience}");
        assert_eq!(value(&outcome, "cost_per_1k_usd"), None);
        let outcome = three(&format!("{late}provider.a.billing.abandoned = \"delivered\"\n"));
        assert_eq!(usage(&outcome, CallKind::Abandoned), delivered, "{patience}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_paid_for_as_far_as_it_came() {
    for (effect, expected) in [
        // After 550 ms: half of the time after the first token.
        ("{ cut = 0.55 }", [3, 3000, 300]),
        ("{ truncate = 0.55 }", [3, 3000, 300]),
        ("{ stall = 0.55 }", [3, 3000, 300]),
        ("{ cut = 0.05 }", [0; 3]),
    ] {
        let fault = BROKEN.replace("{ status = 500 }", effect);
        let outcome = three(&format!("{SLOW}{fault}gateway.timeouts.idle = \"100ms\"\n"));
        assert_eq!(usage(&outcome, CallKind::Failed), expected, "{effect}");
    }
}

/// A health check with tokens, from each replica and each observer to each provider.
#[test]
fn probes_are_paid_for_by_replica() {
    let check = "gateway.health_check = { interval = \"1s\", timeout = \"1s\", first_probe.at = \"0s\"";
    let of_one = |replicas: u32| {
        let tokens = "tokens = { input = 10, output = 1 } }\n";
        three(&format!("{QUICK}{check}, {tokens}gateway.replicas = {replicas}\n"))
    };
    // At 0, 1 and 2 s; 10 x 2.50 + 1 x 10 at one provider, 10 x 3 + 1 x 15 at the other.
    let three_of_each = 3.0 * (35.0 + 45.0) / 1e6;
    let alone = of_one(1);
    assert_eq!(usage(&alone, CallKind::Probe), [6, 60, 6]);
    assert_costs(
        &alone,
        &[
            ("cost_probe_usd", three_of_each),
            ("cost_probe_usd_per_day", three_of_each * 86_400.0 / 3.0),
            ("cost_usd", 0.0135 + three_of_each),
        ],
    );
    let ten = of_one(10);
    assert_costs(&ten, &[("cost_probe_usd", 10.0 * three_of_each), ("cost_wasted_usd", 0.0)]);
    // Without tokens a probe is no call to a model.
    assert_costs(&three(&format!("{QUICK}{check} }}\n")), &[("cost_probe_usd", 0.0), ("cost_usd", 0.0135)]);
}

#[test]
fn where_a_price_is_missing_nothing_is_known() {
    let without = |from: &str| {
        let toml = r#"
            duration = "3s"
            traffic.arrivals.constant = "1/s"
            traffic.class.chat.output_tokens.constant = 200
            provider.a = { latency.constant = "1s", price.output = 10.0 }
            provider.b = { latency.constant = "1s", price.request = 0.01 }
            gateway.route.prefer = ["a", "b"]
            cost.failed_request = 1.0
            "#;
        assert!(toml.contains(from), "{from}");
        let outcome = measure(&model(&toml.replace(from, "")), 1, 0, Wanted::METRICS, None);
        (value(&outcome, "cost_usd"), value(&outcome, "output_token_count"))
    };
    assert!(without("cost.failed_request = 1.0").0.is_some());
    assert_eq!(without(", price.request = 0.01"), (None, None));
    assert_eq!(without("traffic.class.chat.output_tokens.constant = 200"), (None, None));
}

#[test]
fn what_charges_for_calls_alone_needs_no_tokens() {
    let toml = r#"
        duration = "3s"
        traffic.arrivals.constant = "1/s"
        provider.a = { latency.constant = "1s", price.request = 0.01 }
        "#;
    assert_costs(&measure(&model(toml), 1, 0, Wanted::METRICS, None), &[("cost_usd", 0.03)]);
}
