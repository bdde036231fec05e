//! Envoy 1.40: active health checks, retries, the circuit breaker for retries; what ejects by traffic is in
//! `envoy_outlier`.
//!
//! The base config has `connect_timeout: 1s`, a route timeout of 3 s, `max_ejection_percent: 100`, and A and B in
//! priorities 0 and 1 of one cluster.

use super::Product;
use super::config::{Complaint, Settings};
use super::envoy_outlier::{OD, Outlier};
use super::rows::MeasuredRun;
use super::scenario::{Answers, ProbeClock, Script, Setup};
use crate::time::SimDuration;

/// Envoy.
pub static PRODUCT: Product =
    Product { name: "envoy", part: "models/gateways/envoy.toml", burst_gap_s: 1.0, setup };

const SECOND: SimDuration = SimDuration::from_secs(1);
const MILLISECOND: SimDuration = SimDuration::from_millis(1);

/// In the measurements Envoy was started about this long before its client: within 0.1 s where it can be seen, which
/// is where a cluster without traffic was probed once.
const STARTED_BEFORE_CLIENT: SimDuration = SimDuration::from_millis(2_050);

/// A probe's period is measured once, to some milliseconds. What is this close to the interval is the interval: whole
/// seconds coincide with the window that holds updates back, and with outlier ticks, and must do so here.
const TIMER_NOISE: SimDuration = SimDuration::from_millis(10);

/// A verdict goes from a worker to the main thread and back. In the measurements an ejection after five failures lets
/// about one more request through in ten: at 60 requests a second, this much.
const TO_WORKERS: SimDuration = SimDuration::from_millis(2);

const HC: [&str; 14] = [
    "timeout",
    "interval",
    "initial_jitter",
    "interval_jitter",
    "interval_jitter_percent",
    "unhealthy_threshold",
    "healthy_threshold",
    "no_traffic_interval",
    "no_traffic_healthy_interval",
    "unhealthy_interval",
    "unhealthy_edge_interval",
    "healthy_edge_interval",
    "reuse_connection",
    "http_health_check",
];

fn setup(run: &MeasuredRun, script: &mut Script) -> Result<Setup, Complaint> {
    let settings = Settings::of(&run.settings, &["hc", "od", "common_lb", "cb", "retry", "timeout"])?;
    let check = settings.table("hc", &HC)?.map(|hc| HealthCheck::read(&hc)).transpose()?;
    let clock = check.as_ref().map(|check| check.clock(run));
    let setup = Setup {
        warm: clock.map_or(run.warm, |clock| clock.warm),
        phase_is_known: clock.is_some_and(|clock| clock.probes.first.is_some()),
        ..Setup::new(run)
    };

    script.table("gateway");
    script.set("route", "{ prefer = [\"a\", \"b\"] }");
    write_common_lb(&settings, script)?;
    let retry = settings.table("retry", &RETRY)?;
    write_timeouts(&settings, retry.as_ref(), script)?;
    if let (Some(check), Some(clock)) = (&check, &clock) {
        check.write(clock, script);
    }
    if let Some(retry) = &retry {
        write_retry(retry, settings.table("cb", &CB)?.as_ref(), script)?;
    }
    if let Some(od) = settings.table("od", &OD)? {
        Outlier {
            od: &od,
            run,
            first_tick: clock.and_then(|clock| clock.started),
            is_checked: check.is_some(),
        }
        .write(script)?;
    }
    Ok(setup)
}

fn write_common_lb(settings: &Settings, script: &mut Script) -> Result<(), Complaint> {
    let known = ["update_merge_window", "healthy_panic_threshold"];
    let common = settings.table("common_lb", &known)?;
    let window =
        common.as_ref().map(|common| common.time("update_merge_window", SECOND)).transpose()?.flatten();
    let (delay, window) = (TO_WORKERS, window.unwrap_or(SECOND));
    script.set("propagation", format_args!("{{ delay = \"{delay}\", merge_window = \"{window}\" }}"));
    let panic = common.map(|common| common.percent("healthy_panic_threshold")).transpose()?.flatten();
    if let Some(panic) = panic {
        script.set("panic_below", format_args!("{panic:?}"));
    }
    Ok(())
}

fn write_timeouts(
    settings: &Settings,
    retry: Option<&Settings>,
    script: &mut Script,
) -> Result<(), Complaint> {
    let request = settings.time("timeout", SECOND)?.unwrap_or(SimDuration::from_secs(3));
    let attempt = retry.map(|retry| retry.time("per_try_timeout", SECOND)).transpose()?.flatten();
    let mut timeouts = vec!["connect = \"1s\"".to_owned()];
    // Zero is no timeout at all.
    let set = |time: &SimDuration| *time > SimDuration::ZERO;
    timeouts.extend(attempt.filter(set).map(|attempt| format!("attempt = \"{attempt}\"")));
    timeouts.extend(Some(request).filter(set).map(|request| format!("request = \"{request}\"")));
    script.set("timeouts", format_args!("{{ {} }}", timeouts.join(", ")));
    Ok(())
}

/// An active health check.
#[derive(Debug)]
struct HealthCheck {
    interval: SimDuration,
    timeout: SimDuration,
    falling: SimDuration,
    down: SimDuration,
    rising: SimDuration,
    no_traffic: SimDuration,
    jitter: SimDuration,
    jitter_share: f64,
    unhealthy_threshold: u32,
    healthy_threshold: u32,
}

/// When things happen in the run.
#[derive(Debug, Clone, Copy)]
struct Clock {
    warm: SimDuration,
    probes: ProbeClock,
    /// The gateway's start, if the run begins with it: the first probe, and the origin of outlier ticks.
    started: Option<SimDuration>,
    /// Whether nothing but the first probe came before the outage.
    has_no_traffic: bool,
}

impl HealthCheck {
    fn read(hc: &Settings) -> Result<HealthCheck, Complaint> {
        let time = |key| hc.time(key, SECOND);
        let needed = |value: Option<SimDuration>, key| {
            let missing = || Complaint::new(format!("the config's `hc` lacks `{key}`"), "Envoy requires it");
            value.filter(|time| *time > SimDuration::ZERO).ok_or_else(missing)
        };
        let interval = needed(time("interval")?, "interval")?;
        let down = time("unhealthy_interval")?.unwrap_or(interval);
        let no_traffic = time("no_traffic_interval")?.unwrap_or(SimDuration::from_secs(60));
        // Where the first probe is sent is measured; whether connections are kept changes nothing on a loopback.
        time("initial_jitter")?;
        hc.flag("reuse_connection")?;
        hc.table("http_health_check", &["path"])?;
        let threshold = |key| {
            let missing = || Complaint::new(format!("the config's `hc` lacks `{key}`"), "Envoy requires it");
            hc.whole(key)?.filter(|n| *n > 0).ok_or_else(missing)
        };
        Ok(HealthCheck {
            interval,
            timeout: needed(time("timeout")?, "timeout")?,
            falling: time("unhealthy_edge_interval")?.unwrap_or(down),
            down,
            rising: time("healthy_edge_interval")?.unwrap_or(interval),
            // A good probe of a cluster without traffic has an interval of its own.
            no_traffic: time("no_traffic_healthy_interval")?.unwrap_or(no_traffic),
            jitter: time("interval_jitter")?.unwrap_or(SimDuration::ZERO),
            jitter_share: hc.percent("interval_jitter_percent")?.unwrap_or(0.0),
            unhealthy_threshold: threshold("unhealthy_threshold")?,
            healthy_threshold: threshold("healthy_threshold")?,
        })
    }

    /// Where probes were measured, the run begins with the gateway's start: probes and outlier ticks begin together.
    fn clock(&self, run: &MeasuredRun) -> Clock {
        let random = ProbeClock { first: None, latency: SimDuration::ZERO };
        let Some(since) = run.since_probe else {
            return Clock { warm: run.warm, probes: random, started: None, has_no_traffic: false };
        };
        let running = run.warm.plus(STARTED_BEFORE_CLIENT).as_nanos();
        let Some(period) = run.probe_period else {
            // One probe, at the start, and none since: the cluster had no traffic when it was sent.
            let probes = ProbeClock { first: Some(SimDuration::ZERO), ..random };
            return Clock { warm: since, probes, started: Some(SimDuration::ZERO), has_no_traffic: true };
        };
        let noise = self.interval..self.interval.plus(TIMER_NOISE);
        let period = if noise.contains(&period) { self.interval } else { period };
        let run = &MeasuredRun { probe_period: Some(period), ..run.clone() };
        let before = running.saturating_sub(since.as_nanos());
        let periods = (before + period.as_nanos() / 2) / period.as_nanos().max(1);
        // If probes do not fit the start, there was jitter, or something else that is not measured.
        let off = (periods * period.as_nanos()).abs_diff(before);
        let fits =
            off <= period.as_nanos() / 4 && self.jitter == SimDuration::ZERO && self.jitter_share == 0.0;
        if !fits {
            let probes = ProbeClock::of(run, run.warm, self.interval);
            return Clock { warm: run.warm, probes, started: None, has_no_traffic: false };
        }
        let warm = SimDuration::from_nanos(since.as_nanos() + periods * period.as_nanos());
        // Envoy's own work before a probe is sent puts it behind the tick of the same moment.
        let warm = warm.plus(MILLISECOND);
        let probes = ProbeClock { first: Some(MILLISECOND), ..ProbeClock::of(run, warm, self.interval) };
        Clock { warm, probes, started: Some(SimDuration::ZERO), has_no_traffic: false }
    }

    fn write(&self, clock: &Clock, script: &mut Script) {
        script.table("gateway.health_check");
        script.time("interval", self.interval);
        script.time("interval_falling", self.falling);
        script.time("interval_down", self.down);
        script.time("interval_rising", self.rising);
        // Where traffic came before the second probe, the interval is the ordinary one from then on.
        let no_traffic = if clock.has_no_traffic { self.no_traffic } else { self.interval };
        script.time("interval_no_traffic", no_traffic);
        script.time("jitter", self.jitter);
        script.set("jitter_share", format_args!("{:?}", self.jitter_share));
        script.time("timeout", self.timeout);
        script.set("eject_after", self.unhealthy_threshold);
        script.set("readmit_after", self.healthy_threshold);
        clock.probes.write(script);
    }
}

const RETRY: [&str; 6] = [
    "num_retries",
    "retry_on",
    "per_try_timeout",
    "retry_back_off",
    "retriable_status_codes",
    "retry_priority",
];
const CB: [&str; 5] =
    ["max_retries", "retry_budget", "max_requests", "max_pending_requests", "max_connections"];
const RETRY_ON: [&str; 8] = [
    "5xx",
    "gateway-error",
    "reset",
    "connect-failure",
    "refused-stream",
    "retriable-4xx",
    "retriable-status-codes",
    "envoy-ratelimited",
];
const PREVIOUS_PRIORITIES: &str = "envoy.retry_priorities.previous_priorities";

fn write_retry(retry: &Settings, breaker: Option<&Settings>, script: &mut Script) -> Result<(), Complaint> {
    let attempts = retry.whole("num_retries")?.unwrap_or(1);
    let mut on = Answers::default();
    let listed = retry.statuses("retriable_status_codes")?.unwrap_or_default();
    for word in
        retry.text("retry_on")?.unwrap_or_default().split(',').map(str::trim).filter(|w| !w.is_empty())
    {
        let (words, statuses): (&[&'static str], &[u16]) = match word {
            "5xx" => (&["5xx", "refused", "connect_timeout", "timeout", "connection_lost"], &[]),
            "gateway-error" => {
                (&["refused", "connect_timeout", "timeout", "connection_lost"], &[502, 503, 504])
            }
            "reset" => (&["refused", "connect_timeout", "timeout", "connection_lost"], &[]),
            "connect-failure" => (&["refused", "connect_timeout"], &[]),
            "retriable-4xx" => (&[], &[409]),
            "retriable-status-codes" => (&[], &listed),
            "refused-stream" | "envoy-ratelimited" => (&[], &[]),
            _ => return Err(Complaint::unknown("config.retry.retry_on", word, RETRY_ON)),
        };
        words.iter().for_each(|word| on.add(word));
        on.add_statuses(statuses.iter().copied());
    }
    let priority = retry.table("retry_priority", &["name", "typed_config"])?;
    let priority = priority.map(|p| p.word("name", &[PREVIOUS_PRIORITIES])).transpose()?.flatten();
    let back_off = retry.table("retry_back_off", &["base_interval", "max_interval"])?;
    let back_off =
        |key| back_off.as_ref().map(|table| table.time(key, SECOND)).transpose().map(Option::flatten);
    let base = back_off("base_interval")?.unwrap_or(SimDuration::from_millis(25));
    let longest = back_off("max_interval")?.unwrap_or(base.scaled(10.0));
    if attempts == 0 || on.is_empty() {
        return Ok(());
    }
    script.table("gateway.retry");
    script.set("attempts", attempts);
    script.set("on", on);
    script.text("to", if priority.is_some() { "other" } else { "any" });
    // A wait is a whole number of milliseconds below this.
    script.time("delay", SimDuration::from_nanos(base.as_nanos().saturating_sub(MILLISECOND.as_nanos())));
    script.set("growth", "{ exponential = 2.0 }");
    script.time("max_delay", longest);
    script.text("jitter", "full");
    script.set("budget", budget(breaker)?);
    Ok(())
}

/// Retries at a time; one counts while it waits, too.
fn budget(breaker: Option<&Settings>) -> Result<String, Complaint> {
    let Some(breaker) = breaker else { return Ok("{ concurrent = 3 }".to_owned()) };
    // No run comes near these.
    for key in ["max_requests", "max_pending_requests", "max_connections"] {
        breaker.whole(key)?;
    }
    let budget = breaker.table("retry_budget", &["budget_percent", "min_retry_concurrency"])?;
    Ok(match budget {
        Some(budget) => {
            let share = budget.percent("budget_percent")?.unwrap_or(0.2);
            let min = budget.whole("min_retry_concurrency")?.unwrap_or(3);
            format!("{{ concurrent_share = {{ share = {share:?}, min = {min} }} }}")
        }
        None => format!("{{ concurrent = {} }}", breaker.whole("max_retries")?.unwrap_or(3)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::scenario::tests::{assert_lines, complaint_of, text_of};

    const HC: &str = r#""hc": {"healthy_threshold": 2, "interval": "2s", "no_traffic_interval": "2s", "timeout": "1s", "unhealthy_threshold": 3}"#;
    const OD: &str = r#""od": {"base_ejection_time": "5s", "consecutive_5xx": 5, "enforcing_success_rate": 0, "interval": "1s"}"#;

    #[test]
    fn the_run_begins_with_the_gateway_where_probes_were_measured() {
        let text = text_of("envoy", "refused,,,1", &format!("{{{HC}, {OD}}}"), "2.001,0.413");
        assert_lines(
            &text,
            &[
                // Six periods and the phase, as 10.5 s of traffic and 2.05 s before it say; the probe 1 ms behind the tick.
                "at = \"12s 414ms\"",
                "first_probe = { at = \"1ms\" }",
                "evaluated = { on_ticks = { every = \"1s\", first = \"0s\" } }",
                "latency = { constant = \"0s\" }",
                "eject_after = 3",
                "readmit_after = 2",
                "interval_falling = \"2s\"",
                "readmit_on_probe = true",
                "consecutive = 5",
                "eject_for = \"5s\"",
                "growth = \"linear\"",
                "max_eject_for = \"5m\"",
                "max_ejected = { share = 1.0, rule = \"with_this\" }",
                "propagation = { delay = \"2ms\", merge_window = \"1s\" }",
                "timeouts = { connect = \"1s\", request = \"3s\" }",
            ],
        );
        assert_eq!(text.matches("[gateway.detector").count(), 1, "{text}");
    }

    #[test]
    fn a_cluster_without_traffic_waits_a_minute_for_its_second_probe() {
        let config = r#"{"hc": {"healthy_threshold": 2, "interval": "2s", "timeout": "1s", "unhealthy_threshold": 3}}"#;
        let text = text_of("envoy", "refused,,,1", config, ",13.654");
        let lines = ["interval_no_traffic = \"1m\"", "first_probe = { at = \"0s\" }", "at = \"13s 654ms\""];
        assert_lines(&text, &lines);
    }

    #[test]
    fn edge_intervals_are_for_verdicts_that_are_not_final() {
        let config = r#"{"hc": {"healthy_threshold": 2, "interval": "2s", "timeout": "1s", "unhealthy_threshold": 3,
            "unhealthy_interval": "5s", "healthy_edge_interval": "1s"}}"#;
        let text = text_of("envoy", "refused,,,1", config, "2.0,0.4");
        assert_lines(
            &text,
            &["interval_falling = \"5s\"", "interval_down = \"5s\"", "interval_rising = \"1s\""],
        );
        let config = config.replace("\"5s\",", "\"5s\", \"unhealthy_edge_interval\": \"500ms\",");
        let text = text_of("envoy", "refused,,,1", &config, "2.0,0.4");
        assert_lines(&text, &["interval_falling = \"500ms\"", "interval_down = \"5s\""]);
    }

    #[test]
    fn retries_are_few_at_a_time() {
        let retry = r#""retry": {"num_retries": 1, "retry_on": "5xx,connect-failure,reset",
            "retry_priority": {"name": "envoy.retry_priorities.previous_priorities", "typed_config": {}}}"#;
        let text = text_of("envoy", "refused,,,1", &format!("{{{retry}}}"), ",");
        assert_lines(
            &text,
            &[
                "attempts = 1",
                "on = [\"5xx\", \"refused\", \"connect_timeout\", \"timeout\", \"connection_lost\"]",
                "to = \"other\"",
                "delay = \"24ms\"",
                "max_delay = \"250ms\"",
                "jitter = \"full\"",
                "budget = { concurrent = 3 }",
            ],
        );
        let config = r#"{"cb": {"max_retries": 1000}, "retry": {"retry_on": "gateway-error", "per_try_timeout": "0.5s",
            "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.002s"}}}"#;
        let text = text_of("envoy", "refused,,,1", config, ",");
        assert_lines(
            &text,
            &[
                "budget = { concurrent = 1000 }",
                "delay = \"0s\"",
                "max_delay = \"2ms\"",
                "to = \"any\"",
                "timeouts = { connect = \"1s\", attempt = \"500ms\", request = \"3s\" }",
            ],
        );
    }

    #[test]
    fn settings_that_are_not_known_are_refused() {
        for (config, expected) in [
            (r#"{"od": {"consecutive5xx": 5}}"#, "did you mean `consecutive_5xx`?"),
            (r#"{"hc": {"interval": "2s"}}"#, "lacks `"),
            (r#"{"retry": {"retry_on": "5xx,always"}}"#, "`config.retry.retry_on` is `always`"),
            (r#"{"lb_policy": "RANDOM"}"#, "`lb_policy` is not known"),
        ] {
            let text = complaint_of("envoy", "refused,,,1", config);
            assert!(text.contains(expected), "{text}");
        }
    }
}
