//! Values that the city holds no more, or never got: who brought the change had them withheld from him. Their author may
//! still have them, so the city asks for them.

use crate::city::City;
use crate::db::DbError;
use crate::{fold, log};
use replica::{ChangeId, DeviceId, StreamId};
use rusqlite::Connection;

/// Asked for in one answer.
const MOST: usize = 32;

/// Changes of the asker's that are held without their values. Redacted ones are not missed.
pub fn wanted(
    city: &City,
    t: &Connection,
    stream: &StreamId,
    asker: &DeviceId,
) -> Result<Vec<ChangeId>, DbError> {
    let mut statement = t.prepare_cached(
        "SELECT header, signature, payload, lamport FROM change WHERE stream = ?1 AND payload IS NULL",
    )?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut bare = Vec::new();
    while let Some(row) = rows.next()? {
        bare.push(log::read(row)?);
    }
    let Some(founder) = fold::founder(t, stream)?.filter(|_| !bare.is_empty()) else {
        return Ok(Vec::new());
    };
    let verdicts = fold::verdicts(t, &city.root, stream, founder, None)?;
    let theirs = bare
        .iter()
        .filter(|change| verdicts.succeeds(*asker, change.header.device) && !verdicts.drops(change));
    Ok(theirs.map(|change| change.id).take(MOST).collect())
}
