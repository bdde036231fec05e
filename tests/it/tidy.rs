//! The walls between the modules, checked by reading the source.

use std::fs;
use std::path::{Path, PathBuf};

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        if folder.is_file() {
            files.push(folder);
            continue;
        }
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() || path.extension().is_some_and(|e| e == "rs") {
                folders.push(path);
            }
        }
    }
    files
}

/// The code of a file, without its comments and unit tests.
fn code(file: &Path) -> String {
    let source = fs::read_to_string(file).expect("a readable file");
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    code.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn assert_absent(folder: &str, words: &[&str]) {
    for file in rust_files(folder) {
        let code = code(&file);
        for word in words {
            assert!(!code.contains(word), "{} has `{word}`", file.display());
        }
    }
}

#[test]
fn the_engine_and_the_model_know_no_files_formats_clocks_or_threads() {
    for folder in ["src/engine", "src/model", "src/time.rs", "src/random.rs"] {
        assert_absent(
            folder,
            &[
                "serde",
                "toml",
                "polars",
                "rayon",
                "std::fs",
                "std::io",
                "Instant",
                "SystemTime",
                "print!",
                "println!",
            ],
        );
    }
}

#[test]
fn dependencies_run_one_way() {
    assert_absent("src/model", &["crate::engine", "crate::metrics", "crate::scenario", "crate::experiment"]);
    assert_absent("src/engine", &["crate::metrics", "crate::scenario", "crate::experiment", "crate::output"]);
    assert_absent("src/metrics", &["crate::scenario", "crate::experiment", "crate::output", "crate::cli"]);
    assert_absent("src/scenario", &["crate::engine", "crate::metrics", "crate::experiment", "crate::output"]);
    assert_absent("src/experiment", &["crate::output", "crate::cli"]);
    assert_absent("src/output", &["crate::cli", "crate::validation", "crate::serve"]);
    assert_absent(
        "src/job",
        &["crate::cli", "crate::validation", "crate::serve", "clap", "indicatif", "anstream"],
    );
    assert_absent("src/serve", &["crate::cli", "crate::validation", "crate::job"]);
    assert_absent("src/validation", &["crate::output", "crate::cli"]);
    for folder in ["model", "engine", "metrics", "scenario", "experiment", "output", "validation"] {
        assert_absent(&format!("src/{folder}"), &["crate::job"]);
    }
    for folder in ["src/model", "src/engine", "src/metrics", "src/scenario", "src/experiment"] {
        assert_absent(folder, &["crate::validation", "crate::serve"]);
    }
}

/// What a question is answered with depends on nothing that a web server is made of.
#[test]
fn only_the_server_knows_http() {
    for file in rust_files("src") {
        if file != Path::new("src/serve/server.rs") {
            let file = file.to_str().expect("a name in UTF-8");
            assert_absent(file, &["axum::", "hyper::", "hyper_util::", "tokio::"]);
        }
    }
}

#[test]
fn routing_and_detectors_have_no_oracle() {
    for file in [
        "routing",
        "learned",
        "health_check",
        "breaker",
        "window",
        "ejection",
        "outlier",
        "nginx",
        "budget",
        "backoff",
        "alerts",
        "operator",
    ] {
        let file = format!("src/engine/{file}.rs");
        assert_absent(&file, &["world", "World", "Fault", "Fate"]);
    }
}

#[test]
fn only_the_command_line_prints_or_exits() {
    for folder in [
        "src/scenario",
        "src/experiment",
        "src/metrics",
        "src/output",
        "src/job",
        "src/serve",
        "src/validation",
    ] {
        assert_absent(folder, &["println!", "eprintln!", "print!(", "process::exit"]);
    }
}

#[test]
fn main_is_short_and_files_hold_one_noun() {
    let lines = |file: &Path| fs::read_to_string(file).expect("a readable file").lines().count();
    assert!(lines(Path::new("src/main.rs")) < 60);
    for file in rust_files("src") {
        assert!(lines(&file) <= 600, "{} has {} lines: two nouns in it?", file.display(), lines(&file));
    }
}

#[test]
fn no_hash_map_is_iterated() {
    assert_absent("src", &["HashMap", "HashSet"]);
}
