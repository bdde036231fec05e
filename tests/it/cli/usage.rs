//! Help, and arguments that make no sense.

use super::{SMALL, folder, run, run_in, snapshot};

#[test]
fn help_reads_well() {
    for verb in ["new", "check", "run", "sweep", "schema"] {
        let help = run(&[verb, "--help"]).ok();
        assert!(help.contains("Example") && help.contains(&format!("failover-sim {verb} ")), "{help}");
        assert_eq!(help, run(&["help", verb]).ok());
        assert_eq!(help, run(&[verb, "-h"]).ok(), "one help, not a short and a long one");
        snapshot(&format!("help_{verb}"), &help);
    }
    snapshot("help", &run(&["--help"]).ok());
    assert_eq!(run(&["--version"]).ok(), format!("failover-sim {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_arguments_say_what_to_write() {
    let folder = folder(&[("small.toml", SMALL)]);
    let complaints: Vec<String> = [
        &["run"][..],
        &["rum", "small.toml"],
        &["run", "small.toml", "--runs", "0"],
        &["run", "small.toml", "--runs", "-5"],
        &["run", "small.toml", "--runs", "1e3"],
        &["run", "small.toml", "--threads", "0"],
        &["run", "small.toml", "--seed", "-1"],
        &["run", "small.toml", "--run-index", "18446744073709551615"],
        &["run", "small.toml", "--run-index", "3", "--runs", "5"],
        &["run", "small.toml", "--format", "yaml"],
        &["run", "small.toml", "--set", "gateway.replicas"],
        &["run", "small.toml", "--events", "same.csv", "--requests", "same.csv"],
        &["sweep", "small.toml", "--run-index", "3"],
    ]
    .iter()
    .map(|args| format!("$ failover-sim {}\n{}", args.join(" "), run_in(&folder, args).refused()))
    .collect();
    snapshot("wrong_arguments", &complaints.join("\n"));
}
