//! How the conformance pack in `schemas/wire/conformance` is read and written; its README says the same in words. The
//! tests of `wire` include this file too.

use std::path::PathBuf;

use replica::{RawChange, canonical, from_hex, to_hex};
use serde_json::{Value, json};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../schemas/wire/conformance/{name}.json"))
}

/// One file of the pack, as it is stored.
pub fn load(name: &str) -> Value {
    stored(name).unwrap_or_else(|| panic!("{} is not there", path(name).display()))
}

pub fn stored(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(path(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// Holds what is made from fixed keys to the file; `JISHI_BLESS=1` writes it anew. That the stored cases hold is tested
/// apart, from the file alone.
pub fn fresh(name: &str, made: &Value) {
    if std::env::var_os("JISHI_BLESS").is_some() {
        std::fs::write(path(name), format!("{}\n", lines(made, 0))).unwrap();
    }
    let kept = load(name);
    for (made, kept) in cases(made).zip(cases(&kept)) {
        assert_eq!(canonical(made), canonical(kept), "{name}: {} is made otherwise now", made["name"]);
    }
    assert_eq!(canonical(made), canonical(&kept), "{name}: other cases are made now");
}

/// A line for each field of a case, and for each element of a list there: the files are long, and their differences are
/// looked at.
fn lines(value: &Value, depth: usize) -> String {
    let inside: Vec<String> = match value {
        Value::Object(fields) if depth < 3 => fields
            .iter()
            .map(|(name, value)| format!("{}: {}", json!(name), lines(value, depth + 1)))
            .collect(),
        Value::Array(items) if depth < 4 => items.iter().map(|item| lines(item, depth + 1)).collect(),
        other => return other.to_string(),
    };
    let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
    let (outer, inner) = (" ".repeat(depth), " ".repeat(depth + 1));
    match inside.is_empty() {
        true => format!("{open}{close}"),
        false => format!("{open}\n{inner}{}\n{outer}{close}", inside.join(&format!(",\n{inner}"))),
    }
}

pub fn cases(file: &Value) -> impl Iterator<Item = &Value> {
    file["cases"].as_array().unwrap().iter()
}

/// Bytes in the form in which the pack has them.
pub fn spelled(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| hex(bytes), |text| json!(text))
}

pub fn hex(bytes: &[u8]) -> Value {
    json!({ "hex": to_hex(bytes) })
}

/// Text is its UTF-8 bytes, `{"hex"}` the bytes, `{"repeat", "times"}` the same so often, and a list is joined.
pub fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Array(parts) => parts.iter().flat_map(bytes).collect(),
        Value::Object(form) if form.contains_key("hex") => {
            let hex = form["hex"].as_str().unwrap();
            (0..hex.len()).step_by(2).map(|at| from_hex::<1>(&hex[at..at + 2]).unwrap()[0]).collect()
        }
        Value::Object(form) => {
            let times = form["times"].as_u64().unwrap();
            (0..times).flat_map(|time| numbered(&form["repeat"], time)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => panic!("{value} is no bytes"),
    }
}

/// `#` in a text that is repeated is the number of the time, from 0.
fn numbered(value: &Value, time: u64) -> Vec<u8> {
    match value {
        Value::String(text) => text.replace('#', &time.to_string()).into_bytes(),
        other => bytes(other),
    }
}

/// Reads a change.
pub fn raw(change: &Value) -> RawChange {
    RawChange {
        header: bytes(&change["header"]),
        signature: from_hex(change["signature"].as_str().unwrap()).unwrap(),
        payload: Some(&change["payload"]).filter(|payload| !payload.is_null()).map(bytes),
    }
}

/// The word that the pack has for a variant: `BadSignature` is `bad_signature`.
pub fn word(variant: impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for letter in format!("{variant:?}").chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}
