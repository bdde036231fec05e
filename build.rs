//! Rebuilds the crate when a part in `models/` changes: they are embedded in the binary.

fn main() {
    println!("cargo::rerun-if-changed=models");
}
