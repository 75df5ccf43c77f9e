//! What was exported and not answered yet, and which answer counts as the latest: by the order of the requests that
//! they answer, whatever the clocks say.

use crate::error::SyncError;
use replica::{ChangeId, DeviceId};
use serde::{Deserialize, Serialize};
use store::Store;

const META: &str = "files";
/// Exports that are remembered.
const KEPT: usize = 20;

/// The exports of this computer, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    pub exports: Vec<Note>,
    /// Requests so far, by any carrier.
    made: u64,
    /// The request whose answer was taken last, and the city's time of that.
    taken: (u64, i64),
}

/// One file that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Hex.
    pub nonce: String,
    pub at: i64,
    pub changes: u64,
    /// Records of which the city did not hold everything.
    pub records: u64,
    pub bytes: u64,
    /// Attachments that are in it, and those that did not fit.
    #[serde(default)]
    pub blobs: u64,
    #[serde(default)]
    pub blobs_left: u64,
    /// Ends of the own stream's chains that are in it or were with the city before.
    pub ends: Vec<(DeviceId, u64, ChangeId)>,
    /// The city's time of the receipt that answered it.
    pub answered: Option<i64>,
    order: u64,
}

/// A receipt in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed {
    /// The city's time.
    pub at: i64,
    /// Not by the key that the city was last known to sign with.
    pub by_another: bool,
}

impl Book {
    pub fn of(store: &Store) -> Result<Book, SyncError> {
        let kept = store.meta(META)?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    fn save(&self, store: &Store) -> Result<(), SyncError> {
        let text = serde_json::to_string(self).expect("a book has text keys only");
        Ok(store.set_meta(META, &text)?)
    }

    /// A request was answered over the network.
    pub(crate) fn passed(store: &Store, at: i64) -> Result<(), SyncError> {
        let mut book = Book::of(store)?;
        book.made += 1;
        book.taken = (book.made, at);
        book.save(store)
    }

    pub(crate) fn add(store: &Store, mut note: Note) -> Result<(), SyncError> {
        let mut book = Book::of(store)?;
        book.made += 1;
        note.order = book.made;
        book.exports.insert(0, note);
        book.exports.truncate(KEPT);
        book.save(store)
    }

    /// Notes an answer. False: a later one was taken before, which knows better what the city holds. A file that answers
    /// nothing has no place in the order. It is taken by the city's clock, which may have been set back; if another key
    /// signed it, it is taken whatever the clock says, for this computer may be able to write to no other key. Is it an old
    /// one after all, then what the city holds besides is told to it again.
    pub(crate) fn take(store: &Store, answers: Option<&str>, signed: Signed) -> Result<bool, SyncError> {
        let at = signed.at;
        let mut book = Book::of(store)?;
        let answered = book.exports.iter_mut().find(|note| Some(note.nonce.as_str()) == answers);
        let order = match answered {
            Some(note) => {
                note.answered = note.answered.or(Some(at));
                note.order
            }
            None => book.taken.0,
        };
        let latest = (order, at) >= book.taken || (answers.is_none() && signed.by_another);
        if latest {
            book.taken = (order, at);
        }
        book.save(store)?;
        Ok(latest)
    }
}

impl Note {
    pub(crate) fn new(nonce: &[u8; 16], at: i64) -> Note {
        let nonce = replica::to_hex(nonce);
        let (changes, records, bytes, blobs, blobs_left) = (0, 0, 0, 0, 0);
        let (ends, answered, order) = (Vec::new(), None, 0);
        Note { nonce, at, changes, records, bytes, blobs, blobs_left, ends, answered, order }
    }

    /// Says whether a change of the own stream is in the file, or was with the city when it was made.
    pub fn holds(&self, device: &DeviceId, n: u64) -> bool {
        self.ends.iter().any(|(other, end, _)| other == device && n <= *end)
    }
}
