//! 上报: enrolment, the exchange with the city, and what each side holds.

use super::Choice;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SyncPage {
    pub enrolment: Option<Enrolment>,
    /// Records with changes that no receipt covers yet.
    pub waiting: Vec<WaitingRecord>,
    pub waiting_total: u32,
    /// How much is on this computer and how much of it the city confirmed.
    pub records_here: u32,
    pub records_received: u32,
    pub last_success: Option<String>,
    pub last_error: Option<SyncError>,
    /// When it is tried again without being asked; absent while only a person can change something.
    pub next_try: Option<String>,
    /// Why photos or scans did not all go, though the records did.
    pub files_error: Option<SyncError>,
    /// Newest first, at most 20.
    pub rounds: Vec<RoundLine>,
    pub busy: bool,
    /// An exchange stopped before it took many records away, and asks.
    pub question: Option<LossQuestion>,
    /// The city revoked this computer; it can be enrolled anew with a code.
    pub revoked: bool,
    /// 流量节省: photos and scans wait until a person sends for them.
    pub metered: bool,
    pub files: FilesWaiting,
}

/// Photos and scans that did not travel yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilesWaiting {
    pub to_send: u32,
    pub to_send_bytes: u32,
    pub to_fetch: u32,
    pub to_fetch_bytes: u32,
}

/// What an exchange that runs has done so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ExchangeProgress {
    /// Nobody asked for it; a person's own goes first.
    pub by_itself: bool,
    /// It was told to end.
    pub stopping: bool,
    pub bytes_out: u32,
    pub bytes_in: u32,
    /// Once the records are through.
    pub files: Option<FilesProgress>,
}

/// Photos and scans that are behind it, of those that are to travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilesProgress {
    pub done: u32,
    pub of: u32,
    pub bytes: u32,
    pub of_bytes: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SetMetered {
    pub on: bool,
}

/// More than a handful of records would be lost by one exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LossQuestion {
    /// Here, by what the city sends; else at the city, by what is sent from here.
    pub incoming: bool,
    pub count: u32,
    /// The first few.
    pub titles: Vec<String>,
    pub at: String,
    /// The person said no: it stays stopped.
    pub refused: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AnswerLosses {
    pub agree: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MoveCity {
    pub address: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReceiptsPage {
    /// Latest first.
    pub lines: Vec<ReceiptLine>,
}

/// One receipt: the city's signed word that it held what this computer held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ReceiptLine {
    /// The city's clock.
    pub at: String,
    /// Who asked for it, by the name under which the computer is registered.
    pub computer: String,
    /// By its identity of today.
    pub here: bool,
    /// What it was the first to cover.
    pub changes: u32,
    pub records: u32,
    pub proof: ReceiptProof,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptProof {
    /// Signature, key and content fit.
    Whole,
    /// The signature is good; an earlier program did not keep what it was signed over.
    Signature,
    None,
}

/// The few words of the pill at the top of every page.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SyncPill {
    pub enrolled: bool,
    pub waiting: u32,
    pub last_success: Option<String>,
    pub failed: bool,
    /// It is tried again without being asked.
    pub retrying: bool,
    /// Photos and scans that 流量节省 keeps here.
    pub files: u32,
    pub busy: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Enrolment {
    /// Empty when only files go to and fro.
    pub address: String,
    pub organisation: String,
    /// RFC 3339; none if the program ended, or the page asked, between the city's yes and this note.
    pub since: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct WaitingRecord {
    pub kind: String,
    pub kind_label: String,
    pub id: String,
    pub title: String,
    pub date: Option<String>,
    pub bytes: u32,
    /// 已导出，等待回执: all of it is in a file that was made.
    pub exported: bool,
}

/// A failure in a code, with what the words need.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SyncError {
    pub code: String,
    pub at: String,
    #[ts(type = "Record<string, string | number>")]
    pub params: std::collections::BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RoundLine {
    pub at: String,
    pub sent: u32,
    pub received: u32,
    pub bytes_out: u32,
    pub bytes_in: u32,
    /// Absent when it went well.
    pub error: Option<SyncError>,
    /// When the city said that it holds all this, by its own clock.
    pub receipt_at: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EnrolRequest {
    pub address: String,
    pub code: String,
}

/// How an enrolment ended.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum EnrolAnswer {
    /// The city had no records of this branch: this computer's stream is now the branch's.
    Adopted { enrolment: Enrolment },
    /// The city has records of this branch already: persons, organisation and same-day meetings are matched first.
    Matching { page: MatchingPage },
}

/// What is here beside what the city has, for a person to say what is the same.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MatchingPage {
    pub organisation: String,
    pub persons: Vec<MatchLine>,
    pub meetings: Vec<MatchLine>,
    /// Records that need no decision and will be issued again as they are.
    pub others: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MatchLine {
    /// The record here.
    pub id: String,
    pub title: String,
    /// Records of the city that may be the same, likeliest first.
    pub candidates: Vec<Choice>,
    /// The one that the program proposes; absent: it is new to the city.
    pub proposed: Option<String>,
}

/// The decisions: local record → record of the city, or absent when it is new.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ConfirmMatching {
    pub same: std::collections::BTreeMap<String, String>,
}

/// What one exchange did.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExchangeDone {
    pub sent: u32,
    pub received: u32,
    pub waiting: u32,
    /// The city's receive time, from its receipt.
    pub receipt_at: Option<String>,
}
