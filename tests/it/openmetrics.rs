//! A run as a gateway's metrics: the text is what the format asks for, and its numbers are the run's.

use crate::play::model;
use failover_sim::engine::{Cause, Ending, Recorder, RequestEnd, Stage, simulate};
use failover_sim::metrics::{Closeup, Outcome, Wanted, measure};
use failover_sim::model::Model;
use failover_sim::output::openmetrics::{MetricsFile, ScrapedRun, least_samples};
use failover_sim::time::{SimDuration, SimTime};
use std::collections::{BTreeMap, BTreeSet};

const START: u64 = 1_000_000_000;

/// Something of everything: replicas, both kinds of detectors, retries, quiet errors, an alert, prices and tokens.
const BUSY: &str = r#"
    duration = "63s"
    [traffic]
    arrivals = { poisson = "40/s" }
    client_timeout = "5s"
    class.chat = { share = 1, input_tokens = { constant = 300 }, output_tokens = { lognormal = { p50 = 100, p99 = 400 } } }
    [provider.a]
    labels = { vendor = "x" }
    latency = { lognormal = { p50 = "400ms", p99 = "2s" } }
    error_rate = 0.02
    price = { input = 3.0, output = 15.0 }
    [provider.backup]
    latency = { exponential = { mean = "500ms" } }
    price = { input = 2.5, output = 10.0 }
    [fault.outage]
    on = { vendor = "x" }
    at = "20s"
    lasts = "20s"
    requests = { status = 502 }
    probes = "hang"
    in_flight = "fail"
    [gateway]
    replicas = 3
    route = { prefer = ["a", "backup"] }
    health_check = { interval = "7s", timeout = "1s" }
    detector.breaker = { consecutive = 8, eject_for = "4s" }
    retry = { attempts = 1, on = [502], delay = "50ms" }
    fee = { markup = 0.05, request = 0.0001 }
    [slo]
    objective = 0.99
    window = "30d"
    [alert.page]
    burn = 2.0
    long = "30s"
    short = "10s"
    every = "5s"
"#;

/// The text of one run's metrics.
fn exported(models: &[&Model], run: u64, step: SimDuration) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.txt");
    let runs: Vec<ScrapedRun> =
        models.iter().map(|model| ScrapedRun::play(model, 1, run, step, START)).collect();
    let samples: u64 = runs.iter().map(ScrapedRun::sample_count).sum();
    let least: u64 = models.iter().map(|model| least_samples(model, step)).sum();
    assert!(least <= samples, "{least} samples are said to be the least, and {samples} are there");
    MetricsFile::create(&path, false).unwrap().write(&runs).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count() as u64, samples);
    text
}

type Labels = BTreeMap<String, String>;

/// What was read of an exposition: by the name of a sample and its labels, values by seconds from the start.
struct Read(BTreeMap<(String, Labels), Vec<(u64, f64)>>);

impl Read {
    /// Those of this name with these labels among their own.
    fn series(&self, name: &str, labels: &[(&str, &str)]) -> Vec<(&Labels, &Vec<(u64, f64)>)> {
        let has = |of: &Labels| labels.iter().all(|(k, v)| of.get(*k).map_or("", String::as_str) == *v);
        let its = self.0.iter().filter(|((its, of), _)| its == name && has(of));
        its.map(|((_, labels), points)| (labels, points)).collect()
    }

    /// The sum of all of them at one scrape, by its time; the last one without a time.
    #[track_caller]
    fn sum(&self, name: &str, labels: &[(&str, &str)], at: Option<u64>) -> f64 {
        let value = |points: &Vec<(u64, f64)>| match at {
            None => points.last().expect("a series has samples").1,
            Some(at) => points.iter().find(|(time, _)| *time == at).expect("it was scraped then").1,
        };
        self.series(name, labels).iter().map(|(_, points)| value(points)).sum()
    }
}

/// Reads OpenMetrics text as its specification has it, and stricter: the metadata of a family before its samples, each family
/// and each of its metrics in one piece, points of a metric in order of time, and the end marked.
#[track_caller]
fn read(text: &str) -> Read {
    let body = text.strip_suffix("# EOF\n").expect("the end is marked");
    let (mut families, mut metrics) = (BTreeSet::new(), BTreeSet::new());
    let (mut family, mut kind, mut has_samples) = ("", "", false);
    let mut metric: Option<Labels> = None;
    let mut all: BTreeMap<(String, Labels), Vec<(u64, f64)>> = BTreeMap::new();
    for line in body.lines() {
        if let Some(metadata) = line.strip_prefix("# ") {
            let mut words = metadata.splitn(3, ' ');
            let [word, name, rest] = [(); 3].map(|()| words.next().expect("three parts"));
            match word {
                "TYPE" => {
                    assert!(families.insert(name), "{name} comes twice");
                    (family, kind, has_samples, metric) = (name, rest, false, None);
                    metrics.clear();
                }
                "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                "HELP" => assert!(rest.ends_with('.'), "{line}"),
                _ => panic!("{line}"),
            }
            assert!(name == family && !has_samples, "{line} is out of place");
            continue;
        }
        has_samples = true;
        let (name, labels, value, at) = sample(line);
        let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} is not of {family}"));
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "gauge" => &[""],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_count", "_sum"],
            _ => panic!("a family of type {kind}"),
        };
        assert!(suffixes.contains(&suffix), "{line}");
        assert_eq!(suffix == "_bucket", labels.contains_key("le"), "{line}");
        let whole: Labels =
            labels.iter().filter(|(k, _)| *k != "le").map(|(k, v)| (k.clone(), v.clone())).collect();
        if metric.as_ref() != Some(&whole) {
            assert!(metrics.insert(whole.clone()), "{line} is apart from the rest of its metric");
            metric = Some(whole);
        }
        let points = all.entry((name, labels)).or_default();
        assert!(points.last().is_none_or(|(before, _)| *before < at), "{line} is out of order");
        if kind != "gauge" {
            let before = points.last().map_or(0.0, |(_, value)| *value);
            assert!(value >= before, "{line} counts down from {before}");
        }
        points.push((at, value));
    }
    Read(all)
}

/// A line of a sample: its name, labels, value, and seconds from the start.
#[track_caller]
fn sample(line: &str) -> (String, Labels, f64, u64) {
    let (name, rest) = line.split_once('{').expect("labels");
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    assert!(name.chars().all(is_name) && name.starts_with(char::is_alphabetic), "{line}");
    let (mut labels, mut rest) = (Labels::new(), rest);
    loop {
        let (label, after) = rest.split_once("=\"").expect("a label has a value");
        assert!(label.chars().all(is_name), "{line}");
        let (mut value, mut chars) = (String::new(), after.char_indices());
        let end = loop {
            match chars.next().expect("a value ends") {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next().expect("something is escaped").1 {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    c => panic!("\\{c} in {line}"),
                }),
                (_, c) => value.push(c),
            }
        };
        assert!(labels.insert(label.to_owned(), value).is_none(), "{label} twice in {line}");
        match &after[end + 1..] {
            more if more.starts_with(',') => rest = &more[1..],
            more => {
                let values: Vec<&str> = more.strip_prefix("} ").expect("the labels end").split(' ').collect();
                let [value, at] = values[..] else { panic!("{line}") };
                let at: u64 = at.parse().unwrap();
                return (name.to_owned(), labels, value.parse().unwrap(), at - START);
            }
        }
    }
}

fn secs(seconds: u64) -> SimDuration {
    SimDuration::from_secs(seconds)
}

fn outcome(model: &Model, run: u64) -> Outcome {
    measure(model, 1, run, Wanted { timeline: true, ..Wanted::METRICS }, None)
}

#[test]
fn the_last_scrape_has_the_outcome() {
    let model = model(BUSY);
    for run in 0..3 {
        let outcome = outcome(&model, run);
        assert!(outcome.failures.total() > 0 && outcome.probe_count > 0 && outcome.bill.is_some());
        assert_eq!(assert_adds_up(&model, run).1, outcome.probe_count);
    }
}

/// Reads the export of a run, checks what it comes to against the outcome, and returns how many samples it has and how many
/// probes it counts; nothing is checked of a run with very many samples.
pub fn assert_adds_up(model: &Model, run: u64) -> (u64, u64) {
    let samples = ScrapedRun::play(model, 1, run, secs(5), START).sample_count();
    if samples > 100_000 {
        return (samples, 0);
    }
    let (read, outcome) = (read(&exported(&[model], run, secs(5))), outcome(model, run));
    let last = |name, labels: &[(&str, &str)]| read.sum(name, labels, None);
    let requests = |labels: &[(&str, &str)]| last("failover_sim_requests_total", labels);
    assert_eq!(requests(&[("outcome", "succeeded")]), outcome.succeeded_count as f64);
    for cause in Cause::ALL {
        assert_eq!(requests(&[("cause", cause.name())]), outcome.failures.of_cause(cause) as f64);
    }
    for stage in Stage::ALL {
        assert_eq!(requests(&[("stage", stage.name())]), outcome.failures.of_stage(stage) as f64);
    }
    assert_eq!(last("failover_sim_requests_in_flight", &[]), outcome.open_count as f64);
    assert_eq!(last("failover_sim_attempts_total", &[]), outcome.attempt_count as f64);
    // One in flight when the run is over has no result.
    let probes = last("failover_sim_probes_total", &[]);
    assert!(probes <= outcome.probe_count as f64);
    let false_ejections = last("failover_sim_truth_false_ejections_total", &[]);
    assert_eq!(false_ejections, outcome.false_ejection_count as f64);
    let histogram = last("failover_sim_request_duration_seconds_count", &[("outcome", "succeeded")]);
    assert_eq!(histogram, outcome.succeeded_count as f64);
    assert_eq!(last("failover_sim_error_budget_requests", &[]), outcome.error_budget.unwrap_or(0.0));
    if let Some(bill) = outcome.bill {
        let near = |sum: f64, exact: f64| {
            assert!((sum - exact).abs() <= 1e-12 * exact.abs(), "{sum} for {exact}");
        };
        near(last("failover_sim_cost_usd_total", &[]), bill.total().0 - bill.fee.0);
        near(last("failover_sim_gateway_fee_usd_total", &[]), bill.fee.0);
        for (kind, tokens) in [
            ("input", bill.used(|usage| usage.input_tokens)),
            ("output", bill.used(|usage| usage.output_tokens)),
        ] {
            assert_eq!(last("failover_sim_billed_tokens_total", &[("type", kind)]), tokens as f64);
        }
    }
    (samples, probes as u64)
}

/// Keeps all ends of requests.
#[derive(Default)]
struct Ends(Vec<RequestEnd>);

impl Recorder for Ends {
    fn request_ended(&mut self, end: &RequestEnd) {
        self.0.push(*end);
    }
}

/// Each request counts at the first scrape that is not before its end.
#[test]
fn every_scrape_counts_what_has_ended_by_then() {
    let model = model(BUSY);
    let mut ends = Ends::default();
    simulate(&model, 1, 1, &mut ends);
    let read = read(&exported(&[&model], 1, secs(5)));
    let scrapes = &read.series("failover_sim_attempts_total", &[])[0].1;
    let times: Vec<u64> = scrapes.iter().map(|(at, _)| *at).collect();
    let last = ends.0.iter().map(|end| end.ended.as_nanos()).max().unwrap();
    assert_eq!(times, (0..times.len() as u64).map(|scrape| 5 * scrape).collect::<Vec<_>>());
    assert!(times.len() > 13 && times[times.len() - 1] * 1_000_000_000 >= last, "until the last has ended");
    for at in times {
        let now = SimTime::from_nanos(at * 1_000_000_000);
        let count = |is: &dyn Fn(&&RequestEnd) -> bool| ends.0.iter().filter(is).count() as f64;
        let sum = |name, labels: &[(&str, &str)]| read.sum(name, labels, Some(at));
        let failed = count(&|end| end.ended <= now && matches!(end.ending, Ending::Failed(..)));
        assert_eq!(sum("failover_sim_requests_total", &[("outcome", "failed")]), failed, "after {at} s");
        for replica in 0..3 {
            let in_flight = count(&|end| end.replica == replica && end.arrived <= now && end.ended > now);
            let label = replica.to_string();
            assert_eq!(sum("failover_sim_requests_in_flight", &[("replica", &label)]), in_flight);
        }
        let quick = secs(1).scaled(0.64);
        let quick = count(&|end| {
            end.ended <= now && end.ending == Ending::Succeeded && end.ended.since(end.arrived) <= quick
        });
        let name = "failover_sim_request_duration_seconds_bucket";
        assert_eq!(sum(name, &[("outcome", "succeeded"), ("le", "0.64")]), quick, "after {at} s");
        let ended = |end: &&RequestEnd| end.ended <= now;
        assert_eq!(sum(name, &[("le", "+Inf")]), count(&ended));
        let took = ends.0.iter().filter(ended).map(|end| end.ended.since(end.arrived).as_secs_f64());
        let exact: f64 = took.sum();
        assert!((sum("failover_sim_request_duration_seconds_sum", &[]) - exact).abs() < 1e-6, "after {at} s");
    }
}

/// A closer look at the same run, by another recorder, has who believed what and when.
#[test]
fn states_are_those_of_their_moment() {
    let model = model(BUSY);
    let closeup = Closeup::of(&model, 1, 1, 60);
    let read = read(&exported(&[&model], 1, secs(1)));
    let mut ejected_seconds = 0.0;
    for at in 0..=63 {
        let now = SimTime::from_nanos(at * 1_000_000_000);
        for replica in 0..3 {
            for provider in &model.providers {
                let is_its = |e: &&failover_sim::metrics::Ejection| {
                    e.replica == replica
                        && model.provider(e.provider).name == provider.name
                        && e.start <= now
                        && now < e.end
                };
                let ejection = closeup.ejections.iter().find(is_its);
                let replica = replica.to_string();
                let labels = [("replica", replica.as_str()), ("provider", &provider.name)];
                let sum =
                    |name, more: &[(&str, &str)]| read.sum(name, &[&labels[..], more].concat(), Some(at));
                assert_eq!(
                    sum("failover_sim_provider_admitted", &[]),
                    f64::from(ejection.is_none()),
                    "{at} s"
                );
                let by = |is: bool| f64::from(is);
                let (checked, broken) = (
                    ejection.is_some_and(|e| e.by.has_health_check()),
                    ejection.is_some_and(|e| e.by.has_detector(0)),
                );
                assert_eq!(sum("failover_sim_provider_ejected", &[("kind", "active")]), by(checked));
                assert_eq!(sum("failover_sim_provider_ejected", &[("detector", "breaker")]), by(broken));
                ejected_seconds += by(checked) + by(broken);
            }
        }
        let faults = read.sum("failover_sim_truth_faults_active", &[], Some(at));
        assert_eq!(faults, f64::from((20..40).contains(&at)), "the fault after {at} s");
    }
    assert!(ejected_seconds > 30.0, "{ejected_seconds}");
    let fired: f64 =
        (0..=63).map(|at| read.sum("failover_sim_alert_firing", &[("alert", "page")], Some(at))).sum();
    assert!(fired > 0.0, "the alert fires");
}

/// Scenarios are beside each other in each family, and what one of them does not have is left out for it. Their names are those
/// of files, which may have all characters that the format escapes.
#[test]
fn scenarios_share_families() {
    let busy = model(BUSY);
    let plain = BUSY.split("[slo]").next().unwrap().replace("replicas = 3", "replicas = 1");
    let odd_name = "a \"b\\c\nd";
    let plain = Model { name: odd_name.to_owned(), ..model(&plain) };
    let both = exported(&[&busy, &plain], 0, secs(15));
    let read = read(&both);
    for (model, name) in [(&busy, busy.name.as_str()), (&plain, odd_name)] {
        let succeeded = outcome(model, 0).succeeded_count as f64;
        let labels = [("scenario", name), ("outcome", "succeeded")];
        assert_eq!(read.sum("failover_sim_requests_total", &labels, None), succeeded);
    }
    assert_eq!(read.series("failover_sim_alert_firing", &[]).len(), 1);
    assert_eq!(both, exported(&[&busy, &plain], 0, secs(15)), "the same each time");
}

/// Nothing is probed, priced, watched or broken: families without metrics are not there at all.
#[test]
fn what_a_scenario_does_not_have_is_not_named() {
    let quiet = model(
        "duration = \"30s\"\ntraffic = { arrivals = { constant = \"10/s\" } }\nprovider.a = { latency = { constant = \"2s\" } }",
    );
    let text = exported(&[&quiet], 0, secs(10));
    for absent in
        ["probes", "provider_ejected", "cost", "fee", "alert", "slo", "budget", "switch", "gateway_fault"]
    {
        assert!(!text.contains(absent), "{absent}");
    }
    let read = read(&text);
    let succeeded = |at| read.sum("failover_sim_requests_total", &[], Some(at));
    // The one that arrives 8 s after the start ends at the scrape, and is seen by it.
    assert_eq!([0, 10, 20, 30, 40].map(succeeded), [0.0, 80.0, 180.0, 280.0, 300.0]);
}
