//! A row of the log whose bytes are no longer the ones that were signed: it cannot be sent, and nothing after it in its
//! chain can be taken anywhere. Where the city holds it, it is set aside to be fetched again. Where it exists nowhere else
//! and is this computer's own, it and all after it are issued again under a new identity.

use std::collections::{BTreeMap, BTreeSet};

use replica::{Change, ChangeId, DeviceId, Field, RawChange, RecordState, fold_record};
use rusqlite::{Connection, Row, params};
use serde_json::Value;

use crate::blobs;
use crate::error::{Fault, StoreError};
use crate::exchange::{Issue, IssueWrite, Issuing};
use crate::fold::Batch;
use crate::identity;
use crate::log::{self, StreamRow};
use crate::records::{self, Name};
use crate::ruling;
use crate::store::Store;

/// What came of looking for damage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healed {
    /// Changes that were issued again under a new identity.
    pub issued_again: u64,
    /// Changes that were set aside, for the city to send them again.
    pub to_fetch: u64,
    /// Damaged rows that nobody here can replace; they stay as they are.
    pub left: u64,
    pub renewed: Option<DeviceId>,
}

impl Healed {
    pub fn is_nothing(&self) -> bool {
        self.issued_again == 0 && self.to_fetch == 0
    }
}

/// A row of the log as it lies there; nothing in it is believed.
struct Lying {
    seq: i64,
    id: ChangeId,
    device: DeviceId,
    n: u64,
    prev: Option<ChangeId>,
    at: i64,
    /// The city holds it.
    reported: bool,
    /// None: the bytes are not the ones that were signed.
    change: Option<Change>,
    /// What of it can still be read as it was signed: the header.
    header: Option<Change>,
}

impl Store {
    /// Reads and verifies the whole log, and heals what is damaged. Slow on a large one: for when something went wrong.
    pub fn heal_damage(&self) -> Result<Healed, StoreError> {
        let mut healed = Healed::default();
        let key = self.new_key();
        let at = self.sources.now();
        let touched = self.commit(|db, batch| {
            for stream in log::streams(db)? {
                let rows = rows(db, stream)?;
                if rows.iter().any(|row| row.change.is_none()) {
                    batch.rule(stream)?;
                    let mut healing = Healing { db, batch, stream, rows, healed: &mut healed };
                    healing.heal(&key, at)?;
                }
            }
            Ok(Vec::new())
        })?;
        self.tell(&touched);
        Ok(healed)
    }
}

struct Healing<'a, 'b> {
    db: &'a Connection,
    batch: &'b mut Batch<'a>,
    stream: StreamRow,
    rows: Vec<Lying>,
    healed: &'b mut Healed,
}

impl<'a> Healing<'a, '_> {
    fn heal(&mut self, key: &ed25519_dalek::SigningKey, at: i64) -> Result<(), Fault> {
        let own = identity::all(self.db)?;
        let mut again = BTreeSet::new();
        let mut aside = BTreeSet::new();
        for (index, row) in self.rows.iter().enumerate().filter(|(_, row)| row.change.is_none()) {
            if row.reported {
                aside.insert(index);
            } else if own.contains(&row.device) && row.id.0 != self.stream.id.0 {
                again.extend(self.with_all_after(index));
            } else {
                self.healed.left += 1;
            }
        }
        if !again.is_empty() {
            self.issue_again(&again, key, at)?;
        }
        for index in aside.difference(&again) {
            self.set_aside(*index)?;
        }
        Ok(())
    }

    /// A row and the ones that follow it in its chain, in order of their numbers.
    fn with_all_after(&self, index: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([index]);
        let mut ids = BTreeSet::from([self.rows[index].id]);
        for (at, row) in self.rows.iter().enumerate() {
            if row.prev.is_some_and(|prev| ids.contains(&prev)) && row.device == self.rows[index].device {
                found.insert(at);
                ids.insert(row.id);
            }
        }
        found
    }

    fn issue_again(
        &mut self,
        again: &BTreeSet<usize>,
        key: &ed25519_dalek::SigningKey,
        at: i64,
    ) -> Result<(), Fault> {
        let (author, computer) = identity::signature_of(self.db)?;
        let issues: Vec<Issue> =
            again.iter().map(|index| self.issue(*index, again, &author.0)).collect::<Result<_, _>>()?;
        for index in again {
            self.take_out(*index)?;
            // Named anew by the change that takes its place. What is only set aside keeps its files meanwhile.
            blobs::forget_change(self.db, self.rows[*index].seq)?;
        }
        identity::renew(self.db, self.batch, key, at, &author, &computer)?;
        self.healed.renewed = Some(replica::device_of(key));
        let mut issuing = Issuing::new(self.db, self.stream)?;
        for issue in issues.iter().filter(|issue| !issue.writes.is_empty()) {
            issuing.issue(self.db, self.batch, self.stream, issue)?;
            self.healed.issued_again += 1;
        }
        Ok(())
    }

    /// The same change once more, from its row or, where that is damaged, from what stands in the records by it.
    fn issue(&self, index: usize, again: &BTreeSet<usize>, author: &str) -> Result<Issue, Fault> {
        let row = &self.rows[index];
        let writes = match (&row.change, &row.header) {
            (Some(change), _) => from_change(change),
            (None, Some(header)) => self.by_header(row, header)?,
            (None, None) => self.by_records(row, again)?,
        };
        let known = row.change.as_ref().or(row.header.as_ref()).map(|change| &change.header);
        Ok(Issue {
            at: known.map_or(row.at, |header| header.at),
            author: known.map_or_else(|| author.to_owned(), |header| header.author.clone()),
            action: known.map_or_else(|| "again".to_owned(), |header| header.action.clone()),
            batch: known.and_then(|header| header.batch.clone()),
            origin: Some(row.id),
            writes,
        })
    }

    /// The header says what was written and over what; the values stand in the records.
    fn by_header(&self, row: &Lying, header: &Change) -> Result<Vec<IssueWrite>, Fault> {
        let mut standing: BTreeMap<(String, String, String), Value> = BTreeMap::new();
        for (_, name) in records::touched_by_change(self.db, row.seq)? {
            let Some(state) = records::state(self.db, &name)? else { continue };
            let written = state.written_by(&row.id);
            standing.extend(
                written.into_iter().map(|(path, value)| ((name.kind.clone(), name.id.clone(), path), value)),
            );
        }
        let header = &header.header;
        let writes = header.writes.iter().filter_map(|write| {
            let name = (write.kind.clone(), write.record.clone(), write.path.clone());
            let value = standing.remove(&name)?;
            let (kind, record, path) = name;
            Some(IssueWrite { record, kind, path, value, over: header.over(write).collect() })
        });
        Ok(writes.collect())
    }

    /// Nothing of the row can be read: what stands by it was over everything else that would stand without it.
    fn by_records(&self, row: &Lying, again: &BTreeSet<usize>) -> Result<Vec<IssueWrite>, Fault> {
        let mut writes = Vec::new();
        for (record, name) in records::touched_by_change(self.db, row.seq)? {
            let Some(state) = records::state(self.db, &name)? else { continue };
            let without = self.without(record, &name, again)?;
            for (path, value) in state.written_by(&row.id) {
                let beside = beside(&state, &path, &row.id);
                let mut over = match path.rsplit_once('/') {
                    None if path.starts_with('~') => without.all_heads(),
                    Some((item, last)) if last.starts_with('~') => without.item_heads(item),
                    Some(_) | None => without.heads(&path),
                };
                over.retain(|id| !beside.contains(id));
                let (kind, record) = (name.kind.clone(), name.id.clone());
                writes.push(IssueWrite { record, kind, path, value, over });
            }
        }
        Ok(writes)
    }

    /// A record as it would be without the rows that are issued again.
    fn without(&self, record: i64, name: &Name, again: &BTreeSet<usize>) -> Result<RecordState, Fault> {
        let left: BTreeSet<i64> = again.iter().map(|index| self.rows[*index].seq).collect();
        let seqs = records::changes_of(self.db, record)?;
        let kept = self.rows.iter().filter(|row| seqs.contains(&row.seq) && !left.contains(&row.seq));
        let changes: Vec<&Change> = kept.filter_map(|row| row.change.as_ref()).collect();
        let verdicts = ruling::of_stream(self.db, self.stream)?;
        Ok(fold_record(&name.kind, &name.id, &changes, &verdicts))
    }

    /// Takes a row out of the log; its records are folded again.
    fn take_out(&mut self, index: usize) -> Result<(), Fault> {
        let row = &self.rows[index];
        self.batch.take_out(self.stream, row.seq)?;
        for sql in [
            "DELETE FROM touch WHERE change = ?1",
            "DELETE FROM reported WHERE change = ?1",
            "DELETE FROM change WHERE seq = ?1",
        ] {
            self.db.prepare_cached(sql)?.execute([row.seq])?;
        }
        self.db
            .prepare_cached("DELETE FROM frontier WHERE stream = ?1 AND device = ?2 AND id = ?3")?
            .execute(params![self.stream.seq, row.device.as_bytes(), row.id.as_bytes()])?;
        // The one before it is an end again, unless its chain goes on another way.
        let Some(prev) = row.prev else { return Ok(()) };
        let goes_on =
            self.db.prepare_cached("SELECT 1 FROM change WHERE prev = ?1")?.exists([prev.as_bytes()])?;
        if !goes_on && log::held(self.db, &prev)?.is_some() {
            let sql = "INSERT OR IGNORE INTO frontier (stream, device, n, id) VALUES (?1, ?2, ?3, ?4)";
            self.db.prepare_cached(sql)?.execute(params![
                self.stream.seq,
                row.device.as_bytes(),
                log::signed(row.n)? - 1,
                prev.as_bytes()
            ])?;
        }
        Ok(())
    }

    /// The city holds this one: it comes again with the next exchange, and the ones after it, which wait here, follow it.
    fn set_aside(&mut self, index: usize) -> Result<(), Fault> {
        for after in self.with_all_after(index).into_iter().rev() {
            if let (Some(change), Some(prev)) = (&self.rows[after].change, self.rows[after].prev) {
                log::keep_waiting(self.db, change, &prev)?;
            }
            if self
                .db
                .prepare_cached("SELECT 1 FROM change WHERE seq = ?1")?
                .exists([self.rows[after].seq])?
            {
                self.take_out(after)?;
            }
        }
        self.healed.to_fetch += 1;
        Ok(())
    }
}

fn from_change(change: &Change) -> Vec<IssueWrite> {
    let values = change.values.as_deref().unwrap_or_default();
    let writes = change.header.writes.iter().zip(values);
    writes
        .map(|(write, value)| IssueWrite {
            record: write.record.clone(),
            kind: write.kind.clone(),
            path: write.path.clone(),
            value: value.clone(),
            over: change.header.over(write).collect(),
        })
        .collect()
}

/// The other sides of a conflict that the change is one side of: it was not over them.
fn beside(state: &RecordState, path: &str, id: &ChangeId) -> Vec<ChangeId> {
    match state.fields.get(path) {
        Some(Field::Conflict { heads, .. }) => {
            heads.iter().map(|head| head.meta.change).filter(|head| head != id).collect()
        }
        Some(Field::One { .. } | Field::Withheld { .. }) | None => Vec::new(),
    }
}

fn rows(db: &Connection, stream: StreamRow) -> Result<Vec<Lying>, Fault> {
    let sql = "SELECT seq, id, device, n, prev, at, header, signature, payload, lamport,
                 EXISTS (SELECT 1 FROM reported WHERE change = seq AND held = 1)
               FROM change WHERE stream = ?1 ORDER BY n, id";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([stream.seq])?;
    let mut lying = Vec::new();
    while let Some(row) = rows.next()? {
        lying.push(read(row)?);
    }
    Ok(lying)
}

fn read(row: &Row) -> Result<Lying, Fault> {
    let id = ChangeId(row.get(1)?);
    let lamport = row.get::<_, i64>(9)?.unsigned_abs();
    let header: Option<Vec<u8>> = row.get(6).ok();
    let signature: Option<[u8; 64]> = row.get(7).ok();
    let payload: Option<Option<Vec<u8>>> = row.get(8).ok();
    let signed = |header: Vec<u8>, payload: Option<Vec<u8>>| {
        Some(RawChange { header, signature: signature?, payload }).filter(|raw| raw.id() == id)
    };
    let shown = |mut change: Change| {
        change.lamport = lamport;
        change
    };
    let change =
        header.clone().zip(payload).and_then(|(header, payload)| signed(header, payload)?.verify().ok());
    let header = header
        .map(|header| RawChange { header, signature: [0; 64], payload: None })
        .filter(|raw| raw.id() == id)
        .and_then(|raw| raw.read().ok());
    Ok(Lying {
        seq: row.get(0)?,
        id,
        device: DeviceId(row.get(2)?),
        n: row.get::<_, i64>(3)?.unsigned_abs(),
        prev: row.get::<_, Option<[u8; 32]>>(4)?.map(ChangeId),
        at: row.get(5)?,
        reported: row.get(10)?,
        change: change.map(shown),
        header: header.map(shown),
    })
}
