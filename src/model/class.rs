//! What requests ask for: their kinds, and how many tokens each has.

use super::Probability;
use super::latency::lognormal_sigma;
use crate::random::{self, Key, UnitNormal};
use crate::time::SimDuration;
use rand_distr::Distribution;
use std::sync::Arc;

/// A kind of request.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// The name in the scenario.
    pub name: String,
    /// How many requests, or users where there are some, are of this kind, in proportion to the other kinds; above zero.
    pub share: f64,
    /// Who comes first where requests wait in a gateway's queue: the higher one.
    pub priority: u32,
    /// Tokens of the prompt.
    pub input_tokens: TokenCount,
    /// Tokens of a complete answer.
    pub output_tokens: TokenCount,
    /// The share of the prompt that was in the conversation's turn before, and may lie in a provider's prompt cache.
    pub cached_share: Probability,
    /// A route that minimises cost avoids providers whose [`super::Provider::nominal_latency`] is longer; `None` if
    /// latency does not matter.
    pub max_latency: Option<SimDuration>,
}

/// How many tokens there are.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenCount {
    /// Always as many.
    Constant(u32),
    /// Lognormal, rounded; at least one.
    LogNormal {
        /// The median; above zero.
        p50: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// Those of the row of the trace that the request is; see [`super::Trace::tokens`].
    Recorded,
    /// Those of a random row, the same of all lists of this length.
    Rows(Arc<[u32]>),
}

impl TokenCount {
    /// The lognormal distribution with these percentiles; `None` unless 0 < `p50` <= `p99`.
    pub fn lognormal(p50: u32, p99: u32) -> Option<Self> {
        let (p50, p99) = (f64::from(p50), f64::from(p99));
        Some(TokenCount::LogNormal { p50, sigma: lognormal_sigma(p50, p99)? })
    }

    /// The number that belongs to this request; `purpose` is what it is drawn for.
    fn of(&self, request: Key, purpose: Key, recorded: impl FnOnce() -> u32) -> u32 {
        match self {
            TokenCount::Constant(count) => *count,
            TokenCount::LogNormal { p50, sigma } => {
                let normal: f64 = UnitNormal.sample(&mut request.joined(purpose).rng());
                // What is too large for the type becomes its largest number.
                (p50 * random::exp(sigma * normal) + 0.5).max(1.0) as u32
            }
            TokenCount::Recorded => recorded(),
            TokenCount::Rows(rows) => rows[(request.joined(ROW).unit() * rows.len() as f64) as usize],
        }
    }

    /// The mean, but for rounding, where these are what was recorded.
    pub fn mean(&self, recorded: &[u32]) -> f64 {
        let mean = |counts: &[u32]| {
            counts.iter().map(|count| f64::from(*count)).sum::<f64>() / counts.len().max(1) as f64
        };
        match self {
            TokenCount::Constant(count) => f64::from(*count),
            TokenCount::LogNormal { p50, sigma } => p50 * libm::exp(sigma * sigma / 2.0),
            TokenCount::Recorded => mean(recorded),
            TokenCount::Rows(rows) => mean(rows),
        }
    }

    /// Whether two draws can differ.
    pub fn is_random(&self) -> bool {
        match self {
            // Which rows there are is a matter of the arrivals.
            TokenCount::Constant(_) | TokenCount::Recorded => false,
            TokenCount::LogNormal { sigma, .. } => *sigma > 0.0,
            TokenCount::Rows(rows) => rows.iter().any(|tokens| *tokens != rows[0]),
        }
    }
}

/// What one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Its class's place in [`super::Traffic::classes`].
    pub class: usize,
    /// Tokens of its prompt.
    pub input_tokens: u32,
    /// Tokens of its complete answer.
    pub output_tokens: u32,
}

const CLASS: Key = Key::purpose("class");
const INPUT: Key = Key::purpose("input tokens");
const OUTPUT: Key = Key::purpose("output tokens");
const ROW: Key = Key::purpose("row of tokens");

/// What the request of this key asks for, which has these tokens if it was recorded; `None` where there are no classes.
pub(super) fn demand(
    classes: &[Class],
    asker: Key,
    request: Key,
    recorded: impl Fn() -> (u32, u32),
) -> Option<Demand> {
    let class = pick(classes, asker)?;
    let Class { input_tokens, output_tokens, .. } = &classes[class];
    Some(Demand {
        class,
        input_tokens: input_tokens.of(request, INPUT, || recorded().0),
        output_tokens: output_tokens.of(request, OUTPUT, || recorded().1),
    })
}

/// Which class all requests of an asker are of.
pub(super) fn pick(classes: &[Class], asker: Key) -> Option<usize> {
    let last = classes.len().checked_sub(1)?;
    if last == 0 {
        return Some(0);
    }
    let total: f64 = classes.iter().map(|class| class.share).sum();
    let mut left = asker.joined(CLASS).unit() * total;
    let mut is_past = |class: &Class| {
        left -= class.share;
        left >= 0.0
    };
    Some(classes.iter().position(|class| !is_past(class)).unwrap_or(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(share: f64, output_tokens: TokenCount) -> Class {
        Class {
            name: "a".into(),
            share,
            priority: 0,
            input_tokens: TokenCount::Constant(7),
            output_tokens,
            cached_share: Probability::ZERO,
            max_latency: None,
        }
    }

    #[test]
    fn requests_are_shared_out_and_have_their_classes_tokens() {
        let output = TokenCount::lognormal(100, 500).unwrap();
        let classes = [class(1.0, TokenCount::Constant(3)), class(3.0, output)];
        let run = Key::for_run(1, 0);
        let demands: Vec<Demand> = (0..40_000)
            .map(|i| demand(&classes, run.numbered(i), run.numbered(i), || (0, 0)).unwrap())
            .collect();
        let share = demands.iter().filter(|d| d.class == 1).count() as f64 / 40_000.0;
        // Four standard errors.
        assert!((share - 0.75).abs() < 4.0 * (0.75 * 0.25 / 40_000.0_f64).sqrt(), "{share}");
        assert!(demands.iter().all(|d| d.input_tokens == 7 && (d.class == 1 || d.output_tokens == 3)));
        let mut drawn: Vec<u32> = demands.iter().filter(|d| d.class == 1).map(|d| d.output_tokens).collect();
        drawn.sort_unstable();
        let quantile = |q: f64| f64::from(drawn[(q * drawn.len() as f64) as usize]);
        assert!((quantile(0.5) / 100.0 - 1.0).abs() < 0.03, "{}", quantile(0.5));
        assert!((quantile(0.99) / 500.0 - 1.0).abs() < 0.06, "{}", quantile(0.99));
        let mean = drawn.iter().map(|count| f64::from(*count)).sum::<f64>() / drawn.len() as f64;
        assert!((mean / classes[1].output_tokens.mean(&[]) - 1.0).abs() < 0.02, "{mean}");
        assert_eq!(demand(&[], run, run, || (0, 0)), None);
    }
}
