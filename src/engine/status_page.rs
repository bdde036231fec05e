//! What a vendor posts of its faults: the truth, but late.

use super::Simulation;
use super::recorder::Recorder;
use crate::model::StatusPage;
use crate::random::Key;
use crate::time::{SimDuration, SimTime};

const POSTED: Key = Key::purpose("posted");
const RESOLVED: Key = Key::purpose("resolved");
const POLL: Key = Key::purpose("poll");

impl<R: Recorder> Simulation<'_, '_, R> {
    /// When somebody who reads the page knows of a fault, and of its end; each [`SimTime::NEVER`] if they never do.
    pub(super) fn posts(&self, page: &StatusPage, key: Key) -> (SimTime, SimTime) {
        let fault = self.world.fault(page.fault);
        let polled = |posted: SimTime| match page.polled_every {
            None => posted,
            Some(every) => next_tick(posted, every, every.scaled(key.joined(POLL).unit())),
        };
        let posted = polled(fault.start.after(page.posted_after.draw(key.joined(POSTED))));
        let Some(lag) = &page.resolved_after else { return (posted, SimTime::NEVER) };
        let resolved = polled(fault.end.after(lag.draw(key.joined(RESOLVED))));
        // What is posted as over already is not acted upon.
        if resolved <= posted { (SimTime::NEVER, SimTime::NEVER) } else { (posted, resolved) }
    }
}

/// The first tick of a clock that is not before `from`.
fn next_tick(from: SimTime, every: SimDuration, phase: SimDuration) -> SimTime {
    let ticks = from.before(phase).as_nanos().div_ceil(every.as_nanos());
    SimTime::from_nanos(phase.as_nanos().saturating_add(ticks.saturating_mul(every.as_nanos())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_read_at_the_next_tick() {
        let next = |from| {
            next_tick(SimTime::from_nanos(from), SimDuration::from_nanos(10), SimDuration::from_nanos(3))
        };
        assert_eq!([0, 3, 4, 13, 14].map(|from| next(from).as_nanos()), [3, 3, 13, 13, 23]);
    }
}
