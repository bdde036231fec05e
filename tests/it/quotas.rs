//! How much accounts may send: by hand, request by request.

use crate::lowering::EVERYTHING;
use crate::play::{Log, model, on_path};
use failover_sim::engine::{Cause, Ending, Path, Stage};
use failover_sim::model::{Allowance, ProviderId, Quota, QuotaGrowth, QuotaWindow, RetryAfter};
use failover_sim::time::SimDuration;

#[test]
fn what_is_written_is_what_counts() {
    let of_everything = model(EVERYTHING);
    let allowance = |amount, seconds| Some(Allowance { amount, period: SimDuration::from_secs(seconds) });
    let quota = |name, provider| Quota::new(name, vec![ProviderId::new(provider)]);
    assert_eq!(
        of_everything.quotas,
        [
            Quota {
                requests: allowance(500, 60),
                tokens: allowance(30_000, 60),
                window: QuotaWindow::TokenBucket { burst: Some(SimDuration::from_secs(10)) },
                growth: Some(QuotaGrowth {
                    factor: 3.0,
                    over: SimDuration::from_secs(600),
                    every: SimDuration::from_secs(10)
                }),
                answer: 529,
                retry_after: RetryAfter::After(SimDuration::from_secs(20)),
                counts_refused: true,
                probes: false,
                ..quota("bucket", 0)
            },
            Quota {
                requests: allowance(14_400, 86_400),
                window: QuotaWindow::Calendar { start: SimDuration::from_secs(8 * 3600) },
                retry_after: RetryAfter::Never,
                ..quota("day", 1)
            },
            Quota { tokens: allowance(6_000, 60), window: QuotaWindow::Fixed, ..quota("minute", 1) },
        ]
    );
    let without_clock = r#"
        duration = "1m"
        traffic.arrivals = { constant = "1/s" }
        provider.a = { latency = { constant = "0s" } }
        quota.day = { on = { name = "a" }, requests = "14400/day", window = "calendar" }
    "#;
    let [day] = model(without_clock).quotas.try_into().expect("one quota");
    assert_eq!(day.window, QuotaWindow::Calendar { start: SimDuration::ZERO });
}

/// What becomes of evenly spaced requests at a provider that takes no time, with this quota: `.` for an answer, `x` for
/// what is turned away.
fn fares(arrivals: &str, seconds: u32, quota: &str, more: &str) -> String {
    let toml = format!(
        r#"
        duration = "{seconds}s"
        traffic.arrivals = {{ constant = "{arrivals}/s" }}
        provider.a = {{ latency = {{ constant = "0s" }} }}
        [quota.q]
        on = {{ name = "a" }}
        {quota}
        {more}
        "#
    );
    let mut requests = Log::of(&toml, 0).requests;
    requests.sort_by_key(|request| request.ordinal);
    let fare = |ending| match ending {
        Ending::Succeeded => '.',
        Ending::Failed(Cause::Status, Stage::OverQuota) => 'x',
        other => panic!("{other:?}"),
    };
    requests.iter().map(|request| fare(request.ending)).collect()
}

/// Five in it, and half of one comes between two requests: the ninth finds exactly one, then every other one does.
#[test]
fn a_bucket_is_full_at_first_and_has_one_at_the_very_instant() {
    assert_eq!(fares("10", 2, "requests = \"5/s\"", ""), ".........x.x.x.x.x.x");
    // It holds no more for having been left alone.
    assert_eq!(fares("10", 2, "requests = \"300/min\"\nburst = \"1s\"", ""), ".........x.x.x.x.x.x");
    // One at a time.
    assert_eq!(fares("10", 2, "requests = \"300/min\"\nburst = \"200ms\"", ""), ".x.x.x.x.x.x.x.x.x.x");
}

#[test]
fn what_is_turned_away_may_take_what_is_left() {
    let bucket = "requests = \"1/s\"\n";
    assert_eq!(fares("2", 4, bucket, ""), ".x.x.x.x");
    assert_eq!(fares("2", 4, &format!("{bucket}counts_refused = true"), ""), ".xxxxxxx");
}

/// From the first request on, or at full minutes: 02:40:58 is two seconds before one.
#[test]
fn periods_begin_with_a_call_or_with_the_clock() {
    let fixed = "requests = \"3/min\"\nwindow = \"fixed\"";
    let long =
        |answered: usize, all: usize| format!("{}{}", ".".repeat(answered), "x".repeat(all - answered));
    assert_eq!(fares("1", 122, fixed, ""), format!("{0}{0}..", long(3, 60)));
    let calendar = "requests = \"3/min\"\nwindow = \"calendar\"";
    assert_eq!(fares("1", 122, calendar, ""), format!("{0}{0}..", long(3, 60)));
    let toml = format!(
        r#"
        clock = "02:40:58"
        duration = "62s"
        traffic = {{ arrivals = {{ constant = "1/s" }} }}
        provider.a = {{ latency = {{ constant = "0s" }} }}
        quota.q = {{ on = {{ name = "a" }}, {} }}
        "#,
        calendar.replace('\n', ", ")
    );
    let answered = |toml: &str| -> Vec<u64> {
        let requests = Log::of(toml, 0).requests;
        let good = requests.iter().filter(|request| request.ending == Ending::Succeeded);
        good.map(|request| request.ordinal).collect()
    };
    // Five within five seconds, across the boundary.
    assert_eq!(answered(&toml), [0, 1, 2, 3, 4]);
    assert_eq!(answered(&toml.replace("02:40:58", "02:40:00")), [0, 1, 2, 60, 61]);
}

/// What is reached first turns away; what asks for more than there can be is turned away for good.
#[test]
fn tokens_count_beside_requests() {
    let class = |tokens| {
        format!(
            "[traffic.class.c]\ninput_tokens = {{ constant = 40 }}\noutput_tokens = {{ constant = {tokens} }}"
        )
    };
    let both = "requests = \"6/min\"\ntokens = \"500/min\"\nwindow = \"fixed\"";
    assert_eq!(fares("1", 8, both, &class(60)), ".....xxx");
    assert_eq!(fares("1", 8, both, &class(10)), "......xx");
    assert_eq!(fares("1", 8, both, &class(461)), "xxxxxxxx");
}

#[test]
fn providers_of_an_account_share_its_quota() {
    let toml = r#"
        duration = "10s"
        traffic = { arrivals = { constant = "1/s" } }
        [provider.a]
        latency = { constant = "0s" }
        labels = { account = "acme" }
        [provider.b]
        latency = { constant = "0s" }
        labels = { account = "acme" }
        [provider.c]
        latency = { constant = "0s" }
        labels = { account = "other" }
        [gateway]
        route = { round_robin = ["a", "b", "c"] }
        [quota.q]
        on = { account = "acme" }
        requests = "3/min"
        window = "fixed"
    "#;
    let mut requests = Log::of(toml, 0).requests;
    requests.sort_by_key(|request| request.ordinal);
    let fares = requests.iter().map(|r| (r.provider.unwrap().index(), r.status));
    let turned_away = Some(429);
    assert_eq!(
        fares.collect::<Vec<_>>(),
        [
            (0, None),
            (1, None),
            (2, None),
            (0, None),
            (1, turned_away),
            (2, None),
            (0, turned_away),
            (1, turned_away),
            (2, None),
            (0, turned_away),
        ]
    );
}

/// A probe every second of each of two replicas takes two of three requests a second; without them all three are left.
#[test]
fn probes_of_each_replica_take_their_part() {
    let toml = |quota: &str| {
        format!(
            r#"
            duration = "10s"
            traffic = {{ arrivals = {{ constant = "3/s" }} }}
            provider.a = {{ latency = {{ constant = "0s" }} }}
            [quota.q]
            on = {{ name = "a" }}
            requests = "4/s"
            window = "calendar"
            {quota}
            [gateway]
            replicas = 2
            all_ejected = "ignore_health"
            health_check = {{ interval = "1s", timeout = "1s", first_probe = {{ at = "0s" }}, latency = {{ constant = "0s" }} }}
            "#
        )
    };
    // Probes come before requests of the same instant, so theirs is never missing.
    let log = Log::of(&toml(""), 0);
    assert_eq!((log.failed(), log.probes.iter().filter(|probe| !probe.passed).count()), (10, 0));
    assert_eq!(Log::of(&toml("probes = false"), 0).failed(), 0);
    // And where there is nothing left, they fail.
    let log = Log::of(&toml("").replace("\"4/s\"", "\"1/s\""), 0);
    assert_eq!(log.probes.iter().filter(|probe| !probe.passed).count(), 10);
}

/// One a minute from the first request on. The second one, a second later, is told to wait 59 s and is answered then; the third
/// is told 58 s, comes at the same instant and finds that one taken: a minute more.
#[test]
fn retry_after_says_when_there_is_room() {
    let play = |retry_after: &str| {
        let toml = format!(
            r#"
            duration = "3s"
            traffic = {{ arrivals = {{ constant = "1/s" }} }}
            provider.a = {{ latency = {{ constant = "0s" }} }}
            [quota.q]
            on = {{ name = "a" }}
            requests = "1/min"
            window = "fixed"
            {retry_after}
            [gateway]
            retry = {{ attempts = 2, on = [429], delay = "10s", retry_after = "5m" }}
            "#
        );
        let mut requests = Log::of(&toml, 0).requests;
        requests.sort_by_key(|request| request.ordinal);
        let end = |r: &failover_sim::engine::RequestEnd| (r.ended.as_millis_f64() / 1e3, r.attempts);
        requests.iter().map(end).collect::<Vec<_>>()
    };
    assert_eq!(play(""), [(0.5, 1), (60.5, 2), (120.5, 3)]);
    assert_eq!(play("retry_after = { after = \"29s\" }"), [(0.5, 1), (59.5, 3), (60.5, 3)]);
    assert_eq!(play("retry_after = \"never\""), [(0.5, 1), (21.5, 3), (22.5, 3)]);
}

/// Periods of a second that begin with the ticks: what is served in each is what the rule of growth says of those before.
#[test]
fn a_limit_grows_with_what_is_served() {
    let toml = r#"
        duration = "60s"
        traffic = { arrivals = { constant = "100/s" } }
        provider.a = { latency = { constant = "0s" } }
        [quota.q]
        on = { name = "a" }
        requests = "10/s"
        window = "calendar"
        growth = { factor = 2.0, over = "10s", every = "1s" }
    "#;
    let outcome = on_path(&model(toml), Path::Plain, 1, 0);
    let served: Vec<u32> =
        outcome.series.iter().flatten().map(|s| s.request_count.unwrap() - s.failed_count).collect();
    let mut expected: Vec<u32> = vec![];
    for second in 0..60_usize {
        let of_late: u32 = expected[second.saturating_sub(10)..].iter().sum();
        expected.push((2 * of_late / 10).clamp(10, 100));
    }
    assert_eq!(served, expected);
    assert_eq!((served[5], served[6], served[10], served[59]), (10, 12, 24, 100));
}

/// It falls back to what is written when traffic stays away, and answers count when they come.
#[test]
fn growth_forgets_and_waits_for_answers() {
    let toml = r#"
        duration = "40s"
        traffic = { arrivals = { constant = "20/s" } }
        provider.a = { latency = { constant = "5s" } }
        provider.b = { latency = { constant = "0s" } }
        gateway.route = { prefer = ["a", "b"] }
        operator.off = { at = "20s", avoid = ["a"] }
        [quota.q]
        on = { name = "a" }
        requests = "4/s"
        window = "calendar"
        growth = { factor = 3.0, over = "2s", every = "1s" }
    "#;
    let outcome = on_path(&model(toml), Path::Plain, 1, 0);
    let failed: Vec<u32> = outcome.series.iter().flatten().map(|s| s.failed_count).collect();
    // 4 a second for 5 s, and 4 in the sixth: their answers, from 5 s on, make 3 x 4 / 2 = 6, then 12.
    assert_eq!(failed[..8], [16, 16, 16, 16, 16, 16, 14, 8]);
    assert_eq!(failed[20..], [0; 20]);
}

/// A fallback's account takes ten a second, a third of what the first choice gets. Nothing is lost until that one dies;
/// then what its backup cannot take is lost, and one can see it.
#[test]
fn a_stampede_on_a_backup_shows() {
    let toml = |fault: &str, gateway: &str| {
        format!(
            r#"
            duration = "60s"
            traffic = {{ arrivals = {{ constant = "30/s" }} }}
            provider.a = {{ latency = {{ constant = "10ms" }} }}
            provider.b = {{ latency = {{ constant = "10ms" }} }}
            quota.b = {{ on = {{ name = "b" }}, requests = "10/s", burst = "100ms", probes = false }}
            {fault}
            [gateway]
            route = {{ prefer = ["a", "b"] }}
            {gateway}
            "#
        )
    };
    let dies = "[fault.f]\non = { name = \"a\" }\nat = \"20s\"\nlasts = \"20s\"";
    let probes = "health_check = { interval = \"1s\", timeout = \"1s\", first_probe = { at = \"0s\" }, latency = { constant = \"0s\" } }";
    let lost = |fault, gateway| on_path(&model(&toml(fault, gateway)), Path::Plain, 1, 0).failures;
    for gateway in ["fallback = {}", probes] {
        assert_eq!(lost("", gateway).total(), 0, "{gateway}");
        let failures = lost(dies, gateway);
        assert_eq!(failures.of_stage(Stage::BackupOverQuota), failures.total(), "{gateway}");
        assert!((380..=430).contains(&failures.total()), "{gateway}: {failures:?}");
    }
    // Where the same provider is the first choice, it is that one's own quota.
    let own = toml("", "").replace("[\"a\", \"b\"]", "[\"b\"]");
    let failures = on_path(&model(&own), Path::Plain, 1, 0).failures;
    assert_eq!((failures.of_stage(Stage::OverQuota), failures.total()), (1_200, 1_200));
    // Nor does a retry there make another one of it.
    let again = toml("", "retry = { attempts = 1, on = [429] }").replace("[\"a\", \"b\"]", "[\"b\"]");
    let failures = on_path(&model(&again), Path::Plain, 1, 0).failures;
    assert_eq!(failures.of_stage(Stage::BackupOverQuota), 0);
    let again = toml(dies, "retry = { attempts = 1, on = [429] }\nfallback = {}");
    let failures = on_path(&model(&again), Path::Plain, 1, 0).failures;
    assert_eq!(failures.of_stage(Stage::BackupOverQuota), failures.total());
}
