//! What a commit would take from the person: records that were there and would be deleted, refused or redacted. More than
//! a handful at once, and the person is asked first; the question is put inside the transaction, which then is undone.

use std::collections::BTreeSet;

use replica::{ChangeId, Life, RecordState, Ruling};
use rusqlite::Connection;

use crate::error::{Fault, StoreError};
use crate::log::{self, StreamRow};
use crate::records::{self, Name};
use crate::ruling;
use crate::store::Store;
use crate::touched::RecordKey;

/// So many records may one exchange take away without a question.
pub const MOST_LOST: u64 = 20;
/// So many of them are named in the question.
const NAMED: usize = 5;

/// Records that would be lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    pub count: u64,
    /// The first few.
    pub named: Vec<RecordKey>,
}

impl Losses {
    pub(crate) fn of(mut keys: Vec<RecordKey>) -> Self {
        let count = keys.len() as u64;
        keys.truncate(NAMED);
        Self { count, named: keys }
    }
}

impl Store {
    /// Records that the city holds and that what is not sent yet deletes or redacts there.
    pub fn losses_to_send(&self) -> Result<Losses, StoreError> {
        self.look(|db| match log::own_stream(db)? {
            Some(stream) => {
                let mut keys = deleted(db, stream)?;
                keys.extend(redacted(db, stream)?);
                Ok(Losses::of(keys.into_iter().collect()))
            }
            None => Ok(Losses::default()),
        })
    }
}

const SENT: &str = "EXISTS (SELECT 1 FROM touch JOIN reported ON reported.change = touch.change AND held = 1
                            WHERE touch.record = record.seq)";

fn deleted(db: &Connection, stream: StreamRow) -> Result<BTreeSet<RecordKey>, Fault> {
    let sql = format!(
        "SELECT kind, id FROM record WHERE stream = ?1 AND life = 'gone' AND {SENT} AND EXISTS
           (SELECT 1 FROM touch WHERE touch.record = record.seq
              AND NOT EXISTS (SELECT 1 FROM reported WHERE reported.change = touch.change AND held = 1))"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([stream.seq], |row| {
        Ok(RecordKey { stream: stream.id, kind: row.get(0)?, id: row.get(1)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Records with a value that an unsent change to the stream's record redacts.
fn redacted(db: &Connection, stream: StreamRow) -> Result<BTreeSet<RecordKey>, Fault> {
    let mut keys = BTreeSet::new();
    for seq in records::touching(db, &ruling::stream_record(stream))? {
        let sent = "SELECT 1 FROM reported WHERE change = ?1 AND held = 1";
        if db.prepare_cached(sent)?.exists([seq])? {
            continue;
        }
        let change = log::change(db, seq)?;
        let rulings = change.values.iter().flatten().filter_map(Ruling::from_value);
        for dropped in rulings.filter_map(|ruling| match ruling {
            Ruling::Drop { change } => Some(change),
            Ruling::Void { .. } | Ruling::Revoke { .. } | Ruling::Release { .. } | Ruling::Lift => None,
        }) {
            if let Some(held) = log::held(db, &dropped)? {
                let touched = records::touched_by_change(db, held.seq)?;
                keys.extend(touched.into_iter().map(|(_, Name { kind, id, .. })| RecordKey {
                    stream: stream.id,
                    kind,
                    id,
                }));
            }
        }
    }
    Ok(keys)
}

/// Says whether a record loses something that its reader had: the whole of it, or a change that no longer counts. What
/// arrives together with the ruling over it was never had.
pub(crate) fn loses(before: &RecordState, after: &RecordState, added: &BTreeSet<ChangeId>) -> bool {
    let there = |life: &Life| matches!(life, Life::Live | Life::Contested { .. });
    let gone = there(&before.life) && !there(&after.life);
    let refused = after.ignored.iter().any(|id| !before.ignored.contains(id) && !added.contains(id));
    gone || refused
}
