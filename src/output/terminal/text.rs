//! Words laid out for a screen: lines that fit, colours that say nothing which the words do not, and short numbers.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Where a summary is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns that lines may have, from [`Screen::NARROWEST`] to [`Screen::WIDEST`].
    pub width: usize,
    /// Whether it shows colours.
    pub has_colour: bool,
    /// Whether it shows no more than ASCII.
    pub is_ascii: bool,
}

impl Screen {
    /// Lines are not broken into less than this.
    pub const NARROWEST: usize = 40;
    /// Wider lines are hard to read.
    pub const WIDEST: usize = 80;
    /// What is written into a file or a pipe.
    pub const PAPER: Screen = Screen { width: Screen::WIDEST, has_colour: false, is_ascii: false };
}

/// What words may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::output) enum Ink {
    /// What failed.
    Bad,
    /// What went well.
    Good,
    /// What deserves a look.
    Odd,
    Heading,
    Faint,
}

impl Ink {
    /// The parameter of the escape sequence: one of the eight colours that every theme has, or a weight.
    const fn code(self) -> u8 {
        match self {
            Ink::Bad => 31,
            Ink::Good => 32,
            Ink::Odd => 33,
            Ink::Heading => 1,
            Ink::Faint => 2,
        }
    }
}

/// A space between words that belong together.
pub(super) const NO_BREAK: char = '\u{a0}';
const ESCAPE: char = '\u{1b}';

/// A text in the making.
#[derive(Debug)]
pub(in crate::output) struct Text {
    out: String,
    screen: Screen,
}

impl Text {
    pub fn new(screen: Screen) -> Self {
        Text { out: String::new(), screen }
    }

    /// How many columns lines may have.
    pub fn width(&self) -> usize {
        self.screen.width
    }

    /// All lines.
    pub fn finish(self) -> String {
        if self.screen.is_ascii { self.out.chars().map(in_ascii).collect() } else { self.out }
    }

    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// Words in an ink, where the screen has it.
    pub fn inked(&self, ink: Ink, words: &str) -> String {
        if !self.screen.has_colour || words.is_empty() {
            return words.to_owned();
        }
        format!("{ESCAPE}[{}m{words}{ESCAPE}[0m", ink.code())
    }

    /// A line as it is.
    pub fn line(&mut self, words: &str) {
        self.out.push_str(words.trim_end());
        self.out.push('\n');
    }

    /// Words broken at spaces so that they fit, but not at [`NO_BREAK`]; further lines are indented.
    pub fn wrapped(&mut self, words: &str, indent: usize) {
        let lines = wrap(words, indent, self.screen.width);
        self.line(&lines.replace(NO_BREAK, " "));
    }

    /// A heading over the whole width.
    pub fn title(&mut self, words: &str) {
        let title = format!("── {words} ");
        let width = self.screen.width;
        if title.width() <= width {
            let rule = "─".repeat(width - title.width());
            self.line(&self.inked(Ink::Heading, &format!("{title}{rule}")));
        } else {
            self.line(&self.inked(Ink::Heading, &"─".repeat(width)));
            self.wrapped(words, 2);
        }
    }
}

/// What stands for a character that is not ASCII, as wide as that.
fn in_ascii(character: char) -> char {
    match character {
        '─' => '-',
        '▕' | '▏' => '|',
        '·' => '.',
        '✓' => '+',
        '✗' => 'x',
        c if c.is_ascii() => c,
        _ => '?',
    }
}

/// Text from a file on one line, without what a terminal would obey.
pub(in crate::output) fn plain(words: &str) -> String {
    let visible: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The characters of a line, and how many columns they and those before them take. Escape sequences take none.
fn columns(line: &str) -> impl Iterator<Item = (usize, usize)> {
    let (mut width, mut is_escape) = (0, false);
    line.char_indices().map(move |(at, c)| {
        match (is_escape, c) {
            (true, 'm') => is_escape = false,
            (true, _) => {}
            (false, ESCAPE) => is_escape = true,
            (false, c) => width += c.width().unwrap_or(0),
        }
        (at, width)
    })
}

fn shown_width(line: &str) -> usize {
    columns(line).last().map_or(0, |(_, width)| width)
}

fn wrap(words: &str, indent: usize, width: usize) -> String {
    let mut lines = vec![String::new()];
    let lead = words.len() - words.trim_start().len();
    lines[0].push_str(&words[..lead]);
    let mut is_start = true;
    // Splitting at single spaces keeps runs of them, which align labels.
    for word in words[lead..].split(' ') {
        let last = lines.last_mut().expect("there is a line");
        if is_start || shown_width(last) + 1 + shown_width(word) <= width {
            if !is_start {
                last.push(' ');
            }
            last.push_str(word);
        } else {
            lines.push(" ".repeat(indent) + word);
        }
        is_start = false;
        // A word that no line has room for is broken.
        let beyond = |line: &String| columns(line).find(|(_, columns)| *columns > width).map(|(at, _)| at);
        while let Some(at) = lines.last().and_then(beyond) {
            let last = lines.last_mut().expect("there is a line");
            let rest = " ".repeat(indent) + &last.split_off(at);
            lines.push(rest);
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// The beginning of a text that has so many columns, marked where it is cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let fits = columns(text).take_while(|(_, columns)| *columns < width).count();
    text.chars().take(fits).chain(['…']).collect()
}

/// A whole number with its thousands set apart: `14,000`.
pub fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value < 0.0 && digits != "0" { format!("-{grouped}") } else { grouped }
}

/// A number that may be beyond all counting.
pub(crate) fn large(number: f64) -> String {
    match number {
        ..1e15 => thousands(number),
        ..f64::INFINITY => format!("{number:.1e}"),
        _ => "over 1e308".to_owned(),
    }
}

/// So many of something: `1 run`, `1,000 runs`.
pub(crate) fn counted(number: f64, what: &str) -> String {
    format!("{} {what}{}", large(number), if number == 1.0 { "" } else { "s" })
}

/// A number with its sign.
pub(super) fn signed(value: f64) -> String {
    let number = thousands(value);
    if value > 0.0 && number != "0" { format!("+{number}") } else { number }
}

/// A number to about three digits.
pub(in crate::output) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        v if v >= 99.95 => thousands(value),
        v if v >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_short() {
        assert_eq!(thousands(14_000.4), "14,000");
        assert_eq!(thousands(-1_234_567.0), "-1,234,567");
        assert_eq!(thousands(999.0), "999");
        assert_eq!(thousands(-0.2), "0");
        assert_eq!(
            (short(0.0), short(4.999), short(59.96), short(155.56)),
            ("0".into(), "5.00".into(), "60.0".into(), "156".into())
        );
        assert_eq!((signed(3.0), signed(-3.0), signed(0.1)), ("+3".into(), "-3".into(), "0".into()));
    }

    #[test]
    fn long_lines_wrap_at_spaces_and_keep_their_indent() {
        let wrapped = wrap(&format!("  label     {}", "word ".repeat(30)), 12, 80);
        assert!(wrapped.lines().all(|l| l.chars().count() <= 80));
        assert!(
            wrapped.lines().count() == 3
                && wrapped.lines().skip(1).all(|l| l.starts_with("            word"))
        );
        assert!(wrapped.starts_with("  label     word word"));
    }

    #[test]
    fn words_that_no_line_has_room_for_are_broken_by_what_a_terminal_shows() {
        for (word, width) in [("x".repeat(200), 80), ("夜".repeat(100), 80), ("x".repeat(50), 40)] {
            let wrapped = wrap(&format!("so {word} end"), 2, width);
            assert!(wrapped.lines().all(|l| l.width() <= width), "{wrapped}");
            assert_eq!(wrapped.replace([' ', '\n'], ""), format!("so{word}end"));
        }
    }

    #[test]
    fn colours_take_no_room() {
        let text = Text::new(Screen { has_colour: true, ..Screen::PAPER });
        let words: Vec<String> = (0..30).map(|n| text.inked(Ink::Bad, &format!("{n:04}"))).collect();
        let wrapped = wrap(&words.join(" "), 2, 80);
        let bare = wrap(&(0..30).map(|n| format!("{n:04}")).collect::<Vec<_>>().join(" "), 2, 80);
        assert_eq!(wrapped.replace("\u{1b}[31m", "").replace("\u{1b}[0m", ""), bare);
    }

    #[test]
    fn what_a_file_says_does_not_steer_the_terminal() {
        assert_eq!(plain("two\nlines\tand \u{1b}[31mred\u{7}"), "two lines and [31mred");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("claude_east", 11), "claude_east");
        assert_eq!(cut("claude_east", 8), "claude_…");
        assert_eq!(cut("夜夜夜夜", 5), "夜夜…");
    }
}
