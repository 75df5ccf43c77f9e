//! 被退回: what the city refused by a ruling, for the computer that wrote it. The refused values stay in the log and have
//! no say; writing over them settles the matter, and so does giving them up, which is remembered here.

use std::collections::BTreeSet;

use replica::{
    Change, ChangeId, ChangeMeta, DeviceId, FaultPlace, RecordState, STREAM_KIND, Verdicts, WriteHead,
    fold_record,
};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::Touched;
use crate::aside;
use crate::error::{Fault, StoreError};
use crate::identity;
use crate::log::{self, StreamRow};
use crate::personal::Personal;
use crate::records::{self, Name};
use crate::ruling;
use crate::store::Store;
use crate::write::Write;

/// The reason for what this computer wrote after it was revoked: it waits for the city's review.
pub const QUARANTINED: &str = "quarantined";

struct Why {
    code: String,
    words: String,
    at: Option<FaultPlace>,
    ruled_at: Option<i64>,
}

/// What one refused change wrote to one record, as long as its author neither wrote over it nor gave it up.
#[derive(Clone, PartialEq)]
pub struct Returned {
    pub kind: String,
    pub id: String,
    pub meta: ChangeMeta,
    /// The city's reason: a code for programs, words for the author.
    pub code: String,
    pub words: String,
    /// The write at fault, which may be in another record of the same change.
    pub at: Option<FaultPlace>,
    /// When the city ruled, by its own clock.
    pub ruled_at: Option<i64>,
    /// Paths and refused values of this record.
    pub writes: Vec<(String, Value)>,
}

impl std::fmt::Debug for Returned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths: Vec<&str> = self.writes.iter().map(|(path, _)| path.as_str()).collect();
        f.debug_struct("Returned")
            .field("record", &(&self.kind, &self.id))
            .field("change", &self.meta.change)
            .field("code", &self.code)
            .field("words", &Personal(&self.words))
            .field("paths", &paths)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// What was returned to this computer and waits for its author, the latest first.
    pub fn returned(&self) -> Result<Vec<Returned>, StoreError> {
        self.look(|db| match log::own_stream(db)? {
            Some(stream) => returned(db, stream, None),
            None => Ok(Vec::new()),
        })
    }

    /// The same of one record.
    pub fn returned_of(&self, kind: &str, id: &str) -> Result<Vec<Returned>, StoreError> {
        self.look(|db| match log::own_stream(db)? {
            Some(stream) => returned(db, stream, Some((kind, id))),
            None => Ok(Vec::new()),
        })
    }

    /// A record as it would be if what was returned of it counted.
    pub fn as_if_accepted(&self, returned: &[Returned]) -> Result<Option<RecordState>, StoreError> {
        let Some(Returned { kind, id, .. }) = returned.first() else { return Ok(None) };
        self.look(|db| {
            let Some(stream) = log::own_stream(db)? else { return Ok(None) };
            let mut verdicts = ruling::of_stream(db, stream)?;
            returned.iter().for_each(|one| drop(verdicts.voided.remove(&one.meta.change)));
            verdicts.released.extend(returned.iter().map(|one| one.meta.change));
            let name = Name { stream: stream.seq, kind: kind.clone(), id: id.clone() };
            let mut changes = Vec::new();
            for seq in records::touching(db, &name)? {
                changes.push(log::change(db, seq)?);
            }
            let changes: Vec<&Change> = changes.iter().collect();
            Ok(Some(fold_record(kind, id, &changes, &verdicts)))
        })
    }

    /// Remembers that the author gave this up. It stays in the log, and `take_up` brings it back into sight.
    pub fn give_up(&self, returned: &[Returned]) -> Result<(), StoreError> {
        self.transact(|db| returned.iter().try_for_each(|one| note_given_up(db, one)))?;
        self.tell(&Touched::draft("sync", ""));
        Ok(())
    }

    /// Undoes `give_up` for a record.
    pub fn take_up(&self, kind: &str, id: &str) -> Result<(), StoreError> {
        self.drop_meta(&given_up_key(kind, id))?;
        self.tell(&Touched::draft("sync", ""));
        Ok(())
    }
}

impl Write<'_> {
    /// What this action writes is also over what was returned at the same paths. The rest of that is given up: the
    /// author saw all of it and wrote this instead.
    pub fn resend(&mut self, returned: &[Returned]) -> Result<(), StoreError> {
        for one in returned {
            for (path, _) in &one.writes {
                self.also_over(&one.kind, &one.id, path, one.meta.change);
            }
            self.beside(&one.kind, &one.id, |db| note_given_up(db, one))?;
        }
        Ok(())
    }
}

fn given_up_key(kind: &str, id: &str) -> String {
    format!("given_up/{kind}/{id}")
}

fn given_up(db: &Connection, kind: &str, id: &str) -> Result<BTreeSet<String>, Fault> {
    let key = given_up_key(kind, id);
    match aside::meta(db, &key)? {
        Some(text) => serde_json::from_str(&text)
            .map_err(|error| Fault::row("meta", key, "value", format!("byte {}", error.column()))),
        None => Ok(BTreeSet::new()),
    }
}

fn note_given_up(db: &Connection, one: &Returned) -> Result<(), Fault> {
    let mut ids = given_up(db, &one.kind, &one.id)?;
    ids.insert(one.meta.change.to_string());
    aside::set_meta(db, &given_up_key(&one.kind, &one.id), &json!(ids).to_string())
}

fn returned(db: &Connection, stream: StreamRow, only: Option<(&str, &str)>) -> Result<Vec<Returned>, Fault> {
    if !may_have_rulings(db, stream)? {
        return Ok(Vec::new());
    }
    let verdicts = ruling::of_stream(db, stream)?;
    let own = Own { devices: identity::all(db)?, verdicts: &verdicts };
    let mut found = Vec::new();
    for (id, why) in refusals(db, stream, &own)? {
        let Some(change) = log::change_by_id(db, &id)? else { continue };
        if change.values.is_none() || !own.wrote(&change) {
            continue;
        }
        for (kind, record) in touched(&change) {
            if kind == STREAM_KIND || only.is_some_and(|only| only != (kind, record)) {
                continue;
            }
            let writes = unsettled(db, stream, &change, kind, record)?;
            if !writes.is_empty() {
                found.push(Returned {
                    kind: kind.to_owned(),
                    id: record.to_owned(),
                    meta: ChangeMeta::of(&change),
                    code: why.code.clone(),
                    words: why.words.clone(),
                    at: why.at.clone(),
                    ruled_at: why.ruled_at,
                    writes,
                });
            }
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse((one.meta.lamport, one.meta.change)));
    Ok(found)
}

/// Changes that were refused by a ruling, and own ones that came after this computer was revoked: with the reason.
fn refusals(db: &Connection, stream: StreamRow, own: &Own) -> Result<Vec<(ChangeId, Why)>, Fault> {
    let mut found = Vec::new();
    for (id, voided) in &own.verdicts.voided {
        let ruled_at = log::change_by_id(db, &voided.by)?.map(|ruling| ruling.header.at);
        let (code, words, at) = (voided.code.clone(), voided.words.clone(), voided.at.clone());
        found.push((*id, Why { code, words, at, ruled_at }));
    }
    for device in own.devices.iter().filter(|device| own.verdicts.revoked.contains_key(device)) {
        for id in log::ids_of_device(db, stream.seq, device)? {
            let kept = own.verdicts.revoked[device].contains(&id) || own.verdicts.released.contains(&id);
            if !kept && !own.verdicts.voided.contains_key(&id) {
                let (code, words) = (QUARANTINED.to_owned(), String::new());
                found.push((id, Why { code, words, at: None, ruled_at: None }));
            }
        }
    }
    Ok(found)
}

/// Most branches never see a ruling: their lists must not pay for drawing verdicts.
fn may_have_rulings(db: &Connection, stream: StreamRow) -> Result<bool, Fault> {
    let state = records::state(db, &ruling::stream_record(stream))?;
    Ok(state.is_some_and(|state| state.fields.keys().any(|path| path.starts_with("~ruling/"))))
}

/// Who is at this computer: its identities, and those that they succeed.
struct Own<'a> {
    devices: Vec<DeviceId>,
    verdicts: &'a Verdicts,
}

impl Own<'_> {
    fn wrote(&self, change: &Change) -> bool {
        let author = change.header.device;
        self.devices.iter().any(|device| *device == author || self.verdicts.succeeds(*device, author))
    }
}

fn touched(change: &Change) -> Vec<(&str, &str)> {
    let mut touched: Vec<(&str, &str)> =
        change.header.writes.iter().map(|write| (write.kind.as_str(), write.record.as_str())).collect();
    touched.sort_unstable();
    touched.dedup();
    touched
}

/// The writes of a change to a record that no other write is over, unless its author gave them up.
fn unsettled(
    db: &Connection,
    stream: StreamRow,
    change: &Change,
    kind: &str,
    record: &str,
) -> Result<Vec<(String, Value)>, Fault> {
    if given_up(db, kind, record)?.contains(&change.id.to_string()) {
        return Ok(Vec::new());
    }
    let of_record = |write: &&WriteHead| write.kind == kind && write.record == record;
    let name = Name { stream: stream.seq, kind: kind.to_owned(), id: record.to_owned() };
    let mut over = BTreeSet::new();
    for seq in records::touching(db, &name)? {
        let header = log::change(db, seq)?.header;
        let writes = header.writes.iter().filter(of_record);
        let later = writes.filter(|write| header.over(write).any(|id| id == change.id));
        over.extend(later.map(|write| write.path.clone()));
    }
    let values = change.values.as_deref().unwrap_or_default();
    let writes = change.header.writes.iter().zip(values).filter(|(write, _)| of_record(write));
    let open = writes.filter(|(write, _)| !over.contains(&write.path));
    Ok(open.map(|(write, value)| (write.path.clone(), value.clone())).collect())
}
