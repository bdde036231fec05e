//! What runs cost, in the summary's words.
//!
//! A part of [`super::terminal`].

use super::terminal::{certainty_words, plain, thousands};
use crate::experiment::baseline::Difference;
use crate::model::Model;
use std::fmt::Write;

/// What a run costs, and what of it is for what, by the means of metrics; `None` if nobody knows.
pub(super) fn cost_words(mean: &dyn Fn(&str) -> Option<f64>) -> Option<String> {
    let Some(cost) = mean("cost_usd") else {
        let lost = dollars(mean("cost_lost_business_usd")?);
        return Some(format!("{lost} lost business; what providers charge is not known"));
    };
    let mut words = dollars(cost);
    let parts = [
        ("wasted", "wasted"),
        ("probe", "for probes"),
        ("fee", "fees"),
        ("cache_loss", "for lost caches"),
        ("lost_business", "lost business"),
    ];
    let named = parts.iter().filter_map(|(name, words)| {
        let cost = mean(&format!("cost_{name}_usd")).filter(|cost| *cost > 0.0)?;
        Some(format!("{} {words}", dollars(cost)))
    });
    let named: Vec<String> = named.collect();
    if !named.is_empty() {
        write!(words, ", of which {}", named.join(", ")).expect("a string grows");
    }
    if let Some(cost) = mean("cost_per_1k_usd") {
        write!(words, "; {} for 1000 succeeded requests", dollars(cost)).expect("a string grows");
    }
    Some(words)
}

/// An amount to the cent, or to a hundredth of one where it is less than a dollar.
fn dollars(amount: f64) -> String {
    if amount < 1.0 {
        return format!("${amount:.4}");
    }
    let cents = format!("{amount:.2}");
    let (whole, cents) = cents.split_once('.').unwrap_or((&cents, "00"));
    format!("${}.{cents}", thousands(whole.parse().unwrap_or(amount)))
}

/// What a scenario costs more, or less, than the baseline; `None` unless it is known what both cost.
pub(super) fn difference_words(difference: &Difference, compared: usize, baseline: &Model) -> Option<String> {
    let (mean, name) = (difference.summary.mean?, plain(&baseline.name));
    if difference.summary.min == Some(0.0) && difference.summary.max == Some(0.0) {
        return Some(format!("costs as much as {name}, in every run"));
    }
    let direction = if mean < 0.0 { "less" } else { "more" };
    let mut words = format!("costs {} {direction} than {name}", dollars(mean.abs()));
    words.push_str(&certainty_words(difference, compared, signed));
    Some(words)
}

fn signed(amount: f64) -> String {
    format!("{}{}", if amount < 0.0 { '-' } else { '+' }, dollars(amount.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_to_the_cent_or_closer() {
        assert_eq!(
            (dollars(0.0042), dollars(1.999), dollars(1234.5)),
            ("$0.0042".into(), "$2.00".into(), "$1,234.50".into())
        );
        assert_eq!((signed(-2.5), signed(0.0)), ("-$2.50".into(), "+$0.0000".into()));
    }
}
