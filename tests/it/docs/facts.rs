//! Numbers that stand in the README, the book and a generated page are the same.

use std::fs;

/// The row of a table that starts with this cell.
fn row<'a>(page: &'a str, first: &str) -> Vec<&'a str> {
    let row = page
        .lines()
        .find(|line| line.starts_with(&format!("| {first} ")))
        .unwrap_or_else(|| panic!("{first}"));
    row.trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn the_readme_has_the_bars_of_the_fidelity_table() {
    let readme = fs::read_to_string("README.md").expect("a README");
    let fidelity = fs::read_to_string("docs/fidelity.md").expect("a table");
    for (name, shown) in [
        ("haproxy", "HAProxy"),
        ("envoy", "Envoy"),
        ("nginx", "nginx"),
        ("litellm", "LiteLLM"),
        ("portkey", "Portkey"),
    ] {
        // gateway, rows, inside, p, cells, means, off, detected, recovered, holds
        let bar = row(&fidelity, name);
        let told = row(&readme, shown);
        let inside = bar[2].replace("100.0%", "100%");
        assert_eq!(told[1..], [bar[1], inside.as_str(), bar[7], bar[8]], "{shown}");
        assert_eq!(bar[9], "yes");
    }
}
