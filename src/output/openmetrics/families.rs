//! What is exported: the one table of metric families, and what each has to say of a run.

use super::ScrapedRun;
use super::recorder::{ByScrape, Durations, ScrapeRecorder, scrape_of};
use crate::engine::{CallKind, Usage};
use crate::metrics::{Usd, charge, gateway_fee};
use crate::model::ProviderId;
use crate::time::{SimDuration, SimTime};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Upper bounds of the buckets of durations, in seconds: those that OpenTelemetry advises for
/// `gen_ai.client.operation.duration`, and one between each two, so that a quantile is within a third of the truth.
///
/// Source: OpenTelemetry semantic conventions, "Generative AI client metrics".
pub(super) const BUCKET_SECONDS: [f64; 28] = [
    0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.32, 0.48, 0.64, 0.96, 1.28, 1.92, 2.56,
    3.84, 5.12, 7.68, 10.24, 15.36, 20.48, 30.72, 40.96, 61.44, 81.92, 122.88,
];

/// Samples of one histogram at one scrape: its buckets, their count and their sum.
pub(super) const HISTOGRAM_SAMPLES: u64 = BUCKET_SECONDS.len() as u64 + 3;

/// What kind of metrics a family has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

impl Kind {
    /// As a `# TYPE` line has it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Info => "info",
        }
    }

    /// What its samples have behind the family's name; those of a histogram differ.
    pub const fn suffix(self) -> &'static str {
        match self {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        }
    }
}

/// The metrics of a family in a run.
type Of = for<'a> fn(&'a ScrapedRun) -> Vec<Metric<'a>>;

/// Metrics of one name.
pub(super) struct Family {
    pub name: &'static str,
    pub kind: Kind,
    /// The last part of the name, where it is a unit.
    pub unit: Option<&'static str>,
    pub help: &'static str,
    pub of: Of,
}

/// One labelled metric of a run; which scenario it is of, its file says.
pub(super) struct Metric<'a> {
    pub labels: Vec<(&'static str, Cow<'a, str>)>,
    pub points: Points<'a>,
}

/// What a metric has at each scrape.
pub(super) enum Points<'a> {
    /// The sum of what came up to then.
    Counts(Cow<'a, ByScrape<u64>>),
    /// What it was set to last.
    States(Cow<'a, ByScrape<u64>>),
    /// The same.
    Amounts(ByScrape<f64>),
    /// The sum of what came up to then.
    Durations(&'a ByScrape<Durations>),
}

impl Metric<'_> {
    /// Samples at one scrape.
    pub fn samples(&self) -> u64 {
        if matches!(self.points, Points::Durations(_)) { HISTOGRAM_SAMPLES } else { 1 }
    }
}

const fn counter(name: &'static str, help: &'static str, of: Of) -> Family {
    Family { name, kind: Kind::Counter, unit: None, help, of }
}

const fn gauge(name: &'static str, help: &'static str, of: Of) -> Family {
    Family { name, kind: Kind::Gauge, unit: None, help, of }
}

/// All families. Those that begin with `failover_sim_truth` know what no gateway does.
pub(super) const FAMILIES: [Family; 20] = [
    Family {
        name: "failover_sim_run",
        kind: Kind::Info,
        unit: None,
        help: "The simulated run that all metrics of this scenario are of.",
        of: run_info,
    },
    counter(
        "failover_sim_requests",
        "Requests that have ended, by the provider of the last attempt. The stage is the simulator's: no gateway knows it.",
        requests,
    ),
    gauge("failover_sim_requests_in_flight", "Requests that have arrived and not ended.", requests_in_flight),
    Family {
        name: "failover_sim_request_duration_seconds",
        kind: Kind::Histogram,
        unit: Some("seconds"),
        help: "How long requests took, from their arrival to their end.",
        of: durations,
    },
    counter("failover_sim_attempts", "Attempts sent to a provider, retries and fallbacks included.", |run| {
        let metric = |(provider, counts): (&ProviderId, _)| counted([run.provider(*provider)], counts);
        run.recorder.attempts.iter().map(metric).collect()
    }),
    counter(
        "failover_sim_attempt_failures",
        "Attempts that failed while somebody waited for them, by HTTP status or what else went wrong.",
        attempt_failures,
    ),
    counter("failover_sim_probes", "Probes of health checks whose result is known.", probes),
    gauge(
        "failover_sim_provider_admitted",
        "Whether the replica may send attempts to the provider.",
        |run| {
            let metric = |((replica, provider), states): (&(u32, ProviderId), _)| {
                stated(run.pair(*replica, *provider), states)
            };
            run.recorder.admitted.iter().map(metric).collect()
        },
    ),
    gauge(
        "failover_sim_provider_ejected",
        "Whether this detector has the provider ejected, as the replica's routing sees it.",
        provider_ejected,
    ),
    counter("failover_sim_ejections", "Times that the provider was ejected.", |run| {
        let metric = |((replica, provider), counts): (&(u32, ProviderId), _)| {
            counted(run.pair(*replica, *provider), counts)
        };
        run.recorder.ejections.iter().map(metric).collect()
    }),
    gauge("failover_sim_alert_firing", "Whether the burn-rate alert fires.", |run| {
        let metric = |(index, states): (&usize, _)| {
            stated([("alert", Cow::from(&run.model().alerts()[*index].name))], states)
        };
        run.recorder.alerts.iter().map(metric).collect()
    }),
    Family {
        unit: Some("ratio"),
        ..gauge("failover_sim_slo_objective_ratio", "The share of requests that has to succeed.", |run| {
            run.model().slo.iter().map(|slo| always(slo.objective.get())).collect()
        })
    },
    gauge(
        "failover_sim_error_budget_requests",
        "How many requests may fail in the objective's window.",
        |run| run.model().slo.iter().map(|slo| always(slo.budget())).collect(),
    ),
    gauge("failover_sim_operator_switch_active", "Whether providers are avoided by hand.", |run| {
        let metric = |(index, states): (&usize, _)| {
            stated([("action", Cow::from(&run.model().operator[*index].name))], states)
        };
        run.recorder.switches.iter().map(metric).collect()
    }),
    counter("failover_sim_billed_tokens", "Tokens that providers charge for.", billed_tokens),
    Family {
        unit: Some("usd"),
        ..counter("failover_sim_cost_usd", "What providers charge, in US dollars.", costs)
    },
    Family {
        unit: Some("usd"),
        ..counter("failover_sim_gateway_fee_usd", "What the gateway costs, in US dollars.", gateway_fees)
    },
    gauge("failover_sim_truth_faults_active", "Faults that the provider has, known or not.", faults_active),
    gauge("failover_sim_truth_gateway_fault_active", "Whether the gateway itself has this fault.", |run| {
        let metric = |(index, states): (&usize, _)| {
            stated([("fault", Cow::from(&run.model().gateway.faults[*index].name))], states)
        };
        run.recorder.gateway_faults.iter().map(metric).collect()
    }),
    counter(
        "failover_sim_truth_false_ejections",
        "Times that the provider was ejected although no fault was there since the evidence began.",
        |run| {
            let metric = |((replica, provider), counts): (&(u32, ProviderId), _)| {
                counted(run.pair(*replica, *provider), counts)
            };
            run.recorder.false_ejections.iter().map(metric).collect()
        },
    ),
];

type Label<'a> = (&'static str, Cow<'a, str>);

fn counted<'a>(labels: impl IntoIterator<Item = Label<'a>>, counts: &'a ByScrape<u64>) -> Metric<'a> {
    Metric { labels: labels.into_iter().collect(), points: Points::Counts(Cow::Borrowed(counts)) }
}

fn stated<'a>(labels: impl IntoIterator<Item = Label<'a>>, states: &'a ByScrape<u64>) -> Metric<'a> {
    Metric { labels: labels.into_iter().collect(), points: Points::States(Cow::Borrowed(states)) }
}

/// The same at all scrapes.
fn always(amount: f64) -> Metric<'static> {
    Metric { labels: vec![], points: Points::Amounts(ByScrape::from([(0, amount)])) }
}

impl ScrapedRun<'_> {
    fn provider(&self, provider: ProviderId) -> Label<'_> {
        ("provider", Cow::from(&self.model().provider(provider).name))
    }

    fn pair(&self, replica: u32, provider: ProviderId) -> [Label<'_>; 2] {
        [replica_label(replica), self.provider(provider)]
    }
}

fn replica_label<'a>(replica: u32) -> Label<'a> {
    ("replica", Cow::from(replica.to_string()))
}

fn run_info<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let labels = vec![
        ("seed", Cow::from(run.seed.to_string())),
        ("run", Cow::from(run.run.to_string())),
        ("version", Cow::from(env!("CARGO_PKG_VERSION"))),
    ];
    vec![Metric { labels, points: Points::States(Cow::Owned(ByScrape::from([(0, 1)]))) }]
}

/// Labels that do not apply are left out, as Prometheus does not tell an empty one from none.
fn requests<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let metric = |(ended, counts): (&super::recorder::Ended, _)| {
        let outcome = if ended.failure.is_none() { "succeeded" } else { "failed" };
        let mut labels = vec![("outcome", Cow::from(outcome))];
        if let Some((cause, stage)) = ended.failure {
            labels.extend([("cause", Cow::from(cause.name())), ("stage", Cow::from(stage.name()))]);
        }
        labels.extend(ended.provider.map(|provider| run.provider(provider)));
        labels.push(replica_label(ended.replica));
        counted(labels, counts)
    };
    run.recorder.ended.iter().map(metric).collect()
}

fn requests_in_flight<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let in_flight = |(replica, arrived): (&u32, &ByScrape<u64>)| {
        let mut changes: ByScrape<i64> = ByScrape::from([(0, 0)]);
        let mut change = |counts: &ByScrape<u64>, sign: i64| {
            for (scrape, count) in counts {
                *changes.entry(*scrape).or_default() += sign * *count as i64;
            }
        };
        change(arrived, 1);
        let its = run.recorder.ended.iter().filter(|(ended, _)| ended.replica == *replica);
        its.for_each(|(_, counts)| change(counts, -1));
        let mut now = 0;
        let states = changes.into_iter().map(|(scrape, change)| {
            now += change;
            (scrape, u64::try_from(now).expect("nothing ends before it arrives"))
        });
        let points = Points::States(Cow::Owned(states.collect()));
        Metric { labels: vec![replica_label(*replica)], points }
    };
    run.recorder.arrived.iter().map(in_flight).collect()
}

fn durations<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let metric = |((succeeded, provider), durations): (&(bool, Option<ProviderId>), _)| {
        let outcome = if *succeeded { "succeeded" } else { "failed" };
        let mut labels = vec![("outcome", Cow::from(outcome))];
        labels.extend(provider.map(|provider| run.provider(provider)));
        Metric { labels, points: Points::Durations(durations) }
    };
    run.recorder.durations.iter().map(metric).collect()
}

fn attempt_failures<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let failures = run.recorder.attempt_failures.iter();
    let metric = |((provider, answer), counts): (&(ProviderId, crate::model::Answer), _)| {
        let error = answer.failure_name().expect("good answers are not counted here");
        counted([run.provider(*provider), ("error", error)], counts)
    };
    failures.map(metric).collect()
}

fn probes<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let metric = |((replica, provider, passed), counts): (&(u32, ProviderId, bool), _)| {
        let result = ("result", Cow::from(if *passed { "passed" } else { "failed" }));
        counted(run.pair(*replica, *provider).into_iter().chain([result]), counts)
    };
    run.recorder.probes.iter().map(metric).collect()
}

/// A passive detector may have any name, so what tells it from the health check is a label of its own.
fn provider_ejected<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let metric = |((replica, provider, by), states): (&(u32, ProviderId, Option<usize>), _)| {
        let (detector, kind) = match by {
            None => (Cow::from("health_check"), "active"),
            Some(index) => (Cow::from(&run.model().gateway.detectors[*index].name), "passive"),
        };
        let by = [("detector", detector), ("kind", Cow::from(kind))];
        stated(run.pair(*replica, *provider).into_iter().chain(by), states)
    };
    run.recorder.ejected.iter().map(metric).collect()
}

fn faults_active<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let of = |provider: ProviderId| {
        let its: Vec<_> = run.faults.iter().filter(|fault| fault.providers.contains(&provider)).collect();
        let active = |at: SimTime| its.iter().filter(|fault| fault.is_active(at)).count() as u64;
        let edges = its.iter().flat_map(|fault| [fault.start, fault.end]).chain([SimTime::START]);
        let states =
            edges.map(|at| scrape_of(at, run.step)).map(|scrape| (scrape, active(run.time_of(scrape))));
        let points = Points::States(Cow::Owned(states.collect()));
        Metric { labels: vec![run.provider(provider)], points }
    };
    (0..run.model().providers.len()).map(ProviderId::new).map(of).collect()
}

fn billed_tokens<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let metrics = |((provider, call), usage): (&(ProviderId, CallKind), &ByScrape<Usage>)| {
        let of = |kind, tokens: fn(&Usage) -> u64| {
            let labels =
                vec![run.provider(*provider), ("call", call.name().into()), ("type", Cow::from(kind))];
            let counts = usage.iter().map(|(scrape, usage)| (*scrape, tokens(usage))).collect();
            Metric { labels, points: Points::Counts(Cow::Owned(counts)) }
        };
        [of("input", |usage| usage.input_tokens), of("output", |usage| usage.output_tokens)]
    };
    run.recorder.usage.iter().flat_map(metrics).collect()
}

/// What a provider has charged for one kind of calls up to each scrape. Charges are of sums, as those of a bill are, so that
/// the last one is the bill's to the last bit.
fn charges(recorder: &ScrapeRecorder, provider: ProviderId, usage: &ByScrape<Usage>) -> ByScrape<f64> {
    let provider = recorder.model().provider(provider);
    let mut used = Usage::default();
    let charged = usage.iter().map(|(scrape, more)| {
        used += *more;
        (*scrape, charge(provider, &used).0)
    });
    charged.collect()
}

fn costs<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let metric = |((provider, call), usage): (&(ProviderId, CallKind), _)| Metric {
        labels: vec![run.provider(*provider), ("call", call.name().into())],
        points: Points::Amounts(charges(&run.recorder, *provider, usage)),
    };
    run.recorder.usage.iter().map(metric).collect()
}

/// With the month's part of the time that has passed.
fn gateway_fees<'a>(run: &'a ScrapedRun) -> Vec<Metric<'a>> {
    let model = run.model();
    if !model.has_bills() {
        return vec![];
    }
    let attempts = run.recorder.usage.iter().filter(|((_, call), _)| *call != CallKind::Probe);
    let charged: Vec<ByScrape<f64>> =
        attempts.map(|((provider, _), usage)| charges(&run.recorder, *provider, usage)).collect();
    let mut arrived: BTreeMap<u64, u64> = BTreeMap::new();
    for (scrape, count) in run.recorder.arrived.values().flatten() {
        *arrived.entry(*scrape).or_default() += count;
    }
    let mut requests = 0;
    let fee = |scrape: u64| {
        requests += arrived.get(&scrape).copied().unwrap_or(0);
        let so_far =
            |charged: &ByScrape<f64>| charged.range(..=scrape).next_back().map_or(0.0, |(_, sum)| *sum);
        let passed = run.time_of(scrape).since(SimTime::START).min(model.duration);
        let resold = Usd(charged.iter().map(so_far).sum());
        (scrape, gateway_fee(&model.gateway.fee, resold, requests, passed).0)
    };
    let points = Points::Amounts((0..=run.recorder.last).map(fee).collect());
    vec![Metric { labels: vec![], points }]
}

impl ScrapedRun<'_> {
    /// When the scrape of this number is made.
    fn time_of(&self, scrape: u64) -> SimTime {
        SimTime::START.after(SimDuration::from_nanos(scrape.saturating_mul(self.step.as_nanos())))
    }
}
