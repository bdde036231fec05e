//! What a passive detector counts failures over.
//!
//! Every window is a queue of batches: calls that are forgotten together. The kinds of windows differ in when a batch
//! begins and when it is over.

use crate::model::{BucketStart, Detector, Window, WindowStart};
use crate::time::{SimDuration, SimTime};
use std::collections::VecDeque;

/// How the end of an attempt counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    /// A good answer that took too long.
    Slow,
    Failure,
}

/// Calls by how they counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Slow ones and failures included.
    pub calls: u32,
    pub failures: u32,
    pub slow: u32,
}

impl Counts {
    pub fn add(&mut self, outcome: Outcome) {
        self.calls += 1;
        self.failures += u32::from(outcome == Outcome::Failure);
        self.slow += u32::from(outcome == Outcome::Slow);
    }

    fn without(self, other: Counts) -> Counts {
        Counts {
            calls: self.calls - other.calls,
            failures: self.failures - other.failures,
            slow: self.slow - other.slow,
        }
    }

    /// The shares of failures and of slow answers; zero without calls.
    pub fn shares(&self) -> Shares {
        let of_calls = |n: u32| f64::from(n) / f64::from(self.calls.max(1));
        Shares { failures: of_calls(self.failures), slow: of_calls(self.slow) }
    }
}

/// Shares of calls, each in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Shares {
    pub failures: f64,
    pub slow: f64,
}

/// How failures and slow answers began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Onset {
    /// When the earliest of them was sent.
    pub sent: SimTime,
    /// When the first of them ended.
    pub ended: SimTime,
}

impl Onset {
    /// The onset of these failures and those.
    pub fn join(these: Option<Onset>, those: Onset) -> Onset {
        these.map_or(those, |o| Onset { sent: o.sent.min(those.sent), ended: o.ended.min(those.ended) })
    }
}

/// A clock that a restart of the gateway does not set: its ticks have a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    length: u64,
    /// Of the cell that the start of the run falls into, so much has passed already.
    passed: u64,
}

impl Grid {
    /// Cells of this length; one begins `phase` modulo the length into the run.
    pub fn new(length: SimDuration, phase: SimDuration) -> Self {
        let length = length.as_nanos().max(1);
        Grid { length, passed: (length - phase.as_nanos() % length) % length }
    }

    /// The number of the cell that the instant lies in; the run starts in cell 0.
    pub fn number(&self, at: SimTime) -> u64 {
        at.as_nanos().saturating_add(self.passed) / self.length
    }

    /// When a cell begins, or the start of the run where that is later.
    pub fn begins(&self, number: u64) -> SimTime {
        SimTime::from_nanos(number.saturating_mul(self.length).saturating_sub(self.passed))
    }
}

/// Calls that are forgotten together.
#[derive(Debug, Clone)]
struct Batch {
    began: SimTime,
    counts: Counts,
    onset: Option<Onset>,
}

/// Shares that decay.
#[derive(Debug, Clone, Copy)]
struct Average {
    shares: Shares,
    /// When it was last updated.
    at: SimTime,
    last_bad: SimTime,
}

impl Average {
    fn new(now: SimTime) -> Self {
        Average { shares: Shares::default(), at: now, last_bad: now }
    }

    /// Source: Finagle `Ema.scala` and `FailureAccrualPolicy.scala`, which average successes and begin with 1.
    fn add(&mut self, constant: SimDuration, now: SimTime, outcome: Outcome) {
        let kept = libm::exp(-now.since(self.at).as_secs_f64() / constant.as_secs_f64().max(1e-9));
        let add = |share: &mut f64, is: bool| *share = *share * kept + f64::from(u8::from(is)) * (1.0 - kept);
        add(&mut self.shares.failures, outcome == Outcome::Failure);
        add(&mut self.shares.slow, outcome == Outcome::Slow);
        self.at = now;
    }
}

/// Counts the ends of attempts over a window.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    window: Window,
    /// Whether anybody asks for counts; if not, none are kept.
    is_asked: bool,
    grid: Grid,
    /// Whether ticks begin and end the window.
    by_ticks: bool,
    /// Oldest first; they are over in this order.
    batches: VecDeque<Batch>,
    total: Counts,
    /// The window that the last tick closed.
    closed: (Counts, Option<Onset>),
    /// What `Window::Ewma` judges.
    average: Average,
    /// When the window last began anew: what was sent before is of another one.
    generation: SimTime,
}

impl Counter {
    pub fn new(settings: &Detector, clock_phase: SimDuration) -> Self {
        let cell = match settings.window {
            Window::Buckets { length, count, .. } => {
                SimDuration::from_nanos(length.as_nanos() / u64::from(count.get()))
            }
            Window::Tumbling { length, .. } => length,
            _ => SimDuration::MAX,
        };
        Counter {
            window: settings.window,
            is_asked: settings.asks_window(),
            grid: Grid::new(cell, clock_phase),
            by_ticks: settings.ticks().is_some() && matches!(settings.window, Window::Tumbling { .. }),
            batches: VecDeque::new(),
            total: Counts::default(),
            closed: (Counts::default(), None),
            average: Average::new(SimTime::START),
            generation: SimTime::START,
        }
    }

    /// Something happens that begins a window of `WindowStart::FirstCall`: an attempt is sent or ends.
    #[inline]
    pub fn touch(&mut self, now: SimTime) {
        if self.is_asked {
            self.begin_on_first_call(now);
        }
    }

    fn begin_on_first_call(&mut self, now: SimTime) {
        self.forget(now);
        let first_call = matches!(self.window, Window::Tumbling { from: WindowStart::FirstCall, .. });
        if first_call && !self.by_ticks && self.batches.is_empty() {
            self.begin(now);
            self.generation = now;
        }
    }

    /// When the current window began, where windows follow each other: attempts sent before belong to another one.
    pub fn generation(&mut self, now: SimTime) -> SimTime {
        self.touch(now);
        match self.window {
            Window::Tumbling { from: WindowStart::Clock, .. } if !self.by_ticks => {
                self.generation.max(self.grid.begins(self.grid.number(now)))
            }
            _ => self.generation,
        }
    }

    #[inline]
    pub fn record(&mut self, sent: SimTime, ended: SimTime, outcome: Outcome) {
        if self.is_asked {
            self.count(sent, ended, outcome);
        }
    }

    fn count(&mut self, sent: SimTime, ended: SimTime, outcome: Outcome) {
        self.touch(ended);
        let failure = outcome == Outcome::Failure;
        if self.starts(WindowStart::FirstFailure) && self.batches.is_empty() && !failure {
            return;
        }
        if !self.has_open_batch(ended, failure) {
            self.begin(ended);
        }
        let split = self.starts(WindowStart::FirstOfEach);
        let batch = if split {
            self.batches.iter_mut().rev().find(|b| b.counts.calls == 0 || (b.counts.failures > 0) == failure)
        } else {
            self.batches.back_mut()
        };
        let batch = batch.expect("one was begun if there was none");
        batch.counts.add(outcome);
        if outcome != Outcome::Success {
            if let Window::Ewma(constant) = self.window
                && ended > self.average.last_bad.after(constant)
            {
                batch.onset = None;
            }
            self.average.last_bad = ended;
            batch.onset = Some(Onset::join(batch.onset, Onset { sent, ended }));
        }
        self.total.add(outcome);
        match self.window {
            Window::Calls(calls) if self.batches.len() > calls.get() as usize => self.drop_oldest(),
            Window::Ewma(constant) => self.average.add(constant, ended, outcome),
            _ => {}
        }
    }

    /// Closes the window, where ticks do that.
    pub fn tick(&mut self, now: SimTime) {
        if self.by_ticks {
            self.closed = (self.total, self.onset(now));
            self.clear(now);
            self.generation = now;
        }
    }

    /// Forgets everything but the window that the last tick closed.
    pub fn clear(&mut self, now: SimTime) {
        self.batches.clear();
        self.total = Counts::default();
        self.average = Average::new(now);
    }

    /// What is judged: the window that the last tick closed where ticks do that, or else the current one.
    pub fn counts(&self, now: SimTime) -> Counts {
        if self.by_ticks {
            return self.closed.0;
        }
        let over = self.batches.iter().take_while(|batch| self.is_over(batch, now));
        over.fold(self.total, |total, batch| total.without(batch.counts))
    }

    /// The shares among what is judged.
    pub fn shares(&self, now: SimTime) -> Shares {
        match self.window {
            Window::Ewma(_) => self.average.shares,
            _ => self.counts(now).shares(),
        }
    }

    /// The onset of what is bad among what is judged: to a bucket in buckets; of an average's, of those with no gap
    /// longer than its time constant.
    pub fn onset_judged(&self, now: SimTime) -> Option<Onset> {
        if self.by_ticks { self.closed.1 } else { self.onset(now) }
    }

    fn onset(&self, now: SimTime) -> Option<Onset> {
        let current = self.batches.iter().filter(|batch| !self.is_over(batch, now));
        current.filter_map(|batch| batch.onset).fold(None, |first, o| Some(Onset::join(first, o)))
    }

    fn starts(&self, at: WindowStart) -> bool {
        !self.by_ticks && matches!(self.window, Window::Tumbling { from, .. } if from == at)
    }

    fn begin(&mut self, now: SimTime) {
        self.batches.push_back(Batch { began: now, counts: Counts::default(), onset: None });
    }

    fn drop_oldest(&mut self) {
        if let Some(batch) = self.batches.pop_front() {
            self.total = self.total.without(batch.counts);
        }
    }

    fn forget(&mut self, now: SimTime) {
        while let Some(batch) = self.batches.front()
            && self.is_over(batch, now)
        {
            if let Window::Tumbling { length, from: WindowStart::FirstFailure } = self.window {
                self.generation = batch.began.after(length);
            }
            self.drop_oldest();
        }
    }

    /// Whether a call that ends now goes into a batch that there is already.
    fn has_open_batch(&self, now: SimTime, failure: bool) -> bool {
        let Some(last) = self.batches.back() else { return false };
        match self.window {
            Window::SinceAdmission | Window::Ewma(_) => true,
            Window::Calls(_) | Window::Sliding(_) => false,
            Window::Buckets { from: BucketStart::Clock, .. } => {
                self.grid.number(last.began) == self.grid.number(now)
            }
            Window::Buckets { from: BucketStart::FirstCall, .. } => {
                now.since(last.began).as_nanos() < self.grid.length
            }
            Window::Tumbling { .. } if self.starts(WindowStart::FirstOfEach) => {
                self.batches.iter().any(|batch| (batch.counts.failures > 0) == failure)
            }
            Window::Tumbling { .. } => true,
        }
    }

    /// Whether a batch has left the window.
    fn is_over(&self, batch: &Batch, now: SimTime) -> bool {
        let age = now.since(batch.began);
        let cells = || self.grid.number(now) - self.grid.number(batch.began);
        match self.window {
            Window::SinceAdmission | Window::Calls(_) | Window::Ewma(_) => false,
            Window::Sliding(length) => age >= length,
            Window::Buckets { from: BucketStart::FirstCall, length, .. } => age >= length,
            Window::Buckets { from: BucketStart::Clock, count, .. } => cells() >= u64::from(count.get()),
            Window::Tumbling { .. } if self.by_ticks => false,
            Window::Tumbling { from: WindowStart::Clock, .. } => cells() > 0,
            // gobreaker, Portkey and LiteLLM keep what is exactly as old as the window.
            Window::Tumbling { length, .. } => age > length,
        }
    }
}
