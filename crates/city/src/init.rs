//! `city init`: a new city from a register of organisations. Either all of it is there afterwards or nothing.

use crate::accounts::{self, OPERATOR};
use crate::audit;
use crate::city::{CityError, insert, kind_labels};
use crate::db::{Db, DbError, Folder, hex, set_meta, write_secret};
use crate::keys;
use crate::organisations::{self, BadFile, Organisation};
use crate::password;
use crate::world::World;
use ed25519_dalek::SigningKey;
use replica::Kinds;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// What is shown once.
#[derive(Debug)]
pub struct Setup {
    pub password: String,
    pub organisations: usize,
}

/// Why no city was made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error("文件夹 {0} 里已经有市级平台的数据，没有改动它。换一个空文件夹，或先把它移走")]
    Exists(PathBuf),
    #[error("文件夹 {folder} 写不了：{source}")]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error(transparent)]
    File(#[from] BadFile),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    City(#[from] CityError),
}

/// Reads the register first: a fault in it leaves the disk as it was.
pub fn init(folder: &Folder, register: &Path, world: &World) -> Result<Setup, InitError> {
    let read = organisations::read(register, &kind_labels(&Kinds::builtin()))?;
    if [folder.database(), folder.key(), folder.root_key()].iter().any(|file| file.exists()) {
        return Err(InitError::Exists(folder.root.clone()));
    }
    let made = make(folder, &read, world);
    if made.is_err() {
        clear(folder);
    }
    made
}

fn make(folder: &Folder, read: &[Organisation], world: &World) -> Result<Setup, InitError> {
    let no_folder = |source| InitError::Folder { folder: folder.root.clone(), source };
    let database = folder.database();
    std::fs::create_dir_all(database.parent().expect("the database lies in a folder")).map_err(no_folder)?;
    let root = SigningKey::from_bytes(&world.random());
    write_secret(&folder.root_key(), &hex(&root.to_bytes())).map_err(no_folder)?;
    let db = Db::create(folder, world.random())?;
    let password = password::make(world);
    db.write::<_, InitError>(|t| {
        let now = world.now();
        set_meta(t, "root", &root.verifying_key().to_bytes())?;
        keys::install(t, world, &root)?;
        accounts::insert(t, OPERATOR, &password::hash(world, &password), now)?;
        add_all(t, read)?;
        Ok(audit::note(t, now, OPERATOR, "city made", &read.len().to_string())?)
    })?;
    Ok(Setup { password, organisations: read.len() })
}

/// Superiors come before those below them, whatever the order of the file.
fn add_all(t: &Connection, read: &[Organisation]) -> Result<(), DbError> {
    t.pragma_update(None, "defer_foreign_keys", true)?;
    for (position, organisation) in (1..).zip(read) {
        insert(t, organisation, position)?;
    }
    Ok(())
}

/// Removes what a failed attempt left. Nothing was there before it.
fn clear(folder: &Folder) {
    let database = folder.database();
    for file in [folder.key(), folder.root_key(), database.with_extension("sqlite-wal"), database] {
        if let Err(cause) = std::fs::remove_file(&file)
            && cause.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(file = %file.display(), %cause, "left over from the failed attempt");
        }
    }
}
