//! Issuing the records of a laptop's own stream again into the stream that the city already has, after a person said
//! which of them are the same. Ids, times and authors are kept, and doing it twice changes nothing.

use crate::enrol::Enrolment;
use crate::error::SyncError;
use replica::{Change, ChangeId, RecordState, Replica, RootKey, STREAM_KIND, StreamId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::{Issue, IssueWrite, Store};

/// Record ids here that are records the city has: by id here, the id there.
pub type Same = BTreeMap<String, String>;

/// A record here, and what the city has that may be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub kind: String,
    pub id: String,
    pub title: String,
    /// Ids and titles.
    pub there: Vec<(String, String)>,
}

/// What a person has to decide before `reissue`: persons of the same name, meetings of the same day, the organisation.
pub fn candidates(store: &Store) -> Result<Vec<Candidate>, SyncError> {
    let Some(enrolment) = Enrolment::of(store)? else { return Err(SyncError::NotEnrolled) };
    let Some(from) = enrolment.reissue_from else { return Ok(Vec::new()) };
    let here = live(store, &from, None)?;
    let there = live(store, &enrolment.stream, Some(enrolment.root))?;
    let mut found = Vec::new();
    for state in &here {
        let alike: Vec<(String, String)> = there
            .iter()
            .filter(|other| other.kind == state.kind && other.id != state.id && may_be_same(state, other))
            .map(|other| (other.id.clone(), title(other)))
            .collect();
        if !alike.is_empty() {
            let (kind, id) = (state.kind.clone(), state.id.clone());
            found.push(Candidate { kind, id, title: title(state), there: alike });
        }
    }
    Ok(found)
}

/// Issues everything that is not the same as something there, and of what is the same the fields that are empty there;
/// then local writes go to the city's stream. Gives the number of changes that were made.
pub fn reissue(store: &Store, same: &Same, at: i64, author: &str) -> Result<usize, SyncError> {
    let mut enrolment = Enrolment::of(store)?.ok_or(SyncError::NotEnrolled)?;
    let Some(from) = enrolment.reissue_from else { return Ok(0) };
    let into = enrolment.stream;
    let same = &matched(store, same)?;
    let mut changes = store.changes(&from)?;
    changes.sort_by_key(|change| (change.lamport, change.id));
    let known: BTreeSet<ChangeId> = store.origins(&into)?.into_keys().collect();
    let issues = issues(&changes, same, &known);
    let made = store.issue(&into, &issues)?.len();
    let here = live(store, &from, None)?;
    let there = live(store, &into, Some(enrolment.root))?;
    let filled = fill(&here, &there, same, at, author);
    let made = made + store.issue(&into, &filled)?.len();
    store.join_stream(&into)?;
    enrolment.reissue_from = None;
    enrolment.save(store)?;
    Ok(made)
}

/// What a person matched, with the items of matched records that are the same: what else names them follows.
pub fn matched(store: &Store, same: &Same) -> Result<Same, SyncError> {
    let enrolment = Enrolment::of(store)?.ok_or(SyncError::NotEnrolled)?;
    let Some(from) = enrolment.reissue_from else { return Ok(same.clone()) };
    let there = live(store, &enrolment.stream, Some(enrolment.root))?;
    Ok(with_items(&live(store, &from, None)?, &there, same))
}

/// Adds the items of matched records that are the same: a 党小组 of the same name, a post from the same day. Those of
/// the organisation come first, because the persons' items name them.
fn with_items(here: &[RecordState], there: &[RecordState], same: &Same) -> Same {
    let mut all = same.clone();
    let (first, then): (Vec<_>, Vec<_>) = here.iter().partition(|state| state.kind == "organisation");
    for state in first.into_iter().chain(then) {
        let Some(other) = counterpart(state, there, same) else { continue };
        let known = items(other, &Same::new());
        for (mark, id) in items(state, &all) {
            if let Some(there) = known.get(&mark) {
                all.insert(id, there.clone());
            }
        }
    }
    all
}

fn counterpart<'a>(state: &RecordState, there: &'a [RecordState], same: &Same) -> Option<&'a RecordState> {
    let id = same.get(&state.id)?;
    there.iter().find(|other| other.kind == state.kind && other.id == *id)
}

/// The ids of a record's items, by their list and what tells them apart: their name, else what they are from when, else
/// all that they say.
fn items(state: &RecordState, same: &Same) -> BTreeMap<(String, String), String> {
    let mut told: BTreeMap<(&str, &str), serde_json::Map<String, Value>> = BTreeMap::new();
    for (path, value) in state.values() {
        let value = renamed(value, same);
        match path.split('/').collect::<Vec<_>>()[..] {
            [list, id] => {
                told.entry((list, id)).or_default().extend(value.as_object().cloned().unwrap_or_default());
            }
            [list, id, part] => {
                told.entry((list, id)).or_default().insert(part.to_owned(), value);
            }
            _ => {}
        }
    }
    told.into_iter().map(|((list, id), parts)| ((list.to_owned(), mark(&parts)), id.to_owned())).collect()
}

fn mark(parts: &serde_json::Map<String, Value>) -> String {
    if let Some(name) = parts.get("name").and_then(Value::as_str) {
        return name.to_owned();
    }
    let words = ["post", "group", "kind", "direction", "from"];
    let found: Vec<&str> = words.iter().filter_map(|word| parts.get(*word)?.as_str()).collect();
    match found.is_empty() {
        true => replica::canonical(&Value::Object(parts.clone())),
        false => found.join(" "),
    }
}

/// Pure: the changes to issue, in order. What a change is over stays only where that is issued too.
fn issues(changes: &[Change], same: &Same, known: &BTreeSet<ChangeId>) -> Vec<Issue> {
    let mut issued: BTreeSet<ChangeId> = known.clone();
    let mut issues = Vec::new();
    for change in changes {
        let writes = writes(change, same, &issued);
        if writes.is_empty() {
            continue;
        }
        issued.insert(change.id);
        let header = &change.header;
        issues.push(Issue {
            at: header.at,
            author: header.author.clone(),
            action: header.action.clone(),
            batch: header.batch.clone(),
            origin: Some(change.id),
            writes,
        });
    }
    issues
}

fn writes(change: &Change, same: &Same, issued: &BTreeSet<ChangeId>) -> Vec<IssueWrite> {
    let header = &change.header;
    let mut seen = BTreeSet::new();
    let mut writes = Vec::new();
    for (at, write) in header.writes.iter().enumerate() {
        let value = match (&change.values, change.unreadable) {
            (Some(values), _) => Some(values[at].clone()),
            (None, None) => left_of_redacted(&write.path),
            (None, Some(_)) => None,
        };
        let Some(value) = value else { continue };
        let path = renamed_path(&write.path, same);
        let stays = write.kind != STREAM_KIND && !same.contains_key(&write.record);
        if stays && seen.insert((write.kind.clone(), write.record.clone(), path.clone())) {
            writes.push(IssueWrite {
                record: write.record.clone(),
                kind: write.kind.clone(),
                path,
                value: renamed(&value, same),
                over: header.over(write).filter(|id| issued.contains(id)).collect(),
            });
        }
    }
    writes
}

/// What stands although its words were redacted: that a record or an item began, was deleted or was closed.
fn left_of_redacted(path: &str) -> Option<Value> {
    match path.rsplit('/').next() {
        Some("~born") => Some(Value::Bool(true)),
        Some("~gone" | "~final") => Some(Value::Object(serde_json::Map::new())),
        _ => None,
    }
}

/// Of records that are the same, one change with the fields that only this side has.
fn fill(here: &[RecordState], there: &[RecordState], same: &Same, at: i64, author: &str) -> Vec<Issue> {
    let mut writes = Vec::new();
    for state in here {
        let Some(other) = counterpart(state, there, same) else { continue };
        let open = other.closing == replica::Closing::Open;
        for (path, value) in state.values().filter(|_| open) {
            let path = renamed_path(path, same);
            if other.heads(&path).is_empty() && !path.contains('~') {
                let value = renamed(value, same);
                writes.push(IssueWrite {
                    record: other.id.clone(),
                    kind: state.kind.clone(),
                    path,
                    value,
                    over: Vec::new(),
                });
            }
        }
    }
    let issue = |writes: &[IssueWrite]| Issue {
        at,
        author: author.to_owned(),
        action: "match".to_owned(),
        batch: None,
        origin: None,
        writes: writes.to_vec(),
    };
    writes.chunks(200).map(issue).collect()
}

/// A path names persons: `attendance/<person>/status`.
fn renamed_path(path: &str, same: &Same) -> String {
    let part = |part: &str| same.get(part).cloned().unwrap_or_else(|| part.to_owned());
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A text that is exactly the id of a matched record stands for it, wherever it is.
fn renamed(value: &Value, same: &Same) -> Value {
    match value {
        Value::String(text) => Value::String(same.get(text).unwrap_or(text).clone()),
        Value::Array(items) => items.iter().map(|item| renamed(item, same)).collect(),
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| (key.clone(), renamed(value, same)));
            Value::Object(pairs.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Live records of a stream.
fn live(store: &Store, stream: &StreamId, root: Option<RootKey>) -> Result<Vec<RecordState>, SyncError> {
    let mut replica = Replica::new(root);
    replica.insert(store.changes(stream)?);
    let records = replica.records(stream);
    Ok(records.filter(|state| state.is_live() && state.kind != STREAM_KIND).cloned().collect())
}

fn may_be_same(here: &RecordState, there: &RecordState) -> bool {
    let both = |path: &str| here.value(path).zip(there.value(path));
    match here.kind.as_str() {
        "organisation" => true,
        "person" => both("name").is_some_and(|(a, b)| a == b),
        "meeting" => both("time").is_some_and(|(a, b)| day(a).is_some() && day(a) == day(b)),
        _ => false,
    }
}

fn day(time: &Value) -> Option<&str> {
    time["start"].as_str()?.get(..10)
}

fn title(state: &RecordState) -> String {
    let title = state.value("name").or_else(|| state.value("title")).and_then(Value::as_str);
    title.unwrap_or(&state.id).to_owned()
}
