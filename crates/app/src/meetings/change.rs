//! What saving a form means for its record: the differences between what was shown and what was typed.

use super::to_fields::Fields;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Items that are taken out as a whole: a later edit of theirs elsewhere must not bring back half of one.
/// An item that is one value (`links/x`) is cleared like any other value.
const ITEMS: [&str; 5] = ["guests", "agenda", "actions", "makeups", "attachments"];

/// The writes that lead from the fields that were shown to those that are wanted; null clears. A removed item is
/// one `~gone`.
pub fn writes(shown: &Fields, wanted: &Fields) -> BTreeMap<String, Value> {
    let mut writes: BTreeMap<String, Value> = wanted
        .iter()
        .filter(|(path, value)| shown.get(*path) != Some(value))
        .map(|(path, value)| (path.clone(), value.clone()))
        .collect();
    let kept: BTreeSet<&str> = wanted.keys().flat_map(|path| items_of(path)).collect();
    for path in shown.keys().filter(|path| !wanted.contains_key(*path)) {
        match items_of(path).find(|item| !kept.contains(item)) {
            Some(item) => writes.insert(format!("{item}/~gone"), json!({})),
            None => writes.insert(path.clone(), Value::Null),
        };
    }
    writes
}

/// The items that a path lies in, outermost first: `agenda/a` and `agenda/a/speeches/s`.
fn items_of(path: &str) -> impl Iterator<Item = &str> {
    let steps: Vec<(usize, &str)> = path
        .split('/')
        .scan(0, |end, step| {
            *end += step.len() + 1;
            Some((*end - 1, step))
        })
        .collect();
    let listed = steps.first().is_some_and(|(_, step)| ITEMS.contains(step));
    let outer = (listed && steps.len() > 1).then(|| &path[..steps[1].0]);
    let inner = (listed && steps.len() > 4 && steps[2].1 == "speeches").then(|| &path[..steps[3].0]);
    outer.into_iter().chain(inner)
}

#[cfg(test)]
mod tests {
    use super::writes;
    use crate::contract::{
        AgendaForm, AttachmentForm, AttendanceForm, GuestForm, MeetingForm, SpeechForm, VoteForm,
    };
    use crate::meetings::{from_fields, to_fields};
    use serde_json::json;

    fn form() -> MeetingForm {
        let speech = |id: &str| SpeechForm { id: id.into(), speaker: "p1".into(), text: "夜班".into() };
        MeetingForm {
            types: vec!["theme_day".into(), "lecture".into()],
            title: "主题党日".into(),
            date: "2026-10-13".into(),
            start: "14:00".into(),
            end: "16:20".into(),
            chair: "p1".into(),
            chair_capacity: "secretary".into(),
            attendance: vec![AttendanceForm {
                person: "p1".into(),
                status: "present".into(),
                ..Default::default()
            }],
            guests: vec![GuestForm { id: "g1".into(), name: "高翔".into(), ..Default::default() }],
            agenda: vec![AgendaForm {
                id: "a1".into(),
                topic: "讨论".into(),
                speeches: vec![speech("s1"), speech("s2")],
                vote: Some(VoteForm { rule: "ordinary".into(), yes: Some(4), ..Default::default() }),
                ..Default::default()
            }],
            attachments: vec![file("f1", "first"), file("f2", "")],
            ..Default::default()
        }
    }

    fn file(id: &str, caption: &str) -> AttachmentForm {
        AttachmentForm {
            id: id.into(),
            sort: "photo".into(),
            caption: caption.into(),
            name: "IMG.jpg".into(),
            hash: replica::BlobHash::of(id.as_bytes()).to_string(),
            media: "image/jpeg".into(),
            len: 4,
            thumb: replica::BlobHash::of(b"small").to_string(),
            thumb_len: 2,
            taken_at: "2026-10-13T14:05".into(),
            original: "0".repeat(64),
        }
    }

    #[test]
    fn a_form_comes_back_from_its_fields() {
        assert_eq!(from_fields(&to_fields(&form())), form());
        assert_eq!(from_fields(&to_fields(&MeetingForm::default())), MeetingForm::default());
        assert!(to_fields(&MeetingForm::default()).is_empty(), "a default is not a write");
    }

    #[test]
    fn only_differences_are_written() {
        type Edit = fn(&mut MeetingForm);
        let cases: [(Edit, serde_json::Value); 10] = [
            (|_| {}, json!({})),
            (|form| form.place = "二楼".into(), json!({"place": "二楼"})),
            (|form| form.title.clear(), json!({"title": null})),
            (
                |form| form.end = "16:30".into(),
                json!({"time": {"start": "2026-10-13T14:00", "end": "2026-10-13T16:30"}}),
            ),
            (|form| form.attendance.clear(), json!({"attendance/p1/status": null})),
            (|form| form.guests.clear(), json!({"guests/g1/~gone": {}})),
            (
                |form| form.attachments.clear(),
                json!({"attachments/f1/~gone": {}, "attachments/f2/~gone": {}}),
            ),
            (
                |form| form.attachments.swap(0, 1),
                json!({"attachments/f1/order": 2, "attachments/f2/order": 1}),
            ),
            (|form| form.agenda.clear(), json!({"agenda/a1/~gone": {}})),
            (
                |form| drop(form.agenda[0].speeches.remove(0)),
                json!({"agenda/a1/speeches/s1/~gone": {}, "agenda/a1/speeches/s2/order": 1}),
            ),
        ];
        for (edit, expected) in cases {
            let mut edited = form();
            edit(&mut edited);
            let found = json!(writes(&to_fields(&form()), &to_fields(&edited)));
            assert_eq!(found, expected);
        }
    }
}
