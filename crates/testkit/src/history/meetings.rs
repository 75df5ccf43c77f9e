//! Meetings with attendance, agenda and speeches.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Entry, Member, at};
use crate::phrases;
use crate::random::Random;

type Fields = BTreeMap<String, Value>;

/// An ordinary meeting: one in three is of the whole branch, the others of a group or the committee.
pub fn meeting(date: NaiveDate, members: &[Member], random: &mut Random) -> Entry {
    let (types, there): (&[&str], usize) = match random.below(6) {
        0 => (&["theme_day", "lecture"], members.len()),
        1 => (&["assembly"], members.len()),
        2 | 3 => (&["committee"], 3),
        _ => (&["group"], members.len() / 2),
    };
    let mut entry = start(types, date, members, random);
    attendance(&mut entry.fields, &members[..there], members, random);
    for order in 1..=random.between(1, 3) {
        agenda_item(&mut entry.fields, order, members, random);
    }
    entry
}

/// A meeting whose summary alone has `bytes` bytes.
pub fn with_minutes(bytes: usize, date: NaiveDate, members: &[Member], random: &mut Random) -> Entry {
    let mut entry = meeting(date, members, random);
    entry.fields.insert("summary".to_owned(), json!(phrases::text(random, bytes.div_ceil(3))));
    entry
}

/// A meeting of two thirds of the branch, with one agenda item.
pub fn whole_branch(date: NaiveDate, members: &[Member], random: &mut Random) -> Entry {
    let mut entry = start(&["assembly"], date, members, random);
    attendance(&mut entry.fields, &members[..members.len() * 2 / 3], members, random);
    agenda_item(&mut entry.fields, 1, members, random);
    entry
}

/// How many paths a speech has, with its `~born`.
pub const SPEECH: usize = 4;

pub fn another_speech(fields: &mut Fields, members: &[Member], random: &mut Random) {
    let (item, order) = (first_item(fields), fields.len());
    speech(fields, &item, order, members, random);
}

/// Adds what is left to say about a meeting until it has `writes` paths.
pub fn fill_up(fields: &mut Fields, writes: usize) {
    let more = [("theme", "学用结合"), ("plan", "planned"), ("summary", "照议定的办。"), ("group", "group1")];
    for (path, value) in more {
        if fields.len() < writes {
            fields.insert(path.to_owned(), json!(value));
        }
    }
}

fn first_item(fields: &Fields) -> String {
    let path = fields.keys().find_map(|path| path.strip_prefix("agenda/"));
    let (item, _) = path.and_then(|path| path.split_once('/')).expect("there is an agenda item");
    item.to_owned()
}

fn start(types: &[&str], date: NaiveDate, members: &[Member], random: &mut Random) -> Entry {
    let hour = random.between(8, 17);
    let end = hour + random.between(1, 2);
    let fields = BTreeMap::from([
        ("types".to_owned(), json!(types)),
        ("title".to_owned(), json!(phrases::topic(random))),
        (
            "time".to_owned(),
            json!({"start": format!("{date}T{hour:02}:00"), "end": format!("{date}T{end:02}:20")}),
        ),
        ("place".to_owned(), json!(phrases::place(random))),
        ("form".to_owned(), json!("onsite")),
        ("chair".to_owned(), json!({"person": members[0].id, "capacity": "secretary"})),
        ("recorder".to_owned(), json!(members[1].id)),
    ]);
    let at = at(date, 20, 0);
    Entry { kind: "meeting", id: random.id(at), fields, at }
}

fn attendance(fields: &mut Fields, due: &[Member], members: &[Member], random: &mut Random) {
    for member in due {
        let path = |field: &str| format!("attendance/{}/{field}", member.id);
        let status =
            random.pick(&["present", "present", "present", "present", "present", "present", "late", "leave"]);
        fields.insert(path("status"), json!(status));
        if status == "leave" && random.chance(50) {
            fields.insert(path("leave"), json!(random.pick(&["work", "sick", "private"])));
            fields.insert(path("approver"), json!(members[0].id));
        }
    }
}

fn agenda_item(fields: &mut Fields, order: usize, members: &[Member], random: &mut Random) {
    let item = random.token();
    let length = random.between(20, 90);
    let mut set = |field: &str, value: Value| fields.insert(format!("agenda/{item}/{field}"), value);
    set("order", json!(order));
    set("kind", json!(random.pick(&["topic", "study", "discussion"])));
    set("topic", json!(phrases::topic(random)));
    set("presenter", json!(members[random.below(members.len())].id));
    set("resolution", json!(phrases::text(random, length)));
    for order in 1..=random.between(1, 3) {
        speech(fields, &item, order, members, random);
    }
}

fn speech(fields: &mut Fields, item: &str, order: usize, members: &[Member], random: &mut Random) {
    let path = format!("agenda/{item}/speeches/{}", random.token());
    let length = random.between(20, 80);
    fields.insert(format!("{path}/order"), json!(order));
    fields.insert(format!("{path}/speaker"), json!(members[random.below(members.len())].id));
    fields.insert(format!("{path}/text"), json!(phrases::text(random, length)));
}
