//! `new`: a scenario to start from.

use super::{Failure, print_out};
use crate::scenario::TEMPLATE;
use std::io::Write;
use std::path::PathBuf;

/// Write a commented scenario to start from
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: failover-sim new mine.toml")]
pub struct NewArgs {
    /// The file to write; it must not exist
    file: PathBuf,
}

impl NewArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let file = self.file.display();
        let mut created = std::fs::File::create_new(&self.file).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::refused(format!("{file} exists already"), "choose another name; nothing was written")
            }
            std::io::ErrorKind::NotFound => Failure::refused(
                format!("cannot write {file}: its folder does not exist"),
                "make the folder first",
            ),
            _ => Failure::bad_input(format!("error: cannot write {file}: {error}")),
        })?;
        created
            .write_all(TEMPLATE.as_bytes())
            .map_err(|error| Failure::bad_input(format!("error: cannot write {file}: {error}")))?;
        print_out(&format!(
            "wrote {file}\nchange the lines marked `<- change`, then:\n  failover-sim check {file}\n  failover-sim run {file}\n"
        ))
    }
}
