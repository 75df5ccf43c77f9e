//! A person's form and the flat fields of the record. Dated facts are items: a change of group closes one and opens another.

use crate::contract::{PersonForm, PostForm};
use crate::reading::Reading;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

type Fields = BTreeMap<String, Value>;

/// Reads the live fields. Of dated facts the latest is shown.
pub fn from_fields(fields: &Fields) -> PersonForm {
    let read = Reading(fields);
    let latest = |prefix: &str| latest(read, prefix).map(|id| format!("{prefix}/{id}")).unwrap_or_default();
    let (member, group, limit, moved) =
        (latest("memberships"), latest("groups"), latest("limits"), latest("moves"));
    PersonForm {
        name: read.text("name"),
        category: read.text("category"),
        sex: read.text("sex"),
        ethnic: read.text("ethnic"),
        born: read.text("born"),
        education: read.text("education"),
        id_number: read.text("id_number"),
        phone: read.text("phone"),
        address: read.text("address"),
        unit: read.text("unit"),
        job: read.text("job"),
        joined: read.text("joined"),
        confirmed: read.text("confirmed"),
        membership: read.text("membership"),
        member_from: read.part(&member, "from"),
        member_to: read.part(&member, "to"),
        member_where: read.part(&member, "where"),
        posts: read.items("posts").map(|id| post(read, id)).collect(),
        group: if read.part(&group, "to").is_empty() { read.part(&group, "group") } else { String::new() },
        group_from: if read.part(&group, "to").is_empty() {
            read.part(&group, "from")
        } else {
            String::new()
        },
        moved: read.part(&moved, "direction"),
        moved_from: read.part(&moved, "from"),
        moved_place: read.part(&moved, "place"),
        limit: read.part(&limit, "kind"),
        limit_from: read.part(&limit, "from"),
        limit_to: read.part(&limit, "to"),
        note: read.text("note"),
    }
}

fn post(read: Reading, id: &str) -> PostForm {
    let of = |name: &str| read.part(&format!("posts/{id}"), name);
    PostForm { id: id.to_owned(), post: of("post"), from: of("from"), to: of("to") }
}

/// The item that began last; without dates the one with the highest id.
fn latest<'a>(read: Reading<'a>, prefix: &str) -> Option<&'a str> {
    read.items(prefix).max_by_key(|id| (read.part(&format!("{prefix}/{id}"), "from"), *id))
}

/// The writes that lead from the record's fields to the form; `new_id` names items that begin.
pub fn writes(shown: &Fields, form: &PersonForm, new_id: &dyn Fn() -> String) -> Fields {
    let before = from_fields(shown);
    let mut writes = Fields::new();
    texts(&before, form, &mut writes);
    let read = Reading(shown);
    let mut set = |prefix: &str, value: Value| {
        let id = latest(read, prefix).map_or_else(new_id, str::to_owned);
        writes.insert(format!("{prefix}/{id}"), value);
    };
    let member = |form: &PersonForm| {
        object(&[("from", &form.member_from), ("to", &form.member_to), ("where", &form.member_where)])
    };
    if member(&before) != member(form) {
        let known = latest(read, "memberships").and_then(|id| shown.get(&format!("memberships/{id}")));
        set("memberships", over(known, member(form), &["from", "to", "where"]));
    }
    let limit = |form: &PersonForm| {
        object(&[("kind", &form.limit), ("from", &form.limit_from), ("to", &form.limit_to)])
    };
    if limit(&before) != limit(form) {
        set("limits", if form.limit.is_empty() { Value::Null } else { limit(form) });
    }
    let moved = |form: &PersonForm| {
        object(&[("direction", &form.moved), ("from", &form.moved_from), ("place", &form.moved_place)])
    };
    if moved(&before) != moved(form) {
        let known = latest(read, "moves").and_then(|id| shown.get(&format!("moves/{id}")));
        let value = over(known, moved(form), &["direction", "from", "place"]);
        set("moves", if form.moved.is_empty() { Value::Null } else { value });
    }
    posts(&before, form, new_id, &mut writes);
    group(read, &before, form, new_id, &mut writes);
    writes
}

fn texts(before: &PersonForm, form: &PersonForm, writes: &mut Fields) {
    for ((path, shown), (_, wanted)) in named(before).into_iter().zip(named(form)) {
        if shown != wanted {
            writes.insert(path.to_owned(), text(wanted));
        }
    }
}

fn named(form: &PersonForm) -> [(&'static str, &str); 15] {
    [
        ("name", &form.name),
        ("category", &form.category),
        ("sex", &form.sex),
        ("ethnic", &form.ethnic),
        ("born", &form.born),
        ("education", &form.education),
        ("id_number", &form.id_number),
        ("phone", &form.phone),
        ("address", &form.address),
        ("unit", &form.unit),
        ("job", &form.job),
        ("joined", &form.joined),
        ("confirmed", &form.confirmed),
        ("membership", &form.membership),
        ("note", &form.note),
    ]
}

fn posts(before: &PersonForm, form: &PersonForm, new_id: &dyn Fn() -> String, writes: &mut Fields) {
    let value = |post: &PostForm| object(&[("post", &post.post), ("from", &post.from), ("to", &post.to)]);
    for post in form.posts.iter().filter(|post| !post.post.is_empty()) {
        if !before.posts.contains(post) {
            let id = if post.id.is_empty() { new_id() } else { post.id.clone() };
            writes.insert(format!("posts/{id}"), value(post));
        }
    }
    for gone in before.posts.iter().filter(|post| form.posts.iter().all(|kept| kept.id != post.id)) {
        writes.insert(format!("posts/{}", gone.id), Value::Null);
    }
}

/// A new group from a day on ends the one before on that day; without a day it was a slip and replaces it.
fn group(
    read: Reading,
    before: &PersonForm,
    form: &PersonForm,
    new_id: &dyn Fn() -> String,
    writes: &mut Fields,
) {
    if (&before.group, &before.group_from) == (&form.group, &form.group_from) {
        return;
    }
    let held = latest(read, "groups").filter(|_| !before.group.is_empty());
    let moved = held.filter(|_| before.group != form.group && form.group_from > before.group_from);
    let value = object(&[("group", &form.group), ("from", &form.group_from)]);
    match (held, moved) {
        (_, Some(id)) => {
            let ended =
                object(&[("group", &before.group), ("from", &before.group_from), ("to", &form.group_from)]);
            writes.insert(format!("groups/{id}"), ended);
            if !form.group.is_empty() {
                writes.insert(format!("groups/{}", new_id()), value);
            }
        }
        (Some(id), None) if form.group.is_empty() => {
            writes.insert(format!("groups/{id}"), Value::Null);
        }
        (Some(id), None) => {
            writes.insert(format!("groups/{id}"), value);
        }
        (None, None) => {
            writes.insert(format!("groups/{}", new_id()), value);
        }
    }
}

fn text(text: &str) -> Value {
    let text = text.trim();
    if text.is_empty() { Value::Null } else { text.into() }
}

/// An object of the parts that are filled in; null when none is.
fn object(parts: &[(&str, &str)]) -> Value {
    let filled: Map<String, Value> = parts
        .iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| ((*name).to_owned(), value.trim().into()))
        .collect();
    if filled.is_empty() { Value::Null } else { Value::Object(filled) }
}

/// Parts that the form does not know keep their value.
fn over(known: Option<&Value>, value: Value, parts: &[&str]) -> Value {
    let Some(Value::Object(known)) = known else { return value };
    let mut kept = known.clone();
    parts.iter().for_each(|part| drop(kept.remove(*part)));
    match value {
        Value::Object(parts) => kept.extend(parts),
        Value::Null if kept.is_empty() => return Value::Null,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use super::{from_fields, writes};
    use crate::contract::{PersonForm, PostForm};
    use serde_json::json;

    fn form() -> PersonForm {
        PersonForm {
            name: "叶青".into(),
            category: "member".into(),
            joined: "2010-07-01".into(),
            confirmed: "2011-07-01".into(),
            posts: vec![PostForm { id: "p1".into(), post: "member".into(), ..Default::default() }],
            group: "g1".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_form_comes_back_and_only_differences_are_written() {
        type Edit = fn(&mut PersonForm);
        let id = || "x1".to_owned();
        let fields = writes(&Default::default(), &form(), &id);
        assert_eq!(from_fields(&fields), form());
        let cases: [(Edit, serde_json::Value); 8] = [
            (|_| {}, json!({})),
            (|form| form.phone = "13900983959".into(), json!({"phone": "13900983959"})),
            (|form| form.confirmed.clear(), json!({"confirmed": null})),
            (|form| form.member_to = "2026-10-10".into(), json!({"memberships/x1": {"to": "2026-10-10"}})),
            (|form| form.posts.clear(), json!({"posts/p1": null})),
            (
                |form| (form.group, form.group_from) = ("g2".into(), "2026-10-01".into()),
                json!({"groups/x1": {"group": "g2", "from": "2026-10-01"}}),
            ),
            (|form| form.group.clear(), json!({"groups/x1": null})),
            (|form| form.limit = "probation".into(), json!({"limits/x1": {"kind": "probation"}})),
        ];
        for (edit, expected) in cases {
            let mut edited = form();
            edit(&mut edited);
            let mut ids = ["x1", "x2"].into_iter();
            let next = std::cell::RefCell::new(&mut ids);
            let new_id = || next.borrow_mut().next().unwrap_or("x3").to_owned();
            let mut found = json!(writes(&fields, &edited, &new_id));
            if let Some(ended) = found.as_object_mut().filter(|writes| writes.len() == 2) {
                ended.retain(|_, value| value.get("to").is_none());
            }
            assert_eq!(found, expected);
        }
    }
}
