//! Scenarios drawn at random, with as much variety as the file format has.

mod gateway;

use crate::play::model;
use gateway::*;
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
            let labels = format!("labels.{}", region(at));
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
    let traffic = table(
        "traffic",
        [arrivals, maybe("client_timeout", ms(100..8000)), setting("conversations", number(1..20))],
    );
    let traffic = all([traffic, classes(dice)]);
    let client_retry = if listens { in_half(retry("traffic.client_retry", dice)) } else { nothing() };
    let retries = if listens { in_half(retries_of_gateway(dice)) } else { nothing() };
    let providers = ["a", "b", "c"].map(|name| provider(name, dice));
    let faults = vec(fault(dice), 0..3).prop_map(|faults| {
        faults.iter().enumerate().map(|(i, fault)| format!("[fault.f{i}]\n{fault}")).collect::<String>()
    });
    let incidents = if dice {
        rarely(incidents().prop_map(|source| format!("[incidents.now_and_then]\n{source}")).boxed())
    } else {
        nothing()
    };
    let faults = (faults, rarely(operator(dice))).prop_map(|(faults, operator)| {
        // A status page needs a fault to tell of.
        let is_told = !operator.contains("status_page") || faults.contains("[fault.f0]");
        if is_told { format!("{faults}{operator}") } else { faults }
    });
    let slo = if listens { rarely(watched(dice)) } else { rarely(slo()) };
    const LISTENING: [&str; 11] = [
        "limit",
        "cache",
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
    parts.extend(if listens { vec![rarely(quota("q")), rarely(quota("r"))] } else { vec![] });
    parts.extend([faults.boxed(), incidents, gateway, retries, slo]);
    parts.push(in_half(Just("[cost]\nfailed_request = 0.05\n".to_owned()).boxed()));
    // What is paid for, in half of the scenarios; and how much of it lies in caches, in a quarter of these.
    (all(parts), any::<bool>(), option::weighted(0.25, Just(())))
        .prop_map(move |(toml, has_prices, has_caches)| {
            let compares =
                ["cheapest", "inverse_square_price", "cost_min"].iter().any(|route| toml.contains(route));
            let toml =
                if dice && has_prices && has_caches.is_some() { toml } else { without(&CACHES, &toml) };
            if has_prices || compares { toml } else { without(&PRICES, &toml) }
        })
        .boxed()
}

const CACHES: [&str; 3] = ["conversations", "cached_share", "prompt_cache"];
const PRICES: [&str; 4] = ["price", "billing", "fee", "tokens"];

/// The same without the lines of these settings.
fn without(settings: &[&str], toml: &str) -> String {
    let is_kept = |line: &&str| !settings.iter().any(|setting| line.starts_with(setting));
    toml.lines().filter(is_kept).flat_map(|line| [line, "\n"]).collect()
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
        table(
            &name,
            [
                maybe("input_tokens", tokens()),
                setting("output_tokens", tokens()),
                setting("cached_share", one_of(&["0.5"])),
            ],
        )
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
    let bounded = (1..10u32, 1..20u32, ms(1..4000), select(&["runs", "dropped"][..])).prop_map(
        |(slots, queue, timeout, abandoned)| {
            format!(
                "{{ slots = {slots}, queue = {queue}, discipline = \"fifo\", queue_timeout = {timeout}, \
                 abandoned = \"{abandoned}\", full = 429, retry_after = \"700ms\" }}"
            )
        },
    );
    let stacked = bounded.clone().prop_map(|bounded| bounded.replace("fifo", "lifo"));
    let stacked = prop_oneof![
        1 => stacked,
        1 => (1..10u32, select(&["runs", "dropped"][..])).prop_map(|(slots, abandoned)| {
            format!("{{ slots = {slots}, discipline = \"lifo\", abandoned = \"{abandoned}\" }}")
        }),
    ];
    let capacity = prop_oneof![2 => capacity, 1 => bounded, 2 => stacked];
    let cold = (ms(1..4000), ms(1..4000))
        .prop_map(|(after, start)| format!("{{ after = {after}, start = {start} }}"));
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
            Just(if name == "c" { String::new() } else { "labels.tier = \"two\"\n".to_owned() }).boxed(),
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
            setting("prompt_cache", ms(1..5000)),
            maybe("billing", billing()),
            rarely(setting("capacity", capacity)),
            rarely(rarely(setting("cold", cold))),
        ],
    )
}

/// A limit that some of what comes is above, and often two of them on one provider.
fn quota(name: &str) -> Text {
    let refused =
        one_of(&["window = \"token_bucket\"\ncounts_refused = true\n", "window = \"token_bucket\"\n"]);
    let window = prop_oneof![
        2 => all([refused, maybe("burst", ms(1000..20_000))]),
        1 => one_of(&["window = \"fixed\"\n", "window = \"calendar\"\n"]),
    ];
    let growth = (1..5u32, 1..12u32, 1..6u32).prop_map(|(factor, cells, every)| {
        format!("{{ factor = {factor}.5, over = \"{}s\", every = \"{every}s\" }}", cells * every)
    });
    table(
        &format!("quota.{name}"),
        [
            setting("on", one_of(&["{ name = \"a\" }", "{ name = \"b\" }"])),
            setting("requests", one_of(&["\"3/s\"", "\"9/s\"", "\"100/min\"", "\"400/min\""])),
            maybe("tokens", one_of(&["\"500/s\"", "\"20000/min\""])),
            window.boxed(),
            maybe("growth", growth),
            maybe("answer", one_of(&["503", "529"])),
            maybe("retry_after", one_of(&["\"never\"", "{ after = \"700ms\" }"])),
            maybe("probes", one_of(&["false"])),
        ],
    )
}

fn billing() -> Text {
    let of_answers = || select(&["nothing", "input", "delivered", "all"][..]);
    (select(&["nothing", "input", "all"][..]), of_answers(), of_answers())
        .prop_map(|(errors, cut, abandoned)| {
            format!("{{ errors = \"{errors}\", cut = \"{cut}\", abandoned = \"{abandoned}\" }}")
        })
        .boxed()
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
        rarely(setting("recovery", recovery(dice))),
    ])
}

fn recovery(dice: bool) -> Text {
    let flaps = (1..4u32, 1..4000u64, 1..4000u64).prop_map(|(times, up, down)| {
        format!("{{ flaps = {{ times = {times}, up = \"{up}ms\", down = \"{down}ms\" }} }}")
    });
    if dice {
        prop_oneof![ms(1..9000).prop_map(|takes| format!("{{ ramp = {takes} }}")), flaps].boxed()
    } else {
        flaps.boxed()
    }
}

/// A source of incidents that come as often as faults do.
fn incidents() -> Text {
    let gaps = prop_oneof![
        ms(500..20_000).prop_map(|mean| format!("{{ exponential = {{ mean = {mean} }} }}")),
        ms(500..20_000).prop_map(|scale| format!("{{ weibull = {{ shape = 0.67, scale = {scale} }} }}")),
    ];
    let severity = one_of(&[
        "{ constant = 0.5 }",
        "{ constant = 1.0 }",
        "{ uniform = { min = 0.0, max = 1.0 } }",
        "{ classes = { minor = { weight = 3, fraction = 0.1 }, major = { weight = 1, fraction = 1.0 } } }",
    ]);
    all([
        prop_oneof![
            one_of(&["{ name = \"a\" }"]).prop_map(|on| format!("on = {on}\n")),
            Just("on = { tier = \"two\" }\none_of = 0.5\n".to_owned()),
        ]
        .boxed(),
        setting("gaps", gaps),
        setting("lasts", latency(true)),
        setting("severity", severity),
        maybe("requests", effect()),
        maybe("probes", effect()),
        maybe("in_flight", one_of(&["\"finish\"", "\"fail\"", "\"hang\""])),
        rarely(setting("recovery", recovery(true))),
    ])
}
