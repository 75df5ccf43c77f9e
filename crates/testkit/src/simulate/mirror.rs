//! What one replica holds, as the oracle remembers it, and what that must come to: beside each program a replica in
//! memory that is given the same changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result};
use replica::{BlobHash, Change, ChangeId, RawChange, Replica, RootKey, StateDigest, StreamId, Verdicts};
use rusqlite::Connection;

use super::known::Known;
use super::oracle::{FOLDED, KEPT, REDACTED, SIGNED, broken};

/// The parts of a change that its id does not already fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub signature: [u8; 64],
    pub payload: bool,
    pub stream: StreamId,
}

/// One replica, byte for byte.
#[derive(Clone, Default)]
pub struct Mirror {
    held: HashMap<ChangeId, Kept>,
    /// Attachments that are whole there.
    pub blobs: BTreeSet<BlobHash>,
    streams: BTreeMap<StreamId, Expected>,
}

/// What the changes of one stream come to.
#[derive(Clone, Default)]
struct Expected {
    root: Option<RootKey>,
    replica: Replica,
    states: BTreeMap<(String, String), Vec<u8>>,
}

/// A row of the log: where it is, and what its id does not fix.
struct Row {
    seq: i64,
    signature: [u8; 64],
    payload: bool,
}

impl Mirror {
    /// Whether the change is here with what it says.
    pub fn has_whole(&self, id: &ChangeId) -> bool {
        self.held.get(id).is_some_and(|kept| kept.payload)
    }

    pub fn holds(&self, id: &ChangeId) -> bool {
        self.held.contains_key(id)
    }

    pub fn ids(&self) -> impl Iterator<Item = (&ChangeId, &Kept)> {
        self.held.iter()
    }

    pub fn change(&self, id: &ChangeId) -> Option<&Change> {
        let kept = self.held.get(id)?;
        self.replica(&kept.stream)?.change(&kept.stream, id)
    }

    pub fn count(&self) -> usize {
        self.held.len()
    }

    pub fn replica(&self, stream: &StreamId) -> Option<&Replica> {
        self.streams.get(stream).map(|expected| &expected.replica)
    }

    /// Attachments that records show.
    pub fn shown_blobs(&self) -> BTreeSet<BlobHash> {
        let replicas = self.streams.iter().flat_map(|(stream, expected)| expected.replica.records(stream));
        replicas.flat_map(|state| state.blobs()).map(|named| named.hash).collect()
    }

    pub fn verdicts(&self, stream: &StreamId) -> Verdicts {
        self.replica(stream).map(|replica| replica.verdicts(stream)).unwrap_or_default()
    }

    /// The digest that a program which holds this must have stored.
    pub fn digest(&self, stream: &StreamId) -> String {
        let mut digest = StateDigest::default();
        for ((kind, id), state) in self.streams.get(stream).into_iter().flat_map(|it| &it.states) {
            digest.add(stream, kind, id, state);
        }
        digest.finish()
    }

    /// Looks at a log after something happened: nothing that was there is gone or altered, everything new is as its
    /// author signed it and follows what it names. Gives what is new.
    pub fn follow(
        &mut self,
        who: &str,
        log: &Connection,
        roots: &dyn Fn(&StreamId) -> Option<RootKey>,
        known: &mut Known,
    ) -> Result<Vec<ChangeId>> {
        let now = rows(log)?;
        let mut fresh: BTreeMap<StreamId, Vec<Change>> = BTreeMap::new();
        for (id, row) in &now {
            let before = self.held.get(id);
            if before.is_some_and(|kept| kept.signature != row.signature) {
                return broken(KEPT, format!("{who} holds {id} signed otherwise than before"));
            }
            if before.is_none_or(|kept| row.payload && !kept.payload) {
                let change = self.take(who, log, row, known)?;
                fresh.entry(change.stream).or_default().push(change);
            }
        }
        let new = fresh.values().flatten().map(|change| change.id).collect();
        for (stream, changes) in fresh {
            self.streams.entry(stream).or_default().insert(who, &stream, roots(&stream), changes)?;
        }
        self.compare(who, &now)?;
        Ok(new)
    }

    fn take(&mut self, who: &str, log: &Connection, row: &Row, known: &mut Known) -> Result<Change> {
        let raw = raw(log, row.seq)?;
        let id = raw.id();
        let change = match known.read(raw) {
            Ok(change) => change,
            Err(refused) => {
                return broken(SIGNED, format!("{who} holds {id}, which is not as signed: {refused}"));
            }
        };
        let kept = Kept { signature: row.signature, payload: row.payload, stream: change.stream };
        self.held.insert(id, kept);
        Ok(change)
    }

    /// What is gone, or has lost what it said though nobody redacted it.
    fn compare(&mut self, who: &str, now: &HashMap<ChangeId, Row>) -> Result<()> {
        for (id, kept) in &mut self.held {
            let Some(row) = now.get(id) else { return broken(KEPT, format!("{who} lost {id}")) };
            let replica = &self.streams[&kept.stream].replica;
            let wanted = replica.change(&kept.stream, id).is_some_and(|change| change.raw.payload.is_some());
            if wanted && !row.payload {
                return broken(KEPT, format!("{who} lost what {id} said"));
            }
            if row.payload && !wanted {
                return broken(REDACTED, format!("{who} holds what {id} said, though it was redacted"));
            }
            kept.payload = row.payload;
        }
        Ok(())
    }

    /// The same from nothing, in another order, with everything read again.
    pub fn prove(&self, who: &str) -> Result<()> {
        for (stream, expected) in &self.streams {
            let mut anew = Replica::new(expected.root);
            let changes = expected.replica.changes(stream);
            anew.insert(changes.into_iter().rev().cloned());
            if anew.state_digest() != self.digest(stream) {
                return broken(
                    FOLDED,
                    format!("{who} comes to another state when it is folded from nothing"),
                );
            }
        }
        Ok(())
    }

    /// The root of a stream is known from now on: its rulings count.
    pub fn pin(&mut self, stream: &StreamId, root: Option<RootKey>) {
        if let Some(expected) = self.streams.get_mut(stream)
            && expected.root != root
        {
            let changes: Vec<Change> = expected.replica.changes(stream).into_iter().cloned().collect();
            *expected = Expected { root, replica: Replica::new(root), ..Expected::default() };
            expected.replica.insert(changes);
            expected.write_all(stream);
        }
    }

    pub fn streams(&self) -> impl Iterator<Item = &StreamId> {
        self.streams.keys()
    }
}

impl Expected {
    fn insert(
        &mut self,
        who: &str,
        stream: &StreamId,
        root: Option<RootKey>,
        changes: Vec<Change>,
    ) -> Result<()> {
        if self.states.is_empty() {
            *self = Expected { root, replica: Replica::new(root), states: BTreeMap::new() };
        }
        let before = self.replica.verdicts(stream);
        let count = changes.len();
        let touched: Vec<_> = changes.iter().flat_map(touches).collect();
        if self.replica.insert(changes).new.len() != count {
            return broken(FOLDED, format!("{who} holds a change without the one before it"));
        }
        match self.replica.verdicts(stream) == before {
            true => touched.iter().for_each(|(kind, id)| self.write(stream, kind, id)),
            false => self.write_all(stream),
        }
        Ok(())
    }

    fn write(&mut self, stream: &StreamId, kind: &str, id: &str) {
        if let Some(state) = self.replica.record(stream, kind, id) {
            self.states.insert((kind.to_owned(), id.to_owned()), state.to_bytes());
        }
    }

    fn write_all(&mut self, stream: &StreamId) {
        let bytes = |state: &replica::RecordState| ((state.kind.clone(), state.id.clone()), state.to_bytes());
        self.states = self.replica.records(stream).map(bytes).collect();
    }
}

/// The records that a change writes to.
pub fn touches(change: &Change) -> Vec<(String, String)> {
    let mut names: Vec<_> =
        change.header.writes.iter().map(|write| (write.kind.clone(), write.record.clone())).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn rows(log: &Connection) -> Result<HashMap<ChangeId, Row>> {
    let mut statement = log.prepare_cached("SELECT seq, id, signature, payload IS NOT NULL FROM change")?;
    let mut rows = statement.query([])?;
    let mut found = HashMap::new();
    while let Some(row) = rows.next()? {
        let (id, signature) = (row.get(1)?, row.get(2)?);
        found.insert(ChangeId(id), Row { seq: row.get(0)?, signature, payload: row.get(3)? });
    }
    Ok(found)
}

fn raw(log: &Connection, seq: i64) -> Result<RawChange> {
    let mut statement = log.prepare_cached("SELECT header, signature, payload FROM change WHERE seq = ?1")?;
    let raw = statement.query_row([seq], |row| {
        Ok(RawChange { header: row.get(0)?, signature: row.get(1)?, payload: row.get(2)? })
    });
    raw.context("a row of the log")
}
