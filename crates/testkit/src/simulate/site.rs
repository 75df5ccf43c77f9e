//! The city of a story: a folder, and the program that is open on it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use city::{City, Folder, Ground};
use disk::Disk;
use replica::{ChangeId, Kinds, StreamId};
use rusqlite::Connection;

use super::base::{copy, reader};
use super::known::Known;
use super::mirror::Mirror;
use super::oracle::{FOLDED, broken};
use crate::world::World;

pub struct Site {
    pub folder: PathBuf,
    pub world: Arc<World>,
    pub mirror: Mirror,
    ground: Ground,
    kinds: Kinds,
    open: Option<(Arc<City>, Connection)>,
}

impl Site {
    pub fn open(folder: PathBuf, world: Arc<World>, ground: Ground, mirror: Mirror) -> Result<Site> {
        let mut site = Site { folder, world, mirror, ground, kinds: Kinds::builtin(), open: None };
        site.start()?;
        Ok(site)
    }

    fn start(&mut self) -> Result<()> {
        let folder = Folder::on(self.ground, &self.folder);
        let mut city = City::open(&folder, self.world.of_city(), false).context("the city does not start")?;
        city.kinds = self.kinds.clone();
        let key = std::fs::read_to_string(folder.key())?;
        let key: [u8; 32] = replica::from_hex(key.trim()).expect("a key file holds 64 hex digits");
        self.open = Some((Arc::new(city), reader(&folder.database(), self.ground.plain, &key)?));
        Ok(())
    }

    pub fn stop(&mut self) {
        self.open = None;
    }

    /// The program ends and is started again on another disk, the machine's own if None.
    pub fn put_on(&mut self, disk: Option<&'static Disk>) -> Result<()> {
        self.stop();
        disk.iter().for_each(|disk| disk.reset());
        self.ground.disk = disk.map(|disk| disk.name);
        self.start()
    }

    pub fn off_disk(&mut self) {
        self.ground.disk = None;
    }

    /// The program of another year is installed.
    pub fn install(&mut self, kinds: Kinds) -> Result<()> {
        self.stop();
        self.kinds = kinds;
        self.start()
    }

    pub fn city(&self) -> &Arc<City> {
        &self.open.as_ref().expect("the city runs between events").0
    }

    /// The process is killed and started again on what it left.
    pub fn crash(&mut self) -> Result<()> {
        let left = self.folder.with_extension("left");
        copy(&self.folder, &left)?;
        self.replace_by(left)
    }

    /// The folder's content becomes that of another, which is used up. The old program ends before.
    pub fn replace_by(&mut self, folder: PathBuf) -> Result<()> {
        self.stop();
        std::fs::remove_dir_all(&self.folder)?;
        std::fs::rename(folder, &self.folder)?;
        self.start()
    }

    /// Looks at what the program stored: it lost nothing, and its states are what its changes come to. Gives what is
    /// new.
    pub fn look(&mut self, known: &mut Known) -> Result<Vec<ChangeId>> {
        let (city, reader) = self.open.as_ref().expect("the city runs between events");
        let new = self.mirror.follow("the city", reader, &|_| Some(city.root), known)?;
        let streams: Vec<StreamId> = self.mirror.streams().copied().collect();
        for stream in streams {
            if city.digest(&stream)? != self.mirror.digest(&stream) {
                let count = self.mirror.count();
                return broken(
                    FOLDED,
                    format!("the city stores another state than its {count} changes come to"),
                );
            }
        }
        Ok(new)
    }
}
