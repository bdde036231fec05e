//! Paths of settings, `gateway.health_check.interval`: what `--set`, sweep axes and conditions name.
//!
//! A path is checked against the shape, so a setting left at its default has one too; names of people's choice have
//! to exist.

use super::check::join;
use super::problem::{Problem, suggestion};
use super::shape::{Shape, inline};
use super::source::Place;
use super::tree::{Node, Value};
use std::collections::BTreeMap;

/// The shape of the value at `path`, or what is wrong with the path, which is written at `place`.
pub(crate) fn shape_at<'a>(
    shape: &'a Shape,
    root: &Node,
    path: &str,
    place: &Place,
) -> Result<&'a Shape, Problem> {
    let mut shape = shape;
    let mut node = Some(root);
    let mut walked = String::new();
    for step in path.split('.') {
        let here = if walked.is_empty() { "a scenario".to_owned() } else { format!("`{walked}`") };
        let unknown = |what: String, help: String| Err(Problem::new(what).at(place).help(help));
        shape = match shape {
            Shape::Table(fields) => match shape.field(step) {
                Some(field) => &field.shape,
                None => {
                    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
                    return unknown(format!("{here} has no setting `{step}`"), suggestion(step, names));
                }
            },
            Shape::Map(item) => {
                let known: Vec<&str> = node
                    .and_then(Node::table)
                    .into_iter()
                    .flat_map(|table| table.keys().map(String::as_str))
                    .collect();
                if item.takes_name() && !known.contains(&step) {
                    let help = match known.as_slice() {
                        [] => format!("the scenario has no {here}"),
                        _ => suggestion(step, known),
                    };
                    return unknown(format!("there is no {walked} called `{step}`"), help);
                }
                item
            }
            Shape::Choice(variants) => match variants.iter().find(|variant| variant.name == step) {
                Some(variant) => match &variant.content {
                    Some(content) => content,
                    None => {
                        let help = format!("set {walked}={step}");
                        return unknown(format!("`{walked}.{step}` takes no value"), help);
                    }
                },
                None => {
                    let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
                    return unknown(format!("{here} has no choice `{step}`"), suggestion(step, names));
                }
            },
            Shape::One(_) | Shape::Any | Shape::List(_) => {
                let help = format!("set the whole of `{walked}`");
                return unknown(format!("{here} has no settings inside it, such as `{step}`"), help);
            }
        };
        node = node.and_then(|node| node.table()?.get(step));
        walked = join(&walked, step);
    }
    Ok(shape)
}

/// Puts a value at a path that [`shape_at`] accepted, making the tables on the way.
///
/// The error is a choice on the way that is another one.
pub(crate) fn insert(shape: &Shape, node: &mut Node, path: &str, value: Node) -> Result<(), Problem> {
    insert_steps(shape, node, &path.split('.').collect::<Vec<_>>(), "", value)
}

fn insert_steps(
    shape: &Shape,
    node: &mut Node,
    steps: &[&str],
    walked: &str,
    value: Node,
) -> Result<(), Problem> {
    let Some((step, rest)) = steps.split_first() else {
        *node = value;
        return Ok(());
    };
    let inner_shape = match shape {
        Shape::Table(_) => shape.field(step).map(|field| &field.shape),
        Shape::Map(item) => Some(item.as_ref()),
        Shape::Choice(variants) => {
            variants.iter().find(|variant| variant.name == *step).and_then(|variant| variant.content.as_ref())
        }
        Shape::One(_) | Shape::Any | Shape::List(_) => None,
    };
    let Some(inner_shape) = inner_shape else { return Ok(()) };
    let here = join(walked, step);
    if let Shape::Choice(_) = shape {
        let current = match node.table() {
            Some(table) => table.keys().next().cloned(),
            None => node.text().map(str::to_owned),
        };
        let other = current.filter(|current| current != step);
        if let (Some(other), false) = (&other, rest.is_empty()) {
            let inner = rest
                .iter()
                .rev()
                .fold(inline(&value.to_toml()), |inner, step| format!("{{ {step} = {inner} }}"));
            let message = format!("`{walked}` is `{other}` here, and has no `{step}.{}`", rest.join("."));
            return Err(Problem::new(message)
                .at(&value.place)
                .help(format!("set the whole of it: {walked}={{ {step} = {inner} }}")));
        }
        if other.is_some() {
            node.value = Value::Table(BTreeMap::new());
        }
    }
    if node.table().is_none() {
        *node =
            Node { value: Value::Table(BTreeMap::new()), place: value.place.clone(), key: value.key.clone() };
    }
    if let Value::Table(table) = &mut node.value {
        let empty = || Node {
            value: Value::Table(BTreeMap::new()),
            place: value.place.clone(),
            key: value.key.clone(),
        };
        let inner = table.entry((*step).to_owned()).or_insert_with(empty);
        // A choice that is not there yet has no current one: an empty table stands for that.
        return insert_steps(inner_shape, inner, rest, &here, value);
    }
    Ok(())
}
