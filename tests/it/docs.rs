//! The book in `docs/`, the README and the experiments' findings: what they show is true.
//!
//! Commands are played as written, and what is shown of their output is what they print ([`commands`]); TOML is valid
//! ([`toml_blocks`]); links lead somewhere ([`links`]); the reference is what the program says of itself ([`reference`]);
//! numbers that stand in two places are the same ([`facts`]). `docs/README.md` says how to write a page.

mod commands;
mod facts;
mod links;
mod page;
mod reference;
mod toml_blocks;

use std::fs;
use std::path::Path;

/// Writes a generated page if that is asked for, and has it be as generated.
#[track_caller]
fn assert_generated(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if updating() {
        fs::write(&path, text).expect("the page can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{name} is out of step: run the tests with UPDATE_DOCS=1 and commit it");
}

/// Whether what is generated is to be written, and not only compared.
fn updating() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}
