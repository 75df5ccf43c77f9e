//! Attachments in a file for the city: which ones go, in which order, and their bytes one after another.

use crate::error::SyncError;
use crate::plan::Sides;
use replica::BlobHash;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Cursor, Read};
use store::{NamedBlob, SMALL, Store};
use wire::file::{Inventory, SectionHead, SectionKind, fitting};

use super::export::Scope;

/// Attachments of files that no answer has spoken of yet.
const CARRIED: &str = "files.carried";

/// What of attachments goes into a file.
pub struct Parcel {
    /// All that is whole here.
    pub held: Inventory,
    pub blobs: Vec<NamedBlob>,
    /// Those that did not fit.
    pub left: u64,
}

/// Chooses attachments of at most so many bytes: what went with no file before, thumbnails first. One that is damaged
/// here is left out, and fetched if anybody has it.
pub fn pack(store: &Store, sides: &[Sides], scope: Scope, room: u64) -> Result<Parcel, SyncError> {
    let vouched: HashSet<_> = sides.iter().map(|sides| sides.stream).collect();
    let here = here(store, &vouched)?;
    let open: HashSet<BlobHash> = store.blobs_to_send()?.iter().map(|named| named.hash).collect();
    let carried = carried(store)?;
    let mut wanted = match scope {
        Scope::SinceReceipt => here.iter().filter(|named| open.contains(&named.hash)).copied().collect(),
        Scope::Everything => here.clone(),
    };
    // The sort keeps the order of the records.
    wanted
        .sort_by_key(|named| (carried.contains(&named.hash), !open.contains(&named.hash), named.len > SMALL));
    let mut seen = HashSet::new();
    wanted.retain(|named| seen.insert(named.hash));
    let fits = fitting(wanted.iter().map(|named| named.len), room);
    let left = (wanted.len() - fits) as u64;
    let mut parcel = Parcel { held: Inventory::default(), blobs: Vec::new(), left };
    let mut damaged = HashSet::new();
    for named in wanted.into_iter().take(fits) {
        match store.blob(&named.hash)? {
            Some(_) => parcel.blobs.push(named),
            None => _ = damaged.insert(named.hash),
        }
    }
    let mut held: BTreeMap<_, Vec<BlobHash>> = vouched.iter().map(|stream| (*stream, Vec::new())).collect();
    for named in here.iter().filter(|named| !damaged.contains(&named.hash)) {
        held.entry(named.stream).or_default().push(named.hash);
    }
    parcel.held.streams = held.into_iter().collect();
    Ok(parcel)
}

/// What records of these streams show and is whole here, in the order in which it travels.
fn here(store: &Store, vouched: &HashSet<replica::StreamId>) -> Result<Vec<NamedBlob>, SyncError> {
    let lacking: HashSet<BlobHash> = store.blobs_to_fetch()?.iter().map(|named| named.hash).collect();
    let mut shown = store.blobs_shown()?;
    shown.retain(|named| vouched.contains(&named.stream) && !lacking.contains(&named.hash));
    Ok(shown)
}

fn carried(store: &Store) -> Result<BTreeSet<BlobHash>, SyncError> {
    let text = store.meta(CARRIED)?.unwrap_or_default();
    Ok(text.split_whitespace().filter_map(|hash| hash.parse().ok()).collect())
}

/// Notes that a file with these is on its way: others go before them until an answer came.
pub fn note_carried(store: &Store, blobs: &[BlobHash]) -> Result<(), SyncError> {
    let mut carried = carried(store)?;
    let open: BTreeSet<BlobHash> = store.blobs_to_send()?.iter().map(|named| named.hash).collect();
    carried.retain(|hash| open.contains(hash));
    carried.extend(blobs);
    let text: Vec<String> = carried.iter().map(ToString::to_string).collect();
    Ok(store.set_meta(CARRIED, &text.join(" "))?)
}

/// The city said what it holds.
pub fn forget_carried(store: &Store) -> Result<(), SyncError> {
    Ok(store.drop_meta(CARRIED)?)
}

impl Parcel {
    /// How the head of the file names them.
    pub fn sections(&self) -> impl Iterator<Item = SectionHead> + '_ {
        self.blobs.iter().map(|named| SectionHead {
            kind: SectionKind::Blob,
            len: named.len,
            hash: named.hash.0,
        })
    }

    /// Their bytes, read when their turn comes.
    pub fn readers<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = Lazy<'a>> {
        self.blobs.iter().map(move |named| Lazy { store, hash: named.hash, bytes: None })
    }
}

/// One attachment: only the one that is being read is in memory.
pub struct Lazy<'a> {
    store: &'a Store,
    hash: BlobHash,
    bytes: Option<Cursor<Vec<u8>>>,
}

impl Read for Lazy<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = match &mut self.bytes {
            Some(bytes) => bytes,
            None => {
                let bytes = self.store.blob(&self.hash).map_err(io::Error::other)?;
                let bytes = bytes.ok_or_else(|| io::Error::other("an attachment was damaged meanwhile"))?;
                self.bytes.insert(Cursor::new(bytes))
            }
        };
        let read = bytes.read(into)?;
        if bytes.position() == bytes.get_ref().len() as u64 {
            // The end says nothing more, and takes no room.
            *bytes = Cursor::default();
        }
        Ok(read)
    }
}
