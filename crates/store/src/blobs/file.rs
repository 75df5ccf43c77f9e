//! The second encrypted file: `blobs.db`, made when the first file is kept. Its tables, one function per statement.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use replica::BlobHash;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::db::Place;
use crate::error::{Fault, StoreError};
use crate::keys::FileKey;

const MIGRATIONS: &[&str] = &[include_str!("1.sql")];
/// Bytes of one row.
const CHUNK: usize = 64 * 1024;

/// The file and its one connection, opened when it is first needed.
pub(crate) struct BlobFile {
    place: Place,
    db: Mutex<Option<Connection>>,
}

/// What is here of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    seq: i64,
    pub len: u64,
    pub have: u64,
}

impl Row {
    pub(super) fn is_whole(&self) -> bool {
        self.have == self.len
    }
}

impl BlobFile {
    pub(crate) fn at(place: Place) -> Self {
        Self { place, db: Mutex::new(None) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.place.file
    }

    /// Runs one transaction, which commits if `body` returns a value.
    pub(super) fn transact<T>(
        &self,
        key: &FileKey,
        body: impl FnOnce(&Transaction) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.with(key, |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let made = body(&transaction)?;
            transaction.commit()?;
            Ok(made)
        })
    }

    /// Reads. While the file was never made, nothing is there, and it is not made for this.
    pub(super) fn look<T: Default>(
        &self,
        key: &FileKey,
        body: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        match self.place.file.exists() {
            true => self.with(key, |db| body(db)),
            false => Ok(T::default()),
        }
    }

    fn with<T>(
        &self,
        key: &FileKey,
        body: impl FnOnce(&mut Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        // A panic of another thread left no half-done state: its transaction was rolled back.
        let mut open = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        let db = match open.as_mut() {
            Some(db) => db,
            None => open.insert(self.place.open_beside(key, MIGRATIONS)?),
        };
        let done = body(db).map_err(|fault| fault.at(&self.place.file));
        if matches!(done, Err(StoreError::Damaged { .. })) {
            // SQLCipher refuses everything on a connection that has met a damaged page.
            *open = None;
        }
        done
    }

    /// Closes the file, so that it can be moved.
    pub(super) fn close(&self) {
        *self.db.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// As [`Store::stop`](crate::Store::stop).
    pub(crate) fn stop(&self) {
        std::mem::forget(self.db.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

pub(super) fn row(db: &Connection, hash: &BlobHash) -> Result<Option<Row>, Fault> {
    let sql = "SELECT seq, len, have FROM blob WHERE hash = ?1 AND broken = 0";
    let read = |row: &rusqlite::Row| {
        let number = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        Ok(Row { seq: row.get(0)?, len: number(1)?, have: number(2)? })
    };
    Ok(db.prepare_cached(sql)?.query_row([hash.as_bytes()], read).optional()?)
}

/// Begins a file of which nothing is here.
pub(super) fn begin(db: &Connection, hash: &BlobHash, len: u64) -> Result<Row, Fault> {
    db.prepare_cached("INSERT INTO blob (hash, len, have) VALUES (?1, ?2, 0)")?
        .execute(params![hash.as_bytes(), signed(len)])?;
    Ok(Row { seq: db.last_insert_rowid(), len, have: 0 })
}

/// Puts bytes after those that are here.
pub(super) fn append(db: &Connection, row: &mut Row, bytes: &[u8]) -> Result<(), Fault> {
    let mut insert = db.prepare_cached("INSERT INTO chunk (blob, at, bytes) VALUES (?1, ?2, ?3)")?;
    for chunk in bytes.chunks(CHUNK) {
        insert.execute(params![row.seq, signed(row.have), chunk])?;
        row.have += chunk.len() as u64;
    }
    db.prepare_cached("UPDATE blob SET have = ?2 WHERE seq = ?1")?
        .execute(params![row.seq, signed(row.have)])?;
    Ok(())
}

/// The bytes that are here.
pub(super) fn bytes(db: &Connection, row: &Row) -> Result<Vec<u8>, Fault> {
    let mut statement = db.prepare_cached("SELECT bytes FROM chunk WHERE blob = ?1 ORDER BY at")?;
    let mut rows = statement.query([row.seq])?;
    let mut all = Vec::with_capacity(usize::try_from(row.have).unwrap_or_default());
    while let Some(row) = rows.next()? {
        all.extend_from_slice(
            row.get_ref(0)?.as_blob().map_err(|_| Fault::row("chunk", "", "bytes", "not bytes"))?,
        );
    }
    Ok(all)
}

pub(super) fn remove(db: &Connection, hash: &BlobHash) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM blob WHERE hash = ?1 AND broken = 0")?.execute([hash.as_bytes()])?;
    Ok(())
}

/// Gives up a file whose pieces cannot even be removed.
pub(super) fn give_up(db: &Connection, hash: &BlobHash) -> Result<(), Fault> {
    db.prepare_cached("UPDATE blob SET broken = 1 WHERE hash = ?1 AND broken = 0")?
        .execute([hash.as_bytes()])?;
    Ok(())
}

/// Every file, whole or not.
pub(super) fn all(db: &Connection) -> Result<Vec<(BlobHash, Row)>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT hash, seq, len, have FROM blob WHERE broken = 0 ORDER BY seq")?;
    let rows = statement.query_map([], |row| {
        let number = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        Ok((BlobHash(row.get(0)?), Row { seq: row.get(1)?, len: number(2)?, have: number(3)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Lengths are at most `MAX_BLOB`.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
