//! How a call to a provider ends, as its caller sees it, and sets of such ends that rules apply to.

use std::borrow::Cow;

/// How an attempt or a probe ends, as the gateway sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// A complete good answer in time.
    Good,
    /// An HTTP error status, 400 to 599.
    Status(u16),
    /// The connection was refused.
    Refused,
    /// The connection was not established in time.
    ConnectTimeout,
    /// No first token, or where the answer is not streamed no answer, in time.
    Timeout,
    /// The connection was closed before the first token.
    ConnectionLost,
    /// Tokens stopped coming, or took too long, after the first one.
    Stalled,
    /// The connection was closed after the first token.
    Cut,
    /// The client gave up first: it says nothing about the provider.
    Abandoned,
}

/// The ends that have no HTTP status, with the names that scenarios use; the index is the bit in a set.
const KINDS: [(&str, Answer); 6] = [
    ("refused", Answer::Refused),
    ("connect_timeout", Answer::ConnectTimeout),
    ("timeout", Answer::Timeout),
    ("connection_lost", Answer::ConnectionLost),
    ("stalled", Answer::Stalled),
    ("cut", Answer::Cut),
];

impl Answer {
    /// Its name among what failures are called: a kind as scenarios name it, `abandoned`, or an HTTP status as digits; `None`
    /// for a good one.
    pub fn failure_name(self) -> Option<Cow<'static, str>> {
        match self {
            Answer::Good => None,
            Answer::Abandoned => Some("abandoned".into()),
            Answer::Status(status) => Some(status.to_string().into()),
            _ => KINDS.iter().find(|(_, kind)| *kind == self).map(|(name, _)| (*name).into()),
        }
    }
}

const FIRST_STATUS: u16 = 400;

/// A set of failures, such as those that are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerSet {
    kinds: u8,
    /// One bit for each status from 400 on.
    statuses: [u64; 4],
}

impl AnswerSet {
    /// Nothing.
    pub const NONE: AnswerSet = AnswerSet { kinds: 0, statuses: [0; 4] };

    /// Every failure; a good answer and one that the client gave up on are in no set.
    pub fn any() -> Self {
        let kinds = KINDS.iter().map(|(_, answer)| *answer);
        AnswerSet::of(kinds.chain((FIRST_STATUS..600).map(Answer::Status)))
    }

    /// The statuses of one class: 4 or 5.
    pub fn class(hundreds: u16) -> Self {
        AnswerSet::of((hundreds * 100..hundreds * 100 + 100).map(Answer::Status))
    }

    /// These failures.
    pub fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut set = AnswerSet::NONE;
        for answer in answers {
            match answer {
                Answer::Status(status) => {
                    let bit = usize::from(status.clamp(FIRST_STATUS, 599) - FIRST_STATUS);
                    set.statuses[bit / 64] |= 1 << (bit % 64);
                }
                _ => {
                    set.kinds |= KINDS.iter().position(|(_, kind)| *kind == answer).map_or(0, |bit| 1 << bit)
                }
            }
        }
        set
    }

    /// What a scenario means by a word: a kind, `4xx`, `5xx` or `any`; `None` if it is no such word.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "any" => Some(AnswerSet::any()),
            "4xx" => Some(AnswerSet::class(4)),
            "5xx" => Some(AnswerSet::class(5)),
            _ => KINDS.iter().find(|(name, _)| *name == word).map(|(_, answer)| AnswerSet::of([*answer])),
        }
    }

    /// The words that [`AnswerSet::named`] knows.
    pub fn words() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(name, _)| *name).chain(["4xx", "5xx", "any"])
    }

    /// What is in either.
    pub fn or(self, other: AnswerSet) -> Self {
        let mut set = AnswerSet { kinds: self.kinds | other.kinds, ..self };
        set.statuses.iter_mut().zip(other.statuses).for_each(|(mine, theirs)| *mine |= theirs);
        set
    }

    /// What is in this one and not in the other.
    pub fn without(self, other: AnswerSet) -> Self {
        let mut set = AnswerSet { kinds: self.kinds & !other.kinds, ..self };
        set.statuses.iter_mut().zip(other.statuses).for_each(|(mine, theirs)| *mine &= !theirs);
        set
    }

    /// Whether the answer is in the set.
    #[inline]
    pub fn contains(&self, answer: Answer) -> bool {
        match answer {
            Answer::Good | Answer::Abandoned => false,
            Answer::Status(status) => {
                let bit = usize::from(status.wrapping_sub(FIRST_STATUS));
                bit < 200 && self.statuses[bit / 64] >> (bit % 64) & 1 == 1
            }
            _ => KINDS.iter().position(|(_, kind)| *kind == answer).is_some_and(|b| self.kinds >> b & 1 == 1),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        *self == AnswerSet::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        let set = AnswerSet::named("5xx").unwrap().or(AnswerSet::of([Answer::Refused, Answer::Status(429)]));
        for inside in [Answer::Status(500), Answer::Status(599), Answer::Status(429), Answer::Refused] {
            assert!(set.contains(inside), "{inside:?}");
        }
        for outside in
            [Answer::Status(428), Answer::Status(499), Answer::Timeout, Answer::Good, Answer::Abandoned]
        {
            assert!(!set.contains(outside), "{outside:?}");
        }
        for word in AnswerSet::words() {
            assert!(!AnswerSet::named(word).unwrap().is_empty(), "{word}");
        }
        assert!(!AnswerSet::any().contains(Answer::Good) && !AnswerSet::any().contains(Answer::Abandoned));
    }
}
