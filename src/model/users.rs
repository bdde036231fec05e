//! Users who wait for an answer before they ask again: a closed loop, as load generators such as Locust make it.

use super::{Latency, Rate};
use crate::time::{SimDuration, SimTime};
use std::num::NonZeroU32;

/// Users who ask, wait until their request has succeeded or failed, its client's own retries included, think, and ask
/// again. One whose request never ends waits for ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Users {
    /// How many there are.
    pub count: NonZeroU32,
    /// How long one thinks before each request, the first one too; it can be above zero.
    think: Latency,
    /// Over how long they begin, evenly: Locust's count divided by its spawn rate.
    pub ramp_up: SimDuration,
}

impl Users {
    /// `None` if they never think: where an answer takes no time, such users would ask without end in one instant.
    pub fn new(count: NonZeroU32, think: Latency, ramp_up: SimDuration) -> Option<Self> {
        (think.longest() > SimDuration::ZERO).then_some(Users { count, think, ramp_up })
    }

    /// How long one thinks before each request.
    pub fn think(&self) -> &Latency {
        &self.think
    }

    /// When the user of this number begins, from 0; its first request comes when it has thought.
    pub fn begins(&self, user: u32) -> SimTime {
        let share = u128::from(self.ramp_up.as_nanos()) * u128::from(user) / u128::from(self.count.get());
        SimTime::from_nanos(share as u64)
    }

    /// How often they ask in the long run if their requests take so long on average: N / (R + Z), the interactive
    /// response time law (Lazowska et al., "Quantitative System Performance", 1984, section 3.5).
    pub fn rate(&self, request: SimDuration) -> Rate {
        let cycle = request.plus(self.think.mean()).max(SimDuration::from_nanos(1));
        Rate::new(f64::from(self.count.get()) / cycle.as_secs_f64()).expect("a count over a time above zero")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(count: u32, think: Latency, ramp_up: SimDuration) -> Option<Users> {
        Users::new(NonZeroU32::new(count).unwrap(), think, ramp_up)
    }

    #[test]
    fn users_who_do_not_think_are_none() {
        assert_eq!(users(3, Latency::Constant(SimDuration::ZERO), SimDuration::ZERO), None);
        assert!(users(3, Latency::Constant(SimDuration::from_nanos(1)), SimDuration::ZERO).is_some());
    }

    #[test]
    fn users_begin_evenly_over_the_ramp() {
        let think = Latency::Constant(SimDuration::from_secs(3));
        let ramped = users(4, think, SimDuration::from_secs(30)).unwrap();
        let begins: Vec<f64> = (0..4).map(|user| ramped.begins(user).as_millis_f64()).collect();
        assert_eq!(begins, [0.0, 7_500.0, 15_000.0, 22_500.0]);
        let at_once = users(4, think, SimDuration::ZERO).unwrap();
        assert!((0..4).all(|user| at_once.begins(user) == SimTime::START));
        // The largest that there may be.
        let year = SimDuration::from_secs(366 * 86_400);
        let many = users(u32::MAX, think, year).unwrap();
        assert!(many.begins(u32::MAX - 1) < SimTime::START.after(year));
    }

    #[test]
    fn the_rate_is_the_interactive_response_time_law() {
        let users = users(200, Latency::Constant(SimDuration::from_secs(3)), SimDuration::ZERO).unwrap();
        assert_eq!(users.rate(SimDuration::from_secs(2)).per_second(), 40.0);
    }
}
