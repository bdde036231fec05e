//! `schema`: the JSON Schema that editors complete and check scenarios by.

use super::{Failure, print_out};

/// Print the JSON Schema of scenario files, or of experiment files
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failover-sim schema > scenario.schema.json
A first line `#:schema scenario.schema.json` has editors complete and check the
file.")]
pub struct SchemaArgs {
    /// The schema of experiment.toml instead
    #[arg(long)]
    experiment: bool,
}

impl SchemaArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let schema =
            if self.experiment { crate::experiment::json_schema() } else { crate::scenario::json_schema() };
        print_out(&schema)
    }
}
