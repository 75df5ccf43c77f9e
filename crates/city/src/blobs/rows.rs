//! The tables of attachments: which changes name one, how much of it is here, and whose names were erased.

use crate::city::City;
use crate::db::DbError;
use crate::{fold, log, tally};
use replica::{BlobHash, Change, ChangeId, DeviceId, Standing, StreamId, Verdicts, blobs_in};
use rusqlite::{Connection, OptionalExtension};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// How much of an attachment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub len: u64,
    pub have: u64,
    /// The length of its file, as far as it counts.
    pub stored: u64,
}

impl Row {
    pub fn is_whole(&self) -> bool {
        self.have == self.len
    }
}

/// Notes what a change that was just appended names.
pub fn note(connection: &Connection, seq: i64, change: &Change) -> Result<(), DbError> {
    for named in change.values.iter().flatten().flat_map(blobs_in) {
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO blob_name (stream, blob, seq, len) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((change.stream.0.as_slice(), named.hash.0.as_slice(), seq, signed(named.len)))?;
    }
    Ok(())
}

/// What one device may see named in one stream: what counts, and what it wrote itself. What the city refused, and what
/// waits in quarantine, is named for its author only.
pub struct Sight<'a> {
    city: &'a City,
    connection: &'a Connection,
    stream: StreamId,
    asker: DeviceId,
    verdicts: OnceCell<Verdicts>,
}

const NAMED: &str = "SELECT n.blob, n.len, c.id, c.device FROM blob_name n JOIN change c ON c.seq = n.seq";

impl<'a> Sight<'a> {
    pub fn new(city: &'a City, connection: &'a Connection, stream: StreamId, asker: DeviceId) -> Sight<'a> {
        Sight { city, connection, stream, asker, verdicts: OnceCell::new() }
    }

    /// The lengths that names of it say; empty if nothing names it.
    pub fn lengths(&self, hash: &BlobHash) -> Result<Vec<u64>, DbError> {
        self.lengths_of(hash, |row| self.sees(row))
    }

    /// The same of what the asker itself wrote.
    pub fn own_lengths(&self, hash: &BlobHash) -> Result<Vec<u64>, DbError> {
        self.lengths_of(hash, |row| self.is_own(row))
    }

    fn lengths_of(
        &self,
        hash: &BlobHash,
        sees: impl Fn(&rusqlite::Row<'_>) -> Result<bool, DbError>,
    ) -> Result<Vec<u64>, DbError> {
        let statement = format!("{NAMED} WHERE n.stream = ?1 AND n.blob = ?2");
        let mut statement = self.connection.prepare_cached(&statement)?;
        let mut rows = statement.query((self.stream.0.as_slice(), hash.0.as_slice()))?;
        let mut lengths = Vec::new();
        while let Some(row) = rows.next()? {
            if sees(row)? {
                lengths.push(row.get::<_, i64>(1)?.unsigned_abs());
            }
        }
        Ok(lengths)
    }

    /// Everything that is named, with the lengths that the names say.
    pub fn all(&self) -> Result<BTreeMap<BlobHash, Vec<u64>>, DbError> {
        let mut statement = self.connection.prepare_cached(&format!("{NAMED} WHERE n.stream = ?1"))?;
        let mut rows = statement.query([self.stream.0.as_slice()])?;
        let mut all: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            if self.sees(row)? {
                let hash = BlobHash(log::bytes32(row.get(0)?, "blob_name")?);
                all.entry(hash).or_default().push(row.get::<_, i64>(1)?.unsigned_abs());
            }
        }
        Ok(all)
    }

    fn is_own(&self, row: &rusqlite::Row<'_>) -> Result<bool, DbError> {
        Ok(self.asker == DeviceId(log::bytes32(row.get(3)?, "change")?))
    }

    fn sees(&self, row: &rusqlite::Row<'_>) -> Result<bool, DbError> {
        if self.is_own(row)? {
            return Ok(true);
        }
        let id = ChangeId(log::bytes32(row.get(2)?, "change")?);
        let Some(change) = log::get(self.connection, &id)? else { return Ok(false) };
        Ok(match self.verdicts()?.standing(&change) {
            Standing::Counts | Standing::Unreadable => true,
            Standing::Voided(_) | Standing::Quarantined | Standing::NotEnrolled => false,
        })
    }

    fn verdicts(&self) -> Result<&Verdicts, DbError> {
        if let Some(known) = self.verdicts.get() {
            return Ok(known);
        }
        let drawn = match fold::founder(self.connection, &self.stream)? {
            Some(founder) => fold::verdicts(self.connection, &self.city.root, &self.stream, founder, None)?,
            None => Verdicts::default(),
        };
        Ok(self.verdicts.get_or_init(|| drawn))
    }
}

/// What the records of a stream show as they are now.
pub fn shown(connection: &Connection, stream: &StreamId) -> Result<BTreeSet<BlobHash>, DbError> {
    let mut statement = connection
        .prepare_cached("SELECT state FROM record WHERE stream = ?1 AND instr(state, '\"blob\"')")?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut shown = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let state = tally::read(&row.get::<_, String>(0)?)?;
        shown.extend(state.blobs().into_iter().map(|named| named.hash));
    }
    Ok(shown)
}

/// What changes of this device name, in any stream.
pub fn named_by(connection: &Connection, device: &DeviceId) -> Result<BTreeSet<BlobHash>, DbError> {
    let statement =
        "SELECT DISTINCT n.blob FROM blob_name n JOIN change c ON c.seq = n.seq WHERE c.device = ?1";
    Ok(hashes(connection, statement, [device.0.as_slice()])?.into_iter().collect())
}

/// Says whether any stream names it.
pub fn is_named(connection: &Connection, hash: &BlobHash) -> Result<bool, DbError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM blob_name WHERE blob = ?1")?;
    Ok(statement.exists([hash.0.as_slice()])?)
}

/// What is noted of a stream: which change names what, and how long it says that it is.
pub fn names(
    connection: &Connection,
    stream: &StreamId,
) -> Result<BTreeSet<(ChangeId, BlobHash, u64)>, DbError> {
    let mut statement = connection.prepare(
        "SELECT c.id, n.blob, n.len FROM blob_name n JOIN change c ON c.seq = n.seq WHERE n.stream = ?1",
    )?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut names = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let change = ChangeId(log::bytes32(row.get(0)?, "change")?);
        let hash = BlobHash(log::bytes32(row.get(1)?, "blob_name")?);
        names.insert((change, hash, row.get::<_, i64>(2)?.unsigned_abs()));
    }
    Ok(names)
}

/// Bytes of the attachments of a stream, begun ones counted whole.
pub fn bytes_of(connection: &Connection, stream: &StreamId) -> Result<u64, DbError> {
    let statement = "SELECT coalesce(sum(len), 0) FROM blob
                     WHERE hash IN (SELECT blob FROM blob_name WHERE stream = ?1)";
    let sum: i64 = connection.query_row(statement, [stream.0.as_slice()], |row| row.get(0))?;
    Ok(sum.unsigned_abs())
}

pub fn row(connection: &Connection, hash: &BlobHash) -> Result<Option<Row>, DbError> {
    let mut statement = connection.prepare_cached("SELECT len, have, stored FROM blob WHERE hash = ?1")?;
    let read = |row: &rusqlite::Row<'_>| {
        let number = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        Ok(Row { len: number(0)?, have: number(1)?, stored: number(2)? })
    };
    Ok(statement.query_row([hash.0.as_slice()], read).optional()?)
}

/// Every attachment of which something is here.
pub fn all(connection: &Connection) -> Result<Vec<BlobHash>, DbError> {
    hashes(connection, "SELECT hash FROM blob ORDER BY hash", [])
}

/// Attachments that lost a name.
pub fn unnamed(connection: &Connection) -> Result<Vec<BlobHash>, DbError> {
    hashes(connection, "SELECT blob FROM blob_unnamed", [])
}

/// Attachments that changes name and that are not whole here.
pub fn missing(connection: &Connection) -> Result<Vec<BlobHash>, DbError> {
    let statement = "SELECT DISTINCT blob FROM blob_name
                     WHERE NOT EXISTS (SELECT 1 FROM blob WHERE hash = blob_name.blob AND have = len)";
    hashes(connection, statement, [])
}

/// The organisations whose streams name it.
pub fn naming(connection: &Connection, hash: &BlobHash) -> Result<Vec<String>, DbError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT o.name FROM blob_name n JOIN organisation o ON o.stream = n.stream
         WHERE n.blob = ?1 ORDER BY o.position",
    )?;
    let rows = statement.query_map([hash.0.as_slice()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn hashes(
    connection: &Connection,
    statement: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<BlobHash>, DbError> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(values)?;
    let mut hashes = Vec::new();
    while let Some(row) = rows.next()? {
        hashes.push(BlobHash(log::bytes32(row.get(0)?, "blob")?));
    }
    Ok(hashes)
}

pub fn put(connection: &Connection, hash: &BlobHash, row: Row) -> Result<(), DbError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO blob (hash, len, have, stored) VALUES (?1, ?2, ?3, ?4)")?
        .execute((hash.0.as_slice(), signed(row.len), signed(row.have), signed(row.stored)))?;
    Ok(())
}

pub fn remove(connection: &Connection, hash: &BlobHash) -> Result<(), DbError> {
    connection.prepare_cached("DELETE FROM blob WHERE hash = ?1")?.execute([hash.0.as_slice()])?;
    Ok(())
}

pub fn is_sorted_out(connection: &Connection, hash: &BlobHash) -> Result<(), DbError> {
    connection.prepare_cached("DELETE FROM blob_unnamed WHERE blob = ?1")?.execute([hash.0.as_slice()])?;
    Ok(())
}

/// Lengths are at most `MAX_BLOB`, and files little longer.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
