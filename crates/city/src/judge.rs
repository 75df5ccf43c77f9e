//! Refused by rule: what a branch may not write. The city stores such a change, and voids it by a ruling that says why.

use crate::db::DbError;
use crate::pen::Write;
use crate::presented::{Covered, Judged};
use crate::{log, seal};
use replica::{
    Change, FaultPlace, Kinds, Ruling, STREAM_KIND, STREAM_RECORD, StreamId, Verdicts, WriteHead, planted,
    ruling_path,
};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeSet;

/// A reason to void a change: a code for programs, words for its author, and the write at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: String,
    pub words: String,
    pub at: FaultPlace,
}

/// Changes of one stream that wait for a judgement.
pub struct Case<'a> {
    pub verdicts: &'a Verdicts,
    pub covered: &'a Covered,
    /// New, or not judged when they came.
    pub changes: Vec<&'a Change>,
    /// Held until now without their values, which were withheld from whoever brought them: the city voided them once.
    pub healed: &'a [Change],
}

/// The rulings over these changes, as writes to the stream's record. A change that refers to something that is not held, or
/// may have been judged before the city was set back, waits; a change of the city's own, one that folds as nothing, or one
/// that is voided already needs no ruling. What was voided once, and of whose ruling nobody knows, is judged again.
pub fn rulings(connection: &Connection, kinds: &Kinds, case: &Case<'_>) -> Result<Vec<Write>, DbError> {
    let Case { verdicts, covered, changes, healed } = case;
    let all = || changes.iter().copied().map(|it| (it, false)).chain(healed.iter().map(|it| (it, true)));
    let Some((first, _)) = all().next() else { return Ok(Vec::new()) };
    let bench = Bench::of(connection, &first.stream, verdicts)?;
    let mut writes = Vec::new();
    let open = |(change, _): &(&Change, bool)| {
        !verdicts.city.contains(&change.header.device) && !verdicts.voided.contains_key(&change.id)
    };
    for (change, healed) in all().filter(open) {
        let judged = if healed { bench.judged(change) } else { covered.judged(change) };
        if judged == Judged::Before {
            continue;
        }
        if judged == Judged::NotKnown || !holds_refs(connection, change)? {
            wait(connection, change)?;
            continue;
        }
        let fault = match fault(kinds, change) {
            Some(fault) => Some(fault),
            None => bench.fault(change)?,
        };
        if let Some(Fault { code, words, at }) = fault {
            let ruling = Ruling::Void { change: change.id, code, words, at: Some(at) };
            if planted!(RulingTwice) {
                let again = ruling_path(&change.id.to_string()[..31]);
                writes.push(Write::to_stream(again, ruling.to_value(), Vec::new()));
            }
            writes.push(Write::to_stream(path_over(change), ruling.to_value(), Vec::new()));
        }
    }
    Ok(writes)
}

/// Where the ruling over a change stands.
fn path_over(change: &Change) -> String {
    ruling_path(&change.id.to_string()[..32])
}

fn holds_refs(connection: &Connection, change: &Change) -> Result<bool, DbError> {
    for id in &change.header.refs {
        if !log::holds(connection, id)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn wait(connection: &Connection, change: &Change) -> Result<(), DbError> {
    connection.execute(
        "INSERT OR IGNORE INTO unjudged (id, stream) VALUES (?1, ?2)",
        (change.id.0.as_slice(), change.stream.0.as_slice()),
    )?;
    Ok(())
}

/// Takes the changes of a stream that waited.
pub fn take_waiting(connection: &Connection, stream: &StreamId) -> Result<Vec<Change>, DbError> {
    let mut statement = connection.prepare_cached(
        "SELECT c.header, c.signature, c.payload, c.lamport FROM unjudged u JOIN change c ON c.id = u.id
         WHERE u.stream = ?1 ORDER BY c.seq",
    )?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(log::read(row)?);
    }
    if !changes.is_empty() {
        connection.execute("DELETE FROM unjudged WHERE stream = ?1", [stream.0.as_slice()])?;
    }
    Ok(changes)
}

/// The first fault that a change shows by itself. Kinds and fields that this program does not know are a newer program's:
/// no fault.
pub fn fault(kinds: &Kinds, change: &Change) -> Option<Fault> {
    let values = change.values.as_ref()?;
    change.header.writes.iter().zip(values).find_map(|(write, value)| {
        let kind = kinds.get(&write.kind)?;
        let field = kind.field_for(&write.path);
        let label = field.map_or(write.path.as_str(), |field| field.label.as_str());
        let found = |code: &str, words: String| Some(Fault::of(write, code, words));
        if field.is_some_and(|field| field.writer.as_deref() == Some("city"))
            && !own_redaction(&write.kind, value)
        {
            return found("city_only", format!("“{label}”由市级平台填写"));
        }
        if field.is_some_and(|field| field.kept.as_deref() == Some("device")) {
            return found("device_only", format!("“{label}”只能保存在本机，不能上报"));
        }
        let bad = kind.check(&write.path, value).err()?;
        found(bad.code, format!("“{label}”的内容不合要求"))
    })
}

impl Fault {
    fn of(write: &WriteHead, code: &str, words: String) -> Fault {
        let at =
            FaultPlace { kind: write.kind.clone(), record: write.record.clone(), path: write.path.clone() };
        Fault { code: code.to_owned(), words, at }
    }
}

/// What can only be judged beside what the city holds of a stream.
struct Bench<'a> {
    connection: &'a Connection,
    verdicts: &'a Verdicts,
    /// The held changes that touch the stream's record.
    about: Vec<Change>,
    sealed: BTreeSet<String>,
}

impl Bench<'_> {
    fn of<'a>(
        connection: &'a Connection,
        stream: &StreamId,
        verdicts: &'a Verdicts,
    ) -> Result<Bench<'a>, DbError> {
        let about = log::touching(connection, stream, STREAM_KIND, STREAM_RECORD)?;
        let sealed = seal::sealed(&about, verdicts);
        Ok(Bench { connection, verdicts, about, sealed })
    }

    /// What was voided once is judged again if no ruling over it is held, lifted or not.
    fn judged(&self, change: &Change) -> Judged {
        let path = path_over(change);
        let mut writes = self.about.iter().flat_map(|known| &known.header.writes);
        if writes.any(|write| write.path == path) { Judged::Before } else { Judged::No }
    }

    fn fault(&self, change: &Change) -> Result<Option<Fault>, DbError> {
        let Some(values) = &change.values else { return Ok(None) };
        for (write, value) in change.header.writes.iter().zip(values) {
            if !self.sealed.is_empty() && self.sealed.contains(&seal::path(&write.kind, &write.record)) {
                let words = "记录已归档，不能再改；确需更正请联系市级平台".to_owned();
                return Ok(Some(Fault::of(write, "sealed", words)));
            }
            if write.kind == STREAM_KIND && self.is_anothers(change, write, value)? {
                let words = "这一项不归这台电脑处理".to_owned();
                return Ok(Some(Fault::of(write, "not_yours", words)));
            }
        }
        Ok(None)
    }

    /// The registration of another computer, or the redaction of what another wrote.
    fn is_anothers(&self, change: &Change, write: &WriteHead, value: &Value) -> Result<bool, DbError> {
        let author = change.header.device;
        if let Some(Ruling::Drop { change }) = Ruling::from_value(value) {
            let target = log::get(self.connection, &change)?;
            return Ok(target.is_some_and(|target| !self.verdicts.succeeds(author, target.header.device)));
        }
        let Some(device) = write.path.strip_prefix("~device/").and_then(|key| key.parse().ok()) else {
            return Ok(false);
        };
        // A successor is introduced once; a device may rename itself and those that it succeeds.
        let others = self.about.iter().filter(|known| known.id != change.id && known.header.device != author);
        let named = others.flat_map(|known| &known.header.writes).any(|known| known.path == write.path);
        Ok(named && !self.verdicts.succeeds(author, device))
    }
}

/// An author may redact their own words; whether they are is judged beside what is held.
fn own_redaction(kind: &str, value: &Value) -> bool {
    kind == STREAM_KIND && matches!(Ruling::from_value(value), Some(Ruling::Drop { .. }))
}
