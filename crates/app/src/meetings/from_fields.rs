//! The flat fields of a meeting record as the form that shows them.

use super::to_fields::Fields;
use crate::contract::{
    ActionForm, AgendaForm, AttachmentForm, AttendanceForm, CandidateForm, ExclusionForm, GuestForm,
    LinkForm, MakeupForm, MeetingForm, SpeechForm, VoteForm, WrittenForm,
};
use crate::reading::Reading;
use replica::BlobRef;
use serde_json::Value;

/// Reads the live fields; what the form does not know stays in the record untouched.
pub fn from_fields(fields: &Fields) -> MeetingForm {
    let read = Reading(fields);
    let start = read.part("time", "start");
    let end = read.part("time", "end");
    MeetingForm {
        types: read.list("types"),
        title: read.text("title"),
        theme: read.text("theme"),
        date: start.get(..10).or(end.get(..10)).unwrap_or_default().to_owned(),
        start: start.get(11..).unwrap_or_default().to_owned(),
        end: end.get(11..).unwrap_or_default().to_owned(),
        place: read.text("place"),
        form: read.text("form"),
        plan: read.text("plan"),
        chair: read.part("chair", "person"),
        chair_capacity: read.part("chair", "capacity"),
        chair_note: read.part("chair", "note"),
        recorder: read.text("recorder"),
        group: read.text("group"),
        decided_body: read.part("decided_by", "body"),
        decided_date: read.part("decided_by", "date"),
        for_year: read.number("for_year"),
        summary: read.text("summary"),
        late_reason: read.text("late_reason"),
        attendance: read.items("attendance").map(|person| attendance(read, person)).collect(),
        exclusions: read.items("exclusions").map(|person| exclusion(read, person)).collect(),
        guests: read.items("guests").map(|id| guest(read, id)).collect(),
        agenda: read.ordered("agenda").map(|id| agenda(read, id)).collect(),
        actions: read.ordered("actions").map(|id| action(read, id)).collect(),
        makeups: read.items("makeups").map(|id| makeup(read, id)).collect(),
        links: read.items("links").map(|id| link(read, id)).collect(),
        attachments: read.ordered("attachments").filter_map(|id| attachment(read, id)).collect(),
    }
}

fn attendance(read: Reading, person: &str) -> AttendanceForm {
    let of = |name: &str| read.text(&format!("attendance/{person}/{name}"));
    AttendanceForm {
        person: person.to_owned(),
        status: of("status"),
        leave: of("leave"),
        reason: of("reason"),
        approver: of("approver"),
    }
}

fn exclusion(read: Reading, person: &str) -> ExclusionForm {
    let path = format!("exclusions/{person}");
    ExclusionForm {
        person: person.to_owned(),
        ground: read.part(&path, "ground"),
        approval: read.part(&path, "approval"),
        assembly: read.flag_part(&path, "assembly"),
    }
}

fn guest(read: Reading, id: &str) -> GuestForm {
    let of = |name: &str| read.text(&format!("guests/{id}/{name}"));
    GuestForm {
        id: id.to_owned(),
        name: of("name"),
        person: of("person"),
        unit: of("unit"),
        capacity: of("capacity"),
    }
}

fn agenda(read: Reading, id: &str) -> AgendaForm {
    let path = |name: &str| format!("agenda/{id}/{name}");
    let of = |name: &str| read.text(&path(name));
    AgendaForm {
        id: id.to_owned(),
        kind: of("kind"),
        topic: of("topic"),
        presenter: of("presenter"),
        source: of("source"),
        material: of("material"),
        material_date: of("material_date"),
        minutes: read.number(&path("minutes")),
        important: read.flag(&path("important")),
        committee_review: of("committee_review"),
        first_sponsor: read.part(&path("sponsors"), "first"),
        second_sponsor: read.part(&path("sponsors"), "second"),
        resolution: of("resolution"),
        vote: read.value(&path("vote")).map(vote),
        speeches: read.ordered(&path("speeches")).map(|speech| self::speech(read, id, speech)).collect(),
    }
}

fn speech(read: Reading, item: &str, id: &str) -> SpeechForm {
    let of = |name: &str| read.text(&format!("agenda/{item}/speeches/{id}/{name}"));
    SpeechForm { id: id.to_owned(), speaker: of("speaker"), text: of("text") }
}

fn vote(value: &Value) -> VoteForm {
    let text = |name: &str| text_of(value, name);
    let number = |name: &str| number_of(value, name);
    let list = |name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
    VoteForm {
        rule: text("rule"),
        method: text("method"),
        subject: text("subject"),
        yes: number("yes"),
        no: number("no"),
        abstain: number("abstain"),
        invalid: number("invalid"),
        issued: number("issued"),
        returned: number("returned"),
        written: list("written")
            .map(|opinion| WrittenForm {
                person: text_of(opinion, "person"),
                agrees: opinion.get("agrees").and_then(Value::as_bool).unwrap_or(false),
                on: text_of(opinion, "on"),
            })
            .collect(),
        seats: number("seats"),
        candidates: list("candidates")
            .map(|candidate| CandidateForm {
                name: text_of(candidate, "name"),
                person: text_of(candidate, "person"),
                votes: number_of(candidate, "votes"),
            })
            .collect(),
    }
}

fn text_of(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number_of(value: &Value, name: &str) -> Option<u32> {
    value.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())
}

fn action(read: Reading, id: &str) -> ActionForm {
    let of = |name: &str| read.text(&format!("actions/{id}/{name}"));
    ActionForm {
        id: id.to_owned(),
        task: of("task"),
        owner: of("owner"),
        due: of("due"),
        done_on: of("done_on"),
        result: of("result"),
    }
}

fn makeup(read: Reading, id: &str) -> MakeupForm {
    let of = |name: &str| read.text(&format!("makeups/{id}/{name}"));
    MakeupForm {
        id: id.to_owned(),
        person: of("person"),
        date: of("date"),
        way: of("way"),
        by: of("by"),
        content: of("content"),
    }
}

fn link(read: Reading, id: &str) -> LinkForm {
    let of = |name: &str| read.part(&format!("links/{id}"), name);
    LinkForm { id: id.to_owned(), record: of("record"), item: of("item"), relation: of("relation") }
}

/// An item whose file is not there (any more) is none.
fn attachment(read: Reading, id: &str) -> Option<AttachmentForm> {
    let of = |name: &str| read.text(&format!("attachments/{id}/{name}"));
    let file = read.value(&format!("attachments/{id}/file"))?;
    let blob = |name: &str| file.get(name).and_then(BlobRef::from_value);
    let (kept, thumb) = (blob("blob")?, blob("thumb"));
    let len = |blob: &BlobRef| u32::try_from(blob.len).unwrap_or(u32::MAX);
    Some(AttachmentForm {
        id: id.to_owned(),
        sort: of("sort"),
        caption: of("caption"),
        name: text_of(file, "name"),
        hash: kept.hash.to_string(),
        len: len(&kept),
        media: kept.media,
        thumb: thumb.as_ref().map(|thumb| thumb.hash.to_string()).unwrap_or_default(),
        thumb_len: thumb.as_ref().map(len).unwrap_or_default(),
        taken_at: text_of(file, "taken_at"),
        original: text_of(file, "original_hash"),
    })
}
