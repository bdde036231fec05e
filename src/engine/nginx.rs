//! nginx's passive check: failures that add up on a clock of whole seconds.
//!
//! Source: nginx `ngx_http_upstream_round_robin.c`.

use super::window::{Grid, Onset};
use crate::model::Nginx;
use crate::time::{SimDuration, SimTime};

const SECOND: SimDuration = SimDuration::from_secs(1);

/// A peer as a worker of nginx knows it. Times are numbers of seconds.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    seconds: Grid,
    max_fails: u32,
    fail_timeout: i64,
    fails: u32,
    /// The last failure.
    accessed: i64,
    /// The last failure, or the last request that was let through after a `fail_timeout` without one.
    checked: i64,
    /// How the failures in `fails` began.
    onset: Option<Onset>,
    blocked: bool,
}

/// What a peer's failures say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Unchanged,
    /// One more failure than it may have; it counts only once the peer is ejected.
    Trips(Onset),
    Admitted,
}

impl Peer {
    pub fn new(settings: &Nginx, clock_phase: SimDuration) -> Self {
        Peer {
            seconds: Grid::new(SECOND, clock_phase),
            max_fails: settings.max_fails.get(),
            fail_timeout: (settings.fail_timeout.as_nanos() / SECOND.as_nanos()).cast_signed(),
            fails: 0,
            // Long before the run.
            accessed: i64::MIN / 2,
            checked: i64::MIN / 2,
            onset: None,
            blocked: false,
        }
    }

    fn second(&self, now: SimTime) -> i64 {
        self.seconds.number(now).cast_signed()
    }

    fn is_checked_long_ago(&self, now: SimTime) -> bool {
        self.second(now) - self.checked > self.fail_timeout
    }

    /// Whether it has failed too often, selectable or not.
    pub fn is_ejected(&self) -> bool {
        self.fails >= self.max_fails
    }

    /// Whether it must not be selected.
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// When it can be selected again.
    pub fn selectable_at(&self) -> Option<SimTime> {
        let second = (self.checked + self.fail_timeout + 1).cast_unsigned();
        self.blocked.then(|| self.seconds.begins(second))
    }

    /// Time has passed, or something has changed.
    pub fn update(&mut self, now: SimTime) {
        self.blocked = self.is_ejected() && !self.is_checked_long_ago(now);
    }

    /// It was selected.
    pub fn on_sent(&mut self, now: SimTime) {
        if self.is_checked_long_ago(now) {
            self.checked = self.second(now);
            self.update(now);
        }
    }

    pub fn on_failure(&mut self, sent: SimTime, now: SimTime) -> Change {
        let onset = Onset::join(self.onset, Onset { sent, ended: now });
        self.onset = Some(onset);
        self.accessed = self.second(now);
        self.checked = self.accessed;
        let trips = self.fails + 1 == self.max_fails;
        if !trips {
            self.fails = self.fails.saturating_add(1);
        }
        self.update(now);
        if trips { Change::Trips(onset) } else { Change::Unchanged }
    }

    pub fn on_success(&mut self, now: SimTime) -> Change {
        if self.accessed >= self.checked {
            return Change::Unchanged;
        }
        if self.forgive(now) { Change::Admitted } else { Change::Unchanged }
    }

    /// The failure that tripped counts.
    pub fn eject(&mut self, now: SimTime) {
        self.fails = self.fails.max(self.max_fails);
        self.accessed = self.second(now);
        self.checked = self.accessed;
        self.update(now);
    }

    /// Forgets all failures; true if it was ejected.
    pub fn forgive(&mut self, now: SimTime) -> bool {
        let was_ejected = self.is_ejected();
        self.fails = 0;
        self.onset = None;
        self.update(now);
        was_ejected
    }
}
