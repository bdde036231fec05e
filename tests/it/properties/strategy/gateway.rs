//! What a gateway and the people around it do, drawn at random.

use super::*;

/// A route and its groups, and what needs a list of preference to be there.
pub(super) fn route() -> Text {
    // `g` is a group in every route that names it.
    let names = || one_of(&["\"a\", \"b\"", "\"g\", \"c\"", "\"a\", \"g\"", "\"b\", \"a\", \"c\""]);
    let leaves = || one_of(&["\"a\", \"b\"", "\"c\", \"b\", \"a\"", "\"a\""]);
    let list = |kind: &'static str| names().prop_map(move |names| format!("{{ {kind} = [{names}] }}"));
    let root = prop_oneof![
        4 => list("prefer"),
        1 => list("round_robin"),
        1 => names().prop_map(|names| format!("{{ weighted = {{ {} = 2.0 }} }}", names.replace(", ", " = 1.0, "))),
        1 => names().prop_map(|names| {
            let mut names = names.split(", ");
            let mut next = || names.next().unwrap_or_default();
            format!("{{ split = {{ share = 0.5, first = {}, rest = {} }} }}", next(), next())
        }),
        1 => names().prop_map(|names| format!("{{ sticky = {{ users = 5, among = [{names}] }} }}")),
        2 => by_providers(leaves()),
    ];
    let group = prop_oneof![
        by_providers(leaves()),
        leaves().prop_map(|names| format!("{{ round_robin = [{names}] }}")),
        leaves().prop_map(|names| format!("{{ prefer = [{names}] }}")),
    ];
    let fallback = rarely(all([
        Just("[gateway.fallback]\n".to_owned()).boxed(),
        maybe("on", answers()),
        maybe("max", number(1..3)),
    ]));
    (root, group, fallback)
        .prop_map(|(root, group, fallback)| {
            let groups =
                if root.contains("\"g\"") { format!("group = {{ g = {group} }}\n") } else { String::new() };
            let fallback = if root.contains("prefer") { fallback } else { String::new() };
            format!("route = {root}\n{groups}{fallback}")
        })
        .boxed()
}

/// Routes that compare providers.
pub(super) fn by_providers(leaves: Text) -> Text {
    (
        leaves,
        select(&[
            "least_in_flight = @",
            "lowest_latency = { among = @, explore = 0.1 }",
            "lowest_latency = { among = @, explore = 0.0, weight = 0.5 }",
            "lowest_latency = { among = @, explore = 0.0, buffer = 0.5, last = 3, failures = \"ignored\" }",
            "peak_ewma = { among = @, decay = \"2s\" }",
            "cheapest = @",
            "inverse_square_price = @",
            "cost_minimization = { fallback_order = @ }",
            "cost_minimization = { fallback_order = @, max_cost_per_1k = 0.012, price = \"blended\" }",
        ][..]),
    )
        .prop_map(|(leaves, kind)| format!("{{ {} }}", kind.replace('@', &format!("[{leaves}]"))))
        .boxed()
}

/// Replicas, whether they share what they know, and what goes wrong with them.
pub(super) fn replicas(dice: bool) -> Text {
    let fault = |effects| {
        (0..25u32, 1..10u32, select(effects)).prop_map(|(at, lasts, effect)| {
            format!("fault = {{ f = {{ at = \"{at}s\", lasts = \"{lasts}s\", effect = \"{effect}\", replicas = 1 }} }}\n")
        })
    };
    let own = rarely(fault(&["crash", "drain"][..]).boxed());
    let staleness = if dice { ms(0..3000) } else { one_of(&["\"0s\""]) };
    let shared = all([
        setting("health", staleness.prop_map(|staleness| format!("{{ shared = {staleness} }}"))),
        rarely(fault(&["crash", "drain", "lose_store"][..]).boxed()),
    ]);
    let count = if dice { number(1..4) } else { one_of(&["1"]) };
    let ttl = if dice { ms(0..4000) } else { one_of(&["\"0s\""]) };
    let propagation = (ms(0..3000), ttl, ms(0..4000)).prop_map(|(delay, ttl, window)| {
        format!("{{ delay = {delay}, ttl = {ttl}, merge_window = {window} }}")
    });
    all([
        setting("replicas", count),
        prop_oneof![2 => own, 1 => shared].boxed(),
        rarely(setting("propagation", propagation)),
    ])
}

/// What a gateway does without health, and its timers.
pub(super) fn gateway() -> Text {
    let timeouts = (
        all(["connect", "first_token", "idle", "attempt", "request"]
            .map(|timer| maybe(timer, ms(100..6000)).prop_map(|timer| timer.replace('\n', ", ")).boxed())),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(timers, spares, buffers)| {
            format!("{{ {timers}spares_last = {spares}, buffers = {buffers} }}")
        });
    all([
        setting("all_ejected", one_of(&["\"fail\"", "\"ignore_health\"", "\"wait\""])),
        maybe("on_ejection", one_of(&["\"drain\"", "\"close\""])),
        rarely(setting("panic_below", quarters(0..=4))),
        rarely(setting("overprovisioning", one_of(&["1.0", "1.4"]))),
        rarely(setting("slow_start", ms(0..9000))),
        rarely(setting("limit", limit())),
        rarely(setting("cache", one_of(&["{ hit_ratio = 1.0 }", "{ hit_ratio = 0.0, latency = \"5ms\" }"]))),
        maybe("timeouts", timeouts),
        maybe("fee", one_of(&["{ markup = 0.1 }", "{ request = 0.001, month = 49.0 }"])),
        rarely(setting(
            "hedge",
            (ms(0..3000), 1..3u32).prop_map(|(after, max)| format!("{{ after = {after}, max = {max} }}")),
        )),
    ])
}

/// A switch at a time, or on a status page's word.
pub(super) fn operator(dice: bool) -> Text {
    let back = || maybe("lasts", ms(1..9000));
    let at = all([setting("at", number(0..30).prop_map(|at| format!("\"{at}s\""))), back()]);
    let page = (latency(dice), option::of(latency(dice)), any::<bool>()).prop_map(
        move |(posted, resolved, is_polled)| {
            let resolved =
                resolved.map_or(String::new(), |resolved| format!(", resolved_after = {resolved}"));
            let polled = if dice && is_polled { ", polled_every = \"2s\"" } else { "" };
            format!("after.status_page = {{ fault = \"f0\", posted_after = {posted}{resolved}{polled} }}\n")
        },
    );
    let page = (page, back()).prop_map(|(page, back)| {
        // What is posted as resolved ends the switch.
        if page.contains("resolved") { page } else { page + &back }
    });
    table(
        "operator.hand",
        [
            setting("avoid", one_of(&["[\"a\"]", "[\"a\", \"b\"]"])),
            prop_oneof![1 => at, 1 => all([page.boxed(), in_half(stages(dice))])].boxed(),
        ],
    )
}

pub(super) fn stages(dice: bool) -> Text {
    let stage = move |name: &'static str| {
        latency(dice).prop_map(move |latency| format!("{name} = {latency}")).boxed()
    };
    (stage("notify"), stage("acknowledge"), stage("switch"))
        .prop_map(|(notify, acknowledge, switch)| {
            format!("stages = {{ {notify}, {acknowledge}, {switch} }}\n")
        })
        .boxed()
}

pub(super) fn slo() -> Text {
    table(
        "slo",
        [
            setting("objective", one_of(&["0.9", "0.999"])),
            setting("window", one_of(&["\"30d\""])),
            maybe("requests", one_of(&["\"5/s\""])),
        ],
    )
}

/// An error budget with alerts, and somebody whom one of them calls.
pub(super) fn watched(dice: bool) -> Text {
    let first_tick = one_of(if dice { &["\"random\"", "{ at = \"2s\" }"] } else { &["{ at = \"0s\" }"] });
    let alert = table(
        "alert.page",
        [
            setting("burn", one_of(&["0.5", "3.0", "9.0"])),
            setting("long", one_of(&["\"10s\"", "\"1h\""])),
            setting("short", one_of(&["\"2s\"", "\"10s\""])),
            setting("every", one_of(&["\"500ms\"", "\"2s\""])),
            setting("first_tick", first_tick),
            maybe("for", ms(0..5000)),
            maybe("lag", ms(0..3000)),
            maybe("min_count", number(0..50)),
            maybe("before", one_of(&["\"steady\"", "\"nothing\""])),
        ],
    );
    let escalates =
        "stages = { acknowledge = { exponential = { mean = \"2s\" } } }\nescalate_after = \"1s\"\n";
    let stages =
        if dice { prop_oneof![stages(true), Just(escalates.to_owned())].boxed() } else { stages(false) };
    let operator = table(
        "operator.on_call",
        [
            setting("after", one_of(&["{ alert = \"page\" }"])),
            setting("avoid", one_of(&["[\"a\"]", "[\"b\", \"c\"]"])),
            maybe("lasts", ms(1..9000)),
            in_half(stages),
        ],
    );
    all([slo(), alert, in_half(operator)])
}

/// What the gateway takes in.
pub(super) fn limit() -> Text {
    let at_a_time = (1..20u32, 1..20u32, option::of(1..40u32)).prop_map(|(most, queue, timeout)| {
        let timeout = timeout.map_or(String::new(), |t| format!("queue_timeout = \"{t}00ms\", "));
        format!("in_flight = {most}, queue = {queue}, {timeout}")
    });
    let rate = (2..20u32).prop_map(|rate| format!("rate = \"{rate}/s\", burst = \"700ms\", answer = 429, "));
    prop_oneof![at_a_time.clone().boxed(), rate.clone().boxed(), all([at_a_time.boxed(), rate.boxed()])]
        .prop_map(|limit| format!("{{ {} }}", limit.trim_end_matches(", ")))
        .boxed()
}

pub(super) fn growth() -> Text {
    one_of(&["\"constant\"", "\"linear\"", "{ exponential = 2.0 }"])
}

pub(super) fn retry(name: &str, dice: bool) -> Text {
    let computed =
        all([setting("delay", ms(0..1500)), maybe("growth", growth()), maybe("max_delay", ms(1500..4000))]);
    let listed = setting("delays", one_of(&["[\"0s\"]", "[\"100ms\", \"1s\"]"]));
    let jitter = one_of(if dice {
        &["\"full\"", "\"equal\"", "\"decorrelated\"", "{ plus = \"500ms\" }", "{ times = 0.5 }"]
    } else {
        &["\"none\""]
    });
    let budget = one_of(&[
        "{ concurrent = 2 }",
        "{ concurrent_share = { share = 0.3, min = 1 } }",
        "{ tokens = { max = 10.0, per_failure = 1.0, per_success = 0.5, keeps = 5.0, per_retry = 0.0 } }",
        "{ tokens = { max = 20.0, per_retry = 5.0, per_timeout_retry = 7.0, refunds = true } }",
        "{ share = { share = 0.2, per_second = 1.0, ttl = \"5s\" } }",
    ]);
    table(
        name,
        [
            setting("attempts", number(1..4)),
            answers_and("on", "at_once_on"),
            prop_oneof![3 => computed, 1 => listed].boxed(),
            maybe("jitter", jitter),
            maybe("retry_after", ms(0..5000)),
            maybe("budget", budget),
        ],
    )
}

pub(super) fn retries_of_gateway(dice: bool) -> Text {
    let in_a_step = all([
        setting("to", one_of(&["\"same\"", "\"any\"", "\"other\"", "\"same_then_any\""])),
        maybe("at_once_with_others", one_of(&["true"])),
        maybe("wait_after_last", one_of(&["true"])),
    ]);
    let around_all = setting("to", one_of(&["\"start\""]));
    all([retry("gateway.retry", dice), prop_oneof![3 => in_a_step, 1 => around_all].boxed()])
}

pub(super) fn health_check(dice: bool) -> Text {
    let drawn = |name: &str, value: Text| if dice { rarely(setting(name, value)) } else { nothing() };
    let first = if dice { nothing() } else { setting("first_probe", one_of(&["{ at = \"100ms\" }"])) };
    let observers = if dice { one_of(&["observers = 3\nquorum = 0.5\n"]) } else { nothing() };
    table(
        "gateway.health_check",
        [
            setting("interval", ms(500..6000)),
            setting("timeout", ms(1..6000)),
            all(["falling", "down", "rising", "no_traffic"]
                .map(|state| rarely(setting(&format!("interval_{state}"), ms(500..3000))))),
            drawn("jitter", ms(0..2000)),
            drawn("jitter_share", quarters(0..=4)),
            drawn("spread", quarters(0..=4)),
            first,
            rarely(observers),
            setting("eject_after", number(1..4)),
            setting("readmit_after", number(1..4)),
            maybe("counting", one_of(&["\"consecutive\"", "\"cumulative\""])),
            maybe("eject_at_once_on", answers()),
            setting(
                "next_probe",
                one_of(&["\"from_start\"", "\"from_end\"", "\"from_start_no_overlap\"", "\"on_ticks\""]),
            ),
            setting("latency", latency(dice)),
            maybe("tokens", one_of(&["{ input = 10, output = 1 }"])),
        ],
    )
}

pub(super) fn nothing() -> Text {
    Just(String::new()).boxed()
}

/// None in every other scenario, or one or two.
pub(super) fn detectors() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![1 => Just(vec![]), 1 => vec(detector(), 1..3)]
}

pub(super) fn detector() -> Text {
    const WINDOWS: &[&str] = &[
        "\"since_admission\"",
        "{ calls = 8 }",
        "{ sliding = \"4s\" }",
        "{ buckets = { length = \"4s\", count = 4 } }",
        "{ buckets = { length = \"4s\", count = 4, from = \"first_call\" } }",
        "{ tumbling = { length = \"3s\", from = \"clock\" } }",
        "{ tumbling = { length = \"3s\", from = \"first_call\" } }",
        "{ tumbling = { length = \"3s\", from = \"first_failure\" } }",
        "{ tumbling = { length = \"3s\", from = \"first_of_each\" } }",
    ];
    const TICKS: &str = "{ on_ticks = { every = \"1s\" } }";
    let evaluated = || {
        one_of(&["\"on_call\"", "\"on_failure\"", TICKS, "{ on_ticks = { every = \"2s\", first = \"0s\" } }"])
    };
    let counts = one_of(&[
        "count = 3\n",
        "ratio = { at_least = 0.5, min_calls = 4 }\n",
        "ratio = { above = 0.25 }\n",
        "slow = { after = \"1s\", at_least = 0.5, min_calls = 3 }\n",
        "count = 4\nconsecutive = 2\n",
    ]);
    let trips = prop_oneof![
        one_of(&[
            "consecutive = 3\n",
            "at_once_on = [503, \"refused\"]\n",
            "consecutive = 2\nat_once_on = [\"timeout\"]\n"
        ]),
        all([counts, setting("window", one_of(WINDOWS)), maybe("evaluated", evaluated())]),
        all([
            one_of(&["ratio = { at_least = 0.5 }\nwindow = { ewma = \"3s\" }\n"]),
            maybe("evaluated", evaluated())
        ]),
        Just(format!(
            "success_rate = {{ stdev_factor = 0.9, min_providers = 2, min_calls = 3 }}\nevaluated = {TICKS}\n"
        )),
    ];
    let judged = all([
        maybe("judges", one_of(&["\"attempts\"", "\"after_retries\""])),
        maybe("failures", answers()),
        maybe("ignored", one_of(&["[503]", "[\"timeout\"]", "[\"refused\", \"cut\"]"])),
        maybe("stale", one_of(&["\"counts\"", "\"dropped\""])),
        maybe("enforced", one_of(&["1.0", "0.5"])),
        maybe("clears_on_admission", one_of(&["true", "false"])),
        maybe("readmit_on_probe", one_of(&["true", "false"])),
        rarely(setting(
            "max_ejected",
            one_of(&["{ share = 0.4 }", "{ share = 0.4, rule = \"before_this\" }"]),
        )),
        maybe("spares_lone", one_of(&["true", "false"])),
    ]);
    let ejects = all([
        setting("eject_for", ms(100..8000)),
        maybe("growth", growth()),
        maybe("max_eject_for", ms(8000..20_000)),
        maybe("eject_jitter", one_of(&["\"0s\"", "\"2s\""])),
        maybe("eject_from", one_of(&["\"trip\"", "\"first_failure\""])),
        maybe("retry_after", ms(0..2000)),
        maybe("half_open", one_of(&["{}", "{ permits = 3, decide = \"all\" }", "{ permits = 2 }"])),
    ]);
    let acts = one_of(&["hurry", "fail", "brink", "down"])
        .prop_map(|action| format!("on_trip = {{ health_check = \"{action}\" }}\n"));
    let usual = all([trips.boxed(), judged, prop_oneof![3 => ejects, 1 => acts].boxed()]);
    prop_oneof![
        6 => usual,
        1 => Just("nginx = { max_fails = 2, fail_timeout = \"3s\" }\n".to_owned()),
    ]
    .boxed()
}
