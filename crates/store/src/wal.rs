//! How large the write-ahead log may become before its pages go back into the file. Small as a rule, for a disk that is
//! nearly full must not be filled by it; in a bulk larger, because a page that each commit changes then goes back once for
//! several of them.

use rusqlite::Connection;

use crate::error::StoreError;
use crate::store::{Store, locked};

/// Pages of 4 KiB: SQLite's own number.
const USUAL: i64 = 1_000;
const IN_A_BULK: i64 = 4_000;
/// Bytes. A larger log is cut to this when it is begun anew.
const KEPT: i64 = 4_000 * 1_024;
/// Bytes that must be free for a large log: it, the same pages in the file, and as much again for everything else.
const ROOM: u64 = 64 * 1_024 * 1_024;

/// Lets a log that became large in a bulk shrink again.
pub(crate) fn settings(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update_and_check(None, "journal_size_limit", KEPT, |_| Ok(()))
}

impl Store {
    /// Runs a commit of a bulk with a larger log, if the disk has room for it. The commit after it has the usual one again.
    pub(crate) fn in_a_bulk<T>(
        &self,
        commit: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let folder = self.file().parent().unwrap_or(self.file());
        if fs4::available_space(folder).unwrap_or(0) < ROOM {
            return commit();
        }
        self.let_grow_to(IN_A_BULK)?;
        let done = commit();
        self.let_grow_to(USUAL)?;
        done
    }

    fn let_grow_to(&self, pages: i64) -> Result<(), StoreError> {
        locked(&self.writing)
            .pragma_update_and_check(None, "wal_autocheckpoint", pages, |_| Ok(()))
            .map_err(|error| StoreError::sql(self.file(), error))
    }
}
