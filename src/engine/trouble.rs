//! All that goes wrong with one provider in a run, kept so that a call looks only at what can touch it.

use crate::model::{Effect, Fault, InFlight, Model, Phase};
use crate::random::Key;
use crate::time::{SimDuration, SimTime};
use std::ops::Range;

/// A call's kind decides which of a fault's effects it meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Attempt,
    Probe,
}

/// A stretch of time in which a fault hits the same share of a provider's calls.
#[derive(Debug)]
pub(super) struct Window {
    pub start: SimTime,
    pub end: SimTime,
    /// The fault's; which calls are hit is drawn by it.
    key: Key,
    pub requests: Effect,
    probes: Effect,
    /// The share of attempts that are hit, and of probes.
    pub fraction: f64,
    probe_fraction: f64,
    /// [`InFlight::Finish`] where the fault was there before.
    pub in_flight: InFlight,
    pub retry_after: Option<SimDuration>,
}

impl Window {
    pub fn effect(&self, call: Call) -> Effect {
        match call {
            Call::Attempt => self.requests,
            Call::Probe => self.probes,
        }
    }

    fn is_active(&self, time: SimTime) -> bool {
        self.start <= time && time < self.end
    }

    /// Whether a call is among the share that is hit.
    pub fn hits(&self, call: Call, key: Key) -> bool {
        let share = match call {
            Call::Attempt => self.fraction,
            Call::Probe => self.probe_fraction,
        };
        key.joined(self.key).coin(share)
    }

    /// Whether it does anything to attempts.
    pub fn acts(&self) -> bool {
        self.requests != Effect::Unaffected && self.fraction > 0.0
    }
}

/// All that goes wrong with one provider, so that a call looks only at what can touch it, however much there is.
#[derive(Debug)]
pub(super) struct Troubles {
    /// In order of start, and then as the model has its faults.
    pub windows: Vec<Window>,
    /// For each window, when it and all before it are over.
    over: Vec<SimTime>,
    /// The places of windows that may break what is in flight when they start.
    breaking: Vec<usize>,
    /// When the first window starts, and when all are over.
    first_and_last: (SimTime, SimTime),
}

impl Troubles {
    /// By provider.
    pub fn of_all<'f>(model: &Model, faults: impl Iterator<Item = &'f Fault>) -> Vec<Troubles> {
        let mut windows: Vec<Vec<Window>> = model.providers.iter().map(|_| Vec::new()).collect();
        for fault in faults {
            let key = Key::purpose(&fault.name);
            for Phase { start, end, force, is_onset } in fault.phases() {
                for provider in &fault.providers {
                    windows[provider.index()].push(Window {
                        start,
                        end,
                        key,
                        requests: fault.requests,
                        probes: fault.probes,
                        fraction: fault.fraction.get() * force,
                        probe_fraction: fault.probe_fraction.get() * force,
                        in_flight: if is_onset { fault.in_flight } else { InFlight::Finish },
                        retry_after: fault.retry_after,
                    });
                }
            }
        }
        windows.into_iter().map(Troubles::new).collect()
    }

    fn new(mut windows: Vec<Window>) -> Self {
        windows.sort_by_key(|window| window.start);
        let over = windows.iter().scan(SimTime::START, |over, window| {
            *over = window.end.max(*over);
            Some(*over)
        });
        let over: Vec<SimTime> = over.collect();
        let breaks = |(_, window): &(usize, &Window)| window.in_flight != InFlight::Finish;
        Troubles {
            breaking: windows.iter().enumerate().filter(breaks).map(|(i, _)| i).collect(),
            first_and_last: (
                windows.first().map_or(SimTime::NEVER, |window| window.start),
                over.last().copied().unwrap_or(SimTime::START),
            ),
            windows,
            over,
        }
    }

    /// The places of the windows that may be there at some moment from `from` to `to`: the first one is, if any.
    fn between(&self, from: SimTime, to: SimTime) -> Range<usize> {
        let first = self.over.partition_point(|over| *over <= from);
        first..first + self.windows[first..].partition_point(|window| window.start <= to)
    }

    /// Whether no window is there at any moment from `from` to `to`.
    #[inline(always)]
    pub fn spare(&self, from: SimTime, to: SimTime) -> bool {
        // Nothing but speed: most runs have few faults, and are before or after all of them.
        let (first, last) = self.first_and_last;
        to < first || from >= last || self.between(from, to).is_empty()
    }

    /// The windows that are there, with their places.
    pub fn active(&self, now: SimTime) -> impl Iterator<Item = (usize, &Window)> {
        let places = self.between(now, now).map(|i| (i, &self.windows[i]));
        places.filter(move |(_, window)| window.is_active(now))
    }

    /// The windows that start after `now`.
    pub fn coming(&self, now: SimTime) -> &[Window] {
        &self.windows[self.windows.partition_point(|window| window.start <= now)..]
    }

    /// Of these, the ones that may break what is in flight.
    pub fn breaking(&self, now: SimTime) -> impl Iterator<Item = &Window> {
        let first = self.breaking.partition_point(|&place| self.windows[place].start <= now);
        self.breaking[first..].iter().map(|&place| &self.windows[place])
    }

    /// When the fault of the window in this place lets go of a call that it hits.
    pub fn lets_go(&self, place: usize, call: Call, key: Key) -> SimTime {
        let Window { key: fault, mut end, .. } = self.windows[place];
        for next in &self.windows[place + 1..] {
            if next.start > end {
                break;
            }
            if next.key == fault && next.start == end && next.hits(call, key) {
                end = next.end;
            }
        }
        end
    }
}
