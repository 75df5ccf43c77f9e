//! What was returned of a record, in the words of its form.

use super::is_ledger;
use crate::branch::Branch;
use crate::civil;
use crate::contract::*;
use crate::error::CallError;
use crate::facts::Facts;
use crate::values::kinds;
use replica::{FieldDef, FieldType, Kind, Life, RecordState};
use serde_json::Value;
use std::collections::BTreeSet;
use store::Returned;

/// The card of one record; `returned` is the latest first and never empty.
pub fn card(branch: &Branch, returned: &[Returned]) -> Result<ReturnedCard, CallError> {
    let (kind, id) = (&returned[0].kind, &returned[0].id);
    let definition = kinds().get(kind);
    let facts = branch.facts()?;
    let wanted = branch.store.as_if_accepted(returned)?;
    let stands = branch.store.record(kind, id)?.is_some_and(|state| state.life != Life::Waiting);
    Ok(ReturnedCard {
        kind: kind.clone(),
        kind_label: definition.map(|kind| kind.label.clone()).unwrap_or_default(),
        id: id.clone(),
        title: wanted.as_ref().and_then(|state| title(definition?, state)).unwrap_or_default(),
        date: wanted.as_ref().and_then(|state| date(definition?, state)),
        reasons: returned.iter().map(|one| reason(one, definition)).collect(),
        values: values(returned, definition, &facts),
        editor: editor_of(kind),
        along: is_along(returned),
        recorded: stands,
    })
}

pub fn editor_of(kind: &str) -> ReturnedEditor {
    match kind {
        "meeting" => ReturnedEditor::Meeting,
        "person" => ReturnedEditor::Person,
        kind if is_ledger(kind) => ReturnedEditor::Ledger,
        _ => ReturnedEditor::None,
    }
}

/// The city names another record as the one at fault, for everything that was returned of this one.
pub fn is_along(returned: &[Returned]) -> bool {
    returned.iter().all(|one| one.at.as_ref().is_some_and(|at| at.kind != one.kind || at.record != one.id))
}

fn title(kind: &Kind, state: &RecordState) -> Option<String> {
    state.value(&kind.title).and_then(Value::as_str).map(str::to_owned)
}

/// The first date that the kind's list shows.
fn date(kind: &Kind, state: &RecordState) -> Option<String> {
    kind.list.iter().find_map(|path| {
        let value = state.value(path)?;
        let text = match kind.field_for(path)?.ty {
            FieldType::Date | FieldType::Datetime => value.as_str(),
            FieldType::Object => value.get("start").and_then(Value::as_str),
            _ => None,
        };
        text?.get(..10).map(str::to_owned)
    })
}

fn reason(one: &Returned, kind: Option<&Kind>) -> ReturnReason {
    let at = one.at.as_ref().filter(|at| at.kind == one.kind && at.record == one.id);
    let field = at.zip(kind).and_then(|(at, kind)| kind.field_for(&at.path));
    ReturnReason {
        code: one.code.clone(),
        words: one.words.clone(),
        path: at.map(|at| at.path.clone()),
        label: field.map(|field| field.label.clone()),
        saved_at: civil::stamp(one.meta.at),
        ruled_at: one.ruled_at.map(civil::stamp),
    }
}

/// Each path once, with its latest value; what only the program writes is left out.
fn values(returned: &[Returned], kind: Option<&Kind>, facts: &Facts) -> Vec<ReturnedValue> {
    let mut seen = BTreeSet::new();
    let mut values = Vec::new();
    for (path, value) in returned.iter().flat_map(|one| &one.writes) {
        let field = kind.and_then(|kind| kind.field_for(path));
        let told = match (field, path.as_str()) {
            (Some(field), _) if field.derived => None,
            (Some(field), _) => Some((field.label.clone(), text(field, value, facts))),
            (None, "~gone") => Some(("删除".to_owned(), reason_in(value))),
            (None, "~final") => Some(("定稿".to_owned(), reason_in(value))),
            (None, path) if path.split('/').any(|step| step.starts_with('~')) => None,
            (None, path) => Some((path.to_owned(), plain(value, facts))),
        };
        if let Some((label, text)) = told.filter(|_| seen.insert(path)) {
            values.push(ReturnedValue { path: path.clone(), label, text });
        }
    }
    values
}

fn reason_in(value: &Value) -> String {
    let reason = value.get("reason").and_then(Value::as_str).filter(|reason| *reason != "deleted");
    reason.unwrap_or_default().to_owned()
}

fn text(field: &FieldDef, value: &Value, facts: &Facts) -> String {
    let label = |code: &str| {
        let choice = field.choices.iter().find(|choice| choice.code == code);
        choice.map_or_else(|| code.to_owned(), |choice| choice.label.clone())
    };
    match (field.ty, value) {
        _ if field.secret => "******".to_owned(),
        (FieldType::Choice, Value::String(code)) => label(code),
        (FieldType::Multi, Value::Array(codes)) => {
            codes.iter().filter_map(Value::as_str).map(label).collect::<Vec<_>>().join("、")
        }
        (FieldType::Object, Value::Object(parts)) => {
            let of = |name: &String| field.parts.iter().find(|part| part.path == *name);
            let told = parts.iter().map(|(name, value)| match of(name) {
                Some(part) => format!("{} {}", part.label, text(part, value, facts)),
                None => plain(value, facts),
            });
            told.collect::<Vec<_>>().join("，")
        }
        (_, value) => plain(value, facts),
    }
}

/// A value without a definition. A text that is a person's id is read as the name.
fn plain(value: &Value, facts: &Facts) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => if *flag { "是" } else { "否" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => facts.name(text).unwrap_or(text).to_owned(),
        Value::Array(values) => values.iter().map(|value| plain(value, facts)).collect::<Vec<_>>().join("、"),
        Value::Object(parts) => {
            parts.values().map(|value| plain(value, facts)).collect::<Vec<_>>().join("，")
        }
    }
}
