//! Results as files and documents: tables as Parquet and CSV with a manifest, logs of one run, JSON.
//!
//! [`schema`] says what the tables are; everything else only writes them. How runs are played is in
//! [`crate::experiment`].

mod assumptions;
mod compact;
mod csv;
mod dictionary;
mod differences;
mod driver;
mod epoch;
mod error;
mod event_words;
mod events;
mod explain;
mod folder;
mod json;
mod junit;
mod ledger;
mod manifest;
mod money;
mod objectives;
pub mod openmetrics;
mod otlp;
#[cfg(feature = "files")]
mod parquet;
mod partial;
mod plan;
mod read;
mod read_outcomes;
mod read_table;
mod replay;
pub mod report;
mod requests;
mod result;
pub mod schema;
mod sweep_json;
mod table;
mod table_file;
pub mod terminal;
mod text_file;
mod tune_files;
mod tune_table;
mod tune_terminal;

pub use assumptions::assumptions;
pub use compact::{Tally, write_ledger};
pub use csv::csv_text;
pub use dictionary::data_dictionary;
pub use differences::differences;
pub use driver::Driver;
pub use epoch::start_of;
pub use error::FileError;
pub use events::{Event, EventLine, EventLog, EventRecorder};
pub use explain::explain;
pub use folder::{Existing, ResultFolder, ResultSink};
pub use json::{
    ByName, DifferenceDocument, Document, MetricDocument, ObjectiveDocument, PointDocument, ScenarioDocument,
    document,
};
pub use junit::{JunitCase, JunitSuite, junit, junit_text};
pub use ledger::{LedgerFolder, SetAside, shard_segment};
pub(crate) use manifest::quoted;
pub use manifest::{
    ExperimentProvenance, Manifest, ManifestAxis, Provenance, Request, SCHEMA_VERSION, ScenarioProvenance,
    SweepProvenance,
};
pub use otlp::{TraceFile, Traced};
pub use plan::{BUILD, Plan, PlanAxis, Recorded, Shard};
pub use read::{ReadError, Results};
pub use replay::{Replay, ReplayError, experiment_of};
pub use requests::{RequestFile, RequestRecorder};
pub use result::{ScenarioResult, SecondTotal, add_seconds};
pub use schema::{AxisColumn, Design, Point};
pub use sweep_json::{SweepDocument, point_lines};
pub use table::{Column, Name, Table, Values};
pub use table_file::{PARQUET_AVAILABLE, WrittenFile};
pub use text_file::TextFile;
pub use tune_files::{StoredCandidate, StoredTune, TuneFolder, tune_csv, tune_json};
pub use tune_table::candidates;
pub use tune_terminal::tune_summary;
