//! Reading a record's flat fields. Values of another type read as absent: the kind's own check reports them.

use crate::time::{Interval, parse_date, parse_date_time};
use chrono::{NaiveDate, NaiveDateTime};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The fields of one record, by path.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub &'a BTreeMap<String, Value>);

impl<'a> Fields<'a> {
    pub fn value(&self, path: &str) -> Option<&'a Value> {
        self.0.get(path).filter(|value| !value.is_null())
    }

    pub fn text(&self, path: &str) -> Option<String> {
        self.value(path).and_then(text_of)
    }

    pub fn date(&self, path: &str) -> Option<NaiveDate> {
        self.value(path).and_then(date_of)
    }

    pub fn number(&self, path: &str) -> Option<u32> {
        self.value(path).and_then(number_of)
    }

    pub fn flag(&self, path: &str) -> bool {
        self.value(path).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A code of a closed list, by its serde name.
    pub fn code<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        self.value(path).and_then(code_of)
    }

    /// The ids of the items under a prefix, reserved paths left out.
    pub fn items(&self, prefix: &str) -> BTreeSet<&'a str> {
        let start = format!("{prefix}/");
        self.0
            .range(start.clone()..)
            .take_while(|(path, _)| path.starts_with(&start))
            .filter(|(_, value)| !value.is_null())
            .filter(|(path, _)| !path.split('/').any(|step| step.starts_with('~')))
            .filter_map(|(path, _)| path[start.len()..].split('/').next())
            .collect()
    }
}

pub(crate) fn part<'a>(value: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    value?.get(name).filter(|part| !part.is_null())
}

/// A text that says something: blank counts as absent.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

pub(crate) fn date_of(value: &Value) -> Option<NaiveDate> {
    value.as_str().and_then(parse_date)
}

pub(crate) fn date_time_of(value: &Value) -> Option<NaiveDateTime> {
    value.as_str().and_then(parse_date_time)
}

pub(crate) fn number_of(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

pub(crate) fn code_of<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

pub(crate) fn interval_of(value: Option<&Value>) -> Interval {
    Interval { from: part(value, "from").and_then(date_of), to: part(value, "to").and_then(date_of) }
}
