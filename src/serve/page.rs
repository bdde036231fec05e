//! The page itself: one file of HTML with all that it needs in it, and the scenario as data.

use super::{Answer, Asked, Section, WhatIf};
use serde::Serialize;
use std::hash::{BuildHasher, Hasher, RandomState};

const TEMPLATE: &str = include_str!("page/index.html");
/// What the report looks like, and what the page adds.
const STYLES: [&str; 2] = [include_str!("../output/report/page/style.css"), include_str!("page/what_if.css")];
const CHARTS: &str = include_str!("../output/report/page/vendor/echarts.min.js");
/// The report's elements, numbers and axes, and what the page does with them.
const SCRIPTS: [&str; 6] = [
    include_str!("../output/report/page/js/dom.js"),
    include_str!("../output/report/page/js/chart.js"),
    include_str!("page/knobs.js"),
    include_str!("page/figures.js"),
    include_str!("page/results.js"),
    include_str!("page/main.js"),
];

/// What the page knows before it asks anything.
#[derive(Serialize)]
struct Start<'a> {
    version: &'static str,
    name: &'a str,
    path: &'a str,
    about: Option<&'a str>,
    seed: u64,
    runs: u64,
    sections: &'a [Section],
    /// The scenario as written; null if it cannot be played in time, and then the page says why.
    written: Option<Answer>,
}

/// A page, but for the word that its scripts are known by.
#[derive(Debug)]
pub(super) struct Page {
    /// Between each two of them stands that word.
    pieces: Vec<String>,
}

impl Page {
    pub fn new(what_if: &WhatIf) -> Self {
        let start = Start {
            version: env!("CARGO_PKG_VERSION"),
            name: what_if.name(),
            path: what_if.path(),
            about: what_if.about(),
            seed: what_if.seed(),
            runs: what_if.runs(),
            sections: what_if.sections(),
            written: what_if.answer(&Asked::default(), &()).ok(),
        };
        // No name in the scenario can end the element that it is in.
        let start = serde_json::to_string(&start).expect("a start is plain data").replace('<', "\\u003c");
        let mut pieces = vec![String::new()];
        for (nth, part) in TEMPLATE.split("@@").enumerate() {
            let last = pieces.last_mut().expect("there is one from the start");
            match (nth % 2, part) {
                (0, markup) => last.push_str(markup),
                (_, "nonce") => pieces.push(String::new()),
                (_, "style") => STYLES.iter().for_each(|style| last.push_str(style)),
                (_, "charts") => last.push_str(CHARTS),
                (_, "script") => SCRIPTS.iter().for_each(|script| last.push_str(script)),
                (_, "start") => last.push_str(&start),
                (_, other) => unreachable!("the template asks for {other}"),
            }
        }
        Page { pieces }
    }

    /// The HTML, and what it may do: run its own scripts, and ask its own server.
    pub fn rendered(&self) -> (String, String) {
        let nonce = nonce();
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        (self.pieces.join(&nonce), policy)
    }
}

/// A word that nobody can know before: the standard library keys its hashes with the system's random numbers.
fn nonce() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}
