//! `city restore`: a city from a backup, or from a copy of its folder. What came in after the copy comes back from the
//! laptops; what only the city had is listed.

use crate::backup::{self, About, copy_new};
use crate::blobs::{self, Copied, CopyError, Shelf};
use crate::city::{City, CityError};
use crate::db::{Db, DbError, Folder, set_meta, write_secret};
use crate::keys::{self, RootError};
use crate::world::World;
use crate::{accounts, audit, passphrase};
use ed25519_dalek::SigningKey;
use replica::DeviceId;
use rusqlite::{Connection, OptionalExtension};
use std::io;
use std::path::{Path, PathBuf};

/// What opens the backup's database.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    /// The `city.key` that was kept apart.
    File(&'a Path),
    /// The backup holds the key under these words.
    Passphrase(&'a str),
}

/// What is restored, with what.
#[derive(Debug, Clone, Copy)]
pub struct Restoring<'a> {
    /// A backup folder, a copy of a city's folder, or its database file.
    pub from: &'a Path,
    pub key: Key<'a>,
    /// Without it the city signs with a spare key that it has certified already.
    pub root: Option<&'a SigningKey>,
}

/// What came back, and what no laptop can bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The time of the last thing that is in the copy.
    pub until: i64,
    pub changes: i64,
    /// The key that the city signs with from now on.
    pub device: DeviceId,
    pub voided_codes: usize,
    /// Accounts of the copy. Ones that were made later are gone.
    pub accounts: Vec<String>,
    /// The audit log ends here.
    pub audit_until: Option<i64>,
    /// Offices with a stream: what they wrote since comes back only from computers that read it.
    pub offices: Vec<Office>,
    /// Attachments that the copy knows as whole. Those that are lost come back from the laptops, like what came later.
    pub attachments: Copied,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    pub name: String,
    /// Computers that may read its stream.
    pub readers: i64,
}

/// Why nothing was restored. Both folders are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("文件夹 {0} 里已经有市级平台的数据，没有改动它。先把它移到别处（不要删除），再恢复")]
    Exists(PathBuf),
    #[error("在 {0} 找不到备份的数据库（db/city.sqlite）")]
    NoBackup(PathBuf),
    #[error("备份里没有带密钥。请用 --key 指出另外保存的 city.key")]
    NoKey,
    #[error("口令不对，或者备份里的密钥已损坏。没有改动任何东西")]
    WrongPassphrase,
    #[error("备份里没有备用签名密钥了。请取来根密钥，加上 --root 再恢复")]
    NeedsRoot,
    #[error("{file} 读写不了：{source}")]
    File { file: PathBuf, source: io::Error },
    #[error(transparent)]
    Attachments(#[from] CopyError),
    #[error(transparent)]
    Root(#[from] RootError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    City(#[from] CityError),
}

impl From<rusqlite::Error> for RestoreError {
    fn from(error: rusqlite::Error) -> RestoreError {
        RestoreError::Db(DbError::Sqlite(error))
    }
}

/// Restores into a folder that holds no city. Either all of it is there afterwards or nothing.
pub fn restore(folder: &Folder, restoring: Restoring<'_>, world: &World) -> Result<Restored, RestoreError> {
    if folder.database().exists() || folder.key().exists() {
        return Err(RestoreError::Exists(folder.root.clone()));
    }
    let had_attachments = folder.blobs().exists();
    let made = bring_back(folder, restoring, world);
    if made.is_err() {
        if !had_attachments {
            let _gone = std::fs::remove_dir_all(folder.blobs());
        }
        for file in [folder.key(), folder.database(), wal(&folder.database())] {
            let _gone = std::fs::remove_file(file);
        }
    }
    made
}

fn bring_back(folder: &Folder, restoring: Restoring<'_>, world: &World) -> Result<Restored, RestoreError> {
    let from = Folder::new(restoring.from);
    let source = if restoring.from.is_file() { restoring.from.to_owned() } else { from.database() };
    if !source.is_file() {
        return Err(RestoreError::NoBackup(restoring.from.to_owned()));
    }
    let key = key(restoring)?;
    let target = folder.database();
    let inside = target.parent().expect("the database lies in a folder");
    let no_file = |file: &Path| {
        let file = file.to_owned();
        move |source| RestoreError::File { file, source }
    };
    std::fs::create_dir_all(inside).map_err(no_file(inside))?;
    std::fs::copy(&source, &target).map_err(no_file(&source))?;
    // A plain copy of a folder has its last transactions in there.
    if wal(&source).is_file() {
        std::fs::copy(wal(&source), wal(&target)).map_err(no_file(&wal(&source)))?;
    }
    write_secret(&folder.key(), key.trim()).map_err(no_file(&folder.key()))?;
    let db = Db::open(folder)?;
    let mut restored = db.write(|t| begin_again(t, restoring.root, world))?;
    // Files that the database does not know as whole, too: it may name them.
    copy_new(&from.blobs(), &folder.blobs()).map_err(no_file(&folder.blobs()))?;
    let [source, target] = [&from, folder].map(|folder| Shelf::new(folder.blobs(), key.trim()));
    restored.attachments = db.write(|t| blobs::bring_back(t, &source, &target))?;
    drop(db);
    // It opens, and the key that signs is there.
    City::open(folder, world.clone(), false)?.operating()?;
    Ok(restored)
}

fn wal(database: &Path) -> PathBuf {
    database.with_extension("sqlite-wal")
}

fn key(restoring: Restoring<'_>) -> Result<String, RestoreError> {
    match restoring.key {
        Key::File(file) => std::fs::read_to_string(file)
            .map_err(|source| RestoreError::File { file: file.to_owned(), source }),
        Key::Passphrase(words) => {
            let unreadable = |source| RestoreError::File { file: backup::about_file(restoring.from), source };
            let about: Option<About> = backup::about(restoring.from).map_err(unreadable)?;
            let sealed = about.and_then(|about| about.key).ok_or(RestoreError::NoKey)?;
            let secret = passphrase::open(&sealed, words).ok_or(RestoreError::WrongPassphrase)?;
            String::from_utf8(secret.to_vec()).map_err(|_| RestoreError::WrongPassphrase)
        }
    }
}

/// A fresh key, no open codes, nobody signed in.
fn begin_again(t: &Connection, root: Option<&SigningKey>, world: &World) -> Result<Restored, RestoreError> {
    let now = world.now();
    let until = t.query_row("SELECT coalesce(max(received_at), 0) FROM change", [], |row| row.get(0))?;
    let audit_until = t.query_row("SELECT max(at) FROM audit", [], |row| row.get(0)).optional()?.flatten();
    match root {
        Some(root) => {
            keys::is_root(root, &crate::city::root(t)?)?;
            keys::install(t, world, root)?;
        }
        None if keys::take_spare(t)? => {}
        None => return Err(RestoreError::NeedsRoot),
    }
    let voided_codes =
        t.execute("UPDATE enrol_code SET ends_at = ?1 WHERE used_at IS NULL AND ends_at > ?1", [now])?;
    t.execute("DELETE FROM session", [])?;
    set_meta(t, "restored_at", now.to_string().as_bytes())?;
    let device = keys::signing(t)?.device();
    audit::note(t, now, "command line", "restored", &device.to_string())?;
    Ok(Restored {
        until,
        changes: t.query_row("SELECT count(*) FROM change", [], |row| row.get(0))?,
        device,
        voided_codes,
        accounts: accounts::names(t)?,
        audit_until,
        offices: offices(t)?,
        attachments: Copied::default(),
    })
}

/// Organisations that others are below, with the computers that exchange their stream: their own and those below.
fn offices(c: &Connection) -> Result<Vec<Office>, DbError> {
    let mut statement = c.prepare(
        "WITH RECURSIVE below (office, id) AS (
             SELECT id, id FROM organisation
              WHERE stream IS NOT NULL AND id IN (SELECT parent FROM organisation)
             UNION SELECT b.office, o.id FROM organisation o JOIN below b ON o.parent = b.id)
         SELECT o.name,
                (SELECT count(DISTINCT s.device) FROM below b JOIN organisation r ON r.id = b.id
                   JOIN signer s ON s.stream = r.stream
                  WHERE b.office = o.id AND s.revoked = 0
                    AND s.device NOT IN (SELECT device FROM operating_key))
         FROM organisation o WHERE o.id IN (SELECT office FROM below) ORDER BY o.position",
    )?;
    let rows = statement.query_map([], |row| Ok(Office { name: row.get(0)?, readers: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
