//! TOML as written, each value with the place it was written at.
//!
//! Knows nothing of what a scenario may hold: that is [`super::shape`].

use super::problem::{Problem, Problems};
use super::source::{Place, Source};
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub value: Value,
    /// The value itself.
    pub place: Place,
    /// Its name: the key, or the last part of a table's header.
    pub key: Place,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Scalar(toml::Value),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Node {
    /// Reads a TOML text; its syntax errors, and names defined twice.
    pub fn parse(source: &Arc<Source>) -> Result<Node, Problems> {
        let table = DeTable::parse(&source.text).map_err(|error| syntax_problem(source, &error))?;
        let whole = Place::whole(source);
        let value = Value::Table(entries(table.get_ref(), source));
        Ok(Node { value, place: whole.clone(), key: whole })
    }

    /// A value that was not read from a file: all of it is at one place.
    pub fn from_toml(value: &toml::Value, place: &Place) -> Node {
        let value = match value {
            toml::Value::Array(items) => {
                Value::List(items.iter().map(|item| Node::from_toml(item, place)).collect())
            }
            toml::Value::Table(table) => {
                let entry = |(key, value): (&String, _)| (key.clone(), Node::from_toml(value, place));
                Value::Table(table.iter().map(entry).collect())
            }
            scalar => Value::Scalar(scalar.clone()),
        };
        Node { value, place: place.clone(), key: place.clone() }
    }

    pub fn to_toml(&self) -> toml::Value {
        match &self.value {
            Value::Scalar(value) => value.clone(),
            Value::List(items) => toml::Value::Array(items.iter().map(Node::to_toml).collect()),
            Value::Table(table) => {
                toml::Value::Table(table.iter().map(|(key, node)| (key.clone(), node.to_toml())).collect())
            }
        }
    }

    pub fn table(&self) -> Option<&BTreeMap<String, Node>> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(toml::Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The value at a path; a number steps into a list.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        match &self.value {
            Value::Table(table) => table.get(*first)?.at(rest),
            Value::List(items) => items.get(first.parse::<usize>().ok()?)?.at(rest),
            Value::Scalar(_) => None,
        }
    }

    /// Puts a value at a path of names, making tables on the way, or takes away what is there.
    pub fn replace(&mut self, path: &[&str], value: Option<Node>) {
        let Some((first, rest)) = path.split_first() else { return };
        let Value::Table(table) = &mut self.value else { return };
        match (rest, value) {
            ([], None) => {
                table.remove(*first);
            }
            ([], Some(value)) => {
                table.insert((*first).to_owned(), value);
            }
            (rest, None) => {
                if let Some(inner) = table.get_mut(*first) {
                    inner.replace(rest, None);
                }
            }
            (rest, Some(value)) => {
                let (place, key) = (value.place.clone(), value.key.clone());
                let empty = || Node { value: Value::Table(BTreeMap::new()), place, key };
                table.entry((*first).to_owned()).or_insert_with(empty).replace(rest, Some(value));
            }
        }
    }

    /// Where the value at a path is written, or else the nearest thing around it.
    pub fn place_of(&self, path: &[&str]) -> &Place {
        let mut node = self;
        for (depth, step) in path.iter().enumerate() {
            match node.at(&[step]) {
                Some(inner) => node = inner,
                None if depth == 0 => return &self.place,
                None => return node.shown(),
            }
        }
        node.shown()
    }

    /// What to underline: a table with a header of its own is best shown by its name.
    pub fn shown(&self) -> &Place {
        let header = self.table().is_some() && !self.place.text().starts_with('{');
        if header { &self.key } else { &self.place }
    }
}

fn entries(table: &DeTable<'_>, source: &Arc<Source>) -> BTreeMap<String, Node> {
    table
        .iter()
        .map(|(key, value)| {
            let place = Place::new(source, key.span());
            (key.get_ref().to_string(), node(value, place, source))
        })
        .collect()
}

fn node(value: &Spanned<DeValue<'_>>, key: Place, source: &Arc<Source>) -> Node {
    let place = Place::new(source, value.span());
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Scalar(toml::Value::String(text.to_string())),
        DeValue::Integer(integer) => {
            Value::Scalar(match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(integer) => toml::Value::Integer(integer),
                // Beyond 64 bits no setting makes sense; a float keeps the size for the message.
                Err(_) => toml::Value::Float(integer.as_str().parse().unwrap_or(f64::INFINITY)),
            })
        }
        DeValue::Float(float) => {
            Value::Scalar(toml::Value::Float(float.as_str().parse().unwrap_or(f64::NAN)))
        }
        DeValue::Boolean(boolean) => Value::Scalar(toml::Value::Boolean(*boolean)),
        DeValue::Datetime(datetime) => Value::Scalar(toml::Value::Datetime(*datetime)),
        DeValue::Array(items) => Value::List(
            items.iter().map(|item| node(item, Place::new(source, item.span()), source)).collect(),
        ),
        DeValue::Table(table) => Value::Table(entries(table, source)),
    };
    Node { value, place, key }
}

fn syntax_problem(source: &Arc<Source>, error: &toml::de::Error) -> Problem {
    let place = Place::new(source, error.span().unwrap_or(0..0));
    if error.message().starts_with("duplicate key") {
        return duplicate(source, &place);
    }
    // The renderer shows nothing for an empty stretch at the very start.
    let span = if place.is_whole() { 0..1 } else { place.span.clone() };
    let message = error.message();
    let message = message.strip_suffix(", expected nothing").unwrap_or(message);
    let help = unquoted(line_around(source, place.span.start))
        .unwrap_or_else(|| "a setting is written key = value, and a table begins with [name]".to_owned());
    Problem::new(format!("this is not TOML: {message}")).at(&Place::new(source, span)).help(help)
}

/// The most common slip: `duration = 30m`.
fn unquoted(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let value = value.split('#').next()?.trim();
    if let Ok(number) = value.replace(',', ".").parse::<f64>()
        && number.is_finite()
    {
        return Some(format!("write {} = {number}", key.trim()));
    }
    let bare = |c: char| c.is_alphanumeric() || "._-:/ ".contains(c);
    (!value.is_empty() && value.chars().all(bare))
        .then(|| format!("put text in quotes: {} = \"{value}\"", key.trim()))
}

fn line_around(source: &Source, at: usize) -> &str {
    let at = at.min(source.text.len());
    let start = source.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = source.text[at..].find('\n').map_or(source.text.len(), |newline| at + newline);
    // An error at a line's end may be reported at its newline.
    &source.text[start..end]
}

fn line_before(source: &Source, at: usize) -> &str {
    let at = at.min(source.text.len());
    &source.text[source.text[..at].rfind('\n').map_or(0, |newline| newline + 1)..at]
}

/// Says which name it is, and where it was defined first.
fn duplicate(source: &Arc<Source>, place: &Place) -> Problem {
    let line = line_before(source, place.span.start);
    let inside = line.trim_start().trim_start_matches('[').to_owned() + place.text();
    let in_header = line.trim_start().starts_with('[');
    let header = match in_header {
        true => String::new(),
        false => source.text[..place.span.start]
            .lines()
            .rev()
            .find_map(|line| line.trim_start().strip_prefix('[')?.split(']').next())
            .map(|header| format!("{header}."))
            .unwrap_or_default(),
    };
    let path = format!("{header}{inside}");
    // Inside an inline table the path cannot be read off the line; the key alone has to do.
    let plain = !path.contains(['{', '=', '"', '\'']);
    let name = if plain { path.as_str() } else { place.text() };
    let problem = Problem::new(format!("`{name}` is defined twice"))
        .at(place)
        .label("defined again here")
        .help(if in_header {
            "give it another name, or remove one of the two"
        } else {
            "remove one of the two"
        });
    let (table, _) = DeTable::parse_recoverable(&source.text);
    let steps: Vec<&str> = name.split('.').map(str::trim).collect();
    let first = Node {
        value: Value::Table(entries(table.get_ref(), source)),
        place: place.clone(),
        key: place.clone(),
    };
    match first.at(&steps) {
        Some(first) if first.key != *place => problem.also(&first.key, "defined first here"),
        _ => problem,
    }
}
