//! What limits retries over all requests of a replica, as it stands during a run.

use crate::model::{Answer, Budget, Tokens};
use crate::time::{SimDuration, SimTime};

/// The state of a [`Budget`]; every call is given the budget that it was made for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum BudgetState {
    /// How many retries are under way.
    Concurrency(u32),
    /// How many tokens are left.
    Tokens(f64),
    /// What requests deposited and retries withdrew of late.
    Share(Ledger),
}

/// The leave to make a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grant {
    /// After a timeout, which may cost more.
    AfterTimeout,
    /// After any other failure.
    AfterFailure,
}

impl Grant {
    fn after(answer: Answer) -> Self {
        match answer {
            Answer::Timeout | Answer::ConnectTimeout | Answer::Stalled => Grant::AfterTimeout,
            _ => Grant::AfterFailure,
        }
    }

    fn cost(self, tokens: &Tokens) -> f64 {
        match self {
            Grant::AfterTimeout => tokens.per_timeout_retry,
            Grant::AfterFailure => tokens.per_retry,
        }
    }
}

impl BudgetState {
    /// A budget of which nothing is used.
    pub(super) fn new(budget: &Budget) -> Self {
        match budget {
            Budget::Concurrent(_) | Budget::ConcurrentShare { .. } => BudgetState::Concurrency(0),
            Budget::Tokens(tokens) => BudgetState::Tokens(tokens.max),
            Budget::Share { .. } => BudgetState::Share(Ledger::default()),
        }
    }

    /// A request came; its retries are not requests.
    pub(super) fn on_request(&mut self, budget: &Budget, now: SimTime) {
        if let (BudgetState::Share(ledger), Budget::Share { share, ttl, .. }) = (self, budget) {
            ledger.enter(now, *ttl, micros(*share));
        }
    }

    /// Asks for a retry of an attempt that ended in `after`; `None` where it is not allowed. Where failures cost
    /// tokens, that failure is to be told by [`BudgetState::on_failure`] first.
    ///
    /// A retry counts as under way from here, its wait included, until [`BudgetState::on_retry_end`].
    pub(super) fn take(
        &mut self,
        budget: &Budget,
        now: SimTime,
        requests_in_flight: u32,
        after: Answer,
    ) -> Option<Grant> {
        let grant = Grant::after(after);
        let allowed = match (self, budget) {
            (BudgetState::Concurrency(count), Budget::Concurrent(max)) => one_more(count, *max),
            (BudgetState::Concurrency(count), Budget::ConcurrentShare { share, min }) => {
                // Envoy rounds the share down.
                one_more(count, ((share * f64::from(requests_in_flight)) as u32).max(*min))
            }
            (BudgetState::Tokens(left), Budget::Tokens(tokens)) => {
                let cost = grant.cost(tokens);
                let enough = *left > tokens.keeps && *left >= cost;
                if enough {
                    *left -= cost;
                }
                enough
            }
            (BudgetState::Share(ledger), Budget::Share { per_second, ttl, .. }) => {
                let reserve = micros(per_second * ttl.as_secs_f64());
                let enough = ledger.balance(now, *ttl).saturating_add(reserve) >= RETRY;
                if enough {
                    ledger.enter(now, *ttl, -RETRY);
                }
                enough
            }
            (state, budget) => unreachable!("{state:?} is not the state of {budget:?}"),
        };
        allowed.then_some(grant)
    }

    /// A granted retry ended, or will not be made.
    pub(super) fn on_retry_end(&mut self, _budget: &Budget, _grant: Grant) {
        if let BudgetState::Concurrency(count) = self {
            *count = count.checked_sub(1).expect("a retry ends once, after it was granted");
        }
    }

    /// An attempt succeeded; `granted` is the last leave that its request was given.
    pub(super) fn on_success(&mut self, budget: &Budget, granted: Option<Grant>) {
        if let (BudgetState::Tokens(left), Budget::Tokens(tokens)) = (self, budget) {
            let refund = match granted {
                Some(grant) if tokens.refunds => grant.cost(tokens),
                _ => 0.0,
            };
            *left = (*left + refund.max(tokens.per_success)).min(tokens.max);
        }
    }

    /// An attempt failed in a way that is tried again, whether or not it is.
    pub(super) fn on_failure(&mut self, budget: &Budget) {
        if let (BudgetState::Tokens(left), Budget::Tokens(tokens)) = (self, budget) {
            *left = (*left - tokens.per_failure).max(0.0);
        }
    }
}

fn one_more(count: &mut u32, max: u32) -> bool {
    let free = *count < max;
    *count += u32::from(free);
    free
}

/// One retry in the unit of a [`Ledger`], millionths of a retry: sums of integers do not depend on their order.
const RETRY: i64 = 1_000_000;

/// `retries` in that unit, saturating.
fn micros(retries: f64) -> i64 {
    (retries * RETRY as f64 + 0.5) as i64
}

const SLICES: usize = 10;

/// Deposits less withdrawals of the last `ttl`, in ten slices of it, as Finagle keeps them: an entry is remembered
/// for nine to ten tenths of `ttl`, and what a retry withdrew comes back after as long.
///
/// Slices start at whole tenths of `ttl` into the run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ledger {
    slices: [i64; SLICES],
    sum: i64,
    /// Which tenth of `ttl` since the start of the run the newest slice is.
    newest: u64,
}

impl Ledger {
    fn enter(&mut self, now: SimTime, ttl: SimDuration, amount: i64) {
        self.forget(now, ttl);
        self.slices[(self.newest % SLICES as u64) as usize] += amount;
        self.sum += amount;
    }

    fn balance(&mut self, now: SimTime, ttl: SimDuration) -> i64 {
        self.forget(now, ttl);
        self.sum
    }

    fn forget(&mut self, now: SimTime, ttl: SimDuration) {
        let current = now.as_nanos() / (ttl.as_nanos() / SLICES as u64).max(1);
        let gone = current.saturating_sub(self.newest).min(SLICES as u64);
        for older in 1..=gone {
            let slice = &mut self.slices[((self.newest + older) % SLICES as u64) as usize];
            self.sum -= std::mem::take(slice);
        }
        self.newest = current.max(self.newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILURE: Answer = Answer::Status(503);

    fn at_millis(millis: u64) -> SimTime {
        SimTime::START.after(SimDuration::from_millis(millis))
    }

    /// gRPC's throttling: failures cost a token, and half of the bucket stays.
    fn grpc(max: f64, ratio: f64) -> Budget {
        Budget::Tokens(Tokens {
            max,
            per_retry: 0.0,
            per_timeout_retry: 0.0,
            per_failure: 1.0,
            per_success: ratio,
            refunds: false,
            keeps: max / 2.0,
        })
    }

    /// The AWS SDKs' retry quota.
    fn aws() -> Budget {
        Budget::Tokens(Tokens {
            max: 500.0,
            per_retry: 5.0,
            per_timeout_retry: 10.0,
            per_failure: 0.0,
            per_success: 1.0,
            refunds: true,
            keeps: 0.0,
        })
    }

    fn finagle(share: f64, per_second: f64) -> Budget {
        Budget::Share { share, per_second, ttl: SimDuration::from_secs(10) }
    }

    fn take(state: &mut BudgetState, budget: &Budget) -> Option<Grant> {
        state.take(budget, SimTime::START, 1, FAILURE)
    }

    fn granted_in_an_outage(budget: &Budget, after: Answer) -> usize {
        let mut state = BudgetState::new(budget);
        let tried = (0..1000).map(|_| {
            state.on_failure(budget);
            state.take(budget, SimTime::START, 1, after)
        });
        tried.flatten().count()
    }

    #[test]
    fn an_outage_gets_as_many_retries_as_a_full_bucket_holds() {
        for (max, granted) in [(10.0, 4), (11.0, 5), (100.0, 49)] {
            assert_eq!(granted_in_an_outage(&grpc(max, 0.1), FAILURE), granted, "{max}");
        }
        assert_eq!(granted_in_an_outage(&aws(), FAILURE), 100);
        assert_eq!(granted_in_an_outage(&aws(), Answer::Timeout), 50);
        assert_eq!(granted_in_an_outage(&aws(), Answer::ConnectTimeout), 50);
    }

    #[test]
    fn a_drained_grpc_bucket_needs_more_successes_than_failures_over_the_ratio() {
        // Below zero it would take longer to recover.
        let budget = grpc(10.0, 0.5);
        let mut state = BudgetState::new(&budget);
        (0..1000).for_each(|_| state.on_failure(&budget));
        (0..12).for_each(|_| state.on_success(&budget, None));
        state.on_failure(&budget);
        assert_eq!(take(&mut state, &budget), None, "5 are not more than half of 10");
        (0..3).for_each(|_| state.on_success(&budget, None));
        state.on_failure(&budget);
        assert_eq!(state, BudgetState::Tokens(5.5));
        assert!(take(&mut state, &budget).is_some());
    }

    #[test]
    fn a_success_after_a_retry_refunds_what_the_last_one_took() {
        let budget = aws();
        let mut state = BudgetState::new(&budget);
        let first = take(&mut state, &budget);
        let second = state.take(&budget, SimTime::START, 1, Answer::Timeout);
        assert_eq!((state.clone(), first), (BudgetState::Tokens(485.0), Some(Grant::AfterFailure)));
        state.on_success(&budget, second);
        assert_eq!(state, BudgetState::Tokens(495.0));
        state.on_success(&budget, None);
        assert_eq!(state, BudgetState::Tokens(496.0));
        state.on_success(&budget, first);
        assert_eq!(state, BudgetState::Tokens(500.0), "a bucket holds no more");
        let grpc = grpc(10.0, 0.5);
        let mut state = BudgetState::new(&grpc);
        (0..2).for_each(|_| state.on_failure(&grpc));
        let granted = take(&mut state, &grpc);
        state.on_success(&grpc, granted);
        assert_eq!(state, BudgetState::Tokens(8.5));
    }

    #[test]
    fn with_envoys_default_the_fourth_retry_at_a_time_is_refused() {
        let budget = Budget::Concurrent(3);
        let mut state = BudgetState::new(&budget);
        let granted: Vec<_> = (0..5).map(|_| take(&mut state, &budget)).collect();
        assert_eq!(granted.iter().flatten().count(), 3);
        assert_eq!(granted[3], None);
        state.on_retry_end(&budget, Grant::AfterFailure);
        assert!(take(&mut state, &budget).is_some());
        assert_eq!(take(&mut state, &budget), None, "one ended, one more was granted");
    }

    #[test]
    fn a_share_of_requests_in_flight_is_rounded_down_but_no_less_than_the_least() {
        let budget = Budget::ConcurrentShare { share: 0.2, min: 3 };
        for (in_flight, granted) in [(0, 3), (19, 3), (20, 4), (24, 4), (25, 5), (1000, 200)] {
            let mut state = BudgetState::new(&budget);
            let taken = (0..500).filter_map(|_| state.take(&budget, SimTime::START, in_flight, FAILURE));
            assert_eq!(taken.count(), granted, "{in_flight}");
        }
    }

    #[test]
    fn finagle_retries_its_reserve_without_traffic() {
        let budget = finagle(0.2, 10.0);
        let mut state = BudgetState::new(&budget);
        let mut burst =
            |millis| (0..1000).filter_map(|_| state.take(&budget, at_millis(millis), 1, FAILURE)).count();
        assert_eq!(burst(3_500), 100);
        assert_eq!(burst(12_900), 0, "the burst is remembered");
        assert_eq!(burst(13_000), 100, "it is forgotten ten slices later");
        assert_eq!(burst(1_000_000), 100, "no more than a reserve is saved up");
    }

    #[test]
    fn finagle_retries_a_share_of_requests_in_the_long_run() {
        for (per_second, expected) in [(0.0, 0.2), (10.0, 0.3)] {
            let budget = finagle(0.2, per_second);
            let mut state = BudgetState::new(&budget);
            // 100 requests a second for 1000 s, all of which fail.
            let mut retries = 0;
            for request in 0..100_000 {
                state.on_request(&budget, at_millis(10 * request));
                retries += u32::from(state.take(&budget, at_millis(10 * request), 1, FAILURE).is_some());
            }
            let share = f64::from(retries) / 100_000.0;
            // What the last of a hundred windows still allows may be left over.
            assert!((share - expected).abs() < 0.003, "{per_second}: {share}");
        }
    }

    #[test]
    fn deposits_are_forgotten() {
        let budget = finagle(0.5, 0.0);
        let mut state = BudgetState::new(&budget);
        let mut retry_at = |requests_at: u64, retry_at| {
            (0..2).for_each(|_| state.on_request(&budget, at_millis(requests_at)));
            state.take(&budget, at_millis(retry_at), 1, FAILURE).is_some()
        };
        assert!(retry_at(500, 9_999));
        assert!(!retry_at(100_999, 110_000));
    }
}
