//! What real gateways were measured or read to do, as scenarios: LiteLLM's router in two versions and Portkey's breaker.
//!
//! Letters of tests are those of the measurements.

use crate::play::{Log, assert_moments, model};

/// Providers `a` and `b` that answer at once, and 15 requests a minute of which the first comes at 2 s.
fn scenario(seconds: u32, more: &str) -> String {
    format!(
        r#"
        duration = "{seconds}s"
        traffic.arrivals = {{ constant = "15/min" }}
        provider.a.latency = {{ constant = "0s" }}
        provider.b.latency = {{ constant = "0s" }}
        {more}
        "#
    )
}

fn fails(provider: &str, from: &str, lasts: &str, status: u16) -> String {
    format!(
        "[fault.{provider}{}]\non = {{ name = \"{provider}\" }}\nat = \"{from}\"\nlasts = \"{lasts}\"\nrequests = {{ status = {status} }}\nprobes = \"unaffected\"\n",
        from.replace(' ', "")
    )
}

/// The router's retries by version: after waits of 0.5, 0.5 and 1 s, or of 0.5, 1 and 2 s, each with up to 0.75 s more,
/// and one more wait after the last; at once while another deployment of the group is there.
fn litellm_retry(version: &str) -> String {
    let waits = match version {
        "1.80.0" => r#"delays = ["500ms", "500ms", "1s"]"#,
        _ => "delay = \"500ms\"\ngrowth = { exponential = 2.0 }\nmax_delay = \"8s\"",
    };
    format!(
        r#"
        [gateway.retry]
        attempts = 2
        on = ["timeout", "connection_lost", "5xx", 429]
        to = "any"
        {waits}
        jitter = {{ plus = "750ms" }}
        at_once_with_others = true
        wait_after_last = true
        "#
    )
}

/// One primary and one fallback deployment, each alone in its group.
const GROUPS: &str = r#"
    gateway.route = { prefer = ["primary", "backup"] }
    gateway.group.primary.round_robin = ["a"]
    gateway.group.backup.round_robin = ["b"]
    gateway.fallback = { on = ["any"] }
    "#;

/// One group of two deployments of which nearly everything goes to the first.
const SHUFFLE: &str = "gateway.route = { weighted = { a = 1e6, b = 1.0 } }\n";

/// `allowed_fails`, within `cooldown_time` of the first failure.
fn allowed_fails(allowed: u32, cooldown: &str) -> String {
    format!(
        r#"
        [gateway.detector.allowed_fails]
        failures = ["any"]
        count = {}
        window = {{ tumbling = {{ length = "{cooldown}", from = "first_failure" }} }}
        eject_for = "{cooldown}"
        "#,
        allowed + 1
    )
}

/// More than half of what ended in a minute has failed; no minimum, or five.
fn failure_rate(min_calls: u32) -> String {
    format!(
        r#"
        [gateway.detector.rate]
        ratio = {{ above = 0.5, min_calls = {min_calls} }}
        window = {{ tumbling = {{ length = "60s", from = "first_of_each" }} }}
        eject_for = "1h"
        spares_lone = true
        [gateway.detector.at_once]
        at_once_on = [429]
        failures = [429]
        eject_for = "1h"
        spares_lone = true
        [gateway.detector.forbidden]
        at_once_on = [401, 404]
        failures = [401, 404]
        eject_for = "1h"
        "#
    )
}

/// A: with the defaults every request pays three attempts at the primary and all waits: 3.5 s and 3 U(0, 0.75 s) in 1.109,
/// 2 s and as much in 1.80.
#[test]
fn litellm_a_defaults_never_trip() {
    for (version, waits) in [("1.80.0", 2.0), ("1.109.1", 3.5)] {
        let toml = scenario(
            1200,
            &(GROUPS.to_owned() + &litellm_retry(version) + &failure_rate(5) + &fails("a", "0s", "1h", 500)),
        );
        let log = Log::of(&toml, 0);
        assert!((0..300).all(|request| log.path(request) == "aaab"), "{version}");
        assert_eq!(log.failed(), 0);
        let took = log.durations();
        assert!(took.iter().all(|took| (waits..waits + 2.25).contains(took)), "{version}");
        assert_moments(version, &took, waits + 3.0 * 0.375, Some(3.0 * 0.75 * 0.75 / 12.0));
    }
}

/// A2, 1.109: the second failure cools the primary down, so nothing healthy is left in its group: one wait, and straight
/// to the fallback. Afterwards no request pays.
#[test]
fn litellm_a2_a_cooldown_ends_the_retries() {
    let toml = scenario(
        30,
        &(GROUPS.to_owned()
            + &litellm_retry("1.109.1")
            + &allowed_fails(1, "30s")
            + &fails("a", "0s", "1h", 500)),
    );
    let log = Log::of(&toml, 0);
    assert_eq!(log.path(0), "aab");
    let took = log.durations();
    assert!((0.5..1.25).contains(&took[0]), "{took:?}");
    assert!((1..7).all(|request| log.path(request) == "b" && took[request as usize] == 0.0));
}

/// BerriAI/litellm#40405: 33 attempts at the primary for 11 requests, and 4 for 15 with a cooldown of 30 s.
#[test]
fn litellm_attempts_at_a_dead_primary() {
    let played = |requests: u32, more: &str| {
        let more = GROUPS.to_owned() + &litellm_retry("1.109.1") + more + &fails("a", "0s", "1h", 500);
        let log = Log::of(&scenario(requests * 4, &more), 0);
        (log.requests.len(), log.attempts_at_first())
    };
    assert_eq!(played(11, ""), (11, 33));
    assert_eq!(played(15, &allowed_fails(1, "30s")), (15, 4));
}

/// A3: a lone deployment is cooled down by 1.80 and never by 1.109.
#[test]
fn litellm_a3_a_lone_deployment() {
    let attempts = |more: &str| {
        let toml = scenario(
            28,
            &("gateway.route = { prefer = [\"a\"] }\n".to_owned()
                + &allowed_fails(1, "1h")
                + more
                + &fails("a", "0s", "1h", 500)),
        );
        Log::of(&toml, 0).attempts_at_first()
    };
    assert_eq!(attempts(""), 2);
    assert_eq!(attempts("spares_lone = true\n"), 7);
}

/// B, C, E: a dead deployment beside a good one gets one attempt from 1.80, whose failure rate has no minimum, and five
/// from 1.109; one with a 429; one with a 401, even where it is alone.
#[test]
fn litellm_b_c_e_cooldown_by_rate_and_by_status() {
    let attempts = |route: &str, min_calls: u32, status: u16| {
        let toml =
            scenario(120, &(route.to_owned() + &failure_rate(min_calls) + &fails("a", "0s", "1h", status)));
        Log::of(&toml, 0).attempts_at_first()
    };
    assert_eq!(attempts(SHUFFLE, 1, 500), 1, "B, 1.80.0");
    assert_eq!(attempts(SHUFFLE, 5, 500), 5, "B, 1.109.1");
    assert_eq!(attempts(SHUFFLE, 1, 429), 1, "C, 1.80.0");
    assert_eq!(attempts(SHUFFLE, 5, 429), 1, "C, 1.109.1");
    let lone = "gateway.route = { prefer = [\"a\"] }\n";
    assert_eq!(attempts(lone, 5, 401), 1, "E");
    assert_eq!(attempts(lone, 5, 500), 30, "one deployment alone is not cooled down by rate");
}

/// The failure rate counts what was before: after s good answers of a minute it takes s + 1 failures, and the counts are
/// forgotten a minute after the first of each.
#[test]
fn litellm_failure_rates_remember_successes() {
    let failed = |from: &str| {
        let toml = scenario(180, &(SHUFFLE.to_owned() + &failure_rate(5) + &fails("a", from, "1h", 500)));
        Log::of(&toml, 0).failed()
    };
    // Good at 2, 6 and 10 s; bad at 14, 18, 22 and 26 s.
    assert_eq!(failed("12s"), 4);
    // Good from 2 to 50 s: 13. At 62 s, a minute after the first of them, they are forgotten: of five that
    // count, those at 54, 58, 62, 66 and 70 s, all are bad.
    assert_eq!(failed("52s"), 5);
}

/// Successes and failures are forgotten each a minute after their own first one. Failures at 54 and 66 s, with good
/// answers from 2 s on: at 66 s those before 62 s are forgotten, and the first failure is not.
#[test]
fn litellm_counts_successes_and_failures_apart() {
    let toml = scenario(
        110,
        &(SHUFFLE.to_owned()
            + &failure_rate(1)
            + &fails("a", "53s", "4s", 500)
            + &fails("a", "65s", "4s", 500)),
    );
    assert_eq!(Log::of(&toml, 0).ejections_ms().0, [66_000.0]);
}

/// D, 1.109: when both are limited, a request tries both without a wait, and later ones fail at once.
#[test]
fn litellm_d_both_limited() {
    let toml = scenario(
        40,
        &(SHUFFLE.to_owned()
            + &litellm_retry("1.109.1")
            + &failure_rate(5)
            + &fails("a", "0s", "1h", 429)
            + &fails("b", "0s", "1h", 429)),
    );
    let log = Log::of(&toml, 0);
    assert_eq!(log.path(0), "ab");
    assert_eq!(log.sent.len(), 2);
    assert_eq!(log.durations(), [0.0; 10]);
    assert_eq!(log.failed(), 10);
}

/// F: `RateLimitErrorAllowedFails=0` cools down after one failure in 1.109; 1.80 takes 0 for unset, and 3 for its value.
#[test]
fn litellm_f_no_failure_allowed() {
    for (allowed, attempts) in [(0, 1), (3, 4)] {
        let toml = scenario(
            60,
            &(SHUFFLE.to_owned() + &allowed_fails(allowed, "1h") + &fails("a", "0s", "1h", 429)),
        );
        assert_eq!(Log::of(&toml, 0).attempts_at_first(), attempts);
    }
}

/// L: a deployment that was learned to be fast and now fails at once keeps its good score where failures are not
/// observed; where one counts as slow, the first failure moves the traffic.
#[test]
fn litellm_l_a_fast_failure_attracts() {
    let lost = |failures: &str| {
        let toml = format!(
            r#"
            duration = "60s"
            traffic.arrivals = {{ constant = "1/s" }}
            provider.a.latency = {{ constant = "100ms" }}
            provider.b.latency = {{ constant = "300ms" }}
            gateway.route = {{ lowest_latency = {{ among = ["a", "b"], last = 10, {failures} }} }}
            {}
            "#,
            fails("a", "40s", "1h", 500)
        );
        Log::of(&toml, 0).failed()
    };
    assert_eq!(lost(r#"failures = "ignored""#), 20);
    assert_eq!(lost(r#"failure_counts_as = "1000s""#), 1);
}

/// W: counters live a minute from their first event: one at 0 s and one at 50 s are gone at 61 s.
#[test]
fn litellm_w_counters_tumble() {
    let ejected = |third: &str| {
        let toml = scenario(
            120,
            &("gateway.route = { prefer = [\"a\", \"b\"] }\n".to_owned()
                + &allowed_fails(2, "60s")
                + &fails("a", "5s", "4s", 500)
                + &fails("a", "53s", "4s", 500)
                + &fails("a", third, "4s", 500)),
        );
        Log::of(&toml, 0).ejections_ms().0
    };
    // Requests come at 6 s, 54 s and 62 s, which is within a minute of the first, or 70 s, which is not.
    assert_eq!(ejected("61s"), [62_000.0]);
    assert!(ejected("69s").is_empty());
}

/// R: what fails while a deployment is cooling down does not make the cooldown longer.
#[test]
fn litellm_r_stragglers_do_not_extend_a_cooldown() {
    let toml = scenario(
        120,
        &("gateway.timeouts.attempt = \"15s\"\ngateway.route = { prefer = [\"a\", \"b\"] }\n".to_owned()
            + &allowed_fails(0, "30s")
            + "[fault.hang]\non = { name = \"a\" }\nat = \"5s\"\nlasts = \"20s\"\nrequests = \"hang\"\n"),
    );
    let log = Log::of(&toml, 0);
    // Sent at 6, 10, 14 and 18 s; the first times out at 21 s and the last at 33 s.
    assert_eq!(log.failed(), 4);
    assert_eq!(log.ejections_ms(), (vec![21_000.0], vec![51_000.0]));
}

/// Portkey 2.x's breaker: opens on so many failures within `cooldown_interval` of the first, until that is over.
fn portkey(count: u32) -> String {
    format!(
        r#"
        gateway.route = {{ prefer = ["a", "b"] }}
        [gateway.detector.cb]
        judges = "after_retries"
        failures = ["5xx"]
        ignored = ["4xx"]
        count = {count}
        window = {{ tumbling = {{ length = "30s", from = "first_failure" }} }}
        eject_for = "30s"
        eject_from = "first_failure"
        "#
    )
}

/// (b), (c): it is open for what the failures have left of the interval, and then for the full traffic at once, until the
/// whole threshold is met again.
#[test]
fn portkey_b_c_open_from_the_first_failure_without_a_trial() {
    let log = Log::of(&scenario(120, &(portkey(5) + &fails("a", "9s", "1h", 503))), 0);
    let (ejected, admitted) = log.ejections_ms();
    // Failures at 10, 14, 18, 22 and 26 s: open for 14 s, not 30. Then at 42, 46 ... s.
    assert_eq!(ejected[..3], [26_000.0, 58_000.0, 90_000.0]);
    assert_eq!(admitted[..2], [40_000.0, 72_000.0]);
    assert_eq!((ejected.len(), log.failed()), (3, 5 * 3 + 4), "106, 110, 114 and 118 s are not enough");
}

/// (a), (d), (e): the window is anchored at the first failure: successes between do not empty it, and after its end all
/// is forgotten.
#[test]
fn portkey_a_d_e_a_window_from_the_first_failure() {
    let ejected = |second: &str| {
        let more = portkey(3) + &fails("a", "9s", "8s", 503) + &fails("a", second, "4s", 503);
        Log::of(&scenario(100, &more), 0).ejections_ms()
    };
    // Failures at 10 and 14 s, and one at 38 s; the anchor is 10 s.
    assert_eq!(ejected("37s"), (vec![38_000.0], vec![40_000.0]));
    // At 42 s it is the first of another window.
    assert_eq!(ejected("41s"), (vec![], vec![]));
}

/// A 429 is neither success nor failure, and retries hide attempts: one failure for each request at a target.
#[test]
fn portkey_counts_requests_not_attempts() {
    let retry = "[gateway.retry]\nattempts = 3\non = [429, \"5xx\"]\n";
    let played = |status| {
        let log = Log::of(&scenario(40, &(portkey(5) + retry + &fails("a", "0s", "1h", status))), 0);
        (log.ejections_ms().0, log.attempts_at_first())
    };
    assert_eq!(played(503), (vec![18_000.0], 6 * 4 + 4), "open from 18 s to 32 s");
    assert_eq!(played(429).0, Vec::<f64>::new());
}

/// The percentage is over what failed and what succeeded: three answers with a 429 are neither.
#[test]
fn portkeys_percentage_leaves_out_what_is_neither() {
    let percentage = portkey(1).replace("count = 1", "ratio = { at_least = 0.9, min_calls = 5 }");
    let more = percentage
        + &fails("a", "0s", "4s", 503)
        + &fails("a", "4s", "12s", 429)
        + &fails("a", "16s", "1h", 503);
    // At 2 s, then 429s until 14 s, then at 18, 22, 26 and 30 s, which is the fifth.
    assert_eq!(Log::of(&scenario(60, &more), 0).ejections_ms().0[0], 30_000.0);
}

/// With every target open the breaker is bypassed.
#[test]
fn portkey_bypasses_a_breaker_that_is_open_everywhere() {
    let more = "gateway.all_ejected = \"ignore_health\"\n".to_owned()
        + &portkey(1)
        + &fails("a", "0s", "1h", 503)
        + &fails("b", "0s", "1h", 503);
    let log = Log::of(&scenario(20, &more), 0);
    let paths: Vec<String> = (0..5).map(|request| log.path(request)).collect();
    assert_eq!(paths, ["a", "b", "a", "a", "a"]);
    let fails_closed = Log::of(&scenario(20, &more.replace("ignore_health", "fail")), 0);
    assert_eq!(fails_closed.sent.len(), 2);
}

/// Portkey's own timeout is not in its default retry list: with it, a hang costs one timeout and goes to the fallback.
#[test]
fn portkey_does_not_retry_its_own_timeout() {
    let more = GROUPS.to_owned()
        + "gateway.timeouts.attempt = \"5s\"\n[gateway.retry]\nattempts = 2\non = [429, \"5xx\"]\ndelay = \"1s\"\ngrowth = { exponential = 2.0 }\n";
    let hang = "[fault.hang]\non = { name = \"a\" }\nat = \"0s\"\nlasts = \"1h\"\nrequests = \"hang\"\n";
    let log = Log::of_model(&model(&scenario(4, &(more.clone() + hang))), 0);
    assert_eq!((log.path(0).as_str(), log.durations()[0]), ("ab", 5.0));
    let log = Log::of_model(&model(&scenario(4, &(more + &fails("a", "0s", "1h", 503)))), 0);
    assert_eq!((log.path(0).as_str(), log.durations()[0]), ("aaab", 1.0 + 2.0));
}
