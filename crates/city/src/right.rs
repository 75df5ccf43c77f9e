//! Who may carry, and who may read which stream. Rights to write are judged at the door, by the signer of a change.

use crate::db::DbError;
use replica::{DeviceId, StreamId, planted};
use rusqlite::Connection;

/// What a device may do, whatever it brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    LetIn,
    /// Its right was taken, or one whose right was taken introduced it: it may hand in, and is given nothing.
    Revoked,
    Stranger,
}

/// Asked after its changes were taken in, because a successor's own introduction may be among them.
pub fn carrier(connection: &Connection, device: &DeviceId) -> Result<Carrier, DbError> {
    let statement = "SELECT min(revoked) FROM signer WHERE device = ?1";
    let revoked: Option<bool> =
        connection.prepare_cached(statement)?.query_row([device.0.as_slice()], |row| row.get(0))?;
    Ok(match revoked {
        Some(false) => Carrier::LetIn,
        Some(true) if planted!(RevokedServed) => Carrier::LetIn,
        Some(true) => Carrier::Revoked,
        None => Carrier::Stranger,
    })
}

/// Says whether the device is let in anywhere, revoked or not.
pub fn is_let_in(connection: &Connection, device: &DeviceId) -> Result<bool, DbError> {
    let statement = "SELECT 1 FROM signer WHERE device = ?1";
    Ok(connection.prepare_cached(statement)?.exists([device.0.as_slice()])?)
}

/// The streams that a device may sign in, and the office streams of the organisations above.
pub fn may_read(connection: &Connection, stream: &StreamId, device: &DeviceId) -> Result<bool, DbError> {
    if planted!(OtherServed) {
        return Ok(true);
    }
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE above (id, parent, stream) AS (
             SELECT o.id, o.parent, o.stream FROM signer s JOIN organisation o ON o.stream = s.stream
             WHERE s.device = ?2 AND s.revoked = 0
             UNION SELECT o.id, o.parent, o.stream FROM organisation o JOIN above a ON o.id = a.parent)
         SELECT 1 FROM above WHERE stream = ?1",
    )?;
    Ok(statement.exists((stream.0.as_slice(), device.0.as_slice()))?)
}
