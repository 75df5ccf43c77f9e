//! 台账: everything about a ledger comes from its kind file.

use super::{FieldProblem, RecordState, ReportState, Times};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LedgerCard {
    pub kind: String,
    pub label: String,
    pub count: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LedgerQuery {
    pub kind: String,
    pub text: String,
    /// From 0.
    pub page: u32,
}

/// The definition of a ledger, as its form and table need it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LedgerDefinition {
    pub kind: String,
    pub label: String,
    pub title: String,
    pub list: Vec<String>,
    pub sections: Vec<LedgerSection>,
    pub fields: Vec<LedgerField>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LedgerSection {
    pub label: String,
    pub fields: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LedgerField {
    pub path: String,
    pub label: String,
    /// `text`, `longtext`, `choice`, `multi`, `bool`, `int`, `decimal`, `date`, `person`.
    pub r#type: String,
    pub required: bool,
    pub secret: bool,
    pub choices: Vec<super::Choice>,
    pub max: Option<u32>,
    pub hint: Option<String>,
    /// Any year is right, not only those near today.
    pub any_year: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LedgerPage {
    pub definition: LedgerDefinition,
    pub rows: Vec<LedgerRow>,
    pub total: u32,
    pub page_size: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LedgerRow {
    pub id: String,
    /// One display text per column of `definition.list`.
    pub cells: Vec<String>,
    pub state: RecordState,
    pub report: ReportState,
    pub undecided: bool,
    pub returned: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LedgerRef {
    pub kind: String,
    pub id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct LedgerEntry {
    pub kind: String,
    pub id: String,
    #[ts(type = "Record<string, unknown>")]
    pub values: BTreeMap<String, Value>,
    pub base: super::Base,
    pub state: RecordState,
    pub report: ReportState,
    pub times: Times,
    /// Required fields that are still empty.
    pub problems: Vec<FieldProblem>,
    /// How much waits for a person to decide.
    pub undecided: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveLedgerEntry {
    pub kind: String,
    /// Absent for a new entry.
    pub id: Option<String>,
    #[ts(type = "Record<string, unknown>")]
    pub values: BTreeMap<String, Value>,
    /// Of an entry on file.
    pub base: Option<super::Base>,
    /// Sends again what the city refused of this entry.
    #[serde(default)]
    pub resend: bool,
}
