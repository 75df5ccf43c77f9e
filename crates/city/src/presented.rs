//! Receipts that laptops show to a city that was set back: they say when it got a change first, and that it judged it
//! then. What has one keeps its time and is not judged again.

use crate::db::DbError;
use crate::log;
use replica::{Change, ChangeId, DeviceId, StreamId, Verdicts};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, BTreeSet};
use wire::Presented;

/// What is known of earlier receipts, about changes of one stream.
#[derive(Debug, Default)]
pub struct Covered {
    /// Got at another time than now.
    receipted: BTreeSet<ChangeId>,
    /// The highest end of each device that a receipt names and that is still to come.
    promised: BTreeMap<DeviceId, u64>,
}

/// What a change's place says about judging it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    No,
    Before,
    /// It may be before an end that is still to come.
    NotKnown,
}

impl Covered {
    /// Takes in what these receipts say of the stream, after the changes beside them were appended. A receipt counts if
    /// a key that the root certified signed it.
    pub fn take(
        t: &Connection,
        stream: &StreamId,
        presented: &[Presented],
        verdicts: &Verdicts,
    ) -> Result<Covered, DbError> {
        for presented in presented.iter().filter(|it| verdicts.city.contains(&it.receipt.key)) {
            for (_, frontier) in presented.frontiers.iter().filter(|(named, _)| named == stream) {
                for device in frontier.0.keys() {
                    for end in frontier.ends(device) {
                        promise(t, stream, device, end, presented.receipt.at)?;
                    }
                }
            }
        }
        let mut covered = Covered::default();
        for (device, n, id, at) in promises(t, stream)? {
            if log::holds(t, &id)? {
                covered.walk(t, id, at)?;
                t.prepare_cached("DELETE FROM promised_end WHERE stream = ?1 AND id = ?2")?
                    .execute((stream.0.as_slice(), id.0.as_slice()))?;
            } else {
                let highest = covered.promised.entry(device).or_default();
                *highest = n.max(*highest);
            }
        }
        Ok(covered)
    }

    /// Everything before an end was got by then too.
    fn walk(&mut self, t: &Connection, end: ChangeId, at: i64) -> Result<(), DbError> {
        let mut next = Some(end);
        while let Some(id) = next {
            let earlier = t
                .prepare_cached("UPDATE change SET received_at = ?2 WHERE id = ?1 AND received_at > ?2")?
                .execute((id.0.as_slice(), at))?;
            if earlier == 0 {
                return Ok(());
            }
            self.receipted.insert(id);
            next = log::get(t, &id)?.and_then(|change| change.header.prev);
        }
        Ok(())
    }

    pub fn judged(&self, change: &Change) -> Judged {
        if self.receipted.contains(&change.id) {
            return Judged::Before;
        }
        match self.promised.get(&change.header.device) {
            Some(n) if change.header.n <= *n => Judged::NotKnown,
            Some(_) | None => Judged::No,
        }
    }

    /// The changes that were got at another time than now.
    pub fn receipted(&self) -> &BTreeSet<ChangeId> {
        &self.receipted
    }
}

/// Keeps the earliest word about an end.
fn promise(
    t: &Connection,
    stream: &StreamId,
    device: &DeviceId,
    (n, id): (u64, ChangeId),
    at: i64,
) -> Result<(), DbError> {
    let got: Option<i64> = t
        .prepare_cached("SELECT received_at FROM change WHERE id = ?1")?
        .query_row([id.0.as_slice()], |row| row.get(0))
        .optional()?;
    if got.is_some_and(|got| got <= at) {
        return Ok(());
    }
    t.prepare_cached(
        "INSERT INTO promised_end (stream, device, n, id, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET at = min(at, excluded.at)",
    )?
    .execute((
        stream.0.as_slice(),
        device.0.as_slice(),
        i64::try_from(n).unwrap_or(i64::MAX),
        id.0.as_slice(),
        at,
    ))?;
    Ok(())
}

type Promise = (DeviceId, u64, ChangeId, i64);

/// The earliest first, so that a later one does not stop at what an earlier one dates.
fn promises(t: &Connection, stream: &StreamId) -> Result<Vec<Promise>, DbError> {
    let mut statement =
        t.prepare_cached("SELECT device, n, id, at FROM promised_end WHERE stream = ?1 ORDER BY at, n")?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut promises = Vec::new();
    while let Some(row) = rows.next()? {
        let device = DeviceId(log::bytes32(row.get(0)?, "promised_end")?);
        let id = ChangeId(log::bytes32(row.get(2)?, "promised_end")?);
        promises.push((device, row.get::<_, i64>(1)?.unsigned_abs(), id, row.get(3)?));
    }
    Ok(promises)
}
