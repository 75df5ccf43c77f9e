//! Checks of what was typed, before anything is written: the kind's own rules, and secrecy markings.

use crate::contract::FieldProblem;
use crate::secrecy::marking;
use replica::{Kind, Kinds};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The kinds that are compiled in.
pub fn kinds() -> &'static Kinds {
    static KINDS: OnceLock<Kinds> = OnceLock::new();
    KINDS.get_or_init(Kinds::builtin)
}

/// A kind that the program itself speaks of.
pub fn kind(name: &str) -> &'static Kind {
    kinds().get(name).expect("the core kinds are compiled in")
}

/// Everything that is wrong with values of a kind, by path.
pub fn problems(kind: &Kind, fields: &BTreeMap<String, Value>) -> Vec<FieldProblem> {
    fields.iter().filter_map(|(path, value)| problem(kind, path, value)).collect()
}

/// What may not even stay in a draft: texts that are too long, and secrets.
pub fn intolerable(kind: &Kind, fields: &BTreeMap<String, Value>) -> Vec<FieldProblem> {
    let mut found = problems(kind, fields);
    found.retain(|problem| matches!(problem.code.as_str(), "too_long" | "secret_marking"));
    found
}

fn problem(kind: &Kind, path: &str, value: &Value) -> Option<FieldProblem> {
    if has_marking(value) {
        return Some(FieldProblem { path: path.to_owned(), code: "secret_marking".to_owned() });
    }
    let bad = kind.check(path, value).err()?;
    Some(FieldProblem { path: bad.path, code: bad.code.to_owned() })
}

fn has_marking(value: &Value) -> bool {
    match value {
        Value::String(text) => marking(text).is_some(),
        Value::Array(values) => values.iter().any(has_marking),
        Value::Object(parts) => parts.values().any(has_marking),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A field that must be filled in and is not.
pub fn required(path: &str) -> FieldProblem {
    FieldProblem { path: path.to_owned(), code: "required".to_owned() }
}
