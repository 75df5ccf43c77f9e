//! One branch folder and the operating system's lock on it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// A folder that this process alone has open. The lock goes with the value, also when the process is killed.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the lock of an existing folder, or says who cannot: another program, or the file system.
    pub(crate) fn lock(path: &Path) -> Result<Self, StoreError> {
        if !path.is_dir() {
            return Err(StoreError::NotABranch { folder: path.to_owned() });
        }
        let file = path.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&file)
            .map_err(|error| StoreError::io(&file, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::AlreadyOpen { folder: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(StoreError::io(&file, error)),
        }
    }

    /// Makes the folder, if need be, and takes its lock.
    pub(crate) fn make(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|error| StoreError::io(path, error))?;
        Self::lock(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("branch.db")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.path.join("blobs.db")
    }
}
