//! The files that came: a history, their answers, and those that wait whole for what came before them.

use super::read::{addressed, brought};
use super::{AnswerFile, FileReport};
use crate::accept;
use crate::audit;
use crate::city::City;
use crate::db::DbError;
use crate::exchange::verify;
use crate::http::Refuse;
use crate::log;
use replica::ChangeId;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wire::RequestHead;

/// Files of which the answer is kept. One that waits stays longer.
const MOST: i64 = 50;
/// Bytes of answers that are kept, the latest in any case. Of older files only the line in the history stays.
const MOST_ANSWERS: i64 = 256 * 1024 * 1024;
/// Bytes of files that wait.
const MOST_WAITING: i64 = 512 * 1024 * 1024;

/// A file that waits, and the changes for which it does.
pub struct Waits<'a> {
    pub file: &'a [u8],
    pub missing: BTreeSet<ChangeId>,
}

/// Notes what a file did and keeps what goes back. Gives the number under which that is found again.
pub fn put(
    t: &Connection,
    asks: &RequestHead,
    report: &FileReport,
    answer: &AnswerFile,
    waits: Option<&Waits<'_>>,
    now: i64,
) -> Result<i64, DbError> {
    let what = format!("{} {}", report.organisation, report.device);
    audit::note(t, now, "operator", "usb file imported", &what)?;
    let report = serde_json::to_string(report).expect("a report has text keys only");
    let statement =
        "INSERT OR REPLACE INTO usb_file (device, nonce, at, report, name, missing, answer, waits)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (device, nonce) = (asks.device.0.as_slice(), asks.nonce.as_slice());
    let file = waits.map(|waits| waits.file);
    let missing: Vec<u8> = waits.iter().flat_map(|waits| &waits.missing).flat_map(|id| id.0).collect();
    t.execute(statement, (device, nonce, now, report, &answer.name, missing, &answer.bytes, file))?;
    let id = t.last_insert_rowid();
    let statement = "DELETE FROM usb_file WHERE waits IS NULL
                     AND seq NOT IN (SELECT seq FROM usb_file ORDER BY seq DESC LIMIT ?1)";
    t.execute(statement, [MOST])?;
    let statement = "UPDATE usb_file SET answer = x'' WHERE answer <> x'' AND seq IN
                     (SELECT seq FROM (SELECT seq, sum(length(answer)) OVER (ORDER BY seq DESC) AS bytes FROM usb_file)
                      WHERE bytes > ?1) AND seq <> ?2";
    t.execute(statement, [MOST_ANSWERS, id])?;
    Ok(id)
}

/// Says whether a file of this size can wait here. If not, the laptop brings its changes again after the next receipt.
pub fn has_room(t: &Connection, bytes: usize) -> Result<bool, DbError> {
    let statement = "SELECT coalesce(sum(length(waits)), 0) FROM usb_file WHERE waits IS NOT NULL";
    let waiting: i64 = t.query_row(statement, [], |row| row.get(0))?;
    Ok(waiting.saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX)) <= MOST_WAITING)
}

/// What of these changes links to nothing that is held or among them.
pub fn missing(
    t: &Connection,
    unlinked: &BTreeMap<ChangeId, Option<ChangeId>>,
) -> Result<BTreeSet<ChangeId>, DbError> {
    let mut missing = BTreeSet::new();
    for prev in unlinked.values().flatten().filter(|prev| !unlinked.contains_key(prev)) {
        if !log::holds(t, prev)? {
            missing.insert(*prev);
        }
    }
    Ok(missing)
}

/// Takes in the files that waited for something that is here now. Gives how many are linked. One that cannot be read
/// any more is left as it is: it must not stand in the way of others.
pub fn link_kept(city: &City, t: &Connection, now: i64) -> Result<usize, Refuse> {
    let mut linked = 0;
    while let Some((seq, bytes)) = ready(t)? {
        // Its attachments come again: the laptop hears from the next answer which ones are not here.
        let brought = addressed(city, t, &bytes).and_then(|addressed| brought(&addressed));
        let brought = brought.map(|brought| verify(brought.request.changes).0);
        let changes = brought.unwrap_or_default();
        let prevs: BTreeMap<_, _> = changes.iter().map(|change| (change.id, change.header.prev)).collect();
        let taken = accept::take_in(city, t, changes, &[], now)?;
        let unlinked = taken.unlinked.iter().map(|id| (*id, prevs.get(id).copied().flatten())).collect();
        let missing: Vec<u8> = missing(t, &unlinked)?.iter().flat_map(|id| id.0).collect();
        let linked_now = taken.unlinked.is_empty();
        let statement =
            "UPDATE usb_file SET missing = ?2, waits = CASE WHEN ?3 THEN NULL ELSE waits END WHERE seq = ?1";
        t.execute(statement, (seq, missing, linked_now))?;
        linked += usize::from(linked_now);
    }
    Ok(linked)
}

/// A file of which something that it waited for is here.
fn ready(t: &Connection) -> Result<Option<(i64, Vec<u8>)>, DbError> {
    let mut statement =
        t.prepare_cached("SELECT seq, missing FROM usb_file WHERE waits IS NOT NULL ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let missing: Vec<u8> = row.get(1)?;
        for id in missing.chunks_exact(32) {
            if log::holds(t, &ChangeId(log::bytes32(id.to_vec(), "usb_file")?))? {
                let seq = row.get(0)?;
                let statement = "SELECT waits FROM usb_file WHERE seq = ?1";
                return Ok(Some((seq, t.query_row(statement, [seq], |row| row.get(0))?)));
            }
        }
    }
    Ok(None)
}

/// The latest files, the last first.
pub fn history(connection: &Connection) -> Result<Vec<Value>, DbError> {
    let mut statement = connection.prepare(
        "SELECT seq, at, report, name, length(answer), waits IS NOT NULL FROM usb_file ORDER BY seq DESC LIMIT 50",
    )?;
    let mut rows = statement.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let report: String = row.get(2)?;
        let damaged = |_| DbError::Damaged { table: "usb_file", what: "report".to_owned() };
        let report: Value = serde_json::from_str(&report).map_err(damaged)?;
        lines.push(json!({
            "id": row.get::<_, i64>(0)?, "at": row.get::<_, i64>(1)?, "report": report,
            "name": row.get::<_, String>(3)?, "bytes": row.get::<_, i64>(4)?, "waits": row.get::<_, bool>(5)?,
        }));
    }
    Ok(lines)
}

/// The file that goes back for one that came, if it is still kept.
pub fn answer_of(connection: &Connection, id: i64) -> Result<Option<AnswerFile>, DbError> {
    let statement = "SELECT name, answer FROM usb_file WHERE seq = ?1 AND answer <> x''";
    let file = |row: &rusqlite::Row<'_>| Ok(AnswerFile { name: row.get(0)?, bytes: row.get(1)? });
    Ok(connection.query_row(statement, [id], file).optional()?)
}
