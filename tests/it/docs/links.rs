//! Links lead to files and headings that exist, and the book's list of contents has every page.

use super::page::{Page, below, pages};
use std::path::{Component, Path, PathBuf};

/// A path without its `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(tidy.pop(), "{} leaves the repository", path.display()),
            part => tidy.push(part),
        }
    }
    tidy
}

#[test]
fn every_link_leads_somewhere() {
    let others = ["ARCHITECTURE.md", "CHANGELOG.md", "tests/real_gateways/README.md"];
    let mut missing = Vec::new();
    let mut count = 0;
    for page in pages().into_iter().chain(others.map(|path| Page::read(Path::new(path)))) {
        for (line, link) in page.links() {
            if link.contains("://") {
                continue;
            }
            count += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => page.path.clone(),
                path => tidy(&page.path.parent().expect("a file has a folder").join(path)),
            };
            if !Path::new(env!("CARGO_MANIFEST_DIR")).join(&target).exists() {
                missing.push(format!("{}: {link}: no such file", page.place(line)));
            } else if !anchor.is_empty() && !Page::read(&target).anchors().iter().any(|a| a == anchor) {
                missing.push(format!("{}: {link}: no such heading", page.place(line)));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(count > 100, "{count} links are read");
}

#[test]
fn the_contents_of_the_book_have_every_page_once() {
    let summary = Page::read(Path::new("docs/SUMMARY.md"));
    let mut listed: Vec<PathBuf> =
        summary.links().iter().map(|(_, link)| Path::new("docs").join(link)).collect();
    listed.sort();
    let pages: Vec<PathBuf> =
        below("docs").into_iter().filter(|path| !path.ends_with("SUMMARY.md")).collect();
    assert_eq!(listed, pages);
}
