//! A replica in memory: a set of changes and the state it comes to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::change::{Change, display_lamport};
use crate::fold::fold_record;
use crate::frontier::Frontier;
use crate::id::{ChangeId, DeviceId, RootKey, StreamId};
use crate::state::RecordState;
use crate::state_json::StateDigest;
use crate::verdict::{STREAM_KIND, STREAM_RECORD, StreamFacts, Verdicts, verdicts};

type RecordKey = (String, String);

/// A set of changes of several streams, in memory. Its state is kept up to date record by record, and is always
/// what a fold from scratch would give.
#[derive(Clone, Default)]
pub struct Replica {
    root: Option<RootKey>,
    streams: BTreeMap<StreamId, Stream>,
    /// Changes whose chain has a gap before them, by the change that is missing.
    waiting: HashMap<ChangeId, BTreeMap<ChangeId, Change>>,
}

/// What became of the changes that were put in.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    pub new: Vec<ChangeId>,
    pub known: usize,
    /// Held apart until the change before them in their chain arrives.
    pub waiting: usize,
}

#[derive(Clone, Default)]
struct Stream {
    changes: HashMap<ChangeId, Change>,
    by_record: HashMap<RecordKey, Vec<ChangeId>>,
    frontier: Frontier,
    founder: Option<DeviceId>,
    verdicts: Verdicts,
    records: BTreeMap<RecordKey, RecordState>,
}

impl Replica {
    /// A replica that believes the rulings of cities certified by this root.
    pub fn new(root: Option<RootKey>) -> Self {
        Self { root, ..Self::default() }
    }

    /// Unites changes into the set and folds each touched record once.
    pub fn insert(&mut self, changes: impl IntoIterator<Item = Change>) -> Inserted {
        let mut inserted = Inserted::default();
        let mut touched: BTreeMap<StreamId, Touched> = BTreeMap::new();
        let mut todo: Vec<Change> = changes.into_iter().collect();
        todo.reverse();
        while let Some(change) = todo.pop() {
            let id = change.id;
            match self.place(change) {
                Placed::New(stream, device, records) => {
                    inserted.new.push(id);
                    let touched = touched.entry(stream).or_default();
                    touched.devices.insert(device);
                    touched.records.extend(records);
                    todo.extend(self.waiting.remove(&id).into_iter().flat_map(BTreeMap::into_values));
                }
                Placed::Known => inserted.known += 1,
                Placed::Waiting => inserted.waiting += 1,
            }
        }
        for (id, touched) in touched {
            let stream = self.streams.get_mut(&id).expect("a change was just placed in it");
            stream.refold(touched, self.root.as_ref());
        }
        inserted
    }

    fn place(&mut self, mut change: Change) -> Placed {
        let stream = self.streams.entry(change.stream).or_default();
        if let Some(held) = stream.changes.get_mut(&change.id) {
            return heal(held, change, &stream.verdicts)
                .map_or(Placed::Known, |records| Placed::New(held.stream, held.header.device, records));
        }
        let before = match change.header.prev {
            None => None,
            Some(prev) => match stream.changes.get(&prev) {
                Some(before) if !follows(&change, before) => return Placed::Known,
                Some(before) => Some(before.lamport),
                None => {
                    let waiting = self.waiting.entry(prev).or_default();
                    if change.raw.payload.is_some() || !waiting.contains_key(&change.id) {
                        waiting.insert(change.id, change);
                    }
                    return Placed::Waiting;
                }
            },
        };
        change.lamport = display_lamport(before, change.header.lamport);
        let records = touched_records(&change);
        for record in &records {
            stream.by_record.entry(record.clone()).or_default().push(change.id);
        }
        let header = &change.header;
        if header.stream.is_none() {
            stream.founder = Some(header.device);
        }
        stream.frontier.advance(header.device, header.n, change.id, header.prev);
        let placed = Placed::New(change.stream, header.device, records);
        stream.changes.insert(change.id, change);
        placed
    }

    pub fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.streams.keys().copied()
    }

    pub fn change(&self, stream: &StreamId, id: &ChangeId) -> Option<&Change> {
        self.streams.get(stream)?.changes.get(id)
    }

    /// Changes of a stream, each after the one that it follows in its chain.
    pub fn changes(&self, stream: &StreamId) -> Vec<&Change> {
        let mut changes: Vec<&Change> =
            self.streams.get(stream).into_iter().flat_map(|stream| stream.changes.values()).collect();
        changes.sort_by_key(|change| (change.header.device, change.header.n, change.id));
        changes
    }

    pub fn frontier(&self, stream: &StreamId) -> Frontier {
        self.streams.get(stream).map(|stream| stream.frontier.clone()).unwrap_or_default()
    }

    pub fn verdicts(&self, stream: &StreamId) -> Verdicts {
        self.streams.get(stream).map(|stream| stream.verdicts.clone()).unwrap_or_default()
    }

    pub fn record(&self, stream: &StreamId, kind: &str, id: &str) -> Option<&RecordState> {
        self.streams.get(stream)?.records.get(&(kind.to_string(), id.to_string()))
    }

    pub fn records(&self, stream: &StreamId) -> impl Iterator<Item = &RecordState> {
        self.streams.get(stream).into_iter().flat_map(|stream| stream.records.values())
    }

    /// The lamport value for the next change of anyone here.
    pub fn next_lamport(&self, stream: &StreamId) -> u64 {
        let shown = self.streams.get(stream).into_iter().flat_map(|stream| stream.changes.values());
        shown.map(|change| change.lamport).max().unwrap_or(0) + 1
    }

    /// Every record of every stream, one a line.
    pub fn state_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (id, stream) in &self.streams {
            for record in stream.records.values() {
                bytes.extend_from_slice(id.to_string().as_bytes());
                bytes.push(b' ');
                bytes.extend(record.to_bytes());
                bytes.push(b'\n');
            }
        }
        bytes
    }

    /// The digest that a laptop and the city compare.
    pub fn state_digest(&self) -> String {
        let mut digest = StateDigest::default();
        for (id, stream) in &self.streams {
            for ((kind, record), state) in &stream.records {
                digest.add(id, kind, record, &state.to_bytes());
            }
        }
        digest.finish()
    }

    /// Folds everything again; the state is the same.
    pub fn refold(&mut self) {
        for stream in self.streams.values_mut() {
            stream.records.clear();
            stream.verdicts = stream.judge(self.root.as_ref());
            let all: BTreeSet<RecordKey> = stream.by_record.keys().cloned().collect();
            stream.fold(all);
        }
    }
}

#[derive(Default)]
struct Touched {
    records: BTreeSet<RecordKey>,
    devices: BTreeSet<DeviceId>,
}

enum Placed {
    New(StreamId, DeviceId, BTreeSet<RecordKey>),
    Known,
    Waiting,
}

/// Says whether a change that names another as the one before it may stand there. One that may not has no
/// place in any chain and is not held.
fn follows(change: &Change, before: &Change) -> bool {
    before.header.device == change.header.device && before.header.n + 1 == change.header.n
}

fn touched_records(change: &Change) -> BTreeSet<RecordKey> {
    let mut writes: Vec<_> = change.header.writes.iter().map(|write| (&write.kind, &write.record)).collect();
    writes.sort_unstable();
    writes.dedup();
    writes.into_iter().map(|(kind, record)| (kind.clone(), record.clone())).collect()
}

/// Takes the payload of a change that was held without one, unless it was redacted.
fn heal(held: &mut Change, again: Change, verdicts: &Verdicts) -> Option<BTreeSet<RecordKey>> {
    if held.raw.payload.is_some() || again.raw.payload.is_none() || verdicts.drops(held) {
        return None;
    }
    *held = Change { lamport: held.lamport, ..again };
    Some(touched_records(held))
}

impl Stream {
    fn refold(&mut self, mut touched: Touched, root: Option<&RootKey>) {
        let ruled = touched.records.contains(&(STREAM_KIND.to_string(), STREAM_RECORD.to_string()));
        let lost = touched.devices.iter().any(|device| self.verdicts.revoked.contains_key(device));
        if ruled || lost || self.verdicts.devices.as_ref().is_none_or(BTreeSet::is_empty) {
            let before = std::mem::take(&mut self.verdicts);
            self.verdicts = self.judge(root);
            touched.records.extend(self.judged_otherwise(&before));
        }
        self.erase();
        self.fold(touched.records);
    }

    fn judge(&self, root: Option<&RootKey>) -> Verdicts {
        let Some(founder) = self.founder else {
            return Verdicts::nobody();
        };
        let changes = self.touching(&(STREAM_KIND.to_string(), STREAM_RECORD.to_string()));
        let prev = |id: &ChangeId| self.changes.get(id).and_then(|change| change.header.prev);
        verdicts(&StreamFacts { founder, changes: &changes, root, prev: &prev })
    }

    fn touching(&self, record: &RecordKey) -> Vec<&Change> {
        self.by_record.get(record).into_iter().flatten().map(|id| &self.changes[id]).collect()
    }

    /// Records of changes whose standing or payload is another than it was.
    fn judged_otherwise(&self, before: &Verdicts) -> BTreeSet<RecordKey> {
        let now = &self.verdicts;
        let differ = |change: &&Change| {
            before.standing(change) != now.standing(change) || before.drops(change) != now.drops(change)
        };
        self.changes.values().filter(differ).flat_map(touched_records).collect()
    }

    fn erase(&mut self) {
        let dropped: Vec<ChangeId> = self.verdicts.drop_candidates().collect();
        for id in dropped {
            if let Some(change) = self.changes.get_mut(&id)
                && self.verdicts.drops(change)
            {
                change.drop_payload();
            }
        }
    }

    fn fold(&mut self, records: BTreeSet<RecordKey>) {
        for key in records {
            let state = fold_record(&key.0, &key.1, &self.touching(&key), &self.verdicts);
            self.records.insert(key, state);
        }
    }
}
