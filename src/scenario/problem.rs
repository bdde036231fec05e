//! What is wrong with a file, and how it is shown: place, value and what to write instead.
//!
//! Problems are collected, never thrown one at a time. Printing them is left to the command line.

use super::source::Place;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::fmt;

/// One thing that is wrong, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(Box<Details>);

/// Boxed, so that a result that may hold a problem stays small.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    message: String,
    at: Option<Place>,
    label: Option<String>,
    also: Option<(Place, String)>,
    help: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Problem(Box::new(Details { message: message.into(), at: None, label: None, also: None, help: None }))
    }

    pub(crate) fn at(mut self, place: &Place) -> Self {
        self.0.at = Some(place.clone());
        self
    }

    /// What to say right at the underlined text.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = Some(label.into());
        self
    }

    /// A second place that has to do with it.
    pub(crate) fn also(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.0.also = Some((place.clone(), label.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to write instead.
    pub fn fix(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The file and line, `mine.toml:12`, or where else the value came from.
    pub fn origin(&self) -> Option<String> {
        self.0.at.as_ref().map(Place::origin)
    }

    fn report(&self) -> Group<'_> {
        let mut group = Group::with_title(Level::ERROR.primary_title(self.0.message.as_str()));
        match &self.0.at {
            Some(place) if place.is_whole() => {
                group = group.element(Origin::path(place.source.name.as_str()));
            }
            Some(place) => {
                let mut primary = AnnotationKind::Primary.span(clamped(place));
                if let Some(label) = &self.0.label {
                    primary = primary.label(label.as_str());
                }
                let mut snippet = snippet(place).annotation(primary);
                if let Some((other, label)) = self.0.also.as_ref().filter(|(o, _)| o.source == place.source) {
                    let context = AnnotationKind::Context.span(clamped(other)).label(label.as_str());
                    snippet = snippet.annotation(context);
                }
                group = group.element(snippet);
                if let Some((other, label)) = self.0.also.as_ref().filter(|(o, _)| o.source != place.source) {
                    let context = AnnotationKind::Context.span(clamped(other)).label(label.as_str());
                    group = group.element(self::snippet(other).annotation(context));
                }
            }
            None => {}
        }
        match &self.0.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        }
    }
}

fn snippet(place: &Place) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    Snippet::source(place.source.text.as_str())
        .path(place.source.name.as_str())
        .line_start(place.source.first_line)
}

/// The renderer must not be given a span past the end, which a syntax error at the end of a file has.
fn clamped(place: &Place) -> std::ops::Range<usize> {
    let end = place.source.text.len();
    place.span.start.min(end)..place.span.end.min(end)
}

/// Everything that is wrong, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// `Ok` if there is no problem.
    pub(crate) fn check(mut problems: Vec<Problem>) -> Result<(), Problems> {
        if problems.is_empty() {
            return Ok(());
        }
        // Files in the order in which they were first complained about; places in a file from top to bottom.
        let mut names: Vec<String> = Vec::new();
        for place in problems.iter().filter_map(|problem| problem.0.at.as_ref()) {
            if !names.contains(&place.source.name) {
                names.push(place.source.name.clone());
            }
        }
        problems.sort_by_key(|problem| {
            problem.0.at.as_ref().map(|place| {
                let file = names.iter().position(|name| *name == place.source.name);
                (file, place.line(), place.span.start)
            })
        });
        // One part may be used by many tables: say what is wrong with it once.
        problems.dedup_by(|Problem(a), Problem(b)| a.at.is_some() && a.at == b.at && a.help == b.help);
        Err(Problems(problems))
    }

    /// The problems, in the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    pub(crate) fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    /// As text for a terminal, one block for each problem; `color` adds ANSI colours.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let block = |problem: &Problem| match (&problem.0.at, problem.fix()) {
            // Without a place the renderer leaves a gap where the text would be.
            (None, Some(fix)) => format!("error: {}\n  = help: {fix}", problem.message()),
            _ => renderer.render(&[problem.report()]),
        };
        self.0.iter().map(block).collect::<Vec<String>>().join("\n\n")
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Problems(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// The known name most like `name`, if any is like it at all.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Did you mean the nearest; else what there is to choose from.
pub(crate) fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("choose {}", one_of(known)),
    }
}
