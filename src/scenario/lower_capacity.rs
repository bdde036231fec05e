//! Lowers how much a provider can do at once.
//!
//! A part of [`super::lower`].

use super::file_capacity::{Abandoned, Capacity, Cold, Discipline};
use super::lower::{Lowering, at_least_one};
use crate::model;

impl Lowering<'_> {
    /// What is said of a queue, or of what finds no room in it, takes a queue.
    pub(super) fn turns_somebody_away(&mut self, capacity: &Capacity, path: &str) {
        if !self.findings.sound(path) {
            return;
        }
        if capacity.queue.is_none() && capacity.queue_timeout.is_none() {
            let why = "a queue without limit turns nothing away";
            self.without_effect(path, &["full", "retry_after"], why);
        }
        if capacity.queue.as_ref().is_some_and(|queue| queue.value == 0) {
            let is_fifo = capacity.discipline == Discipline::Fifo;
            let settings: &[&str] =
                if is_fifo { &["queue_timeout"] } else { &["discipline", "queue_timeout"] };
            self.without_effect(path, settings, "nothing waits, as `queue` is 0");
        }
    }
}

pub(super) fn capacity(capacity: &Capacity) -> model::Capacity {
    model::Capacity {
        queue: capacity.queue.as_ref().map(|queue| queue.value),
        discipline: match capacity.discipline {
            Discipline::Fifo => model::Discipline::Fifo,
            Discipline::Lifo => model::Discipline::Lifo,
        },
        queue_timeout: capacity.queue_timeout.as_ref().map(|timeout| timeout.value),
        abandoned: match capacity.abandoned {
            Abandoned::Runs => model::Abandoned::Runs,
            Abandoned::Dropped => model::Abandoned::Dropped,
        },
        full: capacity.full.value,
        retry_after: capacity.retry_after.as_ref().map(|after| after.value),
        ..model::Capacity::new(at_least_one(capacity.slots.value))
    }
}

pub(super) fn cold(cold: &Cold) -> model::Cold {
    model::Cold { after: cold.after.value, start: cold.start.value }
}
