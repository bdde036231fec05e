//! Whether a run got over its faults: a comparison of its last requests with those before the first fault.

use crate::model::Model;
use crate::time::{SimDuration, SimTime};

/// Recovered: at least this much of the share that succeeded before.
const RECOVERED: f64 = 0.95;
/// Degraded: at least this much.
const DEGRADED: f64 = 0.5;
/// Work is amplified if a request takes this many times as many attempts as before.
const AMPLIFIED: f64 = 1.1;

/// How a run stands at its end, when all faults are over.
///
/// The share of requests that succeed among those that arrive in the last quarter of the time from the end of the last
/// fault to the end of arrivals is compared with the share before the first fault. Faults of the gateway itself count,
/// too. A run has no verdict if nothing in it fails, if a fault lasts to its end or beyond, or if either period has no
/// request, or the first one no success, to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// At least 0.95 of the share before.
    Recovered,
    /// At least 0.5 of it.
    Degraded,
    /// Less, and each request takes at least 1.1 times as many attempts as before: the work that failure makes keeps
    /// the failure going, though nothing else is wrong any more.
    Metastable,
    /// Less, and not for such work: everything is ejected, say, or a backlog is not worked off yet.
    Down,
}

impl Verdict {
    /// Every verdict, from best to worst.
    pub const ALL: [Verdict; 4] = [Verdict::Recovered, Verdict::Degraded, Verdict::Metastable, Verdict::Down];

    /// The word in results.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Recovered => "recovered",
            Verdict::Degraded => "degraded",
            Verdict::Metastable => "metastable",
            Verdict::Down => "down",
        }
    }

    /// How many of these are each of [`Self::ALL`], in its order.
    pub fn count(verdicts: impl IntoIterator<Item = Option<Verdict>>) -> [u64; 4] {
        verdicts.into_iter().flatten().fold([0; 4], |mut counts, verdict| {
            counts[verdict as usize] += 1;
            counts
        })
    }

    /// The commonest of these, and of several the worst; `None` if there is none.
    pub fn commonest(verdicts: impl IntoIterator<Item = Option<Verdict>>) -> Option<Verdict> {
        let counted = Verdict::count(verdicts).into_iter().zip(Verdict::ALL);
        counted.filter(|(count, _)| *count > 0).max().map(|(_, verdict)| verdict)
    }
}

/// Requests that arrived in one period of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeriodCounts {
    /// All of them.
    pub request_count: u64,
    /// Those with a complete good answer in time.
    pub succeeded_count: u64,
    /// Attempts made for them, whenever.
    pub attempt_count: u64,
}

impl PeriodCounts {
    /// The share that succeeded; `None` if nothing arrived.
    pub fn success_ratio(&self) -> Option<f64> {
        self.for_each_request(self.succeeded_count)
    }

    /// Attempts per request; `None` if nothing arrived.
    pub fn amplification(&self) -> Option<f64> {
        self.for_each_request(self.attempt_count)
    }

    /// Two periods, before and after the faults, of which the verdict and the share that succeeds after are these: where
    /// nothing else of them is known.
    pub fn telling(verdict: Option<Verdict>, share_after: Option<f64>) -> (Self, Self) {
        let (succeeded, requests) = share_after.map_or((0, 0), fraction);
        let counts = |request_count, succeeded_count, attempts: u64| PeriodCounts {
            request_count,
            succeeded_count,
            attempt_count: request_count.saturating_mul(attempts),
        };
        let after = |attempts| counts(requests, succeeded, attempts);
        // With nothing of it left, any share before is enough.
        let before = |kept: (u64, u64)| match succeeded {
            0 => counts(1, 1, 1),
            _ => counts(requests.saturating_mul(kept.0), succeeded.saturating_mul(kept.1), 1),
        };
        match verdict {
            None => (PeriodCounts::default(), after(1)),
            Some(Verdict::Recovered) => (before((1, 1)), after(1)),
            Some(Verdict::Degraded) => (before((7, 10)), after(1)),
            Some(Verdict::Metastable) => (before((1, 10)), after(2)),
            Some(Verdict::Down) => (before((1, 10)), after(1)),
        }
    }

    fn for_each_request(&self, count: u64) -> Option<f64> {
        (self.request_count > 0).then(|| count as f64 / self.request_count as f64)
    }
}

/// Two whole numbers of which the quotient is this share: its first convergent that rounds to it.
fn fraction(share: f64) -> (u64, u64) {
    /// Shares of fewer requests than a billion have all their digits above it.
    const WHOLE: f64 = (1_u64 << 60) as f64;
    let (mut dividend, mut divisor) = ((share.clamp(0.0, 1.0) * WHOLE) as u128, WHOLE as u128);
    let (mut before, mut now) = ((0_u128, 1_u128), (1_u128, 0_u128));
    while divisor > 0 {
        let times = dividend / divisor;
        (dividend, divisor) = (divisor, dividend % divisor);
        (before, now) = (now, (times * now.0 + before.0, times * now.1 + before.1));
        if now.0 as f64 / now.1 as f64 == share {
            break;
        }
    }
    (now.0 as u64, now.1 as u64)
}

/// The verdict on these two periods; `None` where there is nothing to compare.
pub(super) fn judge(before: &PeriodCounts, after: &PeriodCounts) -> Option<Verdict> {
    let normal = before.success_ratio().filter(|share| *share > 0.0)?;
    let kept = after.success_ratio()? / normal;
    Some(if kept >= RECOVERED {
        Verdict::Recovered
    } else if kept >= DEGRADED {
        Verdict::Degraded
    } else if after.amplification()? >= AMPLIFIED * before.amplification()? {
        Verdict::Metastable
    } else {
        Verdict::Down
    })
}

/// Which requests are before the faults, and which are long enough after them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Periods {
    /// The first fault starts.
    fault_starts: SimTime,
    /// The last part of the run begins; [`SimTime::NEVER`] where there is none.
    last_part: SimTime,
}

impl Periods {
    pub fn of(model: &Model) -> Self {
        let own = model.gateway.faults.iter().map(|fault| (fault.start, fault.end));
        let faults = model.faults.iter().map(|fault| (fault.start, fault.end)).chain(own);
        let (first, last) = faults.fold((SimTime::NEVER, SimTime::START), |(first, last), (start, end)| {
            (first.min(start), last.max(end))
        });
        let arrivals_end = SimTime::START.after(model.duration);
        let has_end = first < SimTime::NEVER && last < arrivals_end;
        let last_part = || {
            let rest = arrivals_end.since(last).as_nanos();
            last.after(SimDuration::from_nanos(rest - rest / 4))
        };
        Periods { fault_starts: first, last_part: if has_end { last_part() } else { SimTime::NEVER } }
    }

    /// 0 before the first fault, 2 in the last part, 1 between them. Without a fault all are before.
    #[inline]
    pub fn index(&self, arrived: SimTime) -> usize {
        usize::from(arrived >= self.fault_starts) + usize::from(arrived >= self.last_part)
    }

    /// When the period of what arrives then is over; [`SimTime::NEVER`] if it is the last one.
    pub fn end_of(&self, arrived: SimTime) -> SimTime {
        let edges = [self.fault_starts, self.last_part].into_iter();
        edges.filter(|edge| *edge > arrived).min().unwrap_or(SimTime::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(request_count: u64, succeeded_count: u64, attempt_count: u64) -> PeriodCounts {
        PeriodCounts { request_count, succeeded_count, attempt_count }
    }

    #[test]
    fn each_verdict_begins_where_it_says() {
        let before = counts(200, 160, 220);
        for (succeeded, attempts, verdict) in [
            (76, 400, Verdict::Recovered),
            (75, 400, Verdict::Degraded),
            (40, 400, Verdict::Degraded),
            (39, 122, Verdict::Metastable),
            (39, 120, Verdict::Down),
            (0, 0, Verdict::Down),
        ] {
            assert_eq!(
                judge(&before, &counts(100, succeeded, attempts)),
                Some(verdict),
                "{succeeded}, {attempts}"
            );
        }
    }

    #[test]
    fn without_anything_to_compare_there_is_no_verdict() {
        let some = counts(10, 10, 10);
        assert_eq!(judge(&some, &PeriodCounts::default()), None);
        assert_eq!(judge(&PeriodCounts::default(), &some), None);
        assert_eq!(judge(&counts(10, 0, 10), &some), None);
    }

    #[test]
    fn periods_tell_what_they_were_made_to() {
        for (succeeded, requests) in
            [(0, 7), (1, 3), (999_999, 1_000_000), (123_456_789, 987_654_321), (5, 5)]
        {
            let share = succeeded as f64 / requests as f64;
            for verdict in Verdict::ALL.map(Some).into_iter().chain([None]) {
                // Nothing is left of nothing.
                if succeeded == 0 && matches!(verdict, Some(Verdict::Recovered | Verdict::Degraded)) {
                    continue;
                }
                let (before, after) = PeriodCounts::telling(verdict, Some(share));
                assert_eq!(
                    (judge(&before, &after), after.success_ratio()),
                    (verdict, Some(share)),
                    "{share}"
                );
            }
        }
        let (before, after) = PeriodCounts::telling(None, None);
        assert_eq!((judge(&before, &after), after.success_ratio()), (None, None));
    }

    #[test]
    fn many_runs_are_told_by_the_commonest_and_of_several_by_the_worst() {
        use Verdict::{Degraded, Metastable, Recovered};
        let runs = [Some(Recovered), None, Some(Metastable), Some(Recovered)];
        assert_eq!(Verdict::count(runs), [2, 0, 1, 0]);
        assert_eq!(Verdict::commonest(runs), Some(Recovered));
        assert_eq!(Verdict::commonest([Some(Degraded), Some(Recovered)]), Some(Degraded));
        assert_eq!(Verdict::commonest([None, None]), None);
    }
}
