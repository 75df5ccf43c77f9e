//! Kinds of records, defined as data in `schemas/kinds/<kind>.json` and compiled in.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use check::BadValue;

/// `(file stem, text)` of every file in the folder.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/kinds.rs"));

/// Every kind that this program knows, shared by its copies. Records of other kinds are carried and not shown.
#[derive(Debug, Clone, Default)]
pub struct Kinds(Arc<BTreeMap<String, Kind>>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    pub kind: String,
    pub label: String,
    pub group: Group,
    /// Path of the field that names a record.
    pub title: String,
    /// Columns of the list. `~name` is worked out by the program.
    pub list: Vec<String>,
    /// Fields that the search box finds.
    pub search: Vec<String>,
    pub sections: Vec<Section>,
    pub fields: Vec<FieldDef>,
    #[serde(default)]
    pub items: Vec<ItemDef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    Core,
    Ledger,
    System,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub label: String,
    pub fields: Vec<String>,
}

/// A field, or a part of a field whose value is an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDef {
    /// `*` stands for one item id. Of a part: its key.
    pub path: String,
    pub label: String,
    #[serde(rename = "type")]
    pub ty: FieldType,
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Parts of an object, or of each object in a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<FieldDef>,
    /// `"text"`: conflicts are merged by sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<String>,
    /// `"device"`: never enters a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
    /// `"city"`: only the city writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<String>,
    /// Masked unless asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub secret: bool,
    /// Written by the program at 定稿, not typed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub derived: bool,
    /// A date long ago is not a slip.
    #[serde(default, skip_serializing_if = "is_false")]
    pub birthday: bool,
    /// Characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_value: Option<i64>,
    /// `"uscc"`: 统一社会信用代码 with its check character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    Text,
    Longtext,
    Choice,
    Multi,
    Bool,
    Int,
    Decimal,
    Date,
    Datetime,
    Person,
    Record,
    Object,
    List,
    /// A file: `{"blob": its BLAKE3 in hex, "len", "media"}`.
    Blob,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub code: String,
    pub label: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemDef {
    pub path: String,
    pub label: String,
    /// False: the item is there as soon as a field of it is (attendance by person id).
    #[serde(default = "yes")]
    pub born: bool,
}

/// A kind file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("kind file {file}: {reason}")]
pub struct BadKind {
    pub file: String,
    pub reason: String,
}

fn yes() -> bool {
    true
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Kinds {
    /// The kinds in `schemas/kinds`, read once.
    pub fn builtin() -> Self {
        static READ: OnceLock<Kinds> = OnceLock::new();
        let read = |(_, text): &(&str, &str)| {
            let kind: Kind = serde_json::from_str(text).expect("a test reads every compiled-in kind");
            (kind.kind.clone(), kind)
        };
        READ.get_or_init(|| Self(Arc::new(FILES.iter().map(read).collect()))).clone()
    }

    /// Reads and checks kind files, given as (file stem, text).
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, BadKind> {
        let mut kinds = BTreeMap::new();
        for (file, text) in files {
            let bad = |reason: String| BadKind { file: (*file).into(), reason };
            let kind: Kind = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
            kind.sound().map_err(bad)?;
            if kind.kind != *file {
                return Err(bad(format!("defines kind {}", kind.kind)));
            }
            kinds.insert(kind.kind.clone(), kind);
        }
        Ok(Self(Arc::new(kinds)))
    }

    pub fn get(&self, kind: &str) -> Option<&Kind> {
        self.0.get(kind)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.0.values()
    }
}

impl Kind {
    /// The field that a path (`attendance/0192/status`) belongs to.
    pub fn field_for(&self, path: &str) -> Option<&FieldDef> {
        self.fields.iter().find(|field| matches(&field.path, path))
    }

    /// The item that a path lies in: its definition, the outermost first, and its scope (`agenda/0192`).
    pub fn items_of<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a ItemDef, &'a str)> {
        self.items.iter().filter_map(move |item| {
            let depth = item.path.split('/').count();
            let scope = prefix(path, depth)?;
            matches(&item.path, scope).then_some((item, scope))
        })
    }

    /// Required fields without a value; within each item that has any value, the required fields of the item.
    pub fn missing<'a>(&self, values: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Vec<String> {
        let present: BTreeSet<&str> =
            values.into_iter().filter(|(_, value)| !value.is_null()).map(|(path, _)| path).collect();
        let mut missing = Vec::new();
        for field in self.fields.iter().filter(|field| field.required) {
            let wanted = match field.path.rfind('*') {
                None => vec![field.path.clone()],
                Some(star) => expand(&field.path, star, &present),
            };
            missing.extend(wanted.into_iter().filter(|path| !present.contains(path.as_str())));
        }
        missing
    }

    fn sound(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for field in &self.fields {
            if !seen.insert(&field.path) {
                return Err(format!("field {} is defined twice", field.path));
            }
            if field.ty == FieldType::Choice && field.choices.is_empty() {
                return Err(format!("field {} has no choices", field.path));
            }
        }
        let known = |path: &String| path.starts_with('~') || seen.contains(path);
        let in_sections = self.sections.iter().flat_map(|section| &section.fields);
        let named = self.list.iter().chain(&self.search).chain(in_sections).chain([&self.title]);
        match named.into_iter().find(|path| !known(path)) {
            Some(path) => Err(format!("names a field {path} that is not defined")),
            None => Ok(()),
        }
    }
}

/// Paths of one required item field, for every item that some value lies in.
fn expand(pattern: &str, star: usize, present: &BTreeSet<&str>) -> Vec<String> {
    let depth = pattern[..star].matches('/').count() + 1;
    let (item, rest) = pattern.split_at(star + 1);
    let scopes: BTreeSet<&str> =
        present.iter().filter_map(|path| prefix(path, depth)).filter(|scope| matches(item, scope)).collect();
    scopes.into_iter().map(|scope| format!("{scope}{rest}")).collect()
}

/// The first `depth` parts of a path.
fn prefix(path: &str, depth: usize) -> Option<&str> {
    match path.match_indices('/').nth(depth - 1) {
        Some((end, _)) => Some(&path[..end]),
        None => (path.split('/').count() == depth).then_some(path),
    }
}

/// Asked of every field for every path of every record: most answers need no look at the parts.
fn matches(pattern: &str, path: &str) -> bool {
    let both = pattern.bytes().zip(path.bytes());
    let same = both.take_while(|(wanted, found)| wanted == found && *wanted != b'*').count();
    match pattern.as_bytes().get(same) {
        Some(b'*') => fits(pattern, path),
        Some(_) => false,
        None => same == path.len(),
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    let fits = pattern.split('/').all(|wanted| {
        parts.next().is_some_and(|part| wanted == part || wanted == "*" && !part.starts_with('~'))
    });
    fits && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_file_is_a_sound_kind() {
        let kinds = Kinds::parse(FILES).unwrap();
        assert!(kinds.get("meeting").is_some(), "the folder is compiled in");
        assert_eq!(kinds.iter().count(), FILES.len());
    }

    #[test]
    fn unsound_files_are_refused_by_name() {
        let file = |fields: &str, title: &str| {
            format!(
                r#"{{"kind":"a","label":"A","group":"ledger","title":"{title}","list":[],"search":[],"sections":[],"fields":[{fields}]}}"#
            )
        };
        let name = r#"{"path":"name","label":"名称","type":"text"}"#;
        let cases = [
            (file(name, "name"), None),
            (file(name, "nome"), Some("a field nome")),
            (file(&format!("{name},{name}"), "name"), Some("defined twice")),
            (file(r#"{"path":"name","label":"名称","type":"choice"}"#, "name"), Some("no choices")),
            (file(name, "name").replace(r#""kind":"a""#, r#""kind":"b""#), Some("defines kind b")),
            (file(r#"{"path":"name","label":"名称","type":"float"}"#, "name"), Some("unknown variant")),
        ];
        for (text, reason) in cases {
            match (Kinds::parse(&[("a", &text)]), reason) {
                (Ok(_), None) => {}
                (Err(error), Some(reason)) => assert!(error.to_string().contains(reason), "{error}"),
                (outcome, expected) => panic!("{expected:?}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn star_stands_for_one_item() {
        let kinds = Kinds::builtin();
        let meeting = kinds.get("meeting").unwrap();
        assert_eq!(meeting.field_for("attendance/0192/status").unwrap().path, "attendance/*/status");
        assert!(meeting.field_for("attendance/status").is_none());
        assert!(meeting.field_for("attendance/a/b/status").is_none());
        let items: Vec<_> = meeting.items_of("agenda/a1/speeches/s1/text").map(|(_, scope)| scope).collect();
        assert_eq!(items, ["agenda/a1", "agenda/a1/speeches/s1"]);
    }

    #[test]
    fn required_fields_are_asked_for_in_every_item_that_is_there() {
        let kinds = Kinds::parse(&[(
            "a",
            r#"{"kind":"a","label":"A","group":"ledger","title":"name","list":[],"search":[],"sections":[],"fields":[
            {"path":"name","label":"名称","type":"text","required":true},
            {"path":"posts/*/post","label":"职务","type":"text","required":true},
            {"path":"posts/*/note","label":"备注","type":"text"}]}"#,
        )])
        .unwrap();
        let (note, cleared) = (json!("x"), json!(null));
        let values = [("posts/p1/note", &note), ("posts/p2/post", &note), ("name", &cleared)];
        assert_eq!(kinds.get("a").unwrap().missing(values), ["name", "posts/p1/post"]);
        assert_eq!(kinds.get("a").unwrap().missing([]), ["name"]);
    }
}
