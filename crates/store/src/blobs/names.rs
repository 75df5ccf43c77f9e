//! The tables of `branch.db` that say which files are named: by the changes of the log, by the records as they are
//! folded now, and in what stays on this computer. Written in the same transaction as the log and the fold.

use std::collections::BTreeSet;

use replica::{BlobHash, BlobRef, Change, StreamId, blobs_in};
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::error::Fault;
use crate::project::texts;

/// A file that a stream names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedBlob {
    pub stream: StreamId,
    pub hash: BlobHash,
    pub len: u64,
}

/// Notes what a change names.
pub(crate) fn note_change(db: &Connection, seq: i64, change: &Change) -> Result<(), Fault> {
    for named in change.values.iter().flatten().flat_map(blobs_in) {
        db.prepare_cached("INSERT OR IGNORE INTO blob_name (change, blob, len) VALUES (?1, ?2, ?3)")?
            .execute(params![seq, named.hash.as_bytes(), length(&named)])?;
    }
    Ok(())
}

/// Forgets what a change names, with its payload.
pub(crate) fn forget_change(db: &Connection, seq: i64) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM blob_name WHERE change = ?1")?.execute([seq])?;
    Ok(())
}

/// Notes what a record shows.
pub(crate) fn note_record(db: &Connection, record: i64, shown: &[BlobRef], fresh: bool) -> Result<(), Fault> {
    if !fresh {
        db.prepare_cached("DELETE FROM record_blob WHERE record = ?1")?.execute([record])?;
    }
    for named in shown {
        db.prepare_cached("INSERT OR IGNORE INTO record_blob (record, blob, len) VALUES (?1, ?2, ?3)")?
            .execute(params![record, named.hash.as_bytes(), length(named)])?;
    }
    Ok(())
}

/// What the records of all streams show, small files first, then in the order of their records. A file that records
/// of several streams show comes once for each.
pub(super) fn shown(db: &Connection) -> Result<Vec<(NamedBlob, bool)>, Fault> {
    let sql =
        "SELECT stream.id, record_blob.blob, record_blob.len, city_blob.blob IS NOT NULL, min(record.seq)
               FROM record_blob JOIN record ON record.seq = record_blob.record
               JOIN stream ON stream.seq = record.stream
               LEFT JOIN city_blob ON city_blob.blob = record_blob.blob
               GROUP BY stream.id, record_blob.blob
               ORDER BY record_blob.len > ?1, 5, record_blob.blob";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([super::SMALL as i64], |row| {
        let named = NamedBlob {
            stream: StreamId(row.get(0)?),
            hash: BlobHash(row.get(1)?),
            len: row.get::<_, i64>(2)?.unsigned_abs(),
        };
        Ok((named, row.get(3)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn is_at_city(db: &Connection, hash: &BlobHash) -> Result<bool, Fault> {
    Ok(db.prepare_cached("SELECT 1 FROM city_blob WHERE blob = ?1")?.exists([hash.as_bytes()])?)
}

pub(super) fn note_city(db: &Connection, hash: &BlobHash, held: bool) -> Result<bool, Fault> {
    let sql = match held {
        true => "INSERT OR IGNORE INTO city_blob (blob) VALUES (?1)",
        false => "DELETE FROM city_blob WHERE blob = ?1",
    };
    Ok(db.prepare_cached(sql)?.execute([hash.as_bytes()])? > 0)
}

/// Nothing is known any more of what the city holds: it was set back.
pub(crate) fn forget_city(db: &Connection) -> Result<(), Fault> {
    db.execute("DELETE FROM city_blob", [])?;
    Ok(())
}

/// Every file that anything on this computer names: the log, changes that wait, drafts, fields that stay here.
pub(super) fn kept(db: &Connection) -> Result<BTreeSet<BlobHash>, Fault> {
    let mut kept = BTreeSet::new();
    let mut statement =
        db.prepare_cached("SELECT DISTINCT blob FROM blob_name UNION SELECT blob FROM record_blob")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        kept.insert(BlobHash(row.get(0)?));
    }
    for sql in [
        "SELECT content FROM draft",
        "SELECT value FROM device_field",
        "SELECT CAST(payload AS TEXT) FROM waiting WHERE payload IS NOT NULL",
    ] {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            kept.extend(mentioned(row.get_ref(0)?.as_bytes().unwrap_or_default()));
        }
    }
    Ok(kept)
}

/// A draft has a shape of its own: whatever looks like the name of a file is one.
fn mentioned(json: &[u8]) -> Vec<BlobHash> {
    let value: Value = serde_json::from_slice(json).unwrap_or_default();
    texts(&value).into_iter().filter_map(|text| text.parse().ok()).collect()
}

fn length(named: &BlobRef) -> i64 {
    i64::try_from(named.len).unwrap_or(i64::MAX)
}
