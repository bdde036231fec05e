//! Rebuilds the crate when a part in `models/` changes: they are embedded in the binary. Numbers the build by all that
//! its results depend on.

use std::fs;
use std::path::Path;

fn main() {
    let sources = ["Cargo.lock", "models", "src"];
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for source in sources {
        println!("cargo::rerun-if-changed={source}");
        add(Path::new(source), &mut hash);
    }
    println!("cargo::rustc-env=FAILOVER_SIM_SOURCES={hash:016x}");
}

/// Adds a file, or all files of a folder, to an FNV-1a hash.
fn add(path: &Path, hash: &mut u64) {
    if let Ok(entries) = fs::read_dir(path) {
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths.iter().for_each(|path| add(path, hash));
        return;
    }
    let name = path.to_string_lossy();
    for byte in name.bytes().chain(fs::read(path).unwrap_or_default()) {
        *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
}
