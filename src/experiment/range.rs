//! A range of quantities: all values between two ends, on a linear or a logarithmic scale.
//!
//! A value that nobody wrote is rounded until a person can read it and type it, and the rounded value is the one that
//! runs.

use crate::scenario::quantity::{self, Complaint, Kind};
use crate::time::SimDuration;
use toml::Value;

/// Significant digits of a value that a design chose.
const DIGITS: usize = 4;
/// Significant digits that clear a float of noise: ten steps of 0.1 are 1.
const DIGITS_OF_STEPS: usize = 14;

/// How values are spread over a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal differences are equally far apart.
    #[default]
    Linear,
    /// Equal ratios are equally far apart.
    Log,
}

/// All quantities from one value to another, both included.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    from: f64,
    to: f64,
    scale: Scale,
    quantity: Quantity,
}

/// What a range is of: how its values are read as numbers, and written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Quantity {
    /// In nanoseconds.
    Duration,
    /// In so many a second, minute, hour or day.
    Rate {
        per: char,
        seconds: f64,
        is_whole: bool,
    },
    Number,
    Whole,
}

impl Quantity {
    /// What a range of these ends is of. `None` for what has no order, such as a text.
    pub fn of(kind: Kind, from: &Value, to: &Value) -> Option<Quantity> {
        let on_clock = |value| matches!(quantity::moment(value), Ok(quantity::When::Clock { .. }));
        match kind {
            Kind::Duration | Kind::PositiveDuration => Some(Quantity::Duration),
            Kind::Moment => (!on_clock(from) && !on_clock(to)).then_some(Quantity::Duration),
            // In the unit of both ends, or else a second: its values are then as short as the ends.
            Kind::Rate => Some(match (per(from, false), per(to, false)) {
                (Some(one), Some(other)) if one == other => one,
                _ => Quantity::Rate { per: 's', seconds: 1.0, is_whole: false },
            }),
            // Over another period it is another limit.
            Kind::Allowance => per(from, true).filter(|one| per(to, true) == Some(*one)),
            Kind::Count | Kind::Whole => Some(Quantity::Whole),
            Kind::Share
            | Kind::Weight
            | Kind::Factor
            | Kind::Positive
            | Kind::NonNegative
            | Kind::Multiple => Some(Quantity::Number),
            Kind::Text | Kind::TimeOfDay | Kind::Flag | Kind::Status | Kind::Answer => None,
        }
    }

    /// A value as a number.
    pub fn number(self, value: &Value) -> Option<f64> {
        match self {
            Quantity::Duration => quantity::duration(value).ok().map(|length| length.as_nanos() as f64),
            Quantity::Rate { seconds, .. } => {
                let rate = quantity::rate(value).ok()?;
                Some(rounded(rate.per_second() * seconds, DIGITS_OF_STEPS))
            }
            Quantity::Number => value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64)),
            Quantity::Whole => value.as_integer().map(|whole| whole as f64),
        }
    }

    /// What is wrong with the step of a range.
    pub fn check_step(self, step: &Value) -> Result<(), Complaint> {
        match self {
            Quantity::Duration => Kind::PositiveDuration.check(step),
            Quantity::Rate { is_whole: true, .. } => Kind::Allowance.check(step),
            Quantity::Rate { .. } => Kind::Rate.check(step),
            Quantity::Number => Kind::Positive.check(step),
            Quantity::Whole => Kind::Count.check(step),
        }
    }

    /// The nearest number that a person can read and type.
    fn readable(self, number: f64) -> f64 {
        match self {
            Quantity::Whole | Quantity::Rate { is_whole: true, .. } => number.round(),
            Quantity::Duration => rounded(number, DIGITS).round(),
            Quantity::Rate { .. } | Quantity::Number => rounded(number, DIGITS),
        }
    }

    /// A number as a scenario would have it.
    fn value(self, number: f64) -> Value {
        match self {
            Quantity::Duration => duration_text(SimDuration::from_nanos(number as u64)).into(),
            Quantity::Rate { per, .. } => format!("{number}/{per}").into(),
            Quantity::Number => number.into(),
            Quantity::Whole => (number as i64).into(),
        }
    }
}

/// The unit in which a rate is written.
fn per(rate: &Value, is_whole: bool) -> Option<Quantity> {
    let (_, unit) = rate.as_str()?.split_once('/')?;
    let per = unit.trim().chars().next()?;
    let seconds = match per {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        'd' => 86_400.0,
        _ => return None,
    };
    Some(Quantity::Rate { per, seconds, is_whole })
}

/// A duration as one decimal number, such as `12.34s`, in the largest unit up to a second of which it has one.
fn duration_text(duration: SimDuration) -> String {
    let nanos = duration.as_nanos();
    let units = [("s", 9), ("ms", 6), ("us", 3), ("ns", 0)];
    let fits = |(_, digits): &&(&str, u32)| nanos >= 10_u64.pow(*digits) || nanos == 0;
    let (unit, digits) = units.iter().find(fits).expect("a nanosecond fits into any time");
    let size = 10_u64.pow(*digits);
    let (whole, rest) = (nanos / size, nanos % size);
    match rest {
        0 => format!("{whole}{unit}"),
        rest => {
            let decimals = format!("{rest:0width$}", width = *digits as usize);
            format!("{whole}.{}{unit}", decimals.trim_end_matches('0'))
        }
    }
}

/// A number with so many significant digits.
fn rounded(number: f64, digits: usize) -> f64 {
    format!("{number:.*e}", digits - 1).parse().expect("a number in scientific notation is a number")
}

impl Range {
    /// `None` unless `from` is below `to`, and above zero on a logarithmic scale.
    pub(crate) fn new(quantity: Quantity, from: f64, to: f64, scale: Scale) -> Option<Range> {
        let ordered = from < to && (scale == Scale::Linear || from > 0.0);
        ordered.then_some(Range { from, to, scale, quantity })
    }

    /// The least and the greatest value.
    pub fn ends(&self) -> (Value, Value) {
        (self.quantity.value(self.from), self.quantity.value(self.to))
    }

    /// How values are spread over it.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Whether it has whole numbers only.
    pub fn is_whole(&self) -> bool {
        self.quantity == Quantity::Whole
    }

    /// The value at a share of the range, on its scale, rounded to 4 significant digits: 0 is its least value and 1 its
    /// greatest, to the last digit. Whole numbers have equal shares (on a linear scale).
    pub fn value_at(&self, unit: f64) -> Value {
        let (low, high) = self.edges();
        self.readable(self.between(low, high, unit))
    }

    /// The share of the range at which a value lies; the middle of its share for a whole number. `None` outside the
    /// range.
    pub fn unit_of(&self, value: &Value) -> Option<f64> {
        let number = self.quantity.number(value).filter(|number| (self.from..=self.to).contains(number))?;
        let (low, high) = self.edges();
        Some(match self.scale {
            Scale::Linear => (number - low) / (high - low),
            Scale::Log => libm::log(number / low) / libm::log(high / low),
        })
    }

    /// Values a step apart; the last one is `to` if a step leads there.
    pub(crate) fn stepped(&self, step: f64) -> Vec<Value> {
        let number = |nth: usize| match self.quantity {
            // Sums of whole numbers are exact.
            Quantity::Duration | Quantity::Whole => self.from + nth as f64 * step,
            Quantity::Rate { .. } | Quantity::Number => {
                rounded(self.from + nth as f64 * step, DIGITS_OF_STEPS)
            }
        };
        (0..self.steps(step)).map(|nth| self.quantity.value(number(nth).min(self.to))).collect()
    }

    /// How many values a step apart there are.
    pub(crate) fn steps(&self, step: f64) -> usize {
        // A hair more, as 0.3 / 0.1 is a hair less than 3.
        ((self.to - self.from) / step + 1e-9) as usize + 1
    }

    /// So many values, evenly spread from end to end; those that rounding makes equal are one.
    pub(crate) fn spread(&self, count: usize) -> Vec<Value> {
        let unit = |nth: usize| nth as f64 / (count - 1) as f64;
        let mut values: Vec<Value> =
            (0..count).map(|nth| self.readable(self.between(self.from, self.to, unit(nth)))).collect();
        values.dedup();
        values
    }

    /// Where shares begin and end: a whole number has half a step on either side.
    fn edges(&self) -> (f64, f64) {
        let half = if self.is_whole() { 0.5 } else { 0.0 };
        (self.from - half, self.to + half)
    }

    fn between(&self, low: f64, high: f64, unit: f64) -> f64 {
        match (unit, self.scale) {
            (..=0.0, _) => low,
            (1.0.., _) => high,
            (_, Scale::Linear) => low + unit * (high - low),
            (_, Scale::Log) => low * libm::exp(unit * libm::log(high / low)),
        }
    }

    /// The value nearest to a number that has few digits. The ends are as they were written.
    fn readable(&self, number: f64) -> Value {
        if number <= self.from || number >= self.to {
            return self.quantity.value(number.clamp(self.from, self.to));
        }
        // Rounding may lead across an end.
        self.quantity.value(self.quantity.readable(number).clamp(self.from, self.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(kind: Kind, from: impl Into<Value>, to: impl Into<Value>, scale: Scale) -> Range {
        let (from, to) = (from.into(), to.into());
        let quantity = Quantity::of(kind, &from, &to).unwrap();
        Range::new(quantity, quantity.number(&from).unwrap(), quantity.number(&to).unwrap(), scale).unwrap()
    }

    fn texts(values: &[Value]) -> Vec<String> {
        values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
    }

    #[test]
    fn steps_begin_at_the_start_and_end_at_the_end_if_they_lead_there() {
        let seconds = range(Kind::PositiveDuration, "1s", "2s", Scale::Linear);
        assert_eq!(texts(&seconds.stepped(5e8)), ["1s", "1.5s", "2s"]);
        assert_eq!(texts(&seconds.stepped(4e8)), ["1s", "1.4s", "1.8s"]);
        // In floats, three times 0.1 is more than 0.3, and 0.3 / 0.1 less than 3.
        let share = range(Kind::Share, 0.0, 0.3, Scale::Linear);
        assert_eq!(share.stepped(0.1), [0.0, 0.1, 0.2, 0.3].map(Value::from));
        let rate = range(Kind::Rate, "10/m", "30/m", Scale::Linear);
        assert_eq!(texts(&rate.stepped(10.0)), ["10/m", "20/m", "30/m"]);
        let long = range(Kind::Duration, "1d", "100d", Scale::Linear);
        assert_eq!(long.stepped(1.0e9 + 1.0)[1], Value::from("86401.000000001s"));
    }

    #[test]
    fn a_log_scale_has_equal_ratios() {
        let decades = range(Kind::PositiveDuration, "1ms", "10s", Scale::Log);
        assert_eq!(texts(&decades.spread(5)), ["1ms", "10ms", "100ms", "1s", "10s"]);
        assert_eq!(texts(&decades.spread(3)), ["1ms", "100ms", "10s"]);
        assert_eq!(decades.value_at(0.625), Value::from("316.2ms"));
        let linear = range(Kind::PositiveDuration, "0s", "10s", Scale::Linear);
        assert_eq!(texts(&linear.spread(5)), ["0s", "2.5s", "5s", "7.5s", "10s"]);
        assert!(Range::new(Quantity::Number, 0.0, 1.0, Scale::Log).is_none());
    }

    #[test]
    fn whole_numbers_are_rounded_and_have_equal_shares() {
        let dice = range(Kind::Count, 1, 6, Scale::Linear);
        let thrown: Vec<i64> =
            (0..600).map(|i| dice.value_at(f64::from(i) / 600.0).as_integer().unwrap()).collect();
        for eyes in 1..=6 {
            assert_eq!(thrown.iter().filter(|thrown| **thrown == eyes).count(), 100);
        }
        assert_eq!(
            texts(&range(Kind::Count, 1, 100, Scale::Log).spread(9)),
            ["1", "2", "3", "6", "10", "18", "32", "56", "100"]
        );
        // 1.3 and 1.8 are two values no more.
        assert_eq!(texts(&range(Kind::Whole, 0, 3, Scale::Linear).spread(10)), ["0", "1", "2", "3"]);
    }

    #[test]
    fn values_have_four_digits_and_the_ends_all_of_theirs() {
        let odd = range(Kind::Duration, "1.23456789s", "2.34567891s", Scale::Linear);
        assert_eq!(
            texts(&[odd.value_at(0.0), odd.value_at(0.5), odd.value_at(1.0)]),
            ["1.23456789s", "1.79s", "2.34567891s"]
        );
        // Four digits of it would lie outside.
        let narrow = range(Kind::Duration, "1.00001s", "1.00002s", Scale::Linear);
        assert_eq!(narrow.value_at(0.5), Value::from("1.00001s"));
        let small = range(Kind::Duration, "0s", "1s", Scale::Linear);
        let shown = [0.5, 0.0123456, 1.23456e-5, 1.23456e-8].map(|unit| small.value_at(unit));
        assert_eq!(texts(&shown), ["500ms", "12.35ms", "12.35us", "12ns"]);
        assert_eq!(
            range(Kind::Rate, "0.1/h", "0.2/h", Scale::Linear).value_at(1.0 / 3.0),
            Value::from("0.1333/h")
        );
        assert_eq!(range(Kind::Rate, "60/m", "2/s", Scale::Linear).value_at(0.25), Value::from("1.25/s"));
        assert_eq!(range(Kind::Share, 0.0, 1.0, Scale::Linear).value_at(0.123456), Value::from(0.1235));
    }

    #[test]
    fn what_has_no_order_has_no_range() {
        for kind in [Kind::Text, Kind::Flag, Kind::Answer, Kind::Status, Kind::TimeOfDay] {
            assert_eq!(Quantity::of(kind, &Value::from(400), &Value::from(500)), None);
        }
        let on_clock = Quantity::of(Kind::Moment, &Value::from("02:47:00"), &Value::from("02:50:00"));
        assert_eq!(on_clock, None);
        assert_eq!(
            Quantity::of(Kind::Moment, &Value::from("7m"), &Value::from("9m")),
            Some(Quantity::Duration)
        );
    }

    proptest! {
        #[test]
        fn every_value_is_in_the_range_reads_back_and_is_near_its_share(
            kind in prop::sample::select(vec![Kind::PositiveDuration, Kind::Rate, Kind::Factor, Kind::Count]),
            from in 1_u32..100_000,
            length in 1_u32..100_000,
            log: bool,
            unit in 0.0..1.0_f64,
        ) {
            let end = |number: u32| -> Value {
                match kind {
                    Kind::PositiveDuration => format!("{number}us").into(),
                    Kind::Rate => format!("{number}/h").into(),
                    Kind::Factor => f64::from(number).into(),
                    _ => i64::from(number).into(),
                }
            };
            let scale = if log { Scale::Log } else { Scale::Linear };
            let range = range(kind, end(from), end(from + length), scale);
            let value = range.value_at(unit);
            prop_assert!(kind.check(&value).is_ok(), "{value}");
            let back = range.unit_of(&value).expect("a value of the range lies in it");
            prop_assert_eq!(range.value_at(back), value.clone());
            // Half a unit of the fourth digit, or of a whole number.
            let rounding = 5e-4 * f64::from(from + length) + 0.5;
            let width = if log { f64::from(from) * libm::log(f64::from(from + length) / f64::from(from)) } else { f64::from(length) };
            prop_assert!((back - unit).abs() <= rounding / width + 1e-9, "{} {} {}", unit, value, back);
        }
    }
}
