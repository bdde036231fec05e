//! A scenario as one text that stands by itself: its parts are in it, and it runs wherever it lies.

use super::files::Files;
use super::shape::Shape;
use super::tree::Node;
use toml::Value;

/// The text of a scenario with its parts merged in.
pub(super) fn standalone(shape: &Shape, root: &Node, files: &Files) -> String {
    let mut value = without_parts(shape, root.to_toml());
    for path in named_files(root) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let name = root.at(&path).and_then(|file| {
            let found = files.find(file.text()?, &file.place, "file").ok()?;
            // One that comes with the program is found from anywhere.
            Some(if found.is_embedded() { found.name } else { found.identity })
        });
        if let Some(name) = name
            && let Some(file) = path.iter().try_fold(&mut value, |value, step| value.get_mut(step))
        {
            *file = name.into();
        }
    }
    toml::to_string_pretty(&value).expect("what was read as TOML is TOML")
}

/// The settings that name a file which is not a part.
fn named_files(root: &Node) -> Vec<Vec<String>> {
    let owned = |path: &[&str]| path.iter().map(|step| (*step).to_owned()).collect();
    let sources = root.at(&["incidents"]).and_then(Node::table).into_iter().flat_map(|table| table.keys());
    let mut paths = vec![owned(&["traffic", "arrivals", "trace", "file"])];
    paths.extend(sources.map(|source| owned(&["incidents", source, "replay", "file"])));
    paths
}

/// Without `from`: what it brought is there.
fn without_parts(shape: &Shape, value: Value) -> Value {
    let Value::Table(table) = value else { return value };
    let inner = |name: &str| match shape {
        Shape::Map(item) => Some(item.as_ref()),
        _ => shape.field(name).map(|field| &field.shape),
    };
    let kept = table.into_iter().filter(|(name, _)| !(shape.takes_part() && name == "from"));
    let entry = |(name, value): (String, Value)| {
        let value = match inner(&name) {
            Some(shape) => without_parts(shape, value),
            None => value,
        };
        (name, value)
    };
    Value::Table(kept.map(entry).collect())
}
