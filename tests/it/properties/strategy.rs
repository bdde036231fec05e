//! Scenarios drawn at random, with as much variety as the file format has.

use crate::play::model;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Some TOML.
type Text = BoxedStrategy<String>;

/// A scenario; in some of them nothing is random, and in some nothing in the gateway listens to attempts, or nothing but
/// detectors that count failures in a row.
pub fn scenarios() -> impl Strategy<Value = String> {
    let still = scenario(false, true).prop_filter("nothing is random", |toml| !model(toml).is_random());
    let whole =
        prop_oneof![3 => scenario(true, true), 1 => still, 1 => scenario(true, false), 1 => with_rows()];
    (whole, option::weighted(0.2, detour())).prop_map(|(toml, detour)| match detour {
        Some(detour) => detour.put_into(&toml),
        None => toml,
    })
}

/// What lies between clients, the gateway and providers.
#[derive(Debug, Clone)]
struct Detour {
    /// Round trips between regions x and y, and within x.
    trips_ms: (u64, u64),
    /// Where clients, those of code, the gateway, and the providers are, where that is said.
    clients: &'static str,
    coders: Option<&'static str>,
    gateway: Option<&'static str>,
    providers: [&'static str; 3],
    overhead: Option<String>,
}

fn detour() -> impl Strategy<Value = Detour> {
    let region = || select(&["x", "y"][..]);
    let regions = (region(), option::of(region()), option::of(region()), [region(), region(), region()]);
    let overhead = option::of(prop_oneof![latency(false), Just(QUICK.to_owned()).boxed()]);
    ((0..400u64, 0..50u64), regions, overhead).prop_map(|(trips_ms, regions, overhead)| {
        let (clients, coders, gateway, providers) = regions;
        Detour { trips_ms, clients, coders, gateway, providers, overhead }
    })
}

/// A gateway's overhead that is random.
const QUICK: &str = "{ percentiles = { p50 = \"15ms\", p95 = \"30ms\", p99 = \"700ms\", max = \"3s\" } }";

impl Detour {
    fn put_into(&self, toml: &str) -> String {
        let region = |region: &str| format!("region = \"{region}\"\n");
        let after = |toml: String, header: &str, more: &str| toml.replace(header, &format!("{header}{more}"));
        let mut toml = after(toml.to_owned(), "[traffic]\n", &region(self.clients));
        // What has no dice keeps none, and its one class is the traffic.
        let has_code = toml.contains("[traffic.class.code]\n");
        if let Some(coders) = self.coders.filter(|_| has_code) {
            toml = after(toml, "[traffic.class.code]\n", &region(coders));
        }
        let mut gateway = self.gateway.map_or(String::new(), region);
        if let Some(overhead) = self.overhead.as_ref().filter(|_| has_code || toml.contains("poisson")) {
            gateway += &format!("overhead = {overhead}\n");
        }
        toml = after(toml, "[gateway]\n", &gateway);
        for (name, at) in ["a", "b", "c"].into_iter().zip(self.providers) {
            let labels = format!("labels = {{ {} }}\n", region(at).trim());
            toml = after(toml, &format!("[provider.{name}]\n"), &labels);
        }
        let (between, within) = self.trips_ms;
        format!("{toml}[network.rtt.x]\ny = \"{between}ms\"\nx = \"{within}ms\"\n")
    }
}

/// Providers that fail in faults alone, and detectors that count failures in a row.
fn with_rows() -> Text {
    let detector = all([
        one_of(&["consecutive = 1\n", "consecutive = 3\n", "at_once_on = [503, \"refused\"]\n"]),
        setting("eject_for", ms(100..8000)),
        setting("stale", one_of(&["\"counts\""])),
        maybe("failures", answers()),
        maybe("max_ejected", one_of(&["{ share = 0.4 }"])),
        maybe("half_open", one_of(&["{}", "{ permits = 3, decide = \"all\" }"])),
    ]);
    (scenario(true, false), detector)
        .prop_map(|(toml, detector)| {
            let is_kept = |line: &&str| !line.starts_with("capacity") && !line.starts_with("client_timeout");
            let toml: String = toml.lines().filter(is_kept).flat_map(|line| [line, "\n"]).collect();
            format!(
                "{}[gateway.detector.d]\n{detector}",
                toml.replace("error_rate = 0.05", "error_rate = 0.0")
            )
        })
        .boxed()
}

fn scenario(dice: bool, listens: bool) -> Text {
    let open = if dice { arrivals() } else { choice(&["constant"], "/s", 1..25) };
    let open = all([setting("arrivals", open), rarely(setting("profile", profile()))]);
    // Users hear how their requests end.
    let arrivals =
        if listens { prop_oneof![3 => open, 1 => setting("arrivals", users(dice))].boxed() } else { open };
    let traffic = table("traffic", [arrivals, maybe("client_timeout", ms(100..8000))]);
    let traffic = all([traffic, classes(dice)]);
    let client_retry = if listens { in_half(retry("traffic.client_retry", dice)) } else { nothing() };
    let retries = if listens { in_half(retries_of_gateway(dice)) } else { nothing() };
    let providers = ["a", "b", "c"].map(|name| provider(name, dice));
    let faults = vec(fault(dice), 0..3).prop_map(|faults| {
        faults.iter().enumerate().map(|(i, fault)| format!("[fault.f{i}]\n{fault}")).collect::<String>()
    });
    let faults = (faults, rarely(operator(dice))).prop_map(|(faults, operator)| {
        // A status page needs a fault to tell of.
        let is_told = !operator.contains("status_page") || faults.contains("[fault.f0]");
        if is_told { format!("{faults}{operator}") } else { faults }
    });
    let slo = if listens { rarely(watched(dice)) } else { rarely(slo()) };
    const LISTENING: [&str; 9] = [
        "round_robin",
        "least_in_flight",
        "lowest_latency",
        "peak_ewma",
        "fallback",
        "hedge",
        "wait",
        "fault",
        "detector",
    ];
    let does = move |text: &String| listens || !LISTENING.iter().any(|word| text.contains(word));
    let quiet = |text: Text| text.prop_filter("nothing listens", does);
    let detectors = if listens { detectors().boxed() } else { Just(vec![]).boxed() };
    let gateway =
        (quiet(route()), quiet(replicas(dice)), quiet(gateway()), option::of(health_check(dice)), detectors)
            .prop_map(|(route, replicas, gateway, check, detectors)| {
                // Some detectors need a health check that acts for them, or whose probes they heed.
                let heeds = |detector: &String| match check.is_some() {
                    true => detector.clone(),
                    false => detector.replace("readmit_on_probe = true\n", ""),
                };
                let detectors: String = (0..)
                    .zip(detectors.iter().filter(|detector| check.is_some() || !detector.contains("on_trip")))
                    .map(|(i, detector): (u32, _)| format!("[gateway.detector.d{i}]\n{}", heeds(detector)))
                    .collect();
                format!("[gateway]\n{replicas}{gateway}{route}{}{detectors}", check.unwrap_or_default())
            })
            .boxed();
    let mut parts = vec![Just("duration = \"30s\"\n".to_owned()).boxed(), traffic, client_retry];
    parts.extend(providers);
    parts.extend([faults.boxed(), gateway, retries, slo]);
    all(parts)
}

fn all(parts: impl IntoIterator<Item = Text>) -> Text {
    parts.into_iter().collect::<Vec<_>>().prop_map(|parts| parts.concat()).boxed()
}

fn table<const N: usize>(name: &str, parts: [Text; N]) -> Text {
    let name = name.to_owned();
    all(parts).prop_map(move |body| format!("[{name}]\n{body}")).boxed()
}

fn setting(name: &str, value: impl Strategy<Value = String> + 'static) -> Text {
    let name = name.to_owned();
    value.prop_map(move |value| format!("{name} = {value}\n")).boxed()
}

/// In every other scenario.
fn maybe(name: &str, value: impl Strategy<Value = String> + 'static) -> Text {
    in_half(setting(name, value))
}

/// In one of four scenarios, so that what needs the absence of a thing is tried, too.
fn rarely(part: Text) -> Text {
    option::weighted(0.25, part).prop_map(Option::unwrap_or_default).boxed()
}

fn in_half(part: Text) -> Text {
    option::of(part).prop_map(Option::unwrap_or_default).boxed()
}

fn ms(range: std::ops::Range<u64>) -> Text {
    range.prop_map(|ms| format!("\"{ms}ms\"")).boxed()
}

fn number(range: std::ops::Range<u32>) -> Text {
    range.prop_map(|n| n.to_string()).boxed()
}

fn quarters(range: std::ops::RangeInclusive<u32>) -> Text {
    range.prop_map(|n| format!("{:?}", f64::from(n) / 4.0)).boxed()
}

fn one_of(values: &'static [&'static str]) -> Text {
    select(values).prop_map(str::to_owned).boxed()
}

fn choice(kinds: &'static [&'static str], unit: &'static str, range: std::ops::Range<u32>) -> Text {
    (select(kinds), range).prop_map(move |(kind, n)| format!("{{ {kind} = \"{n}{unit}\" }}")).boxed()
}

fn answers() -> Text {
    one_of(&[
        "[\"any\"]",
        "[\"5xx\"]",
        "[\"timeout\", \"stalled\", \"cut\"]",
        "[\"refused\", \"connect_timeout\", \"connection_lost\"]",
        "[503, 500]",
    ])
}

/// What a setting lists, and in every other scenario some of it in another one.
fn answers_and(name: &'static str, part_name: &'static str) -> Text {
    (answers(), any::<bool>())
        .prop_map(move |(whole, has_part)| {
            let first = whole.split(',').next().unwrap_or_default().trim_end_matches(']');
            let part = if has_part { format!("{part_name} = {first}]\n") } else { String::new() };
            format!("{name} = {whole}\n{part}")
        })
        .boxed()
}

fn latency(dice: bool) -> Text {
    let constant = ms(0..3000).prop_map(|d| format!("{{ constant = {d} }}"));
    if !dice {
        return constant.boxed();
    }
    prop_oneof![
        constant,
        ms(1..3000).prop_map(|d| format!("{{ exponential = {{ mean = {d} }} }}")),
        (1..800u64, 1..5000u64).prop_map(|(p50, more)| format!(
            "{{ lognormal = {{ p50 = \"{p50}ms\", p99 = \"{}ms\" }} }}",
            p50 + more
        )),
        (1..800u64, 0..500u64, 0..3000u64, option::of(0..9000u64)).prop_map(|(p50, body, tail, rest)| {
            let (p95, p99) = (p50 + body, p50 + body + tail);
            let max = rest.map_or(String::new(), |rest| format!(", max = \"{}ms\"", p99 + rest));
            format!("{{ percentiles = {{ p50 = \"{p50}ms\", p95 = \"{p95}ms\", p99 = \"{p99}ms\"{max} }} }}")
        }),
    ]
    .boxed()
}

fn users(dice: bool) -> Text {
    let think = latency(dice).prop_filter("users think", |think| !think.contains("\"0ms\""));
    (1..20u32, think, 0..40_000u64)
        .prop_map(|(count, think, ramp)| {
            format!("{{ users = {{ count = {count}, think = {think}, ramp_up = \"{ramp}ms\" }} }}")
        })
        .boxed()
}

fn arrivals() -> Text {
    let renewal = (1..25u32, select(&["0.2", "1.0", "4.0"][..]))
        .prop_map(|(rate, cv)| format!("{{ renewal = {{ rate = \"{rate}/s\", cv = {cv} }} }}"));
    let on_off = (1..25u32, ms(100..5000), ms(100..5000)).prop_map(|(rate, on, off)| {
        format!("{{ on_off = {{ rate = \"{rate}/s\", on = {on}, off = {off} }} }}")
    });
    prop_oneof![6 => choice(&["constant", "poisson"], "/s", 1..25), 1 => renewal, 1 => on_off].boxed()
}

fn profile() -> Text {
    prop_oneof![
        (0..20u32, 0..3u32)
            .prop_map(|(at, factor)| format!("{{ steps = [{{ at = \"{at}s\", factor = {factor} }}] }}")),
        (ms(0..20_000), ms(1..20_000), quarters(0..=4), quarters(1..=8)).prop_map(
            |(at, over, before, factor)| {
                format!("{{ ramp = {{ at = {at}, over = {over}, before = {before}, factor = {factor} }} }}")
            }
        ),
        (ms(0..20_000), ms(0..4000), ms(1..9000), quarters(0..=20)).prop_map(|(at, fall, lasts, factor)| {
            format!("{{ spike = {{ at = {at}, fall = {fall}, lasts = {lasts}, factor = {factor} }} }}")
        }),
    ]
    .prop_filter("some requests arrive", |profile| !profile.contains("steps = [{ at = \"0s\", factor = 0 }]"))
    .boxed()
}

/// What requests ask for: one kind, or two where there are dice.
fn classes(dice: bool) -> Text {
    let tokens = || {
        let lognormal = (1..200u32, 0..400u32)
            .prop_map(|(p50, more)| format!("{{ lognormal = {{ p50 = {p50}, p99 = {} }} }}", p50 + more));
        let constant = (0..300u32).prop_map(|count| format!("{{ constant = {count} }}"));
        if dice { prop_oneof![constant, lognormal].boxed() } else { constant.boxed() }
    };
    let class = |name: &str| {
        let name = format!("traffic.class.{name}");
        table(&name, [maybe("input_tokens", tokens()), setting("output_tokens", tokens())])
    };
    if dice { all([class("chat"), in_half(class("code"))]) } else { class("chat") }
}

fn provider(name: &str, dice: bool) -> Text {
    let capacity = (1..20u32, option::of(0..20u32), select(&["runs", "dropped"][..])).prop_map(
        |(slots, queue, abandoned)| {
            let queue = queue.map_or(String::new(), |queue| format!("queue = {queue}, "));
            format!("{{ slots = {slots}, {queue}abandoned = \"{abandoned}\" }}")
        },
    );
    let whole = all([setting("latency", latency(dice)), maybe("first_token", quarters(0..=4))]);
    let varies = if dice {
        one_of(&["", ", per_second_p1 = 5.0", ", drift = { every = \"4s\", p1 = 0.3 }"])
    } else {
        nothing()
    };
    let by_tokens = (latency(dice), option::of(1..4u32), 1..9u32, varies);
    let by_tokens = by_tokens.prop_map(|(first, reads, writes, varies)| {
        let reads = reads.map_or(String::new(), |reads| format!("prompt_per_second = {reads}00.0, "));
        let speed = format!("{reads}per_second = {writes}0.0{varies}");
        format!("latency = {{ tokens = {{ first_token = {first}, {speed} }} }}\n")
    });
    table(
        &format!("provider.{name}"),
        [
            prop_oneof![3 => whole, 1 => by_tokens].boxed(),
            setting("error_rate", one_of(if dice { &["0.0", "0.05"] } else { &["0.0"] })),
            setting(
                "price",
                one_of(&[
                    "{ input = 2.5, output = 10.0 }",
                    "{ input = 3.0, output = 15.0, request = 0.001 }",
                    "{ request = 0.002 }",
                ]),
            ),
            rarely(setting("capacity", capacity)),
        ],
    )
}

fn effect() -> Text {
    prop_oneof![
        one_of(&["\"unaffected\"", "\"refuse\"", "\"hang\"", "\"drop\"", "\"pause\"", "{ status = 503 }"]),
        (1..30u32).prop_map(|factor| format!("{{ slow = {factor}.0 }}")),
        (select(&["stall", "cut", "truncate"][..]), quarters(0..=4))
            .prop_map(|(kind, share)| format!("{{ {kind} = {share} }}")),
    ]
    .boxed()
}

fn fault(dice: bool) -> Text {
    let share = || if dice { quarters(0..=4) } else { one_of(&["0.0", "1.0"]) };
    all([
        setting("on", one_of(&["{ name = \"a\" }", "{ name = \"b\" }"])),
        setting("at", ms(0..25_000)),
        setting("lasts", ms(1..20_000)),
        setting("requests", effect()),
        setting("probes", effect()),
        setting("in_flight", one_of(&["\"finish\"", "\"fail\"", "\"hang\""])),
        setting("fraction", share()),
        maybe("probe_fraction", share()),
        maybe("retry_after", ms(0..4000)),
    ])
}

/// A route and its groups, and what needs a list of preference to be there.
fn route() -> Text {
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
fn by_providers(leaves: Text) -> Text {
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
        ][..]),
    )
        .prop_map(|(leaves, kind)| format!("{{ {} }}", kind.replace('@', &format!("[{leaves}]"))))
        .boxed()
}

/// Replicas, whether they share what they know, and what goes wrong with them.
fn replicas(dice: bool) -> Text {
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
fn gateway() -> Text {
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
        maybe("timeouts", timeouts),
        rarely(setting(
            "hedge",
            (ms(0..3000), 1..3u32).prop_map(|(after, max)| format!("{{ after = {after}, max = {max} }}")),
        )),
    ])
}

/// A switch at a time, or on a status page's word.
fn operator(dice: bool) -> Text {
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

fn stages(dice: bool) -> Text {
    let stage = move |name: &'static str| {
        latency(dice).prop_map(move |latency| format!("{name} = {latency}")).boxed()
    };
    (stage("notify"), stage("acknowledge"), stage("switch"))
        .prop_map(|(notify, acknowledge, switch)| {
            format!("stages = {{ {notify}, {acknowledge}, {switch} }}\n")
        })
        .boxed()
}

fn slo() -> Text {
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
fn watched(dice: bool) -> Text {
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

fn growth() -> Text {
    one_of(&["\"constant\"", "\"linear\"", "{ exponential = 2.0 }"])
}

fn retry(name: &str, dice: bool) -> Text {
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

fn retries_of_gateway(dice: bool) -> Text {
    let in_a_step = all([
        setting("to", one_of(&["\"same\"", "\"any\"", "\"other\"", "\"same_then_any\""])),
        maybe("at_once_with_others", one_of(&["true"])),
        maybe("wait_after_last", one_of(&["true"])),
    ]);
    let around_all = setting("to", one_of(&["\"start\""]));
    all([retry("gateway.retry", dice), prop_oneof![3 => in_a_step, 1 => around_all].boxed()])
}

fn health_check(dice: bool) -> Text {
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
        ],
    )
}

fn nothing() -> Text {
    Just(String::new()).boxed()
}

/// None in every other scenario, or one or two.
fn detectors() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![1 => Just(vec![]), 1 => vec(detector(), 1..3)]
}

fn detector() -> Text {
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
