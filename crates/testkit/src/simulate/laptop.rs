//! One laptop of a story: a folder, the store that is open on it, and a clock of its own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use replica::{ChangeId, Kinds, StreamId};
use rusqlite::Connection;
use store::{Ground, RecoveryCode, Store};

use super::base::{copy, reader};
use super::known::Known;
use super::mirror::Mirror;
use super::oracle::{FOLDED, broken};
use crate::world::World;

pub const NAMES: [&str; 12] = ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸", "子", "丑"];

/// The process ends here. Never an error: nothing may catch it but the story.
pub struct Crash;

pub struct Laptop {
    pub name: &'static str,
    pub folder: PathBuf,
    pub world: Arc<World>,
    pub code: Arc<RecoveryCode>,
    pub mirror: Mirror,
    pub ground: Ground,
    pub kinds: Kinds,
    /// The stream that it belongs into.
    pub branch: StreamId,
    /// The city was set back since this laptop heard from it: what it thinks to be reported may not be.
    pub stale: bool,
    /// Its line is bad, and it sends little at a time.
    pub narrow: bool,
    open: Option<(Store, Connection)>,
    told: Arc<Told>,
}

/// What the listeners of a store heard, and when one of them kills the process.
#[derive(Default)]
struct Told {
    /// Commits until the process ends; 0 never.
    fuse: AtomicI64,
    changes: Mutex<Vec<ChangeId>>,
}

impl Told {
    fn hear(&self, changes: &[ChangeId]) {
        locked(&self.changes).extend(changes);
        if self.fuse.load(Ordering::SeqCst) > 0 && self.fuse.fetch_sub(1, Ordering::SeqCst) == 1 {
            resume_unwind(Box::new(Crash));
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Laptop {
    pub fn open(
        name: &'static str,
        folder: PathBuf,
        world: Arc<World>,
        code: Arc<RecoveryCode>,
        ground: Ground,
        mirror: Mirror,
        branch: StreamId,
    ) -> Result<Laptop> {
        let (kinds, told) = (Kinds::builtin(), Arc::default());
        let mut laptop = Laptop {
            name,
            folder,
            world,
            code,
            mirror,
            ground,
            kinds,
            branch,
            stale: false,
            narrow: false,
            open: None,
            told,
        };
        laptop.start()?;
        Ok(laptop)
    }

    pub fn store(&self) -> &Store {
        &self.open.as_ref().expect("the program runs between events").0
    }

    pub fn start(&mut self) -> Result<()> {
        let store = Store::open_on(self.ground, &self.folder, &self.code, self.world.clone())
            .with_context(|| format!("{} does not start", self.name))?
            .knowing(self.kinds.clone());
        let told = self.told.clone();
        store.on_changed(Arc::new(move |touched| told.hear(&touched.changes)));
        let reader = reader(store.file(), self.ground.plain, &store.database_key())?;
        self.open = Some((store, reader));
        Ok(())
    }

    pub fn stop(&mut self) {
        self.open = None;
    }

    /// The program of another year is installed.
    pub fn install(&mut self, kinds: Kinds) -> Result<()> {
        self.stop();
        self.kinds = kinds;
        self.start()
    }

    /// Looks at what the program stored: it lost nothing, and its state is what its changes come to. Gives what is new.
    pub fn look(&mut self, known: &mut Known) -> Result<Vec<ChangeId>> {
        let (store, reader) = self.open.as_ref().expect("the program runs between events");
        let streams = store.streams()?;
        let root = |id: &StreamId| streams.iter().find(|info| info.id == *id).and_then(|info| info.root);
        streams.iter().for_each(|info| self.mirror.pin(&info.id, info.root));
        let new = self.mirror.follow(self.name, reader, &root, known)?;
        for info in &streams {
            if store.digest(&info.id)? != self.mirror.digest(&info.id) {
                let count = self.mirror.count();
                return broken(
                    FOLDED,
                    format!("{} stores another state than its {count} changes come to", self.name),
                );
            }
        }
        Ok(new)
    }

    /// Whether the city named an end that did not arrive. What it held before that in its chain cannot be known: it may have
    /// been set back, and have got another way of the chain since.
    pub fn lacks_an_end(&self) -> Result<bool> {
        let city = self.store().city_frontier(&self.branch)?;
        for device in city.0.keys() {
            for (_, id) in city.ends(device) {
                if self.store().change(&id)?.is_none() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What listeners were told since this was last asked.
    pub fn told(&self) -> Vec<ChangeId> {
        std::mem::take(&mut locked(&self.told.changes))
    }

    /// Runs something that the process may die of: after so many commits, or where `work` says so. Gives None if it
    /// died. Whatever is then on disk is what the next process finds.
    pub fn run<T>(&mut self, commits: i64, work: impl FnOnce(&Laptop) -> T) -> Result<Option<T>> {
        self.told.fuse.store(commits, Ordering::SeqCst);
        let done = catch_unwind(AssertUnwindSafe(|| work(self)));
        self.told.fuse.store(0, Ordering::SeqCst);
        match done {
            Ok(done) => Ok(Some(done)),
            Err(cause) if is_crash(&*cause) => self.restart().map(|()| None),
            Err(cause) => resume_unwind(cause),
        }
    }

    /// Starts over on the bytes that a killed process leaves: the files as they are, nothing folded back.
    fn restart(&mut self) -> Result<()> {
        let left = self.folder.with_extension("left");
        copy(&self.folder, &left)?;
        self.replace_by(left)
    }

    /// The folder's content becomes that of another, which is used up.
    pub fn replace_by(&mut self, folder: PathBuf) -> Result<()> {
        self.stop();
        std::fs::remove_dir_all(&self.folder)?;
        std::fs::rename(folder, &self.folder)?;
        self.start()
    }
}

fn is_crash(cause: &(dyn Any + Send)) -> bool {
    cause.is::<Crash>()
}
