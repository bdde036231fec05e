//! Attempts in flight whose end is an event.

use super::request::Attempt;

/// A place in [`InFlight`]; reused once its attempt has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AttemptSlot(pub u32);

/// A slab of attempts: insert and take are O(1), memory follows the most that were in flight at once.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    attempts: Vec<Attempt>,
    free: Vec<AttemptSlot>,
}

impl InFlight {
    pub fn insert(&mut self, attempt: Attempt) -> AttemptSlot {
        if let Some(slot) = self.free.pop() {
            self.attempts[slot.0 as usize] = attempt;
            return slot;
        }
        let slot =
            AttemptSlot(u32::try_from(self.attempts.len()).expect("fewer than 2^32 attempts in flight"));
        self.attempts.push(attempt);
        slot
    }

    pub fn take(&mut self, slot: AttemptSlot) -> Attempt {
        self.free.push(slot);
        self.attempts[slot.0 as usize]
    }
}
