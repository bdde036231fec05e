//! `--requests`: a table with one row for each request, written while the run goes on.

use super::FileError;
use super::schema;
use super::table_file::{TableFile, WrittenFile};
use crate::engine::{Recorder, RequestEnd};
use crate::model::Model;
use std::collections::VecDeque;
use std::path::Path;

/// Requests that are turned into rows at once.
const BATCH: usize = 4096;

/// A file of requests, of one run or of several after each other.
pub struct RequestFile {
    file: TableFile,
    /// The first thing that went wrong. A recorder cannot return it, so [`Self::finish`] does.
    error: Option<FileError>,
}

impl RequestFile {
    /// Opens the file; its name ends in `.parquet` or `.csv`.
    ///
    /// # Errors
    /// If it exists and `force` is not given, or if it cannot be created.
    pub fn create(path: &Path, force: bool) -> Result<Self, FileError> {
        let file = TableFile::create(path, force, &schema::requests("", &[], 0, &[]))?;
        Ok(RequestFile { file, error: None })
    }

    /// A recorder for one run of `model`.
    pub fn recorder<'a>(&'a mut self, model: &'a Model, run: u64) -> RequestRecorder<'a> {
        RequestRecorder {
            file: self,
            model,
            run,
            batch: Vec::with_capacity(BATCH),
            next: 0,
            ahead: VecDeque::new(),
        }
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// The first one met while writing; the file is then gone.
    pub fn finish(self) -> Result<WrittenFile, FileError> {
        self.error.map_or(Ok(()), Err)?;
        self.file.finish()
    }
}

/// Writes each request of a run, in order of arrival.
///
/// Some paths of the engine report requests in order of their end; those that are ahead of their turn wait here, so that
/// every path gives the same bytes. Memory follows the most requests that ended while an earlier one was in flight.
pub struct RequestRecorder<'a> {
    file: &'a mut RequestFile,
    model: &'a Model,
    run: u64,
    batch: Vec<RequestEnd>,
    /// The request whose turn it is.
    next: u64,
    /// The requests from `next` on, as far as they have ended.
    ahead: VecDeque<Option<RequestEnd>>,
}

impl RequestRecorder<'_> {
    /// Writes what is left; call it when the run is over.
    ///
    /// # Panics
    /// If a request is missing: a bug.
    pub fn finish(mut self) {
        assert!(self.ahead.is_empty(), "every request up to the last one was reported");
        self.write_batch();
    }

    fn take(&mut self, request: RequestEnd) {
        self.next += 1;
        self.batch.push(request);
        if self.batch.len() == BATCH {
            self.write_batch();
        }
    }

    fn write_batch(&mut self) {
        if self.file.error.is_none() {
            let table = schema::requests(&self.model.name, &self.model.providers, self.run, &self.batch);
            self.file.error = self.file.file.write(&table).err();
        }
        self.batch.clear();
    }
}

impl Recorder for RequestRecorder<'_> {
    fn request_ended(&mut self, request: &RequestEnd) {
        if request.ordinal == self.next && self.ahead.is_empty() {
            return self.take(*request);
        }
        let place = (request.ordinal - self.next) as usize;
        if self.ahead.len() <= place {
            self.ahead.resize(place + 1, None);
        }
        self.ahead[place] = Some(*request);
        while let Some(Some(request)) = self.ahead.front().copied() {
            self.ahead.pop_front();
            self.take(request);
        }
    }
}
