//! One scenario file with its parts merged in: settings can be read, changed and listed, and lowered into a model.

use super::check::{check, check_value, join};
use super::file::Scenario;
use super::files::{Files, without_mark};
use super::lower::{lower, weakest};
use super::part::{Merged, merge_parts};
use super::path::{insert, shape_at};
use super::problem::{Problem, Problems};
use super::quantity::Kind;
use super::shape::{Shape, inline};
use super::source::{Folder, Place, Source, given_by_hand};
use super::standalone::standalone;
use super::tree::{Node, Value};
use crate::model::Model;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// What a scenario may hold.
static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<Scenario>);

/// The settings that change no result: what a scenario says of itself, and asks of its results.
pub const SAID: [&str; 2] = ["about", "objective"];

/// Stands for the file in which defaults are written.
static DEFAULTS: LazyLock<Place> = LazyLock::new(|| given_by_hand("default", ""));

/// Opens scenarios. Keeps what it read: a part or trace is read once, however many scenarios name it.
#[derive(Debug, Default, Clone)]
pub struct Loader {
    files: Arc<Files>,
}

impl Loader {
    /// A loader that has read nothing yet.
    pub fn new() -> Self {
        Loader::default()
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    /// If it cannot be read or is not TOML. What else is wrong with it, or with its parts, [`Document::model`] says.
    pub fn open(&mut self, path: &Path) -> Result<Document, Problems> {
        let text = read_text(path, "scenario")?;
        self.parse(&path.display().to_string(), &text)
    }

    /// Reads a scenario from a text. `name` is what to call it; parts are looked up in its folder.
    ///
    /// # Errors
    /// If it is not TOML.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<Document, Problems> {
        let source = file_source(Path::new(name), text);
        let written = Node::parse(&source)?;
        let merged = merge_parts(&SHAPE, &written, "", &self.files);
        let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(name).to_owned();
        Ok(Document { name: stem, source, written, merged, files: self.files.clone() })
    }
}

/// Reads a file that people named; says what to do if it is not there.
pub(crate) fn read_text(path: &Path, what: &str) -> Result<String, Problem> {
    std::fs::read_to_string(path).map(without_mark).map_err(|error| {
        let shown = path.display();
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let entries =
                    std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
                let mut names: Vec<String> =
                    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
                names.retain(|name| name.ends_with(".toml"));
                names.sort();
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let help = match super::problem::nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{}`?", path.with_file_name(near).display()),
                    None => {
                        "check the path; `failover-sim new FILE` writes a scenario to start from".to_owned()
                    }
                };
                Problem::new(format!("the {what} `{shown}` does not exist")).help(help)
            }
            std::io::ErrorKind::IsADirectory => {
                Problem::new(format!("`{shown}` is a folder")).help(format!("name the {what} file in it"))
            }
            std::io::ErrorKind::InvalidData => {
                Problem::new(format!("the {what} `{shown}` is not UTF-8 text")).help("save it as UTF-8")
            }
            _ => Problem::new(format!("the {what} `{shown}` cannot be read: {error}")),
        }
    })
}

/// A file's text as a source.
pub(crate) fn file_source(path: &Path, text: &str) -> Arc<Source> {
    Arc::new(Source {
        name: path.display().to_string(),
        text: text.to_owned(),
        first_line: 1,
        is_file: true,
        folder: Folder::Disk(path.parent().unwrap_or(Path::new("")).to_owned()),
    })
}

/// A setting of a scenario and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedSetting {
    /// Such as `gateway.health_check.interval`.
    pub path: String,
    /// The value as TOML text.
    pub value: String,
    /// The file and line, `--set`, `sweep` or `default`.
    pub origin: String,
}

/// An entry of `[[objective]]`.
#[derive(Debug, Clone)]
pub(crate) struct WrittenObjective {
    pub expect: String,
    pub about: Option<String>,
    /// Of `expect`.
    pub place: Place,
}

/// One scenario with its parts merged in; every value remembers where it was written.
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    source: Arc<Source>,
    /// As the file has it, and settings since: parts are merged anew if one of them changes.
    written: Node,
    merged: Merged,
    files: Arc<Files>,
}

impl Document {
    /// The file's name without folder and extension, unless it was renamed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Calls it something else in results.
    pub fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// The file's path, as it was given.
    pub fn path(&self) -> &str {
        &self.source.name
    }

    /// What the file says.
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// Changes a setting. `origin` is what to call the place it came from, such as `sweep`.
    ///
    /// # Errors
    /// If there is no such setting, or the value is not of its type.
    pub fn set(&mut self, path: &str, value: toml::Value, origin: &str) -> Result<(), Problems> {
        let text = format!("{path} = {}", inline(&value));
        self.set_at(path, &value, origin, &text)
    }

    /// Changes a setting, given as `path=value`. The value is read as TOML, and else taken for a text.
    ///
    /// # Errors
    /// If there is no such setting, or the value is not of its type.
    pub fn set_text(&mut self, assignment: &str) -> Result<(), Problems> {
        let Some((path, value)) = assignment.split_once('=') else {
            let problem = Problem::new(format!("`{assignment}` sets nothing"))
                .help("write path=value, such as gateway.health_check.interval=5s");
            return Err(problem.into());
        };
        self.set_at(path.trim(), &value_of(value), "--set", assignment)
    }

    fn set_at(&mut self, path: &str, value: &toml::Value, origin: &str, text: &str) -> Result<(), Problems> {
        let source = Arc::new(Source {
            name: origin.to_owned(),
            text: text.to_owned(),
            first_line: 1,
            is_file: false,
            folder: self.source.folder.clone(),
        });
        let equals = text.find('=').unwrap_or(text.len());
        let trimmed = |start: usize, end: usize| {
            let part = &text[start..end];
            let start = start + (part.len() - part.trim_start().len());
            Place::new(&source, start..start + part.trim().len())
        };
        let path_place = trimmed(0, equals);
        let value_place = trimmed((equals + 1).min(text.len()), text.len());
        let shape = shape_at(&SHAPE, &self.merged.root, path, &path_place)?;
        let mut node = Node::from_toml(value, &value_place);
        node.key = path_place;
        let expanded = merge_parts(shape, &node, path, &self.files);
        let mut problems = check_value(&SHAPE, shape, &expanded.root, path);
        problems.extend(expanded.problems);
        Problems::check(problems)?;
        insert(&SHAPE, &mut self.merged.root, path, expanded.root)?;
        insert(&SHAPE, &mut self.written, path, node)?;
        // A new part lies below what the file says, and a whole table may bring its own.
        if path.ends_with(".from") || !matches!(shape, Shape::One(_) | Shape::Choice(_) | Shape::List(_)) {
            self.merged = merge_parts(&SHAPE, &self.written, "", &self.files);
        }
        Ok(())
    }

    /// Leaves out a setting, so that its default holds, or what being without it means. What was not there stays so; what
    /// a part brings comes back when a part or a whole table is set after it.
    ///
    /// # Errors
    /// If there is no such setting.
    pub fn leave_out(&mut self, path: &str) -> Result<(), Problems> {
        shape_at(&SHAPE, &self.merged.root, path, &given_by_hand("left out", path))?;
        let steps: Vec<&str> = path.split('.').collect();
        for root in [&mut self.merged.root, &mut self.written] {
            root.replace(&steps, None);
        }
        Ok(())
    }

    /// Reads no other files from now on, for settings that come from elsewhere: they can only name what has been read.
    pub fn seal(&self) {
        self.files.seal();
    }

    /// The CRC-32 of every file that was read until now for this scenario, or for another one of its loader or made of it:
    /// traces, lists of incidents, and parts. Their names are paths from the folder of the scenario `beside`, so they are
    /// the same wherever a command is given.
    pub fn files_read(&self, beside: &Document) -> BTreeMap<String, u32> {
        let folder = Path::new(beside.path()).parent().unwrap_or(Path::new(""));
        let checksums = self.files.checksums().into_iter();
        checksums.map(|(name, checksum)| (path_from(folder, Path::new(&name)), checksum)).collect()
    }

    /// What a setting means, in sentences; `None` if there is none of this path.
    pub fn about(&self, path: &str) -> Option<&'static str> {
        SHAPE.about(path)
    }

    /// Takes a setting, or a table of them, as another scenario has it: what that leaves at its default, or does not have
    /// at all, is taken away here. What comes of it may be no valid model.
    pub fn adopt(&mut self, path: &str, other: &Document) {
        let steps: Vec<&str> = path.split('.').collect();
        let found = other.merged.root.at(&steps).cloned();
        for root in [&mut self.merged.root, &mut self.written] {
            root.replace(&steps, found.clone());
        }
    }

    /// A setting's value, or its default. `None` if there is no such setting, or it has none here.
    pub fn get(&self, path: &str) -> Option<toml::Value> {
        let (mut shape, mut node) = (&*SHAPE, &self.merged.root);
        let mut steps = path.split('.').peekable();
        // Down to the last table that is written; what it lacks its defaults say.
        while let Some(step) = steps.peek()
            && let Some(inner) = shape.at(step).zip(node.table().and_then(|table| table.get(*step)))
        {
            (shape, node) = inner;
            steps.next();
        }
        let mut value = fill(shape, &node.to_toml());
        for step in steps {
            value = match value {
                toml::Value::Table(mut table) => table.remove(step)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// Whether a path is a table of settings, or of things that have names.
    pub(crate) fn is_table(&self, path: &str) -> bool {
        matches!(SHAPE.at(path), Some(Shape::Table(_) | Shape::Map(_)))
    }

    /// What kind of value a path takes; `None` if it is not a single one.
    pub(crate) fn kind(&self, path: &str, place: &Place) -> Result<Option<Kind>, Problem> {
        match shape_at(&SHAPE, &self.merged.root, path, place)? {
            Shape::One(kind) => Ok(Some(*kind)),
            _ => Ok(None),
        }
    }

    /// The words that a path takes, where it takes one of several; those that come with a value of their own are left out.
    pub fn choices(&self, path: &str) -> Vec<String> {
        match SHAPE.at(path) {
            Some(Shape::Choice(variants)) => {
                let bare = variants.iter().filter(|variant| variant.content.is_none());
                bare.map(|variant| variant.name.clone()).collect()
            }
            _ => vec![],
        }
    }

    /// What is wrong with a value for a path.
    pub(crate) fn check_value(&self, path: &str, value: &Node) -> Vec<Problem> {
        let shape = match shape_at(&SHAPE, &self.merged.root, path, &value.place) {
            Ok(shape) => shape,
            Err(problem) => return vec![problem],
        };
        let mut problems =
            check_value(&SHAPE, shape, &merge_parts(shape, value, path, &self.files).root, path);
        // A part is looked up beside the scenario, wherever it is named.
        if let Some(part) = value.text().filter(|_| path.ends_with(".from"))
            && let Err(problem) = self.files.find(part, &Place::whole(&self.source), "part")
        {
            problems.push(problem.at(&value.place));
        }
        problems
    }

    /// The validated model.
    ///
    /// # Errors
    /// Everything that is wrong with the file and its parts.
    pub fn model(&self) -> Result<Model, Problems> {
        let (checked, mut findings) = check(&SHAPE, &self.merged.root, &self.merged.broken);
        let mut problems = self.merged.problems.clone();
        problems.append(&mut findings.problems);
        let file = Scenario::deserialize(checked.to_toml()).map_err(|error| {
            // The check let it through, so this is our mistake; still better told than panicked about.
            Problem::new(format!("the scenario cannot be read: {}", error.message().trim()))
                .at(&Place::whole(&self.source))
        })?;
        let (model, lowering) = lower(&self.name, &file, &checked, &findings, &self.files);
        problems.extend(lowering);
        Problems::check(problems)?;
        let mut model = model.ok_or_else(|| {
            Problem::new("the scenario cannot be lowered into a model").at(&Place::whole(&self.source))
        })?;
        model.weakest_evidence = weakest(&self.evidence());
        Ok(model)
    }

    /// What the result should be, as it is written; which metrics there are is for others to know.
    ///
    /// Those that are no objectives [`Self::model`] complains of.
    pub(crate) fn objectives(&self) -> Vec<WrittenObjective> {
        let Some(Value::List(items)) = self.merged.root.at(&["objective"]).map(|node| &node.value) else {
            return vec![];
        };
        let written = |item: &Node| {
            let expect = item.at(&["expect"])?;
            Some(WrittenObjective {
                expect: expect.text()?.to_owned(),
                about: item.at(&["about"]).and_then(Node::text).map(str::to_owned),
                place: expect.place.clone(),
            })
        };
        items.iter().filter_map(written).collect()
    }

    /// What the parts declare, and the tables as they are now.
    fn evidence(&self) -> Vec<String> {
        let mut declared = self.merged.evidence.clone();
        let root = &self.merged.root;
        let table = |name: &str| root.at(&[name]);
        let named =
            ["provider", "fault", "incidents", "quota"].into_iter().filter_map(table).filter_map(Node::table);
        let tables = named.flat_map(|table| table.values());
        let tables = tables.chain(["traffic", "gateway", "network"].into_iter().filter_map(table));
        declared.extend(tables.filter_map(|table| Some(table.at(&["evidence"])?.text()?.to_owned())));
        declared
    }

    /// Every setting that has a value, in the schema's order, with where it came from.
    pub fn resolved(&self) -> Vec<ResolvedSetting> {
        let mut settings = vec![];
        list(&SHAPE, &self.merged.root, "", &mut settings);
        settings
    }

    /// The scenario as one text that stands by itself: parts and settings are in it, and a trace is named so that it is
    /// found from anywhere. Defaults are left to the program.
    pub fn standalone(&self) -> String {
        standalone(&SHAPE, &self.merged.root, &self.files)
    }

    /// The whole scenario, defaults included; keys in order of name.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self.filled()).unwrap_or_default()
    }

    fn filled(&self) -> toml::Value {
        fill(&SHAPE, &self.merged.root.to_toml())
    }
}

/// TOML, or else text. `02:47:00` is TOML's own time of day, but a text here.
pub(crate) fn value_of(text: &str) -> toml::Value {
    let text = text.trim();
    let parsed: Result<toml::Table, _> = toml::from_str(&format!("value = {text}"));
    match parsed.ok().and_then(|mut table| table.remove("value")) {
        Some(toml::Value::Datetime(_)) | None => toml::Value::String(text.to_owned()),
        Some(value) => value,
    }
}

/// The way from a folder to a file, as far as their names tell; one that begins at the root is left as it is.
fn path_from(folder: &Path, file: &Path) -> String {
    let shared = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let plain = |path: &Path| path.components().take(shared).any(|part| part != Component::RootDir);
    if file.has_root() && !plain(file) {
        return file.display().to_string();
    }
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(file.components().skip(shared)).collect();
    path.display().to_string()
}

/// Adds defaults to a value.
fn fill(shape: &Shape, value: &toml::Value) -> toml::Value {
    let toml::Value::Table(table) = value else { return value.clone() };
    let mut filled = table.clone();
    match shape {
        Shape::Table(fields) => {
            for field in fields {
                let neighbour = field.same_as.as_ref().and_then(|name| filled.get(name));
                let found = table.get(&field.name).or(field.default.as_ref()).or(neighbour);
                if let Some(value) = found.map(|value| fill(&field.shape, value)) {
                    filled.insert(field.name.clone(), value);
                }
            }
        }
        Shape::Map(item) => filled.iter_mut().for_each(|(_, value)| *value = fill(item, value)),
        Shape::Choice(variants) => {
            for (name, value) in filled.iter_mut() {
                let variant = variants.iter().find(|variant| variant.name == *name);
                if let Some(content) = variant.and_then(|variant| variant.content.as_ref()) {
                    *value = fill(content, value);
                }
            }
        }
        Shape::One(_) | Shape::Any | Shape::List(_) => {}
    }
    toml::Value::Table(filled)
}

/// Lists the single settings of a value.
fn list(shape: &Shape, node: &Node, path: &str, settings: &mut Vec<ResolvedSetting>) {
    let Value::Table(table) = &node.value else {
        let value = inline(&node.to_toml());
        settings.push(ResolvedSetting { path: path.to_owned(), value, origin: node.place.origin() });
        return;
    };
    match shape {
        Shape::Table(fields) => {
            for field in fields {
                let inner_path = join(path, &field.name);
                let default = || field.default.as_ref().map(|value| Node::from_toml(value, &DEFAULTS));
                let neighbour = || {
                    let name = field.same_as.as_ref()?;
                    let default = fields.iter().find(|field| field.name == *name)?.default.as_ref()?;
                    let value = table.get(name).map_or(default.clone(), Node::to_toml);
                    Some(Node::from_toml(&value, &DEFAULTS))
                };
                let found = table.get(&field.name).cloned().or_else(default).or_else(neighbour);
                if let Some(inner) = found {
                    list(&field.shape, &inner, &inner_path, settings);
                }
            }
        }
        Shape::Map(item) => {
            table.iter().for_each(|(name, inner)| list(item, inner, &join(path, name), settings));
        }
        Shape::Choice(variants) => {
            for (name, inner) in table {
                let variant = variants.iter().find(|variant| variant.name == *name);
                let content = variant.and_then(|variant| variant.content.as_ref()).unwrap_or(&Shape::Any);
                list(content, inner, &join(path, name), settings);
            }
        }
        Shape::One(_) | Shape::Any | Shape::List(_) => {
            let value = inline(&node.to_toml());
            settings.push(ResolvedSetting { path: path.to_owned(), value, origin: node.place.origin() });
        }
    }
}
