//! 首页 and the search box.

use super::{FindingLine, RecordState, ReportState};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which month the page shows; the current one when absent. `2026-11`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct HomeRequest {
    pub month: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct HomePage {
    pub today: String,
    pub month: String,
    /// 本月要做, what is due first on top.
    pub duties: Vec<DutyLine>,
    /// On the page of the current month: duties of earlier months that were neither met nor explained.
    pub left_open: Vec<DutyLine>,
    /// Every day of the month with its events.
    pub days: Vec<DayCell>,
    pub drafts: Vec<DraftLine>,
    /// The first three steps, for the empty state: people entered, first meeting, reported.
    pub has_people: bool,
    pub has_meetings: bool,
    pub enrolled: bool,
    /// 议定事项 that are still open, with their due date.
    pub open_actions: Vec<ActionLine>,
}

/// One obligation in one period.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DutyLine {
    /// `F1` … `F7`, the row of the pack.
    pub id: String,
    /// The activity type that meets it, a code of `meeting.types`.
    pub meeting_type: String,
    /// The 党小组 it is about, where it is per group.
    pub group: Option<String>,
    pub group_name: Option<String>,
    /// First and last day of the period.
    pub from: String,
    pub to: String,
    /// `month`, `quarter`, `year`.
    pub period: String,
    pub state: DutyState,
    /// The records that met it.
    pub met_by: Vec<String>,
    /// A draft of this type in this period, to continue.
    pub draft: Option<String>,
    pub why: FindingLine,
    /// Why it was not met, in the branch's own words.
    pub explanation: Option<String>,
}

/// 说明: why a duty of a period was not met. An empty reason takes the explanation back.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ExplainDuty {
    /// As in [`DutyLine`].
    pub id: String,
    pub from: String,
    pub to: String,
    pub group: Option<String>,
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DutyState {
    /// 已完成.
    Done,
    /// 待完成: the period is still running.
    Due,
    /// 逾期 (未达标，可说明): the period is over.
    Overdue,
    /// 未记录: before records are kept here.
    NotRecorded,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DayCell {
    pub date: String,
    /// 1 Monday … 7 Sunday.
    pub weekday: u32,
    pub events: Vec<DayEvent>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DayEvent {
    pub id: String,
    pub types: Vec<String>,
    pub title: String,
    pub state: RecordState,
}

/// Something that is being typed, on this computer only.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DraftLine {
    /// The draft's id: of a new meeting its future record id.
    pub id: String,
    pub title: String,
    pub types: Vec<String>,
    pub date: Option<String>,
    /// RFC 3339.
    pub saved_at: String,
}

/// A 议定事项 and when it is due.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ActionLine {
    pub record: String,
    pub item: String,
    pub task: String,
    pub owner: Option<String>,
    pub due: Option<String>,
    pub overdue: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SearchRequest {
    pub text: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SearchPage {
    pub hits: Vec<SearchHit>,
    pub more: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SearchHit {
    pub kind: String,
    pub kind_label: String,
    pub id: String,
    pub title: String,
    pub date: Option<String>,
    /// The place of the match with a little text around it; empty for a match of the title.
    pub excerpt: String,
    pub report: ReportState,
}
