//! The typed reading of a meeting record.

use crate::fields::{Fields, code_of, date_of, date_time_of, number_of, part, text_of};
use crate::roster::RosterLine;
use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A sort of activity; one event may be several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    Assembly,
    Committee,
    Group,
    Lecture,
    ThemeDay,
    Life,
    Review,
}

/// Who took part how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Present,
    Late,
    Early,
    Leave,
    Absent,
}

/// The capacity in which someone chairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    Secretary,
    Deputy,
    Member,
    GroupLeader,
}

/// The rule a vote is held by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteRule {
    Ordinary,
    Admit,
    Confirm,
    Election,
    Committee,
}

/// How votes are cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteMethod {
    Hands,
    Ballot,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attended {
    pub status: Option<Status>,
    pub leave: Option<String>,
    pub reason: Option<String>,
    pub approver: Option<String>,
}

/// A member entered as not counted in 应到会.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exclusion {
    pub ground: Option<String>,
    pub approval: Option<String>,
    pub assembly: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Guest {
    pub id: String,
    pub name: String,
    pub person: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Chair {
    pub person: Option<String>,
    pub capacity: Option<Capacity>,
    pub note: Option<String>,
}

/// The meeting in which something was settled beforehand.
#[derive(Debug, Clone, PartialEq)]
pub struct DecidedBy {
    pub body: Option<Activity>,
    pub date: Option<NaiveDate>,
    pub record: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    pub person: Option<String>,
    pub agrees: bool,
    pub on: Option<NaiveDate>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub name: String,
    pub person: Option<String>,
    pub votes: Option<u32>,
}

/// A vote block as it was entered.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    pub rule: VoteRule,
    pub method: Option<VoteMethod>,
    pub subject: Option<String>,
    pub yes: Option<u32>,
    pub no: Option<u32>,
    pub abstain: Option<u32>,
    pub invalid: Option<u32>,
    pub issued: Option<u32>,
    pub returned: Option<u32>,
    pub written: Vec<Opinion>,
    pub seats: Option<u32>,
    pub candidates: Vec<Candidate>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AgendaItem {
    pub id: String,
    pub order: Option<u32>,
    pub kind: Option<String>,
    pub topic: Option<String>,
    pub presenter: Option<String>,
    pub material_date: Option<NaiveDate>,
    pub minutes: Option<u32>,
    pub important: bool,
    pub committee_review: Option<NaiveDate>,
    pub sponsors: Vec<String>,
    pub resolution: Option<String>,
    pub vote: Option<Vote>,
    pub speeches: usize,
}

/// A 议定事项.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    pub id: String,
    pub task: String,
    pub owner: Option<String>,
    pub due: Option<NaiveDate>,
    pub done_on: Option<NaiveDate>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    pub record: Option<String>,
    pub item: Option<String>,
    pub relation: Option<String>,
}

/// A photo or document that was attached. None is ever required.
#[derive(Debug, Clone, PartialEq)]
pub struct Attached {
    pub id: String,
    /// The hash of the file as it came.
    pub original: Option<String>,
    /// By the camera's clock.
    pub taken_at: Option<NaiveDateTime>,
}

/// A meeting as its record tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Meeting {
    pub id: String,
    pub types: Vec<Activity>,
    pub title: Option<String>,
    pub theme: Option<String>,
    pub start: Option<NaiveDateTime>,
    pub end: Option<NaiveDateTime>,
    pub place: Option<String>,
    pub plan: Option<String>,
    pub chair: Option<Chair>,
    pub recorder: Option<String>,
    pub group: Option<String>,
    /// The obligation year of a 组织生活会 or 民主评议, when stated.
    pub for_year: Option<i32>,
    pub decided_by: Option<DecidedBy>,
    pub late_reason: Option<String>,
    /// The branch's roster of the day, frozen by 定稿.
    pub frozen: Option<Vec<RosterLine>>,
    pub attendance: BTreeMap<String, Attended>,
    pub exclusions: BTreeMap<String, Exclusion>,
    pub guests: Vec<Guest>,
    /// In their order.
    pub agenda: Vec<AgendaItem>,
    pub actions: Vec<Action>,
    pub makeups: Vec<(String, Option<NaiveDate>)>,
    pub links: Vec<Link>,
    /// In their order.
    pub attachments: Vec<Attached>,
}

impl Meeting {
    /// Reads the live fields of a record of kind `meeting`.
    pub fn from_fields(id: &str, fields: &BTreeMap<String, Value>) -> Self {
        let fields = Fields(fields);
        let time = fields.value("time");
        Self {
            id: id.to_owned(),
            types: types(fields),
            title: fields.text("title"),
            theme: fields.text("theme"),
            start: part(time, "start").and_then(date_time_of),
            end: part(time, "end").and_then(date_time_of),
            place: fields.text("place"),
            plan: fields.text("plan"),
            chair: fields.value("chair").map(chair),
            recorder: fields.text("recorder"),
            group: fields.text("group"),
            for_year: fields.number("for_year").and_then(|year| i32::try_from(year).ok()),
            decided_by: fields.value("decided_by").map(decided_by),
            late_reason: fields.text("late_reason"),
            frozen: fields.code("roster"),
            attendance: attendance(fields),
            exclusions: exclusions(fields),
            guests: guests(fields),
            agenda: agenda(fields),
            actions: actions(fields),
            makeups: makeups(fields),
            links: links(fields),
            attachments: attachments(fields),
        }
    }

    /// The civil day of the event.
    pub fn date(&self) -> Option<NaiveDate> {
        self.start.map(|start| start.date())
    }

    pub fn is(&self, activity: Activity) -> bool {
        self.types.contains(&activity)
    }

    /// Whether the person is entered as having come, late and early leavers included.
    pub fn attended(&self, person: &str) -> bool {
        self.attendance.get(person).and_then(|entry| entry.status).is_some_and(Status::came)
    }

    /// Whether the times of two meetings overlap.
    pub fn overlaps(&self, other: &Meeting) -> bool {
        match (self.start, self.end, other.start, other.end) {
            (Some(start), Some(end), Some(from), Some(to)) => start < to && from < end,
            _ => false,
        }
    }
}

impl Link {
    /// Whether the link names that 议定事项, or its whole record.
    pub fn names(&self, record: &str, item: &str) -> bool {
        self.record.as_deref() == Some(record) && self.item.as_deref().is_none_or(|named| named == item)
    }
}

impl Status {
    /// Late and early leavers came.
    pub fn came(self) -> bool {
        match self {
            Status::Present | Status::Late | Status::Early => true,
            Status::Leave | Status::Absent => false,
        }
    }
}

fn types(fields: Fields) -> Vec<Activity> {
    let listed = fields.value("types").and_then(Value::as_array);
    let mut types: Vec<Activity> = listed.into_iter().flatten().filter_map(code_of).collect();
    types.sort();
    types.dedup();
    types
}

fn chair(value: &Value) -> Chair {
    let of = |name| part(Some(value), name);
    Chair {
        person: of("person").and_then(text_of),
        capacity: of("capacity").and_then(code_of),
        note: of("note").and_then(text_of),
    }
}

fn decided_by(value: &Value) -> DecidedBy {
    let of = |name| part(Some(value), name);
    DecidedBy {
        body: of("body").and_then(code_of),
        date: of("date").and_then(date_of),
        record: of("record").and_then(text_of),
    }
}

fn attendance(fields: Fields) -> BTreeMap<String, Attended> {
    let entry = |person: &str| {
        let of = |name: &str| format!("attendance/{person}/{name}");
        let attended = Attended {
            status: fields.code(&of("status")),
            leave: fields.text(&of("leave")),
            reason: fields.text(&of("reason")),
            approver: fields.text(&of("approver")),
        };
        (person.to_owned(), attended)
    };
    fields.items("attendance").into_iter().map(entry).collect()
}

fn exclusions(fields: Fields) -> BTreeMap<String, Exclusion> {
    let entry = |person: &str| {
        let value = fields.value(&format!("exclusions/{person}"));
        let of = |name| part(value, name);
        let exclusion = Exclusion {
            ground: of("ground").and_then(text_of),
            approval: of("approval").and_then(text_of),
            assembly: of("assembly").and_then(Value::as_bool).unwrap_or(false),
        };
        (person.to_owned(), exclusion)
    };
    fields.items("exclusions").into_iter().map(entry).collect()
}

fn guests(fields: Fields) -> Vec<Guest> {
    let guest = |id: &str| Guest {
        id: id.to_owned(),
        name: fields.text(&format!("guests/{id}/name")).unwrap_or_default(),
        person: fields.text(&format!("guests/{id}/person")),
    };
    fields.items("guests").into_iter().map(guest).collect()
}

fn agenda(fields: Fields) -> Vec<AgendaItem> {
    let mut agenda: Vec<AgendaItem> =
        fields.items("agenda").into_iter().map(|id| agenda_item(fields, id)).collect();
    agenda.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
    agenda
}

fn agenda_item(fields: Fields, id: &str) -> AgendaItem {
    let of = |name: &str| format!("agenda/{id}/{name}");
    let sponsors = fields.value(&of("sponsors"));
    AgendaItem {
        id: id.to_owned(),
        order: fields.number(&of("order")),
        kind: fields.text(&of("kind")),
        topic: fields.text(&of("topic")),
        presenter: fields.text(&of("presenter")),
        material_date: fields.date(&of("material_date")),
        minutes: fields.number(&of("minutes")),
        important: fields.flag(&of("important")),
        committee_review: fields.date(&of("committee_review")),
        sponsors: ["first", "second"]
            .into_iter()
            .filter_map(|name| part(sponsors, name).and_then(text_of))
            .collect(),
        resolution: fields.text(&of("resolution")),
        vote: fields.value(&of("vote")).and_then(vote),
        speeches: fields
            .items(&of("speeches"))
            .into_iter()
            .filter(|speech| fields.text(&of(&format!("speeches/{speech}/text"))).is_some())
            .count(),
    }
}

fn vote(value: &Value) -> Option<Vote> {
    let of = |name| part(Some(value), name);
    let number = |name| of(name).and_then(number_of);
    let list = |name| of(name).and_then(Value::as_array).into_iter().flatten();
    Some(Vote {
        rule: of("rule").and_then(code_of)?,
        method: of("method").and_then(code_of),
        subject: of("subject").and_then(text_of),
        yes: number("yes"),
        no: number("no"),
        abstain: number("abstain"),
        invalid: number("invalid"),
        issued: number("issued"),
        returned: number("returned"),
        written: list("written").map(opinion).collect(),
        seats: number("seats"),
        candidates: list("candidates").map(candidate).collect(),
    })
}

fn opinion(value: &Value) -> Opinion {
    let of = |name| part(Some(value), name);
    Opinion {
        person: of("person").and_then(text_of),
        agrees: of("agrees").and_then(Value::as_bool).unwrap_or(false),
        on: of("on").and_then(date_of),
    }
}

fn candidate(value: &Value) -> Candidate {
    let of = |name| part(Some(value), name);
    Candidate {
        name: of("name").and_then(text_of).unwrap_or_default(),
        person: of("person").and_then(text_of),
        votes: of("votes").and_then(number_of),
    }
}

fn actions(fields: Fields) -> Vec<Action> {
    let action = |id: &str| {
        let of = |name: &str| format!("actions/{id}/{name}");
        let action = Action {
            id: id.to_owned(),
            task: fields.text(&of("task")).unwrap_or_default(),
            owner: fields.text(&of("owner")),
            due: fields.date(&of("due")),
            done_on: fields.date(&of("done_on")),
        };
        (fields.number(&of("order")), action)
    };
    let mut actions: Vec<_> = fields.items("actions").into_iter().map(action).collect();
    actions.sort_by(|(a, first), (b, second)| (a, &first.id).cmp(&(b, &second.id)));
    actions.into_iter().map(|(_, action)| action).collect()
}

fn makeups(fields: Fields) -> Vec<(String, Option<NaiveDate>)> {
    let of = |id: &str, name: &str| format!("makeups/{id}/{name}");
    fields
        .items("makeups")
        .into_iter()
        .filter_map(|id| Some((fields.text(&of(id, "person"))?, fields.date(&of(id, "date")))))
        .collect()
}

fn links(fields: Fields) -> Vec<Link> {
    let link = |id: &str| {
        let value = fields.value(&format!("links/{id}"));
        let of = |name| part(value, name).and_then(text_of);
        Link { record: of("record"), item: of("item"), relation: of("relation") }
    };
    fields.items("links").into_iter().map(link).collect()
}

fn attachments(fields: Fields) -> Vec<Attached> {
    let attached = |id: &str| {
        let of = |name: &str| format!("attachments/{id}/{name}");
        let file = fields.value(&of("file"))?;
        let attached = Attached {
            id: id.to_owned(),
            original: part(Some(file), "original_hash").and_then(text_of),
            taken_at: part(Some(file), "taken_at").and_then(date_time_of),
        };
        Some((fields.number(&of("order")), attached))
    };
    let mut attachments: Vec<_> = fields.items("attachments").into_iter().filter_map(attached).collect();
    attachments.sort_by(|(a, first), (b, second)| (a, &first.id).cmp(&(b, &second.id)));
    attachments.into_iter().map(|(_, attached)| attached).collect()
}
