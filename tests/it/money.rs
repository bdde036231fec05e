//! What runs cost, beside sums done by hand.

use crate::play::{Log, model};
use failover_sim::engine::{CallKind, Usage, simulate};
use failover_sim::metrics::{Outcome, Wanted, measure, metric};
use failover_sim::model::Model;
use failover_sim::scenario::Loader;
use std::path::Path;

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
    let without = |take: fn(&mut Model)| {
        let toml = r#"
            duration = "3s"
            traffic.arrivals.constant = "1/s"
            traffic.class.chat.output_tokens.constant = 200
            provider.a = { latency.constant = "1s", price.output = 10.0 }
            provider.b = { latency.constant = "1s", price.request = 0.01 }
            gateway.route.prefer = ["a", "b"]
            cost.failed_request = 1.0
            "#;
        // Written like this in one file it would be refused; parts bring prices along.
        let mut model = model(toml);
        take(&mut model);
        let outcome = measure(&model, 1, 0, Wanted::METRICS, None);
        (value(&outcome, "cost_usd"), value(&outcome, "output_token_count"))
    };
    assert!(without(|model| model.failed_request_cost = None).0.is_some());
    assert_eq!(without(|model| model.providers[1].price = None), (None, None));
    assert_eq!(without(|model| model.traffic.classes.clear()), (None, None));
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

/// One conversation with a turn each second, whose provider fails from its third to its fourth.
#[test]
fn a_switch_costs_the_prompts_that_lay_in_the_cache() {
    let toml = r#"
        duration = "6s"
        [traffic]
        arrivals.constant = "1/s"
        conversations = 1
        class.chat = { input_tokens.constant = 1000, cached_share = 0.5 }
        [provider.a]
        latency.constant = "100ms"
        price = { input = 2.0, cached_input = 0.2 }
        prompt_cache = "5m"
        [provider.b]
        latency.constant = "100ms"
        price = { input = 3.0, cached_input = 0.3 }
        prompt_cache = "5m"
        [fault.f]
        on.name = "a"
        at = "2s"
        lasts = "2s"
        [gateway]
        route.prefer = ["a", "b"]
        fallback = {}
        "#;
    let outcome = measure(&model(toml), 1, 0, Wanted::METRICS, None);
    // At `a`: a first turn and one from its cache; at `b`: one whose prompt was left behind, and one from its cache; and
    // the same again at `a`.
    let at_a = 0.002 + 0.0011 + (0.002 + 0.0011);
    let at_b = 0.003 + 0.00165;
    assert_costs(
        &outcome,
        &[("cost_usd", at_a + at_b), ("cost_cache_loss_usd", (500.0 * 2.7 + 500.0 * 1.8) / 1e6)],
    );
    let answered = outcome.bill.expect("prices").usage[CallKind::Answered as usize];
    let Usage { input_tokens, cached_tokens, lost_cache_tokens, .. } = answered;
    assert_eq!((input_tokens, cached_tokens, lost_cache_tokens), (6000, 1500, 1000));
    // What has left the cache before the next turn is lost to nobody's switch.
    let short = toml.replace("5m", "800ms");
    let outcome = measure(&model(&short), 1, 0, Wanted::METRICS, None);
    assert_costs(&outcome, &[("cost_usd", 4.0 * 0.002 + 2.0 * 0.003), ("cost_cache_loss_usd", 0.0)]);
}

/// The providers of the story, and how many of three requests each gets.
fn routed(limit: &str, more: &str) -> [u64; 3] {
    let toml = format!(
        r#"
        duration = "3s"
        traffic.arrivals.constant = "1/s"
        traffic.class.chat.output_tokens.constant = 100
        provider.a_sonnet = {{ latency.constant = "2s", price = {{ input = 3.0, output = 15.0 }} }}
        provider.b_gpt4o = {{ latency.constant = "1s", price = {{ input = 2.5, output = 10.0 }} }}
        provider.c_haiku = {{ latency.constant = "3s", price = {{ input = 0.8, output = 4.0 }} }}
        gateway.route.cost_minimization = {{ fallback_order = ["a_sonnet", "b_gpt4o", "c_haiku"], {limit} }}
        {more}
        "#
    );
    let mut log = Log::default();
    simulate(&model(&toml), 1, 0, &mut log);
    let of = |index| log.sent.iter().filter(|(_, provider, _)| provider.index() == index).count() as u64;
    [of(0), of(1), of(2)]
}

#[test]
fn the_cheapest_within_its_limits_gets_a_request_and_else_the_first_that_can() {
    assert_eq!(routed("", ""), [0, 0, 3]);
    let quick = "traffic.class.chat.max_latency = \"2s\"\n";
    assert_eq!(routed("", quick), [0, 3, 0], "two seconds are within two seconds, and GPT-4o is cheaper");
    // Without GPT-4o the story's own limit keeps Sonnet out, whose answers cost 0.015 for a thousand tokens; then nobody
    // is within the limits, and Sonnet comes first.
    let fault = "fault.f = { on = { name = \"b_gpt4o\" }, at = \"0s\", lasts = \"9s\", in_flight = \"fail\" }
        gateway.detector.d = { consecutive = 1, eject_for = \"1h\" }\n";
    assert_eq!(routed("max_cost_per_1k = 0.012", fault), [0, 0, 3]);
    assert_eq!(routed("max_cost_per_1k = 0.012", &format!("{quick}{fault}")), [2, 1, 0]);
    // A price that is equal is within the limit; below all of them the first one is taken.
    assert_eq!(routed("max_cost_per_1k = 0.004", ""), [0, 0, 3]);
    assert_eq!(routed("max_cost_per_1k = 0.0039", ""), [3, 0, 0]);
    assert_eq!(routed("max_cost_per_1k = 0.0008, price = \"input\"", ""), [0, 0, 3]);
    assert_eq!(routed("max_cost_per_1k = 0.0039, price = \"blended\"", ""), [3, 0, 0]);
}

/// The experiment's saving, beside the arithmetic of 1 - (1 + markup) (0.7 + 0.3 h).
#[test]
fn the_storys_saving_is_what_its_prices_say() {
    let per_1k = |name: &str, settings: &[String]| {
        let path = format!("experiments/06_cost_routing/{name}.toml");
        let mut document =
            Loader::new().open(Path::new(&path)).unwrap_or_else(|p| panic!("{}", p.render(false)));
        for setting in settings {
            document.set_text(setting).unwrap_or_else(|p| panic!("{}", p.render(false)));
        }
        let model = document.model().unwrap_or_else(|p| panic!("{}", p.render(false)));
        value(&measure(&model, 1, 0, Wanted::COUNTS, None), "cost_per_1k_usd").expect("a cost")
    };
    // In percent: without a markup, and net of 10%.
    for (input, plain, net) in [(0, 18.0, 9.8), (200, 18.5, 10.3), (600, 19.0, 10.9), (14_600, 20.3, 12.3)] {
        let tokens =
            ["quick", "patient"].map(|class| format!("traffic.class.{class}.input_tokens.constant={input}"));
        let direct = per_1k("direct", &tokens);
        for (markup, expected) in [("0", plain), ("0.1", net)] {
            let markup = [&tokens[..], &[format!("gateway.fee.markup={markup}")]].concat();
            let saving = 100.0 * (1.0 - per_1k("routed", &markup) / direct);
            // Four standard errors of the share of 100,000 requests that may wait, and half a digit.
            assert!((saving - expected).abs() < 0.4 + 0.05, "{input}: {saving} is not {expected}");
        }
    }
}

/// One answer at a time, the last who came first: the client of the second gives up before its turn.
#[test]
fn work_that_nobody_waits_for_any_more_is_paid_for_when_its_turn_comes() {
    let queue = |abandoned: &str| {
        let toml = format!(
            r#"
            duration = "3s"
            traffic.arrivals.constant = "1/s"
            traffic.client_timeout = "2s"
            traffic.class.chat = {{ input_tokens.constant = 1000, output_tokens.constant = 200 }}
            [provider.a]
            latency.constant = "1900ms"
            price = {{ input = 2.5, output = 10.0 }}
            capacity = {{ slots = 1, discipline = "lifo", abandoned = "{abandoned}" }}
            billing.errors = "all"
            "#
        );
        let outcome = measure(&model(&toml), 1, 0, Wanted::METRICS, None);
        let usage = |kind| usage(&outcome, kind)[0];
        (outcome.succeeded_count, usage(CallKind::Answered), usage(CallKind::Abandoned))
    };
    // Sent at 0.5, 1.5 and 2.5 s. The first ends at 2.4 and the second, alone in the queue, begins; it is given up at 3.5
    // and ends at 4.3, when the third begins, that is given up at 4.5.
    assert_eq!(queue("runs"), (1, 1, 2));
    assert_eq!(queue("dropped"), (1, 1, 2));
}

/// Given up before its turn comes: at a provider that is busy for longer than anybody waits.
#[test]
fn work_that_is_given_up_before_its_turn_is_paid_for_if_it_is_done() {
    let queue = |abandoned: &str| {
        let toml = format!(
            r#"
            duration = "2s"
            traffic.arrivals.constant = "1/s"
            traffic.client_timeout = "2s"
            traffic.class.chat = {{ input_tokens.constant = 1000, output_tokens.constant = 200 }}
            [provider.a]
            latency.constant = "5s"
            price = {{ input = 2.5, output = 10.0 }}
            capacity = {{ slots = 1, discipline = "lifo", abandoned = "{abandoned}" }}
            "#
        );
        usage(&measure(&model(&toml), 1, 0, Wanted::METRICS, None), CallKind::Abandoned)
    };
    assert_eq!(queue("runs"), [2, 2000, 400]);
    assert_eq!(queue("dropped"), [1, 1000, 200]);
}

/// One slot, answers of 2.2 s and clients who wait for one: nobody is answered, and whose turn comes when its client has
/// left is worked on and paid for all the same. Whoever is served first, it comes to the same.
#[test]
fn work_that_nobody_waits_for_is_paid_for_in_any_order() {
    for discipline in ["fifo", "lifo"] {
        let bill = |abandoned: &str, more: &str| {
            let capacity = format!("slots = 1, discipline = \"{discipline}\", abandoned = \"{abandoned}\"");
            let outcome = three(&format!(
                "provider.a.latency.constant = \"2200ms\"\nprovider.a.capacity = {{ {capacity}{more} }}
                provider.a.billing.errors = \"input\"\ntraffic.client_timeout = \"1s\"\n"
            ));
            assert_eq!(outcome.succeeded_count, 0);
            [usage(&outcome, CallKind::Failed), usage(&outcome, CallKind::Abandoned)]
        };
        assert_eq!(bill("runs", ""), [[0; 3], [3, 3000, 600]], "{discipline}");
        // The second request came at 1.5 s, and its client left before the slot was free at 2.7 s.
        assert_eq!(bill("dropped", ""), [[1, 1000, 0], [2, 2000, 400]], "{discipline}");
        assert_eq!(
            bill("runs", ", queue_timeout = \"1100ms\""),
            [[1, 1000, 0], [2, 2000, 400]],
            "{discipline}"
        );
    }
}

/// The slot of the first one is free when the time of the second is up: it is turned away and not worked on.
#[test]
fn who_has_waited_too_long_takes_no_slot() {
    let outcome = three(
        "provider.a.latency.constant = \"1500ms\"\nprovider.a.billing.errors = \"input\"
        provider.a.capacity = { slots = 1, discipline = \"lifo\", queue_timeout = \"500ms\" }\n",
    );
    assert_eq!(usage(&outcome, CallKind::Answered), [2, 2000, 400]);
    assert_eq!(usage(&outcome, CallKind::Failed), [1, 1000, 0]);
}

/// The second attempt of each request is answered first, and the first one is worked on later: nobody has any use for it.
#[test]
fn a_parallel_attempt_that_loses_while_it_waits_costs_what_abandoned_work_costs() {
    for discipline in ["fifo", "lifo"] {
        let outcome = three(&format!(
            "provider.a.latency.constant = \"2600ms\"\nprovider.a.billing.abandoned = \"input\"
            provider.a.capacity = {{ slots = 1, discipline = \"{discipline}\" }}\ngateway.hedge.after = \"50ms\"\n"
        ));
        assert_eq!(usage(&outcome, CallKind::Answered), [3, 3000, 600], "{discipline}");
        assert_eq!(usage(&outcome, CallKind::Abandoned), [3, 3000, 0], "{discipline}");
    }
}
