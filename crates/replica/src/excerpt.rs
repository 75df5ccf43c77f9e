//! Some fields of a stored record, for lists, which show little of much: the rest is passed over unread.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::kinds::Kind;
use crate::shown::all_shown;
use crate::state::Field;

/// The wanted fields of a record, by path.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Excerpt(BTreeMap<String, Field>);

impl Excerpt {
    /// Reads the fields whose path is wanted from what `RecordState::to_bytes` wrote.
    pub fn from_bytes(bytes: &[u8], wants: &dyn Fn(&str) -> bool) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let fields = State(wants).deserialize(&mut reader)?;
        reader.end()?;
        Ok(Self(fields))
    }

    /// Their values to show, as `RecordState::all_shown` gives them.
    pub fn all_shown(&self, kind: Option<&Kind>) -> BTreeMap<String, Value> {
        all_shown(&self.0, kind)
    }
}

/// The whole state, of which only `fields` is read.
struct State<'w>(&'w dyn Fn(&str) -> bool);

/// The map of fields.
struct Fields<'w>(&'w dyn Fn(&str) -> bool);

impl<'de> DeserializeSeed<'de> for State<'_> {
    type Value = BTreeMap<String, Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for State<'_> {
    type Value = BTreeMap<String, Field>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the state of a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(key) = map.next_key::<Cow<str>>()? {
            if key == "fields" {
                fields = map.next_value_seed(Fields(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(fields)
    }
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = BTreeMap<String, Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = BTreeMap<String, Field>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("fields by path")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(path) = map.next_key::<Cow<str>>()? {
            if (self.0)(&path) {
                fields.insert(path.into_owned(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(fields)
    }
}
