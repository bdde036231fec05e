//! The `failover-sim` command: parse the arguments, do what they say, print what went wrong, choose the exit code.

use clap::Parser;
use failover_sim::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::parse().execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}
