//! nginx 1.22: a server's failures, what goes to the next server, and workers.
//!
//! The base config has `proxy_connect_timeout 1s` and `proxy_read_timeout 3s`, B is `backup`, and requests are POST.

use super::Product;
use super::config::{Complaint, Settings, Words, time};
use super::rows::MeasuredRun;
use super::scenario::{Answers, Script, Setup};
use crate::time::SimDuration;

/// nginx.
pub static PRODUCT: Product =
    Product { name: "nginx", part: "models/gateways/nginx.toml", burst_gap_s: 1.0, setup };

/// Words of `proxy_next_upstream`, beside `http_` and a status.
const NEXT_WORDS: [&str; 14] = [
    "error",
    "timeout",
    "invalid_header",
    "non_idempotent",
    "off",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "http_403",
    "http_404",
    "http_429",
    "denied",
    "updating",
];

fn setup(run: &MeasuredRun, script: &mut Script) -> Result<Setup, Complaint> {
    let settings = Settings::of(&run.settings, &["server", "next", "workers", "zone"])?;
    let (max_fails, fail_timeout) = server(settings.text("server")?.unwrap_or_default())?;
    let next = Next::read(settings.text("next")?.unwrap_or("error timeout"))?;
    let workers = settings.whole("workers")?.unwrap_or(1).max(1);
    let has_zone = settings.flag("zone")?.unwrap_or(false);

    script.table("gateway");
    script.set("replicas", workers);
    // Without a zone each worker counts for itself.
    let health = if has_zone { "{ shared = \"0s\" }" } else { "\"own\"" };
    script.set("health", health);
    script.set("route", "{ prefer = [\"a\", \"b\"] }");
    script.set("timeouts", "{ connect = \"1s\", first_token = \"3s\" }");
    let retried = next.retried();
    if !retried.is_empty() {
        script.table("gateway.retry");
        script.set("attempts", 1);
        script.set("on", retried);
        script.text("to", "other");
    }
    if max_fails > 0 {
        script.table("gateway.detector.upstream");
        script.set("failures", next.counted());
        script.set("nginx", format_args!("{{ max_fails = {max_fails}, fail_timeout = \"{fail_timeout}\" }}"));
    }
    Ok(Setup::new(run))
}

fn server(line: &str) -> Result<(u32, SimDuration), Complaint> {
    let (mut max_fails, mut fail_timeout) = (1, SimDuration::from_secs(10));
    let mut words = Words::new("server", line);
    while let Some(word) = words.next() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let mut value = Words::new("server", value);
        match name {
            "max_fails" => max_fails = value.value(name, "a whole number", |text| text.parse().ok())?,
            "fail_timeout" => {
                // The clock that it is compared with has whole seconds.
                let whole =
                    |t: &SimDuration| t.as_nanos().is_multiple_of(SimDuration::from_secs(1).as_nanos());
                let read = |text: &str| time(text, SimDuration::from_secs(1)).filter(whole);
                fail_timeout = value.value(name, "a time of whole seconds such as 10s", read)?;
            }
            // One server and its backup: there is nobody to share with.
            "weight" => {
                value.value(name, "a whole number", |text| text.parse::<u32>().ok())?;
            }
            _ => return Err(words.unknown(word, &["max_fails=", "fail_timeout=", "weight="])),
        }
    }
    Ok((max_fails, fail_timeout))
}

/// What `proxy_next_upstream` says.
#[derive(Debug, Default)]
struct Next {
    error: bool,
    timeout: bool,
    /// Whether a POST that was sent may be sent again.
    non_idempotent: bool,
    statuses: Vec<u16>,
}

impl Next {
    fn read(line: &str) -> Result<Next, Complaint> {
        let mut next = Next::default();
        let mut words = Words::new("next", line);
        while let Some(word) = words.next() {
            if !NEXT_WORDS.contains(&word) {
                return Err(words.unknown(word, &NEXT_WORDS));
            }
            match word {
                "error" => next.error = true,
                "timeout" => next.timeout = true,
                "non_idempotent" => next.non_idempotent = true,
                "off" => next = Next::default(),
                _ => next
                    .statuses
                    .extend(word.strip_prefix("http_").and_then(|status| status.parse::<u16>().ok())),
            }
        }
        Ok(next)
    }

    /// What is tried at the other server.
    fn retried(&self) -> Answers {
        let mut answers = Answers::default();
        if self.error {
            // Nothing was sent yet.
            answers.add("refused");
        }
        if self.timeout {
            answers.add("connect_timeout");
        }
        if self.non_idempotent {
            if self.error {
                answers.add("connection_lost");
            }
            if self.timeout {
                answers.add("timeout");
            }
            answers.add_statuses(self.statuses.iter().copied());
        }
        answers
    }

    /// What counts as a failure: all that breaks, and statuses where they are tried again, but for 403 and 404.
    fn counted(&self) -> Answers {
        let mut answers = Answers::of(&["refused", "connect_timeout", "timeout", "connection_lost"]);
        if self.non_idempotent {
            answers.add_statuses(self.statuses.iter().copied().filter(|status| ![403, 404].contains(status)));
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::tests::{assert_lines, complaint_of, text_of};

    #[test]
    fn a_post_that_was_sent_is_tried_again_only_with_non_idempotent() {
        let config =
            r#"{"next": "error timeout http_502 http_503", "server": "max_fails=3 fail_timeout=5s"}"#;
        let text = text_of("nginx", "error,503,,1", config, ",");
        assert_lines(
            &text,
            &[
                "on = [\"refused\", \"connect_timeout\"]",
                "failures = [\"refused\", \"connect_timeout\", \"timeout\", \"connection_lost\"]",
                "nginx = { max_fails = 3, fail_timeout = \"5s\" }",
                "replicas = 1",
                "health = \"own\"",
                "to = \"other\"",
            ],
        );
        let config = config.replace("http_503", "http_503 http_404 non_idempotent");
        let text = text_of("nginx", "error,503,,1", &config, ",");
        assert_lines(
            &text,
            &[
                "on = [\"refused\", \"connect_timeout\", \"connection_lost\", \"timeout\", 502, 503, 404]",
                "failures = [\"refused\", \"connect_timeout\", \"timeout\", \"connection_lost\", 502, 503]",
            ],
        );
    }

    #[test]
    fn workers_share_what_they_count_only_in_a_zone() {
        let of = |config| text_of("nginx", "refused,,,1", config, ",");
        assert_lines(&of(r#"{"workers": 4}"#), &["replicas = 4", "health = \"own\""]);
        assert_lines(
            &of(r#"{"workers": 2, "zone": true}"#),
            &["replicas = 2", "health = { shared = \"0s\" }"],
        );
        assert_lines(&of("{}"), &["nginx = { max_fails = 1, fail_timeout = \"10s\" }"]);
        assert!(!of(r#"{"server": "max_fails=0"}"#).contains("detector"));
        assert!(!of(r#"{"next": "off"}"#).contains("[gateway.retry]"));
    }

    #[test]
    fn words_that_are_not_known_are_refused() {
        for (config, expected) in [
            (r#"{"server": "max_fail=3"}"#, "has `max_fail=3`"),
            (r#"{"server": "fail_timeout=1500ms"}"#, "whole seconds"),
            (r#"{"next": "error http_418"}"#, "has `http_418`"),
            (r#"{"keepalive": 64}"#, "`keepalive` is not known"),
        ] {
            let text = complaint_of("nginx", "refused,,,1", config);
            assert!(text.contains(expected), "{text}");
        }
    }
}
