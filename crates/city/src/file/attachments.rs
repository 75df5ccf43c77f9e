//! Attachments in files: what a laptop brings is taken in if its streams name it, and what it lacks goes back, small ones
//! first, as far as a file goes. They come after the changes and cannot stop them.

use super::read::Addressed;
use crate::blobs::{self, Brought, Sight};
use crate::city::City;
use crate::db::DbError;
use crate::http::Refuse;
use crate::{quarantine, right};
use replica::{BlobHash, DeviceId, StreamId};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use wire::blobs::PIECE;
use wire::file::{FileError, Inventory, SectionKind, fitting, open};

/// Attachments of at most so many bytes, thumbnails that is, go before larger ones.
const SMALL: u64 = PIECE as u64;

/// What came of the attachments of a file.
#[derive(Debug, Default)]
pub struct Came {
    pub new: usize,
    /// Nothing that the bringer may see names them, their bytes are others, or there was no room.
    pub turned_away: usize,
}

/// Takes in the attachments of a request file, after its changes. Of a device whose right was taken, what it wrote in its
/// streams names them.
pub fn take_in(
    city: &City,
    file: &Addressed<'_>,
    bringer: &DeviceId,
    streams: &[StreamId],
) -> Result<Came, Refuse> {
    let streams = city.db.read::<_, DbError>(|c| {
        let mut own = Vec::new();
        for stream in streams {
            if right::may_read(c, stream, bringer)? || quarantine::is_signer(c, stream, bringer)? {
                own.push(*stream);
            }
        }
        Ok(own)
    })?;
    let (mut came, mut open) = (Came::default(), open(&file.label, file.behind, &file.key)?);
    loop {
        let section = match open.next() {
            Ok(Some(section)) if section.kind == SectionKind::Blob => section,
            Ok(Some(_)) => continue,
            Err(FileError::WrongBlob(_)) => {
                came.turned_away += 1;
                continue;
            }
            // Where it is damaged was found when its changes were read.
            Ok(None) | Err(_) => return Ok(came),
        };
        match blobs::take_in(city, bringer, &streams, &section.bytes) {
            Ok(Brought::New) => came.new += 1,
            Ok(Brought::Known) => {}
            Ok(Brought::NotNamed) => came.turned_away += 1,
            Err(refuse) => {
                tracing::error!(code = refuse.code, "an attachment of a file was not taken in");
                came.turned_away += 1;
            }
        }
    }
}

/// What is known of the attachments on the laptop that a file is for.
pub enum Has {
    /// It said so in its own file.
    These(BTreeSet<BlobHash>),
    /// Nobody asked: at least those that changes of its own name.
    Own,
    /// Its program says nothing of attachments, and takes none.
    NoIdea,
}

/// What of attachments goes into a file for a laptop.
#[derive(Default)]
pub struct Parcel {
    /// All that the laptop may see and the city holds.
    pub held: Inventory,
    pub blobs: Vec<Vec<u8>>,
    /// So many more did not fit and go with the next file.
    pub left: usize,
}

/// Chooses what goes to a device, in at most so many bytes.
pub fn pack(
    city: &City,
    device: &DeviceId,
    streams: &[StreamId],
    has: &Has,
    room: u64,
) -> Result<Parcel, Refuse> {
    let (seen, has) = city.db.read::<_, DbError>(|c| {
        let seen = streams.iter().map(|stream| Seen::of(city, c, *stream, device));
        Ok((seen.collect::<Result<Vec<_>, _>>()?, known(c, has, device)?))
    })?;
    let mut parcel = Parcel::default();
    let mut wanted = BTreeMap::new();
    for seen in seen {
        let mut held = Vec::new();
        for (hash, lengths) in &seen.named {
            if let Some(len) = blobs::whole(city, hash, lengths)? {
                held.push(*hash);
                if seen.shown.contains(hash) && has.as_ref().is_some_and(|has| !has.contains(hash)) {
                    wanted.insert((len > SMALL, *hash), len);
                }
            }
        }
        parcel.held.streams.push((seen.stream, held));
    }
    let fits = fitting(wanted.values().copied(), room);
    parcel.left = wanted.len() - fits;
    for (_, hash) in wanted.into_keys().take(fits) {
        match blobs::bytes(city, &hash)? {
            Some(bytes) => parcel.blobs.push(bytes),
            None => {
                // The laptop hears that it is missing, and sends it again if it has it.
                blobs::forget_damaged(city, &hash)?;
                parcel.held.streams.iter_mut().for_each(|(_, held)| held.retain(|other| *other != hash));
            }
        }
    }
    Ok(parcel)
}

fn known(c: &Connection, has: &Has, device: &DeviceId) -> Result<Option<BTreeSet<BlobHash>>, DbError> {
    Ok(match has {
        Has::These(hashes) => Some(hashes.clone()),
        Has::Own => Some(blobs::named_by(c, device)?),
        Has::NoIdea => None,
    })
}

/// The attachments of one stream as one device sees them.
struct Seen {
    stream: StreamId,
    /// With the lengths that the names say.
    named: BTreeMap<BlobHash, Vec<u64>>,
    /// By records as they are now. What only earlier states named is kept, and not sent around.
    shown: BTreeSet<BlobHash>,
}

impl Seen {
    fn of(city: &City, c: &Connection, stream: StreamId, device: &DeviceId) -> Result<Seen, DbError> {
        if !right::may_read(c, &stream, device)? {
            return Ok(Seen { stream, named: BTreeMap::new(), shown: BTreeSet::new() });
        }
        let named = Sight::new(city, c, stream, *device).all()?;
        Ok(Seen { stream, named, shown: blobs::shown(c, &stream)? })
    }
}
