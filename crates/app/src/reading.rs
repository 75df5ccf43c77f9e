//! Reading a record's flat fields into forms: absent is empty.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The live fields of one record.
#[derive(Clone, Copy)]
pub struct Reading<'a>(pub &'a BTreeMap<String, Value>);

impl<'a> Reading<'a> {
    pub fn value(self, path: &str) -> Option<&'a Value> {
        self.0.get(path).filter(|value| !value.is_null())
    }

    pub fn text(self, path: &str) -> String {
        self.value(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub fn number(self, path: &str) -> Option<u32> {
        self.value(path).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())
    }

    pub fn flag(self, path: &str) -> bool {
        self.value(path).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A text within an object value.
    pub fn part(self, path: &str, name: &str) -> String {
        self.value(path)
            .and_then(|value| value.get(name))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    pub fn number_part(self, path: &str, name: &str) -> Option<u32> {
        let number = self.value(path).and_then(|value| value.get(name)).and_then(Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok())
    }

    pub fn flag_part(self, path: &str, name: &str) -> bool {
        self.value(path).and_then(|value| value.get(name)).and_then(Value::as_bool).unwrap_or(false)
    }

    pub fn list(self, path: &str) -> Vec<String> {
        list_of(self.value(path))
    }

    /// The ids of the items under a prefix, by id.
    pub fn items(self, prefix: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let start = format!("{prefix}/");
        let ids: BTreeSet<&str> = self
            .0
            .range(start.clone()..)
            .take_while(|(path, _)| path.starts_with(&start))
            .filter(|(path, value)| !value.is_null() && !path.contains("/~"))
            .filter_map(|(path, _)| path[start.len()..].split('/').next())
            .collect();
        ids.into_iter()
    }

    /// The same by their `order`, then by id.
    pub fn ordered(self, prefix: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut ids: Vec<(Option<u32>, &str)> =
            self.items(prefix).map(|id| (self.number(&format!("{prefix}/{id}/order")), id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id)
    }
}

/// The texts of a list value.
pub fn list_of(value: Option<&Value>) -> Vec<String> {
    let listed = value.and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).map(str::to_owned).collect()
}
