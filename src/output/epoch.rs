//! When a run is said to have begun, for formats that want a date.

use crate::model::{Clock, Model};

/// 2024-01-01 00:00:00 UTC in seconds after 1970: a Monday, as a scenario's week begins with one.
const DAY: u64 = 1_704_067_200;

/// When a run of the model begins, in seconds after 1970: on 2024-01-01 at what the scenario's clock shows, taken as UTC, or
/// at midnight if it has none.
///
/// A simulation has no date. This one is as good as any, and the same every time.
pub fn start_of(model: &Model) -> u64 {
    const NANOS_PER_SECOND: u64 = 1_000_000_000;
    DAY + model.clock.as_ref().map_or(0, |clock: &Clock| clock.since_midnight().as_nanos() / NANOS_PER_SECOND)
}
