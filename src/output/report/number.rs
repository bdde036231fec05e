//! Numbers of a report: as many digits as a reader can use.

use crate::time::SimTime;
use serde::{Serialize, Serializer};

/// A number that is written with four significant digits, or as a whole number where that takes more.
///
/// What is not finite is null.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Number(pub f64);

/// Whole numbers up to here are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// As it is written.
    pub fn rounded(self) -> f64 {
        let Number(value) = self;
        if !value.is_finite() || value.fract() == 0.0 {
            return value;
        }
        if value.abs() >= 1000.0 {
            return value.round();
        }
        // Text has the rounding right in decimals, where a power of ten would not.
        format!("{value:.3e}").parse().unwrap_or(value)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.rounded();
        match value {
            _ if !value.is_finite() => serializer.serialize_none(),
            _ if value.fract() == 0.0 && value.abs() < EXACT => serializer.serialize_i64(value as i64),
            _ => serializer.serialize_f64(value),
        }
    }
}

/// A moment of a run, in seconds since its start; written to the millisecond, so that a clock shows it as the terminal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub SimTime);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = self.0.as_millis_f64().round();
        match millis % 1000.0 == 0.0 && millis < EXACT {
            true => serializer.serialize_i64((millis / 1000.0) as i64),
            false => serializer.serialize_f64(millis / 1000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_a_reader_can_use() {
        let written = |value: f64| serde_json::to_string(&Number(value)).expect("a number");
        assert_eq!(written(14_034.6), "14035");
        assert_eq!(written(155.5639), "155.6");
        assert_eq!(written(0.000_123_456), "0.0001235");
        assert_eq!(written(-2.0), "-2");
        assert_eq!(written(999.96), "1000");
        assert_eq!((written(0.0), written(f64::NAN)), ("0".into(), "null".into()));
        assert_eq!(written(1e20), "1e+20");
    }

    #[test]
    fn moments_are_to_the_millisecond() {
        let json = |nanos| serde_json::to_string(&Moment(SimTime::from_nanos(nanos))).expect("a number");
        assert_eq!(json(168_490_400_000), "168.49");
        assert_eq!(json(7_200_000_000_000), "7200");
    }
}
