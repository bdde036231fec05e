//! The settings in which scenarios differ, as lists, in words, and as steps from one to another.

use super::document::{SettingChange, SettingRow};
use crate::output::terminal::plain;
use crate::scenario::{Document, ResolvedSetting};
use std::collections::BTreeMap;

/// A sentence holds no more changes than these.
const CHANGES_IN_WORDS: usize = 3;
/// A value that is longer is not quoted in a sentence.
const VALUE_IN_WORDS: usize = 40;

/// Every setting that is not the same in all of these, in order of path.
pub(super) fn differing(documents: &[Document]) -> Vec<SettingRow> {
    let resolved: Vec<Vec<ResolvedSetting>> = documents.iter().map(Document::resolved).collect();
    let mut rows: BTreeMap<&str, SettingRow> = BTreeMap::new();
    for (nth, settings) in resolved.iter().enumerate() {
        for setting in settings {
            let row = rows.entry(&setting.path).or_insert_with(|| SettingRow {
                path: setting.path.clone(),
                values: vec![None; documents.len()],
                origins: vec![None; documents.len()],
            });
            row.values[nth] = Some(setting.value.clone());
            row.origins[nth] = Some(setting.origin.clone());
        }
    }
    let differs = |row: &SettingRow| row.values.iter().any(|value| *value != row.values[0]);
    rows.into_values().filter(differs).collect()
}

/// What has to be set to come from one scenario to another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Every setting whose value differs; what is only there for readers is left out.
    pub list: Vec<SettingChange>,
    /// The same, where a table that only one of them has is one change.
    pub groups: Vec<ChangeGroup>,
}

/// Settings that come and go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangeGroup {
    /// The setting, or the table.
    pub path: String,
    /// In a few words.
    pub label: String,
    /// What is in it.
    pub list: Vec<SettingChange>,
}

impl Changes {
    /// From one scenario to another.
    pub fn between(from: &Document, to: &Document) -> Changes {
        let [old, new] = [from, to].map(Document::resolved);
        let value = |settings: &[ResolvedSetting], path: &str| {
            settings.iter().find(|setting| setting.path == path).map(|setting| setting.value.clone())
        };
        let mut changes = Changes::default();
        // The schema's order, that of the new scenario; what it no longer has comes last.
        let gone = old.iter().filter(|setting| value(&new, &setting.path).is_none());
        for setting in new.iter().chain(gone) {
            let path = &setting.path;
            let change = SettingChange { path: path.clone(), old: value(&old, path), new: value(&new, path) };
            if change.old == change.new || is_words(path) {
                continue;
            }
            changes.list.push(change.clone());
            let lacks = |settings: &[ResolvedSetting], table: &str| {
                let is_below =
                    |path: &str| path.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
                !settings.iter().any(|setting| setting.path == table || is_below(&setting.path))
            };
            let ends = path.match_indices('.').map(|(at, _)| at);
            let one_has = |table: &&str| lacks(&old, table) || lacks(&new, table);
            let table = ends.map(|at| &path[..at]).find(one_has).unwrap_or(path);
            match changes.groups.iter_mut().find(|group| group.path == table) {
                Some(group) => group.list.push(change),
                None => {
                    let group =
                        ChangeGroup { path: table.to_owned(), label: String::new(), list: vec![change] };
                    changes.groups.push(group);
                }
            }
        }
        for group in &mut changes.groups {
            group.label = group.words();
        }
        changes
    }

    /// In a sentence: `health check interval 60s -> 5s and health check timeout 30s -> 1s`.
    pub fn words(&self) -> String {
        let mut words: Vec<String> =
            self.groups.iter().take(CHANGES_IN_WORDS).map(|group| group.label.clone()).collect();
        match self.groups.len().saturating_sub(CHANGES_IN_WORDS) {
            0 => {}
            1 => words.push("one more change".to_owned()),
            more => words.push(format!("{more} more changes")),
        }
        match words.split_last() {
            None => "with the same settings it".to_owned(),
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        }
    }
}

impl ChangeGroup {
    fn words(&self) -> String {
        let name = readable(&self.path);
        let short = |value: &str| {
            let value = plain(value);
            let value = value.trim_matches('"').to_owned();
            (value.chars().count() <= VALUE_IN_WORDS).then_some(value)
        };
        match self.list.as_slice() {
            [SettingChange { old: Some(old), new: Some(new), .. }] => match (short(old), short(new)) {
                (Some(old), Some(new)) => format!("{name} {old} → {new}"),
                _ => format!("another {name}"),
            },
            [SettingChange { old: None, new: Some(new), path }] if *path == self.path => match short(new) {
                Some(new) => format!("{name} {new} (new)"),
                None => format!("{name} (new)"),
            },
            list if list.iter().all(|change| change.old.is_none()) => format!("{name} added"),
            _ => format!("{name} removed"),
        }
    }
}

/// `gateway.health_check.interval` as `health check interval`.
fn readable(path: &str) -> String {
    let path = ["gateway.", "traffic."].iter().find_map(|top| path.strip_prefix(top)).unwrap_or(path);
    plain(&path.replace(['.', '_'], " "))
}

/// Whether a setting is only there for readers, or for judging.
fn is_words(path: &str) -> bool {
    let (first, last) = (path.split('.').next().unwrap_or(path), path.rsplit('.').next().unwrap_or(path));
    ["about", "objective"].contains(&first) || ["source", "evidence", "from"].contains(&last)
}

/// Whether a setting is one that people can decide on, rather than another world: the gateway's settings, an operator's,
/// how long clients wait and how they ask again.
pub(super) fn is_decision(path: &str) -> bool {
    const DECIDED: [&str; 5] =
        ["gateway.", "operator.", "slo.", "traffic.client_timeout", "traffic.client_retry"];
    !path.starts_with("gateway.fault.") && DECIDED.iter().any(|part| path.starts_with(part))
}

/// Whether a change is one that people can decide on; providers that are added or left out are, too.
pub(super) fn is_decided_here(change: &SettingChange, changes: &Changes) -> bool {
    // A provider that only one of them has: the whole table is the change.
    let is_whole_provider = |group: &ChangeGroup| {
        let is_one = group.path.strip_prefix("provider.").is_some_and(|name| !name.contains('.'));
        is_one && group.list.contains(change)
    };
    is_decision(&change.path) || changes.groups.iter().any(is_whole_provider)
}
