//! A branch in a temporary folder, with a clock that stands still and randomness that repeats.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use store::{RecoveryCode, Sources, Store, StoreError};
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
}

impl World {
    pub fn new() -> Self {
        Self::seeded(1)
    }

    pub fn seeded(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let still = Still::new(seed);
        let (store, code) = Store::create(&dir.path().join("branch"), PASSWORD, still.clone()).unwrap();
        Self { dir, still, code, store: Some(store) }
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
