//! From the log to what can be asked for: verdicts, record states, signers. The fold itself is the replica's.

use crate::db::DbError;
use crate::log::{self, Address};
use replica::{
    Change, ChangeId, DeviceId, RecordState, RootKey, STREAM_KIND, STREAM_RECORD, StreamFacts, StreamId,
    Verdicts, fold_record, threads, verdicts as fold_verdicts,
};
use rusqlite::{Connection, OptionalExtension};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Lets a stream in, together with the device of its first change.
pub fn admit(connection: &Connection, stream: &StreamId, founder: &DeviceId) -> Result<(), DbError> {
    connection.execute(
        "INSERT OR IGNORE INTO stream (id, founder) VALUES (?1, ?2)",
        (stream.0.as_slice(), founder.0.as_slice()),
    )?;
    Ok(())
}

/// The device of the stream's first change; None if the city does not have the stream.
pub fn founder(connection: &Connection, stream: &StreamId) -> Result<Option<DeviceId>, DbError> {
    let statement = "SELECT founder FROM stream WHERE id = ?1";
    let found: Option<Vec<u8>> =
        connection.query_row(statement, [stream.0.as_slice()], |row| row.get(0)).optional()?;
    Ok(found.map(|bytes| log::bytes32(bytes, "stream")).transpose()?.map(DeviceId))
}

/// What does not count in a stream, from its held changes and, on trial, one more.
pub fn verdicts(
    connection: &Connection,
    root: &RootKey,
    stream: &StreamId,
    founder: DeviceId,
    trial: Option<&Change>,
) -> Result<Verdicts, DbError> {
    let held = log::touching(connection, stream, STREAM_KIND, STREAM_RECORD)?;
    let changes: Vec<&Change> = held.iter().chain(trial).collect();
    let failed = RefCell::new(None);
    let prev = |id: &ChangeId| match log::get(connection, id) {
        Ok(change) => change.and_then(|change| change.header.prev),
        Err(error) => {
            failed.replace(Some(error));
            None
        }
    };
    let verdicts = fold_verdicts(&StreamFacts { founder, changes: &changes, root: Some(root), prev: &prev });
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(verdicts),
    }
}

/// The state of one record, folded from the log.
pub fn state(
    connection: &Connection,
    root: &RootKey,
    stream: &StreamId,
    kind: &str,
    record: &str,
) -> Result<Option<RecordState>, DbError> {
    let Some(founder) = founder(connection, stream)? else { return Ok(None) };
    let verdicts = verdicts(connection, root, stream, founder, None)?;
    let changes = log::touching(connection, stream, kind, record)?;
    let changes: Vec<&Change> = changes.iter().collect();
    Ok((!changes.is_empty()).then(|| fold_record(kind, record, &changes, &verdicts)))
}

/// A record that is to be folded again.
pub struct Due<'a> {
    pub kind: &'a str,
    pub record: &'a str,
    /// The changes that touch it and were just appended.
    pub fresh: Vec<&'a Change>,
    /// No other change touches it: it is folded without reading the log, and nothing is stored of it yet.
    pub is_new: bool,
}

/// These records, with what of `fresh` touches them.
pub fn due<'a>(
    connection: &Connection,
    stream: &StreamId,
    addresses: &'a BTreeSet<Address>,
    fresh: &'a [Change],
) -> Result<Vec<Due<'a>>, DbError> {
    let mut by_address: BTreeMap<(&str, &str), Vec<&Change>> = BTreeMap::new();
    for change in fresh {
        for address in log::touched(change) {
            by_address.entry(address).or_default().push(change);
        }
    }
    let due = |(kind, record): &'a Address| {
        let fresh = by_address.remove(&(kind.as_str(), record.as_str())).unwrap_or_default();
        let is_new = touches(connection, stream, kind, record)? as usize == fresh.len();
        Ok(Due { kind, record, fresh, is_new })
    };
    addresses.iter().map(due).collect()
}

/// Folds these records again and stores them. `now` is when the fresh changes were received; None: not all at the same
/// time.
pub fn refold(
    connection: &Connection,
    stream: &StreamId,
    due: &[Due<'_>],
    verdicts: &Verdicts,
    now: Option<i64>,
) -> Result<Vec<RecordState>, DbError> {
    let mut states = Vec::with_capacity(due.len());
    let folded = |changes: &[&Change], due: &Due| {
        let state = fold_record(due.kind, due.record, changes, verdicts);
        let bytes = state.to_bytes();
        (state, bytes)
    };
    // What needs no log is folded while the records before it are written.
    threads::each(
        due.iter().collect(),
        |due: &Due| (due, due.is_new.then(|| folded(&due.fresh, due))),
        |(due, made)| {
            let (state, bytes) = match made {
                Some(made) => made,
                None => {
                    let held = log::touching(connection, stream, due.kind, due.record)?;
                    folded(&held.iter().collect::<Vec<_>>(), due)
                }
            };
            let received = match now.filter(|_| !due.fresh.is_empty()) {
                Some(now) => now,
                None => received(connection, stream, due.kind, due.record)?,
            };
            put(connection, stream, &state, &bytes, received)?;
            states.push(state);
            Ok::<(), DbError>(())
        },
    )?;
    Ok(states)
}

/// When the last change that touches the record came.
pub fn received(
    connection: &Connection,
    stream: &StreamId,
    kind: &str,
    record: &str,
) -> Result<i64, DbError> {
    let statement = "SELECT coalesce(max(c.received_at), 0) FROM touch t JOIN change c ON c.seq = t.seq
                     WHERE t.stream = ?1 AND t.kind = ?2 AND t.record = ?3";
    let mut statement = connection.prepare_cached(statement)?;
    Ok(statement.query_row((stream.0.as_slice(), kind, record), |row| row.get(0))?)
}

fn touches(connection: &Connection, stream: &StreamId, kind: &str, record: &str) -> Result<u32, DbError> {
    let statement = "SELECT count(*) FROM touch WHERE stream = ?1 AND kind = ?2 AND record = ?3";
    let mut statement = connection.prepare_cached(statement)?;
    Ok(statement.query_row((stream.0.as_slice(), kind, record), |row| row.get(0))?)
}

fn put(
    connection: &Connection,
    stream: &StreamId,
    state: &RecordState,
    bytes: &[u8],
    received: i64,
) -> Result<(), DbError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| DbError::Damaged { table: "record", what: format!("{} {}", state.kind, state.id) })?;
    connection
        .prepare_cached(
            "INSERT INTO record (stream, kind, id, received_at, state) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (stream, kind, id) DO UPDATE SET received_at = excluded.received_at, state = excluded.state",
        )?
        .execute((stream.0.as_slice(), &state.kind, &state.id, received, text))?;
    Ok(())
}

/// The records whose fold differs between two verdicts.
pub fn affected(
    connection: &Connection,
    stream: &StreamId,
    before: &Verdicts,
    after: &Verdicts,
) -> Result<BTreeSet<Address>, DbError> {
    let voided = |verdicts: &Verdicts| verdicts.voided.keys().copied().collect::<BTreeSet<_>>();
    let drops = |verdicts: &Verdicts| verdicts.drop_candidates().collect::<BTreeSet<_>>();
    let mut changes: BTreeSet<ChangeId> = &voided(before) ^ &voided(after);
    changes.extend(&drops(before) ^ &drops(after));
    changes.extend(&before.released ^ &after.released);
    let let_in = |verdicts: &Verdicts| verdicts.devices.clone().unwrap_or_default();
    let mut devices: BTreeSet<DeviceId> = &let_in(before) ^ &let_in(after);
    devices.extend(&before.city ^ &after.city);
    let revoked = before.revoked.keys().chain(after.revoked.keys());
    devices.extend(revoked.filter(|device| before.revoked.get(device) != after.revoked.get(device)));
    let mut addresses = BTreeSet::new();
    for change in &changes {
        addresses.extend(addresses_where(connection, "c.id = ?2", stream, &change.0)?);
    }
    for device in &devices {
        addresses.extend(addresses_where(connection, "c.device = ?2", stream, &device.0)?);
    }
    Ok(addresses)
}

fn addresses_where(
    connection: &Connection,
    condition: &str,
    stream: &StreamId,
    name: &[u8; 32],
) -> Result<Vec<Address>, DbError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT DISTINCT t.kind, t.record FROM change c JOIN touch t ON t.seq = c.seq
         WHERE t.stream = ?1 AND {condition}"
    ))?;
    let rows =
        statement.query_map((stream.0.as_slice(), name.as_slice()), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Who may sign in a stream, and whether that was taken from them. A device that was introduced by one that may not
/// (any more) is like one whose right was taken.
pub fn signers(verdicts: &Verdicts) -> BTreeMap<DeviceId, bool> {
    let devices = verdicts.devices.iter().flatten();
    let mut signers: BTreeMap<DeviceId, bool> =
        devices.map(|device| (*device, verdicts.revoked.contains_key(device))).collect();
    for device in verdicts.introduced() {
        signers.entry(device).or_insert(true);
    }
    signers
}

/// Writes them down, after the verdicts changed.
pub fn put_signers(connection: &Connection, stream: &StreamId, verdicts: &Verdicts) -> Result<(), DbError> {
    connection.execute("DELETE FROM signer WHERE stream = ?1", [stream.0.as_slice()])?;
    for (device, revoked) in signers(verdicts) {
        connection.execute(
            "INSERT INTO signer (stream, device, revoked) VALUES (?1, ?2, ?3)",
            (stream.0.as_slice(), device.0.as_slice(), revoked),
        )?;
    }
    Ok(())
}
