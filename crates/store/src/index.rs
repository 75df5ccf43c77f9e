//! The words of the search box. What a person saves is indexed with it. What comes in bulk from elsewhere is noted and
//! indexed afterwards, in a quiet moment or before the first question: a new laptop shows its records sooner.

use replica::threads;
use rusqlite::{Connection, params};

use crate::error::{Fault, StoreError};
use crate::project::{Words, project};
use crate::records::read_state;
use crate::store::Store;

/// Records of one transaction, so that a person who saves meanwhile does not wait long.
const TOGETHER: i64 = 256;

/// When the words of a record are indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Now,
    Later,
}

impl Store {
    /// Brings the search box up to date. Every step of it is a short transaction; with nothing to do it only reads.
    pub fn index_words(&self) -> Result<(), StoreError> {
        while self.look(|db| Ok(db.prepare_cached("SELECT 1 FROM unindexed LIMIT 1")?.exists([])?))? {
            self.transact(|db| self.index_some(db))?;
        }
        Ok(())
    }

    fn index_some(&self, db: &Connection) -> Result<(), Fault> {
        let states = unindexed(db)?;
        if states.is_empty() {
            db.execute("DELETE FROM unindexed", [])?;
        }
        let words = |(record, id, state): (i64, String, Vec<u8>)| {
            let state = read_state(&id, (&state[..]).into())?;
            Ok((record, project(&state, self.kinds().get(&state.kind)).words))
        };
        threads::each(states, words, |made: Result<_, Fault>| {
            let (record, words) = made?;
            write(db, record, &words, true)?;
            db.prepare_cached("DELETE FROM unindexed WHERE record = ?1")?.execute([record])?;
            Ok(())
        })
    }
}

/// The next records that wait, with their ids and states.
fn unindexed(db: &Connection) -> Result<Vec<(i64, String, Vec<u8>)>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT record.seq, record.id, fold.state FROM unindexed
         JOIN record ON record.seq = unindexed.record JOIN fold ON fold.record = record.seq
         ORDER BY record.seq LIMIT ?1",
    )?;
    let rows = statement.query_map([TOGETHER], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes that the words of a record are others than those in the index.
pub(crate) fn note(db: &Connection, record: i64) -> Result<(), Fault> {
    db.prepare_cached("INSERT OR IGNORE INTO unindexed (record) VALUES (?1)")?.execute([record])?;
    Ok(())
}

/// Puts the words of a record in the place of those that may be there.
pub(crate) fn write(db: &Connection, record: i64, words: &Words, may_be_there: bool) -> Result<(), Fault> {
    if may_be_there {
        db.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([record])?;
    }
    if !words.is_empty() {
        db.prepare_cached("INSERT INTO words (rowid, names, title, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![record, words.names, words.title, words.body])?;
    }
    Ok(())
}
