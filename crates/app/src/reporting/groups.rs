//! A 党小组 of the same name on two computers is one: its id here becomes the id there, and so does a matched person's
//! membership in it. Other items of matched records the exchange recognises by itself; this one is told by an id.

use crate::branch::{Branch, Fields, fields};
use crate::error::CallError;
use crate::reading::Reading;
use replica::StreamId;
use std::collections::{BTreeMap, BTreeSet};

type Same = BTreeMap<String, String>;

/// Adds the groups of the organisation and of matched persons to what is the same.
pub fn add_groups(
    branch: &Branch,
    streams: (&StreamId, &StreamId),
    same: &mut Same,
) -> Result<(), CallError> {
    let records = same.clone();
    let by_name = |read: Reading, id: &str| read.text(&format!("groups/{id}/name"));
    same.extend(of_kind(branch, "organisation", streams, &records, by_name)?);
    let renamed = same.clone();
    let by_group = |read: Reading, id: &str| {
        let group = read.part(&format!("groups/{id}"), "group");
        renamed.get(&group).cloned().unwrap_or(group)
    };
    same.extend(of_kind(branch, "person", streams, &records, by_group)?);
    Ok(())
}

fn of_kind(
    branch: &Branch,
    kind: &str,
    (here, there): (&StreamId, &StreamId),
    records: &Same,
    told_by: impl Fn(Reading, &str) -> String,
) -> Result<Same, CallError> {
    let mut found = Same::new();
    for (id, other) in records {
        let of = |stream: &StreamId, id: &str| branch.store.record_in(stream, kind, id);
        if let (Some(ours), Some(theirs)) = (of(here, id)?, of(there, other)?) {
            found.extend(pairs(&fields(&ours), &fields(&theirs), &told_by));
        }
    }
    Ok(found)
}

/// Each group there stands for one group here at most.
fn pairs(ours: &Fields, theirs: &Fields, told_by: &impl Fn(Reading, &str) -> String) -> Same {
    let (ours, theirs) = (Reading(ours), Reading(theirs));
    let mut taken = BTreeSet::new();
    let mut found = Same::new();
    for id in ours.items("groups") {
        let wanted = told_by(ours, id);
        let twin =
            theirs.items("groups").find(|other| !taken.contains(other) && told_by(theirs, other) == wanted);
        if let Some(other) = twin.filter(|other| *other != id) {
            taken.insert(other);
            found.insert(id.to_owned(), other.to_owned());
        }
    }
    found
}
