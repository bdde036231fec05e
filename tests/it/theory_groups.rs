//! Ejection in groups against closed forms: panic, outliers among hosts, limits on how many are ejected, and how passive
//! detectors and health checks act on each other.

use crate::play::{Log, assert_moments};

/// Hosts `h0`, `h1` ... in one round-robin group, of which the first `dead` answer requests as told from 10 s on.
struct Group<'a> {
    hosts: usize,
    dead: usize,
    requests: &'a str,
    rate: usize,
    gateway: &'a str,
}

impl Group<'_> {
    fn toml(&self) -> String {
        let Group { hosts, dead, requests, rate, gateway } = self;
        let host = |i: usize| {
            let role = if i < *dead { "dead" } else { "alive" };
            format!(
                "provider.h{i:02} = {{ latency = {{ constant = \"0s\" }}, labels = {{ role = \"{role}\" }} }}\n"
            )
        };
        let hosts_toml: String = (0..*hosts).map(host).collect();
        let names: Vec<String> = (0..*hosts).map(|i| format!("\"h{i:02}\"")).collect();
        let names = names.join(", ");
        format!(
            r#"
            duration = "40s"
            traffic.arrivals = {{ constant = "{rate}/s" }}
            {hosts_toml}
            [fault.outage]
            on = {{ role = "dead" }}
            at = "10s"
            lasts = "1h"
            requests = {requests}
            probes = {requests}
            [gateway]
            route = {{ round_robin = [{names}] }}
            {gateway}
            "#
        )
    }

    /// How many hosts were ever ejected.
    fn ejected(&self) -> usize {
        let log = Log::of(&self.toml(), 0);
        let mut hosts: Vec<usize> = log
            .changes
            .iter()
            .filter(|change| !change.admitted)
            .map(|change| change.provider.index())
            .collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts.len()
    }
}

const DOWN: &str = "{ status = 503 }";

/// Envoy: with a threshold of 50%, five dead of ten are left alone and nothing fails; with six dead health is ignored,
/// so 60% of requests fail as long as it lasts.
#[test]
fn c5_panic_is_below_its_threshold() {
    for (dead, panic, lost) in
        [(5, "panic_below = 0.5", 0), (6, "panic_below = 0.5", 6), (6, "", 0), (9, "", 0)]
    {
        let gateway = format!(
            r#"{panic}
            health_check = {{ interval = "2s", timeout = "1s", latency = {{ constant = "0s" }} }}"#
        );
        let group = Group { hosts: 10, dead, requests: DOWN, rate: 10, gateway: &gateway };
        let log = Log::of(&group.toml(), 0);
        let late = log.requests.iter().filter(|r| r.arrived.as_millis_f64() > 20_000.0);
        let failed = late.filter(|r| r.status.is_some()).count();
        assert_eq!(failed, 20 * lost, "{dead} dead, {panic}");
    }
}

/// Envoy, with a factor of 1.4: a tier takes 1.4 times the share of its hosts that is alive, at most all of the load,
/// and the next tier the rest. Of ten hosts two may be dead before anything spills; with four dead 84% stay.
#[test]
fn overprovisioning_spills_what_a_tier_cannot_take() {
    for dead in [1, 2, 4, 7] {
        let gateway = r#"
            overprovisioning = 1.4
            health_check = { interval = "2s", timeout = "1s", latency = { constant = "0s" } }
            group.first.round_robin = [NAMES]
            group.second.prefer = ["backup"]"#;
        let group = Group { hosts: 10, dead, requests: DOWN, rate: 50, gateway };
        let toml = group.toml();
        let names =
            toml.split_once("round_robin = [").and_then(|(_, rest)| rest.split_once(']')).expect("a route").0;
        let route = format!("route = {{ round_robin = [{names}] }}");
        let toml = (toml.replace(&route, "route = { prefer = [\"first\", \"second\"] }"))
            .replace("NAMES", names)
            .replace("[fault.outage]", "provider.backup.latency = { constant = \"0s\" }\n[fault.outage]");
        let log = Log::of(&toml, 0);
        let late = log.requests.iter().filter(|r| r.arrived.as_millis_f64() > 15_000.0);
        // In order of name `backup` is the first provider.
        let kept: Vec<f64> =
            late.map(|r| f64::from(u8::from(r.provider.is_some_and(|p| p.index() > 0)))).collect();
        let share = (1.4 * (10 - dead) as f64 / 10.0).min(1.0);
        assert_moments("spill", &kept, share, None);
    }
}

/// Success rates compared over hosts see m of N bad ones if and only if m / N < 1 / (1 + f^2).
#[test]
fn c6_too_many_bad_hosts_hide_each_other() {
    let gateway = r#"
        [gateway.detector.outlier]
        success_rate = { stdev_factor = 1.9, min_providers = 5, min_calls = 10 }
        window = { tumbling = { length = "10s" } }
        evaluated = { on_ticks = { every = "10s" } }
        eject_for = "1h""#;
    for (hosts, seen) in [(5, 1), (10, 2), (20, 4)] {
        for dead in [seen, seen + 1] {
            let group = Group { hosts, dead, requests: DOWN, rate: 2 * hosts, gateway };
            let expected = if dead == seen { dead } else { 0 };
            assert_eq!(group.ejected(), expected, "{dead} of {hosts}");
        }
    }
}

/// Envoy's default of 10% with the next one counted ejects nothing among nine hosts, and one among ten; gRPC's, without
/// it, always ejects one.
#[test]
fn a_limit_on_ejected_hosts() {
    for (hosts, rule, ejected) in [
        (9, "with_this", 0),
        (10, "with_this", 1),
        (19, "with_this", 1),
        (20, "with_this", 2),
        (3, "before_this", 1),
        (9, "before_this", 1),
        (10, "before_this", 1),
        (11, "before_this", 2),
    ] {
        let gateway = format!(
            r#"
            [gateway.detector.outlier]
            consecutive = 3
            max_ejected = {{ share = 0.1, rule = "{rule}" }}
            eject_for = "1h""#
        );
        let group = Group { hosts, dead: hosts, requests: DOWN, rate: hosts, gateway: &gateway };
        assert_eq!(group.ejected(), ejected, "{hosts} {rule}");
    }
}

/// A grey failure: requests to `a` fail from 10 s on, probes pass.
fn grey(rate: &str, gateway: &str) -> Log {
    let toml = format!(
        r#"
        duration = "60s"
        traffic.arrivals = {{ constant = "{rate}" }}
        provider.a.latency = {{ constant = "0s" }}
        provider.b.latency = {{ constant = "0s" }}
        [fault.grey]
        on = {{ name = "a" }}
        at = "10s"
        lasts = "1h"
        requests = {{ status = 503 }}
        probes = "unaffected"
        [gateway]
        route = {{ prefer = ["a", "b"] }}
        {gateway}
        "#
    );
    Log::of(&toml, 0)
}

/// HAProxy, `observe layer7` with `on-error mark-down`: the health check still passes, so the server is up again after
/// `rise` probes; it flaps with period rise x inter and loses N requests each time.
#[test]
fn haproxy_flaps_in_a_grey_failure() {
    let haproxy = |rise: u32| {
        format!(
            r#"
            [gateway.health_check]
            interval = "2s"
            timeout = "2s"
            eject_after = 3
            readmit_after = {rise}
            next_probe = "from_end"
            first_probe = {{ at = "1s" }}
            latency = {{ constant = "0s" }}
            [gateway.detector.observe]
            consecutive = 10
            on_trip = {{ health_check = "down" }}"#
        )
    };
    for rise in [2, 3] {
        let log = grey("20/s", &haproxy(rise));
        let (ejected, admitted) = log.ejections_ms();
        assert_eq!(ejected[0], 10_475.0, "the tenth failure");
        let period = f64::from(rise) * 2_000.0;
        assert!(admitted.windows(2).all(|two| two[1] - two[0] == period), "{admitted:?}");
        assert!(admitted.len() as f64 >= 48_000.0 / period - 1.0);
        assert_eq!(log.failed(), 10 * ejected.len());
    }
}

/// The other ways of `on-error`: `fail-check` needs `fall` times as many, `fastinter` never ejects as probes pass.
#[test]
fn haproxys_on_error_pushes_the_count() {
    let ejected_at = |action: &str, more: &str| {
        let gateway = format!(
            r#"
            [gateway.health_check]
            interval = "20s"
            timeout = "2s"
            eject_after = 3
            next_probe = "from_end"
            first_probe = {{ at = "5s" }}
            latency = {{ constant = "0s" }}
            {more}
            [gateway.detector.observe]
            consecutive = 10
            on_trip = {{ health_check = "{action}" }}"#
        );
        let log = grey("20/s", &gateway);
        let probes: Vec<f64> = (log.probes.iter())
            .filter(|probe| probe.provider.index() == 0)
            .map(|probe| probe.sent.as_millis_f64())
            .collect();
        (log.ejections_ms().0.first().copied(), probes[1])
    };
    assert_eq!(ejected_at("down", "").0, Some(10_475.0));
    assert_eq!(ejected_at("brink", "").0, Some(10_975.0));
    assert_eq!(ejected_at("fail", "").0, Some(11_475.0));
    // The next probe comes sooner than the one that was planned for 25 s.
    assert_eq!(ejected_at("hurry", "interval_falling = \"500ms\""), (None, 10_975.0));
    assert_eq!(ejected_at("hurry", ""), (None, 25_000.0), "never later");
}

/// Envoy holds back what changes within a second of the last change: the first ejection costs N requests, a re-ejection
/// right after an un-ejection all those of a second more.
#[test]
fn envoys_merge_window_delays_re_ejections() {
    let lost_per_cycle = |propagation: &str| -> Vec<usize> {
        let gateway = format!(
            r#"{propagation}
            [gateway.detector.outlier]
            consecutive = 5
            eject_for = "8s"
            evaluated = {{ on_ticks = {{ every = "10s", first = "5s" }} }}"#
        );
        let log = grey("50/s", &gateway);
        let lost_in = |from: f64| {
            let lost = log.requests.iter().filter(|r| r.status.is_some());
            lost.filter(|r| (from..from + 10_000.0).contains(&r.arrived.as_millis_f64())).count()
        };
        // Ticks come at 5, 15, 25 ... s and readmit what was ejected at 10 s.
        [5_000.0, 25_000.0, 45_000.0].map(lost_in).to_vec()
    };
    assert_eq!(lost_per_cycle(""), [5, 5, 5]);
    // The trip comes with the fifth, and 49 more arrive in less than a second after it.
    assert_eq!(lost_per_cycle(r#"propagation = { merge_window = "1s" }"#), [5, 5 + 49, 5 + 49]);
}

/// Envoy: a good active check un-ejects a host that outlier detection ejected, unless told otherwise.
#[test]
fn a_passed_probe_un_ejects() {
    let ejections = |more: &str| {
        let gateway = format!(
            r#"
            health_check = {{ interval = "4s", timeout = "1s", first_probe = {{ at = "2s" }}, latency = {{ constant = "0s" }} }}
            [gateway.detector.outlier]
            consecutive = 5
            eject_for = "30s"
            {more}"#
        );
        grey("10/s", &gateway).ejections_ms()
    };
    let (ejected, admitted) = ejections("");
    assert_eq!((ejected[0], admitted[0]), (10_450.0, 40_450.0));
    let (ejected, admitted) = ejections("readmit_on_probe = true");
    assert_eq!(admitted[..3], [14_000.0, 18_000.0, 22_000.0]);
    assert_eq!(ejected[..3], [10_450.0, 14_450.0, 18_450.0]);
}

/// Nobody tells a detector of a fault: what does not show in the calls that it sees does not exist for it.
#[test]
fn detectors_know_only_what_they_see() {
    let check = r#"health_check = { interval = "1s", timeout = "1s", latency = { constant = "0s" } }"#;
    let passive = "[gateway.detector.d]\nconsecutive = 3\neject_for = \"1h\"";
    let played = |requests: &str, probes: &str, share: f64, gateway: &str| {
        let toml = format!(
            r#"
            duration = "60s"
            traffic.arrivals = {{ constant = "1/s" }}
            provider.a.latency = {{ constant = "0s" }}
            provider.b.latency = {{ constant = "0s" }}
            [fault.f]
            on = {{ name = "a" }}
            at = "10s"
            lasts = "1h"
            requests = {requests}
            probes = {probes}
            fraction = {share}
            [gateway]
            route = {{ prefer = ["a", "b"] }}
            {gateway}
            "#
        );
        let log = Log::of(&toml, 0);
        (log.failed(), log.ejections_ms().0.len())
    };
    let (quiet, down) = ("\"unaffected\"", "\"refuse\"");
    assert_eq!(played(down, quiet, 1.0, check), (50, 0), "probes pass");
    assert_eq!(played(down, quiet, 1.0, passive), (3, 1), "attempts fail");
    assert_eq!(played(quiet, down, 1.0, passive), (0, 0), "attempts pass");
    assert_eq!(played(quiet, down, 1.0, check), (0, 1), "probes fail");
    assert_eq!(played(quiet, quiet, 1.0, check), (0, 0), "nothing to be seen");
    assert_eq!(played(down, quiet, 0.0, passive), (0, 0), "nobody is hit");
}
