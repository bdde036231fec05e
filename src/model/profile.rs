//! How the rate of arrivals changes over time: a factor on it, linear in pieces, that may repeat.
//!
//! Arrivals are made in *operational time*, in which their rate is the same all the time, and a profile maps it to the
//! run's: where the factor is high, more operational time passes. So a sweep over a profile keeps the same arrivals,
//! nearer to each other or farther apart. Source: Çınlar, "Introduction to Stochastic Processes" (1975), section 4.7.
//!
//! Operational time runs at most as fast as the run's own: one nanosecond of it passes in a nanosecond of the highest
//! factor. It is counted in integers, so that both directions agree to the last nanosecond.

use super::Clock;
use crate::time::{SimDuration, SimTime};

/// A factor on a rate over the time of a run; from 0, and somewhere above it.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// In order of time, the first at 0. Without a period the last one never ends.
    pieces: Vec<Piece>,
    /// What the whole begins anew after: its length, and how much operational time it has.
    period: Option<(u64, u128)>,
    /// Where in the pieces a run begins, in nanoseconds.
    begins: u64,
    /// The highest factor.
    peak: f64,
}

/// A stretch of time in which the factor changes evenly, in nanoseconds and in shares of the highest factor.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    start: u64,
    /// Operational time before it, in nanoseconds over [`ONE`].
    before: u128,
    from: u64,
    to: u64,
    length: u64,
}

/// The highest factor, as pieces count it: what is below a share of 2^-41 of it counts as none.
const ONE_BITS: u32 = 40;
const ONE: f64 = (1u64 << ONE_BITS) as f64;

const HOUR: SimDuration = SimDuration::from_secs(3600);

/// A factor that changes evenly from one value to another, starting at an instant.
type Slope = (SimDuration, f64, f64);

impl Profile {
    /// The factor that each step sets from its instant on; 1 before the first.
    ///
    /// `None` unless there is a step, their instants ascend, factors are finite and from 0, and one is above.
    pub fn steps(steps: &[(SimTime, f64)]) -> Option<Self> {
        let before = (steps.first()?.0 > SimTime::START).then_some((SimDuration::ZERO, 1.0, 1.0));
        let steps = steps.iter().map(|(at, factor)| (at.since(SimTime::START), *factor, *factor));
        Profile::new(&before.into_iter().chain(steps).collect::<Vec<_>>(), None, SimDuration::ZERO)
    }

    /// From one factor to another, evenly over this long.
    ///
    /// `None` unless it takes some time, and factors are finite and from 0, one of them above.
    pub fn ramp(at: SimTime, over: SimDuration, from: f64, to: f64) -> Option<Self> {
        if over == SimDuration::ZERO {
            return None;
        }
        let at = at.since(SimTime::START);
        let slopes = [(SimDuration::ZERO, from, from), (at, from, to), (at.plus(over), to, to)];
        Profile::new(&without_empty(&slopes), None, SimDuration::ZERO)
    }

    /// A factor of 1, but for once: it changes evenly to `factor`, stays there for `lasts`, and changes back.
    ///
    /// `None` unless it takes some time in all and the factor is finite and from 0.
    pub fn spike(
        at: SimTime,
        factor: f64,
        rise: SimDuration,
        lasts: SimDuration,
        fall: SimDuration,
    ) -> Option<Self> {
        let at = at.since(SimTime::START);
        let (high, falls) = (at.plus(rise), at.plus(rise).plus(lasts));
        let ends = falls.plus(fall);
        if ends == at {
            return None;
        }
        let slopes = [
            (SimDuration::ZERO, 1.0, 1.0),
            (at, 1.0, factor),
            (high, factor, factor),
            (falls, factor, 1.0),
            (ends, 1.0, 1.0),
        ];
        Profile::new(&without_empty(&slopes), None, SimDuration::ZERO)
    }

    /// The factor at each full hour of the day, from midnight on, and evenly changing between them.
    ///
    /// `None` unless factors are finite and from 0, and one is above.
    pub fn daily(hours: &[f64; 24], clock: &Clock) -> Option<Self> {
        Profile::hourly(hours, clock.since_midnight())
    }

    /// The factor at each full hour is that of the hour times that of the day, Monday first, and changes evenly between
    /// them. A run begins on the day of this number, from 0 for Monday.
    ///
    /// `None` unless factors are finite and from 0, one product is above, and it is the number of a day.
    pub fn weekly(hours: &[f64; 24], days: &[f64; 7], clock: &Clock, starts: u64) -> Option<Self> {
        let of_week: Vec<f64> = days.iter().flat_map(|day| hours.map(|hour| hour * day)).collect();
        let begins = SimDuration::from_nanos(starts * 24 * HOUR.as_nanos()).plus(clock.since_midnight());
        (starts < 7).then(|| Profile::hourly(&of_week, begins)).flatten()
    }

    fn hourly(factors: &[f64], begins: SimDuration) -> Option<Self> {
        let hour = |index: usize| SimDuration::from_nanos(index as u64 * HOUR.as_nanos());
        let next = |index: usize| factors[(index + 1) % factors.len()];
        let slopes: Vec<Slope> =
            factors.iter().enumerate().map(|(i, factor)| (hour(i), *factor, next(i))).collect();
        Profile::new(&slopes, Some(hour(factors.len())), begins)
    }

    fn new(slopes: &[Slope], period: Option<SimDuration>, begins: SimDuration) -> Option<Self> {
        let factors = || slopes.iter().flat_map(|(_, from, to)| [*from, *to]);
        let peak = factors().fold(0.0, f64::max);
        let ascend = slopes.is_sorted_by(|one, other| one.0 < other.0);
        if !factors().all(|factor| factor.is_finite() && factor >= 0.0) || peak == 0.0 || !ascend {
            return None;
        }
        let share = |factor: f64| (factor / peak * ONE + 0.5) as u64;
        let mut pieces: Vec<Piece> = Vec::new();
        for (i, (start, from, to)) in slopes.iter().enumerate() {
            let end = slopes.get(i + 1).map(|slope| slope.0).or(period).unwrap_or(SimDuration::MAX);
            pieces.push(Piece {
                start: start.as_nanos(),
                before: pieces.last().map_or(0, Piece::end),
                from: share(*from),
                to: share(*to),
                length: end.as_nanos() - start.as_nanos(),
            });
        }
        let period = period.zip(pieces.last()).map(|(period, last)| (period.as_nanos(), last.end()));
        Some(Profile { pieces, period, begins: begins.as_nanos(), peak })
    }

    /// The highest factor.
    pub fn peak(&self) -> f64 {
        self.peak
    }

    /// The mean factor over the first of a run.
    pub fn mean(&self, over: SimDuration) -> f64 {
        let passed = self.operational(SimTime::START.after(over));
        self.peak * (passed.as_nanos() as f64 / over.as_nanos().max(1) as f64)
    }

    /// How much operational time has passed at an instant of the run. It never decreases.
    pub fn operational(&self, at: SimTime) -> SimTime {
        let passed = self.passed(u128::from(at.as_nanos()) + u128::from(self.begins));
        SimTime::from_nanos(((passed - self.passed(u128::from(self.begins))) >> ONE_BITS) as u64)
    }

    /// When something happens that has this place in operational time: the last instant at which no more of it has
    /// passed, so it happens before `t` if and only if its place is before `operational(t)`. [`SimTime::NEVER`] if the
    /// factor is and stays 0 there.
    pub fn instant(&self, place: SimTime) -> SimTime {
        // The first nanosecond at which more has passed comes after it.
        let passed = self.passed(u128::from(self.begins)) + ((u128::from(place.as_nanos()) + 1) << ONE_BITS);
        let (turns, rest) = match self.period {
            Some((_, in_period)) => ((passed - 1) / in_period, (passed - 1) % in_period + 1),
            None => (0, passed),
        };
        let index = self.pieces.partition_point(|piece| piece.before < rest) - 1;
        let piece = &self.pieces[index];
        let Some(inside) = piece.first_with(rest - piece.before) else { return SimTime::NEVER };
        let length = self.period.map_or(0, |(length, _)| length);
        let after = turns * u128::from(length) + u128::from(piece.start) + inside - u128::from(self.begins);
        SimTime::from_nanos(u64::try_from(after - 1).unwrap_or(u64::MAX))
    }

    /// Operational time from the start of the first piece until `nanos` after it.
    fn passed(&self, nanos: u128) -> u128 {
        let (turns, nanos) = match self.period {
            Some((length, in_period)) => (nanos / u128::from(length) * in_period, nanos % u128::from(length)),
            None => (0, nanos),
        };
        let nanos = nanos as u64;
        let index = self.pieces.partition_point(|piece| piece.start <= nanos) - 1;
        let piece = &self.pieces[index];
        turns + piece.before + piece.passed(nanos - piece.start)
    }
}

fn without_empty(slopes: &[Slope]) -> Vec<Slope> {
    let is_empty = |i: usize| slopes.get(i + 1).is_some_and(|next| next.0 == slopes[i].0);
    (0..slopes.len()).filter(|i| !is_empty(*i)).map(|i| slopes[i]).collect()
}

impl Piece {
    fn end(&self) -> u128 {
        self.before + self.passed(self.length)
    }

    /// Operational time in the first of it. It never decreases: rounding down adds at most 1 to what the slope takes away
    /// in a nanosecond, and so does the end of the slope.
    fn passed(&self, nanos: u64) -> u128 {
        let flat = u128::from(self.from) * u128::from(nanos);
        if self.from == self.to {
            return flat;
        }
        let steps = u128::from(nanos) * u128::from(nanos) / (2 * u128::from(self.length));
        match self.to > self.from {
            true => flat + u128::from(self.to - self.from) * steps,
            false => flat - u128::from(self.from - self.to) * steps,
        }
    }

    /// After how many nanoseconds so much operational time has passed, above 0; `None` for never.
    fn first_with(&self, wanted: u128) -> Option<u128> {
        if self.from == self.to {
            return (self.from > 0).then(|| wanted.div_ceil(u128::from(self.from)));
        }
        let (from, wanted_f) = (self.from as f64, wanted as f64);
        let slope = (self.to as f64 - from) / self.length as f64;
        let root = libm::sqrt((from * from + 2.0 * slope * wanted_f).max(0.0));
        let guess = 2.0 * wanted_f / (from + root);
        let is_enough = |nanos: u64| self.passed(nanos) >= wanted;
        let found = first_that((guess as u64).min(self.length), self.length, is_enough);
        (found <= self.length).then_some(u128::from(found))
    }
}

/// The first number for which it holds, looked for around a guess; from there on it holds for all up to `most`. One more
/// than that if it holds for none.
fn first_that(guess: u64, most: u64, holds: impl Fn(u64) -> bool) -> u64 {
    // It does not hold below `low`, and holds at `high` or that is past the end. Steps double until it is between them.
    let (mut low, mut high, mut step) = (0, most + 1, 1);
    let guess = guess.min(most);
    if holds(guess) {
        high = guess;
        while low < high {
            let next = high.saturating_sub(step);
            if !holds(next) {
                low = next + 1;
                break;
            }
            (high, step) = (next, step * 2);
        }
    } else {
        low = guess + 1;
        while low < high {
            let next = low.saturating_add(step - 1).min(most);
            if holds(next) {
                high = next;
                break;
            }
            (low, step) = (next + 1, step * 2);
        }
    }
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    fn secs(seconds: u64) -> SimDuration {
        SimDuration::from_secs(seconds)
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::START.after(secs(seconds))
    }

    fn all() -> Vec<Profile> {
        let clock = |hour| Clock::new(hour, 30, 0, "UTC").unwrap();
        let hours = std::array::from_fn(|hour| [0.0, 1e-9, 0.3, 2.0, 0.0, 0.0][hour % 6]);
        let days = [1.0, 0.0, 3.0, 0.5, 0.0, 0.0, 0.1];
        [
            Profile::steps(&[(at(0), 1.0)]),
            Profile::steps(&[(at(10), 3.0), (at(20), 0.0), (at(30), 0.7)]),
            Profile::steps(&[(at(0), 0.0), (at(7), 1.0), (at(99), 0.0)]),
            Profile::ramp(at(20), secs(30), 0.0, 5.0),
            Profile::ramp(at(0), SimDuration::from_nanos(3), 5.0, 0.0),
            Profile::ramp(at(0), SimDuration::from_nanos(3), 5.0, 0.1),
            Profile::spike(at(5), 9.7, secs(0), secs(20), secs(0)),
            Profile::spike(at(5), 0.0, secs(3), secs(20), secs(40)),
            Profile::daily(&hours, &clock(23)),
            Profile::daily(&[1.0; 24], &clock(0)),
            Profile::weekly(&hours, &days, &clock(5), 6),
        ]
        .into_iter()
        .map(Option::unwrap)
        .collect()
    }

    /// What happens at a place in operational time happens before an instant if and only if more has passed by then.
    #[test]
    fn both_directions_agree_to_the_nanosecond() {
        for (number, profile) in (0..).zip(all()) {
            let key = Key::for_run(1, number);
            let mut last = (SimTime::START, SimTime::START);
            for exponent in 0..55 {
                for draw in 0..40 {
                    let length = (1u64 << exponent) as f64;
                    let nanos = (key.numbered(exponent).numbered(draw).unit() * length) as u64;
                    let place = SimTime::from_nanos(nanos);
                    let instant = profile.instant(place);
                    if instant < SimTime::NEVER {
                        assert!(profile.operational(instant) <= place, "{profile:?} {place:?} {instant:?}");
                        let next = SimTime::from_nanos(instant.as_nanos() + 1);
                        assert!(profile.operational(next) > place, "{profile:?} {place:?} {instant:?}");
                    }
                    let (time, passed) = (place, profile.operational(place));
                    match time >= last.0 {
                        true => assert!(passed >= last.1, "{profile:?} {time:?}"),
                        false => assert!(passed <= last.1, "{profile:?} {time:?}"),
                    }
                    last = (time, passed);
                }
            }
        }
    }

    #[test]
    fn no_nanosecond_of_a_slope_takes_time_away() {
        for (from, to) in [(1.0, 0.0), (0.0, 1.0), (1.0, 0.3), (0.999, 1.0)] {
            let ramp = Profile::ramp(at(0), SimDuration::from_nanos(997), from, to).unwrap();
            let passed: Vec<SimTime> = (0..2000).map(|t| ramp.operational(SimTime::from_nanos(t))).collect();
            assert!(passed.is_sorted(), "{from} {to}");
            for place in (0..997).map(SimTime::from_nanos) {
                let before = (0..2000).filter(|t| passed[*t as usize] <= place).max();
                let instant = ramp.instant(place).as_nanos();
                assert!(instant >= 2000 || Some(instant) == before, "{from} {to} {place:?}");
            }
        }
    }

    #[test]
    fn an_even_profile_changes_nothing() {
        let even = Profile::steps(&[(at(0), 2.5)]).unwrap();
        for nanos in [0, 1, 12_345, 1 << 40, 1 << 54] {
            let time = SimTime::from_nanos(nanos);
            assert_eq!((even.operational(time), even.instant(time)), (time, time));
        }
        assert_eq!((even.peak(), even.mean(secs(9))), (2.5, 2.5));
    }

    #[test]
    fn means_are_areas() {
        let mean = |profile: Option<Profile>, over| profile.unwrap().mean(secs(over));
        let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-7, "{one} {other}");
        near(mean(Profile::steps(&[(at(10), 3.0), (at(20), 0.5)]), 30), 4.5 / 3.0);
        near(mean(Profile::ramp(at(10), secs(20), 1.0, 4.0), 40), (10.0 + 50.0 + 40.0) / 40.0);
        near(mean(Profile::spike(at(10), 5.0, secs(4), secs(10), secs(6)), 60), (60.0 + 4.0 * 15.0) / 60.0);
        let hours = std::array::from_fn(|hour| hour as f64);
        let noon = Clock::new(12, 0, 0, "").unwrap();
        near(mean(Profile::daily(&hours, &noon), 3600), 12.5);
        // From 23 back to 0.
        near(mean(Profile::daily(&hours, &noon), 12 * 3600), (12.5 + 22.5) / 2.0 * 11.0 / 12.0 + 11.5 / 12.0);
        near(mean(Profile::daily(&hours, &noon), 240 * 3600), 11.5);
        let days = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        near(mean(Profile::weekly(&[1.0; 24], &days, &noon, 2), 6 * 3600), 2.0);
        near(mean(Profile::weekly(&[1.0; 24], &days, &noon, 2), 7 * 86_400), 3.0);
    }

    #[test]
    fn what_is_no_profile() {
        let none = Clock::new(0, 0, 0, "").unwrap();
        assert_eq!(Profile::steps(&[]), None);
        assert_eq!(Profile::steps(&[(at(1), 1.0), (at(1), 2.0)]), None);
        assert_eq!(Profile::steps(&[(at(0), 0.0)]), None);
        assert_eq!(Profile::steps(&[(at(0), -1.0)]), None);
        assert_eq!(Profile::ramp(at(0), secs(0), 1.0, 2.0), None);
        assert_eq!(Profile::spike(at(9), 2.0, secs(0), secs(0), secs(0)), None);
        assert_eq!(Profile::daily(&[0.0; 24], &none), None);
        assert_eq!(Profile::weekly(&[1.0; 24], &[1.0; 7], &none, 7), None);
    }
}
