//! Every command is played as it is written, and what is shown of its output is what it prints.
//!
//! All commands of a page are played in order in one folder, which has the repository's experiments and models; a `toml`
//! block whose first line is `# NAME.toml` is a file there. In an experiment's README the results are left to `.ci/run`,
//! which plays them in full: there a command that names no `--runs` gets two.
//!
//! This takes a release build: tests in release play their own, others the one that `FAILOVER_SIM` names, or none. Who
//! writes a page has only that one played: `DOCS_PAGE=tutorial`.

use super::page::{Block, Page, is_generated, pages};
use super::updating;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// So many blocks need what a test does not have, at most.
const NOT_RUN_AT_MOST: usize = 17;

/// What a comment says of a block of commands.
enum Rule<'a> {
    /// It is played, and exits with this code.
    Exits(i32),
    /// It is not, for this reason.
    NotRun(&'a str),
}

fn rule(block: &Block) -> Rule<'_> {
    let comment = block.comment.as_deref().unwrap_or_default();
    if let Some(reason) = comment.strip_prefix("not run: ") {
        return Rule::NotRun(reason);
    }
    let code = comment.strip_prefix("exits with ").map(|code| code.parse().expect("a number"));
    Rule::Exits(code.unwrap_or(0))
}

/// The build to play, if there is a fast one.
fn binary() -> Option<PathBuf> {
    match std::env::var_os("FAILOVER_SIM") {
        Some(path) => Some(fs::canonicalize(path).expect("FAILOVER_SIM names a file")),
        None if cfg!(debug_assertions) => None,
        None => Some(PathBuf::from(env!("CARGO_BIN_EXE_failover-sim"))),
    }
}

/// The folder in which a page's commands are played.
struct Place {
    folder: TempDir,
    path: String,
}

impl Place {
    fn of(page: &Page, binary: &Path) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        // Copies: a script may write beside what it reads.
        for name in
            ["experiments", "models", "tests/real_gateways", "scenario.schema.json", "experiment.schema.json"]
        {
            copy(&root.join(name), &folder.path().join(name));
        }
        let bin = folder.path().join(".bin");
        fs::create_dir(&bin).expect("a folder");
        let few = if page.path.starts_with("experiments") { " --runs 2" } else { "" };
        let binary = binary.display();
        script(
            &bin.join("failover-sim"),
            &format!(
                "case \"$1 $*\" in\n*--runs*|*--dry-run*) exec {binary} \"$@\" ;;\n\
                 'run '*|'sweep '*|'tune '*) exec {binary} \"$@\"{few} ;;\nesac\nexec {binary} \"$@\""
            ),
        );
        // From a clone, `cargo run ... -- ARGUMENTS` is the same.
        script(
            &bin.join("cargo"),
            "[ \"$1\" = run ] || { echo \"no cargo $1 here\"; exit 9; }\n\
             while [ \"$1\" != -- ]; do shift; done\nshift\nexec failover-sim \"$@\"",
        );
        let path = std::env::var("PATH").expect("a path");
        Place { path: format!("{}:{path}", bin.display()), folder }
    }

    /// Writes the file that a block shows, if its first line names one.
    fn write(&self, block: &Block) {
        let first = block.text.lines().next().unwrap_or_default();
        let Some(name) = first.strip_prefix("# ").filter(|name| name.ends_with(".toml")) else { return };
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        fs::write(path, &block.text).expect("a file");
    }

    /// What commands print, errors included, and how the last one exits.
    fn play(&self, commands: &str) -> (String, i32) {
        let mut shell = Command::new("sh");
        shell.args(["-euc", &format!("exec 2>&1\n{commands}")]).current_dir(self.folder.path());
        shell.env_clear().env("PATH", &self.path);
        let done = shell.output().expect("a shell");
        let printed = String::from_utf8(done.stdout).expect("text");
        let is_note = |line: &&str| !line.starts_with("note: this build writes CSV only");
        let lines: Vec<&str> = printed.lines().filter(is_note).map(str::trim_end).collect();
        (lines.join("\n"), done.status.code().unwrap_or(-1))
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let name = entry.expect("a readable entry").file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).expect("a copy");
    }
}

/// What to play for code within a sentence, one of which has to go well: a command, or what is added to one of the
/// experiment's, which then is read and not played.
fn commands_of(span: &str, page: &Page) -> Option<Vec<String>> {
    if span.starts_with("failover-sim ") {
        return Some(vec![span.to_owned()]);
    }
    let folder = page.path.parent().filter(|folder| folder.starts_with("experiments"))?;
    let resolved = |scenario: &str, rest: &str| {
        format!("failover-sim run {}/{scenario} {rest} --resolved", folder.display())
    };
    let (first, rest) = span.split_once(' ')?;
    match first {
        "run" | "sweep" | "tune" if rest.starts_with("experiments/") => {
            Some(vec![format!("failover-sim {span}")])
        }
        "--set" => {
            let files =
                fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
            let names = files.filter_map(|name| name.into_string().ok());
            let scenarios = names.filter(|name| name.ends_with(".toml") && name != "experiment.toml");
            Some(scenarios.map(|name| resolved(&name, span)).collect())
        }
        name if name.ends_with(".toml") => Some(vec![resolved(name, rest)]),
        _ => None,
    }
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a script that can be run");
}

/// Whether a text shows an output: line by line, where `...` stands for any lines.
fn shows(shown: &str, printed: &str) -> bool {
    fn matches(shown: &[&str], printed: &[&str]) -> bool {
        match shown.split_first() {
            None => printed.is_empty(),
            Some((&"...", rest)) => (0..=printed.len()).any(|skip| matches(rest, &printed[skip..])),
            Some((line, rest)) => printed.first() == Some(line) && matches(rest, &printed[1..]),
        }
    }
    let [shown, printed] = [shown, printed].map(|text| text.trim_end().lines().collect::<Vec<_>>());
    matches(&shown, &printed)
}

/// What to show of a new output in the place of an older one: the same stretches of it, by how they begin and end.
fn refitted(shown: &str, printed: &str) -> Option<String> {
    /// What a line is about, whatever its numbers are.
    fn key(line: &str) -> Vec<&str> {
        let mut words = line.split_whitespace();
        let first = words.next();
        first.into_iter().chain(words.next().filter(|word| word.contains(char::is_alphabetic))).collect()
    }
    let printed: Vec<&str> = printed.lines().collect();
    let shown: Vec<&str> = shown.trim_end().lines().collect();
    let stretches: Vec<&[&str]> = shown.split(|line| *line == "...").collect();
    let (mut text, mut from) = (Vec::new(), 0);
    for (i, stretch) in stretches.iter().enumerate() {
        if i > 0 {
            text.push("...");
        }
        let ends = if i + 1 == stretches.len() { Some(printed.len()) } else { None };
        let find = |line: &str, from: usize| (from..printed.len()).find(|at| key(printed[*at]) == key(line));
        let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else {
            // A text that is still to be filled in.
            text.extend(&printed[if shown.is_empty() { 0 } else { printed.len() }..]);
            continue;
        };
        let start = if i == 0 { 0 } else { find(first, from)? };
        let rest = if stretch.len() == 1 { start } else { start + 1 };
        let end = match ends {
            Some(end) => end,
            None => find(last, rest)? + 1,
        };
        text.extend(&printed[start..end]);
        from = end;
    }
    Some(text.join("\n") + "\n")
}

#[test]
fn an_output_is_refitted_by_how_its_stretches_begin_and_end() {
    let printed = "seed 2, 9 runs\nmine  5\nassumes: x\n\n── mine ──\n  by cause  7\n  probes  8 sent";
    assert_eq!(refitted("", printed), Some(format!("{printed}\n")));
    assert_eq!(refitted("old\n", printed), Some(format!("{printed}\n")));
    let shown = "seed 1, 9 runs\nmine  4\n...\n  by cause  3\n...\n";
    let new = "seed 2, 9 runs\nmine  5\n...\n  by cause  7\n...\n";
    assert_eq!(refitted(shown, printed).as_deref(), Some(new));
    assert_eq!(refitted("seed 1\n...\n  gone  1\n...\n", printed), None);
}

#[test]
fn what_is_shown_is_compared_line_by_line() {
    assert!(shows("a\nb\n", "a\nb"));
    assert!(shows("a\n...\n", "a\nb\nc"));
    assert!(shows("...\nb\n...\n", "a\nb\nc"));
    assert!(shows("a\n...\nc\n", "a\nb\nc"));
    assert!(!shows("a\n", "a\nb"), "an end that is left out is marked");
    assert!(!shows("b\n", "a\nb"), "so is a start");
    assert!(!shows("a\n...\nd\n", "a\nb\nc"));
    assert!(!shows("a\nc\n", "a\nb\nc"));
}

#[test]
fn few_commands_are_not_run_and_each_has_a_reason() {
    let mut count = 0;
    for page in pages() {
        for block in &page.blocks {
            // Python is run by python/tests/test_docs.py.
            let known = ["sh", "text", "toml", "json", "yaml", "python", "pycon", ""];
            let place = page.place(block.line);
            assert!(known.contains(&block.language.as_str()), "{place}: `{}`", block.language);
            let Some(comment) = &block.comment else { continue };
            if let Rule::NotRun(reason) = rule(block) {
                assert!(reason.len() > 10, "{place}: why is it not run?");
                count += 1;
            } else if block.language == "sh" {
                assert!(comment.starts_with("exits with "), "{place}: what does `{comment}` mean?");
            }
        }
    }
    assert!(count <= NOT_RUN_AT_MOST, "{count} blocks are not run");
}

#[test]
fn every_command_does_what_the_docs_show() {
    let Some(binary) = binary() else { return };
    let wanted = std::env::var("DOCS_PAGE").unwrap_or_default();
    let is_wanted = |page: &&Page| page.path.to_string_lossy().contains(&wanted);
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages().iter().filter(|page| !is_generated(page)).filter(is_wanted) {
        let place = Place::of(page, &binary);
        let mut printed: Option<String> = None;
        let mut updated: Vec<(&Block, String)> = Vec::new();
        for block in &page.blocks {
            let at = page.place(block.line);
            match (block.language.as_str(), rule(block)) {
                ("toml", _) => place.write(block),
                (_, Rule::NotRun(_)) => printed = None,
                // What follows is printed by it, as python/tests/test_docs.py sees.
                ("python", _) => printed = None,
                ("sh", Rule::Exits(expected)) => {
                    let (output, code) = place.play(&block.text);
                    count += 1;
                    if code != expected {
                        wrong.push(format!("{at}: exits with {code}, not {expected}\n{output}"));
                    }
                    printed = Some(output);
                }
                ("text", _) => match &printed {
                    None => {}
                    Some(output) if shows(&block.text, output) => {}
                    Some(output) => match refitted(&block.text, output).filter(|_| updating()) {
                        Some(text) => updated.push((block, text)),
                        None => wrong.push(format!("{at}: this is printed\n{output}")),
                    },
                },
                _ => {}
            }
        }
        for (line, span) in page.code_spans() {
            let Some(ways) = commands_of(&span, page) else { continue };
            count += 1;
            let done: Vec<(String, i32)> = ways.iter().map(|command| place.play(command)).collect();
            if done.iter().all(|(_, code)| *code != 0) {
                wrong.push(format!("{}: `{span}`\n{}", page.place(line), done[0].0));
            }
        }
        if !updated.is_empty() {
            let mut text = page.text.clone();
            updated.into_iter().rev().for_each(|(block, new)| text.replace_range(block.range.clone(), &new));
            fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(&page.path), text).expect("a page");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count > 50 || !wanted.is_empty(), "{count} commands are played");
}
