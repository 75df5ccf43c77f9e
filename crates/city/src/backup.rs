//! A consistent copy of the city while it serves, and what opens it again.
//!
//! The copy is encrypted as the database is. The key is left out unless a passphrase is given, so that whoever finds the
//! copy finds nothing.

use crate::blobs::{self, Copied, CopyError, Shelf};
use crate::city::City;
use crate::db::{Db, DbError, Folder, write_secret};
use crate::passphrase::{self, Sealed};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

const WHAT: &str = "jishi city backup";

/// What a backup says of itself, beside the database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct About {
    pub what: String,
    pub version: u32,
    pub root: String,
    /// Unix milliseconds.
    pub made_at: i64,
    /// The database key under a passphrase, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Sealed>,
}

/// A backup that was made.
#[derive(Debug, Clone)]
pub struct BackedUp {
    pub about: About,
    /// What is in it of the attachments that its database knows as whole.
    pub attachments: Copied,
}

/// Why there is no backup. The city itself is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{0} 已经存在，没有改动它。请换一个新的文件夹")]
    Exists(PathBuf),
    #[error("备份没有做成，写不了 {file}：{source}")]
    File { file: PathBuf, source: io::Error },
    #[error("口令太短：至少 12 个字符")]
    ShortPassphrase,
    #[error(transparent)]
    Attachments(#[from] CopyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

pub(crate) fn about_file(backup: &Path) -> PathBuf {
    backup.join("backup.json")
}

impl City {
    /// Copies the city in `folder` to a new folder. Nobody has to stop for it. An attachment that is missing or damaged
    /// in `folder` is named in what is given, and counts as missing from now on; for anything else that goes wrong there is no backup.
    pub fn backup(
        &self,
        folder: &Folder,
        to: &Path,
        passphrase: Option<&str>,
    ) -> Result<BackedUp, BackupError> {
        if to.exists() {
            return Err(BackupError::Exists(to.to_owned()));
        }
        let made = self.copy_all(folder, to, passphrase);
        match &made {
            Ok(made) => {
                for lost in &made.attachments.lost {
                    if let Err(refuse) = blobs::forget_damaged(self, &lost.hash) {
                        tracing::error!(code = refuse.code, "a damaged attachment is still here");
                    }
                }
            }
            Err(_) => {
                // A half-made backup must not look like one.
                let _gone = std::fs::remove_dir_all(to);
            }
        }
        made
    }

    fn copy_all(
        &self,
        folder: &Folder,
        to: &Path,
        passphrase: Option<&str>,
    ) -> Result<BackedUp, BackupError> {
        let no_file = |file: &Path| {
            let file = file.to_owned();
            move |source| BackupError::File { file, source }
        };
        let copy = Folder::new(to);
        let database = copy.database();
        let inside = database.parent().expect("the database lies in a folder");
        std::fs::create_dir_all(inside).map_err(no_file(inside))?;
        let key = match passphrase {
            Some(words) if words.chars().count() < passphrase::SHORTEST => {
                return Err(BackupError::ShortPassphrase);
            }
            Some(words) => Some(passphrase::seal(&self.world, words, folder.read_key()?.as_bytes())),
            None => None,
        };
        self.db.copy_to(&database)?;
        // After the database: what it knows as whole is on the disk by then.
        let shelf = Shelf::new(copy.blobs(), &folder.read_key()?);
        let copied = |c: &Connection| blobs::copy_all(c, self.blobs.shelf(), &shelf);
        let attachments = Db::read_copy(folder, &database, copied)?;
        let about = About {
            what: WHAT.to_owned(),
            version: 1,
            root: self.root.to_string(),
            made_at: self.world.now(),
            key,
        };
        let text = serde_json::to_string_pretty(&about).expect("a description has text keys only");
        write_secret(&about_file(to), &text).map_err(no_file(&about_file(to)))?;
        Ok(BackedUp { about, attachments })
    }
}

/// Reads what a backup says of itself; None for a plain copy of a city's folder.
pub fn about(backup: &Path) -> io::Result<Option<About>> {
    match std::fs::read(about_file(backup)) {
        Ok(bytes) => Ok(serde_json::from_slice::<About>(&bytes).ok().filter(|about| about.what == WHAT)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Copies the files below a folder that are not there yet. A folder that is missing has none.
pub(crate) fn copy_new(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_new(&entry.path(), &target)?;
        } else if !target.exists() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
