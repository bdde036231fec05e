//! Reads gateways' configs strictly: what is not known is a complaint that says what is.

use crate::scenario::{Problem, one_of, suggestion};
use crate::time::SimDuration;
use serde_json::{Map, Value};

/// What is wrong with a row, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    message: String,
    help: String,
}

impl Complaint {
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Complaint { message: message.into(), help: help.into() }
    }

    /// A value that is none of those known.
    pub fn unknown<'a>(key: &str, value: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Complaint::new(format!("`{key}` is `{value}`"), format!("known are {}", all_of(known)))
    }

    /// A setting that would change what the scenario cannot express.
    pub fn beyond(key: &str, value: &str, help: &str) -> Self {
        Complaint::new(format!("`{key}` is `{value}`, which no scenario can express"), help)
    }

    /// As a problem of the row at this place.
    pub fn in_row(self, place: &str) -> Problem {
        Problem::new(format!("{place}: {}", self.message)).help(self.help)
    }
}

fn all_of<'a>(known: impl IntoIterator<Item = &'a str>) -> String {
    one_of(known).replace(" or ", " and ")
}

/// A table of a config.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// Where it is, such as `hc.`; empty for the whole.
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Settings<'a> {
    /// The whole config, which has no keys but these.
    pub fn of(map: &'a Map<String, Value>, known: &[&str]) -> Result<Self, Complaint> {
        let settings = Settings { path: String::new(), map };
        settings.check(known)?;
        Ok(settings)
    }

    fn check(&self, known: &[&str]) -> Result<(), Complaint> {
        let Some(key) = self.map.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let known_here = || known.iter().copied();
        let help = format!("{}; known are {}", suggestion(key, known_here()), all_of(known_here()));
        let help = help
            .strip_prefix("choose")
            .map_or(help.clone(), |_| format!("known are {}", all_of(known_here())));
        Err(Complaint::new(format!("the config's `{}{key}` is not known", self.path), help))
    }

    /// The full name of a key.
    pub fn name(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }

    fn wrong(&self, key: &str, value: &Value, wanted: &str) -> Complaint {
        Complaint::new(format!("the config's `{}` is `{value}`", self.name(key)), format!("write {wanted}"))
    }

    fn get<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Complaint> {
        let Some(value) = self.map.get(key) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.wrong(key, value, wanted))
    }

    /// A table inside, which has no keys but these.
    pub fn table(&self, key: &str, known: &[&str]) -> Result<Option<Settings<'a>>, Complaint> {
        let map = self.get(key, "an object", Value::as_object)?;
        let table = map.map(|map| Settings { path: format!("{}.", self.name(key)), map });
        table.iter().try_for_each(|table| table.check(known))?;
        Ok(table)
    }

    /// A whole number.
    pub fn whole(&self, key: &str) -> Result<Option<u32>, Complaint> {
        self.get(key, "a whole number", |value| value.as_u64().and_then(|n| u32::try_from(n).ok()))
    }

    /// A number that is not negative.
    pub fn number(&self, key: &str) -> Result<Option<f64>, Complaint> {
        self.get(key, "a number", |value| value.as_f64().filter(|n| *n >= 0.0))
    }

    /// A share given in percent: `50`, or `{"value": 50}`.
    pub fn percent(&self, key: &str) -> Result<Option<f64>, Complaint> {
        let read = |value: &Value| match value {
            Value::Object(map) if map.len() == 1 => map.get("value").and_then(Value::as_f64),
            _ => value.as_f64(),
        };
        let share =
            |value| read(value).map(|percent| percent / 100.0).filter(|share| (0.0..=1.0).contains(share));
        self.get(key, "a number from 0 to 100", share)
    }

    /// True or false.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Complaint> {
        self.get(key, "true or false", Value::as_bool)
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, Complaint> {
        self.get(key, "a text", Value::as_str)
    }

    /// One of these words.
    pub fn word(&self, key: &str, known: &[&str]) -> Result<Option<&'a str>, Complaint> {
        let Some(word) = self.text(key)? else { return Ok(None) };
        if known.contains(&word) {
            return Ok(Some(word));
        }
        Err(Complaint::unknown(&format!("config.{}", self.name(key)), word, known.iter().copied()))
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Result<Vec<&'a str>, Complaint> {
        let list = |value: &'a Value| value.as_array()?.iter().map(Value::as_str).collect();
        Ok(self.get(key, "a list of texts", list)?.unwrap_or_default())
    }

    /// A list of HTTP statuses.
    pub fn statuses(&self, key: &str) -> Result<Option<Vec<u16>>, Complaint> {
        let status = |value: &Value| {
            value.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| (100..600).contains(n))
        };
        self.get(key, "a list of HTTP statuses", |value| value.as_array()?.iter().map(status).collect())
    }

    /// A time: a number with a unit, or without one in units of `unit`.
    pub fn time(&self, key: &str, unit: SimDuration) -> Result<Option<SimDuration>, Complaint> {
        self.get(key, "a time such as \"5s\"", |value| match value {
            Value::String(text) => time(text, unit),
            _ => value.as_f64().filter(|n| *n >= 0.0).map(|number| unit.scaled(number)),
        })
    }
}

/// `2s`, `500ms`, `0.001s`, `1m`; a number without a unit counts in units of `unit`.
pub fn time(text: &str, unit: SimDuration) -> Option<SimDuration> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let unit = match suffix {
        "" => unit,
        "us" => SimDuration::from_nanos(1_000),
        "ms" => SimDuration::from_millis(1),
        "s" => SimDuration::from_secs(1),
        "m" => SimDuration::from_secs(60),
        "h" => SimDuration::from_secs(3_600),
        "d" => SimDuration::from_secs(86_400),
        _ => return None,
    };
    number.parse().ok().map(|number| unit.scaled(number))
}

/// Words of a line, one after the other.
#[derive(Debug)]
pub struct Words<'a> {
    /// Where the line is: `server`.
    key: &'a str,
    rest: std::str::SplitWhitespace<'a>,
}

impl<'a> Words<'a> {
    pub fn new(key: &'a str, line: &'a str) -> Self {
        Words { key, rest: line.split_whitespace() }
    }

    pub fn next(&mut self) -> Option<&'a str> {
        self.rest.next()
    }

    /// The value of the word before it.
    pub fn value<T>(
        &mut self,
        word: &str,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Complaint> {
        let value = self.rest.next().unwrap_or_default();
        read(value).ok_or_else(|| {
            let message = format!("the config's `{}` has `{word} {value}`", self.key);
            Complaint::new(message, format!("write {wanted} after `{word}`"))
        })
    }

    /// A word that nobody knows.
    pub fn unknown(&self, word: &str, known: &[&str]) -> Complaint {
        let message = format!("the config's `{}` has `{word}`, which is not known", self.key);
        Complaint::new(message, format!("known are {}", all_of(known.iter().copied())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_or_the_default_one() {
        let ms = SimDuration::from_millis(1);
        for (text, expected) in [
            ("2s", Some(2_000)),
            ("500ms", Some(500)),
            ("100", Some(100)),
            ("1m", Some(60_000)),
            ("0.5s", Some(500)),
            ("2 s", None),
            ("s", None),
            ("2w", None),
        ] {
            assert_eq!(time(text, ms), expected.map(SimDuration::from_millis), "{text}");
        }
    }

    #[test]
    fn unknown_keys_and_wrong_values_are_told_by_their_path() {
        let Ok(Value::Object(map)) = serde_json::from_str(r#"{"hc": {"intervall": "2s"}, "n": "x"}"#) else {
            panic!("an object")
        };
        let settings = Settings::of(&map, &["hc", "n"]).unwrap();
        let complaint = settings.table("hc", &["interval", "timeout"]).unwrap_err();
        assert_eq!(complaint.message, "the config's `hc.intervall` is not known");
        assert!(complaint.help.contains("did you mean `interval`?") && complaint.help.contains("`timeout`"));
        assert_eq!(settings.whole("n").unwrap_err().message, "the config's `n` is `\"x\"`");
        assert!(Settings::of(&map, &["hc"]).is_err());
    }
}
