//! What is written of error budgets, alerts and operators is what is simulated.

use crate::lowering::EVERYTHING;
use failover_sim::model::{
    Alert, BeforeRun, FirstTick, Latency, OperatorAction, Probability, ProviderId, Rate, Slo, Stages,
    StatusPage, Trigger,
};
use failover_sim::scenario::Loader;
use failover_sim::time::{SimDuration, SimTime};

fn secs(seconds: u64) -> SimDuration {
    SimDuration::from_secs(seconds)
}

fn minutes(minutes: u64) -> SimDuration {
    secs(60 * minutes)
}

#[test]
fn budgets_alerts_and_operators() {
    let document = Loader::new().parse("mine.toml", EVERYTHING).unwrap_or_else(|p| panic!("{p}"));
    let model = document.model().unwrap_or_else(|p| panic!("{p}"));
    let page = Alert {
        name: "page".to_owned(),
        burn: 14.4,
        long: minutes(60),
        short: minutes(5),
        every: minutes(1),
        first_tick: FirstTick::At(secs(10)),
        pending: minutes(2),
        lag: secs(15),
        min_count: 100,
        before: BeforeRun::Nothing,
    };
    let ticket = Alert {
        name: "ticket".to_owned(),
        burn: 1.0,
        long: minutes(3 * 24 * 60),
        short: minutes(6 * 60),
        every: secs(30),
        first_tick: FirstTick::Random,
        pending: SimDuration::ZERO,
        lag: SimDuration::ZERO,
        min_count: 0,
        before: BeforeRun::Steady,
    };
    let slo = Slo {
        objective: Probability::new(0.999).expect("a probability"),
        window: minutes(30 * 24 * 60),
        requests: Rate::new(155.56).expect("a rate"),
        alerts: vec![page, ticket],
    };
    assert_eq!(model.slo, Some(slo));

    let [a, b] = [0, 1].map(|i| vec![ProviderId::new(i)]);
    let on_call = OperatorAction {
        name: "on_call".to_owned(),
        trigger: Trigger::Alert(1),
        stages: Stages {
            notify: Latency::Constant(secs(30)),
            acknowledge: Latency::lognormal(minutes(3), minutes(15)).expect("p50 is below p99"),
            diagnose: Latency::Constant(SimDuration::ZERO),
            switch: Latency::Constant(minutes(1)),
        },
        escalate_after: Some(minutes(5)),
        avoid: a.clone(),
        lasts: Some(minutes(60)),
    };
    let page = StatusPage {
        fault: model.faults.iter().position(|fault| fault.name == "stall").expect("it is there"),
        posted_after: Latency::Constant(minutes(17)),
        resolved_after: Some(Latency::Constant(minutes(21))),
        polled_every: Some(minutes(1)),
    };
    let vendor = OperatorAction {
        trigger: Trigger::StatusPage(page),
        ..OperatorAction::at("vendor", SimTime::START, a)
    };
    let planned = OperatorAction::at("planned", SimTime::START.after(minutes(25)), b);
    assert_eq!(model.operator, [planned, on_call, vendor], "by time, where it is known, and name");
}

#[test]
fn the_traffic_of_the_budget_is_the_runs() {
    let text = r#"
        duration = "1m"
        traffic = { arrivals = { poisson = "42/s" } }
        provider.a.latency = { constant = "1s" }
        slo = { objective = 0.99, window = "7d" }
    "#;
    let model = Loader::new().parse("mine.toml", text).and_then(|document| document.model());
    let slo = model.unwrap_or_else(|p| panic!("{p}")).slo.expect("there is one");
    assert_eq!((slo.requests.per_second(), slo.alerts), (42.0, vec![]));
}
