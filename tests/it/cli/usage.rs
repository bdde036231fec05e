//! Help, and arguments that make no sense.

use super::{SMALL, assert_fits_a_terminal, folder, run, run_in, snapshot};

#[test]
fn help_reads_well() {
    for verb in ["new", "check", "run", "sweep", "merge", "tune", "validate", "schema", "completions"] {
        let help = run(&[verb, "--help"]).ok();
        assert!(help.contains("Example") && help.contains(&format!("failover-sim {verb} ")), "{help}");
        assert_eq!(help, run(&["help", verb]).ok());
        assert_eq!(help, run(&[verb, "-h"]).ok(), "one help, not a short and a long one");
        assert_fits_a_terminal(&help);
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

/// Two providers of which the first is too slow for a hedge's patience, and is then down.
const HEDGED: &str = r#"
duration = "60s"
traffic.arrivals = { constant = "1/s" }
provider.a.latency = { constant = "3s" }
provider.b.latency = { constant = "500ms" }
[fault.down]
on = { name = "a" }
at = "30s"
lasts = "20s"
requests = "refuse"
[gateway]
route = { prefer = ["a", "b"] }
hedge = { after = "2s" }
retry = { attempts = 1, on = ["refused"], delay = "250ms", to = "other" }
"#;

#[test]
fn a_request_is_told_in_order_of_time() {
    let folder = folder(&[("hedged.toml", HEDGED)]);
    let told: Vec<String> = ["0", "40"]
        .iter()
        .map(|number| run_in(&folder, &["run", "hedged.toml", "--explain", number]).ok())
        .collect();
    snapshot("explain", &told.join("\n"));
}

/// Nobody is admitted for a while, and requests wait.
const WAITING: &str = r#"
duration = "60s"
traffic.arrivals = { constant = "1/s" }
provider.a.latency = { constant = "100ms" }
[fault.down]
on = { name = "a" }
at = "30s"
lasts = "1s"
requests = "refuse"
[gateway]
all_ejected = "wait"
detector.breaker = { consecutive = 1, eject_for = "10s" }
"#;

#[test]
fn a_wait_is_told_with_what_it_is_for() {
    let folder = folder(&[("waiting.toml", WAITING)]);
    let told = run_in(&folder, &["run", "waiting.toml", "--explain", "33"]).ok();
    assert!(told.contains("waits") && told.contains("no provider is admitted"), "{told}");
}
