//! The city of a story: a folder, and the program that is open on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use city::{City, Folder};
use replica::{Change, RawChange};
use rusqlite::Connection;

use super::base::copy;
use super::held::Held;
use crate::world::World;

pub struct Site {
    pub folder: PathBuf,
    pub world: Arc<World>,
    pub held: Held,
    open: Option<(Arc<City>, Connection)>,
}

impl Site {
    pub fn open(folder: PathBuf, world: Arc<World>) -> Result<Site> {
        let open = Some(start(&folder, &world)?);
        Ok(Site { folder, world, held: Held::default(), open })
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
        self.open = None;
        std::fs::remove_dir_all(&self.folder)?;
        std::fs::rename(folder, &self.folder)?;
        self.open = Some(start(&self.folder, &self.world)?);
        Ok(())
    }

    /// Every change that the database holds, read past the program.
    pub fn changes(&self) -> Result<Vec<Change>> {
        let statement = "SELECT header, signature, payload FROM change ORDER BY seq";
        let (_, reader) = self.open.as_ref().expect("the city runs between events");
        let mut statement = reader.prepare_cached(statement)?;
        let mut rows = statement.query([])?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            let raw = RawChange { header: row.get(0)?, signature: row.get(1)?, payload: row.get(2)? };
            changes.push(raw.read().context("the city holds a change that cannot be read")?);
        }
        Ok(changes)
    }
}

fn start(folder: &Path, world: &Arc<World>) -> Result<(Arc<City>, Connection)> {
    let folder = Folder::new(folder);
    let city = Arc::new(City::open(&folder, world.of_city(), false)?);
    let reader = Connection::open(folder.database())?;
    let key = std::fs::read_to_string(folder.key())?;
    reader.pragma_update(None, "key", format!("x'{}'", key.trim()))?;
    reader.pragma_update(None, "query_only", true)?;
    Ok((city, reader))
}
