//! One laptop of a story: a folder, the store that is open on it, and a clock of its own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context, Result};
use replica::Change;
use store::{RecoveryCode, Store};

use super::base::copy;
use super::held::Held;
use crate::world::World;

pub const NAMES: [&str; 12] = ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸", "子", "丑"];

/// The process ends here. Never an error: nothing may catch it but the story.
pub struct Crash;

pub struct Laptop {
    pub name: &'static str,
    pub folder: PathBuf,
    pub world: Arc<World>,
    pub code: Arc<RecoveryCode>,
    pub held: Held,
    store: Option<Store>,
    /// Commits until the process ends; 0 never.
    fuse: Arc<AtomicI64>,
}

impl Laptop {
    pub fn open(
        name: &'static str,
        folder: PathBuf,
        world: Arc<World>,
        code: Arc<RecoveryCode>,
    ) -> Result<Laptop> {
        let fuse = Arc::new(AtomicI64::new(0));
        let mut laptop = Laptop { name, folder, world, code, held: Held::default(), store: None, fuse };
        laptop.start()?;
        Ok(laptop)
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().expect("the program runs between events")
    }

    fn start(&mut self) -> Result<()> {
        let store = Store::open_with_recovery(&self.folder, &self.code, self.world.clone())
            .with_context(|| format!("{} does not start", self.name))?;
        let fuse = self.fuse.clone();
        store.on_changed(Arc::new(move |_| {
            if fuse.load(Ordering::SeqCst) > 0 && fuse.fetch_sub(1, Ordering::SeqCst) == 1 {
                resume_unwind(Box::new(Crash));
            }
        }));
        self.store = Some(store);
        Ok(())
    }

    /// Runs something that the process may die of: after so many commits, or where `work` says so. Gives None if it
    /// died. Whatever is then on disk is what the next process finds.
    pub fn run<T>(&mut self, commits: i64, work: impl FnOnce(&Laptop) -> T) -> Result<Option<T>> {
        self.fuse.store(commits, Ordering::SeqCst);
        let done = catch_unwind(AssertUnwindSafe(|| work(self)));
        self.fuse.store(0, Ordering::SeqCst);
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
        self.store = None;
        std::fs::remove_dir_all(&self.folder)?;
        std::fs::rename(folder, &self.folder)?;
        self.start()
    }

    /// Every change of every stream.
    pub fn changes(&self) -> Result<Vec<Change>> {
        let mut all = Vec::new();
        for stream in self.store().streams()? {
            all.extend(self.store().changes(&stream.id)?);
        }
        Ok(all)
    }
}

fn is_crash(cause: &(dyn Any + Send)) -> bool {
    cause.is::<Crash>()
}
