//! What clients saw of an outage, by the definitions that the measurements were made with.

use super::Prepared;
use crate::engine::{Ending, Recorder, RequestEnd, simulate};
use crate::model::{Model, ProviderId};

/// Failures count from this long before the outage on: what was in flight when it began is among them.
const COUNTED_BEFORE_S: f64 = 4.0;
/// Requests in a window that says whether A serves again.
const WINDOW: usize = 20;
/// How many of them A must have answered.
const WINDOW_FROM_A: usize = 18;

/// An outage in numbers. Times are in seconds; `None` if the thing did not happen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Failed requests that were sent from 4 s before the outage on.
    pub failed: u64,
    /// Those up to the first stretch of time without one that was sent.
    pub failed_first_burst: u64,
    /// When the last request of the first burst was sent, from the start of the outage.
    pub detect_s: Option<f64>,
    /// When the last request that failed was sent, from the start of the outage.
    pub last_fail_s: Option<f64>,
    /// From the end of the outage to the first request that A answered.
    pub recover_first_s: Option<f64>,
    /// From the end of the outage to the first of 20 requests in a row of which A answered 90 %.
    pub recover_90_s: Option<f64>,
}

/// A request as its client saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// When it was sent, in seconds from the start of the outage.
    pub sent_s: f64,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A good answer from A.
    A,
    /// A good answer from B.
    B,
    /// None.
    Failed,
}

impl Measures {
    /// The numbers of an outage of `outage_s` seconds. `requests` are in the order in which they were sent; a burst of
    /// failures ends with `burst_gap_s` seconds without one.
    pub fn of(requests: &[Seen], outage_s: f64, burst_gap_s: f64) -> Measures {
        let failures =
            requests.iter().filter(|r| r.answer == Answer::Failed && r.sent_s >= -COUNTED_BEFORE_S);
        let failures: Vec<f64> = failures.map(|request| request.sent_s).collect();
        let gap = failures.windows(2).position(|pair| pair[1] - pair[0] >= burst_gap_s);
        let first_burst = gap.map_or(failures.len(), |last| last + 1);
        let after = requests.iter().position(|request| request.sent_s >= outage_s).unwrap_or(requests.len());
        let after = &requests[after..];
        let recovered = |found: Option<usize>| found.map(|i| after[i].sent_s - outage_s);
        let by_a = |window: &[Seen]| window.iter().filter(|request| request.answer == Answer::A).count();
        Measures {
            failed: failures.len() as u64,
            failed_first_burst: first_burst as u64,
            detect_s: first_burst.checked_sub(1).map(|last| failures[last]),
            last_fail_s: failures.last().copied(),
            recover_first_s: recovered(after.iter().position(|request| request.answer == Answer::A)),
            recover_90_s: recovered(after.windows(WINDOW).position(|window| by_a(window) >= WINDOW_FROM_A)),
        }
    }
}

/// Plays one run of a prepared row and measures it.
pub(super) fn play(prepared: &Prepared, model: &Model, seed: u64, run: u64) -> Measures {
    let mut client = Client { requests: Vec::new() };
    simulate(model, seed, run, &mut client);
    let mut requests = client.requests;
    requests.sort_unstable_by_key(|request| request.ordinal);
    let start_s = prepared.setup.warm.as_secs_f64();
    let is_a = |id: ProviderId| prepared.setup.a.contains(&model.provider(id).name);
    let seen = |request: &RequestEnd| {
        let answer = match request.ending {
            Ending::Succeeded if request.provider.is_some_and(is_a) => Answer::A,
            Ending::Succeeded => Answer::B,
            Ending::Failed(..) | Ending::Open => Answer::Failed,
        };
        Seen { sent_s: request.arrived.as_nanos() as f64 / 1e9 - start_s, answer }
    };
    let seen: Vec<Seen> = requests.iter().map(seen).collect();
    Measures::of(&seen, prepared.run.lasts.as_secs_f64(), prepared.run.product.burst_gap_s)
}

/// Keeps every request of a run.
struct Client {
    requests: Vec<RequestEnd>,
}

impl Recorder for Client {
    fn request_ended(&mut self, request: &RequestEnd) {
        self.requests.push(*request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(sent_s: f64, answer: Answer) -> Seen {
        Seen { sent_s, answer }
    }

    #[test]
    fn bursts_and_recovery_are_measured_as_defined() {
        use Answer::{A, B, Failed};
        let mut requests = vec![
            seen(-4.5, Failed),
            seen(-0.01, Failed),
            seen(0.5, Failed),
            seen(0.6, A),
            seen(1.2, Failed),
            seen(1.9, B),
            // 1.3 s after the last failure: a new burst, or with a gap of 1.5 s the same one.
            seen(2.5, Failed),
            seen(9.9, A),
        ];
        // From the end at 10 s: three from B, one from A, two from B, then A only.
        let answers = [B, B, B, A, B, B].into_iter().chain([A; 30]);
        requests.extend(answers.enumerate().map(|(i, answer)| seen(10.1 + 0.1 * i as f64, answer)));
        let measures = Measures::of(&requests, 10.0, 1.0);
        assert_eq!((measures.failed, measures.failed_first_burst), (4, 3));
        assert_eq!((measures.detect_s, measures.last_fail_s), (Some(1.2), Some(2.5)));
        let near = |value: Option<f64>, expected: f64| (value.unwrap() - expected).abs() < 1e-9;
        assert!(near(measures.recover_first_s, 0.4), "{measures:?}");
        // The window may hold two that A did not answer: it begins with the one from A before the last two from B.
        assert!(near(measures.recover_90_s, 0.4), "{measures:?}");
        assert_eq!(Measures::of(&requests, 10.0, 1.5).failed_first_burst, 4);
    }

    #[test]
    fn what_did_not_happen_has_no_time() {
        let requests: Vec<Seen> = (0..50).map(|i| seen(f64::from(i), Answer::B)).collect();
        let measures = Measures::of(&requests, 20.0, 1.0);
        let none = Measures {
            failed: 0,
            failed_first_burst: 0,
            detect_s: None,
            last_fail_s: None,
            recover_first_s: None,
            recover_90_s: None,
        };
        assert_eq!(measures, none);
        // Nineteen good answers are no window.
        let requests: Vec<Seen> = (0..19).map(|i| seen(f64::from(i), Answer::A)).collect();
        let measures = Measures::of(&requests, 0.0, 1.0);
        assert_eq!((measures.recover_first_s, measures.recover_90_s), (Some(0.0), None));
    }
}
