//! A branch in a temporary folder, with a clock that stands still and randomness that repeats.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use replica::{RawChange, StreamId};
use serde_json::{Value, json};
use store::{Applied, Author, RecoveryCode, Sources, Store, StoreError, Touched};
use tempfile::TempDir;

pub const PASSWORD: &str = "柳树下的老井";
pub const START: i64 = 1_791_000_000_000;

/// A clock that only a test moves, and bytes that only look random.
pub struct Still {
    now: AtomicI64,
    drawn: AtomicU64,
    seed: u64,
}

impl Still {
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(START), drawn: AtomicU64::new(0), seed })
    }

    pub fn pass(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Sources for Still {
    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn fill(&self, bytes: &mut [u8]) {
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
        let mut reader = blake3::Hasher::new()
            .update(&self.seed.to_le_bytes())
            .update(&drawn.to_le_bytes())
            .finalize_xof();
        reader.fill(bytes);
    }
}

pub struct World {
    pub dir: TempDir,
    pub still: Arc<Still>,
    pub code: RecoveryCode,
    pub store: Option<Store>,
    copies: Vec<TempDir>,
}

impl World {
    pub fn new() -> Self {
        Self::seeded(1)
    }

    pub fn seeded(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let still = Still::new(seed);
        let (store, code) = Store::create(&dir.path().join("branch"), PASSWORD, still.clone()).unwrap();
        Self { dir, still, code, store: Some(store), copies: Vec::new() }
    }

    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("branch")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().expect("the branch is open")
    }

    pub fn close(&mut self) {
        self.store = None;
    }

    pub fn open(&self, password: &str) -> Result<Store, StoreError> {
        Store::open(&self.folder(), password, self.still.clone())
    }

    pub fn reopen(&mut self) -> &Store {
        self.close();
        self.store = Some(self.open(PASSWORD).unwrap());
        self.store()
    }
}

pub fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

pub fn me() -> Author {
    Author::new("p-secretary")
}

/// Fields of a record, as the application hands them over.
pub fn fields<const N: usize>(fields: [(&str, Value); N]) -> BTreeMap<String, Value> {
    fields.map(|(path, value)| (path.to_owned(), value)).into()
}

pub fn meeting(title: &str, start: &str) -> BTreeMap<String, Value> {
    fields([
        ("title", json!(title)),
        ("types", json!(["theme_day"])),
        ("time", json!({"start": start, "end": format!("{}T17:30", &start[..10])})),
        ("place", json!("三楼会议室")),
        ("agenda/a1/topic", json!("学习二十届四中全会精神")),
        ("attendance/p-1/status", json!("present")),
        ("attendance/p-2/status", json!("leave")),
    ])
}

pub fn person(name: &str) -> BTreeMap<String, Value> {
    fields([
        ("name", json!(name)),
        ("category", json!("member")),
        ("id_number", json!("379999196305240890")),
        ("phone", json!("13900983959")),
    ])
}

impl World {
    /// A branch whose stream is founded.
    pub fn founded() -> Self {
        Self::founded_as(1)
    }

    pub fn founded_as(seed: u64) -> Self {
        let world = Self::seeded(seed);
        world.store().found(&me(), "办公室电脑").unwrap();
        world
    }

    pub fn create(&self, kind: &str, id: &str, with: &BTreeMap<String, Value>) -> Touched {
        self.store().write(&me(), "create", |w| w.create(kind, id, with)).unwrap()
    }

    pub fn put(&self, kind: &str, id: &str, path: &str, value: Value) -> Touched {
        let with = fields([(path, value)]);
        self.store().write(&me(), "edit", |w| w.put(kind, id, &with)).unwrap()
    }

    /// A copy of this computer, as a disk image makes one: same key, same identity.
    pub fn copy(&mut self) -> Store {
        self.close();
        let copy = tempfile::tempdir().unwrap();
        for name in ["branch.db", "keys.json", "keys.copy.json"] {
            std::fs::copy(self.file(name), copy.path().join(name)).unwrap();
        }
        self.reopen();
        let store = Store::open(copy.path(), PASSWORD, Still::new(1)).unwrap();
        self.copies.push(copy);
        store
    }

    pub fn value(&self, kind: &str, id: &str, path: &str) -> Option<Value> {
        self.store().record(kind, id).unwrap().and_then(|state| state.value(path).cloned())
    }

    pub fn stream(&self) -> StreamId {
        self.store().own_stream().unwrap().expect("the stream is founded")
    }

    /// Everything that this branch holds, as it would be carried.
    pub fn all(&self) -> Vec<RawChange> {
        self.store().changes(&self.stream()).unwrap().into_iter().map(|change| change.raw).collect()
    }

    /// A second computer that holds the same and writes to the same stream, let in by the first.
    pub fn second(&self) -> Self {
        let second = Self::seeded(77);
        let path = format!("~device/{}", second.store().device().unwrap());
        self.store().write(&me(), "let in", |w| w.put_stream(&path, json!({"name": "二号"}))).unwrap();
        second.store().apply(&self.all()).unwrap();
        second.store().join_stream(&self.stream()).unwrap();
        second
    }

    pub fn pull(&self, from: &Self) -> Applied {
        self.store().apply(&from.all()).unwrap()
    }

    pub fn digests(&self) -> (String, String) {
        let stream = self.stream();
        (self.store().digest(&stream).unwrap(), self.store().projection_digest(&stream).unwrap())
    }
}
