//! Attachments in backups. They are copied after the database, so that what it knows as whole is there; each copy is held
//! against its name, and one that is not whole is named and left out, so that whoever has it is asked for it again.

use super::rows::{self, Row};
use super::shelf::{Shelf, ShelfError};
use crate::db::DbError;
use replica::BlobHash;
use rusqlite::Connection;

/// What came of the attachments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    pub whole: usize,
    pub lost: Vec<Lost>,
}

/// An attachment that the database knows as whole, and whose file is missing or damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub hash: BlobHash,
    /// Whose records name it.
    pub organisations: Vec<String>,
}

/// Copies every attachment that the database behind the connection knows.
pub fn copy_all(c: &Connection, from: &Shelf, to: &Shelf) -> Result<Copied, CopyError> {
    let mut copied = Copied::default();
    for hash in rows::all(c)? {
        let Some(row) = rows::row(c, &hash)? else { continue };
        if !row.is_whole() {
            // Only the beginning: what cannot be read of it goes up once more.
            match to.take_over(from, &hash) {
                Err(error) if from.measure(&hash).is_ok() => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        } else if copy(from, to, &hash, row)? {
            copied.whole += 1;
        } else {
            copied.lost.push(Lost { hash, organisations: rows::naming(c, &hash)? });
        }
    }
    Ok(copied)
}

/// The same for a restored database, which forgets those that came back from nowhere: they are not here, and may be
/// sent again. One that is whole at `to` already stays.
pub fn bring_back(t: &Connection, from: &Shelf, to: &Shelf) -> Result<Copied, CopyError> {
    let copied = copy_all(t, from, to)?;
    copied.lost.iter().try_for_each(|lost| rows::remove(t, &lost.hash))?;
    Ok(copied)
}

/// Copies one attachment. False: it is not whole at `from`, and nothing of it is at `to`.
fn copy(from: &Shelf, to: &Shelf, hash: &BlobHash, row: Row) -> Result<bool, ShelfError> {
    if to.is_whole(hash, row.len) {
        return Ok(true);
    }
    let taken = to.take_over(from, hash);
    if taken.is_ok() && to.is_whole(hash, row.len) {
        return Ok(true);
    }
    to.remove(hash)?;
    match taken {
        Err(error) if from.is_whole(hash, row.len) => Err(error),
        Ok(()) | Err(_) => Ok(false),
    }
}

/// Why attachments were not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error(transparent)]
    Db(#[from] DbError),
}
