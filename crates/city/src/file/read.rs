//! What a request file says: its front, and every change of it that is whole.

use crate::city::City;
use crate::db::DbError;
use crate::http::Refuse;
use ed25519_dalek::SigningKey;
use replica::{DeviceId, RawChange, opening_key};
use rusqlite::{Connection, OptionalExtension};
use wire::Request;
use wire::file::{FileError, Head, Inventory, Label, MAX_CHANGES, OpeningKey, Place, SectionKind, open};
use zeroize::Zeroizing;

/// A request file, as far as it could be read.
pub struct Brought {
    pub head: Head,
    /// With the changes of all its messages.
    pub request: Request,
    /// The attachments that the laptop holds, if it says so.
    pub holds: Option<Inventory>,
    pub damaged: Option<Place>,
}

/// A file for this city, and what opens it.
pub struct Addressed<'a> {
    pub label: Label,
    pub key: OpeningKey,
    pub behind: &'a [u8],
}

/// Takes the label of a whole file off, and finds the key that opens what is behind it.
pub fn addressed<'a>(city: &City, connection: &Connection, bytes: &'a [u8]) -> Result<Addressed<'a>, Refuse> {
    let mut behind = bytes;
    let label = Label::read(&mut behind)?;
    if label.city != city.root {
        return Err(Refuse::bad("other_city"));
    }
    let key = citys_key(connection, &label.recipient)?.ok_or(Refuse::bad("not_for_us"))?;
    Ok(Addressed { label, key, behind })
}

/// Reads what is behind the label, but for attachments.
pub fn brought(addressed: &Addressed<'_>) -> Result<Brought, Refuse> {
    let mut file = open(&addressed.label, addressed.behind, &addressed.key)?;
    let (mut request, mut held, mut holds, mut damaged) = (None::<Request>, 0, None, None);
    loop {
        let section = match file.next() {
            Ok(Some(section)) => section,
            Ok(None) => break,
            Err(FileError::WrongBlob(_)) => continue,
            Err(FileError::Damaged(Some(place))) if request.is_some() => {
                damaged = Some(place);
                break;
            }
            Err(error) => return Err(error.into()),
        };
        let part = match section.kind {
            SectionKind::Message => Request::decode(&section.bytes).map_err(|_| FileError::Damaged(None))?.0,
            SectionKind::Held => {
                holds = Inventory::decode(&section.bytes).ok();
                continue;
            }
            SectionKind::Enrolment | SectionKind::Blob | SectionKind::Other(_) => continue,
        };
        held += part.changes.iter().map(bytes_of).sum::<usize>();
        if held > MAX_CHANGES {
            return Err(FileError::TooLarge.into());
        }
        match &mut request {
            None => request = Some(part),
            Some(request) => request.changes.extend(part.changes),
        }
    }
    let head = file.head;
    Ok(Brought { head, request: request.ok_or(FileError::Damaged(None))?, holds, damaged })
}

fn bytes_of(change: &RawChange) -> usize {
    change.header.len() + change.payload.as_ref().map_or(0, Vec::len)
}

/// The secret of a key that this city signs or signed with.
fn citys_key(connection: &Connection, recipient: &DeviceId) -> Result<Option<OpeningKey>, DbError> {
    let statement = "SELECT secret FROM operating_key WHERE device = ?1";
    let secret: Option<Vec<u8>> =
        connection.query_row(statement, [recipient.0.as_slice()], |row| row.get(0)).optional()?;
    // The secrets of keys are forgotten when the key is rotated.
    let secret = secret.map(Zeroizing::new).filter(|secret| !secret.is_empty());
    let Some(secret) = secret else { return Ok(None) };
    let damaged = |_| DbError::Damaged { table: "operating_key", what: "secret".to_owned() };
    let signing = SigningKey::from_bytes(&Zeroizing::new(secret.as_slice().try_into().map_err(damaged)?));
    Ok(Some(OpeningKey::new(&Zeroizing::new(opening_key(&signing)))))
}
