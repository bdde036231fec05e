//! Checks a file against its shape: unknown and missing settings, wrong types, units and ranges, all at their place.
//!
//! What was wrong is repaired with an example, so that the checks that come later can go on and say the rest; they
//! must not judge what was repaired. What depends on more than one setting is left to [`super::lower`].

use super::problem::{Problem, nearest, one_of};
use super::quantity::{Kind, describe};
use super::shape::{Field, Shape, Variant};
use super::tree::{Node, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What a check found.
#[derive(Default)]
pub(crate) struct Findings {
    pub problems: Vec<Problem>,
    repaired: BTreeSet<String>,
}

impl Findings {
    /// Whether nothing at, around or inside `path` had to be repaired.
    pub fn sound(&self, path: &str) -> bool {
        !self.repaired.iter().any(|repaired| is_within(path, repaired) || is_within(repaired, path))
    }

    /// Whether it is known which providers there are.
    pub fn providers_known(&self) -> bool {
        !self.repaired.iter().any(|path| {
            path == "provider"
                || matches!(path.split_once('.'), Some(("provider", name)) if !name.contains('.'))
        })
    }

    /// Whether it is known which labels the providers have.
    pub fn labels_known(&self) -> bool {
        let of_labels = |path: &String| {
            let mut steps = path.split('.');
            steps.next() == Some("provider") && steps.nth(1) == Some("labels")
        };
        self.providers_known() && !self.repaired.iter().any(of_labels)
    }
}

/// Checks a whole file; the tree that comes back can be deserialised.
///
/// Tables in `broken` lack a part that could not be had: what is missing from them is not complained about.
pub(crate) fn check(shape: &Shape, root: &Node, broken: &BTreeSet<String>) -> (Node, Findings) {
    let findings = Findings { problems: vec![], repaired: broken.clone() };
    let mut checker = Checker { root: shape, broken, findings };
    let node = checker.check(shape, root, "").expect("the root of a TOML file is a table");
    (node, checker.findings)
}

/// Checks one value that is about to be set at a path.
pub(crate) fn check_value(root: &Shape, shape: &Shape, node: &Node, path: &str) -> Vec<Problem> {
    let mut checker = Checker { root, broken: &BTreeSet::new(), findings: Findings::default() };
    checker.check(shape, node, path);
    checker.findings.problems
}

/// What [`Shape::Map`] expects where its items are tables or choices.
const TABLE_OF_NAMES: &str = "a table of tables";

struct Checker<'a> {
    root: &'a Shape,
    broken: &'a BTreeSet<String>,
    findings: Findings,
}

/// Whether a path is `outer` itself, or a setting below it.
pub(crate) fn is_within(outer: &str, path: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

pub(crate) fn join(path: &str, step: &str) -> String {
    if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") }
}

/// `[provider.a]`, or "the file".
fn table_name(path: &str) -> String {
    if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") }
}

impl Checker<'_> {
    /// The value, repaired where only a part of it is wrong; `None` if nothing can be made of it.
    fn check(&mut self, shape: &Shape, node: &Node, path: &str) -> Option<Node> {
        let checked = match shape {
            Shape::Any => Some(node.clone()),
            Shape::One(kind) => match kind.check(&node.to_toml()) {
                Ok(()) => Some(node.clone()),
                Err(complaint) => {
                    let message = format!("`{path}` {}", complaint.what);
                    self.problem(Problem::new(message).at(&node.place).help(complaint.help))
                }
            },
            Shape::List(item) => self.list(item, node, path),
            Shape::Map(item) => self.map(item, node, path),
            Shape::Table(fields) => self.table(fields, node, path),
            Shape::Choice(variants) => self.choice(variants, node, path),
        };
        if checked.is_none() {
            self.findings.repaired.insert(path.to_owned());
        }
        checked
    }

    fn problem(&mut self, problem: Problem) -> Option<Node> {
        self.findings.problems.push(problem);
        None
    }

    fn wrong_type(&mut self, expected: &str, node: &Node, path: &str, help: String) -> Option<Node> {
        let found = describe(&node.to_toml());
        let place = node.shown();
        let list_of_tables = matches!(node.value, Value::List(_)) && place.text().starts_with("[[");
        let help = match list_of_tables {
            true if expected == TABLE_OF_NAMES => format!("write [{path}.some_name], in single brackets"),
            true => format!("write [{path}], in single brackets"),
            false => help,
        };
        let message = format!("`{path}` takes {expected}, not {found}");
        self.problem(Problem::new(message).at(place).help(help))
    }

    fn list(&mut self, item: &Shape, node: &Node, path: &str) -> Option<Node> {
        let Value::List(items) = &node.value else {
            let help = match (item, node.text()) {
                (Shape::One(_), Some(text)) => format!("write [\"{text}\"]"),
                (Shape::Table(_), _) if node.shown() == &node.key => {
                    format!("write [[{path}]], in double brackets")
                }
                _ => format!("write [{}]", item.example()),
            };
            return self.wrong_type("a list", node, path, help);
        };
        let mut checked = Vec::new();
        for (index, node) in items.iter().enumerate() {
            // A list that lost an item is not the list that was meant.
            let node = self.check(item, node, &join(path, &index.to_string()));
            checked.push(node);
        }
        let items = checked.into_iter().collect::<Option<Vec<Node>>>()?;
        Some(Node { value: Value::List(items), ..node.clone() })
    }

    fn map(&mut self, item: &Shape, node: &Node, path: &str) -> Option<Node> {
        let Some(table) = node.table() else {
            let help = match item {
                Shape::Table(_) | Shape::Choice(_) => {
                    format!("write a table under a name: [{path}.some_name]")
                }
                Shape::One(Kind::Duration) => "write { eu-west-1 = \"76ms\" }, for example".to_owned(),
                Shape::One(Kind::Positive) => "write { primary = 3.0, backup = 1.0 }, for example".to_owned(),
                _ => "write { vendor = \"anthropic\", region = \"us-east-1\" }, for example".to_owned(),
            };
            let expected = if item.takes_name() { TABLE_OF_NAMES } else { "a table" };
            return self.wrong_type(expected, node, path, help);
        };
        let mut checked = BTreeMap::new();
        for (name, node) in table {
            let inner = join(path, name);
            let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if item.takes_name() && (name.is_empty() || !name.chars().all(bare)) {
                let plain: String = name.chars().map(|c| if bare(c) { c } else { '_' }).collect();
                let message = match name.is_empty() {
                    true => "the name is empty".to_owned(),
                    false => format!("the name `{name}` has characters that a path cannot hold"),
                };
                // A name with none of its letters left is no suggestion.
                let help = match plain.contains(|c: char| c.is_ascii_alphanumeric()) {
                    true => format!("use letters a to z, digits, _ and - only: {plain}"),
                    false => "use letters a to z, digits, _ and - only".to_owned(),
                };
                self.problem(Problem::new(message).at(&node.key).help(help));
                self.findings.repaired.insert(path.to_owned());
                continue;
            }
            // A table may be a setting, too, and a name may be that of a setting: what is in it decides.
            let is_one =
                node.table().is_some_and(|t| t.is_empty() || t.keys().any(|k| item.field(k).is_some()));
            if item.field(name).is_some() && !is_one {
                let message = format!("`{path}` takes tables under names, and `{name}` is a setting of one");
                let help = format!("give the table a name of your choice: [{path}.some_name]");
                self.problem(Problem::new(message).at(&node.key).help(help));
                self.findings.repaired.insert(inner);
                continue;
            }
            if let Some(node) = self.check(item, node, &inner) {
                checked.insert(name.clone(), node);
            }
        }
        Some(Node { value: Value::Table(checked), ..node.clone() })
    }

    fn table(&mut self, fields: &[Field], node: &Node, path: &str) -> Option<Node> {
        let Some(table) = node.table() else {
            let help = match Shape::Table(fields.to_vec()).example().as_str() {
                "{}" => format!("write a table, [{path}], with settings below it"),
                example => format!("write {example}"),
            };
            return self.wrong_type("a table", node, path, help);
        };
        let mut misspelt: BTreeSet<&str> = BTreeSet::new();
        for (name, inner) in table {
            if fields.iter().all(|field| field.name != *name) {
                misspelt.extend(self.unknown(fields, table, name, inner, path));
            }
        }
        for name in &misspelt {
            self.findings.repaired.insert(join(path, name));
        }
        let mut checked = BTreeMap::new();
        for field in fields {
            let inner_path = join(path, &field.name);
            let found = table.get(&field.name);
            let value = found.and_then(|inner| self.check_field(field, inner, &inner_path));
            if let Some(value) = value {
                checked.insert(field.name.clone(), value);
            } else if field.required {
                let excused = misspelt.contains(field.name.as_str()) || self.broken.contains(path);
                if found.is_none() && !excused {
                    let message = format!("{} has no `{}`", table_name(path), field.name);
                    self.problem(Problem::new(message).at(node.shown()).help(field.how_to_add()));
                }
                self.findings.repaired.insert(inner_path);
                checked.insert(field.name.clone(), example_node(field, node));
            }
        }
        Some(Node { value: Value::Table(checked), ..node.clone() })
    }

    /// A table that needs nothing has no example of its own; the field that takes it may have one.
    fn check_field(&mut self, field: &Field, node: &Node, path: &str) -> Option<Node> {
        let is_table = matches!(field.shape, Shape::Table(_));
        let example = field.inline_example();
        if is_table && node.table().is_none() && example != "{}" {
            self.findings.repaired.insert(path.to_owned());
            return self.wrong_type("a table", node, path, format!("write {example}"));
        }
        self.check(&field.shape, node, path)
    }

    /// Complains of an unknown setting; says which known one it was meant to be.
    fn unknown<'f>(
        &mut self,
        fields: &'f [Field],
        table: &BTreeMap<String, Node>,
        name: &str,
        node: &Node,
        path: &str,
    ) -> Option<&'f str> {
        let free = fields.iter().map(|f| f.name.as_str()).filter(|known| !table.contains_key(*known));
        let meant = nearest(name, free);
        // What is there already, spelt right, is meant too, but excuses nothing.
        let near = meant.or_else(|| nearest(name, fields.iter().map(|f| f.name.as_str())));
        let mut elsewhere = Vec::new();
        self.root.find(name, "", &mut elsewhere);
        let named = match self.root.at(name) {
            Some(Shape::Map(item)) if item.takes_name() => ".some_name",
            _ => "",
        };
        let help = match (near, elsewhere.first()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, Some(home)) if home == name && (node.table().is_some() || !named.is_empty()) => {
                format!("begin a table: [{home}{named}]")
            }
            (None, Some(home)) if home == name => {
                "it belongs at the top of the file, above the first [table]".to_owned()
            }
            (None, Some(home)) => format!("it belongs at `{home}`"),
            (None, None) => {
                format!("{} takes {}", table_name(path), one_of(fields.iter().map(|f| f.name.as_str())))
            }
        };
        let message = match path {
            "" => format!("there is no setting `{name}`"),
            _ => format!("`{path}` has no setting `{name}`"),
        };
        self.problem(Problem::new(message).at(&node.key).help(help));
        meant
    }

    /// Of several keys where one choice is meant, those that are settings beside the choice: where they go.
    fn neighbours(&self, found: &[&str], variants: &[Variant], path: &str) -> Option<String> {
        let (table, _) = path.rsplit_once('.')?;
        let outside: Vec<&str> =
            found.iter().copied().filter(|key| variants.iter().all(|variant| variant.name != *key)).collect();
        let beside = |key: &&str| self.root.at(table).is_some_and(|shape| shape.field(key).is_some());
        let one_is_meant = outside.len() + 1 == found.len();
        (one_is_meant && outside.iter().all(beside)).then(|| {
            let names = one_of(outside).replace(" or ", " and ");
            format!("put {names} beside it, in `{table}`")
        })
    }

    fn choice(&mut self, variants: &[Variant], node: &Node, path: &str) -> Option<Node> {
        let names = || variants.iter().map(|variant| variant.name.as_str());
        let examples = || -> String {
            let all: Vec<String> = variants.iter().map(|variant| variant.example_with(node)).collect();
            match all.split_last() {
                Some((last, [])) => format!("write {last}"),
                Some((last, rest)) => format!("write {} or {last}", rest.join(", ")),
                None => String::new(),
            }
        };
        let find = |name: &str| variants.iter().find(|variant| variant.name == name);
        let Some(table) = node.table() else {
            return match node.text().map(|text| (text, find(text))) {
                Some((_, Some(Variant { content: None, .. }))) => Some(node.clone()),
                Some((text, Some(variant))) => {
                    let message = format!("`{path}` is \"{text}\", which needs a value");
                    let help = format!("write {}", variant.example);
                    self.problem(Problem::new(message).at(&node.place).help(help))
                }
                Some((text, None)) => {
                    let help = match nearest(text, names()).and_then(find) {
                        Some(variant) => format!("did you mean {}?", variant.example),
                        None => examples(),
                    };
                    let message = format!("`{path}` is \"{text}\", which is none of its choices");
                    self.problem(Problem::new(message).at(&node.place).help(help))
                }
                None => self.wrong_type("one of its choices", node, path, examples()),
            };
        };
        let mut keys = table.iter();
        let (Some((name, inner)), None) = (keys.next(), keys.next()) else {
            let found: Vec<&str> = table.keys().map(String::as_str).collect();
            let message = match found.as_slice() {
                [] => format!("`{path}` is empty"),
                found => format!(
                    "`{path}` has {}, but takes one",
                    one_of(found.iter().copied()).replace(" or ", " and ")
                ),
            };
            let place = node.shown();
            let help = self.neighbours(&found, variants, path).or_else(|| insides(&found, variants));
            let help = help.unwrap_or_else(examples);
            return self.problem(Problem::new(message).at(place).help(help));
        };
        match find(name) {
            Some(Variant { content: Some(content), .. }) => {
                let inner = self.check(content, inner, &join(path, name))?;
                Some(Node { value: Value::Table(BTreeMap::from([(name.clone(), inner)])), ..node.clone() })
            }
            Some(bare) => {
                let message = format!("`{path}` has a value for `{name}`, which takes none");
                self.problem(Problem::new(message).at(&inner.key).help(format!("write {}", bare.example)))
            }
            None => {
                let help = match nearest(name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => insides(&[name], variants).unwrap_or_else(examples),
                };
                let message = format!("`{path}` has no choice `{name}`");
                self.problem(Problem::new(message).at(&inner.key).help(help))
            }
        }
    }
}

/// Of keys where a choice is meant, those that are settings of one: which one.
fn insides(found: &[&str], variants: &[Variant]) -> Option<String> {
    let settings = |variant: &Variant| {
        let of_it =
            |key: &&&str| variant.content.as_ref().is_some_and(|content| content.field(key).is_some());
        found.iter().filter(of_it).count()
    };
    let most = variants.iter().map(settings).max().filter(|most| *most > 0)?;
    let meant = variants.iter().find(|variant| settings(variant) == most)?;
    let names_one = variants.iter().any(|variant| found.contains(&variant.name.as_str()));
    (!names_one).then(|| format!("did you mean {}?", meant.example))
}

/// Stands in for a required setting that is missing or wrong.
fn example_node(field: &Field, table: &Node) -> Node {
    let text = format!("x = {}", field.inline_example());
    let parsed: toml::Table = toml::from_str(&text).expect("an example is TOML");
    Node::from_toml(&parsed["x"], &table.key)
}
