//! Enrolment codes in the database: made for one organisation, good for seven days, used by one device.

use crate::audit;
use crate::db::DbError;
use crate::world::World;
use replica::DeviceId;
use rusqlite::{Connection, OptionalExtension};
use wire::enrol::{CodeKey, EnrolCode};
use wire::file::{OpeningKey, of_code};

pub const LASTS_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Makes a code for this organisation. The code itself is shown once and not kept.
pub fn make(connection: &Connection, world: &World, organisation: &str) -> Result<EnrolCode, DbError> {
    let now = world.now();
    let code = loop {
        let code = EnrolCode::from_random(world.random());
        if find(connection, code.place())?.is_none() {
            break code;
        }
    };
    connection.execute(
        "INSERT INTO enrol_code (place, key, organisation, made_at, ends_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        (code.place(), code.key().0.as_slice(), organisation, now, now + LASTS_MS),
    )?;
    audit::note(connection, now, "operator", "enrolment code made", organisation)?;
    Ok(code)
}

/// What is kept of a code.
#[derive(Debug)]
pub struct Kept {
    pub key: CodeKey,
    pub organisation: String,
    pub ends_at: i64,
    /// The device that used it, and what it was answered: asking again after a cut gives the same answer.
    pub used: Option<(Vec<u8>, String)>,
}

pub fn find(connection: &Connection, place: &str) -> Result<Option<Kept>, DbError> {
    let statement = "SELECT key, organisation, ends_at, device, answer FROM enrol_code WHERE place = ?1";
    let found = connection.query_row(statement, [place], |row| {
        let used = row.get::<_, Option<Vec<u8>>>(3)?.zip(row.get::<_, Option<String>>(4)?);
        Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get(2)?, used))
    });
    let Some((key, organisation, ends_at, used)) = found.optional()? else {
        return Ok(None);
    };
    let key = key.try_into().map_err(|_| DbError::Damaged { table: "enrol_code", what: place.to_owned() })?;
    Ok(Some(Kept { key: CodeKey(key), organisation, ends_at, used }))
}

/// The place of the code whose key opens files sealed to this recipient.
pub fn sealed_to(
    connection: &Connection,
    recipient: &DeviceId,
) -> Result<Option<(String, OpeningKey)>, DbError> {
    let mut statement = connection.prepare("SELECT place, key FROM enrol_code ORDER BY made_at DESC")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = CodeKey(crate::log::bytes32(row.get(1)?, "enrol_code")?);
        let (device, opening) = of_code(&key);
        if device == *recipient {
            return Ok(Some((row.get(0)?, opening)));
        }
    }
    Ok(None)
}

/// Marks the code as used.
pub fn spend(
    connection: &Connection,
    place: &str,
    now: i64,
    device: &[u8],
    answer: &str,
) -> Result<(), DbError> {
    connection.execute(
        "UPDATE enrol_code SET used_at = ?2, device = ?3, answer = ?4 WHERE place = ?1",
        (place, now, device, answer),
    )?;
    Ok(())
}
