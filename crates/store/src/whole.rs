//! Over the whole file: rebuilding every record from the log, and the digest of what is stored.

use replica::{StateDigest, StreamId};
use rusqlite::Connection;

use crate::Touched;
use crate::db::CACHE;
use crate::error::{Fault, StoreError};
use crate::log;
use crate::records;
use crate::store::Store;

impl Store {
    /// Computes all records and lists from the log again; the search box follows as after any bulk. The result is what
    /// was there before, unless an earlier program computed it differently. Returns how many records there are.
    pub fn rebuild(&self) -> Result<usize, StoreError> {
        self.transact(|db| for_one_large_commit(db, true))?;
        let rebuilt = self.rebuild_all();
        self.transact(|db| for_one_large_commit(db, false))?;
        let touched = rebuilt?;
        self.tell(&touched);
        Ok(touched.records.len())
    }

    fn rebuild_all(&self) -> Result<Touched, StoreError> {
        self.commit(|db, batch| {
            batch.index_later();
            records::forget_all(db)?;
            for stream in log::streams(db)? {
                for (seq, change) in log::changes_by_row(db, stream.seq)? {
                    batch.touch(stream, seq, change)?;
                }
            }
            Ok(Vec::new())
        })
    }

    /// The digest of the stored records of one stream, which a laptop and the city compare.
    pub fn digest(&self, stream: &StreamId) -> Result<String, StoreError> {
        self.look(|db| {
            let mut digest = StateDigest::default();
            if let Some(row) = log::stream(db, stream)? {
                let sql = "SELECT kind, id, state FROM record JOIN fold ON fold.record = record.seq
                           WHERE stream = ?1 ORDER BY kind, id";
                let mut statement = db.prepare_cached(sql)?;
                let mut rows = statement.query([row.seq])?;
                while let Some(row) = rows.next()? {
                    let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
                    let state = row.get_ref(2)?.as_blob().map_err(|_| not_bytes(&id))?;
                    digest.add(stream, &kind, &id, state);
                }
            }
            Ok(digest.finish())
        })
    }

    /// The digest of the lists, facets and search words of one stream: two stores of one program that hold the same
    /// changes have the same.
    pub fn projection_digest(&self, stream: &StreamId) -> Result<String, StoreError> {
        let columns = "SELECT kind, id, life, closing, title, title_key, date, date_end, list, conflicts, late,
                         born_at, last_at, hex(word_hash),
                         (SELECT group_concat(path || '=' || value, ';') FROM
                           (SELECT path, value FROM facet WHERE facet.record = record.seq ORDER BY path, value)),
                         (SELECT group_concat(hex(blob) || len, ';') FROM
                           (SELECT blob, len FROM record_blob WHERE record_blob.record = record.seq ORDER BY blob))
                       FROM record WHERE stream = ?1 ORDER BY kind, id";
        self.look(|db| {
            let mut hasher = blake3::Hasher::new();
            if let Some(row) = log::stream(db, stream)? {
                let mut statement = db.prepare_cached(columns)?;
                let width = statement.column_count();
                let mut rows = statement.query([row.seq])?;
                while let Some(row) = rows.next()? {
                    for column in 0..width {
                        hasher.update(format!("{:?}\n", row.get_ref(column)?).as_bytes());
                    }
                }
            }
            Ok(hasher.finalize().to_hex().to_string())
        })
    }
}

/// What is forgotten is written again at once: overwriting it with zeros first would only double the work. And with room
/// in memory a page is encrypted once, and not each time that it has to make way.
fn for_one_large_commit(db: &Connection, on: bool) -> Result<(), Fault> {
    db.pragma_update_and_check(None, "secure_delete", !on, |_| Ok(()))?;
    db.pragma_update(None, "cache_size", if on { 4 * CACHE } else { CACHE })?;
    Ok(())
}

fn not_bytes(id: &str) -> Fault {
    Fault::row("fold", id, "state", "not bytes")
}
