//! What was found of an objective, in words, for people and for CI.

use super::terminal::thousands;
use crate::experiment::comparison::Comparison;
use crate::experiment::objective::Finding;
use crate::metrics::Unit;

/// `1,204 (95% CI 1,190 to 1,222), bound 14,002; within noise: more runs would tell`.
pub fn finding_words(finding: &Finding) -> String {
    let Finding { objective, judgement, interval, .. } = finding;
    let criterion = &objective.criterion;
    let unit = criterion.target.metric.unit;
    let (valued, runs) = (thousands(finding.valued_run_count as f64), thousands(finding.run_count as f64));
    let Some(value) = judgement.value else {
        return match finding.valued_run_count {
            0 => format!("no value in {runs} of {runs} runs"),
            _ => format!("too few runs to tell: {valued}"),
        };
    };
    let mut words = apart(unit, value, judgement.bound);
    if let Some(interval) = interval.filter(|interval| interval.low < interval.high) {
        let (low, high) = (in_unit(unit, interval.low, 0), in_unit(unit, interval.high, 0));
        words.push_str(&format!(" (95% CI {low} to {high})"));
    }
    match judgement.bound {
        Some(bound) if criterion.is_relative() => {
            words.push_str(&format!(", bound {}", apart(unit, bound, Some(value))));
        }
        Some(_) => {}
        None => words.push_str(", and the baseline has no value"),
    }
    if finding.valued_run_count < finding.run_count {
        words.push_str(&format!("; in the {valued} of {runs} runs that have a value"));
    }
    // An exact equality is a matter of luck anyway.
    if finding.is_within_noise && criterion.comparison != Comparison::Equal {
        words.push_str("; within noise: more runs would tell");
    }
    if finding.lacks_runs {
        words.push_str("; too few runs for an interval");
    }
    words
}

/// A number with as many digits as it takes to tell it from another one.
fn apart(unit: Unit, value: f64, other: Option<f64>) -> String {
    let other = other.filter(|other| *other != value);
    let tells =
        |digits: &usize| other.is_none_or(|o| in_unit(unit, o, *digits) != in_unit(unit, value, *digits));
    in_unit(unit, value, (0..=9).find(tells).unwrap_or(9))
}

/// A number in its unit, with so many digits more than it usually has.
fn in_unit(unit: Unit, value: f64, more_digits: usize) -> String {
    let grouped = |value: f64, digits: usize| {
        let text = format!("{value:.digits$}");
        // The whole part of what is shown, as rounding may have carried into it.
        let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
        format!("{}{fraction}", whole.parse().map_or(whole.to_owned(), thousands))
    };
    match unit {
        Unit::Count => grouped(value, more_digits),
        Unit::PerSecond => format!("{} a second", grouped(value, 1 + more_digits)),
        Unit::PerDay => format!("{} a day", grouped(value, 1 + more_digits)),
        Unit::Milliseconds => format!("{} ms", grouped(value, more_digits)),
        Unit::Ratio | Unit::Quotient => format!("{:.*}%", 2 + more_digits, 100.0 * value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_it_takes_to_tell_them_apart() {
        assert_eq!(apart(Unit::Count, 1000.0, Some(1000.0)), "1,000");
        assert_eq!(apart(Unit::Count, 1000.04, Some(1000.0)), "1,000.04");
        assert_eq!(apart(Unit::Count, 12_345.6, Some(1000.0)), "12,346");
        assert_eq!(apart(Unit::Ratio, 0.999_004, Some(0.999)), "99.9004%");
        assert_eq!(apart(Unit::Milliseconds, 29_999.5, Some(30_000.0)), "29,999.5 ms");
        assert_eq!(apart(Unit::PerDay, 0.25, None), "0.2 a day");
        assert_eq!(apart(Unit::PerSecond, 39.97, Some(40.0)), "39.97 a second");
        assert_eq!(apart(Unit::PerSecond, 1999.96, None), "2,000.0 a second");
        assert_eq!(apart(Unit::Count, 1e-12, Some(0.0)), "0.000000000");
    }
}
