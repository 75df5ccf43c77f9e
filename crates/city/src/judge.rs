//! Refused by rule: what a branch may not write. The city stores such a change, and voids it by a ruling that says why.

use crate::db::DbError;
use crate::log;
use crate::pen::Write;
use crate::presented::{Covered, Judged};
use replica::{Change, Kinds, Ruling, STREAM_KIND, Verdicts, planted, ruling_path};
use rusqlite::Connection;
use serde_json::Value;

/// A reason to void a change: a code for programs, and words for its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: String,
    pub words: String,
}

/// The rulings over these changes, as writes to the stream's record. A change that refers to something that is not
/// held, or may have been judged before the city was set back, waits; a change of the city's own, one that folds as nothing,
/// or one that is voided already needs no ruling.
pub fn rulings(
    connection: &Connection,
    kinds: &Kinds,
    verdicts: &Verdicts,
    covered: &Covered,
    changes: &[Change],
) -> Result<Vec<Write>, DbError> {
    let mut writes = Vec::new();
    let open = |change: &&Change| {
        !verdicts.city.contains(&change.header.device) && !verdicts.voided.contains_key(&change.id)
    };
    for change in changes.iter().filter(open) {
        let judged = covered.judged(change);
        if judged == Judged::Before {
            continue;
        }
        if judged == Judged::NotKnown || !holds_refs(connection, change)? {
            wait(connection, change)?;
        } else if let Some(Fault { code, words }) = fault(kinds, change) {
            let ruling = Ruling::Void { change: change.id, code, words };
            if planted!(RulingTwice) {
                let again = ruling_path(&change.id.to_string()[..31]);
                writes.push(Write::to_stream(again, ruling.to_value(), Vec::new()));
            }
            writes.push(Write::to_stream(
                ruling_path(&change.id.to_string()[..32]),
                ruling.to_value(),
                Vec::new(),
            ));
        }
    }
    Ok(writes)
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
pub fn take_waiting(connection: &Connection, stream: &replica::StreamId) -> Result<Vec<Change>, DbError> {
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

/// The first fault of a change. Kinds and fields that this program does not know are a newer program's: no fault.
pub fn fault(kinds: &Kinds, change: &Change) -> Option<Fault> {
    let values = change.values.as_ref()?;
    change.header.writes.iter().zip(values).find_map(|(write, value)| {
        let kind = kinds.get(&write.kind)?;
        let field = kind.field_for(&write.path);
        if field.is_some_and(|field| field.writer.as_deref() == Some("city"))
            && !own_redaction(&write.kind, value)
        {
            let words = format!("“{}”由市级平台填写", field.map_or("", |field| &field.label));
            return Some(Fault { code: "city_only".to_owned(), words });
        }
        let bad = kind.check(&write.path, value).err()?;
        let label = field.map_or(write.path.as_str(), |field| field.label.as_str());
        Some(Fault { code: bad.code.to_owned(), words: format!("“{label}”的内容不合要求") })
    })
}

/// An author may redact their own words; whether they are is the fold's to see.
fn own_redaction(kind: &str, value: &Value) -> bool {
    kind == STREAM_KIND && matches!(Ruling::from_value(value), Some(Ruling::Drop { .. }))
}
