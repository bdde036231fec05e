//! A sweep's ledger: the folder `ledger/`, with a plan and segments.
//!
//! A segment has its final name once it is complete and on the disk, and is never changed. One that is damaged all the
//! same is set aside, and its runs count as not played.

use super::FileError;
use super::partial::{PartialFile, partial_name};
use super::plan::Plan;
use crate::experiment::ledger::Ledger;
use crate::experiment::segment::{Damage, Entry, EntryKind, PointFacts, PointFailure, Record};
use crate::experiment::segment::{decode_played, encode, entries};
use crate::metrics::Outcome;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

pub(super) const LEDGER: &str = "ledger";
const PLAN: &str = "plan.json";
const EXTENSION: &str = "segment";

/// The ledger of a results folder, and where in it each point's runs are.
#[derive(Debug)]
pub struct LedgerFolder {
    path: PathBuf,
    fingerprint: u64,
    /// By point.
    points: Vec<Kept>,
    /// The number of the next segment.
    next: u64,
    bytes: u64,
}

/// What there is of a point.
#[derive(Debug, Default, Clone)]
struct Kept {
    /// In order of their first run.
    pieces: Vec<Piece>,
    failure: Option<Box<PointFailure>>,
}

#[derive(Debug, Clone)]
struct Piece {
    runs: Range<u64>,
    segment: u64,
    bytes: Range<u64>,
}

/// A segment that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its file, which is gone.
    pub path: PathBuf,
    /// Why.
    pub damage: Damage,
}

impl LedgerFolder {
    /// Whether a results folder has a ledger.
    pub fn exists(results: &Path) -> bool {
        results.join(LEDGER).join(PLAN).exists()
    }

    /// The plan of a results folder's ledger.
    ///
    /// # Errors
    /// If it cannot be read, or is of another schema version.
    pub fn plan(results: &Path) -> Result<Plan, FileError> {
        Plan::read(&results.join(LEDGER).join(PLAN))
    }

    /// Begins a ledger in a results folder that has none.
    pub(super) fn create(results: &Path, plan: &Plan) -> Result<Self, FileError> {
        let path = results.join(LEDGER);
        fs::create_dir_all(&path).map_err(FileError::create(&path))?;
        // Segments without a plan are what is left of a ledger that was being removed.
        clear(&path)?;
        plan.write(&path.join(PLAN))?;
        Ok(LedgerFolder::empty(path, plan))
    }

    /// Opens the ledger of a results folder, and says which segments are damaged; these are removed if `repair`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(results: &Path, plan: &Plan, repair: bool) -> Result<(Self, Vec<SetAside>), FileError> {
        let path = results.join(LEDGER);
        let mut ledger = LedgerFolder::empty(path.clone(), plan);
        let mut set_aside = Vec::new();
        for number in segment_numbers(&path)? {
            let segment = ledger.segment_path(number);
            let bytes = fs::read(&segment).map_err(FileError::read(&segment))?;
            ledger.next = number + 1;
            let in_plan = |entry: &Entry| entry.point < plan.point_count;
            let found = entries(plan.fingerprint, &bytes);
            match found.and_then(|e| if e.iter().all(in_plan) { Ok(e) } else { Err(Damage::Torn) }) {
                Ok(entries) => ledger.add(number, bytes.len(), entries),
                Err(damage) => {
                    if repair {
                        fs::remove_file(&segment).map_err(FileError::write(&segment))?;
                    }
                    set_aside.push(SetAside { path: segment, damage });
                }
            }
        }
        Ok((ledger, set_aside))
    }

    /// Removes the ledger of a results folder, if it has one; nothing else in its folder is touched.
    pub(super) fn remove(results: &Path) -> Result<(), FileError> {
        let path = results.join(LEDGER);
        // The plan first: without it there is no ledger.
        remove_file(&path.join(PLAN))?;
        clear(&path)?;
        // It stays if somebody has put something else there.
        let _ = fs::remove_dir(&path);
        Ok(())
    }

    fn empty(path: PathBuf, plan: &Plan) -> Self {
        let points = vec![Kept::default(); plan.point_count];
        LedgerFolder { path, fingerprint: plan.fingerprint, points, next: 1, bytes: 0 }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its segments take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The most runs that it has of a point without a gap.
    pub fn most_runs(&self) -> u64 {
        let run_count = |kept: &Kept| {
            kept.pieces.iter().fold(0, |next, piece| match piece.runs.start <= next {
                true => piece.runs.end.max(next),
                false => next,
            })
        };
        self.points.iter().map(run_count).max().unwrap_or(0)
    }

    /// Takes a copy of every segment of another one, which has other points of the same sweep.
    ///
    /// # Errors
    /// If one cannot be read or written.
    pub fn copy(&mut self, other: &LedgerFolder) -> Result<(), FileError> {
        for number in segment_numbers(&other.path)? {
            let path = other.segment_path(number);
            let bytes = fs::read(&path).map_err(FileError::read(&path))?;
            let entries = entries(self.fingerprint, &bytes).map_err(|damage| damaged(&path, damage))?;
            self.store(&bytes, entries)?;
        }
        Ok(())
    }

    fn segment_path(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:06}.{EXTENSION}"))
    }

    fn store(&mut self, bytes: &[u8], entries: Vec<Entry>) -> Result<(), FileError> {
        let path = self.segment_path(self.next);
        let mut file = PartialFile::create(&path, false)?;
        file.write_all(bytes).map_err(FileError::write(&path))?;
        file.commit()?;
        self.add(self.next, bytes.len(), entries);
        self.next += 1;
        Ok(())
    }

    fn add(&mut self, segment: u64, length: usize, entries: Vec<Entry>) {
        self.bytes += length as u64;
        for Entry { point, kind } in entries {
            let kept = &mut self.points[point];
            match kind {
                EntryKind::Played { runs, bytes } => {
                    let place = kept.pieces.partition_point(|piece| piece.runs.start < runs.start);
                    kept.pieces.insert(place, Piece { runs, segment, bytes });
                }
                EntryKind::Failed(failure) => {
                    if kept.failure.as_ref().is_none_or(|earlier| failure.run < earlier.run) {
                        kept.failure = Some(Box::new(failure));
                    }
                }
            }
        }
    }

    fn read(&self, piece: &Piece) -> Result<(u64, PointFacts, Vec<Outcome>), FileError> {
        let path = self.segment_path(piece.segment);
        let read = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(piece.bytes.start))?;
            let mut bytes = vec![0; (piece.bytes.end - piece.bytes.start) as usize];
            file.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(FileError::read(&path))?;
        decode_played(&bytes).map_err(|damage| damaged(&path, damage))
    }
}

impl Ledger for LedgerFolder {
    type Error = FileError;

    fn missing(&self, point: usize, runs: u64) -> Vec<Range<u64>> {
        let mut missing = Vec::new();
        let mut next = 0;
        for piece in &self.points[point].pieces {
            if piece.runs.start.min(runs) > next {
                missing.push(next..piece.runs.start.min(runs));
            }
            next = next.max(piece.runs.end);
        }
        if next < runs {
            missing.push(next..runs);
        }
        missing
    }

    fn failure(&self, point: usize) -> Option<&PointFailure> {
        self.points[point].failure.as_deref()
    }

    fn outcomes(&self, point: usize, runs: u64) -> Result<(PointFacts, Vec<Outcome>), FileError> {
        let (mut facts, mut outcomes) = (PointFacts::default(), Vec::new());
        for piece in &self.points[point].pieces {
            let next = outcomes.len() as u64;
            if next >= runs || piece.runs.end <= next {
                continue;
            }
            let (first_run, of_piece, read) = self.read(piece)?;
            let skipped = next.saturating_sub(first_run) as usize;
            outcomes.extend(read.into_iter().skip(skipped).take((runs - next) as usize));
            facts = of_piece;
        }
        Ok((facts, outcomes))
    }

    fn keep(&mut self, records: &[Record]) -> Result<(), FileError> {
        let (bytes, entries) = encode(self.fingerprint, records);
        self.store(&bytes, entries)
    }
}

fn damaged(path: &Path, damage: Damage) -> FileError {
    FileError::Damaged { path: path.to_owned(), what: damage.to_string() }
}

/// The numbers of the segments in a folder, ascending.
fn segment_numbers(path: &Path) -> Result<Vec<u64>, FileError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(path).map_err(FileError::read(path))? {
        let name = entry.map_err(FileError::read(path))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(EXTENSION)?.strip_suffix('.'));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes every segment in a folder, if it is there, and what a killed process left of the next one.
fn clear(path: &Path) -> Result<(), FileError> {
    if !path.is_dir() {
        return Ok(());
    }
    let numbers = segment_numbers(path)?;
    let next = numbers.last().map_or(1, |last| last + 1);
    for number in numbers {
        remove_file(&path.join(format!("{number:06}.{EXTENSION}")))?;
    }
    remove_file(&path.join(partial_name(&format!("{next:06}.{EXTENSION}"))))?;
    remove_file(&path.join(partial_name(PLAN)))
}

fn remove_file(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::write(path)(error)),
        _ => Ok(()),
    }
}
