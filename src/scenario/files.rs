//! Finds and reads what a scenario names: parts, traces and lists of incidents, beside the file that names them or in `models/`.
//!
//! Everything read is kept, because a sweep lowers the same scenario thousands of times. What the files mean is left
//! to [`super::part`], [`super::trace`] and [`super::incident_list`].

use super::file_traffic::TraceUnit;
use super::incident_list::{self, Listed};
use super::problem::{Problem, Problems, nearest};
use super::shape::inline;
use super::source::{Folder, Place, Source};
use super::trace::{self, Recording, Side};
use super::tree::Node;
use crate::time::{SimDuration, SimTime};
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The parts that come with the program.
static MODELS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/models");

/// The text of a part that comes with the program, by its name in messages: `models/gateways/nginx.toml`.
pub(crate) fn part_text(name: &str) -> Option<&'static str> {
    MODELS.get_file(name.strip_prefix("models/")?)?.contents_utf8()
}

/// Files that were read, shared by all documents of one loader.
#[derive(Debug, Default)]
pub(crate) struct Files {
    parts: Mutex<BTreeMap<String, Node>>,
    traces: Mutex<BTreeMap<TraceKey, SharedRecording>>,
    tokens: Mutex<BTreeMap<TokensKey, Arc<[u32]>>>,
    incidents: Mutex<BTreeMap<String, Arc<[Listed]>>>,
    checksums: Mutex<BTreeMap<String, u32>>,
    is_sealed: AtomicBool,
}

type TraceKey = (String, Option<String>, Option<TraceUnit>, Option<SimDuration>);
type TokensKey = (String, Option<String>, Side);

/// Arrival times, and the tokens of prompts and answers.
pub(crate) type SharedRecording = (Arc<[SimTime]>, Option<[Arc<[u32]>; 2]>);

/// A file that exists.
#[derive(Debug)]
pub(crate) struct Found {
    /// As shown to people.
    pub name: String,
    /// The same for every way to write its path.
    pub identity: String,
    pub folder: Folder,
    contents: Contents,
}

#[derive(Debug)]
enum Contents {
    Disk(PathBuf),
    Embedded(&'static [u8]),
}

impl Found {
    fn on_disk(path: &Path) -> Option<Found> {
        let identity = path.is_file().then(|| path.canonicalize().ok()).flatten()?;
        Some(Found {
            name: path.display().to_string(),
            identity: identity.display().to_string(),
            folder: Folder::Disk(path.parent().unwrap_or(Path::new("")).to_owned()),
            contents: Contents::Disk(path.to_owned()),
        })
    }

    fn embedded(path: &Path) -> Option<Found> {
        let path = without_dots(path)?;
        let file = MODELS.get_file(&path)?;
        let name = format!("models/{}", path.display());
        Some(Found {
            identity: format!("embedded {name}"),
            name,
            folder: Folder::Embedded(path.parent().unwrap_or(Path::new("")).to_owned()),
            contents: Contents::Embedded(file.contents()),
        })
    }

    /// Whether it comes with the program.
    pub fn is_embedded(&self) -> bool {
        matches!(self.contents, Contents::Embedded(_))
    }

    /// The whole file; the error is the system's own words.
    pub fn read(&self) -> Result<String, String> {
        match &self.contents {
            Contents::Disk(path) => {
                std::fs::read_to_string(path).map(without_mark).map_err(|error| error.to_string())
            }
            Contents::Embedded(bytes) => {
                String::from_utf8(bytes.to_vec()).map_err(|_| "it is not UTF-8 text".to_owned())
            }
        }
    }
}

/// Without the byte order mark that some editors begin a file with.
pub(crate) fn without_mark(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

/// `a/../b` as `b`; `None` for what leaves the embedded folder.
fn without_dots(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir if plain.pop() => {}
            _ => return None,
        }
    }
    Some(plain)
}

/// Finds what `reference` names in a text of `folder`.
fn find(folder: &Folder, reference: &str) -> Option<Found> {
    let beside = match folder {
        Folder::Disk(folder) => Found::on_disk(&folder.join(reference)),
        Folder::Embedded(folder) => Found::embedded(&folder.join(reference)),
    };
    let in_models = || Found::embedded(Path::new(reference.strip_prefix("models/").unwrap_or(reference)));
    beside.or_else(in_models)
}

impl Files {
    /// Finds a file, or says where it was looked for and what there is.
    pub fn find(&self, reference: &str, at: &Place, what: &str) -> Result<Found, Problem> {
        let folder = &at.source.folder;
        let found = find(folder, reference);
        if self.is_sealed()
            && !found.as_ref().is_some_and(|found| found.is_embedded() || self.has_read(found))
        {
            // Whether it exists is not told either.
            return Err(Problem::new(format!("the {what} `{reference}` cannot be read any more"))
                .at(at)
                .help("only files that the scenario named when it was opened, and those of `models/`, can be named"));
        }
        found.ok_or_else(|| {
            let place = match folder {
                Folder::Disk(folder) if folder.as_os_str().is_empty() => "this folder".to_owned(),
                Folder::Disk(folder) => folder.display().to_string(),
                Folder::Embedded(folder) => Path::new("models").join(folder).display().to_string(),
            };
            let extension = Path::new(reference).extension().and_then(|name| name.to_str()).unwrap_or("toml");
            let known = known_files(folder, reference, extension);
            let help = match nearest(reference, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("paths are looked up in {place}, then in the program's own `models/`"),
            };
            Problem::new(format!("the {what} `{reference}` does not exist")).at(at).help(help)
        })
    }

    /// From now on, no file is read from a disk that has not been read yet, and of what can be asked for in any number of
    /// ways, as traces can, nothing more is kept.
    pub fn seal(&self) {
        self.is_sealed.store(true, Ordering::Relaxed);
    }

    fn is_sealed(&self) -> bool {
        self.is_sealed.load(Ordering::Relaxed)
    }

    fn has_read(&self, found: &Found) -> bool {
        let identity = &found.identity;
        lock(&self.parts).contains_key(identity)
            || lock(&self.traces).keys().any(|key| key.0 == *identity)
            || lock(&self.tokens).keys().any(|key| key.0 == *identity)
            || lock(&self.incidents).contains_key(identity)
    }

    /// The CRC-32 of every file that was read from a disk, by its name in messages: of a part's settings without what it
    /// says of itself, of the text of others.
    pub fn checksums(&self) -> BTreeMap<String, u32> {
        lock(&self.checksums).clone()
    }

    fn has_content(&self, found: &Found, content: &str) {
        if !found.is_embedded() {
            lock(&self.checksums).insert(found.name.clone(), crc32fast::hash(content.as_bytes()));
        }
    }

    /// The tree of a part.
    pub fn part(&self, found: &Found, at: &Place) -> Result<Node, Problems> {
        if let Some(node) = lock(&self.parts).get(&found.identity) {
            return Ok(node.clone());
        }
        let text = found
            .read()
            .map_err(|why| Problem::new(format!("the part `{}` cannot be read: {why}", found.name)).at(at))?;
        let source = Arc::new(Source {
            name: found.name.clone(),
            text,
            first_line: 1,
            is_file: true,
            folder: found.folder.clone(),
        });
        let node = Node::parse(&source)?;
        let mut settings = node.to_toml();
        if let Some(table) = settings.as_table_mut() {
            table.remove("about");
        }
        self.has_content(found, &inline(&settings));
        lock(&self.parts).insert(found.identity.clone(), node.clone());
        Ok(node)
    }

    /// What a trace has recorded.
    pub fn trace(&self, request: &trace::Request<'_>) -> Result<SharedRecording, Problem> {
        let found = self.find(request.file, request.file_at, "trace")?;
        let key = (found.identity.clone(), request.column.map(str::to_owned), request.unit, request.spread);
        if let Some(recording) = lock(&self.traces).get(&key) {
            return Ok(recording.clone());
        }
        let text = self.text_of(&found, request.file_at)?;
        let Recording { times, tokens } = trace::read(&found.name, &text, request)?;
        let recording = (times.into(), tokens.map(|both| both.map(Into::into)));
        if !self.is_sealed() {
            lock(&self.traces).insert(key, recording.clone());
        }
        Ok(recording)
    }

    /// How many tokens each row of a file has.
    pub fn tokens(
        &self,
        file: &str,
        column: Option<&str>,
        side: Side,
        at: &Place,
    ) -> Result<Arc<[u32]>, Problem> {
        let found = self.find(file, at, "trace")?;
        let key = (found.identity.clone(), column.map(str::to_owned), side);
        if let Some(tokens) = lock(&self.tokens).get(&key) {
            return Ok(tokens.clone());
        }
        let text = self.text_of(&found, at)?;
        let tokens: Arc<[u32]> = trace::read_tokens(&found.name, &text, column, side, at)?.into();
        if !self.is_sealed() {
            lock(&self.tokens).insert(key, tokens.clone());
        }
        Ok(tokens)
    }

    /// The incidents of a list.
    pub fn incidents(&self, reference: &str, at: &Place) -> Result<Arc<[Listed]>, Problem> {
        let found = self.find(reference, at, "list of incidents")?;
        if let Some(listed) = lock(&self.incidents).get(&found.identity) {
            return Ok(listed.clone());
        }
        let text = found.read().map_err(|why| {
            Problem::new(format!("the list of incidents `{}` cannot be read: {why}", found.name)).at(at)
        })?;
        self.has_content(&found, &text);
        let listed: Arc<[Listed]> = incident_list::read(&found.name, &text, at)?.into();
        lock(&self.incidents).insert(found.identity, listed.clone());
        Ok(listed)
    }

    fn text_of(&self, found: &Found, at: &Place) -> Result<String, Problem> {
        let text = found.read().map_err(|why| {
            Problem::new(format!("the trace `{}` cannot be read: {why}", found.name)).at(at)
        })?;
        self.has_content(found, &text);
        Ok(text)
    }
}

/// A cache is never left half-written, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What could have been meant: files in the folder that was named, and all of `models/`.
fn known_files(folder: &Folder, reference: &str, extension: &str) -> Vec<String> {
    let mut known = Vec::new();
    if let Folder::Disk(folder) = folder {
        let named = Path::new(reference).parent().unwrap_or(Path::new(""));
        let entries =
            std::fs::read_dir(Path::new(".").join(folder).join(named)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        known.extend(names.map(|name| named.join(name).display().to_string()));
    }
    embedded_files(&MODELS, &mut known);
    known.retain(|name| Path::new(name).extension().is_some_and(|found| found == extension));
    known.sort();
    known
}

fn embedded_files(folder: &Dir<'static>, known: &mut Vec<String>) {
    known.extend(folder.files().map(|file| format!("models/{}", file.path().display())));
    folder.dirs().for_each(|inner| embedded_files(inner, known));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_program_are_found_with_and_without_their_folder() {
        let elsewhere = Folder::Disk(PathBuf::from("/nowhere"));
        for reference in ["models/README.md", "README.md", "./gateways/../README.md"] {
            let found = find(&elsewhere, reference).unwrap();
            assert_eq!(
                (found.name.as_str(), found.folder),
                ("models/README.md", Folder::Embedded(PathBuf::new()))
            );
        }
        assert!(find(&elsewhere, "../Cargo.toml").is_none());
        assert!(find(&elsewhere, "models").is_none());
    }

    #[test]
    fn what_is_asked_of_sealed_files_is_not_kept() {
        let files = Files::default();
        let source = Arc::new(Source {
            name: "test".to_owned(),
            text: String::new(),
            first_line: 1,
            is_file: true,
            folder: Folder::Disk(PathBuf::from("tests/fixtures/valid/parts")),
        });
        let at = Place::whole(&source);
        let ask = |spread: Option<u64>| {
            let spread = spread.map(SimDuration::from_millis);
            let (file, column, unit) = ("log.csv", None, None);
            let request = trace::Request { file, file_at: &at, column, column_at: &at, unit, spread };
            files.trace(&request).map(|(times, _)| times.len())
        };
        let written = ask(None).expect("a trace");
        files.seal();
        for spread in 1..20 {
            assert_eq!(ask(Some(spread)).expect("it is of a file that was read"), written);
            files.tokens("log.csv", Some("tokens"), Side::Input, &at).expect("it has this column");
        }
        assert_eq!((lock(&files.traces).len(), lock(&files.tokens).len()), (1, 0));
    }
}
