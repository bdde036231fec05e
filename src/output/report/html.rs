//! The page: one file with everything in it.

use super::ReportDocument;

const PAGE: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
const CHARTS: &str = include_str!("page/vendor/echarts.min.js");
/// What a browser lets run: the two scripts of this page, by their hashes, and nothing that a name might bring in.
const HASHES: &str = include_str!("page/script-hashes.txt");
const SCRIPT: &str = concat!(
    include_str!("page/js/dom.js"),
    include_str!("page/js/chart.js"),
    include_str!("page/js/summary.js"),
    include_str!("page/js/run.js"),
    include_str!("page/js/parts.js"),
    include_str!("page/js/points.js"),
    include_str!("page/js/sweep.js"),
    include_str!("page/js/tune.js"),
    include_str!("page/js/main.js"),
);

/// The report as one HTML file that needs no network.
pub fn html(report: &ReportDocument) -> String {
    let (title, json) = (escaped(&report.title), script_json(report));
    let texts = [
        ("{{hashes}}", HASHES.trim()),
        ("{{title}}", &title),
        ("{{style}}", STYLE),
        ("{{data}}", &json),
        ("{{charts}}", CHARTS),
        ("{{script}}", SCRIPT),
    ];
    fill(PAGE, &texts)
}

/// Puts texts in the place of placeholders, each of which is in the page once. What is put in is not looked at again: a
/// placeholder in a name stays one.
fn fill(page: &str, texts: &[(&str, &str)]) -> String {
    let mut places: Vec<(usize, &str, &str)> =
        texts.iter().filter_map(|(name, text)| Some((page.find(name)?, *name, *text))).collect();
    places.sort_unstable();
    let (mut filled, mut at) = (String::new(), 0);
    for (place, name, text) in places {
        filled.push_str(&page[at..place]);
        filled.push_str(text);
        at = place + name.len();
    }
    filled + &page[at..]
}

/// JSON that can stand in a `script` element: nothing in it ends the element, starts a comment or is a line break to
/// JavaScript.
pub(super) fn script_json(report: &ReportDocument) -> String {
    let json = serde_json::to_string(report).expect("a report is plain data");
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // In JSON these occur in strings only, where an escape means the same.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Text as HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
