//! Parts: tables that start from another file. Merges them, as deep as they go.
//!
//! Tables merge key by key, what is nearer to the scenario winning; lists, single values and choices that changed are
//! replaced.

use super::check::join;
use super::files::Files;
use super::problem::Problem;
use super::shape::Shape;
use super::tree::{Node, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Deeper nesting of parts is a mistake.
const DEEPEST: usize = 16;

/// A scenario with its parts merged in.
#[derive(Debug, Clone)]
pub(crate) struct Merged {
    pub root: Node,
    /// What was wrong with parts.
    pub problems: Vec<Problem>,
    /// The tables whose part could not be had: what they lack cannot be judged.
    pub broken: BTreeSet<String>,
    /// What parts say of their evidence; what overrides it does not make their other numbers better known.
    pub evidence: Vec<String>,
}

/// Merges all parts below a value at `path`.
pub(crate) fn merge_parts(shape: &Shape, node: &Node, path: &str, files: &Files) -> Merged {
    let mut merging = Merging { files, problems: vec![], broken: BTreeSet::new(), evidence: vec![] };
    let root = merging.expand(shape, node, path, &mut vec![]);
    let Merging { problems, broken, evidence, .. } = merging;
    Merged { root, problems, broken, evidence }
}

struct Merging<'a> {
    files: &'a Files,
    problems: Vec<Problem>,
    broken: BTreeSet<String>,
    evidence: Vec<String>,
}

/// A part on the way from the scenario to the one being read.
struct Link {
    name: String,
    identity: String,
}

impl Merging<'_> {
    fn expand(&mut self, shape: &Shape, node: &Node, path: &str, chain: &mut Vec<Link>) -> Node {
        let Value::Table(table) = &node.value else { return node.clone() };
        let mut expanded = BTreeMap::new();
        for (name, inner) in table {
            let inner_path = join(path, name);
            let inner_shape = match shape {
                Shape::Map(item) => Some(item.as_ref()),
                _ => shape.field(name).map(|field| &field.shape),
            };
            let inner = match inner_shape {
                Some(inner_shape) => self.expand(inner_shape, inner, &inner_path, chain),
                None => inner.clone(),
            };
            expanded.insert(name.clone(), inner);
        }
        let node = Node { value: Value::Table(expanded), ..node.clone() };
        if !shape.takes_part() {
            return node;
        }
        if let Some(evidence) = node.at(&["evidence"]).and_then(Node::text) {
            self.evidence.push(evidence.to_owned());
        }
        match node.at(&["from"]).filter(|from| from.text().is_some()) {
            Some(from) => match self.load(shape, from, path, chain) {
                Some(part) => merge(shape, part, node.clone()),
                None => {
                    self.broken.insert(path.to_owned());
                    node
                }
            },
            None => node,
        }
    }

    fn load(&mut self, shape: &Shape, from: &Node, path: &str, chain: &mut Vec<Link>) -> Option<Node> {
        let reference = from.text()?;
        let found = match self.files.find(reference, &from.place, "part") {
            Ok(found) => found,
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        if chain.iter().any(|link| link.identity == found.identity) || chain.len() >= DEEPEST {
            let names: Vec<&str> =
                chain.iter().map(|link| link.name.as_str()).chain([found.name.as_str()]).collect();
            self.problems.push(
                Problem::new(format!("parts take from each other in a circle: {}", names.join(" -> ")))
                    .at(&from.place)
                    .help("remove this `from`, or name a part that stands by itself"),
            );
            return None;
        }
        let part = match self.files.part(&found, &from.place) {
            Ok(part) => part,
            Err(problems) => {
                self.problems.extend(problems.into_vec());
                return None;
            }
        };
        chain.push(Link { name: found.name, identity: found.identity });
        let part = self.expand(shape, &part, path, chain);
        chain.pop();
        Some(part)
    }
}

/// What `over` says, and `base` where it says nothing.
fn merge(shape: &Shape, base: Node, over: Node) -> Node {
    let (Value::Table(below), Value::Table(above)) = (&base.value, &over.value) else { return over };
    if let Shape::Choice(_) = shape
        && !below.keys().eq(above.keys())
    {
        return over;
    }
    let inner_shape = |name: &str| match shape {
        Shape::Table(_) => shape.field(name).map(|field| &field.shape),
        Shape::Map(item) => Some(item.as_ref()),
        Shape::Choice(variants) => {
            variants.iter().find(|variant| variant.name == name).and_then(|variant| variant.content.as_ref())
        }
        Shape::One(_) | Shape::Any | Shape::List(_) => None,
    };
    let mut merged = below.clone();
    for (name, inner) in above {
        let inner = match (merged.remove(name), inner_shape(name)) {
            (Some(base), Some(shape)) => merge(shape, base, inner.clone()),
            _ => inner.clone(),
        };
        merged.insert(name.clone(), inner);
    }
    Node { value: Value::Table(merged), ..over }
}
