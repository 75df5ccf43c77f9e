//! Attachments: files named by their BLAKE3, in a second encrypted file beside the branch's, whole or on their way.
//!
//! What the log or a draft names is kept; what the records show is sent to the city and fetched from it. A file is
//! whole only after its bytes were held against its name.

mod file;
mod names;

use std::path::PathBuf;

use replica::BlobHash;
use replica::limits::MAX_BLOB;

use crate::error::StoreError;
use crate::store::Store;
use crate::touched::Touched;

pub(crate) use file::BlobFile;
pub use names::NamedBlob;
pub(crate) use names::{forget_change, forget_city, note_change, note_record};

/// Files up to this many bytes (thumbnails) travel first and are always fetched.
pub const SMALL: u64 = 64 * 1024;

/// What is here of a file, and whether the city said that it holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobState {
    pub here: BlobHere,
    pub at_city: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobHere {
    Whole {
        len: u64,
    },
    /// The beginning; the rest is on its way.
    Partial {
        have: u64,
        len: u64,
    },
    Missing,
}

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// So many bytes are here now; also the answer to a piece that does not follow what is here.
    Partial {
        have: u64,
    },
    Whole,
    /// The bytes are not the ones that the name says; all of them were thrown away.
    WrongHash,
}

/// What is still to go to the city, or to come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlobsLeft {
    pub blobs: u64,
    pub bytes: u64,
}

impl Store {
    /// Keeps a file; durable when it returns. Keeping it again changes nothing.
    pub fn add_blob(&self, bytes: &[u8]) -> Result<BlobHash, StoreError> {
        let len = bytes.len() as u64;
        check_len(len)?;
        let hash = BlobHash::of(bytes);
        self.fresh_blobs().insert(hash);
        self.blob_file().transact(self.key(), |db| {
            if file::row(db, &hash)?.is_some_and(|row| row.is_whole()) {
                return Ok(());
            }
            file::remove(db, &hash)?;
            file::append(db, &mut file::begin(db, &hash, len)?, bytes)
        })?;
        self.tell(&touched());
        Ok(hash)
    }

    /// The bytes of a file, held against its name. `None`: it is not here, not wholly, or was damaged; what was
    /// damaged counts as missing from now on, so that it is fetched again.
    pub fn blob(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.blob_file().look(self.key(), |db| match file::row(db, hash)? {
            Some(row) if row.is_whole() => Ok(Some(file::bytes(db, &row)?)),
            Some(_) | None => Ok(None),
        });
        match read {
            Ok(Some(bytes)) if BlobHash::of(&bytes) == *hash => Ok(Some(bytes)),
            Ok(None) => Ok(None),
            Ok(Some(_)) | Err(StoreError::Damaged { .. } | StoreError::BadRow { .. }) => {
                self.give_up_blob(hash)?;
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    pub fn blob_state(&self, hash: &BlobHash) -> Result<BlobState, StoreError> {
        let row = self.blob_file().look(self.key(), |db| file::row(db, hash))?;
        let here = match row {
            Some(row) if row.is_whole() => BlobHere::Whole { len: row.len },
            Some(row) => BlobHere::Partial { have: row.have, len: row.len },
            None => BlobHere::Missing,
        };
        Ok(BlobState { here, at_city: self.look(|db| names::is_at_city(db, hash))? })
    }

    /// Puts a piece of a file that comes from elsewhere after what is here; durable when it returns. The last piece
    /// makes it whole, if the bytes are the ones that the name says.
    pub fn append_blob(
        &self,
        hash: &BlobHash,
        len: u64,
        at: u64,
        bytes: &[u8],
    ) -> Result<Appended, StoreError> {
        check_len(len)?;
        let appended = self.blob_file().transact(self.key(), |db| {
            let mut row = match file::row(db, hash)? {
                Some(row) if row.is_whole() => return Ok(Appended::Whole),
                Some(row) if row.len == len => row,
                Some(_) => {
                    file::remove(db, hash)?;
                    file::begin(db, hash, len)?
                }
                None => file::begin(db, hash, len)?,
            };
            if at != row.have || bytes.is_empty() {
                return Ok(Appended::Partial { have: row.have });
            }
            let room = usize::try_from(row.len - row.have).unwrap_or(usize::MAX);
            file::append(db, &mut row, &bytes[..bytes.len().min(room)])?;
            if !row.is_whole() {
                return Ok(Appended::Partial { have: row.have });
            }
            if BlobHash::of(&file::bytes(db, &row)?) == *hash {
                return Ok(Appended::Whole);
            }
            file::remove(db, hash)?;
            Ok(Appended::WrongHash)
        })?;
        if appended == Appended::Whole {
            self.tell(&touched());
        }
        Ok(appended)
    }

    /// Files that records show, that are whole here, and that the city is not known to hold. Small ones first.
    pub fn blobs_to_send(&self) -> Result<Vec<NamedBlob>, StoreError> {
        let here = self.whole_blobs()?;
        let own = self.own_stream()?;
        let shown = self.look(names::shown)?.into_iter();
        Ok(shown
            .filter(|(named, at_city)| !at_city && Some(named.stream) == own && here.contains(&named.hash))
            .map(|(named, _)| named)
            .collect())
    }

    /// Files that records show and that are not whole here. Small ones first.
    pub fn blobs_to_fetch(&self) -> Result<Vec<NamedBlob>, StoreError> {
        let here = self.whole_blobs()?;
        let shown = self.look(names::shown)?.into_iter();
        Ok(shown.filter(|(named, _)| !here.contains(&named.hash)).map(|(named, _)| named).collect())
    }

    /// Files that records show, wherever they are.
    pub fn blobs_shown(&self) -> Result<Vec<NamedBlob>, StoreError> {
        Ok(self.look(names::shown)?.into_iter().map(|(named, _)| named).collect())
    }

    /// How much `blobs_to_send` is; each file counts once.
    pub fn blob_outbox(&self) -> Result<BlobsLeft, StoreError> {
        let mut left = self.blobs_to_send()?;
        left.sort_by_key(|named| named.hash);
        left.dedup_by_key(|named| named.hash);
        Ok(BlobsLeft { blobs: left.len() as u64, bytes: left.iter().map(|named| named.len).sum() })
    }

    /// Notes what the city said, signed, that it holds or does not hold.
    pub fn note_city_blobs(&self, said: &[(BlobHash, bool)]) -> Result<(), StoreError> {
        let news = self.transact(|db| {
            let mut news = false;
            for (hash, held) in said {
                news |= names::note_city(db, hash, *held)?;
            }
            Ok(news)
        })?;
        if news {
            self.tell(&touched());
        }
        Ok(())
    }

    /// Nothing is known any more of what the city holds: it was set back to before it knew this computer.
    pub fn forget_city_blobs(&self) -> Result<(), StoreError> {
        self.transact(|db| names::forget_city(db))
    }

    /// Removes the files that neither the log, a change that waits, a draft, a field of this computer nor `keep`
    /// names. What was added since the branch was opened stays: its draft may not be saved yet. Returns how many.
    pub fn drop_unnamed_blobs(&self, keep: &[BlobHash]) -> Result<usize, StoreError> {
        let fresh = self.fresh_blobs().clone();
        let all = self.blob_file().look(self.key(), file::all)?;
        if all.is_empty() {
            return Ok(0);
        }
        let named = self.look(names::kept)?;
        let is_kept = |hash: &BlobHash| named.contains(hash) || keep.contains(hash) || fresh.contains(hash);
        let unnamed: Vec<BlobHash> =
            all.into_iter().map(|(hash, _)| hash).filter(|hash| !is_kept(hash)).collect();
        if !unnamed.is_empty() {
            self.blob_file()
                .transact(self.key(), |db| unnamed.iter().try_for_each(|hash| file::remove(db, hash)))?;
        }
        Ok(unnamed.len())
    }

    /// Sets a damaged file of attachments aside, for a person who decided so. It is kept under the name that is
    /// returned; what the city holds comes back with the next exchange.
    pub fn set_blobs_aside(&self) -> Result<PathBuf, StoreError> {
        let file = self.blob_file().path().to_owned();
        self.blob_file().close();
        let aside = (1..).map(|n| file.with_extension(format!("damaged-{n}.db"))).find(|path| !path.exists());
        let aside = aside.expect("there are more numbers than files");
        for ending in ["", "-wal", "-shm"] {
            let with = |path: &PathBuf| PathBuf::from(format!("{}{ending}", path.display()));
            let (from, to) = (with(&file), with(&aside));
            if from.exists() {
                std::fs::rename(&from, &to).map_err(|error| StoreError::io(&from, error))?;
            }
        }
        Ok(aside)
    }

    fn whole_blobs(&self) -> Result<std::collections::HashSet<BlobHash>, StoreError> {
        let all = self.blob_file().look(self.key(), file::all)?.into_iter();
        Ok(all.filter(|(_, row)| row.is_whole()).map(|(hash, _)| hash).collect())
    }

    fn give_up_blob(&self, hash: &BlobHash) -> Result<(), StoreError> {
        let removed = self.blob_file().transact(self.key(), |db| file::remove(db, hash));
        match removed {
            Err(StoreError::Damaged { .. }) => {
                self.blob_file().transact(self.key(), |db| file::give_up(db, hash))?;
            }
            other => other?,
        }
        self.tell(&touched());
        Ok(())
    }
}

fn check_len(len: u64) -> Result<(), StoreError> {
    let code = match len {
        0 => "empty_file",
        1..=MAX_BLOB => return Ok(()),
        _ => "file_too_large",
    };
    let [kind, path] = ["blob", "file"].map(str::to_owned);
    Err(StoreError::BadValue { kind, id: String::new(), path, code: code.to_owned() })
}

fn touched() -> Touched {
    Touched::draft("blobs", "")
}
