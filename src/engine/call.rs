//! What the gateway sees of a call: the truth about it, cut off by whichever timer fires first.

use super::recorder::Cause;
use super::world::{Fate, Hit, Reply};
use crate::model::{Answer, Timeouts};
use crate::time::{SimDuration, SimTime};

/// How a call ends for the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// When; [`SimTime::NEVER`] if nobody gives up on a call that hangs.
    pub ends: SimTime,
    pub answer: Answer,
    /// When the first token came, or would have come.
    pub first_token: SimTime,
    /// Whether the client already has a part of the answer, so that nothing can be tried again.
    pub is_committed: bool,
    /// Whether a good answer is not all there. The gateway does not know.
    pub is_truncated: bool,
    /// The part that a fault has in it. For the recorder.
    pub hit: Hit,
    /// The Retry-After that came with an error status.
    pub retry_after: Option<SimDuration>,
}

impl Seen {
    /// A good answer that no timer cuts off.
    #[inline(always)]
    pub fn good(fate: &Fate, streams: bool) -> Seen {
        Seen {
            ends: fate.ends,
            answer: Answer::Good,
            first_token: fate.first_token,
            is_committed: streams && fate.first_token < fate.ends,
            is_truncated: false,
            hit: fate.hit,
            retry_after: None,
        }
    }

    /// The call as it is for a gateway with these timers and a client who gives up at `deadline`. An answer at the very
    /// moment of a timer still counts.
    pub fn of(fate: Fate, sent: SimTime, timeouts: &Timeouts, deadline: SimTime) -> Seen {
        let (answer, ends) = match fate.reply {
            Reply::Good | Reply::Truncated => (Answer::Good, fate.ends),
            Reply::Status(code) => (Answer::Status(code), fate.ends),
            Reply::Refused => (Answer::Refused, fate.ends),
            Reply::Lost if fate.first_token < fate.ends => (Answer::Cut, fate.ends),
            Reply::Lost => (Answer::ConnectionLost, fate.ends),
            Reply::Unreachable => {
                let gives_up = timeouts.connect.map_or(SimTime::NEVER, |t| sent.after(t));
                (Answer::ConnectTimeout, gives_up)
            }
            Reply::Silence if fate.first_token < SimTime::NEVER => {
                (Answer::Stalled, timeouts.idle.map_or(SimTime::NEVER, |t| fate.ends.after(t)))
            }
            Reply::Silence => (Answer::Timeout, SimTime::NEVER),
        };
        let mut seen = Seen {
            ends,
            answer,
            first_token: fate.first_token,
            is_committed: !timeouts.buffers && fate.first_token < ends,
            is_truncated: fate.reply == Reply::Truncated,
            hit: fate.hit,
            retry_after: fate.retry_after,
        };
        if let Some(timeout) = timeouts.first_token
            && sent.after(timeout) < fate.first_token.min(seen.ends)
        {
            seen.cut_off(sent.after(timeout), Answer::Timeout);
        }
        if let Some(timeout) = timeouts.attempt
            && sent.after(timeout) < seen.ends
        {
            seen.cut_off(sent.after(timeout), Answer::Timeout);
        }
        if deadline < seen.ends {
            seen.cut_off(deadline, Answer::Abandoned);
        }
        seen
    }

    /// The same call, whose connection the gateway closes now.
    pub fn closed(self, now: SimTime) -> Seen {
        let has_begun = self.first_token < now;
        let answer = if has_begun { Answer::Cut } else { Answer::ConnectionLost };
        let is_committed = self.is_committed && has_begun;
        Seen { ends: now, answer, is_committed, is_truncated: false, retry_after: None, ..self }
    }

    /// Why a request fails whose last attempt ended like this.
    #[inline]
    pub fn cause(&self) -> Cause {
        match self.answer {
            Answer::Good | Answer::Cut => Cause::Truncated,
            Answer::Status(_) => Cause::Status,
            Answer::Refused => Cause::Refused,
            Answer::ConnectionLost if self.hit == Hit::InFlight => Cause::InFlightAtOnset,
            Answer::ConnectionLost => Cause::Truncated,
            Answer::ConnectTimeout | Answer::Timeout | Answer::Stalled | Answer::Abandoned => Cause::Timeout,
        }
    }

    fn cut_off(&mut self, at: SimTime, answer: Answer) {
        self.is_committed &= self.first_token < at;
        let is_midway = answer == Answer::Timeout && self.first_token < at;
        self.answer = if is_midway { Answer::Stalled } else { answer };
        self.ends = at;
        self.is_truncated = false;
        self.retry_after = None;
    }
}
