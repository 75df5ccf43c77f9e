//! 被退回: what the city refused, shown to its author alone.

use super::{PersonForm, RecordRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReturnedPage {
    /// Latest first, one for each record.
    pub cards: Vec<ReturnedCard>,
    /// How many of them came back only because they were saved together with one at fault.
    pub along: u32,
}

/// One record with everything that was returned of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ReturnedCard {
    pub kind: String,
    pub kind_label: String,
    pub id: String,
    pub title: String,
    pub date: Option<String>,
    pub reasons: Vec<ReturnReason>,
    /// What was refused, in the words of the form.
    pub values: Vec<ReturnedValue>,
    pub editor: ReturnedEditor,
    /// The fault lies in another record of the same save.
    pub along: bool,
    /// The record stands without what was returned.
    pub recorded: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ReturnReason {
    pub code: String,
    /// The city's own words.
    pub words: String,
    /// The field at fault, as a path of the record, and its label.
    pub path: Option<String>,
    pub label: Option<String>,
    /// When it was saved here, and when the city ruled by its own clock (RFC 3339).
    pub saved_at: String,
    pub ruled_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ReturnedValue {
    pub path: String,
    pub label: String,
    pub text: String,
}

/// Where a returned record is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReturnedEditor {
    Meeting,
    Person,
    Ledger,
    /// It has no form of its own: copy, then type it where it belongs.
    None,
}

/// Names a returned record.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReturnedRef {
    pub kind: String,
    pub id: String,
}

/// 修改后重报: the refused values as a form to go on with. Saving it is over what was refused.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(tag = "editor", rename_all = "snake_case")]
pub enum ReturnedForm {
    Meeting {
        draft: String,
    },
    Person {
        form: Box<PersonForm>,
    },
    Ledger {
        #[ts(type = "Record<string, unknown>")]
        values: BTreeMap<String, Value>,
    },
}

/// How many records were sent again as they were.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Resent {
    pub records: Vec<RecordRef>,
}
