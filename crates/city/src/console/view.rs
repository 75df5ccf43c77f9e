//! A stored record as the console shows it: labels from the kind, secrets masked, four times.

use replica::{Closing, Field, FieldDef, FieldType, Kind, Kinds, Life, RecordState};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a record is called in lists.
pub fn title<'a>(kinds: &Kinds, state: &'a RecordState) -> &'a str {
    let kind = kinds.get(&state.kind);
    kind.and_then(|kind| state.value(&kind.title)).and_then(Value::as_str).unwrap_or(&state.id)
}

/// One write of a change, whether or not it counts.
pub fn written(
    kinds: &Kinds,
    kind: &str,
    path: &str,
    value: &Value,
    names: &BTreeMap<String, String>,
) -> Value {
    let def = kinds.get(kind).and_then(|kind| kind.field_for(path));
    json!({ "path": path, "label": label(def, path), "text": text(def, value, names) })
}

/// One line of the list.
pub fn line(kinds: &Kinds, state: &RecordState, received: i64) -> Value {
    let kind = kinds.get(&state.kind);
    let title = title(kinds, state);
    json!({
        "kind": state.kind,
        "kind_label": kind.map_or(state.kind.as_str(), |kind| &kind.label),
        "id": state.id,
        "title": title,
        "life": life(&state.life),
        "closing": closing(&state.closing),
        "contested": state.is_contested(),
        "times": times(state, received),
    })
}

/// The whole record, in the order of the kind's fields.
pub fn record(kinds: &Kinds, state: &RecordState, names: &BTreeMap<String, String>, received: i64) -> Value {
    let kind = kinds.get(&state.kind);
    let mut fields: Vec<(usize, &String, &Field)> =
        state.fields.iter().map(|(path, field)| (place(kind, path), path, field)).collect();
    fields.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let fields: Vec<Value> =
        fields.into_iter().map(|(_, path, field)| shown(kind, path, field, names)).collect();
    let late: Vec<Value> = state
        .late
        .iter()
        .map(|late| {
            let def = kind.and_then(|kind| kind.field_for(&late.path));
            json!({ "path": late.path, "label": label(def, &late.path),
                    "text": late.value.as_ref().map(|value| text(def, value, names)), "at": late.meta.at })
        })
        .collect();
    let mut shown = line(kinds, state, received);
    shown["fields"] = Value::Array(fields);
    shown["late"] = Value::Array(late);
    shown
}

fn life(life: &Life) -> &'static str {
    match life {
        Life::Waiting => "waiting",
        Life::Live => "live",
        Life::Gone { .. } => "gone",
        Life::Contested { .. } => "contested",
    }
}

fn closing(closing: &Closing) -> &'static str {
    match closing {
        Closing::Open => "open",
        Closing::Final { .. } => "final",
        Closing::FinalConflict { .. } => "conflict",
    }
}

/// When it happened, when it was written down, when it was closed, when it came here: never one for another.
fn times(state: &RecordState, received: i64) -> Value {
    let event = state.value("time").map(|time| time["start"].clone());
    let finalised = match &state.closing {
        Closing::Final { change, .. } => Some(change.at),
        Closing::Open | Closing::FinalConflict { .. } => None,
    };
    json!({
        "event": event,
        "recorded": state.born.as_ref().map(|born| born.at),
        "finalised": finalised,
        "received": received,
    })
}

fn place(kind: Option<&Kind>, path: &str) -> usize {
    let def = kind.and_then(|kind| Some((kind, kind.field_for(path)?)));
    def.and_then(|(kind, def)| kind.fields.iter().position(|other| other.path == def.path))
        .unwrap_or(usize::MAX)
}

fn label<'a>(def: Option<&'a FieldDef>, path: &'a str) -> &'a str {
    def.map_or(path, |def| &def.label)
}

fn shown(kind: Option<&Kind>, path: &str, field: &Field, names: &BTreeMap<String, String>) -> Value {
    let def = kind.and_then(|kind| kind.field_for(path));
    let words = |value: Option<&Value>| value.map(|value| text(def, value, names));
    let item = path.split('/').nth(1).map(|item| names.get(item).map_or(item, String::as_str));
    let mut shown = json!({ "path": path, "label": label(def, path), "item": item });
    shown["secret"] = json!(def.is_some_and(|def| def.secret));
    match field {
        Field::One { value, .. } => {
            shown["state"] = json!("one");
            shown["text"] = json!(words(Some(value).filter(|value| !value.is_null())));
        }
        Field::Conflict { heads, .. } => {
            let sides: Vec<Value> = heads
                .iter()
                .map(|head| json!({ "text": words(head.value.as_ref()), "author": head.meta.author, "at": head.meta.at }))
                .collect();
            shown["state"] = json!("conflict");
            shown["sides"] = Value::Array(sides);
        }
        Field::Withheld { .. } => shown["state"] = json!("withheld"),
    }
    shown
}

/// A value in words: codes by their labels, persons by their names, secrets masked.
fn text(def: Option<&FieldDef>, value: &Value, names: &BTreeMap<String, String>) -> String {
    if def.is_some_and(|def| def.secret) {
        return mask(value.as_str().unwrap_or_default());
    }
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "是" } else { "否" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(plain) => word(def, plain, names),
        Value::Array(items) => items.iter().map(|item| text(def, item, names)).collect::<Vec<_>>().join("、"),
        Value::Object(map) => {
            let parts = def.map_or(&[][..], |def| &def.parts);
            let place = |key: &str| parts.iter().position(|part| part.path == key).unwrap_or(usize::MAX);
            let mut pairs: Vec<_> = map.iter().filter(|(_, value)| !value.is_null()).collect();
            pairs.sort_by_key(|(key, _)| (place(key), *key));
            let pair = |(key, value): (&String, &Value)| {
                let part = parts.get(place(key));
                format!("{}：{}", label(part, key), text(part, value, names))
            };
            pairs.into_iter().map(pair).collect::<Vec<_>>().join("；")
        }
    }
}

/// A text that no field describes may still be a person's id.
fn word(def: Option<&FieldDef>, plain: &str, names: &BTreeMap<String, String>) -> String {
    let choice = def.and_then(|def| def.choices.iter().find(|choice| choice.code == plain));
    let person = def.is_none_or(|def| def.ty == FieldType::Person).then(|| names.get(plain)).flatten();
    match (choice, person, def.map(|def| def.ty)) {
        (Some(choice), _, _) => choice.label.clone(),
        (None, Some(name), _) => name.clone(),
        (None, None, Some(FieldType::Datetime)) => plain.replacen('T', " ", 1),
        (None, None, _) => plain.to_owned(),
    }
}

/// Long enough to tell two apart, too short to use.
fn mask(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    match letters.len() {
        0 => String::new(),
        1..11 => "*".repeat(letters.len()),
        _ => {
            let (head, tail) = (&letters[..3], &letters[letters.len() - 4..]);
            let stars = "*".repeat(letters.len() - 7);
            format!("{}{stars}{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{mask, text};
    use replica::Kinds;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn values_in_words() {
        let kinds = Kinds::builtin();
        let names = BTreeMap::from([("p1".to_owned(), "周海东".to_owned())]);
        let table = [
            ("meeting", "types", json!(["theme_day", "lecture"]), "主题党日、党课"),
            ("meeting", "recorder", json!("p1"), "周海东"),
            ("meeting", "title", json!("p1"), "p1"),
            (
                "meeting",
                "chair",
                json!({ "person": "p1", "capacity": "secretary" }),
                "主持人：周海东；身份：书记",
            ),
            (
                "meeting",
                "time",
                json!({ "end": "2026-10-13T16:20", "start": "2026-10-13T14:00" }),
                "开始：2026-10-13 14:00；结束：2026-10-13 16:20",
            ),
            ("meeting", "roster", json!([{ "person": "p1" }]), "person：周海东"),
            ("person", "id_number", json!("379999196305240890"), "379***********0890"),
            ("enterprise", "above_scale", json!(true), "是"),
        ];
        for (kind, path, value, expected) in table {
            let def = kinds.get(kind).unwrap().field_for(path);
            assert!(def.is_some(), "{kind} has {path}");
            assert_eq!(text(def, &value, &names), expected, "{kind} {path}");
        }
    }

    #[test]
    fn secrets_are_masked() {
        for (plain, shown) in [("", ""), ("12345", "*****"), ("13900983959", "139****3959")] {
            assert_eq!(mask(plain), shown);
        }
    }
}
