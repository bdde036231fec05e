//! HAProxy 2.6: a `server` line's health check and observation, a `backend`'s retries and timeouts.
//!
//! The base config has `retries 3`, `timeout connect 1s`, `timeout server 3s` and `timeout check 1s`, and server B is
//! the backup of server A.

use super::Product;
use super::config::{Complaint, Settings, Words, time};
use super::rows::MeasuredRun;
use super::scenario::{Answers, ProbeClock, Script, Setup};
use crate::time::SimDuration;

/// HAProxy.
pub static PRODUCT: Product =
    Product { name: "haproxy", part: "models/gateways/haproxy.toml", burst_gap_s: 1.0, setup };

/// Where a server connection that was in use breaks, the client's is closed without a word, and clients then ask again.
const CLIENT_RETRY: &str = "{ attempts = 1, on = [\"connection_lost\"] }";

const MILLISECOND: SimDuration = SimDuration::from_millis(1);

fn setup(run: &MeasuredRun, script: &mut Script) -> Result<Setup, Complaint> {
    let settings = Settings::of(&run.settings, &["server", "backend", "check"])?;
    let server = Server::read(settings.text("server")?.unwrap_or_default())?;
    let backend = Backend::read(&settings.texts("backend")?)?;
    let is_checked = settings.flag("check")?.unwrap_or(true);

    script.table("gateway");
    script.set("route", "{ prefer = [\"a\", \"b\"] }");
    let (connect, response) = (backend.connect, backend.server);
    script.set("timeouts", format_args!("{{ connect = \"{connect}\", first_token = \"{response}\" }}"));
    if server.closes {
        script.text("on_ejection", "close");
    }
    backend.write_retry(script);
    let clock = ProbeClock::of(run, run.warm, server.inter);
    if is_checked {
        server.write_health_check(&clock, backend.check, script);
        server.write_observer(script);
    }
    let phase_is_known = is_checked && clock.first.is_some();
    Ok(Setup { client_retry: Some(CLIENT_RETRY), phase_is_known, ..Setup::new(run) })
}

/// What a `server` line says.
#[derive(Debug)]
struct Server<'a> {
    inter: SimDuration,
    fastinter: Option<SimDuration>,
    downinter: Option<SimDuration>,
    fall: u32,
    rise: u32,
    observe: Option<&'a str>,
    error_limit: u32,
    on_error: &'a str,
    /// Whether what is in flight is closed when A is marked down.
    closes: bool,
}

const SERVER_WORDS: [&str; 13] = [
    "check",
    "inter",
    "fastinter",
    "downinter",
    "fall",
    "rise",
    "observe",
    "error-limit",
    "on-error",
    "on-marked-down",
    "slowstart",
    "weight",
    "maxconn",
];

/// HAProxy's `on-error`, and what a scenario calls it.
const ON_ERROR: [(&str, &str); 4] =
    [("fastinter", "hurry"), ("fail-check", "fail"), ("sudden-death", "brink"), ("mark-down", "down")];

fn span(text: &str) -> Option<SimDuration> {
    time(text, MILLISECOND)
}

fn count(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n| *n >= 1)
}

fn one_of<'a>(known: &'a [&'a str]) -> impl Fn(&str) -> Option<&'a str> {
    move |text| known.iter().copied().find(|word| *word == text)
}

impl<'a> Server<'a> {
    fn read(line: &str) -> Result<Server<'a>, Complaint> {
        let mut server = Server {
            inter: SimDuration::from_secs(2),
            fastinter: None,
            downinter: None,
            fall: 3,
            rise: 2,
            observe: None,
            error_limit: 10,
            on_error: "fail",
            closes: false,
        };
        let mut words = Words::new("server", line);
        while let Some(word) = words.next() {
            match word {
                "check" => {}
                "inter" => server.inter = words.value(word, "a time such as 2s", span)?,
                "fastinter" => server.fastinter = Some(words.value(word, "a time such as 1s", span)?),
                "downinter" => server.downinter = Some(words.value(word, "a time such as 5s", span)?),
                "fall" => server.fall = words.value(word, "a number from 1", count)?,
                "rise" => server.rise = words.value(word, "a number from 1", count)?,
                "error-limit" => server.error_limit = words.value(word, "a number from 1", count)?,
                "observe" => {
                    let known = &["layer4", "layer7"];
                    server.observe = Some(words.value(word, "`layer4` or `layer7`", one_of(known))?);
                }
                "on-error" => {
                    let known =
                        |text: &str| ON_ERROR.iter().find(|(word, _)| *word == text).map(|found| found.1);
                    let wanted = "`fastinter`, `fail-check`, `sudden-death` or `mark-down`";
                    server.on_error = words.value(word, wanted, known)?;
                }
                "on-marked-down" => {
                    words.value(word, "`shutdown-sessions`", one_of(&["shutdown-sessions"]))?;
                    server.closes = true;
                }
                // One server and its backup: there is nobody to share with.
                "slowstart" => {
                    words.value(word, "a time such as 10s", span)?;
                }
                "weight" | "maxconn" => {
                    words.value(word, "a number from 1", count)?;
                }
                _ => return Err(words.unknown(word, &SERVER_WORDS)),
            }
        }
        Ok(server)
    }

    fn write_health_check(&self, clock: &ProbeClock, timeout: SimDuration, script: &mut Script) {
        let fast = self.fastinter.unwrap_or(self.inter);
        script.table("gateway.health_check");
        script.time("interval", self.inter);
        script.time("interval_falling", fast);
        script.time("interval_down", self.downinter.unwrap_or(self.inter));
        script.time("interval_rising", fast);
        script.time("timeout", timeout);
        script.set("eject_after", self.fall);
        script.set("readmit_after", self.rise);
        clock.write(script);
    }

    fn write_observer(&self, script: &mut Script) {
        let Some(layer) = self.observe else { return };
        let mut failures = Answers::of(&["refused", "connect_timeout"]);
        if layer == "layer7" {
            failures.add("timeout");
            // 501 and 505 are the client's mistakes.
            failures.add_statuses((500..600).filter(|status| ![501, 505].contains(status)));
        }
        script.table("gateway.detector.observe");
        script.set("consecutive", self.error_limit);
        script.set("failures", failures);
        // What breaks while a connection is used again is left to the client, and counts as nothing: measured.
        script.set("ignored", "[\"connection_lost\"]");
        script.set("on_trip", format_args!("{{ health_check = \"{}\" }}", self.on_error));
    }
}

/// What a `backend`'s lines say.
#[derive(Debug)]
struct Backend {
    connect: SimDuration,
    server: SimDuration,
    check: SimDuration,
    retries: u32,
    /// As a scenario says it.
    to: &'static str,
    on: Answers,
    at_once_on: Answers,
}

const BACKEND_LINES: [&str; 8] = [
    "option redispatch [1 or -1]",
    "no option redispatch",
    "retries",
    "retry-on",
    "timeout connect",
    "timeout server",
    "timeout check",
    "timeout queue",
];

const RETRY_ON: [&str; 7] = [
    "none",
    "conn-failure",
    "empty-response",
    "junk-response",
    "response-timeout",
    "0rtt-rejected",
    "all-retryable-errors",
];

/// Statuses that `retry-on` takes.
const RETRYABLE: [u16; 11] = [401, 403, 404, 408, 425, 429, 500, 501, 502, 503, 504];

impl Backend {
    fn read(lines: &[&str]) -> Result<Backend, Complaint> {
        let mut backend = Backend {
            connect: SimDuration::from_secs(1),
            server: SimDuration::from_secs(3),
            check: SimDuration::from_secs(1),
            retries: 3,
            to: "same",
            on: Answers::of(&["refused", "connect_timeout"]),
            at_once_on: Answers::default(),
        };
        let mut redispatch = None;
        for line in lines {
            let mut words = Words::new("backend", line);
            let parts: Vec<&str> = line.split_whitespace().collect();
            match parts.as_slice() {
                ["option", "redispatch"] => redispatch = Some("-1"),
                ["option", "redispatch", nth] => redispatch = Some(nth),
                ["no", "option", "redispatch"] => redispatch = None,
                ["retries", _] => {
                    words.next();
                    backend.retries = words.value("retries", "a whole number", |text| text.parse().ok())?;
                }
                ["timeout", which @ ("connect" | "server" | "check" | "queue"), _] => {
                    words.next();
                    words.next();
                    let span = words.value(which, "a time such as 3s", span)?;
                    match *which {
                        "connect" => backend.connect = span,
                        "server" => backend.server = span,
                        "check" => backend.check = span,
                        // Nothing queues: servers have no limit.
                        _ => {}
                    }
                }
                ["retry-on", conditions @ ..] => backend.read_retry_on(conditions)?,
                _ => return Err(words.unknown(line, &BACKEND_LINES)),
            }
        }
        backend.to = match redispatch.map(|nth| (nth, nth.parse::<i64>())) {
            None => "same",
            Some((_, Ok(1))) => "any",
            Some((_, Ok(nth))) if nth == -1 || nth == i64::from(backend.retries) => "same_then_any",
            Some((_, Ok(nth))) if nth > i64::from(backend.retries) => "same",
            Some((nth, _)) => {
                let help =
                    "`option redispatch` takes 1 (each retry), -1 or the number of retries (the last one)";
                return Err(Complaint::beyond("backend: option redispatch", nth, help));
            }
        };
        Ok(backend)
    }

    fn read_retry_on(&mut self, conditions: &[&str]) -> Result<(), Complaint> {
        (self.on, self.at_once_on) = (Answers::default(), Answers::default());
        for condition in conditions {
            match *condition {
                "none" => {}
                "conn-failure" => {
                    self.on.add("refused");
                    self.on.add("connect_timeout");
                }
                "response-timeout" => self.at_once_on.add("timeout"),
                // A connection that breaks while it is used again is left to the client, whatever stands here.
                "empty-response" | "junk-response" | "0rtt-rejected" => {}
                "all-retryable-errors" => {
                    self.on.add("refused");
                    self.on.add("connect_timeout");
                    self.at_once_on.add("timeout");
                    self.at_once_on.add_statuses([500, 502, 503, 504]);
                }
                status => match status.parse().ok().filter(|status| RETRYABLE.contains(status)) {
                    Some(status) => self.at_once_on.add_statuses([status]),
                    None => {
                        let statuses = RETRYABLE.map(|status| status.to_string());
                        let known: Vec<&str> =
                            RETRY_ON.into_iter().chain(statuses.iter().map(String::as_str)).collect();
                        return Err(Words::new("backend", "").unknown(&format!("retry-on {status}"), &known));
                    }
                },
            }
        }
        Ok(())
    }

    /// A connection that fails is tried again after a second, or `timeout connect` if that is shorter; what else is
    /// tried again is so at once.
    fn write_retry(&self, script: &mut Script) {
        if self.retries == 0 || (self.on.is_empty() && self.at_once_on.is_empty()) {
            return;
        }
        script.table("gateway.retry");
        script.set("attempts", self.retries);
        script.set("on", self.on.clone().and(&self.at_once_on));
        script.text("to", self.to);
        script.time("delay", self.connect.min(SimDuration::from_secs(1)));
        script.set("at_once_on", &self.at_once_on);
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::tests::{assert_lines, complaint_of, text_of};

    #[test]
    fn a_server_line_becomes_a_health_check() {
        let config = r#"{"server": "inter 2s fastinter 500ms fall 3 rise 2"}"#;
        let text = text_of("haproxy", "refused,,,1", config, "2.001,0.413");
        assert_lines(
            &text,
            &[
                "interval = \"2s\"",
                "interval_falling = \"500ms\"",
                "interval_down = \"2s\"",
                "interval_rising = \"500ms\"",
                "timeout = \"1s\"",
                "eject_after = 3",
                "readmit_after = 2",
                "first_probe = { at = \"82ms\" }",
                "latency = { constant = \"1ms\" }",
                "client_retry = { attempts = 1, on = [\"connection_lost\"] }",
                // The base config's retries: three on the same server, a second apart.
                "attempts = 3",
                "on = [\"refused\", \"connect_timeout\"]",
                "to = \"same\"",
                "delay = \"1s\"",
            ],
        );
        assert!(!text.contains("detector"), "{text}");
    }

    #[test]
    fn a_backends_lines_become_retries() {
        let config = r#"{"backend": ["option redispatch 1", "retries 2",
            "retry-on conn-failure empty-response response-timeout 503", "timeout server 2s"], "server": "inter 2s"}"#;
        let text = text_of("haproxy", "refused,,,1", config, ",");
        assert_lines(
            &text,
            &[
                "attempts = 2",
                "to = \"any\"",
                "on = [\"refused\", \"connect_timeout\", \"timeout\", 503]",
                "at_once_on = [\"timeout\", 503]",
                "first_probe = \"random\"",
                "timeouts = { connect = \"1s\", first_token = \"2s\" }",
            ],
        );
        let text = text_of("haproxy", "refused,,,1", r#"{"backend": ["option redispatch"]}"#, ",");
        assert_lines(&text, &["to = \"same_then_any\"", "attempts = 3", "eject_after = 3"]);
        let text = text_of("haproxy", "refused,,,1", r#"{"backend": ["retries 0"], "check": false}"#, ",");
        assert!(!text.contains("retry]") && !text.contains("health_check"), "{text}");
    }

    #[test]
    fn observed_errors_are_a_detector_that_moves_the_health_check() {
        let config = r#"{"server": "inter 2s observe layer7 error-limit 5 on-error mark-down"}"#;
        let text = text_of("haproxy", "error,503,,0", config, ",");
        assert_lines(
            &text,
            &["[gateway.detector.observe]", "consecutive = 5", "on_trip = { health_check = \"down\" }"],
        );
        assert!(text.contains("\"timeout\", 500, 502, 503, 504, 506,"), "{text}");
        let text = text_of("haproxy", "error,503,,0", r#"{"server": "observe layer4"}"#, ",");
        assert_lines(
            &text,
            &[
                "consecutive = 10",
                "failures = [\"refused\", \"connect_timeout\"]",
                "on_trip = { health_check = \"fail\" }",
            ],
        );
    }

    #[test]
    fn words_that_are_not_known_are_refused() {
        for (config, expected) in [
            (r#"{"server": "inter 2s agent-check"}"#, "runs.csv:2: the config's `server` has `agent-check`"),
            (r#"{"server": "inter soon"}"#, "has `inter soon`"),
            (r#"{"server": "observe layer5"}"#, "has `observe layer5`"),
            (r#"{"backend": ["balance random"]}"#, "has `balance random`"),
            (r#"{"backend": ["retry-on whatever"]}"#, "has `retry-on whatever`"),
            (r#"{"backend": ["option redispatch 2"]}"#, "no scenario can express"),
            (r#"{"backends": []}"#, "did you mean `backend`?"),
        ] {
            let text = complaint_of("haproxy", "refused,,,1", config);
            assert!(text.contains(expected), "{text}");
        }
    }
}
