//! When a device was last heard of.

use crate::db::DbError;
use replica::DeviceId;
use rusqlite::{Connection, OptionalExtension};

pub fn note(connection: &Connection, device: &DeviceId, now: i64) -> Result<(), DbError> {
    let statement = "INSERT OR REPLACE INTO seen (device, at) VALUES (?1, ?2)";
    connection.prepare_cached(statement)?.execute((device.0.as_slice(), now))?;
    Ok(())
}

pub fn last(connection: &Connection, device: &DeviceId) -> Result<Option<i64>, DbError> {
    let mut statement = connection.prepare_cached("SELECT at FROM seen WHERE device = ?1")?;
    Ok(statement.query_row([device.0.as_slice()], |row| row.get(0)).optional()?)
}
