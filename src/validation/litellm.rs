//! LiteLLM's proxy 1.74: cooldowns by rate or by count, retries inside a model group, fallbacks between groups.
//!
//! The base config has `routing_strategy: simple-shuffle`, `timeout: 3` and `max_retries: 0`; A and B are in one group,
//! or B is the fallback of A's group.

use super::Product;
use super::config::{Complaint, Settings};
use super::rows::{MeasuredRun, OutageKind};
use super::scenario::{Answers, Script, Setup};
use crate::time::SimDuration;

/// LiteLLM's proxy.
pub static PRODUCT: Product =
    Product { name: "litellm", part: "models/gateways/litellm-1.74.toml", burst_gap_s: 1.5, setup };

const SECOND: SimDuration = SimDuration::from_secs(1);
/// `allowed_fails` of this value is the library's default, and taken for not set.
const DEFAULT_ALLOWED_FAILS: u32 = 3;
const DEFAULT_COOLDOWN: SimDuration = SimDuration::from_secs(5);
const DEFAULT_RETRIES: u32 = 2;

const ROUTER: [&str; 11] = [
    "routing_strategy",
    "routing_strategy_args",
    "num_retries",
    "retry_after",
    "timeout",
    "allowed_fails",
    "allowed_fails_policy",
    "cooldown_time",
    "disable_cooldowns",
    "enable_pre_call_checks",
    "max_fallbacks",
];

/// Allowed fails by the exception that a failure becomes.
const POLICY: [&str; 6] = [
    "BadRequestErrorAllowedFails",
    "AuthenticationErrorAllowedFails",
    "TimeoutErrorAllowedFails",
    "RateLimitErrorAllowedFails",
    "ContentPolicyViolationErrorAllowedFails",
    "InternalServerErrorAllowedFails",
];

/// Why rows with fallbacks and counted failures are not judged.
const FALLBACK_COOLED: &str = "with `fallbacks` and `allowed_fails` the router books its own error on the healthy \
    fallback and cools it down too; what triggers that is not established";

fn setup(run: &MeasuredRun, script: &mut Script) -> Result<Setup, Complaint> {
    let known = ["router", "same_group", "extra_a", "settings", "fallbacks", "a_params", "b_params"];
    let settings = Settings::of(&run.settings, &known)?;
    let router = settings.table("router", &ROUTER)?;
    let library =
        settings.table("settings", &["num_retries", "request_timeout", "allowed_fails", "drop_params"])?;
    let group = Group::read(&settings)?;
    let cooldown = Cooldown::read(router.as_ref(), library.as_ref(), run.outage.kind)?;

    script.table("gateway");
    let timeout = router.as_ref().map(|router| router.time("timeout", SECOND)).transpose()?.flatten();
    let timeout = timeout.unwrap_or(SimDuration::from_secs(3));
    script.set("timeouts", format_args!("{{ first_token = \"{timeout}\" }}"));
    group.write(router.as_ref(), script)?;
    write_retry(router.as_ref(), library.as_ref(), script)?;
    if group.falls_back() {
        script.table("gateway.fallback");
        script.set("on", Answers::of(&["any"]));
        let max = router.as_ref().map(|router| router.whole("max_fallbacks")).transpose()?.flatten();
        script.set("max", max.unwrap_or(5));
    }
    let replaced = cooldown.write(group.is_lone(), script);

    let counted = matches!(cooldown.rule, Rule::Count(_));
    let warm = run.window_age.map_or(run.warm, |age| age.plus(group.until_first_success(run)));
    Ok(Setup {
        warm,
        a: group.a.iter().map(|(name, _)| name.clone()).collect(),
        replaced,
        exempt: (group.falls_back() && counted).then_some(FALLBACK_COOLED),
        ..Setup::new(run)
    })
}

/// The deployments, and who is whose fallback.
#[derive(Debug)]
struct Group {
    /// Those at provider A, with their weights.
    a: Vec<(String, f64)>,
    b_weight: f64,
    is_shared: bool,
    has_fallbacks: bool,
}

impl Group {
    fn read(settings: &Settings) -> Result<Group, Complaint> {
        let weight = |key| -> Result<f64, Complaint> {
            let Some(params) = settings.table(key, &["weight", "rpm", "tpm"])? else { return Ok(1.0) };
            let given = [params.number("weight")?, params.number("rpm")?, params.number("tpm")?];
            Ok(given.into_iter().flatten().find(|weight| *weight > 0.0).unwrap_or(1.0))
        };
        let extra = settings.whole("extra_a")?.unwrap_or(0).min(100);
        let mut a = vec![("a".to_owned(), weight("a_params")?)];
        a.extend((0..extra).map(|i| (format!("a{}", i + 2), 1.0)));
        Ok(Group {
            a,
            b_weight: weight("b_params")?,
            is_shared: settings.flag("same_group")?.unwrap_or(false),
            has_fallbacks: settings.flag("fallbacks")?.unwrap_or(true),
        })
    }

    fn falls_back(&self) -> bool {
        !self.is_shared && self.has_fallbacks
    }

    /// Whether A is one deployment alone in its group.
    fn is_lone(&self) -> bool {
        !self.is_shared && self.a.len() == 1
    }

    /// The window of successes begins with the first one: a wait for it at A, and its answer.
    fn until_first_success(&self, run: &MeasuredRun) -> SimDuration {
        let total: f64 = self.a.iter().map(|(_, weight)| weight).sum();
        let all = if self.is_shared { total + self.b_weight } else { total };
        SimDuration::from_secs_f64(all / self.a[0].1 / run.rate_rps).plus(run.latency_median)
    }

    fn write(&self, router: Option<&Settings>, script: &mut Script) -> Result<(), Complaint> {
        let strategy = match router {
            Some(router) => {
                router.flag("enable_pre_call_checks")?;
                let known = ["simple-shuffle", "least-busy", "latency-based-routing"];
                router.word("routing_strategy", &known)?.unwrap_or("simple-shuffle")
            }
            None => "simple-shuffle",
        };
        let mut members = self.a.clone();
        if self.is_shared {
            members.push(("b".to_owned(), self.b_weight));
        }
        let pick = match (members.as_slice(), strategy) {
            ([(only, _)], _) => format!("prefer = [\"{only}\"]"),
            (members, "simple-shuffle") => {
                let weights: Vec<String> =
                    members.iter().map(|(name, w)| format!("{name} = {w:?}")).collect();
                format!("weighted = {{ {} }}", weights.join(", "))
            }
            (members, "least-busy") => format!("least_in_flight = [{}]", names(members)),
            (members, _) => {
                let args =
                    router.map(|r| r.table("routing_strategy_args", &["lowest_latency_buffer", "ttl"]));
                let buffer = args.transpose()?.flatten().map(|args| args.number("lowest_latency_buffer"));
                let buffer = buffer.transpose()?.flatten().unwrap_or(0.0);
                // Of failures only a timeout is remembered, which no scenario tells from others.
                format!(
                    "lowest_latency = {{ among = [{}], last = 10, failures = \"ignored\", buffer = {buffer:?}, explore = 0.0 }}",
                    names(members)
                )
            }
        };
        if !self.falls_back() {
            script.set("route", format_args!("{{ {pick} }}"));
        } else if self.is_lone() {
            script.set("route", "{ prefer = [\"a\", \"b\"] }");
        } else {
            script.set("route", "{ prefer = [\"m\", \"b\"] }");
            script.table("gateway.group.m");
            let (key, value) = pick.split_once(" = ").expect("a pick is a key and its value");
            script.set(key, value);
        }
        Ok(())
    }
}

fn names(members: &[(String, f64)]) -> String {
    let names: Vec<String> = members.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    names.join(", ")
}

/// Failures that are tried again: a refused connection is a 500 here, and a timeout a 408.
fn retried() -> Answers {
    let mut answers = Answers::of(&["5xx", "refused", "connect_timeout", "timeout", "connection_lost"]);
    answers.add_statuses([408, 409, 429]);
    answers
}

fn write_retry(
    router: Option<&Settings>,
    library: Option<&Settings>,
    script: &mut Script,
) -> Result<(), Complaint> {
    let whole =
        |table: Option<&Settings>| table.map(|t| t.whole("num_retries")).transpose().map(Option::flatten);
    let attempts = whole(router)?.or(whole(library)?).unwrap_or(DEFAULT_RETRIES);
    let least = router.map(|router| router.time("retry_after", SECOND)).transpose()?.flatten();
    let least = least.unwrap_or(SimDuration::ZERO);
    if attempts == 0 {
        return Ok(());
    }
    // 0.5, 0.5, 1, 2, ... seconds: the power is counted from the retry before.
    let waits = [500, 500, 1_000, 2_000, 4_000, 8_000].map(SimDuration::from_millis);
    let waits: Vec<String> = waits.map(|wait| format!("\"{}\"", wait.max(least))).to_vec();
    script.table("gateway.retry");
    script.set("attempts", attempts);
    script.set("on", retried());
    script.text("to", "any");
    script.set("delays", format_args!("[{}]", waits.join(", ")));
    script.set("jitter", "{ plus = \"750ms\" }");
    script.set("at_once_with_others", true);
    script.set("wait_after_last", true);
    script.text("retry_after", "60s");
    Ok(())
}

/// When a deployment is cooled down, and for how long.
#[derive(Debug)]
struct Cooldown {
    rule: Rule,
    time: SimDuration,
}

#[derive(Debug)]
enum Rule {
    Never,
    /// More than half of this minute's calls failed.
    Rate,
    /// So many failures are allowed in the cooldown time after the first.
    Count(u32),
}

impl Cooldown {
    fn read(
        router: Option<&Settings>,
        library: Option<&Settings>,
        kind: OutageKind,
    ) -> Result<Cooldown, Complaint> {
        let allowed = |table: Option<&Settings>| {
            table.map(|table| table.whole("allowed_fails")).transpose().map(Option::flatten)
        };
        let default = allowed(library)?.unwrap_or(DEFAULT_ALLOWED_FAILS);
        let Some(router) = router else { return Ok(Cooldown { rule: Rule::Rate, time: DEFAULT_COOLDOWN }) };
        let time = router.time("cooldown_time", SECOND)?.unwrap_or(DEFAULT_COOLDOWN);
        let allowed = router.whole("allowed_fails")?;
        let policy = router.table("allowed_fails_policy", &POLICY)?;
        let counted = policy.is_some() || allowed.is_some_and(|allowed| allowed != default);
        let rule = if router.flag("disable_cooldowns")?.unwrap_or(false) || time == SimDuration::ZERO {
            Rule::Never
        } else if counted {
            // A policy's 0 is taken for not set.
            let by_policy = |key| policy.as_ref().map(|policy| policy.whole(key)).transpose();
            let by_policy =
                exception(kind).map(by_policy).transpose()?.flatten().flatten().filter(|n| *n > 0);
            Rule::Count(by_policy.or(allowed).unwrap_or(default))
        } else {
            Rule::Rate
        };
        Ok(Cooldown { rule, time })
    }

    /// The part has the default rule, by rate; another one replaces it.
    fn write(&self, is_lone: bool, script: &mut Script) -> Vec<&'static str> {
        let by_rate = ["detector.cooldown.ratio", "detector.cooldown.window", "detector.cooldown.evaluated"];
        if matches!(self.rule, Rule::Never) {
            return vec![];
        }
        script.table("gateway.detector.cooldown");
        script.time("eject_for", self.time);
        // Which groups have one deployment is decided here.
        script.set("spares_lone", false);
        match self.rule {
            Rule::Rate if is_lone => {
                script.set("at_once_on", "[401, 404]");
                by_rate.to_vec()
            }
            Rule::Count(allowed) => {
                script.set("count", allowed + 1);
                let time = self.time;
                script.set(
                    "window",
                    format_args!("{{ tumbling = {{ length = \"{time}\", from = \"first_failure\" }} }}"),
                );
                script.text("evaluated", "on_failure");
                by_rate.into_iter().chain(["detector.cooldown.at_once_on"]).collect()
            }
            Rule::Rate | Rule::Never => vec![],
        }
    }
}

/// The policy's key for what the outage becomes; a 503 has none in this version.
fn exception(kind: OutageKind) -> Option<&'static str> {
    match kind {
        OutageKind::Refused | OutageKind::Error(500) => Some("InternalServerErrorAllowedFails"),
        OutageKind::Blackhole | OutageKind::Error(408) => Some("TimeoutErrorAllowedFails"),
        OutageKind::Error(429) => Some("RateLimitErrorAllowedFails"),
        OutageKind::Error(401) => Some("AuthenticationErrorAllowedFails"),
        OutageKind::Error(400) => Some("BadRequestErrorAllowedFails"),
        OutageKind::Error(_) | OutageKind::Brownout(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::row;
    use super::super::scenario::tests::{assert_lines, complaint_of, text_of};
    use super::super::scenario::text;

    #[test]
    fn a_shared_group_is_cooled_down_by_rate() {
        let config = r#"{"router": {"num_retries": 0}, "same_group": true}"#;
        let text = text_of("litellm", "error,503,,1", config, ",");
        assert_lines(
            &text,
            &["route = { weighted = { a = 1.0, b = 1.0 } }", "eject_for = \"5s\"", "spares_lone = false"],
        );
        assert!(!text.contains("count") && !text.contains("at_once_on"), "the part has the rule: {text}");
        assert!(!text.contains("[gateway.retry]") && !text.contains("[gateway.fallback]"));
        // The library's default is taken for not set.
        let config = config.replace("\"num_retries\"", "\"allowed_fails\": 3, \"num_retries\"");
        assert!(!text_of("litellm", "error,503,,1", &config, ",").contains("count = "));
    }

    #[test]
    fn counted_failures_cool_down_and_are_exempt_with_fallbacks() {
        let router = r#""router": {"allowed_fails": 2, "cooldown_time": 5, "num_retries": 0}"#;
        let config = format!("{{{router}, \"same_group\": true}}");
        let run = row("litellm", "error,503,,1", &config, ",").unwrap();
        let (script, setup) = text(&run).unwrap();
        assert!(script.contains("count = 3") && script.contains("from = \"first_failure\""), "{script}");
        assert!(!script.contains("cooldown.ratio"), "{script}");
        assert_eq!(setup.exempt, None);
        let run = row("litellm", "error,503,,1", &format!("{{{router}}}"), ",").unwrap();
        let (script, setup) = text(&run).unwrap();
        assert!(script.contains("prefer = [\"a\", \"b\"]") && script.contains("max = 5"), "{script}");
        assert!(setup.exempt.is_some());
    }

    #[test]
    fn a_lone_deployment_is_cooled_down_only_for_what_no_retry_mends() {
        let text = text_of("litellm", "error,503,,1", r#"{"router": {"num_retries": 0}}"#, ",");
        assert_lines(&text, &["at_once_on = [401, 404]"]);
        let text = text_of("litellm", "error,503,,1", r#"{"extra_a": 1, "router": {}}"#, ",");
        let lines = [
            "[gateway.group.m]",
            "weighted = { a = 1.0, a2 = 1.0 }",
            "[provider.a2]",
            "route = { prefer = [\"m\", \"b\"] }",
            "attempts = 2",
            "delays = [\"500ms\", \"500ms\", \"1s\", \"2s\", \"4s\", \"8s\"]",
            "wait_after_last = true",
        ];
        assert_lines(&text, &lines);
    }

    #[test]
    fn a_policy_counts_by_exception() {
        let config =
            r#"{"same_group": true, "router": {"allowed_fails_policy": {"TimeoutErrorAllowedFails": 7}}}"#;
        assert_lines(&text_of("litellm", "blackhole,,,1", config, ","), &["count = 8"]);
        assert_lines(&text_of("litellm", "error,503,,1", config, ","), &["count = 4"]);
    }

    #[test]
    fn settings_that_are_not_known_are_refused() {
        for (config, expected) in [
            (r#"{"router": {"cooldown": 5}}"#, "did you mean `cooldown_time`?"),
            (r#"{"router": {"routing_strategy": "magic"}}"#, "`config.router.routing_strategy` is `magic`"),
            (r#"{"general_settings": {}}"#, "`general_settings` is not known"),
        ] {
            let text = complaint_of("litellm", "refused,,,1", config);
            assert!(text.contains(expected), "{text}");
        }
    }
}
