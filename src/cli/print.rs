//! What commands print, and how: in which format, how much of it, in colour or not.

use super::Failure;
use super::progress::Bar;
use crate::output::terminal::Screen;
use anstream::{AutoStream, ColorChoice};
use std::io::{self, IsTerminal, Write};

/// How a command prints its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    // No documentation of variants: it would become help of several lines for each.
    Table,
    Json,
    Csv,
    Junit,
}

/// Options of every command that prints results.
#[derive(Debug, clap::Args)]
pub(super) struct PrintArgs {
    /// What to print: a summary to read, a document, a table's rows, or a report for CI
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
    /// Print errors, and what `--format` other than table asks for; no summary, note or progress
    #[arg(short, long)]
    quiet: bool,
}

impl PrintArgs {
    /// The format that was asked for, given that it is the table, which every command has, or one of `others`.
    ///
    /// # Errors
    /// If not; `command` is how it calls itself.
    pub fn format(&self, command: &str, others: &[Format]) -> Result<Format, Failure> {
        let why = match self.format {
            format if format == Format::Table || others.contains(&format) => return Ok(format),
            Format::Junit => {
                format!("`--format junit` reports what is judged, and `{command}` judges nothing")
            }
            Format::Csv => format!("`--format csv` prints a table's rows, and `{command}` has no table"),
            Format::Json | Format::Table => {
                format!("`--format json` prints a document, and `{command}` has none")
            }
        };
        let help = match others.iter().map(|format| format.name()).collect::<Vec<_>>().as_slice() {
            [] => "leave it out".to_owned(),
            [only] => format!("leave it out, or choose `--format {only}`"),
            several => format!("leave it out, or choose one of {}", several.join(", ")),
        };
        Err(Failure::refused(why, help))
    }

    /// Prints what people read, unless nobody wants to.
    pub fn summary(&self, text: &str) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { print_out(text) }
    }

    /// Says something beside the results. A closed standard error is no reason to stop.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Says what a results folder lacks when Parquet was left out of the build.
    pub fn note_missing_parquet(&self) {
        if !crate::output::PARQUET_AVAILABLE {
            self.note(
                "note: this build writes CSV only, of runs and points; build without `--no-default-features` for Parquet",
            );
        }
    }

    /// A progress bar of so many runs, of which some are done already; hidden where it is not wanted.
    pub fn bar(&self, runs: u64, done: u64) -> Result<Bar, Failure> {
        Bar::start(runs, done, !self.quiet && io::stderr().is_terminal())
    }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Junit => "junit",
        }
    }
}

/// When to print in colour. By itself on a terminal that has colours, unless NO_COLOR is set; elsewhere only with
/// CLICOLOR_FORCE.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

impl Colour {
    /// Makes it the choice for all that this process prints.
    pub fn choose(self) {
        let choice = match self {
            Colour::Auto => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// Prints why a command did not do what it was asked to standard error.
pub(super) fn print_failure(failure: &Failure) {
    let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    // Where nobody listens any more, there is nobody to tell.
    let _ = writeln!(io::stderr(), "{}", failure.text(colour));
}

/// What standard output is shown on.
pub(super) fn screen() -> Screen {
    let stdout = io::stdout();
    let has_colour = AutoStream::choice(&stdout) != ColorChoice::Never;
    if !stdout.is_terminal() {
        return Screen { has_colour, ..Screen::PAPER };
    }
    let asked = || std::env::var("COLUMNS").ok()?.parse().ok();
    let columns = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
    let width = columns.or_else(asked).unwrap_or(Screen::WIDEST).clamp(Screen::NARROWEST, Screen::WIDEST);
    Screen { width, has_colour, is_ascii: is_ascii_locale() }
}

/// Whether a locale is set that has no UTF-8. Where none is, terminals have it nevertheless.
fn is_ascii_locale() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let is_utf8 = |locale: &str| ["utf-8", "utf8"].iter().any(|name| locale.to_lowercase().contains(name));
    set.is_some_and(|locale| !is_utf8(&locale))
}

/// Prints to standard output. A reader that has gone away, as `head` does, ends the program quietly.
pub(super) fn print_out(text: &str) -> Result<(), Failure> {
    printed(io::stdout().lock().write_all(text.as_bytes()))
}

/// What comes of writing to standard output.
pub(super) fn printed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::bad_input(format!("error: cannot write to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}
