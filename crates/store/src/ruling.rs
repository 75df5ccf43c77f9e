//! The verdicts over a stream, and which records feel a difference between two of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use replica::{
    Change, ChangeId, DeviceId, STREAM_KIND, STREAM_RECORD, StreamFacts, Verdicts, certified_keys, planted,
    verdicts,
};
use rusqlite::Connection;

use crate::error::Fault;
use crate::fold::differing;
use crate::log::{self, StreamRow};
use crate::records::{self, Name};

/// Draws the verdicts from the log as it is now; `record` is the row of the stream's own record, which may not be
/// saved yet. A stream whose first change is not held knows nobody.
pub(crate) fn draw(db: &Connection, stream: StreamRow, record: Option<i64>) -> Result<Verdicts, Fault> {
    let Some(founder) = log::founder(db, &stream.id)? else { return Ok(Verdicts::nobody()) };
    let changes = of_record(db, record)?;
    let changes: Vec<&Change> = changes.iter().collect();
    let failed = RefCell::new(None);
    let prev = |id: &ChangeId| match log::prev(db, id) {
        Ok(prev) => prev,
        Err(fault) => {
            failed.replace(Some(fault));
            None
        }
    };
    let facts = StreamFacts { founder, changes: &changes, root: stream.root.as_ref(), prev: &prev };
    let drawn = verdicts(&facts);
    match failed.take() {
        Some(fault) => Err(fault),
        None => Ok(drawn),
    }
}

fn of_record(db: &Connection, record: Option<i64>) -> Result<Vec<Change>, Fault> {
    let changes = record.map_or(Ok(Vec::new()), |record| records::changes_of(db, record))?;
    changes.into_iter().map(|seq| log::change(db, seq)).collect()
}

/// The keys that speak for the city in a stream as it is stored, whether its first change is here or not.
pub(crate) fn city_keys(db: &Connection, stream: StreamRow) -> Result<BTreeSet<DeviceId>, Fault> {
    let Some(root) = stream.root else { return Ok(BTreeSet::new()) };
    let changes = of_record(db, records::seq(db, &stream_record(stream))?)?;
    Ok(certified_keys(&changes.iter().collect::<Vec<_>>(), &root))
}

/// The verdicts over a stream as it is stored.
pub(crate) fn of_stream(db: &Connection, stream: StreamRow) -> Result<Verdicts, Fault> {
    draw(db, stream, records::seq(db, &stream_record(stream))?)
}

pub(crate) fn stream_record(stream: StreamRow) -> Name {
    Name { stream: stream.seq, kind: STREAM_KIND.to_owned(), id: STREAM_RECORD.to_owned() }
}

/// The records that may fold differently under the second verdicts.
pub(crate) fn reached(
    db: &Connection,
    stream: i64,
    before: &Verdicts,
    after: &Verdicts,
) -> Result<Vec<(i64, Name)>, Fault> {
    let mut reached = Vec::new();
    if planted!(RulingReachesNothing) {
        return Ok(reached);
    }
    for id in changes(before, after) {
        if let Some(held) = log::held(db, &id)? {
            reached.extend(records::touched_by_change(db, held.seq)?);
        }
    }
    for device in devices(before, after) {
        reached.extend(records::touched_by_device(db, stream, &device)?);
    }
    Ok(reached)
}

fn changes(before: &Verdicts, after: &Verdicts) -> BTreeSet<ChangeId> {
    let mut ids: BTreeSet<ChangeId> =
        before.released.symmetric_difference(&after.released).copied().collect();
    let voided = before.voided.keys().chain(after.voided.keys());
    ids.extend(voided.filter(|id| before.voided.get(id) != after.voided.get(id)));
    ids.extend(before.drop_candidates().chain(after.drop_candidates()));
    ids
}

fn devices(before: &Verdicts, after: &Verdicts) -> BTreeSet<DeviceId> {
    let none = BTreeSet::new();
    let mut devices: BTreeSet<DeviceId> = differing(&before.city, &after.city).into_iter().collect();
    let (left, right) = (before.devices.as_ref().unwrap_or(&none), after.devices.as_ref().unwrap_or(&none));
    devices.extend(differing(left, right));
    devices.extend(unequal(&before.revoked, &after.revoked));
    devices
}

fn unequal<V: PartialEq>(left: &BTreeMap<DeviceId, V>, right: &BTreeMap<DeviceId, V>) -> Vec<DeviceId> {
    left.keys().chain(right.keys()).filter(|device| left.get(device) != right.get(device)).copied().collect()
}
