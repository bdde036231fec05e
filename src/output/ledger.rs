//! A sweep's ledger: the folder `ledger/`, with a plan and segments.
//!
//! A segment has its final name once it is complete and on the disk, and is never changed. One that is damaged all the
//! same is set aside, and its runs count as not played.
//!
//! Where other machines play for a command, each task writes one segment of its own and the command takes it in, as long
//! as it is the ledger's [`Driver`](super::driver::Driver).

use super::FileError;
use super::driver::DRIVER;
use super::partial::{PartialFile, final_name};
use super::plan::{Plan, Shard};
use crate::experiment::ledger::Ledger;
use crate::experiment::segment::{
    CHECKSUM_BYTES, Content, Damage, Encoder, Entry, EntryKind, PointFacts, PointFailure, Record,
};
use crate::experiment::segment::{decode_played, encode, entries};
use crate::metrics::Outcome;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

pub(super) const LEDGER: &str = "ledger";
const PLAN: &str = "plan.json";
const EXTENSION: &str = ".segment";
const OF_SHARD: &str = "shard-";

/// The ledger of a results folder, and where in it each point's runs are.
#[derive(Debug)]
pub struct LedgerFolder {
    path: PathBuf,
    fingerprint: u64,
    /// By point.
    points: Vec<Kept>,
    segments: Vec<Segment>,
    /// The number of the next segment.
    next: u64,
    bytes: u64,
    /// Whether what is kept stays in memory.
    holds: bool,
}

#[derive(Debug)]
enum Segment {
    /// A file in the folder.
    File {
        name: String,
        /// Its last bytes, which tell it from all others.
        checksum: [u8; CHECKSUM_BYTES],
    },
    /// Bytes that are not in the folder yet.
    Held(Vec<u8>),
}

impl Segment {
    fn file(name: String, bytes: &[u8]) -> Segment {
        Segment::File { name, checksum: bytes.last_chunk().copied().unwrap_or_default() }
    }
}

/// What there is of a point.
#[derive(Debug, Default, Clone)]
struct Kept {
    /// In order of their first run.
    pieces: Vec<Piece>,
    failure: Option<Box<PointFailure>>,
    /// Whether nobody knew of the failure before.
    failure_is_held: bool,
}

#[derive(Debug, Clone)]
struct Piece {
    runs: Range<u64>,
    /// Its place among the segments.
    segment: usize,
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
        let names = segment_names(&results.join(LEDGER))?;
        LedgerFolder::of(results, plan, names, repair)
    }

    /// Opens these segments of the ledger alone, and keeps in memory what is played.
    ///
    /// # Errors
    /// If one cannot be read or is damaged.
    pub fn hold(results: &Path, plan: &Plan, segments: &[String]) -> Result<Self, FileError> {
        let (ledger, set_aside) = LedgerFolder::of(results, plan, segments.to_vec(), false)?;
        match set_aside.first() {
            Some(SetAside { path, damage }) => Err(damaged(path, *damage)),
            None => Ok(LedgerFolder { holds: true, ..ledger }),
        }
    }

    fn of(
        results: &Path,
        plan: &Plan,
        names: Vec<String>,
        repair: bool,
    ) -> Result<(Self, Vec<SetAside>), FileError> {
        let mut ledger = LedgerFolder::empty(results.join(LEDGER), plan);
        let mut set_aside = Vec::new();
        for name in names {
            let path = ledger.path.join(&name);
            ledger.next = ledger.next.max(number_of(&name).unwrap_or(0) + 1);
            if let Err(damage) = ledger.take(name)? {
                if repair {
                    fs::remove_file(&path).map_err(FileError::write(&path))?;
                }
                set_aside.push(SetAside { path, damage });
            }
        }
        Ok((ledger, set_aside))
    }

    /// Takes in a segment that is in the folder.
    ///
    /// # Errors
    /// If it cannot be read, or, inside, if it is damaged.
    pub fn take(&mut self, name: String) -> Result<Result<(), Damage>, FileError> {
        let path = self.path.join(&name);
        let bytes = fs::read(&path).map_err(FileError::read(&path))?;
        let in_plan = |entry: &Entry| entry.point < self.points.len();
        let found = entries(self.fingerprint, &bytes);
        let found = found.and_then(|e| if e.iter().all(in_plan) { Ok(e) } else { Err(Damage::Torn) });
        Ok(found.map(|entries| self.add(Segment::file(name, &bytes), bytes.len(), entries)))
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
        let segments = Vec::new();
        LedgerFolder {
            path,
            fingerprint: plan.fingerprint,
            points,
            segments,
            next: 1,
            bytes: 0,
            holds: false,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The results folder that it is in.
    fn results(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
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
        for name in segment_names(&other.path)? {
            let path = other.path.join(name);
            let bytes = fs::read(&path).map_err(FileError::read(&path))?;
            let entries = entries(self.fingerprint, &bytes).map_err(|damage| damaged(&path, damage))?;
            self.store(bytes, entries)?;
        }
        Ok(())
    }

    /// The names of the segments that have something of these points.
    pub fn segments_of(&self, points: &[usize]) -> Vec<String> {
        let pieces = points.iter().flat_map(|point| &self.points[*point].pieces);
        let places: BTreeSet<usize> = pieces.map(|piece| piece.segment).collect();
        let name = |place: usize| match &self.segments[place] {
            Segment::File { name, .. } => Some(name.clone()),
            Segment::Held(_) => None,
        };
        places.into_iter().filter_map(name).collect()
    }

    /// Writes what is held in memory as one segment of this name. Its bytes depend on what was lacking alone, so it
    /// does no harm if another process writes the same.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_held(&self, name: &str) -> Result<(), FileError> {
        let path = self.path.join(name);
        let mut encoder = Encoder::new(self.fingerprint);
        for (point, kept) in self.points.iter().enumerate() {
            for content in self.held(kept)? {
                encoder.push(&Record { point, content });
            }
        }
        let mut file = PartialFile::create_shared(&path)?;
        file.write_all(&encoder.finish()).map_err(FileError::write(&path))?;
        file.commit().map(|_| ())
    }

    /// What is held of a point, with runs that follow each other in one piece, wherever blocks ended.
    fn held(&self, kept: &Kept) -> Result<Vec<Content>, FileError> {
        let is_held = |piece: &&Piece| matches!(self.segments[piece.segment], Segment::Held(_));
        let mut held: Vec<Content> = Vec::new();
        for piece in kept.pieces.iter().filter(is_held) {
            let (first_run, facts, mut read) = self.read(piece)?;
            match held.last_mut() {
                Some(Content::Played { first_run: first, outcomes, .. })
                    if *first + outcomes.len() as u64 == first_run =>
                {
                    outcomes.append(&mut read);
                }
                _ => held.push(Content::Played { first_run, facts, outcomes: read }),
            }
        }
        // Which runs were kept before the one that failed depends on where blocks ended.
        match &kept.failure {
            Some(failure) if kept.failure_is_held => Ok(vec![Content::Failed((**failure).clone())]),
            _ => Ok(held),
        }
    }

    fn store(&mut self, bytes: Vec<u8>, entries: Vec<Entry>) -> Result<(), FileError> {
        let length = bytes.len();
        if self.holds {
            self.add(Segment::Held(bytes), length, entries);
            return Ok(());
        }
        let name = format!("{:06}{EXTENSION}", self.next);
        let path = self.path.join(&name);
        let mut file = PartialFile::create(&path, false)?;
        file.write_all(&bytes).map_err(FileError::write(&path))?;
        file.commit()?;
        self.add(Segment::file(name, &bytes), length, entries);
        self.next += 1;
        Ok(())
    }

    fn add(&mut self, segment: Segment, length: usize, entries: Vec<Entry>) {
        self.bytes += length as u64;
        let is_held = matches!(segment, Segment::Held(_));
        self.segments.push(segment);
        let segment = self.segments.len() - 1;
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
                        kept.failure_is_held = is_held;
                    }
                }
            }
        }
    }

    fn read(&self, piece: &Piece) -> Result<(u64, PointFacts, Vec<Outcome>), FileError> {
        let (name, checksum) = match &self.segments[piece.segment] {
            Segment::File { name, checksum } => (name, checksum),
            Segment::Held(bytes) => {
                let bytes = &bytes[piece.bytes.start as usize..piece.bytes.end as usize];
                return decode_played(bytes).map_err(|damage| damaged(&self.path, damage));
            }
        };
        let path = self.path.join(name);
        let read = || -> io::Result<_> {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(piece.bytes.start))?;
            let mut bytes = vec![0; (piece.bytes.end - piece.bytes.start) as usize];
            file.read_exact(&mut bytes)?;
            file.seek(SeekFrom::End(-(CHECKSUM_BYTES as i64)))?;
            let mut found = [0; CHECKSUM_BYTES];
            file.read_exact(&mut found)?;
            Ok((bytes, found))
        };
        // Without the folder's lock somebody may have begun another sweep in it.
        let replaced = || FileError::Replaced { path: self.results().to_owned() };
        let bytes = match read() {
            Ok((bytes, found)) if found == *checksum => bytes,
            Ok(_) => return Err(replaced()),
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof].contains(&error.kind()) => {
                return Err(replaced());
            }
            Err(error) => return Err(FileError::read(&path)(error)),
        };
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
        self.store(bytes, entries)
    }
}

fn damaged(path: &Path, damage: Damage) -> FileError {
    FileError::Damaged { path: path.to_owned(), what: damage.to_string() }
}

/// The name of the segment that a task writes of a shard; `token` tells it from those of earlier commands.
pub fn shard_segment(shard: Shard, token: &str) -> String {
    format!("{OF_SHARD}{:04}-of-{:04}-{token}{EXTENSION}", shard.index, shard.count)
}

/// The number in the name of a segment that a command wrote for itself.
fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(EXTENSION)?.parse().ok()
}

fn is_segment(name: &str) -> bool {
    number_of(name).is_some() || name.starts_with(OF_SHARD) && name.ends_with(EXTENSION)
}

fn names(path: &Path) -> Result<Vec<String>, FileError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(FileError::read(path))? {
        names.extend(entry.map_err(FileError::read(path))?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

/// The names of the segments in a folder, ascending.
fn segment_names(path: &Path) -> Result<Vec<String>, FileError> {
    Ok(names(path)?.into_iter().filter(|name| is_segment(name)).collect())
}

/// Removes what killed processes left of segments that they were writing.
pub(super) fn clear_leftovers(path: &Path) -> Result<(), FileError> {
    let is_leftover = |name: &&String| {
        final_name(name).is_some_and(|name| is_segment(name) || [PLAN, DRIVER].contains(&name))
    };
    names(path)?.iter().filter(is_leftover).try_for_each(|name| remove_file(&path.join(name)))
}

/// Removes every segment in a folder, if it is there, and what killed processes left of others.
fn clear(path: &Path) -> Result<(), FileError> {
    if !path.is_dir() {
        return Ok(());
    }
    segment_names(path)?.iter().try_for_each(|name| remove_file(&path.join(name)))?;
    remove_file(&path.join(DRIVER))?;
    clear_leftovers(path)
}

pub(super) fn remove_file(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::write(path)(error)),
        _ => Ok(()),
    }
}
