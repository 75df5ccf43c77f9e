//! What the exchange with the city needs of the log: streams, frontiers, changes to send, receipts, and changes that
//! are issued again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use replica::{Change, ChangeId, DeviceId, Frontier, RawChange, RootKey, StreamId, planted};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use crate::Touched;
use crate::blobs;
use crate::coverage;
use crate::error::{Fault, StoreError};
use crate::fold::Batch;
use crate::identity::{self, Identity};
use crate::log::{self, StreamRow};
use crate::receipts;
use crate::ruling;
use crate::store::Store;
use crate::write::{Author, sign, start};

/// A stream that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamInfo {
    pub id: StreamId,
    /// Local writes go here.
    pub own: bool,
    pub root: Option<RootKey>,
}

/// What of the own stream the city does not hold yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outbox {
    pub changes: u64,
    pub records: u64,
    pub bytes: u64,
}

/// Changes to send, in an order in which each follows what it names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub changes: Vec<RawChange>,
    /// The budget cut it.
    pub more: bool,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<ChangeId> = self.changes.iter().map(RawChange::id).collect();
        f.debug_struct("Page").field("changes", &ids).field("more", &self.more).finish()
    }
}

/// A stored receipt: the city's signed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReceipt {
    pub at: i64,
    pub body: Vec<u8>,
    /// What it was signed for, in the bytes of whoever reads it; empty in receipts of before this was kept.
    pub frontiers: Vec<u8>,
}

/// A change to be issued in another stream or under another identity.
#[derive(Clone, PartialEq)]
pub struct Issue {
    pub at: i64,
    pub author: String,
    pub action: String,
    pub batch: Option<String>,
    /// The change that this is; one that was issued before is not issued twice.
    pub origin: Option<ChangeId>,
    /// Record, kind, path, value, and what it is over: held changes, or origins of issued ones.
    pub writes: Vec<IssueWrite>,
}

#[derive(Clone, PartialEq)]
pub struct IssueWrite {
    pub record: String,
    pub kind: String,
    pub path: String,
    pub value: Value,
    pub over: Vec<ChangeId>,
}

impl Store {
    pub fn streams(&self) -> Result<Vec<StreamInfo>, StoreError> {
        self.look(|db| {
            let own = log::own_stream(db)?;
            let info = |row: StreamRow| StreamInfo { id: row.id, own: own == Some(row), root: row.root };
            Ok(log::streams(db)?.into_iter().map(info).collect())
        })
    }

    /// The stream that local writes go to.
    pub fn own_stream(&self) -> Result<Option<StreamId>, StoreError> {
        self.look(|db| Ok(log::own_stream(db)?.map(|stream| stream.id)))
    }

    /// Further local writes go to this stream. The one before stays, and is read only.
    pub fn join_stream(&self, id: &StreamId) -> Result<(), StoreError> {
        self.transact(|db| {
            let stream = log::add_stream(db, id)?;
            log::set_own(db, stream.seq)
        })
    }

    /// Pins the city's root for a stream: its rulings count from now on.
    pub fn set_root(&self, id: &StreamId, root: &RootKey) -> Result<Touched, StoreError> {
        let touched = self.commit(|db, batch| {
            let stream = log::add_stream(db, id)?;
            batch.rule(stream)?;
            log::set_root(db, stream.seq, root)?;
            batch.rule_again(StreamRow { root: Some(*root), ..stream });
            Ok(Vec::new())
        })?;
        self.tell(&touched);
        Ok(touched)
    }

    /// The keys that the stream's pinned root certified: they speak for the city.
    pub fn city_keys(&self, stream: &StreamId) -> Result<BTreeSet<DeviceId>, StoreError> {
        self.look(|db| {
            log::stream(db, stream)?.map_or(Ok(BTreeSet::new()), |stream| ruling::city_keys(db, stream))
        })
    }

    pub fn frontier(&self, stream: &StreamId) -> Result<Frontier, StoreError> {
        self.in_stream(stream, log::frontier)
    }

    /// The ends that the city answered last.
    pub fn city_frontier(&self, stream: &StreamId) -> Result<Frontier, StoreError> {
        self.in_stream(stream, log::city_frontier)
    }

    /// The stream's first change, if it is held.
    pub fn founding(&self, stream: &StreamId) -> Result<Option<RawChange>, StoreError> {
        self.look(|db| Ok(log::change_by_id(db, &ChangeId(stream.0))?.map(|change| change.raw)))
    }

    pub fn change(&self, id: &ChangeId) -> Result<Option<Change>, StoreError> {
        self.look(|db| log::change_by_id(db, id))
    }

    /// Every held change of a stream, by device and number.
    pub fn changes(&self, stream: &StreamId) -> Result<Vec<Change>, StoreError> {
        self.in_stream(stream, log::changes)
    }

    /// The changes of each of these devices after the number given with it, within a budget of bytes.
    pub fn changes_after(
        &self,
        stream: &StreamId,
        after: &BTreeMap<DeviceId, u64>,
        mut budget: usize,
    ) -> Result<Page, StoreError> {
        self.in_stream(stream, |db, seq| {
            let mut page = Page::default();
            for (device, after) in after {
                let (changes, more) = log::chain_after(db, seq, device, *after, &mut budget)?;
                page.changes.extend(changes);
                page.more |= more;
            }
            Ok(page)
        })
    }

    /// These changes as long as they fit into the budget, the ones that are held.
    pub fn changes_by_id(&self, ids: &[ChangeId], budget: usize) -> Result<Page, StoreError> {
        self.look(|db| {
            let mut page = Page::default();
            let mut used = 0;
            for id in ids {
                let Some(change) = log::change_by_id(db, id)? else { continue };
                used += change.raw.header.len() + 64 + change.raw.payload.as_ref().map_or(0, Vec::len);
                if used > budget {
                    page.more = true;
                    break;
                }
                page.changes.push(change.raw);
            }
            Ok(page)
        })
    }

    /// Ids of a device's changes by number, for finding the highest shared one.
    pub fn chain_ids(
        &self,
        stream: &StreamId,
        device: &DeviceId,
        numbers: &[u64],
    ) -> Result<Vec<(u64, ChangeId)>, StoreError> {
        self.in_stream(stream, |db, seq| log::chain_ids(db, seq, device, numbers))
    }

    /// What the city does not hold yet of the own stream.
    pub fn outbox(&self) -> Result<Outbox, StoreError> {
        self.look(|db| match log::own_stream(db)? {
            Some(stream) => outbox(db, stream.seq),
            None => Ok(Outbox::default()),
        })
    }

    /// How many records of the own stream there are, and how many of them the city holds as they are here.
    pub fn count_records(&self) -> Result<(u64, u64), StoreError> {
        self.look(|db| match log::own_stream(db)? {
            Some(stream) => {
                let sql = "SELECT count(*) FROM record WHERE stream = ?1 AND kind <> 'stream'";
                let all: i64 = db.prepare_cached(sql)?.query_row([stream.seq], |row| row.get(0))?;
                Ok((all.unsigned_abs(), all.unsigned_abs() - outbox(db, stream.seq)?.records))
            }
            None => Ok((0, 0)),
        })
    }

    /// Takes the city's answer: its ends, and its receipt if it gave one. What the ends cover counts as reported at
    /// the receipt's time; a time that a change already has stays. Without a receipt only the ends are noted. A receipt
    /// that is held already, from a file that is read again, is kept once. The changes that `came` with the answer are the
    /// city's, however little of it arrived.
    pub fn put_receipt(
        &self,
        receipt: Option<&StoredReceipt>,
        covered: &BTreeMap<StreamId, Frontier>,
        came: &[ChangeId],
    ) -> Result<(), StoreError> {
        self.transact(|db| {
            if let Some(receipt) = receipt {
                let sql = "INSERT INTO receipt (at, body, frontiers) SELECT ?1, ?2, ?3
                           WHERE NOT EXISTS (SELECT 1 FROM receipt WHERE at = ?1 AND body = ?2)";
                db.prepare_cached(sql)?.execute(params![receipt.at, receipt.body, receipt.frontiers])?;
                receipts::note_owner(db, db.last_insert_rowid(), covered)?;
            }
            for (id, frontier) in covered {
                if let Some(stream) = log::stream(db, id)? {
                    if coverage::fell_back(&log::city_frontier(db, stream.seq)?, frontier) {
                        blobs::forget_city(db)?;
                    }
                    coverage::cover(db, stream.seq, frontier, receipt.map(|receipt| receipt.at), came)?;
                }
            }
            Ok(())
        })?;
        self.tell(&Touched::draft("sync", ""));
        Ok(())
    }

    /// Whether the city holds a change, as far as its last receipt says.
    pub fn is_reported(&self, id: &ChangeId) -> Result<bool, StoreError> {
        self.look(|db| {
            let sql = "SELECT 1 FROM reported JOIN change ON change.seq = reported.change WHERE id = ?1 AND held = 1";
            Ok(db.prepare_cached(sql)?.exists([id.as_bytes()])?)
        })
    }

    /// The latest receipts, the last first.
    pub fn receipts(&self, limit: u32) -> Result<Vec<StoredReceipt>, StoreError> {
        self.look(|db| {
            let mut statement =
                db.prepare_cached("SELECT at, body, frontiers FROM receipt ORDER BY seq DESC LIMIT ?1")?;
            let rows = statement.query_map([limit], receipt)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Says whether one of these is known to have been at the city already: it was set back since. `after` is the number
    /// in the device's chain up to which they are not asked about.
    pub fn was_reported(&self, stream: &StreamId, device: &DeviceId, after: u64) -> Result<bool, StoreError> {
        self.in_stream(stream, |db, seq| {
            let sql = "SELECT EXISTS (SELECT 1 FROM change JOIN reported ON reported.change = change.seq
                         WHERE change.stream = ?1 AND device = ?2 AND n > ?3)";
            let bounds = params![seq, device.as_bytes(), log::signed(after)?];
            Ok(db.prepare_cached(sql)?.query_row(bounds, |row| row.get(0))?)
        })
    }

    /// The receipts by which these changes first counted as reported, the earliest first.
    pub fn receipts_for(&self, changes: &[ChangeId]) -> Result<Vec<StoredReceipt>, StoreError> {
        self.look(|db| {
            let mut times = BTreeSet::new();
            let sql =
                "SELECT reported.at FROM change JOIN reported ON reported.change = change.seq WHERE id = ?1";
            for id in changes {
                let mut statement = db.prepare_cached(sql)?;
                times.extend(statement.query_row([id.as_bytes()], |row| row.get::<_, i64>(0)).optional()?);
            }
            let (Some(first), Some(last)) = (times.first(), times.last()) else { return Ok(Vec::new()) };
            let sql = "SELECT at, body, frontiers FROM receipt WHERE at BETWEEN ?1 AND ?2 ORDER BY at, seq";
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map([first, last], receipt)?;
            let mut receipts: Vec<StoredReceipt> = rows.collect::<Result<_, _>>()?;
            receipts.retain(|receipt| times.contains(&receipt.at) && !receipt.frontiers.is_empty());
            Ok(receipts)
        })
    }

    /// Origins of the changes that were issued into a stream, with the changes that they became.
    pub fn origins(&self, stream: &StreamId) -> Result<BTreeMap<ChangeId, ChangeId>, StoreError> {
        self.in_stream(stream, |db, seq| Ok(log::origins(db, seq)?.into_iter().collect()))
    }

    /// Issues changes into a stream, all in one transaction, signed by the identity that signs now. What an issue is
    /// over is translated where it names the origin of another.
    pub fn issue(&self, stream: &StreamId, issues: &[Issue]) -> Result<Vec<ChangeId>, StoreError> {
        let touched = self.commit(|db, batch| {
            let stream = log::add_stream(db, stream)?;
            let mut issuing = Issuing::new(db, stream)?;
            for issue in issues {
                issuing.issue(db, batch, stream, issue)?;
            }
            Ok(Vec::new())
        })?;
        self.tell(&touched);
        Ok(touched.changes)
    }

    fn in_stream<T: Default>(
        &self,
        stream: &StreamId,
        body: impl FnOnce(&Connection, i64) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.look(|db| match log::stream(db, stream)? {
            Some(stream) => body(db, stream.seq),
            None => Ok(T::default()),
        })
    }
}

fn receipt(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredReceipt> {
    let frontiers: Option<Vec<u8>> = row.get(2)?;
    Ok(StoredReceipt { at: row.get(0)?, body: row.get(1)?, frontiers: frontiers.unwrap_or_default() })
}

pub(crate) struct Issuing {
    identity: Identity,
    /// Origins, and the changes that they became.
    known: HashMap<ChangeId, ChangeId>,
}

impl Issuing {
    /// Signed by the identity that signs now.
    pub(crate) fn new(db: &Connection, stream: StreamRow) -> Result<Self, Fault> {
        Ok(Self { identity: identity::current(db)?, known: log::origins(db, stream.seq)? })
    }

    pub(crate) fn issue<'a>(
        &mut self,
        db: &'a Connection,
        batch: &mut Batch<'a>,
        stream: StreamRow,
        issue: &Issue,
    ) -> Result<(), Fault> {
        if issue.origin.is_some_and(|origin| self.known.contains_key(&origin)) && !planted!(ReissuedTwice) {
            return Ok(());
        }
        let author = Author::new(issue.author.clone());
        let mut builder = start(db, Some(stream), &self.identity, issue.at, &author, &issue.action)?;
        for write in &issue.writes {
            let over: Vec<ChangeId> =
                write.over.iter().map(|id| self.known.get(id).copied().unwrap_or(*id)).collect();
            builder.add(&write.record, &write.kind, &write.path, &write.value, &over);
        }
        if let Some(joined) = &issue.batch {
            builder = builder.batch(joined);
        }
        if let Some(origin) = &issue.origin {
            builder = builder.origin(&origin.to_string());
        }
        let change = sign(builder, &self.identity)?;
        self.known.extend(issue.origin.map(|origin| (origin, change.id)));
        batch.add(stream, change)
    }
}

fn outbox(db: &Connection, stream: i64) -> Result<Outbox, Fault> {
    let sql = "SELECT count(*), coalesce(sum(length(header) + 64 + coalesce(length(payload), 0)), 0)
               FROM change WHERE stream = ?1
                 AND NOT EXISTS (SELECT 1 FROM reported WHERE change = seq AND held = 1)";
    let (changes, bytes): (i64, i64) =
        db.prepare_cached(sql)?.query_row([stream], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = "SELECT count(DISTINCT touch.record) FROM change JOIN touch ON touch.change = change.seq
               WHERE change.stream = ?1
                 AND NOT EXISTS (SELECT 1 FROM reported WHERE reported.change = change.seq AND held = 1)
                 AND touch.record NOT IN (SELECT seq FROM record WHERE stream = ?1 AND kind = 'stream')";
    let records: i64 = db.prepare_cached(sql)?.query_row([stream], |row| row.get(0))?;
    Ok(Outbox {
        changes: changes.unsigned_abs(),
        records: records.unsigned_abs(),
        bytes: bytes.unsigned_abs(),
    })
}
