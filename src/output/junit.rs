//! The JUnit report that `run --format junit` prints, which CI systems read: a suite for each scenario, a case for each
//! objective.

use super::ScenarioResult;
use super::objectives::finding_words;
use crate::experiment::objective::Finding;
use std::fmt::Write;

/// The report, by the schema that Jenkins and GitLab read. Scenarios of which nothing was asked are left out.
pub fn junit(scenarios: &[ScenarioResult]) -> String {
    let asked = scenarios.iter().filter(|scenario| !scenario.findings.is_empty());
    let all: Vec<&Finding> = scenarios.iter().flat_map(|scenario| scenario.findings).collect();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(&mut text, 0, "testsuites", &[("name", "failover-sim")], &all, |text| {
        for scenario in asked {
            let findings: Vec<&Finding> = scenario.findings.iter().collect();
            element(text, 1, "testsuite", &[("name", &scenario.model.name)], &findings, |text| {
                scenario.findings.iter().for_each(|finding| case(text, &scenario.model.name, finding));
            });
        }
    });
    text
}

/// An element that counts its cases.
fn element(
    text: &mut String,
    depth: usize,
    name: &str,
    attributes: &[(&str, &str)],
    findings: &[&Finding],
    content: impl FnOnce(&mut String),
) {
    let (tests, missed) = (findings.len(), findings.iter().filter(|finding| !finding.judgement.met).count());
    let attributes: String =
        attributes.iter().map(|(key, value)| format!(" {key}=\"{}\"", escaped(value))).collect();
    let indent = "  ".repeat(depth);
    writeln!(text, "{indent}<{name}{attributes} tests=\"{tests}\" failures=\"{missed}\" errors=\"0\">")
        .expect("a string grows");
    content(text);
    writeln!(text, "{indent}</{name}>").expect("a string grows");
}

fn case(text: &mut String, scenario: &str, finding: &Finding) {
    let objective = &finding.objective;
    let (name, class) = (escaped(&objective.criterion.to_string()), escaped(scenario));
    let words = escaped(&finding_words(finding));
    let about = objective.about.as_deref().map(|about| format!("{}\n", escaped(about))).unwrap_or_default();
    let origin = escaped(&objective.origin);
    write!(text, "    <testcase name=\"{name}\" classname=\"{class}\">").expect("a string grows");
    match finding.judgement.met {
        true => write!(text, "<system-out>{words}</system-out>"),
        false => write!(
            text,
            "<failure type=\"missed\" message=\"{words}\">{about}{name} ({origin})\nfound {words}</failure>"
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
