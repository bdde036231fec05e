//! A piece of a sweep's ledger: what came of some runs of some points, as bytes.
//!
//! A segment is a magic word, the fingerprint of its experiment, records one after the other, and a checksum. Numbers
//! are varints, most of which take a byte or two: an outcome takes about a hundred. Counts for each second and
//! timelines are not kept. Where segments lie is left to others.

mod codec;
#[cfg(test)]
mod tests;

use crate::engine::Path;
use crate::metrics::Outcome;
use crate::model::Model;
use crate::time::SimTime;
use codec::{Reader, Writer};
use std::ops::Range;

/// Changes with the meaning of the bytes.
const MAGIC: &[u8; 8] = b"FOSIMLG2";
/// How many bytes its checksum takes, at its end.
pub const CHECKSUM_BYTES: usize = 4;

/// What tables say of a point beside its outcomes, so that they can be made without its model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PointFacts {
    /// The scenario's name.
    pub scenario: String,
    /// The engine's path; empty where nothing was played.
    pub path: String,
    /// In the order of [`crate::metrics::FaultOutcome::fault`].
    pub faults: Vec<FaultFacts>,
    /// Names, in the order of [`crate::model::ProviderId`].
    pub providers: Vec<String>,
}

/// What tables say of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultFacts {
    /// Its name.
    pub name: String,
    /// When it starts.
    pub start: SimTime,
    /// When it is over.
    pub end: SimTime,
}

impl PointFacts {
    /// The facts of a point with this model, played on this path.
    pub fn of(model: &Model, path: Path) -> Self {
        let faults = model.faults.iter();
        PointFacts {
            scenario: model.name.clone(),
            path: path.name().to_owned(),
            faults: faults.map(|f| FaultFacts { name: f.name.clone(), start: f.start, end: f.end }).collect(),
            providers: model.providers.iter().map(|provider| provider.name.clone()).collect(),
        }
    }
}

/// Why a point has no outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointFailure {
    /// The scenario's name.
    pub scenario: String,
    /// The run in which it showed; a point that asks for no more than the runs before it has not failed. 0 where the
    /// settings make no valid scenario.
    pub run: u64,
    /// What went wrong, in one line.
    pub message: String,
}

/// What is kept of one point at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The point's number.
    pub point: usize,
    /// What came of it.
    pub content: Content,
}

/// What came of a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Runs that were played.
    Played {
        /// The number of the first.
        first_run: u64,
        /// What all of them share.
        facts: PointFacts,
        /// One for each run, in order.
        outcomes: Vec<Outcome>,
    },
    /// It cannot be played.
    Failed(PointFailure),
}

/// Where a record lies in a segment, and what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The point's number.
    pub point: usize,
    /// What came of it.
    pub kind: EntryKind,
}

/// What is known of a record without reading all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// Runs that were played.
    Played {
        /// Which.
        runs: Range<u64>,
        /// The bytes for [`decode_played`].
        bytes: Range<u64>,
    },
    /// It cannot be played.
    Failed(PointFailure),
}

/// Bytes that are no segment of this experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It was not written to its end, or has changed since.
    #[error("it is damaged")]
    Torn,
    /// It is whole.
    #[error("it belongs to another experiment")]
    Foreign,
}

/// The bytes of a segment, and what is where in them.
pub fn encode(fingerprint: u64, records: &[Record]) -> (Vec<u8>, Vec<Entry>) {
    let mut encoder = Encoder::new(fingerprint);
    let entries = records.iter().map(|record| encoder.push(record)).collect();
    (encoder.finish(), entries)
}

/// A segment in the making, for those who do not have all of its records at once.
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// A segment of this experiment, with nothing in it.
    pub fn new(fingerprint: u64) -> Self {
        let mut bytes = Vec::from(MAGIC);
        bytes.extend(fingerprint.to_le_bytes());
        Encoder { bytes }
    }

    /// Adds a record; returns where it lies.
    pub fn push(&mut self, record: &Record) -> Entry {
        let Record { point, content } = record;
        let bytes = &mut self.bytes;
        let mut writer = Writer::default();
        match content {
            Content::Played { first_run, facts, outcomes } => {
                writer.played(*first_run, facts, outcomes);
            }
            Content::Failed(failure) => writer.failed(failure),
        }
        let mut head = Writer::default();
        head.number(*point as u64);
        head.number(writer.0.len() as u64);
        bytes.extend(head.0);
        let start = bytes.len() as u64;
        bytes.extend(writer.0);
        let kind = match content {
            Content::Played { first_run, outcomes, .. } => EntryKind::Played {
                runs: *first_run..first_run + outcomes.len() as u64,
                bytes: start..bytes.len() as u64,
            },
            Content::Failed(failure) => EntryKind::Failed(failure.clone()),
        };
        Entry { point: *point, kind }
    }

    /// The bytes of all of it.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.extend(crc32fast::hash(&self.bytes).to_le_bytes());
        self.bytes
    }
}

/// What is where in a segment.
///
/// # Errors
/// If the bytes are not what [`encode`] made of this fingerprint.
pub fn entries(fingerprint: u64, bytes: &[u8]) -> Result<Vec<Entry>, Damage> {
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(Damage::Torn)?;
    let rest = content.strip_prefix(MAGIC).ok_or(Damage::Torn)?;
    if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
        return Err(Damage::Torn);
    }
    let (own, rest) = rest.split_first_chunk().ok_or(Damage::Torn)?;
    if u64::from_le_bytes(*own) != fingerprint {
        return Err(Damage::Foreign);
    }
    let mut reader = Reader(rest);
    let mut entries = Vec::new();
    while !reader.0.is_empty() {
        let point = reader.number()? as usize;
        let length = reader.number()?;
        let start = (content.len() - reader.0.len()) as u64;
        let mut body = Reader(reader.take(length)?);
        let kind = match body.number()? {
            PLAYED => {
                let (first, count) = (body.number()?, body.number()?);
                let end = first.checked_add(count).ok_or(Damage::Torn)?;
                EntryKind::Played { runs: first..end, bytes: start..start + length }
            }
            FAILED => EntryKind::Failed(body.failure()?),
            _ => return Err(Damage::Torn),
        };
        entries.push(Entry { point, kind });
    }
    Ok(entries)
}

/// The number of the first run, what all runs share, and their outcomes.
///
/// # Errors
/// If these are not the bytes of a played entry.
pub fn decode_played(bytes: &[u8]) -> Result<(u64, PointFacts, Vec<Outcome>), Damage> {
    let mut reader = Reader(bytes);
    if reader.number()? != PLAYED {
        return Err(Damage::Torn);
    }
    let (first_run, count) = (reader.number()?, reader.number()?);
    let facts = reader.facts()?;
    // An outcome takes more than a byte, so a count beyond the bytes that are left is a lie.
    let count = usize::try_from(count).ok().filter(|count| *count <= reader.0.len()).ok_or(Damage::Torn)?;
    let outcomes = (0..count).map(|_| reader.outcome()).collect::<Result<_, _>>()?;
    if reader.0.is_empty() { Ok((first_run, facts, outcomes)) } else { Err(Damage::Torn) }
}

const PLAYED: u64 = 0;
const FAILED: u64 = 1;
