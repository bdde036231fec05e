//! Which settings of a scenario the page can change: those it has, and those that can be switched on in it.

use super::stops::{Range, Stop, stops};
use crate::scenario::{Document, given_by_hand, value_of};
use crate::time::SimDuration;
use serde::Serialize;

/// Settings that belong together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// What it is, to people.
    pub title: String,
    /// What the schema says of it.
    pub about: String,
    /// Switches all of it on and off; null where it cannot be missing.
    pub switch: Option<Switch>,
    /// In the order in which they are shown.
    pub controls: Vec<Control>,
}

/// Something that a scenario may have or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Switch {
    /// The setting.
    pub path: String,
    /// What it is set to when it is switched on; it is left out when it is switched off.
    pub on: serde_json::Value,
    /// Whether the scenario as written has it.
    pub is_on: bool,
}

/// One setting that can be moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Control {
    /// Its path, such as `gateway.health_check.interval`.
    pub path: String,
    /// What to call it.
    pub label: String,
    /// What the schema says of it.
    pub about: String,
    /// The kind of value, as the schema has it: `duration`, `rate`, ...; `choice` for one of several words.
    pub kind: &'static str,
    /// Whether values are text, such as `5s`, and no numbers.
    pub is_text: bool,
    /// The values to choose from, in ascending order.
    pub stops: Vec<Stop>,
    /// The place in `stops` of the value as it is written, or as it is when its section is switched on.
    pub at: usize,
}

/// Whether a section can be missing.
#[derive(Debug, Clone, Copy)]
enum Presence {
    /// It is part of any scenario, or of this one.
    Fixed,
    /// It can be switched off where it is there.
    Removable,
    /// That, and where it is not there it can be switched on as this.
    Optional(&'static str),
}

/// A setting below the path of a section: its path there, what to call it, and its range.
type Wish = (&'static str, &'static str, Range);

/// The sections of a scenario that is valid.
pub(super) fn sections(document: &Document) -> Vec<Section> {
    let Ok(model) = document.model() else { return vec![] };
    let panel = Panel { document, duration: model.duration };
    let mut sections = vec![];
    sections.extend(panel.section("Health check", "gateway.health_check", HEALTH_CHECK, &HEALTH_CHECKS));
    match panel.names("gateway.detector").as_slice() {
        [] => sections.extend(panel.section("Circuit breaker", "gateway.detector", BREAKER, &BREAKERS)),
        names => sections.extend(names.iter().filter_map(|name| {
            let path = format!("gateway.detector.{name}");
            panel.section(&format!("Breaker “{name}”"), &path, Presence::Removable, &DETECTORS)
        })),
    }
    sections.extend(panel.section("Retries", "gateway.retry", RETRY, &RETRIES));
    sections.extend(panel.section("Fallback", "gateway.fallback", Presence::Optional("{}"), &[]));
    sections.extend(panel.section(
        "Per-attempt timeout",
        "gateway.timeouts.attempt",
        Presence::Optional("\"30s\""),
        &TIMEOUT,
    ));
    sections.extend(panel.section("Waits of the gateway", "gateway.timeouts", Presence::Fixed, &TIMEOUTS));
    sections.extend(panel.section("Traffic", "traffic", Presence::Fixed, &TRAFFIC));
    sections.extend(panel.section(
        "Retries of clients",
        "traffic.client_retry",
        Presence::Removable,
        &RETRIES,
    ));
    for (map, title) in [("fault", "Outage"), ("gateway.fault", "Outage of the gateway")] {
        let wishes = panel.fault_wishes();
        sections.extend(panel.names(map).iter().filter_map(|name| {
            panel.section(&format!("{title} “{name}”"), &format!("{map}.{name}"), Presence::Fixed, &wishes)
        }));
    }
    sections
}

const HEALTH_CHECK: Presence = Presence::Optional("{ interval = \"10s\", timeout = \"5s\" }");
const HEALTH_CHECKS: [Wish; 4] = [
    ("interval", "Interval", Range::Time("1s", "5m")),
    ("timeout", "Timeout", Range::Time("250ms", "2m")),
    ("eject_after", "Eject after", Range::Count(1, 5)),
    ("readmit_after", "Readmit after", Range::Count(1, 5)),
];

/// What somebody who has no breaker begins with: five failures in a row, half a minute, one request to try.
const BREAKER: Presence =
    Presence::Optional("{ breaker = { consecutive = 5, eject_for = \"30s\", half_open = { permits = 1 } } }");
const BREAKERS: [Wish; 2] = [
    ("breaker.consecutive", "Failures in a row", Range::Count(1, 20)),
    ("breaker.eject_for", "Eject for", Range::Time("1s", "10m")),
];
const DETECTORS: [Wish; 8] = [
    ("consecutive", "Failures in a row", Range::Count(1, 20)),
    ("count", "Failures in the window", Range::Count(1, 20)),
    ("ratio.above", "Failed share above", Range::Share),
    ("ratio.at_least", "Failed share of at least", Range::Share),
    ("nginx.max_fails", "Failures", Range::Count(1, 20)),
    ("nginx.fail_timeout", "Eject for", Range::Time("1s", "10m")),
    ("eject_for", "Eject for", Range::Time("1s", "10m")),
    ("max_eject_for", "Eject for at most", Range::Time("1s", "30m")),
];

const RETRY: Presence = Presence::Optional("{ attempts = 1, on = [\"any\"], delay = \"0s\" }");
const RETRIES: [Wish; 4] = [
    ("attempts", "How many", Range::Count(1, 5)),
    ("delay", "Backoff", Range::Time("0s", "30s")),
    ("max_delay", "Longest backoff", Range::Time("100ms", "2m")),
    // A choice has no range.
    ("to", "Where to", Range::Share),
];

const TIMEOUT: [Wish; 1] = [("", "Timeout", Range::Time("500ms", "2m"))];
const TIMEOUTS: [Wish; 4] = [
    ("connect", "Connect", Range::Time("100ms", "1m")),
    ("first_token", "First token", Range::Time("250ms", "2m")),
    ("idle", "Between tokens", Range::Time("250ms", "2m")),
    ("request", "Request", Range::Time("500ms", "5m")),
];

const TRAFFIC: [Wish; 7] = [
    ("arrivals.constant", "Request rate", Range::Tenfold),
    ("arrivals.poisson", "Request rate", Range::Tenfold),
    ("arrivals.renewal.rate", "Request rate", Range::Tenfold),
    ("arrivals.on_off.rate", "Request rate", Range::Tenfold),
    ("arrivals.trace.rate", "Request rate", Range::Tenfold),
    ("arrivals.users.count", "Users", Range::Tenfold),
    ("client_timeout", "Clients wait for", Range::Time("500ms", "5m")),
];

/// What there is to build sections from.
struct Panel<'a> {
    document: &'a Document,
    duration: SimDuration,
}

impl Panel<'_> {
    /// The names of the things in a table.
    fn names(&self, path: &str) -> Vec<String> {
        let table = match self.document.get(path) {
            Some(toml::Value::Table(table)) => table,
            _ => return vec![],
        };
        table.into_iter().map(|(name, _)| name).collect()
    }

    fn fault_wishes(&self) -> [Wish; 2] {
        [("at", "Starts", Range::Moments(self.duration)), ("lasts", "Lasts", Range::Time("10s", "10m"))]
    }

    /// The settings at a path that the scenario has, and how to switch them off; or what can be switched on there, as `on`
    /// says. `None` if neither gives a valid scenario.
    fn section(&self, title: &str, path: &str, presence: Presence, wishes: &[Wish]) -> Option<Section> {
        let about = self.document.about(path).unwrap_or_default().to_owned();
        let written = self.document.get(path).filter(|value| !is_empty_map(path, value));
        let (document, switch) = match (&written, presence) {
            (Some(_), Presence::Fixed) => (self.document.clone(), None),
            (Some(value), Presence::Removable | Presence::Optional(_)) => {
                let mut without = self.document.clone();
                let can_be_off = without.leave_out(path).is_ok() && without.model().is_ok();
                (self.document.clone(), can_be_off.then(|| Switch::new(path, value, true)))
            }
            (None, Presence::Fixed | Presence::Removable) => return None,
            (None, Presence::Optional(on)) => {
                let value = value_of(on);
                let mut with = self.document.clone();
                with.set(path, value.clone(), "what-if").ok()?;
                with.model().ok()?;
                (with, Some(Switch::new(path, &value, false)))
            }
        };
        let controls: Vec<Control> =
            wishes.iter().filter_map(|wish| self.control(&document, path, wish)).collect();
        // What can neither be moved nor switched is of no use.
        (switch.is_some() || !controls.is_empty()).then(|| Section {
            title: title.to_owned(),
            about,
            switch,
            controls,
        })
    }

    fn control(&self, document: &Document, section: &str, wish: &Wish) -> Option<Control> {
        let (below, label, range) = *wish;
        let path = if below.is_empty() { section.to_owned() } else { format!("{section}.{below}") };
        let written = document.get(&path)?;
        let place = given_by_hand("what-if", &path);
        let (kind, is_text, stops, at) = match document.kind(&path, &place).ok()? {
            Some(kind) => {
                let clock = document.model().ok()?.clock;
                let (stops, at) = stops(kind, &written, range, clock.as_ref())?;
                (kind.mark(), kind.is_text(), stops, at)
            }
            None => {
                let choices: Vec<toml::Value> = document.choices(&path).into_iter().map(Into::into).collect();
                let at = choices.iter().position(|choice| *choice == written)?;
                ("choice", true, choices.iter().map(Stop::of).collect(), at)
            }
        };
        // Other settings may take the place of a wait.
        let is_overridden = below == "delay" && document.get(&format!("{section}.delays")).is_some();
        let about = document.about(&path).unwrap_or_default().to_owned();
        (!is_overridden && stops.len() > 1).then(|| Control {
            path,
            label: label.to_owned(),
            about,
            kind,
            is_text,
            stops,
            at,
        })
    }
}

impl Switch {
    fn new(path: &str, on: &toml::Value, is_on: bool) -> Self {
        let on = serde_json::to_value(on).expect("a setting is plain data");
        Switch { path: path.to_owned(), on, is_on }
    }
}

/// The table of detectors is always there, with nothing in it.
fn is_empty_map(path: &str, value: &toml::Value) -> bool {
    path == "gateway.detector" && value.as_table().is_some_and(toml::Table::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Loader;
    use std::path::Path;

    const SCENARIOS: [&str; 6] = [
        "01_incident_3am/any_phase_60s.toml",
        "03_gateway_shootout/outage.toml",
        "04_retry_storm/storm.toml",
        "05_benchmark_200_users/benchmark.toml",
        "07_ordinary_quarter/quarter.toml",
        "08_probe_economics/passive_outage.toml",
    ];

    fn open(path: &str) -> Document {
        Loader::new().open(&Path::new("experiments").join(path)).expect("a scenario")
    }

    fn set(document: &mut Document, path: &str, value: &serde_json::Value) {
        let value = toml::Value::try_from(value).expect("a TOML value");
        document.set(path, value, "test").unwrap_or_else(|problems| panic!("{path}: {problems}"));
    }

    #[test]
    fn whatever_is_moved_or_switched_is_taken() {
        for scenario in SCENARIOS {
            let document = open(scenario);
            let sections = sections(&document);
            assert!(sections.len() >= 3, "{scenario}");
            for section in sections {
                let mut with = document.clone();
                if let Some(switch) = &section.switch {
                    let mut other = document.clone();
                    match switch.is_on {
                        true => other.leave_out(&switch.path).expect("it is there"),
                        false => set(&mut with, &switch.path, &switch.on),
                    }
                    other.model().unwrap_or_else(|problems| panic!("{}: {problems}", section.title));
                }
                for control in &section.controls {
                    assert!(!control.about.is_empty(), "{}", control.path);
                    let written = with.get(&control.path).map(|value| Stop::of(&value));
                    assert_eq!(written.as_ref(), Some(&control.stops[control.at]), "{}", control.path);
                    for stop in &control.stops {
                        let mut moved = with.clone();
                        set(&mut moved, &control.path, &stop.value);
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_apply_is_not_there() {
        let titles = |scenario: &str| -> Vec<String> {
            sections(&open(scenario)).into_iter().map(|section| section.title).collect()
        };
        let story = titles(SCENARIOS[0]);
        assert!(
            story.contains(&"Fallback".to_owned()) && story.contains(&"Outage “outage”".to_owned()),
            "{story:?}"
        );
        let quarter = titles(SCENARIOS[4]);
        assert!(
            !quarter.contains(&"Fallback".to_owned()),
            "one provider has nothing to fall back to: {quarter:?}"
        );
        assert!(
            !quarter.iter().any(|title| title.starts_with("Outage")),
            "it has incidents only: {quarter:?}"
        );
        let passive = titles(SCENARIOS[5]);
        assert!(passive.contains(&"Breaker “errors”".to_owned()), "{passive:?}");
        assert!(!passive.contains(&"Circuit breaker".to_owned()), "it has one");
    }
}
