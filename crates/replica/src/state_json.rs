//! The canonical spelling of a record's state: the bytes that are stored and that state digests are made of.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::id::StreamId;
use crate::state::RecordState;

impl RecordState {
    /// One line of JSON. Two replicas that hold the same changes give the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a state has text keys only")
    }

    /// Reads what `to_bytes` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The same as a value, for showing.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("a state has text keys only")
    }
}

/// The digest by which a laptop and the city compare what they hold.
#[derive(Default)]
pub struct StateDigest(blake3::Hasher);

impl StateDigest {
    /// Takes the stored bytes of one record. To be called in order of (stream, kind, id).
    pub fn add(&mut self, stream: &StreamId, kind: &str, id: &str, state: &[u8]) {
        self.0.update(&stream.0);
        for part in [kind.as_bytes(), id.as_bytes(), state] {
            self.0.update(&(part.len() as u64).to_be_bytes()).update(part);
        }
    }

    /// 64 hex digits.
    pub fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// A value that may not be held. Not held is left out, which differs from null: cleared.
pub(crate) mod held {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    pub fn serialize<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        super::sorted(value.as_ref().unwrap_or(&Value::Null), serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        Value::deserialize(deserializer).map(Some)
    }
}

/// Serialises with sorted keys: a map's own order depends on a feature that another crate may switch on.
pub(crate) fn sorted<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    Sorted(value).serialize(serializer)
}

pub(crate) struct Sorted<'a>(pub &'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                let mut out = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    out.serialize_entry(key, &Sorted(value))?;
                }
                out.end()
            }
            Value::Array(items) => {
                let mut out = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    out.serialize_element(&Sorted(item))?;
                }
                out.end()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.0.serialize(serializer)
            }
        }
    }
}
