//! What is in flight: requests that have not ended, and attempts whose end is an event.

use super::queue::SLOT_BITS;

/// A place in a [`Slab`]; reused once what it held has been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(pub u32);

/// Insert and take are O(1); memory follows the most that were in it at once.
#[derive(Debug)]
pub(super) struct Slab<T> {
    items: Vec<Option<T>>,
    free: Vec<Slot>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    #[inline]
    pub fn insert(&mut self, item: T) -> Slot {
        if let Some(slot) = self.free.pop() {
            self.items[slot.0 as usize] = Some(item);
            return slot;
        }
        assert!(self.items.len() < 1 << SLOT_BITS, "fewer than 2^{SLOT_BITS} in flight");
        let slot = Slot(self.items.len() as u32);
        self.items.push(Some(item));
        slot
    }

    /// Takes out what is there.
    #[inline]
    pub fn take(&mut self, slot: Slot) -> Option<T> {
        let item = self.items[slot.0 as usize].take();
        if item.is_some() {
            self.free.push(slot);
        }
        item
    }

    #[inline]
    pub fn get(&self, slot: Slot) -> Option<&T> {
        self.items[slot.0 as usize].as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.items[slot.0 as usize].as_mut()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// Every place that holds something, in order.
    pub fn slots(&self) -> Vec<Slot> {
        let taken = self.items.iter().enumerate().filter(|(_, item)| item.is_some());
        taken.map(|(i, _)| Slot(i as u32)).collect()
    }
}
