//! What every write ends in: the changes of one transaction are appended, the verdicts they bring are drawn, and each
//! record that any of it touches is folded once and saved with its lists and search words.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use replica::{
    Change, ChangeId, DeviceId, Kinds, RecordState, STREAM_KIND, STREAM_RECORD, Verdicts, fold_record,
    planted,
};
use rusqlite::Connection;

use crate::blobs;
use crate::error::{Fault, StoreError};
use crate::log::{self, Held, StreamRow};
use crate::losses::{Losses, loses};
use crate::project::project;
use crate::records::{self, Name};
use crate::ruling;
use crate::touched::{RecordKey, Touched};

/// Verdicts by stream row, as of the last commit.
pub(crate) type VerdictCache = HashMap<i64, Arc<Verdicts>>;

/// The changes of one transaction and the records they touch.
pub(crate) struct Batch<'a> {
    db: &'a Connection,
    kinds: &'a Kinds,
    /// As they were before this transaction.
    before: VerdictCache,
    /// As they are after it, of streams that it rules over.
    after: VerdictCache,
    /// Streams whose rulings, keys or devices were touched.
    ruled: BTreeMap<i64, StreamRow>,
    streams: BTreeMap<i64, StreamRow>,
    changes: HashMap<i64, Arc<Change>>,
    names: HashMap<Name, i64>,
    dirty: BTreeMap<i64, Name>,
    fresh: HashSet<i64>,
    next_record: Option<i64>,
    added: Vec<ChangeId>,
    /// So many records may lose something; `None`: nobody asks.
    most_lost: Option<u64>,
    /// Records of which a payload was erased.
    erased: BTreeSet<i64>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(db: &'a Connection, kinds: &'a Kinds, before: VerdictCache) -> Self {
        Self {
            db,
            kinds,
            before,
            after: VerdictCache::new(),
            ruled: BTreeMap::new(),
            streams: BTreeMap::new(),
            changes: HashMap::new(),
            names: HashMap::new(),
            dirty: BTreeMap::new(),
            fresh: HashSet::new(),
            next_record: None,
            added: Vec::new(),
            most_lost: None,
            erased: BTreeSet::new(),
        }
    }

    /// Undoes the transaction if more records than this would lose something.
    pub(crate) fn watch_losses(&mut self, most: u64) {
        self.most_lost = Some(most);
    }

    /// Appends a change whose predecessor is held.
    pub(crate) fn add(
        &mut self,
        stream: StreamRow,
        mut change: Change,
        prev: Option<&Held>,
    ) -> Result<(), Fault> {
        self.streams.insert(stream.seq, stream);
        if self.rules(stream, &change)? {
            self.rule(stream)?;
        }
        let seq = log::append(self.db, stream.seq, &mut change, prev)?;
        self.added.push(change.id);
        self.touch(stream, seq, change)
    }

    /// Whether the verdicts of the stream may be others with this change: it says something about them, founds the
    /// stream, or fills the chain of a computer that was revoked.
    fn rules(&mut self, stream: StreamRow, change: &Change) -> Result<bool, Fault> {
        let says = change.header.stream.is_none() || change.touches(STREAM_KIND, STREAM_RECORD);
        Ok(says || self.verdicts_before(stream)?.revoked.contains_key(&change.header.device))
    }

    /// Takes in a change of the log again, for a rebuild.
    pub(crate) fn touch(&mut self, stream: StreamRow, seq: i64, change: Change) -> Result<(), Fault> {
        self.streams.insert(stream.seq, stream);
        blobs::note_change(self.db, seq, &change)?;
        let mut touched = BTreeSet::new();
        for write in &change.header.writes {
            if planted!(HalfChange) && !touched.is_empty() {
                break;
            }
            if touched.insert((&write.kind, &write.record)) {
                let name = Name { stream: stream.seq, kind: write.kind.clone(), id: write.record.clone() };
                let record = self.record(&name)?;
                records::touch(self.db, record, seq)?;
                self.dirty.insert(record, name);
            }
        }
        self.changes.insert(seq, Arc::new(change));
        Ok(())
    }

    /// Notes a record to be folded again, because a change of it got its payload.
    pub(crate) fn touch_again(&mut self, stream: StreamRow, change: i64) -> Result<(), Fault> {
        self.streams.insert(stream.seq, stream);
        let filled = Arc::new(log::change(self.db, change)?);
        blobs::note_change(self.db, change, &filled)?;
        self.changes.insert(change, filled);
        self.dirty.extend(records::touched_by_change(self.db, change)?);
        Ok(())
    }

    /// Notes the records of a change that is about to be taken out of the log; its bytes are not looked at.
    pub(crate) fn take_out(&mut self, stream: StreamRow, change: i64) -> Result<(), Fault> {
        self.streams.insert(stream.seq, stream);
        self.changes.remove(&change);
        self.dirty.extend(records::touched_by_change(self.db, change)?);
        Ok(())
    }

    /// Notes that the verdicts over a stream may change. Must come before what changes them.
    pub(crate) fn rule(&mut self, stream: StreamRow) -> Result<(), Fault> {
        self.streams.insert(stream.seq, stream);
        self.verdicts_before(stream)?;
        self.ruled.insert(stream.seq, stream);
        Ok(())
    }

    /// The same stream with another root; `rule` came before.
    pub(crate) fn rule_again(&mut self, stream: StreamRow) {
        self.streams.insert(stream.seq, stream);
        self.ruled.insert(stream.seq, stream);
    }

    /// Draws the verdicts, folds every touched record once, and saves them.
    pub(crate) fn finish(mut self) -> Result<(Touched, VerdictCache), Fault> {
        for stream in std::mem::take(&mut self.ruled).into_values() {
            self.draw(stream)?;
        }
        let mut keys = Vec::with_capacity(self.dirty.len());
        let mut lost = Vec::new();
        let added: BTreeSet<ChangeId> = self.added.iter().copied().collect();
        for (seq, name) in std::mem::take(&mut self.dirty) {
            let stream = self.stream(name.stream)?;
            let before = self.watched(seq, &name)?;
            let state = self.fold(stream, seq, &name)?;
            if before.is_some_and(|before| self.erased.contains(&seq) || loses(&before, &state, &added)) {
                lost.push(RecordKey { stream: stream.id, kind: name.kind.clone(), id: name.id.clone() });
            }
            let row = project(&state, self.kinds.get(&name.kind));
            records::save(self.db, seq, &name, &state, &row, self.fresh.contains(&seq))?;
            keys.push(RecordKey { stream: stream.id, kind: name.kind, id: name.id });
        }
        let count = lost.len() as u64;
        if self.most_lost.is_some_and(|most| count > most) {
            return Err(StoreError::TooManyLost(Losses::of(lost)).into());
        }
        let touched = Touched { changes: self.added, records: keys, drafts: Vec::new(), lost: count };
        self.before.extend(self.after);
        Ok((touched, self.before))
    }

    /// A record as it was before, if it is watched.
    fn watched(&self, record: i64, name: &Name) -> Result<Option<RecordState>, Fault> {
        let watched = self.most_lost.is_some() && name.kind != STREAM_KIND && !self.fresh.contains(&record);
        if watched { records::state(self.db, name) } else { Ok(None) }
    }

    fn fold(&mut self, stream: StreamRow, record: i64, name: &Name) -> Result<RecordState, Fault> {
        let verdicts = self.verdicts_after(stream)?;
        let mut changes = Vec::new();
        for seq in records::changes_of(self.db, record)? {
            changes.push(self.change(seq)?);
        }
        let changes: Vec<&Change> = changes.iter().map(Arc::as_ref).collect();
        Ok(fold_record(&name.kind, &name.id, &changes, &verdicts))
    }

    /// Computes the verdicts of a stream anew, erases what they redact, and notes the records they reach.
    fn draw(&mut self, stream: StreamRow) -> Result<(), Fault> {
        let before = self.verdicts_before(stream)?;
        let after = Arc::new(self.verdicts_now(stream)?);
        if before != after {
            let known: BTreeSet<ChangeId> = before.drop_candidates().collect();
            for id in after.drop_candidates().filter(|id| !known.contains(id)) {
                self.erase(&id, &after)?;
            }
            self.dirty.extend(ruling::reached(self.db, stream.seq, &before, &after)?);
        }
        self.after.insert(stream.seq, after);
        Ok(())
    }

    fn erase(&mut self, id: &ChangeId, verdicts: &Verdicts) -> Result<(), Fault> {
        if let (Some(held), Some(change)) = (log::held(self.db, id)?, log::change_by_id(self.db, id)?)
            && verdicts.drops(&change)
        {
            log::drop_payload(self.db, id)?;
            blobs::forget_change(self.db, held.seq)?;
            if held.has_payload {
                let records = records::touched_by_change(self.db, held.seq)?;
                self.erased.extend(records.into_iter().map(|(record, _)| record));
            }
            self.changes.remove(&held.seq);
        }
        Ok(())
    }

    fn verdicts_now(&self, stream: StreamRow) -> Result<Verdicts, Fault> {
        let name = Name { stream: stream.seq, kind: STREAM_KIND.to_owned(), id: STREAM_RECORD.to_owned() };
        let record = match self.names.get(&name) {
            Some(seq) => Some(*seq),
            None => records::seq(self.db, &name)?,
        };
        ruling::draw(self.db, stream, record)
    }

    fn verdicts_before(&mut self, stream: StreamRow) -> Result<Arc<Verdicts>, Fault> {
        if let Some(known) = self.before.get(&stream.seq) {
            return Ok(known.clone());
        }
        let drawn = Arc::new(self.verdicts_now(stream)?);
        self.before.insert(stream.seq, drawn.clone());
        Ok(drawn)
    }

    fn verdicts_after(&mut self, stream: StreamRow) -> Result<Arc<Verdicts>, Fault> {
        match self.after.get(&stream.seq) {
            Some(drawn) => Ok(drawn.clone()),
            None => self.verdicts_before(stream),
        }
    }

    /// What a change that arrives must do with its payload.
    pub(crate) fn redacts(&mut self, stream: StreamRow, change: &Change) -> Result<bool, Fault> {
        Ok(self.verdicts_before(stream)?.drops(change))
    }

    fn change(&mut self, seq: i64) -> Result<Arc<Change>, Fault> {
        if let Some(known) = self.changes.get(&seq) {
            return Ok(known.clone());
        }
        let read = Arc::new(log::change(self.db, seq)?);
        self.changes.insert(seq, read.clone());
        Ok(read)
    }

    fn stream(&self, seq: i64) -> Result<StreamRow, Fault> {
        let known = self.streams.get(&seq).copied();
        known.ok_or_else(|| Fault::row("record", seq, "stream", "the stream is missing"))
    }

    /// The row number of a record. A new one gets its row when it is saved.
    fn record(&mut self, name: &Name) -> Result<i64, Fault> {
        if let Some(known) = self.names.get(name) {
            return Ok(*known);
        }
        let seq = match records::seq(self.db, name)? {
            Some(stored) => stored,
            None => {
                let next = match self.next_record {
                    Some(next) => next,
                    None => records::highest(self.db)? + 1,
                };
                self.next_record = Some(next + 1);
                self.fresh.insert(next);
                next
            }
        };
        self.names.insert(name.clone(), seq);
        Ok(seq)
    }
}

/// The devices that differ between two sets.
pub(crate) fn differing(left: &BTreeSet<DeviceId>, right: &BTreeSet<DeviceId>) -> Vec<DeviceId> {
    left.symmetric_difference(right).copied().collect()
}
