//! The event queue: earliest first, and at equal times in a written order.

use super::attempts::AttemptSlot;
use super::health_check::Prober;
use crate::time::SimTime;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// What happens next. Arrivals are not here: they come from their own stream, and after all of these at equal times.
///
/// The order of the variants is the order of events at equal times, then their fields in order. It does not depend on
/// who scheduled them or when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The fault at this index starts.
    FaultStarts(u32),
    /// The fault at this index is over.
    FaultEnds(u32),
    /// A probe's result is known.
    ProbeEnds { prober: Prober, ordinal: u32 },
    /// The last attempt of the request of this ordinal ends.
    AttemptEnds { request: u64, slot: AttemptSlot },
    /// It is time for a prober's next probe.
    ProbeDue { prober: Prober, ordinal: u32 },
    /// The operator action at this index is due.
    OperatorActs(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    at: SimTime,
    event: Event,
}

/// `BinaryHeap` pops its greatest, so earlier is greater here.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at).then_with(|| other.event.cmp(&self.event))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Pending events. Push and pop cost O(log n), a look at the next one O(1).
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Entry>,
}

impl Queue {
    /// Adds an event; one at [`SimTime::NEVER`] never comes and is dropped.
    pub fn push(&mut self, at: SimTime, event: Event) {
        if at < SimTime::NEVER {
            self.heap.push(Entry { at, event });
        }
    }

    /// When the next event is due; [`SimTime::NEVER`] if there is none.
    pub fn next_at(&self) -> SimTime {
        self.heap.peek().map_or(SimTime::NEVER, |entry| entry.at)
    }

    /// Takes out the next event.
    pub fn pop(&mut self) -> Option<(SimTime, Event)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ProviderId;

    /// Whatever the order of pushing, equal times come out in the written order.
    #[test]
    fn ties_break_by_kind_then_entity_then_ordinal() {
        let prober = |replica, provider| Prober { replica, provider: ProviderId::new(provider) };
        let now = SimTime::from_nanos(5);
        let expected = [
            Event::FaultStarts(0),
            Event::FaultEnds(0),
            Event::ProbeEnds { prober: prober(0, 1), ordinal: 3 },
            Event::ProbeEnds { prober: prober(1, 0), ordinal: 0 },
            Event::AttemptEnds { request: 1, slot: AttemptSlot(9) },
            Event::AttemptEnds { request: 2, slot: AttemptSlot(0) },
            Event::ProbeDue { prober: prober(0, 0), ordinal: 1 },
            Event::OperatorActs(0),
        ];
        for rotation in 0..expected.len() {
            let mut queue = Queue::default();
            for i in 0..expected.len() {
                queue.push(now, expected[(i * 3 + rotation) % expected.len()]);
            }
            queue.push(SimTime::from_nanos(4), Event::OperatorActs(7));
            queue.push(SimTime::NEVER, Event::OperatorActs(8));
            assert_eq!(queue.pop(), Some((SimTime::from_nanos(4), Event::OperatorActs(7))));
            let popped: Vec<Event> = std::iter::from_fn(|| queue.pop().map(|(_, event)| event)).collect();
            assert_eq!(popped, expected);
        }
    }
}
