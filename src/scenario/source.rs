//! Where text came from: a file, an embedded part, a line of a trace, or a setting given by hand.
//!
//! A [`Place`] is a stretch of such text; every value of a scenario keeps one, so that a problem found much later can
//! still underline what was written.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Where paths named by a text are looked up first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Folder {
    /// On disk.
    Disk(PathBuf),
    /// In the embedded `models/`, relative to it.
    Embedded(PathBuf),
}

/// A text that values were read from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// What people call it: a path, `--set` or `sweep`.
    pub name: String,
    pub text: String,
    /// The number of the text's first line; above 1 where only a part of a large file is kept.
    pub first_line: usize,
    /// False for a setting given by hand, whose line number would say nothing.
    pub is_file: bool,
    pub folder: Folder,
}

/// A stretch of a source, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub source: Arc<Source>,
    pub span: Range<usize>,
}

impl Place {
    pub fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        Place { source: source.clone(), span }
    }

    /// The source as a whole: for what is missing from it.
    pub fn whole(source: &Arc<Source>) -> Self {
        Place::new(source, 0..0)
    }

    pub fn is_whole(&self) -> bool {
        self.span == (0..0)
    }

    pub fn line(&self) -> usize {
        let before = &self.source.text.as_bytes()[..self.span.start.min(self.source.text.len())];
        self.source.first_line + before.iter().filter(|byte| **byte == b'\n').count()
    }

    /// The text itself.
    pub fn text(&self) -> &str {
        self.source.text.get(self.span.clone()).unwrap_or_default()
    }

    /// As told to people: `mine.toml:12`, `--set`.
    pub fn origin(&self) -> String {
        match self.source.is_file {
            true => format!("{}:{}", self.source.name, self.line()),
            false => self.source.name.clone(),
        }
    }
}

/// A text that the command line gave, as a whole; `origin` is what to call it, such as `--gate`.
pub(crate) fn given_by_hand(origin: &str, text: &str) -> Place {
    let source = Arc::new(Source {
        name: origin.to_owned(),
        text: text.to_owned(),
        first_line: 1,
        is_file: false,
        folder: Folder::Disk(PathBuf::new()),
    });
    Place::new(&source, 0..text.len())
}
