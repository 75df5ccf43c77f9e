//! 会议: list, editor, check page, record, print.

use super::{FindingLine, RecordState, ReportState, ReturnedCard, Times};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct MeetingQuery {
    pub year: Option<u32>,
    /// A code of `meeting.types`.
    pub r#type: Option<String>,
    pub state: Option<RecordState>,
    /// From 0.
    pub page: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MeetingList {
    pub rows: Vec<MeetingRow>,
    pub total: u32,
    pub page_size: u32,
    pub years: Vec<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MeetingRow {
    pub id: String,
    pub date: Option<String>,
    pub weekday: Option<u32>,
    pub types: Vec<String>,
    pub title: String,
    pub present: Option<u32>,
    pub due: Option<u32>,
    /// 照片与附件.
    pub attachments: u32,
    pub state: RecordState,
    pub report: ReportState,
    /// 补录.
    pub late: bool,
    /// There is a draft with changes that are not on record yet.
    pub has_draft: bool,
    /// Something waits for a person to decide.
    pub undecided: bool,
    /// 被退回: something that was saved here was refused by the city and waits for its author.
    pub returned: bool,
}

/// How a new draft begins.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct NewMeeting {
    pub types: Vec<String>,
    pub date: Option<String>,
    /// 党小组 for a 党小组会.
    pub group: Option<String>,
    /// Take the structure (never the text) of this record: type, place, chair, attendees.
    pub copy_of: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DraftRef {
    pub draft: String,
}

/// The whole content of the editor. Empty strings stand for what is not filled in; ids are made by the program.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct MeetingForm {
    pub types: Vec<String>,
    pub title: String,
    pub theme: String,
    pub date: String,
    pub start: String,
    pub end: String,
    pub place: String,
    pub form: String,
    pub plan: String,
    pub chair: String,
    pub chair_capacity: String,
    pub chair_note: String,
    pub recorder: String,
    pub group: String,
    /// 事前研究: `committee` or `assembly`, and its date.
    pub decided_body: String,
    pub decided_date: String,
    /// 所属年度, for 组织生活会 and 民主评议 held early in the next year.
    pub for_year: Option<u32>,
    pub summary: String,
    pub late_reason: String,
    pub attendance: Vec<AttendanceForm>,
    pub exclusions: Vec<ExclusionForm>,
    pub guests: Vec<GuestForm>,
    pub agenda: Vec<AgendaForm>,
    pub actions: Vec<ActionForm>,
    pub makeups: Vec<MakeupForm>,
    pub links: Vec<LinkForm>,
    /// In their order.
    pub attachments: Vec<super::AttachmentForm>,
}

/// One person's attendance. Nothing is written for a person who stays 未登记.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct AttendanceForm {
    pub person: String,
    /// `present`, `late`, `early`, `leave`, `absent`; empty is 未登记.
    pub status: String,
    pub leave: String,
    pub reason: String,
    pub approver: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ExclusionForm {
    pub person: String,
    pub ground: String,
    pub approval: String,
    pub assembly: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct GuestForm {
    pub id: String,
    pub name: String,
    pub person: String,
    pub unit: String,
    pub capacity: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct AgendaForm {
    pub id: String,
    pub kind: String,
    pub topic: String,
    pub presenter: String,
    pub source: String,
    pub material: String,
    pub material_date: String,
    pub minutes: Option<u32>,
    pub important: bool,
    pub committee_review: String,
    pub first_sponsor: String,
    pub second_sponsor: String,
    pub resolution: String,
    pub vote: Option<VoteForm>,
    pub speeches: Vec<SpeechForm>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SpeechForm {
    pub id: String,
    pub speaker: String,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct VoteForm {
    /// `ordinary`, `admit`, `confirm`, `election`, `committee`.
    pub rule: String,
    /// `hands`, `ballot`.
    pub method: String,
    pub subject: String,
    pub yes: Option<u32>,
    pub no: Option<u32>,
    pub abstain: Option<u32>,
    pub invalid: Option<u32>,
    pub issued: Option<u32>,
    pub returned: Option<u32>,
    pub written: Vec<WrittenForm>,
    pub seats: Option<u32>,
    pub candidates: Vec<CandidateForm>,
}

/// 书面意见 of somebody who was not there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct WrittenForm {
    pub person: String,
    pub agrees: bool,
    pub on: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct CandidateForm {
    pub name: String,
    pub person: String,
    pub votes: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ActionForm {
    pub id: String,
    pub task: String,
    pub owner: String,
    pub due: String,
    pub done_on: String,
    pub result: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct MakeupForm {
    pub id: String,
    pub person: String,
    pub date: String,
    pub way: String,
    pub by: String,
    pub content: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct LinkForm {
    pub id: String,
    pub record: String,
    pub item: String,
    /// `follow_up`, `prior`.
    pub relation: String,
}

/// A draft with everything the editor needs around it.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MeetingDraft {
    pub draft: String,
    pub form: MeetingForm,
    /// The record is on file already: this draft changes it.
    pub recorded: bool,
    /// It is a 更正 of a closed record, for this reason.
    pub correction: Option<String>,
    pub saved_at: Option<String>,
    pub derived: MeetingDerived,
    /// Open 议定事项 of earlier records that this one can follow up.
    pub open_actions: Vec<super::ActionLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SaveDraft {
    pub draft: String,
    pub form: MeetingForm,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DraftSaved {
    /// RFC 3339: the moment it was on disk.
    pub saved_at: String,
    pub derived: MeetingDerived,
}

/// What the rules make of a form: never typed, always computed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
pub struct MeetingDerived {
    /// 应到名册 on the day, in the branch's order.
    pub roster: Vec<RosterLine>,
    pub counts: Counts,
    /// One per agenda item that has a vote.
    pub votes: Vec<VoteLine>,
    pub findings: Vec<FindingLine>,
    /// What the record will count as.
    pub meets: Vec<DutyMet>,
    /// Minutes of study for everybody who was there.
    pub study_minutes: u32,
    /// 补录: recorded later than the policy's days after the event.
    pub late: bool,
    /// What follows up an earlier 议定事项, with its state on this day.
    pub follow_ups: Vec<super::ActionLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RosterLine {
    pub person: String,
    pub name: String,
    /// Pinyin initials and full pinyin, for typing: `zhd zhouhaidong`.
    pub keys: String,
    /// `full`, `probationary`.
    pub standing: String,
    pub may_vote: bool,
    pub posts: Vec<String>,
    pub group: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Counts {
    /// 应到.
    pub due: u32,
    /// 实到.
    pub present: u32,
    pub leave: u32,
    pub absent: u32,
    pub unregistered: u32,
    /// 列席, in none of the others.
    pub guests: u32,
    /// 出勤率 as printed, `78.6%`; absent while nobody is due.
    pub rate: Option<String>,
}

/// The four numbers of a vote and what they come to.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct VoteLine {
    pub agenda: String,
    /// 应到会党员数.
    pub members_due: u32,
    /// 实到会党员数.
    pub members_present: u32,
    /// 应到会有表决权数.
    pub voters_due: u32,
    /// 实到会有表决权数.
    pub voters_present: u32,
    /// 赞成 with the written opinions that count.
    pub yes: u32,
    /// 有效 / 无效.
    pub quorate: bool,
    /// 通过 / 未通过; absent while the numbers are not complete.
    pub passed: Option<bool>,
    /// Names of those elected, in an election.
    pub elected: Vec<String>,
    pub why: Vec<FindingLine>,
}

/// A duty that a record meets.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DutyMet {
    pub id: String,
    pub meeting_type: String,
    pub from: String,
    pub to: String,
    pub period: String,
}

/// A committed record as it is read and printed.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MeetingPage {
    pub id: String,
    pub number: Option<String>,
    pub organisation: String,
    pub form: MeetingForm,
    pub derived: MeetingDerived,
    pub state: RecordState,
    pub report: ReportState,
    pub times: Times,
    /// 更正 so far, oldest first.
    pub corrections: Vec<Correction>,
    pub annulled: Option<Correction>,
    pub has_draft: bool,
    /// How much waits for a person to decide.
    pub undecided: u32,
    /// 被退回: what of it the city refused.
    pub returned: Option<ReturnedCard>,
    /// Names of the persons that the form names by id.
    pub names: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Correction {
    pub reason: String,
    pub author: String,
    /// RFC 3339.
    pub at: String,
}

/// The blank sign-in sheet of a draft or record.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SignInSheet {
    pub organisation: String,
    pub title: String,
    pub date: Option<String>,
    pub place: String,
    pub rows: Vec<RosterLine>,
}
