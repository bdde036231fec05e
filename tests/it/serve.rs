//! The what-if page over HTTP, as browsers and others talk to it. What it looks like is left to `tests/browser`.

#[cfg(feature = "serve")]
mod page;

use std::process::{Command, Stdio};

const STORY: &str = "experiments/01_incident_3am/any_phase_60s.toml";

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_failover-sim"));
    command.arg("serve").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("NO_COLOR", "1");
    command
}

/// What it said, given that it did not start and exited with 2.
#[track_caller]
fn refused(args: &[&str]) -> String {
    let output = command(args).output().expect("the command starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints UTF-8");
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""), "{args:?}");
    text(&output.stderr)
}

#[cfg(not(feature = "serve"))]
#[test]
fn a_build_without_the_page_says_how_to_get_it() {
    let said = refused(&[STORY]);
    assert!(said.contains("--features serve"), "{said}");
}
