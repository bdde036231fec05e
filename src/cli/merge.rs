//! `merge`: the shards of a sweep, joined to what one machine would have written.

use super::Failure;
use super::print::{Format, PrintArgs};
use super::swept::print_swept;
use crate::job::merge;
use crate::output::Existing;
use std::path::PathBuf;

/// Join the shards of a sweep to the results of all of it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  failover-sim sweep my_experiment --shard 1/2 --out part1     on one machine
  failover-sim sweep my_experiment --shard 2/2 --out part2     on another
  failover-sim merge part1 part2 --out results/my_experiment

Exit codes: 0 done, 1 writing failed midway, 2 bad input or unwritable output,
3 some points failed")]
pub struct MergeArgs {
    /// The results folder of every shard, in any order
    #[arg(required = true, value_name = "DIR")]
    shards: Vec<PathBuf>,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace results that exist; files that are not results stay
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    print: PrintArgs,
}

impl MergeArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let format = self.print.format("merge", &[Format::Json, Format::Csv])?;
        let existing = if self.force { Existing::Replace } else { Existing::Refuse };
        let swept = merge(&self.shards, &self.out, existing, std::env::args().collect())?;
        self.print.note_missing_parquet();
        print_swept(&swept, &self.print, format)
    }
}
