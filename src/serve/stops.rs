//! The values that a control stops at: round ones within a sensible range, and the one that is written.

use crate::model::Clock;
use crate::scenario::quantity::{Kind, When, duration, moment, rate};
use crate::scenario::shape::inline;
use crate::time::{SimDuration, SimTime};
use serde::Serialize;

/// One value of a setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stop {
    /// As the setting takes it.
    pub value: serde_json::Value,
    /// As people read it.
    pub text: String,
}

/// What a control runs over where the scenario's own value lies within.
#[derive(Debug, Clone, Copy)]
pub(super) enum Range {
    /// From one length of time to another, as they are written; each stop is some quarter above the last.
    Time(&'static str, &'static str),
    /// Whole numbers.
    Count(i64, i64),
    /// Shares, in steps of five in a hundred.
    Share,
    /// From a tenth of a rate, or a number, to ten times as much.
    Tenfold,
    /// Moments of a run that is so long.
    Moments(SimDuration),
}

/// Lengths of time that read well.
const TIMES: [&str; 54] = [
    "0s", "1ms", "2ms", "5ms", "10ms", "20ms", "50ms", "100ms", "150ms", "200ms", "250ms", "300ms", "400ms",
    "500ms", "750ms", "1s", "1.25s", "1.5s", "2s", "2.5s", "3s", "4s", "5s", "6s", "7.5s", "8s", "10s",
    "12s", "15s", "20s", "25s", "30s", "40s", "45s", "60s", "75s", "90s", "2m", "150s", "3m", "4m", "5m",
    "6m", "8m", "10m", "15m", "20m", "30m", "45m", "1h", "2h", "4h", "12h", "1d",
];

/// Factors between two powers of ten that read well.
const FACTORS: [f64; 10] = [1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0];

/// Steps between moments, in seconds.
const STEPS: [u64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600, 86_400];
/// The most moments to choose from.
const MOMENTS_MAX: u64 = 120;

/// The stops of a setting of this kind, in ascending order, and which of them is the value as it is written.
///
/// `None` if there is no range for the kind. `clock` is what moments are told on.
pub(super) fn stops(
    kind: Kind,
    written: &toml::Value,
    range: Range,
    clock: Option<&Clock>,
) -> Option<(Vec<Stop>, usize)> {
    let size = |value: &toml::Value| size(kind, value, clock);
    let at = size(written)?;
    let candidates: Vec<toml::Value> = match range {
        Range::Time(low, high) => {
            let (low, high) = (seconds(low)?.min(at / 4.0), seconds(high)?.max(at * 4.0));
            let is_inside = |text: &&&str| seconds(text).is_some_and(|s| (low..=high).contains(&s));
            TIMES.iter().filter(is_inside).map(|text| (*text).into()).collect()
        }
        Range::Count(low, high) => {
            let high = high.max((2.0 * at) as i64).min(low + 100);
            (low..=high).map(toml::Value::Integer).collect()
        }
        Range::Share => (1..=20).map(|twentieth| (f64::from(twentieth) / 20.0).into()).collect(),
        Range::Tenfold => {
            let powers = (-3..=9).map(|power| libm::exp10(f64::from(power)));
            let values = powers.flat_map(|power| FACTORS.map(|factor| factor * power));
            let near = values.filter(|value| (at / 10.0..=at * 10.0).contains(value));
            near.filter_map(|value| of_size(kind, value)).collect()
        }
        Range::Moments(duration) => {
            let seconds = duration.as_secs_f64() as u64;
            let step = STEPS.into_iter().find(|step| seconds / step <= MOMENTS_MAX).unwrap_or(86_400);
            // A clock shows the same time again a day later.
            let clock =
                clock.filter(|_| seconds < 86_400 && written.as_str().is_some_and(|w| w.contains(':')));
            let moment = |second: u64| match clock {
                Some(clock) => clock.show(SimTime::START.after(SimDuration::from_secs(second))),
                None => spelled(second),
            };
            (0..seconds).step_by(step as usize).map(|second| moment(second).into()).collect()
        }
    };
    let mut sized: Vec<(f64, toml::Value)> =
        candidates.into_iter().filter_map(|value| Some((size(&value)?, value))).collect();
    sized.retain(|(size, _)| *size != at);
    sized.push((at, written.clone()));
    sized.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let place = sized.iter().position(|(size, _)| *size == at)?;
    Some((sized.into_iter().map(|(_, value)| Stop::of(&value)).collect(), place))
}

impl Stop {
    /// Of a value as a scenario has it.
    pub(super) fn of(value: &toml::Value) -> Stop {
        let text = match value {
            toml::Value::String(text) => text.clone(),
            other => inline(other),
        };
        Stop { value: serde_json::to_value(value).expect("a setting is plain data"), text }
    }
}

/// Where a value lies on the control.
fn size(kind: Kind, value: &toml::Value, clock: Option<&Clock>) -> Option<f64> {
    match kind {
        Kind::Duration | Kind::PositiveDuration => {
            let length = duration(value).ok()?;
            (kind == Kind::Duration || length > SimDuration::ZERO).then(|| length.as_secs_f64())
        }
        Kind::Rate => rate(value).ok().map(|rate| rate.per_second()),
        Kind::Moment => match moment(value).ok()? {
            When::After(delay) => Some(delay.as_secs_f64()),
            When::Clock { hour, minute, second } => {
                Some(clock?.next(hour, minute, second).since(SimTime::START).as_secs_f64())
            }
        },
        _ => value.as_float().or(value.as_integer().map(|whole| whole as f64)),
    }
}

/// A rate or a whole number of this size.
fn of_size(kind: Kind, size: f64) -> Option<toml::Value> {
    match kind {
        // Ten digits are enough for any rate, and hide what 1.25 * 10^n leaves at the end.
        Kind::Rate => Some(format!("{}/s", (size * 1e6).round() / 1e6).into()),
        Kind::Count => (size >= 1.0 && size.fract() == 0.0).then_some(toml::Value::Integer(size as i64)),
        _ => None,
    }
}

fn seconds(text: &str) -> Option<f64> {
    duration(&text.into()).ok().map(SimDuration::as_secs_f64)
}

/// `2m 30s`.
fn spelled(seconds: u64) -> String {
    SimDuration::from_secs(seconds).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(kind: Kind, written: toml::Value, range: Range) -> (Vec<String>, usize) {
        let clock = Clock::new(2, 45, 0, "UTC");
        let (stops, at) = stops(kind, &written, range, clock.as_ref()).expect("there is a range");
        (stops.into_iter().map(|stop| stop.text).collect(), at)
    }

    #[test]
    fn what_is_written_has_its_own_place_among_round_values() {
        let (found, at) = texts(Kind::PositiveDuration, "1m".into(), Range::Time("30s", "2m"));
        assert_eq!(found[..4], ["15s", "20s", "25s", "30s"], "a quarter of it, too");
        assert_eq!((found[at].as_str(), found[at + 1].as_str()), ("1m", "75s"));
        assert!(!found.contains(&"60s".to_owned()), "it is there once");

        let (found, at) = texts(Kind::PositiveDuration, "1ms".into(), Range::Time("1ms", "2ms"));
        assert_eq!(
            (found, at),
            (["1ms", "2ms"].map(str::to_owned).to_vec(), 0),
            "nothing below what is taken"
        );

        let (found, at) = texts(Kind::Rate, "155.56/s".into(), Range::Tenfold);
        assert_eq!((found[0].as_str(), found.last().map(String::as_str)), ("20/s", Some("1500/s")));
        assert_eq!(found[at - 1..=at + 1], ["150/s", "155.56/s", "200/s"]);

        let (found, at) = texts(Kind::Moment, "02:47:00".into(), Range::Moments(SimDuration::from_secs(480)));
        assert_eq!(
            (found[0].as_str(), found[at - 1].as_str(), found[at].as_str()),
            ("02:45:00", "02:46:55", "02:47:00")
        );
        let (found, at) = texts(Kind::Moment, "95s".into(), Range::Moments(SimDuration::from_secs(480)));
        assert_eq!((found[0].as_str(), found[at].as_str(), found.len()), ("0s", "95s", 96));

        let (found, at) = texts(Kind::Count, 3.into(), Range::Count(1, 5));
        assert_eq!((found.join(" ").as_str(), at), ("1 2 3 4 5 6", 2));
    }
}
