//! A replica in memory: a set of changes and the state it comes to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::change::{Change, display_lamport};
use crate::fold::fold_record;
use crate::frontier::Frontier;
use crate::id::{ChangeId, DeviceId, RootKey, StreamId};
use crate::state::RecordState;
use crate::state_json::StateDigest;
use crate::verdict::{STREAM_KIND, STREAM_RECORD, StreamFacts, Verdicts, verdicts};

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

/// Changes and records lie where they were first put; the rest names them by that place.
#[derive(Clone, Default)]
struct Stream {
    changes: Vec<Change>,
    by_id: HashMap<ChangeId, usize>,
    records: Vec<Record>,
    /// By kind and id.
    by_name: BTreeMap<Arc<str>, HashMap<Arc<str>, usize>>,
    frontier: Frontier,
    founder: Option<DeviceId>,
    verdicts: Verdicts,
}

/// A record and the changes that touch it.
#[derive(Clone)]
struct Record {
    kind: Arc<str>,
    id: Arc<str>,
    changes: Vec<usize>,
    /// None: not folded yet.
    state: Option<RecordState>,
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
        let mut ready = Vec::new();
        for change in changes {
            ready.push(change);
            while let Some(change) = ready.pop() {
                let id = change.id;
                match self.place(change) {
                    Placed::New(stream, device, records) => {
                        inserted.new.push(id);
                        let touched = touched.entry(stream).or_default();
                        touched.devices.insert(device);
                        touched.records.extend(records);
                        ready.extend(self.waiting.remove(&id).into_iter().flat_map(BTreeMap::into_values));
                    }
                    Placed::Known => inserted.known += 1,
                    Placed::Waiting => inserted.waiting += 1,
                }
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
        if let Some(held) = stream.by_id.get(&change.id).copied() {
            let (id, device) = (change.stream, change.header.device);
            return stream
                .heal(held, change)
                .map_or(Placed::Known, |records| Placed::New(id, device, records));
        }
        let before = match change.header.prev {
            None => None,
            Some(prev) => match stream.change(&prev) {
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
        let (id, device) = (change.stream, change.header.device);
        Placed::New(id, device, stream.append(change))
    }

    pub fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.streams.keys().copied()
    }

    pub fn change(&self, stream: &StreamId, id: &ChangeId) -> Option<&Change> {
        self.streams.get(stream)?.change(id)
    }

    /// Changes of a stream, each after the one that it follows in its chain.
    pub fn changes(&self, stream: &StreamId) -> Vec<&Change> {
        let mut changes: Vec<&Change> =
            self.streams.get(stream).into_iter().flat_map(|stream| &stream.changes).collect();
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
        let stream = self.streams.get(stream)?;
        stream.records[stream.find(kind, id)?].state.as_ref()
    }

    /// Ordered by kind and id.
    pub fn records(&self, stream: &StreamId) -> impl Iterator<Item = &RecordState> {
        self.streams.get(stream).map(Stream::in_order).unwrap_or_default().into_iter()
    }

    /// The lamport value for the next change of anyone here.
    pub fn next_lamport(&self, stream: &StreamId) -> u64 {
        let shown = self.streams.get(stream).into_iter().flat_map(|stream| &stream.changes);
        shown.map(|change| change.lamport).max().unwrap_or(0) + 1
    }

    /// Every record of every stream, one a line.
    pub fn state_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (id, stream) in &self.streams {
            for record in stream.in_order() {
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
            for record in stream.in_order() {
                digest.add(id, &record.kind, &record.id, &record.to_bytes());
            }
        }
        digest.finish()
    }

    /// Folds everything again; the state is the same.
    pub fn refold(&mut self) {
        for stream in self.streams.values_mut() {
            stream.verdicts = stream.judge(self.root.as_ref());
            stream.fold(0..stream.records.len());
        }
    }
}

/// What an insertion put new changes to.
#[derive(Default)]
struct Touched {
    records: BTreeSet<usize>,
    devices: BTreeSet<DeviceId>,
}

enum Placed {
    New(StreamId, DeviceId, Vec<usize>),
    Known,
    Waiting,
}

/// Says whether a change that names another as the one before it may stand there. One that may not has no
/// place in any chain and is not held.
fn follows(change: &Change, before: &Change) -> bool {
    before.header.device == change.header.device && before.header.n + 1 == change.header.n
}

impl Stream {
    fn change(&self, id: &ChangeId) -> Option<&Change> {
        self.by_id.get(id).map(|at| &self.changes[*at])
    }

    fn find(&self, kind: &str, id: &str) -> Option<usize> {
        self.by_name.get(kind)?.get(id).copied()
    }

    /// The place of a record, which is new if it is not there.
    fn place_of(&mut self, kind: &str, id: &str) -> usize {
        if let Some(known) = self.find(kind, id) {
            return known;
        }
        let (kind, id) = match self.by_name.get_key_value(kind) {
            Some((kind, _)) => (kind.clone(), Arc::from(id)),
            None => (Arc::from(kind), Arc::from(id)),
        };
        let place = self.records.len();
        self.by_name.entry(Arc::clone(&kind)).or_default().insert(Arc::clone(&id), place);
        self.records.push(Record { kind, id, changes: Vec::new(), state: None });
        place
    }

    /// Takes in a change whose predecessor is held, and gives the records that it touches.
    fn append(&mut self, change: Change) -> Vec<usize> {
        let mut touched = Vec::new();
        for write in &change.header.writes {
            let record = self.place_of(&write.kind, &write.record);
            if !touched.contains(&record) {
                touched.push(record);
            }
        }
        let place = self.changes.len();
        for record in &touched {
            self.records[*record].changes.push(place);
        }
        let header = &change.header;
        if header.stream.is_none() {
            self.founder = Some(header.device);
        }
        self.frontier.advance(header.device, header.n, change.id, header.prev);
        self.by_id.insert(change.id, place);
        self.changes.push(change);
        touched
    }

    /// Takes the payload of a change that was held without one, unless it was redacted.
    fn heal(&mut self, held: usize, again: Change) -> Option<Vec<usize>> {
        let change = &mut self.changes[held];
        if change.raw.payload.is_some() || again.raw.payload.is_none() || self.verdicts.drops(change) {
            return None;
        }
        *change = Change { lamport: change.lamport, ..again };
        Some(self.touched_by(&self.changes[held]).collect())
    }

    /// Places of the records that a held change touches; some more than once.
    fn touched_by(&self, change: &Change) -> impl Iterator<Item = usize> {
        change.header.writes.iter().filter_map(|write| self.find(&write.kind, &write.record))
    }

    fn in_order(&self) -> Vec<&RecordState> {
        let mut states: Vec<&RecordState> =
            self.records.iter().filter_map(|record| record.state.as_ref()).collect();
        states.sort_unstable_by_key(|state| (&state.kind, &state.id));
        states
    }

    fn refold(&mut self, mut touched: Touched, root: Option<&RootKey>) {
        let ruled =
            self.find(STREAM_KIND, STREAM_RECORD).is_some_and(|record| touched.records.contains(&record));
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
        let rulings = self.find(STREAM_KIND, STREAM_RECORD);
        let changes = rulings.map(|record| self.touching(record)).unwrap_or_default();
        let prev = |id: &ChangeId| self.change(id).and_then(|change| change.header.prev);
        verdicts(&StreamFacts { founder, changes: &changes, root, prev: &prev })
    }

    fn touching(&self, record: usize) -> Vec<&Change> {
        self.records[record].changes.iter().map(|change| &self.changes[*change]).collect()
    }

    /// Records of changes whose standing or payload is another than it was.
    fn judged_otherwise(&self, before: &Verdicts) -> BTreeSet<usize> {
        let now = &self.verdicts;
        let differ = |change: &&Change| {
            before.standing(change) != now.standing(change) || before.drops(change) != now.drops(change)
        };
        self.changes.iter().filter(differ).flat_map(|change| self.touched_by(change)).collect()
    }

    fn erase(&mut self) {
        for id in self.verdicts.drop_candidates() {
            let Some(place) = self.by_id.get(&id) else { continue };
            let change = &mut self.changes[*place];
            if self.verdicts.drops(change) {
                change.drop_payload();
            }
        }
    }

    fn fold(&mut self, records: impl IntoIterator<Item = usize>) {
        for place in records {
            let Record { kind, id, .. } = &self.records[place];
            let state = fold_record(kind, id, &self.touching(place), &self.verdicts);
            self.records[place].state = Some(state);
        }
    }
}
