//! Portkey's open-source gateway 1.15: no memory, so each request finds the outage anew.
//!
//! The base config has `strategy: {mode: fallback}`, and both targets have the same settings.

use super::Product;
use super::config::{Complaint, Settings};
use super::rows::MeasuredRun;
use super::scenario::{Answers, Script, Setup};
use crate::time::SimDuration;

/// Portkey.
pub static PRODUCT: Product =
    Product { name: "portkey", part: "models/gateways/portkey.toml", burst_gap_s: 1.0, setup };

/// What the gateway's own timeout is answered with.
const REQUEST_TIMEOUT: u16 = 408;
/// What a call that could not be made, or broke, is answered with.
const FETCH_FAILED: u16 = 500;
/// Statuses that are tried again where the config does not say which.
const RETRIED: [u16; 5] = [429, 500, 502, 503, 504];

fn setup(run: &MeasuredRun, script: &mut Script) -> Result<Setup, Complaint> {
    let settings = Settings::of(&run.settings, &["strategy", "target"])?;
    // The open-source gateway reads `cb_config` and does nothing with it.
    let strategy = settings.table("strategy", &["mode", "on_status_codes", "cb_config"])?;
    let target = settings.table("target", &["request_timeout", "retry", "weight"])?;
    let mode = match &strategy {
        Some(strategy) => strategy.word("mode", &["fallback", "loadbalance", "single"])?.unwrap_or("single"),
        None => "fallback",
    };
    let on = strategy.as_ref().map(|strategy| strategy.statuses("on_status_codes")).transpose()?.flatten();

    script.table("gateway");
    script.set(
        "route",
        match mode {
            "fallback" => "{ prefer = [\"a\", \"b\"] }",
            "loadbalance" => "{ weighted = { a = 1.0, b = 1.0 } }",
            _ => "{ prefer = [\"a\"] }",
        },
    );
    if let Some(target) = &target {
        if let Some(timeout) = target.time("request_timeout", SimDuration::from_millis(1))? {
            // It ends when the answer's headers come.
            script.set("timeouts", format_args!("{{ first_token = \"{timeout}\" }}"));
        }
        // Both targets have the same one.
        target.number("weight")?;
        write_retry(target, script)?;
    }
    if mode == "fallback" {
        script.table("gateway.fallback");
        script.set("on", on.map_or(Answers::of(&["any"]), |statuses| answered_with(&statuses)));
    }
    Ok(Setup::new(run))
}

/// The ends that the gateway sees as these statuses.
fn answered_with(statuses: &[u16]) -> Answers {
    let mut answers = Answers::default();
    if statuses.contains(&FETCH_FAILED) {
        answers.add("refused");
        answers.add("connection_lost");
    }
    if statuses.contains(&REQUEST_TIMEOUT) {
        answers.add("timeout");
    }
    answers.add_statuses(statuses.iter().copied());
    answers
}

fn write_retry(target: &Settings, script: &mut Script) -> Result<(), Complaint> {
    let known = ["attempts", "on_status_codes", "use_retry_after_header"];
    let Some(retry) = target.table("retry", &known)? else { return Ok(()) };
    let attempts = retry.whole("attempts")?.unwrap_or(0);
    let statuses = retry.statuses("on_status_codes")?.unwrap_or(RETRIED.to_vec());
    let heeds_retry_after = retry.flag("use_retry_after_header")?.unwrap_or(false);
    if attempts == 0 {
        return Ok(());
    }
    script.table("gateway.retry");
    script.set("attempts", attempts);
    // A call that breaks is tried again whatever the list says.
    script.set("on", Answers::of(&["refused", "connection_lost"]).and(&answered_with(&statuses)));
    script.text("to", "same");
    script.text("delay", "1s");
    script.set("growth", "{ exponential = 2.0 }");
    if heeds_retry_after {
        script.text("retry_after", "60s");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::scenario::tests::{assert_lines, complaint_of, text_of};

    #[test]
    fn a_fallback_goes_on_after_the_listed_statuses_or_after_anything() {
        let of = |config| text_of("portkey", "error,503,,1", config, ",");
        assert_lines(&of("{}"), &["route = { prefer = [\"a\", \"b\"] }", "on = [\"any\"]"]);
        assert!(!of("{}").contains("timeouts"));
        let listed = of(r#"{"strategy": {"mode": "fallback", "on_status_codes": [429, 500]}}"#);
        assert_lines(&listed, &["on = [\"refused\", \"connection_lost\", 429, 500]"]);
        let balanced = of(r#"{"strategy": {"mode": "loadbalance"}, "target": {"request_timeout": 1000}}"#);
        assert_lines(
            &balanced,
            &["route = { weighted = { a = 1.0, b = 1.0 } }", "timeouts = { first_token = \"1s\" }"],
        );
        assert!(!balanced.contains("[gateway.fallback]"));
    }

    #[test]
    fn retries_double_their_wait_and_skip_the_gateways_own_timeout() {
        let config = r#"{"target": {"retry": {"attempts": 2}, "request_timeout": 1500}}"#;
        let text = text_of("portkey", "error,503,,1", config, ",");
        assert_lines(
            &text,
            &[
                "attempts = 2",
                "delay = \"1s\"",
                "growth = { exponential = 2.0 }",
                "on = [\"refused\", \"connection_lost\", 429, 500, 502, 503, 504]",
            ],
        );
        let config = r#"{"target": {"retry": {"attempts": 1, "on_status_codes": [408]}}}"#;
        let text = text_of("portkey", "error,503,,1", config, ",");
        assert_lines(&text, &["on = [\"refused\", \"connection_lost\", \"timeout\", 408]"]);
    }

    #[test]
    fn settings_that_are_not_known_are_refused() {
        for (config, expected) in [
            (r#"{"strategy": {"mode": "conditional"}}"#, "`config.strategy.mode` is `conditional`"),
            (r#"{"target": {"timeout": 5}}"#, "`target.timeout` is not known"),
            (r#"{"target": {"retry": {"attempts": -1}}}"#, "`target.retry.attempts` is `-1`"),
        ] {
            let text = complaint_of("portkey", "refused,,,1", config);
            assert!(text.contains(expected), "{text}");
        }
    }
}
