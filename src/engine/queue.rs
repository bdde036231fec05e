//! The event queue: earliest first, and at equal times in a written order.

use super::health_check::Prober;
use super::slab::Slot;
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
    /// The gateway's own fault at this index starts.
    GatewayFaultStarts(u32),
    /// The gateway's own fault at this index is over.
    GatewayFaultEnds(u32),
    /// A probe's result is known.
    ProbeEnds { prober: Prober, ordinal: u32 },
    /// An attempt for the request of this ordinal ends.
    AttemptEnds { request: u64, slot: Slot },
    /// The only attempt for a request that goes well ends, which is an end of an attempt like any other.
    SmoothEnds { request: u64, slot: Slot },
    /// A passive detector has asked to be woken: the one at this index, of this owner and provider.
    DetectorWakes { prober: Prober, detector: u32 },
    /// The clock of an owner's passive detector at this index ticks.
    DetectorTicks { owner: u32, detector: u32 },
    /// What has been found out about a provider reaches a replica's routing.
    ViewChanges { replica: u32, provider: ProviderId },
    /// What has been found out about the providers of a tier and was held back reaches a replica's routing.
    TierChanges { replica: u32, tier: u32 },
    /// A request has waited for what comes next.
    WaitEnds { request: u64, slot: Slot },
    /// A request has taken so long that it is worth a parallel attempt.
    HedgeDue { request: u64, slot: Slot },
    /// It is time for a prober's next probe.
    ProbeDue { prober: Prober, ordinal: u32 },
    /// The alert at this index takes stock.
    AlertTicks(u32),
    /// The alert at this index fires.
    AlertFires(u32),
    /// The alert at this index is over.
    AlertResolves(u32),
    /// The news reaches the operator at this index.
    OperatorLearns(u32),
    /// The operator at this index takes the switch back.
    OperatorReturns(u32),
    /// The operator action at this index is due.
    OperatorActs(u32),
}

/// An event as the heap compares it: from the highest bit down its time (64 bits), its kind (4), the entity and ordinal
/// that break ties, and what else it carries.
///
/// Replica (10), observer (6), provider (10) and an ordinal (32); or a request's ordinal (34), which attempt it is (1) and a slot
/// (25).
type Entry = u128;

const TIME_SHIFT: u32 = 64;
const KIND_SHIFT: u32 = 60;
const REPLICA_SHIFT: u32 = 50;
const OBSERVER_SHIFT: u32 = 44;
const PROVIDER_SHIFT: u32 = 34;
/// Alerts and operators are few, and share a kind.
const PEOPLE_SHIFT: u32 = 32;
const REQUEST_SHIFT: u32 = SLOT_BITS + 1;
const SMOOTH: u64 = 1 << SLOT_BITS;

/// Requests of one run have ordinals, and what is in flight has slots, of so many bits.
pub(super) const REQUEST_BITS: u32 = 34;
pub(super) const SLOT_BITS: u32 = 25;

fn pack(prober: Prober, ordinal: u32) -> u64 {
    let Prober { replica, provider, observer } = prober;
    debug_assert!(replica < 1 << 10 && observer < 1 << 6 && provider.index() < 1 << 10, "{prober:?}");
    u64::from(replica) << REPLICA_SHIFT
        | u64::from(observer) << OBSERVER_SHIFT
        | (provider.index() as u64) << PROVIDER_SHIFT
        | u64::from(ordinal)
}

#[inline]
fn pack_request(ordinal: u64, slot: Slot) -> u64 {
    debug_assert!(ordinal < 1 << REQUEST_BITS && slot.0 < 1 << SLOT_BITS, "{ordinal} {slot:?}");
    ordinal << REQUEST_SHIFT | u64::from(slot.0)
}

impl Event {
    /// The number that orders events at equal times: kind, then entity, then ordinal.
    #[inline]
    fn rank(self) -> u64 {
        let of = |replica| Prober { replica, provider: ProviderId::new(0), observer: 0 };
        let (kind, rank) = match self {
            Event::FaultStarts(i) => (0, u64::from(i)),
            Event::FaultEnds(i) => (1, u64::from(i)),
            Event::GatewayFaultStarts(i) => (2, u64::from(i)),
            Event::GatewayFaultEnds(i) => (3, u64::from(i)),
            Event::ProbeEnds { prober, ordinal } => (4, pack(prober, ordinal)),
            Event::AttemptEnds { request, slot } => (5, pack_request(request, slot)),
            Event::SmoothEnds { request, slot } => (5, pack_request(request, slot) | SMOOTH),
            Event::DetectorWakes { prober, detector } => (6, pack(prober, detector)),
            Event::DetectorTicks { owner, detector } => (7, pack(of(owner), detector)),
            Event::ViewChanges { replica, provider } => (8, pack(Prober { provider, ..of(replica) }, 0)),
            Event::TierChanges { replica, tier } => (9, pack(of(replica), tier)),
            Event::WaitEnds { request, slot } => (10, pack_request(request, slot)),
            Event::HedgeDue { request, slot } => (11, pack_request(request, slot)),
            Event::ProbeDue { prober, ordinal } => (12, pack(prober, ordinal)),
            Event::AlertTicks(i) => (13, u64::from(i)),
            Event::AlertFires(i) => (13, 1 << PEOPLE_SHIFT | u64::from(i)),
            Event::AlertResolves(i) => (13, 2 << PEOPLE_SHIFT | u64::from(i)),
            Event::OperatorLearns(i) => (13, 3 << PEOPLE_SHIFT | u64::from(i)),
            Event::OperatorReturns(i) => (13, 4 << PEOPLE_SHIFT | u64::from(i)),
            Event::OperatorActs(i) => (13, 5 << PEOPLE_SHIFT | u64::from(i)),
        };
        kind << KIND_SHIFT | rank
    }

    #[inline]
    fn from_rank(rank: u64) -> Event {
        let field = |shift: u32, bits: u32| rank >> shift & ((1 << bits) - 1);
        let (request, slot) = (field(REQUEST_SHIFT, REQUEST_BITS), Slot(field(0, SLOT_BITS) as u32));
        let ordinal = rank as u32;
        let provider = ProviderId::new(field(PROVIDER_SHIFT, 10) as usize);
        let replica = field(REPLICA_SHIFT, 10) as u32;
        let prober = Prober { replica, provider, observer: field(OBSERVER_SHIFT, 6) as u32 };
        match rank >> KIND_SHIFT {
            0 => Event::FaultStarts(ordinal),
            1 => Event::FaultEnds(ordinal),
            2 => Event::GatewayFaultStarts(ordinal),
            3 => Event::GatewayFaultEnds(ordinal),
            4 => Event::ProbeEnds { prober, ordinal },
            5 if rank & SMOOTH != 0 => Event::SmoothEnds { request, slot },
            5 => Event::AttemptEnds { request, slot },
            6 => Event::DetectorWakes { prober, detector: ordinal },
            7 => Event::DetectorTicks { owner: replica, detector: ordinal },
            8 => Event::ViewChanges { replica, provider },
            9 => Event::TierChanges { replica, tier: ordinal },
            10 => Event::WaitEnds { request, slot },
            11 => Event::HedgeDue { request, slot },
            12 => Event::ProbeDue { prober, ordinal },
            _ => match field(PEOPLE_SHIFT, 3) {
                0 => Event::AlertTicks(ordinal),
                1 => Event::AlertFires(ordinal),
                2 => Event::AlertResolves(ordinal),
                3 => Event::OperatorLearns(ordinal),
                4 => Event::OperatorReturns(ordinal),
                _ => Event::OperatorActs(ordinal),
            },
        }
    }
}

/// Pending events. Push and pop cost O(log n), a look at the next one O(1).
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
}

impl Queue {
    /// Adds an event; one at [`SimTime::NEVER`] never comes and is dropped.
    #[inline]
    pub fn push(&mut self, at: SimTime, event: Event) {
        if at < SimTime::NEVER {
            self.heap.push(Reverse(Entry::from(at.as_nanos()) << TIME_SHIFT | Entry::from(event.rank())));
        }
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// When the next event is due; [`SimTime::NEVER`] if there is none.
    #[inline]
    pub fn next_at(&self) -> SimTime {
        self.heap.peek().map_or(SimTime::NEVER, |Reverse(entry)| time(*entry))
    }

    /// Whether the next event is one in the life of a request.
    pub fn next_is_a_requests(&self) -> bool {
        let is_one = |event| {
            matches!(
                event,
                Event::AttemptEnds { .. }
                    | Event::SmoothEnds { .. }
                    | Event::WaitEnds { .. }
                    | Event::HedgeDue { .. }
            )
        };
        self.heap.peek().is_some_and(|Reverse(entry)| is_one(Event::from_rank(*entry as u64)))
    }

    /// Takes out the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, Event)> {
        self.heap.pop().map(|Reverse(entry)| (time(entry), Event::from_rank(entry as u64)))
    }
}

fn time(entry: Entry) -> SimTime {
    SimTime::from_nanos((entry >> TIME_SHIFT) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the order of pushing, equal times come out in the written order, and as they went in.
    #[test]
    fn ties_break_by_kind_then_entity_then_ordinal() {
        let prober = |replica, provider| Prober { replica, provider: ProviderId::new(provider), observer: 0 };
        let (now, slot) = (SimTime::from_nanos(5), Slot(3));
        let expected = [
            Event::FaultStarts(0),
            Event::FaultEnds(0),
            Event::GatewayFaultStarts(1),
            Event::GatewayFaultEnds(1),
            Event::ProbeEnds { prober: prober(0, 1), ordinal: 3 },
            Event::ProbeEnds { prober: Prober { observer: 1, ..prober(0, 0) }, ordinal: 3 },
            Event::ProbeEnds { prober: prober(1, 0), ordinal: 0 },
            Event::AttemptEnds { request: 1, slot: Slot(9) },
            Event::AttemptEnds { request: 2, slot: Slot(0) },
            Event::DetectorWakes { prober: prober(999, 999), detector: 6 },
            Event::DetectorTicks { owner: 1, detector: 2 },
            Event::ViewChanges { replica: 1, provider: ProviderId::new(7) },
            Event::TierChanges { replica: 1, tier: 2 },
            Event::WaitEnds { request: 2, slot },
            Event::HedgeDue { request: 1, slot },
            Event::ProbeDue { prober: prober(0, 0), ordinal: 1 },
            Event::AlertTicks(3),
            Event::AlertFires(1),
            Event::AlertFires(2),
            Event::AlertResolves(0),
            Event::OperatorLearns(1),
            Event::OperatorReturns(1),
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
