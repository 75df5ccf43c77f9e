//! Who may carry, and who may read which stream. Rights to write are judged at the door, by the signer of a change.

use crate::db::DbError;
use crate::http::Refuse;
use axum::http::StatusCode;
use replica::{DeviceId, StreamId, planted};
use rusqlite::Connection;

/// A device that is let in somewhere and not revoked. Asked after its changes were taken in, because a successor's own
/// introduction may be among them; a refusal undoes them.
pub fn may_carry(connection: &Connection, device: &DeviceId) -> Result<(), Refuse> {
    let statement = "SELECT coalesce(min(revoked), -1) FROM signer WHERE device = ?1";
    let standing: i64 =
        connection.prepare_cached(statement)?.query_row([device.0.as_slice()], |row| row.get(0))?;
    match standing {
        0 => Ok(()),
        1 if planted!(RevokedServed) => Ok(()),
        1 => Err(Refuse::new(StatusCode::FORBIDDEN, "revoked")),
        _ => Err(Refuse::new(StatusCode::FORBIDDEN, "not_enrolled")),
    }
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
