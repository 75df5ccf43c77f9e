//! A meeting form as the flat fields of its record. Empty is unwritten: a default is not a write.

use crate::contract::{AgendaForm, AttachmentForm, MeetingForm, VoteForm};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The fields of a record, by path.
pub type Fields = BTreeMap<String, Value>;

/// Every field that the form fills in.
pub fn to_fields(form: &MeetingForm) -> Fields {
    let mut fields = Writer::default();
    head(form, &mut fields);
    people(form, &mut fields);
    for (at, item) in form.agenda.iter().enumerate() {
        agenda(item, at, &mut fields);
    }
    closing(form, &mut fields);
    for (at, file) in form.attachments.iter().enumerate() {
        attachment(file, at, &mut fields);
    }
    fields.0
}

#[derive(Default)]
struct Writer(Fields);

impl Writer {
    fn set(&mut self, path: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(path.into(), value.into());
    }

    fn text(&mut self, path: impl Into<String>, text: &str) {
        if !text.trim().is_empty() {
            self.set(path, text);
        }
    }

    fn number(&mut self, path: impl Into<String>, number: Option<u32>) {
        if let Some(number) = number {
            self.set(path, number);
        }
    }

    fn object(&mut self, path: impl Into<String>, parts: Parts) {
        if !parts.0.is_empty() {
            self.set(path, Value::Object(parts.0));
        }
    }
}

/// The parts of an object value; empty ones are left out.
#[derive(Default)]
struct Parts(Map<String, Value>);

impl Parts {
    fn text(mut self, name: &str, text: &str) -> Self {
        if !text.trim().is_empty() {
            self.0.insert(name.into(), text.into());
        }
        self
    }

    fn number(mut self, name: &str, number: Option<u32>) -> Self {
        self.0.extend(number.map(|number| (name.to_owned(), number.into())));
        self
    }

    fn flag(mut self, name: &str, flag: bool) -> Self {
        self.0.insert(name.into(), flag.into());
        self
    }

    fn list(mut self, name: &str, list: Vec<Value>) -> Self {
        if !list.is_empty() {
            self.0.insert(name.into(), list.into());
        }
        self
    }
}

fn head(form: &MeetingForm, fields: &mut Writer) {
    if !form.types.is_empty() {
        fields.set("types", json!(form.types));
    }
    fields.text("title", &form.title);
    fields.text("theme", &form.theme);
    fields.object("time", time(form));
    fields.text("place", &form.place);
    fields.text("form", &form.form);
    fields.text("plan", &form.plan);
    let chair = Parts::default().text("person", &form.chair).text("capacity", &form.chair_capacity);
    fields.object("chair", chair.text("note", &form.chair_note));
    fields.text("recorder", &form.recorder);
    fields.text("group", &form.group);
    fields.object(
        "decided_by",
        Parts::default().text("body", &form.decided_body).text("date", &form.decided_date),
    );
    fields.number("for_year", form.for_year);
    fields.text("summary", &form.summary);
    fields.text("late_reason", &form.late_reason);
}

/// Start and end on the form's day; an end that is not after the start is a finding, not tomorrow.
fn time(form: &MeetingForm) -> Parts {
    let on = |time: &str| match (form.date.trim(), time.trim()) {
        ("", _) | (_, "") => String::new(),
        (date, time) => format!("{date}T{time}"),
    };
    Parts::default().text("start", &on(&form.start)).text("end", &on(&form.end))
}

fn people(form: &MeetingForm, fields: &mut Writer) {
    for entry in form.attendance.iter().filter(|entry| !entry.status.is_empty()) {
        let of = |name: &str| format!("attendance/{}/{name}", entry.person);
        fields.text(of("status"), &entry.status);
        fields.text(of("leave"), &entry.leave);
        fields.text(of("reason"), &entry.reason);
        fields.text(of("approver"), &entry.approver);
    }
    for entry in &form.exclusions {
        let parts = Parts::default().text("ground", &entry.ground).text("approval", &entry.approval);
        fields.object(format!("exclusions/{}", entry.person), parts.flag("assembly", entry.assembly));
    }
    for guest in &form.guests {
        let of = |name: &str| format!("guests/{}/{name}", guest.id);
        fields.text(of("name"), &guest.name);
        fields.text(of("person"), &guest.person);
        fields.text(of("unit"), &guest.unit);
        fields.text(of("capacity"), &guest.capacity);
    }
}

fn agenda(item: &AgendaForm, at: usize, fields: &mut Writer) {
    let of = |name: &str| format!("agenda/{}/{name}", item.id);
    fields.set(of("order"), place(at));
    fields.text(of("kind"), &item.kind);
    fields.text(of("topic"), &item.topic);
    fields.text(of("presenter"), &item.presenter);
    fields.text(of("source"), &item.source);
    fields.text(of("material"), &item.material);
    fields.text(of("material_date"), &item.material_date);
    fields.number(of("minutes"), item.minutes);
    if item.important {
        fields.set(of("important"), true);
    }
    fields.text(of("committee_review"), &item.committee_review);
    let sponsors = Parts::default().text("first", &item.first_sponsor).text("second", &item.second_sponsor);
    fields.object(of("sponsors"), sponsors);
    fields.text(of("resolution"), &item.resolution);
    if let Some(vote) = &item.vote {
        fields.object(of("vote"), vote_parts(vote));
    }
    for (at, speech) in item.speeches.iter().enumerate() {
        let of = |name: &str| of(&format!("speeches/{}/{name}", speech.id));
        fields.set(of("order"), place(at));
        fields.text(of("speaker"), &speech.speaker);
        fields.text(of("text"), &speech.text);
    }
}

/// The whole vote is one value: its numbers only make sense together.
fn vote_parts(vote: &VoteForm) -> Parts {
    let written = vote.written.iter().map(|opinion| {
        let parts = Parts::default().text("person", &opinion.person).flag("agrees", opinion.agrees);
        Value::Object(parts.text("on", &opinion.on).0)
    });
    let candidates = vote.candidates.iter().map(|candidate| {
        let parts = Parts::default().text("name", &candidate.name).text("person", &candidate.person);
        Value::Object(parts.number("votes", candidate.votes).0)
    });
    Parts::default()
        .text("rule", &vote.rule)
        .text("method", &vote.method)
        .text("subject", &vote.subject)
        .number("yes", vote.yes)
        .number("no", vote.no)
        .number("abstain", vote.abstain)
        .number("invalid", vote.invalid)
        .number("issued", vote.issued)
        .number("returned", vote.returned)
        .list("written", written.collect())
        .number("seats", vote.seats)
        .list("candidates", candidates.collect())
}

fn closing(form: &MeetingForm, fields: &mut Writer) {
    for (at, action) in form.actions.iter().enumerate() {
        let of = |name: &str| format!("actions/{}/{name}", action.id);
        fields.set(of("order"), place(at));
        fields.text(of("task"), &action.task);
        fields.text(of("owner"), &action.owner);
        fields.text(of("due"), &action.due);
        fields.text(of("done_on"), &action.done_on);
        fields.text(of("result"), &action.result);
    }
    for makeup in &form.makeups {
        let of = |name: &str| format!("makeups/{}/{name}", makeup.id);
        fields.text(of("person"), &makeup.person);
        fields.text(of("date"), &makeup.date);
        fields.text(of("way"), &makeup.way);
        fields.text(of("by"), &makeup.by);
        fields.text(of("content"), &makeup.content);
    }
    for link in &form.links {
        let parts = Parts::default().text("record", &link.record).text("item", &link.item);
        fields.object(format!("links/{}", link.id), parts.text("relation", &link.relation));
    }
}

/// The file is one value: bytes, name and time of taking belong together.
fn attachment(file: &AttachmentForm, at: usize, fields: &mut Writer) {
    let of = |name: &str| format!("attachments/{}/{name}", file.id);
    let blob = |hash: &str, len: u32, media: &str| json!({ "blob": hash, "len": len, "media": media });
    fields.set(of("order"), place(at));
    fields.text(of("sort"), &file.sort);
    fields.text(of("caption"), &file.caption);
    let mut parts = Parts::default()
        .text("name", &file.name)
        .text("taken_at", &file.taken_at)
        .text("original_hash", &file.original);
    parts.0.insert("blob".to_owned(), blob(&file.hash, file.len, &file.media));
    if !file.thumb.is_empty() {
        parts.0.insert("thumb".to_owned(), blob(&file.thumb, file.thumb_len, "image/jpeg"));
    }
    fields.object(of("file"), parts);
}

fn place(at: usize) -> u64 {
    at as u64 + 1
}
