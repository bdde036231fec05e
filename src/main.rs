//! The `failover-sim` command.

use clap::Parser;
use failover_sim::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::parse().execute()
}
