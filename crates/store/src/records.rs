//! The tables of current records: the fold, what lists are made of, and the index from records to changes.

use replica::{BlobRef, DeviceId, Excerpt, RecordState, StreamId};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use crate::blobs;
use crate::error::Fault;
use crate::index::{self, When};
use crate::project::Projection;
use crate::touched::RecordKey;

/// Names a record by the row of its stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub stream: i64,
    pub kind: String,
    pub id: String,
}

/// One record. The index is named because SQLite would else compile the statement again for other values, to see whether
/// a partial index helps with them.
const BY_NAME: &str = "record INDEXED BY record_name WHERE stream = ?1 AND kind = ?2 AND id = ?3";

pub(crate) fn seq(db: &Connection, name: &Name) -> Result<Option<i64>, Fault> {
    let sql = format!("SELECT seq FROM {BY_NAME}");
    let mut statement = db.prepare_cached(&sql)?;
    Ok(statement.query_row(params![name.stream, name.kind, name.id], |row| row.get(0)).optional()?)
}

/// The stored fold of a record.
pub(crate) fn state(db: &Connection, name: &Name) -> Result<Option<RecordState>, Fault> {
    let sql = format!("SELECT (SELECT state FROM fold WHERE fold.record = record.seq) FROM {BY_NAME}");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params![name.stream, name.kind, name.id])?;
    rows.next()?.map(|row| read_state(&name.id, row.get_ref(0)?)).transpose()
}

/// Reads a stored fold; the error says where, never what.
pub(crate) fn read_state(id: &str, stored: ValueRef) -> Result<RecordState, Fault> {
    read_fold(id, stored, RecordState::from_bytes)
}

/// The wanted fields of a stored fold, by path.
pub(crate) fn read_excerpt(
    id: &str,
    stored: ValueRef,
    wants: &dyn Fn(&str) -> bool,
) -> Result<Excerpt, Fault> {
    read_fold(id, stored, |bytes| Excerpt::from_bytes(bytes, wants))
}

fn read_fold<T>(
    id: &str,
    stored: ValueRef,
    read: impl FnOnce(&[u8]) -> Result<T, serde_json::Error>,
) -> Result<T, Fault> {
    let bytes = stored.as_blob().map_err(|_| Fault::row("fold", id, "state", "not bytes"))?;
    read(bytes).map_err(|error| Fault::row("fold", id, "state", format!("byte {}", error.column())))
}

pub(crate) fn highest(db: &Connection) -> Result<i64, Fault> {
    let mut statement = db.prepare_cached("SELECT coalesce(max(seq), 0) FROM record")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

pub(crate) fn touch(db: &Connection, record: i64, change: i64) -> Result<(), Fault> {
    db.prepare_cached("INSERT OR IGNORE INTO touch (record, change) VALUES (?1, ?2)")?
        .execute([record, change])?;
    Ok(())
}

/// The changes that a record is folded from.
pub(crate) fn changes_of(db: &Connection, record: i64) -> Result<Vec<i64>, Fault> {
    let mut statement = db.prepare_cached("SELECT change FROM touch WHERE record = ?1 ORDER BY change")?;
    Ok(statement.query_map([record], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(crate) fn touching(db: &Connection, name: &Name) -> Result<Vec<i64>, Fault> {
    match seq(db, name)? {
        Some(record) => changes_of(db, record),
        None => Ok(Vec::new()),
    }
}

pub(crate) fn touched_by_change(db: &Connection, change: i64) -> Result<Vec<(i64, Name)>, Fault> {
    let sql = "SELECT record.seq, record.stream, record.kind, record.id
               FROM touch JOIN record ON record.seq = touch.record WHERE touch.change = ?1";
    named(db, sql, params![change])
}

pub(crate) fn touched_by_device(
    db: &Connection,
    stream: i64,
    device: &DeviceId,
) -> Result<Vec<(i64, Name)>, Fault> {
    let sql = "SELECT DISTINCT record.seq, record.stream, record.kind, record.id FROM change
               JOIN touch ON touch.change = change.seq JOIN record ON record.seq = touch.record
               WHERE change.stream = ?1 AND change.device = ?2";
    named(db, sql, params![stream, device.as_bytes()])
}

fn named(db: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<Vec<(i64, Name)>, Fault> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(values, |row| {
        Ok((row.get(0)?, Name { stream: row.get(1)?, kind: row.get(2)?, id: row.get(3)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A record as it comes out of the fold.
pub(crate) struct Folded {
    pub seq: i64,
    pub stream: StreamId,
    pub name: Name,
    /// It had no row before.
    pub fresh: bool,
    /// Of one that had a row, to be held against it.
    pub state: Option<RecordState>,
    /// The state as it is stored.
    pub bytes: Vec<u8>,
    pub row: Projection,
    pub word_hash: Option<Vec<u8>>,
    pub blobs: Vec<BlobRef>,
}

impl Folded {
    pub(crate) fn key(&self) -> RecordKey {
        RecordKey { stream: self.stream, kind: self.name.kind.clone(), id: self.name.id.clone() }
    }
}

/// Saves the fold of a record, its list columns, facets and search words.
pub(crate) fn save(db: &Connection, folded: &Folded, words: When) -> Result<(), Fault> {
    let Folded { seq, fresh, bytes, row, word_hash, blobs, .. } = folded;
    let known: Option<Vec<u8>> = if *fresh { None } else { known_words(db, *seq)? };
    db.prepare_cached("INSERT OR REPLACE INTO fold (record, state) VALUES (?1, ?2)")?
        .execute(params![seq, bytes])?;
    write_row(db, folded)?;
    if !fresh {
        db.prepare_cached("DELETE FROM facet WHERE record = ?1")?.execute([seq])?;
    }
    blobs::note_record(db, *seq, blobs, *fresh)?;
    for (path, value) in &row.facets {
        db.prepare_cached("INSERT OR IGNORE INTO facet (record, path, value) VALUES (?1, ?2, ?3)")?
            .execute(params![seq, path, value])?;
    }
    match words {
        _ if *word_hash == known => Ok(()),
        When::Later => index::note(db, *seq),
        When::Now => index::write(db, *seq, &row.words, known.is_some()),
    }
}

fn known_words(db: &Connection, seq: i64) -> Result<Option<Vec<u8>>, Fault> {
    let mut statement = db.prepare_cached("SELECT word_hash FROM record WHERE seq = ?1")?;
    Ok(statement.query_row([seq], |row| row.get(0)).optional()?.flatten())
}

fn write_row(db: &Connection, folded: &Folded) -> Result<(), Fault> {
    let Folded { seq, name, row, word_hash, .. } = folded;
    let sql = "INSERT INTO record (seq, stream, kind, id, life, closing, title, title_key, date, date_end,
                 list, conflicts, late, born_at, last_at, word_hash)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
               ON CONFLICT (seq) DO UPDATE SET life = excluded.life,
                 closing = excluded.closing, title = excluded.title, title_key = excluded.title_key,
                 date = excluded.date, date_end = excluded.date_end, list = excluded.list,
                 conflicts = excluded.conflicts, late = excluded.late, born_at = excluded.born_at,
                 last_at = excluded.last_at, word_hash = excluded.word_hash";
    db.prepare_cached(sql)?.execute(params![
        seq,
        name.stream,
        name.kind,
        name.id,
        row.life.code(),
        row.closing.code(),
        row.title,
        row.title_key,
        row.date,
        row.date_end,
        row.list,
        row.conflicts,
        row.late,
        row.born_at,
        row.last_at,
        word_hash,
    ])?;
    Ok(())
}

/// Forgets everything that is computed from the log.
pub(crate) fn forget_all(db: &Connection) -> Result<(), Fault> {
    db.execute_batch(
        "DELETE FROM touch; DELETE FROM facet; DELETE FROM blob_name; DELETE FROM record_blob; DELETE FROM fold; DELETE FROM record; DELETE FROM unindexed; INSERT INTO words (words) VALUES ('delete-all');",
    )?;
    Ok(())
}
