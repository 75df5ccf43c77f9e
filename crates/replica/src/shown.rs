//! What a record shows where its values crossed: long texts are merged as its kind says, everything else stands side by
//! side until a person decides. Functions at view time, never a write.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kinds::Kind;
use crate::state::{Closing, Field, Life, RecordState};
use crate::text::{Take, TextMerge};

impl Kind {
    /// Says whether texts at the path are merged by sentence.
    pub fn merges_text(&self, path: &str) -> bool {
        self.field_for(path).is_some_and(|field| field.merge.as_deref() == Some("text"))
    }
}

impl TextMerge {
    /// The whole text with both sides at each open place, so that nothing of either is left out.
    pub fn with_both(&self) -> String {
        let both = vec![Take::Both; self.open_places()];
        self.decided(&both).unwrap_or_default()
    }
}

impl RecordState {
    /// The value to show at a path: of long texts that crossed the merge, with both sides where it is open.
    pub fn shown(&self, kind: Option<&Kind>, path: &str) -> Option<Value> {
        shown_of(self.fields.get(path)?, kind, path)
    }

    /// All values to show, by path.
    pub fn all_shown(&self, kind: Option<&Kind>) -> BTreeMap<String, Value> {
        all_shown(&self.fields, kind)
    }

    /// Conflicts that a person must decide: all but texts that merge by themselves.
    pub fn open_conflicts<'a>(&'a self, kind: Option<&'a Kind>) -> impl Iterator<Item = &'a str> {
        self.conflicts().filter(move |path| self.merged_text(kind, path).is_none())
    }

    /// Texts that crossed and merge by themselves, by path: what is saved before 定稿 and print.
    pub fn merged_texts(&self, kind: Option<&Kind>) -> BTreeMap<String, Value> {
        let merged = |path: &str| Some((path.to_owned(), Value::String(self.merged_text(kind, path)?)));
        self.conflicts().filter_map(merged).collect()
    }

    /// The same as `is_contested`, except for texts that merge by themselves.
    pub fn is_disputed(&self, kind: Option<&Kind>) -> bool {
        let torn = |life: &Life| matches!(life, Life::Contested { .. });
        let twice = |closing: &Closing| matches!(closing, Closing::FinalConflict { .. });
        self.open_conflicts(kind).next().is_some()
            || torn(&self.life)
            || twice(&self.closing)
            || self.items.values().any(|item| item.life.as_ref().is_some_and(torn) || twice(&item.closing))
    }

    fn merged_text(&self, kind: Option<&Kind>, path: &str) -> Option<String> {
        if merges(kind, path) { self.fields.get(path)?.merged()?.text() } else { None }
    }
}

/// The values to show of these fields, by path.
pub(crate) fn all_shown(fields: &BTreeMap<String, Field>, kind: Option<&Kind>) -> BTreeMap<String, Value> {
    let shown = |(path, field): (&String, &Field)| Some((path.clone(), shown_of(field, kind, path)?));
    fields.iter().filter_map(shown).collect()
}

fn shown_of(field: &Field, kind: Option<&Kind>, path: &str) -> Option<Value> {
    match field {
        Field::Conflict { .. } if merges(kind, path) => combined(field),
        field => field.value().cloned(),
    }
}

fn merges(kind: Option<&Kind>, path: &str) -> bool {
    kind.is_some_and(|kind| kind.merges_text(path))
}

/// Without a merge the texts stand one under the other.
fn combined(field: &Field) -> Option<Value> {
    if let Some(merge) = field.merged() {
        return Some(Value::String(merge.with_both()));
    }
    let Field::Conflict { heads, .. } = field else { return field.value().cloned() };
    let mut texts: Vec<&str> = Vec::new();
    for text in heads.iter().filter_map(|head| head.value.as_ref()?.as_str()) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.is_empty() { field.value().cloned() } else { Some(Value::String(texts.join("\n"))) }
}
