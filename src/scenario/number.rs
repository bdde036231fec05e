//! Plain numbers, words and flags: how each is read, and complained about.
//!
//! A part of [`super::quantity`].

use super::problem::nearest;
use super::quantity::{Complaint, describe};
use crate::model;
use toml::Value;

/// The largest plain number: beyond any weight, price or bucket of tokens.
const NUMBER_MAX: f64 = 1e9;

/// What "5.5%" is as a share, if that is what a text says; with the digits that were written and no others.
fn percentage(value: &Value) -> Option<f64> {
    let percent = value.as_str()?.trim().strip_suffix('%')?.trim().parse::<f64>().ok()?;
    percent.is_finite().then(|| of_hundred(percent))
}

/// A hundredth, to twelve decimals: 99.9 / 100.0 is 0.9990000000000001.
fn of_hundred(percent: f64) -> f64 {
    format!("{:.12}", percent / 100.0).parse().unwrap_or(percent / 100.0)
}

/// Any finite number.
fn number(value: &Value, help: &str) -> Result<f64, Complaint> {
    if let Some(share) = percentage(value) {
        return Err(Complaint::new(format!("is {value}, a percentage"), format!("write {share}")));
    }
    let number = match value {
        Value::Integer(integer) => *integer as f64,
        Value::Float(float) => *float,
        Value::String(text) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
            return Err(Complaint::new(
                format!("takes a number, not the text \"{text}\""),
                format!("write {}, without quotes", text.trim()),
            ));
        }
        other => return Err(Complaint::new(format!("takes a number, not {}", describe(other)), help)),
    };
    match number.is_finite() {
        true => Ok(number),
        false => Err(Complaint::new(format!("is {value}, not a finite number"), help)),
    }
}

pub(super) fn share(value: &Value) -> Result<model::Probability, Complaint> {
    let help = "write a share from 0 to 1: 0.05 is 5%";
    let number = number(value, help)?;
    model::Probability::new(number).ok_or_else(|| {
        let help = match number {
            2.0..=100.0 => format!("write {} if it is {number}%", of_hundred(number)),
            _ => help.to_owned(),
        };
        Complaint::new(format!("is {value}, outside 0 to 1"), help)
    })
}

pub(super) fn weight(value: &Value) -> Result<f64, Complaint> {
    let help = "write a number above 0 and at most 1, such as 0.1";
    let number = number(value, help)?;
    match number > 0.0 && number <= 1.0 {
        true => Ok(number),
        false => Err(Complaint::new(format!("is {value}, not above 0 and at most 1"), help)),
    }
}

pub(super) fn factor(value: &Value) -> Result<f64, Complaint> {
    let help = "write how many times as long it takes: 10.0 is ten times";
    let number = number(value, help)?;
    match number {
        0.000_001..=1e6 => Ok(number),
        _ if number <= 0.0 => Err(Complaint::new(format!("is {value}, and must be above zero"), help)),
        _ => Err(Complaint::new(format!("is {value}, outside 0.000001 to 1000000"), help)),
    }
}

/// Any number above zero, within reason.
pub(super) fn positive(value: &Value) -> Result<f64, Complaint> {
    let help = "write a number above 0, such as 1.5";
    match number(value, help)? {
        number if number > 0.0 && number <= NUMBER_MAX => Ok(number),
        number if number > 0.0 => Err(too_large(value)),
        _ => Err(Complaint::new(format!("is {value}, and must be above zero"), help)),
    }
}

/// Any number from zero, within reason.
pub(super) fn non_negative(value: &Value) -> Result<f64, Complaint> {
    let help = "write 0 or a number above it, such as 0.5";
    match number(value, help)? {
        number if (0.0..=NUMBER_MAX).contains(&number) => Ok(number),
        number if number > 0.0 => Err(too_large(value)),
        _ => Err(Complaint::new(format!("is {value}, and cannot be negative"), help)),
    }
}

/// How many times as much; at least as much.
pub(super) fn multiple(value: &Value) -> Result<f64, Complaint> {
    let help = "write how many times as much, from 1: 2.0 is twice as much";
    match number(value, help)? {
        number if (1.0..=NUMBER_MAX).contains(&number) => Ok(number),
        number if number > 1.0 => Err(too_large(value)),
        _ => Err(Complaint::new(format!("is {value}, and must be at least 1"), help)),
    }
}

fn too_large(value: &Value) -> Complaint {
    Complaint::new(format!("is {value}, above {NUMBER_MAX}"), format!("use at most {NUMBER_MAX}"))
}

pub(super) fn count(value: &Value) -> Result<u32, Complaint> {
    whole_from(1, value, "write a whole number from 1 to 1000000")
}

pub(super) fn whole(value: &Value) -> Result<u32, Complaint> {
    whole_from(0, value, "write a whole number from 0 to 1000000")
}

fn whole_from(least: u32, value: &Value, help: &str) -> Result<u32, Complaint> {
    let number = number(value, help)?;
    let range = f64::from(least)..=1e6;
    match value.as_integer() {
        Some(integer) if range.contains(&number) => Ok(integer as u32),
        None if number.fract() != 0.0 => Err(Complaint::new(format!("is {value}, not a whole number"), help)),
        None if range.contains(&number) => {
            Err(Complaint::new(format!("is {value}, with a decimal point"), format!("write {number}")))
        }
        _ if number < f64::from(least) => {
            Err(Complaint::new(format!("is {value}, and must be at least {least}"), help))
        }
        _ => Err(Complaint::new(format!("is {value}, above 1000000"), help)),
    }
}

pub(super) fn flag(value: &Value) -> Result<(), Complaint> {
    match value {
        Value::Boolean(_) => Ok(()),
        Value::String(text) if ["true", "false"].contains(&text.trim()) => Err(Complaint::new(
            format!("takes true or false, not {}", describe(value)),
            format!("write {}, without quotes", text.trim()),
        )),
        _ => Err(Complaint::new(
            format!("takes true or false, not {}", describe(value)),
            "write true or false, without quotes",
        )),
    }
}

/// One or several ways in which a call fails: a word, or an HTTP error status.
pub(super) fn answer(value: &Value) -> Result<model::AnswerSet, Complaint> {
    let Some(text) = value.as_str() else {
        return match value {
            Value::Integer(_) | Value::Float(_) => {
                status(value).map(|status| model::AnswerSet::of([model::Answer::Status(status)]))
            }
            _ => Err(Complaint::new(
                format!("takes a failure, not {}", describe(value)),
                "write a word such as \"5xx\", or an HTTP error status such as 503",
            )),
        };
    };
    let words: Vec<&str> = model::AnswerSet::words().collect();
    model::AnswerSet::named(text).ok_or_else(|| {
        let help = match (text.trim().parse::<u16>(), nearest(text, words.iter().copied())) {
            (Ok(status @ 400..=599), _) => format!("write {status}, without quotes"),
            (_, Some(near)) => format!("did you mean \"{near}\"?"),
            _ => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("write {}, or an HTTP error status such as 503", words.join(", "))
            }
        };
        Complaint::new(format!("is \"{text}\", which is no failure"), help)
    })
}

pub(super) fn status(value: &Value) -> Result<u16, Complaint> {
    let help = "write an HTTP error status from 400 to 599, such as 503";
    number(value, help)?;
    match value.as_integer() {
        Some(integer @ 400..=599) => Ok(integer as u16),
        _ => Err(Complaint::new(format!("is {value}, outside 400 to 599"), help)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_ends() {
        let read = |read: fn(&Value) -> Result<f64, Complaint>, number: f64| read(&Value::from(number)).ok();
        assert_eq!(read(positive, 1e-3), Some(1e-3));
        assert_eq!(read(positive, 0.0), None);
        assert_eq!(read(non_negative, 0.0), Some(0.0));
        assert_eq!(read(non_negative, -1e-9), None);
        assert_eq!(read(multiple, 1.0), Some(1.0));
        assert_eq!(read(multiple, 0.999), None);
        for kind in [positive, non_negative, multiple] {
            assert_eq!(read(kind, 1e9), Some(1e9));
            assert_eq!(read(kind, 1.1e9), None);
            assert_eq!(read(kind, f64::NAN), None);
        }
    }

    #[test]
    fn whole_numbers_count_from_zero_or_one() {
        let whole_and_count = |n: i64| (whole(&Value::from(n)).ok(), count(&Value::from(n)).ok());
        assert_eq!(whole_and_count(0), (Some(0), None));
        assert_eq!(whole_and_count(1_000_000), (Some(1_000_000), Some(1_000_000)));
        assert_eq!(whole_and_count(1_000_001), (None, None));
        assert_eq!(whole_and_count(-1), (None, None));
        assert_eq!(whole(&Value::from(2.0)).unwrap_err().help, "write 2");
    }

    #[test]
    fn an_answer_is_a_word_or_a_status() {
        let read = |value: Value| answer(&value).ok();
        assert_eq!(read("5xx".into()), Some(model::AnswerSet::class(5)));
        assert_eq!(read(429.into()), Some(model::AnswerSet::of([model::Answer::Status(429)])));
        for bad in [Value::from("200"), Value::from("503"), Value::from(399), Value::from(true)] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }
}
