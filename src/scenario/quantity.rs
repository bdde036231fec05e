//! Single values with a unit or a range: how each is read, and complained about.
//!
//! Every kind has one reading function, which the check of a file, the types of [`super::setting`] and sweep axes all
//! use, so that they cannot disagree. Those of plain numbers are in [`super::number`].

use super::number::{
    answer, count, factor, flag, multiple, non_negative, positive, share, status, weight, whole,
};
use crate::model;
use crate::time::SimDuration;
use toml::Value;

/// The longest time a scenario may name, in days: nobody plans an incident beyond it, and nothing overflows below it.
const LONGEST_DAYS: u64 = 366;

/// What is wrong with a value: the end of a sentence that begins with the setting's name, and what to write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub what: String,
    pub help: String,
}

impl Complaint {
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Complaint { what: what.into(), help: help.into() }
    }
}

/// What kind of single value a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Duration,
    PositiveDuration,
    Rate,
    Allowance,
    Moment,
    TimeOfDay,
    Share,
    Weight,
    Factor,
    Positive,
    NonNegative,
    Multiple,
    Count,
    Whole,
    Flag,
    Status,
    Answer,
}

impl Kind {
    pub const ALL: [Kind; 18] = [
        Kind::Text,
        Kind::Duration,
        Kind::PositiveDuration,
        Kind::Rate,
        Kind::Allowance,
        Kind::Moment,
        Kind::TimeOfDay,
        Kind::Share,
        Kind::Weight,
        Kind::Factor,
        Kind::Positive,
        Kind::NonNegative,
        Kind::Multiple,
        Kind::Count,
        Kind::Whole,
        Kind::Flag,
        Kind::Status,
        Kind::Answer,
    ];

    /// The mark in the schema by which the kind is found again.
    pub fn mark(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Duration => "duration",
            Kind::PositiveDuration => "positive duration",
            Kind::Rate => "rate",
            Kind::Allowance => "allowance",
            Kind::Moment => "moment",
            Kind::TimeOfDay => "time of day",
            Kind::Share => "share",
            Kind::Weight => "weight",
            Kind::Factor => "factor",
            Kind::Positive => "positive",
            Kind::NonNegative => "not negative",
            Kind::Multiple => "multiple",
            Kind::Count => "count",
            Kind::Whole => "whole",
            Kind::Flag => "flag",
            Kind::Status => "status",
            Kind::Answer => "answer",
        }
    }

    /// Whether it is written as text, and a number is an error.
    #[cfg(feature = "serve")]
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Kind::Text
                | Kind::Duration
                | Kind::PositiveDuration
                | Kind::Rate
                | Kind::Allowance
                | Kind::Moment
                | Kind::TimeOfDay
        )
    }

    /// A value of this kind, as TOML text.
    pub fn example(self) -> &'static str {
        match self {
            Kind::Text => "\"text\"",
            Kind::Duration | Kind::PositiveDuration => "\"5s\"",
            Kind::Rate => "\"100/s\"",
            Kind::Allowance => "\"500/min\"",
            Kind::Moment => "\"7m\"",
            Kind::TimeOfDay => "\"02:40:00 UTC\"",
            Kind::Share => "0.05",
            Kind::Weight => "0.1",
            Kind::Factor => "10.0",
            Kind::Positive | Kind::NonNegative => "1.0",
            Kind::Multiple => "2.0",
            Kind::Count | Kind::Whole => "3",
            Kind::Flag => "true",
            Kind::Status => "503",
            Kind::Answer => "\"5xx\"",
        }
    }

    pub fn is_duration(self) -> bool {
        matches!(self, Kind::Duration | Kind::PositiveDuration)
    }

    /// Whether the value can be read.
    pub fn check(self, value: &Value) -> Result<(), Complaint> {
        match self {
            Kind::Text => match value {
                Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                    Err(wrong_type("a text", value, &format!("\"{value}\"")))
                }
                _ => text(value, "a text", "\"...\"").map(drop),
            },
            Kind::Duration => duration(value).map(drop),
            Kind::PositiveDuration => positive_duration(value).map(drop),
            Kind::Rate => rate(value).map(drop),
            Kind::Allowance => allowance(value).map(drop),
            Kind::Moment => moment(value).map(drop),
            Kind::TimeOfDay => clock(value).map(drop),
            Kind::Share => share(value).map(drop),
            Kind::Weight => weight(value).map(drop),
            Kind::Factor => factor(value).map(drop),
            Kind::Positive => positive(value).map(drop),
            Kind::NonNegative => non_negative(value).map(drop),
            Kind::Multiple => multiple(value).map(drop),
            Kind::Count => count(value).map(drop),
            Kind::Whole => whole(value).map(drop),
            Kind::Flag => flag(value),
            Kind::Status => status(value).map(drop),
            Kind::Answer => answer(value).map(drop),
        }
    }
}

/// What a value is, for "expected ..., found ...".
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::String(text) => format!("the text \"{text}\""),
        Value::Integer(integer) => format!("the number {integer}"),
        Value::Float(float) => format!("the number {float}"),
        Value::Boolean(boolean) => format!("{boolean}"),
        Value::Datetime(datetime) => format!("the date or time {datetime}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}

fn wrong_type(expected: &str, value: &Value, example: &str) -> Complaint {
    Complaint::new(format!("takes {expected}, not {}", describe(value)), format!("write it like {example}"))
}

fn text<'a>(value: &'a Value, expected: &str, example: &str) -> Result<&'a str, Complaint> {
    value.as_str().ok_or_else(|| wrong_type(expected, value, example))
}

/// Refuses a bare number, and helps with its unit; no unit helps one that is not finite.
fn without_unit(value: &Value, examples: &str, help: impl FnOnce() -> String) -> Result<(), Complaint> {
    match value {
        Value::Float(number) if !number.is_finite() => Err(Complaint::new(
            format!("is {value}, not a finite number"),
            format!("write it like {examples}"),
        )),
        Value::Integer(_) | Value::Float(_) => {
            Err(Complaint::new(format!("is {value}, without a unit"), help()))
        }
        _ => Ok(()),
    }
}

/// A duration in humantime's syntax.
pub(crate) fn duration(value: &Value) -> Result<SimDuration, Complaint> {
    const EXAMPLES: &str = r#""250ms", "1.5s" or "1m 30s""#;
    without_unit(value, EXAMPLES, || {
        format!("write \"{value}s\" for seconds or \"{value}ms\" for milliseconds")
    })?;
    let text = text(value, "a duration", EXAMPLES)?.trim();
    let not_one =
        || Complaint::new(format!("is \"{text}\", not a duration"), format!("write it like {EXAMPLES}"));
    if let Ok(number) = text.parse::<f64>()
        && number.is_finite()
    {
        return Err(match number < 0.0 {
            true => negative(text),
            false => Complaint::new(
                format!("is \"{text}\", without a unit"),
                format!("write \"{text}s\" for seconds or \"{text}ms\" for milliseconds"),
            ),
        });
    }
    if let Some(positive) = text.strip_prefix('-')
        && humantime::parse_duration(positive).is_ok()
    {
        return Err(negative(text));
    }
    // humantime reads "5M" as five months, which nobody means here.
    if text.split(|c: char| !c.is_alphabetic()).any(|unit| unit == "M" || unit.starts_with("month")) {
        return Err(Complaint::new(
            format!("is \"{text}\", in months"),
            format!("for minutes write \"{}\"", text.replace('M', "m")),
        ));
    }
    let duration = humantime::parse_duration(text).map_err(|error| match error {
        humantime::DurationError::UnknownUnit { unit, .. } => Complaint::new(
            format!("is \"{text}\", and there is no unit `{unit}`"),
            "units are ns, us, ms, s, m, h and d",
        ),
        humantime::DurationError::NumberOverflow => too_long(text),
        _ => not_one(),
    })?;
    if duration.as_secs() > LONGEST_DAYS * 24 * 60 * 60 {
        return Err(too_long(text));
    }
    Ok(SimDuration::from_nanos(duration.as_nanos() as u64))
}

fn negative(text: &str) -> Complaint {
    Complaint::new(
        format!("is \"{text}\", and cannot be negative"),
        format!("write \"{}\"?", text.trim_start_matches('-')),
    )
}

fn too_long(text: &str) -> Complaint {
    Complaint::new(
        format!("is \"{text}\", longer than {LONGEST_DAYS} days"),
        format!("use at most \"{LONGEST_DAYS}d\""),
    )
}

pub(crate) fn positive_duration(value: &Value) -> Result<SimDuration, Complaint> {
    let duration = duration(value)?;
    match duration > SimDuration::ZERO {
        true => Ok(duration),
        false => Err(Complaint::new(
            format!("is {value}, and must be above zero"),
            r#"write it like "1ms" or "5s""#,
        )),
    }
}

/// Requests in a second, a minute, an hour or a day.
pub(crate) fn rate(value: &Value) -> Result<model::Rate, Complaint> {
    const EXAMPLES: &str = r#""155.56/s", "9000/m" or "5/h""#;
    without_unit(value, EXAMPLES, || format!("write \"{value}/s\" for requests in a second"))?;
    let (text, number, seconds) = per_period(value, "a rate", EXAMPLES)?;
    let Ok(number) = number.parse::<f64>() else {
        return Err(Complaint::new(
            format!("is \"{text}\", not a rate"),
            format!("write it like {EXAMPLES}"),
        ));
    };
    model::Rate::new(number / seconds as f64).ok_or_else(|| {
        let help = format!("write it like {EXAMPLES}");
        match number.is_finite() {
            true => Complaint::new(format!("is \"{text}\", and must be above zero"), help),
            false => Complaint::new(format!("is \"{text}\", not a finite number"), help),
        }
    })
}

/// So many whole things in a second, a minute, an hour or a day.
pub(crate) fn allowance(value: &Value) -> Result<model::Allowance, Complaint> {
    const EXAMPLES: &str = r#""500/min" or "14400/day""#;
    const MOST: u64 = model::Allowance::MOST;
    without_unit(value, EXAMPLES, || format!("write \"{value}/min\" for so many in a minute"))?;
    let (text, number, seconds) = per_period(value, "a limit", EXAMPLES)?;
    let help = format!("write it like {EXAMPLES}");
    match number.parse::<u64>() {
        Ok(amount @ 1..=MOST) => Ok(model::Allowance { amount, period: SimDuration::from_secs(seconds) }),
        Ok(0) => Err(Complaint::new(format!("is \"{text}\", and must be at least 1"), help)),
        Ok(_) => Err(Complaint::new(format!("is \"{text}\""), format!("use at most {MOST}"))),
        Err(_) if number.parse::<f64>().is_ok_and(|number| number > 0.0) => {
            let help = "write whole ones, over a longer period where they are few: \"30/min\" for half of one a second";
            Err(Complaint::new(format!("is \"{text}\", not a whole number in a period"), help))
        }
        Err(_) => Err(Complaint::new(format!("is \"{text}\", not a limit"), help)),
    }
}

/// A text `number/unit`: all of it, the number, and the seconds of the unit.
fn per_period<'a>(
    value: &'a Value,
    expected: &str,
    examples: &str,
) -> Result<(&'a str, &'a str, u64), Complaint> {
    let text = text(value, expected, examples)?.trim();
    let Some((number, unit)) = text.split_once('/') else {
        return Err(match text.parse::<f64>() {
            Ok(_) => Complaint::new(
                format!("is \"{text}\", without a unit"),
                format!("write \"{text}/s\" for so many in a second"),
            ),
            Err(_) => {
                Complaint::new(format!("is \"{text}\", not {expected}"), format!("write it like {examples}"))
            }
        });
    };
    let seconds = match unit.trim() {
        "s" | "sec" | "second" => 1,
        "m" | "min" | "minute" => 60,
        "h" | "hour" => 3600,
        "d" | "day" => 86_400,
        unit => {
            return Err(Complaint::new(
                format!("is \"{text}\", and there is no unit `/{unit}`"),
                "units are /s, /m, /h and /d",
            ));
        }
    };
    Ok((text, number.trim(), seconds))
}

/// An instant: a time since the start, or what the scenario's clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    After(SimDuration),
    Clock { hour: u64, minute: u64, second: u64 },
}

pub(crate) fn moment(value: &Value) -> Result<When, Complaint> {
    if let Value::Datetime(time) = value {
        return Err(Complaint::new(format!("is {time}, without quotes"), format!("write \"{time}\"")));
    }
    if let Some(text) = value.as_str()
        && text.contains(':')
    {
        let (hour, minute, second) = time_of_day(text).ok_or_else(|| {
            Complaint::new(
                format!("is \"{text}\", not a time of day"),
                r#"write it like "02:47:00", in the zone of `clock`"#,
            )
        })?;
        return Ok(When::Clock { hour, minute, second });
    }
    duration(value).map(When::After).map_err(|mut complaint| {
        if complaint.what.contains("not a duration") {
            complaint.help = r#"write a time since the start, "7m", or a clock time, "02:47:00""#.to_owned();
        }
        complaint
    })
}

fn time_of_day(text: &str) -> Option<(u64, u64, u64)> {
    let two = |part: &str| {
        let plain = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain { part.parse::<u64>().ok() } else { None }
    };
    let mut parts = text.trim().split(':');
    let (hour, minute) = (two(parts.next()?)?, two(parts.next()?)?);
    let second = parts.next().map_or(Some(0), two)?;
    (parts.next().is_none() && hour < 24 && minute < 60 && second < 60).then_some((hour, minute, second))
}

/// A time of day with an optional zone after it.
pub(crate) fn clock(value: &Value) -> Result<model::Clock, Complaint> {
    if let Value::Datetime(time) = value {
        return Err(Complaint::new(format!("is {time}, without quotes"), format!("write \"{time}\"")));
    }
    let text = text(value, "a time of day", r#""02:40:00 UTC""#)?;
    let (time, zone) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    // A twelve-hour clock would be read as a zone, and be half a day out.
    let twelve_hours = ["am", "pm"].contains(&zone.trim().replace('.', "").to_lowercase().as_str());
    time_of_day(time)
        .filter(|_| !twelve_hours)
        .and_then(|(hour, minute, second)| model::Clock::new(hour, minute, second, zone.trim()))
        .ok_or_else(|| {
            Complaint::new(
                format!("is \"{text}\", not a time of day on a 24-hour clock"),
                r#"write it like "02:40:00 UTC""#,
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<u64> {
        duration(&Value::from(text)).ok().map(SimDuration::as_nanos)
    }

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(nanos("250ms"), Some(250_000_000));
        assert_eq!(nanos("1m 30s"), Some(90_000_000_000));
        assert_eq!(nanos("1.5s"), Some(1_500_000_000));
        assert_eq!(nanos("0s"), Some(0));
        assert_eq!(nanos("366d"), Some(366 * 86_400 * 1_000_000_000));
        for bad in ["", "0", "5", "-5s", "5M", "inf", "NaN", "367d", "99999999999999999999h", "5 parsecs"] {
            assert_eq!(nanos(bad), None, "{bad}");
        }
    }

    #[test]
    fn rates_are_requests_in_a_second() {
        let per_second = |text: &str| rate(&Value::from(text)).ok().map(model::Rate::per_second);
        assert_eq!(per_second("155.56/s"), Some(155.56));
        assert_eq!(per_second("9000/min"), Some(150.0));
        assert_eq!(per_second("36 / h"), Some(0.01));
        for bad in ["5", "0/s", "-1/s", "inf/s", "NaN/s", "5/fortnight", "/s"] {
            assert_eq!(per_second(bad), None, "{bad}");
        }
    }

    #[test]
    fn moments_are_since_the_start_or_on_the_clock() {
        let read = |text: &str| moment(&Value::from(text)).ok();
        assert_eq!(read("7m"), Some(When::After(SimDuration::from_secs(420))));
        assert_eq!(read("02:47"), Some(When::Clock { hour: 2, minute: 47, second: 0 }));
        assert_eq!(read("24:00:00"), None);
        assert_eq!(read("2:4:5:6"), None);
    }
}
