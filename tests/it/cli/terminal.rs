//! What the summary looks like on terminals: wide and narrow ones, with colours and without.

use super::{AS_TOLD, SMALL, assert_fits_a_terminal, command, folder, run, run_in, snapshot};
use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use unicode_width::UnicodeWidthStr;

/// What a command prints on a terminal with so many columns; errors go elsewhere.
fn shown(mut command: Command, columns: u16) -> String {
    let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(&size, None).expect("a pseudo terminal");
    let mut child = command.stdout(Stdio::from(pty.slave)).stderr(Stdio::null()).spawn().expect("it starts");
    // Its own end of the terminal has to be closed here, or reading never ends.
    drop(command);
    let mut bytes = Vec::new();
    // Linux says that there was an error when the last writer has gone.
    let _ = File::from(pty.master).read_to_end(&mut bytes);
    child.wait().expect("it ends");
    String::from_utf8(bytes).expect("it prints UTF-8").replace("\r\n", "\n")
}

/// A `run` of the story as told, with the environment of a terminal.
fn story(args: &[&str], set: &[(&str, &str)]) -> Command {
    let mut command = command(&[&["run", AS_TOLD[0], AS_TOLD[1], "--runs", "2"], args].concat());
    command.env("TERM", "xterm-256color").envs(set.iter().copied());
    for locale in ["LC_ALL", "LC_CTYPE", "LANG"] {
        if set.iter().all(|(name, _)| *name != locale) {
            command.env_remove(locale);
        }
    }
    command
}

/// Without colours.
fn bare(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').map_or("", |(_, rest)| rest)).collect::<String>()
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let piped = run(&["run", AS_TOLD[0], AS_TOLD[1], "--runs", "2"]).ok();
    let coloured = shown(story(&[], &[]), 80);
    assert!(coloured.contains("\u{1b}[31m") && coloured.contains("\u{1b}[1m"), "{coloured}");
    assert_eq!(bare(&coloured), piped, "colour alone says nothing");
    snapshot("coloured", &coloured.replace('\u{1b}', "ESC"));

    for set in [("NO_COLOR", "1"), ("TERM", "dumb"), ("CLICOLOR", "0")] {
        assert_eq!(shown(story(&[], &[set]), 80), piped, "{set:?}");
    }
    assert_eq!(shown(story(&["--color", "never"], &[]), 80), piped);
    assert_eq!(shown(story(&["--color", "always"], &[("NO_COLOR", "1")]), 80), coloured);
    // And in a pipe that asks for them.
    let mut forced = story(&["--color", "always"], &[]);
    assert_eq!(String::from_utf8(forced.output().unwrap().stdout).unwrap(), coloured);
}

#[test]
fn the_summary_fits_every_terminal() {
    for (columns, limit) in [(20, 40), (40, 40), (60, 60), (80, 80), (200, 80)] {
        let table = shown(story(&[], &[("NO_COLOR", "1")]), columns);
        let widest = table.lines().map(UnicodeWidthStr::width).max().unwrap();
        assert!(widest <= limit && widest + 1 >= limit, "{widest} columns of {columns}:\n{table}");
        snapshot(&format!("columns_{columns}"), &table);
    }
    let wide = shown(story(&[], &[("NO_COLOR", "1")]), 200);
    assert_eq!(wide, run(&["run", AS_TOLD[0], AS_TOLD[1], "--runs", "2"]).ok());
}

#[test]
fn a_terminal_without_utf_8_gets_ascii() {
    for set in [("LANG", "C"), ("LC_ALL", "POSIX"), ("LC_CTYPE", "en_US.ISO-8859-1")] {
        let table = shown(story(&[], &[("NO_COLOR", "1"), set]), 80);
        assert!(table.is_ascii(), "{table}");
        assert!(table.contains("|      \"\"\"\"\"####"), "{table}");
    }
    assert!(!shown(story(&[], &[("LANG", "C.UTF-8")]), 80).is_ascii());
}

#[test]
fn nothing_is_shown_on_a_terminal_that_was_told_to_be_quiet() {
    assert_eq!(shown(story(&["--quiet"], &[]), 80), "");
}

/// Two detectors, three replicas, an outage for some probes only, and days.
const QUARTER: &str = r#"
clock = "08:00:00 UTC"
duration = "20days"
[traffic]
arrivals = { constant = "10/h" }
[provider.primary_in_a_far_region]
latency = { constant = "1s" }
[provider.backup]
latency = { constant = "1s" }
[fault.outage]
on = { name = "primary_in_a_far_region" }
at = "3days"
lasts = "40h"
requests = { status = 503 }
[fault.blip]
on = { name = "backup" }
at = "10days"
lasts = "1s"
requests = "refuse"
[gateway]
replicas = 3
route = { prefer = ["primary_in_a_far_region", "backup"] }
health_check = { interval = "1h", timeout = "1s" }
detector.breaker = { consecutive = 3, eject_for = "2days" }
"#;

#[test]
fn days_replicas_and_detectors_are_told() {
    let folder = folder(&[("quarter.toml", QUARTER)]);
    let table = run_in(&folder, &["run", "quarter.toml", "--runs", "1"]).ok();
    assert_fits_a_terminal(&table);
    snapshot("days", &table);
}

/// Eight providers, all of which fail together.
#[test]
fn more_lanes_than_anybody_compares_are_counted() {
    let providers: String = (0..8)
        .map(|n| {
            format!("[provider.p{n}]\nlabels = {{ vendor = \"x\" }}\nlatency = {{ constant = \"1s\" }}\n")
        })
        .collect();
    let names: Vec<String> = (0..8).map(|n| format!("\"p{n}\"")).collect();
    let scenario = SMALL
        .replace("[provider.a]\nlabels = { vendor = \"x\" }\n", &format!("{providers}[provider.a]\n"))
        .replace("[\"a\", \"b\"]", &format!("[{}, \"a\", \"b\"]", names.join(", ")));
    let folder = folder(&[("many.toml", &scenario)]);
    let table = run_in(&folder, &["run", "many.toml", "--runs", "1"]).ok();
    assert!(table.contains("  p4 ") && !table.contains("  p5 "), "{table}");
    assert!(table.contains("and 3 more lanes"), "{table}");
}

#[test]
fn a_reader_that_stops_after_a_line_is_no_error() {
    let line = format!(
        "set -o pipefail; {} run {} --runs 2 | head -1",
        env!("CARGO_BIN_EXE_failover-sim"),
        Path::new(AS_TOLD[0]).display()
    );
    let output = Command::new("bash").args(["-c", &line]).output().expect("bash is there");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(0), false));
}
