//! 党员 and the other persons of the branch; pasting a roster.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct PeopleQuery {
    /// Name, or pinyin initials.
    pub text: String,
    /// Also those who left.
    pub include_left: bool,
    /// Only 党员.
    pub members_only: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PeopleList {
    pub rows: Vec<PersonRow>,
    pub full: u32,
    pub probationary: u32,
    pub others: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PersonRow {
    pub id: String,
    pub name: String,
    /// The letter under which the name is filed, `Z`; by the surname's reading.
    pub letter: String,
    pub keys: String,
    pub category: String,
    /// `full`, `probationary`; absent for persons who are not 党员.
    pub standing: Option<String>,
    pub posts: Vec<String>,
    pub group: Option<String>,
    pub joined: Option<String>,
    pub confirmed: Option<String>,
    pub phone_masked: Option<String>,
    /// Date of leaving the branch.
    pub left: Option<String>,
    /// Something waits for a person to decide.
    pub undecided: bool,
}

/// A person as the drawer edits it. Empty strings stand for what is not filled in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct PersonForm {
    pub name: String,
    pub category: String,
    pub sex: String,
    pub ethnic: String,
    pub born: String,
    pub education: String,
    pub id_number: String,
    pub phone: String,
    pub address: String,
    pub unit: String,
    pub job: String,
    pub joined: String,
    pub confirmed: String,
    pub membership: String,
    /// When the 组织关系 came to this branch; empty: with the joining.
    pub member_from: String,
    /// When it left.
    pub member_to: String,
    pub member_where: String,
    pub posts: Vec<PostForm>,
    /// 党小组 id.
    pub group: String,
    pub group_from: String,
    /// `out`, `in`.
    pub moved: String,
    pub moved_from: String,
    pub moved_place: String,
    /// `probation`, `detained`.
    pub limit: String,
    pub limit_from: String,
    pub limit_to: String,
    pub note: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct PostForm {
    pub id: String,
    /// A code of `person.posts/*.post`.
    pub post: String,
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PersonPage {
    pub id: String,
    pub form: PersonForm,
    pub base: super::Base,
    /// ID number and phone as shown without the reveal button.
    pub id_number_masked: String,
    pub phone_masked: String,
    /// The twelve months of the current year: events due and attended.
    pub attendance: Vec<MonthAttendance>,
    /// What changed, newest first.
    pub history: Vec<HistoryLine>,
    /// How much waits for a person to decide.
    pub undecided: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MonthAttendance {
    pub month: String,
    pub due: u32,
    pub present: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct HistoryLine {
    /// RFC 3339.
    pub at: String,
    pub author: String,
    /// The action of the change, `save_person`.
    pub action: String,
    /// Labels of the fields it wrote.
    pub fields: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SavePerson {
    /// Absent for a new person.
    pub id: Option<String>,
    pub form: PersonForm,
    /// Of a person on file.
    pub base: Option<super::Base>,
    /// Sends again what the city refused of this record.
    #[serde(default)]
    pub resend: bool,
}

/// A field that was refused, with the code of the reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct FieldProblem {
    pub path: String,
    pub code: String,
}

/// Cells copied from a spreadsheet: rows by line feeds, cells by tabs.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PasteRoster {
    pub text: String,
    /// What each column holds, if the person changed the guess: a field of [`PersonForm`] or empty.
    pub columns: Option<Vec<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RosterPreview {
    /// The guess or the given mapping, one per column.
    pub columns: Vec<String>,
    /// The header row as pasted; empty when there was none.
    pub header: Vec<String>,
    pub rows: Vec<PreviewRow>,
    pub good: u32,
    pub bad: u32,
    /// The fields that a column can be mapped to.
    pub fields: Vec<super::Choice>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct PreviewRow {
    /// The line in the pasted text, from 1.
    pub line: u32,
    pub cells: Vec<String>,
    pub form: PersonForm,
    pub problems: Vec<RowProblem>,
    /// Values that were repaired and how (`1998年7月` → `1998-07-01`).
    pub repairs: Vec<RowRepair>,
    /// A person of this name is here already.
    pub known: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RowProblem {
    /// From 0; absent for the whole row.
    pub column: Option<u32>,
    pub field: String,
    pub code: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RowRepair {
    pub column: u32,
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RosterImported {
    /// Names the whole import, for undo.
    pub batch: String,
    pub added: u32,
    pub left_out: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct BatchRef {
    pub batch: String,
}
