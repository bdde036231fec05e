//! The signs that a setting or a result is compared by.

use crate::scenario::one_of;
use std::cmp::Ordering;
use std::fmt;

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// All of them; the ones that people use most come first.
    pub const ALL: [Comparison; 6] = [
        Comparison::LessOrEqual,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::Greater,
        Comparison::Equal,
        Comparison::NotEqual,
    ];

    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
        }
    }

    /// All signs, for help.
    pub(crate) fn signs() -> String {
        one_of(Comparison::ALL.map(Comparison::sign))
    }

    /// Whether it holds for a left side that is so much to the right one.
    pub fn holds(self, left_to_right: Ordering) -> bool {
        match self {
            Comparison::Less => left_to_right.is_lt(),
            Comparison::LessOrEqual => left_to_right.is_le(),
            Comparison::Greater => left_to_right.is_gt(),
            Comparison::GreaterOrEqual => left_to_right.is_ge(),
            Comparison::Equal => left_to_right.is_eq(),
            Comparison::NotEqual => left_to_right.is_ne(),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.sign())
    }
}

/// A text around the sign in it.
pub(crate) struct Split<'a> {
    pub left: &'a str,
    /// The sign as it is written; it may be none that there is, such as `=>`.
    pub sign: &'a str,
    pub right: &'a str,
}

impl<'a> Split<'a> {
    /// Splits a text at its first sign; `None` if it has none.
    pub fn of(text: &'a str) -> Option<Self> {
        let is_sign = |c: char| "<>=!".contains(c);
        let start = text.find(is_sign)?;
        let end = text[start..].find(|c| !is_sign(c)).map_or(text.len(), |length| start + length);
        Some(Split { left: text[..start].trim(), sign: &text[start..end], right: text[end..].trim() })
    }

    /// What the sign means; `None` if there is no such sign.
    pub fn comparison(&self) -> Option<Comparison> {
        Comparison::ALL.into_iter().find(|comparison| comparison.sign() == self.sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_read_and_holds_for_what_it_says() {
        let orders = [Ordering::Less, Ordering::Equal, Ordering::Greater];
        for (sign, expected) in [
            ("<", [true, false, false]),
            ("<=", [true, true, false]),
            (">", [false, false, true]),
            (">=", [false, true, true]),
            ("==", [false, true, false]),
            ("!=", [true, false, true]),
        ] {
            let text = format!("a {sign}b");
            let split = Split::of(&text).expect("a sign");
            assert_eq!((split.left, split.right), ("a", "b"));
            let comparison = split.comparison().expect("a known sign");
            assert_eq!(comparison.to_string(), sign);
            assert_eq!(orders.map(|order| comparison.holds(order)), expected, "{sign}");
        }
    }

    #[test]
    fn what_is_no_sign_is_told_from_none() {
        assert!(Split::of("a b").is_none());
        for sign in ["=", "=<", "=>", "<>", "!"] {
            let text = format!("a{sign}b");
            assert!(Split::of(&text).expect("signs").comparison().is_none(), "{sign}");
        }
    }
}
