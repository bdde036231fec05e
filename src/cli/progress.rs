//! A progress bar on a terminal, and Ctrl-C.

use super::Failure;
use crate::experiment::runner::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Counts runs on standard error; silent unless that is a terminal. Ctrl-C asks the runner to stop.
pub(super) struct Bar {
    bar: ProgressBar,
    cancelled: Arc<AtomicBool>,
}

impl Bar {
    pub fn start(runs: u64) -> Result<Self, Failure> {
        let shown = io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(runs), target);
        let style =
            ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} runs, {rate}/s, {eta} left")
                .expect("the template is valid")
                .with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
                    write!(text, "{:.0}", state.per_sec()).expect("a string grows");
                });
        bar.set_style(style);
        if shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        let cancelled = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&cancelled);
        ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
            .map_err(|error| Failure::bad_input(format!("error: cannot listen for Ctrl-C: {error}")))?;
        Ok(Bar { bar, cancelled })
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn advance(&self, runs: u64) {
        self.bar.inc(runs);
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
