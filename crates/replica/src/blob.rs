//! Files that records name: an object `{"blob", "len", "media"}` anywhere within a value.

use serde_json::{Value, json};

use crate::id::{BadId, BlobHash};
use crate::limits::MAX_BLOB;
use crate::state::{Field, RecordState};

/// What a record says of a file: which bytes, how many, and what they are.
///
/// It is known by its shape and not by its field, so that a program that does not know the field still carries the
/// file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRef {
    pub hash: BlobHash,
    pub len: u64,
    /// `image/jpeg`.
    pub media: String,
}

impl BlobHash {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl BlobRef {
    pub fn to_value(&self) -> Value {
        json!({ "blob": self.hash.to_string(), "len": self.len, "media": self.media })
    }

    /// The file that this very value names. A length of 0 or above `MAX_BLOB` names none.
    pub fn from_value(value: &Value) -> Option<Self> {
        let hash: Result<BlobHash, BadId> = value.get("blob")?.as_str()?.parse();
        let len = value.get("len")?.as_u64()?;
        let media = value.get("media").and_then(Value::as_str).unwrap_or_default().to_owned();
        let known = hash.ok().filter(|_| (1..=MAX_BLOB).contains(&len));
        known.map(|hash| Self { hash, len, media })
    }
}

/// Every file that a value names, also within parts and lists.
pub fn blobs_in(value: &Value) -> Vec<BlobRef> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<BlobRef>) {
    match value {
        Value::Object(parts) => {
            found.extend(BlobRef::from_value(value));
            parts.values().for_each(|part| collect(part, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl RecordState {
    /// The files that the record shows: of its values, of every side of a conflict, and of what arrived after 定稿.
    pub fn blobs(&self) -> Vec<BlobRef> {
        let mut found = Vec::new();
        for field in self.fields.values() {
            match field {
                Field::One { value, .. } => collect(value, &mut found),
                Field::Conflict { heads, .. } => {
                    heads
                        .iter()
                        .filter_map(|head| head.value.as_ref())
                        .for_each(|it| collect(it, &mut found));
                }
                Field::Withheld { .. } => {}
            }
        }
        self.late.iter().filter_map(|late| late.value.as_ref()).for_each(|it| collect(it, &mut found));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_wherever_a_value_names_it() {
        let one = BlobRef { hash: BlobHash::of(b"one"), len: 3, media: "image/jpeg".into() };
        let two = BlobRef { hash: BlobHash::of(b"two"), len: 3, media: String::new() };
        assert_eq!(BlobRef::from_value(&one.to_value()), Some(one.clone()));
        let value = json!({ "name": "合影", "file": one.to_value(), "more": [{ "thumb": two.to_value() }] });
        assert_eq!(blobs_in(&value), [one, two]);
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        let hash = BlobHash::of(b"one").to_string();
        for value in [
            json!(hash),
            json!({ "blob": hash }),
            json!({ "blob": hash, "len": 0 }),
            json!({ "blob": hash, "len": MAX_BLOB + 1 }),
            json!({ "blob": hash, "len": -1 }),
            json!({ "blob": hash, "len": "3" }),
            json!({ "blob": hash.to_uppercase(), "len": 3 }),
            json!({ "blob": &hash[1..], "len": 3 }),
            json!({ "blob": 3, "len": 3 }),
        ] {
            assert_eq!(blobs_in(&value), [], "{value}");
        }
    }
}
