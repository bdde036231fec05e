//! The JUnit report that `--format junit` prints, which CI systems read: of `run`, a suite for each scenario and a case
//! for each objective.

use super::ScenarioResult;
use super::objectives::finding_words;
use crate::experiment::objective::Finding;
use std::fmt::Write;

/// A suite of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JunitSuite {
    /// What its cases are of.
    pub name: String,
    /// In order.
    pub cases: Vec<JunitCase>,
}

/// Something that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JunitCase {
    /// What was asked for.
    pub name: String,
    /// Whether it holds.
    pub met: bool,
    /// What was found.
    pub found: String,
    /// What to say above it if it does not hold.
    pub details: String,
}

/// The report of gates and objectives. Scenarios of which nothing was asked are left out.
pub fn junit(scenarios: &[ScenarioResult]) -> String {
    let asked = scenarios.iter().filter(|scenario| !scenario.findings.is_empty());
    let suite = |scenario: &ScenarioResult| JunitSuite {
        name: scenario.model.name.clone(),
        cases: scenario.findings.iter().map(JunitCase::of).collect(),
    };
    junit_text(&asked.map(suite).collect::<Vec<_>>())
}

impl JunitCase {
    fn of(finding: &Finding) -> Self {
        let objective = &finding.objective;
        let name = objective.criterion.to_string();
        let about = objective.about.as_ref().map(|about| format!("{about}\n")).unwrap_or_default();
        let details = format!("{about}{name} ({})\n", objective.origin);
        JunitCase { met: finding.judgement.met, found: finding_words(finding), details, name }
    }
}

/// The report, by the schema that Jenkins and GitLab read.
pub fn junit_text(suites: &[JunitSuite]) -> String {
    let all: Vec<&JunitCase> = suites.iter().flat_map(|suite| &suite.cases).collect();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(&mut text, 0, "testsuites", "failover-sim", &all, |text| {
        for suite in suites {
            element(text, 1, "testsuite", &suite.name, &suite.cases.iter().collect::<Vec<_>>(), |text| {
                suite.cases.iter().for_each(|case| write_case(text, &suite.name, case));
            });
        }
    });
    text
}

/// An element that counts its cases.
fn element(
    text: &mut String,
    depth: usize,
    element: &str,
    name: &str,
    cases: &[&JunitCase],
    content: impl FnOnce(&mut String),
) {
    let (tests, missed) = (cases.len(), cases.iter().filter(|case| !case.met).count());
    let (indent, name) = ("  ".repeat(depth), escaped(name));
    let counts = format!("tests=\"{tests}\" failures=\"{missed}\" errors=\"0\"");
    writeln!(text, "{indent}<{element} name=\"{name}\" {counts}>").expect("a string grows");
    content(text);
    writeln!(text, "{indent}</{element}>").expect("a string grows");
}

fn write_case(text: &mut String, suite: &str, case: &JunitCase) {
    let (name, class, found) = (escaped(&case.name), escaped(suite), escaped(&case.found));
    write!(text, "    <testcase name=\"{name}\" classname=\"{class}\">").expect("a string grows");
    let details: Vec<String> = case.details.lines().map(|line| escaped(line) + "\n").collect();
    match case.met {
        true => write!(text, "<system-out>{found}</system-out>"),
        false => write!(
            text,
            "<failure type=\"missed\" message=\"{found}\">{}found {found}</failure>",
            details.concat()
        ),
    }
    .expect("a string grows");
    text.push_str("</testcase>\n");
}

/// Text as XML 1.0 can hold it, in attributes too: of control characters it takes but three.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\n' | '\r' | '\t' => write!(safe, "&#{};", u32::from(character)).expect("a string grows"),
            c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_ends_an_attribute_or_an_element() {
        assert_eq!(
            escaped("a<b> & \"c\"\n'd'\u{1b}\u{7f}é\u{ffff}"),
            "a&lt;b&gt; &amp; &quot;c&quot;&#10;&apos;d&apos;\u{fffd}\u{7f}é\u{fffd}"
        );
    }
}
