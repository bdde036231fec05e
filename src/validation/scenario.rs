//! What the scenarios of all gateways share: the client, two providers, the outage; and how their text is written.

use super::config::Complaint;
use super::rows::{MeasuredRun, OutageKind};
use crate::time::SimDuration;
use std::fmt::{Display, Write};

/// What a config has to do with the comparison, beside the scenario's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// From the start of the run to the outage.
    pub warm: SimDuration,
    /// The names of the deployments of provider A.
    pub a: Vec<String>,
    /// Why the row is shown and not judged; `None` if it is judged.
    pub exempt: Option<&'static str>,
    /// Whether the moment of the last probe is known.
    pub phase_is_known: bool,
    /// What the client does on its own, as TOML.
    pub client_retry: Option<&'static str>,
    /// Settings of the product's part that the config replaces by others: `detector.cooldown.ratio`.
    pub replaced: Vec<&'static str>,
}

impl Setup {
    /// A run that starts when the measured one did.
    pub fn new(run: &MeasuredRun) -> Self {
        Setup {
            warm: run.warm,
            a: vec!["a".to_owned()],
            exempt: None,
            phase_is_known: false,
            client_retry: None,
            replaced: vec![],
        }
    }
}

/// A scenario in the making: TOML, table after table.
#[derive(Debug, Default)]
pub struct Script(String);

impl Script {
    /// Begins a table.
    pub fn table(&mut self, name: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        writeln!(self.0, "{gap}[{name}]").expect("a string grows");
    }

    /// Sets a key to a number, a truth value, or anything that is TOML already.
    pub fn set(&mut self, key: &str, value: impl Display) {
        writeln!(self.0, "{key} = {value}").expect("a string grows");
    }

    /// Sets a key to a text.
    pub fn text(&mut self, key: &str, value: impl Display) {
        self.set(key, format_args!("\"{value}\""));
    }

    /// Sets a key to a time.
    pub fn time(&mut self, key: &str, value: SimDuration) {
        self.text(key, value);
    }

    /// What was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A set of answers as a scenario writes it: kinds, classes and statuses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    words: Vec<&'static str>,
    statuses: Vec<u16>,
}

impl Answers {
    pub fn of(words: &[&'static str]) -> Self {
        Answers { words: words.to_vec(), statuses: vec![] }
    }

    pub fn add(&mut self, word: &'static str) {
        if !self.words.contains(&word) {
            self.words.push(word);
        }
    }

    /// Statuses that are no errors are none that a provider fails with.
    pub fn add_statuses(&mut self, statuses: impl IntoIterator<Item = u16>) {
        for status in statuses {
            if (400..600).contains(&status) && !self.statuses.contains(&status) {
                self.statuses.push(status);
            }
        }
    }

    /// What is in either.
    pub fn and(mut self, other: &Answers) -> Self {
        other.words.iter().for_each(|word| self.add(word));
        self.add_statuses(other.statuses.iter().copied());
        self
    }

    pub fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    pub fn has_status(&self, status: u16) -> bool {
        self.statuses.contains(&status) || self.has("any") || (status >= 500 && self.has("5xx"))
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.statuses.is_empty()
    }
}

impl Display for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let words = self.words.iter().map(|word| format!("\"{word}\""));
        let items: Vec<String> = words.chain(self.statuses.iter().map(u16::to_string)).collect();
        write!(f, "[{}]", items.join(", "))
    }
}

/// The scenario of a row.
pub fn text(run: &MeasuredRun) -> Result<(String, Setup), Complaint> {
    let (surroundings, gateway, setup) = written(run)?;
    let gateway = with_part(run.product.part, &setup.replaced, gateway.as_str());
    Ok((format!("{}\n{gateway}", surroundings.as_str()), setup))
}

/// What is around the gateway, and what the row's config says of it.
fn written(run: &MeasuredRun) -> Result<(Script, Script, Setup), Complaint> {
    let mut gateway = Script::default();
    let setup = (run.product.setup)(run, &mut gateway)?;
    let mut script = Script::default();
    script.text("about", format_args!("{} {} in a {}", run.product.name, run.config, run.outage.name()));
    script.time("duration", setup.warm.plus(run.lasts).plus(run.cool));
    script.table("traffic");
    script.set("arrivals", format_args!("{{ poisson = \"{}/s\" }}", run.rate_rps));
    script.time("client_timeout", run.client_timeout);
    if let Some(retry) = setup.client_retry {
        script.set("client_retry", retry);
    }
    // The 99th percentile of a normal variate is 2.3263.
    let p99 = run.latency_median.scaled(libm::exp(2.326_347_874 * run.latency_sigma));
    let providers = setup.a.iter().map(|name| (name.as_str(), "a")).chain([("b", "b")]);
    for (name, site) in providers {
        script.table(&format!("provider.{name}"));
        script.set("labels", format_args!("{{ site = \"{site}\" }}"));
        let p50 = run.latency_median;
        script.set("latency", format_args!("{{ lognormal = {{ p50 = \"{p50}\", p99 = \"{p99}\" }} }}"));
    }
    outage(run, &setup, &mut script);
    Ok((script, gateway, setup))
}

/// Tables of a part that stand for something which a config may not have at all.
const OPTIONAL: [&str; 4] = ["health_check", "retry", "fallback", "hedge"];

/// What the config says of the gateway, on top of what the product does however it is configured. Of the part, what
/// the config does not have is left out, which `from` cannot do.
fn with_part(part: &str, replaced: &[&str], own: &str) -> String {
    let read =
        |text: &str| -> toml::Table { toml::from_str(text).expect("parts and generated text are TOML") };
    let mut own = read(own);
    let own = match own.remove("gateway") {
        Some(toml::Value::Table(own)) => own,
        _ => toml::Table::new(),
    };
    let mut base =
        read(crate::scenario::part_text(part).expect("each product's part comes with the program"));
    for name in OPTIONAL.into_iter().filter(|name| !own.contains_key(*name)) {
        base.remove(name);
    }
    let names = own.get("detector").and_then(toml::Value::as_table);
    if let Some(toml::Value::Table(detectors)) = base.get_mut("detector") {
        detectors.retain(|name, _| names.is_some_and(|names| names.contains_key(name)));
    }
    for path in replaced {
        remove(&mut base, path);
    }
    base.remove("source");
    let mut whole = toml::Table::new();
    whole.insert("gateway".to_owned(), toml::Value::Table(merged(base, own)));
    format!("# {part} and the config\n{}", toml::to_string(&whole).expect("a table is TOML"))
}

fn remove(table: &mut toml::Table, path: &str) {
    match path.split_once('.') {
        None => {
            table.remove(path);
        }
        Some((first, rest)) => {
            if let Some(toml::Value::Table(inner)) = table.get_mut(first) {
                remove(inner, rest);
            }
        }
    }
}

/// What `over` says, and `base` where it says nothing.
fn merged(mut base: toml::Table, over: toml::Table) -> toml::Table {
    for (key, value) in over {
        let value = match (base.remove(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => {
                toml::Value::Table(merged(below, above))
            }
            (_, value) => value,
        };
        base.insert(key, value);
    }
    base
}

fn outage(run: &MeasuredRun, setup: &Setup, script: &mut Script) {
    script.table("fault.outage");
    script.set("on", "{ site = \"a\" }");
    script.time("at", setup.warm);
    script.time("lasts", run.lasts);
    let (effect, in_flight) = match run.outage.kind {
        OutageKind::Refused => ("\"refuse\"".to_owned(), "fail"),
        OutageKind::Blackhole => ("\"hang\"".to_owned(), "hang"),
        OutageKind::Error(code) => (format!("{{ status = {code} }}"), "finish"),
        OutageKind::Brownout(_) => ("{ status = 503 }".to_owned(), "finish"),
    };
    script.set("requests", &effect);
    // A closed listener is closed for probes as well.
    let reaches_probes = run.outage.health_follows || run.outage.kind == OutageKind::Refused;
    script.set("probes", if reaches_probes { &effect } else { "\"unaffected\"" });
    script.text("in_flight", in_flight);
    if let OutageKind::Brownout(share) = run.outage.kind {
        script.set("fraction", format_args!("{share:?}"));
        script.set("probe_fraction", format_args!("{share:?}"));
    }
}

/// When A is probed, as far as it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeClock {
    /// From the start of the run to the first probe; `None` is at random.
    pub first: Option<SimDuration>,
    /// How long a good answer to a probe takes.
    pub latency: SimDuration,
}

impl ProbeClock {
    /// Probes that come so that one starts as long before the outage as was measured.
    pub fn of(run: &MeasuredRun, warm: SimDuration, interval: SimDuration) -> Self {
        let period = run.probe_period.unwrap_or(interval);
        let latency = SimDuration::from_nanos(period.as_nanos().saturating_sub(interval.as_nanos()));
        let first = run.since_probe.map(|since| {
            let (warm, since, period) =
                (warm.as_nanos() as i64, since.as_nanos() as i64, period.as_nanos() as i64);
            SimDuration::from_nanos((warm - since).rem_euclid(period.max(1)) as u64)
        });
        ProbeClock { first, latency }
    }

    /// Writes it into a health check.
    pub fn write(&self, script: &mut Script) {
        match self.first {
            Some(first) => script.set("first_probe", format_args!("{{ at = \"{first}\" }}")),
            None => script.text("first_probe", "random"),
        }
        script.set("latency", format_args!("{{ constant = \"{}\" }}", self.latency));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::rows::tests::row;
    use super::*;

    /// What is written of a row, without what the gateway does however it is configured.
    pub fn text_of(gateway: &str, outage: &str, config: &str, probes: &str) -> String {
        let (surroundings, gateway, _) = written(&row(gateway, outage, config, probes).unwrap()).unwrap();
        format!("{}{}", surroundings.as_str(), gateway.as_str())
    }

    /// What is wrong with the config.
    pub fn complaint_of(gateway: &str, outage: &str, config: &str) -> String {
        let run = row(gateway, outage, config, ",").unwrap();
        crate::scenario::Problems::from(text(&run).unwrap_err().in_row(&run.place)).to_string()
    }

    /// Whether the text has all of these lines.
    #[track_caller]
    pub fn assert_lines(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|l| l == *line), "no line `{line}` in\n{text}");
        }
    }

    #[test]
    fn the_outage_is_what_the_row_says() {
        let of = |outage| text_of("portkey", outage, "{}", ",");
        assert_lines(
            &of("blackhole,,,0"),
            &["requests = \"hang\"", "probes = \"unaffected\"", "in_flight = \"hang\"", "at = \"10s 500ms\""],
        );
        assert_lines(
            &of("refused,,,0"),
            &["requests = \"refuse\"", "probes = \"refuse\"", "in_flight = \"fail\""],
        );
        assert_lines(&of("error,429,,1"), &["requests = { status = 429 }", "probes = { status = 429 }"]);
        assert_lines(
            &of("brownout,503,0.25,1"),
            &["fraction = 0.25", "probe_fraction = 0.25", "lasts = \"20s\""],
        );
        assert_lines(&of("refused,,,1"), &["duration = \"46s 500ms\"", "client_timeout = \"10s\""]);
    }

    #[test]
    fn of_the_part_only_what_the_config_has_is_taken() {
        let value = |text: &str, path: &str| {
            let mut value = toml::Value::Table(toml::from_str(text).unwrap());
            for step in path.split('.') {
                value = value.get(step)?.clone();
            }
            Some(value.to_string())
        };
        let own = "[gateway]\nreplicas = 2\n[gateway.detector.upstream]\nnginx = { max_fails = 7, fail_timeout = \"3s\" }";
        let text = with_part("models/gateways/nginx.toml", &["all_ejected"], own);
        assert_eq!(value(&text, "gateway.detector.upstream.nginx.max_fails").as_deref(), Some("7"));
        assert_eq!(value(&text, "gateway.replicas").as_deref(), Some("2"));
        // The part's own failures stay; its retries, which the config does not have, and what is replaced go.
        assert!(value(&text, "gateway.detector.upstream.failures").is_some());
        assert_eq!(value(&text, "gateway.retry"), None);
        assert_eq!(value(&text, "gateway.all_ejected"), None);
        let text = with_part("models/gateways/nginx.toml", &[], "[gateway]");
        assert_eq!(value(&text, "gateway.detector.upstream"), None);
    }

    #[test]
    fn a_probe_starts_as_long_before_the_outage_as_was_measured() {
        let run = row("haproxy", "refused,,,1", "{}", "2.001,0.413").unwrap();
        let clock = ProbeClock::of(&run, run.warm, SimDuration::from_secs(2));
        // 10.5 - 0.413 - 5 * 2.001.
        assert_eq!(clock.first, Some(SimDuration::from_millis(82)));
        assert_eq!(clock.latency, SimDuration::from_millis(1));
    }
}
