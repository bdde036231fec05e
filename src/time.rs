//! Simulated time: whole nanoseconds since the start of a run.
//!
//! An instant and a length of time are separate types, so that adding two instants does not compile.
//! Integers, because a float clock would make the order of events depend on rounding.

use std::fmt;

const NANOS_PER_SECOND: f64 = 1e9;

/// A length of simulated time in nanoseconds; at most about 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimDuration(u64);

impl SimDuration {
    /// No time at all.
    pub const ZERO: SimDuration = SimDuration(0);
    /// Longer than any run: what "for ever" is stored as.
    pub const MAX: SimDuration = SimDuration(u64::MAX);

    /// A duration of whole nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimDuration(nanos)
    }

    /// A duration of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        SimDuration(millis.saturating_mul(1_000_000))
    }

    /// A duration of whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        SimDuration(secs.saturating_mul(1_000_000_000))
    }

    /// The duration nearest to `secs` seconds; negative and NaN become zero, too large becomes [`Self::MAX`].
    pub fn from_secs_f64(secs: f64) -> Self {
        // `as` saturates and maps NaN to 0; adding one half rounds to nearest.
        SimDuration((secs * NANOS_PER_SECOND + 0.5) as u64)
    }

    /// In nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// In seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// In milliseconds.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// This duration times `factor`, to the nearest nanosecond, saturating.
    pub fn scaled(self, factor: f64) -> Self {
        SimDuration((self.0 as f64 * factor + 0.5) as u64)
    }

    /// This duration so many times over, saturating.
    pub const fn times(self, count: u64) -> Self {
        SimDuration(self.0.saturating_mul(count))
    }

    /// Its bin on a scale where each power of two is cut into 2^[`Self::BIN_BITS`] equal bins, each at most 0.8% of its
    /// value wide.
    #[inline(always)]
    pub fn bin(self) -> usize {
        let per_octave = 1 << Self::BIN_BITS;
        if self.0 < per_octave {
            return self.0 as usize;
        }
        let shift = 63 - self.0.leading_zeros() - Self::BIN_BITS;
        (u64::from(shift) * per_octave + (self.0 >> shift)) as usize
    }

    /// How finely [`Self::bin`] tells durations apart.
    pub const BIN_BITS: u32 = 7;

    /// The sum, saturating at [`Self::MAX`].
    pub fn plus(self, other: SimDuration) -> Self {
        SimDuration(self.0.saturating_add(other.0))
    }
}

/// Whole units, as humantime writes them: `1m 30s`, `2ms 500us`. The text can be written back into a scenario.
impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let duration = std::time::Duration::from_nanos(self.0);
        write!(f, "{}", humantime::format_duration(duration))
    }
}

/// An instant: nanoseconds since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(u64);

impl SimTime {
    /// The start of the run.
    pub const START: SimTime = SimTime(0);
    /// After everything: an instant that never comes.
    pub const NEVER: SimTime = SimTime(u64::MAX);

    /// The instant `nanos` nanoseconds into the run.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimTime(nanos)
    }

    /// Nanoseconds since the start of the run.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds since the start of the run.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The instant `delay` later; [`Self::NEVER`] where that would not fit.
    #[must_use]
    pub fn after(self, delay: SimDuration) -> Self {
        SimTime(self.0.saturating_add(delay.as_nanos()))
    }

    /// The instant `span` earlier, at most the start of the run.
    #[must_use]
    pub fn before(self, span: SimDuration) -> Self {
        SimTime(self.0.saturating_sub(span.as_nanos()))
    }

    /// The time that passed since `earlier`.
    ///
    /// # Panics
    /// If `earlier` is later than `self`: time would have run backwards.
    pub fn since(self, earlier: SimTime) -> SimDuration {
        match self.0.checked_sub(earlier.0) {
            Some(nanos) => SimDuration(nanos),
            None => panic!("time ran backwards: {self:?} is before {earlier:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_prints_as_it_is_written_in_a_scenario() {
        assert_eq!(SimDuration::from_secs(90).to_string(), "1m 30s");
        assert_eq!(SimDuration::from_millis(250).to_string(), "250ms");
        assert_eq!(SimDuration::from_nanos(2_500_000).to_string(), "2ms 500us");
    }

    #[test]
    fn scaling_rounds_to_the_nearest_nanosecond_and_saturates() {
        assert_eq!(SimDuration::from_nanos(3).scaled(0.5), SimDuration::from_nanos(2));
        assert_eq!(SimDuration::from_secs(1).scaled(1e30), SimDuration::MAX);
        assert_eq!(SimTime::START.after(SimDuration::MAX), SimTime::NEVER);
    }

    #[test]
    #[should_panic(expected = "time ran backwards")]
    fn time_does_not_run_backwards() {
        let _ = SimTime::START.since(SimTime::from_nanos(1));
    }
}
