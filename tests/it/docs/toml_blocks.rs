//! TOML in the docs is valid: whole scenarios as they stand, and parts laid over the README's scenario.

use super::page::pages;
use failover_sim::scenario::Loader;
use toml::{Table, Value};

/// Lays a part over a scenario: tables merge, everything else replaces.
fn lay_over(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => lay_over(under, over),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

/// What the README's scenario leaves out and parts may ask for: how many tokens requests have.
const TOKENS: &str =
    "traffic.class.chat = { input_tokens = { constant = 1155 }, output_tokens = { constant = 211 } }";

#[test]
fn every_scenario_and_every_part_is_valid() {
    let mut base: Option<Table> = None;
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        for block in page.blocks.iter().filter(|block| block.language == "toml") {
            let place = page.place(block.line);
            let written: Table = toml::from_str(&block.text).unwrap_or_else(|e| panic!("{place}: {e}"));
            if written.contains_key("question") || block.comment.is_some() {
                // An experiment is read with its scenarios by the command below it; a comment says why a block is none.
                continue;
            }
            let whole = if written.contains_key("duration") {
                block.text.clone()
            } else {
                let mut whole = base.clone().expect("the README's scenario comes first");
                lay_over(&mut whole, written.clone());
                if whole["traffic"].get("class").is_none() {
                    lay_over(&mut whole, toml::from_str(TOKENS).expect("TOML"));
                }
                toml::to_string(&whole).expect("what was read can be written")
            };
            base.get_or_insert(written);
            count += 1;
            let model = Loader::new().parse(&place, &whole).and_then(|document| document.model());
            if let Err(problems) = model {
                wrong.push(problems.to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 5, "{count} blocks are read");
}
