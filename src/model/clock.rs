//! The wall clock that a scenario's times are told on.

use crate::time::{SimDuration, SimTime};

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// What a clock on the wall showed when the run began. For display, and for what goes by hours of the day; no decision of
/// a gateway reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    start_seconds: u64,
    zone: String,
}

impl Clock {
    /// A clock that shows `hour:minute:second` in `zone` (a label such as `UTC`, possibly empty) at the start.
    ///
    /// `None` unless it is a time of day.
    pub fn new(hour: u64, minute: u64, second: u64, zone: impl Into<String>) -> Option<Self> {
        (hour < 24 && minute < 60 && second < 60)
            .then(|| Clock { start_seconds: (hour * 60 + minute) * 60 + second, zone: zone.into() })
    }

    /// The zone's label.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// The time of day at the start.
    pub const fn since_midnight(&self) -> SimDuration {
        SimDuration::from_secs(self.start_seconds)
    }

    /// When the clock next shows `hour:minute:second`, counted from the start of the run.
    pub fn next(&self, hour: u64, minute: u64, second: u64) -> SimTime {
        let of_day = (hour * 60 + minute) * 60 + second;
        let seconds = (of_day + SECONDS_PER_DAY - self.start_seconds) % SECONDS_PER_DAY;
        SimTime::from_nanos(seconds * NANOS_PER_SECOND)
    }

    /// What the clock shows at `time`, to the nearest second: `02:47:00`.
    pub fn show(&self, time: SimTime) -> String {
        let of_day = self.since_first_midnight(time) % SECONDS_PER_DAY;
        format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
    }

    /// Which day that is, from 1 for the one on which the run begins.
    pub fn day(&self, time: SimTime) -> u64 {
        self.since_first_midnight(time) / SECONDS_PER_DAY + 1
    }

    /// In whole seconds, to the nearest.
    fn since_first_midnight(&self, time: SimTime) -> u64 {
        let since_start = time.as_nanos().saturating_add(NANOS_PER_SECOND / 2) / NANOS_PER_SECOND;
        self.start_seconds.saturating_add(since_start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_runs_past_midnight() {
        let clock = Clock::new(23, 50, 0, "UTC").unwrap();
        let seven_past = clock.next(0, 7, 30);
        assert_eq!(seven_past.as_millis_f64(), 1_050_000.0);
        assert_eq!((clock.show(seven_past).as_str(), clock.day(seven_past)), ("00:07:30", 2));
        assert_eq!(clock.day(SimTime::START), 1);
        assert_eq!(Clock::new(24, 0, 0, ""), None);
    }
}
