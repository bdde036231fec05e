//! A lane for each provider: when something was wrong with it, and when replicas believed so.

use super::super::ScenarioResult;
use super::strip::{Frame, framed, inked};
use super::text::{Ink, NO_BREAK, Text, cut, plain};
use crate::metrics::Beliefs;
use crate::model::{Effect, Fault, Model, ProviderId};
use crate::time::SimTime;
use std::collections::BTreeMap;
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// Labels are cut to this.
const LABEL_MAX: usize = 14;
/// More lanes than anybody compares.
const LANES_MAX: usize = 6;

/// What is drawn in a column: the truth above, the belief below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Fine,
    /// A fault, and nobody knows.
    Faulty,
    /// A fault, and the provider is ejected.
    Caught,
    /// Ejected without a fault.
    Spurned,
}

impl State {
    const NAMED: [(State, &'static str); 3] =
        [(State::Faulty, "fault"), (State::Spurned, "ejected"), (State::Caught, "both")];

    fn new(is_faulty: bool, is_ejected: bool) -> Self {
        match (is_faulty, is_ejected) {
            (false, false) => State::Fine,
            (true, false) => State::Faulty,
            (true, true) => State::Caught,
            (false, true) => State::Spurned,
        }
    }

    const fn block(self, is_ascii: bool) -> char {
        match (self, is_ascii) {
            (State::Fine, _) => ' ',
            (State::Faulty, false) => '▀',
            (State::Caught, false) => '█',
            (State::Spurned, false) => '▄',
            (State::Faulty, true) => '"',
            (State::Caught, true) => '#',
            (State::Spurned, true) => '_',
        }
    }

    const fn ink(self) -> Option<Ink> {
        match self {
            State::Fine => None,
            State::Faulty => Some(Ink::Bad),
            State::Caught => Some(Ink::Good),
            State::Spurned => Some(Ink::Odd),
        }
    }
}

/// Replicas that saw one provider alike.
#[derive(Debug, PartialEq, Eq)]
struct Lane {
    provider: ProviderId,
    replica_count: usize,
    /// Whether other replicas saw it otherwise.
    is_part: bool,
    states: Vec<State>,
}

/// How long the labels of a scenario's lanes may be.
pub(super) fn label_width(model: &Model, beliefs: &Beliefs) -> usize {
    let suffix = match model.gateway.replicas.get() {
        1 => 0,
        replicas => format!(" x{replicas}").len(),
    };
    let width = |provider| (plain(&model.provider(provider).name).width() + suffix).min(LABEL_MAX);
    providers(model, beliefs).map(width).max().unwrap_or(0)
}

/// Providers that had a fault, or were ejected.
fn providers(model: &Model, beliefs: &Beliefs) -> impl Iterator<Item = ProviderId> {
    let all = 0..model.providers.len();
    let is_hit = |provider: &ProviderId| {
        let is_faulty =
            beliefs.faults.iter().any(|fault| is_there(fault) && fault.providers.contains(provider));
        is_faulty || beliefs.ejections.iter().any(|ejection| ejection.provider == *provider)
    };
    all.map(ProviderId::new).filter(move |provider| is_hit(provider))
}

fn label(model: &Model, frame: Frame, lane: &Lane) -> String {
    let suffix = if lane.is_part { format!(" x{}", lane.replica_count) } else { String::new() };
    let room = (frame.margin - 3).saturating_sub(suffix.len());
    cut(&plain(&model.provider(lane.provider).name), room) + &suffix
}

/// Whether a fault does anything to anybody.
fn is_there(fault: &Fault) -> bool {
    fault.requests != Effect::Unaffected || fault.probes != Effect::Unaffected
}

/// The lanes of a scenario; whether there are any.
pub(super) fn draw(
    text: &mut Text,
    frame: Frame,
    model: &Model,
    beliefs: &Beliefs,
    columns: &[Range<usize>],
) -> bool {
    let lanes: Vec<Lane> =
        providers(model, beliefs).flat_map(|provider| lanes(model, beliefs, provider, columns)).collect();
    for lane in lanes.iter().take(LANES_MAX) {
        let is_ascii = text.screen().is_ascii;
        let blocks: Vec<_> = lane.states.iter().map(|state| (state.block(is_ascii), state.ink())).collect();
        framed(text, frame, &label(model, frame, lane), &inked(text, &blocks));
    }
    if lanes.len() > LANES_MAX {
        let more = lanes.len() - LANES_MAX;
        let what = if more == 1 { "lane" } else { "lanes" };
        text.wrapped(&format!("{:margin$}and {more} more {what}", "", margin = frame.margin), frame.margin);
    }
    !lanes.is_empty()
}

/// What the blocks of lanes are.
pub(super) fn legend(text: &mut Text, frame: Frame, result: &ScenarioResult) {
    let named = State::NAMED.map(|(state, name)| {
        let block = state.block(text.screen().is_ascii).to_string();
        let block = state.ink().map_or(block.clone(), |ink| text.inked(ink, &block));
        format!("{block}{NO_BREAK}{name}")
    });
    let run = match result.model.is_random() {
        true => format!(", in run {}", result.first_run),
        false => String::new(),
    };
    let margin = frame.margin;
    text.wrapped(&format!("{:margin$}{}{run}", "", named.join("   ")), margin);
}

/// A provider's lanes: one for each group of replicas that saw it alike.
fn lanes(model: &Model, beliefs: &Beliefs, provider: ProviderId, columns: &[Range<usize>]) -> Vec<Lane> {
    let mut faulty = vec![false; columns.len()];
    let hits = |fault: &&Fault| is_there(fault) && fault.providers.contains(&provider);
    for phase in beliefs.faults.iter().filter(hits).flat_map(Fault::phases) {
        mark(&mut faulty, columns, phase.start, phase.end);
    }
    let replicas = model.gateway.replicas.get();
    let mut ejected: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
    for ejection in beliefs.ejections.iter().filter(|ejection| ejection.provider == provider) {
        let marks = ejected.entry(ejection.replica).or_insert_with(|| vec![false; columns.len()]);
        mark(marks, columns, ejection.start, ejection.end);
    }
    let mut lanes: Vec<Lane> = Vec::new();
    for replica in 0..replicas {
        let is_ejected = |column: usize| ejected.get(&replica).is_some_and(|marks| marks[column]);
        let states: Vec<State> = faulty
            .iter()
            .enumerate()
            .map(|(column, faulty)| State::new(*faulty, is_ejected(column)))
            .collect();
        match lanes.iter_mut().find(|lane| lane.states == states) {
            Some(lane) => lane.replica_count += 1,
            None => lanes.push(Lane { provider, replica_count: 1, is_part: false, states }),
        }
    }
    let are_parts = lanes.len() > 1;
    lanes.iter_mut().for_each(|lane| lane.is_part = are_parts);
    lanes
}

/// Marks every column that has a part of the time from `start` to `end`.
fn mark(marks: &mut [bool], columns: &[Range<usize>], start: SimTime, end: SimTime) {
    let nanos = |second: usize| second as u64 * 1_000_000_000;
    let first = columns.partition_point(|column| nanos(column.end) <= start.as_nanos());
    let last = columns.partition_point(|column| nanos(column.start) < end.as_nanos());
    if first < last && start < end {
        marks[first..last].fill(true);
    }
}
