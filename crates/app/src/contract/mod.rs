//! Everything that a page may ask of the program: the calls, what they take, what they answer and what they read.
//!
//! The TypeScript of the page is generated from this list, so a call that is not here does not exist.

mod attachments;
mod calls;
mod conflicts;
mod home;
mod ledgers;
mod meetings;
mod people;
mod returned;
mod session;
mod sync;
mod typescript;
mod usb;

pub use attachments::*;
pub use conflicts::*;
pub use home::*;
pub use ledgers::*;
pub use meetings::*;
pub use people::*;
pub use returned::*;
pub use session::*;
pub use sync::*;
pub use typescript::typescript;
pub use usb::*;

use replica::ChangeId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use ts_rs::TS;

/// A request without content.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct Nothing {}

/// Names one record.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RecordRef {
    pub id: String,
}

/// Names one record and says why something is done to it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RecordWithReason {
    pub id: String,
    pub reason: String,
}

/// A record as a page was shown it. The page hands it back with what was typed: only differences are saved, and what
/// arrived meanwhile is not overwritten.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[ts(type = "unknown")]
pub struct Base {
    pub values: BTreeMap<String, Value>,
    pub heads: BTreeMap<String, Vec<ChangeId>>,
}

/// A record that was saved.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Saved {
    pub id: String,
    /// Something else had arrived meanwhile: both stand side by side until a person decides.
    pub conflict: bool,
}

/// What a rule says about a record. The words for `code` live in the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct FindingLine {
    pub code: String,
    pub severity: Severity,
    /// The article it rests on, as printed: `《中国共产党支部工作条例（试行）》第十一条`.
    pub article: Option<String>,
    #[ts(type = "Record<string, string | number | boolean | null>")]
    pub params: BTreeMap<String, Value>,
    /// The field that it is about, as a path of the record.
    pub path: Option<String>,
}

/// How heavy a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub enum Severity {
    /// Blocks 定稿.
    E,
    /// Wants a note.
    W,
    /// Is shown to the branch only.
    H,
}

/// A value that can be chosen, with its label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Choice {
    pub code: String,
    pub label: String,
}

/// The four times of a record. They are different things and none of them can be edited.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Times {
    /// When it took place, `2026-10-13T14:00`.
    pub event_start: Option<String>,
    pub event_end: Option<String>,
    /// When it was first put on record on this computer (RFC 3339, +08:00).
    pub recorded_at: Option<String>,
    /// When it was closed by 定稿.
    pub finalised_at: Option<String>,
    /// When the city received it, by the city's clock, from its signed receipt.
    pub received_at: Option<String>,
    /// 录入时间存疑: it says that it was written before a receipt that was there already.
    #[serde(default)]
    pub doubtful: bool,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// 草稿: being typed, on this computer only.
    Draft,
    /// 已记录: committed, still open.
    Recorded,
    /// 定稿: closed.
    Final,
    /// 作废: closed and annulled with a reason.
    Annulled,
    /// 有冲突: two values stand side by side until a person decides.
    Conflict,
}

/// Whether the city holds a record as it stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// 仅在本机: never reported, or a draft.
    Local,
    /// 待上报: committed here, not yet covered by a receipt.
    Waiting,
    /// 已上报: covered by the city's signed receipt.
    Received,
}
