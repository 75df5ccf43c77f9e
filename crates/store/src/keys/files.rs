//! The two copies of the key file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys::wrap::{KEY_FORMAT, KeyFile};

const NAMES: [&str; 2] = ["keys.json", "keys.copy.json"];

#[derive(Serialize, Deserialize)]
struct Stored {
    keys: KeyFile,
    check: String,
}

enum Copy {
    Good(KeyFile),
    Bad(String),
    Missing,
}

/// Reads the newer of the good copies.
pub(crate) fn read(folder: &Path) -> Result<KeyFile, StoreError> {
    let mut best: Option<KeyFile> = None;
    let mut bad: Option<(PathBuf, String)> = None;
    for name in NAMES {
        let path = folder.join(name);
        match read_copy(&path)? {
            Copy::Good(keys) if best.as_ref().is_none_or(|known| known.seq < keys.seq) => best = Some(keys),
            Copy::Good(_) | Copy::Missing => {}
            Copy::Bad(what) => bad = Some((path, what)),
        }
    }
    match (best, bad) {
        (Some(keys), _) => Ok(keys),
        (None, Some((file, what))) => Err(StoreError::Damaged { file, what }),
        (None, None) => Err(StoreError::NotABranch { folder: folder.to_owned() }),
    }
}

/// Writes both copies, each whole or not at all; a crash in between leaves one good copy at least.
pub(crate) fn save(folder: &Path, keys: &KeyFile) -> Result<(), StoreError> {
    NAMES.iter().try_for_each(|name| save_copy(folder, name, keys))
}

/// Rewrites a copy that is missing, damaged or older.
pub(crate) fn heal(folder: &Path, keys: &KeyFile) -> Result<(), StoreError> {
    for name in NAMES {
        let same = matches!(read_copy(&folder.join(name))?, Copy::Good(found) if found == *keys);
        if !same {
            save_copy(folder, name, keys)?;
        }
    }
    Ok(())
}

fn read_copy(path: &Path) -> Result<Copy, StoreError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Copy::Missing),
        Err(error) => return Err(StoreError::io(path, error)),
    };
    if let Some(found) = format_of(&text).filter(|found| *found > KEY_FORMAT) {
        return Err(StoreError::TooNew { file: path.to_owned(), found, known: KEY_FORMAT });
    }
    Ok(match serde_json::from_slice::<Stored>(&text) {
        Ok(stored) if stored.check == check_of(&stored.keys) => Copy::Good(stored.keys),
        Ok(_) => Copy::Bad("the checksum does not fit".to_owned()),
        Err(error) => Copy::Bad(format!("line {}, column {}", error.line(), error.column())),
    })
}

fn format_of(text: &[u8]) -> Option<i64> {
    serde_json::from_slice::<serde_json::Value>(text).ok()?.get("keys")?.get("v")?.as_i64()
}

fn check_of(keys: &KeyFile) -> String {
    let bytes = serde_json::to_vec(keys).expect("plain data becomes JSON");
    blake3::hash(&bytes).to_hex().to_string()
}

fn save_copy(folder: &Path, name: &str, keys: &KeyFile) -> Result<(), StoreError> {
    let path = folder.join(name);
    let new = folder.join(format!("{name}.new"));
    let stored = Stored { keys: keys.clone(), check: check_of(keys) };
    let text = serde_json::to_vec_pretty(&stored).expect("plain data becomes JSON");
    let written = fs::File::create(&new).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, &path)).map_err(|error| StoreError::io(&path, error))?;
    sync_folder(folder)
}

/// Makes a rename durable. Windows has no handle for folders and needs none.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        fs::File::open(folder)
            .and_then(|opened| opened.sync_all())
            .map_err(|error| StoreError::io(folder, error))?;
    }
    Ok(())
}
