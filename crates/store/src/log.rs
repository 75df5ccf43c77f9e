//! The tables of the log: streams, changes, chains. One function per statement; nothing here folds.

use std::collections::{BTreeSet, HashMap};

use replica::{
    Change, ChangeId, DeviceId, End, Frontier, RawChange, RootKey, StreamId, display_lamport, threads,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::Fault;

/// The row of a stream that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamRow {
    pub seq: i64,
    pub id: StreamId,
    pub root: Option<RootKey>,
}

pub(crate) fn own_stream(db: &Connection) -> Result<Option<StreamRow>, Fault> {
    let mut statement = db.prepare_cached("SELECT seq, id, root_key FROM stream WHERE own = 1")?;
    Ok(statement.query_row([], read_stream).optional()?)
}

pub(crate) fn stream(db: &Connection, id: &StreamId) -> Result<Option<StreamRow>, Fault> {
    let mut statement = db.prepare_cached("SELECT seq, id, root_key FROM stream WHERE id = ?1")?;
    Ok(statement.query_row([id.as_bytes()], read_stream).optional()?)
}

pub(crate) fn streams(db: &Connection) -> Result<Vec<StreamRow>, Fault> {
    let mut statement = db.prepare_cached("SELECT seq, id, root_key FROM stream ORDER BY seq")?;
    Ok(statement.query_map([], read_stream)?.collect::<Result<_, _>>()?)
}

/// The row of a stream; the first change of it that is seen makes the row.
pub(crate) fn add_stream(db: &Connection, id: &StreamId) -> Result<StreamRow, Fault> {
    db.prepare_cached("INSERT OR IGNORE INTO stream (id) VALUES (?1)")?.execute([id.as_bytes()])?;
    Ok(stream(db, id)?.expect("the row was just made"))
}

/// Makes a stream the one that local writes go to.
pub(crate) fn set_own(db: &Connection, stream: i64) -> Result<(), Fault> {
    db.execute("UPDATE stream SET own = 0 WHERE own = 1", [])?;
    db.execute("UPDATE stream SET own = 1 WHERE seq = ?1", [stream])?;
    Ok(())
}

pub(crate) fn set_root(db: &Connection, stream: i64, root: &RootKey) -> Result<(), Fault> {
    db.execute("UPDATE stream SET root_key = ?2 WHERE seq = ?1", params![stream, root.as_bytes()])?;
    Ok(())
}

fn read_stream(row: &Row) -> rusqlite::Result<StreamRow> {
    let root: Option<[u8; 32]> = row.get(2)?;
    Ok(StreamRow { seq: row.get(0)?, id: StreamId(row.get(1)?), root: root.map(RootKey) })
}

/// What a new change of this device follows, and the lamport value that counts there.
pub(crate) fn chain_end(db: &Connection, stream: i64, device: &DeviceId) -> Result<Option<End>, Fault> {
    let sql = "SELECT n, id FROM frontier WHERE stream = ?1 AND device = ?2 ORDER BY n DESC, id LIMIT 1";
    let mut statement = db.prepare_cached(sql)?;
    let end = statement.query_row(params![stream, device.as_bytes()], |row| {
        Ok(End { n: row.get::<_, i64>(0)?.unsigned_abs(), id: ChangeId(row.get(1)?) })
    });
    Ok(end.optional()?)
}

pub(crate) fn highest_lamport(db: &Connection, stream: i64) -> Result<u64, Fault> {
    let mut statement = db.prepare_cached("SELECT lamport FROM stream WHERE seq = ?1")?;
    Ok(statement.query_row([stream], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

/// Where a held change lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub seq: i64,
    pub stream: i64,
    pub device: DeviceId,
    pub n: u64,
    pub lamport: u64,
    pub has_payload: bool,
}

pub(crate) fn held(db: &Connection, id: &ChangeId) -> Result<Option<Held>, Fault> {
    let sql = "SELECT seq, stream, device, n, lamport, payload IS NOT NULL FROM change WHERE id = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let held = statement.query_row([id.as_bytes()], |row| {
        Ok(Held {
            seq: row.get(0)?,
            stream: row.get(1)?,
            device: DeviceId(row.get(2)?),
            n: row.get::<_, i64>(3)?.unsigned_abs(),
            lamport: row.get::<_, i64>(4)?.unsigned_abs(),
            has_payload: row.get(5)?,
        })
    });
    Ok(held.optional()?)
}

pub(crate) fn is_waiting(db: &Connection, id: &ChangeId) -> Result<bool, Fault> {
    Ok(db.prepare_cached("SELECT 1 FROM waiting WHERE id = ?1")?.exists([id.as_bytes()])?)
}

/// Appends a change whose predecessor is held, and sets the lamport value that counts. The frontier is moved apart, by
/// `move_ends`.
pub(crate) fn append(
    db: &Connection,
    stream: i64,
    change: &mut Change,
    prev: Option<&Held>,
) -> Result<Held, Fault> {
    change.lamport = display_lamport(prev.map(|held| held.lamport), change.lamport);
    let (header, id) = (&change.header, change.id.as_bytes());
    let sql =
        "INSERT INTO change (id, stream, device, n, prev, lamport, at, origin, header, signature, payload)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    db.prepare_cached(sql)?.execute(params![
        id,
        stream,
        header.device.as_bytes(),
        signed(header.n)?,
        header.prev.as_ref().map(ChangeId::as_bytes),
        signed(change.lamport)?,
        header.at,
        header.origin,
        change.raw.header,
        change.raw.signature,
        change.raw.payload,
    ])?;
    Ok(Held {
        seq: db.last_insert_rowid(),
        stream,
        device: header.device,
        n: header.n,
        lamport: change.lamport,
        has_payload: change.raw.payload.is_some(),
    })
}

/// Moves the ends of one device's chain.
pub(crate) fn move_ends(
    db: &Connection,
    stream: i64,
    device: &DeviceId,
    passed: &BTreeSet<(u64, ChangeId)>,
    ends: &BTreeSet<(u64, ChangeId)>,
) -> Result<(), Fault> {
    for (n, id) in passed {
        let sql = "DELETE FROM frontier WHERE stream = ?1 AND device = ?2 AND n = ?3 AND id = ?4";
        db.prepare_cached(sql)?.execute(params![stream, device.as_bytes(), signed(*n)?, id.as_bytes()])?;
    }
    for (n, id) in ends {
        let sql = "INSERT OR IGNORE INTO frontier (stream, device, n, id) VALUES (?1, ?2, ?3, ?4)";
        db.prepare_cached(sql)?.execute(params![stream, device.as_bytes(), signed(*n)?, id.as_bytes()])?;
    }
    Ok(())
}

/// Remembers the highest lamport value that counts.
pub(crate) fn raise_lamport(db: &Connection, stream: i64, lamport: u64) -> Result<(), Fault> {
    db.prepare_cached("UPDATE stream SET lamport = max(lamport, ?2) WHERE seq = ?1")?
        .execute(params![stream, signed(lamport)?])?;
    Ok(())
}

/// Numbers above 2^63 are refused when a header is read; this keeps the conversion honest.
pub(crate) fn signed(number: u64) -> Result<i64, Fault> {
    i64::try_from(number).map_err(|_| Fault::row("change", "new", "n", "a number above 2^63"))
}

/// Keeps a change whose predecessor is not held.
pub(crate) fn keep_waiting(db: &Connection, change: &Change, follows: &ChangeId) -> Result<(), Fault> {
    let sql = "INSERT OR IGNORE INTO waiting (id, stream, prev, header, signature, payload)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.prepare_cached(sql)?.execute(params![
        change.id.as_bytes(),
        change.stream.as_bytes(),
        follows.as_bytes(),
        change.raw.header,
        change.raw.signature,
        change.raw.payload,
    ])?;
    Ok(())
}

/// Whether any change waits for one that is not held.
pub(crate) fn any_waits(db: &Connection) -> Result<bool, Fault> {
    Ok(db.prepare_cached("SELECT 1 FROM waiting LIMIT 1")?.exists([])?)
}

/// Takes out the changes that waited for this one.
pub(crate) fn take_waiting(db: &Connection, follows: &ChangeId) -> Result<Vec<Change>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT header, signature, payload FROM waiting WHERE prev = ?1")?;
    let mut rows = statement.query([follows.as_bytes()])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(read_change(raw_of(row, "waiting")?, "waiting")?);
    }
    if !changes.is_empty() {
        db.prepare_cached("DELETE FROM waiting WHERE prev = ?1")?.execute([follows.as_bytes()])?;
    }
    Ok(changes)
}

/// Columns header, signature, payload, then perhaps more: the change as it was signed.
fn read_raw(row: &Row) -> rusqlite::Result<RawChange> {
    Ok(RawChange { header: row.get(0)?, signature: row.get(1)?, payload: row.get(2)? })
}

/// A column of another type or length is damage like any other.
fn raw_of(row: &Row, table: &'static str) -> Result<RawChange, Fault> {
    read_raw(row).map_err(|error| Fault::row(table, "unknown", "header, signature, payload", error))
}

fn read_change(raw: RawChange, table: &'static str) -> Result<Change, Fault> {
    let id = raw.id();
    raw.read().map_err(|refused| Fault::row(table, id, "header", refused))
}

/// The bytes of a change of the log, not read yet.
struct Stored {
    raw: RawChange,
    lamport: u64,
    id: ChangeId,
}

impl Stored {
    /// Columns header, signature, payload, lamport, id.
    fn of(row: &Row) -> Result<Self, Fault> {
        let raw = raw_of(row, "change")?;
        Ok(Self { raw, lamport: row.get::<_, i64>(3)?.unsigned_abs(), id: ChangeId(row.get(4)?) })
    }

    fn read(self) -> Result<Change, Fault> {
        let change = read_change(self.raw, "change")?;
        if self.id != change.id {
            return Err(Fault::row(
                "change",
                self.id,
                "header",
                "the bytes are not the ones that were stored",
            ));
        }
        Ok(Change { lamport: self.lamport, ..change })
    }
}

fn read_held(row: &Row) -> Result<Change, Fault> {
    Stored::of(row)?.read()
}

const HELD: &str = "SELECT header, signature, payload, lamport, id FROM change";

pub(crate) fn change(db: &Connection, seq: i64) -> Result<Change, Fault> {
    let mut statement = db.prepare_cached(&format!("{HELD} WHERE seq = ?1"))?;
    let mut rows = statement.query([seq])?;
    let row = rows.next()?.ok_or_else(|| Fault::row("change", seq, "seq", "the row is missing"))?;
    read_held(row)
}

pub(crate) fn change_by_id(db: &Connection, id: &ChangeId) -> Result<Option<Change>, Fault> {
    let mut statement = db.prepare_cached(&format!("{HELD} WHERE id = ?1"))?;
    let mut rows = statement.query([id.as_bytes()])?;
    rows.next()?.map(read_held).transpose()
}

/// The changes of a stream, each after the ones before it in its chain.
pub(crate) fn changes(db: &Connection, stream: i64) -> Result<Vec<Change>, Fault> {
    let mut statement = db.prepare_cached(&format!("{HELD} WHERE stream = ?1 ORDER BY device, n, id"))?;
    let mut rows = statement.query([stream])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(read_held(row)?);
    }
    Ok(changes)
}

/// The changes of a stream with their rows.
pub(crate) fn changes_by_row(db: &Connection, stream: i64) -> Result<Vec<(i64, Change)>, Fault> {
    let sql =
        "SELECT header, signature, payload, lamport, id, seq FROM change WHERE stream = ?1 ORDER BY seq";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([stream])?;
    let mut stored = Vec::new();
    while let Some(row) = rows.next()? {
        stored.push((row.get::<_, i64>(5)?, Stored::of(row)?));
    }
    threads::map(stored, |(), (seq, stored)| stored.read().map(|change| (seq, change))).into_iter().collect()
}

/// The changes of one device after number `after`, as long as they fit into `budget` bytes; whether there are more.
pub(crate) fn chain_after(
    db: &Connection,
    stream: i64,
    device: &DeviceId,
    after: u64,
    budget: &mut usize,
) -> Result<(Vec<RawChange>, bool), Fault> {
    let sql = "SELECT header, signature, payload FROM change
               WHERE stream = ?1 AND device = ?2 AND n > ?3 ORDER BY n, id";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params![stream, device.as_bytes(), signed(after)?])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let raw = raw_of(row, "change")?;
        let size = raw.header.len() + 64 + raw.payload.as_ref().map_or(0, Vec::len);
        if size > *budget {
            return Ok((changes, true));
        }
        *budget -= size;
        changes.push(raw);
    }
    Ok((changes, false))
}

/// Ids of a device's changes by number; two for a number where its chain forks.
pub(crate) fn chain_ids(
    db: &Connection,
    stream: i64,
    device: &DeviceId,
    numbers: &[u64],
) -> Result<Vec<(u64, ChangeId)>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT id FROM change WHERE stream = ?1 AND device = ?2 AND n = ?3 ORDER BY id")?;
    let mut found = Vec::new();
    for n in numbers {
        let ids = statement.query_map(params![stream, device.as_bytes(), signed(*n)?], |row| row.get(0))?;
        for id in ids {
            found.push((*n, ChangeId(id?)));
        }
    }
    Ok(found)
}

pub(crate) fn ids_of_device(db: &Connection, stream: i64, device: &DeviceId) -> Result<Vec<ChangeId>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT id FROM change WHERE stream = ?1 AND device = ?2 ORDER BY n, id")?;
    let rows = statement.query_map(params![stream, device.as_bytes()], |row| Ok(ChangeId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn prev(db: &Connection, id: &ChangeId) -> Result<Option<ChangeId>, Fault> {
    let mut statement = db.prepare_cached("SELECT prev FROM change WHERE id = ?1")?;
    let found: Option<Option<[u8; 32]>> =
        statement.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
    Ok(found.flatten().map(ChangeId))
}

/// The device of a stream's first change, if that is held.
pub(crate) fn founder(db: &Connection, stream: &StreamId) -> Result<Option<DeviceId>, Fault> {
    Ok(held(db, &ChangeId(stream.0))?.map(|held| held.device))
}

pub(crate) fn frontier(db: &Connection, stream: i64) -> Result<Frontier, Fault> {
    read_frontier(db, "SELECT device, n, id FROM frontier WHERE stream = ?1", stream)
}

pub(crate) fn city_frontier(db: &Connection, stream: i64) -> Result<Frontier, Fault> {
    read_frontier(db, "SELECT device, n, id FROM city_frontier WHERE stream = ?1", stream)
}

fn read_frontier(db: &Connection, sql: &str, stream: i64) -> Result<Frontier, Fault> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([stream])?;
    let mut frontier = Frontier::default();
    while let Some(row) = rows.next()? {
        let end = (row.get::<_, i64>(1)?.unsigned_abs(), ChangeId(row.get(2)?));
        frontier.0.entry(DeviceId(row.get(0)?)).or_default().insert(end);
    }
    Ok(frontier)
}

/// Erases a payload for good.
pub(crate) fn drop_payload(db: &Connection, id: &ChangeId) -> Result<(), Fault> {
    db.prepare_cached("UPDATE change SET payload = NULL WHERE id = ?1")?.execute([id.as_bytes()])?;
    Ok(())
}

/// Puts back a payload that was withheld when the change arrived.
pub(crate) fn fill_payload(db: &Connection, id: &ChangeId, payload: &[u8]) -> Result<(), Fault> {
    db.prepare_cached("UPDATE change SET payload = ?2 WHERE id = ?1 AND payload IS NULL")?
        .execute(params![id.as_bytes(), payload])?;
    Ok(())
}

/// Origins of the changes of a stream that issue others again, with what they became.
pub(crate) fn origins(db: &Connection, stream: i64) -> Result<HashMap<ChangeId, ChangeId>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT origin, id FROM change WHERE stream = ?1 AND origin IS NOT NULL")?;
    let mut rows = statement.query([stream])?;
    let mut origins = HashMap::new();
    while let Some(row) = rows.next()? {
        if let Ok(origin) = row.get::<_, String>(0)?.parse() {
            origins.insert(origin, ChangeId(row.get(1)?));
        }
    }
    Ok(origins)
}
