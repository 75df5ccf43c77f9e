//! A branch with its history, made through the program and filled through the store's own way to write.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use app::{App, World as AppWorld};
use store::{Author, Query, Sources, Store};
use testkit::{BRANCH, Calls, Entry, History, PASSWORD, Town, World, a_branch};

/// The folder of a branch, its history, and the clock of the computer that it is on.
pub struct Branch {
    pub root: PathBuf,
    pub folder: String,
    pub computer: Arc<Computer>,
}

impl Branch {
    /// Sets a branch up as a person does.
    pub fn set_up(root: &Path, seed: u64) -> Result<Self> {
        let computer = Computer::new(seed);
        let app = App::new(root.to_owned(), AppWorld::new(computer.clone())).map_err(words)?;
        let name = &Town::read()?.organisation(BRANCH)?.name.clone();
        let folder = a_branch().named(name, "示范支部").set_up(&app)?;
        app.ask("close_branch", serde_json::json!({}))?;
        Ok(Self { root: root.to_owned(), folder, computer })
    }

    pub fn path(&self) -> PathBuf {
        self.root.join(&self.folder)
    }

    pub fn file(&self) -> PathBuf {
        self.path().join("branch.db")
    }

    pub fn store(&self) -> Result<Store> {
        Ok(Store::open(&self.path(), PASSWORD, self.computer.clone())?)
    }

    /// The program with no branch open.
    pub fn program(&self) -> Result<App> {
        App::new(self.root.clone(), AppWorld::new(self.computer.clone())).map_err(words)
    }

    /// Enters a history, one change a record, each at its own time.
    pub fn enter(&self, history: &History) -> Result<()> {
        let store = self.store()?;
        let own = store.list(&Query::of("organisation"))?;
        let organisation = own.rows.first().context("set-up made no organisation")?.id.clone();
        for entry in &history.entries {
            self.computer.world.set(entry.at);
            match entry.kind {
                "organisation" => complete(&store, &organisation, entry)?,
                _ => create(&store, entry)?,
            }
        }
        self.computer.world.set(testkit::EVENING);
        Ok(())
    }
}

/// Enters a record.
pub fn create(store: &Store, entry: &Entry) -> Result<()> {
    store.write(&author(), "save", |write| write.create(entry.kind, &entry.id, &entry.fields))?;
    Ok(())
}

pub fn author() -> Author {
    Author::new("周海东")
}

/// Adds what the history knows of the branch to what set-up asked.
fn complete(store: &Store, organisation: &str, entry: &Entry) -> Result<()> {
    store.write(&author(), "save", |write| write.put("organisation", organisation, &entry.fields))?;
    Ok(())
}

fn words(error: app::CallError) -> anyhow::Error {
    anyhow::anyhow!("{}", serde_json::json!(error))
}

/// Time and randomness of one computer, which remembers what keys could have been made of.
pub struct Computer {
    pub world: Arc<World>,
    drawn: Mutex<Vec<[u8; 32]>>,
}

impl Computer {
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { world: World::new(seed), drawn: Mutex::default() })
    }

    /// Everything of the length of a key that was drawn so far. The key of the branch file is one of them.
    pub fn drawn(&self) -> Vec<[u8; 32]> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sources for Computer {
    fn now(&self) -> i64 {
        self.world.now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.world.fill(bytes);
        if let Ok(key) = <[u8; 32]>::try_from(&*bytes) {
            self.drawn.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        }
    }
}
