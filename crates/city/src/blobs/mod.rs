//! Attachments: taken in piece by piece, held against their names, sealed on the disk, given out to who may read a
//! stream that names them. Speaks no HTTP; `http` does.
//!
//! Every byte that is kept was signed by a device that is let in. A cut costs the piece that was on its way.

mod copies;
pub mod http;
mod rows;
mod shelf;

use crate::city::City;
use crate::db::DbError;
use crate::http::Refuse;
use crate::right::{self, Carrier};
use crate::{exchange, receipts};
use axum::http::StatusCode;
use replica::limits::MAX_BLOB;
use replica::{BlobHash, DeviceId, RootKey, StreamId};
use rows::Row;
use rusqlite::Connection;
use std::sync::{Mutex, PoisonError};
use wire::blobs::{
    BLOBS_PATH, BlobAnswer, BlobAsk, BlobHeld, BlobMethod, BlobReply, BlobRequest, LEAST_PIECE, PIECE,
    blob_path,
};
use wire::{REVOKED, RequestHead, Target};

pub use copies::{Copied, CopyError, Lost, bring_back, copy_all};
pub use rows::{Sight, missing, named_by, names, note, shown};
pub use shelf::{Shelf, ShelfError};

/// Most bytes that the attachments of one stream may take.
const MOST_OF_STREAM: u64 = 4 * 1024 * 1024 * 1024;

/// The folder of attachments. One piece is written at a time.
#[derive(Debug)]
pub struct Blobs {
    shelf: Shelf,
    writing: Mutex<()>,
}

impl Blobs {
    pub fn on(shelf: Shelf) -> Blobs {
        Blobs { shelf, writing: Mutex::new(()) }
    }

    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }
}

/// Answers the bytes of a question about many, however they came.
pub fn probe(city: &City, framed: &[u8]) -> Result<Vec<u8>, Refuse> {
    let malformed = |_| Refuse::bad("malformed");
    let (head, body) = RequestHead::split(framed).map_err(malformed)?;
    exchange::believe(city, &target("POST", BLOBS_PATH, city.root), &head, body)?;
    let ask = BlobAsk::decode(body).map_err(malformed)?;
    if enter(city, &head)? == Carrier::Revoked {
        return Err(revoked());
    }
    let mut streams = Vec::with_capacity(ask.streams.len());
    for (stream, hashes) in &ask.streams {
        streams.push(of_stream(city, &head, stream, hashes)?);
    }
    let digest = BlobAnswer::digest(body, &streams);
    let receipt = receipts::sign_digest(&city.operating()?, &head, digest, city.world.now());
    Ok(BlobAnswer { streams, receipt }.encode())
}

fn of_stream(
    city: &City,
    head: &RequestHead,
    stream: &StreamId,
    hashes: &[BlobHash],
) -> Result<Option<Vec<BlobHeld>>, Refuse> {
    let named = city.db.read::<_, DbError>(|c| {
        if !right::may_read(c, stream, &head.device)? {
            return Ok(None);
        }
        let sight = Sight::new(city, c, *stream, head.device);
        hashes.iter().map(|hash| sight.lengths(hash)).collect::<Result<Vec<_>, _>>().map(Some)
    })?;
    let Some(named) = named else { return Ok(None) };
    let mut held = Vec::with_capacity(hashes.len());
    for (hash, lengths) in hashes.iter().zip(named) {
        held.push(match lengths.is_empty() {
            true => BlobHeld::NotNamed,
            false => match look(city, hash, &lengths)? {
                Some(row) if row.is_whole() => BlobHeld::Whole,
                Some(row) if row.have > 0 => BlobHeld::Partial(row.have),
                Some(_) | None => BlobHeld::Missing,
            },
        });
    }
    Ok(Some(held))
}

/// Answers a request for one attachment.
pub fn serve(city: &City, request: &BlobRequest) -> Result<BlobReply, Refuse> {
    let path = blob_path(&request.stream, &request.hash);
    let (head, rest) = RequestHead::split(&request.head).map_err(|_| Refuse::bad("malformed"))?;
    if !rest.is_empty() {
        return Err(Refuse::bad("malformed"));
    }
    exchange::believe(city, &target(request.method.as_str(), &path, city.root), &head, &request.body)?;
    let carrier = enter(city, &head)?;
    let lengths = city.db.read(|c| named(city, c, request, &head.device, carrier))?;
    if lengths.is_empty() {
        return Err(Refuse::new(StatusCode::NOT_FOUND, "not_named"));
    }
    match request.method {
        BlobMethod::Post => begin(city, request, &lengths),
        BlobMethod::Patch => go_on(city, request, &lengths),
        BlobMethod::Head => tell(city, request, &lengths),
        BlobMethod::Delete => give_up(city, request, &lengths),
        BlobMethod::Get => give(city, request, &lengths),
    }
}

fn target<'a>(method: &'a str, path: &'a str, city: RootKey) -> Target<'a> {
    Target { method, path, query: "", encoding: "", city }
}

/// The lengths that names of an attachment say to who asks for it. A device whose right was taken may hand in what its own
/// changes name, as it may its changes, and is given nothing.
fn named(
    city: &City,
    c: &Connection,
    request: &BlobRequest,
    device: &DeviceId,
    carrier: Carrier,
) -> Result<Vec<u64>, Refuse> {
    let sight = Sight::new(city, c, request.stream, *device);
    match carrier {
        Carrier::Revoked => match request.method {
            BlobMethod::Post | BlobMethod::Head | BlobMethod::Patch => Ok(sight.own_lengths(&request.hash)?),
            BlobMethod::Delete | BlobMethod::Get => Err(revoked()),
        },
        Carrier::LetIn | Carrier::Stranger => match right::may_read(c, &request.stream, device)? {
            true => Ok(sight.lengths(&request.hash)?),
            false => Err(Refuse::new(StatusCode::FORBIDDEN, "not_permitted")),
        },
    }
}

fn revoked() -> Refuse {
    Refuse::new(StatusCode::FORBIDDEN, REVOKED)
}

/// Lets a device ask once with this nonce, if it was ever let in.
fn enter(city: &City, head: &RequestHead) -> Result<Carrier, Refuse> {
    city.db.write(|t| match right::carrier(t, &head.device)? {
        Carrier::Stranger => Err(Refuse::new(StatusCode::FORBIDDEN, "not_enrolled")),
        known @ (Carrier::LetIn | Carrier::Revoked) => {
            exchange::spend_nonce(t, head, city.world.now())?;
            Ok(known)
        }
    })
}

/// How much of an attachment is here. What the database knows and the disk lost is not; a whole file that the disk has
/// and the database lost is.
fn look(city: &City, hash: &BlobHash, lengths: &[u64]) -> Result<Option<Row>, Refuse> {
    let shelf = &city.blobs.shelf;
    let (row, stored) = (city.db.read(|c| rows::row(c, hash))?, shelf.stored(hash));
    match row {
        Some(row) if row.stored <= stored => Ok(Some(row).filter(|row| lengths.contains(&row.len))),
        Some(_) => Ok(None),
        None if stored == 0 => Ok(None),
        None => match shelf.measure(hash) {
            Ok((found, len)) if found == *hash && lengths.contains(&len) => {
                let row = Row { len, have: len, stored };
                city.db.write::<_, DbError>(|t| rows::put(t, hash, row))?;
                Ok(Some(row))
            }
            Ok(_) | Err(_) => Ok(None),
        },
    }
}

fn begin(city: &City, request: &BlobRequest, lengths: &[u64]) -> Result<BlobReply, Refuse> {
    let len = request.length.filter(|len| lengths.contains(len) && *len <= MAX_BLOB);
    let len = len.ok_or(Refuse::bad("wrong_length"))?;
    let _one = one_at_a_time(city);
    let row = match look(city, &request.hash, &[len])? {
        Some(row) => row,
        None => {
            let row = Row { len, have: 0, stored: 0 };
            city.db.write::<_, Refuse>(|t| {
                has_room(t, &request.stream, &request.hash, len)?;
                Ok(rows::put(t, &request.hash, row)?)
            })?;
            row
        }
    };
    let row = match request.body.is_empty() || row.have > 0 {
        true => row,
        false => append(city, &request.hash, row, &request.body)?,
    };
    Ok(BlobReply { status: 201, offset: Some(row.have), length: Some(len), ..BlobReply::default() })
}

fn go_on(city: &City, request: &BlobRequest, lengths: &[u64]) -> Result<BlobReply, Refuse> {
    let offset = request.offset.ok_or(Refuse::bad("malformed"))?;
    let _one = one_at_a_time(city);
    let row = look(city, &request.hash, lengths)?.ok_or(Refuse::new(StatusCode::NOT_FOUND, "not_begun"))?;
    if row.have != offset {
        return Ok(BlobReply { status: 409, offset: Some(row.have), ..BlobReply::default() });
    }
    let row = append(city, &request.hash, row, &request.body)?;
    Ok(BlobReply { status: 204, offset: Some(row.have), ..BlobReply::default() })
}

/// Puts a piece on the disk, and then into the database that it counts.
fn append(city: &City, hash: &BlobHash, row: Row, piece: &[u8]) -> Result<Row, Refuse> {
    let have = row.have + piece.len() as u64;
    match piece.len() {
        _ if have > row.len => return Err(Refuse::bad("beyond_length")),
        0 => return Err(Refuse::bad("piece_too_small")),
        1..LEAST_PIECE if have < row.len => return Err(Refuse::bad("piece_too_small")),
        1..=PIECE => {}
        _ => return Err(Refuse::new(StatusCode::PAYLOAD_TOO_LARGE, "piece_too_large")),
    }
    let shelf = &city.blobs.shelf;
    let stored = shelf.append(hash, row.stored, row.have, piece, city.world.random())?;
    let row = Row { have, stored, ..row };
    if row.is_whole() && !shelf.is_whole(hash, row.len) {
        throw_away(city, hash)?;
        return Err(Refuse::new(WRONG_HASH, "wrong_hash"));
    }
    city.db.write::<_, DbError>(|t| rows::put(t, hash, row))?;
    Ok(row)
}

fn tell(city: &City, request: &BlobRequest, lengths: &[u64]) -> Result<BlobReply, Refuse> {
    let row = look(city, &request.hash, lengths)?.ok_or(Refuse::new(StatusCode::NOT_FOUND, "not_begun"))?;
    Ok(BlobReply { status: 200, offset: Some(row.have), length: Some(row.len), ..BlobReply::default() })
}

fn give_up(city: &City, request: &BlobRequest, lengths: &[u64]) -> Result<BlobReply, Refuse> {
    let _one = one_at_a_time(city);
    let row = look(city, &request.hash, lengths)?.ok_or(Refuse::new(StatusCode::NOT_FOUND, "not_begun"))?;
    if row.is_whole() {
        return Err(Refuse::new(StatusCode::CONFLICT, "held"));
    }
    throw_away(city, &request.hash)?;
    Ok(BlobReply { status: 204, ..BlobReply::default() })
}

fn give(city: &City, request: &BlobRequest, lengths: &[u64]) -> Result<BlobReply, Refuse> {
    let not_here = Refuse::new(StatusCode::NOT_FOUND, "not_here");
    let row = look(city, &request.hash, lengths)?.filter(Row::is_whole).ok_or(not_here.clone())?;
    let (from, last) = request.range.unwrap_or((0, None));
    let until = last.map_or(row.len, |last| last.saturating_add(1).min(row.len));
    if from >= until {
        return Err(Refuse::new(StatusCode::RANGE_NOT_SATISFIABLE, "range"));
    }
    match city.blobs.shelf.read(&request.hash, row.stored, from..until) {
        Ok(body) => {
            let status = if request.range.is_some() { 206 } else { 200 };
            Ok(BlobReply { status, length: Some(row.len), body, ..BlobReply::default() })
        }
        Err(ShelfError::Damaged(file)) => {
            tracing::error!(file = %file.display(), "an attachment is damaged; whoever has it will send it again");
            let _one = one_at_a_time(city);
            throw_away(city, &request.hash)?;
            Err(not_here)
        }
        Err(error) => Err(error.into()),
    }
}

fn throw_away(city: &City, hash: &BlobHash) -> Result<(), Refuse> {
    city.blobs.shelf.remove(hash)?;
    Ok(city.db.write::<_, DbError>(|t| rows::remove(t, hash))?)
}

/// Forgets one that is not whole though it should be: whoever has it is asked for it again.
pub fn forget_damaged(city: &City, hash: &BlobHash) -> Result<(), Refuse> {
    let _one = one_at_a_time(city);
    match city.db.read(|c| rows::row(c, hash))?.filter(Row::is_whole) {
        Some(row) if !city.blobs.shelf.is_whole(hash, row.len) => throw_away(city, hash),
        Some(_) | None => Ok(()),
    }
}

/// A panic of another thread left nothing that counts.
fn one_at_a_time(city: &City) -> std::sync::MutexGuard<'_, ()> {
    city.blobs.writing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The status of tus for bytes that are not the ones that were named.
pub const WRONG_HASH: StatusCode = match StatusCode::from_u16(460) {
    Ok(status) => status,
    Err(_) => StatusCode::BAD_REQUEST,
};

impl From<ShelfError> for Refuse {
    fn from(error: ShelfError) -> Refuse {
        match error.is_full() {
            true => {
                tracing::error!(%error, "no room for attachments");
                Refuse::new(StatusCode::INSUFFICIENT_STORAGE, "city_full")
            }
            false => Refuse::inner(&error),
        }
    }
}

/// Erases the files of what lost its last name, for example with a redacted payload.
pub fn sweep(city: &City) -> Result<(), Refuse> {
    let unnamed = city.db.read(rows::unnamed)?;
    for hash in unnamed {
        let _one = one_at_a_time(city);
        if !city.db.read(|c| rows::is_named(c, &hash))? {
            throw_away(city, &hash)?;
        }
        city.db.write::<_, DbError>(|t| rows::is_sorted_out(t, &hash))?;
    }
    Ok(())
}

/// The bytes of an attachment, for who has the right to see it.
pub fn bytes(city: &City, hash: &BlobHash) -> Result<Option<Vec<u8>>, Refuse> {
    let row = city.db.read(|c| rows::row(c, hash))?.filter(Row::is_whole);
    let Some(row) = row else { return Ok(None) };
    match city.blobs.shelf.read(hash, row.stored, 0..row.len) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(ShelfError::Damaged(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Says how long an attachment is that one of these lengths fits and that is here, whole.
pub fn whole(city: &City, hash: &BlobHash, lengths: &[u64]) -> Result<Option<u64>, Refuse> {
    Ok(look(city, hash, lengths)?.filter(Row::is_whole).map(|row| row.len))
}

/// What became of a whole attachment that a file brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    New,
    Known,
    NotNamed,
}

/// Takes in a whole attachment that a file brought, if one of these streams names it as its bringer sees them. The
/// limits of an upload hold here as well.
pub fn take_in(
    city: &City,
    bringer: &DeviceId,
    streams: &[StreamId],
    bytes: &[u8],
) -> Result<Brought, Refuse> {
    let (hash, len) = (BlobHash::of(bytes), bytes.len() as u64);
    let naming = city.db.read::<_, DbError>(|c| {
        for stream in streams {
            if Sight::new(city, c, *stream, *bringer).lengths(&hash)?.contains(&len) {
                return Ok(Some(*stream));
            }
        }
        Ok(None)
    })?;
    let Some(stream) = naming.filter(|_| (1..=MAX_BLOB).contains(&len)) else {
        return Ok(Brought::NotNamed);
    };
    let _one = one_at_a_time(city);
    if whole(city, &hash, &[len])?.is_some() {
        return Ok(Brought::Known);
    }
    city.db.read(|c| has_room(c, &stream, &hash, len))?;
    let stored = city.blobs.shelf.put(&hash, bytes, || city.world.random())?;
    city.db.write::<_, DbError>(|t| rows::put(t, &hash, Row { len, have: len, stored }))?;
    Ok(Brought::New)
}

/// One that was begun is counted already.
fn has_room(c: &Connection, stream: &StreamId, hash: &BlobHash, len: u64) -> Result<(), Refuse> {
    let more = if rows::row(c, hash)?.is_some() { 0 } else { len };
    match rows::bytes_of(c, stream)? + more > MOST_OF_STREAM {
        true => Err(Refuse::new(StatusCode::INSUFFICIENT_STORAGE, "stream_full")),
        false => Ok(()),
    }
}

/// Reads every attachment and says which are not what they are named, or not there.
pub fn check(city: &City, connection: &Connection) -> Result<(usize, Vec<BlobHash>), DbError> {
    let all = rows::all(connection)?;
    let mut wrong = Vec::new();
    for hash in &all {
        let Some(row) = rows::row(connection, hash)?.filter(Row::is_whole) else { continue };
        if !city.blobs.shelf.is_whole(hash, row.len) {
            wrong.push(*hash);
        }
    }
    Ok((all.len(), wrong))
}
