//! The event queue: earliest first, and at equal times in a written order.

use super::attempts::AttemptSlot;
use super::health_check::Prober;
use crate::model::ProviderId;
use crate::time::SimTime;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What happens next. Arrivals are not here: they come from their own stream, and after all of these at equal times.
///
/// The order of the variants is the order of events at equal times, then the entity, then the ordinal. It does not
/// depend on who scheduled them or when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// An event as the heap compares it: time first, then all that breaks ties in one number, then what else it carries.
type Entry = Reverse<(SimTime, u64, AttemptSlot)>;

const KIND_SHIFT: u32 = 61;
const REPLICA_SHIFT: u32 = 48;
const PROVIDER_SHIFT: u32 = 32;

impl Event {
    /// The number that orders events at equal times: kind, then entity, then ordinal.
    #[inline]
    fn rank(self) -> (u64, AttemptSlot) {
        let of_prober = |prober: Prober, ordinal: u32| {
            assert!(prober.replica < 1 << (KIND_SHIFT - REPLICA_SHIFT), "a model has at most 8,192 replicas");
            u64::from(prober.replica) << REPLICA_SHIFT
                | (prober.provider.index() as u64) << PROVIDER_SHIFT
                | u64::from(ordinal)
        };
        let (kind, rank, slot) = match self {
            Event::FaultStarts(i) => (0, u64::from(i), AttemptSlot(0)),
            Event::FaultEnds(i) => (1, u64::from(i), AttemptSlot(0)),
            Event::ProbeEnds { prober, ordinal } => (2, of_prober(prober, ordinal), AttemptSlot(0)),
            Event::AttemptEnds { request, slot } => (3, request, slot),
            Event::ProbeDue { prober, ordinal } => (4, of_prober(prober, ordinal), AttemptSlot(0)),
            Event::OperatorActs(i) => (5, u64::from(i), AttemptSlot(0)),
        };
        (kind << KIND_SHIFT | rank, slot)
    }

    #[inline]
    fn from_rank(rank: u64, slot: AttemptSlot) -> Event {
        let ordinal = rank as u32;
        let provider = ProviderId::new((rank >> PROVIDER_SHIFT) as usize & 0xffff);
        let replica = (rank >> REPLICA_SHIFT) as u32 & 0x1fff;
        let prober = Prober { replica, provider };
        match rank >> KIND_SHIFT {
            0 => Event::FaultStarts(ordinal),
            1 => Event::FaultEnds(ordinal),
            2 => Event::ProbeEnds { prober, ordinal },
            3 => Event::AttemptEnds { request: rank & ((1 << KIND_SHIFT) - 1), slot },
            4 => Event::ProbeDue { prober, ordinal },
            _ => Event::OperatorActs(ordinal),
        }
    }
}

/// Pending events. Push and pop cost O(log n), a look at the next one O(1).
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Entry>,
}

impl Queue {
    /// Adds an event; one at [`SimTime::NEVER`] never comes and is dropped.
    #[inline]
    pub fn push(&mut self, at: SimTime, event: Event) {
        if at < SimTime::NEVER {
            let (rank, slot) = event.rank();
            self.heap.push(Reverse((at, rank, slot)));
        }
    }

    /// When the next event is due; [`SimTime::NEVER`] if there is none.
    #[inline]
    pub fn next_at(&self) -> SimTime {
        self.heap.peek().map_or(SimTime::NEVER, |Reverse((at, ..))| *at)
    }

    /// Takes out the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, Event)> {
        self.heap.pop().map(|Reverse((at, rank, slot))| (at, Event::from_rank(rank, slot)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
