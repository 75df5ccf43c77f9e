//! Receipts that laptops show to a city that was set back: they say when it got a change first, and that it judged it
//! then. What has one keeps its time and is not judged again.

use crate::db::DbError;
use crate::log;
use replica::{Change, ChangeId, DeviceId, StreamId, Verdicts, planted};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use wire::Presented;

/// What is known of earlier receipts, about changes of one stream.
#[derive(Debug, Default)]
pub struct Covered {
    /// Covered by one of them: judged when it was given, and dated by it if that is earlier.
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
    /// a key that the root certified signed it. `open` are the changes that are to be judged: whether a receipt covers
    /// them is a matter of their chains, whatever the city's clock said then or says now.
    pub fn take<'a>(
        t: &Connection,
        stream: &StreamId,
        presented: &[Presented],
        verdicts: &Verdicts,
        open: impl Iterator<Item = &'a Change>,
    ) -> Result<Covered, DbError> {
        let mut ends = Vec::new();
        for presented in presented.iter().filter(|it| verdicts.city.contains(&it.receipt.key)) {
            for (_, frontier) in presented.frontiers.iter().filter(|(named, _)| named == stream) {
                for device in frontier.0.keys() {
                    ends.extend(frontier.ends(device).map(|(n, id)| (presented.receipt.at, *device, n, id)));
                }
            }
        }
        let mut covered = Covered::default();
        let mut held = Vec::new();
        for (at, device, n, id) in ends {
            match log::holds(t, &id)? {
                true => held.push((at, id)),
                false => promise(t, stream, (device, n, id), at)?,
            }
        }
        for (device, n, id, at) in promises(t, stream)? {
            if log::holds(t, &id)? {
                held.push((at, id));
                t.prepare_cached("DELETE FROM promised_end WHERE stream = ?1 AND id = ?2")?
                    .execute((stream.0.as_slice(), id.0.as_slice()))?;
            } else {
                let highest = covered.promised.entry(device).or_default();
                *highest = n.max(*highest);
            }
        }
        if held.is_empty() {
            return Ok(covered);
        }
        // The earliest first, so that a later one does not stop at what an earlier one dates.
        held.sort_unstable();
        let open = Open::of(open);
        held.into_iter().try_for_each(|(at, end)| covered.walk(t, end, at, &open))?;
        Ok(covered)
    }

    /// Everything before an end was got by then too. What an earlier receipt covers is not walked again.
    fn walk(&mut self, t: &Connection, end: ChangeId, at: i64, open: &Open) -> Result<(), DbError> {
        let mut next = Some(end);
        while let Some(id) = next.filter(|id| !self.receipted.contains(id)) {
            let earlier = t
                .prepare_cached("UPDATE change SET received_at = ?2 WHERE id = ?1 AND received_at > ?2")?
                .execute((id.0.as_slice(), at))?
                > 0;
            let Some(change) = log::get(t, &id)? else { return Ok(()) };
            if !earlier && !open.reaches(&change) {
                return Ok(());
            }
            if earlier || open.ids.contains(&id) {
                self.receipted.insert(id);
            }
            next = change.header.prev;
        }
        Ok(())
    }

    pub fn judged(&self, change: &Change) -> Judged {
        if planted!(JudgedAgain) {
            return Judged::No;
        }
        if self.receipted.contains(&change.id) {
            return Judged::Before;
        }
        match self.promised.get(&change.header.device) {
            Some(n) if change.header.n <= *n => Judged::NotKnown,
            Some(_) | None => Judged::No,
        }
    }

    /// The changes that these receipts date or keep from being judged again.
    pub fn receipted(&self) -> &BTreeSet<ChangeId> {
        &self.receipted
    }
}

/// The changes that are to be judged, and how far down each device's chain they lie.
struct Open {
    ids: BTreeSet<ChangeId>,
    lowest: BTreeMap<DeviceId, u64>,
}

impl Open {
    fn of<'a>(changes: impl Iterator<Item = &'a Change>) -> Open {
        let mut open = Open { ids: BTreeSet::new(), lowest: BTreeMap::new() };
        for change in changes {
            open.ids.insert(change.id);
            let lowest = open.lowest.entry(change.header.device).or_insert(change.header.n);
            *lowest = change.header.n.min(*lowest);
        }
        open
    }

    /// Says whether one of them may lie at this change or before it.
    fn reaches(&self, change: &Change) -> bool {
        self.lowest.get(&change.header.device).is_some_and(|lowest| *lowest <= change.header.n)
    }
}

/// Keeps the earliest word about an end that is not held.
fn promise(
    t: &Connection,
    stream: &StreamId,
    (device, n, id): (DeviceId, u64, ChangeId),
    at: i64,
) -> Result<(), DbError> {
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

fn promises(t: &Connection, stream: &StreamId) -> Result<Vec<Promise>, DbError> {
    let mut statement = t.prepare_cached("SELECT device, n, id, at FROM promised_end WHERE stream = ?1")?;
    let mut rows = statement.query([stream.0.as_slice()])?;
    let mut promises = Vec::new();
    while let Some(row) = rows.next()? {
        let device = DeviceId(log::bytes32(row.get(0)?, "promised_end")?);
        let id = ChangeId(log::bytes32(row.get(2)?, "promised_end")?);
        promises.push((device, row.get::<_, i64>(1)?.unsigned_abs(), id, row.get(3)?));
    }
    Ok(promises)
}
