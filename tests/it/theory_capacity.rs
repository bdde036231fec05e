//! Queues of providers through the whole engine, against what queueing theory says.

use crate::play::{Log, assert_moments, model, on_path};
use failover_sim::engine::{Ending, Path, RequestEnd, Stage, simulate_on};
use failover_sim::time::SimTime;

const RUNS: u64 = 24;

/// A provider with these settings that gets so many requests a second for 15 minutes.
fn queue(rate: f64, provider: &str) -> String {
    format!("duration = \"15m\"\ntraffic.arrivals = {{ poisson = \"{rate}/s\" }}\n[provider.a]\n{provider}\n")
}

/// The requests of a run in order of arrival, without those that find it still filling up.
fn settled(toml: &str, run: u64) -> Vec<RequestEnd> {
    let mut log = Log::default();
    simulate_on(Path::Plain, &model(toml), 1, run, &mut log);
    log.requests.sort_by_key(|request| request.ordinal);
    log.requests.retain(|request| request.arrived > SimTime::from_nanos(60_000_000_000));
    log.requests
}

/// How long each request of a run waits, in seconds: what it takes longer than with nobody before it. A request's own service is
/// the same in both, as draws belong to requests.
fn waits(rate: f64, latency: &str, capacity: &str, run: u64) -> Vec<f64> {
    let took = |toml: String| -> Vec<f64> {
        let requests = settled(&toml, run);
        requests.iter().map(|request| request.ended.since(request.arrived).as_secs_f64()).collect()
    };
    let alone = took(queue(rate, &format!("latency = {latency}")));
    let queued = took(queue(rate, &format!("latency = {latency}\ncapacity = {capacity}")));
    queued.iter().zip(&alone).map(|(queued, alone)| queued - alone).collect()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// The mean over each run of `of` the wait, held against what is expected.
#[track_caller]
fn assert_waits(latency: &str, capacity: &str, rate: f64, of: impl Fn(f64) -> f64, expected: f64) {
    let means: Vec<f64> =
        (0..RUNS).map(|run| mean(waits(rate, latency, capacity, run).into_iter().map(&of))).collect();
    assert_moments(&format!("{latency}, {capacity}"), &means, expected, None);
}

/// B = aB / (k + aB).
fn erlang_b(slots: u32, load: f64) -> f64 {
    (1..=slots).fold(1.0, |b, k| load * b / (f64::from(k) + load * b))
}

const UNIT: &str = "{ exponential = { mean = \"1s\" } }";

/// What ten slots without a queue turn away of a load of 12 is Erlang B's 0.302, whatever the distribution of service.
#[test]
fn what_is_turned_away_is_erlang_bs() {
    let blocking = erlang_b(10, 12.0);
    assert!((blocking - 0.3019).abs() < 5e-5, "{blocking}");
    for latency in [UNIT, "{ constant = \"1s\" }"] {
        let toml = queue(12.0, &format!("latency = {latency}\ncapacity = {{ slots = 10, queue = 0 }}"));
        let is_lost = |request: &RequestEnd| match request.ending {
            Ending::Failed(_, stage) => {
                assert_eq!((stage, request.status), (Stage::OverQuota, Some(503)));
                1.0
            }
            _ => 0.0,
        };
        let shares: Vec<f64> = (0..RUNS).map(|run| mean(settled(&toml, run).iter().map(is_lost))).collect();
        assert_moments(latency, &shares, blocking, None);
    }
}

/// M/M/10 at 8 a second: 0.409 of them wait, 0.205 s in the mean, and longer than t with C exp(-(c - a) t).
#[test]
fn who_waits_and_for_how_long_is_erlang_cs() {
    let (c, a) = (10.0, 8.0);
    let b = erlang_b(10, a);
    let waiting = c * b / (c - a * (1.0 - b));
    assert!((waiting - 0.4092).abs() < 5e-5, "{waiting}");
    let ten = "{ slots = 10 }";
    assert_waits(UNIT, ten, a, |wait| f64::from(wait > 0.0), waiting);
    assert_waits(UNIT, ten, a, |wait| wait, waiting / (c - a));
    assert_waits(UNIT, ten, a, |wait| f64::from(wait > 0.5), waiting * libm::exp(-(c - a) * 0.5));
}

/// M/G/1, Pollaczek and Khinchine: the mean wait is rate E[S^2] / (2 (1 - load)).
#[test]
fn one_slot_makes_pollaczek_and_khinchine_s_wait() {
    let pollaczek_khinchine = |rate: f64, mean: f64, square: f64| rate * square / (2.0 * (1.0 - rate * mean));
    let one = "{ slots = 1 }";
    assert_waits(UNIT, one, 0.6, |wait| wait, pollaczek_khinchine(0.6, 1.0, 2.0));
    assert_waits("{ constant = \"1s\" }", one, 0.6, |wait| wait, pollaczek_khinchine(0.6, 1.0, 1.0));
    // E[S] = m exp(s^2 / 2) and E[S^2] = m^2 exp(2 s^2), where the 99th percentile is m exp(2.326 s).
    let s = libm::log(4.0) / 2.326_347_874_040_840_8;
    let (first, second) = (0.8 * libm::exp(s * s / 2.0), 0.64 * libm::exp(2.0 * s * s));
    let lognormal = "{ lognormal = { p50 = \"800ms\", p99 = \"3200ms\" } }";
    assert_waits(lognormal, one, 0.6, |wait| wait, pollaczek_khinchine(0.6, first, second));
}

/// Little: so many wait, at moments that nobody chose, as come in the time that one waits.
#[test]
fn as_many_wait_as_come_while_one_waits() {
    let differences: Vec<f64> = (0..RUNS)
        .map(|run| {
            let rate = 0.7;
            let toml =
                queue(rate, &format!("latency = {UNIT}\ncapacity = {{ slots = 1, discipline = \"lifo\" }}"));
            let requests = settled(&toml, run);
            let is_there = |second: u64, request: &&RequestEnd| {
                let at = SimTime::from_nanos(second * 1_000_000_000);
                request.arrived <= at && at < request.ended
            };
            // By then those who came before the first one that is counted are gone.
            let there = |second| requests.iter().filter(|request| is_there(second, request)).count() as f64;
            let took = |request: &RequestEnd| request.ended.since(request.arrived).as_secs_f64();
            mean((120..880_u64).collect::<Vec<_>>().into_iter().map(there))
                - rate * mean(requests.iter().map(took))
        })
        .collect();
    assert_moments("Little's law", &differences, 0.0, None);
}

/// M/M/1 at 0.5: the order of service leaves the mean wait, 1 s, as it is; E[W^2] is 4 where the first one comes first, and
/// 1 / (1 - 0.5) times as much where the last one does.
#[test]
fn last_come_first_served_waits_as_long_in_the_mean_and_varies_more() {
    let [fifo, lifo] = ["fifo", "lifo"].map(|order| format!("{{ slots = 1, discipline = \"{order}\" }}"));
    assert_waits(UNIT, &fifo, 0.5, |wait| wait, 1.0);
    assert_waits(UNIT, &lifo, 0.5, |wait| wait, 1.0);
    assert_waits(UNIT, &fifo, 0.5, |wait| wait * wait, 4.0);
    assert_waits(UNIT, &lifo, 0.5, |wait| wait * wait, 8.0);
}

/// What becomes of requests a second apart at one slot that works for 2.5 s: when each ended, in seconds after the first.
fn by_hand(seconds: u32, provider: &str, more: &str) -> Vec<(f64, Option<u16>)> {
    let toml = format!(
        r#"
        duration = "{seconds}s"
        traffic.arrivals = {{ constant = "1/s" }}
        [provider.a]
        latency = {{ constant = "2500ms" }}
        {provider}
        {more}
        "#
    );
    let mut requests = Log::of(&toml, 0).requests;
    requests.sort_by_key(|request| request.ordinal);
    let first = requests[0].arrived;
    requests.iter().map(|r| (r.ended.since(first).as_secs_f64(), r.status)).collect()
}

#[test]
fn turns_by_hand() {
    let ends = |provider: &str| -> Vec<f64> {
        by_hand(5, provider, "").into_iter().map(|(ended, _)| ended).collect()
    };
    assert_eq!(ends("capacity = { slots = 1 }"), [2.5, 5.0, 7.5, 10.0, 12.5]);
    // At 2.5 the one of 2 s is served, at 5 that of 4 s, then 3 and 1.
    assert_eq!(ends("capacity = { slots = 1, discipline = \"lifo\" }"), [2.5, 12.5, 5.0, 10.0, 7.5]);
    // Two slots: the one of 2 s waits until 2.5 and that of 3 until 3.5; that of 4 comes back to the first.
    assert_eq!(ends("capacity = { slots = 2, discipline = \"lifo\" }"), [2.5, 3.5, 5.0, 6.0, 7.5]);
}

#[test]
fn who_is_turned_away_by_hand() {
    let full = (Some(429), None);
    // One waits; that of 2 s finds the queue full, that of 3 s waits in the place of that of 1 s.
    for order in ["fifo", "lifo"] {
        let capacity = format!("capacity = {{ slots = 1, queue = 1, discipline = \"{order}\", full = 429 }}");
        assert_eq!(
            by_hand(5, &capacity, ""),
            [(2.5, full.1), (5.0, full.1), (2.0, full.0), (7.5, full.1), (4.0, full.0)],
            "{order}"
        );
    }
    // Nobody waits longer than 1.2 s: those of 1 s and 3 s are turned away then, and those of 2 s and 4 s served.
    let impatient = "capacity = { slots = 1, queue_timeout = \"1200ms\", full = 529 }";
    assert_eq!(
        by_hand(5, impatient, ""),
        [(2.5, None), (2.2, Some(529)), (5.0, None), (4.2, Some(529)), (7.5, None)]
    );
    let impatient = impatient.replace("slots = 1", "slots = 1, discipline = \"lifo\"");
    assert_eq!(
        by_hand(5, &impatient, ""),
        [(2.5, None), (2.2, Some(529)), (5.0, None), (4.2, Some(529)), (7.5, None)]
    );
    // The second is told to come again in 4 s: at 5 it finds the slot free.
    let told = "capacity = { slots = 1, queue = 0, retry_after = \"4s\" }";
    let heeds = "[gateway.retry]\nattempts = 1\non = [503]\ndelay = \"1s\"\nretry_after = \"1m\"";
    assert_eq!(by_hand(2, told, heeds), [(2.5, None), (7.5, None)]);
}

/// What gives up while it waits is worked on or dropped when its turn comes, whichever end of the line that is.
#[test]
fn abandoned_work_by_hand() {
    let ends = |abandoned: &str| {
        let toml = format!(
            r#"
            duration = "5s"
            traffic = {{ arrivals = {{ constant = "1/s" }}, client_timeout = "4s" }}
            [provider.a]
            latency = {{ constant = "2500ms" }}
            capacity = {{ slots = 1, discipline = "lifo", abandoned = "{abandoned}" }}
            "#
        );
        let model = model(&toml);
        let outcome = on_path(&model, Path::Plain, 1, 0);
        let mut requests = Log::of(&toml, 0).requests;
        requests.sort_by_key(|request| request.ordinal);
        assert_eq!(outcome.request_count, 5);
        requests.iter().map(|r| r.ended.since(r.arrived).as_secs_f64()).collect::<Vec<_>>()
    };
    // Served at 0, 2.5 and 5; the others are left after 4 s, and nobody is there to tell the difference.
    assert_eq!(ends("runs"), [2.5, 4.0, 3.0, 4.0, 3.5]);
    assert_eq!(ends("dropped"), [2.5, 4.0, 3.0, 4.0, 3.5]);
}

/// Warm at the start; a backup that nobody has asked for 5 s takes 3 s to start, and all who come meanwhile wait for it.
#[test]
fn a_cold_provider_starts_first() {
    let toml = r#"
        duration = "30s"
        traffic = { arrivals = { constant = "1/s" } }
        provider.a = { latency = { constant = "1ms" } }
        provider.b = { latency = { constant = "500ms" }, cold = { after = "5s", start = "3s" } }
        gateway = { route = { prefer = ["a", "b"] }, fallback = {} }
        fault.warm = { on = { name = "a" }, at = "2s", lasts = "1s" }
        fault.cold = { on = { name = "a" }, at = "15s", lasts = "5s" }
        fault.still_warm = { on = { name = "a" }, at = "23s", lasts = "1s" }
    "#;
    let mut requests = Log::of(toml, 0).requests;
    requests.sort_by_key(|request| request.ordinal);
    let took = |i: usize| requests[i].ended.since(requests[i].arrived).as_millis_f64();
    assert_eq!([took(1), took(2)], [1.0, 500.0]);
    assert_eq!([15, 16, 17, 18, 19].map(took), [3500.0, 2500.0, 1500.0, 500.0, 500.0]);
    // Less than 5 s after the last one.
    assert_eq!(took(23), 500.0);
}
