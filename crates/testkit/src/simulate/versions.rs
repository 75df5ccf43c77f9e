//! Programs of last year and of next year: the same but for the kinds that they know.

use anyhow::Result;
use replica::Kinds;
use serde_json::{Value, json};

/// A field that only the program of next year knows.
pub const NEW_FIELD: &str = "of_next_year";
/// A kind that only the program of next year knows.
pub const NEW_KIND: &str = "hologram";
/// A field that the program of last year does not know yet.
const OLD_LACKS: (&str, &str) = ("promise", "note");

/// What the three programs know.
#[derive(Debug, Clone)]
pub struct Versions([Kinds; 3]);

impl Versions {
    pub fn make() -> Result<Versions> {
        let now: Vec<Value> = Kinds::builtin().iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
        let old = now.iter().cloned().map(without_field).collect::<Vec<_>>();
        let mut new: Vec<Value> = now.iter().cloned().map(with_field).collect();
        new.push(json!({
            "kind": NEW_KIND, "label": "全息", "group": "ledger", "title": "name", "list": ["name"], "search": ["name"],
            "sections": [], "fields": [{ "path": "name", "label": "名称", "type": "text" }],
        }));
        Ok(Versions([parse(&old)?, Kinds::builtin(), parse(&new)?]))
    }

    /// Last year's, this year's or next year's.
    pub fn get(&self, which: usize) -> (&Kinds, &'static str) {
        (&self.0[which], ["last year's", "this year's", "next year's"][which])
    }
}

fn parse(kinds: &[Value]) -> Result<Kinds> {
    let texts: Vec<(String, String)> = kinds
        .iter()
        .map(|kind| (kind["kind"].as_str().unwrap_or_default().to_owned(), kind.to_string()))
        .collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Ok(Kinds::parse(&files)?)
}

fn with_field(mut kind: Value) -> Value {
    if let Some(fields) = kind["fields"].as_array_mut() {
        fields.push(json!({ "path": NEW_FIELD, "label": "明年", "type": "text" }));
    }
    kind
}

fn without_field(mut kind: Value) -> Value {
    let (of, path) = OLD_LACKS;
    if kind["kind"] == of {
        let other = |value: &Value| value.as_str() != Some(path) && value["path"] != path;
        for list in ["fields", "list", "search"] {
            kind[list].as_array_mut().into_iter().for_each(|list| list.retain(other));
        }
        for section in kind["sections"].as_array_mut().into_iter().flatten() {
            section["fields"].as_array_mut().into_iter().for_each(|list| list.retain(other));
        }
    }
    kind
}
