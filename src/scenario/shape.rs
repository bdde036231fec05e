//! What a file may hold, read off the JSON Schema that [`super::file`] generates.
//!
//! One source for editors, for the check of a file, for the paths of `--set` and sweep axes, and for defaults: the
//! serde types. This module only turns their schema into something that is quick to walk.

use super::quantity::Kind;
use super::tree::Node;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// The shape of a value.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// A single value.
    One(Kind),
    /// Anything: a swept value, whose shape its path decides.
    Any,
    List(Box<Shape>),
    /// Things under names of the writer's choice.
    Map(Box<Shape>),
    Table(Vec<Field>),
    /// One of several: a bare name, or a table with the name as its only key.
    Choice(Vec<Variant>),
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub name: String,
    pub shape: Shape,
    pub required: bool,
    pub default: Option<toml::Value>,
    /// The neighbour whose value it takes when it is left out.
    pub same_as: Option<String>,
    /// How to write it, as TOML text; begins with a line break where it is a table with a header of its own.
    pub example: String,
    /// What it means, in sentences.
    pub about: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub name: String,
    /// `None` for one that is a bare name.
    pub content: Option<Shape>,
    /// The whole value, as TOML text.
    pub example: String,
    /// What it means, in sentences.
    pub about: String,
}

impl Shape {
    pub fn of<T: JsonSchema>() -> Shape {
        let schema = schema_of::<T>();
        let none = Map::new();
        let definitions = schema.get("$defs").and_then(Json::as_object).unwrap_or(&none);
        Shape::read(&schema, definitions)
    }

    fn read(schema: &Json, definitions: &Map<String, Json>) -> Shape {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            return Shape::read(&definitions[name], definitions);
        }
        if let Some(mark) = schema["x-kind"].as_str() {
            let kind = Kind::ALL.into_iter().find(|kind| kind.mark() == mark);
            return Shape::One(kind.unwrap_or_else(|| panic!("the schema has an unknown kind {mark}")));
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return Shape::Choice(choices.iter().flat_map(|choice| variants(choice, definitions)).collect());
        }
        if schema["enum"].is_array() {
            return Shape::Choice(variants(schema, definitions));
        }
        match schema["type"].as_str() {
            Some("string") => Shape::One(Kind::Text),
            Some("boolean") => Shape::One(Kind::Flag),
            Some("array") => Shape::List(Box::new(Shape::read(&schema["items"], definitions))),
            Some("object") if schema["properties"].is_object() => Shape::Table(fields(schema, definitions)),
            Some("object") => Shape::Map(Box::new(Shape::read(&schema["additionalProperties"], definitions))),
            None => Shape::Any,
            Some(other) => panic!("the schema has a type that no kind describes: {other}"),
        }
    }

    /// A value of this shape, as TOML text.
    pub fn example(&self) -> String {
        match self {
            Shape::One(kind) => kind.example().to_owned(),
            Shape::Any => "1".to_owned(),
            Shape::List(item) => format!("[{}]", item.example()),
            Shape::Map(item) => format!("{{ name = {} }}", item.example()),
            Shape::Table(fields) => {
                let required: Vec<String> = fields
                    .iter()
                    .filter(|field| field.required)
                    .map(|field| format!("{} = {}", field.name, field.inline_example()))
                    .collect();
                if required.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", required.join(", ")) }
            }
            Shape::Choice(variants) => variants[0].example.clone(),
        }
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        match self {
            Shape::Table(fields) => fields.iter().find(|field| field.name == name),
            _ => None,
        }
    }

    /// The shape at a path, in which any name of people's choice exists.
    pub fn at(&self, path: &str) -> Option<&Shape> {
        path.split('.').try_fold(self, |shape, step| match shape {
            Shape::Table(_) => shape.field(step).map(|field| &field.shape),
            Shape::Map(item) => Some(item.as_ref()),
            Shape::Choice(variants) => variants.iter().find(|variant| variant.name == step)?.content.as_ref(),
            Shape::One(_) | Shape::Any | Shape::List(_) => None,
        })
    }

    /// What the setting at a path means; `None` if there is none, or its name is of people's choice.
    pub fn about(&self, path: &str) -> Option<&str> {
        let (around, name) = match path.rsplit_once('.') {
            Some((around, name)) => (self.at(around)?, name),
            None => (self, path),
        };
        match around {
            Shape::Choice(variants) => {
                variants.iter().find(|variant| variant.name == name).map(|variant| variant.about.as_str())
            }
            _ => around.field(name).map(|field| field.about.as_str()),
        }
    }

    /// Whether things of this shape have names that stand in headers and paths, rather than keys that mean something.
    pub fn takes_name(&self) -> bool {
        matches!(self, Shape::Table(_) | Shape::Choice(_))
    }

    /// Whether a table of this shape may name a part.
    pub fn takes_part(&self) -> bool {
        self.field("from").is_some()
    }

    /// All paths below `prefix` at which a setting called `name` exists; `NAME` stands for names of people's choice.
    pub fn find(&self, name: &str, prefix: &str, found: &mut Vec<String>) {
        let join = |step: &str| if prefix.is_empty() { step.to_owned() } else { format!("{prefix}.{step}") };
        match self {
            Shape::Table(fields) => {
                for field in fields {
                    if field.name == name {
                        found.push(join(&field.name));
                    }
                    field.shape.find(name, &join(&field.name), found);
                }
            }
            Shape::Map(item) => item.find(name, &join("NAME"), found),
            Shape::Choice(variants) => {
                for variant in variants {
                    if let Some(content) = &variant.content {
                        content.find(name, &join(&variant.name), found);
                    }
                }
            }
            Shape::One(_) | Shape::Any | Shape::List(_) => {}
        }
    }
}

impl Variant {
    /// How to write it with the value that was found where the choice is meant, if that is one for it.
    pub fn example_with(&self, found: &Node) -> String {
        let value = found.to_toml();
        match &self.content {
            Some(Shape::One(kind)) if kind.check(&value).is_ok() => {
                format!("{{ {} = {} }}", self.name, inline(&value))
            }
            _ => self.example.clone(),
        }
    }
}

impl Field {
    /// How to write its value after an equals sign.
    pub fn inline_example(&self) -> String {
        if self.example.starts_with('\n') { self.shape.example() } else { self.example.clone() }
    }

    /// How to add it.
    pub fn how_to_add(&self) -> String {
        match self.example.strip_prefix('\n') {
            Some(table) => format!("add, for example:\n{table}"),
            None => format!("add, for example: {} = {}", self.name, self.example),
        }
    }
}

fn fields(schema: &Json, definitions: &Map<String, Json>) -> Vec<Field> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, property)| {
            let shape = Shape::read(property, definitions);
            let example = match (&property["x-example"], &property["examples"][0]) {
                (Json::String(text), _) => text.clone(),
                (_, Json::Null) => shape.example(),
                (_, value) => inline(&to_toml(value)),
            };
            let default = property.get("default").map(to_toml);
            let same_as = property["x-same-as"].as_str().map(str::to_owned);
            let required = required.contains(&name.as_str());
            let about = property["description"].as_str().unwrap_or_default().to_owned();
            Field { name: name.clone(), shape, required, default, same_as, example, about }
        })
        .collect()
}

/// The choices in one entry of `oneOf`: bare names, or a table with one key.
fn variants(schema: &Json, definitions: &Map<String, Json>) -> Vec<Variant> {
    let about = schema["description"].as_str().unwrap_or_default();
    let bare = |name: &str| Variant {
        name: name.to_owned(),
        content: None,
        example: format!("\"{name}\""),
        about: about.to_owned(),
    };
    if let Some(name) = schema["const"].as_str() {
        return vec![bare(name)];
    }
    if let Some(names) = schema["enum"].as_array() {
        return names.iter().filter_map(Json::as_str).map(bare).collect();
    }
    fields(schema, definitions)
        .into_iter()
        .map(|field| {
            let example = format!("{{ {} = {} }}", field.name, field.example);
            Variant { name: field.name, content: Some(field.shape), example, about: about.to_owned() }
        })
        .collect()
}

fn to_toml(value: &Json) -> toml::Value {
    toml::Value::try_from(value).expect("the schema's defaults and examples are TOML values")
}

/// A value as TOML text on one line: `{ status = 503 }`.
pub(crate) fn inline(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(table) if table.is_empty() => "{}".to_owned(),
        toml::Value::Table(table) => {
            let entries: Vec<String> =
                table.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        toml::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// The JSON Schema of a file, without the nulls that TOML has not.
pub(crate) fn schema_of<T: JsonSchema>() -> Json {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    strip_null(&mut schema);
    schema
}

fn strip_null(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(strip_null),
        Json::Object(object) => {
            if let Some(Json::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Json::Array(options)) = object.get_mut("anyOf") {
                options.retain(|option| option["type"] != "null");
                if let [Json::Object(only)] = options.as_slice() {
                    let only = only.clone();
                    object.shift_remove("anyOf");
                    object.extend(only);
                }
            }
            if object.get("default") == Some(&Json::Null) {
                object.shift_remove("default");
            }
            object.values_mut().for_each(strip_null);
        }
        _ => {}
    }
}

/// The schema as editors get it: without our own marks, and requiring nothing that a part may bring.
pub(crate) fn published_schema<T: JsonSchema>(title: &str) -> String {
    let mut schema = schema_of::<T>();
    strip_marks(&mut schema);
    if let Some(definitions) = schema["$defs"].as_object_mut() {
        leave_to_parts(definitions);
    }
    schema["title"] = title.into();
    serde_json::to_string_pretty(&schema).expect("a JSON value has a text") + "\n"
}

fn strip_marks(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(strip_marks),
        Json::Object(object) => {
            object.retain(|key, _| !key.starts_with("x-"));
            object.values_mut().for_each(strip_marks);
        }
        _ => {}
    }
}

/// A table that names a part may lack anything, at any depth: an editor must not call that wrong.
fn leave_to_parts(definitions: &mut Map<String, Json>) {
    let mut inside = BTreeSet::new();
    for definition in definitions.values().filter(|definition| definition["properties"]["from"].is_object()) {
        references(definition, definitions, &mut inside);
    }
    for (name, definition) in definitions.iter_mut() {
        let takes_part = definition["properties"]["from"].is_object();
        let Some(object) = definition.as_object_mut().filter(|_| takes_part || inside.contains(name)) else {
            continue;
        };
        if let (Some(required), true) = (object.shift_remove("required"), takes_part) {
            let either = serde_json::json!([{ "required": ["from"] }, { "required": required }]);
            object.insert("anyOf".to_owned(), either);
        }
    }
}

/// The names of all definitions that a schema leads to.
fn references(schema: &Json, definitions: &Map<String, Json>, found: &mut BTreeSet<String>) {
    match schema {
        Json::Array(items) => items.iter().for_each(|item| references(item, definitions, found)),
        Json::Object(object) => {
            let name =
                object.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
            if let Some(name) = name
                && found.insert(name.to_owned())
            {
                references(&definitions[name], definitions, found);
            }
            object.values().for_each(|inner| references(inner, definitions, found));
        }
        _ => {}
    }
}
