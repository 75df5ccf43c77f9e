//! What every write ends in: the changes of one transaction are appended, the verdicts they bring are drawn, and each
//! record that any of it touches is folded once and saved with its lists and search words.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use replica::{
    Change, ChangeId, DeviceId, Kinds, STREAM_KIND, STREAM_RECORD, StreamId, Verdicts, fold_record, planted,
    threads,
};
use rusqlite::Connection;

use crate::blobs;
use crate::ends::Ends;
use crate::error::{Fault, StoreError};
use crate::index::When;
use crate::log::{self, Held, StreamRow};
use crate::losses::{Losses, loses};
use crate::project::project;
use crate::records::{self, Folded, Name};
use crate::ruling;
use crate::touched::Touched;

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
    /// Records that had no row before, with the changes that touch them.
    fresh: HashMap<i64, Vec<i64>>,
    next_record: Option<i64>,
    added: Vec<ChangeId>,
    /// Where the added ones lie.
    held: HashMap<ChangeId, Held>,
    ends: Ends,
    /// So many records may lose something; `None`: nobody asks.
    most_lost: Option<u64>,
    /// Records of which a payload was erased.
    erased: BTreeSet<i64>,
    words: When,
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
            fresh: HashMap::new(),
            next_record: None,
            added: Vec::new(),
            held: HashMap::new(),
            ends: Ends::default(),
            most_lost: None,
            erased: BTreeSet::new(),
            words: When::Now,
        }
    }

    /// Undoes the transaction if more records than this would lose something.
    pub(crate) fn watch_losses(&mut self, most: u64) {
        self.most_lost = Some(most);
    }

    /// The words of the records are indexed after the transaction.
    pub(crate) fn index_later(&mut self) {
        self.words = When::Later;
    }

    /// Appends a change that this computer made: the next one finds it at the end of the chain.
    pub(crate) fn add(&mut self, stream: StreamRow, change: Change) -> Result<(), Fault> {
        self.append(stream, change)?;
        self.ends.write(self.db)
    }

    /// Appends a change whose predecessor is held. The ends of the chains are written when all have come.
    pub(crate) fn append(&mut self, stream: StreamRow, mut change: Change) -> Result<(), Fault> {
        self.streams.insert(stream.seq, stream);
        if self.rules(stream, &change)? {
            self.rule(stream)?;
        }
        let prev = change.header.prev.map(|prev| self.held(&prev)).transpose()?.flatten();
        let held = log::append(self.db, stream.seq, &mut change, prev.as_ref())?;
        self.ends.advance(&held, &change);
        self.held.insert(change.id, held);
        self.added.push(change.id);
        self.touch(stream, held.seq, change)
    }

    /// Where a change lies, if it is held.
    pub(crate) fn held(&self, id: &ChangeId) -> Result<Option<Held>, Fault> {
        match self.held.get(id) {
            Some(held) => Ok(Some(*held)),
            None => log::held(self.db, id),
        }
    }

    pub(crate) fn known_stream(&mut self, id: &StreamId) -> Result<Option<StreamRow>, Fault> {
        if let Some(known) = self.streams.values().find(|row| row.id == *id) {
            return Ok(Some(*known));
        }
        let stored = log::stream(self.db, id)?;
        self.streams.extend(stored.map(|row| (row.seq, row)));
        Ok(stored)
    }

    /// The row of a stream; the first change of it that is seen makes the row.
    pub(crate) fn add_stream(&mut self, id: &StreamId) -> Result<StreamRow, Fault> {
        match self.known_stream(id)? {
            Some(known) => Ok(known),
            None => log::add_stream(self.db, id),
        }
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
                self.fresh.entry(record).and_modify(|changes| changes.push(seq));
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
        self.held.retain(|_, held| held.seq != change);
        self.fresh.values_mut().for_each(|touching| touching.retain(|seq| *seq != change));
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
        self.ends.write(self.db)?;
        for stream in std::mem::take(&mut self.ruled).into_values() {
            self.draw(stream)?;
        }
        let mut foldings = Vec::with_capacity(self.dirty.len());
        for (seq, name) in std::mem::take(&mut self.dirty) {
            foldings.push(self.folding(seq, name)?);
        }
        // Each is let go of with the last record that is folded from it.
        self.changes.clear();
        let added: BTreeSet<ChangeId> = self.added.iter().copied().collect();
        let (mut keys, mut lost) = (Vec::with_capacity(foldings.len()), Vec::new());
        let kinds = self.kinds;
        threads::each(
            foldings,
            |folding: Folding| folding.fold(kinds),
            |folded| {
                if self.was_lost(&folded, &added)? {
                    lost.push(folded.key());
                }
                // What was erased must not be found any more.
                let erased = self.erased.contains(&folded.seq);
                records::save(self.db, &folded, if erased { When::Now } else { self.words })?;
                keys.push(folded.key());
                Ok::<(), Fault>(())
            },
        )?;
        let count = lost.len() as u64;
        if self.most_lost.is_some_and(|most| count > most) {
            return Err(StoreError::TooManyLost(Losses::of(lost)).into());
        }
        let touched = Touched { changes: self.added, records: keys, drafts: Vec::new(), lost: count };
        self.before.extend(self.after);
        Ok((touched, self.before))
    }

    /// Whether a record that is watched and not saved yet loses something.
    fn was_lost(&self, folded: &Folded, added: &BTreeSet<ChangeId>) -> Result<bool, Fault> {
        let watched = self.most_lost.is_some() && folded.name.kind != STREAM_KIND;
        let Some(after) = folded.state.as_ref().filter(|_| watched) else { return Ok(false) };
        let before = records::state(self.db, &folded.name)?;
        let erased = self.erased.contains(&folded.seq);
        Ok(before.is_some_and(|before| erased || loses(&before, after, added)))
    }

    /// Reads what the fold of a record needs.
    fn folding(&mut self, record: i64, name: Name) -> Result<Folding, Fault> {
        let stream = self.stream(name.stream)?;
        let verdicts = self.verdicts_after(stream)?;
        let touching = match self.fresh.get(&record) {
            Some(new) => new.clone(),
            None => records::changes_of(self.db, record)?,
        };
        let changes = touching.into_iter().map(|seq| self.change(seq)).collect::<Result<Vec<_>, _>>()?;
        let fresh = self.fresh.contains_key(&record);
        Ok(Folding { seq: record, stream: stream.id, name, fresh, changes, verdicts })
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
                self.fresh.insert(next, Vec::new());
                next
            }
        };
        self.names.insert(name.clone(), seq);
        Ok(seq)
    }
}

/// A record that is to be folded.
struct Folding {
    seq: i64,
    stream: StreamId,
    name: Name,
    fresh: bool,
    changes: Vec<Arc<Change>>,
    verdicts: Arc<Verdicts>,
}

impl Folding {
    fn fold(self, kinds: &Kinds) -> Folded {
        let Self { seq, stream, name, fresh, changes, verdicts } = self;
        let changes: Vec<&Change> = changes.iter().map(Arc::as_ref).collect();
        let state = fold_record(&name.kind, &name.id, &changes, &verdicts);
        let row = project(&state, kinds.get(&name.kind));
        let (bytes, word_hash, blobs) = (state.to_bytes(), row.words.hash(), state.blobs());
        Folded { seq, stream, name, fresh, state: (!fresh).then_some(state), bytes, row, word_hash, blobs }
    }
}

/// The devices that differ between two sets.
pub(crate) fn differing(left: &BTreeSet<DeviceId>, right: &BTreeSet<DeviceId>) -> Vec<DeviceId> {
    left.symmetric_difference(right).copied().collect()
}
