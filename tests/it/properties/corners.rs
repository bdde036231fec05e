//! Scenarios drawn at random in which things coincide, or are as large or as small as they may be.
//!
//! Instants lie on a grid of a quarter of a second, on which constant rates and latencies lie, too, or a nanosecond
//! beside it. Nothing listens to good ends but, in some, detectors: the fast paths take most of them.

use crate::play::model;
use failover_sim::model::{Arrivals, Model, Rate, Trace};
use failover_sim::time::SimTime;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Requests that all ask for the same, and providers that charge for whatever they can.
const CLASS: &str =
    "[traffic.class.c]\ninput_tokens = { constant = 7 }\noutput_tokens = { constant = 100 }\n";
const PRICE: &str = "price = { input = 2.5, output = 10.0, request = 0.001 }
    billing = { errors = \"input\", cut = \"delivered\", abandoned = \"delivered\" }\n";

const GRID: u64 = 250_000_000;

/// A scenario that is to be played with recorded arrivals instead of its own, if there are any.
#[derive(Debug, Clone)]
pub struct Corner {
    toml: String,
    trace: Option<Trace>,
    pub run: u64,
}

impl Corner {
    pub fn model(&self) -> Model {
        let mut model = model(&self.toml);
        if let Some(trace) = &self.trace {
            model.traffic.arrivals = Arrivals::Trace(trace.clone());
        }
        model
    }
}

pub fn corners() -> impl Strategy<Value = Corner> {
    let run = prop_oneof![4 => 0..1000u64, 1 => u64::MAX - 1..=u64::MAX];
    let trace = option::weighted(0.25, (vec((0..40u64, 0..2u64), 2..80), option::of(1..60u32)));
    (scenario(), trace, run).prop_map(|(toml, trace, run)| {
        let trace = trace.and_then(|(times, rate)| recorded(&times, rate));
        Corner { toml, trace, run }
    })
}

/// Arrivals on the grid or beside it, many of them at once.
fn recorded(times: &[(u64, u64)], rate: Option<u32>) -> Option<Trace> {
    let mut times: Vec<u64> = times.iter().map(|(step, more)| step * GRID + more).collect();
    times.sort_unstable();
    let first = times[0];
    let times: Vec<SimTime> = times.iter().map(|nanos| SimTime::from_nanos(nanos - first)).collect();
    Trace::new(times, rate.and_then(|rate| Rate::new(f64::from(rate) / 4.0)))
}

fn scenario() -> impl Strategy<Value = String> {
    prop_oneof![1 => Just(1u64), 1 => Just(GRID), 2 => Just(10 * GRID + 1), 12 => Just(40 * GRID)]
        .prop_flat_map(|duration| {
            let faults = vec(fault(duration), 0..5);
            let operator = vec(instant(duration), 0..3);
            (traffic(), vec(provider(), 3), faults, operator, gateway(), any::<bool>()).prop_map(
                move |(traffic, providers, faults, operator, gateway, has_prices)| {
                    let (class, price) = if has_prices { (CLASS, PRICE) } else { ("", "") };
                    let named =
                        |table: &str, name: String, body: &String| format!("[{table}.{name}]\n{body}");
                    let providers = (0u8..).zip(&providers);
                    let providers: String = providers
                        .map(|(i, body)| {
                            named("provider", char::from(b'a' + i).to_string(), &format!("{body}{price}"))
                        })
                        .collect();
                    let faults: String = (0..)
                        .zip(&faults)
                        .map(|(i, body): (u32, _)| named("fault", format!("f{i}"), body))
                        .collect();
                    let operator: String = (0..)
                        .zip(&operator)
                        .map(|(i, at): (u32, _)| {
                            let avoid = if i % 2 == 0 { "\"a\"" } else { "\"b\", \"a\"" };
                            named("operator", format!("o{i}"), &format!("at = {at}\navoid = [{avoid}]\n"))
                        })
                        .collect();
                    format!(
                        "duration = \"{duration}ns\"\n{traffic}{class}{providers}{faults}{operator}{gateway}"
                    )
                },
            )
        })
}

/// Before the end of arrivals: the start, the last nanosecond, or on the grid or beside it.
fn instant(duration: u64) -> impl Strategy<Value = String> + Clone {
    let on_grid = (0..40u64, 0..3u64).prop_map(|(step, off)| (step * GRID + off).saturating_sub(1));
    prop_oneof![1 => Just(0), 1 => Just(duration - 1), 6 => on_grid]
        .prop_map(move |nanos| format!("\"{}ns\"", nanos % duration))
}

/// A length of time above zero.
fn length() -> impl Strategy<Value = String> + Clone {
    let on_grid = (1..12u64, 0..3u64).prop_map(|(steps, off)| steps * GRID + off - 1);
    prop_oneof![1 => Just(1), 5 => on_grid, 1 => Just(3_600_000_000_000)]
        .prop_map(|nanos| format!("\"{nanos}ns\""))
}

fn traffic() -> impl Strategy<Value = String> {
    let rate = select(&["0.01", "2", "4", "4", "20", "20", "100"][..]);
    (select(&["constant", "poisson"][..]), rate, option::weighted(0.3, length())).prop_map(
        |(kind, rate, timeout)| {
            format!("[traffic]\narrivals = {{ {kind} = \"{rate}/s\" }}\n{}", maybe("client_timeout", timeout))
        },
    )
}

fn maybe(name: &str, value: Option<impl std::fmt::Display>) -> String {
    value.map_or(String::new(), |value| format!("{name} = {value}\n"))
}

fn latency() -> impl Strategy<Value = String> {
    let one = select(&["0ns", "1ns", "250ms", "1s", "1h"][..]);
    prop_oneof![
        3 => one.prop_map(|latency| format!("{{ constant = \"{latency}\" }}")),
        1 => select(&["1ns", "200ms", "30s"][..])
            .prop_map(|mean| format!("{{ exponential = {{ mean = \"{mean}\" }} }}")),
        2 => select(&[("1s", "1s"), ("1ns", "2ns"), ("250ms", "1s"), ("3s", "3000000001ns"), ("1ms", "1h")][..])
            .prop_map(|(p50, p99)| format!("{{ lognormal = {{ p50 = \"{p50}\", p99 = \"{p99}\" }} }}")),
        1 => select(&[
            "p50 = \"250ms\", p95 = \"250ms\", p99 = \"1s\"",
            "p50 = \"250ms\", p95 = \"1s\", p99 = \"1s\", max = \"1s\"",
            "p50 = \"1ns\", p95 = \"2ns\", p99 = \"1h\"",
        ][..])
        .prop_map(|of| format!("{{ percentiles = {{ {of} }} }}")),
    ]
}

fn provider() -> impl Strategy<Value = String> {
    let error_rate = prop_oneof![6 => Just("0.0"), 1 => Just("0.1"), 1 => Just("1.0")];
    let first_token = option::weighted(0.25, select(&["0.0", "0.5"][..]));
    let capacity = option::weighted(0.1, select(&["{ slots = 1, queue = 2 }", "{ slots = 3 }"][..]));
    (latency(), error_rate, first_token, capacity).prop_map(|(latency, error_rate, first_token, capacity)| {
        format!(
            "latency = {latency}\nerror_rate = {error_rate}\n{}{}",
            maybe("first_token", first_token),
            maybe("capacity", capacity)
        )
    })
}

fn effect() -> impl Strategy<Value = &'static str> {
    const EFFECTS: &[&str] = &[
        "\"unaffected\"",
        "\"refuse\"",
        "\"refuse\"",
        "{ status = 503 }",
        "\"hang\"",
        "\"hang\"",
        "\"drop\"",
        "\"pause\"",
        "{ slow = 2.0 }",
        "{ slow = 0.3 }",
        "{ slow = 1e4 }",
        "{ cut = 0.5 }",
        "{ truncate = 0.0 }",
        "{ stall = 1.0 }",
    ];
    select(EFFECTS)
}

fn fault(duration: u64) -> impl Strategy<Value = String> {
    let share = || prop_oneof![1 => Just("0.0"), 2 => Just("0.3"), 6 => Just("1.0")];
    let on = prop_oneof![3 => Just("a"), 1 => Just("b")];
    let in_flight = select(&["finish", "fail", "hang"][..]);
    (on, instant(duration), length(), effect(), effect(), in_flight, share(), share()).prop_map(
        |(on, at, lasts, requests, probes, in_flight, share, probe_share)| {
            format!(
                "on = {{ name = \"{on}\" }}\nat = {at}\nlasts = {lasts}\nrequests = {requests}\nprobes = {probes}
                in_flight = \"{in_flight}\"\nfraction = {share}\nprobe_fraction = {probe_share}\n"
            )
        },
    )
}

fn gateway() -> impl Strategy<Value = String> {
    let route = select(
        &[
            "{ prefer = [\"a\", \"b\"] }",
            "{ prefer = [\"a\", \"b\"] }",
            "{ prefer = [\"a\", \"b\", \"c\"] }",
            "{ prefer = [\"a\"] }",
            "{ weighted = { a = 1.0, b = 1.0 } }",
            "{ sticky = { users = 3, among = [\"a\", \"b\"] } }",
        ][..],
    );
    let tried_again = prop_oneof![
        9 => Just(""),
        1 => Just("fallback = {}\n"),
        1 => Just("retry = { attempts = 1, on = [\"any\"], delay = \"0s\" }\n"),
        1 => Just("retry = { attempts = 2, on = [\"any\"], to = \"any\", delay = \"250ms\" }\n"),
    ];
    let ejected = select(&["fail", "fail", "wait", "ignore_health"][..]);
    let seen = select(
        &[
            "",
            "",
            "propagation = { delay = \"250ms\" }\n",
            "propagation = { ttl = \"2s\" }\n",
            "health = { shared = \"2s\" }\n",
            "propagation = { merge_window = \"500ms\" }\n",
            "panic_below = 0.5\n",
            "slow_start = \"2s\"\n",
        ][..],
    );
    let timeouts =
        option::weighted(0.25, (select(&["attempt", "first_token", "request", "idle"][..]), length()))
            .prop_map(|timer| {
                timer.map_or(String::new(), |(timer, t)| format!("timeouts = {{ {timer} = {t} }}\n"))
            });
    let check = (1..8u64, length(), option::weighted(0.2, 1..4u64), 1..3u32, 1..3u32, latency());
    let check = option::weighted(0.8, check).prop_map(|check| {
        check.map_or(String::new(), |(interval, timeout, no_traffic, eject, readmit, latency)| {
            let no_traffic = no_traffic.map(|steps| format!("\"{}ms\"", 250 * steps));
            format!(
                "[gateway.health_check]\ninterval = \"{}ms\"\ntimeout = {timeout}\neject_after = {eject}
                readmit_after = {readmit}\nlatency = {latency}\nfirst_probe = {{ at = \"250ms\" }}\n{}",
                250 * interval,
                maybe("interval_no_traffic", no_traffic)
            )
        })
    });
    let trips = prop_oneof![
        3 => (1..4u32).prop_map(|row| format!("consecutive = {row}\n")),
        1 => select(&[
            "count = 2\nwindow = { sliding = \"2s\" }\n",
            "ratio = { at_least = 0.5, min_calls = 3 }\nwindow = { calls = 4 }\n",
        ][..])
        .prop_map(str::to_owned),
    ];
    let detector = option::weighted(0.4, (trips, length(), select(&["", "half_open = {}\n"][..]))).prop_map(
        |detector| {
            detector.map_or(String::new(), |(trips, eject_for, more)| {
                format!("[gateway.detector.d]\n{trips}eject_for = {eject_for}\nstale = \"counts\"\n{more}")
            })
        },
    );
    (1..4u32, route, tried_again, ejected, seen, timeouts, check, detector).prop_map(
        |(replicas, route, tried_again, ejected, seen, timeouts, check, detector)| {
            let tried_again = match route.contains("prefer = [\"a\", ") {
                true => tried_again,
                false => tried_again.strip_prefix("fallback = {}\n").unwrap_or(tried_again),
            };
            format!(
                "[gateway]\nreplicas = {replicas}\nroute = {route}\nall_ejected = \"{ejected}\"
                {tried_again}{seen}{timeouts}{check}{detector}"
            )
        },
    )
}
