//! Counts per branch, month and type of activity, kept with every accepted change so that a dashboard costs what it
//! shows. A meeting that people must still decide on counts as a conflict and as nothing else.

use crate::db::DbError;
use crate::fold::Due;
use replica::{RecordState, StreamId};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::collections::BTreeMap;

pub const CONFLICT: &str = "conflict";
const MEETING: &str = "meeting";

/// By month and type of activity.
pub type Counts = BTreeMap<(String, String), i64>;

/// Takes away what these records, as stored before they are folded again, count for.
pub fn before(
    connection: &Connection,
    stream: &StreamId,
    due: &[Due<'_>],
    counts: &mut Counts,
) -> Result<(), DbError> {
    for Due { kind, record, .. } in due.iter().filter(|due| due.kind == MEETING && !due.is_new) {
        if let Some(state) = stored(connection, stream, kind, record)? {
            add(counts, &state, -1);
        }
    }
    Ok(())
}

/// Adds what these records count for now, and writes the difference down.
pub fn after(
    connection: &Connection,
    stream: &StreamId,
    states: &[RecordState],
    mut counts: Counts,
) -> Result<(), DbError> {
    for state in states {
        add(&mut counts, state, 1);
    }
    for ((period, obligation), by) in counts.iter().filter(|(_, by)| **by != 0) {
        connection
            .prepare_cached(
                "INSERT INTO tally (stream, period, obligation, met) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET met = met + excluded.met",
            )?
            .execute((stream.0.as_slice(), period, obligation, by))?;
    }
    Ok(())
}

/// A record's state as it is stored.
pub fn stored(
    connection: &Connection,
    stream: &StreamId,
    kind: &str,
    record: &str,
) -> Result<Option<RecordState>, DbError> {
    let mut statement =
        connection.prepare_cached("SELECT state FROM record WHERE stream = ?1 AND kind = ?2 AND id = ?3")?;
    let text: Option<String> =
        statement.query_row((stream.0.as_slice(), kind, record), |row| row.get(0)).optional()?;
    text.map(|text| read(&text)).transpose()
}

/// Reads a stored state.
pub fn read(text: &str) -> Result<RecordState, DbError> {
    RecordState::from_bytes(text.as_bytes())
        .map_err(|e| DbError::Damaged { table: "record", what: e.to_string() })
}

/// The month and the types of a live meeting.
pub fn add(counts: &mut Counts, state: &RecordState, by: i64) {
    let month = state.value("time").and_then(|time| time["start"].as_str()).and_then(|start| start.get(..7));
    let (MEETING, true, Some(month)) = (state.kind.as_str(), state.is_live(), month) else { return };
    let mut count = |what: &str| *counts.entry((month.to_owned(), what.to_owned())).or_default() += by;
    if state.is_contested() {
        return count(CONFLICT);
    }
    let types = state.value("types").and_then(Value::as_array).into_iter().flatten();
    types.filter_map(Value::as_str).for_each(count);
}
