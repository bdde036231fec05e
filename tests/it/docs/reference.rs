//! The book's reference: every setting, from the JSON Schemas of the files, and every command, from its help.

use super::assert_generated;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::process::Command;

const SETTINGS: &str = "\
# Settings

Generated from `scenario.schema.json` and `experiment.schema.json`, which are made from the code that reads the files; do not edit.

A setting is named by its path, in files, for `--set` and as a sweep's axis alike: `gateway.health_check.interval` is `interval` in
`[gateway.health_check]`. `NAME` is a name of your choice. What has no default may be left out, unless it is needed;
`check` says what is missing where a part could have given it. Unknown settings are errors, and `run --resolved` prints every setting
of a scenario with where it came from.

| type | how it is written |
|---|---|
| duration | `\"250ms\"`, `\"5s\"`, `\"1m 30s\"`, `\"2h\"`, `\"90d\"` |
| rate | `\"155.56/s\"`, `\"500/min\"`, `\"10/h\"`, `\"1/d\"` |
| time | since the start of the run, `\"7m\"`, or on the scenario's `clock`, `\"02:47:00\"` |
| failures | a list of `refused`, `connect_timeout`, `timeout`, `connection_lost`, `stalled`, `cut`, `4xx`, `5xx`, `any`, and statuses from 400 to 599: `[\"refused\", 429, \"5xx\"]`; [what each is](../models/README.md) |
| one of | one of the choices that follow it; `a.b = \"x\"` is a choice by name, `a.b.x` one with a value |
";

/// A schema file, and how often each of its types is used.
struct Schema {
    root: Value,
    uses: BTreeMap<String, usize>,
}

/// A table in the page: a heading, what it is about, and rows.
struct Section {
    heading: String,
    about: String,
    rows: Vec<[String; 4]>,
}

impl Schema {
    fn read(name: &str) -> Schema {
        let text = fs::read_to_string(name).expect("a schema");
        let root: Value = serde_json::from_str(&text).expect("JSON");
        let mut uses = BTreeMap::new();
        for part in text.split("\"$ref\": \"#/$defs/").skip(1) {
            *uses.entry(part.split('"').next().unwrap_or_default().to_owned()).or_default() += 1;
        }
        Schema { root, uses }
    }

    /// The type that a schema refers to, with its name, or the schema itself.
    fn resolve<'a>(&'a self, schema: &'a Value) -> (Option<&'a str>, &'a Value) {
        let name = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
        name.map_or((None, schema), |name| (Some(name), &self.root["$defs"][name]))
    }

    /// A type that stands in several places has a section of its own.
    fn is_shared(&self, name: &str) -> bool {
        self.uses[name] > 1
    }

    fn properties(schema: &Value) -> Option<&Map<String, Value>> {
        schema["properties"].as_object()
    }

    /// All sections of the file: one for each of its tables, then one for each type that several share.
    fn sections(&self, file: &str) -> Vec<Section> {
        let mut sections = Vec::new();
        self.section(file, "", &self.root, &mut sections);
        if self.uses.keys().any(|name| self.is_shared(name)) {
            let about = "What several of these settings take.".to_owned();
            sections.push(Section { heading: "## Types".to_owned(), about, rows: Vec::new() });
        }
        for (name, _) in self.uses.iter().filter(|(name, _)| self.is_shared(name)) {
            let schema = &self.root["$defs"][name];
            let mut rows = Vec::new();
            // Of tables that belong to one of these, too, the rows stand here.
            match Schema::properties(schema) {
                Some(_) => self.rows_of_table("", schema, &mut rows, &mut None),
                None => self.rows_of_choices("", schema, &mut rows),
            }
            let about = text(&schema["description"]);
            sections.push(Section { heading: format!("### {}", words(name)), about, rows });
        }
        sections
    }

    fn section(&self, heading: &str, path: &str, schema: &Value, sections: &mut Vec<Section>) {
        let at = sections.len();
        let about = text(&schema["description"]);
        sections.push(Section { heading: heading.to_owned(), about, rows: Vec::new() });
        let mut rows = Vec::new();
        self.rows_of_table(path, schema, &mut rows, &mut Some(sections));
        sections[at].rows = rows;
    }

    /// A row for each key of a table; tables in it become sections if there is a place for them, or more rows.
    fn rows_of_table(
        &self,
        path: &str,
        schema: &Value,
        rows: &mut Vec<[String; 4]>,
        sections: &mut Option<&mut Vec<Section>>,
    ) {
        let needed = |key: &str| {
            let all = std::iter::once(schema).chain(schema["anyOf"].as_array().into_iter().flatten());
            let lists: Vec<&Value> =
                all.map(|part| &part["required"]).filter(|list| list.is_array()).collect();
            let has =
                |list: &Value, key: &str| list.as_array().is_some_and(|list| list.iter().any(|k| k == key));
            let takes_a_part = text(&schema["properties"]["from"]["description"]).starts_with("A part");
            match lists.iter().any(|list| has(list, key)) {
                true if takes_a_part => (key != "from").then_some("needed, or `from`"),
                true => Some("needed"),
                false => None,
            }
        };
        for (key, schema) in Schema::properties(schema).expect("a table") {
            let path = join(path, key);
            let default = match &schema["default"] {
                Value::Null => needed(key).unwrap_or_default().to_owned(),
                Value::Object(_) | Value::Array(_) => String::new(),
                plain => format!("`{plain}`"),
            };
            self.rows_of_setting(&path, schema, &default, rows, sections);
        }
    }

    fn rows_of_setting(
        &self,
        path: &str,
        schema: &Value,
        default: &str,
        rows: &mut Vec<[String; 4]>,
        sections: &mut Option<&mut Vec<Section>>,
    ) {
        let meaning = text(&schema["description"]);
        let mut row = |path: &str, kind: String| {
            let meaning = if meaning.is_empty() {
                text(&self.resolve(schema).1["description"])
            } else {
                meaning.clone()
            };
            rows.push([path.to_owned(), kind, default.to_owned(), meaning]);
        };
        let of_items = self.resolve(&schema["items"]).1;
        let of_named = self.resolve(&schema["additionalProperties"]).1;
        let (name, resolved) = self.resolve(schema);
        if let Some(name) = name.filter(|name| self.is_shared(name)) {
            row(path, format!("[{}](#{})", words(name), words(name).replace(' ', "-")));
        } else if Schema::properties(resolved).is_some() {
            row(path, "table".to_owned());
            self.inner(path, resolved, rows, sections);
        } else if resolved["oneOf"].is_array() {
            row(path, "one of".to_owned());
            self.rows_of_choices(path, resolved, rows);
        } else if Schema::properties(of_named).is_some() || of_named["oneOf"].is_array() {
            let path = format!("{path}.NAME");
            match self.resolve(&schema["additionalProperties"]).0.filter(|name| self.is_shared(name)) {
                Some(name) => row(&path, format!("[{}](#{})", words(name), words(name).replace(' ', "-"))),
                None => {
                    row(&path, "table".to_owned());
                    self.inner(&path, of_named, rows, sections);
                }
            }
        } else if Schema::properties(of_items).is_some() {
            row(path, "list of tables".to_owned());
            self.inner(path, of_items, rows, sections);
        } else {
            row(path, kind(resolved));
        }
    }

    /// What is in a table: a section of its own if it is one of the file's larger ones.
    fn inner(
        &self,
        path: &str,
        schema: &Value,
        rows: &mut Vec<[String; 4]>,
        sections: &mut Option<&mut Vec<Section>>,
    ) {
        let depth = path.split('.').filter(|part| *part != "NAME").count();
        match sections {
            Some(sections) if depth <= 2 => self.section(&format!("### {path}"), path, schema, sections),
            _ => self.rows_of_table(path, schema, rows, &mut None),
        }
    }

    /// A row for each choice.
    fn rows_of_choices(&self, path: &str, schema: &Value, rows: &mut Vec<[String; 4]>) {
        for choice in schema["oneOf"].as_array().expect("choices") {
            let meaning = text(&choice["description"]);
            if let Some(name) = choice["const"].as_str() {
                let path =
                    if path.is_empty() { format!("\"{name}\"") } else { format!("{path} = \"{name}\"") };
                rows.push([path, "choice".to_owned(), String::new(), meaning]);
            } else if let Some(properties) = Schema::properties(choice) {
                for (key, value) in properties {
                    let mut value = value.clone();
                    value["description"] = Value::String(meaning.clone());
                    self.rows_of_setting(&join(path, key), &value, "", rows, &mut None);
                }
            } else {
                rows.push([path.to_owned(), kind(choice), String::new(), meaning]);
            }
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A type's name in words: `ConcurrentShare` is "concurrent share".
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.trim_end_matches("File").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// A description, in one line and safe in a table.
fn text(description: &Value) -> String {
    description.as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

/// What is written there, and in which range.
fn kind(schema: &Value) -> String {
    if let Some(pattern) = schema["pattern"].as_str() {
        let [clock, rate] = ["[0-9]{1,2}:", "/\\s*(s|sec"].map(|part| pattern.contains(part));
        let kind = match (clock, rate, pattern.contains("[a-zA-Zµ]")) {
            (true, _, true) => "time",
            (true, _, false) => "clock time",
            (_, true, _) => "rate",
            (_, _, true) => "duration",
            _ => panic!("a kind of text that the reference does not know: {pattern}"),
        };
        return kind.to_owned();
    }
    match schema["type"].as_str() {
        Some("integer") => format!("whole number{}", range(schema)),
        Some("number") => format!("number{}", range(schema)),
        Some("boolean") => "true or false".to_owned(),
        Some("string") => match schema["enum"].as_array() {
            Some(all) => all.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "),
            None => "text".to_owned(),
        },
        Some("array") => match &schema["items"] {
            items if items["anyOf"][0]["enum"][0] == "refused" => "failures".to_owned(),
            items if items["anyOf"].is_array() || items["oneOf"].is_array() => "list".to_owned(),
            Value::Bool(_) => "list of any values".to_owned(),
            items => format!("list, each a {}", kind(items)),
        },
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("table, each a {}", kind(&schema["additionalProperties"]))
        }
        Some("object") => "table".to_owned(),
        _ => match schema["anyOf"].as_array() {
            Some(kinds) => kinds.iter().map(kind).collect::<Vec<_>>().join(", or "),
            None => "any value".to_owned(),
        },
    }
}

/// Without limits that only keep numbers from overflowing.
fn range(schema: &Value) -> String {
    const NO_LIMIT: f64 = 1e6;
    let low = schema["minimum"].as_f64().map(|low| format!("{low}"));
    let above = schema["exclusiveMinimum"].as_f64().map(|low| format!("above {low}"));
    let high = schema["maximum"].as_f64().filter(|high| *high < NO_LIMIT);
    match (low, above, high) {
        (Some(low), _, Some(high)) => format!(", {low} to {high}"),
        (Some(low), _, None) => format!(" from {low}"),
        (None, Some(above), Some(high)) => format!(", {above}, to {high}"),
        (None, Some(above), None) => format!(", {above}"),
        (None, None, Some(high)) => format!(", to {high}"),
        (None, None, None) => String::new(),
    }
}

fn write_sections(page: &mut String, sections: &[Section]) {
    for section in sections {
        write!(page, "\n{}\n\n", section.heading).expect("a text takes all");
        if !section.about.is_empty() {
            writeln!(page, "{}", section.about).expect("a text takes all");
        }
        if section.rows.is_empty() {
            continue;
        }
        page.push_str("\n| setting | type | default | meaning |\n|---|---|---|---|\n");
        for [path, kind, default, meaning] in &section.rows {
            writeln!(page, "| `{path}` | {kind} | {default} | {meaning} |").expect("a text takes all");
        }
    }
}

#[test]
fn the_reference_has_every_setting() {
    let mut page = SETTINGS.to_owned();
    let scenario = Schema::read("scenario.schema.json").sections("## Scenario files");
    let experiment = Schema::read("experiment.schema.json").sections("## Experiment files");
    write_sections(&mut page, &scenario);
    write_sections(&mut page, &experiment);
    for path in
        ["gateway.health_check.interval", "fault.NAME.lasts", "tune.minimize", "traffic.arrivals.poisson"]
    {
        assert!(page.contains(&format!("| `{path}` |")), "{path}");
    }
    assert_generated("docs/settings.md", &page);
}

/// What the command says of itself.
fn help(verb: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_failover-sim"));
    let done = command.args(verb).arg("--help").env_clear().output().expect("it runs");
    assert!(done.status.success());
    String::from_utf8(done.stdout).expect("text")
}

#[test]
fn the_reference_has_every_command() {
    let overview = help(&[]);
    let mut page = String::from(
        "# The command line\n\nGenerated from what `--help` prints; do not edit.\n\n\
         What a command prints goes to standard output; progress and errors go to standard error. Whatever a command recommends is a\n\
         file that `run` accepts, and nothing that exists is replaced without `--force`.\n\n\
         | exit code | meaning |\n|---:|---|\n\
         | 0 | done, and everything that was asked of the result is met |\n\
         | 1 | an objective, a gate or a bar is missed; or writing failed midway |\n\
         | 2 | bad input, or an output that cannot be written; nothing was simulated |\n\
         | 3 | some points of a sweep failed; the others are there |\n\
         | 130 | interrupted, by Ctrl-C or SIGTERM; a sweep goes on with `--resume` |\n",
    );
    let block = |page: &mut String, heading: &str, text: &str| {
        write!(page, "\n## {heading}\n\n```\n{}\n```\n", text.trim_end()).expect("a text takes all");
    };
    block(&mut page, "failover-sim", &overview);
    let verbs = overview.split("Commands:\n").nth(1).expect("commands").split("\n\n").next().expect("a list");
    let verbs: Vec<&str> =
        verbs.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")).collect();
    for verb in verbs.iter().filter_map(|line| line.split_whitespace().next()).filter(|verb| *verb != "help")
    {
        block(&mut page, verb, &help(&[verb]));
    }
    assert_generated("docs/commands.md", &page);
}
