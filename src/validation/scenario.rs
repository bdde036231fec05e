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
}

impl Setup {
    /// A run that starts when the measured one did.
    pub fn new(run: &MeasuredRun) -> Self {
        Setup { warm: run.warm, a: vec!["a".to_owned()], exempt: None, phase_is_known: false, client_retry: None }
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
    Ok((format!("{}{}", script.as_str(), gateway.as_str()), setup))
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

    /// The scenario's text.
    pub fn text_of(gateway: &str, outage: &str, config: &str, probes: &str) -> String {
        text(&row(gateway, outage, config, probes).unwrap()).unwrap().0
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
        assert_lines(&of("refused,,,0"), &["requests = \"refuse\"", "probes = \"refuse\"", "in_flight = \"fail\""]);
        assert_lines(&of("error,429,,1"), &["requests = { status = 429 }", "probes = { status = 429 }"]);
        assert_lines(&of("brownout,503,0.25,1"), &["fraction = 0.25", "probe_fraction = 0.25", "lasts = \"20s\""]);
        assert_lines(&of("refused,,,1"), &["duration = \"46s 500ms\"", "client_timeout = \"10s\""]);
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
