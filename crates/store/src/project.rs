//! From a folded record to the columns, facets and search words that are kept beside it. Pure.

use replica::{Closing, FieldDef, FieldType, Kind, Life, RecordState};
use serde_json::{Map, Value};

use crate::words::{add_tokens, body_tokens, search_keys, sort_key};

/// Whether a record is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LifeCode {
    /// Nobody made it yet, as far as this computer knows.
    Waiting,
    Live,
    Gone,
    /// Deleted on one computer, edited on another.
    Contested,
}

/// Whether a record is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClosingCode {
    Open,
    Final,
    /// Closed twice by people who did not know of each other.
    Conflict,
}

macro_rules! codes {
    ($name:ident { $($variant:ident = $code:literal),* }) => {
        impl $name {
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            pub(crate) fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

codes!(LifeCode { Waiting = "waiting", Live = "live", Gone = "gone", Contested = "contested" });
codes!(ClosingCode { Open = "open", Final = "final", Conflict = "conflict" });

/// What is kept beside a record.
#[derive(Debug)]
pub(crate) struct Projection {
    pub life: LifeCode,
    pub closing: ClosingCode,
    pub title: String,
    pub title_key: String,
    /// The first date that the list shows, or "".
    pub date: String,
    pub date_end: String,
    /// JSON object of the values that the list shows.
    pub list: String,
    pub conflicts: i64,
    pub late: i64,
    pub born_at: Option<i64>,
    pub last_at: i64,
    pub facets: Vec<(String, String)>,
    pub words: Words,
}

/// Search words by where they come from.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub names: String,
    pub title: String,
    pub body: String,
}

impl Words {
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.title.is_empty() && self.body.is_empty()
    }

    /// Tells whether the index must be written again; `None` for no words at all.
    pub(crate) fn hash(&self) -> Option<Vec<u8>> {
        let all = format!("{}\n{}\n{}", self.names, self.title, self.body);
        (!self.is_empty()).then(|| blake3::hash(all.as_bytes()).as_bytes()[..16].to_vec())
    }
}

/// A record of a kind that this program does not know is kept, with nothing to show.
pub(crate) fn project(state: &RecordState, kind: Option<&Kind>) -> Projection {
    let title = kind.map_or_else(String::new, |kind| text_at(state, &kind.title));
    let (date, date_end) = kind.map_or_else(Default::default, |kind| dates(state, kind));
    Projection {
        life: life(state),
        closing: closing(state),
        title_key: sort_key(&title),
        date,
        date_end,
        list: kind.map_or_else(|| "{}".to_owned(), |kind| list(state, kind)),
        conflicts: i64::try_from(state.open_conflicts(kind).count()).unwrap_or(i64::MAX)
            + i64::from(is_torn(state, kind)),
        late: i64::try_from(state.late.len()).unwrap_or(i64::MAX),
        born_at: state.born.as_ref().map(|born| born.at),
        last_at: state.last.as_ref().map_or(0, |last| last.at),
        facets: kind.map_or_else(Vec::new, |kind| facets(state, kind)),
        words: kind.map_or_else(Words::default, |kind| words(state, kind, &title)),
        title,
    }
}

fn life(state: &RecordState) -> LifeCode {
    match state.life {
        Life::Waiting => LifeCode::Waiting,
        Life::Live => LifeCode::Live,
        Life::Gone { .. } => LifeCode::Gone,
        Life::Contested { .. } => LifeCode::Contested,
    }
}

fn closing(state: &RecordState) -> ClosingCode {
    match state.closing {
        Closing::Open => ClosingCode::Open,
        Closing::Final { .. } => ClosingCode::Final,
        Closing::FinalConflict { .. } => ClosingCode::Conflict,
    }
}

/// A conflict that is not one of fields: of life or of closing.
fn is_torn(state: &RecordState, kind: Option<&Kind>) -> bool {
    state.is_disputed(kind) && state.open_conflicts(kind).next().is_none()
}

fn text_at(state: &RecordState, path: &str) -> String {
    state.value(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn listed(kind: &Kind) -> impl Iterator<Item = &FieldDef> {
    kind.list.iter().filter_map(|path| kind.field_for(path))
}

/// The values that the list shows. Secret fields are read from the record itself, where every view is deliberate.
fn list(state: &RecordState, kind: &Kind) -> String {
    let mut shown = Map::new();
    for field in listed(kind).filter(|field| !field.secret) {
        if let Some(value) = state.value(&field.path) {
            shown.insert(field.path.clone(), value.clone());
        }
    }
    Value::Object(shown).to_string()
}

/// Start and end: of the first listed field that is a date, or an object with dates among its parts.
fn dates(state: &RecordState, kind: &Kind) -> (String, String) {
    for field in listed(kind) {
        let value = state.value(&field.path);
        match field.ty {
            FieldType::Date | FieldType::Datetime => {
                let date = value.and_then(Value::as_str).unwrap_or_default();
                return (date.to_owned(), date.to_owned());
            }
            FieldType::Object => {
                let parts = field
                    .parts
                    .iter()
                    .filter(|part| matches!(part.ty, FieldType::Date | FieldType::Datetime));
                let mut found = parts
                    .map(|part| value.and_then(|value| value.get(&part.path)?.as_str()).unwrap_or_default());
                if let Some(start) = found.next() {
                    return (start.to_owned(), found.next().unwrap_or(start).to_owned());
                }
            }
            FieldType::Text
            | FieldType::Longtext
            | FieldType::Choice
            | FieldType::Multi
            | FieldType::Bool
            | FieldType::Int
            | FieldType::Decimal
            | FieldType::Person
            | FieldType::Record
            | FieldType::List
            | FieldType::Blob => {}
        }
    }
    Default::default()
}

fn facets(state: &RecordState, kind: &Kind) -> Vec<(String, String)> {
    let chosen = listed(kind).filter(|field| {
        matches!(field.ty, FieldType::Choice | FieldType::Multi | FieldType::Person | FieldType::Record)
    });
    chosen
        .flat_map(|field| {
            let values = state.value(&field.path).map(texts).unwrap_or_default();
            values.into_iter().map(|value| (field.path.clone(), value.to_owned()))
        })
        .collect()
}

fn words(state: &RecordState, kind: &Kind, title: &str) -> Words {
    if matches!(state.life, Life::Waiting) {
        return Words::default();
    }
    let mut body = String::new();
    for (path, value) in state.values() {
        if is_searched(kind, path) {
            texts(value).into_iter().for_each(|text| add_tokens(text, &mut body));
        }
    }
    for label in listed(kind).flat_map(|field| labels(state, field)) {
        add_tokens(label, &mut body);
    }
    Words { names: search_keys(title), title: body_tokens(title), body }
}

pub(crate) fn is_searched(kind: &Kind, path: &str) -> bool {
    path != kind.title
        && kind
            .field_for(path)
            .is_some_and(|field| !field.secret && field.kept.is_none() && kind.search.contains(&field.path))
}

/// The words that a person reads for the codes of a choice.
fn labels<'a>(state: &'a RecordState, field: &'a FieldDef) -> Vec<&'a str> {
    let codes = state.value(&field.path).map(texts).unwrap_or_default();
    let chosen = field.choices.iter().filter(|choice| codes.contains(&choice.code.as_str()));
    chosen.map(|choice| choice.label.as_str()).collect()
}

/// Every text within a value.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(entries) => entries.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
