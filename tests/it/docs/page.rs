//! A page of Markdown: its fenced blocks, its headings and its links.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub struct Page {
    /// From the root of the repository.
    pub path: PathBuf,
    pub text: String,
    pub blocks: Vec<Block>,
    /// The lines outside of blocks, with their numbers.
    pub prose: Vec<(usize, String)>,
}

/// What stands between two fences.
pub struct Block {
    pub language: String,
    /// The line of the opening fence, from 1.
    pub line: usize,
    /// Without the indentation of its fence.
    pub text: String,
    /// Where it stands in the page, without its fences.
    pub range: Range<usize>,
    /// What an HTML comment says on the last line before it.
    pub comment: Option<String>,
}

impl Page {
    pub fn read(path: &Path) -> Page {
        let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = fs::read_to_string(&full).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (mut blocks, mut prose) = (Vec::new(), Vec::new());
        let (mut open, mut comment): (Option<(Block, usize)>, _) = (None, None);
        let mut at = 0;
        for (i, raw) in text.split_inclusive('\n').enumerate() {
            let line = raw.trim_end();
            let bare = line.trim_start();
            match open.take() {
                None if bare.starts_with("```") => {
                    let language = bare.trim_start_matches('`').to_owned();
                    let range = at + raw.len()..at + raw.len();
                    let block = Block { language, line: i + 1, text: String::new(), range, comment };
                    open = Some((block, line.len() - bare.len()));
                    comment = None;
                }
                None => {
                    if !bare.is_empty() {
                        let inner = bare.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
                        comment = inner.map(|inner| inner.trim().to_owned());
                    }
                    prose.push((i + 1, line.to_owned()));
                }
                Some((mut block, _)) if bare == "```" => {
                    block.range.end = at;
                    blocks.push(block);
                }
                Some((mut block, indent)) => {
                    let indent = indent.min(line.len() - bare.len());
                    block.text.push_str(&line[indent..]);
                    block.text.push('\n');
                    open = Some((block, indent));
                }
            }
            at += raw.len();
        }
        assert!(open.is_none(), "{}: a block has no end", path.display());
        Page { path: path.to_owned(), text, blocks, prose }
    }

    /// Where to look for what is at fault.
    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    /// What stands in single backticks outside of blocks, with its line; it may run over the end of a line.
    pub fn code_spans(&self) -> Vec<(usize, String)> {
        let mut spans = Vec::new();
        for paragraph in self.prose.split(|(_, line)| line.trim().is_empty()) {
            let Some((first, _)) = paragraph.first() else { continue };
            let lines: Vec<&str> = paragraph.iter().map(|(_, line)| line.trim()).collect();
            let (mut line, joined) = (*first, lines.join("\n"));
            for (i, part) in joined.split('`').enumerate() {
                if i % 2 == 1 {
                    spans.push((line, part.replace('\n', " ")));
                }
                line += part.matches('\n').count();
            }
        }
        spans
    }

    /// Where its links lead, with their lines, as written.
    pub fn links(&self) -> Vec<(usize, String)> {
        let mut links = Vec::new();
        for (number, line) in &self.prose {
            // What is code is no link.
            let outside = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
            for rest in outside.split("](").skip(1) {
                links.push((*number, rest.split([')', ' ']).next().unwrap_or_default().to_owned()));
            }
        }
        links
    }

    /// What a link to a heading may name, as forges and mdBook make it.
    pub fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = Vec::new();
        for (_, line) in &self.prose {
            let Some(heading) = line.trim_start_matches('#').strip_prefix(' ') else { continue };
            if !line.starts_with('#') {
                continue;
            }
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
            let slug = slug.to_lowercase();
            let same = anchors.iter().filter(|a| **a == slug).count();
            anchors.push(if same == 0 { slug } else { format!("{slug}-{same}") });
        }
        anchors
    }
}

/// The Markdown files below a folder, in order of their names.
pub fn below(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(root.join(&folder)).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = folder.join(entry.expect("a readable entry").file_name());
            if root.join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every page that tells people what to do.
pub fn pages() -> Vec<Page> {
    let mut paths = vec![PathBuf::from("README.md")];
    for folder in ["docs", "experiments", "models", "dashboards", "notebooks"] {
        paths.extend(below(folder));
    }
    paths.iter().map(|path| Page::read(path)).collect()
}

/// The pages of the book that the program makes.
pub fn is_generated(page: &Page) -> bool {
    page.text.contains("do not edit.")
}
