//! What shells complete the command by.

use super::run;
use std::io::Write;
use std::process::{Command, Stdio};

/// What bash offers for the last of these words.
fn completed(words: &[&str]) -> Vec<String> {
    let script = run(&["completions", "bash"]).ok();
    let ask = format!(
        "set -eu\n{script}\nCOMP_WORDS=({}) COMP_CWORD={}\n[[ $(complete -p failover-sim) =~ -F\\ ([^ ]+) ]]\n\
         \"${{BASH_REMATCH[1]}}\" failover-sim \"{}\" \"{}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        words.join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-s"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut bash = bash.spawn().expect("bash is there");
    bash.stdin.take().expect("a pipe").write_all(ask.as_bytes()).expect("bash reads");
    let output = bash.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_options_and_values() {
    assert_eq!(completed(&["failover-sim", "ru"]), ["run"]);
    assert_eq!(completed(&["failover-sim", "run", "--form"]), ["--format"]);
    assert_eq!(completed(&["failover-sim", "run", "--format", "j"]), ["json", "junit"]);
    assert_eq!(completed(&["failover-sim", "run", "--out", "experiments"]), ["experiments"]);
    assert_eq!(completed(&["failover-sim", "completions", "fi"]), ["fish"]);
}

#[test]
fn every_shell_has_a_script_that_knows_every_verb() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]).ok();
        for verb in ["new", "check", "run", "sweep", "merge", "tune", "validate", "schema", "completions"] {
            assert!(script.contains(verb), "{shell} lacks {verb}");
        }
    }
    let complaint = run(&["completions", "basch"]).refused();
    assert!(complaint.contains("a similar value exists: 'bash'"), "{complaint}");
}
