//! A sweep: its folder, its points, and tables that are made of its ledger while they are read.

use crate::experiment::Experiment;
use crate::failure::{failed, not_done};
use crate::table::{Batches, Rows, Table, batch};
use crate::watch::watched;
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use failover_sim::experiment::runner::Progress;
use failover_sim::job::sweep::{self, SweepJob, SweepOptions};
use failover_sim::job::{self, Failure};
use failover_sim::output::{self, Design, Existing, FileError, Point, Recorded, ResultFolder, schema};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Points whose rows are made together.
const POINTS_AT_ONCE: u64 = 256;
/// Where points have many runs, fewer of them.
const RUNS_AT_ONCE: u64 = 20_000;

/// How a sweep is played: the arguments of [`open_sweep`], by name.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    runs: Option<u64>,
    seed: u64,
    until: Option<String>,
    min_runs: Option<u64>,
    max_runs: Option<u64>,
    counts_only: bool,
    yes: bool,
}

impl Options {
    fn read(self) -> SweepOptions {
        SweepOptions {
            seed: self.seed,
            runs: self.runs,
            until: self.until,
            min_runs: self.min_runs,
            max_runs: self.max_runs,
            metrics: if self.counts_only { Recorded::Counts } else { Recorded::All },
            shard: None,
            set: vec![],
            yes: self.yes,
        }
    }
}

/// A sweep with a folder of its own, that can be played once.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct OpenSweep {
    open: Mutex<Option<sweep::OpenSweep>>,
    /// What takes the folder away when nobody needs it any more; results that are to stay have none.
    guard: Option<Py<PyAny>>,
    notes: Vec<String>,
    /// Points of which it is known that they fail.
    invalid: usize,
}

/// Looks at every point and takes the folder.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn open_sweep(
    py: Python<'_>,
    experiment: &Experiment,
    options: Options,
    out: PathBuf,
    resume: bool,
    force: bool,
    guard: Option<Py<PyAny>>,
    threads: Option<usize>,
) -> PyResult<OpenSweep> {
    let options = options.read();
    let existing = match (force, resume) {
        (true, _) => Existing::Replace,
        (_, true) => Existing::GoOn,
        _ => Existing::Refuse,
    };
    let Experiment { experiment, named } = experiment;
    let is_kept = guard.is_none();
    let (open, warning, invalid) = watched(py, threads, None, |watch| {
        let surveyed = SweepJob::new(experiment.clone(), named, options)?.survey(watch)?;
        let (warning, invalid) = (surveyed.warning(), surveyed.invalid_count());
        let folder = ResultFolder::create(&out, existing)?;
        let open = surveyed.open(folder)?;
        Ok((if is_kept { open } else { open.in_passing() }, warning, invalid))
    })?
    .map_err(not_done)?;
    let notes = open.notes().into_iter().chain(warning).collect();
    Ok(OpenSweep { open: Mutex::new(Some(open)), guard, notes, invalid })
}

impl OpenSweep {
    /// Works on it before it is played.
    pub fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut sweep::OpenSweep) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let done = py.detach(|| {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.as_mut().map(work)
        });
        done.ok_or_else(|| failed("the sweep was played before".to_owned()))?.map_err(not_done)
    }
}

#[pymethods]
impl OpenSweep {
    /// How many points it has.
    #[getter]
    fn point_count(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |open| Ok(open.point_count()))
    }

    /// How many runs there can be, and how many of them are there.
    #[getter]
    fn run_counts(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        self.with(py, |open| Ok(open.counts()))
    }

    /// What there is to say before it is played, a sentence each.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Lets go of the folder, if it was not played.
    pub fn close(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Plays what the folder lacks.
    #[pyo3(signature = (command, threads, progress))]
    fn play(
        &self,
        py: Python<'_>,
        command: Vec<String>,
        threads: Option<usize>,
        progress: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Swept> {
        let taken = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut open) = taken else { return Err(failed("the sweep was played before".to_owned())) };
        let is_kept = self.guard.is_none();
        let swept = watched(py, threads, progress.as_ref(), |watch| {
            let (all, done) = open.counts();
            watch.expect(all);
            watch.advance(done);
            open.play(watch)?;
            if is_kept { open.finish(command) } else { open.settle() }
        })?
        .map_err(not_done)?;
        let (design, points) = (swept.plan().design(), swept.plan().points());
        let guard = self.guard.as_ref().map(|guard| guard.clone_ref(py));
        let shared = Shared { swept, design, points, _guard: guard };
        Ok(Swept { shared: Arc::new(shared), invalid: self.invalid })
    }
}

/// What a sweep came to.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct Swept {
    shared: Arc<Shared>,
    invalid: usize,
}

/// What its tables are made of.
struct Shared {
    swept: job::Swept,
    design: Design,
    /// Their numbers.
    points: Vec<usize>,
    _guard: Option<Py<PyAny>>,
}

#[pymethods]
impl Swept {
    /// A table, whose rows are read when somebody asks for them.
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<Table> {
        let make: Make = match name {
            "points" => schema::points,
            "runs" => schema::runs,
            "faults" => schema::faults,
            _ => return Err(PyKeyError::new_err(name.to_owned())),
        };
        let shared = Arc::clone(&self.shared);
        let count = OnceLock::new();
        Ok(py.detach(|| Table::over(&make(&shared.design, &[]), LedgerRows { make, shared, count })))
    }

    /// The folder's path, as it was given.
    #[getter]
    fn folder(&self) -> PathBuf {
        self.shared.swept.out().to_owned()
    }

    /// The columns of the swept settings.
    #[getter]
    fn axes(&self) -> Vec<String> {
        self.shared.design.axes.iter().map(|axis| axis.name.clone()).collect()
    }

    #[getter]
    fn point_count(&self) -> usize {
        self.shared.points.len()
    }

    #[getter]
    fn failed_count(&self) -> usize {
        self.shared.swept.tally().failed
    }

    /// The fewest and the most runs of points that did not fail.
    #[getter]
    fn run_counts(&self) -> (u64, u64) {
        let tally = self.shared.swept.tally();
        (tally.fewest.min(tally.most), tally.most)
    }

    /// What there is to say now that it is played, beside what was said before, a sentence each.
    #[getter]
    fn notes(&self) -> Vec<String> {
        let swept = &self.shared.swept;
        let failed = swept.failed().filter(|_| swept.tally().failed > self.invalid);
        let failed = failed.map(|failure| failure.text(false).trim_start_matches("error: ").to_owned());
        swept.note().into_iter().chain(failed).collect()
    }

    /// What the command line prints of it.
    fn summary(&self) -> String {
        self.shared.swept.summary()
    }
}

type Make = fn(&Design, &[Point]) -> output::Table;

/// Rows in a ledger.
struct LedgerRows {
    shared: Arc<Shared>,
    make: Make,
    /// How many there are, once somebody has asked.
    count: OnceLock<usize>,
}

impl Rows for LedgerRows {
    fn count(&self) -> Result<usize, ArrowError> {
        if let Some(count) = self.count.get() {
            return Ok(*count);
        }
        let count = self.batches().try_fold(0, |sum, batch| Ok::<_, ArrowError>(sum + batch?.num_rows()))?;
        Ok(*self.count.get_or_init(|| count))
    }

    fn batches(&self) -> Batches {
        let most = self.shared.swept.tally().most.max(1);
        let at_once = (RUNS_AT_ONCE / most).clamp(1, POINTS_AT_ONCE) as usize;
        Box::new(LedgerBatches {
            shared: Arc::clone(&self.shared),
            make: self.make,
            next: 0,
            at_once,
            made: VecDeque::new(),
        })
    }
}

struct LedgerBatches {
    shared: Arc<Shared>,
    make: Make,
    /// The first point that is not read yet, by its place.
    next: usize,
    at_once: usize,
    made: VecDeque<RecordBatch>,
}

impl Iterator for LedgerBatches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.made.pop_front() {
                return Some(Ok(batch));
            }
            let LedgerBatches { shared, make, .. } = self;
            let rest = &shared.points[self.next..];
            if rest.is_empty() {
                return None;
            }
            let points = &rest[..rest.len().min(self.at_once)];
            let read = shared.swept.write(points, |points| {
                let batch = batch(&make(&shared.design, points));
                self.made.extend(Some(batch).filter(|batch| batch.num_rows() > 0));
                Ok::<(), FileError>(())
            });
            self.next += points.len();
            if let Err(error) = read {
                self.next = shared.points.len();
                return Some(Err(ArrowError::ExternalError(Box::new(Failure::from(error)))));
            }
        }
    }
}
