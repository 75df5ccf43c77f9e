//! Values as people read them, by the labels of the kind: choices in words, persons by name, dates in Chinese, a block of
//! values one part a line.

use crate::branch::Fields;
use crate::reading::Reading;
use replica::{FieldDef, FieldType, Kind};
use serde_json::Value;
use std::collections::BTreeMap;

/// Names of persons and titles of records, by id.
pub type Names = BTreeMap<String, String>;

/// A value in words; empty for one that is cleared.
pub fn in_words(field: &FieldDef, value: &Value, names: &Names) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => if *flag { "是" } else { "否" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text_in_words(field, text, names),
        Value::Array(items) => list_in_words(field, items, names),
        Value::Object(_) if field.ty == FieldType::Blob => file_in_words(value),
        Value::Object(_) => lines(&field.parts, value, names).join("\n"),
    }
}

fn text_in_words(field: &FieldDef, text: &str, names: &Names) -> String {
    match field.ty {
        FieldType::Choice | FieldType::Multi => label(field, text),
        FieldType::Person | FieldType::Record => names.get(text).cloned().unwrap_or_else(|| text.to_owned()),
        FieldType::Date | FieldType::Datetime => date_in_words(text),
        FieldType::Text
        | FieldType::Longtext
        | FieldType::Bool
        | FieldType::Int
        | FieldType::Decimal
        | FieldType::Object
        | FieldType::List
        | FieldType::Blob => {
            names.get(text).filter(|_| is_id(text)).cloned().unwrap_or_else(|| text.to_owned())
        }
    }
}

/// A file by its type and size; nobody tells two by their names.
fn file_in_words(value: &Value) -> String {
    let media = value.get("media").and_then(Value::as_str).unwrap_or_default();
    let bytes = value.get("len").and_then(Value::as_u64).unwrap_or(0);
    format!("{media}，{} KB", bytes.div_ceil(1024))
}

/// A text that names an item by its id, as the 党小组 of a meeting does.
fn is_id(text: &str) -> bool {
    text.len() >= 12 && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '-')
}

fn list_in_words(field: &FieldDef, items: &[Value], names: &Names) -> String {
    let words = items.iter().map(|item| match item {
        Value::Object(_) => {
            let parts = lines(&field.parts, item, names);
            parts.join("，")
        }
        other => in_words(field, other, names),
    });
    let between = if field.parts.is_empty() { "、" } else { "\n" };
    words.collect::<Vec<_>>().join(between)
}

/// One line for each part that is filled in, in the order of the kind; parts of a newer program come last under their key.
fn lines(parts: &[FieldDef], value: &Value, names: &Names) -> Vec<String> {
    let Value::Object(given) = value else { return Vec::new() };
    let known = parts.iter().filter_map(|part| {
        let text = in_words(part, given.get(&part.path)?, names);
        let text = if part.ty == FieldType::List { text.replace('\n', "；") } else { text };
        (!text.is_empty()).then(|| format!("{}：{text}", part.label))
    });
    let is_known = |key: &str| parts.iter().any(|part| part.path == key);
    let unknown = given.iter().filter(|(key, _)| !is_known(key)).map(|(key, value)| match value {
        Value::String(text) => format!("{key}：{text}"),
        other => format!("{key}：{other}"),
    });
    known.chain(unknown).collect()
}

fn label(field: &FieldDef, code: &str) -> String {
    let choice = field.choices.iter().find(|choice| choice.code == code);
    choice.map_or_else(|| code.to_owned(), |choice| choice.label.clone())
}

/// `2026年10月13日 14:00`; what is no date stays as it is.
fn date_in_words(text: &str) -> String {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let Some(day) = crate::civil::date(date) else { return text.to_owned() };
    let day = day.format("%Y年%-m月%-d日").to_string();
    let time = time.get(..5).unwrap_or(time);
    if time.is_empty() { day } else { format!("{day} {time}") }
}

/// What a path is called: the items that it lies in, told apart by what stands in them, and the field's own label.
pub fn place(kind: &Kind, path: &str, values: &Fields, names: &Names) -> String {
    let scope = path.strip_suffix("/~gone").or_else(|| path.strip_suffix("/~born")).unwrap_or(path);
    let mut steps: Vec<String> = kind
        .items_of(scope)
        .map(|(item, of)| match told_apart(kind, of, values, names) {
            name if name.is_empty() => item.label.clone(),
            name => format!("{}“{name}”", item.label),
        })
        .collect();
    let field = kind.field_for(scope).filter(|field| steps.is_empty() || !field.path.ends_with("/*"));
    steps.extend(field.map(|field| field.label.clone()));
    if steps.is_empty() { scope.to_owned() } else { steps.join(" · ") }
}

/// What people call an item by: the person whose id it carries, or the first of its own texts that names it.
fn told_apart(kind: &Kind, scope: &str, values: &Fields, names: &Names) -> String {
    let id = scope.rsplit('/').next().unwrap_or(scope);
    if let Some(name) = names.get(id) {
        return name.clone();
    }
    let read = Reading(values);
    let naming = ["topic", "name", "task", "person", "speaker", "post", "ground", "text"];
    let in_item = |name: &&str| {
        let path = format!("{scope}/{name}");
        let field = kind.field_for(&path)?;
        Some(in_words(field, read.value(&path)?, names))
    };
    let in_value = |name: &&str| {
        let field = kind.field_for(scope)?.parts.iter().find(|part| part.path == **name)?;
        Some(in_words(field, read.value(scope)?.get(*name)?, names))
    };
    let found = naming.iter().find_map(in_item).or_else(|| naming.iter().find_map(in_value));
    shortened(&found.unwrap_or_default(), 24)
}

/// The beginning of a text that names something.
pub fn shortened(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}……", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, in_words, place};
    use crate::branch::Fields;
    use crate::values::kind;
    use serde_json::{Value, json};

    fn names() -> Names {
        [("p1", "周海东"), ("p2", "王立军"), ("g1a2b3c4d5e6", "第一党小组")]
            .map(|(id, name)| (id.to_owned(), name.to_owned()))
            .into()
    }

    #[test]
    fn values_are_shown_as_people_read_them() {
        let cases: [(&str, Value, &str); 10] = [
            ("place", json!("二楼"), "二楼"),
            ("types", json!(["theme_day", "lecture"]), "主题党日、党课"),
            ("recorder", json!("p1"), "周海东"),
            ("group", json!("g1a2b3c4d5e6"), "第一党小组"),
            (
                "time",
                json!({"end": "2026-10-13T16:20", "start": "2026-10-13T14:00"}),
                "开始：2026年10月13日 14:00\n结束：2026年10月13日 16:20",
            ),
            ("attendance/p2/status", json!("leave"), "请假"),
            ("agenda/a1/important", json!(true), "是"),
            ("place", Value::Null, ""),
            (
                "attachments/x/file",
                json!({"name": "签到表.jpg", "blob": {"blob": "00", "len": 2049, "media": "image/jpeg"}}),
                "文件：image/jpeg，3 KB\n文件名：签到表.jpg",
            ),
            (
                "agenda/a1/vote",
                json!({"rule": "admit", "method": "ballot", "yes": 4, "no": 0,
                       "written": [{"person": "p2", "agrees": true, "on": "2026-10-12"}]}),
                "表决类型：接收预备党员\n方式：无记名投票\n赞成：4\n反对：0\n书面意见：党员：王立军，同意：是，提交日期：2026年10月12日",
            ),
        ];
        for (path, value, expected) in cases {
            let field = kind("meeting").field_for(path).expect("a field");
            assert_eq!(in_words(field, &value, &names()), expected, "{path}");
        }
    }

    #[test]
    fn a_place_is_called_by_what_stands_in_it() {
        let values: Fields = [
            ("agenda/a1/topic", json!("讨论七号库责任区")),
            ("agenda/a1/speeches/s1/speaker", json!("p1")),
            ("guests/x/name", json!("高翔")),
        ]
        .map(|(path, value)| (path.to_owned(), value))
        .into();
        let cases = [
            ("place", "地点"),
            ("attendance/p2/status", "到会人员“王立军” · 到会情况"),
            ("agenda/a1/resolution", "议题“讨论七号库责任区” · 决议、决定事项"),
            ("agenda/a1/speeches/s1/text", "议题“讨论七号库责任区” · 发言“周海东” · 发言要点"),
            ("agenda/a1/~gone", "议题“讨论七号库责任区”"),
            ("guests/x/unit", "列席“高翔” · 单位"),
            ("agenda/new/kind", "议题 · 类别"),
            ("from_a_newer_program", "from_a_newer_program"),
        ];
        for (path, expected) in cases {
            assert_eq!(place(kind("meeting"), path, &values, &names()), expected, "{path}");
        }
    }
}
