//! The items within records that are the same: a 党小组 of the same name on two computers is one, so its id here becomes
//! the id there, wherever it stands.

use crate::branch::{Branch, Fields, fields};
use crate::error::CallError;
use crate::reading::Reading;
use replica::StreamId;
use std::collections::{BTreeMap, BTreeSet};

/// What tells one item of a list from another: a field below it, or a part of its value.
enum Told {
    By(&'static str),
    ByPart(&'static str),
}

const ITEMS: [(&str, &str, Told); 9] = [
    ("organisation", "groups", Told::By("name")),
    ("organisation", "committee", Told::ByPart("from")),
    ("person", "posts", Told::ByPart("post")),
    ("person", "groups", Told::ByPart("group")),
    ("person", "memberships", Told::ByPart("from")),
    ("person", "moves", Told::ByPart("from")),
    ("meeting", "guests", Told::By("name")),
    ("meeting", "agenda", Told::By("topic")),
    ("meeting", "actions", Told::By("task")),
];

/// Adds the items of matched records to what is the same. The organisation comes first: persons name its groups.
pub fn add_items(
    branch: &Branch,
    (here, there): (&StreamId, &StreamId),
    same: &mut BTreeMap<String, String>,
) -> Result<(), CallError> {
    let records = same.clone();
    for (kind, prefix, told) in &ITEMS {
        for (id, other) in &records {
            let of = |stream: &StreamId, id: &str| branch.store.record_in(stream, kind, id);
            let (Some(ours), Some(theirs)) = (of(here, id)?, of(there, other)?) else { continue };
            let found = pairs(&fields(&ours), &fields(&theirs), (prefix, told), same);
            same.extend(found);
        }
    }
    Ok(())
}

/// Each item there stands for one item here at most.
fn pairs(
    ours: &Fields,
    theirs: &Fields,
    (prefix, told): (&str, &Told),
    same: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let name = |read: Reading, id: &str| match told {
        Told::By(field) => read.text(&format!("{prefix}/{id}/{field}")),
        Told::ByPart(part) => read.part(&format!("{prefix}/{id}"), part),
    };
    let (ours, theirs) = (Reading(ours), Reading(theirs));
    let mut taken = BTreeSet::new();
    let mut found = Vec::new();
    for id in ours.items(prefix) {
        let wanted = name(ours, id);
        let wanted = same.get(&wanted).unwrap_or(&wanted);
        let twin =
            theirs.items(prefix).find(|other| !taken.contains(other) && name(theirs, other) == *wanted);
        if let Some(other) = twin.filter(|other| *other != id) {
            taken.insert(other);
            found.push((id.to_owned(), other.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Told, pairs};
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn an_item_is_the_same_by_what_tells_it_apart() {
        let fields = |pairs: &[(&str, serde_json::Value)]| {
            pairs.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect::<BTreeMap<_, _>>()
        };
        let ours = fields(&[
            ("groups/a/name", json!("第一党小组")),
            ("groups/b/name", json!("第一党小组")),
            ("groups/c/name", json!("第三党小组")),
        ]);
        let theirs =
            fields(&[("groups/x/name", json!("第一党小组")), ("groups/y/name", json!("第二党小组"))]);
        let found = pairs(&ours, &theirs, ("groups", &Told::By("name")), &BTreeMap::new());
        assert_eq!(found, [("a".to_owned(), "x".to_owned())], "one there is one here, and never two");

        let ours = fields(&[("groups/p", json!({ "group": "a" }))]);
        let theirs = fields(&[("groups/q", json!({ "group": "x" }))]);
        let same = BTreeMap::from([("a".to_owned(), "x".to_owned())]);
        let found = pairs(&ours, &theirs, ("groups", &Told::ByPart("group")), &same);
        assert_eq!(
            found,
            [("p".to_owned(), "q".to_owned())],
            "a person's group is told by what it is the same as"
        );
    }
}
