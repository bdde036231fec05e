//! A progress bar on a terminal, which Ctrl-C stops.

use super::{Failure, stop};
use crate::experiment::runner::Progress;
use crate::output::terminal::thousands;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Counts runs on standard error, or silently. Who asks the program to stop has the runner stop after the runs that it
/// is in.
pub(super) struct Bar {
    bar: ProgressBar,
    cancelled: Arc<AtomicBool>,
}

impl Bar {
    /// A bar of which so many runs are done already.
    pub fn start(runs: u64, done: u64, shown: bool) -> Result<Self, Failure> {
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(runs), target).with_position(done);
        // What was done before says nothing about the rate.
        bar.reset_eta();
        let style =
            ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} runs, {rate}/s, {eta} left");
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            text.write_str(&thousands(state.per_sec())).expect("a string grows");
        };
        bar.set_style(style.expect("the template is valid").with_key("rate", rate));
        if shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        let cancelled = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&cancelled);
        stop::when_asked(move || flag.store(true, Ordering::Relaxed))?;
        Ok(Bar { bar, cancelled })
    }

    /// An error if somebody asked to stop.
    pub fn check(&self) -> Result<(), Failure> {
        if self.is_cancelled() { Err(Failure::interrupted()) } else { Ok(()) }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn advance(&self, runs: u64) {
        self.bar.inc(runs);
    }

    fn skip(&self, runs: u64) {
        self.bar.dec_length(runs);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}
