//! Long work beside Python: without its lock, with its progress told, and stopped by Ctrl-C.

use failover_sim::experiment::runner::Progress;
use pyo3::prelude::*;
use rayon::ThreadPoolBuilder;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How often Python is asked whether somebody pressed Ctrl-C, and told how far it is.
const TICK: Duration = Duration::from_millis(100);

/// Counts runs; tells the work to stop.
#[derive(Debug, Default)]
pub struct Watch {
    done: AtomicU64,
    total: AtomicU64,
    skipped: AtomicU64,
    is_cancelled: AtomicBool,
}

impl Watch {
    /// So many runs will be done in all, those included that are done already.
    pub fn expect(&self, runs: u64) {
        self.total.store(runs, Ordering::Relaxed);
    }

    /// The runs that are done, and how many there are to do; the latter is 0 where nobody knows yet.
    fn counts(&self) -> (u64, u64) {
        let [done, total, skipped] =
            [&self.done, &self.total, &self.skipped].map(|count| count.load(Ordering::Relaxed));
        (done, total.saturating_sub(skipped))
    }
}

impl Progress for Watch {
    fn advance(&self, runs: u64) {
        self.done.fetch_add(runs, Ordering::Relaxed);
    }

    fn skip(&self, runs: u64) {
        self.skipped.fetch_add(runs, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

/// Does work on a pool of so many threads (one for each core, if none are named) while Python goes on.
///
/// `progress`, if there is one, is called with the runs that are done and how many there are to do, which is 0 where nobody
/// knows yet. Once something was raised it is not called any more.
///
/// # Errors
/// With what a signal handler or `progress` raised, once the work has stopped; what the work came to is dropped then.
pub fn watched<T: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Watch) -> T + Send,
) -> PyResult<T> {
    let pool = ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
    let pool = pool.map_err(|error| pyo3::exceptions::PyOSError::new_err(error.to_string()))?;
    let watch = Watch::default();
    let (watch, pool) = (&watch, &pool);
    let caller = thread::current();
    thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let result = pool.install(|| work(watch));
            caller.unpark();
            result
        });
        let mut raised = None;
        while !worker.is_finished() {
            py.detach(|| thread::park_timeout(TICK));
            let told = py.check_signals().and_then(|()| match (progress, &raised) {
                (Some(progress), None) => progress.call1(watch.counts()).map(drop),
                _ => Ok(()),
            });
            if let Err(error) = told {
                watch.is_cancelled.store(true, Ordering::Relaxed);
                raised.get_or_insert(error);
            }
        }
        match (worker.join(), raised) {
            (_, Some(error)) => Err(error),
            (Ok(result), None) => Ok(result),
            (Err(panic), None) => std::panic::resume_unwind(panic),
        }
    })
}
